/* push: a program driven by its producer. What Pipeline.into(sink) and Reducer.push()
   return: a coroutine that runs what it is sent through the stages, into a sink or
   into the Reducer's terminal. */

#include "pipeline.h"
#include "sink.h"
#include "stats.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    gx_program *program; /* owned: stages, or a Reducer with its terminal */
    gx_run *run;         /* owned; NULL before the first item */
    gx_sink sink;        /* has a target only where there is no terminal */
    PyObject *stats;     /* owned, or NULL: nothing is counted */
    bool primed;         /* next() has been called before the first item */
} push_object;

#define push_CAST(op) ((push_object *)(op))

static const gx_protocol push_protocol;

/* -- construct ---------------------------------------------------------- */

int
gx_program_check_pushable(gx_program *program)
{
    for (gx_program *p = program; p->row != NULL; p = p->previous) {
        if (p->row->flags & GX_PULL_ONLY) {
            PyObject *stage = gx_stage_brief(p->row, p->args);
            PyErr_Format(PyExc_TypeError,
                         "%V asks for its items itself: nothing can be pushed to it",
                         stage, p->row->name);
            Py_XDECREF(stage);
            return -1;
        }
    }
    return 0;
}

static push_object *
push_alloc(gx_state *state, gx_program *program)
{
    PyTypeObject *type = GX_TYPE_OF(state, push);
    if (gx_program_check_pushable(program) < 0) {
        return NULL;
    }
    push_object *self = push_CAST(type->tp_alloc(type, 0));
    if (self != NULL) {
        self->protocol = &push_protocol;
        self->program = (gx_program *)Py_NewRef((PyObject *)program);
        self->sink = GX_SINK_NONE;
        self->started = true; /* primed: the first item may be sent at once */
    }
    return self;
}

PyObject *
gx_program_into(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
                PyObject *kwnames)
{
    static const char *const params[] = {"sink", NULL};
    static const gx_signature signature = {"into", params, 1, 1, 1};
    PyObject *out[1];
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0) {
        return NULL;
    }
    push_object *self = push_alloc(state, gx_program_CAST(op));
    if (self != NULL &&
        gx_sink_open(state, &self->sink, out[0], "into() argument 'sink'") < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

PyObject *
gx_reducer_push(PyObject *op, PyObject *Py_UNUSED(unused))
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    return (PyObject *)push_alloc(state, gx_program_CAST(op));
}

/* -- start -------------------------------------------------------------- */

static int
push_start(push_object *self)
{
    if (self->run == NULL) {
        gx_state *state = PyType_GetModuleState(Py_TYPE(self));
        self->run = gx_push_run_new(state, self->program, self->stats);
    }
    if (self->run == NULL) {
        return -1;
    }
    self->run->owner = self->owner;
    return 0;
}

/* -- iterate ------------------------------------------------------------ */

/* The sink raised: its own error passes, with a note where it came from. */
static void
note_sink(push_object *self, PyObject *item)
{
    PyObject *exc = gx_note_begin();
    if (exc != NULL) {
        PyObject *value = gx_brief(item);
        gx_note_end(exc, "sink <%s>, item %zd: %V", Py_TYPE(self->sink.target)->tp_name,
                    self->run->index - 1, value, "?");
        Py_XDECREF(value);
    }
}

/* The program has ended and was flushed: its value, or the sink's result. */
static PyObject *
push_value(push_object *self)
{
    PyObject *value = NULL;
    if (gx_program_is_reducer(self->program)) {
        return self->program->row->result(self->run, self->run->end - 1);
    }
    gx_sink_finish(PyType_GetModuleState(Py_TYPE(self)), &self->sink, &value);
    return value;
}

/* An end that fails is an end all the same. */
static PySendResult
push_complete(push_object *self, PyObject **out)
{
    *out = push_value(self);
    if (*out != NULL) {
        return PYGEN_RETURN;
    }
    gx_iterator_finish((PyObject *)self, self->owner);
    return PYGEN_ERROR;
}

/* Takes the item. A sink that ends has ended by itself: nothing is left to close. */
static inline PySendResult
deliver(push_object *self, gx_state *state, PyObject *item, PyObject **out)
{
    PySendResult answer = self->sink.deliver(state, &self->sink, item, out);
    if (answer == PYGEN_ERROR) {
        note_sink(self, item);
    }
    Py_DECREF(item);
    if (answer == PYGEN_RETURN) {
        gx_sink_drop(&self->sink);
    }
    return answer;
}

