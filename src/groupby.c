/* groupby: (key, group) for each run of items with equal keys, as itertools.groupby;
   the groups are iterators that read the same source. */

#include "groupby.h"

/* -- struct ------------------------------------------------------------- */

static const gx_protocol groupby_protocol;

/* -- construct ---------------------------------------------------------- */

static const char *const groupby_params[] = {"iterable", "key", NULL};
static const gx_signature groupby_signature = {"groupby", groupby_params, 0, 1, 2};

/* The key is not checked here: itertools' first next() raises for a wrong one, and
   its users' tests expect it there. */
static PyObject *
groupby_construct(PyObject *type, PyObject *const *args, size_t nargsf,
                  PyObject *kwnames)
{
    PyObject *out[2];
    if (gx_parse(&groupby_signature, args, nargsf, kwnames, out) < 0) {
        return NULL;
    }
    PyTypeObject *cls = (PyTypeObject *)type;
    gx_state *state = gx_get_state(cls);
    groupby_object *self = groupby_CAST(cls->tp_alloc(cls, 0));
    if (self == NULL) {
        return NULL;
    }
    self->protocol = &groupby_protocol;
    self->source = GX_SOURCE_NONE;
    self->answers = GX_SOURCE_NONE;
    self->breath = GX_BREATH(GX_INTERVAL_NATIVE);
    self->group_type =
        (PyTypeObject *)Py_NewRef((PyObject *)GX_TYPE_OF(state, groupby_group));
    bool keyed = out[1] != NULL && out[1] != Py_None;
    self->key_func = keyed ? gx_callable_of(out[1]) : NULL;
    if ((keyed && self->key_func == NULL) ||
        gx_source_open(state, &self->source, out[0]) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyObject *
groupby_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(groupby_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

/* "groupby(key=str.lower)", NULL with an error. */
static PyObject *
groupby_label(groupby_object *self)
{
    if (self->key_func == NULL) {
        return PyUnicode_FromString("groupby");
    }
    PyObject *key = gx_brief_callable(self->key_func);
    PyObject *label = key != NULL ? PyUnicode_FromFormat("groupby(key=%U)", key) : NULL;
    Py_XDECREF(key);
    return label;
}

/* Note an error at the item with that index; its value is shown if it is known. */
static void
groupby_note(groupby_object *self, Py_ssize_t index, PyObject *item)
{
    PyObject *raised = gx_note_begin();
    if (raised == NULL) {
        return;
    }
    PyObject *label = gx_note_part(groupby_label(self));
    PyObject *value = item != NULL ? gx_brief(item) : NULL;
    const char *colon = value != NULL ? ": " : "";
    gx_note_end(raised, "%V, item %zd%s%V", label, "groupby", index, colon, value, "");
    Py_XDECREF(label);
    Py_XDECREF(value);
}

/* The key function or a comparison raised. Consumes the item; always NULL. */
static PyObject *
groupby_failed(groupby_object *self, const char *what, PyObject *item)
{
    if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyObject *raised = PyErr_GetRaisedException();
        PyObject *label = groupby_label(self);
        PyErr_Clear(); /* of making the label only */
        PyErr_SetRaisedException(raised);
        gx_no_stop_iteration("%s%V", what, label, "groupby");
        Py_XDECREF(label);
    }
    groupby_note(self, self->index - 1, item);
    Py_DECREF(item);
    return NULL;
}

/* The source gave nothing. Having ended it is let go of, closed if owned: 0; -1 for
   an error. After the end it may be called again. */
static int
groupby_ended(groupby_object *self)
{
    PyObject *value;
    if (!gx_ended(&value)) {
        groupby_note(self, self->index, NULL);
        return -1;
    }
    if (value != Py_None) {
        Py_XSETREF(self->result, Py_NewRef(value));
    }
    Py_DECREF(value);
    if (self->owner) {
        return gx_source_close(gx_get_state(Py_TYPE(self)), &self->source);
    }
    gx_source_drop(&self->source);
    return 0;
}

/* Is a key that of the open group? 1, 0 or -1. */
static inline int
groupby_compare(groupby_object *self, PyObject *key)
{
    PyObject *open = self->key;
    return open == NULL ? 0 : gx_same(open, key);
}

/* Steals an item of the source. It comes back if it belongs to the open group; NULL
   if it begins a new one and is kept for that, or with an error. */
static inline PyObject *
groupby_place(groupby_object *self, PyObject *item)
{
    PyObject *func = self->key_func;
    PyObject *args[2] = {NULL, item};
    PyObject *key = func == NULL ? Py_NewRef(item)
                                 : gx_caller_call(&self->caller, (PyObject *)self, func,
                                                  args + 1, 1);
    if (key == NULL) {
        return groupby_failed(self, "", item);
    }
    int same = groupby_compare(self, key);
    if (same == 0) {
        self->next_key = key;
        self->item = item;
        self->ahead = AHEAD_BOUNDARY;
        return NULL;
    }
    Py_DECREF(key);
    return same > 0 ? item : groupby_failed(self, "comparing keys of ", item);
}

/* Take what has been read ahead; an answer to throw() moves up. */
static PyObject *
groupby_take(groupby_object *self)
{
    PyObject *item = self->item;
    self->item = gx_next(&self->answers);
    self->ahead = self->item != NULL ? AHEAD_ANSWER : AHEAD_NOTHING;
    return item;
}

PyObject *
gx_groupby_step(groupby_object *self)
{
    PyObject *item;
    switch (self->ahead) {
    case AHEAD_BOUNDARY:
        return NULL;
    case AHEAD_FIRST:
        return groupby_take(self);
    case AHEAD_ANSWER:
        item = groupby_take(self);
        break;
    default:
        item = gx_next(&self->source);
    }
    if (item == NULL) {
        if (groupby_ended(self) == 0) {
            self->open = NULL;
        }
        return NULL;
    }
    self->index++;
    return groupby_place(self, item);
}

int
gx_groupby_seek(groupby_object *self)
{
    self->open = NULL;
    while (self->ahead != AHEAD_BOUNDARY) {
        PyObject *item = gx_groupby_step(self);
        if (item != NULL) {
            Py_DECREF(item);
            if (gx_tick(&self->breath) < 0) {
                return -1;
            }
        } else if (self->ahead != AHEAD_BOUNDARY) {
            return PyErr_Occurred() ? -1 : 0;
        }
    }
    return 1;
}

/* (key, group) for the item that begins a new group. Nothing changes until all is
   made: after a MemoryError the group is still to come. */
static PyObject *
groupby_pair(groupby_object *self)
{
    PyObject *group = gx_group_new(self);
    PyObject *pair = group != NULL ? PyTuple_New(2) : NULL;
    if (pair == NULL) {
        Py_XDECREF(group);
        return NULL;
    }
    PyObject *old = self->key;
    self->key = self->next_key;
    self->next_key = NULL;
    self->ahead = AHEAD_FIRST;
    self->open = group;
    PyTuple_SET_ITEM(pair, 0, Py_NewRef(self->key));
    PyTuple_SET_ITEM(pair, 1, group);
    Py_XDECREF(old);
    return pair;
}

static int
groupby_keep_answer(groupby_object *self, PyObject *item)
{
    if (self->answers.obj == NULL) {
        PyObject *list = PyList_New(0);
        if (list == NULL) {
            return -1;
        }
        self->answers = (gx_source){.fetch = gx_fetch_list, .obj = list};
    }
    return PyList_Append(self->answers.obj, item);
}

int
gx_groupby_throw(groupby_object *self, PyObject *exc)
{
    PyObject *item;
    gx_state *state = gx_get_state(Py_TYPE(self));
    PySendResult answer = gx_source_throw(state, &self->source, exc, &item);
    if (answer == PYGEN_RETURN) {
        gx_set_stop_iteration(item); /* as if asked: groupby_ended reads it */
        return groupby_ended(self);
    }
    if (answer == PYGEN_ERROR) {
        groupby_note(self, self->index, NULL);
        return -1;
    }
    if (self->ahead == AHEAD_NOTHING) {
        self->item = item;
        self->ahead = AHEAD_ANSWER;
        return 0;
    }
    int rc = groupby_keep_answer(self, item);
    Py_DECREF(item);
    return rc;
}

PySendResult
gx_groupby_refuse_send(void)
{
    PyErr_SetString(PyExc_TypeError, "send() cannot pass through groupby");
    return PYGEN_ERROR;
}

static PySendResult
groupby_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    groupby_object *self = groupby_CAST(op);
    if (how == GX_SEND && value != Py_None) {
        return gx_groupby_refuse_send();
    }
    if (how == GX_THROW && gx_groupby_throw(self, value) < 0) {
        return PYGEN_ERROR;
    }
    int found = gx_groupby_seek(self);
    if (found == 0) {
        *out = Py_NewRef(self->result != NULL ? self->result : Py_None);
        return PYGEN_RETURN;
    }
    *out = found > 0 ? groupby_pair(self) : NULL;
    return *out != NULL ? PYGEN_NEXT : PYGEN_ERROR;
}

/* The next pair, or NULL: with an error, or where gx_iterator_next has to say why.
   It finds the same end again without asking the source. */
static PyObject *
groupby_next_locked(groupby_object *self)
{
    if (self->running || self->ended) {
        return NULL;
    }
    self->started = true;
    self->running = true;
    PyObject *pair = gx_groupby_seek(self) > 0 ? groupby_pair(self) : NULL;
    self->running = false;
    return pair;
}

static PyObject *
groupby_next(PyObject *op)
{
    PyObject *pair;
    Py_BEGIN_CRITICAL_SECTION(op);
    pair = groupby_next_locked(groupby_CAST(op));
    Py_END_CRITICAL_SECTION();
    if (pair != NULL || PyErr_Occurred()) {
        return pair;
    }
    return gx_iterator_next(op);
}

/* -- protocol ----------------------------------------------------------- */

/* All fields are empty before the first reference goes: its end may run anything. */
static int
groupby_release(PyObject *op, bool close)
{
    groupby_object *self = groupby_CAST(op);
    PyObject *owned[] = {self->item, self->key, self->next_key};
    self->item = self->key = self->next_key = NULL;
    self->ahead = AHEAD_NOTHING;
    self->open = NULL;
    int rc = 0;
    if (close) {
        rc = gx_source_close(gx_get_state(Py_TYPE(op)), &self->source);
    } else {
        gx_source_drop(&self->source);
    }
    gx_source_drop(&self->answers);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(owned); i++) {
        Py_XDECREF(owned[i]);
    }
    return rc;
}

