/* route: a push object that sends each item to the target of its key. */

#include "caller.h"
#include "targets.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    PyObject *key_of; /* owned; NULL after the end */
    gx_caller caller;
    PyObject *mapping;  /* owned: key -> target, as it was given */
    PyObject *opened;   /* owned: dict of key -> index in targets */
    gx_targets targets; /* those opened, in the order of `opened` */
    Py_ssize_t index;   /* items sent so far */
    bool primed;        /* next() has been called before the first item */
} route_object;

#define route_CAST(op) ((route_object *)(op))

static const gx_protocol route_protocol;

/* -- construct ---------------------------------------------------------- */

static const char *const route_params[] = {"key", "targets", NULL};
static const gx_signature route_signature = {"route", route_params, 2, 2, 2};

/* Open the target of a key: its index, or -1. */
static Py_ssize_t
open_target(gx_state *state, gx_targets *targets, PyObject *opened, PyObject *key,
            PyObject *target)
{
    Py_ssize_t i = gx_targets_add(state, targets, target, "a target of route()");
    PyObject *index = i < 0 ? NULL : PyLong_FromSsize_t(i);
    int rc = index == NULL ? -1 : PyDict_SetItem(opened, key, index);
    Py_XDECREF(index);
    return rc < 0 ? -1 : i;
}

/* What a dict has is opened at once, so that it is checked; what other mappings make
   is opened when its key comes. */
static int
open_targets(gx_state *state, gx_targets *targets, PyObject *opened, PyObject *mapping)
{
    if (!PyDict_Check(mapping)) {
        return 0;
    }
    PyObject *items = PyDict_Items(mapping);
    int rc = items == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = Py_NewRef(PyList_GET_ITEM(items, i));
        PyObject *key = PyTuple_GET_ITEM(pair, 0), *target = PyTuple_GET_ITEM(pair, 1);
        rc = open_target(state, targets, opened, key, target) < 0 ? -1 : 0;
        Py_DECREF(pair);
    }
    Py_XDECREF(items);
    return rc;
}

/* Sequences have a subscript too. */
static bool
is_mapping(PyObject *obj)
{
    return PyMapping_Check(obj) && !PyList_Check(obj) && !PyTuple_Check(obj) &&
           !PyUnicode_Check(obj) && !PyType_Check(obj);
}

static PyObject *
route_construct(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *given[2];
    PyTypeObject *cls = (PyTypeObject *)type;
    if (gx_parse(&route_signature, args, nargsf, kwnames, given) < 0) {
        return NULL;
    }
    if (!is_mapping(given[1])) {
        PyErr_Format(PyExc_TypeError,
                     "route() argument 'targets' must be a mapping, not '%.200s'",
                     Py_TYPE(given[1])->tp_name);
        return NULL;
    }
    gx_targets targets = {0}; /* the object's when nothing can go wrong any more */
    gx_state *state = PyType_GetModuleState(cls);
    PyObject *key = Py_NewRef(given[0]), *opened = PyDict_New();
    route_object *self = NULL;
    if (opened != NULL && gx_as_callable(&key, "route() argument 'key'") == 0 &&
        open_targets(state, &targets, opened, given[1]) == 0) {
        self = route_CAST(cls->tp_alloc(cls, 0));
    }
    if (self == NULL) {
        gx_targets_clear(&targets);
        Py_DECREF(key);
        Py_XDECREF(opened);
        return NULL;
    }
    self->protocol = &route_protocol;
    self->started = true; /* primed: the first item may be sent at once */
    self->key_of = key;
    self->mapping = Py_NewRef(given[1]);
    self->opened = opened;
    self->targets = targets;
    return (PyObject *)self;
}

