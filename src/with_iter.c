/* with_iter: the items of what a context manager gives, as a pipe; entered when the
   first is asked for, left at the end, on errors and when closed or dropped. */

#include "pipeline.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    gx_state *state;   /* borrowed */
    PyObject *manager; /* owned; NULL once it has been left */
    PyObject *enter;   /* owned: its type's __enter__; NULL once it has been called */
    PyObject *exit;    /* owned: its type's __exit__; NULL once it has been called */
    gx_source source;  /* over what __enter__ returned */
    bool entered;      /* and not yet left */
} with_iter_object;

#define with_iter_CAST(op) ((with_iter_object *)(op))

static const gx_protocol with_iter_protocol;

/* -- construct ---------------------------------------------------------- */

/* As `with` does, on the type: new reference, or NULL with TypeError. */
static PyObject *
special_method(PyObject *manager, PyObject *name)
{
    PyObject *method;
    int found = PyObject_GetOptionalAttr((PyObject *)Py_TYPE(manager), name, &method);
    if (found == 0) {
        PyErr_Format(PyExc_TypeError,
                     "'%.200s' object does not support the context manager protocol",
                     Py_TYPE(manager)->tp_name);
    }
    return found > 0 ? method : NULL;
}

PyObject *
gx_with_iter(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    static const char *const params[] = {"context_manager", NULL};
    static const gx_signature signature = {"with_iter", params, 0, 1, 1};
    PyObject *out[1], *pipe = NULL;
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0) {
        return NULL;
    }
    gx_state *state = PyModule_GetState(module);
    PyObject *enter = special_method(out[0], GX_NAME(state, __enter__));
    PyObject *exit = enter ? special_method(out[0], GX_NAME(state, __exit__)) : NULL;
    PyTypeObject *type = GX_TYPE_OF(state, with_iter_source);
    with_iter_object *self =
        exit != NULL ? with_iter_CAST(type->tp_alloc(type, 0)) : NULL;
    if (self == NULL) {
        Py_XDECREF(enter);
        Py_XDECREF(exit);
        return NULL;
    }
    self->protocol = &with_iter_protocol;
    self->state = state;
    self->source = GX_SOURCE_NONE;
    self->manager = Py_NewRef(out[0]);
    self->enter = enter;
    self->exit = exit;
    pipe = gx_pipe_over(state, (PyObject *)self);
    Py_DECREF(self);
    return pipe;
}

/* -- iterate ------------------------------------------------------------ */

/* Make `exc` the exception being handled, as in an except block: what was before, to
   be set again, or NULL where that belongs to a caller. */
static PyObject *
begin_handling(PyObject *exc)
{
    PyObject *handled = PyErr_GetHandledException();
    PyErr_SetHandledException(NULL);
    PyObject *outer = PyErr_GetHandledException();
    if (outer == handled) {
        Py_CLEAR(handled);
    }
    Py_XDECREF(outer);
    PyErr_SetHandledException(exc);
    return handled;
}

static void
end_handling(PyObject *handled)
{
    PyErr_SetHandledException(handled);
    Py_XDECREF(handled);
}

static int
exit_with(PyObject *exit, PyObject *manager, PyObject *exc)
{
    PyObject *traceback = PyException_GetTraceback(exc);
    PyObject *args[5] = {NULL, manager, (PyObject *)Py_TYPE(exc), exc,
                         traceback != NULL ? traceback : Py_None};
    PyObject *handled = begin_handling(exc);
    PyObject *answer = gx_call_func(exit, args + 1, 4);
    int swallowed = answer != NULL ? PyObject_IsTrue(answer) : -1;
    end_handling(handled);
    Py_XDECREF(answer);
    Py_XDECREF(traceback);
    return swallowed;
}

static int
exit_plainly(PyObject *exit, PyObject *manager)
{
    PyObject *args[5] = {NULL, manager, Py_None, Py_None, Py_None};
    PyObject *answer = gx_call_func(exit, args + 1, 4);
    Py_XDECREF(answer);
    return answer != NULL ? 0 : -1;
}

/* Call __exit__, once, for `exc` (borrowed, or NULL) as `with` does, as the exception
   that is being handled: 1 it is swallowed, 0 it is not, -1 another was raised. */
static int
with_iter_leave(with_iter_object *self, PyObject *exc)
{
    PyObject *manager = self->manager, *exit = self->exit;
    self->manager = NULL;
    self->exit = NULL;
    self->entered = false;
    int swallowed =
        exc != NULL ? exit_with(exit, manager, exc) : exit_plainly(exit, manager);
    if (swallowed < 0) {
        gx_no_stop_iteration("__exit__() of '%.200s' object",
                             Py_TYPE(manager)->tp_name);
    }
    Py_DECREF(exit);
    Py_DECREF(manager);
    return swallowed;
}

