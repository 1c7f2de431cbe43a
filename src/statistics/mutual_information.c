/*
 * Mutual information, in nats
 */
#include "mutual_information.h"
#include "fm_doubles.h"

#include <math.h>

#include "common/pg_prng.h"

#define NEIGHBOURS 3
#define SEED 1

void
fm_contingency_margins(FmContingency *table)
{
	table->x_count = palloc0(sizeof(double) * Max(table->num_x, 1));
	table->y_count = palloc0(sizeof(double) * Max(table->num_y, 1));
	table->total = 0;
	for (int i = 0; i < table->num_pairs; i++)
	{
		table->x_count[table->pairs[i].x] += table->pairs[i].count;
		table->y_count[table->pairs[i].y] += table->pairs[i].count;
		table->total += table->pairs[i].count;
	}
}

double
fm_mutual_information(const FmContingency *table)
{
	double sum = 0;

	for (int i = 0; i < table->num_pairs; i++)
	{
		const FmPairCount *pair = &table->pairs[i];
		double expected = table->x_count[pair->x] * (table->y_count[pair->y] / table->total);

		if (pair->count > 0)
			sum += pair->count / table->total * log(pair->count / expected);
	}
	return Max(sum, 0);
}

double
fm_entropy(const double *counts, int num_counts, double total)
{
	double sum = 0;

	for (int i = 0; i < num_counts; i++)
	{
		if (counts[i] > 0)
			sum -= counts[i] / total * log(counts[i] / total);
	}
	return sum;
}

/*
 * The share of one cell: sum over its possible counts of probability times contribution
 *
 * The probabilities fall off fast on both sides of the most likely count, so the sum goes outwards from there.
 */
static double
ExpectedOfCell(double a, double b, double total)
{
	double low = Max(1, a + b - total);
	double high = Min(a, b);
	double mode = Max(low, Min(high, floor((a + 1) * (b + 1) / (total + 2))));
	double log_mode = lgamma(a + 1) + lgamma(b + 1) + lgamma(total - a + 1) + lgamma(total - b + 1) -
					  lgamma(total + 1) - lgamma(mode + 1) - lgamma(a - mode + 1) - lgamma(b - mode + 1) -
					  lgamma(total - a - b + mode + 1);
	double probability = exp(log_mode);
	double sum = 0;

	for (double n = mode, p = probability; n <= high && p > 1e-18; n++)
	{
		sum += p * n / total * log(total * n / (a * b));
		p *= (a - n) * (b - n) / ((n + 1) * (total - a - b + n + 1));
	}
	for (double n = mode, p = probability; n > low && p > 1e-18;)
	{
		p *= n * (total - a - b + n) / ((a - n + 1) * (b - n + 1));
		n--;
		sum += p * n / total * log(total * n / (a * b));
	}
	return sum;
}

double
fm_expected_mutual_information(const FmContingency *table)
{
	double sum = 0;

	for (int x = 0; x < table->num_x; x++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int y = 0; y < table->num_y; y++)
		{
			if (table->x_count[x] > 0 && table->y_count[y] > 0)
				sum += ExpectedOfCell(table->x_count[x], table->y_count[y], table->total);
		}
	}
	return sum;
}

/*
 * The digamma function for x >= 1
 */
static double
Digamma(double x)
{
	double result = 0;
	double inverse;

	for (; x < 10; x++)
		result -= 1 / x;
	inverse = 1 / (x * x);
	return result + log(x) - 0.5 / x -
		   inverse * (1.0 / 12 - inverse * (1.0 / 120 - inverse * (1.0 / 252 - inverse / 240)));
}

/*
 * Divides by the standard deviation, and moves each value by some 1e-10 of the mean, so that none are equal
 */
static void
ScaleAndShake(double *values, int n, uint64 seed)
{
	pg_prng_state state;
	double mean = 0;
	double square = 0;
	double size = 0;
	double deviation;

	for (int i = 0; i < n; i++)
		mean += values[i] / n;
	for (int i = 0; i < n; i++)
		square += (values[i] - mean) * (values[i] - mean) / n;
	deviation = square > 0 && isfinite(square) ? sqrt(square) : 1;
	for (int i = 0; i < n; i++)
	{
		values[i] /= deviation;
		size += fabs(values[i]) / n;
	}

	pg_prng_seed(&state, seed);
	for (int i = 0; i < n; i++)
		values[i] += 1e-10 * Max(size, 1) * (pg_prng_double(&state) + pg_prng_double(&state) - 1);
}

/* First index of a sorted array whose value is >= (or, strictly, >) the value */
static int
Bound(const double *sorted, int n, double value, bool strictly)
{
	int low = 0;

	while (n > 0)
	{
		int half = n / 2;

		if (sorted[low + half] < value || (strictly && sorted[low + half] == value))
		{
			low += half + 1;
			n -= half + 1;
		}
		else
			n = half;
	}
	return low;
}

/* How many values lie within the radius, the centre included */
static int
CountWithin(const double *sorted, int n, double centre, double radius)
{
	return Bound(sorted, n, centre + radius, true) - Bound(sorted, n, centre - radius, false);
}

typedef struct Point
{
	double x;
	double y; /* a number, or the category */
} Point;

