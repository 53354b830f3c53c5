#include "include/windows.h"

#include <string.h>

#include "clones.h"
#include "include/team.h"

enum { SERIAL = 16384 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* What one element of the result reads, in rows and columns of the operand. */
struct taps {
  int64_t row, last_row, row_step;
  int64_t column, last_column, column_step;
  int64_t extent; /* columns of the operand */
  int64_t lanes;
};

/* All of these are inlined, so that no vector is ever passed to a function. */
#pragma clang diagnostic ignored "-Wpsabi"

#define WIDTH 16
#define NAMED(x) x##_16
#define EVEN(low, high) \
  __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31)
#include "window_block.h"
#define WIDTH 8
#define NAMED(x) x##_8
#define EVEN(low, high) __builtin_shufflevector(low, high, 0, 2, 4, 6, 9, 11, 13, 15)
#include "window_block.h"
#define WIDTH 1
#define NAMED(x) x##_1
#define EVEN(low, high) low
#include "window_block.h"

/* Positions that output o reads: begin ..< end in steps of the dilation. */
INLINE void window_range(const lgc_window_axis *a, int64_t o, int64_t *begin, int64_t *end) {
  int64_t first = o * a->stride - a->low;
  *begin = first < 0 ? first + (-first + a->dilation - 1) / a->dilation * a->dilation : first;
  *end = least(first + (a->kernel - 1) * a->dilation + 1, a->extent);
}

/* Outputs whose windows hold position p: begin ..< end in steps of `step`. */
INLINE void cover_range(
    const lgc_window_axis *a, int64_t p, int64_t *begin, int64_t *end, int64_t *step) {
  int64_t last = p + a->low, first = last - (a->kernel - 1) * a->dilation;
  /* o·stride ≡ p + low modulo the dilation repeats with this period. */
  int64_t divisor = a->stride, rest = a->dilation;
  while (rest) {
    int64_t next = divisor % rest;
    divisor = rest;
    rest = next;
  }
  int64_t period = a->dilation / divisor;
  int64_t o = first <= 0 ? 0 : (first + a->stride - 1) / a->stride, bound = o + period;
  *end = least(last < 0 ? 0 : last / a->stride + 1, a->outputs);
  *step = period;
  while (o < bound && o < *end && (last - o * a->stride) % a->dilation != 0) o++;
  *begin = o < bound ? o : *end;
}

INLINE float contiguous_sum(const float *x, int64_t n) {
#pragma clang fp reassociate(on)
  float s = 0.f;
  for (int64_t i = 0; i < n; i++) s += x[i];
  return s;
}

INLINE void total_single(const struct taps *t, const float *x, float *y) {
  int64_t n = t->last_column - t->column;
  if (t->lanes != 1 || t->column_step != 1 || n < 4) {
    total_1(t, x, 1, y);
  } else if (n == t->extent && t->row_step == 1 && t->last_row > t->row) {
    *y = contiguous_sum(x + t->row * t->extent, (t->last_row - t->row) * n);
  } else {
    float s = 0.f;
    for (int64_t r = t->row; r < t->last_row; r += t->row_step)
      s += contiguous_sum(x + r * t->extent + t->column, n);
    *y = s;
  }
}

/* One row of outputs of one image. */
struct line {
  const float *x;
  float *positions, *y;
};

INLINE void run_16(
    const lgc_window *w, const struct taps *t, struct line l, int64_t at, int64_t step,
    int64_t position_step) {
  if (w->form == LGC_WINDOW_SUM) total_16(t, l.x, step, l.y + at);
  else
    largest_16(
        t, l.x, step, position_step, l.positions ? l.positions + at : 0, l.y ? l.y + at : 0);
}

INLINE void run_8(
    const lgc_window *w, const struct taps *t, struct line l, int64_t at, int64_t step,
    int64_t position_step) {
  if (w->form == LGC_WINDOW_SUM) total_8(t, l.x, step, l.y + at);
  else
    largest_8(
        t, l.x, step, position_step, l.positions ? l.positions + at : 0, l.y ? l.y + at : 0);
}

INLINE void run_1(const lgc_window *w, const struct taps *t, struct line l, int64_t at) {
  if (w->form == LGC_WINDOW_SUM) total_single(t, l.x, l.y + at);
  else largest_1(t, l.x, 1, 0, l.positions ? l.positions + at : 0, l.y ? l.y + at : 0);
}

