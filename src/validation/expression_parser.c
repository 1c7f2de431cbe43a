/*
 * Text of an expression -> tree, by recursive descent
 */
#include "fm_core.h"
#include "validation/expression_parser.h"

bool
fm_expression_fail(FmEvaluation *evaluation, int position, int sqlstate, const char *message, ...)
{
	char text[512];
	va_list args;
	int line = 1;
	int column = 1;
	int i;

	va_start(args, message);
	vsnprintf(text, sizeof(text), message, args);
	va_end(args);
	if (evaluation->error->sqlstate != 0)
		return false;
	for (i = 0; i < position && evaluation->text[i] != '\0'; i++)
	{
		if (evaluation->text[i] == '\n')
		{
			line++;
			column = 1;
		}
		else if (((unsigned char) evaluation->text[i] & 0xC0) != 0x80)
			column++;
	}
	fm_fail(evaluation->error, sqlstate, "%s", text);
	fm_fail_detail(evaluation->error, "Line %d, column %d of the expression.", line, column);
	return false;
}

void *
fm_syntax_error(FmParser *parser, const char *wanted)
{
	const FmToken *token = &parser->token;
	const char *text = parser->evaluation->text + token->position;

	if (token->kind == FM_TOKEN_END)
		fm_expression_fail(parser->evaluation, token->position, ERRCODE_SYNTAX_ERROR,
						   "syntax error at the end of the expression: expected %s", wanted);
	else
		fm_expression_fail(parser->evaluation, token->position, ERRCODE_SYNTAX_ERROR,
						   "syntax error at \"%.*s\": expected %s", Min(token->end - token->position, 40), text,
						   wanted);
	return NULL;
}

bool
fm_advance(FmParser *parser)
{
	return fm_expression_token(parser->evaluation, parser->token.end, &parser->token);
}

/* Looks at the token after the current one; errors in it are found when it is read */
static FmToken
peek(FmParser *parser)
{
	FmError *error = parser->evaluation->error;
	FmError ignored = {0};
	FmToken token;

	parser->evaluation->error = &ignored;
	if (!fm_expression_token(parser->evaluation, parser->token.end, &token))
		token.kind = FM_TOKEN_END;
	parser->evaluation->error = error;
	return token;
}

static bool
is_word(const FmToken *token, const char *word)
{
	return token->kind == FM_TOKEN_NAME && pg_strcasecmp(token->text, word) == 0;
}

bool
fm_at_word(FmParser *parser, const char *word)
{
	return is_word(&parser->token, word);
}

static bool
is_symbol(const FmToken *token, const char *symbol)
{
	return token->kind == FM_TOKEN_SYMBOL && strcmp(token->text, symbol) == 0;
}

static bool
fm_at_symbol(FmParser *parser, const char *symbol)
{
	return is_symbol(&parser->token, symbol);
}

/* Takes a word or symbol if it is there; *ok becomes false if what follows cannot be read */
bool
fm_take_word(FmParser *parser, const char *word, bool *ok)
{
	if (!*ok || !fm_at_word(parser, word))
		return false;
	*ok = fm_advance(parser);
	return *ok;
}

bool
fm_take_symbol(FmParser *parser, const char *symbol, bool *ok)
{
	if (!*ok || !fm_at_symbol(parser, symbol))
		return false;
	*ok = fm_advance(parser);
	return *ok;
}

bool
fm_need_symbol(FmParser *parser, const char *symbol, const char *wanted)
{
	if (fm_at_symbol(parser, symbol))
		return fm_advance(parser);
	fm_syntax_error(parser, wanted);
	return false;
}

bool
fm_need_word(FmParser *parser, const char *word)
{
	if (fm_at_word(parser, word))
		return fm_advance(parser);
	fm_syntax_error(parser, word);
	return false;
}

bool
fm_at_identifier(FmParser *parser)
{
	return parser->token.kind == FM_TOKEN_QUOTED ||
		   (parser->token.kind == FM_TOKEN_NAME && !fm_expression_reserved(parser->token.text));
}

static FmNode *
new_node(FmNodeKind kind, int position)
{
	FmNode *node = palloc0(sizeof(FmNode));

	node->kind = kind;
	node->position = position;
	node->slot = -1;
	return node;
}

