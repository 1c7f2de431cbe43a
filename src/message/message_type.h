/*
 * A protobuf message as an SQL type: the door of the room "message"
 *
 * On disk a value is a varlena that holds the message's canonical wire bytes, so equality and hashing go by bytes.
 *
 * The types are made in message_type.c, a line each: the C functions TYPE_in, _out, _recv, _from_bytea, _from_jsonb and
 * _to_jsonb. Here stand their macros for arguments, and PG_RETURN_MESSAGE for results of all of them.
 */
#ifndef FM_MESSAGE_TYPE_H
#define FM_MESSAGE_TYPE_H

#include "message/message.h"
#include "fm_compat.h"
#include "utils/builtins.h"

#include "anomalies.pb-c.h"
#include "metadata_store.pb-c.h"
#include "schema.pb-c.h"
#include "statistics.pb-c.h"

/* Argument n of the call as a message, unpacked in the current memory context. The argument must not be NULL. */
extern ProtobufCMessage *fm_datum_get_message(Datum datum, const ProtobufCMessageDescriptor *descriptor);
#define fm_getarg_message(fcinfo, n, descriptor) fm_datum_get_message(PG_GETARG_DATUM(n), descriptor)

/* A message as a Datum of its type; raises 22021, 54001 or 54000 when its bytes could not be read again or stored */
extern Datum fm_message_get_datum(const ProtobufCMessage *message);
#define PG_RETURN_MESSAGE(message) return fm_message_get_datum(&(message)->base)

#define PG_GETARG_FEATURE_SCHEMA(n) ((Tfmd__Schema *) fm_getarg_message(fcinfo, n, &tfmd__schema__descriptor))
#define PG_GETARG_FEATURE_STATISTICS(n)                                                                                \
	((Tfmd__DatasetFeatureStatisticsList *) fm_getarg_message(fcinfo, n,                                               \
															  &tfmd__dataset_feature_statistics_list__descriptor))
#define PG_GETARG_FEATURE_ANOMALIES(n) ((Tfmd__Anomalies *) fm_getarg_message(fcinfo, n, &tfmd__anomalies__descriptor))
#define PG_GETARG_LINEAGE_GRAPH(n)                                                                                     \
	((Mlmd__LineageGraph *) fm_getarg_message(fcinfo, n, &mlmd__lineage_graph__descriptor))

#endif
