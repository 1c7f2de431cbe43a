/*
 * Sums without rounding, and the little arithmetic on them that a variance needs
 */
#include "fm_core.h"

#include <math.h>

#include "port/pg_bitutils.h"

#include "sketch/exact.h"

/*
 * Makes room for the words first .. last (last included) and one for the carry
 */
void
fm_exact_reserve(FmExact *sum, int first, int last)
{
	int new_first = sum->num_words == 0 ? first - 1 : Min(sum->first, first - 1);
	int new_last = sum->num_words == 0 ? last + 1 : Max(sum->first + sum->num_words - 1, last + 1);
	int64 *words = palloc0(sizeof(int64) * (new_last - new_first + 1));

	if (sum->num_words > 0)
	{
		memcpy(words + (sum->first - new_first), sum->words, sizeof(int64) * sum->num_words);
		pfree(sum->words);
	}
	sum->first = new_first;
	sum->num_words = new_last - new_first + 1;
	sum->words = words;
}

/*
 * Moves carries up: afterwards all words but the highest are in [0, 2^32), and the highest has its sign
 */
void
fm_exact_propagate(FmExact *sum)
{
	int64 carry;

	sum->num_adds = 0;
	if (sum->num_words == 0)
		return;
	for (int i = 0; i + 1 < sum->num_words; i++)
	{
		carry = sum->words[i] >> 32;
		sum->words[i] -= carry * ((int64) 1 << 32);
		sum->words[i + 1] += carry;
	}
	/* the highest word must leave room for the adds to come */
	carry = sum->words[sum->num_words - 1];
	if (carry > PG_INT32_MAX || carry < PG_INT32_MIN)
	{
		int top = sum->num_words - 1;

		fm_exact_reserve(sum, sum->first + 1, sum->first + top + 1);
		top = sum->num_words - 3;
		while (sum->words[top] == 0)
			top--;
		carry = sum->words[top] >> 32;
		sum->words[top] -= carry * ((int64) 1 << 32);
		sum->words[top + 1] += carry;
	}
}

/*
 * Adds a * b * 2^exponent
 */
void
fm_exact_add_128(FmExact *sum, uint128 a, uint128 b, int exponent, bool negative)
{
	uint64 as[2] = {(uint64) a, (uint64) (a >> 64)};
	uint64 bs[2] = {(uint64) b, (uint64) (b >> 64)};

	for (int i = 0; i < 2; i++)
	{
		for (int j = 0; j < 2; j++)
		{
			uint128 product = (uint128) as[i] * bs[j];

			if ((uint64) product != 0)
				fm_exact_add(sum, (uint64) product, exponent + 64 * (i + j), negative);
			if ((uint64) (product >> 64) != 0)
				fm_exact_add(sum, (uint64) (product >> 64), exponent + 64 * (i + j + 1), negative);
		}
	}
}

void
fm_exact_merge(FmExact *sum, const FmExact *other)
{
	FmBig big;

	fm_exact_get(other, &big);
	for (int i = 0; i < big.num_digits; i++)
		fm_exact_add(sum, big.digits[i], 32 * (big.first + i), big.negative);
	pfree(big.digits);
}

static void
trim(FmBig *big)
{
	int skip = 0;

	while (big->num_digits > 0 && big->digits[big->num_digits - 1] == 0)
		big->num_digits--;
	while (skip < big->num_digits && big->digits[skip] == 0)
		skip++;
	if (skip > 0)
	{
		memmove(big->digits, big->digits + skip, sizeof(uint32) * (big->num_digits - skip));
		big->num_digits -= skip;
		big->first += skip;
	}
	if (big->num_digits == 0)
	{
		big->first = 0;
		big->negative = false;
	}
}

/*
 * The one way to write the sum down, whatever was added in which order
 */
void
fm_exact_get(const FmExact *sum, FmBig *big)
{
	int n = sum->num_words + 2;
	int64 *words = palloc0(sizeof(int64) * n);
	bool negative = false;

	if (sum->num_words > 0)
		memcpy(words, sum->words, sizeof(int64) * sum->num_words);
	for (int pass = 0; pass < 2; pass++)
	{
		int64 top;

		for (int i = 0; i + 1 < n; i++)
		{
			int64 carry = words[i] >> 32;

			words[i] -= carry * ((int64) 1 << 32);
			words[i + 1] += carry;
		}
		top = words[n - 1];
		if (top >= 0)
			break;
		negative = true;
		for (int i = 0; i < n; i++)
			words[i] = -words[i];
	}
	big->negative = negative;
	big->first = sum->first;
	big->num_digits = n;
	big->digits = palloc(sizeof(uint32) * n);
	for (int i = 0; i < n; i++)
		big->digits[i] = (uint32) words[i];
	pfree(words);
	trim(big);
}

