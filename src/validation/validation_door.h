/*
 * What the files at the door of the room "validation" share
 */
#ifndef FM_VALIDATION_DOOR_H
#define FM_VALIDATION_DOOR_H

#include "fm_compat.h"
#include "validation/validation.h"

/* Argument n, NULL if it is */
extern char *fm_optional_text(FunctionCallInfo fcinfo, int n);
extern Tfmd__DatasetFeatureStatisticsList *fm_optional_statistics(FunctionCallInfo fcinfo, int n);

/* Configurations in protobuf text format; NULL gives NULL. Raises 22P02. */
extern const Tfdv__ValidationConfig *fm_parse_validation_config(const char *config);
extern const Tfdv__CustomValidationConfig *fm_parse_custom_validation_config(const char *config, const char *argument);

#endif
