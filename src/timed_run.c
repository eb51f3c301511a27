/* What a call of a decorated generator, coroutine or async generator function gives:
   an object of the same protocol that drives the real one and times its body. */

#include "timing.h"
#include "wrapper.h"

/* -- struct ------------------------------------------------------------- */

/* One struct serves the four: each hands every call on to the object it drives.

   generator   busy is the sum of its resumptions
   coroutine   busy runs from its first resumption to its end, awaits included
   asyncgen    is not resumed itself: its steps add to its busy
   step        an awaitable of the asyncgen (`owner`): from its first resumption until
               it gives an item or ends

   No guard: the object inside refuses to be resumed while it runs, and an error that
   leaves it alive ends no run. */
typedef struct {
    PyObject_HEAD
    PyObject *inner;  /* owned: what is driven; never replaced, NULL after tp_clear */
    PyObject *timing; /* owned: where the run is recorded; a step has none */
    PyObject *owner;  /* owned: a step's asyncgen, else NULL */
    PyObject *weakrefs;
    int64_t busy;  /* nanoseconds of the body so far */
    int64_t since; /* coroutine, step: when first resumed; 0 before */
    bool started;  /* a line of the body may have run: there is a use to record */
    bool recorded; /* set once, before the report is called */
    bool starts;   /* step: of __anext__ or asend, which start the asyncgen */
    bool waits;    /* coroutine, step: time between resumptions counts */
} timed_object;

#define timed_CAST(op) ((timed_object *)(op))

/* -- construct ---------------------------------------------------------- */

/* Steals inner. */
static timed_object *
timed_new(PyTypeObject *type, PyObject *inner, PyObject *timing)
{
    timed_object *self = timed_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        Py_DECREF(inner);
        return NULL;
    }
    self->inner = inner;
    self->timing = Py_XNewRef(timing);
    self->starts = true;
    return self;
}

/* The awaitable that drives `awaitable` (stolen, may be NULL with an error set). */
static PyObject *
timed_step_new(timed_object *owner, PyObject *awaitable, bool starts)
{
    gx_state *state = gx_get_state(Py_TYPE(owner));
    PyObject *it = awaitable == NULL ? NULL : gx_awaitable_iter(state, awaitable);
    Py_XDECREF(awaitable);
    if (it == NULL) {
        return NULL;
    }
    timed_object *self = timed_new(GX_TYPE_OF(state, timed_step), it, NULL);
    if (self != NULL) {
        self->owner = Py_NewRef((PyObject *)owner);
        self->starts = starts;
        self->waits = true;
    }
    return (PyObject *)self;
}

PyObject *
gx_timed_run_new(gx_state *state, gx_timed_kind kind, PyObject *inner, PyObject *timing,
                 int64_t busy)
{
    static const int types[] = {
        [GX_TIMED_GENERATOR] = GX_TYPE_timed_generator,
        [GX_TIMED_COROUTINE] = GX_TYPE_timed_coroutine,
        [GX_TIMED_ASYNCGEN] = GX_TYPE_timed_asyncgen,
    };
    timed_object *self = timed_new(state->types[types[kind]], inner, timing);
    if (self != NULL) {
        self->busy = busy;
        self->waits = kind == GX_TIMED_COROUTINE;
    }
    return (PyObject *)self;
}

/* -- measure ------------------------------------------------------------ */

/* What a resumption has shown of the run. */
typedef enum { GOES_ON, MAY_HAVE_ENDED, HAS_ENDED } timed_outcome;

/* Whether a generator's frame is gone. Objects without a frame to look at (a primed
   awaitable) have ended when they stop giving items. */
static bool
has_ended(gx_state *state, PyObject *inner)
{
    PyObject *const names[] = {GX_NAME(state, gi_frame), GX_NAME(state, cr_frame),
                               GX_NAME(state, ag_frame)};
    int first = PyAsyncGen_CheckExact(inner) ? 2 : PyCoro_CheckExact(inner) ? 1 : 0;
    for (int i = first; i < 3; i++) {
        PyObject *frame = PyObject_GetAttr(inner, names[i]);
        if (frame != NULL) {
            Py_DECREF(frame);
            return frame == Py_None;
        }
        PyErr_Clear();
    }
    return true;
}

