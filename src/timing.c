/* timing: how long a block or a decorated function runs, with statistics over all
   uses. */

#include "timing.h"
#include "wrapper.h"

#include <stddef.h>
#include <string.h>

/* -- struct ------------------------------------------------------------- */

/* One entry by `with` that has not been left yet. */
typedef struct {
    unsigned long thread; /* who entered */
    int64_t start;
    int64_t lap; /* when the last lap ended; start before the first */
} timing_use;

/* The first open use has its place in the object; those entered while any other is
   open (nested, or by other threads) go on a stack. So of the uses of one thread the
   one in the object is the outermost. */
typedef struct {
    PyObject_HEAD
    PyObject *label;  /* owned str; NULL: the default label */
    PyObject *report; /* owned; NULL: none, or print if `prints` */
    PyObject *laps;   /* owned list of floats, never given away; NULL: none */
    PyObject *weakrefs;
    int64_t last; /* nanoseconds of the use that ended last */
    int64_t total;
    int64_t min; /* 0 before the first use ends, like the others */
    int64_t max;
    Py_ssize_t count;  /* uses that have ended */
    timing_use first;  /* valid while first_open */
    timing_use *stack; /* owned block, `room` entries, the first `depth` valid */
    Py_ssize_t depth;
    Py_ssize_t room;
    bool first_open;
    bool prints; /* no report was given: blocks are printed */
} timing_object;

#define timing_CAST(op) ((timing_object *)(op))

/* -- construct ---------------------------------------------------------- */

static const char *const timing_params[] = {"label", "report", NULL};
static const gx_signature timing_sig = {"timing", timing_params, 0, 0, 1};
static const char *const decorator_params[] = {"func", NULL};
static const gx_signature decorator_sig = {"timing", decorator_params, 1, 1, 1};

/* report: NULL if none was given. */
static PyObject *
timing_make(PyTypeObject *type, PyObject *label, PyObject *report)
{
    timing_object *self = timing_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->label = Py_XNewRef(label);
    self->report = report == Py_None ? NULL : Py_XNewRef(report);
    self->prints = report == NULL;
    return (PyObject *)self;
}

/* A timing object of its own for each function: `func.timing`. What was not asked
   to report does not print either. */
static PyObject *
timing_decorate(timing_object *self, PyObject *func)
{
    PyTypeObject *type = Py_TYPE(self);
    if (gx_is_method_object(func)) {
        return gx_rewrap(gx_get_state(type), (PyObject *)self, func);
    }
    if (gx_check_callable(func, "func") < 0) {
        return NULL;
    }
    PyObject *report = self->report != NULL ? self->report : Py_None;
    PyObject *timing = timing_make(type, self->label, report);
    gx_state *state = gx_get_state(type);
    PyObject *wrapped = timing ? gx_timed_function_new(state, func, timing) : NULL;
    Py_XDECREF(timing);
    return wrapped;
}

/* The bare decorator: timing(func). */
static PyObject *
timing_bare(PyTypeObject *type, PyObject *func, PyObject *report)
{
    if (!PyCallable_Check(func) && !gx_is_method_object(func)) {
        PyErr_Format(PyExc_TypeError, "label must be str, not '%.200s'",
                     Py_TYPE(func)->tp_name);
        return NULL;
    }
    PyObject *self = timing_make(type, NULL, report);
    PyObject *wrapped = self ? timing_decorate(timing_CAST(self), func) : NULL;
    Py_XDECREF(self);
    return wrapped;
}

static PyObject *
timing_construct(PyObject *type, PyObject *const *args, size_t nargsf,
                 PyObject *kwnames)
{
    PyObject *out[2];
    if (gx_parse(&timing_sig, args, nargsf, kwnames, out) < 0) {
        return NULL;
    }
    PyObject *label = out[0], *report = out[1];
    if (report != NULL && report != Py_None &&
        gx_check_callable(report, "report") < 0) {
        return NULL;
    }
    if (label != NULL && !PyUnicode_Check(label)) {
        return timing_bare((PyTypeObject *)type, label, report);
    }
    return timing_make((PyTypeObject *)type, label, report);
}

static PyObject *
timing_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(timing_construct, type, args, kwargs);
}

static PyObject *
timing_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *func;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "timing() takes no keyword arguments");
        return NULL;
    }
    if (gx_parse(&decorator_sig, &PyTuple_GET_ITEM(args, 0),
                 (size_t)PyTuple_GET_SIZE(args), NULL, &func) < 0) {
        return NULL;
    }
    Py_INCREF(op); /* looking at func may have its caller let go of this */
    PyObject *wrapped = timing_decorate(timing_CAST(op), func);
    Py_DECREF(op);
    return wrapped;
}

