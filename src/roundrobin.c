/* roundrobin: one item of each iterable in turn, passing over those that have ended,
   as more_itertools.roundrobin, with the whole generator protocol. */

#include "inputs.h"

/* -- struct ------------------------------------------------------------- */

/* The inputs that have not ended form a ring: after[i] is whose turn it is after i. */
typedef struct {
    GX_ITERATOR_HEAD
    gx_inputs inputs;
    Py_ssize_t *after; /* owned block of inputs.n */
    Py_ssize_t turn;   /* input asked next, if there is any */
    Py_ssize_t before; /* the one before it in the ring */
    Py_ssize_t left;   /* inputs in the ring */
} roundrobin_object;

#define roundrobin_CAST(op) ((roundrobin_object *)(op))

static const gx_protocol roundrobin_protocol;
static void roundrobin_note(PyObject *op);

/* -- construct ---------------------------------------------------------- */

/* Takes the inputs, whether it succeeds or not. */
static int
roundrobin_fill_in(roundrobin_object *self, gx_inputs *inputs)
{
    Py_ssize_t n = inputs->n;
    self->after = PyMem_New(Py_ssize_t, (size_t)n);
    if (self->after == NULL) {
        PyErr_NoMemory();
        gx_inputs_discard(inputs);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        self->after[i] = i + 1 < n ? i + 1 : 0;
    }
    self->before = n - 1;
    self->left = n;
    self->inputs = *inputs;
    return 0;
}

