/*
 * Reading a subgraph from the tables of MLMD into a message
 *
 * A read each for nodes, properties, paths of events, contexts and types, whatever the number of nodes. Rows come in
 * the order of ids, so properties and paths find their owner by walking along.
 */
#include "lineage/subgraph_load.h"

#include "fm_compat.h"

#include "common/base64.h"
#include "lineage/filter.h"
#include "lineage/ids.h"
#include "lineage/keyed_rows.h"
#include "mb/pg_wchar.h"
#include "message/message.h"
#include "utils/builtins.h"

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
	int64 type_id;
	char **type;
	size_t *n_properties;
	PropertyEntry ***properties;
	size_t *n_custom_properties;
	PropertyEntry ***custom_properties;
} NodeParts;

#define NODE_PARTS(node)                                                                                               \
	((NodeParts){(node)->id, (node)->type_id, &(node)->type, &(node)->n_properties,                                    \
				 (PropertyEntry ***) &(node)->properties, &(node)->n_custom_properties,                                \
				 (PropertyEntry ***) &(node)->custom_properties})

/* The nodes of a kind, in the order of ids */
typedef struct NodeList
{
	NodeParts *parts;
	int n;
	int current; /* whose properties come */
} NodeList;

/* The types of all kinds, in the order of ids */
typedef struct TypeList
{
	int64 *ids;
	char **names;
	TypeEntry ****entries;
	size_t **counts;
	const ProtobufCMessageDescriptor **entry_descriptors;
	size_t n;
	size_t current; /* whose properties come */
} TypeList;

/* Attributions or associations, which the message has in the order of their own ids */
typedef struct Link
{
	int64 id;
	int64 node;
	int64 context;
} Link;

typedef struct LinkList
{
	Link *links;
	size_t n;
	size_t room;
} LinkList;

/* Base types of execution types */
typedef struct BaseType
{
	int64 type;
	int64 base;
	int number; /* in the protocol; 0: none */
} BaseType;

typedef struct BaseTypeList
{
	BaseType *types;
	int n;
} BaseTypeList;

typedef struct Loader
{
	const FmSubgraphIds *ids;
	Mlmd__LineageGraph *graph;
	NodeList nodes[3]; /* by FmNodeKind */
	TypeList types;
	int64 *event_ids; /* of the graph's events */
	size_t event;	  /* whose path comes */
} Loader;

static void
Read(const Loader *loader, const FmKeyedTable *table, const int64 *ids, int n, FmKeyedReceiver receive, void *arg)
{
	fm_read_keyed(table, ids, n, loader->ids->has_as_of ? &loader->ids->as_of : NULL, receive, arg);
}

/*
 * A string as the message has it: UTF-8, NULL for NULL
 */
static char *
TextField(const FmKeyedRow *row, int column)
{
	char *string;

	if (row->nulls[column])
		return NULL;
	string = TextDatumGetCString(row->values[column]);
	return pg_server_to_any(string, strlen(string), PG_UTF8);
}

static void *
AllocArray(uint64 n, size_t size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * size);
}

/* ---- properties ---- */

#define PROPERTY_COLUMNS                                                                                               \
	{"is_custom_property", FM_COLUMN_BOOL}, {"name", FM_COLUMN_TEXT}, {"int_value", FM_COLUMN_INT},                    \
		{"double_value", FM_COLUMN_DOUBLE}, {"string_value", FM_COLUMN_TEXT}, {"proto_value", FM_COLUMN_BYTES},        \
	{                                                                                                                  \
		"bool_value", FM_COLUMN_BOOL                                                                                   \
	}

static const FmKeyedTable property_tables[] = {
	[FM_EXECUTION] = {"executionproperty", NULL, 8, {{"execution_id", FM_COLUMN_INT}, PROPERTY_COLUMNS}},
	[FM_ARTIFACT] = {"artifactproperty", NULL, 8, {{"artifact_id", FM_COLUMN_INT}, PROPERTY_COLUMNS}},
	[FM_CONTEXT] = {"contextproperty", NULL, 8, {{"context_id", FM_COLUMN_INT}, PROPERTY_COLUMNS}},
};

