/* The rows of a block: in the order of their lowest-level clusters and of their cells, the rows that share a row
 * of Z.
 */
#ifndef MEMAGIC_BLOCKS_H
#define MEMAGIC_BLOCKS_H

#include <stddef.h>

/* n rows, M clusters, Q effects. */
typedef struct {
    ptrdiff_t n, M, Q;
    const double *z;                  /* (cells, Q) */
    const ptrdiff_t *cell_of_row;     /* (n) */
    const ptrdiff_t *cluster_of_row;  /* (n) */
} BlockRows;

#endif
