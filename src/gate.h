/* Where threads wait for the one that is inside an object. */

#ifndef PYGENX_GATE_H
#define PYGENX_GATE_H

#include "pygenx.h"

#include <pythread.h>

/* Who is inside takes no lock. Who has to wait shuts the gate on its behalf and queues
   there; the one inside opens it as it leaves if it finds it shut. So waiters are let
   in soon, even if the thread inside comes back at once, and without waiters all this
   costs two comparisons. A lock that is held but not `shut` is held by a waiter on its
   way in. All fields are read and written in the critical section of the object. */
typedef struct {
    PyThread_type_lock lock; /* owned; NULL: there is no gate */
    unsigned long inside;    /* the thread that is inside, if one is */
    bool shut;               /* by a waiter, for the thread inside to open */
} gx_gate;

/* -1 with MemoryError. */
int gx_gate_init(gx_gate *gate);
void gx_gate_free(gx_gate *gate);
/* Somebody is inside: wait a little, and look at signals: 0 look again, -1 error. At
   most `microseconds`, if that is little. ReentrancyError in the thread inside. */
int gx_gate_wait(gx_gate *gate, PyObject *op, const char *name, int64_t microseconds);

static inline void
gx_gate_enter(gx_gate *gate)
{
    gate->inside = PyThread_get_thread_ident();
}

static inline void
gx_gate_leave(gx_gate *gate)
{
    if (gate->shut) {
        gate->shut = false;
        PyThread_release_lock(gate->lock);
    }
}

#endif
