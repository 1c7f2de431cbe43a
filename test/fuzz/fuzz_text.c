/* fuzz: -Wno-ignored-attributes test/fuzz/message.c src/message/[!m]*.c src/message/message.c src/fm_error.c src/pb */
/*
 * Fuzz target: the reader of text format. The first byte of an input chooses the message type.
 */
#include "message_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FmError error = {0};
	const ProtobufCMessageDescriptor *descriptor;
	ProtobufCMessage *message;

	if (size == 0)
		return 0;
	descriptor = fuzz_descriptor(data[0]);
	message = fm_message_parse_text_exactly(descriptor, (const char *) data + 1, size - 1, &error);
	if (message != NULL)
		fuzz_check_message(message);
	else
		fuzz_check_error(&error, ERRCODE_INVALID_TEXT_REPRESENTATION);
	arena_reset();
	return 0;
}
