/*
 * Types and values of expressions, and how they are read from messages
 */
#include "fm_core.h"
#include "validation/expression_tree.h"

#include <math.h>

const char *
fm_type_name(FmType type)
{
	static const char *const names[] = {"NULL",	  "BOOL",	"INT32", "INT64", "UINT32",	 "UINT64", "FLOAT",
										"DOUBLE", "STRING", "BYTES", "ENUM",  "MESSAGE", "ARRAY"};

	if (type.kind == FM_ENUM)
		return ((const ProtobufCEnumDescriptor *) type.descriptor)->short_name;
	if (type.kind == FM_MESSAGE)
		return ((const ProtobufCMessageDescriptor *) type.descriptor)->short_name;
	if (type.kind == FM_ARRAY)
		return psprintf("ARRAY<%s>", fm_type_name(*type.element));
	return names[type.kind];
}

bool
fm_type_equal(FmType a, FmType b)
{
	if (a.kind != b.kind || a.descriptor != b.descriptor)
		return false;
	return a.kind != FM_ARRAY || fm_type_equal(*a.element, *b.element);
}

static int
compare_strings(const FmValue *a, const FmValue *b)
{
	size_t shorter = Min(a->string.length, b->string.length);
	int order = memcmp(a->string.data, b->string.data, shorter);

	if (order != 0)
		return order < 0 ? -1 : 1;
	return a->string.length < b->string.length ? -1 : a->string.length > b->string.length;
}

int
fm_value_compare(FmType type, const FmValue *a, const FmValue *b)
{
	switch (type.kind)
	{
		case FM_BOOL:
			return (int) a->boolean - (int) b->boolean;
		case FM_INT32:
		case FM_INT64:
		case FM_ENUM:
			return a->integer < b->integer ? -1 : a->integer > b->integer;
		case FM_UINT32:
		case FM_UINT64:
			return a->natural < b->natural ? -1 : a->natural > b->natural;
		case FM_FLOAT:
		case FM_DOUBLE:
			if (isnan(a->number) || isnan(b->number))
				return 2;
			return a->number < b->number ? -1 : a->number > b->number;
		case FM_STRING:
		case FM_BYTES:
			return compare_strings(a, b);
		default:
			return 0;
	}
}

int
fm_value_order(FmType type, const FmValue *a, const FmValue *b)
{
	if (a->null || b->null)
		return (int) b->null - (int) a->null;
	if (type.kind == FM_FLOAT || type.kind == FM_DOUBLE)
	{
		bool nan_a = isnan(a->number);
		bool nan_b = isnan(b->number);

		if (nan_a || nan_b)
			return (int) nan_b - (int) nan_a;
	}
	return fm_value_compare(type, a, b);
}

static FmType
scalar_type(const ProtobufCFieldDescriptor *field)
{
	FmType type = {FM_NULL, NULL, NULL};

	switch (field->type)
	{
		case PROTOBUF_C_TYPE_INT32:
		case PROTOBUF_C_TYPE_SINT32:
		case PROTOBUF_C_TYPE_SFIXED32:
			type.kind = FM_INT32;
			break;
		case PROTOBUF_C_TYPE_INT64:
		case PROTOBUF_C_TYPE_SINT64:
		case PROTOBUF_C_TYPE_SFIXED64:
			type.kind = FM_INT64;
			break;
		case PROTOBUF_C_TYPE_UINT32:
		case PROTOBUF_C_TYPE_FIXED32:
			type.kind = FM_UINT32;
			break;
		case PROTOBUF_C_TYPE_UINT64:
		case PROTOBUF_C_TYPE_FIXED64:
			type.kind = FM_UINT64;
			break;
		case PROTOBUF_C_TYPE_FLOAT:
			type.kind = FM_FLOAT;
			break;
		case PROTOBUF_C_TYPE_DOUBLE:
			type.kind = FM_DOUBLE;
			break;
		case PROTOBUF_C_TYPE_BOOL:
			type.kind = FM_BOOL;
			break;
		case PROTOBUF_C_TYPE_ENUM:
			type.kind = FM_ENUM;
			type.descriptor = field->descriptor;
			break;
		case PROTOBUF_C_TYPE_STRING:
			type.kind = FM_STRING;
			break;
		case PROTOBUF_C_TYPE_BYTES:
			type.kind = FM_BYTES;
			break;
		case PROTOBUF_C_TYPE_MESSAGE:
			type.kind = FM_MESSAGE;
			type.descriptor = field->descriptor;
			break;
	}
	return type;
}

FmType
fm_member_type(const ProtobufCFieldDescriptor *field)
{
	FmType type = scalar_type(field);

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
	{
		FmType *element = palloc(sizeof(FmType));

		*element = type;
		type.kind = FM_ARRAY;
		type.descriptor = NULL;
		type.element = element;
	}
	return type;
}

static FmValue
string_value(const char *text)
{
	FmValue value = {0};

	value.string.data = text == NULL ? "" : text;
	value.string.length = strlen(value.string.data);
	return value;
}

