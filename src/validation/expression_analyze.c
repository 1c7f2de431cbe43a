/*
 * Names and types of an expression: what each name means, which function a call is, what is converted to what
 *
 * The rules are those of ZetaSQL as measured.
 */
#include "fm_core.h"
#include "validation/expression_analyze.h"

#include <limits.h>

/* -- names -- */

static const ProtobufCFieldDescriptor *
find_field(const ProtobufCMessageDescriptor *message, const char *name)
{
	unsigned i;

	for (i = 0; i < message->n_fields; i++)
		if (pg_strcasecmp(message->fields[i].name, name) == 0)
			return &message->fields[i];
	return NULL;
}

void
fm_become_variable(FmNode *node, const FmVariable *variable, int n_inputs)
{
	node->kind = FM_NODE_VARIABLE;
	node->slot = variable->slot;
	node->type = variable->type;
	node->lowest = variable->slot >= n_inputs ? variable->slot : INT_MAX;
}

/*
 * What a name means in a scope: a range variable or column, else a field of a range variable that is a message.
 * Returns 1 if it means something there, 0 if not, -1 on error.
 */
static int
resolve_in_scope(FmAnalyzer *analyzer, const FmScope *scope, FmNode *node)
{
	const FmVariable *owner = NULL;
	const ProtobufCFieldDescriptor *field = NULL;
	int i;

	for (i = 0; i < scope->n; i++)
		if (scope->variable[i].name != NULL && pg_strcasecmp(scope->variable[i].name, node->name) == 0)
		{
			fm_become_variable(node, &scope->variable[i], analyzer->evaluation->n_inputs);
			return 1;
		}
	for (i = 0; i < scope->n; i++)
	{
		const ProtobufCFieldDescriptor *found;

		if (scope->variable[i].type.kind != FM_MESSAGE)
			continue;
		found = find_field(scope->variable[i].type.descriptor, node->name);
		if (found == NULL)
			continue;
		if (owner != NULL)
		{
			FAIL(node->position, ERRCODE_AMBIGUOUS_COLUMN, "name \"%s\" is ambiguous", node->name);
			return -1;
		}
		owner = &scope->variable[i];
		field = found;
	}
	if (owner == NULL)
		return 0;
	{
		FmNode *variable = palloc0(sizeof(FmNode));

		variable->position = node->position;
		fm_become_variable(variable, owner, analyzer->evaluation->n_inputs);
		node->kind = FM_NODE_FIELD;
		node->n_args = 1;
		node->args = palloc(sizeof(FmNode *));
		node->args[0] = variable;
		node->field = field;
		node->type = fm_member_type(field);
		node->lowest = variable->lowest;
	}
	return 1;
}

static bool
analyze_name(FmAnalyzer *analyzer, FmNode *node)
{
	const FmEvaluation *evaluation = analyzer->evaluation;
	const FmScope *scope;
	int i;

	for (scope = analyzer->scope; scope != NULL; scope = scope->outer)
	{
		int found = resolve_in_scope(analyzer, scope, node);

		if (found != 0)
			return found > 0;
	}
	for (i = 0; i < evaluation->n_inputs; i++)
		if (pg_strcasecmp(evaluation->inputs[i].name, node->name) == 0)
		{
			FmVariable variable = {NULL, NULL, {FM_MESSAGE, NULL, NULL}, i};

			variable.type.descriptor = evaluation->inputs[i].message->descriptor;
			fm_become_variable(node, &variable, evaluation->n_inputs);
			return true;
		}
	return FAIL(node->position, ERRCODE_UNDEFINED_COLUMN, "name \"%s\" is not known", node->name);
}

/* alias.column of a subquery in FROM; false if it is none */
static bool
resolve_column(FmAnalyzer *analyzer, FmNode *node)
{
	const FmNode *owner = node->args[0];
	const FmScope *scope;
	int i;

	if (owner->kind != FM_NODE_NAME)
		return false;
	for (scope = analyzer->scope; scope != NULL; scope = scope->outer)
	{
		for (i = 0; i < scope->n; i++)
			if (scope->variable[i].name != NULL && pg_strcasecmp(scope->variable[i].name, owner->name) == 0)
				return false;
		for (i = 0; i < scope->n; i++)
		{
			const FmVariable *variable = &scope->variable[i];

			if (variable->qualifier != NULL && variable->name != NULL &&
				pg_strcasecmp(variable->qualifier, owner->name) == 0 && pg_strcasecmp(variable->name, node->name) == 0)
			{
				fm_become_variable(node, variable, analyzer->evaluation->n_inputs);
				return true;
			}
		}
	}
	return false;
}

