/*
 * The words of an expression: identifiers, literals with all their escapes, symbols, comments
 */
#include "fm_core.h"
#include "validation/expression_lexer.h"

#include "mb/pg_wchar.h"

#include <math.h>

static const char *const reserved_words[] = {
	"ALL",		"AND",	   "ANY",		"ARRAY",	 "AS",			"ASC",		 "ASSERT_ROWS_MODIFIED",
	"AT",		"BETWEEN", "BY",		"CASE",		 "CAST",		"COLLATE",	 "CONTAINS",
	"CREATE",	"CROSS",   "CUBE",		"CURRENT",	 "DEFAULT",		"DEFINE",	 "DESC",
	"DISTINCT", "ELSE",	   "END",		"ENUM",		 "ESCAPE",		"EXCEPT",	 "EXCLUDE",
	"EXISTS",	"EXTRACT", "FALSE",		"FETCH",	 "FOLLOWING",	"FOR",		 "FROM",
	"FULL",		"GROUP",   "GROUPING",	"GROUPS",	 "HASH",		"HAVING",	 "IF",
	"IGNORE",	"IN",	   "INNER",		"INTERSECT", "INTERVAL",	"INTO",		 "IS",
	"JOIN",		"LATERAL", "LEFT",		"LIKE",		 "LIMIT",		"LOOKUP",	 "MERGE",
	"NATURAL",	"NEW",	   "NO",		"NOT",		 "NULL",		"NULLS",	 "OF",
	"ON",		"OR",	   "ORDER",		"OUTER",	 "OVER",		"PARTITION", "PRECEDING",
	"PROTO",	"RANGE",   "RECURSIVE", "RESPECT",	 "RIGHT",		"ROLLUP",	 "ROWS",
	"SELECT",	"SET",	   "SOME",		"STRUCT",	 "TABLESAMPLE", "THEN",		 "TO",
	"TREAT",	"TRUE",	   "UNBOUNDED", "UNION",	 "UNNEST",		"USING",	 "WHEN",
	"WHERE",	"WINDOW",  "WITH",		"WITHIN",
};

bool
fm_expression_reserved(const char *word)
{
	size_t i;

	for (i = 0; i < lengthof(reserved_words); i++)
		if (pg_strcasecmp(word, reserved_words[i]) == 0)
			return true;
	return false;
}

static bool
starts_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The place after blanks and comments; -1 and the error filled in for a comment without end */
static int
skip_blanks(FmEvaluation *evaluation, int offset)
{
	const char *text = evaluation->text;

	for (;;)
	{
		const char *c = text + offset;

		if (*c == ' ' || (*c >= '\t' && *c <= '\r'))
			offset++;
		else if (*c == '#' || (c[0] == '-' && c[1] == '-'))
			offset += (int) strcspn(c, "\r\n");
		else if (c[0] == '/' && c[1] == '*')
		{
			const char *end = strstr(c + 2, "*/");

			if (end == NULL)
			{
				fm_expression_fail(evaluation, offset, ERRCODE_SYNTAX_ERROR, "comment has no end");
				return -1;
			}
			offset = (int) (end + 2 - text);
		}
		else
			return offset;
	}
}