static int
groupby_clear(PyObject *op)
{
    groupby_object *self = groupby_CAST(op);
    (void)groupby_release(op, false);
    Py_CLEAR(self->key_func);
    gx_caller_drop(&self->caller);
    gx_group_free_spare(self); /* looks at its type, so that goes last */
    Py_CLEAR(self->group_type);
    return 0;
}

static int
groupby_traverse(PyObject *op, visitproc visit, void *arg)
{
    groupby_object *self = groupby_CAST(op);
    GX_VISIT_ITERATOR(op);
    GX_VISIT_SOURCE(&self->source);
    GX_VISIT_SOURCE(&self->answers);
    Py_VISIT(self->key_func);
    GX_VISIT_CALLER(&self->caller);
    Py_VISIT(self->key);
    Py_VISIT(self->next_key);
    Py_VISIT(self->item);
    Py_VISIT(self->group_type);
    return 0;
}

/* Shared with the groups: how many items are left is known only when none is. */
PyObject *
gx_groupby_length_hint(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return gx_hint_object(gx_iterator_CAST(op)->ended ? 0 : GX_HINT_UNKNOWN);
}

static PyObject *
groupby_repr_locked(groupby_object *self)
{
    PyObject *text = NULL, *key = NULL;
    PyObject *source = gx_source_brief(&self->source);
    if (self->key_func == NULL) {
        text = source != NULL ? PyUnicode_FromFormat("groupby(%U)", source) : NULL;
    } else {
        key = gx_brief_callable(self->key_func);
        text = source != NULL && key != NULL
                   ? PyUnicode_FromFormat("groupby(%U, key=%U)", source, key)
                   : NULL;
    }
    Py_XDECREF(source);
    Py_XDECREF(key);
    return text;
}

