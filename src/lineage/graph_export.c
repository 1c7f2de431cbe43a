/*
 * A lineage_graph value in the languages of others: DOT, Mermaid, OpenLineage
 */
#include "lineage/graph_call.h"
#include "lineage/traverse_call.h"

#include "common/cryptohash.h"
#include "common/sha1.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "message/message_type.h"
#include "metadata_store.pb-c.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* A node by what the exporters say of it */
typedef struct Label
{
	const char *name; /* what a person calls it: name, uri or id */
	const char *type; /* or NULL */
} Label;

static Label
ArtifactLabel(const Mlmd__Artifact *a)
{
	Label label = {a->name, a->type};

	if (label.name == NULL || label.name[0] == '\0')
		label.name = a->uri;
	if (label.name == NULL || label.name[0] == '\0')
		label.name = psprintf("artifact %lld", (long long) a->id);
	return label;
}

static Label
ExecutionLabel(const Mlmd__Execution *e)
{
	Label label = {e->name, e->type};

	if (label.name == NULL || label.name[0] == '\0')
		label.name = psprintf("execution %lld", (long long) e->id);
	return label;
}

/*
 * The event's name when it says more than the direction of the arrow
 */
static const char *
EventLabel(const Mlmd__Event *event)
{
	const ProtobufCEnumValue *value;

	if (event->type == MLMD__EVENT__TYPE__INPUT || event->type == MLMD__EVENT__TYPE__OUTPUT)
		return NULL;
	value = protobuf_c_enum_descriptor_get_value(&mlmd__event__type__descriptor, event->type);
	return value ? value->name : "UNKNOWN";
}

static bool
IsOutput(const Mlmd__Event *event)
{
	return (FM_OUTPUT_EVENTS & FM_EVENT_BIT((int) event->type)) != 0;
}

static Datum
Utf8Text(StringInfo out)
{
	return CStringGetTextDatum(pg_any_to_server(out->data, out->len, PG_UTF8));
}

/* Ids are part of names in DOT and Mermaid, where a minus sign cannot be */
static const char *
NodeName(char letter, int64 id)
{
	return id < 0 ? psprintf("%c_%llu", letter, (unsigned long long) -(uint64) id)
				  : psprintf("%c%lld", letter, (long long) id);
}

/* ---- DOT ---- */

/*
 * A string between quotes of DOT; \n in it is a new line there, so backslashes are doubled
 */
static void
AppendDotString(StringInfo out, const char *string)
{
	for (const char *p = string; *p != '\0'; p++)
	{
		if (*p == '"' || *p == '\\')
			appendStringInfoChar(out, '\\');
		if (*p == '\n' || *p == '\r')
			appendStringInfoString(out, "\\n");
		else
			appendStringInfoChar(out, *p);
	}
}

static void
AppendDotNode(StringInfo out, char letter, int64 id, Label label, const char *shape)
{
	appendStringInfo(out, "\t%s [shape=%s, label=\"", NodeName(letter, id), shape);
	AppendDotString(out, label.name);
	if (label.type != NULL && label.type[0] != '\0')
	{
		appendStringInfoString(out, "\\n");
		AppendDotString(out, label.type);
	}
	appendStringInfoString(out, "\"];\n");
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_to_dot);

/*
 * to_dot(graph lineage_graph) -> text
 */
