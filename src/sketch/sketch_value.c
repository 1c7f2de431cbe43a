/*
 * From Datums to features
 */
#include "fm_core.h"
#include "fm_compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "fm_epoch.h"
#include "sketch/sketch_core.h"
#include "sketch/sketch_value.h"

typedef enum Action
{
	ADD_BOOL,
	ADD_INT2,
	ADD_INT4,
	ADD_INT8,
	ADD_FLOAT4,
	ADD_FLOAT8,
	ADD_NUMERIC,
	ADD_TEXT,
	ADD_BPCHAR,
	ADD_NAME,
	ADD_BYTEA,
	ADD_DATE,
	ADD_TIME,
	ADD_TIMESTAMP,
	ADD_JSONB,
	ADD_ARRAY,
	ADD_ROW,
	ADD_OUTPUT
} Action;

struct FmColumn
{
	Action action;
	FmFeature *feature;
	FmgrInfo output;   /* ADD_OUTPUT */
	FmColumn *element; /* ADD_ARRAY */
	Oid element_type;
	int16 typlen;
	bool typbyval;
	char typalign;
	FmRow *row; /* ADD_ROW; opened by the first value if the type is an anonymous record */
};

/* ---- text */

/*
 * Whether text of this database must be looked at before it is taken for UTF-8, and how
 */
static inline bool
encoding_is_utf8(void)
{
	return GetDatabaseEncoding() == PG_UTF8;
}

static void
add_text(FmFeature *feature, int level, const char *value, int size, MemoryContext context)
{
	MemoryContext old;
	bool check = false;

	if (!encoding_is_utf8())
	{
		if (GetDatabaseEncoding() == PG_SQL_ASCII)
			check = true;
		else
		{
			char *utf8 = pg_server_to_any(value, size, PG_UTF8);

			if (utf8 != value)
			{
				value = utf8;
				size = (int) strlen(utf8);
			}
		}
	}
	old = MemoryContextSwitchTo(context);
	fm_feature_add_string(feature, level, value, size, check);
	MemoryContextSwitchTo(old);
}

const char *
fm_name_to_utf8(const char *name)
{
	if (encoding_is_utf8() || GetDatabaseEncoding() == PG_SQL_ASCII)
		return name;
	return pg_server_to_any(name, (int) strlen(name), PG_UTF8);
}

/* ---- opening */

static FmSource
source_of(Oid type, Action *action, FmLogicalType *logical_type)
{
	*logical_type = FM_PLAIN;
	switch (type)
	{
		case BOOLOID:
			*action = ADD_BOOL;
			*logical_type = FM_BOOL;
			return FM_SOURCE_INT;
		case INT2OID:
			*action = ADD_INT2;
			return FM_SOURCE_INT;
		case INT4OID:
			*action = ADD_INT4;
			return FM_SOURCE_INT;
		case INT8OID:
			*action = ADD_INT8;
			return FM_SOURCE_INT;
		case FLOAT4OID:
			*action = ADD_FLOAT4;
			return FM_SOURCE_FLOAT;
		case FLOAT8OID:
			*action = ADD_FLOAT8;
			return FM_SOURCE_FLOAT;
		case NUMERICOID:
			*action = ADD_NUMERIC;
			return FM_SOURCE_FLOAT;
		case TEXTOID:
		case VARCHAROID:
			*action = ADD_TEXT;
			return FM_SOURCE_STRING;
		case BPCHAROID:
			*action = ADD_BPCHAR;
			return FM_SOURCE_STRING;
		case NAMEOID:
			*action = ADD_NAME;
			return FM_SOURCE_STRING;
		case BYTEAOID:
			*action = ADD_BYTEA;
			return FM_SOURCE_BYTES;
		case DATEOID:
			*action = ADD_DATE;
			*logical_type = FM_DATE;
			return FM_SOURCE_INT;
		case TIMEOID:
			*action = ADD_TIME;
			*logical_type = FM_TIME;
			return FM_SOURCE_INT;
		case TIMESTAMPOID:
			*action = ADD_TIMESTAMP;
			*logical_type = FM_TIMESTAMP;
			return FM_SOURCE_INT;
		case TIMESTAMPTZOID:
			*action = ADD_TIMESTAMP;
			*logical_type = FM_TIMESTAMPTZ;
			return FM_SOURCE_INT;
		case JSONBOID:
			*action = ADD_JSONB;
			return FM_SOURCE_JSON;
		default:
			break;
	}
	if (type_is_rowtype(type))
	{
		*action = ADD_ROW;
		return FM_SOURCE_STRUCT;
	}
	*action = ADD_OUTPUT;
	return FM_SOURCE_STRING;
}

