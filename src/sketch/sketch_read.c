/*
 * What a sketch says: the functions under "Reading" in sketch.h
 */
#include "fm_core.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "sketch/sketch_core.h"

uint64
fm_sketch_num_examples(const FmSketch *sketch)
{
	return sketch->num_examples;
}

bool
fm_sketch_is_weighted(const FmSketch *sketch)
{
	return sketch->weighted;
}

double
fm_sketch_weighted_num_examples(const FmSketch *sketch)
{
	return fm_weight_get_double(sketch->weight_examples);
}

bool
fm_sketch_is_complete(const FmSketch *sketch)
{
	return fm_sketch_complete(sketch);
}

/* ---- kind, presence and valency */

/*
 * What a feature is. A path of JSON is a struct if an object was seen there, else a string if a string was, else a
 * number: an integer if all of them are.
 */
static FmKind
kind_of(const FmFeature *feature)
{
	uint64 scalars = 0;
	uint64 others;

	if (feature->source != FM_SOURCE_JSON)
		return (FmKind) feature->source;
	for (int i = 0; i < feature->num_levels; i++)
		scalars += feature->levels[i].num_scalars;
	others = feature->strings != NULL ? feature->strings->num_values : 0;
	if (feature->numbers != NULL)
	{
		FmMoments moments;

		fm_numbers_moments(feature->numbers, &moments);
		others += moments.count;
	}
	if (scalars > others || feature->num_children > 0)
		return FM_STRUCT;
	if (feature->strings != NULL || feature->numbers == NULL)
		return FM_STRING;
	return feature->mixed_integers ? FM_FLOAT : FM_INT;
}

typedef struct Universe
{
	uint64 count;
	int128 weight;
} Universe;

static void
list_extremes(FmNumbers *lengths, uint64 *min, uint64 *max)
{
	if (lengths != NULL)
	{
		FmMoments moments;

		fm_numbers_moments(lengths, &moments);
		if (moments.count > 0)
		{
			*min = Min(*min, (uint64) moments.min);
			*max = Max(*max, (uint64) moments.max);
		}
	}
}

/*
 * Presence and valency of list level "level" (1 is the outermost); values that stand above it count as lists of one.
 * Returns the universe of the next level: its elements.
 */
static Universe
level_presence(const FmFeature *feature, int level, Universe universe, FmPresence *presence)
{
	uint64 above = 0;
	int128 weight_above = 0;
	const FmListLevel empty = {0};
	const FmListLevel *l = level < feature->num_levels ? &feature->levels[level] : &empty;
	int128 weight_present;
	Universe elements;

	memset(presence, 0, sizeof(*presence));
	for (int i = 0; i < level && i < feature->num_levels; i++)
	{
		above += feature->levels[i].num_scalars;
		weight_above += feature->levels[i].weight_scalars;
	}
	presence->num_non_missing = l->num_lists + above;
	weight_present = l->weight_lists + weight_above;
	if (level == 1)
	{
		presence->num_missing = universe.count - presence->num_non_missing;
		presence->weighted_num_missing = fm_weight_get_double(universe.weight - weight_present);
	}
	else
	{
		presence->num_missing = feature->levels[level - 1].num_nulls;
		presence->weighted_num_missing = fm_weight_get_double(feature->levels[level - 1].weight_nulls);
	}
	presence->weighted_num_non_missing = fm_weight_get_double(weight_present);
	elements.count = l->tot_elements + above;
	elements.weight = l->weight_elements + weight_above;
	presence->tot_num_values = elements.count;
	presence->weighted_tot_num_values = fm_weight_get_double(elements.weight);
	if (presence->num_non_missing > 0)
	{
		presence->min_num_values = above > 0 ? 1 : PG_UINT64_MAX;
		presence->max_num_values = above > 0 ? 1 : 0;
		list_extremes(l->lengths, &presence->min_num_values, &presence->max_num_values);
	}
	return elements;
}

typedef struct Listing
{
	int num;
	int allocated;
	FmFeatureInfo *infos;
} Listing;

