/* tee: independent branches over one source. What some branches have taken and
   others have still to take waits in the buffer they share. */

#include "source.h"

#include <pythread.h>

/* A position is an item's (or error's) number in the buffer. Three of them matter:

       tail  <=  position of any branch  <=  head

   From tail up to head the buffer owns one reference to each item; head is asked of
   the source by the branch that stands there. The last branch to pass the tail takes
   the buffer's own reference away with it, so an item lives no longer than it must,
   and branches in step cost no more references than one iterator. */

/* == buffer ============================================================= */

/* -- struct ------------------------------------------------------------- */

#define BLOCK_SLOTS 32 /* a block stays well under pymalloc's 512 bytes */
#define SLOT(position) ((size_t)(position) % BLOCK_SLOTS)
#define LAST_SLOT (BLOCK_SLOTS - 1)
#define WAIT_MICROSECONDS 50000 /* between two looks at signals */

typedef struct tee_block tee_block;
typedef struct tee_branch tee_branch;

struct tee_block {
    tee_block *next;              /* owned, or NULL */
    uint32_t errors;              /* bit i: items[i] is to be raised */
    PyObject *items[BLOCK_SLOTS]; /* owned between tail and head, else garbage */
};

typedef struct {
    PyObject_HEAD
    gx_source source;      /* none once it has ended */
    PyObject *result;      /* owned: what the source returned, NULL before */
    tee_block *first;      /* owned list; the first block holds slot `tail` */
    tee_block *spare;      /* owned, or NULL: branches in step never allocate */
    tee_branch *branches;  /* borrowed, linked: a branch leaves before it dies */
    Py_ssize_t n_branches; /* length of that list */
    Py_ssize_t head;
    Py_ssize_t tail;
    Py_ssize_t at_tail; /* branches standing at the tail; 0 only while trimming */
    Py_ssize_t beyond;  /* every other branch is here or further on */
    Py_ssize_t direct;  /* items given to the only branch, never numbered here */
    Py_ssize_t maxlen;  /* head - tail never exceeds it */
    PyThread_type_lock gate; /* owned; NULL without lock=True: see tee_branch_wait */
    unsigned long asker;     /* with a gate: the thread that set `running` */
    bool gate_closed;        /* a waiter holds the gate for the asker, who opens it */
    bool running;            /* a branch is asking the source: head stands still */
    bool ended;              /* the source has no more */
    bool failed;             /* an error was stored: hints are exact no more */
} tee_buffer;

#define tee_buffer_CAST(op) ((tee_buffer *)(op))

struct tee_branch {
    GX_ITERATOR_HEAD
    tee_buffer *buffer;  /* owned, the same for life; NULL once cleared */
    tee_block *block;    /* borrowed: holds slot `position`; NULL: left the buffer */
    Py_ssize_t position; /* next to take */
    tee_branch *before;  /* borrowed: neighbours in buffer->branches */
    tee_branch *after;
};

#define tee_branch_CAST(op) ((tee_branch *)(op))

/* -- construct ---------------------------------------------------------- */

