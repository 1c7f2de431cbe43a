/*
 * What is remembered of the strings of a feature
 */
#include "fm_core.h"

#include "sketch/numbers.h"
#include "sketch/strings.h"

#define FIRST_COUNTERS 16

FmTop *
fm_top_new(bool weighted, bool by_weight)
{
	FmTop *top = palloc0(sizeof(FmTop));

	top->by_weight = by_weight;
	top->allocated = FIRST_COUNTERS;
	top->counters = palloc(sizeof(FmCounter) * FIRST_COUNTERS);
	if (weighted)
		top->weights = palloc(sizeof(int128) * FIRST_COUNTERS);
	top->mask = 2 * FIRST_COUNTERS - 1;
	top->slots = palloc0(sizeof(uint64) * 2 * FIRST_COUNTERS);
	top->bytes_allocated = 256;
	top->bytes = palloc(256);
	return top;
}

static void
fill_slots(FmTop *top)
{
	memset(top->slots, 0, sizeof(uint64) * (top->mask + 1));
	for (int i = 0; i < top->num; i++)
	{
		uint64 hash = top->counters[i].hash;
		uint32 slot = (uint32) hash & top->mask;

		while (top->slots[slot] != 0)
			slot = (slot + 1) & top->mask;
		top->slots[slot] = ((hash >> 32) << 32) | (uint32) (i + 1);
	}
}

void
fm_top_reserve(FmTop *top, int num)
{
	if (num <= top->allocated)
		return;
	while (top->allocated < num)
		top->allocated *= 2;
	top->counters = repalloc(top->counters, sizeof(FmCounter) * top->allocated);
	if (top->weights != NULL)
		top->weights = repalloc(top->weights, sizeof(int128) * top->allocated);
	pfree(top->slots);
	top->mask = top->allocated * 2 - 1;
	top->slots = palloc(sizeof(uint64) * (top->mask + 1));
	fill_slots(top);
}

static void
add_counter(FmTop *top, uint64 hash, const char *value, uint32 size, FmStringClass class, uint64 count, int128 weight)
{
	FmCounter *counter;
	uint32 slot;

	if (top->num == top->allocated)
		fm_top_reserve(top, top->num + 1);
	counter = &top->counters[top->num];
	counter->hash = hash;
	counter->count = count;
	counter->size = size;
	counter->class = class;
	counter->offset = top->num_bytes;
	if (class == FM_STRING_PLAIN)
	{
		if (top->num_bytes + size > top->bytes_allocated)
		{
			top->bytes_allocated = Max(top->bytes_allocated * 2, top->num_bytes + size);
			top->bytes = repalloc(top->bytes, top->bytes_allocated);
		}
		memcpy(top->bytes + top->num_bytes, value, size);
		top->num_bytes += size;
	}
	if (top->weights != NULL)
		top->weights[top->num] = weight;
	slot = (uint32) hash & top->mask;
	while (top->slots[slot] != 0)
		slot = (slot + 1) & top->mask;
	top->slots[slot] = ((hash >> 32) << 32) | (uint32) ++top->num;
}

void
fm_top_add(FmTop *top, uint64 hash, const char *value, uint32 size, FmStringClass class, uint64 count, int128 weight)
{
	uint32 slot = (uint32) hash & top->mask;
	uint64 found;

	while ((found = top->slots[slot]) != 0)
	{
		if ((found >> 32) == (hash >> 32))
		{
			int i = (int) (uint32) found - 1;
			FmCounter *counter = &top->counters[i];

			if (counter->hash == hash && counter->size == size && counter->class == class &&
				(class != FM_STRING_PLAIN || memcmp(top->bytes + counter->offset, value, size) == 0))
			{
				counter->count += count;
				if (top->weights != NULL)
					top->weights[i] += weight;
				return;
			}
		}
		slot = (slot + 1) & top->mask;
	}
	add_counter(top, hash, value, size, class, count, weight);
}

/* ---- purging */

/*
 * The k-th greatest (from 0) of some numbers, by partition; the array is shuffled
 */
static int128
select_greatest(int128 *values, int num, int k)
{
	int low = 0;
	int high = num - 1;

	while (low < high)
	{
		int128 pivot = values[low + (high - low) / 2];
		int i = low;
		int j = high;

		while (i <= j)
		{
			while (values[i] > pivot)
				i++;
			while (values[j] < pivot)
				j--;
			if (i <= j)
			{
				int128 swap = values[i];

				values[i++] = values[j];
				values[j--] = swap;
			}
		}
		if (k <= j)
			high = j;
		else if (k >= i)
			low = i;
		else
			break;
	}
	return values[k];
}

/*
 * Takes the count of the (keep + 1)-th counter from all and drops what has nothing left
 */
