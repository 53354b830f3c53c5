#include <stddef.h>
#include <string.h>

#include "clones.h"
#include "include/team.h"
#include "include/tiles.h"
#include "tile.h"

enum { CHUNK = 16384, MAX_CHUNKS = 32, SERIAL = 32768 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Rows of a group whose numbers change places, 1 if none do. */
static int32_t rows_together(const lgc_loop *loop) {
  int32_t rows = 1;
  for (int k = 0; k < loop->instruction_count; k++) {
    const lgc_instruction *instruction = &loop->instructions[k];
    if (instruction->operation == LGC_EXCHANGE && instruction->more[1])
      while (rows <= instruction->more[0]) rows *= 2;
  }
  return rows;
}

void lgc_loop_prepare(lgc_loop *loop) {
  int64_t together = loop->rows_together = rows_together(loop);
  loop->flat = together == 1;
  for (int i = 0; i < loop->operand_count; i++)
    if (loop->operands[i].layout == LGC_ROW || loop->operands[i].layout == LGC_COLUMN
        || loop->operands[i].layout == LGC_CELLS)
      loop->flat = 0;
  for (int i = 0; i < loop->reduction_count; i++)
    if (loop->reductions[i].kept != LGC_KEEP_NONE) loop->flat = 0;
  int64_t work = loop->rows * loop->columns;
  if (loop->flat) {
    loop->columns = work;
    loop->rows = 1;
  }
  int64_t columns = loop->columns, chunks = work / CHUNK, most = LGC_TILE / together;
  loop->rows_per_tile =
      !loop->flat && columns <= most ? (int32_t)(LGC_TILE / columns / together * together) : 0;
  /* A long row in tiles of nearly equal width: 520 columns are 272 + 248, not 512 + 8. */
  int64_t tiles = (columns + most - 1) / most;
  loop->tile_columns = (int32_t)least(((columns + tiles - 1) / tiles + 15) / 16 * 16, most);
  if (chunks > MAX_CHUNKS) chunks = MAX_CHUNKS;
  if (!loop->flat && chunks > loop->rows / together) chunks = loop->rows / together;
  loop->chunks = chunks < 1 ? 1 : (int32_t)chunks;
  int64_t operations = loop->instruction_count + loop->reduction_count + 1;
  loop->parallel = loop->chunks > 1 && work * operations >= SERIAL;
}

/* The first row of a chunk. */
INLINE int64_t first_row(const lgc_loop *loop, int64_t chunk) {
  return loop->rows / loop->rows_together * chunk / loop->chunks * loop->rows_together;
}

/* Numbers of the result that a chunk reduces for itself; 0 where it reduces in place. */
static int64_t partial_count(const lgc_loop *loop, const lgc_reduction *r) {
  if (r->kept == LGC_KEEP_COLUMNS) return loop->columns;
  if (r->kept != LGC_KEEP_CELLS) return 0;
  /* Every row has a cell of its own. */
  if (r->cells.divisor == 1 && r->cells.period == loop->rows) return 0;
  return r->cells.period * r->cells.width;
}

int64_t lgc_loop_partial_bytes(const lgc_loop *loop, int reduction) {
  const lgc_reduction *r = &loop->reductions[reduction];
  if (r->kept == LGC_KEEP_NONE) return loop->chunks * (int64_t)sizeof(double);
  return loop->chunks * partial_count(loop, r) * (int64_t)sizeof(float);
}

int64_t lgc_loop_scratch_bytes(const lgc_loop *loop) {
  return (int64_t)loop->operand_count * LGC_TILE * (int64_t)sizeof(float);
}

INLINE float sum(const float *x, int n) {
#pragma clang fp reassociate(on)
  float s = 0.f;
  for (int i = 0; i < n; i++) s += x[i];
  return s;
}

INLINE float maximum(const float *x, int n) {
#pragma clang fp reassociate(on)
  float s = -__builtin_inff();
  for (int i = 0; i < n; i++) s = x[i] > s ? x[i] : s;
  return s;
}

INLINE void fill(float *x, float value, int n) { EACH(i, n) x[i] = value; }

INLINE void accumulate(float *into, const float *x, int n, int largest) {
  if (largest) EACH(i, n) into[i] = x[i] > into[i] ? x[i] : into[i];
  else EACH(i, n) into[i] += x[i];
}

/* The cell of a row among the numbers at `base`. */
INLINE float *cell(float *base, const lgc_cells *cells, int64_t row) {
  return base + row / cells->divisor % cells->period * cells->width;
}

/* The numbers of a cell, again and again. */
INLINE void repeat(float *x, const float *numbers, int64_t width, int n) {
  if (width == 1) fill(x, *numbers, n);
  else if (width == LGC_LANE)
    for (int i = 0; i < n; i += LGC_LANE) memcpy(x + i, numbers, LGC_LANE * sizeof(float));
  else memcpy(x, numbers, (size_t)n * sizeof(float));
}

/* Adds n numbers to a cell. */
INLINE void absorb_cell(float *into, const float *x, int64_t width, int n, int largest) {
  if (width == 1) {
    float v = largest ? maximum(x, n) : sum(x, n);
    *into = !largest ? *into + v : v > *into ? v : *into;
  } else if (width == LGC_LANE) {
    float lanes[LGC_LANE];
    memcpy(lanes, into, sizeof lanes);
    for (int i = 0; i < n; i += LGC_LANE) accumulate(lanes, x + i, LGC_LANE, largest);
    memcpy(into, lanes, sizeof lanes);
  } else accumulate(into, x, n, largest);
}

/* A running reduction to one number; sums over many tiles need the wider type. */
INLINE double start(int largest) { return largest ? -(double)__builtin_inff() : 0.0; }
INLINE double absorb(double state, const float *x, int n, int largest) {
  if (!largest) return state + sum(x, n);
  float m = maximum(x, n);
  return m > state ? m : state;
}

/* What one thread needs while it works on a chunk. */
struct walk {
  const lgc_loop *loop;
  float *tiles[LGC_MAX_OPERANDS];
  double totals[LGC_MAX_REDUCTIONS];
  /* Where a chunk's numbers of LGC_KEEP_COLUMNS and LGC_KEEP_CELLS are. */
  float *into[LGC_MAX_REDUCTIONS];
};

INLINE void place_full(struct walk *w, int64_t position) {
  const lgc_operand *operands = w->loop->operands;
  for (int i = 0; i < w->loop->operand_count; i++)
    if (operands[i].layout == LGC_FULL) w->tiles[i] = operands[i].base + position;
}

/* n numbers of one row, from a column on, of an operand that repeats. */
INLINE void lay(
    float *x, const lgc_operand *operand, int64_t row, int64_t column, int64_t columns, int n) {
  if (operand->layout == LGC_ROW) memcpy(x, operand->base + column, (size_t)n * sizeof(float));
  else if (operand->layout == LGC_COLUMN) fill(x, operand->base[row], n);
  else if (operand->layout == LGC_CELLS) {
    const float *numbers = cell(operand->base, &operand->cells, row);
    int64_t width = operand->cells.width;
    repeat(x, width == columns ? numbers + column : numbers, width, n);
  }
}

CLONES void lgc_walk_flat(struct walk *w, int chunk);
CLONES void lgc_walk_row_groups(struct walk *w, int chunk);
CLONES void lgc_walk_short_rows(struct walk *w, int chunk);
CLONES void lgc_walk_long_rows(struct walk *w, int chunk);

CLONES void lgc_walk_flat(struct walk *w, int chunk) {
  const lgc_loop *loop = w->loop;
  int64_t part = ((loop->columns + loop->chunks - 1) / loop->chunks + 63) / 64 * 64;
  int64_t begin = least(part * chunk, loop->columns), end = least(begin + part, loop->columns);
  for (int64_t p = begin; p < end; p += LGC_TILE) {
    int n = (int)least(end - p, LGC_TILE);
    place_full(w, p);
    lgc_tile_run(loop->instructions, loop->instruction_count, w->tiles, n, n);
    for (int r = 0; r < loop->reduction_count; r++) {
      const lgc_reduction *reduction = &loop->reductions[r];
      w->totals[r] =
          absorb(w->totals[r], w->tiles[reduction->source], n, reduction->maximum);
    }
  }
}

/* Several whole rows in one tile. */
CLONES void lgc_walk_short_rows(struct walk *w, int chunk) {
  const lgc_loop *loop = w->loop;
  const lgc_operand *operands = loop->operands;
  int columns = (int)loop->columns, most = loop->rows_per_tile;
  for (int i = 0; i < loop->operand_count; i++)
    if (operands[i].layout == LGC_ROW)
      for (int q = 0; q < most; q++)
        memcpy(w->tiles[i] + q * columns, operands[i].base, (size_t)columns * sizeof(float));
  int64_t begin = first_row(loop, chunk), end = first_row(loop, chunk + 1);
  for (int64_t row = begin; row < end; row += most) {
    int rows = (int)least(end - row, most);
    place_full(w, row * columns);
    for (int i = 0; i < loop->operand_count; i++)
      if (operands[i].layout == LGC_COLUMN)
        for (int q = 0; q < rows; q++)
          fill(w->tiles[i] + q * columns, operands[i].base[row + q], columns);
      else if (operands[i].layout == LGC_CELLS)
        for (int q = 0; q < rows; q++)
          repeat(
              w->tiles[i] + q * columns, cell(operands[i].base, &operands[i].cells, row + q),
              operands[i].cells.width, columns);
    lgc_tile_run(
        loop->instructions, loop->instruction_count, w->tiles, rows * columns, columns);
    for (int r = 0; r < loop->reduction_count; r++) {
      const lgc_reduction *reduction = &loop->reductions[r];
      const float *x = w->tiles[reduction->source];
      int largest = reduction->maximum;
      switch (reduction->kept) {
        case LGC_KEEP_NONE:
          w->totals[r] = absorb(w->totals[r], x, rows * columns, largest);
          break;
        case LGC_KEEP_ROWS:
          for (int q = 0; q < rows; q++)
            reduction->out[row + q] =
                largest ? maximum(x + q * columns, columns) : sum(x + q * columns, columns);
          break;
        case LGC_KEEP_COLUMNS:
          for (int q = 0; q < rows; q++) accumulate(w->into[r], x + q * columns, columns, largest);
          break;
        case LGC_KEEP_CELLS:
          for (int q = 0; q < rows; q++)
            absorb_cell(
                cell(w->into[r], &reduction->cells, row + q), x + q * columns,
                reduction->cells.width, columns, largest);
          break;
      }
    }
  }
}

/* Several tiles in one row. */
CLONES void lgc_walk_long_rows(struct walk *w, int chunk) {
  const lgc_loop *loop = w->loop;
  const lgc_operand *operands = loop->operands;
  int64_t columns = loop->columns;
  int64_t begin = first_row(loop, chunk), end = first_row(loop, chunk + 1);
  for (int64_t row = begin; row < end; row++) {
    double kept[LGC_MAX_REDUCTIONS];
    for (int r = 0; r < loop->reduction_count; r++) kept[r] = start(loop->reductions[r].maximum);
    for (int i = 0; i < loop->operand_count; i++)
      if (operands[i].layout == LGC_COLUMN)
        fill(w->tiles[i], operands[i].base[row], loop->tile_columns);
      else if (operands[i].layout == LGC_CELLS && operands[i].cells.width < columns)
        repeat(
            w->tiles[i], cell(operands[i].base, &operands[i].cells, row), operands[i].cells.width,
            loop->tile_columns);
    for (int64_t column = 0; column < columns; column += loop->tile_columns) {
      int n = (int)least(columns - column, loop->tile_columns);
      place_full(w, row * columns + column);
      for (int i = 0; i < loop->operand_count; i++)
        if (operands[i].layout == LGC_ROW) w->tiles[i] = operands[i].base + column;
        else if (operands[i].layout == LGC_CELLS && operands[i].cells.width == columns)
          w->tiles[i] = cell(operands[i].base, &operands[i].cells, row) + column;
      lgc_tile_run(loop->instructions, loop->instruction_count, w->tiles, n, n);
      for (int r = 0; r < loop->reduction_count; r++) {
        const lgc_reduction *reduction = &loop->reductions[r];
        const float *x = w->tiles[reduction->source];
        int largest = reduction->maximum;
        switch (reduction->kept) {
          case LGC_KEEP_NONE: w->totals[r] = absorb(w->totals[r], x, n, largest); break;
          case LGC_KEEP_ROWS: kept[r] = absorb(kept[r], x, n, largest); break;
          case LGC_KEEP_COLUMNS:
            accumulate(w->into[r] + column, x, n, largest);
            break;
          case LGC_KEEP_CELLS: {
            int64_t width = reduction->cells.width;
            float *into = cell(w->into[r], &reduction->cells, row);
            absorb_cell(into + (width == columns ? column : 0), x, width, n, largest);
          } break;
        }
      }
    }
    for (int r = 0; r < loop->reduction_count; r++)
      if (loop->reductions[r].kept == LGC_KEEP_ROWS) loop->reductions[r].out[row] = (float)kept[r];
  }
}

/* Which operands in memory the loop reads, and which it writes. */
struct traffic { uint8_t read[LGC_MAX_OPERANDS], written[LGC_MAX_OPERANDS]; };

static struct traffic traffic(const lgc_loop *loop) {
  struct traffic t = {{0}, {0}};
  for (int k = 0; k < loop->instruction_count; k++) {
    const lgc_instruction *instruction = &loop->instructions[k];
    int isAdam = instruction->operation == LGC_ADAM;
    int16_t sources[] = {instruction->a, instruction->b, instruction->c};
    for (int s = 0; s < 3; s++) {
      /* What the loop has written itself it need not fetch. */
      if (!t.written[sources[s]]) t.read[sources[s]] = 1;
      if (isAdam && s > 0) t.written[sources[s]] = 1;
    }
    if (isAdam) t.read[instruction->d] = 1;
    t.written[instruction->d] = 1;
  }
  for (int r = 0; r < loop->reduction_count; r++)
    if (!t.written[loop->reductions[r].source]) t.read[loop->reductions[r].source] = 1;
  return t;
}

/* Long rows that exchange numbers: a tile holds a piece of each row of a group, fetched from memory
 * and put back. */
CLONES void lgc_walk_row_groups(struct walk *w, int chunk) {
  const lgc_loop *loop = w->loop;
  const lgc_operand *operands = loop->operands;
  int64_t columns = loop->columns;
  int together = loop->rows_together;
  struct traffic t = traffic(loop);
  for (int64_t row = first_row(loop, chunk); row < first_row(loop, chunk + 1); row += together) {
    double kept[LGC_MAX_REDUCTIONS][LGC_LANE];
    for (int r = 0; r < loop->reduction_count; r++)
      for (int q = 0; q < together; q++) kept[r][q] = start(loop->reductions[r].maximum);
    for (int64_t column = 0; column < columns; column += loop->tile_columns) {
      int n = (int)least(columns - column, loop->tile_columns);
      size_t bytes = (size_t)n * sizeof(float);
      for (int i = 0; i < loop->operand_count; i++)
        for (int q = 0; q < together; q++)
          if (operands[i].layout != LGC_FULL)
            lay(w->tiles[i] + q * n, &operands[i], row + q, column, columns, n);
          else if (t.read[i])
            memcpy(w->tiles[i] + q * n, operands[i].base + (row + q) * columns + column, bytes);
      lgc_tile_run(loop->instructions, loop->instruction_count, w->tiles, together * n, n);
      for (int i = 0; i < loop->operand_count; i++)
        if (operands[i].layout == LGC_FULL && t.written[i])
          for (int q = 0; q < together; q++)
            memcpy(operands[i].base + (row + q) * columns + column, w->tiles[i] + q * n, bytes);
      for (int r = 0; r < loop->reduction_count; r++) {
        const lgc_reduction *reduction = &loop->reductions[r];
        int largest = reduction->maximum;
        for (int q = 0; q < together; q++) {
          const float *x = w->tiles[reduction->source] + q * n;
          switch (reduction->kept) {
            case LGC_KEEP_NONE: w->totals[r] = absorb(w->totals[r], x, n, largest); break;
            case LGC_KEEP_ROWS: kept[r][q] = absorb(kept[r][q], x, n, largest); break;
            case LGC_KEEP_COLUMNS: accumulate(w->into[r] + column, x, n, largest); break;
            case LGC_KEEP_CELLS: {
              int64_t width = reduction->cells.width;
              float *into = cell(w->into[r], &reduction->cells, row + q);
              absorb_cell(into + (width == columns ? column : 0), x, width, n, largest);
            } break;
          }
        }
      }
    }
    for (int r = 0; r < loop->reduction_count; r++)
      if (loop->reductions[r].kept == LGC_KEEP_ROWS)
        for (int q = 0; q < together; q++) loop->reductions[r].out[row + q] = (float)kept[r][q];
  }
}

static void run_chunk(const lgc_loop *loop, int chunk, float *scratch) {
  struct walk w = {.loop = loop};
  for (int i = 0; i < loop->operand_count; i++) {
    w.tiles[i] = scratch + i * LGC_TILE;
    if (loop->operands[i].layout == LGC_SCALAR) {
      int n = (int)least(loop->rows * loop->columns, LGC_TILE);
      fill(w.tiles[i], *loop->operands[i].base, n);
    }
  }
  for (int r = 0; r < loop->reduction_count; r++) {
    const lgc_reduction *reduction = &loop->reductions[r];
    w.totals[r] = start(reduction->maximum);
    int64_t count = partial_count(loop, reduction);
    w.into[r] = count ? (float *)reduction->partial + chunk * count : reduction->out;
    if (!count && reduction->kept == LGC_KEEP_CELLS) {
      int64_t width = reduction->cells.width;
      int64_t begin = first_row(loop, chunk) * width, end = first_row(loop, chunk + 1) * width;
      for (int64_t c = begin; c < end; c++) reduction->out[c] = (float)w.totals[r];
    }
    for (int64_t c = 0; c < count; c++) w.into[r][c] = (float)w.totals[r];
  }
  if (loop->flat) lgc_walk_flat(&w, chunk);
  else if (loop->rows_per_tile) lgc_walk_short_rows(&w, chunk);
  else if (loop->rows_together > 1) lgc_walk_row_groups(&w, chunk);
  else lgc_walk_long_rows(&w, chunk);
  for (int r = 0; r < loop->reduction_count; r++)
    if (loop->reductions[r].kept == LGC_KEEP_NONE)
      ((double *)loop->reductions[r].partial)[chunk] = w.totals[r];
}

static void run_part(const void *work, int part, int parts) {
  const lgc_loop *loop = work;
  float *scratch = loop->scratch + part * (lgc_loop_scratch_bytes(loop) / (int64_t)sizeof(float));
  int begin = loop->chunks * part / parts, end = loop->chunks * (part + 1) / parts;
  for (int chunk = begin; chunk < end; chunk++) run_chunk(loop, chunk, scratch);
}

CLONES void lgc_loop_combine(const lgc_loop *loop, const lgc_reduction *reduction);
CLONES void lgc_loop_combine(const lgc_loop *loop, const lgc_reduction *reduction) {
  if (reduction->kept == LGC_KEEP_NONE) {
    double total = start(reduction->maximum);
    for (int c = 0; c < loop->chunks; c++) {
      double next = ((const double *)reduction->partial)[c];
      total = !reduction->maximum ? total + next : next > total ? next : total;
    }
    *reduction->out = (float)total;
    return;
  }
  int64_t count = partial_count(loop, reduction);
  if (!count) return;
  const float *partial = reduction->partial;
  memcpy(reduction->out, partial, (size_t)count * sizeof(float));
  for (int c = 1; c < loop->chunks; c++)
    accumulate(reduction->out, partial + c * count, (int)count, reduction->maximum);
}

void lgc_loop_run(const lgc_loop *loop) {
  if (loop->parallel) lgc_team_run(run_part, loop, loop->threads);
  else run_part(loop, 0, 1);
  for (int r = 0; r < loop->reduction_count; r++)
    lgc_loop_combine(loop, &loop->reductions[r]);
}
