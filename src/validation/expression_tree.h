/*
 * What the steps of an expression's life share: types, values, nodes
 */
#ifndef FM_EXPRESSION_TREE_H
#define FM_EXPRESSION_TREE_H

#include "validation/expression.h"

/* -- types -- */

typedef enum FmKind
{
	FM_NULL, /* a literal NULL that has got no type yet */
	FM_BOOL,
	FM_INT32,
	FM_INT64,
	FM_UINT32,
	FM_UINT64,
	FM_FLOAT,
	FM_DOUBLE,
	FM_STRING,
	FM_BYTES,
	FM_ENUM,
	FM_MESSAGE,
	FM_ARRAY
} FmKind;

typedef struct FmType
{
	FmKind kind;
	const void *descriptor;		  /* of an enum or a message */
	const struct FmType *element; /* of an array */
} FmType;

/* -- values -- */

struct FmArray;

typedef struct FmValue
{
	bool null;
	union
	{
		bool boolean;
		int64 integer;	/* INT32, INT64, ENUM */
		uint64 natural; /* UINT32, UINT64 */
		double number;	/* FLOAT, DOUBLE */
		struct
		{
			const char *data;
			size_t length;
		} string; /* STRING, BYTES */
		const ProtobufCMessage *message;
		const struct FmArray *array;
	};
} FmValue;

typedef struct FmArray
{
	size_t n;
	FmValue *value;
} FmArray;

/* -- nodes -- */

typedef enum FmNodeKind
{
	FM_NODE_LITERAL,
	FM_NODE_NAME,	  /* name; after analysis a variable */
	FM_NODE_VARIABLE, /* slot */
	FM_NODE_FIELD,	  /* args[0] . name */
	FM_NODE_HAS,	  /* args[0] . has_NAME */
	FM_NODE_ELEMENT,  /* args[0] [OFFSET(args[1])] and so on, by op */
	FM_NODE_UNARY,	  /* op */
	FM_NODE_BINARY,	  /* op */
	FM_NODE_BETWEEN,
	FM_NODE_IN,		  /* args[0] IN (args[1], ...) */
	FM_NODE_IN_ARRAY, /* args[0] IN UNNEST(args[1]) */
	FM_NODE_IN_QUERY, /* args[0] IN (query) */
	FM_NODE_IS,		  /* args[0] IS op */
	FM_NODE_CASE,	  /* WHEN, THEN, WHEN, THEN, ..., ELSE (a NULL literal if there is none) */
	FM_NODE_CAST,	  /* to cast_type; safe */
	FM_NODE_CALL,	  /* name(args); after analysis function */
	FM_NODE_AGGREGATE,
	FM_NODE_ARRAY,		/* [args] */
	FM_NODE_SUBQUERY,	/* (query) */
	FM_NODE_EXISTS,		/* EXISTS(query) */
	FM_NODE_ARRAY_QUERY /* ARRAY(query) */
} FmNodeKind;

typedef enum FmOperator
{
	FM_OP_NONE,
	FM_OP_NOT,
	FM_OP_MINUS,
	FM_OP_PLUS,
	FM_OP_BIT_NOT,
	FM_OP_OR,
	FM_OP_AND,
	FM_OP_EQ,
	FM_OP_NE,
	FM_OP_LT,
	FM_OP_LE,
	FM_OP_GT,
	FM_OP_GE,
	FM_OP_LIKE,
	FM_OP_BIT_OR,
	FM_OP_BIT_XOR,
	FM_OP_BIT_AND,
	FM_OP_SHIFT_LEFT,
	FM_OP_SHIFT_RIGHT,
	FM_OP_ADD,
	FM_OP_SUBTRACT,
	FM_OP_MULTIPLY,
	FM_OP_DIVIDE,
	FM_OP_CONCAT,
	FM_OP_IS_NULL,
	FM_OP_IS_TRUE,
	FM_OP_IS_FALSE,
	FM_OP_OFFSET,
	FM_OP_ORDINAL,
	FM_OP_SAFE_OFFSET,
	FM_OP_SAFE_ORDINAL
} FmOperator;

struct FmQuery;
struct FmFunction;

typedef struct FmNode
{
	FmNodeKind kind;
	int position; /* byte offset in the text */
	FmType type;
	FmOperator op;
	bool negated; /* NOT IN, NOT LIKE, NOT BETWEEN, IS NOT */
	bool distinct;
	bool star;		   /* COUNT(*) */
	bool safe;		   /* SAFE_CAST */
	bool case_operand; /* CASE x WHEN ...: args[0] is x */
	const char *name;
	FmValue literal;
	int slot;
	int n_args;
	struct FmNode **args;
	struct FmQuery *query;
	const struct FmFunction *function;
	const ProtobufCFieldDescriptor *field;
	int lowest; /* lowest slot of a query around it that it depends on; INT_MAX: none, so it is evaluated once */
	bool cached;
	FmValue cache;
} FmNode;

/* -- queries -- */

typedef enum FmFromKind
{
	FM_FROM_ARRAY, /* UNNEST(array) or alias.path */
	FM_FROM_QUERY, /* (query) AS alias */
	FM_FROM_JOIN
} FmFromKind;

typedef struct FmFrom
{
	FmFromKind kind;
	int position;
	const char *alias;
	FmNode *array;
	const char *offset_alias; /* NULL: no WITH OFFSET */
	struct FmQuery *query;
	bool path; /* alias.field..., not UNNEST */
	struct FmFrom *left;
	struct FmFrom *right;
	bool outer; /* LEFT JOIN */
	FmNode *on;
	int n_using;
	const char **using_name;
	int slot;		 /* element, or first column of the query */
	int offset_slot; /* -1: none */
	int n_slots;
} FmFrom;

