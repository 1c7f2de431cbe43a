/*
 * The MLMD store: what the files store_*.c share
 *
 *     store_trigger.c  triggers of the tables
 *     store_sql.c      statements whose plans are kept, locks
 *     store_batch.c    INSERTs of many rows
 *     store_value.c    property values: jsonb <-> the columns of a property row
 *     store_type.c     types: looking them up, putting them
 *     store_node.c     nodes and events: reading them from jsonb
 *     store_write.c    nodes and edges: writing them
 *     store_put.c      the SQL functions put_artifact, put_execution, ...
 *     store_import.c   a lineage_graph into the store
 *     store_purge.c    what stays connected when nodes are purged
 */
#ifndef FM_LINEAGE_STORE_H
#define FM_LINEAGE_STORE_H

#include "fm_core.h"
#include "fm_compat.h"
#include "executor/spi.h"
#include "utils/jsonb.h"

/* Numbers as in mlmd.type.type_kind */
typedef enum FmNodeKind
{
	FM_EXECUTION = 0,
	FM_ARTIFACT = 1,
	FM_CONTEXT = 2
} FmNodeKind;

#define FM_NODE_KINDS 3

/* "execution", "artifact" or "context" */
extern const char *fm_kind_name(FmNodeKind kind);

/* Numbers as in mlmd.typeproperty.data_type, ml_metadata.PropertyType; 0 is not stored */
typedef enum FmPropertyKind
{
	FM_PROPERTY_ANY = 0, /* custom properties are of any kind */
	FM_PROPERTY_INT = 1,
	FM_PROPERTY_DOUBLE = 2,
	FM_PROPERTY_STRING = 3,
	FM_PROPERTY_STRUCT = 4,
	FM_PROPERTY_PROTO = 5,
	FM_PROPERTY_BOOLEAN = 6
} FmPropertyKind;

/*
 * Locks of our own, held to the end of the transaction. They are advisory locks of a class that no SQL function
 * can take, so they meet no lock of a user's.
 */
typedef enum FmStoreLock
{
	FM_LOCK_TYPES = 1, /* who makes a type: one at a time, so that nobody makes it twice and nobody deadlocks */
	FM_LOCK_LASTVAL	   /* who moves the sequence behind LASTVAL() */
} FmStoreLock;

extern void fm_store_lock(FmStoreLock which);
extern void fm_store_unlock(FmStoreLock which);

/*
 * Runs a statement whose plan is kept in *plan for the life of the session. The text is a constant: values come as
 * parameters. nulls as SPI takes it ('n' or ' '), or NULL. limit 0 is no limit. To be called between SPI_connect and
 * SPI_finish; the result is in SPI_processed and SPI_tuptable.
 */
extern void fm_store_execute(SPIPlanPtr *plan, const char *sql, int n_args, const Oid *types, Datum *values,
							 const char *nulls, long limit);

/*
 * Raises 23505 with a hint when the id that the sequence of a table gave last is one that a row has: a statement that does
 * nothing on any conflict does not tell. fm_store_execute raises the same of statements that do.
 */
extern void fm_check_last_id(const char *table);

/* Column (from 1) of row of the last result */
extern int64 fm_result_int64(uint64 row, int column, bool *isnull);
extern char *fm_result_text(uint64 row, int column); /* NULL for NULL */

/* An INSERT of many rows; constant but for what it remembers */
typedef struct FmBatchInsert
{
	const char *table; /* of the schema mlmd */
	int n_columns;
	const char *columns[9];
	const char *tail; /* what follows the rows in the statement; the table is p in it */
	SPIPlanPtr plan;
	Oid row_type;
} FmBatchInsert;

typedef struct FmBatch
{
	FmBatchInsert *insert;
	struct TupleDescData *desc;
	int attributes[9]; /* where the columns are in desc */
	Datum *values;
	bool *nulls;
	int n;
	int room;
	Datum *rows;
} FmBatch;

/* To be called in this order between SPI_connect and SPI_finish; values and nulls in the order of the columns */
extern void fm_batch_begin(FmBatch *batch, FmBatchInsert *insert);
extern void fm_batch_add(FmBatch *batch, const Datum *values, const bool *nulls);
extern void fm_batch_execute(FmBatch *batch);

/* One value of a property, as its row has it */
typedef struct FmProperty
{
	const char *name;
	bool is_custom;
	FmPropertyKind kind; /* FM_PROPERTY_ANY: JSON null, the property is to be removed */
	int64 int_value;
	double double_value;
	bool bool_value;
	char *string_value; /* STRING and STRUCT */
	bytea *proto_value;
} FmProperty;

/*
 * jsonb -> property value. declared is the kind that the type declares, FM_PROPERTY_ANY for a custom property, whose
 * kind follows from the JSON: number without fraction INT, other number DOUBLE, string STRING, true and false BOOLEAN,
 * object STRUCT, object with "@type" PROTO; an ml_metadata.Value as JSON, such as {"double_value": 1}, states it.
 * Errors: 22023 for a value of another kind, 22003 out of range, 54001 nested too deep; place tells where.
 */
extern void fm_property_from_json(const JsonbValue *json, FmPropertyKind declared, const char *place,
								  FmProperty *property);

