/* iter_except: what a function returns, call after call, until it raises one of the
   given exceptions, as a pipe. */

#include "pipeline.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    PyObject *function;  /* owned */
    PyObject *exception; /* owned: an exception class or a tuple of them */
    PyObject *first;     /* owned: what is called the first time, or NULL */
} iter_except_object;

#define iter_except_CAST(op) ((iter_except_object *)(op))

static const gx_protocol iter_except_protocol;

/* -- construct ---------------------------------------------------------- */

static int
check_exceptions(PyObject *exception)
{
    bool fits = PyExceptionClass_Check(exception);
    if (PyTuple_Check(exception)) {
        fits = true;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(exception); i++) {
            fits = fits && PyExceptionClass_Check(PyTuple_GET_ITEM(exception, i));
        }
    }
    if (!fits) {
        PyErr_Format(PyExc_TypeError,
                     "exception must be an exception class or a tuple of them, not "
                     "'%.200s'",
                     Py_TYPE(exception)->tp_name);
    }
    return fits ? 0 : -1;
}

PyObject *
gx_iter_except(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    static const char *const params[] = {"function", "exception", "first", NULL};
    static const gx_signature signature = {"iter_except", params, 0, 2, 3};
    PyObject *out[3];
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0 ||
        gx_check_callable(out[0], "function") < 0 || check_exceptions(out[1]) < 0) {
        return NULL;
    }
    PyObject *first = out[2] == Py_None ? NULL : out[2];
    if (first != NULL && gx_check_callable(first, "first") < 0) {
        return NULL;
    }
    gx_state *state = PyModule_GetState(module);
    PyTypeObject *type = GX_TYPE_OF(state, iter_except_source);
    iter_except_object *self = iter_except_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->protocol = &iter_except_protocol;
    self->function = Py_NewRef(out[0]);
    self->exception = Py_NewRef(out[1]);
    self->first = Py_XNewRef(first);
    PyObject *pipe = gx_pipe_over(state, (PyObject *)self);
    Py_DECREF(self);
    return pipe;
}

/* -- iterate ------------------------------------------------------------ */

/* Any other error leaves everything as it is: the next call tries again, but not
   `first`. */
static PySendResult
iter_except_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    iter_except_object *self = iter_except_CAST(op);
    if (how == GX_THROW) {
        PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        return PYGEN_ERROR;
    }
    PyObject *first = self->first;
    self->first = NULL;
    if (!PyErr_Occurred()) { /* else the call was made by iter_except_next */
        *out = PyObject_CallNoArgs(first != NULL ? first : self->function);
    }
    Py_XDECREF(first);
    if (*out != NULL) {
        return PYGEN_NEXT;
    }
    if (PyErr_ExceptionMatches(self->exception)) {
        PyErr_Clear(); /* the user says that it is the end */
        *out = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    gx_no_stop_iteration("function of iter_except()");
    return PYGEN_ERROR;
}

/* NULL: the shared core has to see to it, be it the first call or an error. */
static PyObject *
iter_except_next_locked(iter_except_object *self)
{
    if (!self->started || self->first != NULL || self->running || self->ended) {
        return NULL;
    }
    self->running = true;
    PyObject *item = PyObject_CallNoArgs(self->function);
    self->running = false;
    return item;
}

/* What goes well, without the detour through the shared core. */
static PyObject *
iter_except_next(PyObject *op)
{
    PyObject *item;
    Py_BEGIN_CRITICAL_SECTION(op);
    item = iter_except_next_locked(iter_except_CAST(op));
    Py_END_CRITICAL_SECTION();
    return item != NULL ? item : gx_iterator_next(op);
}

/* -- protocol ----------------------------------------------------------- */

static int
iter_except_clear(PyObject *op)
{
    Py_CLEAR(iter_except_CAST(op)->function);
    Py_CLEAR(iter_except_CAST(op)->exception);
    Py_CLEAR(iter_except_CAST(op)->first);
    return 0;
}

static int
iter_except_release(PyObject *op, bool Py_UNUSED(close))
{
    return iter_except_clear(op);
}

static int
iter_except_traverse(PyObject *op, visitproc visit, void *arg)
{
    GX_VISIT_ITERATOR(op);
    Py_VISIT(iter_except_CAST(op)->function);
    Py_VISIT(iter_except_CAST(op)->exception);
    Py_VISIT(iter_except_CAST(op)->first);
    return 0;
}

static void
iter_except_note(PyObject *op)
{
    iter_except_object *self = iter_except_CAST(op);
    PyObject *exc = gx_note_begin();
    if (exc != NULL) {
        PyObject *text = self->function ? gx_brief_callable(self->function) : NULL;
        gx_note_end(exc, "iter_except(%V)", text, "?");
        Py_XDECREF(text);
    }
}

static const gx_protocol iter_except_protocol = {
    .name = "iter_except",
    .resume = iter_except_resume,
    .release = iter_except_release,
    .clear = iter_except_clear,
    .note = iter_except_note,
};

/* -- type --------------------------------------------------------------- */

const char gx_iter_except_doc[] =
    "iter_except($module, /, function, exception, first=None)\n--\n\n"
    "A pipe of what function() returns, call after call, until it raises exception.\n\n"
    "exception is a class or a tuple of classes, StopIteration too. first(), if given,\n"
    "is called once in the place of the first call. Another error passes, and the next\n"
    "item asked for calls again. As more_itertools.iter_except.\n\n"
    ">>> stack = [1, 2, 3]\n"
    ">>> iter_except(stack.pop, IndexError).list()\n"
    "[3, 2, 1]";

static PyMethodDef iter_except_methods[] = {
    GX_ITERATOR_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef iter_except_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef iter_except_members[] = {
    GX_WEAKLIST_MEMBER(iter_except_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot iter_except_slots[] = {
    {Py_tp_doc, (void *)gx_iter_except_doc},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, iter_except_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, iter_except_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, iter_except_methods},
    {Py_tp_getset, iter_except_getset},
    {Py_tp_members, iter_except_members},
    {0, NULL},
};

static PyType_Spec iter_except_spec = {
    .name = "pygenx.iter_except",
    .basicsize = sizeof(iter_except_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = iter_except_slots,
};

const gx_typedef gx_iter_except_source_typedef = {
    .spec = &iter_except_spec,
};
