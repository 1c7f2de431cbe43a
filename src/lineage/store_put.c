/*
 * The SQL functions that put nodes and edges: their arguments, in the terms of store_write.c
 */
#include "lineage/store.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(put_artifact);
PG_FUNCTION_INFO_V1(put_execution);
PG_FUNCTION_INFO_V1(put_context);
PG_FUNCTION_INFO_V1(put_event);
PG_FUNCTION_INFO_V1(put_lineage_subgraph);

/* ml_metadata.Event.Type */
#define EVENT_INPUT 3
#define EVENT_OUTPUT 4

static char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static JsonbContainer *
object_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	Jsonb *json;

	if (PG_ARGISNULL(n))
		return NULL;
	json = PG_GETARG_JSONB_P(n);
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("argument \"%s\" has to be a JSON object", name)));
	return &json->root;
}

static int64 *
ids_argument(FunctionCallInfo fcinfo, int n, const char *name, int *count)
{
	Datum *values;
	bool *nulls;
	int64 *ids;

	*count = 0;
	if (PG_ARGISNULL(n))
		return NULL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values,
					  &nulls, count);
	ids = palloc(sizeof(int64) * (*count + 1));
	for (int i = 0; i < *count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument \"%s\" must not hold NULL", name)));
		ids[i] = DatumGetInt64(values[i]);
	}
	return ids;
}

/* Where a function has the arguments that describe a node; -1: it has no such argument */
typedef struct NodeArguments
{
	int type;
	int type_version;
	int name;
	int uri;
	int state;
	int external_id;
	int properties;
	int custom_properties;
	int id;
	int last_update_time;
	int replace;
	int reuse;
} NodeArguments;

static void
node_arguments(FunctionCallInfo fcinfo, const NodeArguments *args, FmNode *node)
{
	if (!PG_ARGISNULL(args->id))
	{
		node->id = PG_GETARG_INT64(args->id);
		if (node->id <= 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("id of a stored %s must be positive", fm_kind_name(node->kind))));
		if (!PG_ARGISNULL(args->last_update_time))
			node->last_update_time = PG_GETARG_INT64(args->last_update_time);
	}
	node->type = text_argument(fcinfo, args->type);
	node->type_version = text_argument(fcinfo, args->type_version);
	node->name = text_argument(fcinfo, args->name);
	node->external_id = text_argument(fcinfo, args->external_id);
	if (args->uri >= 0)
		node->uri = text_argument(fcinfo, args->uri);
	if (args->state >= 0 && !PG_ARGISNULL(args->state))
		node->state = fm_state_number(node->kind, text_argument(fcinfo, args->state), NULL);
	node->properties = object_argument(fcinfo, args->properties, "properties");
	node->custom_properties = object_argument(fcinfo, args->custom_properties, "custom_properties");
	node->replace = !PG_ARGISNULL(args->replace) && PG_GETARG_BOOL(args->replace);
	if (!PG_ARGISNULL(args->reuse) && PG_GETARG_BOOL(args->reuse))
		node->reuse = FM_REUSE_UPDATE;
}

static int64
put_one(FunctionCallInfo fcinfo, FmNodeKind kind, const NodeArguments *args)
{
	FmTypes types = {NULL};
	FmNode node;

	fm_node_init(&node, kind, NULL);
	node_arguments(fcinfo, args, &node);
	SPI_connect();
	fm_check_references(&node, 1);
	fm_put_nodes(&types, &node, 1, fm_store_now());
	SPI_finish();
	return node.id;
}

/*
 * put_artifact(type, uri, name, properties, custom_properties, state, external_id, id, type_version,
 * last_update_time_since_epoch, replace, reuse) -> id
 */
Datum
put_artifact(PG_FUNCTION_ARGS)
{
	static const NodeArguments args = {.type = 0,
									   .uri = 1,
									   .name = 2,
									   .properties = 3,
									   .custom_properties = 4,
									   .state = 5,
									   .external_id = 6,
									   .id = 7,
									   .type_version = 8,
									   .last_update_time = 9,
									   .replace = 10,
									   .reuse = 11};

	PG_RETURN_INT64(put_one(fcinfo, FM_ARTIFACT, &args));
}

/*
 * put_context(type, name, properties, custom_properties, external_id, id, type_version, last_update_time_since_epoch,
 * replace, reuse) -> id
 */
