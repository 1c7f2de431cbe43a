/*
 * JSON text as a tree, by PostgreSQL's own parser
 */
#ifndef FM_JSON_TREE_H
#define FM_JSON_TREE_H

#include "message/message_internal.h"

typedef enum FmJsonType
{
	FM_JSON_NULL,
	FM_JSON_FALSE,
	FM_JSON_TRUE,
	FM_JSON_NUMBER,
	FM_JSON_STRING,
	FM_JSON_ARRAY,
	FM_JSON_OBJECT
} FmJsonType;

typedef struct FmJson
{
	FmJsonType type;
	const char *text;	/* of a string: in UTF-8, without escapes; of a number: as it stands */
	size_t n;			/* elements of an array or object */
	const char **names; /* of an object's elements, in UTF-8 */
	struct FmJson *items;
} FmJson;

/*
 * Reads JSON in the database's encoding (without a server: UTF-8). False and the error 22P02 with line and column, or
 * 54001 when arrays and objects are nested deeper than any message of FM_MAX_MESSAGE_DEPTH needs.
 */
extern bool fm_json_parse(const char *text, size_t size, FmJson *json, FmBudget *budget);

#endif
