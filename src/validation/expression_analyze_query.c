/*
 * Names and types of the queries inside an expression
 */
#include "fm_core.h"
#include "validation/expression_analyze.h"

#include <limits.h>

static bool
add_variable(FmAnalyzer *analyzer, FmScope *scope, const char *qualifier, const char *name, FmType type, int position,
			 bool may_repeat, int *slot)
{
	FmVariable *variable;
	int i;

	for (i = 0; i < scope->n && name != NULL && qualifier == NULL && !may_repeat; i++)
		if (scope->variable[i].name != NULL && pg_strcasecmp(scope->variable[i].name, name) == 0)
			return FAIL(position, ERRCODE_DUPLICATE_ALIAS, "alias \"%s\" is used twice", name);
	if (scope->n == scope->max)
	{
		scope->max = scope->max * 2 + 8;
		scope->variable = scope->variable == NULL ? palloc(sizeof(FmVariable) * scope->max)
												  : repalloc(scope->variable, sizeof(FmVariable) * scope->max);
	}
	variable = &scope->variable[scope->n++];
	variable->qualifier = qualifier;
	variable->name = name;
	variable->type = type;
	variable->slot = analyzer->evaluation->n_slots++;
	*slot = variable->slot;
	return true;
}

/* Does a path begin with an alias of a query, not with an input */
static bool
begins_with_alias(const FmAnalyzer *analyzer, const FmNode *node)
{
	while (node->kind == FM_NODE_FIELD)
		node = node->args[0];
	return node->kind == FM_NODE_VARIABLE && node->slot >= analyzer->evaluation->n_inputs;
}

static bool
analyze_from_array(FmAnalyzer *analyzer, FmScope *scope, FmFrom *from, bool may_repeat)
{
	const char *alias = from->alias;

	if (!fm_analyze_node(analyzer, from->array))
		return false;
	if (from->path && (from->array->kind != FM_NODE_FIELD || !begins_with_alias(analyzer, from->array)))
		return FAIL(from->position, ERRCODE_UNDEFINED_TABLE, "there is no such table; write UNNEST(array)");
	if (from->array->type.kind != FM_ARRAY)
		return FAIL(from->position, ERRCODE_DATATYPE_MISMATCH, "UNNEST takes an array, not %s",
					fm_type_name(from->array->type));
	if (alias == NULL && from->path)
		alias = from->array->name;
	from->n_slots = 1;
	if (!add_variable(analyzer, scope, NULL, alias, *from->array->type.element, from->position, may_repeat,
					  &from->slot))
		return false;
	from->offset_slot = -1;
	if (from->offset_alias == NULL)
		return true;
	from->n_slots = 2;
	return add_variable(analyzer, scope, NULL, from->offset_alias, fm_simple_type(FM_INT64), from->position, false,
						&from->offset_slot);
}

static bool
analyze_from_query(FmAnalyzer *analyzer, FmScope *scope, FmFrom *from)
{
	FmScope *inner = analyzer->scope;
	int i;

	/* it sees what is around this query, not its neighbours */
	analyzer->scope = scope->outer;
	if (!fm_analyze_query(analyzer, from->query))
		return false;
	analyzer->scope = inner;
	from->n_slots = from->query->n_columns;
	for (i = 0; i < from->query->n_columns; i++)
	{
		const char *name = NULL;
		int slot;

		if (from->query->n_columns == from->query->n_items && from->query->items[i].node != NULL)
			name = from->query->items[i].alias;
		else if (from->query->n_columns > 0 && from->query->column_nodes[i] != NULL)
			name = from->query->column_nodes[i]->name;
		if (!add_variable(analyzer, scope, from->alias == NULL ? "" : from->alias, name, from->query->columns[i],
						  from->position, true, &slot))
			return false;
		if (i == 0)
			from->slot = slot;
	}
	return true;
}

static bool analyze_from(FmAnalyzer *analyzer, FmScope *scope, FmFrom *from, bool may_repeat);

static FmNode *
variable_node(const FmAnalyzer *analyzer, const FmVariable *variable, int position)
{
	FmNode *node = palloc0(sizeof(FmNode));

	node->position = position;
	fm_become_variable(node, variable, analyzer->evaluation->n_inputs);
	return node;
}

