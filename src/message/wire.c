/*
 * Messages to and from wire bytes
 *
 * Reads by protobuf-c's descriptors into protobuf-c's structs, but not with protobuf-c's reader: that one recurses
 * without a limit, checks no UTF-8, and refuses what protobuf keeps as unknown fields (groups, a known number with
 * another wire type). The walk that would have to guard it sees all that is needed to fill in the structs.
 */
#include "message/message_internal.h"

#define WIRE_START_GROUP 3
#define WIRE_END_GROUP 4

typedef struct WireReader
{
	const uint8 *start;
	FmBudget budget;
	const ProtobufCFieldDescriptor *const *left_out;
	int n_left_out;
	FmError *error;
} WireReader;

static bool read_message(WireReader *reader, ProtobufCMessage *message, const uint8 *pos, const uint8 *end, int depth);

static bool wire_error(WireReader *reader, const uint8 *pos, const char *what, ...) pg_attribute_printf(3, 4);

/*
 * The bytes at pos are not what a message has there
 */
static bool
wire_error(WireReader *reader, const uint8 *pos, const char *what, ...)
{
	if (reader->error->sqlstate == 0)
	{
		char text[512];
		va_list args;

		va_start(args, what);
		vsnprintf(text, sizeof(text), what, args);
		va_end(args);
		fm_fail(reader->error, ERRCODE_INVALID_BINARY_REPRESENTATION, "invalid wire format of a protobuf message");
		fm_fail_detail(reader->error, "Byte offset %zu: %s.", (size_t) (pos - reader->start), text);
	}
	return false;
}

static bool
too_deep(WireReader *reader, const uint8 *pos)
{
	fm_fail(reader->error, ERRCODE_STATEMENT_TOO_COMPLEX, "message is nested too deeply");
	fm_fail_detail(reader->error, "Byte offset %zu: more than %d messages inside one another.",
				   (size_t) (pos - reader->start), FM_MAX_MESSAGE_DEPTH);
	return false;
}

/*
 * Reads a varint of up to 10 bytes; bits beyond 64 are dropped, as protobuf does
 */
static bool
read_varint(WireReader *reader, const uint8 **pos, const uint8 *end, uint64 *value)
{
	const uint8 *p = *pos;
	uint64 result = 0;

	for (int shift = 0; shift < 70; shift += 7)
	{
		uint8 byte;

		if (p >= end)
			return wire_error(reader, *pos, "the number ends early");
		byte = *p++;
		result |= (uint64) (byte & 0x7f) << shift;
		if (byte < 0x80)
		{
			*value = result;
			*pos = p;
			return true;
		}
	}
	return wire_error(reader, *pos, "the number is longer than 10 bytes");
}

/*
 * Reads a field's number and wire type
 */
static inline bool
read_tag(WireReader *reader, const uint8 **pos, const uint8 *end, uint32 *number, int *wire_type)
{
	const uint8 *start = *pos;
	uint64 tag;

	/* nearly all are of one byte, and end is beyond it */
	if (*start < 0x80)
	{
		tag = *start;
		(*pos)++;
	}
	else if (!read_varint(reader, pos, end, &tag))
		return false;
	*wire_type = tag & 7;
	*number = (uint32) (tag >> 3);
	if (*pos - start > 5 || tag > PG_UINT32_MAX || *number == 0)
		return wire_error(reader, start, "the field number is out of range");
	return true;
}

/*
 * Reads a length and checks that so many bytes follow
 */
static inline bool
read_length(WireReader *reader, const uint8 **pos, const uint8 *end, size_t *length)
{
	const uint8 *start = *pos;
	uint64 value;

	if (start < end && *start < 0x80)
	{
		value = *start;
		(*pos)++;
	}
	else if (!read_varint(reader, pos, end, &value))
		return false;
	if (value > (uint64) (end - *pos))
		return wire_error(reader, start, "a length of %llu bytes runs past the end, %zu bytes are left",
						  (unsigned long long) value, (size_t) (end - *pos));
	*length = (size_t) value;
	return true;
}

