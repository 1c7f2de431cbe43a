/*
 * A lineage_graph into the store: its ids are labels of its own, every node is new or found by external id or name
 */
#include "lineage/store.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "message/message_type.h"
#include "metadata_store.pb-c.h"
#include "utils/hsearch.h"

PG_FUNCTION_INFO_V1(put_lineage_graph);

/* What an id of the graph stands for */
typedef struct LabelKey
{
	int64 kind; /* FmNodeKind; types have 3 more */
	int64 id;
} LabelKey;

typedef struct Label
{
	LabelKey key;
	int64 index; /* node: its place in the list; type: its stored id */
} Label;

#define TYPE_OF(kind) ((kind) + FM_NODE_KINDS)

static void
add_label(HTAB *labels, int64 kind, int64 id, int64 index, const char *what)
{
	LabelKey key = {kind, id};
	bool found;
	Label *label = hash_search(labels, &key, HASH_ENTER, &found);

	if (found)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("lineage_graph has two of %s " INT64_FORMAT, what, id)));
	label->index = index;
}

static int64
find_label(HTAB *labels, int64 kind, int64 id, const char *what)
{
	LabelKey key = {kind, id};
	Label *label = hash_search(labels, &key, HASH_FIND, NULL);

	if (label == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("lineage_graph has no %s " INT64_FORMAT, what, id),
				 errdetail("A node or an edge of it names it.")));
	return label->index;
}

/* The fields that types and nodes of all kinds have, which are messages of different C types */
#define TYPE_SPEC(spec, type, node_kind)                                                                               \
	do                                                                                                                 \
	{                                                                                                                  \
		(spec).kind = (node_kind);                                                                                     \
		(spec).name = (type)->name;                                                                                    \
		(spec).version = (type)->version;                                                                              \
		(spec).description = (type)->description;                                                                      \
		(spec).external_id = (type)->external_id;                                                                      \
		(spec).can_add_fields = (spec).can_omit_fields = true;                                                         \
		(spec).property_names = palloc(sizeof(char *) * ((type)->n_properties + 1));                                   \
		(spec).property_kinds = palloc(sizeof(FmPropertyKind) * ((type)->n_properties + 1));                           \
		for (size_t p_ = 0; p_ < (type)->n_properties; p_++)                                                           \
		{                                                                                                              \
			(spec).property_names[p_] = (type)->properties[p_]->key;                                                   \
			(spec).property_kinds[p_] = (FmPropertyKind) (type)->properties[p_]->value;                                \
		}                                                                                                              \
		(spec).n_properties = (type)->n_properties;                                                                    \
	} while (0)

#define NODE_VALUES(node, source)                                                                                      \
	do                                                                                                                 \
	{                                                                                                                  \
		(node)->values = palloc0(sizeof(FmProperty) * ((source)->n_properties + (source)->n_custom_properties + 1));   \
		for (size_t p_ = 0; p_ < (source)->n_properties; p_++)                                                         \
			add_value(node, (source)->properties[p_]->key, (source)->properties[p_]->value, false);                    \
		for (size_t p_ = 0; p_ < (source)->n_custom_properties; p_++)                                                  \
			add_value(node, (source)->custom_properties[p_]->key, (source)->custom_properties[p_]->value, true);       \
	} while (0)

#define NODE_FIELDS(node, source, node_kind, i, labels, reuse_)                                                        \
	do                                                                                                                 \
	{                                                                                                                  \
		fm_node_init(node, node_kind, psprintf("%ss[%zu]", fm_kind_name(node_kind), (size_t) (i)));                    \
		(node)->name = (source)->name;                                                                                 \
		(node)->external_id = (source)->external_id;                                                                   \
		(node)->reuse = (reuse_);                                                                                      \
		node_type_of_graph(node, labels, (source)->has_type_id ? &(source)->type_id : NULL, (source)->type);           \
		NODE_VALUES(node, source);                                                                                     \
		if ((source)->has_id)                                                                                          \
			add_label(labels, node_kind, (source)->id, i, fm_kind_name(node_kind));                                    \
	} while (0)

static void
add_value(FmNode *node, const char *name, const Mlmd__Value *value, bool is_custom)
{
	FmProperty *property = &node->values[node->n_values];

	property->name = name;
	property->is_custom = is_custom;
	if (fm_property_from_message(value, psprintf("%s.%s", node->place, name), property))
		node->n_values++;
}

