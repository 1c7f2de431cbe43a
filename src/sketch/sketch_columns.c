/*
 * Columns that are fed together, a row at a time
 */
#include "fm_core.h"
#include "sketch/sketch_columns.h"

#include "access/detoast.h"
#include "fm_compat.h"

#include "sketch/numbers.h"

/* Rows between two looks at what waits: at first few, as there may be many small groups */
#define FIRST_ROWS 16
#define MOST_ROWS 256

/* A column, and what waits of it: Datums or, of text of which only that is remembered, lengths */
typedef struct Member
{
	FmColumn *column;
	int position; /* among the values of a row */
	int num;
	int allocated;
	Datum *waiting;
} Member;

struct FmColumns
{
	int rows_left; /* so many rows fit */
	int rows;	   /* as many as these at a time */
	int num_values;
	int num_lengths;
	int num_texts;
	int num_others;
	Member *values;	 /* FM_GATHER_VALUES */
	Member *lengths; /* FM_GATHER_LENGTHS */
	Member *texts;	 /* FM_ADD_TEXT */
	Member *others;	 /* FM_ADD_AT_ONCE */
};

FmColumns *
fm_columns_open(int num, FmColumn *const *columns)
{
	FmColumns *result = palloc0(sizeof(FmColumns));

	result->values = palloc0(sizeof(Member) * Max(num, 1));
	result->lengths = palloc0(sizeof(Member) * Max(num, 1));
	result->texts = palloc0(sizeof(Member) * Max(num, 1));
	result->others = palloc0(sizeof(Member) * Max(num, 1));
	for (int i = 0; i < num; i++)
	{
		Member *member;

		switch (fm_column_gathering(columns[i]))
		{
			case FM_GATHER_VALUES:
				member = &result->values[result->num_values++];
				break;
			case FM_GATHER_LENGTHS:
				member = &result->lengths[result->num_lengths++];
				break;
			case FM_ADD_TEXT:
				member = &result->texts[result->num_texts++];
				break;
			default:
				member = &result->others[result->num_others++];
				break;
		}
		member->column = columns[i];
		member->position = i;
	}
	return result;
}

/*
 * Adds what waits, all of it or whole batches only
 */
static void
add_waiting(Member *member, void (*add)(FmColumn *column, Datum *values, int num), bool all)
{
	int done = 0;

	while (member->num - done >= (all ? 1 : FM_BATCH))
	{
		int num = Min(member->num - done, FM_BATCH);

		add(member->column, member->waiting + done, num);
		done += num;
	}
	member->num -= done;
	if (done > 0 && member->num > 0)
		memmove(member->waiting, member->waiting + done, sizeof(Datum) * member->num);
}

static void
add_lengths(FmColumn *column, Datum *values, int num)
{
	fm_column_add_lengths(column, (uint64 *) values, num);
}

void
fm_columns_flush(FmColumns *columns)
{
	for (int i = 0; i < columns->num_values; i++)
		add_waiting(&columns->values[i], fm_column_add_values, true);
	for (int i = 0; i < columns->num_lengths; i++)
		add_waiting(&columns->lengths[i], add_lengths, true);
}

static void
reserve(Member *member, int rows)
{
	if (member->allocated - member->num >= rows)
		return;
	member->allocated = Min(Max(member->allocated * 4, member->num + rows), FM_BATCH + MOST_ROWS);
	member->waiting = member->waiting == NULL ? palloc(sizeof(Datum) * member->allocated)
											  : repalloc(member->waiting, sizeof(Datum) * member->allocated);
}

/*
 * Makes room for more rows
 */
static void
make_room(FmColumns *columns)
{
	columns->rows = columns->rows == 0 ? FIRST_ROWS : Min(columns->rows * 4, MOST_ROWS);
	for (int i = 0; i < columns->num_values; i++)
	{
		add_waiting(&columns->values[i], fm_column_add_values, false);
		reserve(&columns->values[i], columns->rows);
	}
	for (int i = 0; i < columns->num_lengths; i++)
	{
		add_waiting(&columns->lengths[i], add_lengths, false);
		reserve(&columns->lengths[i], columns->rows);
	}
	columns->rows_left = columns->rows;
}

/*
 * The bytes of a varlena without its header, which says it also of one that is compressed or stored elsewhere
 */
static inline Size
length_of(Datum value)
{
	struct varlena *v = (struct varlena *) DatumGetPointer(value);

	if (likely(FM_VARATT_IS_SHORT(v)))
		return VARSIZE_SHORT(v) - VARHDRSZ_SHORT;
	if (likely(!VARATT_IS_EXTENDED(v)))
		return VARSIZE(v) - VARHDRSZ;
	return toast_raw_datum_size(value) - VARHDRSZ;
}

void
fm_columns_add(FmColumns *columns, const NullableDatum *values, MemoryContext context)
{
	Member *end;
	MemoryContext old;

	if (unlikely(columns->rows_left == 0))
	{
		old = MemoryContextSwitchTo(context);
		make_room(columns);
		MemoryContextSwitchTo(old);
	}
	columns->rows_left--;
	end = columns->values + columns->num_values;
	for (Member *member = columns->values; member < end; member++)
	{
		const NullableDatum *value = &values[member->position];

		/* without a branch: the next value takes the place of a NULL */
		member->waiting[member->num] = value->value;
		member->num += !value->isnull;
	}
	end = columns->lengths + columns->num_lengths;
	for (Member *member = columns->lengths; member < end; member++)
	{
		const NullableDatum *value = &values[member->position];

		if (!value->isnull)
			member->waiting[member->num++] = length_of(value->value);
	}
	old = MemoryContextSwitchTo(context);
	end = columns->texts + columns->num_texts;
	for (Member *member = columns->texts; member < end; member++)
	{
		const NullableDatum *value = &values[member->position];
		struct varlena *v = (struct varlena *) DatumGetPointer(value->value);

		if (value->isnull)
			continue;
		if (likely(FM_VARATT_IS_SHORT(v)))
			fm_column_add_text(member->column, VARDATA_SHORT(v), VARSIZE_SHORT(v) - VARHDRSZ_SHORT);
		else if (likely(!VARATT_IS_EXTENDED(v)))
			fm_column_add_text(member->column, VARDATA(v), VARSIZE(v) - VARHDRSZ);
		else
		{
			MemoryContextSwitchTo(old);
			fm_column_add(member->column, value->value, context);
			MemoryContextSwitchTo(context);
		}
	}
	MemoryContextSwitchTo(old);
	end = columns->others + columns->num_others;
	for (Member *member = columns->others; member < end; member++)
	{
		const NullableDatum *value = &values[member->position];

		if (!value->isnull)
			fm_column_add(member->column, value->value, context);
	}
}
