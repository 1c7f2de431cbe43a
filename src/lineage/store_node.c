/*
 * Nodes (artifacts, executions, contexts): reading them from jsonb
 *
 * A node's JSON has the fields of the row that get_artifacts() gives, so what was got can be put.
 */
#include "lineage/store.h"

#include "metadata_store.pb-c.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

void
fm_node_init(FmNode *node, FmNodeKind kind, const char *place)
{
	memset(node, 0, sizeof(FmNode));
	node->kind = kind;
	node->place = place;
	node->state = -1;
	node->last_update_time = -1;
}

bool
fm_node_is_reference(const FmNode *node)
{
	return node->id != 0 && !node->type && node->type_id == 0 && node->state < 0 && !node->name && !node->uri &&
		   !node->external_id && !node->properties && !node->custom_properties && node->n_values == 0 &&
		   !node->replace && !node->touch && node->last_update_time < 0;
}

static void
wrong_type(const char *place, const char *field, const char *expected)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("wrong JSON for a node or an event"),
					errdetail("%s: \"%s\" has to be %s.", place, field, expected)));
}

static char *
json_text(const JsonbValue *json, const char *place, const char *field)
{
	if (json->type != jbvString)
		wrong_type(place, field, "a string");
	return pnstrdup(json->val.string.val, json->val.string.len);
}

int64
fm_json_int64(const JsonbValue *json, const char *place, const char *field)
{
	char *digits = NULL;

	if (json->type == jbvString)
		digits = json_text(json, place, field);
	else if (json->type == jbvNumeric)
		digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(json->val.numeric)));
	if (digits == NULL || *digits == '\0' || digits[strspn(digits, "-0123456789")] != '\0')
		wrong_type(place, field, "an integer");
	return DatumGetInt64(DirectFunctionCall1(int8in, CStringGetDatum(digits)));
}

static JsonbContainer *
object_of(const JsonbValue *json, const char *place, const char *field)
{
	if (json->type != jbvBinary || !JsonContainerIsObject(json->val.binary.data))
		wrong_type(place, field, "an object");
	return json->val.binary.data;
}

static int
enum_number(const ProtobufCEnumDescriptor *descriptor, const char *what, const char *name, const char *place)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(descriptor, name);
	StringInfoData names;

	if (value == NULL && *name != '\0' && name[strspn(name, "0123456789")] == '\0' && strlen(name) < 10)
		value = protobuf_c_enum_descriptor_get_value(descriptor, atoi(name));
	if (value != NULL)
		return value->value;
	initStringInfo(&names);
	for (unsigned i = 0; i < descriptor->n_values; i++)
		appendStringInfo(&names, "%s%s", i == 0 ? "" : ", ", descriptor->values[i].name);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown %s \"%s\"", what, name),
					place ? errdetail("It is that of %s.", place) : 0, errhint("Values are %s.", names.data)));
	return 0;
}

int
fm_state_number(FmNodeKind kind, const char *name, const char *place)
{
	if (kind == FM_CONTEXT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a context has no state")));
	return kind == FM_ARTIFACT ? enum_number(&mlmd__artifact__state__descriptor, "state of an artifact", name, place)
							   : enum_number(&mlmd__execution__state__descriptor, "state of an execution", name, place);
}

int
fm_event_type_number(const char *name, const char *place)
{
	return enum_number(&mlmd__event__type__descriptor, "type of an event", name, place);
}

static char *
enum_text(const JsonbValue *json, const char *place, const char *field)
{
	return json->type == jbvNumeric ? psprintf(INT64_FORMAT, fm_json_int64(json, place, field))
									: json_text(json, place, field);
}

void
fm_node_from_json(const JsonbValue *json, FmNode *node, FmEvent *event)
{
	const char *place = node->place;
	JsonbIterator *it = JsonbIteratorInit(object_of(json, place, "node"));
	JsonbIteratorToken token;
	JsonbValue item;

	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		char *field;

		if (token != WJB_KEY)
			continue;
		field = pnstrdup(item.val.string.val, item.val.string.len);
		JsonbIteratorNext(&it, &item, true);
		if (item.type == jbvNull || strcmp(field, "create_time_since_epoch") == 0)
			continue;
		else if (strcmp(field, "id") == 0)
		{
			node->id = fm_json_int64(&item, place, field);
			if (node->id <= 0)
				wrong_type(place, field, "positive");
		}
		else if (strcmp(field, "type") == 0)
			node->type = json_text(&item, place, field);
		else if (strcmp(field, "type_version") == 0)
			node->type_version = json_text(&item, place, field);
		else if (strcmp(field, "type_id") == 0)
			node->type_id = fm_json_int64(&item, place, field);
		else if (strcmp(field, "name") == 0)
			node->name = json_text(&item, place, field);
		else if (strcmp(field, "uri") == 0 && node->kind == FM_ARTIFACT)
			node->uri = json_text(&item, place, field);
		else if (strcmp(field, "external_id") == 0)
			node->external_id = json_text(&item, place, field);
		else if (node->kind != FM_CONTEXT && (strcmp(field, "state") == 0 ||
											  (strcmp(field, "last_known_state") == 0 && node->kind == FM_EXECUTION)))
			node->state = fm_state_number(node->kind, enum_text(&item, place, field), place);
		else if (strcmp(field, "properties") == 0)
			node->properties = object_of(&item, place, field);
		else if (strcmp(field, "custom_properties") == 0)
			node->custom_properties = object_of(&item, place, field);
		else if (strcmp(field, "last_update_time_since_epoch") == 0)
			node->last_update_time = fm_json_int64(&item, place, field);
		else if (strcmp(field, "replace") == 0 && item.type == jbvBool)
			node->replace = item.val.boolean;
		else if (strcmp(field, "event") == 0 && event != NULL)
			fm_event_from_json(&item, place, event);
		else
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("%s has no field \"%s\"", fm_kind_name(node->kind), field),
							errdetail("It is in %s.", place)));
	}
	if (node->id == 0)
		node->last_update_time = -1;
}

