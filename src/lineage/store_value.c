/*
 * Property values: jsonb <-> the columns of a property row
 *
 * MLMD keeps a STRUCT in string_value as "mlmd-struct::" and the base64 of a google.protobuf.Struct, and a PROTO in
 * proto_value as the wire bytes of a google.protobuf.Any.
 */
#include "lineage/store.h"

#include <math.h>

#include "common/base64.h"
#include "common/shortest_dec.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "message/message.h"
#include "metadata_store.pb-c.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(mlmd_property_value);

#define STRUCT_PREFIX "mlmd-struct::"

/* A level of JSON is three of messages (Value, Struct, entry), and protobuf's readers stop at 100 */
#define MAX_STRUCT_DEPTH (FM_MAX_MESSAGE_DEPTH / 3 - 1)

static const char *const kind_names[] = {NULL, "INT", "DOUBLE", "STRING", "STRUCT", "PROTO", "BOOLEAN"};
static const char *const value_fields[] = {NULL,		   "int_value",	  "double_value", "string_value",
										   "struct_value", "proto_value", "bool_value"};

/* ---------------------------------------------------------------------------------------------------------------- */
/* jsonb -> columns */

static char *
encode_base64(const uint8 *data, size_t size)
{
	int room = pg_b64_enc_len(size);
	char *out = palloc(room + 1);
	int length = pg_b64_encode((const void *) data, size, out, room);

	if (length < 0)
		elog(ERROR, "could not encode base64");
	out[length] = '\0';
	return out;
}

/* NULL when it is not base64 */
static uint8 *
decode_base64(const char *text, size_t length, size_t *size)
{
	int room = pg_b64_dec_len(length);
	uint8 *out = palloc(room + 1);
	int done = pg_b64_decode(text, length, (void *) out, room);

	*size = done < 0 ? 0 : done;
	return done < 0 ? NULL : out;
}

static double
json_to_double(const JsonbValue *json, const char *place)
{
	double value = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(json->val.numeric)));

	if (isinf(value))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("DOUBLE value out of range"),
						errdetail("%s is beyond double precision.", place)));
	return value;
}

static Gpb__Value *value_to_message(const JsonbValue *json, int depth, const char *place);

static Gpb__Struct *
struct_to_message(JsonbContainer *container, int depth, const char *place)
{
	Gpb__Struct *out = FM_NEW(Gpb__Struct, gpb__struct);
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue item;

	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			Gpb__Struct__FieldsEntry *entry = FM_NEW(Gpb__Struct__FieldsEntry, gpb__struct__fields_entry);

			entry->key = pnstrdup(item.val.string.val, item.val.string.len);
			token = JsonbIteratorNext(&it, &item, true);
			entry->value = value_to_message(&item, depth, place);
			FM_APPEND(out->n_fields, out->fields, entry);
		}
	}
	return out;
}

static Gpb__Value *
value_to_message(const JsonbValue *json, int depth, const char *place)
{
	Gpb__Value *out = FM_NEW(Gpb__Value, gpb__value);

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (depth > MAX_STRUCT_DEPTH)
		ereport(ERROR, (errcode(ERRCODE_STATEMENT_TOO_COMPLEX), errmsg("STRUCT property is nested too deep"),
						errdetail("%s is nested deeper than %d levels.", place, MAX_STRUCT_DEPTH)));
	switch (json->type)
	{
		case jbvNull:
			out->kind_case = GPB__VALUE__KIND_NULL_VALUE;
			break;
		case jbvString:
			out->kind_case = GPB__VALUE__KIND_STRING_VALUE;
			out->string_value = pnstrdup(json->val.string.val, json->val.string.len);
			break;
		case jbvNumeric:
			out->kind_case = GPB__VALUE__KIND_NUMBER_VALUE;
			out->number_value = json_to_double(json, place);
			break;
		case jbvBool:
			out->kind_case = GPB__VALUE__KIND_BOOL_VALUE;
			out->bool_value = json->val.boolean;
			break;
		default:
			if (JsonContainerIsObject(json->val.binary.data))
			{
				out->kind_case = GPB__VALUE__KIND_STRUCT_VALUE;
				out->struct_value = struct_to_message(json->val.binary.data, depth + 1, place);
			}
			else
			{
				JsonbIterator *it = JsonbIteratorInit(json->val.binary.data);
				JsonbIteratorToken token;
				JsonbValue item;

				out->kind_case = GPB__VALUE__KIND_LIST_VALUE;
				out->list_value = FM_NEW(Gpb__ListValue, gpb__list_value);
				while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
				{
					if (token == WJB_ELEM)
						FM_APPEND(out->list_value->n_values, out->list_value->values,
								  value_to_message(&item, depth + 1, place));
				}
			}
	}
	return out;
}

