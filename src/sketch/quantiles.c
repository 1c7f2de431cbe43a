/*
 * Quantiles of a stream: a KLL sketch
 */
#include "fm_core.h"

#include <math.h>

#include "port/pg_bitutils.h"
#include "sketch/distinct.h"
#include "sketch/quantiles.h"

/* the smallest level; below it a compaction costs more than it saves */
#define MIN_CAPACITY 16

typedef struct Item
{
	int64 key;
	double weight;
} Item;

FmQuantiles *
fm_quantiles_new(bool weighted)
{
	FmQuantiles *quantiles = palloc0(sizeof(FmQuantiles));

	quantiles->weighted = weighted;
	quantiles->levels = palloc0(sizeof(FmLevel) * FM_QUANTILES_MAX_LEVELS);
	return quantiles;
}

/* ---- sorting */

static int
compare_keys(const void *a, const void *b)
{
	int64 x = *(const int64 *) a;
	int64 y = *(const int64 *) b;

	return (x > y) - (x < y);
}

static int
compare_items(const void *a, const void *b)
{
	const Item *x = a;
	const Item *y = b;

	if (x->key != y->key)
		return x->key > y->key ? 1 : -1;
	return (x->weight > y->weight) - (x->weight < y->weight);
}

#define RADIX_BITS 8
#define RADIX_SIZE (1 << RADIX_BITS)
#define RADIX_FEW 3					/* passes that mostly do */
#define RADIX_ALL (64 / RADIX_BITS) /* passes that always do */

/*
 * Sorts by some digits of key - low, the lowest of which starts at bit "drop"
 */
