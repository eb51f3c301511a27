/* grouping: a push object that gathers the items it is sent into groups of equal
   adjacent keys; each finished group is a tuple (key, items). */

#include "caller.h"
#include "sink.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    gx_sink sink;     /* where finished groups go; nothing open without one */
    PyObject *key_of; /* owned; NULL: each item brings its own */
    gx_caller caller; /* of key_of */
    PyObject *fold;   /* owned; NULL: the items of a group are kept in a list */
    PyObject *init;   /* owned; NULL: the first item is the first value */
    PyObject *key;    /* owned: of the open group; NULL exactly when there is none */
    PyObject *value;  /* owned: its list, or what fold has made of its items */
    PyObject *ready;  /* owned list: groups to be iterated over; NULL: not kept */
    Py_ssize_t taken; /* so many at the front of `ready` have been: None is there now */
    Py_ssize_t index; /* items sent so far */
    bool primed;      /* next() has been called before the first item */
} grouping_object;

#define grouping_CAST(op) ((grouping_object *)(op))

/* Places already taken from `ready` are given back from this many on. */
#define MIN_TAKEN 64

static const gx_protocol grouping_protocol;

/* -- construct ---------------------------------------------------------- */

enum { ARG_KEY, ARG_SINK, ARG_KEEP, ARG_FOLD, ARG_INIT, N_ARGS };

static const char *const grouping_params[] = {"key",  "sink", "keep",
                                              "fold", "init", NULL};
static const gx_signature grouping_signature = {"grouping", grouping_params, 0, 0, 1};

/* NULL where None stands for "not given"; 0, or -1 with a TypeError. */
static int
grouping_check(PyObject **given)
{
    for (int i = ARG_KEY; i <= ARG_FOLD; i++) {
        given[i] = given[i] == Py_None ? NULL : given[i];
    }
    if (given[ARG_FOLD] &&
        gx_check_callable(given[ARG_FOLD], "grouping() argument 'fold'") < 0) {
        return -1;
    }
    if (given[ARG_INIT] && !given[ARG_FOLD]) {
        PyErr_SetString(PyExc_TypeError, "grouping() argument 'init' needs 'fold'");
        return -1;
    }
    return 0;
}

