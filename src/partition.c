/* partition: two iterators over one source, of the items for which a predicate is false
   and of those for which it is true. */

#include "caller.h"
#include "lookahead.h"

/* == core =============================================================== */

/* -- struct ------------------------------------------------------------- */

typedef struct partition_branch partition_branch;

/* What the two branches share. */
typedef struct {
    PyObject_HEAD
    gx_source source; /* none once it has ended */
    PyObject *pred;   /* owned; NULL: the items' own truth */
    gx_caller caller;
    PyObject *result;              /* owned: what the source returned, NULL before */
    partition_branch *branches[2]; /* borrowed: a branch leaves before it dies; NULL */
    Py_ssize_t taken;              /* items and errors that the source gave */
    Py_ssize_t maxlen;             /* no queue is longer when the source is asked */
    bool running;                  /* a branch is asking the source */
    bool ended;                    /* the source has no more */
    bool failed;                   /* errors may wait: no length is known */
} partition_core;

#define partition_core_CAST(op) ((partition_core *)(op))

/* Called with the core's critical section held, but for the faces. */
struct partition_branch {
    GX_ITERATOR_HEAD
    partition_core *core; /* owned, the same for life; NULL once cleared */
    gx_ring queue;        /* what the other branch came by; may have tagged errors */
    int side;             /* which items: 0 false, 1 true */
};

#define partition_branch_CAST(op) ((partition_branch *)(op))

static const gx_protocol partition_protocol;

/* -- construct ---------------------------------------------------------- */

/* Steals nothing; pred None: the truth of the items. */
static partition_core *
partition_core_over(gx_state *state, PyObject *pred, PyObject *iterable,
                    Py_ssize_t maxlen)
{
    PyTypeObject *type = GX_TYPE_OF(state, partition_core);
    partition_core *self = partition_core_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->source = GX_SOURCE_NONE;
    self->maxlen = maxlen;
    if (pred != Py_None && pred != (PyObject *)&PyBool_Type) {
        self->pred = Py_NewRef(pred);
    }
    if ((self->pred != NULL && gx_as_callable(&self->pred, "pred") < 0) ||
        gx_source_open(state, &self->source, iterable) < 0) {
        Py_CLEAR(self);
    }
    return self;
}

/* -- iterate ------------------------------------------------------------ */

static int
partition_test(partition_core *self, PyObject *item)
{
    if (self->pred == NULL) {
        return PyObject_IsTrue(item);
    }
    PyObject *args[] = {NULL, item};
    PyObject *answer =
        gx_caller_call(&self->caller, (PyObject *)self, self->pred, args + 1, 1);
    if (answer == NULL) {
        return -1;
    }
    int truth = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return truth;
}

/* The predicate raised: a StopIteration is not the end, and a note names the item. */
static void
partition_failed(partition_core *self, PyObject *item)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *pred = self->pred == NULL ? NULL : gx_brief_callable(self->pred);
    PyErr_Clear(); /* of making the text only */
    PyErr_SetRaisedException(raised);
    gx_no_stop_iteration("partition(%V)", pred, "None");
    if ((raised = gx_note_begin()) != NULL) {
        PyObject *value = gx_brief(item);
        gx_note_end(raised, "partition(%V), item %zd: %V", pred, "None",
                    self->taken - 1, value, "?");
        Py_XDECREF(value);
    }
    Py_XDECREF(pred);
}

/* -- protocol ----------------------------------------------------------- */

static int
partition_core_traverse(PyObject *op, visitproc visit, void *arg)
{
    partition_core *self = partition_core_CAST(op);
    Py_VISIT(Py_TYPE(op));
    GX_VISIT_SOURCE(&self->source);
    Py_VISIT(self->pred);
    GX_VISIT_CALLER(&self->caller);
    Py_VISIT(self->result);
    return 0;
}

/* Both branches leave first, so that those a finalizer still calls have ended. */
static int
partition_core_clear(PyObject *op)
{
    partition_core *self = partition_core_CAST(op);
    self->branches[0] = self->branches[1] = NULL;
    self->ended = true;
    gx_source_drop(&self->source);
    Py_CLEAR(self->pred);
    gx_caller_drop(&self->caller);
    Py_CLEAR(self->result);
    return 0;
}

