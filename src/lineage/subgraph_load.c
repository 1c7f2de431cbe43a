/*
 * Reading a subgraph from the tables of MLMD into a message
 *
 * A query each for nodes, properties, paths of events, contexts and types, whatever the number of nodes. Rows come in the
 * order of ids, so properties and paths find their owner by walking along.
 */
#include "lineage/subgraph_load.h"

#include "fm_compat.h"

#include "catalog/pg_type.h"
#include "common/base64.h"
#include "executor/spi.h"
#include "lineage/filter.h"
#include "lineage/kept_plan.h"
#include "lineage/lineage_query.h"
#include "mb/pg_wchar.h"
#include "message/message.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define STRUCT_PREFIX "mlmd-struct::"

/* The entries of all property maps look alike */
typedef Mlmd__Artifact__PropertiesEntry PropertyEntry;
typedef Mlmd__ArtifactType__PropertiesEntry TypeEntry;
StaticAssertDecl(sizeof(Mlmd__Execution__CustomPropertiesEntry) == sizeof(PropertyEntry) &&
					 offsetof(Mlmd__Context__CustomPropertiesEntry, value) == offsetof(PropertyEntry, value),
				 "property entries differ");
StaticAssertDecl(sizeof(Mlmd__ContextType__PropertiesEntry) == sizeof(TypeEntry), "type property entries differ");

/* A node of any kind, by where its parts are */
typedef struct NodeParts
{
	int64 id;
	size_t *n_properties;
	PropertyEntry ***properties;
	size_t *n_custom_properties;
	PropertyEntry ***custom_properties;
} NodeParts;

typedef struct Loader
{
	const FmSubgraphIds *ids;
	Mlmd__LineageGraph *graph;
} Loader;

/* ---- rows ---- */

/*
 * Runs a query with $1 the time and $2 an array of ids. In it, {x} stands for table x of MLMD.
 */
static void
RunQuery(const Loader *loader, const char *query, const int64 *ids, int n)
{
	MemoryContext context = CurrentMemoryContext;
	StringInfoData sql;
	Oid types[2] = {TIMESTAMPTZOID, INT8ARRAYOID};
	Datum values[2] = {TimestampTzGetDatum(loader->ids->as_of), PointerGetDatum(fm_int64_array(ids, n))};

	initStringInfo(&sql);
	for (const char *p = query; *p != '\0'; p++)
	{
		const char *end;

		if (*p != '{')
		{
			appendStringInfoChar(&sql, *p);
			continue;
		}
		end = strchr(p, '}');
		if (loader->ids->has_as_of)
			appendStringInfoString(&sql, fm_relation_as_of(pnstrdup(p + 1, end - p - 1)));
		else
			appendStringInfo(&sql, "mlmd.%.*s", (int) (end - p - 1), p + 1);
		p = end;
	}
	if (n <= FM_KEPT_PLAN_NODES)
		fm_execute_kept(sql.data, 2, types, values, true, NULL);
	else if (SPI_execute_with_args(sql.data, 2, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "unexpected result of a query for a subgraph");
	/* SPI leaves its own, which goes with SPI_finish */
	MemoryContextSwitchTo(context);
	pfree(sql.data);
	pfree(DatumGetPointer(values[1]));
}

static int64
IntField(uint64 row, int column, protobuf_c_boolean *has)
{
	bool is_null;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);

	if (has)
		*has = !is_null;
	return is_null ? 0 : DatumGetInt64(value);
}

/*
 * A string as the message has it: UTF-8, NULL for NULL
 */
static char *
TextField(uint64 row, int column)
{
	bool is_null;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);
	char *string;

	if (is_null)
		return NULL;
	string = TextDatumGetCString(value);
	return pg_server_to_any(string, strlen(string), PG_UTF8);
}

static void *
AllocArray(uint64 n)
{
	return palloc(Max(n, 1) * sizeof(void *));
}

/* ---- properties ---- */

/*
 * The google.protobuf.Struct of a STRUCT property; NULL when the string is not one
 */
