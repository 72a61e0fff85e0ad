/* Log densities of the response given the linear predictor, with their first two derivatives.
 *
 * What a family needs to know of a row comes in columns, the `Terms` of the families in Python, spread
 * over the row's elements: column c of element i is row[c * CHUNK + i]. `par` holds what all rows share.
 * Terms free of parameters are left out.
 *
 * Sources: those of memagic/engine/families.
 */
#ifndef MEMAGIC_DENSITIES_H
#define MEMAGIC_DENSITIES_H

#include <stddef.h>

#include "distributions.h"
#include "rising.h"

/* Elements that are worked on at once: their arrays stay in the first-level cache. */
#define CHUNK 512
#define MOST_COLUMNS 3

/* What a density writes, each of m elements. With `factor` the log density is logf - log(factor), and
 * 1 <= factor <= 4; without `first` and `second` there are no derivatives. */
typedef struct {
    double *restrict logf;
    double *restrict factor;
    double *restrict first;
    double *restrict second;
} Output;

typedef void (*Density)(ptrdiff_t m, const double *restrict eta, const double *restrict row,
                        const double *restrict par, Output out);

/* One trial: y. */
VECTORIZED static void bernoulli_logit(ptrdiff_t m, const double *restrict eta, const double *restrict row,
                                       const double *restrict par, Output out) {
    (void)par;
    double *restrict logf = out.logf, *restrict factor = out.factor;
    double *restrict first = out.first, *restrict second = out.second;
    if (first && factor) {
        for (ptrdiff_t i = 0; i < m; i++) {
            Logistic at = logistic(eta[i]);
            logf[i] = row[i] * eta[i] - larger(eta[i], 0.0);
            factor[i] = 1.0 + at.t;
            first[i] = row[i] - at.p;
            second[i] = -at.p * at.q;
        }
    } else if (factor) {
        for (ptrdiff_t i = 0; i < m; i++) {
            logf[i] = row[i] * eta[i] - larger(eta[i], 0.0);
            factor[i] = 1.0 + exp_(-fabs(eta[i]));
        }
    } else if (first) {
        for (ptrdiff_t i = 0; i < m; i++) {
            Logistic at = logistic(eta[i]);
            logf[i] = row[i] * eta[i] - larger(eta[i], 0.0) - log1p_(at.t);
            first[i] = row[i] - at.p;
            second[i] = -at.p * at.q;
        }
    } else {
        for (ptrdiff_t i = 0; i < m; i++)
            logf[i] = row[i] * eta[i] - larger(eta[i], 0.0) - log1p_(exp_(-fabs(eta[i])));
    }
}

/* y successes in r trials: y, r. */
VECTORIZED static void binomial_logit(ptrdiff_t m, const double *restrict eta, const double *restrict row,
                                      const double *restrict par, Output out) {
    (void)par;
    double *restrict logf = out.logf, *restrict first = out.first, *restrict second = out.second;
    const double *restrict y = row, *restrict r = row + CHUNK;
    if (first) {
        for (ptrdiff_t i = 0; i < m; i++) {
            Logistic at = logistic(eta[i]);
            logf[i] = y[i] * eta[i] - r[i] * (larger(eta[i], 0.0) + log1p_(at.t));
            first[i] = y[i] - r[i] * at.p;
            second[i] = -r[i] * at.p * at.q;
        }
    } else {
        for (ptrdiff_t i = 0; i < m; i++)
            logf[i] = y[i] * eta[i] - r[i] * (larger(eta[i], 0.0) + log1p_(exp_(-fabs(eta[i]))));
    }
}