Datum
put_context(PG_FUNCTION_ARGS)
{
	static const NodeArguments args = {.type = 0,
									   .uri = -1,
									   .name = 1,
									   .properties = 2,
									   .custom_properties = 3,
									   .state = -1,
									   .external_id = 4,
									   .id = 5,
									   .type_version = 6,
									   .last_update_time = 7,
									   .replace = 8,
									   .reuse = 9};

	PG_RETURN_INT64(put_one(fcinfo, FM_CONTEXT, &args));
}

/* ---------------------------------------------------------------------------------------------------------------- */
/* Lists of nodes in jsonb */

/* Nodes of one kind with their events, as they are gathered from arguments */
typedef struct NodeList
{
	FmNodeKind kind;
	int n;
	int room;
	FmNode *nodes;
	FmEvent *events;
} NodeList;

static void
list_append(NodeList *list, const char *place, int event_type, FmNode **node, FmEvent **event)
{
	if (list->n == list->room)
	{
		list->room = list->room == 0 ? 8 : list->room * 2;
		list->nodes =
			list->nodes ? repalloc(list->nodes, sizeof(FmNode) * list->room) : palloc(sizeof(FmNode) * list->room);
		list->events =
			list->events ? repalloc(list->events, sizeof(FmEvent) * list->room) : palloc(sizeof(FmEvent) * list->room);
	}
	*node = &list->nodes[list->n];
	*event = &list->events[list->n++];
	fm_node_init(*node, list->kind, place);
	fm_event_init(*event, event_type);
}

/* Appends a JSON array of nodes; name is what the array is called in errors */
static void
list_append_json(NodeList *list, JsonbContainer *json, const char *name, int event_type, FmReuse reuse)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue item;
	int i = 0;

	if (!JsonContainerIsArray(json) || JsonContainerIsScalar(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" has to be a JSON array of objects", name)));
	it = JsonbIteratorInit(json);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		FmNode *node;
		FmEvent *event;

		CHECK_FOR_INTERRUPTS();
		if (token != WJB_ELEM)
			continue;
		list_append(list, psprintf("%s[%d]", name, i++), event_type, &node, &event);
		node->reuse = reuse;
		fm_node_from_json(&item, node, event_type ? event : NULL);
	}
}

static void
list_append_argument(NodeList *list, FunctionCallInfo fcinfo, int n, const char *name, int event_type, FmReuse reuse)
{
	if (!PG_ARGISNULL(n))
		list_append_json(list, &PG_GETARG_JSONB_P(n)->root, name, event_type, reuse);
}

static void
list_append_ids(NodeList *list, FunctionCallInfo fcinfo, int n, const char *name, int event_type)
{
	int count;
	int64 *ids = ids_argument(fcinfo, n, name, &count);

	for (int i = 0; i < count; i++)
	{
		FmNode *node;
		FmEvent *event;

		list_append(list, name, event_type, &node, &event);
		node->id = ids[i];
	}
}

static int64 *
list_ids(const NodeList *list)
{
	int64 *ids = palloc(sizeof(int64) * (list->n + 1));

	for (int i = 0; i < list->n; i++)
		ids[i] = list->nodes[i].id;
	return ids;
}

/*
 * put_execution(type, inputs, outputs, contexts, name, properties, custom_properties, state, external_id, new_inputs,
 * new_outputs, new_contexts, id, type_version, last_update_time_since_epoch, replace, reuse) -> id
 */
