/* The source text of a native program, for people: what is too long or too tangled is
   shown as "...". */

#include "native_text.h"

static PyObject *text_of(gx_reader *r, int i, int level);

/* Is the node not there, or the text long enough? A node may be the operand of many. */
static bool
has_enough(gx_reader *r, int i)
{
    return i < 0 || r->steps++ > 2 * GX_TEXT_STEPS;
}

/* -- pieces ----------------------------------------------------------------- */

static PyObject *
fill_one(const char *format, PyObject *a)
{
    return gx_fill(format, 1, a, NULL, NULL);
}

static PyObject *
fill_two(const char *format, PyObject *a, PyObject *b)
{
    return gx_fill(format, 2, a, b, NULL);
}

/* "a, b, c" of the children from `from` on. */
static PyObject *
list_text(gx_reader *r, const gx_node *node, int from, int to)
{
    PyObject *text = PyUnicode_FromString("");
    for (int i = from; i < to && text != NULL; i++) {
        PyObject *item = text_of(r, r->children[node->first + i], GX_LEVEL_ANY);
        text = fill_two(i > from ? "%U, %U" : "%U%U", text, item);
    }
    return text;
}

/* -- values ----------------------------------------------------------------- */

static PyObject *
value_text(const gx_reader *r, const gx_node *node, int *level)
{
    *level = GX_LEVEL_ATOM;
    if (node->value == NULL) {
        return node->part < PyTuple_GET_SIZE(r->params)
                   ? Py_NewRef(PyTuple_GET_ITEM(r->params, node->part))
                   : PyUnicode_FromFormat("arg%d", node->part);
    }
    PyObject *text = gx_constant_text(node->value, true);
    if (text != NULL && PyUnicode_READ_CHAR(text, 0) == '-') {
        *level = GX_LEVEL_UNARY;
    }
    return text;
}

/* -- f-strings ------------------------------------------------------------------ */

/* Can the text stand between such quotes as it is? */
static bool
fits_quotes(PyObject *text, Py_UCS4 quote)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(text, i);
        if (c == quote || c == '\\' || c < ' ') {
            return false;
        }
    }
    return true;
}

static PyObject *
double_braces(PyObject *text)
{
    PyObject *pairs[] = {PyUnicode_FromString("{"), PyUnicode_FromString("{{"),
                         PyUnicode_FromString("}"), PyUnicode_FromString("}}")};
    Py_INCREF(text);
    for (int i = 0; i < 4 && text != NULL && pairs[i] && pairs[i + 1]; i += 2) {
        Py_SETREF(text, PyUnicode_Replace(text, pairs[i], pairs[i + 1], -1));
    }
    for (int i = 0; i < 4; i++) {
        Py_XDECREF(pairs[i]);
    }
    return text;
}

static PyObject *format_text(gx_reader *r, int i);

/* What stands between the quotes. */
static PyObject *
string_text(gx_reader *r, int i)
{
    const gx_node *node = &r->nodes[i];
    if (has_enough(r, i)) {
        return PyUnicode_FromString("...");
    }
    if (node->kind == GX_NODE_VALUE && node->value != NULL &&
        PyUnicode_CheckExact(node->value)) {
        return double_braces(node->value);
    }
    if (node->kind != GX_NODE_OPERATION || node->insn->op != GX_OP_STRING) {
        return format_text(r, i);
    }
    PyObject *text = PyUnicode_FromString("");
    for (int j = 0; j < node->n && text != NULL; j++) {
        text = fill_two("%U%U", text, string_text(r, gx_node_child(r, i, j)));
    }
    return text;
}

/* "{x!r:>3}" */
static PyObject *
format_text(gx_reader *r, int i)
{
    static const char *const conversions[] = {"", "!s", "!r", "!a"};
    int value = i, spec = i; /* i: there is none */
    const char *conversion = "";
    if (gx_is_operation(r, value, GX_OP_FORMAT)) {
        spec = r->nodes[i].n > 1 ? gx_node_child(r, i, 1) : i;
        value = gx_node_child(r, i, 0);
    }
    if (gx_is_operation(r, value, GX_OP_CONVERT)) {
        conversion = conversions[r->nodes[value].insn->arg & 3];
        value = gx_node_child(r, value, 0);
    }
    PyObject *text = text_of(r, value, GX_LEVEL_OR);
    if (text != NULL && PyUnicode_READ_CHAR(text, 0) == '{') {
        text = fill_one(" %U", text);
    }
    text = fill_two("{%U%U", text, PyUnicode_FromString(conversion));
    return spec == i ? fill_one("%U}", text)
                     : fill_two("%U:%U}", text, string_text(r, spec));
}

