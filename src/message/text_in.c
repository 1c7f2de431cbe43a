/*
 * Text format to messages, with the tokens, the grammar and the verdicts of Python's text_format.Parse
 *
 * Stricter than that in one thing: a string may not hold a zero byte, which would end it in C.
 */
#include "message/message_internal.h"

#include <ctype.h>
#include <math.h>

#include "google/protobuf/any.pb-c.h"

typedef struct TextParser
{
	const char *text;
	const char *end;
	const char *token; /* the current one; of length 0 at the end of the text */
	size_t length;
	bool unterminated;		/* the token is a string without its closing quote */
	StringInfoData scratch; /* for the string that is being read */
	FmBudget budget;
	FmError *error;
} TextParser;

/* No field or enum value has a name as long as this, with its zero byte */
#define MAX_FIELD_NAME 128

static bool parse_field(TextParser *parser, ProtobufCMessage *message, int depth);

static bool text_error(TextParser *parser, const char *place, const char *what, ...) pg_attribute_printf(3, 4);

/*
 * Adds the place
 */
static void
error_detail(TextParser *parser, const char *place, const char *what)
{
	int line;
	int column;

	fm_line_and_column(parser->text, place, &line, &column);
	fm_fail_detail(parser->error, "Line %d, column %d: %s.", line, column, what);
}

static bool
text_error(TextParser *parser, const char *place, const char *what, ...)
{
	if (parser->error->sqlstate == 0)
	{
		char *text;
		va_list args;

		va_start(args, what);
		text = fm_format(what, args);
		va_end(args);
		fm_fail(parser->error, ERRCODE_INVALID_TEXT_REPRESENTATION, "invalid text format of a protobuf message");
		error_detail(parser, place, text);
	}
	return false;
}

/*
 * How a token is named in an error
 */
static const char *
token_name(TextParser *parser)
{
	if (parser->length == 0)
		return "the end of the text";
	if (parser->token[0] == '"' || parser->token[0] == '\'')
		return fm_excerpt(parser->token, parser->length);
	return psprintf("\"%s\"", fm_excerpt(parser->token, parser->length));
}

/*
 * Length of the white space at p: that of ASCII and of Unicode; 0 if there is none
 */
static size_t
space_length(const char *p, const char *end)
{
	unsigned char c = *p;
	unsigned char d;

	if (c <= ' ')
		return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
	if (c < 0x80)
		return 0;
	d = p[1];
	if (c == 0xc2)
		return d == 0x85 || d == 0xa0 ? 2 : 0;
	if (end - p < 3)
		return 0;
	if (c == 0xe1)
		return d == 0x9a && (unsigned char) p[2] == 0x80 ? 3 : 0;
	if (c == 0xe2 && d == 0x80)
	{
		unsigned char e = p[2];

		return (e >= 0x80 && e <= 0x8a) || e == 0xa8 || e == 0xa9 || e == 0xaf ? 3 : 0;
	}
	if (c == 0xe2 && d == 0x81)
		return (unsigned char) p[2] == 0x9f ? 3 : 0;
	if (c == 0xe3)
		return d == 0x80 && (unsigned char) p[2] == 0x80 ? 3 : 0;
	return 0;
}

static bool
is_number_character(char c)
{
	return isalnum((unsigned char) c) || c == '_' || c == '.' || c == '+' || c == '-';
}

/*
 * Moves to the next token: a name, a number, a string with its quotes, or any other single character
 */
static void
next_token(TextParser *parser)
{
	const char *p = parser->token + parser->length;
	const char *end = parser->end;
	size_t space;

	while (p < end)
	{
		if (*p == '#')
		{
			p = memchr(p, '\n', end - p);
			if (p == NULL)
				p = end;
		}
		else if ((space = space_length(p, end)) > 0)
			p += space;
		else
			break;
	}

	parser->token = p;
	parser->unterminated = false;
	if (p == end)
		;
	else if (isalpha((unsigned char) *p) || *p == '_')
	{
		while (p < end && is_number_character(*p) && *p != '.')
			p++;
	}
	else if (isdigit((unsigned char) *p) || *p == '+' || *p == '-' ||
			 (*p == '.' && p + 1 < end && isdigit((unsigned char) p[1])))
	{
		while (p < end && is_number_character(*p))
			p++;
	}
	else if (*p == '"' || *p == '\'')
	{
		char quote = *p++;

		while (p < end && *p != quote && *p != '\n')
		{
			if (*p == '\\' && p + 1 < end && p[1] != '\n')
				p++;
			p++;
		}
		if (p < end && *p == quote)
			p++;
		else
			parser->unterminated = true;
	}
	else
	{
		p++;
		while (p < end && ((unsigned char) *p & 0xc0) == 0x80)
			p++;
	}
	parser->length = p - parser->token;
}

