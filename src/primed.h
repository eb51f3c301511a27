/* What primed and the awaitable it makes of async generators share. */

#ifndef PYGENX_PRIMED_H
#define PYGENX_PRIMED_H

#include "pygenx.h"

/* RuntimeError "f() ended before its first yield" from `cause`, which is stolen and may
   be NULL with an error set. Its .value (borrowed) is what the generator returned. */
void gx_primed_ended(gx_state *state, PyObject *func, PyObject *value, PyObject *cause);
/* The note of an error raised before the first yield. */
void gx_primed_note(PyObject *func);
/* primed_start.c: the awaitable that advances agen, which is stolen. */
PyObject *gx_primed_start_new(PyTypeObject *type, PyObject *func, PyObject *agen);

#endif