/* Run what was fed through the stages and deliver what comes out. PYGEN_NEXT: the run
   is starved, *count items went on. PYGEN_RETURN: it or the sink has ended. */
static PySendResult
push_pump(push_object *self, Py_ssize_t *count, PyObject **out)
{
    PyObject *item;
    while ((item = gx_run_next(self->run)) != NULL) {
        PySendResult answer = deliver(self, self->run->state, item, out);
        if (answer != PYGEN_NEXT) {
            return answer;
        }
        ++*count;
    }
    if (PyErr_Occurred()) {
        return PYGEN_ERROR;
    }
    return gx_run_is_starved(self->run) ? PYGEN_NEXT : push_complete(self, out);
}

/* One item, past the queue: nothing is open and nothing waits. *count is 0. */
static PySendResult
push_directly(push_object *self, PyObject *item, Py_ssize_t *count, PyObject **out)
{
    int more;
    gx_run *run = self->run;
    gx_state *state = run->state;
    PyObject *passed = gx_run_hand_down(run, Py_NewRef(item), &more);
    if (passed == NULL) {
        return more && gx_run_is_starved(run) ? PYGEN_NEXT
               : PyErr_Occurred()             ? PYGEN_ERROR
                                              : push_pump(self, count, out);
    }
    PySendResult answer = deliver(self, state, passed, out);
    *count = answer == PYGEN_NEXT;
    bool done = answer != PYGEN_NEXT || gx_run_is_starved(run);
    return done ? answer : push_pump(self, count, out);
}

/* What send() answers: the number of items that went on. */
static PySendResult
push_count(PySendResult answer, Py_ssize_t count, PyObject **out)
{
    if (answer == PYGEN_NEXT) {
        *out = PyLong_FromSsize_t(count);
        return *out == NULL ? PYGEN_ERROR : PYGEN_NEXT;
    }
    return answer;
}

static PySendResult
push_send(push_object *self, PyObject *item, PyObject **out)
{
    Py_ssize_t count = 0;
    PySendResult answer;
    if (push_start(self) < 0) {
        return PYGEN_ERROR;
    }
    gx_run *run = self->run;
    if (gx_run_is_starved(run) && run->steps->pending == NULL) {
        answer = push_directly(self, item, &count, out);
    } else if (gx_run_feed(run, Py_NewRef(item)) < 0) {
        return PYGEN_ERROR;
    } else {
        answer = push_pump(self, &count, out);
    }
    return push_count(answer, count, out);
}

/* What the producer throws is to the stages an error of their source: 1 one has dealt
   with it, and what it put in the item's place is on its way; 0 none, *exc (owned) is
   what goes on to the sink; -1 error. */
static int
push_rescue(push_object *self, PyObject **exc)
{
    if (push_start(self) < 0) {
        return -1;
    }
    if (!self->run->rescues) {
        if (self->run->counters != NULL) {
            self->run->counters[0].errors++;
        }
        return 0;
    }
    PyErr_SetRaisedException(Py_NewRef(*exc));
    if (gx_run_fail_closing(self->run, self->run->steps) > 0) {
        return 1;
    }
    Py_SETREF(*exc, PyErr_GetRaisedException());
    return 0;
}

static PySendResult
throw_into_sink(push_object *self, PyObject *exc, PyObject **out)
{
    if (self->sink.target == NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
        return PYGEN_ERROR;
    }
    PySendResult answer = gx_sink_throw(self->run->state, &self->sink, exc, out);
    if (answer == PYGEN_NEXT) {
        Py_SETREF(*out, PyLong_FromLong(0));
    }
    return answer;
}

static PySendResult
push_rest(push_object *self, PyObject **out)
{
    Py_ssize_t count = 0;
    PySendResult answer = push_pump(self, &count, out);
    return push_count(answer, count, out);
}

static PySendResult
push_throw(push_object *self, PyObject *exc, PyObject **out)
{
    Py_INCREF(exc);
    int rescued = push_rescue(self, &exc);
    PySendResult answer = rescued < 0    ? PYGEN_ERROR
                          : rescued == 0 ? throw_into_sink(self, exc, out)
                                         : push_rest(self, out);
    Py_DECREF(exc);
    return answer;
}

static PySendResult
push_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    push_object *self = push_CAST(op);
    return how == GX_SEND    ? push_send(self, value, out)
           : how == GX_THROW ? push_throw(self, value, out)
                             : gx_push_prime(op, &self->primed, self->run != NULL, out);
}

