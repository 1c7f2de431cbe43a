/*
 * Nodes of a filter's tree, and which types go together
 *
 * A tree that gets deeper than FM_MAX_FILTER_DEPTH is refused here, as an argument is added.
 */
#include "lineage/filter_parser.h"

const char *
fm_filter_type_name(FmFilterType type)
{
	switch (type)
	{
		case FM_TYPE_BOOL:
			return "BOOL";
		case FM_TYPE_INT64:
			return "INT64";
		case FM_TYPE_UINT64:
			return "UINT64";
		case FM_TYPE_DOUBLE:
			return "DOUBLE";
		case FM_TYPE_STRING:
			return "STRING";
		case FM_TYPE_NULL:
			break;
	}
	return "NULL";
}

bool
fm_filter_is_number(FmFilterType type)
{
	return type == FM_TYPE_INT64 || type == FM_TYPE_UINT64 || type == FM_TYPE_DOUBLE;
}

FmExpr *
fm_filter_new_expr(FmExprKind kind, FmFilterType type, int position)
{
	FmExpr *expr = palloc0(sizeof(FmExpr));

	expr->kind = kind;
	expr->type = type;
	expr->position = position;
	expr->depth = 1;
	expr->alias = -1;
	return expr;
}

FmExpr *
fm_filter_too_deep(FmParser *parser, int position)
{
	return fm_filter_fail_at(parser, position, ERRCODE_STATEMENT_TOO_COMPLEX, "expression is nested too deeply");
}

/* The array doubles at powers of two */
bool
fm_filter_add_arg(FmParser *parser, FmExpr *expr, FmExpr *arg)
{
	if ((expr->n_args & (expr->n_args - 1)) == 0)
	{
		int size = expr->n_args == 0 ? 1 : expr->n_args * 2;

		expr->args = expr->n_args == 0 ? palloc(sizeof(FmExpr *)) : repalloc(expr->args, size * sizeof(FmExpr *));
	}
	expr->args[expr->n_args++] = arg;
	if (arg->depth >= expr->depth)
		expr->depth = arg->depth + 1;
	if (expr->depth > FM_MAX_FILTER_DEPTH)
	{
		fm_filter_too_deep(parser, expr->position);
		return false;
	}
	return true;
}

FmExpr *
fm_filter_new_expr1(FmParser *parser, FmExprKind kind, FmFilterType type, int position, FmExpr *a)
{
	FmExpr *expr = fm_filter_new_expr(kind, type, position);

	return fm_filter_add_arg(parser, expr, a) ? expr : NULL;
}

FmExpr *
fm_filter_new_expr2(FmParser *parser, FmExprKind kind, FmFilterType type, int position, FmExpr *a, FmExpr *b)
{
	FmExpr *expr = fm_filter_new_expr(kind, type, position);

	return fm_filter_add_arg(parser, expr, a) && fm_filter_add_arg(parser, expr, b) ? expr : NULL;
}

FmExpr *
fm_filter_new_int(int64 value, int position)
{
	FmExpr *expr = fm_filter_new_expr(FM_EXPR_LITERAL, FM_TYPE_INT64, position);

	expr->value.type = FM_TYPE_INT64;
	expr->value.int_value = value;
	return expr;
}

bool
fm_filter_common_type(FmFilterType a, FmFilterType b, FmFilterType *common)
{
	if (a == b || b == FM_TYPE_NULL)
		*common = a;
	else if (a == FM_TYPE_NULL)
		*common = b;
	else if (!fm_filter_is_number(a) || !fm_filter_is_number(b))
		return false;
	else
		*common = a == FM_TYPE_DOUBLE || b == FM_TYPE_DOUBLE ? FM_TYPE_DOUBLE : FM_TYPE_UINT64;
	return true;
}

FmExpr *
fm_filter_mismatch(FmParser *parser, int position, const char *what, FmFilterType a, FmFilterType b)
{
	fm_filter_fail_at(parser, position, ERRCODE_DATATYPE_MISMATCH, "%s does not take %s and %s", what,
					  fm_filter_type_name(a), fm_filter_type_name(b));
	if (a == FM_TYPE_STRING || b == FM_TYPE_STRING)
		fm_fail_hint(
			parser->error,
			"Quotes make a string: numbers, true, false and the names of states and event types stand without.");
	return NULL;
}

bool
fm_filter_check_alike(FmParser *parser, FmExpr *expr, int from, int step, const char *what, FmFilterType *type)
{
	for (int i = from; i < expr->n_args; i += step)
	{
		FmFilterType common;

		if (!fm_filter_common_type(*type, expr->args[i]->type, &common))
		{
			fm_filter_mismatch(parser, expr->args[i]->position, what, *type, expr->args[i]->type);
			return false;
		}
		*type = common;
	}
	return true;
}
