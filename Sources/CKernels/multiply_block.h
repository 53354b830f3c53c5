/* Included once for each number of ROWS. A block of the result, ROWS broadcast operands times VECTORS
 * vectors of 16 numbers, stays in registers over all of k:
 *
 *   c[i·32 + …] = Σ_p a[i·row + p] · b[p·16·VECTORS + …]
 *
 * What comes next, `ahead`, moves into the second cache meanwhile, 16 bytes with each p. */
#define NAME_(rows, vectors) block_##rows##_##vectors
#define NAME(rows, vectors) NAME_(rows, vectors)

#define BLOCK(VECTORS) \
  AVX512 static void NAME(ROWS, VECTORS)(const struct block *t) { \
    const float *a = t->a, *b = t->b, *ahead = t->ahead; \
    int64_t row = t->row; \
    __m512 x[ROWS][VECTORS]; \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; v++) \
        x[i][v] = _mm512_setzero_ps(); \
    for (int64_t p = 0; p < t->k; p++) { \
      _mm_prefetch((const char *)ahead, _MM_HINT_T1); \
      _mm_prefetch((const char *)(b + NEAR * VECTORS), _MM_HINT_T0); \
      __m512 y[VECTORS]; \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; v++) \
        y[v] = _mm512_loadu_ps(b + 16 * v); \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) { \
        __m512 f = _mm512_set1_ps(a[i * row]); \
        _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; v++) \
          x[i][v] = _mm512_fmadd_ps(f, y[v], x[i][v]); \
      } \
      ahead += 4; \
      a++; \
      b += 16 * VECTORS; \
    } \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; v++) \
        _mm512_store_ps(t->c + i * PANEL + 16 * v, x[i][v]); \
  }

BLOCK(1)
BLOCK(2)

#undef BLOCK
#undef NAME
#undef NAME_
#undef ROWS
