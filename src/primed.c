/* primed: a generator function whose generators have been advanced to their first
   yield. */

#include "primed.h"
#include "source.h"
#include "wrapper.h"

/* -- shared ------------------------------------------------------------- */

void
gx_primed_ended(gx_state *state, PyObject *func, PyObject *value, PyObject *cause)
{
    PyObject *name = NULL, *text = NULL, *error = NULL;
    if (cause == NULL || (name = gx_brief_callable(func)) == NULL) {
        goto done;
    }
    text = PyUnicode_FromFormat("%U() ended before its first yield", name);
    error = text == NULL ? NULL : PyObject_CallOneArg(PyExc_RuntimeError, text);
    if (error == NULL || PyObject_SetAttr(error, GX_NAME(state, value), value) < 0) {
        goto done;
    }
    PyException_SetCause(error, Py_NewRef(cause));
    PyException_SetContext(error, Py_NewRef(cause));
    PyErr_SetRaisedException(Py_NewRef(error));
done:
    Py_XDECREF(error);
    Py_XDECREF(text);
    Py_XDECREF(name);
    Py_XDECREF(cause);
}

void
gx_primed_note(PyObject *func)
{
    PyObject *exc = gx_note_begin();
    if (exc != NULL) {
        PyObject *name = gx_brief_callable(func);
        gx_note_end(exc, "primed(%V)", name, "?");
        Py_XDECREF(name);
    }
}

/* -- struct ------------------------------------------------------------- */

/* A gx_wrapper without further fields. */

static PyObject *primed_call(PyObject *op, PyObject *const *args, size_t nargsf,
                             PyObject *kwnames);

/* -- construct ---------------------------------------------------------- */

static const char *const primed_params[] = {"func", NULL};
static const gx_signature primed_sig = {"primed", primed_params, 1, 1, 1};

static PyObject *
primed_construct(PyObject *type, PyObject *const *args, size_t nargsf,
                 PyObject *kwnames)
{
    PyObject *func;
    if (gx_parse(&primed_sig, args, nargsf, kwnames, &func) < 0) {
        return NULL;
    }
    if (gx_is_method_object(func)) {
        return gx_rewrap(gx_get_state((PyTypeObject *)type), type, func);
    }
    if (gx_check_callable(func, "func") < 0) {
        return NULL;
    }
    return gx_wrapper_update(gx_wrapper_new((PyTypeObject *)type, func, primed_call));
}

static PyObject *
primed_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(primed_construct, type, args, kwargs);
}

/* -- call --------------------------------------------------------------- */

/* Not generators: a coroutine is closed, or it would warn that it was not awaited. */
static void
refuse(gx_wrapper *self, PyObject *made)
{
    PyObject *error = NULL, *name = gx_brief_callable(self->func);
    if (name != NULL) {
        PyErr_Format(PyExc_TypeError, "%U() returned a %.200s, no generator", name,
                     Py_TYPE(made)->tp_name);
        Py_DECREF(name);
    }
    gx_collect_error(-1, &error);
    if (PyCoro_CheckExact(made)) {
        gx_state *state = gx_get_state(Py_TYPE(self));
        gx_collect_error(gx_close(state, made), &error);
    }
    gx_raise_collected(error);
}

/* next(made) gave nothing. A generator is closed by then; any other iterator, a
   wrapped generator for one, is told. */
static void
fail(gx_wrapper *self, PyObject *made)
{
    PyObject *value, *error = NULL;
    gx_state *state = gx_get_state(Py_TYPE(self));
    if (gx_ended(&value)) {
        PyObject *stop = PyObject_CallFunctionObjArgs(
            PyExc_StopIteration, value == Py_None ? NULL : value, NULL);
        gx_primed_ended(state, self->func, value, stop);
        Py_DECREF(value);
    } else {
        gx_primed_note(self->func);
    }
    gx_collect_error(-1, &error);
    if (!PyGen_CheckExact(made)) {
        gx_collect_error(gx_close(state, made), &error);
    }
    gx_raise_collected(error);
}

/* Let go of `made` (stolen) under a raised error. */
static PyObject *
give_up(PyObject *made)
{
    PyObject *error = PyErr_GetRaisedException();
    Py_DECREF(made);
    PyErr_SetRaisedException(error);
    return NULL;
}

