/*
 * The functions that expressions may call
 */
#include "fm_core.h"
#include "validation/expression_functions.h"

#include "common/int.h"

#include <math.h>

/* name, signatures, id, aggregate; in the order of the names */
static const FmFunction functions[] = {
	{"ABS", "i(i u(u d(d", FM_F_ABS, false},
	{"ACOS", "d(d", FM_F_ACOS, false},
	{"ACOSH", "d(d", FM_F_ACOSH, false},
	{"ANY_VALUE", "A(A", 0, true},
	{"ARRAY_AGG", "[(A", 0, true},
	{"ARRAY_CONCAT", "[([*", FM_F_ARRAY_CONCAT, false},
	{"ARRAY_LENGTH", "i([", FM_F_ARRAY_LENGTH, false},
	{"ARRAY_REVERSE", "[([", FM_F_ARRAY_REVERSE, false},
	{"ARRAY_TO_STRING", "s(Ss?s", FM_F_ARRAY_TO_STRING, false},
	{"ASIN", "d(d", FM_F_ASIN, false},
	{"ASINH", "d(d", FM_F_ASINH, false},
	{"ATAN", "d(d", FM_F_ATAN, false},
	{"ATAN2", "d(dd", FM_F_ATAN2, false},
	{"ATANH", "d(d", FM_F_ATANH, false},
	{"AVG", "d(d", 0, true},
	{"BIT_AND", "i(i u(u", 0, true},
	{"BIT_OR", "i(i u(u", 0, true},
	{"BIT_XOR", "i(i u(u", 0, true},
	{"BYTE_LENGTH", "i(s i(y", FM_F_BYTE_LENGTH, false},
	{"CEIL", "d(d", FM_F_CEIL, false},
	{"CEILING", "d(d", FM_F_CEIL, false},
	{"CHARACTER_LENGTH", "i(s", FM_F_LENGTH, false},
	{"CHAR_LENGTH", "i(s", FM_F_LENGTH, false},
	{"COALESCE", "A(A*", 0, false},
	{"CONCAT", "s(s* y(y*", FM_F_CONCAT, false},
	{"COS", "d(d", FM_F_COS, false},
	{"COSH", "d(d", FM_F_COSH, false},
	{"COUNT", "i(A i([", 0, true},
	{"COUNTIF", "i(b", 0, true},
	{"DIV", "i(ii u(uu", FM_F_DIV, false},
	{"ENDS_WITH", "b(ss b(yy", FM_F_ENDS_WITH, false},
	{"EXP", "d(d", FM_F_EXP, false},
	{"FLOOR", "d(d", FM_F_FLOOR, false},
	{"GENERATE_ARRAY", "[(ii?i", FM_F_GENERATE_ARRAY, false},
	{"GREATEST", "C(C*", FM_F_GREATEST, false},
	{"IEEE_DIVIDE", "d(dd", FM_F_IEEE_DIVIDE, false},
	{"IF", "A(bAA", 0, false},
	{"IFNULL", "A(AA", 0, false},
	{"IS_INF", "b(d", FM_F_IS_INF, false},
	{"IS_NAN", "b(d", FM_F_IS_NAN, false},
	{"LEAST", "C(C*", FM_F_LEAST, false},
	{"LEFT", "s(si y(yi", FM_F_LEFT, false},
	{"LENGTH", "i(s i(y", FM_F_LENGTH, false},
	{"LN", "d(d", FM_F_LN, false},
	{"LOG", "d(d?d", FM_F_LOG, false},
	{"LOG10", "d(d", FM_F_LOG10, false},
	{"LOGICAL_AND", "b(b", 0, true},
	{"LOGICAL_OR", "b(b", 0, true},
	{"LOWER", "s(s y(y", FM_F_LOWER, false},
	{"LPAD", "s(si?s", FM_F_LPAD, false},
	{"LTRIM", "s(s?s", FM_F_LTRIM, false},
	{"MAX", "C(C", 0, true},
	{"MIN", "C(C", 0, true},
	{"MOD", "i(ii u(uu", FM_F_MOD, false},
	{"NULLIF", "C(CC", FM_F_NULLIF, false},
	{"OCTET_LENGTH", "i(s i(y", FM_F_BYTE_LENGTH, false},
	{"POW", "d(dd", FM_F_POW, false},
	{"POWER", "d(dd", FM_F_POW, false},
	{"REGEXP_CONTAINS", "b(ss", FM_F_REGEXP_CONTAINS, false},
	{"REGEXP_EXTRACT", "s(ss", FM_F_REGEXP_EXTRACT, false},
	{"REGEXP_EXTRACT_ALL", "S(ss", FM_F_REGEXP_EXTRACT_ALL, false},
	{"REGEXP_MATCH", "b(ss", FM_F_REGEXP_MATCH, false},
	{"REGEXP_REPLACE", "s(sss", FM_F_REGEXP_REPLACE, false},
	{"REPEAT", "s(si y(yi", FM_F_REPEAT, false},
	{"REPLACE", "s(sss", FM_F_REPLACE, false},
	{"REVERSE", "s(s", FM_F_REVERSE, false},
	{"RIGHT", "s(si y(yi", FM_F_RIGHT, false},
	{"ROUND", "d(d?i", FM_F_ROUND, false},
	{"RPAD", "s(si?s", FM_F_RPAD, false},
	{"RTRIM", "s(s?s", FM_F_RTRIM, false},
	{"SAFE_ADD", "i(ii u(uu d(dd", FM_F_SAFE_ADD, false},
	{"SAFE_DIVIDE", "d(dd", FM_F_SAFE_DIVIDE, false},
	{"SAFE_MULTIPLY", "i(ii u(uu d(dd", FM_F_SAFE_MULTIPLY, false},
	{"SAFE_NEGATE", "i(i d(d", FM_F_SAFE_NEGATE, false},
	{"SAFE_SUBTRACT", "i(ii i(uu d(dd", FM_F_SAFE_SUBTRACT, false},
	{"SIGN", "i(i u(u d(d", FM_F_SIGN, false},
	{"SIN", "d(d", FM_F_SIN, false},
	{"SINH", "d(d", FM_F_SINH, false},
	{"SPLIT", "S(s?s", FM_F_SPLIT, false},
	{"SQRT", "d(d", FM_F_SQRT, false},
	{"STARTS_WITH", "b(ss b(yy", FM_F_STARTS_WITH, false},
	{"STDDEV", "d(d", 0, true},
	{"STDDEV_POP", "d(d", 0, true},
	{"STDDEV_SAMP", "d(d", 0, true},
	{"STRING_AGG", "s(s?s", 0, true},
	{"STRPOS", "i(ss", FM_F_STRPOS, false},
	{"SUBSTR", "s(si?i y(yi?i", FM_F_SUBSTR, false},
	{"SUM", "i(i u(u d(d", 0, true},
	{"TAN", "d(d", FM_F_TAN, false},
	{"TANH", "d(d", FM_F_TANH, false},
	{"TRIM", "s(s?s", FM_F_TRIM, false},
	{"TRUNC", "d(d?i", FM_F_TRUNC, false},
	{"UPPER", "s(s y(y", FM_F_UPPER, false},
	{"VARIANCE", "d(d", 0, true},
	{"VAR_POP", "d(d", 0, true},
	{"VAR_SAMP", "d(d", 0, true},
};

