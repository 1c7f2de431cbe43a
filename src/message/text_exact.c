/*
 * Text format from which the very same message can be read again
 *
 * Text format does not tell all: unknown fields, numbers of an enum without a name, the very bytes of an Any or a NaN
 * are missing in it. Where that is so a last line carries the wire bytes, as a comment that every reader of text format
 * passes over; ours takes them if they still print as the text before.
 */
#include "message/message_internal.h"

#include "common/base64.h"

#define WIRE_LINE "# wire: "

void
fm_message_print_text_exactly(const ProtobufCMessage *message, StringInfo out)
{
	size_t start = out->len;
	size_t size;
	uint8 *wire = fm_message_pack(message, &size);
	FmError error = {0};
	ProtobufCMessage *again;

	fm_message_print_text(message, out);
	again = fm_message_parse_text(message->descriptor, out->data + start, out->len - start, &error);
	if (again != NULL)
	{
		size_t again_size;
		uint8 *again_wire = fm_message_pack(again, &again_size);

		if (again_size == size && memcmp(again_wire, wire, size) == 0)
			return;
	}
	if (size < (size_t) 1 << 29)
	{
		int length = pg_b64_enc_len((int) size);

		appendStringInfoString(out, WIRE_LINE);
		enlargeStringInfo(out, length + 2);
		out->len += pg_b64_encode((const void *) wire, (int) size, out->data + out->len, length);
		appendStringInfoChar(out, '\n');
	}
}

/*
 * The message whose wire bytes stand in the last line, if it prints as the lines before
 */
static ProtobufCMessage *
read_wire_line(const ProtobufCMessageDescriptor *descriptor, const char *text, size_t size)
{
	const char *end = text + size;
	const char *line;
	int wire_size;
	uint8 *wire;
	FmError error = {0};
	ProtobufCMessage *message;
	StringInfoData printed;

	if (end > text && end[-1] == '\n')
		end--;
	for (line = end; line > text && line[-1] != '\n'; line--)
		;
	if ((size_t) (end - line) < strlen(WIRE_LINE) || strncmp(line, WIRE_LINE, strlen(WIRE_LINE)) != 0)
		return NULL;
	wire_size = pg_b64_dec_len((int) (end - line));
	wire = palloc(wire_size);
	wire_size =
		pg_b64_decode(line + strlen(WIRE_LINE), (int) (end - line - strlen(WIRE_LINE)), (void *) wire, wire_size);
	if (wire_size < 0 || (message = fm_message_unpack(descriptor, wire, wire_size, &error)) == NULL)
		return NULL;
	initStringInfo(&printed);
	fm_message_print_text(message, &printed);
	return printed.len == line - text && memcmp(printed.data, text, printed.len) == 0 ? message : NULL;
}

ProtobufCMessage *
fm_message_parse_text_exactly(const ProtobufCMessageDescriptor *descriptor, const char *text, size_t size,
							  FmError *error)
{
	ProtobufCMessage *message = read_wire_line(descriptor, text, size);

	return message != NULL ? message : fm_message_parse_text(descriptor, text, size, error);
}