static bool
read_number(FmEvaluation *evaluation, FmToken *token)
{
	const char *start = evaluation->text + token->position;
	const char *c = start;
	bool is_float = false;

	if (c[0] == '0' && (c[1] == 'x' || c[1] == 'X') && hex_value(c[2]) >= 0)
	{
		uint64 value = 0;

		for (c += 2; hex_value(*c) >= 0; c++)
		{
			if (value >> 60 != 0)
				return fm_expression_fail(evaluation, token->position, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
										  "integer literal is out of range");
			value = value * 16 + hex_value(*c);
		}
		token->kind = FM_TOKEN_INTEGER;
		token->natural = value;
	}
	else
	{
		while (is_digit(*c))
			c++;
		if (*c == '.')
		{
			is_float = true;
			for (c++; is_digit(*c); c++)
				;
		}
		if (*c == 'e' || *c == 'E')
		{
			const char *e = c + 1;

			if (*e == '+' || *e == '-')
				e++;
			if (is_digit(*e))
			{
				is_float = true;
				for (c = e; is_digit(*c); c++)
					;
			}
		}
		token->kind = is_float ? FM_TOKEN_FLOAT : FM_TOKEN_INTEGER;
		if (is_float)
			token->number = strtod(start, NULL);
		else
		{
			uint64 value = 0;
			const char *digit;

			for (digit = start; digit < c; digit++)
			{
				if (value > (PG_UINT64_MAX - (*digit - '0')) / 10)
					return fm_expression_fail(evaluation, token->position, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
											  "integer literal is out of range");
				value = value * 10 + (*digit - '0');
			}
			token->natural = value;
		}
	}
	if (starts_name(*c) || is_digit(*c))
		return fm_expression_fail(evaluation, (int) (c - evaluation->text), ERRCODE_SYNTAX_ERROR,
								  "no blank between a number and a name");
	token->end = (int) (c - evaluation->text);
	return true;
}

static void
append_code_point(StringInfo out, uint32 code)
{
	unsigned char utf8[5] = {0};

	if (code < 0x80)
		utf8[0] = (unsigned char) code;
	else if (code < 0x800)
	{
		utf8[0] = 0xC0 | (code >> 6);
		utf8[1] = 0x80 | (code & 0x3F);
	}
	else if (code < 0x10000)
	{
		utf8[0] = 0xE0 | (code >> 12);
		utf8[1] = 0x80 | ((code >> 6) & 0x3F);
		utf8[2] = 0x80 | (code & 0x3F);
	}
	else
	{
		utf8[0] = 0xF0 | (code >> 18);
		utf8[1] = 0x80 | ((code >> 12) & 0x3F);
		utf8[2] = 0x80 | ((code >> 6) & 0x3F);
		utf8[3] = 0x80 | (code & 0x3F);
	}
	appendStringInfoString(out, (char *) utf8);
}

/* n digits of a base (8 or 16) at *c; false if there are fewer */
static bool
read_digits(const char *c, int n, int base, uint32 *value)
{
	int i;

	*value = 0;
	for (i = 0; i < n; i++)
	{
		int digit = hex_value(c[i]);

		if (digit < 0 || digit >= base)
			return false;
		*value = *value * base + digit;
	}
	return true;
}

/*
 * One escape sequence, *c on the character after the backslash; false if it is none
 */
static bool
read_escape(const char **c, bool bytes, StringInfo out)
{
	static const char simple[] = "a\ab\bf\fn\nr\rt\tv\v\\\\??\"\"''``";
	uint32 code;
	int i;

	for (i = 0; simple[i] != '\0'; i += 2)
		if (**c == simple[i])
		{
			appendStringInfoChar(out, simple[i + 1]);
			(*c)++;
			return true;
		}
	if (**c >= '0' && **c <= '3' && read_digits(*c, 3, 8, &code))
		*c += 3;
	else if ((**c == 'x' || **c == 'X') && read_digits(*c + 1, 2, 16, &code))
		*c += 3;
	else if (!bytes &&
			 ((**c == 'u' && read_digits(*c + 1, 4, 16, &code)) || (**c == 'U' && read_digits(*c + 1, 8, 16, &code))))
	{
		*c += **c == 'u' ? 5 : 9;
		if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
			return false;
		if (code == 0)
			return false;
		append_code_point(out, code);
		return true;
	}
	else
		return false;
	if (!bytes && code == 0)
		return false;
	if (bytes)
		appendStringInfoChar(out, (char) code);
	else
		append_code_point(out, code);
	return true;
}

/*
 * A literal in quotes, c on the opening quote
 */