static bool
analyze_field(FmAnalyzer *analyzer, FmNode *node)
{
	FmType owner;
	bool has = pg_strncasecmp(node->name, "has_", 4) == 0;

	if (resolve_column(analyzer, node))
		return true;
	if (!fm_analyze_node(analyzer, node->args[0]))
		return false;
	owner = node->args[0]->type;
	if (owner.kind != FM_MESSAGE)
		return FAIL(node->position, ERRCODE_UNDEFINED_COLUMN, "a value of type %s has no field \"%s\"",
					fm_type_name(owner), node->name);
	node->field = find_field(owner.descriptor, node->name);
	node->lowest = node->args[0]->lowest;
	if (node->field != NULL)
	{
		node->type = fm_member_type(node->field);
		return true;
	}
	if (has)
		node->field = find_field(owner.descriptor, node->name + 4);
	if (node->field == NULL)
		return FAIL(node->position, ERRCODE_UNDEFINED_COLUMN, "message %s has no field \"%s\"", fm_type_name(owner),
					node->name);
	if (node->field->label == PROTOBUF_C_LABEL_REPEATED)
		return FAIL(node->position, ERRCODE_UNDEFINED_COLUMN, "field \"%s\" is repeated, so there is no \"%s\"",
					node->field->name, node->name);
	node->kind = FM_NODE_HAS;
	node->type = fm_simple_type(FM_BOOL);
	return true;
}

/* -- operators -- */

static const char *
operator_name(FmOperator op)
{
	switch (op)
	{
		case FM_OP_EQ:
			return "=";
		case FM_OP_NE:
			return "<>";
		case FM_OP_LT:
			return "<";
		case FM_OP_LE:
			return "<=";
		case FM_OP_GT:
			return ">";
		case FM_OP_GE:
			return ">=";
		case FM_OP_LIKE:
			return "LIKE";
		case FM_OP_BIT_OR:
			return "|";
		case FM_OP_BIT_XOR:
			return "^";
		case FM_OP_BIT_AND:
			return "&";
		case FM_OP_SHIFT_LEFT:
			return "<<";
		case FM_OP_SHIFT_RIGHT:
			return ">>";
		case FM_OP_ADD:
		case FM_OP_PLUS:
			return "+";
		case FM_OP_SUBTRACT:
		case FM_OP_MINUS:
			return "-";
		case FM_OP_MULTIPLY:
			return "*";
		case FM_OP_DIVIDE:
			return "/";
		case FM_OP_CONCAT:
			return "||";
		case FM_OP_BIT_NOT:
			return "~";
		case FM_OP_NOT:
			return "NOT";
		case FM_OP_AND:
			return "AND";
		default:
			return "OR";
	}
}

static bool
no_operator(FmAnalyzer *analyzer, const FmNode *node)
{
	if (node->n_args == 1)
		return FAIL(node->position, ERRCODE_UNDEFINED_FUNCTION, "operator %s does not take %s", operator_name(node->op),
					fm_type_name(node->args[0]->type));
	return FAIL(node->position, ERRCODE_UNDEFINED_FUNCTION, "operator %s does not take %s and %s",
				operator_name(node->op), fm_type_name(node->args[0]->type), fm_type_name(node->args[1]->type));
}

/* -5 is a literal too */
static bool
fold_minus(FmNode *node)
{
	FmNode *operand = node->args[0];
	int position = node->position;

	if (!is_literal(operand))
		return false;
	if (operand->type.kind == FM_INT64)
		operand->literal.integer = -operand->literal.integer;
	else if (operand->type.kind == FM_UINT64 && operand->literal.natural == (uint64) PG_INT64_MAX + 1)
	{
		operand->type.kind = FM_INT64;
		operand->literal.integer = PG_INT64_MIN;
	}
	else if (operand->type.kind == FM_DOUBLE)
		operand->literal.number = -operand->literal.number;
	else
		return false;
	*node = *operand;
	node->position = position;
	return true;
}

