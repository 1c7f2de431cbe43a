/*
 * JSON text to a tree
 *
 * PostgreSQL's parser (common/jsonapi.h) does the reading; its interface differs between the majors, here only.
 */
#include "message/json_tree.h"

#include "common/jsonapi.h"
#include "mb/pg_wchar.h"

/* A message in a repeated field is an object in an array */
#define MAX_JSON_DEPTH (2 * FM_MAX_MESSAGE_DEPTH + 2)

typedef struct JsonBuilder
{
	FmJson open[MAX_JSON_DEPTH + 2]; /* the arrays and objects that are not closed yet; first the one around all */
	int depth;
	const char *name[MAX_JSON_DEPTH + 2]; /* of the field that comes next in each */
	FmBudget *budget;
	bool failed;
} JsonBuilder;

#if PG_VERSION_NUM >= 160000
typedef JsonParseErrorType ActionResult;
#define ACTION_DONE return JSON_SUCCESS
#else
typedef void ActionResult;
#define ACTION_DONE return
#endif

#ifdef FRONTEND
#define JSON_ENCODING PG_UTF8
/* PostgreSQL 15 has the parser's texts in the server only */
#define ERROR_DETAIL(result, lex) "Invalid JSON."
#else
#define JSON_ENCODING GetDatabaseEncoding()
#define ERROR_DETAIL(result, lex) json_errdetail(result, lex)
#endif

static const char *
to_utf8(const char *text)
{
#ifndef FRONTEND
	if (GetDatabaseEncoding() != PG_UTF8)
		return pg_server_to_any(text, strlen(text), PG_UTF8);
#endif
	return text;
}

/*
 * Appends an element to the array or object that is open
 */
static void
add_item(JsonBuilder *builder, const FmJson *item)
{
	FmJson *parent = &builder->open[builder->depth];
	size_t n = parent->n;

	if (builder->failed)
		return;
	if ((n & (n - 1)) == 0)
	{
		size_t size = n == 0 ? 1 : n * 2;

		if (!fm_budget_take(builder->budget, (size - n) * (sizeof(FmJson) + sizeof(char *))))
		{
			builder->failed = true;
			return;
		}
		parent->items = n == 0 ? palloc(sizeof(FmJson)) : repalloc(parent->items, size * sizeof(FmJson));
		if (parent->type == FM_JSON_OBJECT)
			parent->names = n == 0 ? palloc(sizeof(char *)) : repalloc(parent->names, size * sizeof(char *));
	}
	parent->items[n] = *item;
	if (parent->type == FM_JSON_OBJECT)
		parent->names[n] = builder->name[builder->depth];
	parent->n++;
}

static void
open_item(JsonBuilder *builder, FmJsonType type)
{
	FmJson *item = &builder->open[++builder->depth];

	memset(item, 0, sizeof(*item));
	item->type = type;
}

static void
close_item(JsonBuilder *builder)
{
	FmJson item = builder->open[builder->depth--];

	add_item(builder, &item);
}

static ActionResult
object_start(void *state)
{
	open_item(state, FM_JSON_OBJECT);
	ACTION_DONE;
}

static ActionResult
array_start(void *state)
{
	open_item(state, FM_JSON_ARRAY);
	ACTION_DONE;
}

static ActionResult
item_end(void *state)
{
	close_item(state);
	ACTION_DONE;
}

static ActionResult
field_start(void *state, char *name, bool isnull)
{
	JsonBuilder *builder = state;

	/* a field's name and a string are the parser's copies; they are counted here */
	if (!builder->failed && !fm_budget_take(builder->budget, strlen(name) + 1))
		builder->failed = true;
	builder->name[builder->depth] = to_utf8(name);
	ACTION_DONE;
}

static ActionResult
scalar(void *state, char *token, JsonTokenType type)
{
	JsonBuilder *builder = state;
	FmJson item = {0};

	switch (type)
	{
		case JSON_TOKEN_STRING:
			item.type = FM_JSON_STRING;
			item.text = to_utf8(token);
			break;
		case JSON_TOKEN_NUMBER:
			item.type = FM_JSON_NUMBER;
			item.text = token;
			break;
		case JSON_TOKEN_TRUE:
			item.type = FM_JSON_TRUE;
			break;
		case JSON_TOKEN_FALSE:
			item.type = FM_JSON_FALSE;
			break;
		default:
			item.type = FM_JSON_NULL;
			break;
	}
	if (item.text != NULL && !builder->failed && !fm_budget_take(builder->budget, strlen(item.text) + 1))
		builder->failed = true;
	add_item(builder, &item);
	ACTION_DONE;
}

/*
 * Where arrays and objects are nested too deeply, or NULL: the parser recurses without a limit
 */
static const char *
find_too_deep(const char *text, size_t size)
{
	const char *end = text + size;
	int depth = 0;

	for (const char *p = text; p < end; p++)
	{
		if (*p == '"')
		{
			for (p++; p < end && *p != '"'; p++)
				if (*p == '\\')
					p++;
		}
		else if (*p == '{' || *p == '[')
		{
			if (++depth > MAX_JSON_DEPTH)
				return p;
		}
		else if ((*p == '}' || *p == ']') && depth > 0)
			depth--;
	}
	return NULL;
}

bool
fm_json_parse(const char *text, size_t size, FmJson *json, FmBudget *budget)
{
	JsonBuilder builder;
	JsonSemAction actions = {.semstate = &builder,
							 .object_start = object_start,
							 .object_end = item_end,
							 .array_start = array_start,
							 .array_end = item_end,
							 .object_field_start = field_start,
							 .scalar = scalar};
	JsonLexContext *lex;
	JsonParseErrorType result;
	const char *place;
	int line;
	int column;

	if ((place = find_too_deep(text, size)) != NULL)
	{
		fm_line_and_column(text, place, &line, &column);
		fm_fail(budget->error, ERRCODE_STATEMENT_TOO_COMPLEX, "message is nested too deeply");
		fm_fail_detail(budget->error, "Line %d, column %d: more than %d arrays and objects inside one another.", line,
					   column, MAX_JSON_DEPTH);
		return false;
	}
	if (size > PG_INT32_MAX || ((JSON_ENCODING == PG_UTF8 || JSON_ENCODING == PG_SQL_ASCII) && !fm_is_utf8(text, size)))
	{
		fm_fail(budget->error, ERRCODE_INVALID_TEXT_REPRESENTATION, "invalid JSON");
		fm_fail_detail(budget->error, "The text is not valid UTF-8, or contains a zero byte.");
		return false;
	}

	builder.open[0] = (FmJson){.type = FM_JSON_ARRAY};
	builder.depth = 0;
	builder.budget = budget;
	builder.failed = false;
#if PG_VERSION_NUM >= 170000
	lex = makeJsonLexContextCstringLen(NULL, text, size, JSON_ENCODING, true);
#else
	lex = makeJsonLexContextCstringLen((char *) text, (int) size, JSON_ENCODING, true);
#endif
	result = pg_parse_json(lex, &actions);
	if (result != JSON_SUCCESS)
	{
		fm_line_and_column(text, lex->token_start != NULL ? lex->token_start : text + size, &line, &column);
		fm_fail(budget->error, ERRCODE_INVALID_TEXT_REPRESENTATION, "invalid JSON");
		fm_fail_detail(budget->error, "Line %d, column %d: %s", line, column, ERROR_DETAIL(result, lex));
		return false;
	}
	if (builder.failed)
		return false;
	*json = builder.open[0].items[0];
	return true;
}
