/* Quadrature nodes of the clusters of one level: where they lie, their weights given the data, and the
 * posterior's moments by them.
 *
 * M clusters of q effects, whose chains have Q; K nodes of a chain, of which the last K / K_up belong to one
 * node of the level above. Arrays are in C's order.
 */
#ifndef MEMAGIC_NODES_H
#define MEMAGIC_NODES_H

#include <stddef.h>

#include "elementary.h"

typedef struct {
    ptrdiff_t M, q, Q, K;
    ptrdiff_t M_up, K_up;        /* of the level above; 0 without one */
    const double *upper;         /* chains of the level above (M_up, Q - q, K_up) */
    const ptrdiff_t *parents;    /* (M) */
    const double *mean;          /* (M, q) */
    const double *root;          /* (M, q, Q), the last q columns lower triangular */
    const double *paths;         /* standard nodes (Q, K) */
    const double *log_lebesgue;  /* (K) */
    double *chains;              /* (M, Q, K) */
    double *log_weights;         /* (M, K), against the prior */
} ChainArguments;

VECTORIZED static void chain_nodes(const ChainArguments *a) {
    ptrdiff_t K = a->K, above = a->Q - a->q;
    for (ptrdiff_t j = 0; j < a->M; j++) {
        double *restrict chain = a->chains + j * a->Q * K, *restrict weight = a->log_weights + j * K;
        for (ptrdiff_t b = 0; b < above; b++) {
            const double *restrict up = a->upper + (a->parents[j] * above + b) * a->K_up;
            ptrdiff_t ratio = K / a->K_up;
            for (ptrdiff_t u = 0; u < a->K_up; u++)
                for (ptrdiff_t k = 0; k < ratio; k++) chain[b * K + u * ratio + k] = up[u];
        }
        double scale = 1.0;
        for (ptrdiff_t k = 0; k < K; k++) weight[k] = a->log_lebesgue[k];
        for (ptrdiff_t c = 0; c < a->q; c++) {
            const double *restrict root = a->root + (j * a->q + c) * a->Q;
            double *restrict own = chain + (above + c) * K;
            double mean = a->mean[j * a->q + c];
            for (ptrdiff_t k = 0; k < K; k++) own[k] = mean;
            for (ptrdiff_t b = 0; b <= above + c; b++) {
                const double *restrict path = a->paths + b * K;
                double times = root[b];
                for (ptrdiff_t k = 0; k < K; k++) own[k] += times * path[k];
            }
            for (ptrdiff_t k = 0; k < K; k++) weight[k] -= 0.5 * own[k] * own[k];
            scale *= fabs(root[above + c]);
        }
        double log_scale = log(scale);
        for (ptrdiff_t k = 0; k < K; k++) weight[k] += log_scale;
    }
}

/* Integrate over the nodes of a level: logf (M, K) becomes the weights of nodes given those above, log_l
 * (M, K_up) the logs of the integrals. */
VECTORIZED static void weigh(ptrdiff_t M, ptrdiff_t K, ptrdiff_t K_up, double *restrict logf,
                             const double *restrict log_weights, double *restrict log_l) {
    ptrdiff_t ratio = K / K_up, rows = M * K_up;
    for (ptrdiff_t i = 0; i < M * K; i++) logf[i] += log_weights[i];
    for (ptrdiff_t i = 0; i < rows; i++) {
        double *restrict row = logf + i * ratio, peak = row[0];
        for (ptrdiff_t k = 1; k < ratio; k++) peak = larger(row[k], peak);
        for (ptrdiff_t k = 0; k < ratio; k++) row[k] -= peak;
        log_l[i] = peak;
    }
    for (ptrdiff_t i = 0; i < M * K; i++) logf[i] = exp_(logf[i]);
    for (ptrdiff_t i = 0; i < rows; i++) {
        double *restrict row = logf + i * ratio, total = 0.0;
        for (ptrdiff_t k = 0; k < ratio; k++) total += row[k];
        double inverse = 1.0 / total;
        for (ptrdiff_t k = 0; k < ratio; k++) row[k] *= inverse;
        log_l[i] += log(total);
    }
}

