/*
 * Messages by their descriptors: make, copy, reach fields
 */
#include "message/message_internal.h"

#include "google/protobuf/any.pb-c.h"

#define MB ((size_t) 1024 * 1024)

FmBudget
fm_budget(size_t size, FmError *error)
{
	FmBudget budget = {.left = size < 11 * MB ? 64 * MB + 64 * size : 768 * MB, .error = error};

	return budget;
}

bool
fm_budget_take(FmBudget *budget, size_t size)
{
	if (size > budget->left)
	{
		fm_fail(budget->error, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "message is too large");
		fm_fail_detail(budget->error, "It takes more memory than is allowed for an input of its size.");
		return false;
	}
	budget->left -= size;
	return true;
}

ProtobufCMessage *
fm_message_new(const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = palloc(descriptor->sizeof_message);

	protobuf_c_message_init(descriptor, message);
	return message;
}

size_t
fm_field_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type)
	{
		case PROTOBUF_C_TYPE_INT32:
		case PROTOBUF_C_TYPE_SINT32:
		case PROTOBUF_C_TYPE_SFIXED32:
		case PROTOBUF_C_TYPE_UINT32:
		case PROTOBUF_C_TYPE_FIXED32:
		case PROTOBUF_C_TYPE_FLOAT:
		case PROTOBUF_C_TYPE_ENUM:
			return 4;
		case PROTOBUF_C_TYPE_BOOL:
			return sizeof(protobuf_c_boolean);
		case PROTOBUF_C_TYPE_INT64:
		case PROTOBUF_C_TYPE_SINT64:
		case PROTOBUF_C_TYPE_SFIXED64:
		case PROTOBUF_C_TYPE_UINT64:
		case PROTOBUF_C_TYPE_FIXED64:
		case PROTOBUF_C_TYPE_DOUBLE:
			return 8;
		case PROTOBUF_C_TYPE_BYTES:
			return sizeof(ProtobufCBinaryData);
		case PROTOBUF_C_TYPE_STRING:
		case PROTOBUF_C_TYPE_MESSAGE:
			break;
	}
	return sizeof(void *);
}

bool
fm_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return FM_COUNT(message, field) > 0;
	if (FM_IS_ONEOF(field))
	{
		if (FM_ONEOF_CASE(message, field) != field->id)
			return false;
		if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
			return *FM_MEMBER(void *, message, field) != NULL;
		return true;
	}
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *FM_MEMBER(void *, message, field) != NULL;
	if (field->type == PROTOBUF_C_TYPE_STRING)
	{
		const char *string = *FM_MEMBER(const char *, message, field);

		if (field->label == PROTOBUF_C_LABEL_NONE)
			return string != NULL && string[0] != '\0';
		return string != NULL && string != (const char *) field->default_value;
	}
	if (field->label == PROTOBUF_C_LABEL_REQUIRED)
		return true;
	if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
		return *(protobuf_c_boolean *) ((char *) message + field->quantifier_offset) != 0;
	/* proto3: set if not zero; by its bits, so that -0.0 is */
	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return FM_MEMBER(ProtobufCBinaryData, message, field)->len > 0;
	if (fm_field_size(field) == 8)
		return *FM_MEMBER(uint64, message, field) != 0;
	return *FM_MEMBER(uint32, message, field) != 0;
}

/*
 * The arrays that readers build have room for the next power of two of elements, so that nobody needs to keep their
 * capacity
 */
static void *
add_element(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, FmBudget *budget)
{
	size_t n = FM_COUNT(message, field);
	size_t size = fm_field_size(field);
	char **array = FM_MEMBER(char *, message, field);

	if ((n & (n - 1)) == 0)
	{
		if (!fm_budget_take(budget, (n == 0 ? 1 : n) * size))
			return NULL;
		*array = n == 0 ? palloc(size) : repalloc(*array, n * 2 * size);
	}
	memset(*array + n * size, 0, size);
	FM_COUNT(message, field) = n + 1;
	return *array + n * size;
}

void *
fm_field_slot(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, FmBudget *budget)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return add_element(message, field, budget);
	if (FM_IS_ONEOF(field))
	{
		if (FM_ONEOF_CASE(message, field) != field->id)
		{
			FM_ONEOF_CASE(message, field) = field->id;
			memset(FM_MEMBER(char, message, field), 0, fm_field_size(field));
		}
	}
	else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->type != PROTOBUF_C_TYPE_STRING &&
			 field->type != PROTOBUF_C_TYPE_MESSAGE)
		*(protobuf_c_boolean *) ((char *) message + field->quantifier_offset) = 1;
	return FM_MEMBER(void, message, field);
}

ProtobufCMessage *
fm_field_add_message(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, FmBudget *budget)
{
	ProtobufCMessage **slot;

	if (!fm_budget_take(budget, FM_MESSAGE_DESCRIPTOR(field)->sizeof_message) ||
		(slot = fm_field_slot(message, field, budget)) == NULL)
		return NULL;
	*slot = fm_message_new(FM_MESSAGE_DESCRIPTOR(field));
	return *slot;
}

