/*
 * Features' values as JSON
 */
#include "store/online.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include <ctype.h>
#include <math.h>

JsonForm
online_json_form(Oid type)
{
	type = getBaseType(type);
	switch (type)
	{
		case BOOLOID:
			return JSON_BOOLEAN;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return JSON_INTEGER;
		case FLOAT8OID:
			return JSON_DOUBLE;
		case FLOAT4OID:
		case NUMERICOID:
			return JSON_NUMBER;
		case JSONOID:
			return JSON_RAW;
		case JSONBOID:
			return JSON_BINARY;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return JSON_TIME;
		default:
			if (OidIsValid(get_element_type(type)))
				return JSON_ARRAY;
			return type_is_rowtype(type) ? JSON_ROW : JSON_STRING;
	}
}

void
online_append_value(StringInfo out, OnlineFeature *feature, Datum value)
{
	char buffer[MAXDATELEN + 1];
	char *string;

	switch (feature->form)
	{
		case JSON_INTEGER:
			enlargeStringInfo(out, MAXINT8LEN + 1);
			out->len += pg_lltoa(feature->type == INT8OID	? DatumGetInt64(value)
								 : feature->type == INT4OID ? DatumGetInt32(value)
															: DatumGetInt16(value),
								 out->data + out->len);
			break;
		case JSON_DOUBLE:
			if (isnan(DatumGetFloat8(value)) || isinf(DatumGetFloat8(value)))
				escape_json(out, OutputFunctionCall(&feature->output, value));
			else
			{
				enlargeStringInfo(out, DOUBLE_SHORTEST_DECIMAL_LEN);
				out->len += double_to_shortest_decimal_bufn(DatumGetFloat8(value), out->data + out->len);
			}
			break;
		case JSON_NUMBER:
			/* JSON has no NaN and no infinity: those are strings */
			string = OutputFunctionCall(&feature->output, value);
			if (isdigit((unsigned char) string[0]) || (string[0] == '-' && isdigit((unsigned char) string[1])))
				appendStringInfoString(out, string);
			else
				escape_json(out, string);
			break;
		case JSON_BOOLEAN:
			appendStringInfoString(out, DatumGetBool(value) ? "true" : "false");
			break;
		case JSON_RAW:
			appendStringInfoString(out, OutputFunctionCall(&feature->output, value));
			break;
		case JSON_BINARY:
		{
			Jsonb *jsonb = DatumGetJsonbP(value);

			JsonbToCString(out, &jsonb->root, VARSIZE(jsonb));
			break;
		}
		case JSON_ARRAY:
			appendStringInfoString(out, TextDatumGetCString(DirectFunctionCall1(array_to_json, value)));
			break;
		case JSON_ROW:
			appendStringInfoString(out, TextDatumGetCString(DirectFunctionCall1(row_to_json, value)));
			break;
		case JSON_TIME:
			appendStringInfo(out, "\"%s\"", JsonEncodeDateTime(buffer, value, feature->type, NULL));
			break;
		case JSON_STRING:
			escape_json(out, OutputFunctionCall(&feature->output, value));
			break;
	}
}
