/* What peekable.c, seekable.c and partition.c hold back: a queue of references, and the
   iterator that looks ahead by one. */

#ifndef PYGENX_LOOKAHEAD_H
#define PYGENX_LOOKAHEAD_H

#include "source.h"

/* -- a ring of references ----------------------------------------------- */

/* A reference in a ring may be tagged, for an error among items: no object has an odd
   address. */
static inline PyObject *
gx_ring_tag(PyObject *item)
{
    return (PyObject *)((uintptr_t)item | 1);
}

static inline bool
gx_ring_is_tagged(PyObject *item)
{
    return ((uintptr_t)item & 1) != 0;
}

static inline PyObject *
gx_ring_untag(PyObject *item)
{
    return (PyObject *)((uintptr_t)item & ~(uintptr_t)1);
}

/* Let go of an item, tagged or not, that is in no ring. */
static inline void
gx_ring_discard(PyObject *item)
{
    Py_DECREF(gx_ring_untag(item));
}

/* Room for a power of two, from one end to the other and round again. A zeroed struct
   is an empty ring. Nothing but gx_ring_clear runs user code. */
typedef struct {
    PyObject **slots; /* owned, `room` of them; NULL while room is 0 */
    size_t room;      /* 0 or a power of two */
    size_t first;     /* where the oldest item is, less than room */
    Py_ssize_t size;  /* owned items from there on */
} gx_ring;

/* See to it that `more` items can be pushed: 0, or -1 with MemoryError. */
int gx_ring_grow(gx_ring *ring, Py_ssize_t more);
void gx_ring_clear(gx_ring *ring);
int gx_ring_visit(const gx_ring *ring, visitproc visit, void *arg);
/* The list of `count` items from `start` on, each `step` after the one before. */
PyObject *gx_ring_slice(const gx_ring *ring, Py_ssize_t start, Py_ssize_t step,
                        Py_ssize_t count);
/* The same into a new list of nothing yet, by whose length it goes. */
void gx_ring_fill(PyObject *list, const gx_ring *ring, Py_ssize_t start,
                  Py_ssize_t step);
/* Give memory back once a ring that was large is empty. */
void gx_ring_shrink(gx_ring *ring);

#define GX_RING_KEPT 256 /* slots that an empty ring may keep */

static inline int
gx_ring_reserve(gx_ring *ring)
{
    return (size_t)ring->size < ring->room ? 0 : gx_ring_grow(ring, 1);
}

/* Where item number `index` is. */
static inline PyObject **
gx_ring_at(const gx_ring *ring, Py_ssize_t index)
{
    return ring->slots + ((ring->first + (size_t)index) & (ring->room - 1));
}

/* Steals the item; there is room. */
static inline void
gx_ring_push(gx_ring *ring, PyObject *item)
{
    *gx_ring_at(ring, ring->size) = item;
    ring->size++;
}

/* The oldest item, of at least one. */
static inline PyObject *
gx_ring_pop(gx_ring *ring)
{
    PyObject *item = ring->slots[ring->first];
    ring->first = (ring->first + 1) & (ring->room - 1);
    if (--ring->size == 0 && ring->room > GX_RING_KEPT) {
        gx_ring_shrink(ring);
    }
    return item;
}

/* -- an iterator that looks ahead --------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    gx_source source;   /* none once it has ended */
    gx_ring ring;       /* items taken from the source and kept */
    PyObject *returned; /* owned: what the source returned, NULL before its end */
} gx_lookahead;

#define gx_lookahead_CAST(op) ((gx_lookahead *)(op))

/* Called with `running` set. Take one item into the ring: 1; 0 the source has ended, and
   has been let go of; -1 error. */
int gx_lookahead_take(gx_lookahead *self);
/* The source gave no item: the same answers. */
int gx_lookahead_no_item(gx_lookahead *self);
/* send(value) or throw(exc) of the source. PYGEN_RETURN: it has ended with that. */
PySendResult gx_lookahead_answer(gx_lookahead *self, gx_how how, PyObject *value,
                                 PyObject **out);
/* PYGEN_RETURN with what the source returned. */
PySendResult gx_lookahead_return(gx_lookahead *self, PyObject **out);

/* Called without. Take items until the ring has n: 1; 0 there are fewer; -1 error. */
int gx_lookahead_fill(gx_lookahead *self, Py_ssize_t n);
/* The argument of peek(), NULL where it is not given. */
int gx_lookahead_parse_peek(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                            PyObject **missing);
/* `there`, the answer of fill: at the end .result can be read from now on. */
int gx_lookahead_seen(gx_lookahead *self, int there);
/* peek()'s answer where there is no item: the default, or NULL with StopIteration. */
PyObject *gx_lookahead_nothing(gx_lookahead *self, PyObject *missing);
/* 0, or -1 with ReentrancyError. */
int gx_lookahead_idle(gx_lookahead *self);

/* partition() over a pipe's source: the pair of branches, or NULL. maxlen
   PY_SSIZE_T_MAX: no limit (partition.c). */
PyObject *gx_partition_over(gx_state *state, PyObject *pred, PyObject *iterable,
                            Py_ssize_t maxlen);

/* -- seekable ----------------------------------------------------------- */

/* Positions are those of the source's items, from 0; the ring holds some in a row:

       first  <=  position  <=  first + ring.size, the head

   What comes at the head is asked of the source. What is before `position` may be let
   go of, so that no more than maxlen are kept; what is not read yet never is. */
typedef struct {
    gx_lookahead base;
    Py_ssize_t first;    /* position of the ring's oldest item */
    Py_ssize_t position; /* of the item that next() will give */
    Py_ssize_t maxlen;   /* PY_SSIZE_T_MAX: all are kept */
} gx_seekable;

#define gx_seekable_CAST(op) ((gx_seekable *)(op))

/* -1 with the LookupError of a position that is not kept any more. */
int gx_seekable_evicted(const gx_seekable *self, Py_ssize_t position);
/* seekable_elements.c: how many items are kept; the one, or the list, that is
   seekable[key] or elements()[key]; elements(). */
Py_ssize_t gx_seekable_size(PyObject *op);
PyObject *gx_seekable_get(PyObject *op, PyObject *key, bool of_view);
PyObject *gx_seekable_elements(PyObject *op, PyObject *unused);

int gx_lookahead_release(PyObject *op, bool close);
int gx_lookahead_clear(PyObject *op);
int gx_lookahead_traverse(PyObject *op, visitproc visit, void *arg);
PyObject *gx_lookahead_repr(PyObject *op);

#endif
