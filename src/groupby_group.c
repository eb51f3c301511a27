/* The groups of groupby: each reads the items of one key through its parent. */

#include "groupby.h"

/* -- struct ------------------------------------------------------------- */

/* A group has no state of its own: it may read while it is the parent's open group.
   Its `ended` says no more than that send() and throw() are over. */
typedef struct {
    GX_ITERATOR_HEAD
    groupby_object *parent; /* owned; never replaced while alive */
    Py_ssize_t number;      /* the parent's `open` while it may read */
} group_object;

#define group_CAST(op) ((group_object *)(op))

static const gx_protocol group_protocol;

/* -- construct ---------------------------------------------------------- */

/* Made often: not through tp_alloc, which clears memory only to be filled. */
PyObject *
gx_group_new(groupby_object *parent)
{
    group_object *self = PyObject_GC_New(group_object, parent->group_type);
    if (self == NULL) {
        return NULL;
    }
    self->protocol = &group_protocol;
    self->weakrefs = NULL;
    self->result = NULL;
    self->running = self->ended = self->started = self->owner = false;
    self->parent = groupby_CAST(Py_NewRef((PyObject *)parent));
    self->number = parent->made + 1;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

/* -- iterate ------------------------------------------------------------ */

/* The two are one to user code: while it runs in either, both refuse calls. */
static inline PyObject *
group_next_locked(group_object *self)
{
    groupby_object *parent = self->parent;
    if (parent->open != self->number) {
        return NULL;
    }
    if (parent->running) {
        gx_reentrancy((PyObject *)parent, "groupby");
        return NULL;
    }
    self->started = true;
    self->running = true;
    parent->running = true;
    PyObject *item = gx_groupby_step(parent);
    parent->running = false;
    self->running = false;
    return item;
}

static PyObject *
group_next(PyObject *op)
{
    PyObject *item = NULL;
    if (group_CAST(op)->parent == NULL) { /* cleared by the collector */
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION2(op, group_CAST(op)->parent);
    item = group_next_locked(group_CAST(op));
    Py_END_CRITICAL_SECTION2();
    return item;
}

/* What is over but has not been told so: as if it had. */
static PySendResult
group_resume_over(gx_how how, PyObject *value, PyObject **out)
{
    if (how == GX_THROW) {
        PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        return PYGEN_ERROR;
    }
    *out = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

static PySendResult
group_resume_locked(group_object *self, gx_how how, PyObject *value, PyObject **out)
{
    groupby_object *parent = self->parent;
    if (parent->open != self->number) {
        return group_resume_over(how, value, out);
    }
    if (parent->running) {
        gx_reentrancy((PyObject *)parent, "groupby");
        return PYGEN_ERROR;
    }
    if (parent->ahead == AHEAD_BOUNDARY) {
        return group_resume_over(how, value, out);
    }
    if (how == GX_SEND && value != Py_None) {
        return gx_groupby_refuse_send();
    }
    parent->running = true;
    if (how != GX_THROW || gx_groupby_throw(parent, value) == 0) {
        *out = gx_groupby_step(parent);
    }
    parent->running = false;
    if (*out != NULL) {
        return PYGEN_NEXT;
    }
    return PyErr_Occurred() ? PYGEN_ERROR : group_resume_over(GX_NEXT, NULL, out);
}

static PySendResult
group_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    PySendResult answer;
    Py_BEGIN_CRITICAL_SECTION(group_CAST(op)->parent);
    answer = group_resume_locked(group_CAST(op), how, value, out);
    Py_END_CRITICAL_SECTION();
    return answer;
}

/* -- protocol ----------------------------------------------------------- */

static int
group_release_locked(group_object *self, bool close)
{
    groupby_object *parent = self->parent;
    if (parent->open != self->number) {
        return 0;
    }
    if (!close) {
        parent->open = 0;
        return 0;
    }
    if (parent->running) {
        gx_reentrancy((PyObject *)parent, "groupby");
        return -1;
    }
    parent->running = true;
    int found = gx_groupby_seek(parent);
    parent->running = false;
    return found < 0 ? -1 : 0;
}

/* Closing a group reads it to its end; the source is the parent's to close. */
static int
group_release(PyObject *op, bool close)
{
    int rc;
    Py_BEGIN_CRITICAL_SECTION(group_CAST(op)->parent);
    rc = group_release_locked(group_CAST(op), close);
    Py_END_CRITICAL_SECTION();
    return rc;
}

static int
group_clear(PyObject *op)
{
    Py_CLEAR(group_CAST(op)->parent);
    return 0;
}

/* No trashcan: between two groups of a deep nest there is a groupby, which has one.
   There is no result to let go of, either. */
static void
group_dealloc(PyObject *op)
{
    group_object *self = group_CAST(op);
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    Py_XDECREF(self->parent);
    PyObject_GC_Del(op);
    Py_DECREF(type);
}

static int
group_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op)); /* there is no result */
    Py_VISIT(group_CAST(op)->parent);
    return 0;
}

/* Protocols 0 and 1 would blame the type: it is no attribute of the module. */
static PyObject *
group_reduce(PyObject *op, PyObject *Py_UNUSED(unused))
{
    PyErr_Format(PyExc_TypeError, "cannot pickle '%s' object", Py_TYPE(op)->tp_name);
    return NULL;
}

static PyObject *
group_repr(PyObject *op)
{
    PyObject *parent = (PyObject *)group_CAST(op)->parent;
    PyObject *text = parent != NULL ? gx_groupby_repr(parent) : PyUnicode_FromString("groupby");
    if (text != NULL) {
        Py_SETREF(text, PyUnicode_FromFormat("<group of %U>", text));
    }
    return text;
}

static const gx_protocol group_protocol = {
    .name = "groupby",
    .resume = group_resume,
    .release = group_release,
    .clear = group_clear,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(group_doc,
"The items of one key, read from the source of the groupby that made it.\n\n"
"Empty as soon as the groupby is asked for the next one.");

PyDoc_STRVAR(group_close_doc,
"close($self, /)\n--\n\n"
"Skip to the end of the group; the source is not closed.");

PyDoc_STRVAR(group_reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Raise TypeError: iterators cannot be pickled.");

PyDoc_STRVAR(group_enter_doc,
"__enter__($self, /)\n--\n\n"
"Return the group; the exit skips to its end.");

/* Of two rows of one name the first counts. */
static PyMethodDef group_methods[] = {
    {"close", gx_iterator_close, METH_NOARGS, group_close_doc},
    {"__enter__", gx_iterator_enter, METH_NOARGS, group_enter_doc},
    {"__reduce__", group_reduce, METH_NOARGS, group_reduce_doc},
    GX_ITERATOR_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef group_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef group_members[] = {
    GX_WEAKLIST_MEMBER(group_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot group_slots[] = {
    {Py_tp_doc, (void *)group_doc},
    {Py_tp_dealloc, group_dealloc},
    {Py_tp_traverse, group_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, group_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, group_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, group_methods},
    {Py_tp_getset, group_getset},
    {Py_tp_members, group_members},
    {0, NULL},
};

static PyType_Spec group_spec = {
    .name = "pygenx.groupby_group",
    .basicsize = sizeof(group_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = group_slots,
};

const gx_typedef gx_groupby_group_typedef = {.spec = &group_spec};
