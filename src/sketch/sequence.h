/*
 * Ascending sequences of whole numbers as bytes
 *
 * Either each step to the next number in groups of 7 bits, or, where that is shorter, the code of P. Elias, Efficient
 * storage and retrieval by content and address of static files (1974), and R. Fano: the lowest bits of each number as
 * they are, the bits above in unary. It takes 2 + log2(greatest / how many) bits a number at most, whatever the numbers.
 */
#ifndef FM_SEQUENCE_H
#define FM_SEQUENCE_H

#include "fm_core.h"

/* Writes at least one number; the first must be 0 */
extern void fm_sequence_write(StringInfo out, const uint64 *numbers, int num);

/* Reads so many numbers and returns how many bytes they took; 0 if the bytes are no such sequence, or too few */
extern size_t fm_sequence_read(const char *data, size_t size, uint64 *numbers, int num, bool strictly);

#endif
