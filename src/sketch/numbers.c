/*
 * What is remembered of the numbers of a feature
 */
#include "fm_core.h"

#include <math.h>

#include "port/pg_bitutils.h"
#include "sketch/numbers.h"

#define FIRST_SLOTS 16

/* From so many values on only one in 2^shift goes into the quantile sketch, see sampling_shift */
#define SAMPLING_STARTS (256 * 1024)
#define PART_SAMPLING_STARTS (96 * 1024)

/* ---- the table */

static FmTable *
new_table(bool weighted)
{
	FmTable *table = palloc0(sizeof(FmTable));

	table->mask = FIRST_SLOTS - 1;
	table->shift = 64 - 4;
	table->cells = palloc0(sizeof(FmCell) * FIRST_SLOTS);
	if (weighted)
		table->weights = palloc0(sizeof(int128) * FIRST_SLOTS);
	return table;
}

static void
free_table(FmTable *table)
{
	pfree(table->cells);
	if (table->weights != NULL)
		pfree(table->weights);
	pfree(table);
}

static inline uint32
slot_of(const FmTable *table, int64 key)
{
	uint64 h = (uint64) key;

	h ^= h >> 32;
	return (uint32) ((h * UINT64CONST(0x9e3779b97f4a7c15)) >> table->shift);
}

static void
grow_table(FmTable *table)
{
	FmTable old = *table;
	uint32 slots = (old.mask + 1) * 2;

	table->mask = slots - 1;
	table->shift--;
	table->cells = palloc0(sizeof(FmCell) * slots);
	if (old.weights != NULL)
		table->weights = palloc0(sizeof(int128) * slots);
	for (uint32 i = 0; i <= old.mask; i++)
	{
		if (old.cells[i].count != 0)
		{
			uint32 slot = slot_of(table, old.cells[i].key);

			while (table->cells[slot].count != 0)
				slot = (slot + 1) & table->mask;
			table->cells[slot] = old.cells[i];
			if (old.weights != NULL)
				table->weights[slot] = old.weights[i];
		}
	}
	pfree(old.cells);
	if (old.weights != NULL)
		pfree(old.weights);
}

/*
 * Adds to the table; the caller looks whether it has become too big
 */
static inline void
table_add(FmTable *table, int64 key, uint64 count, int128 weight)
{
	uint32 slot = slot_of(table, key);

	for (;;)
	{
		FmCell *cell = &table->cells[slot];

		if (likely(cell->key == key && cell->count != 0))
			break;
		if (cell->count == 0)
		{
			cell->key = key;
			table->num++;
			break;
		}
		slot = (slot + 1) & table->mask;
	}
	table->cells[slot].count += count;
	if (table->weights != NULL)
		table->weights[slot] += weight;
	/* at most five eighths full */
	if (unlikely(table->num > table->mask / 8 * 5 + 4))
		grow_table(table);
}

/*
 * The table's cells, in any order; palloc'd
 */
static FmCell *
cells_of(const FmTable *table)
{
	FmCell *cells = palloc(sizeof(FmCell) * Max(table->num, 1));
	uint32 n = 0;

	for (uint32 i = 0; i <= table->mask; i++)
	{
		if (table->cells[i].count != 0)
			cells[n++] = table->cells[i];
	}
	return cells;
}

FmCell *
fm_numbers_sorted_cells(const FmNumbers *numbers, int128 **weights)
{
	const FmTable *table = numbers->table;
	FmCell *cells = cells_of(table);
	int num = (int) table->num;
	int64 *keys = palloc(sizeof(int64) * Max(num, 1));
	int128 *weights_found = NULL;

	/* the keys alone are sorted much faster, and the rest is found by them */
	for (int i = 0; i < num; i++)
		keys[i] = cells[i].key;
	fm_sort_keys(keys, num);
	if (weights != NULL && table->weights != NULL)
		weights_found = palloc(sizeof(int128) * Max(num, 1));
	for (int i = 0; i < num; i++)
	{
		uint32 slot = slot_of(table, keys[i]);

		while (table->cells[slot].key != keys[i] || table->cells[slot].count == 0)
			slot = (slot + 1) & table->mask;
		cells[i] = table->cells[slot];
		if (weights_found != NULL)
			weights_found[i] = table->weights[slot];
	}
	pfree(keys);
	if (weights != NULL)
		*weights = weights_found;
	return cells;
}

