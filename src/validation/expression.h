/*
 * Expressions over messages: the subset of ZetaSQL that TFDV's custom validations are written in
 *
 * An expression is read (expression_parser.c), given types (expression_analyze.c) and evaluated
 * (expression_evaluate.c) over protobuf messages by their descriptors. Nothing of it reaches the server as SQL.
 * Size, depth and work are bounded.
 */
#ifndef FM_EXPRESSION_H
#define FM_EXPRESSION_H

#include "fm_core.h"

#include <protobuf-c/protobuf-c.h>

/* Longest text of an expression, in bytes; deepest nesting; most steps of one evaluation; longest string made */
#define FM_MAX_EXPRESSION_LENGTH (64 * 1024)
#define FM_MAX_EXPRESSION_DEPTH 100
#define FM_MAX_EXPRESSION_WORK 10000000
#define FM_MAX_EXPRESSION_STRING (1024 * 1024)

/* A message that an expression may use, by its name */
typedef struct FmExpressionInput
{
	const char *name;
	const ProtobufCMessage *message;
} FmExpressionInput;

/*
 * Evaluates a predicate.
 *
 * False and *error filled in: 42601 syntax, 42703 unknown name or field, 42883 unknown function or no such arguments,
 * 42804 no boolean, 22004 NULL, 22012 division by zero, 22003 out of range, 2202E array index, 2201B regular
 * expression, 54000/54001 too long, too deep or too much work; the detail says line and column where there is one.
 */
extern bool fm_expression_test(const char *text, const FmExpressionInput *inputs, int n_inputs, bool *result,
							   FmError *error);

#endif