void
fm_add_arg(FmNode *node, FmNode *arg)
{
	/* grows by doubling: lists may be long */
	if ((node->n_args & (node->n_args - 1)) == 0)
	{
		int max = node->n_args == 0 ? 1 : node->n_args * 2;

		node->args = node->args == NULL ? palloc(sizeof(FmNode *) * max) : repalloc(node->args, sizeof(FmNode *) * max);
	}
	node->args[node->n_args++] = arg;
}

static FmNode *
new_literal(int position, FmKind kind)
{
	FmNode *node = new_node(FM_NODE_LITERAL, position);

	node->type.kind = kind;
	node->literal.null = kind == FM_NULL;
	return node;
}

bool
fm_enter(FmParser *parser)
{
	if (++parser->depth <= FM_MAX_EXPRESSION_DEPTH)
		return true;
	fm_expression_fail(parser->evaluation, parser->token.position, ERRCODE_STATEMENT_TOO_COMPLEX,
					   "expression is nested deeper than %d levels", FM_MAX_EXPRESSION_DEPTH);
	return false;
}

/* expression, expression, ... up to a closing symbol, which is taken */
static bool
parse_list(FmParser *parser, FmNode *node, const char *close, const char *wanted)
{
	bool ok = true;

	do
	{
		FmNode *arg = fm_parse_expression(parser);

		if (arg == NULL)
			return false;
		fm_add_arg(node, arg);
	} while (fm_take_symbol(parser, ",", &ok));
	return ok && fm_need_symbol(parser, close, wanted);
}

/* ( query ), the parenthesis taken already */
FmQuery *
fm_parse_closed_query(FmParser *parser)
{
	FmQuery *query = fm_parse_query(parser);

	return query != NULL && fm_need_symbol(parser, ")", "\")\"") ? query : NULL;
}

/* -- what expressions are made of -- */

static FmNode *
parse_case(FmParser *parser, int position)
{
	FmNode *node = new_node(FM_NODE_CASE, position);
	bool ok = true;
	FmNode *arg;

	if (!fm_at_word(parser, "WHEN"))
	{
		if ((arg = fm_parse_expression(parser)) == NULL)
			return NULL;
		fm_add_arg(node, arg);
		node->case_operand = true;
	}
	if (!fm_at_word(parser, "WHEN"))
		return fm_syntax_error(parser, "WHEN");
	while (fm_take_word(parser, "WHEN", &ok))
	{
		if ((arg = fm_parse_expression(parser)) == NULL || !fm_need_word(parser, "THEN"))
			return NULL;
		fm_add_arg(node, arg);
		if ((arg = fm_parse_expression(parser)) == NULL)
			return NULL;
		fm_add_arg(node, arg);
	}
	if (fm_take_word(parser, "ELSE", &ok))
	{
		if ((arg = fm_parse_expression(parser)) == NULL)
			return NULL;
	}
	else
		arg = new_literal(parser->token.position, FM_NULL);
	fm_add_arg(node, arg);
	return ok && fm_need_word(parser, "END") ? node : NULL;
}

static FmNode *
parse_cast(FmParser *parser, int position, bool safe)
{
	static const struct
	{
		const char *name;
		FmKind kind;
	} types[] = {{"BOOL", FM_BOOL},		{"BOOLEAN", FM_BOOL},	{"INT32", FM_INT32},   {"INT64", FM_INT64},
				 {"UINT32", FM_UINT32}, {"UINT64", FM_UINT64},	{"FLOAT", FM_FLOAT},   {"FLOAT32", FM_FLOAT},
				 {"DOUBLE", FM_DOUBLE}, {"FLOAT64", FM_DOUBLE}, {"STRING", FM_STRING}, {"BYTES", FM_BYTES}};
	FmNode *node = new_node(FM_NODE_CAST, position);
	FmNode *arg;
	size_t i;

	node->safe = safe;
	if (!fm_need_symbol(parser, "(", "\"(\"") || (arg = fm_parse_expression(parser)) == NULL ||
		!fm_need_word(parser, "AS"))
		return NULL;
	fm_add_arg(node, arg);
	if (parser->token.kind != FM_TOKEN_NAME)
		return fm_syntax_error(parser, "a type");
	for (i = 0; i < lengthof(types); i++)
		if (fm_at_word(parser, types[i].name))
		{
			node->type.kind = types[i].kind;
			return fm_advance(parser) && fm_need_symbol(parser, ")", "\")\"") ? node : NULL;
		}
	fm_expression_fail(parser->evaluation, parser->token.position, ERRCODE_UNDEFINED_OBJECT, "type \"%s\" is not known",
					   parser->token.text);
	return NULL;
}

