/* Source text of constants, as it stands in expressions and native programs. */

#include "expression.h"

#include <math.h>

/* Put `n` texts, taken, into a format; NULL if one is NULL. */
PyObject *
gx_fill(const char *format, int n, PyObject *a, PyObject *b, PyObject *c)
{
    PyObject *texts[] = {a, b, c}, *text = NULL;
    bool whole = true;
    for (int i = 0; i < n; i++) {
        whole = whole && texts[i] != NULL;
    }
    if (whole) {
        text = PyUnicode_FromFormat(format, a, b, c);
    }
    for (int i = 0; i < n; i++) {
        Py_XDECREF(texts[i]);
    }
    return text;
}

static PyObject *
repr_of(PyObject *op, bool safe)
{
    if (PyFloat_CheckExact(op) && !isfinite(PyFloat_AS_DOUBLE(op))) {
        return PyUnicode_FromFormat("float('%S')", op);
    }
    return safe ? gx_brief(op) : PyObject_Repr(op);
}

/* ", ".join is that of one str, str.join that of all. */
static PyObject *
name_of_method(PyObject *op, bool safe)
{
    PyObject *self = PyCFunction_GET_SELF(op);
    if (self == NULL || PyModule_Check(self) || PyType_Check(self)) {
        return gx_brief_callable(op);
    }
    PyObject *text = repr_of(self, safe);
    const char *name = ((PyCFunctionObject *)op)->m_ml->ml_name;
    if (text != NULL) {
        Py_SETREF(text, PyUnicode_FromFormat("%U.%s", text, name));
    }
    return text;
}

static PyObject *
plain_text(PyObject *op, bool safe)
{
    if (PyCFunction_CheckExact(op)) {
        return name_of_method(op, safe);
    }
    if (PyFunction_Check(op) || Py_IS_TYPE(op, &PyMethodDescr_Type) ||
        Py_IS_TYPE(op, &PyType_Type)) {
        return gx_brief_callable(op);
    }
    return repr_of(op, safe);
}

/* "a, b": of a tuple, or of another container's items. */
PyObject *
gx_items_text(PyObject *op, bool safe)
{
    PyObject *text = PyUnicode_FromString(""), *items = PySequence_Tuple(op);
    Py_ssize_t n = items != NULL ? PyTuple_GET_SIZE(items) : 0;
    for (Py_ssize_t i = 0; i < n && text != NULL; i++) {
        PyObject *item = gx_constant_text(PyTuple_GET_ITEM(items, i), safe);
        text = gx_fill(i > 0 ? "%U, %U" : "%U%U", 2, text, item, NULL);
    }
    if (items == NULL) {
        Py_CLEAR(text);
    }
    Py_XDECREF(items);
    return text;
}

static PyObject *
container_text(PyObject *op, bool safe)
{
    if (PyTuple_CheckExact(op)) {
        return gx_fill(PyTuple_GET_SIZE(op) == 1 ? "(%U,)" : "(%U)", 1,
                       gx_items_text(op, safe), NULL, NULL);
    }
    if (PyFrozenSet_CheckExact(op)) {
        return gx_fill("{%U}", 1, gx_items_text(op, safe), NULL, NULL);
    }
    PySliceObject *slice = (PySliceObject *)op;
    return gx_fill("slice(%U, %U, %U)", 3, gx_constant_text(slice->start, safe),
                   gx_constant_text(slice->stop, safe),
                   gx_constant_text(slice->step, safe));
}

/* Constants of bytecode are of these exact types, and can be shown as they are. A set
   there is a frozenset. */
PyObject *
gx_constant_text(PyObject *op, bool safe)
{
    bool is_set = safe && PyFrozenSet_CheckExact(op) && PySet_GET_SIZE(op) > 0;
    if (PyTuple_CheckExact(op) || PySlice_Check(op) || is_set) {
        PyObject *text = NULL;
        if (Py_EnterRecursiveCall(" while a constant is shown") == 0) {
            text = container_text(op, safe);
            Py_LeaveRecursiveCall();
        }
        return text;
    }
    if (PyComplex_CheckExact(op) || op == Py_Ellipsis) {
        return PyObject_Repr(op);
    }
    return plain_text(op, safe);
}
