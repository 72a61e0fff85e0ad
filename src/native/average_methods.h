/* Methods for averages over the nodes of a block. */
#ifndef MEMAGIC_AVERAGE_METHODS_H
#define MEMAGIC_AVERAGE_METHODS_H

#include "averages.h"
#include "block_methods.h"

/* average_rows(values, weights, chains, x, z, cell_of_row, cluster_of_row, by_column, by_effects | None,
 *              clusters, cells): see AverageArguments. */
static PyObject *average_rows_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 11) return PyErr_Format(PyExc_TypeError, "average_rows takes 11 arguments");
    AverageArguments a = {0};
    ptrdiff_t size_values = items(args[0]), size_x = items(args[3]), n = items(args[5]);
    if (PyErr_Occurred() || !size_block(&a.rows, n, args[4], args[9], args[10])) return NULL;
    if (size_values % n || size_x % n) return PyErr_Format(PyExc_ValueError, "a block is empty");
    a.K = size_values / n;
    a.p = size_x / n;
    ptrdiff_t M = a.rows.M, Q = a.rows.Q, QQ = Q * Q;
    Buffers buffers = {.taken = 0};
    int done = 0;
    do {
        if (!(a.values = take(&buffers, args[0], size_values, 'd', 0))) break;
        if (!(a.weights = take(&buffers, args[1], M * a.K, 'd', 0))) break;
        if (!(a.chains = take(&buffers, args[2], M * Q * a.K, 'd', 0))) break;
        if (!(a.x = take(&buffers, args[3], size_x, 'd', 0))) break;
        if (!take_block(&buffers, args + 4, args[10], &a.rows)) break;
        if (!(a.by_column = take(&buffers, args[7], n * (a.p + QQ), 'd', PyBUF_WRITABLE))) break;
        if (args[8] != Py_None && !(a.by_effects = take(&buffers, args[8], QQ * QQ, 'd', PyBUF_WRITABLE))) break;
        size_t space = (size_t)((1 + Q + Q * (Q + 1) / 2) * (a.K + 2)) * sizeof(double);
        if (!(a.workspace = PyMem_Malloc(space))) {
            PyErr_NoMemory();
            break;
        }
        done = 1;
    } while (0);
    if (done) {
        Py_BEGIN_ALLOW_THREADS
        average_rows(&a);
        Py_END_ALLOW_THREADS
        PyMem_Free(a.workspace);
    }
    release(&buffers);
    if (!done) return NULL;
    Py_RETURN_NONE;
}

/* second_moments(values, weights, out, clusters) */
static PyObject *second_moments_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 4) return PyErr_Format(PyExc_TypeError, "second_moments takes 4 arguments");
    ptrdiff_t M = PyLong_AsSsize_t(args[3]), size_values = items(args[0]), size_weights = items(args[1]);
    if (PyErr_Occurred()) return NULL;
    if (M < 1 || size_weights < M || size_weights % M || size_values % size_weights)
        return PyErr_Format(PyExc_ValueError, "a block is empty");
    ptrdiff_t K = size_weights / M, d = size_values / size_weights;
    Buffers buffers = {.taken = 0};
    double *weighted = NULL;
    const double *values = take(&buffers, args[0], size_values, 'd', 0);
    const double *weights = values ? take(&buffers, args[1], size_weights, 'd', 0) : NULL;
    double *out = weights ? take(&buffers, args[2], d * d, 'd', PyBUF_WRITABLE) : NULL;
    if (out && !(weighted = PyMem_Malloc((size_t)K * sizeof(double)))) PyErr_NoMemory();
    if (weighted) {
        Py_BEGIN_ALLOW_THREADS
        second_moments(M, d, K, values, weights, weighted, out);
        Py_END_ALLOW_THREADS
        PyMem_Free(weighted);
    }
    release(&buffers);
    if (!weighted) return NULL;
    Py_RETURN_NONE;
}

/* conditional_means(values, conditional, out, clusters, nodes above) */
static PyObject *conditional_means_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 5) return PyErr_Format(PyExc_TypeError, "conditional_means takes 5 arguments");
    ptrdiff_t M = PyLong_AsSsize_t(args[3]), K_up = PyLong_AsSsize_t(args[4]);
    ptrdiff_t size_values = items(args[0]), size_weights = items(args[1]);
    if (PyErr_Occurred()) return NULL;
    if (M < 1 || K_up < 1 || size_weights < M || size_weights % (M * K_up) || size_values % size_weights)
        return PyErr_Format(PyExc_ValueError, "a block is empty");
    ptrdiff_t K = size_weights / M, d = size_values / size_weights;
    Buffers buffers = {.taken = 0};
    const double *values = take(&buffers, args[0], size_values, 'd', 0);
    const double *conditional = values ? take(&buffers, args[1], size_weights, 'd', 0) : NULL;
    double *out = conditional ? take(&buffers, args[2], M * d * K_up, 'd', PyBUF_WRITABLE) : NULL;
    if (out) {
        Py_BEGIN_ALLOW_THREADS
        conditional_means(M, d, K, K_up, values, conditional, out);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!out) return NULL;
    Py_RETURN_NONE;
}

#endif
