/*
 * The names that a filter knows: a node's attributes and properties, its neighbours and the values of enums
 *
 * What a name may be in the filters of which node stands in the tables at the head; a name becomes a column of the node
 * (alias -1) or of a neighbour, which gets its place in the filter's aliases at the first mention.
 */
#include "lineage/filter_parser.h"

struct FmEnum
{
	const char *const *names; /* by value; NULL: the client takes no such name */
	int n_names;
	const char *of; /* what the names are of, for messages */
};

/* The names that the client takes are fewer than those of the protocol */
static const char *const artifact_states[] = {"UNKNOWN", "PENDING", "LIVE", "MARKED_FOR_DELETION", "DELETED"};
static const char *const execution_states[] = {"UNKNOWN", "NEW", "RUNNING", "COMPLETE", "FAILED", "CACHED", "CANCELED"};
static const char *const event_types[] = {NULL,		"DECLARED_OUTPUT", "DECLARED_INPUT", "INPUT",
										  "OUTPUT", "INTERNAL_INPUT",  "INTERNAL_OUTPUT"};
static const FmEnum artifact_state = {artifact_states, lengthof(artifact_states), "state of an artifact"};
static const FmEnum execution_state = {execution_states, lengthof(execution_states), "state of an execution"};
static const FmEnum event_type = {event_types, lengthof(event_types), "type of an event"};

#define ON_ARTIFACT (1 << FM_ARTIFACT)
#define ON_EXECUTION (1 << FM_EXECUTION)
#define ON_CONTEXT (1 << FM_CONTEXT)
#define ON_ALL (ON_ARTIFACT | ON_EXECUTION | ON_CONTEXT)

/* The attributes of nodes; ON: of which, neighbour: readable as ALIAS.NAME too */
typedef struct FmAttribute
{
	const char *name;
	FmFilterType type;
	const FmEnum *enumeration;
	int on;
	int on_neighbour;
} FmAttribute;

static const FmAttribute attributes[] = {
	{"id", FM_TYPE_INT64, NULL, ON_ALL, ON_ALL},
	{"type_id", FM_TYPE_INT64, NULL, ON_ALL, 0},
	{"type", FM_TYPE_STRING, NULL, ON_ALL, ON_ALL},
	{"name", FM_TYPE_STRING, NULL, ON_ALL, ON_ALL},
	{"external_id", FM_TYPE_STRING, NULL, ON_ALL, ON_ARTIFACT | ON_EXECUTION},
	{"create_time_since_epoch", FM_TYPE_INT64, NULL, ON_ALL, ON_ALL},
	{"last_update_time_since_epoch", FM_TYPE_INT64, NULL, ON_ALL, ON_ALL},
	{"uri", FM_TYPE_STRING, NULL, ON_ARTIFACT, ON_ARTIFACT},
	{"state", FM_TYPE_INT64, &artifact_state, ON_ARTIFACT, ON_ARTIFACT},
	{"last_known_state", FM_TYPE_INT64, &execution_state, ON_EXECUTION, ON_EXECUTION}};

/* Prefixes of the names of neighbours; on: in the filters of which nodes, neighbour: what they are */
static const struct
{
	const char *prefix;
	FmAliasKind kind;
	int on;
	FmNodeKind neighbour;
} prefixes[] = {{"contexts_", FM_ALIAS_CONTEXT, ON_ARTIFACT | ON_EXECUTION, FM_CONTEXT},
				{"events_", FM_ALIAS_EVENT, ON_ARTIFACT | ON_EXECUTION, FM_ARTIFACT},
				{"artifacts_", FM_ALIAS_ARTIFACT, ON_CONTEXT, FM_ARTIFACT},
				{"executions_", FM_ALIAS_EXECUTION, ON_CONTEXT, FM_EXECUTION},
				{"parent_contexts_", FM_ALIAS_PARENT_CONTEXT, ON_CONTEXT, FM_CONTEXT},
				{"child_contexts_", FM_ALIAS_CHILD_CONTEXT, ON_CONTEXT, FM_CONTEXT}};

const char *
fm_node_kind_name(FmNodeKind kind)
{
	return kind == FM_ARTIFACT ? "artifact" : kind == FM_EXECUTION ? "execution" : "context";
}

