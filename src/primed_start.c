/* primed_start: what a call of primed(f) gives where f makes async generators. Awaiting
   it advances the generator to its first yield and gives the generator. */

#include "primed.h"
#include "source.h"
#include "wrapper.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    PyObject *func; /* owned: what the texts name */
    PyObject *agen; /* owned: NULL once it was given away, failed, or was closed */
    gx_source step; /* what agen.__anext__() gave; nothing open before the start */
    PyObject *weakrefs;
    bool running;
} primed_start_object;

#define primed_start_CAST(op) ((primed_start_object *)(op))

/* -- construct ---------------------------------------------------------- */

/* It is asked for nothing before the first resumption: its hooks are the loop's. */
PyObject *
gx_primed_start_new(PyTypeObject *type, PyObject *func, PyObject *agen)
{
    primed_start_object *self = primed_start_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        Py_DECREF(agen);
        return NULL;
    }
    self->func = Py_NewRef(func);
    self->agen = agen;
    self->step = GX_SOURCE_NONE;
    return (PyObject *)self;
}

/* -- iterate ------------------------------------------------------------ */

static int
start_open(primed_start_object *self)
{
    gx_state *state = gx_get_state(Py_TYPE(self));
    PyAsyncMethods *slots = Py_TYPE(self->agen)->tp_as_async;
    if (slots == NULL || slots->am_anext == NULL) { /* deleted since the call */
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an async iterator",
                     Py_TYPE(self->agen)->tp_name);
        return -1;
    }
    PyObject *awaitable = slots->am_anext(self->agen);
    PyObject *it = awaitable == NULL ? NULL : gx_awaitable_iter(state, awaitable);
    Py_XDECREF(awaitable);
    if (it == NULL) {
        return -1;
    }
    self->step = (gx_source){.fetch = gx_fetch_guarded, .obj = it};
    return 0;
}

static PySendResult
start_step(primed_start_object *self, gx_how how, PyObject *value, PyObject **out)
{
    if (how == GX_THROW) {
        if (self->step.obj == NULL) { /* as a coroutine: no line of it has run */
            PyErr_SetObject((PyObject *)Py_TYPE(value), value);
            return PYGEN_ERROR;
        }
        gx_state *state = gx_get_state(Py_TYPE(self));
        return gx_source_throw(state, &self->step, value, out);
    }
    if (self->step.obj == NULL && start_open(self) < 0) {
        return PYGEN_ERROR;
    }
    return gx_source_send(&self->step, value, out);
}

/* Take the generator out: whatever happens now, this awaitable has been used. */
static PyObject *
start_finish(primed_start_object *self)
{
    PyObject *error = PyErr_GetRaisedException();
    PyObject *agen = self->agen;
    self->agen = NULL;
    gx_source_drop(&self->step);
    if (error != NULL) {
        PyErr_SetRaisedException(error);
    }
    return agen;
}

static PySendResult
start_settle(primed_start_object *self, PySendResult answer, PyObject **out)
{
    if (answer == PYGEN_NEXT) {
        return answer;
    }
    bool began = self->step.obj != NULL;
    PyObject *agen = start_finish(self);
    if (answer == PYGEN_RETURN) { /* it has yielded: that item is dropped */
        Py_SETREF(*out, agen);
        return answer;
    }
    if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
        gx_state *state = gx_get_state(Py_TYPE(self));
        gx_primed_ended(state, self->func, Py_None, PyErr_GetRaisedException());
    } else if (began) {
        gx_primed_note(self->func);
    }
    PyObject *error = PyErr_GetRaisedException();
    Py_DECREF(agen);
    PyErr_SetRaisedException(error);
    return PYGEN_ERROR;
}

static int
start_check(primed_start_object *self, gx_how how, PyObject *value)
{
    if (self->running) {
        gx_reentrancy((PyObject *)self, "primed awaitable");
        return -1;
    }
    if (self->agen == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited primed call");
        return -1;
    }
    if (how == GX_SEND && value != Py_None && self->step.obj == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "can't send non-None value to a just-started awaitable");
        return -1;
    }
    return 0;
}

static PySendResult
start_resume_locked(primed_start_object *self, gx_how how, PyObject *value,
                    PyObject **out)
{
    *out = NULL;
    if (start_check(self, how, value) < 0) {
        return PYGEN_ERROR;
    }
    self->running = true;
    PySendResult answer = start_step(self, how, value, out);
    self->running = false;
    return start_settle(self, answer, out);
}

static PySendResult
start_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    PySendResult answer;
    Py_BEGIN_CRITICAL_SECTION(op);
    answer = start_resume_locked(primed_start_CAST(op), how, value, out);
    Py_END_CRITICAL_SECTION();
    return answer;
}

static PyObject *
primed_start_next(PyObject *op)
{
    PyObject *out;
    PySendResult answer = start_resume(op, GX_SEND, Py_None, &out);
    return gx_item_or_raise(answer, out);
}

/* -- protocol ----------------------------------------------------------- */

static PySendResult
primed_start_am_send(PyObject *op, PyObject *value, PyObject **out)
{
    return start_resume(op, GX_SEND, value, out);
}

