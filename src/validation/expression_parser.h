/*
 * What the files that read expressions share
 */
#ifndef FM_EXPRESSION_PARSER_H
#define FM_EXPRESSION_PARSER_H

#include "validation/expression_lexer.h"

typedef struct FmParser
{
	FmEvaluation *evaluation;
	FmToken token; /* the one to look at */
	int depth;
} FmParser;

extern bool fm_advance(FmParser *parser);
extern bool fm_at_word(FmParser *parser, const char *word);
extern bool fm_at_identifier(FmParser *parser);

/* Take a word or symbol if it is there; *ok becomes false if what follows cannot be read */
extern bool fm_take_word(FmParser *parser, const char *word, bool *ok);
extern bool fm_take_symbol(FmParser *parser, const char *symbol, bool *ok);

extern bool fm_need_symbol(FmParser *parser, const char *symbol, const char *wanted);
extern bool fm_need_word(FmParser *parser, const char *word);

/* Fills in the error; returns NULL */
extern void *fm_syntax_error(FmParser *parser, const char *wanted);

/* One level deeper; the caller counts back */
extern bool fm_enter(FmParser *parser);

/*
 * A run of operators of one level makes a tree that leans to the left and is as deep as the run is long, and what
 * walks the tree recurses: so the length of a run is limited as the depth is.
 */
#define FM_MAX_RUN 1000

extern bool fm_count_run(FmParser *parser, int *n);

extern void fm_add_arg(FmNode *node, FmNode *arg);
extern FmNode *fm_parse_expression(FmParser *parser);
extern FmNode *fm_parse_postfix(FmParser *parser);
extern FmQuery *fm_parse_query(FmParser *parser);

/* query ), the opening parenthesis taken already */
extern FmQuery *fm_parse_closed_query(FmParser *parser);

#endif