/* The clock before a resumption. What a step has is guarded by its asyncgen's lock. */
static int64_t
timed_begin(timed_object *self, bool starts)
{
    int64_t now;
    timed_object *run = self->owner == NULL ? self : timed_CAST(self->owner);
    Py_BEGIN_CRITICAL_SECTION(run);
    run->started = run->started || starts;
    now = gx_clock_ns();
    if (self->since == 0) {
        self->since = now;
    }
    Py_END_CRITICAL_SECTION();
    return now;
}

static void
timed_add_locked(timed_object *self, timed_object *run, int64_t begin, bool more)
{
    int64_t now = gx_clock_ns();
    if (!self->waits) {
        run->busy += now - begin;
    } else if (run == self) {
        run->busy = now - self->since;
    } else if (!more && !self->recorded) {
        run->busy += now - self->since;
        self->recorded = true;
    }
}

/* Record the run if it has ended. An error that is raised is kept, with one of the
   report raised on top of it. -1 only with an error raised here. */
static int
timed_record(timed_object *run, timed_outcome outcome)
{
    int64_t busy;
    bool now, ended = outcome == HAS_ENDED || run->inner == NULL;
    PyObject *raised = PyErr_GetRaisedException();
    if (!ended) {
        ended = has_ended(gx_get_state(Py_TYPE(run)), run->inner);
    }
    Py_BEGIN_CRITICAL_SECTION(run);
    now = ended && run->started && !run->recorded && run->timing != NULL;
    run->recorded = run->recorded || ended;
    busy = run->busy;
    Py_END_CRITICAL_SECTION();
    bool failed = raised != NULL &&
                  !PyErr_GivenExceptionMatches(raised, PyExc_StopIteration) &&
                  !PyErr_GivenExceptionMatches(raised, PyExc_StopAsyncIteration);
    int rc = 0;
    if (now) {
        rc = gx_timing_record(run->timing, busy, failed ? raised : NULL);
    }
    if (raised != NULL && rc < 0) {
        gx_chain_errors(raised);
    } else if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return rc;
}

/* After a resumption. -1 as timed_record. */
static int
timed_settle(timed_object *self, int64_t begin, timed_outcome outcome)
{
    timed_object *run = self->owner == NULL ? self : timed_CAST(self->owner);
    Py_BEGIN_CRITICAL_SECTION(run);
    timed_add_locked(self, run, begin, outcome == GOES_ON);
    Py_END_CRITICAL_SECTION();
    return outcome == GOES_ON ? 0 : timed_record(run, outcome);
}

/* -- iterate ------------------------------------------------------------ */

/* Generators and coroutines count their own depth. */
static PySendResult
send_inner(PyObject *inner, PyObject *value, PyObject **out)
{
    if (PyGen_CheckExact(inner) || PyCoro_CheckExact(inner)) {
        return PyIter_Send(inner, value, out);
    }
    if (Py_EnterRecursiveCall(" in a pygenx decorator")) {
        return PYGEN_ERROR;
    }
    PySendResult answer = PyIter_Send(inner, value, out);
    Py_LeaveRecursiveCall();
    return answer;
}