/* -- measure ------------------------------------------------------------ */

/* The innermost open use of a thread, or NULL. */
static timing_use *
find_use(timing_object *self, unsigned long thread)
{
    for (Py_ssize_t i = self->depth - 1; i >= 0; i--) {
        if (self->stack[i].thread == thread) {
            return &self->stack[i];
        }
    }
    return self->first_open && self->first.thread == thread ? &self->first : NULL;
}

static timing_use *
push_use(timing_object *self)
{
    if (self->depth == self->room) {
        size_t room = (size_t)(self->room > 0 ? 2 * self->room : 4);
        timing_use *stack = PyMem_Realloc(self->stack, room * sizeof(timing_use));
        if (stack == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        self->stack = stack;
        self->room = (Py_ssize_t)room;
    }
    return &self->stack[self->depth++];
}

static int
open_use_locked(timing_object *self)
{
    timing_use *use = &self->first;
    if (self->first_open || self->depth > 0) {
        use = push_use(self);
        if (use == NULL) {
            return -1;
        }
    } else {
        self->first_open = true;
        Py_CLEAR(self->laps); /* floats: their end runs no code */
    }
    use->thread = PyThread_get_thread_ident();
    use->start = gx_clock_ns(); /* last, so that nothing of ours is measured */
    use->lap = use->start;
    return 0;
}

static void
add_locked(timing_object *self, int64_t ns)
{
    self->last = ns;
    self->total += ns;
    if (self->count == 0 || ns < self->min) {
        self->min = ns;
    }
    if (ns > self->max) {
        self->max = ns;
    }
    self->count++;
}

/* End the thread's innermost use: its nanoseconds, or -1 if there is none. */
static int64_t
close_use_locked(timing_object *self, int64_t now)
{
    timing_use *use = find_use(self, PyThread_get_thread_ident());
    if (use == NULL) {
        return -1;
    }
    int64_t ns = now - use->start;
    if (use == &self->first) {
        self->first_open = false;
    } else {
        size_t after = (size_t)(self->stack + --self->depth - use);
        memmove(use, use + 1, after * sizeof(timing_use));
    }
    add_locked(self, ns);
    return ns;
}

static PyObject *
label_of(timing_object *self)
{
    return self->label != NULL ? Py_NewRef(self->label)
                               : PyUnicode_FromString("Elapsed time");
}

/* report, or the print that builtins has now. New reference. */
static PyObject *
report_of(gx_state *state, timing_object *self)
{
    if (self->report != NULL) {
        return Py_NewRef(self->report);
    }
    return PyObject_GetItem(PyEval_GetBuiltins(), GX_NAME(state, print));
}

/* Called without the lock and with nothing raised. */
static int
report_use(timing_object *self, int64_t ns, PyObject *error)
{
    gx_state *state = gx_get_state(Py_TYPE(self));
    PyObject *answer = NULL, *text = NULL, *label = label_of(self);
    PyObject *report = report_of(state, self);
    if (label != NULL && report != NULL) {
        text = gx_elapsed_new(GX_TYPE_OF(state, elapsed), label, ns, error);
    }
    if (text != NULL) {
        answer = PyObject_CallOneArg(report, text);
        if (answer == NULL) {
            gx_no_stop_iteration("report of timing");
        }
    }
    Py_XDECREF(answer);
    Py_XDECREF(text);
    Py_XDECREF(report);
    Py_XDECREF(label);
    return answer == NULL ? -1 : 0;
}

int
gx_timing_record(PyObject *op, int64_t ns, PyObject *error)
{
    timing_object *self = timing_CAST(op);
    Py_BEGIN_CRITICAL_SECTION(op);
    add_locked(self, ns);
    Py_END_CRITICAL_SECTION();
    return self->report == NULL ? 0 : report_use(self, ns, error);
}

static PyObject *
timing_enter(PyObject *op, PyObject *Py_UNUSED(unused))
{
    int rc;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = open_use_locked(timing_CAST(op));
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? NULL : Py_NewRef(op);
}

static PyObject *
timing_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    timing_object *self = timing_CAST(op);
    int64_t ns, now = gx_clock_ns(); /* first, so that nothing of ours is measured */
    if (nargs != 3) {
        PyErr_Format(PyExc_TypeError, "__exit__() takes 3 arguments (%zd given)",
                     nargs);
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    ns = close_use_locked(self, now);
    Py_END_CRITICAL_SECTION();
    if (ns < 0) {
        PyErr_SetString(PyExc_RuntimeError, "timing was not entered in this thread");
        return NULL;
    }
    if (self->report == NULL && !self->prints) {
        return Py_NewRef(Py_False);
    }
    PyObject *error = PyExceptionInstance_Check(args[1]) ? args[1] : NULL;
    if (report_use(self, ns, error) < 0) {
        if (error != NULL) {
            gx_chain_errors(Py_NewRef(error));
        }
        return NULL;
    }
    return Py_NewRef(Py_False);
}

/* Everything is written to the use before an object is made: making one may run the
   collector, and with it code that enters or leaves. */
static int64_t
lap_locked(timing_object *self, int64_t now)
{
    timing_use *use = find_use(self, PyThread_get_thread_ident());
    if (use == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "timing was not entered in this thread");
        return -1;
    }
    int64_t ns = now - use->lap;
    use->lap = now;
    return ns;
}

