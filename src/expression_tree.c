/* The nodes of expressions: their operations, how they are made and walked through. */

#include "expression.h"

/* -- operations --------------------------------------------------------- */

const gx_operation gx_operations[GX_N_OPERATIONS] = {
    [GX_OPERATION_THIS] = {"this", GX_FORM_THIS, 0, 0, GX_LEVEL_ATOM},
    [GX_OPERATION_VALUE] = {"value", GX_FORM_VALUE, 0, 0, GX_LEVEL_ATOM},
#define UNARY(name, arg) \
    [GX_OPERATION_UNARY + (arg)] = {name, GX_FORM_UNARY, (arg), 1, GX_LEVEL_UNARY}
    UNARY("-x", GX_NEGATIVE),
    UNARY("+x", GX_POSITIVE),
    UNARY("~x", GX_INVERT),
#define BINARY(name, arg, level) \
    [GX_OPERATION_BINARY + (arg)] = {name, GX_FORM_BINARY, (arg), 2, (level)}
    BINARY("+", GX_ADD, GX_LEVEL_SUM),
    BINARY("&", GX_AND, GX_LEVEL_BIT_AND),
    BINARY("//", GX_FLOOR_DIVIDE, GX_LEVEL_PRODUCT),
    BINARY("<<", GX_LSHIFT, GX_LEVEL_SHIFT),
    BINARY("@", GX_MATRIX_MULTIPLY, GX_LEVEL_PRODUCT),
    BINARY("*", GX_MULTIPLY, GX_LEVEL_PRODUCT),
    BINARY("%", GX_REMAINDER, GX_LEVEL_PRODUCT),
    BINARY("|", GX_OR, GX_LEVEL_BIT_OR),
    BINARY("**", GX_POWER, GX_LEVEL_POWER),
    BINARY(">>", GX_RSHIFT, GX_LEVEL_SHIFT),
    BINARY("-", GX_SUBTRACT, GX_LEVEL_SUM),
    BINARY("/", GX_TRUE_DIVIDE, GX_LEVEL_PRODUCT),
    BINARY("^", GX_XOR, GX_LEVEL_BIT_XOR),
#define COMPARE(name, arg) \
    [GX_OPERATION_COMPARE + (arg)] = {name, GX_FORM_COMPARE, (arg), 2, GX_LEVEL_COMPARE}
    COMPARE("<", Py_LT),
    COMPARE("<=", Py_LE),
    COMPARE("==", Py_EQ),
    COMPARE("!=", Py_NE),
    COMPARE(">", Py_GT),
    COMPARE(">=", Py_GE),
    [GX_OPERATION_ATTRIBUTE] = {"attribute", GX_FORM_ATTRIBUTE, 0, 1, GX_LEVEL_ATOM},
    [GX_OPERATION_ITEM] = {"item", GX_FORM_ITEM, 0, 2, GX_LEVEL_ATOM},
    [GX_OPERATION_SLICE] = {"slice", GX_FORM_SLICE, 0, 3, GX_LEVEL_ATOM},
    [GX_OPERATION_CALL] = {"call", GX_FORM_CALL, 0, -1, GX_LEVEL_ATOM},
    [GX_OPERATION_TUPLE] = {"tuple", GX_FORM_TUPLE, 0, -1, GX_LEVEL_ATOM},
    [GX_OPERATION_LIST] = {"list", GX_FORM_LIST, 0, -1, GX_LEVEL_ATOM},
    [GX_OPERATION_DICT] = {"dict", GX_FORM_DICT, 0, -1, GX_LEVEL_ATOM},
    [GX_OPERATION_ALL] = {"all_of", GX_FORM_ALL, 0, -1, GX_LEVEL_ATOM},
    [GX_OPERATION_ANY] = {"any_of", GX_FORM_ANY, 0, -1, GX_LEVEL_ATOM},
    [GX_OPERATION_NONE] = {"none_of", GX_FORM_NONE, 0, -1, GX_LEVEL_ATOM},
};

/* -- nodes -------------------------------------------------------------- */

/* Is there an expression in this container? 1, 0, -1. Nothing runs meanwhile. */
static int
holds_expression(PyObject *op)
{
    int found = 0;
    if (gx_is_expression(op)) {
        return 1;
    }
    if (!PyTuple_CheckExact(op) && !PyList_CheckExact(op) && !PyDict_CheckExact(op) &&
        !PySlice_Check(op)) {
        return 0;
    }
    if (Py_EnterRecursiveCall(" while building an expression")) {
        return -1;
    }
    if (PySlice_Check(op)) {
        PySliceObject *slice = (PySliceObject *)op;
        PyObject *parts[] = {slice->start, slice->stop, slice->step};
        for (int i = 0; i < 3 && found == 0; i++) {
            found = holds_expression(parts[i]);
        }
    } else if (PyDict_CheckExact(op)) {
        PyObject *key, *value;
        for (Py_ssize_t at = 0; found == 0 && PyDict_Next(op, &at, &key, &value);) {
            found = holds_expression(value); /* a key has a hash: it is none */
        }
    } else {
        for (Py_ssize_t i = 0; i < Py_SIZE(op) && found == 0; i++) {
            found = holds_expression(PyTuple_CheckExact(op) ? PyTuple_GET_ITEM(op, i)
                                                            : PyList_GET_ITEM(op, i));
        }
    }
    Py_LeaveRecursiveCall();
    return found;
}

