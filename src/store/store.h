/*
 * The feature store: feature views over users' own tables, joined correctly in time, served by key
 *
 *   definition.c  a feature view as the catalogue has it, checked against its source
 *   keys.c        join keys: hashing and equality across the integer and the text types
 *   asof*.c       for entity rows: each one's newest source row that was true and known by then, in memory or in
 *                 partitions (asof.h is their own)
 *   historical.c  historical_features(): entity rows with their features, as a set
 *   latest.c      latest_features() and feature_rows(): the newest row of every key, all rows in a range
 *   online*.c     get_online_features(): reads by key, with cached plans (online.h is their own)
 */
#ifndef FM_STORE_H
#define FM_STORE_H

#include "fm_core.h"
#include "fm_compat.h"
#include "access/tupdesc.h"
#include "common/hashfn.h"
#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "utils/typcache.h"

#define STORE_MAX_KEYS 32

/* A column of a source, by its place in the row that the scan hands over */
typedef struct StoreColumn
{
	char *name;
	Oid type;
	int32 typmod;
	Oid collation;
	int16 typlen;
	bool typbyval;
} StoreColumn;

/* One version of a feature view */
typedef struct StoreView
{
	char *name;
	int version;
	Oid source;
	char *source_name; /* qualified and quoted */
	Oid online_table;  /* InvalidOid: not online */
	int nkeys;
	StoreColumn *keys;
	StoreColumn event_time;
	StoreColumn created_time; /* name NULL: rows are known at their event time */
	Interval *ttl;			  /* NULL: values hold for ever */
	int nfeatures;
	StoreColumn *features;
} StoreView;

/* A feature that a call asks for: column "feature" of views[view] */
typedef struct StoreFeature
{
	int view;
	int feature;
	char *reference; /* view@version:feature */
} StoreFeature;

typedef struct StoreRequest
{
	int nviews;
	StoreView **views; /* each with only the features asked for */
	int nfeatures;
	StoreFeature *features;
} StoreRequest;

/* The extension's schema, quoted, as the function that is being called lies in it */
extern const char *store_schema(FunctionCallInfo fcinfo);

/*
 * The text[] of references that a call asks for: by its argument "features text", an array literal or else one reference; by
 * its arguments "features text[]" and "service text". Errors: 22004 nothing is given, 22023 both are, 22P02 malformed literal.
 */
extern Datum store_references_of_argument(FunctionCallInfo fcinfo, int features);
extern Datum store_references_or_service_of(FunctionCallInfo fcinfo, int features, int service);

/*
 * References (view:feature, view@version:feature, view:*, service) -> views and features, in the current memory
 * context. SPI must be connected. Errors: 42704 unknown name, 22023 not a reference, 42P01 a view's source is gone.
 */
extern StoreRequest *store_resolve(const char *schema, Datum references);

/* The same for who reads online tables only: a view's source may be gone */
extern StoreRequest *store_resolve_online(const char *schema, Datum references);

/* The relation that entity rows come from, looked up by the caller's search_path; InvalidOid when they come from a query */
extern Oid store_entity_relation(const char *entity_rows);

/* A whole view; version 0 is the current one. SPI must be connected. */
extern StoreView *store_load_view(const char *schema, const char *name, int version);

/* Appends "key, ..., event, created, feature, ..." of a view's source, each an SQL expression over its columns */
extern void store_append_columns(StringInfo sql, const StoreView *view);

/* A column definition list for a row type */
extern char *store_column_definitions(TupleDesc desc);

/* Error 42804 with the right column list as hint unless the caller's list has these columns' types */
extern void store_check_column_list(TupleDesc expected, TupleDesc actual, const char *function);

/*
 * A time column's value as microseconds of a timestamp with time zone. Times without zone are in UTC, whatever the
 * session's zone is, so that a training set does not depend on who makes it.
 */
extern TimestampTz store_time(Datum value, Oid type);

