/* What the module pygenx.lifting is made of: what is lifted, why not, how often; on and
   off. */

#include "native.h"

/* -- a function's native program ---------------------------------------------- */

/* The native (new reference), or NULL without an error and *why, a new reference. */
static gx_native *
lift_function(gx_state *state, PyObject *func, PyObject **why)
{
    *why = NULL;
    if (PyCode_Check(func)) {
        return gx_lift_any(state, func, why);
    }
    if (!PyFunction_Check(func)) {
        *why = PyUnicode_FromFormat("%.200s objects are called as they are",
                                    Py_TYPE(func)->tp_name);
        return NULL;
    }
    return gx_lift(state, PyFunction_GET_CODE(func), why);
}

static int
one_argument(const char *name, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames, PyObject **out)
{
    static const char *const params[] = {"func", NULL};
    gx_signature signature = {name, params, 1, 1, 1};
    return gx_parse(&signature, args, (size_t)nargs, kwnames, out);
}

/* Whether it could be bound now, with the arguments it must be given. */
static PyObject *
why_not_bound(gx_state *state, gx_native *native, PyObject *func)
{
    const char *why;
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(func);
    PyObject *defaults = PyFunction_GET_DEFAULTS(func);
    Py_ssize_t ndefaults = defaults != NULL ? PyTuple_GET_SIZE(defaults) : 0;
    int nargs = code->co_argcount - (int)ndefaults;
    gx_binding *b = gx_bind_function(state, native, func, nargs < 0 ? 0 : nargs, &why);
    if (b != NULL) {
        why = gx_why_better_called(b);
        gx_binding_free(b);
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    return why != NULL ? PyUnicode_FromString(why) : Py_NewRef(Py_None);
}

/* "native: x['a'] > 3" or "called: it contains a loop". Takes `why`, not None. */
static PyObject *
called_because(PyObject *why)
{
    PyObject *text = PyUnicode_FromFormat("called: %U", why);
    Py_DECREF(why);
    return text;
}

PyObject *
gx_lift_explain(gx_state *state, PyObject *func)
{
    PyObject *why;
    if (state->lift_off > 0) {
        return PyUnicode_FromString("called: lifting is off");
    }
    gx_native *native = lift_function(state, func, &why);
    if (native == NULL) {
        return why != NULL ? called_because(why) : NULL;
    }
    why = why_not_bound(state, native, func);
    PyObject *text = NULL;
    if (why == Py_None) {
        PyObject *source = gx_native_text_of(native, func);
        text = source != NULL ? PyUnicode_FromFormat("native: %U", source) : NULL;
        Py_XDECREF(source);
        Py_DECREF(why);
    } else if (why != NULL) {
        text = called_because(why);
    }
    Py_DECREF((PyObject *)native);
    return text;
}

PyObject *
gx_lifting_why_not(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                   PyObject *kwnames)
{
    PyObject *func, *why;
    gx_state *state = PyModule_GetState(module);
    if (one_argument("why_not", args, nargs, kwnames, &func) < 0 ||
        (!PyCode_Check(func) && gx_check_callable(func, "func") < 0)) {
        return NULL;
    }
    gx_native *native = lift_function(state, func, &why);
    if (native == NULL) {
        return why;
    }
    PyObject *answer =
        PyCode_Check(func) ? Py_NewRef(Py_None) : why_not_bound(state, native, func);
    Py_DECREF((PyObject *)native);
    return answer;
}

const char gx_lifting_why_not_doc[] =
    "why_not(func, /)\n--\n\n"
    "Why stages call func as it is, a short text; None if they run it natively.\n"
    "Of a code object it tells whether functions made of it can be.";

PyObject *
gx_lifting_native(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                  PyObject *kwnames)
{
    PyObject *func, *why, *callable = NULL;
    gx_state *state = PyModule_GetState(module);
    if (one_argument("native", args, nargs, kwnames, &func) < 0 ||
        gx_check_callable(func, "func") < 0) {
        return NULL;
    }
    gx_native *native = lift_function(state, func, &why);
    if (native != NULL) {
        callable = gx_native_function_new(state, func, native);
        Py_DECREF((PyObject *)native);
    } else if (why != NULL) {
        PyErr_Format(PyExc_ValueError, "native() argument 'func' cannot be lifted: %U",
                     why);
        Py_DECREF(why);
    }
    return callable;
}

const char gx_lifting_native_doc[] =
    "native(func, /)\n--\n\n"
    "A callable that runs the native program of func at each call. Raises ValueError\n"
    "with the reason if there is none.";

/* -- counts and the switch ------------------------------------------------------ */

PyObject *
gx_lifting_stats(PyObject *module, PyObject *const *Py_UNUSED(args), Py_ssize_t nargs,
                 PyObject *kwnames)
{
    gx_state *state = PyModule_GetState(module);
    if (nargs > 0) {
        PyErr_Format(PyExc_TypeError,
                     "stats() takes 0 positional arguments but %zd %s "
                     "given",
                     nargs, nargs == 1 ? "was" : "were");
        return NULL;
    }
    if (gx_no_keywords("stats", kwnames) < 0) {
        return NULL;
    }
    const gx_lift_counts *counts = &state->lift_counts;
    return Py_BuildValue("{sn sn sn sn sn sn}", "stages_lifted", counts->stages_lifted,
                         "stages_called", counts->stages_called, "items_lifted",
                         counts->items_lifted, "items_called", counts->items_called,
                         "items_in_lanes", counts->items_in_lanes, "generators_lifted",
                         counts->generators_lifted);
}

const char gx_lifting_stats_doc[] =
    "stats()\n--\n\n"
    "How many stages with Python functions were lifted or called, and their items; how\n"
    "many items of sources went through in blocks; how many generator expressions were\n"
    "taken apart.";

/* Add the one argument of a call to *number; its new value is the answer. */
static PyObject *
add_to(int *number, const char *name, PyObject *const *args, Py_ssize_t nargs,
       PyObject *kwnames)
{
    static const char *const params[] = {"change", NULL};
    gx_signature signature = {name, params, 1, 1, 1};
    PyObject *change;
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, &change) < 0) {
        return NULL;
    }
    long by = PyLong_AsLong(change);
    if (by == -1 && PyErr_Occurred()) {
        return NULL;
    }
    *number += (int)by;
    return PyBool_FromLong(*number > 0);
}

PyObject *
gx_lifting_switch(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                  PyObject *kwnames)
{
    gx_state *state = PyModule_GetState(module);
    return add_to(&state->lift_off, "_switch", args, nargs, kwnames);
}

const char gx_lifting_switch_doc[] =
    "_switch(change, /)\n--\n\n"
    "Add to the number of reasons to be off; return whether there are any.";

PyObject *
gx_lifting_eager(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                 PyObject *kwnames)
{
    gx_state *state = PyModule_GetState(module);
    return add_to(&state->lift_eager, "_eager", args, nargs, kwnames);
}

const char gx_lifting_eager_doc[] =
    "_eager(change, /)\n--\n\n"
    "For tests: take generator expressions apart whether that pays or not.";
