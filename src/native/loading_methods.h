/* The methods of the module for rows and their random effects. */
#ifndef MEMAGIC_LOADING_METHODS_H
#define MEMAGIC_LOADING_METHODS_H

#include "buffers.h"
#include "loadings.h"

/* along(index, loadings, values, base, out), n rows. */
static PyObject *along_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 5) return PyErr_Format(PyExc_TypeError, "along takes 5 arguments");
    ptrdiff_t size = items(args[0]), n_values = items(args[2]), n = items(args[3]);
    if (size < 0 || n_values < 0 || n < 0) return NULL;
    Buffers buffers = {.taken = 0};
    const ptrdiff_t *index = take(&buffers, args[0], size, 'n', 0);
    const double *loadings = index ? take(&buffers, args[1], size, 'd', 0) : NULL;
    const double *values = loadings ? take(&buffers, args[2], n_values, 'd', 0) : NULL;
    const double *base = values ? take(&buffers, args[3], n, 'd', 0) : NULL;
    double *out = base ? take(&buffers, args[4], n, 'd', PyBUF_WRITABLE) : NULL;
    if (out) {
        Py_BEGIN_ALLOW_THREADS
        along(n, n ? size / n : 0, index, loadings, values, base, out);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!out) return NULL;
    Py_RETURN_NONE;
}

/* sums(index, loadings, row, out), `out` zero at first. */
static PyObject *sums_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 4) return PyErr_Format(PyExc_TypeError, "sums takes 4 arguments");
    ptrdiff_t size = items(args[0]), n = items(args[2]), n_values = items(args[3]);
    if (size < 0 || n_values < 0 || n < 0) return NULL;
    Buffers buffers = {.taken = 0};
    const ptrdiff_t *index = take(&buffers, args[0], size, 'n', 0);
    const double *loadings = index ? take(&buffers, args[1], size, 'd', 0) : NULL;
    const double *row = loadings ? take(&buffers, args[2], n, 'd', 0) : NULL;
    double *out = row ? take(&buffers, args[3], n_values, 'd', PyBUF_WRITABLE) : NULL;
    if (out) {
        Py_BEGIN_ALLOW_THREADS
        sums(n, n ? size / n : 0, index, loadings, row, out);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!out) return NULL;
    Py_RETURN_NONE;
}

/* curvature(places, loadings, weight, out), `out` in the places of the system. */
static PyObject *curvature_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 4) return PyErr_Format(PyExc_TypeError, "curvature takes 4 arguments");
    ptrdiff_t size = items(args[1]), n = items(args[2]), length = items(args[3]);
    if (size < 0 || length < 0 || n < 0) return NULL;
    ptrdiff_t Q = n ? size / n : 0;
    Buffers buffers = {.taken = 0};
    const ptrdiff_t *places = take(&buffers, args[0], n * Q * (Q + 1) / 2, 'n', 0);
    const double *loadings = places ? take(&buffers, args[1], n * Q, 'd', 0) : NULL;
    const double *weight = loadings ? take(&buffers, args[2], n, 'd', 0) : NULL;
    double *out = weight ? take(&buffers, args[3], length, 'd', PyBUF_WRITABLE) : NULL;
    if (out) {
        Py_BEGIN_ALLOW_THREADS
        curvature(n, Q, places, loadings, weight, out);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!out) return NULL;
    Py_RETURN_NONE;
}

/* spread(places, index, loadings, inverse, third, by_effect, h, c, sums), `sums` zero at first. */
static PyObject *spread_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 9) return PyErr_Format(PyExc_TypeError, "spread takes 9 arguments");
    ptrdiff_t size = items(args[2]), length = items(args[3]), n = items(args[4]), n_values = items(args[8]);
    if (size < 0 || length < 0 || n < 0 || n_values < 0) return NULL;
    ptrdiff_t Q = n ? size / n : 0;
    Buffers buffers = {.taken = 0};
    const ptrdiff_t *places = take(&buffers, args[0], n * Q * (Q + 1) / 2, 'n', 0);
    const ptrdiff_t *index = places ? take(&buffers, args[1], n * Q, 'n', 0) : NULL;
    const double *loadings = index ? take(&buffers, args[2], n * Q, 'd', 0) : NULL;
    const double *inverse = loadings ? take(&buffers, args[3], length, 'd', 0) : NULL;
    const double *third = inverse ? take(&buffers, args[4], n, 'd', 0) : NULL;
    double *by_effect = third ? take(&buffers, args[5], n * Q, 'd', PyBUF_WRITABLE) : NULL;
    double *h = by_effect ? take(&buffers, args[6], n, 'd', PyBUF_WRITABLE) : NULL;
    double *c = h ? take(&buffers, args[7], n, 'd', PyBUF_WRITABLE) : NULL;
    double *out = c ? take(&buffers, args[8], n_values, 'd', PyBUF_WRITABLE) : NULL;
    if (out) {
        Py_BEGIN_ALLOW_THREADS
        spread(n, Q, places, index, loadings, inverse, third, by_effect, h, c, out);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!out) return NULL;
    Py_RETURN_NONE;
}