/* By kind and whether they are custom */
static const ProtobufCMessageDescriptor *const property_descriptors[3][2] = {
	[FM_EXECUTION] = {&mlmd__execution__properties_entry__descriptor,
					  &mlmd__execution__custom_properties_entry__descriptor},
	[FM_ARTIFACT] = {&mlmd__artifact__properties_entry__descriptor,
					 &mlmd__artifact__custom_properties_entry__descriptor},
	[FM_CONTEXT] = {&mlmd__context__properties_entry__descriptor, &mlmd__context__custom_properties_entry__descriptor},
};

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
ValueOfRow(const FmKeyedRow *row, int column)
{
	Mlmd__Value *value = FM_NEW(Mlmd__Value, mlmd__value);
	const bool *nulls = row->nulls + column;
	const Datum *values = row->values + column;

	if (!nulls[0])
	{
		value->value_case = MLMD__VALUE__VALUE_INT_VALUE;
		value->int_value = DatumGetInt64(values[0]);
	}
	else if (!nulls[1])
	{
		value->value_case = MLMD__VALUE__VALUE_DOUBLE_VALUE;
		value->double_value = DatumGetFloat8(values[1]);
	}
	else if (!nulls[2])
	{
		char *string = TextField(row, column + 2);
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
	}
	else if (!nulls[3])
	{
		bytea *bytes = DatumGetByteaP(values[3]);
		FmError error = {0};
		Gpb__Any *any = (Gpb__Any *) fm_message_unpack(&gpb__any__descriptor, (const uint8 *) VARDATA(bytes),
													   VARSIZE(bytes) - VARHDRSZ, &error);

		if (any == NULL)
			return NULL;
		value->value_case = MLMD__VALUE__VALUE_PROTO_VALUE;
		value->proto_value = any;
	}
	else if (!nulls[4])
	{
		value->value_case = MLMD__VALUE__VALUE_BOOL_VALUE;
		value->bool_value = DatumGetBool(values[4]);
	}
	else
		return NULL;
	return value;
}

typedef struct PropertyReader
{
	NodeList *nodes;
	const ProtobufCMessageDescriptor *const *descriptors;
} PropertyReader;

static void
ReceiveProperty(void *arg, const FmKeyedRow *row)
{
	const PropertyReader *reader = arg;
	NodeList *nodes = reader->nodes;
	int64 id = fm_row_int(row, 0, NULL);
	bool custom = DatumGetBool(row->values[1]);
	NodeParts *node;
	PropertyEntry *entry;

	while (nodes->parts[nodes->current].id < id)
		nodes->current++;
	node = &nodes->parts[nodes->current];
	entry = (PropertyEntry *) fm_message_new(reader->descriptors[custom]);
	entry->key = TextField(row, 2);
	entry->value = ValueOfRow(row, 3);
	if (entry->value == NULL)
		return;
	if (custom)
		FM_APPEND(*node->n_custom_properties, *node->custom_properties, entry);
	else
		FM_APPEND(*node->n_properties, *node->properties, entry);
}

/* ---- nodes ---- */

static const FmKeyedTable artifact_table = {"artifact",
											NULL,
											8,
											{{"id", FM_COLUMN_INT},
											 {"type_id", FM_COLUMN_INT},
											 {"uri", FM_COLUMN_TEXT},
											 {"state", FM_COLUMN_INT},
											 {"name", FM_COLUMN_TEXT},
											 {"create_time_since_epoch", FM_COLUMN_INT},
											 {"last_update_time_since_epoch", FM_COLUMN_INT},
											 {"external_id", FM_COLUMN_TEXT}}};
