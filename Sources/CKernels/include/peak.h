#pragma once
#include <stdint.h>

/* What the processor can do on `threads` threads of the team, for the shares of a profile. */

/* float32 operations a second of multiply-adds that stay in registers, an operation each for the
 * multiplication and the addition: the best of many short runs: on a busy machine few are undisturbed. Takes about 0.05 s. */
double lgc_peak_operations(int threads);

/* Bytes a second, read plus written, of a copy of arrays that no cache holds: the best of several
 * passes. 0 if there is no memory for them. Takes about 0.2 s. */
double lgc_peak_bytes(int threads);
