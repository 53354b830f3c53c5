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
static inline void keep_denormals(void) { _mm_setcsr(_mm_getcsr() & ~0x8040u); }
static inline void restore(uint32_t control) { _mm_setcsr(control); }
#else
static inline uint32_t flush_denormals(void) { return 0; }
static inline void keep_denormals(void) {}
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
static cpu_set_t allowed;
static int whole_machine; /* the process may use every CPU: only then is pinning polite */
static int first_cpu;
static _Atomic int workers_pinned;

/* How long an idle worker spins before it sleeps. The gaps inside a step are a few microseconds,
 * which this covers. libgomp's default, milliseconds, is fine on an idle machine, but on a shared
 * one the spinning worker uses up the time slice that the other thread of the step needs.
 * The variable is read when libgomp is loaded, so it is set before; the user's own choice wins. */
#define SPIN_COUNT "2000"

static void load(void) {
  if (!getenv("OMP_WAIT_POLICY")) setenv("GOMP_SPINCOUNT", SPIN_COUNT, 0);
  failure = lgc_open_dnnl();
  if (sched_getaffinity(getpid(), sizeof allowed, &allowed) == 0)
    whole_machine = CPU_COUNT(&allowed) == sysconf(_SC_NPROCESSORS_ONLN);
  while (first_cpu < CPU_SETSIZE - 1 && !CPU_ISSET(first_cpu, &allowed)) first_cpu++;
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

/* A worker stays on the CPU of its number. A free worker is woken on the CPU of the thread that
 * wakes it, and then each waits for the other's time slice: beside ten compiler processes on two
 * CPUs, a step of 1.3 ms took 8 to 11 ms with free workers and mostly 1.3, at worst 5, with pinned
 * ones; without the short spin above, up to 230 ms with free and 25 ms with pinned ones. */
static void pin_worker(int number, int count) {
  static _Thread_local int done;
  if (done || number == 0) return;
  done = 1;
  if (!whole_machine || count != CPU_COUNT(&allowed)) return;
  for (int cpu = 0, seen = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &allowed) || seen++ != number) continue;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    if (pthread_setaffinity_np(pthread_self(), sizeof only, &only) == 0) workers_pinned = 1;
    return;
  }
}

/* The calling thread leaves a worker's CPU for the first, which no worker has, but keeps its own
 * mask: threads that it starts later would inherit a narrower one. */
static void leave_workers(void) {
  if (!workers_pinned || sched_getcpu() == first_cpu) return;
  cpu_set_t own, only;
  CPU_ZERO(&only);
  CPU_SET(first_cpu, &only);
  if (pthread_getaffinity_np(pthread_self(), sizeof own, &own)) return;
  if (!CPU_ISSET(first_cpu, &own)) return;
  pthread_setaffinity_np(pthread_self(), sizeof only, &only);
  pthread_setaffinity_np(pthread_self(), sizeof own, &own);
}

struct call { lgc_body body; const void *work; };

static void enter(void *context) {
  const struct call *call = context;
  int number = thread_number(), count = thread_count();
  pin_worker(number, count);
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

int lgc_team_set(int threads) {
  if (!gomp_parallel) return 1;
  int before = max_threads();
  if (before != threads) set_threads(threads);
  return before;
}

static void flush_worker(void *context) {
  int number = thread_number();
  if (number == 0) return;
  pin_worker(number, thread_count());
  if (*(const int *)context) flush_denormals();
  else keep_denormals();
}

void lgc_workers_flush(int threads, int flush) {
  if (threads > 1 && gomp_parallel) gomp_parallel(flush_worker, &flush, (unsigned)threads, 0);
}

lgc_caller_mode lgc_caller_enter(void) {
  leave_workers();
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