Datum
lineage_graph_to_dot(PG_FUNCTION_ARGS)
{
	Mlmd__LineageGraph *graph = PG_GETARG_LINEAGE_GRAPH(0);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "digraph lineage {\n\trankdir=LR;\n");
	for (size_t i = 0; i < graph->n_artifacts; i++)
	{
		CHECK_FOR_INTERRUPTS();
		AppendDotNode(&out, 'a', graph->artifacts[i]->id, ArtifactLabel(graph->artifacts[i]), "ellipse");
	}
	for (size_t i = 0; i < graph->n_executions; i++)
	{
		CHECK_FOR_INTERRUPTS();
		AppendDotNode(&out, 'e', graph->executions[i]->id, ExecutionLabel(graph->executions[i]), "box");
	}
	for (size_t i = 0; i < graph->n_events; i++)
	{
		const Mlmd__Event *event = graph->events[i];
		const char *label = EventLabel(event);
		const char *artifact = NodeName('a', event->artifact_id);
		const char *execution = NodeName('e', event->execution_id);

		CHECK_FOR_INTERRUPTS();
		appendStringInfo(&out, "\t%s -> %s", IsOutput(event) ? execution : artifact,
						 IsOutput(event) ? artifact : execution);
		if (label != NULL)
			appendStringInfo(&out, " [label=\"%s\"]", label);
		appendStringInfoString(&out, ";\n");
	}
	appendStringInfoString(&out, "}\n");
	PG_RETURN_DATUM(Utf8Text(&out));
}

/* ---- Mermaid ---- */

/*
 * A string between quotes of Mermaid, which reads entities in it
 */
static void
AppendMermaidString(StringInfo out, const char *string)
{
	for (const char *p = string; *p != '\0'; p++)
	{
		if (strchr("\"#&<>`\\", *p) != NULL)
			appendStringInfo(out, "#%d;", *p);
		else if (*p == '\n' || *p == '\r')
			appendStringInfoChar(out, ' ');
		else
			appendStringInfoChar(out, *p);
	}
}

static void
AppendMermaidNode(StringInfo out, const char *name, Label label, const char *open, const char *close)
{
	appendStringInfo(out, "    %s%s\"", name, open);
	AppendMermaidString(out, label.name);
	if (label.type != NULL && label.type[0] != '\0')
	{
		appendStringInfoString(out, "<br/>");
		AppendMermaidString(out, label.type);
	}
	appendStringInfo(out, "\"%s\n", close);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_to_mermaid);

/*
 * to_mermaid(graph lineage_graph) -> text
 */
Datum
lineage_graph_to_mermaid(PG_FUNCTION_ARGS)
{
	Mlmd__LineageGraph *graph = PG_GETARG_LINEAGE_GRAPH(0);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "flowchart LR\n");
	for (size_t i = 0; i < graph->n_artifacts; i++)
	{
		CHECK_FOR_INTERRUPTS();
		AppendMermaidNode(&out, NodeName('a', graph->artifacts[i]->id), ArtifactLabel(graph->artifacts[i]), "([", "])");
	}
	for (size_t i = 0; i < graph->n_executions; i++)
	{
		CHECK_FOR_INTERRUPTS();
		AppendMermaidNode(&out, NodeName('e', graph->executions[i]->id), ExecutionLabel(graph->executions[i]), "[",
						  "]");
	}
	for (size_t i = 0; i < graph->n_events; i++)
	{
		const Mlmd__Event *event = graph->events[i];
		const char *label = EventLabel(event);
		const char *artifact = NodeName('a', event->artifact_id);
		const char *execution = NodeName('e', event->execution_id);

		CHECK_FOR_INTERRUPTS();
		appendStringInfo(&out, "    %s -->%s%s%s %s\n", IsOutput(event) ? execution : artifact, label ? "|" : "",
						 label ? label : "", label ? "|" : "", IsOutput(event) ? artifact : execution);
	}
	PG_RETURN_DATUM(Utf8Text(&out));
}

/* ---- OpenLineage ---- */

#define SCHEMA_URL "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"

/*
 * Milliseconds since 1970 as a date-time of RFC 3339, in UTC
 */
