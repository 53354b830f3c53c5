#pragma once
#include <stdint.h>

/* The thread team: libgomp's, because oneDNN computes on it too and two pools would fight for the
 * cores. Nothing here happens at load time; libraries are opened by lgc_runtime_load. */

/* The most threads that a team may have. */
enum { LGC_MAX_THREADS = 256 };

/* Opens oneDNN and libgomp once per process. NULL, or what could not be opened (static storage).
 * Safe to call from several threads. */
const char *_Nullable lgc_runtime_load(void);

/* CPUs that the process may run on. */
int lgc_available_threads(void);

/* Nanoseconds of a clock that never goes back. */
int64_t lgc_nanoseconds(void);

/* One part of a work item: `part` of 0 ..< `parts`. Must not fail. */
typedef void (*lgc_body)(const void *_Nonnull work, int part, int parts);

/* Runs `body` on `threads` threads, the calling one among them, and returns when all are done.
 * In every thread denormal numbers count as zero while the body runs. */
void lgc_team_run(lgc_body _Nonnull body, const void *_Nonnull work, int threads);

/* The number of threads that libraries called from this thread may start; returns what it was. */
int lgc_team_set(int threads);

/* Denormals count as zero (or again as themselves) in the workers of a team, also while a library
 * computes on them; the calling thread has lgc_caller_enter. */
void lgc_workers_flush(int threads, int flush);

/* Between these two the calling thread takes denormals for zero and libraries that it calls start
 * no threads of their own. Restoring matters: outward rounding elsewhere needs denormals. */
typedef struct { uint32_t control; int32_t threads; } lgc_caller_mode;
lgc_caller_mode lgc_caller_enter(void);
void lgc_caller_leave(lgc_caller_mode mode);
