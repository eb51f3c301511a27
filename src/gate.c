/* Where threads wait for the one that is inside an object, without keeping the
   interpreter from others or Ctrl-C from the user. */

#include "gate.h"

#define WAIT_MICROSECONDS 50000 /* between two looks at signals */

int
gx_gate_init(gx_gate *gate)
{
    gate->lock = PyThread_allocate_lock();
    if (gate->lock == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

void
gx_gate_free(gx_gate *gate)
{
    if (gate->lock != NULL) {
        PyThread_free_lock(gate->lock);
        gate->lock = NULL;
    }
}

int
gx_gate_wait(gx_gate *gate, PyObject *op, const char *name, int64_t microseconds)
{
    if (gate->lock == NULL || gate->inside == PyThread_get_thread_ident()) {
        gx_reentrancy(op, name);
        return -1;
    }
    if (!gate->shut) {
        gate->shut = PyThread_acquire_lock(gate->lock, NOWAIT_LOCK) != 0;
    }
    if (microseconds > WAIT_MICROSECONDS) {
        microseconds = WAIT_MICROSECONDS;
    }
    PyLockStatus status;
    Py_BEGIN_ALLOW_THREADS
    status = PyThread_acquire_lock_timed(gate->lock, microseconds, 1);
    Py_END_ALLOW_THREADS
    if (status == PY_LOCK_ACQUIRED) {
        PyThread_release_lock(gate->lock);
    }
    return PyErr_CheckSignals();
}