static const FmKeyedTable execution_table = {"execution",
											 NULL,
											 7,
											 {{"id", FM_COLUMN_INT},
											  {"type_id", FM_COLUMN_INT},
											  {"last_known_state", FM_COLUMN_INT},
											  {"name", FM_COLUMN_TEXT},
											  {"create_time_since_epoch", FM_COLUMN_INT},
											  {"last_update_time_since_epoch", FM_COLUMN_INT},
											  {"external_id", FM_COLUMN_TEXT}}};
static const FmKeyedTable context_table = {"context",
										   NULL,
										   6,
										   {{"id", FM_COLUMN_INT},
											{"type_id", FM_COLUMN_INT},
											{"name", FM_COLUMN_TEXT},
											{"create_time_since_epoch", FM_COLUMN_INT},
											{"last_update_time_since_epoch", FM_COLUMN_INT},
											{"external_id", FM_COLUMN_TEXT}}};

/*
 * Is the row of another node than the row before it? History that was written by hand may have two rows of a node for one
 * time; the list has room for one.
 */
static bool
IsNextNode(const NodeList *nodes, const FmKeyedRow *row)
{
	return nodes->n == 0 || nodes->parts[nodes->n - 1].id != fm_row_int(row, 0, NULL);
}

static void
ReceiveArtifact(void *arg, const FmKeyedRow *row)
{
	Loader *loader = arg;
	NodeList *nodes = &loader->nodes[FM_ARTIFACT];
	Mlmd__Artifact *node;

	if (!IsNextNode(nodes, row))
		return;
	node = FM_NEW(Mlmd__Artifact, mlmd__artifact);
	node->id = fm_row_int(row, 0, &node->has_id);
	node->type_id = fm_row_int(row, 1, &node->has_type_id);
	node->uri = TextField(row, 2);
	node->state = fm_row_int(row, 3, &node->has_state);
	node->name = TextField(row, 4);
	node->create_time_since_epoch = fm_row_int(row, 5, &node->has_create_time_since_epoch);
	node->last_update_time_since_epoch = fm_row_int(row, 6, &node->has_last_update_time_since_epoch);
	node->external_id = TextField(row, 7);
	nodes->parts[nodes->n++] = NODE_PARTS(node);
	loader->graph->artifacts[loader->graph->n_artifacts++] = node;
}

static void
ReceiveExecution(void *arg, const FmKeyedRow *row)
{
	Loader *loader = arg;
	NodeList *nodes = &loader->nodes[FM_EXECUTION];
	Mlmd__Execution *node;

	if (!IsNextNode(nodes, row))
		return;
	node = FM_NEW(Mlmd__Execution, mlmd__execution);
	node->id = fm_row_int(row, 0, &node->has_id);
	node->type_id = fm_row_int(row, 1, &node->has_type_id);
	node->last_known_state = fm_row_int(row, 2, &node->has_last_known_state);
	node->name = TextField(row, 3);
	node->create_time_since_epoch = fm_row_int(row, 4, &node->has_create_time_since_epoch);
	node->last_update_time_since_epoch = fm_row_int(row, 5, &node->has_last_update_time_since_epoch);
	node->external_id = TextField(row, 6);
	nodes->parts[nodes->n++] = NODE_PARTS(node);
	loader->graph->executions[loader->graph->n_executions++] = node;
}

static void
ReceiveContext(void *arg, const FmKeyedRow *row)
{
	Loader *loader = arg;
	NodeList *nodes = &loader->nodes[FM_CONTEXT];
	Mlmd__Context *node;

	if (!IsNextNode(nodes, row))
		return;
	node = FM_NEW(Mlmd__Context, mlmd__context);
	node->id = fm_row_int(row, 0, &node->has_id);
	node->type_id = fm_row_int(row, 1, &node->has_type_id);
	node->name = TextField(row, 2);
	node->create_time_since_epoch = fm_row_int(row, 3, &node->has_create_time_since_epoch);
	node->last_update_time_since_epoch = fm_row_int(row, 4, &node->has_last_update_time_since_epoch);
	node->external_id = TextField(row, 5);
	nodes->parts[nodes->n++] = NODE_PARTS(node);
	loader->graph->contexts[loader->graph->n_contexts++] = node;
}

