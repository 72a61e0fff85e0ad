/* Arguments of the module's methods: contiguous arrays, checked for their type and size.
 *
 * Codes of groups and cells, and places in a system, are made by the package and never come from data: of those in
 * order the last is checked, of others what a wrong one would cost is not worth a pass in every call.
 */
#ifndef MEMAGIC_BUFFERS_H
#define MEMAGIC_BUFFERS_H

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <string.h>

#define MOST_BUFFERS 16

/* The buffers of one call, released together. */
typedef struct {
    Py_buffer views[MOST_BUFFERS];
    int taken;
} Buffers;

static void release(Buffers *buffers) {
    for (int i = 0; i < buffers->taken; i++) PyBuffer_Release(&buffers->views[i]);
}

/* The memory of a contiguous array of `size` items of the given format; NULL with an exception set. */
static void *take(Buffers *buffers, PyObject *array, ptrdiff_t size, char kind, int flags) {
    if (buffers->taken == MOST_BUFFERS) return PyErr_Format(PyExc_RuntimeError, "a call has too many arrays");
    Py_buffer *view = &buffers->views[buffers->taken];
    if (PyObject_GetBuffer(array, view, flags | PyBUF_FORMAT | PyBUF_C_CONTIGUOUS) < 0) return NULL;
    buffers->taken++;
    int is_double = strcmp(view->format, "d") == 0;
    int is_index = strcmp(view->format, "l") == 0 || strcmp(view->format, "q") == 0 || strcmp(view->format, "n") == 0;
    if (view->itemsize != 8 || (kind == 'd' ? !is_double : !is_index)) {
        PyErr_SetString(PyExc_TypeError, "an array is of the wrong type");
        return NULL;
    }
    if (view->len != (Py_ssize_t)size * 8) {
        PyErr_Format(PyExc_ValueError, "array %d is of the wrong size", buffers->taken);
        return NULL;
    }
    /* Never NULL, which means absent. */
    return view->buf ? view->buf : (void *)view;
}

/* `count` arrays of `size` doubles each, from consecutive arguments; 0 with an exception set. */
static int take_doubles(Buffers *buffers, PyObject *const *arrays, int count, ptrdiff_t size, int flags, double **to) {
    for (int i = 0; i < count; i++)
        if (!(to[i] = take(buffers, arrays[i], size, 'd', flags))) return 0;
    return 1;
}

/* Zeros; NULL with an exception set. For PyMem_Free. */
static double *room(ptrdiff_t size) {
    double *found = PyMem_Calloc((size_t)(size > 0 ? size : 1), sizeof(double));
    if (!found) PyErr_NoMemory();
    return found;
}

static ptrdiff_t items(PyObject *array) {
    Py_buffer view;
    if (PyObject_GetBuffer(array, &view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS) < 0) return -1;
    ptrdiff_t size = view.itemsize ? view.len / view.itemsize : 0;
    PyBuffer_Release(&view);
    return size;
}

static PyObject *misfit(void) { return PyErr_Format(PyExc_ValueError, "arrays do not fit together"); }

/* Every index is one of `size` clusters. */
static int all_below(const ptrdiff_t *index, ptrdiff_t n, ptrdiff_t size) {
    for (ptrdiff_t i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= size) return 0;
    return 1;
}

#endif
