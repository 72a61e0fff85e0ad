/* Elimination of the effects of one term: passes over the entries C that couple its groups with other
 * columns, and over the pairs of entries of a group, which is where what is left is changed.
 */
#ifndef MEMAGIC_ELIMINATION_H
#define MEMAGIC_ELIMINATION_H

#include "elementary.h"

/* M groups with q effects; the entries of group g are begins[g] to begins[g + 1]. A pair of entries, the
 * earlier one j and the later one i or itself, has its place in what is left at row[i] + place[j], or,
 * where `listed` is not NULL, at the next element of that. Arrays are in C's order. */
typedef struct {
    ptrdiff_t M, E, q;
    const ptrdiff_t *begins;  /* (M + 1) */
    const ptrdiff_t *row;     /* (E) */
    const ptrdiff_t *place;   /* (E) */
    const ptrdiff_t *listed;  /* (P), or NULL */
} Design;

/* D^-1 C by entry. */
VECTORIZED static void solve_entries(const Design *a, const double *restrict inverse, const double *restrict entries,
                                     double *restrict solved) {
    const ptrdiff_t q = a->q;
    for (ptrdiff_t g = 0; g < a->M; g++) {
        const double *restrict d = inverse + g * q * q;
        for (ptrdiff_t e = a->begins[g]; e < a->begins[g + 1]; e++) {
            for (ptrdiff_t r = 0; r < q; r++) {
                double sum = 0.0;
                for (ptrdiff_t c = 0; c < q; c++) sum += d[r * q + c] * entries[e * q + c];
                solved[e * q + r] = sum;
            }
        }
    }
}

/* Take C'D^-1 C from what is left. */
VECTORIZED static void eliminate(const Design *a, const double *restrict entries, const double *restrict solved,
                                 double *restrict left) {
    const ptrdiff_t q = a->q;
    const ptrdiff_t *restrict listed = a->listed;
    for (ptrdiff_t g = 0; g < a->M; g++) {
        const ptrdiff_t begin = a->begins[g], end = a->begins[g + 1];
        for (ptrdiff_t i = begin; i < end; i++) {
            const ptrdiff_t *restrict place = listed ? listed : a->place + begin;
            double *restrict to = listed ? left : left + a->row[i];
            if (q == 1) {
                const double own = entries[i];
                for (ptrdiff_t j = 0; j <= i - begin; j++) to[place[j]] -= own * solved[begin + j];
            } else {
                for (ptrdiff_t j = 0; j <= i - begin; j++) {
                    double sum = 0.0;
                    for (ptrdiff_t c = 0; c < q; c++) sum += entries[i * q + c] * solved[(begin + j) * q + c];
                    to[place[j]] -= sum;
                }
            }
            if (listed) listed += i - begin + 1;
        }
    }
}

/* D^-1 C S^-1 by entry, S^-1 in the places of what is left. */
VECTORIZED static void across_entries(const Design *a, const double *restrict solved, const double *restrict rest,
                                      double *restrict across) {
    const ptrdiff_t q = a->q;
    const ptrdiff_t *restrict listed = a->listed;
    for (ptrdiff_t i = 0; i < a->E * q; i++) across[i] = 0.0;
    for (ptrdiff_t g = 0; g < a->M; g++) {
        const ptrdiff_t begin = a->begins[g], end = a->begins[g + 1];
        for (ptrdiff_t i = begin; i < end; i++) {
            const ptrdiff_t *restrict place = listed ? listed : a->place + begin;
            const double *restrict from = listed ? rest : rest + a->row[i];
            if (q == 1) {
                const double own = solved[i];
                double sum = 0.0;
                for (ptrdiff_t j = 0; j < i - begin; j++) {
                    const double value = from[place[j]];
                    sum += value * solved[begin + j];
                    across[begin + j] += value * own;
                }
                across[i] += sum + from[place[i - begin]] * own;
            } else {
                for (ptrdiff_t j = 0; j <= i - begin; j++) {
                    const double value = from[place[j]];
                    for (ptrdiff_t c = 0; c < q; c++) across[i * q + c] += value * solved[(begin + j) * q + c];
                    if (j == i - begin) continue;
                    for (ptrdiff_t c = 0; c < q; c++) across[(begin + j) * q + c] += value * solved[i * q + c];
                }
            }
            if (listed) listed += i - begin + 1;
        }
    }
}