/*
 * Passes over the value of a field that the message does not know
 */
static bool
skip_value(WireReader *reader, const uint8 **pos, const uint8 *end, uint32 number, int wire_type, int depth)
{
	const uint8 *start = *pos;
	uint64 value;
	size_t length = 0;

	switch (wire_type)
	{
		case PROTOBUF_C_WIRE_TYPE_VARINT:
			return read_varint(reader, pos, end, &value);
		case PROTOBUF_C_WIRE_TYPE_64BIT:
		case PROTOBUF_C_WIRE_TYPE_32BIT:
			length = wire_type == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4;
			if ((size_t) (end - *pos) < length)
				return wire_error(reader, start, "the value of field %u ends early", number);
			*pos += length;
			return true;
		case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
			if (!read_length(reader, pos, end, &length))
				return false;
			*pos += length;
			return true;
		case WIRE_START_GROUP:
			if (depth >= FM_MAX_MESSAGE_DEPTH)
				return too_deep(reader, start);
			while (*pos < end)
			{
				const uint8 *tag_start = *pos;
				uint32 inner;
				int inner_type;

				if (!read_tag(reader, pos, end, &inner, &inner_type))
					return false;
				if (inner_type == WIRE_END_GROUP)
				{
					if (inner != number)
						return wire_error(reader, tag_start, "group %u is ended by group %u", number, inner);
					return true;
				}
				if (!skip_value(reader, pos, end, inner, inner_type, depth + 1))
					return false;
			}
			return wire_error(reader, start, "group %u has no end", number);
		default:
			return wire_error(reader, start, "field %u has the wire type %d", number, wire_type);
	}
}

/*
 * Keeps a field that the message does not know: its bytes after the tag
 */
static bool
keep_unknown(WireReader *reader, ProtobufCMessage *message, uint32 number, int wire_type, const uint8 *data,
			 size_t length)
{
	unsigned n = message->n_unknown_fields;
	ProtobufCMessageUnknownField *field;

	if ((n & (n - 1)) == 0)
	{
		if (!fm_budget_take(&reader->budget, (n == 0 ? 1 : n) * sizeof(*field)))
			return false;
		message->unknown_fields =
			n == 0 ? palloc(sizeof(*field)) : repalloc(message->unknown_fields, n * 2 * sizeof(*field));
	}
	if (!fm_budget_take(&reader->budget, length))
		return false;
	field = &message->unknown_fields[message->n_unknown_fields++];
	field->tag = number;
	field->wire_type = (ProtobufCWireType) wire_type;
	field->len = length;
	field->data = memcpy(palloc(length), data, length);
	return true;
}

static size_t
write_varint(uint64 value, uint8 *out)
{
	size_t n = 0;

	while (value >= 0x80)
	{
		out[n++] = (uint8) value | 0x80;
		value >>= 7;
	}
	out[n++] = (uint8) value;
	return n;
}

/*
 * The wire type of a field's single value
 */
