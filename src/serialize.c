/* serialize: an iterator that several threads may use, one at a time, as
   more_itertools.serialize, with the whole generator protocol. */

#include "gate.h"
#include "source.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    gx_source source; /* none after the end */
    gx_gate gate;     /* where threads wait */
    bool held;        /* a thread is inside one of the methods */
    int64_t timeout;  /* nanoseconds a thread waits; FOREVER */
} serialize_object;

#define serialize_CAST(op) ((serialize_object *)(op))

#define FOREVER INT64_MAX
#define MOST_SECONDS 9e9 /* what is longer counts as forever */

static const gx_protocol serialize_protocol;

/* -- construct ---------------------------------------------------------- */

enum { SERIALIZE_ITERABLE, SERIALIZE_TIMEOUT };

static const char *const serialize_params[] = {"iterable", "timeout", NULL};
static const gx_signature serialize_signature = {"serialize", serialize_params, 0, 1,
                                                 1};

static int
serialize_check_timeout(PyObject *timeout, int64_t *out)
{
    *out = FOREVER;
    if (timeout == NULL || timeout == Py_None) {
        return 0;
    }
    double seconds = PyFloat_AsDouble(timeout);
    if (seconds == -1.0 && PyErr_Occurred()) {
        return -1;
    }
    if (!(seconds >= 0)) {
        PyErr_SetString(PyExc_ValueError, "timeout must be at least 0");
        return -1;
    }
    if (seconds < MOST_SECONDS) {
        *out = (int64_t)(seconds * 1e9);
    }
    return 0;
}

