/*
 * Numbers in order, for arrays that hold no NaN
 */
#ifndef FM_DOUBLES_H
#define FM_DOUBLES_H

#include "fm_core.h"

/* For qsort and bsearch */
static inline int
fm_compare_doubles(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* Sorts and leaves each number once; gives how many there are */
static inline int
fm_sort_distinct_doubles(double *numbers, int n)
{
	int distinct = 0;

	qsort(numbers, n, sizeof(double), fm_compare_doubles);
	for (int i = 0; i < n; i++)
		if (distinct == 0 || numbers[distinct - 1] != numbers[i])
			numbers[distinct++] = numbers[i];
	return distinct;
}

#endif
