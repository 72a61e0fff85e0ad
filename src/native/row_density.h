/* A density with what it needs of the rows of a problem. */
#ifndef MEMAGIC_ROW_DENSITY_H
#define MEMAGIC_ROW_DENSITY_H

#include "densities.h"

/* Of n rows. */
typedef struct {
    const Kind *kind;
    const double *parameters;
    const double *columns; /* (kind->columns, n) */
    ptrdiff_t n;
} RowDensity;

/* Rows `begin` to `begin + m`, at most CHUNK of them, each at one eta. */
INLINE void density_of_rows(const RowDensity *f, ptrdiff_t begin, ptrdiff_t m, const double *eta, Output out) {
    double columns[MOST_COLUMNS * CHUNK];
    for (int c = 0; c < f->kind->columns; c++)
        memcpy(columns + c * CHUNK, f->columns + c * f->n + begin, (size_t)m * sizeof(double));
    f->kind->density(m, eta, columns, f->parameters, out);
}

#endif
