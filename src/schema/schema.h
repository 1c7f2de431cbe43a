/*
 * What is expected of data: the room "schema"
 *
 * Works on Tfmd__Schema structs. A feature is addressed by its path: a step for each level of nesting. In SQL a
 * path is written serialised: steps joined by a dot; a step stays as it is if it has none of ( ) . ' and is not
 * empty, or if it is "(...)" without parentheses inside; else it is put in single quotes, inner quotes doubled.
 * (TFDV's Path::Serialize.)
 */
#ifndef FM_SCHEMA_H
#define FM_SCHEMA_H

#include "message/message.h"

#include "anomalies.pb-c.h"
#include "schema.pb-c.h"
#include "statistics.pb-c.h"

/* -- paths (path.c) -- */

typedef struct FmPath
{
	int n_step;
	char **step;
} FmPath;

/* The path of a message; shares its strings */
extern FmPath fm_path_from_message(const Tfmd__Path *message);
extern Tfmd__Path *fm_path_to_message(const FmPath *path);

/* A child's path; shares the strings. parent may be NULL or empty. */
extern FmPath fm_path_child(const FmPath *parent, const char *step);

/* Byte order, step by step: the order in which TFDV sorts features */
extern int fm_path_compare(const FmPath *a, const FmPath *b);
#define fm_path_equal(a, b) (fm_path_compare((a), (b)) == 0)

/* Serialised form; the first appends to a buffer, the second returns a palloc'd string */
extern void fm_path_append(StringInfo out, const FmPath *path);
extern void fm_path_append_step(StringInfo out, const char *step);
extern char *fm_path_serialize(const FmPath *path);

/* Serialised form -> path; false and 22023 (invalid_parameter_value) if it is not one. "" is the path without steps. */
extern bool fm_path_parse(const char *text, FmPath *path, FmError *error);

/* -- features (lookup.c) -- */

/* The feature at a path; NULL if there is none. Children live in struct_domain. */
extern Tfmd__Feature *fm_schema_find_feature(const Tfmd__Schema *schema, const FmPath *path);
extern Tfmd__SparseFeature *fm_schema_find_sparse_feature(const Tfmd__Schema *schema, const FmPath *path);
extern Tfmd__WeightedFeature *fm_schema_find_weighted_feature(const Tfmd__Schema *schema, const FmPath *path);

/* As fm_schema_find_feature, but fills in 42704 (undefined_object) with the nearest path as hint */
extern Tfmd__Feature *fm_schema_need_feature(const Tfmd__Schema *schema, const FmPath *path, FmError *error);

/*
 * Calls visit for each feature, parents before children, in the schema's order. A visit that returns false keeps
 * the walk from going below that feature (a deprecated struct's children are not looked at).
 */
typedef bool (*FmFeatureVisitor)(void *arg, const FmPath *path, Tfmd__Feature *feature);
extern void fm_schema_walk(const Tfmd__Schema *schema, FmFeatureVisitor visit, void *arg);

/* -- lifecycle, environments, presence (lookup.c) -- */

/* PLANNED, ALPHA, DEPRECATED, DEBUG_ONLY and DISABLED features are left alone by validation */
extern bool fm_stage_is_deprecated(Tfmd__LifecycleStage stage);
extern bool fm_feature_is_deprecated(const Tfmd__Feature *feature);
extern bool fm_sparse_feature_is_deprecated(const Tfmd__SparseFeature *feature);
extern bool fm_weighted_feature_is_deprecated(const Tfmd__WeightedFeature *feature);

/* Is the name one of the schema's default environments? (validate_statistics takes no other.) */
extern bool fm_schema_has_environment(const Tfmd__Schema *schema, const char *environment);

/* environment NULL: every feature is in it */
extern bool fm_feature_in_environment(const Tfmd__Schema *schema, const Tfmd__Feature *feature,
									  const char *environment);

/* Must the column exist: not deprecated, min_count or min_fraction above 0, in the environment */
extern bool fm_feature_is_required(const Tfmd__Schema *schema, const Tfmd__Feature *feature, const char *environment);

/* -- domains (lookup.c) -- */

/* Shared domains by name; NULL if there is none */
extern Tfmd__StringDomain *fm_schema_find_string_domain(const Tfmd__Schema *schema, const char *name);
extern Tfmd__IntDomain *fm_schema_find_int_domain(const Tfmd__Schema *schema, const char *name);
extern Tfmd__FloatDomain *fm_schema_find_float_domain(const Tfmd__Schema *schema, const char *name);

/* The string domain of a feature, its own or the shared one it names; NULL if it has none */
extern Tfmd__StringDomain *fm_feature_string_domain(const Tfmd__Schema *schema, const Tfmd__Feature *feature);

/*
 * Is the feature categorical, by the schema: a bool_domain, a string domain that does not say CATEGORICAL_NO, an
 * int_domain or float_domain that says is_categorical
 */
extern bool fm_feature_is_categorical(const Tfmd__Schema *schema, const Tfmd__Feature *feature);

/* Name of the member of domain_info that is set ("int_domain"), "UNSET" if none */
extern const char *fm_feature_domain_name(const Tfmd__Feature *feature);

/* The value of an enum as its name, or NULL */
extern const char *fm_enum_name(const ProtobufCEnumDescriptor *descriptor, int value);

/* -- inference and update (infer.c, update.c) -- */

/*
 * The data set that stands for the whole: the only one, or the one named "All Examples"; NULL and 22023 otherwise
 */
extern Tfmd__DatasetFeatureStatistics *fm_default_dataset(const Tfmd__DatasetFeatureStatisticsList *statistics,
														  FmError *error);

/* TFDV's infer_schema. max_string_domain_size below 0: no limit. NULL and *error filled in if it cannot. */
extern Tfmd__Schema *fm_infer_schema(const Tfmd__DatasetFeatureStatisticsList *statistics, bool infer_feature_shape,
									 int max_string_domain_size, FmError *error);

/*
 * TFDV's update_schema: loosens the schema, in place, until the statistics conform to it. paths: NULL or the only
 * paths to look at (a child is reached only through a listed parent).
 */
extern bool fm_update_schema(Tfmd__Schema *schema, const Tfmd__DatasetFeatureStatisticsList *statistics,
							 const FmPath *paths, int n_paths, int max_string_domain_size, FmError *error);

/*
 * Loosens the schema, in place, by what anomalies say: where the figure that would hold is not in them, the broken bound
 * is taken away (update_anomalies.c)
 */
extern bool fm_update_schema_by_anomalies(Tfmd__Schema *schema, const Tfmd__Anomalies *anomalies, const FmPath *paths,
										  int n_paths, FmError *error);

#endif
