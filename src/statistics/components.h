/*
 * Sparse and weighted features of a schema: how well their components fit together
 *
 * TFDV's SparseFeatureStatsGenerator and WeightedFeatureStatsGenerator: custom statistics of a feature that has no
 * values of its own. SPI must be connected; messages are made in the context given.
 */
#ifndef FM_COMPONENTS_H
#define FM_COMPONENTS_H

#include "source.h"

#include "schema.pb-c.h"
#include "statistics.pb-c.h"

/* Appends a feature for each sparse feature of the schema, at any depth, and for each weighted feature */
extern void fm_add_component_stats(const FmRowSource *source, const Tfmd__Schema *schema,
								   Tfmd__DatasetFeatureStatistics *dataset, MemoryContext context);

#endif
