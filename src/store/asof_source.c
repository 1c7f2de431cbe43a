/*
 * Reading a feature view's source for a point-in-time join
 *
 * One pass, or an index descent for each entity row where the planner's costs say that this is cheaper. A pass over a plain table
 * that the caller may read all of is made here: most rows are older than what is kept, and of those only keys and times are
 * looked at, in place. Everything else (views, partitions, foreign tables, column privileges, row security, bounds on time that an
 * index serves) is a query.
 */
#include "store/asof.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/tupmacs.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "storage/bufmgr.h"
#include "tcop/dest.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* A receiver of a query's rows */
typedef struct AsofReceiver
{
	DestReceiver pub;
	AsofPending *pending;
	bool overflow;
} AsofReceiver;

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	AsofReceiver *receiver = (AsofReceiver *) self;

	receiver->overflow = !asof_add_slot(receiver->pending, slot);
	return !receiver->overflow;
}

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
}

static void
receiver_nothing(DestReceiver *self)
{
}

/*
 * What the planner thinks of a query
 */
static void
plan_estimate(SPIPlanPtr plan, double *rows, double *cost)
{
	CachedPlan *cached = SPI_plan_get_cached_plan(plan);
	PlannedStmt *statement;

	if (cached == NULL)
		elog(ERROR, "no plan for a query of the feature store");
	statement = linitial_node(PlannedStmt, cached->stmt_list);
	*rows = statement->planTree->plan_rows;
	*cost = statement->planTree->total_cost;
	ReleaseCachedPlan(cached, NULL); /* SPI gives a plan that is not saved no owner */
}

static SPIPlanPtr
prepare(const char *sql, int nargs, Oid *types, int options)
{
	SPIPlanPtr plan = SPI_prepare_cursor(sql, nargs, types, options);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	return plan;
}

/*
 * A time as a value of a time column's type, dates rounded down
 */
static Datum
time_datum(TimestampTz time, Oid type)
{
	if (type != DATEOID)
		return TimestampTzGetDatum(time);
	if (TIMESTAMP_IS_NOBEGIN(time))
		return DateADTGetDatum(DATEVAL_NOBEGIN);
	if (TIMESTAMP_IS_NOEND(time))
		return DateADTGetDatum(DATEVAL_NOEND);
	return DateADTGetDatum((time - (time < 0 ? USECS_PER_DAY - 1 : 0)) / USECS_PER_DAY);
}

/*
 * A time as a literal of a time column's type
 */
static char *
time_literal(TimestampTz time, Oid type)
{
	return store_time_literal(time_datum(time, type), type);
}

/*
 * One pass over the source. The time bounds go into the query only when the planner expects them to spare rows: an index
 * or partitions may then help (then bounds_pay is set), and otherwise they cost every row a comparison for nothing.
 */
static void
prepare_scan(AsofSource *source, TimestampTz from, TimestampTz until, double *cost)
{
	const StoreView *view = source->view;
	StringInfoData all, bounded;
	SPIPlanPtr plans[2];
	double rows[2], costs[2];
	Oid type = view->event_time.type;
	int choice;

	initStringInfo(&all);
	appendStringInfoString(&all, "SELECT ");
	store_append_columns(&all, view);
	appendStringInfo(&all, " FROM %s", view->source_name);
	initStringInfo(&bounded);
	appendStringInfo(&bounded, "%s WHERE %s OPERATOR(pg_catalog.<=) %s AND %s OPERATOR(pg_catalog.>=) %s", all.data,
					 quote_identifier(view->event_time.name), time_literal(until, type),
					 quote_identifier(view->event_time.name), time_literal(from, type));
	plans[0] = prepare(all.data, 0, NULL, CURSOR_OPT_PARALLEL_OK);
	plans[1] = prepare(bounded.data, 0, NULL, CURSOR_OPT_PARALLEL_OK);
	plan_estimate(plans[0], &rows[0], &costs[0]);
	plan_estimate(plans[1], &rows[1], &costs[1]);
	choice = rows[1] < rows[0] * 0.8;
	SPI_freeplan(plans[1 - choice]);
	*cost = costs[choice];
	source->scan = plans[choice];
	source->bounds_pay = choice == 1 && costs[1] < costs[0];
}

/*
 * Does the query of a descent have the parameter for the created time?
 */
static bool
bounds_created(const StoreView *view, const AsofOptions *options)
{
	return view->created_time.name && (options->known_at || options->has_as_of);
}

/*
 * The type of a normalised key in a query
 */
static Oid
key_type(const StoreKey *key)
{
	return key->class == STORE_KEY_INTEGER ? INT8OID : key->right_type;
}

/*
 * One index descent a slot: the newest row and its ties. Parameters: keys, latest event time, latest created time.
 */
