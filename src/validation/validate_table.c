/*
 * The rows of a relation against a schema: statistics in one pass, then validation
 */
#include "fm_core.h"
#include "fm_compat.h"
#include "message/message_type.h"
#include "schema/registry.h"
#include "statistics/arguments.h"
#include "statistics/statistics.h"
#include "validation/validation_door.h"

PG_FUNCTION_INFO_V1(validate_table);

/*
 * What of a schema the statistics have to know so that validation can look at what it says: sparse and weighted features,
 * categorical integers (their values), images (their sizes). The rest is left out: to TFDV a bool_domain given with the
 * statistics turns 0 and 1 into values without a range, so that a 2 is found no more.
 */
typedef struct Hints
{
	bool any;
	bool image_formats;
} Hints;

static bool
keep_feature(const Tfmd__Feature *feature, Hints *hints)
{
	switch (feature->domain_info_case)
	{
		case TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN:
			return feature->int_domain->has_is_categorical && feature->int_domain->is_categorical;
		case TFMD__FEATURE__DOMAIN_INFO_IMAGE_DOMAIN:
			hints->image_formats |= feature->image_domain->has_minimum_supported_image_fraction;
			return true;
		default:
			return false;
	}
}

static Tfmd__Feature **
kept_features(Tfmd__Feature **features, size_t n_features, size_t *n_kept, Hints *hints)
{
	Tfmd__Feature **kept = palloc(sizeof(Tfmd__Feature *) * Max(n_features, 1));
	size_t i;

	check_stack_depth();
	*n_kept = 0;
	for (i = 0; i < n_features; i++)
	{
		Tfmd__Feature *feature = features[i];

		if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN)
		{
			Tfmd__StructDomain *domain = palloc(sizeof(Tfmd__StructDomain));
			Tfmd__Feature *copy = palloc(sizeof(Tfmd__Feature));

			*domain = *feature->struct_domain;
			domain->feature = kept_features(domain->feature, domain->n_feature, &domain->n_feature, hints);
			hints->any |= domain->n_sparse_feature > 0;
			*copy = *feature;
			copy->struct_domain = domain;
			feature = copy;
		}
		else if (keep_feature(feature, hints))
			hints->any = true;
		else
			continue;
		kept[(*n_kept)++] = feature;
	}
	return kept;
}

/* NULL if the statistics need to know nothing */
static const Tfmd__Schema *
schema_for_statistics(const Tfmd__Schema *schema, Hints *hints)
{
	Tfmd__Schema *result = palloc(sizeof(Tfmd__Schema));

	*result = *schema;
	hints->any = schema->n_sparse_feature > 0 || schema->n_weighted_feature > 0;
	hints->image_formats = false;
	result->feature = kept_features(schema->feature, schema->n_feature, &result->n_feature, hints);
	return hints->any ? result : NULL;
}

/*
 * The formats of images come with guesses at the domains of all columns, for which nobody asked
 */
static void
drop_guesses(Tfmd__DatasetFeatureStatisticsList *statistics)
{
	size_t d;
	size_t f;
	size_t i;

	for (d = 0; d < statistics->n_datasets; d++)
		for (f = 0; f < statistics->datasets[d]->n_features; f++)
		{
			Tfmd__FeatureNameStatistics *feature = statistics->datasets[d]->features[f];
			size_t n = 0;

			for (i = 0; i < feature->n_custom_stats; i++)
				if (strcmp(feature->custom_stats[i]->name, "domain_info") != 0)
					feature->custom_stats[n++] = feature->custom_stats[i];
			feature->n_custom_stats = n;
		}
}

/*
 * validate_table(relation regclass, schema feature_schema, environment text, previous_statistics, serving_statistics,
 *     previous_version_statistics feature_statistics, config text, custom_validation_config text, filter text,
 *     weight_feature text, sample_rate double precision) RETURNS feature_anomalies
 *
 * validate_statistics of the rows that the caller may see (privileges and row security apply), read in one pass. Without a
 * schema the registered one is taken. filter: one boolean expression. NULL relation: NULL; other NULLs: not given.
 * Errors: those of generate_statistics and validate_statistics; 42704 no schema registered, or the environment is not in
 * it (told before a row is read).
 */
Datum
validate_table(PG_FUNCTION_ARGS)
{
	FmValidation validation = {0};
	FmStatisticsOptions options;
	FmError error = {0};
	Hints hints;
	Tfmd__DatasetFeatureStatisticsList *statistics;
	Tfmd__Anomalies *anomalies;
	Oid relid;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	relid = PG_GETARG_OID(0);
	if (PG_ARGISNULL(1))
	{
		FmRegisteredSchema registered = fm_need_registered_schema(relid, 0, NULL);

		validation.schema = (Tfmd__Schema *) fm_datum_get_message(registered.schema, &tfmd__schema__descriptor);
	}
	else
		validation.schema = PG_GETARG_FEATURE_SCHEMA(1);
	validation.environment = fm_optional_text(fcinfo, 2);
	if (!fm_check_environment(validation.schema, validation.environment, &error))
		fm_throw(&error, NULL);
	validation.previous_statistics = fm_optional_statistics(fcinfo, 3);
	validation.serving_statistics = fm_optional_statistics(fcinfo, 4);
	validation.previous_version_statistics = fm_optional_statistics(fcinfo, 5);
	validation.config = fm_parse_validation_config(fm_optional_text(fcinfo, 6));
	validation.custom_config =
		fm_parse_custom_validation_config(fm_optional_text(fcinfo, 7), "custom_validation_config");

	fm_statistics_options_init(&options);
	options.schema = schema_for_statistics(validation.schema, &hints);
	options.enable_semantic_domain_stats = hints.image_formats;
	options.weight_feature = fm_optional_text(fcinfo, 9);
	options.sample_rate = fm_arg_float8(fcinfo, 10, 1);
	if (!fm_statistics_options_check(&options, &error))
		fm_throw(&error, NULL);
	statistics = fm_relation_statistics(relid, fm_optional_text(fcinfo, 8), &options);
	if (hints.image_formats)
		drop_guesses(statistics);
	validation.statistics = statistics;

	anomalies = fm_validate_statistics(&validation, &error);
	if (anomalies == NULL)
		fm_throw(&error, NULL);
	PG_RETURN_MESSAGE(anomalies);
}
