/* fold: a push object that keeps one running value: value = func(value, item) for
   each item sent. */

#include "caller.h"
#include "sink.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    PyObject *func; /* owned; NULL after the end */
    gx_caller caller;
    PyObject *value;  /* owned; replaced only while `running`; NULL once cleared */
    Py_ssize_t index; /* items sent so far */
    bool primed;      /* next() has been called before the first item */
} fold_object;

#define fold_CAST(op) ((fold_object *)(op))

static const gx_protocol fold_protocol;

/* -- construct ---------------------------------------------------------- */

static const char *const fold_params[] = {"func", "initial", NULL};
static const gx_signature fold_signature = {"fold", fold_params, 2, 2, 2};

static PyObject *
fold_construct(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *given[2];
    PyTypeObject *cls = (PyTypeObject *)type;
    if (gx_parse(&fold_signature, args, nargsf, kwnames, given) < 0 ||
        gx_check_callable(given[0], "fold() argument 'func'") < 0) {
        return NULL;
    }
    fold_object *self = fold_CAST(cls->tp_alloc(cls, 0));
    if (self == NULL) {
        return NULL;
    }
    self->protocol = &fold_protocol;
    self->func = Py_NewRef(given[0]);
    self->value = Py_NewRef(given[1]);
    self->started = true; /* primed: the first item may be sent at once */
    return (PyObject *)self;
}

static PyObject *
fold_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(fold_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

/* func and value stay where they are during the call: `running` keeps everybody
   else from replacing them. The old value goes last, it may run user code. */
static PySendResult
fold_add(fold_object *self, PyObject *item)
{
    PyObject *args[3] = {NULL, self->value, item};
    Py_ssize_t index = self->index++;
    PyObject *value =
        gx_caller_call(&self->caller, (PyObject *)self, self->func, args + 1, 2);
    if (value == NULL) {
        gx_push_failed("fold(%U)", self->func, index, item);
        return PYGEN_ERROR;
    }
    Py_SETREF(self->value, value);
    return PYGEN_NEXT;
}

/* next() and throw(): items take the short way below. */
static PySendResult
fold_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    fold_object *self = fold_CAST(op);
    if (how == GX_THROW) {
        PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        return PYGEN_ERROR;
    }
    return gx_push_prime(op, &self->primed, self->index > 0, out);
}

/* What gx_resume does, without what a fold does not need; *out is set at the end. */
static inline PySendResult
fold_take_locked(fold_object *self, PyObject *item, PyObject **out)
{
    if (self->running) {
        gx_reentrancy((PyObject *)self, "fold");
        return PYGEN_ERROR;
    }
    if (self->ended) {
        *out = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    self->running = true;
    PySendResult answer = fold_add(self, item);
    self->running = false;
    return answer;
}

PySendResult
gx_deliver_fold(gx_state *Py_UNUSED(state), gx_sink *sink, PyObject *item,
                PyObject **out)
{
    PySendResult answer;
    Py_BEGIN_CRITICAL_SECTION(sink->target);
    answer = fold_take_locked(fold_CAST(sink->target), item, out);
    Py_END_CRITICAL_SECTION();
    return answer;
}

static PySendResult
fold_am_send(PyObject *op, PyObject *item, PyObject **out)
{
    PySendResult answer;
    *out = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    answer = fold_take_locked(fold_CAST(op), item, out);
    if (answer == PYGEN_NEXT) {
        *out = Py_NewRef(fold_CAST(op)->value);
    }
    Py_END_CRITICAL_SECTION();
    return answer;
}

static PyObject *
fold_send(PyObject *op, PyObject *item)
{
    PyObject *out;
    PySendResult answer = fold_am_send(op, item, &out);
    return gx_item_or_raise(answer, out);
}

/* -- protocol ----------------------------------------------------------- */

static int
fold_release(PyObject *op, bool Py_UNUSED(close))
{
    Py_CLEAR(fold_CAST(op)->func);
    gx_caller_drop(&fold_CAST(op)->caller);
    return 0;
}

static int
fold_clear(PyObject *op)
{
    Py_CLEAR(fold_CAST(op)->func);
    gx_caller_drop(&fold_CAST(op)->caller);
    Py_CLEAR(fold_CAST(op)->value);
    return 0;
}

static int
fold_traverse(PyObject *op, visitproc visit, void *arg)
{
    GX_VISIT_ITERATOR(op);
    Py_VISIT(fold_CAST(op)->func);
    GX_VISIT_CALLER(&fold_CAST(op)->caller);
    Py_VISIT(fold_CAST(op)->value);
    return 0;
}

static PyObject *
fold_get_value(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(op);
    value = Py_XNewRef(fold_CAST(op)->value);
    Py_END_CRITICAL_SECTION();
    return value != NULL ? value : Py_NewRef(Py_None);
}

static int
fold_close_locked(fold_object *self)
{
    if (self->running) {
        gx_reentrancy((PyObject *)self, "fold");
        return -1;
    }
    if (self->ended) {
        return 0;
    }
    Py_XSETREF(self->result, Py_XNewRef(self->value));
    return gx_iterator_finish((PyObject *)self, false);
}

PyObject *
gx_fold_close(PyObject *op, PyObject *Py_UNUSED(unused))
{
    int rc;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = fold_close_locked(fold_CAST(op));
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? NULL : fold_get_value(op, NULL);
}

static PyObject *
fold_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    return gx_push_exit(op, args, nargs, gx_fold_close);
}

