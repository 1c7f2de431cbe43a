/*
 * Writing nodes and edges: batches of new nodes in one statement, updates one by one under a row lock
 */
#include "lineage/store.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/*
 * The statements on the tables of a kind of node. The same parameters for each kind; a kind ignores what it has not.
 */
typedef struct KindSql
{
	const char *find;
	const char *lock;
	const char *update;
	const char *delete_properties;
} KindSql;

/* An argument of an update: what is not given stays, or goes when the node is replaced */
#define GIVEN(parameter, column) "CASE WHEN $6 THEN " parameter " ELSE coalesce(" parameter ", n." column ") END"
#define SET(parameter, column) ", " column " = " GIVEN(parameter, column)
#define DIFFERS(parameter, column) " OR n." column " IS DISTINCT FROM " GIVEN(parameter, column)

#define KIND_SQL(node, set, differs)                                                                                   \
	{                                                                                                                  \
		"SELECT id FROM mlmd." node " WHERE external_id = $3 UNION ALL "                                               \
		"SELECT id FROM mlmd." node " WHERE type_id = $1 AND name = $2 LIMIT 1",                                       \
			"SELECT type_id, last_update_time_since_epoch, name FROM mlmd." node " WHERE id = $1 FOR NO KEY UPDATE",   \
			"UPDATE mlmd." node                                                                                        \
			" AS n SET last_update_time_since_epoch = greatest($8, n.last_update_time_since_epoch + 1), "              \
			"name = coalesce(n.name, $2)" SET("$3", "external_id") set                                                 \
			" WHERE id = $1 AND ($7 "                                                                                  \
			"OR (n.name IS NULL AND $2 IS NOT NULL)" DIFFERS("$3", "external_id") differs ")",                         \
			"DELETE FROM mlmd." node "property p WHERE " node "_id = $1 AND CASE WHEN $4 THEN NOT EXISTS "             \
			"(SELECT FROM unnest($2::text[], $3::boolean[]) AS k (name, is_custom) WHERE k.name = p.name AND "         \
			"k.is_custom = p.is_custom_property) "                                                                     \
			"ELSE EXISTS (SELECT FROM unnest($2::text[], $3::boolean[]) AS k (name, is_custom) "                       \
			"WHERE k.name = p.name AND k.is_custom = p.is_custom_property) END"                                        \
	}

static const KindSql kind_sql[FM_NODE_KINDS] = {
	[FM_EXECUTION] = KIND_SQL("execution", SET("$5", "last_known_state"), DIFFERS("$5", "last_known_state")),
	[FM_ARTIFACT] =
		KIND_SQL("artifact", SET("$5", "state") SET("$4", "uri"), DIFFERS("$5", "state") DIFFERS("$4", "uri")),
	[FM_CONTEXT] = KIND_SQL("context", "", ""),
};

/* New nodes: the columns that all kinds have, then the kind's own */
#define NODE_COLUMNS "type_id", "name", "external_id", "create_time_since_epoch", "last_update_time_since_epoch"
#define NODE_INSERT(conflict)                                                                                          \
	{                                                                                                                  \
		[FM_EXECUTION] = {"execution", 6,		  {NODE_COLUMNS, "last_known_state"}, conflict "RETURNING id",         \
						  NULL,		   InvalidOid},                                                                    \
		[FM_ARTIFACT] = {"artifact", 7, {NODE_COLUMNS, "state", "uri"}, conflict "RETURNING id", NULL, InvalidOid},    \
		[FM_CONTEXT] = {"context", 5, {NODE_COLUMNS}, conflict "RETURNING id", NULL, InvalidOid},                      \
	}

static FmBatchInsert insert_nodes[FM_NODE_KINDS] = NODE_INSERT("");
static FmBatchInsert insert_node_if_absent[FM_NODE_KINDS] = NODE_INSERT("ON CONFLICT DO NOTHING ");

#define PROPERTY_COLUMNS                                                                                               \
	"name", "is_custom_property", "int_value", "double_value", "string_value", "proto_value", "bool_value"
