#pragma once
/* Functions of one number that vectorise: no calls, no branches, no errno. Errors are a few units
 * in the last place. Polynomials of exp, log and tanh: Cephes (S. Moshier), single precision. */
#include <stdint.h>
#include <string.h>

#include "clones.h"

INLINE float float_of_bits(uint32_t bits) { float x; memcpy(&x, &bits, 4); return x; }
INLINE uint32_t bits_of_float(float x) { uint32_t bits; memcpy(&bits, &x, 4); return bits; }

/* Square root without errno, which would keep the loop scalar. */
INLINE float root(float x) { return __builtin_elementwise_sqrt(x); }

/* e^x = 2^k · e^r, |r| ≤ ½ ln 2. The power of two is applied in two factors, since 2¹²⁸ is no float
 * while e^88.7 is. */
INLINE float exponential(float x) {
  float v = x > 89.f ? 89.f : x;
  v = v < -104.f ? -104.f : v;
  float shifted = v * 1.44269504f + 12582912.f; /* 1.5·2²³: rounds to the nearest integer */
  float k = shifted - 12582912.f;
  float r = v - k * 0.693359375f;
  r = r - k * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.f;
  int32_t n = (int32_t)(bits_of_float(shifted) - 0x4b400000u), half = n >> 1;
  return p * float_of_bits((uint32_t)(half + 127) << 23)
         * float_of_bits((uint32_t)(n - half + 127) << 23);
}

/* ln x = e·ln 2 + ln(1+f) with √½ ≤ 1+f < √2; −∞ at 0, NaN below. */
INLINE float logarithm(float x) {
  const float infinity = __builtin_inff();
  uint32_t bits = bits_of_float(x < 1.17549435e-38f ? 1.17549435e-38f : x);
  float e = (float)((int32_t)(bits >> 23) - 126);
  float m = float_of_bits((bits & 0x007fffffu) | 0x3f000000u);
  int low = m < 0.707106781f;
  e = low ? e - 1.f : e;
  float f = low ? m + m - 1.f : m - 1.f, z = f * f;
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  p = p * f * z + e * -2.12194440e-4f - 0.5f * z;
  float inside = f + p + e * 0.693359375f;
  float outside = x == 0.f ? -infinity : x > 0.f ? infinity : __builtin_nanf("");
  return x > 0.f && x < infinity ? inside : outside;
}

/* ln(1+t) for 0 ≤ t ≤ 1: ln u + (t − (u−1))/u with u the rounded 1+t. */
INLINE float logarithm_of_one_plus(float t) {
  float u = 1.f + t;
  return logarithm(u) + (t - (u - 1.f)) / u;
}

INLINE float hyperbolic_tangent(float x) {
  float a = __builtin_fabsf(x), z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  float near = p * z * x + x;
  float far = 1.f - 2.f / (exponential(2.f * a) + 1.f);
  return a < 0.625f ? near : __builtin_copysignf(far, x);
}

INLINE float logistic(float x) { return 1.f / (1.f + exponential(-x)); }

INLINE float soft_plus(float x) {
  float positive = x > 0.f ? x : 0.f;
  return positive + logarithm_of_one_plus(exponential(-__builtin_fabsf(x)));
}

/* |x| ≤ 1: x + x·p(x²), |relative error| < 2e-9; beyond: 1 − e^q(|x|) with q ≈ ln erfc, < 1e-10
 * (both fitted by weighted least squares to the minimax error, before rounding). */
INLINE float error_function(float x) {
  float a = __builtin_fabsf(x), s = x * x;
  float p = 7.853857823647559e-05f;
  p = p * s - 0.0008010192541405559f;
  p = p * s + 0.005188327748328447f;
  p = p * s - 0.026853810995817184f;
  p = p * s + 0.1128358542919159f;
  p = p * s - 0.3761262595653534f;
  p = p * s + 0.12837916612625122f;
  float near = p * x + x;
  float t = a > 4.f ? 4.f : a; /* erf 4 rounds to 1 */
  float q = -2.1697638658224605e-05f;
  q = q * t + 0.00044147291919216514f;
  q = q * t - 0.0042052860371768475f;
  q = q * t + 0.025210341438651085f;
  q = q * t - 0.10842210054397583f;
  q = q * t - 0.633216381072998f;
  q = q * t - 1.1295802593231201f;
  q = q * t + 0.00018846779130399227f;
  float far = __builtin_copysignf(1.f - exponential(q), x);
  return a <= 1.f ? near : a > 1.f ? far : x;
}
