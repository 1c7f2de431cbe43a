/*
 * The filter parser's current token: step over it, ask what it is, complain about it
 */
#include "lineage/filter_parser.h"

FmExpr *
fm_filter_fail_at(FmParser *parser, int position, int sqlstate, const char *message, ...)
{
	char buffer[512];
	va_list args;

	va_start(args, message);
	vsnprintf(buffer, sizeof(buffer), message, args);
	va_end(args);
	fm_filter_fail(parser->error, parser->lexer.input, parser->lexer.size, position, sqlstate, "%s", buffer);
	return NULL;
}

bool
fm_filter_advance(FmParser *parser)
{
	return fm_filter_next_token(&parser->lexer, &parser->token);
}

bool
fm_filter_at_symbol(const FmParser *parser, const char *symbol)
{
	return parser->token.kind == FM_TOKEN_SYMBOL && strcmp(parser->token.text, symbol) == 0;
}

bool
fm_filter_at_keyword(const FmParser *parser, const char *keyword)
{
	return parser->token.kind == FM_TOKEN_IDENT && !parser->token.quoted &&
		   pg_strcasecmp(parser->token.text, keyword) == 0;
}

FmExpr *
fm_filter_unexpected(FmParser *parser, const char *expected)
{
	const FmToken *token = &parser->token;

	if (token->kind == FM_TOKEN_END)
		return fm_filter_fail_at(parser, token->position, ERRCODE_SYNTAX_ERROR, "%s%sunexpected end",
								 expected ? expected : "", expected ? " expected, but " : "");
	if (expected)
		return fm_filter_fail_at(parser, token->position, ERRCODE_SYNTAX_ERROR, "%s expected", expected);
	return fm_filter_fail_at(parser, token->position, ERRCODE_SYNTAX_ERROR, "syntax error");
}

bool
fm_filter_expect(FmParser *parser, const char *symbol)
{
	if (!fm_filter_at_symbol(parser, symbol))
	{
		char quoted[8];

		snprintf(quoted, sizeof(quoted), "\"%s\"", symbol);
		fm_filter_unexpected(parser, quoted);
		return false;
	}
	return fm_filter_advance(parser);
}

bool
fm_filter_expect_keyword(FmParser *parser, const char *keyword)
{
	if (!fm_filter_at_keyword(parser, keyword))
	{
		fm_filter_unexpected(parser, keyword);
		return false;
	}
	return fm_filter_advance(parser);
}

bool
fm_filter_next_in_list(FmParser *parser, bool *more)
{
	*more = fm_filter_at_symbol(parser, ",");
	if (*more)
		return fm_filter_advance(parser);
	if (!fm_filter_at_symbol(parser, ")"))
	{
		fm_filter_unexpected(parser, "\",\" or \")\"");
		return false;
	}
	return true;
}