static void
prepare_descent(AsofSource *source, double *cost)
{
	const StoreView *view = source->view;
	const AsofOptions *options = source->options;
	StringInfoData sql;
	Oid types[STORE_MAX_KEYS + 2];
	int n = view->nkeys;
	const char *event = quote_identifier(view->event_time.name);
	double rows;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	store_append_columns(&sql, view);
	appendStringInfo(&sql, " FROM %s WHERE true", view->source_name);
	for (int i = 0; i < n; i++)
	{
		types[i] = key_type(&source->keys[i]);
		appendStringInfo(&sql, " AND %s %s $%d", quote_identifier(view->keys[i].name),
						 store_equality_operator(types[i]), i + 1);
	}
	types[n] = view->event_time.type;
	appendStringInfo(&sql, " AND %s OPERATOR(pg_catalog.<=) $%d", event, n + 1);
	if (bounds_created(view, options))
	{
		const char *created = quote_identifier(view->created_time.name);

		types[n + 1] = view->created_time.type;
		appendStringInfo(&sql, " AND (%s OPERATOR(pg_catalog.<=) $%d OR %s IS NULL", created, n + 2, created);
		if (options->has_as_of)
			appendStringInfo(&sql, " AND %s OPERATOR(pg_catalog.<=) %s", event, time_literal(options->as_of, types[n]));
		appendStringInfoChar(&sql, ')');
	}
	appendStringInfo(&sql, " ORDER BY %s DESC", event);
	if (view->created_time.name)
		appendStringInfo(&sql, ", %s DESC NULLS LAST", quote_identifier(view->created_time.name));
	appendStringInfoString(&sql, " FETCH FIRST 1 ROW WITH TIES");
	source->descent = prepare(sql.data, n + 1 + bounds_created(view, options), types, CURSOR_OPT_GENERIC_PLAN);
	plan_estimate(source->descent, &rows, cost);
}

static void
descend(const AsofSource *source, const AsofIndex *index, AsofReceiver *receiver)
{
	const StoreView *view = source->view;
	const AsofOptions *options = source->options;
	int n = view->nkeys;
	ParamListInfo params = makeParamList(n + 1 + bounds_created(view, options));
	SPIExecuteOptions execute = {.params = params, .read_only = true, .dest = &receiver->pub};
	Oid event_type = view->event_time.type;
	Oid created_type = view->created_time.name ? view->created_time.type : InvalidOid;

	for (int i = 0; i < params->numParams; i++)
	{
		params->params[i].isnull = false;
		params->params[i].pflags = 0;
		params->params[i].ptype = i < n ? key_type(&source->keys[i]) : i == n ? event_type : created_type;
	}
	for (uint32 slot = 0; slot < index->nslots && !receiver->overflow; slot++)
	{
		TimestampTz time = index->slot_time[slot];

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			params->params[i].value = key_values(index, &index->group_key[index->slot_group[slot]])[i];
		/* without a created time a row is known at its event time */
		params->params[n].value =
			time_datum(options->has_as_of && !view->created_time.name ? Min(time, options->as_of) : time, event_type);
		if (bounds_created(view, options))
		{
			TimestampTz known = options->known_at ? time : DT_NOEND;

			params->params[n + 1].value =
				time_datum(options->has_as_of ? Min(known, options->as_of) : known, created_type);
		}
		SPI_execute_plan_extended(source->descent, &execute);
	}
}

/*
 * Where a column is in every tuple without NULLs; -1 when a column before it, or it, has no fixed size
 */
static int
fixed_offset(TupleDesc desc, AttrNumber number)
{
	int offset = 0;

	for (int i = 0; i < number; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attlen < 0)
			return -1;
		offset = att_align_nominal(offset, att->attalign);
		if (i < number - 1)
			offset += att->attlen;
	}
	return offset;
}

/*
 * Finds a column in a table's tuples; false when it is not what the view has
 */