PyObject *
gx_groupby_repr(PyObject *op)
{
    PyObject *text;
    Py_BEGIN_CRITICAL_SECTION(op);
    text = groupby_repr_locked(groupby_CAST(op));
    Py_END_CRITICAL_SECTION();
    return text;
}

/* No .note: errors are noted where the item is known. */
static const gx_protocol groupby_protocol = {
    .name = "groupby",
    .resume = groupby_resume,
    .release = groupby_release,
    .clear = groupby_clear,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(groupby_doc,
"groupby(iterable, key=None)\n--\n\n"
"Iterate over (key, group) for each run of adjacent items with equal keys.\n\n"
"key(item) is an item's key, without `key` the item itself. Keys are compared by\n"
"identity, then ==, each item's once. A group reads the same source: when the next\n"
"one is asked for, the rest of it is skipped and it is empty. An error of key or ==\n"
"passes and uses up its item, StopIteration as RuntimeError; the next call goes on.\n"
"As itertools.groupby.\n\n"
">>> [(key, list(group)) for key, group in groupby('aabca')]\n"
"[('a', ['a', 'a']), ('b', ['b']), ('c', ['c']), ('a', ['a'])]");

static PyMethodDef groupby_methods[] = {
    GX_ITERATOR_METHODS,
    {"__length_hint__", gx_groupby_length_hint, METH_NOARGS, gx_length_hint_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef groupby_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef groupby_members[] = {
    GX_WEAKLIST_MEMBER(groupby_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot groupby_slots[] = {
    {Py_tp_doc, (void *)groupby_doc},
    {Py_tp_new, groupby_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, groupby_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, gx_groupby_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, groupby_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, groupby_methods},
    {Py_tp_getset, groupby_getset},
    {Py_tp_members, groupby_members},
    {0, NULL},
};

/* BASETYPE: itertools.groupby may be subclassed, and is. */
static PyType_Spec groupby_spec = {
    .name = "pygenx.groupby",
    .basicsize = sizeof(groupby_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_BASETYPE,
    .slots = groupby_slots,
};

const gx_typedef gx_groupby_typedef = {
    .spec = &groupby_spec,
    .construct = groupby_construct,
    .public = true,
};
