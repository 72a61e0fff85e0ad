/* Averages over the quadrature nodes, by the posterior's weights, of what a look has left: second derivatives
 * by row, and scores by cluster.
 */
#ifndef MEMAGIC_AVERAGES_H
#define MEMAGIC_AVERAGES_H

#include "blocks.h"
#include "sums.h"

/* K nodes, p coefficients. Arrays are in C's order. */
typedef struct {
    BlockRows rows;
    ptrdiff_t K, p;
    const double *values;   /* s (n, K) */
    const double *weights;  /* of the nodes (M, K) */
    const double *chains;   /* v (M, Q, K) */
    const double *x;        /* (n, p) */
    double *by_column;      /* s x_c, then s z_c v_e, (n, p + Q Q) */
    double *by_effects;     /* s z_c v_e z_d v_f over all rows (Q, Q, Q, Q), zero at first; or NULL */
    double *workspace;      /* (1 + Q + Q (Q + 1) / 2) (K + 2) */
} AverageArguments;

/* The weights of a cluster's nodes, times each coordinate of these and each product of two, (S, K). */
INLINE void fill_moments(const AverageArguments *a, ptrdiff_t cluster, double *restrict moments, const ptrdiff_t K) {
    const double *restrict weight = a->weights + cluster * K, *restrict chain = a->chains + cluster * a->rows.Q * K;
    double *restrict next = moments + (1 + a->rows.Q) * K;
    for (ptrdiff_t k = 0; k < K; k++) moments[k] = weight[k];
    for (ptrdiff_t e = 0; e < a->rows.Q; e++)
        for (ptrdiff_t k = 0; k < K; k++) moments[(1 + e) * K + k] = weight[k] * chain[e * K + k];
    for (ptrdiff_t e = 0; a->by_effects && e < a->rows.Q; e++)
        for (ptrdiff_t f = e; f < a->rows.Q; f++, next += K)
            for (ptrdiff_t k = 0; k < K; k++) next[k] = moments[(1 + e) * K + k] * chain[f * K + k];
}

/* What a cell's rows add to the products of the effects, given the sums of s v_e v_f, f >= e. */
INLINE void add_products_of_effects(const AverageArguments *a, const double *restrict z, const double *restrict sums) {
    ptrdiff_t Q = a->rows.Q;
    for (ptrdiff_t c = 0; c < Q; c++) {
        for (ptrdiff_t d = 0; d < Q; d++) {
            double zz = z[c] * z[d];
            const double *restrict next = sums;
            for (ptrdiff_t e = 0; e < Q; e++) {
                for (ptrdiff_t f = e; f < Q; f++, next++) {
                    a->by_effects[((c * Q + e) * Q + d) * Q + f] += zz * *next;
                    if (f > e) a->by_effects[((c * Q + f) * Q + d) * Q + e] += zz * *next;
                }
            }
        }
    }
}

INLINE void average_rows_over(const AverageArguments *a, const ptrdiff_t K) {
    ptrdiff_t Q = a->rows.Q, p = a->p, pairs = a->by_effects ? Q * (Q + 1) / 2 : 0, S = 1 + Q + pairs, cluster = -1;
    double *restrict moments = a->workspace, *restrict sums = a->workspace + S * K;
    double *restrict of_cell = a->workspace + S * (K + 1);
    for (ptrdiff_t s = 0; s < pairs; s++) of_cell[s] = 0.0;
    for (ptrdiff_t i = 0; i < a->rows.n; i++) {
        if (a->rows.cluster_of_row[i] != cluster) {
            cluster = a->rows.cluster_of_row[i];
            fill_moments(a, cluster, moments, K);
        }
        for (ptrdiff_t s = 0; s < S; s++) sums[s] = dot_of(K, a->values + i * K, moments + s * K);
        const double *restrict x = a->x + i * p, *restrict z = a->rows.z + a->rows.cell_of_row[i] * Q;
        double *restrict out = a->by_column + i * (p + Q * Q);
        for (ptrdiff_t c = 0; c < p; c++) out[c] = x[c] * sums[0];
        for (ptrdiff_t c = 0; c < Q; c++)
            for (ptrdiff_t e = 0; e < Q; e++) out[p + c * Q + e] = z[c] * sums[1 + e];
        if (!pairs) continue;
        for (ptrdiff_t s = 0; s < pairs; s++) of_cell[s] += sums[1 + Q + s];
        if (i + 1 == a->rows.n || a->rows.cell_of_row[i + 1] != a->rows.cell_of_row[i]) {
            add_products_of_effects(a, z, of_cell);
            for (ptrdiff_t s = 0; s < pairs; s++) of_cell[s] = 0.0;
        }
    }
}

VECTORIZED static void average_rows(const AverageArguments *a) {
    /* Loops of known length for the default number of points. */
    if (a->K == 7)
        average_rows_over(a, 7);
    else
        average_rows_over(a, a->K);
}

/* Sums of w v v' over M clusters and K nodes, out (d, d), of values (M, d, K) and weights (M, K). */
VECTORIZED static void second_moments(ptrdiff_t M, ptrdiff_t d, ptrdiff_t K, const double *restrict values,
                                      const double *restrict weights, double *restrict weighted,
                                      double *restrict out) {
    for (ptrdiff_t a = 0; a < d * d; a++) out[a] = 0.0;
    for (ptrdiff_t j = 0; j < M; j++) {
        const double *restrict own = values + j * d * K, *restrict weight = weights + j * K;
        for (ptrdiff_t a = 0; a < d; a++) {
            for (ptrdiff_t k = 0; k < K; k++) weighted[k] = own[a * K + k] * weight[k];
            for (ptrdiff_t b = 0; b <= a; b++) out[a * d + b] += dot_of(K, weighted, own + b * K);
        }
    }
    for (ptrdiff_t a = 0; a < d; a++)
        for (ptrdiff_t b = 0; b < a; b++) out[b * d + a] = out[a * d + b];
}

/* Averages of values (M, d, K) over the nodes that belong to one of the K_up of the level above, by their
 * conditional weights (M, K), out (M, d, K_up). */
VECTORIZED static void conditional_means(ptrdiff_t M, ptrdiff_t d, ptrdiff_t K, ptrdiff_t K_up,
                                         const double *restrict values, const double *restrict conditional,
                                         double *restrict out) {
    ptrdiff_t ratio = K / K_up;
    for (ptrdiff_t j = 0; j < M; j++)
        for (ptrdiff_t a = 0; a < d; a++)
            for (ptrdiff_t u = 0; u < K_up; u++)
                out[(j * d + a) * K_up + u] =
                    dot_of(ratio, values + (j * d + a) * K + u * ratio, conditional + j * K + u * ratio);
}

#endif
