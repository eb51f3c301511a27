/* Several sinks behind one push object, each with what it has returned: what broadcast
   and route share. */

#ifndef PYGENX_TARGETS_H
#define PYGENX_TARGETS_H

#include "sink.h"

typedef struct {
    gx_sink sink;
    PyObject *result; /* owned; NULL as long as the sink is open */
} gx_target;

/* Used only while its owner's `running` is set: nobody else adds or ends one. */
typedef struct {
    gx_target *items; /* owned */
    Py_ssize_t size;
    Py_ssize_t open; /* those without a result */
} gx_targets;

/* Open one more sink, `what` as for gx_sink_open: its index, or -1. */
Py_ssize_t gx_targets_add(gx_state *state, gx_targets *targets, PyObject *target,
                          const char *what);
/* 1 it was taken, 0 that sink has ended, -1 error. */
int gx_targets_send(gx_state *state, gx_targets *targets, Py_ssize_t i, PyObject *item);
/* Throw into every open sink: 0 each has taken it or ended, -1 something came out, `exc`
   itself where nothing else did. */
int gx_targets_throw(gx_state *state, gx_targets *targets, PyObject *exc);
/* Close every open sink, in order, and keep its result; all are tried. */
int gx_targets_finish(gx_state *state, gx_targets *targets);
/* Borrowed; None for a sink that failed to give one. */
PyObject *gx_targets_result(const gx_targets *targets, Py_ssize_t i);
void gx_targets_clear(gx_targets *targets);
int gx_targets_traverse(const gx_targets *targets, visitproc visit, void *arg);

#endif