/* NAME( ... ), the parenthesis taken already */
static FmNode *
parse_call(FmParser *parser, int position, const char *name)
{
	FmNode *node = new_node(FM_NODE_CALL, position);
	bool ok = true;

	node->name = name;
	if (fm_at_symbol(parser, "*") && pg_strcasecmp(name, "COUNT") == 0)
	{
		node->star = true;
		return fm_advance(parser) && fm_need_symbol(parser, ")", "\")\"") ? node : NULL;
	}
	if (fm_take_symbol(parser, ")", &ok))
		return node;
	if (fm_take_word(parser, "DISTINCT", &ok))
		node->distinct = true;
	return ok && parse_list(parser, node, ")", "\",\" or \")\"") ? node : NULL;
}

static FmNode *
parse_word(FmParser *parser)
{
	FmToken token = parser->token;
	FmToken next = peek(parser);
	bool call = is_symbol(&next, "(");
	FmNode *node;

	if (fm_at_word(parser, "TRUE") || fm_at_word(parser, "FALSE"))
	{
		node = new_literal(token.position, FM_BOOL);
		node->literal.boolean = fm_at_word(parser, "TRUE");
		return fm_advance(parser) ? node : NULL;
	}
	if (fm_at_word(parser, "NULL"))
		return fm_advance(parser) ? new_literal(token.position, FM_NULL) : NULL;
	if (fm_at_word(parser, "CASE"))
		return fm_advance(parser) ? parse_case(parser, token.position) : NULL;
	if (call && (fm_at_word(parser, "CAST") || fm_at_word(parser, "SAFE_CAST")))
		return fm_advance(parser) ? parse_cast(parser, token.position, is_word(&token, "SAFE_CAST")) : NULL;
	if (call && fm_at_word(parser, "EXISTS"))
	{
		node = new_node(FM_NODE_EXISTS, token.position);
		return fm_advance(parser) && fm_advance(parser) && (node->query = fm_parse_closed_query(parser)) != NULL ? node
																												 : NULL;
	}
	if (fm_at_word(parser, "ARRAY"))
	{
		if (!fm_advance(parser))
			return NULL;
		if (call)
		{
			node = new_node(FM_NODE_ARRAY_QUERY, token.position);
			return fm_advance(parser) && (node->query = fm_parse_closed_query(parser)) != NULL ? node : NULL;
		}
		if (!fm_at_symbol(parser, "["))
			return fm_syntax_error(parser, "\"(\" or \"[\"");
	}
	else if (call && (!fm_expression_reserved(token.text) || is_word(&token, "IF") || is_word(&token, "LEFT") ||
					  is_word(&token, "RIGHT") || token.kind == FM_TOKEN_QUOTED))
		return fm_advance(parser) && fm_advance(parser) ? parse_call(parser, token.position, token.text) : NULL;
	else if (fm_at_identifier(parser))
	{
		node = new_node(FM_NODE_NAME, token.position);
		node->name = token.text;
		return fm_advance(parser) ? node : NULL;
	}
	if (fm_at_symbol(parser, "["))
	{
		bool ok = true;

		node = new_node(FM_NODE_ARRAY, token.position);
		if (!fm_advance(parser))
			return NULL;
		if (fm_take_symbol(parser, "]", &ok))
			return node;
		return ok && parse_list(parser, node, "]", "\",\" or \"]\"") ? node : NULL;
	}
	return fm_syntax_error(parser, "an expression");
}