static Gpb__Struct *
StructOfString(const char *string)
{
	const char *base64 = string + strlen(STRUCT_PREFIX);
	int room;
	uint8 *bytes;
	int size;
	FmError error = {0};

	if (strncmp(string, STRUCT_PREFIX, strlen(STRUCT_PREFIX)) != 0)
		return NULL;
	room = pg_b64_dec_len(strlen(base64));
	bytes = palloc(room + 1);
	size = pg_b64_decode(base64, strlen(base64), (void *) bytes, room);
	return size < 0 ? NULL : (Gpb__Struct *) fm_message_unpack(&gpb__struct__descriptor, bytes, size, &error);
}

/*
 * The value in the columns of a row from column on: int, double, string, proto, bool; NULL when none is there
 */
static Mlmd__Value *
ValueOfRow(uint64 row, int column)
{
	Mlmd__Value *value = FM_NEW(Mlmd__Value, mlmd__value);
	bool is_null;
	Datum datum;
	char *string;

	datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);
	if (!is_null)
	{
		value->value_case = MLMD__VALUE__VALUE_INT_VALUE;
		value->int_value = DatumGetInt64(datum);
		return value;
	}
	datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1, &is_null);
	if (!is_null)
	{
		value->value_case = MLMD__VALUE__VALUE_DOUBLE_VALUE;
		value->double_value = DatumGetFloat8(datum);
		return value;
	}
	if ((string = TextField(row, column + 2)) != NULL)
	{
		Gpb__Struct *message = StructOfString(string);

		if (message != NULL)
		{
			value->value_case = MLMD__VALUE__VALUE_STRUCT_VALUE;
			value->struct_value = message;
		}
		else
		{
			value->value_case = MLMD__VALUE__VALUE_STRING_VALUE;
			value->string_value = string;
		}
		return value;
	}
	datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 3, &is_null);
	if (!is_null)
	{
		bytea *bytes = DatumGetByteaPP(datum);
		FmError error = {0};
		Gpb__Any *any = (Gpb__Any *) fm_message_unpack(&gpb__any__descriptor, (const uint8 *) VARDATA_ANY(bytes),
													   VARSIZE_ANY_EXHDR(bytes), &error);

		if (any == NULL)
			return NULL;
		value->value_case = MLMD__VALUE__VALUE_PROTO_VALUE;
		value->proto_value = any;
		return value;
	}
	datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 4, &is_null);
	if (is_null)
		return NULL;
	value->value_case = MLMD__VALUE__VALUE_BOOL_VALUE;
	value->bool_value = DatumGetBool(datum);
	return value;
}

/*
 * Rows (node, is custom, name, values ..) in the order of the nodes -> the maps of the nodes
 */
static void
LoadProperties(const Loader *loader, FmNodeKind kind, NodeParts *nodes, int n_nodes,
			   const ProtobufCMessageDescriptor *properties, const ProtobufCMessageDescriptor *custom_properties)
{
	const char *name = fm_node_kind_name(kind);
	int64 *ids = palloc(Max(n_nodes, 1) * sizeof(int64));
	int node = 0;
	uint64 row = 0;

	for (int i = 0; i < n_nodes; i++)
		ids[i] = nodes[i].id;
	RunQuery(loader,
			 psprintf("SELECT p.%s_id, p.is_custom_property, p.name, p.int_value, p.double_value, p.string_value, p.proto_value, "
					  "p.bool_value FROM {%sproperty} p WHERE p.%s_id OPERATOR(pg_catalog.=) ANY ($2) ORDER BY 1, 2, p.name COLLATE "
					  "pg_catalog.\"C\"",
					  name, name, name),
			 ids, n_nodes);
	while (row < SPI_processed)
	{
		int64 id = IntField(row, 1, NULL);
		uint64 end = row;

		CHECK_FOR_INTERRUPTS();
		while (end < SPI_processed && IntField(end, 1, NULL) == id)
			end++;
		while (node < n_nodes && nodes[node].id < id)
			node++;
		if (node < n_nodes && nodes[node].id == id)
		{
			*nodes[node].properties = AllocArray(end - row);
			*nodes[node].custom_properties = AllocArray(end - row);
			for (; row < end; row++)
			{
				bool is_null;
				bool custom = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 2, &is_null));
				PropertyEntry *entry = (PropertyEntry *) fm_message_new(custom ? custom_properties : properties);

				entry->key = TextField(row, 3);
				entry->value = ValueOfRow(row, 4);
				if (entry->value == NULL)
					continue;
				if (custom)
					(*nodes[node].custom_properties)[(*nodes[node].n_custom_properties)++] = entry;
				else
					(*nodes[node].properties)[(*nodes[node].n_properties)++] = entry;
			}
		}
		row = end;
	}
	SPI_freetuptable(SPI_tuptable);
}

