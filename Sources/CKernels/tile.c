#include "tile.h"

#include <math.h>

#include "mathematics.h"

/* Kept out of line on purpose: inlined at its three call sites in three clones it is slower to
 * compile and to run. */
CLONES void lgc_tile_run(
    const lgc_instruction *instruction, int count, float *const *tiles, int n) {
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
