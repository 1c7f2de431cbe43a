/*
 * What a schema says that changes how a feature is described
 */
#ifndef FM_SCHEMA_HINTS_H
#define FM_SCHEMA_HINTS_H

#include "fm_core.h"
#include "schema.pb-c.h"

typedef struct FmSchemaHints
{
	bool is_categorical_int; /* described by its values */
	bool is_not_categorical; /* text whose values are not counted */
	bool is_image;			 /* bytes, described by their lengths */
} FmSchemaHints;

/* Of the feature at a path of steps; all false if the schema is NULL or has no such feature */
extern FmSchemaHints fm_schema_hints(const Tfmd__Schema *schema, const char *const *steps, int num_steps);

/* Is a feature categorical for TFDV's lift and mutual information: bytes, and numbers whose domain says so */
extern bool fm_is_categorical_feature(const Tfmd__Feature *feature);

/* Has a feature one value at most in each example, by its shape or value count */
extern bool fm_is_univalent_feature(const Tfmd__Feature *feature);

#endif