static FmNode *
parse_primary(FmParser *parser)
{
	FmToken token = parser->token;
	FmNode *node;

	switch (token.kind)
	{
		case FM_TOKEN_INTEGER:
			node = new_literal(token.position, token.natural > PG_INT64_MAX ? FM_UINT64 : FM_INT64);
			node->literal.natural = token.natural;
			return fm_advance(parser) ? node : NULL;
		case FM_TOKEN_FLOAT:
			node = new_literal(token.position, FM_DOUBLE);
			node->literal.number = token.number;
			return fm_advance(parser) ? node : NULL;
		case FM_TOKEN_STRING:
		case FM_TOKEN_BYTES:
			node = new_literal(token.position, token.kind == FM_TOKEN_STRING ? FM_STRING : FM_BYTES);
			node->literal.string.data = token.text;
			node->literal.string.length = token.length;
			return fm_advance(parser) ? node : NULL;
		case FM_TOKEN_NAME:
		case FM_TOKEN_QUOTED:
			return parse_word(parser);
		default:
			break;
	}
	if (fm_at_symbol(parser, "["))
		return parse_word(parser);
	if (!fm_at_symbol(parser, "("))
		return fm_syntax_error(parser, "an expression");
	if (!fm_advance(parser))
		return NULL;
	if (fm_at_word(parser, "SELECT"))
	{
		node = new_node(FM_NODE_SUBQUERY, token.position);
		return (node->query = fm_parse_closed_query(parser)) != NULL ? node : NULL;
	}
	node = fm_parse_expression(parser);
	return node != NULL && fm_need_symbol(parser, ")", "\")\"") ? node : NULL;
}

/* [OFFSET(...)] and its kin, the bracket taken already */
static FmNode *
parse_element(FmParser *parser, FmNode *array, int position)
{
	static const struct
	{
		const char *name;
		FmOperator op;
	} kinds[] = {{"OFFSET", FM_OP_OFFSET},
				 {"ORDINAL", FM_OP_ORDINAL},
				 {"SAFE_OFFSET", FM_OP_SAFE_OFFSET},
				 {"SAFE_ORDINAL", FM_OP_SAFE_ORDINAL}};
	FmNode *node = new_node(FM_NODE_ELEMENT, position);
	FmNode *index;
	size_t i;

	for (i = 0; i < lengthof(kinds); i++)
		if (fm_at_word(parser, kinds[i].name))
			node->op = kinds[i].op;
	if (node->op == FM_OP_NONE)
		return fm_syntax_error(parser, "OFFSET(position from 0) or ORDINAL(position from 1)");
	if (!fm_advance(parser) || !fm_need_symbol(parser, "(", "\"(\"") || (index = fm_parse_expression(parser)) == NULL ||
		!fm_need_symbol(parser, ")", "\")\"") || !fm_need_symbol(parser, "]", "\"]\""))
		return NULL;
	fm_add_arg(node, array);
	fm_add_arg(node, index);
	return node;
}

FmNode *
fm_parse_postfix(FmParser *parser)
{
	FmNode *node = parse_primary(parser);
	int n = 0;

	while (node != NULL && (fm_at_symbol(parser, ".") || fm_at_symbol(parser, "[")))
	{
		int position = parser->token.position;
		bool dot = fm_at_symbol(parser, ".");

		if (++n > FM_MAX_EXPRESSION_DEPTH)
		{
			fm_expression_fail(parser->evaluation, position, ERRCODE_STATEMENT_TOO_COMPLEX, "path is too long");
			return NULL;
		}
		if (!fm_advance(parser))
			return NULL;
		if (dot)
		{
			FmNode *field = new_node(FM_NODE_FIELD, parser->token.position);

			if (parser->token.kind != FM_TOKEN_NAME && parser->token.kind != FM_TOKEN_QUOTED)
				return fm_syntax_error(parser, "the name of a field");
			field->name = parser->token.text;
			fm_add_arg(field, node);
			node = field;
			if (!fm_advance(parser))
				return NULL;
		}
		else
			node = parse_element(parser, node, position);
	}
	return node;
}

static FmNode *
parse_unary(FmParser *parser)
{
	int position = parser->token.position;
	FmOperator op = fm_at_symbol(parser, "-")	? FM_OP_MINUS
					: fm_at_symbol(parser, "+") ? FM_OP_PLUS
					: fm_at_symbol(parser, "~") ? FM_OP_BIT_NOT
												: FM_OP_NONE;
	FmNode *operand;
	FmNode *node;

	if (op == FM_OP_NONE)
		return fm_parse_postfix(parser);
	if (!fm_enter(parser) || !fm_advance(parser) || (operand = parse_unary(parser)) == NULL)
		return NULL;
	parser->depth--;
	node = new_node(FM_NODE_UNARY, position);
	node->op = op;
	fm_add_arg(node, operand);
	return node;
}

/* Binary operators by how tightly they bind, the tightest first */
typedef struct Binary
{
	const char *symbol;
	FmOperator op;
	int level;
} Binary;

#define N_BINARY_LEVELS 6

