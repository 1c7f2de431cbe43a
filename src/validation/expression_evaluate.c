/*
 * Values of expressions
 */
#include "fm_core.h"
#include "validation/expression_tree.h"

#include "common/int.h"

#include <limits.h>
#include <math.h>

#define FAIL(...) fm_expression_fail(evaluation, node->position, __VA_ARGS__)

static FmValue
bool_value(bool boolean)
{
	FmValue value = {0};

	value.boolean = boolean;
	return value;
}

/* -- arithmetic -- */

static bool
overflow(FmEvaluation *evaluation, const FmNode *node)
{
	return FAIL(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "%s overflow", fm_type_name(node->type));
}

static bool
add_signed(FmEvaluation *evaluation, const FmNode *node, const FmValue *a, const FmValue *b, FmValue *value)
{
	bool bad;

	switch (node->op)
	{
		case FM_OP_ADD:
			bad = pg_add_s64_overflow(a->integer, b->integer, &value->integer);
			break;
		case FM_OP_SUBTRACT:
			bad = pg_sub_s64_overflow(a->integer, b->integer, &value->integer);
			break;
		default:
			bad = pg_mul_s64_overflow(a->integer, b->integer, &value->integer);
			break;
	}
	return bad ? overflow(evaluation, node) : true;
}

static bool
add_unsigned(FmEvaluation *evaluation, const FmNode *node, const FmValue *a, const FmValue *b, FmValue *value)
{
	uint64 difference;

	switch (node->op)
	{
		case FM_OP_ADD:
			return __builtin_add_overflow(a->natural, b->natural, &value->natural) ? overflow(evaluation, node) : true;
		case FM_OP_SUBTRACT:
			/* the result is INT64 */
			difference = a->natural >= b->natural ? a->natural - b->natural : b->natural - a->natural;
			if (difference > (uint64) PG_INT64_MAX + (a->natural < b->natural))
				return overflow(evaluation, node);
			value->integer = a->natural >= b->natural ? (int64) difference : (int64) (0 - difference);
			return true;
		default:
			return __builtin_mul_overflow(a->natural, b->natural, &value->natural) ? overflow(evaluation, node) : true;
	}
}

static bool
add_float(FmEvaluation *evaluation, const FmNode *node, const FmValue *a, const FmValue *b, FmValue *value)
{
	switch (node->op)
	{
		case FM_OP_ADD:
			value->number = a->number + b->number;
			break;
		case FM_OP_SUBTRACT:
			value->number = a->number - b->number;
			break;
		case FM_OP_MULTIPLY:
			value->number = a->number * b->number;
			break;
		default:
			if (b->number == 0)
				return FAIL(ERRCODE_DIVISION_BY_ZERO, "division by zero");
			value->number = a->number / b->number;
			break;
	}
	if (!isfinite(value->number) && isfinite(a->number) && isfinite(b->number))
		return overflow(evaluation, node);
	return true;
}

static bool
evaluate_bits(FmEvaluation *evaluation, const FmNode *node, const FmValue *a, const FmValue *b, FmValue *value)
{
	bool narrow = node->type.kind == FM_INT32 || node->type.kind == FM_UINT32;
	bool shift = node->op == FM_OP_SHIFT_LEFT || node->op == FM_OP_SHIFT_RIGHT;
	uint64 bits = narrow ? a->natural & PG_UINT32_MAX : a->natural;

	if (shift && b->integer < 0)
		return FAIL(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "shift by a negative number");
	switch (node->op)
	{
		case FM_OP_BIT_OR:
			bits = a->natural | b->natural;
			break;
		case FM_OP_BIT_XOR:
			bits = a->natural ^ b->natural;
			break;
		case FM_OP_BIT_AND:
			bits = a->natural & b->natural;
			break;
		case FM_OP_SHIFT_LEFT:
			bits = b->integer >= (narrow ? 32 : 64) ? 0 : bits << b->integer;
			break;
		default:
			bits = b->integer >= (narrow ? 32 : 64) ? 0 : bits >> b->integer;
			break;
	}
	if (node->type.kind == FM_INT32)
		value->integer = (int32) bits;
	else
		value->natural = narrow ? bits & PG_UINT32_MAX : bits;
	return true;
}