static void
purge(FmTop *top, int keep)
{
	int128 *values;
	int128 cut;
	int num = 0;
	uint32 num_bytes = 0;

	if (top->num <= keep)
		return;
	values = palloc(sizeof(int128) * top->num);
	for (int i = 0; i < top->num; i++)
		values[i] = top->by_weight ? top->weights[i] : (int128) top->counters[i].count;
	cut = select_greatest(values, top->num, keep);
	pfree(values);
	cut = Max(cut, 0);
	for (int i = 0; i < top->num; i++)
	{
		FmCounter counter = top->counters[i];

		if ((top->by_weight ? top->weights[i] : (int128) counter.count) <= cut)
			continue;
		if (top->by_weight)
			top->weights[num] = top->weights[i] - cut;
		else
			counter.count -= (uint64) cut;
		/* counters lie in the order of their bytes, so these move down */
		memmove(top->bytes + num_bytes, top->bytes + counter.offset, counter.size);
		counter.offset = num_bytes;
		num_bytes += counter.size;
		top->counters[num++] = counter;
	}
	top->num = num;
	top->num_bytes = num_bytes;
	if (top->by_weight)
		top->weight_error += cut;
	else
		top->error += (uint64) cut;
	fill_slots(top);
}

static void
purge_if_big(FmTop *top, const FmDistinct *distinct)
{
	uint32 max_bytes = distinct->registers == NULL ? FM_TOP_BYTES : FM_TOP_ALONE_BYTES;

	if (top->num > FM_TOP_COUNTERS)
		purge(top, FM_TOP_KEPT);
	while (top->num_bytes > max_bytes && top->num > 1)
		purge(top, top->num / 2);
}

/* ---- states */

FmStrings *
fm_strings_new(bool weighted, bool complete, int max_exact)
{
	FmStrings *strings = palloc0(sizeof(FmStrings));

	strings->weighted = weighted;
	strings->complete = complete;
	strings->max_exact = max_exact;
	strings->min_bytes = PG_UINT64_MAX;
	strings->exact = complete;
	if (complete)
		strings->top = fm_top_new(weighted, false);
	return strings;
}

static inline bool
fits_exactly(const FmStrings *strings)
{
	uint32 num = strings->top->num;

	if (num > (uint32) strings->max_exact)
		return false;
	return strings->top->num_bytes <= (num <= FM_EXACT_FEW ? FM_EXACT_FEW_BYTES : FM_EXACT_BYTES);
}

static void
free_top(FmTop *top)
{
	pfree(top->counters);
	pfree(top->slots);
	pfree(top->bytes);
	if (top->weights != NULL)
		pfree(top->weights);
	pfree(top);
}

/*
 * Copies a top, in another order of purging perhaps; only values that are kept when sketched. A top by weight has no
 * counts, and no values whose weight is not above 0.
 */
static FmTop *
copy_top(const FmTop *from, bool weighted, bool by_weight)
{
	FmTop *top = fm_top_new(weighted, by_weight);

	for (int i = 0; i < from->num; i++)
	{
		const FmCounter *c = &from->counters[i];

		if (c->class == FM_STRING_PLAIN && (!by_weight || from->weights[i] > 0))
			add_counter(top, c->hash, from->bytes + c->offset, c->size, c->class, by_weight ? 0 : c->count,
						from->weights != NULL ? from->weights[i] : 0);
	}
	return top;
}

/*
 * From all values to the frequent ones
 */
static void
leave_exact(FmStrings *strings)
{
	FmTop *all = strings->top;

	strings->exact = false;
	strings->distinct = fm_distinct_new(FM_DISTINCT_EXACT);
	for (int i = 0; i < all->num; i++)
		fm_distinct_add(strings->distinct, all->counters[i].hash);
	strings->top = copy_top(all, false, false);
	purge_if_big(strings->top, strings->distinct);
	if (strings->weighted)
	{
		strings->weighted_top = copy_top(all, true, true);
		purge_if_big(strings->weighted_top, strings->distinct);
	}
	free_top(all);
}

void
fm_strings_set_max_exact(FmStrings *strings, int max_exact)
{
	strings->max_exact = max_exact;
	if (strings->exact && !fits_exactly(strings))
		leave_exact(strings);
}

static inline void
add_hashed(FmStrings *strings, uint64 hash, const char *value, uint32 size, FmStringClass class, uint64 count,
		   int128 weight)
{
	if (strings->exact)
	{
		int before = strings->top->num;

		fm_top_add(strings->top, hash, value, size, class, count, weight);
		if (strings->top->num != before && unlikely(!fits_exactly(strings)))
			leave_exact(strings);
		return;
	}
	fm_distinct_add(strings->distinct, hash);
	if (class != FM_STRING_PLAIN)
		return;
	fm_top_add(strings->top, hash, value, size, class, count, 0);
	purge_if_big(strings->top, strings->distinct);
	if (strings->weighted && weight > 0)
	{
		fm_top_add(strings->weighted_top, hash, value, size, class, 0, weight);
		purge_if_big(strings->weighted_top, strings->distinct);
	}
}