/* Successes, failures. */
VECTORIZED static void binomial_probit(ptrdiff_t m, const double *restrict eta, const double *restrict row,
                                       const double *restrict par, Output out) {
    (void)par;
    double *restrict logf = out.logf, *restrict first = out.first, *restrict second = out.second;
    const double *restrict y = row, *restrict f = row + CHUNK;
    if (first) {
        for (ptrdiff_t i = 0; i < m; i++) {
            double x = fabs(eta[i]), success = y[i], failure = f[i];
            Sides at = normal_sides(x);
            /* How many trials fell on the likelier side of zero. */
            double sign = copysign(1.0, eta[i]), lead = sign * (success - failure);
            double likelier = 0.5 * (success + failure + lead), other = 0.5 * (success + failure - lead);
            double slope = likelier * at.mills_high - other * at.mills_low;
            logf[i] = likelier * at.log_high + other * at.log_low;
            first[i] = sign * slope;
            second[i] = -likelier * at.mills_high * (at.mills_high + x) - other * at.mills_low * (at.mills_low - x);
        }
    } else {
        for (ptrdiff_t i = 0; i < m; i++) {
            double success = y[i], failure = f[i];
            Sides at = normal_sides(fabs(eta[i]));
            double lead = copysign(1.0, eta[i]) * (success - failure);
            double likelier = 0.5 * (success + failure + lead), other = 0.5 * (success + failure - lead);
            logf[i] = likelier * at.log_high + other * at.log_low;
        }
    }
}

/* Successes, failures. */
VECTORIZED static void binomial_cloglog(ptrdiff_t m, const double *restrict eta, const double *restrict row,
                                        const double *restrict par, Output out) {
    (void)par;
    double *restrict logf = out.logf, *restrict first = out.first, *restrict second = out.second;
    const double *restrict y = row, *restrict f = row + CHUNK;
    if (first) {
        for (ptrdiff_t i = 0; i < m; i++) {
            Gompertz at = gompertz(eta[i]);
            double failures = f[i] * at.w;
            logf[i] = y[i] * at.log_success - failures;
            first[i] = y[i] * at.h - failures;
            second[i] = y[i] * at.h * (1.0 - at.w - at.h) - failures;
        }
    } else {
        for (ptrdiff_t i = 0; i < m; i++) {
            Gompertz at = gompertz(eta[i]);
            logf[i] = y[i] * at.log_success - f[i] * at.w;
        }
    }
}

/* y. */
VECTORIZED static void poisson_log(ptrdiff_t m, const double *restrict eta, const double *restrict row,
                                   const double *restrict par, Output out) {
    (void)par;
    double *restrict logf = out.logf, *restrict first = out.first, *restrict second = out.second;
    if (first) {
        for (ptrdiff_t i = 0; i < m; i++) {
            double mu = exp_(smaller(eta[i], 700.0));
            logf[i] = row[i] * eta[i] - mu;
            first[i] = row[i] - mu;
            second[i] = -mu;
        }
    } else {
        for (ptrdiff_t i = 0; i < m; i++)
            logf[i] = row[i] * eta[i] - exp_(smaller(eta[i], 700.0));
    }
}

/* y; log of the residual standard deviation, precision. */
VECTORIZED static void gaussian_identity(ptrdiff_t m, const double *restrict eta, const double *restrict row,
                                         const double *restrict par, Output out) {
    double *restrict logf = out.logf, *restrict first = out.first, *restrict second = out.second;
    for (ptrdiff_t i = 0; i < m; i++) {
        double residual = row[i] - eta[i];
        logf[i] = -par[0] - 0.5 * par[1] * residual * residual;
    }
    if (first) {
        for (ptrdiff_t i = 0; i < m; i++) {
            first[i] = par[1] * (row[i] - eta[i]);
            second[i] = -par[1];
        }
    }
}

/* y; log of the residual standard deviation, precision. */
VECTORIZED static void gaussian_log(ptrdiff_t m, const double *restrict eta, const double *restrict row,
                                    const double *restrict par, Output out) {
    double *restrict logf = out.logf, *restrict first = out.first, *restrict second = out.second;
    /* The square of the mean enters the derivatives, hence half the largest exponent. */
    if (first) {
        for (ptrdiff_t i = 0; i < m; i++) {
            double mu = exp_(smaller(eta[i], 350.0)), residual = row[i] - mu;
            logf[i] = -par[0] - 0.5 * par[1] * residual * residual;
            first[i] = par[1] * residual * mu;
            second[i] = par[1] * mu * (residual - mu);
        }
    } else {
        for (ptrdiff_t i = 0; i < m; i++) {
            double residual = row[i] - exp_(smaller(eta[i], 350.0));
            logf[i] = -par[0] - 0.5 * par[1] * residual * residual;
        }
    }
}

