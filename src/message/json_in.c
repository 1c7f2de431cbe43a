/*
 * JSON to messages, by protobuf's JSON mapping
 *
 * Takes what Python's json_format.ParseDict takes: original and camel-case names, 64-bit integers as strings or
 * numbers, enums by name or number. Stricter: a bytes field holds base64 and nothing else, a string that stands for a
 * number holds it and nothing else, true is no number, and a number that overflows a floating point field is refused.
 */
#include "message/json_tree.h"

#include <ctype.h>
#include <math.h>

#include "common/base64.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/struct.pb-c.h"

/* Where a value stands: a member of an object, or an element of an array */
typedef struct JsonPath
{
	const struct JsonPath *parent; /* NULL: the whole text */
	const char *name;			   /* NULL: an element */
	size_t index;
} JsonPath;

typedef struct JsonReader
{
	FmBudget budget;
	FmError *error;
} JsonReader;

static bool convert_message(JsonReader *reader, const FmJson *json, ProtobufCMessage *message, const JsonPath *path,
							int depth);
static bool convert_fields(JsonReader *reader, const FmJson *json, ProtobufCMessage *message, const JsonPath *path,
						   int depth, bool in_any);

static void
append_path(StringInfo out, const JsonPath *path)
{
	bool plain = true;

	if (path->parent == NULL)
	{
		appendStringInfoChar(out, '$');
		return;
	}
	append_path(out, path->parent);
	if (path->name == NULL)
	{
		appendStringInfo(out, "[%zu]", path->index);
		return;
	}
	for (const char *p = path->name; *p != '\0'; p++)
		if (!isalnum((unsigned char) *p) && *p != '_')
			plain = false;
	appendStringInfo(out, plain && path->name[0] != '\0' ? ".%s" : ".\"%s\"",
					 fm_excerpt(path->name, strlen(path->name)));
}

static bool json_error(JsonReader *reader, const JsonPath *path, const char *what, ...) pg_attribute_printf(3, 4);

static bool
json_error(JsonReader *reader, const JsonPath *path, const char *what, ...)
{
	if (reader->error->sqlstate == 0)
	{
		char *text;
		StringInfoData place;
		va_list args;

		va_start(args, what);
		text = fm_format(what, args);
		va_end(args);
		initStringInfo(&place);
		append_path(&place, path);
		fm_fail(reader->error, ERRCODE_INVALID_TEXT_REPRESENTATION, "invalid JSON form of a protobuf message");
		fm_fail_detail(reader->error, "JSON path %s: %s.", place.data, text);
	}
	return false;
}

/*
 * What a JSON value is, for an error
 */
static const char *
describe(const FmJson *json)
{
	switch (json->type)
	{
		case FM_JSON_NULL:
			return "null";
		case FM_JSON_FALSE:
			return "false";
		case FM_JSON_TRUE:
			return "true";
		case FM_JSON_NUMBER:
			return psprintf("the number %s", fm_excerpt(json->text, strlen(json->text)));
		case FM_JSON_STRING:
			return psprintf("the string \"%s\"", fm_excerpt(json->text, strlen(json->text)));
		case FM_JSON_ARRAY:
			return "an array";
		case FM_JSON_OBJECT:
			return "an object";
	}
	return "";
}

static bool
check_depth(JsonReader *reader, const JsonPath *path, int depth)
{
	StringInfoData place;

	if (depth <= FM_MAX_MESSAGE_DEPTH)
		return true;
	initStringInfo(&place);
	append_path(&place, path);
	fm_fail(reader->error, ERRCODE_STATEMENT_TOO_COMPLEX, "message is nested too deeply");
	fm_fail_detail(reader->error, "JSON path %s: more than %d messages inside one another.", place.data,
				   FM_MAX_MESSAGE_DEPTH);
	return false;
}

/*
 * Is the name the camel-case form of the field's: without underscores, the letter after one being upper case
 */
static bool
is_camel_case_of(const char *name, const char *field)
{
	bool upper = false;

	for (; *field != '\0'; field++)
	{
		if (*field == '_')
			upper = true;
		else
		{
			if (*name++ != (upper && islower((unsigned char) *field) ? toupper((unsigned char) *field) : *field))
				return false;
			upper = false;
		}
	}
	return *name == '\0';
}

