/* peekable: an iterator whose next items can be looked at and put back; spy: the first
   items of an iterable and all of them. */

#include "lookahead.h"

/* -- struct ------------------------------------------------------------- */

/* gx_lookahead of lookahead.h: the ring holds what comes before the source's next item,
   looked at or prepended. It is empty when the object has ended; prepend() takes that
   back. */

static const gx_protocol peekable_protocol;

/* -- construct ---------------------------------------------------------- */

static gx_lookahead *
peekable_over(gx_state *state, PyObject *iterable)
{
    PyTypeObject *type = GX_TYPE_OF(state, peekable);
    gx_lookahead *self = gx_lookahead_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->protocol = &peekable_protocol;
    self->source = GX_SOURCE_NONE;
    if (gx_source_open(state, &self->source, iterable) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return self;
}

static PyObject *
peekable_construct(PyObject *type, PyObject *const *args, size_t nargsf,
                   PyObject *kwnames)
{
    static const char *const params[] = {"iterable", NULL};
    static const gx_signature signature = {"peekable", params, 0, 1, 1};
    PyObject *out[1];
    if (gx_parse(&signature, args, nargsf, kwnames, out) < 0) {
        return NULL;
    }
    gx_state *state = PyType_GetModuleState((PyTypeObject *)type);
    return (PyObject *)peekable_over(state, out[0]);
}

static PyObject *
peekable_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(peekable_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

static PySendResult
peekable_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    gx_lookahead *self = gx_lookahead_CAST(op);
    bool sends = how == GX_SEND && value != Py_None;
    if (sends && self->ring.size > 0) {
        PyErr_SetString(PyExc_TypeError,
                        "send() cannot pass items that wait in a peekable");
        return PYGEN_ERROR;
    }
    if (how == GX_THROW || (sends && self->source.fetch != gx_fetch_none)) {
        PySendResult answer = gx_lookahead_answer(self, how, value, out);
        if (answer != PYGEN_RETURN) {
            return answer;
        }
    }
    if (self->ring.size == 0) {
        *out = gx_next(&self->source);
        if (*out != NULL) {
            return PYGEN_NEXT;
        }
        return gx_lookahead_no_item(self) < 0 ? PYGEN_ERROR
                                              : gx_lookahead_return(self, out);
    }
    *out = gx_ring_pop(&self->ring);
    return PYGEN_NEXT;
}

/* NULL with an error, or without where the shared core has to see to it. */
static inline PyObject *
peekable_next_locked(gx_lookahead *self)
{
    if (self->running || self->ended) {
        return NULL;
    }
    self->started = true;
    if (self->ring.size > 0) {
        return gx_ring_pop(&self->ring);
    }
    self->running = true;
    PyObject *item = gx_next(&self->source);
    if (item == NULL && gx_lookahead_no_item(self) < 0) {
        self->protocol->note((PyObject *)self);
    }
    self->running = false;
    return item;
}

static PyObject *
peekable_next(PyObject *op)
{
    PyObject *item;
    Py_BEGIN_CRITICAL_SECTION(op);
    item = peekable_next_locked(gx_lookahead_CAST(op));
    Py_END_CRITICAL_SECTION();
    return item != NULL || PyErr_Occurred() ? item : gx_iterator_next(op);
}

/* -- looking ahead ------------------------------------------------------ */

static PyObject *
peekable_peek_locked(gx_lookahead *self, PyObject *missing)
{
    int there = gx_lookahead_fill(self, 1);
    if (there == 0) {
        return gx_lookahead_nothing(self, missing);
    }
    return there < 0 ? NULL : Py_NewRef(*gx_ring_at(&self->ring, 0));
}

static PyObject *
peekable_peek(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *missing, *item;
    if (gx_lookahead_parse_peek(args, nargs, kwnames, &missing) < 0) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    item = peekable_peek_locked(gx_lookahead_CAST(op), missing);
    Py_END_CRITICAL_SECTION();
    return item;
}

static int
peekable_bool(PyObject *op)
{
    int there;
    Py_BEGIN_CRITICAL_SECTION(op);
    there = gx_lookahead_fill(gx_lookahead_CAST(op), 1);
    there = gx_lookahead_seen(gx_lookahead_CAST(op), there);
    Py_END_CRITICAL_SECTION();
    return there;
}

static int
peekable_prepend_locked(gx_lookahead *self, PyObject *const *items, Py_ssize_t n)
{
    gx_ring *ring = &self->ring;
    if (gx_lookahead_idle(self) < 0 || (n > 0 && gx_ring_grow(ring, n) < 0)) {
        return -1;
    }
    while (n > 0) {
        ring->first = (ring->first - 1) & (ring->room - 1);
        ring->size++;
        *gx_ring_at(ring, 0) = Py_NewRef(items[--n]);
        self->ended = false;
    }
    return 0;
}

static PyObject *
peekable_prepend(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    int rc;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = peekable_prepend_locked(gx_lookahead_CAST(op), args, nargs);
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
peekable_item(gx_lookahead *self, Py_ssize_t index)
{
    Py_ssize_t wanted = index < 0 || index == PY_SSIZE_T_MAX ? index : index + 1;
    if (gx_lookahead_fill(self, index < 0 ? PY_SSIZE_T_MAX : wanted) < 0) {
        return NULL;
    }
    index += index < 0 ? self->ring.size : 0;
    if (index < 0 || index >= self->ring.size) {
        PyErr_SetString(PyExc_IndexError, "peekable index out of range");
        return NULL;
    }
    return Py_NewRef(*gx_ring_at(&self->ring, index));
}

/* How many items a slice needs: all where its ends are counted from the end, or where it
   has none. Backwards the stop says how far, not how many. */
static Py_ssize_t
slice_needs(Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step)
{
    bool from_end = start < 0 || (stop < 0 && (step > 0 || stop != PY_SSIZE_T_MIN));
    if (from_end || (step < 0 && start == PY_SSIZE_T_MAX)) {
        return PY_SSIZE_T_MAX;
    }
    if (step > 0 ? start >= stop : start <= stop) {
        return 0;
    }
    return step > 0 ? stop : start + 1;
}

static PyObject *
peekable_slice(gx_lookahead *self, PyObject *slice)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0 ||
        gx_lookahead_fill(self, slice_needs(start, stop, step)) < 0) {
        return NULL;
    }
    Py_ssize_t count = PySlice_AdjustIndices(self->ring.size, &start, &stop, step);
    self->running = true; /* making the list may run a collection */
    PyObject *list = gx_ring_slice(&self->ring, start, step, count);
    self->running = false;
    return list;
}

