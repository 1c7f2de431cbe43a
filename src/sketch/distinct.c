/*
 * How many different values
 */
#include "fm_core.h"

#include <math.h>

#include "port/pg_bitutils.h"

#include "sketch/distinct.h"
#include "sketch/quantiles.h"

#define FIRST_ROOM 64

FmDistinct *
fm_distinct_new(int limit)
{
	FmDistinct *distinct = palloc0(sizeof(FmDistinct));

	distinct->limit = limit;
	if (limit == 0)
		distinct->registers = palloc0(FM_HLL_REGISTERS);
	else
	{
		distinct->room = FIRST_ROOM;
		distinct->list = palloc(sizeof(uint64) * FIRST_ROOM);
	}
	return distinct;
}

static void
free_list(FmDistinct *distinct)
{
	if (distinct->list != NULL)
		pfree(distinct->list);
	distinct->list = NULL;
	distinct->num_listed = distinct->num_sorted = distinct->room = 0;
}

/* ---- the table */

static inline uint32
slot_of(const FmDistinct *distinct, uint64 hash40)
{
	return (uint32) (hash40 >> 4) & distinct->mask;
}

static void
add_to_table(FmDistinct *distinct, uint64 hash40)
{
	uint32 slot = slot_of(distinct, hash40);

	while (distinct->slots[slot] != 0)
	{
		if (distinct->slots[slot] == hash40 + 1)
			return;
		slot = (slot + 1) & distinct->mask;
	}
	if (distinct->num_hashes >= distinct->limit)
	{
		fm_distinct_use_registers(distinct);
		fm_distinct_add_to_registers(distinct->registers, hash40 << (64 - FM_HASH_BITS));
		return;
	}
	distinct->slots[slot] = hash40 + 1;
	distinct->num_hashes++;
}

/*
 * From the list to a table with room for all that may come
 */
static void
use_table(FmDistinct *distinct)
{
	uint32 size = pg_nextpower2_32(distinct->limit + distinct->limit / 2 + 2);

	distinct->mask = size - 1;
	distinct->slots = palloc0(sizeof(uint64) * size);
	for (int i = 0; i < distinct->num_listed; i++)
		add_to_table(distinct, distinct->list[i]);
	free_list(distinct);
}

/* ---- the list */

#define BITMAP_BITS 17

/*
 * At least so many of the hashes differ, by the bits of them that do; and not many more than so many while they are few
 */
static int
least_different(const uint64 *hashes, int num)
{
	uint64 bitmap[(1 << BITMAP_BITS) / 64];
	int different = 0;

	memset(bitmap, 0, sizeof(bitmap));
	for (int i = 0; i < num; i++)
		bitmap[(hashes[i] >> 6) & (lengthof(bitmap) - 1)] |= UINT64CONST(1) << (hashes[i] & 63);
	for (size_t i = 0; i < lengthof(bitmap); i++)
		different += pg_popcount64(bitmap[i]);
	return different;
}

bool
fm_distinct_settle(FmDistinct *distinct)
{
	uint64 *list = distinct->list;
	int num = distinct->num_listed;
	int n;

	if (distinct->num_sorted == num)
		return distinct->registers == NULL;
	if (num > distinct->limit && least_different(list, num) > distinct->limit)
	{
		fm_distinct_use_registers(distinct);
		return false;
	}
	for (n = 1; n < num && list[n - 1] < list[n]; n++)
		;
	if (n < num)
	{
		fm_sort_keys((int64 *) list, num);
		n = 1;
		for (int i = 1; i < num; i++)
		{
			if (list[i] != list[n - 1])
				list[n++] = list[i];
		}
	}
	distinct->num_listed = distinct->num_sorted = n;
	if (n <= distinct->limit)
		return true;
	fm_distinct_use_registers(distinct);
	return false;
}

