/*
 * The steps of a validation: one feature, its domain, its comparators, the data set. Inside the room only.
 *
 * A step adds reasons, in TFDV's order, or returns false with the error filled in where TFDV gives up.
 */
#ifndef FM_CHECKS_H
#define FM_CHECKS_H

#include "schema/statistics_view.h"
#include "validation/reasons.h"

struct FmSchemaIndex;

typedef struct FmCheck
{
	const Tfmd__Schema *schema;
	struct FmSchemaIndex *index;
	const char *environment;
	const Tfdv__ValidationConfig *config;
	const FmStatisticsView *view;
	const FmStatisticsView *previous; /* NULL: no such statistics; also the next two */
	const FmStatisticsView *serving;
	const FmStatisticsView *previous_version;
	FmError *error;
} FmCheck;

/* -- a schema's features by path (schema_index.c) -- */

typedef struct FmSchemaNode
{
	const Tfmd__Feature *feature;
	const Tfmd__SparseFeature *sparse;
	const Tfmd__WeightedFeature *weighted;
} FmSchemaNode;

extern struct FmSchemaIndex *fm_schema_index(const Tfmd__Schema *schema);

/* What the schema says at a path; all NULL if nothing */
extern FmSchemaNode fm_schema_index_find(const struct FmSchemaIndex *index, const FmPath *path);

/* The shared string domain of a name, or NULL */
extern const Tfmd__StringDomain *fm_schema_index_domain(const struct FmSchemaIndex *index, const char *name);

/* -- a feature of the schema, put right where it contradicts itself (schema_check.c) -- */

typedef struct FmExpected
{
	const Tfmd__Feature *feature;
	Tfmd__FeatureType type;
	bool deprecated; /* on its own account, or because it cannot be put right, or by what the data holds */
	bool derived;	 /* lifecycle stage VALIDATION_DERIVED */
	Tfmd__Feature__DomainInfoCase domain;
	const Tfmd__StringDomain *string_domain; /* own or shared */
	bool has_min_count;
	int64 min_count;
	bool has_min_fraction;
	double min_fraction;
	bool nested_counts; /* value_counts, not value_count */
	int n_counts;
	Tfmd__ValueCount *counts;
	const Tfmd__FixedShape *shape;
} FmExpected;

extern void fm_check_schema_feature(const FmCheck *check, const Tfmd__Feature *feature, FmExpected *expected,
									FmReasons *reasons);

/* Is a value required: presence of 1 or more, in this environment */
extern bool fm_expected_is_required(const FmCheck *check, const FmExpected *expected);

/* -- statistics against it (feature_check.c, domain_check.c, comparator_check.c) -- */

/* *drift: what was measured, NULL if nothing was; *deprecated: the children are not to be looked at */
extern bool fm_check_feature(const FmCheck *check, const FmFeatureView *view, const Tfmd__Feature *feature,
							 FmReasons *reasons, Tfmd__DriftSkewInfo **drift, bool *deprecated);
extern bool fm_check_domain(const FmCheck *check, const FmFeatureView *view, const FmExpected *expected,
							FmReasons *reasons);
extern bool fm_check_comparators(const FmCheck *check, const FmFeatureView *view, const Tfmd__Feature *feature,
								 FmReasons *reasons, Tfmd__DriftSkewInfo **drift);
extern void fm_check_sparse_feature(const FmFeatureView *view, FmReasons *reasons);
extern void fm_check_weighted_feature(const FmFeatureView *view, FmReasons *reasons);
extern bool fm_check_dataset(const FmCheck *check, FmReasons *reasons);

/* Statistics of a feature that TFDV cannot work with; returns false */
extern bool fm_refuse_statistics(const FmCheck *check, const FmFeatureView *view, const char *why);

#endif
