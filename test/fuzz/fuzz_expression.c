/* fuzz: -Wno-ignored-attributes test/fuzz/message.c src/validation/expression*.c src/schema/statistics_view.c src/schema/path.c src/message/[!m]*.c src/message/message.c src/fm_error.c src/pb */
/*
 * Fuzz target: expressions of custom validations, from text to a value. An input is the text.
 */
#include "message_fuzz.h"
#include "message/message_internal.h"
#include "statistics.pb-c.h"
#include "validation/expression.h"

static const char statistics[] =
	"path { step: \"x\" } type: STRING string_stats { common_stats { num_non_missing: 9 num_missing: 1 } unique: 3 "
	"top_values { value: \"a\" frequency: 5 } rank_histogram { buckets { label: \"a\" sample_count: 5 } "
	"buckets { low_rank: 1 high_rank: 1 label: \"b\\303\\251\" sample_count: 3 } buckets { sample_count: 1 } } } "
	"custom_stats { name: \"p99\" num: 7 } custom_stats { name: \"h\" histogram { buckets { low_value: -1 high_value: "
	"3 "
	"sample_count: 6 } buckets { low_value: 3 high_value: inf sample_count: 2 } } }";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FmError error = {0};
	FmExpressionInput inputs[2] = {{"feature", NULL}, {"feature_base", NULL}};
	char *text = palloc(size + 1);
	bool result;

	memcpy(text, data, size);
	text[size] = '\0';
	inputs[0].message =
		fm_message_parse_text(&tfmd__feature_name_statistics__descriptor, statistics, sizeof(statistics) - 1, &error);
	if (inputs[0].message == NULL)
		abort();
	inputs[1].message = inputs[0].message;
	/* the expressions of a configuration are UTF-8: the reader of the configuration sees to that */
	if (fm_is_utf8(text, strlen(text)) && !fm_expression_test(text, inputs, 2, &result, &error) &&
		(error.sqlstate == 0 || error.message == NULL))
		abort();
	arena_reset();
	return 0;
}