static bool
looking_at(TextParser *parser, char c)
{
	return parser->length == 1 && parser->token[0] == c;
}

static bool
try_consume(TextParser *parser, char c)
{
	if (!looking_at(parser, c))
		return false;
	next_token(parser);
	return true;
}

static bool
consume(TextParser *parser, char c)
{
	if (try_consume(parser, c))
		return true;
	return text_error(parser, parser->token, "expected \"%c\" but found %s", c, token_name(parser));
}

static bool
token_is(TextParser *parser, const char *word)
{
	return strlen(word) == parser->length && memcmp(parser->token, word, parser->length) == 0;
}

/*
 * Reads a name, appends it to the string
 */
static bool
consume_identifier(TextParser *parser, StringInfo out)
{
	if (parser->length == 0 || !(isalpha((unsigned char) parser->token[0]) || parser->token[0] == '_'))
		return text_error(parser, parser->token, "expected a name but found %s", token_name(parser));
	appendBinaryStringInfo(out, parser->token, (int) parser->length);
	next_token(parser);
	return true;
}

/*
 * Hex digits at p, at most max of them; their number is returned
 */
static int
read_hex(const char *p, const char *end, int max, uint32 *value)
{
	int n = 0;

	*value = 0;
	while (n < max && p + n < end && isxdigit((unsigned char) p[n]))
	{
		char c = p[n++];

		*value = *value * 16 + (isdigit((unsigned char) c) ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return n;
}

/*
 * Appends the string token without quotes and escapes
 *
 * An escape stands for a character up to 255, which is a byte; one beyond (\u, \U, octal) stays as its \u or \U form,
 * and an unknown escape as it is.
 */
static bool
unescape(TextParser *parser, StringInfo out)
{
	const char *p = parser->token + 1;
	const char *end = parser->token + parser->length - 1;

	enlargeStringInfo(out, (int) parser->length);
	while (p < end)
	{
		const char *start = p;
		const char *run = memchr(p, '\\', end - p);
		uint32 value;
		int n;

		if (run == NULL)
			run = end;
		appendBinaryStringInfo(out, p, (int) (run - p));
		if (run == end)
			break;
		start = run;
		p = run + 1;
		if (p == end)
			return text_error(parser, start, "the string ends in a backslash");
		switch (*p)
		{
			case '\\':
			case '\'':
			case '"':
				appendStringInfoChar(out, *p++);
				continue;
			case 'a':
				appendStringInfoChar(out, '\a');
				p++;
				continue;
			case 'b':
				appendStringInfoChar(out, '\b');
				p++;
				continue;
			case 'f':
				appendStringInfoChar(out, '\f');
				p++;
				continue;
			case 'n':
				appendStringInfoChar(out, '\n');
				p++;
				continue;
			case 'r':
				appendStringInfoChar(out, '\r');
				p++;
				continue;
			case 't':
				appendStringInfoChar(out, '\t');
				p++;
				continue;
			case 'v':
				appendStringInfoChar(out, '\v');
				p++;
				continue;
			case 'x':
				n = read_hex(p + 1, end, 2, &value);
				if (n == 0)
					return text_error(parser, start, "escape \\x has no hexadecimal digit");
				p += 1 + n;
				break;
			case 'u':
			case 'U':
			{
				int digits = *p == 'u' ? 4 : 8;

				if (read_hex(p + 1, end, digits, &value) < digits)
					return text_error(parser, start, "escape \\%c has fewer than %d hexadecimal digits", *p, digits);
				if (value > 0x10ffff)
					return text_error(parser, start, "escape \\U%08x is beyond the last character", value);
				p += 1 + digits;
				break;
			}
			case 'N':
				return text_error(parser, start, "escape \\N is not supported");
			default:
				if (*p < '0' || *p > '7')
				{
					appendStringInfoChar(out, '\\');
					continue;
				}
				value = 0;
				for (n = 0; n < 3 && p < end && *p >= '0' && *p <= '7'; n++)
					value = value * 8 + (*p++ - '0');
				break;
		}
		if (value < 0x100)
			appendStringInfoChar(out, (char) value);
		else if (value < 0x10000)
			appendStringInfo(out, "\\u%04x", value);
		else
			appendStringInfo(out, "\\U%08x", value);
	}
	return true;
}

/*
 * Reads a string of one or more tokens
 */
static bool
consume_string(TextParser *parser, StringInfo out)
{
	do
	{
		if (parser->length == 0 || (parser->token[0] != '"' && parser->token[0] != '\''))
			return text_error(parser, parser->token, "expected a string but found %s", token_name(parser));
		if (parser->unterminated)
			return text_error(parser, parser->token, "the string has no closing quote on its line");
		if (!unescape(parser, out))
			return false;
		next_token(parser);
	} while (parser->length > 0 && (parser->token[0] == '"' || parser->token[0] == '\''));
	return true;
}

/*
 * A floating point number; after it may stand the suffix f, of inf and nan also F
 */
static bool
read_double(const char *text, size_t length, double *value)
{
	if (fm_read_double(text, length, value))
		return true;
	if (length > 3 && (text[length - 1] | 0x20) == 'f' && isalpha((unsigned char) text[length - 2]) && text[0] != '+' &&
		fm_read_double(text, length - 1, value) && !(isnan(*value) && text[0] == '-'))
		return true;
	while (length > 0 && text[length - 1] == 'f')
		length--;
	return fm_read_double(text, length, value);
}

/*
 * Reads an enum value by its name or number
 */
static bool
consume_enum(TextParser *parser, const ProtobufCMessageDescriptor *descriptor, const ProtobufCFieldDescriptor *field,
			 int32 *value)
{
	const ProtobufCEnumDescriptor *type = FM_ENUM_DESCRIPTOR(field);
	bool negative;
	uint64 magnitude;
	bool overflow;

	if (fm_read_integer(parser->token, parser->length, false, &negative, &magnitude, &overflow))
	{
		if (overflow || !fm_integer_in_range(PROTOBUF_C_TYPE_INT32, negative, magnitude) ||
			(protobuf_c_enum_descriptor_get_value(type, (int32) (negative ? 0 - magnitude : magnitude)) == NULL &&
			 !fm_enum_is_open(descriptor)))
			return text_error(parser, parser->token, "enum %s has no value with the number %s", type->name,
							  fm_excerpt(parser->token, parser->length));
		*value = (int32) (negative ? 0 - magnitude : magnitude);
	}
	else
	{
		const ProtobufCEnumValue *found =
			protobuf_c_enum_descriptor_get_value_by_name(type, pnstrdup(parser->token, parser->length));

		if (found == NULL)
		{
			text_error(parser, parser->token, "enum %s has no value %s", type->name, token_name(parser));
			fm_hint_enum(parser->error, type, parser->token, parser->length);
			return false;
		}
		*value = found->value;
	}
	next_token(parser);
	return true;
}

/*
 * Reads the value of a field that is not a message
 */
static bool
parse_scalar(TextParser *parser, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const char *place = parser->token;
	void *slot;

	switch (field->type)
	{
		case PROTOBUF_C_TYPE_FLOAT:
		case PROTOBUF_C_TYPE_DOUBLE:
		{
			double value;

			if (!read_double(parser->token, parser->length, &value))
				return text_error(parser, place, "%s is not a number", token_name(parser));
			if ((slot = fm_field_slot(message, field, &parser->budget)) == NULL)
				return false;
			next_token(parser);
			if (field->type == PROTOBUF_C_TYPE_FLOAT)
				*(float *) slot = (float) value;
			else
				*(double *) slot = value;
			return true;
		}
		case PROTOBUF_C_TYPE_BOOL:
		{
			bool value =
				token_is(parser, "true") || token_is(parser, "t") || token_is(parser, "1") || token_is(parser, "True");

			if (!value && !token_is(parser, "false") && !token_is(parser, "f") && !token_is(parser, "0") &&
				!token_is(parser, "False"))
				return text_error(parser, place, "expected \"true\" or \"false\" but found %s", token_name(parser));
			if ((slot = fm_field_slot(message, field, &parser->budget)) == NULL)
				return false;
			*(protobuf_c_boolean *) slot = value;
			next_token(parser);
			return true;
		}
		case PROTOBUF_C_TYPE_ENUM:
		{
			int32 value = 0;

			if (!consume_enum(parser, message->descriptor, field, &value) ||
				(slot = fm_field_slot(message, field, &parser->budget)) == NULL)
				return false;
			*(int32 *) slot = value;
			return true;
		}
		case PROTOBUF_C_TYPE_STRING:
		case PROTOBUF_C_TYPE_BYTES:
		{
			StringInfo value = &parser->scratch;
			char *copy;

			resetStringInfo(value);
			if (!consume_string(parser, value) || !fm_budget_take(&parser->budget, value->len + 1))
				return false;
			if (field->type == PROTOBUF_C_TYPE_STRING && !fm_is_utf8(value->data, value->len))
			{
				if (memchr(value->data, '\0', value->len) != NULL)
					return text_error(parser, place, "string field \"%s\" contains a zero byte", field->name);
				return text_error(parser, place, "string field \"%s\" is not valid UTF-8", field->name);
			}
			if ((slot = fm_field_slot(message, field, &parser->budget)) == NULL)
				return false;
			copy = memcpy(palloc(value->len + 1), value->data, value->len + 1);
			if (field->type == PROTOBUF_C_TYPE_STRING)
				*(char **) slot = copy;
			else
				*(ProtobufCBinaryData *) slot = (ProtobufCBinaryData){value->len, (uint8 *) copy};
			return true;
		}
		default:
		{
			bool negative;
			uint64 magnitude;
			bool overflow;

			if (!fm_read_integer(parser->token, parser->length, true, &negative, &magnitude, &overflow))
				return text_error(parser, place, "%s is not an integer", token_name(parser));
			if (overflow || !fm_integer_in_range(field->type, negative, magnitude))
				return text_error(parser, place, "%s is out of range for field \"%s\"",
								  fm_excerpt(parser->token, parser->length), field->name);
			if ((slot = fm_field_slot(message, field, &parser->budget)) == NULL)
				return false;
			(void) fm_store_integer(field, slot, negative, magnitude);
			next_token(parser);
			return true;
		}
	}
}

/*
 * Reads fields up to the closing bracket, the opening one being the current token
 */
static bool
parse_body(TextParser *parser, ProtobufCMessage *message, int depth)
{
	const char *place = parser->token;
	char close = '}';

	if (depth > FM_MAX_MESSAGE_DEPTH)
	{
		fm_fail(parser->error, ERRCODE_STATEMENT_TOO_COMPLEX, "message is nested too deeply");
		error_detail(parser, place, psprintf("more than %d messages inside one another", FM_MAX_MESSAGE_DEPTH));
		return false;
	}
	if (try_consume(parser, '<'))
		close = '>';
	else if (!consume(parser, '{'))
		return false;
	while (!try_consume(parser, close))
	{
		if (parser->length == 0)
			return text_error(parser, parser->token, "expected \"%c\" but found the end of the text", close);
		if (!parse_field(parser, message, depth))
			return false;
	}
	return true;
}

/*
 * Reads one value of a field that is a message
 */
static bool
parse_message(TextParser *parser, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, int depth)
{
	ProtobufCMessage *sub;

	if (!looking_at(parser, '<') && !looking_at(parser, '{'))
		return consume(parser, '{');
	sub = fm_field_add_message(message, field, &parser->budget);
	return sub != NULL && parse_body(parser, sub, depth + 1) &&
		   (!fm_field_is_map(field) || fm_map_entry_complete(sub, &parser->budget));
}

/*
 * Reads an Any in its expanded form: [type.googleapis.com/full.name] { fields }
 */
static bool
parse_expanded_any(TextParser *parser, Gpb__Any *any, int depth)
{
	StringInfoData url;
	const char *name_place;
	const char *name;
	const ProtobufCMessageDescriptor *descriptor;
	ProtobufCMessage *message;
	size_t size;

	initStringInfo(&url);
	for (int i = 0; i < 3; i++)
	{
		if (!consume_identifier(parser, &url) || !consume(parser, i < 2 ? '.' : '/'))
			return false;
		appendStringInfoChar(&url, i < 2 ? '.' : '/');
	}
	name_place = parser->token;
	size = url.len;
	if (!consume_identifier(parser, &url))
		return false;
	while (try_consume(parser, '.'))
	{
		appendStringInfoChar(&url, '.');
		if (!consume_identifier(parser, &url))
			return false;
	}
	if (!consume(parser, ']'))
		return false;
	(void) try_consume(parser, ':');

	name = url.data + size;
	descriptor = fm_find_message(name, strlen(name));
	if (descriptor == NULL)
		return text_error(parser, name_place, "message type \"%s\" is not known", fm_excerpt(name, strlen(name)));
	if (!fm_budget_take(&parser->budget, descriptor->sizeof_message))
		return false;
	message = fm_message_new(descriptor);
	if (!parse_body(parser, message, depth + 1))
		return false;
	any->type_url = url.data;
	any->value.data = fm_message_pack(message, &size);
	any->value.len = size;
	return fm_budget_take(&parser->budget, size);
}

/*
 * Reads one field of the message: name, value or list of values, and a separator
 */
static bool
parse_field(TextParser *parser, ProtobufCMessage *message, int depth)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	const ProtobufCFieldDescriptor *field = NULL;
	const char *place = parser->token;
	bool is_message;

	CHECK_FOR_INTERRUPTS();
	if (looking_at(parser, '['))
	{
		next_token(parser);
		if (descriptor == &gpb__any__descriptor)
			return parse_expanded_any(parser, (Gpb__Any *) message, depth);
		return text_error(parser, place, "message %s has no extensions", descriptor->short_name);
	}

	if (isalnum((unsigned char) place[0]) || place[0] == '_')
	{
		char name[MAX_FIELD_NAME];

		size_t length = Min(parser->length, sizeof(name) - 1);

		memcpy(name, place, length);
		name[length] = '\0';
		field = protobuf_c_message_descriptor_get_field_by_name(descriptor, name);
		if (field == NULL)
		{
			text_error(parser, place, "message %s has no field \"%s\"", descriptor->short_name,
					   fm_excerpt(place, parser->length));
			fm_hint_field(parser->error, descriptor, place, parser->length);
			return false;
		}
	}
	else
		return text_error(parser, place, "expected a field name but found %s", token_name(parser));

	if (FM_IS_ONEOF(field) && FM_ONEOF_CASE(message, field) != 0 && FM_ONEOF_CASE(message, field) != field->id)
		return text_error(
			parser, place, "field \"%s\" excludes field \"%s\", another member of the same oneof of message %s",
			field->name, protobuf_c_message_descriptor_get_field(descriptor, FM_ONEOF_CASE(message, field))->name,
			descriptor->short_name);
	/* of a proto3 field only a value that is not zero counts as the first */
	if (field->label != PROTOBUF_C_LABEL_REPEATED && fm_field_is_set(message, field))
		return text_error(parser, place, "message %s has more than one field \"%s\"", descriptor->short_name,
						  field->name);
	next_token(parser);
	is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;
	if (!try_consume(parser, ':') && !is_message)
		return consume(parser, ':');

	if (field->label == PROTOBUF_C_LABEL_REPEATED && try_consume(parser, '['))
	{
		if (!try_consume(parser, ']'))
		{
			do
			{
				CHECK_FOR_INTERRUPTS();
				if (!(is_message ? parse_message(parser, message, field, depth) : parse_scalar(parser, message, field)))
					return false;
				if (try_consume(parser, ']'))
					break;
				if (!looking_at(parser, ','))
					return text_error(parser, parser->token, "expected \",\" or \"]\" but found %s",
									  token_name(parser));
				next_token(parser);
			} while (true);
		}
	}
	else if (!(is_message ? parse_message(parser, message, field, depth) : parse_scalar(parser, message, field)))
		return false;

	if (!try_consume(parser, ','))
		(void) try_consume(parser, ';');
	return true;
}

ProtobufCMessage *
fm_message_parse_text(const ProtobufCMessageDescriptor *descriptor, const char *text, size_t size, FmError *error)
{
	TextParser parser = {
		.text = text, .end = text + size, .token = text, .budget = fm_budget(size, error), .error = error};
	ProtobufCMessage *message;

	if (size > PG_INT32_MAX || !fm_is_utf8(text, size))
	{
		const char *zero = memchr(text, '\0', size);

		if (zero != NULL && fm_is_utf8(text, zero - text))
			text_error(&parser, zero, "the text contains a zero byte");
		else
			text_error(&parser, text, "the text is not valid UTF-8");
		return NULL;
	}
	message = fm_message_new(descriptor);
	initStringInfo(&parser.scratch);
	next_token(&parser);
	while (parser.length > 0)
		if (!parse_field(&parser, message, 0))
			return NULL;
	return message;
}
