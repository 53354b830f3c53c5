#include "multiply.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

/* Fourteen rows of two vectors leave four registers for operands. */
enum { ROWS_MOST = 14, PANEL = 32, L2_FLOATS = 1 << 17, INNER = 256 };
#define AVX512 __attribute__((target("avx512f")))
#define AVX512_INLINE static inline __attribute__((always_inline)) AVX512

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

struct block {
  int64_t k, row; /* distance of the broadcast operands where they are not packed */
  const float *a, *b;
  float *c;
  int64_t ldc;
  __mmask16 masks[2];
  int adds; /* to what c holds */
};
typedef void (*block_function)(const struct block *);

#define ROWS 1
#include "multiply_block.h"
#define ROWS 2
#include "multiply_block.h"
#define ROWS 3
#include "multiply_block.h"
#define ROWS 4
#include "multiply_block.h"
#define ROWS 5
#include "multiply_block.h"
#define ROWS 6
#include "multiply_block.h"
#define ROWS 7
#include "multiply_block.h"
#define ROWS 8
#include "multiply_block.h"
#define ROWS 9
#include "multiply_block.h"
#define ROWS 10
#include "multiply_block.h"
#define ROWS 11
#include "multiply_block.h"
#define ROWS 12
#include "multiply_block.h"
#define ROWS 13
#include "multiply_block.h"
#define ROWS 14
#include "multiply_block.h"

static const block_function packed_blocks[2][ROWS_MOST + 1] = {
  {0, block_1_packed_1, block_2_packed_1, block_3_packed_1, block_4_packed_1, block_5_packed_1, block_6_packed_1, block_7_packed_1,
   block_8_packed_1, block_9_packed_1, block_10_packed_1, block_11_packed_1, block_12_packed_1, block_13_packed_1, block_14_packed_1},
  {0, block_1_packed_2, block_2_packed_2, block_3_packed_2, block_4_packed_2, block_5_packed_2, block_6_packed_2, block_7_packed_2,
   block_8_packed_2, block_9_packed_2, block_10_packed_2, block_11_packed_2, block_12_packed_2, block_13_packed_2, block_14_packed_2},
};
static const block_function strided_blocks[2][ROWS_MOST + 1] = {
  {0, block_1_strided_1, block_2_strided_1, block_3_strided_1, block_4_strided_1, block_5_strided_1, block_6_strided_1, block_7_strided_1,
   block_8_strided_1, block_9_strided_1, block_10_strided_1, block_11_strided_1, block_12_strided_1, block_13_strided_1, block_14_strided_1},
  {0, block_1_strided_2, block_2_strided_2, block_3_strided_2, block_4_strided_2, block_5_strided_2, block_6_strided_2, block_7_strided_2,
   block_8_strided_2, block_9_strided_2, block_10_strided_2, block_11_strided_2, block_12_strided_2, block_13_strided_2, block_14_strided_2},
};

/* y[j·ldy + i] = x[i·ldx + j] for 16 × 16. */
AVX512_INLINE void transpose(const float *x, int64_t ldx, float *y, int64_t ldy) {
  __m512 r[16], t[16];
  for (int i = 0; i < 16; i++) r[i] = _mm512_loadu_ps(x + i * ldx);
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
#define PAIRS(f, a, b) _mm512_castpd_ps(f(_mm512_castps_pd(a), _mm512_castps_pd(b)))
  for (int i = 0; i < 16; i += 4) {
    r[i] = PAIRS(_mm512_unpacklo_pd, t[i], t[i + 2]);
    r[i + 1] = PAIRS(_mm512_unpackhi_pd, t[i], t[i + 2]);
    r[i + 2] = PAIRS(_mm512_unpacklo_pd, t[i + 1], t[i + 3]);
    r[i + 3] = PAIRS(_mm512_unpackhi_pd, t[i + 1], t[i + 3]);
  }
#undef PAIRS
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
  }
  for (int i = 0; i < 16; i++) _mm512_storeu_ps(y + i * ldy, r[i]);
}

/* A panel [k][width] of columns that lie side by side, filled up with zeros behind `columns`. */
AVX512 static void pack_columns(
    const float *x, int64_t ldx, int64_t k, int64_t columns, int64_t width, float *panel) {
  for (int64_t v = 0; v < width; v += 16) {
    int64_t left = columns - v;
    __mmask16 mask = left >= 16 ? 0xffff : (__mmask16)((1u << (left < 0 ? 0 : left)) - 1);
    for (int64_t p = 0; p < k; p++)
      _mm512_storeu_ps(panel + p * width + v, _mm512_maskz_loadu_ps(mask, x + p * ldx + v));
  }
}

