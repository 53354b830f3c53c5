/* All that knows oneDNN. The library opened is the one whose headers this file was compiled with:
 * descriptors are structures in version 2 and handles in version 3, and primitives are described
 * in another way. */
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

#include "include/convolutions.h"
#include "include/team.h"
#include "libraries.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define LIBRARY "libdnnl.so." TEXT(DNNL_VERSION_MAJOR)

#if DNNL_VERSION_MAJOR >= 3
#define FUNCTIONS_OF_VERSION(F) \
  F(memory_desc_create_with_strides) F(memory_desc_create_with_tag) F(memory_desc_clone) \
  F(memory_desc_destroy) F(convolution_forward_primitive_desc_create) \
  F(convolution_backward_data_primitive_desc_create) \
  F(convolution_backward_weights_primitive_desc_create)
#else
#define FUNCTIONS_OF_VERSION(F) \
  F(memory_desc_init_by_strides) F(memory_desc_init_by_tag) \
  F(dilated_convolution_forward_desc_init) F(dilated_convolution_backward_data_desc_init) \
  F(dilated_convolution_backward_weights_desc_init) F(primitive_desc_create)
#endif
#define FUNCTIONS(F) \
  F(sgemm) F(engine_create) F(stream_create) F(stream_destroy) F(memory_desc_equal) \
  F(memory_desc_get_size) F(primitive_attr_create) F(primitive_attr_destroy) \
  F(primitive_attr_set_scratchpad_mode) F(primitive_attr_set_post_ops) F(post_ops_create) \
  F(post_ops_destroy) F(post_ops_append_eltwise) F(primitive_desc_destroy) \
  F(primitive_desc_query) F(primitive_desc_query_md) F(reorder_primitive_desc_create) \
  F(primitive_create) F(primitive_destroy) F(primitive_execute) F(memory_create) \
  F(memory_destroy) FUNCTIONS_OF_VERSION(F)

#define FIELD(name) __typeof__(&dnnl_##name) name;
static struct { FUNCTIONS(FIELD) } dnnl;
static dnnl_engine_t engine;

