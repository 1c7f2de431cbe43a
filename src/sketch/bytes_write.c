/*
 * Writes a sketch as bytes, as sketch_bytes.h says
 */
#include "fm_core.h"

#include "sketch/sequence.h"
#include "sketch/sketch_bytes.h"
#include "sketch/sketch_core.h"

static void
put_byte(StringInfo out, int byte)
{
	appendStringInfoCharMacro(out, (char) byte);
}

static void
put_uint128(StringInfo out, uint128 value)
{
	while (value >= 128)
	{
		put_byte(out, (int) (value & 127) | 128);
		value >>= 7;
	}
	put_byte(out, (int) value);
}

static void
put_uint(StringInfo out, uint64 value)
{
	while (value >= 128)
	{
		put_byte(out, (int) (value & 127) | 128);
		value >>= 7;
	}
	put_byte(out, (int) value);
}

static void
put_int128(StringInfo out, int128 value)
{
	put_uint128(out, ((uint128) value << 1) ^ (uint128) (value >> 127));
}

static void
put_int(StringInfo out, int64 value)
{
	put_uint(out, ((uint64) value << 1) ^ (uint64) (value >> 63));
}

static void
put_fixed(StringInfo out, uint64 value, int size)
{
	for (int i = 0; i < size; i++)
		put_byte(out, (int) (value >> (8 * i)) & 255);
}

static void
put_sum(StringInfo out, const FmExact *sum)
{
	FmBig big;

	fm_exact_get(sum, &big);
	put_byte(out, big.negative);
	put_int(out, big.first);
	put_uint(out, big.num_digits);
	for (int i = 0; i < big.num_digits; i++)
		put_fixed(out, big.digits[i], 4);
	pfree(big.digits);
}

/*
 * Registers as 4 bits above the lowest of them; 15 says that a byte of its own follows behind
 */
static void
put_distinct(StringInfo out, FmDistinct *distinct)
{
	bool exact = fm_distinct_settle(distinct);

	put_byte(out, !exact);
	if (!exact)
	{
		const uint8 *r = distinct->registers;
		uint8 base = 255;

		for (int i = 0; i < FM_HLL_REGISTERS; i++)
			base = Min(base, r[i]);
		put_byte(out, base);
		for (int i = 0; i < FM_HLL_REGISTERS; i += 2)
			put_byte(out, Min(r[i] - base, 15) | (Min(r[i + 1] - base, 15) << 4));
		for (int i = 0; i < FM_HLL_REGISTERS; i++)
		{
			if (r[i] - base >= 15)
				put_byte(out, r[i]);
		}
	}
	else
	{
		uint64 *hashes;
		int n = fm_distinct_hashes(distinct, &hashes);

		put_uint(out, n);
		if (n > 0)
		{
			uint64 first = hashes[0];

			put_uint(out, first);
			for (int i = 0; i < n; i++)
				hashes[i] -= first;
			fm_sequence_write(out, hashes, n);
		}
		pfree(hashes);
	}
}

typedef struct WeightedKey
{
	int64 key;
	double weight;
} WeightedKey;

static int
compare_weighted_keys(const void *a, const void *b)
{
	const WeightedKey *x = a;
	const WeightedKey *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->weight > y->weight) - (x->weight < y->weight);
}

static void
put_quantiles(StringInfo out, FmQuantiles *quantiles)
{
	if (!quantiles->weighted)
		fm_quantiles_flush(quantiles);
	put_uint(out, quantiles->num_levels);
	for (int level = 0; level < quantiles->num_levels; level++)
	{
		FmLevel *l = &quantiles->levels[level];
		WeightedKey *items = palloc(sizeof(WeightedKey) * Max(l->num, 1));
		uint64 *offsets = palloc(sizeof(uint64) * Max(l->num, 1));

		for (int i = 0; i < l->num; i++)
		{
			items[i].key = l->keys[i];
			items[i].weight = quantiles->weighted ? l->weights[i] : 0;
		}
		if (quantiles->weighted)
			qsort(items, l->num, sizeof(WeightedKey), compare_weighted_keys);
		put_uint(out, l->num);
		if (l->num > 0)
		{
			for (int i = 0; i < l->num; i++)
				offsets[i] = (uint64) items[i].key - (uint64) items[0].key;
			put_int(out, items[0].key);
			fm_sequence_write(out, offsets, l->num);
		}
		for (int i = 0; quantiles->weighted && i < l->num; i++)
		{
			uint64 bits;

			memcpy(&bits, &items[i].weight, sizeof(bits));
			put_fixed(out, bits, 8);
		}
		pfree(items);
		pfree(offsets);
	}
}

