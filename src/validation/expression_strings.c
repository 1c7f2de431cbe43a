/*
 * Functions of strings in expressions. Strings are UTF-8; lengths and places count characters, those of BYTES bytes.
 */
#include "fm_core.h"
#include "validation/expression_functions.h"

#include "mb/pg_wchar.h"

#define FAIL(...) fm_expression_fail(evaluation, node->position, __VA_ARGS__)

/* -- text that grows -- */

typedef struct Out
{
	FmEvaluation *evaluation;
	const FmNode *node;
	StringInfoData buf;
} Out;

static void
init_out(Out *out, FmEvaluation *evaluation, const FmNode *node)
{
	out->evaluation = evaluation;
	out->node = node;
	initStringInfo(&out->buf);
}

static bool
append(Out *out, const char *data, size_t length)
{
	if (out->buf.len + length > FM_MAX_EXPRESSION_STRING)
		return fm_expression_fail(out->evaluation, out->node->position, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
								  "string is longer than %d bytes", FM_MAX_EXPRESSION_STRING);
	if (!fm_expression_work(out->evaluation, 1 + (int64) length / 16))
		return false;
	appendBinaryStringInfo(&out->buf, data, (int) length);
	return true;
}

static void
take(const Out *out, FmValue *value)
{
	value->string.data = out->buf.data;
	value->string.length = out->buf.len;
}

/* -- characters -- */

static int
char_length(const char *c)
{
	return pg_utf_mblen((const unsigned char *) c);
}

static int64
count_chars(const FmValue *text)
{
	size_t i;
	int64 n = 0;

	for (i = 0; i < text->string.length; i++)
		n += ((unsigned char) text->string.data[i] & 0xC0) != 0x80;
	return n;
}

/* Byte offset of a character (0 the first); the length if there are fewer */
static size_t
offset_of_char(const FmValue *text, int64 place)
{
	size_t at = 0;

	while (place-- > 0 && at < text->string.length)
		at += char_length(text->string.data + at);
	return Min(at, text->string.length);
}

static bool
is_bytes(const FmNode *node)
{
	return node->args[0]->type.kind == FM_BYTES;
}

static int64
length_of(const FmNode *node, const FmValue *text)
{
	return is_bytes(node) ? (int64) text->string.length : count_chars(text);
}

static size_t
offset_of(const FmNode *node, const FmValue *text, int64 place)
{
	return is_bytes(node) ? (size_t) Min(place, (int64) text->string.length) : offset_of_char(text, place);
}

/* Characters from one place to another, as a part of the text */
static void
part_of(const FmNode *node, const FmValue *text, int64 from, int64 to, FmValue *value)
{
	size_t start = offset_of(node, text, from);

	value->string.data = text->string.data + start;
	value->string.length = offset_of(node, text, to) - start;
}

/* Byte offset of a text in another from an offset on; -1 if it is not there */
static int64
find(const FmValue *text, const FmValue *part, size_t from)
{
	size_t i;

	for (i = from; i + part->string.length <= text->string.length; i++)
		if (memcmp(text->string.data + i, part->string.data, part->string.length) == 0)
			return (int64) i;
	return -1;
}

/* -- upper and lower case: the letters that come in pairs of the Latin, Greek and Cyrillic alphabets -- */

