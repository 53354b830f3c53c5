#pragma once
#include <stdint.h>

/* C[m,n] = A[m,k]·B[n,k]ᵀ + bias per column, rectified, on AVX-512; lda, ldb, ldc are the distances
 * between rows as stored.
 *
 * This is x·Wᵀ of a dense layer. oneDNN's sgemm packs W, the larger of the two, and transposes it
 * for that; here the vectors run along the rows of x, which are packed once, and W is read as it
 * lies. The other forms of a product need no transposing, and there oneDNN is faster by 2–5 %. */
struct lgc_multiply {
  int64_t m, n, k;
  const float *a, *b;
  float *c;
  int64_t lda, ldb, ldc;
  const float *bias; /* or NULL */
  int relu;
};

/* Whether this processor and a product of these extents are such that lgc_multiply is the faster
 * one. */
int lgc_multiply_pays(int64_t m, int64_t n, int64_t k);
/* Floats of packing memory, aligned to 64 bytes. */
int64_t lgc_multiply_scratch(int64_t m, int64_t n, int64_t k);
void lgc_multiply(const struct lgc_multiply *product, float *scratch);
