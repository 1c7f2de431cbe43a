/*
 * The words of an expression
 */
#ifndef FM_EXPRESSION_LEXER_H
#define FM_EXPRESSION_LEXER_H

#include "validation/expression_tree.h"

typedef enum FmTokenKind
{
	FM_TOKEN_END,
	FM_TOKEN_NAME,	  /* identifier or keyword */
	FM_TOKEN_QUOTED,  /* `identifier` */
	FM_TOKEN_INTEGER, /* natural: up to 2^64 - 1 */
	FM_TOKEN_FLOAT,
	FM_TOKEN_STRING,
	FM_TOKEN_BYTES,
	FM_TOKEN_SYMBOL /* text is the symbol */
} FmTokenKind;

typedef struct FmToken
{
	FmTokenKind kind;
	int position;
	int end;
	const char *text; /* of names and symbols; of strings the content */
	size_t length;
	uint64 natural;
	double number;
} FmToken;

/* The token at or after a byte offset; false and the error filled in */
extern bool fm_expression_token(FmEvaluation *evaluation, int offset, FmToken *token);

/* Can a word not be an identifier unless it is quoted */
extern bool fm_expression_reserved(const char *word);

#endif
