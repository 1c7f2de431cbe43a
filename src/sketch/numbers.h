/*
 * What is remembered of the numbers of a feature
 *
 * While there are few distinct values: a table of them with their counts, from which everything else follows.
 * Beyond: exact sums and extremes, a quantile sketch and a counter of distinct values. The state after a given
 * multiset of values is the same whatever the order (the quantile sketch apart).
 *
 * A number is a key of 64 bits: an integer itself, a double's bits turned so that they order like integers.
 * Weights are fixed-point, in units of 2^-48.
 */
#ifndef FM_NUMBERS_H
#define FM_NUMBERS_H

#include "fm_core.h"
#include "sketch/distinct.h"
#include "sketch/exact.h"
#include "sketch/quantiles.h"
#include "sketch/sketch.h"

#define FM_WEIGHT_BITS 48
#define FM_WEIGHT_ONE ((int128) 1 << FM_WEIGHT_BITS)
#define FM_BATCH 1024

typedef struct FmCell
{
	int64 key;
	uint64 count; /* 0: the slot is free */
} FmCell;

/* Open addressing without deletion; simplehash.h would need a status byte, that is half as much again */
typedef struct FmTable
{
	uint32 num;
	uint32 mask; /* slots - 1 */
	int shift;	 /* of the multiplied key */
	FmCell *cells;
	int128 *weights; /* by slot; NULL without weights */
} FmTable;

typedef struct FmNumbers
{
	bool is_float;
	bool weighted;
	bool complete; /* false: moments only, never a table */
	bool is_part;  /* of values whose other parts are merged with these at once */
	int max_exact;

	/* exact, in both states */
	uint64 num_nan;
	uint64 num_infinite[2]; /* negative, positive */
	int128 weight_infinite[2];

	/* the state "table"; NULL in the state "sketched" */
	FmTable *table;

	/* the state "sketched": finite values */
	uint64 count;
	uint64 num_zeros;
	int64 min;
	int64 max;
	int128 sum;				/* integers */
	uint128 sum_squares[2]; /* low 128 bits, carries */
	FmExact float_sum;		/* doubles */
	FmExact float_sum_squares;
	int128 weight;
	FmExact weighted_sum;
	FmExact weighted_sum_squares;
	FmQuantiles *quantiles;
	FmQuantiles *weighted_quantiles;
	FmDistinct *distinct;

	/* values that wait to be worked on */
	int num_batch;
	int batch_size;
	int64 *batch;
	int128 *batch_weights;
} FmNumbers;

/* Everything known of the finite values, from either state */
typedef struct FmMoments
{
	uint64 count;
	uint64 num_zeros;
	double min;
	double max;
	double mean;
	double variance;
	double weighted_count;
	double weighted_mean;
	double weighted_variance;
} FmMoments;

extern FmNumbers *fm_numbers_new(bool is_float, bool weighted, bool complete, int max_exact);
extern void fm_numbers_flush(FmNumbers *numbers);
extern void fm_numbers_enlarge_batch(FmNumbers *numbers);

/* At most FM_BATCH keys of finite values, whose weights are not looked at in numbers without */
extern void fm_numbers_add_batch(FmNumbers *numbers, const int64 *keys, const int128 *weights, int num);

/* A value that occurs count times, with the sum of its weights; only in the state "table", which the caller keeps small */
extern void fm_numbers_add_cell(FmNumbers *numbers, int64 key, uint64 count, int128 weight);

/* A key that occurs count times, in any state; of numbers without weights */
extern void fm_numbers_add_counted(FmNumbers *numbers, int64 key, uint64 count);
extern void fm_numbers_add_infinity(FmNumbers *numbers, bool positive, int128 weight);
extern void fm_numbers_merge(FmNumbers *numbers, FmNumbers *other);
extern void fm_numbers_set_max_exact(FmNumbers *numbers, int max_exact);
extern void fm_numbers_moments(FmNumbers *numbers, FmMoments *moments);

/* The table's cells in ascending order of their keys; palloc'd. weights may be NULL. */
extern FmCell *fm_numbers_sorted_cells(const FmNumbers *numbers, int128 **weights);

static inline int64
fm_key_of_double(double value)
{
	int64 bits;

	value += 0.0; /* -0.0 becomes 0.0 */
	memcpy(&bits, &value, sizeof(bits));
	return bits ^ ((bits >> 63) & PG_INT64_MAX);
}

/* Of a double */
static inline bool
fm_key_is_finite(int64 key)
{
	return key < INT64CONST(0x7ff0000000000000) && key > ~INT64CONST(0x7ff0000000000000);
}

static inline double
fm_double_of_key(int64 key)
{
	double value;

	key ^= (key >> 63) & PG_INT64_MAX;
	memcpy(&value, &key, sizeof(value));
	return value;
}

static inline double
fm_numbers_value(const FmNumbers *numbers, int64 key)
{
	return numbers->is_float ? fm_double_of_key(key) : (double) key;
}

static inline double
fm_weight_get_double(int128 weight)
{
	return (double) weight / (double) (UINT64CONST(1) << FM_WEIGHT_BITS);
}

static inline void
fm_numbers_add_key(FmNumbers *numbers, int64 key, int128 weight)
{
	if (unlikely(numbers->num_batch == numbers->batch_size))
		fm_numbers_enlarge_batch(numbers);
	if (numbers->batch_weights != NULL)
		numbers->batch_weights[numbers->num_batch] = weight;
	numbers->batch[numbers->num_batch++] = key;
}

static inline void
fm_numbers_add_not_finite(FmNumbers *numbers, double value, int128 weight)
{
	if (value != value)
		numbers->num_nan++;
	else
		fm_numbers_add_infinity(numbers, value > 0, weight);
}

static inline void
fm_numbers_add_double(FmNumbers *numbers, double value, int128 weight)
{
	int64 key = fm_key_of_double(value);

	if (likely(fm_key_is_finite(key)))
		fm_numbers_add_key(numbers, key, weight);
	else
		fm_numbers_add_not_finite(numbers, value, weight);
}

#endif
