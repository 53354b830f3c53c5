#define _GNU_SOURCE
#include "openblas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  col_major = 102, no_trans = 111, trans = 112, upper = 121, lower = 122, non_unit = 131,
  right = 142
};

static struct {
  void (*set_num_threads)(int);
  char *(*get_corename)(void);
  void (*dsyrk)(int, int, int, int, int, double, const double *, int, double, double *, int);
  void (*dgemm)(int, int, int, int, int, int, double, const double *, int, const double *, int,
                double, double *, int);
  void (*dtrsm)(int, int, int, int, int, int, int, double, const double *, int, double *, int);
  void (*dsymv)(int, int, int, double, const double *, int, const double *, int, double, double *,
                int);
  void (*dgemv)(int, int, int, int, double, const double *, int, const double *, int, double,
                double *, int);
  /* LAPACK's Fortran symbols come from libopenblas itself. The trailing size_t are gfortran's
   * hidden lengths of the character arguments. */
  void (*dpotrf)(const char *, const int *, double *, const int *, int *, size_t);
  void (*zherk)(int, int, int, int, int, double, const void *, int, double, void *, int);
  void (*zpotrf)(const char *, const int *, double *, const int *, int *, size_t);
  void (*dsyevr)(const char *, const char *, const char *, const int *, double *, const int *,
                 const double *, const double *, const int *, const int *, const double *, int *,
                 double *, double *, const int *, int *, double *, const int *, int *, const int *,
                 int *, size_t, size_t, size_t);
  void (*dsteqr)(const char *, const int *, double *, double *, double *, const int *, double *,
                 int *, size_t);
} blas;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[512];

/* Sets a variable for the time of the load only, so that no child process inherits it. */
static int set_temporarily(const char *name, const char *value) {
  return getenv(name) == NULL && setenv(name, value, 0) == 0;
}

static void load(void) {
  /* Threads are asked for call by call; a pool started here would only cost time. */
  int threads = set_temporarily("OPENBLAS_NUM_THREADS", "1");
  int core = 0;
#if defined(__x86_64__)
  /* OpenBLAS before 0.3.24 takes AMD processors with AVX-512 for Haswell and runs at half speed.
   * Which kernels run does not matter to a proof: its rounding bounds hold for any order. */
  __builtin_cpu_init();
  if (__builtin_cpu_is("amd") && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
    core = set_temporarily("OPENBLAS_CORETYPE", "SkylakeX");
#endif
  void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) library = dlopen("libopenblas.so", RTLD_NOW | RTLD_LOCAL);
  if (threads) unsetenv("OPENBLAS_NUM_THREADS");
  if (core) unsetenv("OPENBLAS_CORETYPE");
  if (library == NULL) {
    snprintf(failure, sizeof failure, "%s", dlerror());
    return;
  }
  const struct {
    const char *name;
    void **slot;
  } symbols[] = {
      {"openblas_set_num_threads", (void **)&blas.set_num_threads},
      {"openblas_get_corename", (void **)&blas.get_corename},
      {"cblas_dsyrk", (void **)&blas.dsyrk},
      {"cblas_dgemm", (void **)&blas.dgemm},
      {"cblas_dtrsm", (void **)&blas.dtrsm},
      {"cblas_dsymv", (void **)&blas.dsymv},
      {"cblas_dgemv", (void **)&blas.dgemv},
      {"dpotrf_", (void **)&blas.dpotrf},
      {"cblas_zherk", (void **)&blas.zherk},
      {"zpotrf_", (void **)&blas.zpotrf},
      {"dsyevr_", (void **)&blas.dsyevr},
      {"dsteqr_", (void **)&blas.dsteqr},
  };
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    *symbols[i].slot = dlsym(library, symbols[i].name);
    if (*symbols[i].slot == NULL) {
      snprintf(failure, sizeof failure, "libopenblas has no %s", symbols[i].name);
      return;
    }
  }
  blas.set_num_threads(1);
}

const char *openblas_open(void) {
  pthread_once(&once, load);
  return failure[0] == 0 ? NULL : failure;
}

const char *openblas_core(void) { return blas.get_corename(); }
void openblas_threads(int count) { blas.set_num_threads(count); }