typedef struct FmSelectItem
{
	FmNode *node; /* NULL: * */
	const char *alias;
} FmSelectItem;

typedef struct FmOrderItem
{
	FmNode *node;
	int column; /* of the select list, from 0; -1: an expression */
	bool descending;
} FmOrderItem;

typedef struct FmQuery
{
	int position;
	bool distinct;
	int n_items;
	FmSelectItem *items;
	FmFrom *from;
	FmNode *where;
	int n_group;
	FmNode **group;
	FmNode *having;
	int n_order;
	FmOrderItem *order;
	FmNode *limit;
	FmNode *offset;
	struct FmQuery *next; /* UNION with this one */
	bool union_distinct;
	bool aggregated;
	int first_slot; /* the slots of its FROM clause */
	int n_slots;
	int n_columns;
	FmType *columns;	   /* types of the select list */
	FmNode **column_nodes; /* stars spread out too */
	int lowest;			   /* as of a node */
} FmQuery;

/* -- functions -- */

typedef struct FmFunction
{
	const char *name;
	/*
	 * Signatures, separated by blanks: the result, a parenthesis, the arguments. b BOOL, i INT64, u UINT64, d DOUBLE, s STRING,
	 * y BYTES, A one type for all of them, C such a type that can be compared, [ an array of A, S an array of STRING;
	 * ? before optional arguments, * repeats the last one.
	 */
	const char *signatures;
	int id;
	bool aggregate;
} FmFunction;

/* -- what they work with -- */

typedef struct FmEvaluation
{
	const char *text;
	const FmExpressionInput *inputs;
	int n_inputs;
	int n_slots;
	FmValue *slots;
	struct FmGroup *group; /* the rows that aggregates are over */
	int64 work;
	FmError *error;
} FmEvaluation;

/* Fills in the error with the place of a node; returns false */
extern bool fm_expression_fail(FmEvaluation *evaluation, int position, int sqlstate, const char *message, ...)
	pg_attribute_printf(4, 5);

/* Text -> tree; NULL and the error filled in (expression_parser.c) */
extern FmNode *fm_expression_parse(FmEvaluation *evaluation);

/* Names and types; false and the error filled in (expression_analyze.c) */
extern bool fm_expression_analyze(FmEvaluation *evaluation, FmNode *node);

/* The value of a node (expression_evaluate.c) */
extern bool fm_expression_evaluate(FmEvaluation *evaluation, FmNode *node, FmValue *value);

/* The rows of a query, a value for each column; at most max of them (expression_query.c) */
typedef struct FmRows
{
	int n;
	int max;
	FmValue **row;
} FmRows;

extern bool fm_expression_query(FmEvaluation *evaluation, FmQuery *query, int max, FmRows *rows);
extern bool fm_expression_aggregate(FmEvaluation *evaluation, FmNode *node, FmValue *value);

/* Functions by name; NULL if there is none (expression_functions.c) */
extern const FmFunction *fm_expression_function(const char *name);
extern bool fm_expression_call(FmEvaluation *evaluation, FmNode *node, FmValue *args, FmValue *value);
extern bool fm_expression_like(FmEvaluation *evaluation, FmNode *node, const FmValue *text, const FmValue *pattern,
							   bool *matches);

/* Can a value be cast at all; the cast itself. A literal's position is told. (expression_cast.c) */
extern bool fm_expression_can_cast(FmType from, FmType to);
extern bool fm_expression_cast(FmEvaluation *evaluation, int position, FmType from, FmType to, FmValue *value);

/* -- regular expressions (expression_regex.c) -- */

typedef struct FmMatch
{
	int64 start; /* bytes; -1: did not take part */
	int64 end;
} FmMatch;

struct FmRegex;

/* NULL and the error filled in */
extern struct FmRegex *fm_regex_compile(FmEvaluation *evaluation, int position, const char *pattern, size_t length);
extern int fm_regex_n_groups(const struct FmRegex *regex);
/* The first match at or after a byte offset; matches holds n entries, the whole match first */
extern bool fm_regex_match(FmEvaluation *evaluation, struct FmRegex *regex, const char *text, size_t length,
						   size_t from, FmMatch *matches, int n, bool *found);
extern void fm_regex_free(struct FmRegex *regex);

/* -- values (expression_value.c) -- */

extern const char *fm_type_name(FmType type);
extern bool fm_type_equal(FmType a, FmType b);
/* Order of two values of one type, neither NULL: -1, 0, 1; 2 if one is NaN */
extern int fm_value_compare(FmType type, const FmValue *a, const FmValue *b);
/* Total order for sorting and grouping: NULL first, then NaN */
extern int fm_value_order(FmType type, const FmValue *a, const FmValue *b);
extern FmType fm_member_type(const ProtobufCFieldDescriptor *field);
/* The value of a field as ZetaSQL reads it: defaults for scalars, NULL for messages that are not set */
extern bool fm_member_value(FmEvaluation *evaluation, const ProtobufCMessage *message,
							const ProtobufCFieldDescriptor *field, FmValue *value);
extern bool fm_member_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* Counts work; false and the error filled in when it is too much */
static inline bool
fm_expression_work(FmEvaluation *evaluation, int64 steps)
{
	evaluation->work += steps;
	if ((evaluation->work & 1023) < steps)
		CHECK_FOR_INTERRUPTS();
	if (evaluation->work > FM_MAX_EXPRESSION_WORK)
		return fm_fail(evaluation->error, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "expression takes too much work");
	return true;
}

static inline FmValue
fm_null(void)
{
	FmValue value;

	memset(&value, 0, sizeof(value));
	value.null = true;
	return value;
}

#endif
