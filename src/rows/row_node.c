/*
 * What a row shows of a feature: values added up one by one, as statistics of the row would be
 */
#include "fm_core.h"
#include "fm_epoch.h"
#include "rows/row_node.h"
#include "schema/statistics_view.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

void
fm_row_node_reset(FmRowNode *node)
{
	int i;

	node->n_present = node->n_missing = node->n_levels = 0;
	node->n_values = node->n_numbers = 0;
	node->seen_nan = node->seen_non_bool = node->invalid_utf8 = node->mixed_kinds = false;
	node->max_bytes = 0;
	node->n_odd = node->max_odd = node->n_texts = node->max_texts = 0;
	if (node->reader == FM_READ_JSON)
		node->kind = FM_KIND_NONE;
	for (i = 0; i < node->n_children; i++)
		fm_row_node_reset(&node->children[i]);
}

/* Room for one more element of an array that doubles; the array lives until the scratch context is reset */
#define MAKE_ROOM(array, n, max)                                                                                       \
	do                                                                                                                 \
	{                                                                                                                  \
		if ((n) == (max))                                                                                              \
		{                                                                                                              \
			int wanted = (max) == 0 ? 8 : (max) *2;                                                                    \
                                                                                                                       \
			(array) = (max) == 0 ? palloc(sizeof(*(array)) * wanted)                                                   \
								 : repalloc_huge((array), sizeof(*(array)) * (Size) wanted);                           \
			(max) = wanted;                                                                                            \
		}                                                                                                              \
	} while (0)

static void
note_text(FmRowNode *node, const char *value, int length)
{
	if (!node->has_unique)
		return;
	MAKE_ROOM(node->texts, node->n_texts, node->max_texts);
	node->texts[node->n_texts++] = pnstrdup(value, length);
}

static void
note_odd(FmRowNode *node, const char *value, int length)
{
	MAKE_ROOM(node->odd, node->n_odd, node->max_odd);
	node->odd[node->n_odd].value = pnstrdup(value, length);
	node->odd[node->n_odd++].count = 1;
}

static void
add_int(FmRowNode *node, int64 value)
{
	if (node->n_numbers == 0 || value < node->int_lowest)
		node->int_lowest = value;
	if (node->n_numbers == 0 || value > node->int_highest)
		node->int_highest = value;
	node->n_numbers++;
	if (value != 0 && value != 1)
		node->seen_non_bool = true;
	if (node->has_unique)
	{
		char text[MAXINT8LEN + 1];

		snprintf(text, sizeof(text), INT64_FORMAT, value);
		note_text(node, text, (int) strlen(text));
	}
}

static void
add_float(FmRowNode *node, double value)
{
	if (isnan(value))
	{
		node->seen_nan = true;
		return;
	}
	if (node->n_numbers == 0 || value < node->float_lowest)
		node->float_lowest = value;
	if (node->n_numbers == 0 || value > node->float_highest)
		node->float_highest = value;
	node->n_numbers++;
	if (value != 0 && value != 1)
		node->seen_non_bool = true;
}

/*
 * Text, in UTF-8 and without a NUL in it
 */
static void
add_text(FmRowNode *node, const char *value, int length)
{
	node->max_bytes = Max(node->max_bytes, length);
	note_text(node, value, length);
	switch (node->domain)
	{
		case FM_DOMAIN_STRINGS:
			if (!fm_string_set_has(node->strings, value, length))
				note_odd(node, value, length);
			break;
		case FM_DOMAIN_BOOL:
			if (!(node->true_value != NULL && strlen(node->true_value) == (size_t) length &&
				  memcmp(node->true_value, value, length) == 0) &&
				!(node->false_value != NULL && strlen(node->false_value) == (size_t) length &&
				  memcmp(node->false_value, value, length) == 0))
				note_odd(node, value, length);
			break;
		case FM_DOMAIN_INT:
		{
			int64 number;

			if (!fm_read_int64(pnstrdup(value, length), &number))
				note_odd(node, value, length);
			else
			{
				if (node->n_numbers == 0 || number < node->int_lowest)
					node->int_lowest = number;
				if (node->n_numbers == 0 || number > node->int_highest)
					node->int_highest = number;
				node->n_numbers++;
			}
			break;
		}
		case FM_DOMAIN_FLOAT:
		{
			float number;

			if (!fm_read_float(pnstrdup(value, length), &number))
				note_odd(node, value, length);
			else
				add_float(node, number);
			break;
		}
		default:
			break;
	}
}

