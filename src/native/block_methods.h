/* The rows of a block as arguments of methods. */
#ifndef MEMAGIC_BLOCK_METHODS_H
#define MEMAGIC_BLOCK_METHODS_H

#include "blocks.h"
#include "buffers.h"

/* The sizes of a block of `n` rows, from its z and its numbers of clusters and cells; zero, with an exception set,
 * where it is empty. */
static int size_block(BlockRows *rows, ptrdiff_t n, PyObject *z, PyObject *n_clusters, PyObject *n_cells) {
    ptrdiff_t cells = PyLong_AsSsize_t(n_cells), size_z = items(z);
    rows->n = n;
    rows->M = PyLong_AsSsize_t(n_clusters);
    if (PyErr_Occurred()) return 0;
    if (rows->M < 1 || cells < 1 || n < 1 || size_z % cells) {
        PyErr_SetString(PyExc_ValueError, "a block is empty");
        return 0;
    }
    rows->Q = size_z / cells;
    return 1;
}

/* Its consecutive arguments z, cell_of_row and cluster_of_row; zero, with an exception set, unless they fit. */
static int take_block(Buffers *buffers, PyObject *const *args, PyObject *n_cells, BlockRows *rows) {
    ptrdiff_t cells = PyLong_AsSsize_t(n_cells), last = rows->n - 1;
    if (!(rows->z = take(buffers, args[0], cells * rows->Q, 'd', 0))) return 0;
    if (!(rows->cell_of_row = take(buffers, args[1], rows->n, 'n', 0))) return 0;
    if (!(rows->cluster_of_row = take(buffers, args[2], rows->n, 'n', 0))) return 0;
    if (rows->cell_of_row[last] < cells && rows->cluster_of_row[last] < rows->M) return 1;
    PyErr_SetString(PyExc_ValueError, "a row lies in no cluster");
    return 0;
}

#endif