Datum
put_execution(PG_FUNCTION_ARGS)
{
	static const NodeArguments args = {.type = 0,
									   .uri = -1,
									   .name = 4,
									   .properties = 5,
									   .custom_properties = 6,
									   .state = 7,
									   .external_id = 8,
									   .id = 12,
									   .type_version = 13,
									   .last_update_time = 14,
									   .replace = 15,
									   .reuse = 16};
	FmTypes types = {NULL};
	FmNode execution;
	NodeList artifacts = {.kind = FM_ARTIFACT};
	NodeList contexts = {.kind = FM_CONTEXT};
	int64 now = fm_store_now();
	int64 *context_ids;

	fm_node_init(&execution, FM_EXECUTION, NULL);
	node_arguments(fcinfo, &args, &execution);
	SPI_connect();
	list_append_ids(&artifacts, fcinfo, 1, "inputs", EVENT_INPUT);
	list_append_argument(&artifacts, fcinfo, 9, "new_inputs", EVENT_INPUT, execution.reuse);
	list_append_ids(&artifacts, fcinfo, 2, "outputs", EVENT_OUTPUT);
	list_append_argument(&artifacts, fcinfo, 10, "new_outputs", EVENT_OUTPUT, execution.reuse);
	list_append_ids(&contexts, fcinfo, 3, "contexts", 0);
	list_append_argument(&contexts, fcinfo, 11, "new_contexts", 0, FM_REUSE_KEEP);

	fm_check_references(&execution, 1);
	fm_put_nodes(&types, contexts.nodes, contexts.n, now);
	fm_put_nodes(&types, artifacts.nodes, artifacts.n, now);
	fm_put_nodes(&types, &execution, 1, now);
	for (int i = 0; i < artifacts.n; i++)
	{
		FmEvent *event = &artifacts.events[i];

		if ((event->artifact_id != 0 && event->artifact_id != artifacts.nodes[i].id) ||
			(event->execution_id != 0 && event->execution_id != execution.id))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("event of another artifact or execution"),
							errdetail("It is in %s.", artifacts.nodes[i].place)));
		event->artifact_id = artifacts.nodes[i].id;
		event->execution_id = execution.id;
	}
	fm_put_events(artifacts.events, artifacts.n, now);
	context_ids = list_ids(&contexts);
	fm_put_links(FM_EXECUTION, context_ids, contexts.n, &execution.id, 1);
	fm_put_links(FM_ARTIFACT, context_ids, contexts.n, list_ids(&artifacts), artifacts.n);
	SPI_finish();
	PG_RETURN_INT64(execution.id);
}

/*
 * put_event(artifact, execution, type, path, milliseconds_since_epoch) -> event id
 */
Datum
put_event(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr find = NULL;
	static const Oid types[] = {INT8OID, INT8OID, INT4OID};
	FmEvent event;
	Datum values[3];
	bool isnull;
	int64 id;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("an event needs an artifact, an execution and a type")));
	fm_event_init(&event, fm_event_type_number(text_argument(fcinfo, 2), NULL));
	event.artifact_id = PG_GETARG_INT64(0);
	event.execution_id = PG_GETARG_INT64(1);
	if (!PG_ARGISNULL(3))
		fm_event_path_from_json(&PG_GETARG_JSONB_P(3)->root, "argument", &event);
	if (!PG_ARGISNULL(4))
		event.time = PG_GETARG_INT64(4);
	SPI_connect();
	fm_put_events(&event, 1, fm_store_now());
	values[0] = Int64GetDatum(event.artifact_id);
	values[1] = Int64GetDatum(event.execution_id);
	values[2] = Int32GetDatum(event.type);
	fm_store_execute(&find, "SELECT id FROM mlmd.event WHERE artifact_id = $1 AND execution_id = $2 AND type = $3", 3,
					 types, values, NULL, 1);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("event was removed by another transaction")));
	id = fm_result_int64(0, 1, &isnull);
	SPI_finish();
	PG_RETURN_INT64(id);
}

/* ---------------------------------------------------------------------------------------------------------------- */

/*
 * {"execution_index": 0, "artifact_index": 1, "event": {..}}: an event between nodes of the call, or stored ones that
 * the event names
 */
static void
append_edge(const JsonbValue *json, int i, NodeList *artifacts, NodeList *executions, FmEvent *event)
{
	const char *place = psprintf("event_edges[%d]", i);
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue item;
	int64 indexes[2] = {-1, -1};
	NodeList *lists[2] = {artifacts, executions};
	int64 *ids[2] = {&event->artifact_id, &event->execution_id};

	if (json->type != jbvBinary || !JsonContainerIsObject(json->val.binary.data))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s has to be an object", place)));
	it = JsonbIteratorInit(json->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		char *field;
		int which;

		if (token != WJB_KEY)
			continue;
		field = pnstrdup(item.val.string.val, item.val.string.len);
		JsonbIteratorNext(&it, &item, true);
		which = strcmp(field, "artifact_index") == 0 ? 0 : strcmp(field, "execution_index") == 0 ? 1 : -1;
		if (strcmp(field, "event") == 0)
			fm_event_from_json(&item, place, event);
		else if (which < 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s has no field \"%s\"", place, field)));
		else if (item.type != jbvNull)
		{
			indexes[which] = fm_json_int64(&item, place, field);
			if (indexes[which] < 0 || indexes[which] >= lists[which]->n)
				ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
								errmsg("\"%s\" of %s is " INT64_FORMAT ", there are %d", field, place, indexes[which],
									   lists[which]->n)));
		}
	}
	for (int which = 0; which < 2; which++)
	{
		int64 id = indexes[which] < 0 ? 0 : lists[which]->nodes[indexes[which]].id;

		if (id == 0 && *ids[which] == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("%s names no %s", place, which == 0 ? "artifact" : "execution")));
		if (id != 0 && *ids[which] != 0 && *ids[which] != id)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("%s names two %ss", place, which == 0 ? "artifact" : "execution")));
		if (id != 0)
			*ids[which] = id;
	}
}