/* A node's type: the graph's own by id, or else one that is stored, by name */
static void
node_type_of_graph(FmNode *node, HTAB *labels, const int64_t *type_id, char *type)
{
	LabelKey key = {TYPE_OF(node->kind), type_id ? *type_id : 0};
	Label *label = type_id ? hash_search(labels, &key, HASH_FIND, NULL) : NULL;

	if (label != NULL)
		node->type_id = label->index;
	else if (type != NULL)
		node->type = type;
	else
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("lineage_graph does not say of what type %s is", node->place)));
}

static void
put_type(HTAB *labels, const int64_t *id, const FmTypeSpec *spec)
{
	FmTypes none = {NULL};
	FmType *type = fm_put_type(&none, spec);

	if (id != NULL)
		add_label(labels, TYPE_OF(spec->kind), *id, type->id, "type");
}

static void
put_types(const Mlmd__LineageGraph *graph, HTAB *labels)
{
	static const char *const artifact_bases[] = {NULL, "Dataset", "Model", "Metrics", "Statistics"};
	static const char *const execution_bases[] = {NULL, "Train", "Transform", "Process", "Evaluate", "Deploy"};

	for (size_t i = 0; i < graph->n_artifact_types; i++)
	{
		const Mlmd__ArtifactType *type = graph->artifact_types[i];
		FmTypeSpec spec = {0};

		TYPE_SPEC(spec, type, FM_ARTIFACT);
		if (type->has_base_type && type->base_type > 0 && type->base_type < (int) lengthof(artifact_bases))
			spec.base_type = artifact_bases[type->base_type];
		put_type(labels, type->has_id ? &type->id : NULL, &spec);
	}
	for (size_t i = 0; i < graph->n_execution_types; i++)
	{
		const Mlmd__ExecutionType *type = graph->execution_types[i];
		FmTypeSpec spec = {0};
		FmError error = {0};
		StringInfoData json[2];

		TYPE_SPEC(spec, type, FM_EXECUTION);
		if (type->has_base_type && type->base_type > 0 && type->base_type < (int) lengthof(execution_bases))
			spec.base_type = execution_bases[type->base_type];
		for (int side = 0; side < 2; side++)
		{
			const Mlmd__ArtifactStructType *signature = side == 0 ? type->input_type : type->output_type;

			initStringInfo(&json[side]);
			if (signature == NULL)
				continue;
			if (!fm_message_print_json(&signature->base, &json[side], &error))
				fm_throw(&error, NULL);
			*(side == 0 ? &spec.input_type : &spec.output_type) = json[side].data;
		}
		put_type(labels, type->has_id ? &type->id : NULL, &spec);
	}
	for (size_t i = 0; i < graph->n_context_types; i++)
	{
		const Mlmd__ContextType *type = graph->context_types[i];
		FmTypeSpec spec = {0};

		TYPE_SPEC(spec, type, FM_CONTEXT);
		put_type(labels, type->has_id ? &type->id : NULL, &spec);
	}
}

static void
put_events(const Mlmd__LineageGraph *graph, HTAB *labels, FmNode *const *nodes, int64 now)
{
	FmEvent *events = palloc(sizeof(FmEvent) * (graph->n_events + 1));

	for (size_t i = 0; i < graph->n_events; i++)
	{
		const Mlmd__Event *source = graph->events[i];
		FmEvent *event = &events[i];

		CHECK_FOR_INTERRUPTS();
		fm_event_init(event, source->type);
		event->artifact_id = nodes[FM_ARTIFACT][find_label(labels, FM_ARTIFACT, source->artifact_id, "artifact")].id;
		event->execution_id =
			nodes[FM_EXECUTION][find_label(labels, FM_EXECUTION, source->execution_id, "execution")].id;
		if (source->has_milliseconds_since_epoch)
			event->time = source->milliseconds_since_epoch;
		if (source->path == NULL || source->path->n_steps == 0)
			continue;
		event->n_steps = source->path->n_steps;
		event->step_indexes = palloc0(sizeof(int64) * event->n_steps);
		event->step_keys = palloc0(sizeof(char *) * event->n_steps);
		for (int j = 0; j < event->n_steps; j++)
		{
			const Mlmd__Event__Path__Step *step = source->path->steps[j];

			if (step->value_case == MLMD__EVENT__PATH__STEP__VALUE_KEY)
				event->step_keys[j] = step->key;
			else if (step->value_case == MLMD__EVENT__PATH__STEP__VALUE_INDEX)
				event->step_indexes[j] = step->index;
		}
	}
	fm_put_events(events, graph->n_events, now);
}