static PyObject *
primed_start_send(PyObject *op, PyObject *value)
{
    PyObject *out;
    PySendResult answer = start_resume(op, GX_SEND, value, &out);
    return gx_item_or_raise(answer, out);
}

static PyObject *
primed_start_throw(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *out, *exc = gx_thrown_exception(args, nargs);
    if (exc == NULL) {
        return NULL;
    }
    PySendResult answer = start_resume(op, GX_THROW, exc, &out);
    Py_DECREF(exc);
    return gx_item_or_raise(answer, out);
}

/* 0 if GeneratorExit, thrown where the generator waits, ended it. */
static int
start_exit(primed_start_object *self)
{
    PyObject *out = NULL, *exc = PyObject_CallNoArgs(PyExc_GeneratorExit);
    if (exc == NULL) {
        return -1;
    }
    self->running = true;
    PySendResult answer = start_step(self, GX_THROW, exc, &out);
    self->running = false;
    Py_DECREF(exc);
    if (answer == PYGEN_ERROR && (PyErr_ExceptionMatches(PyExc_GeneratorExit) ||
                                  PyErr_ExceptionMatches(PyExc_StopAsyncIteration))) {
        PyErr_Clear();
        return 0;
    }
    if (answer == PYGEN_NEXT) {
        PyErr_SetString(PyExc_RuntimeError, "primed awaitable ignored GeneratorExit");
        answer = PYGEN_ERROR;
    }
    Py_XDECREF(out);
    return answer == PYGEN_ERROR ? -1 : 0;
}

static int
start_close_locked(primed_start_object *self)
{
    if (self->running) {
        gx_reentrancy((PyObject *)self, "primed awaitable");
        return -1;
    }
    int rc = self->step.obj == NULL ? 0 : start_exit(self);
    PyObject *error = NULL, *agen = start_finish(self);
    gx_collect_error(rc, &error);
    Py_XDECREF(agen);
    return gx_raise_collected(error);
}

static PyObject *
primed_start_close(PyObject *op, PyObject *Py_UNUSED(unused))
{
    int rc;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = start_close_locked(primed_start_CAST(op));
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

/* One that waits is closed when it is dropped, as a coroutine. */
static void
primed_start_finalize(PyObject *op)
{
    if (primed_start_CAST(op)->step.obj == NULL || primed_start_CAST(op)->running) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *done = primed_start_close(op, NULL);
    if (done == NULL) {
        PyErr_WriteUnraisable(op);
    }
    Py_XDECREF(done);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

static int
primed_start_traverse(PyObject *op, visitproc visit, void *arg)
{
    primed_start_object *self = primed_start_CAST(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->func);
    Py_VISIT(self->agen);
    GX_VISIT_SOURCE(&self->step);
    return 0;
}

static int
primed_start_clear(PyObject *op)
{
    primed_start_object *self = primed_start_CAST(op);
    Py_CLEAR(self->func);
    Py_CLEAR(self->agen);
    gx_source_drop(&self->step);
    return 0;
}

static void
primed_start_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (PyObject_CallFinalizerFromDealloc(op) < 0) {
        return; /* resurrected */
    }
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, primed_start_dealloc)
    if (primed_start_CAST(op)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    primed_start_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

static PyObject *
primed_start_repr(PyObject *op)
{
    return gx_function_repr("<start of primed(%U)>", primed_start_CAST(op)->func);
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(primed_start_doc,
"What calling primed(f) of an async generator function gives: awaiting it advances\n"
"the generator to its first yield and gives the generator.");

PyDoc_STRVAR(primed_start_send_doc,
"send($self, value, /)\n--\n\n"
"Resume the start, as coroutine.send.");

PyDoc_STRVAR(primed_start_throw_doc,
"throw($self, typ, val=None, tb=None, /)\n--\n\n"
"Raise an exception where the generator waits, as coroutine.throw.");

PyDoc_STRVAR(primed_start_close_doc,
"close($self, /)\n--\n\n"
"Give the start up: GeneratorExit is raised where the generator waits.");

static PyMethodDef primed_start_methods[] = {
    {"send", primed_start_send, METH_O, primed_start_send_doc},
    {"throw", GX_FASTCALL(primed_start_throw), METH_FASTCALL, primed_start_throw_doc},
    {"close", primed_start_close, METH_NOARGS, primed_start_close_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef primed_start_members[] = {
    GX_WEAKLIST_MEMBER(primed_start_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot primed_start_slots[] = {
    {Py_tp_doc, (void *)primed_start_doc},   {Py_tp_dealloc, primed_start_dealloc},
    {Py_tp_finalize, primed_start_finalize}, {Py_tp_traverse, primed_start_traverse},
    {Py_tp_clear, primed_start_clear},       {Py_tp_repr, primed_start_repr},
    {Py_tp_iternext, primed_start_next},     {Py_am_await, PyObject_SelfIter},
    {Py_am_send, primed_start_am_send},      {Py_tp_methods, primed_start_methods},
    {Py_tp_members, primed_start_members},   {0, NULL},
};

static PyType_Spec primed_start_spec = {
    .name = "pygenx.primed_start",
    .basicsize = sizeof(primed_start_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = primed_start_slots,
};

const gx_typedef gx_primed_start_typedef = {
    .spec = &primed_start_spec,
};
