/*
 * Conversions between the types of expressions
 */
#include "fm_core.h"
#include "validation/expression_tree.h"

#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "schema/statistics_view.h"

#include <math.h>

static bool
is_integer(FmKind kind)
{
	return kind >= FM_INT32 && kind <= FM_UINT64;
}

static bool
is_float(FmKind kind)
{
	return kind == FM_FLOAT || kind == FM_DOUBLE;
}

bool
fm_expression_can_cast(FmType from, FmType to)
{
	if (fm_type_equal(from, to))
		return true;
	switch (from.kind)
	{
		case FM_BOOL:
			return is_integer(to.kind) || to.kind == FM_STRING;
		case FM_INT32:
		case FM_INT64:
		case FM_UINT32:
		case FM_UINT64:
			return is_integer(to.kind) || is_float(to.kind) || to.kind == FM_STRING || to.kind == FM_BOOL;
		case FM_FLOAT:
		case FM_DOUBLE:
			return is_integer(to.kind) || is_float(to.kind) || to.kind == FM_STRING;
		case FM_STRING:
			return is_integer(to.kind) || is_float(to.kind) || to.kind == FM_BOOL || to.kind == FM_BYTES;
		case FM_BYTES:
			return to.kind == FM_STRING;
		case FM_ENUM:
			return is_integer(to.kind) || to.kind == FM_STRING;
		default:
			return false;
	}
}

static bool
out_of_range(FmEvaluation *evaluation, int position, FmType to)
{
	return fm_expression_fail(evaluation, position, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "value is out of range of %s",
							  fm_type_name(to));
}

static bool
bad_text(FmEvaluation *evaluation, int position, FmType to, const FmValue *value)
{
	return fm_expression_fail(evaluation, position, ERRCODE_INVALID_TEXT_REPRESENTATION, "\"%.*s\" is not of type %s",
							  (int) Min(value->string.length, 60), value->string.data, fm_type_name(to));
}

/* An integer, given by sign and magnitude, as an integer type */
static bool
fit_integer(FmEvaluation *evaluation, int position, bool negative, uint64 magnitude, FmType to, FmValue *value)
{
	static const uint64 largest[] = {PG_INT32_MAX, PG_INT64_MAX, PG_UINT32_MAX, PG_UINT64_MAX};
	bool to_unsigned = to.kind == FM_UINT32 || to.kind == FM_UINT64;
	uint64 limit = largest[to.kind - FM_INT32];

	if (negative && magnitude == 0)
		negative = false;
	if (negative ? to_unsigned || magnitude > limit + 1 : magnitude > limit)
		return out_of_range(evaluation, position, to);
	if (to_unsigned)
		value->natural = magnitude;
	else
		value->integer = negative ? (int64) (0 - magnitude) : (int64) magnitude;
	return true;
}

static bool
integer_to(FmEvaluation *evaluation, int position, FmType from, FmType to, FmValue *value)
{
	bool from_unsigned = from.kind == FM_UINT32 || from.kind == FM_UINT64;
	bool negative = !from_unsigned && value->integer < 0;
	uint64 magnitude = from_unsigned ? value->natural
					   : negative	 ? 0 - (uint64) value->integer
									 : (uint64) value->integer;

	if (is_integer(to.kind))
		return fit_integer(evaluation, position, negative, magnitude, to, value);
	if (is_float(to.kind))
	{
		double number = from_unsigned ? (double) value->natural : (double) value->integer;

		value->number = to.kind == FM_FLOAT ? (double) (float) number : number;
	}
	else if (to.kind == FM_BOOL)
		value->boolean = magnitude != 0;
	else
	{
		value->string.data = psprintf("%s" UINT64_FORMAT, negative ? "-" : "", magnitude);
		value->string.length = strlen(value->string.data);
	}
	return true;
}

/* The shortest decimal that reads back as the number, in the manner of %g */
static char *
shortest(double number, bool is_single)
{
	char *text = palloc(64);
	int digits;

	if (isnan(number))
		strcpy(text, "nan");
	else if (isinf(number))
		strcpy(text, number < 0 ? "-inf" : "inf");
	else
		for (digits = is_single ? 6 : 15;; digits++)
		{
			snprintf(text, 64, "%.*g", digits, number);
			if (digits >= 17 || (is_single ? strtof(text, NULL) == (float) number : strtod(text, NULL) == number))
				break;
		}
	return text;
}

