/* Several sinks: opened one by one, thrown into and closed together. */

#include "targets.h"

Py_ssize_t
gx_targets_add(gx_state *state, gx_targets *targets, PyObject *target, const char *what)
{
    gx_sink sink = GX_SINK_NONE;
    if (gx_sink_open(state, &sink, target, what) < 0) {
        return -1;
    }
    size_t size = (size_t)targets->size + 1;
    gx_target *items = PyMem_Realloc(targets->items, size * sizeof(gx_target));
    if (items == NULL) {
        gx_sink_drop(&sink);
        PyErr_NoMemory();
        return -1;
    }
    targets->items = items;
    items[targets->size] = (gx_target){.sink = sink};
    targets->open++;
    return targets->size++;
}

/* Takes the result. The sink has ended by itself: it is not closed. */
static void
target_ended(gx_targets *targets, gx_target *target, PyObject *result)
{
    target->result = result;
    targets->open--;
    gx_sink_drop(&target->sink);
}

int
gx_targets_send(gx_state *state, gx_targets *targets, Py_ssize_t i, PyObject *item)
{
    gx_target *target = &targets->items[i];
    PyObject *out;
    if (target->result != NULL) {
        return 0;
    }
    switch (target->sink.deliver(state, &target->sink, item, &out)) {
    case PYGEN_NEXT:
        return 1;
    case PYGEN_RETURN:
        target_ended(targets, target, out);
        return 1;
    default:
        return -1;
    }
}

/* An error other than `exc` is collected, and wins over it. */
static void
throw_into(gx_state *state, gx_targets *targets, gx_target *target, PyObject *exc,
           bool *came_back, PyObject **error)
{
    PyObject *out = NULL;
    PySendResult answer = gx_sink_throw(state, &target->sink, exc, &out);
    if (answer == PYGEN_NEXT) {
        Py_XDECREF(out);
        return;
    }
    if (answer == PYGEN_RETURN) {
        target_ended(targets, target, out);
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    if (raised == exc) {
        *came_back = true;
        Py_DECREF(raised);
    } else {
        PyErr_SetRaisedException(raised);
        gx_collect_error(-1, error);
    }
}

int
gx_targets_throw(gx_state *state, gx_targets *targets, PyObject *exc)
{
    bool came_back = false;
    PyObject *error = NULL;
    for (Py_ssize_t i = 0; i < targets->size; i++) {
        if (targets->items[i].result == NULL) {
            throw_into(state, targets, &targets->items[i], exc, &came_back, &error);
        }
    }
    if (error == NULL && came_back) {
        PyErr_SetRaisedException(Py_NewRef(exc));
        return -1;
    }
    return gx_raise_collected(error);
}

int
gx_targets_finish(gx_state *state, gx_targets *targets)
{
    PyObject *error = NULL;
    for (Py_ssize_t i = 0; i < targets->size; i++) {
        gx_target *target = &targets->items[i];
        PyObject *result = NULL;
        if (target->result != NULL) {
            continue;
        }
        int rc = gx_sink_finish(state, &target->sink, &result);
        gx_collect_error(rc, &error);
        target_ended(targets, target, rc < 0 ? Py_NewRef(Py_None) : result);
    }
    return gx_raise_collected(error);
}

PyObject *
gx_targets_result(const gx_targets *targets, Py_ssize_t i)
{
    PyObject *result = targets->items[i].result;
    return result != NULL ? result : Py_None;
}

/* The array is out of the owner's hands before any reference goes. */
void
gx_targets_clear(gx_targets *targets)
{
    gx_targets dropped = *targets;
    *targets = (gx_targets){0};
    for (Py_ssize_t i = 0; i < dropped.size; i++) {
        gx_sink_drop(&dropped.items[i].sink);
        Py_XDECREF(dropped.items[i].result);
    }
    PyMem_Free(dropped.items);
}

int
gx_targets_traverse(const gx_targets *targets, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < targets->size; i++) {
        GX_VISIT_SINK(&targets->items[i].sink);
        Py_VISIT(targets->items[i].result);
    }
    return 0;
}
