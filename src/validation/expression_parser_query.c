/*
 * Queries inside expressions: text -> tree
 */
#include "fm_core.h"
#include "validation/expression_parser.h"

/* [AS] alias; *alias stays NULL if there is none */
static bool
parse_alias(FmParser *parser, const char **alias)
{
	bool ok = true;
	bool as = fm_take_word(parser, "AS", &ok);

	if (!ok)
		return false;
	if (!as && !fm_at_identifier(parser))
		return true;
	/* words that go on with the query are no aliases, unless AS is before them */
	if (!as && fm_at_word(parser, "OFFSET"))
		return true;
	if (!fm_at_identifier(parser))
	{
		fm_syntax_error(parser, "an alias");
		return false;
	}
	*alias = parser->token.text;
	return fm_advance(parser);
}

static FmFrom *
parse_from_item(FmParser *parser)
{
	FmFrom *from = palloc0(sizeof(FmFrom));
	bool ok = true;

	from->position = parser->token.position;
	from->slot = from->offset_slot = -1;
	if (fm_take_symbol(parser, "(", &ok))
	{
		from->kind = FM_FROM_QUERY;
		if (!fm_at_word(parser, "SELECT"))
			return fm_syntax_error(parser, "SELECT");
		if ((from->query = fm_parse_closed_query(parser)) == NULL || !parse_alias(parser, &from->alias))
			return NULL;
		return from;
	}
	from->kind = FM_FROM_ARRAY;
	if (fm_take_word(parser, "UNNEST", &ok))
	{
		if (!fm_need_symbol(parser, "(", "\"(\"") || (from->array = fm_parse_expression(parser)) == NULL ||
			!fm_need_symbol(parser, ")", "\")\""))
			return NULL;
	}
	else
	{
		if (!ok)
			return NULL;
		if (!fm_at_identifier(parser))
			return fm_syntax_error(parser, "UNNEST(array), alias.path or a subquery");
		if ((from->array = fm_parse_postfix(parser)) == NULL)
			return NULL;
		from->path = true;
	}
	if (!parse_alias(parser, &from->alias))
		return NULL;
	if (fm_at_word(parser, "WITH"))
	{
		if (!fm_advance(parser) || !fm_need_word(parser, "OFFSET"))
			return NULL;
		from->offset_alias = "offset";
		if (!parse_alias(parser, &from->offset_alias))
			return NULL;
	}
	return from;
}

static FmFrom *
parse_from(FmParser *parser)
{
	FmFrom *left = parse_from_item(parser);
	int n = 0;

	while (left != NULL)
	{
		bool ok = true;
		bool comma = fm_take_symbol(parser, ",", &ok);
		bool cross = fm_take_word(parser, "CROSS", &ok);
		bool inner = !comma && fm_take_word(parser, "INNER", &ok);
		bool outer = !comma && fm_take_word(parser, "LEFT", &ok);
		FmFrom *join;

		if (!ok)
			return NULL;
		if (fm_at_word(parser, "RIGHT") || fm_at_word(parser, "FULL"))
			return fm_syntax_error(parser, "another kind of join (arrays have no RIGHT or FULL JOIN)");
		if (outer)
			fm_take_word(parser, "OUTER", &ok);
		if (!ok)
			return NULL;
		if (!comma)
		{
			if (!cross && !inner && !outer && !fm_at_word(parser, "JOIN"))
				break;
			if (!fm_need_word(parser, "JOIN"))
				return NULL;
		}
		if (!fm_count_run(parser, &n))
			return NULL;
		join = palloc0(sizeof(FmFrom));
		join->kind = FM_FROM_JOIN;
		join->position = parser->token.position;
		join->outer = outer;
		join->left = left;
		if ((join->right = parse_from_item(parser)) == NULL)
			return NULL;
		if (!comma && !cross)
		{
			if (fm_take_word(parser, "ON", &ok))
			{
				if ((join->on = fm_parse_expression(parser)) == NULL)
					return NULL;
			}
			else if (fm_take_word(parser, "USING", &ok))
			{
				if (!fm_need_symbol(parser, "(", "\"(\""))
					return NULL;
				do
				{
					if (!fm_at_identifier(parser))
						return fm_syntax_error(parser, "a column");
					join->using_name = join->n_using == 0 ? palloc(sizeof(char *) * 16) : join->using_name;
					if (join->n_using == 16)
						return fm_syntax_error(parser, "16 columns at most");
					join->using_name[join->n_using++] = parser->token.text;
					ok = fm_advance(parser);
				} while (fm_take_symbol(parser, ",", &ok));
				if (!ok || !fm_need_symbol(parser, ")", "\")\""))
					return NULL;
			}
			if (!ok)
				return NULL;
		}
		left = join;
	}
	return left;
}

