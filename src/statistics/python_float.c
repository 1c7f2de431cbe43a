/*
 * Floats as Python prints them
 */
#include "slices.h"

#include <math.h>

#include "common/shortest_dec.h"

/*
 * The shortest digits that read back as the value; an exponent below 1e-4 and from 1e16 on
 *
 * PostgreSQL finds the digits, but begins with the exponent at 1e15, and leaves out ".0".
 */
char *
fm_python_float(double value)
{
	char buffer[DOUBLE_SHORTEST_DECIMAL_LEN];
	char *exponent;
	StringInfoData out;

	if (isnan(value))
		return pstrdup("nan");
	if (isinf(value))
		return pstrdup(value > 0 ? "inf" : "-inf");

	double_to_shortest_decimal_buf(value, buffer);
	initStringInfo(&out);
	exponent = strchr(buffer, 'e');
	if (exponent != NULL && fabs(value) >= 1e15 && fabs(value) < 1e16)
	{
		/* d.ddde+15: sixteen digits before the point */
		int digits = 0;

		for (char *c = buffer; c < exponent; c++)
		{
			if (*c == '.')
				continue;
			appendStringInfoChar(&out, *c);
			digits += *c != '-';
			if (digits == 16 && c + 1 < exponent)
				appendStringInfoChar(&out, '.');
		}
		for (; digits < 16; digits++)
			appendStringInfoChar(&out, '0');
		if (strchr(out.data, '.') == NULL)
			appendStringInfoString(&out, ".0");
		return out.data;
	}
	appendStringInfoString(&out, buffer);
	if (exponent == NULL && strchr(buffer, '.') == NULL)
		appendStringInfoString(&out, ".0");
	return out.data;
}