static bool
analyze_unary(FmAnalyzer *analyzer, FmNode *node)
{
	FmNode *operand = node->args[0];
	FmKind kind;

	if (!fm_analyze_node(analyzer, operand) || !fm_refuse_null(analyzer, operand, operator_name(node->op)))
		return false;
	kind = operand->type.kind;
	node->lowest = operand->lowest;
	switch (node->op)
	{
		case FM_OP_NOT:
			node->type = fm_simple_type(FM_BOOL);
			return fm_need_bool(analyzer, operand, "NOT");
		case FM_OP_MINUS:
			if (operand->kind == FM_NODE_LITERAL && kind == FM_INT64 && operand->literal.integer == PG_INT64_MIN)
				return FAIL(node->position, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "integer is out of range");
			if (fold_minus(node))
				return true;
			if (!is_signed(kind) && !is_float(kind))
				return no_operator(analyzer, node);
			break;
		case FM_OP_PLUS:
			if (!is_number(kind))
				return no_operator(analyzer, node);
			break;
		default:
			if (!is_integer(kind))
				return no_operator(analyzer, node);
			break;
	}
	node->type = operand->type;
	return true;
}

static bool
analyze_comparison(FmAnalyzer *analyzer, FmNode *node)
{
	FmKind a = node->args[0]->type.kind;
	FmKind b = node->args[1]->type.kind;
	FmType type;

	node->type = fm_simple_type(FM_BOOL);
	if (!fm_refuse_null(analyzer, node->args[0], operator_name(node->op)) ||
		!fm_refuse_null(analyzer, node->args[1], operator_name(node->op)))
		return false;
	/* these two are compared as they are */
	if ((is_signed(a) && is_unsigned(b)) || (is_unsigned(a) && is_signed(b)))
		return true;
	if (!fm_common_type(node->args, 2, &type) || !fm_can_compare(type))
		return no_operator(analyzer, node);
	return fm_convert_all(analyzer, node->args, 2, type);
}

static bool
analyze_arithmetic(FmAnalyzer *analyzer, FmNode *node)
{
	FmKind a = node->args[0]->type.kind;
	FmKind b = node->args[1]->type.kind;
	FmType type;

	if (!is_number(a) || !is_number(b))
		return no_operator(analyzer, node);
	if (node->op == FM_OP_DIVIDE || is_float(a) || is_float(b))
		type = fm_simple_type(FM_DOUBLE);
	else if (!fm_common_type(node->args, 2, &type))
		return no_operator(analyzer, node);
	else
		type = fm_simple_type(is_unsigned(type.kind) ? FM_UINT64 : FM_INT64);
	node->type = type;
	if (node->op == FM_OP_SUBTRACT && type.kind == FM_UINT64)
		node->type = fm_simple_type(FM_INT64);
	return fm_convert_all(analyzer, node->args, 2, type);
}

static bool
analyze_bits(FmAnalyzer *analyzer, FmNode *node)
{
	bool shift = node->op == FM_OP_SHIFT_LEFT || node->op == FM_OP_SHIFT_RIGHT;
	FmType type;

	if (!is_integer(node->args[0]->type.kind) || !is_integer(node->args[1]->type.kind))
		return no_operator(analyzer, node);
	if (shift)
	{
		if (!fm_can_become(node->args[1], fm_simple_type(FM_INT64)))
			return no_operator(analyzer, node);
		node->type = node->args[0]->type;
		return fm_convert_node(analyzer, &node->args[1], fm_simple_type(FM_INT64));
	}
	if (!fm_common_type(node->args, 2, &type))
		return no_operator(analyzer, node);
	node->type = type;
	return fm_convert_all(analyzer, node->args, 2, type);
}

