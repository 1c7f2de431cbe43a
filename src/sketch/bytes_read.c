/*
 * Reads a sketch from bytes, as sketch_bytes.h says
 *
 * The reader trusts nothing: it bounds every count by the bytes that are left, and checks order, ranges and that
 * counts sum up, so that what follows may rely on a sketch that was read.
 */
#include "fm_core.h"

#include "mb/pg_wchar.h"
#include "sketch/sequence.h"
#include "sketch/sketch_bytes.h"
#include "sketch/sketch_core.h"

#define MAX_COUNT (UINT64CONST(1) << 60)
#define MAX_EXACT_LIMIT 10000000
#define MAX_BIG_WORDS 512
#define MAX_BIG_DIGITS 1024

typedef struct Reader
{
	int version;
	const char *data;
	size_t size;
	size_t at;
	FmError *error;
	FmSketch *sketch;
} Reader;

/*
 * Says what is wrong, where; after it the reader stands at the end, so that loops end
 */
static void
bad(Reader *reader, const char *what)
{
	if (fm_fail(reader->error, ERRCODE_INVALID_BINARY_REPRESENTATION, "invalid feature_sketch") ||
		reader->error->detail == NULL)
		fm_fail_detail(reader->error, "%s at byte %zu.", what, reader->at);
	reader->at = reader->size;
}

#define FAILED(reader) ((reader)->error->sqlstate != 0)

static inline int
get_byte(Reader *reader)
{
	if (reader->at >= reader->size)
	{
		bad(reader, "Unexpected end");
		return 0;
	}
	return (uint8) reader->data[reader->at++];
}

static uint128
get_uint128(Reader *reader)
{
	uint128 value = 0;

	for (int shift = 0; shift < 128; shift += 7)
	{
		int byte = get_byte(reader);

		if (shift == 126 && (byte & ~3) != 0)
			break;
		value |= (uint128) (byte & 127) << shift;
		if ((byte & 128) == 0)
			return value;
	}
	bad(reader, "Number too long");
	return 0;
}

static uint64
get_uint64(Reader *reader)
{
	uint64 value = 0;

	for (int shift = 0; shift < 64; shift += 7)
	{
		int byte = get_byte(reader);

		if (shift == 63 && (byte & ~1) != 0)
			break;
		value |= (uint64) (byte & 127) << shift;
		if ((byte & 128) == 0)
			return value;
	}
	bad(reader, "Number too long");
	return 0;
}

static uint64
get_uint(Reader *reader, uint64 max, const char *what)
{
	uint64 value = get_uint64(reader);

	if (value > max)
	{
		bad(reader, what);
		return 0;
	}
	return value;
}

static uint64
get_count(Reader *reader)
{
	return get_uint(reader, MAX_COUNT, "Count out of range");
}

static int64
get_int(Reader *reader)
{
	uint64 value = get_uint64(reader);

	return (int64) (value >> 1) ^ -(int64) (value & 1);
}

static int128
get_int128(Reader *reader)
{
	uint128 value = get_uint128(reader);

	return (int128) (value >> 1) ^ -(int128) (value & 1);
}

static uint64
get_fixed(Reader *reader, int size)
{
	uint64 value = 0;

	for (int i = 0; i < size; i++)
		value |= (uint64) get_byte(reader) << (8 * i);
	return value;
}

/*
 * How many items follow, each of at least item_size bytes
 */
static int
get_num(Reader *reader, uint64 max, size_t item_size)
{
	uint64 num = get_uint64(reader);

	if (num > max || num > (reader->size - reader->at) / item_size)
	{
		bad(reader, "Number of items out of range");
		return 0;
	}
	return (int) num;
}

/*
 * How many numbers of a sequence follow, each with so many bytes behind the sequence. Each number takes at least a bit
 * of it (a byte in version 1), so that 8 bytes for each are at most 64 times what was read.
 */
static int
get_sequence_num(Reader *reader, uint64 max, size_t bytes_behind)
{
	uint64 num;
	uint64 most;

	if (reader->version == 1 || bytes_behind > 0)
		return get_num(reader, max, Max(bytes_behind, 1));
	num = get_uint64(reader);
	most = 8 * (uint64) (reader->size - reader->at);
	if (num > Min(max, most))
	{
		bad(reader, "Number of items out of range");
		return 0;
	}
	return (int) num;
}