void
fm_strings_add(FmStrings *strings, const char *value, size_t size, FmStringClass class, int128 weight)
{
	strings->num_values++;
	strings->num_bytes += size;
	strings->min_bytes = Min(strings->min_bytes, size);
	strings->max_bytes = Max(strings->max_bytes, size);
	if (class == FM_STRING_PLAIN && size > FM_MAX_VALUE_BYTES)
		class = FM_STRING_LARGE;
	if (class != FM_STRING_PLAIN)
		strings->num_class[class]++;
	if (strings->weighted)
	{
		strings->weight += weight;
		strings->weight_bytes += weight * (int128) size;
		strings->weight_class[class] += weight;
	}
	if (strings->complete)
		add_hashed(strings, fm_hash_bytes(value, size), value, (uint32) size, class, 1, weight);
}

void
fm_strings_add_lengths(FmStrings *strings, const uint64 *sizes, int num)
{
	uint64 sum = 0;
	uint64 min = strings->min_bytes;
	uint64 max = strings->max_bytes;
	uint64 large = 0;

	Assert(!strings->complete && !strings->weighted);
	for (int i = 0; i < num; i++)
	{
		sum += sizes[i];
		min = Min(min, sizes[i]);
		max = Max(max, sizes[i]);
		large += sizes[i] > FM_MAX_VALUE_BYTES;
	}
	strings->num_values += num;
	strings->num_bytes += sum;
	strings->min_bytes = min;
	strings->max_bytes = max;
	strings->num_class[FM_STRING_LARGE] += large;
}

/*
 * Counters of one top join those of another
 */
static void
merge_top(FmTop *top, const FmTop *other, const FmDistinct *distinct)
{
	for (int i = 0; i < other->num; i++)
	{
		const FmCounter *c = &other->counters[i];

		if (c->class == FM_STRING_PLAIN)
			fm_top_add(top, c->hash, other->bytes + c->offset, c->size, c->class, c->count,
					   other->weights != NULL ? other->weights[i] : 0);
	}
	top->error += other->error;
	top->weight_error += other->weight_error;
	purge_if_big(top, distinct);
}

void
fm_strings_merge(FmStrings *strings, const FmStrings *other)
{
	strings->num_values += other->num_values;
	strings->num_bytes += other->num_bytes;
	strings->min_bytes = Min(strings->min_bytes, other->min_bytes);
	strings->max_bytes = Max(strings->max_bytes, other->max_bytes);
	for (int i = 0; i < 3; i++)
	{
		strings->num_class[i] += other->num_class[i];
		strings->weight_class[i] += other->weight_class[i];
	}
	strings->weight += other->weight;
	strings->weight_bytes += other->weight_bytes;
	if (!strings->complete)
		return;
	if (strings->exact && !other->exact)
		leave_exact(strings);
	if (other->exact)
	{
		for (int i = 0; i < other->top->num; i++)
		{
			const FmCounter *c = &other->top->counters[i];

			add_hashed(strings, c->hash, other->top->bytes + c->offset, c->size, c->class, c->count,
					   other->top->weights != NULL ? other->top->weights[i] : 0);
		}
		return;
	}
	fm_distinct_merge(strings->distinct, other->distinct);
	merge_top(strings->top, other->top, strings->distinct);
	if (strings->weighted)
		merge_top(strings->weighted_top, other->weighted_top, strings->distinct);
}

double
fm_strings_distinct(FmStrings *strings, bool *exact)
{
	if (!strings->complete)
	{
		*exact = false;
		return 0;
	}
	if (strings->exact)
	{
		*exact = true;
		return strings->top->num;
	}
	*exact = fm_distinct_settle(strings->distinct);
	return fm_distinct_estimate(strings->distinct);
}

/* ---- order */

static int
compare_counters(const void *a, const void *b, void *arg)
{
	const FmTop *top = arg;
	const FmCounter *x = &top->counters[*(const int *) a];
	const FmCounter *y = &top->counters[*(const int *) b];
	int order;

	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	if (x->class == FM_STRING_PLAIN)
	{
		order = memcmp(top->bytes + x->offset, top->bytes + y->offset, Min(x->size, y->size));
		if (order != 0)
			return order;
	}
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

int *
fm_top_sorted(const FmTop *top)
{
	int *order = palloc(sizeof(int) * Max(top->num, 1));

	for (int i = 0; i < top->num; i++)
		order[i] = i;
	qsort_arg(order, top->num, sizeof(int), compare_counters, (void *) top);
	return order;
}