static const ProtobufCFieldDescriptor *
find_field(const ProtobufCMessageDescriptor *descriptor, const char *name)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(descriptor, name);

	for (unsigned i = 0; field == NULL && i < descriptor->n_fields; i++)
		if (is_camel_case_of(name, descriptor->fields[i].name))
			field = &descriptor->fields[i];
	return field;
}

/*
 * An integer: a number, also in the form 1.5e3 if it is whole, or a string of digits
 */
static bool
read_integer(const FmJson *json, ProtobufCType type, bool *negative, uint64 *magnitude, bool *in_range)
{
	size_t length;
	bool overflow = false;

	if (json->type != FM_JSON_NUMBER && json->type != FM_JSON_STRING)
		return false;
	length = strlen(json->text);
	if (json->type == FM_JSON_NUMBER && strpbrk(json->text, ".eE") != NULL)
	{
		double value = strtod(json->text, NULL);

		if (value != floor(value) && !isinf(value))
			return false;
		*negative = value < 0;
		*in_range = fabs(value) < 18446744073709551616.0;
		*magnitude = *in_range ? (uint64) fabs(value) : 0;
	}
	else
	{
		const char *digits = json->text + (json->text[0] == '-' || json->text[0] == '+');

		if (digits[0] == '\0' || strspn(digits, "0123456789") != length - (digits - json->text))
			return false;
		digits += strspn(digits, "0");
		*negative = json->text[0] == '-';
		*magnitude = 0;
		if (digits[0] != '\0')
		{
			bool ignored;

			(void) fm_read_integer(digits, strlen(digits), false, &ignored, magnitude, &overflow);
		}
		*in_range = !overflow;
	}
	*in_range = *in_range && fm_integer_in_range(type, *negative, *magnitude);
	return true;
}

static bool
convert_double(JsonReader *reader, const FmJson *json, ProtobufCType type, double *value, const JsonPath *path)
{
	bool word = false;

	if (json->type == FM_JSON_STRING)
	{
		word = strcmp(json->text, "NaN") == 0 || strcmp(json->text, "Infinity") == 0 ||
			   strcmp(json->text, "-Infinity") == 0;
		if (!fm_read_double(json->text, strlen(json->text), value) ||
			(!word && !isfinite(*value) && strpbrk(json->text, "0123456789") == NULL))
			return json_error(reader, path, "%s is not a number (\"NaN\", \"Infinity\" and \"-Infinity\" are)",
							  describe(json));
	}
	else if (json->type == FM_JSON_NUMBER)
		*value = strtod(json->text, NULL);
	else
		return json_error(reader, path, "expected a number but found %s", describe(json));
	if (!word && (isinf(*value) || (type == PROTOBUF_C_TYPE_FLOAT && isinf((float) *value))))
		return json_error(reader, path, "%s is out of range", describe(json));
	return true;
}

/*
 * Bytes in base64, in either alphabet, padded or not
 */
static bool
convert_bytes(JsonReader *reader, const FmJson *json, ProtobufCBinaryData *data, const JsonPath *path)
{
	size_t length = strlen(json->text);
	char *base64 = palloc(length + 4);
	int size;

	memcpy(base64, json->text, length);
	while (length > 0 && base64[length - 1] == '=')
		length--;
	for (size_t i = 0; i < length; i++)
	{
		if (base64[i] == '-')
			base64[i] = '+';
		else if (base64[i] == '_')
			base64[i] = '/';
		else if (!isalnum((unsigned char) base64[i]) && base64[i] != '+' && base64[i] != '/')
			return json_error(reader, path, "the string is not base64");
	}
	while (length % 4 != 0)
		base64[length++] = '=';
	if (length > PG_INT32_MAX / 2 || !fm_budget_take(&reader->budget, length))
		return json_error(reader, path, "the string is too long");
	size = pg_b64_dec_len((int) length);
	data->data = palloc(size + 1);
	size = pg_b64_decode(base64, (int) length, (void *) data->data, size);
	if (size < 0)
		return json_error(reader, path, "the string is not base64");
	data->len = size;
	pfree(base64);
	return true;
}

/*
 * Puts a value that is no message into the field
 */