static void
radix_sort(uint64 *keys, uint64 *scratch, int num, uint64 low, int drop, int passes)
{
	uint16 counts[RADIX_ALL][RADIX_SIZE];
	uint64 *from = keys;
	uint64 *to = scratch;

	memset(counts, 0, sizeof(counts[0]) * passes);
	for (int i = 0; i < num; i++)
	{
		uint64 digits = (from[i] - low) >> drop;

		for (int pass = 0; pass < passes; pass++)
			counts[pass][(digits >> (RADIX_BITS * pass)) & (RADIX_SIZE - 1)]++;
	}
	for (int pass = 0; pass < passes; pass++)
	{
		uint16 *count = counts[pass];
		int shift = drop + RADIX_BITS * pass;
		uint64 *swap;
		uint32 position = 0;

		for (int i = 0; i < RADIX_SIZE; i++)
		{
			uint32 n = count[i];

			count[i] = position;
			position += n;
		}
		for (int i = 0; i < num; i++)
			to[count[((from[i] - low) >> shift) & (RADIX_SIZE - 1)]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	if (from != keys)
		memcpy(keys, from, sizeof(uint64) * num);
}

/*
 * Sorts what is nearly in order; false if there is much to mend, then it is left half-way
 */
static bool
insertion_sort(uint64 *keys, int num)
{
	int64 moves = 0;

	for (int i = 1; i < num; i++)
	{
		uint64 key = keys[i];
		int j = i;

		for (; j > 0 && keys[j - 1] > key; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
		moves += i - j;
		if (moves > 4 * (int64) num)
			return false;
	}
	return true;
}

/*
 * Sorts keys, fast up to 65535 of them. Three passes by the 24 highest bits in which the batch's range
 * differs leave nearly all in order, and an insertion sort mends the rest; if there is much to mend, passes by all bits.
 */
void
fm_sort_keys(int64 *keys, int num)
{
	const uint64 sign = UINT64CONST(1) << 63;
	uint64 stage[FM_QUANTILES_STAGE];
	uint64 *scratch = stage;
	uint64 *unsigned_keys = (uint64 *) keys;
	uint64 low;
	uint64 high;

	if (num < 64 || num > PG_UINT16_MAX)
	{
		qsort(keys, num, sizeof(int64), compare_keys);
		return;
	}
	if (num > FM_QUANTILES_STAGE)
		scratch = palloc(sizeof(uint64) * num);
	low = high = unsigned_keys[0] ^ sign;
	for (int i = 0; i < num; i++)
	{
		uint64 key = unsigned_keys[i] ^ sign;

		unsigned_keys[i] = key;
		low = Min(low, key);
		high = Max(high, key);
	}
	if (low != high)
	{
		int bits = pg_leftmost_one_pos64(high - low) + 1;
		int drop = Max(bits - RADIX_BITS * RADIX_FEW, 0);

		radix_sort(unsigned_keys, scratch, num, low, drop, (bits - drop + RADIX_BITS - 1) / RADIX_BITS);
		if (drop > 0 && !insertion_sort(unsigned_keys, num))
			radix_sort(unsigned_keys, scratch, num, low, 0, (bits + RADIX_BITS - 1) / RADIX_BITS);
	}
	for (int i = 0; i < num; i++)
		unsigned_keys[i] ^= sign;
	if (scratch != stage)
		pfree(scratch);
}

/* ---- levels */

static int
capacity(const FmQuantiles *quantiles, int level)
{
	double top = quantiles->weighted ? FM_WEIGHTED_QUANTILES_K : FM_QUANTILES_K;

	for (int i = quantiles->num_levels - 1; i > level && top > MIN_CAPACITY; i--)
		top = top * 2 / 3;
	return Max((int) top, MIN_CAPACITY);
}

static void
reserve_level(FmQuantiles *quantiles, int level, int num)
{
	FmLevel *l = &quantiles->levels[level];

	Assert(level < FM_QUANTILES_MAX_LEVELS);
	quantiles->num_levels = Max(quantiles->num_levels, level + 1);
	if (num <= l->allocated)
		return;
	num = Max(num, Min(l->allocated * 2, 4096));
	l->keys = l->keys == NULL ? palloc(sizeof(int64) * num) : repalloc(l->keys, sizeof(int64) * num);
	if (quantiles->weighted)
		l->weights = l->weights == NULL ? palloc(sizeof(double) * num) : repalloc(l->weights, sizeof(double) * num);
	l->allocated = num;
}

void
fm_quantiles_restore_level(FmQuantiles *quantiles, int level, int num)
{
	reserve_level(quantiles, level, num);
	quantiles->levels[level].num = num;
}

/*
 * Merges sorted keys into a level from the back, in place
 */
static void
merge_into_level(FmQuantiles *quantiles, int level, const int64 *keys, int num)
{
	FmLevel *l;
	int i;
	int j = num - 1;
	int64 *out;

	if (num == 0)
		return;
	reserve_level(quantiles, level, quantiles->levels[level].num + num);
	l = &quantiles->levels[level];
	if (l->num == 0)
	{
		memcpy(l->keys, keys, sizeof(int64) * num);
		l->num = num;
		return;
	}
	i = l->num - 1;
	out = l->keys + l->num + num - 1;
	l->num += num;
	while (i >= 0 && j >= 0)
	{
		/* without a branch on which is greater: that one is never predicted */
		int64 a = l->keys[i];
		int64 b = keys[j];
		bool first = a > b;

		*out-- = first ? a : b;
		i -= first;
		j -= !first;
	}
	while (j >= 0)
		*out-- = keys[j--];
}

static uint64
next_random(FmQuantiles *quantiles)
{
	return fm_hash_int64(++quantiles->coins);
}

/*
 * The coin of a level: every second one is the opposite of the one before
 */
static int
toss(FmQuantiles *quantiles, int level)
{
	uint64 *pairs = quantiles->pairs;
	uint64 bit = UINT64CONST(1) << (level & 63);
	int coin;

	if (pairs[0] & bit)
	{
		pairs[0] &= ~bit;
		return (pairs[1] & bit) ? 0 : 1;
	}
	coin = (int) (next_random(quantiles) >> 63);
	pairs[0] |= bit;
	pairs[1] = coin ? (pairs[1] | bit) : (pairs[1] & ~bit);
	return coin;
}

/*
 * Every other key of a level moves up
 */
static void
compact_level(FmQuantiles *quantiles, int level)
{
	FmLevel *l = &quantiles->levels[level];
	int coin = toss(quantiles, level);
	int odd = l->num & 1;
	/* an odd one out stays below: the first or the last, so that it favours neither tail */
	int start = odd && (quantiles->coins & 1) ? 1 : 0;
	int64 left = odd ? (start ? l->keys[0] : l->keys[l->num - 1]) : 0;
	int half = l->num / 2;

	for (int i = 0; i < half; i++)
		l->keys[i] = l->keys[start + 2 * i + coin];
	/* the level above may move in memory, this one does not */
	merge_into_level(quantiles, level + 1, l->keys, half);
	l = &quantiles->levels[level];
	l->num = odd;
	if (odd)
		l->keys[0] = left;
}

/*
 * The same with weights: of each pair one stays, with the weight of both
 */
static void
compact_weighted_level(FmQuantiles *quantiles, int level)
{
	FmLevel *l = &quantiles->levels[level];
	int num = l->num;
	int start = num & 1;
	Item *items = palloc(sizeof(Item) * num);
	FmLevel *up;

	for (int i = 0; i < num; i++)
	{
		items[i].key = l->keys[i];
		items[i].weight = l->weights[i];
	}
	qsort(items, num, sizeof(Item), compare_items);
	reserve_level(quantiles, level + 1, quantiles->levels[level + 1].num + num / 2);
	up = &quantiles->levels[level + 1];
	for (int i = start; i + 1 < num; i += 2)
	{
		double both = items[i].weight + items[i + 1].weight;
		double coin = (double) (next_random(quantiles) >> 11) / (double) (UINT64CONST(1) << 53);

		up->keys[up->num] = coin * both < items[i].weight ? items[i].key : items[i + 1].key;
		up->weights[up->num++] = both;
	}
	l->num = start;
	if (start)
	{
		l->keys[0] = items[0].key;
		l->weights[0] = items[0].weight;
	}
	pfree(items);
}

/*
 * Compacts from below until all fits
 */
static void
compress(FmQuantiles *quantiles)
{
	for (;;)
	{
		int total = 0;
		int room = 0;
		int level;

		for (level = 0; level < quantiles->num_levels; level++)
		{
			total += quantiles->levels[level].num;
			/* levels below the lowest used one lend nothing */
			if (total > 0)
				room += capacity(quantiles, level);
		}
		if (total <= room)
			return;
		for (level = 0; level < quantiles->num_levels; level++)
		{
			if (quantiles->levels[level].num > capacity(quantiles, level))
				break;
		}
		if (level + 1 >= FM_QUANTILES_MAX_LEVELS)
			return;
		if (quantiles->weighted)
			compact_weighted_level(quantiles, level);
		else
			compact_level(quantiles, level);
	}
}

/*
 * How many levels a full stage may skip: those whose capacity is less than what would come to them. Their compactions
 * would leave one key in 2^skip all the same, only later.
 */
static int
levels_to_skip(const FmQuantiles *quantiles)
{
	int skip = 0;

	while (quantiles->stage_level + skip + 1 < quantiles->num_levels &&
		   (FM_QUANTILES_STAGE >> skip) > capacity(quantiles, quantiles->stage_level + skip))
		skip++;
	return skip;
}

/*
 * Leaves one key in 2^skip of the sorted stage, from a start that is as likely as any other; every second one mirrors
 * the one before
 */
static void
thin_stage(FmQuantiles *quantiles, int skip)
{
	int step = 1 << skip;

	if (quantiles->mirror == step)
	{
		quantiles->start = step - 1 - quantiles->start;
		quantiles->mirror = 0;
	}
	else
	{
		quantiles->start = (int) (next_random(quantiles) >> 32) & (step - 1);
		quantiles->mirror = step;
	}
	quantiles->num_staged >>= skip;
	for (int i = 0; i < quantiles->num_staged; i++)
		quantiles->stage[i] = quantiles->stage[quantiles->start + i * step];
}

void
fm_quantiles_flush(FmQuantiles *quantiles)
{
	int skip = 0;

	if (quantiles->num_staged == 0)
		return;
	fm_sort_keys(quantiles->stage, quantiles->num_staged);
	if (quantiles->num_staged == FM_QUANTILES_STAGE)
		skip = levels_to_skip(quantiles);
	if (skip > 0)
		thin_stage(quantiles, skip);
	merge_into_level(quantiles, quantiles->stage_level + skip, quantiles->stage, quantiles->num_staged);
	quantiles->num_staged = 0;
	compress(quantiles);
}

void
fm_quantiles_add(FmQuantiles *quantiles, const int64 *keys, int num, int shift)
{
	int step = 1 << shift;

	if (quantiles->stage == NULL)
		quantiles->stage = palloc(sizeof(int64) * FM_QUANTILES_STAGE);
	if (quantiles->stage_level != shift)
	{
		fm_quantiles_flush(quantiles);
		quantiles->stage_level = shift;
	}
	for (int i = 0; i < num;)
	{
		int room = FM_QUANTILES_STAGE - quantiles->num_staged;

		if (shift == 0)
		{
			int n = Min(room, num - i);

			memcpy(quantiles->stage + quantiles->num_staged, keys + i, sizeof(int64) * n);
			quantiles->num_staged += n;
			i += n;
		}
		else
		{
			uint64 random = 0;
			int left = 0;

			/*
			 * One of each group of 2^shift, by shift random bits: two neighbours, and the smaller or the greater of them. The
			 * next group takes the opposite, so that errors cancel in part; each value is as likely as any other.
			 */
			for (; room > 0 && i < num; room--, i += step)
			{
				int pair;

				if (left < shift)
				{
					random = next_random(quantiles);
					left = 64;
				}
				pair = i + (int) (random & (step - 2));
				quantiles->greater = quantiles->num_staged & 1 ? !quantiles->greater : random & 1;
				quantiles->stage[quantiles->num_staged++] =
					quantiles->greater ? Max(keys[pair], keys[pair + 1]) : Min(keys[pair], keys[pair + 1]);
				random >>= shift;
				left -= shift;
			}
		}
		if (quantiles->num_staged == FM_QUANTILES_STAGE)
			fm_quantiles_flush(quantiles);
	}
}

void
fm_quantiles_add_counted(FmQuantiles *quantiles, const int64 *keys, const uint64 *counts, int num)
{
	int64 *some = palloc(sizeof(int64) * Max(num, 1));
	uint64 all_bits = 0;

	for (int i = 0; i < num; i++)
		all_bits |= counts[i];
	for (int level = 0; level < 64 && all_bits >> level != 0; level++)
	{
		int n = 0;

		for (int i = 0; i < num; i++)
		{
			if ((counts[i] >> level) & 1)
				some[n++] = keys[i];
		}
		fm_sort_keys(some, n);
		merge_into_level(quantiles, level, some, n);
	}
	pfree(some);
	compress(quantiles);
}

void
fm_quantiles_add_weighted(FmQuantiles *quantiles, int64 key, double weight)
{
	int level;
	FmLevel *l;

	if (!(weight > 0))
		return;
	level = Min(Max(ilogb(weight) + 48, 0), FM_QUANTILES_MAX_LEVELS - 1);
	reserve_level(quantiles, level, quantiles->levels[level].num + 1);
	l = &quantiles->levels[level];
	l->keys[l->num] = key;
	l->weights[l->num++] = weight;
	if (++quantiles->num_staged >= 256)
	{
		quantiles->num_staged = 0;
		compress(quantiles);
	}
}

void
fm_quantiles_merge(FmQuantiles *quantiles, const FmQuantiles *other)
{
	if (!quantiles->weighted)
		fm_quantiles_flush(quantiles);
	for (int level = 0; level < other->num_levels; level++)
	{
		const FmLevel *from = &other->levels[level];

		if (quantiles->weighted && from->num > 0)
		{
			FmLevel *l;

			reserve_level(quantiles, level, quantiles->levels[level].num + from->num);
			l = &quantiles->levels[level];
			memcpy(l->keys + l->num, from->keys, sizeof(int64) * from->num);
			memcpy(l->weights + l->num, from->weights, sizeof(double) * from->num);
			l->num += from->num;
		}
		else
			merge_into_level(quantiles, level, from->keys, from->num);
	}
	if (!other->weighted && other->num_staged > 0)
	{
		int64 *staged = palloc(sizeof(int64) * other->num_staged);

		memcpy(staged, other->stage, sizeof(int64) * other->num_staged);
		fm_sort_keys(staged, other->num_staged);
		merge_into_level(quantiles, other->stage_level, staged, other->num_staged);
		pfree(staged);
	}
	quantiles->coins += other->coins;
	compress(quantiles);
}

/*
 * Appends an item behind ascending ones, to the last when it has the same key
 */
static inline int
put_item(int64 *keys, double *weights, int num, int64 key, double weight)
{
	if (num > 0 && keys[num - 1] == key)
	{
		weights[num - 1] += weight;
		return num;
	}
	keys[num] = key;
	weights[num] = weight;
	return num + 1;
}

/*
 * Items of levels without weights: each level is in order, so they are merged, the small ones first
 */
static int
merge_levels(const FmQuantiles *quantiles, int64 **keys, double **weights, int total)
{
	int64 *merged_keys = palloc(sizeof(int64) * Max(total, 1));
	double *merged_weights = palloc(sizeof(double) * Max(total, 1));
	int num = 0;

	for (int level = 0; level < quantiles->num_levels; level++)
	{
		const FmLevel *l = &quantiles->levels[level];
		double weight = ldexp(1.0, level);
		int64 *other_keys = *keys;
		double *other_weights = *weights;
		int merged = 0;
		int i = 0, j = 0;

		while (i < num || j < l->num)
		{
			if (j == l->num || (i < num && (*keys)[i] <= l->keys[j]))
			{
				merged = put_item(merged_keys, merged_weights, merged, (*keys)[i], (*weights)[i]);
				i++;
			}
			else
				merged = put_item(merged_keys, merged_weights, merged, l->keys[j++], weight);
		}
		num = merged;
		*keys = merged_keys;
		*weights = merged_weights;
		merged_keys = other_keys;
		merged_weights = other_weights;
	}
	pfree(merged_keys);
	pfree(merged_weights);
	return num;
}

/*
 * Items of levels with weights, which are in no order
 */
static int
sort_levels(const FmQuantiles *quantiles, int64 *keys, double *weights, int total)
{
	Item *items = palloc(sizeof(Item) * Max(total, 1));
	int num = 0;

	total = 0;
	for (int level = 0; level < quantiles->num_levels; level++)
	{
		const FmLevel *l = &quantiles->levels[level];

		for (int i = 0; i < l->num; i++)
		{
			items[total].key = l->keys[i];
			items[total++].weight = l->weights[i];
		}
	}
	qsort(items, total, sizeof(Item), compare_items);
	for (int i = 0; i < total; i++)
		num = put_item(keys, weights, num, items[i].key, items[i].weight);
	pfree(items);
	return num;
}

int
fm_quantiles_entries(FmQuantiles *quantiles, int64 **keys, double **weights)
{
	int total = 0;

	if (!quantiles->weighted)
		fm_quantiles_flush(quantiles);
	for (int level = 0; level < quantiles->num_levels; level++)
		total += quantiles->levels[level].num;
	*keys = palloc(sizeof(int64) * Max(total, 1));
	*weights = palloc(sizeof(double) * Max(total, 1));
	return quantiles->weighted ? sort_levels(quantiles, *keys, *weights, total)
							   : merge_levels(quantiles, keys, weights, total);
}
