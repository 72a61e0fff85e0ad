/* Methods for the posterior at one value of the random effects. */
#ifndef MEMAGIC_POINT_METHODS_H
#define MEMAGIC_POINT_METHODS_H

#include "buffers.h"
#include "density_methods.h"
#include "points.h"

/* point(code, parameters, columns, fixed, effects, z, cell_of_row, cluster_of_row, weight | None, logf, z_first,
 *       eta, first, second, clusters, cells): see PointArguments. */
static PyObject *point_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 16) return PyErr_Format(PyExc_TypeError, "point takes 16 arguments");
    PointArguments a = {0};
    a.kind = kind_of(PyLong_AsLong(args[0]));
    if (!a.kind) return NULL;
    ptrdiff_t M = PyLong_AsSsize_t(args[14]), cells = PyLong_AsSsize_t(args[15]), size_z = items(args[5]);
    a.n = items(args[3]);
    if (PyErr_Occurred()) return NULL;
    if (M < 1 || cells < 1 || a.n < 1 || size_z % cells)
        return PyErr_Format(PyExc_ValueError, "a block is empty");
    a.Q = size_z / cells;
    Buffers buffers = {.taken = 0};
    int done = 0;
    do {
        if (!(a.parameters = take(&buffers, args[1], a.kind->parameters, 'd', 0))) break;
        if (!(a.columns = take(&buffers, args[2], a.kind->columns * a.n, 'd', 0))) break;
        if (!(a.fixed = take(&buffers, args[3], a.n, 'd', 0))) break;
        if (!(a.effects = take(&buffers, args[4], M * a.Q, 'd', 0))) break;
        if (!(a.z = take(&buffers, args[5], size_z, 'd', 0))) break;
        if (!(a.cell_of_row = take(&buffers, args[6], a.n, 'n', 0))) break;
        if (!(a.cluster_of_row = take(&buffers, args[7], a.n, 'n', 0))) break;
        if (args[8] != Py_None && !(a.weight = take(&buffers, args[8], a.n, 'd', 0))) break;
        if (!(a.logf = take(&buffers, args[9], M, 'd', PyBUF_WRITABLE))) break;
        if (!(a.z_first = take(&buffers, args[10], M * a.Q, 'd', PyBUF_WRITABLE))) break;
        if (!(a.eta = take(&buffers, args[11], a.n, 'd', PyBUF_WRITABLE))) break;
        if (!(a.first = take(&buffers, args[12], a.n, 'd', PyBUF_WRITABLE))) break;
        if (!(a.second = take(&buffers, args[13], a.n, 'd', PyBUF_WRITABLE))) break;
        if (a.cell_of_row[a.n - 1] >= cells || a.cluster_of_row[a.n - 1] >= M) {
            PyErr_SetString(PyExc_ValueError, "a row lies in no cluster");
            break;
        }
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
    ptrdiff_t M = PyLong_AsSsize_t(args[5]), cells = PyLong_AsSsize_t(args[6]);
    ptrdiff_t n = items(args[0]), size_z = items(args[1]);
    if (PyErr_Occurred()) return NULL;
    if (M < 1 || cells < 1 || n < 1 || size_z % cells) return PyErr_Format(PyExc_ValueError, "a block is empty");
    ptrdiff_t Q = size_z / cells;
    Buffers buffers = {.taken = 0};
    const double *weights = take(&buffers, args[0], n, 'd', 0);
    const double *z = weights ? take(&buffers, args[1], size_z, 'd', 0) : NULL;
    const ptrdiff_t *cell_of_row = z ? take(&buffers, args[2], n, 'n', 0) : NULL;
    const ptrdiff_t *cluster_of_row = cell_of_row ? take(&buffers, args[3], n, 'n', 0) : NULL;
    double *out = cluster_of_row ? take(&buffers, args[4], M * Q * Q, 'd', PyBUF_WRITABLE) : NULL;
    if (out && (cell_of_row[n - 1] >= cells || cluster_of_row[n - 1] >= M)) {
        PyErr_SetString(PyExc_ValueError, "a row lies in no cluster");
        out = NULL;
    }
    if (out) {
        Py_BEGIN_ALLOW_THREADS
        z_products(n, Q, weights, z, cell_of_row, cluster_of_row, out);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!out) return NULL;
    Py_RETURN_NONE;
}

#endif
