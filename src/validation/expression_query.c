/*
 * Queries inside expressions: FROM over arrays, WHERE, groups, aggregates, DISTINCT, UNION, ORDER BY, LIMIT
 */
#include "fm_core.h"
#include "validation/expression_tree.h"

#include "common/int.h"

#include <limits.h>
#include <math.h>

/* The rows that aggregates are over: the slots of their query's FROM clause */
typedef struct FmGroup
{
	const FmQuery *query;
	int n;
	int max;
	FmValue **row;
} FmGroup;

/* What becomes of each row of a FROM clause; *stop ends the walk early */
typedef struct Consumer Consumer;
struct Consumer
{
	bool (*consume)(Consumer *consumer, bool *stop);
	FmEvaluation *evaluation;
};

static void
set_slots(FmEvaluation *evaluation, const FmQuery *query, const FmValue *row)
{
	memcpy(&evaluation->slots[query->first_slot], row, sizeof(FmValue) * query->n_slots);
}

static FmValue *
copy_slots(FmEvaluation *evaluation, const FmQuery *query)
{
	FmValue *row = palloc(sizeof(FmValue) * Max(query->n_slots, 1));

	memcpy(row, &evaluation->slots[query->first_slot], sizeof(FmValue) * query->n_slots);
	return row;
}

static void
add_row(FmRows *rows, FmValue *row)
{
	if (rows->n == rows->max)
	{
		rows->max = rows->max * 2 + 8;
		rows->row = rows->row == NULL ? palloc(sizeof(FmValue *) * rows->max)
									  : repalloc(rows->row, sizeof(FmValue *) * rows->max);
	}
	rows->row[rows->n++] = row;
}

/* -- FROM -- */

static bool walk_from(FmEvaluation *evaluation, FmFrom *from, Consumer *consumer, bool *stop);

static bool
walk_array(FmEvaluation *evaluation, FmFrom *from, Consumer *consumer, bool *stop)
{
	FmValue array;
	size_t i;

	if (!fm_expression_evaluate(evaluation, from->array, &array))
		return false;
	for (i = 0; !array.null && i < array.array->n && !*stop; i++)
	{
		evaluation->slots[from->slot] = array.array->value[i];
		if (from->offset_slot >= 0)
		{
			memset(&evaluation->slots[from->offset_slot], 0, sizeof(FmValue));
			evaluation->slots[from->offset_slot].integer = (int64) i;
		}
		if (!fm_expression_work(evaluation, 1) || !consumer->consume(consumer, stop))
			return false;
	}
	return true;
}

static bool
walk_query(FmEvaluation *evaluation, FmFrom *from, Consumer *consumer, bool *stop)
{
	FmRows rows = {0};
	int i;

	if (!fm_expression_query(evaluation, from->query, INT_MAX, &rows))
		return false;
	for (i = 0; i < rows.n && !*stop; i++)
	{
		memcpy(&evaluation->slots[from->slot], rows.row[i], sizeof(FmValue) * from->n_slots);
		if (!fm_expression_work(evaluation, 1) || !consumer->consume(consumer, stop))
			return false;
	}
	return true;
}

/* The right side of a join, walked for each row of the left */
typedef struct RightSide
{
	Consumer consumer;
	FmFrom *join;
	Consumer *next;
	bool matched;
} RightSide;

static bool
consume_right(Consumer *consumer, bool *stop)
{
	RightSide *side = (RightSide *) consumer;
	FmValue on;

	if (side->join->on != NULL)
	{
		if (!fm_expression_evaluate(consumer->evaluation, side->join->on, &on))
			return false;
		if (on.null || !on.boolean)
			return true;
	}
	side->matched = true;
	return side->next->consume(side->next, stop);
}

static void
clear_slots(FmEvaluation *evaluation, const FmFrom *from)
{
	int i;

	if (from->kind == FM_FROM_JOIN)
	{
		clear_slots(evaluation, from->left);
		clear_slots(evaluation, from->right);
		return;
	}
	for (i = 0; i < (from->kind == FM_FROM_ARRAY ? 1 : from->n_slots); i++)
		evaluation->slots[from->slot + i] = fm_null();
	if (from->kind == FM_FROM_ARRAY && from->offset_slot >= 0)
		evaluation->slots[from->offset_slot] = fm_null();
}

