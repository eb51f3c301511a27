/* How expressions are pickled: as a flat tuple of rows in postfix order. A row is the
   name of an operation and what it takes from the stack besides:

       this.name + '!'      (("this",), ("attribute", "name"), ("value", "!"), ("+",))
       this.f(1, k=this)    ... ("call", 3, ("k",)) */

#include "expression.h"

/* -- rows out ----------------------------------------------------------- */

static PyObject *
row_of(PyObject *op)
{
    if (!gx_is_expression(op)) {
        return Py_BuildValue("(sO)", "value", op);
    }
    const gx_expression *node = gx_expression_CAST(op);
    const gx_operation *operation = node->operation;
    if (operation->form == GX_FORM_CALL && node->detail != NULL) {
        return Py_BuildValue("(snO)", operation->name, Py_SIZE(op), node->detail);
    }
    if (operation->form == GX_FORM_ATTRIBUTE) {
        return Py_BuildValue("(sO)", operation->name, node->detail);
    }
    return operation->arity < 0 ? Py_BuildValue("(sn)", operation->name, Py_SIZE(op))
                                : Py_BuildValue("(s)", operation->name);
}

/* (Expression._from_rows, (rows,)) */
PyObject *
gx_expression_pickle(PyObject *op, PyObject *Py_UNUSED(unused))
{
    Py_ssize_t n;
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    PyObject **order = gx_expression_postfix(op, &n);
    PyObject *make = NULL, *rows = order != NULL ? PyTuple_New(n) : NULL;
    for (Py_ssize_t i = 0; rows != NULL && i < n; i++) {
        PyObject *row = row_of(order[i]);
        if (row == NULL) {
            Py_CLEAR(rows);
        } else {
            PyTuple_SET_ITEM(rows, i, row);
        }
    }
    PyMem_Free(order);
    if (rows != NULL) {
        make = PyObject_GetAttr((PyObject *)Py_TYPE(op), GX_NAME(state, _from_rows));
    }
    if (make == NULL) {
        Py_XDECREF(rows);
        return NULL;
    }
    return Py_BuildValue("N(N)", make, rows);
}

/* -- rows in ------------------------------------------------------------ */

/* Nothing of a row is trusted. What it says. */
typedef struct {
    const gx_operation *operation;
    Py_ssize_t n;     /* operands */
    PyObject *detail; /* borrowed; the value of a constant */
} reading;

static const gx_operation *
find_operation(PyObject *name)
{
    for (int i = 0; PyUnicode_Check(name) && i < GX_N_OPERATIONS; i++) {
        if (PyUnicode_CompareWithASCIIString(name, gx_operations[i].name) == 0) {
            return &gx_operations[i];
        }
    }
    return NULL;
}

static bool
are_names(PyObject *detail, Py_ssize_t most)
{
    bool fits = PyTuple_CheckExact(detail) && PyTuple_GET_SIZE(detail) <= most;
    for (Py_ssize_t i = 0; fits && i < PyTuple_GET_SIZE(detail); i++) {
        fits = PyUnicode_CheckExact(PyTuple_GET_ITEM(detail, i));
    }
    return fits;
}

static bool
is_count(PyObject *op, Py_ssize_t *n)
{
    if (!PyLong_CheckExact(op)) {
        return false;
    }
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(op, &overflow);
    *n = (Py_ssize_t)value;
    return overflow == 0 && value >= 0 && value <= GX_EXPRESSION_MOST;
}

static bool
read_row(PyObject *row, reading *r)
{
    Py_ssize_t size = PyTuple_CheckExact(row) ? PyTuple_GET_SIZE(row) : 0;
    r->operation = size > 0 ? find_operation(PyTuple_GET_ITEM(row, 0)) : NULL;
    r->detail = NULL;
    if (r->operation == NULL) {
        return false;
    }
    PyObject *first = size > 1 ? PyTuple_GET_ITEM(row, 1) : NULL;
    if (r->operation->arity >= 0) {
        bool detailed = r->operation->form == GX_FORM_ATTRIBUTE ||
                        r->operation->form == GX_FORM_VALUE;
        r->n = r->operation->arity;
        r->detail = first;
        return size == 1 + detailed &&
               (r->operation->form != GX_FORM_ATTRIBUTE || PyUnicode_CheckExact(first));
    }
    if (first == NULL || !is_count(first, &r->n)) {
        return false;
    }
    if (r->operation->form == GX_FORM_DICT) {
        return size == 2 && r->n % 2 == 0;
    }
    if (r->operation->form != GX_FORM_CALL) {
        return size == 2;
    }
    r->detail = size > 2 ? PyTuple_GET_ITEM(row, 2) : NULL;
    return r->n >= 1 && size <= 3 && (size == 2 || are_names(r->detail, r->n - 1));
}

/* Replace the last operands of the list `stack` by what the row makes of them. */
static int
apply_row(PyTypeObject *type, PyObject *stack, PyObject *row)
{
    reading r;
    Py_ssize_t depth = PyList_GET_SIZE(stack);
    if (!read_row(row, &r) || r.n > depth) {
        PyErr_SetString(PyExc_ValueError, "not the rows of a pickled expression");
        return -1;
    }
    if (r.operation->form == GX_FORM_VALUE) {
        return PyList_Append(stack, r.detail);
    }
    PyObject *operands = PyList_GetSlice(stack, depth - r.n, depth);
    PyObject *node = NULL, *items = operands != NULL ? PyList_AsTuple(operands) : NULL;
    Py_XDECREF(operands);
    if (items != NULL) {
        node = gx_expression_new(type, r.operation, r.n, &PyTuple_GET_ITEM(items, 0),
                                 r.detail);
        Py_DECREF(items);
    }
    int rc = node == NULL ? -1 : PyList_SetSlice(stack, depth - r.n, depth, NULL);
    rc = rc < 0 ? rc : PyList_Append(stack, node);
    Py_XDECREF(node);
    return rc;
}

PyObject *
gx_expression_from_rows(PyObject *type, PyObject *rows)
{
    PyObject *result = NULL, *stack = PyList_New(0);
    int rc = stack != NULL ? 0 : -1;
    Py_ssize_t n = PyTuple_CheckExact(rows) ? PyTuple_GET_SIZE(rows) : 0;
    for (Py_ssize_t i = 0; i < n && rc == 0; i++) {
        rc = apply_row((PyTypeObject *)type, stack, PyTuple_GET_ITEM(rows, i));
    }
    if (rc == 0 && PyList_GET_SIZE(stack) == 1 &&
        gx_is_expression(PyList_GET_ITEM(stack, 0))) {
        result = Py_NewRef(PyList_GET_ITEM(stack, 0));
    } else if (rc == 0) {
        PyErr_SetString(PyExc_ValueError, "not the rows of a pickled expression");
    }
    Py_XDECREF(stack);
    return result;
}