/* The same of columns that are the rows of x. */
AVX512 static void pack_rows(
    const float *x, int64_t ldx, int64_t k, int64_t columns, int64_t width, float *panel) {
  if (columns < width) memset(panel, 0, (size_t)(k * width) * sizeof(float));
  for (int64_t v = 0; v < columns; v += 16) {
    int64_t p = 0, side = least(16, columns - v);
    if (side == 16)
      for (; p + 16 <= k; p += 16) transpose(x + v * ldx + p, ldx, panel + p * width + v, width);
    for (; p < k; p++)
      for (int64_t i = 0; i < side; i++) panel[p * width + v + i] = x[(v + i) * ldx + p];
  }
}

/* A block [k][rows] of what is broadcast, from k rows as stored. */
AVX512 static void pack_block(
    const float *x, int64_t ldx, int64_t k, int64_t rows, float *block) {
  __mmask16 mask = (__mmask16)((1u << rows) - 1);
  for (int64_t p = 0; p < k; p++)
    _mm512_mask_storeu_ps(block + p * rows, mask, _mm512_maskz_loadu_ps(mask, x + p * ldx));
}

/* Rows at a distance of a large power of two fall into the same few places of the first cache, and
 * fourteen of them drive one another out. */
static int64_t spread_distance(int64_t k) { return (k + 15) / 16 * 16 + 16; }
static int collides(int64_t ldx) { return ldx % 256 == 0; }
AVX512 static void spread_block(
    const float *x, int64_t ldx, int64_t k, int64_t rows, float *block) {
  for (int64_t i = 0; i < rows; i++)
    memcpy(block + i * spread_distance(k), x + i * ldx, (size_t)k * sizeof(float));
}

/* The block `tile` [rows][32] is the transpose of a piece of C; rows are columns there. */
AVX512 static void store_turned(
    const struct lgc_multiply *p, const float *tile, int64_t rows, int64_t width, float *c,
    const float *bias) {
  float turned[2 * 16 * 16] __attribute__((aligned(64)));
  __mmask16 mask = (__mmask16)((1u << rows) - 1);
  __m512 add = bias ? _mm512_maskz_loadu_ps(mask, bias) : _mm512_setzero_ps();
  for (int64_t v = 0; v < width; v += 16) transpose(tile + v, PANEL, turned + 16 * v, 16);
  for (int64_t i = 0; i < width; i++) {
    __m512 y = _mm512_add_ps(_mm512_load_ps(turned + 16 * i), add);
    if (p->relu) y = _mm512_max_ps(y, _mm512_setzero_ps());
    _mm512_mask_storeu_ps(c + i * p->ldc, mask, y);
  }
}

/* How much of k and of the vector axis is packed at a time. A turned result cannot be added to. */
static void extents(int turned, int64_t wide, int64_t k, int64_t *columns, int64_t *inner) {
  int64_t padded = (wide + 15) / 16 * 16;
  *inner = turned || padded * k <= L2_FLOATS ? k : least(k, INNER);
  int64_t most = L2_FLOATS / *inner / PANEL * PANEL;
  *columns = least(padded, most < PANEL ? PANEL : most);
}

/* Memory for blocks of what is broadcast: of all rows where panels come first. */
static int panels_first(int turned, int64_t inner) { return !turned && inner <= 192; }
static int64_t block_floats(int turned, int64_t rows, int64_t inner) {
  if (panels_first(turned, inner)) return (rows + ROWS_MOST) * spread_distance(inner);
  return ROWS_MOST * spread_distance(inner);
}

int64_t lgc_multiply_scratch(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k) {
  (void)transpose_a;
  int64_t columns, inner;
  extents(transpose_b, transpose_b ? m : n, k, &columns, &inner);
  return (columns + PANEL) * inner + block_floats(transpose_b, transpose_b ? n : m, inner)
         + 16 * PANEL + 64;
}

/* The operand that is broadcast for the rows from `row`, packed into `memory` where that pays. */
AVX512_INLINE const block_function (*take_block(
    const struct lgc_multiply *p, struct block *t, int64_t row, int64_t side, int64_t from,
    float *memory, int packs))[ROWS_MOST + 1] {
  if (!p->transpose_b && p->transpose_a) {
    if (packs) pack_block(p->a + from * p->lda + row, p->lda, t->k, side, memory);
    t->a = memory;
    return packed_blocks;
  }
  const float *x = p->transpose_b ? p->b + row * p->ldb + from : p->a + row * p->lda + from;
  int64_t ldx = p->transpose_b ? p->ldb : p->lda;
  if (collides(ldx)) {
    if (packs) spread_block(x, ldx, t->k, side, memory);
    t->a = memory;
    t->row = spread_distance(t->k);
  } else {
    t->a = x;
    t->row = ldx;
  }
  return strided_blocks;
}