static FmColumn *
open_for_feature(FmSketch *sketch, FmFeature *parent, FmFeature *feature, const char *name, int position, Oid type,
				 bool is_element)
{
	FmColumn *column = palloc0(sizeof(FmColumn));
	Oid base = getBaseType(type);
	Oid element = get_element_type(base);
	FmLogicalType logical_type;
	FmSource source;

	check_stack_depth();
	/* int2vector and oidvector are arrays inside, but nobody's list */
	if (OidIsValid(element) && get_typlen(base) == -1 && !is_element)
	{
		column->action = ADD_ARRAY;
		column->element = open_for_feature(sketch, parent, feature, name, position, element, true);
		column->feature = column->element->feature;
		column->element_type = element;
		get_typlenbyvalalign(element, &column->typlen, &column->typbyval, &column->typalign);
		return column;
	}
	source = source_of(base, &column->action, &logical_type);
	if (feature == NULL)
	{
		feature = fm_feature_find_child(parent, name, strlen(name));
		if (feature == NULL)
			feature = fm_feature_add_child(parent, name, strlen(name), position, source, logical_type);
		else if (feature->source != source || feature->logical_type != logical_type)
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
							errmsg("values of type %s cannot be added to this sketch", format_type_be(type)),
							errdetail("Its feature \"%s\" is of another type.", name)));
	}
	column->feature = feature;
	if (column->action == ADD_ROW && base != RECORDOID)
		column->row = fm_row_open(sketch, feature, base, -1);
	else if (column->action == ADD_OUTPUT)
	{
		Oid output;
		bool is_varlena;

		getTypeOutputInfo(base, &output, &is_varlena);
		fmgr_info_cxt(output, &column->output, CurrentMemoryContext);
	}
	return column;
}

FmColumn *
fm_column_open(FmSketch *sketch, FmFeature *parent, const char *name, int position, Oid type)
{
	return open_for_feature(sketch, parent != NULL ? parent : &sketch->root, NULL, name, position, type, false);
}

FmRow *
fm_row_open(FmSketch *sketch, FmFeature *parent, Oid typid, int32 typmod)
{
	FmRow *row = palloc0(sizeof(FmRow));
	TupleDesc desc = lookup_rowtype_tupdesc_domain(typid, typmod, false);
	int natts = desc->natts;

	row->typid = typid;
	row->typmod = typmod;
	row->desc = CreateTupleDescCopy(desc);
	ReleaseTupleDesc(desc);
	row->columns = palloc0(sizeof(FmColumn *) * Max(natts, 1));
	row->values = palloc(sizeof(Datum) * Max(natts, 1));
	row->nulls = palloc(sizeof(bool) * Max(natts, 1));
	for (int i = 0; i < natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(row->desc, i);

		if (!att->attisdropped)
			row->columns[i] = fm_column_open(sketch, parent, fm_name_to_utf8(NameStr(att->attname)), i, att->atttypid);
	}
	return row;
}

/* ---- adding */

/* A value on its way: where it stands, and what the lists of this example came to */
typedef struct Place
{
	MemoryContext context;
	int level;
	int deepest;
	int known_levels; /* of lists, before this example */
	uint64 num_values;
	int null_level; /* the deepest level that had a null, and how many are counted of it in num_values */
	uint64 num_nulls;
} Place;

static void add_value(FmColumn *column, Datum value, Place *place);

static void
add_null_element(FmFeature *feature, Place *place)
{
	MemoryContext old = MemoryContextSwitchTo(place->context);

	fm_feature_add_null(feature, place->level);
	MemoryContextSwitchTo(old);
	/* a null is a value at the innermost level only; above, it is a missing list */
	if (place->level > place->null_level)
	{
		place->num_values -= place->num_nulls;
		place->null_level = place->level;
		place->num_nulls = 0;
	}
	if (place->level == place->null_level)
	{
		place->num_values++;
		place->num_nulls++;
	}
}

static void
begin_list(FmFeature *feature, Place *place, uint64 length)
{
	MemoryContext old = MemoryContextSwitchTo(place->context);

	if (place->level == 0)
		place->known_levels = feature->num_levels - 1;
	place->level++;
	place->deepest = Max(place->deepest, place->level);
	fm_feature_add_list(feature, place->level, length);
	MemoryContextSwitchTo(old);
}

