/* fuzz: -fwrapv -Wno-ignored-attributes src/sketch/distinct.c src/sketch/exact.c src/sketch/numbers.c src/sketch/quantiles.c src/sketch/sequence.c src/sketch/strings.c src/sketch/sketch.c src/sketch/bytes_write.c src/sketch/bytes_read.c src/sketch/sketch_read.c src/fm_error.c */
/*
 * Fuzz target: the bytes of a sketch. The checksum is mended before they are read, so that what is behind it is
 * reached. The first byte of an input says how the bytes come about:
 *   even  they are the rest of the input
 *   odd   a sketch is built by a program, written down, and damaged: the 16 bits after the selector say how long the
 *         program is, the rest is triples of a place (16 bits) and what is changed there
 * -fwrapv as the server is compiled: sums of forged weights may wrap around, they must not do more than that.
 */
#include "fm_core.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "arena.h"
#include "port/pg_crc32c.h"
#include "sketch/sketch.h"
#include "sketch/sketch_core.h"

#define MAX_PROGRAM 4096
#define FUZZ_CHECK(condition)                                                                                          \
	do                                                                                                                 \
	{                                                                                                                  \
		if (!(condition))                                                                                              \
		{                                                                                                              \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                             \
			abort();                                                                                                   \
		}                                                                                                              \
	} while (0)

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
mend_checksum(char *bytes, size_t size)
{
	pg_crc32c crc;

	if (size < 4)
		return;
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, bytes, size - 4);
	FIN_CRC32C(crc);
	for (int i = 0; i < 4; i++)
		bytes[size - 4 + i] = (char) (crc >> (8 * i));
}

static void
write_sketch(FmSketch *sketch, StringInfo out)
{
	initStringInfo(out);
	fm_sketch_write(sketch, out);
}

