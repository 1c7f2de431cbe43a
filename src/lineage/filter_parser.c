/*
 * The grammar of filters, and the door of their parser. Recursive descent, with ZetaSQL's precedence; from loose to
 * tight: OR, AND, NOT, comparison (= < LIKE IN BETWEEN IS; not associative), |, ^, &, << >>, + -, * / ||, unary
 */
#include "lineage/filter_parser.h"

/* ZetaSQL's reserved words: no names, unless in backquotes */
static const char *const reserved[] = {
	"ALL",	   "AND",		"ANY",		 "ARRAY",		"AS",		 "ASC",		  "ASSERT_ROWS_MODIFIED",
	"AT",	   "BETWEEN",	"BY",		 "CASE",		"CAST",		 "COLLATE",	  "CREATE",
	"CROSS",   "CUBE",		"CURRENT",	 "DEFAULT",		"DEFINE",	 "DESC",	  "DISTINCT",
	"ELSE",	   "END",		"ENUM",		 "ESCAPE",		"EXCEPT",	 "EXCLUDE",	  "EXISTS",
	"EXTRACT", "FALSE",		"FETCH",	 "FOLLOWING",	"FOR",		 "FROM",	  "FULL",
	"GROUP",   "GROUPING",	"GROUPS",	 "HASH",		"HAVING",	 "IF",		  "IGNORE",
	"IN",	   "INNER",		"INTERSECT", "INTERVAL",	"INTO",		 "IS",		  "JOIN",
	"LATERAL", "LEFT",		"LIKE",		 "LIMIT",		"LOOKUP",	 "MERGE",	  "NATURAL",
	"NEW",	   "NO",		"NOT",		 "NULL",		"NULLS",	 "OF",		  "ON",
	"OR",	   "ORDER",		"OUTER",	 "OVER",		"PARTITION", "PRECEDING", "PROTO",
	"RANGE",   "RECURSIVE", "RESPECT",	 "RIGHT",		"ROLLUP",	 "ROWS",	  "SELECT",
	"SET",	   "SOME",		"STRUCT",	 "TABLESAMPLE", "THEN",		 "TO",		  "TREAT",
	"TRUE",	   "UNBOUNDED", "UNION",	 "UNNEST",		"USING",	 "WHEN",	  "WHERE",
	"WINDOW",  "WITH",		"WITHIN"};

static bool
IsReserved(const FmToken *token)
{
	if (token->kind != FM_TOKEN_IDENT || token->quoted)
		return false;
	for (size_t i = 0; i < lengthof(reserved); i++)
		if (pg_strcasecmp(token->text, reserved[i]) == 0)
			return true;
	return false;
}

static FmExpr *
ParseLiteral(FmParser *parser)
{
	FmToken *token = &parser->token;
	FmExpr *expr = fm_filter_new_expr(FM_EXPR_LITERAL, FM_TYPE_NULL, token->position);

	switch (token->kind)
	{
		case FM_TOKEN_INT:
			expr->type = token->int_value > PG_INT64_MAX ? FM_TYPE_UINT64 : FM_TYPE_INT64;
			expr->value.int_value = (int64) token->int_value;
			expr->value.uint_value = token->int_value;
			break;
		case FM_TOKEN_FLOAT:
			expr->type = FM_TYPE_DOUBLE;
			expr->value.double_value = token->double_value;
			break;
		case FM_TOKEN_STRING:
			expr->type = FM_TYPE_STRING;
			expr->value.string_value = token->text;
			break;
		case FM_TOKEN_BYTES:
			return fm_filter_fail_at(parser, token->position, ERRCODE_DATATYPE_MISMATCH,
									 "there is nothing to compare BYTES with");
		default:
			if (!fm_filter_at_keyword(parser, "NULL"))
			{
				expr->type = FM_TYPE_BOOL;
				expr->value.bool_value = fm_filter_at_keyword(parser, "TRUE");
			}
	}
	expr->value.type = expr->type;
	return fm_filter_advance(parser) ? expr : NULL;
}

