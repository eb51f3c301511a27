/* tee: independent branches over one source. What some branches have taken and
   others have still to take waits in the buffer they share (tee_buffer.c). */

#include "tee.h"

/* == branch ============================================================= */

/* -- struct ------------------------------------------------------------- */

/* tee_branch: see tee.h. */

static const gx_protocol tee_branch_protocol;

/* -- construct ---------------------------------------------------------- */

/* A branch that has not joined yet. */
static tee_branch *
tee_branch_of(PyTypeObject *type, tee_buffer *buffer)
{
    tee_branch *self = tee_branch_CAST(type->tp_alloc(type, 0));
    if (self != NULL) {
        self->protocol = &tee_branch_protocol;
        self->started = true; /* send() says itself why it cannot */
        self->buffer = (tee_buffer *)Py_NewRef((PyObject *)buffer);
    }
    return self;
}

static tee_branch *
tee_branch_over(gx_state *state, PyObject *iterable, bool lock, Py_ssize_t maxlen)
{
    tee_buffer *buffer = gx_tee_buffer_over(state, iterable, lock, maxlen);
    if (buffer == NULL) {
        return NULL;
    }
    tee_branch *self = tee_branch_of(GX_TYPE_OF(state, tee_branch), buffer);
    if (self != NULL) {
        gx_tee_join(self, buffer->first, 0);
    }
    Py_DECREF(buffer);
    return self;
}

/* Stands where `other` stands, and has ended if that has. */
static tee_branch *
tee_branch_copy(tee_branch *other)
{
    tee_branch *self = tee_branch_of(Py_TYPE(other), other->buffer);
    if (self == NULL) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(other->buffer);
    if (other->block != NULL) {
        gx_tee_join(self, other->block, other->position);
    } else {
        self->ended = true;
        self->result = Py_XNewRef(other->result);
    }
    Py_END_CRITICAL_SECTION();
    return self;
}

static const char *const tee_branch_params[] = {"iterable", NULL};
static const gx_signature tee_branch_sig = {"tee_branch", tee_branch_params, 1, 1, 1};

static PyObject *
tee_branch_construct(PyObject *type, PyObject *const *args, size_t nargsf,
                     PyObject *kwnames)
{
    PyObject *out[1];
    if (gx_parse(&tee_branch_sig, args, nargsf, kwnames, out) < 0) {
        return NULL;
    }
    tee_branch *other = tee_branch_CAST(out[0]);
    if (Py_IS_TYPE(out[0], (PyTypeObject *)type) && other->buffer != NULL) {
        return (PyObject *)tee_branch_copy(other);
    }
    gx_state *state = gx_get_state((PyTypeObject *)type);
    return (PyObject *)tee_branch_over(state, out[0], false, PY_SSIZE_T_MAX);
}

