/* Operations of native programs that * and ** stand for: displays that are extended, calls
   with an unpacked iterable. */

#include "native.h"

/* -- displays ------------------------------------------------------------- */

static bool
is_iterable(PyObject *op)
{
    return Py_TYPE(op)->tp_iter != NULL || PySequence_Check(op);
}

static void
not_unpackable(PyObject *values)
{
    PyErr_Format(PyExc_TypeError, "Value after * must be an iterable, not %.200s",
                 Py_TYPE(values)->tp_name);
}

/* list += [*values], with the error of a display. */
static int
extend_list(PyObject *list, PyObject *values)
{
    PyObject *items = PySequence_List(values);
    if (items == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError) && !is_iterable(values)) {
            PyErr_Clear();
            not_unpackable(values);
        }
        return -1;
    }
    Py_ssize_t size = PyList_GET_SIZE(list);
    int rc = PyList_SetSlice(list, size, size, items);
    Py_DECREF(items);
    return rc;
}

static int
update_set(gx_state *state, PyObject *set, PyObject *values)
{
    PyObject *args[] = {NULL, set, values};
    PyObject *none = PyObject_VectorcallMethod(
        GX_NAME(state, update), args + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_XDECREF(none);
    return none == NULL ? -1 : 0;
}

#if PY_VERSION_HEX >= 0x030F0000
/* 3.15 looks whether there are keys(): if so, the AttributeError is that of a mapping. */
static void
refuse_mapping(PyObject *other)
{
    PyObject *error = PyErr_GetRaisedException();
    int found = PyObject_HasAttrStringWithError(other, "keys");
    if (found > 0) {
        PyErr_SetRaisedException(error);
        return;
    }
    if (found == 0) {
        PyErr_Format(PyExc_TypeError, "'%T' object is not a mapping", other);
        Py_DECREF(error);
        return;
    }
    PyObject *second = PyErr_GetRaisedException();
    PyException_SetContext(second, error);
    PyErr_SetRaisedException(second);
}
#else
/* As DICT_UPDATE: an AttributeError, of keys(), is not shown. */
static void
refuse_mapping(PyObject *other)
{
    PyErr_Clear();
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not a mapping",
                 Py_TYPE(other)->tp_name);
}
#endif

static int
update_map(PyObject *map, PyObject *other)
{
    if (PyDict_Update(map, other) == 0) {
        return 0;
    }
    if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        refuse_mapping(other);
    }
    return -1;
}

/* The display is a temporary that nobody else has seen: changed in place. */
PyObject *
gx_machine_spread(gx_binding *b, const gx_insn *insn)
{
    int rc;
    PyObject *display = b->regs[insn->in[0]], *value = b->regs[insn->in[1]];
    switch (insn->arg) {
    case GX_LIST_EXTEND:
        rc = extend_list(display, value);
        break;
    case GX_LIST_APPEND:
        rc = PyList_Append(display, value);
        break;
    case GX_SET_UPDATE:
        rc = update_set(b->state, display, value);
        break;
    case GX_SET_ADD:
        rc = PySet_Add(display, value);
        break;
    default:
        rc = update_map(display, value);
        break;
    }
    return rc < 0 ? NULL : Py_NewRef(display);
}

/* -- calls ---------------------------------------------------------------- */

#if PY_VERSION_HEX >= 0x030F0000 /* 3.15: the same text in calls and displays */
static void
not_iterable(gx_state *Py_UNUSED(state), PyObject *Py_UNUSED(callee), PyObject *values)
{
    not_unpackable(values);
}
#else
/* How CPython's messages name a callable: module and qualified name with (), or its
   str(). A new reference. */
static PyObject *
name_of(gx_state *state, PyObject *callee)
{
    PyObject *name = NULL, *module = NULL, *text = NULL;
    if (PyObject_GetOptionalAttr(callee, GX_NAME(state, __qualname__), &name) <= 0) {
        return PyErr_Occurred() ? NULL : PyObject_Str(callee);
    }
    int found = PyObject_GetOptionalAttr(callee, GX_NAME(state, __module__), &module);
    if (found >= 0) {
        bool shown = module != NULL && module != Py_None &&
                     !(PyUnicode_Check(module) &&
                       PyUnicode_CompareWithASCIIString(module, "builtins") == 0);
        text = shown ? PyUnicode_FromFormat("%S.%S()", module, name)
                     : PyUnicode_FromFormat("%S()", name);
    }
    Py_XDECREF(module);
    Py_DECREF(name);
    return text;
}

static void
not_iterable(gx_state *state, PyObject *callee, PyObject *values)
{
    PyObject *name = name_of(state, callee);
    if (name != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "%U argument after * must be an iterable, not %.200s", name,
                     Py_TYPE(values)->tp_name);
        Py_DECREF(name);
    }
}
#endif

PyObject *
gx_machine_call_star(gx_binding *b, PyObject *callee, PyObject *values)
{
    if (PyTuple_CheckExact(values)) {
        return PyObject_Call(callee, values, NULL);
    }
    if (!is_iterable(values)) {
        not_iterable(b->state, callee, values);
        return NULL;
    }
    PyObject *args = PySequence_Tuple(values);
    PyObject *result = args != NULL ? PyObject_Call(callee, args, NULL) : NULL;
    Py_XDECREF(args);
    return result;
}