static void
partition_core_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, partition_core_dealloc)
    (void)partition_core_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(partition_core_doc, "What the two branches of one partition share.");

static PyType_Slot partition_core_slots[] = {
    {Py_tp_doc, (void *)partition_core_doc},
    {Py_tp_dealloc, partition_core_dealloc},
    {Py_tp_traverse, partition_core_traverse},
    {Py_tp_clear, partition_core_clear},
    {0, NULL},
};

static PyType_Spec partition_core_spec = {
    .name = "pygenx.partition_core",
    .basicsize = sizeof(partition_core),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = partition_core_slots,
};

const gx_typedef gx_partition_core_typedef = {&partition_core_spec, NULL, false};

/* == branch ============================================================= */

/* -- struct ------------------------------------------------------------- */

/* partition_branch: see above. */

/* -- construct ---------------------------------------------------------- */

static PyObject *
partition_branch_of(gx_state *state, partition_core *core, int side)
{
    PyTypeObject *type = GX_TYPE_OF(state, partition_branch);
    partition_branch *self = partition_branch_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->protocol = &partition_protocol;
    self->started = true; /* send() says itself why it cannot */
    self->core = (partition_core *)Py_NewRef((PyObject *)core);
    self->side = side;
    core->branches[side] = self;
    return (PyObject *)self;
}

/* -- iterate ------------------------------------------------------------ */

/* The other branch, or NULL: what would be its own is not kept. */
static inline partition_branch *
partition_other(const partition_branch *self)
{
    return self->core->branches[!self->side];
}

/* Before the source is asked: what comes may have to wait for the other branch. */
static inline int
partition_reserve(partition_branch *self)
{
    partition_branch *other = partition_other(self);
    if (other == NULL) {
        return 0;
    }
    if (other->queue.size >= self->core->maxlen) {
        PyErr_Format(PyExc_BufferError,
                     "a branch of partition lags %zd behind: maxlen is %zd",
                     other->queue.size, self->core->maxlen);
        return -1;
    }
    return gx_ring_reserve(&other->queue);
}

/* Steals the item. Whether there is room is asked again: since it was made the other
   branch may have been read, and a queue that is empty gives memory back. */
static int
partition_hand_over(partition_branch *self, PyObject *item)
{
    partition_branch *other = partition_other(self);
    if (other == NULL || gx_ring_reserve(&other->queue) < 0) {
        gx_ring_discard(item);
        return other == NULL ? 0 : -1;
    }
    gx_ring_push(&other->queue, item);
    return 0;
}

/* The source gave no item: it has ended, or its error takes an item's place, for both
   branches. What is no Exception stops this branch only: nothing was taken. */
static void
partition_no_item(partition_branch *self)
{
    partition_core *core = self->core;
    PyObject *result;
    if (gx_ended(&result)) {
        Py_XSETREF(core->result, result);
        core->ended = true;
        return;
    }
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return;
    }
    gx_note("partition, item %zd", core->taken++);
    PyObject *error = PyErr_GetRaisedException();
    if (partition_other(self) != NULL) {
        core->failed = true;
        if (partition_hand_over(self, gx_ring_tag(gx_error_pack(error))) < 0) {
            PyErr_Clear(); /* no memory to tell the other branch */
        }
    }
    PyErr_SetRaisedException(error);
}

/* Ask the source until it gives one of this branch's own. The flags keep user code
   from asking meanwhile; it may read, close and drop the other branch. */
static PyObject *
partition_search(partition_branch *self)
{
    partition_core *core = self->core;
    gx_breath breath = GX_BREATH(GX_INTERVAL_CALLS);
    while (partition_reserve(self) == 0) {
        PyObject *item = gx_next(&core->source);
        if (item == NULL) {
            partition_no_item(self);
            return NULL;
        }
        core->taken++;
        int truth = partition_test(core, item);
        if (truth == self->side) {
            return item;
        }
        if (truth < 0) {
            partition_failed(core, item);
            Py_DECREF(item);
            return NULL;
        }
        if (partition_hand_over(self, item) < 0 || gx_tick(&breath) < 0) {
            return NULL;
        }
    }
    return NULL;
}