#define PROPERTY_UPDATE(node)                                                                                          \
	"ON CONFLICT (" node "_id, name, is_custom_property) DO UPDATE SET int_value = EXCLUDED.int_value, "               \
	"double_value = EXCLUDED.double_value, string_value = EXCLUDED.string_value, proto_value = EXCLUDED.proto_value, " \
	"bool_value = EXCLUDED.bool_value, byte_value = NULL "                                                             \
	"WHERE (p.int_value, p.double_value, p.string_value, p.proto_value, p.bool_value) IS DISTINCT FROM "               \
	"(EXCLUDED.int_value, EXCLUDED.double_value, EXCLUDED.string_value, EXCLUDED.proto_value, EXCLUDED.bool_value)"

static FmBatchInsert insert_properties[FM_NODE_KINDS] = {
	[FM_EXECUTION] = {"executionproperty", 8, {"execution_id", PROPERTY_COLUMNS}, "", NULL, InvalidOid},
	[FM_ARTIFACT] = {"artifactproperty", 8, {"artifact_id", PROPERTY_COLUMNS}, "", NULL, InvalidOid},
	[FM_CONTEXT] = {"contextproperty", 8, {"context_id", PROPERTY_COLUMNS}, "", NULL, InvalidOid},
};
static FmBatchInsert update_properties[FM_NODE_KINDS] = {
	[FM_EXECUTION] =
		{"executionproperty", 8, {"execution_id", PROPERTY_COLUMNS}, PROPERTY_UPDATE("execution"), NULL, InvalidOid},
	[FM_ARTIFACT] =
		{"artifactproperty", 8, {"artifact_id", PROPERTY_COLUMNS}, PROPERTY_UPDATE("artifact"), NULL, InvalidOid},
	[FM_CONTEXT] =
		{"contextproperty", 8, {"context_id", PROPERTY_COLUMNS}, PROPERTY_UPDATE("context"), NULL, InvalidOid},
};

/* What is there already stays. The key is named: an id that is taken is an error, not an edge that is there. */
static FmBatchInsert insert_links[FM_NODE_KINDS] = {
	[FM_EXECUTION] = {"association",
					  2,
					  {"context_id", "execution_id"},
					  "ON CONFLICT (context_id, execution_id) DO NOTHING",
					  NULL,
					  InvalidOid},
	[FM_ARTIFACT] = {"attribution",
					 2,
					 {"context_id", "artifact_id"},
					 "ON CONFLICT (context_id, artifact_id) DO NOTHING",
					 NULL,
					 InvalidOid},
	[FM_CONTEXT] =
		{"parentcontext", 2, {"parent_context_id", "context_id"}, "ON CONFLICT DO NOTHING", NULL, InvalidOid},
};
static FmBatchInsert insert_events = {"event",
									  4,
									  {"artifact_id", "execution_id", "type", "milliseconds_since_epoch"},
									  "ON CONFLICT (artifact_id, execution_id, type) DO NOTHING",
									  NULL,
									  InvalidOid};

static const Oid find_types[] = {INT8OID, TEXTOID, TEXTOID};
static const Oid lock_types[] = {INT8OID};
static const Oid update_types[] = {INT8OID, TEXTOID, TEXTOID, TEXTOID, INT4OID, BOOLOID, BOOLOID, INT8OID};
static const Oid delete_types[] = {INT8OID, TEXTARRAYOID, BOOLARRAYOID, BOOLOID};

/* Where a node stands, for errors */
static const char *
node_place(const FmNode *node)
{
	return node->place ? node->place : fm_kind_name(node->kind);
}

/* ---------------------------------------------------------------------------------------------------------------- */
/* Columns of parameters */

typedef struct Column
{
	Oid type;
	int n;
	int room;
	Datum *values;
	bool *nulls;
} Column;

static void
add_value(Column *column, Datum value, bool isnull)
{
	if (column->n == column->room)
	{
		column->room = column->room == 0 ? 16 : column->room * 2;
		column->values = column->values == NULL ? palloc(sizeof(Datum) * column->room)
												: repalloc(column->values, sizeof(Datum) * column->room);
		column->nulls = column->nulls == NULL ? palloc(sizeof(bool) * column->room)
											  : repalloc(column->nulls, sizeof(bool) * column->room);
	}
	column->values[column->n] = value;
	column->nulls[column->n++] = isnull;
}