void
fm_field_clear(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
	{
		FM_COUNT(message, field) = 0;
		return;
	}
	if (FM_IS_ONEOF(field))
	{
		if (FM_ONEOF_CASE(message, field) != field->id)
			return;
		FM_ONEOF_CASE(message, field) = 0;
	}
	else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->type != PROTOBUF_C_TYPE_STRING &&
			 field->type != PROTOBUF_C_TYPE_MESSAGE)
		*(protobuf_c_boolean *) ((char *) message + field->quantifier_offset) = 0;
	memset(FM_MEMBER(char, message, field), 0, fm_field_size(field));
	if (field->type == PROTOBUF_C_TYPE_STRING)
		*FM_MEMBER(const char *, message, field) = field->default_value;
}

const void *
fm_field_element(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, size_t n)
{
	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return FM_MEMBER(void, message, field);
	return *FM_MEMBER(char *, message, field) + n * fm_field_size(field);
}

bool
fm_field_is_map(const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *entry;
	size_t length;

	if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE)
		return false;
	entry = FM_MESSAGE_DESCRIPTOR(field);
	if (entry->n_fields != 2 || entry->fields[0].id != 1 || entry->fields[1].id != 2 ||
		strcmp(entry->fields[0].name, "key") != 0 || strcmp(entry->fields[1].name, "value") != 0)
		return false;
	length = strlen(entry->short_name);
	return length > 5 && strcmp(entry->short_name + length - 5, "Entry") == 0;
}

bool
fm_map_entry_complete(ProtobufCMessage *entry, FmBudget *budget)
{
	const ProtobufCFieldDescriptor *field = entry->descriptor->fields;

	for (int i = 0; i < 2; i++, field++)
	{
		if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		{
			if (*FM_MEMBER(void *, entry, field) == NULL && fm_field_add_message(entry, field, budget) == NULL)
				return false;
		}
		else if (field->type == PROTOBUF_C_TYPE_STRING)
		{
			if (*FM_MEMBER(const char *, entry, field) == NULL)
				*FM_MEMBER(const char *, entry, field) = protobuf_c_empty_string;
		}
		else
			(void) fm_field_slot(entry, field, budget);
	}
	return true;
}

/*
 * Compares the keys of two entries: strings by their bytes, numbers by value
 */
static int
compare_keys(const ProtobufCMessage *a, const ProtobufCMessage *b, FmMapOrder order)
{
	const ProtobufCFieldDescriptor *key = a->descriptor->fields;

	switch (key->type)
	{
		case PROTOBUF_C_TYPE_STRING:
		{
			const char *x = *FM_MEMBER(const char *, a, key);
			const char *y = *FM_MEMBER(const char *, b, key);

			x = x ? x : "";
			y = y ? y : "";
			while (*x != '\0' && *x == *y)
				x++, y++;
			if (order == FM_WIRE_ORDER && (*x == '\0' || *y == '\0'))
				return (int) (unsigned char) *y - (int) (unsigned char) *x;
			return (int) (unsigned char) *x - (int) (unsigned char) *y;
		}
		case PROTOBUF_C_TYPE_INT64:
		case PROTOBUF_C_TYPE_SINT64:
		case PROTOBUF_C_TYPE_SFIXED64:
		{
			int64 x = *FM_MEMBER(int64, a, key);
			int64 y = *FM_MEMBER(int64, b, key);

			return (x > y) - (x < y);
		}
		case PROTOBUF_C_TYPE_UINT64:
		case PROTOBUF_C_TYPE_FIXED64:
		{
			uint64 x = *FM_MEMBER(uint64, a, key);
			uint64 y = *FM_MEMBER(uint64, b, key);

			return (x > y) - (x < y);
		}
		case PROTOBUF_C_TYPE_UINT32:
		case PROTOBUF_C_TYPE_FIXED32:
		{
			uint32 x = *FM_MEMBER(uint32, a, key);
			uint32 y = *FM_MEMBER(uint32, b, key);

			return (x > y) - (x < y);
		}
		default:
		{
			int32 x = *FM_MEMBER(int32, a, key);
			int32 y = *FM_MEMBER(int32, b, key);

			return (x > y) - (x < y);
		}
	}
}

/*
 * Sorts entries by key, equal keys in the order they came, so that the last of them can win
 */
static void
sort_entries(ProtobufCMessage **entries, ProtobufCMessage **scratch, size_t n, FmMapOrder order)
{
	size_t half = n / 2;
	size_t i = 0;
	size_t j = half;

	if (n < 2)
		return;
	sort_entries(entries, scratch, half, order);
	sort_entries(entries + half, scratch, n - half, order);
	for (size_t k = 0; k < n; k++)
	{
		if (j == n || (i < half && compare_keys(entries[i], entries[j], order) <= 0))
			scratch[k] = entries[i++];
		else
			scratch[k] = entries[j++];
	}
	memcpy(entries, scratch, n * sizeof(*entries));
}

