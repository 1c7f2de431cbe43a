/* fuzz: -Wno-ignored-attributes test/fuzz/message.c src/validation/expression*.c src/validation/[cdfnrs]*.c src/validation/validate.c src/drift/distance.c src/schema/statistics_view.c src/schema/path.c src/schema/lookup.c src/schema/nearest.c src/schema/infer.c src/schema/edit.c src/schema/update_domain.c src/schema/update.c src/message/[!m]*.c src/message/message.c src/fm_error.c src/pb */
/*
 * Fuzz target: validation of statistics by a schema that contradict each other and themselves. An input is a length of
 * two bytes, a schema of so many wire bytes, then statistics, which are also those to compare with.
 */
#include "message_fuzz.h"
#include "validation/validation.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FmValidation validation = {0};
	FmError error = {0};
	size_t length;

	if (size < 2)
		return 0;
	length = Min((size_t) (data[0] | data[1] << 8), size - 2);
	validation.schema = (const Tfmd__Schema *) fm_message_unpack(&tfmd__schema__descriptor, data + 2, length, &error);
	validation.statistics = (const Tfmd__DatasetFeatureStatisticsList *) fm_message_unpack(
		&tfmd__dataset_feature_statistics_list__descriptor, data + 2 + length, size - 2 - length, &error);
	validation.previous_statistics = validation.serving_statistics = validation.statistics;
	validation.previous_version_statistics = validation.statistics;
	if (validation.schema != NULL && validation.statistics != NULL)
	{
		Tfmd__Anomalies *anomalies = fm_validate_statistics(&validation, &error);

		if (anomalies == NULL && (error.sqlstate == 0 || error.message == NULL))
			abort();
		memset(&error, 0, sizeof(error));
		anomalies = fm_validate_corresponding_slices(&validation, &error);
		if (anomalies == NULL && (error.sqlstate == 0 || error.message == NULL))
			abort();
	}
	arena_reset();
	return 0;
}
