/*
 * The sketch as the room itself sees it
 */
#ifndef FM_SKETCH_CORE_H
#define FM_SKETCH_CORE_H

#include "sketch/numbers.h"
#include "sketch/sketch.h"
#include "sketch/strings.h"

#define FM_MAX_LIST_LEVELS 16
#define FM_MAX_PATH_STEPS 64
#define FM_MAX_FEATURES 100000 /* of a sketch; a jsonb column with more different keys is not a struct */
#define FM_MAX_NAME_BYTES 65535

/* What a feature is fed with */
typedef enum FmSource
{
	FM_SOURCE_INT = FM_INT,
	FM_SOURCE_FLOAT = FM_FLOAT,
	FM_SOURCE_STRING = FM_STRING,
	FM_SOURCE_BYTES = FM_BYTES,
	FM_SOURCE_STRUCT = FM_STRUCT,
	FM_SOURCE_JSON, /* what comes decides */
	FM_SOURCES
} FmSource;

/*
 * A level of lists. What stands at level l is an element of a list of level l; level 0 is the column itself, or a
 * member of a struct. Values may stand at different levels (jsonb; arrays of PostgreSQL have no fixed depth): one
 * that stands above the deepest level counts as a list of one value in all levels below it.
 */
typedef struct FmListLevel
{
	uint64 num_scalars; /* values that stand here */
	uint64 num_nulls;	/* nulls that stand here, l > 0 */
	uint64 num_lists;	/* lists whose elements stand here, l > 0 */
	uint64 tot_elements;
	int128 weight_scalars;
	int128 weight_nulls;
	int128 weight_lists;
	int128 weight_elements;
	FmNumbers *lengths; /* of the lists */
} FmListLevel;

struct FmFeature
{
	FmSketch *sketch;
	FmFeature *parent;
	char *name;
	int position; /* order among its brothers, then by name */
	FmSource source;
	FmLogicalType logical_type;
	bool mixed_integers; /* a JSON number that is not an integer was seen */

	int num_levels; /* used entries of levels */
	FmListLevel *levels;
	FmNumbers *row_lengths; /* innermost values per example; NULL while there is at most one level of lists */

	FmNumbers *numbers; /* NULL if it has none */
	FmStrings *strings;

	int num_children;
	int children_allocated;
	FmFeature **children; /* in their order */
};

struct FmSketch
{
	bool weighted;
	int keep;
	bool is_part; /* of what a parallel plan reads; not kept in bytes */
	int max_exact;
	uint64 num_examples;
	int128 weight_examples;
	int128 weight;	  /* of the example that is being added */
	int num_features; /* in the whole tree */
	FmFeature root;	  /* its children are the columns */
};

#define fm_sketch_complete(sketch) (((sketch)->keep & FM_KEEP_DISTRIBUTION) != 0)

extern FmFeature *fm_feature_find_child(FmFeature *parent, const char *name, size_t size);
extern FmFeature *fm_feature_add_child(FmFeature *parent, const char *name, size_t size, int position, FmSource source,
									   FmLogicalType logical_type);
extern FmListLevel *fm_feature_level(FmFeature *feature, int level);

/* What may stand at a level; the fm_add functions of sketch.h are for level 0 */
extern void fm_feature_add_list(FmFeature *feature, int level, uint64 length);
extern void fm_feature_add_null(FmFeature *feature, int level);
extern void fm_feature_end_lists(FmFeature *feature, uint64 num_values, int num_levels, int known_levels);
extern void fm_feature_add_struct(FmFeature *feature, int level);
extern FmNumbers *fm_feature_make_numbers(FmFeature *feature);
extern FmStrings *fm_feature_make_strings(FmFeature *feature);
extern void fm_feature_add_string(FmFeature *feature, int level, const char *value, size_t size, bool check_utf8);
extern void fm_feature_add_infinity(FmFeature *feature, int level, bool positive);
extern void fm_sketch_set_max_exact(FmSketch *sketch, int max_exact);

static inline void
fm_feature_count_scalar(FmFeature *feature, int level)
{
	FmListLevel *l = level < feature->num_levels ? &feature->levels[level] : fm_feature_level(feature, level);

	l->num_scalars++;
	if (feature->sketch->weighted)
		l->weight_scalars += feature->sketch->weight;
}

static inline void
fm_feature_add_int(FmFeature *feature, int level, int64 value)
{
	fm_feature_count_scalar(feature, level);
	fm_numbers_add_key(feature->numbers, value, feature->sketch->weight);
}

static inline void
fm_feature_add_double(FmFeature *feature, int level, double value)
{
	fm_feature_count_scalar(feature, level);
	fm_numbers_add_double(feature->numbers, value, feature->sketch->weight);
}

#endif
