/*
 * The SQL type feature_sketch: the door through which other rooms get at one
 *
 * On disk a value is a varlena that holds the bytes of fm_sketch_write. While aggregating it is an expanded object,
 * so that a transition costs no copy; it is flattened when it travels or is stored.
 */
#ifndef FM_SKETCH_TYPE_H
#define FM_SKETCH_TYPE_H

#include "sketch/sketch.h"
#include "fm_compat.h"

/* The sketch of a Datum, for reading: read into the current memory context unless it is expanded already. Errors: 22P03. */
extern FmSketch *fm_datum_get_sketch(Datum datum);
#define PG_GETARG_FEATURE_SKETCH(n) fm_datum_get_sketch(PG_GETARG_DATUM(n))

/* A sketch as a flat Datum, palloc'd */
extern Datum fm_sketch_get_datum(FmSketch *sketch);
#define PG_RETURN_FEATURE_SKETCH(sketch) return fm_sketch_get_datum(sketch)

/* feature_meta.max_exact_values and feature_meta.sketch_distributions */
extern int fm_max_exact_values;
extern bool fm_sketch_distributions;

/* A new sketch in the current memory context by these settings */
extern FmSketch *fm_sketch_new_by_settings(bool weighted);

extern void fm_sketch_define_settings(void);

#endif
