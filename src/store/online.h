/*
 * What get_online_features() is made of: online.c, online_request.c, online_keys.c and online_value.c. Other rooms see store.h.
 */
#ifndef FM_STORE_ONLINE_H
#define FM_STORE_ONLINE_H

#include "store/store.h"
#include "access/skey.h"
#include "utils/array.h"
#include "utils/jsonb.h"

/* How a feature's value is written as JSON */
typedef enum JsonForm
{
	JSON_INTEGER,
	JSON_DOUBLE,
	JSON_NUMBER,
	JSON_BOOLEAN,
	JSON_RAW,	 /* json */
	JSON_BINARY, /* jsonb */
	JSON_ARRAY,
	JSON_ROW,
	JSON_TIME,
	JSON_STRING
} JsonForm;

typedef struct OnlineFeature
{
	int view;
	int column;	  /* in the view's result, after the event time */
	char *label;  /* the name as a JSON string */
	char *prefix; /* what comes before the value: brace or comma, name, colon */
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
	uint64 generation; /* of the definitions that it was made from; 0: no longer right */
	MemoryContext context;
	int nviews;
	OnlineView *views;
	int nfeatures;
	OnlineFeature *features;
	char *all_present; /* the statuses of an entity of which every value is there */
	int all_present_size;
	int users; /* calls that are reading with it: a read may run functions that ask too */
	bool kept; /* in the session's list; else it goes with its last user */
	struct OnlineRequest *next;
} OnlineRequest;

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

/* online_request.c ------------------------------------------------------------------------------------------------- */

/*
 * A list of features, ready; made when it is asked for the first time, or when definitions have changed since. It stays until the
 * current memory context is reset.
 */
extern OnlineRequest *online_find_request(FunctionCallInfo fcinfo, ArrayType *references, bool full_names);

/* Whether nothing has changed that a request was made from, as far as this session has heard */
extern bool online_request_is_current(const OnlineRequest *request);

/* online_keys.c ---------------------------------------------------------------------------------------------------- */

extern FM_NORETURN void online_bad_keys(const char *detail);
extern KeySource online_read_keys(Jsonb *jsonb);

/* Key "name" of entity i; NULL when it is not given */
extern const JsonbValue *online_get_key(const KeySource *source, int i, const char *name);

/* A key as a value of the type of the view's key k */
extern Datum online_key_datum(OnlineView *view, int k, const JsonbValue *value, bool *isnull);

/* Appends the keys of entity i, as they were given */
extern void online_append_keys(StringInfo buf, const KeySource *source, int i);

/* online_value.c --------------------------------------------------------------------------------------------------- */

extern JsonForm online_json_form(Oid type);

/* Appends a value that is not NULL as JSON */
extern void online_append_value(StringInfo out, OnlineFeature *feature, Datum value);

#endif
