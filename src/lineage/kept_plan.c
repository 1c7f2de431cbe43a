/*
 * Queries whose plans are kept for the session, found by their text
 *
 * PostgreSQL's plan cache watches over what is kept here: it plans again when a table, a policy, the role or the search path
 * has changed. What is done here is to find a plan by its text, and to forget the one that was not used for the longest
 * time when there are many.
 */
#include "lineage/kept_plan.h"

#include "common/hashfn.h"
#include "nodes/params.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define MAX_PLANS 64
/* Longer texts are planned each time */
#define MAX_TEXT 8192

typedef struct KeptPlan
{
	uint64 hash; /* of text, types and generic */
	SPIPlanPtr plan;
	char *text;
	int n_args;
	Oid *types;
	bool generic;
	int running; /* executions now: a policy may call a function that walks too */
	uint64 last_use;
} KeptPlan;

static HTAB *plans;
static uint64 n_uses;

static void
ForgetPlan(KeptPlan *kept)
{
	SPI_freeplan(kept->plan);
	pfree(kept->text);
	pfree(kept->types);
	hash_search(plans, &kept->hash, HASH_REMOVE, NULL);
}

/*
 * Makes room for a plan by forgetting the one that was not used for the longest time
 */
static void
MakeRoom(void)
{
	HASH_SEQ_STATUS status;
	KeptPlan *oldest = NULL;
	KeptPlan *kept;

	hash_seq_init(&status, plans);
	while ((kept = hash_seq_search(&status)) != NULL)
		if (kept->running == 0 && (oldest == NULL || kept->last_use < oldest->last_use))
			oldest = kept;
	if (oldest != NULL)
		ForgetPlan(oldest);
}

static SPIPlanPtr
Prepare(const char *sql, int n_args, const Oid *types, bool generic)
{
	SPIPlanPtr plan = SPI_prepare_cursor(sql, n_args, (Oid *) types, generic ? CURSOR_OPT_GENERIC_PLAN : 0);

	if (plan == NULL)
		elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
	return plan;
}

/*
 * The plan of a text, made if there is none; NULL when another text has its place
 */
static pg_noinline KeptPlan *
FindPlan(const char *sql, int size, int n_args, const Oid *types, bool generic)
{
	uint64 hash =
		hash_bytes_extended((const unsigned char *) sql, size,
							hash_bytes_extended((const unsigned char *) types, n_args * sizeof(Oid), generic));
	KeptPlan *kept;
	KeptPlan made = {0};

	if (plans == NULL)
	{
		HASHCTL control = {0};

		control.keysize = sizeof(uint64);
		control.entrysize = sizeof(KeptPlan);
		plans = hash_create("feature_meta plans", MAX_PLANS, &control, HASH_ELEM | HASH_BLOBS);
	}
	kept = hash_search(plans, &hash, HASH_FIND, NULL);
	if (kept != NULL)
		return kept->generic == generic && kept->n_args == n_args && strcmp(kept->text, sql) == 0 &&
					   memcmp(kept->types, types, n_args * sizeof(Oid)) == 0
				   ? kept
				   : NULL;
	made.hash = hash;
	made.plan = Prepare(sql, n_args, types, generic);
	if (hash_get_num_entries(plans) >= MAX_PLANS)
		MakeRoom();
	made.text = MemoryContextStrdup(TopMemoryContext, sql);
	made.types = MemoryContextAlloc(TopMemoryContext, Max(n_args, 1) * sizeof(Oid));
	memcpy(made.types, types, n_args * sizeof(Oid));
	made.n_args = n_args;
	made.generic = generic;
	kept = hash_search(plans, &hash, HASH_ENTER, NULL);
	*kept = made;
	SPI_keepplan(kept->plan);
	return kept;
}

static void
Execute(SPIPlanPtr plan, int n_args, const Oid *types, const Datum *values, DestReceiver *dest)
{
	ParamListInfo params = makeParamList(n_args);
	SPIExecuteOptions options = {0};
	int code;

	for (int i = 0; i < n_args; i++)
	{
		params->params[i].value = values[i];
		params->params[i].isnull = false;
		params->params[i].pflags = PARAM_FLAG_CONST;
		params->params[i].ptype = types[i];
	}
	options.params = params;
	options.read_only = true;
	options.dest = dest;
	code = SPI_execute_plan_extended(plan, &options);
	/* SPI_OK_SELECT, but SPI_OK_UTILITY when the receiver's kind is DestNone */
	if (code < 0)
		elog(ERROR, "unexpected result of a query: %s", SPI_result_code_string(code));
}

void
fm_execute_kept(const char *sql, int n_args, const Oid *types, const Datum *values, bool generic, DestReceiver *dest)
{
	size_t size = strlen(sql);
	KeptPlan *kept = size > MAX_TEXT ? NULL : FindPlan(sql, (int) size, n_args, types, generic);

	if (kept == NULL)
	{
		Execute(Prepare(sql, n_args, types, generic), n_args, types, values, dest);
		return;
	}
	kept->last_use = ++n_uses;
	kept->running++;
	PG_TRY();
	{
		Execute(kept->plan, n_args, types, values, dest);
	}
	PG_FINALLY();
	{
		kept->running--;
	}
	PG_END_TRY();
}

void
fm_execute_once(const char *sql, int n_args, const Oid *types, const Datum *values, DestReceiver *dest)
{
	/* goes with SPI_finish */
	Execute(Prepare(sql, n_args, types, false), n_args, types, values, dest);
}