static void
add_text(Column *column, const char *value)
{
	add_value(column, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

static Datum
column_array(Column *column)
{
	int16 length;
	bool by_value;
	char align;
	int lower = 1;

	get_typlenbyvalalign(column->type, &length, &by_value, &align);
	return PointerGetDatum(construct_md_array(column->values, column->nulls, 1, &column->n, &lower, column->type,
											  length, by_value, align));
}

static Datum
text_datum(const char *value, bool *isnull)
{
	*isnull = value == NULL;
	return value ? CStringGetTextDatum(value) : (Datum) 0;
}

static void
add_property(FmBatch *rows, int64 id, const FmProperty *property)
{
	FmPropertyKind kind = property->kind;
	Datum values[8];
	bool nulls[8] = {false, false, false};

	values[0] = Int64GetDatum(id);
	values[1] = CStringGetTextDatum(property->name);
	values[2] = BoolGetDatum(property->is_custom);
	values[3] = Int64GetDatum(property->int_value);
	nulls[3] = kind != FM_PROPERTY_INT;
	values[4] = Float8GetDatum(property->double_value);
	nulls[4] = kind != FM_PROPERTY_DOUBLE;
	values[5] =
		text_datum(kind == FM_PROPERTY_STRING || kind == FM_PROPERTY_STRUCT ? property->string_value : NULL, &nulls[5]);
	values[6] = PointerGetDatum(property->proto_value);
	nulls[6] = kind != FM_PROPERTY_PROTO;
	values[7] = BoolGetDatum(property->bool_value);
	nulls[7] = kind != FM_PROPERTY_BOOLEAN;
	fm_batch_add(rows, values, nulls);
}

/* The names and sorts of properties */
typedef struct PropertyNames
{
	Column names;
	Column customs;
} PropertyNames;

static void
names_init(PropertyNames *names)
{
	memset(names, 0, sizeof(PropertyNames));
	names->names.type = TEXTOID;
	names->customs.type = BOOLOID;
}

static void
add_name(PropertyNames *names, const char *name, bool is_custom)
{
	add_text(&names->names, name);
	add_value(&names->customs, BoolGetDatum(is_custom), false);
}

/*
 * A node's properties, checked against its type, into rows; the names of those given into given and of those to be removed
 * into removed, unless these are NULL
 */
static void
read_properties(const FmNode *node, const FmType *type, int64 id, FmBatch *rows, PropertyNames *given,
				PropertyNames *removed)
{
	for (int i = 0; i < node->n_values; i++)
	{
		const FmProperty *value = &node->values[i];

		if (!value->is_custom && fm_type_property(type, value->name) != value->kind)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("%s type \"%s\" declares no property \"%s\" of this kind", fm_kind_name(node->kind),
								   type->name, value->name),
							node->place ? errdetail("It is in %s.", node->place) : 0));
		add_property(rows, id, value);
		if (given != NULL)
			add_name(given, value->name, value->is_custom);
	}
	for (int custom = 0; custom <= 1; custom++)
	{
		JsonbContainer *json = custom ? node->custom_properties : node->properties;
		JsonbIterator *it;
		JsonbIteratorToken token;
		JsonbValue item;

		if (json == NULL)
			continue;
		it = JsonbIteratorInit(json);
		while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
		{
			FmProperty property = {.is_custom = custom};
			FmPropertyKind declared = FM_PROPERTY_ANY;
			char *name;

			if (token != WJB_KEY)
				continue;
			name = pnstrdup(item.val.string.val, item.val.string.len);
			property.name = name;
			JsonbIteratorNext(&it, &item, true);
			if (!custom)
			{
				declared = fm_type_property(type, name);
				if (declared == FM_PROPERTY_ANY)
					ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
									errmsg("%s type \"%s\" declares no property \"%s\"", fm_kind_name(node->kind),
										   type->name, name),
									node->place ? errdetail("It is in %s.", node->place) : 0,
									errhint("Give it in custom_properties, or add it to the type by put_%s_type(.., "
											"can_add_fields => true).",
											fm_kind_name(node->kind))));
			}
			fm_property_from_json(&item, declared,
								  psprintf("%s%sproperties.%s", node->place ? psprintf("%s.", node->place) : "",
										   custom ? "custom_" : "", name),
								  &property);
			if (property.kind != FM_PROPERTY_ANY)
				add_property(rows, id, &property);
			if (property.kind == FM_PROPERTY_ANY ? removed != NULL : given != NULL)
				add_name(property.kind == FM_PROPERTY_ANY ? removed : given, name, custom);
		}
	}
}