ProtobufCMessage **
fm_map_entries(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, FmMapOrder order, size_t *n)
{
	ProtobufCMessage **entries = *FM_MEMBER(ProtobufCMessage **, message, field);
	size_t count = FM_COUNT(message, field);
	size_t kept = 0;
	ProtobufCMessage **sorted;
	ProtobufCMessage **scratch;
	size_t i;

	for (i = 1; i < count; i++)
		if (compare_keys(entries[i - 1], entries[i], order) >= 0)
			break;
	*n = count;
	if (i >= count)
		return entries;

	sorted = palloc(count * sizeof(*sorted));
	scratch = palloc(count * sizeof(*scratch));
	memcpy(sorted, entries, count * sizeof(*sorted));
	sort_entries(sorted, scratch, count, order);
	pfree(scratch);
	for (i = 0; i < count; i++)
	{
		if (i + 1 < count && compare_keys(sorted[i], sorted[i + 1], order) == 0)
			continue;
		sorted[kept++] = sorted[i];
	}
	*n = kept;
	return sorted;
}

bool
fm_enum_is_open(const ProtobufCMessageDescriptor *descriptor)
{
	/* protobuf-c does not tell a message's syntax, but only proto3 has fields without a label */
	for (unsigned i = 0; i < descriptor->n_fields; i++)
		if (descriptor->fields[i].label == PROTOBUF_C_LABEL_NONE)
			return true;
	return false;
}

/*
 * Copies one value from a slot to another
 */
static void
copy_value(const ProtobufCFieldDescriptor *field, void *to, const void *from)
{
	switch (field->type)
	{
		case PROTOBUF_C_TYPE_MESSAGE:
			if (*(ProtobufCMessage *const *) from != NULL)
				*(ProtobufCMessage **) to = fm_message_copy(*(ProtobufCMessage *const *) from);
			break;
		case PROTOBUF_C_TYPE_STRING:
			if (*(char *const *) from != NULL && *(char *const *) from != (const char *) field->default_value)
				*(char **) to = pstrdup(*(char *const *) from);
			break;
		case PROTOBUF_C_TYPE_BYTES:
		{
			ProtobufCBinaryData *data = to;

			*data = *(const ProtobufCBinaryData *) from;
			if (data->len > 0)
				data->data = memcpy(palloc(data->len), data->data, data->len);
			break;
		}
		default:
			memcpy(to, from, fm_field_size(field));
			break;
	}
}

ProtobufCMessage *
fm_message_copy(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	ProtobufCMessage *copy = palloc(descriptor->sizeof_message);

	memcpy(copy, message, descriptor->sizeof_message);
	for (unsigned i = 0; i < descriptor->n_fields; i++)
	{
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		if (field->label == PROTOBUF_C_LABEL_REPEATED)
		{
			size_t size = fm_field_size(field);
			size_t n = FM_COUNT(message, field);
			char *array;

			if (n == 0)
				continue;
			array = palloc(n * size);
			for (size_t j = 0; j < n; j++)
				copy_value(field, array + j * size, fm_field_element(message, field, j));
			*FM_MEMBER(char *, copy, field) = array;
		}
		else if (!FM_IS_ONEOF(field) || FM_ONEOF_CASE(message, field) == field->id)
			copy_value(field, FM_MEMBER(void, copy, field), FM_MEMBER(void, message, field));
	}
	if (message->n_unknown_fields > 0)
	{
		copy->unknown_fields = palloc(message->n_unknown_fields * sizeof(*copy->unknown_fields));
		for (unsigned i = 0; i < message->n_unknown_fields; i++)
		{
			ProtobufCMessageUnknownField *field = &copy->unknown_fields[i];

			*field = message->unknown_fields[i];
			field->data = memcpy(palloc(field->len), field->data, field->len);
		}
	}
	return copy;
}

/* Made by the Makefile from the generated headers; ends with NULL */
extern const ProtobufCMessageDescriptor *const fm_message_list[];

const ProtobufCMessageDescriptor *
fm_find_message(const char *name, size_t length)
{
	for (size_t i = 0; fm_message_list[i] != NULL; i++)
		if (strncmp(fm_message_list[i]->name, name, length) == 0 && fm_message_list[i]->name[length] == '\0')
			return fm_message_list[i];
	return NULL;
}

ProtobufCMessage *
fm_any_unpack(const ProtobufCMessage *any, int depth)
{
	const Gpb__Any *value = (const Gpb__Any *) any;
	const char *slash = value->type_url ? strrchr(value->type_url, '/') : NULL;
	const ProtobufCMessageDescriptor *descriptor;
	FmError error = {0};

	if (slash == NULL || (descriptor = fm_find_message(slash + 1, strlen(slash + 1))) == NULL)
		return NULL;
	return fm_message_unpack_at(descriptor, value->value.data, value->value.len, depth, &error);
}
