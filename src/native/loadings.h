/* Rows of data and their random effects: the linear predictor A v, sums A'r, and A'WA in the places of a
 * system. A has Q elements a row that are not zero, its loadings; `index` says which columns they are in.
 */
#ifndef MEMAGIC_LOADINGS_H
#define MEMAGIC_LOADINGS_H

#include "sums.h"

/* Base + A v. */
INLINE void along_rows(ptrdiff_t n, const ptrdiff_t Q, const ptrdiff_t *restrict index, const double *restrict loadings,
                       const double *restrict values, const double *restrict base, double *restrict out) {
    for (ptrdiff_t i = 0; i < n; i++) {
        double sum = base[i];
        for (ptrdiff_t k = i * Q; k < (i + 1) * Q; k++) sum += loadings[k] * values[index[k]];
        out[i] = sum;
    }
}

VECTORIZED static void along(ptrdiff_t n, ptrdiff_t Q, const ptrdiff_t *restrict index, const double *restrict loadings,
                             const double *restrict values, const double *restrict base, double *restrict out) {
    /* A loop of known length for two factors. */
    if (Q == 2) along_rows(n, 2, index, loadings, values, base, out);
    else along_rows(n, Q, index, loadings, values, base, out);
}

/* A'r. */
INLINE void sums_of_rows(ptrdiff_t n, const ptrdiff_t Q, const ptrdiff_t *restrict index,
                         const double *restrict loadings, const double *restrict row, double *restrict out) {
    for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t k = i * Q; k < (i + 1) * Q; k++) out[index[k]] += loadings[k] * row[i];
}

VECTORIZED static void sums(ptrdiff_t n, ptrdiff_t Q, const ptrdiff_t *restrict index, const double *restrict loadings,
                            const double *restrict row, double *restrict out) {
    if (Q == 2) sums_of_rows(n, 2, index, loadings, row, out);
    else sums_of_rows(n, Q, index, loadings, row, out);
}

/* A'WA; `places` has those of a row's pairs of columns, (0, 0), (1, 0), (1, 1), (2, 0) and so on. */
INLINE void curvature_of(ptrdiff_t n, const ptrdiff_t Q, const ptrdiff_t *restrict places,
                         const double *restrict loadings, const double *restrict weight, double *restrict out) {
    for (ptrdiff_t i = 0; i < n; i++) {
        const double *restrict own = loadings + i * Q;
        for (ptrdiff_t k = 0; k < Q; k++) {
            const double weighted = weight[i] * own[k];
            for (ptrdiff_t l = 0; l <= k; l++) out[*places++] += weighted * own[l];
        }
    }
}

VECTORIZED static void curvature(ptrdiff_t n, ptrdiff_t Q, const ptrdiff_t *restrict places,
                                 const double *restrict loadings, const double *restrict weight, double *restrict out) {
    if (Q == 2) curvature_of(n, 2, places, loadings, weight, out);
    else curvature_of(n, Q, places, loadings, weight, out);
}

/* Of an inverse in the same places, G: the elements of G a for each row a of A in the columns of its own,
 * shape (n, Q), and h = a'G a. With log f's third derivatives, c = h third / 2 and A'c. */
INLINE void spread_of(ptrdiff_t n, const ptrdiff_t Q, const ptrdiff_t *restrict places, const ptrdiff_t *restrict index,
                      const double *restrict loadings, const double *restrict inverse, const double *restrict third,
                      double *restrict by_effect, double *restrict h, double *restrict c, double *restrict out) {
    for (ptrdiff_t i = 0; i < n; i++) {
        const double *restrict own = loadings + i * Q;
        double *restrict to = by_effect + i * Q;
        double total = 0.0;
        for (ptrdiff_t k = 0; k < Q; k++) {
            double sum = 0.0;
            for (ptrdiff_t l = 0; l < k; l++) {
                const double value = inverse[*places++];
                sum += value * own[l];
                to[l] += value * own[k];
            }
            to[k] = sum + inverse[*places++] * own[k];
        }
        for (ptrdiff_t k = 0; k < Q; k++) total += own[k] * to[k];
        h[i] = total;
        const double half = 0.5 * total * third[i];
        c[i] = half;
        for (ptrdiff_t k = 0; k < Q; k++) out[index[i * Q + k]] += own[k] * half;
    }
}

