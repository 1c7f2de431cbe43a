/*
 * Lists of features that a session has asked for, kept ready: resolved, with plans and with how to read by index. The catalogue's tables
 * announce changes (store_definition_changed), the online tables do so by themselves.
 */
#include "store/online.h"
#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

/* More lists of features than this, and the one that was made first is forgotten */
#define MAX_CACHED_REQUESTS 64

typedef struct RequestUser
{
	OnlineRequest *request;
	MemoryContextCallback callback;
} RequestUser;

static OnlineRequest *cached_requests = NULL; /* the last made first */
static int ncached_requests = 0;
static uint64 generation = 1;
static const char *const catalogue_tables[] = {"feature_view",		   "feature_view_version",
											   "feature_view_feature", "feature_view_entity",
											   "feature_entity",	   "feature_service_feature"};
static Oid catalogue_oids[lengthof(catalogue_tables)];

/*
 * If it is the catalogue that changed, what was resolved is out of date. Runs inside the processing of invalidations: looks at
 * nothing but its own memory.
 */
static void
relation_changed(Datum arg, Oid relation)
{
	for (int i = 0; i < (int) lengthof(catalogue_oids); i++)
		if (relation == InvalidOid || relation == catalogue_oids[i])
		{
			generation++;
			return;
		}
	for (OnlineRequest *request = cached_requests; request != NULL; request = request->next)
		for (int v = 0; v < request->nviews; v++)
			if (request->views[v].definition->online_table == relation)
				request->generation = 0;
}

/*
 * The plans' texts have the names of schemas
 */
static void
schema_changed(Datum arg, int cache, uint32 hash)
{
	generation++;
}

static void
watch_catalogue(void)
{
	static bool registered = false;
	Oid schema = get_namespace_oid("feature_meta", false);

	for (int i = 0; i < (int) lengthof(catalogue_tables); i++)
		catalogue_oids[i] = get_relname_relid(catalogue_tables[i], schema);
	if (!registered)
	{
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
		CacheRegisterSyscacheCallback(NAMESPACEOID, schema_changed, (Datum) 0);
	}
	registered = true;
}

static SPIPlanPtr
prepare(const char *sql, int nargs, Oid *types)
{
	SPIPlanPtr plan = SPI_prepare(sql, nargs, types);

	if (plan == NULL)
		elog(ERROR, "could not prepare a query of the feature store: %s", SPI_result_code_string(SPI_result));
	return plan;
}

/*
 * Prepares the reads of a view: by one key, and by arrays of keys
 */
static void
prepare_view(OnlineView *view, StoreView *definition, const Oid *key_types)
{
	StringInfoData columns, one, many;
	char *table = quote_qualified_identifier(get_namespace_name(get_rel_namespace(definition->online_table)),
											 get_rel_name(definition->online_table));
	int n = definition->nkeys;
	Oid *arrays = palloc(sizeof(Oid) * n);

	view->definition = definition;
	view->key_input = palloc(sizeof(FmgrInfo) * n);
	view->key_ioparam = palloc(sizeof(Oid) * n);
	view->key_array = arrays;
	initStringInfo(&columns);
	appendStringInfo(&columns, "t.%s", quote_identifier(definition->event_time.name));
	for (int i = 0; i < definition->nfeatures; i++)
		appendStringInfo(&columns, ", t.%s", quote_identifier(definition->features[i].name));
	initStringInfo(&one);
	appendStringInfo(&one, "SELECT 1::pg_catalog.int8, %s FROM %s t WHERE ", columns.data, table);
	initStringInfo(&many);
	appendStringInfo(&many, "SELECT k.ordinality, %s FROM ROWS FROM (", columns.data);
	for (int i = 0; i < n; i++)
	{
		Oid input;

		arrays[i] = get_array_type(key_types[i]);
		if (!OidIsValid(arrays[i]))
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
							errmsg("type %s of a join key has no array type", format_type_be(key_types[i]))));
		getTypeInputInfo(key_types[i], &input, &view->key_ioparam[i]);
		fmgr_info(input, &view->key_input[i]);
		appendStringInfo(&one, "%st.%s %s $%d", i > 0 ? " AND " : "", quote_identifier(definition->keys[i].name),
						 store_equality_operator(key_types[i]), i + 1);
		appendStringInfo(&many, "%spg_catalog.unnest($%d)", i > 0 ? ", " : "", i + 1);
	}
	appendStringInfoString(&many, ") WITH ORDINALITY AS k(");
	for (int i = 0; i < n; i++)
		appendStringInfo(&many, "k%d, ", i + 1);
	appendStringInfo(&many, "ordinality) JOIN %s t ON ", table);
	for (int i = 0; i < n; i++)
		appendStringInfo(&many, "%st.%s %s k.k%d", i > 0 ? " AND " : "", quote_identifier(definition->keys[i].name),
						 store_equality_operator(key_types[i]), i + 1);
	view->one = prepare(one.data, n, (Oid *) key_types);
	view->many = prepare(many.data, n, arrays);
}

