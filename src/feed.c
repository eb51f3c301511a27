/* feed(source, target): sends every item of an iterable to a target, closes it and
   returns its result. A drain: one C loop, no object of its own. */

#include "sink.h"
#include "source.h"

/* -- struct ------------------------------------------------------------- */

/* On the C stack of one call: nobody else can reach it. */
typedef struct {
    gx_state *state;
    gx_source source;
    gx_sink sink;
    Py_ssize_t index; /* items taken from the source */
    gx_breath breath;
    PyObject *result; /* owned: set once the target has ended */
} feeding;

/* -- construct ---------------------------------------------------------- */

static const char *const feed_params[] = {"source", "target", NULL};
static const gx_signature feed_signature = {"feed", feed_params, 2, 2, 2};

/* The target is looked at first, nothing is sent to it before the source is open. */
static int
feed_open(feeding *self, PyObject *source, PyObject *target)
{
    const char *what = "feed() argument 'target'";
    if (gx_sink_open(self->state, &self->sink, target, what) < 0) {
        return -1;
    }
    if (gx_source_open(self->state, &self->source, source) < 0) {
        gx_no_stop_iteration("iter() of the source of feed");
        return -1;
    }
    return 0;
}

/* -- iterate ------------------------------------------------------------ */

/* The target took `exc` and ended with a result, or answered: 0, -1 and 1 as below.
   Ctrl-C and its like cannot be swallowed: the target is closed and they go on. */
static int
feed_caught(feeding *self, PySendResult answer, PyObject *exc)
{
    PyObject *error = NULL, *ignored = NULL;
    if (PyObject_TypeCheck(exc, (PyTypeObject *)PyExc_Exception)) {
        return answer == PYGEN_NEXT;
    }
    if (answer == PYGEN_NEXT) {
        gx_collect_error(gx_sink_finish(self->state, &self->sink, &ignored), &error);
        Py_XDECREF(ignored);
    }
    Py_CLEAR(self->result);
    PyErr_SetRaisedException(Py_NewRef(exc));
    if (error != NULL) {
        gx_chain_errors(error);
    }
    return -1;
}

/* The source, or a signal handler, has raised: the target gets the exception. 1 it
   has taken it and waits for more, 0 it has ended, -1 error. */
static int
feed_throw(feeding *self)
{
    PyObject *out = NULL, *exc = PyErr_GetRaisedException();
    PySendResult answer = gx_sink_throw(self->state, &self->sink, exc, &out);
    int rc = -1;
    if (answer != PYGEN_ERROR) {
        if (answer == PYGEN_RETURN) {
            self->result = out;
        } else {
            Py_XDECREF(out);
        }
        rc = feed_caught(self, answer, exc);
    }
    Py_DECREF(exc);
    return rc;
}

static void
feed_note_source(feeding *self)
{
    PyObject *exc = gx_note_begin();
    if (exc != NULL) {
        PyObject *source = gx_source_brief(&self->source);
        gx_note_end(exc, "source %V, item %zd", source, "?", self->index);
        Py_XDECREF(source);
    }
}

static void
feed_note_target(feeding *self, PyObject *item)
{
    PyObject *exc = gx_note_begin();
    if (exc != NULL) {
        PyObject *value = gx_brief(item);
        gx_note_end(exc, "feed, item %zd: %V", self->index - 1, value, "?");
        Py_XDECREF(value);
    }
}

/* Send one item: 1 go on, 0 the target has ended, -1 error. Steals `item`. */
static int
feed_send(feeding *self, PyObject *item)
{
    PyObject *out;
    PySendResult answer = self->sink.deliver(self->state, &self->sink, item, &out);
    if (answer == PYGEN_RETURN) {
        self->result = out;
    } else if (answer == PYGEN_ERROR) {
        feed_note_target(self, item);
    }
    Py_DECREF(item);
    return answer == PYGEN_NEXT ? 1 : answer == PYGEN_RETURN ? 0 : -1;
}

/* The source gave nothing: 1 go on, 0 it or the target has ended, -1 error. */
static int
feed_empty(feeding *self)
{
    if (gx_ended(NULL)) {
        return 0;
    }
    feed_note_source(self);
    return feed_throw(self);
}

static int
feed_loop(feeding *self)
{
    int more = 1;
    while (more > 0) {
        if (gx_tick(&self->breath) < 0) {
            more = feed_throw(self);
            continue;
        }
        PyObject *item = gx_next(&self->source);
        if (item == NULL) {
            more = feed_empty(self);
            continue;
        }
        self->index++;
        more = feed_send(self, item);
    }
    return more;
}

/* A target that has ended by itself is not closed, and its source is let go as one
   that was given away. */
static int
feed_all(feeding *self)
{
    PySendResult answer = gx_sink_prime(self->state, &self->sink, &self->result);
    if (answer == PYGEN_ERROR || (answer == PYGEN_NEXT && feed_loop(self) < 0)) {
        return -1;
    }
    gx_source_drop(&self->source);
    if (self->result != NULL) {
        return 0;
    }
    return gx_sink_finish(self->state, &self->sink, &self->result);
}

PyObject *
gx_feed_into(gx_state *state, PyObject *source, PyObject *target)
{
    feeding self = {
        .state = state,
        .source = GX_SOURCE_NONE,
        .sink = GX_SINK_NONE,
        .breath = GX_BREATH(GX_INTERVAL_CALLS),
    };
    int rc = feed_open(&self, source, target);
    if (rc == 0) {
        rc = feed_all(&self);
    }
    PyObject *error = rc < 0 ? PyErr_GetRaisedException() : NULL;
    gx_source_drop(&self.source);
    gx_sink_drop(&self.sink);
    if (gx_raise_collected(error) < 0) {
        Py_CLEAR(self.result);
    }
    return self.result;
}

PyObject *
gx_feed(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *given[2];
    if (gx_parse(&feed_signature, args, (size_t)nargs, kwnames, given) < 0) {
        return NULL;
    }
    return gx_feed_into(PyModule_GetState(module), given[0], given[1]);
}

/* -- type --------------------------------------------------------------- */

const char gx_feed_doc[] =
    "feed($module, source, target, /)\n--\n\n"
    "Send every item of source to target, close it and return its result.\n\n"
    "A target is anything with send(), a function or a Reducer. A generator is advanced to its\n"
    "first yield before; anything else must be ready, as fold and grouping are. The\n"
    "result is a generator's return value, else the target's .result, else what its\n"
    "close() returned. A target that ends early ends the feeding: the rest stays in\n"
    "the source.\n\n"
    "An error of the source is thrown into the target instead of closing it: what comes\n"
    "back out is raised; if the target returns, that is the result; if it yields, the\n"
    "source is asked for more. An error of the target is raised and the target left as\n"
    "it is. Raises TypeError for a target that cannot be sent to.\n\n"
    ">>> import operator\n"
    ">>> feed(range(1, 6), fold(operator.add, 0))\n"
    "15";
