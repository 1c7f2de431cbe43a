/*
 * Walks, order and cycles of a lineage_graph value, in SQL
 */
#include "lineage/graph_call.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lineage/live_traversal.h"
#include "lineage/traverse_call.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

Datum
fm_kind_datum(FmNodeKind kind)
{
	static Datum kinds[2];

	if (kinds[0] == (Datum) 0)
	{
		MemoryContext old_context = MemoryContextSwitchTo(TopMemoryContext);
		Datum execution = CStringGetTextDatum("execution");

		kinds[1] = CStringGetTextDatum("artifact");
		kinds[0] = execution;
		MemoryContextSwitchTo(old_context);
	}
	return kinds[kind == FM_ARTIFACT];
}

bool
fm_graph_node_text(const uint8 *data, const FmGraphNode *node, char what, Datum *value)
{
	const uint8 *string;
	size_t size;
	char *converted;

	if (!fm_graph_node_string(data, node, what, &string, &size))
		return false;
	if (!pg_verify_mbstr(PG_UTF8, (const char *) string, size, true))
		return false;
	converted = pg_any_to_server((const char *) string, size, PG_UTF8);
	*value = PointerGetDatum(converted == (const char *) string ? cstring_to_text_with_len(converted, size)
																: cstring_to_text(converted));
	return true;
}

uint32 *
fm_graph_starts(const FmGraph *graph, ArrayType *artifacts, ArrayType *executions, uint32 *n)
{
	uint32 *starts;
	ArrayType *arrays[2] = {executions, artifacts};
	int room = 0;

	for (int k = 0; k < 2; k++)
		if (arrays[k] != NULL)
			room += ArrayGetNItems(ARR_NDIM(arrays[k]), ARR_DIMS(arrays[k]));
	starts = palloc(Max(room, 1) * sizeof(uint32));
	*n = 0;
	for (int k = 1; k >= 0; k--)
	{
		Datum *values;
		bool *nulls;
		int n_values;

		if (arrays[k] == NULL)
			continue;
		deconstruct_array(arrays[k], INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls,
						  &n_values);
		for (int i = 0; i < n_values; i++)
		{
			uint32 node =
				nulls[i] ? FM_NO_NODE : fm_graph_find(graph, k ? FM_ARTIFACT : FM_EXECUTION, DatumGetInt64(values[i]));

			if (node != FM_NO_NODE)
				starts[(*n)++] = node;
		}
	}
	return starts;
}

void
fm_throw_cycle(const FmGraph *graph)
{
	uint32 *component = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) graph->n_nodes, 1) * sizeof(uint32));
	StringInfoData detail;
	int named = 0;

	fm_graph_cycles(graph, component);
	initStringInfo(&detail);
	for (uint32 i = 0; i < graph->n_nodes && named < 5; i++)
	{
		if (component[i] == 1)
			appendStringInfo(&detail, "%s%s %lld", named++ == 0 ? "" : ", ", fm_node_kind_name(graph->nodes[i].kind),
							 (long long) graph->nodes[i].id);
	}
	ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("lineage has a cycle, so it has no order"),
					errdetail("On a cycle are %s%s.", detail.data, named == 5 ? " and perhaps others" : ""),
					errhint("find_cycles() gives all of them.")));
}

/* ---- rows ---- */

/*
 * kind, id, type, name of a node, into values and nulls
 */
static void
NodeColumns(const FmGraphValue *value, uint32 node, Datum *values, bool *nulls)
{
	const FmGraphNode *n = &value->graph->nodes[node];

	values[0] = fm_kind_datum(n->kind);
	values[1] = Int64GetDatum(n->id);
	nulls[2] = !fm_graph_node_text(value->data, n, 't', &values[2]);
	nulls[3] = !fm_graph_node_text(value->data, n, 'n', &values[3]);
}

static ArrayType *
ArrayArgument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_ARRAYTYPE_P(n);
}

/*
 * The walk that the arguments of traverse_graph() ask for
 */
