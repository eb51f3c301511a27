/* What primed and a decorated function share: they look like the function they
   wrap, bind as methods, and pickle by name as functions do. */

#include "wrapper.h"

/* -- construct ---------------------------------------------------------- */

PyObject *
gx_wrapper_new(PyTypeObject *type, PyObject *func, vectorcallfunc call)
{
    gx_wrapper *self = gx_wrapper_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = call;
    self->func = Py_NewRef(func);
    bool wrapper = Py_TYPE(func)->tp_getattro == gx_wrapper_getattro;
    self->origin = Py_XNewRef(wrapper ? gx_wrapper_CAST(func)->origin : func);
    return (PyObject *)self;
}

/* The library's own function, so that a wrapper has what a wrapper has in the
   running version: __type_params__ from 3.12, __annotate__ from 3.14. */
PyObject *
gx_wrapper_update(PyObject *op)
{
    PyObject *done = NULL, *functools = NULL;
    if (op == NULL) {
        return NULL;
    }
    gx_state *state = gx_get_state(Py_TYPE(op));
    functools = PyImport_ImportModule("functools");
    if (functools != NULL) {
        done = PyObject_CallMethodObjArgs(functools, GX_NAME(state, update_wrapper), op,
                                          gx_wrapper_CAST(op)->func, NULL);
        Py_DECREF(functools);
    }
    if (done == NULL) {
        Py_DECREF(op);
        return NULL;
    }
    Py_DECREF(done);
    return op;
}

bool
gx_is_method_object(PyObject *func)
{
    return PyObject_TypeCheck(func, &PyClassMethod_Type) ||
           PyObject_TypeCheck(func, &PyStaticMethod_Type);
}

PyObject *
gx_rewrap(gx_state *state, PyObject *decorator, PyObject *func)
{
    PyObject *result = NULL, *inner = PyObject_GetAttr(func, GX_NAME(state, __func__));
    if (inner == NULL || Py_EnterRecursiveCall(" in a pygenx decorator")) {
        Py_XDECREF(inner);
        return NULL;
    }
    PyObject *wrapped = PyObject_CallOneArg(decorator, inner);
    Py_LeaveRecursiveCall();
    Py_DECREF(inner);
    if (wrapped != NULL) {
        result = PyObject_CallOneArg((PyObject *)Py_TYPE(func), wrapped);
        Py_DECREF(wrapped);
    }
    return result;
}

/* -- call --------------------------------------------------------------- */

/* Wrappers of wrappers call each other in C: their depth is counted here. */
PyObject *
gx_wrapper_call_guarded(gx_wrapper *self, PyObject *const *args, size_t nargsf,
                        PyObject *kwnames)
{
    if (self->func == NULL) {
        PyErr_SetString(PyExc_ReferenceError, "the function was garbage collected");
        return NULL;
    }
    if (Py_EnterRecursiveCall(" in a pygenx decorator")) {
        return NULL;
    }
    PyObject *result = PyObject_Vectorcall(self->func, args, nargsf, kwnames);
    Py_LeaveRecursiveCall();
    return result;
}

int
gx_code_flags(PyObject *obj, PyObject *name)
{
    PyObject *code;
    int flags = PyObject_GetOptionalAttr(obj, name, &code);
    if (flags > 0) {
        flags = PyCode_Check(code) ? ((PyCodeObject *)code)->co_flags : 0;
        Py_DECREF(code);
    }
    return flags;
}

/* A coroutine is resumed itself: PyIter_Send knows it. */
PyObject *
gx_awaitable_iter(gx_state *state, PyObject *obj)
{
    PyAsyncMethods *slots = Py_TYPE(obj)->tp_as_async;
    if (PyCoro_CheckExact(obj)) {
        return Py_NewRef(obj);
    }
    if (slots != NULL && slots->am_await != NULL) {
        PyObject *it = slots->am_await(obj);
        if (it != NULL && !PyIter_Check(it)) {
            PyErr_Format(PyExc_TypeError,
                         "__await__() returned non-iterator of type '%.100s'",
                         Py_TYPE(it)->tp_name);
            Py_CLEAR(it);
        }
        return it;
    }
    int flags = PyGen_CheckExact(obj) ? gx_code_flags(obj, GX_NAME(state, gi_code)) : 0;
    if (flags < 0) {
        return NULL;
    }
    if (flags & CO_ITERABLE_COROUTINE) {
        return Py_NewRef(obj);
    }
    PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression",
                 Py_TYPE(obj)->tp_name);
    return NULL;
}

/* -- protocol ----------------------------------------------------------- */

PyObject *
gx_getattr_through(PyObject *op, PyObject *inner, PyObject *name)
{
    PyObject *value = PyObject_GenericGetAttr(op, name);
    if (value != NULL || inner == NULL ||
        !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return value;
    }
    PyObject *missing = PyErr_GetRaisedException();
    if (Py_EnterRecursiveCall(" in a pygenx decorator")) {
        Py_DECREF(missing);
        return NULL;
    }
    Py_INCREF(inner); /* its __getattr__ may let go of op */
    int found = PyObject_GetOptionalAttr(inner, name, &value);
    Py_DECREF(inner);
    Py_LeaveRecursiveCall();
    if (found == 0) {
        PyErr_SetRaisedException(missing);
        return NULL;
    }
    Py_DECREF(missing);
    return value;
}

/* What functools.wraps does not copy (__code__, __defaults__, __kwdefaults__ ...) is
   the function's: by these inspect tells kinds of functions apart. A stack of wrappers
   is not climbed down: what they have of their own has been copied. */
PyObject *
gx_wrapper_getattro(PyObject *op, PyObject *name)
{
    return gx_getattr_through(op, gx_wrapper_CAST(op)->origin, name);
}

PyObject *
gx_function_repr(const char *format, PyObject *func)
{
    PyObject *name = func ? gx_brief_callable(func) : PyUnicode_FromString("?");
    PyObject *text = name == NULL ? NULL : PyUnicode_FromFormat(format, name);
    Py_XDECREF(name);
    return text;
}

PyObject *
gx_wrapper_descr_get(PyObject *op, PyObject *obj, PyObject *Py_UNUSED(type))
{
    if (obj == NULL || obj == Py_None) {
        return Py_NewRef(op);
    }
    return PyMethod_New(op, obj);
}

/* A string makes pickle and copy treat it as they treat a function. */
PyObject *
gx_wrapper_reduce(PyObject *op, PyObject *Py_UNUSED(unused))
{
    gx_state *state = gx_get_state(Py_TYPE(op));
    return PyObject_GetAttr(op, GX_NAME(state, __qualname__));
}

int
gx_wrapper_traverse(PyObject *op, visitproc visit, void *arg)
{
    gx_wrapper *self = gx_wrapper_CAST(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->func);
    Py_VISIT(self->origin);
    Py_VISIT(self->dict);
    return 0;
}

int
gx_wrapper_clear(PyObject *op)
{
    gx_wrapper *self = gx_wrapper_CAST(op);
    Py_CLEAR(self->func);
    Py_CLEAR(self->origin);
    Py_CLEAR(self->dict);
    return 0;
}

/* A type with more fields brings a tp_clear that calls gx_wrapper_clear. */
void
gx_wrapper_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, gx_wrapper_dealloc)
    if (gx_wrapper_CAST(op)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    type->tp_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

/* -- docs --------------------------------------------------------------- */

const char gx_wrapper_reduce_doc[] =
    "__reduce__($self, /)\n--\n\n"
    "Pickle by qualified name, as a function.";
