/*
 * Semantic domains: does a column hold natural language, times or images?
 */
#include "semantic.h"

#include "message/message.h"
#include "custom_statistic.h"

#define MIN_VALUES 100
#define MIN_RATIO 0.8

/* Natural language: so much of a value is looked at, it has so many words, of so many bytes in the mean */
#define LANGUAGE_CROP 100
#define LANGUAGE_MIN_WORDS 3
#define LANGUAGE_MIN_MEAN_LENGTH 2.5
#define LANGUAGE_MAX_MEAN_LENGTH 8

/* No format matches a longer text: "September" and the rest are at most this long */
#define MAX_TIME_LENGTH 64

#define NUM_DATES 17
#define NUM_TIMES 3

static const char *const date_formats[NUM_DATES] = {
	"%Y-%m-%d", "%Y/%m/%d", "%Y%m%d",	"%y-%m-%d", "%y/%m/%d", "%m-%d-%Y", "%m/%d/%Y", "%m%d%Y",	"%m-%d-%y",
	"%m/%d/%y", "%d-%m-%Y", "%d/%m/%Y", "%d%m%Y",	"%d-%B-%Y", "%d-%m-%y", "%d/%m/%y", "%d-%B-%y",
};
static const char *const time_formats[NUM_TIMES] = {"%H:%M", "%H:%M:%S", "%H:%M:%S.%f"};
static const char *const combined_format = "%a %b %d %H:%M:%S %Y";

static const char *const day_names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", NULL};
static const char *const short_month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
												"Aug", "Sep", "Oct", "Nov", "Dec", NULL};
static const char *const month_names[] = {"January", "February",  "March",	 "April",	 "May",		 "June", "July",
										  "August",	 "September", "October", "November", "December", NULL};

/* The enumeration TimeDomain.IntegerTimeFormat and the years 1990 to 2030 in that unit */
static const struct
{
	int format;
	int64 begin;
	int64 end;
} unix_times[FM_NUM_UNIX_TIMES] = {
	{5, 7305, 21915},
	{1, INT64CONST(631152000), INT64CONST(1893456000)},
	{2, INT64CONST(631152000000), INT64CONST(1893456000000)},
	{3, INT64CONST(631152000000000), INT64CONST(1893456000000000)},
	{4, INT64CONST(631152000000000000), INT64CONST(1893456000000000000)},
};

static const struct
{
	const char *name;
	const char *signature;
	size_t size;
} image_formats[FM_NUM_IMAGE_FORMATS] = {
	{"bmp", "BM", 2},
	{"gif", "GIF8", 4},
	{"jpeg", "\xff\xd8\xff", 3},
	{"png", "\x89PNG\r\n\x1a\n", 8},
};

static bool
IsDigit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Lengths that a numeric directive can take at the start of the text; returns how many
 *
 * The rules are those of Python's strptime; a pattern can go on after each of them, so "1112018" is 11 1 2018 ...
 */
static int
NumberLengths(char directive, const char *s, size_t size, int lengths[6])
{
	bool one = size >= 1 && IsDigit(s[0]);
	bool two = one && size >= 2 && IsDigit(s[1]);
	int n = 0;

	switch (directive)
	{
		case 'd':
			if (two && ((s[0] == '3' && s[1] <= '1') || s[0] == '1' || s[0] == '2' || (s[0] == '0' && s[1] != '0')))
				lengths[n++] = 2;
			if (size >= 2 && s[0] == ' ' && s[1] >= '1' && s[1] <= '9')
				lengths[n++] = 2;
			if (one && s[0] != '0')
				lengths[n++] = 1;
			break;
		case 'H':
			if (two && ((s[0] == '2' && s[1] <= '3') || s[0] == '0' || s[0] == '1'))
				lengths[n++] = 2;
			if (one)
				lengths[n++] = 1;
			break;
		case 'm':
			if (two && ((s[0] == '1' && s[1] <= '2') || (s[0] == '0' && s[1] != '0')))
				lengths[n++] = 2;
			if (one && s[0] != '0')
				lengths[n++] = 1;
			break;
		case 'S':
			/* 600 and 601 come from a slip in the pattern for leap seconds, and are accepted as TFDV accepts them */
			if (two && size >= 3 && s[0] == '6' && s[1] == '0' && (s[2] == '0' || s[2] == '1'))
				lengths[n++] = 3;
			/* FALLTHROUGH */
		case 'M':
			if (two && s[0] <= '5')
				lengths[n++] = 2;
			if (one)
				lengths[n++] = 1;
			break;
		case 'y':
			if (two)
				lengths[n++] = 2;
			break;
		case 'Y':
			if (two && size >= 4 && IsDigit(s[2]) && IsDigit(s[3]))
				lengths[n++] = 4;
			break;
		case 'f':
			while (n < 6 && (size_t) n < size && IsDigit(s[n]))
			{
				lengths[n] = n + 1;
				n++;
			}
			break;
	}
	return n;
}