/*
 * A dimension of an array, as a list of lists down to the last one
 */
static void
add_dimension(FmColumn *column, Place *place, int ndim, const int *dims, Datum **values, bool **nulls)
{
	begin_list(column->feature, place, dims[0]);
	for (int i = 0; i < dims[0]; i++)
	{
		if (ndim > 1)
		{
			add_dimension(column, place, ndim - 1, dims + 1, values, nulls);
			continue;
		}
		if ((i & 1023) == 0)
			CHECK_FOR_INTERRUPTS();
		if (**nulls)
			add_null_element(column->feature, place);
		else
			add_value(column->element, **values, place);
		(*values)++;
		(*nulls)++;
	}
	place->level--;
}

static void
add_array(FmColumn *column, Datum value, Place *place)
{
	ArrayType *array = DatumGetArrayTypeP(value);
	Datum *values;
	bool *nulls;
	int num;
	const int no_dims[1] = {0};

	if (ARR_ELEMTYPE(array) != column->element_type)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("values of type %s[] cannot be added to this sketch",
																   format_type_be(ARR_ELEMTYPE(array)))));
	deconstruct_array(array, column->element_type, column->typlen, column->typbyval, column->typalign, &values, &nulls,
					  &num);
	if (ARR_NDIM(array) == 0)
		add_dimension(column, place, 1, no_dims, &values, &nulls);
	else
	{
		Datum *next_value = values;
		bool *next_null = nulls;

		add_dimension(column, place, ARR_NDIM(array), ARR_DIMS(array), &next_value, &next_null);
	}
}

static void
add_json_text(FmFeature *feature, const char *text, int size, Place *place)
{
	MemoryContext old = MemoryContextSwitchTo(place->context);

	fm_feature_make_strings(feature);
	MemoryContextSwitchTo(old);
	add_text(feature, place->level, text, size, place->context);
	place->num_values++;
}

static void
add_json_number(FmFeature *feature, double value, bool is_integer, Place *place)
{
	MemoryContext old = MemoryContextSwitchTo(place->context);

	fm_feature_make_numbers(feature);
	fm_feature_add_double(feature, place->level, value);
	if (!is_integer)
		feature->mixed_integers = true;
	MemoryContextSwitchTo(old);
	place->num_values++;
}

static void add_json(FmFeature *feature, JsonbValue *value, Place *place, int depth);

static void
end_example(FmFeature *feature, Place *place)
{
	MemoryContext old;

	if (place->deepest == 0)
		return;
	if (Max(place->deepest, feature->num_levels - 1) > place->null_level)
		place->num_values -= place->num_nulls;
	old = MemoryContextSwitchTo(place->context);
	fm_feature_end_lists(feature, place->num_values, place->deepest, place->known_levels);
	MemoryContextSwitchTo(old);
}

/*
 * The members of an object: each is a value of a child, whose examples are the objects
 */
static void
add_json_object(FmFeature *feature, JsonbContainer *container, Place *place, int depth)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue value;
	FmFeature *child = NULL;
	MemoryContext old = MemoryContextSwitchTo(place->context);

	fm_feature_add_struct(feature, place->level);
	MemoryContextSwitchTo(old);
	place->num_values++;
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			const char *name = value.val.string.val;
			int size = value.val.string.len;

			if (!encoding_is_utf8())
			{
				name = fm_name_to_utf8(pnstrdup(name, size));
				size = (int) strlen(name);
			}
			if (size > FM_MAX_NAME_BYTES)
				ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
								errmsg("a key of a jsonb object cannot be a feature: it is longer than %d bytes",
									   FM_MAX_NAME_BYTES)));
			child = fm_feature_find_child(feature, name, size);
			if (child == NULL)
			{
				if (feature->sketch->num_features >= FM_MAX_FEATURES)
					ereport(ERROR,
							(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							 errmsg("a sketch cannot have more than %d features", FM_MAX_FEATURES),
							 errdetail("The objects of a jsonb column have too many different keys."),
							 errhint("Leave the column out, or describe a view that turns these keys into values.")));
				old = MemoryContextSwitchTo(place->context);
				child = fm_feature_add_child(feature, name, size, 0, FM_SOURCE_JSON, FM_PLAIN);
				MemoryContextSwitchTo(old);
			}
		}
		else if (token == WJB_VALUE)
		{
			Place below = {.context = place->context};

			CHECK_FOR_INTERRUPTS();
			add_json(child, &value, &below, depth + 1);
			end_example(child, &below);
		}
	}
}