/*
 * Finds out whether the online table can be read by its primary key, and how
 */
static void
prepare_index(OnlineView *view)
{
	StoreView *definition = view->definition;
	Relation table = table_open(definition->online_table, AccessShareLock);
	bool plain = table->rd_rel->relkind == RELKIND_RELATION && !table->rd_rel->relhassubclass;
	Oid index_oid = plain ? FM_PRIMARY_KEY_INDEX(table) : InvalidOid;

	view->index = InvalidOid;
	view->event_attribute = get_attnum(definition->online_table, definition->event_time.name);
	view->attributes = palloc(sizeof(AttrNumber) * Max(definition->nfeatures, 1));
	for (int i = 0; i < definition->nfeatures; i++)
		view->attributes[i] = get_attnum(definition->online_table, definition->features[i].name);
	if (OidIsValid(index_oid))
	{
		Relation index = index_open(index_oid, AccessShareLock);
		bool fits = index->rd_rel->relam == BTREE_AM_OID && index->rd_index->indnkeyatts == definition->nkeys &&
					index->rd_index->indisvalid;

		view->scan_keys = palloc0(sizeof(ScanKeyData) * definition->nkeys);
		for (int k = 0; fits && k < definition->nkeys; k++)
		{
			Oid operator= get_opfamily_member(index->rd_opfamily[k], index->rd_opcintype[k], index->rd_opcintype[k],
											  BTEqualStrategyNumber);

			fits =
				index->rd_index->indkey.values[k] == get_attnum(definition->online_table, definition->keys[k].name) &&
				OidIsValid(operator);
			if (fits)
				ScanKeyEntryInitialize(&view->scan_keys[k], 0, k + 1, BTEqualStrategyNumber, InvalidOid,
									   index->rd_indcollation[k], get_opcode(operator), (Datum) 0);
		}
		if (fits)
			view->index = index_oid;
		index_close(index, NoLock);
	}
	table_close(table, NoLock);
}

static void
free_request(OnlineRequest *request)
{
	for (int v = 0; v < request->nviews; v++)
	{
		if (request->views[v].one)
			SPI_freeplan(request->views[v].one);
		if (request->views[v].many)
			SPI_freeplan(request->views[v].many);
	}
	MemoryContextDelete(request->context);
}

static void
leave_request(void *arg)
{
	OnlineRequest *request = ((RequestUser *) arg)->request;

	if (--request->users == 0 && !request->kept)
		free_request(request);
}

static OnlineRequest *
use_request(OnlineRequest *request)
{
	RequestUser *user = palloc0(sizeof(RequestUser));

	user->request = request;
	user->callback.func = leave_request;
	user->callback.arg = user;
	request->users++;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &user->callback);
	return request;
}

/*
 * Takes a request out of the list. Who still reads with it hears of no more changes, so it counts as changed.
 */
static void
forget_request(OnlineRequest **link)
{
	OnlineRequest *request = *link;

	*link = request->next;
	ncached_requests--;
	request->kept = false;
	request->generation = 0;
	if (request->users == 0)
		free_request(request);
}

static void
keep_request(OnlineRequest *request)
{
	if (ncached_requests >= MAX_CACHED_REQUESTS)
	{
		OnlineRequest **last = &cached_requests;

		while ((*last)->next != NULL)
			last = &(*last)->next;
		forget_request(last);
	}
	request->kept = true;
	request->next = cached_requests;
	cached_requests = request;
	ncached_requests++;
}

/*
 * Makes a request ready. An error leaves nothing behind but the context, which hangs below the caller's until
 * all is well.
 */
