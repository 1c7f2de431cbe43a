/*
 * p-values of the two tests
 */
#include "fm_core.h"

#include "drift/metrics.h"

#include <math.h>

/* Up to so many values a side the Kolmogorov-Smirnov probability is exact (as in SciPy's method "auto") */
#define MAX_EXACT 10000
#define MAX_EXACT_QUICK 200

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
 * Limiting distribution (Kolmogorov, 1933) for an effective number of values n, with the correction of J. Vrbik (Small-sample
 * corrections to Kolmogorov-Smirnov test statistic, 2018), which leaves an error of the order of 1/n^2
 */
static double
limiting_p(double statistic, double n)
{
	double z = statistic * sqrt(n);
	double sum = 0.0;

	z += 1.0 / (6.0 * sqrt(n)) + (z - 1.0) / (4.0 * n);
	if (z <= 0)
		return 1.0;
	if (z < 0.5)
	{
		/* the series of the other end converges here */
		double total = 0.0;

		for (int k = 1; k <= 20; k++)
			total += exp(-(2 * k - 1) * (2 * k - 1) * M_PI * M_PI / (8 * z * z));
		return 1.0 - sqrt(2 * M_PI) / z * total;
	}
	for (int k = 1; k <= 100; k++)
	{
		double term = exp(-2.0 * k * k * z * z);

		sum += k % 2 ? term : -term;
		if (term < 1e-18 * fabs(sum))
			break;
	}
	return Min(1.0, Max(0.0, 2.0 * sum));
}

double
fm_kolmogorov_smirnov_p(double statistic, double n1, double n2, bool quick)
{
	/* sums of weights are no numbers of values: only whole ones can be exact */
	if (Max(n1, n2) <= (quick ? MAX_EXACT_QUICK : MAX_EXACT) && n1 == floor(n1) && n2 == floor(n2) && n1 >= 1 && n2 >= 1)
		return Min(1.0, exact_p(statistic, (int64) n1, (int64) n2));
	return limiting_p(statistic, rint(n1 * n2 / (n1 + n2)));
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
