/*
 * The name nearest to a misspelt one, for hints
 */
#ifndef FM_NEAREST_H
#define FM_NEAREST_H

typedef struct FmNearest
{
	const char *wanted;
	const char *best;
	int distance;
} FmNearest;

extern void fm_nearest_init(FmNearest *nearest, const char *wanted);

/* A candidate; it has to outlive the search */
extern void fm_nearest_offer(FmNearest *nearest, const char *candidate);

/* The best candidate, or NULL if none is near enough to be worth a hint */
extern const char *fm_nearest_get(const FmNearest *nearest);

#endif