VECTORIZED static void spread(ptrdiff_t n, ptrdiff_t Q, const ptrdiff_t *restrict places,
                              const ptrdiff_t *restrict index, const double *restrict loadings,
                              const double *restrict inverse, const double *restrict third, double *restrict by_effect,
                              double *restrict h, double *restrict c, double *restrict out) {
    if (Q == 2) spread_of(n, 2, places, index, loadings, inverse, third, by_effect, h, c, out);
    else spread_of(n, Q, places, index, loadings, inverse, third, by_effect, h, c, out);
}

/* What the mode's shift u does: e = A u to a row's linear predictor, and score = first + c + second e to its
 * score. Derivatives of its part of the log likelihood in its effects' loadings, shape (n, Q): of the mode's
 * place by v, of the mode itself by u, and of log|H| by G a, which is overwritten. */
INLINE void by_loading_of(ptrdiff_t n, const ptrdiff_t Q, const ptrdiff_t *restrict index,
                          const double *restrict loadings, const double *restrict v, const double *restrict u,
                          const double *restrict first, const double *restrict second, const double *restrict c,
                          double *restrict by_effect, double *restrict e, double *restrict score) {
    for (ptrdiff_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (ptrdiff_t k = i * Q; k < (i + 1) * Q; k++) sum += loadings[k] * u[index[k]];
        e[i] = sum;
        const double own = first[i] + c[i] + second[i] * sum;
        score[i] = own;
        for (ptrdiff_t k = i * Q; k < (i + 1) * Q; k++)
            by_effect[k] = own * v[index[k]] + first[i] * u[index[k]] + second[i] * by_effect[k];
    }
}

VECTORIZED static void by_loading(ptrdiff_t n, ptrdiff_t Q, const ptrdiff_t *restrict index,
                                  const double *restrict loadings, const double *restrict v, const double *restrict u,
                                  const double *restrict first, const double *restrict second,
                                  const double *restrict c, double *restrict by_effect, double *restrict e,
                                  double *restrict score) {
    if (Q == 2) by_loading_of(n, 2, index, loadings, v, u, first, second, c, by_effect, e, score);
    else by_loading_of(n, Q, index, loadings, v, u, first, second, c, by_effect, e, score);
}

VECTORIZED static double dot(ptrdiff_t n, const double *restrict left, const double *restrict right) {
    return dot_of(n, left, right);
}

/* Add B v of the second groups to the first ones', and B'u of the first to the second ones', B a block of
 * (q, r) for each of the linked pairs; k columns. */
VECTORIZED static void coupled(ptrdiff_t n_links, ptrdiff_t q, ptrdiff_t r, ptrdiff_t k,
                               const ptrdiff_t *restrict first, const ptrdiff_t *restrict second,
                               const double *restrict blocks, const double *restrict left,
                               const double *restrict right, double *restrict left_out, double *restrict right_out) {
    for (ptrdiff_t e = 0; e < n_links; e++) {
        for (ptrdiff_t a = 0; a < q; a++) {
            const ptrdiff_t one = (first[e] * q + a) * k;
            for (ptrdiff_t b = 0; b < r; b++) {
                const ptrdiff_t other = (second[e] * r + b) * k;
                const double value = blocks[(e * q + a) * r + b];
                for (ptrdiff_t s = 0; s < k; s++) {
                    left_out[one + s] += value * right[other + s];
                    right_out[other + s] += value * left[one + s];
                }
            }
        }
    }
}

#endif