typedef struct LeftSide
{
	Consumer consumer;
	FmFrom *join;
	Consumer *next;
} LeftSide;

static bool
consume_left(Consumer *consumer, bool *stop)
{
	LeftSide *left = (LeftSide *) consumer;
	RightSide right = {{consume_right, consumer->evaluation}, left->join, left->next, false};

	if (!walk_from(consumer->evaluation, left->join->right, &right.consumer, stop))
		return false;
	if (right.matched || !left->join->outer)
		return true;
	clear_slots(consumer->evaluation, left->join->right);
	return left->next->consume(left->next, stop);
}

static bool
walk_from(FmEvaluation *evaluation, FmFrom *from, Consumer *consumer, bool *stop)
{
	LeftSide left = {{consume_left, evaluation}, from, consumer};

	check_stack_depth();
	switch (from->kind)
	{
		case FM_FROM_ARRAY:
			return walk_array(evaluation, from, consumer, stop);
		case FM_FROM_QUERY:
			return walk_query(evaluation, from, consumer, stop);
		default:
			return walk_from(evaluation, from->left, &left.consumer, stop);
	}
}

/* -- one SELECT -- */

typedef struct Select
{
	Consumer consumer;
	FmQuery *query;
	const FmQuery *first; /* of a UNION: it has the ORDER BY */
	FmRows *rows;		  /* a value for each column, then for each ORDER BY that is no column */
	int max;			  /* as many rows are enough */
	FmRows *raw;		  /* with groups: the slots of each row */
} Select;

/* Evaluates the select list for the row in the slots, and adds it to the result */
static bool
add_result(Select *select)
{
	FmEvaluation *evaluation = select->consumer.evaluation;
	FmQuery *query = select->query;
	FmValue *row = palloc(sizeof(FmValue) * (query->n_columns + select->first->n_order));
	int n = 0;
	int i;

	for (i = 0; i < query->n_columns; i++)
		if (!fm_expression_evaluate(evaluation, query->column_nodes[i], &row[n++]))
			return false;
	for (i = 0; query == select->first && i < query->n_order; i++)
		if (query->order[i].column < 0 && !fm_expression_evaluate(evaluation, query->order[i].node, &row[n++]))
			return false;
	if (!fm_expression_work(evaluation, 4 + n))
		return false;
	add_row(select->rows, row);
	return true;
}

static bool
consume_row(Consumer *consumer, bool *stop)
{
	Select *select = (Select *) consumer;
	FmValue where;

	if (select->query->where != NULL)
	{
		if (!fm_expression_evaluate(consumer->evaluation, select->query->where, &where))
			return false;
		if (where.null || !where.boolean)
			return true;
	}
	if (select->raw != NULL)
	{
		if (!fm_expression_work(consumer->evaluation, 4 + select->query->n_slots))
			return false;
		add_row(select->raw, copy_slots(consumer->evaluation, select->query));
		return true;
	}
	if (!add_result(select))
		return false;
	*stop = select->rows->n >= select->max;
	return true;
}

/* -- groups -- */

typedef struct KeyedRow
{
	FmValue *keys;
	FmValue *row;
	int place;
} KeyedRow;

/* For the comparison of rows by keys */
typedef struct KeyOrder
{
	const FmQuery *query;
} KeyOrder;

static int
compare_keys(const void *a, const void *b, void *arg)
{
	const KeyedRow *x = a;
	const KeyedRow *y = b;
	const FmQuery *query = ((KeyOrder *) arg)->query;
	int i;

	for (i = 0; i < query->n_group; i++)
	{
		int order = fm_value_order(query->group[i]->type, &x->keys[i], &y->keys[i]);

		if (order != 0)
			return order;
	}
	return x->place < y->place ? -1 : x->place > y->place;
}

static bool
same_keys(const FmQuery *query, const KeyedRow *a, const KeyedRow *b)
{
	int i;

	for (i = 0; i < query->n_group; i++)
		if (fm_value_order(query->group[i]->type, &a->keys[i], &b->keys[i]) != 0)
			return false;
	return true;
}

/* One group: HAVING, then the select list with aggregates over its rows */
static bool
add_group(Select *select, FmGroup *group)
{
	FmEvaluation *evaluation = select->consumer.evaluation;
	FmGroup *outer = evaluation->group;
	FmValue having = {0};
	bool ok = true;

	evaluation->group = group;
	if (group->n > 0)
		set_slots(evaluation, select->query, group->row[0]);
	if (select->query->having != NULL)
		ok = fm_expression_evaluate(evaluation, select->query->having, &having);
	if (ok && (select->query->having == NULL || (!having.null && having.boolean)))
		ok = add_result(select);
	evaluation->group = outer;
	return ok;
}

