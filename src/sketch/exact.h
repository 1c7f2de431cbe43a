/*
 * Sums of numbers without rounding, so that the order of addition cannot show
 *
 * A sum is a fixed-point number cut into words of 32 bits, each held in 64 so that carries can wait: the "small
 * superaccumulator" of R. Neal, Fast exact summation using small and large superaccumulators (2015). Words are
 * added at either end as they are needed. Whatever is read from it is rounded once.
 */
#ifndef FM_EXACT_H
#define FM_EXACT_H

#include "fm_core.h"

/* value = sum of words[i] * 2^(32 * (first + i)); all zero is empty */
typedef struct FmExact
{
	int first;
	int num_words;
	uint32 num_adds; /* since carries were last propagated */
	int64 *words;
} FmExact;

/* An exact number for arithmetic: sign and magnitude, no zero words at either end; zero has no digits */
typedef struct FmBig
{
	bool negative;
	int first; /* the weight of digits[0] is 2^(32 * first) */
	int num_digits;
	uint32 *digits;
} FmBig;

extern void fm_exact_reserve(FmExact *sum, int first, int last);
extern void fm_exact_propagate(FmExact *sum);
extern void fm_exact_add_128(FmExact *sum, uint128 a, uint128 b, int exponent, bool negative);
extern void fm_exact_merge(FmExact *sum, const FmExact *other);

extern void fm_exact_get(const FmExact *sum, FmBig *big);
extern void fm_exact_set(FmExact *sum, const FmBig *big);

extern void fm_big_from_int128(FmBig *big, int128 value, int exponent_words);
extern void fm_big_from_words(FmBig *big, const uint32 *digits, int num_digits, int first, bool negative);
extern void fm_big_multiply(FmBig *out, const FmBig *a, const FmBig *b);
extern void fm_big_subtract(FmBig *out, const FmBig *a, const FmBig *b);
extern double fm_big_get_double(const FmBig *big);

/* Adds mantissa * 2^exponent */
static inline void
fm_exact_add(FmExact *sum, uint64 mantissa, int exponent, bool negative)
{
	int word = exponent >> 5; /* rounds down */
	uint128 shifted = (uint128) mantissa << (exponent & 31);
	int64 sign = negative ? -1 : 0;
	int64 *words;

	if (unlikely(word < sum->first || word + 3 > sum->first + sum->num_words))
		fm_exact_reserve(sum, word, word + 3);
	if (unlikely(++sum->num_adds >= (1U << 29)))
		fm_exact_propagate(sum);
	words = sum->words + (word - sum->first);
	words[0] += ((int64) (uint32) shifted ^ sign) - sign;
	words[1] += ((int64) (uint32) (shifted >> 32) ^ sign) - sign;
	words[2] += ((int64) (uint32) (shifted >> 64) ^ sign) - sign;
}

/* A finite double taken apart: |value| = mantissa * 2^exponent */
static inline uint64
fm_double_mantissa(uint64 bits, int *exponent)
{
	int biased = (int) (bits >> 52) & 0x7ff;
	uint64 mantissa = bits & ((UINT64CONST(1) << 52) - 1);

	*exponent = (biased != 0 ? biased : 1) - 1075;
	return biased != 0 ? mantissa | (UINT64CONST(1) << 52) : mantissa;
}

#endif