static void
AppendTime(StringInfo out, int64 milliseconds)
{
	int64 days = milliseconds / 86400000 - (milliseconds % 86400000 < 0);
	int64 rest = milliseconds - days * 86400000;
	int64 era;
	int64 day_of_era;
	int64 year_of_era;
	int64 day_of_year;
	int64 month;
	int64 year;

	/* a calendar that begins in March has its odd day last; 400 years repeat */
	days += 719468;
	era = days / 146097 - (days % 146097 < 0);
	day_of_era = days - era * 146097;
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	year = year_of_era + era * 400 + (month >= 10);
	/* RFC 3339 has four digits */
	if (year < 0 || year > 9999)
	{
		appendStringInfoString(out, year < 0 ? "0000-01-01T00:00:00.000Z" : "9999-12-31T23:59:59.999Z");
		return;
	}
	appendStringInfo(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int) year, (int) (month < 10 ? month + 3 : month - 9),
					 (int) (day_of_year - (153 * month + 2) / 5 + 1), (int) (rest / 3600000), (int) (rest / 60000 % 60),
					 (int) (rest / 1000 % 60), (int) (rest % 1000));
}

/*
 * A UUID from a name (RFC 4122, version 5): the same execution gets the same run id every time
 */
static void
AppendRunId(StringInfo out, const char *namespace, const Mlmd__Execution *execution)
{
	StringInfoData name;
	uint8 digest[SHA1_DIGEST_LENGTH];
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA1);

	initStringInfo(&name);
	appendStringInfo(&name, "%s/execution/%lld/%lld", namespace, (long long) execution->id,
					 (long long) execution->create_time_since_epoch);
	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (uint8 *) name.data, name.len) < 0 ||
		pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute a run id");
	pg_cryptohash_free(context);
	digest[6] = (digest[6] & 0x0F) | 0x50;
	digest[8] = (digest[8] & 0x3F) | 0x80;
	for (int i = 0; i < 16; i++)
		appendStringInfo(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", digest[i]);
}

/*
 * Whether the name of a dataset of a scheme is a path from the root, as OpenLineage names files; else it is a key or a table
 */
static bool
NamesPaths(const char *uri, size_t scheme_size)
{
	static const char *const schemes[] = {"file", "hdfs", "dbfs", "sftp", "ftp"};

	for (size_t i = 0; i < lengthof(schemes); i++)
		if (strlen(schemes[i]) == scheme_size && pg_strncasecmp(uri, schemes[i], scheme_size) == 0)
			return true;
	return false;
}

/*
 * A dataset by OpenLineage's naming: of s3://bucket/path the namespace is s3://bucket, the name path; of file:///path the
 * namespace is file, the name /path; what has no uri is in our namespace
 */
static void
AppendDataset(StringInfo out, const char *namespace, const char *producer, const Mlmd__Artifact *artifact, int64 id)
{
	const char *authority = artifact == NULL || artifact->uri == NULL ? NULL : strstr(artifact->uri, "://");
	const char *path = authority == NULL ? NULL : strchr(authority + 3, '/');
	const char *name;

	if (path != NULL && path[1] != '\0' && authority > artifact->uri)
	{
		bool no_host = path == authority + 3;

		namespace = pnstrdup(artifact->uri, (no_host ? authority : path) - artifact->uri);
		name = NamesPaths(artifact->uri, authority - artifact->uri) ? path : path + 1;
	}
	else
		name = artifact == NULL ? psprintf("artifact %lld", (long long) id) : ArtifactLabel(artifact).name;
	appendStringInfoString(out, "{\"namespace\": ");
	escape_json(out, namespace);
	appendStringInfoString(out, ", \"name\": ");
	escape_json(out, name);
	appendStringInfoString(out, ", \"facets\": {\"version\": {\"_producer\": ");
	escape_json(out, producer);
	appendStringInfo(
		out,
		", \"_schemaURL\": \"https://openlineage.io/spec/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/"
		"DatasetVersionDatasetFacet\", \"datasetVersion\": \"%lld\"}}}",
		(long long) id);
}

