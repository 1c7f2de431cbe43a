/*
 * Distances between two distributions
 *
 * The rules are those measured on TensorFlow Data Validation 1.16.1.
 */
#include "fm_core.h"
#include "drift/distance.h"
#include "fm_doubles.h"

#include <math.h>

static int
compare_frequencies(const void *a, const void *b)
{
	const FmFrequency *x = *(FmFrequency *const *) a;
	const FmFrequency *y = *(FmFrequency *const *) b;
	int order = strcmp(x->value, y->value);

	/* equal values keep their order: the first one stands */
	return order != 0 ? order : (x < y ? -1 : x > y);
}

FmFrequencies
fm_frequencies_from_rank_histogram(const Tfmd__RankHistogram *histogram)
{
	FmFrequencies result = {0, NULL};
	FmFrequency *listed;
	FmFrequency **order;
	size_t n;
	size_t i;

	if (histogram == NULL || histogram->n_buckets == 0)
		return result;
	n = histogram->n_buckets;
	listed = palloc(n * sizeof(FmFrequency));
	order = palloc(n * sizeof(FmFrequency *));
	for (i = 0; i < n; i++)
	{
		listed[i].value = histogram->buckets[i]->label;
		listed[i].count = histogram->buckets[i]->sample_count;
		order[i] = &listed[i];
	}
	qsort(order, n, sizeof(FmFrequency *), compare_frequencies);
	result.frequency = palloc(n * sizeof(FmFrequency));
	for (i = 0; i < n; i++)
	{
		if (result.n > 0 && strcmp(result.frequency[result.n - 1].value, order[i]->value) == 0)
			continue;
		result.frequency[result.n++] = *order[i];
	}
	pfree(order);
	pfree(listed);
	return result;
}

static double
sum_of_counts(const FmFrequencies *side)
{
	double sum = 0;
	int i;

	for (i = 0; i < side->n; i++)
		sum += side->frequency[i].count;
	return sum;
}

/*
 * The next value of the two sides together, in byte order, with its count on each (0 where it is not listed).
 * False at the end.
 */
typedef struct Union
{
	const FmFrequencies *a;
	const FmFrequencies *b;
	int i;
	int j;
} Union;

static bool
next_of_union(Union *both, const char **value, double *count_a, double *count_b)
{
	bool more_a = both->i < both->a->n;
	bool more_b = both->j < both->b->n;
	int order;

	if (!more_a && !more_b)
		return false;
	if (more_a && more_b)
		order = strcmp(both->a->frequency[both->i].value, both->b->frequency[both->j].value);
	else
		order = more_a ? -1 : 1;
	*count_a = *count_b = 0;
	if (order <= 0)
	{
		*value = both->a->frequency[both->i].value;
		*count_a = both->a->frequency[both->i++].count;
	}
	if (order >= 0)
	{
		*value = both->b->frequency[both->j].value;
		*count_b = both->b->frequency[both->j++].count;
	}
	return true;
}

static double
largest_difference(const FmFrequencies *a, double scale_a, const FmFrequencies *b, double scale_b, const char **value)
{
	Union both = {a, b, 0, 0};
	const char *current;
	double count_a;
	double count_b;
	double largest = 0;

	*value = "";
	while (next_of_union(&both, &current, &count_a, &count_b))
	{
		double share_a = scale_a == 0 ? count_a : count_a / scale_a;
		double share_b = scale_b == 0 ? count_b : count_b / scale_b;
		double difference = fabs(share_a - share_b);

		if (difference >= largest)
		{
			largest = difference;
			*value = current;
		}
	}
	return largest;
}

double
fm_l_infinity_distance(const FmFrequencies *a, const FmFrequencies *b, const char **value)
{
	return largest_difference(a, sum_of_counts(a), b, sum_of_counts(b), value);
}

double
fm_normalized_absolute_difference(const FmFrequencies *a, const FmFrequencies *b, const char **value)
{
	double scale = sum_of_counts(a) + sum_of_counts(b);

	return largest_difference(a, scale, b, scale, value);
}

static bool
all_positive(const FmFrequencies *side)
{
	int i;

	for (i = 0; i < side->n; i++)
		if (side->frequency[i].count <= 0)
			return false;
	return true;
}