static bool
convert_scalar(JsonReader *reader, const FmJson *json, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
			   const JsonPath *path)
{
	void *slot = NULL;

	switch (field->type)
	{
		case PROTOBUF_C_TYPE_FLOAT:
		case PROTOBUF_C_TYPE_DOUBLE:
		{
			double value = 0;

			if (!convert_double(reader, json, field->type, &value, path) ||
				(slot = fm_field_slot(message, field, &reader->budget)) == NULL)
				return false;
			if (field->type == PROTOBUF_C_TYPE_FLOAT)
				*(float *) slot = (float) value;
			else
				*(double *) slot = value;
			return true;
		}
		case PROTOBUF_C_TYPE_BOOL:
			if (json->type != FM_JSON_TRUE && json->type != FM_JSON_FALSE)
				return json_error(reader, path, "expected true or false but found %s", describe(json));
			if ((slot = fm_field_slot(message, field, &reader->budget)) == NULL)
				return false;
			*(protobuf_c_boolean *) slot = json->type == FM_JSON_TRUE;
			return true;
		case PROTOBUF_C_TYPE_STRING:
		case PROTOBUF_C_TYPE_BYTES:
		{
			ProtobufCBinaryData data = {0};

			if (json->type != FM_JSON_STRING)
				return json_error(reader, path, "expected a string but found %s", describe(json));
			if (field->type == PROTOBUF_C_TYPE_BYTES && !convert_bytes(reader, json, &data, path))
				return false;
			if ((slot = fm_field_slot(message, field, &reader->budget)) == NULL)
				return false;
			if (field->type == PROTOBUF_C_TYPE_BYTES)
				*(ProtobufCBinaryData *) slot = data;
			else
				*(const char **) slot = json->text;
			return true;
		}
		case PROTOBUF_C_TYPE_ENUM:
		{
			const ProtobufCEnumDescriptor *type = FM_ENUM_DESCRIPTOR(field);
			const ProtobufCEnumValue *found = NULL;
			bool negative;
			uint64 magnitude;
			bool in_range;
			int32 number;

			if (json->type == FM_JSON_STRING)
				found = protobuf_c_enum_descriptor_get_value_by_name(type, json->text);
			if (found != NULL)
				number = found->value;
			else if (!read_integer(json, PROTOBUF_C_TYPE_INT32, &negative, &magnitude, &in_range))
			{
				json_error(reader, path, "enum %s has no value like %s", type->name, describe(json));
				if (json->type == FM_JSON_STRING)
					fm_hint_enum(reader->error, type, json->text, strlen(json->text));
				return false;
			}
			else
			{
				number = (int32) (negative ? 0 - magnitude : magnitude);
				if (!in_range || (protobuf_c_enum_descriptor_get_value(type, number) == NULL &&
								  !fm_enum_is_open(message->descriptor)))
					return json_error(reader, path, "enum %s has no value with the number %s", type->name,
									  fm_excerpt(json->text, strlen(json->text)));
			}
			if ((slot = fm_field_slot(message, field, &reader->budget)) == NULL)
				return false;
			*(int32 *) slot = number;
			return true;
		}
		default:
		{
			bool negative;
			uint64 magnitude;
			bool in_range;

			if (!read_integer(json, field->type, &negative, &magnitude, &in_range))
				return json_error(reader, path, "expected an integer but found %s", describe(json));
			if (!in_range)
				return json_error(reader, path, "%s is out of range", describe(json));
			if ((slot = fm_field_slot(message, field, &reader->budget)) == NULL)
				return false;
			(void) fm_store_integer(field, slot, negative, magnitude);
			return true;
		}
	}
}

/*
 * Puts a value into the field: the value of a singular one, an element of a repeated one
 */
static bool
convert_value(JsonReader *reader, const FmJson *json, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
			  const JsonPath *path, int depth)
{
	ProtobufCMessage *sub;

	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return convert_scalar(reader, json, message, field, path);
	sub = fm_field_add_message(message, field, &reader->budget);
	return sub != NULL && convert_message(reader, json, sub, path, depth + 1);
}

/*
 * Puts the members of an object into the map, keys being strings whatever their type
 */
