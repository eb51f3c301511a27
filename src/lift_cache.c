/* What is known about a code object: its native program, or why it has none, kept in a
   slot of the code object's own; and whether native programs may run just now. */

#include "native.h"

/* -- the slot in code objects ------------------------------------------------ */

#define INDEX_KEY "pygenx.code_extra" /* in the dict of the interpreter */

static void
forget(void *remembered)
{
    Py_XDECREF((PyObject *)remembered);
}

/* There are 255 for all extensions, which are never given back: so one import of this
   module leaves it to the next. -1 with an error; *index is -1 if none is left. */
static int
request_index(Py_ssize_t *index)
{
    PyObject *dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
    PyObject *key = dict != NULL ? PyUnicode_FromString(INDEX_KEY) : NULL;
    PyObject *number = NULL;
    int rc = key != NULL ? PyDict_GetItemRef(dict, key, &number) : -1;
    if (rc == 0) {
        *index = PyUnstable_Eval_RequestCodeExtraIndex(forget);
        number = PyLong_FromSsize_t(*index);
        rc = number != NULL ? PyDict_SetItem(dict, key, number) : -1;
    } else if (rc > 0) {
        *index = PyLong_AsSsize_t(number);
    }
    Py_XDECREF(number);
    Py_XDECREF(key);
    return rc < 0 && PyErr_Occurred() ? -1 : 0; /* no dict is no error */
}

/* Modules that are compiled into CPython 3.11 and 3.12: their code objects serve all
   interpreters, each of which would find what another one left there. */
static bool
is_shared(PyObject *code)
{
    return PY_VERSION_HEX < 0x030D0000 && Py_REFCNT(code) > 500 * 1000 * 1000;
}

int
gx_lift_init(gx_state *state)
{
    const char *wish = getenv("PYGENX_LIFT");
    state->lift_off = wish != NULL && strcmp(wish, "0") == 0;
    state->code_extra = -1;
    if (request_index(&state->code_extra) < 0) {
        return -1;
    }
#if PY_VERSION_HEX >= 0x030C0000
    PyObject *monitoring = PySys_GetObject("monitoring");
    if (monitoring != NULL) {
        state->get_tool = PyObject_GetAttr(monitoring, GX_NAME(state, get_tool));
        return state->get_tool == NULL ? -1 : 0;
    }
#endif
    return 0;
}

void
gx_lift_remember(gx_state *state, PyObject *code, PyObject *what)
{
    if (what == NULL || state->code_extra < 0 || is_shared(code) ||
        PyUnstable_Code_SetExtra(code, state->code_extra, what) < 0) {
        PyErr_Clear(); /* it has to be found out again */
        Py_XDECREF(what);
    }
}

/* What is kept (new reference): a native or a str; NULL with an error. */
static PyObject *
lift_and_remember(gx_state *state, PyCodeObject *code)
{
    const char *why;
    PyObject *found = (PyObject *)gx_lift_code(state, code, &why);
    if (found == NULL && !PyErr_Occurred()) {
        found = PyUnicode_FromString(why);
    }
    if (found != NULL) {
        gx_lift_remember(state, (PyObject *)code, Py_NewRef(found));
    }
    return found;
}

/* A native of another import of this module is of no use here. */
PyObject *
gx_lift_remembered(gx_state *state, PyObject *code)
{
    void *extra = NULL;
    if (state->code_extra >= 0 && !is_shared(code) &&
        PyUnstable_Code_GetExtra(code, state->code_extra, &extra) < 0) {
        PyErr_Clear();
    }
    PyObject *found = extra;
    bool ours = found != NULL && (PyLong_Check(found) || PyUnicode_Check(found) ||
                                  Py_IS_TYPE(found, GX_TYPE_OF(state, native)));
    return ours ? found : NULL;
}

gx_native *
gx_lift_any(gx_state *state, PyObject *code, PyObject **why)
{
    PyObject *found = Py_XNewRef(gx_lift_remembered(state, code));
    if (found == NULL || PyLong_Check(found)) {
        Py_XSETREF(found, lift_and_remember(state, (PyCodeObject *)code));
    }
    *why = NULL;
    if (found != NULL && PyUnicode_Check(found)) {
        *why = found;
        return NULL;
    }
    return (gx_native *)found;
}

gx_native *
gx_lift(gx_state *state, PyObject *code, PyObject **why)
{
    gx_native *native = gx_lift_any(state, code, why);
    if (native != NULL && native->loop != NULL) {
        Py_DECREF((PyObject *)native);
        *why = PyUnicode_FromString("it is a generator or coroutine");
        return NULL;
    }
    return native;
}

/* -- when native programs may run ---------------------------------------------- */

#define MONITORING_TOOLS 6

/* Some tool of sys.monitoring has a name: 1, 0 or -1. */
static int
is_monitored(gx_state *state)
{
    for (long i = 0; state->get_tool != NULL && i < MONITORING_TOOLS; i++) {
        PyObject *id = PyLong_FromLong(i);
        PyObject *tool = id != NULL ? PyObject_CallOneArg(state->get_tool, id) : NULL;
        Py_XDECREF(id);
        if (tool == NULL) {
            return -1;
        }
        bool used = tool != Py_None;
        Py_DECREF(tool);
        if (used) {
            return 1;
        }
    }
    return 0;
}

int
gx_lift_is_on(gx_state *state)
{
    const PyThreadState *thread = PyThreadState_Get();
    if (state->lift_off > 0 || thread->c_tracefunc != NULL ||
        thread->c_profilefunc != NULL) {
        return 0;
    }
    int monitored = is_monitored(state);
    return monitored < 0 ? -1 : !monitored;
}
