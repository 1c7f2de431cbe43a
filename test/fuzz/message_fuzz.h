/*
 * What the fuzz targets of the message readers share
 */
#ifndef FM_MESSAGE_FUZZ_H
#define FM_MESSAGE_FUZZ_H

#include "arena.h"
#include "message/message.h"

#include <stdint.h>

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The message type that an input is read as, by its first byte */
extern const ProtobufCMessageDescriptor *fuzz_descriptor(uint8_t selector);

/* Ends the program with a report when the condition does not hold */
#define FUZZ_CHECK(condition)                                                                                          \
	do                                                                                                                 \
	{                                                                                                                  \
		if (!(condition))                                                                                              \
			fuzz_failed(#condition, __FILE__, __LINE__);                                                               \
	} while (0)
extern void fuzz_failed(const char *condition, const char *file, int line) pg_attribute_noreturn();

/*
 * What holds of every message that a reader accepts: packing is a fixpoint, a copy packs alike, the exact text is read
 * again as the same message, JSON as an equal one
 */
extern void fuzz_check_message(ProtobufCMessage *message);

/* What holds of every error: a code of the expected class, a message and a detail */
extern void fuzz_check_error(const FmError *error, int sqlstate);

#endif