static bool
analyze_binary(FmAnalyzer *analyzer, FmNode *node)
{
	FmKind kind;

	if (!fm_analyze_node(analyzer, node->args[0]) || !fm_analyze_node(analyzer, node->args[1]))
		return false;
	node->lowest = Min(node->args[0]->lowest, node->args[1]->lowest);
	if (node->op == FM_OP_AND || node->op == FM_OP_OR)
	{
		node->type = fm_simple_type(FM_BOOL);
		return fm_need_bool(analyzer, node->args[0], operator_name(node->op)) &&
			   fm_need_bool(analyzer, node->args[1], operator_name(node->op));
	}
	if (node->op >= FM_OP_EQ && node->op <= FM_OP_GE)
		return analyze_comparison(analyzer, node);
	if (!fm_refuse_null(analyzer, node->args[0], operator_name(node->op)) ||
		!fm_refuse_null(analyzer, node->args[1], operator_name(node->op)))
		return false;
	switch (node->op)
	{
		case FM_OP_LIKE:
		case FM_OP_CONCAT:
			kind = node->args[0]->type.kind;
			if ((kind != FM_STRING && kind != FM_BYTES && (node->op == FM_OP_LIKE || kind != FM_ARRAY)) ||
				!fm_type_equal(node->args[0]->type, node->args[1]->type))
				return no_operator(analyzer, node);
			node->type = node->op == FM_OP_LIKE ? fm_simple_type(FM_BOOL) : node->args[0]->type;
			return true;
		case FM_OP_BIT_OR:
		case FM_OP_BIT_XOR:
		case FM_OP_BIT_AND:
		case FM_OP_SHIFT_LEFT:
		case FM_OP_SHIFT_RIGHT:
			return analyze_bits(analyzer, node);
		default:
			return analyze_arithmetic(analyzer, node);
	}
}

static bool
analyze_args(FmAnalyzer *analyzer, FmNode *node)
{
	int i;

	node->lowest = INT_MAX;
	for (i = 0; i < node->n_args; i++)
	{
		if (!fm_analyze_node(analyzer, node->args[i]))
			return false;
		node->lowest = Min(node->lowest, node->args[i]->lowest);
	}
	return true;
}

static bool
analyze_in(FmAnalyzer *analyzer, FmNode *node)
{
	FmType type;

	if (!analyze_args(analyzer, node))
		return false;
	node->type = fm_simple_type(FM_BOOL);
	if (node->kind == FM_NODE_IN_ARRAY)
	{
		FmType array = node->args[1]->type;

		if (array.kind != FM_ARRAY)
			return FAIL(node->position, ERRCODE_DATATYPE_MISMATCH, "IN UNNEST takes an array, not %s",
						fm_type_name(array));
		if (!fm_can_compare(*array.element) || !fm_can_become(node->args[0], *array.element))
			return FAIL(node->position, ERRCODE_UNDEFINED_FUNCTION, "a value of type %s is not looked up in %s",
						fm_type_name(node->args[0]->type), fm_type_name(array));
		return fm_convert_node(analyzer, &node->args[0], *array.element);
	}
	if (node->kind == FM_NODE_IN_QUERY)
	{
		FmNode column = {0};
		FmNode *both[2];

		if (!fm_analyze_query(analyzer, node->query))
			return false;
		node->lowest = Min(node->lowest, node->query->lowest);
		if (node->query->n_columns != 1)
			return FAIL(node->query->position, ERRCODE_SYNTAX_ERROR, "the query after IN has %d columns instead of 1",
						node->query->n_columns);
		column.kind = FM_NODE_VARIABLE;
		column.type = node->query->columns[0];
		both[0] = node->args[0];
		both[1] = &column;
		if (column.type.kind == FM_NULL)
			return true;
		if (!fm_common_type(both, 2, &type) || !fm_can_compare(type) || !fm_type_equal(type, column.type))
			return FAIL(node->position, ERRCODE_UNDEFINED_FUNCTION, "a value of type %s is not looked up among %s",
						fm_type_name(node->args[0]->type), fm_type_name(column.type));
		return fm_convert_node(analyzer, &node->args[0], type);
	}
	if (!fm_make_common(analyzer, node->args, node->n_args, node->position, "IN", &type))
		return false;
	if (!fm_can_compare(type))
		return FAIL(node->position, ERRCODE_UNDEFINED_FUNCTION, "values of type %s are not compared",
					fm_type_name(type));
	return true;
}

static bool
analyze_between(FmAnalyzer *analyzer, FmNode *node)
{
	FmType type;

	if (!analyze_args(analyzer, node) ||
		!fm_make_common(analyzer, node->args, node->n_args, node->position, "BETWEEN", &type))
		return false;
	if (!fm_can_compare(type))
		return FAIL(node->position, ERRCODE_UNDEFINED_FUNCTION, "values of type %s are not compared",
					fm_type_name(type));
	node->type = fm_simple_type(FM_BOOL);
	return true;
}