/* ---------------------------------------------------------------------------------------------------------------- */
/* Nodes */

static FmType *
node_type(FmTypes *types, const FmNode *node)
{
	FmType *type;

	if (node->type_id != 0)
	{
		type = fm_type_by_id(types, node->kind, node->type_id);
		if (node->type != NULL && strcmp(node->type, type->name) != 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("%s type " INT64_FORMAT " is \"%s\", not \"%s\"", fm_kind_name(node->kind), type->id,
								   type->name, node->type),
							node->place ? errdetail("It is that of %s.", node->place) : 0));
		return type;
	}
	if (node->type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a new %s needs a type", fm_kind_name(node->kind)),
				 node->place ? errdetail("It is %s.", node->place) : 0));
	return fm_type_by_name(types, node->kind, node->type, node->type_version);
}

static void
check_context_name(const FmNode *node)
{
	if (node->kind == FM_CONTEXT && (node->name == NULL || *node->name == '\0'))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a new context needs a name"),
						node->place ? errdetail("It is %s.", node->place) : 0));
}

static void
report_missing(const FmNode *node)
{
	ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
					errmsg("%s " INT64_FORMAT " does not exist", fm_kind_name(node->kind), node->id),
					node->place ? errdetail("It is %s.", node->place) : 0));
}

/* Updates the stored node node->id: all or, with an error, nothing of it */
static void
update_node(FmTypes *types, FmNode *node, int64 now)
{
	static SPIPlanPtr lock[FM_NODE_KINDS];
	static SPIPlanPtr update[FM_NODE_KINDS];
	static SPIPlanPtr delete[FM_NODE_KINDS];
	FmNodeKind kind = node->kind;
	Datum values[8] = {Int64GetDatum(node->id)};
	char nulls[9] = "        ";
	FmBatch rows;
	PropertyNames given;
	PropertyNames removed;
	FmType *type;
	bool changed = node->touch;
	bool isnull;
	int64 type_id;
	int64 stored_time;
	char *stored_name;

	fm_store_execute(&lock[kind], kind_sql[kind].lock, 1, lock_types, values, NULL, 0);
	if (SPI_processed == 0)
		report_missing(node);
	type_id = fm_result_int64(0, 1, &isnull);
	stored_time = fm_result_int64(0, 2, &isnull);
	stored_name = fm_result_text(0, 3);
	if (node->last_update_time >= 0 && node->last_update_time != stored_time)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("%s " INT64_FORMAT " was updated in the meantime", fm_kind_name(kind), node->id),
						errdetail("Its last_update_time_since_epoch is " INT64_FORMAT ", not " INT64_FORMAT ".",
								  stored_time, node->last_update_time),
						errhint("Get it again and decide anew.")));
	if (node->name != NULL && stored_name != NULL && strcmp(node->name, stored_name) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the name of a stored %s does not change", fm_kind_name(kind)),
						errdetail("%s " INT64_FORMAT " is named \"%s\", not \"%s\".", node_place(node), node->id,
								  stored_name, node->name)));
	if (node->type_id == 0 && node->type == NULL)
		type = fm_type_by_id(types, kind, type_id);
	else
		type = node_type(types, node);
	if (type->id != type_id)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the type of a stored %s does not change", fm_kind_name(kind)),
				 errdetail("%s " INT64_FORMAT " is not of type \"%s\".", node_place(node), node->id, type->name)));

	names_init(&given);
	names_init(&removed);
	fm_batch_begin(&rows, &update_properties[kind]);
	read_properties(node, type, node->id, &rows, &given, &removed);
	if (node->replace || removed.names.n > 0)
	{
		/* replaced: all but the given ones go */
		PropertyNames *named = node->replace ? &given : &removed;

		values[1] = column_array(&named->names);
		values[2] = column_array(&named->customs);
		values[3] = BoolGetDatum(node->replace);
		fm_store_execute(&delete[kind], kind_sql[kind].delete_properties, 4, delete_types, values, NULL, 0);
		changed |= SPI_processed > 0;
	}
	fm_batch_execute(&rows);
	changed |= SPI_processed > 0;

	for (int i = 1; i < 4; i++)
	{
		const char *const text = i == 1 ? node->name : i == 2 ? node->external_id : node->uri;

		values[i] = text ? CStringGetTextDatum(text) : (Datum) 0;
		nulls[i] = text ? ' ' : 'n';
	}
	values[4] = Int32GetDatum(node->state);
	nulls[4] = node->state < 0 ? 'n' : ' ';
	values[5] = BoolGetDatum(node->replace);
	values[6] = BoolGetDatum(changed);
	values[7] = Int64GetDatum(now);
	fm_store_execute(&update[kind], kind_sql[kind].update, 8, update_types, values, nulls, 0);
}

