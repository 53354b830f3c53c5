#define _GNU_SOURCE
#include "include/team.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "libraries.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
/* FTZ | DAZ. Gradients underflow near convergence, and a denormal costs a hundred cycles. */
static inline uint32_t flush_denormals(void) {
  uint32_t old = _mm_getcsr();
  _mm_setcsr(old | 0x8040);
  return old;
}
static inline void restore(uint32_t control) { _mm_setcsr(control); }
#else
static inline uint32_t flush_denormals(void) { return 0; }
static inline void restore(uint32_t control) { (void)control; }
#endif

/* libgomp's stable entry points. The compiler's own -fopenmp would bring in a second runtime. */
static void (*gomp_parallel)(void (*)(void *), void *, unsigned, unsigned);
static int (*thread_number)(void);
static int (*thread_count)(void);
static int (*max_threads)(void);
static void (*set_threads)(int);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *failure;

/* How long an idle worker spins before it sleeps. libgomp's default, milliseconds, is fine on an
 * idle machine and ruinous on a shared one: the spinning worker uses up the time slice that the
 * other thread of the step needs (measured beside two compilers: 90 ms a step instead of 2). The
 * gaps inside a step are a few microseconds, which this still covers. Workers are not pinned for
 * the same reason: a worker must be able to leave a CPU that something else wants.
 * The variable is read when libgomp is loaded, so it is set before; the user's own choice wins. */
#define SPIN_COUNT "2000"

static void load(void) {
  if (!getenv("OMP_WAIT_POLICY")) setenv("GOMP_SPINCOUNT", SPIN_COUNT, 0);
  failure = lgc_open_dnnl();
  void *gomp = dlopen("libgomp.so.1", RTLD_LAZY | RTLD_GLOBAL);
  if (!gomp) return; /* one thread then */
  thread_number = (int (*)(void))dlsym(gomp, "omp_get_thread_num");
  thread_count = (int (*)(void))dlsym(gomp, "omp_get_num_threads");
  max_threads = (int (*)(void))dlsym(gomp, "omp_get_max_threads");
  set_threads = (void (*)(int))dlsym(gomp, "omp_set_num_threads");
  if (thread_number && thread_count && max_threads && set_threads)
    gomp_parallel = (void (*)(void (*)(void *), void *, unsigned, unsigned))dlsym(
        gomp, "GOMP_parallel");
}

const char *lgc_runtime_load(void) {
  pthread_once(&once, load);
  return failure;
}

int lgc_available_threads(void) {
  cpu_set_t set;
  if (sched_getaffinity(getpid(), sizeof set, &set)) return 1;
  int count = CPU_COUNT(&set);
  return count < LGC_MAX_THREADS ? count : LGC_MAX_THREADS;
}

int64_t lgc_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

struct call { lgc_body body; const void *work; };

static void enter(void *context) {
  const struct call *call = context;
  int number = thread_number(), count = thread_count();
  uint32_t control = flush_denormals();
  call->body(call->work, number, count);
  restore(control);
}

void lgc_team_run(lgc_body body, const void *work, int threads) {
  if (threads <= 1 || !gomp_parallel) {
    body(work, 0, 1);
    return;
  }
  struct call call = {body, work};
  gomp_parallel(enter, &call, (unsigned)threads, 0);
}

lgc_caller_mode lgc_caller_enter(void) {
  lgc_caller_mode mode = {flush_denormals(), 0};
  if (gomp_parallel) {
    mode.threads = max_threads();
    set_threads(1);
  }
  return mode;
}

void lgc_caller_leave(lgc_caller_mode mode) {
  if (gomp_parallel) set_threads(mode.threads);
  restore(mode.control);
}
