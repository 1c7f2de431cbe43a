/*
 * Slices: which rows belong to which data set of a sliced list of statistics
 *
 * TFDV's experimental_slice_functions (get_feature_value_slicer) and experimental_slice_sqls, as one lateral subquery
 * that gives the names of a row's slices. GROUP BY does the rest.
 */
#ifndef FM_SLICES_H
#define FM_SLICES_H

#include "source.h"
#include "statistics.h"

/* The data set of all rows that stands for a slicing query that does not compile */
#define FM_INVALID_SLICE "Invalid Slice"

/*
 * Text of a subquery, to be joined LATERAL to the source, with one column of type text: a row for each slice that a
 * row of the source is in, "All Examples" among them. NULL when the options ask for no slices. SPI must be connected.
 * Errors: 22023 both kinds of slices or not as documented, 22P02 not JSON, 22023 a value that is no integer for an
 * integer feature.
 */
extern char *fm_slices_subquery(const FmRowSource *source, const FmStatisticsOptions *options);

/* A float as Python prints it, which names slices and buckets: 29.0, 0.92, 1e+16, inf, nan */
extern char *fm_python_float(double value);

#endif