/*
 * Bytes of the character at s; 0 when there is none
 */
static size_t
CharacterLength(const char *s, size_t size)
{
	size_t n = 1;

	if (size == 0 || *s == '\n')
		return 0;
	while (n < size && (s[n] & 0xC0) == 0x80)
		n++;
	return n;
}

/*
 * The format against the whole text, going back where a directive can take more or less of it
 *
 * Depth and branching are bounded by the format: at most seven directives of at most six lengths.
 */
bool
fm_matches_time_format(const char *format, const char *data, size_t size)
{
	for (; *format != '\0'; format++)
	{
		if (*format == '%')
		{
			const char *const *names = NULL;
			int lengths[6];
			int n = 0;

			format++;
			if (*format == 'a')
				names = day_names;
			else if (*format == 'b')
				names = short_month_names;
			else if (*format == 'B')
				names = month_names;
			if (names != NULL)
			{
				/* no name is the start of another */
				for (; *names != NULL && n == 0; names++)
				{
					if (size >= strlen(*names) && memcmp(data, *names, strlen(*names)) == 0)
						lengths[n++] = strlen(*names);
				}
			}
			else
				n = NumberLengths(*format, data, size, lengths);

			for (int i = 0; i < n - 1; i++)
			{
				if (fm_matches_time_format(format + 1, data + lengths[i], size - lengths[i]))
					return true;
			}
			if (n == 0)
				return false;
			data += lengths[n - 1];
			size -= lengths[n - 1];
		}
		else if (*format == '.')
		{
			/* in the pattern the point before the fraction stands for any character */
			size_t n = CharacterLength(data, size);

			if (n == 0)
				return false;
			data += n;
			size -= n;
		}
		else
		{
			if (size == 0 || *data != *format)
				return false;
			data++;
			size--;
		}
	}

	/* the end of the pattern also stands before a last line feed */
	return size == 0 || (size == 1 && *data == '\n');
}

/*
 * Format number i in TFDV's order, which breaks ties
 */
static const char *
TimeFormat(int i, char *buffer, size_t buffer_size)
{
	int date;
	int time;

	if (i < NUM_DATES)
		return date_formats[i];
	i -= NUM_DATES;
	if (i < NUM_TIMES)
		return time_formats[i];
	i -= NUM_TIMES;
	if (i == 0)
		return combined_format;
	i--;

	date = i / (NUM_TIMES * 2);
	time = i / 2 % NUM_TIMES;
	snprintf(buffer, buffer_size, "%s%c%s", date_formats[date], i % 2 == 0 ? 'T' : ' ', time_formats[time]);
	return buffer;
}

static void
CountTimeFormats(FmSemanticCounts *counts, const char *data, size_t size)
{
	char buffer[64];

	/* all formats begin with a number or the name of a day */
	if (size > MAX_TIME_LENGTH || !(IsDigit(*data) || *data == ' ' || (*data >= 'F' && *data <= 'W')))
		return;

	for (int i = 0; i < FM_NUM_TIME_FORMATS; i++)
	{
		if (!fm_matches_time_format(TimeFormat(i, buffer, sizeof(buffer)), data, size))
			continue;
		if (counts->time_format[i]++ == 0)
			counts->first_match[i] = counts->num_values;
	}
}

/*
 * Natural language by a simple rule: at least three words, of a plausible mean length
 */
static bool
LooksLikeLanguage(const char *data, size_t size)
{
	size_t num_words = 0;
	size_t length = 0;
	bool in_word = false;

	for (size_t i = 0; i < Min(size, LANGUAGE_CROP); i++)
	{
		bool space = data[i] == ' ' || (data[i] >= '\t' && data[i] <= '\r');

		if (!space)
		{
			length++;
			num_words += !in_word;
		}
		in_word = !space;
	}
	return num_words >= LANGUAGE_MIN_WORDS && (double) length / num_words >= LANGUAGE_MIN_MEAN_LENGTH &&
		   (double) length / num_words <= LANGUAGE_MAX_MEAN_LENGTH;
}

void
fm_semantic_add_text(FmSemanticCounts *counts, const char *data, size_t size, bool valid_utf8)
{
	counts->num_values++;

	for (int i = 0; i < FM_NUM_IMAGE_FORMATS; i++)
	{
		if (size >= image_formats[i].size && memcmp(data, image_formats[i].signature, image_formats[i].size) == 0)
			counts->image[i]++;
	}

	if (counts->language_values < FM_LANGUAGE_VALUES)
	{
		counts->language_values++;
		if (!valid_utf8)
			counts->not_language = true;
		else if (LooksLikeLanguage(data, size))
			counts->language_matches++;
	}

	if (size == 0 || !valid_utf8)
		counts->not_time = true;
	else if (!counts->not_time)
		CountTimeFormats(counts, data, size);
}

