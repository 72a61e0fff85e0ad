/* Methods for the posterior at one value of the random effects. */
#ifndef MEMAGIC_POINT_METHODS_H
#define MEMAGIC_POINT_METHODS_H

#include "block_methods.h"
#include "density_methods.h"
#include "points.h"

/* point(code, parameters, columns, fixed, effects, z, cell_of_row, cluster_of_row, weight | None, logf, z_first,
 *       eta, first, second, clusters, cells): see PointArguments. */
static PyObject *point_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 16) return PyErr_Format(PyExc_TypeError, "point takes 16 arguments");
    PointArguments a = {0};
    ptrdiff_t n = items(args[3]);
    if (n < 0 || !size_block(&a.rows, n, args[5], args[14], args[15])) return NULL;
    ptrdiff_t M = a.rows.M, Q = a.rows.Q;
    Buffers buffers = {.taken = 0};
    int done = 0;
    do {
        if (!take_density(&buffers, args, n, &a.density)) break;
        if (!(a.fixed = take(&buffers, args[3], n, 'd', 0))) break;
        if (!(a.effects = take(&buffers, args[4], M * Q, 'd', 0))) break;
        if (!take_block(&buffers, args + 5, args[15], &a.rows)) break;
        if (args[8] != Py_None && !(a.weight = take(&buffers, args[8], n, 'd', 0))) break;
        if (!(a.logf = take(&buffers, args[9], M, 'd', PyBUF_WRITABLE))) break;
        if (!(a.z_first = take(&buffers, args[10], M * Q, 'd', PyBUF_WRITABLE))) break;
        if (!(a.eta = take(&buffers, args[11], n, 'd', PyBUF_WRITABLE))) break;
        if (!(a.first = take(&buffers, args[12], n, 'd', PyBUF_WRITABLE))) break;
        if (!(a.second = take(&buffers, args[13], n, 'd', PyBUF_WRITABLE))) break;
        done = 1;
    } while (0);
    if (done) {
        Py_BEGIN_ALLOW_THREADS
        point(&a);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!done) return NULL;
    Py_RETURN_NONE;
}

/* z_products(weights, z, cell_of_row, cluster_of_row, out, clusters, cells) */
static PyObject *z_products_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 7) return PyErr_Format(PyExc_TypeError, "z_products takes 7 arguments");
    BlockRows rows;
    ptrdiff_t n = items(args[2]);
    if (n < 0 || !size_block(&rows, n, args[1], args[5], args[6])) return NULL;
    Buffers buffers = {.taken = 0};
    const double *weights = take(&buffers, args[0], n, 'd', 0);
    double *out = NULL;
    if (weights && take_block(&buffers, args + 1, args[6], &rows))
        out = take(&buffers, args[4], rows.M * rows.Q * rows.Q, 'd', PyBUF_WRITABLE);
    if (out) {
        Py_BEGIN_ALLOW_THREADS
        z_products(&rows, weights, out);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!out) return NULL;
    Py_RETURN_NONE;
}

#endif