static pg_wchar
change_case(pg_wchar c, bool upper)
{
	if (c < 0x80)
		return upper ? (c >= 'a' && c <= 'z' ? c - 32 : c) : (c >= 'A' && c <= 'Z' ? c + 32 : c);
	if (upper)
	{
		if ((c >= 0xE0 && c <= 0xFE && c != 0xF7) || (c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2) ||
			(c >= 0x430 && c <= 0x44F))
			return c - 32;
		if (c == 0xFF)
			return 0x178;
		if (c >= 0x450 && c <= 0x45F)
			return c - 80;
	}
	else
	{
		if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F))
			return c + 32;
		if (c == 0x178)
			return 0xFF;
		if (c >= 0x400 && c <= 0x40F)
			return c + 80;
	}
	/* Latin Extended-A, Cyrillic extensions: pairs side by side, the capital first */
	if ((c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) || (c >= 0x14A && c <= 0x177) ||
		(c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) || (c >= 0x4D0 && c <= 0x52F) ||
		(c >= 0x1E00 && c <= 0x1E95) || (c >= 0x1EA0 && c <= 0x1EFF))
		return upper ? c & ~1U : c | 1U;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
		return upper ? (c % 2 == 0 ? c - 1 : c) : (c % 2 == 1 ? c + 1 : c);
	return c;
}

static bool
call_case(FmEvaluation *evaluation, FmNode *node, const FmValue *text, bool upper, FmValue *value)
{
	Out out;
	size_t at;
	int length;

	init_out(&out, evaluation, node);
	for (at = 0; at < text->string.length; at += length)
	{
		const unsigned char *c = (const unsigned char *) text->string.data + at;
		unsigned char changed[8];

		length = is_bytes(node) ? 1 : Min(pg_utf_mblen(c), (int) (text->string.length - at));
		if (is_bytes(node) || length == 1)
		{
			changed[0] = (unsigned char) (*c < 0x80 ? change_case(*c, upper) : *c);
			if (!append(&out, (char *) changed, 1))
				return false;
		}
		else
		{
			unicode_to_utf8(change_case(utf8_to_unicode(c), upper), changed);
			if (!append(&out, (char *) changed, pg_utf_mblen(changed)))
				return false;
		}
	}
	take(&out, value);
	return true;
}

/* -- parts, padding, trimming -- */

static bool
call_part(FmEvaluation *evaluation, FmNode *node, const FmValue *args, FmValue *value)
{
	int64 length = length_of(node, &args[0]);
	int64 place = args[1].integer;
	int64 count;

	if (node->function->id != FM_F_SUBSTR)
	{
		if (place < 0)
			return FAIL(ERRCODE_INVALID_PARAMETER_VALUE, "the number of characters of %s is negative",
						node->function->name);
		if (node->function->id == FM_F_LEFT)
			part_of(node, &args[0], 0, place, value);
		else
			part_of(node, &args[0], Max(length - place, 0), length, value);
		return true;
	}
	count = node->n_args > 2 ? args[2].integer : PG_INT64_MAX;
	if (count < 0)
		return FAIL(ERRCODE_INVALID_PARAMETER_VALUE, "the number of characters of SUBSTR is negative");
	/* from 1; 0 is 1 too; negative from the end, not beyond the start */
	if (place > 0)
		place--;
	else if (place < 0)
		place = place < -length ? 0 : length + place;
	place = Min(place, length);
	part_of(node, &args[0], place, count > length - place ? length : place + count, value);
	return true;
}

static bool
call_pad(FmEvaluation *evaluation, FmNode *node, const FmValue *args, FmValue *value)
{
	int64 length = count_chars(&args[0]);
	int64 wanted = args[1].integer;
	FmValue pattern = {0};
	int64 pattern_length;
	int64 missing;
	Out out;

	pattern.string.data = " ";
	pattern.string.length = 1;
	if (node->n_args > 2)
		pattern = args[2];
	if (wanted < 0)
		return FAIL(ERRCODE_INVALID_PARAMETER_VALUE, "the length of %s is negative", node->function->name);
	if (pattern.string.length == 0)
		return FAIL(ERRCODE_INVALID_PARAMETER_VALUE, "the pattern of %s is empty", node->function->name);
	if (wanted > FM_MAX_EXPRESSION_STRING)
		return FAIL(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "string is longer than %d bytes", FM_MAX_EXPRESSION_STRING);
	if (wanted <= length)
	{
		part_of(node, &args[0], 0, wanted, value);
		return true;
	}
	init_out(&out, evaluation, node);
	if (node->function->id == FM_F_RPAD && !append(&out, args[0].string.data, args[0].string.length))
		return false;
	pattern_length = count_chars(&pattern);
	for (missing = wanted - length; missing > 0; missing -= pattern_length)
		if (!append(&out, pattern.string.data,
					missing >= pattern_length ? pattern.string.length : offset_of_char(&pattern, missing)))
			return false;
	if (node->function->id == FM_F_LPAD && !append(&out, args[0].string.data, args[0].string.length))
		return false;
	take(&out, value);
	return true;
}