/*
 * A date, timestamp or timestamptz as a literal for a query, in ISO form and UTC: the output function writes what the session's
 * DateStyle says, in which a zone's abbreviation may be another zone's when it is read
 */
extern char *store_time_literal(Datum value, Oid type);

/* The time a ttl before another, DT_NOBEGIN before all times; days and months are those of UTC, whatever the session's zone is */
extern TimestampTz store_before(TimestampTz time, const Interval *ttl);

/* The equality of a type, as it must be written to be found whatever the search_path is */
extern char *store_equality_operator(Oid type);

/* The type of an online table's column; error 55000 when the table does not have it */
extern Oid store_column_type(Oid relation, const char *name);

/* Defines the room's settings */
extern void store_define_settings(void);

/* Raises 42704 with the nearest of the known names as a hint */
extern FM_NORETURN void store_unknown_name(const char *kind, const char *name, int nknown, char **known);

/* keys.c ----------------------------------------------------------------------------------------------------------- */

typedef enum StoreKeyClass
{
	STORE_KEY_INTEGER, /* int2, int4, int8: compared as int64 */
	STORE_KEY_TEXT,	   /* text and varchar under a deterministic collation: compared by bytes */
	STORE_KEY_OTHER	   /* same type on both sides: its own hash and equality */
} StoreKeyClass;

/* How a join key of one side is compared with the same key of another side */
typedef struct StoreKey
{
	StoreKeyClass class;
	Oid left_type;
	Oid right_type;
	int16 typlen;
	bool typbyval;
	Oid collation;
	FmgrInfo hash;
	FmgrInfo equal;
} StoreKey;

/* Sets up a key; error 42804 when the two types cannot be compared */
extern void store_key_init(StoreKey *key, const char *name, Oid left_type, Oid right_type, Oid collation);

/* The value of a normalised key as one of the right type */
extern Datum store_key_denormalize(const StoreKey *key, Datum value);

/* A value of either side in the form that is hashed, compared and kept (by-reference values are not copied) */
extern Datum store_key_normalize(const StoreKey *key, Oid type, Datum value);
extern Datum store_key_copy(const StoreKey *key, Datum value);

/* A row's keys of the left type, normalised; false when one is NULL */
extern bool store_keys_normalize(const StoreKey *keys, int nkeys, const Datum *values, const bool *nulls,
								 Datum *normal);
static inline uint32
store_integer_hash(int64 value)
{
	/* both halves, as hashint8 does */
	return murmurhash32((uint32) value ^ (uint32) ((uint64) value >> 32));
}
extern uint32 store_keys_hash(StoreKey *keys, int nkeys, const Datum *values);
extern bool store_keys_equal(StoreKey *keys, int nkeys, const Datum *a, const Datum *b);

/* Orders two rows of features that are equal in both times: feature by feature, NULL lowest; types without order are skipped */
extern int store_compare_features(const StoreView *view, const Datum *a, const bool *anull, const Datum *b,
								  const bool *bnull);

/* asof.c and its files ------------------------------------------------------------------------------------------------- */

/* What became of an entity row in a feature view; the names are Feast's */
typedef enum StoreStatus
{
	STORE_PRESENT,		  /* there is a row */
	STORE_NOT_FOUND,	  /* no row was true and known by then, or the key is NULL */
	STORE_OUTSIDE_MAX_AGE /* the newest row is older than the time to live */
} StoreStatus;

/*
 * The entity rows of a batch, by key and time. Rows are numbered from 0 in the order of adding; keys are normalised by
 * the index's own StoreKeys and copied. After finish() no row can be added.
 */
typedef struct AsofIndex AsofIndex;
extern AsofIndex *asof_index_create(MemoryContext context, int nkeys, StoreKey *keys);
extern void asof_index_add(AsofIndex *index, const Datum *keys, const bool *nulls, TimestampTz time, bool time_is_null);
extern void asof_index_finish(AsofIndex *index);