static void
add_json_array(FmFeature *feature, JsonbContainer *container, Place *place, int depth)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue value;

	begin_list(feature, place, JsonContainerSize(container));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
		{
			CHECK_FOR_INTERRUPTS();
			add_json(feature, &value, place, depth);
		}
	}
	place->level--;
}

/*
 * A JSON value at its place; depth counts the steps of the path
 */
static void
add_json(FmFeature *feature, JsonbValue *value, Place *place, int depth)
{
	check_stack_depth();
	switch (value->type)
	{
		case jbvNull:
			/* as a member it is just missing */
			if (place->level > 0)
				add_null_element(feature, place);
			break;
		case jbvString:
			add_json_text(feature, value->val.string.val, value->val.string.len, place);
			break;
		case jbvBool:
			add_json_number(feature, value->val.boolean ? 1 : 0, true, place);
			break;
		case jbvNumeric:
		{
			Datum number = NumericGetDatum(value->val.numeric);
			double d = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, number));
			bool is_integer = DatumGetInt32(DirectFunctionCall1(numeric_scale, number)) == 0;

			add_json_number(feature, d, is_integer && fabs(d) < 9223372036854775808.0, place);
			break;
		}
		case jbvBinary:
		{
			JsonbContainer *container = value->val.binary.data;

			if (JsonContainerIsArray(container) && !JsonContainerIsScalar(container) &&
				place->level < FM_MAX_LIST_LEVELS)
				add_json_array(feature, container, place, depth);
			else if (JsonContainerIsObject(container) && depth < FM_MAX_PATH_STEPS)
				add_json_object(feature, container, place, depth);
			else
			{
				/* nested deeper than a path can go: taken as text */
				char *text = JsonbToCString(NULL, container, value->val.binary.len);

				add_json_text(feature, text, (int) strlen(text), place);
			}
			break;
		}
		default:
			elog(ERROR, "unexpected jsonb value of type %d", (int) value->type);
	}
}

static void
add_jsonb(FmFeature *feature, Datum datum, Place *place)
{
	Jsonb *jsonb = DatumGetJsonbP(datum);
	JsonbValue value;
	int depth = 1;

	for (FmFeature *f = feature; f->parent != NULL && f->parent->parent != NULL; f = f->parent)
		depth++;
	if (!JB_ROOT_IS_SCALAR(jsonb) || !JsonbExtractScalar(&jsonb->root, &value))
	{
		value.type = jbvBinary;
		value.val.binary.data = &jsonb->root;
		value.val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
	}
	add_json(feature, &value, place, depth);
}

void
fm_row_add(FmRow *row, Datum composite, MemoryContext context)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(composite);
	HeapTupleData tuple;

	if (HeapTupleHeaderGetTypeId(header) != row->typid ||
		(row->typid == RECORDOID && HeapTupleHeaderGetTypMod(header) != row->typmod))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("rows of different types cannot be added to one sketch")));
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, row->desc, row->values, row->nulls);
	for (int i = 0; i < row->desc->natts; i++)
	{
		if (row->columns[i] != NULL && !row->nulls[i])
			fm_column_add(row->columns[i], row->values[i], context);
	}
}

static void
add_row(FmColumn *column, Datum value, Place *place)
{
	MemoryContext old = MemoryContextSwitchTo(place->context);
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);

	if (column->row == NULL)
		column->row = fm_row_open(column->feature->sketch, column->feature, HeapTupleHeaderGetTypeId(header),
								  HeapTupleHeaderGetTypMod(header));
	fm_feature_add_struct(column->feature, place->level);
	MemoryContextSwitchTo(old);
	fm_row_add(column->row, value, place->context);
}

/*
 * A text or bytea; what was detoasted is given back at once, for it may be big
 */
static inline void
add_varlena(FmColumn *column, Datum value, Place *place)
{
	struct varlena *original = (struct varlena *) DatumGetPointer(value);
	struct varlena *v = original;
	const char *data;
	int size;

	if (unlikely(VARATT_IS_EXTENDED(v) && !FM_VARATT_IS_SHORT(v)))
		v = PG_DETOAST_DATUM_PACKED(value);
	data = VARDATA_ANY(v);
	size = VARSIZE_ANY_EXHDR(v);
	if (column->action == ADD_BPCHAR)
		size = bpchartruelen((char *) data, size);
	if (column->action == ADD_BYTEA)
	{
		MemoryContext old = MemoryContextSwitchTo(place->context);

		fm_feature_add_string(column->feature, place->level, data, size, true);
		MemoryContextSwitchTo(old);
	}
	else
		add_text(column->feature, place->level, data, size, place->context);
	if (v != original)
		pfree(v);
}

