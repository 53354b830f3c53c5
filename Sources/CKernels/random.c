/* Philox4x32-10: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as
 * easy as 1, 2, 3", SC 2011. */
#include <string.h>

#include "clones.h"
#include "include/arrays.h"
#include "include/team.h"

enum { SERIAL = 16384 };

CLONES void lgc_random_blocks(
    float *to, int64_t first, int64_t blocks, uint64_t stream, uint64_t counter);
CLONES void lgc_random_blocks(
    float *to, int64_t first, int64_t blocks, uint64_t stream, uint64_t counter) {
  for (int64_t b = 0; b < blocks; b++) {
    uint64_t block = (uint64_t)(first + b);
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32);
    uint32_t c2 = (uint32_t)counter, c3 = (uint32_t)(counter >> 32);
    uint32_t k0 = (uint32_t)stream, k1 = (uint32_t)(stream >> 32);
#pragma clang loop unroll(full)
    for (int round = 0; round < 10; round++) {
      uint64_t p0 = (uint64_t)c0 * 0xD2511F53u, p1 = (uint64_t)c2 * 0xCD9E8D57u;
      c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
      c1 = (uint32_t)p1;
      c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
      c3 = (uint32_t)p0;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    const float unit = 0x1p-24f;
    to[4 * b] = (float)(int32_t)(c0 >> 8) * unit;
    to[4 * b + 1] = (float)(int32_t)(c1 >> 8) * unit;
    to[4 * b + 2] = (float)(int32_t)(c2 >> 8) * unit;
    to[4 * b + 3] = (float)(int32_t)(c3 >> 8) * unit;
  }
}

static void random_part(const void *work, int part, int parts) {
  const lgc_random *random = work;
  uint64_t counter = (uint64_t)*random->counter;
  int64_t whole = random->count / 4, rest = random->count % 4;
  int64_t begin = whole * part / parts, end = whole * (part + 1) / parts;
  lgc_random_blocks(random->to + 4 * begin, begin, end - begin, random->stream, counter);
  if (rest && part == parts - 1) {
    float last[4];
    lgc_random_blocks(last, whole, 1, random->stream, counter);
    memcpy(random->to + 4 * whole, last, (size_t)rest * sizeof(float));
  }
}

void lgc_random_run(const lgc_random *random) {
  lgc_team_run(random_part, random, random->count < SERIAL ? 1 : random->threads);
}
