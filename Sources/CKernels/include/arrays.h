#pragma once
#include <stdint.h>

/* Work on arrays of up to LGC_MAX_RANK axes with any strides, in elements. */
enum { LGC_MAX_RANK = 8 };

/* to[i·to_strides] = from[i·from_strides] for all i below the extents. */
typedef struct {
  int32_t rank, threads;
  int64_t extents[LGC_MAX_RANK], to_strides[LGC_MAX_RANK], from_strides[LGC_MAX_RANK];
  float *_Null_unspecified to;
  const float *_Null_unspecified from;
} lgc_copy;
void lgc_copy_run(const lgc_copy *_Nonnull copy);

/* to[i·to_strides] = sum or maximum of from[i·from_strides] over the axes of to_stride 0. If the
 * first axis is kept it is cut between the threads. */
typedef struct {
  int32_t rank, threads, maximum;
  int64_t extents[LGC_MAX_RANK], to_strides[LGC_MAX_RANK], from_strides[LGC_MAX_RANK];
  float *_Null_unspecified to;
  const float *_Null_unspecified from;
  int64_t count; /* elements of `to` */
} lgc_fold;
void lgc_fold_run(const lgc_fold *_Nonnull fold);

/* to[0 ..< count] = value. */
typedef struct {
  float *_Nonnull to;
  int64_t count;
  float value;
} lgc_fill;
void lgc_fill_run(const lgc_fill *_Nonnull fill);

/* Uniform numbers in [0, 1) by Philox4x32-10: number n is the upper 24 bits of word n mod 4 of the
 * block with counter (⌊n/4⌋, *counter) and key `stream`, divided by 2^24. */
typedef struct {
  float *_Nonnull to;
  int64_t count;
  uint64_t stream;
  const float *_Nonnull counter;
  int32_t threads;
} lgc_random;
void lgc_random_run(const lgc_random *_Nonnull random);