static FmExpr *
ParsePrimary(FmParser *parser)
{
	FmToken token = parser->token;
	FmExpr *expr;

	if (token.kind == FM_TOKEN_END)
		return fm_filter_unexpected(parser, NULL);
	if (token.kind == FM_TOKEN_PROPERTY)
		expr = fm_filter_parse_property(parser);
	else if (token.kind == FM_TOKEN_INT || token.kind == FM_TOKEN_FLOAT || token.kind == FM_TOKEN_STRING ||
			 token.kind == FM_TOKEN_BYTES || fm_filter_at_keyword(parser, "TRUE") ||
			 fm_filter_at_keyword(parser, "FALSE") || fm_filter_at_keyword(parser, "NULL"))
		expr = ParseLiteral(parser);
	else if (fm_filter_at_symbol(parser, "("))
	{
		if (!fm_filter_advance(parser))
			return NULL;
		expr = fm_filter_parse_expr(parser);
		if (expr == NULL || !fm_filter_expect(parser, ")"))
			return NULL;
		/* in parentheses a column is an expression like any other */
		if (expr->kind == FM_EXPR_COLUMN)
			expr->enumeration = NULL;
	}
	else if (fm_filter_at_keyword(parser, "CASE"))
		expr = fm_filter_parse_case(parser);
	else if (fm_filter_at_keyword(parser, "CAST"))
		expr = fm_filter_parse_cast(parser);
	else if (token.kind == FM_TOKEN_IDENT && (!IsReserved(&token) || fm_filter_at_keyword(parser, "IF")))
	{
		if (!fm_filter_advance(parser))
			return NULL;
		if (fm_filter_at_symbol(parser, "(") && !token.quoted)
			expr = fm_filter_parse_function(parser, &token);
		else if (IsReserved(&token))
			return fm_filter_unexpected(parser, "\"(\"");
		else
			expr = fm_filter_parse_name(parser, &token);
	}
	else
		return fm_filter_unexpected(parser, NULL);
	if (expr == NULL)
		return NULL;
	if (fm_filter_at_symbol(parser, "."))
		return fm_filter_fail_at(parser, parser->token.position, ERRCODE_SYNTAX_ERROR, "%s has no fields",
								 fm_filter_type_name(expr->type));
	return expr;
}

static FmExpr *
ParseUnary(FmParser *parser)
{
	int position = parser->token.position;
	char op = fm_filter_at_symbol(parser, "-")	 ? '-'
			  : fm_filter_at_symbol(parser, "+") ? '+'
			  : fm_filter_at_symbol(parser, "~") ? '~'
												 : '\0';
	FmExpr *arg;

	if (op == '\0')
		return ParsePrimary(parser);
	if (++parser->depth > FM_MAX_FILTER_DEPTH)
		return fm_filter_too_deep(parser, position);
	if (!fm_filter_advance(parser))
		return NULL;
	/* -9223372036854775808 is an INT64, though 9223372036854775808 is none */
	if (op == '-' && parser->token.kind == FM_TOKEN_INT && parser->token.int_value == (uint64) PG_INT64_MAX + 1)
	{
		parser->depth--;
		return fm_filter_advance(parser) ? fm_filter_new_int(PG_INT64_MIN, position) : NULL;
	}
	arg = ParseUnary(parser);
	parser->depth--;
	if (arg == NULL)
		return NULL;
	if (arg->type == FM_TYPE_NULL)
		return fm_filter_fail_at(parser, arg->position, ERRCODE_DATATYPE_MISMATCH,
								 "the operand of \"%c\" cannot be the literal NULL", op);
	if (arg->type != FM_TYPE_INT64 && (op == '~' || arg->type != FM_TYPE_DOUBLE))
		return fm_filter_fail_at(parser, position, ERRCODE_DATATYPE_MISMATCH, "operator \"%c\" does not take %s", op,
								 fm_filter_type_name(arg->type));
	if (op == '-' && arg->kind == FM_EXPR_LITERAL)
	{
		arg->value.int_value = -arg->value.int_value;
		arg->value.double_value = -arg->value.double_value;
		return arg;
	}
	if (arg->kind == FM_EXPR_COLUMN)
		arg->enumeration = NULL;
	return op == '+'
			   ? arg
			   : fm_filter_new_expr1(parser, op == '-' ? FM_EXPR_NEGATE : FM_EXPR_COMPLEMENT, arg->type, position, arg);
}

