/* A Gaussian response with the identity link and one level of groups, in closed form; the formulas are those
 * of engine/linear.py.
 *
 * n rows in any order, M clusters of q effects, p coefficients, m elements of omega; d = p + m + 1. Arrays are
 * in C's order, r are residuals.
 */
#ifndef MEMAGIC_LINEAR_H
#define MEMAGIC_LINEAR_H

#include "sums.h"

/* The product of (rows, k) and (k, columns). */
INLINE void product(ptrdiff_t rows, ptrdiff_t k, ptrdiff_t columns, const double *restrict left,
                    const double *restrict right, double *restrict out) {
    for (ptrdiff_t i = 0; i < rows; i++) {
        double *restrict to = out + i * columns;
        for (ptrdiff_t c = 0; c < columns; c++) to[c] = 0.0;
        for (ptrdiff_t l = 0; l < k; l++) add_times(columns, to, left[i * k + l], right + l * columns);
    }
}

/* The product of the transpose of (k, rows) and (k, columns). */
INLINE void cross_product(ptrdiff_t k, ptrdiff_t rows, ptrdiff_t columns, const double *restrict left,
                          const double *restrict right, double *restrict out) {
    for (ptrdiff_t i = 0; i < rows * columns; i++) out[i] = 0.0;
    for (ptrdiff_t l = 0; l < k; l++)
        for (ptrdiff_t i = 0; i < rows; i++)
            add_times(columns, out + i * columns, left[l * rows + i], right + l * columns);
}

/* Rows by cluster: sizes (M), Z'Z (M, q, q) and Z'X (M, q, p), zero at first. */
VECTORIZED static void cluster_products(ptrdiff_t n, ptrdiff_t q, ptrdiff_t p, const ptrdiff_t *restrict cluster,
                                        const double *restrict z, const double *restrict x, double *restrict sizes,
                                        double *restrict zz, double *restrict zx) {
    for (ptrdiff_t i = 0; i < n; i++) {
        const double *restrict own = z + i * q;
        sizes[cluster[i]] += 1.0;
        for (ptrdiff_t c = 0; c < q; c++) {
            const ptrdiff_t row = cluster[i] * q + c;
            add_times(q, zz + row * q, own[c], own);
            add_times(p, zx + row * p, own[c], x + i * p);
        }
    }
}

/* Z'r (M, q), X'r (M, p) and r'r (M) by cluster, zero at first, of r = y - X beta. */
VECTORIZED static void residual_products(ptrdiff_t n, ptrdiff_t q, ptrdiff_t p, const ptrdiff_t *restrict cluster,
                                         const double *restrict z, const double *restrict x,
                                         const double *restrict y, const double *restrict beta,
                                         double *restrict z_r, double *restrict x_r, double *restrict r_r) {
    for (ptrdiff_t i = 0; i < n; i++) {
        const ptrdiff_t j = cluster[i];
        const double r = y[i] - short_dot(p, x + i * p, beta);
        add_times(q, z_r + j * q, r, z + i * q);
        add_times(p, x_r + j * p, r, x + i * p);
        r_r[j] += r * r;
    }
}

typedef struct {
    ptrdiff_t M, q, p, m;
    const double *sizes, *zz, *zx;  /* see above */
    const double *z_r, *x_r, *r_r;
    const double *factor;           /* L (q, q) */
    const double *change;           /* E_a L' + L E_a' (m, q, q) */
    double log_sigma;
    double *log_l;                  /* (M) */
    double *scores;                 /* (M, d), or NULL if only log_l is asked for, as the next two */
    double *hessian;                /* (d, d), zero at first: sums over clusters, without -X'X / sigma^2 */
    double *second;                 /* (q, q), zero at first: what multiplies E_a E_b' in the Hessian, summed */
} LinearArguments;

/* Work on one cluster. */
typedef struct {
    double *w;                             /* core^-1/2 L', A = w'w (q, q) */
    double *core, *a, *shrink, *zz1, *zz2; /* (q, q) */
    double *w_zx, *zx1;                    /* (q, p) */
    double *z_r1, *z_r2, *a_zr;            /* (q) */
    double *x_r2;                          /* (p) */
    double *change_zr1, *zz1_change_zr1;   /* (m, q) */
    double *scaled, *turned;               /* (m, q, q): zz1 dSigma_a, and its transpose */
} LinearWork;

