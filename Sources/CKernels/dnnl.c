/* All that knows oneDNN. The function used so far is equal in versions 2 and 3; the library opened
 * is the one whose headers this file was compiled with: descriptors differ between the two. */
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>

#include "libraries.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define LIBRARY "libdnnl.so." TEXT(DNNL_VERSION_MAJOR)

static __typeof__(&dnnl_sgemm) sgemm;

const char *lgc_open_dnnl(void) {
  void *library = dlopen(LIBRARY, RTLD_LAZY | RTLD_GLOBAL);
  if (!library) return LIBRARY " cannot be opened";
  sgemm = (__typeof__(sgemm))dlsym(library, "dnnl_sgemm");
  return sgemm ? 0 : LIBRARY " has no dnnl_sgemm";
}

int lgc_sgemm(
    int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
    const float *b, int64_t ldb, float *c, int64_t ldc) {
  return sgemm(
      transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1.f, a, lda, b, ldb, 0.f, c, ldc);
}
