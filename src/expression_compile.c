/* From an expression to a native program: operands in Python's order, all_of and any_of
   as jumps. What is too large for one program is cut into several, each a function that
   the next one calls. */

#include "expression.h"

/* So many parts of a program there may be: they nearly always fit into its registers,
   operations and constants, and if not, the fewer do. */
#define MOST_PARTS 96
#define FEWER_PARTS 32

/* -- compile ------------------------------------------------------------ */

static void compile_operand(gx_builder *b, PyObject *op);

static void
compile_operands(gx_builder *b, const gx_expression *node)
{
    for (Py_ssize_t i = 0; i < Py_SIZE((PyObject *)node); i++) {
        compile_operand(b, node->operands[i]);
    }
}

/* A method is looked up before the arguments. */
static void
compile_call(gx_builder *b, const gx_expression *node)
{
    PyObject *callee = node->operands[0];
    Py_ssize_t n = Py_SIZE((PyObject *)node);
    const gx_expression *method =
        gx_is_expression(callee) ? gx_expression_CAST(callee) : NULL;
    if (method != NULL && method->operation->form == GX_FORM_ATTRIBUTE) {
        compile_operand(b, method->operands[0]);
        gx_build_method(b, method->detail);
    } else {
        compile_operand(b, callee);
    }
    for (Py_ssize_t i = 1; i < n; i++) {
        compile_operand(b, node->operands[i]);
    }
    gx_build_call(b, (int)n - 1, node->detail);
}

/* The first operand that decides it is the value, else the last one. */
static void
compile_choice(gx_builder *b, const gx_expression *node)
{
    gx_label end = GX_LABEL;
    Py_ssize_t n = Py_SIZE((PyObject *)node);
    bool all = node->operation->form == GX_FORM_ALL;
    if (n == 0) {
        gx_push_const(b, all ? Py_True : Py_False);
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        compile_operand(b, node->operands[i]);
        if (i < n - 1) {
            gx_build_copy(b, 1);
            gx_build_jump(b, all ? GX_OP_JUMP_IF_FALSE : GX_OP_JUMP_IF_TRUE, 1, &end);
            gx_build_drop(b);
        }
    }
    if (n > 1) {
        gx_build_label(b, &end);
    }
    if (node->operation->form == GX_FORM_NONE) {
        gx_build(b, GX_OP_UNARY, GX_NOT, 1, 0);
    }
}

static void
compile_node(gx_builder *b, const gx_expression *node)
{
    int n = (int)Py_SIZE((PyObject *)node), arg = node->operation->arg;
    switch (node->operation->form) {
    case GX_FORM_THIS:
        gx_push(b, GX_PARAM);
        return;
    case GX_FORM_CALL:
        compile_call(b, node);
        return;
    case GX_FORM_ALL:
    case GX_FORM_ANY:
    case GX_FORM_NONE:
        compile_choice(b, node);
        return;
    default:
        compile_operands(b, node);
    }
    switch (node->operation->form) {
    case GX_FORM_UNARY:
        gx_build(b, GX_OP_UNARY, arg, n, 0);
        break;
    case GX_FORM_BINARY:
        gx_build(b, GX_OP_BINARY, arg, n, 0);
        break;
    case GX_FORM_COMPARE:
        gx_build(b, GX_OP_COMPARE, arg, n, 0);
        break;
    case GX_FORM_ATTRIBUTE:
        gx_build(b, GX_OP_ATTRIBUTE, 0, n, gx_builder_name(b, node->detail));
        break;
    case GX_FORM_ITEM:
        gx_build(b, GX_OP_SUBSCRIPT, 0, n, 0);
        break;
    case GX_FORM_SLICE:
        gx_build(b, GX_OP_BUILD_SLICE, 0, n, 0);
        break;
    case GX_FORM_TUPLE:
        gx_build(b, GX_OP_TUPLE, 0, n, 0);
        break;
    case GX_FORM_LIST:
        gx_build(b, GX_OP_LIST, 0, n, 0);
        break;
    default:
        gx_build(b, GX_OP_MAP, 0, n, 0);
    }
}

static void
compile_operand(gx_builder *b, PyObject *op)
{
    if (gx_is_expression(op)) {
        compile_node(b, gx_expression_CAST(op));
    } else {
        gx_push_const(b, op);
    }
}

/* NULL without an error and *refusal where it does not fit. The recursion is as deep as
   it has parts. */
static gx_native *
compile(gx_state *state, PyObject *op, const char **refusal)
{
    gx_builder *b = PyMem_New(gx_builder, 1);
    if (b == NULL || gx_builder_init(b, 1) < 0) {
        PyMem_Free(b);
        *refusal = NULL;
        PyErr_NoMemory();
        return NULL;
    }
    compile_operand(b, op);
    gx_build_end(b, GX_OP_RETURN, 1);
    gx_native *native = gx_builder_finish(state, b);
    *refusal = b->refusal;
    PyMem_Free(b);
    return native;
}

/* -- cut ---------------------------------------------------------------- */

static Py_ssize_t
size_of(PyObject *op)
{
    return gx_is_expression(op) ? gx_expression_CAST(op)->size : 1;
}

static Py_ssize_t
size_with(PyObject *const *operands, Py_ssize_t n)
{
    Py_ssize_t size = 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        size += size_of(operands[i]);
    }
    return size;
}