static PyObject *
serialize_construct(PyObject *type, PyObject *const *args, size_t nargsf,
                    PyObject *kwnames)
{
    PyObject *out[2];
    int64_t timeout;
    if (gx_parse(&serialize_signature, args, nargsf, kwnames, out) < 0 ||
        serialize_check_timeout(out[SERIALIZE_TIMEOUT], &timeout) < 0) {
        return NULL;
    }
    PyTypeObject *cls = (PyTypeObject *)type;
    serialize_object *self = serialize_CAST(cls->tp_alloc(cls, 0));
    if (self == NULL) {
        return NULL;
    }
    self->protocol = &serialize_protocol;
    self->source = GX_SOURCE_NONE;
    self->timeout = timeout;
    if (gx_gate_init(&self->gate) < 0 ||
        gx_source_open(gx_get_state(cls), &self->source, out[SERIALIZE_ITERABLE]) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyObject *
serialize_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(serialize_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

static int
serialize_too_late(const serialize_object *self)
{
    PyObject *seconds = PyFloat_FromDouble((double)self->timeout / 1e9);
    if (seconds != NULL) {
        PyErr_Format(PyExc_TimeoutError,
                     "serialize: another thread was inside for %R seconds", seconds);
        Py_DECREF(seconds);
    }
    return -1;
}

static Py_NO_INLINE int
serialize_wait(serialize_object *self)
{
    int64_t left = FOREVER, start = gx_clock_ns();
    while (self->held) {
        if (self->timeout != FOREVER) {
            left = self->timeout - (gx_clock_ns() - start);
            if (left <= 0 && self->gate.inside != PyThread_get_thread_ident()) {
                return serialize_too_late(self);
            }
        }
        if (gx_gate_wait(&self->gate, (PyObject *)self, "serialize", left / 1000 + 1) <
            0) {
            return -1;
        }
    }
    return 0;
}

/* Wait until nobody is inside and go in: 0, or -1 with an error. */
static int
serialize_enter(serialize_object *self)
{
    int rc;
    Py_BEGIN_CRITICAL_SECTION(self);
    rc = self->held ? serialize_wait(self) : 0;
    if (rc == 0) {
        self->held = true;
        gx_gate_enter(&self->gate);
    }
    Py_END_CRITICAL_SECTION();
    return rc;
}

static void
serialize_leave(serialize_object *self)
{
    Py_BEGIN_CRITICAL_SECTION(self);
    self->held = false;
    gx_gate_leave(&self->gate);
    Py_END_CRITICAL_SECTION();
}

static PyObject *
serialize_next(PyObject *op)
{
    serialize_object *self = serialize_CAST(op);
    if (serialize_enter(self) < 0) {
        return NULL;
    }
    PyObject *item = gx_iterator_next(op);
    serialize_leave(self);
    return item;
}

static PySendResult
serialize_am_send(PyObject *op, PyObject *value, PyObject **out)
{
    serialize_object *self = serialize_CAST(op);
    *out = NULL;
    if (serialize_enter(self) < 0) {
        return PYGEN_ERROR;
    }
    PySendResult answer = gx_iterator_am_send(op, value, out);
    serialize_leave(self);
    return answer;
}

static PyObject *
serialize_send(PyObject *op, PyObject *value)
{
    PyObject *out;
    PySendResult answer = serialize_am_send(op, value, &out);
    return gx_item_or_raise(answer, out);
}

static PyObject *
serialize_throw(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    serialize_object *self = serialize_CAST(op);
    if (serialize_enter(self) < 0) {
        return NULL;
    }
    PyObject *item = gx_iterator_throw(op, args, nargs);
    serialize_leave(self);
    return item;
}

static PyObject *
serialize_close(PyObject *op, PyObject *unused)
{
    serialize_object *self = serialize_CAST(op);
    if (serialize_enter(self) < 0) {
        return NULL;
    }
    PyObject *none = gx_iterator_close(op, unused);
    serialize_leave(self);
    return none;
}

static PyObject *
serialize_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    serialize_object *self = serialize_CAST(op);
    if (serialize_enter(self) < 0) {
        return NULL;
    }
    PyObject *answer = gx_iterator_exit(op, args, nargs);
    serialize_leave(self);
    return answer;
}

static PySendResult
serialize_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    gx_state *state = how == GX_THROW ? gx_get_state(Py_TYPE(op)) : NULL;
    return gx_source_resume(state, &serialize_CAST(op)->source, how, value, out);
}

/* -- protocol ----------------------------------------------------------- */

static int
serialize_release(PyObject *op, bool close)
{
    if (close) {
        return gx_source_close(gx_get_state(Py_TYPE(op)), &serialize_CAST(op)->source);
    }
    gx_source_drop(&serialize_CAST(op)->source);
    return 0;
}

static int
serialize_clear(PyObject *op)
{
    gx_source_drop(&serialize_CAST(op)->source);
    return 0;
}

static void
serialize_forget(PyObject *op)
{
    gx_gate_free(&serialize_CAST(op)->gate);
}

static int
serialize_traverse(PyObject *op, visitproc visit, void *arg)
{
    GX_VISIT_ITERATOR(op);
    GX_VISIT_SOURCE(&serialize_CAST(op)->source);
    return 0;
}

static void
serialize_note(PyObject *Py_UNUSED(op))
{
    gx_note("serialize");
}

static PyObject *
serialize_length_hint(PyObject *op, PyObject *Py_UNUSED(unused))
{
    Py_ssize_t hint;
    Py_BEGIN_CRITICAL_SECTION(op);
    hint = gx_source_hint(&serialize_CAST(op)->source);
    Py_END_CRITICAL_SECTION();
    return gx_hint_object(hint);
}

static PyObject *
serialize_repr(PyObject *op)
{
    PyObject *source;
    Py_BEGIN_CRITICAL_SECTION(op);
    source = gx_source_brief(&serialize_CAST(op)->source);
    Py_END_CRITICAL_SECTION();
    PyObject *text = source ? PyUnicode_FromFormat("serialize(%U)", source) : NULL;
    Py_XDECREF(source);
    return text;
}

static const gx_protocol serialize_protocol = {
    .name = "serialize",
    .resume = serialize_resume,
    .release = serialize_release,
    .clear = serialize_clear,
    .forget = serialize_forget,
    .note = serialize_note,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(serialize_doc,
"serialize(iterable, *, timeout=None)\n--\n\n"
"Iterate over the items for several threads at a time: each item goes to one of them.\n\n"
"next(), send(), throw() and close() wait while another thread is inside one of them,\n"
"for at most timeout seconds: then TimeoutError. A call from inside the iterable, in\n"
"the same thread, is a ReentrancyError. As more_itertools.serialize.\n\n"
">>> list(serialize('abc'))\n"
"['a', 'b', 'c']");

/* Of two rows of one name the first counts: each waits for its turn. */
static PyMethodDef serialize_methods[] = {
    {"send", serialize_send, METH_O, gx_send_doc},
    {"throw", GX_FASTCALL(serialize_throw), METH_FASTCALL, gx_throw_doc},
    {"close", serialize_close, METH_NOARGS, gx_close_doc},
    {"__exit__", GX_FASTCALL(serialize_exit), METH_FASTCALL, gx_exit_doc},
    GX_ITERATOR_METHODS,
    {"__length_hint__", serialize_length_hint, METH_NOARGS, gx_length_hint_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef serialize_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef serialize_members[] = {
    GX_WEAKLIST_MEMBER(serialize_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot serialize_slots[] = {
    {Py_tp_doc, (void *)serialize_doc},
    {Py_tp_new, serialize_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, serialize_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, serialize_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, serialize_next},
    {Py_am_send, serialize_am_send},
    {Py_tp_methods, serialize_methods},
    {Py_tp_getset, serialize_getset},
    {Py_tp_members, serialize_members},
    {0, NULL},
};

static PyType_Spec serialize_spec = {
    .name = "pygenx.serialize",
    .basicsize = sizeof(serialize_object),
    .flags = GX_TYPE_FLAGS,
    .slots = serialize_slots,
};

const gx_typedef gx_serialize_typedef = {
    .spec = &serialize_spec,
    .construct = serialize_construct,
    .public = true,
};
