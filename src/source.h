/* Where items come from: one struct for "an iterable being read", with a lane
   per way to read it. Used by every type that has a source. */

#ifndef PYGENX_SOURCE_H
#define PYGENX_SOURCE_H

#include "pygenx.h"

typedef struct gx_source gx_source;

/* New reference, or NULL at the end (perhaps with StopIteration) or on error. */
typedef PyObject *(*gx_fetch)(gx_source *);

/* Invariant: `fetch` is never NULL; gx_fetch_none exactly when nothing is open.
   The lanes over containers and leaves run no user code; generator and guarded do:
   their caller has set `running`, so nobody closes the source meanwhile. */
struct gx_source {
    gx_fetch fetch;   /* the lane */
    PyObject *obj;    /* owned: a container of these lanes, else the iterator */
    Py_ssize_t index; /* containers: next index; range: items left; others: calls */
    long long value;  /* range: next value; memoryview: its length at the start */
    long long step;   /* range: distance to the one after */
};

PyObject *gx_fetch_none(gx_source *source);
PyObject *gx_fetch_list(gx_source *source);
PyObject *gx_fetch_tuple(gx_source *source);
PyObject *gx_fetch_range(gx_source *source);
PyObject *gx_fetch_array(gx_source *source);
PyObject *gx_fetch_memory(gx_source *source);
PyObject *gx_fetch_leaf(gx_source *source);
PyObject *gx_fetch_shallow(gx_source *source);
PyObject *gx_fetch_guarded(gx_source *source);

/* Objects lie anywhere: the one that comes so many items later is fetched into the cache
   meanwhile. Only its memory is touched, whatever becomes of it. */
#define GX_AHEAD 8

/* The next item, by the lane; the commonest are laid out in place. */
static inline PyObject *
gx_next(gx_source *source)
{
#ifndef Py_GIL_DISABLED
    if (source->fetch == gx_fetch_list) {
        PyObject *list = source->obj;
        if (source->index >= PyList_GET_SIZE(list)) {
            return NULL;
        }
        if (source->index + GX_AHEAD < PyList_GET_SIZE(list)) {
            GX_PREFETCH(PyList_GET_ITEM(list, source->index + GX_AHEAD));
        }
        return Py_NewRef(PyList_GET_ITEM(list, source->index++));
    }
#endif
    if (source->fetch == gx_fetch_shallow) {
        return Py_TYPE(source->obj)->tp_iternext(source->obj);
    }
    return source->fetch(source);
}

/* How many items lie ready in a list or tuple, to be had without running any code... */
Py_ssize_t gx_ready(const gx_source *source);
/* ...and at most n of them, into places that are NULL: how many. */
Py_ssize_t gx_take_ready(gx_source *source, PyObject **out, Py_ssize_t n);

/* An unopened source; also what a zeroed struct has to be made into before use. */
#define GX_SOURCE_NONE ((gx_source){.fetch = gx_fetch_none})

/* Open `iterable` (iter() may run user code) into a source that has nothing open.
   -1 with iter()'s own error; then nothing is open. */
int gx_source_open(gx_state *state, gx_source *source, PyObject *iterable);
/* The same of what iter() gave already. Steals the iterator; never fails. */
void gx_source_adopt(gx_state *state, gx_source *source, PyObject *iterator);

/* Let go: the lane goes first, so that whatever the reference's end runs sees a
   source that has ended. */
static inline void
gx_source_drop(gx_source *source)
{
    PyObject *obj = source->obj;
    source->fetch = gx_fetch_none;
    source->obj = NULL;
    Py_XDECREF(obj);
}

/* Call obj.close() if there is one, then let go. -1 with its error. Containers
   have nothing to close. */
int gx_source_close(gx_state *state, gx_source *source);
/* The same for any object; 0 if it has no close. */
int gx_close(gx_state *state, PyObject *obj);
/* send(value) of the open source; AttributeError where it has none. */
PySendResult gx_source_send(gx_source *source, PyObject *value, PyObject **out);
/* throw(exc) into the open source; without a throw() close it and raise exc. A
   StopIteration comes back as PYGEN_RETURN with its value. */
PySendResult gx_source_throw(gx_state *state, gx_source *source, PyObject *exc,
                             PyObject **out);
/* resume() in terms of the above. */
PySendResult gx_source_resume(gx_state *state, gx_source *source, gx_how how,
                              PyObject *value, PyObject **out);
/* Exact number of items left, GX_HINT_UNKNOWN or GX_HINT_ERROR; no user code runs. */
Py_ssize_t gx_source_hint(const gx_source *source);
/* Iterators of builtin containers: they run no user code. */
bool gx_is_leaf(const gx_state *state, PyTypeObject *type);
/* Length of an exact builtin container, else GX_HINT_UNKNOWN: an iterator may be
   somebody else's too. */
Py_ssize_t gx_length_of(PyObject *obj);
/* Pass over up to n items of an open container, unread: their number. */
Py_ssize_t gx_source_skip(gx_source *source, Py_ssize_t n);
/* What repr and notes call it: "<list>", "<generator>". New reference. */
PyObject *gx_source_brief(const gx_source *source);

#define GX_VISIT_SOURCE(source) Py_VISIT((source)->obj)

#endif