static PyObject *
tee_branch_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(tee_branch_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

/* Take what waits in the buffer: no error, not last in its block, and leaving the tail
   to other branches or bringing it where they are known to stand. NULL: not so. */
static inline PyObject *
tee_branch_read(tee_branch *self, tee_buffer *buffer)
{
    const tee_block *block = self->block;
    Py_ssize_t position = self->position, next = position + 1;
    if ((block->special >> TEE_SLOT(position) & 1) != 0) {
        return NULL;
    }
    PyObject *item = block->items[TEE_SLOT(position)];
    if (position != buffer->tail) {
        Py_INCREF(item);
    } else if (buffer->at_tail > 1) {
        buffer->at_tail--;
        Py_INCREF(item);
    } else if (next == buffer->head) { /* in step */
        buffer->tail = buffer->beyond = next;
        buffer->at_tail = buffer->n_branches;
    } else if (next < buffer->beyond) { /* alone behind the others */
        buffer->tail = next;
    } else {
        return NULL;
    }
    self->position = next;
    return item;
}

/* At the head, with nothing out of the ordinary: ask the source. NULL also if not so. */
static inline PyObject *
tee_branch_lead(tee_branch *self, tee_buffer *buffer)
{
    if (self->position != buffer->head || buffer->running || buffer->flags != 0 ||
        TEE_SLOT(self->position) == TEE_LAST) {
        return NULL;
    }
    return tee_ask(self);
}

static PyObject *
tee_branch_next(PyObject *op)
{
    tee_branch *self = tee_branch_CAST(op);
    PyObject *item = NULL;
    if (self->block != NULL) { /* and so there is a buffer */
        Py_BEGIN_CRITICAL_SECTION(self->buffer);
        item = self->position < self->buffer->head
                   ? tee_branch_read(self, self->buffer)
                   : tee_branch_lead(self, self->buffer);
        Py_END_CRITICAL_SECTION();
    }
    return item != NULL || PyErr_Occurred() ? item : gx_tee_next(op);
}

static PySendResult
tee_branch_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    tee_branch *self = tee_branch_CAST(op);
    tee_buffer *buffer = self->buffer;
    PySendResult answer = PYGEN_ERROR;
    if (how == GX_THROW) {
        PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        return PYGEN_ERROR;
    }
    if (how == GX_SEND && value != Py_None) {
        PyErr_SetString(PyExc_TypeError, "send() cannot pass through a tee branch");
        return PYGEN_ERROR;
    }
    Py_BEGIN_CRITICAL_SECTION(buffer);
    *out = gx_tee_take(self);
    if (*out != NULL) {
        answer = PYGEN_NEXT;
    } else if (!PyErr_Occurred()) {
        *out = Py_NewRef(buffer->result != NULL ? buffer->result : Py_None);
        answer = PYGEN_RETURN;
    }
    Py_END_CRITICAL_SECTION();
    return answer;
}

/* -- protocol ----------------------------------------------------------- */

/* Entered by `with`: some branch that is still here owns the source. */
static bool
tee_buffer_owned(const tee_buffer *self)
{
    const tee_branch *branch = self->branches;
    while (branch != NULL && !branch->owner) {
        branch = branch->after;
    }
    return branch != NULL;
}

/* Leave, and take the source along if nobody needs it any more: the first branch to
   come to its end does, or the last one to leave. */
static gx_source
tee_branch_take_source(tee_branch *self, tee_buffer *buffer)
{
    gx_tee_leave(self);
    if (buffer->n_branches > 0 && !(buffer->flags & TEE_ENDED)) {
        return GX_SOURCE_NONE;
    }
    gx_source source = buffer->source;
    buffer->source = GX_SOURCE_NONE;
    return source;
}

/* At the end of the source the `with` of any branch closes it, before that only the
   last branch's close() does. */
static int
tee_branch_release(PyObject *op, bool close)
{
    tee_branch *self = tee_branch_CAST(op);
    tee_buffer *buffer = self->buffer;
    gx_source source;
    if (buffer == NULL) {
        return 0;
    }
    Py_BEGIN_CRITICAL_SECTION(buffer);
    if ((buffer->flags & TEE_ENDED) && buffer->source.fetch != gx_fetch_none) {
        close = close || tee_buffer_owned(buffer);
    }
    source = tee_branch_take_source(self, buffer);
    Py_END_CRITICAL_SECTION();
    if (close) {
        return gx_source_close(gx_get_state(Py_TYPE(op)), &source);
    }
    gx_source_drop(&source);
    return 0;
}

static int
tee_branch_clear(PyObject *op)
{
    tee_branch *self = tee_branch_CAST(op);
    tee_buffer *buffer = self->buffer;
    gx_source source;
    if (buffer == NULL) {
        return 0;
    }
    Py_BEGIN_CRITICAL_SECTION(buffer);
    source = tee_branch_take_source(self, buffer);
    Py_END_CRITICAL_SECTION();
    gx_source_drop(&source);
    Py_CLEAR(self->buffer);
    return 0;
}

