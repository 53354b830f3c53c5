#pragma once
/* One portable binary, three instruction sets: the loader picks the clone that the CPU can run.
 * Not to be combined with `noinline`. */
#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

/* The loops of tile operations: operands are equal or disjoint, so they always vectorise. */
#define EACH(i, n) \
  _Pragma("clang loop vectorize(assume_safety) interleave(enable)") for (int i = 0; i < (n); i++)