/* ---- sums */

/*
 * |value| as mantissa * 2^exponent
 */
static inline uint64
take_apart(const FmNumbers *numbers, int64 key, int *exponent, bool *negative)
{
	*negative = key < 0;
	if (numbers->is_float)
	{
		double value = fm_double_of_key(key);
		uint64 bits;

		memcpy(&bits, &value, sizeof(bits));
		return fm_double_mantissa(bits & PG_INT64_MAX, exponent);
	}
	*exponent = 0;
	return key < 0 ? -(uint64) key : (uint64) key;
}

static inline void
add_square(FmNumbers *numbers, uint128 square)
{
	numbers->sum_squares[0] += square;
	numbers->sum_squares[1] += numbers->sum_squares[0] < square;
}

/*
 * Adds a value that occurs count times to the sums of the sketched state
 */
static void
add_to_sums(FmNumbers *numbers, int64 key, uint64 count, int128 weight)
{
	int exponent;
	bool negative;
	uint64 mantissa = take_apart(numbers, key, &exponent, &negative);
	uint128 square = (uint128) mantissa * mantissa;

	numbers->count += count;
	if (key == 0)
		numbers->num_zeros += count;
	numbers->min = Min(numbers->min, key);
	numbers->max = Max(numbers->max, key);
	if (numbers->is_float)
	{
		fm_exact_add_128(&numbers->float_sum, mantissa, count, exponent, negative);
		fm_exact_add_128(&numbers->float_sum_squares, square, count, 2 * exponent, false);
	}
	else
	{
		uint128 high = (square >> 64) * count;

		numbers->sum += (int128) key * (int128) count;
		add_square(numbers, (uint128) (uint64) square * count);
		add_square(numbers, high << 64);
		numbers->sum_squares[1] += high >> 64;
	}
	if (numbers->weighted)
	{
		bool minus = weight < 0;
		uint128 magnitude = minus ? -(uint128) weight : (uint128) weight;

		numbers->weight += weight;
		fm_exact_add_128(&numbers->weighted_sum, mantissa, magnitude, exponent - FM_WEIGHT_BITS, negative != minus);
		fm_exact_add_128(&numbers->weighted_sum_squares, square, magnitude, 2 * exponent - FM_WEIGHT_BITS, minus);
	}
}

/* What a first look at a batch tells */
typedef struct Extent
{
	int64 min;
	int64 max;
} Extent;

/*
 * Counts, zeros and extremes of a batch without weights
 */
static Extent
add_extent(FmNumbers *numbers, const int64 *keys, int num)
{
	Extent extent = {keys[0], keys[0]};
	uint64 zeros = 0;

	for (int i = 0; i < num; i++)
	{
		extent.min = Min(extent.min, keys[i]);
		extent.max = Max(extent.max, keys[i]);
		zeros += keys[i] == 0;
	}
	numbers->min = Min(numbers->min, extent.min);
	numbers->max = Max(numbers->max, extent.max);
	numbers->num_zeros += zeros;
	numbers->count += num;
	return extent;
}

/*
 * Sums of integers; the sums of a batch fit in the type that its extent asks for
 */
static void
add_int_sums(FmNumbers *numbers, const int64 *keys, int num, Extent extent)
{
	if (extent.min > -(INT64CONST(1) << 26) && extent.max < (INT64CONST(1) << 26))
	{
		int64 sum = 0;
		uint64 squares = 0;

		for (int i = 0; i < num; i++)
		{
			sum += keys[i];
			squares += (uint64) (keys[i] * keys[i]);
		}
		numbers->sum += sum;
		add_square(numbers, squares);
	}
	else if (extent.min > -(INT64CONST(1) << 53) && extent.max < (INT64CONST(1) << 53))
	{
		int64 sum = 0;
		uint128 squares = 0;

		for (int i = 0; i < num; i++)
		{
			sum += keys[i];
			squares += (uint128) ((int128) keys[i] * keys[i]);
		}
		numbers->sum += sum;
		add_square(numbers, squares);
	}
	else
	{
		int128 sum = 0;

		for (int i = 0; i < num; i++)
		{
			sum += keys[i];
			add_square(numbers, (uint128) ((int128) keys[i] * keys[i]));
		}
		numbers->sum += sum;
	}
}

