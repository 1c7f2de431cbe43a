/*
 * Semantic domains: does a column hold natural language, times or images?
 *
 * The three rules are those of TFDV's option enable_semantic_domain_stats (generators ImageStatsGenerator,
 * NLDomainInferringStatsGenerator and TimeStatsGenerator with their default thresholds). What a pass over the values
 * remembers is FmSemanticCounts; two of them merge.
 */
#ifndef FM_SEMANTIC_H
#define FM_SEMANTIC_H

#include "fm_core.h"
#include "statistics.pb-c.h"

#define FM_NUM_TIME_FORMATS 123 /* 17 dates, 3 times, 1 combined, each date with each time after T or a blank */
#define FM_NUM_UNIX_TIMES 5
#define FM_NUM_IMAGE_FORMATS 4

/* Only so many values of a pass are looked at for natural language, as TFDV does with each batch */
#define FM_LANGUAGE_VALUES 100

typedef enum FmSemanticKind
{
	FM_SEMANTIC_NONE,
	FM_SEMANTIC_TEXT,
	FM_SEMANTIC_INT
} FmSemanticKind;

/* All zero is the state before the first value */
typedef struct FmSemanticCounts
{
	uint64 num_values;						 /* all values, null elements of arrays too */
	uint64 unix_time[FM_NUM_UNIX_TIMES];	 /* integers that are a time between 1990 and 2030 in this unit */
	uint64 time_format[FM_NUM_TIME_FORMATS]; /* texts that match the pattern */
	uint64 first_match[FM_NUM_TIME_FORMATS]; /* 1 + number of the value that matched it first; 0: none */
	uint64 image[FM_NUM_IMAGE_FORMATS];		 /* bmp, gif, jpeg, png */
	uint64 language_values;					 /* values looked at for natural language */
	uint64 language_matches;
	bool not_time;	   /* an empty or invalid text, or a null element, was seen */
	bool not_language; /* invalid UTF-8 was seen among the values looked at */
} FmSemanticCounts;

/* Adds a value. Text is bytes of any kind, not necessarily valid UTF-8. */
extern void fm_semantic_add_text(FmSemanticCounts *counts, const char *data, size_t size, bool valid_utf8);
extern void fm_semantic_add_int(FmSemanticCounts *counts, int64 value);
extern void fm_semantic_add_null(FmSemanticCounts *counts);

/* counts += other, whose values come after those of counts */
extern void fm_semantic_merge(FmSemanticCounts *counts, const FmSemanticCounts *other);

/* Appends the custom statistics (domain_info and what goes with it) that the counts give; none below 100 values */
extern void fm_semantic_custom_stats(const FmSemanticCounts *counts, FmSemanticKind kind,
									 Tfmd__FeatureNameStatistics *feature);

/* Whether the whole text matches a strptime-like format (directives %a %b %B %d %f %H %m %M %S %y %Y) */
extern bool fm_matches_time_format(const char *format, const char *data, size_t size);

#endif
