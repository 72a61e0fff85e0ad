/* Small symmetric matrices one after the other, in C's order, of which only lower triangles are read and
 * written: roots, solutions and inverses. A root is X = L^-1 of the matrix L L'.
 */
#ifndef MEMAGIC_SMALL_H
#define MEMAGIC_SMALL_H

#include "elementary.h"

/* The most columns of one. */
#define MOST_SMALL 64

/* Overwrite a matrix by X; the product of its pivots' logarithm is added to `log_det`. Zero unless it is
 * positive definite. */
INLINE int small_root(const ptrdiff_t s, double *restrict a, double *restrict upper, double *restrict log_det) {
    /* `upper` has L' row by row, so that all inner loops are along rows. */
    double pivots[MOST_SMALL];
    for (ptrdiff_t i = 0; i < s; i++) {
        double *restrict row = a + i * s;
        for (ptrdiff_t m = 0; m < i; m++) {
            const double *restrict known = upper + m * s;
            const double value = row[m] * pivots[m];
            row[m] = value;
            for (ptrdiff_t k = m + 1; k < i; k++) row[k] -= value * known[k];
            row[i] -= value * value;
        }
        if (!(row[i] > 0.0)) return 0;
        *log_det += log(row[i]);
        row[i] = sqrt(row[i]);
        pivots[i] = 1.0 / row[i];
        for (ptrdiff_t m = 0; m <= i; m++) upper[m * s + i] = row[m];
    }
    for (ptrdiff_t i = 0; i < s; i++) {
        double *restrict row = a + i * s;
        const double pivot = pivots[i];
        double sums[MOST_SMALL];
        for (ptrdiff_t c = 0; c < i; c++) sums[c] = 0.0;
        for (ptrdiff_t k = 0; k < i; k++) {
            const double value = row[k];
            const double *restrict above = a + k * s;
            for (ptrdiff_t c = 0; c <= k; c++) sums[c] += value * above[c];
        }
        for (ptrdiff_t c = 0; c < i; c++) row[c] = -pivot * sums[c];
        row[i] = pivot;
    }
    return 1;
}

/* Overwrite P matrices by their roots. */
VECTORIZED static int small_roots(ptrdiff_t P, const ptrdiff_t *restrict size, double *restrict flat,
                                  double *restrict log_det) {
    double upper[MOST_SMALL * MOST_SMALL];
    for (ptrdiff_t p = 0; p < P; p++) {
        if (!small_root(size[p], flat, upper, log_det)) return 0;
        flat += size[p] * size[p];
    }
    return 1;
}

/* The inverses X'X, and tr and tr of the square of all together, added to `traces`. */
VECTORIZED static void small_inverses(ptrdiff_t P, const ptrdiff_t *restrict size, const double *restrict roots,
                                      double *restrict out, double *restrict traces) {
    for (ptrdiff_t p = 0; p < P; p++) {
        const ptrdiff_t s = size[p];
        for (ptrdiff_t i = 0; i < s; i++)
            for (ptrdiff_t c = 0; c <= i; c++) out[i * s + c] = 0.0;
        for (ptrdiff_t k = 0; k < s; k++) {
            const double *restrict row = roots + k * s;
            for (ptrdiff_t i = 0; i <= k; i++) {
                const double value = row[i];
                double *restrict to = out + i * s;
                for (ptrdiff_t c = 0; c <= i; c++) to[c] += value * row[c];
            }
        }
        for (ptrdiff_t i = 0; i < s; i++) {
            for (ptrdiff_t c = 0; c < i; c++) traces[1] += 2.0 * out[i * s + c] * out[i * s + c];
            traces[0] += out[i * s + i];
            traces[1] += out[i * s + i] * out[i * s + i];
        }
        roots += s * s;
        out += s * s;
    }
}

/* Inverses of P matrices of one size, with both triangles; `flat` serves as room. The log of their determinants
 * is added to `log_det`. */
VECTORIZED static int equal_inverses(ptrdiff_t P, const ptrdiff_t s, double *restrict flat, double *restrict out,
                                     double *restrict log_det) {
    if (s == 1) {
        for (ptrdiff_t p = 0; p < P; p++) {
            if (!(flat[p] > 0.0)) return 0;
            *log_det += log(flat[p]);
            out[p] = 1.0 / flat[p];
        }
        return 1;
    }
    double upper[MOST_SMALL * MOST_SMALL], traces[2] = {0.0};
    for (ptrdiff_t p = 0; p < P; p++, flat += s * s, out += s * s) {
        if (!small_root(s, flat, upper, log_det)) return 0;
        small_inverses(1, &s, flat, out, traces);
        for (ptrdiff_t i = 0; i < s; i++)
            for (ptrdiff_t c = 0; c < i; c++) out[c * s + i] = out[i * s + c];
    }
    return 1;
}

/* Solutions for k right-hand sides, in rows `columns` of `rhs`; `work` has room for 2 k MOST_SMALL. */
INLINE void small_solutions_of(ptrdiff_t P, const ptrdiff_t *restrict size, const ptrdiff_t *restrict columns,
                               const double *restrict roots, double *restrict rhs, const ptrdiff_t k,
                               double *restrict work) {
    for (ptrdiff_t p = 0; p < P; p++) {
        const ptrdiff_t s = size[p];
        double *restrict result = work + MOST_SMALL * k;
        for (ptrdiff_t i = 0; i < s * k; i++) result[i] = 0.0;
        for (ptrdiff_t i = 0; i < s; i++) {
            const double *restrict row = roots + i * s;
            double *restrict half = work;
            for (ptrdiff_t t = 0; t < k; t++) half[t] = 0.0;
            for (ptrdiff_t c = 0; c <= i; c++)
                for (ptrdiff_t t = 0; t < k; t++) half[t] += row[c] * rhs[columns[c] * k + t];
            for (ptrdiff_t c = 0; c <= i; c++)
                for (ptrdiff_t t = 0; t < k; t++) result[c * k + t] += row[c] * half[t];
        }
        for (ptrdiff_t c = 0; c < s; c++)
            for (ptrdiff_t t = 0; t < k; t++) rhs[columns[c] * k + t] = result[c * k + t];
        roots += s * s;
        columns += s;
    }
}

VECTORIZED static void small_solutions(ptrdiff_t P, const ptrdiff_t *restrict size, const ptrdiff_t *restrict columns,
                                       const double *restrict roots, double *restrict rhs, ptrdiff_t k,
                                       double *restrict work) {
    if (k == 1) small_solutions_of(P, size, columns, roots, rhs, 1, work);
    else small_solutions_of(P, size, columns, roots, rhs, k, work);
}

/* Join columns that are linked: afterwards `label` has one number for all columns of a piece. */
static void connect_columns(ptrdiff_t n_columns, ptrdiff_t n_links, const ptrdiff_t *restrict left,
                            const ptrdiff_t *restrict right, ptrdiff_t *restrict label) {
    for (ptrdiff_t c = 0; c < n_columns; c++) label[c] = c;
    for (ptrdiff_t e = 0; e < n_links; e++) {
        ptrdiff_t a = left[e], b = right[e];
        while (label[a] != a) a = label[a] = label[label[a]];
        while (label[b] != b) b = label[b] = label[label[b]];
        if (a < b) label[b] = a;
        else label[a] = b;
    }
    /* Labels point downwards, so that those below are final. */
    for (ptrdiff_t c = 0; c < n_columns; c++) label[c] = label[label[c]];
}

#endif