const FmFunction *
fm_expression_function(const char *name)
{
	size_t i;

	for (i = 0; i < lengthof(functions); i++)
		if (pg_strcasecmp(functions[i].name, name) == 0)
			return &functions[i];
	return NULL;
}

#define FAIL(...) fm_expression_fail(evaluation, node->position, __VA_ARGS__)

/* -- numbers -- */

static double
number_function(int id, double x, double y)
{
	switch (id)
	{
		case FM_F_ACOS:
			return acos(x);
		case FM_F_ACOSH:
			return acosh(x);
		case FM_F_ASIN:
			return asin(x);
		case FM_F_ASINH:
			return asinh(x);
		case FM_F_ATAN:
			return atan(x);
		case FM_F_ATAN2:
			return atan2(x, y);
		case FM_F_ATANH:
			return atanh(x);
		case FM_F_CEIL:
			return ceil(x);
		case FM_F_COS:
			return cos(x);
		case FM_F_COSH:
			return cosh(x);
		case FM_F_EXP:
			return exp(x);
		case FM_F_FLOOR:
			return floor(x);
		case FM_F_LN:
			return log(x);
		case FM_F_LOG10:
			return log10(x);
		case FM_F_POW:
			return pow(x, y);
		case FM_F_SIN:
			return sin(x);
		case FM_F_SINH:
			return sinh(x);
		case FM_F_SQRT:
			return sqrt(x);
		case FM_F_TAN:
			return tan(x);
		case FM_F_TANH:
			return tanh(x);
		default:
			return x;
	}
}

/* A number to some digits after the point, halves away from zero or all towards it */
static double
to_digits(double x, int64 digits, bool truncate)
{
	double power;
	double scaled;

	if (!isfinite(x) || digits > 320)
		return x;
	if (digits < -320)
		return 0;
	power = pow(10, fabs((double) digits));
	scaled = digits >= 0 ? x * power : x / power;
	if (!isfinite(scaled))
		return x;
	scaled = truncate ? trunc(scaled) : round(scaled);
	return digits >= 0 ? scaled / power : scaled * power;
}

