/*
 * lineage_subgraph(): MLMD's get_lineage_subgraph without its caps
 */
#include "lineage/ids.h"
#include "lineage/lineage_query.h"
#include "lineage/subgraph_load.h"
#include "lineage/traverse_call.h"

#include "executor/spi.h"
#include "message/message_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

static const text *
TextArgument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_TEXT_PP(n);
}

/*
 * Starts from the nodes of a kind for which a filter holds
 */
static void
StartFromFilter(FmTraversal *traversal, const FmStoreSource *source, FmNodeKind kind, const text *filter)
{
	FmNodeQuery query = {0};
	int64 *ids;
	int n;

	if (VARSIZE_ANY_EXHDR(filter) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("filter for the start of a lineage subgraph is empty"),
						errhint("Write true to start from every %s.", fm_node_kind_name(kind))));
	query.filter = filter;
	query.has_as_of = source->has_as_of;
	query.as_of = source->as_of;
	ids = fm_node_ids(kind, &query, &n);
	for (int i = 0; i < n; i++)
		fm_traversal_start(traversal, kind, ids[i]);
	pfree(ids);
}

/*
 * The ids of the nodes of a kind that are in the result, ascending
 */
static int64 *
NodesOfKind(const FmTraversal *traversal, FmNodeKind kind, int *n)
{
	int64 *ids = MemoryContextAllocHuge(CurrentMemoryContext, Max(traversal->n_nodes, 1) * sizeof(int64));

	*n = 0;
	for (uint32 i = 0; i < traversal->n_nodes; i++)
		if (traversal->nodes[i].kind == kind && !traversal->nodes[i].excluded)
			ids[(*n)++] = traversal->nodes[i].id;
	fm_sort_ids(ids, *n);
	return ids;
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_subgraph);

/*
 * lineage_subgraph(starting_artifacts text, starting_executions text, max_num_hops bigint, direction text, ending_artifacts
 * text, ending_executions text, include_ending_nodes boolean, include_ending_artifacts boolean, include_ending_executions
 * boolean, as_of timestamptz) -> lineage_graph
 */
Datum
lineage_subgraph(PG_FUNCTION_ARGS)
{
	const text *starts[2] = {TextArgument(fcinfo, 1), TextArgument(fcinfo, 0)};
	bool include_ending = !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);
	FmStoreSource source = {0};
	FmTraversalOptions options = {0};
	FmTraversal traversal;
	FmSubgraphIds ids = {0};
	FmError error = {0};
	Mlmd__LineageGraph *graph;
	MemoryContext context = CurrentMemoryContext;

	if (starts[0] == NULL && starts[1] == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a lineage subgraph needs starting_artifacts or starting_executions")));
	options.max_hops = PG_ARGISNULL(2) ? -1 : PG_GETARG_INT64(2);
	if (!PG_ARGISNULL(2) && options.max_hops < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("number of hops cannot be negative"),
						errdetail("max_num_hops is %lld.", (long long) options.max_hops)));
	options.direction = PG_ARGISNULL(3) ? FM_BIDIRECTIONAL : fm_parse_direction(PG_GETARG_TEXT_PP(3));
	options.event_types = FM_ALL_EVENTS;
	options.include_ending_artifacts = PG_ARGISNULL(7) ? include_ending : PG_GETARG_BOOL(7);
	options.include_ending_executions = PG_ARGISNULL(8) ? include_ending : PG_GETARG_BOOL(8);
	options.collect_events = true;
	options.memory_limit = fm_traversal_memory_limit();
	source.details = true;
	source.ending_artifacts = TextArgument(fcinfo, 4);
	source.ending_executions = TextArgument(fcinfo, 5);
	fm_check_filter(FM_ARTIFACT, source.ending_artifacts);
	fm_check_filter(FM_EXECUTION, source.ending_executions);
	if (!PG_ARGISNULL(9))
	{
		source.has_as_of = ids.has_as_of = true;
		source.as_of = ids.as_of = PG_GETARG_TIMESTAMPTZ(9);
	}
	fm_store_source_init(&source);

	fm_traversal_begin(&traversal, &options, &source.base, &error);
	if (starts[1] != NULL)
		StartFromFilter(&traversal, &source, FM_ARTIFACT, starts[1]);
	if (starts[0] != NULL)
		StartFromFilter(&traversal, &source, FM_EXECUTION, starts[0]);
	if (traversal.n_nodes == 0)
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND), errmsg("no node to start a lineage subgraph from"),
						errdetail("No %s that you can see fits the filter.", starts[1] == NULL	 ? "execution"
																			 : starts[0] == NULL ? "artifact"
																								 : "node")));
	fm_store_source_run(&source, &traversal);
	fm_throw_core_error(&error);

	if (traversal.n_events > INT_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("lineage subgraph has too many events")));
	ids.events = traversal.events;
	ids.n_events = (int) traversal.n_events;
	ids.artifacts = NodesOfKind(&traversal, FM_ARTIFACT, &ids.n_artifacts);
	ids.executions = NodesOfKind(&traversal, FM_EXECUTION, &ids.n_executions);
	SPI_connect();
	MemoryContextSwitchTo(context);
	graph = fm_load_subgraph(&ids);
	SPI_finish();
	MemoryContextSwitchTo(context);
	PG_RETURN_MESSAGE(graph);
}
