/*
 * get_online_features(): reads by key from the online tables, with what a call needs kept from call to call
 *
 * A session keeps, for each list of features it asked for, the resolved views and how to read each. An online table whose primary
 * key is as enable_online() made it is read by descents of that index, when the caller has SELECT on the whole table and no row
 * security applies: the executor's start and end would cost more than the read. In every other case a kept plan is run, so that
 * column privileges, row security, views and foreign tables are the server's business. The catalogue's tables announce changes
 * (store_definition_changed), the online tables do so by themselves.
 */
#include "store/store.h"
#include "access/genam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "funcapi.h"
#include "nodes/execnodes.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include <math.h>
#include "access/xact.h"

PG_FUNCTION_INFO_V1(get_online_features);

/* More lists of features than this, and the session starts over */
#define MAX_CACHED_REQUESTS 64

/* How a feature's value is written as JSON */
typedef enum JsonForm
{
	JSON_INTEGER,
	JSON_DOUBLE,
	JSON_NUMBER,
	JSON_BOOLEAN,
	JSON_RAW,	/* json */
	JSON_BINARY, /* jsonb */
	JSON_ARRAY,
	JSON_ROW,
	JSON_TIME,
	JSON_STRING
} JsonForm;

typedef struct OnlineFeature
{
	int view;
	int column; /* in the view's result, after the event time */
	char *label;	 /* the name as a JSON string */
	char *prefix;	 /* what comes before the value: brace or comma, name, colon */
	int prefix_size;
	Oid type;
	JsonForm form;
	FmgrInfo output;
} OnlineFeature;

typedef struct OnlineView
{
	StoreView *definition;
	char *prefix; /* of its event time in the answer: brace or comma, name, colon */
	int prefix_size;
	SPIPlanPtr one;
	SPIPlanPtr many;
	FmgrInfo *key_input;
	Oid *key_ioparam;
	Oid *key_array;
	/* the way by the index */
	Oid index; /* InvalidOid: not possible */
	ScanKeyData *scan_keys;
	AttrNumber event_attribute;
	AttrNumber *attributes; /* of the features */
} OnlineView;

/* A list of features, as this session has it ready */
typedef struct OnlineRequest
{
	bytea *references; /* the text[] it was asked by, and the flag full_feature_names */
	bool full_names;
	uint64 generation;
	MemoryContext context;
	int nviews;
	OnlineView *views;
	int nfeatures;
	OnlineFeature *features;
	char *all_present; /* the statuses of an entity of which every value is there */
	int all_present_size;
	struct OnlineRequest *next;
} OnlineRequest;

static OnlineRequest *cached_requests = NULL;
static int ncached_requests = 0;
static uint64 generation = 1;
static const char *const catalogue_tables[] = {"feature_view", "feature_view_version", "feature_view_feature",
											   "feature_view_entity", "feature_entity", "feature_service_feature"};
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

static void
watch_catalogue(void)
{
	static bool registered = false;
	Oid schema = get_namespace_oid("feature_meta", false);

	for (int i = 0; i < (int) lengthof(catalogue_tables); i++)
		catalogue_oids[i] = get_relname_relid(catalogue_tables[i], schema);
	if (!registered)
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	registered = true;
}

static JsonForm
json_form(Oid type)
{
	type = getBaseType(type);
	switch (type)
	{
		case BOOLOID:
			return JSON_BOOLEAN;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return JSON_INTEGER;
		case FLOAT8OID:
			return JSON_DOUBLE;
		case FLOAT4OID:
		case NUMERICOID:
			return JSON_NUMBER;
		case JSONOID:
			return JSON_RAW;
		case JSONBOID:
			return JSON_BINARY;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return JSON_TIME;
		default:
			if (OidIsValid(get_element_type(type)))
				return JSON_ARRAY;
			return type_is_rowtype(type) ? JSON_ROW : JSON_STRING;
	}
}

/*
 * Appends a value that is not NULL
 */