static void
add_output(FmColumn *column, Datum value, Place *place)
{
	char *text = OutputFunctionCall(&column->output, value);

	add_text(column->feature, place->level, text, (int) strlen(text), place->context);
	pfree(text);
}

/*
 * Adds a value to a feature of numbers, in the sketch's context
 */
static inline void
add_int(FmColumn *column, int64 value, Place *place)
{
	MemoryContext old = MemoryContextSwitchTo(place->context);

	fm_feature_add_int(column->feature, place->level, value);
	MemoryContextSwitchTo(old);
}

static inline void
add_double(FmColumn *column, double value, Place *place)
{
	MemoryContext old = MemoryContextSwitchTo(place->context);

	fm_feature_add_double(column->feature, place->level, value);
	MemoryContextSwitchTo(old);
}

static inline void
add_infinity(FmColumn *column, bool positive, Place *place)
{
	MemoryContext old = MemoryContextSwitchTo(place->context);

	fm_feature_add_infinity(column->feature, place->level, positive);
	MemoryContextSwitchTo(old);
}

static void
add_value(FmColumn *column, Datum value, Place *place)
{
	place->num_values++;
	switch (column->action)
	{
		case ADD_BOOL:
			add_int(column, DatumGetBool(value) ? 1 : 0, place);
			break;
		case ADD_INT2:
			add_int(column, DatumGetInt16(value), place);
			break;
		case ADD_INT4:
			add_int(column, DatumGetInt32(value), place);
			break;
		case ADD_INT8:
			add_int(column, DatumGetInt64(value), place);
			break;
		case ADD_FLOAT4:
			add_double(column, DatumGetFloat4(value), place);
			break;
		case ADD_FLOAT8:
			add_double(column, DatumGetFloat8(value), place);
			break;
		case ADD_NUMERIC:
			add_double(column, DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value)), place);
			break;
		case ADD_DATE:
		{
			DateADT date = DatumGetDateADT(value);

			if (DATE_NOT_FINITE(date))
				add_infinity(column, DATE_IS_NOEND(date), place);
			else
				add_int(column, (int64) date + FM_EPOCH_DAYS, place);
			break;
		}
		case ADD_TIME:
			add_int(column, DatumGetTimeADT(value), place);
			break;
		case ADD_TIMESTAMP:
		{
			Timestamp timestamp = DatumGetTimestamp(value);

			if (TIMESTAMP_NOT_FINITE(timestamp))
				add_infinity(column, TIMESTAMP_IS_NOEND(timestamp), place);
			else
				add_int(column, timestamp + FM_EPOCH_MICROSECONDS, place);
			break;
		}
		case ADD_TEXT:
		case ADD_BPCHAR:
		case ADD_BYTEA:
			add_varlena(column, value, place);
			break;
		case ADD_NAME:
			add_text(column->feature, place->level, NameStr(*DatumGetName(value)),
					 (int) strlen(NameStr(*DatumGetName(value))), place->context);
			break;
		case ADD_JSONB:
			place->num_values--;
			add_jsonb(column->feature, value, place);
			break;
		case ADD_ARRAY:
			place->num_values--;
			add_array(column, value, place);
			break;
		case ADD_ROW:
			add_row(column, value, place);
			break;
		case ADD_OUTPUT:
			add_output(column, value, place);
			break;
	}
}

void
fm_column_add(FmColumn *column, Datum value, MemoryContext context)
{
	Place place = {.context = context};

	add_value(column, value, &place);
	end_example(column->feature, &place);
}

/* ---- adding many at a time */

/*
 * Values of a fixed size are kept as they are. Of text that is UTF-8 already the length is all that is asked for, if the
 * sketch keeps no distribution.
 */
