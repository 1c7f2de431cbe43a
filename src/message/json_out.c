/*
 * Messages to JSON, by protobuf's JSON mapping: as Python's json_format.MessageToJson with preserving_proto_field_name
 */
#include "message/message_internal.h"

#include <math.h>

#include "common/base64.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/struct.pb-c.h"

typedef struct JsonPrinter
{
	StringInfo out;
	FmError *error;
} JsonPrinter;

static bool print_message(JsonPrinter *printer, const ProtobufCMessage *message, int depth);

bool
fm_json_is_special(const ProtobufCMessageDescriptor *descriptor)
{
	return descriptor == &gpb__any__descriptor || descriptor == &gpb__struct__descriptor ||
		   descriptor == &gpb__value__descriptor || descriptor == &gpb__list_value__descriptor;
}

static void
print_string(StringInfo out, const char *string)
{
	const char *p = string ? string : "";

	appendStringInfoChar(out, '"');
	while (*p != '\0')
	{
		const char *run = p;

		while ((unsigned char) *p >= ' ' && *p != '"' && *p != '\\')
			p++;
		appendBinaryStringInfo(out, run, (int) (p - run));
		if (*p == '\0')
			break;
		if (*p == '"' || *p == '\\')
		{
			appendStringInfoChar(out, '\\');
			appendStringInfoChar(out, *p);
		}
		else
			appendStringInfo(out, "\\u%04x", *p);
		p++;
	}
	appendStringInfoChar(out, '"');
}

