/* The source text of an expression: what repr() shows. Pieces still to be written wait
   on a stack, so that no depth is too deep. */

#include "expression.h"

/* -- pieces ------------------------------------------------------------- */

/* `level` of a piece: gx_level, or... */
enum {
    LEVEL_RAW = -3,  /* a str to be written as it is */
    LEVEL_KEY = -2,  /* between brackets: a tuple stands without its parentheses */
    LEVEL_ENTRY = -1 /* in such a tuple: slices have colons here, too */
};

typedef struct {
    PyObject *op;     /* borrowed from the expression; NULL: `text` */
    const char *text; /* static */
    int level;        /* what binds less tightly gets parentheses */
} piece;

typedef struct {
    PyObject *parts; /* owned list of str */
    piece *stack;    /* owned */
    Py_ssize_t n, room;
    bool safe;
    bool failed; /* an exception is set */
} writer;

static void
push(writer *w, PyObject *op, const char *text, int level)
{
    if (w->n == w->room && !w->failed) {
        Py_ssize_t room = 2 * w->room + 16;
        piece *stack = PyMem_Realloc(w->stack, (size_t)room * sizeof(piece));
        if (stack == NULL) {
            PyErr_NoMemory();
            w->failed = true;
        } else {
            w->stack = stack;
            w->room = room;
        }
    }
    if (!w->failed) {
        w->stack[w->n++] = (piece){op, text, level};
    }
}

static void
push_text(writer *w, const char *text)
{
    push(w, NULL, text, 0);
}

/* What was pushed from `start` on is popped in the order it was pushed in. */
static void
turn_round(writer *w, Py_ssize_t start)
{
    for (Py_ssize_t i = start, j = w->n - 1; i < j; i++, j--) {
        piece other = w->stack[i];
        w->stack[i] = w->stack[j];
        w->stack[j] = other;
    }
}

/* Takes `text`, which may be NULL with an error. */
static void
write_part(writer *w, PyObject *text)
{
    if (text == NULL || PyList_Append(w->parts, text) < 0) {
        w->failed = true;
    }
    Py_XDECREF(text);
}

/* -- constants ---------------------------------------------------------- */

static void
write_constant(writer *w, PyObject *op, int level)
{
    PyObject *text = gx_constant_text(op, w->safe);
    if (text != NULL && level > GX_LEVEL_UNARY && PyUnicode_GET_LENGTH(text) > 0 &&
        PyUnicode_READ_CHAR(text, 0) == '-') {
        Py_SETREF(text, PyUnicode_FromFormat("(%U)", text));
    }
    write_part(w, text);
}

/* -- nodes -------------------------------------------------------------- */

static void
push_list(writer *w, PyObject *const *items, Py_ssize_t n, int level)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        if (i > 0) {
            push_text(w, ", ");
        }
        push(w, items[i], NULL, level);
    }
}

static void
push_tuple(writer *w, PyObject *const *items, Py_ssize_t n, int level)
{
    bool bare = level == LEVEL_KEY && n > 0;
    push_text(w, bare ? "" : "(");
    push_list(w, items, n, bare ? LEVEL_ENTRY : GX_LEVEL_ANY);
    push_text(w, n == 1 ? "," : "");
    push_text(w, bare ? "" : ")");
}

static void
push_slice(writer *w, PyObject *const *parts, int level)
{
    if (level != LEVEL_KEY && level != LEVEL_ENTRY) {
        push_text(w, "slice(");
        push_list(w, parts, 3, GX_LEVEL_ANY);
        push_text(w, ")");
        return;
    }
    for (int i = 0; i < 3; i++) {
        if (i == 1 || (i == 2 && parts[2] != Py_None)) {
            push_text(w, ":");
        }
        if (parts[i] != Py_None) {
            push(w, parts[i], NULL, GX_LEVEL_ANY);
        }
    }
}

static void
push_dict(writer *w, PyObject *const *items, Py_ssize_t n)
{
    push_text(w, "{");
    for (Py_ssize_t i = 0; i < n; i++) {
        push_text(w, i == 0 ? "" : i % 2 == 0 ? ", " : ": ");
        push(w, items[i], NULL, GX_LEVEL_ANY);
    }
    push_text(w, "}");
}

static void
push_attribute(writer *w, const gx_expression *node)
{
    if (PyUnicode_IsIdentifier(node->detail)) {
        push(w, node->operands[0], NULL, GX_LEVEL_ATOM);
        push_text(w, ".");
        push(w, node->detail, NULL, LEVEL_RAW);
        return;
    }
    push_text(w, "call(getattr, ");
    push(w, node->operands[0], NULL, GX_LEVEL_ANY);
    push_text(w, ", ");
    push(w, node->detail, NULL, GX_LEVEL_ANY);
    push_text(w, ")");
}

static void
push_keyword(writer *w, PyObject *name, PyObject *value)
{
    bool plain = PyUnicode_IsIdentifier(name);
    push_text(w, plain ? "" : "**{");
    push(w, name, NULL, plain ? LEVEL_RAW : GX_LEVEL_ANY);
    push_text(w, plain ? "=" : ": ");
    push(w, value, NULL, GX_LEVEL_ANY);
    push_text(w, plain ? "" : "}");
}

