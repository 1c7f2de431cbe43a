/*
 * Regular expressions of RE2's language, matched by PostgreSQL's engine
 *
 * The pattern is rewritten where the two differ: word boundaries, the end of the text, the dot and line ends, named
 * groups, code points. What RE2 refuses is refused (references to groups, looking ahead and behind). Classes of
 * Unicode (\p) are not known here. Letters and digits are those of ASCII, as in RE2.
 */
#include "fm_core.h"
#include "validation/expression_tree.h"

#ifndef FRONTEND
#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "regex/regex.h"
#include "utils/builtins.h"
#endif

#define FAIL(...) fm_expression_fail(evaluation, position, ERRCODE_INVALID_REGULAR_EXPRESSION, __VA_ARGS__)

/* Appends a character so that it stands for itself */
static void
append_plain(StringInfo out, char c)
{
	if (strchr("\\.+*?()|[]{}^$", c) != NULL)
		appendStringInfoChar(out, '\\');
	appendStringInfoChar(out, c);
}

/* \x41 or \x{1F600}, *c on the x */
static bool
translate_code_point(FmEvaluation *evaluation, int position, const char **c, const char *end, StringInfo out)
{
	bool braces = *c + 1 < end && (*c)[1] == '{';
	const char *digit = *c + (braces ? 2 : 1);
	uint32 code = 0;
	int n = 0;

	while (digit < end && n < (braces ? 8 : 2) && strchr("0123456789abcdefABCDEF", *digit) != NULL)
	{
		code = code * 16 + (*digit <= '9' ? *digit - '0' : (*digit | 32) - 'a' + 10);
		digit++;
		n++;
	}
	if (n == 0 || (!braces && n != 2) || (braces && (digit == end || *digit++ != '}')) || code == 0 || code > 0x10FFFF)
		return FAIL("invalid regular expression: \\x takes two hexadecimal digits, or some in braces");
	appendStringInfo(out, "\\U%08x", code);
	*c = digit;
	return true;
}

/* An escape, *c after the backslash */
static bool
translate_escape(FmEvaluation *evaluation, int position, const char **c, const char *end, bool in_brackets,
				 StringInfo out)
{
	char letter;

	if (*c == end)
		return FAIL("invalid regular expression: it ends with a backslash");
	letter = **c;
	switch (letter)
	{
		case 'x':
			return translate_code_point(evaluation, position, c, end, out);
		case 'b':
		case 'B':
			if (in_brackets)
				break;
			appendStringInfoString(out, letter == 'b' ? "\\y" : "\\Y");
			(*c)++;
			return true;
		case 'z':
			if (in_brackets)
				break;
			appendStringInfoString(out, "\\Z");
			(*c)++;
			return true;
		case 'A':
			if (in_brackets)
				break;
			/* FALLTHROUGH */
		case 'd':
		case 'D':
		case 'w':
		case 'W':
		case 's':
		case 'S':
		case 'a':
		case 'f':
		case 'n':
		case 'r':
		case 't':
		case 'v':
			appendStringInfo(out, "\\%c", letter);
			(*c)++;
			return true;
		default:
			if ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
				(letter >= '0' && letter <= '9'))
				break;
			if (in_brackets)
				appendStringInfo(out, "\\%c", letter);
			else
				append_plain(out, letter);
			(*c)++;
			return true;
	}
	return FAIL("invalid regular expression: escape sequence \\%c is not known", letter);
}