static inline int
wire_type_of(const ProtobufCFieldDescriptor *field)
{
	static const uint8 wire_types[] = {
		[PROTOBUF_C_TYPE_INT32] = PROTOBUF_C_WIRE_TYPE_VARINT,
		[PROTOBUF_C_TYPE_SINT32] = PROTOBUF_C_WIRE_TYPE_VARINT,
		[PROTOBUF_C_TYPE_SFIXED32] = PROTOBUF_C_WIRE_TYPE_32BIT,
		[PROTOBUF_C_TYPE_INT64] = PROTOBUF_C_WIRE_TYPE_VARINT,
		[PROTOBUF_C_TYPE_SINT64] = PROTOBUF_C_WIRE_TYPE_VARINT,
		[PROTOBUF_C_TYPE_SFIXED64] = PROTOBUF_C_WIRE_TYPE_64BIT,
		[PROTOBUF_C_TYPE_UINT32] = PROTOBUF_C_WIRE_TYPE_VARINT,
		[PROTOBUF_C_TYPE_FIXED32] = PROTOBUF_C_WIRE_TYPE_32BIT,
		[PROTOBUF_C_TYPE_UINT64] = PROTOBUF_C_WIRE_TYPE_VARINT,
		[PROTOBUF_C_TYPE_FIXED64] = PROTOBUF_C_WIRE_TYPE_64BIT,
		[PROTOBUF_C_TYPE_FLOAT] = PROTOBUF_C_WIRE_TYPE_32BIT,
		[PROTOBUF_C_TYPE_DOUBLE] = PROTOBUF_C_WIRE_TYPE_64BIT,
		[PROTOBUF_C_TYPE_BOOL] = PROTOBUF_C_WIRE_TYPE_VARINT,
		[PROTOBUF_C_TYPE_ENUM] = PROTOBUF_C_WIRE_TYPE_VARINT,
		[PROTOBUF_C_TYPE_STRING] = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
		[PROTOBUF_C_TYPE_BYTES] = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
		[PROTOBUF_C_TYPE_MESSAGE] = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
	};

	return wire_types[field->type];
}

static uint32
read_fixed32(const uint8 *p)
{
	return (uint32) p[0] | (uint32) p[1] << 8 | (uint32) p[2] << 16 | (uint32) p[3] << 24;
}

static uint64
read_fixed64(const uint8 *p)
{
#ifndef WORDS_BIGENDIAN
	uint64 value;

	memcpy(&value, p, sizeof(value));
	return value;
#endif
	return (uint64) read_fixed32(p) | (uint64) read_fixed32(p + 4) << 32;
}

/*
 * Reads a number, bool or enum into its slot
 */
static bool
read_number(WireReader *reader, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, const uint8 **pos,
			const uint8 *end)
{
	const uint8 *start = *pos;
	int wire_type = wire_type_of(field);
	uint64 value;
	void *slot;

	if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT)
	{
		if (!read_varint(reader, pos, end, &value))
			return false;
	}
	else
	{
		size_t length = wire_type == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4;

		if ((size_t) (end - *pos) < length)
			return wire_error(reader, start, "the value of field \"%s\" ends early", field->name);
		value = length == 8 ? read_fixed64(start) : read_fixed32(start);
		*pos += length;
	}

	if (field->type == PROTOBUF_C_TYPE_ENUM &&
		protobuf_c_enum_descriptor_get_value(FM_ENUM_DESCRIPTOR(field), (int32) (uint32) value) == NULL &&
		!fm_enum_is_open(message->descriptor))
	{
		uint8 bytes[10];
		size_t n = write_varint((uint64) (int64) (int32) (uint32) value, bytes);

		return keep_unknown(reader, message, field->id, PROTOBUF_C_WIRE_TYPE_VARINT, bytes, n);
	}

	slot = fm_field_slot(message, field, &reader->budget);
	if (slot == NULL)
		return false;
	switch (field->type)
	{
		case PROTOBUF_C_TYPE_SINT32:
			*(uint32 *) slot = ((uint32) value >> 1) ^ -((uint32) value & 1);
			break;
		case PROTOBUF_C_TYPE_SINT64:
			*(uint64 *) slot = (value >> 1) ^ -(value & 1);
			break;
		case PROTOBUF_C_TYPE_BOOL:
			*(protobuf_c_boolean *) slot = value != 0;
			break;
		default:
			if (fm_field_size(field) == 8)
				memcpy(slot, &value, 8);
			else
			{
				uint32 low = (uint32) value;

				memcpy(slot, &low, 4);
			}
			break;
	}
	return true;
}

/*
 * A number that is neither repeated nor in a oneof and keeps no mark of presence, of 64 bits and stored as it is: most
 * numbers of statistics are so
 */