static PyObject *
grouping_construct(PyObject *type, PyObject *const *args, size_t nargsf,
                   PyObject *kwnames)
{
    PyObject *given[N_ARGS];
    PyTypeObject *cls = (PyTypeObject *)type;
    if (gx_parse(&grouping_signature, args, nargsf, kwnames, given) < 0 ||
        grouping_check(given) < 0) {
        return NULL;
    }
    int keep = given[ARG_KEEP] ? PyObject_IsTrue(given[ARG_KEEP]) : !given[ARG_SINK];
    grouping_object *self = keep < 0 ? NULL : grouping_CAST(cls->tp_alloc(cls, 0));
    if (self == NULL) {
        return NULL;
    }
    self->protocol = &grouping_protocol;
    self->sink = GX_SINK_NONE;
    self->started = true; /* primed: the first item may be sent at once */
    self->key_of = Py_XNewRef(given[ARG_KEY]);
    self->fold = Py_XNewRef(given[ARG_FOLD]);
    self->init = Py_XNewRef(given[ARG_INIT]);
    self->ready = keep ? PyList_New(0) : NULL;
    if ((keep && self->ready == NULL) ||
        (self->key_of &&
         gx_as_callable(&self->key_of, "grouping() argument 'key'") < 0) ||
        (given[ARG_SINK] &&
         gx_sink_open(gx_get_state(cls), &self->sink, given[ARG_SINK],
                      "grouping() argument 'sink'") < 0)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *
grouping_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(grouping_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

/* All of this runs under `running`: the fields are replaced by nobody else, whatever
   the key function, __eq__, fold and sink do. Only grouping_begin changes several of
   them, after everything that can fail. */

static PyObject *
grouping_fold(grouping_object *self, PyObject *value, PyObject *item)
{
    PyObject *args[3] = {NULL, value, item};
    return gx_call_func(self->fold, args + 1, 2);
}

/* What a group of one item holds. */
static PyObject *
grouping_first(grouping_object *self, PyObject *item)
{
    if (self->fold != NULL) {
        return self->init != NULL ? grouping_fold(self, self->init, item)
                                  : Py_NewRef(item);
    }
    PyObject *items = PyList_New(0); /* appending leaves room for some more */
    if (items != NULL && PyList_Append(items, item) < 0) {
        Py_CLEAR(items);
    }
    return items;
}

static int
grouping_extend(grouping_object *self, PyObject *item)
{
    if (self->fold == NULL) {
        return PyList_Append(self->value, item);
    }
    PyObject *value = grouping_fold(self, self->value, item);
    if (value == NULL) {
        return -1;
    }
    Py_SETREF(self->value, value);
    return 0;
}

/* The open group as it is handed out, queued where groups are kept. */
static PyObject *
grouping_finished(grouping_object *self)
{
    PyObject *group = PyTuple_Pack(2, self->key, self->value);
    if (group != NULL && self->ready != NULL && PyList_Append(self->ready, group) < 0) {
        Py_CLEAR(group);
    }
    return group;
}

/* Open a group for `item`; *finished (owned) is the one before, if any. */
static int
grouping_begin(grouping_object *self, PyObject *key, PyObject *item,
               PyObject **finished)
{
    PyObject *old_key = self->key, *old_value = self->value;
    PyObject *value = grouping_first(self, item);
    if (value == NULL) {
        return -1;
    }
    if (old_key != NULL && (*finished = grouping_finished(self)) == NULL) {
        Py_DECREF(value);
        return -1;
    }
    self->key = Py_NewRef(key);
    self->value = value;
    Py_XDECREF(old_key); /* the finished group holds both: no user code runs */
    Py_XDECREF(old_value);
    return 0;
}

/* The open key is held on its own: an __eq__ that answers NotImplemented makes the
   interpreter ask the other key, after having run anything at all. */
static int
grouping_add(grouping_object *self, PyObject *key_of, PyObject *item,
             PyObject **finished)
{
    int rc, same = 0;
    PyObject *args[2] = {NULL, item};
    PyObject *key =
        key_of == self->key_of
            ? gx_caller_call(&self->caller, (PyObject *)self, key_of, args + 1, 1)
            : gx_call_func(key_of, args + 1, 1);
    if (key == NULL) {
        return -1;
    }
    if (self->key != NULL) {
        PyObject *open = Py_NewRef(self->key);
        same = PyObject_RichCompareBool(open, key, Py_EQ);
        Py_DECREF(open);
    }
    if (same < 0) {
        rc = -1;
    } else {
        rc = same ? grouping_extend(self, item)
                  : grouping_begin(self, key, item, finished);
    }
    Py_DECREF(key);
    return rc;
}

/* Take apart what is sent where no key was given; both borrowed from `pair`. */
static int
grouping_unpack(PyObject *pair, PyObject **item, PyObject **key_of)
{
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyObject *given = gx_brief(pair);
        if (given != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "a grouping without a key is sent tuples (item, key "
                         "function), not %U",
                         given);
            Py_DECREF(given);
        }
        return -1;
    }
    *item = PyTuple_GET_ITEM(pair, 0);
    *key_of = PyTuple_GET_ITEM(pair, 1);
    return gx_check_callable(*key_of, "the key function sent with an item");
}

static PySendResult
grouping_pass_on(grouping_object *self, PyObject *group, PyObject **out)
{
    return self->sink.deliver(gx_get_state(Py_TYPE(self)), &self->sink, group, out);
}

static PySendResult
grouping_take(grouping_object *self, PyObject *item, PyObject **out)
{
    PyObject *finished = NULL, *key_of = self->key_of;
    PySendResult answer = PYGEN_NEXT;
    Py_ssize_t index = self->index++;
    if (key_of == NULL && grouping_unpack(item, &item, &key_of) < 0) {
        return PYGEN_ERROR;
    }
    if (grouping_add(self, key_of, item, &finished) < 0) {
        answer = PYGEN_ERROR;
    } else if (finished != NULL && self->sink.target != NULL) {
        answer = grouping_pass_on(self, finished, out);
    }
    if (answer == PYGEN_NEXT) {
        *out = finished != NULL ? finished : Py_NewRef(Py_None);
        return PYGEN_NEXT;
    }
    if (answer == PYGEN_ERROR) {
        gx_push_failed("grouping(key=%U)", key_of, index, item);
    }
    Py_XDECREF(finished);
    return answer;
}

static PySendResult
grouping_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    grouping_object *self = grouping_CAST(op);
    if (how != GX_THROW) {
        return grouping_take(self, value, out);
    }
    PySendResult answer =
        gx_sink_throw(gx_get_state(Py_TYPE(op)), &self->sink, value, out);
    if (answer == PYGEN_NEXT) {
        Py_SETREF(*out, Py_NewRef(Py_None)); /* the sink's answer is no group */
    }
    return answer;
}

