/*
 * The name nearest to a misspelt one
 *
 * The server has varstr_levenshtein (and from 16 on ClosestMatchState), but cores also run without a server.
 */
#include "fm_core.h"
#include "schema/nearest.h"

/* Longer names are not compared */
#define MAX_LENGTH 255

/*
 * Edit distance of two byte strings, letters compared without case; MAX_LENGTH + 1 if one is too long
 */
static int
edit_distance(const char *a, const char *b)
{
	int n = (int) strlen(a);
	int m = (int) strlen(b);
	int row[MAX_LENGTH + 1];
	int i;
	int j;

	if (n > MAX_LENGTH || m > MAX_LENGTH)
		return MAX_LENGTH + 1;
	for (j = 0; j <= m; j++)
		row[j] = j;
	for (i = 1; i <= n; i++)
	{
		int diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= m; j++)
		{
			int replace = diagonal + (pg_tolower((unsigned char) a[i - 1]) != pg_tolower((unsigned char) b[j - 1]));

			diagonal = row[j];
			row[j] = Min(replace, Min(row[j], row[j - 1]) + 1);
		}
	}
	return row[m];
}

void
fm_nearest_init(FmNearest *nearest, const char *wanted)
{
	nearest->wanted = wanted;
	nearest->best = NULL;
	nearest->distance = MAX_LENGTH + 1;
}

void
fm_nearest_offer(FmNearest *nearest, const char *candidate)
{
	int distance = edit_distance(nearest->wanted, candidate);

	if (distance < nearest->distance)
	{
		nearest->best = candidate;
		nearest->distance = distance;
	}
}

const char *
fm_nearest_get(const FmNearest *nearest)
{
	/* half of the name has to be right */
	if (nearest->best == NULL || nearest->distance > Max(3, (int) strlen(nearest->wanted) / 2))
		return NULL;
	return nearest->distance <= (int) strlen(nearest->wanted) ? nearest->best : NULL;
}
