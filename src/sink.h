/* Where items go: one struct for "an object being fed", with a lane per way to feed
   it, and what the push objects share. The twin of source.h. */

#ifndef PYGENX_SINK_H
#define PYGENX_SINK_H

#include "pygenx.h"

typedef struct gx_sink gx_sink;

/* Deliver one item, None included. PYGEN_NEXT: it was taken, what the target answered
   is dropped. PYGEN_RETURN: the target has ended, *out is its result. PYGEN_ERROR. */
typedef PySendResult (*gx_deliver)(gx_state *state, gx_sink *sink, PyObject *item,
                                   PyObject **out);

/* Invariant: `deliver` is never NULL; gx_deliver_none exactly when nothing is open.
   All other lanes may run user code: their caller has set `running` or owns the
   struct alone, so nobody lets go of the target meanwhile. */
struct gx_sink {
    gx_deliver deliver; /* the lane */
    PyObject *target;   /* owned */
};

PySendResult gx_deliver_none(gx_state *state, gx_sink *sink, PyObject *item,
                             PyObject **out);
/* In fold.c: the lane of a fold, and its close(), the last value. */
PySendResult gx_deliver_fold(gx_state *state, gx_sink *sink, PyObject *item,
                             PyObject **out);
PyObject *gx_fold_close(PyObject *fold, PyObject *unused);

#define GX_SINK_NONE ((gx_sink){.deliver = gx_deliver_none})

/* Open `target`, anything with send() or else a callable, or a Reducer, of which a run
   is made, into a sink that has nothing open; `what` names the argument in the TypeError for anything else. Sends
   nothing: a generator is primed before its first item. */
int gx_sink_open(gx_state *state, gx_sink *sink, PyObject *target, const char *what);
/* Advance a generator that has not started to its first yield; others are ready.
   PYGEN_RETURN: it ended before that, *out is its result. */
PySendResult gx_sink_prime(gx_state *state, gx_sink *sink, PyObject **out);
/* throw(exc) into the target, PYGEN_NEXT: *out is its answer. Without a throw() close
   it and raise exc. */
PySendResult gx_sink_throw(gx_state *state, gx_sink *sink, PyObject *exc,
                           PyObject **out);
/* Close the target, let go of it, fetch its result (owned; set where 0 is answered):
   a generator's return value on every version, else its .result, else what close()
   answered. */
int gx_sink_finish(gx_state *state, gx_sink *sink, PyObject **result);

/* feed(source, target) of borrowed objects (feed.c). */
PyObject *gx_feed_into(gx_state *state, PyObject *source, PyObject *target);

static inline void
gx_sink_drop(gx_sink *sink)
{
    PyObject *target = sink->target;
    *sink = GX_SINK_NONE;
    Py_XDECREF(target);
}

#define GX_VISIT_SINK(sink) Py_VISIT((sink)->target)

/* Push objects have the iterator head with `started` set from the beginning. Their
   `with`: a clean exit calls `close`, an exception is thrown in, without flushing. */
PyObject *gx_push_enter(PyObject *op, PyObject *unused);
PyObject *gx_push_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
                       PyCFunction close);

/* next() on one that gives no items: None once, before anything is sent, for drivers
   that prime every coroutine; then RuntimeError. */
PySendResult gx_push_prime(PyObject *op, bool *primed, bool begun, PyObject **out);
/* close() for one whose result is what `finish`, called with `running` set, makes. */
PyObject *gx_push_close_with(PyObject *op, PyObject *(*finish)(PyObject *));

/* A callback of a push object raised: its StopIteration becomes a RuntimeError, the
   note "fold(add), item 3: 5" is added; `format` is "fold(%U)" or the like. */
void gx_push_failed(const char *format, PyObject *func, Py_ssize_t index,
                    PyObject *item);

extern const char gx_push_throw_doc[], gx_push_enter_doc[], gx_push_exit_doc[];

#endif
