/*
 * The aggregates: column_sketch, merge_sketches, table_sketch, table_sketch_columns
 */
#include "fm_core.h"
#include "fm_aggregate.h"
#include "fm_compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "sketch/sketch_columns.h"
#include "sketch/sketch_core.h"
#include "sketch/sketch_object.h"
#include "sketch/sketch_type.h"

static void
add_example(FmSketch *sketch, double weight)
{
	FmError error = {0};

	if (!fm_sketch_add_example(sketch, weight, &error))
		fm_throw(&error, NULL);
}

static double
getarg_weight(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("weight must not be null"),
						errdetail("Each example has exactly one weight.")));
	return PG_GETARG_FLOAT8(n);
}

static void
merge(FmSketch *sketch, FmSketch *other)
{
	FmError error = {0};

	if (!fm_sketch_merge(sketch, other, &error))
		fm_throw(&error, NULL);
}

/*
 * A new sketch in the current memory context for the state of this transition function's aggregate
 */
static FmSketch *
new_sketch(FunctionCallInfo fcinfo, bool weighted)
{
	FmSketch *sketch = fm_sketch_new_by_settings(weighted);
	Aggref *aggref = AggGetAggref(fcinfo);

	/* a worker's share, or the leader's */
	sketch->is_part = aggref != NULL && DO_AGGSPLIT_SKIPFINAL(aggref->aggsplit) && IsInParallelMode();
	return sketch;
}

/* ---------------------------------------------------------------- a column */

/*
 * column_sketch_add(state, value of a known type [, weight]): the state is an expanded feature_sketch. Nothing is kept in
 * fn_extra, and the type is the caller's, not the expression's: Citus calls this afresh for each row.
 */
static Datum
add_to_column(FunctionCallInfo fcinfo, Oid type)
{
	MemoryContext context = fm_aggregate_context(fcinfo);
	bool weighted = PG_NARGS() > 2;
	double weight = weighted ? getarg_weight(fcinfo, 2) : 1.0;
	FmSketchObject *object;
	MemoryContext inner;

	if (PG_ARGISNULL(0))
	{
		MemoryContext old;

		object = fm_sketch_object_new(context);
		old = MemoryContextSwitchTo(object->header.eoh_context);
		object->sketch = new_sketch(fcinfo, weighted);
		MemoryContextSwitchTo(old);
	}
	else
		object = fm_sketch_object_get(PG_GETARG_DATUM(0), context);
	inner = object->header.eoh_context;
	if (unlikely(object->column == NULL))
	{
		MemoryContext old = MemoryContextSwitchTo(inner);

		if (object->sketch->weighted != weighted)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("cannot mix values with a weight and values without")));
		object->column = fm_column_open(object->sketch, NULL, "", 0, type);
		MemoryContextSwitchTo(old);
	}
	add_example(object->sketch, weight);
	if (!PG_ARGISNULL(1))
		fm_column_add(object->column, PG_GETARG_DATUM(1), inner);
	return EOHPGetRWDatum(&object->header);
}

