/* The rarer operations of the boxed machine. */

#include "native.h"

/* -- operators -------------------------------------------------------------- */

static PyObject *
unary(int op, PyObject *value)
{
    int truth;
    switch (op) {
    case GX_NEGATIVE:
        return PyNumber_Negative(value);
    case GX_POSITIVE:
        return PyNumber_Positive(value);
    case GX_INVERT:
        return PyNumber_Invert(value);
    default:
        truth = PyObject_IsTrue(value);
        return truth < 0 ? NULL : PyBool_FromLong(truth == (op == GX_TRUTH));
    }
}

static PyObject *
contains(int negated, PyObject *value, PyObject *container)
{
    int found = PySequence_Contains(container, value);
    return found < 0 ? NULL : PyBool_FromLong(found != negated);
}

static PyObject *
slice(PyObject *container, PyObject *start, PyObject *stop)
{
    PyObject *key = PySlice_New(start, stop, NULL);
    PyObject *value = key != NULL ? PyObject_GetItem(container, key) : NULL;
    Py_XDECREF(key);
    return value;
}

/* -- displays and texts --------------------------------------------------- */

static PyObject *
build_list(gx_binding *b, const uint8_t *in, int n)
{
    PyObject *list = PyList_New(n);
    for (int i = 0; list != NULL && i < n; i++) {
        PyList_SET_ITEM(list, i, gx_binding_take(b, in[i]));
    }
    return list;
}

static PyObject *
build_set(PyObject *const *regs, const uint8_t *in, int n)
{
    PyObject *set = PySet_New(NULL);
    for (int i = 0; set != NULL && i < n; i++) {
        if (PySet_Add(set, regs[in[i]]) < 0) {
            Py_CLEAR(set);
        }
    }
    return set;
}

static PyObject *
build_map(PyObject *const *regs, const uint8_t *in, int n)
{
    PyObject *map = PyDict_New();
    for (int i = 0; map != NULL && i < n; i += 2) {
        if (PyDict_SetItem(map, regs[in[i]], regs[in[i + 1]]) < 0) {
            Py_CLEAR(map);
        }
    }
    return map;
}

/* Room for the parts as they are: their length, and the widest character. */
static PyObject *
new_string(PyObject *const *regs, const uint8_t *in, int n)
{
    Py_ssize_t length = 0;
    Py_UCS4 widest = 127;
    for (int i = 0; i < n; i++) {
        PyObject *part = regs[in[i]];
        if (!PyUnicode_Check(part) ||
            PyUnicode_GET_LENGTH(part) > PY_SSIZE_T_MAX - length) {
            PyErr_SetString(PyExc_SystemError, "bad part of an f-string");
            return NULL;
        }
        length += PyUnicode_GET_LENGTH(part);
        widest = Py_MAX(widest, PyUnicode_MAX_CHAR_VALUE(part));
    }
    return PyUnicode_New(length, widest);
}

static PyObject *
build_string(PyObject *const *regs, const uint8_t *in, int n)
{
    PyObject *text = new_string(regs, in, n);
    Py_ssize_t start = 0;
    for (int i = 0; text != NULL && i < n; i++) {
        PyObject *part = regs[in[i]];
        Py_ssize_t length = PyUnicode_GET_LENGTH(part);
        if (PyUnicode_IS_ASCII(text)) {
            memcpy((char *)PyUnicode_DATA(text) + start, PyUnicode_DATA(part),
                   (size_t)length);
        } else if (length > 0 &&
                   PyUnicode_CopyCharacters(text, start, part, 0, length) < 0) {
            Py_CLEAR(text);
        }
        start += length;
    }
    return text;
}

static PyObject *
convert(int how, PyObject *value)
{
    return how == 1   ? PyObject_Str(value)
           : how == 2 ? PyObject_Repr(value)
                      : PyObject_ASCII(value);
}

/* -- all of them -------------------------------------------------- */

PyObject *
gx_machine_rare(gx_binding *b, const gx_insn *insn, const uint8_t *in)
{
    PyObject **regs = b->regs;
    switch (insn->op) {
    case GX_OP_CELL:
        return gx_binding_look_up(b, insn);
    case GX_OP_UNARY:
        return unary(insn->arg, regs[in[0]]);
    case GX_OP_IS:
        return PyBool_FromLong((regs[in[0]] == regs[in[1]]) != insn->arg);
    case GX_OP_CONTAINS:
        return contains(insn->arg, regs[in[0]], regs[in[1]]);
    case GX_OP_SLICE:
        return slice(regs[in[0]], regs[in[1]], regs[in[2]]);
    case GX_OP_BUILD_SLICE:
        return PySlice_New(regs[in[0]], regs[in[1]], insn->n > 2 ? regs[in[2]] : NULL);
    case GX_OP_LIST:
        return build_list(b, in, insn->n);
    case GX_OP_SET:
        return build_set(regs, in, insn->n);
    case GX_OP_MAP:
        return build_map(regs, in, insn->n);
    case GX_OP_LIST_OF:
        return PySequence_List(regs[in[0]]);
    case GX_OP_SET_OF:
        return PySet_New(regs[in[0]]);
    case GX_OP_TUPLE_OF:
        return PyList_AsTuple(regs[in[0]]);
    case GX_OP_SPREAD:
        return gx_machine_spread(b, insn);
    case GX_OP_CONVERT:
        return convert(insn->arg, regs[in[0]]);
    case GX_OP_FORMAT:
        return PyObject_Format(regs[in[0]], insn->n > 1 ? regs[in[1]] : NULL);
    case GX_OP_STRING:
        return build_string(regs, in, insn->n);
    default:
        PyErr_SetString(PyExc_SystemError, "unknown operation of a native program");
        return NULL;
    }
}
