/*
 * Quantiles of a stream: a KLL sketch
 *
 * Z. Karnin, K. Lang, E. Liberty, Optimal quantile approximation in streams (2016); compactions come in pairs with
 * opposite coins, which halves the variance; weighted items after N. Ivkin, E. Liberty, K. Lang, Z. Karnin,
 * V. Braverman, Streaming quantiles algorithms with small space and update time (2019).
 *
 * Level h holds values that stand for 2^h values each. A level that is full is sorted, every other value moves up,
 * the rest is dropped. Values come in batches, which skip the lowest levels once these are small; a long stream is
 * thinned to one value in 2^shift by the caller's shift before anything is sorted (KLL's sampler). With weights an item
 * keeps its weight, level h holds those in [2^h, 2^(h+1)) (times 2^-48), and of a pair one stays, by a coin in
 * proportion to the weights, with both weights.
 *
 * Coins come from a counter, so a sketch does the same each time. Measured rank error: docs/sketches.md.
 */
#ifndef FM_QUANTILES_H
#define FM_QUANTILES_H

#include "fm_core.h"

#define FM_QUANTILES_K 2048			 /* capacity of the highest level */
#define FM_WEIGHTED_QUANTILES_K 1024 /* items with a weight are twice as big */
#define FM_QUANTILES_MAX_LEVELS 112
#define FM_QUANTILES_STAGE 2048
#define FM_QUANTILES_MAX_SHIFT 10

typedef struct FmLevel
{
	int num;
	int allocated;
	int64 *keys;	 /* ascending; in a weighted sketch in any order */
	double *weights; /* NULL without weights */
} FmLevel;

typedef struct FmQuantiles
{
	bool weighted;
	int num_levels;
	FmLevel *levels;
	uint64 coins;	 /* tossed so far */
	uint64 pairs[2]; /* per level: a bit that says that the next coin is given, and the bit it is */
	int num_staged;
	int stage_level;
	int start;	  /* of the last stage that was thinned */
	int mirror;	  /* to one key in so many; 0: the next start is drawn */
	bool greater; /* which of two neighbours the sampler took last */
	int64 *stage; /* values that wait for their level to be sorted */
} FmQuantiles;

extern FmQuantiles *fm_quantiles_new(bool weighted);

/* Adds values; one in 2^shift is kept. num must be a multiple of 2^shift. */
extern void fm_quantiles_add(FmQuantiles *quantiles, const int64 *keys, int num, int shift);

/* Adds values that occur so many times each */
extern void fm_quantiles_add_counted(FmQuantiles *quantiles, const int64 *keys, const uint64 *counts, int num);

/* Adds a value with its weight to a weighted sketch; what is not above 0 is left out */
extern void fm_quantiles_add_weighted(FmQuantiles *quantiles, int64 key, double weight);
extern void fm_quantiles_merge(FmQuantiles *quantiles, const FmQuantiles *other);

/* Sorts in what is staged */
extern void fm_quantiles_flush(FmQuantiles *quantiles);

/* Appends to a level, for the reader of bytes */
extern void fm_quantiles_restore_level(FmQuantiles *quantiles, int level, int num);

extern void fm_sort_keys(int64 *keys, int num);

/* All items in ascending order, equal keys merged; returns how many. The arrays are palloc'd. */
extern int fm_quantiles_entries(FmQuantiles *quantiles, int64 **keys, double **weights);

#endif