/* log y; shape, terms of the shape alone. */
VECTORIZED static void gamma_log(ptrdiff_t m, const double *restrict eta, const double *restrict row,
                                 const double *restrict par, Output out) {
    double *restrict logf = out.logf, *restrict first = out.first, *restrict second = out.second;
    const double shape = par[0], own = par[1];
    if (first) {
        for (ptrdiff_t i = 0; i < m; i++) {
            double z = row[i] - eta[i], excess = expm1_(smaller(z, 600.0));
            logf[i] = shape * (z - excess) + own;
            first[i] = shape * excess;
            second[i] = -shape - shape * excess;
        }
    } else {
        for (ptrdiff_t i = 0; i < m; i++) {
            double z = row[i] - eta[i];
            logf[i] = shape * (z - expm1_(smaller(z, 600.0))) + own;
        }
    }
}

/* y, terms of the row and the dispersion; log dispersion, size m. */
VECTORIZED static void negative_binomial_mean(ptrdiff_t m, const double *restrict eta,
                                              const double *restrict row, const double *restrict par,
                                              Output out) {
    double *restrict logf = out.logf, *restrict first = out.first, *restrict second = out.second;
    const double *restrict y = row, *restrict own = row + CHUNK;
    const double shift = par[0], size = par[1];
    if (first) {
        for (ptrdiff_t i = 0; i < m; i++) {
            double x = eta[i] + shift, total = y[i] + size;
            Logistic at = logistic(x);
            logf[i] = y[i] * eta[i] - total * (larger(x, 0.0) + log1p_(at.t)) + own[i];
            /* y - (y + m) p = (y - mu) q with mu q = m p, which neither cancels nor overflows. */
            first[i] = y[i] * at.q - size * at.p;
            second[i] = -total * at.p * at.q;
        }
    } else {
        for (ptrdiff_t i = 0; i < m; i++) {
            double x = eta[i] + shift, softplus = larger(x, 0.0) + log1p_(exp_(-fabs(x)));
            logf[i] = y[i] * eta[i] - (y[i] + size) * softplus + own[i];
        }
    }
}

/* y; log dispersion, log(1 + dispersion). */
static void negative_binomial_constant(ptrdiff_t m, const double *restrict eta, const double *restrict row,
                                       const double *restrict par, Output out) {
    for (ptrdiff_t i = 0; i < m; i++) {
        double log_size = eta[i] - par[0];
        Rising at = log_rising(log_size, row[i], out.first ? 2 : 0);
        double size = exp(log_size > 600.0 ? 600.0 : log_size) * par[1];
        out.logf[i] = at.value - size + row[i] * (par[0] - par[1]);
        if (out.first) {
            out.first[i] = at.first - size;
            out.second[i] = at.second - size;
        }
    }
}