/* The inverse's blocks D^-1 + (D^-1 C S^-1) C'D^-1, lower triangles, and its entries -D^-1 C S^-1 in place of
 * `across`. */
VECTORIZED static void corners(const Design *a, const double *restrict inverse, double *restrict across,
                               const double *restrict solved, double *restrict out) {
    const ptrdiff_t q = a->q;
    for (ptrdiff_t g = 0; g < a->M; g++) {
        for (ptrdiff_t r = 0; r < q; r++) {
            for (ptrdiff_t c = 0; c <= r; c++) {
                double sum = inverse[(g * q + r) * q + c];
                for (ptrdiff_t e = a->begins[g]; e < a->begins[g + 1]; e++) sum += across[e * q + r] * solved[e * q + c];
                out[(g * q + r) * q + c] = sum;
            }
        }
    }
    for (ptrdiff_t i = 0; i < a->E * q; i++) across[i] = -across[i];
}

/* Solutions for k right-hand sides of all columns, `own` the first row of the term's groups. Forwards: own
 * becomes D^-1 own, and C' of that is taken from the others. */
INLINE void forwards_of(const Design *a, const ptrdiff_t q, const ptrdiff_t k, const ptrdiff_t *restrict column,
                        const double *restrict inverse, const double *restrict entries, double *rhs, double *own,
                        double *restrict block) {
    for (ptrdiff_t g = 0; g < a->M; g++) {
        double *mine = own + g * q * k;
        for (ptrdiff_t r = 0; r < q; r++) {
            for (ptrdiff_t s = 0; s < k; s++) block[r * k + s] = 0.0;
            for (ptrdiff_t c = 0; c < q; c++) {
                const double value = inverse[(g * q + r) * q + c];
                for (ptrdiff_t s = 0; s < k; s++) block[r * k + s] += value * mine[c * k + s];
            }
        }
        for (ptrdiff_t i = 0; i < q * k; i++) mine[i] = block[i];
        for (ptrdiff_t e = a->begins[g]; e < a->begins[g + 1]; e++) {
            double *restrict to = rhs + column[e] * k;
            for (ptrdiff_t r = 0; r < q; r++) {
                const double value = entries[e * q + r];
                for (ptrdiff_t s = 0; s < k; s++) to[s] -= value * block[r * k + s];
            }
        }
    }
}

VECTORIZED static void forwards(const Design *a, const ptrdiff_t *restrict column, const double *restrict inverse,
                                const double *restrict entries, double *rhs, double *own, double *restrict block,
                                ptrdiff_t k) {
    /* Loops of known length for an intercept and one side. */
    if (a->q == 1 && k == 1) forwards_of(a, 1, 1, column, inverse, entries, rhs, own, block);
    else forwards_of(a, a->q, k, column, inverse, entries, rhs, own, block);
}

/* Backwards: D^-1 C times the others' solutions is taken from own. */
INLINE void backwards_of(const Design *a, const ptrdiff_t q, const ptrdiff_t k, const ptrdiff_t *restrict column,
                         const double *restrict solved, const double *rhs, double *own) {
    for (ptrdiff_t g = 0; g < a->M; g++) {
        for (ptrdiff_t e = a->begins[g]; e < a->begins[g + 1]; e++) {
            const double *from = rhs + column[e] * k;
            for (ptrdiff_t r = 0; r < q; r++) {
                double *mine = own + (g * q + r) * k;
                const double value = solved[e * q + r];
                for (ptrdiff_t s = 0; s < k; s++) mine[s] -= value * from[s];
            }
        }
    }
}

VECTORIZED static void backwards(const Design *a, const ptrdiff_t *restrict column, const double *restrict solved,
                                 const double *rhs, double *own, ptrdiff_t k) {
    if (a->q == 1 && k == 1) backwards_of(a, 1, 1, column, solved, rhs, own);
    else backwards_of(a, a->q, k, column, solved, rhs, own);
}

#endif