/* Binary operators by level, tightest last; as in SQL except where sql says */
static const struct
{
	int level;
	const char *symbol;
	const char *sql;
	char takes; /* i: INT64, n: numbers, d: numbers, gives DOUBLE, s: strings */
} binary[] = {{0, "|", "|", 'i'}, {1, "^", "#", 'i'}, {2, "&", "&", 'i'}, {3, "<<", "<<", 'i'}, {3, ">>", ">>", 'i'},
			  {4, "+", "+", 'n'}, {4, "-", "-", 'n'}, {5, "*", "*", 'n'}, {5, "/", "/", 'd'},	{5, "||", "||", 's'}};
#define TIGHTEST_LEVEL 5

static FmExpr *
NullOperand(FmParser *parser, int position, const char *symbol)
{
	return fm_filter_fail_at(parser, position, ERRCODE_DATATYPE_MISMATCH,
							 "the operands of \"%s\" cannot be the literal NULL", symbol);
}

static FmExpr *
OperatorMismatch(FmParser *parser, int position, const char *symbol, const FmExpr *left, const FmExpr *right)
{
	char what[32];

	snprintf(what, sizeof(what), "operator \"%s\"", symbol);
	return fm_filter_mismatch(parser, position, what, left->type, right->type);
}

static FmExpr *
ParseBinary(FmParser *parser, int level)
{
	FmExpr *left = level == TIGHTEST_LEVEL ? ParseUnary(parser) : ParseBinary(parser, level + 1);

	while (left != NULL)
	{
		int position = parser->token.position;
		int op = -1;
		FmExpr *right;
		FmFilterType type;
		bool fits;

		for (size_t i = 0; i < lengthof(binary); i++)
			if (binary[i].level == level && fm_filter_at_symbol(parser, binary[i].symbol))
				op = i;
		if (op < 0)
			return left;
		if (!fm_filter_advance(parser))
			return NULL;
		right = level == TIGHTEST_LEVEL ? ParseUnary(parser) : ParseBinary(parser, level + 1);
		if (right == NULL)
			return NULL;
		if (left->type == FM_TYPE_NULL || right->type == FM_TYPE_NULL)
			return NullOperand(parser, position, binary[op].symbol);
		if (binary[op].takes == 's')
			fits = (type = left->type) == FM_TYPE_STRING && right->type == FM_TYPE_STRING;
		else if (binary[op].takes == 'i')
			fits = (type = left->type) == FM_TYPE_INT64 && right->type == FM_TYPE_INT64;
		else
			fits = fm_filter_common_type(left->type, right->type, &type) &&
				   (type == FM_TYPE_INT64 || type == FM_TYPE_DOUBLE);
		if (!fits)
			return OperatorMismatch(parser, position, binary[op].symbol, left, right);
		if (binary[op].takes == 'd')
			type = FM_TYPE_DOUBLE;
		left = fm_filter_new_expr2(parser, FM_EXPR_ARITHMETIC, type, position, left, right);
		if (left != NULL)
			left->op = binary[op].sql;
	}
	return NULL;
}

/*
 * [NOT] IN ( .. ); the current token is what follows IN
 */
