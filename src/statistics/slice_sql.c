/*
 * Slicing queries: a SELECT over one row whose columns name the slices that the row is in
 */
#include "slice_sql.h"

#include "access/xact.h"
#include "common/keywords.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "parser/scanner.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* A token of the query: where it stands in the text */
typedef struct Token
{
	const char *text;
	int size;
} Token;

/*
 * The text cut into PostgreSQL's tokens; comments are gone
 */
static Token *
ScanTokens(const char *sql, int *num_tokens)
{
	core_yy_extra_type extra;
	core_yyscan_t scanner = scanner_init(sql, &extra, &ScanKeywords, ScanKeywordTokens);
	Token *tokens = palloc(sizeof(Token) * (strlen(sql) + 1));
	int n = 0;

	for (;;)
	{
		core_YYSTYPE value;
		YYLTYPE location;
		int kind = core_yylex(&value, &location, scanner);
		const char *end = sql + (kind == 0 ? (int) strlen(sql) : location);

		if (n > 0)
			tokens[n - 1].size = end - tokens[n - 1].text;
		if (kind == 0)
			break;
		tokens[n++].text = sql + location;
	}
	scanner_finish(scanner);
	*num_tokens = n;
	return tokens;
}

/*
 * Is the token this word or sign, whatever its case? What follows it up to the next token does not count.
 */
static bool
TokenIs(const Token *tokens, int num_tokens, int i, const char *word)
{
	int size = strlen(word);

	if (i < 0 || i >= num_tokens || tokens[i].size < size || pg_strncasecmp(tokens[i].text, word, size) != 0)
		return false;
	return tokens[i].size == size || !(isalnum((unsigned char) tokens[i].text[size]) || tokens[i].text[size] == '_');
}

/*
 * The name that a token is, folded or unquoted as SQL does it; NULL if it is none
 */
static char *
TokenName(const Token *token)
{
	StringInfoData name;
	const char *c = token->text;
	const char *end = c + token->size;

	initStringInfo(&name);
	if (*c == '"')
	{
		for (c++; c < end; c++)
		{
			if (*c == '"' && !(c + 1 < end && c[1] == '"' && c++))
				break;
			appendStringInfoChar(&name, *c);
		}
		return name.data;
	}
	if (!isalpha((unsigned char) *c) && *c != '_' && !IS_HIGHBIT_SET(*c))
		return NULL;
	while (c < end && (isalnum((unsigned char) *c) || *c == '_' || *c == '$' || IS_HIGHBIT_SET(*c)))
		appendStringInfoChar(&name, *c++);
	return name.data;
}

/*
 * The column that a name of TFDV's spelling means: ZetaSQL's names know no case, so the exact one is tried first
 */
static FmSourceColumn *
ColumnOfName(const FmRowSource *source, const char *name)
{
	FmSourceColumn *column = fm_source_column(source, name);

	for (int i = 0; i < source->num_columns && column == NULL; i++)
	{
		if (pg_strcasecmp(source->columns[i].name, name) == 0)
			column = &source->columns[i];
	}
	return column;
}

/*
 * SELECT STRUCT(a, b AS c) FROM example.a, example.b -> SELECT a, b AS c FROM unnest(...) AS a, unnest(...) AS b
 *
 * In TFDV every feature is a list, and example.f its elements. Double quotes stand around strings there.
 */
static char *
TranslateStruct(const FmRowSource *source, const char *sql)
{
	int n;
	Token *tokens = ScanTokens(sql, &n);
	StringInfoData out;
	int depth = 0;
	bool in_struct = true;

	if (!TokenIs(tokens, n, 0, "select") || !TokenIs(tokens, n, 1, "struct") || !TokenIs(tokens, n, 2, "("))
		return pstrdup(sql);

	initStringInfo(&out);
	appendStringInfoString(&out, "SELECT ");
	for (int i = 3; i < n; i++)
	{
		FmSourceColumn *column = NULL;

		if (in_struct && depth == 0 && TokenIs(tokens, n, i, ")"))
		{
			in_struct = false;
			appendStringInfoChar(&out, ' ');
			continue;
		}
		if (TokenIs(tokens, n, i, "("))
			depth++;
		else if (TokenIs(tokens, n, i, ")"))
			depth--;

		if (TokenIs(tokens, n, i, "example") && TokenIs(tokens, n, i + 1, ".") && i + 2 < n)
			column = ColumnOfName(source, TokenName(&tokens[i + 2]) != NULL ? TokenName(&tokens[i + 2]) : "");
		if (column != NULL)
		{
			bool named = i + 3 < n && !TokenIs(tokens, n, i + 3, ",") && !TokenIs(tokens, n, i + 3, ")") &&
						 !TokenIs(tokens, n, i + 3, "where") && !TokenIs(tokens, n, i + 3, ";") &&
						 !TokenIs(tokens, n, i + 3, "join") && !TokenIs(tokens, n, i + 3, "cross");

			appendStringInfo(&out, "pg_catalog.unnest(pg_catalog.array_remove(%s, NULL)) ",
							 column->is_array ? column->reference : psprintf("ARRAY[%s]", column->reference));
			if (!named)
				appendStringInfo(&out, "AS %s ", quote_identifier(TokenName(&tokens[i + 2])));
			i += 2;
		}
		else if (tokens[i].text[0] == '"')
			appendStringInfo(&out, "%s ", quote_literal_cstr(TokenName(&tokens[i])));
		else
			appendBinaryStringInfo(&out, tokens[i].text, tokens[i].size);
	}
	return out.data;
}

