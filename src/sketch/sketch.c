/*
 * Sketches as trees of features: building and merging
 */
#include "fm_core.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "sketch/sketch_core.h"

FmSketch *
fm_sketch_new(bool weighted, int keep, int max_exact_values)
{
	FmSketch *sketch = palloc0(sizeof(FmSketch));

	sketch->weighted = weighted;
	sketch->keep = keep;
	sketch->max_exact = max_exact_values;
	sketch->root.sketch = sketch;
	sketch->root.source = FM_SOURCE_STRUCT;
	sketch->root.name = "";
	return sketch;
}

/* ---- the tree */

static int
compare_places(int position_a, const char *name_a, int position_b, const char *name_b)
{
	if (position_a != position_b)
		return position_a < position_b ? -1 : 1;
	return strcmp(name_a, name_b);
}

/*
 * The child of that name, or NULL. Children with one position (those of jsonb) are in the order of their names.
 */
FmFeature *
fm_feature_find_child(FmFeature *parent, const char *name, size_t size)
{
	int low = 0;
	int high = parent->num_children - 1;

	if (parent->source != FM_SOURCE_JSON)
	{
		for (int i = 0; i < parent->num_children; i++)
		{
			if (strlen(parent->children[i]->name) == size && memcmp(parent->children[i]->name, name, size) == 0)
				return parent->children[i];
		}
		return NULL;
	}
	while (low <= high)
	{
		int middle = low + (high - low) / 2;
		FmFeature *child = parent->children[middle];
		int order = strncmp(child->name, name, size);

		if (order == 0 && child->name[size] != '\0')
			order = 1;
		if (order == 0)
			return child;
		if (order < 0)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return NULL;
}

/*
 * Adds a child where it belongs; the name must be new
 */
FmFeature *
fm_feature_add_child(FmFeature *parent, const char *name, size_t size, int position, FmSource source,
					 FmLogicalType logical_type)
{
	FmSketch *sketch = parent->sketch;
	FmFeature *child = palloc0(sizeof(FmFeature));
	int at;

	child->sketch = sketch;
	child->parent = parent;
	child->name = palloc(size + 1);
	memcpy(child->name, name, size);
	child->name[size] = '\0';
	child->position = position;
	child->source = source;
	child->logical_type = logical_type;
	child->num_levels = 1;
	child->levels = palloc0(sizeof(FmListLevel));
	if (source == FM_SOURCE_INT || source == FM_SOURCE_FLOAT)
		fm_feature_make_numbers(child);
	else if (source == FM_SOURCE_STRING || source == FM_SOURCE_BYTES)
		fm_feature_make_strings(child);

	if (parent->num_children == parent->children_allocated)
	{
		parent->children_allocated = parent->children_allocated == 0 ? 8 : parent->children_allocated * 2;
		parent->children = parent->children == NULL
							   ? palloc(sizeof(FmFeature *) * parent->children_allocated)
							   : repalloc(parent->children, sizeof(FmFeature *) * parent->children_allocated);
	}
	at = parent->num_children++;
	while (at > 0 && compare_places(parent->children[at - 1]->position, parent->children[at - 1]->name, position,
									child->name) > 0)
	{
		parent->children[at] = parent->children[at - 1];
		at--;
	}
	parent->children[at] = child;
	sketch->num_features++;
	return child;
}

FmFeature *
fm_sketch_add_feature(FmSketch *sketch, const char *name, int position, FmKind kind, FmLogicalType logical_type)
{
	return fm_feature_add_child(&sketch->root, name, strlen(name), position, (FmSource) kind, logical_type);
}

FmNumbers *
fm_feature_make_numbers(FmFeature *feature)
{
	FmSketch *sketch = feature->sketch;

	if (feature->numbers == NULL)
	{
		feature->numbers = fm_numbers_new(feature->source != FM_SOURCE_INT, sketch->weighted,
										  fm_sketch_complete(sketch), sketch->max_exact);
		feature->numbers->is_part = sketch->is_part;
	}
	return feature->numbers;
}

FmStrings *
fm_feature_make_strings(FmFeature *feature)
{
	FmSketch *sketch = feature->sketch;

	if (feature->strings == NULL)
		feature->strings = fm_strings_new(sketch->weighted, fm_sketch_complete(sketch), sketch->max_exact);
	return feature->strings;
}

/*
 * The entry of a level, made if need be
 */
FmListLevel *
fm_feature_level(FmFeature *feature, int level)
{
	Assert(level <= FM_MAX_LIST_LEVELS);
	if (level >= feature->num_levels)
	{
		FmListLevel *levels = palloc0(sizeof(FmListLevel) * (level + 1));

		memcpy(levels, feature->levels, sizeof(FmListLevel) * feature->num_levels);
		pfree(feature->levels);
		feature->levels = levels;
		feature->num_levels = level + 1;
	}
	return &feature->levels[level];
}

/* ---- adding */

bool
fm_sketch_add_example(FmSketch *sketch, double weight, FmError *error)
{
	sketch->num_examples++;
	if (!sketch->weighted)
		return true;
	if (!(fabs(weight) < (double) (UINT64CONST(1) << 47)))
		return fm_fail(error, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "weight %g is out of range", weight);
	/* the scaled weight is rounded to an integer; a double beyond 2^53 is one */
	sketch->weight = (int128) rint(weight * (double) (UINT64CONST(1) << FM_WEIGHT_BITS));
	sketch->weight_examples += sketch->weight;
	return true;
}

void
fm_add_int(FmFeature *feature, int64 value)
{
	fm_feature_add_int(feature, 0, value);
}

void
fm_add_float(FmFeature *feature, double value)
{
	fm_feature_add_double(feature, 0, value);
}

void
fm_add_string(FmFeature *feature, const char *value, size_t size, bool check_utf8)
{
	fm_feature_add_string(feature, 0, value, size, check_utf8);
}

void
fm_add_infinity(FmFeature *feature, bool positive)
{
	fm_feature_add_infinity(feature, 0, positive);
}

void
fm_feature_add_infinity(FmFeature *feature, int level, bool positive)
{
	fm_feature_count_scalar(feature, level);
	fm_numbers_add_infinity(feature->numbers, positive, feature->sketch->weight);
}

void
fm_feature_add_string(FmFeature *feature, int level, const char *value, size_t size, bool check_utf8)
{
	FmStringClass class = FM_STRING_PLAIN;

	/* a zero byte is valid UTF-8, but ends the C strings of a message: counted as bytes */
	if (check_utf8 &&
		(memchr(value, '\0', size) != NULL || pg_encoding_verifymbstr(PG_UTF8, value, (int) size) != (int) size))
		class = FM_STRING_INVALID;
	fm_feature_count_scalar(feature, level);
	fm_strings_add(feature->strings, value, size, class, feature->sketch->weight);
}

void
fm_feature_add_struct(FmFeature *feature, int level)
{
	fm_feature_count_scalar(feature, level);
}

/*
 * A null inside a list; as a column or member (level 0) a null is just missing, and nothing is added
 */
void
fm_feature_add_null(FmFeature *feature, int level)
{
	FmListLevel *l = fm_feature_level(feature, level);

	l->num_nulls++;
	l->weight_nulls += feature->sketch->weight;
}

/*
 * A list whose elements stand at that level (1 is the outermost)
 */
void
fm_feature_add_list(FmFeature *feature, int level, uint64 length)
{
	FmListLevel *l = fm_feature_level(feature, level);
	FmSketch *sketch = feature->sketch;

	l->num_lists++;
	l->tot_elements += length;
	l->weight_lists += sketch->weight;
	l->weight_elements += sketch->weight * (int128) length;
	if (l->lengths == NULL)
		l->lengths = fm_numbers_new(false, false, fm_sketch_complete(sketch), sketch->max_exact);
	fm_numbers_add_key(l->lengths, (int64) length, 0);
}

static void
add_numbers(FmNumbers **numbers, FmNumbers *other, FmSketch *sketch)
{
	if (other == NULL)
		return;
	if (*numbers == NULL)
		*numbers = fm_numbers_new(other->is_float, other->weighted, other->complete, sketch->max_exact);
	fm_numbers_merge(*numbers, other);
}

/*
 * Are there lists of the first levels, and no value in any of them? Then their nulls are no values: once it shows that
 * lists are deeper they are lists that are missing.
 */
static bool
only_nulls(const FmFeature *feature, int num_levels)
{
	for (int i = 0; i <= num_levels; i++)
	{
		if (feature->levels[i].num_scalars > 0)
			return false;
	}
	return num_levels > 0;
}

static void
add_empty_rows(FmNumbers **numbers, uint64 num, FmSketch *sketch)
{
	if (*numbers == NULL)
		*numbers = fm_numbers_new(false, false, fm_sketch_complete(sketch), sketch->max_exact);
	fm_numbers_add_counted(*numbers, 0, num);
}

/*
 * All lists of an example have been added: num_values innermost values in num_levels levels, where known_levels were seen
 * before. While there is one level the lengths of level 1 say it all.
 */
void
fm_feature_end_lists(FmFeature *feature, uint64 num_values, int num_levels, int known_levels)
{
	FmSketch *sketch = feature->sketch;

	if (num_levels > known_levels && only_nulls(feature, known_levels))
	{
		feature->row_lengths = NULL;
		add_empty_rows(&feature->row_lengths, feature->levels[1].num_lists - 1, sketch);
	}
	else if (feature->row_lengths == NULL)
	{
		FmNumbers *first = feature->levels[1].lengths;

		if (num_levels < 2)
			return;
		/* so far this example's outer list is the only one that is not flat */
		feature->row_lengths = fm_numbers_new(false, false, fm_sketch_complete(sketch), sketch->max_exact);
		if (first->num_batch > 0)
		{
			int64 last = first->batch[--first->num_batch];

			add_numbers(&feature->row_lengths, first, sketch);
			fm_numbers_add_key(first, last, 0);
		}
	}
	fm_numbers_add_key(feature->row_lengths, (int64) num_values, 0);
}

/* ---- merging */

void
fm_sketch_set_max_exact(FmSketch *sketch, int max_exact)
{
	FmFeature *feature = &sketch->root;
	FmFeature **stack;
	int num = 1;

	if (max_exact == sketch->max_exact)
		return;
	sketch->max_exact = max_exact;
	stack = palloc(sizeof(FmFeature *) * (sketch->num_features + 1));
	stack[0] = feature;
	while (num > 0)
	{
		feature = stack[--num];
		if (feature->numbers != NULL)
			fm_numbers_set_max_exact(feature->numbers, max_exact);
		if (feature->strings != NULL)
			fm_strings_set_max_exact(feature->strings, max_exact);
		if (feature->row_lengths != NULL)
			fm_numbers_set_max_exact(feature->row_lengths, max_exact);
		for (int level = 1; level < feature->num_levels; level++)
		{
			if (feature->levels[level].lengths != NULL)
				fm_numbers_set_max_exact(feature->levels[level].lengths, max_exact);
		}
		for (int i = 0; i < feature->num_children; i++)
			stack[num++] = feature->children[i];
	}
	pfree(stack);
}

static void
settle_numbers(FmNumbers *numbers)
{
	if (numbers == NULL)
		return;
	fm_numbers_flush(numbers);
	if (numbers->quantiles != NULL)
		fm_quantiles_flush(numbers->quantiles);
	if (numbers->distinct != NULL)
		fm_distinct_settle(numbers->distinct);
}

static void
settle_feature(FmFeature *feature)
{
	settle_numbers(feature->numbers);
	settle_numbers(feature->row_lengths);
	for (int level = 1; level < feature->num_levels; level++)
		settle_numbers(feature->levels[level].lengths);
	if (feature->strings != NULL && feature->strings->distinct != NULL)
		fm_distinct_settle(feature->strings->distinct);
	for (int i = 0; i < feature->num_children; i++)
		settle_feature(feature->children[i]);
}

void
fm_sketch_settle(FmSketch *sketch)
{
	settle_feature(&sketch->root);
}

static const char *const source_names[] = {"INT", "FLOAT", "STRING", "BYTES", "STRUCT", "JSON"};

/*
 * A child moves to the place that the lower of two positions gives it
 */
static void
move_child(FmFeature *parent, FmFeature *child, int position)
{
	int at = 0;

	while (parent->children[at] != child)
		at++;
	child->position = position;
	for (; at > 0; at--)
	{
		FmFeature *before = parent->children[at - 1];

		if (compare_places(before->position, before->name, position, child->name) < 0)
			break;
		parent->children[at] = before;
	}
	parent->children[at] = child;
}

static bool merge_children(FmFeature *parent, FmFeature *other, int offset, FmError *error);

/*
 * The numbers of innermost values of a feature's examples, where the innermost of num_levels levels is meant
 */
static void
add_row_lengths(FmNumbers **lengths, FmFeature *feature, int num_levels, FmSketch *sketch)
{
	if (feature->num_levels < 2)
		return;
	if (feature->num_levels - 1 < num_levels && only_nulls(feature, feature->num_levels - 1))
		add_empty_rows(lengths, feature->levels[1].num_lists, sketch);
	else
		add_numbers(lengths, feature->row_lengths != NULL ? feature->row_lengths : feature->levels[1].lengths, sketch);
}

/*
 * What was seen of "other" joins what was seen of "feature"
 */
static bool
merge_feature(FmFeature *feature, FmFeature *other, FmError *error)
{
	FmSketch *sketch = feature->sketch;

	CHECK_FOR_INTERRUPTS();
	check_stack_depth();
	if (feature->source != other->source || feature->logical_type != other->logical_type)
	{
		fm_fail(error, ERRCODE_DATATYPE_MISMATCH, "cannot merge sketches of features of different types");
		fm_fail_detail(error, "Feature \"%s\" is of type %s in one and %s in the other%s.", feature->name,
					   source_names[feature->source], source_names[other->source],
					   feature->source == other->source ? ", with another unit" : "");
		return false;
	}
	feature->mixed_integers |= other->mixed_integers;
	if (feature->row_lengths != NULL || other->row_lengths != NULL)
	{
		int num_levels = Max(feature->num_levels, other->num_levels) - 1;

		if (feature->row_lengths == NULL || feature->num_levels - 1 < num_levels)
		{
			FmNumbers *lengths = NULL;

			add_row_lengths(&lengths, feature, num_levels, sketch);
			feature->row_lengths = lengths;
		}
		add_row_lengths(&feature->row_lengths, other, num_levels, sketch);
	}
	for (int i = 0; i < other->num_levels; i++)
	{
		FmListLevel *to = fm_feature_level(feature, i);
		FmListLevel *from = &other->levels[i];

		to->num_scalars += from->num_scalars;
		to->num_nulls += from->num_nulls;
		to->num_lists += from->num_lists;
		to->tot_elements += from->tot_elements;
		to->weight_scalars += from->weight_scalars;
		to->weight_nulls += from->weight_nulls;
		to->weight_lists += from->weight_lists;
		to->weight_elements += from->weight_elements;
		add_numbers(&to->lengths, from->lengths, sketch);
	}
	if (other->numbers != NULL)
		fm_numbers_merge(fm_feature_make_numbers(feature), other->numbers);
	if (other->strings != NULL)
		fm_strings_merge(fm_feature_make_strings(feature), other->strings);
	return merge_children(feature, other, 0, error);
}

static bool
merge_children(FmFeature *parent, FmFeature *other, int offset, FmError *error)
{
	for (int i = 0; i < other->num_children; i++)
	{
		FmFeature *from = other->children[i];
		FmFeature *to;

		/* mostly both have the same features in the same order */
		if (i < parent->num_children && strcmp(parent->children[i]->name, from->name) == 0)
			to = parent->children[i];
		else
			to = fm_feature_find_child(parent, from->name, strlen(from->name));
		if (to == NULL)
		{
			if (parent->sketch->num_features >= FM_MAX_FEATURES)
				return fm_fail(error, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "a sketch cannot have more than %d features",
							   FM_MAX_FEATURES);
			to = fm_feature_add_child(parent, from->name, strlen(from->name), from->position + offset, from->source,
									  from->logical_type);
		}
		else if (from->position < to->position)
			move_child(parent, to, from->position);
		if (!merge_feature(to, from, error))
			return false;
	}
	return true;
}

bool
fm_sketch_merge(FmSketch *sketch, FmSketch *other, FmError *error)
{
	if (sketch->weighted != other->weighted)
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "cannot merge a sketch with weights and one without");
	if (sketch->keep != other->keep)
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE,
					   "cannot merge a sketch with distributions and one without");
	fm_sketch_set_max_exact(sketch, Min(sketch->max_exact, other->max_exact));
	sketch->num_examples += other->num_examples;
	sketch->weight_examples += other->weight_examples;
	return merge_children(&sketch->root, &other->root, 0, error);
}

bool
fm_sketch_combine_columns(FmSketch *sketch, FmSketch *other, FmError *error)
{
	int offset = 0;

	if (sketch->weighted != other->weighted || sketch->keep != other->keep)
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "cannot combine columns of sketches of different kinds");
	if (sketch->num_examples != other->num_examples || sketch->weight_examples != other->weight_examples)
	{
		fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "cannot combine columns of different examples");
		fm_fail_detail(error, "One sketch has " UINT64_FORMAT " examples, the other " UINT64_FORMAT ".",
					   sketch->num_examples, other->num_examples);
		return false;
	}
	fm_sketch_set_max_exact(sketch, Min(sketch->max_exact, other->max_exact));
	for (int i = 0; i < sketch->root.num_children; i++)
		offset = Max(offset, sketch->root.children[i]->position + 1);
	for (int i = 0; i < other->root.num_children; i++)
	{
		const char *name = other->root.children[i]->name;

		if (fm_feature_find_child(&sketch->root, name, strlen(name)) != NULL)
		{
			fm_fail(error, ERRCODE_DUPLICATE_COLUMN, "feature \"%s\" is in both sketches", name);
			return false;
		}
	}
	return merge_children(&sketch->root, &other->root, offset, error);
}
