/*
 * The number of values of a feature, for people
 */
#ifndef FM_SHAPE_TEXT_H
#define FM_SHAPE_TEXT_H

#include "schema/schema.h"

/* "[1,inf)": bounds of a value count */
extern char *fm_value_count_text(const Tfmd__ValueCount *count);

/* "shape [2,3]", "value_count [1,inf)", "value_counts [1,1] [0,inf)"; NULL if the schema says nothing */
extern char *fm_shape_text(const Tfmd__Feature *feature);

#endif