static PyObject *
route_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(route_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

/* What `opened` has under a key as an index, or -1: whoever asks the collector can lay
   hands on the dict. */
static Py_ssize_t
checked_index(const route_object *self, PyObject *index)
{
    Py_ssize_t i = PyLong_CheckExact(index) ? PyLong_AsSsize_t(index) : -1;
    if (i >= 0 && i < self->targets.size) {
        return i;
    }
    PyErr_SetString(PyExc_RuntimeError, "the targets of route changed from outside");
    return -1;
}

/* {key: result}, in the order in which the targets were opened. A key that is hashed
   runs user code. */
static PyObject *
results_of(route_object *self)
{
    PyObject *key, *index, *results = PyDict_New();
    Py_ssize_t at = 0;
    while (results != NULL && PyDict_Next(self->opened, &at, &key, &index)) {
        Py_INCREF(key);
        Py_ssize_t i = checked_index(self, index);
        if (i < 0 ||
            PyDict_SetItem(results, key, gx_targets_result(&self->targets, i)) < 0) {
            Py_CLEAR(results);
        }
        Py_DECREF(key);
    }
    return results;
}

/* An exact dict has no further targets to come. */
static bool
is_over(route_object *self)
{
    return self->targets.open == 0 && PyDict_CheckExact(self->mapping);
}

/* The index of the target of `key`, or -1: a KeyError where there is none. */
static Py_ssize_t
find_target(route_object *self, PyObject *key)
{
    PyObject *index = PyDict_GetItemWithError(self->opened, key);
    if (index != NULL) {
        return checked_index(self, index);
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    PyObject *target = PyObject_GetItem(self->mapping, key);
    if (target == NULL) {
        return -1;
    }
    gx_state *state = PyType_GetModuleState(Py_TYPE(self));
    Py_ssize_t i = open_target(state, &self->targets, self->opened, key, target);
    Py_DECREF(target);
    return i;
}

static PySendResult
route_send(route_object *self, PyObject *item, PyObject **out)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(self));
    PyObject *args[2] = {NULL, item};
    Py_ssize_t number = self->index++;
    PyObject *key =
        gx_caller_call(&self->caller, (PyObject *)self, self->key_of, args + 1, 1);
    Py_ssize_t i = key == NULL ? -1 : find_target(self, key);
    Py_XDECREF(key);
    if (i < 0) {
        gx_push_failed("route(%U)", self->key_of, number, item);
        return PYGEN_ERROR;
    }
    int taken = gx_targets_send(state, &self->targets, i, item);
    if (taken < 0) {
        return PYGEN_ERROR;
    }
    *out = is_over(self) ? results_of(self) : PyLong_FromLong(taken);
    return *out == NULL ? PYGEN_ERROR : is_over(self) ? PYGEN_RETURN : PYGEN_NEXT;
}

static PySendResult
route_throw(route_object *self, PyObject *exc, PyObject **out)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (self->targets.open == 0) {
        PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
        return PYGEN_ERROR;
    }
    if (gx_targets_throw(state, &self->targets, exc) < 0) {
        return PYGEN_ERROR;
    }
    *out = is_over(self) ? results_of(self) : PyLong_FromLong(0);
    return *out == NULL ? PYGEN_ERROR : is_over(self) ? PYGEN_RETURN : PYGEN_NEXT;
}

static PySendResult
route_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    route_object *self = route_CAST(op);
    return how == GX_SEND    ? route_send(self, value, out)
           : how == GX_THROW ? route_throw(self, value, out)
                             : gx_push_prime(op, &self->primed, self->index > 0, out);
}

/* -- protocol ----------------------------------------------------------- */

static int
route_clear(PyObject *op)
{
    route_object *self = route_CAST(op);
    Py_CLEAR(self->key_of);
    gx_caller_drop(&self->caller);
    Py_CLEAR(self->mapping);
    Py_CLEAR(self->opened);
    gx_targets_clear(&self->targets);
    return 0;
}

static int
route_release(PyObject *op, bool close)
{
    route_object *self = route_CAST(op);
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    int rc = close ? gx_targets_finish(state, &self->targets) : 0;
    PyObject *error = rc < 0 ? PyErr_GetRaisedException() : NULL;
    route_clear(op);
    return gx_raise_collected(error);
}

static int
route_traverse(PyObject *op, visitproc visit, void *arg)
{
    route_object *self = route_CAST(op);
    GX_VISIT_ITERATOR(op);
    Py_VISIT(self->key_of);
    GX_VISIT_CALLER(&self->caller);
    Py_VISIT(self->mapping);
    Py_VISIT(self->opened);
    return gx_targets_traverse(&self->targets, visit, arg);
}