/* An object's field as a string; NULL when it has no such field or it is no string */
static char *
string_field(JsonbContainer *object, const char *name)
{
	JsonbValue key = {.type = jbvString};
	JsonbValue *found;

	key.val.string.val = (char *) name;
	key.val.string.len = strlen(name);
	found = findJsonbValueFromContainer(object, JB_FOBJECT, &key);
	return found && found->type == jbvString ? pnstrdup(found->val.string.val, found->val.string.len) : NULL;
}

static bool
is_object(const JsonbValue *json)
{
	return json->type == jbvBinary && JsonContainerIsObject(json->val.binary.data);
}

static bytea *
message_bytes(const ProtobufCMessage *message)
{
	size_t size;
	uint8 *data = fm_message_pack(message, &size);
	bytea *out = palloc(size + VARHDRSZ);

	SET_VARSIZE(out, size + VARHDRSZ);
	memcpy(VARDATA(out), data, size);
	return out;
}

static char *
struct_text(const Gpb__Struct *value)
{
	size_t size;
	uint8 *data = fm_message_pack(&value->base, &size);

	return psprintf("%s%s", STRUCT_PREFIX, encode_base64(data, size));
}

/*
 * {"@type": url, "value": base64} of a message of any type; or protobuf's JSON for a message whose type is known here, its
 * fields beside "@type"
 */
static bytea *
any_from_json(const JsonbValue *json, const char *place)
{
	Gpb__Any *any = NULL;
	char *url = is_object(json) ? string_field(json->val.binary.data, "@type") : NULL;
	char *value = url ? string_field(json->val.binary.data, "value") : NULL;
	FmError error = {0};

	if (value != NULL)
	{
		any = FM_NEW(Gpb__Any, gpb__any);
		any->type_url = url;
		any->value.data = decode_base64(value, strlen(value), &any->value.len);
	}
	if (url != NULL && (any == NULL || any->value.data == NULL))
	{
		char *text = JsonbToCString(NULL, json->val.binary.data, json->val.binary.len);

		any = (Gpb__Any *) fm_message_parse_json(&gpb__any__descriptor, text, strlen(text), &error);
	}
	if (any == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("wrong value for a PROTO property"),
						value != NULL  ? errdetail("%s: \"value\" has to be base64.", place)
						: error.detail ? errdetail("%s: %s", place, error.detail)
									   : errdetail("%s has to be a google.protobuf.Any.", place),
						errhint("Give it as {\"@type\": type url, \"value\": base64 of the message}.")));
	return message_bytes(&any->base);
}

/* The kind of value that JSON says by itself; FM_PROPERTY_ANY for an array */
static FmPropertyKind
kind_of_json(const JsonbValue *json)
{
	char *digits;

	switch (json->type)
	{
		case jbvString:
			return FM_PROPERTY_STRING;
		case jbvBool:
			return FM_PROPERTY_BOOLEAN;
		case jbvNumeric:
			digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(json->val.numeric)));
			errno = 0;
			if (digits[strspn(digits, "-0123456789")] != '\0' || (strtoll(digits, NULL, 10), errno == ERANGE))
				return FM_PROPERTY_DOUBLE;
			return FM_PROPERTY_INT;
		default:
			if (!is_object(json))
				return FM_PROPERTY_ANY;
			return string_field(json->val.binary.data, "@type") ? FM_PROPERTY_PROTO : FM_PROPERTY_STRUCT;
	}
}

/*
 * An ml_metadata.Value as JSON, {"int_value": ..}: its kind, and its content in *content; FM_PROPERTY_ANY if it is not
 * one. A property declared as STRUCT is one with "struct_value" only: any other field is the STRUCT's own.
 */
static FmPropertyKind
stated_kind(const JsonbValue *json, FmPropertyKind declared, JsonbValue *content)
{
	if (!is_object(json) || JsonContainerSize(json->val.binary.data) != 1)
		return FM_PROPERTY_ANY;
	for (int kind = FM_PROPERTY_INT; kind <= FM_PROPERTY_BOOLEAN; kind++)
	{
		JsonbValue key = {.type = jbvString};
		JsonbValue *found;

		if (declared == FM_PROPERTY_STRUCT && kind != FM_PROPERTY_STRUCT)
			continue;
		key.val.string.val = (char *) value_fields[kind];
		key.val.string.len = strlen(value_fields[kind]);
		found = findJsonbValueFromContainer(json->val.binary.data, JB_FOBJECT, &key);
		if (found == NULL || (kind == FM_PROPERTY_STRUCT && !is_object(found)))
			continue;
		*content = *found;
		return kind;
	}
	return FM_PROPERTY_ANY;
}