static void
get_sum(Reader *reader, FmExact *sum)
{
	FmBig big;
	int64 first;
	int negative = get_byte(reader);

	first = get_int(reader);
	big.num_digits = get_num(reader, MAX_BIG_DIGITS, 4);
	if (negative > 1 || first < -MAX_BIG_WORDS || first > MAX_BIG_WORDS)
	{
		bad(reader, "Sum out of range");
		return;
	}
	big.negative = negative == 1;
	big.first = (int) first;
	big.digits = palloc(sizeof(uint32) * Max(big.num_digits, 1));
	for (int i = 0; i < big.num_digits; i++)
		big.digits[i] = (uint32) get_fixed(reader, 4);
	fm_exact_set(sum, &big);
	pfree(big.digits);
}

/*
 * The numbers of an ascending sequence above its first one
 */
static bool
get_sequence(Reader *reader, uint64 *offsets, int num, bool strictly)
{
	size_t taken = fm_sequence_read(reader->data + reader->at, reader->size - reader->at, offsets, num, strictly);

	if (taken == 0)
	{
		bad(reader, "Damaged sequence");
		return false;
	}
	reader->at += taken;
	return true;
}

/*
 * Hashes of a set; those of version 1 have 48 bits
 */
static void
get_hashes(Reader *reader, FmDistinct *distinct, int num)
{
	const int bits = reader->version == 1 ? 48 : FM_HASH_BITS;
	const uint64 end = UINT64CONST(1) << bits;
	uint64 *hashes = palloc(sizeof(uint64) * Max(num, 1));

	if (reader->version == 1)
	{
		uint64 next = 0;

		for (int i = 0; i < num && !FAILED(reader); i++)
		{
			uint64 step = get_uint(reader, end, "Hash out of range");

			if (step == 0 || next + step > end)
				bad(reader, "Hashes out of order");
			next += step;
			hashes[i] = next - 1;
		}
	}
	else if (num > 0)
	{
		uint64 first = get_uint(reader, end - 1, "Hash out of range");

		if (!FAILED(reader) && get_sequence(reader, hashes, num, true) && hashes[num - 1] >= end - first)
			bad(reader, "Hash out of range");
		for (int i = 0; i < num && !FAILED(reader); i++)
			hashes[i] += first;
	}
	for (int i = 0; i < num && !FAILED(reader); i++)
		fm_distinct_add(distinct, hashes[i] << (64 - bits));
	pfree(hashes);
}

static FmDistinct *
get_distinct(Reader *reader, int limit)
{
	FmDistinct *distinct = fm_distinct_new(limit);
	const int max_rank = (reader->version == 1 ? 48 - FM_HLL_BITS : FM_HLL_RANK_BITS) + 1;
	int state = get_byte(reader);

	if (state == 1)
	{
		int base = get_byte(reader);
		uint8 highest = 0;
		uint8 *r;

		if (base > max_rank || reader->size - reader->at < FM_HLL_REGISTERS / 2)
		{
			bad(reader, "Damaged registers");
			return distinct;
		}
		fm_distinct_use_registers(distinct);
		r = distinct->registers;
		for (int i = 0; i < FM_HLL_REGISTERS / 2; i++)
		{
			uint8 byte = (uint8) reader->data[reader->at + i];

			r[2 * i] = base + (byte & 15);
			r[2 * i + 1] = base + (byte >> 4);
		}
		reader->at += FM_HLL_REGISTERS / 2;
		/* those that are further above the lowest follow */
		for (uint8 *far = r; (far = memchr(far, base + 15, r + FM_HLL_REGISTERS - far)) != NULL; far++)
			*far = get_byte(reader);
		for (int i = 0; i < FM_HLL_REGISTERS; i++)
			highest = Max(highest, r[i]);
		if (highest > max_rank)
		{
			bad(reader, "Register out of range");
			memset(r, 0, FM_HLL_REGISTERS);
		}
		for (int i = 0; i < FM_HLL_REGISTERS; i++)
			r[i] = Min(r[i], FM_HLL_RANK_BITS + 1);
	}
	else if (state == 0 && limit > 0)
		get_hashes(reader, distinct, get_sequence_num(reader, limit, 0));
	else
		bad(reader, "Unknown state of a distinct counter");
	return distinct;
}

