/*
 * Which types of an expression become which: literals take the type of what they meet, INT64 and UINT64 have no common
 * type, everything numeric becomes DOUBLE beside one
 */
#include "fm_core.h"
#include "validation/expression_analyze.h"

/* A type that two types, neither of a literal, both become; kind FM_NULL if there is none */
static FmType
common_of_two(FmType a, FmType b)
{
	if (fm_type_equal(a, b))
		return a;
	if (is_number(a.kind) && is_number(b.kind))
	{
		if (is_float(a.kind) || is_float(b.kind))
			return fm_simple_type(FM_DOUBLE);
		if (is_unsigned(a.kind) && is_unsigned(b.kind))
			return fm_simple_type(FM_UINT64);
		/* INT64 holds all but UINT64 */
		if (a.kind != FM_UINT64 && b.kind != FM_UINT64)
			return fm_simple_type(FM_INT64);
	}
	return fm_simple_type(FM_NULL);
}

/* Can a value that is no literal become another type unasked */
static bool
becomes(FmType from, FmType to)
{
	FmType common;

	if (fm_type_equal(from, to))
		return true;
	if (!is_number(from.kind) || !is_number(to.kind))
		return false;
	common = common_of_two(from, to);
	return fm_type_equal(common, to);
}

/* Could a literal become another type, its value apart */
static bool
literal_becomes(const FmNode *node, FmType to)
{
	FmKind from = node->type.kind;

	if (from == FM_NULL || fm_type_equal(node->type, to))
		return true;
	if (is_integer(from))
		return is_number(to.kind) || to.kind == FM_ENUM;
	if (is_float(from))
		return is_float(to.kind);
	return from == FM_STRING && to.kind == FM_ENUM;
}

bool
fm_can_become(const FmNode *node, FmType to)
{
	return is_literal(node) ? literal_becomes(node, to) : becomes(node->type, to);
}

/* A literal as an enum: by name or number, one that exists */
static bool
literal_to_enum(FmAnalyzer *analyzer, FmNode *node, FmType to)
{
	const ProtobufCEnumDescriptor *descriptor = to.descriptor;
	const ProtobufCEnumValue *found = NULL;
	unsigned i;

	for (i = 0; i < descriptor->n_values; i++)
	{
		const ProtobufCEnumValue *value = &descriptor->values[i];

		if (node->type.kind == FM_STRING ? strlen(value->name) == node->literal.string.length &&
											   strcmp(value->name, node->literal.string.data) == 0
										 : value->value == node->literal.integer)
			found = value;
	}
	if (found == NULL)
	{
		if (node->type.kind == FM_STRING)
			return FAIL(node->position, ERRCODE_INVALID_PARAMETER_VALUE, "enum %s has no value \"%s\"",
						descriptor->short_name, node->literal.string.data);
		return FAIL(node->position, ERRCODE_INVALID_PARAMETER_VALUE, "enum %s has no value " INT64_FORMAT,
					descriptor->short_name, node->literal.integer);
	}
	node->literal.integer = found->value;
	return true;
}

/* Makes a node have a type that it can become */
bool
fm_convert_node(FmAnalyzer *analyzer, FmNode **place, FmType to)
{
	FmNode *node = *place;
	FmNode *cast;

	if (fm_type_equal(node->type, to))
		return true;
	if (is_literal(node))
	{
		if (node->type.kind != FM_NULL)
		{
			if (to.kind == FM_ENUM
					? !literal_to_enum(analyzer, node, to)
					: !fm_expression_cast(analyzer->evaluation, node->position, node->type, to, &node->literal))
				return false;
		}
		node->type = to;
		return true;
	}
	cast = palloc0(sizeof(FmNode));
	cast->kind = FM_NODE_CAST;
	cast->position = node->position;
	cast->slot = -1;
	cast->type = to;
	cast->lowest = node->lowest;
	cast->n_args = 1;
	cast->args = palloc(sizeof(FmNode *));
	cast->args[0] = node;
	*place = cast;
	return true;
}

/*
 * The one type of several nodes: what is no literal decides, literals follow. kind FM_NULL: all are NULL. False, with
 * no error, if there is none.
 */
bool
fm_common_type(FmNode **nodes, int n, FmType *type)
{
	bool any = false;
	int i;

	*type = fm_simple_type(FM_NULL);
	for (i = 0; i < n; i++)
	{
		if (is_literal(nodes[i]))
			continue;
		*type = any ? common_of_two(*type, nodes[i]->type) : nodes[i]->type;
		any = true;
		if (type->kind == FM_NULL)
			return false;
	}
	for (i = 0; i < n; i++)
	{
		if (!is_literal(nodes[i]) || nodes[i]->type.kind == FM_NULL)
			continue;
		if (type->kind == FM_NULL)
			*type = nodes[i]->type;
		else if (is_float(nodes[i]->type.kind) && is_integer(type->kind))
			*type = fm_simple_type(FM_DOUBLE);
		else if (!any && nodes[i]->type.kind == FM_UINT64 && type->kind == FM_INT64)
			*type = nodes[i]->type;
		else if (!literal_becomes(nodes[i], *type))
			return false;
	}
	return true;
}

bool
fm_convert_all(FmAnalyzer *analyzer, FmNode **nodes, int n, FmType type)
{
	int i;

	for (i = 0; i < n; i++)
		if (type.kind != FM_NULL && !fm_convert_node(analyzer, &nodes[i], type))
			return false;
	return true;
}

bool
fm_make_common(FmAnalyzer *analyzer, FmNode **nodes, int n, int position, const char *what, FmType *type)
{
	StringInfoData types;
	int i;

	if (fm_common_type(nodes, n, type))
		return fm_convert_all(analyzer, nodes, n, *type);
	initStringInfo(&types);
	for (i = 0; i < Min(n, 8); i++)
		appendStringInfo(&types, "%s%s", i > 0 ? ", " : "", fm_type_name(nodes[i]->type));
	return FAIL(position, ERRCODE_UNDEFINED_FUNCTION, "%s takes values of one type, not %s", what, types.data);
}

bool
fm_need_bool(FmAnalyzer *analyzer, FmNode *node, const char *what)
{
	if (node->type.kind == FM_BOOL)
		return true;
	if (is_null_literal(node))
	{
		node->type = fm_simple_type(FM_BOOL);
		return true;
	}
	return FAIL(node->position, ERRCODE_DATATYPE_MISMATCH, "%s takes BOOL, not %s", what, fm_type_name(node->type));
}

bool
fm_refuse_null(FmAnalyzer *analyzer, const FmNode *node, const char *what)
{
	if (!is_null_literal(node))
		return true;
	return FAIL(node->position, ERRCODE_DATATYPE_MISMATCH, "an operand of %s cannot be the literal NULL", what);
}