const char *lgc_open_dnnl(void) {
  void *library = dlopen(LIBRARY, RTLD_LAZY | RTLD_GLOBAL);
  if (!library) return LIBRARY " cannot be opened";
#define FIND(name) \
  if (!(dnnl.name = (__typeof__(dnnl.name))dlsym(library, "dnnl_" #name))) \
    return LIBRARY " has no dnnl_" #name;
  FUNCTIONS(FIND)
  if (dnnl.engine_create(&engine, dnnl_cpu, 0)) return LIBRARY " has no engine for processors";
  return 0;
}

int lgc_sgemm(
    int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
    const float *b, int64_t ldb, float *c, int64_t ldc) {
  return dnnl.sgemm(
      transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1.f, a, lda, b, ldb, 0.f, c, ldc);
}

/* MARK: descriptors of memory */

typedef struct { dnnl_memory_desc_t value; int known; } descriptor;
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t reference;
#define REFERENCE(d) ((d)->known ? (d)->value : 0)
#else
typedef const dnnl_memory_desc_t *reference;
#define REFERENCE(d) ((d)->known ? &(d)->value : 0)
#endif

static void strided(descriptor *d, int rank, const int64_t *extents, const int64_t *strides) {
#if DNNL_VERSION_MAJOR >= 3
  d->known = !dnnl.memory_desc_create_with_strides(&d->value, rank, extents, dnnl_f32, strides);
#else
  d->known = !dnnl.memory_desc_init_by_strides(&d->value, rank, extents, dnnl_f32, strides);
#endif
}

static void tagged(descriptor *d, int rank, const int64_t *extents, dnnl_format_tag_t tag) {
#if DNNL_VERSION_MAJOR >= 3
  d->known = !dnnl.memory_desc_create_with_tag(&d->value, rank, extents, dnnl_f32, tag);
#else
  d->known = !dnnl.memory_desc_init_by_tag(&d->value, rank, extents, dnnl_f32, tag);
#endif
}

static void row_major(descriptor *d, int rank, const int64_t *extents) {
  int64_t strides[DNNL_MAX_NDIMS], step = 1;
  for (int i = rank - 1; i >= 0; i--) {
    strides[i] = step;
    step *= extents[i];
  }
  strided(d, rank, extents, strides);
}

static void destroy(descriptor *d) {
#if DNNL_VERSION_MAJOR >= 3
  if (d->known) dnnl.memory_desc_destroy(d->value);
#endif
  d->known = 0;
}

/* [batch, channels, height, width] */
static void activation(descriptor *d, const int64_t *extents, int arrangement) {
  int64_t c = extents[1], h = extents[2], w = extents[3];
  int64_t last[4] = {c * h * w, 1, w * c, c};
  switch (arrangement) {
    case LGC_CHANNELS_LAST: strided(d, 4, extents, last); break;
    case LGC_CHANNELS_BLOCKED: tagged(d, 4, extents, dnnl_nChw16c); break;
    default: row_major(d, 4, extents);
  }
}

/* MARK: primitives */

/* Arguments by role. */
enum { X, W, BIAS, Y, ROLES };

struct lgc_primitive {
  dnnl_primitive_desc_t description;
  dnnl_primitive_t primitive;
  int threads;
  int arguments[ROLES]; /* 0: none */
  reference memories[ROLES];
  /* The weights of a convolution in row-major order. */
  int weight_rank;
  int64_t weight_extents[5];
};

static dnnl_primitive_attr_t attributes(int relu) {
  dnnl_primitive_attr_t made = 0;
  if (dnnl.primitive_attr_create(&made)) return 0;
  dnnl.primitive_attr_set_scratchpad_mode(made, dnnl_scratchpad_mode_user);
  dnnl_post_ops_t operations;
  if (relu && !dnnl.post_ops_create(&operations)) {
#if DNNL_VERSION_MAJOR >= 3
    dnnl.post_ops_append_eltwise(operations, dnnl_eltwise_relu, 0.f, 0.f);
#else
    dnnl.post_ops_append_eltwise(operations, 1.f, dnnl_eltwise_relu, 0.f, 0.f);
#endif
    dnnl.primitive_attr_set_post_ops(made, operations);
    dnnl.post_ops_destroy(operations);
  }
  return made;
}

/* Takes the description over; NULL if the code cannot be made. */
static lgc_primitive *primitive(dnnl_primitive_desc_t description, int threads) {
  lgc_primitive *made = calloc(1, sizeof *made);
  if (made && !dnnl.primitive_create(&made->primitive, description)) {
    made->description = description;
    made->threads = threads;
    return made;
  }
  free(made);
  dnnl.primitive_desc_destroy(description);
  return 0;
}

void lgc_primitive_free(lgc_primitive *p) {
  dnnl.primitive_destroy(p->primitive);
  dnnl.primitive_desc_destroy(p->description);
  free(p);
}

static void role(lgc_primitive *p, int role, int argument, dnnl_query_t query, int index) {
  p->arguments[role] = argument;
  p->memories[role] = dnnl.primitive_desc_query_md(p->description, query, index);
}

static int64_t bytes(reference memory) {
  return memory ? (int64_t)dnnl.memory_desc_get_size(memory) : 0;
}

static reference scratch_memory(const lgc_primitive *p) {
  return dnnl.primitive_desc_query_md(p->description, dnnl_query_scratchpad_md, 0);
}

int64_t lgc_primitive_scratch_bytes(const lgc_primitive *p) { return bytes(scratch_memory(p)); }

/* MARK: convolutions */

struct geometry {
  descriptor x, w, bias, y;
  int64_t dilations[2]; /* oneDNN counts the elements skipped */
};

/* The rank of the weights, with an axis of groups if there are several. */
static int weight_shape(const lgc_convolution *c, int64_t *extents) {
  int rank = 0;
  if (c->groups > 1) extents[rank++] = c->groups;
  extents[rank++] = c->outputs / c->groups;
  extents[rank++] = c->inputs / c->groups;
  extents[rank++] = c->kernels[0];
  extents[rank++] = c->kernels[1];
  return rank;
}

static dnnl_status_t describe(
    dnnl_primitive_desc_t *made, const lgc_convolution *c, int form, const struct geometry *g,
    const dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t hint) {
  reference x = REFERENCE(&g->x), w = REFERENCE(&g->w), y = REFERENCE(&g->y);
  reference bias = REFERENCE(&g->bias);
#if DNNL_VERSION_MAJOR >= 3
  switch (form) {
    case LGC_CONVOLUTION_FORWARD:
      return dnnl.convolution_forward_primitive_desc_create(
          made, engine, dnnl_forward_training, dnnl_convolution_direct, x, w, bias, y, c->strides,
          g->dilations, c->low, c->high, attributes);
    case LGC_CONVOLUTION_DATA:
      return dnnl.convolution_backward_data_primitive_desc_create(
          made, engine, dnnl_convolution_direct, x, w, y, c->strides, g->dilations, c->low,
          c->high, hint, attributes);
    default:
      return dnnl.convolution_backward_weights_primitive_desc_create(
          made, engine, dnnl_convolution_direct, x, w, bias, y, c->strides, g->dilations, c->low,
          c->high, hint, attributes);
  }
#else
  dnnl_convolution_desc_t d;
  dnnl_status_t status;
  switch (form) {
    case LGC_CONVOLUTION_FORWARD:
      status = dnnl.dilated_convolution_forward_desc_init(
          &d, dnnl_forward_training, dnnl_convolution_direct, x, w, bias, y, c->strides,
          g->dilations, c->low, c->high);
      break;
    case LGC_CONVOLUTION_DATA:
      status = dnnl.dilated_convolution_backward_data_desc_init(
          &d, dnnl_convolution_direct, x, w, y, c->strides, g->dilations, c->low, c->high);
      break;
    default:
      status = dnnl.dilated_convolution_backward_weights_desc_init(
          &d, dnnl_convolution_direct, x, w, bias, y, c->strides, g->dilations, c->low, c->high);
  }
  return status ? status : dnnl.primitive_desc_create(made, &d, attributes, engine, hint);
#endif
}

/* NULL if there is none. */
static dnnl_primitive_desc_t convolution(const lgc_convolution *c) {
  int64_t x[4] = {c->batch, c->inputs, c->extents[0], c->extents[1]};
  int64_t y[4] = {c->batch, c->outputs, c->results[0], c->results[1]};
  int64_t w[5];
  int rank = weight_shape(c, w);
  struct geometry g = {.dilations = {c->dilations[0] - 1, c->dilations[1] - 1}};
  activation(&g.x, x, c->x_arrangement);
  activation(&g.y, y, c->y_arrangement);
  tagged(&g.w, rank, w, dnnl_format_tag_any);
  if (c->bias) row_major(&g.bias, 1, &c->outputs);
  dnnl_primitive_attr_t attributes_ = attributes(c->relu);
  dnnl_primitive_desc_t forward = 0, made = 0;
  dnnl_status_t status = describe(&forward, c, LGC_CONVOLUTION_FORWARD, &g, attributes_, 0);
  if (c->form == LGC_CONVOLUTION_FORWARD) made = forward;
  else if (!status) {
    status = describe(&made, c, c->form, &g, attributes_, forward);
    dnnl.primitive_desc_destroy(forward);
  }
  dnnl.primitive_attr_destroy(attributes_);
  destroy(&g.x), destroy(&g.w), destroy(&g.bias), destroy(&g.y);
  return status ? 0 : made;
}

static const char *implementation(dnnl_primitive_desc_t description) {
  const char *name = "";
  dnnl.primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name);
  return name;
}

const char *lgc_primitive_implementation(const lgc_primitive *p) {
  return implementation(p->description);
}

int32_t lgc_convolution_probe(const lgc_convolution *c) {
  int before = lgc_team_set(c->threads);
  dnnl_primitive_desc_t description = convolution(c);
  lgc_team_set(before);
  if (!description) return LGC_CODE_NONE;
  const char *name = implementation(description);
  int32_t code = strstr(name, "ref") ? LGC_CODE_REFERENCE
                 : strstr(name, "gemm") ? LGC_CODE_PRODUCT : LGC_CODE_OWN;
  dnnl.primitive_desc_destroy(description);
  return code;
}

lgc_primitive *lgc_convolution_create(const lgc_convolution *c) {
  /* Code and scratch memory are made for the number of threads that is set now. */
  int before = lgc_team_set(c->threads);
  dnnl_primitive_desc_t description = convolution(c);
  lgc_primitive *p = description ? primitive(description, c->threads) : 0;
  lgc_team_set(before);
  if (!p) return 0;
  p->weight_rank = weight_shape(c, p->weight_extents);
  int data = c->form == LGC_CONVOLUTION_DATA, weights = c->form == LGC_CONVOLUTION_WEIGHTS;
  role(p, X, data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC,
       data ? dnnl_query_diff_src_md : dnnl_query_src_md, 0);
  role(p, W, weights ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS,
       weights ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
  role(p, Y, data || weights ? DNNL_ARG_DIFF_DST : DNNL_ARG_DST,
       data || weights ? dnnl_query_diff_dst_md : dnnl_query_dst_md, 0);
  if (c->bias)
    role(p, BIAS, weights ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS,
         weights ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 1);
  return p;
}

int64_t lgc_convolution_weight_bytes(const lgc_primitive *p) { return bytes(p->memories[W]); }

int lgc_convolution_plain_weights(const lgc_primitive *p) {
  descriptor plain;
  row_major(&plain, p->weight_rank, p->weight_extents);
  int equal = plain.known && dnnl.memory_desc_equal(REFERENCE(&plain), p->memories[W]);
  destroy(&plain);
  return equal;
}

int lgc_convolution_equal_weights(const lgc_primitive *a, const lgc_primitive *b) {
  return dnnl.memory_desc_equal(a->memories[W], b->memories[W]);
}

lgc_primitive *lgc_packing_create(const lgc_primitive *c, int back, int threads) {
  descriptor plain;
  row_major(&plain, c->weight_rank, c->weight_extents);
  if (!plain.known) return 0;
  reference own = c->memories[W], from = back ? own : REFERENCE(&plain);
  reference to = back ? REFERENCE(&plain) : own;
  dnnl_primitive_attr_t attributes_ = attributes(0);
  dnnl_primitive_desc_t made = 0;
  int before = lgc_team_set(threads);
  dnnl_status_t status =
      dnnl.reorder_primitive_desc_create(&made, from, engine, to, engine, attributes_);
  lgc_primitive *p = status ? 0 : primitive(made, threads);
  lgc_team_set(before);
  dnnl.primitive_attr_destroy(attributes_);
  destroy(&plain);
  if (!p) return 0;
  role(p, X, DNNL_ARG_FROM, dnnl_query_src_md, 0);
  role(p, Y, DNNL_ARG_TO, dnnl_query_dst_md, 0);
  return p;
}

/* MARK: calls */

struct lgc_call {
  dnnl_primitive_t primitive;
  dnnl_stream_t stream;
  int threads, count;
  dnnl_exec_arg_t arguments[ROLES + 1];
};

static int bind(lgc_call *call, int argument, reference memory, void *address) {
  dnnl_exec_arg_t *next = &call->arguments[call->count];
  next->arg = argument;
  if (dnnl.memory_create(&next->memory, memory, engine, address)) return 0;
  call->count++;
  return 1;
}

lgc_call *lgc_call_create(
    const lgc_primitive *p, float *x, float *w, float *bias, float *y, void *scratch) {
  lgc_call *call = calloc(1, sizeof *call);
  if (!call) return 0;
  call->primitive = p->primitive;
  call->threads = p->threads;
  float *addresses[ROLES] = {[X] = x, [W] = w, [BIAS] = bias, [Y] = y};
  int bound = !dnnl.stream_create(&call->stream, engine, dnnl_stream_default_flags);
  for (int i = 0; i < ROLES && bound; i++)
    if (p->arguments[i]) bound = bind(call, p->arguments[i], p->memories[i], addresses[i]);
  if (bound && scratch) bound = bind(call, DNNL_ARG_SCRATCHPAD, scratch_memory(p), scratch);
  if (bound) return call;
  lgc_call_free(call);
  return 0;
}

void lgc_call_free(lgc_call *call) {
  for (int i = 0; i < call->count; i++) dnnl.memory_destroy(call->arguments[i].memory);
  if (call->stream) dnnl.stream_destroy(call->stream);
  free(call);
}

int lgc_call_run(const lgc_call *call) {
  int before = lgc_team_set(call->threads);
  int status =
      dnnl.primitive_execute(call->primitive, call->stream, call->count, call->arguments);
  lgc_team_set(before);
  return status;
}
