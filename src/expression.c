/* Expression: what is built from `this`. Operators, calls, subscripts and attributes of
   an expression build a larger one. */

#include "expression.h"

/* -- struct ------------------------------------------------------------- */

/* gx_expression of expression.h. */

/* -- construct ---------------------------------------------------------- */

/* gx_expression_new of expression_tree.c. */

/* -- iterate: operators --------------------------------------------------- */

static PyObject *
build_two(int operation, PyObject *left, PyObject *right)
{
    PyObject *operands[] = {left, right};
    PyTypeObject *type = Py_TYPE(gx_is_expression(left) ? left : right);
    return gx_expression_new(type, &gx_operations[operation], 2, operands, NULL);
}

#define BINARY_SLOT(name, arg)                                   \
    static PyObject *expression_##name(PyObject *a, PyObject *b) \
    {                                                            \
        return build_two(GX_OPERATION_BINARY + (arg), a, b);     \
    }
BINARY_SLOT(add, GX_ADD)
BINARY_SLOT(and, GX_AND)
BINARY_SLOT(floor_divide, GX_FLOOR_DIVIDE)
BINARY_SLOT(lshift, GX_LSHIFT)
BINARY_SLOT(matrix_multiply, GX_MATRIX_MULTIPLY)
BINARY_SLOT(multiply, GX_MULTIPLY)
BINARY_SLOT(remainder, GX_REMAINDER)
BINARY_SLOT(or, GX_OR)
BINARY_SLOT(rshift, GX_RSHIFT)
BINARY_SLOT(subtract, GX_SUBTRACT)
BINARY_SLOT(true_divide, GX_TRUE_DIVIDE)
BINARY_SLOT(xor, GX_XOR)

#define UNARY_SLOT(name, arg)                                                       \
    static PyObject *expression_##name(PyObject *op)                                \
    {                                                                               \
        return gx_expression_new(                                                   \
            Py_TYPE(op), &gx_operations[GX_OPERATION_UNARY + (arg)], 1, &op, NULL); \
    }
UNARY_SLOT(negative, GX_NEGATIVE)
UNARY_SLOT(positive, GX_POSITIVE)
UNARY_SLOT(invert, GX_INVERT)

static PyObject *
expression_compare(PyObject *left, PyObject *right, int op)
{
    return build_two(GX_OPERATION_COMPARE + op, left, right);
}

static PyObject *
expression_subscript(PyObject *op, PyObject *key)
{
    return build_two(GX_OPERATION_ITEM, op, key);
}

/* -- iterate: calls ------------------------------------------------------- */

static PyObject *
build_call(PyTypeObject *type, Py_ssize_t n, PyObject *const *operands, PyObject *names)
{
    PyObject *detail = names != NULL && PyTuple_GET_SIZE(names) > 0 ? names : NULL;
    return gx_expression_new(type, &gx_operations[GX_OPERATION_CALL], n, operands,
                             detail);
}

static PyObject *
expression_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t npos = PyTuple_GET_SIZE(args);
    Py_ssize_t nkw = kwargs != NULL ? PyDict_GET_SIZE(kwargs) : 0;
    PyObject *node = NULL;
    PyObject **operands = PyMem_New(PyObject *, (size_t)(1 + npos + nkw));
    if (operands == NULL) {
        return PyErr_NoMemory();
    }
    operands[0] = Py_NewRef(op);
    for (Py_ssize_t i = 0; i < npos; i++) {
        operands[1 + i] = PyTuple_GET_ITEM(args, i);
    }
    PyObject *names = gx_take_keywords(kwargs, nkw, operands + 1 + npos);
    if (names != NULL) {
        node = build_call(Py_TYPE(op), 1 + npos + nkw, operands, names);
        for (Py_ssize_t i = 0; i < nkw; i++) {
            Py_DECREF(operands[1 + npos + i]);
        }
        Py_DECREF(names);
    }
    Py_DECREF(op);
    PyMem_Free(operands);
    return node;
}

/* What has an operator's method but is no operator: a call of the builtin. */
static PyObject *
call_builtin(PyObject *expression, enum gx_name_id name, Py_ssize_t n,
             PyObject *const *args)
{
    PyTypeObject *type = Py_TYPE(expression);
    gx_state *state = PyType_GetModuleState(type);
    PyObject *operands[4] = {NULL}, *node = NULL;
    PyObject *builtins = PyImport_ImportModule("builtins");
    if (builtins != NULL) {
        operands[0] = PyObject_GetAttr(builtins, state->names[name]);
        Py_DECREF(builtins);
    }
    if (operands[0] != NULL) {
        memcpy(operands + 1, args, (size_t)n * sizeof(PyObject *));
        node = build_call(type, 1 + n, operands, NULL);
        Py_DECREF(operands[0]);
    }
    return node;
}