static FmLiveTraversal *
WalkGraph(FunctionCallInfo fcinfo, MemoryContext query_context)
{
	FmTraversalOptions options = {0};
	FmGraphValue value;
	FmGraphWalk walk;
	uint32 *starts;
	uint32 n_starts;
	FmLiveTraversal *live;
	MemoryContext old_context;

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("direction cannot be NULL")));
	options.direction = fm_parse_direction(PG_GETARG_TEXT_PP(1));
	options.max_hops = PG_ARGISNULL(4) ? -1 : PG_GETARG_INT64(4);
	if (!PG_ARGISNULL(4) && options.max_hops < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("number of hops cannot be negative"),
						errdetail("max_hops is %lld.", (long long) options.max_hops)));
	options.event_types = PG_ARGISNULL(5) ? FM_ALL_EVENTS : fm_parse_event_types(PG_GETARG_ARRAYTYPE_P(5));
	if (!PG_ARGISNULL(6))
	{
		options.has_before = true;
		options.before = fm_timestamp_to_milliseconds(PG_GETARG_TIMESTAMPTZ(6));
	}
	/* names are read from the bytes when they are asked for */
	old_context = MemoryContextSwitchTo(query_context);
	value = fm_open_graph(PG_GETARG_DATUM(0));
	starts = fm_graph_starts(value.graph, ArrayArgument(fcinfo, 2), ArrayArgument(fcinfo, 3), &n_starts);
	fm_graph_walk(value.graph, &options, starts, n_starts, &walk);
	live = fm_keep_graph_walk(value.data, value.graph, &walk, query_context);
	MemoryContextSwitchTo(old_context);
	return live;
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(traverse_graph);

/*
 * traverse_graph(graph lineage_graph, direction text, artifacts bigint[], executions bigint[], max_hops bigint,
 * event_types text[], before timestamptz) -> SETOF bigint, for traversed_id() and its like
 */
Datum
traverse_graph(PG_FUNCTION_ARGS)
{
	FmLiveTraversal *live = NULL;

	if (SRF_IS_FIRSTCALL() && !PG_ARGISNULL(0))
		live = WalkGraph(fcinfo, fm_walk_context(fcinfo));
	return fm_next_traversed(fcinfo, live);
}

/*
 * Rows (kind, id, type, name) of the nodes without an edge in one direction
 */
static void
PutEnds(FunctionCallInfo fcinfo, bool leaves)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	FmGraphValue value;

	InitMaterializedSRF(fcinfo, 0);
	value = fm_open_graph(PG_GETARG_DATUM(0));
	for (uint32 i = 0; i < value.graph->n_nodes; i++)
	{
		const FmGraphEdges *edges = leaves ? &value.graph->out : &value.graph->in;
		bool has_edge = false;
		Datum values[4];
		bool nulls[4] = {false};

		for (uint32 k = edges->start[i]; k < edges->start[i + 1] && !has_edge; k++)
			has_edge = value.graph->types[edges->event[k]] != 0;
		if (has_edge)
			continue;
		NodeColumns(&value, i, values, nulls);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_roots);

Datum
lineage_graph_roots(PG_FUNCTION_ARGS)
{
	PutEnds(fcinfo, false);
	return (Datum) 0;
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_leaves);

Datum
lineage_graph_leaves(PG_FUNCTION_ARGS)
{
	PutEnds(fcinfo, true);
	return (Datum) 0;
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_is_acyclic);

Datum
lineage_graph_is_acyclic(PG_FUNCTION_ARGS)
{
	FmGraphValue value = fm_open_graph(PG_GETARG_DATUM(0));
	uint32 *order = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) value.graph->n_nodes, 1) * sizeof(uint32));

	PG_RETURN_BOOL(fm_graph_order(value.graph, order) == value.graph->n_nodes);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_topological_order);

/*
 * topological_order(graph lineage_graph) -> (position bigint, kind text, id bigint, type text, name text)
 */
