#include <string.h>

#include "clones.h"
#include "include/team.h"
#include "include/windows.h"

enum { SERIAL = 16384 };

/* Columns `begin` ..< `begin` + n of the inner axis. */
INLINE void take_inner(
    const lgc_take *t, float *to, const float *from, int64_t begin, int64_t n) {
  if (t->adjoint)
    for (int64_t i = 0; i < t->extent; i++)
      memset(to + i * t->inner + begin, 0, (size_t)n * sizeof(float));
  if (t->inner == 1) {
    if (t->adjoint) for (int64_t i = 0; i < t->count; i++) to[t->places[i]] += from[i];
    else for (int64_t i = 0; i < t->count; i++) to[i] = from[t->places[i]];
    return;
  }
  for (int64_t i = 0; i < t->count; i++) {
    int64_t small = i * t->inner + begin, large = t->places[i] * t->inner + begin;
    if (!t->adjoint) {
      memcpy(to + small, from + large, (size_t)n * sizeof(float));
      continue;
    }
    float *sum = to + large;
    const float *x = from + small;
    for (int64_t k = 0; k < n; k++) sum[k] += x[k];
  }
}

CLONES void lgc_take_lines(const lgc_take *t, int part, int parts);
CLONES void lgc_take_lines(const lgc_take *t, int part, int parts) {
  int64_t source = (t->adjoint ? t->count : t->extent) * t->inner;
  int64_t target = (t->adjoint ? t->extent : t->count) * t->inner;
  if (t->outer < parts) {
    int64_t begin = t->inner * part / parts, end = t->inner * (part + 1) / parts;
    for (int64_t n = 0; begin < end && n < t->outer; n++)
      take_inner(t, t->to + n * target, t->from + n * source, begin, end - begin);
    return;
  }
  for (int64_t n = t->outer * part / parts; n < t->outer * (part + 1) / parts; n++)
    take_inner(t, t->to + n * target, t->from + n * source, 0, t->inner);
}

static void take_part(const void *work, int part, int parts) { lgc_take_lines(work, part, parts); }

void lgc_take_run(const lgc_take *t) {
  int64_t longest = t->count > t->extent ? t->count : t->extent;
  lgc_team_run(take_part, t, t->outer * longest * t->inner < SERIAL ? 1 : t->threads);
}