static const Binary binaries[] = {
	{"*", FM_OP_MULTIPLY, 0}, {"/", FM_OP_DIVIDE, 0},	   {"||", FM_OP_CONCAT, 0},		 {"+", FM_OP_ADD, 1},
	{"-", FM_OP_SUBTRACT, 1}, {"<<", FM_OP_SHIFT_LEFT, 2}, {">>", FM_OP_SHIFT_RIGHT, 2}, {"&", FM_OP_BIT_AND, 3},
	{"^", FM_OP_BIT_XOR, 4},  {"|", FM_OP_BIT_OR, 5},
};

static FmNode *
new_binary(int position, FmOperator op, FmNode *left, FmNode *right)
{
	FmNode *node = new_node(FM_NODE_BINARY, position);

	node->op = op;
	fm_add_arg(node, left);
	fm_add_arg(node, right);
	return node;
}

bool
fm_count_run(FmParser *parser, int *n)
{
	if (++*n <= FM_MAX_RUN)
		return true;
	return fm_expression_fail(parser->evaluation, parser->token.position, ERRCODE_STATEMENT_TOO_COMPLEX,
							  "expression has more than %d operators in a row", FM_MAX_RUN);
}

static FmNode *
parse_binary(FmParser *parser, int level)
{
	FmNode *left = level == 0 ? parse_unary(parser) : parse_binary(parser, level - 1);
	int n = 0;

	while (left != NULL)
	{
		const Binary *binary = NULL;
		int position = parser->token.position;
		FmNode *right;
		size_t i;

		for (i = 0; i < lengthof(binaries); i++)
			if (binaries[i].level == level && fm_at_symbol(parser, binaries[i].symbol))
				binary = &binaries[i];
		if (binary == NULL)
			break;
		if (!fm_count_run(parser, &n) || !fm_advance(parser))
			return NULL;
		right = level == 0 ? parse_unary(parser) : parse_binary(parser, level - 1);
		if (right == NULL)
			return NULL;
		left = new_binary(position, binary->op, left, right);
	}
	return left;
}

#define parse_operand(parser) parse_binary(parser, N_BINARY_LEVELS - 1)

static FmNode *
parse_in(FmParser *parser, FmNode *left, int position)
{
	FmNode *node = new_node(FM_NODE_IN, position);
	FmNode *array;

	fm_add_arg(node, left);
	if (fm_at_word(parser, "UNNEST"))
	{
		node->kind = FM_NODE_IN_ARRAY;
		if (!fm_advance(parser) || !fm_need_symbol(parser, "(", "\"(\"") ||
			(array = fm_parse_expression(parser)) == NULL)
			return NULL;
		fm_add_arg(node, array);
		return fm_need_symbol(parser, ")", "\")\"") ? node : NULL;
	}
	if (!fm_need_symbol(parser, "(", "\"(\" or UNNEST"))
		return NULL;
	if (fm_at_word(parser, "SELECT"))
	{
		node->kind = FM_NODE_IN_QUERY;
		return (node->query = fm_parse_closed_query(parser)) != NULL ? node : NULL;
	}
	return parse_list(parser, node, ")", "\",\" or \")\"") ? node : NULL;
}

static FmNode *
parse_is(FmParser *parser, FmNode *left, int position)
{
	FmNode *node = new_node(FM_NODE_IS, position);
	bool ok = true;

	node->negated = fm_take_word(parser, "NOT", &ok);
	if (!ok)
		return NULL;
	node->op = fm_at_word(parser, "NULL")	 ? FM_OP_IS_NULL
			   : fm_at_word(parser, "TRUE")	 ? FM_OP_IS_TRUE
			   : fm_at_word(parser, "FALSE") ? FM_OP_IS_FALSE
											 : FM_OP_NONE;
	if (node->op == FM_OP_NONE)
		return fm_syntax_error(parser, "NULL, TRUE or FALSE");
	fm_add_arg(node, left);
	return fm_advance(parser) ? node : NULL;
}

static FmNode *
parse_between(FmParser *parser, FmNode *left, int position)
{
	FmNode *node = new_node(FM_NODE_BETWEEN, position);
	FmNode *low;
	FmNode *high;

	if ((low = parse_operand(parser)) == NULL || !fm_need_word(parser, "AND") || (high = parse_operand(parser)) == NULL)
		return NULL;
	fm_add_arg(node, left);
	fm_add_arg(node, low);
	fm_add_arg(node, high);
	return node;
}