/* The next group that is ready, or NULL. The place it leaves is kept until many
   have been left, so that taking one costs the same however many wait. */
static PyObject *
grouping_pop(grouping_object *self)
{
    Py_ssize_t size = self->ready != NULL ? PyList_GET_SIZE(self->ready) : 0;
    if (self->taken >= size) {
        return NULL;
    }
    assert(self->ready != NULL);
    PyObject *group = Py_NewRef(PyList_GET_ITEM(self->ready, self->taken));
    if (PyList_SetItem(self->ready, self->taken, Py_NewRef(Py_None)) < 0) {
        Py_DECREF(group);
        return NULL;
    }
    self->taken++;
    if (self->taken == size || (self->taken >= MIN_TAKEN && self->taken > size / 2)) {
        Py_ssize_t taken = self->taken;
        self->taken = 0;
        if (PyList_SetSlice(self->ready, 0, taken, NULL) < 0) {
            Py_CLEAR(group);
        }
    }
    return group;
}

static PyObject *
grouping_next_locked(grouping_object *self)
{
    if (self->running) {
        gx_reentrancy((PyObject *)self, "grouping");
        return NULL;
    }
    PyObject *group = grouping_pop(self);
    if (group != NULL || self->ended || PyErr_Occurred()) {
        return group;
    }
    if (self->index == 0 && !self->primed) {
        self->primed = true;
        return Py_NewRef(Py_None);
    }
    PyErr_SetString(PyExc_RuntimeError,
                    "no group is ready and the grouping is still open: send() it more "
                    "items, or close() it to end the last group");
    return NULL;
}

static PyObject *
grouping_next(PyObject *op)
{
    PyObject *group;
    Py_BEGIN_CRITICAL_SECTION(op);
    group = grouping_next_locked(grouping_CAST(op));
    Py_END_CRITICAL_SECTION();
    return group;
}

/* -- protocol ----------------------------------------------------------- */

/* The open group and those that are ready stay readable. */
static int
grouping_release(PyObject *op, bool close)
{
    grouping_object *self = grouping_CAST(op);
    PyObject *result = NULL;
    int rc = 0;
    if (close) {
        rc = gx_sink_finish(gx_get_state(Py_TYPE(op)), &self->sink, &result);
        Py_XDECREF(result);
    }
    gx_sink_drop(&self->sink);
    Py_CLEAR(self->key_of);
    gx_caller_drop(&self->caller);
    Py_CLEAR(self->fold);
    Py_CLEAR(self->init);
    return rc;
}

