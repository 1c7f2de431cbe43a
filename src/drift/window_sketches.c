/*
 * window_sketches(): the sketches of the windows of a time, from one pass over the rows
 *
 * PostgreSQL's own GROUP BY costs a row as much as its sketching does. Rows mostly come in the order of their times, so a row
 * is nearly always of the window that the row before it was of, and that is two comparisons. A window that has seen no row for long is put
 * into bytes until one comes: of the windows that are open at a time there is a bounded number, however many there are.
 */
#include "fm_core.h"
#include "fm_aggregate.h"
#include "fm_compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "sketch/distinct.h"
#include "sketch/sketch_columns.h"
#include "sketch/sketch_type.h"
#include "sketch/sketch_value.h"

/*
 * A window without a row among the last of so many is put into bytes when another is opened beside so many. So at most the sum of both are
 * open; more rows cost memory where windows have few, fewer cost time where rows come in no order.
 */
#define IDLE_ROWS 1024
#define MANY_OPEN 32

/* 2001-01-01, a Monday: windows of minutes to weeks are whole ones from here on, in UTC */
#define WINDOW_ORIGIN ((Timestamp) (366 * USECS_PER_DAY))

typedef struct Window
{
	Timestamp start;
	Timestamp end;
	uint64 rows;
	bool has_versions;	   /* of rows */
	uint64 versions;	   /* the sum of their hashes */
	uint64 last_row;	   /* number of its last row among all */
	MemoryContext context; /* NULL: nothing open */
	int open_at;		   /* where it is among the open ones */
	FmSketch *sketch;
	FmColumns *columns; /* NULL: not opened in this sketch yet */
	Datum bytes;		/* of a closed one; 0: none */
} Window;

typedef struct WindowsState
{
	MemoryContext context;
	bool one_window; /* no granularity: all rows are of one window, without a time */
	Interval granularity;
	Timestamp sketch_from; /* rows of earlier windows are only counted */
	int num_columns;
	char **names;
	Oid *types;
	uint64 rows;
	int num_windows;
	int max_windows;
	Window **windows; /* by start */
	int num_open;
	int max_open;
	Window **open; /* those with a sketch, in no order */
	Window *last;
} WindowsState;

/* ------------------------------------------------------------------------------------------------ windows of time */

/*
 * The window that an instant (of UTC) is in. Months, quarters and years are those of the calendar; all else is counted from the origin.
 */
static void
window_of(Timestamp instant, const Interval *granularity, Timestamp *start, Timestamp *end)
{
	bool valid = granularity->month == 1 || granularity->month == 3 || granularity->month == 12;
	bool overflow = false;

	if (granularity->month == 0)
	{
		int64 width, offset;

		overflow = pg_mul_s64_overflow(granularity->day, USECS_PER_DAY, &width) ||
				   pg_add_s64_overflow(width, granularity->time, &width);
		valid = overflow || (width > 0 && width % USECS_PER_MINUTE == 0);
		if (valid && !overflow)
		{
			offset = (instant - WINDOW_ORIGIN) % width;
			if (offset < 0)
				offset += width;
			overflow = pg_sub_s64_overflow(instant, offset, start) || pg_add_s64_overflow(*start, width, end);
		}
	}
	else if (granularity->day != 0 || granularity->time != 0)
		valid = false;
	if (!valid)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("granularity cannot be %s",
							   DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(granularity)))),
						errhint("Give minutes, hours, days or weeks, or 1 month, 3 months or 1 year.")));
	if (granularity->month != 0)
	{
		const char *unit = granularity->month == 12 ? "year" : granularity->month == 3 ? "quarter" : "month";

		*start = DatumGetTimestamp(
			DirectFunctionCall2(timestamp_trunc, CStringGetTextDatum(unit), TimestampGetDatum(instant)));
		*end = DatumGetTimestamp(
			DirectFunctionCall2(timestamp_pl_interval, TimestampGetDatum(*start), IntervalPGetDatum(granularity)));
	}
	if (overflow || !IS_VALID_TIMESTAMP(*start) || !IS_VALID_TIMESTAMP(*end))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
}

PG_FUNCTION_INFO_V1(monitor_window_start);

/*
 * monitor_window_start(timestamptz, interval) returns timestamptz; an infinite one has no window: NULL. Errors: 22023 windows cannot be of
 * that length, 22008 out of range
 */
Datum
monitor_window_start(PG_FUNCTION_ARGS)
{
	Timestamp instant = PG_GETARG_TIMESTAMPTZ(0);
	Timestamp start, end;

	if (TIMESTAMP_NOT_FINITE(instant))
		PG_RETURN_NULL();
	window_of(instant, PG_GETARG_INTERVAL_P(1), &start, &end);
	PG_RETURN_TIMESTAMPTZ(start);
}