/* ml_metadata.Value -> property value; false when it holds none. Error 22023 for a STRING that would be read as a STRUCT */
struct Mlmd__Value;
extern bool fm_property_from_message(const struct Mlmd__Value *value, const char *place, FmProperty *property);

/* A type with the properties it declares */
typedef struct FmType
{
	int64 id;
	FmNodeKind kind;
	char *name;
	char *version; /* "" for none */
	int n_properties;
	char **property_names;
	FmPropertyKind *property_kinds;
	struct FmType *next;
} FmType;

/* The types met in one call */
typedef struct FmTypes
{
	FmType *first;
} FmTypes;

/* The type of this kind by name and version (or NULL), or by id; error 42704 when there is none */
extern FmType *fm_type_by_name(FmTypes *types, FmNodeKind kind, const char *name, const char *version);
extern FmType *fm_type_by_id(FmTypes *types, FmNodeKind kind, int64 id);
extern FmPropertyKind fm_type_property(const FmType *type, const char *name); /* FM_PROPERTY_ANY: not declared */

/* A type to be put; what is NULL is not given */
typedef struct FmTypeSpec
{
	FmNodeKind kind;
	const char *name;
	const char *version;
	const char *description;
	const char *external_id;
	const char *base_type;	/* such as "Model" */
	const char *input_type; /* JSON */
	const char *output_type;
	int n_properties;
	char **property_names;
	FmPropertyKind *property_kinds;
	bool can_add_fields;
	bool can_omit_fields;
} FmTypeSpec;

/*
 * Finds or makes a type, under a lock that only makers of types take, so that two callers never make it twice. What it
 * returns is not in types, as its properties may have changed. Errors: 42710 for a stored type with other properties or
 * base type, 22023 without a name or for an unknown base type.
 */
extern FmType *fm_put_type(FmTypes *types, const FmTypeSpec *spec);

/* What to do when a node to be put is there already, by external id or by type and name */
typedef enum FmReuse
{
	FM_REUSE_NO,	/* unique_violation */
	FM_REUSE_KEEP,	/* take its id, leave it as it is */
	FM_REUSE_UPDATE /* take its id, update it */
} FmReuse;

/* A node to be put; what is NULL or negative is not given */
typedef struct FmNode
{
	FmNodeKind kind;
	const char *place; /* where it stands in the arguments, for errors; NULL: it is the arguments */
	int64 id;		   /* in: stored node, 0 for a new one; out: its id */
	char *type;
	char *type_version;
	int64 type_id;
	char *name;
	char *uri;
	char *external_id;
	int state;
	JsonbContainer *properties;
	JsonbContainer *custom_properties;
	FmProperty *values; /* properties of both sorts that do not come as JSON */
	int n_values;
	int64 last_update_time; /* of the version that the update is of */
	bool replace;			/* what is not given is removed, instead of left */
	bool touch;				/* last_update_time_since_epoch moves even without a change */
	FmReuse reuse;
} FmNode;

/* The event of a node in put_execution */
typedef struct FmEvent
{
	int64 artifact_id;
	int64 execution_id;
	int type;	/* ml_metadata.Event.Type */
	int64 time; /* negative: now */
	int n_steps;
	int64 *step_indexes;
	char **step_keys; /* NULL: the step is an index */
} FmEvent;

/* Ids of nodes as bigint[] */
extern Datum fm_put_node_ids(const FmNode *nodes, int n);

extern void fm_node_init(FmNode *node, FmNodeKind kind, const char *place);

/* A JSON object -> node and, when event is not NULL, its field "event" */
extern void fm_node_from_json(const JsonbValue *json, FmNode *node, FmEvent *event);
extern void fm_event_init(FmEvent *event, int type);
extern void fm_event_from_json(const JsonbValue *json, const char *place, FmEvent *event);
extern void fm_event_path_from_json(JsonbContainer *json, const char *place, FmEvent *event);

/* An integer, or a string of one, as protobuf's JSON has 64-bit integers; error 22023 for anything else */
extern int64 fm_json_int64(const JsonbValue *json, const char *place, const char *field);

/* Name or number -> number of ml_metadata.{Execution,Artifact}.State or ml_metadata.Event.Type; error 22023 */
extern int fm_state_number(FmNodeKind kind, const char *name, const char *place);
extern int fm_event_type_number(const char *name, const char *place);

/* Are a node's arguments only an id? Then it is a stored node that is not to be changed. */
extern bool fm_node_is_reference(const FmNode *node);

/* Milliseconds since 1970, now */
extern int64 fm_store_now(void);

/* Error P0002 if one of the nodes, all of one kind, is only an id and not there: for those to which no edge is put */
extern void fm_check_references(const FmNode *nodes, int n);

/* Puts nodes of one kind, filling in their ids */
extern void fm_put_nodes(FmTypes *types, FmNode *nodes, int n, int64 now);

/* Puts events; those that are there (artifact, execution, type) stay as they are */
extern void fm_put_events(FmEvent *events, int n, int64 now);

/* Links each of the contexts with each of the artifacts or executions */
extern void fm_put_links(FmNodeKind kind, const int64 *contexts, int n_contexts, const int64 *nodes, int n_nodes);

/* Links contexts with artifacts, executions or (as parents with their children) contexts, pair by pair */
extern void fm_put_link_pairs(FmNodeKind kind, const int64 *contexts, const int64 *nodes, int n);

#endif
