#pragma once
#include <stdint.h>

/* oneDNN is opened on first use: linked, it would cost every run of the compiler 1.5 ms of loading
 * and relocation, also those that only check a description. */

/* NULL, or what failed (static storage). */
const char *lgc_open_dnnl(void);

/* C[m,n] = op(A)[m,k] · op(B)[k,n], row-major with leading extents lda, ldb, ldc, on the calling
 * thread when that is inside a team or between lgc_caller_enter and lgc_caller_leave.
 * Returns 0, or oneDNN's status. */
int lgc_sgemm(
    int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
    const float *b, int64_t ldb, float *c, int64_t ldc);