/* Weights of paths, out (M, K): those of the paths above (M_up, K_up) times the conditional ones (M, K). */
VECTORIZED static void join(ptrdiff_t M, ptrdiff_t K, ptrdiff_t K_up, const double *restrict upper,
                            const ptrdiff_t *restrict parents, const double *restrict conditional,
                            double *restrict out) {
    ptrdiff_t ratio = K / K_up;
    for (ptrdiff_t j = 0; j < M; j++) {
        for (ptrdiff_t u = 0; u < K_up; u++) {
            double times = upper[parents[j] * K_up + u];
            ptrdiff_t at = j * K + u * ratio;
            for (ptrdiff_t k = 0; k < ratio; k++) out[at + k] = times * conditional[at + k];
        }
    }
}

/* Below this share of the trace a covariance is singular. */
#define SINGULAR 1e-14

/* The lower Cholesky factor in place, shape (Q, Q); 0 where the matrix is singular or not finite. */
static int cholesky(double *restrict a, ptrdiff_t Q) {
    double trace = 0.0;
    for (ptrdiff_t i = 0; i < Q; i++) trace += a[i * Q + i];
    for (ptrdiff_t i = 0; i < Q; i++) {
        for (ptrdiff_t j = 0; j < i; j++) {
            double total = a[i * Q + j];
            for (ptrdiff_t k = 0; k < j; k++) total -= a[i * Q + k] * a[j * Q + k];
            a[i * Q + j] = total / a[j * Q + j];
        }
        double pivot = a[i * Q + i];
        for (ptrdiff_t k = 0; k < i; k++) pivot -= a[i * Q + k] * a[i * Q + k];
        if (!(pivot > SINGULAR * trace)) return 0;
        a[i * Q + i] = sqrt(pivot);
    }
    return 1;
}

typedef struct {
    ptrdiff_t M, q, Q, K;
    const double *weights;          /* (M, K) */
    const double *chains;           /* (M, Q, K) */
    const double *mean, *root;      /* where the nodes lie (M, q), (M, q, Q) */
    double *new_mean, *new_root;    /* at the moments; as they are where these are singular */
    double *workspace;              /* (Q + K) Q */
} MomentArguments;

/* The largest move of a node from mean and root to the new ones, in standard deviations of the posterior. */
VECTORIZED static double moments(const MomentArguments *a) {
    ptrdiff_t q = a->q, Q = a->Q, K = a->K, above = Q - q;
    double *restrict covariance = a->workspace, *restrict centred = a->workspace + Q * Q, largest = 0.0;
    for (ptrdiff_t j = 0; j < a->M; j++) {
        const double *restrict weight = a->weights + j * K, *restrict chain = a->chains + j * Q * K;
        const double *restrict mean = a->mean + j * q, *restrict root = a->root + j * q * Q;
        double *restrict new_mean = a->new_mean + j * q, *restrict new_root = a->new_root + j * q * Q;
        for (ptrdiff_t b = 0; b < Q; b++) {
            double total = 0.0;
            for (ptrdiff_t k = 0; k < K; k++) total += weight[k] * chain[b * K + k];
            for (ptrdiff_t k = 0; k < K; k++) centred[b * K + k] = chain[b * K + k] - total;
            if (b >= above) new_mean[b - above] = total;
        }
        for (ptrdiff_t b = 0; b < Q; b++) {
            for (ptrdiff_t c = 0; c <= b; c++) {
                double total = 0.0;
                for (ptrdiff_t k = 0; k < K; k++) total += weight[k] * centred[b * K + k] * centred[c * K + k];
                covariance[b * Q + c] = total;
            }
        }
        if (!cholesky(covariance, Q)) {
            memcpy(new_mean, mean, q * sizeof(double));
            memcpy(new_root, root, q * Q * sizeof(double));
            continue;
        }
        for (ptrdiff_t b = 0; b < q; b++) {
            double size = fabs(root[b * Q + above + b]), move = fabs(new_mean[b] - mean[b]);
            for (ptrdiff_t c = 0; c < Q; c++) {
                double value = c <= above + b ? covariance[(above + b) * Q + c] : 0.0;
                new_root[b * Q + c] = value;
                move = larger(fabs(value - root[b * Q + c]), move);
            }
            largest = larger(move / size, largest);
        }
    }
    return largest;
}

#endif