/* An error has been raised between entering and leaving: this is the end. */
static PySendResult
with_iter_failed(with_iter_object *self, PyObject **out)
{
    PyObject *exc = PyErr_GetRaisedException();
    self->ended = true;
    gx_source_drop(&self->source);
    int left = with_iter_leave(self, exc);
    if (left == 0) {
        PyErr_SetRaisedException(exc);
        return PYGEN_ERROR;
    }
    Py_DECREF(exc);
    if (left < 0) {
        return PYGEN_ERROR;
    }
    *out = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

/* The source has ended with *out. */
static PySendResult
with_iter_ended(with_iter_object *self, PyObject **out)
{
    self->ended = true;
    gx_source_drop(&self->source);
    if (with_iter_leave(self, NULL) < 0) {
        Py_CLEAR(*out);
        return PYGEN_ERROR;
    }
    return PYGEN_RETURN;
}

/* A manager that cannot be entered has not to be left: -1, and this is the end. */
static int
with_iter_enter(with_iter_object *self)
{
    PyObject *enter = self->enter;
    self->enter = NULL;
    PyObject *iterable = PyObject_CallOneArg(enter, self->manager);
    Py_DECREF(enter);
    self->entered = iterable != NULL;
    if (iterable == NULL) {
        gx_no_stop_iteration("__enter__() of '%.200s' object",
                             Py_TYPE(self->manager)->tp_name);
        self->ended = true;
        return -1;
    }
    int rc = gx_source_open(self->state, &self->source, iterable);
    Py_DECREF(iterable);
    if (rc < 0) {
        gx_no_stop_iteration("iter() of what __enter__() returned");
    }
    return rc;
}

static PySendResult
with_iter_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    with_iter_object *self = with_iter_CAST(op);
    if (self->enter != NULL) {
        if (how == GX_THROW) {
            PyErr_SetObject((PyObject *)Py_TYPE(value), value);
            return PYGEN_ERROR;
        }
        if (with_iter_enter(self) < 0) {
            return self->entered ? with_iter_failed(self, out) : PYGEN_ERROR;
        }
    }
    switch (gx_source_resume(self->state, &self->source, how, value, out)) {
    case PYGEN_NEXT:
        return PYGEN_NEXT;
    case PYGEN_RETURN:
        return with_iter_ended(self, out);
    default:
        return with_iter_failed(self, out);
    }
}

/* -- protocol ----------------------------------------------------------- */

static int
with_iter_clear(PyObject *op)
{
    with_iter_object *self = with_iter_CAST(op);
    gx_source_drop(&self->source);
    Py_CLEAR(self->enter);
    Py_CLEAR(self->exit);
    Py_CLEAR(self->manager);
    return 0;
}

/* Given up half-way, which __exit__ is told as a generator is: by GeneratorExit, or by
   the error of closing the source (taken, or NULL). -1 with what is left to raise. */
static int
with_iter_abandon(with_iter_object *self, PyObject *error)
{
    PyObject *exc = error != NULL ? error : PyObject_CallNoArgs(PyExc_GeneratorExit);
    if (exc == NULL) {
        exc = error = PyErr_GetRaisedException();
    }
    assert(exc != NULL);
    int left = with_iter_leave(self, exc);
    if (left < 0 && error == NULL && PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
        PyErr_Clear(); /* it was raised on */
        left = 1;
    }
    if (left == 0 && error != NULL) {
        PyErr_SetRaisedException(error);
        return -1;
    }
    Py_DECREF(exc);
    return left < 0 ? -1 : 0;
}

static int
with_iter_release(PyObject *op, bool close)
{
    with_iter_object *self = with_iter_CAST(op);
    PyObject *error = NULL;
    if (close) {
        gx_collect_error(gx_source_close(self->state, &self->source), &error);
    } else {
        gx_source_drop(&self->source);
    }
    int rc = self->entered ? with_iter_abandon(self, error) : 0;
    PyObject *raised = rc < 0 ? PyErr_GetRaisedException() : NULL;
    with_iter_clear(op);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return rc;
}

static int
with_iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    with_iter_object *self = with_iter_CAST(op);
    GX_VISIT_ITERATOR(op);
    GX_VISIT_SOURCE(&self->source);
    Py_VISIT(self->manager);
    Py_VISIT(self->enter);
    Py_VISIT(self->exit);
    return 0;
}

static const gx_protocol with_iter_protocol = {
    .name = "with_iter",
    .resume = with_iter_resume,
    .release = with_iter_release,
    .clear = with_iter_clear,
    .closes_when_dropped = false, /* release leaves what was entered */
};

/* -- type --------------------------------------------------------------- */

const char gx_with_iter_doc[] =
    "with_iter($module, /, context_manager)\n--\n\n"
    "A pipe of the items of what a context manager gives when it is entered.\n\n"
    "It is entered when the first item is asked for and left at the end, on an error of\n"
    "the items and when the pipe is closed or dropped; never, if no item was asked for.\n"
    "Raises TypeError if context_manager is none. As more_itertools.with_iter.\n\n"
    ">>> import io\n"
    ">>> with_iter(io.StringIO('one\\ntwo\\n')).map(str.strip).list()\n"
    "['one', 'two']";

static PyMethodDef with_iter_methods[] = {
    GX_ITERATOR_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef with_iter_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef with_iter_members[] = {
    GX_WEAKLIST_MEMBER(with_iter_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot with_iter_slots[] = {
    {Py_tp_doc, (void *)gx_with_iter_doc},  {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_finalize, gx_iterator_finalize}, {Py_tp_traverse, with_iter_traverse},
    {Py_tp_clear, gx_iterator_clear},       {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, gx_iterator_next},     {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, with_iter_methods},     {Py_tp_getset, with_iter_getset},
    {Py_tp_members, with_iter_members},     {0, NULL},
};

static PyType_Spec with_iter_spec = {
    .name = "pygenx.with_iter",
    .basicsize = sizeof(with_iter_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = with_iter_slots,
};

const gx_typedef gx_with_iter_source_typedef = {
    .spec = &with_iter_spec,
};