static FmExpr *
ParseIn(FmParser *parser, FmExpr *left, bool negated, int position)
{
	FmExpr *expr = fm_filter_new_expr1(parser, FM_EXPR_IN, FM_TYPE_BOOL, position, left);
	const FmEnum *enumeration = left->kind == FM_EXPR_COLUMN ? left->enumeration : NULL;
	bool names = false;
	bool more;
	FmFilterType type = left->type;

	if (expr == NULL || !fm_filter_expect(parser, "("))
		return NULL;
	expr->negated = negated;
	if (fm_filter_at_keyword(parser, "SELECT"))
		return fm_filter_fail_at(parser, parser->token.position, ERRCODE_FEATURE_NOT_SUPPORTED,
								 "a filter cannot have subqueries");
	do
	{
		FmExpr *arg;

		if (enumeration != NULL &&
			(parser->token.kind == FM_TOKEN_IDENT || (parser->token.kind == FM_TOKEN_INT && expr->n_args > 1)))
		{
			arg = fm_filter_parse_enum_name(parser, enumeration);
			names = true;
		}
		else
			arg = fm_filter_parse_expr(parser);
		if (arg == NULL || !fm_filter_add_arg(parser, expr, arg) || !fm_filter_next_in_list(parser, &more))
			return NULL;
	} while (more);
	if (!fm_filter_check_alike(parser, expr, 1, 1, "IN", &type))
		return NULL;
	expr->or_null = negated && names;
	return fm_filter_advance(parser) ? expr : NULL;
}

static FmExpr *
ParseIs(FmParser *parser, FmExpr *left, int position)
{
	FmExpr *expr = fm_filter_new_expr1(parser, FM_EXPR_IS, FM_TYPE_BOOL, position, left);

	if (expr == NULL)
		return NULL;
	if (fm_filter_at_keyword(parser, "NOT"))
	{
		expr->negated = true;
		if (!fm_filter_advance(parser))
			return NULL;
	}
	expr->op = fm_filter_at_keyword(parser, "NULL")		 ? "NULL"
			   : fm_filter_at_keyword(parser, "TRUE")	 ? "TRUE"
			   : fm_filter_at_keyword(parser, "FALSE")	 ? "FALSE"
			   : fm_filter_at_keyword(parser, "UNKNOWN") ? "UNKNOWN"
														 : NULL;
	if (expr->op == NULL)
		return fm_filter_unexpected(parser, "NULL, TRUE, FALSE or UNKNOWN");
	if (strcmp(expr->op, "NULL") != 0 && left->type != FM_TYPE_BOOL && left->type != FM_TYPE_NULL)
		return fm_filter_fail_at(parser, position, ERRCODE_DATATYPE_MISMATCH, "IS %s takes BOOL, not %s", expr->op,
								 fm_filter_type_name(left->type));
	return fm_filter_advance(parser) ? expr : NULL;
}

static const struct
{
	const char *symbol;
	const char *sql;
} comparisons[] = {{"=", "="}, {"!=", "<>"}, {"<>", "<>"}, {"<", "<"}, {"<=", "<="}, {">", ">"}, {">=", ">="}};

static bool
StartsComparison(FmParser *parser)
{
	for (size_t i = 0; i < lengthof(comparisons); i++)
		if (fm_filter_at_symbol(parser, comparisons[i].symbol))
			return true;
	return fm_filter_at_keyword(parser, "IS") || fm_filter_at_keyword(parser, "IN") ||
		   fm_filter_at_keyword(parser, "LIKE") || fm_filter_at_keyword(parser, "BETWEEN") ||
		   fm_filter_at_keyword(parser, "NOT");
}

/*
 * left OP right, the current token being OP
 */
