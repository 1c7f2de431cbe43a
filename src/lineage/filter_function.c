/*
 * The functions that a filter knows, with their SQL; CASE and CAST
 */
#include "lineage/filter_parser.h"

#define WHITE_SPACE "E' \\t\\n\\v\\f\\r'"

static const FmFilterFunction functions[] = {
	{"ABS", 1, 1, "n", FM_TYPE_NULL, "pg_catalog.abs(%1)"},
	{"MOD", 2, 2, "i", FM_TYPE_INT64, "pg_catalog.mod(%1, %2)"},
	{"DIV", 2, 2, "i", FM_TYPE_INT64, "(%1 OPERATOR(pg_catalog./) %2)"},
	{"ROUND", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.round(%1::pg_catalog.numeric)::pg_catalog.float8"},
	{"TRUNC", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.trunc(%1)"},
	{"FLOOR", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.floor(%1)"},
	{"CEIL", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.ceil(%1)"},
	{"CEILING", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.ceil(%1)"},
	{"SQRT", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.sqrt(%1)"},
	{"EXP", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.exp(%1)"},
	{"LN", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.ln(%1)"},
	{"LOG10", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.log(%1)"},
	{"POW", 2, 2, "d", FM_TYPE_DOUBLE, "pg_catalog.power(%1, %2)"},
	{"POWER", 2, 2, "d", FM_TYPE_DOUBLE, "pg_catalog.power(%1, %2)"},
	{"GREATEST", 1, -1, "a", FM_TYPE_NULL, "GREATEST(%,)"},
	{"LEAST", 1, -1, "a", FM_TYPE_NULL, "LEAST(%,)"},
	{"LENGTH", 1, 1, "s", FM_TYPE_INT64, "pg_catalog.char_length(%1)"},
	{"CHAR_LENGTH", 1, 1, "s", FM_TYPE_INT64, "pg_catalog.char_length(%1)"},
	{"CHARACTER_LENGTH", 1, 1, "s", FM_TYPE_INT64, "pg_catalog.char_length(%1)"},
	{"BYTE_LENGTH", 1, 1, "s", FM_TYPE_INT64, "pg_catalog.octet_length(%1)"},
	{"LOWER", 1, 1, "s", FM_TYPE_STRING, "pg_catalog.lower(%1)"},
	{"UPPER", 1, 1, "s", FM_TYPE_STRING, "pg_catalog.upper(%1)"},
	{"REVERSE", 1, 1, "s", FM_TYPE_STRING, "pg_catalog.reverse(%1)"},
	{"TRIM", 1, 1, "s", FM_TYPE_STRING, "pg_catalog.btrim(%1, " WHITE_SPACE ")"},
	{"TRIM", 2, 2, "s", FM_TYPE_STRING, "pg_catalog.btrim(%1, %2)"},
	{"LTRIM", 1, 1, "s", FM_TYPE_STRING, "pg_catalog.ltrim(%1, " WHITE_SPACE ")"},
	{"LTRIM", 2, 2, "s", FM_TYPE_STRING, "pg_catalog.ltrim(%1, %2)"},
	{"RTRIM", 1, 1, "s", FM_TYPE_STRING, "pg_catalog.rtrim(%1, " WHITE_SPACE ")"},
	{"RTRIM", 2, 2, "s", FM_TYPE_STRING, "pg_catalog.rtrim(%1, %2)"},
	{"CONCAT", 1, -1, "s", FM_TYPE_STRING, "(%|)"},
	{"REPLACE", 3, 3, "s", FM_TYPE_STRING, "pg_catalog.replace(%1, %2, %3)"},
	{"STRPOS", 2, 2, "s", FM_TYPE_INT64, "pg_catalog.strpos(%1, %2)"},
	{"STARTS_WITH", 2, 2, "s", FM_TYPE_BOOL, "pg_catalog.starts_with(%1, %2)"},
	{"ENDS_WITH", 2, 2, "s", FM_TYPE_BOOL,
	 "(pg_catalog.right(%1, pg_catalog.char_length(%2)) OPERATOR(pg_catalog.=) %2)"},
	{"SUBSTR", 2, 2, "si", FM_TYPE_STRING, "pg_catalog.substr(%1, %@::pg_catalog.int4)"},
	{"SUBSTR", 3, 3, "si", FM_TYPE_STRING, "pg_catalog.substr(%1, %@::pg_catalog.int4, %3::pg_catalog.int4)"},
	{"SUBSTRING", 2, 2, "si", FM_TYPE_STRING, "pg_catalog.substr(%1, %@::pg_catalog.int4)"},
	{"SUBSTRING", 3, 3, "si", FM_TYPE_STRING, "pg_catalog.substr(%1, %@::pg_catalog.int4, %3::pg_catalog.int4)"},
	{"COALESCE", 1, -1, "a", FM_TYPE_NULL, "COALESCE(%,)"},
	{"IFNULL", 2, 2, "a", FM_TYPE_NULL, "COALESCE(%1, %2)"},
	{"NULLIF", 2, 2, "a", FM_TYPE_NULL, "CASE WHEN %1 OPERATOR(pg_catalog.=) %2 THEN NULL ELSE %1 END"},
	{"IF", 3, 3, "ba", FM_TYPE_NULL, "CASE WHEN %1 THEN %2 ELSE %3 END"}};

/*
 * NAME ( args )
 */
FmExpr *
fm_filter_parse_function(FmParser *parser, const FmToken *name)
{
	FmExpr *expr = fm_filter_new_expr(FM_EXPR_FUNCTION, FM_TYPE_NULL, name->position);
	const FmFilterFunction *function = NULL;
	bool known = false;
	bool more;
	FmFilterType alike = FM_TYPE_NULL;

	for (size_t i = 0; i < lengthof(functions); i++)
		if (pg_strcasecmp(name->text, functions[i].name) == 0)
			known = true;
	if (!known)
	{
		fm_filter_fail_at(parser, name->position, ERRCODE_UNDEFINED_FUNCTION, "there is no function \"%s\"",
						  name->text);
		fm_fail_hint(
			parser->error,
			"Filters know the functions ABS, MOD, DIV, ROUND, TRUNC, FLOOR, CEIL, SQRT, EXP, LN, LOG10, POW, "
			"GREATEST, LEAST, LENGTH, BYTE_LENGTH, LOWER, UPPER, REVERSE, TRIM, LTRIM, RTRIM, CONCAT, REPLACE, "
			"STRPOS, STARTS_WITH, ENDS_WITH, SUBSTR, COALESCE, IFNULL, NULLIF and IF.");
		return NULL;
	}
	if (!fm_filter_advance(parser))
		return NULL;
	more = !fm_filter_at_symbol(parser, ")");
	while (more)
	{
		FmExpr *arg;

		if (fm_filter_at_symbol(parser, ")"))
			return fm_filter_unexpected(parser, "an argument");
		arg = fm_filter_parse_expr(parser);
		if (arg == NULL || !fm_filter_add_arg(parser, expr, arg) || !fm_filter_next_in_list(parser, &more))
			return NULL;
	}
	if (!fm_filter_advance(parser))
		return NULL;
	for (size_t i = 0; i < lengthof(functions) && function == NULL; i++)
		if (pg_strcasecmp(name->text, functions[i].name) == 0 && expr->n_args >= functions[i].min_args &&
			(functions[i].max_args < 0 || expr->n_args <= functions[i].max_args))
			function = &functions[i];
	if (function == NULL)
		return fm_filter_fail_at(parser, name->position, ERRCODE_UNDEFINED_FUNCTION,
								 "function \"%s\" does not take %d arguments", name->text, expr->n_args);
	expr->function = function;
	for (int i = 0; i < expr->n_args; i++)
	{
		char letter = function->args[Min(i, (int) strlen(function->args) - 1)];
		FmFilterType type = expr->args[i]->type;
		FmFilterType common;
		bool fits = type == FM_TYPE_NULL;

		switch (letter)
		{
			case 's':
				fits |= type == FM_TYPE_STRING;
				break;
			case 'b':
				fits |= type == FM_TYPE_BOOL;
				break;
			case 'i':
				fits |= type == FM_TYPE_INT64;
				break;
			case 'd':
				fits |= fm_filter_is_number(type);
				break;
			case 'n':
				fits |= fm_filter_is_number(type);
				alike = type;
				break;
			default:
				fits = fm_filter_common_type(alike, type, &common);
				if (fits)
					alike = common;
		}
		if (!fits)
			return fm_filter_fail_at(parser, expr->args[i]->position, ERRCODE_DATATYPE_MISMATCH,
									 "argument %d of function \"%s\" cannot be %s", i + 1, function->name,
									 fm_filter_type_name(type));
	}
	expr->type = function->type == FM_TYPE_NULL ? alike : function->type;
	return expr;
}

/*
 * CASE [expr] WHEN .. THEN .. [ELSE ..] END; a simple CASE becomes a searched one
 */
FmExpr *
fm_filter_parse_case(FmParser *parser)
{
	FmExpr *expr = fm_filter_new_expr(FM_EXPR_CASE, FM_TYPE_NULL, parser->token.position);
	FmExpr *subject = NULL;
	FmExpr *otherwise;

	if (!fm_filter_advance(parser) ||
		(!fm_filter_at_keyword(parser, "WHEN") && (subject = fm_filter_parse_expr(parser)) == NULL))
		return NULL;
	do
	{
		FmExpr *when;
		FmExpr *then;

		if (!fm_filter_expect_keyword(parser, "WHEN") || (when = fm_filter_parse_expr(parser)) == NULL ||
			!fm_filter_expect_keyword(parser, "THEN") || (then = fm_filter_parse_expr(parser)) == NULL)
			return NULL;
		if (subject != NULL)
		{
			FmFilterType common;

			if (!fm_filter_common_type(subject->type, when->type, &common))
				return fm_filter_mismatch(parser, when->position, "CASE", subject->type, when->type);
			when = fm_filter_new_expr2(parser, FM_EXPR_COMPARE, FM_TYPE_BOOL, when->position, subject, when);
			if (when == NULL)
				return NULL;
			when->op = "=";
		}
		else if (when->type != FM_TYPE_BOOL && when->type != FM_TYPE_NULL)
			return fm_filter_fail_at(parser, when->position, ERRCODE_DATATYPE_MISMATCH, "WHEN takes BOOL, not %s",
									 fm_filter_type_name(when->type));
		if (!fm_filter_add_arg(parser, expr, when) || !fm_filter_add_arg(parser, expr, then))
			return NULL;
	} while (fm_filter_at_keyword(parser, "WHEN"));
	if (fm_filter_at_keyword(parser, "ELSE"))
	{
		if (!fm_filter_advance(parser) || (otherwise = fm_filter_parse_expr(parser)) == NULL)
			return NULL;
	}
	else
		otherwise = fm_filter_new_expr(FM_EXPR_LITERAL, FM_TYPE_NULL, parser->token.position);
	if (!fm_filter_expect_keyword(parser, "END") || !fm_filter_add_arg(parser, expr, otherwise))
		return NULL;
	if (!fm_filter_check_alike(parser, expr, 1, 2, "CASE", &expr->type) ||
		!fm_filter_check_alike(parser, expr, expr->n_args - 1, 1, "CASE", &expr->type))
		return NULL;
	return expr;
}

FmExpr *
fm_filter_parse_cast(FmParser *parser)
{
	static const struct
	{
		const char *name;
		FmFilterType type;
	} types[] = {{"INT64", FM_TYPE_INT64},	 {"FLOAT64", FM_TYPE_DOUBLE}, {"DOUBLE", FM_TYPE_DOUBLE},
				 {"STRING", FM_TYPE_STRING}, {"BOOL", FM_TYPE_BOOL},	  {"BOOLEAN", FM_TYPE_BOOL}};
	int position = parser->token.position;
	FmExpr *arg;

	if (!fm_filter_advance(parser) || !fm_filter_expect(parser, "(") || (arg = fm_filter_parse_expr(parser)) == NULL ||
		!fm_filter_expect_keyword(parser, "AS"))
		return NULL;
	for (size_t i = 0; i < lengthof(types); i++)
	{
		if (fm_filter_at_keyword(parser, types[i].name))
		{
			FmExpr *expr = fm_filter_new_expr1(parser, FM_EXPR_CAST, types[i].type, position, arg);

			if ((types[i].type == FM_TYPE_BOOL && arg->type == FM_TYPE_DOUBLE) ||
				(types[i].type == FM_TYPE_DOUBLE && arg->type == FM_TYPE_BOOL))
				return fm_filter_fail_at(parser, position, ERRCODE_CANNOT_COERCE, "cannot cast %s to %s",
										 fm_filter_type_name(arg->type), types[i].name);
			return expr != NULL && fm_filter_advance(parser) && fm_filter_expect(parser, ")") ? expr : NULL;
		}
	}
	return fm_filter_fail_at(parser, parser->token.position, ERRCODE_UNDEFINED_OBJECT,
							 "CAST knows INT64, FLOAT64, STRING and BOOL");
}
