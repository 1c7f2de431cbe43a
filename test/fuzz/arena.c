/*
 * Memory of a fuzz target: palloc and its family over malloc, so that the address sanitizer watches every block, and
 * all of it is freed when an input is done, as a memory context would.
 *
 * Linked into each target in place of libpgcommon's fe_memutils.
 */
#include "postgres_fe.h"

#include "arena.h"

typedef struct Block
{
	struct Block *previous;
	struct Block *next;
	size_t size;
	size_t unused; /* keeps what follows aligned to 16 */
} Block;

static Block blocks = {&blocks, &blocks, 0, 0};

/* What one input may take before it counts as a fault: the server's own limit for one value */
#define ARENA_MAX_BLOCK ((size_t) 0x3fffffff)

static void *
take(size_t size, bool zero)
{
	Block *block;

	if (size > ARENA_MAX_BLOCK)
		abort();
	block = zero ? calloc(1, sizeof(Block) + size) : malloc(sizeof(Block) + size);
	if (block == NULL)
		abort();
	block->size = size;
	block->previous = &blocks;
	block->next = blocks.next;
	blocks.next->previous = block;
	blocks.next = block;
	return block + 1;
}

void
pfree(void *pointer)
{
	Block *block = (Block *) pointer - 1;

	block->previous->next = block->next;
	block->next->previous = block->previous;
	free(block);
}

void
arena_reset(void)
{
	while (blocks.next != &blocks)
		pfree(blocks.next + 1);
}

void *
palloc(Size size)
{
	return take(size, false);
}

void *
palloc0(Size size)
{
	return take(size, true);
}

void *
palloc_extended(Size size, int flags)
{
	return take(size, (flags & MCXT_ALLOC_ZERO) != 0);
}

void *
repalloc(void *pointer, Size size)
{
	size_t old = ((Block *) pointer - 1)->size;
	void *moved = take(size, false);

	/* always moves: a pointer that was kept across it is caught */
	memcpy(moved, pointer, Min(old, size));
	pfree(pointer);
	return moved;
}

char *
pnstrdup(const char *in, Size size)
{
	size_t length = strnlen(in, size);
	char *out = take(length + 1, false);

	memcpy(out, in, length);
	out[length] = '\0';
	return out;
}

char *
pstrdup(const char *in)
{
	return pnstrdup(in, strlen(in));
}

void *
pg_malloc(size_t size)
{
	return take(size, false);
}

void *
pg_malloc0(size_t size)
{
	return take(size, true);
}

void *
pg_malloc_extended(size_t size, int flags)
{
	return palloc_extended(size, flags);
}

void *
pg_realloc(void *pointer, size_t size)
{
	return pointer == NULL ? take(size, false) : repalloc(pointer, size);
}

char *
pg_strdup(const char *in)
{
	return pstrdup(in);
}

void
pg_free(void *pointer)
{
	if (pointer != NULL)
		pfree(pointer);
}