/*
 * The ids of the nodes of a kind that are there
 */
static int64 *
IdsOfNodes(const NodeList *nodes)
{
	int64 *ids = AllocArray(nodes->n, sizeof(int64));

	for (int i = 0; i < nodes->n; i++)
		ids[i] = nodes->parts[i].id;
	return ids;
}

/*
 * The nodes of a kind with their properties
 */
static void
LoadNodes(Loader *loader, FmNodeKind kind, const int64 *ids, int n)
{
	NodeList *nodes = &loader->nodes[kind];
	PropertyReader reader = {nodes, property_descriptors[kind]};

	nodes->parts = AllocArray(n, sizeof(NodeParts));
	switch (kind)
	{
		case FM_ARTIFACT:
			loader->graph->artifacts = AllocArray(n, sizeof(void *));
			Read(loader, &artifact_table, ids, n, ReceiveArtifact, loader);
			break;
		case FM_EXECUTION:
			loader->graph->executions = AllocArray(n, sizeof(void *));
			Read(loader, &execution_table, ids, n, ReceiveExecution, loader);
			break;
		case FM_CONTEXT:
			loader->graph->contexts = AllocArray(n, sizeof(void *));
			Read(loader, &context_table, ids, n, ReceiveContext, loader);
			break;
	}
	Read(loader, &property_tables[kind], IdsOfNodes(nodes), nodes->n, ReceiveProperty, &reader);
}

/* ---- contexts ---- */

static const FmKeyedTable attribution_table = {
	"attribution", NULL, 3, {{"artifact_id", FM_COLUMN_INT}, {"context_id", FM_COLUMN_INT}, {"id", FM_COLUMN_INT}}};
static const FmKeyedTable association_table = {
	"association", NULL, 3, {{"execution_id", FM_COLUMN_INT}, {"context_id", FM_COLUMN_INT}, {"id", FM_COLUMN_INT}}};

static void
ReceiveLink(void *arg, const FmKeyedRow *row)
{
	LinkList *list = arg;

	if (list->n == list->room)
	{
		list->room = Max(list->room * 2, 64);
		list->links =
			list->n == 0 ? palloc(list->room * sizeof(Link)) : repalloc_huge(list->links, list->room * sizeof(Link));
	}
	list->links[list->n++] =
		(Link){.node = fm_row_int(row, 0, NULL), .context = fm_row_int(row, 1, NULL), .id = fm_row_int(row, 2, NULL)};
}

#define ST_SORT SortLinks
#define ST_ELEMENT_TYPE Link
#define ST_COMPARE(a, b) ((a)->id < (b)->id ? -1 : (a)->id > (b)->id)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * The links of the nodes of a kind, in order
 */
static LinkList
LoadLinks(const Loader *loader, FmNodeKind kind, const FmKeyedTable *table)
{
	LinkList list = {0};

	Read(loader, table, IdsOfNodes(&loader->nodes[kind]), loader->nodes[kind].n, ReceiveLink, &list);
	SortLinks(list.links, list.n);
	return list;
}

/*
 * Sorts ids and drops those that come twice; gives the number left
 */
static size_t
UniqueIds(int64 *ids, size_t n)
{
	size_t kept = 0;

	fm_sort_ids(ids, n);
	for (size_t i = 0; i < n; i++)
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
	LinkList attributions = LoadLinks(loader, FM_ARTIFACT, &attribution_table);
	LinkList associations = LoadLinks(loader, FM_EXECUTION, &association_table);
	int64 *contexts = AllocArray(attributions.n + associations.n, sizeof(int64));
	size_t n_contexts = 0;

	graph->attributions = AllocArray(attributions.n, sizeof(void *));
	for (size_t i = 0; i < attributions.n; i++)
	{
		Mlmd__Attribution *link = FM_NEW(Mlmd__Attribution, mlmd__attribution);

		link->has_artifact_id = link->has_context_id = true;
		link->artifact_id = attributions.links[i].node;
		link->context_id = contexts[n_contexts++] = attributions.links[i].context;
		graph->attributions[graph->n_attributions++] = link;
	}
	graph->associations = AllocArray(associations.n, sizeof(void *));
	for (size_t i = 0; i < associations.n; i++)
	{
		Mlmd__Association *link = FM_NEW(Mlmd__Association, mlmd__association);

		link->has_execution_id = link->has_context_id = true;
		link->execution_id = associations.links[i].node;
		link->context_id = contexts[n_contexts++] = associations.links[i].context;
		graph->associations[graph->n_associations++] = link;
	}
	LoadNodes(loader, FM_CONTEXT, contexts, (int) UniqueIds(contexts, n_contexts));
}