/* ---- nodes ---- */

#define NODE_PARTS(node) \
	((NodeParts){(node)->id, &(node)->n_properties, (PropertyEntry ***) &(node)->properties, &(node)->n_custom_properties, \
				 (PropertyEntry ***) &(node)->custom_properties})

static void
LoadArtifacts(Loader *loader)
{
	Mlmd__LineageGraph *graph = loader->graph;
	NodeParts *parts;

	RunQuery(loader,
			 "SELECT n.id, n.type_id, n.uri, n.state::pg_catalog.int8, n.name, t.name, n.create_time_since_epoch, "
			 "n.last_update_time_since_epoch, n.external_id FROM {artifact} n JOIN mlmd.type t ON t.id OPERATOR(pg_catalog.=) n.type_id "
			 "WHERE n.id OPERATOR(pg_catalog.=) ANY ($2) ORDER BY 1",
			 loader->ids->artifacts, loader->ids->n_artifacts);
	graph->artifacts = AllocArray(SPI_processed);
	parts = palloc(Max(SPI_processed, 1) * sizeof(NodeParts));
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		Mlmd__Artifact *node = FM_NEW(Mlmd__Artifact, mlmd__artifact);

		node->id = IntField(row, 1, &node->has_id);
		node->type_id = IntField(row, 2, &node->has_type_id);
		node->uri = TextField(row, 3);
		node->state = IntField(row, 4, &node->has_state);
		node->name = TextField(row, 5);
		node->type = TextField(row, 6);
		node->create_time_since_epoch = IntField(row, 7, &node->has_create_time_since_epoch);
		node->last_update_time_since_epoch = IntField(row, 8, &node->has_last_update_time_since_epoch);
		node->external_id = TextField(row, 9);
		parts[row] = NODE_PARTS(node);
		graph->artifacts[graph->n_artifacts++] = node;
	}
	SPI_freetuptable(SPI_tuptable);
	LoadProperties(loader, FM_ARTIFACT, parts, graph->n_artifacts, &mlmd__artifact__properties_entry__descriptor,
				   &mlmd__artifact__custom_properties_entry__descriptor);
}

static void
LoadExecutions(Loader *loader)
{
	Mlmd__LineageGraph *graph = loader->graph;
	NodeParts *parts;

	RunQuery(loader,
			 "SELECT n.id, n.type_id, n.last_known_state::pg_catalog.int8, n.name, t.name, n.create_time_since_epoch, "
			 "n.last_update_time_since_epoch, n.external_id FROM {execution} n JOIN mlmd.type t ON t.id OPERATOR(pg_catalog.=) "
			 "n.type_id WHERE n.id OPERATOR(pg_catalog.=) ANY ($2) ORDER BY 1",
			 loader->ids->executions, loader->ids->n_executions);
	graph->executions = AllocArray(SPI_processed);
	parts = palloc(Max(SPI_processed, 1) * sizeof(NodeParts));
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		Mlmd__Execution *node = FM_NEW(Mlmd__Execution, mlmd__execution);

		node->id = IntField(row, 1, &node->has_id);
		node->type_id = IntField(row, 2, &node->has_type_id);
		node->last_known_state = IntField(row, 3, &node->has_last_known_state);
		node->name = TextField(row, 4);
		node->type = TextField(row, 5);
		node->create_time_since_epoch = IntField(row, 6, &node->has_create_time_since_epoch);
		node->last_update_time_since_epoch = IntField(row, 7, &node->has_last_update_time_since_epoch);
		node->external_id = TextField(row, 8);
		parts[row] = NODE_PARTS(node);
		graph->executions[graph->n_executions++] = node;
	}
	SPI_freetuptable(SPI_tuptable);
	LoadProperties(loader, FM_EXECUTION, parts, graph->n_executions, &mlmd__execution__properties_entry__descriptor,
				   &mlmd__execution__custom_properties_entry__descriptor);
}

static int
CompareIds(const void *a, const void *b)
{
	int64 left = *(const int64 *) a;
	int64 right = *(const int64 *) b;

	return left < right ? -1 : left > right;
}

/*
 * Sorts ids and drops those that come twice; gives the number left
 */
