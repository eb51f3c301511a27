/* What is known about a code object: its native program, or why it has none, kept in a
   slot of the code object's own; and whether native programs may run just now. */

#include "native.h"

/* -- the slot in code objects ------------------------------------------------ */

static void
forget(void *remembered)
{
    Py_XDECREF((PyObject *)remembered);
}

int
gx_lift_init(gx_state *state)
{
    const char *wish = getenv("PYGENX_LIFT");
    state->lift_off = wish != NULL && strcmp(wish, "0") == 0;
    state->code_extra = PyUnstable_Eval_RequestCodeExtraIndex(forget);
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
    if (what == NULL || state->code_extra < 0 ||
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

PyObject *
gx_lift_remembered(gx_state *state, PyObject *code)
{
    void *extra = NULL;
    if (state->code_extra >= 0 &&
        PyUnstable_Code_GetExtra(code, state->code_extra, &extra) < 0) {
        PyErr_Clear();
    }
    return extra;
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
