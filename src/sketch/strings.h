/*
 * What is remembered of the strings of a feature
 *
 * While there are few distinct values: all of them with their counts. Beyond: a counter of distinct values, and the
 * frequent ones by J. Misra, D. Gries, Finding repeated elements (1982), merged as P. Agarwal, G. Cormode, Z. Huang,
 * J. Phillips, Z. Wei, K. Yi, Mergeable summaries (2012): when there are too many counters the count of the 1025th
 * is taken from all, and added to the error.
 *
 * A value longer than FM_MAX_VALUE_BYTES, or one that is not UTF-8, is never kept, only its hash.
 */
#ifndef FM_STRINGS_H
#define FM_STRINGS_H

#include "fm_core.h"
#include "sketch/distinct.h"
#include "sketch/sketch.h"

#define FM_TOP_COUNTERS 2048 /* at most */
#define FM_TOP_KEPT 1024	 /* after a purge */
/* Bytes of values: while all are kept, of many and of few; of the counters beyond that, beside a set of hashes and not */
#define FM_EXACT_BYTES (64 * 1024)
#define FM_EXACT_FEW 1024
#define FM_EXACT_FEW_BYTES (88 * 1024)
#define FM_TOP_BYTES (28 * 1024)
#define FM_TOP_ALONE_BYTES (48 * 1024)

/* classes of values; only plain ones are kept */
typedef enum FmStringClass
{
	FM_STRING_PLAIN,
	FM_STRING_LARGE,
	FM_STRING_INVALID
} FmStringClass;

typedef struct FmCounter
{
	uint64 hash;
	uint64 count;
	uint32 offset; /* into bytes */
	uint32 size : 30;
	uint32 class : 2;
} FmCounter;

typedef struct FmTop
{
	bool by_weight; /* what a purge goes by */
	int num;
	int allocated;
	FmCounter *counters;
	int128 *weights; /* NULL without weights */
	uint32 mask;
	uint64 *slots; /* low half: index + 1; high half: of the hash */
	char *bytes;
	uint32 num_bytes;
	uint32 bytes_allocated;
	uint64 error;
	int128 weight_error;
} FmTop;

typedef struct FmStrings
{
	bool weighted;
	bool complete;
	int max_exact;

	/* exact always */
	uint64 num_values;
	uint64 num_bytes;
	uint64 min_bytes;
	uint64 max_bytes;
	uint64 num_class[3];
	int128 weight;
	int128 weight_bytes;
	int128 weight_class[3];

	bool exact;			  /* top has all values */
	FmTop *top;			  /* by count; NULL if not complete */
	FmTop *weighted_top;  /* when not exact: by weight */
	FmDistinct *distinct; /* when not exact */
} FmStrings;

extern FmStrings *fm_strings_new(bool weighted, bool complete, int max_exact);
extern void fm_strings_add(FmStrings *strings, const char *value, size_t size, FmStringClass class, int128 weight);

/* The same for valid values of which nothing but the lengths is remembered: not complete, without weights */
extern void fm_strings_add_lengths(FmStrings *strings, const uint64 *sizes, int num);
extern void fm_strings_merge(FmStrings *strings, const FmStrings *other);
extern void fm_strings_set_max_exact(FmStrings *strings, int max_exact);
extern double fm_strings_distinct(FmStrings *strings, bool *exact);

extern FmTop *fm_top_new(bool weighted, bool by_weight);

/* Room for so many counters in all */
extern void fm_top_reserve(FmTop *top, int num);
extern void fm_top_add(FmTop *top, uint64 hash, const char *value, uint32 size, FmStringClass class, uint64 count,
					   int128 weight);

/* Indexes of the counters in the order of their bytes (class, value, hash), the one that bytes are written in */
extern int *fm_top_sorted(const FmTop *top);

#endif
