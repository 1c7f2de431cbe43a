/*
 * Rows in temporary files, a file a partition
 *
 * The files are the server's (BufFile): in the temporary tablespaces, counted against temp_file_limit, and gone with the
 * resource owner whatever happens.
 */
#include "store/asof.h"
#include "miscadmin.h"
#include "storage/buffile.h"
#include "utils/datum.h"
#include "utils/expandeddatum.h"
#include "utils/memutils.h"

static bool
is_expanded(Datum value, int16 typlen)
{
	return typlen == -1 && VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value));
}

Size
asof_value_size(Datum value, int16 typlen)
{
	return is_expanded(value, typlen) ? EOH_get_flat_size(DatumGetEOHP(value)) : datumGetSize(value, false, typlen);
}

void
asof_value_copy(char *to, Datum value, int16 typlen, Size size)
{
	if (is_expanded(value, typlen))
		EOH_flatten_into(DatumGetEOHP(value), to, size);
	else
		memcpy(to, DatumGetPointer(value), size);
}

static void
make_room(AsofRoom *room, Size size)
{
	if (size > PG_UINT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("a row of features is too large")));
	if (room->size >= size)
		return;
	size = Max(size, Max(room->size * 2, 256));
	asof_room_free(room);
	room->row = MemoryContextAllocHuge(room->context, size);
	room->size = size;
}

void
asof_room_free(AsofRoom *room)
{
	if (room->row)
		pfree(room->row);
	room->row = NULL;
	room->size = 0;
}

AsofSpill *
asof_spill_create(MemoryContext context, int nfiles, int nvalues)
{
	AsofSpill *spill = MemoryContextAllocZero(context, sizeof(AsofSpill));

	spill->context = spill->out.context = context;
	spill->nfiles = nfiles;
	spill->files = MemoryContextAllocZero(context, sizeof(BufFile *) * nfiles);
	spill->nvalues = nvalues;
	spill->typlen = MemoryContextAlloc(context, sizeof(int16) * Max(nvalues, 1));
	spill->typbyval = MemoryContextAlloc(context, sizeof(bool) * Max(nvalues, 1));
	return spill;
}

void
asof_spill_type(AsofSpill *spill, int value, int16 typlen, bool typbyval)
{
	spill->typlen[value] = typlen;
	spill->typbyval[value] = typbyval;
}

/*
 * Where the bytes of values by reference begin
 */
static Size
fixed_size(const AsofSpill *spill)
{
	return MAXALIGN(offsetof(AsofSpilled, values) + spill->nvalues * (sizeof(Datum) + sizeof(bool)));
}

void
asof_spill_put(AsofSpill *spill, int file, uint32 tag, TimestampTz event, TimestampTz created, const Datum *values,
			   const bool *nulls)
{
	Size size = fixed_size(spill);
	Size end = size;
	AsofSpilled *row;

	for (int i = 0; i < spill->nvalues; i++)
		if (!spill->typbyval[i] && !nulls[i])
			size += MAXALIGN(asof_value_size(values[i], spill->typlen[i]));
	make_room(&spill->out, size);
	row = spill->out.row;
	row->size = size;
	row->tag = tag;
	row->event = event;
	row->created = created;
	memcpy(row->values, values, sizeof(Datum) * spill->nvalues);
	memcpy(asof_spilled_nulls(spill, row), nulls, sizeof(bool) * spill->nvalues);
	for (int i = 0; i < spill->nvalues; i++)
		if (!spill->typbyval[i] && !nulls[i])
		{
			Size value_size = asof_value_size(values[i], spill->typlen[i]);

			asof_value_copy((char *) row + end, values[i], spill->typlen[i], value_size);
			row->values[i] = (Datum) end;
			end += MAXALIGN(value_size);
		}
	if (spill->files[file] == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(spill->context);

		spill->files[file] = BufFileCreateTemp(false);
		MemoryContextSwitchTo(old);
	}
	BufFileWrite(spill->files[file], row, size);
}

void
asof_spill_rewind(AsofSpill *spill, int file)
{
	if (spill->files[file] && BufFileSeek(spill->files[file], 0, 0, SEEK_SET) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not rewind a temporary file of feature rows")));
}

static void
read_part(BufFile *file, void *to, Size size)
{
	if (BufFileRead(file, to, size) != size)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not read a temporary file of feature rows")));
}

bool
asof_spill_get(AsofSpill *spill, int file, AsofRoom *room)
{
	uint32 size;
	Size found;

	if (spill->files[file] == NULL)
		return false;
	found = BufFileRead(spill->files[file], &size, sizeof(size));
	if (found == 0)
		return false;
	if (found != sizeof(size))
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not read a temporary file of feature rows")));
	make_room(room, size);
	room->row->size = size;
	read_part(spill->files[file], (char *) room->row + sizeof(size), size - sizeof(size));
	for (int i = 0; i < spill->nvalues; i++)
		if (!spill->typbyval[i] && !asof_spilled_nulls(spill, room->row)[i])
			room->row->values[i] = PointerGetDatum((char *) room->row + room->row->values[i]);
	return true;
}

void
asof_spill_close(AsofSpill *spill, int file)
{
	if (spill->files[file])
		BufFileClose(spill->files[file]);
	spill->files[file] = NULL;
}
