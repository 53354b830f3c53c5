#include "exact.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t limb;
typedef unsigned __int128 wide;

/* Sign and magnitude; `used` limbs, the last one not zero; `limbs` has the fixed capacity. */
typedef struct {
  int sign, used;
  limb *limbs;
} integer;

static void trim(integer *x) {
  while (x->used > 0 && x->limbs[x->used - 1] == 0) x->used--;
  if (x->used == 0) x->sign = 0;
}

/* x ← m·2^shift, m < 2^53. */
static void set_shifted(integer *x, double m, int shift) {
  x->sign = (m > 0) - (m < 0);
  x->used = 0;
  if (x->sign == 0) return;
  wide value = (wide)(limb)fabs(m) << (shift & 63);
  int whole = shift >> 6;
  memset(x->limbs, 0, (size_t)whole * sizeof(limb));
  x->limbs[whole] = (limb)value;
  x->limbs[whole + 1] = (limb)(value >> 64);
  x->used = whole + 2;
  trim(x);
}

static int compare_magnitude(const integer *a, const integer *b) {
  if (a->used != b->used) return a->used < b->used ? -1 : 1;
  for (int i = a->used - 1; i >= 0; i--)
    if (a->limbs[i] != b->limbs[i]) return a->limbs[i] < b->limbs[i] ? -1 : 1;
  return 0;
}

/* a ← a + sign·b */
static void accumulate(integer *a, const integer *b, int sign) {
  int bsign = b->sign * sign;
  if (bsign == 0) return;
  if (a->sign == 0 || a->sign == bsign) {
    int n = a->used > b->used ? a->used : b->used;
    limb carry = 0;
    for (int i = 0; i < n; i++) {
      wide s = (wide)(i < a->used ? a->limbs[i] : 0) + (i < b->used ? b->limbs[i] : 0) + carry;
      a->limbs[i] = (limb)s;
      carry = (limb)(s >> 64);
    }
    a->limbs[n] = carry;
    a->used = n + 1;
    a->sign = bsign;
  } else {
    int larger = compare_magnitude(a, b) >= 0;
    const integer *x = larger ? a : b, *y = larger ? b : a;
    limb borrow = 0;
    int n = x->used;
    for (int i = 0; i < n; i++) {
      limb xi = x->limbs[i], yi = i < y->used ? y->limbs[i] : 0;
      wide d = (wide)xi - yi - borrow;
      a->limbs[i] = (limb)d;
      borrow = (limb)(d >> 64) != 0;
    }
    a->used = n;
    a->sign = larger ? a->sign : bsign;
  }
  trim(a);
}

/* r ← a·b; r is neither. */
static void multiply(integer *r, const integer *a, const integer *b) {
  r->sign = a->sign * b->sign;
  r->used = 0;
  if (r->sign == 0) return;
  memset(r->limbs, 0, (size_t)(a->used + b->used) * sizeof(limb));
  for (int i = 0; i < a->used; i++) {
    limb carry = 0;
    for (int j = 0; j < b->used; j++) {
      wide t = (wide)a->limbs[i] * b->limbs[j] + r->limbs[i + j] + carry;
      r->limbs[i + j] = (limb)t;
      carry = (limb)(t >> 64);
    }
    r->limbs[i + b->used] = carry;
  }
  r->used = a->used + b->used;
  trim(r);
}

static void shift_right(integer *x, int bits) {
  int whole = bits >> 6, part = bits & 63;
  for (int i = 0; i + whole < x->used; i++) {
    limb low = x->limbs[i + whole] >> part;
    limb high = part && i + whole + 1 < x->used ? x->limbs[i + whole + 1] << (64 - part) : 0;
    x->limbs[i] = low | high;
  }
  x->used = x->used > whole ? x->used - whole : 0;
  trim(x);
}

/* a ← a/b where b divides a, from the low end (Jebelean 1993); b is changed. Both are divided by
 * b's power of two first, so that its lowest limb has an inverse modulo 2^64. */
