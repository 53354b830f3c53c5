#ifndef LGC_OPENBLAS_H
#define LGC_OPENBLAS_H

#include <fenv.h>
#include <stddef.h>

/* The few float64 routines of OpenBLAS that proofs use, bound at the first use.
 *
 * The library is opened with dlopen, not linked: loading it costs milliseconds and starts a
 * thread pool, which a command that proves nothing (`lgc check`) must not pay for; and its
 * kernel choice can be corrected before it loads. All matrices are column-major. */

/* Opens the library once; NULL, or why it cannot be used. Safe to call from any thread. */
const char *openblas_open(void);
/* The kernel family in use, as the library names it. */
const char *openblas_core(void);
/* Threads of the routines below, from now on. */
void openblas_threads(int count);
/* Cores this process may use; at least 1. */
int openblas_available_cores(void);

/* Upper triangle of C (n×n) ← A·Aᵀ + beta·C, A n×k; with `transposed`, A is k×n and C ← AᵀA. */
void openblas_gram(int transposed, int n, int k, const double *a, int lda, double beta, double *c,
                   int ldc);
/* y ← A·x for the symmetric A whose upper triangle is stored. */
void openblas_symv(int n, const double *a, int lda, const double *x, double *y);
/* y ← alpha·A·x + beta·y, A m×n; with `transposed`, y ← alpha·Aᵀ·x + beta·y. */
void openblas_gemv(int transposed, int m, int n, double alpha, const double *a, int lda,
                   const double *x, double beta, double *y);
/* C ← alpha·op(A)·op(B) + beta·C, C m×n, op transposes where asked for; k is the inner extent. */
void openblas_scaled_gemm(int transpose_a, int transpose_b, int m, int n, int k, double alpha,
                          const double *a, int lda, const double *b, int ldb, double beta,
                          double *c, int ldc);
/* Lower triangle of C (n×n) ← alpha·A·Aᵀ + beta·C, A n×k. */
void openblas_gram_lower(int n, int k, double alpha, const double *a, int lda, double beta,
                         double *c, int ldc);
/* B (m×n) ← B·L⁻¹, or with `transposed` B·L⁻ᵀ, L n×n lower triangular. */
void openblas_solve_right(int transposed, int m, int n, const double *l, int ldl, double *b,
                          int ldb);
/* Cholesky factorisation of the lower triangle in place; LAPACK's info. */
int openblas_potrf(int n, double *a, int lda);
/* The same of a Hermitian matrix, entries (real, imaginary). */
int openblas_complex_potrf(int n, double *a, int lda);
/* Upper triangle of the Hermitian C (n×n) ← A·Aᴴ + beta·C, A n×k; complex numbers as pairs. */
void openblas_complex_gram(int n, int k, const double *a, int lda, double beta, double *c,
                           int ldc);
/* C ← op(A)·op(B) + beta·C, C m×n, op(A) m×k. */
void openblas_gemm(int a_transposed, int b_transposed, int m, int n, int k, const double *a,
                   int lda, const double *b, int ldb, double beta, double *c, int ldc);
/* One step of a blocked Cholesky factorisation of the lower triangle: the first `panel` columns of
 * the (panel + rest)-square matrix, and what they leave of the rest; LAPACK's info. */
int openblas_band_step(int panel, int rest, double *a, int lda);
/* The largest eigenvalue and its unit vector of a symmetric matrix (upper triangle, destroyed);
 * LAPACK's info, or −1000 where memory is short. */
int openblas_top_eigenpair(int n, double *a, int lda, double *value, double *vector);
/* The `count` largest eigenvalues (ascending) and their unit vectors (columns) of a symmetric
 * matrix (upper triangle, destroyed); LAPACK's info, or −1000 where memory is short. */
int openblas_top_eigenpairs(int n, int count, double *a, int lda, double *values, double *vectors);
/* All eigenvalues (ascending, into d) and vectors (columns of z, n×n) of the symmetric
 * tridiagonal matrix with diagonal d and off-diagonal e (destroyed); LAPACK's info. */
int openblas_tridiagonal(int n, double *d, double *e, double *z);

/* Saves the thread's floating-point state and sets the default one: round to nearest, gradual
 * underflow. A foreign library may have changed either. */
void arithmetic_enter(fenv_t *saved);
void arithmetic_leave(const fenv_t *saved);
/* Whether float64 arithmetic rounds to nearest with gradual underflow and no extra precision. */
int arithmetic_is_ieee(void);

#endif