/* A double's exponent as it is stored, 1 to 2046; that of what has no leading one is the lowest, too */
#define FLOAT_EXPONENTS 2047

/*
 * Sums of doubles. Those with one exponent are added up as integers first, which fit: 1024 mantissas of 53 bits in 63,
 * their squares in 116. So the long sums are touched once for each exponent of a batch, not for each value.
 */
static void
add_float_sums(FmNumbers *numbers, const int64 *keys, int num, Extent extent)
{
	int64 sums[FLOAT_EXPONENTS];
	uint128 squares[FLOAT_EXPONENTS];
	uint64 bits_max = (uint64) Max(extent.max, ~extent.min);
	int highest = Max((int) (bits_max >> 52), 1);
	int lowest = highest;
	int used;

	for (int i = 0; i < num; i++)
	{
		int exponent = (int) ((uint64) (keys[i] ^ (keys[i] >> 63)) >> 52);

		/* a zero adds nothing, wherever it goes */
		lowest = Min(lowest, keys[i] != 0 ? exponent : highest);
	}
	lowest = Max(lowest, 1);
	used = highest - lowest + 1;
	memset(sums, 0, sizeof(int64) * used);
	memset(squares, 0, sizeof(uint128) * used);
	for (int i = 0; i < num; i++)
	{
		int64 sign = keys[i] >> 63;
		uint64 bits = (uint64) (keys[i] ^ sign);
		int exponent = (int) (bits >> 52);
		uint64 mantissa = (bits & ((UINT64CONST(1) << 52) - 1)) | ((uint64) (exponent != 0) << 52);
		int bin = Max(exponent - lowest, 0);

		sums[bin] += ((int64) mantissa ^ sign) - sign;
		squares[bin] += (uint128) mantissa * mantissa;
	}
	for (int bin = 0; bin < used; bin++)
	{
		int exponent = lowest + bin - 1075;
		int64 sum = sums[bin];

		if (squares[bin] == 0)
			continue;
		fm_exact_add(&numbers->float_sum, sum < 0 ? -(uint64) sum : (uint64) sum, exponent, sum < 0);
		fm_exact_add(&numbers->float_sum_squares, (uint64) squares[bin], 2 * exponent, false);
		fm_exact_add(&numbers->float_sum_squares, (uint64) (squares[bin] >> 64), 2 * exponent + 64, false);
	}
}

/* ---- states */

FmNumbers *
fm_numbers_new(bool is_float, bool weighted, bool complete, int max_exact)
{
	FmNumbers *numbers = palloc0(sizeof(FmNumbers));

	numbers->is_float = is_float;
	numbers->weighted = weighted;
	numbers->complete = complete;
	numbers->max_exact = max_exact;
	numbers->min = PG_INT64_MAX;
	numbers->max = PG_INT64_MIN;
	if (complete)
		numbers->table = new_table(weighted);
	return numbers;
}

static void
make_sketches(FmNumbers *numbers)
{
	if (!numbers->complete || numbers->quantiles != NULL)
		return;
	numbers->quantiles = fm_quantiles_new(false);
	if (numbers->weighted)
		numbers->weighted_quantiles = fm_quantiles_new(true);
	/* for doubles nobody asks for an exact number of distinct values */
	numbers->distinct = fm_distinct_new(numbers->is_float ? 0 : FM_DISTINCT_EXACT);
}

/*
 * A batch without weights goes to the sums
 */
static void
add_batch_to_sums(FmNumbers *numbers, const int64 *keys, int num)
{
	Extent extent;

	if (num == 0)
		return;
	extent = add_extent(numbers, keys, num);
	if (numbers->is_float)
		add_float_sums(numbers, keys, num, extent);
	else
		add_int_sums(numbers, keys, num, extent);
}

/*
 * Values with their counts go to the sums and sketches; ascending, if there are weights
 */