/* ------------------------------------------------------------------------------------------------ the windows of a state */

static Window *
new_window(WindowsState *state, int at, Timestamp start, Timestamp end)
{
	Window *window = MemoryContextAllocZero(state->context, sizeof(Window));

	if (state->num_windows == state->max_windows)
	{
		state->max_windows = state->max_windows * 2 + 8;
		state->windows = state->windows == NULL
							 ? MemoryContextAlloc(state->context, sizeof(Window *) * state->max_windows)
							 : repalloc(state->windows, sizeof(Window *) * state->max_windows);
	}
	memmove(&state->windows[at + 1], &state->windows[at], sizeof(Window *) * (state->num_windows - at));
	state->windows[at] = window;
	state->num_windows++;
	window->start = start;
	window->end = end;
	return window;
}

/*
 * Where the window that starts then is, or would be
 */
static int
find_window(const WindowsState *state, Timestamp start)
{
	int low = 0, high = state->num_windows;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (state->windows[middle]->start < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * What waits in the columns goes to the sketch
 */
static void
flush_window(Window *window)
{
	MemoryContext old;

	if (window->columns == NULL)
		return;
	old = MemoryContextSwitchTo(window->context);
	fm_columns_flush(window->columns);
	MemoryContextSwitchTo(old);
}

static void
close_window(WindowsState *state, Window *window)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);

	flush_window(window);
	window->bytes = fm_sketch_get_datum(window->sketch);
	MemoryContextSwitchTo(old);
	state->open[window->open_at] = state->open[--state->num_open];
	state->open[window->open_at]->open_at = window->open_at;
	MemoryContextDelete(window->context);
	window->context = NULL;
	window->sketch = NULL;
	window->columns = NULL;
}

static void
close_idle_windows(WindowsState *state)
{
	for (int i = state->num_open - 1; i >= 0; i--)
		if (state->rows - state->open[i]->last_row >= IDLE_ROWS)
			close_window(state, state->open[i]);
}

/*
 * The window's sketch, in its own context
 */
static void
open_window(WindowsState *state, Window *window)
{
	MemoryContext old;

	if (window->sketch != NULL)
		return;
	if (state->num_open >= MANY_OPEN)
		close_idle_windows(state);
	if (state->num_open == state->max_open)
	{
		state->max_open = state->max_open * 2 + 8;
		state->open = state->open == NULL ? MemoryContextAlloc(state->context, sizeof(Window *) * state->max_open)
										  : repalloc(state->open, sizeof(Window *) * state->max_open);
	}
	window->open_at = state->num_open;
	state->open[state->num_open++] = window;
	window->context = AllocSetContextCreate(state->context, "window", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(window->context);
	if (window->bytes != 0)
		window->sketch = fm_datum_get_sketch(window->bytes);
	else
		window->sketch = fm_sketch_new_by_settings(false);
	MemoryContextSwitchTo(old);
	if (window->bytes != 0)
		pfree(DatumGetPointer(window->bytes));
	window->bytes = 0;
}

static void
open_columns(WindowsState *state, Window *window)
{
	FmColumn **columns = palloc(sizeof(FmColumn *) * Max(state->num_columns, 1));
	MemoryContext old;

	open_window(state, window);
	old = MemoryContextSwitchTo(window->context);
	for (int i = 0; i < state->num_columns; i++)
		columns[i] = fm_column_open(window->sketch, NULL, state->names[i], i, state->types[i]);
	window->columns = fm_columns_open(state->num_columns, columns);
	MemoryContextSwitchTo(old);
}

/*
 * The window of an instant, made when it is the first of it
 */
static Window *
get_window(WindowsState *state, Timestamp instant)
{
	Timestamp start, end;
	Window *window;
	int at;

	if (likely(state->last != NULL && instant >= state->last->start && instant < state->last->end))
		return state->last;
	/* the one before the place where a window that starts just after it would be */
	at = find_window(state, instant + 1);
	if (at > 0 && instant < state->windows[at - 1]->end)
		return state->last = state->windows[at - 1];

	window_of(instant, &state->granularity, &start, &end);
	window = new_window(state, at, start, end);
	return state->last = window;
}

/* ------------------------------------------------------------------------------------------------ the aggregate */

PG_FUNCTION_INFO_V1(window_sketches_add);
PG_FUNCTION_INFO_V1(window_sketches_combine);
PG_FUNCTION_INFO_V1(window_sketches_serialize);
PG_FUNCTION_INFO_V1(window_sketches_deserialize);
PG_FUNCTION_INFO_V1(window_sketches_final);

/* Arguments of window_sketches_add */
enum
{
	A_STATE,
	A_GRANULARITY,
	A_SKETCH_FROM,
	A_NAMES,
	A_VERSION,
	A_INSTANT, /* here VARIADIC "any" begins */
	A_COLUMNS
};

static WindowsState *
new_state(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "window_sketches", ALLOCSET_DEFAULT_SIZES);
	WindowsState *state = MemoryContextAllocZero(context, sizeof(WindowsState));

	state->context = context;
	return state;
}