static int
UniqueIds(int64 *ids, int n)
{
	int kept = 0;

	qsort(ids, n, sizeof(int64), CompareIds);
	for (int i = 0; i < n; i++)
		if (kept == 0 || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	return kept;
}

/*
 * Attributions and associations of the nodes, and their contexts
 */
static void
LoadContexts(Loader *loader)
{
	Mlmd__LineageGraph *graph = loader->graph;
	int64 *ids = palloc(Max(graph->n_artifacts + graph->n_executions, 1) * sizeof(int64));
	int64 *contexts;
	int n_contexts = 0;
	NodeParts *parts;

	for (size_t i = 0; i < graph->n_artifacts; i++)
		ids[i] = graph->artifacts[i]->id;
	RunQuery(loader,
			 "SELECT l.artifact_id, l.context_id FROM {attribution} l WHERE l.artifact_id OPERATOR(pg_catalog.=) ANY ($2) ORDER BY l.id", ids,
			 graph->n_artifacts);
	graph->attributions = AllocArray(SPI_processed);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		Mlmd__Attribution *link = FM_NEW(Mlmd__Attribution, mlmd__attribution);

		link->artifact_id = IntField(row, 1, &link->has_artifact_id);
		link->context_id = IntField(row, 2, &link->has_context_id);
		graph->attributions[graph->n_attributions++] = link;
	}
	SPI_freetuptable(SPI_tuptable);

	for (size_t i = 0; i < graph->n_executions; i++)
		ids[i] = graph->executions[i]->id;
	RunQuery(loader,
			 "SELECT l.execution_id, l.context_id FROM {association} l WHERE l.execution_id OPERATOR(pg_catalog.=) ANY ($2) ORDER BY l.id", ids,
			 graph->n_executions);
	graph->associations = AllocArray(SPI_processed);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		Mlmd__Association *link = FM_NEW(Mlmd__Association, mlmd__association);

		link->execution_id = IntField(row, 1, &link->has_execution_id);
		link->context_id = IntField(row, 2, &link->has_context_id);
		graph->associations[graph->n_associations++] = link;
	}
	SPI_freetuptable(SPI_tuptable);

	contexts = palloc(Max(graph->n_attributions + graph->n_associations, 1) * sizeof(int64));
	for (size_t i = 0; i < graph->n_attributions; i++)
		contexts[n_contexts++] = graph->attributions[i]->context_id;
	for (size_t i = 0; i < graph->n_associations; i++)
		contexts[n_contexts++] = graph->associations[i]->context_id;
	n_contexts = UniqueIds(contexts, n_contexts);
	RunQuery(loader,
			 "SELECT n.id, n.type_id, n.name, t.name, n.create_time_since_epoch, n.last_update_time_since_epoch, n.external_id "
			 "FROM {context} n JOIN mlmd.type t ON t.id OPERATOR(pg_catalog.=) n.type_id WHERE n.id OPERATOR(pg_catalog.=) ANY ($2) ORDER BY 1",
			 contexts, n_contexts);
	graph->contexts = AllocArray(SPI_processed);
	parts = palloc(Max(SPI_processed, 1) * sizeof(NodeParts));
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		Mlmd__Context *node = FM_NEW(Mlmd__Context, mlmd__context);

		node->id = IntField(row, 1, &node->has_id);
		node->type_id = IntField(row, 2, &node->has_type_id);
		node->name = TextField(row, 3);
		node->type = TextField(row, 4);
		node->create_time_since_epoch = IntField(row, 5, &node->has_create_time_since_epoch);
		node->last_update_time_since_epoch = IntField(row, 6, &node->has_last_update_time_since_epoch);
		node->external_id = TextField(row, 7);
		parts[row] = NODE_PARTS(node);
		graph->contexts[graph->n_contexts++] = node;
	}
	SPI_freetuptable(SPI_tuptable);
	LoadProperties(loader, FM_CONTEXT, parts, graph->n_contexts, &mlmd__context__properties_entry__descriptor,
				   &mlmd__context__custom_properties_entry__descriptor);
}

/* ---- events ---- */

static int
CompareEvents(const void *a, const void *b)
{
	int64 left = ((const FmEvent *) a)->id;
	int64 right = ((const FmEvent *) b)->id;

	return left < right ? -1 : left > right;
}

