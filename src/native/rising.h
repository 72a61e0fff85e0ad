/* The log of the rising factorial m (m + 1) ... (m + y - 1) of whole y, and its derivatives in log m.
 *
 * Up to SHIFT factors are multiplied out: with few of them that is cheaper than two log gamma functions
 * and their derivatives, and exact for every m. What is left for larger y is a difference of log gamma
 * functions of arguments from SHIFT on, where Stirling's series is exact to double precision and the
 * difference can be taken term by term.
 *
 * Source: Abramowitz and Stegun (1964), 6.1.41, 6.3.18, 6.4.11.
 */
#ifndef MEMAGIC_RISING_H
#define MEMAGIC_RISING_H

#include <math.h>

#include "elementary.h"

#define SHIFT 12
#define SERIES 6

/* In 1/x^2, of what follows the leading terms: of log Gamma (over x), of digamma (over x^2), of trigamma
 * (over x^3) and of its derivative (over x^4). */
static const double LOG_GAMMA[SERIES] = {1. / 12, -1. / 360, 1. / 1260, -1. / 1680, 1. / 1188, -691. / 360360};
static const double DIGAMMA[SERIES] = {-1. / 12, 1. / 120, -1. / 252, 1. / 240, -1. / 132, 691. / 32760};
static const double TRIGAMMA[SERIES] = {1. / 6, -1. / 30, 1. / 42, -1. / 30, 5. / 66, -691. / 2730};
static const double TETRAGAMMA[SERIES] = {-1. / 2, 1. / 6, -1. / 6, 3. / 10, -5. / 6, 691. / 210};

typedef struct {
    double value, first, second, third;
} Rising;

INLINE double series(double inverse, const double *coefficients) {
    double square = inverse * inverse, total = coefficients[SERIES - 1];
    for (int i = SERIES - 2; i >= 0; i--) total = total * square + coefficients[i];
    return total;
}

/* Derivatives up to `order`, 0 to 3; those beyond are zero. */
static Rising log_rising(double log_size, double y, int order) {
    Rising at = {0.0, 0.0, 0.0, 0.0};
    if (!(y > 0.0)) return at;
    /* Cubes and products with counts are taken of ratios only. */
    double s = log_size > 600.0 ? 600.0 : log_size;
    double m = exp(s);
    int factors = y < SHIFT ? (int)y : SHIFT;
    /* The factor m + i is (1 + m) (1 + (i - 1)/(1 + m)), which neither over- nor underflows. */
    double inverse = 1.0 / (1.0 + m), product = 1.0;
    double sum_1 = 1.0, sum_2 = 1.0, sum_3 = 1.0;
    for (int i = 1; i < factors; i++) {
        product *= 1.0 + (i - 1.0) * inverse;
        if (order > 0) {
            double ratio = m / (m + i);
            sum_1 += ratio;
            sum_2 += ratio * ratio;
            sum_3 += ratio * ratio * ratio;
        }
    }
    at.value = s;
    if (factors > 1) at.value += log(product) - (factors - 1.0) * log(inverse);
    if (y > SHIFT) {
        /* Gamma(m + y) / Gamma(m + SHIFT) */
        double upper = m + y, lower = m + SHIFT, more = y - SHIFT;
        double log_ratio = log1p(more / lower), u = 1.0 / upper, l = 1.0 / lower;
        at.value += (lower - 0.5) * log_ratio + more * (log(upper) - 1.0);
        at.value += u * series(u, LOG_GAMMA) - l * series(l, LOG_GAMMA);
        if (order > 0) {
            /* The leading terms of the polygamma functions' differences are products, not differences:
             * times powers of a large m those would lose every digit. */
            double a = m * u, b = m * l, aa = a * a, bb = b * b;
            sum_1 += m * (log_ratio + u * u * series(u, DIGAMMA) - l * l * series(l, DIGAMMA)) - 0.5 * (a - b);
            sum_2 += more * a * b - 0.5 * (aa - bb);
            sum_2 -= aa * u * series(u, TRIGAMMA) - bb * l * series(l, TRIGAMMA);
            double tail = aa * a * u * series(u, TETRAGAMMA) - bb * b * l * series(l, TETRAGAMMA);
            sum_3 += 0.5 * (more * a * b * (a + b) - (aa * a - bb * b) + tail);
        }
    }
    /* By the chain rule, with the sums of the powers of m / (m + i). */
    if (order > 0) at.first = sum_1;
    if (order > 1) at.second = sum_1 - sum_2;
    if (order > 2) at.third = sum_1 - 3.0 * sum_2 + 2.0 * sum_3;
    return at;
}

#endif
