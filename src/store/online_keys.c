/*
 * The keys of a call: JSON objects of keys, or an object of lists
 */
#include "store/online.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"

void
online_bad_keys(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("keys do not say which entities are meant"),
			 errdetail("%s", detail),
			 errhint("Give {\"driver_id\": 7}, {\"driver_id\": [7, 8]} or [{\"driver_id\": 7}, {\"driver_id\": 8}].")));
}

KeySource
online_read_keys(Jsonb *jsonb)
{
	KeySource source = {.jsonb = jsonb, .count = 1};
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;
	KeyColumn *column = NULL;
	int nkeys = 0;

	if (JB_ROOT_IS_SCALAR(jsonb))
		online_bad_keys("They are a scalar.");
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
			online_bad_keys("The keys are lists of different lengths.");
		source.count = JsonContainerSize(value.val.binary.data);
		column->values = palloc(sizeof(JsonbValue) * Max(source.count, 1));
		elements = JsonbIteratorInit(value.val.binary.data);
		while ((token = JsonbIteratorNext(&elements, &element, true)) != WJB_DONE)
			if (token == WJB_ELEM)
				column->values[n++] = element;
		source.ncolumns++;
	}
	if (source.ncolumns > 0 && source.ncolumns != nkeys)
		online_bad_keys("Some of the keys are lists, some are not.");
	return source;
}

const JsonbValue *
online_get_key(const KeySource *source, int i, const char *name)
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
			online_bad_keys(psprintf("Element %d is not an object.", i + 1));
		object = element->val.binary.data;
	}
	return getKeyJsonValueFromContainer(object, name, strlen(name), NULL);
}

Datum
online_key_datum(OnlineView *view, int k, const JsonbValue *value, bool *isnull)
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
			appendStringInfoString(
				buf, DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))));
			break;
		case jbvString:
			escape_json(buf, pnstrdup(value->val.string.val, value->val.string.len));
			break;
		default:
			JsonbToCString(buf, value->val.binary.data, value->val.binary.len);
			break;
	}
}

void
online_append_keys(StringInfo buf, const KeySource *source, int i)
{
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
}
