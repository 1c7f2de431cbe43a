/*
 * Distributed tables of Citus: each shard is sketched where it lies
 *
 * Citus pushes an aggregate down only if its state is no pseudo-type and its argument types are the declared ones, which
 * the aggregate of all columns of a row cannot be. So a query over the table calls a function on one row of each shard,
 * which runs the sketching query there: in the same distributed transaction, as the same role. Nothing of Citus is
 * needed to build or to load this.
 */
#ifndef FM_SHARDS_H
#define FM_SHARDS_H

#include "source.h"

/* Is it a table of Citus with shards, whose rows the caller may read? SPI must be connected. */
extern bool fm_has_shards(const FmRowSource *source);

/*
 * SELECT list FROM source rest, run on each shard: a query of the rows of all, in the order of their first columns. The
 * list is that of sketch_shard: slice text, sketches feature_sketch[], semantic bytea[].
 */
extern char *fm_query_of_shards(const FmRowSource *source, const char *list, const char *rest);

/* The source with its rows fetched from the shards, for a query that Citus cannot distribute */
extern FmRowSource *fm_gathered_source(const FmRowSource *source);

#endif