/* Attributions, associations and parent contexts: pairs of a context and another node */
#define PUT_PAIRS(count, array, node_kind, context_field, node_field)                                                  \
	do                                                                                                                 \
	{                                                                                                                  \
		int64 *contexts_ = palloc(sizeof(int64) * ((count) + 1));                                                      \
		int64 *nodes_ = palloc(sizeof(int64) * ((count) + 1));                                                         \
		for (size_t i_ = 0; i_ < (count); i_++)                                                                        \
		{                                                                                                              \
			contexts_[i_] =                                                                                            \
				nodes[FM_CONTEXT][find_label(labels, FM_CONTEXT, (array)[i_]->context_field, "context")].id;           \
			nodes_[i_] =                                                                                               \
				nodes[node_kind][find_label(labels, node_kind, (array)[i_]->node_field, fm_kind_name(node_kind))].id;  \
		}                                                                                                              \
		fm_put_link_pairs(node_kind, contexts_, nodes_, count);                                                        \
	} while (0)

/*
 * put_lineage_subgraph(lineage_graph, reuse) -> (execution_ids, artifact_ids, context_ids)
 */
Datum
put_lineage_graph(PG_FUNCTION_ARGS)
{
	const Mlmd__LineageGraph *graph = PG_GETARG_LINEAGE_GRAPH(0);
	FmReuse reuse = PG_GETARG_BOOL(1) ? FM_REUSE_UPDATE : FM_REUSE_NO;
	HASHCTL ctl = {.keysize = sizeof(LabelKey), .entrysize = sizeof(Label), .hcxt = CurrentMemoryContext};
	HTAB *labels = hash_create("ids of a lineage_graph", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	FmTypes types = {NULL};
	FmNode *nodes[FM_NODE_KINDS];
	size_t counts[FM_NODE_KINDS] = {graph->n_executions, graph->n_artifacts, graph->n_contexts};
	int64 now = fm_store_now();
	MemoryContext caller = CurrentMemoryContext;
	TupleDesc desc;
	Datum values[FM_NODE_KINDS];
	bool nulls[FM_NODE_KINDS] = {false, false, false};
	HeapTuple result;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	SPI_connect();
	put_types(graph, labels);
	for (int kind = 0; kind < FM_NODE_KINDS; kind++)
		nodes[kind] = palloc_extended(sizeof(FmNode) * (counts[kind] + 1), MCXT_ALLOC_HUGE);
	for (size_t i = 0; i < graph->n_executions; i++)
	{
		FmNode *node = &nodes[FM_EXECUTION][i];

		CHECK_FOR_INTERRUPTS();
		NODE_FIELDS(node, graph->executions[i], FM_EXECUTION, i, labels, reuse);
		if (graph->executions[i]->has_last_known_state)
			node->state = graph->executions[i]->last_known_state;
	}
	for (size_t i = 0; i < graph->n_artifacts; i++)
	{
		FmNode *node = &nodes[FM_ARTIFACT][i];

		CHECK_FOR_INTERRUPTS();
		NODE_FIELDS(node, graph->artifacts[i], FM_ARTIFACT, i, labels, reuse);
		node->uri = graph->artifacts[i]->uri;
		if (graph->artifacts[i]->has_state)
			node->state = graph->artifacts[i]->state;
	}
	for (size_t i = 0; i < graph->n_contexts; i++)
		NODE_FIELDS(&nodes[FM_CONTEXT][i], graph->contexts[i], FM_CONTEXT, i, labels, FM_REUSE_UPDATE);
	fm_put_nodes(&types, nodes[FM_CONTEXT], counts[FM_CONTEXT], now);
	fm_put_nodes(&types, nodes[FM_ARTIFACT], counts[FM_ARTIFACT], now);
	fm_put_nodes(&types, nodes[FM_EXECUTION], counts[FM_EXECUTION], now);
	put_events(graph, labels, nodes, now);
	PUT_PAIRS(graph->n_attributions, graph->attributions, FM_ARTIFACT, context_id, artifact_id);
	PUT_PAIRS(graph->n_associations, graph->associations, FM_EXECUTION, context_id, execution_id);
	PUT_PAIRS(graph->n_parent_contexts, graph->parent_contexts, FM_CONTEXT, parent_id, child_id);

	MemoryContextSwitchTo(caller);
	for (int kind = 0; kind < FM_NODE_KINDS; kind++)
		values[kind] = fm_put_node_ids(nodes[kind], counts[kind]);
	result = heap_form_tuple(BlessTupleDesc(desc), values, nulls);
	SPI_finish();
	PG_RETURN_DATUM(HeapTupleGetDatum(result));
}