/*
 * The walk has read the events; what they lack is their paths
 */
static void
LoadEvents(Loader *loader)
{
	Mlmd__LineageGraph *graph = loader->graph;
	int n = loader->ids->n_events;
	FmEvent *events = MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(FmEvent));
	int64 *ids = MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(int64));
	size_t event = 0;

	if (n > 0)
		memcpy(events, loader->ids->events, n * sizeof(FmEvent));
	qsort(events, n, sizeof(FmEvent), CompareEvents);
	graph->events = AllocArray(n);
	for (int i = 0; i < n; i++)
	{
		Mlmd__Event *message;

		if (i > 0 && events[i].id == events[i - 1].id)
			continue;
		message = FM_NEW(Mlmd__Event, mlmd__event);
		message->has_artifact_id = message->has_execution_id = message->has_type = true;
		message->artifact_id = events[i].artifact_id;
		message->execution_id = events[i].execution_id;
		message->type = events[i].type;
		message->has_milliseconds_since_epoch = events[i].has_time;
		message->milliseconds_since_epoch = events[i].milliseconds;
		ids[graph->n_events] = events[i].id;
		graph->events[graph->n_events++] = message;
	}

	/* steps in the order they were put, which is that of the rows in the table */
	RunQuery(loader,
			 loader->ids->has_as_of
				 ? "SELECT p.event_id, p.is_index_step, p.step_index::pg_catalog.int8, p.step_key FROM {eventpath} p WHERE p.event_id "
				   "OPERATOR(pg_catalog.=) ANY ($2) ORDER BY p.event_id"
				 : "SELECT p.event_id, p.is_index_step, p.step_index::pg_catalog.int8, p.step_key FROM {eventpath} p WHERE p.event_id "
				   "OPERATOR(pg_catalog.=) ANY ($2) ORDER BY p.event_id, p.ctid",
			 ids, graph->n_events);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		int64 id = IntField(row, 1, NULL);
		bool is_null;
		Mlmd__Event__Path__Step *step = FM_NEW(Mlmd__Event__Path__Step, mlmd__event__path__step);

		while (event < graph->n_events && ids[event] < id)
			event++;
		if (event == graph->n_events || ids[event] != id)
			continue;
		if (DatumGetBool(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 2, &is_null)))
		{
			step->value_case = MLMD__EVENT__PATH__STEP__VALUE_INDEX;
			step->index = IntField(row, 3, NULL);
		}
		else
		{
			step->value_case = MLMD__EVENT__PATH__STEP__VALUE_KEY;
			step->key = TextField(row, 4);
			if (step->key == NULL)
				step->key = "";
		}
		if (graph->events[event]->path == NULL)
			graph->events[event]->path = FM_NEW(Mlmd__Event__Path, mlmd__event__path);
		FM_APPEND(graph->events[event]->path->n_steps, graph->events[event]->path->steps, step);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* ---- types ---- */

/*
 * The signature of an execution type, which the table has as JSON; NULL when it has none or one that cannot be read
 */
static Mlmd__ArtifactStructType *
StructType(char *json)
{
	FmError error = {0};

	return json == NULL ? NULL
						: (Mlmd__ArtifactStructType *) fm_message_parse_json(&mlmd__artifact_struct_type__descriptor, json,
																			  strlen(json), &error);
}

/*
 * The types of a kind that the nodes have. As with the client, only execution types come with their base type.
 */