static bool
read_quoted(FmEvaluation *evaluation, const char *c, bool raw, bool bytes, FmToken *token)
{
	const char *text = evaluation->text;
	int start = (int) (c - text);
	char quote = *c;
	bool triple = quote != '`' && c[1] == quote && c[2] == quote;
	StringInfoData out;

	initStringInfo(&out);
	c += triple ? 3 : 1;
	for (;;)
	{
		if (*c == '\0' || (!triple && (*c == '\n' || *c == '\r')))
			return fm_expression_fail(evaluation, start, ERRCODE_SYNTAX_ERROR, "quoted text has no end");
		if (*c == quote && (!triple || (c[1] == quote && c[2] == quote)))
			break;
		if (*c != '\\')
		{
			/* line ends are one character inside triple quotes */
			if (*c == '\r')
			{
				appendStringInfoChar(&out, '\n');
				c += c[1] == '\n' ? 2 : 1;
			}
			else
				appendStringInfoChar(&out, *c++);
		}
		else if (raw)
		{
			appendStringInfoChar(&out, *c++);
			if (*c == '\0' || (!triple && (*c == '\n' || *c == '\r')))
				continue;
			appendStringInfoChar(&out, *c++);
		}
		else
		{
			const char *escape = c++;

			if (!read_escape(&c, bytes, &out))
				return fm_expression_fail(evaluation, (int) (escape - text), ERRCODE_SYNTAX_ERROR,
										  "escape sequence is not known");
		}
	}
	token->end = (int) (c - text) + (triple ? 3 : 1);
	token->text = out.data;
	token->length = out.len;
	return true;
}

/* The prefixes r and b of a literal, in any order and case */
static bool
read_prefixed(FmEvaluation *evaluation, FmToken *token, bool *is_literal)
{
	const char *c = evaluation->text + token->position;
	bool raw = false;
	bool bytes = false;

	*is_literal = false;
	for (;; c++)
	{
		if ((*c == 'r' || *c == 'R') && !raw)
			raw = true;
		else if ((*c == 'b' || *c == 'B') && !bytes)
			bytes = true;
		else
			break;
	}
	if (*c != '\'' && *c != '"')
		return true;
	*is_literal = true;
	token->kind = bytes ? FM_TOKEN_BYTES : FM_TOKEN_STRING;
	return read_quoted(evaluation, c, raw, bytes, token);
}

bool
fm_expression_token(FmEvaluation *evaluation, int offset, FmToken *token)
{
	static const char *const symbols[] = {"<>", "<=", ">=", "!=", "||", "<<", ">>"};
	const char *text = evaluation->text;
	const char *c;
	bool is_literal;
	size_t i;

	memset(token, 0, sizeof(*token));
	offset = skip_blanks(evaluation, offset);
	if (offset < 0)
		return false;
	c = text + offset;
	token->position = offset;
	token->end = offset;
	if (*c == '\0')
	{
		token->kind = FM_TOKEN_END;
		token->text = "";
		return true;
	}
	if (is_digit(*c) || (*c == '.' && is_digit(c[1])))
		return read_number(evaluation, token);
	if (!read_prefixed(evaluation, token, &is_literal))
		return false;
	if (is_literal)
		return true;
	if (starts_name(*c))
	{
		const char *end = c;

		while (starts_name(*end) || is_digit(*end))
			end++;
		token->kind = FM_TOKEN_NAME;
		token->text = pnstrdup(c, end - c);
		token->end = (int) (end - text);
		return true;
	}
	if (*c == '`')
	{
		token->kind = FM_TOKEN_QUOTED;
		if (!read_quoted(evaluation, c, false, false, token))
			return false;
		if (token->length == 0)
			return fm_expression_fail(evaluation, offset, ERRCODE_SYNTAX_ERROR, "quoted identifier is empty");
		return true;
	}
	token->kind = FM_TOKEN_SYMBOL;
	token->end = offset + 1;
	for (i = 0; i < lengthof(symbols); i++)
		if (strncmp(c, symbols[i], 2) == 0)
		{
			token->text = symbols[i];
			token->end = offset + 2;
			return true;
		}
	if (strchr("()[]<>=.,*+-/~&|^;:@$?", *c) == NULL)
		return fm_expression_fail(evaluation, offset, ERRCODE_SYNTAX_ERROR, "character \"%.*s\" is not allowed here",
								  pg_utf_mblen((const unsigned char *) c), c);
	token->text = pnstrdup(c, 1);
	return true;
}
