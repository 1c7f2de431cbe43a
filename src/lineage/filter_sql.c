/*
 * The typed tree of a filter -> a condition in SQL
 *
 * The client joins every neighbour that is named anywhere in the filter, so a neighbour has to exist even where it
 * stands under OR or NOT, and all mentions of one alias mean the same row. Here the conditions that AND joins are
 * grouped by the neighbours they share; each group becomes one EXISTS, which the planner turns into a semi-join, so
 * that no row comes twice and nothing has to be made distinct.
 */
#include "lineage/filter.h"

#define EQ "OPERATOR(pg_catalog.=)"

typedef struct FmSqlWriter
{
	const FmFilter *filter;
	const char *(*relation)(const char *name);
	StringInfo sql;
	int n_params;
	FmFilterParam *params;
	FmError *error;
} FmSqlWriter;

static bool WriteExpr(FmSqlWriter *writer, const FmExpr *expr, FmFilterType target);

static const char *
SqlTypeName(FmFilterType type)
{
	switch (type)
	{
		case FM_TYPE_BOOL:
			return "pg_catalog.bool";
		case FM_TYPE_INT64:
			return "pg_catalog.int8";
		case FM_TYPE_UINT64:
			return "pg_catalog.numeric";
		case FM_TYPE_DOUBLE:
			return "pg_catalog.float8";
		case FM_TYPE_STRING:
		case FM_TYPE_NULL:
			break;
	}
	return "pg_catalog.text";
}

static FmFilterType
CommonOf(FmFilterType a, FmFilterType b)
{
	if (a == FM_TYPE_NULL || a == b)
		return b;
	if (b == FM_TYPE_NULL)
		return a;
	return a == FM_TYPE_DOUBLE || b == FM_TYPE_DOUBLE ? FM_TYPE_DOUBLE : FM_TYPE_UINT64;
}

/* ---- parameters ---- */

static FmFilterValue
ConvertValue(FmFilterValue value, FmFilterType target)
{
	if (target == FM_TYPE_DOUBLE && value.type != FM_TYPE_DOUBLE)
		value.double_value = value.type == FM_TYPE_UINT64 ? (double) value.uint_value : (double) value.int_value;
	value.type = value.type == FM_TYPE_INT64 && target == FM_TYPE_UINT64 ? FM_TYPE_INT64 : target;
	return value;
}

/*
 * Adds a parameter with room for n values and writes its number; n < 0: a single value
 */
static FmFilterParam *
WriteParam(FmSqlWriter *writer, FmFilterType type, int n)
{
	FmFilterParam *param;

	if ((writer->n_params & (writer->n_params + 1)) == 0)
	{
		int size = (writer->n_params + 1) * 2;

		writer->params = writer->params == NULL ? palloc(size * sizeof(FmFilterParam))
												: repalloc(writer->params, size * sizeof(FmFilterParam));
	}
	param = &writer->params[writer->n_params++];
	param->type = type;
	param->n_values = n;
	param->values = palloc0(Max(abs(n), 1) * sizeof(FmFilterValue));
	appendStringInfo(writer->sql, "$%d", writer->n_params);
	return param;
}

static void
WriteText(FmSqlWriter *writer, const char *text)
{
	FmFilterParam *param = WriteParam(writer, FM_TYPE_STRING, -1);

	param->values[0].type = FM_TYPE_STRING;
	param->values[0].string_value = (char *) text;
}

/* ---- expressions ---- */

static void
WriteColumn(FmSqlWriter *writer, const FmExpr *expr)
{
	const FmAlias *alias;
	const char *prefix = "c";
	const char *column = expr->column;

	if (expr->alias < 0)
	{
		appendStringInfo(writer->sql, "n.%s", column);
		return;
	}
	alias = &writer->filter->aliases[expr->alias];
	switch (alias->kind)
	{
		case FM_ALIAS_TYPE:
		case FM_ALIAS_PROPERTY:
		case FM_ALIAS_EVENT:
			break;
		default:
			if (strcmp(column, "id") == 0)
			{
				/* the link knows it */
				prefix = "l";
				column = alias->kind == FM_ALIAS_ARTIFACT		  ? "artifact_id"
						 : alias->kind == FM_ALIAS_EXECUTION	  ? "execution_id"
						 : alias->kind == FM_ALIAS_PARENT_CONTEXT ? "parent_context_id"
																  : "context_id";
			}
			else if (strcmp(column, "type") == 0)
			{
				prefix = "y";
				column = "name";
			}
	}
	appendStringInfo(writer->sql, "%s%d.%s", prefix, expr->alias, column);
}

