/*
 * The reasons found for one feature (or the data set), and what becomes of them in the result
 */
#ifndef FM_REASONS_H
#define FM_REASONS_H

#include "validation/validation.h"

typedef struct FmReason
{
	Tfmd__AnomalyInfo__Type type;
	const char *short_description;
	char *description;
	bool label_only; /* TFDV has no description for it, and its merge rule goes by that */
} FmReason;

typedef struct FmReasons
{
	int n;
	int max;
	FmReason *reason;
} FmReasons;

/* Adds a reason; short_description is not copied */
extern void fm_add_reason(FmReasons *reasons, Tfmd__AnomalyInfo__Type type, const char *short_description,
						  const char *description, ...) pg_attribute_printf(4, 5);

/* The same for a reason to which TFDV gives only a short description */
extern void fm_add_label(FmReasons *reasons, Tfmd__AnomalyInfo__Type type, const char *short_description,
						 const char *description, ...) pg_attribute_printf(4, 5);

/* The largest severity of the reasons from number "from" on: ERROR unless the configuration says otherwise */
extern Tfmd__AnomalyInfo__Severity fm_severity_of(const FmReasons *reasons, int from,
												  const Tfdv__ValidationConfig *config);

/* The entry of the result: reasons, and their sum by TFDV's merge rule. path NULL: the data set. */
extern Tfmd__AnomalyInfo *fm_make_anomaly(const FmReasons *reasons, Tfmd__AnomalyInfo__Severity severity,
										  const FmPath *path);

#endif