static PyObject *
roundrobin_construct(PyObject *type, PyObject *const *args, size_t nargsf,
                     PyObject *kwnames)
{
    if (gx_no_keywords("roundrobin", kwnames) < 0) {
        return NULL;
    }
    gx_inputs inputs;
    PyTypeObject *cls = (PyTypeObject *)type;
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (gx_inputs_open(gx_get_state(cls), &inputs, args, n) < 0) {
        return NULL;
    }
    roundrobin_object *self = roundrobin_CAST(cls->tp_alloc(cls, 0));
    if (self == NULL) {
        gx_inputs_discard(&inputs);
        return NULL;
    }
    self->protocol = &roundrobin_protocol;
    self->started = true; /* send() says itself why it cannot */
    if (roundrobin_fill_in(self, &inputs) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyObject *
roundrobin_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(roundrobin_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

static inline void
roundrobin_step(roundrobin_object *self)
{
    self->before = self->turn;
    self->turn = self->after[self->turn];
}

/* The input whose turn it is has ended: it leaves the ring when its end has run what it
   runs, so that a list whose turn it is proves that nothing is running. */
static int
roundrobin_leave(roundrobin_object *self)
{
    gx_state *state = self->owner ? gx_get_state(Py_TYPE(self)) : NULL;
    int rc = gx_input_leave(state, &self->inputs.sources[self->turn], self->owner);
    self->after[self->before] = self->turn = self->after[self->turn];
    self->left--;
    return rc;
}

/* The next item; NULL with an error, or at the end of all. An error leaves the turn
   where it is. */
static PyObject *
roundrobin_take(roundrobin_object *self)
{
    while (self->left > 0) {
        PyObject *item = gx_input_next(&self->inputs.sources[self->turn]);
        if (item != NULL) {
            roundrobin_step(self);
            return item;
        }
        if (!gx_ended(NULL) || roundrobin_leave(self) < 0) {
            return NULL;
        }
    }
    return NULL;
}

/* With an error, or to see what comes after an input that has ended. */
static Py_NO_INLINE PyObject *
roundrobin_next_after_none(roundrobin_object *self)
{
    self->running = true;
    bool ended = gx_ended(NULL);
    PyObject *item =
        ended && roundrobin_leave(self) == 0 ? roundrobin_take(self) : NULL;
    if (item == NULL && PyErr_Occurred()) {
        roundrobin_note((PyObject *)self);
    }
    self->running = false;
    return item;
}

/* NULL: with an error, at the end of all, or when it is running already. */
static inline PyObject *
roundrobin_next_locked(roundrobin_object *self)
{
    if (self->running || self->left == 0) {
        return NULL;
    }
    self->running = true;
    PyObject *item = gx_input_next(&self->inputs.sources[self->turn]);
    self->running = false;
    if (item == NULL) {
        return roundrobin_next_after_none(self);
    }
    roundrobin_step(self);
    return item;
}

static Py_NO_INLINE PyObject *
roundrobin_next_of_any(PyObject *op)
{
    PyObject *item;
    Py_BEGIN_CRITICAL_SECTION(op);
    item = roundrobin_next_locked(roundrobin_CAST(op));
    Py_END_CRITICAL_SECTION();
    return item != NULL || PyErr_Occurred() ? item : gx_iterator_next(op);
}

#ifndef Py_GIL_DISABLED
/* What the input whose turn it is answered. */
static inline PyObject *
roundrobin_pass(PyObject *op, PyObject *item)
{
    roundrobin_object *self = roundrobin_CAST(op);
    if (item != NULL) {
        roundrobin_step(self);
        return item;
    }
    item = roundrobin_next_after_none(self);
    return item != NULL || PyErr_Occurred() ? item : gx_iterator_next(op);
}

/* The end of a leaf, too, may run user code: it lets go of its container. */
static Py_NO_INLINE PyObject *
roundrobin_next_of_shallow(PyObject *op)
{
    roundrobin_object *self = roundrobin_CAST(op);
    PyObject *it = self->inputs.sources[self->turn].obj;
    if (self->running) {
        return gx_iterator_next(op);
    }
    self->running = true;
    PyObject *item = Py_TYPE(it)->tp_iternext(it);
    self->running = false;
    return roundrobin_pass(op, item);
}

/* Ranges run no user code: that one is open proves that nothing is running. */
static Py_NO_INLINE PyObject *
roundrobin_next_of_range(PyObject *op)
{
    roundrobin_object *self = roundrobin_CAST(op);
    return roundrobin_pass(op, gx_fetch_range(&self->inputs.sources[self->turn]));
}
#endif

/* Lists first of all, in a function without a frame of its own. */
static PyObject *
roundrobin_next(PyObject *op)
{
#ifndef Py_GIL_DISABLED
    roundrobin_object *self = roundrobin_CAST(op);
    gx_source *source = &self->inputs.sources[self->turn];
    if (source->fetch == gx_fetch_list) {
        Py_ssize_t index = source->index;
        if (index < PyList_GET_SIZE(source->obj)) {
            source->index = index + 1;
            roundrobin_step(self);
            return Py_NewRef(PyList_GET_ITEM(source->obj, index));
        }
    } else if (source->fetch == gx_fetch_shallow || source->fetch == gx_fetch_leaf) {
        return roundrobin_next_of_shallow(op);
    } else if (source->fetch == gx_fetch_range) {
        return roundrobin_next_of_range(op);
    }
#endif
    return roundrobin_next_of_any(op);
}

static PySendResult
roundrobin_throw(roundrobin_object *self, PyObject *exc, PyObject **out)
{
    gx_state *state = gx_get_state(Py_TYPE(self));
    PySendResult answer = gx_input_throw(state, &self->inputs, self->turn, exc, out);
    if (answer == PYGEN_NEXT) {
        roundrobin_step(self);
    } else if (answer == PYGEN_RETURN) {
        self->survives = true;
        Py_CLEAR(*out);
        return roundrobin_leave(self) < 0 ? PYGEN_ERROR : PYGEN_RETURN;
    }
    return answer;
}

static PySendResult
roundrobin_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    roundrobin_object *self = roundrobin_CAST(op);
    if (how == GX_SEND && value != Py_None) {
        return gx_refuse_send("roundrobin");
    }
    if (how == GX_THROW) {
        PySendResult answer = roundrobin_throw(self, value, out);
        if (answer != PYGEN_RETURN) {
            return answer;
        }
    }
    *out = roundrobin_take(self);
    if (*out != NULL) {
        return PYGEN_NEXT;
    }
    if (PyErr_Occurred()) {
        return PYGEN_ERROR;
    }
    *out = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

/* -- protocol ----------------------------------------------------------- */

/* Open lists and ranges would say that nothing is running: they shut first. */
static int
roundrobin_release(PyObject *op, bool close)
{
    roundrobin_object *self = roundrobin_CAST(op);
    self->left = 0;
    for (Py_ssize_t i = 0; i < self->inputs.n; i++) {
        gx_source *source = &self->inputs.sources[i];
        if (source->fetch == gx_fetch_list || source->fetch == gx_fetch_range) {
            source->fetch = gx_fetch_none;
        }
    }
    return gx_inputs_release(gx_get_state(Py_TYPE(op)), &self->inputs, close);
}

static int
roundrobin_clear(PyObject *op)
{
    roundrobin_CAST(op)->left = 0;
    return gx_inputs_release(NULL, &roundrobin_CAST(op)->inputs, false);
}

static void
roundrobin_forget(PyObject *op)
{
    PyMem_Free(roundrobin_CAST(op)->after);
    gx_inputs_free(&roundrobin_CAST(op)->inputs);
}

static int
roundrobin_traverse(PyObject *op, visitproc visit, void *arg)
{
    GX_VISIT_ITERATOR(op);
    return gx_inputs_traverse(&roundrobin_CAST(op)->inputs, visit, arg);
}

static void
roundrobin_note(PyObject *op)
{
    gx_note("roundrobin, input %zd", roundrobin_CAST(op)->turn);
}

static PyObject *
roundrobin_length_hint(PyObject *op, PyObject *Py_UNUSED(unused))
{
    Py_ssize_t hint;
    Py_BEGIN_CRITICAL_SECTION(op);
    hint = gx_inputs_hint(&roundrobin_CAST(op)->inputs);
    Py_END_CRITICAL_SECTION();
    return gx_hint_object(hint);
}

static PyObject *
roundrobin_repr(PyObject *op)
{
    PyObject *text;
    Py_BEGIN_CRITICAL_SECTION(op);
    text = gx_inputs_brief("roundrobin", &roundrobin_CAST(op)->inputs);
    Py_END_CRITICAL_SECTION();
    return text;
}

static const gx_protocol roundrobin_protocol = {
    .name = "roundrobin",
    .resume = roundrobin_resume,
    .release = roundrobin_release,
    .clear = roundrobin_clear,
    .forget = roundrobin_forget,
    .note = roundrobin_note,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(roundrobin_doc,
"roundrobin(*iterables)\n--\n\n"
"Iterate over one item of each iterable in turn, passing over those that have ended.\n\n"
"An error of one leaves the others, and its turn, as they are. throw() goes to the\n"
"one whose turn it is; send() of a value is a TypeError. As\n"
"more_itertools.roundrobin.\n\n"
">>> list(roundrobin('abc', 'd', 'ef'))\n"
"['a', 'd', 'e', 'b', 'f', 'c']");

static PyMethodDef roundrobin_methods[] = {
    GX_ITERATOR_METHODS,
    {"__length_hint__", roundrobin_length_hint, METH_NOARGS, gx_length_hint_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef roundrobin_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef roundrobin_members[] = {
    GX_WEAKLIST_MEMBER(roundrobin_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot roundrobin_slots[] = {
    {Py_tp_doc, (void *)roundrobin_doc},
    {Py_tp_new, roundrobin_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, roundrobin_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, roundrobin_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, roundrobin_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, roundrobin_methods},
    {Py_tp_getset, roundrobin_getset},
    {Py_tp_members, roundrobin_members},
    {0, NULL},
};

static PyType_Spec roundrobin_spec = {
    .name = "pygenx.roundrobin",
    .basicsize = sizeof(roundrobin_object),
    .flags = GX_TYPE_FLAGS,
    .slots = roundrobin_slots,
};

const gx_typedef gx_roundrobin_typedef = {
    .spec = &roundrobin_spec,
    .construct = roundrobin_construct,
    .public = true,
};