static FmExpr *
UnknownName(FmParser *parser, const FmToken *token)
{
	fm_filter_fail_at(parser, token->position, ERRCODE_UNDEFINED_COLUMN, "unrecognized name \"%s\"", token->text);
	fm_fail_hint(
		parser->error, "%s",
		parser->filter->kind == FM_ARTIFACT
			? "Filters for artifacts know id, type_id, type, name, uri, state, external_id, create_time_since_epoch, "
			  "last_update_time_since_epoch, properties.NAME.FIELD, custom_properties.NAME.FIELD, contexts_ALIAS.FIELD "
			  "and events_ALIAS.FIELD."
		: parser->filter->kind == FM_EXECUTION
			? "Filters for executions know id, type_id, type, name, last_known_state, external_id, "
			  "create_time_since_epoch, last_update_time_since_epoch, properties.NAME.FIELD, "
			  "custom_properties.NAME.FIELD, contexts_ALIAS.FIELD and events_ALIAS.FIELD."
			: "Filters for contexts know id, type_id, type, name, external_id, create_time_since_epoch, "
			  "last_update_time_since_epoch, properties.NAME.FIELD, custom_properties.NAME.FIELD, "
			  "artifacts_ALIAS.FIELD, executions_ALIAS.FIELD, parent_contexts_ALIAS.FIELD and "
			  "child_contexts_ALIAS.FIELD.");
	return NULL;
}

/*
 * Index of the alias, made if it is new; -1 when there are too many
 */
static int
FindAlias(FmParser *parser, FmAliasKind kind, const char *name, bool custom, int position)
{
	FmFilter *filter = parser->filter;
	FmAlias *alias;

	for (int i = 0; i < filter->n_aliases; i++)
	{
		alias = &filter->aliases[i];
		if (alias->kind != kind || alias->custom != custom)
			continue;
		if (strcmp(alias->name, name) == 0)
			return i;
		if (kind != FM_ALIAS_PROPERTY && pg_strcasecmp(alias->name, name) == 0)
		{
			fm_filter_fail_at(parser, position, ERRCODE_DUPLICATE_ALIAS, "names \"%s\" and \"%s\" differ in case only",
							  alias->name, name);
			return -1;
		}
	}
	if (filter->n_aliases == FM_MAX_FILTER_ALIASES)
	{
		fm_filter_fail_at(parser, position, ERRCODE_STATEMENT_TOO_COMPLEX,
						  "more than %d properties, contexts, events and the like", FM_MAX_FILTER_ALIASES);
		return -1;
	}
	alias = &filter->aliases[filter->n_aliases];
	memset(alias, 0, sizeof(*alias));
	alias->kind = kind;
	alias->name = pstrdup(name);
	alias->custom = custom;
	return filter->n_aliases++;
}

static FmExpr *
NewColumn(FmParser *parser, int alias, const char *column, FmFilterType type, int position)
{
	FmExpr *expr = fm_filter_new_expr(FM_EXPR_COLUMN, type, position);

	expr->alias = alias;
	expr->column = column;
	return expr;
}

static FmExpr *
NoSuchField(FmParser *parser, const FmToken *alias, const char *hint)
{
	fm_filter_fail_at(parser, parser->token.position, ERRCODE_UNDEFINED_COLUMN, "\"%s\" has no such field",
					  alias->text);
	if (hint)
		fm_fail_hint(parser->error, "%s", hint);
	return NULL;
}

/*
 * ALIAS.FIELD; the current token is the dot
 */
static FmExpr *
ParseNeighbour(FmParser *parser, const FmToken *name, int prefix)
{
	FmAliasKind kind = prefixes[prefix].kind;
	const char *column = NULL;
	FmFilterType type = FM_TYPE_INT64;
	const FmEnum *enumeration = NULL;
	FmExpr *expr;
	int alias;

	if (!fm_filter_advance(parser))
		return NULL;
	if (parser->token.kind != FM_TOKEN_IDENT)
		return parser->token.kind == FM_TOKEN_PROPERTY ? NoSuchField(parser, name, NULL)
													   : fm_filter_unexpected(parser, "name of a field");
	if (kind == FM_ALIAS_EVENT)
	{
		const char *other = parser->filter->kind == FM_ARTIFACT ? "execution_id" : "artifact_id";

		if (pg_strcasecmp(parser->token.text, "type") == 0)
		{
			column = "type";
			enumeration = &event_type;
		}
		else if (pg_strcasecmp(parser->token.text, "milliseconds_since_epoch") == 0)
			column = "milliseconds_since_epoch";
		else if (pg_strcasecmp(parser->token.text, other) == 0)
			column = other;
		else
			return NoSuchField(parser, name,
							   parser->filter->kind == FM_ARTIFACT
								   ? "Events of an artifact have type, execution_id and milliseconds_since_epoch."
								   : "Events of an execution have type, artifact_id and milliseconds_since_epoch.");
	}
	else
	{
		for (size_t i = 0; i < lengthof(attributes); i++)
		{
			if (pg_strcasecmp(parser->token.text, attributes[i].name) == 0 &&
				attributes[i].on_neighbour & (1 << prefixes[prefix].neighbour))
			{
				column = attributes[i].name;
				type = attributes[i].type;
				enumeration = attributes[i].enumeration;
			}
		}
		if (column == NULL)
			return NoSuchField(
				parser, name,
				prefixes[prefix].neighbour == FM_ARTIFACT
					? "Artifacts have id, name, type, uri, state, external_id, create_time_since_epoch and "
					  "last_update_time_since_epoch."
				: prefixes[prefix].neighbour == FM_EXECUTION
					? "Executions have id, name, type, last_known_state, external_id, create_time_since_epoch "
					  "and last_update_time_since_epoch."
					: "Contexts have id, name, type, create_time_since_epoch and last_update_time_since_epoch.");
	}
	alias = FindAlias(parser, kind, name->text, false, name->position);
	if (alias < 0)
		return NULL;
	if (kind != FM_ALIAS_EVENT && strcmp(column, "id") != 0)
	{
		if (strcmp(column, "type") == 0)
			parser->filter->aliases[alias].needs_type = true;
		parser->filter->aliases[alias].needs_node = true;
	}
	expr = NewColumn(parser, alias, column, type, name->position);
	/* only in this spelling does the client look for names of enums */
	if (enumeration != NULL && !parser->token.quoted && strcmp(parser->token.text, column) == 0)
		expr->enumeration = enumeration;
	return fm_filter_advance(parser) ? expr : NULL;
}

