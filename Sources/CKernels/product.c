#include "clones.h"
#include "include/products.h"
#include "include/team.h"
#include "libraries.h"

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

static int run_piece(const lgc_product *p, int piece) {
  int64_t row = 0, last_row = p->m, column = 0, last_column = p->n, inner = 0, last_inner = p->k;
  float *out = p->outs[0];
  switch (p->cut) {
    case LGC_CUT_ROWS:
      row = cut(p->m, piece, p->parts);
      last_row = cut(p->m, piece + 1, p->parts);
      break;
    case LGC_CUT_COLUMNS:
      column = cut(p->n, piece, p->parts);
      last_column = cut(p->n, piece + 1, p->parts);
      break;
    case LGC_CUT_INNER:
      inner = cut(p->k, piece, p->parts);
      last_inner = cut(p->k, piece + 1, p->parts);
      out = p->outs[piece];
      break;
  }
  if (row >= last_row || column >= last_column) return 0;
  int64_t lda = p->transpose_a ? p->m : p->k, ldb = p->transpose_b ? p->k : p->n;
  const float *a = p->a + (p->transpose_a ? row + inner * lda : row * lda + inner);
  const float *b = p->b + (p->transpose_b ? column * ldb + inner : column + inner * ldb);
  int status = lgc_sgemm(
      p->transpose_a, p->transpose_b, last_row - row, last_column - column, last_inner - inner, a,
      lda, b, ldb, out + row * p->n + column, p->n);
  if (p->bias || p->relu) lgc_product_finish(p, row, last_row, column, last_column);
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