/* Is the character at c one of a set */
static bool
is_one_of(const char *c, int length, const FmValue *set)
{
	FmValue one = {0};

	one.string.data = c;
	one.string.length = length;
	return find(set, &one, 0) >= 0;
}

static void
call_trim(FmNode *node, const FmValue *args, FmValue *value)
{
	static const char blanks[] = " \t\n\v\f\r\xC2\x85\xC2\xA0\xE2\x80\xA8\xE2\x80\xA9\xE3\x80\x80";
	FmValue set = {0};
	const char *start = args[0].string.data;
	const char *end = start + args[0].string.length;

	set.string.data = blanks;
	set.string.length = sizeof(blanks) - 1;
	if (node->n_args > 1)
		set = args[1];
	while (node->function->id != FM_F_RTRIM && start < end && is_one_of(start, char_length(start), &set))
		start += char_length(start);
	while (node->function->id != FM_F_LTRIM && start < end)
	{
		const char *c = end - 1;

		while (c > start && ((unsigned char) *c & 0xC0) == 0x80)
			c--;
		if (!is_one_of(c, (int) (end - c), &set))
			break;
		end = c;
	}
	value->string.data = start;
	value->string.length = end - start;
}

static bool
call_reverse(FmEvaluation *evaluation, FmNode *node, const FmValue *text, FmValue *value)
{
	char *data;
	size_t at;
	int length;

	if (!fm_expression_work(evaluation, 1 + (int64) text->string.length / 16))
		return false;
	data = palloc(text->string.length + 1);
	for (at = 0; at < text->string.length; at += length)
	{
		length = Min(char_length(text->string.data + at), (int) (text->string.length - at));
		memcpy(data + text->string.length - at - length, text->string.data + at, length);
	}
	value->string.data = data;
	value->string.length = text->string.length;
	return true;
}

/* -- joining and splitting -- */

static bool
call_concat(FmEvaluation *evaluation, FmNode *node, const FmValue *args, FmValue *value)
{
	Out out;
	int i;

	init_out(&out, evaluation, node);
	for (i = 0; i < node->n_args; i++)
		if (!append(&out, args[i].string.data, args[i].string.length))
			return false;
	take(&out, value);
	return true;
}

static bool
call_repeat(FmEvaluation *evaluation, FmNode *node, const FmValue *args, FmValue *value)
{
	Out out;
	int64 i;

	if (args[1].integer < 0)
		return FAIL(ERRCODE_INVALID_PARAMETER_VALUE, "the number of times of REPEAT is negative");
	init_out(&out, evaluation, node);
	for (i = 0; args[0].string.length > 0 && i < args[1].integer; i++)
		if (!append(&out, args[0].string.data, args[0].string.length))
			return false;
	take(&out, value);
	return true;
}

static bool
call_replace(FmEvaluation *evaluation, FmNode *node, const FmValue *args, FmValue *value)
{
	Out out;
	size_t at = 0;
	int64 found;

	if (args[1].string.length == 0)
	{
		*value = args[0];
		return true;
	}
	init_out(&out, evaluation, node);
	while ((found = find(&args[0], &args[1], at)) >= 0)
	{
		if (!append(&out, args[0].string.data + at, found - at) ||
			!append(&out, args[2].string.data, args[2].string.length))
			return false;
		at = found + args[1].string.length;
	}
	if (!append(&out, args[0].string.data + at, args[0].string.length - at))
		return false;
	take(&out, value);
	return true;
}

