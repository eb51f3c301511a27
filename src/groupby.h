/* What groupby and its groups share: the one struct that both read through. */

#ifndef PYGENX_GROUPBY_H
#define PYGENX_GROUPBY_H

#include "caller.h"
#include "source.h"

/* What has been read of the source and not been handed out. */
typedef enum {
    AHEAD_NOTHING,
    AHEAD_FIRST,    /* `item` is the first of the open group */
    AHEAD_BOUNDARY, /* `item` begins a new group of key `next_key` */
    AHEAD_ANSWER,   /* `item` came from throw(): its key is not known yet */
} groupby_ahead;

typedef struct {
    GX_ITERATOR_HEAD
    gx_source source;   /* none once it has ended; `result` is its value */
    PyObject *key_func; /* owned; NULL: an item is its own key */
    gx_caller caller;
    PyObject *key;            /* owned: of the group made last, NULL before it */
    PyObject *next_key;       /* owned, with AHEAD_BOUNDARY only */
    PyObject *item;           /* owned, NULL with AHEAD_NOTHING only */
    gx_source answers;        /* what throw() gave, a list, to come behind `item` */
    PyTypeObject *group_type; /* owned */
    void *spare;              /* owned memory of a dead group, for the next one */
    groupby_ahead ahead;
    PyObject *open;   /* borrowed: the group that may read, NULL for none; one that
                         dies takes itself out */
    Py_ssize_t index; /* items taken from the source */
    gx_breath breath; /* ticks once per item skipped */
} groupby_object;

#define groupby_CAST(op) ((groupby_object *)(op))

/* For the groups. `running` is set by the caller, who holds the section. */

/* The next item of the open group, or NULL: at its boundary, at the end of the
   source or with an error. */
PyObject *gx_groupby_step(groupby_object *self);
/* Skip what is left of the open group and close it: 1 an item begins a new group,
   0 the source has ended, -1 error. */
int gx_groupby_seek(groupby_object *self);
/* Throw into the source. What it answers comes behind what has been read ahead. */
int gx_groupby_throw(groupby_object *self, PyObject *exc);
/* What send() of a value comes to: PYGEN_ERROR with TypeError. */
PySendResult gx_groupby_refuse_send(void);
PyObject *gx_groupby_repr(PyObject *op);
PyObject *gx_groupby_length_hint(PyObject *op, PyObject *unused);

/* The parent's next group, which the parent has to open. */
PyObject *gx_group_new(groupby_object *parent);
/* Free the memory that was kept for it. */
void gx_group_free_spare(groupby_object *parent);

#endif