/* Takes the nodes with number first, first + step, ... for a common type */
static bool
make_common_some(FmAnalyzer *analyzer, FmNode *node, int first, int step, int end, bool also_last, FmType *type)
{
	FmNode **nodes = palloc(sizeof(FmNode *) * (node->n_args + 1));
	int n = 0;
	int i;

	for (i = first; i < end; i += step)
		nodes[n++] = node->args[i];
	if (also_last)
		nodes[n++] = node->args[node->n_args - 1];
	if (!fm_make_common(analyzer, nodes, n, node->position, "CASE", type))
		return false;
	n = 0;
	for (i = first; i < end; i += step)
		node->args[i] = nodes[n++];
	if (also_last)
		node->args[node->n_args - 1] = nodes[n];
	return true;
}

static bool
analyze_case(FmAnalyzer *analyzer, FmNode *node)
{
	int first = node->case_operand ? 1 : 0;
	int end = node->n_args - 1;
	FmType type;
	int i;

	if (!analyze_args(analyzer, node))
		return false;
	if (node->case_operand)
	{
		/* the operand and what it is compared with: a list of its own */
		FmNode **nodes = palloc(sizeof(FmNode *) * node->n_args);
		int n = 0;

		nodes[n++] = node->args[0];
		for (i = first; i < end; i += 2)
			nodes[n++] = node->args[i];
		if (!fm_make_common(analyzer, nodes, n, node->position, "CASE", &type))
			return false;
		if (!fm_can_compare(type))
			return FAIL(node->position, ERRCODE_UNDEFINED_FUNCTION, "values of type %s are not compared",
						fm_type_name(type));
		n = 0;
		node->args[0] = nodes[n++];
		for (i = first; i < end; i += 2)
			node->args[i] = nodes[n++];
	}
	else
		for (i = 0; i < end; i += 2)
			if (!fm_need_bool(analyzer, node->args[i], "WHEN"))
				return false;
	if (!make_common_some(analyzer, node, first + 1, 2, end, true, &type))
		return false;
	node->type = type;
	return true;
}

static bool
analyze_is(FmAnalyzer *analyzer, FmNode *node)
{
	if (!analyze_args(analyzer, node))
		return false;
	node->type = fm_simple_type(FM_BOOL);
	return node->op == FM_OP_IS_NULL || fm_need_bool(analyzer, node->args[0], "IS TRUE");
}

static bool
analyze_cast(FmAnalyzer *analyzer, FmNode *node)
{
	FmType from;

	if (!analyze_args(analyzer, node))
		return false;
	from = node->args[0]->type;
	if (from.kind != FM_NULL && !fm_expression_can_cast(from, node->type))
		return FAIL(node->args[0]->position, ERRCODE_CANNOT_COERCE, "a value of type %s cannot be cast to %s",
					fm_type_name(from), fm_type_name(node->type));
	return true;
}

static bool
analyze_element(FmAnalyzer *analyzer, FmNode *node)
{
	FmType array;

	if (!analyze_args(analyzer, node))
		return false;
	array = node->args[0]->type;
	if (array.kind != FM_ARRAY)
		return FAIL(node->position, ERRCODE_DATATYPE_MISMATCH, "a value of type %s has no elements",
					fm_type_name(array));
	if (!fm_can_become(node->args[1], fm_simple_type(FM_INT64)))
		return FAIL(node->args[1]->position, ERRCODE_DATATYPE_MISMATCH, "the place of an element is INT64, not %s",
					fm_type_name(node->args[1]->type));
	node->type = *array.element;
	return fm_convert_node(analyzer, &node->args[1], fm_simple_type(FM_INT64));
}

static bool
analyze_array(FmAnalyzer *analyzer, FmNode *node)
{
	FmType type;

	if (!analyze_args(analyzer, node) ||
		!fm_make_common(analyzer, node->args, node->n_args, node->position, "an array", &type))
		return false;
	if (type.kind == FM_ARRAY)
		return FAIL(node->position, ERRCODE_DATATYPE_MISMATCH, "an array cannot hold arrays");
	node->type = fm_array_type(type.kind == FM_NULL ? fm_simple_type(FM_INT64) : type);
	return true;
}

