/*
 * Ids in order
 */
#include "lineage/ids.h"

#define ST_SORT SortInt64
#define ST_ELEMENT_TYPE int64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
fm_sort_ids(int64 *ids, size_t n)
{
	SortInt64(ids, n);
}

int64
fm_find_id(const int64 *ids, size_t n, int64 id)
{
	size_t low = 0;
	size_t high = n;

	while (low < high)
	{
		size_t middle = (low + high) / 2;

		if (ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && ids[low] == id ? (int64) low : -1;
}
