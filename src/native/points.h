/* The posterior of a block at one value of each cluster's random effects: log densities with derivatives by row,
 * and their sums by lowest-level cluster.
 */
#ifndef MEMAGIC_POINTS_H
#define MEMAGIC_POINTS_H

#include "densities.h"
#include "sums.h"

/* n rows of M lowest-level clusters, Q effects; rows are in the order of their clusters and of their cells. */
typedef struct {
    ptrdiff_t n, Q;
    const Kind *kind;
    const double *parameters;
    const double *columns;            /* (kind->columns, n) */
    const double *fixed;              /* (n) */
    const double *effects;            /* (M, Q) */
    const double *z;                  /* (cells, Q) */
    const ptrdiff_t *cell_of_row;     /* (n) */
    const ptrdiff_t *cluster_of_row;  /* (n) */
    const double *weight;             /* (n), or NULL */
    double *logf;                     /* (M), zero at first */
    double *z_first;                  /* (M, Q), zero at first */
    double *eta, *first, *second;     /* (n) */
} PointArguments;

/* The end of the rows from i on that lie in its cell, before `end`. */
INLINE ptrdiff_t end_of_cell(const ptrdiff_t *restrict cell_of_row, ptrdiff_t i, ptrdiff_t end) {
    ptrdiff_t cell = cell_of_row[i];
    while (i < end && cell_of_row[i] == cell) i++;
    return i;
}

INLINE void fill_eta(const PointArguments *a, ptrdiff_t begin, ptrdiff_t end) {
    for (ptrdiff_t i = begin, next; i < end; i = next) {
        next = end_of_cell(a->cell_of_row, i, end);
        const double *restrict z = a->z + a->cell_of_row[i] * a->Q;
        const double *restrict u = a->effects + a->cluster_of_row[i] * a->Q;
        double at_cell = 0.0;
        for (ptrdiff_t q = 0; q < a->Q; q++) at_cell += z[q] * u[q];
        for (ptrdiff_t j = i; j < next; j++) a->eta[j] = a->fixed[j] + at_cell;
    }
}

VECTORIZED static void point(const PointArguments *a) {
    double logf[CHUNK], columns[MOST_COLUMNS * CHUNK];
    for (ptrdiff_t begin = 0; begin < a->n; begin += CHUNK) {
        ptrdiff_t end = begin + CHUNK < a->n ? begin + CHUNK : a->n, size = end - begin;
        double *restrict first = a->first + begin, *restrict second = a->second + begin;
        fill_eta(a, begin, end);
        for (int c = 0; c < a->kind->columns; c++)
            memcpy(columns + c * CHUNK, a->columns + c * a->n + begin, (size_t)size * sizeof(double));
        Output out = {logf, NULL, first, second};
        a->kind->density(size, a->eta + begin, columns, a->parameters, out);
        for (ptrdiff_t i = 0; a->weight && i < size; i++) {
            logf[i] *= a->weight[begin + i];
            first[i] *= a->weight[begin + i];
            second[i] *= a->weight[begin + i];
        }
        for (ptrdiff_t i = begin, next; i < end; i = next) {
            next = end_of_cell(a->cell_of_row, i, end);
            const double *restrict z = a->z + a->cell_of_row[i] * a->Q;
            double *restrict z_first = a->z_first + a->cluster_of_row[i] * a->Q;
            double slope = sum_of(next - i, first + (i - begin));
            a->logf[a->cluster_of_row[i]] += sum_of(next - i, logf + (i - begin));
            for (ptrdiff_t q = 0; q < a->Q; q++) z_first[q] += z[q] * slope;
        }
    }
}

/* Z'WZ within lowest-level clusters, out (M, Q, Q), zero at first, of row weights (n). */
VECTORIZED static void z_products(ptrdiff_t n, ptrdiff_t Q, const double *restrict weights,
                                  const double *restrict z, const ptrdiff_t *restrict cell_of_row,
                                  const ptrdiff_t *restrict cluster_of_row, double *restrict out) {
    for (ptrdiff_t i = 0, next; i < n; i = next) {
        next = end_of_cell(cell_of_row, i, n);
        const double *restrict own = z + cell_of_row[i] * Q;
        double *restrict to = out + cluster_of_row[i] * Q * Q;
        double total = sum_of(next - i, weights + i);
        for (ptrdiff_t q = 0; q < Q; q++)
            for (ptrdiff_t r = 0; r < Q; r++) to[q * Q + r] += own[q] * total * own[r];
    }
}

#endif