/* One comparison at most: they do not associate */
static FmNode *
parse_comparison(FmParser *parser)
{
	static const struct
	{
		const char *symbol;
		FmOperator op;
	} comparisons[] = {{"=", FM_OP_EQ},	 {"<>", FM_OP_NE}, {"!=", FM_OP_NE}, {"<", FM_OP_LT},
					   {"<=", FM_OP_LE}, {">", FM_OP_GT},  {">=", FM_OP_GE}};
	FmNode *left = parse_operand(parser);
	int position = parser->token.position;
	FmToken next;
	bool negated = false;
	FmNode *right;
	FmNode *node;
	size_t i;

	if (left == NULL)
		return NULL;
	for (i = 0; i < lengthof(comparisons); i++)
		if (fm_at_symbol(parser, comparisons[i].symbol))
		{
			if (!fm_advance(parser) || (right = parse_operand(parser)) == NULL)
				return NULL;
			return new_binary(position, comparisons[i].op, left, right);
		}
	if (fm_at_word(parser, "IS"))
		return fm_advance(parser) ? parse_is(parser, left, position) : NULL;
	if (fm_at_word(parser, "NOT"))
	{
		next = peek(parser);
		if (!is_word(&next, "IN") && !is_word(&next, "LIKE") && !is_word(&next, "BETWEEN"))
			return left;
		negated = true;
		if (!fm_advance(parser))
			return NULL;
	}
	if (fm_at_word(parser, "IN"))
		node = fm_advance(parser) ? parse_in(parser, left, position) : NULL;
	else if (fm_at_word(parser, "BETWEEN"))
		node = fm_advance(parser) ? parse_between(parser, left, position) : NULL;
	else if (fm_at_word(parser, "LIKE"))
		node = fm_advance(parser) && (right = parse_operand(parser)) != NULL
				   ? new_binary(position, FM_OP_LIKE, left, right)
				   : NULL;
	else
		return left;
	if (node != NULL)
		node->negated = negated;
	return node;
}

static FmNode *
parse_not(FmParser *parser)
{
	int position = parser->token.position;
	FmNode *operand;
	FmNode *node;

	if (!fm_at_word(parser, "NOT"))
		return parse_comparison(parser);
	if (!fm_enter(parser) || !fm_advance(parser) || (operand = parse_not(parser)) == NULL)
		return NULL;
	parser->depth--;
	node = new_node(FM_NODE_UNARY, position);
	node->op = FM_OP_NOT;
	fm_add_arg(node, operand);
	return node;
}

static FmNode *
parse_and(FmParser *parser)
{
	FmNode *left = parse_not(parser);
	int n = 0;

	while (left != NULL && fm_at_word(parser, "AND"))
	{
		int position = parser->token.position;
		FmNode *right;

		if (!fm_count_run(parser, &n) || !fm_advance(parser) || (right = parse_not(parser)) == NULL)
			return NULL;
		left = new_binary(position, FM_OP_AND, left, right);
	}
	return left;
}

FmNode *
fm_parse_expression(FmParser *parser)
{
	FmNode *left;
	int n = 0;

	check_stack_depth();
	if (!fm_enter(parser))
		return NULL;
	left = parse_and(parser);
	while (left != NULL && fm_at_word(parser, "OR"))
	{
		int position = parser->token.position;
		FmNode *right;

		if (!fm_count_run(parser, &n) || !fm_advance(parser) || (right = parse_and(parser)) == NULL)
			return NULL;
		left = new_binary(position, FM_OP_OR, left, right);
	}
	parser->depth--;
	return left;
}

FmNode *
fm_expression_parse(FmEvaluation *evaluation)
{
	FmParser parser = {0};
	FmNode *node;

	parser.evaluation = evaluation;
	if (strlen(evaluation->text) > FM_MAX_EXPRESSION_LENGTH)
	{
		fm_fail(evaluation->error, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "expression is longer than %d bytes",
				FM_MAX_EXPRESSION_LENGTH);
		return NULL;
	}
	if (!fm_advance(&parser) || (node = fm_parse_expression(&parser)) == NULL)
		return NULL;
	if (parser.token.kind != FM_TOKEN_END)
		return fm_syntax_error(&parser, "the end of the expression");
	return node;
}
