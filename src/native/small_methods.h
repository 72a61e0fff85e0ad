/* The methods of the module for small matrices and for the pieces of a system. */
#ifndef MEMAGIC_SMALL_METHODS_H
#define MEMAGIC_SMALL_METHODS_H

#include "buffers.h"
#include "small.h"

/* The sizes of small matrices, whose squares come to `length`. */
static const ptrdiff_t *sizes_of(Buffers *buffers, PyObject *array, ptrdiff_t *count, ptrdiff_t *columns,
                                 ptrdiff_t length) {
    *count = items(array);
    const ptrdiff_t *size = *count < 0 ? NULL : take(buffers, array, *count, 'n', 0);
    if (!size || length < 0) return NULL;
    ptrdiff_t total = 0;
    *columns = 0;
    for (ptrdiff_t p = 0; p < *count; p++) {
        if (size[p] < 0 || size[p] > MOST_SMALL) total = -1;
        if (total < 0) break;
        total += size[p] * size[p];
        *columns += size[p];
    }
    if (total == length) return size;
    PyErr_SetString(PyExc_ValueError, "matrices are of the wrong size");
    return NULL;
}

/* small_roots(sizes, flat) -> log determinant, or None unless all are positive definite. */
static PyObject *small_roots_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 2) return PyErr_Format(PyExc_TypeError, "small_roots takes 2 arguments");
    Buffers buffers = {.taken = 0};
    ptrdiff_t count, columns, length = items(args[1]);
    const ptrdiff_t *size = sizes_of(&buffers, args[0], &count, &columns, length);
    double *flat = size ? take(&buffers, args[1], length, 'd', PyBUF_WRITABLE) : NULL;
    double log_det = 0.0;
    int definite = 0;
    if (flat) {
        Py_BEGIN_ALLOW_THREADS
        definite = small_roots(count, size, flat, &log_det);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!flat) return NULL;
    if (!definite) Py_RETURN_NONE;
    return PyFloat_FromDouble(log_det);
}

/* small_inverses(sizes, roots, out, traces), `traces` of two, zero at first. */
static PyObject *small_inverses_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 4) return PyErr_Format(PyExc_TypeError, "small_inverses takes 4 arguments");
    Buffers buffers = {.taken = 0};
    ptrdiff_t count, columns, length = items(args[1]);
    const ptrdiff_t *size = sizes_of(&buffers, args[0], &count, &columns, length);
    const double *roots = size ? take(&buffers, args[1], length, 'd', 0) : NULL;
    double *out = roots ? take(&buffers, args[2], length, 'd', PyBUF_WRITABLE) : NULL;
    double *traces = out ? take(&buffers, args[3], 2, 'd', PyBUF_WRITABLE) : NULL;
    if (traces) {
        Py_BEGIN_ALLOW_THREADS
        small_inverses(count, size, roots, out, traces);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!traces) return NULL;
    Py_RETURN_NONE;
}

/* equal_inverses(s, flat, out) -> log determinant, or None unless all are positive definite; `flat` serves as
 * room. */
static PyObject *equal_inverses_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 3) return PyErr_Format(PyExc_TypeError, "equal_inverses takes 3 arguments");
    ptrdiff_t s = PyLong_AsSsize_t(args[0]), length = items(args[1]);
    if (PyErr_Occurred()) return NULL;
    if (s < 1 || s > MOST_SMALL || length % (s * s)) return PyErr_Format(PyExc_ValueError, "matrices are of the wrong size");
    Buffers buffers = {.taken = 0};
    double *flat = take(&buffers, args[1], length, 'd', PyBUF_WRITABLE);
    double *out = flat ? take(&buffers, args[2], length, 'd', PyBUF_WRITABLE) : NULL;
    double log_det = 0.0;
    int definite = 0;
    if (out) {
        Py_BEGIN_ALLOW_THREADS
        definite = equal_inverses(length / (s * s), s, flat, out, &log_det);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!out) return NULL;
    if (!definite) Py_RETURN_NONE;
    return PyFloat_FromDouble(log_det);
}

/* Roots of small matrices and the columns that each is about, from args[0] on: (sizes, columns, roots). */
typedef struct {
    ptrdiff_t count;
    const ptrdiff_t *size, *columns;
    const double *roots;
} Small;

static int pieces_of(Buffers *buffers, Small *pieces, PyObject *const *args) {
    ptrdiff_t n_columns, length = items(args[2]);
    if (!(pieces->size = sizes_of(buffers, args[0], &pieces->count, &n_columns, length))) return 0;
    if (!(pieces->columns = take(buffers, args[1], n_columns, 'n', 0))) return 0;
    return (pieces->roots = take(buffers, args[2], length, 'd', 0)) != NULL;
}

/* small_solutions(sizes, columns, roots, rhs, k) */
static PyObject *small_solutions_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 5) return PyErr_Format(PyExc_TypeError, "small_solutions takes 5 arguments");
    ptrdiff_t n_rhs = items(args[3]), k = PyLong_AsSsize_t(args[4]);
    if (PyErr_Occurred()) return NULL;
    Buffers buffers = {.taken = 0};
    Small pieces = {0};
    double *rhs = NULL, *work = NULL;
    if (pieces_of(&buffers, &pieces, args)) rhs = take(&buffers, args[3], n_rhs, 'd', PyBUF_WRITABLE);
    work = rhs ? room(2 * k * MOST_SMALL) : NULL;
    if (work) {
        Py_BEGIN_ALLOW_THREADS
        small_solutions(pieces.count, pieces.size, pieces.columns, pieces.roots, rhs, k, work);
        Py_END_ALLOW_THREADS
        PyMem_Free(work);
    }
    release(&buffers);
    if (!work) return NULL;
    Py_RETURN_NONE;
}

/* connect(left, right, label) */
static PyObject *connect_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 3) return PyErr_Format(PyExc_TypeError, "connect takes 3 arguments");
    ptrdiff_t n_links = items(args[0]), n_columns = items(args[2]);
    if (n_links < 0 || n_columns < 0) return NULL;
    Buffers buffers = {.taken = 0};
    const ptrdiff_t *left = take(&buffers, args[0], n_links, 'n', 0);
    const ptrdiff_t *right = left ? take(&buffers, args[1], n_links, 'n', 0) : NULL;
    ptrdiff_t *label = right ? take(&buffers, args[2], n_columns, 'n', PyBUF_WRITABLE) : NULL;
    if (label) {
        Py_BEGIN_ALLOW_THREADS
        connect_columns(n_columns, n_links, left, right, label);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!label) return NULL;
    Py_RETURN_NONE;
}

#endif