/* -- functions -- */

static FmType
type_of_letter(char letter)
{
	switch (letter)
	{
		case 'b':
			return fm_simple_type(FM_BOOL);
		case 'i':
			return fm_simple_type(FM_INT64);
		case 'u':
			return fm_simple_type(FM_UINT64);
		case 'd':
			return fm_simple_type(FM_DOUBLE);
		case 's':
			return fm_simple_type(FM_STRING);
		case 'y':
			return fm_simple_type(FM_BYTES);
		case 'S':
			return fm_array_type(fm_simple_type(FM_STRING));
		default:
			return fm_simple_type(FM_NULL);
	}
}

/* The letters of the arguments of a call by a signature, or false if the number of arguments does not fit */
static bool
letters_of(const char *signature, size_t length, int n_args, char *letters)
{
	const char *c = signature + 2;
	const char *end = signature + length;
	int n = 0;
	bool optional = false;
	char last = 0;

	for (; c < end; c++)
	{
		if (*c == '?')
			optional = true;
		else if (*c == '*')
		{
			while (n < n_args)
				letters[n++] = last;
			return true;
		}
		else if (n < n_args)
			letters[n++] = last = *c;
		else
			return optional;
	}
	return n == n_args;
}

/* One signature tried; *fits tells. Converts the arguments if it does. */
static bool
try_signature(FmAnalyzer *analyzer, FmNode *node, const char *signature, size_t length, bool *fits)
{
	char *letters = palloc(node->n_args + 1);
	FmNode **same = palloc(sizeof(FmNode *) * (node->n_args + 1));
	int n_same = 0;
	FmType any = {FM_NULL, NULL, NULL};
	int i;

	*fits = false;
	if (!letters_of(signature, length, node->n_args, letters))
		return true;
	for (i = 0; i < node->n_args; i++)
	{
		FmType given = node->args[i]->type;

		if (letters[i] == 'A' || letters[i] == 'C')
			same[n_same++] = node->args[i];
		else if (letters[i] == '[')
		{
			if (given.kind == FM_NULL)
				continue;
			if (given.kind != FM_ARRAY)
				return true;
			if (any.kind != FM_NULL && !fm_type_equal(any, *given.element))
				return true;
			any = *given.element;
		}
		else if (!fm_can_become(node->args[i], type_of_letter(letters[i])))
			return true;
	}
	if (n_same > 0)
	{
		if (!fm_common_type(same, n_same, &any))
			return true;
		if (memchr(signature, 'C', length) != NULL && !fm_can_compare(any))
			return true;
	}
	*fits = true;
	for (i = 0; i < node->n_args; i++)
	{
		FmType wanted = letters[i] == 'A' || letters[i] == 'C' ? any
						: letters[i] == '['					   ? node->args[i]->type
															   : type_of_letter(letters[i]);

		if (wanted.kind != FM_NULL && !fm_convert_node(analyzer, &node->args[i], wanted))
			return false;
	}
	if (signature[0] == 'A' || signature[0] == 'C')
		node->type = any;
	else if (signature[0] == '[')
		node->type = fm_array_type(any.kind == FM_NULL ? fm_simple_type(FM_INT64) : any);
	else
		node->type = type_of_letter(signature[0]);
	return true;
}