static inline bool
is_plain_number(const ProtobufCFieldDescriptor *field)
{
	return field->label == PROTOBUF_C_LABEL_NONE && !FM_IS_ONEOF(field) &&
		   (field->type == PROTOBUF_C_TYPE_DOUBLE || field->type == PROTOBUF_C_TYPE_UINT64 ||
			field->type == PROTOBUF_C_TYPE_INT64);
}

/*
 * The field of a number; messages are mostly written in the order of their fields, so the one after the last is tried first
 */
static inline const ProtobufCFieldDescriptor *
find_field(const ProtobufCMessageDescriptor *descriptor, const ProtobufCFieldDescriptor *last, uint32 number)
{
	const ProtobufCFieldDescriptor *next;

	if (last != NULL && last->id == number)
		return last;
	if (descriptor->n_fields == 0)
		return NULL;
	next = last == NULL ? descriptor->fields : last + 1;
	if (next < descriptor->fields + descriptor->n_fields && next->id == number)
		return next;
	return protobuf_c_message_descriptor_get_field(descriptor, number);
}

/*
 * Reads a string, bytes or message of the given length
 */
static bool
read_bytes(WireReader *reader, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, const uint8 *data,
		   size_t length, int depth)
{
	switch (field->type)
	{
		case PROTOBUF_C_TYPE_STRING:
		{
			char **slot;
			char *copy;

			if (!fm_is_utf8((const char *) data, length))
			{
				if (memchr(data, '\0', length) != NULL)
					return wire_error(reader, data, "string field \"%s\" contains a zero byte", field->name);
				return wire_error(reader, data, "string field \"%s\" is not valid UTF-8", field->name);
			}
			if (!fm_budget_take(&reader->budget, length + 1) ||
				(slot = fm_field_slot(message, field, &reader->budget)) == NULL)
				return false;
			copy = palloc(length + 1);
			memcpy(copy, data, length);
			copy[length] = '\0';
			*slot = copy;
			return true;
		}
		case PROTOBUF_C_TYPE_BYTES:
		{
			ProtobufCBinaryData *slot;

			if (!fm_budget_take(&reader->budget, length) ||
				(slot = fm_field_slot(message, field, &reader->budget)) == NULL)
				return false;
			slot->len = length;
			slot->data = length == 0 ? NULL : memcpy(palloc(length), data, length);
			return true;
		}
		default:
		{
			ProtobufCMessage *sub = NULL;

			if (depth >= FM_MAX_MESSAGE_DEPTH)
				return too_deep(reader, data);
			/* a singular message that comes again is merged into the first */
			if (field->label != PROTOBUF_C_LABEL_REPEATED && fm_field_is_set(message, field))
				sub = *FM_MEMBER(ProtobufCMessage *, message, field);
			if (sub == NULL && (sub = fm_field_add_message(message, field, &reader->budget)) == NULL)
				return false;
			return read_message(reader, sub, data, data + length, depth + 1);
		}
	}
}

/*
 * Reads an entry of a map. One that holds what its message does not know, so also an enum's number without a name, is
 * unknown as a whole, for a map has no place for it.
 */
static bool
read_map_entry(WireReader *reader, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
			   const uint8 *prefix, const uint8 *data, size_t length, int depth)
{
	ProtobufCMessage *entry;

	if (!read_bytes(reader, message, field, data, length, depth))
		return false;
	entry = (*FM_MEMBER(ProtobufCMessage **, message, field))[FM_COUNT(message, field) - 1];
	if (entry->n_unknown_fields > 0)
	{
		FM_COUNT(message, field)--;
		return keep_unknown(reader, message, field->id, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, prefix,
							data + length - prefix);
	}
	return fm_map_entry_complete(entry, &reader->budget);
}

static bool
is_left_out(const WireReader *reader, const ProtobufCFieldDescriptor *field)
{
	for (int i = 0; i < reader->n_left_out; i++)
		if (reader->left_out[i] == field)
			return true;
	return false;
}

/*
 * Reads the fields between pos and end into the message
 */
