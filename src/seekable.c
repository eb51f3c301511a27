/* seekable: an iterator that keeps what it has given, to go back to. */

#include "lookahead.h"

/* -- struct ------------------------------------------------------------- */

/* gx_seekable of lookahead.h. */

static const gx_protocol seekable_protocol;

/* -- construct ---------------------------------------------------------- */

static PyObject *
seekable_construct(PyObject *type, PyObject *const *args, size_t nargsf,
                   PyObject *kwnames)
{
    static const char *const params[] = {"iterable", "maxlen", NULL};
    static const gx_signature signature = {"seekable", params, 0, 1, 2};
    PyTypeObject *cls = (PyTypeObject *)type;
    PyObject *out[2];
    Py_ssize_t maxlen;
    if (gx_parse(&signature, args, nargsf, kwnames, out) < 0 ||
        gx_as_maxlen(out[1], 0, &maxlen) < 0) {
        return NULL;
    }
    gx_seekable *self = gx_seekable_CAST(cls->tp_alloc(cls, 0));
    if (self == NULL) {
        return NULL;
    }
    self->base.protocol = &seekable_protocol;
    self->base.source = GX_SOURCE_NONE;
    self->maxlen = maxlen;
    if (gx_source_open(PyType_GetModuleState(cls), &self->base.source, out[0]) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyObject *
seekable_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(seekable_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

static inline Py_ssize_t
seekable_head(const gx_seekable *self)
{
    return self->first + self->base.ring.size;
}

/* Let go of what is too old to be kept. Called with `running` set: an item's end runs
   user code. */
static inline void
seekable_evict(gx_seekable *self)
{
    gx_ring *ring = &self->base.ring;
    while (ring->size > self->maxlen && self->first < self->position) {
        self->first++;
        Py_DECREF(gx_ring_pop(ring));
    }
}

/* An item that the source gave at the head, which is where we are, has been read; there
   is room. */
static inline void
seekable_keep(gx_seekable *self, PyObject *item)
{
    gx_ring_push(&self->base.ring, Py_NewRef(item));
    self->position++;
    seekable_evict(self);
}

/* The item that waits at the position, which is before the head. */
static inline PyObject *
seekable_read(gx_seekable *self)
{
    PyObject *item = *gx_ring_at(&self->base.ring, self->position++ - self->first);
    return Py_NewRef(item);
}

/* Room is made before the source is asked, so that no item is lost. */
static inline PyObject *
seekable_ask(gx_seekable *self)
{
    bool room = gx_ring_reserve(&self->base.ring) == 0;
    PyObject *item = room ? gx_next(&self->base.source) : NULL;
    if (item != NULL) {
        seekable_keep(self, item);
    }
    return item;
}

/* What is sent or thrown and answered: an item as any other where nothing is before it,
   else handed on past what waits, and not kept. */
static PySendResult
seekable_answer(gx_seekable *self, gx_how how, PyObject *value, PyObject **out)
{
    bool at_head = self->position == seekable_head(self);
    if (gx_ring_reserve(&self->base.ring) < 0) {
        return PYGEN_ERROR;
    }
    PySendResult answer = gx_lookahead_answer(&self->base, how, value, out);
    if (answer == PYGEN_NEXT && at_head) {
        seekable_keep(self, *out);
    }
    return answer;
}

static PySendResult
seekable_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    gx_seekable *self = gx_seekable_CAST(op);
    bool sends = how == GX_SEND && value != Py_None;
    if (sends && self->position < seekable_head(self)) {
        PyErr_SetString(PyExc_TypeError,
                        "send() cannot pass items that wait in a seekable");
        return PYGEN_ERROR;
    }
    if (how == GX_THROW || (sends && self->base.source.fetch != gx_fetch_none)) {
        PySendResult answer = seekable_answer(self, how, value, out);
        if (answer != PYGEN_RETURN) {
            return answer;
        }
    }
    if (self->position < seekable_head(self)) {
        *out = seekable_read(self);
        seekable_evict(self);
        return PYGEN_NEXT;
    }
    *out = seekable_ask(self);
    if (*out != NULL) {
        return PYGEN_NEXT;
    }
    return gx_lookahead_no_item(&self->base) < 0
               ? PYGEN_ERROR
               : gx_lookahead_return(&self->base, out);
}

/* NULL with an error, or without where the shared core has to see to it. */
static inline PyObject *
seekable_next_locked(gx_seekable *self)
{
    gx_lookahead *base = &self->base;
    PyObject *item;
    if (base->running || base->ended) {
        return NULL;
    }
    base->started = true;
    base->running = true;
    if (self->position < seekable_head(self)) {
        item = seekable_read(self);
        seekable_evict(self);
    } else {
        item = seekable_ask(self);
        if (item == NULL && gx_lookahead_no_item(base) < 0) {
            base->protocol->note((PyObject *)self);
        }
    }
    base->running = false;
    return item;
}

static PyObject *
seekable_next(PyObject *op)
{
    PyObject *item;
    Py_BEGIN_CRITICAL_SECTION(op);
    item = seekable_next_locked(gx_seekable_CAST(op));
    Py_END_CRITICAL_SECTION();
    return item != NULL || PyErr_Occurred() ? item : gx_iterator_next(op);
}

/* -- looking ahead and back --------------------------------------------------------------- */

/* Is there an item at the position? 1, 0 at the end, -1 error. */
static int
seekable_look(gx_seekable *self)
{
    gx_lookahead *base = &self->base;
    if (base->ended && !base->running) {
        return 0;
    }
    int there = gx_lookahead_fill(base, self->position - self->first + 1);
    if (there > 0 && base->ring.size > self->maxlen) {
        base->running = true;
        seekable_evict(self);
        base->running = false;
    }
    return there;
}

static PyObject *
seekable_peek_locked(gx_seekable *self, PyObject *missing)
{
    int there = seekable_look(self);
    if (there == 0) {
        return gx_lookahead_nothing(&self->base, missing);
    }
    return there < 0
               ? NULL
               : Py_NewRef(*gx_ring_at(&self->base.ring, self->position - self->first));
}

static PyObject *
seekable_peek(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *missing, *item;
    if (gx_lookahead_parse_peek(args, nargs, kwnames, &missing) < 0) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    item = seekable_peek_locked(gx_seekable_CAST(op), missing);
    Py_END_CRITICAL_SECTION();
    return item;
}

static int
seekable_bool(PyObject *op)
{
    int there;
    Py_BEGIN_CRITICAL_SECTION(op);
    there = seekable_look(gx_seekable_CAST(op));
    there = gx_lookahead_seen(gx_lookahead_CAST(op), there);
    Py_END_CRITICAL_SECTION();
    return there;
}

int
gx_seekable_evicted(const gx_seekable *self, Py_ssize_t position)
{
    PyErr_Format(PyExc_LookupError,
                 "position %zd is not kept any more: the first one is %zd", position,
                 self->first);
    return -1;
}

/* Read on from the head until the position is `target`: 0, also where the source ends
   before that; -1 error. */
static int
seekable_skip(gx_seekable *self, Py_ssize_t target)
{
    gx_lookahead *base = &self->base;
    gx_breath breath = GX_BREATH(GX_INTERVAL_CALLS);
    int rc = 1;
    base->started = true;
    base->running = true;
    while (rc > 0 && self->position < target) {
        PyObject *item = seekable_ask(self);
        Py_XDECREF(item);
        rc = item == NULL ? gx_lookahead_no_item(base) : 1;
        if (item != NULL && gx_tick(&breath) < 0) {
            rc = -1;
        }
    }
    base->running = false;
    if (rc < 0) {
        base->protocol->note((PyObject *)self);
    }
    return rc < 0 ? -1 : 0;
}

/* To go back revives. */
static int
seekable_seek_locked(gx_seekable *self, Py_ssize_t target)
{
    Py_ssize_t head = seekable_head(self);
    if (gx_lookahead_idle(&self->base) < 0) {
        return -1;
    }
    if (target < self->first) {
        return gx_seekable_evicted(self, target);
    }
    self->position = target < head ? target : head;
    self->base.ended = self->base.ended && target >= head;
    return target <= head || self->base.ended ? 0 : seekable_skip(self, target);
}

static PyObject *
seekable_seek(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const params[] = {"index", NULL};
    static const gx_signature signature = {"seek", params, 0, 1, 1};
    PyObject *out[1];
    Py_ssize_t target;
    int rc;
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0 ||
        (target = gx_as_size(out[0], 0, "index must be at least 0")) < 0) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = seekable_seek_locked(gx_seekable_CAST(op), target);
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
seekable_relative_seek(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
                       PyObject *kwnames)
{
    static const char *const params[] = {"count", NULL};
    static const gx_signature signature = {"relative_seek", params, 0, 1, 1};
    PyObject *out[1];
    int rc;
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0) {
        return NULL;
    }
    Py_ssize_t count = PyNumber_AsSsize_t(out[0], PyExc_OverflowError);
    if (count == -1 && PyErr_Occurred()) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    gx_seekable *self = gx_seekable_CAST(op);
    Py_ssize_t most = PY_SSIZE_T_MAX - self->position;
    Py_ssize_t target = self->position + (count > most ? most : count);
    rc = seekable_seek_locked(self, target < 0 ? 0 : target);
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
seekable_tell(PyObject *op, PyObject *Py_UNUSED(unused))
{
    Py_ssize_t position;
    Py_BEGIN_CRITICAL_SECTION(op);
    position = gx_seekable_CAST(op)->position;
    Py_END_CRITICAL_SECTION();
    return PyLong_FromSsize_t(position);
}

static PyObject *
seekable_subscript(PyObject *op, PyObject *key)
{
    return gx_seekable_get(op, key, false);
}

/* -- protocol ----------------------------------------------------------- */

/* After close(): what was kept goes, too, unless that was refused. The end alone lets
   go of the source only. */
static PyObject *
seekable_closed(PyObject *op, PyObject *answer)
{
    Py_BEGIN_CRITICAL_SECTION(op);
    gx_seekable *self = gx_seekable_CAST(op);
    if (!self->base.running) {
        self->first = self->position = seekable_head(self);
        gx_ring_clear(&self->base.ring);
    }
    Py_END_CRITICAL_SECTION();
    return answer;
}

static PyObject *
seekable_close(PyObject *op, PyObject *unused)
{
    return seekable_closed(op, gx_iterator_close(op, unused));
}

static PyObject *
seekable_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *answer = gx_iterator_exit(op, args, nargs);
    return nargs == 3 ? seekable_closed(op, answer) : answer;
}

static int
seekable_clear(PyObject *op)
{
    gx_seekable *self = gx_seekable_CAST(op);
    self->first = self->position = seekable_head(self);
    return gx_lookahead_clear(op);
}

static void
seekable_note(PyObject *op)
{
    gx_note("seekable, item %zd", seekable_head(gx_seekable_CAST(op)));
}

static PyObject *
seekable_length_hint(PyObject *op, PyObject *Py_UNUSED(unused))
{
    Py_ssize_t hint = 0;
    gx_seekable *self = gx_seekable_CAST(op);
    Py_BEGIN_CRITICAL_SECTION(op);
    if (!self->base.ended) {
        hint = gx_source_hint(&self->base.source);
        hint = gx_add_hints(hint, seekable_head(self) - self->position);
    }
    Py_END_CRITICAL_SECTION();
    return gx_hint_object(hint);
}

static const gx_protocol seekable_protocol = {
    .name = "seekable",
    .resume = seekable_resume,
    .release = gx_lookahead_release,
    .clear = seekable_clear,
    .note = seekable_note,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(seekable_doc,
"seekable(iterable, maxlen=None)\n--\n\n"
"An iterator that keeps its items, so that one can go back to them.\n\n"
"seek(i) makes item i the next one, from 0, reading on if it has to; it raises\n"
"ValueError for i < 0 and LookupError for an item that is not kept any more. s[i]\n"
"and slices are items that are kept, elements() is a view of them all, bool(s) is\n"
"whether there is a next item. With maxlen no more than that many are kept. send()\n"
"and throw() go to the source. As more_itertools.seekable.\n\n"
">>> s = seekable('abcd')\n"
">>> next(s), next(s), s.seek(0), s.peek(), s[-1], list(s)\n"
"('a', 'b', None, 'a', 'b', ['a', 'b', 'c', 'd'])");

PyDoc_STRVAR(seekable_peek_doc,
"peek($self, /, default=...)\n--\n\n"
"Return the item that next() will give; at the end default, or StopIteration.\n\n"
">>> s = seekable('a')\n"
">>> s.peek(), next(s), s.peek('nothing')\n"
"('a', 'a', 'nothing')");

PyDoc_STRVAR(seekable_seek_doc,
"seek($self, /, index)\n--\n\n"
"Make item number index the next one; behind the end, there is none.\n\n"
">>> s = seekable('abcd')\n"
">>> s.seek(2)\n"
">>> next(s)\n"
"'c'");

PyDoc_STRVAR(seekable_relative_seek_doc,
"relative_seek($self, /, count)\n--\n\n"
"Go on by count items, or back, to item 0 at most.\n\n"
">>> s = seekable('abcd')\n"
">>> next(s), s.relative_seek(2), next(s), s.relative_seek(-3), next(s)\n"
"('a', None, 'd', None, 'b')");

PyDoc_STRVAR(seekable_tell_doc,
"tell($self, /)\n--\n\n"
"Return the number of the item that next() will give.\n\n"
">>> s = seekable('abcd', maxlen=1)\n"
">>> next(s), next(s), s.tell()\n"
"('a', 'b', 2)");

PyDoc_STRVAR(seekable_elements_doc,
"elements($self, /)\n--\n\n"
"Return a view of the items that are kept, a sequence that goes along with them.\n\n"
">>> s = seekable('abcd', maxlen=2)\n"
">>> next(s), next(s), next(s), s.elements()\n"
"('a', 'b', 'c', elements(['b', 'c']))");

/* Of two rows of one name the first counts. */
static PyMethodDef seekable_methods[] = {
    {"close", seekable_close, METH_NOARGS, gx_close_doc},
    {"__exit__", GX_FASTCALL(seekable_exit), METH_FASTCALL, gx_exit_doc},
    GX_ITERATOR_METHODS,
    {"peek", GX_FASTCALL(seekable_peek), METH_FASTCALL | METH_KEYWORDS,
     seekable_peek_doc},
    {"seek", GX_FASTCALL(seekable_seek), METH_FASTCALL | METH_KEYWORDS,
     seekable_seek_doc},
    {"relative_seek", GX_FASTCALL(seekable_relative_seek),
     METH_FASTCALL | METH_KEYWORDS, seekable_relative_seek_doc},
    {"tell", seekable_tell, METH_NOARGS, seekable_tell_doc},
    {"elements", gx_seekable_elements, METH_NOARGS, seekable_elements_doc},
    {"__length_hint__", seekable_length_hint, METH_NOARGS, gx_length_hint_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef seekable_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef seekable_members[] = {
    GX_WEAKLIST_MEMBER(gx_lookahead),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot seekable_slots[] = {
    {Py_tp_doc, (void *)seekable_doc},
    {Py_tp_new, seekable_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, gx_lookahead_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, gx_lookahead_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, seekable_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_nb_bool, seekable_bool},
    {Py_mp_subscript, seekable_subscript},
    {Py_tp_methods, seekable_methods},
    {Py_tp_getset, seekable_getset},
    {Py_tp_members, seekable_members},
    {0, NULL},
};

static PyType_Spec seekable_spec = {
    .name = "pygenx.seekable",
    .basicsize = sizeof(gx_seekable),
    .flags = GX_TYPE_FLAGS,
    .slots = seekable_slots,
};

const gx_typedef gx_seekable_typedef = {
    .spec = &seekable_spec,
    .construct = seekable_construct,
    .public = true,
};
