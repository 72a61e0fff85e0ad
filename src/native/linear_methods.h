/* Methods on the closed form of a Gaussian response. */
#ifndef MEMAGIC_LINEAR_METHODS_H
#define MEMAGIC_LINEAR_METHODS_H

#include "buffers.h"
#include "linear.h"

/* Rows of (n, k) and their clusters. */
typedef struct {
    ptrdiff_t n, q, p;
    const ptrdiff_t *cluster;
    const double *z, *x;
} LinearRows;

/* Take the first three arguments, cluster, z and x; zero, with an exception set, unless they fit together. */
static int take_rows(Buffers *buffers, PyObject *const *args, ptrdiff_t n_clusters, LinearRows *rows) {
    ptrdiff_t size_z = items(args[1]), size_x = items(args[2]);
    rows->n = items(args[0]);
    if (PyErr_Occurred()) return 0;
    if (rows->n < 1 || n_clusters < 1 || size_z % rows->n || size_x % rows->n) {
        misfit();
        return 0;
    }
    rows->q = size_z / rows->n;
    rows->p = size_x / rows->n;
    if (!(rows->cluster = take(buffers, args[0], rows->n, 'n', 0))) return 0;
    if (!(rows->z = take(buffers, args[1], size_z, 'd', 0))) return 0;
    if (!(rows->x = take(buffers, args[2], size_x, 'd', 0))) return 0;
    if (all_below(rows->cluster, rows->n, n_clusters)) return 1;
    misfit();
    return 0;
}

/* cluster_products(cluster, z, x, sizes, zz, zx), the last three zero at first. */
static PyObject *cluster_products_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 6) return PyErr_Format(PyExc_TypeError, "cluster_products takes 6 arguments");
    ptrdiff_t M = items(args[3]);
    if (M < 0) return NULL;
    Buffers buffers = {.taken = 0};
    LinearRows r;
    double *sizes = NULL, *zz = NULL, *zx = NULL;
    if (take_rows(&buffers, args, M, &r)) sizes = take(&buffers, args[3], M, 'd', PyBUF_WRITABLE);
    if (sizes) zz = take(&buffers, args[4], M * r.q * r.q, 'd', PyBUF_WRITABLE);
    if (zz) zx = take(&buffers, args[5], M * r.q * r.p, 'd', PyBUF_WRITABLE);
    if (zx) {
        Py_BEGIN_ALLOW_THREADS
        cluster_products(r.n, r.q, r.p, r.cluster, r.z, r.x, sizes, zz, zx);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!zx) return NULL;
    Py_RETURN_NONE;
}

/* residual_products(cluster, z, x, y, beta, z_r, x_r, r_r), the last three zero at first. */
static PyObject *residual_products_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 8) return PyErr_Format(PyExc_TypeError, "residual_products takes 8 arguments");
    ptrdiff_t M = items(args[7]);
    if (M < 0) return NULL;
    Buffers buffers = {.taken = 0};
    LinearRows r;
    const double *y = NULL, *beta = NULL;
    double *z_r = NULL, *x_r = NULL, *r_r = NULL;
    if (take_rows(&buffers, args, M, &r)) y = take(&buffers, args[3], r.n, 'd', 0);
    if (y) beta = take(&buffers, args[4], r.p, 'd', 0);
    if (beta) z_r = take(&buffers, args[5], M * r.q, 'd', PyBUF_WRITABLE);
    if (z_r) x_r = take(&buffers, args[6], M * r.p, 'd', PyBUF_WRITABLE);
    if (x_r) r_r = take(&buffers, args[7], M, 'd', PyBUF_WRITABLE);
    if (r_r) {
        Py_BEGIN_ALLOW_THREADS
        residual_products(r.n, r.q, r.p, r.cluster, r.z, r.x, y, beta, z_r, x_r, r_r);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!r_r) return NULL;
    Py_RETURN_NONE;
}

/* linear_likelihood(sizes, zz, zx, z_r, x_r, r_r, factor, change, log_sigma, log_l, scores | None, hessian, second):
 * see LinearArguments. */
static PyObject *linear_likelihood_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 13) return PyErr_Format(PyExc_TypeError, "linear_likelihood takes 13 arguments");
    LinearArguments a = {0};
    ptrdiff_t size_z = items(args[3]), size_x = items(args[4]), size_change = items(args[7]);
    a.M = items(args[0]);
    a.log_sigma = PyFloat_AsDouble(args[8]);
    if (PyErr_Occurred()) return NULL;
    if (a.M < 1 || size_z < a.M || size_z % a.M || size_x % a.M) return misfit();
    a.q = size_z / a.M;
    a.p = size_x / a.M;
    a.m = size_change / (a.q * a.q);
    const ptrdiff_t d = a.p + a.m + 1;
    Buffers buffers = {.taken = 0};
    double *memory = NULL;
    do {
        if (!(a.sizes = take(&buffers, args[0], a.M, 'd', 0))) break;
        if (!(a.zz = take(&buffers, args[1], size_z * a.q, 'd', 0))) break;
        if (!(a.zx = take(&buffers, args[2], size_z * a.p, 'd', 0))) break;
        if (!(a.z_r = take(&buffers, args[3], size_z, 'd', 0))) break;
        if (!(a.x_r = take(&buffers, args[4], size_x, 'd', 0))) break;
        if (!(a.r_r = take(&buffers, args[5], a.M, 'd', 0))) break;
        if (!(a.factor = take(&buffers, args[6], a.q * a.q, 'd', 0))) break;
        if (!(a.change = take(&buffers, args[7], a.m * a.q * a.q, 'd', 0))) break;
        if (!(a.log_l = take(&buffers, args[9], a.M, 'd', PyBUF_WRITABLE))) break;
        if (args[10] != Py_None) {
            if (!(a.scores = take(&buffers, args[10], a.M * d, 'd', PyBUF_WRITABLE))) break;
            if (!(a.hessian = take(&buffers, args[11], d * d, 'd', PyBUF_WRITABLE))) break;
            if (!(a.second = take(&buffers, args[12], a.q * a.q, 'd', PyBUF_WRITABLE))) break;
        }
        if (!(memory = PyMem_Calloc((size_t)linear_work_size(&a), sizeof(double)))) PyErr_NoMemory();
    } while (0);
    if (memory) {
        Py_BEGIN_ALLOW_THREADS
        linear_likelihood(&a, memory);
        Py_END_ALLOW_THREADS
        PyMem_Free(memory);
    }
    release(&buffers);
    if (!memory) return NULL;
    Py_RETURN_NONE;
}

#endif
