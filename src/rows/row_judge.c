/*
 * Does what a row has shown of a feature conform to the schema?
 */
#include "fm_core.h"
#include "rows/row_node.h"

#include <math.h>

#include "utils/builtins.h"

void
fm_give_reason(FmRowReasons *reasons, FmRowNode *node, Tfmd__AnomalyInfo__Type type, const char *short_description,
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
#define REASON(TYPE, short_description, ...)                                                                           \
	do                                                                                                                 \
	{                                                                                                                  \
		if (reasons == NULL)                                                                                           \
			return false;                                                                                              \
		fm_give_reason(reasons, node, TFMD__ANOMALY_INFO__TYPE__##TYPE, (short_description), psprintf(__VA_ARGS__));   \
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
				   node->odd[0].value, node->true_value ? "'" : "",
				   node->true_value ? node->true_value : "(no true value)", node->true_value ? "'" : "",
				   node->false_value ? "'" : "", node->false_value ? node->false_value : "(no false value)",
				   node->false_value ? "'" : "");
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

	if (node->kind == FM_KIND_NONE || (!node->mixed_kinds && fm_row_kind_type(node->kind) == node->expected_type))
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
fm_row_node_judge(const FmRowPlan *plan, FmRowNode *node, FmRowReasons *reasons)
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
		fm_give_reason(reasons, node, node->mistakes[i].type, node->mistakes[i].short_description,
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
	type_differs = node->kind != FM_KIND_NONE && fm_row_kind_type(node->kind) != node->expected_type;
	/* a column of another type is as good as dropped: nothing below it is looked at */
	for (i = 0; !type_differs && i < node->n_children; i++)
		if (!fm_row_node_judge(plan, &node->children[i], reasons) && reasons == NULL)
			return false;
	return (reasons ? reasons->n : 0) == before;
}
