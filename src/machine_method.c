/* Calls of methods that a native program has not met before on objects of that type. */

#include "native.h"

/* What the type or its bases have by that name: a new reference; NULL without an error.
   Keys of a class that are no plain str may run code, which may give it other bases. */
static PyObject *
look_up_in_type(PyTypeObject *type, PyObject *name)
{
    PyObject *mro = Py_XNewRef(type->tp_mro), *found = NULL;
    Py_ssize_t n = mro != NULL ? PyTuple_GET_SIZE(mro) : 0;
    for (Py_ssize_t i = 0; i < n && found == NULL; i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        PyObject *dict = PyType_GetDict(base);
        if (dict != NULL && PyDict_GetItemRef(dict, name, &found) < 0) {
            PyErr_Clear(); /* no str compares like that: as if it was not there */
        }
        Py_XDECREF(dict);
    }
    Py_XDECREF(mro);
    return found;
}

/* Methods of such a type never change, and its instances hide none of them. */
static bool
is_constant(PyTypeObject *type, PyObject *method)
{
    bool frozen = !(type->tp_flags & Py_TPFLAGS_HEAPTYPE) ||
                  (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE &&
                   PyDescr_TYPE(method) == type); /* which it keeps alive */
    return frozen && type->tp_dictoffset == 0 &&
           type->tp_getattro == PyObject_GenericGetAttr;
}

/* Remember the method of a type met for the first time; borrowed. NULL without an error:
   it has to be looked up as usual. */
PyObject *
gx_machine_find_method(gx_binding *b, const gx_insn *insn, PyTypeObject *type)
{
    gx_known_method *known = &b->known_methods[(insn - b->native->insns) % GX_KNOWN];
    PyObject *name = PyTuple_GET_ITEM(b->native->names, insn->aux);
    Py_INCREF((PyObject *)type); /* the object may get another one meanwhile */
    PyObject *method = look_up_in_type(type, name);
    b->opaque = b->opaque || (method != NULL && PyFunction_Check(method));
    if (method != NULL &&
        (!Py_IS_TYPE(method, &PyMethodDescr_Type) || !is_constant(type, method))) {
        Py_CLEAR(method);
    }
    known->insn = insn;
    known->type = type;
    Py_XSETREF(known->method, method);
    Py_DECREF((PyObject *)type);
    return method;
}

/* A slot of __slots__, which may be empty and says nothing then. */
static bool
is_slot(PyTypeObject *type, PyObject *name)
{
    PyObject *found = look_up_in_type(type, name);
    bool is = found != NULL && Py_IS_TYPE(found, &PyMemberDescr_Type);
    Py_XDECREF(found);
    return is;
}

/* The look-up failed, not the call: an AttributeError of this name and object. A call
   that raises the same is taken for one. */
static bool
was_not_found(PyObject *obj, PyObject *name)
{
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return false;
    }
    PyObject *error = PyErr_GetRaisedException();
    const PyAttributeErrorObject *told = (PyAttributeErrorObject *)error;
    bool not_found = (told->obj == obj && told->name == name) ||
                     (told->obj == NULL && is_slot(Py_TYPE(obj), name));
    PyErr_SetRaisedException(error);
    return not_found;
}

/* args[-1] is scratch. Only what has slots of its own for attributes gives a bound
   method, as with CPython's own loop: messages tell the difference. */
PyObject *
gx_machine_call_method(gx_binding *b, const gx_insn *insn, PyObject **args)
{
    PyObject *result, *obj = args[0];
    PyObject *name = PyTuple_GET_ITEM(b->native->names, insn->aux);
    if (Py_TYPE(obj)->tp_getattro == PyObject_GenericGetAttr) {
        result = PyObject_VectorcallMethod(
            name, args, insn->n | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        b->looking_up = result == NULL && was_not_found(obj, name);
        return result;
    }
    PyObject *method = PyObject_GetAttr(obj, name);
    if (method == NULL) {
        b->looking_up = true;
        return NULL;
    }
    b->opaque = b->opaque || PyFunction_Check(method) || PyMethod_Check(method);
    result = b->code != NULL && gx_reads_frame(b->state, method)
                 ? NULL
                 : gx_call_func(method, args + 1, insn->n - 1U);
    Py_DECREF(method);
    return result;
}
