/*
 * Reading a subgraph from the tables of MLMD into a message
 *
 * A query each for nodes, properties, paths of events, contexts and types, whatever the number of nodes. Rows come in
 * the order of ids, so properties and paths find their owner by walking along.
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

static int
CompareIds(const void *a, const void *b)
{
	int64 left = *(const int64 *) a;
	int64 right = *(const int64 *) b;

	return left < right ? -1 : left > right;
}

/*
 * Ids that are near one another as ranges: an index finds a range as fast as an id. What lies between the ids is read
 * for nothing, so that is never more than the ids themselves. Gives the number of ranges.
 */
static int
RangesOfIds(const int64 *ids, int n, int64 *low, int64 *high)
{
	int n_ranges = 0;
	int n_in_range = 0;

	for (int i = 0; i < n; i++)
	{
		if (n_in_range > 0 && ids[i] - low[n_ranges - 1] <= 2 * (int64) n_in_range)
		{
			high[n_ranges - 1] = ids[i];
			n_in_range++;
			continue;
		}
		low[n_ranges] = high[n_ranges] = ids[i];
		n_ranges++;
		n_in_range = 1;
	}
	return n_ranges;
}

/*
 * Reads columns of the rows n of a table of MLMD whose column id is among ids, which are in order. There may be rows of
 * other ids too. No ids, no query.
 */
static void
ReadRows(const Loader *loader, const char *columns, const char *table, const char *id, const char *order,
		 const int64 *ids, int n)
{
	MemoryContext context = CurrentMemoryContext;
	const char *relation = loader->ids->has_as_of ? fm_relation_as_of(table) : psprintf("mlmd.%s", table);
	Oid types[3] = {TIMESTAMPTZOID, INT8ARRAYOID, INT8ARRAYOID};
	Datum values[3] = {TimestampTzGetDatum(loader->ids->as_of)};
	int64 *low;
	int n_ranges;

	SPI_processed = 0;
	SPI_tuptable = NULL;
	if (n == 0)
		return;
	low = MemoryContextAllocHuge(CurrentMemoryContext, (Size) n * 2 * sizeof(int64));
	n_ranges = RangesOfIds(ids, n, low, low + n);
	if (n_ranges <= FM_KEPT_PLAN_NODES)
	{
		values[1] = PointerGetDatum(fm_int64_array(low, n_ranges));
		values[2] = PointerGetDatum(fm_int64_array(low + n, n_ranges));
		fm_execute_kept(psprintf("SELECT %s FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3)) r (low, "
								 "high), %s n WHERE n.%s "
								 "OPERATOR(pg_catalog.>=) r.low AND n.%s OPERATOR(pg_catalog.<=) r.high ORDER BY %s",
								 columns, relation, id, id, order),
						3, types, values, true, NULL);
	}
	else
	{
		char *sql = psprintf("SELECT %s FROM %s n WHERE n.%s OPERATOR(pg_catalog.=) ANY ($2) ORDER BY %s", columns,
							 relation, id, order);

		values[1] = PointerGetDatum(fm_int64_array(ids, n));
		if (SPI_execute_with_args(sql, 2, types, values, NULL, true, 0) != SPI_OK_SELECT)
			elog(ERROR, "unexpected result of a query for a subgraph");
	}
	pfree(low);
	/* SPI leaves its own, which goes with SPI_finish */
	MemoryContextSwitchTo(context);
}