static bool
read_message(WireReader *reader, ProtobufCMessage *message, const uint8 *pos, const uint8 *end, int depth)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	const ProtobufCFieldDescriptor *field = NULL;
	bool has_map = false;

	CHECK_FOR_INTERRUPTS();
	while (pos < end)
	{
		const uint8 *start = pos;
		const uint8 *value;
		uint32 number;
		int wire_type;
		size_t length = 0;

		if (!read_tag(reader, &pos, end, &number, &wire_type))
			return false;
		value = pos;
		field = find_field(descriptor, field, number);

		if (field == NULL || (wire_type != wire_type_of(field) && (field->label != PROTOBUF_C_LABEL_REPEATED ||
																   wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)))
		{
			if (wire_type == WIRE_END_GROUP)
				return wire_error(reader, start, "group %u ends without a start", number);
			if (!skip_value(reader, &pos, end, number, wire_type, depth) ||
				!keep_unknown(reader, message, number, wire_type, value, pos - value))
				return false;
		}
		else if (wire_type == PROTOBUF_C_WIRE_TYPE_64BIT && is_plain_number(field) && end - pos >= 8)
		{
			*FM_MEMBER(uint64, message, field) = read_fixed64(pos);
			pos += 8;
		}
		else if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT && is_plain_number(field))
		{
			if (!read_varint(reader, &pos, end, FM_MEMBER(uint64, message, field)))
				return false;
		}
		else if (wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
		{
			if (!read_number(reader, message, field, &pos, end))
				return false;
		}
		else
		{
			if (!read_length(reader, &pos, end, &length))
				return false;
			if (wire_type_of(field) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
			{
				const uint8 *packed_end = pos + length;

				while (pos < packed_end)
					if (!read_number(reader, message, field, &pos, packed_end))
						return false;
			}
			else if (reader->n_left_out > 0 && is_left_out(reader, field))
				pos += length;
			else if (fm_field_is_map(field))
			{
				has_map = true;
				if (!read_map_entry(reader, message, field, value, pos, length, depth))
					return false;
				pos += length;
			}
			else
			{
				if (!read_bytes(reader, message, field, pos, length, depth))
					return false;
				pos += length;
			}
		}
	}

	if (has_map)
	{
		for (unsigned i = 0; i < descriptor->n_fields; i++)
		{
			const ProtobufCFieldDescriptor *map = &descriptor->fields[i];
			ProtobufCMessage **entries;
			size_t n;

			if (!fm_field_is_map(map) || FM_COUNT(message, map) == 0)
				continue;
			entries = fm_map_entries(message, map, FM_WIRE_ORDER, &n);
			*FM_MEMBER(ProtobufCMessage **, message, map) = entries;
			FM_COUNT(message, map) = n;
		}
	}
	return true;
}

ProtobufCMessage *
fm_message_unpack_at(const ProtobufCMessageDescriptor *descriptor, const uint8 *data, size_t size, int depth,
					 FmError *error)
{
	WireReader reader = {.budget = fm_budget(size, error), .error = error};
	ProtobufCMessage *message;

	if (size == 0)
		data = (const uint8 *) ""; /* an Any without bytes has none at all */
	reader.start = data;
	if (depth > FM_MAX_MESSAGE_DEPTH)
	{
		too_deep(&reader, data);
		return NULL;
	}
	message = fm_message_new(descriptor);
	return read_message(&reader, message, data, data + size, depth) ? message : NULL;
}

ProtobufCMessage *
fm_message_unpack(const ProtobufCMessageDescriptor *descriptor, const uint8 *data, size_t size, FmError *error)
{
	return fm_message_unpack_at(descriptor, data, size, 0, error);
}

