/*
 * The expanded form of a feature_sketch, for the aggregates
 */
#ifndef FM_SKETCH_OBJECT_H
#define FM_SKETCH_OBJECT_H

#include "fm_compat.h"
#include "utils/expandeddatum.h"

#include "sketch/sketch.h"
#include "sketch/sketch_value.h"

typedef struct FmSketchObject
{
	ExpandedObjectHeader header;
	FmSketch *sketch;
	FmColumn *column;	 /* of a column_sketch: what takes the values; NULL until the first */
	StringInfoData flat; /* between get_flat_size and flatten_into */
} FmSketchObject;

extern FmSketchObject *fm_sketch_object_new(MemoryContext parent);
extern FmSketchObject *fm_sketch_object_get(Datum datum, MemoryContext parent);

#endif
