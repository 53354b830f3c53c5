#pragma once
#include <stdint.h>

/* Zeroed pages, huge ones if they are many; NULL if there is no memory. */
void *_Nullable lgc_pages(int64_t bytes);
void lgc_pages_free(void *_Nonnull pages, int64_t bytes);

/* Bytes that the process could still get: what `proc`/meminfo calls available, and no more than the
 * control groups of `proc`/self/cgroup below `groups` leave; −1 if the system does not say. */
int64_t lgc_available_bytes(const char *_Nonnull proc, const char *_Nonnull groups);

/* Bytes that the whole process holds on the heap at this moment. */
int64_t lgc_heap_bytes(void);
