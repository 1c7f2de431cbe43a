/*
 * The number of values of a feature, for people
 */
#include "fm_core.h"
#include "schema/shape_text.h"

char *
fm_value_count_text(const Tfmd__ValueCount *count)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "[" INT64_FORMAT ",", count->has_min ? count->min : (int64) 0);
	if (count->has_max)
		appendStringInfo(&buf, INT64_FORMAT "]", (int64) count->max);
	else
		appendStringInfoString(&buf, "inf)");
	return buf.data;
}

char *
fm_shape_text(const Tfmd__Feature *feature)
{
	StringInfoData buf;
	size_t i;

	initStringInfo(&buf);
	switch (feature->shape_type_case)
	{
		case TFMD__FEATURE__SHAPE_TYPE_SHAPE:
			appendStringInfoString(&buf, "shape [");
			for (i = 0; i < feature->shape->n_dim; i++)
				appendStringInfo(&buf, "%s" INT64_FORMAT, i > 0 ? "," : "", (int64) feature->shape->dim[i]->size);
			appendStringInfoChar(&buf, ']');
			return buf.data;
		case TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT:
			appendStringInfo(&buf, "value_count %s", fm_value_count_text(feature->value_count));
			return buf.data;
		case TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNTS:
			appendStringInfoString(&buf, "value_counts");
			for (i = 0; i < feature->value_counts->n_value_count; i++)
				appendStringInfo(&buf, " %s", fm_value_count_text(feature->value_counts->value_count[i]));
			return buf.data;
		default:
			return NULL;
	}
}