/*
 * A name: attribute of the node, or ALIAS.FIELD
 */
FmExpr *
fm_filter_parse_name(FmParser *parser, const FmToken *name)
{
	if (!name->quoted)
	{
		for (size_t i = 0; i < lengthof(prefixes); i++)
		{
			int length = strlen(prefixes[i].prefix);

			if (strncmp(name->text, prefixes[i].prefix, length) == 0 && name->text[length] != '\0' &&
				prefixes[i].on & (1 << parser->filter->kind) && fm_filter_at_symbol(parser, ".") &&
				parser->token.position == name->end)
				return ParseNeighbour(parser, name, i);
		}
	}
	for (size_t i = 0; i < lengthof(attributes); i++)
	{
		FmExpr *expr;
		int alias = -1;

		if (pg_strcasecmp(name->text, attributes[i].name) != 0 || !(attributes[i].on & (1 << parser->filter->kind)))
			continue;
		if (strcmp(attributes[i].name, "type") == 0 &&
			(alias = FindAlias(parser, FM_ALIAS_TYPE, "type", false, name->position)) < 0)
			return NULL;
		expr = NewColumn(parser, alias, alias < 0 ? attributes[i].name : "name", attributes[i].type, name->position);
		if (!name->quoted && strcmp(name->text, attributes[i].name) == 0)
			expr->enumeration = attributes[i].enumeration;
		return expr;
	}
	return UnknownName(parser, name);
}

FmExpr *
fm_filter_parse_property(FmParser *parser)
{
	FmToken token = parser->token;
	FmFilterType type = token.field[0] == 'i'	? FM_TYPE_INT64
						: token.field[0] == 'd' ? FM_TYPE_DOUBLE
						: token.field[0] == 's' ? FM_TYPE_STRING
												: FM_TYPE_BOOL;
	int alias = FindAlias(parser, FM_ALIAS_PROPERTY, token.text, token.custom, token.position);

	if (alias < 0 || !fm_filter_advance(parser))
		return NULL;
	return NewColumn(parser, alias, token.field, type, token.position);
}

FmExpr *
fm_filter_parse_enum_name(FmParser *parser, const FmEnum *enumeration)
{
	StringInfoData names;
	int position = parser->token.position;

	if (parser->token.kind == FM_TOKEN_IDENT && !parser->token.quoted)
		for (int i = 0; i < enumeration->n_names; i++)
			if (enumeration->names[i] != NULL && strcmp(parser->token.text, enumeration->names[i]) == 0)
				return fm_filter_advance(parser) ? fm_filter_new_int(i, position) : NULL;
	fm_filter_fail_at(parser, position, ERRCODE_INVALID_PARAMETER_VALUE, "\"%s\" is no %s", parser->token.text,
					  enumeration->of);
	initStringInfo(&names);
	for (int i = 0; i < enumeration->n_names; i++)
		if (enumeration->names[i] != NULL)
			appendStringInfo(&names, "%s%s",
							 names.len == 0					 ? ""
							 : i == enumeration->n_names - 1 ? " or "
															 : ", ",
							 enumeration->names[i]);
	fm_fail_hint(parser->error, "Write %s.", names.data);
	return NULL;
}