ProtobufCMessage *
fm_message_unpack_part(const ProtobufCMessageDescriptor *descriptor, const uint8 *data, size_t size,
					   const ProtobufCFieldDescriptor *const *left_out, int n_left_out, FmError *error)
{
	WireReader reader = {.start = data,
						 .budget = fm_budget(size, error),
						 .left_out = left_out,
						 .n_left_out = n_left_out,
						 .error = error};
	ProtobufCMessage *message = fm_message_new(descriptor);

	return read_message(&reader, message, data, data + size, 0) ? message : NULL;
}

/*
 * Bytes are written from the last to the first, so that a message's length is known when it is to be written
 */
typedef struct WireWriter
{
	uint8 *buffer;
	size_t size;
	size_t start; /* of what is written; it goes to the end of the buffer */
	int depth;
	FmError *error; /* NULL: what the message holds is not checked */
} WireWriter;

static pg_noinline void
make_room(WireWriter *writer, size_t length)
{
	size_t used = writer->size - writer->start;
	size_t size = Max(writer->size * 2, used + length + 64);
	uint8 *buffer = palloc_extended(size, MCXT_ALLOC_HUGE);

	memcpy(buffer + size - used, writer->buffer + writer->start, used);
	pfree(writer->buffer);
	writer->buffer = buffer;
	writer->start = size - used;
	writer->size = size;
}

static inline void
put_bytes(WireWriter *writer, const void *data, size_t length)
{
	if (writer->start < length)
		make_room(writer, length);
	writer->start -= length;
	if (length > 0)
		memcpy(writer->buffer + writer->start, data, length);
}

static inline void
put_varint(WireWriter *writer, uint64 value)
{
	uint8 bytes[10];

	/* most are tags, lengths and small numbers */
	if (value < 0x80 && writer->start > 0)
		writer->buffer[--writer->start] = (uint8) value;
	else
		put_bytes(writer, bytes, write_varint(value, bytes));
}

static void put_message(WireWriter *writer, const ProtobufCMessage *message);

/*
 * Writes one value without its tag
 */
static void
put_value(WireWriter *writer, const ProtobufCFieldDescriptor *field, const void *slot)
{
	size_t end = writer->size - writer->start;

	switch (field->type)
	{
		case PROTOBUF_C_TYPE_INT32:
		case PROTOBUF_C_TYPE_ENUM:
			put_varint(writer, (uint64) (int64) * (const int32 *) slot);
			break;
		case PROTOBUF_C_TYPE_UINT32:
			put_varint(writer, *(const uint32 *) slot);
			break;
		case PROTOBUF_C_TYPE_SINT32:
			put_varint(writer, (*(const uint32 *) slot << 1) ^ -(*(const uint32 *) slot >> 31));
			break;
		case PROTOBUF_C_TYPE_INT64:
		case PROTOBUF_C_TYPE_UINT64:
			put_varint(writer, *(const uint64 *) slot);
			break;
		case PROTOBUF_C_TYPE_SINT64:
			put_varint(writer, (*(const uint64 *) slot << 1) ^ -(*(const uint64 *) slot >> 63));
			break;
		case PROTOBUF_C_TYPE_BOOL:
			put_varint(writer, *(const protobuf_c_boolean *) slot != 0);
			break;
		case PROTOBUF_C_TYPE_SFIXED32:
		case PROTOBUF_C_TYPE_FIXED32:
		case PROTOBUF_C_TYPE_FLOAT:
		case PROTOBUF_C_TYPE_SFIXED64:
		case PROTOBUF_C_TYPE_FIXED64:
		case PROTOBUF_C_TYPE_DOUBLE:
		{
			size_t length = fm_field_size(field);
			uint64 value = length == 8 ? *(const uint64 *) slot : *(const uint32 *) slot;
			uint8 bytes[8];

			for (size_t i = 0; i < length; i++)
				bytes[i] = (uint8) (value >> (8 * i));
			put_bytes(writer, bytes, length);
			break;
		}
		case PROTOBUF_C_TYPE_STRING:
		{
			const char *string = *(const char *const *) slot;
			size_t length = string ? strlen(string) : 0;

			if (writer->error != NULL && !fm_is_utf8(string ? string : "", length))
			{
				fm_fail(writer->error, ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
						"message has a string that is not valid UTF-8");
				fm_fail_detail(writer->error, "It is the value of field \"%s\".", field->name);
			}
			put_bytes(writer, string, length);
			put_varint(writer, length);
			break;
		}
		case PROTOBUF_C_TYPE_BYTES:
		{
			const ProtobufCBinaryData *data = slot;

			put_bytes(writer, data->data, data->len);
			put_varint(writer, data->len);
			break;
		}
		case PROTOBUF_C_TYPE_MESSAGE:
			if (*(ProtobufCMessage *const *) slot != NULL)
				put_message(writer, *(ProtobufCMessage *const *) slot);
			put_varint(writer, writer->size - writer->start - end);
			break;
	}
}