static bool
HasId(const int64 *ids, int n, int64 id)
{
	return bsearch(&id, ids, n, sizeof(int64), CompareIds) != NULL;
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
	ReadRows(loader,
			 psprintf("n.%s_id, n.is_custom_property, n.name, n.int_value, n.double_value, n.string_value, "
					  "n.proto_value, n.bool_value",
					  name),
			 psprintf("%sproperty", name), psprintf("%s_id", name), "1, 2, n.name COLLATE pg_catalog.\"C\"", ids,
			 n_nodes);
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

#define NODE_PARTS(node)                                                                                               \
	((NodeParts){(node)->id, &(node)->n_properties, (PropertyEntry ***) &(node)->properties,                           \
				 &(node)->n_custom_properties, (PropertyEntry ***) &(node)->custom_properties})

static void
LoadArtifacts(Loader *loader)
{
	Mlmd__LineageGraph *graph = loader->graph;
	NodeParts *parts;

	ReadRows(loader,
			 "n.id, n.type_id, n.uri, n.state::pg_catalog.int8, n.name, n.create_time_since_epoch, "
			 "n.last_update_time_since_epoch, n.external_id",
			 "artifact", "id", "1", loader->ids->artifacts, loader->ids->n_artifacts);
	graph->artifacts = AllocArray(SPI_processed);
	parts = palloc(Max(SPI_processed, 1) * sizeof(NodeParts));
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		Mlmd__Artifact *node;

		if (!HasId(loader->ids->artifacts, loader->ids->n_artifacts, IntField(row, 1, NULL)))
			continue;
		node = FM_NEW(Mlmd__Artifact, mlmd__artifact);
		node->id = IntField(row, 1, &node->has_id);
		node->type_id = IntField(row, 2, &node->has_type_id);
		node->uri = TextField(row, 3);
		node->state = IntField(row, 4, &node->has_state);
		node->name = TextField(row, 5);
		node->create_time_since_epoch = IntField(row, 6, &node->has_create_time_since_epoch);
		node->last_update_time_since_epoch = IntField(row, 7, &node->has_last_update_time_since_epoch);
		node->external_id = TextField(row, 8);
		parts[graph->n_artifacts] = NODE_PARTS(node);
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

	ReadRows(loader,
			 "n.id, n.type_id, n.last_known_state::pg_catalog.int8, n.name, n.create_time_since_epoch, "
			 "n.last_update_time_since_epoch, n.external_id",
			 "execution", "id", "1", loader->ids->executions, loader->ids->n_executions);
	graph->executions = AllocArray(SPI_processed);
	parts = palloc(Max(SPI_processed, 1) * sizeof(NodeParts));
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		Mlmd__Execution *node;

		if (!HasId(loader->ids->executions, loader->ids->n_executions, IntField(row, 1, NULL)))
			continue;
		node = FM_NEW(Mlmd__Execution, mlmd__execution);
		node->id = IntField(row, 1, &node->has_id);
		node->type_id = IntField(row, 2, &node->has_type_id);
		node->last_known_state = IntField(row, 3, &node->has_last_known_state);
		node->name = TextField(row, 4);
		node->create_time_since_epoch = IntField(row, 5, &node->has_create_time_since_epoch);
		node->last_update_time_since_epoch = IntField(row, 6, &node->has_last_update_time_since_epoch);
		node->external_id = TextField(row, 7);
		parts[graph->n_executions] = NODE_PARTS(node);
		graph->executions[graph->n_executions++] = node;
	}
	SPI_freetuptable(SPI_tuptable);
	LoadProperties(loader, FM_EXECUTION, parts, graph->n_executions, &mlmd__execution__properties_entry__descriptor,
				   &mlmd__execution__custom_properties_entry__descriptor);
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
	ReadRows(loader, "n.artifact_id, n.context_id", "attribution", "artifact_id", "n.id", ids, graph->n_artifacts);
	graph->attributions = AllocArray(SPI_processed);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		Mlmd__Attribution *link;

		if (!HasId(ids, graph->n_artifacts, IntField(row, 1, NULL)))
			continue;
		link = FM_NEW(Mlmd__Attribution, mlmd__attribution);
		link->artifact_id = IntField(row, 1, &link->has_artifact_id);
		link->context_id = IntField(row, 2, &link->has_context_id);
		graph->attributions[graph->n_attributions++] = link;
	}
	SPI_freetuptable(SPI_tuptable);

	for (size_t i = 0; i < graph->n_executions; i++)
		ids[i] = graph->executions[i]->id;
	ReadRows(loader, "n.execution_id, n.context_id", "association", "execution_id", "n.id", ids, graph->n_executions);
	graph->associations = AllocArray(SPI_processed);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		Mlmd__Association *link;

		if (!HasId(ids, graph->n_executions, IntField(row, 1, NULL)))
			continue;
		link = FM_NEW(Mlmd__Association, mlmd__association);
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
	ReadRows(loader,
			 "n.id, n.type_id, n.name, n.create_time_since_epoch, n.last_update_time_since_epoch, n.external_id",
			 "context", "id", "1", contexts, n_contexts);
	graph->contexts = AllocArray(SPI_processed);
	parts = palloc(Max(SPI_processed, 1) * sizeof(NodeParts));
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		Mlmd__Context *node;

		if (!HasId(contexts, n_contexts, IntField(row, 1, NULL)))
			continue;
		node = FM_NEW(Mlmd__Context, mlmd__context);
		node->id = IntField(row, 1, &node->has_id);
		node->type_id = IntField(row, 2, &node->has_type_id);
		node->name = TextField(row, 3);
		node->create_time_since_epoch = IntField(row, 4, &node->has_create_time_since_epoch);
		node->last_update_time_since_epoch = IntField(row, 5, &node->has_last_update_time_since_epoch);
		node->external_id = TextField(row, 6);
		parts[graph->n_contexts] = NODE_PARTS(node);
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
	ReadRows(loader, "n.event_id, n.is_index_step, n.step_index::pg_catalog.int8, n.step_key", "eventpath", "event_id",
			 loader->ids->has_as_of ? "1" : "1, n.ctid", ids, graph->n_events);
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
						: (Mlmd__ArtifactStructType *) fm_message_parse_json(&mlmd__artifact_struct_type__descriptor,
																			 json, strlen(json), &error);
}

/* A node that wants the name of its type */
typedef struct TypedNode
{
	int64 type_id;
	char **type;
} TypedNode;

/*
 * The types of a kind that the nodes have, and their names for the nodes. As with the client, only execution types come
 * with their base type.
 */