static void
wrong_kind(const JsonbValue *json, FmPropertyKind kind, const char *place)
{
	static const char *const expected[] = {
		NULL, "an integer", "a number", "a string", "an object", "a google.protobuf.Any", "true or false"};

	if (kind == FM_PROPERTY_ANY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a JSON array is no value of a property"),
				 errdetail("%s is an array.", place), errhint("Put the array into an object: that is a STRUCT.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("wrong value for a property of kind %s", kind_names[kind]),
			 errdetail("%s has to be %s, not %s.", place, expected[kind],
					   json->type == jbvString	  ? "a string"
					   : json->type == jbvNumeric ? kind == FM_PROPERTY_INT ? "a number with a fraction" : "a number"
					   : json->type == jbvBool	  ? "a boolean"
					   : json->type == jbvNull	  ? "null"
					   : is_object(json)		  ? "an object"
												  : "an array")));
}

/* A STRING that looks like a STRUCT would be read as one */
static void
check_string(const char *text, const char *place)
{
	if (strncmp(text, STRUCT_PREFIX, strlen(STRUCT_PREFIX)) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a STRING property must not begin with \"%s\"", STRUCT_PREFIX),
						errdetail("%s does; clients would read it as a STRUCT, or fail to.", place)));
}

void
fm_property_from_json(const JsonbValue *json, FmPropertyKind declared, const char *place, FmProperty *property)
{
	FmPropertyKind stated;
	FmPropertyKind actual;
	FmPropertyKind kind;
	JsonbValue content;
	char *text = NULL;

	property->kind = FM_PROPERTY_ANY;
	if (json->type == jbvNull)
		return;
	stated = stated_kind(json, declared, &content);
	if (stated != FM_PROPERTY_ANY)
		json = &content;
	kind = declared != FM_PROPERTY_ANY ? declared : stated != FM_PROPERTY_ANY ? stated : kind_of_json(json);
	if (kind == FM_PROPERTY_ANY || (stated != FM_PROPERTY_ANY && stated != kind))
		wrong_kind(json, kind, place);
	if (json->type == jbvString)
		text = pnstrdup(json->val.string.val, json->val.string.len);
	actual = kind_of_json(json);
	property->kind = kind;
	switch (kind)
	{
		case FM_PROPERTY_INT:
			/* protobuf's JSON has 64-bit integers as strings */
			if (text && stated != FM_PROPERTY_ANY)
				property->int_value = DatumGetInt64(DirectFunctionCall1(int8in, CStringGetDatum(text)));
			else if (actual == FM_PROPERTY_INT)
				property->int_value =
					DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(json->val.numeric)));
			else if (json->type == jbvNumeric)
			{
				char *digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(json->val.numeric)));

				if (strchr(digits, '.') == NULL)
					ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("INT property out of range"),
									errdetail("%s is %s, beyond 64 bits.", place, digits)));
				wrong_kind(json, kind, place);
			}
			else
				wrong_kind(json, kind, place);
			break;
		case FM_PROPERTY_DOUBLE:
			if (json->type == jbvNumeric)
				property->double_value = json_to_double(json, place);
			else if (text && strcmp(text, "NaN") == 0)
				property->double_value = NAN;
			else if (text && strcmp(text, "Infinity") == 0)
				property->double_value = INFINITY;
			else if (text && strcmp(text, "-Infinity") == 0)
				property->double_value = -INFINITY;
			else
				wrong_kind(json, kind, place);
			break;
		case FM_PROPERTY_STRING:
			if (text == NULL)
				wrong_kind(json, kind, place);
			check_string(text, place);
			property->string_value = text;
			break;
		case FM_PROPERTY_STRUCT:
			if (!is_object(json))
				wrong_kind(json, kind, place);
			property->string_value = struct_text(struct_to_message(json->val.binary.data, 1, place));
			break;
		case FM_PROPERTY_PROTO:
			property->proto_value = any_from_json(json, place);
			break;
		case FM_PROPERTY_BOOLEAN:
			if (json->type != jbvBool)
				wrong_kind(json, kind, place);
			property->bool_value = json->val.boolean;
			break;
		case FM_PROPERTY_ANY:
			break;
	}
}