static void divide_exactly(integer *a, integer *b) {
  if (a->sign == 0) return;
  int zeros = 0;
  while (b->limbs[zeros >> 6] == 0) zeros += 64;
  zeros += __builtin_ctzll(b->limbs[zeros >> 6]);
  shift_right(a, zeros);
  shift_right(b, zeros);
  limb inverse = b->limbs[0];
  for (int i = 0; i < 6; i++) inverse *= 2 - b->limbs[0] * inverse;
  int n = a->used - b->used + 1;
  for (int i = 0; i < n; i++) {
    limb q = a->limbs[i] * inverse, carry = 0, borrow = 0;
    for (int j = 0; i + j < a->used; j++) {
      wide t = (wide)q * (j < b->used ? b->limbs[j] : 0) + carry;
      carry = (limb)(t >> 64);
      wide d = (wide)a->limbs[i + j] - (limb)t - borrow;
      a->limbs[i + j] = (limb)d;
      borrow = (limb)(d >> 64) != 0;
      if (j >= b->used && carry == 0 && borrow == 0) break;
    }
    a->limbs[i] = q; /* that limb of the remainder is zero now */
  }
  a->sign *= b->sign;
  a->used = n;
  trim(a);
}

static int exponent_of_lowest_bit(double x) {
  int e;
  double m = frexp(x, &e);
  e -= 53;
  uint64_t bits = (uint64_t)ldexp(fabs(m), 53);
  return e + __builtin_ctzll(bits);
}

/* Of tI − WᵀW with t = c² or, if c is NaN, t = square. */
static int definiteness(int rows, int columns, const float *w, double c, double square) {
  int d = rows < columns ? rows : columns, p = rows < columns ? columns : rows;
  int lowest = 2000, highest = -2000, e;
  for (int i = 0; i < rows * columns; i++)
    if (w[i] != 0) {
      int low = exponent_of_lowest_bit(w[i]);
      if (low < lowest) lowest = low;
      frexp(w[i], &e);
      if (e > highest) highest = e;
    }
  double root = isnan(c) ? square : c;
  int halves = isnan(c) ? 2 : 1;
  if (root != 0) {
    /* The unit of the squares is 4^lowest. */
    int low = (exponent_of_lowest_bit(root) - halves + 1) / halves;
    if (low < lowest) lowest = low;
    frexp(root, &e);
    if (e / halves + 1 > highest) highest = e / halves + 1;
  }
  if (highest < lowest) return 0;
  /* Minors of order k have at most k·(2·bits + log p + 2) bits (Hadamard); products twice that. */
  int bits = 2 * (highest - lowest) + 16;
  for (int n = p; n > 0; n /= 2) bits++;
  int capacity = 2 * (d + 1) * bits / 64 + 8, count = d * d + p * d + 4;
  limb *memory = malloc((size_t)capacity * count * sizeof(limb));
  integer *all = malloc((size_t)count * sizeof(integer));
  if (memory == NULL || all == NULL) {
    free(memory);
    free(all);
    return -2;
  }
  for (int i = 0; i < count; i++) all[i] = (integer){0, 0, memory + (size_t)capacity * i};
  integer *m = all, *a = all + d * d, *s = a + p * d, *t = s + 1, *previous = s + 2, *divisor = s + 3;

  for (int k = 0; k < p; k++)
    for (int i = 0; i < d; i++) {
      double x = rows < columns ? w[i * columns + k] : w[k * columns + i];
      int low = x == 0 ? lowest : exponent_of_lowest_bit(x);
      set_shifted(&a[k * d + i], ldexp(x, -low), low - lowest);
    }
  for (int i = 0; i < d; i++)
    for (int j = 0; j <= i; j++) {
      integer *x = &m[i * d + j];
      for (int k = 0; k < p; k++) {
        multiply(s, &a[k * d + i], &a[k * d + j]);
        accumulate(x, s, -1);
      }
      if (i == j && root != 0) {
        int low = exponent_of_lowest_bit(root);
        set_shifted(s, ldexp(root, -low), low - halves * lowest);
        set_shifted(previous, 1, 0);
        multiply(t, s, isnan(c) ? previous : s);
        accumulate(x, t, 1);
      }
    }
  /* Symmetric fraction-free elimination (Bareiss 1968) on the lower triangle. A zero pivot is
   * compatible with semidefiniteness only if its whole row is zero; it is then left out. */
  int result = 1;
  set_shifted(previous, 1, 0);
  for (int k = 0; k < d && result >= 0; k++) {
    integer *pivot = &m[k * d + k];
    if (pivot->sign < 0) result = -1;
    if (pivot->sign == 0) {
      for (int i = k + 1; i < d; i++)
        if (m[i * d + k].sign != 0) result = -1;
      if (result > 0) result = 0;
    }
    if (pivot->sign <= 0) continue;
    for (int i = k + 1; i < d; i++)
      for (int j = k + 1; j <= i; j++) {
        integer *x = &m[i * d + j];
        multiply(s, x, pivot);
        multiply(t, &m[i * d + k], &m[j * d + k]);
        accumulate(s, t, -1);
        divisor->sign = previous->sign;
        divisor->used = previous->used;
        memcpy(divisor->limbs, previous->limbs, (size_t)previous->used * sizeof(limb));
        divide_exactly(s, divisor);
        x->sign = s->sign;
        x->used = s->used;
        memcpy(x->limbs, s->limbs, (size_t)s->used * sizeof(limb));
      }
    previous->sign = pivot->sign;
    previous->used = pivot->used;
    memcpy(previous->limbs, pivot->limbs, (size_t)pivot->used * sizeof(limb));
  }
  free(memory);
  free(all);
  return result;
}

