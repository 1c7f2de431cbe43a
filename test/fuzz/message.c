/*
 * What the fuzz targets of the message readers demand
 */
#include "message_fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "anomalies.pb-c.h"
#include "metadata_store.pb-c.h"
#include "schema.pb-c.h"
#include "statistics.pb-c.h"

void
fuzz_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

const ProtobufCMessageDescriptor *
fuzz_descriptor(uint8_t selector)
{
	switch (selector % 8)
	{
		case 0:
			return &tfmd__dataset_feature_statistics_list__descriptor;
		case 1:
			return &tfmd__anomalies__descriptor;
		case 2:
		case 3:
			return &mlmd__lineage_graph__descriptor;
		default:
			return &tfmd__schema__descriptor;
	}
}

static bool
same_wire(const ProtobufCMessage *message, const uint8 *wire, size_t size)
{
	size_t other_size;
	uint8 *other = fm_message_pack(message, &other_size);

	return other_size == size && memcmp(other, wire, size) == 0;
}

void
fuzz_check_message(ProtobufCMessage *message)
{
	FmError error = {0};
	size_t size;
	uint8 *wire = fm_message_pack(message, &size);
	ProtobufCMessage *again;
	StringInfoData text;
	StringInfoData json;

	again = fm_message_unpack(message->descriptor, wire, size, &error);
	FUZZ_CHECK(again != NULL);
	FUZZ_CHECK(same_wire(again, wire, size));
	FUZZ_CHECK(same_wire(fm_message_copy(message), wire, size));

	initStringInfo(&text);
	fm_message_print_text_exactly(message, &text);
	again = fm_message_parse_text_exactly(message->descriptor, text.data, text.len, &error);
	FUZZ_CHECK(again != NULL);
	FUZZ_CHECK(same_wire(again, wire, size));

	initStringInfo(&json);
	if (fm_message_print_json(message, &json, &error))
	{
		StringInfoData json_again;

		again = fm_message_parse_json(message->descriptor, json.data, json.len, &error);
		FUZZ_CHECK(again != NULL);
		initStringInfo(&json_again);
		FUZZ_CHECK(fm_message_print_json(again, &json_again, &error));
		FUZZ_CHECK(strcmp(json.data, json_again.data) == 0);
	}
	else
		fuzz_check_error(&error, ERRCODE_INVALID_PARAMETER_VALUE);
}

void
fuzz_check_error(const FmError *error, int sqlstate)
{
	FUZZ_CHECK(error->sqlstate == sqlstate || error->sqlstate == ERRCODE_STATEMENT_TOO_COMPLEX ||
			   error->sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED);
	FUZZ_CHECK(error->message != NULL && error->message[0] != '\0');
	FUZZ_CHECK(error->detail != NULL && error->detail[0] != '\0');
}
