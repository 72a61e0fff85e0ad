/* The method for a step of the elimination over nested levels. */
#ifndef MEMAGIC_CHAIN_METHODS_H
#define MEMAGIC_CHAIN_METHODS_H

#include "buffers.h"
#include "chains.h"

/* eliminate_level(curvature, lift | None, inverse, slope, up, log_det) -> how many pivots are not definite enough:
 * see ChainStep. */
static PyObject *eliminate_level_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 6) return PyErr_Format(PyExc_TypeError, "eliminate_level takes 6 arguments");
    ChainStep a = {0};
    a.M = items(args[5]);
    ptrdiff_t size = items(args[0]), pivots = items(args[2]), bad = 0;
    if (PyErr_Occurred()) return NULL;
    while (a.M > 0 && a.Q * a.Q * a.M < size) a.Q++;
    while (a.M > 0 && a.q * a.q * a.M < pivots) a.q++;
    ptrdiff_t above = a.Q - a.q;
    if (above < 0) return PyErr_Format(PyExc_ValueError, "arrays do not fit together");
    Buffers buffers = {.taken = 0};
    int done = 0;
    do {
        if (!(a.curvature = take(&buffers, args[0], a.M * a.Q * a.Q, 'd', 0))) break;
        if (args[1] != Py_None && !(a.lift = take(&buffers, args[1], a.M, 'd', 0))) break;
        if (!(a.inverse = take(&buffers, args[2], a.M * a.q * a.q, 'd', PyBUF_WRITABLE))) break;
        if (!(a.slope = take(&buffers, args[3], a.M * a.q * above, 'd', PyBUF_WRITABLE))) break;
        if (!(a.up = take(&buffers, args[4], a.M * above * above, 'd', PyBUF_WRITABLE))) break;
        if (!(a.log_det = take(&buffers, args[5], a.M, 'd', PyBUF_WRITABLE))) break;
        if (!(a.workspace = room(2 * a.q * a.q))) break;
        done = 1;
    } while (0);
    if (done) {
        Py_BEGIN_ALLOW_THREADS
        bad = eliminate_level(&a);
        Py_END_ALLOW_THREADS
        PyMem_Free(a.workspace);
    }
    release(&buffers);
    if (!done) return NULL;
    return PyLong_FromSsize_t(bad);
}

#endif