static bool
key_is_valid(bool is_float, int64 key)
{
	return !is_float || (fm_key_is_finite(key) && key != -1);
}

/*
 * The next of an ascending sequence
 */
static int64
get_next_key(Reader *reader, int i, int64 before, bool is_float, bool strictly)
{
	int64 key;

	if (i == 0)
		key = get_int(reader);
	else
	{
		uint64 step = get_uint64(reader);

		key = (int64) ((uint64) before + step);
		if ((strictly && step == 0) || key < before || step > (uint64) PG_INT64_MAX - (uint64) before)
			bad(reader, "Values out of order");
	}
	if (!key_is_valid(is_float, key))
		bad(reader, "Value out of range");
	return key;
}

/*
 * The items of a level, as many as are in it
 */
static void
get_level(Reader *reader, FmLevel *level, bool weighted, bool is_float)
{
	int num = level->num;
	int64 key = 0;

	if (reader->version > 1 && num > 0)
	{
		int64 first = get_int(reader);
		uint64 *offsets = (uint64 *) level->keys;

		if (FAILED(reader) || !get_sequence(reader, offsets, num, false))
			return;
		if (offsets[num - 1] > (uint64) PG_INT64_MAX - (uint64) first)
		{
			bad(reader, "Value out of range");
			return;
		}
		for (int i = 0; i < num; i++)
		{
			level->keys[i] = (int64) ((uint64) first + offsets[i]);
			if (!key_is_valid(is_float, level->keys[i]))
				bad(reader, "Value out of range");
		}
	}
	for (int i = 0; i < num && !FAILED(reader); i++)
	{
		if (reader->version == 1)
			level->keys[i] = key = get_next_key(reader, i, key, is_float, false);
		if (weighted)
		{
			uint64 bits = get_fixed(reader, 8);

			memcpy(&level->weights[i], &bits, sizeof(bits));
			if (!(level->weights[i] > 0) || !(level->weights[i] < 1e60))
				bad(reader, "Weight out of range");
		}
	}
}

static FmQuantiles *
get_quantiles(Reader *reader, bool weighted, bool is_float, uint64 count, int64 min, int64 max)
{
	FmQuantiles *quantiles = fm_quantiles_new(weighted);
	int num_levels = get_num(reader, weighted ? FM_QUANTILES_MAX_LEVELS : 60, 1);
	uint64 total = 0;

	for (int level = 0; level < num_levels; level++)
	{
		int num = get_sequence_num(reader, MAX_EXACT_LIMIT, weighted ? 8 : 0);
		FmLevel *l;

		fm_quantiles_restore_level(quantiles, level, num);
		l = &quantiles->levels[level];
		get_level(reader, l, weighted, is_float);
		if (!FAILED(reader) && num > 0 && (l->keys[0] < min || l->keys[num - 1] > max))
			bad(reader, "Quantile out of range");
		if (FAILED(reader))
		{
			l->num = 0;
			return quantiles;
		}
		if (!weighted && (uint64) num > MAX_COUNT >> Min(level, 60))
			bad(reader, "Quantiles out of range");
		else
			total += (uint64) num << Min(level, 60);
	}
	if (!weighted && total != count)
		bad(reader, "Quantiles do not sum up");
	/* coins go on from where they may have been */
	quantiles->coins = count;
	return quantiles;
}

/*
 * Numbers; *count becomes the number of values in it, infinities and NaN too
 */