static FmExpr *
ParseOperator(FmParser *parser, FmExpr *left)
{
	const FmEnum *enumeration = left->kind == FM_EXPR_COLUMN ? left->enumeration : NULL;
	int position = parser->token.position;
	bool negated = false;
	FmExpr *right;
	FmExpr *expr;
	FmFilterType common;

	for (size_t i = 0; i < lengthof(comparisons); i++)
	{
		bool bang = strcmp(comparisons[i].symbol, "!=") == 0;

		if (!fm_filter_at_symbol(parser, comparisons[i].symbol))
			continue;
		if (!fm_filter_advance(parser))
			return NULL;
		/* the client looks for names after = and != only */
		if (enumeration != NULL && (i == 0 || bang) &&
			(parser->token.kind == FM_TOKEN_IDENT || parser->token.kind == FM_TOKEN_INT))
			right = fm_filter_parse_enum_name(parser, enumeration);
		else
		{
			enumeration = NULL;
			right = ParseBinary(parser, 0);
		}
		if (right == NULL)
			return NULL;
		if (left->type == FM_TYPE_NULL || right->type == FM_TYPE_NULL)
		{
			NullOperand(parser, position, comparisons[i].symbol);
			fm_fail_hint(parser->error, "Write IS NULL or IS NOT NULL.");
			return NULL;
		}
		if (!fm_filter_common_type(left->type, right->type, &common))
			return OperatorMismatch(parser, position, comparisons[i].symbol, left, right);
		expr = fm_filter_new_expr2(parser, FM_EXPR_COMPARE, FM_TYPE_BOOL, position, left, right);
		if (expr != NULL)
		{
			expr->op = comparisons[i].sql;
			expr->or_null = enumeration != NULL && bang;
		}
		return expr;
	}
	if (fm_filter_at_keyword(parser, "IS"))
		return fm_filter_advance(parser) ? ParseIs(parser, left, position) : NULL;
	if (fm_filter_at_keyword(parser, "NOT"))
	{
		negated = true;
		if (!fm_filter_advance(parser))
			return NULL;
	}
	if (fm_filter_at_keyword(parser, "IN"))
		return fm_filter_advance(parser) ? ParseIn(parser, left, negated, position) : NULL;
	if (fm_filter_at_keyword(parser, "LIKE"))
	{
		if (!fm_filter_advance(parser) || (right = ParseBinary(parser, 0)) == NULL)
			return NULL;
		if (left->type != FM_TYPE_STRING || right->type != FM_TYPE_STRING)
			return fm_filter_mismatch(parser, position, "LIKE", left->type, right->type);
		expr = fm_filter_new_expr2(parser, FM_EXPR_LIKE, FM_TYPE_BOOL, position, left, right);
	}
	else if (fm_filter_at_keyword(parser, "BETWEEN"))
	{
		FmExpr *high;

		if (!fm_filter_advance(parser) || (right = ParseBinary(parser, 0)) == NULL ||
			!fm_filter_expect_keyword(parser, "AND") || (high = ParseBinary(parser, 0)) == NULL)
			return NULL;
		expr = fm_filter_new_expr2(parser, FM_EXPR_BETWEEN, FM_TYPE_BOOL, position, left, right);
		common = FM_TYPE_NULL;
		if (expr == NULL || !fm_filter_add_arg(parser, expr, high) ||
			!fm_filter_check_alike(parser, expr, 0, 1, "BETWEEN", &common))
			return NULL;
	}
	else
		return fm_filter_unexpected(parser, "IN, LIKE or BETWEEN");
	if (expr != NULL)
		expr->negated = negated;
	return expr;
}

static FmExpr *
ParseComparison(FmParser *parser)
{
	FmExpr *expr = ParseBinary(parser, 0);

	if (expr == NULL || !StartsComparison(parser))
		return expr;
	expr = ParseOperator(parser, expr);
	if (expr != NULL && StartsComparison(parser))
	{
		fm_filter_fail_at(parser, parser->token.position, ERRCODE_SYNTAX_ERROR, "comparisons cannot be chained");
		fm_fail_hint(parser->error, "Put the one on the left in parentheses.");
		return NULL;
	}
	return expr;
}

