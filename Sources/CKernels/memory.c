#define _GNU_SOURCE
#include "include/memory.h"

#include <malloc.h>
#include <sys/mman.h>

void *lgc_pages(int64_t bytes) {
  void *pages =
      mmap(0, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return 0;
  if (bytes >= 1 << 21) madvise(pages, (size_t)bytes, MADV_HUGEPAGE);
  return pages;
}

void lgc_pages_free(void *pages, int64_t bytes) { munmap(pages, (size_t)bytes); }

int64_t lgc_heap_bytes(void) {
  struct mallinfo2 now = mallinfo2();
  return (int64_t)(now.uordblks + now.hblkhd);
}
