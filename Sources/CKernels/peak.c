#include "include/peak.h"

#include <string.h>

#include "include/memory.h"
#include "include/team.h"

enum { ACCUMULATORS = 12, PEAK_ROUNDS = 64, TRANSFER_ROUNDS = 8 };

/* Twelve independent chains cover the latency of a multiply-add on two ports; they fit the registers
 * of every instruction set below, so nothing but arithmetic is timed. */
#define CHAINS(name, attribute, width)                                                \
  typedef float name##_vector __attribute__((vector_size((width) * 4)));              \
  attribute static float name(int64_t rounds) {                                       \
    name##_vector a[ACCUMULATORS], factor, term;                                      \
    for (int i = 0; i < (width); i++) factor[i] = 0.999f, term[i] = 0.001f;           \
    _Pragma("clang loop unroll(full)")                                                \
    for (int i = 0; i < ACCUMULATORS; i++) a[i] = factor + (float)i;                  \
    for (int64_t r = 0; r < rounds; r++) {                                            \
      _Pragma("clang loop unroll(full)")                                              \
      for (int i = 0; i < ACCUMULATORS; i++) a[i] = a[i] * factor + term;             \
    }                                                                                 \
    name##_vector sum = a[0];                                                         \
    _Pragma("clang loop unroll(full)")                                                \
    for (int i = 1; i < ACCUMULATORS; i++) sum += a[i];                               \
    return sum[0] + sum[(width) - 1];                                                 \
  }

#if defined(__x86_64__)
CHAINS(chains16, __attribute__((target("avx512f"))), 16)
CHAINS(chains8, __attribute__((target("avx2,fma"))), 8)
#endif
CHAINS(chains4, , 4)

struct chains { int64_t rounds; int width; volatile float result; };

static void run_chains(const void *work, int part, int parts) {
  (void)part, (void)parts;
  struct chains *chains = (struct chains *)work;
#if defined(__x86_64__)
  if (chains->width == 16) { chains->result = chains16(chains->rounds); return; }
  if (chains->width == 8) { chains->result = chains8(chains->rounds); return; }
#endif
  chains->result = chains4(chains->rounds);
}

static int vector_width(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return 16;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 8;
#endif
  return 4;
}

double lgc_peak_operations(int threads) {
  struct chains chains = {1 << 17, vector_width(), 0};
  double best = 0;
  for (int round = 0; round < PEAK_ROUNDS; round++) {
    int64_t start = lgc_nanoseconds();
    lgc_team_run(run_chains, &chains, threads);
    double seconds = (double)(lgc_nanoseconds() - start) * 1e-9;
    double rate =
        2.0 * ACCUMULATORS * chains.width * (double)chains.rounds * threads / seconds;
    if (rate > best) best = rate;
  }
  return best;
}

struct transfer { char *to; const char *from; int64_t bytes; };

static void run_transfer(const void *work, int part, int parts) {
  const struct transfer *transfer = work;
  int64_t begin = transfer->bytes / parts * part;
  int64_t end = part == parts - 1 ? transfer->bytes : transfer->bytes / parts * (part + 1);
  memcpy(transfer->to + begin, transfer->from + begin, (size_t)(end - begin));
}

double lgc_peak_bytes(int threads) {
  const int64_t bytes = 128 << 20;
  char *from = lgc_pages(bytes), *to = lgc_pages(bytes);
  double best = 0;
  if (from && to) {
    /* Untouched pages are all one page of zeros, which the cache holds. */
    memset(from, 1, (size_t)bytes);
    struct transfer transfer = {to, from, bytes};
    for (int round = 0; round < TRANSFER_ROUNDS; round++) {
      int64_t start = lgc_nanoseconds();
      lgc_team_run(run_transfer, &transfer, threads);
      double rate = 2.0 * (double)bytes / ((double)(lgc_nanoseconds() - start) * 1e-9);
      if (rate > best) best = rate;
    }
  }
  if (from) lgc_pages_free(from, bytes);
  if (to) lgc_pages_free(to, bytes);
  return best;
}
