/* The posterior of a block at one value of each cluster's random effects: log densities with derivatives by row,
 * and their sums by lowest-level cluster.
 */
#ifndef MEMAGIC_POINTS_H
#define MEMAGIC_POINTS_H

#include "blocks.h"
#include "row_density.h"
#include "sums.h"

typedef struct {
    BlockRows rows;
    RowDensity density;
    const double *fixed;           /* (n) */
    const double *effects;         /* (M, Q) */
    const double *weight;          /* (n), or NULL */
    double *logf;                  /* (M), zero at first */
    double *z_first;               /* (M, Q), zero at first */
    double *eta, *first, *second;  /* (n) */
} PointArguments;

/* The end of the rows from i on that lie in its cell, before `end`. */
INLINE ptrdiff_t end_of_cell(const ptrdiff_t *restrict cell_of_row, ptrdiff_t i, ptrdiff_t end) {
    ptrdiff_t cell = cell_of_row[i];
    while (i < end && cell_of_row[i] == cell) i++;
    return i;
}

INLINE void fill_eta(const PointArguments *a, ptrdiff_t begin, ptrdiff_t end) {
    for (ptrdiff_t i = begin, next; i < end; i = next) {
        next = end_of_cell(a->rows.cell_of_row, i, end);
        const double *restrict z = a->rows.z + a->rows.cell_of_row[i] * a->rows.Q;
        const double *restrict u = a->effects + a->rows.cluster_of_row[i] * a->rows.Q;
        double at_cell = 0.0;
        for (ptrdiff_t q = 0; q < a->rows.Q; q++) at_cell += z[q] * u[q];
        for (ptrdiff_t j = i; j < next; j++) a->eta[j] = a->fixed[j] + at_cell;
    }
}

VECTORIZED static void point(const PointArguments *a) {
    double logf[CHUNK];
    for (ptrdiff_t begin = 0; begin < a->rows.n; begin += CHUNK) {
        ptrdiff_t end = begin + CHUNK < a->rows.n ? begin + CHUNK : a->rows.n, size = end - begin;
        double *restrict first = a->first + begin, *restrict second = a->second + begin;
        fill_eta(a, begin, end);
        Output out = {logf, NULL, first, second};
        density_of_rows(&a->density, begin, size, a->eta + begin, out);
        for (ptrdiff_t i = 0; a->weight && i < size; i++) {
            logf[i] *= a->weight[begin + i];
            first[i] *= a->weight[begin + i];
            second[i] *= a->weight[begin + i];
        }
        for (ptrdiff_t i = begin, next; i < end; i = next) {
            next = end_of_cell(a->rows.cell_of_row, i, end);
            const double *restrict z = a->rows.z + a->rows.cell_of_row[i] * a->rows.Q;
            double *restrict z_first = a->z_first + a->rows.cluster_of_row[i] * a->rows.Q;
            double slope = sum_of(next - i, first + (i - begin));
            a->logf[a->rows.cluster_of_row[i]] += sum_of(next - i, logf + (i - begin));
            for (ptrdiff_t q = 0; q < a->rows.Q; q++) z_first[q] += z[q] * slope;
        }
    }
}

/* Z'WZ within lowest-level clusters, out (M, Q, Q), zero at first, of row weights (n). */
VECTORIZED static void z_products(const BlockRows *rows, const double *restrict weights, double *restrict out) {
    const ptrdiff_t Q = rows->Q;
    for (ptrdiff_t i = 0, next; i < rows->n; i = next) {
        next = end_of_cell(rows->cell_of_row, i, rows->n);
        const double *restrict own = rows->z + rows->cell_of_row[i] * Q;
        double *restrict to = out + rows->cluster_of_row[i] * Q * Q;
        double total = sum_of(next - i, weights + i);
        for (ptrdiff_t q = 0; q < Q; q++)
            for (ptrdiff_t r = 0; r < Q; r++) to[q * Q + r] += own[q] * total * own[r];
    }
}

#endif