static PyObject *
lap_value_locked(timing_object *self, int64_t now)
{
    int64_t ns = lap_locked(self, now);
    PyObject *seconds = ns < 0 ? NULL : PyFloat_FromDouble((double)ns / GX_NS);
    if (seconds == NULL) {
        return NULL;
    }
    if (self->laps == NULL) {
        PyObject *laps = PyList_New(0);
        Py_XSETREF(self->laps, laps);
    }
    if (self->laps == NULL || PyList_Append(self->laps, seconds) < 0) {
        Py_CLEAR(seconds);
    }
    return seconds;
}

static PyObject *
timing_lap(PyObject *op, PyObject *Py_UNUSED(unused))
{
    PyObject *seconds;
    int64_t now = gx_clock_ns();
    Py_BEGIN_CRITICAL_SECTION(op);
    seconds = lap_value_locked(timing_CAST(op), now);
    Py_END_CRITICAL_SECTION();
    return seconds;
}

/* -- protocol ----------------------------------------------------------- */

/* The thread's own open use comes first; before any use has ended, whichever is
   open serves, so that another thread can watch. */
static int64_t
elapsed_locked(timing_object *self)
{
    int64_t now = gx_clock_ns();
    timing_use *use = find_use(self, PyThread_get_thread_ident());
    if (use == NULL && self->count == 0 && self->first_open) {
        use = &self->first;
    }
    return use != NULL ? now - use->start : self->last;
}

static int64_t
elapsed_now(PyObject *op)
{
    int64_t ns;
    Py_BEGIN_CRITICAL_SECTION(op);
    ns = elapsed_locked(timing_CAST(op));
    Py_END_CRITICAL_SECTION();
    return ns;
}

static PyObject *
timing_get_elapsed(PyObject *op, void *Py_UNUSED(closure))
{
    return PyFloat_FromDouble((double)elapsed_now(op) / GX_NS);
}

static PyObject *
timing_get_elapsed_ns(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromLongLong(elapsed_now(op));
}

static PyObject *
timing_get_label(PyObject *op, void *Py_UNUSED(closure))
{
    return label_of(timing_CAST(op));
}

static PyObject *
timing_get_laps(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *laps;
    Py_BEGIN_CRITICAL_SECTION(op);
    laps = Py_XNewRef(timing_CAST(op)->laps);
    Py_END_CRITICAL_SECTION();
    if (laps == NULL) {
        return PyList_New(0);
    }
    PyObject *copy = PyList_GetSlice(laps, 0, PY_SSIZE_T_MAX);
    Py_DECREF(laps);
    return copy;
}

/* closure: the offset of the field. */
static PyObject *
timing_get_seconds(PyObject *op, void *closure)
{
    int64_t ns;
    Py_BEGIN_CRITICAL_SECTION(op);
    memcpy(&ns, (char *)op + (uintptr_t)closure, sizeof(ns));
    Py_END_CRITICAL_SECTION();
    return PyFloat_FromDouble((double)ns / GX_NS);
}

static PyObject *
timing_get_mean(PyObject *op, void *Py_UNUSED(closure))
{
    timing_object *self = timing_CAST(op);
    double total, count;
    Py_BEGIN_CRITICAL_SECTION(op);
    total = (double)self->total;
    count = (double)self->count;
    Py_END_CRITICAL_SECTION();
    return PyFloat_FromDouble(count == 0 ? 0.0 : total / count / GX_NS);
}

static PyObject *
timing_repr(PyObject *op)
{
    Py_ssize_t count;
    timing_object *self = timing_CAST(op);
    PyObject *label = label_of(self);
    PyObject *brief = label ? gx_brief(label) : NULL;
    PyObject *text = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    count = self->count;
    Py_END_CRITICAL_SECTION();
    if (brief != NULL) {
        const char *plural = count == 1 ? "" : "s";
        text = PyUnicode_FromFormat("<timing %U: %zd use%s>", brief, count, plural);
    }
    Py_XDECREF(brief);
    Py_XDECREF(label);
    return text;
}

