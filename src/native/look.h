/* One look at the quadrature nodes of a block: log densities at every row and node, summed within the
 * lowest-level clusters, and with derivatives the sums that the scores and the Hessian are made of.
 */
#ifndef MEMAGIC_LOOK_H
#define MEMAGIC_LOOK_H

#include "blocks.h"
#include "row_density.h"
#include "sums.h"

/* Factors, each at most 4, whose product is taken before its logarithm: no overflow below 4^511. */
#define MOST_FACTORS 500

/* K nodes, p of d coefficients. Arrays are in C's order. */
typedef struct {
    BlockRows rows;
    RowDensity density;
    ptrdiff_t K, p, d;
    const double *fixed;    /* (n) */
    const double *effects;  /* (M, Q, K) */
    const double *x;        /* (n, p) */
    const double *weight;   /* (n), or NULL */
    double *logf;           /* (M, K), zero at first */
    double *scores;         /* (M, d, K), zero at first, of which p are filled; NULL without derivatives */
    double *z_first;        /* (M, Q, K), zero at first */
    double *second;         /* (n, K) */
} LookArguments;

/* What is kept for one chunk of rows times nodes. */
typedef struct {
    double eta[CHUNK], logf[CHUNK], factor[CHUNK], first[CHUNK], second[CHUNK];
    double columns[MOST_COLUMNS * CHUNK];
    double at_cell[CHUNK], product[CHUNK];
} Workspace;

INLINE void flush(double *restrict product, double *restrict logf, ptrdiff_t k) {
    for (ptrdiff_t i = 0; i < k; i++) {
        logf[i] -= log_(product[i]);
        product[i] = 1.0;
    }
}

/* Rows `begin` to `end` at the nodes `low` to `low + k`. */
INLINE void fill(const LookArguments *a, Workspace *w, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t low,
                 const ptrdiff_t k) {
    ptrdiff_t cell = -1;
    double *restrict at_cell = w->at_cell;
    for (ptrdiff_t i = begin; i < end; i++) {
        double *restrict eta = w->eta + (i - begin) * k;
        if (a->rows.cell_of_row[i] != cell) {
            cell = a->rows.cell_of_row[i];
            const double *restrict z = a->rows.z + cell * a->rows.Q;
            const double *restrict u = a->effects + a->rows.cluster_of_row[i] * a->rows.Q * a->K + low;
            for (ptrdiff_t j = 0; j < k; j++) at_cell[j] = z[0] * u[j];
            for (ptrdiff_t q = 1; q < a->rows.Q; q++) add_times(k, at_cell, z[q], u + q * a->K);
        }
        double fixed = a->fixed[i];
        for (ptrdiff_t j = 0; j < k; j++) eta[j] = fixed + at_cell[j];
        for (int c = 0; c < a->density.kind->columns; c++) {
            double value = a->density.columns[c * a->rows.n + i];
            double *restrict column = w->columns + c * CHUNK + (i - begin) * k;
            for (ptrdiff_t j = 0; j < k; j++) column[j] = value;
        }
    }
}

/* Columns of `by_row` (times those of its cell, where given) times first, summed over `rows` rows of one
 * cluster: the sums of one column stay in registers where k is known. */
INLINE void add_products(double *restrict to, ptrdiff_t stride, const double *restrict by_row, ptrdiff_t columns,
                         const ptrdiff_t *restrict row_of, const double *restrict first, ptrdiff_t rows,
                         const ptrdiff_t k) {
    for (ptrdiff_t c = 0; c < columns; c++) {
        double total[CHUNK];
        for (ptrdiff_t j = 0; j < k; j++) total[j] = 0.0;
        for (ptrdiff_t i = 0; i < rows; i++)
            add_times(k, total, by_row[(row_of ? row_of[i] : i) * columns + c], first + i * k);
        for (ptrdiff_t j = 0; j < k; j++) to[c * stride + j] += total[j];
    }
}

