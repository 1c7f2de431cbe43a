/*
 * Paths of features and their serialised form
 */
#include "fm_core.h"
#include "schema/schema.h"

FmPath
fm_path_from_message(const Tfmd__Path *message)
{
	FmPath path = {0, NULL};

	if (message != NULL)
	{
		path.n_step = (int) message->n_step;
		path.step = message->step;
	}
	return path;
}

Tfmd__Path *
fm_path_to_message(const FmPath *path)
{
	Tfmd__Path *message = FM_NEW(Tfmd__Path, tfmd__path);
	int i;

	for (i = 0; i < path->n_step; i++)
		FM_APPEND(message->n_step, message->step, pstrdup(path->step[i]));
	return message;
}

FmPath
fm_path_child(const FmPath *parent, const char *step)
{
	int n = parent == NULL ? 0 : parent->n_step;
	FmPath path;

	path.n_step = n + 1;
	path.step = palloc(sizeof(char *) * (n + 1));
	if (n > 0)
		memcpy(path.step, parent->step, sizeof(char *) * n);
	path.step[n] = unconstify(char *, step);
	return path;
}

int
fm_path_compare(const FmPath *a, const FmPath *b)
{
	int i;

	for (i = 0; i < a->n_step && i < b->n_step; i++)
	{
		int order = strcmp(a->step[i], b->step[i]);

		if (order != 0)
			return order;
	}
	return a->n_step - b->n_step;
}

/*
 * Length of the unquoted step at the start of text: "(...)" without parentheses inside, or a run without any of
 * ( ) . '. 0 if there is none.
 */
static size_t
standard_step_length(const char *text)
{
	size_t length;

	if (text[0] == '(')
	{
		length = 1 + strcspn(text + 1, "()");
		return text[length] == ')' ? length + 1 : 0;
	}
	return strcspn(text, "().'");
}

void
fm_path_append_step(StringInfo out, const char *step)
{
	size_t length = standard_step_length(step);
	const char *c;

	if (length > 0 && step[length] == '\0')
	{
		appendStringInfoString(out, step);
		return;
	}
	appendStringInfoChar(out, '\'');
	for (c = step; *c; c++)
	{
		if (*c == '\'')
			appendStringInfoChar(out, '\'');
		appendStringInfoChar(out, *c);
	}
	appendStringInfoChar(out, '\'');
}

void
fm_path_append(StringInfo out, const FmPath *path)
{
	int i;

	for (i = 0; i < path->n_step; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, '.');
		fm_path_append_step(out, path->step[i]);
	}
}

char *
fm_path_serialize(const FmPath *path)
{
	StringInfoData buf;

	initStringInfo(&buf);
	fm_path_append(&buf, path);
	return buf.data;
}

/*
 * Reads a quoted step at *text (on its opening quote); NULL if it has no end
 */
static char *
parse_quoted_step(const char **text)
{
	StringInfoData buf;
	const char *c = *text + 1;

	initStringInfo(&buf);
	for (;; c++)
	{
		if (*c == '\0')
			return NULL;
		if (*c == '\'')
		{
			if (c[1] != '\'')
				break;
			c++;
		}
		appendStringInfoChar(&buf, *c);
	}
	*text = c + 1;
	return buf.data;
}

bool
fm_path_parse(const char *text, FmPath *path, FmError *error)
{
	const char *c = text;

	path->n_step = 0;
	path->step = NULL;
	if (*c == '\0')
		return true;
	for (;;)
	{
		char *step = NULL;

		if (*c == '\'')
			step = parse_quoted_step(&c);
		else
		{
			size_t length = standard_step_length(c);

			if (length > 0)
			{
				step = pnstrdup(c, length);
				c += length;
			}
		}
		if (step == NULL || (*c != '\0' && *c != '.'))
		{
			fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "\"%s\" is not the path of a feature", text);
			fm_fail_detail(error, "Step %d cannot be read.", path->n_step + 1);
			fm_fail_hint(error, "Join steps with a dot; put a name that holds a dot, a quote or a parenthesis in "
								"single quotes, as in 'trip.distance'.");
			return false;
		}
		FM_APPEND(path->n_step, path->step, step);
		if (*c == '\0')
			return true;
		c++;
	}
}