int openblas_available_cores(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

void openblas_gram(int transposed, int n, int k, const double *a, int lda, double beta, double *c,
                   int ldc) {
  blas.dsyrk(col_major, upper, transposed ? trans : no_trans, n, k, 1.0, a, lda, beta, c, ldc);
}

void openblas_symv(int n, const double *a, int lda, const double *x, double *y) {
  blas.dsymv(col_major, upper, n, 1.0, a, lda, x, 1, 0.0, y, 1);
}

void openblas_gemv(int transposed, int m, int n, double alpha, const double *a, int lda,
                   const double *x, double beta, double *y) {
  blas.dgemv(col_major, transposed ? trans : no_trans, m, n, alpha, a, lda, x, 1, beta, y, 1);
}

void openblas_scaled_gemm(int transpose_a, int transpose_b, int m, int n, int k, double alpha,
                          const double *a, int lda, const double *b, int ldb, double beta,
                          double *c, int ldc) {
  blas.dgemm(col_major, transpose_a ? trans : no_trans, transpose_b ? trans : no_trans, m, n, k,
             alpha, a, lda, b, ldb, beta, c, ldc);
}

void openblas_gram_lower(int n, int k, double alpha, const double *a, int lda, double beta,
                         double *c, int ldc) {
  blas.dsyrk(col_major, lower, no_trans, n, k, alpha, a, lda, beta, c, ldc);
}

void openblas_solve_right(int transposed, int m, int n, const double *l, int ldl, double *b,
                          int ldb) {
  blas.dtrsm(col_major, right, lower, transposed ? trans : no_trans, non_unit, m, n, 1.0, l, ldl,
             b, ldb);
}

int openblas_potrf(int n, double *a, int lda) {
  int info = 0;
  blas.dpotrf("L", &n, a, &lda, &info, 1);
  return info;
}

void openblas_complex_gram(int n, int k, const double *a, int lda, double beta, double *c,
                           int ldc) {
  blas.zherk(col_major, upper, no_trans, n, k, 1.0, a, lda, beta, c, ldc);
}

int openblas_complex_potrf(int n, double *a, int lda) {
  int info = 0;
  blas.zpotrf("L", &n, a, &lda, &info, 1);
  return info;
}

void openblas_gemm(int a_transposed, int b_transposed, int m, int n, int k, const double *a,
                   int lda, const double *b, int ldb, double beta, double *c, int ldc) {
  blas.dgemm(col_major, a_transposed ? trans : no_trans, b_transposed ? trans : no_trans, m, n, k,
             1.0, a, lda, b, ldb, beta, c, ldc);
}

int openblas_band_step(int panel, int rest, double *a, int lda) {
  int info = openblas_potrf(panel, a, lda);
  if (info != 0 || rest == 0) return info;
  double *below = a + panel, *corner = a + (size_t)panel * lda + panel;
  blas.dtrsm(col_major, right, lower, trans, non_unit, rest, panel, 1.0, a, lda, below, lda);
  blas.dsyrk(col_major, lower, no_trans, rest, panel, -1.0, below, lda, 1.0, corner, lda);
  return 0;
}

int openblas_top_eigenpair(int n, double *a, int lda, double *value, double *vector) {
  return openblas_top_eigenpairs(n, 1, a, lda, value, vector);
}

int openblas_top_eigenpairs(int n, int count, double *a, int lda, double *values,
                            double *vectors) {
  const double zero = 0;
  int first = n - count + 1, found = 0, info = 0;
  int work_size = 30 * n, integer_size = 12 * n;
  double *work = malloc((size_t)work_size * sizeof(double) + (size_t)n * sizeof(double));
  int *integers = malloc((size_t)(integer_size + 2 * n) * sizeof(int));
  if (work == NULL || integers == NULL) {
    info = -1000;
  } else {
    double *all = work + work_size;
    blas.dsyevr("V", "I", "U", &n, a, &lda, &zero, &zero, &first, &n, &zero, &found, all, vectors,
                &n, integers + integer_size, work, &work_size, integers, &integer_size, &info, 1,
                1, 1);
    for (int i = 0; i < count; i++) values[i] = all[i];
    if (info == 0 && found != count) info = n + 1;
  }
  free(work);
  free(integers);
  return info;
}

int openblas_tridiagonal(int n, double *d, double *e, double *z) {
  int info = 0;
  double *work = malloc((size_t)(n > 1 ? 2 * n - 2 : 1) * sizeof(double));
  if (work == NULL) return -1000;
  blas.dsteqr("I", &n, d, e, z, &n, work, &info, 1);
  free(work);
  return info;
}

void arithmetic_enter(fenv_t *saved) {
  fegetenv(saved);
  fesetenv(FE_DFL_ENV);
}

void arithmetic_leave(const fenv_t *saved) { fesetenv(saved); }

int arithmetic_is_ieee(void) {
  volatile double one = 1.0, half = 0x1p-53, ulp = 0x1p-52, below = 0x1p-54, least = 0x1p-1022;
  volatile double a = one + half, b = one + ulp, c = one - below, d = least * 0x1p-52;
  return a == one && b > one && c == one && d > 0 && d * 0x1p52 == least;
}
