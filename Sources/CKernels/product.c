#include "clones.h"
#include "include/products.h"
#include "include/team.h"
#include "libraries.h"
#include "multiply.h"

/* Where part i of `parts` begins: on a multiple of the vector width. */
static int64_t cut(int64_t extent, int i, int parts) {
  int64_t at = (extent * i / parts + 15) / 16 * 16;
  return i == parts || at > extent ? extent : at;
}

CLONES void lgc_product_finish(
    const lgc_product *p, int64_t row, int64_t last_row, int64_t column, int64_t last_column);
CLONES void lgc_product_finish(
    const lgc_product *p, int64_t row, int64_t last_row, int64_t column, int64_t last_column) {
  int n = (int)(last_column - column);
  for (; row < last_row; row++) {
    float *y = p->outs[0] + row * p->n + column;
    const float *bias = p->bias ? p->bias + column : 0;
    if (bias && p->relu) EACH(i, n) { float v = y[i] + bias[i]; y[i] = v > 0.f ? v : 0.f; }
    else if (bias) EACH(i, n) y[i] += bias[i];
    else EACH(i, n) y[i] = y[i] > 0.f ? y[i] : 0.f;
  }
}

struct piece {
  int64_t row, last_row, column, last_column, inner, last_inner;
};

static struct piece piece_of(const lgc_product *p, int i) {
  struct piece s = {0, p->m, 0, p->n, 0, p->k};
  switch (p->cut) {
    case LGC_CUT_ROWS:
      s.row = cut(p->m, i, p->parts);
      s.last_row = cut(p->m, i + 1, p->parts);
      break;
    case LGC_CUT_COLUMNS:
      s.column = cut(p->n, i, p->parts);
      s.last_column = cut(p->n, i + 1, p->parts);
      break;
    case LGC_CUT_INNER:
      s.inner = cut(p->k, i, p->parts);
      s.last_inner = cut(p->k, i + 1, p->parts);
      break;
  }
  return s;
}

int64_t lgc_product_scratch(const lgc_product *p) {
  int64_t most = 0;
  if (p->transpose_a || !p->transpose_b) return 0;
  for (int i = 0; i < p->parts; i++) {
    struct piece s = piece_of(p, i);
    int64_t m = s.last_row - s.row, n = s.last_column - s.column, k = s.last_inner - s.inner;
    if (m <= 0 || n <= 0 || k <= 0) continue;
    if (!lgc_multiply_pays(m, n, k)) return 0;
    int64_t floats = lgc_multiply_scratch(m, n, k);
    if (floats > most) most = floats;
  }
  return (most + 15) / 16 * 16;
}

static int run_piece(const lgc_product *p, int i) {
  struct piece s = piece_of(p, i);
  float *out = p->cut == LGC_CUT_INNER ? p->outs[i] : p->outs[0];
  int64_t m = s.last_row - s.row, n = s.last_column - s.column, k = s.last_inner - s.inner;
  if (m <= 0 || n <= 0) return 0;
  int64_t lda = p->transpose_a ? p->m : p->k, ldb = p->transpose_b ? p->k : p->n;
  const float *a = p->a + (p->transpose_a ? s.row + s.inner * lda : s.row * lda + s.inner);
  const float *b = p->b + (p->transpose_b ? s.column * ldb + s.inner : s.column + s.inner * ldb);
  float *c = out + s.row * p->n + s.column;
  if (p->scratch && k > 0) {
    struct lgc_multiply own = {
        .m = m, .n = n, .k = k, .a = a, .b = b, .c = c, .lda = lda, .ldb = ldb, .ldc = p->n,
        .bias = p->bias ? p->bias + s.column : 0, .relu = p->relu};
    lgc_multiply(&own, p->scratch + i * p->scratch_floats);
    return 0;
  }
  int status = lgc_sgemm(p->transpose_a, p->transpose_b, m, n, k, a, lda, b, ldb, c, p->n);
  if (p->bias || p->relu) lgc_product_finish(p, s.row, s.last_row, s.column, s.last_column);
  return status;
}

static void run_part(const void *work, int part, int parts) {
  const lgc_product *p = work;
  for (int i = p->parts * part / parts; i < p->parts * (part + 1) / parts; i++)
    p->statuses[i] = run_piece(p, i);
}

int lgc_product_run(const lgc_product *p) {
  lgc_team_run(run_part, p, p->parts > 1 ? p->threads : 1);
  int status = 0;
  for (int i = 0; i < p->parts; i++) status |= p->statuses[i];
  return status;
}
