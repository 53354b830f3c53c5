#include "tile.h"

#include <math.h>
#include <string.h>

#include "mathematics.h"

/* Where a[i] > a[j] in rows i < j = i XOR mask, b's numbers change places. */
INLINE void exchange_rows(
    float *d, const float *a, const float *b, int mask, int rows, int columns) {
  for (int row = 0; row < rows; row++) {
    int low = row * columns, high = (row ^ mask) * columns;
    if (low < high) EACH(i, columns) {
      float x = b[low + i], y = b[high + i];
      int swapped = a[low + i] > a[high + i];
      d[low + i] = swapped ? y : x;
      d[high + i] = swapped ? x : y;
    }
  }
}

typedef float lanes __attribute__((vector_size(64), aligned(4)));
typedef int32_t lane_bits __attribute__((vector_size(64), aligned(4)));

#define EACH_LANE(f, m) \
  f(0, m), f(1, m), f(2, m), f(3, m), f(4, m), f(5, m), f(6, m), f(7, m), f(8, m), f(9, m), \
      f(10, m), f(11, m), f(12, m), f(13, m), f(14, m), f(15, m)
#define PARTNER(i, m) (i) ^ (m)
/* Lane i of the first operand or of the second: that of a pair's lower, or higher, number. */
#define LOWER(i, m) ((i) < ((i) ^ (m)) ? (i) : (i) ^ (m))
#define HIGHER(i, m) ((i) > ((i) ^ (m)) ? (i) : (i) ^ (m))

/* The same within each row; n is a multiple of the mask's width. */
INLINE void exchange_lanes(float *d, const float *a, const float *b, int mask, int n) {
  int i = 0;
  switch (mask) {
#define LANES(m) \
  case m: \
    for (; i + 16 <= n; i += 16) { \
      lanes key, x; \
      memcpy(&key, a + i, sizeof key); \
      memcpy(&x, b + i, sizeof x); \
      lane_bits swapped = __builtin_shufflevector(key, key, EACH_LANE(LOWER, m)) \
                          > __builtin_shufflevector(key, key, EACH_LANE(HIGHER, m)); \
      lanes y = __builtin_shufflevector(x, x, EACH_LANE(PARTNER, m)); \
      lane_bits z = ((lane_bits)y & swapped) | ((lane_bits)x & ~swapped); \
      memcpy(d + i, &z, sizeof z); \
    } \
    break;
    LANES(1) LANES(2) LANES(3) LANES(4) LANES(5) LANES(6) LANES(7) LANES(8)
    LANES(9) LANES(10) LANES(11) LANES(12) LANES(13) LANES(14) LANES(15)
  }
  for (; i < n; i++) {
    int j = i ^ mask;
    if (j < i) continue;
    float x = b[i], y = b[j];
    int swapped = a[i] > a[j];
    d[i] = swapped ? y : x;
    d[j] = swapped ? x : y;
  }
}

/* Kept out of line on purpose: inlined at its three call sites in three clones it is slower to
 * compile and to run. */
CLONES void lgc_tile_run(
    const lgc_instruction *instruction, int count, float *const *tiles, int n, int columns) {
  for (int k = 0; k < count; k++, instruction++) {
    float *d = tiles[instruction->d];
    const float *a = tiles[instruction->a];
    const float *b = tiles[instruction->b];
    const float *c = tiles[instruction->c];
#define UNARY(name, value) \
  case name: EACH(i, n) { float x = a[i]; d[i] = (value); } break;
#define BINARY(name, value) \
  case name: EACH(i, n) { float x = a[i], y = b[i]; d[i] = (value); } break;
/* The C library's function, which no vector loop calls but which is right for every argument. */
#define CALLED(name, value) \
  case name: \
    for (int i = 0; i < n; i++) { float x = a[i], y = b[i]; (void)y; d[i] = (value); } break;
#define TERNARY(name, value) \
  case name: EACH(i, n) { float x = a[i], y = b[i], z = c[i]; d[i] = (value); } break;
    switch (instruction->operation) {
      UNARY(LGC_COPY, x)
      UNARY(LGC_NEGATE, -x)
      UNARY(LGC_EXP, exponential(x))
      UNARY(LGC_LOG, logarithm(x))
      UNARY(LGC_ROOT, root(x))
      UNARY(LGC_RECIPROCAL_ROOT, 1.f / root(x))
      UNARY(LGC_RECIPROCAL, 1.f / x)
      UNARY(LGC_TANH, hyperbolic_tangent(x))
      UNARY(LGC_SIGMOID, logistic(x))
      UNARY(LGC_RELU, x > 0.f ? x : 0.f)
      UNARY(LGC_SOFTPLUS, soft_plus(x))
      UNARY(LGC_ABSOLUTE, __builtin_fabsf(x))
      UNARY(LGC_SQUARE, x * x)
      CALLED(LGC_SINE, sinf(x))
      CALLED(LGC_COSINE, cosf(x))
      UNARY(LGC_ERF, error_function(x))
      UNARY(LGC_SIGN, x > 0.f ? 1.f : x < 0.f ? -1.f : 0.f)
      UNARY(LGC_STEP, x > 0.f ? 1.f : 0.f)
      BINARY(LGC_ADD, x + y)
      BINARY(LGC_SUBTRACT, x - y)
      BINARY(LGC_MULTIPLY, x * y)
      BINARY(LGC_DIVIDE, x / y)
      BINARY(LGC_MAXIMUM, x > y ? x : y)
      BINARY(LGC_MINIMUM, x < y ? x : y)
      CALLED(LGC_POWER, powf(x, y))
      BINARY(LGC_GREATER, x > y ? 1.f : 0.f)
      BINARY(LGC_GREATER_OR_EQUAL, x >= y ? 1.f : 0.f)
      BINARY(LGC_EQUAL, x == y ? 1.f : 0.f)
      BINARY(LGC_MASK_POSITIVE, y > 0.f ? x : 0.f)
      case LGC_EXCHANGE:
        if (instruction->more[1])
          exchange_rows(d, a, b, instruction->more[0], n / columns, columns);
        else exchange_lanes(d, a, b, instruction->more[0], n);
        break;
      TERNARY(LGC_MULTIPLY_ADD, x * y + z)
      TERNARY(LGC_MULTIPLY_SUBTRACT, x * y - z)
      TERNARY(LGC_SUBTRACT_PRODUCT, z - x * y)
      TERNARY(LGC_SELECT, x != 0.f ? y : z)
      case LGC_ADAM: {
        const int16_t *more = instruction->more;
        float beta1 = *tiles[more[0]], gamma1 = *tiles[more[1]];
        float beta2 = *tiles[more[2]], gamma2 = *tiles[more[3]];
        float rate = *tiles[more[4]], rho = *tiles[more[5]];
        float epsilon = *tiles[more[6]], decay = *tiles[more[7]];
        float *m = tiles[instruction->b], *v = tiles[instruction->c];
        EACH(i, n) {
          float g = a[i], mi = beta1 * m[i] + gamma1 * g, vi = beta2 * v[i] + gamma2 * (g * g);
          m[i] = mi;
          v[i] = vi;
          d[i] = decay * d[i] - rate * (mi / (root(vi) * rho + epsilon));
        }
      } break;
    }
  }
}
