/*
 * Slicing queries: a SELECT over one row whose columns name the slices that the row is in
 */
#ifndef FM_SLICE_SQL_H
#define FM_SLICE_SQL_H

#include "source.h"

/*
 * A slicing query as a SELECT of one text column, for a LATERAL join with the source: SELECT sex, survived WHERE
 * survived = 1 gives sex_male_survived_1. TFDV's spelling SELECT STRUCT(sex, class AS klass) FROM example.sex,
 * example.class is translated. NULL, with a warning, if the text is not one SELECT whose columns have names, or
 * does not compile beside the source. SPI must be connected.
 */
extern char *fm_slice_sql(const FmRowSource *source, const char *sql);

#endif