FmGathering
fm_column_gathering(const FmColumn *column)
{
	const FmSketch *sketch = column->feature->sketch;

	if (column->action == ADD_TEXT && encoding_is_utf8())
		return sketch->weighted || fm_sketch_complete(sketch) ? FM_ADD_TEXT : FM_GATHER_LENGTHS;
	if (sketch->weighted)
		return FM_ADD_AT_ONCE;
	switch (column->action)
	{
		case ADD_BOOL:
		case ADD_INT2:
		case ADD_INT4:
		case ADD_FLOAT4:
		case ADD_DATE:
			return FM_GATHER_VALUES;
		case ADD_INT8:
		case ADD_FLOAT8:
		case ADD_TIME:
		case ADD_TIMESTAMP:
			return FLOAT8PASSBYVAL ? FM_GATHER_VALUES : FM_ADD_AT_ONCE;
		default:
			return FM_ADD_AT_ONCE;
	}
}

void
fm_column_add_text(FmColumn *column, const char *text, size_t size)
{
	fm_feature_add_string(column->feature, 0, text, size, false);
}

/* Turns Datums into keys, in place, by an expression of Datum "value" */
#define MAKE_KEYS(expression)                                                                                          \
	do                                                                                                                 \
	{                                                                                                                  \
		for (int i = 0; i < num; i++)                                                                                  \
		{                                                                                                              \
			Datum value = values[i];                                                                                   \
                                                                                                                       \
			keys[i] = (expression);                                                                                    \
		}                                                                                                              \
	} while (0)

/* The same for floats: those that are not finite are counted apart */
#define MAKE_FLOAT_KEYS(expression)                                                                                    \
	do                                                                                                                 \
	{                                                                                                                  \
		int finite = 0;                                                                                                \
                                                                                                                       \
		for (int i = 0; i < num; i++)                                                                                  \
		{                                                                                                              \
			Datum value = values[i];                                                                                   \
			double number = (expression);                                                                              \
			int64 key = fm_key_of_double(number);                                                                      \
                                                                                                                       \
			if (likely(fm_key_is_finite(key)))                                                                         \
				keys[finite++] = key;                                                                                  \
			else                                                                                                       \
				fm_numbers_add_not_finite(numbers, number, 0);                                                         \
		}                                                                                                              \
		num = finite;                                                                                                  \
	} while (0)

/* The same for dates and timestamps */
#define MAKE_TIME_KEYS(expression, no_begin, no_end)                                                                   \
	do                                                                                                                 \
	{                                                                                                                  \
		int finite = 0;                                                                                                \
                                                                                                                       \
		for (int i = 0; i < num; i++)                                                                                  \
		{                                                                                                              \
			Datum value = values[i];                                                                                   \
			int64 key = (expression);                                                                                  \
                                                                                                                       \
			if (likely(key != (no_begin) && key != (no_end)))                                                          \
				keys[finite++] = key + epoch;                                                                          \
			else                                                                                                       \
				fm_numbers_add_infinity(numbers, key == (no_end), 0);                                                  \
		}                                                                                                              \
		num = finite;                                                                                                  \
	} while (0)

void
fm_column_add_values(FmColumn *column, Datum *values, int num)
{
	FmNumbers *numbers = column->feature->numbers;
	int64 *keys = (int64 *) values;

	column->feature->levels[0].num_scalars += num;
	switch (column->action)
	{
		case ADD_BOOL:
			MAKE_KEYS(DatumGetBool(value));
			break;
		case ADD_INT2:
			MAKE_KEYS(DatumGetInt16(value));
			break;
		case ADD_INT4:
			MAKE_KEYS(DatumGetInt32(value));
			break;
		case ADD_INT8:
		case ADD_TIME:
			MAKE_KEYS(DatumGetInt64(value));
			break;
		case ADD_FLOAT4:
			MAKE_FLOAT_KEYS(DatumGetFloat4(value));
			break;
		case ADD_FLOAT8:
			MAKE_FLOAT_KEYS(DatumGetFloat8(value));
			break;
		case ADD_DATE:
		{
			const int64 epoch = FM_EPOCH_DAYS;

			MAKE_TIME_KEYS(DatumGetDateADT(value), DATEVAL_NOBEGIN, DATEVAL_NOEND);
			break;
		}
		case ADD_TIMESTAMP:
		{
			const int64 epoch = FM_EPOCH_MICROSECONDS;

			MAKE_TIME_KEYS(DatumGetTimestamp(value), DT_NOBEGIN, DT_NOEND);
			break;
		}
		default:
			elog(ERROR, "values of this column cannot be gathered");
	}
	fm_numbers_add_batch(numbers, keys, NULL, num);
}

void
fm_column_add_lengths(FmColumn *column, const uint64 *sizes, int num)
{
	column->feature->levels[0].num_scalars += num;
	fm_strings_add_lengths(column->feature->strings, sizes, num);
}