static bool
concatenate(FmEvaluation *evaluation, const FmNode *node, const FmValue *a, const FmValue *b, FmValue *value)
{
	char *data;

	if (node->type.kind == FM_ARRAY)
	{
		FmArray *array = palloc(sizeof(FmArray));

		array->n = a->array->n + b->array->n;
		if (!fm_expression_work(evaluation, (int64) array->n))
			return false;
		array->value = palloc(sizeof(FmValue) * Max(array->n, 1));
		memcpy(array->value, a->array->value, sizeof(FmValue) * a->array->n);
		memcpy(array->value + a->array->n, b->array->value, sizeof(FmValue) * b->array->n);
		value->array = array;
		return true;
	}
	value->string.length = a->string.length + b->string.length;
	if (value->string.length > FM_MAX_EXPRESSION_STRING)
		return FAIL(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "string is longer than %d bytes", FM_MAX_EXPRESSION_STRING);
	if (!fm_expression_work(evaluation, 1 + (int64) value->string.length / 16))
		return false;
	data = palloc(value->string.length + 1);
	memcpy(data, a->string.data, a->string.length);
	memcpy(data + a->string.length, b->string.data, b->string.length);
	data[value->string.length] = '\0';
	value->string.data = data;
	return true;
}

/* -- comparison -- */

/* Order of the operands of a comparison; 2 if one is NaN */
static int
compare_operands(const FmNode *node, const FmValue *a, const FmValue *b)
{
	FmType type_a = node->args[0]->type;
	FmType type_b = node->args[1]->type;
	bool unsigned_a = type_a.kind == FM_UINT32 || type_a.kind == FM_UINT64;
	bool unsigned_b = type_b.kind == FM_UINT32 || type_b.kind == FM_UINT64;

	if (unsigned_a && !unsigned_b)
	{
		if (b->integer < 0)
			return 1;
		type_a.kind = FM_UINT64;
	}
	else if (unsigned_b && !unsigned_a)
	{
		if (a->integer < 0)
			return -1;
		type_a.kind = FM_UINT64;
	}
	return fm_value_compare(type_a, a, b);
}

static bool
satisfies(FmOperator op, int order)
{
	if (order == 2)
		return op == FM_OP_NE;
	switch (op)
	{
		case FM_OP_EQ:
			return order == 0;
		case FM_OP_NE:
			return order != 0;
		case FM_OP_LT:
			return order < 0;
		case FM_OP_LE:
			return order <= 0;
		case FM_OP_GT:
			return order > 0;
		default:
			return order >= 0;
	}
}

/* Both operands are looked at, as in ZetaSQL: an error in the second is an error of the whole */
static FmValue
logic(FmOperator op, const FmValue *a, const FmValue *b)
{
	bool decides = op == FM_OP_OR;

	if ((!a->null && a->boolean == decides) || (!b->null && b->boolean == decides))
		return bool_value(decides);
	return a->null || b->null ? fm_null() : bool_value(!decides);
}

static bool
evaluate_binary(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	FmValue a;
	FmValue b;
	FmKind kind = node->args[0]->type.kind;

	if (!fm_expression_evaluate(evaluation, node->args[0], &a) ||
		!fm_expression_evaluate(evaluation, node->args[1], &b))
		return false;
	if (node->op == FM_OP_AND || node->op == FM_OP_OR)
	{
		*value = logic(node->op, &a, &b);
		return true;
	}
	if (a.null || b.null)
	{
		*value = fm_null();
		return true;
	}
	memset(value, 0, sizeof(*value));
	if (node->op >= FM_OP_EQ && node->op <= FM_OP_GE)
	{
		value->boolean = satisfies(node->op, compare_operands(node, &a, &b));
		return true;
	}
	switch (node->op)
	{
		case FM_OP_LIKE:
			if (!fm_expression_like(evaluation, node, &a, &b, &value->boolean))
				return false;
			value->boolean ^= node->negated;
			return true;
		case FM_OP_CONCAT:
			return concatenate(evaluation, node, &a, &b, value);
		case FM_OP_ADD:
		case FM_OP_SUBTRACT:
		case FM_OP_MULTIPLY:
		case FM_OP_DIVIDE:
			if (kind == FM_INT64)
				return add_signed(evaluation, node, &a, &b, value);
			if (kind == FM_UINT64)
				return add_unsigned(evaluation, node, &a, &b, value);
			return add_float(evaluation, node, &a, &b, value);
		default:
			return evaluate_bits(evaluation, node, &a, &b, value);
	}
}