static ptrdiff_t linear_work_size(const LinearArguments *a) {
    return 6 * a->q * a->q + 2 * a->q * a->p + 3 * a->q + a->p + 2 * a->m * a->q * (1 + a->q);
}

INLINE double *cut(double **from, ptrdiff_t size) {
    double *part = *from;
    *from += size;
    return part;
}

INLINE LinearWork linear_work(const LinearArguments *a, double *memory) {
    const ptrdiff_t q = a->q, p = a->p, m = a->m;
    LinearWork w;
    w.w = cut(&memory, q * q);
    w.core = cut(&memory, q * q);
    w.a = cut(&memory, q * q);
    w.shrink = cut(&memory, q * q);
    w.zz1 = cut(&memory, q * q);
    w.zz2 = cut(&memory, q * q);
    w.w_zx = cut(&memory, q * p);
    w.zx1 = cut(&memory, q * p);
    w.z_r1 = cut(&memory, q);
    w.z_r2 = cut(&memory, q);
    w.a_zr = cut(&memory, q);
    w.x_r2 = cut(&memory, p);
    w.change_zr1 = cut(&memory, m * q);
    w.zz1_change_zr1 = cut(&memory, m * q);
    w.scaled = cut(&memory, m * q * q);
    w.turned = cut(&memory, m * q * q);
    return w;
}

/* The core sigma^2 I + L'Z'Z L by its Cholesky factor, and w; log|core|, NaN unless it is positive definite. */
INLINE double cluster_core(ptrdiff_t q, const double *zz, const double *factor, double s2, LinearWork *w) {
    double log_det = 0.0;
    product(q, q, q, zz, factor, w->w);
    cross_product(q, q, q, factor, w->w, w->core);
    for (ptrdiff_t i = 0; i < q; i++) w->core[i * q + i] += s2;
    for (ptrdiff_t i = 0; i < q; i++) {
        double *restrict row = w->core + i * q;
        for (ptrdiff_t k = 0; k < i; k++) row[k] = (row[k] - short_dot(k, row, w->core + k * q)) / w->core[k * q + k];
        const double pivot = row[i] - short_dot(i, row, row);
        log_det += pivot > 0.0 ? log(pivot) : NAN;
        row[i] = sqrt(pivot);
        double *restrict to = w->w + i * q;
        for (ptrdiff_t c = 0; c < q; c++) to[c] = factor[c * q + i];
        for (ptrdiff_t k = 0; k < i; k++) add_times(q, to, -row[k], w->w + k * q);
        for (ptrdiff_t c = 0; c < q; c++) to[c] /= row[i];
    }
    return log_det;
}