static bool
same_bytes(const StringInfoData *a, const StringInfoData *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* ---- what holds of a sketch that was read */

static void
check_entries(const FmEntries *entries)
{
	double total = 0;

	for (int i = 0; i < entries->num_entries; i++)
	{
		FUZZ_CHECK(i == 0 || entries->values[i - 1] < entries->values[i] || !entries->exact);
		total += entries->weights[i];
	}
	/* weights may be negative, beyond a double's precision, or forged; counts are neither */
	FUZZ_CHECK(entries->num_entries >= 0 && total == total);
}

static void
read_all(FmSketch *sketch)
{
	FmFeatureInfo *features;
	int num = fm_sketch_features(sketch, &features);

	for (int i = 0; i < num; i++)
	{
		FmFeatureInfo *info = &features[i];
		FmEntries entries;
		FmNumberSummary numbers;
		FmStringSummary strings;
		FmFrequentValues frequent;
		bool exact;

		FUZZ_CHECK(info->parent < i && info->num_steps > 0 && info->num_levels > 0);
		for (int level = 0; level <= info->num_levels; level++)
		{
			fm_feature_list_lengths(info->feature, level, &entries);
			check_entries(&entries);
		}
		switch (info->kind)
		{
			case FM_INT:
			case FM_FLOAT:
				fm_feature_numbers(info->feature, &numbers);
				for (int weighted = 0; weighted <= fm_sketch_is_weighted(sketch); weighted++)
				{
					fm_feature_quantile_entries(info->feature, weighted, &entries);
					check_entries(&entries);
				}
				if (info->kind == FM_FLOAT)
					break;
				/* FALLTHROUGH */
			case FM_STRING:
			case FM_BYTES:
				fm_feature_strings(info->feature, &strings);
				for (int weighted = 0; weighted <= fm_sketch_is_weighted(sketch); weighted++)
				{
					fm_feature_frequent_values(info->feature, weighted, &frequent);
					for (int v = 1; v < frequent.num_values && !weighted; v++)
						FUZZ_CHECK(frequent.values[v - 1].count >= frequent.values[v].count);
				}
				break;
			case FM_STRUCT:
				break;
		}
		if (info->kind != FM_STRUCT)
			FUZZ_CHECK(fm_feature_distinct(info->feature, &exact) >= 0);
	}
}

static void
check_bytes(const char *bytes, size_t size)
{
	FmError error = {0};
	FmSketch *sketch = fm_sketch_read(bytes, size, &error);
	FmSketch *again;
	FmSketch *sum;
	StringInfoData first;
	StringInfoData second;

	if (sketch == NULL)
	{
		FUZZ_CHECK(error.sqlstate == ERRCODE_INVALID_BINARY_REPRESENTATION && error.message != NULL);
		return;
	}
	FUZZ_CHECK(error.sqlstate == 0);

	/* what was read is written in one way, which is read again */
	write_sketch(sketch, &first);
	again = fm_sketch_read(first.data, first.len, &error);
	FUZZ_CHECK(again != NULL);
	write_sketch(again, &second);
	FUZZ_CHECK(same_bytes(&first, &second));
	read_all(again);
	write_sketch(again, &second);
	FUZZ_CHECK(same_bytes(&first, &second));

	/* merged into nothing it can be read, and with itself */
	sum = fm_sketch_new(sketch->weighted, sketch->keep, sketch->max_exact);
	FUZZ_CHECK(fm_sketch_merge(sum, sketch, &error));
	if (fm_sketch_merge(sum, again, &error))
	{
		write_sketch(sum, &second);
		read_all(sum);
		error.sqlstate = 0;
		/* counts that were close to the limit may be beyond it now */
		again = fm_sketch_read(second.data, second.len, &error);
		if (again != NULL)
			read_all(again);
	}
	error.sqlstate = 0;
	if (!fm_sketch_combine_columns(sketch, sum, &error))
		FUZZ_CHECK(error.sqlstate != 0);
}

/* ---- building */

/*
 * Runs a program: each step is an opcode and its operands, from what the input has left
 */
static FmSketch *
build(const uint8_t *program, size_t size)
{
	bool weighted = size > 0 && (program[0] & 1);
	int keep = size > 0 && (program[0] & 2) ? FM_KEEP_MOMENTS : FM_KEEP_ALL;
	FmSketch *sketch = fm_sketch_new(weighted, keep, 16 + (size > 1 ? program[1] : 0));
	FmFeature *ints = fm_sketch_add_feature(sketch, "i", 0, FM_INT, FM_PLAIN);
	FmFeature *floats = fm_sketch_add_feature(sketch, "f", 1, FM_FLOAT, FM_PLAIN);
	FmFeature *strings = fm_sketch_add_feature(sketch, "s", 2, FM_STRING, FM_PLAIN);
	FmFeature *bytes = fm_sketch_add_feature(sketch, "b", 3, FM_BYTES, FM_PLAIN);
	FmError error = {0};

	for (size_t at = 2; at + 10 <= size; at += 10)
	{
		int times = 1 << (program[at] >> 5);
		uint64 operand;
		double value;

		memcpy(&operand, program + at + 2, 8);
		memcpy(&value, &operand, 8);
		for (int i = 0; i < times; i++, operand += program[at + 1], value *= 1.25)
		{
			if (!fm_sketch_add_example(sketch, weighted ? (double) (int8_t) program[at + 1] : 1.0, &error))
				return sketch;
			switch (program[at] & 7)
			{
				case 0:
					fm_add_int(ints, (int64) operand);
					break;
				case 1:
					fm_add_float(floats, value);
					break;
				case 2:
					fm_add_string(strings, (char *) &operand, program[at + 1] & 7, true);
					break;
				case 3:
					fm_add_string(bytes, (char *) &operand, 8, true);
					break;
				case 4:
					fm_add_infinity(ints, (operand & 1) != 0);
					break;
				case 5:
					fm_add_float(floats, (double) (int64) operand);
					fm_add_int(ints, (int8_t) operand);
					break;
				default:
					break;
			}
		}
	}
	return sketch;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4)
		return 0;
	if ((data[0] & 1) == 0)
	{
		char *copy = palloc(size - 1);

		memcpy(copy, data + 1, size - 1);
		mend_checksum(copy, size - 1);
		check_bytes(copy, size - 1);
	}
	else
	{
		size_t program = Min(data[1] | (size_t) data[2] << 8, size - 3);
		FmSketch *sketch = build(data + 3, Min(program, MAX_PROGRAM));
		StringInfoData out;
		FmError error = {0};
		char *copy;

		write_sketch(sketch, &out);
		FUZZ_CHECK(fm_sketch_read(out.data, out.len, &error) != NULL);
		for (size_t at = 3 + program; at + 3 <= size; at += 3)
			out.data[(data[at] | (size_t) data[at + 1] << 8) % out.len] ^= (char) data[at + 2];
		/* a block of just this size, so that a read beyond its end is caught */
		copy = palloc(out.len);
		memcpy(copy, out.data, out.len);
		mend_checksum(copy, out.len);
		check_bytes(copy, out.len);
	}
	arena_reset();
	return 0;
}