static FmNumbers *
get_numbers(Reader *reader, bool is_float, bool weighted, bool lengths, uint64 *count)
{
	FmSketch *sketch = reader->sketch;
	bool complete = fm_sketch_complete(sketch);
	FmNumbers *numbers = fm_numbers_new(is_float, weighted, complete, sketch->max_exact);
	int state = get_byte(reader);

	numbers->num_nan = get_count(reader);
	for (int i = 0; i < 2; i++)
	{
		numbers->num_infinite[i] = get_count(reader);
		if (weighted)
			numbers->weight_infinite[i] = get_int128(reader);
	}
	*count = numbers->num_nan + numbers->num_infinite[0] + numbers->num_infinite[1];
	if (state > 1 || (state == 0 && !complete) || (lengths && *count > 0))
		bad(reader, "Damaged numbers");
	if (state == 0)
	{
		int num = get_num(reader, sketch->max_exact, 2);
		int64 key = 0;

		for (int i = 0; i < num; i++)
		{
			uint64 n;
			int128 weight = 0;

			key = get_next_key(reader, i, key, is_float, true);
			n = get_count(reader);
			if (weighted)
				weight = get_int128(reader);
			if (n == 0 || (lengths && key < 0))
				bad(reader, "Damaged count");
			if (FAILED(reader))
				return numbers;
			fm_numbers_add_cell(numbers, key, n, weight);
			*count += n;
			if (*count > MAX_COUNT)
				bad(reader, "Count out of range");
		}
		return numbers;
	}
	if (numbers->table != NULL)
	{
		/* max_exact of nothing: the table is left at once */
		fm_numbers_set_max_exact(numbers, -1);
		numbers->max_exact = sketch->max_exact;
	}
	numbers->count = get_count(reader);
	*count += numbers->count;
	if (numbers->count == 0)
		return numbers;
	numbers->num_zeros = get_uint(reader, numbers->count, "Count out of range");
	numbers->min = get_int(reader);
	numbers->max = get_int(reader);
	if (numbers->min > numbers->max || !key_is_valid(is_float, numbers->min) || !key_is_valid(is_float, numbers->max) ||
		(lengths && numbers->min < 0))
		bad(reader, "Damaged extremes");
	if (is_float)
	{
		get_sum(reader, &numbers->float_sum);
		get_sum(reader, &numbers->float_sum_squares);
	}
	else
	{
		numbers->sum = get_int128(reader);
		numbers->sum_squares[0] = get_uint128(reader);
		numbers->sum_squares[1] = get_uint128(reader);
	}
	if (weighted)
	{
		numbers->weight = get_int128(reader);
		get_sum(reader, &numbers->weighted_sum);
		get_sum(reader, &numbers->weighted_sum_squares);
	}
	if (complete && !FAILED(reader))
	{
		numbers->quantiles = get_quantiles(reader, false, is_float, numbers->count, numbers->min, numbers->max);
		if (weighted && !FAILED(reader))
			numbers->weighted_quantiles =
				get_quantiles(reader, true, is_float, numbers->count, numbers->min, numbers->max);
		if (!FAILED(reader))
			numbers->distinct = get_distinct(reader, is_float ? 0 : FM_DISTINCT_EXACT);
	}
	return numbers;
}

static FmTop *
get_top(Reader *reader, const FmStrings *strings, bool weighted, bool by_weight, int max_num)
{
	FmTop *top = fm_top_new(weighted, by_weight);
	int num;
	uint64 sum = 0;
	uint64 sums[3] = {0};

	top->error = get_count(reader);
	top->weight_error = get_int128(reader);
	if (top->weight_error < 0 || top->error > strings->num_values)
		bad(reader, "Error out of range");
	num = get_num(reader, max_num, 2);
	fm_top_reserve(top, num);
	for (int i = 0; i < num; i++)
	{
		uint64 head = get_uint(reader, (UINT64CONST(1) << 32) - 1, "String too long");
		uint32 size = (uint32) (head >> 2);
		FmStringClass class = head & 3;
		const char *value = reader->data + reader->at;
		uint64 hash = 0;
		uint64 count;
		int128 weight = 0;
		int before = top->num;

		if (class == FM_STRING_PLAIN)
		{
			if (size > FM_MAX_VALUE_BYTES || size > reader->size - reader->at)
				bad(reader, "String too long");
			else
			{
				reader->at += size;
				if (memchr(value, '\0', size) != NULL ||
					pg_encoding_verifymbstr(PG_UTF8, value, (int) size) != (int) size)
					bad(reader, "String is not UTF-8");
				hash = fm_hash_bytes(value, size);
			}
		}
		else if (strings->exact &&
				 (class == FM_STRING_INVALID || (class == FM_STRING_LARGE && size > FM_MAX_VALUE_BYTES)))
			hash = get_fixed(reader, 8);
		else
			bad(reader, "Damaged string");
		count = get_count(reader);
		if (weighted)
			weight = get_int128(reader);
		if ((count == 0) != by_weight || (by_weight && weight <= 0))
			bad(reader, "Damaged count");
		if (FAILED(reader))
			return top;
		fm_top_add(top, hash, value, size, class, count, weight);
		if (top->num == before)
		{
			bad(reader, "String listed twice");
			return top;
		}
		sums[class] += count;
		sum += count;
		if (sum > strings->num_values)
		{
			bad(reader, "Counts do not sum up");
			return top;
		}
	}
	if (strings->exact && (sum != strings->num_values || sums[FM_STRING_LARGE] != strings->num_class[FM_STRING_LARGE] ||
						   sums[FM_STRING_INVALID] != strings->num_class[FM_STRING_INVALID]))
		bad(reader, "Counts do not sum up");
	return top;
}