static void
print_double(StringInfo out, double value, bool is_float)
{
	char number[FM_NUMBER_LENGTH];

	if (isnan(value))
		appendStringInfoString(out, "\"NaN\"");
	else if (isinf(value))
		appendStringInfoString(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
	else
	{
		if (is_float)
			(void) fm_print_float((float) value, number);
		else
			(void) fm_print_double(value, number);
		appendStringInfoString(out, number);
	}
}

/*
 * Prints one value of the field
 */
static bool
print_value(JsonPrinter *printer, const ProtobufCFieldDescriptor *field, const void *slot, int depth)
{
	StringInfo out = printer->out;

	switch (field->type)
	{
		case PROTOBUF_C_TYPE_INT32:
		case PROTOBUF_C_TYPE_SINT32:
		case PROTOBUF_C_TYPE_SFIXED32:
			appendStringInfo(out, "%d", *(const int32 *) slot);
			break;
		case PROTOBUF_C_TYPE_UINT32:
		case PROTOBUF_C_TYPE_FIXED32:
			appendStringInfo(out, "%u", *(const uint32 *) slot);
			break;
		case PROTOBUF_C_TYPE_INT64:
		case PROTOBUF_C_TYPE_SINT64:
		case PROTOBUF_C_TYPE_SFIXED64:
			appendStringInfo(out, "\"%lld\"", (long long) *(const int64 *) slot);
			break;
		case PROTOBUF_C_TYPE_UINT64:
		case PROTOBUF_C_TYPE_FIXED64:
			appendStringInfo(out, "\"%llu\"", (unsigned long long) *(const uint64 *) slot);
			break;
		case PROTOBUF_C_TYPE_FLOAT:
			print_double(out, *(const float *) slot, true);
			break;
		case PROTOBUF_C_TYPE_DOUBLE:
			print_double(out, *(const double *) slot, false);
			break;
		case PROTOBUF_C_TYPE_BOOL:
			appendStringInfoString(out, *(const protobuf_c_boolean *) slot ? "true" : "false");
			break;
		case PROTOBUF_C_TYPE_ENUM:
		{
			const ProtobufCEnumValue *value =
				protobuf_c_enum_descriptor_get_value(FM_ENUM_DESCRIPTOR(field), *(const int32 *) slot);

			if (value != NULL)
				print_string(out, value->name);
			else
				appendStringInfo(out, "%d", *(const int32 *) slot);
			break;
		}
		case PROTOBUF_C_TYPE_STRING:
			print_string(out, *(const char *const *) slot);
			break;
		case PROTOBUF_C_TYPE_BYTES:
		{
			const ProtobufCBinaryData *data = slot;

			appendStringInfoChar(out, '"');
			if (data->len > 0)
			{
				int size = pg_b64_enc_len((int) data->len);

				enlargeStringInfo(out, size + 1);
				out->len += pg_b64_encode((const void *) data->data, (int) data->len, out->data + out->len, size);
			}
			appendStringInfoChar(out, '"');
			break;
		}
		case PROTOBUF_C_TYPE_MESSAGE:
			if (*(ProtobufCMessage *const *) slot == NULL)
				appendStringInfoString(out, "{}");
			else
				return print_message(printer, *(ProtobufCMessage *const *) slot, depth + 1);
			break;
	}
	return true;
}

/*
 * Prints a map as an object; keys that are numbers between quotes too
 */
static bool
print_map(JsonPrinter *printer, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, int depth)
{
	StringInfo out = printer->out;
	size_t n;
	ProtobufCMessage **entries = fm_map_entries(message, field, FM_TEXT_ORDER, &n);

	appendStringInfoChar(out, '{');
	for (size_t i = 0; i < n; i++)
	{
		const ProtobufCFieldDescriptor *parts = entries[i]->descriptor->fields;
		size_t start;

		if (i > 0)
			appendStringInfoChar(out, ',');
		start = out->len;
		(void) print_value(printer, &parts[0], FM_MEMBER(void, entries[i], &parts[0]), depth);
		if (out->data[start] != '"')
		{
			char *key = pstrdup(out->data + start);

			out->len = (int) start;
			print_string(out, key);
		}
		appendStringInfoChar(out, ':');
		if (!print_value(printer, &parts[1], FM_MEMBER(void, entries[i], &parts[1]), depth + 1))
			return false;
	}
	appendStringInfoChar(out, '}');
	return true;
}

/*
 * Prints the fields of a message that has no form of its own, after what is in the object already
 */
static bool
print_fields(JsonPrinter *printer, const ProtobufCMessage *message, int depth)
{
	StringInfo out = printer->out;

	CHECK_FOR_INTERRUPTS();
	for (unsigned i = 0; i < message->descriptor->n_fields; i++)
	{
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

		if (!fm_field_is_set(message, field))
			continue;
		if (out->data[out->len - 1] != '{')
			appendStringInfoChar(out, ',');
		print_string(out, field->name);
		appendStringInfoChar(out, ':');
		if (fm_field_is_map(field))
		{
			if (!print_map(printer, message, field, depth))
				return false;
		}
		else if (field->label == PROTOBUF_C_LABEL_REPEATED)
		{
			appendStringInfoChar(out, '[');
			for (size_t j = 0; j < FM_COUNT(message, field); j++)
			{
				if (j > 0)
					appendStringInfoChar(out, ',');
				if (!print_value(printer, field, fm_field_element(message, field, j), depth))
					return false;
			}
			appendStringInfoChar(out, ']');
		}
		else if (!print_value(printer, field, FM_MEMBER(void, message, field), depth))
			return false;
	}
	return true;
}

/*
 * google.protobuf.Any: the message's fields beside "@type"; it has to be known, else nobody could name its fields
 */
static bool
print_any(JsonPrinter *printer, const Gpb__Any *any, int depth)
{
	StringInfo out = printer->out;
	const char *url = any->type_url ? any->type_url : "";
	const char *name = strrchr(url, '/');
	const ProtobufCMessageDescriptor *descriptor;
	ProtobufCMessage *message;
	FmError error = {0};

	if (url[0] == '\0' && any->value.len == 0)
	{
		appendStringInfoString(out, "{}");
		return true;
	}
	name = name ? name + 1 : url;
	descriptor = fm_find_message(name, strlen(name));
	if (descriptor == NULL)
	{
		fm_fail(printer->error, ERRCODE_INVALID_PARAMETER_VALUE, "message has no JSON form");
		fm_fail_detail(printer->error, "It holds a google.protobuf.Any of the type \"%s\", which is not known.",
					   fm_excerpt(url, strlen(url)));
		return false;
	}
	message = fm_message_unpack_at(descriptor, any->value.data, any->value.len, depth + 1, &error);
	if (message == NULL)
	{
		fm_fail(printer->error, ERRCODE_INVALID_PARAMETER_VALUE, "message has no JSON form");
		fm_fail_detail(printer->error, "It holds a google.protobuf.Any whose bytes are no %s.", descriptor->name);
		return false;
	}
	appendStringInfoString(out, "{\"@type\":");
	print_string(out, url);
	if (fm_json_is_special(descriptor))
	{
		appendStringInfoString(out, ",\"value\":");
		if (!print_message(printer, message, depth + 1))
			return false;
	}
	else if (!print_fields(printer, message, depth + 1))
		return false;
	appendStringInfoChar(out, '}');
	return true;
}

static bool
print_json_value(JsonPrinter *printer, const Gpb__Value *value, int depth)
{
	switch (value->kind_case)
	{
		case GPB__VALUE__KIND_NUMBER_VALUE:
			if (!isfinite(value->number_value))
			{
				fm_fail(printer->error, ERRCODE_INVALID_PARAMETER_VALUE, "message has no JSON form");
				fm_fail_detail(printer->error,
							   "It holds a google.protobuf.Value with a number that JSON does not have.");
				return false;
			}
			print_double(printer->out, value->number_value, false);
			return true;
		case GPB__VALUE__KIND_STRING_VALUE:
			print_string(printer->out, value->string_value);
			return true;
		case GPB__VALUE__KIND_BOOL_VALUE:
			appendStringInfoString(printer->out, value->bool_value ? "true" : "false");
			return true;
		case GPB__VALUE__KIND_STRUCT_VALUE:
			return print_message(printer, &value->struct_value->base, depth + 1);
		case GPB__VALUE__KIND_LIST_VALUE:
			return print_message(printer, &value->list_value->base, depth + 1);
		default:
			appendStringInfoString(printer->out, "null");
			return true;
	}
}

static bool
print_message(JsonPrinter *printer, const ProtobufCMessage *message, int depth)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;

	if (descriptor == &gpb__any__descriptor)
		return print_any(printer, (const Gpb__Any *) message, depth);
	if (descriptor == &gpb__value__descriptor)
		return print_json_value(printer, (const Gpb__Value *) message, depth);
	if (descriptor == &gpb__struct__descriptor)
		return print_map(printer, message, &descriptor->fields[0], depth);
	if (descriptor == &gpb__list_value__descriptor)
	{
		const Gpb__ListValue *list = (const Gpb__ListValue *) message;

		appendStringInfoChar(printer->out, '[');
		for (size_t i = 0; i < list->n_values; i++)
		{
			if (i > 0)
				appendStringInfoChar(printer->out, ',');
			if (!print_message(printer, &list->values[i]->base, depth + 1))
				return false;
		}
		appendStringInfoChar(printer->out, ']');
		return true;
	}
	appendStringInfoChar(printer->out, '{');
	if (!print_fields(printer, message, depth))
		return false;
	appendStringInfoChar(printer->out, '}');
	return true;
}

bool
fm_message_print_json(const ProtobufCMessage *message, StringInfo out, FmError *error)
{
	JsonPrinter printer = {out, error};

	return print_message(&printer, message, 0);
}
