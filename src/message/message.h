/*
 * A protobuf message as a value: wire bytes, text format, JSON. Knows no domain: all of it works from
 * protobuf-c's descriptors.
 *
 * Messages are unpacked with palloc: they live and die with the current memory context. A message that is
 * built by hand uses the generated NAME__INIT macros and palloc too, its strings are UTF-8; strings and arrays in it
 * may be shared, nothing is ever freed piece by piece.
 */
#ifndef FM_MESSAGE_H
#define FM_MESSAGE_H

#include "fm_core.h"
#include <protobuf-c/protobuf-c.h>

/* Deepest nesting of messages that a reader accepts */
#define FM_MAX_MESSAGE_DEPTH 100

/*
 * Wire bytes -> message. NULL and *error filled in (22P03, 54001) when the bytes are not one: guarded before
 * protobuf-c sees them (depth, lengths, UTF-8, no NUL in strings). Unknown fields are kept.
 */
extern ProtobufCMessage *fm_message_unpack(const ProtobufCMessageDescriptor *descriptor, const uint8 *data, size_t size,
										   FmError *error);

/*
 * The same, but passes over some fields of strings, bytes or messages wherever they occur, told by their descriptors: for
 * who needs a part of a large message. What is passed over is not looked at.
 */
extern ProtobufCMessage *fm_message_unpack_part(const ProtobufCMessageDescriptor *descriptor, const uint8 *data,
												size_t size, const ProtobufCFieldDescriptor *const *left_out,
												int n_left_out, FmError *error);

/* Message -> wire bytes in canonical order (fields by number, map entries by key); palloc'd */
extern uint8 *fm_message_pack(const ProtobufCMessage *message, size_t *size);

/*
 * The same for a message that was built by hand: NULL and *error filled in when nobody could read the bytes again
 * (22021: a string is not UTF-8, 54001: nested too deeply)
 */
extern uint8 *fm_message_pack_checked(const ProtobufCMessage *message, size_t *size, FmError *error);

/* Text format -> message; NULL and *error filled in (22P02, 54001) */
extern ProtobufCMessage *fm_message_parse_text(const ProtobufCMessageDescriptor *descriptor, const char *text,
											   size_t size, FmError *error);

/* Message -> text format, byte for byte as Python's text_format.MessageToString prints it */
extern void fm_message_print_text(const ProtobufCMessage *message, StringInfo out);

/*
 * The same with a last line of wire bytes, as a comment, where text format would lose something of the message; and the
 * reader that takes it
 */
extern void fm_message_print_text_exactly(const ProtobufCMessage *message, StringInfo out);
extern ProtobufCMessage *fm_message_parse_text_exactly(const ProtobufCMessageDescriptor *descriptor, const char *text,
													   size_t size, FmError *error);

/*
 * JSON by protobuf's JSON mapping -> message; NULL and *error filled in (22P02, 54001). The text is in the database's
 * encoding; without a server it is UTF-8.
 */
extern ProtobufCMessage *fm_message_parse_json(const ProtobufCMessageDescriptor *descriptor, const char *text,
											   size_t size, FmError *error);

/*
 * Message -> JSON in UTF-8, fields by their original names; false and *error filled in (22023) when it has no JSON
 * form: a google.protobuf.Any of an unknown type, NaN or an infinity in a google.protobuf.Value
 */
extern bool fm_message_print_json(const ProtobufCMessage *message, StringInfo out, FmError *error);

/* A new empty message with the defaults of its fields set */
extern ProtobufCMessage *fm_message_new(const ProtobufCMessageDescriptor *descriptor);

/* A deep copy in the current memory context */
extern ProtobufCMessage *fm_message_copy(const ProtobufCMessage *message);

/*
 * Appends an element to a repeated field, whether the message was built or unpacked:
 *     FM_APPEND(schema->n_feature, schema->feature, feature);
 */
#define FM_APPEND(count, array, element)                                                                               \
	do                                                                                                                 \
	{                                                                                                                  \
		(array) = (count) == 0 ? palloc(sizeof(*(array))) : repalloc((array), sizeof(*(array)) * ((count) + 1));       \
		(array)[(count)++] = (element);                                                                                \
	} while (0)

/* A new message of a generated type, by palloc: Tfmd__Feature *f = FM_NEW(Tfmd__Feature, tfmd__feature); */
#define FM_NEW(Type, prefix) ((Type *) fm_message_new(&prefix##__descriptor))

#endif
