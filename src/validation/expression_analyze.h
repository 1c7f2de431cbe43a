/*
 * What the files that give types to expressions share
 */
#ifndef FM_EXPRESSION_ANALYZE_H
#define FM_EXPRESSION_ANALYZE_H

#include "validation/expression_tree.h"

/* A range variable of a query, or a column of a subquery in FROM */
typedef struct FmVariable
{
	const char *qualifier; /* alias of the subquery; NULL for range variables */
	const char *name;	   /* NULL: no alias */
	FmType type;
	int slot;
} FmVariable;

typedef struct FmScope
{
	struct FmScope *outer;
	FmQuery *query;
	int n;
	int max;
	FmVariable *variable;
} FmScope;

typedef struct FmAnalyzer
{
	FmEvaluation *evaluation;
	FmScope *scope;
	bool aggregates_allowed; /* in the select list, HAVING or ORDER BY of the innermost query */
	bool in_aggregate;
} FmAnalyzer;

#define FAIL(position, ...) fm_expression_fail(analyzer->evaluation, position, __VA_ARGS__)

static inline FmType
fm_simple_type(FmKind kind)
{
	FmType type = {kind, NULL, NULL};

	return type;
}

static inline FmType
fm_array_type(FmType element)
{
	FmType type = {FM_ARRAY, NULL, NULL};
	FmType *copy = palloc(sizeof(FmType));

	*copy = element;
	type.element = copy;
	return type;
}

/* -- kinds of types -- */

static inline bool
is_literal(const FmNode *node)
{
	return node->kind == FM_NODE_LITERAL;
}

static inline bool
is_null_literal(const FmNode *node)
{
	return is_literal(node) && node->type.kind == FM_NULL;
}

static inline bool
is_signed(FmKind kind)
{
	return kind == FM_INT32 || kind == FM_INT64;
}

static inline bool
is_unsigned(FmKind kind)
{
	return kind == FM_UINT32 || kind == FM_UINT64;
}

static inline bool
is_integer(FmKind kind)
{
	return is_signed(kind) || is_unsigned(kind);
}

static inline bool
is_float(FmKind kind)
{
	return kind == FM_FLOAT || kind == FM_DOUBLE;
}

static inline bool
is_number(FmKind kind)
{
	return is_integer(kind) || is_float(kind);
}

static inline bool
fm_can_compare(FmType type)
{
	return type.kind != FM_MESSAGE && type.kind != FM_ARRAY;
}

/* -- conversions (expression_types.c) -- */

/* Could a node become another type unasked, the value of a literal apart */
extern bool fm_can_become(const FmNode *node, FmType to);

/* Makes a node have a type that it can become */
extern bool fm_convert_node(FmAnalyzer *analyzer, FmNode **place, FmType to);
extern bool fm_convert_all(FmAnalyzer *analyzer, FmNode **nodes, int n, FmType type);

/*
 * The one type of several nodes: what is no literal decides, literals follow. kind FM_NULL: all are NULL. False, with
 * no error, if there is none.
 */
extern bool fm_common_type(FmNode **nodes, int n, FmType *type);

/* The same, and converts them; no such type is an error */
extern bool fm_make_common(FmAnalyzer *analyzer, FmNode **nodes, int n, int position, const char *what, FmType *type);

extern bool fm_need_bool(FmAnalyzer *analyzer, FmNode *node, const char *what);
extern bool fm_refuse_null(FmAnalyzer *analyzer, const FmNode *node, const char *what);

/* -- nodes and queries (expression_analyze.c, expression_analyze_query.c) -- */

extern bool fm_analyze_node(FmAnalyzer *analyzer, FmNode *node);
extern bool fm_analyze_query(FmAnalyzer *analyzer, FmQuery *query);
extern void fm_become_variable(FmNode *node, const FmVariable *variable, int n_inputs);

#endif