static const char *
EventType(const Mlmd__Execution *execution)
{
	switch (execution->has_last_known_state ? execution->last_known_state : MLMD__EXECUTION__STATE__UNKNOWN)
	{
		case MLMD__EXECUTION__STATE__NEW:
			return "START";
		case MLMD__EXECUTION__STATE__RUNNING:
			return "RUNNING";
		case MLMD__EXECUTION__STATE__COMPLETE:
		case MLMD__EXECUTION__STATE__CACHED:
			return "COMPLETE";
		case MLMD__EXECUTION__STATE__FAILED:
			return "FAIL";
		case MLMD__EXECUTION__STATE__CANCELED:
			return "ABORT";
		default:
			return "OTHER";
	}
}

typedef struct ArtifactEntry
{
	int64 id;
	const Mlmd__Artifact *artifact;
} ArtifactEntry;

static int
CompareEvents(const void *a, const void *b)
{
	const Mlmd__Event *left = *(Mlmd__Event *const *) a;
	const Mlmd__Event *right = *(Mlmd__Event *const *) b;

	if (left->execution_id != right->execution_id)
		return left->execution_id < right->execution_id ? -1 : 1;
	if (left->artifact_id != right->artifact_id)
		return left->artifact_id < right->artifact_id ? -1 : 1;
	return IsOutput(left) - IsOutput(right);
}

/*
 * When what an execution's event tells was so, in milliseconds since 1970: the execution's last update; else the last of its
 * events; else when it was made; else when the last of its outputs, or else of its inputs, was made. False when nothing
 * says. MLMD has 0 where a time was not set.
 */
static bool
EventTime(const Mlmd__Execution *execution, Mlmd__Event *const *events, size_t n, HTAB *artifacts, int64 *time)
{
	int64 last_event = 0;
	int64 last_made[2] = {0, 0}; /* inputs, outputs */

	for (size_t i = 0; i < n; i++)
	{
		const ArtifactEntry *entry = hash_search(artifacts, &events[i]->artifact_id, HASH_FIND, NULL);
		int64 *made = &last_made[IsOutput(events[i])];

		if (events[i]->milliseconds_since_epoch != 0 &&
			(last_event == 0 || events[i]->milliseconds_since_epoch > last_event))
			last_event = events[i]->milliseconds_since_epoch;
		if (entry != NULL && entry->artifact->create_time_since_epoch != 0 &&
			(*made == 0 || entry->artifact->create_time_since_epoch > *made))
			*made = entry->artifact->create_time_since_epoch;
	}
	*time = execution->last_update_time_since_epoch != 0 ? execution->last_update_time_since_epoch
			: last_event != 0							 ? last_event
			: execution->create_time_since_epoch != 0	 ? execution->create_time_since_epoch
			: last_made[1] != 0							 ? last_made[1]
														 : last_made[0];
	return *time != 0;
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_to_openlineage);

/*
 * to_openlineage(graph lineage_graph, namespace text, producer text, event_time timestamptz) -> setof jsonb: a RunEvent an
 * execution; nothing when one of the first three is NULL. Error 22004 when the time of an execution is not known and
 * event_time is NULL, 22008 when event_time is infinite.
 */