/* As an f-string where no quote is in the way, else as the calls it consists of. */
static PyObject *
fstring_text(gx_reader *r, int i)
{
    PyObject *inside = string_text(r, i);
    if (inside == NULL || fits_quotes(inside, '\'')) {
        return fill_one("f'%U'", inside);
    }
    if (fits_quotes(inside, '"')) {
        return fill_one("f\"%U\"", inside);
    }
    Py_DECREF(inside);
    const gx_node *node = &r->nodes[i];
    switch (node->insn->op) {
    case GX_OP_STRING:
        return fill_one("''.join([%U])", list_text(r, node, 0, node->n));
    case GX_OP_FORMAT:
        return fill_one("format(%U)", list_text(r, node, 0, node->n));
    default:
        return fill_one(node->insn->arg == 1   ? "str(%U)"
                        : node->insn->arg == 2 ? "repr(%U)"
                                               : "ascii(%U)",
                        list_text(r, node, 0, 1));
    }
}

/* -- subscripts and calls -------------------------------------------------------- */

static PyObject *
slice_part(gx_reader *r, int i)
{
    const gx_node *node = &r->nodes[i];
    return node->kind == GX_NODE_VALUE && node->value == Py_None
               ? PyUnicode_FromString("")
               : text_of(r, i, GX_LEVEL_CONDITION);
}

/* "a:b" of the children from `from` on. */
static PyObject *
slice_text(gx_reader *r, const gx_node *node, int from)
{
    const int16_t *parts = r->children + node->first + from;
    PyObject *text =
        fill_two("%U:%U", slice_part(r, parts[0]), slice_part(r, parts[1]));
    return node->n - from < 3 ? text : fill_two("%U:%U", text, slice_part(r, parts[2]));
}

/* 3.14 has slices among the constants. */
static PyObject *
constant_slice_text(PyObject *op)
{
    PySliceObject *slice = (PySliceObject *)op;
    PyObject *parts[] = {slice->start, slice->stop, slice->step}, *texts[3];
    for (int i = 0; i < 3; i++) {
        texts[i] = parts[i] == Py_None ? PyUnicode_FromString("")
                                       : gx_constant_text(parts[i], true);
    }
    return gx_fill(slice->step == Py_None ? "%U:%U%U" : "%U:%U:%U", 3, texts[0],
                   texts[1], texts[2]);
}

/* The same in a tuple of them. */
static PyObject *
constant_keys_text(PyObject *keys)
{
    Py_ssize_t n = PyTuple_GET_SIZE(keys);
    PyObject *text = PyUnicode_FromString("");
    for (Py_ssize_t i = 0; i < n && text != NULL; i++) {
        PyObject *key = PyTuple_GET_ITEM(keys, i);
        text = fill_two(i > 0 ? "%U, %U" : "%U%U", text,
                        PySlice_Check(key) ? constant_slice_text(key)
                                           : gx_constant_text(key, true));
    }
    return n == 1 ? fill_one("%U,", text) : text;
}

static PyObject *
key_text(gx_reader *r, int i)
{
    if (has_enough(r, i)) {
        return PyUnicode_FromString("...");
    }
    const gx_node *node = &r->nodes[i];
    if (gx_is_operation(r, i, GX_OP_BUILD_SLICE)) {
        return slice_text(r, node, 0);
    }
    if (node->kind == GX_NODE_VALUE && node->value != NULL &&
        PySlice_Check(node->value)) {
        return constant_slice_text(node->value);
    }
    if (node->kind == GX_NODE_VALUE && node->value != NULL &&
        PyTuple_CheckExact(node->value) && PyTuple_GET_SIZE(node->value) > 0) {
        return constant_keys_text(node->value);
    }
    if (!gx_is_operation(r, i, GX_OP_TUPLE) || node->n == 0) {
        return text_of(r, i, GX_LEVEL_ANY);
    }
    PyObject *text = PyUnicode_FromString("");
    for (int j = 0; j < node->n && text != NULL; j++) {
        text = fill_two(j > 0 ? "%U, %U" : "%U%U", text,
                        key_text(r, gx_node_child(r, i, j)));
    }
    return node->n == 1 ? fill_one("%U,", text) : text;
}

