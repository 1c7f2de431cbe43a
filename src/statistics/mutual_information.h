/*
 * Mutual information, in nats
 *
 * Of two categorical features by their definition; its expectation under permutations of the label by the hypergeometric
 * model (Vinh, Epps, Bailey: Information Theoretic Measures for Clusterings Comparison, JMLR 11, 2010). Of numeric
 * ones by nearest neighbours (Kraskov, Stoegbauer, Grassberger: Estimating mutual information, Phys. Rev. E 69, 2004;
 * Ross: Mutual Information between Discrete and Continuous Data Sets, PLoS ONE 9, 2014), with three neighbours as TFDV
 * takes them.
 */
#ifndef FM_MUTUAL_INFORMATION_H
#define FM_MUTUAL_INFORMATION_H

#include "fm_core.h"

/* How often category x and category y occur together; each pair once */
typedef struct FmPairCount
{
	int x;
	int y;
	double count;
} FmPairCount;

/* A table of counts with its margins */
typedef struct FmContingency
{
	int num_pairs;
	FmPairCount *pairs;
	int num_x;
	int num_y;
	double *x_count;
	double *y_count;
	double total;
} FmContingency;

/* Fills in the margins of a table whose pairs are given, x below num_x and y below num_y */
extern void fm_contingency_margins(FmContingency *table);

extern double fm_mutual_information(const FmContingency *table);
extern double fm_expected_mutual_information(const FmContingency *table);
extern double fm_entropy(const double *counts, int num_counts, double total);

/*
 * Estimates from n rows, never below 0; 0 if there are fewer rows than neighbours. The values are changed: scaled, and
 * shaken a little so that none are equal, from a fixed seed.
 */
extern double fm_mutual_information_numeric(double *x, double *y, int n);
extern double fm_mutual_information_mixed(double *x, const int *category, int n);

/* Shuffles, from a fixed seed */
extern void fm_shuffle_numbers(double *values, int n);
extern void fm_shuffle_categories(int *values, int n);

#endif