static void
append_value(StringInfo out, OnlineFeature *feature, Datum value)
{
	char buffer[MAXDATELEN + 1];
	char *string;

	switch (feature->form)
	{
		case JSON_INTEGER:
			enlargeStringInfo(out, MAXINT8LEN + 1);
			out->len += pg_lltoa(feature->type == INT8OID ? DatumGetInt64(value)
								 : feature->type == INT4OID ? DatumGetInt32(value) : DatumGetInt16(value), out->data + out->len);
			break;
		case JSON_DOUBLE:
			if (isnan(DatumGetFloat8(value)) || isinf(DatumGetFloat8(value)))
				escape_json(out, OutputFunctionCall(&feature->output, value));
			else
			{
				enlargeStringInfo(out, DOUBLE_SHORTEST_DECIMAL_LEN);
				out->len += double_to_shortest_decimal_bufn(DatumGetFloat8(value), out->data + out->len);
			}
			break;
		case JSON_NUMBER:
			/* JSON has no NaN and no infinity: those are strings */
			string = OutputFunctionCall(&feature->output, value);
			if (isdigit((unsigned char) string[0]) || (string[0] == '-' && isdigit((unsigned char) string[1])))
				appendStringInfoString(out, string);
			else
				escape_json(out, string);
			break;
		case JSON_BOOLEAN:
			appendStringInfoString(out, DatumGetBool(value) ? "true" : "false");
			break;
		case JSON_RAW:
			appendStringInfoString(out, OutputFunctionCall(&feature->output, value));
			break;
		case JSON_BINARY:
		{
			Jsonb *jsonb = DatumGetJsonbP(value);

			JsonbToCString(out, &jsonb->root, VARSIZE(jsonb));
			break;
		}
		case JSON_ARRAY:
			appendStringInfoString(out, TextDatumGetCString(DirectFunctionCall1(array_to_json, value)));
			break;
		case JSON_ROW:
			appendStringInfoString(out, TextDatumGetCString(DirectFunctionCall1(row_to_json, value)));
			break;
		case JSON_TIME:
			appendStringInfo(out, "\"%s\"", JsonEncodeDateTime(buffer, value, feature->type, NULL));
			break;
		case JSON_STRING:
			escape_json(out, OutputFunctionCall(&feature->output, value));
			break;
	}
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
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("type %s of a join key has no array type", format_type_be(key_types[i]))));
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
	Oid index_oid = table->rd_rel->relkind == RELKIND_RELATION ? FM_PRIMARY_KEY_INDEX(table) : InvalidOid;

	view->index = InvalidOid;
	view->event_attribute = get_attnum(definition->online_table, definition->event_time.name);
	view->attributes = palloc(sizeof(AttrNumber) * Max(definition->nfeatures, 1));
	for (int i = 0; i < definition->nfeatures; i++)
		view->attributes[i] = get_attnum(definition->online_table, definition->features[i].name);
	if (OidIsValid(index_oid))
	{
		Relation index = index_open(index_oid, AccessShareLock);
		bool fits = index->rd_rel->relam == BTREE_AM_OID && index->rd_index->indnkeyatts == definition->nkeys && index->rd_index->indisvalid;

		view->scan_keys = palloc0(sizeof(ScanKeyData) * definition->nkeys);
		for (int k = 0; fits && k < definition->nkeys; k++)
		{
			Oid operator = get_opfamily_member(index->rd_opfamily[k], index->rd_opcintype[k], index->rd_opcintype[k], BTEqualStrategyNumber);

			fits = index->rd_index->indkey.values[k] == get_attnum(definition->online_table, definition->keys[k].name) && OidIsValid(operator);
			if (fits)
				ScanKeyEntryInitialize(&view->scan_keys[k], 0, k + 1, BTEqualStrategyNumber, InvalidOid, index->rd_indcollation[k],
									   get_opcode(operator), (Datum) 0);
		}
		if (fits)
			view->index = index_oid;
		index_close(index, NoLock);
	}
	table_close(table, NoLock);
}

static void
forget_request(OnlineRequest *request)
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
	resolved = store_resolve(schema, references);
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
				ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN), errmsg("feature %s would occur twice in the result", feature->label),
								errhint("Ask for full_feature_names => true.")));
		feature->view = resolved->features[f].view;
		feature->column = resolved->features[f].feature;
		if (!OidIsValid(view->online_table))
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("feature view \"%s\" is not online", view->name),
							errhint("Call enable_online() and materialize() first.")));
		feature->type = getBaseType(store_column_type(view->online_table, column->name));
		feature->form = json_form(feature->type);
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