static int
grouping_clear(PyObject *op)
{
    grouping_object *self = grouping_CAST(op);
    Py_CLEAR(self->key);
    Py_CLEAR(self->value);
    Py_CLEAR(self->ready);
    return grouping_release(op, false);
}

static int
grouping_traverse(PyObject *op, visitproc visit, void *arg)
{
    grouping_object *self = grouping_CAST(op);
    GX_VISIT_ITERATOR(op);
    GX_VISIT_SINK(&self->sink);
    Py_VISIT(self->key_of);
    GX_VISIT_CALLER(&self->caller);
    Py_VISIT(self->fold);
    Py_VISIT(self->init);
    Py_VISIT(self->key);
    Py_VISIT(self->value);
    Py_VISIT(self->ready);
    return 0;
}

/* Take the open group; hand it on. *group (owned) is NULL if there is none. */
static int
grouping_flush(grouping_object *self, PyObject **group)
{
    PyObject *result = NULL;
    if (self->key == NULL) {
        return 0;
    }
    *group = grouping_finished(self);
    if (*group == NULL) {
        return -1;
    }
    Py_CLEAR(self->key);
    Py_CLEAR(self->value);
    if (self->sink.target == NULL) {
        return 0;
    }
    PySendResult answer = grouping_pass_on(self, *group, &result);
    if (answer == PYGEN_RETURN) { /* it wanted no more: as finished as it can be */
        Py_XSETREF(self->result, result);
        gx_sink_drop(&self->sink);
    }
    return answer == PYGEN_ERROR ? -1 : 0;
}

static int
grouping_finish_sink(grouping_object *self)
{
    PyObject *result;
    if (self->sink.target == NULL) {
        return 0;
    }
    if (gx_sink_finish(gx_get_state(Py_TYPE(self)), &self->sink, &result) < 0) {
        return -1;
    }
    Py_XSETREF(self->result, result);
    return 0;
}

static PyObject *
grouping_close_locked(grouping_object *self)
{
    PyObject *group = NULL, *error = NULL;
    if (self->running) {
        gx_reentrancy((PyObject *)self, "grouping");
        return NULL;
    }
    if (self->ended) {
        return Py_NewRef(Py_None);
    }
    self->ended = true;
    self->running = true;
    gx_collect_error(grouping_flush(self, &group), &error);
    gx_collect_error(grouping_finish_sink(self), &error);
    gx_collect_error(gx_iterator_finish((PyObject *)self, false), &error);
    if (gx_raise_collected(error) < 0) {
        Py_XDECREF(group);
        return NULL;
    }
    return group != NULL ? group : Py_NewRef(Py_None);
}

static PyObject *
grouping_close(PyObject *op, PyObject *Py_UNUSED(unused))
{
    PyObject *group;
    Py_BEGIN_CRITICAL_SECTION(op);
    group = grouping_close_locked(grouping_CAST(op));
    Py_END_CRITICAL_SECTION();
    return group;
}

static PyObject *
grouping_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    return gx_push_exit(op, args, nargs, grouping_close);
}

/* References first: making the tuple may run the collector, and that anything. */
static PyObject *
grouping_get_current(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *key, *value;
    Py_BEGIN_CRITICAL_SECTION(op);
    key = Py_XNewRef(grouping_CAST(op)->key);
    value = Py_XNewRef(grouping_CAST(op)->value);
    Py_END_CRITICAL_SECTION();
    if (key == NULL || value == NULL) {
        Py_XDECREF(key);
        Py_XDECREF(value);
        return Py_NewRef(Py_None);
    }
    PyObject *current = PyTuple_Pack(2, key, value);
    Py_DECREF(key);
    Py_DECREF(value);
    return current;
}