static void
push_call(writer *w, const gx_expression *node)
{
    bool built = gx_is_expression(node->operands[0]);
    Py_ssize_t n = Py_SIZE((PyObject *)node);
    Py_ssize_t nkw = node->detail != NULL ? PyTuple_GET_SIZE(node->detail) : 0;
    push_text(w, built ? "" : "call(");
    push(w, node->operands[0], NULL, built ? GX_LEVEL_ATOM : GX_LEVEL_ANY);
    push_text(w, built ? "(" : n > 1 ? ", " : "");
    push_list(w, node->operands + 1, n - 1 - nkw, GX_LEVEL_ANY);
    for (Py_ssize_t i = 0; i < nkw; i++) {
        push_text(w, n - 1 - nkw + i > 0 ? ", " : "");
        push_keyword(w, PyTuple_GET_ITEM(node->detail, i), node->operands[n - nkw + i]);
    }
    push_text(w, ")");
}

/* All but ** group from the left; comparisons would make a chain. */
static void
push_operator(writer *w, const gx_expression *node)
{
    const gx_operation *operation = node->operation;
    int left = operation->level, right = operation->level + 1;
    if (operation->form == GX_FORM_COMPARE) {
        left = right;
    } else if (operation->level == GX_LEVEL_POWER) {
        left = GX_LEVEL_ATOM;
        right = GX_LEVEL_UNARY;
    }
    push(w, node->operands[0], NULL, left);
    push_text(w, " ");
    push_text(w, operation->name);
    push_text(w, " ");
    push(w, node->operands[1], NULL, right);
}

static void
push_unary(writer *w, const gx_expression *node)
{
    static const char *const signs[] =
        {[GX_NEGATIVE] = "-", [GX_POSITIVE] = "+", [GX_INVERT] = "~"};
    push_text(w, signs[node->operation->arg]);
    push(w, node->operands[0], NULL, GX_LEVEL_UNARY);
}

static void
push_node(writer *w, const gx_expression *node, int level)
{
    PyObject *const *operands = node->operands;
    Py_ssize_t n = Py_SIZE((PyObject *)node);
    switch (node->operation->form) {
    case GX_FORM_UNARY:
        push_unary(w, node);
        break;
    case GX_FORM_BINARY:
    case GX_FORM_COMPARE:
        push_operator(w, node);
        break;
    case GX_FORM_ATTRIBUTE:
        push_attribute(w, node);
        break;
    case GX_FORM_ITEM:
        push(w, operands[0], NULL, GX_LEVEL_ATOM);
        push_text(w, "[");
        push(w, operands[1], NULL, LEVEL_KEY);
        push_text(w, "]");
        break;
    case GX_FORM_SLICE:
        push_slice(w, operands, level);
        break;
    case GX_FORM_CALL:
        push_call(w, node);
        break;
    case GX_FORM_TUPLE:
        push_tuple(w, operands, n, level);
        break;
    case GX_FORM_DICT:
        push_dict(w, operands, n);
        break;
    case GX_FORM_LIST:
        push_text(w, "[");
        push_list(w, operands, n, GX_LEVEL_ANY);
        push_text(w, "]");
        break;
    case GX_FORM_THIS:
        push_text(w, "this");
        break;
    default:
        push_text(w, node->operation->name);
        push_text(w, "(");
        push_list(w, operands, n, GX_LEVEL_ANY);
        push_text(w, ")");
    }
}

static void
push_operand(writer *w, PyObject *op, int level)
{
    if (gx_is_expression(op)) {
        const gx_expression *node = gx_expression_CAST(op);
        bool wrapped = node->operation->level < level;
        push_text(w, wrapped ? "(" : "");
        push_node(w, node, level);
        push_text(w, wrapped ? ")" : "");
    } else if (PyTuple_CheckExact(op)) {
        push_tuple(w, &PyTuple_GET_ITEM(op, 0), PyTuple_GET_SIZE(op), level);
    } else if (PySlice_Check(op)) {
        PySliceObject *slice = (PySliceObject *)op;
        PyObject *parts[] = {slice->start, slice->stop, slice->step};
        push_slice(w, parts, level);
    } else {
        write_constant(w, op, level);
    }
}

/* -- the text ----------------------------------------------------------- */

static void
write_piece(writer *w, piece next)
{
    if (next.op == NULL) {
        assert(next.text != NULL);
        if (*next.text != '\0') {
            write_part(w, PyUnicode_FromString(next.text));
        }
    } else if (next.level == LEVEL_RAW) {
        write_part(w, Py_NewRef(next.op));
    } else {
        Py_ssize_t start = w->n;
        push_operand(w, next.op, next.level);
        turn_round(w, start);
    }
}

PyObject *
gx_expression_text(PyObject *op, bool safe)
{
    writer w = {.parts = PyList_New(0), .safe = safe};
    PyObject *text = NULL, *empty = PyUnicode_FromString("");
    w.failed = w.parts == NULL || empty == NULL;
    push(&w, op, NULL, GX_LEVEL_ANY);
    while (w.n > 0 && !w.failed) {
        write_piece(&w, w.stack[--w.n]);
    }
    if (!w.failed) {
        text = PyUnicode_Join(empty, w.parts);
    }
    PyMem_Free(w.stack);
    Py_XDECREF(w.parts);
    Py_XDECREF(empty);
    return text;
}