/*
 * left OP right
 */
static bool
WriteBinary(FmSqlWriter *writer, const FmExpr *left, const char *op, const FmExpr *right, FmFilterType target)
{
	bool ordered = op[0] == '<' || op[0] == '>';

	if (!WriteExpr(writer, left, target))
		return false;
	/* strings order by code point, whatever the database's collation */
	if (target == FM_TYPE_STRING && ordered && strcmp(op, "<>") != 0)
		appendStringInfoString(writer->sql, " COLLATE pg_catalog.\"C\"");
	appendStringInfo(writer->sql, " OPERATOR(pg_catalog.%s) ", op);
	return WriteExpr(writer, right, target);
}

static bool
WriteIn(FmSqlWriter *writer, const FmExpr *expr)
{
	FmFilterType type = FM_TYPE_NULL;
	bool literals = true;

	for (int i = 0; i < expr->n_args; i++)
	{
		type = CommonOf(type, expr->args[i]->type);
		if (i > 0 && (expr->args[i]->kind != FM_EXPR_LITERAL || expr->args[i]->type == FM_TYPE_NULL))
			literals = false;
	}
	if (expr->negated)
		appendStringInfoString(writer->sql, "NOT (");
	if (!WriteExpr(writer, expr->args[0], type))
		return false;
	appendStringInfoString(writer->sql, " " EQ " ANY (");
	if (literals)
	{
		FmFilterParam *param = WriteParam(writer, type, expr->n_args - 1);

		for (int i = 1; i < expr->n_args; i++)
			param->values[i - 1] = ConvertValue(expr->args[i]->value, type);
	}
	else
	{
		appendStringInfoString(writer->sql, "ARRAY[");
		for (int i = 1; i < expr->n_args; i++)
		{
			if (i > 1)
				appendStringInfoString(writer->sql, ", ");
			if (!WriteExpr(writer, expr->args[i], type))
				return false;
		}
		appendStringInfo(writer->sql, "]::%s[]", SqlTypeName(type));
	}
	appendStringInfoString(writer->sql, expr->negated ? "))" : ")");
	return true;
}

/*
 * A function by its template: %1 .. %3 an argument, %, and %| all of them, %@ the start position of SUBSTR
 */
static bool
WriteFunction(FmSqlWriter *writer, const FmExpr *expr)
{
	const FmFilterFunction *function = expr->function;

	for (const char *p = function->format; *p != '\0'; p++)
	{
		if (*p != '%')
		{
			appendStringInfoChar(writer->sql, *p);
			continue;
		}
		p++;
		if (*p == '@')
		{
			/* counts from the end when negative; 0 is 1 */
			appendStringInfoString(
				writer->sql, "(SELECT CASE WHEN s.p OPERATOR(pg_catalog.<) 0 THEN GREATEST(pg_catalog.char_length(");
			if (!WriteExpr(writer, expr->args[0], FM_TYPE_STRING))
				return false;
			appendStringInfoString(
				writer->sql,
				") OPERATOR(pg_catalog.+) s.p OPERATOR(pg_catalog.+) 1, 1) ELSE GREATEST(s.p, 1) END FROM (SELECT ");
			if (!WriteExpr(writer, expr->args[1], FM_TYPE_INT64))
				return false;
			appendStringInfoString(writer->sql, ") AS s (p))");
			continue;
		}
		for (int i = 0; i < expr->n_args; i++)
		{
			char letter = function->args[Min(i, (int) strlen(function->args) - 1)];
			FmFilterType target = letter == 's'	  ? FM_TYPE_STRING
								  : letter == 'b' ? FM_TYPE_BOOL
								  : letter == 'i' ? FM_TYPE_INT64
								  : letter == 'd' ? FM_TYPE_DOUBLE
												  : expr->type;

			if ((*p >= '1' && *p <= '9' && *p - '1' != i))
				continue;
			if (i > 0 && *p == ',')
				appendStringInfoString(writer->sql, ", ");
			if (i > 0 && *p == '|')
				appendStringInfoString(writer->sql, " OPERATOR(pg_catalog.||) ");
			if (!WriteExpr(writer, expr->args[i], target))
				return false;
			if (*p == ',' && target == FM_TYPE_STRING)
				appendStringInfoString(writer->sql, " COLLATE pg_catalog.\"C\"");
		}
	}
	return true;
}