static bool
float_to(FmEvaluation *evaluation, int position, FmType from, FmType to, FmValue *value)
{
	double number = value->number;

	if (to.kind == FM_DOUBLE)
		return true;
	if (to.kind == FM_FLOAT)
	{
		if (isfinite(number) && !isfinite((float) number))
			return out_of_range(evaluation, position, to);
		value->number = (float) number;
		return true;
	}
	if (to.kind == FM_STRING)
	{
		value->string.data = shortest(number, from.kind == FM_FLOAT);
		value->string.length = strlen(value->string.data);
		return true;
	}
	/* halves are rounded away from zero */
	number = round(number);
	if (!(fabs(number) < 18446744073709551616.0))
		return out_of_range(evaluation, position, to);
	return fit_integer(evaluation, position, number < 0, (uint64) fabs(number), to, value);
}

static bool
read_hex(const char *text, bool *negative, uint64 *magnitude)
{
	char *end;

	while (*text == ' ')
		text++;
	*negative = *text == '-';
	if (*text == '-' || *text == '+')
		text++;
	if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X') || strspn(text + 2, "0123456789abcdefABCDEF") == 0 ||
		strspn(text + 2, "0123456789abcdefABCDEF") > 16)
		return false;
	*magnitude = strtou64(text, &end, 16);
	return *end == '\0';
}

static bool
string_to_integer(FmEvaluation *evaluation, int position, FmType to, FmValue *value)
{
	const char *text = pnstrdup(value->string.data, value->string.length);
	bool negative;
	uint64 magnitude;
	int64 number;
	char *end;

	if (read_hex(text, &negative, &magnitude))
		return fit_integer(evaluation, position, negative, magnitude, to, value);
	if (fm_read_int64(text, &number))
		return fit_integer(evaluation, position, number < 0, number < 0 ? 0 - (uint64) number : (uint64) number, to,
						   value);
	/* what only UINT64 can hold */
	errno = 0;
	magnitude = strtou64(text, &end, 10);
	if (to.kind == FM_UINT64 && *text >= '0' && *text <= '9' && *end == '\0' && errno == 0)
	{
		value->natural = magnitude;
		return true;
	}
	return bad_text(evaluation, position, to, value);
}

static bool
string_to(FmEvaluation *evaluation, int position, FmType to, FmValue *value)
{
	if (is_integer(to.kind))
		return string_to_integer(evaluation, position, to, value);
	if (is_float(to.kind))
	{
		const char *text = pnstrdup(value->string.data, value->string.length);
		float single;

		/* the form is the same for both; only the precision is not */
		if (!fm_read_float(text, &single))
			return bad_text(evaluation, position, to, value);
		value->number = to.kind == FM_FLOAT || isnan(single) ? (double) single : strtod(text, NULL);
		return true;
	}
	if (to.kind == FM_BOOL)
	{
		if (value->string.length == 4 && pg_strncasecmp(value->string.data, "true", 4) == 0)
			value->boolean = true;
		else if (value->string.length == 5 && pg_strncasecmp(value->string.data, "false", 5) == 0)
			value->boolean = false;
		else
			return bad_text(evaluation, position, to, value);
	}
	return true;
}

bool
fm_expression_cast(FmEvaluation *evaluation, int position, FmType from, FmType to, FmValue *value)
{
	if (value->null || fm_type_equal(from, to))
		return true;
	switch (from.kind)
	{
		case FM_BOOL:
			if (to.kind == FM_STRING)
			{
				value->string.data = value->boolean ? "true" : "false";
				value->string.length = strlen(value->string.data);
			}
			else
				value->natural = value->boolean ? 1 : 0;
			return true;
		case FM_INT32:
		case FM_INT64:
		case FM_UINT32:
		case FM_UINT64:
			return integer_to(evaluation, position, from, to, value);
		case FM_FLOAT:
		case FM_DOUBLE:
			return float_to(evaluation, position, from, to, value);
		case FM_STRING:
			return string_to(evaluation, position, to, value);
		case FM_BYTES:
			if (pg_encoding_verifymbstr(PG_UTF8, value->string.data, (int) value->string.length) !=
					(int) value->string.length ||
				memchr(value->string.data, 0, value->string.length) != NULL)
				return fm_expression_fail(evaluation, position, ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
										  "the bytes are not UTF-8");
			return true;
		case FM_ENUM:
			if (to.kind == FM_STRING)
			{
				const ProtobufCEnumValue *found =
					protobuf_c_enum_descriptor_get_value(from.descriptor, (int) value->integer);

				value->string.data = found != NULL ? found->name : psprintf(INT64_FORMAT, value->integer);
				value->string.length = strlen(value->string.data);
				return true;
			}
			from.kind = FM_INT64;
			return integer_to(evaluation, position, from, to, value);
		default:
			return true;
	}
}