/*
 * The sum that was written down
 */
void
fm_exact_set(FmExact *sum, const FmBig *big)
{
	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < big->num_digits; i++)
		fm_exact_add(sum, big->digits[i], 32 * (big->first + i), big->negative);
}

/*
 * value * 2^(32 * exponent_words)
 */
void
fm_big_from_int128(FmBig *big, int128 value, int exponent_words)
{
	uint128 magnitude = value < 0 ? -(uint128) value : (uint128) value;
	uint32 digits[4];

	for (int i = 0; i < 4; i++)
		digits[i] = (uint32) (magnitude >> (32 * i));
	fm_big_from_words(big, digits, 4, exponent_words, value < 0);
}

void
fm_big_from_words(FmBig *big, const uint32 *digits, int num_digits, int first, bool negative)
{
	big->negative = negative;
	big->first = first;
	big->num_digits = num_digits;
	big->digits = palloc(sizeof(uint32) * Max(num_digits, 1));
	memcpy(big->digits, digits, sizeof(uint32) * num_digits);
	trim(big);
}

void
fm_big_multiply(FmBig *out, const FmBig *a, const FmBig *b)
{
	int n = a->num_digits + b->num_digits;
	uint32 *digits = palloc0(sizeof(uint32) * Max(n, 1));

	for (int i = 0; i < a->num_digits; i++)
	{
		uint64 carry = 0;

		for (int j = 0; j < b->num_digits; j++)
		{
			carry += (uint64) a->digits[i] * b->digits[j] + digits[i + j];
			digits[i + j] = (uint32) carry;
			carry >>= 32;
		}
		digits[i + b->num_digits] = (uint32) carry;
	}
	out->negative = a->negative != b->negative;
	out->first = a->first + b->first;
	out->num_digits = n;
	out->digits = digits;
	trim(out);
}

void
fm_big_subtract(FmBig *out, const FmBig *a, const FmBig *b)
{
	FmExact sum = {0};

	for (int i = 0; i < a->num_digits; i++)
		fm_exact_add(&sum, a->digits[i], 32 * (a->first + i), a->negative);
	for (int i = 0; i < b->num_digits; i++)
		fm_exact_add(&sum, b->digits[i], 32 * (b->first + i), !b->negative);
	fm_exact_get(&sum, out);
}

/*
 * The nearest double, ties to even; an infinity beyond the range
 */
double
fm_big_get_double(const FmBig *big)
{
	uint64 top = 0;
	bool sticky = false;
	int lowest; /* index of the lowest digit that is in top */
	int shift;
	uint64 kept;
	double value;

	if (big->num_digits == 0)
		return 0.0;
	lowest = big->num_digits - 1;
	top = big->digits[lowest];
	shift = pg_leftmost_one_pos64(top) + 1; /* bits in top */
	if (lowest > 0)
	{
		lowest--;
		top = (top << 32) | big->digits[lowest];
		shift += 32;
	}
	/* fill up to 64 bits from the next digit */
	if (lowest > 0 && shift < 64)
	{
		int missing = 64 - shift;
		uint32 next = big->digits[lowest - 1];

		top = (top << missing) | (next >> (32 - missing));
		sticky = missing < 32 && (next << missing) != 0;
		for (int i = 0; i < lowest - 1 && !sticky; i++)
			sticky = big->digits[i] != 0;
		shift = 64;
		/* weight of the lowest bit of top */
		kept = top >> 11;
		if ((top & 0x400) && ((top & 0x3ff) || sticky || (kept & 1)))
			kept++;
		value = ldexp((double) kept, 32 * (big->first + lowest) - missing + 11);
	}
	else
	{
		for (int i = 0; i < lowest && !sticky; i++)
			sticky = big->digits[i] != 0;
		if (shift > 53)
		{
			int drop = shift - 53;
			uint64 half = UINT64CONST(1) << (drop - 1);

			kept = top >> drop;
			if ((top & half) && ((top & (half - 1)) || sticky || (kept & 1)))
				kept++;
			value = ldexp((double) kept, 32 * (big->first + lowest) + drop);
		}
		else
			value = ldexp((double) top, 32 * (big->first + lowest));
	}
	return big->negative ? -value : value;
}