/* Nothing waits for this branch. */
static PyObject *
partition_ask(partition_branch *self)
{
    partition_core *core = self->core;
    if (core->branches[self->side] != self || core->ended) {
        return NULL;
    }
    if (core->running) {
        gx_reentrancy((PyObject *)self, "partition");
        return NULL;
    }
    self->running = core->running = true;
    PyObject *item = partition_search(self);
    self->running = core->running = false;
    return item;
}

static inline PyObject *
partition_take(partition_branch *self)
{
    if (self->queue.size == 0) {
        return partition_ask(self);
    }
    PyObject *item = gx_ring_pop(&self->queue);
    return gx_ring_is_tagged(item) ? gx_error_raise(gx_ring_untag(item)) : item;
}

static PyObject *
partition_next(PyObject *op)
{
    partition_branch *self = partition_branch_CAST(op);
    PyObject *item = NULL;
    if (self->core != NULL) {
        Py_BEGIN_CRITICAL_SECTION(self->core);
        item = partition_take(self);
        Py_END_CRITICAL_SECTION();
    }
    return item != NULL || PyErr_Occurred() ? item : gx_iterator_next(op);
}

static PySendResult
partition_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    partition_branch *self = partition_branch_CAST(op);
    PySendResult answer = PYGEN_ERROR;
    if (how == GX_THROW) {
        PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        return PYGEN_ERROR;
    }
    if (how == GX_SEND && value != Py_None) {
        PyErr_SetString(PyExc_TypeError,
                        "send() cannot pass through a partition branch");
        return PYGEN_ERROR;
    }
    Py_BEGIN_CRITICAL_SECTION(self->core);
    *out = partition_take(self);
    if (*out != NULL) {
        answer = PYGEN_NEXT;
    } else if (!PyErr_Occurred()) {
        PyObject *result = self->core->result;
        *out = Py_NewRef(result != NULL ? result : Py_None);
        answer = PYGEN_RETURN;
    }
    Py_END_CRITICAL_SECTION();
    return answer;
}

/* -- protocol ----------------------------------------------------------- */

/* Leave. The source is taken along if nobody needs it any more: by the first branch to
   come to its end, or the last one to leave. */
static gx_source
partition_leave(partition_branch *self)
{
    partition_core *core = self->core;
    partition_branch *other = partition_other(self);
    if (core->branches[self->side] == self) {
        core->branches[self->side] = NULL;
    }
    if (other != NULL && !core->ended) {
        return GX_SOURCE_NONE;
    }
    gx_source source = core->source;
    core->source = GX_SOURCE_NONE;
    return source;
}

static int
partition_let_go(partition_branch *self, bool close)
{
    partition_core *core = self->core;
    gx_source source;
    gx_ring queue;
    if (core == NULL) {
        return 0;
    }
    Py_BEGIN_CRITICAL_SECTION(core);
    source = partition_leave(self);
    queue = self->queue;
    self->queue = (gx_ring){0};
    Py_END_CRITICAL_SECTION();
    int rc = 0;
    if (close) {
        rc = gx_source_close(PyType_GetModuleState(Py_TYPE(self)), &source);
    }
    PyObject *error = rc < 0 ? PyErr_GetRaisedException() : NULL;
    gx_source_drop(&source);
    gx_ring_clear(&queue);
    return gx_raise_collected(error);
}

/* At the end of the source the `with` of either branch closes it, before that only the
   last branch's close() does. */
static int
partition_release(PyObject *op, bool close)
{
    partition_branch *self = partition_branch_CAST(op);
    if (self->core != NULL) {
        Py_BEGIN_CRITICAL_SECTION(self->core);
        partition_branch *other = partition_other(self);
        close = close || (self->core->ended && other != NULL && other->owner);
        Py_END_CRITICAL_SECTION();
    }
    return partition_let_go(self, close);
}

static int
partition_clear(PyObject *op)
{
    partition_branch *self = partition_branch_CAST(op);
    (void)partition_let_go(self, false);
    Py_CLEAR(self->core);
    return 0;
}

static int
partition_traverse(PyObject *op, visitproc visit, void *arg)
{
    partition_branch *self = partition_branch_CAST(op);
    GX_VISIT_ITERATOR(op);
    Py_VISIT(self->core);
    return gx_ring_visit(&self->queue, visit, arg);
}