static bool
call_number(FmEvaluation *evaluation, FmNode *node, FmValue *args, FmValue *value)
{
	int id = node->function->id;
	double x = args[0].number;
	double y = node->n_args > 1 ? args[1].number : 0;
	bool finite = isfinite(x) && (node->n_args < 2 || isfinite(y));

	switch (id)
	{
		case FM_F_ROUND:
		case FM_F_TRUNC:
			value->number = to_digits(x, node->n_args > 1 ? args[1].integer : 0, id == FM_F_TRUNC);
			return true;
		case FM_F_IS_INF:
			value->boolean = isinf(x) != 0;
			return true;
		case FM_F_IS_NAN:
			value->boolean = isnan(x) != 0;
			return true;
		case FM_F_IEEE_DIVIDE:
			value->number = x / y;
			return true;
		case FM_F_LOG:
			value->number = node->n_args > 1 ? log(x) / log(y) : log(x);
			/* a base of 1, 0 or less has no logarithm */
			if (node->n_args > 1 && (!(y > 0) || y == 1))
				value->number = NAN;
			break;
		default:
			value->number = number_function(id, x, y);
			break;
	}
	if (finite && !isfinite(value->number))
		return FAIL(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "%s has no finite value for its arguments",
					node->function->name);
	return true;
}

static bool
call_integer(FmEvaluation *evaluation, FmNode *node, FmValue *args, FmValue *value)
{
	int id = node->function->id;
	bool is_unsigned = node->type.kind == FM_UINT64;

	if (id == FM_F_ABS || id == FM_F_SIGN)
	{
		if (id == FM_F_ABS && node->type.kind == FM_INT64 && args[0].integer == PG_INT64_MIN)
			return FAIL(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "INT64 overflow");
		if (node->type.kind == FM_DOUBLE)
			value->number = id == FM_F_ABS			? fabs(args[0].number)
							: isnan(args[0].number) ? args[0].number
													: (args[0].number > 0) - (args[0].number < 0);
		else if (is_unsigned)
			value->natural = id == FM_F_ABS ? args[0].natural : args[0].natural > 0;
		else
			value->integer = id == FM_F_ABS ? (args[0].integer < 0 ? -args[0].integer : args[0].integer)
											: (args[0].integer > 0) - (args[0].integer < 0);
		return true;
	}
	if (args[1].natural == 0)
		return FAIL(ERRCODE_DIVISION_BY_ZERO, "division by zero");
	if (is_unsigned)
		value->natural = id == FM_F_DIV ? args[0].natural / args[1].natural : args[0].natural % args[1].natural;
	else if (args[1].integer == -1)
	{
		if (id == FM_F_DIV && args[0].integer == PG_INT64_MIN)
			return FAIL(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "INT64 overflow");
		value->integer = id == FM_F_DIV ? -args[0].integer : 0;
	}
	else
		value->integer = id == FM_F_DIV ? args[0].integer / args[1].integer : args[0].integer % args[1].integer;
	return true;
}

/* Arithmetic that gives NULL where the operators give an error */
static void
call_safe(FmNode *node, const FmValue *args, FmValue *value)
{
	int id = node->function->id;
	FmKind kind = node->args[0]->type.kind;
	bool bad = false;

	if (kind == FM_DOUBLE)
	{
		double x = args[0].number;
		double y = node->n_args > 1 ? args[1].number : 0;

		if (id == FM_F_SAFE_DIVIDE && y == 0)
			bad = true;
		else
			value->number = id == FM_F_SAFE_ADD		   ? x + y
							: id == FM_F_SAFE_SUBTRACT ? x - y
							: id == FM_F_SAFE_MULTIPLY ? x * y
							: id == FM_F_SAFE_DIVIDE   ? x / y
													   : -x;
		bad = bad || (!isfinite(value->number) && isfinite(x) && isfinite(y));
	}
	else if (kind == FM_UINT64)
	{
		if (id == FM_F_SAFE_ADD)
			bad = __builtin_add_overflow(args[0].natural, args[1].natural, &value->natural);
		else if (id == FM_F_SAFE_MULTIPLY)
			bad = __builtin_mul_overflow(args[0].natural, args[1].natural, &value->natural);
		else
			bad = __builtin_sub_overflow(args[0].natural, args[1].natural, &value->integer);
	}
	else if (id == FM_F_SAFE_NEGATE)
		bad = pg_sub_s64_overflow(0, args[0].integer, &value->integer);
	else if (id == FM_F_SAFE_ADD)
		bad = pg_add_s64_overflow(args[0].integer, args[1].integer, &value->integer);
	else if (id == FM_F_SAFE_MULTIPLY)
		bad = pg_mul_s64_overflow(args[0].integer, args[1].integer, &value->integer);
	else
		bad = pg_sub_s64_overflow(args[0].integer, args[1].integer, &value->integer);
	if (bad)
		*value = fm_null();
}