static bool
evaluate_unary(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	if (!fm_expression_evaluate(evaluation, node->args[0], value))
		return false;
	if (value->null)
		return true;
	switch (node->op)
	{
		case FM_OP_NOT:
			value->boolean = !value->boolean;
			return true;
		case FM_OP_MINUS:
			if (node->type.kind == FM_FLOAT || node->type.kind == FM_DOUBLE)
				value->number = -value->number;
			else if (value->integer == (node->type.kind == FM_INT32 ? PG_INT32_MIN : PG_INT64_MIN))
				return overflow(evaluation, node);
			else
				value->integer = -value->integer;
			return true;
		case FM_OP_BIT_NOT:
			if (node->type.kind == FM_UINT32)
				value->natural = ~value->natural & PG_UINT32_MAX;
			else
				value->natural = ~value->natural;
			return true;
		default:
			return true;
	}
}

static bool
evaluate_between(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	FmValue operand[3];
	FmValue low;
	FmValue high;
	int i;

	for (i = 0; i < 3; i++)
		if (!fm_expression_evaluate(evaluation, node->args[i], &operand[i]))
			return false;
	low = operand[0].null || operand[1].null
			  ? fm_null()
			  : bool_value(satisfies(FM_OP_GE, fm_value_compare(node->args[0]->type, &operand[0], &operand[1])));
	high = operand[0].null || operand[2].null
			   ? fm_null()
			   : bool_value(satisfies(FM_OP_LE, fm_value_compare(node->args[0]->type, &operand[0], &operand[2])));
	*value = logic(FM_OP_AND, &low, &high);
	if (!value->null)
		value->boolean ^= node->negated;
	return true;
}

/* Is a value among others: NULL if it is not and one of them, or it itself, is NULL */
static bool
is_among(FmEvaluation *evaluation, FmNode *node, const FmValue *left, const FmArray *others, FmValue *value)
{
	FmType type = node->args[0]->type;
	bool unknown = false;
	bool found = false;
	size_t i;

	if (!fm_expression_work(evaluation, 1 + (int64) others->n / 4))
		return false;
	for (i = 0; i < others->n && !found; i++)
	{
		if (left->null || others->value[i].null)
			unknown = true;
		else
			found = fm_value_compare(type, left, &others->value[i]) == 0;
	}
	*value = !found && unknown ? fm_null() : bool_value(found != node->negated);
	return true;
}

static bool
evaluate_in(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	FmArray others = {0, NULL};
	FmValue left;
	FmValue array;
	int i;

	if (!fm_expression_evaluate(evaluation, node->args[0], &left))
		return false;
	if (node->kind == FM_NODE_IN_ARRAY)
	{
		if (!fm_expression_evaluate(evaluation, node->args[1], &array))
			return false;
		if (!array.null)
			others = *array.array;
	}
	else if (node->kind == FM_NODE_IN_QUERY)
	{
		if (node->cached)
			others = *node->cache.array;
		else
		{
			FmRows rows = {0};
			FmArray *column = palloc(sizeof(FmArray));

			if (!fm_expression_query(evaluation, node->query, INT_MAX, &rows))
				return false;
			column->n = rows.n;
			column->value = palloc(sizeof(FmValue) * Max(rows.n, 1));
			for (i = 0; i < rows.n; i++)
				column->value[i] = rows.row[i][0];
			others = *column;
			if (node->query->lowest == INT_MAX)
			{
				node->cached = true;
				node->cache.array = column;
			}
		}
	}
	else
	{
		others.n = node->n_args - 1;
		others.value = palloc(sizeof(FmValue) * Max(others.n, 1));
		for (i = 1; i < node->n_args; i++)
			if (!fm_expression_evaluate(evaluation, node->args[i], &others.value[i - 1]))
				return false;
	}
	return is_among(evaluation, node, &left, &others, value);
}

/* -- the rest -- */

static bool
evaluate_is(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	FmValue operand;
	bool is;

	if (!fm_expression_evaluate(evaluation, node->args[0], &operand))
		return false;
	if (node->op == FM_OP_IS_NULL)
		is = operand.null;
	else
		is = !operand.null && operand.boolean == (node->op == FM_OP_IS_TRUE);
	*value = bool_value(is != node->negated);
	return true;
}