bool
fm_jensen_shannon_of_values(const FmFrequencies *a, const FmFrequencies *b, double *divergence)
{
	Union both = {a, b, 0, 0};
	const char *value;
	double count_a;
	double count_b;
	double sum_a;
	double sum_b;
	double sum = 0;

	if (a->n == 0 || b->n == 0 || !all_positive(a) || !all_positive(b))
		return false;
	sum_a = sum_of_counts(a);
	sum_b = sum_of_counts(b);
	while (next_of_union(&both, &value, &count_a, &count_b))
	{
		double p = count_a / sum_a;
		double q = count_b / sum_b;
		double middle = (p + q) / 2;

		if (count_a != 0)
			sum += p * log2(p / middle);
		if (count_b != 0)
			sum += q * log2(q / middle);
	}
	*divergence = sum / 2;
	return true;
}

/* -- histograms -- */

typedef struct Bucket
{
	double low;
	double high;
	double count;
} Bucket;

/* A histogram taken apart: buckets with a width, points, and what lies in buckets with an infinite edge */
typedef struct Parts
{
	int n_bucket;
	Bucket *bucket;
	int n_point;
	Bucket *point; /* low = high, ascending, each once */
	double infinite;
	double nan;
} Parts;

/* The mass of both histograms, cell by cell of one common partition */
typedef struct Cells
{
	int n;
	int max;
	double *mass;
} Cells;

static void
add_cell(Cells *cells, double mass)
{
	if (cells->n == cells->max)
	{
		cells->max = cells->max * 2 + 32;
		cells->mass = cells->mass == NULL ? palloc(cells->max * sizeof(double))
										  : repalloc(cells->mass, cells->max * sizeof(double));
	}
	cells->mass[cells->n++] = mass;
}

static int
compare_points(const void *a, const void *b)
{
	const Bucket *x = a;
	const Bucket *y = b;

	return x->low < y->low ? -1 : x->low > y->low;
}

static void
take_apart(const Tfmd__Histogram *histogram, Parts *parts)
{
	size_t i;
	int n = 0;

	memset(parts, 0, sizeof(*parts));
	parts->nan = (double) histogram->num_nan;
	parts->bucket = palloc(sizeof(Bucket) * (histogram->n_buckets + 1));
	parts->point = palloc(sizeof(Bucket) * (histogram->n_buckets + 1));
	for (i = 0; i < histogram->n_buckets; i++)
	{
		Bucket bucket = {histogram->buckets[i]->low_value, histogram->buckets[i]->high_value,
						 histogram->buckets[i]->sample_count};

		if (!isfinite(bucket.low) || !isfinite(bucket.high))
			parts->infinite += bucket.count;
		else if (bucket.low == bucket.high)
			parts->point[n++] = bucket;
		else
			parts->bucket[parts->n_bucket++] = bucket;
	}
	qsort(parts->point, n, sizeof(Bucket), compare_points);
	for (i = 0; i < (size_t) n; i++)
	{
		Bucket *last = parts->n_point > 0 ? &parts->point[parts->n_point - 1] : NULL;

		if (last != NULL && last->low == parts->point[i].low)
			last->count += parts->point[i].count;
		else
			parts->point[parts->n_point++] = parts->point[i];
	}
}

/* The edges of the buckets, ascending, each once */
static int
edges_of(const Parts *parts, double *edge)
{
	int n = 0;

	for (int i = 0; i < parts->n_bucket; i++)
	{
		edge[n++] = parts->bucket[i].low;
		edge[n++] = parts->bucket[i].high;
	}
	return fm_sort_distinct_doubles(edge, n);
}

static int
merge_edges(const double *a, int n_a, const double *b, int n_b, double *merged)
{
	int n = 0;
	int i = 0;
	int j = 0;

	while (i < n_a || j < n_b)
	{
		if (j == n_b || (i < n_a && a[i] < b[j]))
			merged[n++] = a[i++];
		else if (i == n_a || b[j] < a[i])
			merged[n++] = b[j++];
		else
		{
			merged[n++] = a[i++];
			j++;
		}
	}
	return n;
}

/*
 * Spreads the buckets over the cells between the edges, which hold all edges of the buckets. One pass: buckets are
 * in ascending order; one that goes back adds nothing, as in TFDV.
 */
static void
spread(const Parts *parts, const double *edge, int n_edge, Cells *cells)
{
	int at = 0;
	int i;

	for (i = 0; i < parts->n_bucket; i++)
	{
		const Bucket *bucket = &parts->bucket[i];
		double width = bucket->high - bucket->low;

		while (bucket->low > edge[at])
		{
			add_cell(cells, 0);
			at++;
		}
		while (bucket->high > edge[at])
		{
			add_cell(cells, (edge[at + 1] - edge[at]) / width * bucket->count);
			at++;
		}
	}
	for (; at < n_edge - 1; at++)
		add_cell(cells, 0);
}