static bool
WriteLogical(FmSqlWriter *writer, const FmExpr *expr)
{
	for (int i = 0; i < expr->n_args; i++)
	{
		if (i > 0)
			appendStringInfoString(writer->sql, expr->kind == FM_EXPR_AND ? " AND " : " OR ");
		if (!WriteExpr(writer, expr->args[i], FM_TYPE_BOOL))
			return false;
	}
	return true;
}

static bool
WriteCase(FmSqlWriter *writer, const FmExpr *expr)
{
	appendStringInfoString(writer->sql, "CASE");
	for (int i = 0; i + 1 < expr->n_args; i += 2)
	{
		appendStringInfoString(writer->sql, " WHEN ");
		if (!WriteExpr(writer, expr->args[i], FM_TYPE_BOOL))
			return false;
		appendStringInfoString(writer->sql, " THEN ");
		if (!WriteExpr(writer, expr->args[i + 1], expr->type))
			return false;
	}
	appendStringInfoString(writer->sql, " ELSE ");
	if (!WriteExpr(writer, expr->args[expr->n_args - 1], expr->type))
		return false;
	appendStringInfoString(writer->sql, " END");
	return true;
}

static bool
WriteCast(FmSqlWriter *writer, const FmExpr *expr)
{
	const FmExpr *arg = expr->args[0];

	/* int8 and bool know no cast to one another, int4 does */
	if (arg->type == FM_TYPE_INT64 && expr->type == FM_TYPE_BOOL)
	{
		if (!WriteExpr(writer, arg, FM_TYPE_INT64))
			return false;
		appendStringInfoString(writer->sql, " OPERATOR(pg_catalog.<>) 0");
		return true;
	}
	if (!WriteExpr(writer, arg, arg->type))
		return false;
	appendStringInfo(writer->sql, "%s::%s",
					 arg->type == FM_TYPE_BOOL && expr->type == FM_TYPE_INT64 ? "::pg_catalog.int4" : "",
					 SqlTypeName(expr->type));
	return true;
}

/*
 * What stands between the parentheses of an expression
 */
static bool
WriteInner(FmSqlWriter *writer, const FmExpr *expr, FmFilterType target)
{
	FmFilterType common = FM_TYPE_NULL;
	FmFilterParam *param;

	switch (expr->kind)
	{
		case FM_EXPR_LITERAL:
			if (expr->type == FM_TYPE_NULL)
			{
				appendStringInfo(writer->sql, "NULL::%s", SqlTypeName(target));
				return true;
			}
			param = WriteParam(writer, target, -1);
			param->values[0] = ConvertValue(expr->value, target);
			return true;
		case FM_EXPR_COLUMN:
			WriteColumn(writer, expr);
			return true;
		case FM_EXPR_AND:
		case FM_EXPR_OR:
			return WriteLogical(writer, expr);
		case FM_EXPR_NOT:
			appendStringInfoString(writer->sql, "NOT ");
			return WriteExpr(writer, expr->args[0], FM_TYPE_BOOL);
		case FM_EXPR_COMPARE:
			common = CommonOf(expr->args[0]->type, expr->args[1]->type);
			if (!WriteBinary(writer, expr->args[0], expr->op, expr->args[1], common))
				return false;
			break;
		case FM_EXPR_IN:
			if (!WriteIn(writer, expr))
				return false;
			break;
		case FM_EXPR_BETWEEN:
			for (int i = 0; i < 3; i++)
				common = CommonOf(common, expr->args[i]->type);
			if (expr->negated)
				appendStringInfoString(writer->sql, "NOT (");
			if (!WriteBinary(writer, expr->args[0], ">=", expr->args[1], common))
				return false;
			appendStringInfoString(writer->sql, " AND ");
			if (!WriteBinary(writer, expr->args[0], "<=", expr->args[2], common))
				return false;
			if (expr->negated)
				appendStringInfoChar(writer->sql, ')');
			return true;
		case FM_EXPR_LIKE:
			return WriteBinary(writer, expr->args[0], expr->negated ? "!~~" : "~~", expr->args[1], FM_TYPE_STRING);
		case FM_EXPR_IS:
			if (!WriteExpr(writer, expr->args[0],
						   expr->args[0]->type == FM_TYPE_NULL ? FM_TYPE_BOOL : expr->args[0]->type))
				return false;
			appendStringInfo(writer->sql, " IS %s%s", expr->negated ? "NOT " : "", expr->op);
			return true;
		case FM_EXPR_ARITHMETIC:
			common = expr->type;
			if (!WriteExpr(writer, expr->args[0], common))
				return false;
			appendStringInfo(writer->sql, " OPERATOR(pg_catalog.%s) ", expr->op);
			if (!WriteExpr(writer, expr->args[1], common))
				return false;
			/* SQL's shifts count in int4 */
			if (strcmp(expr->op, "<<") == 0 || strcmp(expr->op, ">>") == 0)
				appendStringInfoString(writer->sql, "::pg_catalog.int4");
			return true;
		case FM_EXPR_NEGATE:
		case FM_EXPR_COMPLEMENT:
			appendStringInfo(writer->sql, "OPERATOR(pg_catalog.%s) ", expr->kind == FM_EXPR_NEGATE ? "-" : "~");
			return WriteExpr(writer, expr->args[0], expr->type);
		case FM_EXPR_FUNCTION:
			return WriteFunction(writer, expr);
		case FM_EXPR_CASE:
			return WriteCase(writer, expr);
		case FM_EXPR_CAST:
			return WriteCast(writer, expr);
	}
	if (expr->or_null)
	{
		appendStringInfoString(writer->sql, " OR ");
		if (!WriteExpr(writer, expr->args[0], expr->args[0]->type))
			return false;
		appendStringInfoString(writer->sql, " IS NULL");
	}
	return true;
}

