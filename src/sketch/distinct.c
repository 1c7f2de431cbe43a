/*
 * How many different values
 */
#include "fm_core.h"

#include <math.h>

#include "sketch/distinct.h"

FmDistinct *
fm_distinct_new(int limit)
{
	FmDistinct *distinct = palloc0(sizeof(FmDistinct));

	distinct->limit = limit;
	if (limit == 0)
		distinct->registers = palloc0(FM_HLL_REGISTERS);
	else
	{
		distinct->mask = 63;
		distinct->slots = palloc0(sizeof(uint64) * 64);
	}
	return distinct;
}

static inline uint32
slot_of(const FmDistinct *distinct, uint64 hash40)
{
	return (uint32) (hash40 >> 4) & distinct->mask;
}

static void
grow_set(FmDistinct *distinct)
{
	uint64 *old = distinct->slots;
	uint32 old_size = distinct->mask + 1;

	distinct->mask = old_size * 2 - 1;
	distinct->slots = palloc0(sizeof(uint64) * old_size * 2);
	for (uint32 i = 0; i < old_size; i++)
	{
		if (old[i] != 0)
		{
			uint32 slot = slot_of(distinct, old[i] - 1);

			while (distinct->slots[slot] != 0)
				slot = (slot + 1) & distinct->mask;
			distinct->slots[slot] = old[i];
		}
	}
	pfree(old);
}

void
fm_distinct_add_to_set(FmDistinct *distinct, uint64 hash40)
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
	if (distinct->num_hashes > (int) (distinct->mask / 3 * 2))
		grow_set(distinct);
}

/*
 * From the set to registers
 */
void
fm_distinct_use_registers(FmDistinct *distinct)
{
	if (distinct->registers != NULL)
		return;
	distinct->registers = palloc0(FM_HLL_REGISTERS);
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
fm_distinct_estimate(const FmDistinct *distinct)
{
	const double m = FM_HLL_REGISTERS;
	int counts[FM_HLL_RANK_BITS + 2] = {0};
	double z;

	if (distinct->registers == NULL)
		return distinct->num_hashes;
	for (int i = 0; i < FM_HLL_REGISTERS; i++)
		counts[distinct->registers[i]]++;
	z = m * tau(1.0 - counts[FM_HLL_RANK_BITS + 1] / m);
	for (int k = FM_HLL_RANK_BITS; k >= 1; k--)
		z = 0.5 * (z + counts[k]);
	z += m * sigma(counts[0] / m);
	return rint(m / (2.0 * M_LN2) * m / z);
}