static PyObject *
grouping_repr(PyObject *op)
{
    PyObject *key_of;
    bool ended;
    Py_BEGIN_CRITICAL_SECTION(op);
    key_of = Py_XNewRef(grouping_CAST(op)->key_of);
    ended = grouping_CAST(op)->ended;
    Py_END_CRITICAL_SECTION();
    if (key_of == NULL) {
        return PyUnicode_FromString(ended ? "grouping(<ended>)" : "grouping()");
    }
    PyObject *name = gx_brief_callable(key_of);
    PyObject *repr = name ? PyUnicode_FromFormat("grouping(key=%U)", name) : NULL;
    Py_XDECREF(name);
    Py_DECREF(key_of);
    return repr;
}

static const gx_protocol grouping_protocol = {
    .name = "grouping",
    .resume = grouping_resume,
    .release = grouping_release,
    .clear = grouping_clear,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(grouping_doc,
"grouping(key=None, *, sink=None, keep=None, fold=None, init=...)\n--\n\n"
"A coroutine that groups what it is sent: send(item) returns the finished group\n"
"(key, items) when the key changes, else None; close() ends the last group and\n"
"returns it.\n\n"
"It takes items at once, without a first next(). Without a key each send() takes a\n"
"tuple (item, key function). Keys are the same if they are identical or equal.\n"
"Finished groups are kept, and iterating takes them; with a sink, anything with\n"
"send() or a function, they go there instead (keep says otherwise) and close() closes\n"
"it. With fold a group holds a running value, fold(value, item), instead of a list.\n"
"An error of the key leaves the item out and the open group, readable as .current,\n"
"as it was. itertools.groupby, driven from outside.\n\n"
">>> lengths = grouping(len)\n"
">>> [lengths.send(word) for word in ('to', 'be', 'or', 'not', 'to')]\n"
"[None, None, None, (2, ['to', 'be', 'or']), (3, ['not'])]\n"
">>> lengths.close()\n"
"(2, ['to'])\n"
">>> list(lengths)\n"
"[(2, ['to', 'be', 'or']), (3, ['not']), (2, ['to'])]");

PyDoc_STRVAR(grouping_send_doc,
"send($self, item, /)\n--\n\n"
"Add an item; return the group it has ended, or None.\n\n"
"Without a key: send((item, key function)). An error of the sink passes, the item is\n"
"in the new group then. StopIteration after the end, also that of the sink.");

PyDoc_STRVAR(grouping_close_doc,
"close($self, /)\n--\n\n"
"End the last group and return it, None if there is none; close the sink.");

static PyMethodDef grouping_methods[] = {
    {"send", gx_iterator_send, METH_O, grouping_send_doc},
    {"throw", GX_FASTCALL(gx_iterator_throw), METH_FASTCALL, gx_push_throw_doc},
    {"close", grouping_close, METH_NOARGS, grouping_close_doc},
    {"__enter__", gx_push_enter, METH_NOARGS, gx_push_enter_doc},
    {"__exit__", GX_FASTCALL(grouping_exit), METH_FASTCALL, gx_push_exit_doc},
    {"__reduce__", gx_iterator_reduce, METH_NOARGS, gx_reduce_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef grouping_getset[] = {
    {"current", grouping_get_current, NULL,
     "The open group as (key, items), the list being the one that grows; None without.",
     NULL},
    {"result", gx_iterator_get_result, NULL,
     "What the sink returned, readable after the end; None before and without a sink.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef grouping_members[] = {
    GX_WEAKLIST_MEMBER(grouping_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot grouping_slots[] = {
    {Py_tp_doc, (void *)grouping_doc},
    {Py_tp_new, grouping_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, grouping_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, grouping_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, grouping_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, grouping_methods},
    {Py_tp_getset, grouping_getset},
    {Py_tp_members, grouping_members},
    {0, NULL},
};

static PyType_Spec grouping_spec = {
    .name = "pygenx.grouping",
    .basicsize = sizeof(grouping_object),
    .flags = GX_TYPE_FLAGS,
    .slots = grouping_slots,
};

const gx_typedef gx_grouping_typedef = {
    .spec = &grouping_spec,
    .construct = grouping_construct,
    .public = true,
};