INLINE void sum_derivatives(const LookArguments *a, Workspace *w, ptrdiff_t begin, ptrdiff_t end,
                            ptrdiff_t low, const ptrdiff_t k) {
    if (a->weight) {
        for (ptrdiff_t i = begin; i < end; i++) {
            double *restrict first = w->first + (i - begin) * k, *restrict second = w->second + (i - begin) * k;
            for (ptrdiff_t j = 0; j < k; j++) first[j] *= a->weight[i];
            for (ptrdiff_t j = 0; j < k; j++) second[j] *= a->weight[i];
        }
    }
    for (ptrdiff_t i = begin; i < end; i++)
        memcpy(a->second + i * a->K + low, w->second + (i - begin) * k, k * sizeof(double));
    for (ptrdiff_t i = begin, next; i < end; i = next) {
        ptrdiff_t cluster = a->rows.cluster_of_row[i];
        for (next = i + 1; next < end && a->rows.cluster_of_row[next] == cluster; next++) {}
        const double *restrict first = w->first + (i - begin) * k;
        add_products(a->scores + cluster * a->d * a->K + low, a->K, a->x + i * a->p, a->p, NULL, first, next - i, k);
        add_products(a->z_first + cluster * a->rows.Q * a->K + low, a->K, a->rows.z, a->rows.Q, a->rows.cell_of_row + i, first,
                     next - i, k);
    }
}

INLINE void sum_logs(const LookArguments *a, Workspace *w, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t low,
                     const ptrdiff_t k, int factored, ptrdiff_t *cluster, ptrdiff_t *factors) {
    for (ptrdiff_t i = begin; i < end; i++) {
        const double *restrict logf = w->logf + (i - begin) * k;
        if (!factored) {
            add_times(k, a->logf + a->rows.cluster_of_row[i] * a->K + low, a->weight ? a->weight[i] : 1.0, logf);
            continue;
        }
        if (a->rows.cluster_of_row[i] != *cluster || *factors == MOST_FACTORS) {
            flush(w->product, a->logf + *cluster * a->K + low, k);
            *cluster = a->rows.cluster_of_row[i];
            *factors = 0;
        }
        *factors += 1;
        double *restrict total = a->logf + *cluster * a->K + low, *restrict product = w->product;
        const double *restrict factor = w->factor + (i - begin) * k;
        for (ptrdiff_t j = 0; j < k; j++) {
            total[j] += logf[j];
            product[j] *= factor[j];
        }
    }
}

INLINE void look_at_nodes(const LookArguments *a, ptrdiff_t low, const ptrdiff_t k) {
    Workspace w;
    int factored = a->density.kind->factored && !a->weight;
    ptrdiff_t rows = CHUNK / k, cluster = a->rows.cluster_of_row[0], factors = 0;
    for (ptrdiff_t j = 0; j < k; j++) w.product[j] = 1.0;
    Output out = {w.logf, factored ? w.factor : NULL, a->scores ? w.first : NULL, a->scores ? w.second : NULL};
    for (ptrdiff_t begin = 0; begin < a->rows.n; begin += rows) {
        ptrdiff_t end = begin + rows < a->rows.n ? begin + rows : a->rows.n;
        fill(a, &w, begin, end, low, k);
        a->density.kind->density((end - begin) * k, w.eta, w.columns, a->density.parameters, out);
        sum_logs(a, &w, begin, end, low, k, factored, &cluster, &factors);
        if (a->scores) sum_derivatives(a, &w, begin, end, low, k);
    }
    if (factored) flush(w.product, a->logf + cluster * a->K + low, k);
}

VECTORIZED static void look(const LookArguments *a) {
    if (a->rows.n == 0) return;
    for (ptrdiff_t low = 0; low < a->K; low += CHUNK) {
        ptrdiff_t k = a->K - low < CHUNK ? a->K - low : CHUNK;
        /* Loops of known length for the default number of points, and for one. */
        if (k == 7)
            look_at_nodes(a, low, 7);
        else if (k == 1)
            look_at_nodes(a, low, 1);
        else
            look_at_nodes(a, low, k);
    }
}

/* X' s within clusters, out (M, p), zero at first. */
VECTORIZED static void products_by_cluster(ptrdiff_t n, ptrdiff_t p, const double *restrict x,
                                           const ptrdiff_t *restrict cluster_of_row,
                                           const double *restrict values, double *restrict out) {
    for (ptrdiff_t i = 0; i < n; i++) add_times(p, out + cluster_of_row[i] * p, values[i], x + i * p);
}

#endif