static FmStrings *
get_strings(Reader *reader)
{
	FmSketch *sketch = reader->sketch;
	bool complete = fm_sketch_complete(sketch);
	FmStrings *strings = fm_strings_new(sketch->weighted, complete, sketch->max_exact);
	int exact = get_byte(reader);

	if (exact != 0 && exact != (complete ? 1 : 0))
		bad(reader, "Damaged strings");
	strings->num_values = get_count(reader);
	if (strings->num_values == 0)
	{
		if (exact != complete)
			bad(reader, "Damaged strings");
		return strings;
	}
	strings->num_bytes = get_count(reader);
	strings->min_bytes = get_count(reader);
	strings->max_bytes = get_count(reader);
	strings->num_class[FM_STRING_LARGE] = get_count(reader);
	strings->num_class[FM_STRING_INVALID] = get_count(reader);
	if (strings->min_bytes > strings->max_bytes || strings->max_bytes > strings->num_bytes ||
		(uint128) strings->min_bytes * strings->num_values > strings->num_bytes ||
		(uint128) strings->max_bytes * strings->num_values < strings->num_bytes ||
		strings->num_class[FM_STRING_LARGE] + strings->num_class[FM_STRING_INVALID] > strings->num_values)
		bad(reader, "Damaged lengths");
	if (strings->weighted)
	{
		strings->weight = get_int128(reader);
		strings->weight_bytes = get_int128(reader);
		for (int i = 0; i < 3; i++)
			strings->weight_class[i] = get_int128(reader);
	}
	if (!complete || FAILED(reader))
		return strings;
	strings->exact = exact == 1;
	if (strings->exact)
	{
		strings->top = get_top(reader, strings, strings->weighted, false, sketch->max_exact);
		return strings;
	}
	strings->top = get_top(reader, strings, false, false, FM_TOP_COUNTERS);
	if (strings->weighted && !FAILED(reader))
		strings->weighted_top = get_top(reader, strings, true, true, FM_TOP_COUNTERS);
	if (!FAILED(reader))
		strings->distinct = get_distinct(reader, FM_DISTINCT_EXACT);
	return strings;
}

static void get_children(Reader *reader, FmFeature *parent, uint64 universe, int depth);

