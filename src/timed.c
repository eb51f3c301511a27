/* timed_function: what a function decorated by timing is. A call is timed, or, where
   it only makes a generator, coroutine or async generator, the body of that. */

#include "timing.h"
#include "wrapper.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_WRAPPER_HEAD
    PyObject *timing;   /* owned, also in __dict__; NULL only after tp_clear */
    gx_timed_kind kind; /* what a call makes */
} timed_function_object;

#define timed_function_CAST(op) ((timed_function_object *)(op))

static PyObject *timed_function_call(PyObject *op, PyObject *const *args, size_t nargsf,
                                     PyObject *kwnames);

/* -- construct ---------------------------------------------------------- */

/* Steals func; the function a method or a functools.partial calls in the end. */
static PyObject *
innermost(gx_state *state, PyObject *func)
{
    PyObject *functools = PyImport_ImportModule("functools");
    PyObject *partial = NULL;
    if (functools != NULL) {
        partial = PyObject_GetAttr(functools, GX_NAME(state, partial));
    }
    int is_partial = partial == NULL ? -1 : 0;
    while (is_partial >= 0) {
        if (PyMethod_Check(func)) {
            Py_SETREF(func, Py_NewRef(PyMethod_GET_FUNCTION(func)));
            continue;
        }
        is_partial = PyObject_IsInstance(func, partial);
        if (is_partial <= 0) {
            break;
        }
        Py_SETREF(func, PyObject_GetAttr(func, GX_NAME(state, func)));
        is_partial = func == NULL ? -1 : 1;
    }
    if (is_partial < 0) {
        Py_CLEAR(func);
    }
    Py_XDECREF(partial);
    Py_XDECREF(functools);
    return func;
}

/* The flags of the code a call will run, as inspect finds it, and of __call__ for
   instances of Python classes; 0 unknown, -1 error. */
static int
flags_of(gx_state *state, PyObject *func)
{
    PyObject *inner = innermost(state, Py_NewRef(func));
    int flags = inner == NULL ? -1 : gx_code_flags(inner, GX_NAME(state, __code__));
    if (flags == 0 && !PyType_Check(inner)) {
        PyObject *type = (PyObject *)Py_TYPE(inner);
        PyObject *call = PyObject_GetAttr(type, GX_NAME(state, __call__));
        flags = call == NULL ? -1 : gx_code_flags(call, GX_NAME(state, __code__));
        Py_XDECREF(call);
    }
    Py_XDECREF(inner);
    return flags;
}

static gx_timed_kind
kind_of(int flags)
{
    if (flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE)) {
        return GX_TIMED_COROUTINE;
    }
    if (flags & CO_ASYNC_GENERATOR) {
        return GX_TIMED_ASYNCGEN;
    }
    return flags & CO_GENERATOR ? GX_TIMED_GENERATOR : GX_TIMED_PLAIN;
}

PyObject *
gx_timed_function_new(gx_state *state, PyObject *func, PyObject *timing)
{
    int flags = flags_of(state, func);
    if (flags < 0) {
        return NULL;
    }
    PyTypeObject *type = GX_TYPE_OF(state, timed_function);
    PyObject *op = gx_wrapper_new(type, func, timed_function_call);
    if (op != NULL) {
        timed_function_CAST(op)->timing = Py_NewRef(timing);
        timed_function_CAST(op)->kind = kind_of(flags);
    }
    op = gx_wrapper_update(op);
    if (op != NULL && PyObject_SetAttr(op, GX_NAME(state, timing), timing) < 0) {
        Py_CLEAR(op);
    }
    return op;
}

/* -- call --------------------------------------------------------------- */

/* Steals result, NULL with an error raised, which the report sees and which stays
   below one that the report raises. */
static PyObject *
record(PyObject *timing, int64_t ns, PyObject *result)
{
    PyObject *error = result == NULL ? PyErr_GetRaisedException() : NULL;
    int rc = gx_timing_record(timing, ns, error);
    if (error == NULL) {
        if (rc < 0) {
            Py_CLEAR(result);
        }
        return result;
    }
    if (rc < 0) {
        gx_chain_errors(error);
    } else {
        PyErr_SetRaisedException(error);
    }
    return NULL;
}

/* A call may give something else than the flags say: then it is timed as it is. */
static bool
is_of_kind(gx_timed_kind kind, PyObject *made)
{
    PyAsyncMethods *slots = Py_TYPE(made)->tp_as_async;
    switch (kind) {
    case GX_TIMED_GENERATOR:
        return PyIter_Check(made);
    case GX_TIMED_COROUTINE:
        return PyGen_CheckExact(made) || (slots != NULL && slots->am_await != NULL);
    case GX_TIMED_ASYNCGEN:
        return slots != NULL && slots->am_anext != NULL;
    default:
        return false;
    }
}

/* The start is in this frame: calls may nest and run in any number of threads. */
static PyObject *
call_timed(timed_function_object *self, PyObject *const *args, size_t nargsf,
           PyObject *kwnames)
{
    int64_t start = gx_clock_ns();
    PyObject *made = gx_wrapper_call((gx_wrapper *)self, args, nargsf, kwnames);
    int64_t ns = gx_clock_ns() - start;
    if (made != NULL && self->kind != GX_TIMED_PLAIN && is_of_kind(self->kind, made)) {
        gx_state *state = gx_get_state(Py_TYPE((PyObject *)self));
        return gx_timed_run_new(state, self->kind, made, self->timing, ns);
    }
    return self->timing == NULL ? made : record(self->timing, ns, made);
}

static PyObject *
timed_function_call(PyObject *op, PyObject *const *args, size_t nargsf,
                    PyObject *kwnames)
{
    Py_INCREF(op); /* what is called may have its caller let go of this */
    PyObject *made = call_timed(timed_function_CAST(op), args, nargsf, kwnames);
    Py_DECREF(op);
    return made;
}

/* -- protocol ----------------------------------------------------------- */

static int
timed_function_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(timed_function_CAST(op)->timing);
    return gx_wrapper_traverse(op, visit, arg);
}

static int
timed_function_clear(PyObject *op)
{
    Py_CLEAR(timed_function_CAST(op)->timing);
    return gx_wrapper_clear(op);
}

static PyObject *
timed_function_repr(PyObject *op)
{
    return gx_function_repr("timing(%U)", gx_wrapper_CAST(op)->func);
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(timed_function_doc,
"A function decorated by timing; its statistics are in .timing.");

static PyMethodDef timed_function_methods[] = {
    GX_WRAPPER_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef timed_function_getset[] = {
    GX_WRAPPER_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef timed_function_members[] = {
    GX_WRAPPER_MEMBERS(timed_function_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot timed_function_slots[] = {
    {Py_tp_doc, (void *)timed_function_doc},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_dealloc, gx_wrapper_dealloc},
    {Py_tp_traverse, timed_function_traverse},
    {Py_tp_clear, timed_function_clear},
    {Py_tp_repr, timed_function_repr},
    {Py_tp_getattro, gx_wrapper_getattro},
    {Py_tp_setattro, PyObject_GenericSetAttr},
    {Py_tp_descr_get, gx_wrapper_descr_get},
    {Py_tp_methods, timed_function_methods},
    {Py_tp_getset, timed_function_getset},
    {Py_tp_members, timed_function_members},
    {0, NULL},
};

static PyType_Spec timed_function_spec = {
    .name = "pygenx.timed_function",
    .basicsize = sizeof(timed_function_object),
    .flags = GX_WRAPPER_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = timed_function_slots,
};

const gx_typedef gx_timed_function_typedef = {
    .spec = &timed_function_spec,
};