static void
list_feature(Listing *list, FmFeature *feature, int parent, Universe universe)
{
	FmFeatureInfo *info;
	int at = list->num++;
	int depth = Max(feature->num_levels - 1, 1);

	CHECK_FOR_INTERRUPTS();
	check_stack_depth();
	if (at == list->allocated)
	{
		list->allocated *= 2;
		list->infos = repalloc(list->infos, sizeof(FmFeatureInfo) * list->allocated);
	}
	info = &list->infos[at];
	memset(info, 0, sizeof(*info));
	info->feature = feature;
	info->parent = parent;
	info->num_steps = parent < 0 ? 1 : list->infos[parent].num_steps + 1;
	info->steps = palloc(sizeof(char *) * info->num_steps);
	if (parent >= 0)
		memcpy(info->steps, list->infos[parent].steps, sizeof(char *) * (info->num_steps - 1));
	info->steps[info->num_steps - 1] = feature->name;
	info->kind = kind_of(feature);
	info->logical_type = feature->logical_type;
	info->num_levels = depth;
	if (depth == 1)
		universe = level_presence(feature, 1, universe, &info->common);
	else
	{
		info->levels = palloc(sizeof(FmPresence) * depth);
		for (int level = 1; level <= depth; level++)
			universe = level_presence(feature, level, universe, &info->levels[level - 1]);
		info->common = info->levels[0];
		info->common.tot_num_values = info->levels[depth - 1].tot_num_values;
		info->common.weighted_tot_num_values = info->levels[depth - 1].weighted_tot_num_values;
		if (info->common.num_non_missing > 0)
		{
			bool scalars = feature->levels[0].num_scalars > 0;

			info->common.min_num_values = scalars ? 1 : PG_UINT64_MAX;
			info->common.max_num_values = scalars ? 1 : 0;
			list_extremes(feature->row_lengths, &info->common.min_num_values, &info->common.max_num_values);
		}
	}
	if (info->kind == FM_STRUCT)
	{
		for (int i = 0; i < feature->num_children; i++)
			list_feature(list, feature->children[i], at, universe);
	}
}

int
fm_sketch_features(FmSketch *sketch, FmFeatureInfo **features)
{
	Listing list = {0, 16, palloc(sizeof(FmFeatureInfo) * 16)};
	Universe universe = {sketch->num_examples, sketch->weight_examples};

	for (int i = 0; i < sketch->root.num_children; i++)
		list_feature(&list, sketch->root.children[i], -1, universe);
	*features = list.infos;
	return list.num;
}

/* ---- distributions */

static inline void
append_entry(FmEntries *entries, double value, double weight)
{
	/* different integers may be one double */
	if (entries->num_entries > 0 && entries->values[entries->num_entries - 1] == value)
		entries->weights[entries->num_entries - 1] += weight;
	else
	{
		entries->values[entries->num_entries] = value;
		entries->weights[entries->num_entries++] = weight;
	}
	entries->total += weight;
}

static void
number_entries(FmNumbers *numbers, bool weighted, FmEntries *entries)
{
	int num = 0;

	memset(entries, 0, sizeof(*entries));
	entries->exact = numbers == NULL || numbers->complete;
	if (numbers == NULL || !numbers->complete || (weighted && !numbers->weighted))
		return;
	fm_numbers_flush(numbers);
	if (numbers->table != NULL)
	{
		int128 *weights;
		FmCell *cells = fm_numbers_sorted_cells(numbers, &weights);

		num = (int) numbers->table->num;
		entries->values = palloc(sizeof(double) * (num + 2));
		entries->weights = palloc(sizeof(double) * (num + 2));
		if (numbers->num_infinite[0] > 0)
			append_entry(entries, -INFINITY,
						 weighted ? fm_weight_get_double(numbers->weight_infinite[0])
								  : (double) numbers->num_infinite[0]);
		for (int i = 0; i < num; i++)
			append_entry(entries, fm_numbers_value(numbers, cells[i].key),
						 weighted ? fm_weight_get_double(weights[i]) : (double) cells[i].count);
	}
	else
	{
		int64 *keys = NULL;
		double *weights = NULL;

		entries->exact = false;
		if (numbers->count > 0)
			num = fm_quantiles_entries(weighted ? numbers->weighted_quantiles : numbers->quantiles, &keys, &weights);
		entries->values = palloc(sizeof(double) * (num + 2));
		entries->weights = palloc(sizeof(double) * (num + 2));
		if (numbers->num_infinite[0] > 0)
			append_entry(entries, -INFINITY,
						 weighted ? fm_weight_get_double(numbers->weight_infinite[0])
								  : (double) numbers->num_infinite[0]);
		/* the true extremes, which the sketch may have dropped */
		for (int i = 0; i < num; i++)
		{
			int64 key = keys[i];

			if (!weighted && i == 0)
				key = numbers->min;
			else if (!weighted && i == num - 1)
				key = numbers->max;
			append_entry(entries, fm_numbers_value(numbers, key), weights[i]);
		}
	}
	if (numbers->num_infinite[1] > 0)
		append_entry(entries, INFINITY,
					 weighted ? fm_weight_get_double(numbers->weight_infinite[1]) : (double) numbers->num_infinite[1]);
}