static tee_block *
tee_buffer_new_block(tee_buffer *self)
{
    tee_block *block = self->spare;
    if (block != NULL) {
        self->spare = NULL;
    } else if ((block = PyMem_Malloc(sizeof(tee_block))) == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    block->next = NULL;
    block->errors = 0;
    return block;
}

/* 0, or -1 with MemoryError. */
static int
tee_buffer_add_gate(tee_buffer *self)
{
    self->gate = PyThread_allocate_lock();
    if (self->gate == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static tee_buffer *
tee_buffer_over(gx_state *state, PyObject *iterable, bool lock, Py_ssize_t maxlen)
{
    PyTypeObject *type = GX_TYPE_OF(state, tee_buffer);
    tee_buffer *self = tee_buffer_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->source = GX_SOURCE_NONE;
    self->beyond = PY_SSIZE_T_MAX;
    self->maxlen = maxlen;
    self->first = tee_buffer_new_block(self);
    if (self->first == NULL || (lock && tee_buffer_add_gate(self) < 0) ||
        gx_source_open(state, &self->source, iterable) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return self;
}

/* -- iterate ------------------------------------------------------------ */

/* Count the branches at the tail anew. Needed only when the slowest branch, alone
   until then, meets others; branches in step are counted without a look. */
static void
tee_buffer_recount(tee_buffer *self)
{
    if (self->tail == self->head) {
        self->at_tail = self->n_branches;
        self->beyond = PY_SSIZE_T_MAX;
        return;
    }
    Py_ssize_t here = 0, beyond = PY_SSIZE_T_MAX;
    for (tee_branch *branch = self->branches; branch != NULL; branch = branch->after) {
        if (branch->position == self->tail) {
            here++;
        } else if (branch->position < beyond) {
            beyond = branch->position;
        }
    }
    self->at_tail = here;
    self->beyond = beyond;
}

/* Take the item at the tail out, together with the buffer's reference. No branch
   stands at the tail any more but the one that reads it, already moved on. */
static inline PyObject *
tee_buffer_pop(tee_buffer *self)
{
    tee_block *block = self->first;
    size_t slot = SLOT(self->tail);
    PyObject *item = block->items[slot];
    if (slot == LAST_SLOT) {
        self->first = block->next;
        PyMem_Free(self->spare);
        self->spare = block;
    }
    self->tail++;
    if (self->tail == self->head || self->tail >= self->beyond) {
        tee_buffer_recount(self);
    }
    return item;
}

/* Free what no branch will read. Each round leaves a sound buffer before the item's
   own end runs user code, which may trim as well; shared blocks cost no recursion. */
static void
tee_buffer_trim(tee_buffer *self)
{
    while (self->at_tail == 0 && self->tail < self->head) {
        Py_DECREF(tee_buffer_pop(self));
    }
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

static int
tee_buffer_traverse(PyObject *op, visitproc visit, void *arg)
{
    tee_buffer *self = tee_buffer_CAST(op);
    const tee_block *block = self->first;
    Py_VISIT(Py_TYPE(op));
    GX_VISIT_SOURCE(&self->source);
    Py_VISIT(self->result);
    for (Py_ssize_t i = self->tail; i < self->head; i++) {
        Py_VISIT(block->items[SLOT(i)]);
        if (SLOT(i) == LAST_SLOT) {
            block = block->next;
        }
    }
    return 0;
}

/* All branches leave first, so that those a finalizer still calls have ended. */
static int
tee_buffer_clear(PyObject *op)
{
    tee_buffer *self = tee_buffer_CAST(op);
    for (tee_branch *branch; (branch = self->branches) != NULL;) {
        self->branches = branch->after;
        branch->block = NULL;
    }
    self->n_branches = 0;
    self->at_tail = 0;
    self->ended = true;
    tee_buffer_trim(self);
    gx_source_drop(&self->source);
    Py_CLEAR(self->result);
    return 0;
}

static void
tee_buffer_dealloc(PyObject *op)
{
    tee_buffer *self = tee_buffer_CAST(op);
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, tee_buffer_dealloc)
    (void)tee_buffer_clear(op);
    for (tee_block *block; (block = self->first) != NULL;) {
        self->first = block->next;
        PyMem_Free(block);
    }
    PyMem_Free(self->spare);
    if (self->gate != NULL) {
        PyThread_free_lock(self->gate);
    }
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(tee_buffer_doc, "What the branches of one tee share.");

static PyType_Slot tee_buffer_slots[] = {
    {Py_tp_doc, (void *)tee_buffer_doc},
    {Py_tp_dealloc, tee_buffer_dealloc},
    {Py_tp_traverse, tee_buffer_traverse},
    {Py_tp_clear, tee_buffer_clear},
    {0, NULL},
};

static PyType_Spec tee_buffer_spec = {
    .name = "pygenx.tee_buffer",
    .basicsize = sizeof(tee_buffer),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = tee_buffer_slots,
};

const gx_typedef gx_tee_buffer_typedef = {
    .spec = &tee_buffer_spec,
};

/* == branch ============================================================= */

static const gx_protocol tee_branch_protocol;

/* -- construct ---------------------------------------------------------- */

/* A branch at a position some branch stands at, or at the start of a new buffer.
   block NULL: one that has ended. */
static tee_branch *
tee_branch_at(PyTypeObject *type, tee_buffer *buffer, tee_block *block,
              Py_ssize_t position)
{
    tee_branch *self = tee_branch_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->protocol = &tee_branch_protocol;
    self->started = true; /* send() says itself why it cannot */
    self->buffer = (tee_buffer *)Py_NewRef((PyObject *)buffer);
    self->position = position;
    self->block = block;
    if (block == NULL) {
        self->ended = true;
        return self;
    }
    self->after = buffer->branches;
    if (self->after != NULL) {
        self->after->before = self;
    }
    buffer->branches = self;
    buffer->n_branches++;
    if (position == buffer->tail) {
        buffer->at_tail++;
    }
    return self;
}

static tee_branch *
tee_branch_over(gx_state *state, PyObject *iterable, bool lock, Py_ssize_t maxlen)
{
    tee_buffer *buffer = tee_buffer_over(state, iterable, lock, maxlen);
    if (buffer == NULL) {
        return NULL;
    }
    PyTypeObject *type = GX_TYPE_OF(state, tee_branch);
    tee_branch *self = tee_branch_at(type, buffer, buffer->first, 0);
    Py_DECREF(buffer);
    return self;
}

/* Stands where `other` stands and shares its buffer. */
static tee_branch *
tee_branch_copy(tee_branch *other)
{
    tee_branch *self;
    Py_BEGIN_CRITICAL_SECTION(other->buffer);
    self = tee_branch_at(Py_TYPE(other), other->buffer, other->block, other->position);
    Py_END_CRITICAL_SECTION();
    if (self != NULL) {
        self->result = Py_XNewRef(other->result);
    }
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

/* The pair is what tee_error made of an error. Each branch raises the same exception
   with the traceback it came with: it does not grow from branch to branch. */
static PyObject *
tee_raise(PyObject *pair)
{
    PyObject *error = pair;
    if (PyTuple_CheckExact(pair)) {
        error = PyTuple_GET_ITEM(pair, 0);
        PyException_SetTraceback(error, PyTuple_GET_ITEM(pair, 1));
    }
    PyErr_SetRaisedException(Py_NewRef(error));
    Py_DECREF(pair);
    return NULL;
}

/* The error and its traceback; the bare error if there is no memory for the pair. */
static PyObject *
tee_error(PyObject *error)
{
    PyObject *traceback = PyException_GetTraceback(error);
    PyObject *pair = PyTuple_Pack(2, error, traceback ? traceback : Py_None);
    Py_XDECREF(traceback);
    if (pair == NULL) {
        PyErr_Clear();
        return Py_NewRef(error);
    }
    return pair;
}

/* Take what waits in the buffer. Runs no user code. */
static inline PyObject *
tee_branch_read(tee_branch *self, tee_buffer *buffer)
{
    tee_block *block = self->block;
    Py_ssize_t position = self->position;
    size_t slot = SLOT(position);
    PyObject *item = block->items[slot];
    bool is_error = block->errors != 0 && (block->errors >> slot & 1) != 0;
    self->position = position + 1;
    if (slot == LAST_SLOT) {
        self->block = block->next;
    }
    if (position != buffer->tail) {
        Py_INCREF(item);
    } else if (buffer->at_tail > 1) {
        buffer->at_tail--;
        buffer->beyond = position + 1;
        Py_INCREF(item);
    } else {
        (void)tee_buffer_pop(buffer);
    }
    return is_error ? tee_raise(item) : item;
}

/* Put an item (stolen) at the head and step over it. There is another branch, and
   tee_branch_reserve has made room. */
static inline void
tee_branch_append(tee_branch *self, tee_buffer *buffer, PyObject *item, bool is_error)
{
    tee_block *block = self->block;
    size_t slot = SLOT(self->position);
    block->items[slot] = item;
    if (is_error) {
        block->errors |= (uint32_t)1 << slot;
        buffer->failed = true;
    }
    if (slot == LAST_SLOT) {
        self->block = block->next;
    }
    if (self->position == buffer->tail) {
        buffer->at_tail--;
        buffer->beyond = self->position + 1;
    }
    self->position++;
    buffer->head++;
}

/* Before the source is asked: refuse to run too far ahead, and see to it that what
   comes can be stored. */
static inline int
tee_branch_reserve(tee_branch *self, tee_buffer *buffer)
{
    if (buffer->head - buffer->tail >= buffer->maxlen) {
        PyErr_Format(PyExc_BufferError, "a branch of tee lags %zd behind: maxlen is %zd",
                     buffer->head - buffer->tail, buffer->maxlen);
        return -1;
    }
    if (SLOT(self->position) == LAST_SLOT && self->block->next == NULL) {
        self->block->next = tee_buffer_new_block(buffer);
        return self->block->next == NULL ? -1 : 0;
    }
    return 0;
}

/* The source gave no item: it has ended, or its error takes the item's place, for
   every branch. What is no Exception stops this branch only: nothing was taken. */
static void
tee_branch_no_item(tee_branch *self, tee_buffer *buffer)
{
    PyObject *result;
    if (gx_ended(&result)) {
        Py_XSETREF(buffer->result, result);
        buffer->ended = true;
        return;
    }
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return;
    }
    gx_note("tee, item %zd", buffer->head + buffer->direct);
    PyObject *error = PyErr_GetRaisedException();
    PyObject *pair = tee_error(error);
    if (buffer->n_branches > 1) {
        tee_branch_append(self, buffer, pair, true);
    } else {
        Py_DECREF(pair);
        buffer->direct++;
    }
    PyErr_SetRaisedException(error);
}

/* Open the gate for those who came meanwhile. */
static void
tee_buffer_open_gate(tee_buffer *self)
{
    self->gate_closed = false;
    PyThread_release_lock(self->gate);
}

/* Ask the source. `running` keeps head and this branch where they are; user code may
   still read, make, close and drop other branches. */
static PyObject *
tee_branch_ask(tee_branch *self, tee_buffer *buffer)
{
    if (tee_branch_reserve(self, buffer) < 0) {
        return NULL;
    }
    if (buffer->gate != NULL) {
        buffer->asker = PyThread_get_thread_ident();
    }
    self->running = buffer->running = true;
    PyObject *item = buffer->source.fetch(&buffer->source);
    if (item == NULL) {
        tee_branch_no_item(self, buffer);
    } else if (buffer->n_branches > 1) {
        tee_branch_append(self, buffer, Py_NewRef(item), false);
    } else {
        buffer->direct++;
    }
    self->running = buffer->running = false;
    if (buffer->gate_closed) {
        tee_buffer_open_gate(buffer);
    }
    return item;
}

/* Another branch asks the source. Without lock=True, and in the asking thread
   itself, that is re-entry; else wait: 0 look again, -1 error.

   The asker takes no lock. Who has to wait shuts the gate in the asker's name and
   queues there; the asker opens it when it finds it shut. So waiters are let in as
   soon as there is an item, even if the asker goes on asking at once. A gate that is
   found held without being `gate_closed` is held by another waiter on its way in. */
static int
tee_branch_wait(tee_branch *self, tee_buffer *buffer)
{
    if (buffer->gate == NULL || buffer->asker == PyThread_get_thread_ident()) {
        gx_reentrancy((PyObject *)self, "tee");
        return -1;
    }
    if (!buffer->gate_closed) {
        buffer->gate_closed = PyThread_acquire_lock(buffer->gate, NOWAIT_LOCK) != 0;
    }
    PyLockStatus status;
    Py_BEGIN_ALLOW_THREADS
    status = PyThread_acquire_lock_timed(buffer->gate, WAIT_MICROSECONDS, 1);
    Py_END_ALLOW_THREADS
    if (status == PY_LOCK_ACQUIRED) {
        PyThread_release_lock(buffer->gate);
    }
    return PyErr_CheckSignals();
}

static PyObject *
tee_branch_take_locked(tee_branch *self, tee_buffer *buffer)
{
    while (self->block != NULL) { /* closed while it waited? */
        if (self->position < buffer->head) {
            return tee_branch_read(self, buffer);
        }
        if (buffer->ended) {
            return NULL;
        }
        if (!buffer->running) {
            return tee_branch_ask(self, buffer);
        }
        if (tee_branch_wait(self, buffer) < 0) {
            return NULL;
        }
    }
    return NULL;
}

/* The next item, or NULL: with an error or at the end. */
static inline PyObject *
tee_branch_take(tee_branch *self)
{
    PyObject *item = NULL;
    if (self->buffer != NULL) {
        Py_BEGIN_CRITICAL_SECTION(self->buffer);
        item = tee_branch_take_locked(self, self->buffer);
        Py_END_CRITICAL_SECTION();
    }
    return item;
}

static PySendResult
tee_branch_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    tee_branch *self = tee_branch_CAST(op);
    if (how == GX_THROW) {
        PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        return PYGEN_ERROR;
    }
    if (how == GX_SEND && value != Py_None) {
        PyErr_SetString(PyExc_TypeError, "send() cannot pass through a tee branch");
        return PYGEN_ERROR;
    }
    *out = tee_branch_take(self);
    if (*out != NULL) {
        return PYGEN_NEXT;
    }
    if (PyErr_Occurred()) {
        return PYGEN_ERROR;
    }
    PyObject *result = self->buffer != NULL ? self->buffer->result : NULL;
    *out = Py_NewRef(result != NULL ? result : Py_None);
    return PYGEN_RETURN;
}

static PyObject *
tee_branch_next(PyObject *op)
{
    PyObject *item = tee_branch_take(tee_branch_CAST(op));
    if (item != NULL || PyErr_Occurred()) {
        return item;
    }
    return gx_iterator_next(op);
}

/* -- protocol ----------------------------------------------------------- */

/* Leave the buffer; frees what only this branch had still to read. */
static void
tee_branch_leave(tee_branch *self, tee_buffer *buffer)
{
    if (self->block == NULL) {
        return;
    }
    self->block = NULL;
    if (self->before != NULL) {
        self->before->after = self->after;
    } else {
        buffer->branches = self->after;
    }
    if (self->after != NULL) {
        self->after->before = self->before;
    }
    buffer->n_branches--;
    if (self->position == buffer->tail) {
        buffer->at_tail--;
        tee_buffer_trim(buffer);
    }
}

/* Leave, and take the source along if nobody needs it any more: the first branch to
   come to its end does, or the last one to leave. */
static gx_source
tee_branch_take_source(tee_branch *self, tee_buffer *buffer)
{
    tee_branch_leave(self, buffer);
    if (buffer->n_branches > 0 && !buffer->ended) {
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
    if (buffer->ended && buffer->source.fetch != gx_fetch_none) {
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

/* The source is asked first: it may run user code, and what waits changes. */
static Py_ssize_t
tee_branch_hint_locked(tee_branch *self, tee_buffer *buffer)
{
    Py_ssize_t left = buffer->ended ? 0 : gx_source_hint(&buffer->source);
    if (self->block == NULL) {
        return left == GX_HINT_ERROR ? left : 0;
    }
    Py_ssize_t waiting = buffer->failed ? GX_HINT_UNKNOWN : buffer->head - self->position;
    return gx_add_hints(left, waiting);
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

const gx_typedef gx_tee_branch_typedef = {
    .spec = &tee_branch_spec,
    .construct = tee_branch_construct,
};

/* == tee ================================================================ */

typedef struct {
    Py_ssize_t n;
    Py_ssize_t maxlen; /* 0: not given */
    int lock;
} tee_options;

static const char *const tee_params[] = {"iterable", "n", "lock", "maxlen", NULL};
static const gx_signature tee_sig = {"tee", tee_params, 0, 1, 2};

static int
tee_parse(PyObject *const *out, tee_options *options)
{
    *options = (tee_options){.n = 2};
    if (out[1] != NULL && (options->n = gx_as_size(out[1], 0, "n must be >= 0")) < 0) {
        return -1;
    }
    if (out[2] != NULL && (options->lock = PyObject_IsTrue(out[2])) < 0) {
        return -1;
    }
    if (out[3] != NULL && out[3] != Py_None) {
        options->maxlen = gx_as_size(out[3], 1, "maxlen must be >= 1");
    }
    return options->maxlen < 0 ? -1 : 0;
}

/* A branch of `other`'s buffer may ask for a lock, which then serves all branches, but
   not for a limit of its own. */
static tee_branch *
tee_first_of_branch(tee_branch *other, const tee_options *options)
{
    tee_buffer *buffer = other->buffer;
    if (options->maxlen != 0 && options->maxlen != buffer->maxlen) {
        PyErr_SetString(PyExc_ValueError, "a branch of tee has the maxlen of its tee");
        return NULL;
    }
    if (options->lock && buffer->gate == NULL) {
        if (buffer->running) { /* its asker has left no name: waiting could be for ever */
            gx_reentrancy((PyObject *)other, "tee");
            return NULL;
        }
        if (tee_buffer_add_gate(buffer) < 0) {
            return NULL;
        }
    }
    return tee_branch_copy(other);
}

static tee_branch *
tee_first(gx_state *state, PyObject *iterable, const tee_options *options)
{
    tee_branch *branch = tee_branch_CAST(iterable);
    if (Py_IS_TYPE(iterable, GX_TYPE_OF(state, tee_branch)) && branch->buffer != NULL) {
        return tee_first_of_branch(branch, options);
    }
    return tee_branch_over(state, iterable, options->lock,
                           options->maxlen != 0 ? options->maxlen : PY_SSIZE_T_MAX);
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
gx_tee(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *out[4];
    tee_options options;
    if (gx_parse(&tee_sig, args, (size_t)nargs, kwnames, out) < 0 ||
        tee_parse(out, &options) < 0) {
        return NULL;
    }
    if (options.n == 0) {
        return PyTuple_New(0);
    }
    gx_state *state = (gx_state *)PyModule_GetState(module);
    tee_branch *first = tee_first(state, out[0], &options);
    PyObject *branches = first != NULL ? PyTuple_New(options.n) : NULL;
    if (branches == NULL) {
        Py_XDECREF(first);
        return NULL;
    }
    PyObject_GC_UnTrack(branches); /* nobody may find it while it has holes */
    PyTuple_SET_ITEM(branches, 0, (PyObject *)first);
    for (Py_ssize_t i = 1; i < options.n; i++) {
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
