/*
 * A protobuf message as an SQL type: the door of the room "message"
 *
 * On disk a value is a varlena that holds the message's canonical wire bytes, so equality and hashing go by bytes.
 *
 * A room that has such a type writes in one of its files
 *     FM_MESSAGE_TYPE(feature_schema, tfmd__schema__descriptor)
 * which defines the C functions feature_schema_in, _out, _recv, _send, _eq, _ne, _hash, _hash_extended,
 * _from_jsonb, _to_jsonb, _from_bytea, _to_bytea for the SQL script, and in its header
 *     #define PG_GETARG_FEATURE_SCHEMA(n) ((Tfmd__Schema *) fm_getarg_message(fcinfo, n, &tfmd__schema__descriptor))
 */
#ifndef FM_MESSAGE_TYPE_H
#define FM_MESSAGE_TYPE_H

#include "message/message.h"
#include "fm_compat.h"
#include "utils/builtins.h"

#include "anomalies.pb-c.h"
#include "schema.pb-c.h"
#include "statistics.pb-c.h"

/* Argument n of the call as a message, unpacked in the current memory context. The argument must not be NULL. */
extern ProtobufCMessage *fm_datum_get_message(Datum datum, const ProtobufCMessageDescriptor *descriptor);
#define fm_getarg_message(fcinfo, n, descriptor) fm_datum_get_message(PG_GETARG_DATUM(n), descriptor)

/* A message as a Datum of its type */
extern Datum fm_message_get_datum(const ProtobufCMessage *message);
#define PG_RETURN_MESSAGE(message) return fm_message_get_datum(&(message)->base)

#define PG_GETARG_FEATURE_SCHEMA(n) ((Tfmd__Schema *) fm_getarg_message(fcinfo, n, &tfmd__schema__descriptor))
#define PG_GETARG_FEATURE_STATISTICS(n) \
	((Tfmd__DatasetFeatureStatisticsList *) fm_getarg_message(fcinfo, n, \
															   &tfmd__dataset_feature_statistics_list__descriptor))
#define PG_GETARG_FEATURE_ANOMALIES(n) ((Tfmd__Anomalies *) fm_getarg_message(fcinfo, n, &tfmd__anomalies__descriptor))

#endif
