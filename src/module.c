/* The module: types and functions registered from the .def lists, state per
   interpreter. Knows no type by name. */

#include "native.h"
#include "pygenx.h"

#include <stddef.h>

#define GX_TYPE(name) extern const gx_typedef gx_##name##_typedef;
#include "types.def"
#undef GX_TYPE

static const gx_typedef *const all_types[] = {
#define GX_TYPE(name) &gx_##name##_typedef,
#include "types.def"
#undef GX_TYPE
};

#define GX_FUNCTION(name)                \
    extern const char gx_##name##_doc[]; \
    PyObject *gx_##name(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);
#include "functions.def"
#undef GX_FUNCTION

static PyMethodDef module_functions[] = {
#define GX_FUNCTION(name) \
    {#name, GX_FASTCALL(gx_##name), METH_FASTCALL | METH_KEYWORDS, gx_##name##_doc},
#include "functions.def"
#undef GX_FUNCTION
    {NULL, NULL, 0, NULL},
};

static inline gx_state *
module_state(PyObject *module)
{
    return (gx_state *)PyModule_GetState(module);
}

gx_state *
gx_get_state(PyTypeObject *type)
{
    return module_state(PyType_GetModuleByDef(type, &gx_module));
}

/* -- exec --------------------------------------------------------------- */

static int
add_names(gx_state *state)
{
    static const char *const texts[] = {
#define X(name) #name,
        GX_NAMES(X)
#undef X
    };
    for (int i = 0; i < GX_N_NAMES; i++) {
        state->names[i] = PyUnicode_InternFromString(texts[i]);
        if (state->names[i] == NULL) {
            return -1;
        }
    }
    return 0;
}

static int
add_types(PyObject *module, gx_state *state)
{
    for (int i = 0; i < GX_N_TYPES; i++) {
        const gx_typedef *def = all_types[i];
        PyObject *base = def->base == NULL ? NULL : (PyObject *)def->base();
        PyObject *type = PyType_FromModuleAndSpec(module, def->spec, base);
        if (type == NULL) {
            return -1;
        }
        state->types[i] = (PyTypeObject *)type;
        state->types[i]->tp_vectorcall = def->construct;
        if (def->ready != NULL && def->ready(state->types[i]) < 0) {
            return -1;
        }
        if (def->public && PyModule_AddType(module, state->types[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
add_reentrancy_error(PyObject *module, gx_state *state)
{
    PyObject *bases = PyTuple_Pack(2, PyExc_ValueError, PyExc_RuntimeError);
    if (bases == NULL) {
        return -1;
    }
    state->reentrancy_error = PyErr_NewExceptionWithDoc(
        "pygenx.ReentrancyError",
        "An object was called from inside its own source or callback, or from another\n"
        "thread while it was running.",
        bases, NULL);
    Py_DECREF(bases);
    if (state->reentrancy_error == NULL) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "ReentrancyError", state->reentrancy_error);
}

/* *slot = module.name */
static int
add_import(PyObject **slot, const char *module, const char *name)
{
    PyObject *imported = PyImport_ImportModule(module);
    if (imported == NULL) {
        return -1;
    }
    *slot = PyObject_GetAttrString(imported, name);
    Py_DECREF(imported);
    return *slot == NULL ? -1 : 0;
}

/* What lift_callable.c knows. */
static int
add_callables(gx_state *state)
{
    state->builtins_module = PyImport_ImportModule("builtins");
    if (state->builtins_module == NULL) {
        return -1;
    }
    state->operator_module = PyImport_ImportModule("_operator");
    if (state->operator_module == NULL ||
        add_import(&state->itemgetter, "operator", "itemgetter") < 0 ||
        add_import(&state->attrgetter, "operator", "attrgetter") < 0 ||
        add_import(&state->methodcaller, "operator", "methodcaller") < 0) {
        return -1;
    }
    return add_import(&state->partial, "functools", "partial");
}

static int
add_str_iterator(gx_state *state)
{
    PyObject *text = PyUnicode_FromString("");
    PyObject *it = text ? PyObject_GetIter(text) : NULL;
    Py_XDECREF(text);
    if (it == NULL) {
        return -1;
    }
    state->str_iterator = (PyTypeObject *)Py_NewRef((PyObject *)Py_TYPE(it));
    Py_DECREF(it);
    return 0;
}

static int
add_constants(gx_state *state)
{
    static const char *const names[GX_N_STR_METHODS] = {"lower", "split", "strip"};
    state->one = PyLong_FromLong(1);
    for (int i = 0; i < GX_N_STR_METHODS; i++) {
        state->str_methods[i] =
            PyObject_GetAttrString((PyObject *)&PyUnicode_Type, names[i]);
        if (state->str_methods[i] == NULL) {
            return -1;
        }
    }
    return state->one == NULL ? -1 : 0;
}

static int
add_this(PyObject *module, gx_state *state)
{
    PyObject *item = gx_expression_this(GX_TYPE_OF(state, Expression));
    int rc = item != NULL ? PyModule_AddObjectRef(module, "this", item) : -1;
    Py_XDECREF(item);
    return rc;
}

static int
module_exec(PyObject *module)
{
    gx_state *state = module_state(module);
    state->module = module;
    state->missing = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    if (state->missing == NULL || add_names(state) < 0 || add_constants(state) < 0 ||
        add_import(&state->counter, "collections", "Counter") < 0 ||
        add_import(&state->open, "io", "open") < 0 || add_callables(state) < 0 ||
        gx_lift_init(state) < 0 || add_str_iterator(state) < 0 ||
        add_reentrancy_error(module, state) < 0 || add_types(module, state) < 0) {
        return -1;
    }
    state->empty_program = gx_program_empty(GX_TYPE_OF(state, Pipeline));
    return state->empty_program == NULL ? -1 : add_this(module, state);
}

/* -- memory ------------------------------------------------------------- */

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    gx_state *state = module_state(module);
    for (int i = 0; i < GX_N_TYPES; i++) {
        Py_VISIT(state->types[i]);
    }
    Py_VISIT(state->reentrancy_error);
    Py_VISIT(state->counter);
    Py_VISIT(state->open);
    Py_VISIT(state->builtins_module);
    Py_VISIT(state->operator_module);
    Py_VISIT(state->itemgetter);
    Py_VISIT(state->attrgetter);
    Py_VISIT(state->methodcaller);
    Py_VISIT(state->partial);
    Py_VISIT(state->get_tool);
    Py_VISIT(state->str_iterator);
    Py_VISIT(state->empty_program);
    Py_VISIT(state->missing);
    Py_VISIT(state->one);
    for (int i = 0; i < GX_N_STR_METHODS; i++) {
        Py_VISIT(state->str_methods[i]);
    }
    return 0;
}

/* There is no m_clear: what is garbage together with the module may still need the state
   while it is taken apart. The cycle through the types ends where they are cleared. */
static void
module_free(void *op)
{
    PyObject *module = op;
    gx_state *state = module_state(module);
    for (int i = 0; i < GX_N_TYPES; i++) {
        Py_CLEAR(state->types[i]);
    }
    for (int i = 0; i < GX_N_NAMES; i++) {
        Py_CLEAR(state->names[i]);
    }
    Py_CLEAR(state->reentrancy_error);
    Py_CLEAR(state->counter);
    Py_CLEAR(state->open);
    Py_CLEAR(state->builtins_module);
    Py_CLEAR(state->operator_module);
    Py_CLEAR(state->itemgetter);
    Py_CLEAR(state->attrgetter);
    Py_CLEAR(state->methodcaller);
    Py_CLEAR(state->partial);
    Py_CLEAR(state->get_tool);
    gx_lane_free(state->spare_lane);
    state->spare_lane = NULL;
    Py_CLEAR(state->str_iterator);
    Py_CLEAR(state->empty_program);
    Py_CLEAR(state->missing);
    Py_CLEAR(state->one);
    for (int i = 0; i < GX_N_STR_METHODS; i++) {
        Py_CLEAR(state->str_methods[i]);
    }
}

/* -- definition --------------------------------------------------------- */

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
#ifdef Py_mod_multiple_interpreters
    /* All state is per module; nothing static is written after import. */
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    /* Locks are in place but have not been run on a free-threaded build yet. */
    {Py_mod_gil, Py_MOD_GIL_USED},
#endif
    {0, NULL},
};

struct PyModuleDef gx_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pygenx._pygenx",
    .m_doc = "Generator tools for Python, written natively in C.",
    .m_size = sizeof(gx_state),
    .m_methods = module_functions,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_free = module_free,
};

PyMODINIT_FUNC
PyInit__pygenx(void)
{
    return PyModuleDef_Init(&gx_module);
}
