/*
 * Memory of a fuzz target (arena.c)
 */
#ifndef FM_FUZZ_ARENA_H
#define FM_FUZZ_ARENA_H

/* Frees all that was palloc'd: called at the end of LLVMFuzzerTestOneInput */
extern void arena_reset(void);

#endif