static void
add_new_node(FmBatch *rows, const FmNode *node, const FmType *type, int64 now)
{
	Datum values[7];
	bool nulls[7] = {false};

	check_context_name(node);
	values[0] = Int64GetDatum(type->id);
	values[1] = text_datum(node->name, &nulls[1]);
	values[2] = text_datum(node->external_id, &nulls[2]);
	values[3] = values[4] = Int64GetDatum(now);
	values[5] = Int32GetDatum(node->state);
	nulls[5] = node->state < 0;
	values[6] = text_datum(node->uri, &nulls[6]);
	fm_batch_add(rows, values, nulls);
}

/*
 * Finds a node by external id or by type and name, or inserts it; true if it was there. Two callers at once: the second
 * one's insert waits for the first one, inserts nothing, and finds it.
 */
static bool
find_or_insert(FmNode *node, const FmType *type, int64 now)
{
	static SPIPlanPtr find[FM_NODE_KINDS];
	FmNodeKind kind = node->kind;
	Datum find_values[] = {Int64GetDatum(type->id), node->name ? CStringGetTextDatum(node->name) : (Datum) 0,
						   node->external_id ? CStringGetTextDatum(node->external_id) : (Datum) 0};
	char nulls[] = {' ', node->name ? ' ' : 'n', node->external_id ? ' ' : 'n', '\0'};
	bool isnull;

	for (int try = 0; try < 2; try++)
	{
		FmBatch rows;

		fm_store_execute(&find[kind], kind_sql[kind].find, 3, find_types, find_values, nulls, 1);
		if (SPI_processed > 0)
		{
			node->id = fm_result_int64(0, 1, &isnull);
			return true;
		}
		fm_batch_begin(&rows, &insert_node_if_absent[kind]);
		add_new_node(&rows, node, type, now);
		fm_batch_execute(&rows);
		if (SPI_processed > 0)
		{
			node->id = fm_result_int64(0, 1, &isnull);
			return false;
		}
	}
	fm_check_last_id(fm_kind_name(kind));
	ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					errmsg("%s was put and removed by other transactions at the same time", node_place(node))));
	return false;
}