static bool
add_groups(Select *select, const FmRows *raw)
{
	FmEvaluation *evaluation = select->consumer.evaluation;
	FmQuery *query = select->query;
	KeyOrder order = {query};
	KeyedRow *keyed;
	int i;
	int k;

	if (query->n_group == 0)
	{
		FmGroup all = {query, raw->n, raw->n, raw->row};

		return add_group(select, &all);
	}
	keyed = palloc(sizeof(KeyedRow) * Max(raw->n, 1));
	for (i = 0; i < raw->n; i++)
	{
		keyed[i].keys = palloc(sizeof(FmValue) * query->n_group);
		keyed[i].row = raw->row[i];
		keyed[i].place = i;
		set_slots(evaluation, query, raw->row[i]);
		for (k = 0; k < query->n_group; k++)
			if (!fm_expression_evaluate(evaluation, query->group[k], &keyed[i].keys[k]))
				return false;
	}
	qsort_arg(keyed, raw->n, sizeof(KeyedRow), compare_keys, &order);
	for (i = 0; i < raw->n; i = k)
	{
		FmGroup group = {query, 0, 0, palloc(sizeof(FmValue *) * raw->n)};

		for (k = i; k < raw->n && same_keys(query, &keyed[i], &keyed[k]); k++)
			group.row[group.n++] = keyed[k].row;
		if (!add_group(select, &group))
			return false;
		pfree(group.row);
	}
	return true;
}

/* -- DISTINCT, ORDER BY, LIMIT -- */

typedef struct RowOrder
{
	const FmQuery *query;
} RowOrder;

static int
compare_columns(const void *a, const void *b, void *arg)
{
	const FmValue *x = *(FmValue *const *) a;
	const FmValue *y = *(FmValue *const *) b;
	const FmQuery *query = ((RowOrder *) arg)->query;
	int i;

	for (i = 0; i < query->n_columns; i++)
	{
		int order = fm_value_order(query->columns[i], &x[i], &y[i]);

		if (order != 0)
			return order;
	}
	return 0;
}

static void
remove_duplicates(const FmQuery *query, FmRows *rows)
{
	RowOrder order = {query};
	int n = 0;
	int i;

	qsort_arg(rows->row, rows->n, sizeof(FmValue *), compare_columns, &order);
	for (i = 0; i < rows->n; i++)
		if (n == 0 || compare_columns(&rows->row[n - 1], &rows->row[i], &order) != 0)
			rows->row[n++] = rows->row[i];
	rows->n = n;
}

static int
compare_order(const void *a, const void *b, void *arg)
{
	const FmValue *x = *(FmValue *const *) a;
	const FmValue *y = *(FmValue *const *) b;
	const FmQuery *query = ((RowOrder *) arg)->query;
	int extra = query->n_columns;
	int i;

	for (i = 0; i < query->n_order; i++)
	{
		const FmOrderItem *item = &query->order[i];
		int place = item->column >= 0 ? item->column : extra++;
		FmType type = item->column >= 0 ? query->columns[place] : item->node->type;
		int order = fm_value_order(type, &x[place], &y[place]);

		if (order != 0)
			return item->descending ? -order : order;
	}
	return 0;
}

static void
take_part(const FmQuery *query, FmRows *rows)
{
	int64 offset = query->offset == NULL ? 0 : query->offset->literal.integer;
	int64 limit = query->limit == NULL ? rows->n : query->limit->literal.integer;
	int skip = (int) Min(offset, (int64) rows->n);

	if (skip > 0)
		memmove(rows->row, rows->row + skip, sizeof(FmValue *) * (rows->n - skip));
	rows->n = (int) Min(limit, (int64) rows->n - skip);
}

static bool
run_select(FmEvaluation *evaluation, FmQuery *query, const FmQuery *first, int max, FmRows *rows)
{
	FmRows raw = {0};
	Select select = {{consume_row, evaluation}, query, first, rows, max, query->aggregated ? &raw : NULL};
	bool stop = false;

	if (query->from == NULL)
		return add_result(&select);
	if (!walk_from(evaluation, query->from, &select.consumer, &stop))
		return false;
	return query->aggregated ? add_groups(&select, &raw) : true;
}