static void
LoadTypes(Loader *loader, FmNodeKind kind, TypedNode *nodes, int n_nodes)
{
	Mlmd__LineageGraph *graph = loader->graph;
	const ProtobufCMessageDescriptor *entry_descriptor =
		kind == FM_ARTIFACT	   ? &mlmd__artifact_type__properties_entry__descriptor
		: kind == FM_EXECUTION ? &mlmd__execution_type__properties_entry__descriptor
							   : &mlmd__context_type__properties_entry__descriptor;
	TypeEntry ****entries;
	size_t **counts;
	size_t type = 0;
	size_t n_types = 0;
	int64 *ids = palloc(Max(n_nodes, 1) * sizeof(int64));
	char **names;
	int n;

	for (int i = 0; i < n_nodes; i++)
		ids[i] = nodes[i].type_id;
	n = UniqueIds(ids, n_nodes);
	/* the base types are MLMD's own, whose numbers in the protocol are these */
	ReadRows(
		loader,
		"n.id, n.name, n.version, n.description, n.external_id, n.input_type, n.output_type, (SELECT CASE b.name WHEN "
		"'mlmd.Train' THEN 1 WHEN 'mlmd.Transform' THEN 2 WHEN 'mlmd.Process' THEN 3 WHEN 'mlmd.Evaluate' THEN 4 WHEN "
		"'mlmd.Deploy' "
		"THEN 5 END::pg_catalog.int8 FROM mlmd.parenttype p JOIN mlmd.type b ON b.id OPERATOR(pg_catalog.=) "
		"p.parent_type_id WHERE "
		"p.type_id OPERATOR(pg_catalog.=) n.id LIMIT 1)",
		"type", "id", "1", ids, n);
	entries = palloc(Max(n, 1) * sizeof(*entries));
	counts = palloc(Max(n, 1) * sizeof(*counts));
	names = palloc(Max(n, 1) * sizeof(char *));
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		int64 id = IntField(row, 1, NULL);

		if (!HasId(ids, n, id))
			continue;
#define FILL_TYPE(Type, prefix, list)                                                                                  \
	{                                                                                                                  \
		Type *message = FM_NEW(Type, prefix);                                                                          \
		message->id = IntField(row, 1, &message->has_id);                                                              \
		message->name = TextField(row, 2);                                                                             \
		message->version = TextField(row, 3);                                                                          \
		message->description = TextField(row, 4);                                                                      \
		message->external_id = TextField(row, 5);                                                                      \
		entries[n_types] = (TypeEntry ***) &message->properties;                                                       \
		counts[n_types] = &message->n_properties;                                                                      \
		names[n_types] = message->name;                                                                                \
		FM_APPEND(graph->n_##list, graph->list, message);                                                              \
	}
		if (kind == FM_ARTIFACT)
			FILL_TYPE(Mlmd__ArtifactType, mlmd__artifact_type, artifact_types)
		else if (kind == FM_CONTEXT)
			FILL_TYPE(Mlmd__ContextType, mlmd__context_type, context_types)
		else
		{
			FILL_TYPE(Mlmd__ExecutionType, mlmd__execution_type, execution_types)
			graph->execution_types[n_types]->input_type = StructType(TextField(row, 6));
			graph->execution_types[n_types]->output_type = StructType(TextField(row, 7));
			graph->execution_types[n_types]->base_type =
				IntField(row, 8, &graph->execution_types[n_types]->has_base_type);
		}
#undef FILL_TYPE
		/* ids become those of the types that are there: some may be hidden from the caller */
		ids[n_types++] = id;
	}
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < n_nodes; i++)
	{
		const int64 *found = bsearch(&nodes[i].type_id, ids, n_types, sizeof(int64), CompareIds);

		if (found != NULL)
			*nodes[i].type = names[found - ids];
	}
	ReadRows(loader, "n.type_id, n.name, n.data_type::pg_catalog.int8", "typeproperty", "type_id",
			 "1, n.name COLLATE pg_catalog.\"C\"", ids, n_types);
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
	TypedNode *nodes;

	LoadArtifacts(&loader);
	LoadExecutions(&loader);
	LoadContexts(&loader);
	LoadEvents(&loader);
	nodes = palloc(Max(Max(graph->n_artifacts, graph->n_executions), Max(graph->n_contexts, 1)) * sizeof(TypedNode));
	for (size_t i = 0; i < graph->n_artifacts; i++)
		nodes[i] = (TypedNode){graph->artifacts[i]->type_id, &graph->artifacts[i]->type};
	LoadTypes(&loader, FM_ARTIFACT, nodes, graph->n_artifacts);
	for (size_t i = 0; i < graph->n_executions; i++)
		nodes[i] = (TypedNode){graph->executions[i]->type_id, &graph->executions[i]->type};
	LoadTypes(&loader, FM_EXECUTION, nodes, graph->n_executions);
	for (size_t i = 0; i < graph->n_contexts; i++)
		nodes[i] = (TypedNode){graph->contexts[i]->type_id, &graph->contexts[i]->type};
	LoadTypes(&loader, FM_CONTEXT, nodes, graph->n_contexts);
	return graph;
}