/* [...], *c after the opening bracket */
static bool
translate_brackets(FmEvaluation *evaluation, int position, const char **c, const char *end, StringInfo out)
{
	bool first = true;

	appendStringInfoChar(out, '[');
	if (*c < end && **c == '^')
	{
		appendStringInfoChar(out, '^');
		(*c)++;
	}
	for (;; first = false)
	{
		if (*c >= end)
			return FAIL("invalid regular expression: a bracket has no end");
		if (**c == ']' && !first)
			break;
		if (**c == '[' && *c + 1 < end && (*c)[1] == ':')
		{
			/* a class is copied whole */
			const char *close = *c + 2;

			while (close + 1 < end && !(close[0] == ':' && close[1] == ']'))
				close++;
			if (close + 1 >= end)
				return FAIL("invalid regular expression: a character class has no end");
			appendBinaryStringInfo(out, *c, (int) (close + 2 - *c));
			*c = close + 2;
		}
		else if (**c == '\\')
		{
			(*c)++;
			if (!translate_escape(evaluation, position, c, end, true, out))
				return false;
		}
		else
		{
			/* an opening bracket or a closing one at the start stands for itself */
			if (**c == '[' || **c == ']')
				appendStringInfoChar(out, '\\');
			appendStringInfoChar(out, **c);
			(*c)++;
		}
	}
	appendStringInfoChar(out, ']');
	(*c)++;
	return true;
}

/* What follows an opening parenthesis */
static bool
translate_group(FmEvaluation *evaluation, int position, const char **c, const char *end, StringInfo out)
{
	if (*c >= end || **c != '?')
	{
		appendStringInfoChar(out, '(');
		return true;
	}
	if (end - *c >= 2 && (*c)[1] == ':')
	{
		appendStringInfoString(out, "(?:");
		*c += 2;
		return true;
	}
	if (end - *c >= 3 && ((*c)[1] == 'P' || (*c)[1] == '<') && (*c)[(*c)[1] == 'P' ? 2 : 1] == '<')
	{
		const char *name = *c + ((*c)[1] == 'P' ? 3 : 2);
		const char *close = name;

		while (close < end && (*close == '_' || (*close >= '0' && *close <= '9') || (*close >= 'a' && *close <= 'z') ||
							   (*close >= 'A' && *close <= 'Z')))
			close++;
		if (close > name && close < end && *close == '>')
		{
			appendStringInfoChar(out, '(');
			*c = close + 1;
			return true;
		}
	}
	return FAIL("invalid regular expression: this kind of group is not known");
}

/* (?i) and (?s) at the start of the pattern, *c on its first character */
static bool
translate_options(FmEvaluation *evaluation, int position, const char **c, const char *end, bool *dot_all,
				  StringInfo out)
{
	const char *letter;
	bool ignore_case = false;
	bool lines = false;

	if (end - *c < 4 || (*c)[0] != '(' || (*c)[1] != '?' || strchr("ism", (*c)[2]) == NULL)
		return true;
	for (letter = *c + 2; letter < end && *letter != ')'; letter++)
		switch (*letter)
		{
			case 'i':
				ignore_case = true;
				break;
			case 's':
				*dot_all = true;
				break;
			case 'm':
				lines = true;
				break;
			default:
				return FAIL("invalid regular expression: option \"%c\" is not known", *letter);
		}
	/* w: ^ and $ match at line ends, the dot is left alone */
	if (ignore_case || lines)
		appendStringInfo(out, "(?%s%s)", ignore_case ? "i" : "", lines ? "w" : "");
	*c = letter + (letter < end);
	return true;
}

static bool
translate_pattern(FmEvaluation *evaluation, int position, const char *pattern, size_t length, StringInfo out)
{
	const char *c = pattern;
	const char *end = pattern + length;
	bool dot_all = false;

	if (!translate_options(evaluation, position, &c, end, &dot_all, out))
		return false;
	if (c < end && strchr("*+?", *c) != NULL)
		return FAIL("invalid regular expression: nothing to repeat");
	while (c < end)
	{
		char now = *c++;
		bool ok = true;

		switch (now)
		{
			case '\\':
				ok = translate_escape(evaluation, position, &c, end, false, out);
				break;
			case '[':
				ok = translate_brackets(evaluation, position, &c, end, out);
				break;
			case '(':
				ok = translate_group(evaluation, position, &c, end, out);
				break;
			case '.':
				appendStringInfoString(out, dot_all ? "." : "[^\\n]");
				break;
			default:
				appendStringInfoChar(out, now);
				break;
		}
		if (!ok)
			return false;
	}
	return true;
}

