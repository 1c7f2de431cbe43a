/*
 * What is wrong with data: the room "validation"
 *
 * Statistics and a schema in, anomalies out, with the types, severities, short descriptions, paths and figures of
 * TFDV's validate_statistics; descriptions are our own words for the same facts. Plain C on protobuf-c structs.
 */
#ifndef FM_VALIDATION_H
#define FM_VALIDATION_H

#include "schema/schema.h"

#include "custom_validation_config.pb-c.h"
#include "validation_config.pb-c.h"

typedef struct FmValidation
{
	const Tfmd__DatasetFeatureStatisticsList *statistics;
	const Tfmd__Schema *schema;
	const char *environment;											   /* NULL: none, every feature is in it */
	const Tfmd__DatasetFeatureStatisticsList *previous_statistics;		   /* drift; NULL: none */
	const Tfmd__DatasetFeatureStatisticsList *serving_statistics;		   /* skew; NULL: none */
	const Tfmd__DatasetFeatureStatisticsList *previous_version_statistics; /* number of examples; NULL: none */
	const Tfdv__ValidationConfig *config;								   /* severities; NULL: none */
	const Tfdv__CustomValidationConfig *custom_config;					   /* NULL: none */
} FmValidation;

/*
 * Compares statistics with a schema.
 *
 * The result shares the schema (as its baseline) and strings of the input. NULL and *error filled in: 42704 for an
 * environment the schema does not know; 22023 for statistics that TFDV refuses or dies of (no data set that stands
 * for the whole, features without statistics, a struct where the schema wants a number, ...); for custom
 * validations see fm_custom_validate.
 */
extern Tfmd__Anomalies *fm_validate_statistics(const FmValidation *validation, FmError *error);

/* Is the environment NULL or one of the schema's; else false and 42704 */
extern bool fm_check_environment(const Tfmd__Schema *schema, const char *environment, FmError *error);

/*
 * The same slice by slice: feature f of slice s is named "slice(s)::f", the schema is repeated for the slices of all
 * the statistics, dataset constraints are left out (TFDV's validate_corresponding_slices). config and custom_config
 * are not looked at.
 */
extern Tfmd__Anomalies *fm_validate_corresponding_slices(const FmValidation *validation, FmError *error);

/*
 * Evaluates the expressions of a configuration over the statistics (TFDV's custom_validate_statistics). A false
 * one makes a reason CUSTOM_VALIDATION; one that is NULL, no boolean, or cannot be read or computed is an error of
 * the whole call.
 */
extern Tfmd__Anomalies *fm_custom_validate(const Tfmd__DatasetFeatureStatisticsList *statistics,
										   const Tfmd__DatasetFeatureStatisticsList *base_statistics,
										   const Tfdv__CustomValidationConfig *config, const char *environment,
										   FmError *error);

#endif