static PyObject *
peekable_subscript(PyObject *op, PyObject *key)
{
    gx_lookahead *self = gx_lookahead_CAST(op);
    PyObject *answer;
    if (PySlice_Check(key)) {
        Py_BEGIN_CRITICAL_SECTION(op);
        answer = peekable_slice(self, key);
        Py_END_CRITICAL_SECTION();
        return answer;
    }
    Py_ssize_t index = gx_as_index(key, "peekable");
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    answer = peekable_item(self, index);
    Py_END_CRITICAL_SECTION();
    return answer;
}

/* -- protocol ----------------------------------------------------------- */

static int
peekable_release(PyObject *op, bool close)
{
    int rc = gx_lookahead_release(op, close);
    PyObject *error = rc < 0 ? PyErr_GetRaisedException() : NULL;
    gx_ring_clear(&gx_lookahead_CAST(op)->ring);
    return gx_raise_collected(error);
}

static void
peekable_note(PyObject *Py_UNUSED(op))
{
    gx_note("peekable");
}

static PyObject *
peekable_length_hint(PyObject *op, PyObject *Py_UNUSED(unused))
{
    Py_ssize_t hint;
    gx_lookahead *self = gx_lookahead_CAST(op);
    Py_BEGIN_CRITICAL_SECTION(op);
    hint = gx_source_hint(&self->source);
    hint = gx_add_hints(hint, self->ring.size);
    Py_END_CRITICAL_SECTION();
    return gx_hint_object(hint);
}

