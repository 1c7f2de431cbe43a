/*
 * The aggregate behind enable_semantic_domain_stats: one column, any type
 */
#include "semantic_aggregate.h"

#include "fm_aggregate.h"
#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(semantic_domain_counts_accum);
PG_FUNCTION_INFO_V1(semantic_domain_counts_combine);
PG_FUNCTION_INFO_V1(semantic_domain_counts_serialize);
PG_FUNCTION_INFO_V1(semantic_domain_counts_deserialize);

/* How to take values of the argument's type apart; kept for the calls of one query */
typedef struct Reader
{
	Oid type; /* base type of a value, an element of an array */
	bool is_array;
	int16 length;
	bool by_value;
	char alignment;
	FmgrInfo output;
} Reader;

static Reader *
GetReader(FunctionCallInfo fcinfo)
{
	Reader *reader = fcinfo->flinfo->fn_extra;
	MemoryContext old;
	Oid type;
	Oid output;
	bool is_varlena;

	if (reader != NULL)
		return reader;

	type = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, 1));
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	reader = palloc0(sizeof(Reader));
	reader->is_array = OidIsValid(get_element_type(type));
	reader->type = reader->is_array ? getBaseType(get_element_type(type)) : type;
	get_typlenbyvalalign(reader->type, &reader->length, &reader->by_value, &reader->alignment);
	getTypeOutputInfo(reader->type, &output, &is_varlena);
	fmgr_info_cxt(output, &reader->output, fcinfo->flinfo->fn_mcxt);
	MemoryContextSwitchTo(old);
	fcinfo->flinfo->fn_extra = reader;
	return reader;
}

static void
AddText(FmSemanticCounts *counts, const char *data, int size)
{
	char *utf8 = pg_server_to_any(data, size, PG_UTF8);

	if (utf8 != data)
		size = strlen(utf8);
	fm_semantic_add_text(counts, utf8, size, true);
}

static void
AddValue(FmSemanticCounts *counts, Reader *reader, Datum value)
{
	switch (reader->type)
	{
		case BOOLOID:
			fm_semantic_add_int(counts, DatumGetBool(value));
			break;
		case INT2OID:
			fm_semantic_add_int(counts, DatumGetInt16(value));
			break;
		case INT4OID:
			fm_semantic_add_int(counts, DatumGetInt32(value));
			break;
		case INT8OID:
			fm_semantic_add_int(counts, DatumGetInt64(value));
			break;
		case TEXTOID:
		case VARCHAROID:
		{
			text *t = DatumGetTextPP(value);

			AddText(counts, VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
			break;
		}
		case BYTEAOID:
		{
			bytea *b = DatumGetByteaPP(value);
			int size = VARSIZE_ANY_EXHDR(b);

			fm_semantic_add_text(counts, VARDATA_ANY(b), size,
								 pg_encoding_verifymbstr(PG_UTF8, VARDATA_ANY(b), size) == size);
			break;
		}
		default:
		{
			char *t = OutputFunctionCall(&reader->output, value);

			AddText(counts, t, strlen(t));
			break;
		}
	}
}

Datum
semantic_domain_counts_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = fm_aggregate_context(fcinfo);
	FmSemanticCounts *counts;
	Reader *reader;

	counts = PG_ARGISNULL(0) ? MemoryContextAllocZero(context, sizeof(FmSemanticCounts))
							 : (FmSemanticCounts *) PG_GETARG_POINTER(0);
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(counts);

	reader = GetReader(fcinfo);
	if (reader->is_array)
	{
		ArrayIterator iterator = array_create_iterator(PG_GETARG_ARRAYTYPE_P(1), 0, NULL);
		Datum value;
		bool is_null;

		while (array_iterate(iterator, &value, &is_null))
		{
			CHECK_FOR_INTERRUPTS();
			if (is_null)
				fm_semantic_add_null(counts);
			else
				AddValue(counts, reader, value);
		}
		array_free_iterator(iterator);
	}
	else
		AddValue(counts, reader, PG_GETARG_DATUM(1));
	PG_RETURN_POINTER(counts);
}

Datum
semantic_domain_counts_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = fm_aggregate_context(fcinfo);
	FmSemanticCounts *counts;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	counts = PG_ARGISNULL(0) ? MemoryContextAllocZero(context, sizeof(FmSemanticCounts))
							 : (FmSemanticCounts *) PG_GETARG_POINTER(0);
	if (!PG_ARGISNULL(1))
		fm_semantic_merge(counts, (FmSemanticCounts *) PG_GETARG_POINTER(1));
	PG_RETURN_POINTER(counts);
}

/* The counts in their order: sent and read by the same list */
#define FOR_EACH_COUNT(DO)                                                                                             \
	do                                                                                                                 \
	{                                                                                                                  \
		DO(num_values);                                                                                                \
		for (int i = 0; i < FM_NUM_UNIX_TIMES; i++)                                                                    \
			DO(unix_time[i]);                                                                                          \
		for (int i = 0; i < FM_NUM_TIME_FORMATS; i++)                                                                  \
			DO(time_format[i]);                                                                                        \
		for (int i = 0; i < FM_NUM_TIME_FORMATS; i++)                                                                  \
			DO(first_match[i]);                                                                                        \
		for (int i = 0; i < FM_NUM_IMAGE_FORMATS; i++)                                                                 \
			DO(image[i]);                                                                                              \
		DO(language_values);                                                                                           \
		DO(language_matches);                                                                                          \
		DO(not_time);                                                                                                  \
		DO(not_language);                                                                                              \
	} while (0)

/*
 * Serialises for parallel workers; also the result of the aggregate
 */
Datum
semantic_domain_counts_serialize(PG_FUNCTION_ARGS)
{
	FmSemanticCounts *counts;
	StringInfoData buffer;

	fm_aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	counts = (FmSemanticCounts *) PG_GETARG_POINTER(0);
	pq_begintypsend(&buffer);
#define SEND(field) pq_sendint64(&buffer, counts->field)
	FOR_EACH_COUNT(SEND);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

void
fm_semantic_read(Datum datum, FmSemanticCounts *counts)
{
	bytea *bytes = DatumGetByteaPP(datum);
	StringInfoData buffer;

	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
#define RECEIVE(field) counts->field = pq_getmsgint64(&buffer)
	FOR_EACH_COUNT(RECEIVE);
	pq_getmsgend(&buffer);
	pfree(buffer.data);
}

Datum
semantic_domain_counts_deserialize(PG_FUNCTION_ARGS)
{
	FmSemanticCounts *counts = palloc0(sizeof(FmSemanticCounts));

	fm_aggregate_context(fcinfo);
	fm_semantic_read(PG_GETARG_DATUM(0), counts);
	PG_RETURN_POINTER(counts);
}

FmSemanticKind
fm_semantic_kind(const FmSourceColumn *column)
{
	switch (column->family)
	{
		case FM_FAMILY_INT:
			return FM_SEMANTIC_INT;
		case FM_FAMILY_TEXT:
			return FM_SEMANTIC_TEXT;
		default:
			return FM_SEMANTIC_NONE;
	}
}
