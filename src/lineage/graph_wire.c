/*
 * From the wire bytes of an ml_metadata.LineageGraph to a graph in memory
 *
 * Only what a walk needs is read: ids of artifacts and executions, and events. The bytes come from storage, but a value
 * may have got there by a cast: every length is checked against what is left.
 */
#include "lineage/graph.h"

#define FIELD_ARTIFACT 4
#define FIELD_EXECUTION 5
#define FIELD_EVENT 7

#define WIRE_VARINT 0
#define WIRE_FIXED64 1
#define WIRE_BYTES 2
#define WIRE_FIXED32 5

typedef struct Reader
{
	const uint8 *data;
	const uint8 *end;
} Reader;

static inline bool
ReadVarint(Reader *reader, uint64 *value)
{
	uint64 result = 0;

	if (reader->data < reader->end && *reader->data < 0x80)
	{
		*value = *reader->data++;
		return true;
	}
	for (int shift = 0; shift < 70; shift += 7)
	{
		uint8 byte;

		if (reader->data >= reader->end)
			return false;
		byte = *reader->data++;
		if (shift < 64)
			result |= (uint64) (byte & 0x7F) << shift;
		if (byte < 0x80)
		{
			*value = result;
			return true;
		}
	}
	return false;
}

/*
 * The next field: its number and, by its wire type, a number or a piece of bytes
 */
static inline bool
ReadField(Reader *reader, uint32 *field, uint32 *wire, uint64 *number, Reader *piece)
{
	uint64 tag;

	if (!ReadVarint(reader, &tag))
		return false;
	*field = (uint32) (tag >> 3);
	*wire = tag & 7;
	switch (*wire)
	{
		case WIRE_VARINT:
			return ReadVarint(reader, number);
		case WIRE_BYTES:
			if (!ReadVarint(reader, number) || *number > (uint64) (reader->end - reader->data))
				return false;
			piece->data = reader->data;
			piece->end = reader->data + *number;
			reader->data = piece->end;
			return true;
		case WIRE_FIXED64:
		case WIRE_FIXED32:
			if (reader->end - reader->data < (*wire == WIRE_FIXED64 ? 8 : 4))
				return false;
			reader->data += *wire == WIRE_FIXED64 ? 8 : 4;
			return true;
		default:
			return false;
	}
}

static bool
ParseEvent(FmGraph *graph, Reader reader)
{
	int64 artifact = 0;
	int64 execution = 0;
	int64 milliseconds = 0;
	int32 type = 0;
	bool has_artifact = false;
	bool has_execution = false;
	bool has_time = false;
	uint32 field;
	uint32 wire;
	uint64 number;
	Reader piece;

	while (reader.data < reader.end)
	{
		if (!ReadField(&reader, &field, &wire, &number, &piece))
			return false;
		if (wire != WIRE_VARINT)
			continue;
		switch (field)
		{
			case 1:
				artifact = (int64) number;
				has_artifact = true;
				break;
			case 2:
				execution = (int64) number;
				has_execution = true;
				break;
			case 4:
				type = (int32) number;
				break;
			case 5:
				milliseconds = (int64) number;
				has_time = true;
				break;
		}
	}
	/* half an event is no edge */
	if (has_artifact && has_execution)
		fm_graph_add_event(graph, artifact, execution, type, has_time, milliseconds);
	return true;
}

static bool
ParseNode(FmGraph *graph, FmNodeKind kind, Reader reader, const uint8 *base)
{
	Reader whole = reader;
	uint32 field;
	uint32 wire;
	uint64 number;
	Reader piece;
	int64 id = 0;
	bool has_id = false;

	while (reader.data < reader.end)
	{
		if (!ReadField(&reader, &field, &wire, &number, &piece))
			return false;
		if (field == 1 && wire == WIRE_VARINT)
		{
			id = (int64) number;
			has_id = true;
		}
	}
	/* a node that was never stored has no id, so nothing can point at it */
	if (has_id)
		fm_graph_add_node(graph, kind, id, (uint32) (whole.data - base), (uint32) (whole.end - whole.data));
	return true;
}

bool
fm_graph_parse(FmGraph *graph, const uint8 *data, size_t size, FmError *error)
{
	Reader reader = {data, data + size};
	uint32 count = 0;

	while (reader.data < reader.end)
	{
		uint32 field;
		uint32 wire;
		uint64 number;
		Reader piece;
		bool done = ReadField(&reader, &field, &wire, &number, &piece);

		if (done && wire == WIRE_BYTES)
		{
			if (field == FIELD_EVENT)
				done = ParseEvent(graph, piece);
			else if (field == FIELD_ARTIFACT || field == FIELD_EXECUTION)
				done = ParseNode(graph, field == FIELD_ARTIFACT ? FM_ARTIFACT : FM_EXECUTION, piece, data);
		}
		if (!done)
			return fm_fail(error, ERRCODE_INVALID_BINARY_REPRESENTATION,
						   "invalid binary representation of type lineage_graph");
		if ((++count & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
	}
	fm_graph_finish(graph);
	return true;
}

bool
fm_graph_node_string(const uint8 *data, const FmGraphNode *node, char what, const uint8 **string, size_t *size)
{
	bool artifact = node->kind == FM_ARTIFACT;
	uint32 wanted = what == 't'				  ? (artifact ? 8 : 7)
					: what == 'n'			  ? (artifact ? 7 : 6)
					: what == 'u' && artifact ? 3
											  : 0;
	Reader reader;
	uint32 field;
	uint32 wire;
	uint64 number;
	Reader piece;
	bool found = false;

	if (wanted == 0 || node->length == 0)
		return false;
	reader.data = data + node->offset;
	reader.end = reader.data + node->length;
	while (reader.data < reader.end && ReadField(&reader, &field, &wire, &number, &piece))
	{
		if (field == wanted && wire == WIRE_BYTES)
		{
			*string = piece.data;
			*size = piece.end - piece.data;
			found = true;
		}
	}
	return found;
}