/* Bytes that an index takes when it is finished; who adds rows looks at it now and then */
#define ASOF_CHECK_ROWS 256
extern Size asof_index_size(const AsofIndex *index);

typedef struct AsofOptions
{
	bool known_at;	/* only rows that were known at the entity row's time */
	bool has_as_of; /* only rows that were known at this time */
	TimestampTz as_of;
	bool tell_expired;	 /* STORE_OUTSIDE_MAX_AGE and STORE_NOT_FOUND are to be told apart */
	size_t memory_limit; /* bytes that an index may take, and the values of a view */
} AsofOptions;

/* How the join reads a source: feature_meta.join_method */
typedef enum StoreJoinMethod
{
	STORE_JOIN_AUTO,
	STORE_JOIN_SCAN,
	STORE_JOIN_INDEX
} StoreJoinMethod;
extern int store_join_method;

/* Bytes that the answers for an entity row take, values by reference apart; and with them, by the source's statistics */
extern Size asof_row_size(const StoreView *view);
extern Size asof_row_width(const StoreView *view);

/* For each row of the index the newest row of a view; NULL when the values do not fit into the limit */
typedef struct AsofRows AsofRows;
extern AsofRows *asof_join(AsofIndex *index, const StoreView *view, const AsofOptions *options, MemoryContext context);

/*
 * The newest row of every key with event time in [from, until], known by options->as_of if that is given; NULL when the keys and
 * values do not fit into the limit
 */
extern AsofRows *asof_latest(const StoreView *view, TimestampTz from, TimestampTz until, const AsofOptions *options,
							 MemoryContext context);

/* Visits the rows of asof_latest, in no order; a created time that is not told is DT_NOBEGIN; keys are normalised */
typedef void (*AsofVisitor)(void *arg, const StoreKey *keys, const Datum *key_values, TimestampTz event_time,
							TimestampTz created_time, const Datum *values, const bool *nulls);
extern void asof_each(const AsofRows *rows, AsofVisitor visit, void *arg);

/* Has the processor fetch what asof_get() will want for an entity row, or for none that far */
extern void asof_prefetch(const AsofRows *rows, uint32 entity);

/* What a feature view has for an entity row; event time unless it is NOT_FOUND, the values of its features if PRESENT */
typedef struct AsofAnswer
{
	StoreStatus status;
	TimestampTz event_time;
	Datum *values;
	bool *nulls;
} AsofAnswer;

extern void asof_get(const AsofRows *rows, uint32 entity, AsofAnswer *answer);

/*
 * The same for more entity rows than fit into memory: they are put into temporary files by the hash of their key, so are the
 * rows of a source in its one pass, and then each partition is joined by itself. Answers come in the order of adding.
 */
typedef struct AsofPartitions AsofPartitions;
typedef struct AsofAnswers AsofAnswers;

/*
 * For nentities rows that take too_large times the memory, in "most" partitions at most; an eighth of memory_limit goes into a
 * filter of their keys
 */
extern AsofPartitions *asof_partitions_create(MemoryContext context, double too_large, int most, uint64 nentities,
											  Size memory_limit, int nkeys, StoreKey *keys);

/* The partition of an entity row, -1 for a NULL key or time */
extern int asof_partition_of(const AsofPartitions *partitions, const Datum *keys, const bool *nulls, bool time_is_null);
extern void asof_partitions_add(AsofPartitions *partitions, const Datum *keys, const bool *nulls, TimestampTz time,
								bool time_is_null);
extern AsofAnswers *asof_partitions_join(AsofPartitions *partitions, const StoreView *view, const AsofOptions *options);

/* The next answer of a partition; its values hold until the next */
extern void asof_answers_next(AsofAnswers *answers, int partition, AsofAnswer *answer);
extern void asof_answers_close(AsofAnswers *answers);
extern void asof_partitions_close(AsofPartitions *partitions);

#endif