/* USING (a, b): equality of the columns of the two sides */
static bool
analyze_using(FmAnalyzer *analyzer, FmScope *scope, FmFrom *join, int middle)
{
	int i;
	int k;

	for (i = 0; i < join->n_using; i++)
	{
		const FmVariable *sides[2] = {NULL, NULL};
		FmNode *equal;
		FmNode *all;

		for (k = 0; k < scope->n; k++)
			if (scope->variable[k].name != NULL && pg_strcasecmp(scope->variable[k].name, join->using_name[i]) == 0)
				sides[k >= middle] = &scope->variable[k];
		if (sides[0] == NULL || sides[1] == NULL)
			return FAIL(join->position, ERRCODE_UNDEFINED_COLUMN, "column \"%s\" of USING is not on both sides",
						join->using_name[i]);
		equal = palloc0(sizeof(FmNode));
		equal->kind = FM_NODE_BINARY;
		equal->op = FM_OP_EQ;
		equal->position = join->position;
		equal->n_args = 2;
		equal->args = palloc(sizeof(FmNode *) * 2);
		equal->args[0] = variable_node(analyzer, sides[0], join->position);
		equal->args[1] = variable_node(analyzer, sides[1], join->position);
		if (join->on == NULL)
			join->on = equal;
		else
		{
			all = palloc0(sizeof(FmNode));
			*all = *equal;
			all->op = FM_OP_AND;
			all->args = palloc(sizeof(FmNode *) * 2);
			all->args[0] = join->on;
			all->args[1] = equal;
			join->on = all;
		}
	}
	return true;
}

static bool
analyze_from(FmAnalyzer *analyzer, FmScope *scope, FmFrom *from, bool may_repeat)
{
	int middle;

	check_stack_depth();
	switch (from->kind)
	{
		case FM_FROM_ARRAY:
			return analyze_from_array(analyzer, scope, from, may_repeat);
		case FM_FROM_QUERY:
			return analyze_from_query(analyzer, scope, from);
		default:
			break;
	}
	if (!analyze_from(analyzer, scope, from->left, false))
		return false;
	middle = scope->n;
	if (!analyze_from(analyzer, scope, from->right, from->n_using > 0) || !analyze_using(analyzer, scope, from, middle))
		return false;
	if (from->on == NULL)
		return true;
	return fm_analyze_node(analyzer, from->on) && fm_need_bool(analyzer, from->on, "ON");
}

/* The lowest slot that a FROM clause depends on */
static int
lowest_of_from(const FmFrom *from)
{
	switch (from->kind)
	{
		case FM_FROM_ARRAY:
			return from->array->lowest;
		case FM_FROM_QUERY:
			return from->query->lowest;
		default:
			return Min(Min(lowest_of_from(from->left), lowest_of_from(from->right)),
					   from->on == NULL ? INT_MAX : from->on->lowest);
	}
}

static bool
same_node(const FmNode *a, const FmNode *b)
{
	int i;

	if (a->kind != b->kind || a->op != b->op || a->negated != b->negated || a->n_args != b->n_args ||
		a->slot != b->slot || a->field != b->field || a->function != b->function || a->query != NULL ||
		b->query != NULL || !fm_type_equal(a->type, b->type))
		return false;
	if (a->kind == FM_NODE_LITERAL && fm_value_order(a->type, &a->literal, &b->literal) != 0)
		return false;
	for (i = 0; i < a->n_args; i++)
		if (!same_node(a->args[i], b->args[i]))
			return false;
	return true;
}

/* Outside aggregates, a query with groups may use its rows only through what it groups by */
static bool
check_grouped(FmAnalyzer *analyzer, const FmQuery *query, const FmNode *node)
{
	int i;

	for (i = 0; i < query->n_group; i++)
		if (same_node(node, query->group[i]))
			return true;
	if (node->kind == FM_NODE_AGGREGATE)
		return true;
	if (node->kind == FM_NODE_VARIABLE && node->slot >= query->first_slot &&
		node->slot < query->first_slot + query->n_slots)
		return FAIL(node->position, ERRCODE_GROUPING_ERROR, "a value here is neither grouped nor aggregated");
	if (node->query != NULL && node->query->lowest >= query->first_slot && node->query->lowest != INT_MAX)
		return FAIL(node->position, ERRCODE_GROUPING_ERROR,
					"a subquery here uses a value that is neither grouped nor aggregated");
	for (i = 0; i < node->n_args; i++)
		if (!check_grouped(analyzer, query, node->args[i]))
			return false;
	return true;
}

/* A select item by its alias or its number; -1 if the node is neither */
static int
column_of(const FmQuery *query, const FmNode *node)
{
	int i;

	if (node->kind == FM_NODE_LITERAL && node->type.kind == FM_INT64 && node->literal.integer >= 1 &&
		node->literal.integer <= query->n_columns)
		return (int) node->literal.integer - 1;
	if (node->kind == FM_NODE_NAME && query->n_columns == query->n_items)
		for (i = 0; i < query->n_items; i++)
			if (query->items[i].alias != NULL && pg_strcasecmp(query->items[i].alias, node->name) == 0)
				return i;
	return -1;
}