/* call(function, this): three parts in place of many. Takes `node`, perhaps NULL. */
static PyObject *
as_function_call(gx_state *state, PyObject *node)
{
    PyTypeObject *type = GX_TYPE_OF(state, Expression);
    PyObject *call = NULL, *operands[2] = {NULL, NULL};
    if (node != NULL) {
        operands[0] = gx_expression_function_new(state, node);
        operands[1] = gx_expression_this(type);
    }
    if (operands[0] != NULL && operands[1] != NULL) {
        call = gx_expression_new(type, &gx_operations[GX_OPERATION_CALL], 2, operands,
                                 NULL);
    }
    Py_XDECREF(operands[0]);
    Py_XDECREF(operands[1]);
    Py_XDECREF(node);
    return call;
}

/* The largest operands become calls, until the rest fits. 0 or -1. */
static int
cut_operands(gx_state *state, PyObject **operands, Py_ssize_t n, Py_ssize_t most)
{
    while (size_with(operands, n) > most) {
        Py_ssize_t largest = 0;
        for (Py_ssize_t i = 1; i < n && n <= most; i++) {
            largest = size_of(operands[i]) > size_of(operands[largest]) ? i : largest;
        }
        if (n > most || size_of(operands[largest]) <= 3) {
            PyErr_Format(PyExc_ValueError,
                         "the expression cannot be compiled: %zd operands at once", n);
            return -1;
        }
        PyObject *call = as_function_call(state, operands[largest]);
        operands[largest] = NULL;
        if (call == NULL) {
            return -1;
        }
        operands[largest] = call;
    }
    return 0;
}

/* all_of(a, b, c, d) is all_of(all_of(a, b), all_of(c, d)), of any_of and none_of that
   is true of any_of. Returns how many operands are left, or -1. */
static Py_ssize_t
cut_choice(gx_state *state, const gx_operation *operation, PyObject **operands,
           Py_ssize_t n, Py_ssize_t most)
{
    const gx_operation *part =
        operation->form == GX_FORM_NONE ? &gx_operations[GX_OPERATION_ANY] : operation;
    Py_ssize_t left = 0;
    for (Py_ssize_t start = 0, end; start < n; start = end) {
        Py_ssize_t size = 1;
        for (end = start; end < n && size + size_of(operands[end]) <= most; end++) {
            size += size_of(operands[end]);
        }
        end = end == start ? start + 1 : end;
        PyObject *group = gx_expression_new(GX_TYPE_OF(state, Expression), part,
                                            end - start, operands + start, NULL);
        PyObject *call = as_function_call(state, group);
        for (Py_ssize_t i = start; i < end; i++) {
            Py_CLEAR(operands[i]);
        }
        if (call == NULL) {
            return -1;
        }
        operands[left++] = call; /* left <= start */
    }
    return left;
}

/* The node with these operands, some of them cut so that it has at most so many parts: a
   new reference. The array keeps what is to be released, or NULL. */
static PyObject *
cut_node(gx_state *state, const gx_expression *node, PyObject **operands,
         Py_ssize_t most)
{
    const gx_operation *operation = node->operation;
    Py_ssize_t n = Py_SIZE((PyObject *)node);
    bool choice = operation->form == GX_FORM_ALL || operation->form == GX_FORM_ANY ||
                  operation->form == GX_FORM_NONE;
    for (Py_ssize_t i = 0; choice && i < n; i++) {
        if (size_of(operands[i]) >= most &&
            cut_operands(state, &operands[i], 1, most)) {
            return NULL;
        }
    }
    while (choice && size_with(operands, n) > most) {
        n = cut_choice(state, operation, operands, n, most);
        if (n < 0) {
            return NULL;
        }
    }
    if (cut_operands(state, operands, n, most) < 0) {
        return NULL;
    }
    return gx_expression_new(GX_TYPE_OF(state, Expression), operation, n, operands,
                             node->detail);
}

static PyObject *
cut_next(gx_state *state, PyObject *op, PyObject **operands, Py_ssize_t most)
{
    if (size_of(op) <= most) {
        return Py_NewRef(op);
    }
    return cut_node(state, gx_expression_CAST(op), operands, most);
}

/* The same expression in at most so many parts: a new reference. */
static PyObject *
cut(gx_state *state, PyObject *op, Py_ssize_t most)
{
    Py_ssize_t n, depth = 0;
    PyObject **order = gx_expression_postfix(op, &n);
    PyObject **stack = PyMem_Calloc((size_t)n + 1, sizeof(PyObject *));
    bool failed = order == NULL || stack == NULL;
    if (stack == NULL) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < n && !failed; i++) {
        Py_ssize_t operands = gx_is_expression(order[i]) ? Py_SIZE(order[i]) : 0;
        depth -= operands;
        PyObject *made = cut_next(state, order[i], stack + depth, most);
        for (Py_ssize_t j = 0; j < operands; j++) {
            Py_CLEAR(stack[depth + j]);
        }
        stack[depth++] = made;
        failed = made == NULL;
    }
    PyObject *result = failed || depth != 1 ? NULL : Py_NewRef(stack[0]);
    for (Py_ssize_t i = 0; stack != NULL && i < depth; i++) {
        Py_XDECREF(stack[i]);
    }
    PyMem_Free(stack);
    PyMem_Free(order);
    return result;
}

gx_native *
gx_expression_compile(gx_state *state, PyObject *op)
{
    static const Py_ssize_t limits[] = {MOST_PARTS, FEWER_PARTS};
    gx_native *native = NULL;
    const char *refusal = NULL;
    for (int i = 0; i < 2 && native == NULL && !PyErr_Occurred(); i++) {
        PyObject *small = cut(state, op, limits[i]);
        native = small != NULL ? compile(state, small, &refusal) : NULL;
        Py_XDECREF(small);
    }
    if (native == NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_ValueError, "the expression cannot be compiled: %s",
                     refusal);
    }
    return native;
}
