/* Generator expressions that have been taken apart: what the run of a pipe reads in
   place of the generator. */

#ifndef PYGENX_NATIVE_GENERATOR_H
#define PYGENX_NATIVE_GENERATOR_H

#include "native.h"
#include "source.h"

/* One `for`. The binding's program is run for each item of the source. */
typedef struct {
    gx_source source;    /* none unless it is being read */
    gx_binding *binding; /* owned; NULL after the end */
} gx_for;

/* Not an iterator: its owner reads it by a gx_source with the lane
   gx_fetch_native_generator, and guards against re-entry. */
typedef struct {
    PyObject_HEAD
    gx_state *state;  /* borrowed: of the module */
    PyObject *module; /* owned: the state is needed when the type has been cleared */
    int nfors;
    int top;          /* the `for` that is asked next; -1 after the end */
    bool started;     /* an item has been asked for */
    Py_ssize_t items; /* taken from the source of the first `for` */
    gx_breath breath; /* filters may pass over many items */
    gx_for fors[GX_FORS];
} gx_native_generator;

PyObject *gx_fetch_native_generator(gx_source *source);

/* Borrowed; NULL: it reads something else. */
static inline gx_native_generator *
gx_native_generator_of(const gx_source *source)
{
    return source->fetch == gx_fetch_native_generator
               ? (gx_native_generator *)source->obj
               : NULL;
}

/* send(value) and throw(exc), as of the generator. */
PySendResult gx_native_generator_send(gx_source *source, PyObject *value,
                                      PyObject **out);
PySendResult gx_native_generator_throw(gx_source *source, PyObject *exc,
                                       PyObject **out);

/* A new one over a source, which moves into it only on success; the natives of `func`,
   bound. NULL with an error, or without one where it cannot be. */
gx_native_generator *gx_native_generator_new(gx_state *state, gx_native *native,
                                             PyObject *func, gx_source *source);

/* Take the generator that `source` reads apart if it is a generator expression, nobody
   else can see it, and it pays: 1 the source reads what it was made into, 0 not, -1 with
   an error and nothing changed. 0 with *watched, a new reference: tell
   gx_generator_was_long if it yields many items (take_apart.c). */
int gx_take_apart(gx_state *state, gx_source *source, PyObject **watched);
int gx_generator_was_long(gx_state *state, PyObject *code, Py_ssize_t items);

#define GX_LONG_GENERATOR 128 /* so many items pay for taking apart */

#endif