static bool
analyze_call(FmAnalyzer *analyzer, FmNode *node)
{
	const char *signature;
	StringInfoData types;
	bool outer_aggregates = analyzer->aggregates_allowed;
	bool ok;
	int i;

	node->function = fm_expression_function(node->name);
	if (node->function == NULL)
		return FAIL(node->position, ERRCODE_UNDEFINED_FUNCTION, "function \"%s\" is not known", node->name);
	if (node->function->aggregate)
	{
		if (analyzer->in_aggregate)
			return FAIL(node->position, ERRCODE_GROUPING_ERROR, "an aggregate of an aggregate is not allowed");
		if (!analyzer->aggregates_allowed)
			return FAIL(node->position, ERRCODE_GROUPING_ERROR, "aggregate function %s is not allowed here",
						node->function->name);
		node->kind = FM_NODE_AGGREGATE;
		analyzer->scope->query->aggregated = true;
		analyzer->in_aggregate = true;
	}
	else if (node->distinct)
		return FAIL(node->position, ERRCODE_SYNTAX_ERROR, "DISTINCT is for aggregate functions");
	ok = analyze_args(analyzer, node);
	if (node->function->aggregate)
	{
		analyzer->in_aggregate = false;
		/* over the rows of its query, whatever the argument is */
		node->lowest = Min(node->lowest, analyzer->scope->query->first_slot);
	}
	analyzer->aggregates_allowed = outer_aggregates;
	if (!ok)
		return false;
	if (node->star)
	{
		node->type = fm_simple_type(FM_INT64);
		return true;
	}
	for (signature = node->function->signatures; *signature != '\0';)
	{
		size_t length = strcspn(signature, " ");
		bool fits;

		if (!try_signature(analyzer, node, signature, length, &fits))
			return false;
		if (fits)
			return true;
		signature += length;
		signature += strspn(signature, " ");
	}
	initStringInfo(&types);
	for (i = 0; i < Min(node->n_args, 8); i++)
		appendStringInfo(&types, "%s%s", i > 0 ? ", " : "", fm_type_name(node->args[i]->type));
	return FAIL(node->position, ERRCODE_UNDEFINED_FUNCTION, "function %s does not take (%s)", node->function->name,
				types.data);
}

static bool
analyze_subquery(FmAnalyzer *analyzer, FmNode *node)
{
	bool in_aggregate = analyzer->in_aggregate;

	if (!fm_analyze_query(analyzer, node->query))
		return false;
	analyzer->in_aggregate = in_aggregate;
	node->lowest = node->query->lowest;
	if (node->kind == FM_NODE_EXISTS)
	{
		node->type = fm_simple_type(FM_BOOL);
		return true;
	}
	if (node->query->n_columns != 1)
		return FAIL(node->position, ERRCODE_SYNTAX_ERROR, "a subquery here has one column, not %d",
					node->query->n_columns);
	node->type = node->query->columns[0];
	if (node->kind == FM_NODE_ARRAY_QUERY)
	{
		if (node->type.kind == FM_ARRAY)
			return FAIL(node->position, ERRCODE_DATATYPE_MISMATCH, "an array cannot hold arrays");
		node->type = fm_array_type(node->type.kind == FM_NULL ? fm_simple_type(FM_INT64) : node->type);
	}
	return true;
}

bool
fm_analyze_node(FmAnalyzer *analyzer, FmNode *node)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	node->lowest = INT_MAX;
	switch (node->kind)
	{
		case FM_NODE_LITERAL:
			return true;
		case FM_NODE_NAME:
			return analyze_name(analyzer, node);
		case FM_NODE_VARIABLE:
			node->lowest = node->slot >= analyzer->evaluation->n_inputs ? node->slot : INT_MAX;
			return true;
		case FM_NODE_FIELD:
		case FM_NODE_HAS:
			return analyze_field(analyzer, node);
		case FM_NODE_ELEMENT:
			return analyze_element(analyzer, node);
		case FM_NODE_UNARY:
			return analyze_unary(analyzer, node);
		case FM_NODE_BINARY:
			return analyze_binary(analyzer, node);
		case FM_NODE_BETWEEN:
			return analyze_between(analyzer, node);
		case FM_NODE_IN:
		case FM_NODE_IN_ARRAY:
		case FM_NODE_IN_QUERY:
			return analyze_in(analyzer, node);
		case FM_NODE_IS:
			return analyze_is(analyzer, node);
		case FM_NODE_CASE:
			return analyze_case(analyzer, node);
		case FM_NODE_CAST:
			return analyze_cast(analyzer, node);
		case FM_NODE_CALL:
		case FM_NODE_AGGREGATE:
			return analyze_call(analyzer, node);
		case FM_NODE_ARRAY:
			return analyze_array(analyzer, node);
		case FM_NODE_SUBQUERY:
		case FM_NODE_EXISTS:
		case FM_NODE_ARRAY_QUERY:
			return analyze_subquery(analyzer, node);
	}
	return false;
}

bool
fm_expression_analyze(FmEvaluation *evaluation, FmNode *node)
{
	FmAnalyzer analyzer = {0};

	analyzer.evaluation = evaluation;
	evaluation->n_slots = evaluation->n_inputs;
	return fm_analyze_node(&analyzer, node);
}
