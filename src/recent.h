/* The keys met last, up to a limit, each of which is told from new ones. */

#ifndef PYGENX_RECENT_H
#define PYGENX_RECENT_H

#include "pygenx.h"

/* New and empty, for at most `limit` >= 1 keys. */
PyObject *gx_recent_new(gx_state *state, Py_ssize_t limit);
/* `key` is the latest now: 1 it was not among them and the oldest made room, 0 it was,
   -1 with an error of hash or `==`, whose way back to the same keys the caller bars. */
int gx_recent_meet(PyObject *recent, PyObject *key);
Py_ssize_t gx_recent_size(PyObject *recent);

#endif
