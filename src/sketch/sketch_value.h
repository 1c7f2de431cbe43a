/*
 * From Datums to features: a column of a sketch that takes values of an SQL type
 *
 * bool, smallint, integer, bigint are FM_INT (0 and 1 for bool); real, double precision, numeric FM_FLOAT; text,
 * varchar, char, name and anything that is not listed FM_STRING, by its text output, in UTF-8; bytea FM_BYTES; date,
 * time, timestamp, timestamptz FM_INT with a logical type; an array is a list of its elements, each dimension a level;
 * a composite is FM_STRUCT, its columns the children; jsonb is whatever comes (see kind_of in sketch_read.c); a domain
 * is its base type. char(n) loses its padding.
 */
#ifndef FM_SKETCH_VALUE_H
#define FM_SKETCH_VALUE_H

#include "sketch/sketch.h"
#include "fm_compat.h"
#include "access/tupdesc.h"

typedef struct FmColumn FmColumn;

/*
 * A column for values of a type, with the feature of that name, which is made if the sketch has none; at the top, or
 * (parent) in a struct. Call it in the sketch's memory context. Raises 42804 if the feature is there with another type.
 */
extern FmColumn *fm_column_open(FmSketch *sketch, FmFeature *parent, const char *name, int position, Oid type);

/*
 * Adds a value that is not NULL to the example that fm_sketch_add_example began. Call it in a context that is reset
 * for each row (as a transition function is); context is the sketch's.
 */
extern void fm_column_add(FmColumn *column, Datum value, MemoryContext context);

/* What fm_columns_add may do with a column's values */
typedef enum FmGathering
{
	FM_ADD_AT_ONCE,	  /* nothing but fm_column_add */
	FM_ADD_TEXT,	  /* a varlena that is not compressed or stored elsewhere is bytes for fm_column_add_text */
	FM_GATHER_VALUES, /* keep the Datums, for fm_column_add_values */
	FM_GATHER_LENGTHS /* keep the sizes of varlenas without their header, for fm_column_add_lengths */
} FmGathering;

extern FmGathering fm_column_gathering(const FmColumn *column);

/* In the sketch's context */
extern void fm_column_add_text(FmColumn *column, const char *text, size_t size);

/* Up to FM_BATCH values of as many examples, the same as fm_column_add of each. In the sketch's context; overwrites them. */
extern void fm_column_add_values(FmColumn *column, Datum *values, int num);
extern void fm_column_add_lengths(FmColumn *column, const uint64 *sizes, int num);

/* The columns of a row type in a sketch, for fm_row_add. typid and typmod as in the header of a composite Datum. */
typedef struct FmRow
{
	Oid typid;
	int32 typmod;
	TupleDesc desc;		/* a copy */
	FmColumn **columns; /* NULL for dropped ones */
	Datum *values;
	bool *nulls;
} FmRow;

extern FmRow *fm_row_open(FmSketch *sketch, FmFeature *parent, Oid typid, int32 typmod);
extern void fm_row_add(FmRow *row, Datum composite, MemoryContext context);

/* An identifier in UTF-8, palloc'd if it has to be converted */
extern const char *fm_name_to_utf8(const char *name);

#endif
