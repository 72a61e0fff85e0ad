/* Methods of the module that go through columns of numbers one element at a time. */
#ifndef MEMAGIC_ELEMENTWISE_H
#define MEMAGIC_ELEMENTWISE_H

#include "buffers.h"
#include "distributions.h"
#include "rising.h"

/* Columns that are read and columns that are written, as long as the first of them. */
typedef struct {
    Buffers buffers;
    ptrdiff_t size;
    const double *in[3];
    double *out[6];
} Columns;

/* Take `n_in` arrays and after `skipped` arguments `n_out` more; 0 with an exception set and nothing held. */
static int take_columns(Columns *columns, PyObject *const *args, int n_in, int skipped, int n_out) {
    columns->buffers.taken = 0;
    if ((columns->size = items(args[0])) < 0) return 0;
    int done = 1;
    for (int i = 0; done && i < n_in; i++)
        done = (columns->in[i] = take(&columns->buffers, args[i], columns->size, 'd', 0)) != NULL;
    args += n_in + skipped;
    for (int i = 0; done && i < n_out; i++)
        done = (columns->out[i] = take(&columns->buffers, args[i], columns->size, 'd', PyBUF_WRITABLE)) != NULL;
    if (!done) release(&columns->buffers);
    return done;
}

/* log_rising(log_size, y, order, value, first, second, third) */
static PyObject *log_rising_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 7) return PyErr_Format(PyExc_TypeError, "log_rising takes 7 arguments");
    long order = PyLong_AsLong(args[2]);
    if (PyErr_Occurred()) return NULL;
    Columns c;
    if (!take_columns(&c, args, 2, 1, 4)) return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (ptrdiff_t i = 0; i < c.size; i++) {
        Rising at = log_rising(c.in[0][i], c.in[1][i], (int)order);
        c.out[0][i] = at.value;
        c.out[1][i] = at.first;
        c.out[2][i] = at.second;
        c.out[3][i] = at.third;
    }
    Py_END_ALLOW_THREADS
    release(&c.buffers);
    Py_RETURN_NONE;
}

/* normal_interval(eta, below, above, log_probability, mirrored, high, low, at_high, at_low) */
static PyObject *normal_interval_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 9) return PyErr_Format(PyExc_TypeError, "normal_interval takes 9 arguments");
    Columns c;
    if (!take_columns(&c, args, 3, 0, 6)) return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (ptrdiff_t i = 0; i < c.size; i++) {
        Interval at = normal_interval(c.in[0][i], c.in[1][i], c.in[2][i]);
        c.out[0][i] = at.log_probability;
        c.out[1][i] = at.mirrored;
        c.out[2][i] = at.high;
        c.out[3][i] = at.low;
        c.out[4][i] = at.at_high;
        c.out[5][i] = at.at_low;
    }
    Py_END_ALLOW_THREADS
    release(&c.buffers);
    Py_RETURN_NONE;
}

/* gompertz(eta, log_success, h, w) */
static PyObject *gompertz_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 4) return PyErr_Format(PyExc_TypeError, "gompertz takes 4 arguments");
    Columns c;
    if (!take_columns(&c, args, 1, 0, 3)) return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (ptrdiff_t i = 0; i < c.size; i++) {
        Gompertz at = gompertz(c.in[0][i]);
        c.out[0][i] = at.log_success;
        c.out[1][i] = at.h;
        c.out[2][i] = at.w;
    }
    Py_END_ALLOW_THREADS
    release(&c.buffers);
    Py_RETURN_NONE;
}

#endif
