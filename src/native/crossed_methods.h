/* The methods of the module for crossed effects. */
#ifndef MEMAGIC_CROSSED_METHODS_H
#define MEMAGIC_CROSSED_METHODS_H

#include "buffers.h"
#include "elimination.h"
#include "loadings.h"

/* The design of the methods below, checked: (begins, row, place, listed | None) from args[at] on, q. */
static int design_of(Buffers *buffers, Design *a, PyObject *const *args, PyObject *effects) {
    a->q = PyLong_AsSsize_t(effects);
    if (PyErr_Occurred()) return 0;
    a->M = items(args[0]) - 1;
    a->E = items(args[1]);
    ptrdiff_t n_pairs = args[3] == Py_None ? 0 : items(args[3]);
    if (a->M < 0 || a->E < 0 || n_pairs < 0 || a->q < 1) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "there are no groups");
        return 0;
    }
    if (!(a->begins = take(buffers, args[0], a->M + 1, 'n', 0))) return 0;
    if (!(a->row = take(buffers, args[1], a->E, 'n', 0))) return 0;
    if (!(a->place = take(buffers, args[2], a->E, 'n', 0))) return 0;
    if (args[3] != Py_None && !(a->listed = take(buffers, args[3], n_pairs, 'n', 0))) return 0;
    if (a->begins[a->M] == a->E) return 1;
    PyErr_SetString(PyExc_ValueError, "entries are missing");
    return 0;
}

/* eliminate(begins, row, place, listed | None, q, inverse, entries, solved, left | None): D^-1 C, and what is
 * left without C'D^-1 C. */
static PyObject *eliminate_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 9) return PyErr_Format(PyExc_TypeError, "eliminate takes 9 arguments");
    Buffers buffers = {.taken = 0};
    Design a = {0};
    int there = args[8] != Py_None;
    const double *inverse = NULL, *entries = NULL;
    double *solved = NULL, *left = NULL;
    if (design_of(&buffers, &a, args, args[4])) {
        inverse = take(&buffers, args[5], a.M * a.q * a.q, 'd', 0);
        entries = inverse ? take(&buffers, args[6], a.E * a.q, 'd', 0) : NULL;
        solved = entries ? take(&buffers, args[7], a.E * a.q, 'd', PyBUF_WRITABLE) : NULL;
        left = solved && there ? take(&buffers, args[8], items(args[8]), 'd', PyBUF_WRITABLE) : NULL;
    }
    int done = solved && (left || !there);
    if (done) {
        Py_BEGIN_ALLOW_THREADS
        solve_entries(&a, inverse, entries, solved);
        if (there) eliminate(&a, entries, solved, left);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!done) return NULL;
    Py_RETURN_NONE;
}

/* invert(begins, row, place, listed | None, q, inverse, solved, rest | None, across, corner): D^-1 C S^-1,
 * unless it is there without a rest, and the blocks of the groups. */
static PyObject *invert_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 10) return PyErr_Format(PyExc_TypeError, "invert takes 10 arguments");
    Buffers buffers = {.taken = 0};
    Design a = {0};
    int there = args[7] != Py_None;
    const double *inverse = NULL, *solved = NULL, *rest = NULL;
    double *across = NULL, *corner = NULL;
    if (design_of(&buffers, &a, args, args[4])) {
        inverse = take(&buffers, args[5], a.M * a.q * a.q, 'd', 0);
        solved = inverse ? take(&buffers, args[6], a.E * a.q, 'd', 0) : NULL;
        rest = solved && there ? take(&buffers, args[7], items(args[7]), 'd', 0) : NULL;
        across = solved && (rest || !there) ? take(&buffers, args[8], a.E * a.q, 'd', PyBUF_WRITABLE) : NULL;
        corner = across ? take(&buffers, args[9], a.M * a.q * a.q, 'd', PyBUF_WRITABLE) : NULL;
    }
    if (corner) {
        Py_BEGIN_ALLOW_THREADS
        if (there) across_entries(&a, solved, rest, across);
        corners(&a, inverse, across, solved, corner);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!corner) return NULL;
    Py_RETURN_NONE;
}

/* forwards(begins, column, column, None, q, inverse, entries, rhs, first, k) and, with solved rather than
 * inverse and entries, backwards. */