static const gx_protocol peekable_protocol = {
    .name = "peekable",
    .resume = peekable_resume,
    .release = peekable_release,
    .clear = gx_lookahead_clear,
    .note = peekable_note,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(peekable_doc,
"peekable(iterable)\n--\n\n"
"An iterator whose next items can be looked at before they are taken.\n\n"
"peek() and p[0] are the item that next() will give, p[i] and slices look further,\n"
"bool(p) is whether there is one. Negative indexes and open slices read everything.\n"
"prepend() puts items back. An error of the source passes and is not kept: the next\n"
"call asks again. send() passes to the source unless items wait; throw() goes to it.\n"
"As more_itertools.peekable.\n\n"
">>> p = peekable('abcd')\n"
">>> p.peek(), p[2], next(p), p[:2], list(p)\n"
"('a', 'c', 'a', ['b', 'c'], ['b', 'c', 'd'])");

PyDoc_STRVAR(peekable_peek_doc,
"peek($self, /, default=...)\n--\n\n"
"Return the item that next() will give; at the end default, or StopIteration.\n\n"
">>> p = peekable('a')\n"
">>> p.peek(), next(p), p.peek('nothing')\n"
"('a', 'a', 'nothing')");

PyDoc_STRVAR(peekable_prepend_doc,
"prepend($self, /, *items)\n--\n\n"
"Put items before those to come, the first of them first; also after the end.\n\n"
">>> p = peekable('c')\n"
">>> p.prepend('a', 'b')\n"
">>> list(p)\n"
"['a', 'b', 'c']");

static PyMethodDef peekable_methods[] = {
    GX_ITERATOR_METHODS,
    {"peek", GX_FASTCALL(peekable_peek), METH_FASTCALL | METH_KEYWORDS,
     peekable_peek_doc},
    {"prepend", GX_FASTCALL(peekable_prepend), METH_FASTCALL, peekable_prepend_doc},
    {"__length_hint__", peekable_length_hint, METH_NOARGS, gx_length_hint_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef peekable_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef peekable_members[] = {
    GX_WEAKLIST_MEMBER(gx_lookahead),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot peekable_slots[] = {
    {Py_tp_doc, (void *)peekable_doc},
    {Py_tp_new, peekable_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, gx_lookahead_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, gx_lookahead_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, peekable_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_nb_bool, peekable_bool},
    {Py_mp_subscript, peekable_subscript},
    {Py_tp_methods, peekable_methods},
    {Py_tp_getset, peekable_getset},
    {Py_tp_members, peekable_members},
    {0, NULL},
};

static PyType_Spec peekable_spec = {
    .name = "pygenx.peekable",
    .basicsize = sizeof(gx_lookahead),
    .flags = GX_TYPE_FLAGS,
    .slots = peekable_slots,
};

const gx_typedef gx_peekable_typedef = {
    .spec = &peekable_spec,
    .construct = peekable_construct,
    .public = true,
};

/* == spy ================================================================ */

const char gx_spy_doc[] =
    "spy($module, /, iterable, n=1)\n--\n\n"
    "Return a list of the first n items, or fewer, and an iterator over all of them.\n\n"
    "The iterator is a peekable: iterable itself, if it is one. Raises ValueError if\n"
    "n < 0. As more_itertools.spy.\n\n"
    ">>> head, items = spy(iter('abc'), 2)\n"
    ">>> head, list(items)\n"
    "(['a', 'b'], ['a', 'b', 'c'])";

static PyObject *
spy_head_locked(gx_lookahead *self, Py_ssize_t n)
{
    if (gx_lookahead_fill(self, n) < 0) {
        return NULL;
    }
    self->running = true;
    PyObject *head =
        gx_ring_slice(&self->ring, 0, 1, n < self->ring.size ? n : self->ring.size);
    self->running = false;
    return head;
}

PyObject *
gx_spy(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const params[] = {"iterable", "n", NULL};
    static const gx_signature signature = {"spy", params, 0, 1, 2};
    PyObject *out[2], *head;
    Py_ssize_t n = 1;
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0 ||
        (out[1] != NULL && (n = gx_as_size(out[1], 0, "n must be at least 0")) < 0)) {
        return NULL;
    }
    gx_state *state = PyModule_GetState(module);
    PyObject *items = Py_IS_TYPE(out[0], GX_TYPE_OF(state, peekable))
                          ? Py_NewRef(out[0])
                          : (PyObject *)peekable_over(state, out[0]);
    if (items == NULL) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(items);
    head = spy_head_locked(gx_lookahead_CAST(items), n);
    Py_END_CRITICAL_SECTION();
    PyObject *pair = head == NULL ? NULL : PyTuple_Pack(2, head, items);
    Py_XDECREF(head);
    Py_DECREF(items);
    return pair;
}