static int
tee_branch_traverse(PyObject *op, visitproc visit, void *arg)
{
    GX_VISIT_ITERATOR(op);
    Py_VISIT(tee_branch_CAST(op)->buffer);
    return 0;
}

/* What waits for this branch and what the source has left. The source first: what it
   does to answer may read from here. */
static Py_ssize_t
tee_branch_hint_locked(tee_branch *self, tee_buffer *buffer)
{
    Py_ssize_t left = gx_source_hint(&buffer->source);
    if (self->block == NULL) {
        return left == GX_HINT_ERROR ? left : 0;
    }
    if (left >= 0 && (buffer->flags & TEE_FAILED)) {
        return GX_HINT_UNKNOWN; /* errors may wait among the items */
    }
    return gx_add_hints(left, buffer->head - self->position);
}

static PyObject *
tee_branch_length_hint(PyObject *op, PyObject *Py_UNUSED(unused))
{
    tee_branch *self = tee_branch_CAST(op);
    Py_ssize_t hint = 0;
    if (self->block != NULL) {
        Py_BEGIN_CRITICAL_SECTION(self->buffer);
        hint = tee_branch_hint_locked(self, self->buffer);
        Py_END_CRITICAL_SECTION();
    }
    return gx_hint_object(hint);
}

static PyObject *
tee_branch_repr(PyObject *op)
{
    tee_branch *self = tee_branch_CAST(op);
    if (self->block == NULL) {
        return PyUnicode_FromString("tee(<ended>)");
    }
    PyObject *source, *text;
    Py_BEGIN_CRITICAL_SECTION(self->buffer);
    source = gx_source_brief(&self->buffer->source);
    Py_END_CRITICAL_SECTION();
    text = source != NULL ? PyUnicode_FromFormat("tee(%U)", source) : NULL;
    Py_XDECREF(source);
    return text;
}

