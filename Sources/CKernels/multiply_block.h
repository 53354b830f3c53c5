/* Included once for each number of ROWS. A block of the result: ROWS broadcast operands times VECTORS
 * vectors of 16 numbers stay in registers over all of k.
 *
 * x[i] += Σ_p a[i·row + p·step] · b[p·16·vectors + …]; `row` and `step` are constants where the
 * block is packed. */
#define NAME_(rows, kind) block_##rows##_##kind
#define NAME(rows, kind) NAME_(rows, kind)

#define BLOCK(kind, VECTORS, row, step) \
  AVX512 static void NAME(ROWS, kind)(const struct block *t) { \
    const float *a = t->a, *b = t->b; \
    __m512 x[ROWS][VECTORS]; \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; v++) \
        x[i][v] = t->adds ? _mm512_maskz_loadu_ps(t->masks[v], t->c + i * t->ldc + 16 * v) \
                          : _mm512_setzero_ps(); \
    _Pragma("clang loop unroll_count(4)") for (int64_t p = 0; p < t->k; p++) { \
      __m512 y[VECTORS]; \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; v++) \
        y[v] = _mm512_loadu_ps(b + 16 * v); \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) { \
        __m512 f = _mm512_set1_ps(a[i * (row)]); \
        _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; v++) \
          x[i][v] = _mm512_fmadd_ps(f, y[v], x[i][v]); \
      } \
      a += step; \
      b += 16 * VECTORS; \
    } \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; v++) \
        _mm512_mask_storeu_ps(t->c + i * t->ldc + 16 * v, t->masks[v], x[i][v]); \
  }

BLOCK(packed_2, 2, 1, ROWS)
BLOCK(packed_1, 1, 1, ROWS)
BLOCK(strided_2, 2, t->row, 1)
BLOCK(strided_1, 1, t->row, 1)

#undef BLOCK
#undef NAME
#undef NAME_
#undef ROWS