static void
put_numbers(StringInfo out, FmNumbers *numbers)
{
	fm_numbers_flush(numbers);
	put_byte(out, numbers->table == NULL);
	put_uint(out, numbers->num_nan);
	for (int i = 0; i < 2; i++)
	{
		put_uint(out, numbers->num_infinite[i]);
		if (numbers->weighted)
			put_int128(out, numbers->weight_infinite[i]);
	}
	if (numbers->table != NULL)
	{
		int128 *weights;
		FmCell *cells = fm_numbers_sorted_cells(numbers, &weights);
		int num = (int) numbers->table->num;

		put_uint(out, num);
		for (int i = 0; i < num; i++)
		{
			if (i == 0)
				put_int(out, cells[i].key);
			else
				put_uint(out, (uint64) cells[i].key - (uint64) cells[i - 1].key);
			put_uint(out, cells[i].count);
			if (numbers->weighted)
				put_int128(out, weights[i]);
		}
		pfree(cells);
		return;
	}
	put_uint(out, numbers->count);
	if (numbers->count == 0)
		return;
	put_uint(out, numbers->num_zeros);
	put_int(out, numbers->min);
	put_int(out, numbers->max);
	if (numbers->is_float)
	{
		put_sum(out, &numbers->float_sum);
		put_sum(out, &numbers->float_sum_squares);
	}
	else
	{
		put_int128(out, numbers->sum);
		put_uint128(out, numbers->sum_squares[0]);
		put_uint128(out, numbers->sum_squares[1]);
	}
	if (numbers->weighted)
	{
		put_int128(out, numbers->weight);
		put_sum(out, &numbers->weighted_sum);
		put_sum(out, &numbers->weighted_sum_squares);
	}
	if (numbers->complete)
	{
		put_quantiles(out, numbers->quantiles);
		if (numbers->weighted)
			put_quantiles(out, numbers->weighted_quantiles);
		put_distinct(out, numbers->distinct);
	}
}

static void
put_top(StringInfo out, const FmTop *top)
{
	int *order = fm_top_sorted(top);

	put_uint(out, top->error);
	put_int128(out, top->weight_error);
	put_uint(out, top->num);
	for (int i = 0; i < top->num; i++)
	{
		const FmCounter *c = &top->counters[order[i]];

		put_uint(out, ((uint64) c->size << 2) | c->class);
		if (c->class == FM_STRING_PLAIN)
			appendBinaryStringInfo(out, top->bytes + c->offset, c->size);
		else
			put_fixed(out, c->hash, 8);
		put_uint(out, c->count);
		if (top->weights != NULL)
			put_int128(out, top->weights[order[i]]);
	}
	pfree(order);
}

static void
put_strings(StringInfo out, FmStrings *strings)
{
	put_byte(out, strings->exact);
	put_uint(out, strings->num_values);
	if (strings->num_values == 0)
		return;
	put_uint(out, strings->num_bytes);
	put_uint(out, strings->min_bytes);
	put_uint(out, strings->max_bytes);
	put_uint(out, strings->num_class[FM_STRING_LARGE]);
	put_uint(out, strings->num_class[FM_STRING_INVALID]);
	if (strings->weighted)
	{
		put_int128(out, strings->weight);
		put_int128(out, strings->weight_bytes);
		for (int i = 0; i < 3; i++)
			put_int128(out, strings->weight_class[i]);
	}
	if (!strings->complete)
		return;
	put_top(out, strings->top);
	if (strings->exact)
		return;
	if (strings->weighted)
		put_top(out, strings->weighted_top);
	put_distinct(out, strings->distinct);
}

static void put_children(StringInfo out, FmFeature *parent);

static void
put_feature(StringInfo out, FmFeature *feature)
{
	bool weighted = feature->sketch->weighted;

	put_uint(out, strlen(feature->name));
	appendBinaryStringInfo(out, feature->name, strlen(feature->name));
	put_uint(out, feature->position);
	put_byte(out, feature->source);
	put_byte(out, feature->logical_type);
	put_byte(out, (feature->mixed_integers ? FM_FEATURE_FRACTIONS : 0) |
					  (feature->row_lengths != NULL ? FM_FEATURE_ROW_LENGTHS : 0) |
					  (feature->numbers != NULL ? FM_FEATURE_NUMBERS : 0) |
					  (feature->strings != NULL ? FM_FEATURE_STRINGS : 0));
	put_byte(out, feature->num_levels);
	for (int i = 0; i < feature->num_levels; i++)
	{
		FmListLevel *l = &feature->levels[i];

		put_uint(out, l->num_scalars);
		if (weighted)
			put_int128(out, l->weight_scalars);
		if (i == 0)
			continue;
		put_uint(out, l->num_nulls);
		put_uint(out, l->num_lists);
		put_uint(out, l->tot_elements);
		if (weighted)
		{
			put_int128(out, l->weight_nulls);
			put_int128(out, l->weight_lists);
			put_int128(out, l->weight_elements);
		}
		if (l->num_lists > 0)
			put_numbers(out, l->lengths);
	}
	if (feature->row_lengths != NULL)
		put_numbers(out, feature->row_lengths);
	if (feature->numbers != NULL)
		put_numbers(out, feature->numbers);
	if (feature->strings != NULL)
		put_strings(out, feature->strings);
	put_children(out, feature);
}

static void
put_children(StringInfo out, FmFeature *parent)
{
	put_uint(out, parent->num_children);
	for (int i = 0; i < parent->num_children; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_feature(out, parent->children[i]);
	}
}

void
fm_sketch_write(FmSketch *sketch, StringInfo out)
{
	int start = out->len;

	put_byte(out, FM_FORMAT_VERSION);
	put_byte(out, (sketch->weighted ? FM_FLAG_WEIGHTED : 0) | (fm_sketch_complete(sketch) ? FM_FLAG_DISTRIBUTION : 0));
	put_uint(out, sketch->max_exact);
	put_uint(out, sketch->num_examples);
	if (sketch->weighted)
		put_int128(out, sketch->weight_examples);
	put_children(out, &sketch->root);
	put_fixed(out, fm_sketch_checksum(out->data + start, out->len - start), 4);
}
