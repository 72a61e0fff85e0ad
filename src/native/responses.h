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

/* G and its derivatives at one place. */
typedef struct {
    double order[RESPONSE_ORDERS];
} Response;

/* G = 1/(1 + exp(-x)). */
INLINE Response logistic_response(double x) {
    Logistic at = logistic(x);
    double d = at.p * at.q, t = at.q - at.p;
    Response found = {{at.p, d, d * t, d * (1.0 - 6.0 * d), d * t * (1.0 - 12.0 * d)}};
    return found;
}

/* G = 1 - exp(-exp(x)). Beyond 50 all derivatives are zero, and powers of t still finite. */
INLINE Response gompertz_response(double x) {
    double t = exp_(smaller(x, 50.0)), d = t * exp_(-t);
    Response found = {{-expm1_(-t), d, d * (1.0 - t), d * (1.0 - 3.0 * t + t * t),
                       d * (1.0 - 7.0 * t + 6.0 * t * t - t * t * t)}};
    return found;
}

INLINE void average_response(const ResponseArguments *a, Response (*response)(double)) {
    for (ptrdiff_t begin = 0; begin < a->n; begin += RESPONSE_ROWS) {
        ptrdiff_t size = a->n - begin < RESPONSE_ROWS ? a->n - begin : RESPONSE_ROWS;
        double sums[RESPONSE_ORDERS][RESPONSE_ROWS] = {{0.0}};
        for (ptrdiff_t k = 0; k < a->nodes; k++) {
            double e = a->at[k], w = a->weights[k];
            for (ptrdiff_t i = 0; i < size; i++) {
                Response at = response(a->mu[begin + i] + a->s[begin + i] * e);
                for (int r = 0; r < RESPONSE_ORDERS; r++) sums[r][i] += w * at.order[r];
            }
        }
        for (ptrdiff_t r = 0; r < a->orders; r++)
            memcpy(a->out + r * a->n + begin, sums[r], (size_t)size * sizeof(double));
    }
}

VECTORIZED static void logistic_averages(const ResponseArguments *a) { average_response(a, logistic_response); }

VECTORIZED static void gompertz_averages(const ResponseArguments *a) { average_response(a, gompertz_response); }

#endif