/* A lane per image: outputs side by side where no tap of theirs is padding. */
INLINE void plane_line(const lgc_window *w, struct taps *t, struct line l, int64_t stride) {
  const lgc_window_axis *a = &w->axes[1];
  int64_t reach = (a->kernel - 1) * a->dilation;
  int64_t first = least((a->low + stride - 1) / stride, a->outputs), room = a->extent - 1 - reach;
  int64_t last = room + a->low < 0 ? 0 : least((room + a->low) / stride + 1, a->outputs);
  int64_t o = 0;
  while (o < a->outputs) {
    int64_t side = o < first || o >= last ? 1 : last - o >= 16 ? 16 : last - o >= 8 ? 8 : 1;
    window_range(a, o, &t->column, &t->last_column);
    if (side == 16) run_16(w, t, l, o, stride, stride);
    else if (side == 8) run_8(w, t, l, o, stride, stride);
    else run_1(w, t, l, o);
    o += side;
  }
}

/* Lanes side by side. */
INLINE void lane_line(const lgc_window *w, struct taps *t, struct line l) {
  const lgc_window_axis *a = &w->axes[1];
  for (int64_t o = 0; o < a->outputs; o++) {
    window_range(a, o, &t->column, &t->last_column);
    struct line here = l;
    int64_t lane = 0, at = o * w->lanes;
    for (; lane + 16 <= w->lanes; lane += 16, here.x += 16) run_16(w, t, here, at + lane, 1, 0);
    for (; lane + 8 <= w->lanes; lane += 8, here.x += 8) run_8(w, t, here, at + lane, 1, 0);
    for (; lane < w->lanes; lane++, here.x++) run_1(w, t, here, at + lane);
  }
}

CLONES void lgc_window_lines(const lgc_window *w, int64_t begin, int64_t end);
CLONES void lgc_window_lines(const lgc_window *w, int64_t begin, int64_t end) {
  const lgc_window_axis *rows = &w->axes[0], *columns = &w->axes[1];
  int64_t plane = rows->extent * columns->extent * w->lanes, width = columns->outputs * w->lanes;
  struct taps t = {
      .row_step = rows->dilation, .column_step = columns->dilation, .extent = columns->extent,
      .lanes = w->lanes};
  for (int64_t n = begin; n < end; n++) {
    struct line l = {
        w->from + n / rows->outputs * plane, w->positions ? w->positions + n * width : 0,
        w->to ? w->to + n * width : 0};
    window_range(rows, n % rows->outputs, &t.row, &t.last_row);
    if (w->lanes > 1) lane_line(w, &t, l);
    else if (columns->stride == 1) plane_line(w, &t, l, 1);
    else if (columns->stride == 2) plane_line(w, &t, l, 2);
    else plane_line(w, &t, l, columns->stride);
  }
}

/* Rows of the large array, each element the sum of what covers it. */
CLONES void lgc_window_covers(const lgc_window *w, int64_t begin, int64_t end);
CLONES void lgc_window_covers(const lgc_window *w, int64_t begin, int64_t end) {
  const lgc_window_axis *rows = &w->axes[0], *columns = &w->axes[1];
  int64_t plane = rows->outputs * columns->outputs * w->lanes;
  struct taps t = {.extent = columns->outputs, .lanes = w->lanes};
  for (int64_t n = begin; n < end; n++) {
    int64_t row = n % rows->extent;
    const float *x = w->from + n / rows->extent * plane;
    const float *places = w->positions ? w->positions + n / rows->extent * plane : 0;
    cover_range(rows, row, &t.row, &t.last_row, &t.row_step);
    for (int64_t column = 0; column < columns->extent; column++) {
      cover_range(columns, column, &t.column, &t.last_column, &t.column_step);
      float *to = w->to + (n * columns->extent + column) * w->lanes;
      float position = (float)(row * columns->extent + column);
      int64_t lane = 0;
      for (; lane + 16 <= w->lanes; lane += 16)
        if (places) matching_16(&t, x + lane, places + lane, position, to + lane);
        else total_16(&t, x + lane, 1, to + lane);
      for (; lane < w->lanes; lane++)
        if (places) matching_1(&t, x + lane, places + lane, position, to + lane);
        else total_1(&t, x + lane, 1, to + lane);
    }
  }
}

/* The spread of one row of outputs, added to one row: each tap reaches every position at most
 * once. */
