/*
 * features(feature_statistics): a row for each feature, for people and queries
 */
#include "fm_core.h"

#include <math.h>

#include "datatype/timestamp.h"
#include "fm_compat.h"
#include "fm_epoch.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "message/message_type.h"
#include "schema/schema.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(features_of_statistics);

/* Columns of the result, in order */
enum
{
	COL_DATASET,
	COL_PATH,
	COL_TYPE,
	COL_NUM_NON_MISSING,
	COL_NUM_MISSING,
	COL_MIN_NUM_VALUES,
	COL_MAX_NUM_VALUES,
	COL_AVG_NUM_VALUES,
	COL_TOT_NUM_VALUES,
	COL_MEAN,
	COL_STD_DEV,
	COL_NUM_ZEROS,
	COL_NUM_NAN,
	COL_MIN,
	COL_MEDIAN,
	COL_MAX,
	COL_EARLIEST,
	COL_LATEST,
	COL_UNIQUE,
	COL_TOP_VALUE,
	COL_TOP_FREQUENCY,
	COL_AVG_LENGTH,
	COL_IS_EXACT,
	NUM_COLUMNS
};

typedef struct Row
{
	Datum values[NUM_COLUMNS];
	bool nulls[NUM_COLUMNS];
} Row;

static void
SetDatum(Row *row, int column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
}

static void
SetInt(Row *row, int column, uint64 value)
{
	SetDatum(row, column, Int64GetDatum((int64) Min(value, (uint64) PG_INT64_MAX)));
}

static void
SetFloat(Row *row, int column, double value)
{
	SetDatum(row, column, Float8GetDatum(value));
}

/*
 * A text of a message, which is UTF-8, in the server's encoding
 */
static void
SetText(Row *row, int column, const char *text)
{
	SetDatum(row, column, CStringGetTextDatum(pg_any_to_server(text, strlen(text), PG_UTF8)));
}

/*
 * A number of a time domain as time, as the server prints it; NULL if it is outside the server's times
 */
static char *
TimeText(double value, const Tfmd__Feature *domain)
{
	double microseconds;

	if (!isfinite(value))
		return NULL;
	if (domain->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_TIME_OF_DAY_DOMAIN)
	{
		if (domain->time_of_day_domain->format_case != TFMD__TIME_OF_DAY_DOMAIN__FORMAT__NOT_SET || value < 0 ||
			value > USECS_PER_DAY)
			return NULL;
		return DatumGetCString(DirectFunctionCall1(time_out, TimeADTGetDatum((TimeADT) value)));
	}

	switch (domain->time_domain->integer_format)
	{
		case TFMD__TIME_DOMAIN__INTEGER_TIME_FORMAT__UNIX_DAYS:
			microseconds = value * USECS_PER_DAY;
			break;
		case TFMD__TIME_DOMAIN__INTEGER_TIME_FORMAT__UNIX_SECONDS:
			microseconds = value * USECS_PER_SEC;
			break;
		case TFMD__TIME_DOMAIN__INTEGER_TIME_FORMAT__UNIX_MILLISECONDS:
			microseconds = value * 1000;
			break;
		case TFMD__TIME_DOMAIN__INTEGER_TIME_FORMAT__UNIX_MICROSECONDS:
			microseconds = value;
			break;
		case TFMD__TIME_DOMAIN__INTEGER_TIME_FORMAT__UNIX_NANOSECONDS:
			microseconds = value / 1000;
			break;
		default:
			return NULL;
	}
	microseconds -= (double) FM_EPOCH_MICROSECONDS;
	if (microseconds < (double) MIN_TIMESTAMP || microseconds >= (double) END_TIMESTAMP)
		return NULL;

	if (domain->time_domain->integer_format == TFMD__TIME_DOMAIN__INTEGER_TIME_FORMAT__UNIX_DAYS)
		return DatumGetCString(
			DirectFunctionCall1(date_out, DateADTGetDatum((DateADT) (microseconds / USECS_PER_DAY))));
	return DatumGetCString(DirectFunctionCall1(timestamp_out, TimestampGetDatum((Timestamp) microseconds)));
}

/*
 * The time domain that a feature's custom statistics tell, in a feature of a schema; NULL if there is none
 */
static Tfmd__Feature *
TimeDomainOf(const Tfmd__FeatureNameStatistics *statistics)
{
	for (size_t i = 0; i < statistics->n_custom_stats; i++)
	{
		const Tfmd__CustomStatistic *custom = statistics->custom_stats[i];
		FmError error = {0};
		Tfmd__Feature *feature;

		if (strcmp(custom->name, "domain_info") != 0 || custom->val_case != TFMD__CUSTOM_STATISTIC__VAL_STR)
			continue;
		feature = (Tfmd__Feature *) fm_message_parse_text(&tfmd__feature__descriptor, custom->str, strlen(custom->str),
														  &error);
		if (feature == NULL)
			continue;
		if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_TIME_OF_DAY_DOMAIN ||
			(feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_TIME_DOMAIN &&
			 feature->time_domain->format_case == TFMD__TIME_DOMAIN__FORMAT_INTEGER_FORMAT))
			return feature;
	}
	return NULL;
}