static void
get_feature(Reader *reader, FmFeature *parent, uint64 universe, int depth)
{
	bool weighted = reader->sketch->weighted;
	uint64 size = get_uint(reader, FM_MAX_NAME_BYTES, "Name too long");
	const char *name = reader->data + reader->at;
	int position;
	int source;
	int logical_type;
	int flags;
	int num_levels;
	uint64 num_scalars = 0;
	uint64 count;
	uint64 num_values = 0;
	FmFeature *feature;

	if (size > reader->size - reader->at || memchr(name, '\0', size) != NULL ||
		pg_encoding_verifymbstr(PG_UTF8, name, (int) size) != (int) size)
	{
		bad(reader, "Damaged name");
		return;
	}
	reader->at += size;
	position = (int) get_uint(reader, FM_MAX_FEATURES, "Position out of range");
	source = get_byte(reader);
	logical_type = get_byte(reader);
	flags = get_byte(reader);
	num_levels = get_byte(reader);
	if (source >= FM_SOURCES || logical_type >= FM_LOGICAL_TYPES ||
		(logical_type != FM_PLAIN && source != FM_SOURCE_INT) || flags > 15 || num_levels < 1 ||
		num_levels > FM_MAX_LIST_LEVELS + 1 || depth > FM_MAX_PATH_STEPS)
		bad(reader, "Damaged feature");
	if ((source == FM_SOURCE_INT || source == FM_SOURCE_FLOAT) &&
		(flags & (FM_FEATURE_NUMBERS | FM_FEATURE_STRINGS)) != FM_FEATURE_NUMBERS)
		bad(reader, "Damaged feature");
	if ((source == FM_SOURCE_STRING || source == FM_SOURCE_BYTES) &&
		(flags & (FM_FEATURE_NUMBERS | FM_FEATURE_STRINGS)) != FM_FEATURE_STRINGS)
		bad(reader, "Damaged feature");
	if (source == FM_SOURCE_STRUCT && (flags & (FM_FEATURE_NUMBERS | FM_FEATURE_STRINGS)) != 0)
		bad(reader, "Damaged feature");
	if (((flags & FM_FEATURE_FRACTIONS) != 0 && source != FM_SOURCE_JSON) ||
		((flags & FM_FEATURE_ROW_LENGTHS) != 0 && num_levels < 3) ||
		((flags & FM_FEATURE_ROW_LENGTHS) == 0 && num_levels > 2))
		bad(reader, "Damaged feature");
	if (reader->sketch->num_features >= FM_MAX_FEATURES)
		bad(reader, "Too many features");
	if (FAILED(reader))
		return;
	if (parent->num_children > 0)
	{
		FmFeature *before = parent->children[parent->num_children - 1];
		int order = before->position != position ? before->position - position : strncmp(before->name, name, size);

		if (order == 0 && before->name[size] != '\0')
			order = 1;
		if (order >= 0)
		{
			bad(reader, "Features out of order");
			return;
		}
	}
	feature = fm_feature_add_child(parent, name, size, position, (FmSource) source, (FmLogicalType) logical_type);
	feature->mixed_integers = (flags & FM_FEATURE_FRACTIONS) != 0;
	fm_feature_level(feature, num_levels - 1);
	for (int i = 0; i < num_levels && !FAILED(reader); i++)
	{
		FmListLevel *l = &feature->levels[i];

		l->num_scalars = get_count(reader);
		if (weighted)
			l->weight_scalars = get_int128(reader);
		num_scalars += l->num_scalars;
		if (i == 0)
			continue;
		l->num_nulls = get_count(reader);
		l->num_lists = get_count(reader);
		l->tot_elements = get_count(reader);
		if (weighted)
		{
			l->weight_nulls = get_int128(reader);
			l->weight_lists = get_int128(reader);
			l->weight_elements = get_int128(reader);
		}
		if (l->num_lists > 0)
		{
			l->lengths = get_numbers(reader, false, false, true, &count);
			if (count != l->num_lists)
				bad(reader, "Lists do not sum up");
		}
		else if (l->tot_elements > 0)
			bad(reader, "Lists do not sum up");
	}
	if (FAILED(reader))
		return;
	/* what stands at a level are the elements of its lists */
	for (int i = 1; i < num_levels; i++)
	{
		uint64 below = i + 1 < num_levels ? feature->levels[i + 1].num_lists : 0;

		if (feature->levels[i].num_scalars + feature->levels[i].num_nulls + below != feature->levels[i].tot_elements)
			bad(reader, "Elements do not sum up");
	}
	if (num_levels > 1 && feature->levels[num_levels - 1].num_lists == 0)
		bad(reader, "Level without a list");
	if (feature->levels[0].num_scalars + (num_levels > 1 ? feature->levels[1].num_lists : 0) > universe)
		bad(reader, "More values than examples");
	if (flags & FM_FEATURE_ROW_LENGTHS)
	{
		feature->row_lengths = get_numbers(reader, false, false, true, &count);
		if (count != feature->levels[1].num_lists)
			bad(reader, "Lists do not sum up");
	}
	if ((flags & FM_FEATURE_NUMBERS) && !FAILED(reader))
	{
		feature->numbers = get_numbers(reader, source != FM_SOURCE_INT, weighted, false, &count);
		num_values += count;
	}
	if ((flags & FM_FEATURE_STRINGS) && !FAILED(reader))
	{
		feature->strings = get_strings(reader);
		num_values += feature->strings->num_values;
	}
	if (source == FM_SOURCE_JSON ? num_values > num_scalars : source != FM_SOURCE_STRUCT && num_values != num_scalars)
		bad(reader, "Values do not sum up");
	if (FAILED(reader))
		return;
	/* the children's examples are this feature's values, nulls in lists too */
	for (int i = 1; i < num_levels; i++)
		num_scalars += feature->levels[i].num_nulls;
	get_children(reader, feature, num_scalars, depth + 1);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp((*(FmFeature *const *) a)->name, (*(FmFeature *const *) b)->name);
}