static bool
CheckLogical(FmParser *parser, const FmExpr *expr, const char *op)
{
	if (expr->type != FM_TYPE_BOOL && expr->type != FM_TYPE_NULL)
	{
		fm_filter_fail_at(parser, expr->position, ERRCODE_DATATYPE_MISMATCH, "%s takes BOOL, not %s", op,
						  fm_filter_type_name(expr->type));
		return false;
	}
	return true;
}

static FmExpr *
ParseNot(FmParser *parser)
{
	int position = parser->token.position;
	FmExpr *arg;

	if (!fm_filter_at_keyword(parser, "NOT"))
		return ParseComparison(parser);
	if (++parser->depth > FM_MAX_FILTER_DEPTH)
		return fm_filter_too_deep(parser, position);
	if (!fm_filter_advance(parser) || (arg = ParseNot(parser)) == NULL)
		return NULL;
	parser->depth--;
	if (arg->type == FM_TYPE_NULL)
		return fm_filter_fail_at(parser, arg->position, ERRCODE_DATATYPE_MISMATCH,
								 "the operand of NOT cannot be the literal NULL");
	return CheckLogical(parser, arg, "NOT") ? fm_filter_new_expr1(parser, FM_EXPR_NOT, FM_TYPE_BOOL, position, arg)
											: NULL;
}

/*
 * A chain of AND or OR as one node
 */
static FmExpr *
ParseLogical(FmParser *parser, bool is_and)
{
	const char *keyword = is_and ? "AND" : "OR";
	FmExpr *first = is_and ? ParseNot(parser) : ParseLogical(parser, true);
	FmExpr *expr;

	if (first == NULL || !fm_filter_at_keyword(parser, keyword))
		return first;
	if (!CheckLogical(parser, first, keyword))
		return NULL;
	expr = fm_filter_new_expr1(parser, is_and ? FM_EXPR_AND : FM_EXPR_OR, FM_TYPE_BOOL, first->position, first);
	while (expr != NULL && fm_filter_at_keyword(parser, keyword))
	{
		FmExpr *next;

		if (!fm_filter_advance(parser) || (next = is_and ? ParseNot(parser) : ParseLogical(parser, true)) == NULL ||
			!CheckLogical(parser, next, keyword) || !fm_filter_add_arg(parser, expr, next))
			return NULL;
		CHECK_FOR_INTERRUPTS();
	}
	return expr;
}

FmExpr *
fm_filter_parse_expr(FmParser *parser)
{
	FmExpr *expr;

	check_stack_depth();
	if (++parser->depth > FM_MAX_FILTER_DEPTH)
		return fm_filter_too_deep(parser, parser->token.position);
	expr = ParseLogical(parser, false);
	parser->depth--;
	return expr;
}

FmFilter *
fm_filter_parse(FmNodeKind kind, const char *text, size_t size, FmError *error)
{
	FmParser parser;
	FmFilter *filter;

	if (size > FM_MAX_FILTER_SIZE)
	{
		fm_fail(error, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "filter is longer than %d bytes", FM_MAX_FILTER_SIZE);
		return NULL;
	}
	memset(&parser, 0, sizeof(parser));
	parser.lexer.input = text;
	parser.lexer.size = (int) size;
	parser.lexer.error = parser.error = error;
	parser.filter = filter = palloc0(sizeof(FmFilter));
	filter->kind = kind;
	if (!fm_filter_advance(&parser) || (filter->condition = fm_filter_parse_expr(&parser)) == NULL)
		return NULL;
	if (parser.token.kind != FM_TOKEN_END)
	{
		fm_filter_fail_at(&parser, parser.token.position, ERRCODE_SYNTAX_ERROR, "end expected");
		return NULL;
	}
	if (filter->condition->type != FM_TYPE_BOOL)
	{
		fm_filter_fail_at(&parser, 0, ERRCODE_DATATYPE_MISMATCH, "it is not a condition but of type %s",
						  fm_filter_type_name(filter->condition->type));
		return NULL;
	}
	return filter;
}