void
fm_feature_quantile_entries(FmFeature *feature, bool weighted, FmEntries *entries)
{
	number_entries(feature->numbers, weighted, entries);
}

void
fm_feature_list_lengths(FmFeature *feature, int level, FmEntries *entries)
{
	uint64 ones = 0;
	FmNumbers *lengths;
	int at;

	if (level == 0)
	{
		lengths = feature->row_lengths;
		ones = feature->levels[0].num_scalars;
		if (lengths == NULL && feature->num_levels > 1)
			lengths = feature->levels[1].lengths;
	}
	else
	{
		lengths = level < feature->num_levels ? feature->levels[level].lengths : NULL;
		for (int i = 0; i < level && i < feature->num_levels; i++)
			ones += feature->levels[i].num_scalars;
	}
	number_entries(lengths, false, entries);
	if (!fm_sketch_complete(feature->sketch))
		entries->exact = false;
	if (ones == 0 || !fm_sketch_complete(feature->sketch))
		return;
	entries->total += (double) ones;
	if (entries->num_entries == 0)
	{
		entries->values = palloc(sizeof(double));
		entries->weights = palloc(sizeof(double));
	}
	for (at = 0; at < entries->num_entries && entries->values[at] < 1; at++)
		;
	if (at < entries->num_entries && entries->values[at] == 1)
	{
		entries->weights[at] += (double) ones;
		return;
	}
	if (entries->num_entries > 0)
	{
		/* number_entries left room for two more */
		memmove(entries->values + at + 1, entries->values + at, sizeof(double) * (entries->num_entries - at));
		memmove(entries->weights + at + 1, entries->weights + at, sizeof(double) * (entries->num_entries - at));
	}
	entries->values[at] = 1;
	entries->weights[at] = (double) ones;
	entries->num_entries++;
}

/*
 * Nulls that count as values: those in the innermost lists
 */
static uint64
null_values(const FmFeature *feature)
{
	return feature->num_levels > 1 ? feature->levels[feature->num_levels - 1].num_nulls : 0;
}

void
fm_feature_numbers(FmFeature *feature, FmNumberSummary *summary)
{
	FmNumbers *numbers = feature->numbers;
	FmMoments moments;

	memset(summary, 0, sizeof(*summary));
	summary->min = INFINITY;
	summary->max = -INFINITY;
	summary->mean = summary->variance = summary->weighted_mean = summary->weighted_variance = NAN;
	summary->num_null_values = summary->num_nan = null_values(feature);
	if (numbers == NULL)
		return;
	fm_numbers_moments(numbers, &moments);
	summary->num_nan += numbers->num_nan;
	summary->num_neg_inf = numbers->num_infinite[0];
	summary->num_pos_inf = numbers->num_infinite[1];
	summary->count = moments.count + summary->num_neg_inf + summary->num_pos_inf;
	summary->num_zeros = moments.num_zeros;
	summary->min = summary->num_neg_inf > 0	  ? -INFINITY
				   : summary->num_pos_inf > 0 ? Min(INFINITY, moments.min)
											  : moments.min;
	summary->max = summary->num_pos_inf > 0 ? INFINITY : moments.max;
	if (moments.count == 0 && summary->count > 0)
	{
		/* nothing but infinities */
		summary->min = summary->num_neg_inf > 0 ? -INFINITY : INFINITY;
		summary->max = summary->num_pos_inf > 0 ? INFINITY : -INFINITY;
	}
	summary->weighted_count = moments.weighted_count + fm_weight_get_double(numbers->weight_infinite[0]) +
							  fm_weight_get_double(numbers->weight_infinite[1]);
	if (summary->num_neg_inf + summary->num_pos_inf == 0)
	{
		summary->mean = moments.mean;
		summary->variance = moments.variance;
		summary->weighted_mean = moments.weighted_mean;
		summary->weighted_variance = moments.weighted_variance;
	}
}

/* ---- strings */

/*
 * A number as text: as SQL writes an integer, or the shortest text that gives the double again
 */
static int
number_text(const FmNumbers *numbers, int64 key, char *text, size_t size)
{
	if (!numbers->is_float)
		return snprintf(text, size, INT64_FORMAT, key);
	return double_to_shortest_decimal_buf(fm_double_of_key(key), text);
}