static PyObject *
expression_absolute(PyObject *op)
{
    return call_builtin(op, GX_NAME_abs, 1, &op);
}

static PyObject *
expression_divmod(PyObject *left, PyObject *right)
{
    PyObject *args[] = {left, right};
    return call_builtin(gx_is_expression(left) ? left : right, GX_NAME_divmod, 2, args);
}

static PyObject *
expression_power(PyObject *base, PyObject *exponent, PyObject *modulus)
{
    if (modulus == Py_None) {
        return build_two(GX_OPERATION_BINARY + GX_POWER, base, exponent);
    }
    PyObject *args[] = {base, exponent, modulus};
    return call_builtin(gx_is_expression(base)       ? base
                        : gx_is_expression(exponent) ? exponent
                                                     : modulus,
                        GX_NAME_pow, 3, args);
}

static PyObject *
expression_round(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs > 1) {
        PyErr_Format(PyExc_TypeError,
                     "round() takes from 1 to 2 arguments but %zd given", nargs + 1);
        return NULL;
    }
    PyObject *operands[] = {op, nargs > 0 ? args[0] : NULL};
    return call_builtin(op, GX_NAME_round, 1 + nargs, operands);
}

/* -- iterate: attributes -------------------------------------------------- */

static bool
is_dunder(PyObject *name)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(name);
    return n > 4 && PyUnicode_READ_CHAR(name, 0) == '_' &&
           PyUnicode_READ_CHAR(name, 1) == '_' &&
           PyUnicode_READ_CHAR(name, n - 1) == '_' &&
           PyUnicode_READ_CHAR(name, n - 2) == '_';
}

/* Dunder names are the expression's own: copy, pickle and inspect ask for them. */
static PyObject *
expression_getattro(PyObject *op, PyObject *name)
{
    if (is_dunder(name)) {
        PyObject *value = PyObject_GenericGetAttr(op, name);
        if (value == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Format(PyExc_AttributeError,
                         "an expression has no attribute '%U': write "
                         "call(getattr, ..., '%U')",
                         name, name);
        }
        return value;
    }
    PyObject *exact = PyUnicode_FromObject(name);
    if (exact == NULL) {
        return NULL;
    }
    PyUnicode_InternInPlace(&exact);
    PyObject *node = gx_expression_new(
        Py_TYPE(op), &gx_operations[GX_OPERATION_ATTRIBUTE], 1, &op, exact);
    Py_DECREF(exact);
    return node;
}

static int
expression_setattro(PyObject *Py_UNUSED(op), PyObject *name, PyObject *Py_UNUSED(value))
{
    PyErr_Format(PyExc_AttributeError,
                 "attribute '%U' cannot be set: expressions do not change", name);
    return -1;
}

/* -- iterate: what is refused --------------------------------------------- */

static int
expression_bool(PyObject *Py_UNUSED(op))
{
    PyErr_SetString(
        PyExc_TypeError,
        "an expression is neither true nor false: write all_of(a, b) for `a and b`, "
        "any_of(a, b) for `a or b`, none_of(a) for `not a`, "
        "all_of(a < this, this < b) for `a < this < b`");
    return -1;
}

static Py_ssize_t
expression_length(PyObject *Py_UNUSED(op))
{
    PyErr_SetString(PyExc_TypeError,
                    "an expression has no length: write call(len, ...)");
    return -1;
}

static PyObject *
expression_iter(PyObject *Py_UNUSED(op))
{
    PyErr_SetString(PyExc_TypeError,
                    "an expression cannot be iterated over or unpacked: write "
                    "call(func, ...) with a function that does, as in call(sum, this)");
    return NULL;
}

static int
expression_contains(PyObject *Py_UNUSED(op), PyObject *Py_UNUSED(value))
{
    PyErr_SetString(PyExc_TypeError,
                    "`in` cannot build an expression: write "
                    "call(operator.contains, container, value)");
    return -1;
}

static Py_hash_t
expression_hash(PyObject *Py_UNUSED(op))
{
    PyErr_SetString(PyExc_TypeError,
                    "an expression has no hash, since == builds an expression: use a "
                    "list, or id(...) as the key");
    return -1;
}

