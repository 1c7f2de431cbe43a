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

/*
 * Statistics without what validation by a schema does not look at: half of them or more. Histograms are needed for
 * comparisons and for booleans that are floats.
 */
extern Tfmd__DatasetFeatureStatisticsList *fm_statistics_to_validate(Datum datum, bool histograms);
extern bool fm_schema_needs_histograms(const Tfmd__Schema *schema);

/* The result with the schema, given as stored, for its baseline */
extern Datum fm_anomalies_get_datum(Tfmd__Anomalies *anomalies, Datum schema);

/* Configurations in protobuf text format; NULL gives NULL. Raises 22P02. */
extern const Tfdv__ValidationConfig *fm_parse_validation_config(const char *config);
extern const Tfdv__CustomValidationConfig *fm_parse_custom_validation_config(const char *config, const char *argument);

#endif