bool
fm_property_from_message(const Mlmd__Value *value, const char *place, FmProperty *property)
{
	switch (value == NULL ? MLMD__VALUE__VALUE__NOT_SET : value->value_case)
	{
		case MLMD__VALUE__VALUE_INT_VALUE:
			property->kind = FM_PROPERTY_INT;
			property->int_value = value->int_value;
			return true;
		case MLMD__VALUE__VALUE_DOUBLE_VALUE:
			property->kind = FM_PROPERTY_DOUBLE;
			property->double_value = value->double_value;
			return true;
		case MLMD__VALUE__VALUE_STRING_VALUE:
			check_string(value->string_value, place);
			property->kind = FM_PROPERTY_STRING;
			property->string_value = value->string_value;
			return true;
		case MLMD__VALUE__VALUE_STRUCT_VALUE:
			property->kind = FM_PROPERTY_STRUCT;
			property->string_value = struct_text(value->struct_value);
			return true;
		case MLMD__VALUE__VALUE_PROTO_VALUE:
			property->kind = FM_PROPERTY_PROTO;
			property->proto_value = message_bytes(&value->proto_value->base);
			return true;
		case MLMD__VALUE__VALUE_BOOL_VALUE:
			property->kind = FM_PROPERTY_BOOLEAN;
			property->bool_value = value->bool_value;
			return true;
		default:
			return false;
	}
}

/* ---------------------------------------------------------------------------------------------------------------- */
/* columns -> jsonb */

static JsonbValue
json_string(const char *text, size_t length)
{
	JsonbValue out = {.type = jbvString};

	out.val.string.val = (char *) text;
	out.val.string.len = length;
	return out;
}

/*
 * A double as JSON: every digit it has; not a number or infinite as a string, as protobuf's JSON has it. With a fraction, even if it
 * is .0, so that it is a DOUBLE again when it is put back (a STRUCT has doubles only, there 1 is enough).
 */
