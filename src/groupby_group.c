/* The groups of groupby: each reads the items of one key through its parent. */

#include "groupby.h"

/* -- struct ------------------------------------------------------------- */

/* Small, since one is made for each key, and without the head of other iterators:
   what that would say of a group, its parent knows. A group may read as long as it
   is the parent's `open`; it is running when the parent is. */
typedef struct {
    PyObject_HEAD
    groupby_object *parent; /* owned; never replaced while alive */
    PyObject *weakrefs;
} group_object;

#define group_CAST(op) ((group_object *)(op))

/* -- construct ---------------------------------------------------------- */

/* In a loop over groupby a group dies for each one that is made: its memory goes to
   the parent and from there to the next but one, past malloc and the collector's
   books. Without the GIL the collector finds objects by their memory: not there. */
static group_object *
group_alloc(groupby_object *parent)
{
    void *spare = parent->spare;
    if (spare == NULL) {
        return PyObject_GC_New(group_object, parent->group_type);
    }
    parent->spare = NULL;
    return group_CAST(PyObject_Init(spare, parent->group_type));
}

static void
group_free(PyObject *op, groupby_object *parent)
{
#ifndef Py_GIL_DISABLED
    if (parent != NULL && parent->spare == NULL) {
        parent->spare = op;
        return;
    }
#endif
    PyObject_GC_Del(op);
}

void
gx_group_free_spare(groupby_object *parent)
{
    void *spare = parent->spare;
    parent->spare = NULL;
    if (spare != NULL) {
        PyObject_GC_Del(spare);
    }
}

