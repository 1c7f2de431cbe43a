/*
 * From ids of nodes and from events to an ml_metadata.LineageGraph
 */
#ifndef FM_LINEAGE_SUBGRAPH_LOAD_H
#define FM_LINEAGE_SUBGRAPH_LOAD_H

#include "fm_core.h"
#include "datatype/timestamp.h"
#include "lineage/traverse.h"
#include "metadata_store.pb-c.h"

typedef struct FmSubgraphIds
{
	const int64 *artifacts; /* ascending */
	int n_artifacts;
	const int64 *executions;
	int n_executions;
	const FmEvent *events; /* with ids and times */
	int n_events;
	bool has_as_of;
	TimestampTz as_of;
} FmSubgraphIds;

/*
 * Reads nodes, paths of events, the contexts of the nodes with attributions and associations, and the types of
 * all of them, under the caller's rights. To be called within SPI_connect; the message is in the current memory context.
 */
extern Mlmd__LineageGraph *fm_load_subgraph(const FmSubgraphIds *ids);

#endif
