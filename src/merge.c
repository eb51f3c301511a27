/* merge: the items of several sorted iterables in one sorted order, as heapq.merge,
   with the whole generator protocol. */

#include "caller.h"
#include "inputs.h"

/* -- struct ------------------------------------------------------------- */

/* The next item of an input, none where it has not been asked for it or has ended. */
typedef struct {
    PyObject *item; /* owned, or NULL */
    PyObject *key;  /* owned; borrowed from item where there is no key function */
} merge_leaf;

/* A tree of losers over the inputs: they are its leaves, numbered n..2n-1, node p lies
   over the nodes 2p and 2p+1, and tree[p] is the input that lost the match there.
   tree[0] won all its matches. A new item of input i plays against the losers on its
   way up and nobody else: log2(n) comparisons, of which none is repeated. */
typedef struct {
    GX_ITERATOR_HEAD
    gx_inputs inputs;
    merge_leaf *leaves; /* owned block of inputs.n */
    Py_ssize_t *tree;   /* owned block of inputs.n; NOBODY: not all have played yet */
    Py_ssize_t index;   /* input asked next; its leaf holds nothing */
    Py_ssize_t asked;   /* inputs that have played */
    PyObject *key;      /* owned: function, NULL for the items themselves */
    gx_caller caller;
    bool reverse;
    bool over; /* the winner has nothing */
} merge_object;

#define merge_CAST(op) ((merge_object *)(op))

#define NOBODY (-1) /* wins all matches */

static const gx_protocol merge_protocol;
static void merge_note(PyObject *op);

/* -- construct ---------------------------------------------------------- */

enum { MERGE_KEY, MERGE_REVERSE };

static const char *const merge_params[] = {"key", "reverse", NULL};
static const gx_signature merge_signature = {"merge", merge_params, 0, 0, 0};

/* Takes the inputs, whether it succeeds or not. */
static int
merge_fill_in(merge_object *self, gx_inputs *inputs)
{
    Py_ssize_t n = inputs->n;
    self->leaves = PyMem_New(merge_leaf, (size_t)n);
    self->tree = PyMem_New(Py_ssize_t, (size_t)n);
    if (self->leaves == NULL || self->tree == NULL) {
        PyErr_NoMemory();
        gx_inputs_discard(inputs);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        self->leaves[i] = (merge_leaf){NULL, NULL};
        self->tree[i] = NOBODY;
    }
    self->over = n == 0;
    self->inputs = *inputs;
    return 0;
}

