/* Averages of a response function G and its derivatives over a normal linear predictor, by a rule of given nodes
 * and weights: sum_k w_k G^(r)(mu + s e_k), r = 0..4.
 */
#ifndef MEMAGIC_RESPONSES_H
#define MEMAGIC_RESPONSES_H

#include <stddef.h>

#include "distributions.h"

#define RESPONSE_ROWS 256
#define RESPONSE_ORDERS 5

typedef struct {
    ptrdiff_t n, nodes, orders;   /* orders: how many derivatives are written, G itself among them */
    const double *mu, *s;         /* (n) */
    const double *at, *weights;   /* (nodes) */
    double *out;                  /* (orders, n) */
} ResponseArguments;

typedef struct {
    double order[RESPONSE_ORDERS][RESPONSE_ROWS];
} Responses;

INLINE void write_responses(const ResponseArguments *a, const Responses *sums, ptrdiff_t begin, ptrdiff_t size) {
    for (ptrdiff_t r = 0; r < a->orders; r++)
        memcpy(a->out + r * a->n + begin, sums->order[r], (size_t)size * sizeof(double));
}

/* G = 1/(1 + exp(-x)). */
VECTORIZED static void logistic_averages(const ResponseArguments *a) {
    for (ptrdiff_t begin = 0; begin < a->n; begin += RESPONSE_ROWS) {
        ptrdiff_t size = a->n - begin < RESPONSE_ROWS ? a->n - begin : RESPONSE_ROWS;
        Responses sums = {{{0.0}}};
        for (ptrdiff_t k = 0; k < a->nodes; k++) {
            double e = a->at[k], w = a->weights[k];
            for (ptrdiff_t i = 0; i < size; i++) {
                Logistic at = logistic(a->mu[begin + i] + a->s[begin + i] * e);
                double d = at.p * at.q, t = at.q - at.p;
                sums.order[0][i] += w * at.p;
                sums.order[1][i] += w * d;
                sums.order[2][i] += w * d * t;
                sums.order[3][i] += w * d * (1.0 - 6.0 * d);
                sums.order[4][i] += w * d * t * (1.0 - 12.0 * d);
            }
        }
        write_responses(a, &sums, begin, size);
    }
}

/* G = 1 - exp(-exp(x)). */
VECTORIZED static void gompertz_averages(const ResponseArguments *a) {
    for (ptrdiff_t begin = 0; begin < a->n; begin += RESPONSE_ROWS) {
        ptrdiff_t size = a->n - begin < RESPONSE_ROWS ? a->n - begin : RESPONSE_ROWS;
        Responses sums = {{{0.0}}};
        for (ptrdiff_t k = 0; k < a->nodes; k++) {
            double e = a->at[k], w = a->weights[k];
            for (ptrdiff_t i = 0; i < size; i++) {
                /* Beyond 50 all derivatives are zero, and powers of t still finite. */
                double t = exp_(smaller(a->mu[begin + i] + a->s[begin + i] * e, 50.0));
                double d = t * exp_(-t);
                sums.order[0][i] -= w * expm1_(-t);
                sums.order[1][i] += w * d;
                sums.order[2][i] += w * d * (1.0 - t);
                sums.order[3][i] += w * d * (1.0 - 3.0 * t + t * t);
                sums.order[4][i] += w * d * (1.0 - 7.0 * t + 6.0 * t * t - t * t * t);
            }
        }
        write_responses(a, &sums, begin, size);
    }
}

#endif
