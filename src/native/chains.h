/* One step of the block elimination over nested levels: the effects of each cluster of the lowest level that is
 * left are eliminated from the negative Hessian of the posterior.
 */
#ifndef MEMAGIC_CHAINS_H
#define MEMAGIC_CHAINS_H

#include <stddef.h>

#include "elementary.h"

/* Least eigenvalue of a pivot, whose share from the prior is one, that counts as definite. */
#define DEFINITE 1e-3

/* M clusters of q effects, whose chains have Q. */
typedef struct {
    ptrdiff_t M, q, Q;
    const double *curvature;   /* (M, Q, Q), without the prior's identity */
    const double *lift;        /* added to the pivots' diagonals (M), or NULL */
    double *inverse;           /* of the pivots (M, q, q) */
    double *slope;             /* inverse times what is left of the pivot (M, q, Q - q) */
    double *up;                /* what is left for the level above (M, Q - q, Q - q) */
    double *log_det;           /* of the pivots without the lift (M); NaN where they are not positive definite */
    double *workspace;         /* 2 q q */
} ChainStep;

/* The lower Cholesky factor of a - shift I; 0 where that is not positive definite. */
INLINE int shifted_root(const double *restrict a, ptrdiff_t stride, double shift, ptrdiff_t q, double *restrict root) {
    for (ptrdiff_t i = 0; i < q; i++) {
        for (ptrdiff_t j = 0; j <= i; j++) {
            double total = a[i * stride + j] - (i == j ? shift : 0.0);
            for (ptrdiff_t k = 0; k < j; k++) total -= root[i * q + k] * root[j * q + k];
            if (i == j && !(total > 0.0)) return 0;
            root[i * q + j] = i == j ? sqrt(total) : total / root[j * q + j];
        }
    }
    return 1;
}

/* (L L')^-1 of a lower factor, by its inverse. */
INLINE void inverse_of_root(const double *restrict root, ptrdiff_t q, double *restrict half, double *restrict inverse) {
    for (ptrdiff_t j = 0; j < q; j++) {
        for (ptrdiff_t i = 0; i < q; i++) half[i * q + j] = 0.0;
        half[j * q + j] = 1.0 / root[j * q + j];
        for (ptrdiff_t i = j + 1; i < q; i++) {
            double total = 0.0;
            for (ptrdiff_t k = j; k < i; k++) total += root[i * q + k] * half[k * q + j];
            half[i * q + j] = -total / root[i * q + i];
        }
    }
    for (ptrdiff_t i = 0; i < q; i++) {
        for (ptrdiff_t j = 0; j <= i; j++) {
            double total = 0.0;
            for (ptrdiff_t k = i; k < q; k++) total += half[k * q + i] * half[k * q + j];
            inverse[i * q + j] = inverse[j * q + i] = total;
        }
    }
}

/* How many pivots are not definite enough; what depends on their inverses is NaN. */
VECTORIZED static ptrdiff_t eliminate_level(const ChainStep *a) {
    ptrdiff_t q = a->q, Q = a->Q, above = Q - q, bad = 0;
    double *restrict root = a->workspace, *restrict half = a->workspace + q * q;
    for (ptrdiff_t j = 0; j < a->M; j++) {
        const double *restrict curvature = a->curvature + j * Q * Q, *restrict pivot = curvature + above * (Q + 1);
        double *restrict inverse = a->inverse + j * q * q, *restrict slope = a->slope + j * q * above;
        double lift = a->lift ? a->lift[j] : 0.0, log_det = NAN;
        if (shifted_root(pivot, Q, -1.0, q, root)) {
            log_det = 0.0;
            for (ptrdiff_t c = 0; c < q; c++) log_det += 2.0 * log(root[c * q + c]);
        }
        a->log_det[j] = log_det;
        if (!shifted_root(pivot, Q, DEFINITE - 1.0 - lift, q, root) || !shifted_root(pivot, Q, -1.0 - lift, q, root)) {
            bad++;
            for (ptrdiff_t c = 0; c < q * q; c++) inverse[c] = NAN;
            for (ptrdiff_t c = 0; c < q * above; c++) slope[c] = NAN;
            for (ptrdiff_t c = 0; c < above * above; c++) a->up[j * above * above + c] = NAN;
            continue;
        }
        inverse_of_root(root, q, half, inverse);
        for (ptrdiff_t c = 0; c < q; c++) {
            for (ptrdiff_t u = 0; u < above; u++) {
                double total = 0.0;
                for (ptrdiff_t d = 0; d < q; d++) total += inverse[c * q + d] * curvature[(above + d) * Q + u];
                slope[c * above + u] = total;
            }
        }
        for (ptrdiff_t u = 0; u < above; u++) {
            for (ptrdiff_t v = 0; v < above; v++) {
                double total = curvature[u * Q + v];
                for (ptrdiff_t d = 0; d < q; d++) total -= curvature[u * Q + above + d] * slope[d * above + v];
                a->up[(j * above + u) * above + v] = total;
            }
        }
    }
    return bad;
}

#endif