static bool
parse_select_list(FmParser *parser, FmQuery *query)
{
	bool ok = true;

	do
	{
		FmSelectItem item = {NULL, NULL};

		if (!fm_take_symbol(parser, "*", &ok))
		{
			if (!ok || (item.node = fm_parse_expression(parser)) == NULL || !parse_alias(parser, &item.alias))
				return false;
			if (item.alias == NULL && (item.node->kind == FM_NODE_NAME || item.node->kind == FM_NODE_FIELD))
				item.alias = item.node->name;
		}
		query->items = query->items == NULL ? palloc(sizeof(FmSelectItem) * (query->n_items + 1))
											: repalloc(query->items, sizeof(FmSelectItem) * (query->n_items + 1));
		query->items[query->n_items++] = item;
	} while (fm_take_symbol(parser, ",", &ok));
	return ok;
}

static bool
parse_order(FmParser *parser, FmQuery *query)
{
	bool ok = true;

	do
	{
		FmOrderItem item = {fm_parse_expression(parser), -1, false};

		if (item.node == NULL)
			return false;
		if (fm_take_word(parser, "DESC", &ok))
			item.descending = true;
		else
			fm_take_word(parser, "ASC", &ok);
		query->order = query->order == NULL ? palloc(sizeof(FmOrderItem) * (query->n_order + 1))
											: repalloc(query->order, sizeof(FmOrderItem) * (query->n_order + 1));
		query->order[query->n_order++] = item;
	} while (fm_take_symbol(parser, ",", &ok));
	return ok;
}

/* SELECT ... up to HAVING */
static FmQuery *
parse_select(FmParser *parser)
{
	FmQuery *query = palloc0(sizeof(FmQuery));
	bool ok = true;

	query->position = parser->token.position;
	if (!fm_need_word(parser, "SELECT"))
		return NULL;
	query->distinct = fm_take_word(parser, "DISTINCT", &ok);
	if (ok && !query->distinct)
		fm_take_word(parser, "ALL", &ok);
	if (!ok || !parse_select_list(parser, query))
		return NULL;
	if (fm_take_word(parser, "FROM", &ok) && (query->from = parse_from(parser)) == NULL)
		return NULL;
	if (fm_take_word(parser, "WHERE", &ok) && (query->where = fm_parse_expression(parser)) == NULL)
		return NULL;
	if (fm_take_word(parser, "GROUP", &ok))
	{
		FmNode list = {0};

		if (!fm_need_word(parser, "BY"))
			return NULL;
		do
		{
			FmNode *key = fm_parse_expression(parser);

			if (key == NULL)
				return NULL;
			fm_add_arg(&list, key);
		} while (fm_take_symbol(parser, ",", &ok));
		query->n_group = list.n_args;
		query->group = list.args;
	}
	if (fm_take_word(parser, "HAVING", &ok) && (query->having = fm_parse_expression(parser)) == NULL)
		return NULL;
	return ok ? query : NULL;
}

FmQuery *
fm_parse_query(FmParser *parser)
{
	FmQuery *query;
	FmQuery *last;
	bool ok = true;
	int n = 0;

	check_stack_depth();
	if (!fm_enter(parser) || (query = parse_select(parser)) == NULL)
		return NULL;
	last = query;
	while (fm_take_word(parser, "UNION", &ok))
	{
		bool distinct = fm_take_word(parser, "DISTINCT", &ok);

		if (!fm_count_run(parser, &n) || (!distinct && !fm_need_word(parser, "ALL")) ||
			(last->next = parse_select(parser)) == NULL)
			return NULL;
		last->union_distinct = distinct;
		last = last->next;
	}
	if (fm_take_word(parser, "ORDER", &ok) && (!fm_need_word(parser, "BY") || !parse_order(parser, query)))
		return NULL;
	if (fm_take_word(parser, "LIMIT", &ok))
	{
		if ((query->limit = fm_parse_expression(parser)) == NULL)
			return NULL;
		if (fm_take_word(parser, "OFFSET", &ok) && (query->offset = fm_parse_expression(parser)) == NULL)
			return NULL;
	}
	parser->depth--;
	return ok ? query : NULL;
}