/* What stands in front of a dot: 1.real would be a float. */
static PyObject *
owner_text(gx_reader *r, int i)
{
    bool number = gx_is_node(r, i, GX_NODE_VALUE) && r->nodes[i].value != NULL &&
                  PyLong_CheckExact(r->nodes[i].value);
    PyObject *text = text_of(r, i, GX_LEVEL_ATOM);
    return number && text != NULL && PyUnicode_READ_CHAR(text, 0) != '('
               ? fill_one("(%U)", text)
               : text;
}

static PyObject *
name_at(const gx_reader *r, const gx_node *node)
{
    return Py_NewRef(PyTuple_GET_ITEM(r->native->names, node->insn->aux));
}

/* The arguments of a call: children from 1 on. */
static PyObject *
arguments_text(gx_reader *r, const gx_node *node, int nkw)
{
    PyObject *text = list_text(r, node, 1, node->n - nkw);
    if (nkw == 0) {
        return text;
    }
    int names_at = node->insn->aux - r->native->nparams;
    PyObject *names = PyTuple_GET_ITEM(r->native->consts, names_at);
    for (int i = 0; i < nkw; i++) {
        int which = node->n - nkw + i;
        PyObject *value = text_of(r, r->children[node->first + which], GX_LEVEL_ANY);
        text = gx_fill(which > 1 ? "%U, %U=%U" : "%U%U=%U", 3, text,
                       Py_NewRef(PyTuple_GET_ITEM(names, i)), value);
    }
    return text;
}

/* -- operators -------------------------------------------------------------------- */

static PyObject *
two_sided(gx_reader *r, int i, const char *operator, int left, int right)
{
    return gx_fill("%U %U %U", 3, text_of(r, gx_node_child(r, i, 0), left),
                   PyUnicode_FromString(operator),
                   text_of(r, gx_node_child(r, i, 1), right));
}

static PyObject *
binary_text(gx_reader *r, int i, int *level)
{
    const gx_operation *operation =
        &gx_operations[GX_OPERATION_BINARY + r->nodes[i].insn->arg];
    *level = operation->level;
    return *level == GX_LEVEL_POWER
               ? two_sided(r, i, operation->name, GX_LEVEL_ATOM, GX_LEVEL_UNARY)
               : two_sided(r, i, operation->name, *level, *level + 1);
}

/* "<", "is not", "in"...; NULL: no comparison. */
static const char *
comparison(const gx_reader *r, int i)
{
    if (!gx_is_node(r, i, GX_NODE_OPERATION)) {
        return NULL;
    }
    int arg = r->nodes[i].insn->arg;
    switch (r->nodes[i].insn->op) {
    case GX_OP_COMPARE:
        return gx_operations[GX_OPERATION_COMPARE + arg].name;
    case GX_OP_IS:
        return arg ? "is not" : "is";
    case GX_OP_CONTAINS:
        return arg ? "not in" : "in";
    default:
        return NULL;
    }
}

/* and_text() of nested ones, which group as they like. */
static int
flatten(const gx_reader *r, int i, int *parts, int n)
{
    if (n < 0 || n == GX_BUILD_DEPTH) {
        return -1;
    }
    if (!gx_is_node(r, i, GX_NODE_AND)) {
        parts[n] = i;
        return n + 1;
    }
    n = flatten(r, gx_node_child(r, i, 0), parts, n);
    return flatten(r, gx_node_child(r, i, 1), parts, n);
}

/* a < b and b < c, where b is computed once, is a < b < c. */
static PyObject *
and_text(gx_reader *r, int i)
{
    int parts[GX_BUILD_DEPTH], n = flatten(r, i, parts, 0);
    PyObject *text = n < 0 ? PyUnicode_FromString("...") : NULL;
    for (int j = 0; j < n; j++) {
        const char *operator= comparison(r, parts[j]);
        if (j > 0 && operator!= NULL && comparison(r, parts[j - 1]) != NULL &&
            gx_node_child(r, parts[j], 0) == gx_node_child(r, parts[j - 1], 1)) {
            text = gx_fill(
                "%U %U %U", 3, text, PyUnicode_FromString(operator),
                text_of(r, gx_node_child(r, parts[j], 1), GX_LEVEL_COMPARE + 1));
        } else if (j > 0) {
            text = fill_two("%U and %U", text, text_of(r, parts[j], GX_LEVEL_NOT));
        } else {
            text = text_of(r, parts[j], GX_LEVEL_NOT);
        }
        if (text == NULL) {
            return NULL;
        }
    }
    return text;
}