/* Cutpoints below and above, log of the share between them. */
VECTORIZED static void ordinal_logit(ptrdiff_t m, const double *restrict eta, const double *restrict row,
                                     const double *restrict par, Output out) {
    (void)par;
    double *restrict logf = out.logf, *restrict factor = out.factor;
    double *restrict first = out.first, *restrict second = out.second;
    const double *restrict below = row, *restrict above = row + CHUNK, *restrict share = row + 2 * CHUNK;
    if (first) {
        for (ptrdiff_t i = 0; i < m; i++) {
            double a = below[i] - eta[i], b = eta[i] - above[i];
            Logistic at_a = logistic(a), at_b = logistic(b);
            logf[i] = share[i] - larger(a, 0.0) - larger(b, 0.0);
            first[i] = at_a.p - at_b.p;
            second[i] = -at_a.p * at_a.q - at_b.p * at_b.q;
        }
    } else {
        for (ptrdiff_t i = 0; i < m; i++)
            logf[i] = share[i] - larger(below[i] - eta[i], 0.0) - larger(eta[i] - above[i], 0.0);
    }
    if (factor) {
        for (ptrdiff_t i = 0; i < m; i++)
            factor[i] = (1.0 + exp_(-fabs(below[i] - eta[i]))) * (1.0 + exp_(-fabs(eta[i] - above[i])));
    } else {
        for (ptrdiff_t i = 0; i < m; i++)
            logf[i] -= log1p_(exp_(-fabs(below[i] - eta[i]))) + log1p_(exp_(-fabs(eta[i] - above[i])));
    }
}

/* Cutpoints below and above. */
VECTORIZED static void ordinal_probit(ptrdiff_t m, const double *restrict eta, const double *restrict row,
                                      const double *restrict par, Output out) {
    (void)par;
    double *restrict logf = out.logf, *restrict first = out.first, *restrict second = out.second;
    const double *restrict below = row, *restrict above = row + CHUNK;
    if (first) {
        for (ptrdiff_t i = 0; i < m; i++) {
            Interval at = normal_interval(eta[i], below[i], above[i]);
            double shift = at.at_high - at.at_low;
            logf[i] = at.log_probability;
            first[i] = shift * (2.0 * at.mirrored - 1.0);
            second[i] = at.at_low * (at.low + shift) - at.at_high * (at.high + shift);
        }
    } else {
        for (ptrdiff_t i = 0; i < m; i++)
            logf[i] = normal_interval(eta[i], below[i], above[i]).log_probability;
    }
}

/* The cutpoint below, that above plus the log of the share between them. */
VECTORIZED static void ordinal_cloglog(ptrdiff_t m, const double *restrict eta, const double *restrict row,
                                       const double *restrict par, Output out) {
    (void)par;
    double *restrict logf = out.logf, *restrict first = out.first, *restrict second = out.second;
    const double *restrict below = row, *restrict above = row + CHUNK;
    if (first) {
        for (ptrdiff_t i = 0; i < m; i++) {
            double survived = exp_(smaller(below[i] - eta[i], 600.0));
            Gompertz at = gompertz(above[i] - eta[i]);
            logf[i] = at.log_success - survived;
            first[i] = survived - at.h;
            second[i] = at.h * (1.0 - at.w - at.h) - survived;
        }
    } else {
        for (ptrdiff_t i = 0; i < m; i++)
            logf[i] = gompertz(above[i] - eta[i]).log_success - exp_(smaller(below[i] - eta[i], 600.0));
    }
}

typedef struct {
    const char *name;
    Density density;
    int columns;
    int parameters;
    int factored; /* whether it can put a factor beside its logarithm */
} Kind;

static const Kind KINDS[] = {
    {"bernoulli_logit", bernoulli_logit, 1, 0, 1},
    {"binomial_logit", binomial_logit, 2, 0, 0},
    {"binomial_probit", binomial_probit, 2, 0, 0},
    {"binomial_cloglog", binomial_cloglog, 2, 0, 0},
    {"poisson_log", poisson_log, 1, 0, 0},
    {"gaussian_identity", gaussian_identity, 1, 2, 0},
    {"gaussian_log", gaussian_log, 1, 2, 0},
    {"gamma_log", gamma_log, 1, 2, 0},
    {"negative_binomial_mean", negative_binomial_mean, 2, 2, 0},
    {"negative_binomial_constant", negative_binomial_constant, 1, 2, 0},
    {"ordinal_logit", ordinal_logit, 3, 0, 1},
    {"ordinal_probit", ordinal_probit, 2, 0, 0},
    {"ordinal_cloglog", ordinal_cloglog, 2, 0, 0},
};
#define N_KINDS ((int)(sizeof KINDS / sizeof KINDS[0]))

#endif