static bool
evaluate_case(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	FmValue operand = {0};
	FmValue when;
	int first = node->case_operand ? 1 : 0;
	int i;

	if (node->case_operand && !fm_expression_evaluate(evaluation, node->args[0], &operand))
		return false;
	for (i = first; i < node->n_args - 1; i += 2)
	{
		bool taken;

		if (!fm_expression_evaluate(evaluation, node->args[i], &when))
			return false;
		if (node->case_operand)
			taken = !operand.null && !when.null && fm_value_compare(node->args[0]->type, &operand, &when) == 0;
		else
			taken = !when.null && when.boolean;
		if (taken)
			return fm_expression_evaluate(evaluation, node->args[i + 1], value);
	}
	return fm_expression_evaluate(evaluation, node->args[node->n_args - 1], value);
}

static bool
evaluate_cast(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	FmError *error = evaluation->error;
	FmError ignored = {0};
	bool ok;

	if (!fm_expression_evaluate(evaluation, node->args[0], value))
		return false;
	if (!node->safe)
		return fm_expression_cast(evaluation, node->position, node->args[0]->type, node->type, value);
	evaluation->error = &ignored;
	ok = fm_expression_cast(evaluation, node->position, node->args[0]->type, node->type, value);
	evaluation->error = error;
	if (!ok)
		*value = fm_null();
	return true;
}

static bool
evaluate_element(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	bool safe = node->op == FM_OP_SAFE_OFFSET || node->op == FM_OP_SAFE_ORDINAL;
	FmValue array;
	FmValue index;
	int64 place;

	if (!fm_expression_evaluate(evaluation, node->args[0], &array) ||
		!fm_expression_evaluate(evaluation, node->args[1], &index))
		return false;
	if (array.null || index.null)
	{
		*value = fm_null();
		return true;
	}
	place = index.integer;
	if (node->op == FM_OP_ORDINAL || node->op == FM_OP_SAFE_ORDINAL)
		place = place == PG_INT64_MIN ? -1 : place - 1;
	if (place < 0 || (uint64) place >= array.array->n)
	{
		if (!safe)
			return FAIL(ERRCODE_ARRAY_ELEMENT_ERROR, "array index " INT64_FORMAT " is out of bounds", index.integer);
		*value = fm_null();
		return true;
	}
	*value = array.array->value[place];
	return true;
}

static bool
evaluate_field(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	FmValue owner;

	if (!fm_expression_evaluate(evaluation, node->args[0], &owner))
		return false;
	if (owner.null)
	{
		*value = fm_null();
		return true;
	}
	if (node->kind == FM_NODE_FIELD)
		return fm_member_value(evaluation, owner.message, node->field, value);
	*value = bool_value(fm_member_is_set(owner.message, node->field));
	return true;
}

static bool
evaluate_array(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	FmArray *array = palloc(sizeof(FmArray));
	int i;

	array->n = node->n_args;
	array->value = palloc(sizeof(FmValue) * Max(node->n_args, 1));
	for (i = 0; i < node->n_args; i++)
		if (!fm_expression_evaluate(evaluation, node->args[i], &array->value[i]))
			return false;
	memset(value, 0, sizeof(*value));
	value->array = array;
	return true;
}

static bool
evaluate_subquery(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	FmRows rows = {0};
	int max = node->kind == FM_NODE_EXISTS ? 1 : node->kind == FM_NODE_SUBQUERY ? 2 : INT_MAX;
	FmArray *array;
	int i;

	if (!fm_expression_query(evaluation, node->query, max, &rows))
		return false;
	switch (node->kind)
	{
		case FM_NODE_EXISTS:
			*value = bool_value(rows.n > 0);
			return true;
		case FM_NODE_SUBQUERY:
			if (rows.n > 1)
				return FAIL(ERRCODE_CARDINALITY_VIOLATION, "more than one row from a subquery used as a value");
			*value = rows.n == 0 ? fm_null() : rows.row[0][0];
			return true;
		default:
			break;
	}
	array = palloc(sizeof(FmArray));
	array->n = rows.n;
	array->value = palloc(sizeof(FmValue) * Max(rows.n, 1));
	for (i = 0; i < rows.n; i++)
		array->value[i] = rows.row[i][0];
	memset(value, 0, sizeof(*value));
	value->array = array;
	return true;
}