static void
get_children(Reader *reader, FmFeature *parent, uint64 universe, int depth)
{
	int num = get_num(reader, FM_MAX_FEATURES, 8);
	FmFeature **sorted;

	if (num > 0 && parent->source != FM_SOURCE_STRUCT && parent->source != FM_SOURCE_JSON)
		bad(reader, "Damaged feature");
	check_stack_depth();
	for (int i = 0; i < num && !FAILED(reader); i++)
	{
		CHECK_FOR_INTERRUPTS();
		get_feature(reader, parent, universe, depth);
	}
	if (FAILED(reader) || num < 2)
		return;
	sorted = palloc(sizeof(FmFeature *) * num);
	memcpy(sorted, parent->children, sizeof(FmFeature *) * num);
	qsort(sorted, num, sizeof(FmFeature *), compare_names);
	for (int i = 1; i < num; i++)
	{
		if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0 ||
			(parent->source == FM_SOURCE_JSON && sorted[i]->position != sorted[0]->position))
			bad(reader, "Two features of one name");
	}
	pfree(sorted);
}

FmSketch *
fm_sketch_read(const char *data, size_t size, FmError *error)
{
	Reader reader = {FM_FORMAT_VERSION, data, size, 0, error, NULL};
	FmSketch *sketch;
	int version;
	int flags;
	int max_exact;

	if (size < 8)
	{
		bad(&reader, "Unexpected end");
		return NULL;
	}
	version = get_byte(&reader);
	reader.version = version;
	if (version < 1 || version > FM_FORMAT_VERSION)
	{
		fm_fail(error, ERRCODE_INVALID_BINARY_REPRESENTATION, "unsupported version %d of feature_sketch", version);
		return NULL;
	}
	reader.size = size - 4;
	reader.at = reader.size;
	{
		Reader tail = {FM_FORMAT_VERSION, data, size, size - 4, error, NULL};

		if ((pg_crc32c) get_fixed(&tail, 4) != fm_sketch_checksum(data, size - 4))
		{
			bad(&reader, "Checksum differs");
			return NULL;
		}
	}
	reader.at = 1;
	flags = get_byte(&reader);
	max_exact = (int) get_uint(&reader, MAX_EXACT_LIMIT, "Limit out of range");
	if (flags > 3 || max_exact < 1)
		bad(&reader, "Damaged header");
	sketch = fm_sketch_new((flags & FM_FLAG_WEIGHTED) != 0,
						   (flags & FM_FLAG_DISTRIBUTION) ? FM_KEEP_ALL : FM_KEEP_MOMENTS, max_exact);
	reader.sketch = sketch;
	sketch->num_examples = get_count(&reader);
	if (sketch->weighted)
		sketch->weight_examples = get_int128(&reader);
	if (!FAILED(&reader))
		get_children(&reader, &sketch->root, sketch->num_examples, 1);
	if (!FAILED(&reader) && reader.at != reader.size)
		bad(&reader, "Bytes left over");
	return FAILED(&reader) ? NULL : sketch;
}