static PyObject *
expression_int(PyObject *Py_UNUSED(op))
{
    PyErr_SetString(PyExc_TypeError,
                    "an expression is not a number: write call(int, ...), "
                    "call(float, ...)");
    return NULL;
}

static PyObject *
expression_index(PyObject *Py_UNUSED(op))
{
    PyErr_SetString(PyExc_TypeError,
                    "an expression is not an index: write "
                    "call(operator.getitem, items, ...)");
    return NULL;
}

/* -- protocol ----------------------------------------------------------- */

static int
expression_traverse(PyObject *op, visitproc visit, void *arg)
{
    gx_expression *self = gx_expression_CAST(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->detail);
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        Py_VISIT(self->operands[i]);
    }
    return 0;
}

/* Immutable, so there is no tp_clear: a cycle goes through a constant too. */
static void
expression_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    gx_expression *self = gx_expression_CAST(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, expression_dealloc)
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    Py_XDECREF(self->detail);
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        Py_XDECREF(self->operands[i]);
    }
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

PyObject *
gx_expression_repr(PyObject *op)
{
    return gx_expression_text(op, false);
}

static PyObject *
expression_copy(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return Py_NewRef(op);
}

/* A class attribute: NumPy's arrays then leave `array + this` to us. */
static int
expression_ready(PyTypeObject *type)
{
    int rc = PyDict_SetItemString(type->tp_dict, "__array_ufunc__", Py_None);
    PyType_Modified(type);
    return rc;
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(expression_doc,
"Operations on an item that is still to come: what is built from `this`.\n\n"
"Every operator, comparison, subscript, attribute and call of an expression builds a\n"
"larger one. Stages take it where they take a function; func(expr) makes one of it.\n"
"Expressions do not change, and can be pickled if the constants in them can.\n\n"
">>> this['age'] >= 30\n"
"this['age'] >= 30\n"
">>> pipe(['a', 'b']).map(this.upper() + '!').list()\n"
"['A!', 'B!']");

static PyMethodDef expression_methods[] = {
    {"__round__", GX_FASTCALL(expression_round), METH_FASTCALL, NULL},
    {"__copy__", expression_copy, METH_NOARGS, NULL},
    {"__reduce__", gx_expression_pickle, METH_NOARGS, NULL},
    {"_from_rows", gx_expression_from_rows, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef expression_members[] = {
    GX_WEAKLIST_MEMBER(gx_expression),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot expression_slots[] = {
    {Py_tp_doc, (void *)expression_doc},
    {Py_tp_dealloc, expression_dealloc},
    {Py_tp_traverse, expression_traverse},
    {Py_tp_repr, gx_expression_repr},
    {Py_tp_hash, expression_hash},
    {Py_tp_richcompare, expression_compare},
    {Py_tp_getattro, expression_getattro},
    {Py_tp_setattro, expression_setattro},
    {Py_tp_call, expression_call},
    {Py_tp_iter, expression_iter},
    {Py_nb_add, expression_add},
    {Py_nb_subtract, expression_subtract},
    {Py_nb_multiply, expression_multiply},
    {Py_nb_matrix_multiply, expression_matrix_multiply},
    {Py_nb_true_divide, expression_true_divide},
    {Py_nb_floor_divide, expression_floor_divide},
    {Py_nb_remainder, expression_remainder},
    {Py_nb_divmod, expression_divmod},
    {Py_nb_power, expression_power},
    {Py_nb_lshift, expression_lshift},
    {Py_nb_rshift, expression_rshift},
    {Py_nb_and, expression_and},
    {Py_nb_or, expression_or},
    {Py_nb_xor, expression_xor},
    {Py_nb_negative, expression_negative},
    {Py_nb_positive, expression_positive},
    {Py_nb_invert, expression_invert},
    {Py_nb_absolute, expression_absolute},
    {Py_nb_bool, expression_bool},
    {Py_nb_int, expression_int},
    {Py_nb_float, expression_int},
    {Py_nb_index, expression_index},
    {Py_mp_subscript, expression_subscript},
    {Py_mp_length, expression_length},
    {Py_sq_contains, expression_contains},
    {Py_tp_methods, expression_methods},
    {Py_tp_members, expression_members},
    {0, NULL},
};

static PyType_Spec expression_spec = {
    .name = "pygenx.Expression",
    .basicsize = offsetof(gx_expression, operands),
    .itemsize = sizeof(PyObject *),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = expression_slots,
};

const gx_typedef gx_Expression_typedef = {
    .spec = &expression_spec,
    .public = true,
    .ready = expression_ready,
};
