/*
 * A lineage_graph value as rows, and as a set: nodes(), edges(), union and difference
 */
#include "lineage/graph_call.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/base64.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "message/message_type.h"
#include "metadata_store.pb-c.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

/* The entries of all property maps look alike */
typedef Mlmd__Artifact__PropertiesEntry PropertyEntry;

/*
 * A string of a message as Datum; false for NULL
 */
static bool
TextOfString(const char *string, Datum *value)
{
	if (string == NULL)
		return false;
	*value = CStringGetTextDatum(pg_any_to_server(string, strlen(string), PG_UTF8));
	return true;
}

static void
SetString(JsonbValue *json, const char *string)
{
	json->type = jbvString;
	json->val.string.val = pg_any_to_server(string, strlen(string), PG_UTF8);
	json->val.string.len = strlen(json->val.string.val);
}

/*
 * A value as put_artifact() takes it and as the view mlmd.artifacts shows it
 */
static void
PushValue(JsonbParseState **state, const Mlmd__Value *value)
{
	JsonbValue json = {.type = jbvNull};
	StringInfoData text;
	FmError error = {0};
	const ProtobufCMessage *message = NULL;

	switch (value == NULL ? MLMD__VALUE__VALUE__NOT_SET : value->value_case)
	{
		case MLMD__VALUE__VALUE_INT_VALUE:
			json.type = jbvNumeric;
			json.val.numeric = int64_to_numeric(value->int_value);
			break;
		case MLMD__VALUE__VALUE_DOUBLE_VALUE:
			if (isnan(value->double_value))
				SetString(&json, "NaN");
			else if (isinf(value->double_value))
				SetString(&json, value->double_value > 0 ? "Infinity" : "-Infinity");
			else
			{
				char *digits = DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(value->double_value)));

				json.type = jbvNumeric;
				json.val.numeric = DatumGetNumeric(DirectFunctionCall3(
					numeric_in, CStringGetDatum(digits), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
			}
			break;
		case MLMD__VALUE__VALUE_STRING_VALUE:
			SetString(&json, value->string_value);
			break;
		case MLMD__VALUE__VALUE_BOOL_VALUE:
			json.type = jbvBool;
			json.val.boolean = value->bool_value;
			break;
		case MLMD__VALUE__VALUE_STRUCT_VALUE:
			message = value->struct_value == NULL ? NULL : &value->struct_value->base;
			break;
		case MLMD__VALUE__VALUE_PROTO_VALUE:
			if (value->proto_value != NULL)
			{
				const Gpb__Any *any = value->proto_value;
				int room = pg_b64_enc_len(any->value.len);
				char *base64 = palloc(room + 1);
				int length = pg_b64_encode((const void *) any->value.data, any->value.len, base64, room);

				base64[Max(length, 0)] = '\0';
				pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
				SetString(&json, "@type");
				pushJsonbValue(state, WJB_KEY, &json);
				SetString(&json, any->type_url ? any->type_url : "");
				pushJsonbValue(state, WJB_VALUE, &json);
				SetString(&json, "value");
				pushJsonbValue(state, WJB_KEY, &json);
				SetString(&json, base64);
				pushJsonbValue(state, WJB_VALUE, &json);
				pushJsonbValue(state, WJB_END_OBJECT, NULL);
				return;
			}
			break;
		default:
			break;
	}
	if (message != NULL)
	{
		initStringInfo(&text);
		if (fm_message_print_json(message, &text, &error))
		{
			char *server = pg_any_to_server(text.data, text.len, PG_UTF8);

			JsonbToJsonbValue(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(server))), &json);
		}
	}
	pushJsonbValue(state, WJB_VALUE, &json);
}