bool
fm_expression_query(FmEvaluation *evaluation, FmQuery *query, int max, FmRows *rows)
{
	FmQuery *part;
	bool simple = query->next == NULL && query->n_order == 0 && !query->distinct && query->offset == NULL;
	RowOrder order = {query};

	check_stack_depth();
	if (query->limit != NULL && query->limit->literal.integer == 0)
		return true;
	if (simple && query->limit != NULL)
		max = (int) Min((int64) max, query->limit->literal.integer);
	for (part = query; part != NULL; part = part->next)
	{
		FmRows some = {0};
		int i;

		if (!run_select(evaluation, part, query, simple ? max : INT_MAX, &some))
			return false;
		if (part->distinct)
			remove_duplicates(part, &some);
		for (i = 0; i < some.n; i++)
			add_row(rows, some.row[i]);
	}
	for (part = query; part != NULL; part = part->next)
		if (part->union_distinct)
		{
			remove_duplicates(query, rows);
			break;
		}
	/* a stable sort is asked for by nobody, but the same result every time is */
	if (query->n_order > 0 && rows->n > 1)
		qsort_arg(rows->row, rows->n, sizeof(FmValue *), compare_order, &order);
	take_part(query, rows);
	return true;
}

/* -- aggregates -- */

#define FAIL(...) fm_expression_fail(evaluation, node->position, __VA_ARGS__)

/* Values of the argument over the rows of the group, without NULLs unless they are asked for */
static bool
collect(FmEvaluation *evaluation, FmNode *node, FmNode *arg, bool nulls, FmRows *values)
{
	FmGroup *group = evaluation->group;
	int i;

	for (i = 0; i < group->n; i++)
	{
		FmValue *value = palloc(sizeof(FmValue));

		set_slots(evaluation, group->query, group->row[i]);
		/* an aggregate inside a subquery of the argument has a group of its own */
		if (!fm_expression_evaluate(evaluation, arg, value) || !fm_expression_work(evaluation, 2))
			return false;
		if (nulls || !value->null)
			add_row(values, value);
	}
	if (group->n > 0)
		set_slots(evaluation, group->query, group->row[0]);
	return true;
}

typedef struct ValueOrder
{
	FmType type;
} ValueOrder;

static int
compare_values(const void *a, const void *b, void *arg)
{
	return fm_value_order(((ValueOrder *) arg)->type, *(FmValue *const *) a, *(FmValue *const *) b);
}

static void
keep_distinct(FmType type, FmRows *values)
{
	ValueOrder order = {type};
	int n = 0;
	int i;

	qsort_arg(values->row, values->n, sizeof(FmValue *), compare_values, &order);
	for (i = 0; i < values->n; i++)
		if (n == 0 || fm_value_order(type, values->row[n - 1], values->row[i]) != 0)
			values->row[n++] = values->row[i];
	values->n = n;
}

static bool
sum(FmEvaluation *evaluation, const FmNode *node, const FmRows *values, FmValue *value)
{
	FmKind kind = node->type.kind;
	bool bad = false;
	bool finite = true;
	int i;

	memset(value, 0, sizeof(*value));
	for (i = 0; i < values->n && !bad; i++)
	{
		if (kind == FM_INT64)
			bad = pg_add_s64_overflow(value->integer, values->row[i]->integer, &value->integer);
		else if (kind == FM_UINT64)
			bad = __builtin_add_overflow(value->natural, values->row[i]->natural, &value->natural);
		else
		{
			finite &= isfinite(values->row[i]->number) != 0;
			value->number += values->row[i]->number;
		}
	}
	if (kind == FM_DOUBLE && finite && !isfinite(value->number))
		bad = true;
	return bad ? FAIL(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "%s overflow", fm_type_name(node->type)) : true;
}

static double
variance(const FmRows *values, bool sample)
{
	double mean = 0;
	double squares = 0;
	int i;

	/* Welford */
	for (i = 0; i < values->n; i++)
	{
		double delta = values->row[i]->number - mean;

		mean += delta / (i + 1);
		squares += delta * (values->row[i]->number - mean);
	}
	return squares / (sample ? values->n - 1 : values->n);
}