static bool
place_column(AsofLayout *layout, Relation table, const StoreColumn *column, AsofPlace *place, AttrNumber *last,
			 bool *fixed)
{
	Form_pg_attribute att;

	place->number = get_attnum(RelationGetRelid(table), column->name);
	if (place->number <= InvalidAttrNumber)
		return false;
	att = TupleDescAttr(layout->desc, place->number - 1);
#if PG_VERSION_NUM >= 180000
	if (att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
		return false; /* not in the tuple: the executor computes it */
#endif
	place->offset = fixed_offset(layout->desc, place->number);
	place->typlen = att->attlen;
	place->typbyval = att->attbyval;
	*fixed &= place->offset >= 0;
	*last = Max(*last, place->number);
	/* the type of a time is that below a domain */
	return att->atttypid == column->type || getBaseType(att->atttypid) == column->type;
}

static bool
place_columns(AsofLayout *layout, Relation table, const StoreView *view)
{
	bool placed;

	layout->desc = RelationGetDescr(table);
	layout->fixed_known = layout->fixed_features = true;
	layout->features = palloc(sizeof(AsofPlace) * Max(view->nfeatures, 1));
	placed =
		place_column(layout, table, &view->event_time, &layout->event_time, &layout->last_known, &layout->fixed_known);
	if (view->created_time.name)
		placed &= place_column(layout, table, &view->created_time, &layout->created_time, &layout->last_known,
							   &layout->fixed_known);
	for (int i = 0; i < view->nkeys; i++)
		placed &=
			place_column(layout, table, &view->keys[i], &layout->keys[i], &layout->last_known, &layout->fixed_known);
	for (int i = 0; i < view->nfeatures; i++)
		placed &= place_column(layout, table, &view->features[i], &layout->features[i], &layout->last_feature,
							   &layout->fixed_features);
	return placed;
}

/*
 * Makes the pass over a plain table that the caller may read all of; false when it is not one. Pending rows lie in a page that stays
 * pinned until they are brought in.
 */
static bool
scan_table(const StoreView *view, AsofPending *pending, bool *overflow)
{
	Relation table;
	AsofLayout layout = {0};
	TupleTableSlot *slot;
	TableScanDesc scan;
	HeapTuple tuple;
	Buffer page = InvalidBuffer;

	if (pg_class_aclcheck(view->source, GetUserId(), ACL_SELECT) != ACLCHECK_OK ||
		check_enable_rls(view->source, InvalidOid, true) != RLS_NONE)
		return false;
	table = table_open(view->source, AccessShareLock);
	if (table->rd_rel->relkind != RELKIND_RELATION || table->rd_rel->relhassubclass ||
		table->rd_rel->relam != HEAP_TABLE_AM_OID || RELATION_IS_OTHER_TEMP(table) ||
		!place_columns(&layout, table, view))
	{
		table_close(table, AccessShareLock);
		return false;
	}
	slot = MakeSingleTupleTableSlot(layout.desc, &TTSOpsHeapTuple);
	scan = table_beginscan(table, GetActiveSnapshot(), 0, NULL);
	*overflow = false;
	while (!*overflow && (tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		if (((HeapScanDesc) scan)->rs_cbuf != page)
		{
			CHECK_FOR_INTERRUPTS();
			*overflow = !asof_flush(pending);
			if (BufferIsValid(page))
				ReleaseBuffer(page);
			page = ((HeapScanDesc) scan)->rs_cbuf;
			IncrBufferRefCount(page);
		}
		*overflow = *overflow || !asof_add_tuple(pending, &layout, slot, tuple);
	}
	*overflow = !asof_flush(pending) || *overflow;
	ExecDropSingleTupleTableSlot(slot);
	if (BufferIsValid(page))
		ReleaseBuffer(page);
	table_endscan(scan);
	table_close(table, NoLock);
	return true;
}

void
asof_source_open(AsofSource *source, const StoreView *view, const AsofOptions *options, const StoreKey *keys,
				 TimestampTz from, TimestampTz until, double ndescents)
{
	double scan_cost, descent_cost;

	*source = (AsofSource){.view = view, .options = options, .keys = keys};
	prepare_scan(source, from, until, &scan_cost);
	if (ndescents == 0)
		return;
	prepare_descent(source, &descent_cost);
	/* the planner takes pages for cold; in a loop over one index the upper ones are not */
	source->by_index = store_join_method == STORE_JOIN_AUTO ? descent_cost * ndescents * 0.5 < scan_cost
															: store_join_method == STORE_JOIN_INDEX;
}

void
asof_source_open_for(AsofSource *source, const StoreView *view, const AsofOptions *options, const StoreKey *keys,
					 TimestampTz first, TimestampTz last, double nentities)
{
	/* without rows past the ttl an expired key looks like one that never was */
	asof_source_open(source, view, options, keys,
					 view->ttl && !options->tell_expired ? store_before(first, view->ttl) : DT_NOBEGIN, last,
					 nentities);
}

void
asof_source_close(AsofSource *source)
{
	SPI_freeplan(source->scan);
	if (source->descent)
		SPI_freeplan(source->descent);
}

bool
asof_source_read(const AsofSource *source, const AsofIndex *index, AsofPending *pending)
{
	AsofReceiver receiver = {.pub = {receive_row, receiver_startup, receiver_nothing, receiver_nothing, DestNone},
							 .pending = pending};
	SPIExecuteOptions execute = {.read_only = true, .dest = &receiver.pub};

	if (source->by_index)
		descend(source, index, &receiver);
	else if (source->bounds_pay || !scan_table(source->view, pending, &receiver.overflow))
		SPI_execute_plan_extended(source->scan, &execute);
	return !receiver.overflow && asof_flush(pending);
}
