/*
 * Tokens of a filter: ZetaSQL's identifiers, literals and comments, and MLMD's properties.NAME.FIELD
 */
#include "lineage/filter.h"
#include "mb/pg_wchar.h"

#include <math.h>

#define IS_DIGIT(c) ((c) >= '0' && (c) <= '9')
#define IS_WORD(c) (IS_DIGIT(c) || ((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z') || (c) == '_')

/* Longest first */
static const char *const symbols[] = {"<<", ">>", "<=", ">=", "<>", "!=", "=>", "||", "@@", "(", ")",
									  ",",	".",  "=",	"<",  ">",	"+",  "-",	"*",  "/",	"&", "|",
									  "^",	"~",  ";",	"[",  "]",	"{",  "}",	":",  "?",	"@"};

bool
fm_filter_fail(FmError *error, const char *input, int size, int position, int sqlstate, const char *message, ...)
{
	va_list args;
	char buffer[512];
	int line = 1;
	int column = 1;
	int length;

	if (error->sqlstate != 0)
		return false;
	va_start(args, message);
	vsnprintf(buffer, sizeof(buffer), message, args);
	va_end(args);
	/* the text may have been cut within a character */
	length = strlen(buffer);
	if (length == sizeof(buffer) - 1)
		while (length > 0 && (unsigned char) buffer[length - 1] >= 0x80)
			buffer[--length] = '\0';
	fm_fail(error, sqlstate, "invalid filter: %s", buffer);
	for (int i = 0; i < position && i < size; i++)
	{
		if (input[i] == '\n')
		{
			line++;
			column = 1;
		}
		else if ((input[i] & 0xC0) != 0x80)
			column++;
	}
	if (position >= size)
		fm_fail_detail(error, "Line %d, column %d: at the end of the filter.", line, column);
	else
	{
		int end = position;

		while (end < size && input[end] != '\n' && end - position < 40)
			end++;
		while (end < size && (input[end] & 0xC0) == 0x80)
			end++;
		fm_fail_detail(error, "Line %d, column %d: at or near \"%.*s\".", line, column, end - position,
					   input + position);
	}
	return false;
}

#define LEXER_FAIL(lexer, position, ...)                                                                               \
	fm_filter_fail((lexer)->error, (lexer)->input, (lexer)->size, position, ERRCODE_SYNTAX_ERROR, __VA_ARGS__)

/*
 * The byte at an offset from the current one, NUL past the end
 */
static char
PeekByte(const FmLexer *lexer, int ahead)
{
	return lexer->offset + ahead < lexer->size ? lexer->input[lexer->offset + ahead] : '\0';
}

/*
 * Past white space and comments
 */
static bool
SkipSpace(FmLexer *lexer)
{
	while (lexer->offset < lexer->size)
	{
		char c = PeekByte(lexer, 0);

		if (c == ' ' || (c >= '\t' && c <= '\r'))
			lexer->offset++;
		else if (c == '#' || (c == '-' && PeekByte(lexer, 1) == '-'))
		{
			while (lexer->offset < lexer->size && PeekByte(lexer, 0) != '\n')
				lexer->offset++;
		}
		else if (c == '/' && PeekByte(lexer, 1) == '*')
		{
			int start = lexer->offset;

			for (lexer->offset += 2; lexer->offset < lexer->size; lexer->offset++)
				if (PeekByte(lexer, 0) == '*' && PeekByte(lexer, 1) == '/')
					break;
			if (lexer->offset >= lexer->size)
				return LEXER_FAIL(lexer, start, "unclosed comment");
			lexer->offset += 2;
		}
		else
			break;
	}
	return true;
}

/*
 * Value of n digits of a base at p, -1 when they are not
 */
