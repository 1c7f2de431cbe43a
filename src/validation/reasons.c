/*
 * Reasons, their severity and their sum
 */
#include "fm_core.h"
#include "validation/reasons.h"

#include <stdarg.h>

static void
add(FmReasons *reasons, Tfmd__AnomalyInfo__Type type, const char *short_description, char *description, bool label_only)
{
	FmReason *reason;

	if (reasons->n == reasons->max)
	{
		reasons->max = reasons->max == 0 ? 4 : reasons->max * 2;
		reasons->reason = reasons->reason == NULL ? palloc(sizeof(FmReason) * reasons->max)
												  : repalloc(reasons->reason, sizeof(FmReason) * reasons->max);
	}
	reason = &reasons->reason[reasons->n++];
	reason->type = type;
	reason->short_description = short_description;
	reason->description = description;
	reason->label_only = label_only;
}

void
fm_add_reason(FmReasons *reasons, Tfmd__AnomalyInfo__Type type, const char *short_description, const char *description,
			  ...)
{
	va_list args;

	va_start(args, description);
	add(reasons, type, short_description, fm_format(description, args), false);
	va_end(args);
}

void
fm_add_label(FmReasons *reasons, Tfmd__AnomalyInfo__Type type, const char *short_description, const char *description,
			 ...)
{
	va_list args;

	va_start(args, description);
	add(reasons, type, short_description, fm_format(description, args), true);
	va_end(args);
}

/* An old field that configurations still set */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static bool
new_features_are_warnings(const Tfdv__ValidationConfig *config)
{
	return config != NULL && config->has_new_features_are_warnings && config->new_features_are_warnings;
}

#pragma GCC diagnostic pop

Tfmd__AnomalyInfo__Severity
fm_severity_of(const FmReasons *reasons, int from, const Tfdv__ValidationConfig *config)
{
	Tfmd__AnomalyInfo__Severity largest = TFMD__ANOMALY_INFO__SEVERITY__UNKNOWN;
	int i;

	for (i = from; i < reasons->n; i++)
	{
		Tfmd__AnomalyInfo__Type type = reasons->reason[i].type;
		Tfmd__AnomalyInfo__Severity severity = TFMD__ANOMALY_INFO__SEVERITY__ERROR;
		size_t k;

		if (new_features_are_warnings(config) && type == TFMD__ANOMALY_INFO__TYPE__SCHEMA_NEW_COLUMN)
			severity = TFMD__ANOMALY_INFO__SEVERITY__WARNING;
		for (k = 0; config != NULL && k < config->n_severity_overrides; k++)
			if (config->severity_overrides[k]->type == type)
				severity = config->severity_overrides[k]->severity;
		largest = Max(largest, severity);
	}
	return largest;
}

/* A struct that is new is told once, not again for each of its children */
static int
n_to_tell(const FmReasons *reasons)
{
	int i;

	for (i = 0; i < reasons->n; i++)
		if (reasons->reason[i].type != TFMD__ANOMALY_INFO__TYPE__SCHEMA_NEW_COLUMN)
			return reasons->n;
	return Min(reasons->n, 1);
}

Tfmd__AnomalyInfo *
fm_make_anomaly(const FmReasons *reasons, Tfmd__AnomalyInfo__Severity severity, const FmPath *path)
{
	Tfmd__AnomalyInfo *info = FM_NEW(Tfmd__AnomalyInfo, tfmd__anomaly_info);
	int n = n_to_tell(reasons);
	const char *label = "";
	int n_described = 0;
	StringInfoData joined;
	int i;

	initStringInfo(&joined);
	info->reason = palloc(sizeof(Tfmd__AnomalyInfo__Reason *) * Max(n, 1));
	for (i = 0; i < n; i++)
	{
		const FmReason *from = &reasons->reason[i];
		Tfmd__AnomalyInfo__Reason *to = FM_NEW(Tfmd__AnomalyInfo__Reason, tfmd__anomaly_info__reason);

		to->has_type = true;
		to->type = from->type;
		to->short_description = unconstify(char *, from->short_description);
		to->description = from->description;
		info->reason[info->n_reason++] = to;

		if (joined.len > 0)
			appendStringInfoChar(&joined, ' ');
		appendStringInfoString(&joined, from->description);

		/* In TFDV a reason without a description gives way to its neighbour, also to one of its own kind */
		if (!from->label_only)
			label = n_described++ == 0 ? from->short_description : "Multiple errors";
		else if (n_described == 0)
			label = from->short_description;
	}
	info->description = joined.data;
	info->short_description = unconstify(char *, label);
	info->has_severity = true;
	info->severity = severity;
	if (path != NULL)
		info->path = fm_path_to_message(path);
	return info;
}
