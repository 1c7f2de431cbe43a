/*
 * A row against a compiled schema (see row_plan.h)
 *
 * A scalar with nothing but a range or a list of values to check is judged at once. Everything else is added up first
 * (row_node.c) and judged then (row_judge.c): a struct's child has a value for each of its parent's.
 */
#include "fm_core.h"
#include "fm_epoch.h"
#include "rows/row_node.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

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
			integer = (int64) DatumGetDateADT(value) + FM_EPOCH_DAYS;
			break;
		case FM_READ_TIMESTAMP:
			integer = DatumGetTimestamp(value);
			if (!TIMESTAMP_NOT_FINITE(integer))
				integer += FM_EPOCH_MICROSECONDS;
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
				length = fm_trimmed_length(text, length);
			return fm_string_set_has(node->strings, text, length);
		default:
			return false;
	}
	return node->domain != FM_DOMAIN_INT ||
		   ((!node->has_min || integer >= node->int_min) && (!node->has_max || integer <= node->int_max));

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

	fm_row_node_reset(node);
	if (isnull)
		fm_row_node_add_missing(node);
	else
		fm_row_node_add(node, value);
	valid = fm_row_node_judge(plan, node, NULL);
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
		fm_row_node_reset(node);
		if (!node->missing && node->feature != NULL)
		{
			if (nulls[i])
				fm_row_node_add_missing(node);
			else
				fm_row_node_add(node, values[i]);
		}
		fm_row_node_judge(plan, node, &reasons);
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
		fm_row_node_judge(plan, node, reasons);
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
		fm_give_reason(&reasons, &plan->root, TFMD__ANOMALY_INFO__TYPE__UNEXPECTED_DATA_TYPE, "Unexpected data type",
					   pstrdup("the document is not an object"));
		MemoryContextSwitchTo(old);
		return reasons;
	}
	for (i = 0; i < plan->root.n_children; i++)
		fm_row_node_reset(&plan->root.children[i]);
	fm_row_node_add_object(&plan->root, &document->root);
	for (i = 0; i < plan->root.n_children; i++)
		fm_row_node_judge(plan, &plan->root.children[i], &reasons);
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