static PyObject *
merge_construct(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *out[2];
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (gx_parse(&merge_signature, args + n, 0, kwnames, out) < 0) {
        return NULL;
    }
    int reverse = out[MERGE_REVERSE] ? PyObject_IsTrue(out[MERGE_REVERSE]) : 0;
    if (reverse < 0) {
        return NULL;
    }
    PyObject *key = out[MERGE_KEY] == Py_None ? NULL : Py_XNewRef(out[MERGE_KEY]);
    gx_inputs inputs;
    PyTypeObject *cls = (PyTypeObject *)type;
    if ((key != NULL && gx_as_callable(&key, "key") < 0) ||
        gx_inputs_open(gx_get_state(cls), &inputs, args, n) < 0) {
        Py_XDECREF(key);
        return NULL;
    }
    merge_object *self = merge_CAST(cls->tp_alloc(cls, 0));
    if (self == NULL) {
        Py_XDECREF(key);
        gx_inputs_discard(&inputs);
        return NULL;
    }
    self->protocol = &merge_protocol;
    self->key = key;
    self->reverse = reverse;
    if (merge_fill_in(self, &inputs) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyObject *
merge_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(merge_construct, type, args, kwargs);
}

/* -- iterate: the tree -------------------------------------------------- */

/* Empty a leaf: the fields first, then what they held. */
static void
merge_leave(const merge_object *self, merge_leaf *leaf)
{
    merge_leaf old = *leaf;
    *leaf = (merge_leaf){NULL, NULL};
    Py_XDECREF(old.item);
    if (self->key != NULL) {
        Py_XDECREF(old.key);
    }
}

/* a < b: 1, 0, or -1 with what `<` raised. */
static int
less_than_any(PyObject *a, PyObject *b)
{
    int less = PyObject_RichCompareBool(a, b, Py_LT);
    if (less < 0) {
        gx_no_stop_iteration("'<' of merge");
    }
    return less;
}

/* The same; ints that fit and two of a kind that always knows an answer cost no more
   than they must. */
static inline int
less_than(PyObject *a, PyObject *b)
{
    PyTypeObject *type = Py_TYPE(a);
    if (type != Py_TYPE(b)) {
        return less_than_any(a, b);
    }
    if (type == &PyLong_Type) {
        int over_a, over_b;
        long x = PyLong_AsLongAndOverflow(a, &over_a);
        long y = PyLong_AsLongAndOverflow(b, &over_b);
        if ((over_a | over_b) == 0) {
            return x < y;
        }
    } else if (type == &PyUnicode_Type || type == &PyFloat_Type ||
               type == &PyBytes_Type) {
        PyObject *answer = type->tp_richcompare(a, b, Py_LT); /* True or False */
        bool less = answer == Py_True;
        Py_XDECREF(answer);
        return answer == NULL ? -1 : less;
    }
    return less_than_any(a, b);
}

/* Does the challenger beat the input that lost at a node? 1, 0, -1 error. Of equals
   the earlier input wins; what holds nothing loses. */
static inline int
merge_beats(const merge_object *self, Py_ssize_t challenger, Py_ssize_t loser)
{
    const merge_leaf *new = &self->leaves[challenger], *old = &self->leaves[loser];
    if (new->item == NULL || old->item == NULL) {
        return old->item == NULL;
    }
    bool later = challenger > loser;
    int less = later == self->reverse ? less_than(old->key, new->key)
                                      : less_than(new->key, old->key);
    return less < 0 ? -1 : less == later;
}

/* Input i plays its way up: 0, or -1 with an error and the tree as it was. Bit h of
   `lost` says that at height h the two were exchanged. */
static int
merge_play(merge_object *self, Py_ssize_t i)
{
    Py_ssize_t *tree = self->tree;
    Py_ssize_t leaf = i + self->inputs.n, winner = i;
    uint64_t lost = 0;
    int height = 1, beats = 1;
    for (; leaf >> height > 0 && beats >= 0; height++) {
        Py_ssize_t loser = tree[leaf >> height];
        beats = winner == NOBODY  ? 1
                : loser == NOBODY ? 0
                                  : merge_beats(self, winner, loser);
        if (beats == 0) {
            tree[leaf >> height] = winner;
            winner = loser;
            lost |= (uint64_t)1 << height;
        }
    }
    if (beats >= 0) {
        tree[0] = winner;
        return 0;
    }
    for (; height > 0; height--) {
        if (lost >> height & 1) {
            Py_ssize_t loser = winner;
            winner = tree[leaf >> height];
            tree[leaf >> height] = loser;
        }
    }
    return -1;
}

/* -- iterate: the items -------------------------------------------------- */

/* What the items are compared by: a reference like leaf->key's, or NULL. */
static inline PyObject *
merge_key_of(merge_object *self, PyObject *item)
{
    if (self->key == NULL || item == NULL) {
        return item;
    }
    PyObject *args[2] = {NULL, item};
    PyObject *key =
        gx_caller_call(&self->caller, (PyObject *)self, self->key, args + 1, 1);
    if (key == NULL) {
        gx_no_stop_iteration("key of merge");
    }
    return key;
}

/* The asked input gave an item (stolen), or NULL: it has ended. It plays: 0 there is a
   winner, 1 another input is asked first, -1 error, and the item is consumed. */
static inline int
merge_enter(merge_object *self, PyObject *item)
{
    merge_leaf *leaf = &self->leaves[self->index];
    PyObject *key = merge_key_of(self, item);
    if (key == NULL && item != NULL) {
        Py_DECREF(item);
        return -1;
    }
    *leaf = (merge_leaf){item, key};
    if (merge_play(self, self->index) < 0) {
        merge_leave(self, leaf);
        return -1;
    }
    if (self->asked == self->inputs.n) {
        return 0;
    }
    self->index = ++self->asked;
    return self->asked < self->inputs.n;
}

static int
merge_input_ended(merge_object *self)
{
    gx_state *state = self->owner ? gx_get_state(Py_TYPE(self)) : NULL;
    gx_source *source = &self->inputs.sources[self->index];
    int rc = gx_input_leave(state, source, self->owner);
    return rc < 0 ? rc : merge_enter(self, NULL);
}

/* Ask inputs until all have played: 0, -1 error. */
static int
merge_ask(merge_object *self)
{
    int rc = 1;
    while (rc > 0) {
        PyObject *item = gx_next(&self->inputs.sources[self->index]);
        rc = item != NULL     ? merge_enter(self, item)
             : gx_ended(NULL) ? merge_input_ended(self)
                              : -1;
    }
    return rc;
}

/* The winner's item; NULL: it has none, and nobody has. */
static PyObject *
merge_take(merge_object *self)
{
    self->index = self->tree[0];
    merge_leaf *leaf = &self->leaves[self->index];
    PyObject *item = leaf->item;
    if (item == NULL) {
        self->over = true;
        return NULL;
    }
    Py_INCREF(item);
    merge_leave(self, leaf);
    return item;
}

static PyObject *
merge_next_locked(merge_object *self)
{
    if (self->running || self->over) {
        return NULL;
    }
    PyObject *item = NULL;
    self->started = true;
    self->running = true;
    if (merge_ask(self) == 0) {
        item = merge_take(self);
    } else {
        merge_note((PyObject *)self);
    }
    self->running = false;
    return item;
}

static PyObject *
merge_next(PyObject *op)
{
    PyObject *item;
    Py_BEGIN_CRITICAL_SECTION(op);
    item = merge_next_locked(merge_CAST(op));
    Py_END_CRITICAL_SECTION();
    return item != NULL || PyErr_Occurred() ? item : gx_iterator_next(op);
}

/* The answer to throw() plays for the input that would have been asked: 0, -1. */
static int
merge_throw(merge_object *self, PyObject *exc)
{
    PyObject *item;
    gx_state *state = gx_get_state(Py_TYPE(self));
    PySendResult answer = gx_input_throw(state, &self->inputs, self->index, exc, &item);
    if (answer == PYGEN_ERROR) {
        return -1;
    }
    self->survives = true;
    int rc;
    if (answer == PYGEN_NEXT) {
        rc = merge_enter(self, item);
    } else {
        Py_DECREF(item);
        rc = merge_input_ended(self);
    }
    return rc > 0 ? merge_ask(self) : rc;
}

static PySendResult
merge_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    merge_object *self = merge_CAST(op);
    if (how == GX_SEND && value != Py_None) {
        return gx_refuse_send("merge");
    }
    if (!self->over || how == GX_THROW) {
        int rc = how == GX_THROW ? merge_throw(self, value) : merge_ask(self);
        if (rc < 0) {
            return PYGEN_ERROR;
        }
        *out = merge_take(self);
    }
    if (*out != NULL) {
        return PYGEN_NEXT;
    }
    *out = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

/* -- protocol ----------------------------------------------------------- */

static int
merge_clear(PyObject *op)
{
    merge_object *self = merge_CAST(op);
    self->over = true;
    for (Py_ssize_t i = 0; i < self->inputs.n; i++) {
        merge_leave(self, &self->leaves[i]);
    }
    Py_CLEAR(self->key);
    gx_caller_drop(&self->caller);
    return gx_inputs_release(NULL, &self->inputs, false);
}

static int
merge_release(PyObject *op, bool close)
{
    gx_state *state = gx_get_state(Py_TYPE(op));
    int rc = gx_inputs_release(state, &merge_CAST(op)->inputs, close);
    PyObject *error = rc < 0 ? PyErr_GetRaisedException() : NULL;
    (void)merge_clear(op);
    return gx_raise_collected(error);
}

static void
merge_forget(PyObject *op)
{
    PyMem_Free(merge_CAST(op)->leaves);
    PyMem_Free(merge_CAST(op)->tree);
    gx_inputs_free(&merge_CAST(op)->inputs);
}

static int
merge_traverse(PyObject *op, visitproc visit, void *arg)
{
    merge_object *self = merge_CAST(op);
    GX_VISIT_ITERATOR(op);
    Py_VISIT(self->key);
    GX_VISIT_CALLER(&self->caller);
    for (Py_ssize_t i = 0; i < self->inputs.n; i++) {
        Py_VISIT(self->leaves[i].item);
        if (self->key != NULL) {
            Py_VISIT(self->leaves[i].key);
        }
    }
    return gx_inputs_traverse(&self->inputs, visit, arg);
}

static void
merge_note(PyObject *op)
{
    gx_note("merge, input %zd", merge_CAST(op)->index);
}

/* What waits in the leaves, and what the inputs have left. */
static PyObject *
merge_length_hint(PyObject *op, PyObject *Py_UNUSED(unused))
{
    Py_ssize_t hint;
    merge_object *self = merge_CAST(op);
    Py_BEGIN_CRITICAL_SECTION(op);
    hint = gx_inputs_hint(&self->inputs);
    for (Py_ssize_t i = 0; i < self->inputs.n; i++) {
        hint = gx_add_hints(hint, self->leaves[i].item != NULL);
    }
    Py_END_CRITICAL_SECTION();
    return gx_hint_object(hint);
}

static PyObject *
merge_repr(PyObject *op)
{
    PyObject *text;
    Py_BEGIN_CRITICAL_SECTION(op);
    text = gx_inputs_brief("merge", &merge_CAST(op)->inputs);
    Py_END_CRITICAL_SECTION();
    return text;
}

static const gx_protocol merge_protocol = {
    .name = "merge",
    .resume = merge_resume,
    .release = merge_release,
    .clear = merge_clear,
    .forget = merge_forget,
    .note = merge_note,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(merge_doc,
"merge(*iterables, key=None, reverse=False)\n--\n\n"
"Iterate over the items of several sorted iterables in one sorted order.\n\n"
"Of equal items that of the earlier iterable comes first. key is called once for\n"
"each item; with reverse all run from large to small. One item of each iterable is\n"
"read ahead. throw() goes to the one asked next; send() of a value is a TypeError.\n"
"Items are compared by `<` alone, and an error of it, or of key, consumes the new\n"
"item. As heapq.merge.\n\n"
">>> list(merge([1, 4], [2, 3, 5]))\n"
"[1, 2, 3, 4, 5]");

static PyMethodDef merge_methods[] = {
    GX_ITERATOR_METHODS,
    {"__length_hint__", merge_length_hint, METH_NOARGS, gx_length_hint_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef merge_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef merge_members[] = {
    GX_WEAKLIST_MEMBER(merge_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot merge_slots[] = {
    {Py_tp_doc, (void *)merge_doc},
    {Py_tp_new, merge_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, merge_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, merge_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, merge_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, merge_methods},
    {Py_tp_getset, merge_getset},
    {Py_tp_members, merge_members},
    {0, NULL},
};

static PyType_Spec merge_spec = {
    .name = "pygenx.merge",
    .basicsize = sizeof(merge_object),
    .flags = GX_TYPE_FLAGS,
    .slots = merge_slots,
};

const gx_typedef gx_merge_typedef = {
    .spec = &merge_spec,
    .construct = merge_construct,
    .public = true,
};