static bool
convert_map(JsonReader *reader, const FmJson *json, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
			const JsonPath *path, int depth)
{
	size_t n;

	if (json->type != FM_JSON_OBJECT)
		return json_error(reader, path, "expected an object but found %s", describe(json));
	for (size_t i = 0; i < json->n; i++)
	{
		JsonPath place = {path, json->names[i], 0};
		FmJson key = {.type = FM_JSON_STRING, .text = json->names[i]};
		ProtobufCMessage *entry;
		const ProtobufCFieldDescriptor *parts;

		CHECK_FOR_INTERRUPTS();
		if (!check_depth(reader, &place, depth + 1) ||
			(entry = fm_field_add_message(message, field, &reader->budget)) == NULL)
			return false;
		parts = entry->descriptor->fields;
		if (parts[0].type == PROTOBUF_C_TYPE_BOOL)
			key.type = strcmp(key.text, "true") == 0	? FM_JSON_TRUE
					   : strcmp(key.text, "false") == 0 ? FM_JSON_FALSE
														: FM_JSON_STRING;
		if (!convert_scalar(reader, &key, entry, &parts[0], &place) ||
			!convert_value(reader, &json->items[i], entry, &parts[1], &place, depth + 1))
			return false;
	}
	(void) fm_map_entries(message, field, FM_TEXT_ORDER, &n);
	if (n < json->n)
		return json_error(reader, path, "a key stands twice in the object");
	return true;
}

/*
 * google.protobuf.Any: its type in "@type", beside the message's own fields
 */
static bool
convert_any(JsonReader *reader, const FmJson *json, Gpb__Any *any, const JsonPath *path, int depth)
{
	const FmJson *url = NULL;
	const FmJson *value = NULL;
	const ProtobufCMessageDescriptor *descriptor;
	const char *name;
	ProtobufCMessage *message;
	size_t size;

	if (json->type != FM_JSON_OBJECT)
		return json_error(reader, path, "expected an object but found %s", describe(json));
	if (json->n == 0)
		return true;
	for (size_t i = 0; i < json->n; i++)
	{
		if (strcmp(json->names[i], "value") == 0)
			value = &json->items[i];
		if (strcmp(json->names[i], "@type") != 0)
			continue;
		if (url != NULL)
			return json_error(reader, path, "the object has more than one \"@type\"");
		url = &json->items[i];
	}
	if (url == NULL || url->type != FM_JSON_STRING)
		return json_error(reader, path, "the object has no string \"@type\", which google.protobuf.Any needs");
	name = strrchr(url->text, '/');
	name = name ? name + 1 : url->text;
	descriptor = fm_find_message(name, strlen(name));
	if (descriptor == NULL)
		return json_error(reader, path, "message type \"%s\" is not known", fm_excerpt(name, strlen(name)));
	if (!fm_budget_take(&reader->budget, descriptor->sizeof_message))
		return false;
	message = fm_message_new(descriptor);
	if (fm_json_is_special(descriptor))
	{
		JsonPath place = {path, "value", 0};

		if (value == NULL || json->n != 2)
			return json_error(reader, path, "the object of type %s has to hold \"@type\" and \"value\"",
							  descriptor->name);
		if (!convert_message(reader, value, message, &place, depth + 1))
			return false;
	}
	else if (!check_depth(reader, path, depth + 1) || !convert_fields(reader, json, message, path, depth + 1, true))
		return false;
	any->type_url = (char *) url->text;
	any->value.data = fm_message_pack(message, &size);
	any->value.len = size;
	return fm_budget_take(&reader->budget, size);
}

/*
 * google.protobuf.Value: any JSON as it is
 */
static bool
convert_json_value(JsonReader *reader, const FmJson *json, Gpb__Value *value, const JsonPath *path, int depth)
{
	const ProtobufCMessageDescriptor *descriptor = &gpb__value__descriptor;

	switch (json->type)
	{
		case FM_JSON_NULL:
			value->kind_case = GPB__VALUE__KIND_NULL_VALUE;
			return true;
		case FM_JSON_FALSE:
		case FM_JSON_TRUE:
			value->kind_case = GPB__VALUE__KIND_BOOL_VALUE;
			value->bool_value = json->type == FM_JSON_TRUE;
			return true;
		case FM_JSON_STRING:
			value->kind_case = GPB__VALUE__KIND_STRING_VALUE;
			value->string_value = (char *) json->text;
			return true;
		case FM_JSON_NUMBER:
			value->kind_case = GPB__VALUE__KIND_NUMBER_VALUE;
			return convert_double(reader, json, PROTOBUF_C_TYPE_DOUBLE, &value->number_value, path);
		case FM_JSON_OBJECT:
		case FM_JSON_ARRAY:
			return convert_value(reader, json, &value->base,
								 protobuf_c_message_descriptor_get_field_by_name(
									 descriptor, json->type == FM_JSON_OBJECT ? "struct_value" : "list_value"),
								 path, depth);
	}
	return false;
}