Datum
lineage_graph_to_openlineage(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	HASHCTL control = {.keysize = sizeof(int64), .entrysize = sizeof(ArtifactEntry), .hcxt = CurrentMemoryContext};
	Mlmd__LineageGraph *graph;
	char *namespace;
	char *producer;
	HTAB *artifacts;
	Mlmd__Event **events;
	StringInfoData out;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	if (!PG_ARGISNULL(3) && TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(3)))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("event_time must be finite")));
	graph = PG_GETARG_LINEAGE_GRAPH(0);
	namespace = text_to_cstring(PG_GETARG_TEXT_PP(1));
	producer = text_to_cstring(PG_GETARG_TEXT_PP(2));
	artifacts =
		hash_create("artifacts by id", Max(graph->n_artifacts, 16), &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	events = palloc(Max(graph->n_events, 1) * sizeof(*events));
	namespace = pg_server_to_any(namespace, strlen(namespace), PG_UTF8);
	producer = pg_server_to_any(producer, strlen(producer), PG_UTF8);
	for (size_t i = 0; i < graph->n_artifacts; i++)
	{
		bool found;
		ArtifactEntry *entry = hash_search(artifacts, &graph->artifacts[i]->id, HASH_ENTER, &found);

		if (!found)
			entry->artifact = graph->artifacts[i];
	}
	if (graph->n_events > 0)
	{
		memcpy(events, graph->events, graph->n_events * sizeof(*events));
		qsort(events, graph->n_events, sizeof(*events), CompareEvents);
	}

	initStringInfo(&out);
	for (size_t i = 0; i < graph->n_executions; i++)
	{
		const Mlmd__Execution *execution = graph->executions[i];
		size_t low = 0;
		size_t high = graph->n_events;
		int64 time;
		Datum value;
		bool is_null = false;
		char *server;

		CHECK_FOR_INTERRUPTS();
		while (low < high)
		{
			size_t middle = low + (high - low) / 2;

			if (events[middle]->execution_id < execution->id)
				low = middle + 1;
			else
				high = middle;
		}
		for (high = low; high < graph->n_events && events[high]->execution_id == execution->id; high++)
			;
		if (!EventTime(execution, events + low, high - low, artifacts, &time))
		{
			if (PG_ARGISNULL(3))
				ereport(ERROR,
						(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						 errmsg("no time is known for execution %lld", (long long) execution->id),
						 errdetail("An event of OpenLineage has a time, and neither the execution nor its events and "
								   "artifacts have one."),
						 errhint("Give a time for such executions as event_time.")));
			time = fm_timestamp_to_milliseconds(PG_GETARG_TIMESTAMPTZ(3));
		}
		resetStringInfo(&out);
		appendStringInfo(&out, "{\"eventType\": \"%s\", \"eventTime\": \"", EventType(execution));
		AppendTime(&out, time);
		appendStringInfoString(&out, "\", \"run\": {\"runId\": \"");
		AppendRunId(&out, namespace, execution);
		appendStringInfoString(&out, "\"}, \"job\": {\"namespace\": ");
		escape_json(&out, namespace);
		appendStringInfoString(&out, ", \"name\": ");
		escape_json(&out, execution->type != NULL && execution->type[0] != '\0' ? execution->type
																				: ExecutionLabel(execution).name);
		appendStringInfoString(&out, "}, \"inputs\": [");
		for (int output = 0; output < 2; output++)
		{
			bool first = true;
			int64 last = 0;

			if (output)
				appendStringInfoString(&out, "], \"outputs\": [");
			for (size_t k = low; k < high; k++)
			{
				ArtifactEntry *entry;
				bool directed = (FM_INPUT_EVENTS | FM_OUTPUT_EVENTS) & FM_EVENT_BIT((int) events[k]->type);

				/* one artifact may have two events of a direction with an execution, declared and real: it is one dataset */
				if (!directed || IsOutput(events[k]) != output || (!first && events[k]->artifact_id == last))
					continue;
				entry = hash_search(artifacts, &events[k]->artifact_id, HASH_FIND, NULL);
				if (!first)
					appendStringInfoString(&out, ", ");
				AppendDataset(&out, namespace, producer, entry == NULL ? NULL : entry->artifact,
							  events[k]->artifact_id);
				first = false;
				last = events[k]->artifact_id;
			}
		}
		appendStringInfoString(&out, "], \"producer\": ");
		escape_json(&out, producer);
		appendStringInfoString(&out, ", \"schemaURL\": \"" SCHEMA_URL "\"}");
		server = pg_any_to_server(out.data, out.len, PG_UTF8);
		value = DirectFunctionCall1(jsonb_in, CStringGetDatum(server));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &is_null);
		pfree(DatumGetPointer(value));
	}
	return (Datum) 0;
}