/*
 * The names of the columns of a SELECT, or NIL if it is something else, or a column has no name
 */
static List *
ColumnNames(const char *sql, int *size)
{
	List *statements = raw_parser(sql, RAW_PARSE_DEFAULT);
	RawStmt *statement = list_length(statements) == 1 ? linitial_node(RawStmt, statements) : NULL;
	SelectStmt *select = statement != NULL && IsA(statement->stmt, SelectStmt) ? (SelectStmt *) statement->stmt : NULL;
	List *names = NIL;
	ListCell *cell;

	if (select == NULL || select->intoClause != NULL || select->lockingClause != NIL)
		return NIL;
	while (select->op != SETOP_NONE)
		select = select->larg;

	foreach (cell, select->targetList)
	{
		ResTarget *target = lfirst_node(ResTarget, cell);

		if (target->name != NULL)
			names = lappend(names, target->name);
		else if (IsA(target->val, ColumnRef) && IsA(llast(((ColumnRef *) target->val)->fields), String))
			names = lappend(names, strVal(llast(((ColumnRef *) target->val)->fields)));
		else
			return NIL;
	}
	*size = statement->stmt_len > 0 ? statement->stmt_location + statement->stmt_len : (int) strlen(sql);
	return names;
}

/*
 * The slicing query as a SELECT of one text column; raises an error if it is none
 */
static char *
MakeSlicer(const FmRowSource *source, const char *sql)
{
	char *translated = TranslateStruct(source, sql);
	int size = 0;
	List *names = ColumnNames(translated, &size);
	StringInfoData key;
	StringInfoData columns;
	ListCell *cell;
	int i = 0;

	if (names == NIL)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("it is not one SELECT whose columns have names")));

	initStringInfo(&key);
	initStringInfo(&columns);
	foreach (cell, names)
	{
		char *column = psprintf("fm_q.fm_c%d", i);

		/* a bool is 0 or 1 in TFDV */
		appendStringInfo(&key,
						 "%s%s OPERATOR(pg_catalog.||) CASE WHEN pg_catalog.pg_typeof(%s) "
						 "OPERATOR(pg_catalog.=) 'pg_catalog.bool'::pg_catalog.regtype "
						 "THEN (%s)::pg_catalog.text::pg_catalog.bool::pg_catalog.int4::pg_catalog.text "
						 "ELSE (%s)::pg_catalog.text END",
						 i > 0 ? " OPERATOR(pg_catalog.||) " : "",
						 quote_literal_cstr(psprintf("%s%s_", i > 0 ? "_" : "", (char *) lfirst(cell))), column, column,
						 column);
		appendStringInfo(&columns, "%sfm_c%d", i > 0 ? ", " : "", i);
		i++;
	}
	return psprintf("SELECT %s FROM (%s\n) AS fm_q(%s)", key.data, pnstrdup(translated, size), columns.data);
}

/*
 * Plans the slicer joined to the source, which is the proof that it compiles, inside a subtransaction
 */
char *
fm_slice_sql(const FmRowSource *source, const char *sql)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char *volatile slicer = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		char *made = MakeSlicer(source, sql);
		char *query = psprintf("SELECT fm_s.* FROM %s CROSS JOIN LATERAL (%s) AS fm_s(fm_slice)", source->from, made);

		if (SPI_prepare(query, 0, NULL) == NULL)
			elog(ERROR, "could not prepare query: %s", SPI_result_code_string(SPI_result));
		ReleaseCurrentSubTransaction();
		slicer = made;
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		/* a cancelled call, for one, is no invalid slice */
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION)
			ReThrowError(error);
		ereport(WARNING, (errcode(error->sqlerrcode), errmsg("slicing query does not compile: %s", error->message),
						  errdetail("It is: %s", sql)));
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return slicer;
}
