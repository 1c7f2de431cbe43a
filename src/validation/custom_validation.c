#include "fm_core.h"
#include "validation/validation.h"
Tfmd__Anomalies *
fm_custom_validate(const Tfmd__DatasetFeatureStatisticsList *statistics,
										   const Tfmd__DatasetFeatureStatisticsList *base_statistics,
										   const Tfdv__CustomValidationConfig *config, const char *environment,
										   FmError *error)
{
	fm_fail(error, ERRCODE_FEATURE_NOT_SUPPORTED, "soon");
	return NULL;
}
