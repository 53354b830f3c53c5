#pragma once
#include <stdint.h>

/* Zeroed pages, huge ones if they are many; NULL if there is no memory. */
void *_Nullable lgc_pages(int64_t bytes);
void lgc_pages_free(void *_Nonnull pages, int64_t bytes);

/* Bytes that the whole process holds on the heap at this moment. */
int64_t lgc_heap_bytes(void);
