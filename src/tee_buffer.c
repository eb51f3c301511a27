/* The buffer that the branches of one tee share: what some have taken and others have
   still to take. */

#include "tee.h"

/* -- struct ------------------------------------------------------------- */

/* tee_buffer: see tee.h. */

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
    block->special = (uint32_t)1 << TEE_LAST;
    return block;
}

int
gx_tee_add_gate(tee_buffer *self)
{
    if (gx_gate_init(&self->gate) < 0) {
        return -1;
    }
    self->flags |= TEE_STRICT;
    return 0;
}

tee_buffer *
gx_tee_buffer_over(gx_state *state, PyObject *iterable, bool lock, Py_ssize_t maxlen)
{
    PyTypeObject *type = GX_TYPE_OF(state, tee_buffer);
    tee_buffer *self = tee_buffer_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->source = GX_SOURCE_NONE;
    self->maxlen = maxlen;
    self->flags = maxlen != PY_SSIZE_T_MAX ? TEE_STRICT : 0;
    self->first = tee_buffer_new_block(self);
    if (self->first == NULL || (lock && gx_tee_add_gate(self) < 0) ||
        gx_source_open(state, &self->source, iterable) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return self;
}

void
gx_tee_join(tee_branch *branch, tee_block *block, Py_ssize_t position)
{
    tee_buffer *self = branch->buffer;
    branch->block = block;
    branch->position = position;
    branch->after = self->branches;
    if (branch->after != NULL) {
        branch->after->before = branch;
    }
    self->branches = branch;
    self->n_branches++;
    if (position == self->tail) {
        self->at_tail++;
        self->beyond = position;
    }
}

/* -- iterate: the tail -------------------------------------------------- */

/* Count the branches at the tail anew. Between several at the tail and all others
   nothing is known: the next to leave as the last counts again. */
static void
tee_recount(tee_buffer *self)
{
    Py_ssize_t here = 0, beyond = PY_SSIZE_T_MAX;
    for (tee_branch *branch = self->branches; branch != NULL; branch = branch->after) {
        if (branch->position == self->tail) {
            here++;
        } else if (branch->position < beyond) {
            beyond = branch->position;
        }
    }
    self->at_tail = here;
    self->beyond = here > 1 ? self->tail : beyond;
}

/* Take out the item at the tail, with the buffer's reference. No branch stands there
   any more. Branches in step are counted without a look at each, and so is one that
   lags behind all others. */
static PyObject *
tee_pop(tee_buffer *self)
{
    tee_block *block = self->first;
    size_t slot = TEE_SLOT(self->tail);
    PyObject *item = block->items[slot];
    if (slot == TEE_LAST) {
        self->first = block->next;
        PyMem_Free(self->spare);
        self->spare = block;
    }
    self->tail++;
    if (self->tail == self->head) {
        self->at_tail = self->n_branches;
        self->beyond = self->tail;
    } else if (self->tail >= self->beyond) {
        tee_recount(self);
    }
    return item;
}

/* Free what no branch will read. Each round leaves a sound buffer before the item's
   end runs user code, which may trim as well. */
static void
tee_trim(tee_buffer *self)
{
    while (self->at_tail == 0 && self->tail < self->head) {
        Py_DECREF(tee_pop(self));
    }
}

void
gx_tee_leave(tee_branch *branch)
{
    tee_buffer *self = branch->buffer;
    if (branch->block == NULL) {
        return;
    }
    branch->block = NULL;
    if (branch->before != NULL) {
        branch->before->after = branch->after;
    } else {
        self->branches = branch->after;
    }
    if (branch->after != NULL) {
        branch->after->before = branch->before;
    }
    self->n_branches--;
    if (branch->position == self->tail) {
        self->at_tail--;
        tee_trim(self);
    }
}

/* -- iterate: the head -------------------------------------------------- */

/* Take what waits. Runs no user code, but to raise an error. */
static PyObject *
tee_read(tee_branch *branch)
{
    tee_buffer *self = branch->buffer;
    tee_block *block = branch->block;
    size_t slot = TEE_SLOT(branch->position);
    PyObject *item = block->items[slot];
    bool is_error = (block->errors >> slot & 1) != 0;
    if (slot == TEE_LAST) {
        branch->block = block->next;
    }
    if (branch->position++ != self->tail) {
        Py_INCREF(item);
    } else if (self->at_tail > 1) {
        self->at_tail--;
        Py_INCREF(item);
    } else {
        (void)tee_pop(self);
    }
    return is_error ? gx_error_raise(item) : item;
}

/* The source gave no item: it has ended, or its error takes the item's place, for
   every branch. What is no Exception stops this branch only: nothing was taken. */
void
gx_tee_no_item(tee_branch *branch)
{
    tee_buffer *self = branch->buffer;
    PyObject *result;
    if (gx_ended(&result)) {
        Py_XSETREF(self->result, result);
        self->flags |= TEE_ENDED;
        return;
    }
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return;
    }
    gx_note("tee, item %zd", self->head + self->direct);
    PyObject *error = PyErr_GetRaisedException();
    PyObject *pair = gx_error_pack(error);
    if (self->n_branches > 1) {
        uint32_t bit = (uint32_t)1 << TEE_SLOT(branch->position);
        branch->block->errors |= bit;
        branch->block->special |= bit;
        self->flags |= TEE_FAILED;
        tee_append(branch, self, pair);
    } else {
        self->direct++;
        Py_DECREF(pair);
    }
    PyErr_SetRaisedException(error);
}

