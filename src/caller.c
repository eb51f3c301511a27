/* Callables of types that are no pipelines: when they are lifted. */

#include "caller.h"

#define CALLS_BETWEEN 128

void
gx_caller_drop(gx_caller *caller)
{
    gx_binding *b = caller->native;
    caller->native = NULL;
    if (b != NULL) {
        gx_binding_free(b);
    }
}

int
gx_caller_look(gx_caller *caller, PyObject *owner, PyObject *func, int nargs)
{
    bool first = caller->looks++ == 0;
    caller->countdown = CALLS_BETWEEN;
    if (first || caller->stays_called || !PyFunction_Check(func)) {
        return 0;
    }
    gx_state *state = gx_get_state(Py_TYPE(owner));
    int on = gx_lift_is_on(state);
    if (on <= 0) {
        gx_caller_drop(caller);
        return on;
    }
    if (caller->native == NULL) {
        caller->native = gx_lift_bind(state, func, nargs);
        caller->stays_called = caller->native == NULL;
        return caller->native == NULL && PyErr_Occurred() ? -1 : 0;
    }
    if (caller->native->opaque) {
        gx_caller_drop(caller);
        caller->stays_called = true;
    }
    return 0;
}

PyObject *
gx_caller_run(gx_caller *caller, PyObject *func, PyObject **args, int nargs)
{
    PyObject *result;
    caller->running = true;
    gx_outcome outcome = gx_machine_run(caller->native, args, &result);
    caller->running = false;
    if (outcome == GX_MACHINE_REFUSED) {
        return gx_call_func(func, args, (size_t)nargs);
    }
    return outcome == GX_MACHINE_VALUE ? result : NULL;
}