/* How many of the source's items are this branch's own is known at the end only. */
static PyObject *
partition_length_hint(PyObject *op, PyObject *Py_UNUSED(unused))
{
    partition_branch *self = partition_branch_CAST(op);
    Py_ssize_t hint = 0;
    if (self->core != NULL && !self->ended) {
        Py_BEGIN_CRITICAL_SECTION(self->core);
        bool known = self->core->ended && !self->core->failed;
        hint = known ? self->queue.size : GX_HINT_UNKNOWN;
        Py_END_CRITICAL_SECTION();
    }
    return gx_hint_object(hint);
}

static PyObject *
partition_repr(PyObject *op)
{
    partition_branch *self = partition_branch_CAST(op);
    if (self->core == NULL || self->ended) {
        return PyUnicode_FromString("partition(<ended>)");
    }
    PyObject *source, *pred, *text = NULL;
    Py_BEGIN_CRITICAL_SECTION(self->core);
    source = gx_source_brief(&self->core->source);
    pred = self->core->pred == NULL ? PyUnicode_FromString("None")
                                    : gx_brief_callable(self->core->pred);
    Py_END_CRITICAL_SECTION();
    if (source != NULL && pred != NULL) {
        text = PyUnicode_FromFormat("partition(%U, %U)[%d]", pred, source, self->side);
    }
    Py_XDECREF(source);
    Py_XDECREF(pred);
    return text;
}

static const gx_protocol partition_protocol = {
    .name = "partition",
    .resume = partition_resume,
    .release = partition_release,
    .clear = partition_clear,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(partition_branch_doc,
"One of the two iterators that partition() makes.\n\n"
"throw() raises at this branch only and ends it; send() of a value is a TypeError.\n"
"close(), or dropping a branch, frees what waits for it, and the last close() closes\n"
"the source.");

static PyMethodDef partition_branch_methods[] = {
    GX_ITERATOR_METHODS,
    {"__length_hint__", partition_length_hint, METH_NOARGS, gx_length_hint_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef partition_branch_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef partition_branch_members[] = {
    GX_WEAKLIST_MEMBER(partition_branch),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot partition_branch_slots[] = {
    {Py_tp_doc, (void *)partition_branch_doc},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, partition_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, partition_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, partition_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, partition_branch_methods},
    {Py_tp_getset, partition_branch_getset},
    {Py_tp_members, partition_branch_members},
    {0, NULL},
};

static PyType_Spec partition_branch_spec = {
    .name = "pygenx.partition_branch",
    .basicsize = sizeof(partition_branch),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = partition_branch_slots,
};

const gx_typedef gx_partition_branch_typedef = {&partition_branch_spec, NULL, false};

/* == partition ========================================================== */

const char gx_partition_doc[] =
    "partition($module, /, pred, iterable, *, maxlen=None)\n--\n\n"
    "Split an iterable into the items for which pred is false and those for which it\n"
    "is true: two iterators, lazy, in this order.\n\n"
    "pred is called once for each item, None is the item's own truth. Items wait for\n"
    "the iterator that has still to take them; if there are maxlen of them, the other\n"
    "one gets BufferError and may try again. An error of the source reaches both.\n"
    "As more_itertools.partition.\n\n"
    ">>> even, odd = partition(lambda n: n % 2, range(6))\n"
    ">>> list(even), list(odd)\n"
    "([0, 2, 4], [1, 3, 5])";

PyObject *
gx_partition_over(gx_state *state, PyObject *pred, PyObject *iterable,
                  Py_ssize_t maxlen)
{
    partition_core *core = partition_core_over(state, pred, iterable, maxlen);
    if (core == NULL) {
        return NULL;
    }
    PyObject *no = partition_branch_of(state, core, 0);
    PyObject *yes = no == NULL ? NULL : partition_branch_of(state, core, 1);
    PyObject *pair = yes == NULL ? NULL : PyTuple_Pack(2, no, yes);
    Py_XDECREF(no);
    Py_XDECREF(yes);
    Py_DECREF(core);
    return pair;
}

PyObject *
gx_partition(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    static const char *const params[] = {"pred", "iterable", "maxlen", NULL};
    static const gx_signature signature = {"partition", params, 0, 2, 2};
    PyObject *out[3];
    Py_ssize_t maxlen;
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0 ||
        gx_as_maxlen(out[2], 1, &maxlen) < 0) {
        return NULL;
    }
    return gx_partition_over(PyModule_GetState(module), out[0], out[1], maxlen);
}
