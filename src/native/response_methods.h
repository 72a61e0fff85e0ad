/* The method for averages of a response function. */
#ifndef MEMAGIC_RESPONSE_METHODS_H
#define MEMAGIC_RESPONSE_METHODS_H

#include "buffers.h"
#include "responses.h"

/* response_averages(link, mu, s, at, weights, out), of link 0 for the logit and 1 for the complementary log-log:
 * see ResponseArguments. */
static PyObject *response_averages_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 6) return PyErr_Format(PyExc_TypeError, "response_averages takes 6 arguments");
    long link = PyLong_AsLong(args[0]);
    ResponseArguments a = {0};
    a.n = items(args[1]);
    a.nodes = items(args[3]);
    ptrdiff_t size = items(args[5]);
    if (PyErr_Occurred()) return NULL;
    if (link < 0 || link > 1) return PyErr_Format(PyExc_ValueError, "no such link");
    a.orders = a.n ? size / a.n : 0;
    if (a.orders > RESPONSE_ORDERS || a.orders * a.n != size)
        return PyErr_Format(PyExc_ValueError, "as many derivatives are not there");
    Buffers buffers = {.taken = 0};
    double *by_row[2], *by_node[2], *out = NULL;
    if (take_doubles(&buffers, args + 1, 2, a.n, 0, by_row) && take_doubles(&buffers, args + 3, 2, a.nodes, 0, by_node))
        out = take(&buffers, args[5], size, 'd', PyBUF_WRITABLE);
    if (out) {
        a.mu = by_row[0];
        a.s = by_row[1];
        a.at = by_node[0];
        a.weights = by_node[1];
        a.out = out;
        Py_BEGIN_ALLOW_THREADS
        if (link == 0)
            logistic_averages(&a);
        else
            gompertz_averages(&a);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!out) return NULL;
    Py_RETURN_NONE;
}

#endif