/*
 * An expression as a value of a type, in parentheses unless it is a column or a parameter
 */
static bool
WriteExpr(FmSqlWriter *writer, const FmExpr *expr, FmFilterType target)
{
	bool simple = expr->kind == FM_EXPR_COLUMN || (expr->kind == FM_EXPR_LITERAL && expr->type != FM_TYPE_NULL);
	bool cast;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (writer->sql->len > FM_MAX_FILTER_SQL)
		return fm_fail(writer->error, ERRCODE_STATEMENT_TOO_COMPLEX, "filter is too complex");
	if (target == FM_TYPE_NULL)
		target = expr->type;
	cast = expr->kind != FM_EXPR_LITERAL && expr->type != target && expr->type != FM_TYPE_NULL;
	if (!simple)
		appendStringInfoChar(writer->sql, '(');
	if (!WriteInner(writer, expr, target))
		return false;
	if (!simple)
		appendStringInfoChar(writer->sql, ')');
	if (cast)
		appendStringInfo(writer->sql, "::%s", SqlTypeName(target));
	return true;
}

/* ---- neighbours ---- */

/*
 * The relations of an alias, and how they hang on the node; both end without a separator
 */
static void
WriteAlias(FmSqlWriter *writer, int index, StringInfo from)
{
	const FmAlias *alias = &writer->filter->aliases[index];
	const char *kind = fm_node_kind_name(writer->filter->kind);
	char property[32];
	const char *link = NULL;
	const char *neighbour = NULL;
	const char *here = NULL;
	const char *there = NULL;

	switch (alias->kind)
	{
		case FM_ALIAS_TYPE:
			appendStringInfo(from, "%s c%d", writer->relation("type"), index);
			appendStringInfo(writer->sql, "c%d.id " EQ " n.type_id", index);
			return;
		case FM_ALIAS_PROPERTY:
			snprintf(property, sizeof(property), "%sproperty", kind);
			appendStringInfo(from, "%s c%d", writer->relation(property), index);
			appendStringInfo(writer->sql, "c%d.%s_id " EQ " n.id AND c%d.name " EQ " ", index, kind, index);
			WriteText(writer, alias->name);
			appendStringInfo(writer->sql, " AND c%d.is_custom_property " EQ " %s", index,
							 alias->custom ? "true" : "false");
			return;
		case FM_ALIAS_EVENT:
			appendStringInfo(from, "%s c%d", writer->relation("event"), index);
			appendStringInfo(writer->sql, "c%d.%s_id " EQ " n.id", index, kind);
			return;
		case FM_ALIAS_CONTEXT:
			link = writer->filter->kind == FM_ARTIFACT ? "attribution" : "association";
			neighbour = "context";
			here = writer->filter->kind == FM_ARTIFACT ? "artifact_id" : "execution_id";
			there = "context_id";
			break;
		case FM_ALIAS_ARTIFACT:
			link = "attribution";
			neighbour = "artifact";
			here = "context_id";
			there = "artifact_id";
			break;
		case FM_ALIAS_EXECUTION:
			link = "association";
			neighbour = "execution";
			here = "context_id";
			there = "execution_id";
			break;
		case FM_ALIAS_PARENT_CONTEXT:
			link = "parentcontext";
			neighbour = "context";
			here = "context_id";
			there = "parent_context_id";
			break;
		case FM_ALIAS_CHILD_CONTEXT:
			link = "parentcontext";
			neighbour = "context";
			here = "parent_context_id";
			there = "context_id";
			break;
	}
	appendStringInfo(from, "%s l%d", writer->relation(link), index);
	appendStringInfo(writer->sql, "l%d.%s " EQ " n.id", index, here);
	if (alias->needs_node)
	{
		appendStringInfo(from, ", %s c%d", writer->relation(neighbour), index);
		appendStringInfo(writer->sql, " AND c%d.id " EQ " l%d.%s", index, index, there);
	}
	if (alias->needs_type)
	{
		appendStringInfo(from, ", %s y%d", writer->relation("type"), index);
		appendStringInfo(writer->sql, " AND y%d.id " EQ " c%d.type_id", index, index);
	}
}

