/* The logistic, normal and Gompertz distributions, without loss in either tail. */
#ifndef MEMAGIC_DISTRIBUTIONS_H
#define MEMAGIC_DISTRIBUTIONS_H

#include <stddef.h>

#include "elementary.h"

/* p = 1/(1 + exp(-x)), q = 1 - p, t = exp(-|x|). */
typedef struct {
    double p, q, t;
} Logistic;

INLINE Logistic logistic(double x) {
    double t = exp_(-fabs(x));
    double likelier = 1.0 / (1.0 + t);
    double other = t * likelier;
    Logistic at = {x >= 0.0 ? likelier : other, x >= 0.0 ? other : likelier, t};
    return at;
}

/* The third cumulant of a Bernoulli response with logit eta, p q (q - p). */
VECTORIZED static void bernoulli_cumulant(ptrdiff_t m, const double *restrict eta, double *restrict out) {
    for (ptrdiff_t i = 0; i < m; i++) {
        Logistic at = logistic(eta[i]);
        out[i] = at.p * at.q * (at.q - at.p);
    }
}

/* The normal distribution to the left of -|x| and of |x|: log probabilities, and density over probability. */
typedef struct {
    double log_low, log_high, mills_low, mills_high;
} Sides;

/* For x >= 0. */
INLINE Sides normal_sides(double x) {
    double half_square = 0.5 * x * x;
    double scaled = erfcx_(x * ROOT_HALF);
    double density = exp_(-half_square);
    double low = 0.5 * density * scaled;
    Sides at = {log_(0.5 * scaled) - half_square, log1p_(-low), 1.0 / (ROOT_HALF_PI * scaled),
                density / (ROOT_2_PI * (1.0 - low))};
    return at;
}

/* w = exp(eta), h = w / (exp(w) - 1), log(1 - exp(-w)). */
typedef struct {
    double log_success, h, w;
} Gompertz;

INLINE Gompertz gompertz(double eta) {
    double x = eta < -700.0 ? -700.0 : smaller(eta, 700.0);
    double w = exp_(x), h = w / expm1_(w), log_success = log_(-expm1_(-w));
    /* Below exp(-30) the logarithm's series is exact to double precision. */
    Gompertz at = {eta < -30.0 ? eta - 0.5 * w : log_success, w > 700.0 ? 0.0 : h, w};
    return at;
}

/* A normal interval, mirrored so that it leans to the left: low + high <= 0.
 *
 * Tails are scaled: with M(x) = Phi(x)/phi(x) and phi(low)/phi(high) = exp(-d), the probability over
 * phi(high) is M(high) - exp(-d) M(low), which does not underflow. `at_high` and `at_low` are the normal
 * densities there over the interval's probability. */
typedef struct {
    double log_probability, mirrored, high, low, at_high, at_low;
} Interval;

INLINE Interval normal_interval(double eta, double below, double above) {
    double distance = above - below, middle = 0.5 * (below + above) - eta;
    int mirrored = middle > 0.0;
    double high = mirrored ? eta - below : above - eta;
    double low = mirrored ? eta - above : below - eta;
    double ratio = exp_(-distance * fabs(middle));
    double tail_high = ROOT_HALF_PI * erfcx_(ROOT_HALF * fabs(high));
    double tail_low = ratio * (ROOT_HALF_PI * erfcx_(ROOT_HALF * fabs(low)));
    double log_density = -0.5 * high * high - 0.5 * LOG_2PI, density = exp_(log_density);
    /* To the right of zero the scaled tail would overflow: there nothing needs scaling. */
    int beyond = high > 0.0;
    double inside = 1.0 - density * (tail_high + tail_low), scaled = tail_high - tail_low;
    double part = beyond ? inside : scaled, scale = beyond ? density : 1.0;
    double log_part = log_(part) + (beyond ? 0.0 : log_density), at_high = scale / part;
    /* NaN stays what it is. */
    int impossible = part <= 0.0 || distance <= 0.0;
    at_high = impossible ? 0.0 : at_high;
    Interval at = {impossible ? -INFINITY : log_part, mirrored, high, low, at_high, ratio * at_high};
    return at;
}

#endif