static OnlineRequest *
find_request(FunctionCallInfo fcinfo, ArrayType *references, bool full_names)
{
	OnlineRequest **link = &cached_requests;
	OnlineRequest *request;

	while ((request = *link) != NULL)
	{
		if (request->full_names == full_names && VARSIZE(request->references) == VARSIZE(references) &&
			memcmp(request->references, references, VARSIZE(references)) == 0)
		{
			if (request->generation == generation)
				return request;
			*link = request->next;
			ncached_requests--;
			forget_request(request);
			break;
		}
		link = &request->next;
	}
	while (ncached_requests >= MAX_CACHED_REQUESTS)
	{
		request = cached_requests;
		cached_requests = request->next;
		ncached_requests--;
		forget_request(request);
	}
	request = build_request(store_schema(fcinfo), PointerGetDatum(references), full_names);
	request->next = cached_requests;
	cached_requests = request;
	ncached_requests++;
	return request;
}

/* The keys of a call ------------------------------------------------------------------------------------------------ */

/* A key that was given as a list: its values, one an entity */
typedef struct KeyColumn
{
	char *name;
	char *prefix; /* what comes before its value in an entity's key: brace or comma, name, colon */
	int prefix_size;
	JsonbValue *values;
} KeyColumn;

/* Where the keys come from: one object, an object of lists (a column a key), or an array of objects */
typedef struct KeySource
{
	Jsonb *jsonb;
	bool is_array;
	int ncolumns; /* above 0: an object of lists */
	KeyColumn *columns;
	int count;
} KeySource;

static void
bad_keys(const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("keys do not say which entities are meant"), errdetail("%s", detail),
					errhint("Give {\"driver_id\": 7}, {\"driver_id\": [7, 8]} or [{\"driver_id\": 7}, {\"driver_id\": 8}].")));
}

static KeySource
read_keys(Jsonb *jsonb)
{
	KeySource source = {.jsonb = jsonb, .count = 1};
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;
	KeyColumn *column = NULL;
	int nkeys = 0;

	if (JB_ROOT_IS_SCALAR(jsonb))
		bad_keys("They are a scalar.");
	if (JB_ROOT_IS_ARRAY(jsonb))
	{
		source.is_array = true;
		source.count = JB_ROOT_COUNT(jsonb);
		return source;
	}
	source.columns = palloc(sizeof(KeyColumn) * Max(JB_ROOT_COUNT(jsonb), 1));
	iterator = JsonbIteratorInit(&jsonb->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		JsonbIterator *elements;
		JsonbValue element;
		int n = 0;

		if (token == WJB_KEY)
		{
			StringInfoData prefix;

			column = &source.columns[source.ncolumns];
			column->name = pnstrdup(value.val.string.val, value.val.string.len);
			initStringInfo(&prefix);
			appendStringInfoString(&prefix, nkeys == 0 ? "{" : ", ");
			escape_json(&prefix, column->name);
			appendStringInfoString(&prefix, ": ");
			column->prefix = prefix.data;
			column->prefix_size = prefix.len;
			nkeys++;
		}
		if (token != WJB_VALUE || value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
			continue;
		if (source.ncolumns > 0 && (int) JsonContainerSize(value.val.binary.data) != source.count)
			bad_keys("The keys are lists of different lengths.");
		source.count = JsonContainerSize(value.val.binary.data);
		column->values = palloc(sizeof(JsonbValue) * Max(source.count, 1));
		elements = JsonbIteratorInit(value.val.binary.data);
		while ((token = JsonbIteratorNext(&elements, &element, true)) != WJB_DONE)
			if (token == WJB_ELEM)
				column->values[n++] = element;
		source.ncolumns++;
	}
	if (source.ncolumns > 0 && source.ncolumns != nkeys)
		bad_keys("Some of the keys are lists, some are not.");
	return source;
}

/*
 * Key "name" of entity i; NULL when it is not given
 */
static const JsonbValue *
get_key(const KeySource *source, int i, const char *name)
{
	JsonbContainer *object = &source->jsonb->root;

	if (source->ncolumns > 0)
	{
		for (int c = 0; c < source->ncolumns; c++)
			if (strcmp(source->columns[c].name, name) == 0)
				return &source->columns[c].values[i];
		return NULL;
	}
	if (source->is_array)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(object, i);

		if (element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
			bad_keys(psprintf("Element %d is not an object.", i + 1));
		object = element->val.binary.data;
	}
	return getKeyJsonValueFromContainer(object, name, strlen(name), NULL);
}

static Datum
key_datum(OnlineView *view, int k, const JsonbValue *value, bool *isnull)
{
	Oid type = view->definition->keys[k].type;
	char *text;

	*isnull = false;
	switch (value->type)
	{
		case jbvNull:
			*isnull = true;
			return (Datum) 0;
		case jbvNumeric:
			if (type == INT8OID)
				return DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric));
			if (type == INT4OID)
				return DirectFunctionCall1(numeric_int4, NumericGetDatum(value->val.numeric));
			text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
			break;
		case jbvString:
			text = pnstrdup(value->val.string.val, value->val.string.len);
			break;
		case jbvBool:
			text = value->val.boolean ? "true" : "false";
			break;
		default:
			text = JsonbToCString(NULL, value->val.binary.data, value->val.binary.len);
			break;
	}
	return InputFunctionCall(&view->key_input[k], text, view->key_ioparam[k], view->definition->keys[k].typmod);
}