/* A cluster's scores and its part of the Hessian's lower triangle; suffixes count powers of V^-1. */
INLINE void cluster_derivatives(const LinearArguments *a, ptrdiff_t j, double s2, LinearWork *w) {
    const ptrdiff_t q = a->q, p = a->p, m = a->m, d = p + m + 1;
    const double *zz = a->zz + j * q * q, *zx = a->zx + j * q * p, *z_r = a->z_r + j * q, *x_r = a->x_r + j * p;
    double *score = a->scores + j * d, *last = a->hessian + (d - 1) * d;
    cross_product(q, q, q, w->w, w->w, w->a);
    product(q, q, q, zz, w->a, w->shrink);
    for (ptrdiff_t i = 0; i < q * q; i++) w->shrink[i] = ((i % (q + 1) == 0) - w->shrink[i]) / s2;
    product(q, q, q, w->shrink, zz, w->zz1);
    product(q, q, q, w->shrink, w->zz1, w->zz2);
    product(q, q, p, w->shrink, zx, w->zx1);
    product(q, q, 1, w->shrink, z_r, w->z_r1);
    product(q, q, 1, w->shrink, w->z_r1, w->z_r2);

    product(q, q, 1, w->a, z_r, w->a_zr);
    const double r_r1 = (a->r_r[j] - short_dot(q, z_r, w->a_zr)) / s2;
    cross_product(q, p, 1, zx, w->a_zr, score);
    for (ptrdiff_t c = 0; c < p; c++) score[c] = (x_r[c] - score[c]) / s2;
    product(q, q, 1, w->a, w->z_r1, w->a_zr);
    const double r_r2 = (r_r1 - short_dot(q, z_r, w->a_zr)) / s2;
    cross_product(q, p, 1, zx, w->a_zr, w->x_r2);
    for (ptrdiff_t c = 0; c < p; c++) last[c] -= 2.0 * (score[c] - w->x_r2[c]);
    product(q, q, 1, w->a, w->z_r2, w->a_zr);
    const double r_r3 = (r_r2 - short_dot(q, z_r, w->a_zr)) / s2;
    /* A is symmetric. */
    const double trace_1 = (a->sizes[j] - short_dot(q * q, w->a, zz)) / s2;
    const double trace_2 = (trace_1 - short_dot(q * q, w->a, w->zz1)) / s2;
    score[d - 1] = s2 * (r_r2 - trace_1);
    last[d - 1] += 2.0 * score[d - 1] + 2.0 * s2 * s2 * (trace_2 - 2.0 * r_r3);

    product(q, q, p, w->w, zx, w->w_zx);
    for (ptrdiff_t i = 0; i < q; i++)
        for (ptrdiff_t c = 0; c < p; c++)
            add_times(c + 1, a->hessian + c * d, w->w_zx[i * p + c] / s2, w->w_zx + i * p);
    for (ptrdiff_t i = 0; i < q; i++) {
        add_times(q, a->second + i * q, w->z_r1[i], w->z_r1);
        add_times(q, a->second + i * q, -1.0, w->zz1 + i * q);
    }
    for (ptrdiff_t k = 0; k < m; k++) {
        const double *change = a->change + k * q * q;
        double *row = a->hessian + (p + k) * d, *change_zr1 = w->change_zr1 + k * q;
        double *scaled = w->scaled + k * q * q, *turned = w->turned + k * q * q;
        product(q, q, 1, change, w->z_r1, change_zr1);
        product(q, q, 1, w->zz1, change_zr1, w->zz1_change_zr1 + k * q);
        product(q, q, q, w->zz1, change, scaled);
        for (ptrdiff_t i = 0; i < q; i++)
            for (ptrdiff_t c = 0; c < q; c++) turned[c * q + i] = scaled[i * q + c];
        score[p + k] = 0.5 * (short_dot(q, change_zr1, w->z_r1) - short_dot(q * q, w->zz1, change));
        last[p + k] += s2 * (short_dot(q * q, w->zz2, change) - 2.0 * short_dot(q, change_zr1, w->z_r2));
        for (ptrdiff_t i = 0; i < q; i++) add_times(p, row, -change_zr1[i], w->zx1 + i * p);
        for (ptrdiff_t l = 0; l <= k; l++)
            row[p + l] += 0.5 * short_dot(q * q, scaled, w->turned + l * q * q) -
                          short_dot(q, change_zr1, w->zz1_change_zr1 + l * q);
    }
}

/* `memory` has room for the work. */
VECTORIZED static void linear_likelihood(const LinearArguments *a, double *memory) {
    const ptrdiff_t q = a->q;
    const double s2 = exp(2.0 * a->log_sigma);
    LinearWork w = linear_work(a, memory);
    for (ptrdiff_t j = 0; j < a->M; j++) {
        double log_det = cluster_core(q, a->zz + j * q * q, a->factor, s2, &w);
        log_det += 2.0 * a->log_sigma * (a->sizes[j] - (double)q);
        product(q, q, 1, w.w, a->z_r + j * q, w.a_zr);
        const double quadratic = (a->r_r[j] - short_dot(q, w.a_zr, w.a_zr)) / s2;
        a->log_l[j] = -0.5 * (a->sizes[j] * LOG_2PI + log_det + quadratic);
        if (a->scores) cluster_derivatives(a, j, s2, &w);
    }
    if (!a->scores) return;
    for (ptrdiff_t i = 0, d = a->p + a->m + 1; i < d; i++)
        for (ptrdiff_t c = 0; c < i; c++) a->hessian[c * d + i] = a->hessian[i * d + c];
}

#endif
