#include "include/steps.h"

#include "include/arrays.h"
#include "include/convolutions.h"
#include "include/products.h"
#include "include/team.h"
#include "include/tiles.h"
#include "include/windows.h"

static int run_step(const lgc_step *step) {
  switch (step->kind) {
    case LGC_STEP_LOOP: lgc_loop_run(step->work); return 0;
    case LGC_STEP_PRODUCT: return lgc_product_run(step->work);
    case LGC_STEP_COPY: lgc_copy_run(step->work); return 0;
    case LGC_STEP_FOLD: lgc_fold_run(step->work); return 0;
    case LGC_STEP_FILL: lgc_fill_run(step->work); return 0;
    case LGC_STEP_RANDOM: lgc_random_run(step->work); return 0;
    case LGC_STEP_WINDOW: lgc_window_run(step->work); return 0;
    case LGC_STEP_TAKE: lgc_take_run(step->work); return 0;
    case LGC_STEP_CALL: return lgc_call_run(step->work);
    default: return 1;
  }
}

int lgc_steps_run(const lgc_step *steps, int count, int team, int64_t *moments) {
  lgc_caller_mode mode = lgc_caller_enter();
  lgc_workers_flush(team, 1);
  int failed = -1;
  for (int i = 0; i < count && failed < 0; i++) {
    if (moments) moments[i] = lgc_nanoseconds();
    if (run_step(&steps[i])) failed = i;
  }
  if (moments) moments[count] = lgc_nanoseconds();
  lgc_workers_flush(team, 0);
  lgc_caller_leave(mode);
  return failed;
}
