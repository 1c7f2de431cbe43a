/*
 * Tokens of a filter -> typed tree. Recursive descent, with ZetaSQL's precedence; from loose to tight:
 *     OR, AND, NOT, comparison (= < LIKE IN BETWEEN IS; not associative), |, ^, &, << >>, + -, * / ||, unary
 */
#include "lineage/filter.h"

typedef struct FmEnum
{
	const char *const *names; /* by value; NULL: the client takes no such name */
	int n_names;
	const char *of; /* what the names are of, for messages */
} FmEnum;

/* The names that the client takes are fewer than those of the protocol */
static const char *const artifact_states[] = {"UNKNOWN", "PENDING", "LIVE", "MARKED_FOR_DELETION", "DELETED"};
static const char *const execution_states[] = {"UNKNOWN", "NEW", "RUNNING", "COMPLETE", "FAILED", "CACHED", "CANCELED"};
static const char *const event_types[] = {NULL,	   "DECLARED_OUTPUT", "DECLARED_INPUT", "INPUT",
										  "OUTPUT", "INTERNAL_INPUT",  "INTERNAL_OUTPUT"};
static const FmEnum artifact_state = {artifact_states, lengthof(artifact_states), "state of an artifact"};
static const FmEnum execution_state = {execution_states, lengthof(execution_states), "state of an execution"};
static const FmEnum event_type = {event_types, lengthof(event_types), "type of an event"};

#define ON_ARTIFACT (1 << FM_ARTIFACT)
#define ON_EXECUTION (1 << FM_EXECUTION)
#define ON_CONTEXT (1 << FM_CONTEXT)
#define ON_ALL (ON_ARTIFACT | ON_EXECUTION | ON_CONTEXT)

/* The attributes of nodes; ON: of which, neighbour: readable as ALIAS.NAME too */
typedef struct FmAttribute
{
	const char *name;
	FmFilterType type;
	const FmEnum *enumeration;
	int on;
	int on_neighbour;
} FmAttribute;

static const FmAttribute attributes[] = {
	{"id", FM_TYPE_INT64, NULL, ON_ALL, ON_ALL},
	{"type_id", FM_TYPE_INT64, NULL, ON_ALL, 0},
	{"type", FM_TYPE_STRING, NULL, ON_ALL, ON_ALL},
	{"name", FM_TYPE_STRING, NULL, ON_ALL, ON_ALL},
	{"external_id", FM_TYPE_STRING, NULL, ON_ALL, ON_ARTIFACT | ON_EXECUTION},
	{"create_time_since_epoch", FM_TYPE_INT64, NULL, ON_ALL, ON_ALL},
	{"last_update_time_since_epoch", FM_TYPE_INT64, NULL, ON_ALL, ON_ALL},
	{"uri", FM_TYPE_STRING, NULL, ON_ARTIFACT, ON_ARTIFACT},
	{"state", FM_TYPE_INT64, &artifact_state, ON_ARTIFACT, ON_ARTIFACT},
	{"last_known_state", FM_TYPE_INT64, &execution_state, ON_EXECUTION, ON_EXECUTION}};

/* Prefixes of the names of neighbours; on: in the filters of which nodes, neighbour: what they are */
static const struct
{
	const char *prefix;
	FmAliasKind kind;
	int on;
	FmNodeKind neighbour;
} prefixes[] = {{"contexts_", FM_ALIAS_CONTEXT, ON_ARTIFACT | ON_EXECUTION, FM_CONTEXT},
				{"events_", FM_ALIAS_EVENT, ON_ARTIFACT | ON_EXECUTION, FM_ARTIFACT},
				{"artifacts_", FM_ALIAS_ARTIFACT, ON_CONTEXT, FM_ARTIFACT},
				{"executions_", FM_ALIAS_EXECUTION, ON_CONTEXT, FM_EXECUTION},
				{"parent_contexts_", FM_ALIAS_PARENT_CONTEXT, ON_CONTEXT, FM_CONTEXT},
				{"child_contexts_", FM_ALIAS_CHILD_CONTEXT, ON_CONTEXT, FM_CONTEXT}};

#define WHITE_SPACE "E' \\t\\n\\v\\f\\r'"

