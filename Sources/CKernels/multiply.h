#pragma once
#include <stdint.h>

/* Matrix products on AVX-512 with packing in memory that the caller gives: oneDNN's sgemm asks the
 * allocator for it in every call, transposes the weights of x·Wᵀ, which are larger than x, and
 * cannot hold its result back until a bias is added.
 *
 * C[m,n] = op(A)·op(B) + bias per column, rectified. A is stored [k,m] if transpose_a, B [n,k] if
 * transpose_b; lda, ldb, ldc are the distances between rows as stored. */
struct lgc_multiply {
  int64_t m, n, k;
  int transpose_a, transpose_b;
  const float *a, *b;
  float *c;
  int64_t lda, ldb, ldc;
  const float *bias; /* with transpose_b only */
  int relu;          /* with transpose_b only */
};

/* Whether this processor and a product of these extents are such that lgc_multiply is the faster
 * one. */
int lgc_multiply_pays(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k);
/* Floats of packing memory, aligned to 64 bytes. */
int64_t lgc_multiply_scratch(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k);
void lgc_multiply(const struct lgc_multiply *product, float *scratch);
