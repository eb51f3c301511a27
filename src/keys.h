/* A set of keys that only grows: what has come before, as fast as it can be told. */

#ifndef PYGENX_KEYS_H
#define PYGENX_KEYS_H

#include "pygenx.h"

/* New and empty. */
PyObject *gx_keys_new(gx_state *state);
/* Put `key` in: 1 it was not there, 0 it was, -1 with the error of its hash or of an
   `==`. The caller sees to it that these do not come back to the same keys. */
int gx_keys_add(PyObject *keys, PyObject *key);
Py_ssize_t gx_keys_size(PyObject *keys);

#endif