/* Cells for the points of both sides */
static void
add_points(const Parts *a, const Parts *b, Cells *cells_a, Cells *cells_b)
{
	int i = 0;
	int j = 0;

	while (i < a->n_point || j < b->n_point)
	{
		bool from_a = i < a->n_point && (j == b->n_point || a->point[i].low <= b->point[j].low);
		bool from_b = j < b->n_point && (i == a->n_point || b->point[j].low <= a->point[i].low);

		add_cell(cells_a, from_a ? a->point[i].count : 0);
		add_cell(cells_b, from_b ? b->point[j].count : 0);
		i += from_a;
		j += from_b;
	}
}

static double
total_mass(const Cells *cells)
{
	double total = 0;
	int i;

	for (i = 0; i < cells->n; i++)
		total += cells->mass[i];
	return total;
}

/* Kullback-Leibler divergence of the first side from the middle of both */
static double
divergence_from_middle(const Cells *a, double total_a, const Cells *b, double total_b)
{
	double sum = 0;
	int i;

	for (i = 0; i < a->n; i++)
	{
		double p = a->mass[i] / total_a;
		double middle = (p + b->mass[i] / total_b) / 2;

		if (p > 0 && middle > 0)
			sum += p * log2(p / middle);
	}
	return sum;
}

bool
fm_jensen_shannon_of_histograms(const Tfmd__Histogram *a, const Tfmd__Histogram *b, double *divergence, FmError *error)
{
	Parts parts_a;
	Parts parts_b;
	Cells cells_a = {0};
	Cells cells_b = {0};
	double *edges_a;
	double *edges_b;
	int n_a;
	int n_b;
	double total_a;
	double total_b;
	bool same_edges;
	int i;

	if (a->type != b->type)
		return false;
	take_apart(a, &parts_a);
	take_apart(b, &parts_b);
	edges_a = palloc(sizeof(double) * (2 * parts_a.n_bucket + 1));
	edges_b = palloc(sizeof(double) * (2 * parts_b.n_bucket + 1));
	n_a = edges_of(&parts_a, edges_a);
	n_b = edges_of(&parts_b, edges_b);
	same_edges = n_a == n_b && memcmp(edges_a, edges_b, sizeof(double) * n_a) == 0;
	if (same_edges)
	{
		for (i = 0; i < parts_a.n_bucket; i++)
			add_cell(&cells_a, parts_a.bucket[i].count);
		for (i = 0; i < parts_b.n_bucket; i++)
			add_cell(&cells_b, parts_b.bucket[i].count);
	}
	else
	{
		double *edges = palloc(sizeof(double) * (n_a + n_b));
		int n = merge_edges(edges_a, n_a, edges_b, n_b, edges);

		spread(&parts_a, edges, n, &cells_a);
		spread(&parts_b, edges, n, &cells_b);
	}
	if (cells_a.n != cells_b.n)
	{
		fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "the buckets of a histogram overlap or leave a gap");
		fm_fail_detail(error, "The same edges make %d buckets on one side and %d on the other.", cells_a.n, cells_b.n);
		return false;
	}
	add_points(&parts_a, &parts_b, &cells_a, &cells_b);

	/* mass that nothing on the other side can match */
	if (parts_a.infinite != 0)
	{
		add_cell(&cells_a, parts_a.infinite);
		add_cell(&cells_b, 0);
	}
	if (parts_b.infinite != 0)
	{
		add_cell(&cells_a, 0);
		add_cell(&cells_b, parts_b.infinite);
	}
	/* TFDV's histograms lose their NaN when they are cut anew */
	if (same_edges && (parts_a.nan > 0 || parts_b.nan > 0))
	{
		add_cell(&cells_a, 0);
		add_cell(&cells_a, parts_a.nan);
		add_cell(&cells_b, parts_b.nan);
		add_cell(&cells_b, 0);
	}

	total_a = total_mass(&cells_a);
	total_b = total_mass(&cells_b);
	if (total_a == 0 || total_b == 0)
		return false;
	*divergence = (divergence_from_middle(&cells_a, total_a, &cells_b, total_b) +
				   divergence_from_middle(&cells_b, total_b, &cells_a, total_a)) /
				  2;
	return true;
}