int exact_definiteness(int rows, int columns, const float *w, double c) {
  return definiteness(rows, columns, w, c, 0);
}

int exact_definiteness_of_square(int rows, int columns, const float *w, double square) {
  return definiteness(rows, columns, w, NAN, square);
}

int exact_sum_comparison(int count, int stride, const float *x, double c) {
  /* In units of 2^-1074, every double is an integer of at most 2098 bits. */
  limb sum_limbs[40] = {0}, term_limbs[40];
  integer sum = {0, 0, sum_limbs}, term = {0, 0, term_limbs};
  for (int i = -1; i < count; i++) {
    double value = i < 0 ? c : fabs((double)x[(size_t)i * stride]);
    if (value == 0) continue;
    int low = exponent_of_lowest_bit(value);
    set_shifted(&term, ldexp(value, -low), low + 1074);
    accumulate(&sum, &term, i < 0 ? 1 : -1);
  }
  return sum.sign;
}

double quadruple_rayleigh(int rows, int columns, const float *w, int steps) {
  double *v = malloc((size_t)columns * sizeof(double)), *y = malloc((size_t)rows * sizeof(double));
  for (int j = 0; j < columns; j++) v[j] = 1 + 0.5 * ((j * 2654435761u % 1000) / 1000.0);
  for (int step = 0; step < steps; step++) {
    double square = 0;
    for (int i = 0; i < rows; i++) {
      y[i] = 0;
      for (int j = 0; j < columns; j++) y[i] += (double)w[i * columns + j] * v[j];
    }
    for (int j = 0; j < columns; j++) v[j] = 0;
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < columns; j++) v[j] += (double)w[i * columns + j] * y[i];
    for (int j = 0; j < columns; j++) square += v[j] * v[j];
    for (int j = 0; j < columns; j++) v[j] /= sqrt(square);
  }
  __float128 numerator = 0, denominator = 0;
  for (int i = 0; i < rows; i++) {
    __float128 sum = 0;
    for (int j = 0; j < columns; j++) sum += (__float128)w[i * columns + j] * (__float128)v[j];
    numerator += sum * sum;
  }
  for (int j = 0; j < columns; j++) denominator += (__float128)v[j] * (__float128)v[j];
  free(v);
  free(y);
  return (double)(numerator / denominator);
}
