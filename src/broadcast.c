/* broadcast: a push object that sends every item to several targets. */

#include "targets.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    gx_targets targets;
    bool primed; /* next() has been called before the first item */
    bool begun;  /* an item has been sent */
} broadcast_object;

#define broadcast_CAST(op) ((broadcast_object *)(op))

static const gx_protocol broadcast_protocol;

/* -- construct ---------------------------------------------------------- */

static PyObject *
broadcast_construct(PyObject *type, PyObject *const *args, size_t nargsf,
                    PyObject *kwnames)
{
    PyTypeObject *cls = (PyTypeObject *)type;
    gx_state *state = PyType_GetModuleState(cls);
    if (gx_no_keywords("broadcast", kwnames) < 0) {
        return NULL;
    }
    gx_targets targets = {0}; /* the object's when nothing can go wrong any more */
    const char *what = "a target of broadcast()";
    for (Py_ssize_t i = 0; i < PyVectorcall_NARGS(nargsf); i++) {
        if (gx_targets_add(state, &targets, args[i], what) < 0) {
            gx_targets_clear(&targets);
            return NULL;
        }
    }
    broadcast_object *self = broadcast_CAST(cls->tp_alloc(cls, 0));
    if (self == NULL) {
        gx_targets_clear(&targets);
        return NULL;
    }
    self->protocol = &broadcast_protocol;
    self->started = true; /* primed: the first item may be sent at once */
    self->targets = targets;
    return (PyObject *)self;
}

static PyObject *
broadcast_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(broadcast_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

static PyObject *
results_of(broadcast_object *self)
{
    PyObject *results = PyTuple_New(self->targets.size);
    for (Py_ssize_t i = 0; results != NULL && i < self->targets.size; i++) {
        PyObject *result = gx_targets_result(&self->targets, i);
        PyTuple_SET_ITEM(results, i, Py_NewRef(result));
    }
    return results;
}

/* The answer of a call after which `count` targets have an item: the results once
   there is nobody left to send to. */
static PySendResult
broadcast_answer(broadcast_object *self, Py_ssize_t count, PyObject **out)
{
    bool over = self->targets.open == 0;
    *out = over ? results_of(self) : PyLong_FromSsize_t(count);
    return *out == NULL ? PYGEN_ERROR : over ? PYGEN_RETURN : PYGEN_NEXT;
}

/* Each gets the item, whatever happens in another. */
static PySendResult
broadcast_send(broadcast_object *self, PyObject *item, PyObject **out)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(self));
    PyObject *error = NULL;
    Py_ssize_t count = 0;
    self->begun = true;
    for (Py_ssize_t i = 0; i < self->targets.size; i++) {
        int taken = gx_targets_send(state, &self->targets, i, item);
        gx_collect_error(taken, &error);
        count += taken > 0;
    }
    return gx_raise_collected(error) < 0 ? PYGEN_ERROR
                                         : broadcast_answer(self, count, out);
}

static PySendResult
broadcast_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    broadcast_object *self = broadcast_CAST(op);
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    if (how == GX_NEXT) {
        return gx_push_prime(op, &self->primed, self->begun, out);
    }
    if (how == GX_SEND) {
        return broadcast_send(self, value, out);
    }
    if (self->targets.open == 0) {
        PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        return PYGEN_ERROR;
    }
    return gx_targets_throw(state, &self->targets, value) < 0
               ? PYGEN_ERROR
               : broadcast_answer(self, 0, out);
}

/* -- protocol ----------------------------------------------------------- */

static int
broadcast_release(PyObject *op, bool close)
{
    broadcast_object *self = broadcast_CAST(op);
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    int rc = close ? gx_targets_finish(state, &self->targets) : 0;
    PyObject *error = rc < 0 ? PyErr_GetRaisedException() : NULL;
    gx_targets_clear(&self->targets);
    return gx_raise_collected(error);
}