static void
add_cells_sketched(FmNumbers *numbers, const FmCell *cells, const int128 *weights, int num)
{
	int64 single[FM_BATCH]; /* values that occur once */
	int num_single = 0;
	int64 *keys;
	uint64 *counts;

	for (int i = 0; i < num; i++)
	{
		if (cells[i].count != 1 || numbers->weighted)
		{
			add_to_sums(numbers, cells[i].key, cells[i].count, weights != NULL ? weights[i] : 0);
			continue;
		}
		single[num_single++] = cells[i].key;
		if (num_single == FM_BATCH)
		{
			add_batch_to_sums(numbers, single, num_single);
			num_single = 0;
		}
	}
	add_batch_to_sums(numbers, single, num_single);
	if (!numbers->complete)
		return;
	keys = palloc(sizeof(int64) * Max(num, 1));
	counts = palloc(sizeof(uint64) * Max(num, 1));
	for (int i = 0; i < num; i++)
	{
		keys[i] = cells[i].key;
		counts[i] = cells[i].count;
		fm_distinct_add(numbers->distinct, fm_hash_int64((uint64) cells[i].key));
		if (numbers->weighted)
			fm_quantiles_add_weighted(numbers->weighted_quantiles, cells[i].key, fm_weight_get_double(weights[i]));
	}
	fm_quantiles_add_counted(numbers->quantiles, keys, counts, num);
	pfree(keys);
	pfree(counts);
}

/*
 * From the table to the sketches
 */
static void
leave_table(FmNumbers *numbers)
{
	FmTable *table = numbers->table;
	int128 *weights = NULL;
	FmCell *cells = numbers->weighted ? fm_numbers_sorted_cells(numbers, &weights) : cells_of(table);

	make_sketches(numbers);
	numbers->table = NULL;
	add_cells_sketched(numbers, cells, weights, (int) table->num);
	pfree(cells);
	if (weights != NULL)
		pfree(weights);
	free_table(table);
}

void
fm_numbers_set_max_exact(FmNumbers *numbers, int max_exact)
{
	numbers->max_exact = max_exact;
	if (numbers->table != NULL && (int64) numbers->table->num > max_exact)
		leave_table(numbers);
}

void
fm_numbers_add_cell(FmNumbers *numbers, int64 key, uint64 count, int128 weight)
{
	table_add(numbers->table, key, count, weight);
}

/*
 * The same in any state, many values, ascending
 */
static void
add_cells(FmNumbers *numbers, const FmCell *cells, const int128 *weights, int num)
{
	int done = 0;

	while (numbers->table != NULL && done < num)
	{
		table_add(numbers->table, cells[done].key, cells[done].count, weights != NULL ? weights[done] : 0);
		done++;
		if (numbers->table->num > (uint32) numbers->max_exact)
			leave_table(numbers);
	}
	if (done < num)
		add_cells_sketched(numbers, cells + done, weights != NULL ? weights + done : NULL, num - done);
}

void
fm_numbers_add_counted(FmNumbers *numbers, int64 key, uint64 count)
{
	FmCell cell = {key, count};

	Assert(!numbers->weighted);
	if (count == 0)
		return;
	fm_numbers_flush(numbers);
	add_cells(numbers, &cell, NULL, 1);
}

void
fm_numbers_add_infinity(FmNumbers *numbers, bool positive, int128 weight)
{
	numbers->num_infinite[positive]++;
	numbers->weight_infinite[positive] += weight;
}

/*
 * How much the stream is thinned before the quantile sketch: not at all for the first 2^18 values, then one in 2, 4,
 * ... as it grows twofold. Of each group of 2^shift neighbours one stands for all, so the rank of any value gets a
 * standard error of at most 0.08 %. A part is thinned sooner, for the errors of parts are independent: of two or three
 * equal ones together it is 0.09 or 0.08 % at most; where one part has nearly all values 0.13 %.
 */
static int
sampling_shift(const FmNumbers *numbers)
{
	uint64 starts = numbers->is_part ? PART_SAMPLING_STARTS : SAMPLING_STARTS;

	if (numbers->count < starts)
		return 0;
	return Min(pg_leftmost_one_pos64(numbers->count / starts) + 1, FM_QUANTILES_MAX_SHIFT);
}

/*
 * A batch goes to the sketches
 */
