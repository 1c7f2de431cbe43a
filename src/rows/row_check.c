/*
 * A row against a compiled schema (see row_plan.h)
 *
 * A scalar with nothing but a range or a list of values to check is judged at once. Everything else is added up first,
 * value by value, as statistics of the row would be, and judged then: a struct's child has a value for each of its
 * parent's.
 */
#include "fm_core.h"
#include "rows/row_plan.h"
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

#define EPOCH_DAYS (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)
#define EPOCH_MICROSECONDS (INT64CONST(86400000000) * EPOCH_DAYS)

/* -- adding up -- */

void
fm_node_reset(FmRowNode *node)
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
		fm_node_reset(&node->children[i]);
}

/* Room for one more element of an array that doubles; the array lives until the scratch context is reset */
#define MAKE_ROOM(array, n, max) \
	do \
	{ \
		if ((n) == (max)) \
		{ \
			int wanted = (max) == 0 ? 8 : (max) * 2; \
\
			(array) = (max) == 0 ? palloc(sizeof(*(array)) * wanted) \
								 : repalloc_huge((array), sizeof(*(array)) * (Size) wanted); \
			(max) = wanted; \
		} \
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

static int
trimmed_length(const char *text, int length)
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
			fm_node_add_missing(&node->children[i]);
		else
			fm_node_add(&node->children[i], values[i]);
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
			add_int(node, (int64) DatumGetDateADT(value) + EPOCH_DAYS);
			break;
		case FM_READ_TIMESTAMP:
			add_int(node, TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)) ? DatumGetTimestamp(value)
																		 : DatumGetTimestamp(value) + EPOCH_MICROSECONDS);
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
			add_server_text(node, VARDATA_ANY(packed), trimmed_length(VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)));
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
			break; /* fm_node_add_json */
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
			fm_node_add_missing(&node->children[i]);
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
fm_node_add_missing(FmRowNode *node)
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
fm_node_add(FmRowNode *node, Datum value)
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
			fm_node_add_missing(node);
		else
			fm_node_add_json(node, &json);
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

