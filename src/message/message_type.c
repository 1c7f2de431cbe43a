/*
 * Protobuf messages as SQL types: the functions that see Datums
 */
#include "message/message_internal.h"
#include "message/message_type.h"

#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/float.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

/*
 * Names the type in the error of a core, and gives the texts the server's encoding
 */
static void
name_type(FmError *error, const char *type)
{
	if (error->sqlstate == ERRCODE_INVALID_TEXT_REPRESENTATION)
		error->message = psprintf("invalid input syntax for type %s", type);
	else if (error->sqlstate == ERRCODE_INVALID_BINARY_REPRESENTATION)
		error->message = psprintf("invalid binary representation of type %s", type);
	else if (strncmp(error->message, "message ", 8) == 0)
		error->message = psprintf("%s %s", type, error->message + 8);
	if (GetDatabaseEncoding() != PG_UTF8 && error->detail != NULL)
		error->detail = pg_any_to_server(error->detail, strlen(error->detail), PG_UTF8);
}

/*
 * A message as a varlena of its wire bytes. Rooms build messages from names that they find in the database: they are
 * checked here, so that nothing is stored that could not be read again.
 */
Datum
fm_message_get_datum(const ProtobufCMessage *message)
{
	size_t size;
	FmError error = {0};
	uint8 *bytes = fm_message_pack_checked(message, &size, &error);
	bytea *result;

	if (bytes == NULL)
		fm_throw(&error, NULL);
	if (size > MaxAllocSize - VARHDRSZ)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("message %s is too large to store", message->descriptor->short_name),
						errdetail("It has %zu bytes.", size)));
	result = palloc(size + VARHDRSZ);
	SET_VARSIZE(result, size + VARHDRSZ);
	memcpy(VARDATA(result), bytes, size);
	pfree(bytes);
	PG_RETURN_BYTEA_P(result);
}

/*
 * Stored bytes were checked when they came in, but a bytea cast or a broken page may hold others: checked again
 */
ProtobufCMessage *
fm_datum_get_message(Datum datum, const ProtobufCMessageDescriptor *descriptor)
{
	bytea *value = PG_DETOAST_DATUM_PACKED(datum);
	FmError error = {0};
	ProtobufCMessage *message =
		fm_message_unpack(descriptor, (const uint8 *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), &error);

	if (message == NULL)
		fm_throw(&error, NULL);
	return message;
}

/*
 * Text format; JSON if it begins with a brace, as no text format does
 */
static Datum
message_in(FunctionCallInfo fcinfo, const char *type, const ProtobufCMessageDescriptor *descriptor)
{
	char *text = PG_GETARG_CSTRING(0);
	FmError error = {0};
	ProtobufCMessage *message;

	if (text[strspn(text, " \t\n\r")] == '{')
		message = fm_message_parse_json(descriptor, text, strlen(text), &error);
	else
	{
		/* in SQL_ASCII there is nothing to convert from: the reader checks that it is UTF-8 */
		if (GetDatabaseEncoding() != PG_SQL_ASCII)
			text = pg_server_to_any(text, strlen(text), PG_UTF8);
		message = fm_message_parse_text_exactly(descriptor, text, strlen(text), &error);
	}
	if (message == NULL)
	{
		name_type(&error, type);
		fm_throw(&error, FM_ESCONTEXT(fcinfo));
		PG_RETURN_NULL();
	}
	return fm_message_get_datum(message);
}

/*
 * Text format as Python prints it. Who asks for exact numbers, as pg_dump, postgres_fdw and logical replication do by
 * extra_float_digits = 3, gets an exact text.
 */
static Datum
message_out(FunctionCallInfo fcinfo, const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = fm_getarg_message(fcinfo, 0, descriptor);
	StringInfoData out;

	initStringInfo(&out);
	if (extra_float_digits > 1)
		fm_message_print_text_exactly(message, &out);
	else
		fm_message_print_text(message, &out);
	PG_RETURN_CSTRING(out.data);
}

/*
 * Wire bytes, brought into canonical order
 */
static Datum
message_from_bytes(const char *bytes, size_t size, const char *type, const ProtobufCMessageDescriptor *descriptor)
{
	FmError error = {0};
	ProtobufCMessage *message = fm_message_unpack(descriptor, (const uint8 *) bytes, size, &error);

	if (message == NULL)
	{
		name_type(&error, type);
		fm_throw(&error, NULL);
	}
	return fm_message_get_datum(message);
}