static PySendResult
timed_am_send(PyObject *op, PyObject *value, PyObject **out)
{
    timed_object *self = timed_CAST(op);
    *out = NULL;
    if (self->inner == NULL) {
        *out = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    int64_t begin = timed_begin(self, self->starts);
    PySendResult answer = send_inner(self->inner, value, out);
    timed_outcome outcome = answer == PYGEN_NEXT ? GOES_ON : MAY_HAVE_ENDED;
    if (answer == PYGEN_RETURN && self->owner == NULL) {
        outcome = HAS_ENDED; /* a step that returns has given an item */
    }
    if (timed_settle(self, begin, outcome) < 0) {
        Py_CLEAR(*out);
        return PYGEN_ERROR;
    }
    return answer;
}

static PyObject *
timed_next(PyObject *op)
{
    PyObject *out;
    PySendResult answer = timed_am_send(op, Py_None, &out);
    if (answer == PYGEN_RETURN) {
        gx_set_stop_iteration(out);
        return NULL;
    }
    return out;
}

/* -- protocol ----------------------------------------------------------- */

static PyObject *
timed_send(PyObject *op, PyObject *value)
{
    PyObject *out;
    PySendResult answer = timed_am_send(op, value, &out);
    return gx_item_or_raise(answer, out);
}

/* Call a method of inner; args may be NULL for none. */
static PyObject *
call_inner(timed_object *self, enum gx_name_id name, PyObject *args)
{
    if (self->inner == NULL) {
        PyErr_SetString(PyExc_ReferenceError, "the generator was garbage collected");
        return NULL;
    }
    gx_state *state = gx_get_state(Py_TYPE(self));
    PyObject *method = PyObject_GetAttr(self->inner, state->names[name]);
    PyObject *result = NULL;
    if (method != NULL && !Py_EnterRecursiveCall(" in a pygenx decorator")) {
        result = PyObject_CallObject(method, args);
        Py_LeaveRecursiveCall();
    }
    Py_XDECREF(method);
    return result;
}

/* The arguments are the generator's to check: it warns and raises in its own words. */
static PyObject *
timed_throw(PyObject *op, PyObject *args)
{
    timed_object *self = timed_CAST(op);
    int64_t begin = timed_begin(self, false);
    PyObject *item = call_inner(self, GX_NAME_throw, args);
    if (timed_settle(self, begin, item != NULL ? GOES_ON : MAY_HAVE_ENDED) < 0) {
        Py_CLEAR(item);
    }
    return item;
}

static PyObject *
timed_close(PyObject *op, PyObject *Py_UNUSED(unused))
{
    timed_object *self = timed_CAST(op);
    int64_t begin = timed_begin(self, false);
    PyObject *result = call_inner(self, GX_NAME_close, NULL);
    if (timed_settle(self, begin, MAY_HAVE_ENDED) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *
timed_anext(PyObject *op)
{
    timed_object *self = timed_CAST(op);
    PyAsyncMethods *slots = self->inner ? Py_TYPE(self->inner)->tp_as_async : NULL;
    if (slots == NULL || slots->am_anext == NULL) {
        PyErr_SetNone(PyExc_StopAsyncIteration);
        return NULL;
    }
    return timed_step_new(self, slots->am_anext(self->inner), true);
}

static PyObject *
timed_asend(PyObject *op, PyObject *value)
{
    PyObject *args = PyTuple_Pack(1, value);
    if (args == NULL) {
        return NULL;
    }
    PyObject *awaitable = call_inner(timed_CAST(op), GX_NAME_asend, args);
    Py_DECREF(args);
    return timed_step_new(timed_CAST(op), awaitable, true);
}

static PyObject *
timed_athrow(PyObject *op, PyObject *args)
{
    timed_object *self = timed_CAST(op);
    return timed_step_new(self, call_inner(self, GX_NAME_athrow, args), false);
}

static PyObject *
timed_aclose(PyObject *op, PyObject *Py_UNUSED(unused))
{
    timed_object *self = timed_CAST(op);
    return timed_step_new(self, call_inner(self, GX_NAME_aclose, NULL), false);
}

static PyObject *
timed_getattro(PyObject *op, PyObject *name)
{
    return gx_getattr_through(op, timed_CAST(op)->inner, name);
}

static PyObject *
timed_repr(PyObject *op)
{
    PyObject *inner = timed_CAST(op)->inner;
    const char *name = inner == NULL ? "?" : Py_TYPE(inner)->tp_name;
    return PyUnicode_FromFormat("timed(<%s>)", name);
}

/* A run that was begun and is dropped ends here, where nothing has been torn down
   yet. What waits is closed, as its own finaliser would; the finaliser of an async
   generator belongs to the event loop. */
static void
timed_finalize(PyObject *op)
{
    timed_object *self = timed_CAST(op);
    if (self->timing == NULL || !self->started || self->recorded) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    if (self->inner != NULL && !PyAsyncGen_CheckExact(self->inner)) {
        PyObject *result = timed_close(op, NULL);
        if (result == NULL) {
            PyErr_WriteUnraisable(self->inner);
        }
        Py_XDECREF(result);
    }
    if (!self->recorded) {
        self->recorded = true;
        if (gx_timing_record(self->timing, self->busy, NULL) < 0) {
            PyErr_WriteUnraisable(self->timing);
        }
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

static int
timed_traverse(PyObject *op, visitproc visit, void *arg)
{
    timed_object *self = timed_CAST(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->inner);
    Py_VISIT(self->timing);
    Py_VISIT(self->owner);
    return 0;
}

/* `owner` stays until the end: the methods of a step do not test for it. */
static int
timed_clear(PyObject *op)
{
    timed_object *self = timed_CAST(op);
    Py_CLEAR(self->inner);
    Py_CLEAR(self->timing);
    return 0;
}

static void
timed_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (PyObject_CallFinalizerFromDealloc(op) < 0) {
        return; /* resurrected */
    }
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, timed_dealloc)
    if (timed_CAST(op)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    timed_clear(op);
    Py_CLEAR(timed_CAST(op)->owner);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(timed_doc,
"What a call of a generator, coroutine or async generator function decorated by\n"
"timing gives: it hands everything on and times the body.");

PyDoc_STRVAR(timed_send_doc,
"send($self, value, /)\n--\n\n"
"Resume with a value, as generator.send.");

PyDoc_STRVAR(timed_throw_doc,
"throw($self, typ, val=None, tb=None, /)\n--\n\n"
"Raise an exception inside, as generator.throw.");

PyDoc_STRVAR(timed_close_doc,
"close($self, /)\n--\n\n"
"Close, as generator.close, and record the time.");

PyDoc_STRVAR(timed_asend_doc,
"asend($self, value, /)\n--\n\n"
"Resume with a value once awaited, as agen.asend.");

PyDoc_STRVAR(timed_athrow_doc,
"athrow($self, typ, val=None, tb=None, /)\n--\n\n"
"Raise an exception inside once awaited, as agen.athrow.");

PyDoc_STRVAR(timed_aclose_doc,
"aclose($self, /)\n--\n\n"
"Close once awaited, as agen.aclose, and record the time.");

static PyMethodDef timed_methods[] = {
    {"send", timed_send, METH_O, timed_send_doc},
    {"throw", timed_throw, METH_VARARGS, timed_throw_doc},
    {"close", timed_close, METH_NOARGS, timed_close_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef timed_asyncgen_methods[] = {
    {"asend", timed_asend, METH_O, timed_asend_doc},
    {"athrow", timed_athrow, METH_VARARGS, timed_athrow_doc},
    {"aclose", timed_aclose, METH_NOARGS, timed_aclose_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef timed_members[] = {
    GX_WEAKLIST_MEMBER(timed_object),
    {NULL, 0, 0, 0, NULL},
};

/* The same in all four types. */
#define TIMED_SLOTS                                                         \
    {Py_tp_doc, (void *)timed_doc}, {Py_tp_dealloc, timed_dealloc},         \
        {Py_tp_finalize, timed_finalize}, {Py_tp_traverse, timed_traverse}, \
        {Py_tp_clear, timed_clear}, {Py_tp_repr, timed_repr},               \
        {Py_tp_getattro, timed_getattro},                                   \
    {                                                                       \
        Py_tp_members, timed_members                                        \
    }

/* The iterator and the awaitable: what `await` resumes is the object itself. */
#define TIMED_RESUMED                                          \
    {Py_tp_iternext, timed_next}, {Py_am_send, timed_am_send}, \
    {                                                          \
        Py_tp_methods, timed_methods                           \
    }

static PyType_Slot timed_generator_slots[] = {
    TIMED_SLOTS,
    TIMED_RESUMED,
    {Py_tp_iter, PyObject_SelfIter},
    {0, NULL},
};

static PyType_Slot timed_coroutine_slots[] = {
    TIMED_SLOTS,
    TIMED_RESUMED,
    {Py_am_await, PyObject_SelfIter},
    {0, NULL},
};

static PyType_Slot timed_step_slots[] = {
    TIMED_SLOTS,
    TIMED_RESUMED,
    {Py_tp_iter, PyObject_SelfIter},
    {Py_am_await, PyObject_SelfIter},
    {0, NULL},
};

static PyType_Slot timed_asyncgen_slots[] = {
    TIMED_SLOTS,
    {Py_am_aiter, PyObject_SelfIter},
    {Py_am_anext, timed_anext},
    {Py_tp_methods, timed_asyncgen_methods},
    {0, NULL},
};

#define TIMED_SPEC(type)                                            \
    static PyType_Spec type##_spec = {                              \
        .name = "pygenx." #type,                                    \
        .basicsize = sizeof(timed_object),                          \
        .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION, \
        .slots = type##_slots,                                      \
    };                                                              \
    const gx_typedef gx_##type##_typedef = {.spec = &type##_spec}

TIMED_SPEC(timed_generator);
TIMED_SPEC(timed_coroutine);
TIMED_SPEC(timed_step);
TIMED_SPEC(timed_asyncgen);