static void
add_element(FmArray *array, const char *data, size_t length)
{
	FmValue element = {0};

	element.string.data = data;
	element.string.length = length;
	/* grows by doubling */
	if ((array->n & (array->n - 1)) == 0)
	{
		size_t max = array->n == 0 ? 1 : array->n * 2;

		array->value =
			array->value == NULL ? palloc(sizeof(FmValue) * max) : repalloc(array->value, sizeof(FmValue) * max);
	}
	array->value[array->n++] = element;
}

static bool
call_split(FmEvaluation *evaluation, FmNode *node, const FmValue *args, FmValue *value)
{
	FmArray *array = palloc0(sizeof(FmArray));
	FmValue delimiter = {0};
	const FmValue *text = &args[0];
	size_t at = 0;
	int64 found;

	delimiter.string.data = ",";
	delimiter.string.length = 1;
	if (node->n_args > 1)
		delimiter = args[1];
	if (!fm_expression_work(evaluation, 1 + (int64) text->string.length))
		return false;
	if (delimiter.string.length == 0 && text->string.length > 0)
	{
		/* into its characters */
		while (at < text->string.length)
		{
			size_t length = Min((size_t) char_length(text->string.data + at), text->string.length - at);

			add_element(array, text->string.data + at, length);
			at += length;
		}
	}
	else
	{
		while (delimiter.string.length > 0 && (found = find(text, &delimiter, at)) >= 0)
		{
			add_element(array, text->string.data + at, found - at);
			at = found + delimiter.string.length;
		}
		add_element(array, text->string.data + at, text->string.length - at);
	}
	value->array = array;
	return true;
}

static bool
call_array_to_string(FmEvaluation *evaluation, FmNode *node, const FmValue *args, FmValue *value)
{
	const FmArray *array = args[0].array;
	bool tell_null = node->n_args > 2 && !args[2].null;
	bool first = true;
	Out out;
	size_t i;

	init_out(&out, evaluation, node);
	for (i = 0; i < array->n; i++)
	{
		const FmValue *element = &array->value[i];

		if (element->null && !tell_null)
			continue;
		if (element->null)
			element = &args[2];
		if ((!first && !append(&out, args[1].string.data, args[1].string.length)) ||
			!append(&out, element->string.data, element->string.length))
			return false;
		first = false;
	}
	take(&out, value);
	return true;
}

/* -- LIKE -- */

bool
fm_expression_like(FmEvaluation *evaluation, FmNode *node, const FmValue *text, const FmValue *pattern, bool *matches)
{
	bool bytes = is_bytes(node);
	const char *t = text->string.data;
	const char *t_end = t + text->string.length;
	const char *p = pattern->string.data;
	const char *p_end = p + pattern->string.length;
	const char *star_p = NULL; /* after the last %, and where it started to match */
	const char *star_t = NULL;
	const char *c;

	for (c = p; c < p_end; c++)
		if (*c == '\\' && ++c == p_end)
			return FAIL(ERRCODE_INVALID_ESCAPE_SEQUENCE, "the pattern of LIKE ends with a backslash");
	for (;;)
	{
		if (!fm_expression_work(evaluation, 1))
			return false;
		if (p < p_end && *p == '%')
		{
			star_p = ++p;
			star_t = t;
			continue;
		}
		if (t == t_end)
		{
			*matches = p == p_end;
			return true;
		}
		if (p < p_end && *p == '_')
		{
			p++;
			t += bytes ? 1 : Min(char_length(t), (int) (t_end - t));
			continue;
		}
		if (p < p_end && (*p == '\\' ? p[1] : *p) == *t)
		{
			p += *p == '\\' ? 2 : 1;
			t++;
			continue;
		}
		if (star_p == NULL)
		{
			*matches = false;
			return true;
		}
		p = star_p;
		t = ++star_t;
	}
}