static Datum
message_recv(FunctionCallInfo fcinfo, const char *type, const ProtobufCMessageDescriptor *descriptor)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int size = buf->len - buf->cursor;

	return message_from_bytes(pq_getmsgbytes(buf, size), size, type, descriptor);
}

static Datum
message_from_bytea(FunctionCallInfo fcinfo, const char *type, const ProtobufCMessageDescriptor *descriptor)
{
	bytea *value = PG_GETARG_BYTEA_PP(0);

	return message_from_bytes(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), type, descriptor);
}

static Datum
message_from_jsonb(FunctionCallInfo fcinfo, const char *type, const ProtobufCMessageDescriptor *descriptor)
{
	Jsonb *value = PG_GETARG_JSONB_P(0);
	char *json = JsonbToCString(NULL, &value->root, VARSIZE(value));
	FmError error = {0};
	ProtobufCMessage *message = fm_message_parse_json(descriptor, json, strlen(json), &error);

	if (message == NULL)
	{
		name_type(&error, type);
		fm_throw(&error, NULL);
	}
	return fm_message_get_datum(message);
}

static Datum
message_to_jsonb(FunctionCallInfo fcinfo, const char *type, const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = fm_getarg_message(fcinfo, 0, descriptor);
	FmError error = {0};
	StringInfoData out;
	char *json;

	initStringInfo(&out);
	if (!fm_message_print_json(message, &out, &error))
	{
		name_type(&error, type);
		fm_throw(&error, NULL);
	}
	json = pg_any_to_server(out.data, out.len, PG_UTF8);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
}

/*
 * The functions of one type; = and hashing are bytea's, since equal values have equal bytes
 */
#define FM_MESSAGE_TYPE(type, descriptor)                                                                              \
	PG_FUNCTION_INFO_V1(type##_in);                                                                                    \
	PGDLLEXPORT Datum type##_in(PG_FUNCTION_ARGS)                                                                      \
	{                                                                                                                  \
		return message_in(fcinfo, #type, descriptor);                                                                  \
	}                                                                                                                  \
	PG_FUNCTION_INFO_V1(type##_out);                                                                                   \
	PGDLLEXPORT Datum type##_out(PG_FUNCTION_ARGS)                                                                     \
	{                                                                                                                  \
		return message_out(fcinfo, descriptor);                                                                        \
	}                                                                                                                  \
	PG_FUNCTION_INFO_V1(type##_recv);                                                                                  \
	PGDLLEXPORT Datum type##_recv(PG_FUNCTION_ARGS)                                                                    \
	{                                                                                                                  \
		return message_recv(fcinfo, #type, descriptor);                                                                \
	}                                                                                                                  \
	PG_FUNCTION_INFO_V1(type##_from_bytea);                                                                            \
	PGDLLEXPORT Datum type##_from_bytea(PG_FUNCTION_ARGS)                                                              \
	{                                                                                                                  \
		return message_from_bytea(fcinfo, #type, descriptor);                                                          \
	}                                                                                                                  \
	PG_FUNCTION_INFO_V1(type##_from_jsonb);                                                                            \
	PGDLLEXPORT Datum type##_from_jsonb(PG_FUNCTION_ARGS)                                                              \
	{                                                                                                                  \
		return message_from_jsonb(fcinfo, #type, descriptor);                                                          \
	}                                                                                                                  \
	PG_FUNCTION_INFO_V1(type##_to_jsonb);                                                                              \
	PGDLLEXPORT Datum type##_to_jsonb(PG_FUNCTION_ARGS)                                                                \
	{                                                                                                                  \
		return message_to_jsonb(fcinfo, #type, descriptor);                                                            \
	}

FM_MESSAGE_TYPE(feature_schema, &tfmd__schema__descriptor)
FM_MESSAGE_TYPE(feature_statistics, &tfmd__dataset_feature_statistics_list__descriptor)
FM_MESSAGE_TYPE(feature_anomalies, &tfmd__anomalies__descriptor)
FM_MESSAGE_TYPE(lineage_graph, &mlmd__lineage_graph__descriptor)