static void
put_tag(WireWriter *writer, uint32 number, int wire_type)
{
	put_varint(writer, (uint64) number << 3 | wire_type);
}

static void
put_field(WireWriter *writer, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	size_t n = field->label == PROTOBUF_C_LABEL_REPEATED ? FM_COUNT(message, field) : 1;

	if (fm_field_is_map(field))
	{
		ProtobufCMessage **entries = fm_map_entries(message, field, FM_WIRE_ORDER, &n);

		while (n-- > 0)
		{
			const ProtobufCFieldDescriptor *parts = entries[n]->descriptor->fields;
			size_t end = writer->size - writer->start;

			/* both parts are always written, empty ones too */
			writer->depth++;
			for (int i = 1; i >= 0; i--)
			{
				put_value(writer, &parts[i], FM_MEMBER(void, entries[n], &parts[i]));
				put_tag(writer, parts[i].id, wire_type_of(&parts[i]));
			}
			writer->depth--;
			put_varint(writer, writer->size - writer->start - end);
			put_tag(writer, field->id, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
		}
	}
	else if ((field->flags & PROTOBUF_C_FIELD_FLAG_PACKED) != 0)
	{
		size_t end = writer->size - writer->start;

		while (n-- > 0)
			put_value(writer, field, fm_field_element(message, field, n));
		put_varint(writer, writer->size - writer->start - end);
		put_tag(writer, field->id, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
	}
	else
	{
		while (n-- > 0)
		{
			put_value(writer, field, fm_field_element(message, field, n));
			put_tag(writer, field->id, wire_type_of(field));
		}
	}
}

static void
put_message(WireWriter *writer, const ProtobufCMessage *message)
{
	if (writer->error != NULL && writer->depth > FM_MAX_MESSAGE_DEPTH)
	{
		fm_fail(writer->error, ERRCODE_STATEMENT_TOO_COMPLEX, "message is nested too deeply");
		fm_fail_detail(writer->error, "More than %d messages are inside one another.", FM_MAX_MESSAGE_DEPTH);
		return;
	}
	writer->depth++;
	for (unsigned i = message->n_unknown_fields; i-- > 0;)
	{
		const ProtobufCMessageUnknownField *field = &message->unknown_fields[i];

		put_bytes(writer, field->data, field->len);
		put_tag(writer, field->tag, field->wire_type);
	}
	for (unsigned i = message->descriptor->n_fields; i-- > 0;)
	{
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

		if (fm_field_is_set(message, field))
			put_field(writer, message, field);
	}
	writer->depth--;
}

uint8 *
fm_message_pack(const ProtobufCMessage *message, size_t *size)
{
	return fm_message_pack_checked(message, size, NULL);
}

uint8 *
fm_message_pack_checked(const ProtobufCMessage *message, size_t *size, FmError *error)
{
	WireWriter writer = {.buffer = palloc(1024), .size = 1024, .start = 1024, .error = error};

	put_message(&writer, message);
	*size = writer.size - writer.start;
	memmove(writer.buffer, writer.buffer + writer.start, *size);
	return error != NULL && error->sqlstate != 0 ? NULL : writer.buffer;
}