void
fm_event_init(FmEvent *event, int type)
{
	memset(event, 0, sizeof(FmEvent));
	event->type = type;
	event->time = -1;
}

/*
 * ["examples", 0, {"key": "x"}, {"index": 1}]: strings are keys, numbers indexes; {"steps": [..]} is the same
 */
void
fm_event_path_from_json(JsonbContainer *json, const char *place, FmEvent *event)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue item;

	if (JsonContainerIsObject(json))
	{
		JsonbValue key = {.type = jbvString};
		JsonbValue *steps;

		key.val.string.val = "steps";
		key.val.string.len = strlen("steps");
		steps = findJsonbValueFromContainer(json, JB_FOBJECT, &key);
		if (steps == NULL || steps->type != jbvBinary || !JsonContainerIsArray(steps->val.binary.data))
			wrong_type(place, "path", "an array of steps");
		json = steps->val.binary.data;
	}
	if (!JsonContainerIsArray(json) || JsonContainerIsScalar(json))
		wrong_type(place, "path", "an array of steps");
	event->step_indexes = palloc0(sizeof(int64) * JsonContainerSize(json));
	event->step_keys = palloc0(sizeof(char *) * JsonContainerSize(json));
	it = JsonbIteratorInit(json);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		int i = event->n_steps;

		if (token != WJB_ELEM)
			continue;
		if (item.type == jbvString)
			event->step_keys[i] = json_text(&item, place, "key");
		else if (item.type == jbvNumeric)
			event->step_indexes[i] = fm_json_int64(&item, place, "index");
		else
		{
			JsonbIterator *step = JsonbIteratorInit(object_of(&item, place, "step"));
			bool known = false;

			while ((token = JsonbIteratorNext(&step, &item, true)) != WJB_DONE)
			{
				if (token != WJB_KEY)
					continue;
				known = true;
				if (item.val.string.len == 3 && memcmp(item.val.string.val, "key", 3) == 0)
				{
					JsonbIteratorNext(&step, &item, true);
					event->step_keys[i] = json_text(&item, place, "key");
				}
				else if (item.val.string.len == 5 && memcmp(item.val.string.val, "index", 5) == 0)
				{
					JsonbIteratorNext(&step, &item, true);
					event->step_indexes[i] = fm_json_int64(&item, place, "index");
				}
				else
					wrong_type(place, "step", "a key or an index");
			}
			if (!known)
				wrong_type(place, "step", "a key or an index");
		}
		event->n_steps++;
	}
}

void
fm_event_from_json(const JsonbValue *json, const char *place, FmEvent *event)
{
	JsonbIterator *it = JsonbIteratorInit(object_of(json, place, "event"));
	JsonbIteratorToken token;
	JsonbValue item;

	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		char *field;

		if (token != WJB_KEY)
			continue;
		field = pnstrdup(item.val.string.val, item.val.string.len);
		JsonbIteratorNext(&it, &item, true);
		if (item.type == jbvNull || strcmp(field, "id") == 0)
			continue;
		else if (strcmp(field, "type") == 0)
			event->type = fm_event_type_number(enum_text(&item, place, field), place);
		else if (strcmp(field, "artifact_id") == 0)
			event->artifact_id = fm_json_int64(&item, place, field);
		else if (strcmp(field, "execution_id") == 0)
			event->execution_id = fm_json_int64(&item, place, field);
		else if (strcmp(field, "milliseconds_since_epoch") == 0)
			event->time = fm_json_int64(&item, place, field);
		else if (strcmp(field, "path") == 0)
		{
			if (item.type != jbvBinary)
				wrong_type(place, field, "an array of steps");
			fm_event_path_from_json(item.val.binary.data, place, event);
		}
		else
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("event has no field \"%s\"", field),
							errdetail("It is in %s.", place)));
	}
}
