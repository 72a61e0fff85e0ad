/* The methods of the module for a whole system of which one term is eliminated and small pieces are left. Its
 * matrix, or its inverse, is in one array: the blocks of the groups, the entries, the pieces.
 */
#ifndef MEMAGIC_SYSTEM_METHODS_H
#define MEMAGIC_SYSTEM_METHODS_H

#include "buffers.h"
#include "elimination_methods.h"
#include "small_methods.h"

/* The array's parts. */
typedef struct {
    double *own, *entries, *left;
} Parts;

static int parts_of(Buffers *buffers, Parts *parts, const Design *a, PyObject *flat, ptrdiff_t n_left) {
    const ptrdiff_t n_own = a->M * a->q * a->q, n_entries = a->E * a->q;
    parts->own = take(buffers, flat, n_own + n_entries + n_left, 'd', PyBUF_WRITABLE);
    if (!parts->own) return 0;
    parts->entries = parts->own + n_own;
    parts->left = parts->entries + n_entries;
    return 1;
}

/* factor(begins, row, place, listed | None, q, flat, inverse, solved, sizes, n_left) -> log|D| and
 * that of the pieces, or None unless the matrix is positive definite: D^-1, D^-1 C, and in place of the pieces
 * their roots. */
static PyObject *factor_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 10) return PyErr_Format(PyExc_TypeError, "factor takes 10 arguments");
    Buffers buffers = {.taken = 0};
    Design a = {0};
    Parts parts = {0};
    ptrdiff_t count, n_columns, n_left = PyLong_AsSsize_t(args[9]);
    const ptrdiff_t *size = PyErr_Occurred() ? NULL : sizes_of(&buffers, args[8], &count, &n_columns, n_left);
    double *inverse = NULL, *solved = NULL, log_own = 0.0, log_left = 0.0;
    if (size && design_of(&buffers, &a, args, args[4]) && parts_of(&buffers, &parts, &a, args[5], n_left)) {
        if (a.q > MOST_SMALL) PyErr_SetString(PyExc_ValueError, "groups have too many effects");
        else inverse = take(&buffers, args[6], a.M * a.q * a.q, 'd', PyBUF_WRITABLE);
        solved = inverse ? take(&buffers, args[7], a.E * a.q, 'd', PyBUF_WRITABLE) : NULL;
    }
    int definite = 0;
    if (solved) {
        Py_BEGIN_ALLOW_THREADS
        definite = equal_inverses(a.M, a.q, parts.own, inverse, &log_own);
        if (definite) {
            solve_entries(&a, inverse, parts.entries, solved);
            eliminate(&a, parts.entries, solved, parts.left);
            definite = small_roots(count, size, parts.left, &log_left);
        }
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!solved) return NULL;
    if (!definite) Py_RETURN_NONE;
    return Py_BuildValue("dd", log_own, log_left);
}

/* solutions(begins, column, column, None, q, inverse, entries, solved, sizes, columns, roots, rhs, first, k):
 * forwards, through small pieces, and backwards. */
static PyObject *solutions_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 14) return PyErr_Format(PyExc_TypeError, "solutions takes 14 arguments");
    Buffers buffers = {.taken = 0};
    Design a = {0};
    RightHand sides = {0};
    Small pieces = {0};
    const double *inverse = NULL, *entries = NULL, *solved = NULL;
    double *work = NULL;
    if (design_of(&buffers, &a, args, args[4]) && right_hand_of(&buffers, &sides, &a, args + 11) &&
        pieces_of(&buffers, &pieces, args + 8)) {
        inverse = take(&buffers, args[5], a.M * a.q * a.q, 'd', 0);
        entries = inverse ? take(&buffers, args[6], a.E * a.q, 'd', 0) : NULL;
        solved = entries ? take(&buffers, args[7], a.E * a.q, 'd', 0) : NULL;
        work = solved ? room((a.q + 2 * MOST_SMALL) * sides.k) : NULL;
    }
    if (work) {
        Py_BEGIN_ALLOW_THREADS
        forwards(&a, a.place, inverse, entries, sides.rhs, sides.own, work, sides.k);
        small_solutions(pieces.count, pieces.size, pieces.columns, pieces.roots, sides.rhs, sides.k, work);
        backwards(&a, a.place, solved, sides.rhs, sides.own, sides.k);
        Py_END_ALLOW_THREADS
        PyMem_Free(work);
    }
    release(&buffers);
    if (!work) return NULL;
    Py_RETURN_NONE;
}

/* inverses(begins, row, place, listed | None, q, inverse, solved, sizes, roots, flat, traces): the inverse where
 * the matrix has entries, and traces of that of what is left, as `small_inverses`. */
static PyObject *inverses_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 11) return PyErr_Format(PyExc_TypeError, "inverses takes 11 arguments");
    Buffers buffers = {.taken = 0};
    Design a = {0};
    Parts parts = {0};
    ptrdiff_t count, n_columns, n_left = items(args[8]);
    const ptrdiff_t *size = sizes_of(&buffers, args[7], &count, &n_columns, n_left);
    const double *inverse = NULL, *solved = NULL, *roots = NULL;
    double *traces = NULL;
    if (size && design_of(&buffers, &a, args, args[4]) && parts_of(&buffers, &parts, &a, args[9], n_left)) {
        inverse = take(&buffers, args[5], a.M * a.q * a.q, 'd', 0);
        solved = inverse ? take(&buffers, args[6], a.E * a.q, 'd', 0) : NULL;
        roots = solved ? take(&buffers, args[8], n_left, 'd', 0) : NULL;
        traces = roots ? take(&buffers, args[10], 2, 'd', PyBUF_WRITABLE) : NULL;
    }
    if (traces) {
        Py_BEGIN_ALLOW_THREADS
        small_inverses(count, size, roots, parts.left, traces);
        across_entries(&a, solved, parts.left, parts.entries);
        corners(&a, inverse, parts.entries, solved, parts.own);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!traces) return NULL;
    Py_RETURN_NONE;
}

#endif