static OnlineRequest *
build_request(const char *schema, Datum references, bool full_names)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "online features", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	OnlineRequest *request = palloc0(sizeof(OnlineRequest));
	StoreRequest *resolved;
	StringInfoData all_present;

	SPI_connect();
	MemoryContextSwitchTo(context);
	watch_catalogue();
	request->context = context;
	request->generation = generation;
	request->full_names = full_names;
	request->references = (bytea *) PG_DETOAST_DATUM_COPY(references);
	resolved = store_resolve_online(schema, references);
	MemoryContextSwitchTo(context);
	request->nfeatures = resolved->nfeatures;
	request->features = palloc0(sizeof(OnlineFeature) * resolved->nfeatures);
	initStringInfo(&all_present);
	for (int f = 0; f < resolved->nfeatures; f++)
	{
		OnlineFeature *feature = &request->features[f];
		StoreView *view = resolved->views[resolved->features[f].view];
		StoreColumn *column = &view->features[resolved->features[f].feature];
		StringInfoData label;
		bool varlena;
		Oid output;

		initStringInfo(&label);
		escape_json(&label, full_names ? psprintf("%s__%s", view->name, column->name) : column->name);
		feature->label = label.data;
		feature->prefix = psprintf("%s%s: ", f > 0 ? ", " : "{", label.data);
		feature->prefix_size = strlen(feature->prefix);
		for (int g = 0; g < f; g++)
			if (strcmp(request->features[g].label, feature->label) == 0)
				ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN),
								errmsg("feature %s would occur twice in the result", feature->label),
								errhint("Ask for full_feature_names => true.")));
		feature->view = resolved->features[f].view;
		feature->column = resolved->features[f].feature;
		if (!OidIsValid(view->online_table))
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							errmsg("feature view \"%s\" is not online", view->name),
							errhint("Call enable_online() and materialize() first.")));
		feature->type = getBaseType(store_column_type(view->online_table, column->name));
		feature->form = online_json_form(feature->type);
		getTypeOutputInfo(feature->type, &output, &varlena);
		fmgr_info(output, &feature->output);
		appendStringInfo(&all_present, "%s\"PRESENT\"", feature->prefix);
	}
	appendStringInfoChar(&all_present, '}');
	request->all_present = all_present.data;
	request->all_present_size = all_present.len;
	request->views = palloc0(sizeof(OnlineView) * resolved->nviews);
	request->nviews = resolved->nviews;
	for (int v = 0; v < resolved->nviews; v++)
	{
		StoreView *view = resolved->views[v];
		StringInfoData label;
		Oid *types = palloc(sizeof(Oid) * view->nkeys);

		for (int k = 0; k < view->nkeys; k++)
			types[k] = view->keys[k].type = store_column_type(view->online_table, view->keys[k].name);
		prepare_view(&request->views[v], view, types);
		MemoryContextSwitchTo(context); /* SPI leaves its own behind */
		prepare_index(&request->views[v]);
		initStringInfo(&label);
		escape_json(&label, view->name);
		request->views[v].prefix = psprintf("%s%s: ", v > 0 ? ", " : "{", label.data);
		request->views[v].prefix_size = strlen(request->views[v].prefix);
	}
	/* from here on nothing can fail */
	for (int v = 0; v < request->nviews; v++)
	{
		SPI_keepplan(request->views[v].one);
		SPI_keepplan(request->views[v].many);
	}
	MemoryContextSetParent(context, CacheMemoryContext);
	SPI_finish();
	MemoryContextSwitchTo(old);
	return request;
}

bool
online_request_is_current(const OnlineRequest *request)
{
	return request->generation == generation;
}

OnlineRequest *
online_find_request(FunctionCallInfo fcinfo, ArrayType *references, bool full_names)
{
	OnlineRequest *request;

	for (OnlineRequest **link = &cached_requests; (request = *link) != NULL; link = &request->next)
		if (request->full_names == full_names && VARSIZE(request->references) == VARSIZE(references) &&
			memcmp(request->references, references, VARSIZE(references)) == 0)
		{
			if (online_request_is_current(request))
				return use_request(request);
			forget_request(link);
			break;
		}
	request = build_request(store_schema(fcinfo), PointerGetDatum(references), full_names);
	keep_request(request);
	return use_request(request);
}