/* What gx_resume does for send(), of a run in progress: false, nothing done, for the
   start, the end and refusals. */
static bool
push_take_locked(push_object *self, PyObject *item, PySendResult *answer,
                 PyObject **out)
{
    if (self->run == NULL || self->running || self->ended) {
        return false;
    }
    self->running = true;
    *answer = push_send(self, item, out);
    self->running = false;
    if (*answer == PYGEN_RETURN) {
        Py_XSETREF(self->result, Py_NewRef(*out));
        if (gx_iterator_finish((PyObject *)self, self->owner) < 0) {
            Py_CLEAR(*out);
            *answer = PYGEN_ERROR;
        }
    }
    return true;
}

static PySendResult
push_am_send(PyObject *op, PyObject *item, PyObject **out)
{
    bool done;
    PySendResult answer;
    *out = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    done = push_take_locked(push_CAST(op), item, &answer, out);
    Py_END_CRITICAL_SECTION();
    return done ? answer : gx_resume(op, GX_SEND, item, out);
}

static PyObject *
push_send_method(PyObject *op, PyObject *item)
{
    PyObject *out;
    PySendResult answer = push_am_send(op, item, &out);
    return gx_item_or_raise(answer, out);
}

/* -- protocol ----------------------------------------------------------- */

static int
push_release(PyObject *op, bool close)
{
    push_object *self = push_CAST(op);
    PyObject *error = NULL, *unused = NULL;
    if (self->run != NULL) {
        gx_collect_error(gx_run_release(self->run, close), &error);
    }
    if (close && self->sink.target != NULL) {
        gx_state *state = PyType_GetModuleState(Py_TYPE(op));
        gx_collect_error(gx_sink_finish(state, &self->sink, &unused), &error);
        Py_XDECREF(unused);
    }
    gx_sink_drop(&self->sink);
    return gx_raise_collected(error);
}

static int
push_clear(PyObject *op)
{
    push_object *self = push_CAST(op);
    gx_run *run = self->run;
    self->run = NULL;
    if (run != NULL) {
        gx_run_free(run);
    }
    gx_sink_drop(&self->sink);
    return 0;
}

static void
push_forget(PyObject *op)
{
    Py_CLEAR(push_CAST(op)->program);
    Py_CLEAR(push_CAST(op)->stats); /* after the run, which counts there */
}

/* Dropped half-way: nothing is flushed, the stages' own clean-up still runs. */
static void
push_finalize(PyObject *op)
{
    if (push_CAST(op)->run != NULL) {
        gx_iterator_finalize(op);
    }
}

static int
push_traverse(PyObject *op, visitproc visit, void *arg)
{
    push_object *self = push_CAST(op);
    GX_VISIT_ITERATOR(op);
    GX_VISIT_SINK(&self->sink);
    Py_VISIT(self->program);
    Py_VISIT(self->stats);
    return self->run == NULL ? 0 : gx_run_traverse(self->run, visit, arg);
}

/* What was sent is all there is; what an error left unread goes first. An error while
   flushing: the sink is closed all the same, its result is lost. */
static PyObject *
push_flush(PyObject *op)
{
    push_object *self = push_CAST(op);
    PyObject *result = NULL;
    Py_ssize_t count = 0;
    if (push_start(self) < 0) {
        return NULL;
    }
    PySendResult answer = push_pump(self, &count, &result);
    if (answer == PYGEN_NEXT) {
        gx_run_feed_end(self->run);
        answer = push_pump(self, &count, &result);
    }
    return answer == PYGEN_RETURN ? result : NULL;
}

PyObject *
gx_push_close(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return gx_push_close_with(op, push_flush);
}

static PyObject *
push_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    return gx_push_exit(op, args, nargs, gx_push_close);
}

static PyObject *
stats_of(PyObject *op, bool timed)
{
    PyObject *stats;
    push_object *self = push_CAST(op);
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    Py_BEGIN_CRITICAL_SECTION(op);
    bool started = self->run != NULL || self->ended;
    stats = gx_stats_of_push(state, &self->stats, self->program, started, timed);
    Py_END_CRITICAL_SECTION();
    return stats;
}

static PyObject *
push_stats(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return stats_of(op, false);
}

static PyObject *
push_profile(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return stats_of(op, true);
}