static const gx_protocol tee_branch_protocol = {
    .name = "tee",
    .resume = tee_branch_resume,
    .release = tee_branch_release,
    .clear = tee_branch_clear,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(tee_branch_doc,
"tee_branch(iterable, /)\n--\n\n"
"One of the independent iterators that tee() makes.\n\n"
"Made from a branch it starts where that branch stands and shares its buffer. An\n"
"item is freed when the last branch has passed it; close(), or dropping a branch,\n"
"frees what it alone had still to read, and the last close() closes the source.\n"
"throw() raises at this branch only and ends it; send() of a value is a TypeError.\n\n"
">>> a, b = tee('abc')\n"
">>> next(a), list(type(a)(a)), list(b)\n"
"('a', ['b', 'c'], ['a', 'b', 'c'])");

static PyMethodDef tee_branch_methods[] = {
    GX_ITERATOR_METHODS,
    {"__length_hint__", tee_branch_length_hint, METH_NOARGS, gx_length_hint_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef tee_branch_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef tee_branch_members[] = {
    GX_WEAKLIST_MEMBER(tee_branch),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot tee_branch_slots[] = {
    {Py_tp_doc, (void *)tee_branch_doc},
    {Py_tp_new, tee_branch_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, tee_branch_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, tee_branch_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, tee_branch_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, tee_branch_methods},
    {Py_tp_getset, tee_branch_getset},
    {Py_tp_members, tee_branch_members},
    {0, NULL},
};

static PyType_Spec tee_branch_spec = {
    .name = "pygenx.tee_branch",
    .basicsize = sizeof(tee_branch),
    .flags = GX_TYPE_FLAGS,
    .slots = tee_branch_slots,
};

const gx_typedef gx_tee_branch_typedef = {&tee_branch_spec, tee_branch_construct,
                                          false};

/* == tee ================================================================ */

int
gx_tee_parse(PyObject *const *args, tee_options *options)
{
    *options = (tee_options){.n = 2};
    if (args[0] != NULL &&
        (options->n = gx_as_size(args[0], 0, "n must be >= 0")) < 0) {
        return -1;
    }
    if (args[1] != NULL && (options->lock = PyObject_IsTrue(args[1])) < 0) {
        return -1;
    }
    return gx_as_maxlen(args[2], 1, &options->maxlen);
}

/* 0 if a branch of this buffer can have the options, or -1: a lock then serves all
   branches, a limit of its own is refused. */
static int
tee_agree_locked(tee_branch *other, const tee_options *options)
{
    tee_buffer *buffer = other->buffer;
    if (options->maxlen != PY_SSIZE_T_MAX && options->maxlen != buffer->maxlen) {
        PyErr_SetString(PyExc_ValueError, "a branch of tee has the maxlen of its tee");
        return -1;
    }
    if (!options->lock || buffer->gate.lock != NULL) {
        return 0;
    }
    if (buffer->running) { /* who asks has left no name: one might wait for oneself */
        gx_reentrancy((PyObject *)other, "tee");
        return -1;
    }
    return gx_tee_add_gate(buffer);
}

static tee_branch *
tee_first_of_branch(tee_branch *other, const tee_options *options)
{
    int agreed;
    Py_BEGIN_CRITICAL_SECTION(other->buffer);
    agreed = tee_agree_locked(other, options);
    Py_END_CRITICAL_SECTION();
    return agreed < 0 ? NULL : tee_branch_copy(other);
}

static tee_branch *
tee_first(gx_state *state, PyObject *iterable, const tee_options *options)
{
    tee_branch *branch = tee_branch_CAST(iterable);
    if (Py_IS_TYPE(iterable, GX_TYPE_OF(state, tee_branch)) && branch->buffer != NULL) {
        return tee_first_of_branch(branch, options);
    }
    return tee_branch_over(state, iterable, options->lock, options->maxlen);
}

const char gx_tee_doc[] =
    "tee($module, /, iterable, n=2, *, lock=False, maxlen=None)\n--\n\n"
    "Split one iterable into a tuple of n independent iterators, the branches.\n\n"
    "Items wait for the branches that have still to take them; an error of the source\n"
    "reaches each branch at the same position. A branch maxlen items ahead of the\n"
    "slowest gets BufferError and may try again. Asking the source while it is being\n"
    "asked raises ReentrancyError; with lock=True other threads wait instead, each\n"
    "with a branch of its own. tee(branch) shares the branch's buffer. As\n"
    "itertools.tee and more_itertools.concurrent_tee.\n\n"
    ">>> a, b = tee(iter('abc'))\n"
    ">>> next(a), next(a), list(b), list(a)\n"
    "('a', 'b', ['a', 'b', 'c'], ['c'])";

PyObject *
gx_tee_over(gx_state *state, PyObject *iterable, const tee_options *options)
{
    if (options->n == 0) {
        return PyTuple_New(0);
    }
    tee_branch *first = tee_first(state, iterable, options);
    PyObject *branches = first != NULL ? PyTuple_New(options->n) : NULL;
    if (branches == NULL) {
        Py_XDECREF(first);
        return NULL;
    }
    PyObject_GC_UnTrack(branches); /* nobody may find it while it has holes */
    PyTuple_SET_ITEM(branches, 0, (PyObject *)first);
    for (Py_ssize_t i = 1; i < options->n; i++) {
        tee_branch *branch = tee_branch_copy(first);
        if (branch == NULL) {
            Py_DECREF(branches);
            return NULL;
        }
        PyTuple_SET_ITEM(branches, i, (PyObject *)branch);
    }
    PyObject_GC_Track(branches);
    return branches;
}

PyObject *
gx_tee(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const params[] = {"iterable", "n", "lock", "maxlen", NULL};
    static const gx_signature signature = {"tee", params, 0, 1, 2};
    PyObject *out[4];
    tee_options options;
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0 ||
        gx_tee_parse(out + 1, &options) < 0) {
        return NULL;
    }
    return gx_tee_over(PyModule_GetState(module), out[0], &options);
}
