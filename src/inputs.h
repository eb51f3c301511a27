/* Several iterables that one object reads at once, and the block that holds their
   sources. */

#ifndef PYGENX_INPUTS_H
#define PYGENX_INPUTS_H

#include "source.h"

typedef struct {
    gx_source *sources; /* owned block of n, at least one, for the life of its object;
                           NULL before it is opened */
    Py_ssize_t n;
} gx_inputs;

/* Open them all, in order, before there is an object that they belong to: iter() may
   run user code, which would find one half made. -1 with iter()'s error; then nothing
   is open. */
int gx_inputs_open(gx_state *state, gx_inputs *inputs, PyObject *const *iterables,
                   Py_ssize_t n);
/* An input has ended: of an owned object it is closed, else let go of. */
int gx_input_leave(gx_state *state, gx_source *source, bool owned);
/* Let go of all, closing them in order if told to: all are tried. */
int gx_inputs_release(gx_state *state, gx_inputs *inputs, bool close);
int gx_inputs_traverse(const gx_inputs *inputs, visitproc visit, void *arg);
/* Let go of what was opened for an object that could not be made. */
void gx_inputs_discard(gx_inputs *inputs);
/* After the last release. */
void gx_inputs_free(gx_inputs *inputs);
/* Items left in all of them together, as gx_source_hint says it. */
Py_ssize_t gx_inputs_hint(const gx_inputs *inputs);
/* "zip(<list>, <generator>)". New reference. */
PyObject *gx_inputs_brief(const char *name, const gx_inputs *inputs);
/* The next item of one of them: what most inputs are, in place. */
static inline PyObject *
gx_input_next(gx_source *source)
{
#ifndef Py_GIL_DISABLED
    if (source->fetch == gx_fetch_list) {
        PyObject *list = source->obj;
        if (source->index >= PyList_GET_SIZE(list)) {
            return NULL;
        }
        return Py_NewRef(PyList_GET_ITEM(list, source->index++));
    }
#endif
    if (source->fetch == gx_fetch_leaf || source->fetch == gx_fetch_shallow) {
        return Py_TYPE(source->obj)->tp_iternext(source->obj);
    }
    return source->fetch(source);
}

/* throw(exc) into one of them, or raise it here if there is none. */
PySendResult gx_input_throw(gx_state *state, gx_inputs *inputs, Py_ssize_t i,
                            PyObject *exc, PyObject **out);
/* A TypeError: "send() cannot pass through zip". */
PySendResult gx_refuse_send(const char *name);

#endif
