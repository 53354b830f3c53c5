#pragma once
#include <stdint.h>

/* A compiled program: a flat array of steps, run in order without any allocation. */
typedef enum : int32_t {
  LGC_STEP_LOOP = 0, LGC_STEP_PRODUCT, LGC_STEP_COPY, LGC_STEP_FOLD, LGC_STEP_FILL, LGC_STEP_RANDOM,
  LGC_STEP_CALL, LGC_STEP_WINDOW, LGC_STEP_TAKE,
} lgc_step_kind;

typedef struct {
  int32_t kind;               /* an lgc_step_kind */
  const void *_Nonnull work;  /* the lgc_loop, lgc_product, lgc_call, … */
} lgc_step;

/* Runs all steps; −1, or the number of the step that failed. `team` is the number of threads on
 * which a library may compute by itself, 1 if none does. `moments`, if given, receives when each
 * step began (lgc_nanoseconds), and after them, at [count], when the last ended. */
int lgc_steps_run(
    const lgc_step *_Nonnull steps, int count, int team, int64_t *_Nullable moments);