/* Stored nodes are locked in the order of their ids, so that callers do not deadlock */
static int
compare_by_id(const void *a, const void *b)
{
	const FmNode *x = *(FmNode *const *) a;
	const FmNode *y = *(FmNode *const *) b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Nodes that may be there are found or made in the order of what is unique about them, for the same reason */
static int
compare_by_name(const void *a, const void *b)
{
	const FmNode *x = *(FmNode *const *) a;
	const FmNode *y = *(FmNode *const *) b;
	int order = strcmp(x->external_id ? x->external_id : "", y->external_id ? y->external_id : "");

	if (order == 0)
		order = strcmp(x->name ? x->name : "", y->name ? y->name : "");
	return order != 0 ? order : (x < y ? -1 : x > y);
}

void
fm_check_references(const FmNode *nodes, int n)
{
	static SPIPlanPtr find[FM_NODE_KINDS];

	for (int i = 0; i < n; i++)
	{
		Datum id = Int64GetDatum(nodes[i].id);

		CHECK_FOR_INTERRUPTS();
		if (!fm_node_is_reference(&nodes[i]))
			continue;
		fm_store_execute(&find[nodes[i].kind],
						 psprintf("SELECT 1 FROM mlmd.%s WHERE id = $1", fm_kind_name(nodes[i].kind)), 1, lock_types,
						 &id, NULL, 1);
		if (SPI_processed == 0)
			report_missing(&nodes[i]);
	}
}

void
fm_put_nodes(FmTypes *types, FmNode *nodes, int n, int64 now)
{
	FmNode **stored = palloc(sizeof(FmNode *) * (n + 1));
	FmNode **fresh = palloc(sizeof(FmNode *) * (n + 1));
	FmType **fresh_types = palloc(sizeof(FmType *) * (n + 1));
	FmNode **found = palloc(sizeof(FmNode *) * (n + 1));
	int n_stored = 0;
	int n_fresh = 0;
	int n_found = 0;
	int n_batch;
	FmNodeKind kind;
	FmBatch rows;
	bool isnull;

	if (n == 0)
		return;
	kind = nodes[0].kind;
	fm_batch_begin(&rows, &insert_nodes[kind]);
	for (int i = 0; i < n; i++)
	{
		FmType *type;

		CHECK_FOR_INTERRUPTS();
		if (nodes[i].id != 0)
		{
			if (!fm_node_is_reference(&nodes[i]))
				stored[n_stored++] = &nodes[i];
			continue;
		}
		if (nodes[i].reuse != FM_REUSE_NO && (nodes[i].external_id || nodes[i].name))
		{
			found[n_found++] = &nodes[i];
			continue;
		}
		type = node_type(types, &nodes[i]);
		add_new_node(&rows, &nodes[i], type, now);
		fresh_types[n_fresh] = type;
		fresh[n_fresh++] = &nodes[i];
	}
	n_batch = n_fresh;
	fm_batch_execute(&rows);
	if (SPI_processed != (uint64) n_batch)
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("a trigger on table mlmd.%s kept rows from being inserted", fm_kind_name(kind))));
	for (int i = 0; i < n_batch; i++)
		fresh[i]->id = fm_result_int64(i, 1, &isnull);
	qsort(found, n_found, sizeof(FmNode *), compare_by_name);
	for (int i = 0; i < n_found; i++)
	{
		FmType *type = node_type(types, found[i]);

		CHECK_FOR_INTERRUPTS();
		if (!find_or_insert(found[i], type, now))
		{
			fresh_types[n_fresh] = type;
			fresh[n_fresh++] = found[i];
		}
		else if (found[i]->reuse == FM_REUSE_UPDATE)
			stored[n_stored++] = found[i];
	}
	fm_batch_begin(&rows, &insert_properties[kind]);
	for (int i = 0; i < n_fresh; i++)
	{
		CHECK_FOR_INTERRUPTS();
		read_properties(fresh[i], fresh_types[i], fresh[i]->id, &rows, NULL, NULL);
	}
	fm_batch_execute(&rows);

	qsort(stored, n_stored, sizeof(FmNode *), compare_by_id);
	for (int i = 0; i < n_stored; i++)
		update_node(types, stored[i], now);
}

/* ---------------------------------------------------------------------------------------------------------------- */
/* Edges */

