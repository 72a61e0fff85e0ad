/* Sums over contiguous arrays: in eight parts where they may be long, so that they are done in vectors. */
#ifndef MEMAGIC_SUMS_H
#define MEMAGIC_SUMS_H

#include <stddef.h>

#include "elementary.h"

INLINE double joined(const double *restrict parts) {
    return ((parts[0] + parts[4]) + (parts[2] + parts[6])) + ((parts[1] + parts[5]) + (parts[3] + parts[7]));
}

INLINE double sum_of(const ptrdiff_t n, const double *restrict values) {
    double parts[8] = {0.0};
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++) parts[k] += values[i + k];
    for (; i < n; i++) parts[i & 7] += values[i];
    return joined(parts);
}

INLINE double dot_of(const ptrdiff_t n, const double *restrict left, const double *restrict right) {
    double parts[8] = {0.0};
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++) parts[k] += left[i + k] * right[i + k];
    for (; i < n; i++) parts[i & 7] += left[i] * right[i];
    return joined(parts);
}

/* The same for a few elements. */
INLINE double short_dot(ptrdiff_t n, const double *restrict left, const double *restrict right) {
    double total = 0.0;
    for (ptrdiff_t i = 0; i < n; i++) total += left[i] * right[i];
    return total;
}

INLINE void add_times(const ptrdiff_t n, double *restrict to, double times, const double *restrict from) {
    for (ptrdiff_t i = 0; i < n; i++) to[i] += times * from[i];
}

#endif