AVX512_INLINE void take_panel(
    const struct lgc_multiply *p, int64_t column, int64_t side, int64_t from, int64_t inner,
    float *panel) {
  int64_t width = side > 16 ? PANEL : 16;
  if (p->transpose_b)
    pack_rows(p->a + column * p->lda + from, p->lda, inner, side, width, panel);
  else pack_columns(p->b + from * p->ldb + column, p->ldb, inner, side, width, panel);
}

AVX512_INLINE void set_masks(struct block *t, int64_t width) {
  for (int h = 0; h < 2; h++) {
    int64_t left = width - 16 * h;
    t->masks[h] = left >= 16 ? 0xffff : (__mmask16)((1u << (left < 0 ? 0 : left)) - 1);
  }
}

/* One stretch of k for one stretch of the vector axis. */
AVX512 static void multiply_stretch(
    const struct lgc_multiply *p, int64_t column, int64_t columns, int64_t from, int64_t inner,
    float *scratch) {
  int turned = p->transpose_b, first = panels_first(turned, inner);
  int64_t rows = turned ? p->n : p->m, blocks = (rows + ROWS_MOST - 1) / ROWS_MOST;
  float *tile = scratch, *packed = scratch + 16 * PANEL;
  float *panels = packed + block_floats(turned, rows, inner) / 16 * 16 + 16;
  if (first) { /* a panel stays in the first cache while all blocks pass */
    for (int64_t v = 0; v < columns; v += PANEL) {
      int64_t width = least(PANEL, columns - v);
      take_panel(p, column + v, width, from, inner, panels);
      for (int64_t q = 0; q < blocks; q++) {
        int64_t row = rows * q / blocks, side = rows * (q + 1) / blocks - row;
        struct block t = {
            .k = inner, .adds = from > 0, .ldc = p->ldc, .b = panels,
            .c = p->c + row * p->ldc + column + v};
        set_masks(&t, width);
        take_block(p, &t, row, side, from, packed + row * spread_distance(inner), v == 0)
            [width > 16][side](&t);
      }
    }
    return;
  }
  for (int64_t v = 0; v < columns; v += PANEL)
    take_panel(p, column + v, least(PANEL, columns - v), from, inner, panels + v * inner);
  for (int64_t q = 0; q < blocks; q++) {
    int64_t row = rows * q / blocks, side = rows * (q + 1) / blocks - row;
    struct block t = {.k = inner, .adds = from > 0, .ldc = turned ? PANEL : p->ldc};
    const block_function(*functions)[ROWS_MOST + 1] =
        take_block(p, &t, row, side, from, packed, 1);
    for (int64_t v = 0; v < columns; v += PANEL) {
      int64_t width = least(PANEL, columns - v);
      set_masks(&t, width);
      t.b = panels + v * inner;
      t.c = turned ? tile : p->c + row * p->ldc + column + v;
      functions[width > 16][side](&t);
      if (turned)
        store_turned(
            p, tile, side, width, p->c + (column + v) * p->ldc + row,
            p->bias ? p->bias + row : 0);
    }
  }
}

void lgc_multiply(const struct lgc_multiply *p, float *scratch) {
  int64_t wide = p->transpose_b ? p->m : p->n, columns, inner;
  extents(p->transpose_b, wide, p->k, &columns, &inner);
  for (int64_t v = 0; v < wide; v += columns)
    for (int64_t from = 0; from < p->k; from += inner)
      multiply_stretch(
          p, v, least(columns, wide - v), from, least(inner, p->k - from), scratch);
}

int lgc_multiply_pays(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k) {
  if (!__builtin_cpu_supports("avx512f") || (transpose_a && transpose_b)) return 0;
  return (transpose_b ? m : n) >= 16 && k > 0 && m > 0 && n > 0;
}

#else

int lgc_multiply_pays(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k) {
  return (void)transpose_a, (void)transpose_b, (void)m, (void)n, (void)k, 0;
}
int64_t lgc_multiply_scratch(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k) {
  return (void)transpose_a, (void)transpose_b, (void)m, (void)n, (void)k, 0;
}
void lgc_multiply(const struct lgc_multiply *product, float *scratch) {
  (void)product, (void)scratch;
}

#endif