/* Answers ----------------------------------------------------------------------------------------------------------- */

typedef struct OnlineAnswer
{
	OnlineRequest *request;
	int view;			/* the one that is being read */
	TimestampTz oldest; /* what is older than this is past the view's ttl */
	StringInfoData text; /* the values, one behind the other */
	int *start;			 /* [entity * nfeatures + feature]: where the value is in text, -1 for none */
	int *length;
	StoreStatus *status; /* [entity * nviews + view] */
	TimestampTz *event_time;
	AttrNumber *in_order; /* 1, 2, 3 ...: where a plan's result has the features */
	StringInfoData key, values, statuses, times; /* the columns of the row that is being made */
} OnlineAnswer;

typedef struct OnlineReceiver
{
	DestReceiver pub;
	OnlineAnswer *answer;
} OnlineReceiver;

/*
 * Takes in the row of an entity: its event time and the view's features
 */
static void
take_row(OnlineAnswer *answer, int entity, TimestampTz event, const Datum *values, const bool *nulls, const AttrNumber *attributes)
{
	OnlineRequest *request = answer->request;
	int of_view = entity * request->nviews + answer->view;

	answer->event_time[of_view] = event;
	if (event < answer->oldest)
	{
		answer->status[of_view] = STORE_OUTSIDE_MAX_AGE;
		return;
	}
	answer->status[of_view] = STORE_PRESENT;
	for (int f = 0; f < request->nfeatures; f++)
	{
		OnlineFeature *feature = &request->features[f];
		int at = entity * request->nfeatures + f;
		int column = attributes[feature->column] - 1;

		if (feature->view != answer->view || nulls[column])
			continue;
		answer->start[at] = answer->text.len;
		append_value(&answer->text, feature, values[column]);
		answer->length[at] = answer->text.len - answer->start[at];
	}
}

static bool
receive_online_row(TupleTableSlot *slot, DestReceiver *self)
{
	OnlineAnswer *answer = ((OnlineReceiver *) self)->answer;

	slot_getallattrs(slot);
	take_row(answer, (int) DatumGetInt64(slot->tts_values[0]) - 1, DatumGetTimestampTz(slot->tts_values[1]), slot->tts_values + 2,
			 slot->tts_isnull + 2, answer->in_order);
	return true;
}

/*
 * Reads one view by descents of the primary key; false when the caller's rights want the executor
 */
static bool
read_by_index(OnlineAnswer *answer, int count, Datum **keys, bool **key_nulls)
{
	OnlineView *view = &answer->request->views[answer->view];
	StoreView *definition = view->definition;
	Relation table, index;
	IndexScanDesc scan;
	TupleTableSlot *slot;

	if (!OidIsValid(view->index) || pg_class_aclcheck(definition->online_table, GetUserId(), ACL_SELECT) != ACLCHECK_OK ||
		check_enable_rls(definition->online_table, InvalidOid, true) == RLS_ENABLED)
		return false;
	table = table_open(definition->online_table, AccessShareLock);
	index = index_open(view->index, AccessShareLock);
	slot = table_slot_create(table, NULL);
	scan = fm_index_beginscan(table, index, GetActiveSnapshot(), definition->nkeys);
	for (int i = 0; i < count; i++)
	{
		bool is_null = false;

		CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < definition->nkeys; k++)
		{
			is_null |= key_nulls[k][i];
			view->scan_keys[k].sk_argument = keys[k][i];
		}
		if (is_null)
			continue;
		index_rescan(scan, view->scan_keys, definition->nkeys, NULL, 0);
		if (index_getnext_slot(scan, ForwardScanDirection, slot))
		{
			slot_getallattrs(slot);
			take_row(answer, i, DatumGetTimestampTz(slot->tts_values[view->event_attribute - 1]), slot->tts_values, slot->tts_isnull,
					 view->attributes);
		}
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
	table_close(table, NoLock);
	return true;
}