/*
 * A state for the columns that the arguments name
 */
static WindowsState *
first_state(FunctionCallInfo fcinfo)
{
	WindowsState *state = new_state(fm_aggregate_context(fcinfo));
	MemoryContext old = MemoryContextSwitchTo(state->context);
	Datum *names;
	bool *nulls;

	state->one_window = PG_ARGISNULL(A_GRANULARITY);
	if (!state->one_window)
		state->granularity = *PG_GETARG_INTERVAL_P(A_GRANULARITY);
	state->sketch_from = PG_ARGISNULL(A_SKETCH_FROM) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(A_SKETCH_FROM);
	if (PG_ARGISNULL(A_NAMES))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("names of the columns must not be null")));
	if (PG_NARGS() <= A_INSTANT || (get_fn_expr_argtype(fcinfo->flinfo, A_INSTANT) != TIMESTAMPTZOID &&
									get_fn_expr_argtype(fcinfo->flinfo, A_INSTANT) != TIMESTAMPOID))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("the first column must be a timestamp")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(A_NAMES), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls,
					  &state->num_columns);
	if (state->num_columns != PG_NARGS() - A_COLUMNS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("there must be a name for each column: %d names, %d columns", state->num_columns,
							   PG_NARGS() - A_COLUMNS)));
	state->names = palloc(sizeof(char *) * Max(state->num_columns, 1));
	state->types = palloc(sizeof(Oid) * Max(state->num_columns, 1));
	for (int i = 0; i < state->num_columns; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("name of a column must not be null")));
		state->names[i] = pstrdup(fm_name_to_utf8(TextDatumGetCString(names[i])));
		for (int j = 0; j < i; j++)
			if (strcmp(state->names[j], state->names[i]) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN), errmsg("column \"%s\" is named twice", state->names[i])));
		state->types[i] = get_fn_expr_argtype(fcinfo->flinfo, A_COLUMNS + i);
		if (!OidIsValid(state->types[i]))
			elog(ERROR, "could not determine the type of column \"%s\"", state->names[i]);
	}
	if (state->one_window)
		state->last = new_window(state, 0, DT_NOBEGIN, DT_NOEND);
	MemoryContextSwitchTo(old);
	return state;
}

/*
 * window_sketches_add(state, granularity interval, sketch_from timestamptz, names text[], version xid, instant, columns...)
 */
Datum
window_sketches_add(PG_FUNCTION_ARGS)
{
	WindowsState *state =
		likely(!PG_ARGISNULL(A_STATE)) ? (WindowsState *) PG_GETARG_POINTER(A_STATE) : first_state(fcinfo);
	Window *window = state->last;
	FmError error = {0};

	state->rows++;
	if (!state->one_window)
	{
		/* a row without a time, or with an infinite one, is in no window */
		if (PG_ARGISNULL(A_INSTANT) || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMP(A_INSTANT)))
			PG_RETURN_POINTER(state);
		window = get_window(state, PG_GETARG_TIMESTAMP(A_INSTANT));
	}
	window->rows++;
	if (!PG_ARGISNULL(A_VERSION))
	{
		/* a row that was written anew, by whatever statement, is of another transaction */
		window->has_versions = true;
		window->versions += fm_hash_int64(PG_GETARG_TRANSACTIONID(A_VERSION));
	}
	window->last_row = state->rows;
	if (window->start < state->sketch_from)
		PG_RETURN_POINTER(state);
	if (unlikely(window->columns == NULL))
		open_columns(state, window);
	if (!fm_sketch_add_example(window->sketch, 1.0, &error))
		fm_throw(&error, NULL);
	fm_columns_add(window->columns, &fcinfo->args[A_COLUMNS], window->context);
	PG_RETURN_POINTER(state);
}

