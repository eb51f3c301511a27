/* The generator protocol shared by every iterator type: next, send, throw, close,
   with, .result, deallocation, all thin faces of one resumable core. */

#include "pygenx.h"

/* -- core --------------------------------------------------------------- */

/* Let go of the sources, keeping an error that is already raised as context. */
int
gx_iterator_finish(PyObject *op, bool close)
{
    gx_iterator *self = gx_iterator_CAST(op);
    PyObject *earlier = PyErr_GetRaisedException();
    self->ended = true;
    self->running = true;
    int rc = self->protocol->release(op, close);
    self->running = false;
    if (earlier == NULL) {
        return rc;
    }
    if (rc < 0) {
        gx_chain_errors(earlier);
    } else {
        PyErr_SetRaisedException(earlier);
    }
    return -1;
}

/* Who is inside needs the sources. An error that is raised already says more. */
int
gx_iterator_leave(PyObject *op, bool close)
{
    gx_iterator *self = gx_iterator_CAST(op);
    if (!self->running) {
        return gx_iterator_finish(op, close);
    }
    if (!PyErr_Occurred()) {
        gx_reentrancy(op, self->protocol->name);
    }
    return -1;
}

static PySendResult
resume_ended(gx_how how, PyObject *value, PyObject **out)
{
    if (how == GX_THROW) {
        PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        return PYGEN_ERROR;
    }
    *out = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

static PySendResult
refuse_first_send(const gx_protocol *protocol)
{
    PyErr_Format(PyExc_TypeError, "can't send non-None value to a just-started %s",
                 protocol->name);
    return PYGEN_ERROR;
}

static PySendResult
resume_locked(gx_iterator *self, gx_how how, PyObject *value, PyObject **out)
{
    PyObject *op = (PyObject *)self;
    *out = NULL;
    if (self->running) {
        gx_reentrancy(op, self->protocol->name);
        return PYGEN_ERROR;
    }
    if (self->ended) {
        return resume_ended(how, value, out);
    }
    if (how == GX_SEND && value != Py_None && !self->started) {
        return refuse_first_send(self->protocol);
    }
    self->started = true;
    self->survives = false;
    self->running = true;
    PySendResult answer = self->protocol->resume(op, how, value, out);
    self->running = false;
    if (answer == PYGEN_RETURN) {
        if (*out != Py_None) {
            Py_XSETREF(self->result, Py_NewRef(*out));
        }
        if (gx_iterator_finish(op, self->owner) < 0) {
            Py_CLEAR(*out);
            answer = PYGEN_ERROR;
        }
    } else if (answer == PYGEN_ERROR && how == GX_THROW && !self->survives) {
        gx_iterator_finish(op, self->owner);
    }
    if (answer == PYGEN_ERROR && self->protocol->note != NULL && gx_wants_note()) {
        self->protocol->note(op);
    }
    return answer;
}

PySendResult
gx_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    PySendResult answer;
    Py_BEGIN_CRITICAL_SECTION(op);
    answer = resume_locked(gx_iterator_CAST(op), how, value, out);
    Py_END_CRITICAL_SECTION();
    return answer;
}

/* -- faces -------------------------------------------------------------- */

PyObject *
gx_iterator_next(PyObject *op)
{
    PyObject *out;
    switch (gx_resume(op, GX_NEXT, Py_None, &out)) {
    case PYGEN_NEXT:
        return out;
    case PYGEN_RETURN:
        gx_set_stop_iteration(out);
        return NULL;
    default:
        return NULL;
    }
}

PySendResult
gx_iterator_am_send(PyObject *op, PyObject *value, PyObject **out)
{
    return gx_resume(op, GX_SEND, value, out);
}

PyObject *
gx_item_or_raise(PySendResult answer, PyObject *out)
{
    if (answer == PYGEN_RETURN) {
        if (out == Py_None) {
            PyErr_SetNone(PyExc_StopIteration);
        }
        gx_set_stop_iteration(out);
        return NULL;
    }
    return answer == PYGEN_NEXT ? out : NULL;
}

PyObject *
gx_iterator_send(PyObject *op, PyObject *value)
{
    PyObject *out;
    PySendResult answer = gx_resume(op, GX_SEND, value, &out);
    return gx_item_or_raise(answer, out);
}

