/*
 * The functions of expressions, by number
 */
#ifndef FM_EXPRESSION_FUNCTIONS_H
#define FM_EXPRESSION_FUNCTIONS_H

#include "validation/expression_tree.h"

/* Those that look only at the arguments they need, and aggregates, have none */
enum
{
	FM_F_NONE,
	FM_F_ABS,
	FM_F_ACOS,
	FM_F_ACOSH,
	FM_F_ARRAY_CONCAT,
	FM_F_ARRAY_LENGTH,
	FM_F_ARRAY_REVERSE,
	FM_F_ASIN,
	FM_F_ASINH,
	FM_F_ATAN,
	FM_F_ATAN2,
	FM_F_ATANH,
	FM_F_CEIL,
	FM_F_COS,
	FM_F_COSH,
	FM_F_DIV,
	FM_F_EXP,
	FM_F_FLOOR,
	FM_F_GENERATE_ARRAY,
	FM_F_GREATEST,
	FM_F_IEEE_DIVIDE,
	FM_F_IS_INF,
	FM_F_IS_NAN,
	FM_F_LEAST,
	FM_F_LN,
	FM_F_LOG,
	FM_F_LOG10,
	FM_F_MOD,
	FM_F_NULLIF,
	FM_F_POW,
	FM_F_ROUND,
	FM_F_SAFE_ADD,
	FM_F_SAFE_DIVIDE,
	FM_F_SAFE_MULTIPLY,
	FM_F_SAFE_NEGATE,
	FM_F_SAFE_SUBTRACT,
	FM_F_SIGN,
	FM_F_SIN,
	FM_F_SINH,
	FM_F_SQRT,
	FM_F_TAN,
	FM_F_TANH,
	FM_F_TRUNC,

	/* of strings */
	FM_F_FIRST_STRING,
	FM_F_ARRAY_TO_STRING,
	FM_F_BYTE_LENGTH,
	FM_F_CONCAT,
	FM_F_ENDS_WITH,
	FM_F_LEFT,
	FM_F_LENGTH,
	FM_F_LOWER,
	FM_F_LPAD,
	FM_F_LTRIM,
	FM_F_REGEXP_CONTAINS,
	FM_F_REGEXP_EXTRACT,
	FM_F_REGEXP_EXTRACT_ALL,
	FM_F_REGEXP_MATCH,
	FM_F_REGEXP_REPLACE,
	FM_F_REPEAT,
	FM_F_REPLACE,
	FM_F_REVERSE,
	FM_F_RIGHT,
	FM_F_RPAD,
	FM_F_RTRIM,
	FM_F_SPLIT,
	FM_F_STARTS_WITH,
	FM_F_STRPOS,
	FM_F_SUBSTR,
	FM_F_TRIM,
	FM_F_UPPER
};

/* Functions of strings (expression_strings.c); no argument is NULL but the last of ARRAY_TO_STRING */
extern bool fm_expression_call_string(FmEvaluation *evaluation, FmNode *node, FmValue *args, FmValue *value);

#endif
