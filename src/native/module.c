/* The extension module memagic.engine._kernel, whose face is memagic/engine/kernel.py, but that of crossed
 * effects in memagic/engine/crossed. The interpreter's lock is released while arrays are worked on.
 */
#include "average_methods.h"
#include "chain_methods.h"
#include "density_methods.h"
#include "elimination_methods.h"
#include "linear_methods.h"
#include "loading_methods.h"
#include "look_methods.h"
#include "node_methods.h"
#include "point_methods.h"
#include "posterior_methods.h"
#include "response_methods.h"
#include "small_methods.h"
#include "system_methods.h"

#define METHOD(name, function) \
    { name, (PyCFunction)(void (*)(void))function, METH_FASTCALL, NULL }

static PyMethodDef methods[] = {
    METHOD("densities", densities),
    METHOD("look", look_method),
    METHOD("products_by_cluster", products_by_cluster_method),
    METHOD("log_rising", log_rising_method),
    METHOD("normal_interval", normal_interval_method),
    METHOD("gompertz", gompertz_method),
    METHOD("average_rows", average_rows_method),
    METHOD("second_moments", second_moments_method),
    METHOD("conditional_means", conditional_means_method),
    METHOD("point", point_method),
    METHOD("z_products", z_products_method),
    METHOD("response_averages", response_averages_method),
    METHOD("bernoulli_cumulant", bernoulli_cumulant_method),
    METHOD("eliminate_level", eliminate_level_method),
    METHOD("chain_nodes", chain_nodes_method),
    METHOD("weigh", weigh_method),
    METHOD("join", join_method),
    METHOD("moments", moments_method),
    METHOD("cluster_products", cluster_products_method),
    METHOD("residual_products", residual_products_method),
    METHOD("linear_likelihood", linear_likelihood_method),
    METHOD("eliminate", eliminate_method),
    METHOD("invert", invert_method),
    METHOD("forwards", forwards_method),
    METHOD("backwards", backwards_method),
    METHOD("factor", factor_method),
    METHOD("solutions", solutions_method),
    METHOD("inverses", inverses_method),
    METHOD("along", along_method),
    METHOD("sums", sums_method),
    METHOD("curvature", curvature_method),
    METHOD("spread", spread_method),
    METHOD("by_loading", by_loading_method),
    METHOD("dot", dot_method),
    METHOD("coupled", coupled_method),
    METHOD("posterior", posterior_method),
    METHOD("small_roots", small_roots_method),
    METHOD("small_inverses", small_inverses_method),
    METHOD("small_solutions", small_solutions_method),
    METHOD("equal_inverses", equal_inverses_method),
    METHOD("connect", connect_method),
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_kernel", "Densities, their sums over quadrature nodes, closed forms, and systems of crossed effects.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void) {
    PyObject *made = PyModule_Create(&module);
    if (!made) return NULL;
    PyObject *names = PyTuple_New(N_KINDS);
    for (int i = 0; names && i < N_KINDS; i++) PyTuple_SetItem(names, i, PyUnicode_FromString(KINDS[i].name));
    if (!names || PyModule_AddObject(made, "KINDS", names) < 0 ||
        PyModule_AddIntConstant(made, "MOST_SMALL", MOST_SMALL) < 0) {
        Py_XDECREF(names);
        Py_DECREF(made);
        return NULL;
    }
    return made;
}