#ifdef FRONTEND

struct FmRegex *
fm_regex_compile(FmEvaluation *evaluation, int position, const char *pattern, size_t length)
{
	StringInfoData out;

	initStringInfo(&out);
	if (translate_pattern(evaluation, position, pattern, length, &out))
		fm_expression_fail(evaluation, position, ERRCODE_FEATURE_NOT_SUPPORTED,
						   "regular expressions are matched by a server");
	return NULL;
}

int
fm_regex_n_groups(const struct FmRegex *regex)
{
	return 0;
}

bool
fm_regex_match(FmEvaluation *evaluation, struct FmRegex *regex, const char *text, size_t length, size_t from,
			   FmMatch *matches, int n, bool *found)
{
	return false;
}

#else

struct FmRegex
{
	regex_t *compiled; /* in the server's cache: good until the next is compiled */
	const char *text;  /* the text in wide, below */
	pg_wchar *wide;
	size_t n_wide;
	size_t *offset; /* of each wide character, in bytes */
};

struct FmRegex *
fm_regex_compile(FmEvaluation *evaluation, int position, const char *pattern, size_t length)
{
	struct FmRegex *regex;
	StringInfoData out;

	initStringInfo(&out);
	if (!translate_pattern(evaluation, position, pattern, length, &out))
		return NULL;
	regex = palloc0(sizeof(struct FmRegex));
	/* raises 2201B with the reason */
	regex->compiled = RE_compile_and_cache(cstring_to_text_with_len(out.data, out.len), REG_ADVANCED, C_COLLATION_OID);
	return regex;
}

int
fm_regex_n_groups(const struct FmRegex *regex)
{
	return (int) regex->compiled->re_nsub;
}

/* Wide characters of a text, with the place of each */
static void
widen(struct FmRegex *regex, const char *text, size_t length)
{
	size_t at = 0;

	regex->text = text;
	regex->wide = palloc(sizeof(pg_wchar) * (length + 1));
	regex->offset = palloc(sizeof(size_t) * (length + 1));
	regex->n_wide = 0;
	while (at < length)
	{
		int size = pg_utf_mblen((const unsigned char *) text + at);

		if (at + size > length)
			break;
		regex->offset[regex->n_wide] = at;
		regex->wide[regex->n_wide++] = utf8_to_unicode((const unsigned char *) text + at);
		at += size;
	}
	regex->offset[regex->n_wide] = length;
}

bool
fm_regex_match(FmEvaluation *evaluation, struct FmRegex *regex, const char *text, size_t length, size_t from,
			   FmMatch *matches, int n, bool *found)
{
	regmatch_t groups[10];
	size_t start = 0;
	int result;
	int i;

	if (!fm_expression_work(evaluation, 8 + (int64) length / 4))
		return false;
	if (regex->text != text)
		widen(regex, text, length);
	while (start < regex->n_wide && regex->offset[start] < from)
		start++;
	result = pg_regexec(regex->compiled, regex->wide, regex->n_wide, start, NULL, n, groups, 0);
	if (result != REG_OKAY && result != REG_NOMATCH)
	{
		char reason[100];

		pg_regerror(result, regex->compiled, reason, sizeof(reason));
		return fm_fail(evaluation->error, ERRCODE_INVALID_REGULAR_EXPRESSION, "regular expression failed: %s", reason);
	}
	*found = result == REG_OKAY;
	for (i = 0; *found && i < n; i++)
	{
		matches[i].start = groups[i].rm_so < 0 ? -1 : (int64) regex->offset[groups[i].rm_so];
		matches[i].end = groups[i].rm_so < 0 ? -1 : (int64) regex->offset[groups[i].rm_eo];
	}
	return true;
}

#endif

void
fm_regex_free(struct FmRegex *regex)
{
	pfree(regex);
}