static void
start_receiving(DestReceiver *self, int operation, TupleDesc typeinfo)
{
}

static void
end_receiving(DestReceiver *self)
{
}

/*
 * Reads one view for all entities
 */
static void
read_view(OnlineAnswer *answer, const KeySource *source)
{
	OnlineView *view = &answer->request->views[answer->view];
	StoreView *definition = view->definition;
	int n = definition->nkeys;
	ParamListInfo params;
	OnlineReceiver receiver = {.pub = {receive_online_row, start_receiving, end_receiving, end_receiving, DestNone}, .answer = answer};
	SPIExecuteOptions execute = {.read_only = true, .dest = &receiver.pub};
	Datum *keys[STORE_MAX_KEYS];
	bool *nulls[STORE_MAX_KEYS];

	for (int k = 0; k < n; k++)
	{
		keys[k] = palloc(sizeof(Datum) * source->count);
		nulls[k] = palloc(sizeof(bool) * source->count);
		for (int i = 0; i < source->count; i++)
		{
			const JsonbValue *value = get_key(source, i, definition->keys[k].name);

			if (value == NULL)
				bad_keys(psprintf("Join key \"%s\" of feature view \"%s\" is missing.", definition->keys[k].name, definition->name));
			keys[k][i] = key_datum(view, k, value, &nulls[k][i]);
		}
	}
	if (read_by_index(answer, source->count, keys, nulls))
		return;

	answer->in_order = palloc(sizeof(AttrNumber) * Max(definition->nfeatures, 1));
	for (int i = 0; i < definition->nfeatures; i++)
		answer->in_order[i] = i + 1;
	params = makeParamList(n);
	for (int k = 0; k < n; k++)
	{
		ParamExternData *param = &params->params[k];
		Oid type = definition->keys[k].type;

		param->pflags = 0;
		if (source->count == 1)
		{
			param->isnull = nulls[k][0];
			param->ptype = type;
			param->value = keys[k][0];
		}
		else
		{
			int dims[1] = {source->count};
			int lower[1] = {1};
			int16 typlen;
			bool typbyval;
			char typalign;

			get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
			param->isnull = false;
			param->ptype = view->key_array[k];
			param->value = PointerGetDatum(construct_md_array(keys[k], nulls[k], 1, dims, lower, type, typlen, typbyval, typalign));
		}
	}
	execute.params = params;
	SPI_connect();
	SPI_execute_plan_extended(source->count == 1 ? view->one : view->many, &execute);
	SPI_finish();
}

/* A column of type json is made in a buffer that starts with room for the length word */
static void
start_json(StringInfo buf)
{
	buf->len = VARHDRSZ; /* as it was when it was made */
}

static Datum
end_json(StringInfo buf)
{
	SET_VARSIZE(buf->data, buf->len);
	return PointerGetDatum(buf->data);
}

static void
append_scalar(StringInfo buf, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			appendBinaryStringInfo(buf, "null", 4);
			break;
		case jbvBool:
			appendStringInfoString(buf, value->val.boolean ? "true" : "false");
			break;
		case jbvNumeric:
			appendStringInfoString(buf, DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))));
			break;
		case jbvString:
			escape_json(buf, pnstrdup(value->val.string.val, value->val.string.len));
			break;
		default:
			JsonbToCString(buf, value->val.binary.data, value->val.binary.len);
			break;
	}
}

/*
 * The keys of entity i, as they were given
 */
static Datum
entity_key(StringInfo buf, const KeySource *source, int i)
{
	start_json(buf);
	if (source->is_array)
	{
		JsonbValue *object = getIthJsonbValueFromContainer(&source->jsonb->root, i);

		JsonbToCString(buf, object->val.binary.data, object->val.binary.len);
	}
	else if (source->ncolumns == 0)
		JsonbToCString(buf, &source->jsonb->root, VARSIZE(source->jsonb));
	else
	{
		for (int c = 0; c < source->ncolumns; c++)
		{
			appendBinaryStringInfo(buf, source->columns[c].prefix, source->columns[c].prefix_size);
			append_scalar(buf, &source->columns[c].values[i]);
		}
		appendStringInfoChar(buf, '}');
	}
	return end_json(buf);
}

/*
 * One row of the result: values and statuses of an entity as JSON objects by feature, event times by feature view
 */
