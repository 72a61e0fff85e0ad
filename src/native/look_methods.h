/* Methods on the rows of a block at its nodes. */
#ifndef MEMAGIC_LOOK_METHODS_H
#define MEMAGIC_LOOK_METHODS_H

#include "buffers.h"
#include "density_methods.h"
#include "look.h"

/* look(code, parameters, columns, fixed, effects, z, cell_of_row, cluster_of_row, weight | None, logf,
 *      x | None, scores, z_first, second, clusters, cells, nodes): see LookArguments. */
static PyObject *look_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 17) return PyErr_Format(PyExc_TypeError, "look takes 17 arguments");
    LookArguments a = {0};
    a.kind = kind_of(PyLong_AsLong(args[0]));
    if (!a.kind) return NULL;
    ptrdiff_t n_clusters = PyLong_AsSsize_t(args[14]), n_cells = PyLong_AsSsize_t(args[15]);
    a.K = PyLong_AsSsize_t(args[16]);
    if (PyErr_Occurred()) return NULL;
    a.n = items(args[3]);
    ptrdiff_t size_z = items(args[5]);
    if (a.n < 0 || size_z < 0) return NULL;
    if (n_clusters < 1 || n_cells < 1 || a.K < 1 || a.n < 1 || size_z % n_cells)
        return PyErr_Format(PyExc_ValueError, "a block is empty");
    a.Q = size_z / n_cells;
    int derive = args[10] != Py_None;
    Buffers buffers = {.taken = 0};
    int done = 0;
    do {
        if (!(a.parameters = take(&buffers, args[1], a.kind->parameters, 'd', 0))) break;
        if (!(a.columns = take(&buffers, args[2], a.kind->columns * a.n, 'd', 0))) break;
        if (!(a.fixed = take(&buffers, args[3], a.n, 'd', 0))) break;
        if (!(a.effects = take(&buffers, args[4], n_clusters * a.Q * a.K, 'd', 0))) break;
        if (!(a.z = take(&buffers, args[5], size_z, 'd', 0))) break;
        if (!(a.cell_of_row = take(&buffers, args[6], a.n, 'n', 0))) break;
        if (!(a.cluster_of_row = take(&buffers, args[7], a.n, 'n', 0))) break;
        if (args[8] != Py_None && !(a.weight = take(&buffers, args[8], a.n, 'd', 0))) break;
        if (!(a.logf = take(&buffers, args[9], n_clusters * a.K, 'd', PyBUF_WRITABLE))) break;
        if (derive) {
            ptrdiff_t size_x = items(args[10]);
            if (size_x < 0) break;
            a.p = size_x / a.n;
            if (!(a.x = take(&buffers, args[10], a.p * a.n, 'd', 0))) break;
            ptrdiff_t size_scores = items(args[11]);
            if (size_scores < 0) break;
            a.d = size_scores / (n_clusters * a.K);
            if (a.d < a.p) {
                PyErr_SetString(PyExc_ValueError, "scores have no room");
                break;
            }
            if (!(a.scores = take(&buffers, args[11], n_clusters * a.d * a.K, 'd', PyBUF_WRITABLE))) break;
            if (!(a.z_first = take(&buffers, args[12], n_clusters * a.Q * a.K, 'd', PyBUF_WRITABLE))) break;
            if (!(a.second = take(&buffers, args[13], a.n * a.K, 'd', PyBUF_WRITABLE))) break;
        }
        if (a.cell_of_row[a.n - 1] >= n_cells || a.cluster_of_row[a.n - 1] >= n_clusters) {
            PyErr_SetString(PyExc_ValueError, "a row lies in no cluster");
            break;
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
