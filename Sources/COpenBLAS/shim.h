#include <cblas.h>
/* LAPACK's Fortran symbols come from libopenblas itself: liblapack would drag in the reference
 * implementation through Debian's alternatives. Lengths of character arguments are not passed:
 * gfortran's hidden length is ignored by these routines. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dsyevr_(const char *jobz, const char *range, const char *uplo, const int *n, double *a, const int *lda,
             const double *vl, const double *vu, const int *il, const int *iu, const double *abstol, int *m,
             double *w, double *z, const int *ldz, int *isuppz, double *work, const int *lwork, int *iwork,
             const int *liwork, int *info);
void dstevr_(const char *jobz, const char *range, const int *n, double *d, double *e, const double *vl,
             const double *vu, const int *il, const int *iu, const double *abstol, int *m, double *w, double *z,
             const int *ldz, int *isuppz, double *work, const int *lwork, int *iwork, const int *liwork, int *info);