#define COLUMN_SKETCH_ADD(name, type)                                                                                  \
	PGDLLEXPORT PG_FUNCTION_INFO_V1(column_sketch_add_##name);                                                         \
	Datum column_sketch_add_##name(PG_FUNCTION_ARGS)                                                                   \
	{                                                                                                                  \
		return add_to_column(fcinfo, type);                                                                            \
	}

COLUMN_SKETCH_ADD(bool, BOOLOID)
COLUMN_SKETCH_ADD(int2, INT2OID)
COLUMN_SKETCH_ADD(int4, INT4OID)
COLUMN_SKETCH_ADD(int8, INT8OID)
COLUMN_SKETCH_ADD(float4, FLOAT4OID)
COLUMN_SKETCH_ADD(float8, FLOAT8OID)
COLUMN_SKETCH_ADD(numeric, NUMERICOID)
COLUMN_SKETCH_ADD(text, TEXTOID)
COLUMN_SKETCH_ADD(bytea, BYTEAOID)
COLUMN_SKETCH_ADD(date, DATEOID)
COLUMN_SKETCH_ADD(time, TIMEOID)
COLUMN_SKETCH_ADD(timestamp, TIMESTAMPOID)
COLUMN_SKETCH_ADD(timestamptz, TIMESTAMPTZOID)
COLUMN_SKETCH_ADD(uuid, UUIDOID)
COLUMN_SKETCH_ADD(jsonb, JSONBOID)
COLUMN_SKETCH_ADD(bool_array, BOOLARRAYOID)
COLUMN_SKETCH_ADD(int2_array, INT2ARRAYOID)
COLUMN_SKETCH_ADD(int4_array, INT4ARRAYOID)
COLUMN_SKETCH_ADD(int8_array, INT8ARRAYOID)
COLUMN_SKETCH_ADD(float4_array, FLOAT4ARRAYOID)
COLUMN_SKETCH_ADD(float8_array, FLOAT8ARRAYOID)
COLUMN_SKETCH_ADD(text_array, TEXTARRAYOID)

/*
 * merge_sketches_add(state, sketch): rows of the sketch join the state's; also what combines the states of workers
 */
PGDLLEXPORT PG_FUNCTION_INFO_V1(merge_sketches_add);
Datum
merge_sketches_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = fm_aggregate_context(fcinfo);
	FmSketchObject *object;
	FmSketch *other;
	MemoryContext old;

	if (PG_ARGISNULL(0))
	{
		if (PG_ARGISNULL(1))
			PG_RETURN_NULL();
		/* the other side is never kept by pointer: it is read again, into the state's context */
		object = fm_sketch_object_new(context);
		other = fm_datum_get_sketch(PG_GETARG_DATUM(1));
		old = MemoryContextSwitchTo(object->header.eoh_context);
		object->sketch = fm_sketch_new(other->weighted, other->keep, other->max_exact);
	}
	else
	{
		object = fm_sketch_object_get(PG_GETARG_DATUM(0), context);
		if (PG_ARGISNULL(1))
			return EOHPGetRWDatum(&object->header);
		other = fm_datum_get_sketch(PG_GETARG_DATUM(1));
		old = MemoryContextSwitchTo(object->header.eoh_context);
	}
	merge(object->sketch, other);
	MemoryContextSwitchTo(old);
	return EOHPGetRWDatum(&object->header);
}

/*
 * merge(a, b): a new sketch of the rows of both
 */
PGDLLEXPORT PG_FUNCTION_INFO_V1(feature_sketch_merge);
Datum
feature_sketch_merge(PG_FUNCTION_ARGS)
{
	FmSketch *a = PG_GETARG_FEATURE_SKETCH(0);
	FmSketch *b = PG_GETARG_FEATURE_SKETCH(1);
	FmSketch *sketch = fm_sketch_new(a->weighted, a->keep, a->max_exact);

	merge(sketch, a);
	merge(sketch, b);
	PG_RETURN_FEATURE_SKETCH(sketch);
}

/*
 * combine_columns(VARIADIC sketches): one sketch of all the columns of the same rows
 */
PGDLLEXPORT PG_FUNCTION_INFO_V1(feature_sketch_combine_columns);
Datum
feature_sketch_combine_columns(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	Oid type = ARR_ELEMTYPE(array);
	int16 typlen;
	bool typbyval;
	char typalign;
	Datum *values;
	bool *nulls;
	int num;
	FmSketch *sketch = NULL;

	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, type, typlen, typbyval, typalign, &values, &nulls, &num);
	for (int i = 0; i < num; i++)
	{
		FmSketch *other;
		FmError error = {0};

		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("sketches to combine must not be null")));
		other = fm_datum_get_sketch(values[i]);
		if (sketch == NULL)
		{
			/* a copy, so that nothing is shared with the argument */
			sketch = fm_sketch_new(other->weighted, other->keep, other->max_exact);
			merge(sketch, other);
		}
		else if (!fm_sketch_combine_columns(sketch, other, &error))
			fm_throw(&error, NULL);
	}
	if (sketch == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FEATURE_SKETCH(sketch);
}

/* ---------------------------------------------------------------- a table */

