/* The posterior of all effects at one place v, h = log f(y | v) - v'v/2: its value and slope, and the rows'
 * linear predictors and derivatives in them. Rows and effects as in loadings.h.
 */
#ifndef MEMAGIC_POSTERIOR_H
#define MEMAGIC_POSTERIOR_H

#include "row_density.h"
#include "loadings.h"
#include "sums.h"

/* n rows with Q effects each of all N. Arrays are in C's order. */
typedef struct {
    ptrdiff_t n, Q, N;
    RowDensity density;
    const ptrdiff_t *index;   /* (n, Q) */
    const double *loadings;   /* (n, Q) */
    const double *fixed;      /* (n) */
    const double *v;          /* (N) */
    double *eta;              /* (n) */
    double *first;            /* (n) */
    double *second;           /* (n) */
    double *slope;            /* (N), zero at first */
} PosteriorArguments;

/* The value h; everything else is written to its place. */
VECTORIZED static double posterior(const PosteriorArguments *a) {
    double logf[CHUNK], sum = 0.0, lost = 0.0;
    for (ptrdiff_t begin = 0; begin < a->n; begin += CHUNK) {
        const ptrdiff_t m = a->n - begin < CHUNK ? a->n - begin : CHUNK, at = begin * a->Q;
        along(m, a->Q, a->index + at, a->loadings + at, a->v, a->fixed + begin, a->eta + begin);
        Output out = {logf, NULL, a->first + begin, a->second + begin};
        density_of_rows(&a->density, begin, m, a->eta + begin, out);
        sums(m, a->Q, a->index + at, a->loadings + at, a->first + begin, a->slope);
        /* What rounding loses of a chunk goes with the next one, so that many do not lose more than few. */
        const double part = sum_of(m, logf) - lost, more = sum + part;
        lost = isfinite(more) ? (more - sum) - part : 0.0;
        sum = more;
    }
    for (ptrdiff_t c = 0; c < a->N; c++) a->slope[c] -= a->v[c];
    return sum - 0.5 * dot_of(a->N, a->v, a->v);
}

#endif
