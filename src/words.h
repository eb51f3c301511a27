/* Word counting: steps that make words of text, in front of frequencies(), as one. */

#ifndef PYGENX_WORDS_H
#define PYGENX_WORDS_H

#include "pipeline.h"

/* Is what the step does to an exact str this method, with no arguments? It calls it as
   str itself has it, or was lifted and does nothing else. */
bool gx_is_str_method(gx_run *run, gx_step *step, gx_str_method which);

/* A frequencies() step begins, or how steps are called has changed: where those before
   it are now
   map(str.strip or str.lower)... flat_map(str.split) map(str.strip or str.lower)...
   the first of them does the work of all, for each exact str, and step->key has what it
   counted. Otherwise step->key is NULL. 0 or -1. */
int gx_words_look(gx_run *run, gx_step *step);
/* Add what has been counted so to the Counter. 0 or -1. */
int gx_words_merge(gx_run *run, gx_step *step);

/* counter[key] += number. The dict, and what is in it, can be found through gc. */
static inline int
gx_count_item(PyObject *counter, PyObject *key, PyObject *number)
{
    PyObject *count = PyDict_GetItemWithError(counter, key);
    if (count == NULL) {
        return PyErr_Occurred() ? -1 : PyDict_SetItem(counter, key, number);
    }
    Py_INCREF(count); /* adding may run anything, if somebody has put it there */
    PyObject *more = PyNumber_Add(count, number);
    Py_DECREF(count);
    int rc = more == NULL ? -1 : PyDict_SetItem(counter, key, more);
    Py_XDECREF(more);
    return rc;
}

#endif
