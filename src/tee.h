/* What the two files of tee share: the buffer (tee_buffer.c) and the branches that
   read it (tee.c). */

#ifndef PYGENX_TEE_H
#define PYGENX_TEE_H

#include "gate.h"
#include "source.h"

/* A position is an item's (or error's) number in the buffer. Three of them matter:

       tail  <=  position of any branch  <=  head

   From tail up to head the buffer owns one reference to each item; what comes at head
   is asked of the source by a branch that stands there. The last branch to leave the
   tail takes the buffer's own reference along, so an item lives no longer than it
   must, and branches in step cost no more references than one iterator. */

#define TEE_SLOTS 32 /* to a block, which stays well under pymalloc's 512 bytes */
#define TEE_LAST (TEE_SLOTS - 1)
#define TEE_SLOT(position) ((size_t)(position) % TEE_SLOTS)

typedef struct tee_block tee_block;
typedef struct tee_branch tee_branch;

struct tee_block {
    tee_block *next;            /* owned, or NULL */
    uint32_t errors;            /* bit i: items[i] is to be raised */
    uint32_t special;           /* the same, and the last slot's bit */
    PyObject *items[TEE_SLOTS]; /* owned between tail and head, else garbage */
};

enum tee_flag {
    TEE_ENDED = 1,  /* the source has no more */
    TEE_STRICT = 2, /* there is a gate or a maxlen */
    TEE_FAILED = 4, /* an error has been stored: no length is known */
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
    Py_ssize_t at_tail; /* branches that stand there; 0 only while trimming */
    Py_ssize_t beyond;  /* if at_tail <= 1: no other branch stands before it */
    Py_ssize_t direct;  /* items given to the only branch without a position */
    Py_ssize_t maxlen;  /* head - tail never exceeds it */
    gx_gate gate;       /* without lock=True there is none */
    bool running;       /* a branch is asking the source: head stands still */
    uint8_t flags;      /* of enum tee_flag */
} tee_buffer;

#define tee_buffer_CAST(op) ((tee_buffer *)(op))

struct tee_branch {
    GX_ITERATOR_HEAD
    tee_buffer *buffer;  /* owned, the same for life; NULL once cleared */
    tee_block *block;    /* borrowed: holds slot `position`; NULL: has left */
    Py_ssize_t position; /* next to take */
    tee_branch *before;  /* borrowed: neighbours in buffer->branches */
    tee_branch *after;   /* borrowed */
};

#define tee_branch_CAST(op) ((tee_branch *)(op))

/* The function tee() in two halves (tee.c), for it and for pipe.tee(): n, lock and
   maxlen as gx_parse leaves them; the tuple of branches. */
typedef struct {
    Py_ssize_t n;
    Py_ssize_t maxlen; /* PY_SSIZE_T_MAX: no limit */
    int lock;
} tee_options;

int gx_tee_parse(PyObject *const *args, tee_options *options);
PyObject *gx_tee_over(gx_state *state, PyObject *iterable, const tee_options *options);

/* Called with the buffer's critical section held, but for over() and next(). */

/* A new buffer without branches; maxlen PY_SSIZE_T_MAX: no limit. */
tee_buffer *gx_tee_buffer_over(gx_state *state, PyObject *iterable, bool lock,
                               Py_ssize_t maxlen);
/* lock=True for a buffer that has none: 0, or -1 with MemoryError. */
int gx_tee_add_gate(tee_buffer *buffer);
/* The source gave no item: it has ended, or its error takes the item's place. */
void gx_tee_no_item(tee_branch *branch);
/* The next item, or NULL: with an error or at the end. */
PyObject *gx_tee_take(tee_branch *branch);
/* tp_iternext of branches, for all that tee_branch_next leaves to it. */
PyObject *gx_tee_next(PyObject *branch);
/* Take one's place among the branches, and leave it: frees what only this branch had
   still to read. */
void gx_tee_join(tee_branch *branch, tee_block *block, Py_ssize_t position);
void gx_tee_leave(tee_branch *branch);

/* Put an item (stolen) at the head and step over it. There is another branch to read
   it. After the last slot tee_ask_strictly sees to the block. */
static inline void
tee_append(tee_branch *branch, tee_buffer *self, PyObject *item)
{
    Py_ssize_t position = branch->position;
    branch->block->items[TEE_SLOT(position)] = item;
    if (position == self->tail) {
        self->at_tail--;
    }
    branch->position = self->head = position + 1;
}

/* Ask the source. The flags keep head and this branch where they are; user code may
   still read, make, close and drop other branches. Containers and leaves run none. */
static inline PyObject *
tee_ask(tee_branch *branch)
{
    tee_buffer *self = branch->buffer;
    bool loud = self->source.fetch == gx_fetch_shallow ||
                self->source.fetch == gx_fetch_guarded;
    if (loud) {
        branch->running = self->running = true;
    }
    PyObject *item = gx_next(&self->source);
    if (item == NULL) {
        branch->running = self->running = true;
        gx_tee_no_item(branch);
        loud = true;
    } else if (self->n_branches > 1) {
        tee_append(branch, self, Py_NewRef(item));
    } else {
        self->direct++;
    }
    if (loud) {
        branch->running = self->running = false;
    }
    return item;
}

#endif
