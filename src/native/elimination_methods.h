/* The methods of the module for the elimination of a term. */
#ifndef MEMAGIC_ELIMINATION_METHODS_H
#define MEMAGIC_ELIMINATION_METHODS_H

#include "buffers.h"
#include "elimination.h"

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

/* invert(begins, row, place, listed | None, q, inverse, solved, rest | None, across, corner): -D^-1 C S^-1,
 * of which D^-1 C S^-1 is there without a rest, and the blocks of the groups. */
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

/* Right-hand sides of k columns from args[0] on, (rhs, first, k), the term's own from row `first` on. */
typedef struct {
    double *rhs, *own;
    ptrdiff_t k;
} RightHand;

static int right_hand_of(Buffers *buffers, RightHand *sides, const Design *a, PyObject *const *args) {
    ptrdiff_t size = items(args[0]), first = PyLong_AsSsize_t(args[1]);
    sides->k = PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred()) return 0;
    if (sides->k < 1 || first < 0 || (first + a->M * a->q) * sides->k > size) {
        PyErr_SetString(PyExc_ValueError, "right-hand sides are of the wrong size");
        return 0;
    }
    if (!(sides->rhs = take(buffers, args[0], size, 'd', PyBUF_WRITABLE))) return 0;
    sides->own = sides->rhs + first * sides->k;
    return 1;
}

/* forwards(begins, column, column, None, q, inverse, entries, rhs, first, k) */
static PyObject *forwards_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 10) return PyErr_Format(PyExc_TypeError, "forwards takes 10 arguments");
    Buffers buffers = {.taken = 0};
    Design a = {0};
    RightHand sides = {0};
    const double *inverse = NULL, *entries = NULL;
    double *block = NULL;
    if (design_of(&buffers, &a, args, args[4]) && right_hand_of(&buffers, &sides, &a, args + 7)) {
        inverse = take(&buffers, args[5], a.M * a.q * a.q, 'd', 0);
        entries = inverse ? take(&buffers, args[6], a.E * a.q, 'd', 0) : NULL;
        block = entries ? room(a.q * sides.k) : NULL;
    }
    if (block) {
        Py_BEGIN_ALLOW_THREADS
        forwards(&a, a.place, inverse, entries, sides.rhs, sides.own, block, sides.k);
        Py_END_ALLOW_THREADS
        PyMem_Free(block);
    }
    release(&buffers);
    if (!block) return NULL;
    Py_RETURN_NONE;
}

/* backwards(begins, column, column, None, q, solved, rhs, first, k) */
static PyObject *backwards_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 9) return PyErr_Format(PyExc_TypeError, "backwards takes 9 arguments");
    Buffers buffers = {.taken = 0};
    Design a = {0};
    RightHand sides = {0};
    const double *solved = NULL;
    if (design_of(&buffers, &a, args, args[4]) && right_hand_of(&buffers, &sides, &a, args + 6))
        solved = take(&buffers, args[5], a.E * a.q, 'd', 0);
    if (solved) {
        Py_BEGIN_ALLOW_THREADS
        backwards(&a, a.place, solved, sides.rhs, sides.own, sides.k);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!solved) return NULL;
    Py_RETURN_NONE;
}

#endif