void
fm_distinct_add_slowly(FmDistinct *distinct, uint64 hash40)
{
	/* the list ends where a table is no bigger */
	int most = pg_nextpower2_32(distinct->limit + 1) * 2;

	if (distinct->list != NULL && distinct->room < most)
	{
		distinct->room = Min(distinct->room * 2, most);
		distinct->list = repalloc(distinct->list, sizeof(uint64) * distinct->room);
	}
	else if (distinct->list != NULL)
	{
		if (fm_distinct_settle(distinct))
			use_table(distinct);
	}
	if (distinct->list != NULL)
		distinct->list[distinct->num_listed++] = hash40;
	else if (distinct->registers == NULL)
		add_to_table(distinct, hash40);
	else
		fm_distinct_add_to_registers(distinct->registers, hash40 << (64 - FM_HASH_BITS));
}

/*
 * From hashes to registers
 */
void
fm_distinct_use_registers(FmDistinct *distinct)
{
	if (distinct->registers != NULL)
		return;
	distinct->registers = palloc0(FM_HLL_REGISTERS);
	for (int i = 0; i < distinct->num_listed; i++)
		fm_distinct_add_to_registers(distinct->registers, distinct->list[i] << (64 - FM_HASH_BITS));
	free_list(distinct);
	if (distinct->slots == NULL)
		return;
	for (uint32 i = 0; i <= distinct->mask; i++)
	{
		if (distinct->slots[i] != 0)
			fm_distinct_add_to_registers(distinct->registers, (distinct->slots[i] - 1) << (64 - FM_HASH_BITS));
	}
	pfree(distinct->slots);
	distinct->slots = NULL;
	distinct->num_hashes = 0;
	distinct->mask = 0;
}

int
fm_distinct_hashes(FmDistinct *distinct, uint64 **hashes)
{
	int n = 0;

	*hashes = palloc(sizeof(uint64) * Max(Max(distinct->num_hashes, distinct->num_listed), 1));
	if (distinct->slots == NULL)
	{
		memcpy(*hashes, distinct->list, sizeof(uint64) * distinct->num_listed);
		return distinct->num_listed;
	}
	for (uint32 i = 0; i <= distinct->mask; i++)
	{
		if (distinct->slots[i] != 0)
			(*hashes)[n++] = distinct->slots[i] - 1;
	}
	fm_sort_keys((int64 *) *hashes, n);
	return n;
}

void
fm_distinct_merge(FmDistinct *distinct, const FmDistinct *other)
{
	if (other->registers != NULL)
	{
		fm_distinct_use_registers(distinct);
		for (int i = 0; i < FM_HLL_REGISTERS; i++)
			distinct->registers[i] = Max(distinct->registers[i], other->registers[i]);
		return;
	}
	for (int i = 0; i < other->num_listed; i++)
		fm_distinct_add(distinct, other->list[i] << (64 - FM_HASH_BITS));
	if (other->slots == NULL)
		return;
	for (uint32 i = 0; i <= other->mask; i++)
	{
		if (other->slots[i] != 0)
			fm_distinct_add(distinct, (other->slots[i] - 1) << (64 - FM_HASH_BITS));
	}
}

/* Ertl (2017), algorithm 6: sigma and tau correct for registers that are empty and full */
static double
sigma(double x)
{
	double y = 1.0;
	double z = x;
	double before;

	if (x == 1.0)
		return INFINITY;
	do
	{
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (z != before);
	return z;
}

static double
tau(double x)
{
	double y = 1.0;
	double z = 1.0 - x;
	double before;

	if (x == 0.0 || x == 1.0)
		return 0.0;
	do
	{
		x = sqrt(x);
		before = z;
		y *= 0.5;
		z -= (1.0 - x) * (1.0 - x) * y;
	} while (z != before);
	return z / 3.0;
}

double
fm_distinct_estimate(FmDistinct *distinct)
{
	const double m = FM_HLL_REGISTERS;
	int counts[FM_HLL_RANK_BITS + 2] = {0};
	double z;

	if (fm_distinct_settle(distinct))
		return distinct->slots != NULL ? distinct->num_hashes : distinct->num_listed;
	for (int i = 0; i < FM_HLL_REGISTERS; i++)
		counts[distinct->registers[i]]++;
	z = m * tau(1.0 - counts[FM_HLL_RANK_BITS + 1] / m);
	for (int k = FM_HLL_RANK_BITS; k >= 1; k--)
		z = 0.5 * (z + counts[k]);
	z += m * sigma(counts[0] / m);
	return rint(m / (2.0 * M_LN2) * m / z);
}