static PyObject *
unary_text(gx_reader *r, int i, int *level)
{
    static const char *const formats[] = {[GX_NEGATIVE] = "-%U",
                                          [GX_POSITIVE] = "+%U",
                                          [GX_INVERT] = "~%U",
                                          [GX_NOT] = "not %U",
                                          [GX_TRUTH] = "bool(%U)"};
    int arg = r->nodes[i].insn->arg;
    *level = arg == GX_TRUTH ? GX_LEVEL_ATOM : GX_LEVEL_UNARY;
    return fill_one(formats[arg], text_of(r, gx_node_child(r, i, 0),
                                          arg == GX_TRUTH ? GX_LEVEL_ANY : *level));
}

/* -- nodes ---------------------------------------------------------------------- */

static PyObject *
map_text(gx_reader *r, const gx_node *node)
{
    PyObject *text = PyUnicode_FromString("");
    for (int i = 0; i < node->n && text != NULL; i++) {
        PyObject *item = text_of(r, r->children[node->first + i], GX_LEVEL_CONDITION);
        text = fill_two(i == 0 ? "%U%U" : i % 2 == 0 ? "%U, %U" : "%U: %U", text, item);
    }
    return fill_one("{%U}", text);
}

static PyObject *
display_text(gx_reader *r, int i)
{
    const gx_node *node = &r->nodes[i];
    switch (node->insn->op) {
    case GX_OP_TUPLE:
        return fill_one(node->n == 1 ? "(%U,)" : "(%U)",
                        list_text(r, node, 0, node->n));
    case GX_OP_LIST:
        return fill_one("[%U]", list_text(r, node, 0, node->n));
    case GX_OP_SET:
        return fill_one("{%U}", list_text(r, node, 0, node->n));
    case GX_OP_MAP:
        return map_text(r, node);
    case GX_OP_BUILD_SLICE:
        return fill_one("slice(%U)", list_text(r, node, 0, node->n));
    case GX_OP_LIST_OF:
    case GX_OP_SET_OF: {
        const gx_node *items = &r->nodes[gx_node_child(r, i, 0)];
        bool plain =
            items->kind == GX_NODE_VALUE && items->value != NULL &&
            (PyTuple_CheckExact(items->value) || PyFrozenSet_CheckExact(items->value));
        return fill_one(node->insn->op == GX_OP_LIST_OF ? "[%U]" : "{%U}",
                        plain ? gx_items_text(items->value, true)
                              : fill_one("*%U", list_text(r, node, 0, 1)));
    }
    default:
        return PyUnicode_FromString("...");
    }
}

static PyObject *
operation_text(gx_reader *r, int i, int *level)
{
    const gx_node *node = &r->nodes[i];
    const gx_insn *insn = node->insn;
    *level = GX_LEVEL_ATOM;
    switch (insn->op) {
    case GX_OP_GLOBAL:
        return name_at(r, node);
    case GX_OP_CELL:
        return insn->aux < PyTuple_GET_SIZE(r->cells)
                   ? Py_NewRef(PyTuple_GET_ITEM(r->cells, insn->aux))
                   : PyUnicode_FromString("...");
    case GX_OP_UNARY:
        return unary_text(r, i, level);
    case GX_OP_BINARY:
        return binary_text(r, i, level);
    case GX_OP_COMPARE:
    case GX_OP_IS:
    case GX_OP_CONTAINS:
        *level = GX_LEVEL_COMPARE;
        return two_sided(r, i, comparison(r, i), *level + 1, *level + 1);
    case GX_OP_SUBSCRIPT:
        return fill_two("%U[%U]", text_of(r, gx_node_child(r, i, 0), GX_LEVEL_ATOM),
                        key_text(r, gx_node_child(r, i, 1)));
    case GX_OP_SLICE:
        return fill_two("%U[%U]", text_of(r, gx_node_child(r, i, 0), GX_LEVEL_ATOM),
                        slice_text(r, node, 1));
    case GX_OP_ATTRIBUTE:
        return fill_two("%U.%U", owner_text(r, gx_node_child(r, i, 0)),
                        name_at(r, node));
    case GX_OP_CALL:
        return fill_two("%U(%U)", text_of(r, gx_node_child(r, i, 0), GX_LEVEL_ATOM),
                        arguments_text(r, node, insn->arg));
    case GX_OP_CALL_METHOD:
        return gx_fill("%U.%U(%U)", 3, owner_text(r, gx_node_child(r, i, 0)),
                       name_at(r, node), arguments_text(r, node, 0));
    case GX_OP_CONVERT:
    case GX_OP_FORMAT:
    case GX_OP_STRING:
        return fstring_text(r, i);
    default:
        return display_text(r, i);
    }
}