/* Before the source is asked: refuse to run too far ahead, and see to it that what
   comes can be stored. */
static int
tee_reserve(tee_branch *branch)
{
    tee_buffer *self = branch->buffer;
    tee_block *block = branch->block;
    if (self->head - self->tail >= self->maxlen) {
        PyErr_Format(PyExc_BufferError,
                     "a branch of tee lags %zd behind: maxlen is %zd",
                     self->head - self->tail, self->maxlen);
        return -1;
    }
    if (TEE_SLOT(branch->position) == TEE_LAST && block->next == NULL) {
        block->next = tee_buffer_new_block(self);
        return block->next == NULL ? -1 : 0;
    }
    return 0;
}

static PyObject *
tee_ask_strictly(tee_branch *branch)
{
    tee_buffer *self = branch->buffer;
    Py_ssize_t position = branch->position;
    if (tee_reserve(branch) < 0) {
        return NULL;
    }
    if (self->gate.lock != NULL) {
        gx_gate_enter(&self->gate);
    }
    PyObject *item = tee_ask(branch);
    if (TEE_SLOT(position) == TEE_LAST && branch->position != position) {
        branch->block = branch->block->next;
    }
    gx_gate_leave(&self->gate);
    return item;
}

/* Another branch is asking. Without lock=True, and in the asking thread itself, that
   is re-entry; else wait: 0 look again, -1 error. */
static int
tee_wait(tee_branch *branch)
{
    return gx_gate_wait(&branch->buffer->gate, (PyObject *)branch, "tee", INT64_MAX);
}

static Py_NO_INLINE PyObject *
tee_take_strictly(tee_branch *branch)
{
    while (branch->block != NULL) { /* else it was closed while it waited */
        tee_buffer *self = branch->buffer;
        if (branch->position < self->head) {
            return tee_read(branch);
        }
        if (self->flags & TEE_ENDED) {
            return NULL;
        }
        if (!self->running) {
            return tee_ask_strictly(branch);
        }
        if (tee_wait(branch) < 0) {
            return NULL;
        }
    }
    return NULL;
}

static inline PyObject *
tee_take(tee_branch *branch)
{
    tee_buffer *self = branch->buffer;
    if (branch->block == NULL || branch->position < self->head || self->running ||
        self->flags != 0 || TEE_SLOT(branch->position) == TEE_LAST) {
        return tee_take_strictly(branch);
    }
    return tee_ask(branch);
}

PyObject *
gx_tee_take(tee_branch *branch)
{
    return tee_take(branch);
}

PyObject *
gx_tee_next(PyObject *op)
{
    tee_branch *branch = tee_branch_CAST(op);
    if (branch->block != NULL) {
        PyObject *item;
        Py_BEGIN_CRITICAL_SECTION(branch->buffer);
        item = tee_take(branch);
        Py_END_CRITICAL_SECTION();
        if (item != NULL || PyErr_Occurred()) {
            return item;
        }
    }
    return gx_iterator_next(op);
}

/* -- protocol ----------------------------------------------------------- */

static int
tee_buffer_traverse(PyObject *op, visitproc visit, void *arg)
{
    tee_buffer *self = tee_buffer_CAST(op);
    const tee_block *block = self->first;
    Py_VISIT(Py_TYPE(op));
    GX_VISIT_SOURCE(&self->source);
    Py_VISIT(self->result);
    for (Py_ssize_t i = self->tail; i < self->head; i++) {
        Py_VISIT(block->items[TEE_SLOT(i)]);
        if (TEE_SLOT(i) == TEE_LAST) {
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
    self->flags |= TEE_ENDED;
    tee_trim(self);
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
    gx_gate_free(&self->gate);
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

const gx_typedef gx_tee_buffer_typedef = {&tee_buffer_spec, NULL, false};