static void
add_json_object(FmRowNode *node, JsonbContainer *container)
{
	int i;

	see_kind(node, FM_KIND_STRUCT);
	for (i = 0; i < node->n_children; i++)
	{
		FmRowNode *child = &node->children[i];
		JsonbValue *found = getKeyJsonValueFromContainer(container, child->name, (int) strlen(child->name), NULL);

		if (found == NULL || found->type == jbvNull)
			fm_node_add_missing(child);
		else
			fm_node_add_json(child, found);
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
			add_json_object(node, value->val.binary.data);
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
fm_node_add_json(FmRowNode *node, JsonbValue *value)
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

/* -- judging -- */

static void
give_reason(FmRowReasons *reasons, FmRowNode *node, Tfmd__AnomalyInfo__Type type, const char *short_description,
			char *description)
{
	FmRowReason reason;

	reason.node = node;
	reason.type = type;
	reason.short_description = short_description;
	reason.description = description;
	FM_APPEND(reasons->n, reasons->reason, reason);
}

/*
 * Ends the caller with false when nobody wants to hear the reasons; the text is made only for who does
 */
#define REASON(TYPE, short_description, ...) \
	do \
	{ \
		if (reasons == NULL) \
			return false; \
		give_reason(reasons, node, TFMD__ANOMALY_INFO__TYPE__##TYPE, (short_description), psprintf(__VA_ARGS__)); \
	} while (0)

static bool
judge_counts(FmRowNode *node, FmRowReasons *reasons)
{
	int i;

	if (node->n_counts == 0 && !node->nested_counts)
		return true;
	if (node->nested_counts ? node->n_counts != node->n_levels : node->n_levels > 1)
	{
		REASON(VALUE_NESTEDNESS_MISMATCH, "Mismatched value nest level", "lists are nested %d deep, expected: %d",
			   node->n_levels, node->nested_counts ? node->n_counts : 1);
		return true;
	}
	for (i = 0; i < node->n_counts; i++)
	{
		if (node->counts[i].has_min && node->min_length[i] < node->counts[i].min)
			REASON(FEATURE_TYPE_LOW_NUMBER_VALUES, "Missing values", "has %d values, expected: at least " INT64_FORMAT,
				   node->min_length[i], (int64) node->counts[i].min);
		if (node->counts[i].has_max && node->max_length[i] > node->counts[i].max)
			REASON(FEATURE_TYPE_HIGH_NUMBER_VALUES, "Superfluous values",
				   "has %d values, expected: at most " INT64_FORMAT, node->max_length[i], (int64) node->counts[i].max);
	}
	return true;
}

static bool
judge_shape(FmRowNode *node, FmRowReasons *reasons)
{
	int product = 1;
	int i;

	if (node->shape == -1)
		return true;
	for (i = 0; i < node->n_levels; i++)
	{
		if (node->min_length[i] != node->max_length[i] || node->min_length[i] == 0)
		{
			product = -1;
			break;
		}
		product = (int) ((uint32) product * (uint32) node->min_length[i]);
	}
	if (product <= 0 || node->n_missing > 0)
		REASON(INVALID_FEATURE_SHAPE, "Feature shape dropped",
			   "has no value, or lists of different lengths, but the schema gives it a fixed shape of %d values",
			   node->shape);
	else if (product != node->shape)
		REASON(INVALID_FEATURE_SHAPE, "Feature shape dropped", "has %d values, expected by its shape: %d", product,
			   node->shape);
	return true;
}

static Tfmd__FeatureType
type_of_kind(FmRowKind kind)
{
	switch (kind)
	{
		case FM_KIND_INT:
			return TFMD__FEATURE_TYPE__INT;
		case FM_KIND_FLOAT:
			return TFMD__FEATURE_TYPE__FLOAT;
		case FM_KIND_STRUCT:
			return TFMD__FEATURE_TYPE__STRUCT;
		default:
			return TFMD__FEATURE_TYPE__BYTES;
	}
}

static int
compare_odd(const void *a, const void *b)
{
	return strcmp(((const FmOddValue *) a)->value, ((const FmOddValue *) b)->value);
}

/*
 * Sorts the odd values and puts equal ones together
 */
static void
sort_odd(FmRowNode *node)
{
	int kept = 0;
	int i;

	qsort(node->odd, node->n_odd, sizeof(FmOddValue), compare_odd);
	for (i = 0; i < node->n_odd; i++)
	{
		if (kept > 0 && strcmp(node->odd[kept - 1].value, node->odd[i].value) == 0)
			node->odd[kept - 1].count += node->odd[i].count;
		else
			node->odd[kept++] = node->odd[i];
	}
	node->n_odd = kept;
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static int
count_distinct(FmRowNode *node)
{
	int n = 0;
	int i;

	qsort(node->texts, node->n_texts, sizeof(char *), compare_texts);
	for (i = 0; i < node->n_texts; i++)
		if (i == 0 || strcmp(node->texts[i], node->texts[i - 1]) != 0)
			n++;
	return n;
}

/* Values listed in a description */
#define MAX_LISTED_VALUES 20

/*
 * The odd values for a person: 'a', or of a list 'a' (2 of 5 values), 'b' (1 of 5 values)
 */
static char *
list_odd(FmRowNode *node)
{
	StringInfoData buf;
	int i;

	initStringInfo(&buf);
	for (i = 0; i < node->n_odd && i < MAX_LISTED_VALUES; i++)
	{
		appendStringInfo(&buf, "%s'%s'", i > 0 ? ", " : "", node->odd[i].value);
		if (node->n_values > 1)
			appendStringInfo(&buf, " (%d of " INT64_FORMAT " values)", node->odd[i].count, node->n_values);
	}
	if (node->n_odd > MAX_LISTED_VALUES)
		appendStringInfo(&buf, " and %d others", node->n_odd - MAX_LISTED_VALUES);
	return buf.data;
}

static bool
judge_strings(FmRowNode *node, FmRowReasons *reasons)
{
	int n_off = 0;
	int i;

	/* TFDV has no strings to look at in anything but text and categorical integers */
	if (node->kind != FM_KIND_STRING)
		return true;
	if (node->invalid_utf8)
	{
		REASON(ENUM_TYPE_INVALID_UTF8, "Invalid UTF8 strings", "is not valid UTF-8");
		return true;
	}
	for (i = 0; i < node->n_odd; i++)
		n_off += node->odd[i].count;
	if (node->n_odd == 0 || (node->max_off_domain != 0 && !((double) n_off / node->n_values > node->max_off_domain)))
		return true;
	if (reasons == NULL)
		return false;
	sort_odd(node);
	REASON(ENUM_TYPE_UNEXPECTED_STRING_VALUES, "Unexpected string values", "not in the domain: %s", list_odd(node));
	return true;
}

static bool
judge_bool(const FmRowPlan *plan, FmRowNode *node, FmRowReasons *reasons)
{
	switch (node->kind)
	{
		case FM_KIND_INT:
			if (plan->strict_bool && node->seen_non_bool)
			{
				if (node->int_lowest < 0)
					REASON(BOOL_TYPE_SMALL_INT, "Non-boolean values", INT64_FORMAT " is not 0 or 1", node->int_lowest);
				else
					REASON(BOOL_TYPE_BIG_INT, "Non-boolean values", INT64_FORMAT " is not 0 or 1", node->int_highest);
			}
			return true;
		case FM_KIND_FLOAT:
			if (node->seen_nan)
				REASON(BOOL_TYPE_UNEXPECTED_FLOAT, "Non-boolean values", "NaN is not 0 or 1");
			else if (node->seen_non_bool)
				REASON(BOOL_TYPE_UNEXPECTED_FLOAT, "Non-boolean values", "%g is not 0 or 1",
					   node->float_lowest != 0 && node->float_lowest != 1 ? node->float_lowest : node->float_highest);
			return true;
		case FM_KIND_STRING:
			if (node->n_odd == 0)
				return true;
			if (reasons == NULL)
				return false;
			sort_odd(node);
			REASON(BOOL_TYPE_UNEXPECTED_STRING, "Non-boolean values", "'%s' is neither %s%s%s nor %s%s%s",
				   node->odd[0].value, node->true_value ? "'" : "", node->true_value ? node->true_value : "(no true value)",
				   node->true_value ? "'" : "", node->false_value ? "'" : "",
				   node->false_value ? node->false_value : "(no false value)", node->false_value ? "'" : "");
			return true;
		default:
			return true;
	}
}

static bool
judge_int(FmRowNode *node, FmRowReasons *reasons)
{
	int64 lowest = node->n_numbers > 0 ? node->int_lowest : 0;
	int64 highest = node->n_numbers > 0 ? node->int_highest : 0;

	if (node->kind == FM_KIND_STRING)
	{
		if (node->n_odd > 0)
		{
			if (reasons == NULL)
				return false;
			sort_odd(node);
			REASON(INT_TYPE_NOT_INT_STRING, "Invalid values", "'%s' is not an integer", node->odd[0].value);
			return true;
		}
		if (node->n_numbers == 0)
			return true;
	}
	else if (node->kind != FM_KIND_INT)
		return true;
	/* without a value numbers are 0, as in statistics */
	if (node->has_min && lowest < node->int_min)
		REASON(INT_TYPE_SMALL_INT, "Out-of-range values", INT64_FORMAT " is below the minimum of " INT64_FORMAT, lowest,
			   node->int_min);
	if (node->has_max && highest > node->int_max)
		REASON(INT_TYPE_BIG_INT, "Out-of-range values", INT64_FORMAT " is above the maximum of " INT64_FORMAT, highest,
			   node->int_max);
	return true;
}

static bool
judge_float(FmRowNode *node, FmRowReasons *reasons)
{
	float lowest = node->n_numbers > 0 ? (float) node->float_lowest : 0;
	float highest = node->n_numbers > 0 ? (float) node->float_highest : 0;

	if (node->kind != FM_KIND_FLOAT && node->kind != FM_KIND_STRING)
		return true;
	if (node->disallow_nan && node->seen_nan)
		REASON(FLOAT_TYPE_HAS_NAN, "Invalid values", "NaN is not allowed");
	if (node->kind == FM_KIND_STRING)
	{
		if (node->n_odd > 0)
		{
			if (reasons == NULL)
				return false;
			sort_odd(node);
			REASON(FLOAT_TYPE_STRING_NOT_FLOAT, "Invalid values", "'%s' is not a number", node->odd[0].value);
			return true;
		}
		if (node->n_numbers == 0)
			return true;
	}
	if (node->has_min && lowest < node->float_min)
		REASON(FLOAT_TYPE_SMALL_FLOAT, "Out-of-range values", "%g is below the minimum of %g", lowest, node->float_min);
	if (node->has_max && highest > node->float_max)
		REASON(FLOAT_TYPE_BIG_FLOAT, "Out-of-range values", "%g is above the maximum of %g", highest, node->float_max);
	if (node->disallow_inf && (isinf(lowest) || isinf(highest)))
		REASON(FLOAT_TYPE_HAS_INF, "Invalid values", "infinity is not allowed");
	return true;
}

static bool
judge_domain(const FmRowPlan *plan, FmRowNode *node, FmRowReasons *reasons)
{
	if (node->kind == FM_KIND_BYTES && node->domain != FM_DOMAIN_NONE && node->domain != FM_DOMAIN_LANGUAGE &&
		node->domain != FM_DOMAIN_IMAGE)
	{
		REASON(DOMAIN_INVALID_FOR_TYPE, "Invalid domain type", "bytes have no such domain");
		return true;
	}
	switch (node->domain)
	{
		case FM_DOMAIN_STRINGS:
			return judge_strings(node, reasons);
		case FM_DOMAIN_BOOL:
			return judge_bool(plan, node, reasons);
		case FM_DOMAIN_INT:
			return judge_int(node, reasons);
		case FM_DOMAIN_FLOAT:
			return judge_float(node, reasons);
		case FM_DOMAIN_LANGUAGE:
			REASON(STATS_NOT_AVAILABLE, "Natural language stats are not computed.",
				   "constraints of the natural language domain cannot be checked for a row");
			return true;
		case FM_DOMAIN_IMAGE:
			if (node->kind == FM_KIND_BYTES && node->max_image_bytes >= 0 && node->max_bytes > node->max_image_bytes)
				REASON(MAX_IMAGE_BYTE_SIZE_EXCEEDED, "Num bytes exceeds the max byte size.",
					   "has " INT64_FORMAT " bytes, expected: at most " INT64_FORMAT, node->max_bytes,
					   node->max_image_bytes);
			return true;
		default:
			return true;
	}
}

static bool
judge_unique(FmRowNode *node, FmRowReasons *reasons)
{
	int n_distinct;

	if (!node->has_unique)
		return true;
	if (node->kind != FM_KIND_STRING && !(node->kind == FM_KIND_INT && node->categorical_int))
	{
		REASON(FEATURE_TYPE_NO_UNIQUE, "No unique values", "different values are counted for text and categories only");
		return true;
	}
	n_distinct = count_distinct(node);
	if (n_distinct < node->unique_min)
		REASON(FEATURE_TYPE_LOW_UNIQUE, "Low number of unique values",
			   "has %d different values, expected: at least " INT64_FORMAT, n_distinct, node->unique_min);
	if (n_distinct > node->unique_max)
		REASON(FEATURE_TYPE_HIGH_UNIQUE, "High number of unique values",
			   "has %d different values, expected: at most " INT64_FORMAT, n_distinct, node->unique_max);
	return true;
}

static const char *
kind_name(const FmRowNode *node)
{
	switch (node->kind)
	{
		case FM_KIND_INT:
			return "INT";
		case FM_KIND_FLOAT:
			return "FLOAT";
		case FM_KIND_STRUCT:
			return "STRUCT";
		case FM_KIND_BYTES:
			return "BYTES";
		default:
			return "STRING";
	}
}

static bool
judge_type(FmRowNode *node, FmRowReasons *reasons)
{
	const char *expected;

	if (node->kind == FM_KIND_NONE || (!node->mixed_kinds && type_of_kind(node->kind) == node->expected_type))
		return true;
	expected = fm_enum_name(&tfmd__feature_type__descriptor, node->expected_type);
	REASON(UNEXPECTED_DATA_TYPE, "Unexpected data type", "is of %s%s, expected: %s", node->mixed_kinds ? "" : "type ",
		   node->mixed_kinds ? "several types" : kind_name(node), expected ? expected : "unknown");
	return true;
}

/*
 * Does what was added up conform? With reasons NULL stops at the first one. Children follow their parent.
 */
bool
fm_node_judge(const FmRowPlan *plan, FmRowNode *node, FmRowReasons *reasons)
{
	int before = reasons ? reasons->n : 0;
	bool type_differs;
	int i;

	check_stack_depth();
	if (node->unchecked && node->n_mistakes == 0)
		return true;
	if (node->missing)
	{
		REASON(SCHEMA_MISSING_COLUMN, "Column dropped", "is required by the schema and does not exist");
		return false;
	}
	if (node->feature == NULL)
	{
		REASON(SCHEMA_NEW_COLUMN, "New column", "is not in the schema");
		return false;
	}
	for (i = 0; i < node->n_mistakes; i++)
	{
		if (reasons == NULL)
			return false;
		give_reason(reasons, node, node->mistakes[i].type, node->mistakes[i].short_description,
					node->mistakes[i].description);
	}
	if (node->unchecked)
		return false;
	if (node->required && node->n_missing > 0)
		REASON(FEATURE_TYPE_NOT_PRESENT, "Column dropped", "is null, but required in every row");
	if (node->n_present == 0)
		return (reasons ? reasons->n : 0) == before;
	if (!node->in_environment)
		REASON(SCHEMA_NEW_COLUMN, "Column missing in environment", "is not in the environment \"%s\" of the schema",
			   plan->environment ? plan->environment : "");
	if (!judge_counts(node, reasons) || !judge_shape(node, reasons) || !judge_type(node, reasons) ||
		!judge_domain(plan, node, reasons) || !judge_unique(node, reasons))
		return false;
	type_differs = node->kind != FM_KIND_NONE && type_of_kind(node->kind) != node->expected_type;
	/* a column of another type is as good as dropped: nothing below it is looked at */
	for (i = 0; !type_differs && i < node->n_children; i++)
		if (!fm_node_judge(plan, &node->children[i], reasons) && reasons == NULL)
			return false;
	return (reasons ? reasons->n : 0) == before;
}

/* -- whole rows -- */

/*
 * The short way for a scalar with a range or a list of values (is_simple)
 */
static inline bool
scalar_is_valid(const FmRowNode *node, Datum value)
{
	int64 integer;
	double number;
	struct varlena *packed;
	const char *text;
	int length;
	float rounded;

	switch (node->reader)
	{
		case FM_READ_BOOL:
			integer = DatumGetBool(value);
			break;
		case FM_READ_INT2:
			integer = DatumGetInt16(value);
			break;
		case FM_READ_INT4:
			integer = DatumGetInt32(value);
			break;
		case FM_READ_INT8:
		case FM_READ_TIME:
			integer = DatumGetInt64(value);
			break;
		case FM_READ_DATE:
			integer = (int64) DatumGetDateADT(value) + EPOCH_DAYS;
			break;
		case FM_READ_TIMESTAMP:
			integer = DatumGetTimestamp(value);
			if (!TIMESTAMP_NOT_FINITE(integer))
				integer += EPOCH_MICROSECONDS;
			break;
		case FM_READ_FLOAT4:
			number = DatumGetFloat4(value);
			goto is_float;
		case FM_READ_FLOAT8:
			number = DatumGetFloat8(value);
			goto is_float;
		case FM_READ_TEXT:
		case FM_READ_BPCHAR:
			if (node->domain != FM_DOMAIN_STRINGS)
				return true;
			packed = PG_DETOAST_DATUM_PACKED(value);
			text = VARDATA_ANY(packed);
			length = VARSIZE_ANY_EXHDR(packed);
			if (node->reader == FM_READ_BPCHAR)
				length = trimmed_length(text, length);
			return fm_string_set_has(node->strings, text, length);
		default:
			return false;
	}
	return node->domain != FM_DOMAIN_INT || ((!node->has_min || integer >= node->int_min) &&
											 (!node->has_max || integer <= node->int_max));

is_float:
	if (node->domain != FM_DOMAIN_FLOAT)
		return true;
	if (isnan(number))
		return false; /* looked at closely */
	rounded = (float) number;
	return (!node->has_min || rounded >= node->float_min) && (!node->has_max || rounded <= node->float_max) &&
		   !(node->disallow_inf && isinf(rounded));
}

static bool
node_is_valid(FmRowPlan *plan, FmRowNode *node, Datum value, bool isnull)
{
	MemoryContext old = MemoryContextSwitchTo(plan->scratch);
	bool valid;

	fm_node_reset(node);
	if (isnull)
		fm_node_add_missing(node);
	else
		fm_node_add(node, value);
	valid = fm_node_judge(plan, node, NULL);
	MemoryContextSwitchTo(old);
	MemoryContextReset(plan->scratch);
	return valid;
}

bool
fm_row_is_valid(FmRowPlan *plan, const Datum *values, const bool *nulls)
{
	bool utf8 = GetDatabaseEncoding() == PG_UTF8;
	int i;

	if (plan->always_invalid)
		return false;
	for (i = 0; i < plan->root.n_attributes; i++)
	{
		FmRowNode *node = &plan->root.children[i];

		if (nulls[i])
		{
			if (node->required && !node->unchecked)
				return false;
			continue;
		}
		if (node->unchecked)
			continue;
		if (node->is_simple && (utf8 || node->domain != FM_DOMAIN_STRINGS) && scalar_is_valid(node, values[i]))
			continue;
		if (!node_is_valid(plan, node, values[i], false))
			return false;
	}
	return true;
}

/*
 * Sorts by path, keeping the order of one feature's reasons
 */
static void
sort_reasons(FmRowReasons *reasons)
{
	int i;
	int j;

	for (i = 1; i < reasons->n; i++)
	{
		FmRowReason reason = reasons->reason[i];

		for (j = i; j > 0 && fm_path_compare(&reasons->reason[j - 1].node->path, &reason.node->path) > 0; j--)
			reasons->reason[j] = reasons->reason[j - 1];
		reasons->reason[j] = reason;
	}
}

FmRowReasons
fm_row_reasons(FmRowPlan *plan, const Datum *values, const bool *nulls)
{
	FmRowReasons reasons = {0, NULL};
	MemoryContext old;
	int i;

	MemoryContextReset(plan->scratch);
	old = MemoryContextSwitchTo(plan->scratch);
	for (i = 0; i < plan->root.n_children; i++)
	{
		FmRowNode *node = &plan->root.children[i];

		if (node->unchecked && node->n_mistakes == 0)
			continue;
		fm_node_reset(node);
		if (!node->missing && node->feature != NULL)
		{
			if (nulls[i])
				fm_node_add_missing(node);
			else
				fm_node_add(node, values[i]);
		}
		fm_node_judge(plan, node, &reasons);
	}
	sort_reasons(&reasons);
	MemoryContextSwitchTo(old);
	return reasons;
}

/*
 * Keys of the document that the schema does not have
 */
static void
find_new_keys(FmRowPlan *plan, JsonbContainer *container, FmRowReasons *reasons)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue value;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char *name;
		FmRowNode *node;
		int i;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(value.val.string.val, value.val.string.len);
		for (i = 0; i < plan->root.n_children; i++)
			if (strcmp(plan->root.children[i].name, name) == 0)
				break;
		if (i < plan->root.n_children)
			continue;
		node = palloc0(sizeof(FmRowNode));
		node->name = name;
		node->path = fm_path_child(NULL, name);
		node->serialized_path = fm_path_serialize(&node->path);
		fm_node_judge(plan, node, reasons);
	}
}

FmRowReasons
fm_json_reasons(FmRowPlan *plan, Jsonb *document)
{
	FmRowReasons reasons = {0, NULL};
	MemoryContext old;
	int i;

	MemoryContextReset(plan->scratch);
	old = MemoryContextSwitchTo(plan->scratch);
	if (!JB_ROOT_IS_OBJECT(document))
	{
		/* the document itself, under the path without steps */
		give_reason(&reasons, &plan->root, TFMD__ANOMALY_INFO__TYPE__UNEXPECTED_DATA_TYPE, "Unexpected data type",
					pstrdup("the document is not an object"));
		MemoryContextSwitchTo(old);
		return reasons;
	}
	for (i = 0; i < plan->root.n_children; i++)
		fm_node_reset(&plan->root.children[i]);
	add_json_object(&plan->root, &document->root);
	for (i = 0; i < plan->root.n_children; i++)
		fm_node_judge(plan, &plan->root.children[i], &reasons);
	find_new_keys(plan, &document->root, &reasons);
	sort_reasons(&reasons);
	MemoryContextSwitchTo(old);
	return reasons;
}

Tfmd__Anomalies *
fm_reasons_to_anomalies(const FmRowReasons *reasons)
{
	Tfmd__Anomalies *anomalies = FM_NEW(Tfmd__Anomalies, tfmd__anomalies);
	Tfmd__AnomalyInfo *info = NULL;
	int i;

	anomalies->has_anomaly_name_format = true;
	anomalies->anomaly_name_format = TFMD__ANOMALIES__ANOMALY_NAME_FORMAT__SERIALIZED_PATH;
	for (i = 0; i < reasons->n; i++)
	{
		const FmRowReason *from = &reasons->reason[i];
		Tfmd__AnomalyInfo__Reason *reason = FM_NEW(Tfmd__AnomalyInfo__Reason, tfmd__anomaly_info__reason);

		if (i == 0 || reasons->reason[i - 1].node != from->node)
		{
			Tfmd__Anomalies__AnomalyInfoEntry *entry =
				FM_NEW(Tfmd__Anomalies__AnomalyInfoEntry, tfmd__anomalies__anomaly_info_entry);

			info = FM_NEW(Tfmd__AnomalyInfo, tfmd__anomaly_info);
			info->path = fm_path_to_message(&from->node->path);
			info->has_severity = true;
			info->severity = TFMD__ANOMALY_INFO__SEVERITY__ERROR;
			info->short_description = pstrdup(from->short_description);
			info->description = pstrdup(from->description);
			entry->key = pstrdup(from->node->serialized_path);
			entry->value = info;
			FM_APPEND(anomalies->n_anomaly_info, anomalies->anomaly_info, entry);
		}
		else
		{
			info->short_description = pstrdup("Multiple errors");
			info->description = psprintf("%s %s", info->description, from->description);
		}
		reason->has_type = true;
		reason->type = from->type;
		reason->short_description = pstrdup(from->short_description);
		reason->description = pstrdup(from->description);
		FM_APPEND(info->n_reason, info->reason, reason);
	}
	return anomalies;
}