static bool
evaluate_call(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	FmValue few[4];
	FmValue *args = node->n_args <= 4 ? few : palloc(sizeof(FmValue) * node->n_args);
	int i;

	/* these look only at what they need */
	if (strcmp(node->function->name, "COALESCE") == 0 || strcmp(node->function->name, "IFNULL") == 0)
	{
		*value = fm_null();
		for (i = 0; i < node->n_args && value->null; i++)
			if (!fm_expression_evaluate(evaluation, node->args[i], value))
				return false;
		return true;
	}
	if (strcmp(node->function->name, "IF") == 0)
	{
		if (!fm_expression_evaluate(evaluation, node->args[0], value))
			return false;
		return fm_expression_evaluate(evaluation, node->args[!value->null && value->boolean ? 1 : 2], value);
	}
	for (i = 0; i < node->n_args; i++)
		if (!fm_expression_evaluate(evaluation, node->args[i], &args[i]))
			return false;
	return fm_expression_call(evaluation, node, args, value);
}

static bool
evaluate(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	switch (node->kind)
	{
		case FM_NODE_LITERAL:
			*value = node->literal;
			return true;
		case FM_NODE_NAME:
		case FM_NODE_VARIABLE:
			*value = evaluation->slots[node->slot];
			return true;
		case FM_NODE_FIELD:
		case FM_NODE_HAS:
			return evaluate_field(evaluation, node, value);
		case FM_NODE_ELEMENT:
			return evaluate_element(evaluation, node, value);
		case FM_NODE_UNARY:
			return evaluate_unary(evaluation, node, value);
		case FM_NODE_BINARY:
			return evaluate_binary(evaluation, node, value);
		case FM_NODE_BETWEEN:
			return evaluate_between(evaluation, node, value);
		case FM_NODE_IN:
		case FM_NODE_IN_ARRAY:
		case FM_NODE_IN_QUERY:
			return evaluate_in(evaluation, node, value);
		case FM_NODE_IS:
			return evaluate_is(evaluation, node, value);
		case FM_NODE_CASE:
			return evaluate_case(evaluation, node, value);
		case FM_NODE_CAST:
			return evaluate_cast(evaluation, node, value);
		case FM_NODE_CALL:
			return evaluate_call(evaluation, node, value);
		case FM_NODE_AGGREGATE:
			return fm_expression_aggregate(evaluation, node, value);
		case FM_NODE_ARRAY:
			return evaluate_array(evaluation, node, value);
		case FM_NODE_SUBQUERY:
		case FM_NODE_EXISTS:
		case FM_NODE_ARRAY_QUERY:
			return evaluate_subquery(evaluation, node, value);
	}
	return false;
}

/* Worth to be kept when it is the same for every row */
static bool
is_costly(const FmNode *node)
{
	return node->kind == FM_NODE_SUBQUERY || node->kind == FM_NODE_EXISTS || node->kind == FM_NODE_ARRAY_QUERY ||
		   node->kind == FM_NODE_ARRAY || node->kind == FM_NODE_CALL ||
		   (node->kind == FM_NODE_FIELD && node->type.kind == FM_ARRAY);
}

bool
fm_expression_evaluate(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	if (!fm_expression_work(evaluation, 1))
		return false;
	if (node->cached && node->kind != FM_NODE_IN_QUERY)
	{
		*value = node->cache;
		return true;
	}
	check_stack_depth();
	if (!evaluate(evaluation, node, value))
		return false;
	if (node->lowest == INT_MAX && is_costly(node))
	{
		node->cached = true;
		node->cache = *value;
	}
	return true;
}

bool
fm_expression_test(const char *text, const FmExpressionInput *inputs, int n_inputs, bool *result, FmError *error)
{
	FmEvaluation evaluation = {0};
	FmNode *node;
	FmValue value;
	int i;

	evaluation.text = text;
	evaluation.inputs = inputs;
	evaluation.n_inputs = n_inputs;
	evaluation.error = error;
	node = fm_expression_parse(&evaluation);
	if (node == NULL || !fm_expression_analyze(&evaluation, node))
		return false;
	evaluation.slots = palloc0(sizeof(FmValue) * evaluation.n_slots);
	for (i = 0; i < n_inputs; i++)
		evaluation.slots[i].message = inputs[i].message;
	if (!fm_expression_evaluate(&evaluation, node, &value))
		return false;
	if (value.null)
		return fm_fail(error, ERRCODE_NULL_VALUE_NOT_ALLOWED, "the expression is NULL");
	if (node->type.kind != FM_BOOL)
		return fm_fail(error, ERRCODE_DATATYPE_MISMATCH, "the expression is of type %s, not BOOL",
					   fm_type_name(node->type));
	*result = value.boolean;
	return true;
}