/* References first: making the texts may run the collector. */
static PyObject *
fold_repr(PyObject *op)
{
    PyObject *func, *value = fold_get_value(op, NULL);
    Py_BEGIN_CRITICAL_SECTION(op);
    func = Py_XNewRef(fold_CAST(op)->func);
    Py_END_CRITICAL_SECTION();
    PyObject *name = func ? gx_brief_callable(func) : PyUnicode_FromString("<ended>");
    PyObject *text = name ? gx_brief(value) : NULL;
    PyObject *repr = text ? PyUnicode_FromFormat("fold(%U, %U)", name, text) : NULL;
    Py_XDECREF(text);
    Py_XDECREF(name);
    Py_XDECREF(func);
    Py_DECREF(value);
    return repr;
}

static const gx_protocol fold_protocol = {
    .name = "fold",
    .resume = fold_resume,
    .release = fold_release,
    .clear = fold_clear,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(fold_doc,
"fold(func, initial, /)\n--\n\n"
"A coroutine that folds what it is sent: each send(item) replaces the value by\n"
"func(value, item) and returns it; close() returns the last one.\n\n"
"It takes items at once, without a first next(); None is an item. An error of func\n"
"passes and leaves the value as it was. functools.reduce, driven from outside.\n\n"
">>> import operator\n"
">>> total = fold(operator.add, 0)\n"
">>> total.send(3), total.send(4)\n"
"(3, 7)\n"
">>> total.close()\n"
"7");

PyDoc_STRVAR(fold_send_doc,
"send($self, item, /)\n--\n\n"
"Replace the value by func(value, item) and return it; StopIteration after the end.");

PyDoc_STRVAR(fold_throw_doc,
"throw($self, typ, val=None, tb=None, /)\n--\n\n"
"Raise the exception here and end; .value stays readable.");

PyDoc_STRVAR(fold_close_doc,
"close($self, /)\n--\n\n"
"End, and return the value; returns it again when called again.");

static PyMethodDef fold_methods[] = {
    {"send", fold_send, METH_O, fold_send_doc},
    {"throw", GX_FASTCALL(gx_iterator_throw), METH_FASTCALL, fold_throw_doc},
    {"close", gx_fold_close, METH_NOARGS, fold_close_doc},
    {"__enter__", gx_push_enter, METH_NOARGS, gx_push_enter_doc},
    {"__exit__", GX_FASTCALL(fold_exit), METH_FASTCALL, gx_push_exit_doc},
    {"__reduce__", gx_iterator_reduce, METH_NOARGS, gx_reduce_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef fold_getset[] = {
    {"result", gx_iterator_get_result, NULL,
     "The last value, readable after close(); None before.", NULL},
    {"value", fold_get_value, NULL, "The running value, readable at any time.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef fold_members[] = {
    GX_WEAKLIST_MEMBER(fold_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot fold_slots[] = {
    {Py_tp_doc, (void *)fold_doc},
    {Py_tp_new, fold_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, fold_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, fold_repr},
    {Py_tp_iternext, gx_iterator_next}, /* for drivers that prime every coroutine */
    {Py_am_send, fold_am_send},
    {Py_tp_methods, fold_methods},
    {Py_tp_getset, fold_getset},
    {Py_tp_members, fold_members},
    {0, NULL},
};

/* Final. No tp_iter: there is nothing to iterate over. */
static PyType_Spec fold_spec = {
    .name = "pygenx.fold",
    .basicsize = sizeof(fold_object),
    .flags = GX_TYPE_FLAGS,
    .slots = fold_slots,
};

const gx_typedef gx_fold_typedef = {
    .spec = &fold_spec,
    .construct = fold_construct,
    .public = true,
};