Datum
fm_put_node_ids(const FmNode *nodes, int n)
{
	Datum *values = palloc(sizeof(Datum) * (n + 1));

	for (int i = 0; i < n; i++)
		values[i] = Int64GetDatum(nodes[i].id);
	return PointerGetDatum(construct_array(values, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * put_lineage_subgraph(jsonb, reuse) -> (execution_ids, artifact_ids, context_ids)
 *
 * The argument is an ml_metadata.PutLineageSubgraphRequest as JSON: executions, artifacts, contexts, event_edges.
 */
Datum
put_lineage_subgraph(PG_FUNCTION_ARGS)
{
	Jsonb *json = PG_GETARG_JSONB_P(0);
	FmReuse reuse = PG_GETARG_BOOL(1) ? FM_REUSE_UPDATE : FM_REUSE_NO;
	FmTypes types = {NULL};
	NodeList lists[FM_NODE_KINDS] = {{.kind = FM_EXECUTION}, {.kind = FM_ARTIFACT}, {.kind = FM_CONTEXT}};
	static const char *const names[] = {"executions", "artifacts", "contexts"};
	JsonbContainer *edges = NULL;
	int64 now = fm_store_now();
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue item;
	Datum values[3];
	bool nulls[3] = {false, false, false};
	TupleDesc desc;
	HeapTuple result;
	MemoryContext caller = CurrentMemoryContext;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a lineage subgraph has to be a JSON object")));
	SPI_connect();
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		char *field;
		int kind;

		if (token != WJB_KEY)
			continue;
		field = pnstrdup(item.val.string.val, item.val.string.len);
		JsonbIteratorNext(&it, &item, true);
		for (kind = 0; kind < FM_NODE_KINDS && strcmp(field, names[kind]) != 0; kind++)
			;
		if (kind == FM_NODE_KINDS && strcmp(field, "event_edges") != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a lineage subgraph has no field \"%s\"", field),
					 errhint("Fields are executions, artifacts, contexts and event_edges.")));
		if (item.type != jbvBinary || !JsonContainerIsArray(item.val.binary.data))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("\"%s\" has to be a JSON array of objects", field)));
		if (kind == FM_NODE_KINDS)
			edges = item.val.binary.data;
		else
			list_append_json(&lists[kind], item.val.binary.data, names[kind], 0,
							 kind == FM_CONTEXT ? FM_REUSE_KEEP : reuse);
	}
	for (int kind = 0; kind < FM_NODE_KINDS; kind++)
		fm_check_references(lists[kind].nodes, lists[kind].n);
	fm_put_nodes(&types, lists[FM_CONTEXT].nodes, lists[FM_CONTEXT].n, now);
	fm_put_nodes(&types, lists[FM_ARTIFACT].nodes, lists[FM_ARTIFACT].n, now);
	fm_put_nodes(&types, lists[FM_EXECUTION].nodes, lists[FM_EXECUTION].n, now);
	if (edges != NULL)
	{
		FmEvent *events = palloc(sizeof(FmEvent) * (JsonContainerSize(edges) + 1));
		int n = 0;

		it = JsonbIteratorInit(edges);
		while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
		{
			CHECK_FOR_INTERRUPTS();
			if (token != WJB_ELEM)
				continue;
			fm_event_init(&events[n], 0);
			append_edge(&item, n, &lists[FM_ARTIFACT], &lists[FM_EXECUTION], &events[n]);
			n++;
		}
		fm_put_events(events, n, now);
	}
	for (int kind = FM_EXECUTION; kind <= FM_ARTIFACT; kind++)
		fm_put_links(kind, list_ids(&lists[FM_CONTEXT]), lists[FM_CONTEXT].n, list_ids(&lists[kind]), lists[kind].n);

	MemoryContextSwitchTo(caller);
	for (int kind = 0; kind < FM_NODE_KINDS; kind++)
		values[kind] = fm_put_node_ids(lists[kind].nodes, lists[kind].n);
	result = heap_form_tuple(BlessTupleDesc(desc), values, nulls);
	SPI_finish();
	PG_RETURN_DATUM(HeapTupleGetDatum(result));
}