static void
put_entity(OnlineAnswer *answer, const KeySource *source, int entity, ReturnSetInfo *rsinfo)
{
	static const char *const names[] = {"\"PRESENT\"", "\"NOT_FOUND\"", "\"OUTSIDE_MAX_AGE\""};
	OnlineRequest *request = answer->request;
	Datum columns[4];
	bool nulls[4] = {false};
	bool all_present = true;

	start_json(&answer->values);
	start_json(&answer->statuses);
	start_json(&answer->times);
	for (int f = 0; f < request->nfeatures; f++)
	{
		OnlineFeature *feature = &request->features[f];
		int at = entity * request->nfeatures + f;

		appendBinaryStringInfo(&answer->values, feature->prefix, feature->prefix_size);
		if (answer->start[at] < 0)
			appendBinaryStringInfo(&answer->values, "null", 4);
		else
			appendBinaryStringInfo(&answer->values, answer->text.data + answer->start[at], answer->length[at]);
		all_present &= answer->start[at] >= 0;
	}
	appendStringInfoChar(&answer->values, '}');
	if (all_present)
		appendBinaryStringInfo(&answer->statuses, request->all_present, request->all_present_size);
	else
	{
		for (int f = 0; f < request->nfeatures; f++)
		{
			OnlineFeature *feature = &request->features[f];
			int at = entity * request->nfeatures + f;
			StoreStatus status = answer->status[entity * request->nviews + feature->view];

			appendBinaryStringInfo(&answer->statuses, feature->prefix, feature->prefix_size);
			appendStringInfoString(&answer->statuses, status == STORE_PRESENT && answer->start[at] < 0 ? "\"NULL_VALUE\"" : names[status]);
		}
		appendStringInfoChar(&answer->statuses, '}');
	}
	for (int v = 0; v < request->nviews; v++)
	{
		int of_view = entity * request->nviews + v;
		char time[MAXDATELEN + 1];

		appendBinaryStringInfo(&answer->times, request->views[v].prefix, request->views[v].prefix_size);
		if (answer->status[of_view] == STORE_NOT_FOUND)
			appendBinaryStringInfo(&answer->times, "null", 4);
		else
		{
			appendStringInfoChar(&answer->times, '"');
			appendStringInfoString(&answer->times,
								   JsonEncodeDateTime(time, TimestampTzGetDatum(answer->event_time[of_view]), TIMESTAMPTZOID, NULL));
			appendStringInfoChar(&answer->times, '"');
		}
	}
	appendStringInfoChar(&answer->times, '}');
	columns[0] = entity_key(&answer->key, source, entity);
	columns[1] = end_json(&answer->values);
	columns[2] = end_json(&answer->statuses);
	columns[3] = end_json(&answer->times);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, columns, nulls);
}

/*
 * get_online_features(features text[], keys jsonb, full_feature_names boolean)
 * returns table (entity_key json, feature_values json, statuses json, event_timestamps json)
 */
Datum
get_online_features(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	OnlineAnswer answer = {0};
	KeySource source;
	Size n;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("features and keys must not be NULL")));
	source = read_keys(PG_GETARG_JSONB_P(1));
	answer.request = find_request(fcinfo, PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_BOOL(2));
	initStringInfo(&answer.text);
	initStringInfo(&answer.key);
	initStringInfo(&answer.values);
	initStringInfo(&answer.statuses);
	initStringInfo(&answer.times);
	n = (Size) source.count;
	answer.start = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * Max(n * answer.request->nfeatures, 1));
	memset(answer.start, 0xff, sizeof(int) * n * answer.request->nfeatures);
	answer.length = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * Max(n * answer.request->nfeatures, 1));
	answer.status = palloc(sizeof(StoreStatus) * Max(n * answer.request->nviews, 1));
	answer.event_time = palloc(sizeof(TimestampTz) * Max(n * answer.request->nviews, 1));
	for (Size i = 0; i < n * answer.request->nviews; i++)
		answer.status[i] = STORE_NOT_FOUND;
	if (n > 0)
		for (answer.view = 0; answer.view < answer.request->nviews; answer.view++)
		{
			Interval *ttl = answer.request->views[answer.view].definition->ttl;

			answer.oldest = ttl ? store_before(GetCurrentStatementStartTimestamp(), ttl) : DT_NOBEGIN;
			read_view(&answer, &source);
		}
	for (int i = 0; i < source.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_entity(&answer, &source, i, rsinfo);
	}
	return (Datum) 0;
}
