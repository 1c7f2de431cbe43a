/*
 * Messages to text format, as Python's text_format.MessageToString prints them
 */
#include "message/message_internal.h"

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/struct.pb-c.h"

static void print_message(const ProtobufCMessage *message, int indent, int depth, StringInfo out);

/*
 * Prints bytes between quotes; all that is not ASCII in octal
 */
static void
print_string(const char *string, size_t length, StringInfo out)
{
	static const char octal[] = "01234567";
	char *p;

	enlargeStringInfo(out, (int) Min(length * 4 + 3, (size_t) PG_INT32_MAX));
	p = out->data + out->len;
	*p++ = '"';
	for (size_t i = 0; i < length; i++)
	{
		unsigned char c = string[i];

		switch (c)
		{
			case '\t':
				*p++ = '\\';
				*p++ = 't';
				break;
			case '\n':
				*p++ = '\\';
				*p++ = 'n';
				break;
			case '\r':
				*p++ = '\\';
				*p++ = 'r';
				break;
			case '"':
			case '\'':
			case '\\':
				*p++ = '\\';
				*p++ = c;
				break;
			default:
				if (c < 32 || c > 126)
				{
					*p++ = '\\';
					*p++ = octal[c >> 6];
					*p++ = octal[(c >> 3) & 7];
					*p++ = octal[c & 7];
				}
				else
					*p++ = c;
		}
	}
	*p++ = '"';
	*p = '\0';
	out->len = p - out->data;
}

static void
print_unsigned(bool negative, uint64 magnitude, StringInfo out)
{
	char buffer[24];
	char *p = buffer + sizeof(buffer);

	do
	{
		*--p = '0' + magnitude % 10;
		magnitude /= 10;
	} while (magnitude > 0);
	if (negative)
		*--p = '-';
	appendBinaryStringInfo(out, p, buffer + sizeof(buffer) - p);
}

static void
print_signed(int64 value, StringInfo out)
{
	print_unsigned(value < 0, value < 0 ? 0 - (uint64) value : (uint64) value, out);
}

/*
 * Prints a value that is not a message
 */
static void
print_scalar(const ProtobufCFieldDescriptor *field, const void *slot, StringInfo out)
{
	char number[FM_NUMBER_LENGTH];

	switch (field->type)
	{
		case PROTOBUF_C_TYPE_INT32:
		case PROTOBUF_C_TYPE_SINT32:
		case PROTOBUF_C_TYPE_SFIXED32:
			print_signed(*(const int32 *) slot, out);
			break;
		case PROTOBUF_C_TYPE_INT64:
		case PROTOBUF_C_TYPE_SINT64:
		case PROTOBUF_C_TYPE_SFIXED64:
			print_signed(*(const int64 *) slot, out);
			break;
		case PROTOBUF_C_TYPE_UINT32:
		case PROTOBUF_C_TYPE_FIXED32:
			print_unsigned(false, *(const uint32 *) slot, out);
			break;
		case PROTOBUF_C_TYPE_UINT64:
		case PROTOBUF_C_TYPE_FIXED64:
			print_unsigned(false, *(const uint64 *) slot, out);
			break;
		case PROTOBUF_C_TYPE_FLOAT:
			appendBinaryStringInfo(out, number, (int) fm_print_float(*(const float *) slot, number));
			break;
		case PROTOBUF_C_TYPE_DOUBLE:
			appendBinaryStringInfo(out, number, (int) fm_print_double(*(const double *) slot, number));
			break;
		case PROTOBUF_C_TYPE_BOOL:
			appendStringInfoString(out, *(const protobuf_c_boolean *) slot ? "true" : "false");
			break;
		case PROTOBUF_C_TYPE_ENUM:
		{
			const ProtobufCEnumValue *value =
				protobuf_c_enum_descriptor_get_value(FM_ENUM_DESCRIPTOR(field), *(const int32 *) slot);

			if (value != NULL)
				appendStringInfoString(out, value->name);
			else
				print_signed(*(const int32 *) slot, out);
			break;
		}
		case PROTOBUF_C_TYPE_STRING:
		{
			const char *string = *(const char *const *) slot;

			print_string(string ? string : "", string ? strlen(string) : 0, out);
			break;
		}
		case PROTOBUF_C_TYPE_BYTES:
		{
			const ProtobufCBinaryData *data = slot;

			print_string((const char *) data->data, data->len, out);
			break;
		}
		case PROTOBUF_C_TYPE_MESSAGE:
			break;
	}
}

static void
print_indent(int indent, StringInfo out)
{
	if (indent > 0)
		appendStringInfoSpaces(out, indent);
}

/*
 * Prints one line, or one message between braces
 */
static void
print_value(const ProtobufCFieldDescriptor *field, const void *slot, int indent, int depth, StringInfo out)
{
	print_indent(indent, out);
	appendStringInfoString(out, field->name);
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
	{
		const ProtobufCMessage *message = *(ProtobufCMessage *const *) slot;

		appendBinaryStringInfo(out, " {\n", 3);
		if (message != NULL)
			print_message(message, indent + 2, depth + 1, out);
		print_indent(indent, out);
		appendBinaryStringInfo(out, "}\n", 2);
	}
	else
	{
		appendBinaryStringInfo(out, ": ", 2);
		print_scalar(field, slot, out);
		appendStringInfoChar(out, '\n');
	}
}

/*
 * Prints the fields of a message, in the order of their numbers
 */
static void
print_message(const ProtobufCMessage *message, int indent, int depth, StringInfo out)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;

	CHECK_FOR_INTERRUPTS();
	if (descriptor == &gpb__any__descriptor)
	{
		ProtobufCMessage *packed = fm_any_unpack(message, depth + 1);

		/* Python takes these two for empty, since they have a length, and prints an Any of them by its bytes */
		if (packed != NULL && packed->descriptor != &gpb__struct__descriptor &&
			packed->descriptor != &gpb__list_value__descriptor)
		{
			print_indent(indent, out);
			appendStringInfo(out, "[%s] {\n", ((const Gpb__Any *) message)->type_url);
			print_message(packed, indent + 2, depth + 1, out);
			print_indent(indent, out);
			appendBinaryStringInfo(out, "}\n", 2);
			return;
		}
	}
	for (unsigned i = 0; i < descriptor->n_fields; i++)
	{
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		if (!fm_field_is_set(message, field))
			continue;
		if (fm_field_is_map(field))
		{
			size_t n;
			ProtobufCMessage **entries = fm_map_entries(message, field, FM_TEXT_ORDER, &n);

			for (size_t j = 0; j < n; j++)
			{
				const ProtobufCFieldDescriptor *parts = entries[j]->descriptor->fields;

				print_indent(indent, out);
				appendStringInfoString(out, field->name);
				appendBinaryStringInfo(out, " {\n", 3);
				for (int k = 0; k < 2; k++)
					print_value(&parts[k], FM_MEMBER(void, entries[j], &parts[k]), indent + 2, depth + 1, out);
				print_indent(indent, out);
				appendBinaryStringInfo(out, "}\n", 2);
			}
		}
		else if (field->label == PROTOBUF_C_LABEL_REPEATED)
		{
			for (size_t j = 0; j < FM_COUNT(message, field); j++)
				print_value(field, fm_field_element(message, field, j), indent, depth, out);
		}
		else
			print_value(field, FM_MEMBER(void, message, field), indent, depth, out);
	}
}

void
fm_message_print_text(const ProtobufCMessage *message, StringInfo out)
{
	print_message(message, 0, 0, out);
}