static void
add_server_text(FmRowNode *node, const char *value, int length)
{
	if (GetDatabaseEncoding() == PG_UTF8)
		add_text(node, value, length);
	else if (GetDatabaseEncoding() == PG_SQL_ASCII)
	{
		if (pg_verify_mbstr(PG_UTF8, value, length, true))
			add_text(node, value, length);
		else
			node->invalid_utf8 = true;
	}
	else
	{
		char *utf8 = pg_server_to_any(value, length, PG_UTF8);

		add_text(node, utf8, utf8 == value ? length : (int) strlen(utf8));
	}
}

static void
add_bytes(FmRowNode *node, const char *value, int length)
{
	node->max_bytes = Max(node->max_bytes, length);
	if (node->kind == FM_KIND_BYTES)
		return;
	if (memchr(value, '\0', length) == NULL && pg_verify_mbstr(PG_UTF8, value, length, true))
		add_text(node, value, length);
	else
		node->invalid_utf8 = true;
}

int
fm_trimmed_length(const char *text, int length)
{
	while (length > 0 && text[length - 1] == ' ')
		length--;
	return length;
}

static double
numeric_to_double(Datum value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
}

static void
add_composite(FmRowNode *node, Datum value)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	TupleDesc row_type = node->row_type;
	HeapTupleData tuple;
	Datum *values;
	bool *nulls;
	int i;

	if (row_type == NULL || node->n_children == 0)
		return; /* an anonymous record, or a struct that the schema does not have */
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	values = palloc(sizeof(Datum) * (row_type->natts + 1));
	nulls = palloc(sizeof(bool) * (row_type->natts + 1));
	heap_deform_tuple(&tuple, row_type, values, nulls);
	for (i = 0; i < node->n_attributes; i++)
	{
		if (TupleDescAttr(row_type, i)->attisdropped)
			continue;
		if (nulls[i])
			fm_row_node_add_missing(&node->children[i]);
		else
			fm_row_node_add(&node->children[i], values[i]);
	}
}

/*
 * One value that is not a list
 */
static void
add_element(FmRowNode *node, Datum value)
{
	struct varlena *packed;

	node->n_values++;
	switch (node->reader)
	{
		case FM_READ_BOOL:
			add_int(node, DatumGetBool(value));
			break;
		case FM_READ_INT2:
			add_int(node, DatumGetInt16(value));
			break;
		case FM_READ_INT4:
			add_int(node, DatumGetInt32(value));
			break;
		case FM_READ_INT8:
		case FM_READ_TIME:
			add_int(node, DatumGetInt64(value));
			break;
		case FM_READ_DATE:
			add_int(node, (int64) DatumGetDateADT(value) + FM_EPOCH_DAYS);
			break;
		case FM_READ_TIMESTAMP:
			add_int(node, TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value))
							  ? DatumGetTimestamp(value)
							  : DatumGetTimestamp(value) + FM_EPOCH_MICROSECONDS);
			break;
		case FM_READ_FLOAT4:
			add_float(node, DatumGetFloat4(value));
			break;
		case FM_READ_FLOAT8:
			add_float(node, DatumGetFloat8(value));
			break;
		case FM_READ_NUMERIC:
			add_float(node, numeric_to_double(value));
			break;
		case FM_READ_TEXT:
			packed = PG_DETOAST_DATUM_PACKED(value);
			add_server_text(node, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
			break;
		case FM_READ_BPCHAR:
			packed = PG_DETOAST_DATUM_PACKED(value);
			add_server_text(node, VARDATA_ANY(packed),
							fm_trimmed_length(VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)));
			break;
		case FM_READ_BYTEA:
			packed = PG_DETOAST_DATUM_PACKED(value);
			add_bytes(node, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
			break;
		case FM_READ_OUTPUT:
		{
			char *text = OutputFunctionCall(&node->output, value);

			add_server_text(node, text, (int) strlen(text));
			break;
		}
		case FM_READ_COMPOSITE:
			add_composite(node, value);
			break;
		case FM_READ_JSON:
			break; /* fm_row_node_add_json */
	}
}

/*
 * A null among the elements of a list: a number is NaN, a text is counted, a struct is a value without its children
 */
static void
add_null_element(FmRowNode *node)
{
	int i;

	node->n_values++;
	node->seen_nan = true;
	for (i = 0; i < node->n_children; i++)
		if (!node->children[i].missing)
			fm_row_node_add_missing(&node->children[i]);
}

static void
add_level(FmRowNode *node, int level, int length)
{
	if (level >= FM_ROW_MAX_LEVELS)
		return;
	if (level >= node->n_levels)
	{
		node->n_levels = level + 1;
		node->min_length[level] = node->max_length[level] = length;
		return;
	}
	node->min_length[level] = Min(node->min_length[level], length);
	node->max_length[level] = Max(node->max_length[level], length);
}