/* The value at a member's place in memory */
static FmValue
read_member(const ProtobufCFieldDescriptor *field, const void *member)
{
	FmValue value = {0};

	switch (field->type)
	{
		case PROTOBUF_C_TYPE_INT32:
		case PROTOBUF_C_TYPE_SINT32:
		case PROTOBUF_C_TYPE_SFIXED32:
		case PROTOBUF_C_TYPE_ENUM:
			value.integer = *(const int32 *) member;
			break;
		case PROTOBUF_C_TYPE_INT64:
		case PROTOBUF_C_TYPE_SINT64:
		case PROTOBUF_C_TYPE_SFIXED64:
			value.integer = *(const int64 *) member;
			break;
		case PROTOBUF_C_TYPE_UINT32:
		case PROTOBUF_C_TYPE_FIXED32:
			value.natural = *(const uint32 *) member;
			break;
		case PROTOBUF_C_TYPE_UINT64:
		case PROTOBUF_C_TYPE_FIXED64:
			value.natural = *(const uint64 *) member;
			break;
		case PROTOBUF_C_TYPE_FLOAT:
			value.number = *(const float *) member;
			break;
		case PROTOBUF_C_TYPE_DOUBLE:
			value.number = *(const double *) member;
			break;
		case PROTOBUF_C_TYPE_BOOL:
			value.boolean = *(const protobuf_c_boolean *) member != 0;
			break;
		case PROTOBUF_C_TYPE_STRING:
			value = string_value(*(char *const *) member);
			break;
		case PROTOBUF_C_TYPE_BYTES:
			value.string.data = (const char *) ((const ProtobufCBinaryData *) member)->data;
			value.string.length = ((const ProtobufCBinaryData *) member)->len;
			if (value.string.data == NULL)
				value = string_value("");
			break;
		case PROTOBUF_C_TYPE_MESSAGE:
			value.message = *(ProtobufCMessage *const *) member;
			value.null = value.message == NULL;
			break;
	}
	return value;
}

static size_t
member_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type)
	{
		case PROTOBUF_C_TYPE_INT32:
		case PROTOBUF_C_TYPE_SINT32:
		case PROTOBUF_C_TYPE_SFIXED32:
		case PROTOBUF_C_TYPE_UINT32:
		case PROTOBUF_C_TYPE_FIXED32:
		case PROTOBUF_C_TYPE_ENUM:
		case PROTOBUF_C_TYPE_FLOAT:
			return 4;
		case PROTOBUF_C_TYPE_BOOL:
			return sizeof(protobuf_c_boolean);
		case PROTOBUF_C_TYPE_STRING:
		case PROTOBUF_C_TYPE_MESSAGE:
			return sizeof(void *);
		case PROTOBUF_C_TYPE_BYTES:
			return sizeof(ProtobufCBinaryData);
		default:
			return 8;
	}
}

static const void *
member_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return (const char *) message + field->offset;
}

static bool
is_oneof(const ProtobufCFieldDescriptor *field)
{
	return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* Is the field the one that its oneof holds */
static bool
is_chosen(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return *(const uint32 *) ((const char *) message + field->quantifier_offset) == field->id;
}

bool
fm_member_value(FmEvaluation *evaluation, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
				FmValue *value)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
	{
		size_t n = *(const size_t *) ((const char *) message + field->quantifier_offset);
		const char *elements = *(char *const *) member_of(message, field);
		FmArray *array;
		size_t i;

		if (!fm_expression_work(evaluation, 1 + (int64) n))
			return false;
		array = palloc(sizeof(FmArray));
		array->n = n;
		array->value = palloc(sizeof(FmValue) * Max(n, 1));
		for (i = 0; i < n; i++)
			array->value[i] = read_member(field, elements + i * member_size(field));
		memset(value, 0, sizeof(*value));
		value->array = array;
		return true;
	}
	if (!is_oneof(field) || is_chosen(message, field))
	{
		*value = read_member(field, member_of(message, field));
		return true;
	}
	/* a member of a oneof that is not set: NULL for a message, else its default */
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		*value = fm_null();
	else if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES)
		*value = string_value("");
	else
		memset(value, 0, sizeof(*value));
	return true;
}

bool
fm_member_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	FmValue value;

	if (is_oneof(field))
		return is_chosen(message, field) &&
			   (field->type != PROTOBUF_C_TYPE_MESSAGE || *(void *const *) member_of(message, field) != NULL);
	if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset != 0)
		return *(const protobuf_c_boolean *) ((const char *) message + field->quantifier_offset) != 0;

	/* no presence is kept: set is what is not the default */
	value = read_member(field, member_of(message, field));
	switch (scalar_type(field).kind)
	{
		case FM_MESSAGE:
			return !value.null;
		case FM_STRING:
		case FM_BYTES:
			return value.string.length > 0;
		case FM_BOOL:
			return value.boolean;
		case FM_FLOAT:
		case FM_DOUBLE:
			return value.number != 0;
		default:
			return value.natural != 0;
	}
}
