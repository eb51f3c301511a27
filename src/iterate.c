/* iterate: start, func(start), func(func(start)), ... as a pipe. */

#include "pipeline.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    PyObject *func;  /* owned */
    PyObject *value; /* owned: the item handed out last, or `start` before that */
    bool first;      /* `start` has not been handed out yet */
} iterate_object;

#define iterate_CAST(op) ((iterate_object *)(op))

static const gx_protocol iterate_protocol;

/* -- construct ---------------------------------------------------------- */

PyObject *
gx_iterate(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const params[] = {"func", "start", NULL};
    static const gx_signature signature = {"iterate", params, 0, 2, 2};
    PyObject *out[2];
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0) {
        return NULL;
    }
    gx_state *state = PyModule_GetState(module);
    PyTypeObject *type = GX_TYPE_OF(state, iterate_source);
    iterate_object *self = iterate_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->protocol = &iterate_protocol;
    self->func = Py_NewRef(out[0]);
    self->value = Py_NewRef(out[1]);
    self->first = true;
    PyObject *pipe = NULL;
    if (gx_as_callable(&self->func, "func") == 0) {
        pipe = gx_pipe_over(state, (PyObject *)self);
    }
    Py_DECREF(self);
    return pipe;
}

/* -- iterate ------------------------------------------------------------ */

/* A StopIteration out of func ends the stream quietly, as in more-itertools; any
   other error leaves the value, and the next call tries again. */
static PySendResult
iterate_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    iterate_object *self = iterate_CAST(op);
    if (how == GX_THROW) {
        PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        return PYGEN_ERROR;
    }
    if (self->first) {
        self->first = false;
        *out = Py_NewRef(self->value);
        return PYGEN_NEXT;
    }
    PyObject *next = PyObject_CallOneArg(self->func, self->value);
    if (next == NULL) {
        return gx_ended(out) ? PYGEN_RETURN : PYGEN_ERROR;
    }
    PyObject *last = self->value;
    self->value = next;
    Py_DECREF(last);
    *out = Py_NewRef(next);
    return PYGEN_NEXT;
}

/* -- protocol ----------------------------------------------------------- */

static int
iterate_clear(PyObject *op)
{
    Py_CLEAR(iterate_CAST(op)->func);
    Py_CLEAR(iterate_CAST(op)->value);
    return 0;
}

static int
iterate_release(PyObject *op, bool Py_UNUSED(close))
{
    return iterate_clear(op);
}

static int
iterate_traverse(PyObject *op, visitproc visit, void *arg)
{
    GX_VISIT_ITERATOR(op);
    Py_VISIT(iterate_CAST(op)->func);
    Py_VISIT(iterate_CAST(op)->value);
    return 0;
}

static void
iterate_note(PyObject *op)
{
    iterate_object *self = iterate_CAST(op);
    PyObject *exc = gx_note_begin();
    if (exc == NULL) {
        return;
    }
    PyObject *func =
        self->func != NULL ? gx_note_part(gx_brief_callable(self->func)) : NULL;
    PyObject *value = self->value != NULL ? gx_brief(self->value) : NULL;
    gx_note_end(exc, "iterate(%V), after %V", func, "?", value, "?");
    Py_XDECREF(func);
    Py_XDECREF(value);
}

static const gx_protocol iterate_protocol = {
    .name = "iterate",
    .resume = iterate_resume,
    .release = iterate_release,
    .clear = iterate_clear,
    .note = iterate_note,
};

/* -- type --------------------------------------------------------------- */

const char gx_iterate_doc[] =
    "iterate($module, func, start)\n--\n\n"
    "A pipe of start, func(start), func(func(start)), and so on without end.\n\n"
    "func is called when the item is asked for; StopIteration raised by it ends the\n"
    "pipe. As more_itertools.iterate.\n\n"
    ">>> iterate(lambda x: 2 * x, 1).take(4).list()\n"
    "[1, 2, 4, 8]";

static PyMethodDef iterate_methods[] = {
    GX_ITERATOR_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef iterate_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef iterate_members[] = {
    GX_WEAKLIST_MEMBER(iterate_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot iterate_slots[] = {
    {Py_tp_doc, (void *)gx_iterate_doc},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, iterate_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, gx_iterator_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, iterate_methods},
    {Py_tp_getset, iterate_getset},
    {Py_tp_members, iterate_members},
    {0, NULL},
};

static PyType_Spec iterate_spec = {
    .name = "pygenx.iterate",
    .basicsize = sizeof(iterate_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = iterate_slots,
};

const gx_typedef gx_iterate_source_typedef = {
    .spec = &iterate_spec,
};