void
fm_semantic_add_int(FmSemanticCounts *counts, int64 value)
{
	counts->num_values++;
	for (int i = 0; i < FM_NUM_UNIX_TIMES; i++)
	{
		if (value >= unix_times[i].begin && value < unix_times[i].end)
			counts->unix_time[i]++;
	}
}

void
fm_semantic_add_null(FmSemanticCounts *counts)
{
	counts->num_values++;
	counts->not_time = true;
	if (counts->language_values < FM_LANGUAGE_VALUES)
		counts->language_values++;
}

void
fm_semantic_merge(FmSemanticCounts *counts, const FmSemanticCounts *other)
{
	for (int i = 0; i < FM_NUM_UNIX_TIMES; i++)
		counts->unix_time[i] += other->unix_time[i];
	for (int i = 0; i < FM_NUM_TIME_FORMATS; i++)
	{
		if (counts->time_format[i] == 0 && other->time_format[i] > 0)
			counts->first_match[i] = counts->num_values + other->first_match[i];
		counts->time_format[i] += other->time_format[i];
	}
	for (int i = 0; i < FM_NUM_IMAGE_FORMATS; i++)
		counts->image[i] += other->image[i];
	counts->num_values += other->num_values;
	counts->language_values += other->language_values;
	counts->language_matches += other->language_matches;
	counts->not_time |= other->not_time;
	counts->not_language |= other->not_language;
}

static void
AddImageStats(const FmSemanticCounts *counts, Tfmd__FeatureNameStatistics *feature)
{
	Tfmd__RankHistogram *histogram;
	uint64 known = 0;

	for (int i = 0; i < FM_NUM_IMAGE_FORMATS; i++)
		known += counts->image[i];
	/* written as TFDV computes it: the two forms differ in the last bit */
	if (1 - (double) (counts->num_values - known) / counts->num_values < MIN_RATIO)
		return;

	histogram = FM_NEW(Tfmd__RankHistogram, tfmd__rank_histogram);
	if (counts->num_values > known)
		fm_add_rank_bucket(histogram, "UNKNOWN", counts->num_values - known);
	for (int i = 0; i < FM_NUM_IMAGE_FORMATS; i++)
	{
		if (counts->image[i] > 0)
			fm_add_rank_bucket(histogram, image_formats[i].name, counts->image[i]);
	}
	fm_add_custom_str(feature, "domain_info", "image_domain {}");
	fm_add_custom_rank_histogram(feature, "image_format_histogram", histogram);
}

static void
AddLanguageStats(const FmSemanticCounts *counts, Tfmd__FeatureNameStatistics *feature)
{
	double ratio;

	if (counts->not_language || counts->language_values < MIN_VALUES)
		return;
	ratio = (double) counts->language_matches / counts->language_values;
	if (ratio < MIN_RATIO)
		return;
	fm_add_custom_str(feature, "domain_info", "natural_language_domain {}");
	fm_add_custom_num(feature, "natural_language_match_rate", ratio);
}

/*
 * The most frequent format; of equally frequent ones the one that was matched first
 */
static void
AddTextTimeStats(const FmSemanticCounts *counts, Tfmd__FeatureNameStatistics *feature)
{
	int best = 0;
	double ratio;
	char buffer[64];

	for (int i = 1; i < FM_NUM_TIME_FORMATS; i++)
	{
		if (counts->time_format[i] > counts->time_format[best] ||
			(counts->time_format[i] == counts->time_format[best] && counts->first_match[i] < counts->first_match[best]))
			best = i;
	}
	ratio = (double) counts->time_format[best] / counts->num_values;
	if (counts->not_time || counts->time_format[best] == 0 || ratio < MIN_RATIO)
		return;
	fm_add_custom_str(feature, "domain_info",
					  psprintf("time_domain {string_format: '%s'}", TimeFormat(best, buffer, sizeof(buffer))));
	fm_add_custom_num(feature, "time_match_ratio", ratio);
}

static void
AddIntTimeStats(const FmSemanticCounts *counts, Tfmd__FeatureNameStatistics *feature)
{
	for (int i = 0; i < FM_NUM_UNIX_TIMES; i++)
	{
		double ratio = (double) counts->unix_time[i] / counts->num_values;

		if (counts->unix_time[i] == 0 || ratio < MIN_RATIO)
			continue;
		fm_add_custom_str(feature, "domain_info", psprintf("time_domain {integer_format: %d}", unix_times[i].format));
		fm_add_custom_num(feature, "time_match_ratio", ratio);
		return;
	}
}

void
fm_semantic_custom_stats(const FmSemanticCounts *counts, FmSemanticKind kind, Tfmd__FeatureNameStatistics *feature)
{
	if (counts->num_values < MIN_VALUES)
		return;

	if (kind == FM_SEMANTIC_TEXT)
	{
		AddImageStats(counts, feature);
		AddLanguageStats(counts, feature);
		AddTextTimeStats(counts, feature);
	}
	else if (kind == FM_SEMANTIC_INT)
		AddIntTimeStats(counts, feature);
}
