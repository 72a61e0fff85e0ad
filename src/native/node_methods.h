/* Methods on the quadrature nodes of one level. */
#ifndef MEMAGIC_NODE_METHODS_H
#define MEMAGIC_NODE_METHODS_H

#include "buffers.h"
#include "nodes.h"

/* chain_nodes(upper | None, parents, mean, root, paths, log_lebesgue, chains, log_weights, clusters, clusters above) */
static PyObject *chain_nodes_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 10) return PyErr_Format(PyExc_TypeError, "chain_nodes takes 10 arguments");
    ChainArguments a = {0};
    a.M = PyLong_AsSsize_t(args[8]);
    a.M_up = PyLong_AsSsize_t(args[9]);
    ptrdiff_t size_mean = items(args[2]), size_root = items(args[3]), size_upper = 0;
    a.K = items(args[5]);
    if (args[0] != Py_None) size_upper = items(args[0]);
    if (PyErr_Occurred()) return NULL;
    if (a.M < 1 || a.K < 1 || size_mean < a.M || size_mean % a.M || size_root % size_mean) return misfit();
    a.q = size_mean / a.M;
    a.Q = size_root / size_mean;
    ptrdiff_t above = a.Q - a.q;
    if (above < 0 || (above > 0) != (args[0] != Py_None)) return misfit();
    if (above) {
        if (a.M_up < 1 || size_upper % (a.M_up * above)) return misfit();
        a.K_up = size_upper / (a.M_up * above);
        if (a.K_up < 1 || a.K % a.K_up) return misfit();
    }
    Buffers buffers = {.taken = 0};
    int done = 0;
    do {
        if (above) {
            if (!(a.upper = take(&buffers, args[0], size_upper, 'd', 0))) break;
            if (!(a.parents = take(&buffers, args[1], a.M, 'n', 0))) break;
            if (!all_below(a.parents, a.M, a.M_up)) {
                misfit();
                break;
            }
        }
        if (!(a.mean = take(&buffers, args[2], size_mean, 'd', 0))) break;
        if (!(a.root = take(&buffers, args[3], size_root, 'd', 0))) break;
        if (!(a.paths = take(&buffers, args[4], a.Q * a.K, 'd', 0))) break;
        if (!(a.log_lebesgue = take(&buffers, args[5], a.K, 'd', 0))) break;
        if (!(a.chains = take(&buffers, args[6], a.M * a.Q * a.K, 'd', PyBUF_WRITABLE))) break;
        if (!(a.log_weights = take(&buffers, args[7], a.M * a.K, 'd', PyBUF_WRITABLE))) break;
        done = 1;
    } while (0);
    if (done) {
        Py_BEGIN_ALLOW_THREADS
        chain_nodes(&a);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!done) return NULL;
    Py_RETURN_NONE;
}

/* weigh(logf, log_weights, log_l, clusters) */
static PyObject *weigh_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 4) return PyErr_Format(PyExc_TypeError, "weigh takes 4 arguments");
    ptrdiff_t M = PyLong_AsSsize_t(args[3]), size = items(args[0]), rows = items(args[2]);
    if (PyErr_Occurred()) return NULL;
    if (M < 1 || rows < M || size % M || rows % M || size % rows) return misfit();
    Buffers buffers = {.taken = 0};
    double *logf = take(&buffers, args[0], size, 'd', PyBUF_WRITABLE);
    const double *log_weights = logf ? take(&buffers, args[1], size, 'd', 0) : NULL;
    double *log_l = log_weights ? take(&buffers, args[2], rows, 'd', PyBUF_WRITABLE) : NULL;
    if (log_l) {
        Py_BEGIN_ALLOW_THREADS
        weigh(M, size / M, rows / M, logf, log_weights, log_l);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!log_l) return NULL;
    Py_RETURN_NONE;
}

/* join(upper, parents, conditional, out, clusters above) */
static PyObject *join_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 5) return PyErr_Format(PyExc_TypeError, "join takes 5 arguments");
    ptrdiff_t M_up = PyLong_AsSsize_t(args[4]), size_upper = items(args[0]), M = items(args[1]);
    ptrdiff_t size = items(args[2]);
    if (PyErr_Occurred()) return NULL;
    if (M < 1 || M_up < 1 || size_upper < M_up || size_upper % M_up || size % M) return misfit();
    ptrdiff_t K = size / M, K_up = size_upper / M_up;
    if (K % K_up) return misfit();
    Buffers buffers = {.taken = 0};
    const double *upper = take(&buffers, args[0], size_upper, 'd', 0);
    const ptrdiff_t *parents = upper ? take(&buffers, args[1], M, 'n', 0) : NULL;
    const double *conditional = parents ? take(&buffers, args[2], size, 'd', 0) : NULL;
    double *out = conditional ? take(&buffers, args[3], size, 'd', PyBUF_WRITABLE) : NULL;
    if (out && !all_below(parents, M, M_up)) {
        misfit();
        out = NULL;
    }
    if (out) {
        Py_BEGIN_ALLOW_THREADS
        join(M, K, K_up, upper, parents, conditional, out);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!out) return NULL;
    Py_RETURN_NONE;
}

/* moments(weights, chains, mean, root, new_mean, new_root, clusters) -> shift */
static PyObject *moments_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 7) return PyErr_Format(PyExc_TypeError, "moments takes 7 arguments");
    MomentArguments a = {0};
    a.M = PyLong_AsSsize_t(args[6]);
    ptrdiff_t size_weights = items(args[0]), size_mean = items(args[2]), size_root = items(args[3]);
    if (PyErr_Occurred()) return NULL;
    if (a.M < 1 || size_weights < a.M || size_weights % a.M || size_mean < a.M || size_mean % a.M ||
        size_root % size_mean)
        return misfit();
    a.K = size_weights / a.M;
    a.q = size_mean / a.M;
    a.Q = size_root / size_mean;
    if (a.Q < a.q) return misfit();
    Buffers buffers = {.taken = 0};
    double shift = 0.0;
    int done = 0;
    do {
        if (!(a.weights = take(&buffers, args[0], size_weights, 'd', 0))) break;
        if (!(a.chains = take(&buffers, args[1], a.M * a.Q * a.K, 'd', 0))) break;
        if (!(a.mean = take(&buffers, args[2], size_mean, 'd', 0))) break;
        if (!(a.root = take(&buffers, args[3], size_root, 'd', 0))) break;
        if (!(a.new_mean = take(&buffers, args[4], size_mean, 'd', PyBUF_WRITABLE))) break;
        if (!(a.new_root = take(&buffers, args[5], size_root, 'd', PyBUF_WRITABLE))) break;
        if (!(a.workspace = PyMem_Malloc((size_t)((a.Q + a.K) * a.Q) * sizeof(double)))) {
            PyErr_NoMemory();
            break;
        }
        done = 1;
    } while (0);
    if (done) {
        Py_BEGIN_ALLOW_THREADS
        shift = moments(&a);
        Py_END_ALLOW_THREADS
        PyMem_Free(a.workspace);
    }
    release(&buffers);
    if (!done) return NULL;
    return PyFloat_FromDouble(shift);
}

#endif