static int64
DigitsValue(const char *p, const char *end, int n, int base)
{
	int64 value = 0;

	for (int i = 0; i < n; i++)
	{
		int digit;

		if (p + i >= end)
			return -1;
		if (IS_DIGIT(p[i]))
			digit = p[i] - '0';
		else if ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f')
			digit = (p[i] | 0x20) - 'a' + 10;
		else
			return -1;
		if (digit >= base)
			return -1;
		value = value * base + digit;
	}
	return value;
}

/*
 * One escape sequence, whose backslash is at *p; moves *p past it
 */
static bool
ReadEscape(FmLexer *lexer, const char **p, const char *end, StringInfo out)
{
	static const char from[] = "abfnrtv\\?\"'`";
	static const char to[] = "\a\b\f\n\r\t\v\\?\"'`";
	const char *start = *p;
	char c = start + 1 < end ? start[1] : '\0';
	const char *simple = c == '\0' ? NULL : strchr(from, c);
	int64 value;
	int length;

	if (simple != NULL)
	{
		appendStringInfoChar(out, to[simple - from]);
		*p += 2;
		return true;
	}
	if (c == 'x' || c == 'X')
	{
		length = 4;
		value = DigitsValue(start + 2, end, 2, 16);
	}
	else if (c >= '0' && c <= '3')
	{
		length = 4;
		value = DigitsValue(start + 1, end, 3, 8);
	}
	else if (c == 'u')
	{
		length = 6;
		value = DigitsValue(start + 2, end, 4, 16);
	}
	else if (c == 'U')
	{
		length = 10;
		value = DigitsValue(start + 2, end, 8, 16);
	}
	else
		value = -1;
	if (value < 0 || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
		return LEXER_FAIL(lexer, start - lexer->input, "illegal escape sequence");
	if (value == 0)
		return LEXER_FAIL(lexer, start - lexer->input, "a string cannot hold the character U+0000");
	if (c == 'u' || c == 'U')
	{
		unsigned char utf8[8];

		unicode_to_utf8((pg_wchar) value, utf8);
		appendBinaryStringInfo(out, (char *) utf8, pg_utf_mblen(utf8));
	}
	else
		appendStringInfoChar(out, (char) value);
	*p += length;
	return true;
}

/*
 * Bytes between quotes -> palloc'd string, escapes resolved unless it is raw
 */
static char *
Unescape(FmLexer *lexer, int from, int to, bool raw)
{
	StringInfoData out;
	const char *p = lexer->input + from;
	const char *end = lexer->input + to;

	initStringInfo(&out);
	while (p < end)
	{
		if (*p == '\\' && !raw)
		{
			if (!ReadEscape(lexer, &p, end, &out))
				return NULL;
		}
		else
			appendStringInfoChar(&out, *p++);
	}
	/* \x and \ooo give bytes: they have to add up to UTF-8 */
	for (int i = 0; i < out.len;)
	{
		int length = pg_utf_mblen((unsigned char *) out.data + i);

		if (i + length > out.len || !pg_utf8_islegal((unsigned char *) out.data + i, length))
		{
			LEXER_FAIL(lexer, from, "string is not valid UTF-8");
			return NULL;
		}
		i += length;
	}
	return out.data;
}

/*
 * A string literal: '..', "..", three of either, with the prefixes r (raw) and b (bytes)
 */
static bool
ReadString(FmLexer *lexer, FmToken *token, int prefix_length)
{
	bool raw = false;
	char quote;
	int width = 1;
	int start;

	token->kind = FM_TOKEN_STRING;
	for (int i = 0; i < prefix_length; i++)
	{
		if ((PeekByte(lexer, i) | 0x20) == 'r')
			raw = true;
		else
			token->kind = FM_TOKEN_BYTES;
	}
	lexer->offset += prefix_length;
	quote = PeekByte(lexer, 0);
	if (PeekByte(lexer, 1) == quote && PeekByte(lexer, 2) == quote)
		width = 3;
	lexer->offset += width;
	start = lexer->offset;
	for (;; lexer->offset++)
	{
		char c = PeekByte(lexer, 0);

		if (lexer->offset >= lexer->size || (width == 1 && (c == '\n' || c == '\r')))
			return LEXER_FAIL(lexer, token->position, "unclosed string literal");
		if (c == '\\')
			lexer->offset++;
		else if (c == quote && (width == 1 || (PeekByte(lexer, 1) == quote && PeekByte(lexer, 2) == quote)))
			break;
	}
	token->text = Unescape(lexer, start, lexer->offset, raw);
	lexer->offset += width;
	return token->text != NULL;
}

/*
 * Length of the prefix of a string literal here, -1 if none starts here
 */
static int
StringPrefix(const FmLexer *lexer)
{
	int n = 0;
	bool seen_r = false;
	bool seen_b = false;

	for (; n < 3; n++)
	{
		char c = PeekByte(lexer, n);

		if (c == '\'' || c == '"')
			return n;
		c |= 0x20;
		if (c == 'r' && !seen_r)
			seen_r = true;
		else if (c == 'b' && !seen_b)
			seen_b = true;
		else
			return -1;
	}
	return -1;
}

/*
 * A number; nothing of a word may touch its end
 */
static bool
ReadNumber(FmLexer *lexer, FmToken *token)
{
	int start = lexer->offset;
	bool is_float = false;
	char *copy;

	if (PeekByte(lexer, 0) == '0' && (PeekByte(lexer, 1) | 0x20) == 'x' &&
		DigitsValue(lexer->input + start + 2, lexer->input + lexer->size, 1, 16) >= 0)
	{
		uint64 value = 0;

		for (lexer->offset += 2;; lexer->offset++)
		{
			int64 digit = DigitsValue(lexer->input + lexer->offset, lexer->input + lexer->size, 1, 16);

			if (digit < 0)
				break;
			if (value >> 60 != 0)
				return LEXER_FAIL(lexer, start, "integer literal is out of range");
			value = value * 16 + digit;
		}
		token->int_value = value;
	}
	else
	{
		while (IS_DIGIT(PeekByte(lexer, 0)))
			lexer->offset++;
		if (PeekByte(lexer, 0) == '.')
		{
			is_float = true;
			lexer->offset++;
			while (IS_DIGIT(PeekByte(lexer, 0)))
				lexer->offset++;
		}
		if ((PeekByte(lexer, 0) | 0x20) == 'e')
		{
			int sign = PeekByte(lexer, 1) == '+' || PeekByte(lexer, 1) == '-' ? 1 : 0;

			if (IS_DIGIT(PeekByte(lexer, 1 + sign)))
			{
				is_float = true;
				lexer->offset += 1 + sign;
				while (IS_DIGIT(PeekByte(lexer, 0)))
					lexer->offset++;
			}
		}
	}
	if (IS_WORD(PeekByte(lexer, 0)))
		return LEXER_FAIL(lexer, start, "a blank is missing after a number");
	token->kind = is_float ? FM_TOKEN_FLOAT : FM_TOKEN_INT;
	token->text = copy = pnstrdup(lexer->input + start, lexer->offset - start);
	if (is_float)
		token->double_value = strtod(copy, NULL); /* too large is infinity, too small is 0 */
	else if (copy[0] != '0' || (copy[1] | 0x20) != 'x')
	{
		errno = 0;
		token->int_value = strtou64(copy, NULL, 10);
		if (errno != 0)
			return LEXER_FAIL(lexer, start, "integer literal is out of range");
	}
	return true;
}

/*
 * What is in backquotes, the opening one being here
 */
static bool
ReadBackquoted(FmLexer *lexer, char **text)
{
	int start = lexer->offset++;

	while (lexer->offset < lexer->size && PeekByte(lexer, 0) != '`' && PeekByte(lexer, 0) != '\n')
		lexer->offset++;
	if (PeekByte(lexer, 0) != '`')
		return LEXER_FAIL(lexer, start, "unclosed identifier in backquotes");
	if (lexer->offset == start + 1)
		return LEXER_FAIL(lexer, start, "empty identifier");
	*text = Unescape(lexer, start + 1, lexer->offset, false);
	lexer->offset++;
	return *text != NULL;
}

/*
 * After the word properties or custom_properties: .NAME.FIELD in one piece. Leaves the offset alone, and the token a
 * plain identifier, when that does not follow.
 */
static bool
ReadProperty(FmLexer *lexer, FmToken *token)
{
	static const char *const fields[] = {"int_value", "double_value", "string_value", "bool_value"};
	int start = lexer->offset;
	char *name;

	if (PeekByte(lexer, 0) != '.')
		return true;
	lexer->offset++;
	if (PeekByte(lexer, 0) == '`')
	{
		if (!ReadBackquoted(lexer, &name))
			return false;
	}
	else
	{
		int from = lexer->offset;

		while (IS_WORD(PeekByte(lexer, 0)))
			lexer->offset++;
		name = pnstrdup(lexer->input + from, lexer->offset - from);
	}
	if (name[0] != '\0' && PeekByte(lexer, 0) == '.')
	{
		int from = ++lexer->offset;

		while (IS_WORD(PeekByte(lexer, 0)))
			lexer->offset++;
		for (size_t i = 0; i < lengthof(fields); i++)
		{
			int length = strlen(fields[i]);

			if (lexer->offset - from == length && memcmp(lexer->input + from, fields[i], length) == 0)
			{
				token->kind = FM_TOKEN_PROPERTY;
				token->custom = token->text[0] == 'c';
				token->text = name;
				token->field = fields[i];
				return true;
			}
		}
		LEXER_FAIL(lexer, lexer->offset == from ? lexer->offset : from, "a property has no such value");
		fm_fail_hint(lexer->error,
					 "Write properties.NAME.FIELD, FIELD being int_value, double_value, string_value or bool_value.");
		return false;
	}
	lexer->offset = start;
	return true;
}

bool
fm_filter_next_token(FmLexer *lexer, FmToken *token)
{
	char c;
	int prefix;

	memset(token, 0, sizeof(*token));
	if (!SkipSpace(lexer))
		return false;
	token->position = lexer->offset;
	if (lexer->offset >= lexer->size)
	{
		token->kind = FM_TOKEN_END;
		token->text = "";
		token->end = lexer->offset;
		return true;
	}
	c = PeekByte(lexer, 0);
	prefix = StringPrefix(lexer);
	if (prefix >= 0)
	{
		if (!ReadString(lexer, token, prefix))
			return false;
	}
	else if (IS_DIGIT(c) || (c == '.' && IS_DIGIT(PeekByte(lexer, 1))))
	{
		if (!ReadNumber(lexer, token))
			return false;
	}
	else if (IS_WORD(c))
	{
		while (IS_WORD(PeekByte(lexer, 0)))
			lexer->offset++;
		token->kind = FM_TOKEN_IDENT;
		token->text = pnstrdup(lexer->input + token->position, lexer->offset - token->position);
		if (strcmp(token->text, "properties") == 0 || strcmp(token->text, "custom_properties") == 0)
			if (!ReadProperty(lexer, token))
				return false;
	}
	else if (c == '`')
	{
		token->kind = FM_TOKEN_IDENT;
		token->quoted = true;
		if (!ReadBackquoted(lexer, &token->text))
			return false;
	}
	else
	{
		for (size_t i = 0; i < lengthof(symbols) && token->text == NULL; i++)
		{
			int length = strlen(symbols[i]);

			if (lexer->offset + length <= lexer->size && memcmp(lexer->input + lexer->offset, symbols[i], length) == 0)
			{
				token->kind = FM_TOKEN_SYMBOL;
				token->text = (char *) symbols[i];
				lexer->offset += length;
			}
		}
		if (token->text == NULL)
			return LEXER_FAIL(lexer, token->position, "illegal character");
	}
	token->end = lexer->offset;
	return true;
}