void
fm_put_events(FmEvent *events, int n, int64 now)
{
	static SPIPlanPtr insert_paths = NULL;
	static const Oid path_types[] = {INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID,
									 BOOLARRAYOID, INT8ARRAYOID, TEXTARRAYOID};
	FmBatch rows;
	Column paths[6] = {{.type = INT8OID}, {.type = INT8OID}, {.type = INT4OID},
					   {.type = BOOLOID}, {.type = INT8OID}, {.type = TEXTOID}};
	Datum values[6];

	if (n == 0)
		return;
	fm_batch_begin(&rows, &insert_events);
	for (int i = 0; i < n; i++)
	{
		const bool nulls[4] = {false};
		const Datum row[] = {Int64GetDatum(events[i].artifact_id), Int64GetDatum(events[i].execution_id),
							 Int32GetDatum(events[i].type), Int64GetDatum(events[i].time < 0 ? now : events[i].time)};

		CHECK_FOR_INTERRUPTS();
		fm_batch_add(&rows, row, nulls);
		for (int j = 0; j < events[i].n_steps; j++)
		{
			add_value(&paths[0], Int64GetDatum(events[i].artifact_id), false);
			add_value(&paths[1], Int64GetDatum(events[i].execution_id), false);
			add_value(&paths[2], Int32GetDatum(events[i].type), false);
			add_value(&paths[3], BoolGetDatum(events[i].step_keys[j] == NULL), false);
			add_value(&paths[4], Int64GetDatum(events[i].step_indexes[j]), events[i].step_keys[j] != NULL);
			add_text(&paths[5], events[i].step_keys[j]);
		}
	}
	fm_batch_execute(&rows);
	if (paths[0].n == 0)
		return;

	/* an event that was there before keeps its path */
	for (int i = 0; i < 6; i++)
		values[i] = column_array(&paths[i]);
	fm_store_execute(
		&insert_paths,
		"INSERT INTO mlmd.eventpath (event_id, is_index_step, step_index, step_key) "
		"SELECT e.id, p.is_index, p.index, p.key FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::boolean[], "
		"$5::bigint[], $6::text[]) WITH ORDINALITY AS p (artifact_id, execution_id, type, is_index, index, key, n) "
		"JOIN mlmd.event e USING (artifact_id, execution_id, type) "
		"WHERE NOT EXISTS (SELECT FROM mlmd.eventpath o WHERE o.event_id = e.id) ORDER BY p.n",
		6, path_types, values, NULL, 0);
}

void
fm_put_links(FmNodeKind kind, const int64 *contexts, int n_contexts, const int64 *nodes, int n_nodes)
{
	int64 *pairs = palloc_extended(sizeof(int64) * 2 * n_contexts * n_nodes + 1, MCXT_ALLOC_HUGE);
	int64 *pair_contexts = pairs;
	int64 *pair_nodes = pairs + (size_t) n_contexts * n_nodes;
	int n = 0;

	for (int i = 0; i < n_contexts; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < n_nodes; j++)
		{
			pair_contexts[n] = contexts[i];
			pair_nodes[n++] = nodes[j];
		}
	}
	fm_put_link_pairs(kind, pair_contexts, pair_nodes, n);
}

typedef struct Link
{
	int64 context;
	int64 node;
} Link;

static int
compare_links(const void *a, const void *b)
{
	const Link *x = a;
	const Link *y = b;

	if (x->context != y->context)
		return x->context < y->context ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

void
fm_put_link_pairs(FmNodeKind kind, const int64 *contexts, const int64 *nodes, int n)
{
	Link *links = palloc_extended(sizeof(Link) * (n + 1), MCXT_ALLOC_HUGE);
	FmBatch rows;
	const bool nulls[2] = {false};

	if (n == 0)
		return;
	for (int i = 0; i < n; i++)
		links[i] = (Link){contexts[i], nodes[i]};
	/* so that callers that link the same nodes wait for one another, and do not deadlock */
	qsort(links, n, sizeof(Link), compare_links);
	fm_batch_begin(&rows, &insert_links[kind]);
	for (int i = 0; i < n; i++)
	{
		const Datum row[] = {Int64GetDatum(links[i].context), Int64GetDatum(links[i].node)};

		fm_batch_add(&rows, row, nulls);
	}
	fm_batch_execute(&rows);
}
