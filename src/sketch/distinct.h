/*
 * How many different values: hashes while there are few, then HyperLogLog
 *
 * Hashes are first kept as they come, repeated ones too: a value costs a copy, and what ends as HyperLogLog never was a hash
 * table. When there is no room for more they become a table, if they are few different ones.
 *
 * S. Heule, M. Nunkesser, A. Hall, HyperLogLog in practice (2013), for the 64-bit hash and the small set first;
 * O. Ertl, New cardinality estimation algorithms for HyperLogLog sketches (2017), for the estimator, which has no
 * bias at any count. 2^14 registers: standard error 1.04 / sqrt(2^14) = 0.8 %.
 *
 * Only the 40 highest bits of a hash are looked at, in the set too. So what a counter says depends on nothing but
 * the set of values: any split and order of the rows gives the same bytes. Two of 16,383 values have the same 40 bits
 * once in 8,000 sets, then the count is one too small.
 */
#ifndef FM_DISTINCT_H
#define FM_DISTINCT_H

#include "fm_core.h"

#define FM_HLL_BITS 14
#define FM_HLL_REGISTERS (1 << FM_HLL_BITS)
#define FM_HASH_BITS 40
#define FM_HLL_RANK_BITS (FM_HASH_BITS - FM_HLL_BITS)
#define FM_DISTINCT_EXACT 16383

typedef struct FmDistinct
{
	int limit;		  /* so many values are counted exactly; 0: registers from the start */
	int num_listed;	  /* hashes in the list */
	int num_sorted;	  /* the first of them, ascending and different */
	int room;		  /* of the list; 0: there is no list (any more) */
	uint64 *list;	  /* hashes as they came */
	int num_hashes;	  /* in the table */
	uint32 mask;	  /* slots - 1 */
	uint64 *slots;	  /* the table: hash + 1, 0 is free; NULL: none */
	uint8 *registers; /* NULL: exact */
} FmDistinct;

extern FmDistinct *fm_distinct_new(int limit);
extern void fm_distinct_add_slowly(FmDistinct *distinct, uint64 hash40);
extern void fm_distinct_use_registers(FmDistinct *distinct);
extern void fm_distinct_merge(FmDistinct *distinct, const FmDistinct *other);

/* Is the number of different values exact? It is known only when this has been asked. */
extern bool fm_distinct_settle(FmDistinct *distinct);
extern double fm_distinct_estimate(FmDistinct *distinct);

/* The hashes, ascending, of a counter that is exact; returns how many. The array is palloc'd. */
extern int fm_distinct_hashes(FmDistinct *distinct, uint64 **hashes);

static inline void
fm_distinct_add_to_registers(uint8 *registers, uint64 hash)
{
	uint32 index = hash >> (64 - FM_HLL_BITS);
	/* the rank is 1 + the number of leading zeros in the bits below; a marker bit ends the search */
	uint64 rest = (hash << FM_HLL_BITS) | (UINT64CONST(1) << (63 - FM_HLL_RANK_BITS));
	uint8 rank = __builtin_clzll(rest) + 1;

	if (registers[index] < rank)
		registers[index] = rank;
}

static inline void
fm_distinct_add(FmDistinct *distinct, uint64 hash)
{
	if (distinct->registers != NULL)
		fm_distinct_add_to_registers(distinct->registers, hash);
	else if (likely(distinct->num_listed < distinct->room))
		distinct->list[distinct->num_listed++] = hash >> (64 - FM_HASH_BITS);
	else
		fm_distinct_add_slowly(distinct, hash >> (64 - FM_HASH_BITS));
}

/* ---- hashes: the same on every machine, for they are stored */

static inline uint64
fm_hash_mix(uint64 a, uint64 b)
{
	uint128 product = (uint128) a * b;

	return (uint64) product ^ (uint64) (product >> 64);
}

static inline uint64
fm_hash_int64(uint64 value)
{
	/* S. Vigna's splitmix64: both ends of the key reach all bits, also when one half of it never changes (small doubles) */
	value += UINT64CONST(0x9e3779b97f4a7c15);
	value = (value ^ (value >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static inline uint64
fm_load64(const char *p)
{
	uint64 value;

	memcpy(&value, p, 8);
#ifdef WORDS_BIGENDIAN
	value = __builtin_bswap64(value);
#endif
	return value;
}

static inline uint64
fm_load32(const char *p)
{
	uint32 value;

	memcpy(&value, p, 4);
#ifdef WORDS_BIGENDIAN
	value = __builtin_bswap32(value);
#endif
	return value;
}

/*
 * Bytes, sixteen at a time, folded through a 64 x 64 bit product (the construction of Wang Yi's wyhash)
 */
static inline uint64
fm_hash_bytes(const char *p, size_t size)
{
	const uint64 k1 = UINT64CONST(0xa0761d6478bd642f);
	const uint64 k2 = UINT64CONST(0xe7037ed1a0b428db);
	uint64 state = k2;
	uint64 a = 0;
	uint64 b = 0;

	if (size > 16)
	{
		size_t left = size;

		while (left > 16)
		{
			state = fm_hash_mix(fm_load64(p) ^ k1, fm_load64(p + 8) ^ state);
			p += 16;
			left -= 16;
		}
		/* the last sixteen, some of them for the second time */
		a = fm_load64(p + left - 16);
		b = fm_load64(p + left - 8);
	}
	else if (size >= 8)
	{
		a = fm_load64(p);
		b = fm_load64(p + size - 8);
	}
	else if (size >= 4)
	{
		a = fm_load32(p);
		b = fm_load32(p + size - 4);
	}
	else if (size > 0)
		a = ((uint64) (uint8) p[0] << 16) | ((uint64) (uint8) p[size >> 1] << 8) | (uint8) p[size - 1];
	return fm_hash_mix(k1 ^ size, fm_hash_mix(a ^ k1, b ^ state));
}

#endif
