/*
 * Changing a schema by hand, one expectation at a time; comparing and merging two schemas
 *
 * Every function changes the schema it is given, which the caller has unpacked for it, or returns false with *error
 * filled in: 42704 (undefined_object) for a feature that does not exist, with the nearest path as hint; 22023
 * (invalid_parameter_value) for a value that makes no sense.
 */
#ifndef FM_SCHEMA_EDIT_H
#define FM_SCHEMA_EDIT_H

#include "schema/schema.h"

/*
 * domain: the name of a shared string domain of the schema, or one member of domain_info in text format
 * ("int_domain { min: 0 }"). NULL takes the domain away.
 */
extern bool fm_schema_set_domain(Tfmd__Schema *schema, const FmPath *path, const char *domain, FmError *error);

/* The domain given as a Feature of which only a member of domain_info is set */
extern bool fm_schema_set_domain_message(Tfmd__Schema *schema, const FmPath *path, Tfmd__Feature *holder,
										 FmError *error);

/* The listed values become the feature's own string domain */
extern bool fm_schema_set_domain_values(Tfmd__Schema *schema, const FmPath *path, char **values, int n_values,
										FmError *error);

/*
 * A Feature of which only the domain is set, a shared one resolved to string_domain; NULL if the feature has none (then
 * error is not filled in)
 */
extern Tfmd__Feature *fm_schema_get_domain(const Tfmd__Schema *schema, const FmPath *path, FmError *error);

/* NULL for a bound that is not wanted; all NULL takes the constraint away */
extern bool fm_schema_set_presence(Tfmd__Schema *schema, const FmPath *path, const double *min_fraction,
								   const int64 *min_count, FmError *error);
extern bool fm_schema_set_value_count(Tfmd__Schema *schema, const FmPath *path, const int64 *min, const int64 *max,
									  FmError *error);
extern bool fm_schema_set_unique(Tfmd__Schema *schema, const FmPath *path, const int64 *min, const int64 *max,
								 FmError *error);

/* Says whether the feature is expected in an environment, which has to be one of the schema's default environments */
extern bool fm_schema_set_environment(Tfmd__Schema *schema, const FmPath *path, const char *environment, bool present,
									  FmError *error);

/* Adds a default environment, or with present false takes it away, from the features' lists too */
extern bool fm_schema_set_default_environment(Tfmd__Schema *schema, const char *environment, bool present,
											  FmError *error);

/*
 * distance: "infinity_norm", "jensen_shannon_divergence" or "normalized_abs_difference"; NULL chooses by the feature's
 * type: infinity_norm for text and what is categorical, jensen_shannon_divergence for numbers. threshold NULL takes the
 * comparator away.
 */
extern bool fm_schema_set_threshold(Tfmd__Schema *schema, const FmPath *path, bool drift, const double *threshold,
									const char *distance, FmError *error);

/* Takes away a feature, sparse feature or weighted feature, and a shared domain that only it used */
extern bool fm_schema_drop_feature(Tfmd__Schema *schema, const FmPath *path, FmError *error);

/* Changes the last step of a feature's path, wherever the schema mentions it */
extern bool fm_schema_rename_feature(Tfmd__Schema *schema, const FmPath *path, const char *name, FmError *error);

/* Does the member of domain_info fit the feature's type? (TFDV's AllowedFeatureTypes) */
extern bool fm_domain_allows_type(const Tfmd__Feature *feature);

/*
 * Puts a feature right where it contradicts itself, as validation takes it: bounds the wrong way round, a domain that does
 * not fit its type or does not exist. What cannot be put right (no name, no type) is deprecated. (update.c)
 */
extern void fm_schema_mend_feature(const Tfmd__Schema *schema, Tfmd__Feature *feature);

/*
 * Merges b into a, so that what conforms to either conforms to the result. Features whose types differ are an error
 * (42804, datatype_mismatch).
 */
extern bool fm_schema_merge(Tfmd__Schema *a, const Tfmd__Schema *b, FmError *error);

/* One difference between two schemas */
typedef struct FmSchemaChange
{
	char *path;			/* serialised; "" for the schema itself */
	const char *change; /* what changed: "added", "removed", "type", "presence", "domain", ... */
	char *from;			/* NULL: nothing there */
	char *to;
	bool breaks_readers; /* does who relies on the first schema meet something new? */
} FmSchemaChange;

extern FmSchemaChange *fm_schema_diff(const Tfmd__Schema *a, const Tfmd__Schema *b, int *n_changes);

#endif
