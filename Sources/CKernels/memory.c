#define _GNU_SOURCE
#include "include/memory.h"

#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* The number behind `name` at the start of a line, times `unit`; −1 if there is none. */
static int64_t field(const char *path, const char *name, int64_t unit) {
  FILE *file = fopen(path, "re");
  if (!file) return -1;
  char line[256];
  size_t length = strlen(name);
  int64_t value = -1;
  while (value < 0 && fgets(line, sizeof line, file)) {
    if (strncmp(line, name, length)) continue;
    char *end, *start = line + length;
    long long number = strtoll(start, &end, 10);
    if (end != start) value = number * unit;
  }
  fclose(file);
  return value;
}

/* What one group leaves: its limit less what it holds, where cached files count as free. */
static int64_t group_bytes(const char *folder) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/memory.max", folder);
  int64_t limit = field(path, "", 1);
  snprintf(path, sizeof path, "%s/memory.current", folder);
  int64_t held = field(path, "", 1);
  if (limit < 0 || held < 0) return -1;
  snprintf(path, sizeof path, "%s/memory.stat", folder);
  int64_t files = field(path, "file ", 1), shared = field(path, "shmem ", 1);
  if (files > 0) held -= files - (shared > 0 ? shared : 0);
  return held < 0 ? limit : held > limit ? 0 : limit - held;
}

static int64_t lesser(int64_t a, int64_t b) { return a < 0 ? b : b < 0 || a < b ? a : b; }

int64_t lgc_available_bytes(const char *proc, const char *groups) {
  char path[PATH_MAX], line[PATH_MAX / 2], folder[PATH_MAX];
  snprintf(path, sizeof path, "%s/meminfo", proc);
  int64_t available = field(path, "MemAvailable:", 1024);
  snprintf(path, sizeof path, "%s/self/cgroup", proc);
  FILE *file = fopen(path, "re");
  if (!file) return available;
  int found = 0;
  while (!found && fgets(line, sizeof line, file)) found = !strncmp(line, "0::/", 4);
  fclose(file);
  if (!found) return lesser(available, group_bytes(groups));
  line[strcspn(line, "\n")] = 0;
  char *group = line + 3; /* from its first slash */
  for (;;) {
    snprintf(folder, sizeof folder, "%s%s", groups, group);
    available = lesser(available, group_bytes(folder));
    char *slash = strrchr(group, '/');
    if (!slash || !*group) return available;
    *slash = 0;
  }
}