static void
LoadTypes(Loader *loader, FmNodeKind kind, int64 *ids, int n)
{
	Mlmd__LineageGraph *graph = loader->graph;
	const ProtobufCMessageDescriptor *entry_descriptor = kind == FM_ARTIFACT   ? &mlmd__artifact_type__properties_entry__descriptor
														 : kind == FM_EXECUTION ? &mlmd__execution_type__properties_entry__descriptor
																				: &mlmd__context_type__properties_entry__descriptor;
	TypeEntry ****entries;
	size_t **counts;
	size_t type = 0;
	size_t n_types;

	n = UniqueIds(ids, n);
	/* the base types are MLMD's own, whose numbers in the protocol are these */
	RunQuery(loader,
			 "SELECT t.id, t.name, t.version, t.description, t.external_id, t.input_type, t.output_type, (SELECT CASE b.name WHEN "
			 "'mlmd.Train' THEN 1 WHEN 'mlmd.Transform' THEN 2 WHEN 'mlmd.Process' THEN 3 WHEN 'mlmd.Evaluate' THEN 4 WHEN 'mlmd.Deploy' "
			 "THEN 5 END::pg_catalog.int8 FROM mlmd.parenttype p JOIN mlmd.type b ON b.id OPERATOR(pg_catalog.=) p.parent_type_id WHERE "
			 "p.type_id OPERATOR(pg_catalog.=) t.id LIMIT 1) FROM mlmd.type t WHERE t.id OPERATOR(pg_catalog.=) ANY ($2) ORDER BY t.id",
			 ids, n);
	n_types = SPI_processed;
	entries = palloc(Max(n_types, 1) * sizeof(*entries));
	counts = palloc(Max(n_types, 1) * sizeof(*counts));
	ids = palloc(Max(n_types, 1) * sizeof(int64));
	for (uint64 row = 0; row < n_types; row++)
	{
		ids[row] = IntField(row, 1, NULL);
#define FILL_TYPE(Type, prefix, list) \
	{ \
		Type *message = FM_NEW(Type, prefix); \
		message->id = IntField(row, 1, &message->has_id); \
		message->name = TextField(row, 2); \
		message->version = TextField(row, 3); \
		message->description = TextField(row, 4); \
		message->external_id = TextField(row, 5); \
		entries[row] = (TypeEntry ***) &message->properties; \
		counts[row] = &message->n_properties; \
		FM_APPEND(graph->n_##list, graph->list, message); \
	}
		if (kind == FM_ARTIFACT)
			FILL_TYPE(Mlmd__ArtifactType, mlmd__artifact_type, artifact_types)
		else if (kind == FM_CONTEXT)
			FILL_TYPE(Mlmd__ContextType, mlmd__context_type, context_types)
		else
		{
			FILL_TYPE(Mlmd__ExecutionType, mlmd__execution_type, execution_types)
			graph->execution_types[row]->input_type = StructType(TextField(row, 6));
			graph->execution_types[row]->output_type = StructType(TextField(row, 7));
			graph->execution_types[row]->base_type = IntField(row, 8, &graph->execution_types[row]->has_base_type);
		}
#undef FILL_TYPE
	}
	SPI_freetuptable(SPI_tuptable);
	RunQuery(loader,
			 "SELECT p.type_id, p.name, p.data_type::pg_catalog.int8 FROM mlmd.typeproperty p WHERE p.type_id OPERATOR(pg_catalog.=) ANY ($2) "
			 "ORDER BY 1, p.name COLLATE pg_catalog.\"C\"",
			 ids, n_types);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		int64 id = IntField(row, 1, NULL);
		TypeEntry *entry = (TypeEntry *) fm_message_new(entry_descriptor);

		while (type < n_types && ids[type] < id)
			type++;
		if (type == n_types || ids[type] != id)
			continue;
		entry->key = TextField(row, 2);
		entry->value = IntField(row, 3, &entry->has_value);
		FM_APPEND(*counts[type], *entries[type], entry);
	}
	SPI_freetuptable(SPI_tuptable);
}

Mlmd__LineageGraph *
fm_load_subgraph(const FmSubgraphIds *ids)
{
	Mlmd__LineageGraph *graph = FM_NEW(Mlmd__LineageGraph, mlmd__lineage_graph);
	Loader loader = {ids, graph};
	int64 *types;

	LoadArtifacts(&loader);
	LoadExecutions(&loader);
	LoadContexts(&loader);
	LoadEvents(&loader);
	types = palloc(Max(Max(graph->n_artifacts, graph->n_executions), Max(graph->n_contexts, 1)) * sizeof(int64));
	for (size_t i = 0; i < graph->n_artifacts; i++)
		types[i] = graph->artifacts[i]->type_id;
	LoadTypes(&loader, FM_ARTIFACT, types, graph->n_artifacts);
	for (size_t i = 0; i < graph->n_executions; i++)
		types[i] = graph->executions[i]->type_id;
	LoadTypes(&loader, FM_EXECUTION, types, graph->n_executions);
	for (size_t i = 0; i < graph->n_contexts; i++)
		types[i] = graph->contexts[i]->type_id;
	LoadTypes(&loader, FM_CONTEXT, types, graph->n_contexts);
	return graph;
}