INLINE void spread_row(const lgc_window_axis *a, float *to, const float *from) {
  int64_t s = a->stride, d = a->dilation;
  if (a->outputs < a->kernel && d == 1) {
    for (int64_t o = 0; o < a->outputs; o++) {
      int64_t column, last;
      window_range(a, o, &column, &last);
      float v = from[o];
      EACH(i, last - column) to[column + i] += v;
    }
    return;
  }
  for (int64_t tap = 0; tap < a->kernel; tap++) {
    int64_t shift = tap * d - a->low, o = shift < 0 ? (-shift + s - 1) / s : 0;
    int64_t room = a->extent - 1 - shift, last = room < 0 ? 0 : least(room / s + 1, a->outputs);
    float *at = to + shift;
    if (s == 1) for (; o < last; o++) at[o] += from[o];
    else for (; o < last; o++) at[o * s] += from[o];
  }
}

CLONES void lgc_window_spread_planes(const lgc_window *w, int64_t begin, int64_t end);
CLONES void lgc_window_spread_planes(const lgc_window *w, int64_t begin, int64_t end) {
  const lgc_window_axis *rows = &w->axes[0], *columns = &w->axes[1];
  for (int64_t n = begin; n < end; n++) {
    int64_t o, last, step;
    cover_range(rows, n % rows->extent, &o, &last, &step);
    float *to = w->to + n * columns->extent;
    memset(to, 0, (size_t)columns->extent * sizeof(float));
    const float *from = w->from + n / rows->extent * rows->outputs * columns->outputs;
    for (; o < last; o += step) spread_row(columns, to, from + o * columns->outputs);
  }
}

/* No position, whatever it came from, leads out of the plane. */
INLINE int64_t within(float position, int64_t plane) {
  int32_t p = position >= 0.f && position < 0x1p31f ? (int32_t)position : 0;
  return p < plane ? p : plane - 1;
}

CLONES void lgc_window_images(const lgc_window *w, int64_t begin, int64_t end);
CLONES void lgc_window_images(const lgc_window *w, int64_t begin, int64_t end) {
  int64_t plane = w->axes[0].extent * w->axes[1].extent, lanes = w->lanes;
  int64_t outputs = w->axes[0].outputs * w->axes[1].outputs;
  for (int64_t image = begin; image < end; image++) {
    const float *positions = w->positions + image * outputs * lanes;
    const float *from = w->from;
    float *to = w->to;
    if (w->form == LGC_WINDOW_GATHER) {
      from += image * plane * lanes;
      to += image * outputs * lanes;
      for (int64_t o = 0; o < outputs; o++, positions += lanes, to += lanes)
        for (int64_t l = 0; l < lanes; l++) to[l] = from[within(positions[l], plane) * lanes + l];
    } else {
      from += image * outputs * lanes;
      to += image * plane * lanes;
      memset(to, 0, (size_t)(plane * lanes) * sizeof(float));
      for (int64_t o = 0; o < outputs; o++, positions += lanes, from += lanes)
        for (int64_t l = 0; l < lanes; l++) to[within(positions[l], plane) * lanes + l] += from[l];
    }
  }
}

/* Which kernel runs, over how many independent pieces. */
static int64_t pieces(
    const lgc_window *w, void (**kernel)(const lgc_window *, int64_t, int64_t)) {
  switch (w->form) {
    case LGC_WINDOW_SUM:
    case LGC_WINDOW_LARGEST:
      *kernel = lgc_window_lines;
      return w->images * w->axes[0].outputs;
    case LGC_WINDOW_SPREAD:
      *kernel = w->lanes > 1 ? lgc_window_covers : lgc_window_spread_planes;
      return w->images * w->axes[0].extent;
    case LGC_WINDOW_SCATTER:
      if (w->lanes > 1 && w->inside) {
        *kernel = lgc_window_covers;
        return w->images * w->axes[0].extent;
      }
    default:
      *kernel = lgc_window_images;
      return w->images;
  }
}

static void window_part(const void *work, int part, int parts) {
  const lgc_window *w = work;
  void (*kernel)(const lgc_window *, int64_t, int64_t);
  int64_t count = pieces(w, &kernel);
  kernel(w, count * part / parts, count * (part + 1) / parts);
}

void lgc_window_run(const lgc_window *w) {
  int64_t work = w->images * w->lanes * w->axes[0].extent * w->axes[1].extent;
  lgc_team_run(window_part, w, work < SERIAL ? 1 : w->threads);
}