PyObject *
gx_group_new(groupby_object *parent)
{
    group_object *self = group_alloc(parent);
    if (self == NULL) {
        return NULL;
    }
    self->parent = groupby_CAST(Py_NewRef((PyObject *)parent));
    self->weakrefs = NULL;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

/* -- iterate ------------------------------------------------------------ */

static int
group_refuse_reentry(groupby_object *parent)
{
    if (parent->running) {
        gx_reentrancy((PyObject *)parent, "groupby");
        return -1;
    }
    return 0;
}

static inline PyObject *
group_next_locked(PyObject *op, groupby_object *parent)
{
    if (parent->open != op || group_refuse_reentry(parent) < 0) {
        return NULL;
    }
    parent->running = true;
    PyObject *item = gx_groupby_step(parent);
    parent->running = false;
    return item;
}

static PyObject *
group_next(PyObject *op)
{
    PyObject *item = NULL;
    groupby_object *parent = group_CAST(op)->parent;
    if (parent != NULL) { /* else the collector has cleared it */
        Py_BEGIN_CRITICAL_SECTION(parent);
        item = group_next_locked(op, parent);
        Py_END_CRITICAL_SECTION();
    }
    return item;
}

static PySendResult
group_end(gx_how how, PyObject *value, PyObject **out)
{
    if (how == GX_THROW) {
        PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        return PYGEN_ERROR;
    }
    *out = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

/* An exception that comes back from the source ends the group. */
static int
group_throw(groupby_object *parent, PyObject *exc)
{
    parent->running = true;
    int rc = gx_groupby_throw(parent, exc);
    parent->running = false;
    if (rc < 0) {
        parent->open = NULL;
    }
    return rc;
}

static PySendResult
group_resume_locked(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    groupby_object *parent = group_CAST(op)->parent;
    if (parent->open != op) {
        return group_end(how, value, out);
    }
    if (group_refuse_reentry(parent) < 0) {
        return PYGEN_ERROR;
    }
    if (parent->ahead == AHEAD_BOUNDARY) {
        return group_end(how, value, out);
    }
    if (how == GX_SEND && value != Py_None) {
        return gx_groupby_refuse_send();
    }
    if (how == GX_THROW && group_throw(parent, value) < 0) {
        return PYGEN_ERROR;
    }
    *out = group_next_locked(op, parent);
    if (*out != NULL) {
        return PYGEN_NEXT;
    }
    return PyErr_Occurred() ? PYGEN_ERROR : group_end(GX_NEXT, NULL, out);
}

static PySendResult
group_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    PySendResult answer;
    *out = NULL;
    if (group_CAST(op)->parent == NULL) {
        return group_end(how, value, out);
    }
    Py_BEGIN_CRITICAL_SECTION(group_CAST(op)->parent);
    answer = group_resume_locked(op, how, value, out);
    Py_END_CRITICAL_SECTION();
    return answer;
}

/* -- protocol ----------------------------------------------------------- */

static PySendResult
group_am_send(PyObject *op, PyObject *value, PyObject **out)
{
    return group_resume(op, GX_SEND, value, out);
}

static PyObject *
group_send(PyObject *op, PyObject *value)
{
    PyObject *out;
    PySendResult answer = group_resume(op, GX_SEND, value, &out);
    return gx_item_or_raise(answer, out);
}

static PyObject *
group_throw_method(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *out;
    PyObject *exc = gx_thrown_exception(args, nargs);
    if (exc == NULL) {
        return NULL;
    }
    PySendResult answer = group_resume(op, GX_THROW, exc, &out);
    Py_DECREF(exc);
    return gx_item_or_raise(answer, out);
}

static int
group_skip_locked(PyObject *op, groupby_object *parent)
{
    if (parent->open != op) {
        return 0;
    }
    if (group_refuse_reentry(parent) < 0) {
        return -1;
    }
    parent->running = true;
    int found = gx_groupby_seek(parent);
    parent->running = false;
    return found < 0 ? -1 : 0;
}

/* Closing a group reads it to its end; the source is the parent's to close. */
static PyObject *
group_close(PyObject *op, PyObject *Py_UNUSED(unused))
{
    int rc = 0;
    groupby_object *parent = group_CAST(op)->parent;
    if (parent != NULL) {
        Py_BEGIN_CRITICAL_SECTION(parent);
        rc = group_skip_locked(op, parent);
        Py_END_CRITICAL_SECTION();
    }
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
group_enter(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return Py_NewRef(op);
}

static PyObject *
group_exit(PyObject *op, PyObject *const *Py_UNUSED(args), Py_ssize_t nargs)
{
    if (nargs != 3) {
        PyErr_Format(PyExc_TypeError, "__exit__() takes 3 arguments (%zd given)",
                     nargs);
        return NULL;
    }
    PyObject *closed = group_close(op, NULL);
    if (closed == NULL) {
        return NULL;
    }
    Py_DECREF(closed);
    return Py_NewRef(Py_False);
}

static PyObject *
group_get_result(PyObject *Py_UNUSED(op), void *Py_UNUSED(closure))
{
    return Py_NewRef(Py_None);
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
    PyObject *text =
        parent != NULL ? gx_groupby_repr(parent) : PyUnicode_FromString("groupby");
    if (text != NULL) {
        Py_SETREF(text, PyUnicode_FromFormat("<group of %U>", text));
    }
    return text;
}

/* Nobody compares with a dead group's address: it might be that of a new one. */
static groupby_object *
group_detach(PyObject *op)
{
    groupby_object *parent = group_CAST(op)->parent;
    group_CAST(op)->parent = NULL;
    if (parent != NULL) {
        Py_BEGIN_CRITICAL_SECTION(parent);
        if (parent->open == op) {
            parent->open = NULL;
        }
        Py_END_CRITICAL_SECTION();
    }
    return parent;
}

static int
group_clear(PyObject *op)
{
    Py_XDECREF((PyObject *)group_detach(op));
    return 0;
}

/* No trashcan: between two groups of a deep nest there is a groupby, which has one. */
static void
group_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (group_CAST(op)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    groupby_object *parent = group_detach(op);
    group_free(op, parent);
    Py_XDECREF((PyObject *)parent);
    Py_DECREF(type);
}

static int
group_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(group_CAST(op)->parent);
    return 0;
}

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

PyDoc_STRVAR(group_result_doc,
"None: what the source returned is the groupby's.");

static PyMethodDef group_methods[] = {
    {"send", group_send, METH_O, gx_send_doc},
    {"throw", GX_FASTCALL(group_throw_method), METH_FASTCALL, gx_throw_doc},
    {"close", group_close, METH_NOARGS, group_close_doc},
    {"__enter__", group_enter, METH_NOARGS, group_enter_doc},
    {"__exit__", GX_FASTCALL(group_exit), METH_FASTCALL, gx_exit_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {"__reduce__", group_reduce, METH_NOARGS, group_reduce_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef group_getset[] = {
    {"result", group_get_result, NULL, group_result_doc, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef group_members[] = {
    GX_WEAKLIST_MEMBER(group_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot group_slots[] = {
    {Py_tp_doc, (void *)group_doc},   {Py_tp_dealloc, group_dealloc},
    {Py_tp_traverse, group_traverse}, {Py_tp_clear, group_clear},
    {Py_tp_repr, group_repr},         {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, group_next},     {Py_am_send, group_am_send},
    {Py_tp_methods, group_methods},   {Py_tp_getset, group_getset},
    {Py_tp_members, group_members},   {0, NULL},
};

static PyType_Spec group_spec = {
    .name = "pygenx.groupby_group",
    .basicsize = sizeof(group_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = group_slots,
};

const gx_typedef gx_groupby_group_typedef = {.spec = &group_spec};