static void
add_column(FmQuery *query, FmNode *node)
{
	int n = query->n_columns++;

	query->columns = n == 0 ? palloc(sizeof(FmType)) : repalloc(query->columns, sizeof(FmType) * (n + 1));
	query->column_nodes = n == 0 ? palloc(sizeof(FmNode *)) : repalloc(query->column_nodes, sizeof(FmNode *) * (n + 1));
	query->columns[n] = node->type;
	query->column_nodes[n] = node;
}

static bool
analyze_select_list(FmAnalyzer *analyzer, FmScope *scope, FmQuery *query)
{
	int i;
	int k;

	for (i = 0; i < query->n_items; i++)
	{
		FmNode *node = query->items[i].node;

		if (node == NULL)
		{
			if (scope->n == 0)
				return FAIL(query->position, ERRCODE_SYNTAX_ERROR, "SELECT * without FROM");
			for (k = 0; k < scope->n; k++)
				add_column(query, variable_node(analyzer, &scope->variable[k], query->position));
			continue;
		}
		if (!fm_analyze_node(analyzer, node))
			return false;
		add_column(query, node);
	}
	return true;
}

static bool
analyze_group(FmAnalyzer *analyzer, FmQuery *query)
{
	int i;
	int k;

	for (i = 0; i < query->n_group; i++)
	{
		FmNode *key = query->group[i];

		/* the select list is not analysed yet: an alias or number stands for a copy of the item */
		if (key->kind == FM_NODE_LITERAL && key->type.kind == FM_INT64)
		{
			if (key->literal.integer < 1 || key->literal.integer > query->n_items ||
				query->items[key->literal.integer - 1].node == NULL)
				return FAIL(key->position, ERRCODE_GROUPING_ERROR, "GROUP BY has no such column of the select list");
			query->group[i] = query->items[key->literal.integer - 1].node;
			key = query->group[i];
			if (key->type.kind != FM_NULL || key->kind != FM_NODE_LITERAL)
				continue;
		}
		else if (key->kind == FM_NODE_NAME)
			for (k = 0; k < query->n_items; k++)
				if (query->items[k].node != NULL && query->items[k].node->kind != FM_NODE_NAME &&
					query->items[k].alias != NULL && pg_strcasecmp(query->items[k].alias, key->name) == 0)
					query->group[i] = key = query->items[k].node;
	}
	for (i = 0; i < query->n_group; i++)
	{
		bool is_item = false;

		for (k = 0; k < query->n_items; k++)
			is_item |= query->items[k].node == query->group[i];
		/* items are analysed with the select list */
		if (!is_item && !fm_analyze_node(analyzer, query->group[i]))
			return false;
	}
	return true;
}

static bool
analyze_limit(FmAnalyzer *analyzer, FmNode *node)
{
	if (node == NULL)
		return true;
	if (node->kind != FM_NODE_LITERAL || node->type.kind != FM_INT64)
		return FAIL(node->position, ERRCODE_SYNTAX_ERROR, "LIMIT and OFFSET take an integer");
	return true;
}

static bool
analyze_order(FmAnalyzer *analyzer, FmQuery *query)
{
	int i;

	for (i = 0; i < query->n_order; i++)
	{
		FmOrderItem *item = &query->order[i];
		FmType type;

		item->column = column_of(query, item->node);
		if (item->column < 0)
		{
			if (item->node->kind == FM_NODE_LITERAL)
				return FAIL(item->node->position, ERRCODE_SYNTAX_ERROR, "ORDER BY has no such column");
			if (query->next != NULL)
				return FAIL(item->node->position, ERRCODE_SYNTAX_ERROR,
							"ORDER BY after UNION takes columns of the select list");
			if (!fm_analyze_node(analyzer, item->node))
				return false;
		}
		type = item->column < 0 ? item->node->type : query->columns[item->column];
		if (!fm_can_compare(type))
			return FAIL(item->node->position, ERRCODE_UNDEFINED_FUNCTION, "values of type %s have no order",
						fm_type_name(type));
	}
	return analyze_limit(analyzer, query->limit) && analyze_limit(analyzer, query->offset);
}

static bool
check_all_grouped(FmAnalyzer *analyzer, FmQuery *query)
{
	int i;

	for (i = 0; i < query->n_group; i++)
	{
		if (!fm_can_compare(query->group[i]->type))
			return FAIL(query->group[i]->position, ERRCODE_GROUPING_ERROR, "values of type %s are not grouped",
						fm_type_name(query->group[i]->type));
		if (query->group[i]->kind == FM_NODE_AGGREGATE)
			return FAIL(query->group[i]->position, ERRCODE_GROUPING_ERROR, "GROUP BY takes no aggregate");
	}
	for (i = 0; i < query->n_columns; i++)
		if (!check_grouped(analyzer, query, query->column_nodes[i]))
			return false;
	if (query->having != NULL && !check_grouped(analyzer, query, query->having))
		return false;
	for (i = 0; i < query->n_order; i++)
		if (query->order[i].column < 0 && !check_grouped(analyzer, query, query->order[i].node))
			return false;
	return true;
}