/* (key, value, key, value, ...) */
static PyObject *
flat_items(PyObject *dict)
{
    PyObject *items = PyDict_Items(dict);
    Py_ssize_t n = items != NULL ? PyList_GET_SIZE(items) : 0;
    PyObject *flat = items != NULL ? PyTuple_New(2 * n) : NULL;
    for (Py_ssize_t i = 0; flat != NULL && i < 2 * n; i++) {
        PyObject *pair = PyList_GET_ITEM(items, i / 2);
        PyTuple_SET_ITEM(flat, i, Py_NewRef(PyTuple_GET_ITEM(pair, i % 2)));
    }
    Py_XDECREF(items);
    return flat;
}

/* The node that makes this container anew for each item. */
static PyObject *
display(PyTypeObject *type, PyObject *op)
{
    if (PySlice_Check(op)) {
        PySliceObject *slice = (PySliceObject *)op;
        PyObject *parts[] = {slice->start, slice->stop, slice->step};
        return gx_expression_new(type, &gx_operations[GX_OPERATION_SLICE], 3, parts,
                                 NULL);
    }
    int which = GX_OPERATION_TUPLE;
    PyObject *node = NULL, *items;
    if (PyDict_CheckExact(op)) {
        which = GX_OPERATION_DICT;
        items = flat_items(op);
    } else if (PyList_CheckExact(op)) {
        which = GX_OPERATION_LIST;
        items = PyList_AsTuple(op);
    } else {
        items = Py_NewRef(op);
    }
    if (items != NULL && Py_EnterRecursiveCall(" while building an expression") == 0) {
        node = gx_expression_new(type, &gx_operations[which], PyTuple_GET_SIZE(items),
                                 &PyTuple_GET_ITEM(items, 0), NULL);
        Py_LeaveRecursiveCall();
    }
    Py_XDECREF(items);
    return node;
}

static PyObject *
as_operand(PyTypeObject *type, PyObject *op)
{
    int holds = gx_is_expression(op) ? 0 : holds_expression(op);
    return holds < 0 ? NULL : holds > 0 ? display(type, op) : Py_NewRef(op);
}

PyObject *
gx_expression_new(PyTypeObject *type, const gx_operation *operation, Py_ssize_t n,
                  PyObject *const *operands, PyObject *detail)
{
    gx_expression *self = gx_expression_CAST(type->tp_alloc(type, n));
    if (self == NULL) {
        return NULL;
    }
    PyObject_GC_UnTrack(self); /* nobody may find it, and build on it, half made */
    self->operation = operation;
    self->detail = Py_XNewRef(detail);
    self->size = 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        self->operands[i] = Py_NewRef(Py_None);
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *operand = as_operand(type, operands[i]);
        if (operand == NULL) {
            Py_DECREF((PyObject *)self);
            return NULL;
        }
        Py_SETREF(self->operands[i], operand);
        self->size += gx_is_expression(operand) ? gx_expression_CAST(operand)->size : 1;
        if (self->size > GX_EXPRESSION_MOST) {
            PyErr_Format(PyExc_ValueError, "an expression has at most %d parts",
                         GX_EXPRESSION_MOST);
            Py_DECREF((PyObject *)self);
            return NULL;
        }
    }
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

PyObject *
gx_expression_this(PyTypeObject *type)
{
    return gx_expression_new(type, &gx_operations[GX_OPERATION_THIS], 0, NULL, NULL);
}

/* -- walks -------------------------------------------------------------- */

PyObject **
gx_expression_postfix(PyObject *op, Py_ssize_t *n)
{
    Py_ssize_t size = gx_is_expression(op) ? gx_expression_CAST(op)->size : 1;
    PyObject **order = PyMem_New(PyObject *, (size_t)size);
    PyObject **waiting = PyMem_New(PyObject *, (size_t)size);
    if (order == NULL || waiting == NULL) {
        PyMem_Free(order);
        PyMem_Free(waiting);
        PyErr_NoMemory();
        return NULL;
    }
    /* Backwards: each before its operands, the last operand first. */
    Py_ssize_t at = size, depth = 0;
    waiting[depth++] = op;
    while (depth > 0) {
        PyObject *here = waiting[--depth];
        order[--at] = here;
        for (Py_ssize_t i = 0; gx_is_expression(here) && i < Py_SIZE(here); i++) {
            waiting[depth++] = gx_expression_CAST(here)->operands[i];
        }
    }
    PyMem_Free(waiting);
    *n = size;
    return order;
}
