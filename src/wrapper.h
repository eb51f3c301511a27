/* Callables that stand for a function, as functools.wraps makes them, without a
   Python frame: what primed and a timing decorator return. */

#ifndef PYGENX_WRAPPER_H
#define PYGENX_WRAPPER_H

#include "pygenx.h"

#define GX_WRAPPER_HEAD                                                           \
    PyObject_HEAD                                                                 \
    vectorcallfunc vectorcall;                                                    \
    PyObject *func;   /* owned; never replaced, NULL after tp_clear */            \
    PyObject *origin; /* owned: func, or the origin of that if it is a wrapper */ \
    PyObject *dict;   /* owned: __dict__, made by gx_wrapper_update */            \
    PyObject *weakrefs;

typedef struct {
    GX_WRAPPER_HEAD
} gx_wrapper;

#define gx_wrapper_CAST(op) ((gx_wrapper *)(op))

/* A wrapper of `func` with every further field zero. The caller fills those, then
   calls gx_wrapper_update, which runs user code. */
PyObject *gx_wrapper_new(PyTypeObject *type, PyObject *func, vectorcallfunc call);
/* functools.update_wrapper. Steals op; NULL with its error. op may be NULL. */
PyObject *gx_wrapper_update(PyObject *op);

PyObject *gx_wrapper_call_guarded(gx_wrapper *self, PyObject *const *args,
                                  size_t nargsf, PyObject *kwnames);

/* Call the function. Python functions count their own depth, and are called through
   their own field: PyObject_Vectorcall would find the same with two more calls. */
static inline PyObject *
gx_wrapper_call(gx_wrapper *self, PyObject *const *args, size_t nargsf,
                PyObject *kwnames)
{
    if (self->func != NULL && PyFunction_Check(self->func)) {
        vectorcallfunc call = ((PyFunctionObject *)self->func)->vectorcall;
        return call(self->func, args, nargsf, kwnames);
    }
    return gx_wrapper_call_guarded(self, args, nargsf, kwnames);
}

/* A classmethod or staticmethod is decorated on the inside. */
bool gx_is_method_object(PyObject *func);
/* type(func)(decorator(func.__func__)) */
PyObject *gx_rewrap(gx_state *state, PyObject *decorator, PyObject *func);

/* `format` with %U for the function's short name: the repr of what it is part of. */
PyObject *gx_function_repr(const char *format, PyObject *func);
/* op's own attribute, else the one of `inner` (may be NULL). */
PyObject *gx_getattr_through(PyObject *op, PyObject *inner, PyObject *name);
/* co_flags of obj's attribute `name` if that is a code object, else 0; -1 on error. */
int gx_code_flags(PyObject *obj, PyObject *name);
/* What `await obj` would resume, or NULL with TypeError. */
PyObject *gx_awaitable_iter(gx_state *state, PyObject *obj);

/* Slots and tables for the types. */
PyObject *gx_wrapper_getattro(PyObject *op, PyObject *name);
PyObject *gx_wrapper_descr_get(PyObject *op, PyObject *obj, PyObject *type);
PyObject *gx_wrapper_reduce(PyObject *op, PyObject *unused);
int gx_wrapper_traverse(PyObject *op, visitproc visit, void *arg);
int gx_wrapper_clear(PyObject *op);
void gx_wrapper_dealloc(PyObject *op);

extern const char gx_wrapper_reduce_doc[];

#define GX_WRAPPER_METHODS                                                 \
    {"__reduce__", gx_wrapper_reduce, METH_NOARGS, gx_wrapper_reduce_doc}, \
    {                                                                      \
        "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,         \
            gx_class_getitem_doc                                           \
    }

#define GX_WRAPPER_GETSET                                                        \
    {                                                                            \
        "__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL \
    }

#define GX_WRAPPER_MEMBERS(type)                                                       \
    GX_WEAKLIST_MEMBER(type),                                                          \
        {"__dictoffset__", T_PYSSIZET, offsetof(type, dict), READONLY, NULL},          \
    {                                                                                  \
        "__vectorcalloffset__", T_PYSSIZET, offsetof(type, vectorcall), READONLY, NULL \
    }

/* METHOD_DESCRIPTOR: obj.method(...) passes obj along without a bound method. */
#define GX_WRAPPER_FLAGS \
    (GX_TYPE_FLAGS | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR)

#endif
