#include "include/arrays.h"

#include <string.h>

#include "clones.h"
#include "include/team.h"

enum { SERIAL = 32768, BLOCK = 16 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t product(const int64_t *extents, int rank) {
  int64_t count = 1;
  for (int i = 0; i < rank; i++) count *= extents[i];
  return count;
}

/* Steps the odometer of the outer axes; 0 when it has gone round. */
INLINE int next_index(
    int64_t *index, int outer, const int64_t *extents, const int64_t *to_strides,
    const int64_t *from_strides, int64_t *to, int64_t *from) {
  for (int axis = outer - 1; axis >= 0; axis--) {
    *to += to_strides[axis];
    *from += from_strides[axis];
    if (++index[axis] < extents[axis]) return 1;
    *to -= to_strides[axis] * extents[axis];
    *from -= from_strides[axis] * extents[axis];
    index[axis] = 0;
  }
  return 0;
}

INLINE void copy_line(float *to, const float *from, int64_t n, int64_t ts, int64_t fs) {
  if (ts == 1 && fs == 1) memcpy(to, from, (size_t)n * sizeof(float));
  else if (ts == 1 && fs == 0) { float v = *from; for (int64_t i = 0; i < n; i++) to[i] = v; }
  else if (ts == 1) for (int64_t i = 0; i < n; i++) to[i] = from[i * fs];
  else for (int64_t i = 0; i < n; i++) to[i * ts] = from[i * fs];
}

/* Source contiguous along p, destination along q: square blocks keep both in cache. */
INLINE void transpose_plane(
    float *to, const float *from, int64_t rows, int64_t columns, int64_t to_row,
    int64_t from_column) {
  for (int64_t p = 0; p < rows; p += BLOCK)
    for (int64_t q = 0; q < columns; q += BLOCK) {
      int64_t last_p = least(p + BLOCK, rows), last_q = least(q + BLOCK, columns);
      for (int64_t i = p; i < last_p; i++)
        for (int64_t j = q; j < last_q; j++) to[i * to_row + j] = from[i + j * from_column];
    }
}

static void copy_part(const void *work, int part, int parts) {
  const lgc_copy *copy = work;
  int64_t extents[LGC_MAX_RANK];
  memcpy(extents, copy->extents, sizeof extents);
  int64_t begin = extents[0] * part / parts;
  extents[0] = extents[0] * (part + 1) / parts - begin;
  if (extents[0] == 0) return;
  const int64_t *ts = copy->to_strides, *fs = copy->from_strides;
  float *to = copy->to + begin * ts[0];
  const float *from = copy->from + begin * fs[0];
  int rank = copy->rank, last = rank - 1;
  int plane = rank >= 2 && ts[last] == 1 && fs[last] > 1 && fs[last - 1] == 1;
  int outer = plane ? rank - 2 : rank - 1;
  int64_t index[LGC_MAX_RANK] = {0}, t = 0, f = 0;
  do {
    if (plane)
      transpose_plane(to + t, from + f, extents[last - 1], extents[last], ts[last - 1], fs[last]);
    else copy_line(to + t, from + f, extents[last], ts[last], fs[last]);
  } while (next_index(index, outer, extents, ts, fs, &t, &f));
}

void lgc_copy_run(const lgc_copy *copy) {
  int threads = product(copy->extents, copy->rank) < SERIAL ? 1 : copy->threads;
  lgc_team_run(copy_part, copy, threads);
}

CLONES void lgc_fold_lines(const lgc_fold *fold, int64_t begin, int64_t end);
CLONES void lgc_fold_lines(const lgc_fold *fold, int64_t begin, int64_t end) {
  int64_t extents[LGC_MAX_RANK];
  memcpy(extents, fold->extents, sizeof extents);
  extents[0] = end - begin;
  const int64_t *ts = fold->to_strides, *fs = fold->from_strides;
  int last = fold->rank - 1;
  int64_t n = extents[last], step = fs[last], out = ts[last];
  int64_t index[LGC_MAX_RANK] = {0}, t = begin * ts[0], f = begin * fs[0];
  do {
    float *to = fold->to + t;
    const float *x = fold->from + f;
    if (out != 0) {
      if (fold->maximum)
        for (int64_t i = 0; i < n; i++)
          to[i * out] = x[i * step] > to[i * out] ? x[i * step] : to[i * out];
      else if (out == 1 && step == 1) for (int64_t i = 0; i < n; i++) to[i] += x[i];
      else for (int64_t i = 0; i < n; i++) to[i * out] += x[i * step];
    } else if (fold->maximum) {
      float m = *to;
      for (int64_t i = 0; i < n; i++) m = x[i * step] > m ? x[i * step] : m;
      *to = m;
    } else {
#pragma clang fp reassociate(on)
      float s = 0.f;
      if (step == 1) for (int64_t i = 0; i < n; i++) s += x[i];
      else for (int64_t i = 0; i < n; i++) s += x[i * step];
      *to += s;
    }
  } while (next_index(index, last, extents, ts, fs, &t, &f));
}

static void fold_part(const void *work, int part, int parts) {
  const lgc_fold *fold = work;
  int64_t begin = fold->extents[0] * part / parts, end = fold->extents[0] * (part + 1) / parts;
  if (begin < end) lgc_fold_lines(fold, begin, end);
}

void lgc_fold_run(const lgc_fold *fold) {
  float value = fold->maximum ? -__builtin_inff() : 0.f;
  for (int64_t i = 0; i < fold->count; i++) fold->to[i] = value;
  int serial = fold->to_strides[0] == 0 || product(fold->extents, fold->rank) < SERIAL;
  lgc_team_run(fold_part, fold, serial ? 1 : fold->threads);
}

void lgc_fill_run(const lgc_fill *fill) {
  for (int64_t i = 0; i < fill->count; i++) fill->to[i] = fill->value;
}