static Datum
JsonOfProperties(size_t n, PropertyEntry *const *entries)
{
	JsonbParseState *state = NULL;
	JsonbValue key;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (size_t i = 0; i < n; i++)
	{
		SetString(&key, entries[i]->key ? entries[i]->key : "");
		pushJsonbValue(&state, WJB_KEY, &key);
		PushValue(&state, entries[i]->value);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

static const char *
EnumName(const ProtobufCEnumDescriptor *descriptor, int value)
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(descriptor, value);

	return found ? found->name : psprintf("%d", value);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_nodes);

/*
 * nodes(graph lineage_graph) -> (kind text, id bigint, type text, name text, uri text, state text, external_id text,
 * properties jsonb, custom_properties jsonb, create_time_since_epoch bigint, last_update_time_since_epoch bigint)
 */
Datum
lineage_graph_nodes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Mlmd__LineageGraph *graph = PG_GETARG_LINEAGE_GRAPH(0);
	Datum context_kind = CStringGetTextDatum("context");
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "row of nodes()", ALLOCSET_DEFAULT_SIZES);

	InitMaterializedSRF(fcinfo, 0);
#define PUT_NODE(node, kind_datum, uri_string, has_state, state_name)                                                  \
	{                                                                                                                  \
		MemoryContext old_context = MemoryContextSwitchTo(row_context);                                                \
		Datum values[11];                                                                                              \
		bool nulls[11] = {false};                                                                                      \
		values[0] = kind_datum;                                                                                        \
		values[1] = Int64GetDatum((node)->id);                                                                         \
		nulls[1] = !(node)->has_id;                                                                                    \
		nulls[2] = !TextOfString((node)->type, &values[2]);                                                            \
		nulls[3] = !TextOfString((node)->name, &values[3]);                                                            \
		nulls[4] = !TextOfString(uri_string, &values[4]);                                                              \
		nulls[5] = !TextOfString((has_state) ? (state_name) : NULL, &values[5]);                                       \
		nulls[6] = !TextOfString((node)->external_id, &values[6]);                                                     \
		values[7] = JsonOfProperties((node)->n_properties, (PropertyEntry *const *) (node)->properties);               \
		values[8] = JsonOfProperties((node)->n_custom_properties, (PropertyEntry *const *) (node)->custom_properties); \
		values[9] = Int64GetDatum((node)->create_time_since_epoch);                                                    \
		nulls[9] = !(node)->has_create_time_since_epoch;                                                               \
		values[10] = Int64GetDatum((node)->last_update_time_since_epoch);                                              \
		nulls[10] = !(node)->has_last_update_time_since_epoch;                                                         \
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);                                       \
		MemoryContextSwitchTo(old_context);                                                                            \
		MemoryContextReset(row_context);                                                                               \
		CHECK_FOR_INTERRUPTS();                                                                                        \
	}
	for (size_t i = 0; i < graph->n_artifacts; i++)
		PUT_NODE(graph->artifacts[i], fm_kind_datum(FM_ARTIFACT), graph->artifacts[i]->uri,
				 graph->artifacts[i]->has_state,
				 EnumName(&mlmd__artifact__state__descriptor, graph->artifacts[i]->state))
	for (size_t i = 0; i < graph->n_executions; i++)
		PUT_NODE(graph->executions[i], fm_kind_datum(FM_EXECUTION), NULL, graph->executions[i]->has_last_known_state,
				 EnumName(&mlmd__execution__state__descriptor, graph->executions[i]->last_known_state))
	for (size_t i = 0; i < graph->n_contexts; i++)
		PUT_NODE(graph->contexts[i], context_kind, NULL, false, NULL)
#undef PUT_NODE
	return (Datum) 0;
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_edges);

/*
 * edges(graph lineage_graph) -> (source_kind text, source bigint, target_kind text, target bigint, type text, path jsonb,
 * milliseconds_since_epoch bigint)
 */