static PyObject *
push_repr(PyObject *op)
{
    push_object *self = push_CAST(op);
    PyObject *target = Py_XNewRef(self->sink.target);
    PyObject *stages = gx_program_brief(self->program);
    PyObject *text = NULL;
    if (stages != NULL && target != NULL) {
        PyObject *sink = gx_brief_callable(target);
        text = sink ? PyUnicode_FromFormat("Pipeline()%U -> into(%U)", stages, sink)
                    : NULL;
        Py_XDECREF(sink);
    } else if (stages != NULL) {
        text = PyUnicode_FromFormat("Pipeline()%U%s", stages,
                                    self->ended ? " -> <ended>" : "");
    }
    Py_XDECREF(stages);
    Py_XDECREF(target);
    return text;
}

static const gx_protocol push_protocol = {
    .name = "push",
    .resume = push_resume,
    .release = push_release,
    .clear = push_clear,
    .forget = push_forget,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(push_doc,
"A program driven by its producer: what Pipeline.into() and Reducer.push() return.\n\n"
"send(item) runs an item through the stages and delivers what comes out; close()\n"
"flushes what the stages hold, closes the sink and returns its result.");

PyDoc_STRVAR(push_send_doc,
"send($self, item, /)\n--\n\n"
"Run an item through the stages and return the number of items that went on.\n\n"
"Raises StopIteration, with the result, when a stage or the sink wants no more; an\n"
"error of a stage or of the sink passes and the next item may be sent.");

PyDoc_STRVAR(push_close_doc,
"close($self, /)\n--\n\n"
"Flush the stages, close the sink and return its result; again when called again.");

PyDoc_STRVAR(push_stats_doc,
"stats($self, /)\n--\n\n"
"Count what passes: the items sent, each stage, the terminal of a Reducer.\n\n"
"As pipe.stats(). Raises RuntimeError when an item has been sent.");

PyDoc_STRVAR(push_profile_doc,
"profile($self, /)\n--\n\n"
"As stats(), and measure the time spent in each stage and the terminal.");

const char gx_into_doc[] =
    "into($self, sink, /)\n--\n\n"
    "Return a coroutine that runs what it is sent through the stages into a sink.\n\n"
    "A sink is anything with send(), a function or a Reducer. The coroutine takes items at\n"
    "once, without a first next(); send(item) returns the number of items that went on,\n"
    "close() flushes what the stages hold, closes the sink and returns its result. When a\n"
    "stage or the sink wants no more, send() raises StopIteration with the result. throw()\n"
    "goes to the sink. Raises TypeError for a sink that cannot be sent to and for stages\n"
    "that ask for their items themselves.\n\n"
    ">>> numbers = []\n"
    ">>> evens = Pipeline().filter(lambda x: x % 2 == 0).batched(2).into(numbers.append)\n"
    ">>> [evens.send(x) for x in range(5)]\n"
    "[0, 0, 1, 0, 0]\n"
    ">>> evens.close()\n"
    ">>> numbers\n"
    "[(0, 2), (4,)]";

static PyMethodDef push_methods[] = {
    {"send", push_send_method, METH_O, push_send_doc},
    {"throw", GX_FASTCALL(gx_iterator_throw), METH_FASTCALL, gx_push_throw_doc},
    {"close", gx_push_close, METH_NOARGS, push_close_doc},
    {"stats", push_stats, METH_NOARGS, push_stats_doc},
    {"profile", push_profile, METH_NOARGS, push_profile_doc},
    {"__enter__", gx_iterator_enter, METH_NOARGS, gx_push_enter_doc},
    {"__exit__", GX_FASTCALL(push_exit), METH_FASTCALL, gx_push_exit_doc},
    {"__reduce__", gx_iterator_reduce, METH_NOARGS, gx_reduce_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef push_getset[] = {
    {"result", gx_iterator_get_result, NULL,
     "What close() returned, or the early end; None before.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef push_members[] = {
    GX_WEAKLIST_MEMBER(push_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot push_slots[] = {
    {Py_tp_doc, (void *)push_doc},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_finalize, push_finalize},
    {Py_tp_traverse, push_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, push_repr},
    {Py_tp_iternext, gx_iterator_next}, /* for drivers that prime every coroutine */
    {Py_am_send, push_am_send},
    {Py_tp_methods, push_methods},
    {Py_tp_getset, push_getset},
    {Py_tp_members, push_members},
    {0, NULL},
};

/* Final, and made by Pipeline and Reducer alone. No tp_iter: there is nothing to
   iterate over. */
static PyType_Spec push_spec = {
    .name = "pygenx.push",
    .basicsize = sizeof(push_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = push_slots,
};

const gx_typedef gx_push_typedef = {
    .spec = &push_spec,
};