/* The state of the aggregates of whole rows, in a context of its own */
typedef struct TableState
{
	MemoryContext context;
	FmSketch *sketch;
	FmRow *row;			/* table_sketch */
	FmColumns *columns; /* table_sketch_columns; the sketch is complete once state_sketch is called */
	FmColumn *any;		/* column_sketch(anyelement) */
} TableState;

static TableState *
new_state(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "feature_sketch of rows", ALLOCSET_DEFAULT_SIZES);
	TableState *state = MemoryContextAllocZero(context, sizeof(TableState));

	state->context = context;
	return state;
}

static TableState *
getarg_state(FunctionCallInfo fcinfo, bool weighted)
{
	MemoryContext context;
	TableState *state;

	/* an internal state can come from nowhere but an aggregate */
	if (likely(!PG_ARGISNULL(0)))
		return (TableState *) PG_GETARG_POINTER(0);
	context = fm_aggregate_context(fcinfo);
	state = new_state(context);
	context = MemoryContextSwitchTo(state->context);
	state->sketch = new_sketch(fcinfo, weighted);
	MemoryContextSwitchTo(context);
	return state;
}

/*
 * The sketch of all rows so far
 */
static FmSketch *
state_sketch(TableState *state)
{
	if (state->columns != NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(state->context);

		fm_columns_flush(state->columns);
		MemoryContextSwitchTo(old);
	}
	return state->sketch;
}

/*
 * table_sketch_add(state, record [, weight]); a NULL row is an example in which all is missing
 */
PGDLLEXPORT PG_FUNCTION_INFO_V1(table_sketch_add);
Datum
table_sketch_add(PG_FUNCTION_ARGS)
{
	bool weighted = PG_NARGS() > 2;
	TableState *state = getarg_state(fcinfo, weighted);

	add_example(state->sketch, weighted ? getarg_weight(fcinfo, 2) : 1.0);
	if (!PG_ARGISNULL(1))
	{
		Datum row = PG_GETARG_DATUM(1);

		if (unlikely(state->row == NULL))
		{
			HeapTupleHeader header = DatumGetHeapTupleHeader(row);
			MemoryContext old = MemoryContextSwitchTo(state->context);

			state->row =
				fm_row_open(state->sketch, NULL, HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
			MemoryContextSwitchTo(old);
		}
		fm_row_add(state->row, row, state->context);
	}
	PG_RETURN_POINTER(state);
}

/*
 * Opens the columns of table_sketch_columns: their names are an argument, their types those of the expressions
 */
static void
open_columns(FunctionCallInfo fcinfo, TableState *state, int names_arg, int first)
{
	ArrayType *names;
	Datum *values;
	bool *nulls;
	int num;
	FmColumn **columns;
	MemoryContext old;

	if (PG_ARGISNULL(names_arg))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("names of the columns must not be null")));
	names = PG_GETARG_ARRAYTYPE_P(names_arg);
	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &num);
	if (num != PG_NARGS() - first)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("there must be a name for each column: %d names, %d columns", num, PG_NARGS() - first)));
	columns = palloc(sizeof(FmColumn *) * num);
	old = MemoryContextSwitchTo(state->context);
	for (int i = 0; i < num; i++)
	{
		const char *name;
		Oid type = get_fn_expr_argtype(fcinfo->flinfo, first + i);

		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("name of a column must not be null")));
		name = fm_name_to_utf8(TextDatumGetCString(values[i]));
		if (!OidIsValid(type))
			elog(ERROR, "could not determine the type of column \"%s\"", name);
		if (fm_feature_find_child(&state->sketch->root, name, strlen(name)) != NULL)
			ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN), errmsg("column \"%s\" is named twice", name)));
		columns[i] = fm_column_open(state->sketch, NULL, name, i, type);
	}
	state->columns = fm_columns_open(num, columns);
	MemoryContextSwitchTo(old);
}

static inline void
add_columns(FunctionCallInfo fcinfo, TableState *state, int names_arg, int first)
{
	if (unlikely(state->columns == NULL))
		open_columns(fcinfo, state, names_arg, first);
	fm_columns_add(state->columns, &fcinfo->args[first], state->context);
}

/*
 * table_sketch_columns_add(state, names text[], VARIADIC "any")
 */