/*
 * The aliases that an expression names, as bits
 */
static uint64
AliasesOf(const FmExpr *expr)
{
	uint64 bits = expr->kind == FM_EXPR_COLUMN && expr->alias >= 0 ? UINT64CONST(1) << expr->alias : 0;

	for (int i = 0; i < expr->n_args; i++)
		bits |= AliasesOf(expr->args[i]);
	return bits;
}

static const char *
TableOfMlmd(const char *name)
{
	return psprintf("mlmd.%s", name);
}

bool
fm_filter_to_sql(const FmFilter *filter, const char *(*relation)(const char *name), StringInfo sql, int *n_params,
				 FmFilterParam **params, FmError *error)
{
	FmSqlWriter writer = {filter, relation ? relation : TableOfMlmd, sql, *n_params, *params, error};
	const FmExpr *condition = filter->condition;
	const FmExpr *const *conjuncts = (const FmExpr *const *) condition->args;
	int n = condition->n_args;
	uint64 *bits;
	uint64 groups[FM_MAX_FILTER_ALIASES];
	int n_groups = 0;
	bool first = true;

	if (condition->kind != FM_EXPR_AND)
	{
		conjuncts = &condition;
		n = 1;
	}
	bits = palloc(n * sizeof(uint64));
	for (int i = 0; i < n; i++)
	{
		uint64 merged = bits[i] = AliasesOf(conjuncts[i]);
		int kept = 0;

		if (merged == 0)
			continue;
		for (int g = 0; g < n_groups; g++)
		{
			if (groups[g] & merged)
				merged |= groups[g];
			else
				groups[kept++] = groups[g];
		}
		groups[kept] = merged;
		n_groups = kept + 1;
	}
	for (int g = -1; g < n_groups; g++)
	{
		uint64 group = g < 0 ? 0 : groups[g];

		if (g >= 0)
		{
			StringInfoData from;
			int from_at;
			bool first_alias = true;

			appendStringInfo(sql, "%sEXISTS (SELECT 1 FROM ", first ? "" : " AND ");
			from_at = sql->len;
			initStringInfo(&from);
			/* the relations go before the conditions that are written along with them */
			for (int a = 0; a < filter->n_aliases; a++)
			{
				if (!(group & (UINT64CONST(1) << a)))
					continue;
				if (!first_alias)
					appendStringInfoString(&from, ", ");
				appendStringInfoString(sql, first_alias ? " WHERE " : " AND ");
				WriteAlias(&writer, a, &from);
				first_alias = false;
			}
			enlargeStringInfo(sql, from.len + 1);
			memmove(sql->data + from_at + from.len, sql->data + from_at, sql->len - from_at + 1);
			memcpy(sql->data + from_at, from.data, from.len);
			sql->len += from.len;
			first = false;
		}
		for (int i = 0; i < n; i++)
		{
			if (g < 0 ? bits[i] != 0 : (bits[i] & group) == 0)
				continue;
			appendStringInfoString(sql, first ? "" : " AND ");
			if (!WriteExpr(&writer, conjuncts[i], FM_TYPE_BOOL))
				return false;
			first = false;
		}
		if (g >= 0)
			appendStringInfoChar(sql, ')');
	}
	*n_params = writer.n_params;
	*params = writer.params;
	return true;
}