static int
ComparePoints(const void *a, const void *b)
{
	const Point *p = a;
	const Point *q = b;

	if (p->x != q->x)
		return p->x < q->x ? -1 : 1;
	return fm_compare_doubles(&p->y, &q->y);
}

static int
ComparePointsByCategory(const void *a, const void *b)
{
	const Point *p = a;
	const Point *q = b;

	if (p->y != q->y)
		return p->y < q->y ? -1 : 1;
	return fm_compare_doubles(&p->x, &q->x);
}

/*
 * Puts a distance among the NEIGHBOURS smallest, which are in ascending order
 */
static void
OfferDistance(double nearest[NEIGHBOURS], double distance)
{
	int i = NEIGHBOURS - 1;

	if (distance >= nearest[i])
		return;
	for (; i > 0 && nearest[i - 1] > distance; i--)
		nearest[i] = nearest[i - 1];
	nearest[i] = distance;
}

double
fm_mutual_information_numeric(double *x, double *y, int n)
{
	Point *points;
	double *xs;
	double *ys;
	double sum = 0;

	if (n <= NEIGHBOURS)
		return 0;
	ScaleAndShake(x, n, SEED);
	ScaleAndShake(y, n, SEED + 1);
	points = palloc(sizeof(Point) * n);
	xs = palloc(sizeof(double) * n);
	ys = palloc(sizeof(double) * n);
	for (int i = 0; i < n; i++)
	{
		points[i] = (Point){x[i], y[i]};
		xs[i] = x[i];
		ys[i] = y[i];
	}
	qsort(points, n, sizeof(Point), ComparePoints);
	qsort(xs, n, sizeof(double), fm_compare_doubles);
	qsort(ys, n, sizeof(double), fm_compare_doubles);

	for (int i = 0; i < n; i++)
	{
		double nearest[NEIGHBOURS] = {INFINITY, INFINITY, INFINITY};
		double radius;

		CHECK_FOR_INTERRUPTS();
		/* points are in order of x: outwards until the distance in x alone is too large */
		for (int j = i - 1; j >= 0 && points[i].x - points[j].x < nearest[NEIGHBOURS - 1]; j--)
			OfferDistance(nearest, Max(points[i].x - points[j].x, fabs(points[i].y - points[j].y)));
		for (int j = i + 1; j < n && points[j].x - points[i].x < nearest[NEIGHBOURS - 1]; j++)
			OfferDistance(nearest, Max(points[j].x - points[i].x, fabs(points[i].y - points[j].y)));
		radius = nextafter(nearest[NEIGHBOURS - 1], 0);
		sum += Digamma(CountWithin(xs, n, points[i].x, radius)) + Digamma(CountWithin(ys, n, points[i].y, radius));
	}
	return Max(0, Digamma(n) + Digamma(NEIGHBOURS) - sum / n);
}

double
fm_mutual_information_mixed(double *x, const int *category, int n)
{
	Point *points;
	double *xs;
	double sum = 0;
	int used = 0;

	ScaleAndShake(x, n, SEED);
	points = palloc(sizeof(Point) * Max(n, 1));
	xs = palloc(sizeof(double) * Max(n, 1));
	for (int i = 0; i < n; i++)
		points[i] = (Point){x[i], category[i]};
	qsort(points, n, sizeof(Point), ComparePointsByCategory);

	/* points alone in their category have no neighbour and are left out */
	for (int first = 0, end; first < n; first = end)
	{
		for (end = first; end < n && points[end].y == points[first].y; end++)
			;
		for (int i = first; i < end && end - first > 1; i++)
			xs[used++] = points[i].x;
	}
	qsort(xs, used, sizeof(double), fm_compare_doubles);

	for (int first = 0, end; first < n; first = end)
	{
		int k;

		for (end = first; end < n && points[end].y == points[first].y; end++)
			;
		k = Min(NEIGHBOURS, end - first - 1);
		for (int i = first; i < end && k > 0; i++)
		{
			double nearest[NEIGHBOURS] = {INFINITY, INFINITY, INFINITY};
			double radius;

			CHECK_FOR_INTERRUPTS();
			for (int j = Max(first, i - k); j < Min(end, i + k + 1); j++)
			{
				if (j != i)
					OfferDistance(nearest, fabs(points[j].x - points[i].x));
			}
			radius = nextafter(nearest[k - 1], 0);
			sum += Digamma(k) - Digamma(end - first) - Digamma(CountWithin(xs, used, points[i].x, radius));
		}
	}
	return used == 0 ? 0 : Max(0, Digamma(used) + sum / used);
}

void
fm_shuffle_numbers(double *values, int n)
{
	pg_prng_state state;

	pg_prng_seed(&state, SEED);
	for (int i = n - 1; i > 0; i--)
	{
		int j = pg_prng_uint64_range(&state, 0, i);
		double swap = values[i];

		values[i] = values[j];
		values[j] = swap;
	}
}

void
fm_shuffle_categories(int *values, int n)
{
	pg_prng_state state;

	pg_prng_seed(&state, SEED);
	for (int i = n - 1; i > 0; i--)
	{
		int j = pg_prng_uint64_range(&state, 0, i);
		int swap = values[i];

		values[i] = values[j];
		values[j] = swap;
	}
}
