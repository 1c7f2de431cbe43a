/*
 * Ascending sequences of whole numbers as bytes
 */
#include "fm_core.h"

#include "port/pg_bitutils.h"
#include "sketch/sequence.h"

#define STEPS 0
#define LOW_AND_HIGH 1

/*
 * How many of the lowest bits are written as they are
 */
static int
num_low_bits(uint64 greatest, int num)
{
	uint64 step = greatest / num;

	return step == 0 ? 0 : pg_leftmost_one_pos64(step);
}

static size_t
size_of_low(uint64 greatest, int num)
{
	return ((size_t) num * num_low_bits(greatest, num) + 7) / 8;
}

/*
 * A bit for each number, and one for each step of the bits above the lowest; at most 3 num + 1 bits
 */
static size_t
size_of_high(uint64 greatest, int num)
{
	return (num + (greatest >> num_low_bits(greatest, num)) + 7) / 8;
}

/* ---- writing */

static int
size_of_varint(uint64 value)
{
	return value == 0 ? 1 : pg_leftmost_one_pos64(value) / 7 + 1;
}

static void
put_varint(StringInfo out, uint64 value)
{
	for (; value >= 128; value >>= 7)
		appendStringInfoCharMacro(out, (char) ((value & 127) | 128));
	appendStringInfoCharMacro(out, (char) value);
}

static void
write_low_and_high(StringInfo out, const uint64 *numbers, int num)
{
	uint64 greatest = numbers[num - 1];
	int bits = num_low_bits(greatest, num);
	size_t size = size_of_high(greatest, num);
	uint8 *high = palloc0(size);
	uint128 waiting = 0;
	int num_waiting = 0;

	put_varint(out, greatest);
	for (int i = 0; i < num; i++)
	{
		size_t place = (size_t) (numbers[i] >> bits) + i;

		high[place / 8] |= 1 << (place % 8);
		waiting |= (uint128) (numbers[i] & ((UINT64CONST(1) << bits) - 1)) << num_waiting;
		for (num_waiting += bits; num_waiting >= 8; num_waiting -= 8, waiting >>= 8)
			appendStringInfoCharMacro(out, (char) waiting);
	}
	if (num_waiting > 0)
		appendStringInfoCharMacro(out, (char) waiting);
	appendBinaryStringInfo(out, (char *) high, (int) size);
	pfree(high);
}

void
fm_sequence_write(StringInfo out, const uint64 *numbers, int num)
{
	uint64 greatest = numbers[num - 1];
	size_t steps = 0;

	Assert(num > 0 && numbers[0] == 0);
	for (int i = 1; i < num; i++)
		steps += size_of_varint(numbers[i] - numbers[i - 1]);
	if (steps <= size_of_varint(greatest) + size_of_low(greatest, num) + size_of_high(greatest, num))
	{
		appendStringInfoCharMacro(out, STEPS);
		for (int i = 1; i < num; i++)
			put_varint(out, numbers[i] - numbers[i - 1]);
	}
	else
	{
		appendStringInfoCharMacro(out, LOW_AND_HIGH);
		write_low_and_high(out, numbers, num);
	}
}

/* ---- reading */

/*
 * Where the number ends, NULL if it does not
 */
static const uint8 *
get_varint(const uint8 *at, const uint8 *end, uint64 *value)
{
	*value = 0;
	for (int shift = 0; shift < 64 && at < end; shift += 7)
	{
		uint8 byte = *at++;

		if (shift == 63 && byte > 1)
			return NULL;
		*value |= (uint64) (byte & 127) << shift;
		if (byte < 128)
			return at;
	}
	return NULL;
}

static const uint8 *
read_steps(const uint8 *at, const uint8 *end, uint64 *numbers, int num, bool strictly)
{
	numbers[0] = 0;
	for (int i = 1; i < num; i++)
	{
		uint64 step;

		at = get_varint(at, end, &step);
		if (at == NULL || (strictly && step == 0) || step > PG_UINT64_MAX - numbers[i - 1])
			return NULL;
		numbers[i] = numbers[i - 1] + step;
	}
	return at;
}

/*
 * Eight bytes, the lowest first; zeros behind the end
 */
static inline uint64
load_word(const uint8 *bytes, size_t left)
{
	uint64 word = 0;

	if (likely(left >= sizeof(word)))
		memcpy(&word, bytes, sizeof(word));
	else
		memcpy(&word, bytes, left);
#ifdef WORDS_BIGENDIAN
	word = __builtin_bswap64(word);
#endif
	return word;
}

static const uint8 *
read_low_and_high(const uint8 *at, const uint8 *end, uint64 *numbers, int num, bool strictly)
{
	const uint8 *low;
	const uint8 *high;
	uint64 greatest;
	uint64 most; /* of the bits above the lowest */
	size_t low_size;
	size_t high_size;
	int bits;
	int n = 0;
	bool wrong = false;

	low = get_varint(at, end, &greatest);
	if (low == NULL || size_of_low(greatest, num) + size_of_high(greatest, num) > (size_t) (end - low))
		return NULL;
	bits = num_low_bits(greatest, num);
	low_size = size_of_low(greatest, num);
	high = low + low_size;
	high_size = size_of_high(greatest, num);
	most = greatest >> bits;
	/* the bits that are set, a word at a time */
	for (size_t word = 0; word < high_size; word += 8)
	{
		uint64 set = load_word(high + word, high_size - word);

		if (n + pg_popcount64(set) > num)
			return NULL;
		for (; set != 0; set &= set - 1, n++)
		{
			numbers[n] = word * 8 + pg_rightmost_one_pos64(set) - n;
			wrong |= numbers[n] > most;
		}
	}
	if (n != num)
		return NULL;
	if (bits > 0)
	{
		const uint64 mask = (UINT64CONST(1) << bits) - 1;

		for (int i = 0; i < num; i++)
		{
			size_t bit = (size_t) i * bits;
			size_t byte = bit / 8;
			int shift = bit % 8;
			uint64 rest = load_word(low + byte, low_size - byte) >> shift;

			/* a ninth byte has the highest ones */
			if (shift + bits > 64)
				rest |= (uint64) low[byte + 8] << (64 - shift);
			numbers[i] = numbers[i] << bits | (rest & mask);
		}
	}
	wrong |= numbers[0] != 0 || numbers[num - 1] != greatest;
	for (int i = 1; i < num; i++)
		wrong |= numbers[i] < numbers[i - 1] || (strictly && numbers[i] == numbers[i - 1]);
	return wrong ? NULL : high + high_size;
}

size_t
fm_sequence_read(const char *data, size_t size, uint64 *numbers, int num, bool strictly)
{
	const uint8 *at = (const uint8 *) data;
	const uint8 *end = at + size;
	const uint8 *after = NULL;

	Assert(num > 0);
	if (size > 0 && *at == STEPS)
		after = read_steps(at + 1, end, numbers, num, strictly);
	else if (size > 0 && *at == LOW_AND_HIGH)
		after = read_low_and_high(at + 1, end, numbers, num, strictly);
	return after == NULL ? 0 : (size_t) (after - at);
}
