/* Methods on the rows of a block at its nodes. */
#ifndef MEMAGIC_LOOK_METHODS_H
#define MEMAGIC_LOOK_METHODS_H

#include "block_methods.h"
#include "density_methods.h"
#include "look.h"

/* look(code, parameters, columns, fixed, effects, z, cell_of_row, cluster_of_row, weight | None, logf,
 *      x | None, scores, z_first, second, clusters, cells, nodes): see LookArguments. */
static PyObject *look_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 17) return PyErr_Format(PyExc_TypeError, "look takes 17 arguments");
    LookArguments a = {.K = PyLong_AsSsize_t(args[16])};
    ptrdiff_t n = items(args[3]);
    if (PyErr_Occurred() || !size_block(&a.rows, n, args[5], args[14], args[15])) return NULL;
    if (a.K < 1) return PyErr_Format(PyExc_ValueError, "a block is empty");
    ptrdiff_t M = a.rows.M, Q = a.rows.Q;
    int derive = args[10] != Py_None;
    Buffers buffers = {.taken = 0};
    int done = 0;
    do {
        if (!take_density(&buffers, args, n, &a.density)) break;
        if (!(a.fixed = take(&buffers, args[3], n, 'd', 0))) break;
        if (!(a.effects = take(&buffers, args[4], M * Q * a.K, 'd', 0))) break;
        if (!take_block(&buffers, args + 5, args[15], &a.rows)) break;
        if (args[8] != Py_None && !(a.weight = take(&buffers, args[8], n, 'd', 0))) break;
        if (!(a.logf = take(&buffers, args[9], M * a.K, 'd', PyBUF_WRITABLE))) break;
        if (derive) {
            ptrdiff_t size_x = items(args[10]);
            if (size_x < 0) break;
            a.p = size_x / n;
            if (!(a.x = take(&buffers, args[10], a.p * n, 'd', 0))) break;
            ptrdiff_t size_scores = items(args[11]);
            if (size_scores < 0) break;
            a.d = size_scores / (M * a.K);
            if (a.d < a.p) {
                PyErr_SetString(PyExc_ValueError, "scores have no room");
                break;
            }
            if (!(a.scores = take(&buffers, args[11], M * a.d * a.K, 'd', PyBUF_WRITABLE))) break;
            if (!(a.z_first = take(&buffers, args[12], M * Q * a.K, 'd', PyBUF_WRITABLE))) break;
            if (!(a.second = take(&buffers, args[13], n * a.K, 'd', PyBUF_WRITABLE))) break;
        }
        done = 1;
    } while (0);
    if (done) {
        Py_BEGIN_ALLOW_THREADS
        look(&a);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!done) return NULL;
    Py_RETURN_NONE;
}

/* products_by_cluster(x, cluster_of_row, values, out, n_clusters) */
static PyObject *products_by_cluster_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 5) return PyErr_Format(PyExc_TypeError, "products_by_cluster takes 5 arguments");
    ptrdiff_t M = PyLong_AsSsize_t(args[4]), n = items(args[1]), size_x = items(args[0]);
    if (PyErr_Occurred()) return NULL;
    if (n < 1 || M < 1 || size_x % n) return PyErr_Format(PyExc_ValueError, "a block is empty");
    ptrdiff_t p = size_x / n;
    Buffers buffers = {.taken = 0};
    const double *x = take(&buffers, args[0], size_x, 'd', 0);
    const ptrdiff_t *cluster_of_row = x ? take(&buffers, args[1], n, 'n', 0) : NULL;
    const double *values = cluster_of_row ? take(&buffers, args[2], n, 'd', 0) : NULL;
    double *out = values ? take(&buffers, args[3], M * p, 'd', PyBUF_WRITABLE) : NULL;
    if (out) {
        Py_BEGIN_ALLOW_THREADS
        products_by_cluster(n, p, x, cluster_of_row, values, out);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!out) return NULL;
    Py_RETURN_NONE;
}

#endif
