/* What the parts of timing know of each other: the text of a report, the timing
   object, and the decorated functions that record into it. */

#ifndef PYGENX_TIMING_H
#define PYGENX_TIMING_H

#include "pygenx.h"

#define GX_NS 1e9 /* nanoseconds in a second */

/* elapsed.c: "LABEL: 0.0123 seconds". error (borrowed) may be NULL. */
PyObject *gx_elapsed_new(PyTypeObject *type, PyObject *label, int64_t ns,
                         PyObject *error);
/* timing.c: add one use of `ns` to the statistics of a timing object and call its
   report, if it has one. `error` (borrowed, may be NULL) is what the timed code raised;
   nothing may be raised at the call. -1 with what the report raised. */
int gx_timing_record(PyObject *timing, int64_t ns, PyObject *error);

/* What a decorated function is, by the flags of its code. */
typedef enum {
    GX_TIMED_PLAIN,
    GX_TIMED_GENERATOR,
    GX_TIMED_COROUTINE,
    GX_TIMED_ASYNCGEN
} gx_timed_kind;

/* timed_run.c: the object that drives `inner` (stolen), in whose making `busy`
   nanoseconds of the body have passed. */
PyObject *gx_timed_run_new(gx_state *state, gx_timed_kind kind, PyObject *inner,
                           PyObject *timing, int64_t busy);
/* timed.c: the function that calls `func` and records into `timing`. */
PyObject *gx_timed_function_new(gx_state *state, PyObject *func, PyObject *timing);

#endif
