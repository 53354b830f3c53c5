#pragma once
#include <stdint.h>

/* Counts what threads ask the system's allocator for: this target's malloc stands before the C
 * library's for everything that the test process loads. */

/* Turns counting on (*on ≠ 0) or off for the calling thread. In the form of a team's body, so that
 * every thread of a team can be asked to count. */
void allocation_count_switch(const void *_Nonnull on, int part, int parts);

/* Calls of malloc, calloc, realloc, memalign, their relatives and mmap so far, by threads that
 * count. */
int64_t allocation_count(void);

/* Bytes of the largest such request since allocation_count_forget. */
int64_t allocation_count_largest(void);
void allocation_count_forget(void);