PyObject *
gx_iterator_throw(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *out;
    PyObject *exc = gx_thrown_exception(args, nargs);
    if (exc == NULL) {
        return NULL;
    }
    PySendResult answer = gx_resume(op, GX_THROW, exc, &out);
    Py_DECREF(exc);
    return gx_item_or_raise(answer, out);
}

static int
close_locked(gx_iterator *self)
{
    bool over = self->ended && !self->running;
    return over ? 0 : gx_iterator_leave((PyObject *)self, true);
}

static int
close_face(PyObject *op)
{
    int rc;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = close_locked(gx_iterator_CAST(op));
    Py_END_CRITICAL_SECTION();
    return rc;
}

PyObject *
gx_iterator_close(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return close_face(op) < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *
gx_iterator_enter(PyObject *op, PyObject *Py_UNUSED(unused))
{
    Py_BEGIN_CRITICAL_SECTION(op);
    gx_iterator_CAST(op)->owner = true;
    Py_END_CRITICAL_SECTION();
    return Py_NewRef(op);
}

PyObject *
gx_iterator_exit(PyObject *op, PyObject *const *Py_UNUSED(args), Py_ssize_t nargs)
{
    if (nargs != 3) {
        PyErr_Format(PyExc_TypeError, "__exit__() takes 3 arguments (%zd given)",
                     nargs);
        return NULL;
    }
    return close_face(op) < 0 ? NULL : Py_NewRef(Py_False);
}

/* An iterator is a place in somebody else's data: it cannot be pickled or copied. */
PyObject *
gx_iterator_reduce(PyObject *op, PyObject *Py_UNUSED(unused))
{
    PyErr_Format(PyExc_TypeError, "cannot pickle '%.200s' object",
                 Py_TYPE(op)->tp_name);
    return NULL;
}

PyObject *
gx_iterator_get_result(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = gx_iterator_CAST(op)->result;
    Py_XINCREF(result);
    Py_END_CRITICAL_SECTION();
    return result != NULL ? result : Py_NewRef(Py_None);
}

/* -- throw's arguments -------------------------------------------------- */

static PyObject *
instantiate(PyObject *type, PyObject *value)
{
    PyObject *exc;
    if (value == NULL || value == Py_None) {
        exc = PyObject_CallNoArgs(type);
    } else if (PyExceptionInstance_Check(value) &&
               PyObject_TypeCheck(value, (PyTypeObject *)type)) {
        return Py_NewRef(value);
    } else if (PyTuple_Check(value)) {
        exc = PyObject_Call(type, value, NULL);
    } else {
        exc = PyObject_CallOneArg(type, value);
    }
    if (exc != NULL && !PyExceptionInstance_Check(exc)) {
        gx_raise_format(
            PyExc_TypeError,
            "calling %R should have returned an instance of BaseException, not %R",
            type, Py_TYPE(exc));
        Py_CLEAR(exc);
    }
    return exc;
}

static PyObject *
exception_of(PyObject *type, PyObject *value)
{
    if (PyExceptionClass_Check(type)) {
        return instantiate(type, value);
    }
    if (!PyExceptionInstance_Check(type)) {
        PyErr_Format(PyExc_TypeError,
                     "exceptions must be classes or instances deriving from "
                     "BaseException, not %s",
                     Py_TYPE(type)->tp_name);
        return NULL;
    }
    if (value != NULL && value != Py_None) {
        PyErr_SetString(PyExc_TypeError,
                        "instance exception may not have a separate value");
        return NULL;
    }
    return Py_NewRef(type);
}

PyObject *
gx_thrown_exception(PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 1 || nargs > 3) {
        PyErr_Format(PyExc_TypeError, "throw expected %s %d argument%s, got %zd",
                     nargs < 1 ? "at least" : "at most", nargs < 1 ? 1 : 3,
                     nargs < 1 ? "" : "s", nargs);
        return NULL;
    }
    PyObject *traceback = nargs == 3 && args[2] != Py_None ? args[2] : NULL;
    if (traceback != NULL && !PyTraceBack_Check(traceback)) {
        PyErr_SetString(PyExc_TypeError,
                        "throw() third argument must be a traceback object");
        return NULL;
    }
    PyObject *exc = exception_of(args[0], nargs > 1 ? args[1] : NULL);
    if (exc != NULL && traceback != NULL) {
        PyException_SetTraceback(exc, traceback);
    }
    return exc;
}