/* -- regular expressions -- */

static void
match_value(const FmValue *text, const FmMatch *match, FmValue *value)
{
	if (match->start < 0)
	{
		*value = fm_null();
		return;
	}
	value->string.data = text->string.data + match->start;
	value->string.length = match->end - match->start;
}

/* The replacement with \0 to \9 filled in */
static bool
append_replacement(Out *out, const FmValue *text, const FmValue *replacement, const FmMatch *matches, int n_groups)
{
	FmEvaluation *evaluation = out->evaluation;
	const FmNode *node = out->node;
	const char *c = replacement->string.data;
	const char *end = c + replacement->string.length;

	for (; c < end; c++)
	{
		if (*c != '\\')
		{
			if (!append(out, c, 1))
				return false;
			continue;
		}
		c++;
		if (c < end && *c == '\\')
		{
			if (!append(out, c, 1))
				return false;
		}
		else if (c < end && *c >= '0' && *c <= '9')
		{
			int group = *c - '0';

			if (group > n_groups)
				return FAIL(ERRCODE_INVALID_PARAMETER_VALUE,
							"the replacement uses group %d of a regular expression with %d", group, n_groups);
			if (matches[group].start >= 0 &&
				!append(out, text->string.data + matches[group].start, matches[group].end - matches[group].start))
				return false;
		}
		else
			return FAIL(ERRCODE_INVALID_PARAMETER_VALUE,
						"a backslash in the replacement is followed by neither a digit nor a backslash");
	}
	return true;
}

/* Where to look for the next match after one; an empty one is not found again at its place */
static size_t
after_match(const FmValue *text, const FmMatch *match)
{
	if (match->end > match->start || (size_t) match->end >= text->string.length)
		return match->end + (match->end == match->start);
	return match->end + char_length(text->string.data + match->end);
}

static bool
replace_all(FmEvaluation *evaluation, FmNode *node, struct FmRegex *regex, const FmValue *args, FmValue *value)
{
	const FmValue *text = &args[0];
	FmMatch matches[10];
	size_t from = 0;
	size_t copied = 0;
	bool found = true;
	int64 last_end = -1;
	Out out;

	init_out(&out, evaluation, node);
	while (from <= text->string.length)
	{
		if (!fm_regex_match(evaluation, regex, text->string.data, text->string.length, from, matches, 10, &found))
			return false;
		if (!found)
			break;
		/* an empty match right after another match is none */
		if (matches[0].start == matches[0].end && matches[0].start == last_end)
		{
			from = after_match(text, &matches[0]);
			continue;
		}
		if (!append(&out, text->string.data + copied, matches[0].start - copied) ||
			!append_replacement(&out, text, &args[2], matches, Min(fm_regex_n_groups(regex), 9)))
			return false;
		copied = last_end = matches[0].end;
		from = matches[0].end > matches[0].start ? (size_t) matches[0].end : after_match(text, &matches[0]);
	}
	if (!append(&out, text->string.data + copied, text->string.length - copied))
		return false;
	take(&out, value);
	return true;
}

static bool
extract_all(FmEvaluation *evaluation, struct FmRegex *regex, const FmValue *text, FmValue *value)
{
	FmArray *array = palloc0(sizeof(FmArray));
	int group = fm_regex_n_groups(regex) > 0 ? 1 : 0;
	FmMatch matches[2];
	size_t from = 0;
	bool found;

	while (from <= text->string.length)
	{
		if (!fm_expression_work(evaluation, 4) ||
			!fm_regex_match(evaluation, regex, text->string.data, text->string.length, from, matches, 2, &found))
			return false;
		if (!found)
			break;
		if (matches[group].start >= 0)
			add_element(array, text->string.data + matches[group].start, matches[group].end - matches[group].start);
		else
			add_element(array, "", 0);
		from = matches[0].end > matches[0].start ? (size_t) matches[0].end : after_match(text, &matches[0]);
	}
	value->array = array;
	return true;
}