/* Called with `running` set. */
static PyObject *
route_finish(PyObject *op)
{
    route_object *self = route_CAST(op);
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    return gx_targets_finish(state, &self->targets) < 0 ? NULL : results_of(self);
}

static PyObject *
route_close(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return gx_push_close_with(op, route_finish);
}

static PyObject *
route_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    return gx_push_exit(op, args, nargs, route_close);
}

/* References first: making the text may run the collector. */
static PyObject *
route_repr(PyObject *op)
{
    PyObject *key_of;
    Py_BEGIN_CRITICAL_SECTION(op);
    key_of = Py_XNewRef(route_CAST(op)->key_of);
    Py_END_CRITICAL_SECTION();
    if (key_of == NULL) {
        return PyUnicode_FromString("route(<ended>)");
    }
    PyObject *name = gx_brief_callable(key_of);
    PyObject *repr = name ? PyUnicode_FromFormat("route(%U, ...)", name) : NULL;
    Py_XDECREF(name);
    Py_DECREF(key_of);
    return repr;
}

static const gx_protocol route_protocol = {
    .name = "route",
    .resume = route_resume,
    .release = route_release,
    .clear = route_clear,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(route_doc,
"route(key, targets, /)\n--\n\n"
"A coroutine that sends each item to the target of its key: targets[key(item)].\n\n"
"targets is a mapping; a defaultdict makes a target for each new key. A target is\n"
"anything with send(), a function or a Reducer. send(item) returns 1, or 0 if that\n"
"target has ended; when all targets of a dict have ended, send() raises StopIteration.\n"
"close() closes the targets in the order in which they were opened and returns the dict\n"
"of their results. A key without a target is a KeyError: the item is consumed and the\n"
"next may be sent. Raises TypeError for a target that cannot be sent to.\n\n"
">>> from collections import defaultdict\n"
">>> by_length = route(len, defaultdict(lambda: Pipeline().join('+')))\n"
">>> feed(['to', 'be', 'or', 'not'], by_length)\n"
"{2: 'to+be+or', 3: 'not'}");

PyDoc_STRVAR(route_send_doc,
"send($self, item, /)\n--\n\n"
"Send the item to the target of its key: 1 if it was taken, 0 if that has ended.");

PyDoc_STRVAR(route_close_doc,
"close($self, /)\n--\n\n"
"Close the targets and return the dict of their results; again when called again.");

static PyMethodDef route_methods[] = {
    {"send", gx_iterator_send, METH_O, route_send_doc},
    {"throw", GX_FASTCALL(gx_iterator_throw), METH_FASTCALL, gx_push_throw_doc},
    {"close", route_close, METH_NOARGS, route_close_doc},
    {"__enter__", gx_iterator_enter, METH_NOARGS, gx_push_enter_doc},
    {"__exit__", GX_FASTCALL(route_exit), METH_FASTCALL, gx_push_exit_doc},
    {"__reduce__", gx_iterator_reduce, METH_NOARGS, gx_reduce_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef route_getset[] = {
    {"result", gx_iterator_get_result, NULL,
     "The dict of the targets' results after the end; None before.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef route_members[] = {
    GX_WEAKLIST_MEMBER(route_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot route_slots[] = {
    {Py_tp_doc, (void *)route_doc},
    {Py_tp_new, route_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, route_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, route_repr},
    {Py_tp_iternext, gx_iterator_next}, /* for drivers that prime every coroutine */
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, route_methods},
    {Py_tp_getset, route_getset},
    {Py_tp_members, route_members},
    {0, NULL},
};

static PyType_Spec route_spec = {
    .name = "pygenx.route",
    .basicsize = sizeof(route_object),
    .flags = GX_TYPE_FLAGS,
    .slots = route_slots,
};

const gx_typedef gx_route_typedef = {
    .spec = &route_spec,
    .construct = route_construct,
    .public = true,
};