/*
 * The members of an object to the fields of a message that has no form of its own; in an Any "@type" is none of them
 */
static bool
convert_fields(JsonReader *reader, const FmJson *json, ProtobufCMessage *message, const JsonPath *path, int depth,
			   bool in_any)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	bool *seen;

	CHECK_FOR_INTERRUPTS();
	if (json->type != FM_JSON_OBJECT)
		return json_error(reader, path, "expected an object but found %s", describe(json));
	seen = palloc0(descriptor->n_fields + 1);
	for (size_t i = 0; i < json->n; i++)
	{
		const char *name = json->names[i];
		const FmJson *value = &json->items[i];
		const ProtobufCFieldDescriptor *field;
		JsonPath place = {path, name, 0};

		if (in_any && strcmp(name, "@type") == 0)
			continue;
		field = find_field(descriptor, name);
		if (field == NULL)
		{
			json_error(reader, &place, "message %s has no field \"%s\"", descriptor->short_name,
					   fm_excerpt(name, strlen(name)));
			fm_hint_field(reader->error, descriptor, name, strlen(name));
			return false;
		}
		if (seen[field - descriptor->fields])
			return json_error(reader, &place, "message %s has more than one field \"%s\"", descriptor->short_name,
							  field->name);
		seen[field - descriptor->fields] = true;

		/* null is no value, except where null is a value */
		if (value->type == FM_JSON_NULL &&
			(field->label == PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE ||
			 FM_MESSAGE_DESCRIPTOR(field) != &gpb__value__descriptor))
			continue;
		if (FM_IS_ONEOF(field) && FM_ONEOF_CASE(message, field) != 0)
			return json_error(
				reader, &place, "field \"%s\" excludes field \"%s\", another member of the same oneof of message %s",
				field->name, protobuf_c_message_descriptor_get_field(descriptor, FM_ONEOF_CASE(message, field))->name,
				descriptor->short_name);

		if (fm_field_is_map(field))
		{
			if (!convert_map(reader, value, message, field, &place, depth))
				return false;
		}
		else if (field->label == PROTOBUF_C_LABEL_REPEATED)
		{
			if (value->type != FM_JSON_ARRAY)
				return json_error(reader, &place, "expected an array but found %s", describe(value));
			for (size_t j = 0; j < value->n; j++)
			{
				JsonPath element = {&place, NULL, j};

				if (!convert_value(reader, &value->items[j], message, field, &element, depth))
					return false;
			}
		}
		else if (!convert_value(reader, value, message, field, &place, depth))
			return false;
	}
	pfree(seen);
	return true;
}

static bool
convert_message(JsonReader *reader, const FmJson *json, ProtobufCMessage *message, const JsonPath *path, int depth)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;

	if (!check_depth(reader, path, depth))
		return false;
	if (descriptor == &gpb__any__descriptor)
		return convert_any(reader, json, (Gpb__Any *) message, path, depth);
	if (descriptor == &gpb__value__descriptor)
		return convert_json_value(reader, json, (Gpb__Value *) message, path, depth);
	if (descriptor == &gpb__struct__descriptor)
		return convert_map(reader, json, message, &descriptor->fields[0], path, depth);
	if (descriptor == &gpb__list_value__descriptor)
	{
		if (json->type != FM_JSON_ARRAY)
			return json_error(reader, path, "expected an array but found %s", describe(json));
		for (size_t i = 0; i < json->n; i++)
		{
			JsonPath element = {path, NULL, i};

			CHECK_FOR_INTERRUPTS();
			if (!convert_value(reader, &json->items[i], message, &descriptor->fields[0], &element, depth))
				return false;
		}
		return true;
	}
	return convert_fields(reader, json, message, path, depth, false);
}

ProtobufCMessage *
fm_message_parse_json(const ProtobufCMessageDescriptor *descriptor, const char *text, size_t size, FmError *error)
{
	JsonReader reader = {.budget = fm_budget(size, error), .error = error};
	JsonPath root = {0};
	FmJson json;
	ProtobufCMessage *message;

	if (!fm_json_parse(text, size, &json, &reader.budget))
		return NULL;
	message = fm_message_new(descriptor);
	return convert_message(&reader, &json, message, &root, 0) ? message : NULL;
}
