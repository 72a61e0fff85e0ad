/* The method of the module for the posterior of crossed effects. */
#ifndef MEMAGIC_POSTERIOR_METHODS_H
#define MEMAGIC_POSTERIOR_METHODS_H

#include "buffers.h"
#include "density_methods.h"
#include "posterior.h"

/* posterior(code, parameters, columns, index, loadings, fixed, v, eta, first, second, slope) -> the value; see
 * PosteriorArguments. */
static PyObject *posterior_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 11) return PyErr_Format(PyExc_TypeError, "posterior takes 11 arguments");
    PosteriorArguments a = {0};
    ptrdiff_t size = items(args[3]);
    a.n = items(args[5]);
    a.N = items(args[6]);
    if (size < 0 || a.n < 0 || a.N < 0) return NULL;
    a.Q = a.n ? size / a.n : 0;
    Buffers buffers = {.taken = 0};
    int done = 0;
    do {
        if (!take_density(&buffers, args, a.n, &a.density)) break;
        if (!(a.index = take(&buffers, args[3], a.n * a.Q, 'n', 0))) break;
        if (!(a.loadings = take(&buffers, args[4], a.n * a.Q, 'd', 0))) break;
        if (!(a.fixed = take(&buffers, args[5], a.n, 'd', 0))) break;
        if (!(a.v = take(&buffers, args[6], a.N, 'd', 0))) break;
        if (!(a.eta = take(&buffers, args[7], a.n, 'd', PyBUF_WRITABLE))) break;
        if (!(a.first = take(&buffers, args[8], a.n, 'd', PyBUF_WRITABLE))) break;
        if (!(a.second = take(&buffers, args[9], a.n, 'd', PyBUF_WRITABLE))) break;
        if (!(a.slope = take(&buffers, args[10], a.N, 'd', PyBUF_WRITABLE))) break;
        done = 1;
    } while (0);
    double value = 0.0;
    if (done) {
        Py_BEGIN_ALLOW_THREADS
        value = posterior(&a);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    return done ? PyFloat_FromDouble(value) : NULL;
}

#endif