static int
timing_traverse(PyObject *op, visitproc visit, void *arg)
{
    timing_object *self = timing_CAST(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->label);
    Py_VISIT(self->report);
    Py_VISIT(self->laps);
    return 0;
}

/* A cleared object reports nothing any more. */
static int
timing_clear(PyObject *op)
{
    timing_object *self = timing_CAST(op);
    self->prints = false;
    Py_CLEAR(self->report);
    Py_CLEAR(self->label);
    Py_CLEAR(self->laps);
    return 0;
}

static void
timing_free(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (timing_CAST(op)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    timing_clear(op);
    PyMem_Free(timing_CAST(op)->stack);
    type->tp_free(op);
    Py_DECREF(type);
}

/* Only by its report can one timing object hold the next, for ever so long. */
static void
timing_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    if (timing_CAST(op)->report == NULL) {
        timing_free(op);
        return;
    }
    GX_DEALLOC_BEGIN(op, timing_dealloc)
    timing_free(op);
    GX_DEALLOC_END
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(timing_doc,
"timing(label='Elapsed time', *, report=...)\n--\n\n"
"Time a block (`with timing():`) or a function (`@timing`) and report it.\n\n"
"report, by default print, is called with the text 'Elapsed time: 0.0123 seconds', a\n"
"str with label, elapsed, elapsed_ns and error; None reports nothing. Blocks nest,\n"
"each thread for itself; an exception is never swallowed.\n\n"
"As a decorator it times the body of a function, coroutine function, generator\n"
"function or async generator function, not who consumes it, keeps the statistics in\n"
"func.timing, and reports only where report is given. The clock is that of\n"
"time.perf_counter. Leaving what was not entered raises RuntimeError.\n\n"
">>> with timing('sum', report=None) as t:\n"
"...     total = sum(range(1000))\n"
">>> t.count, t.elapsed > 0\n"
"(1, True)");

PyDoc_STRVAR(timing_enter_doc,
"__enter__($self, /)\n--\n\n"
"Start a use; uses of one thread nest.");

PyDoc_STRVAR(timing_exit_doc,
"__exit__($self, typ, val, tb, /)\n--\n\n"
"End the thread's innermost use and report it; never swallows an exception.");

PyDoc_STRVAR(timing_lap_doc,
"lap($self, /)\n--\n\n"
"Return the seconds since the last lap, or since the start, and record them.");

static PyMethodDef timing_methods[] = {
    {"__enter__", timing_enter, METH_NOARGS, timing_enter_doc},
    {"__exit__", GX_FASTCALL(timing_exit), METH_FASTCALL, timing_exit_doc},
    {"lap", timing_lap, METH_NOARGS, timing_lap_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {NULL, NULL, 0, NULL},
};

#define SECONDS(name, doc)                                   \
    {                                                        \
#name, timing_get_seconds, NULL, doc,                \
            (void *)(uintptr_t)offsetof(timing_object, name) \
    }

static PyGetSetDef timing_getset[] = {
    {"elapsed", timing_get_elapsed, NULL,
     "Seconds of the open use so far, else of the one that ended last; 0.0 before.",
     NULL},
    {"elapsed_ns", timing_get_elapsed_ns, NULL, "The same in nanoseconds.", NULL},
    {"label", timing_get_label, NULL, "What reports begin with.", NULL},
    {"laps", timing_get_laps, NULL,
     "List of the laps, in seconds, since the outermost block was entered.", NULL},
    SECONDS(total, "Seconds of all uses that have ended."),
    SECONDS(min, "Seconds of the shortest use; 0.0 before one has ended."),
    SECONDS(max, "Seconds of the longest use; 0.0 before one has ended."),
    {"mean", timing_get_mean, NULL, "Mean seconds of a use; 0.0 before one has ended.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef timing_members[] = {
    GX_WEAKLIST_MEMBER(timing_object),
    {"count", T_PYSSIZET, offsetof(timing_object, count), READONLY,
     "Number of uses that have ended."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot timing_slots[] = {
    {Py_tp_doc, (void *)timing_doc},
    {Py_tp_new, timing_new},
    {Py_tp_call, timing_call},
    {Py_tp_dealloc, timing_dealloc},
    {Py_tp_traverse, timing_traverse},
    {Py_tp_clear, timing_clear},
    {Py_tp_repr, timing_repr},
    {Py_tp_methods, timing_methods},
    {Py_tp_getset, timing_getset},
    {Py_tp_members, timing_members},
    {0, NULL},
};

static PyType_Spec timing_spec = {
    .name = "pygenx.timing",
    .basicsize = sizeof(timing_object),
    .flags = GX_TYPE_FLAGS,
    .slots = timing_slots,
};

const gx_typedef gx_timing_typedef = {
    .spec = &timing_spec,
    .construct = timing_construct,
    .public = true,
};
