/*
 * A sketch as bytes
 *
 * version, flags, the examples, the tree of features depth first, CRC-32C of all before it (4 bytes, little-endian).
 * Whole numbers are written in groups of 7 bits, lowest first, the high bit says that more follow; signed ones with
 * their sign in the lowest bit; long ascending sequences as sequence.h says. So the form does not depend on the machine,
 * and sketches of the same exact statistics have the same bytes.
 *
 * Version 1, which is read still, had the steps of a sequence between its other parts, and hashes of 48 bits.
 */
#ifndef FM_SKETCH_BYTES_H
#define FM_SKETCH_BYTES_H

#include "fm_core.h"

#include "port/pg_crc32c.h"

#define FM_FORMAT_VERSION 2

#define FM_FLAG_WEIGHTED 1
#define FM_FLAG_DISTRIBUTION 2

#define FM_FEATURE_FRACTIONS 1
#define FM_FEATURE_ROW_LENGTHS 2
#define FM_FEATURE_NUMBERS 4
#define FM_FEATURE_STRINGS 8

static inline pg_crc32c
fm_sketch_checksum(const char *data, size_t size)
{
	pg_crc32c crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, data, size);
	FIN_CRC32C(crc);
	return crc;
}

#endif