static void
call_extreme(FmNode *node, const FmValue *args, FmValue *value)
{
	bool largest = node->function->id == FM_F_GREATEST;
	int i;

	*value = args[0];
	for (i = 1; i < node->n_args; i++)
	{
		int order = fm_value_compare(node->type, &args[i], value);

		if (order == 2)
		{
			value->number = NAN;
			return;
		}
		if (largest ? order > 0 : order < 0)
			*value = args[i];
	}
}

/* -- arrays -- */

static bool
call_generate_array(FmEvaluation *evaluation, FmNode *node, const FmValue *args, FmValue *value)
{
	int64 step = node->n_args > 2 ? args[2].integer : 1;
	FmArray *array = palloc(sizeof(FmArray));
	size_t max = 0;
	int64 at = args[0].integer;

	if (step == 0)
		return FAIL(ERRCODE_INVALID_PARAMETER_VALUE, "the step of GENERATE_ARRAY is 0");
	array->n = 0;
	array->value = NULL;
	while (step > 0 ? at <= args[1].integer : at >= args[1].integer)
	{
		if (!fm_expression_work(evaluation, 4))
			return false;
		if (array->n == max)
		{
			max = max * 2 + 16;
			array->value =
				array->value == NULL ? palloc(sizeof(FmValue) * max) : repalloc(array->value, sizeof(FmValue) * max);
		}
		memset(&array->value[array->n], 0, sizeof(FmValue));
		array->value[array->n++].integer = at;
		if (pg_add_s64_overflow(at, step, &at))
			break;
	}
	value->array = array;
	return true;
}

static bool
call_array(FmEvaluation *evaluation, FmNode *node, FmValue *args, FmValue *value)
{
	FmArray *array;
	size_t n = 0;
	size_t k;
	int i;

	switch (node->function->id)
	{
		case FM_F_ARRAY_LENGTH:
			value->integer = (int64) args[0].array->n;
			return true;
		case FM_F_GENERATE_ARRAY:
			return call_generate_array(evaluation, node, args, value);
		default:
			break;
	}
	for (i = 0; i < node->n_args; i++)
		n += args[i].array->n;
	if (!fm_expression_work(evaluation, (int64) n))
		return false;
	array = palloc(sizeof(FmArray));
	array->n = 0;
	array->value = palloc(sizeof(FmValue) * Max(n, 1));
	for (i = 0; i < node->n_args; i++)
		for (k = 0; k < args[i].array->n; k++)
			array->value[array->n++] = node->function->id == FM_F_ARRAY_REVERSE
										   ? args[i].array->value[args[i].array->n - 1 - k]
										   : args[i].array->value[k];
	value->array = array;
	return true;
}

/* May a function be given a NULL argument (others are NULL then) */
static bool
takes_null(const FmNode *node, int arg)
{
	return node->function->id == FM_F_NULLIF || (node->function->id == FM_F_ARRAY_TO_STRING && arg == 2);
}

bool
fm_expression_call(FmEvaluation *evaluation, FmNode *node, FmValue *args, FmValue *value)
{
	int id = node->function->id;
	int i;

	memset(value, 0, sizeof(*value));
	for (i = 0; i < node->n_args; i++)
		if (args[i].null && !takes_null(node, i))
		{
			*value = fm_null();
			return true;
		}
	switch (id)
	{
		case FM_F_ABS:
		case FM_F_SIGN:
		case FM_F_DIV:
		case FM_F_MOD:
			return call_integer(evaluation, node, args, value);
		case FM_F_SAFE_ADD:
		case FM_F_SAFE_SUBTRACT:
		case FM_F_SAFE_MULTIPLY:
		case FM_F_SAFE_DIVIDE:
		case FM_F_SAFE_NEGATE:
			call_safe(node, args, value);
			return true;
		case FM_F_GREATEST:
		case FM_F_LEAST:
			call_extreme(node, args, value);
			return true;
		case FM_F_NULLIF:
			if (!args[0].null && !args[1].null && fm_value_compare(node->type, &args[0], &args[1]) == 0)
				*value = fm_null();
			else
				*value = args[0];
			return true;
		case FM_F_ARRAY_LENGTH:
		case FM_F_ARRAY_CONCAT:
		case FM_F_ARRAY_REVERSE:
		case FM_F_GENERATE_ARRAY:
			return call_array(evaluation, node, args, value);
		default:
			break;
	}
	if (id >= FM_F_FIRST_STRING)
		return fm_expression_call_string(evaluation, node, args, value);
	return call_number(evaluation, node, args, value);
}