static bool
call_regex(FmEvaluation *evaluation, FmNode *node, const FmValue *args, FmValue *value)
{
	int id = node->function->id;
	struct FmRegex *regex;
	FmMatch matches[2];
	bool found;
	bool ok;

	regex = fm_regex_compile(evaluation, node->position, args[1].string.data, args[1].string.length);
	if (regex == NULL)
		return false;
	if ((id == FM_F_REGEXP_EXTRACT || id == FM_F_REGEXP_EXTRACT_ALL) && fm_regex_n_groups(regex) > 1)
		ok = FAIL(ERRCODE_INVALID_REGULAR_EXPRESSION, "a regular expression to extract with has one group at most");
	else if (id == FM_F_REGEXP_REPLACE)
		ok = replace_all(evaluation, node, regex, args, value);
	else if (id == FM_F_REGEXP_EXTRACT_ALL)
		ok = extract_all(evaluation, regex, &args[0], value);
	else
	{
		ok = fm_regex_match(evaluation, regex, args[0].string.data, args[0].string.length, 0, matches, 2, &found);
		if (!ok)
			;
		else if (id == FM_F_REGEXP_CONTAINS)
			value->boolean = found;
		else if (id == FM_F_REGEXP_MATCH)
			value->boolean = found && matches[0].start == 0 && matches[0].end == (int64) args[0].string.length;
		else if (!found)
			*value = fm_null();
		else
			match_value(&args[0], &matches[fm_regex_n_groups(regex) > 0 ? 1 : 0], value);
	}
	fm_regex_free(regex);
	return ok;
}

bool
fm_expression_call_string(FmEvaluation *evaluation, FmNode *node, FmValue *args, FmValue *value)
{
	int64 place;

	switch (node->function->id)
	{
		case FM_F_LENGTH:
			value->integer = length_of(node, &args[0]);
			return true;
		case FM_F_BYTE_LENGTH:
			value->integer = (int64) args[0].string.length;
			return true;
		case FM_F_STARTS_WITH:
			value->boolean = args[1].string.length <= args[0].string.length &&
							 memcmp(args[0].string.data, args[1].string.data, args[1].string.length) == 0;
			return true;
		case FM_F_ENDS_WITH:
			value->boolean = args[1].string.length <= args[0].string.length &&
							 memcmp(args[0].string.data + args[0].string.length - args[1].string.length,
									args[1].string.data, args[1].string.length) == 0;
			return true;
		case FM_F_STRPOS:
			place = find(&args[0], &args[1], 0);
			if (place >= 0)
			{
				FmValue before = args[0];

				before.string.length = place;
				value->integer = count_chars(&before) + 1;
			}
			return true;
		case FM_F_LOWER:
		case FM_F_UPPER:
			return call_case(evaluation, node, &args[0], node->function->id == FM_F_UPPER, value);
		case FM_F_LEFT:
		case FM_F_RIGHT:
		case FM_F_SUBSTR:
			return call_part(evaluation, node, args, value);
		case FM_F_LPAD:
		case FM_F_RPAD:
			return call_pad(evaluation, node, args, value);
		case FM_F_TRIM:
		case FM_F_LTRIM:
		case FM_F_RTRIM:
			call_trim(node, args, value);
			return true;
		case FM_F_REVERSE:
			return call_reverse(evaluation, node, &args[0], value);
		case FM_F_CONCAT:
			return call_concat(evaluation, node, args, value);
		case FM_F_REPEAT:
			return call_repeat(evaluation, node, args, value);
		case FM_F_REPLACE:
			return call_replace(evaluation, node, args, value);
		case FM_F_SPLIT:
			return call_split(evaluation, node, args, value);
		case FM_F_ARRAY_TO_STRING:
			return call_array_to_string(evaluation, node, args, value);
		default:
			return call_regex(evaluation, node, args, value);
	}
}