/* ---- events ---- */

/* steps in the order they were put, which is that of the rows in the table, and of an index among equal keys */
static const FmKeyedTable eventpath_table = {"eventpath",
											 "n.ctid",
											 4,
											 {{"event_id", FM_COLUMN_INT},
											  {"is_index_step", FM_COLUMN_BOOL},
											  {"step_index", FM_COLUMN_INT},
											  {"step_key", FM_COLUMN_TEXT}}};

static void
ReceiveStep(void *arg, const FmKeyedRow *row)
{
	Loader *loader = arg;
	int64 id = fm_row_int(row, 0, NULL);
	Mlmd__Event__Path__Step *step = FM_NEW(Mlmd__Event__Path__Step, mlmd__event__path__step);
	Mlmd__Event *event;

	while (loader->event_ids[loader->event] < id)
		loader->event++;
	event = loader->graph->events[loader->event];
	if (DatumGetBool(row->values[1]))
	{
		step->value_case = MLMD__EVENT__PATH__STEP__VALUE_INDEX;
		step->index = fm_row_int(row, 2, NULL);
	}
	else
	{
		step->value_case = MLMD__EVENT__PATH__STEP__VALUE_KEY;
		step->key = TextField(row, 3);
		if (step->key == NULL)
			step->key = "";
	}
	if (event->path == NULL)
		event->path = FM_NEW(Mlmd__Event__Path, mlmd__event__path);
	FM_APPEND(event->path->n_steps, event->path->steps, step);
}

/* The place of an event by its id */
typedef struct EventOrder
{
	int64 id;
	const FmEvent *event;
} EventOrder;

#define ST_SORT SortEvents
#define ST_ELEMENT_TYPE EventOrder
#define ST_COMPARE(a, b) ((a)->id < (b)->id ? -1 : (a)->id > (b)->id)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * The walk has read the events; what they lack is their paths
 */
static void
LoadEvents(Loader *loader)
{
	Mlmd__LineageGraph *graph = loader->graph;
	int n = loader->ids->n_events;
	EventOrder *order = AllocArray(n, sizeof(EventOrder));

	for (int i = 0; i < n; i++)
		order[i] = (EventOrder){loader->ids->events[i].id, &loader->ids->events[i]};
	SortEvents(order, n);
	graph->events = AllocArray(n, sizeof(void *));
	loader->event_ids = AllocArray(n, sizeof(int64));
	for (int i = 0; i < n; i++)
	{
		const FmEvent *event = order[i].event;
		Mlmd__Event *message;

		if (i > 0 && order[i].id == order[i - 1].id)
			continue;
		message = FM_NEW(Mlmd__Event, mlmd__event);
		message->has_artifact_id = message->has_execution_id = message->has_type = true;
		message->artifact_id = event->artifact_id;
		message->execution_id = event->execution_id;
		message->type = event->type;
		message->has_milliseconds_since_epoch = event->has_time;
		message->milliseconds_since_epoch = event->milliseconds;
		loader->event_ids[graph->n_events] = event->id;
		graph->events[graph->n_events++] = message;
	}
	Read(loader, &eventpath_table, loader->event_ids, (int) graph->n_events, ReceiveStep, loader);
}

