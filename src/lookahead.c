/* What the iterators that look ahead share: the ring they keep items in, and how they ask
   the source and let go of it. */

#include "lookahead.h"

/* -- ring --------------------------------------------------------------- */

#define FIRST_ROOM 8

int
gx_ring_grow(gx_ring *ring, Py_ssize_t more)
{
    size_t wanted = (size_t)ring->size + (size_t)more;
    size_t room = ring->room == 0 ? FIRST_ROOM : ring->room;
    while (room < wanted) {
        room *= 2; /* cannot overflow: as many references exist */
    }
    if (room == ring->room) {
        return 0;
    }
    PyObject **slots = PyMem_New(PyObject *, room);
    if (slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < ring->size; i++) {
        slots[i] = *gx_ring_at(ring, i);
    }
    PyMem_Free(ring->slots);
    *ring = (gx_ring){.slots = slots, .room = room, .size = ring->size};
    return 0;
}

void
gx_ring_shrink(gx_ring *ring)
{
    PyMem_Free(ring->slots);
    *ring = (gx_ring){0};
}

/* What the items' end runs sees an empty ring. */
void
gx_ring_clear(gx_ring *ring)
{
    gx_ring old = *ring;
    *ring = (gx_ring){0};
    for (Py_ssize_t i = 0; i < old.size; i++) {
        gx_ring_discard(*gx_ring_at(&old, i));
    }
    PyMem_Free(old.slots);
}

int
gx_ring_visit(const gx_ring *ring, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < ring->size; i++) {
        Py_VISIT(gx_ring_untag(*gx_ring_at(ring, i)));
    }
    return 0;
}

PyObject *
gx_ring_slice(const gx_ring *ring, Py_ssize_t start, Py_ssize_t step, Py_ssize_t count)
{
    PyObject *list = PyList_New(count);
    if (list != NULL) {
        gx_ring_fill(list, ring, start, step);
    }
    return list;
}

void
gx_ring_fill(PyObject *list, const gx_ring *ring, Py_ssize_t start, Py_ssize_t step)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyList_SET_ITEM(list, i, Py_NewRef(*gx_ring_at(ring, start + i * step)));
    }
}

/* -- the source --------------------------------------------------------- */

int
gx_lookahead_no_item(gx_lookahead *self)
{
    PyObject *value;
    if (!gx_ended(&value)) {
        return -1;
    }
    if (self->source.fetch == gx_fetch_none) { /* known already */
        Py_DECREF(value);
        return 0;
    }
    Py_XSETREF(self->returned, value);
    return self->owner
               ? gx_source_close(PyType_GetModuleState(Py_TYPE(self)), &self->source)
               : (gx_source_drop(&self->source), 0);
}

int
gx_lookahead_take(gx_lookahead *self)
{
    if (gx_ring_reserve(&self->ring) < 0) {
        return -1;
    }
    PyObject *item = gx_next(&self->source);
    if (item == NULL) {
        return gx_lookahead_no_item(self);
    }
    gx_ring_push(&self->ring, item);
    return 1;
}

PySendResult
gx_lookahead_return(gx_lookahead *self, PyObject **out)
{
    *out = Py_NewRef(self->returned != NULL ? self->returned : Py_None);
    return PYGEN_RETURN;
}

PySendResult
gx_lookahead_answer(gx_lookahead *self, gx_how how, PyObject *value, PyObject **out)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(self));
    PySendResult answer = gx_source_resume(state, &self->source, how, value, out);
    if (answer != PYGEN_RETURN) {
        return answer;
    }
    self->survives = true; /* the source took what was thrown */
    Py_XSETREF(self->returned, *out);
    *out = NULL;
    if (self->owner) {
        return gx_source_close(state, &self->source) < 0 ? PYGEN_ERROR : answer;
    }
    gx_source_drop(&self->source);
    return answer;
}

/* -- looking ahead ------------------------------------------------------ */

int
gx_lookahead_idle(gx_lookahead *self)
{
    if (self->running) {
        gx_reentrancy((PyObject *)self, self->protocol->name);
        return -1;
    }
    return 0;
}

int
gx_lookahead_fill(gx_lookahead *self, Py_ssize_t n)
{
    if (gx_lookahead_idle(self) < 0) {
        return -1;
    }
    if (self->ring.size >= n || self->ended) {
        return self->ring.size >= n;
    }
    gx_breath breath = GX_BREATH(GX_INTERVAL_CALLS);
    int taken = 1;
    self->started = true;
    self->running = true;
    while (taken > 0 && self->ring.size < n) {
        taken = gx_lookahead_take(self);
        if (taken > 0 && gx_tick(&breath) < 0) {
            taken = -1;
        }
    }
    self->running = false;
    if (taken < 0) {
        self->protocol->note((PyObject *)self);
    }
    return taken;
}

int
gx_lookahead_parse_peek(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                        PyObject **missing)
{
    static const char *const params[] = {"default", NULL};
    static const gx_signature signature = {"peek", params, 0, 0, 1};
    return gx_parse(&signature, args, (size_t)nargs, kwnames, missing);
}

/* Who has looked and found the end may read what the source returned. */
int
gx_lookahead_seen(gx_lookahead *self, int there)
{
    if (there == 0 && self->returned != NULL && self->returned != Py_None) {
        Py_XSETREF(self->result, Py_NewRef(self->returned));
    }
    return there;
}

PyObject *
gx_lookahead_nothing(gx_lookahead *self, PyObject *missing)
{
    (void)gx_lookahead_seen(self, 0);
    if (missing != NULL) {
        return Py_NewRef(missing);
    }
    PyObject *value;
    PySendResult answer = gx_lookahead_return(self, &value);
    return gx_item_or_raise(answer, value);
}

/* -- protocol ----------------------------------------------------------- */

int
gx_lookahead_release(PyObject *op, bool close)
{
    gx_lookahead *self = gx_lookahead_CAST(op);
    if (close) {
        return gx_source_close(PyType_GetModuleState(Py_TYPE(op)), &self->source);
    }
    gx_source_drop(&self->source);
    return 0;
}

int
gx_lookahead_clear(PyObject *op)
{
    gx_lookahead *self = gx_lookahead_CAST(op);
    gx_source_drop(&self->source);
    gx_ring_clear(&self->ring);
    Py_CLEAR(self->returned);
    return 0;
}

int
gx_lookahead_traverse(PyObject *op, visitproc visit, void *arg)
{
    gx_lookahead *self = gx_lookahead_CAST(op);
    GX_VISIT_ITERATOR(op);
    GX_VISIT_SOURCE(&self->source);
    Py_VISIT(self->returned);
    return gx_ring_visit(&self->ring, visit, arg);
}

PyObject *
gx_lookahead_repr(PyObject *op)
{
    PyObject *source, *text;
    Py_BEGIN_CRITICAL_SECTION(op);
    source = gx_source_brief(&gx_lookahead_CAST(op)->source);
    Py_END_CRITICAL_SECTION();
    text = source == NULL ? NULL
                          : PyUnicode_FromFormat(
                                "%s(%U)", gx_iterator_CAST(op)->protocol->name, source);
    Py_XDECREF(source);
    return text;
}