static int
lowest_of_query(const FmQuery *query)
{
	int lowest = query->from == NULL ? INT_MAX : lowest_of_from(query->from);
	int i;

	for (i = 0; i < query->n_columns; i++)
		lowest = Min(lowest, query->column_nodes[i]->lowest);
	for (i = 0; i < query->n_group; i++)
		lowest = Min(lowest, query->group[i]->lowest);
	for (i = 0; i < query->n_order; i++)
		if (query->order[i].column < 0)
			lowest = Min(lowest, query->order[i].node->lowest);
	if (query->where != NULL)
		lowest = Min(lowest, query->where->lowest);
	if (query->having != NULL)
		lowest = Min(lowest, query->having->lowest);
	/* its own slots, and those inside it, are no dependence */
	return lowest >= query->first_slot ? INT_MAX : lowest;
}

/* One SELECT, without the rest of a UNION */
static bool
analyze_select(FmAnalyzer *analyzer, FmQuery *query)
{
	FmScope scope = {0};
	bool aggregates = analyzer->aggregates_allowed;
	bool in_aggregate = analyzer->in_aggregate;
	bool ok;
	int i;

	scope.outer = analyzer->scope;
	scope.query = query;
	query->first_slot = analyzer->evaluation->n_slots;
	analyzer->scope = &scope;
	analyzer->aggregates_allowed = false;
	analyzer->in_aggregate = false;
	if (query->from == NULL && (query->where != NULL || query->n_group > 0 || query->having != NULL))
		return FAIL(query->position, ERRCODE_SYNTAX_ERROR, "a query without FROM has no WHERE, GROUP BY or HAVING");
	ok = query->from == NULL || analyze_from(analyzer, &scope, query->from, false);
	query->n_slots = analyzer->evaluation->n_slots - query->first_slot;
	ok = ok &&
		 (query->where == NULL ||
		  (fm_analyze_node(analyzer, query->where) && fm_need_bool(analyzer, query->where, "WHERE"))) &&
		 analyze_group(analyzer, query);
	analyzer->aggregates_allowed = true;
	ok = ok && analyze_select_list(analyzer, &scope, query) &&
		 (query->having == NULL ||
		  (fm_analyze_node(analyzer, query->having) && fm_need_bool(analyzer, query->having, "HAVING"))) &&
		 analyze_order(analyzer, query);
	analyzer->scope = scope.outer;
	analyzer->aggregates_allowed = aggregates;
	analyzer->in_aggregate = in_aggregate;
	if (!ok)
		return false;
	if (query->n_group > 0)
		query->aggregated = true;
	if (query->aggregated && query->from == NULL)
		return FAIL(query->position, ERRCODE_GROUPING_ERROR, "a query without FROM has no aggregates");
	if (query->having != NULL && !query->aggregated)
		return FAIL(query->having->position, ERRCODE_GROUPING_ERROR, "HAVING without aggregates or GROUP BY");
	if (query->aggregated && !check_all_grouped(analyzer, query))
		return false;
	if (query->distinct)
		for (i = 0; i < query->n_columns; i++)
			if (!fm_can_compare(query->columns[i]))
				return FAIL(query->position, ERRCODE_UNDEFINED_FUNCTION,
							"SELECT DISTINCT does not take values of type %s", fm_type_name(query->columns[i]));
	query->lowest = lowest_of_query(query);
	return true;
}

bool
fm_analyze_query(FmAnalyzer *analyzer, FmQuery *query)
{
	FmQuery *other;
	int i;

	check_stack_depth();
	if (!analyze_select(analyzer, query))
		return false;
	for (other = query->next; other != NULL; other = other->next)
	{
		if (!analyze_select(analyzer, other))
			return false;
		if (other->n_columns != query->n_columns)
			return FAIL(other->position, ERRCODE_SYNTAX_ERROR, "the queries of a UNION have %d and %d columns",
						query->n_columns, other->n_columns);
		for (i = 0; i < query->n_columns; i++)
		{
			FmNode *both[2] = {query->column_nodes[i], other->column_nodes[i]};
			FmType type;

			if (!fm_make_common(analyzer, both, 2, other->position, "UNION", &type))
				return false;
			query->column_nodes[i] = both[0];
			other->column_nodes[i] = both[1];
			query->columns[i] = other->columns[i] = type;
			if (query->union_distinct && !fm_can_compare(type))
				return FAIL(other->position, ERRCODE_UNDEFINED_FUNCTION,
							"UNION DISTINCT does not take values of type %s", fm_type_name(type));
		}
		query->lowest = Min(query->lowest, other->lowest);
	}
	return true;
}