PGDLLEXPORT PG_FUNCTION_INFO_V1(table_sketch_columns_add);
Datum
table_sketch_columns_add(PG_FUNCTION_ARGS)
{
	TableState *state = getarg_state(fcinfo, false);

	add_example(state->sketch, 1.0);
	add_columns(fcinfo, state, 1, 2);
	PG_RETURN_POINTER(state);
}

/*
 * weighted_table_sketch_columns_add(state, names text[], weight, VARIADIC "any")
 */
PGDLLEXPORT PG_FUNCTION_INFO_V1(weighted_table_sketch_columns_add);
Datum
weighted_table_sketch_columns_add(PG_FUNCTION_ARGS)
{
	TableState *state = getarg_state(fcinfo, true);

	add_example(state->sketch, getarg_weight(fcinfo, 2));
	add_columns(fcinfo, state, 1, 3);
	PG_RETURN_POINTER(state);
}

/*
 * column_sketch_add_any(state, anyelement [, weight]): for types that have no column_sketch of their own
 */
PGDLLEXPORT PG_FUNCTION_INFO_V1(column_sketch_add_any);
Datum
column_sketch_add_any(PG_FUNCTION_ARGS)
{
	bool weighted = PG_NARGS() > 2;
	TableState *state = getarg_state(fcinfo, weighted);

	if (unlikely(state->any == NULL))
	{
		Oid type = get_fn_expr_argtype(fcinfo->flinfo, 1);
		MemoryContext old;

		if (!OidIsValid(type))
			elog(ERROR, "could not determine the type of the values");
		old = MemoryContextSwitchTo(state->context);
		state->any = fm_column_open(state->sketch, NULL, "", 0, type);
		MemoryContextSwitchTo(old);
	}
	add_example(state->sketch, weighted ? getarg_weight(fcinfo, 2) : 1.0);
	if (!PG_ARGISNULL(1))
		fm_column_add(state->any, PG_GETARG_DATUM(1), state->context);
	PG_RETURN_POINTER(state);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(table_sketch_combine);
Datum
table_sketch_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = fm_aggregate_context(fcinfo);
	TableState *state = PG_ARGISNULL(0) ? NULL : (TableState *) PG_GETARG_POINTER(0);
	TableState *other = PG_ARGISNULL(1) ? NULL : (TableState *) PG_GETARG_POINTER(1);
	MemoryContext old;

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
	{
		state = new_state(context);
		old = MemoryContextSwitchTo(state->context);
		state->sketch = fm_sketch_new(other->sketch->weighted, other->sketch->keep, other->sketch->max_exact);
	}
	else
		old = MemoryContextSwitchTo(state->context);
	merge(state_sketch(state), state_sketch(other));
	MemoryContextSwitchTo(old);
	PG_RETURN_POINTER(state);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(table_sketch_serialize);
Datum
table_sketch_serialize(PG_FUNCTION_ARGS)
{
	fm_aggregate_context(fcinfo);
	return fm_sketch_get_datum(state_sketch((TableState *) PG_GETARG_POINTER(0)));
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(table_sketch_deserialize);
Datum
table_sketch_deserialize(PG_FUNCTION_ARGS)
{
	TableState *state;
	bytea *bytes;
	FmError error = {0};
	MemoryContext old;

	fm_aggregate_context(fcinfo);
	bytes = PG_GETARG_BYTEA_PP(0);
	/* the result lives only until it is combined, in the caller's short context */
	state = new_state(CurrentMemoryContext);
	old = MemoryContextSwitchTo(state->context);
	state->sketch = fm_sketch_read(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &error);
	MemoryContextSwitchTo(old);
	if (state->sketch == NULL)
		fm_throw(&error, NULL);
	PG_RETURN_POINTER(state);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(table_sketch_final);
Datum
table_sketch_final(PG_FUNCTION_ARGS)
{
	TableState *state;
	FmSketch *sketch;
	MemoryContext old;

	fm_aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (TableState *) PG_GETARG_POINTER(0);
	sketch = state_sketch(state);
	old = MemoryContextSwitchTo(state->context);
	fm_sketch_settle(sketch);
	MemoryContextSwitchTo(old);
	PG_RETURN_FEATURE_SKETCH(sketch);
}