/* by_loading(index, loadings, v, u, first, second, c, by_effect, e, score), the last three written, and
 * by_effect read before that. */
static PyObject *by_loading_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 10) return PyErr_Format(PyExc_TypeError, "by_loading takes 10 arguments");
    ptrdiff_t size = items(args[0]), n_values = items(args[2]), n = items(args[4]);
    if (size < 0 || n_values < 0 || n < 0) return NULL;
    const ptrdiff_t sizes[9] = {size, n_values, n_values, n, n, n, size, n, n};
    Buffers buffers = {.taken = 0};
    const ptrdiff_t *index = take(&buffers, args[0], size, 'n', 0);
    double *at[9] = {NULL};
    int done = index != NULL;
    for (int i = 0; done && i < 9; i++)
        done = (at[i] = take(&buffers, args[1 + i], sizes[i], 'd', i < 6 ? 0 : PyBUF_WRITABLE)) != NULL;
    if (done) {
        Py_BEGIN_ALLOW_THREADS
        by_loading(n, n ? size / n : 0, index, at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7], at[8]);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!done) return NULL;
    Py_RETURN_NONE;
}

/* dot(left, right) */
static PyObject *dot_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 2) return PyErr_Format(PyExc_TypeError, "dot takes 2 arguments");
    ptrdiff_t n = items(args[0]);
    if (n < 0) return NULL;
    Buffers buffers = {.taken = 0};
    const double *left = take(&buffers, args[0], n, 'd', 0);
    const double *right = left ? take(&buffers, args[1], n, 'd', 0) : NULL;
    double total = 0.0;
    if (right) {
        Py_BEGIN_ALLOW_THREADS
        total = dot(n, left, right);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    return right ? PyFloat_FromDouble(total) : NULL;
}

/* coupled(first, second, blocks, left, right, left_out, right_out, q, r, k): see `coupled` in loadings.h. */
static PyObject *coupled_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 10) return PyErr_Format(PyExc_TypeError, "coupled takes 10 arguments");
    ptrdiff_t n_links = items(args[0]), n_left = items(args[3]), n_right = items(args[4]);
    ptrdiff_t q = PyLong_AsSsize_t(args[7]), r = PyLong_AsSsize_t(args[8]), k = PyLong_AsSsize_t(args[9]);
    if (PyErr_Occurred() || n_links < 0 || n_left < 0 || n_right < 0) return NULL;
    Buffers buffers = {.taken = 0};
    const ptrdiff_t *first = take(&buffers, args[0], n_links, 'n', 0);
    const ptrdiff_t *second = first ? take(&buffers, args[1], n_links, 'n', 0) : NULL;
    const double *blocks = second ? take(&buffers, args[2], n_links * q * r, 'd', 0) : NULL;
    const double *left = blocks ? take(&buffers, args[3], n_left, 'd', 0) : NULL;
    const double *right = left ? take(&buffers, args[4], n_right, 'd', 0) : NULL;
    double *left_out = right ? take(&buffers, args[5], n_left, 'd', PyBUF_WRITABLE) : NULL;
    double *right_out = left_out ? take(&buffers, args[6], n_right, 'd', PyBUF_WRITABLE) : NULL;
    if (right_out) {
        Py_BEGIN_ALLOW_THREADS
        coupled(n_links, q, r, k, first, second, blocks, left, right, left_out, right_out);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!right_out) return NULL;
    Py_RETURN_NONE;
}

#endif