void
fm_row_node_add_missing(FmRowNode *node)
{
	node->n_missing++;
}

static void
add_array(FmRowNode *node, Datum value)
{
	ArrayType *array = DatumGetArrayTypeP(value);
	ArrayIterator iterator;
	Datum element;
	bool isnull;
	int i;

	if (ARR_NDIM(array) == 0)
		add_level(node, 0, 0);
	for (i = 0; i < ARR_NDIM(array); i++)
		add_level(node, i, ARR_DIMS(array)[i]);
	iterator = array_create_iterator(array, 0, NULL);
	while (array_iterate(iterator, &element, &isnull))
	{
		CHECK_FOR_INTERRUPTS();
		if (isnull)
			add_null_element(node);
		else
			add_element(node, element);
	}
	array_free_iterator(iterator);
}

void
fm_row_node_add(FmRowNode *node, Datum value)
{
	if (node->reader == FM_READ_JSON && !node->is_array)
	{
		Jsonb *document = DatumGetJsonbP(value);
		JsonbValue json;

		if (JB_ROOT_IS_SCALAR(document))
			JsonbExtractScalar(&document->root, &json);
		else
		{
			json.type = jbvBinary;
			json.val.binary.data = &document->root;
			json.val.binary.len = VARSIZE(document) - VARHDRSZ;
		}
		if (json.type == jbvNull)
			fm_row_node_add_missing(node);
		else
			fm_row_node_add_json(node, &json);
		return;
	}
	node->n_present++;
	if (node->is_array)
		add_array(node, value);
	else
	{
		add_level(node, 0, 1);
		add_element(node, value);
	}
}

/* -- documents -- */

static void
see_kind(FmRowNode *node, FmRowKind kind)
{
	/* an integer is a float where floats are expected, or were seen */
	if (kind == FM_KIND_INT && (node->expected_type == TFMD__FEATURE_TYPE__FLOAT || node->kind == FM_KIND_FLOAT))
		kind = FM_KIND_FLOAT;
	else if (kind == FM_KIND_FLOAT && node->kind == FM_KIND_INT)
		node->kind = FM_KIND_FLOAT;
	if (node->kind != FM_KIND_NONE && node->kind != kind)
		node->mixed_kinds = true;
	node->kind = kind;
}

static void
add_json_number(FmRowNode *node, Numeric number)
{
	double value = numeric_to_double(NumericGetDatum(number));

	if (node->expected_type != TFMD__FEATURE_TYPE__FLOAT && value == floor(value) && fabs(value) <= 9.2e18)
	{
		int64 integer = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(number)));

		see_kind(node, FM_KIND_INT);
		if (node->kind == FM_KIND_INT)
		{
			add_int(node, integer);
			return;
		}
	}
	see_kind(node, FM_KIND_FLOAT);
	add_float(node, value);
}

void
fm_row_node_add_object(FmRowNode *node, JsonbContainer *container)
{
	int i;

	see_kind(node, FM_KIND_STRUCT);
	for (i = 0; i < node->n_children; i++)
	{
		FmRowNode *child = &node->children[i];
		JsonbValue *found = getKeyJsonValueFromContainer(container, child->name, (int) strlen(child->name), NULL);

		if (found == NULL || found->type == jbvNull)
			fm_row_node_add_missing(child);
		else
			fm_row_node_add_json(child, found);
	}
}

static void add_json_array(FmRowNode *node, JsonbContainer *container, int level);

static void
add_json_element(FmRowNode *node, JsonbValue *value, int level)
{
	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		add_json_array(node, value->val.binary.data, level + 1);
		return;
	}
	node->n_values++;
	switch (value->type)
	{
		case jbvString:
			see_kind(node, FM_KIND_STRING);
			add_server_text(node, value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			add_json_number(node, value->val.numeric);
			break;
		case jbvBool:
			see_kind(node, FM_KIND_INT);
			add_int(node, value->val.boolean);
			break;
		case jbvBinary:
			fm_row_node_add_object(node, value->val.binary.data);
			break;
		default:
			node->n_values--;
			add_null_element(node);
			break;
	}
}

static void
add_json_array(FmRowNode *node, JsonbContainer *container, int level)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue value;
	int length = 0;

	check_stack_depth();
	/* the container's own start, then its elements */
	token = JsonbIteratorNext(&iterator, &value, true);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_END_ARRAY && token != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		length++;
		add_json_element(node, &value, level);
	}
	add_level(node, level, length);
}

void
fm_row_node_add_json(FmRowNode *node, JsonbValue *value)
{
	node->n_present++;
	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		add_json_array(node, value->val.binary.data, 0);
		return;
	}
	add_level(node, 0, 1);
	add_json_element(node, value, 0);
}
