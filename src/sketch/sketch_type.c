/*
 * The SQL type feature_sketch: input, output, expanded form, settings
 */
#include "fm_core.h"
#include "fm_compat.h"

#include "common/base64.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "sketch/sketch_core.h"
#include "sketch/sketch_object.h"
#include "sketch/sketch_type.h"

/* the text form: this, then the bytes in base64 */
#define TEXT_PREFIX "fms1:"

int fm_max_exact_values = 4300;
bool fm_sketch_distributions = true;

void
fm_sketch_define_settings(void)
{
	DefineCustomIntVariable(
		"feature_meta.max_exact_values",
		"Number of distinct values of a column up to which a sketch keeps all of them.",
		"Beyond it quantiles, distinct counts and frequent values are estimates with a stated error.",
		&fm_max_exact_values, 4300, 16, 1000000, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("feature_meta.sketch_distributions",
							 "Whether sketches keep quantiles, distinct and frequent values.",
							 "Off: only counts, moments and extremes, which is faster.", &fm_sketch_distributions, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);
}

FmSketch *
fm_sketch_new_by_settings(bool weighted)
{
	return fm_sketch_new(weighted, fm_sketch_distributions ? FM_KEEP_ALL : FM_KEEP_MOMENTS, fm_max_exact_values);
}

/* ---- the expanded form */

static Size
object_flat_size(ExpandedObjectHeader *header)
{
	FmSketchObject *object = (FmSketchObject *) header;
	MemoryContext old = MemoryContextSwitchTo(object->header.eoh_context);

	if (object->flat.data == NULL)
		initStringInfo(&object->flat);
	else
		resetStringInfo(&object->flat);
	fm_sketch_write(object->sketch, &object->flat);
	MemoryContextSwitchTo(old);
	return object->flat.len + VARHDRSZ;
}

static void
object_flatten_into(ExpandedObjectHeader *header, void *result, Size allocated_size)
{
	FmSketchObject *object = (FmSketchObject *) header;

	/* object_flat_size was called just before */
	Assert(allocated_size == (Size) object->flat.len + VARHDRSZ);
	SET_VARSIZE(result, allocated_size);
	memcpy(VARDATA(result), object->flat.data, object->flat.len);
	pfree(object->flat.data);
	object->flat.data = NULL;
}

static const ExpandedObjectMethods object_methods = {object_flat_size, object_flatten_into};

/*
 * An expanded sketch in a context of its own below parent; the caller gives it the sketch
 */
FmSketchObject *
fm_sketch_object_new(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "feature_sketch", ALLOCSET_START_SMALL_SIZES);
	FmSketchObject *object = MemoryContextAllocZero(context, sizeof(FmSketchObject));

	EOH_init_header(&object->header, &object_methods, context);
	return object;
}

static FmSketch *
read_bytes(const char *data, size_t size, struct Node *escontext)
{
	FmError error = {0};
	FmSketch *sketch = fm_sketch_read(data, size, &error);

	if (sketch == NULL)
		fm_throw(&error, escontext);
	return sketch;
}

FmSketch *
fm_datum_get_sketch(Datum datum)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(datum);

	if (VARATT_IS_EXTERNAL_EXPANDED(value))
	{
		ExpandedObjectHeader *header = DatumGetEOHP(datum);

		if (header->eoh_methods == &object_methods)
		{
			FmSketch *sketch = ((FmSketchObject *) header)->sketch;
			/* what waits is worked off where the sketch is: from 16 on an aggregate's state is read itself, perhaps twice */
			MemoryContext old = MemoryContextSwitchTo(header->eoh_context);

			fm_sketch_settle(sketch);
			MemoryContextSwitchTo(old);
			return sketch;
		}
	}
	value = PG_DETOAST_DATUM_PACKED(datum);
	return read_bytes(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), NULL);
}

/*
 * The state of an aggregate: what is there already, or a new object with what the Datum says
 */
FmSketchObject *
fm_sketch_object_get(Datum datum, MemoryContext parent)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(datum);
	FmSketchObject *object;
	MemoryContext old;

	if (VARATT_IS_EXTERNAL_EXPANDED_RW(value))
	{
		ExpandedObjectHeader *header = DatumGetEOHP(datum);

		if (header->eoh_methods == &object_methods)
			return (FmSketchObject *) header;
	}
	object = fm_sketch_object_new(parent);
	value = PG_DETOAST_DATUM_PACKED(datum);
	old = MemoryContextSwitchTo(object->header.eoh_context);
	object->sketch = read_bytes(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), NULL);
	MemoryContextSwitchTo(old);
	return object;
}

Datum
fm_sketch_get_datum(FmSketch *sketch)
{
	StringInfoData buf;

	initStringInfo(&buf);
	/* room for the varlena's header */
	appendStringInfoSpaces(&buf, VARHDRSZ);
	fm_sketch_write(sketch, &buf);
	SET_VARSIZE(buf.data, buf.len);
	PG_RETURN_POINTER(buf.data);
}

/* ---- input and output */

PGDLLEXPORT PG_FUNCTION_INFO_V1(feature_sketch_in);
Datum
feature_sketch_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	size_t length = strlen(text);
	int size = -1;
	uint8 *bytes = NULL;
	FmSketch *sketch;

	while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
		length--;
	while (length > 0 && strchr(" \t\r\n", *text) != NULL)
	{
		text++;
		length--;
	}
	if (length >= strlen(TEXT_PREFIX) && memcmp(text, TEXT_PREFIX, strlen(TEXT_PREFIX)) == 0)
	{
		text += strlen(TEXT_PREFIX);
		length -= strlen(TEXT_PREFIX);
		size = pg_b64_dec_len((int) length);
		bytes = palloc(size);
		size = pg_b64_decode(text, (int) length, (void *) bytes, size);
	}
	if (size < 0)
	{
		FmError error = {0};

		fm_fail(&error, ERRCODE_INVALID_TEXT_REPRESENTATION, "invalid input syntax for type feature_sketch");
		fm_fail_detail(&error, "The text must be \"" TEXT_PREFIX "\" followed by base64.");
		fm_throw(&error, FM_ESCONTEXT(fcinfo));
		PG_RETURN_NULL();
	}
	sketch = read_bytes((char *) bytes, size, FM_ESCONTEXT(fcinfo));
	if (sketch == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FEATURE_SKETCH(sketch);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(feature_sketch_out);
Datum
feature_sketch_out(PG_FUNCTION_ARGS)
{
	StringInfoData buf;
	int size;
	int prefix = (int) strlen(TEXT_PREFIX);
	char *text;

	initStringInfo(&buf);
	fm_sketch_write(PG_GETARG_FEATURE_SKETCH(0), &buf);
	size = pg_b64_enc_len(buf.len);
	text = palloc(prefix + size + 1);
	memcpy(text, TEXT_PREFIX, prefix);
	size = pg_b64_encode((void *) buf.data, buf.len, text + prefix, size);
	if (size < 0)
		elog(ERROR, "could not encode feature_sketch");
	text[prefix + size] = '\0';
	PG_RETURN_CSTRING(text);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(feature_sketch_recv);
Datum
feature_sketch_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int size = buf->len - buf->cursor;
	const char *bytes = pq_getmsgbytes(buf, size);

	PG_RETURN_FEATURE_SKETCH(read_bytes(bytes, size, NULL));
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(feature_sketch_send);
Datum
feature_sketch_send(PG_FUNCTION_ARGS)
{
	return fm_sketch_get_datum(PG_GETARG_FEATURE_SKETCH(0));
}