static bool
join_strings(FmEvaluation *evaluation, FmNode *node, const FmRows *values, FmValue *value)
{
	StringInfoData out;
	FmValue separator = {0};
	int i;

	separator.string.data = ",";
	separator.string.length = 1;
	if (node->n_args > 1 && !fm_expression_evaluate(evaluation, node->args[1], &separator))
		return false;
	initStringInfo(&out);
	for (i = 0; i < values->n; i++)
	{
		if (i > 0 && !separator.null)
			appendBinaryStringInfo(&out, separator.string.data, (int) separator.string.length);
		appendBinaryStringInfo(&out, values->row[i]->string.data, (int) values->row[i]->string.length);
		if (out.len > FM_MAX_EXPRESSION_STRING)
			return FAIL(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "string is longer than %d bytes", FM_MAX_EXPRESSION_STRING);
	}
	value->string.data = out.data;
	value->string.length = out.len;
	return true;
}

static void
extreme(const FmNode *node, const FmRows *values, bool largest, FmValue *value)
{
	int i;

	*value = *values->row[0];
	for (i = 1; i < values->n; i++)
	{
		int order = fm_value_compare(node->type, values->row[i], value);

		if (order == 2)
		{
			value->number = NAN;
			return;
		}
		if (largest ? order > 0 : order < 0)
			*value = *values->row[i];
	}
}

static void
collect_array(const FmRows *values, FmValue *value)
{
	FmArray *array = palloc(sizeof(FmArray));
	int i;

	array->n = values->n;
	array->value = palloc(sizeof(FmValue) * Max(values->n, 1));
	for (i = 0; i < values->n; i++)
		array->value[i] = *values->row[i];
	value->array = array;
}

bool
fm_expression_aggregate(FmEvaluation *evaluation, FmNode *node, FmValue *value)
{
	const char *name = node->function->name;
	FmRows values = {0};
	int i;

	memset(value, 0, sizeof(*value));
	if (node->star)
	{
		value->integer = evaluation->group->n;
		return true;
	}
	if (!collect(evaluation, node, node->args[0], strcmp(name, "ARRAY_AGG") == 0, &values))
		return false;
	if (node->distinct)
		keep_distinct(node->args[0]->type, &values);
	if (strcmp(name, "COUNT") == 0)
		value->integer = values.n;
	else if (strcmp(name, "COUNTIF") == 0)
		for (i = 0; i < values.n; i++)
			value->integer += values.row[i]->boolean;
	else if (values.n == 0)
		*value = fm_null();
	else if (strcmp(name, "SUM") == 0)
		return sum(evaluation, node, &values, value);
	else if (strcmp(name, "AVG") == 0)
	{
		if (!sum(evaluation, node, &values, value))
			return false;
		value->number /= values.n;
	}
	else if (strcmp(name, "MIN") == 0 || strcmp(name, "MAX") == 0)
		extreme(node, &values, strcmp(name, "MAX") == 0, value);
	else if (strcmp(name, "ANY_VALUE") == 0)
		*value = *values.row[0];
	else if (strcmp(name, "LOGICAL_AND") == 0 || strcmp(name, "LOGICAL_OR") == 0)
	{
		bool is_or = strcmp(name, "LOGICAL_OR") == 0;

		value->boolean = !is_or;
		for (i = 0; i < values.n; i++)
			if (values.row[i]->boolean == is_or)
				value->boolean = is_or;
	}
	else if (strcmp(name, "STRING_AGG") == 0)
		return join_strings(evaluation, node, &values, value);
	else if (strcmp(name, "ARRAY_AGG") == 0)
		collect_array(&values, value);
	else if (strncmp(name, "BIT_", 4) == 0)
	{
		*value = *values.row[0];
		for (i = 1; i < values.n; i++)
			value->natural = strcmp(name, "BIT_AND") == 0  ? value->natural & values.row[i]->natural
							 : strcmp(name, "BIT_OR") == 0 ? value->natural | values.row[i]->natural
														   : value->natural ^ values.row[i]->natural;
	}
	else
	{
		/* STDDEV, VARIANCE and their kin */
		bool population = strstr(name, "_POP") != NULL;

		if (values.n < 2 && !population)
		{
			*value = fm_null();
			return true;
		}
		value->number = variance(&values, !population);
		if (strncmp(name, "STDDEV", 6) == 0)
			value->number = sqrt(value->number);
	}
	return true;
}