/* A distribution of numbers as values to count: the table's, or the quantile sketch's */
typedef struct NumberCounts
{
	int num;
	int64 *keys;
	uint64 *counts;	 /* NULL where a sketch has weights only */
	double *weights; /* NULL without weights */
	bool exact;
} NumberCounts;

/*
 * Counts of the quantile sketch, which are whole numbers; no more than fit, as merged forgeries may give
 */
static uint64 *
whole_counts(const double *counts, int num)
{
	uint64 *whole = palloc(sizeof(uint64) * Max(num, 1));

	for (int i = 0; i < num; i++)
		whole[i] = counts[i] < ldexp(1.0, 64) ? (uint64) counts[i] : PG_UINT64_MAX;
	return whole;
}

static void
number_counts(FmNumbers *numbers, bool by_weight, NumberCounts *counts)
{
	memset(counts, 0, sizeof(*counts));
	counts->exact = true;
	if (numbers == NULL || !numbers->complete)
		return;
	fm_numbers_flush(numbers);
	if (numbers->table != NULL)
	{
		int128 *weights;
		FmCell *cells = fm_numbers_sorted_cells(numbers, &weights);

		counts->num = (int) numbers->table->num;
		counts->keys = palloc(sizeof(int64) * Max(counts->num, 1));
		counts->counts = palloc(sizeof(uint64) * Max(counts->num, 1));
		if (weights != NULL)
			counts->weights = palloc(sizeof(double) * Max(counts->num, 1));
		for (int i = 0; i < counts->num; i++)
		{
			counts->keys[i] = cells[i].key;
			counts->counts[i] = cells[i].count;
			if (weights != NULL)
				counts->weights[i] = fm_weight_get_double(weights[i]);
		}
	}
	else if (numbers->count > 0)
	{
		counts->exact = false;
		if (by_weight && numbers->weighted)
			counts->num = fm_quantiles_entries(numbers->weighted_quantiles, &counts->keys, &counts->weights);
		else
		{
			double *estimates;

			counts->num = fm_quantiles_entries(numbers->quantiles, &counts->keys, &estimates);
			counts->counts = whole_counts(estimates, counts->num);
			pfree(estimates);
		}
	}
}

void
fm_feature_strings(FmFeature *feature, FmStringSummary *summary)
{
	FmStrings *strings = feature->strings;

	memset(summary, 0, sizeof(*summary));
	summary->num_null_values = null_values(feature);
	summary->min_num_bytes = PG_UINT64_MAX;
	if (strings != NULL && strings->num_values > 0)
	{
		summary->num_values = strings->num_values;
		summary->tot_num_bytes = strings->num_bytes;
		summary->min_num_bytes = strings->min_bytes;
		summary->max_num_bytes = strings->max_bytes;
		summary->num_invalid_utf8 = strings->num_class[FM_STRING_INVALID];
		summary->num_large = strings->num_class[FM_STRING_LARGE];
		summary->weighted_num_values = fm_weight_get_double(strings->weight);
		summary->weighted_tot_num_bytes = fm_weight_get_double(strings->weight_bytes);
	}
	if (feature->numbers != NULL)
	{
		NumberCounts numbers;
		char text[64];

		number_counts(feature->numbers, false, &numbers);
		for (int i = 0; i < numbers.num; i++)
		{
			int size = number_text(feature->numbers, numbers.keys[i], text, sizeof(text));

			summary->num_values += numbers.counts[i];
			summary->tot_num_bytes += numbers.counts[i] * (uint64) size;
			summary->min_num_bytes = Min(summary->min_num_bytes, (uint64) size);
			summary->max_num_bytes = Max(summary->max_num_bytes, (uint64) size);
			if (numbers.weights != NULL)
			{
				summary->weighted_num_values += numbers.weights[i];
				summary->weighted_tot_num_bytes += numbers.weights[i] * size;
			}
		}
	}
	if (summary->num_values == 0)
		summary->min_num_bytes = 0;
}

double
fm_feature_distinct(FmFeature *feature, bool *exact)
{
	FmNumbers *numbers = feature->numbers;
	double distinct = 0;
	bool strings_exact = true;

	*exact = fm_sketch_complete(feature->sketch);
	if (!*exact)
		return 0;
	if (feature->strings != NULL)
		distinct = fm_strings_distinct(feature->strings, &strings_exact);
	*exact = strings_exact;
	if (numbers != NULL)
	{
		fm_numbers_flush(numbers);
		if (numbers->table != NULL)
			distinct += numbers->table->num;
		else if (numbers->distinct != NULL)
		{
			distinct += fm_distinct_estimate(numbers->distinct);
			*exact &= fm_distinct_settle(numbers->distinct);
		}
		for (int i = 0; i < 2; i++)
			distinct += numbers->num_infinite[i] > 0;
	}
	return distinct;
}

