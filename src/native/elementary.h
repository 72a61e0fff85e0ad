/* Elementary functions without branches, which compilers turn into vector instructions.
 *
 * Errors are a few units in the last place. NaN gives NaN.
 */
#ifndef MEMAGIC_ELEMENTARY_H
#define MEMAGIC_ELEMENTARY_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "coefficients.h"

#if defined(__GNUC__) || defined(__clang__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

/* A function in versions for several instruction sets; the best is chosen when the program is loaded. */
#if defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__) && defined(__x86_64__) && defined(__linux__)
#define VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTORIZED
#endif

#define ROOT_HALF 0.70710678118654752440
#define ROOT_2_PI 2.50662827463100050242 /* sqrt(2 pi) */
#define ROOT_HALF_PI 1.25331413731550025121
#define LOG_2PI 1.83787706640934548356

INLINE double larger(double a, double b) { return a > b ? a : b; }

/* NaN where the first is. */
INLINE double smaller(double a, double b) { return a > b ? b : a; }

INLINE double from_bits(int64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

INLINE int64_t to_bits(double x) {
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* 2^n and p with exp(x) = 2^n (1 + p), for -708 <= x <= 709. */
typedef struct {
    double scale, rest;
} Power;

INLINE Power power_of(double x) {
    /* Adding 3/2 2^52 leaves the nearest whole number in the low bits. */
    const double magic = 6755399441055744.0;
    double shifted = x * 1.44269504088896340736 + magic;
    double n = shifted - magic;
    double r = x - n * 6.93147180369123816490e-01;
    r -= n * 1.90821492927058770002e-10;
    double p = EXP[9];
    for (int i = 8; i >= 0; i--) p = p * r + EXP[i];
    Power at = {from_bits((int64_t)((uint64_t)(to_bits(shifted) + 1023) << 52)), r * r * p + r};
    return at;
}

INLINE double within(double x) {
    x = x < -708.0 ? -708.0 : x;
    return x > 709.0 ? 709.0 : x;
}

/* exp(x), held between exp(-708) and exp(709). */
INLINE double exp_(double x) {
    Power at = power_of(within(x));
    return at.scale + at.scale * at.rest;
}

/* exp(x) - 1, held as well. */
INLINE double expm1_(double x) {
    Power at = power_of(within(x));
    return at.scale * at.rest + (at.scale - 1.0);
}

/* log(1 + x) for -1/2 <= x <= 1. */
INLINE double log1p_(double x) {
    double s = x / (2.0 + x);
    double z = s * s;
    double p = LOG[10];
    for (int i = 9; i >= 0; i--) p = p * z + LOG[i];
    /* 2s = x - s x, which keeps the leading digits of x. */
    return x - s * (x - z * p);
}

/* log(x) for positive normal x. */
INLINE double log_(double x) {
    int64_t bits = to_bits(x);
    /* An exponent that leaves the rest in [sqrt(1/2), sqrt(2)). */
    int64_t shifted = bits - 0x3fe6a09e667f3bcdLL;
    int64_t exponent = shifted >> 52;
    double rest = from_bits(bits - (int64_t)((uint64_t)exponent << 52));
    double n = from_bits(exponent + 0x4338000000000000LL) - 6755399441055744.0;
    double value = n * 1.90821492927058770002e-10 + log1p_(rest - 1.0);
    value += n * 6.93147180369123816490e-01;
    return x != x ? x : value;
}

/* exp(x^2) erfc(x) for x >= 0. */
INLINE double erfcx_(double x) {
    double t = (x - 3.75) / (x + 3.75);
    t = x > 1e100 ? 1.0 : t;
    double p = ERFCX[25];
#ifdef __GNUC__
#pragma GCC unroll 32
#endif
    for (int i = 24; i >= 0; i--) p = p * t + ERFCX[i];
    return p / (1.0 + 2.0 * x);
}

#endif