static JsonbValue
json_double(double value, bool with_fraction)
{
	JsonbValue out = {.type = jbvNumeric};
	char text[64];

	if (isnan(value))
		return json_string("NaN", 3);
	if (isinf(value))
		return value > 0 ? json_string("Infinity", 8) : json_string("-Infinity", 9);
	if (with_fraction && value == rint(value) && fabs(value) < 1e19)
		snprintf(text, sizeof(text), "%.1f", value);
	else
		double_to_shortest_decimal_buf(value, text);
	out.val.numeric = DatumGetNumeric(
		DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	return out;
}

static void push_value(JsonbParseState **state, JsonbIteratorToken token, const Gpb__Value *value);

static JsonbValue *
push_struct(JsonbParseState **state, const Gpb__Struct *value)
{
	check_stack_depth();
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (size_t i = 0; i < value->n_fields; i++)
	{
		JsonbValue key = json_string(value->fields[i]->key, strlen(value->fields[i]->key));

		CHECK_FOR_INTERRUPTS();
		pushJsonbValue(state, WJB_KEY, &key);
		push_value(state, WJB_VALUE, value->fields[i]->value);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
push_value(JsonbParseState **state, JsonbIteratorToken token, const Gpb__Value *value)
{
	JsonbValue out = {.type = jbvNull};

	switch (value == NULL ? GPB__VALUE__KIND__NOT_SET : value->kind_case)
	{
		case GPB__VALUE__KIND_NUMBER_VALUE:
			out = json_double(value->number_value, false);
			break;
		case GPB__VALUE__KIND_STRING_VALUE:
			out = json_string(value->string_value, strlen(value->string_value));
			break;
		case GPB__VALUE__KIND_BOOL_VALUE:
			out.type = jbvBool;
			out.val.boolean = value->bool_value;
			break;
		case GPB__VALUE__KIND_STRUCT_VALUE:
			push_struct(state, value->struct_value);
			return;
		case GPB__VALUE__KIND_LIST_VALUE:
			check_stack_depth();
			pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
			for (size_t i = 0; i < value->list_value->n_values; i++)
				push_value(state, WJB_ELEM, value->list_value->values[i]);
			pushJsonbValue(state, WJB_END_ARRAY, NULL);
			return;
		default:
			break;
	}
	pushJsonbValue(state, token, &out);
}

/* Begins {field: value}, which states the kind of the value: see stated_kind() */
static void
begin_stated(JsonbParseState **state, FmPropertyKind kind)
{
	JsonbValue key = json_string(value_fields[kind], strlen(value_fields[kind]));

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	pushJsonbValue(state, WJB_KEY, &key);
}

/* Would a STRUCT be taken for something else when it is put back as a custom property? */
static bool
is_ambiguous(const Gpb__Struct *value)
{
	for (size_t i = 0; i < value->n_fields; i++)
	{
		if (strcmp(value->fields[i]->key, "@type") == 0)
			return true;
		for (int kind = FM_PROPERTY_INT; value->n_fields == 1 && kind <= FM_PROPERTY_BOOLEAN; kind++)
		{
			if (strcmp(value->fields[i]->key, value_fields[kind]) == 0)
				return true;
		}
	}
	return false;
}

/* The jsonb of a STRUCT's string_value; NULL when it is not one, whatever it begins with */
static Jsonb *
json_of_struct(const char *text, size_t length)
{
	FmError error = {0};
	size_t size;
	uint8 *data = decode_base64(text + strlen(STRUCT_PREFIX), length - strlen(STRUCT_PREFIX), &size);
	Gpb__Struct *value;
	JsonbParseState *state = NULL;

	if (data == NULL)
		return NULL;
	value = (Gpb__Struct *) fm_message_unpack(&gpb__struct__descriptor, data, size, &error);
	if (value == NULL)
		return NULL;
	if (is_ambiguous(value))
	{
		begin_stated(&state, FM_PROPERTY_STRUCT);
		push_struct(&state, value);
		return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	}
	return JsonbValueToJsonb(push_struct(&state, value));
}

/* {"@type": url, "value": base64}, or the bytes alone when they are no Any */
static Jsonb *
json_of_any(const bytea *bytes)
{
	FmError error = {0};
	const uint8 *data = (const uint8 *) VARDATA_ANY(bytes);
	size_t size = VARSIZE_ANY_EXHDR(bytes);
	Gpb__Any *any = (Gpb__Any *) fm_message_unpack(&gpb__any__descriptor, data, size, &error);
	JsonbParseState *state = NULL;
	JsonbValue item;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (any != NULL)
	{
		const char *url = any->type_url ? any->type_url : "";

		item = json_string("@type", 5);
		pushJsonbValue(&state, WJB_KEY, &item);
		item = json_string(url, strlen(url));
		pushJsonbValue(&state, WJB_VALUE, &item);
		data = any->value.data;
		size = any->value.len;
	}
	item = json_string("value", 5);
	pushJsonbValue(&state, WJB_KEY, &item);
	{
		char *text = encode_base64(data, size);

		item = json_string(text, strlen(text));
	}
	pushJsonbValue(&state, WJB_VALUE, &item);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * mlmd_property_value(int_value, double_value, string_value, proto_value, bool_value) -> jsonb: the value of a property
 * row, as put_artifact() takes it; NULL when all are NULL
 */
Datum
mlmd_property_value(PG_FUNCTION_ARGS)
{
	JsonbValue out = {.type = jbvNull};

	if (!PG_ARGISNULL(2))
	{
		text *value = PG_GETARG_TEXT_PP(2);
		size_t length = VARSIZE_ANY_EXHDR(value);
		Jsonb *json = NULL;

		if (length >= strlen(STRUCT_PREFIX) && memcmp(VARDATA_ANY(value), STRUCT_PREFIX, strlen(STRUCT_PREFIX)) == 0)
			json = json_of_struct(VARDATA_ANY(value), length);
		if (json != NULL)
			PG_RETURN_JSONB_P(json);
		out = json_string(VARDATA_ANY(value), length);
	}
	else if (!PG_ARGISNULL(0))
	{
		out.type = jbvNumeric;
		out.val.numeric = int64_to_numeric(PG_GETARG_INT64(0));
	}
	else if (!PG_ARGISNULL(1))
	{
		out = json_double(PG_GETARG_FLOAT8(1), true);
		if (out.type == jbvString)
		{
			JsonbParseState *state = NULL;

			begin_stated(&state, FM_PROPERTY_DOUBLE);
			pushJsonbValue(&state, WJB_VALUE, &out);
			PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
		}
	}
	else if (!PG_ARGISNULL(4))
	{
		out.type = jbvBool;
		out.val.boolean = PG_GETARG_BOOL(4);
	}
	else if (!PG_ARGISNULL(3))
		PG_RETURN_JSONB_P(json_of_any(PG_GETARG_BYTEA_PP(3)));
	else
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(JsonbValueToJsonb(&out));
}