/* ---- types ---- */

static const FmKeyedTable type_table = {"type",
										NULL,
										8,
										{{"id", FM_COLUMN_INT},
										 {"name", FM_COLUMN_TEXT},
										 {"version", FM_COLUMN_TEXT},
										 {"description", FM_COLUMN_TEXT},
										 {"external_id", FM_COLUMN_TEXT},
										 {"input_type", FM_COLUMN_TEXT},
										 {"output_type", FM_COLUMN_TEXT},
										 {"type_kind", FM_COLUMN_INT}}};
static const FmKeyedTable type_property_table = {
	"typeproperty", NULL, 3, {{"type_id", FM_COLUMN_INT}, {"name", FM_COLUMN_TEXT}, {"data_type", FM_COLUMN_INT}}};
static const FmKeyedTable parent_type_table = {
	"parenttype", NULL, 2, {{"type_id", FM_COLUMN_INT}, {"parent_type_id", FM_COLUMN_INT}}};
static const FmKeyedTable type_name_table = {"type", NULL, 2, {{"id", FM_COLUMN_INT}, {"name", FM_COLUMN_TEXT}}};

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

static void
ReceiveType(void *arg, const FmKeyedRow *row)
{
	Loader *loader = arg;
	TypeList *types = &loader->types;
	Mlmd__LineageGraph *graph = loader->graph;

#define FILL_TYPE(Type, prefix, list)                                                                                  \
	Type *message = FM_NEW(Type, prefix);                                                                              \
	message->id = fm_row_int(row, 0, &message->has_id);                                                                \
	message->name = TextField(row, 1);                                                                                 \
	message->version = TextField(row, 2);                                                                              \
	message->description = TextField(row, 3);                                                                          \
	message->external_id = TextField(row, 4);                                                                          \
	types->ids[types->n] = message->id;                                                                                \
	types->names[types->n] = message->name;                                                                            \
	types->entries[types->n] = (TypeEntry ***) &message->properties;                                                   \
	types->counts[types->n] = &message->n_properties;                                                                  \
	types->entry_descriptors[types->n++] = &prefix##__properties_entry__descriptor;                                    \
	FM_APPEND(graph->n_##list, graph->list, message)

	if (types->n > 0 && types->ids[types->n - 1] == fm_row_int(row, 0, NULL))
		return;
	switch (fm_row_int(row, 7, NULL))
	{
		case FM_ARTIFACT:
		{
			FILL_TYPE(Mlmd__ArtifactType, mlmd__artifact_type, artifact_types);
			break;
		}
		case FM_CONTEXT:
		{
			FILL_TYPE(Mlmd__ContextType, mlmd__context_type, context_types);
			break;
		}
		default:
		{
			FILL_TYPE(Mlmd__ExecutionType, mlmd__execution_type, execution_types);
			message->input_type = StructType(TextField(row, 5));
			message->output_type = StructType(TextField(row, 6));
			break;
		}
	}
#undef FILL_TYPE
}

static void
ReceiveTypeProperty(void *arg, const FmKeyedRow *row)
{
	TypeList *types = arg;
	int64 id = fm_row_int(row, 0, NULL);
	TypeEntry *entry;

	while (types->ids[types->current] < id)
		types->current++;
	entry = (TypeEntry *) fm_message_new(types->entry_descriptors[types->current]);
	entry->key = TextField(row, 1);
	entry->value = fm_row_int(row, 2, &entry->has_value);
	FM_APPEND(*types->counts[types->current], *types->entries[types->current], entry);
}

static void
ReceiveBaseType(void *arg, const FmKeyedRow *row)
{
	BaseTypeList *list = arg;
	int64 type = fm_row_int(row, 0, NULL);

	/* the first is the one */
	if (list->n == 0 || list->types[list->n - 1].type != type)
		list->types[list->n++] = (BaseType){.type = type, .base = fm_row_int(row, 1, NULL)};
}

/*
 * The base types are MLMD's own, whose numbers in the protocol are these
 */
static void
ReceiveBaseTypeName(void *arg, const FmKeyedRow *row)
{
	static const char *const names[] = {"mlmd.Train", "mlmd.Transform", "mlmd.Process", "mlmd.Evaluate", "mlmd.Deploy"};
	BaseTypeList *list = arg;
	char *name = TextField(row, 1);

	for (int i = 0; i < list->n; i++)
		for (size_t k = 0; k < lengthof(names); k++)
			if (list->types[i].base == fm_row_int(row, 0, NULL) && strcmp(name, names[k]) == 0)
				list->types[i].number = k + 1;
}

/*
 * As with the client, only execution types come with their base type
 */
static void
LoadBaseTypes(Loader *loader)
{
	Mlmd__LineageGraph *graph = loader->graph;
	int64 *ids = AllocArray(graph->n_execution_types, sizeof(int64));
	BaseTypeList list = {.types = AllocArray(graph->n_execution_types, sizeof(BaseType))};
	int next = 0;

	for (size_t i = 0; i < graph->n_execution_types; i++)
		ids[i] = graph->execution_types[i]->id;
	Read(loader, &parent_type_table, ids, (int) graph->n_execution_types, ReceiveBaseType, &list);
	for (int i = 0; i < list.n; i++)
		ids[i] = list.types[i].base;
	Read(loader, &type_name_table, ids, (int) UniqueIds(ids, list.n), ReceiveBaseTypeName, &list);
	for (size_t i = 0; i < graph->n_execution_types && next < list.n; i++)
	{
		if (list.types[next].type != graph->execution_types[i]->id)
			continue;
		graph->execution_types[i]->has_base_type = list.types[next].number != 0;
		graph->execution_types[i]->base_type = list.types[next++].number;
	}
}

/*
 * The types that the nodes have, and their names for the nodes
 */
static void
LoadTypes(Loader *loader)
{
	TypeList *types = &loader->types;
	size_t n = loader->nodes[0].n + loader->nodes[1].n + loader->nodes[2].n;
	int64 *ids = AllocArray(n, sizeof(int64));

	n = 0;
	for (int kind = 0; kind < 3; kind++)
		for (int i = 0; i < loader->nodes[kind].n; i++)
			/* nodes next to one another mostly have one type */
			if (n == 0 || ids[n - 1] != loader->nodes[kind].parts[i].type_id)
				ids[n++] = loader->nodes[kind].parts[i].type_id;
	n = UniqueIds(ids, n);
	types->ids = AllocArray(n, sizeof(int64));
	types->names = AllocArray(n, sizeof(char *));
	types->entries = AllocArray(n, sizeof(TypeEntry ***));
	types->counts = AllocArray(n, sizeof(size_t *));
	types->entry_descriptors = AllocArray(n, sizeof(void *));
	Read(loader, &type_table, ids, (int) n, ReceiveType, loader);
	Read(loader, &type_property_table, types->ids, (int) types->n, ReceiveTypeProperty, types);
	LoadBaseTypes(loader);
	for (int kind = 0; kind < 3; kind++)
	{
		for (int i = 0; i < loader->nodes[kind].n; i++)
		{
			const NodeParts *node = &loader->nodes[kind].parts[i];
			int64 type = fm_find_id(types->ids, types->n, node->type_id);

			/* some may be hidden from the caller */
			if (type >= 0)
				*node->type = types->names[type];
		}
	}
}

Mlmd__LineageGraph *
fm_load_subgraph(const FmSubgraphIds *ids)
{
	Loader loader = {.ids = ids, .graph = FM_NEW(Mlmd__LineageGraph, mlmd__lineage_graph)};

	LoadNodes(&loader, FM_ARTIFACT, ids->artifacts, ids->n_artifacts);
	LoadNodes(&loader, FM_EXECUTION, ids->executions, ids->n_executions);
	LoadContexts(&loader);
	LoadEvents(&loader);
	LoadTypes(&loader);
	return loader.graph;
}
