/*
 * Numbers and names as text: what the text format and JSON have in common
 *
 * Numbers are read and written as Python's protobuf does, so that a text means the same here and there.
 */
#include "message/message_internal.h"

#include <ctype.h>
#include <math.h>

#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"

/*
 * Writes digits d.ddd * 10^exponent as Python's repr does
 */
static size_t
print_digits(bool negative, const char *digits, int n, int exponent, char *out)
{
	char *p = out;

	while (n > 1 && digits[n - 1] == '0')
		n--;
	if (negative)
		*p++ = '-';
	if (exponent < -4 || exponent > 15)
	{
		*p++ = digits[0];
		if (n > 1)
			*p++ = '.';
		memcpy(p, digits + 1, n - 1);
		p += n - 1;
		p += sprintf(p, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
	}
	else if (exponent < 0)
	{
		*p++ = '0';
		*p++ = '.';
		for (int i = -1; i > exponent; i--)
			*p++ = '0';
		memcpy(p, digits, n);
		p += n;
	}
	else
	{
		for (int i = 0; i <= exponent; i++)
			*p++ = i < n ? digits[i] : '0';
		*p++ = '.';
		if (n > exponent + 1)
		{
			memcpy(p, digits + exponent + 1, n - exponent - 1);
			p += n - exponent - 1;
		}
		else
			*p++ = '0';
	}
	*p = '\0';
	return p - out;
}

/*
 * Takes the digits and the exponent of the first of them out of "123.45e-67"
 */
static int
take_digits(const char *text, char *digits, int *exponent)
{
	int n = 0;
	int point = -1;
	const char *p;

	for (p = text; *p != '\0' && *p != 'e'; p++)
	{
		if (*p == '.')
			point = n;
		else if (isdigit((unsigned char) *p) && (n > 0 || *p != '0' || point < 0))
			digits[n++] = *p;
		else if (*p == '0')
			point--;
	}
	if (point == -1)
		point = n;
	*exponent = point - 1 + (*p == 'e' ? atoi(p + 1) : 0);
	return n;
}

static size_t
print_special(double value, char *out)
{
	strcpy(out, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
	return strlen(out);
}

size_t
fm_print_double(double value, char *out)
{
	char text[DOUBLE_SHORTEST_DECIMAL_LEN + 16];
	char digits[40];
	double magnitude = fabs(value);
	uint64 bits;
	int n;
	int exponent;

	if (!isfinite(value))
		return print_special(value, out);
	if (value == 0)
		return print_digits(signbit(value), "0", 1, 0, out);

	/*
	 * The server's shortest digits never lie on the border of what rounds to the value; Python's may where the value's
	 * last bit is 0. Those are shorter by more than one digit, which only can be where there are 16 or 17.
	 */
	double_to_shortest_decimal_buf(magnitude, text);
	n = take_digits(text, digits, &exponent);
	memcpy(&bits, &value, sizeof(bits));
	if (n >= 16 && (bits & 1) == 0)
	{
		for (int precision = 15; precision < n; precision++)
		{
			snprintf(text, sizeof(text), "%.*e", precision - 1, magnitude);
			if (strtod(text, NULL) == magnitude)
			{
				n = take_digits(text, digits, &exponent);
				break;
			}
		}
	}
	return print_digits(value < 0, digits, n, exponent, out);
}

size_t
fm_print_float(float value, char *out)
{
	char text[40];
	char digits[40];
	float magnitude = fabsf(value);
	int n;
	int exponent;

	if (!isfinite(value))
		return print_special(value, out);
	if (value == 0)
		return print_digits(signbit(value), "0", 1, 0, out);

	/* Python tries 6 digits, then more: not always the shortest that there is */
	for (int precision = 6; precision <= 9; precision++)
	{
		snprintf(text, sizeof(text), "%.*e", precision - 1, (double) magnitude);
		if ((float) strtod(text, NULL) == magnitude)
			break;
	}
	n = take_digits(text, digits, &exponent);
	return print_digits(value < 0, digits, n, exponent, out);
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/*
 * Passes over digits with single underscores between them
 */
static const char *
skip_digits(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && (isdigit((unsigned char) *p) ||
					   (*p == '_' && p > start && p[-1] != '_' && p + 1 < end && isdigit((unsigned char) p[1]))))
		p++;
	return p;
}

bool
fm_read_integer(const char *text, size_t length, bool c_octal, bool *negative, uint64 *magnitude, bool *overflow)
{
	const char *p = text;
	const char *end = text + length;
	int base = 10;
	bool leading_zero;
	bool digit_before = false;
	uint64 value = 0;

	*overflow = false;
	*negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
	{
		c_octal = c_octal && *p == '-';
		p++;
	}
	if (p == end)
		return false;
	leading_zero = *p == '0';
	if (leading_zero && p + 1 < end)
	{
		switch (p[1])
		{
			case 'x':
			case 'X':
				base = 16;
				break;
			case 'o':
			case 'O':
				base = 8;
				break;
			case 'b':
			case 'B':
				base = 2;
				break;
		}
		if (base != 10)
		{
			p += 2;
			/* Python takes an underscore here */
			digit_before = true;
			if (p == end || (*p == '_' && p + 1 == end))
				return false;
		}
		else if (c_octal && skip_digits(p, end) == end && memchr(p, '_', end - p) == NULL)
			base = 8;
	}
	if (p == end)
		return false;
	for (; p < end; p++)
	{
		int digit;

		if (*p == '_')
		{
			if (!digit_before || p + 1 == end)
				return false;
			digit_before = false;
			continue;
		}
		digit = digit_value(*p);
		if (digit >= base)
			return false;
		digit_before = true;
		if (value > (PG_UINT64_MAX - digit) / base)
			*overflow = true;
		else
			value = value * base + digit;
	}
	/* decimal numbers do not begin with a zero, unless they are zero */
	if (base == 10 && leading_zero && value != 0)
		return false;
	if (base == 10 && leading_zero && *overflow)
		return false;
	*magnitude = value;
	return true;
}

static bool
is_word(const char *p, const char *end, const char *word)
{
	return (size_t) (end - p) == strlen(word) && pg_strncasecmp(p, word, end - p) == 0;
}

bool
fm_read_double(const char *text, size_t length, double *value)
{
	const char *end = text + length;
	const char *p = text;
	const char *q;
	bool negative = p < end && *p == '-';
	size_t digits;
	char buffer[64];
	char *copy;
	char *out;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (is_word(p, end, "inf") || is_word(p, end, "infinity"))
	{
		*value = negative ? -INFINITY : INFINITY;
		return true;
	}
	if (is_word(p, end, "nan"))
	{
		*value = negative ? -NAN : NAN;
		return true;
	}

	q = skip_digits(p, end);
	digits = q - p;
	if (q < end && *q == '.')
	{
		p = q + 1;
		q = skip_digits(p, end);
		digits += q - p;
	}
	if (digits == 0)
		return false;
	if (q < end && (*q == 'e' || *q == 'E'))
	{
		p = q + 1;
		if (p < end && (*p == '-' || *p == '+'))
			p++;
		q = skip_digits(p, end);
		if (q == p)
			return false;
	}
	if (q != end)
		return false;

	copy = length < sizeof(buffer) ? buffer : palloc(length + 1);
	out = copy;
	for (p = text; p < end; p++)
		if (*p != '_')
			*out++ = *p;
	*out = '\0';
	*value = strtod(copy, NULL);
	if (copy != buffer)
		pfree(copy);
	return true;
}

bool
fm_integer_in_range(ProtobufCType type, bool negative, uint64 magnitude)
{
	switch (type)
	{
		case PROTOBUF_C_TYPE_INT64:
		case PROTOBUF_C_TYPE_SINT64:
		case PROTOBUF_C_TYPE_SFIXED64:
			return magnitude <= (uint64) PG_INT64_MAX + negative;
		case PROTOBUF_C_TYPE_UINT64:
		case PROTOBUF_C_TYPE_FIXED64:
			return !negative || magnitude == 0;
		case PROTOBUF_C_TYPE_UINT32:
		case PROTOBUF_C_TYPE_FIXED32:
			return magnitude <= PG_UINT32_MAX && (!negative || magnitude == 0);
		default:
			return magnitude <= (uint64) PG_INT32_MAX + negative;
	}
}

bool
fm_store_integer(const ProtobufCFieldDescriptor *field, void *slot, bool negative, uint64 magnitude)
{
	uint64 value = negative ? 0 - magnitude : magnitude;

	if (!fm_integer_in_range(field->type, negative, magnitude))
		return false;
	if (fm_field_size(field) == 8)
		*(uint64 *) slot = value;
	else
		*(uint32 *) slot = (uint32) value;
	return true;
}

bool
fm_is_utf8(const char *text, size_t length)
{
	return length <= PG_INT32_MAX && (size_t) pg_encoding_verifymbstr(PG_UTF8, text, (int) length) == length;
}

void
fm_line_and_column(const char *text, const char *place, int *line, int *column)
{
	*line = *column = 1;
	for (const char *p = text; p < place; p++)
	{
		if (*p == '\n')
		{
			(*line)++;
			*column = 1;
		}
		else if (((unsigned char) *p & 0xc0) != 0x80)
			(*column)++;
	}
}

char *
fm_excerpt(const char *text, size_t length)
{
	char *copy;
	size_t n = Min(length, 64);

	/* never half a character */
	while (n < length && n > 0 && ((unsigned char) text[n] & 0xc0) == 0x80)
		n--;
	copy = palloc(n + 4);
	for (size_t i = 0; i < n; i++)
		copy[i] = (unsigned char) text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
	strcpy(copy + n, n < length ? "..." : "");
	return copy;
}

#define MAX_NAME 64

/*
 * Edit distance of two names, letters of either case being equal
 */
static int
distance(const char *a, size_t n, const char *b, size_t m)
{
	int row[MAX_NAME + 1];

	for (size_t j = 0; j <= m; j++)
		row[j] = (int) j;
	for (size_t i = 1; i <= n; i++)
	{
		int diagonal = row[0];

		row[0] = (int) i;
		for (size_t j = 1; j <= m; j++)
		{
			int substitute = diagonal + (tolower((unsigned char) a[i - 1]) != tolower((unsigned char) b[j - 1]));

			diagonal = row[j];
			row[j] = Min(substitute, Min(row[j], row[j - 1]) + 1);
		}
	}
	return row[m];
}

/*
 * Keeps the candidate if it is nearer to the name than the best so far
 */
static void
consider(const char *name, size_t length, const char *candidate, const char **best, int *best_distance)
{
	size_t m = strlen(candidate);
	int d;

	if (length == 0 || length > MAX_NAME || m > MAX_NAME)
		return;
	d = distance(name, length, candidate, m);
	/* as the server does for columns: near, and more alike than different; or one the beginning of the other */
	if (pg_strncasecmp(name, candidate, Min(length, m)) == 0 && Min(length, m) >= 3)
		d = Min(d, 3);
	else if (d > 3 || (size_t) d > length / 2)
		return;
	if (d < *best_distance)
	{
		*best = candidate;
		*best_distance = d;
	}
}

void
fm_hint_field(FmError *error, const ProtobufCMessageDescriptor *descriptor, const char *name, size_t length)
{
	const char *best = NULL;
	int best_distance = INT_MAX;

	for (unsigned i = 0; i < descriptor->n_fields; i++)
		consider(name, length, descriptor->fields[i].name, &best, &best_distance);
	if (best != NULL)
		fm_fail_hint(error, "Perhaps you meant \"%s\".", best);
}

void
fm_hint_enum(FmError *error, const ProtobufCEnumDescriptor *descriptor, const char *name, size_t length)
{
	const char *best = NULL;
	int best_distance = INT_MAX;

	for (unsigned i = 0; i < descriptor->n_value_names; i++)
		consider(name, length, descriptor->values_by_name[i].name, &best, &best_distance);
	if (best != NULL)
		fm_fail_hint(error, "Perhaps you meant %s.", best);
}
