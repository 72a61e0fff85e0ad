/* The extension module memagic.engine._kernel: densities and their sums over quadrature nodes. The
 * interpreter's lock is released while arrays are worked on. memagic/engine/kernel.py is its face.
 */
#include "buffers.h"
#include "elementwise.h"
#include "look.h"

static const Kind *kind_of(long code) {
    if (code >= 0 && code < N_KINDS) return &KINDS[code];
    PyErr_SetString(PyExc_ValueError, "no such density");
    return NULL;
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
    const double *parameters = take(&buffers, args[1], kind->parameters, 'd', 0);
    const double *columns = parameters ? take(&buffers, args[2], given, 'd', 0) : NULL;
    const double *eta = columns ? take(&buffers, args[3], m, 'd', 0) : NULL;
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
        if (k == 1) {
            for (int c = 0; c < kind->columns; c++)
                memcpy(spread + c * CHUNK, columns + c * n + begin, size * sizeof(double));
        } else {
            for (ptrdiff_t i = 0; i < size; i++) {
                for (int c = 0; c < kind->columns; c++) spread[c * CHUNK + i] = columns[c * n + row];
                if (++at == k) {
                    at = 0;
                    row++;
                }
            }
        }
        Output out = {logf + begin, NULL, derive ? first + begin : NULL, derive ? second + begin : NULL};
        kind->density(size, eta + begin, spread, parameters, out);
    }
    Py_END_ALLOW_THREADS
    release(&buffers);
    Py_RETURN_NONE;
}

/* look(code, parameters, columns, fixed, effects, z, cell_of_row, cluster_of_row, weight | None, logf,
 *      x | None, scores, z_first, second, clusters, cells, nodes): see LookArguments. */
static PyObject *look_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 17) return PyErr_Format(PyExc_TypeError, "look takes 17 arguments");
    LookArguments a = {0};
    a.kind = kind_of(PyLong_AsLong(args[0]));
    if (!a.kind) return NULL;
    ptrdiff_t n_clusters = PyLong_AsSsize_t(args[14]), n_cells = PyLong_AsSsize_t(args[15]);
    a.K = PyLong_AsSsize_t(args[16]);
    if (PyErr_Occurred()) return NULL;
    a.n = items(args[3]);
    ptrdiff_t size_z = items(args[5]);
    if (a.n < 0 || size_z < 0) return NULL;
    if (n_clusters < 1 || n_cells < 1 || a.K < 1 || a.n < 1 || size_z % n_cells)
        return PyErr_Format(PyExc_ValueError, "a block is empty");
    a.Q = size_z / n_cells;
    int derive = args[10] != Py_None;
    Buffers buffers = {.taken = 0};
    int done = 0;
    do {
        if (!(a.parameters = take(&buffers, args[1], a.kind->parameters, 'd', 0))) break;
        if (!(a.columns = take(&buffers, args[2], a.kind->columns * a.n, 'd', 0))) break;
        if (!(a.fixed = take(&buffers, args[3], a.n, 'd', 0))) break;
        if (!(a.effects = take(&buffers, args[4], n_clusters * a.Q * a.K, 'd', 0))) break;
        if (!(a.z = take(&buffers, args[5], size_z, 'd', 0))) break;
        if (!(a.cell_of_row = take(&buffers, args[6], a.n, 'n', 0))) break;
        if (!(a.cluster_of_row = take(&buffers, args[7], a.n, 'n', 0))) break;
        if (args[8] != Py_None && !(a.weight = take(&buffers, args[8], a.n, 'd', 0))) break;
        if (!(a.logf = take(&buffers, args[9], n_clusters * a.K, 'd', PyBUF_WRITABLE))) break;
        if (derive) {
            ptrdiff_t size_x = items(args[10]);
            if (size_x < 0) break;
            a.p = size_x / a.n;
            if (!(a.x = take(&buffers, args[10], a.p * a.n, 'd', 0))) break;
            ptrdiff_t size_scores = items(args[11]);
            if (size_scores < 0) break;
            a.d = size_scores / (n_clusters * a.K);
            if (a.d < a.p) {
                PyErr_SetString(PyExc_ValueError, "scores have no room");
                break;
            }
            if (!(a.scores = take(&buffers, args[11], n_clusters * a.d * a.K, 'd', PyBUF_WRITABLE))) break;
            if (!(a.z_first = take(&buffers, args[12], n_clusters * a.Q * a.K, 'd', PyBUF_WRITABLE))) break;
            if (!(a.second = take(&buffers, args[13], a.n * a.K, 'd', PyBUF_WRITABLE))) break;
        }
        if (a.cell_of_row[a.n - 1] >= n_cells || a.cluster_of_row[a.n - 1] >= n_clusters) {
            PyErr_SetString(PyExc_ValueError, "a row lies in no cluster");
            break;
        }
        done = 1;
    } while (0);
    if (done) {
        Py_BEGIN_ALLOW_THREADS
        look(&a);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!done) return NULL;
    Py_RETURN_NONE;
}

/* over_nodes(values, cluster_of_row, by_cluster, out, n_clusters) */
static PyObject *over_nodes_method(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 5) return PyErr_Format(PyExc_TypeError, "over_nodes takes 5 arguments");
    ptrdiff_t n_clusters = PyLong_AsSsize_t(args[4]);
    if (PyErr_Occurred()) return NULL;
    ptrdiff_t n = items(args[1]), size_values = items(args[0]), size_out = items(args[3]);
    if (n < 0 || size_values < 0 || size_out < 0) return NULL;
    if (n < 1 || n_clusters < 1) return PyErr_Format(PyExc_ValueError, "a block is empty");
    ptrdiff_t K = size_values / n, S = size_out / n;
    Buffers buffers = {.taken = 0};
    const double *values = take(&buffers, args[0], n * K, 'd', 0);
    const ptrdiff_t *cluster_of_row = values ? take(&buffers, args[1], n, 'n', 0) : NULL;
    const double *by_cluster = cluster_of_row ? take(&buffers, args[2], n_clusters * S * K, 'd', 0) : NULL;
    double *out = by_cluster ? take(&buffers, args[3], n * S, 'd', PyBUF_WRITABLE) : NULL;
    if (out) {
        Py_BEGIN_ALLOW_THREADS
        over_nodes(n, K, S, values, cluster_of_row, by_cluster, out);
        Py_END_ALLOW_THREADS
    }
    release(&buffers);
    if (!out) return NULL;
    Py_RETURN_NONE;
}

#define METHOD(name, function) \
    { name, (PyCFunction)(void (*)(void))function, METH_FASTCALL, NULL }

static PyMethodDef methods[] = {
    METHOD("densities", densities),
    METHOD("look", look_method),
    METHOD("over_nodes", over_nodes_method),
    METHOD("log_rising", log_rising_method),
    METHOD("normal_interval", normal_interval_method),
    METHOD("gompertz", gompertz_method),
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_kernel", "Densities and their sums over quadrature nodes.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void) {
    PyObject *made = PyModule_Create(&module);
    if (!made) return NULL;
    PyObject *names = PyTuple_New(N_KINDS);
    for (int i = 0; names && i < N_KINDS; i++) PyTuple_SetItem(names, i, PyUnicode_FromString(KINDS[i].name));
    if (!names || PyModule_AddObject(made, "KINDS", names) < 0) {
        Py_XDECREF(names);
        Py_DECREF(made);
        return NULL;
    }
    return made;
}