static PyObject *substitute(PyObject *const *args, Py_ssize_t n_args, int back) {
    if (n_args != 10 - back) return PyErr_Format(PyExc_TypeError, "the number of arguments is wrong");
    Buffers buffers = {.taken = 0};
    Design a = {0};
    ptrdiff_t first = PyLong_AsSsize_t(args[8 - back]), k = PyLong_AsSsize_t(args[9 - back]);
    ptrdiff_t size = items(args[7 - back]);
    const double *inverse = NULL, *entries = NULL;
    double *rhs = NULL, *block = NULL;
    if (!PyErr_Occurred() && size >= 0 && design_of(&buffers, &a, args, args[4])) {
        if (k < 1 || first < 0 || (first + a.M * a.q) * k > size) {
            PyErr_SetString(PyExc_ValueError, "right-hand sides are of the wrong size");
        } else {
            entries = take(&buffers, args[6 - back], a.E * a.q, 'd', 0);
            inverse = entries && !back ? take(&buffers, args[5], a.M * a.q * a.q, 'd', 0) : entries;
            rhs = inverse ? take(&buffers, args[7 - back], size, 'd', PyBUF_WRITABLE) : NULL;
            block = rhs ? PyMem_Calloc((size_t)(a.q * k), sizeof(double)) : NULL;
            if (rhs && !block) PyErr_NoMemory();
        }
    }
    if (block) {
        Py_BEGIN_ALLOW_THREADS
        double *own = rhs + first * k;
        if (back) backwards(&a, a.place, entries, rhs, own, k);
        else forwards(&a, a.place, inverse, entries, rhs, own, block, k);
        Py_END_ALLOW_THREADS
        PyMem_Free(block);
    }
    release(&buffers);
    if (!block) return NULL;
    Py_RETURN_NONE;
}

static PyObject *forwards_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    return substitute(args, n_args, 0);
}

static PyObject *backwards_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    return substitute(args, n_args, 1);
}

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

/* spread(places, loadings, inverse, by_effect, h) */
static PyObject *spread_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 5) return PyErr_Format(PyExc_TypeError, "spread takes 5 arguments");
    ptrdiff_t size = items(args[1]), n = items(args[4]), length = items(args[2]);
    if (size < 0 || length < 0 || n < 0) return NULL;
    ptrdiff_t Q = n ? size / n : 0;
    Buffers buffers = {.taken = 0};
    const ptrdiff_t *places = take(&buffers, args[0], n * Q * (Q + 1) / 2, 'n', 0);
    const double *loadings = places ? take(&buffers, args[1], n * Q, 'd', 0) : NULL;
    const double *inverse = loadings ? take(&buffers, args[2], length, 'd', 0) : NULL;
    double *by_effect = inverse ? take(&buffers, args[3], n * Q, 'd', PyBUF_WRITABLE) : NULL;
    double *h = by_effect ? take(&buffers, args[4], n, 'd', PyBUF_WRITABLE) : NULL;
    if (h) {
        Py_BEGIN_ALLOW_THREADS
        spread(n, Q, places, loadings, inverse, by_effect, h);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!h) return NULL;
    Py_RETURN_NONE;
}

/* by_loading(index, v, u, score, first, second, by_effect), the last overwritten. */
static PyObject *by_loading_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 7) return PyErr_Format(PyExc_TypeError, "by_loading takes 7 arguments");
    ptrdiff_t size = items(args[0]), n_values = items(args[1]), n = items(args[3]);
    if (size < 0 || n_values < 0 || n < 0) return NULL;
    Buffers buffers = {.taken = 0};
    const ptrdiff_t *index = take(&buffers, args[0], size, 'n', 0);
    const double *in[5] = {NULL};
    int done = index != NULL;
    for (int i = 0; done && i < 5; i++) done = (in[i] = take(&buffers, args[1 + i], i < 2 ? n_values : n, 'd', 0)) != NULL;
    double *by_effect = done ? take(&buffers, args[6], size, 'd', PyBUF_WRITABLE) : NULL;
    if (by_effect) {
        Py_BEGIN_ALLOW_THREADS
        by_loading(n, n ? size / n : 0, index, in[0], in[1], in[2], in[3], in[4], by_effect);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!by_effect) return NULL;
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

/* coupled(first, second, blocks, left, right, left_out, right_out, k): see `coupled` in loadings.h. */
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
