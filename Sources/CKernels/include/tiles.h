#pragma once
#include <stdint.h>

/* Element-wise work: a list of instructions over tiles of LGC_TILE numbers that stay in the first
 * level cache, so that a chain of operations passes over memory once. */
enum { LGC_TILE = 512 };

/* d = f(a, b, c), element by element. */
typedef enum : uint16_t {
  LGC_COPY = 0, LGC_NEGATE, LGC_EXP, LGC_LOG, LGC_ROOT, LGC_RECIPROCAL_ROOT, LGC_RECIPROCAL,
  LGC_TANH, LGC_SIGMOID, LGC_RELU, LGC_SOFTPLUS, LGC_ABSOLUTE, LGC_SQUARE, LGC_SINE, LGC_COSINE,
  LGC_ERF, LGC_SIGN, LGC_STEP,
  LGC_ADD = 32, LGC_SUBTRACT, LGC_MULTIPLY, LGC_DIVIDE, LGC_MAXIMUM, LGC_MINIMUM, LGC_POWER,
  LGC_GREATER, LGC_GREATER_OR_EQUAL, LGC_EQUAL,
  LGC_MASK_POSITIVE,        /* b > 0 ? a : 0 */
  /* d: b, but that its numbers i < j of a pair change places where a[i] > a[j]. With `more` = mask,
   * rows: j = i XOR mask, counted in a row, or among the rows of the tile if `rows` is 1. */
  LGC_EXCHANGE,
  LGC_MULTIPLY_ADD = 64,    /* a·b + c */
  LGC_MULTIPLY_SUBTRACT,    /* a·b − c */
  LGC_SUBTRACT_PRODUCT,     /* c − a·b */
  LGC_SELECT,               /* a ≠ 0 ? b : c */
  /* d: parameter p, a: gradient g, b: first moment m, c: second moment v, all but g replaced:
   *   m ← β₁·m + γ₁·g,  v ← β₂·v + γ₂·g²,  p ← δ·p − λ·m/(√v·ρ + ε)
   * with the scalars `more` = β₁, γ₁, β₂, γ₂, λ, ρ, ε, δ. */
  LGC_ADAM = 96,
} lgc_operation;

typedef struct {
  uint16_t operation; /* an lgc_operation */
  int16_t d, a, b, c; /* operands */
  int16_t more[8];
} lgc_instruction;

/* How an operand is laid over the iteration space of R rows and C columns. */
typedef enum : int32_t {
  LGC_TEMPORARY = 0, /* a tile of its own, no memory */
  LGC_FULL,          /* R·C numbers */
  LGC_ROW,           /* C numbers, equal in every row */
  LGC_COLUMN,        /* R numbers, equal in every column */
  LGC_SCALAR,
  LGC_CELLS, /* numbers by lgc_cells */
} lgc_layout;

/* Numbers that rows share in groups and that repeat along a row: element (r, c) has number
 * ((r / divisor) mod period)·width + c mod width. The width is 1, LGC_LANE or the columns. A number
 * per channel of a tensor [n, channels, h·w] has divisor 1, period `channels`, width 1. */
typedef struct { int64_t divisor, period, width; } lgc_cells;

enum { LGC_LANE = 16 };

typedef struct {
  int32_t layout; /* an lgc_layout */
  float *_Nullable base;
  lgc_cells cells; /* of LGC_CELLS */
} lgc_operand;

/* What a reduction keeps: nothing → 1 number, the columns → C numbers, the rows → R numbers, a
 * number for each cell → period·width numbers. */
typedef enum : int16_t {
  LGC_KEEP_NONE = 0, LGC_KEEP_COLUMNS, LGC_KEEP_ROWS, LGC_KEEP_CELLS,
} lgc_kept;

typedef struct {
  int16_t kept;    /* an lgc_kept */
  int16_t maximum; /* 0: sum */
  int16_t source;  /* operand */
  lgc_cells cells; /* of LGC_KEEP_CELLS */
  float *_Null_unspecified out;
  void *_Nullable partial; /* lgc_loop_partial_bytes of memory, if that is not 0 */
} lgc_reduction;

typedef struct {
  int64_t rows, columns;
  const lgc_operand *_Null_unspecified operands;
  const lgc_instruction *_Null_unspecified instructions;
  lgc_reduction *_Null_unspecified reductions;
  int32_t operand_count, instruction_count, reduction_count;
  int32_t threads;
  /* One slot of lgc_loop_scratch_bytes for each thread. */
  float *_Null_unspecified scratch;
  /* Set by lgc_loop_prepare. */
  int32_t flat, rows_per_tile, tile_columns, chunks, parallel;
  int32_t rows_together; /* rows that stay in one tile, since their numbers are exchanged */
} lgc_loop;

enum { LGC_MAX_OPERANDS = 96, LGC_MAX_REDUCTIONS = 8 };

/* Decides how the iteration space is cut. The cut depends on extents only, never on the number of
 * threads, and partial results are added in its order: equal bits on any number of threads. */
void lgc_loop_prepare(lgc_loop *_Nonnull loop);
/* After lgc_loop_prepare. */
int64_t lgc_loop_partial_bytes(const lgc_loop *_Nonnull loop, int reduction);
int64_t lgc_loop_scratch_bytes(const lgc_loop *_Nonnull loop);
void lgc_loop_run(const lgc_loop *_Nonnull loop);