Datum
lineage_graph_edges(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Mlmd__LineageGraph *graph = PG_GETARG_LINEAGE_GRAPH(0);
	Datum kinds[2] = {fm_kind_datum(FM_EXECUTION), fm_kind_datum(FM_ARTIFACT)};

	InitMaterializedSRF(fcinfo, 0);
	for (size_t i = 0; i < graph->n_events; i++)
	{
		const Mlmd__Event *event = graph->events[i];
		bool output = (FM_OUTPUT_EVENTS & FM_EVENT_BIT((int) event->type)) != 0;
		Datum values[7];
		bool nulls[7] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = kinds[!output];
		values[1] = Int64GetDatum(output ? event->execution_id : event->artifact_id);
		nulls[1] = !(output ? event->has_execution_id : event->has_artifact_id);
		values[2] = kinds[output];
		values[3] = Int64GetDatum(output ? event->artifact_id : event->execution_id);
		nulls[3] = !(output ? event->has_artifact_id : event->has_execution_id);
		TextOfString(EnumName(&mlmd__event__type__descriptor, event->type), &values[4]);
		nulls[5] = event->path == NULL;
		if (event->path != NULL)
		{
			JsonbParseState *state = NULL;
			JsonbValue step;

			pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
			for (size_t k = 0; k < event->path->n_steps; k++)
			{
				const Mlmd__Event__Path__Step *s = event->path->steps[k];

				step.type = jbvNull;
				if (s->value_case == MLMD__EVENT__PATH__STEP__VALUE_INDEX)
				{
					step.type = jbvNumeric;
					step.val.numeric = int64_to_numeric(s->index);
				}
				else if (s->value_case == MLMD__EVENT__PATH__STEP__VALUE_KEY && s->key != NULL)
					SetString(&step, s->key);
				pushJsonbValue(&state, WJB_ELEM, &step);
			}
			values[5] = JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
		}
		values[6] = Int64GetDatum(event->milliseconds_since_epoch);
		nulls[6] = !event->has_milliseconds_since_epoch;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* ---- union and difference ---- */

/* What makes an element of a list the same as another: up to three numbers */
typedef struct ElementKey
{
	int64 parts[3];
} ElementKey;

typedef ElementKey (*KeyFunction)(const void *element);

#define KEY_OF_ID(name, Type)                                                                                          \
	static ElementKey name(const void *element)                                                                        \
	{                                                                                                                  \
		const Type *e = element;                                                                                       \
		return (ElementKey){{e->id, e->has_id, 0}};                                                                    \
	}
KEY_OF_ID(ArtifactTypeKey, Mlmd__ArtifactType)
KEY_OF_ID(ExecutionTypeKey, Mlmd__ExecutionType)
KEY_OF_ID(ContextTypeKey, Mlmd__ContextType)
KEY_OF_ID(ArtifactKey, Mlmd__Artifact)
KEY_OF_ID(ExecutionKey, Mlmd__Execution)
KEY_OF_ID(ContextKey, Mlmd__Context)

static ElementKey
EventKey(const void *element)
{
	const Mlmd__Event *e = element;

	return (ElementKey){{e->artifact_id, e->execution_id, e->type}};
}

static ElementKey
AttributionKey(const void *element)
{
	const Mlmd__Attribution *e = element;

	return (ElementKey){{e->artifact_id, e->context_id, 0}};
}

static ElementKey
AssociationKey(const void *element)
{
	const Mlmd__Association *e = element;

	return (ElementKey){{e->execution_id, e->context_id, 0}};
}

static ElementKey
ParentContextKey(const void *element)
{
	const Mlmd__ParentContext *e = element;

	return (ElementKey){{e->child_id, e->parent_id, 0}};
}

/* The lists of the message, one an entry of its descriptor */
static const struct
{
	size_t count;
	size_t list;
	KeyFunction key;
} lists[] = {
#define LIST(name, key)                                                                                                \
	{                                                                                                                  \
		offsetof(Mlmd__LineageGraph, n_##name), offsetof(Mlmd__LineageGraph, name), key                                \
	}
	LIST(artifact_types, ArtifactTypeKey),
	LIST(execution_types, ExecutionTypeKey),
	LIST(context_types, ContextTypeKey),
	LIST(artifacts, ArtifactKey),
	LIST(executions, ExecutionKey),
	LIST(contexts, ContextKey),
	LIST(events, EventKey),
	LIST(attributions, AttributionKey),
	LIST(associations, AssociationKey),
	LIST(parent_contexts, ParentContextKey)
#undef LIST
};
#define N_TYPE_LISTS 3

typedef struct SetEntry
{
	ElementKey key;
} SetEntry;

static HTAB *
NewKeySet(size_t n)
{
	HASHCTL control = {.keysize = sizeof(ElementKey), .entrysize = sizeof(SetEntry), .hcxt = CurrentMemoryContext};

	return hash_create("keys of a list", Max(n, 16), &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static size_t
ListCount(const Mlmd__LineageGraph *graph, size_t list)
{
	return *(const size_t *) ((const char *) graph + lists[list].count);
}

static void **
ListElements(const Mlmd__LineageGraph *graph, size_t list)
{
	return *(void **const *) ((const char *) graph + lists[list].list);
}

/*
 * Appends the elements whose key is not in the set yet, and adds the keys
 */
static void
KeepNew(HTAB *set, const Mlmd__LineageGraph *graph, size_t list, void **kept, size_t *n_kept)
{
	for (size_t i = 0; i < ListCount(graph, list); i++)
	{
		void *element = ListElements(graph, list)[i];
		ElementKey key = lists[list].key(element);
		bool found;

		CHECK_FOR_INTERRUPTS();
		hash_search(set, &key, HASH_ENTER, &found);
		if (!found)
			kept[(*n_kept)++] = element;
	}
}

static void
SetList(Mlmd__LineageGraph *graph, size_t list, void **elements, size_t n)
{
	*(size_t *) ((char *) graph + lists[list].count) = n;
	*(void ***) ((char *) graph + lists[list].list) = elements;
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_union);

/*
 * What is in either; of an element in both, the first graph's
 */
Datum
lineage_graph_union(PG_FUNCTION_ARGS)
{
	Mlmd__LineageGraph *a = PG_GETARG_LINEAGE_GRAPH(0);
	Mlmd__LineageGraph *b = PG_GETARG_LINEAGE_GRAPH(1);

	for (size_t list = 0; list < lengthof(lists); list++)
	{
		size_t room = ListCount(a, list) + ListCount(b, list);
		void **kept = MemoryContextAllocHuge(CurrentMemoryContext, Max(room, 1) * sizeof(void *));
		size_t n_kept = 0;
		HTAB *set = NewKeySet(room);

		KeepNew(set, a, list, kept, &n_kept);
		KeepNew(set, b, list, kept, &n_kept);
		hash_destroy(set);
		SetList(a, list, kept, n_kept);
	}
	PG_RETURN_MESSAGE(a);
}

static void
AddKey(HTAB *set, int64 id)
{
	ElementKey key = {{id, true, 0}};

	hash_search(set, &key, HASH_ENTER, NULL);
}

/*
 * Keeps of a list of types those that nodes still have
 */
static void
KeepTypesInUse(Mlmd__LineageGraph *graph, size_t list)
{
	HTAB *set = NewKeySet(16);
	void **elements = ListElements(graph, list);
	size_t n_kept = 0;

	if (list == 0)
		for (size_t i = 0; i < graph->n_artifacts; i++)
			AddKey(set, graph->artifacts[i]->type_id);
	else if (list == 1)
		for (size_t i = 0; i < graph->n_executions; i++)
			AddKey(set, graph->executions[i]->type_id);
	else
		for (size_t i = 0; i < graph->n_contexts; i++)
			AddKey(set, graph->contexts[i]->type_id);
	for (size_t i = 0; i < ListCount(graph, list); i++)
	{
		ElementKey key = lists[list].key(elements[i]);

		if (hash_search(set, &key, HASH_FIND, NULL) != NULL)
			elements[n_kept++] = elements[i];
	}
	hash_destroy(set);
	SetList(graph, list, elements, n_kept);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_difference);

/*
 * What is in the first and not in the second; types go with the nodes that have them
 */
Datum
lineage_graph_difference(PG_FUNCTION_ARGS)
{
	Mlmd__LineageGraph *a = PG_GETARG_LINEAGE_GRAPH(0);
	Mlmd__LineageGraph *b = PG_GETARG_LINEAGE_GRAPH(1);

	for (size_t list = N_TYPE_LISTS; list < lengthof(lists); list++)
	{
		size_t room = ListCount(a, list) + ListCount(b, list);
		void **kept = MemoryContextAllocHuge(CurrentMemoryContext, Max(room, 1) * sizeof(void *));
		size_t n_kept = 0;
		HTAB *set = NewKeySet(room);

		KeepNew(set, b, list, kept, &n_kept);
		n_kept = 0;
		KeepNew(set, a, list, kept, &n_kept);
		hash_destroy(set);
		SetList(a, list, kept, n_kept);
	}
	for (size_t list = 0; list < N_TYPE_LISTS; list++)
		KeepTypesInUse(a, list);
	PG_RETURN_MESSAGE(a);
}
