#include "multiply.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

/* Fourteen rows of two vectors leave four registers for operands. Panels of PANEL rows of x fill
 * half of the second cache. */
enum { ROWS_MOST = 14, PANEL = 32, PANELS_FLOATS = 1 << 17, AHEAD = 64, NEAR = 192 };
#define AVX512 __attribute__((target("avx512f")))
#define AVX512_INLINE static inline __attribute__((always_inline)) AVX512

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

struct block {
  int64_t k, row; /* distance of the rows that are broadcast */
  const float *a, *b, *ahead;
  float *c;
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

static const block_function block_functions[2][ROWS_MOST + 1] = {
  {0, block_1_1, block_2_1, block_3_1, block_4_1, block_5_1, block_6_1, block_7_1,
   block_8_1, block_9_1, block_10_1, block_11_1, block_12_1, block_13_1, block_14_1},
  {0, block_1_2, block_2_2, block_3_2, block_4_2, block_5_2, block_6_2, block_7_2,
   block_8_2, block_9_2, block_10_2, block_11_2, block_12_2, block_13_2, block_14_2},
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

/* A panel [k][width] whose columns are rows of x, filled up with zeros behind `columns`. */
AVX512 static void pack_rows(
    const float *x, int64_t ldx, int64_t k, int64_t columns, int64_t width, float *panel) {
  if (columns < width) memset(panel, 0, (size_t)(k * width) * sizeof(float));
  for (int64_t v = 0; v < columns; v += 16) {
    int64_t p = 0, side = least(16, columns - v);
    if (side == 16)
      for (; p + 16 <= k; p += 16) {
        for (int i = 0; i < 16; i++)
          _mm_prefetch((const char *)(x + (v + i) * ldx + p + AHEAD), _MM_HINT_T0);
        transpose(x + v * ldx + p, ldx, panel + p * width + v, width);
      }
    for (; p < k; p++)
      for (int64_t i = 0; i < side; i++) panel[p * width + v + i] = x[(v + i) * ldx + p];
  }
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

/* How many rows of x are packed at a time, whole panels but for the last: all of k, since a turned
 * result cannot be added to. */
static int64_t packed_rows(int64_t m, int64_t k) {
  return least((m + 15) / 16 * 16, PANELS_FLOATS / k / PANEL * PANEL);
}

int64_t lgc_multiply_scratch(int64_t m, int64_t n, int64_t k) {
  (void)n;
  return 16 * PANEL + ROWS_MOST * spread_distance(k) + (packed_rows(m, k) + PANEL) * k;
}

/* Not where a panel is half empty, nor where W passes often: at 2048×1024×1024, sixteen times, oneDNN
 * is 6 % faster; up to seven times it is slower. */
int lgc_multiply_pays(int64_t m, int64_t n, int64_t k) {
  if (!__builtin_cpu_supports("avx512f") || m < 16 || n < 1 || k < 1) return 0;
  int64_t rest = m % PANEL, padded = m - rest + (rest > 16 ? PANEL : rest > 0 ? 16 : 0);
  return padded * 4 <= m * 5 && m <= 8 * packed_rows(m, k);
}

AVX512 static void multiply_rows(
    const struct lgc_multiply *p, int64_t first, int64_t count, float *scratch) {
  float *tile = scratch, *spread = tile + 16 * PANEL;
  float *panels = spread + ROWS_MOST * spread_distance(p->k);
  for (int64_t v = 0; v < count; v += PANEL) {
    int64_t side = least(PANEL, count - v);
    pack_rows(
        p->a + (first + v) * p->lda, p->lda, p->k, side, side > 16 ? PANEL : 16,
        panels + v * p->k);
  }
  int64_t blocks = (p->n + ROWS_MOST - 1) / ROWS_MOST;
  for (int64_t q = 0; q < blocks; q++) {
    int64_t row = p->n * q / blocks, side = p->n * (q + 1) / blocks - row;
    struct block t = {.k = p->k, .row = p->ldb, .a = p->b + row * p->ldb, .c = tile};
    const float *next = t.a + side * p->ldb;
    if (collides(p->ldb)) {
      spread_block(t.a, p->ldb, p->k, side, spread);
      t.a = spread;
      t.row = spread_distance(p->k);
    }
    for (int64_t v = 0; v < count; v += PANEL) {
      int64_t width = least(PANEL, count - v);
      t.b = panels + v * p->k;
      /* Each panel brings its share of the next block. */
      t.ahead = next + v / PANEL * 4 * p->k;
      block_functions[width > 16][side](&t);
      store_turned(
          p, tile, side, width, p->c + (first + v) * p->ldc + row, p->bias ? p->bias + row : 0);
    }
  }
}

void lgc_multiply(const struct lgc_multiply *p, float *scratch) {
  int64_t rows = packed_rows(p->m, p->k);
  for (int64_t first = 0; first < p->m; first += rows)
    multiply_rows(p, first, least(rows, p->m - first), scratch);
}

#else

int lgc_multiply_pays(int64_t m, int64_t n, int64_t k) { return (void)m, (void)n, (void)k, 0; }
int64_t lgc_multiply_scratch(int64_t m, int64_t n, int64_t k) {
  return (void)m, (void)n, (void)k, 0;
}
void lgc_multiply(const struct lgc_multiply *product, float *scratch) {
  (void)product, (void)scratch;
}

#endif