static const FmFilterFunction functions[] = {
	{"ABS", 1, 1, "n", FM_TYPE_NULL, "pg_catalog.abs(%1)"},
	{"MOD", 2, 2, "i", FM_TYPE_INT64, "pg_catalog.mod(%1, %2)"},
	{"DIV", 2, 2, "i", FM_TYPE_INT64, "(%1 OPERATOR(pg_catalog./) %2)"},
	{"ROUND", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.round(%1::pg_catalog.numeric)::pg_catalog.float8"},
	{"TRUNC", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.trunc(%1)"},
	{"FLOOR", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.floor(%1)"},
	{"CEIL", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.ceil(%1)"},
	{"CEILING", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.ceil(%1)"},
	{"SQRT", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.sqrt(%1)"},
	{"EXP", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.exp(%1)"},
	{"LN", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.ln(%1)"},
	{"LOG10", 1, 1, "d", FM_TYPE_DOUBLE, "pg_catalog.log(%1)"},
	{"POW", 2, 2, "d", FM_TYPE_DOUBLE, "pg_catalog.power(%1, %2)"},
	{"POWER", 2, 2, "d", FM_TYPE_DOUBLE, "pg_catalog.power(%1, %2)"},
	{"GREATEST", 1, -1, "a", FM_TYPE_NULL, "GREATEST(%,)"},
	{"LEAST", 1, -1, "a", FM_TYPE_NULL, "LEAST(%,)"},
	{"LENGTH", 1, 1, "s", FM_TYPE_INT64, "pg_catalog.char_length(%1)"},
	{"CHAR_LENGTH", 1, 1, "s", FM_TYPE_INT64, "pg_catalog.char_length(%1)"},
	{"CHARACTER_LENGTH", 1, 1, "s", FM_TYPE_INT64, "pg_catalog.char_length(%1)"},
	{"BYTE_LENGTH", 1, 1, "s", FM_TYPE_INT64, "pg_catalog.octet_length(%1)"},
	{"LOWER", 1, 1, "s", FM_TYPE_STRING, "pg_catalog.lower(%1)"},
	{"UPPER", 1, 1, "s", FM_TYPE_STRING, "pg_catalog.upper(%1)"},
	{"REVERSE", 1, 1, "s", FM_TYPE_STRING, "pg_catalog.reverse(%1)"},
	{"TRIM", 1, 1, "s", FM_TYPE_STRING, "pg_catalog.btrim(%1, " WHITE_SPACE ")"},
	{"TRIM", 2, 2, "s", FM_TYPE_STRING, "pg_catalog.btrim(%1, %2)"},
	{"LTRIM", 1, 1, "s", FM_TYPE_STRING, "pg_catalog.ltrim(%1, " WHITE_SPACE ")"},
	{"LTRIM", 2, 2, "s", FM_TYPE_STRING, "pg_catalog.ltrim(%1, %2)"},
	{"RTRIM", 1, 1, "s", FM_TYPE_STRING, "pg_catalog.rtrim(%1, " WHITE_SPACE ")"},
	{"RTRIM", 2, 2, "s", FM_TYPE_STRING, "pg_catalog.rtrim(%1, %2)"},
	{"CONCAT", 1, -1, "s", FM_TYPE_STRING, "(%|)"},
	{"REPLACE", 3, 3, "s", FM_TYPE_STRING, "pg_catalog.replace(%1, %2, %3)"},
	{"STRPOS", 2, 2, "s", FM_TYPE_INT64, "pg_catalog.strpos(%1, %2)"},
	{"STARTS_WITH", 2, 2, "s", FM_TYPE_BOOL, "pg_catalog.starts_with(%1, %2)"},
	{"ENDS_WITH", 2, 2, "s", FM_TYPE_BOOL,
	 "(pg_catalog.right(%1, pg_catalog.char_length(%2)) OPERATOR(pg_catalog.=) %2)"},
	{"SUBSTR", 2, 2, "si", FM_TYPE_STRING, "pg_catalog.substr(%1, %@::pg_catalog.int4)"},
	{"SUBSTR", 3, 3, "si", FM_TYPE_STRING, "pg_catalog.substr(%1, %@::pg_catalog.int4, %3::pg_catalog.int4)"},
	{"SUBSTRING", 2, 2, "si", FM_TYPE_STRING, "pg_catalog.substr(%1, %@::pg_catalog.int4)"},
	{"SUBSTRING", 3, 3, "si", FM_TYPE_STRING, "pg_catalog.substr(%1, %@::pg_catalog.int4, %3::pg_catalog.int4)"},
	{"COALESCE", 1, -1, "a", FM_TYPE_NULL, "COALESCE(%,)"},
	{"IFNULL", 2, 2, "a", FM_TYPE_NULL, "COALESCE(%1, %2)"},
	{"NULLIF", 2, 2, "a", FM_TYPE_NULL, "CASE WHEN %1 OPERATOR(pg_catalog.=) %2 THEN NULL ELSE %1 END"},
	{"IF", 3, 3, "ba", FM_TYPE_NULL, "CASE WHEN %1 THEN %2 ELSE %3 END"}};

/* ZetaSQL's reserved words: no names, unless in backquotes */
static const char *const reserved[] = {
	"ALL",		"AND",		"ANY",	  "ARRAY",	   "AS",	  "ASC",	   "ASSERT_ROWS_MODIFIED", "AT",	"BETWEEN",
	"BY",		"CASE",		"CAST",	  "COLLATE",   "CREATE",  "CROSS",	   "CUBE",	  "CURRENT",   "DEFAULT", "DEFINE",
	"DESC",		"DISTINCT", "ELSE",	  "END",	   "ENUM",	  "ESCAPE",	   "EXCEPT",  "EXCLUDE",   "EXISTS",  "EXTRACT",
	"FALSE",	"FETCH",	"FOLLOWING", "FOR",	   "FROM",	  "FULL",	   "GROUP",	  "GROUPING",  "GROUPS",  "HASH",
	"HAVING",	"IF",		"IGNORE", "IN",		   "INNER",	  "INTERSECT", "INTERVAL", "INTO",	   "IS",	  "JOIN",
	"LATERAL",	"LEFT",		"LIKE",	  "LIMIT",	   "LOOKUP",  "MERGE",	   "NATURAL", "NEW",	   "NO",	  "NOT",
	"NULL",		"NULLS",	"OF",	  "ON",		   "OR",	  "ORDER",	   "OUTER",	  "OVER",	   "PARTITION", "PRECEDING",
	"PROTO",	"RANGE",	"RECURSIVE", "RESPECT", "RIGHT",   "ROLLUP",	   "ROWS",	  "SELECT",	   "SET",	  "SOME",
	"STRUCT",	"TABLESAMPLE", "THEN", "TO",		   "TREAT",	  "TRUE",	   "UNBOUNDED", "UNION",	   "UNNEST",  "USING",
	"WHEN",		"WHERE",	"WINDOW", "WITH",	   "WITHIN"};

typedef struct FmParser
{
	FmLexer lexer;
	FmToken token; /* the current one */
	FmFilter *filter;
	FmError *error;
	int depth;
} FmParser;

static FmExpr *ParseOr(FmParser *parser);

/*
 * Fills in the error; returns NULL, so that a function that gives a node can return it
 */
static FmExpr *FailAt(FmParser *parser, int position, int sqlstate, const char *message, ...) pg_attribute_printf(4, 5);

static FmExpr *
FailAt(FmParser *parser, int position, int sqlstate, const char *message, ...)
{
	char buffer[512];
	va_list args;

	va_start(args, message);
	vsnprintf(buffer, sizeof(buffer), message, args);
	va_end(args);
	fm_filter_fail(parser->error, parser->lexer.input, parser->lexer.size, position, sqlstate, "%s", buffer);
	return NULL;
}

const char *
fm_node_kind_name(FmNodeKind kind)
{
	return kind == FM_ARTIFACT ? "artifact" : kind == FM_EXECUTION ? "execution" : "context";
}

static const char *
TypeName(FmFilterType type)
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

static bool
IsNumber(FmFilterType type)
{
	return type == FM_TYPE_INT64 || type == FM_TYPE_UINT64 || type == FM_TYPE_DOUBLE;
}

/* ---- tokens ---- */

static bool
Advance(FmParser *parser)
{
	return fm_filter_next_token(&parser->lexer, &parser->token);
}

static bool
IsSymbol(const FmParser *parser, const char *symbol)
{
	return parser->token.kind == FM_TOKEN_SYMBOL && strcmp(parser->token.text, symbol) == 0;
}

static bool
IsKeyword(const FmParser *parser, const char *keyword)
{
	return parser->token.kind == FM_TOKEN_IDENT && !parser->token.quoted &&
		   pg_strcasecmp(parser->token.text, keyword) == 0;
}

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

/*
 * Complains about the current token
 */
static FmExpr *
Unexpected(FmParser *parser, const char *expected)
{
	const FmToken *token = &parser->token;

	if (token->kind == FM_TOKEN_END)
		return FailAt(parser, token->position, ERRCODE_SYNTAX_ERROR, "%s%sunexpected end", expected ? expected : "",
					   expected ? " expected, but " : "");
	if (expected)
		return FailAt(parser, token->position, ERRCODE_SYNTAX_ERROR, "%s expected", expected);
	return FailAt(parser, token->position, ERRCODE_SYNTAX_ERROR, "syntax error");
}

static bool
Expect(FmParser *parser, const char *symbol)
{
	if (!IsSymbol(parser, symbol))
	{
		char quoted[8];

		snprintf(quoted, sizeof(quoted), "\"%s\"", symbol);
		Unexpected(parser, quoted);
		return false;
	}
	return Advance(parser);
}

static bool
ExpectKeyword(FmParser *parser, const char *keyword)
{
	if (!IsKeyword(parser, keyword))
	{
		Unexpected(parser, keyword);
		return false;
	}
	return Advance(parser);
}

/* ---- nodes ---- */

static FmExpr *
NewExpr(FmExprKind kind, FmFilterType type, int position)
{
	FmExpr *expr = palloc0(sizeof(FmExpr));

	expr->kind = kind;
	expr->type = type;
	expr->position = position;
	expr->depth = 1;
	expr->alias = -1;
	return expr;
}

/*
 * Adds an argument; false when the tree gets too deep. The array doubles at powers of two.
 */
static bool
AddArg(FmParser *parser, FmExpr *expr, FmExpr *arg)
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
		FailAt(parser, expr->position, ERRCODE_STATEMENT_TOO_COMPLEX, "expression is nested too deeply");
		return false;
	}
	return true;
}

static FmExpr *
NewExpr1(FmParser *parser, FmExprKind kind, FmFilterType type, int position, FmExpr *a)
{
	FmExpr *expr = NewExpr(kind, type, position);

	return AddArg(parser, expr, a) ? expr : NULL;
}

static FmExpr *
NewExpr2(FmParser *parser, FmExprKind kind, FmFilterType type, int position, FmExpr *a, FmExpr *b)
{
	FmExpr *expr = NewExpr(kind, type, position);

	return AddArg(parser, expr, a) && AddArg(parser, expr, b) ? expr : NULL;
}

static FmExpr *
NewInt(int64 value, int position)
{
	FmExpr *expr = NewExpr(FM_EXPR_LITERAL, FM_TYPE_INT64, position);

	expr->value.type = FM_TYPE_INT64;
	expr->value.int_value = value;
	return expr;
}

/*
 * The type that both can take, or false
 */
static bool
CommonType(FmFilterType a, FmFilterType b, FmFilterType *common)
{
	if (a == b || b == FM_TYPE_NULL)
		*common = a;
	else if (a == FM_TYPE_NULL)
		*common = b;
	else if (!IsNumber(a) || !IsNumber(b))
		return false;
	else
		*common = a == FM_TYPE_DOUBLE || b == FM_TYPE_DOUBLE ? FM_TYPE_DOUBLE : FM_TYPE_UINT64;
	return true;
}

static FmExpr *
Mismatch(FmParser *parser, int position, const char *what, FmFilterType a, FmFilterType b)
{
	FailAt(parser, position, ERRCODE_DATATYPE_MISMATCH, "%s does not take %s and %s", what, TypeName(a), TypeName(b));
	if (a == FM_TYPE_STRING || b == FM_TYPE_STRING)
		fm_fail_hint(parser->error, "Quotes make a string: numbers, true, false and the names of states and event types stand without.");
	return NULL;
}

/* ---- names ---- */

static FmExpr *
UnknownName(FmParser *parser, const FmToken *token)
{
	FailAt(parser, token->position, ERRCODE_UNDEFINED_COLUMN, "unrecognized name \"%s\"", token->text);
	fm_fail_hint(parser->error, "%s",
				 parser->filter->kind == FM_ARTIFACT
					 ? "Filters for artifacts know id, type_id, type, name, uri, state, external_id, create_time_since_epoch, "
					   "last_update_time_since_epoch, properties.NAME.FIELD, custom_properties.NAME.FIELD, contexts_ALIAS.FIELD "
					   "and events_ALIAS.FIELD."
				 : parser->filter->kind == FM_EXECUTION
					 ? "Filters for executions know id, type_id, type, name, last_known_state, external_id, "
					   "create_time_since_epoch, last_update_time_since_epoch, properties.NAME.FIELD, "
					   "custom_properties.NAME.FIELD, contexts_ALIAS.FIELD and events_ALIAS.FIELD."
					 : "Filters for contexts know id, type_id, type, name, external_id, create_time_since_epoch, "
					   "last_update_time_since_epoch, properties.NAME.FIELD, custom_properties.NAME.FIELD, "
					   "artifacts_ALIAS.FIELD, executions_ALIAS.FIELD, parent_contexts_ALIAS.FIELD and "
					   "child_contexts_ALIAS.FIELD.");
	return NULL;
}

/*
 * Index of the alias, made if it is new; -1 when there are too many
 */
static int
FindAlias(FmParser *parser, FmAliasKind kind, const char *name, bool custom, int position)
{
	FmFilter *filter = parser->filter;
	FmAlias *alias;

	for (int i = 0; i < filter->n_aliases; i++)
	{
		alias = &filter->aliases[i];
		if (alias->kind != kind || alias->custom != custom)
			continue;
		if (strcmp(alias->name, name) == 0)
			return i;
		if (kind != FM_ALIAS_PROPERTY && pg_strcasecmp(alias->name, name) == 0)
		{
			FailAt(parser, position, ERRCODE_DUPLICATE_ALIAS, "names \"%s\" and \"%s\" differ in case only", alias->name,
					name);
			return -1;
		}
	}
	if (filter->n_aliases == FM_MAX_FILTER_ALIASES)
	{
		FailAt(parser, position, ERRCODE_STATEMENT_TOO_COMPLEX, "more than %d properties, contexts, events and the like",
				FM_MAX_FILTER_ALIASES);
		return -1;
	}
	alias = &filter->aliases[filter->n_aliases];
	memset(alias, 0, sizeof(*alias));
	alias->kind = kind;
	alias->name = pstrdup(name);
	alias->custom = custom;
	return filter->n_aliases++;
}

static FmExpr *
NewColumn(FmParser *parser, int alias, const char *column, FmFilterType type, int position)
{
	FmExpr *expr = NewExpr(FM_EXPR_COLUMN, type, position);

	expr->alias = alias;
	expr->column = column;
	return expr;
}

static FmExpr *
NoSuchField(FmParser *parser, const FmToken *alias, const char *hint)
{
	FailAt(parser, parser->token.position, ERRCODE_UNDEFINED_COLUMN, "\"%s\" has no such field", alias->text);
	if (hint)
		fm_fail_hint(parser->error, "%s", hint);
	return NULL;
}

/*
 * ALIAS.FIELD; the current token is the dot
 */
static FmExpr *
ParseNeighbour(FmParser *parser, const FmToken *name, int prefix)
{
	FmAliasKind kind = prefixes[prefix].kind;
	const char *column = NULL;
	FmFilterType type = FM_TYPE_INT64;
	const FmEnum *enumeration = NULL;
	FmExpr *expr;
	int alias;

	if (!Advance(parser))
		return NULL;
	if (parser->token.kind != FM_TOKEN_IDENT)
		return parser->token.kind == FM_TOKEN_PROPERTY ? NoSuchField(parser, name, NULL) : Unexpected(parser, "name of a field");
	if (kind == FM_ALIAS_EVENT)
	{
		const char *other = parser->filter->kind == FM_ARTIFACT ? "execution_id" : "artifact_id";

		if (pg_strcasecmp(parser->token.text, "type") == 0)
		{
			column = "type";
			enumeration = &event_type;
		}
		else if (pg_strcasecmp(parser->token.text, "milliseconds_since_epoch") == 0)
			column = "milliseconds_since_epoch";
		else if (pg_strcasecmp(parser->token.text, other) == 0)
			column = other;
		else
			return NoSuchField(parser, name,
							   parser->filter->kind == FM_ARTIFACT
								   ? "Events of an artifact have type, execution_id and milliseconds_since_epoch."
								   : "Events of an execution have type, artifact_id and milliseconds_since_epoch.");
	}
	else
	{
		for (size_t i = 0; i < lengthof(attributes); i++)
		{
			if (pg_strcasecmp(parser->token.text, attributes[i].name) == 0 &&
				attributes[i].on_neighbour & (1 << prefixes[prefix].neighbour))
			{
				column = attributes[i].name;
				type = attributes[i].type;
				enumeration = attributes[i].enumeration;
			}
		}
		if (column == NULL)
			return NoSuchField(parser, name,
							   prefixes[prefix].neighbour == FM_ARTIFACT
								   ? "Artifacts have id, name, type, uri, state, external_id, create_time_since_epoch and "
									 "last_update_time_since_epoch."
							   : prefixes[prefix].neighbour == FM_EXECUTION
								   ? "Executions have id, name, type, last_known_state, external_id, create_time_since_epoch "
									 "and last_update_time_since_epoch."
								   : "Contexts have id, name, type, create_time_since_epoch and last_update_time_since_epoch.");
	}
	alias = FindAlias(parser, kind, name->text, false, name->position);
	if (alias < 0)
		return NULL;
	if (kind != FM_ALIAS_EVENT && strcmp(column, "id") != 0)
	{
		if (strcmp(column, "type") == 0)
			parser->filter->aliases[alias].needs_type = true;
		parser->filter->aliases[alias].needs_node = true;
	}
	expr = NewColumn(parser, alias, column, type, name->position);
	/* only in this spelling does the client look for names of enums */
	if (enumeration != NULL && !parser->token.quoted && strcmp(parser->token.text, column) == 0)
		expr->enumeration = enumeration;
	return Advance(parser) ? expr : NULL;
}

/*
 * A name: attribute of the node, or ALIAS.FIELD. It is the token given; the current token is the next one.
 */
static FmExpr *
ParseName(FmParser *parser, const FmToken *name)
{
	if (!name->quoted)
	{
		for (size_t i = 0; i < lengthof(prefixes); i++)
		{
			int length = strlen(prefixes[i].prefix);

			if (strncmp(name->text, prefixes[i].prefix, length) == 0 && name->text[length] != '\0' &&
				prefixes[i].on & (1 << parser->filter->kind) && IsSymbol(parser, ".") &&
				parser->token.position == name->end)
				return ParseNeighbour(parser, name, i);
		}
	}
	for (size_t i = 0; i < lengthof(attributes); i++)
	{
		FmExpr *expr;
		int alias = -1;

		if (pg_strcasecmp(name->text, attributes[i].name) != 0 || !(attributes[i].on & (1 << parser->filter->kind)))
			continue;
		if (strcmp(attributes[i].name, "type") == 0 &&
			(alias = FindAlias(parser, FM_ALIAS_TYPE, "type", false, name->position)) < 0)
			return NULL;
		expr = NewColumn(parser, alias, alias < 0 ? attributes[i].name : "name", attributes[i].type, name->position);
		if (!name->quoted && strcmp(name->text, attributes[i].name) == 0)
			expr->enumeration = attributes[i].enumeration;
		return expr;
	}
	return UnknownName(parser, name);
}

static FmExpr *
ParseProperty(FmParser *parser)
{
	FmToken token = parser->token;
	FmFilterType type = token.field[0] == 'i'	? FM_TYPE_INT64
						: token.field[0] == 'd' ? FM_TYPE_DOUBLE
						: token.field[0] == 's' ? FM_TYPE_STRING
												: FM_TYPE_BOOL;
	int alias = FindAlias(parser, FM_ALIAS_PROPERTY, token.text, token.custom, token.position);

	if (alias < 0 || !Advance(parser))
		return NULL;
	return NewColumn(parser, alias, token.field, type, token.position);
}

/* ---- functions, CASE, CAST ---- */

/*
 * Checks the arguments from..to against one another; the common type goes to *type
 */
static bool
CheckAlike(FmParser *parser, FmExpr *expr, int from, int step, const char *what, FmFilterType *type)
{
	for (int i = from; i < expr->n_args; i += step)
	{
		FmFilterType common;

		if (!CommonType(*type, expr->args[i]->type, &common))
		{
			Mismatch(parser, expr->args[i]->position, what, *type, expr->args[i]->type);
			return false;
		}
		*type = common;
	}
	return true;
}

/*
 * NAME ( args ); the current token is the parenthesis
 */
static FmExpr *
ParseFunction(FmParser *parser, const FmToken *name)
{
	FmExpr *expr = NewExpr(FM_EXPR_FUNCTION, FM_TYPE_NULL, name->position);
	const FmFilterFunction *function = NULL;
	bool known = false;
	FmFilterType alike = FM_TYPE_NULL;

	for (size_t i = 0; i < lengthof(functions); i++)
		if (pg_strcasecmp(name->text, functions[i].name) == 0)
			known = true;
	if (!known)
	{
		FailAt(parser, name->position, ERRCODE_UNDEFINED_FUNCTION, "there is no function \"%s\"", name->text);
		fm_fail_hint(parser->error, "Filters know the functions ABS, MOD, DIV, ROUND, TRUNC, FLOOR, CEIL, SQRT, EXP, LN, LOG10, POW, "
									"GREATEST, LEAST, LENGTH, BYTE_LENGTH, LOWER, UPPER, REVERSE, TRIM, LTRIM, RTRIM, CONCAT, REPLACE, "
									"STRPOS, STARTS_WITH, ENDS_WITH, SUBSTR, COALESCE, IFNULL, NULLIF and IF.");
		return NULL;
	}
	if (!Advance(parser))
		return NULL;
	while (!IsSymbol(parser, ")"))
	{
		FmExpr *arg = ParseOr(parser);

		if (arg == NULL || !AddArg(parser, expr, arg))
			return NULL;
		if (IsSymbol(parser, ")"))
			break;
		if (!IsSymbol(parser, ","))
			return Unexpected(parser, "\",\" or \")\"");
		if (!Advance(parser))
			return NULL;
		if (IsSymbol(parser, ")"))
			return Unexpected(parser, "an argument");
	}
	if (!Advance(parser))
		return NULL;
	for (size_t i = 0; i < lengthof(functions) && function == NULL; i++)
		if (pg_strcasecmp(name->text, functions[i].name) == 0 && expr->n_args >= functions[i].min_args &&
			(functions[i].max_args < 0 || expr->n_args <= functions[i].max_args))
			function = &functions[i];
	if (function == NULL)
		return FailAt(parser, name->position, ERRCODE_UNDEFINED_FUNCTION, "function \"%s\" does not take %d arguments",
					   name->text, expr->n_args);
	expr->function = function;
	for (int i = 0; i < expr->n_args; i++)
	{
		char letter = function->args[Min(i, (int) strlen(function->args) - 1)];
		FmFilterType type = expr->args[i]->type;
		FmFilterType common;
		bool fits = type == FM_TYPE_NULL;

		switch (letter)
		{
			case 's':
				fits |= type == FM_TYPE_STRING;
				break;
			case 'b':
				fits |= type == FM_TYPE_BOOL;
				break;
			case 'i':
				fits |= type == FM_TYPE_INT64;
				break;
			case 'd':
				fits |= IsNumber(type);
				break;
			case 'n':
				fits |= IsNumber(type);
				alike = type;
				break;
			default:
				fits = CommonType(alike, type, &common);
				if (fits)
					alike = common;
		}
		if (!fits)
			return FailAt(parser, expr->args[i]->position, ERRCODE_DATATYPE_MISMATCH,
						   "argument %d of function \"%s\" cannot be %s", i + 1, function->name, TypeName(type));
	}
	expr->type = function->type == FM_TYPE_NULL ? alike : function->type;
	return expr;
}

/*
 * CASE [expr] WHEN .. THEN .. [ELSE ..] END; a simple CASE becomes a searched one
 */
static FmExpr *
ParseCase(FmParser *parser)
{
	FmExpr *expr = NewExpr(FM_EXPR_CASE, FM_TYPE_NULL, parser->token.position);
	FmExpr *subject = NULL;
	FmExpr *otherwise;

	if (!Advance(parser) || (!IsKeyword(parser, "WHEN") && (subject = ParseOr(parser)) == NULL))
		return NULL;
	do
	{
		FmExpr *when;
		FmExpr *then;

		if (!ExpectKeyword(parser, "WHEN") || (when = ParseOr(parser)) == NULL || !ExpectKeyword(parser, "THEN") ||
			(then = ParseOr(parser)) == NULL)
			return NULL;
		if (subject != NULL)
		{
			FmFilterType common;

			if (!CommonType(subject->type, when->type, &common))
				return Mismatch(parser, when->position, "CASE", subject->type, when->type);
			when = NewExpr2(parser, FM_EXPR_COMPARE, FM_TYPE_BOOL, when->position, subject, when);
			if (when == NULL)
				return NULL;
			when->op = "=";
		}
		else if (when->type != FM_TYPE_BOOL && when->type != FM_TYPE_NULL)
			return FailAt(parser, when->position, ERRCODE_DATATYPE_MISMATCH, "WHEN takes BOOL, not %s", TypeName(when->type));
		if (!AddArg(parser, expr, when) || !AddArg(parser, expr, then))
			return NULL;
	} while (IsKeyword(parser, "WHEN"));
	if (IsKeyword(parser, "ELSE"))
	{
		if (!Advance(parser) || (otherwise = ParseOr(parser)) == NULL)
			return NULL;
	}
	else
		otherwise = NewExpr(FM_EXPR_LITERAL, FM_TYPE_NULL, parser->token.position);
	if (!ExpectKeyword(parser, "END") || !AddArg(parser, expr, otherwise))
		return NULL;
	if (!CheckAlike(parser, expr, 1, 2, "CASE", &expr->type) ||
		!CheckAlike(parser, expr, expr->n_args - 1, 1, "CASE", &expr->type))
		return NULL;
	return expr;
}

static FmExpr *
ParseCast(FmParser *parser)
{
	static const struct
	{
		const char *name;
		FmFilterType type;
	} types[] = {{"INT64", FM_TYPE_INT64},	 {"FLOAT64", FM_TYPE_DOUBLE}, {"DOUBLE", FM_TYPE_DOUBLE},
				 {"STRING", FM_TYPE_STRING}, {"BOOL", FM_TYPE_BOOL},	  {"BOOLEAN", FM_TYPE_BOOL}};
	int position = parser->token.position;
	FmExpr *arg;

	if (!Advance(parser) || !Expect(parser, "(") || (arg = ParseOr(parser)) == NULL || !ExpectKeyword(parser, "AS"))
		return NULL;
	for (size_t i = 0; i < lengthof(types); i++)
	{
		if (IsKeyword(parser, types[i].name))
		{
			FmExpr *expr = NewExpr1(parser, FM_EXPR_CAST, types[i].type, position, arg);

			if ((types[i].type == FM_TYPE_BOOL && arg->type == FM_TYPE_DOUBLE) ||
				(types[i].type == FM_TYPE_DOUBLE && arg->type == FM_TYPE_BOOL))
				return FailAt(parser, position, ERRCODE_CANNOT_COERCE, "cannot cast %s to %s", TypeName(arg->type),
							   types[i].name);
			return expr != NULL && Advance(parser) && Expect(parser, ")") ? expr : NULL;
		}
	}
	return FailAt(parser, parser->token.position, ERRCODE_UNDEFINED_OBJECT, "CAST knows INT64, FLOAT64, STRING and BOOL");
}

/* ---- expressions ---- */

static FmExpr *
ParseLiteral(FmParser *parser)
{
	FmToken *token = &parser->token;
	FmExpr *expr = NewExpr(FM_EXPR_LITERAL, FM_TYPE_NULL, token->position);

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
			return FailAt(parser, token->position, ERRCODE_DATATYPE_MISMATCH, "there is nothing to compare BYTES with");
		default:
			if (!IsKeyword(parser, "NULL"))
			{
				expr->type = FM_TYPE_BOOL;
				expr->value.bool_value = IsKeyword(parser, "TRUE");
			}
	}
	expr->value.type = expr->type;
	return Advance(parser) ? expr : NULL;
}

static FmExpr *
ParsePrimary(FmParser *parser)
{
	FmToken token = parser->token;
	FmExpr *expr;

	if (token.kind == FM_TOKEN_END)
		return Unexpected(parser, NULL);
	if (token.kind == FM_TOKEN_PROPERTY)
		expr = ParseProperty(parser);
	else if (token.kind == FM_TOKEN_INT || token.kind == FM_TOKEN_FLOAT || token.kind == FM_TOKEN_STRING ||
			 token.kind == FM_TOKEN_BYTES || IsKeyword(parser, "TRUE") || IsKeyword(parser, "FALSE") || IsKeyword(parser, "NULL"))
		expr = ParseLiteral(parser);
	else if (IsSymbol(parser, "("))
	{
		if (!Advance(parser))
			return NULL;
		expr = ParseOr(parser);
		if (expr == NULL || !Expect(parser, ")"))
			return NULL;
		/* in parentheses a column is an expression like any other */
		if (expr->kind == FM_EXPR_COLUMN)
			expr->enumeration = NULL;
	}
	else if (IsKeyword(parser, "CASE"))
		expr = ParseCase(parser);
	else if (IsKeyword(parser, "CAST"))
		expr = ParseCast(parser);
	else if (token.kind == FM_TOKEN_IDENT && (!IsReserved(&token) || IsKeyword(parser, "IF")))
	{
		if (!Advance(parser))
			return NULL;
		if (IsSymbol(parser, "(") && !token.quoted)
			expr = ParseFunction(parser, &token);
		else if (IsReserved(&token))
			return Unexpected(parser, "\"(\"");
		else
			expr = ParseName(parser, &token);
	}
	else
		return Unexpected(parser, NULL);
	if (expr == NULL)
		return NULL;
	if (IsSymbol(parser, "."))
		return FailAt(parser, parser->token.position, ERRCODE_SYNTAX_ERROR, "%s has no fields", TypeName(expr->type));
	return expr;
}

static FmExpr *
ParseUnary(FmParser *parser)
{
	int position = parser->token.position;
	char op = IsSymbol(parser, "-") ? '-' : IsSymbol(parser, "+") ? '+' : IsSymbol(parser, "~") ? '~' : '\0';
	FmExpr *arg;

	if (op == '\0')
		return ParsePrimary(parser);
	if (++parser->depth > FM_MAX_FILTER_DEPTH)
		return FailAt(parser, position, ERRCODE_STATEMENT_TOO_COMPLEX, "expression is nested too deeply");
	if (!Advance(parser))
		return NULL;
	/* -9223372036854775808 is an INT64, though 9223372036854775808 is none */
	if (op == '-' && parser->token.kind == FM_TOKEN_INT && parser->token.int_value == (uint64) PG_INT64_MAX + 1)
	{
		parser->depth--;
		return Advance(parser) ? NewInt(PG_INT64_MIN, position) : NULL;
	}
	arg = ParseUnary(parser);
	parser->depth--;
	if (arg == NULL)
		return NULL;
	if (arg->type == FM_TYPE_NULL)
		return FailAt(parser, arg->position, ERRCODE_DATATYPE_MISMATCH, "the operand of \"%c\" cannot be the literal NULL", op);
	if (arg->type != FM_TYPE_INT64 && (op == '~' || arg->type != FM_TYPE_DOUBLE))
		return FailAt(parser, position, ERRCODE_DATATYPE_MISMATCH, "operator \"%c\" does not take %s", op, TypeName(arg->type));
	if (op == '-' && arg->kind == FM_EXPR_LITERAL)
	{
		arg->value.int_value = -arg->value.int_value;
		arg->value.double_value = -arg->value.double_value;
		return arg;
	}
	if (arg->kind == FM_EXPR_COLUMN)
		arg->enumeration = NULL;
	return op == '+' ? arg : NewExpr1(parser, op == '-' ? FM_EXPR_NEGATE : FM_EXPR_COMPLEMENT, arg->type, position, arg);
}

/* Binary operators by level, tightest last; as in SQL except where sql says */
static const struct
{
	int level;
	const char *symbol;
	const char *sql;
	char takes; /* i: INT64, n: numbers, d: numbers, gives DOUBLE, s: strings */
} binary[] = {{0, "|", "|", 'i'},	{1, "^", "#", 'i'}, {2, "&", "&", 'i'}, {3, "<<", "<<", 'i'}, {3, ">>", ">>", 'i'},
			  {4, "+", "+", 'n'},	{4, "-", "-", 'n'}, {5, "*", "*", 'n'}, {5, "/", "/", 'd'},	  {5, "||", "||", 's'}};
#define TIGHTEST_LEVEL 5

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
			if (binary[i].level == level && IsSymbol(parser, binary[i].symbol))
				op = i;
		if (op < 0)
			return left;
		if (!Advance(parser))
			return NULL;
		right = level == TIGHTEST_LEVEL ? ParseUnary(parser) : ParseBinary(parser, level + 1);
		if (right == NULL)
			return NULL;
		if (left->type == FM_TYPE_NULL || right->type == FM_TYPE_NULL)
			return FailAt(parser, position, ERRCODE_DATATYPE_MISMATCH, "the operands of \"%s\" cannot be the literal NULL",
						   binary[op].symbol);
		if (binary[op].takes == 's')
			fits = (type = left->type) == FM_TYPE_STRING && right->type == FM_TYPE_STRING;
		else if (binary[op].takes == 'i')
			fits = (type = left->type) == FM_TYPE_INT64 && right->type == FM_TYPE_INT64;
		else
			fits = CommonType(left->type, right->type, &type) && (type == FM_TYPE_INT64 || type == FM_TYPE_DOUBLE);
		if (!fits)
		{
			char what[32];

			snprintf(what, sizeof(what), "operator \"%s\"", binary[op].symbol);
			return Mismatch(parser, position, what, left->type, right->type);
		}
		if (binary[op].takes == 'd')
			type = FM_TYPE_DOUBLE;
		left = NewExpr2(parser, FM_EXPR_ARITHMETIC, type, position, left, right);
		if (left != NULL)
			left->op = binary[op].sql;
	}
	return NULL;
}

/*
 * The name of a value of an enum, which is the current token
 */
static FmExpr *
ParseEnumName(FmParser *parser, const FmEnum *enumeration)
{
	StringInfoData names;
	int position = parser->token.position;

	if (parser->token.kind == FM_TOKEN_IDENT && !parser->token.quoted)
		for (int i = 0; i < enumeration->n_names; i++)
			if (enumeration->names[i] != NULL && strcmp(parser->token.text, enumeration->names[i]) == 0)
				return Advance(parser) ? NewInt(i, position) : NULL;
	FailAt(parser, position, ERRCODE_INVALID_PARAMETER_VALUE, "\"%s\" is no %s", parser->token.text, enumeration->of);
	initStringInfo(&names);
	for (int i = 0; i < enumeration->n_names; i++)
		if (enumeration->names[i] != NULL)
			appendStringInfo(&names, "%s%s", names.len == 0 ? "" : i == enumeration->n_names - 1 ? " or " : ", ",
							 enumeration->names[i]);
	fm_fail_hint(parser->error, "Write %s.", names.data);
	return NULL;
}

/*
 * [NOT] IN ( .. ); the current token is what follows IN
 */
static FmExpr *
ParseIn(FmParser *parser, FmExpr *left, bool negated, int position)
{
	FmExpr *expr = NewExpr1(parser, FM_EXPR_IN, FM_TYPE_BOOL, position, left);
	const FmEnum *enumeration = left->kind == FM_EXPR_COLUMN ? left->enumeration : NULL;
	bool names = false;
	FmFilterType type = left->type;

	if (expr == NULL || !Expect(parser, "("))
		return NULL;
	expr->negated = negated;
	if (IsKeyword(parser, "SELECT"))
		return FailAt(parser, parser->token.position, ERRCODE_FEATURE_NOT_SUPPORTED, "a filter cannot have subqueries");
	for (;;)
	{
		FmExpr *arg;

		if (enumeration != NULL && (parser->token.kind == FM_TOKEN_IDENT || (parser->token.kind == FM_TOKEN_INT && expr->n_args > 1)))
		{
			arg = ParseEnumName(parser, enumeration);
			names = true;
		}
		else
			arg = ParseOr(parser);
		if (arg == NULL || !AddArg(parser, expr, arg))
			return NULL;
		if (IsSymbol(parser, ")"))
			break;
		if (!IsSymbol(parser, ","))
			return Unexpected(parser, "\",\" or \")\"");
		if (!Advance(parser))
			return NULL;
	}
	if (!CheckAlike(parser, expr, 1, 1, "IN", &type))
		return NULL;
	expr->or_null = negated && names;
	return Advance(parser) ? expr : NULL;
}

static FmExpr *
ParseIs(FmParser *parser, FmExpr *left, int position)
{
	FmExpr *expr = NewExpr1(parser, FM_EXPR_IS, FM_TYPE_BOOL, position, left);

	if (expr == NULL)
		return NULL;
	if (IsKeyword(parser, "NOT"))
	{
		expr->negated = true;
		if (!Advance(parser))
			return NULL;
	}
	expr->op = IsKeyword(parser, "NULL")	  ? "NULL"
			   : IsKeyword(parser, "TRUE")	  ? "TRUE"
			   : IsKeyword(parser, "FALSE")	  ? "FALSE"
			   : IsKeyword(parser, "UNKNOWN") ? "UNKNOWN"
											  : NULL;
	if (expr->op == NULL)
		return Unexpected(parser, "NULL, TRUE, FALSE or UNKNOWN");
	if (strcmp(expr->op, "NULL") != 0 && left->type != FM_TYPE_BOOL && left->type != FM_TYPE_NULL)
		return FailAt(parser, position, ERRCODE_DATATYPE_MISMATCH, "IS %s takes BOOL, not %s", expr->op,
					   TypeName(left->type));
	return Advance(parser) ? expr : NULL;
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
		if (IsSymbol(parser, comparisons[i].symbol))
			return true;
	return IsKeyword(parser, "IS") || IsKeyword(parser, "IN") || IsKeyword(parser, "LIKE") || IsKeyword(parser, "BETWEEN") ||
		   IsKeyword(parser, "NOT");
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

		if (!IsSymbol(parser, comparisons[i].symbol))
			continue;
		if (!Advance(parser))
			return NULL;
		/* the client looks for names after = and != only */
		if (enumeration != NULL && (i == 0 || bang) &&
			(parser->token.kind == FM_TOKEN_IDENT || parser->token.kind == FM_TOKEN_INT))
			right = ParseEnumName(parser, enumeration);
		else
		{
			enumeration = NULL;
			right = ParseBinary(parser, 0);
		}
		if (right == NULL)
			return NULL;
		if (left->type == FM_TYPE_NULL || right->type == FM_TYPE_NULL)
		{
			FailAt(parser, position, ERRCODE_DATATYPE_MISMATCH, "the operands of \"%s\" cannot be the literal NULL",
					comparisons[i].symbol);
			fm_fail_hint(parser->error, "Write IS NULL or IS NOT NULL.");
			return NULL;
		}
		if (!CommonType(left->type, right->type, &common))
		{
			char what[32];

			snprintf(what, sizeof(what), "operator \"%s\"", comparisons[i].symbol);
			return Mismatch(parser, position, what, left->type, right->type);
		}
		expr = NewExpr2(parser, FM_EXPR_COMPARE, FM_TYPE_BOOL, position, left, right);
		if (expr != NULL)
		{
			expr->op = comparisons[i].sql;
			expr->or_null = enumeration != NULL && bang;
		}
		return expr;
	}
	if (IsKeyword(parser, "IS"))
		return Advance(parser) ? ParseIs(parser, left, position) : NULL;
	if (IsKeyword(parser, "NOT"))
	{
		negated = true;
		if (!Advance(parser))
			return NULL;
	}
	if (IsKeyword(parser, "IN"))
		return Advance(parser) ? ParseIn(parser, left, negated, position) : NULL;
	if (IsKeyword(parser, "LIKE"))
	{
		if (!Advance(parser) || (right = ParseBinary(parser, 0)) == NULL)
			return NULL;
		if (left->type != FM_TYPE_STRING || right->type != FM_TYPE_STRING)
			return Mismatch(parser, position, "LIKE", left->type, right->type);
		expr = NewExpr2(parser, FM_EXPR_LIKE, FM_TYPE_BOOL, position, left, right);
	}
	else if (IsKeyword(parser, "BETWEEN"))
	{
		FmExpr *high;

		if (!Advance(parser) || (right = ParseBinary(parser, 0)) == NULL || !ExpectKeyword(parser, "AND") ||
			(high = ParseBinary(parser, 0)) == NULL)
			return NULL;
		expr = NewExpr2(parser, FM_EXPR_BETWEEN, FM_TYPE_BOOL, position, left, right);
		common = FM_TYPE_NULL;
		if (expr == NULL || !AddArg(parser, expr, high) || !CheckAlike(parser, expr, 0, 1, "BETWEEN", &common))
			return NULL;
	}
	else
		return Unexpected(parser, "IN, LIKE or BETWEEN");
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
		FailAt(parser, parser->token.position, ERRCODE_SYNTAX_ERROR, "comparisons cannot be chained");
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
		FailAt(parser, expr->position, ERRCODE_DATATYPE_MISMATCH, "%s takes BOOL, not %s", op, TypeName(expr->type));
		return false;
	}
	return true;
}

static FmExpr *
ParseNot(FmParser *parser)
{
	int position = parser->token.position;
	FmExpr *arg;

	if (!IsKeyword(parser, "NOT"))
		return ParseComparison(parser);
	if (++parser->depth > FM_MAX_FILTER_DEPTH)
		return FailAt(parser, position, ERRCODE_STATEMENT_TOO_COMPLEX, "expression is nested too deeply");
	if (!Advance(parser) || (arg = ParseNot(parser)) == NULL)
		return NULL;
	parser->depth--;
	if (arg->type == FM_TYPE_NULL)
		return FailAt(parser, arg->position, ERRCODE_DATATYPE_MISMATCH, "the operand of NOT cannot be the literal NULL");
	return CheckLogical(parser, arg, "NOT") ? NewExpr1(parser, FM_EXPR_NOT, FM_TYPE_BOOL, position, arg) : NULL;
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

	if (first == NULL || !IsKeyword(parser, keyword))
		return first;
	if (!CheckLogical(parser, first, keyword))
		return NULL;
	expr = NewExpr1(parser, is_and ? FM_EXPR_AND : FM_EXPR_OR, FM_TYPE_BOOL, first->position, first);
	while (expr != NULL && IsKeyword(parser, keyword))
	{
		FmExpr *next;

		if (!Advance(parser) || (next = is_and ? ParseNot(parser) : ParseLogical(parser, true)) == NULL ||
			!CheckLogical(parser, next, keyword) || !AddArg(parser, expr, next))
			return NULL;
		CHECK_FOR_INTERRUPTS();
	}
	return expr;
}

static FmExpr *
ParseOr(FmParser *parser)
{
	FmExpr *expr;

	check_stack_depth();
	if (++parser->depth > FM_MAX_FILTER_DEPTH)
		return FailAt(parser, parser->token.position, ERRCODE_STATEMENT_TOO_COMPLEX, "expression is nested too deeply");
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
	if (!Advance(&parser) || (filter->condition = ParseOr(&parser)) == NULL)
		return NULL;
	if (parser.token.kind != FM_TOKEN_END)
	{
		FailAt(&parser, parser.token.position, ERRCODE_SYNTAX_ERROR, "end expected");
		return NULL;
	}
	if (filter->condition->type != FM_TYPE_BOOL)
	{
		FailAt(&parser, 0, ERRCODE_DATATYPE_MISMATCH, "it is not a condition but of type %s",
				TypeName(filter->condition->type));
		return NULL;
	}
	return filter;
}
