#pragma once
#include <stdint.h>

/* Matrix products cut between the threads by the owner of the weights: the thread that updates a
 * block of rows of a [out, in] weight also multiplies with it, and the rows stay in its cache. */
typedef enum : int32_t {
  LGC_WHOLE = 0,
  LGC_CUT_ROWS,    /* of the result: M */
  LGC_CUT_COLUMNS, /* of the result: N */
  LGC_CUT_INNER,   /* K: part i is written to outs[i], the reader adds the parts */
} lgc_cut;

/* C[m,n] = op(A)·op(B), then C + bias per column, then max(C, 0). */
typedef struct {
  int64_t m, n, k;
  int32_t transpose_a, transpose_b; /* A is stored [k,m], B is stored [n,k] */
  int32_t cut;                      /* an lgc_cut */
  int32_t parts, threads, relu;
  const float *_Null_unspecified a, *_Null_unspecified b;
  float *_Null_unspecified *_Null_unspecified outs; /* one, or `parts` for LGC_CUT_INNER */
  const float *_Nullable bias;
  int32_t *_Null_unspecified statuses;       /* one for each part */
  /* scratch_floats, as lgc_product_scratch says, for each part; NULL: oneDNN multiplies. Aligned to
   * 64 bytes. */
  float *_Nullable scratch;
  int64_t scratch_floats;
} lgc_product;

/* Floats of packing memory that one part needs for kernels of our own; 0: oneDNN multiplies. Reads
 * the extents, the transpositions and the cut. */
int64_t lgc_product_scratch(const lgc_product *_Nonnull product);

/* 0, or oneDNN's status. */
int lgc_product_run(const lgc_product *_Nonnull product);