Datum
lineage_graph_topological_order(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	FmGraphValue value;
	uint32 *order;
	uint32 n;

	InitMaterializedSRF(fcinfo, 0);
	value = fm_open_graph(PG_GETARG_DATUM(0));
	order = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) value.graph->n_nodes, 1) * sizeof(uint32));
	n = fm_graph_order(value.graph, order);
	if (n < value.graph->n_nodes)
		fm_throw_cycle(value.graph);
	for (uint32 i = 0; i < n; i++)
	{
		Datum values[5] = {Int64GetDatum((int64) i + 1)};
		bool nulls[5] = {false};

		NodeColumns(&value, order[i], values + 1, nulls + 1);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * Rows (cycle, node ..) of the nodes on cycles
 */
static void
PutCycles(ReturnSetInfo *rsinfo, const FmGraphValue *value)
{
	const FmGraph *graph = value->graph;
	uint32 *component = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) graph->n_nodes, 1) * sizeof(uint32));
	uint32 n = fm_graph_cycles(graph, component);
	int n_columns = rsinfo->setDesc->natts;

	if (n == 0)
		return;
	for (uint32 i = 0; i < graph->n_nodes; i++)
	{
		Datum values[5] = {Int64GetDatum(component[i])};
		bool nulls[5] = {false};

		if (component[i] == 0)
			continue;
		if (n_columns == 5)
			NodeColumns(value, i, values + 1, nulls + 1);
		else
		{
			values[1] = fm_kind_datum(graph->nodes[i].kind);
			values[2] = Int64GetDatum(graph->nodes[i].id);
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_find_cycles);

/*
 * find_cycles(graph lineage_graph) -> (cycle bigint, kind text, id bigint, type text, name text)
 */
Datum
lineage_graph_find_cycles(PG_FUNCTION_ARGS)
{
	FmGraphValue value;

	InitMaterializedSRF(fcinfo, 0);
	value = fm_open_graph(PG_GETARG_DATUM(0));
	PutCycles((ReturnSetInfo *) fcinfo->resultinfo, &value);
	return (Datum) 0;
}

/* ---- the same over the tables ---- */

/*
 * All events of the store that the caller sees
 */
static FmGraph *
GraphOfStore(void)
{
	MemoryContext context = CurrentMemoryContext;
	FmGraph *graph = fm_graph_new();
	Portal portal;

	SPI_connect();
	{
		SPIPlanPtr plan = SPI_prepare("SELECT e.artifact_id, e.execution_id, e.type FROM mlmd.event e", 0, NULL);

		if (plan == NULL)
			elog(ERROR, "could not prepare a query for events: %s", SPI_result_code_string(SPI_result));
		portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	}
	do
	{
		SPI_cursor_fetch(portal, true, 10000);
		MemoryContextSwitchTo(context);
		CHECK_FOR_INTERRUPTS();
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			bool is_null;
			HeapTuple row = SPI_tuptable->vals[i];
			TupleDesc desc = SPI_tuptable->tupdesc;

			fm_graph_add_event(graph, DatumGetInt64(SPI_getbinval(row, desc, 1, &is_null)),
							   DatumGetInt64(SPI_getbinval(row, desc, 2, &is_null)),
							   DatumGetInt32(SPI_getbinval(row, desc, 3, &is_null)), false, 0);
		}
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
	SPI_finish();
	MemoryContextSwitchTo(context);
	fm_graph_finish(graph);
	return graph;
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_cycles);

/*
 * lineage_cycles() -> (cycle bigint, kind text, id bigint)
 */
Datum
lineage_cycles(PG_FUNCTION_ARGS)
{
	FmGraphValue value = {0};

	InitMaterializedSRF(fcinfo, 0);
	value.graph = GraphOfStore();
	PutCycles((ReturnSetInfo *) fcinfo->resultinfo, &value);
	return (Datum) 0;
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_order);

/*
 * lineage_order(direction text, artifacts bigint[], executions bigint[], max_hops bigint) -> (position bigint, kind
 * text, id bigint): the nodes that a walk reaches, in topological order; all nodes with events when no start is given
 */
Datum
lineage_order(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	FmGraph *graph;
	uint32 *order;
	uint32 n;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("direction cannot be NULL")));
	if (!PG_ARGISNULL(3) && PG_GETARG_INT64(3) < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("number of hops cannot be negative"),
						errdetail("max_hops is %lld.", (long long) PG_GETARG_INT64(3))));
	if (PG_ARGISNULL(1) && PG_ARGISNULL(2))
		graph = GraphOfStore();
	else
		graph = fm_graph_of_walk(fm_parse_direction(PG_GETARG_TEXT_PP(0)), ArrayArgument(fcinfo, 1),
								 ArrayArgument(fcinfo, 2), PG_ARGISNULL(3) ? -1 : PG_GETARG_INT64(3));
	order = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) graph->n_nodes, 1) * sizeof(uint32));
	n = fm_graph_order(graph, order);
	if (n < graph->n_nodes)
		fm_throw_cycle(graph);
	for (uint32 i = 0; i < n; i++)
	{
		const FmGraphNode *node = &graph->nodes[order[i]];
		Datum values[3] = {Int64GetDatum((int64) i + 1), fm_kind_datum(node->kind), Int64GetDatum(node->id)};
		bool nulls[3] = {false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