static void
SetCommon(Row *row, const Tfmd__CommonStatistics *common)
{
	if (common == NULL)
		return;
	SetInt(row, COL_NUM_NON_MISSING, common->num_non_missing);
	SetInt(row, COL_NUM_MISSING, common->num_missing);
	if (common->num_non_missing == 0)
		return;
	SetInt(row, COL_MIN_NUM_VALUES, common->min_num_values);
	SetInt(row, COL_MAX_NUM_VALUES, common->max_num_values);
	SetFloat(row, COL_AVG_NUM_VALUES, common->avg_num_values);
	SetInt(row, COL_TOT_NUM_VALUES, common->tot_num_values);
}

static void
SetNumeric(Row *row, const Tfmd__NumericStatistics *numeric, const Tfmd__Feature *time_domain)
{
	uint64 num_nan = numeric->n_histograms > 0 ? numeric->histograms[0]->num_nan : 0;
	uint64 num_values = numeric->common_stats == NULL ? 0 : numeric->common_stats->tot_num_values;

	SetCommon(row, numeric->common_stats);
	SetInt(row, COL_NUM_NAN, num_nan);
	for (size_t i = 0; i < numeric->n_histograms; i++)
	{
		if (*numeric->histograms[i]->name != '\0')
			SetDatum(row, COL_IS_EXACT, BoolGetDatum(false));
	}
	if (num_values <= num_nan)
		return;

	SetFloat(row, COL_MEAN, numeric->mean);
	SetFloat(row, COL_STD_DEV, numeric->std_dev);
	SetInt(row, COL_NUM_ZEROS, numeric->num_zeros);
	SetFloat(row, COL_MIN, numeric->min);
	if (!isnan(numeric->median))
		SetFloat(row, COL_MEDIAN, numeric->median);
	SetFloat(row, COL_MAX, numeric->max);
	if (time_domain != NULL && TimeText(numeric->min, time_domain) != NULL)
		SetText(row, COL_EARLIEST, TimeText(numeric->min, time_domain));
	if (time_domain != NULL && TimeText(numeric->max, time_domain) != NULL)
		SetText(row, COL_LATEST, TimeText(numeric->max, time_domain));
}

static void
SetString(Row *row, const Tfmd__StringStatistics *string)
{
	SetCommon(row, string->common_stats);
	SetInt(row, COL_UNIQUE, string->unique);
	if (string->n_top_values > 0)
	{
		SetText(row, COL_TOP_VALUE, string->top_values[0]->value);
		SetFloat(row, COL_TOP_FREQUENCY, string->top_values[0]->frequency);
	}
	SetFloat(row, COL_AVG_LENGTH, string->avg_length);
	if (string->rank_histogram != NULL && *string->rank_histogram->name != '\0')
		SetDatum(row, COL_IS_EXACT, BoolGetDatum(false));
}

static char *
SerializedPath(const Tfmd__FeatureNameStatistics *statistics)
{
	FmPath path;

	if (statistics->field_id_case == TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_PATH)
		path = fm_path_from_message(statistics->path);
	else
		path = fm_path_child(NULL, statistics->name);
	return fm_path_serialize(&path);
}

static void
SetFeature(Row *row, const Tfmd__FeatureNameStatistics *feature)
{
	SetText(row, COL_PATH, SerializedPath(feature));
	/* sparse and weighted features have custom statistics only, and no type */
	if (feature->stats_case != TFMD__FEATURE_NAME_STATISTICS__STATS__NOT_SET)
	{
		SetText(row, COL_TYPE, fm_enum_name(&tfmd__feature_name_statistics__type__descriptor, feature->type));
		SetDatum(row, COL_IS_EXACT, BoolGetDatum(true));
	}

	switch (feature->stats_case)
	{
		case TFMD__FEATURE_NAME_STATISTICS__STATS_NUM_STATS:
			SetNumeric(row, feature->num_stats, TimeDomainOf(feature));
			break;
		case TFMD__FEATURE_NAME_STATISTICS__STATS_STRING_STATS:
			SetString(row, feature->string_stats);
			break;
		case TFMD__FEATURE_NAME_STATISTICS__STATS_BYTES_STATS:
			SetCommon(row, feature->bytes_stats->common_stats);
			SetInt(row, COL_UNIQUE, feature->bytes_stats->unique);
			SetFloat(row, COL_AVG_LENGTH, feature->bytes_stats->avg_num_bytes);
			break;
		case TFMD__FEATURE_NAME_STATISTICS__STATS_STRUCT_STATS:
			SetCommon(row, feature->struct_stats->common_stats);
			break;
		default:
			break;
	}
}

/*
 * features(statistics feature_statistics) RETURNS SETOF record
 *
 * The figures of each feature of each data set, in their order; what a feature does not have is NULL. Numbers of a time
 * domain are shown as times too (earliest, latest). is_exact is false where some figure is an estimate of a sketch.
 */
Datum
features_of_statistics(PG_FUNCTION_ARGS)
{
	Tfmd__DatasetFeatureStatisticsList *list = PG_GETARG_FEATURE_STATISTICS(0);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (size_t i = 0; i < list->n_datasets; i++)
	{
		for (size_t j = 0; j < list->datasets[i]->n_features; j++)
		{
			Row row;

			CHECK_FOR_INTERRUPTS();
			memset(row.nulls, true, sizeof(row.nulls));
			if (*list->datasets[i]->name != '\0')
				SetText(&row, COL_DATASET, list->datasets[i]->name);
			SetFeature(&row, list->datasets[i]->features[j]);
			tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.nulls);
		}
	}
	return (Datum) 0;
}
