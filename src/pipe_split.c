/* Several pipes of one: tee() and partition() of a pipe. */

#include "lookahead.h"
#include "pipe.h"
#include "tee.h"

/* A tuple of pipes over a tuple of iterators (taken; NULL: an error is raised). */
static PyObject *
pipes_over(gx_state *state, PyObject *iterators)
{
    if (iterators == NULL) {
        return NULL;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(iterators);
    PyObject *list = PyList_New(0), *pipes = NULL;
    for (Py_ssize_t i = 0; i < n && list != NULL; i++) {
        PyObject *made = gx_pipe_over(state, PyTuple_GET_ITEM(iterators, i));
        if (made == NULL || PyList_Append(list, made) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(made);
    }
    if (list != NULL) {
        pipes = PyList_AsTuple(list);
        Py_DECREF(list);
    }
    Py_DECREF(iterators);
    return pipes;
}

PyObject *
gx_pipe_tee(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const params[] = {"n", "lock", "maxlen", NULL};
    static const gx_signature signature = {"tee", params, 0, 0, 1};
    PyObject *out[3];
    tee_options options;
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0 ||
        gx_tee_parse(out, &options) < 0) {
        return NULL;
    }
    PyObject *heir = gx_pipe_give_up(op, "tee");
    if (heir == NULL) {
        return NULL;
    }
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    PyObject *pipes = pipes_over(state, gx_tee_over(state, heir, &options));
    Py_DECREF(heir);
    return pipes;
}

PyObject *
gx_pipe_partition(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
                  PyObject *kwnames)
{
    static const char *const params[] = {"pred", "maxlen", NULL};
    static const gx_signature signature = {"partition", params, 0, 1, 1};
    PyObject *out[2];
    Py_ssize_t maxlen;
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0) {
        return NULL;
    }
    PyObject *heir = NULL, *pred = Py_NewRef(out[0]);
    if ((pred == Py_None || gx_as_callable(&pred, "pred") == 0) &&
        gx_as_maxlen(out[1], 1, &maxlen) == 0) {
        heir = gx_pipe_give_up(op, "partition");
    }
    if (heir == NULL) {
        Py_DECREF(pred);
        return NULL;
    }
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    PyObject *pair = gx_partition_over(state, pred, heir, maxlen);
    Py_DECREF(heir);
    Py_DECREF(pred);
    return pipes_over(state, pair);
}