static void
add_to_sketches(FmNumbers *numbers, const int64 *keys, const int128 *weights, int num)
{
	int shift = sampling_shift(numbers);
	int whole = num & ~((1 << shift) - 1);

	if (numbers->distinct->registers != NULL)
	{
		uint8 *registers = numbers->distinct->registers;

		for (int i = 0; i < num; i++)
			fm_distinct_add_to_registers(registers, fm_hash_int64((uint64) keys[i]));
	}
	else
	{
		for (int i = 0; i < num; i++)
			fm_distinct_add(numbers->distinct, fm_hash_int64((uint64) keys[i]));
	}
	fm_quantiles_add(numbers->quantiles, keys, whole, shift);
	/* batches are powers of two, so this is the end of the values */
	if (whole < num)
		fm_quantiles_add(numbers->quantiles, keys + whole, num - whole, 0);
	if (numbers->weighted)
	{
		for (int i = 0; i < num; i++)
			fm_quantiles_add_weighted(numbers->weighted_quantiles, keys[i], fm_weight_get_double(weights[i]));
	}
}

/*
 * A batch goes to the sums and sketches
 */
static void
add_batch_sketched(FmNumbers *numbers, const int64 *keys, const int128 *weights, int num)
{
	if (numbers->weighted)
	{
		for (int i = 0; i < num; i++)
			add_to_sums(numbers, keys[i], 1, weights[i]);
	}
	else
		add_batch_to_sums(numbers, keys, num);
	if (numbers->complete)
		add_to_sketches(numbers, keys, weights, num);
}

void
fm_numbers_add_batch(FmNumbers *numbers, const int64 *keys, const int128 *weights, int num)
{
	int done = 0;

	StaticAssertStmt(FM_BATCH <= 1024, "sums of a batch must fit in the types of add_int_sums and add_float_sums");
	Assert(num <= FM_BATCH);
	while (numbers->table != NULL && done < num)
	{
		table_add(numbers->table, keys[done], 1, numbers->weighted ? weights[done] : 0);
		done++;
		if (unlikely(numbers->table->num > (uint32) numbers->max_exact))
			leave_table(numbers);
	}
	if (done < num)
		add_batch_sketched(numbers, keys + done, numbers->weighted ? weights + done : NULL, num - done);
}

void
fm_numbers_flush(FmNumbers *numbers)
{
	int num = numbers->num_batch;

	numbers->num_batch = 0;
	fm_numbers_add_batch(numbers, numbers->batch, numbers->batch_weights, num);
}

/*
 * The batch is full: work on it, or give it more room while it is small
 */
void
fm_numbers_enlarge_batch(FmNumbers *numbers)
{
	int size = numbers->batch_size;

	if (size == FM_BATCH)
	{
		fm_numbers_flush(numbers);
		return;
	}
	size = size == 0 ? 16 : size * 4;
	numbers->batch = size == 16 ? palloc(sizeof(int64) * size) : repalloc(numbers->batch, sizeof(int64) * size);
	if (numbers->weighted)
		numbers->batch_weights =
			size == 16 ? palloc(sizeof(int128) * size) : repalloc(numbers->batch_weights, sizeof(int128) * size);
	numbers->batch_size = size;
}

void
fm_numbers_merge(FmNumbers *numbers, FmNumbers *other)
{
	fm_numbers_flush(numbers);
	fm_numbers_flush(other);
	numbers->num_nan += other->num_nan;
	for (int i = 0; i < 2; i++)
	{
		numbers->num_infinite[i] += other->num_infinite[i];
		numbers->weight_infinite[i] += other->weight_infinite[i];
	}
	if (other->table != NULL)
	{
		int128 *weights;
		FmCell *cells = fm_numbers_sorted_cells(other, &weights);

		add_cells(numbers, cells, weights, (int) other->table->num);
		pfree(cells);
		if (weights != NULL)
			pfree(weights);
		return;
	}
	if (numbers->table != NULL)
		leave_table(numbers);
	numbers->count += other->count;
	numbers->num_zeros += other->num_zeros;
	numbers->min = Min(numbers->min, other->min);
	numbers->max = Max(numbers->max, other->max);
	numbers->sum += other->sum;
	numbers->sum_squares[1] += other->sum_squares[1];
	add_square(numbers, other->sum_squares[0]);
	fm_exact_merge(&numbers->float_sum, &other->float_sum);
	fm_exact_merge(&numbers->float_sum_squares, &other->float_sum_squares);
	numbers->weight += other->weight;
	fm_exact_merge(&numbers->weighted_sum, &other->weighted_sum);
	fm_exact_merge(&numbers->weighted_sum_squares, &other->weighted_sum_squares);
	if (numbers->complete)
	{
		make_sketches(numbers);
		fm_quantiles_merge(numbers->quantiles, other->quantiles);
		if (numbers->weighted)
			fm_quantiles_merge(numbers->weighted_quantiles, other->weighted_quantiles);
		fm_distinct_merge(numbers->distinct, other->distinct);
	}
}