Datum
window_sketches_combine(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate = fm_aggregate_context(fcinfo);
	WindowsState *state = PG_ARGISNULL(0) ? NULL : (WindowsState *) PG_GETARG_POINTER(0);
	WindowsState *other = PG_ARGISNULL(1) ? NULL : (WindowsState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = new_state(aggregate);
	for (int i = 0; i < other->num_windows; i++)
	{
		Window *theirs = other->windows[i];
		int at = find_window(state, theirs->start);
		Window *ours;
		MemoryContext old;
		FmError error = {0};

		CHECK_FOR_INTERRUPTS();
		if (at == state->num_windows || state->windows[at]->start != theirs->start)
			new_window(state, at, theirs->start, theirs->end);
		ours = state->windows[at];
		ours->rows += theirs->rows;
		ours->has_versions |= theirs->has_versions;
		ours->versions += theirs->versions;
		if (theirs->bytes == 0 && theirs->sketch == NULL)
			continue;
		if (ours->sketch == NULL && ours->bytes == 0 && theirs->bytes != 0)
		{
			/* nothing to merge with: the bytes are taken over as they are */
			old = MemoryContextSwitchTo(state->context);
			ours->bytes = datumCopy(theirs->bytes, false, -1);
			MemoryContextSwitchTo(old);
			continue;
		}
		/* closed at once: all windows of a worker come by here */
		open_window(state, ours);
		flush_window(ours);
		flush_window(theirs);
		old = MemoryContextSwitchTo(ours->context);
		if (!fm_sketch_merge(ours->sketch, theirs->sketch != NULL ? theirs->sketch : fm_datum_get_sketch(theirs->bytes),
							 &error))
			fm_throw(&error, NULL);
		MemoryContextSwitchTo(old);
		close_window(state, ours);
	}
	PG_RETURN_POINTER(state);
}

Datum
window_sketches_serialize(PG_FUNCTION_ARGS)
{
	WindowsState *state;
	StringInfoData buf;

	fm_aggregate_context(fcinfo);
	state = (WindowsState *) PG_GETARG_POINTER(0);
	pq_begintypsend(&buf);
	pq_sendint32(&buf, state->num_windows);
	for (int i = 0; i < state->num_windows; i++)
	{
		Window *window = state->windows[i];
		int size;

		if (window->sketch != NULL)
			close_window(state, window);
		size = window->bytes == 0 ? 0 : VARSIZE(DatumGetPointer(window->bytes));
		pq_sendint64(&buf, window->start);
		pq_sendint64(&buf, window->end);
		pq_sendint64(&buf, window->rows);
		pq_sendbyte(&buf, window->has_versions);
		pq_sendint64(&buf, window->versions);
		pq_sendint32(&buf, size);
		if (size > 0)
			pq_sendbytes(&buf, DatumGetPointer(window->bytes), size);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
window_sketches_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes;
	StringInfoData buf;
	WindowsState *state;
	int num_windows;

	fm_aggregate_context(fcinfo);
	bytes = PG_GETARG_BYTEA_PP(0);
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	state = new_state(CurrentMemoryContext);
	num_windows = pq_getmsgint(&buf, 4);
	for (int i = 0; i < num_windows; i++)
	{
		Timestamp start = pq_getmsgint64(&buf);
		Timestamp end = pq_getmsgint64(&buf);
		Window *window = new_window(state, i, start, end);
		int size;

		window->rows = pq_getmsgint64(&buf);
		window->has_versions = pq_getmsgbyte(&buf) != 0;
		window->versions = pq_getmsgint64(&buf);
		size = pq_getmsgint(&buf, 4);
		if (size > 0)
		{
			window->bytes = PointerGetDatum(MemoryContextAlloc(state->context, size));
			memcpy(DatumGetPointer(window->bytes), pq_getmsgbytes(&buf, size), size);
		}
	}
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

/*
 * The result: an array of (window_start, num_examples, versions, sketch), in the order of time
 */
Datum
window_sketches_final(PG_FUNCTION_ARGS)
{
	WindowsState *state;
	Oid type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	TupleDesc desc;
	Datum *elements;
	ArrayType *result;

	fm_aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (WindowsState *) PG_GETARG_POINTER(0);
	desc = lookup_rowtype_tupdesc_copy(type, -1);
	elements = palloc(sizeof(Datum) * Max(state->num_windows, 1));
	for (int i = 0; i < state->num_windows; i++)
	{
		Window *window = state->windows[i];
		Datum values[4];
		bool nulls[4] = {false};

		CHECK_FOR_INTERRUPTS();
		if (window->sketch != NULL)
			close_window(state, window);
		values[0] = TimestampTzGetDatum(window->start);
		values[1] = Int64GetDatum(window->rows);
		values[2] = Int64GetDatum((int64) window->versions);
		nulls[2] = !window->has_versions;
		values[3] = window->bytes;
		nulls[3] = window->bytes == 0;
		elements[i] = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	}
	result = construct_array(elements, state->num_windows, type, -1, false, TYPALIGN_DOUBLE);
	PG_RETURN_ARRAYTYPE_P(result);
}
