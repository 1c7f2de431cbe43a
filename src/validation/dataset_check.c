/*
 * The data set as a whole: its number of examples
 */
#include "fm_core.h"
#include "validation/checks.h"

#define ADD(type, ...) fm_add_reason(reasons, TFMD__ANOMALY_INFO__TYPE__##type, __VA_ARGS__)

static bool
compare_sizes(const FmCheck *check, const Tfmd__NumericValueComparator *comparator, const FmStatisticsView *control,
			  const char *control_name, FmReasons *reasons)
{
	double n = fm_view_num_examples(check->view);
	double n_control;

	if (comparator == NULL || (!comparator->has_min_fraction_threshold && !comparator->has_max_fraction_threshold))
		return true;
	if (!(n > 0))
		return fm_fail(check->error, ERRCODE_INVALID_PARAMETER_VALUE,
					   "the weighted number of examples of the statistics is not positive");
	if (control == NULL)
		return true;
	n_control = fm_view_num_examples(control);
	if (!(n_control >= 0))
		return fm_fail(check->error, ERRCODE_INVALID_PARAMETER_VALUE,
					   "the weighted number of examples of the %s is negative", control_name);
	if (comparator->has_max_fraction_threshold)
	{
		double threshold = comparator->max_fraction_threshold;

		if (n_control == 0)
			ADD(COMPARATOR_HIGH_NUM_EXAMPLES,
				psprintf("High num examples in current dataset versus the %s, which has 0.", control_name),
				"The data set has %g examples and the %s has 0, so that any number is high against it.", n,
				control_name);
		else if (n / n_control > threshold)
			ADD(COMPARATOR_HIGH_NUM_EXAMPLES,
				psprintf("High num examples in current dataset versus the %s.", control_name),
				"The data set has %g examples and the %s has %g, a ratio of %g (up to six significant digits), above "
				"the "
				"threshold %g.",
				n, control_name, n_control, n / n_control, threshold);
	}
	if (comparator->has_min_fraction_threshold && n_control != 0 && n / n_control < comparator->min_fraction_threshold)
		ADD(COMPARATOR_LOW_NUM_EXAMPLES, psprintf("Low num examples in current dataset versus the %s.", control_name),
			"The data set has %g examples and the %s has %g, a ratio of %g (up to six significant digits), below the "
			"threshold %g.",
			n, control_name, n_control, n / n_control, comparator->min_fraction_threshold);
	return true;
}

bool
fm_check_dataset(const FmCheck *check, FmReasons *reasons)
{
	const Tfmd__DatasetConstraints *constraints = check->schema->dataset_constraints;
	double n = fm_view_num_examples(check->view);

	if (constraints == NULL)
		return true;
	if (!compare_sizes(check, constraints->num_examples_drift_comparator, check->previous, "previous span", reasons) ||
		!compare_sizes(check, constraints->num_examples_version_comparator, check->previous_version, "previous version",
					   reasons))
		return false;

	/* a maximum without a minimum is not looked at by TFDV */
	if (!constraints->has_min_examples_count)
		return true;
	if (n < (double) constraints->min_examples_count)
		ADD(DATASET_LOW_NUM_EXAMPLES, "Low num examples in dataset.",
			"The data set has %g examples; the schema expects " INT64_FORMAT " or more.", n,
			constraints->min_examples_count);
	if (constraints->has_max_examples_count && n > (double) constraints->max_examples_count)
		ADD(DATASET_HIGH_NUM_EXAMPLES, "High num examples in dataset.",
			"The data set has %g examples; the schema allows " INT64_FORMAT " at most.", n,
			constraints->max_examples_count);
	return true;
}
