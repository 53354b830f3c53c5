#pragma once
#include <stdint.h>

/* Pooling over windows of one or two axes. An array is [images, positions, lanes]: plain storage
 * of [batch, channels, h, w] has a lane per image, channels last has all channels as lanes, blocks
 * of 16 channels have 16. */
typedef enum : int32_t {
  LGC_WINDOW_SUM = 0, /* to[o] = Σ from[p] over the window of o */
  LGC_WINDOW_SPREAD,  /* to[p] = Σ from[o] over the windows that hold p */
  LGC_WINDOW_LARGEST, /* positions[o] of the first largest from[p], to[o] its value; either NULL */
  LGC_WINDOW_GATHER,  /* to[o] = from[positions[o]] */
  LGC_WINDOW_SCATTER, /* to[positions[o]] += from[o] over zeros */
} lgc_window_form;

/* Output o reads o·stride + t·dilation − low for 0 ≤ t < kernel where that is in 0 ..< extent. */
typedef struct {
  int64_t extent, outputs, kernel, stride, dilation, low;
} lgc_window_axis;

typedef struct {
  int32_t form; /* an lgc_window_form */
  int32_t threads;
  /* Whether every position lies in its own window: then scattering reads instead of writing at
   * random. */
  int32_t inside;
  int64_t images, lanes;
  lgc_window_axis axes[2]; /* rows, columns */
  float *_Nullable positions;
  const float *_Null_unspecified from;
  float *_Nullable to;
} lgc_window;
void lgc_window_run(const lgc_window *_Nonnull window);

/* Along the middle axis of [outer, extent, inner]: to[i] = from[places[i]], or its adjoint
 * to[places[i]] += from[i] over zeros. `extent` is that of the array that places point into. */
typedef struct {
  int32_t adjoint, threads;
  int64_t outer, extent, inner, count; /* count of places */
  const int32_t *_Null_unspecified places;
  const float *_Null_unspecified from;
  float *_Null_unspecified to;
} lgc_take;
void lgc_take_run(const lgc_take *_Nonnull take);