static int
broadcast_clear(PyObject *op)
{
    gx_targets_clear(&broadcast_CAST(op)->targets);
    return 0;
}

static int
broadcast_traverse(PyObject *op, visitproc visit, void *arg)
{
    GX_VISIT_ITERATOR(op);
    return gx_targets_traverse(&broadcast_CAST(op)->targets, visit, arg);
}

/* Called with `running` set. */
static PyObject *
broadcast_finish(PyObject *op)
{
    broadcast_object *self = broadcast_CAST(op);
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    return gx_targets_finish(state, &self->targets) < 0 ? NULL : results_of(self);
}

static PyObject *
broadcast_close(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return gx_push_close_with(op, broadcast_finish);
}

static PyObject *
broadcast_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    return gx_push_exit(op, args, nargs, broadcast_close);
}

static PyObject *
broadcast_repr(PyObject *op)
{
    broadcast_object *self = broadcast_CAST(op);
    return PyUnicode_FromFormat("<broadcast to %zd targets, %zd open>",
                                self->targets.size, self->targets.open);
}

static const gx_protocol broadcast_protocol = {
    .name = "broadcast",
    .resume = broadcast_resume,
    .release = broadcast_release,
    .clear = broadcast_clear,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(broadcast_doc,
"broadcast(*targets)\n--\n\n"
"A coroutine that sends every item to several targets.\n\n"
"A target is anything with send(), a function or a Reducer. send(item) returns how\n"
"many took the item; each gets it even if another raises. A target that ends early is\n"
"left out from then on; when the last has ended, send() raises StopIteration. close()\n"
"closes all targets, in order, and returns the tuple of their results. Raises TypeError\n"
"for a target that cannot be sent to.\n\n"
">>> seen = []\n"
">>> feed(range(5), broadcast(Pipeline().sum(), Pipeline().max(), seen.append))\n"
"(10, 4, None)\n"
">>> seen\n"
"[0, 1, 2, 3, 4]");

PyDoc_STRVAR(broadcast_send_doc,
"send($self, item, /)\n--\n\n"
"Send the item to every open target and return how many took it.");

PyDoc_STRVAR(broadcast_close_doc,
"close($self, /)\n--\n\n"
"Close the targets and return the tuple of their results; again when called again.");

static PyMethodDef broadcast_methods[] = {
    {"send", gx_iterator_send, METH_O, broadcast_send_doc},
    {"throw", GX_FASTCALL(gx_iterator_throw), METH_FASTCALL, gx_push_throw_doc},
    {"close", broadcast_close, METH_NOARGS, broadcast_close_doc},
    {"__enter__", gx_iterator_enter, METH_NOARGS, gx_push_enter_doc},
    {"__exit__", GX_FASTCALL(broadcast_exit), METH_FASTCALL, gx_push_exit_doc},
    {"__reduce__", gx_iterator_reduce, METH_NOARGS, gx_reduce_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef broadcast_getset[] = {
    {"result", gx_iterator_get_result, NULL,
     "The tuple of the targets' results after the end; None before.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef broadcast_members[] = {
    GX_WEAKLIST_MEMBER(broadcast_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot broadcast_slots[] = {
    {Py_tp_doc, (void *)broadcast_doc},
    {Py_tp_new, broadcast_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, broadcast_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, broadcast_repr},
    {Py_tp_iternext, gx_iterator_next}, /* for drivers that prime every coroutine */
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, broadcast_methods},
    {Py_tp_getset, broadcast_getset},
    {Py_tp_members, broadcast_members},
    {0, NULL},
};

static PyType_Spec broadcast_spec = {
    .name = "pygenx.broadcast",
    .basicsize = sizeof(broadcast_object),
    .flags = GX_TYPE_FLAGS,
    .slots = broadcast_slots,
};

const gx_typedef gx_broadcast_typedef = {
    .spec = &broadcast_spec,
    .construct = broadcast_construct,
    .public = true,
};