/* -- length hints ------------------------------------------------------- */

Py_ssize_t
gx_add_hints(Py_ssize_t a, Py_ssize_t b)
{
    if (a == GX_HINT_ERROR || b == GX_HINT_ERROR) {
        return GX_HINT_ERROR;
    }
    if (a < 0 || b < 0 || a > PY_SSIZE_T_MAX - b) {
        return GX_HINT_UNKNOWN;
    }
    return a + b;
}

PyObject *
gx_hint_object(Py_ssize_t hint)
{
    if (hint == GX_HINT_ERROR) {
        return NULL;
    }
    if (hint == GX_HINT_UNKNOWN) {
        return Py_NewRef(Py_NotImplemented);
    }
    return PyLong_FromSsize_t(hint);
}

/* -- memory ------------------------------------------------------------- */

int
gx_iterator_clear(PyObject *op)
{
    gx_iterator *self = gx_iterator_CAST(op);
    self->ended = true; /* methods called from finalizers find an ended object */
    Py_CLEAR(self->result);
    return self->protocol == NULL ? 0 : self->protocol->clear(op);
}

/* Run tp_finalize, once and on a tracked object, as CPython's subtype_dealloc does;
   types without one pay a comparison. False: the object lives on. */
static bool
finalized(PyObject *op)
{
    gx_iterator *self = gx_iterator_CAST(op);
    if (Py_TYPE(op)->tp_finalize == NULL || self->ended) {
        return true;
    }
    PyObject_GC_Track(op);
    if (PyObject_CallFinalizerFromDealloc(op) < 0) {
        return false;
    }
    PyObject_GC_UnTrack(op);
    return true;
}

/* tp_finalize of types with something of their own to clean up when dropped. */
void
gx_iterator_finalize(PyObject *op)
{
    PyObject *raised = PyErr_GetRaisedException();
    gx_iterator *self = gx_iterator_CAST(op);
    if (!self->ended && !self->running &&
        gx_iterator_finish(op, self->protocol->closes_when_dropped) < 0) {
        PyErr_WriteUnraisable(op);
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

void
gx_iterator_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, gx_iterator_dealloc)
    if (!finalized(op)) {
        goto done; /* the finalizer gave somebody a reference */
    }
    if (gx_iterator_CAST(op)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    gx_iterator_clear(op);
    const gx_protocol *protocol = gx_iterator_CAST(op)->protocol;
    if (protocol != NULL && protocol->forget != NULL) {
        protocol->forget(op);
    }
    type->tp_free(op);
    Py_DECREF(type);
done:;
    GX_DEALLOC_END
}

/* -- docs --------------------------------------------------------------- */

const char gx_send_doc[] =
    "send($self, value, /)\n--\n\n"
    "Resume like next(), handing value to the source's send().";
const char gx_throw_doc[] =
    "throw($self, typ, val=None, tb=None, /)\n--\n\n"
    "Raise an exception inside the source and return the next item it yields.\n\n"
    "A source without throw() is closed and the exception raised here.";
const char gx_close_doc[] =
    "close($self, /)\n--\n\n"
    "Close the source and end; does nothing when called again.";
const char gx_enter_doc[] =
    "__enter__($self, /)\n--\n\n"
    "Take ownership of the source: end, error and exit close it.";
const char gx_exit_doc[] =
    "__exit__($self, typ, val, tb, /)\n--\n\n"
    "Close; never swallows an exception.";
const char gx_result_doc[] =
    "What the source returned, readable after the end; None before.";
const char gx_class_getitem_doc[] =
    "__class_getitem__($cls, item, /)\n--\n\n"
    "Make generic aliases such as chain[int]; no effect at run time.";
const char gx_length_hint_doc[] =
    "__length_hint__($self, /)\n--\n\n"
    "Exact number of items left, or NotImplemented where it is not known.";
const char gx_reduce_doc[] =
    "__reduce__($self, /)\n--\n\n"
    "Refuse with a TypeError: iterators cannot be pickled or copied.";
