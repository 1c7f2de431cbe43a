/*
 * p-values of the two tests
 */
#include "fm_core.h"

#include "drift/metrics.h"

#include <math.h>

/* Up to so many values a side the Kolmogorov-Smirnov probability is exact (as in SciPy's method "auto") */
#define MAX_EXACT 10000
#define MAX_EXACT_QUICK 200

/* Terms of a long sum that are computed */
#define SUMMED_TERMS 512

static int64
greatest_common_divisor(int64 a, int64 b)
{
	while (b != 0)
	{
		int64 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * Exact two-sided p-value for samples of m and n values without ties (J. L. Hodges, The significance probability of the Smirnov
 * two-sample test, 1958). All orders of the m + n values are equally likely; an order is a path from (0, 0) to (m, n), and the
 * statistic is at least h / lcm(m, n) when the path leaves the band |x n/g - y m/g| < h. outside[y] is the probability that a
 * path to (x, y) has left it: 1 outside, and else the mean of the two steps that lead there, weighted by how many paths come by
 * each. It is the probability of leaving that is summed, so that a small one keeps its digits.
 */
static double
exact_p(double statistic, int64 m, int64 n)
{
	int64 g = greatest_common_divisor(m, n);
	int64 mg = m / g;
	int64 ng = n / g;
	double h = rint(statistic * (double) mg * (double) n);
	double *outside = palloc(sizeof(double) * (n + 1));
	double p;

	if (h <= 0)
	{
		pfree(outside);
		return 1.0;
	}
	for (int64 y = 0; y <= n; y++)
		outside[y] = 1.0;
	for (int64 x = 0; x <= m; x++)
	{
		/* the band at x; what lies below it is outside from now on, what lies above it still is */
		int64 first = Max(0, (int64) floor(((double) x * ng - h) / mg));
		int64 last = Min(n, (int64) ceil(((double) x * ng + h) / mg));

		CHECK_FOR_INTERRUPTS();
		if (first > 0)
			outside[first - 1] = 1.0;
		for (int64 y = first; y <= last; y++)
		{
			if (fabs((double) x * ng - (double) y * mg) >= h)
				outside[y] = 1.0;
			else if (x == 0 && y == 0)
				outside[y] = 0.0;
			else
			{
				double by_x = x > 0 ? outside[y] : 0.0;
				double by_y = y > 0 ? outside[y - 1] : 0.0;

				outside[y] = (x * by_x + y * by_y) / (double) (x + y);
			}
		}
	}
	p = outside[n];
	pfree(outside);
	return p;
}

/*
 * Term j of Smirnov's sum below
 */
static double
tail_term(double statistic, double n, double j)
{
	double below = statistic + j / n;
	double above = 1.0 - statistic - j / n;
	double choose = lgamma(n + 1) - lgamma(j + 1) - lgamma(n - j + 1);

	if (above <= 0)
		return j == n ? exp(choose + (j - 1) * log(below)) : 0.0;
	return exp(choose + (j - 1) * log(below) + (n - j) * log(above));
}

/*
 * P(D+ >= statistic) of n values (N. V. Smirnov, 1944; Z. W. Birnbaum and F. H. Tingey, 1951): statistic times the sum over j up to n (1 - statistic)
 * of choose(n, j) (statistic + j/n)^(j-1) (1 - statistic - j/n)^(n-j). Of many the terms are one smooth hill that is nothing at both ends, so
 * every h-th of them, times h, is the sum but for what a double does not hold; where not even lgamma holds enough digits, the limit does.
 */
static double
one_sided_p(double statistic, double n)
{
	double last = floor(n * (1.0 - statistic));
	double step = n > SUMMED_TERMS ? last / SUMMED_TERMS : 1.0;
	double sum = 0;

	if (n > 1e7)
		return exp(-(6 * n * statistic + 1) * (6 * n * statistic + 1) / (18 * n));
	for (double j = 0; j <= last; j += step)
		sum += tail_term(statistic, n, j);
	return Min(1.0, statistic * step * sum);
}

/*
 * The distribution function for n values as a series in 1/sqrt(n) with four terms (W. Pelz and I. J. Good, Approximating the lower tail-areas of the
 * Kolmogorov-Smirnov one-sample statistic, 1976); the first is the limiting one
 */
static double
series_p(double statistic, double n)
{
	double z = statistic * sqrt(n);
	double z2 = z * z;
	double pi2 = M_PI * M_PI;
	double sums[4] = {0, 0, 0, 0};
	double more[2] = {0, 0};

	for (int k = 0; k < 100; k++)
	{
		double m2 = (2 * k + 1) * (2 * k + 1);
		double k2 = (double) k * k;
		double odd = exp(-m2 * pi2 / (8 * z2));
		double whole = exp(-k2 * pi2 / (2 * z2));

		if (whole == 0)
			break;
		sums[0] += odd;
		sums[1] += odd * (pi2 * m2 / 4 - z2);
		sums[2] += odd * (6 * z2 * z2 * z2 + 2 * z2 * z2 + pi2 * m2 / 4 * (2 * z2 * z2 - 5 * z2) +
						  pi2 * pi2 * m2 * m2 / 16 * (1 - 2 * z2));
		sums[3] +=
			odd * (-30 * z2 * z2 * z2 - 90 * z2 * z2 * z2 * z2 + pi2 * m2 / 4 * (135 * z2 * z2 - 96 * z2 * z2 * z2) +
				   pi2 * pi2 * m2 * m2 / 16 * (212 * z2 * z2 - 60 * z2) +
				   pi2 * pi2 * pi2 * m2 * m2 * m2 / 64 * (5 - 30 * z2));
		more[0] += whole * k2 * pi2;
		more[1] += whole * k2 * pi2 * (3 * z2 - k2 * pi2);
	}
	sums[0] /= z;
	sums[1] /= 6 * z2 * z2;
	sums[2] = sums[2] / (72 * pow(z, 7)) - more[0] / (36 * z2 * z);
	sums[3] = sums[3] / (6480 * pow(z, 10)) + more[1] / (216 * pow(z, 6));
	return 1.0 - sqrt(2 * M_PI) * (sums[0] + sums[1] / sqrt(n) + sums[2] / n + sums[3] / (n * sqrt(n)));
}

/*
 * Where samples are too large for the exact value, the distribution of one sample of n values: by the sum in the upper tail, where twice the one-sided
 * probability is all of it, by the series elsewhere
 */
static double
one_sample_p(double statistic, double n)
{
	double z2 = statistic * statistic * n;

	if (n < 1 || z2 < 0.01)
		return 1.0;
	if (z2 >= 370) /* below what a double holds */
		return 0.0;
	return Min(1.0, Max(0.0, z2 >= 2.2 ? 2 * one_sided_p(statistic, n) : series_p(statistic, n)));
}

double
fm_kolmogorov_smirnov_p(double statistic, double n1, double n2, bool quick)
{
	/* sums of weights are no numbers of values: only whole ones can be exact */
	if (Max(n1, n2) <= (quick ? MAX_EXACT_QUICK : MAX_EXACT) && n1 == floor(n1) && n2 == floor(n2) && n1 >= 1 &&
		n2 >= 1)
		return Min(1.0, exact_p(statistic, (int64) n1, (int64) n2));
	return one_sample_p(statistic, rint(n1 * n2 / (n1 + n2)));
}

/*
 * Upper tail of the chi-squared distribution: the regularized incomplete gamma function Q(k/2, x/2), by its series below the
 * mean and by Lentz's continued fraction above (Numerical Recipes' division of the plane; Abramowitz and Stegun 6.5.29, 6.5.31)
 */
double
fm_chi_squared_p(double statistic, double degrees_of_freedom)
{
	double a = degrees_of_freedom / 2;
	double x = statistic / 2;
	double front;

	if (degrees_of_freedom <= 0 || isnan(statistic))
		return NAN;
	if (x <= 0)
		return 1.0;
	if (isinf(x))
		return 0.0;
	front = exp(a * log(x) - x - lgamma(a));
	if (x < a + 1)
	{
		double term = 1 / a;
		double sum = term;

		for (double k = a + 1; term > sum * 1e-17 && k < a + 1000000; k++)
		{
			term *= x / k;
			sum += term;
		}
		return 1 - front * sum;
	}
	else
	{
		double b = x + 1 - a;
		double c = 1e300;
		double d = 1 / b;
		double fraction = d;

		for (int i = 1; i < 1000000; i++)
		{
			double an = -i * (i - a);
			double step;

			b += 2;
			d = an * d + b;
			if (fabs(d) < 1e-300)
				d = 1e-300;
			c = b + an / c;
			if (fabs(c) < 1e-300)
				c = 1e-300;
			d = 1 / d;
			step = d * c;
			fraction *= step;
			if (fabs(step - 1) < 1e-16)
				break;
		}
		return front * fraction;
	}
}