/* Generators count their own depth; anything else is counted here. */
static PyObject *
first_item(PyObject *made)
{
    if (Py_EnterRecursiveCall(" in a pygenx decorator")) {
        return NULL;
    }
    PyObject *item = Py_TYPE(made)->tp_iternext(made);
    Py_LeaveRecursiveCall();
    return item;
}

/* Steals made, which is no exact generator. */
static PyObject *
primed_other(gx_wrapper *self, PyObject *made)
{
    PyAsyncMethods *slots = Py_TYPE(made)->tp_as_async;
    if (PyIter_Check(made)) {
        PyObject *item = first_item(made);
        if (item != NULL) {
            Py_DECREF(item);
            return made;
        }
        fail(self, made);
    } else if (slots != NULL && slots->am_anext != NULL) {
        gx_state *state = gx_get_state(Py_TYPE(self));
        return gx_primed_start_new(GX_TYPE_OF(state, primed_start), self->func, made);
    } else {
        refuse(self, made);
    }
    return give_up(made);
}

/* The function itself, not its generator, raised. */
static void
primed_no_stop(gx_wrapper *self)
{
    if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyObject *raised = PyErr_GetRaisedException();
        PyObject *name = gx_brief_callable(self->func);
        PyErr_Clear(); /* of making the text only */
        PyErr_SetRaisedException(raised);
        gx_no_stop_iteration("primed(%V)", name, "?");
        Py_XDECREF(name);
    }
}

static PyObject *
call_and_prime(gx_wrapper *self, PyObject *const *args, size_t nargsf,
               PyObject *kwnames)
{
    PyObject *item, *made = gx_wrapper_call(self, args, nargsf, kwnames);
    if (made == NULL) {
        primed_no_stop(self);
        return NULL;
    }
    if (!PyGen_CheckExact(made)) {
        return primed_other(self, made);
    }
    item = Py_TYPE(made)->tp_iternext(made);
    if (item == NULL) {
        fail(self, made);
        return give_up(made);
    }
    Py_DECREF(item);
    return made;
}

static PyObject *
primed_call(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_INCREF(op); /* what is called may have its caller let go of this */
    PyObject *made = call_and_prime(gx_wrapper_CAST(op), args, nargsf, kwnames);
    Py_DECREF(op);
    return made;
}

/* -- protocol ----------------------------------------------------------- */

static PyObject *
primed_repr(PyObject *op)
{
    return gx_function_repr("primed(%U)", gx_wrapper_CAST(op)->func);
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(primed_doc,
"primed(func, /)\n--\n\n"
"Make a generator function whose generators are ready for send(value).\n\n"
"A call calls func and advances the generator to its first yield, whose item is\n"
"dropped. Of an async generator function it gives an awaitable that does so. Ending\n"
"before the first yield raises RuntimeError, whose .value is what was returned; a\n"
"result that is no iterator raises TypeError. As more_itertools.consumer.\n\n"
">>> @primed\n"
"... def total():\n"
"...     result = 0\n"
"...     while True:\n"
"...         result += yield result\n"
">>> total().send(5)\n"
"5");

static PyMethodDef primed_methods[] = {
    GX_WRAPPER_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef primed_getset[] = {
    GX_WRAPPER_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef primed_members[] = {
    GX_WRAPPER_MEMBERS(gx_wrapper),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot primed_slots[] = {
    {Py_tp_doc, (void *)primed_doc},
    {Py_tp_new, primed_new},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_dealloc, gx_wrapper_dealloc},
    {Py_tp_traverse, gx_wrapper_traverse},
    {Py_tp_clear, gx_wrapper_clear},
    {Py_tp_repr, primed_repr},
    {Py_tp_getattro, gx_wrapper_getattro},
    {Py_tp_setattro, PyObject_GenericSetAttr},
    {Py_tp_descr_get, gx_wrapper_descr_get},
    {Py_tp_methods, primed_methods},
    {Py_tp_getset, primed_getset},
    {Py_tp_members, primed_members},
    {0, NULL},
};

static PyType_Spec primed_spec = {
    .name = "pygenx.primed",
    .basicsize = sizeof(gx_wrapper),
    .flags = GX_WRAPPER_FLAGS,
    .slots = primed_slots,
};

const gx_typedef gx_primed_typedef = {
    .spec = &primed_spec,
    .construct = primed_construct,
    .public = true,
};
