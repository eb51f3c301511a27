/* Targets of a for in native programs: variables, and tuples of them. */

#include "native.h"

/* -- variables ----------------------------------------------------------- */

/* Takes value; what a variable was goes after it has changed. */
static inline void
put(gx_binding *b, int reg, PyObject *value)
{
    PyObject *old = b->regs[reg];
    b->regs[reg] = value;
    Py_XDECREF(old);
}

void
gx_machine_store(gx_binding *b, const gx_insn *insn)
{
    PyObject *value = b->regs[insn->in[0]];
    b->regs[insn->in[0]] = NULL; /* a temporary */
    put(b, insn->dst, value);
}

/* -- tuples of variables --------------------------------------------------- */

static int
too_many(PyObject *value, int n)
{
#if PY_VERSION_HEX >= 0x030E0000 /* 3.14 */
    if (PyList_CheckExact(value) || PyTuple_CheckExact(value) ||
        PyDict_CheckExact(value)) {
        PyErr_Format(PyExc_ValueError,
                     "too many values to unpack (expected %d, got %zd)", n,
                     PyObject_Size(value));
        return -1;
    }
#endif
    (void)value;
    PyErr_Format(PyExc_ValueError, "too many values to unpack (expected %d)", n);
    return -1;
}

/* n items of an iterator and its end, into out[]: how many, n only without an error. */
static int
take_items(PyObject *value, PyObject *it, PyObject **out, int n)
{
    for (int i = 0; i < n; i++) {
        out[i] = PyIter_Next(it);
        if (out[i] == NULL) {
            if (!PyErr_Occurred()) {
                PyErr_Format(PyExc_ValueError,
                             "not enough values to unpack (expected %d, got %d)", n, i);
            }
            return i;
        }
    }
    PyObject *more = PyIter_Next(it);
    if (more != NULL) {
        Py_DECREF(more);
        too_many(value, n);
    }
    return n;
}

/* The items of anything into out[] (new references): 0 or -1. */
static int
unpack_any(PyObject *value, PyObject **out, int n)
{
    PyObject *it = PyObject_GetIter(value);
    if (it == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError) &&
            Py_TYPE(value)->tp_iter == NULL && !PySequence_Check(value)) {
            PyErr_Format(PyExc_TypeError, "cannot unpack non-iterable %.200s object",
                         Py_TYPE(value)->tp_name);
        }
        return -1;
    }
    int got = take_items(value, it, out, n);
    Py_DECREF(it);
    if (!PyErr_Occurred()) {
        return 0;
    }
    for (int i = 0; i < got; i++) {
        Py_DECREF(out[i]);
    }
    return -1;
}

static inline bool
unpack_exact(PyObject *value, PyObject **out, int n)
{
    PyObject *const *items = NULL;
    if (PyTuple_CheckExact(value) && PyTuple_GET_SIZE(value) == n) {
        items = &PyTuple_GET_ITEM(value, 0);
    }
#ifndef Py_GIL_DISABLED
    else if (PyList_CheckExact(value) && PyList_GET_SIZE(value) == n) {
        items = ((PyListObject *)value)->ob_item;
    }
#endif
    for (int i = 0; items != NULL && i < n; i++) {
        out[i] = Py_NewRef(items[i]);
    }
    return items != NULL;
}

int
gx_machine_unpack(gx_binding *b, const gx_insn *insn)
{
    int n = insn->arg, source = insn->in[0];
    PyObject *items[GX_BUILD_VARS], *value = b->regs[source];
    if (!unpack_exact(value, items, n) && unpack_any(value, items, n) < 0) {
        return -1;
    }
    if (insn->consumes) {
        b->regs[source] = NULL;
        Py_DECREF(value);
    }
    const uint8_t *targets = b->native->operands + insn->first;
    for (int i = 0; i < n; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): all n are there */
        put(b, targets[i], items[i]);
    }
    return 0;
}
