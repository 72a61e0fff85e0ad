/* Methods on elements: densities, and the functions that other derivatives are made of. */
#ifndef MEMAGIC_DENSITY_METHODS_H
#define MEMAGIC_DENSITY_METHODS_H

#include "buffers.h"
#include "row_density.h"

static const Kind *kind_of(long code) {
    if (code >= 0 && code < N_KINDS) return &KINDS[code];
    PyErr_SetString(PyExc_ValueError, "no such density");
    return NULL;
}

/* Consecutive arguments code, parameters and columns for `n` rows; zero, with an exception set, unless they fit. */
static int take_density(Buffers *buffers, PyObject *const *args, ptrdiff_t n, RowDensity *f) {
    f->n = n;
    if (!(f->kind = kind_of(PyLong_AsLong(args[0])))) return 0;
    if (!(f->parameters = take(buffers, args[1], f->kind->parameters, 'd', 0))) return 0;
    return (f->columns = take(buffers, args[2], f->kind->columns * n, 'd', 0)) != NULL;
}

/* densities(code, parameters, columns, eta, logf, first | None, second | None) */
static PyObject *densities(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 7) return PyErr_Format(PyExc_TypeError, "densities takes 7 arguments");
    const Kind *kind = kind_of(PyLong_AsLong(args[0]));
    if (!kind) return NULL;
    int derive = args[5] != Py_None;
    ptrdiff_t m = items(args[3]), given = items(args[2]);
    if (m < 0 || given < 0) return NULL;
    ptrdiff_t n = given / kind->columns;
    if (n * kind->columns != given || (n ? m % n : m) != 0)
        return PyErr_Format(PyExc_ValueError, "columns do not go into the elements");
    Buffers buffers = {.taken = 0};
    RowDensity f;
    const double *eta = take_density(&buffers, args, n, &f) ? take(&buffers, args[3], m, 'd', 0) : NULL;
    double *logf = eta ? take(&buffers, args[4], m, 'd', PyBUF_WRITABLE) : NULL;
    double *first = logf && derive ? take(&buffers, args[5], m, 'd', PyBUF_WRITABLE) : NULL;
    double *second = first ? take(&buffers, args[6], m, 'd', PyBUF_WRITABLE) : NULL;
    if (!logf || (derive && !second)) {
        release(&buffers);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    ptrdiff_t k = n ? m / n : 1, row = 0, at = 0; /* the element to come is `at` of `row` */
    double spread[MOST_COLUMNS * CHUNK];
    for (ptrdiff_t begin = 0; begin < m; begin += CHUNK) {
        ptrdiff_t size = m - begin < CHUNK ? m - begin : CHUNK;
        Output out = {logf + begin, NULL, derive ? first + begin : NULL, derive ? second + begin : NULL};
        if (k == 1) {
            density_of_rows(&f, begin, size, eta + begin, out);
            continue;
        }
        for (ptrdiff_t i = 0; i < size; i++) {
            for (int c = 0; c < kind->columns; c++) spread[c * CHUNK + i] = f.columns[c * n + row];
            if (++at == k) {
                at = 0;
                row++;
            }
        }
        kind->density(size, eta + begin, spread, f.parameters, out);
    }
    Py_END_ALLOW_THREADS
    release(&buffers);
    Py_RETURN_NONE;
}

/* Elementwise functions of one to three columns: log_rising(log_size, y, value, first, second, third),
 * normal_interval(eta, below, above, six arrays), gompertz(eta, log_success, h, w). */
static PyObject *log_rising_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 7) return PyErr_Format(PyExc_TypeError, "log_rising takes 7 arguments");
    long order = PyLong_AsLong(args[2]);
    ptrdiff_t m = items(args[0]);
    if (m < 0 || PyErr_Occurred()) return NULL;
    Buffers buffers = {.taken = 0};
    double *in[2], *out[4];
    int done = take_doubles(&buffers, args, 2, m, 0, in) &&
               take_doubles(&buffers, args + 3, 4, m, PyBUF_WRITABLE, out);
    if (done) {
        Py_BEGIN_ALLOW_THREADS
        for (ptrdiff_t i = 0; i < m; i++) {
            Rising at = log_rising(in[0][i], in[1][i], (int)order);
            out[0][i] = at.value;
            out[1][i] = at.first;
            out[2][i] = at.second;
            out[3][i] = at.third;
        }
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!done) return NULL;
    Py_RETURN_NONE;
}

static PyObject *normal_interval_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 9) return PyErr_Format(PyExc_TypeError, "normal_interval takes 9 arguments");
    ptrdiff_t m = items(args[0]);
    if (m < 0) return NULL;
    Buffers buffers = {.taken = 0};
    double *in[3], *out[6];
    int done = take_doubles(&buffers, args, 3, m, 0, in) &&
               take_doubles(&buffers, args + 3, 6, m, PyBUF_WRITABLE, out);
    if (done) {
        Py_BEGIN_ALLOW_THREADS
        for (ptrdiff_t i = 0; i < m; i++) {
            Interval at = normal_interval(in[0][i], in[1][i], in[2][i]);
            out[0][i] = at.log_probability;
            out[1][i] = at.mirrored;
            out[2][i] = at.high;
            out[3][i] = at.low;
            out[4][i] = at.at_high;
            out[5][i] = at.at_low;
        }
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!done) return NULL;
    Py_RETURN_NONE;
}

/* bernoulli_cumulant(eta, out): see distributions.h. */
static PyObject *bernoulli_cumulant_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 2) return PyErr_Format(PyExc_TypeError, "bernoulli_cumulant takes 2 arguments");
    ptrdiff_t m = items(args[0]);
    if (m < 0) return NULL;
    Buffers buffers = {.taken = 0};
    const double *eta = take(&buffers, args[0], m, 'd', 0);
    double *out = eta ? take(&buffers, args[1], m, 'd', PyBUF_WRITABLE) : NULL;
    if (out) {
        Py_BEGIN_ALLOW_THREADS
        bernoulli_cumulant(m, eta, out);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!out) return NULL;
    Py_RETURN_NONE;
}

static PyObject *gompertz_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 4) return PyErr_Format(PyExc_TypeError, "gompertz takes 4 arguments");
    ptrdiff_t m = items(args[0]);
    if (m < 0) return NULL;
    Buffers buffers = {.taken = 0};
    double *eta, *out[3];
    int done = take_doubles(&buffers, args, 1, m, 0, &eta) &&
               take_doubles(&buffers, args + 1, 3, m, PyBUF_WRITABLE, out);
    if (done) {
        Py_BEGIN_ALLOW_THREADS
        for (ptrdiff_t i = 0; i < m; i++) {
            Gompertz at = gompertz(eta[i]);
            out[0][i] = at.log_success;
            out[1][i] = at.h;
            out[2][i] = at.w;
        }
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!done) return NULL;
    Py_RETURN_NONE;
}

#endif
