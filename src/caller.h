/* A callable that is called for one item after the other by a type that is no pipeline:
   the key of groupby, the predicate of partition. Python functions are lifted once that
   pays, as in a run. */

#ifndef PYGENX_CALLER_H
#define PYGENX_CALLER_H

#include "native.h"

/* All zero to begin with. The callable itself belongs to the type. */
typedef struct {
    gx_binding *native; /* owned; NULL: the function is called */
    int countdown;      /* calls until it is looked at again */
    int looks;          /* so far */
    bool stays_called;  /* it will not be lifted */
    bool running;       /* a call is under way: a second one has no registers */
} gx_caller;

/* Every so many calls; -1 with an error. `owner` is of a type of ours. */
int gx_caller_look(gx_caller *caller, PyObject *owner, PyObject *func, int nargs);
PyObject *gx_caller_run(gx_caller *caller, PyObject *func, PyObject **args, int nargs);
void gx_caller_drop(gx_caller *caller);

/* func(*args), args[-1] being scratch. */
static inline PyObject *
gx_caller_call(gx_caller *caller, PyObject *owner, PyObject *func, PyObject **args,
               int nargs)
{
    if (--caller->countdown < 0 && gx_caller_look(caller, owner, func, nargs) < 0) {
        return NULL;
    }
    return caller->native != NULL && !caller->running
               ? gx_caller_run(caller, func, args, nargs)
               : gx_call_func(func, args, (size_t)nargs);
}

#define GX_VISIT_CALLER(caller)                                          \
    do {                                                                 \
        if ((caller)->native != NULL) {                                  \
            int rc_ = gx_binding_traverse((caller)->native, visit, arg); \
            if (rc_ != 0) {                                              \
                return rc_;                                              \
            }                                                            \
        }                                                                \
    } while (0)

#endif
