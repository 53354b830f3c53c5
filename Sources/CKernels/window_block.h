/* Included once for each WIDTH: outputs or lanes that are worked on side by side. NAMED(x) makes
 * the names of one width, EVEN(a, b) takes x[0], x[2], … from a = x[0 ..< WIDTH] and
 * b = x[WIDTH − 1 ..< 2·WIDTH − 1], so that nothing behind the last element is read. */
#define VECTOR NAMED(vector)
#define MASK NAMED(mask)
typedef float VECTOR __attribute__((vector_size(4 * WIDTH)));
typedef int32_t MASK __attribute__((vector_size(4 * WIDTH)));

/* x[0], x[step], … */
INLINE VECTOR NAMED(load)(const float *x, int64_t step) {
  VECTOR v;
  if (step == 1 || WIDTH == 1) {
    memcpy(&v, x, sizeof v);
    return v;
  }
  if (step == 2) {
    VECTOR high;
    memcpy(&v, x, sizeof v);
    memcpy(&high, x + WIDTH - 1, sizeof high);
    return EVEN(v, high);
  }
  for (int i = 0; i < WIDTH; i++) v[i] = x[i * step];
  return v;
}

INLINE VECTOR NAMED(choose)(MASK mask, VECTOR yes, VECTOR no) {
  return (VECTOR)((mask & (MASK)yes) | (~mask & (MASK)no));
}

/* Taps of one row of windows: rows `row` ..< `last_row` and columns `column` ..< `last_column` in
 * steps of the dilation, positions of the first of the outputs. */
INLINE void NAMED(largest)(
    const struct taps *t, const float *x, int64_t step, int64_t position_step, float *positions,
    float *values) {
  VECTOR best = (VECTOR){} - __builtin_inff(), place = (VECTOR){} - 1.f, ramp;
  for (int i = 0; i < WIDTH; i++) ramp[i] = (float)(i * position_step);
  for (int64_t r = t->row; r < t->last_row; r += t->row_step)
    for (int64_t c = t->column; c < t->last_column; c += t->column_step) {
      int64_t p = r * t->extent + c;
      VECTOR v = NAMED(load)(x + p * t->lanes, step);
      /* A NaN is largest and the first of several wins; −∞ wins if nothing was found before. */
      MASK better = (~(MASK)(v <= best) & (MASK)(best == best)) | (MASK)(place < 0.f);
      best = NAMED(choose)(better, v, best);
      place = NAMED(choose)(better, ramp + (float)p, place);
    }
  if (place[0] < 0.f) { /* all padding, which is position 0 */
    place = (VECTOR){};
    best = position_step ? place + x[0] : NAMED(load)(x, 1);
  }
  if (positions) memcpy(positions, &place, sizeof place);
  if (values) memcpy(values, &best, sizeof best);
}

INLINE void NAMED(total)(const struct taps *t, const float *x, int64_t step, float *y) {
  VECTOR sum = {};
  for (int64_t r = t->row; r < t->last_row; r += t->row_step)
    for (int64_t c = t->column; c < t->last_column; c += t->column_step)
      sum += NAMED(load)(x + (r * t->extent + c) * t->lanes, step);
  memcpy(y, &sum, sizeof sum);
}

/* As total, of those elements whose position is `position`. */
INLINE void NAMED(matching)(
    const struct taps *t, const float *x, const float *positions, float position, float *y) {
  VECTOR sum = {};
  for (int64_t r = t->row; r < t->last_row; r += t->row_step)
    for (int64_t c = t->column; c < t->last_column; c += t->column_step) {
      int64_t at = (r * t->extent + c) * t->lanes;
      VECTOR places = NAMED(load)(positions + at, 1), v = NAMED(load)(x + at, 1);
      sum += NAMED(choose)((MASK)(places == position), v, (VECTOR){});
    }
  memcpy(y, &sum, sizeof sum);
}

#undef VECTOR
#undef MASK
#undef NAMED
#undef EVEN
#undef WIDTH