int
fm_compare_values(const void *a, const void *b)
{
	const FmFrequentValue *x = a;
	const FmFrequentValue *y = b;
	int order = memcmp(x->value, y->value, Min(x->size, y->size));

	return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

static int
compare_by_count(const void *a, const void *b)
{
	const FmFrequentValue *x = a;
	const FmFrequentValue *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return fm_compare_values(y, x);
}

static int
compare_by_weight(const void *a, const void *b)
{
	const FmFrequentValue *x = a;
	const FmFrequentValue *y = b;

	if (x->weighted_count != y->weighted_count)
		return x->weighted_count > y->weighted_count ? -1 : 1;
	return fm_compare_values(y, x);
}

/*
 * Adds to a value that stands for many, which may be in the list as itself
 */
static void
add_placeholder(FmFrequentValues *values, const char *placeholder, uint64 count, double weight)
{
	size_t size = strlen(placeholder);

	if (count == 0)
		return;
	for (int i = 0; i < values->num_values; i++)
	{
		FmFrequentValue *v = &values->values[i];

		if (v->size == size && memcmp(v->value, placeholder, size) == 0)
		{
			v->count += count;
			v->weighted_count += weight;
			return;
		}
	}
	values->values[values->num_values++] = (FmFrequentValue){placeholder, size, count, weight};
}

void
fm_feature_values(FmFeature *feature, bool by_weight, FmFrequentValues *values)
{
	FmStrings *strings = feature->strings;
	NumberCounts numbers;
	const FmTop *top = NULL;
	char *text = NULL; /* where the next value goes */

	memset(values, 0, sizeof(*values));
	if (!fm_sketch_complete(feature->sketch))
		return;
	values->exact = true;
	if (strings != NULL)
	{
		top = by_weight && !strings->exact && strings->weighted ? strings->weighted_top : strings->top;
		values->exact = strings->exact;
		values->max_error = top->error;
		values->weighted_max_error = fm_weight_get_double(top->weight_error);
	}
	number_counts(feature->numbers, by_weight, &numbers);
	values->values = palloc(sizeof(FmFrequentValue) * ((top != NULL ? top->num : 0) + numbers.num + 2));
	if (top != NULL)
		text = palloc((Size) top->num_bytes + top->num);
	for (int i = 0; top != NULL && i < top->num; i++)
	{
		const FmCounter *c = &top->counters[i];
		FmFrequentValue *v = &values->values[values->num_values];

		if (c->class != FM_STRING_PLAIN)
			continue;
		v->value = text;
		memcpy(text, top->bytes + c->offset, c->size);
		text[c->size] = '\0';
		text += c->size + 1;
		v->size = c->size;
		v->count = c->count;
		v->weighted_count = top->weights != NULL ? fm_weight_get_double(top->weights[i]) : 0;
		values->num_values++;
	}
	if (strings != NULL)
	{
		add_placeholder(values, FM_LARGE_BYTES, strings->num_class[FM_STRING_LARGE],
						fm_weight_get_double(strings->weight_class[FM_STRING_LARGE]));
		add_placeholder(values, FM_BYTES_VALUE, strings->num_class[FM_STRING_INVALID],
						fm_weight_get_double(strings->weight_class[FM_STRING_INVALID]));
	}
	for (int i = 0; i < numbers.num; i++)
	{
		FmFrequentValue *v = &values->values[values->num_values++];
		char digits[64];
		int size = number_text(feature->numbers, numbers.keys[i], digits, sizeof(digits));
		char *copy = palloc(size + 1);

		memcpy(copy, digits, size);
		copy[size] = '\0';
		v->value = copy;
		v->size = size;
		v->count = numbers.counts != NULL ? numbers.counts[i] : 0;
		v->weighted_count = numbers.weights != NULL ? numbers.weights[i] : 0;
	}
	if (!numbers.exact)
	{
		/* half a percent of all, the quantile sketch's bound */
		values->exact = false;
		values->max_error += feature->numbers->count / 200;
		values->weighted_max_error += fabs(fm_weight_get_double(feature->numbers->weight)) / 200;
	}
}

void
fm_feature_frequent_values(FmFeature *feature, bool by_weight, FmFrequentValues *values)
{
	fm_feature_values(feature, by_weight, values);
	if (values->num_values > 1)
		qsort(values->values, values->num_values, sizeof(FmFrequentValue),
			  by_weight ? compare_by_weight : compare_by_count);
}
