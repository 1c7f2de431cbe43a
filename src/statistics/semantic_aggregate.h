/*
 * The aggregate behind enable_semantic_domain_stats
 */
#ifndef FM_SEMANTIC_AGGREGATE_H
#define FM_SEMANTIC_AGGREGATE_H

#include "semantic.h"
#include "source.h"

/* What a value of the column is for the aggregate; FM_SEMANTIC_NONE: it cannot have a semantic domain */
extern FmSemanticKind fm_semantic_kind(const FmSourceColumn *column);

/* The result of the aggregate as counts */
extern void fm_semantic_read(Datum datum, FmSemanticCounts *counts);

#endif
