/*
 * What the rooms of the filter parser share: the parser's state, its current token, the nodes that it makes
 *
 *     filter_token.c     the current token, and errors that point at it
 *     filter_node.c      nodes, and which types go together
 *     filter_name.c      attributes, properties, neighbours, enums
 *     filter_function.c  functions, CASE and CAST
 *     filter_parser.c    the grammar, and the door: fm_filter_parse in filter.h
 *
 * Every function that gives a node gives NULL, and every one that gives a bool gives false, when it filled in the
 * error, unless said otherwise.
 */
#ifndef FM_LINEAGE_FILTER_PARSER_H
#define FM_LINEAGE_FILTER_PARSER_H

#include "lineage/filter.h"

typedef struct FmParser
{
	FmLexer lexer;
	FmToken token; /* the current one */
	FmFilter *filter;
	FmError *error;
	int depth;
} FmParser;

/* Names of the values of an attribute; filter_name.c knows them */
typedef struct FmEnum FmEnum;

/* ------------------------------------------------------------------------------------------------ current token */

extern bool fm_filter_advance(FmParser *parser);

/* Is the current token this one? No error when it is not */
extern bool fm_filter_at_symbol(const FmParser *parser, const char *symbol);
extern bool fm_filter_at_keyword(const FmParser *parser, const char *keyword);

/* Step over this token, which must be the current one */
extern bool fm_filter_expect(FmParser *parser, const char *symbol);
extern bool fm_filter_expect_keyword(FmParser *parser, const char *keyword);

/* Between the arguments of a list: steps over a comma, *more = true, or stays at the closing parenthesis, *more = false
 */
extern bool fm_filter_next_in_list(FmParser *parser, bool *more);

/* Fill in the error and give NULL; expected may be NULL */
extern FmExpr *fm_filter_fail_at(FmParser *parser, int position, int sqlstate, const char *message, ...)
	pg_attribute_printf(4, 5);
extern FmExpr *fm_filter_unexpected(FmParser *parser, const char *expected);

/* ------------------------------------------------------------------------------------------------ nodes and types */

/* Never NULL */
extern FmExpr *fm_filter_new_expr(FmExprKind kind, FmFilterType type, int position);
extern FmExpr *fm_filter_new_int(int64 value, int position);

/* With one argument, with two */
extern FmExpr *fm_filter_new_expr1(FmParser *parser, FmExprKind kind, FmFilterType type, int position, FmExpr *a);
extern FmExpr *fm_filter_new_expr2(FmParser *parser, FmExprKind kind, FmFilterType type, int position, FmExpr *a,
								   FmExpr *b);
extern bool fm_filter_add_arg(FmParser *parser, FmExpr *expr, FmExpr *arg);

/* Complains about the depth of the tree or of the recursion; gives NULL */
extern FmExpr *fm_filter_too_deep(FmParser *parser, int position);

extern const char *fm_filter_type_name(FmFilterType type);
extern bool fm_filter_is_number(FmFilterType type);

/* The type that both can take; false, without an error, when there is none */
extern bool fm_filter_common_type(FmFilterType a, FmFilterType b, FmFilterType *common);

/* Checks every step-th argument, from the given one on, against the others and *type, which becomes the common type */
extern bool fm_filter_check_alike(FmParser *parser, FmExpr *expr, int from, int step, const char *what,
								  FmFilterType *type);

/* Complains that what does not take the two types; gives NULL */
extern FmExpr *fm_filter_mismatch(FmParser *parser, int position, const char *what, FmFilterType a, FmFilterType b);

/* ------------------------------------------------------------------------------------------------ names */

/* name: the token before the current one */
extern FmExpr *fm_filter_parse_name(FmParser *parser, const FmToken *name);
extern FmExpr *fm_filter_parse_property(FmParser *parser);

/* The current token as the name of a value of the enum: its number */
extern FmExpr *fm_filter_parse_enum_name(FmParser *parser, const FmEnum *enumeration);

/* ------------------------------------------------------------------------------------------------ functions, grammar
 */

/* name: the token before the parenthesis, which is the current one */
extern FmExpr *fm_filter_parse_function(FmParser *parser, const FmToken *name);
extern FmExpr *fm_filter_parse_case(FmParser *parser);
extern FmExpr *fm_filter_parse_cast(FmParser *parser);

/* A whole expression, from OR down */
extern FmExpr *fm_filter_parse_expr(FmParser *parser);

#endif