static PyObject *
if_text(gx_reader *r, int i)
{
    int condition = gx_node_child(r, i, 0);
    int yes = gx_node_child(r, i, 1), no = gx_node_child(r, i, 2);
    bool skipped = gx_is_node(r, yes, GX_NODE_SKIP);
    if (skipped || gx_is_node(r, no, GX_NODE_SKIP)) {
        return fill_two(skipped ? "%U if not %U" : "%U if %U",
                        text_of(r, skipped ? no : yes, GX_LEVEL_OR),
                        text_of(r, condition, GX_LEVEL_NOT));
    }
    return gx_fill("%U if %U else %U", 3, text_of(r, yes, GX_LEVEL_OR),
                   text_of(r, condition, GX_LEVEL_OR),
                   text_of(r, no, GX_LEVEL_CONDITION));
}

static PyObject *
not_text(gx_reader *r, int i, int *level)
{
    if (gx_is_node(r, i, GX_NODE_IS_NONE)) {
        *level = GX_LEVEL_COMPARE;
        return fill_one("%U is not None",
                        text_of(r, gx_node_child(r, i, 0), GX_LEVEL_COMPARE + 1));
    }
    *level = GX_LEVEL_NOT;
    return fill_one("not %U", text_of(r, i, GX_LEVEL_NOT));
}

static PyObject *
node_text(gx_reader *r, int i, int *level)
{
    const gx_node *node = &r->nodes[i];
    switch (node->kind) {
    case GX_NODE_VALUE:
        return value_text(r, node, level);
    case GX_NODE_OPERATION:
        return operation_text(r, i, level);
    case GX_NODE_PART:
        *level = GX_LEVEL_ATOM;
        return fill_two("%U[%U]", text_of(r, gx_node_child(r, i, 0), GX_LEVEL_ATOM),
                        PyUnicode_FromFormat("%d", node->part));
    case GX_NODE_IS_NONE:
        *level = GX_LEVEL_COMPARE;
        return fill_one("%U is None",
                        text_of(r, gx_node_child(r, i, 0), GX_LEVEL_COMPARE + 1));
    case GX_NODE_NOT:
        return not_text(r, gx_node_child(r, i, 0), level);
    case GX_NODE_AND:
        *level = GX_LEVEL_AND;
        return and_text(r, i);
    case GX_NODE_OR:
        *level = GX_LEVEL_OR;
        return two_sided(r, i, "or", GX_LEVEL_OR, GX_LEVEL_OR);
    case GX_NODE_IF:
        *level = GX_LEVEL_CONDITION;
        return if_text(r, i);
    default:
        *level = GX_LEVEL_ATOM;
        return PyUnicode_FromString("...");
    }
}

static PyObject *
text_of(gx_reader *r, int i, int level)
{
    int own = GX_LEVEL_ATOM;
    if (has_enough(r, i)) {
        return PyUnicode_FromString("...");
    }
    PyObject *text = node_text(r, i, &own);
    if (text != NULL && PyUnicode_GET_LENGTH(text) > GX_TEXT_LENGTH) {
        Py_SETREF(text, PyUnicode_FromString("..."));
    }
    return own < level ? fill_one("(%U)", text) : text;
}

PyObject *
gx_native_text_of(gx_native *native, PyObject *func)
{
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(func);
    PyObject *params = PyCode_GetVarnames(code), *cells = PyCode_GetFreevars(code);
    PyObject *text =
        params != NULL && cells != NULL ? gx_native_text(native, params, cells) : NULL;
    Py_XDECREF(params);
    Py_XDECREF(cells);
    return text;
}

PyObject *
gx_native_text(gx_native *native, PyObject *params, PyObject *cells)
{
    gx_reader *r = PyMem_Calloc(1, sizeof(gx_reader));
    if (r == NULL) {
        return PyErr_NoMemory();
    }
    r->native = native;
    r->params = params;
    r->cells = cells;
    int value =
        gx_native_size(native) <= GX_TEXT_REGISTERS ? gx_read_native(r) : GX_TOO_MUCH;
    PyObject *text = text_of(r, value, GX_LEVEL_ANY);
    PyMem_Free(r);
    return text;
}
