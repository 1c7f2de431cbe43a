/*
 * PostgreSQL counts days and microseconds from 2000-01-01, TensorFlow's tools from 1970-01-01
 */
#ifndef FM_EPOCH_H
#define FM_EPOCH_H

#include "datatype/timestamp.h"

#define FM_EPOCH_DAYS (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)
#define FM_EPOCH_MICROSECONDS (INT64CONST(86400000000) * FM_EPOCH_DAYS)

#endif