/* ---- reading */

/*
 * a / b^power; a may be beyond a double's range when the quotient is not
 */
static double
quotient(const FmBig *a, double b, int power)
{
	FmBig scaled = *a;
	double top = fm_big_get_double(a);
	int scale = 0;

	if (isinf(top))
	{
		scale = 1024;
		scaled.first -= scale / 32;
		top = fm_big_get_double(&scaled);
	}
	for (int i = 0; i < power; i++)
		top /= b;
	return ldexp(top, scale);
}

/*
 * Mean and variance out of n, the sum and the sum of squares, all exact: (n S2 - S1^2) / n^2, rounded at the end
 */
static void
mean_and_variance(const FmBig *n, const FmBig *s1, const FmBig *s2, double *mean, double *variance)
{
	double count = fm_big_get_double(n);
	FmBig a;
	FmBig b;
	FmBig difference;

	if (count == 0)
	{
		*mean = *variance = NAN;
		return;
	}
	*mean = quotient(s1, count, 1);
	fm_big_multiply(&a, n, s2);
	fm_big_multiply(&b, s1, s1);
	fm_big_subtract(&difference, &a, &b);
	*variance = quotient(&difference, count, 2);
}

void
fm_numbers_moments(FmNumbers *numbers, FmMoments *moments)
{
	FmNumbers *sums;
	FmBig n;
	FmBig s1;
	FmBig s2;

	fm_numbers_flush(numbers);
	sums = numbers;
	if (numbers->table != NULL)
	{
		/* the sums that the table stands for */
		int128 *weights;
		FmCell *cells = fm_numbers_sorted_cells(numbers, &weights);

		sums = fm_numbers_new(numbers->is_float, numbers->weighted, false, 0);
		for (uint32 i = 0; i < numbers->table->num; i++)
			add_to_sums(sums, cells[i].key, cells[i].count, weights != NULL ? weights[i] : 0);
	}
	moments->count = sums->count;
	moments->num_zeros = sums->num_zeros;
	moments->min = sums->count > 0 ? fm_numbers_value(numbers, sums->min) : INFINITY;
	moments->max = sums->count > 0 ? fm_numbers_value(numbers, sums->max) : -INFINITY;
	if (numbers->is_float)
	{
		fm_exact_get(&sums->float_sum, &s1);
		fm_exact_get(&sums->float_sum_squares, &s2);
	}
	else
	{
		uint32 digits[8];

		fm_big_from_int128(&s1, sums->sum, 0);
		for (int i = 0; i < 8; i++)
			digits[i] = (uint32) (sums->sum_squares[i / 4] >> (32 * (i % 4)));
		fm_big_from_words(&s2, digits, 8, 0, false);
	}
	fm_big_from_int128(&n, (int128) sums->count, 0);
	mean_and_variance(&n, &s1, &s2, &moments->mean, &moments->variance);
	moments->weighted_count = 0;
	moments->weighted_mean = moments->weighted_variance = NAN;
	if (numbers->weighted)
	{
		/* the weight's unit is 2^-48: two words down and 16 bits up */
		moments->weighted_count = fm_weight_get_double(sums->weight);
		fm_big_from_int128(&n, sums->weight << 16, -2);
		fm_exact_get(&sums->weighted_sum, &s1);
		fm_exact_get(&sums->weighted_sum_squares, &s2);
		mean_and_variance(&n, &s1, &s2, &moments->weighted_mean, &moments->weighted_variance);
	}
}
