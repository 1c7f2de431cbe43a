/*
 * MLMD's filter language (ListOperationOptions.filter_query): a boolean expression over a node's attributes and its
 * direct neighbours, such as
 *     type = 'Model' AND properties.accuracy.double_value > 0.9 AND contexts_run.name LIKE 'nightly%'
 *
 * Text -> tokens (filter_lexer.c) -> typed tree (filter_parser.c, whose rooms filter_parser.h lists) -> one condition in
 * SQL (filter_sql.c) in which every literal is a parameter and every identifier comes from the tables in these files.
 * Nothing of the text is copied.
 *
 * The language is the part of ZetaSQL's expressions that the client lets through to a database, with ZetaSQL's
 * literals, precedence and types. What the client does by rewriting the text (enum names, properties.NAME.FIELD) is
 * grammar here.
 */
#ifndef FM_LINEAGE_FILTER_H
#define FM_LINEAGE_FILTER_H

#include "fm_core.h"

/* Bounds on what a stranger may send */
#define FM_MAX_FILTER_SIZE (1024 * 1024)
#define FM_MAX_FILTER_DEPTH 200
#define FM_MAX_FILTER_ALIASES 64
#define FM_MAX_FILTER_SQL (16 * 1024 * 1024)

/* What a filter selects; the numbers are those of mlmd.type.type_kind */
typedef enum FmNodeKind
{
	FM_EXECUTION = 0,
	FM_ARTIFACT = 1,
	FM_CONTEXT = 2
} FmNodeKind;

extern const char *fm_node_kind_name(FmNodeKind kind);

/* ------------------------------------------------------------------------------------------------ tokens */

typedef enum FmTokenKind
{
	FM_TOKEN_END,
	FM_TOKEN_IDENT,	   /* text; quoted: it was in backquotes */
	FM_TOKEN_PROPERTY, /* properties.NAME.FIELD: text = NAME, field */
	FM_TOKEN_INT,
	FM_TOKEN_FLOAT,
	FM_TOKEN_STRING,
	FM_TOKEN_BYTES,
	FM_TOKEN_SYMBOL /* text: "(", "<=", ... */
} FmTokenKind;

typedef struct FmToken
{
	FmTokenKind kind;
	int position; /* byte offset in the filter */
	int end;
	char *text;
	bool quoted;
	bool custom;	   /* PROPERTY: custom_properties */
	const char *field; /* PROPERTY: int_value, double_value, string_value or bool_value */
	uint64 int_value;
	double double_value;
} FmToken;

typedef struct FmLexer
{
	const char *input;
	int size;
	int offset;
	FmError *error;
} FmLexer;

/* Reads the next token; false when the error was filled in */
extern bool fm_filter_next_token(FmLexer *lexer, FmToken *token);

/* Fills in an error that points at a byte of the filter; returns false */
extern bool fm_filter_fail(FmError *error, const char *input, int size, int position, int sqlstate, const char *message,
						   ...) pg_attribute_printf(6, 7);

/* ------------------------------------------------------------------------------------------------ tree */

typedef enum FmFilterType
{
	FM_TYPE_NULL, /* the literal NULL, of no type yet */
	FM_TYPE_BOOL,
	FM_TYPE_INT64,
	FM_TYPE_UINT64, /* only literals over 2^63 - 1 */
	FM_TYPE_DOUBLE,
	FM_TYPE_STRING
} FmFilterType;

typedef struct FmFilterValue
{
	FmFilterType type;
	bool bool_value;
	int64 int_value;
	uint64 uint_value;
	double double_value;
	char *string_value;
} FmFilterValue;

/* A parameter of the query: one value, or with n_values >= 0 an array of that many */
typedef struct FmFilterParam
{
	FmFilterType type;
	int n_values;
	FmFilterValue *values;
} FmFilterParam;

typedef enum FmExprKind
{
	FM_EXPR_LITERAL,
	FM_EXPR_COLUMN,
	FM_EXPR_AND,
	FM_EXPR_OR,
	FM_EXPR_NOT,
	FM_EXPR_COMPARE, /* op */
	FM_EXPR_IN,		 /* args[0] in args[1..] */
	FM_EXPR_BETWEEN, /* three args */
	FM_EXPR_LIKE,
	FM_EXPR_IS, /* op: NULL, TRUE, FALSE */
	FM_EXPR_ARITHMETIC,
	FM_EXPR_NEGATE,
	FM_EXPR_COMPLEMENT,
	FM_EXPR_FUNCTION, /* function */
	FM_EXPR_CASE,	  /* when, then, when, then, ... else (NULL literal if none) */
	FM_EXPR_CAST
} FmExprKind;

typedef struct FmFilterFunction FmFilterFunction;

typedef struct FmExpr
{
	FmExprKind kind;
	FmFilterType type;
	int position;
	int depth;
	bool negated;	/* NOT IN, NOT LIKE, NOT BETWEEN, IS NOT */
	bool or_null;	/* an enum's != and NOT IN hold for NULL too */
	const char *op; /* as SQL */
	int alias;		/* COLUMN: index in aliases, -1 the node itself */
	const char *column;
	const struct FmEnum *enumeration; /* COLUMN: names of its values, or NULL */
	const FmFilterFunction *function;
	FmFilterValue value;
	int n_args;
	struct FmExpr **args;
} FmExpr;

typedef enum FmAliasKind
{
	FM_ALIAS_TYPE,
	FM_ALIAS_PROPERTY,
	FM_ALIAS_EVENT,
	FM_ALIAS_CONTEXT,
	FM_ALIAS_ARTIFACT,
	FM_ALIAS_EXECUTION,
	FM_ALIAS_PARENT_CONTEXT,
	FM_ALIAS_CHILD_CONTEXT
} FmAliasKind;

/* A neighbour that the filter names: one row of a joined relation, the same in the whole filter */
typedef struct FmAlias
{
	FmAliasKind kind;
	char *name;
	bool custom;	 /* PROPERTY */
	bool needs_node; /* columns of the neighbour itself are used, not only its id */
	bool needs_type; /* the name of its type is used */
	int group;		 /* for filter_sql.c */
} FmAlias;

typedef struct FmFilter
{
	FmNodeKind kind;
	FmExpr *condition;
	int n_aliases;
	FmAlias aliases[FM_MAX_FILTER_ALIASES];
} FmFilter;

struct FmFilterFunction
{
	const char *name; /* ZetaSQL's, upper case */
	int min_args;
	int max_args; /* -1: any number */
	/* a letter an argument, the last repeats: s string, i int64, n number, b bool, a any (all alike) */
	const char *args;
	FmFilterType type;	/* FM_TYPE_NULL: that of the arguments */
	const char *format; /* SQL: the function's name, or a template with %1, %2, %3 */
};

/* Text -> typed tree, NULL and the error filled in when it is not a filter for nodes of this kind */
extern FmFilter *fm_filter_parse(FmNodeKind kind, const char *text, size_t size, FmError *error);

/*
 * The tree as a condition on the node's row, which the query calls n. Parameters are numbered from n_params + 1 and
 * appended to *params. relation(name) gives the text that stands for a table of MLMD, "mlmd.NAME" if it is NULL.
 */
extern bool fm_filter_to_sql(const FmFilter *filter, const char *(*relation)(const char *name), StringInfo sql,
							 int *n_params, FmFilterParam **params, FmError *error);

#endif
