#ifndef LGC_EXACT_H
#define LGC_EXACT_H

/* The definiteness of c²I − WᵀW (or c²I − WWᵀ, whichever is smaller), W row-major rows×columns,
 * decided in exact integer arithmetic: 1 positive definite, 0 semidefinite and singular, −1 not
 * semidefinite, −2 memory is short. So σmax(W) < c, = c, > c. */
int exact_definiteness(int rows, int columns, const float *w, double c);

/* The same of t·I − WᵀW: how σmax(W)² stands to t. */
int exact_definiteness_of_square(int rows, int columns, const float *w, double t);

/* The sign of c − Σ |x[i·stride]|, i < count, in exact integer arithmetic. */
int exact_sum_comparison(int count, int stride, const float *x, double c);

/* ‖W·v‖²/‖v‖² in 113-bit floating point, rounded to nearest double with relative error < 2⁻⁵²;
 * with a refined v after `steps` power iterations in float64. For rows ≥ columns or not alike. */
double quadruple_rayleigh(int rows, int columns, const float *w, int steps);

#endif
