/*
 * Columns that are fed together, a row at a time
 *
 * Values of a fixed size wait here until there are many of them, so that a row costs a copy of each; what is done with
 * values is done with a thousand at a time.
 */
#ifndef FM_SKETCH_COLUMNS_H
#define FM_SKETCH_COLUMNS_H

#include "fm_compat.h"
#include "sketch/sketch_value.h"

typedef struct FmColumns FmColumns;

/* Columns of one sketch; call it in the sketch's memory context */
extern FmColumns *fm_columns_open(int num, FmColumn *const *columns);

/*
 * Adds the values of a row, one for each column, to the example that fm_sketch_add_example began. Call it in a context
 * that is reset for each row; context is the sketch's.
 */
extern void fm_columns_add(FmColumns *columns, const NullableDatum *values, MemoryContext context);

/* What waits goes to the sketch; without it the sketch does not have all. In the sketch's context. */
extern void fm_columns_flush(FmColumns *columns);

#endif
