/*
 * What the parts of the room "message" share: access to a message's fields by protobuf-c's descriptors
 */
#ifndef FM_MESSAGE_INTERNAL_H
#define FM_MESSAGE_INTERNAL_H

#include "message/message.h"

/*
 * A reader's account of the memory it may still take, and where it reports that there is no more. Two bytes on the wire
 * can stand for a struct of 300, so the size of the input alone is no bound.
 */
typedef struct FmBudget
{
	size_t left;
	FmError *error;
} FmBudget;

/* The budget for an input of the size: so many times as large as real messages need, and never more than 768 MB */
extern FmBudget fm_budget(size_t size, FmError *error);

/* Takes size bytes from the budget; false and the error 54000 when that is too much */
extern bool fm_budget_take(FmBudget *budget, size_t size);

#define FM_MEMBER(Type, message, field) ((Type *) ((char *) (message) + (field)->offset))
#define FM_COUNT(message, field) (*(size_t *) ((char *) (message) + (field)->quantifier_offset))
#define FM_ONEOF_CASE(message, field) (*(uint32_t *) ((char *) (message) + (field)->quantifier_offset))
#define FM_IS_ONEOF(field) (((field)->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
#define FM_MESSAGE_DESCRIPTOR(field) ((const ProtobufCMessageDescriptor *) (field)->descriptor)
#define FM_ENUM_DESCRIPTOR(field) ((const ProtobufCEnumDescriptor *) (field)->descriptor)

/* Bytes of one value of the field in a struct or array */
extern size_t fm_field_size(const ProtobufCFieldDescriptor *field);

/*
 * Is the field set: has a value (proto2), differs from zero (proto3), is the oneof's case, or has elements
 */
extern bool fm_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/*
 * Where to put a value of the field: the next element of a repeated one, else the member itself, marked as set. A
 * member of a oneof takes the place of the one that was set. NULL when the budget is used up.
 */
extern void *fm_field_slot(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, FmBudget *budget);

/* A new message of the field's type, in its slot */
extern ProtobufCMessage *fm_field_add_message(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
											  FmBudget *budget);

/* Unsets a singular field or empties a repeated one */
extern void fm_field_clear(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* The value that the pointer finds, n-th of a repeated field */
extern const void *fm_field_element(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, size_t n);

/* Is it a map, so a repeated message "...Entry" of key = 1 and value = 2 */
extern bool fm_field_is_map(const ProtobufCFieldDescriptor *field);

/* Sets key and value of a map's entry where they are missing; false when the budget is used up */
extern bool fm_map_entry_complete(ProtobufCMessage *entry, FmBudget *budget);

/*
 * The entries of a map in the order of their keys, of equal keys the last: *n of them. The message's own array if it is
 * so already, else a new one. In the order of the wire, which is that of protobuf's deterministic serialisation in
 * Python, the longer of two keys stands first if it begins with the other.
 */
typedef enum FmMapOrder
{
	FM_TEXT_ORDER,
	FM_WIRE_ORDER
} FmMapOrder;

extern ProtobufCMessage **fm_map_entries(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
										 FmMapOrder order, size_t *n);

/*
 * Does the enum of this field take numbers that it has no name for? Those of proto3 do; in proto2 such a number is kept
 * as an unknown field.
 */
extern bool fm_enum_is_open(const ProtobufCMessageDescriptor *descriptor);

/* The descriptor of a message by its full name, or NULL; of all that the extension was compiled with */
extern const ProtobufCMessageDescriptor *fm_find_message(const char *name, size_t length);

/*
 * An Any's message if its type is known and its bytes are one; else NULL
 */
extern ProtobufCMessage *fm_any_unpack(const ProtobufCMessage *any, int depth);

/* fm_message_unpack below the given depth of nesting */
extern ProtobufCMessage *fm_message_unpack_at(const ProtobufCMessageDescriptor *descriptor, const uint8 *data,
											  size_t size, int depth, FmError *error);

/* Numbers as Python prints them: repr of a double, the shortest text of a float */
#define FM_NUMBER_LENGTH 40
extern size_t fm_print_double(double value, char *out);
extern size_t fm_print_float(float value, char *out);

/*
 * Numbers as Python reads them. fm_read_integer: int(text, 0), with C's octal numbers too if asked; sign apart, false
 * when it is no integer, *overflow when its magnitude is beyond 64 bits. fm_read_double: float(text).
 */
extern bool fm_read_integer(const char *text, size_t length, bool c_octal, bool *negative, uint64 *magnitude,
							bool *overflow);
extern bool fm_read_double(const char *text, size_t length, double *value);

/* Stores an integer in a slot of the field; false when it is out of the type's range */
extern bool fm_store_integer(const ProtobufCFieldDescriptor *field, void *slot, bool negative, uint64 magnitude);
extern bool fm_integer_in_range(ProtobufCType type, bool negative, uint64 magnitude);

/* Is it UTF-8 without a NUL */
extern bool fm_is_utf8(const char *text, size_t length);

/* Line and column of a place in a text, both from 1, the column in characters */
extern void fm_line_and_column(const char *text, const char *place, int *line, int *column);

/* Does the message have a JSON form of its own: Any, Struct, Value, ListValue */
extern bool fm_json_is_special(const ProtobufCMessageDescriptor *descriptor);

/* A name or token of the input for an error message: cut at 64 bytes, control characters replaced */
extern char *fm_excerpt(const char *text, size_t length);

/* Adds the hint "Perhaps you meant ..." if one of the message's fields or the enum's values is like the name */
extern void fm_hint_field(FmError *error, const ProtobufCMessageDescriptor *descriptor, const char *name,
						  size_t length);
extern void fm_hint_enum(FmError *error, const ProtobufCEnumDescriptor *descriptor, const char *name, size_t length);

#endif
