#pragma once
#include <stdint.h>

/* Convolutions by oneDNN, in the three forms of the primitive: y of (x, w), the x-shaped image of
 * (y, w), the weight gradient of (x, y). One spatial axis is two with the first of extent 1. */
typedef enum : int32_t {
  LGC_CONVOLUTION_FORWARD = 0, LGC_CONVOLUTION_DATA, LGC_CONVOLUTION_WEIGHTS,
} lgc_convolution_form;

/* How a tensor [batch, channels, height, width] lies in memory. */
typedef enum : int32_t {
  LGC_CHANNELS_FIRST = 0, /* as it is written: width is innermost */
  LGC_CHANNELS_LAST,      /* [batch, height, width, channels] */
  LGC_CHANNELS_BLOCKED,   /* [batch, channels/16, height, width, 16]; channels mod 16 = 0 */
} lgc_arrangement;

/* The channels of one block of LGC_CHANNELS_BLOCKED. */
enum { LGC_BLOCK = 16 };

typedef struct {
  int32_t form; /* an lgc_convolution_form */
  int32_t x_arrangement, y_arrangement;
  int32_t bias, relu; /* of the forward form: relu(x∗w + bias) */
  int32_t threads;
  int64_t batch, groups, inputs, outputs; /* channels of x and of y */
  int64_t extents[2], results[2];         /* of x, of y */
  int64_t kernels[2], strides[2], dilations[2], low[2], high[2];
} lgc_convolution;

/* A primitive of oneDNN with all that depends on shapes and on the number of threads. */
typedef struct lgc_primitive lgc_primitive;

/* The code that oneDNN has for a convolution: none, a reference loop, matrix products on unfolded
 * tensors, or its own. */
typedef enum : int32_t {
  LGC_CODE_NONE = 0, LGC_CODE_REFERENCE, LGC_CODE_PRODUCT, LGC_CODE_OWN,
} lgc_code;
int32_t lgc_convolution_probe(const lgc_convolution *_Nonnull convolution);

/* NULL if oneDNN has none for these arrangements. Weights lie as oneDNN prefers. */
lgc_primitive *_Nullable lgc_convolution_create(const lgc_convolution *_Nonnull convolution);
void lgc_primitive_free(lgc_primitive *_Nonnull primitive);

/* What oneDNN calls the implementation: `jit:avx512_core`, `gemm:jit`, `ref:any`. */
const char *_Nonnull lgc_primitive_implementation(const lgc_primitive *_Nonnull primitive);
int64_t lgc_primitive_scratch_bytes(const lgc_primitive *_Nonnull primitive);
/* Bytes of the weights as the convolution wants them. */
int64_t lgc_convolution_weight_bytes(const lgc_primitive *_Nonnull convolution);
/* Whether that is the row-major order [out, in/groups, height, width]. */
int lgc_convolution_plain_weights(const lgc_primitive *_Nonnull convolution);
/* Whether two convolutions want equal weights in the same form. */
int lgc_convolution_equal_weights(
    const lgc_primitive *_Nonnull a, const lgc_primitive *_Nonnull b);

/* From row-major weights to the convolution's own, or back. */
lgc_primitive *_Nullable lgc_packing_create(
    const lgc_primitive *_Nonnull convolution, int back, int threads);

/* A primitive bound to memory. The roles are x, w, y of a convolution; from (x), to (y) of a
 * packing. What a primitive has no use for is NULL. */
typedef struct lgc_call lgc_call;
lgc_call *_Nullable lgc_call_create(
    const lgc_primitive *_Nonnull primitive, float *_Nullable x, float *_Nullable w,
    float *_Nullable bias, float *_Nullable y, void *_Nullable scratch);
void lgc_call_free(lgc_call *_Nonnull call);
/* On the team of oneDNN, with the threads that the primitive was made for. 0, or its status. */
int lgc_call_run(const lgc_call *_Nonnull call);
