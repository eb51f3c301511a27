/* Bytecode of operators, displays and f-strings. */

#include "lift.h"

#include <opcode.h>

/* -- operators --------------------------------------------------------------- */

#ifdef TO_BOOL
/* The operation that comes next decides by truth itself. */
static bool
truth_is_tested_next(gx_lifter *lifter)
{
    if (lifter->next >= lifter->nunits || lifter->labels[lifter->next].depth >= 0) {
        return false;
    }
    switch (lifter->units[2 * lifter->next]) {
    case POP_JUMP_IF_FALSE:
    case POP_JUMP_IF_TRUE:
    case UNARY_NOT:
        return true;
    default:
        return false;
    }
}
#endif

_Static_assert((int)GX_ADD == NB_ADD && (int)GX_AND == NB_AND &&
                   (int)GX_FLOOR_DIVIDE == NB_FLOOR_DIVIDE &&
                   (int)GX_LSHIFT == NB_LSHIFT &&
                   (int)GX_MATRIX_MULTIPLY == NB_MATRIX_MULTIPLY &&
                   (int)GX_MULTIPLY == NB_MULTIPLY &&
                   (int)GX_REMAINDER == NB_REMAINDER && (int)GX_OR == NB_OR &&
                   (int)GX_POWER == NB_POWER && (int)GX_RSHIFT == NB_RSHIFT &&
                   (int)GX_SUBTRACT == NB_SUBTRACT &&
                   (int)GX_TRUE_DIVIDE == NB_TRUE_DIVIDE && (int)GX_XOR == NB_XOR,
               "the operators of BINARY_OP are in another order");

static void
translate_binary(gx_builder *b, int arg)
{
#ifdef NB_SUBSCR
    if (arg == NB_SUBSCR) {
        gx_build(b, GX_OP_SUBSCRIPT, 0, 2, 0);
        return;
    }
#endif
    if (arg > GX_XOR) {
        gx_builder_refuse(b, "it assigns to variables");
        return;
    }
    gx_build(b, GX_OP_BINARY, arg, 2, 0);
}

/* From 3.13 on the truth of the result may be asked for in the same go. */
static void
translate_compare(gx_lifter *lifter, int arg)
{
    gx_builder *b = &lifter->builder;
#if PY_VERSION_HEX >= 0x030D0000
    gx_build(b, GX_OP_COMPARE, arg >> 5, 2, 0);
    if (arg & 16 && !truth_is_tested_next(lifter)) {
        gx_build(b, GX_OP_UNARY, GX_TRUTH, 1, 0);
    }
#elif PY_VERSION_HEX >= 0x030C0000
    gx_build(b, GX_OP_COMPARE, arg >> 4, 2, 0);
#else
    gx_build(b, GX_OP_COMPARE, arg, 2, 0);
#endif
}

#ifdef CALL_INTRINSIC_1
static void
translate_intrinsic(gx_builder *b, int arg)
{
    /* of 3.12 to 3.15; the header is not installed */
    enum { UNARY_POSITIVE_1 = 5, LIST_TO_TUPLE_1 = 6 };
    if (arg == UNARY_POSITIVE_1) {
        gx_build(b, GX_OP_UNARY, GX_POSITIVE, 1, 0);
    } else if (arg == LIST_TO_TUPLE_1) {
        gx_build(b, GX_OP_TUPLE_OF, 0, 1, 0);
    } else {
        gx_builder_refuse(b, GX_NO_EXPRESSION);
    }
}
#endif

bool
gx_lift_operator(gx_lifter *lifter, int opcode, int arg)
{
    gx_builder *b = &lifter->builder;
    switch (opcode) {
    case BINARY_OP:
        translate_binary(b, arg);
        return true;
#ifdef BINARY_SUBSCR
    case BINARY_SUBSCR:
        gx_build(b, GX_OP_SUBSCRIPT, 0, 2, 0);
        return true;
#endif
#ifdef BINARY_SLICE
    case BINARY_SLICE:
        gx_build(b, GX_OP_SLICE, 0, 3, 0);
        return true;
#endif
    case BUILD_SLICE:
        gx_build(b, GX_OP_BUILD_SLICE, 0, arg, 0);
        return true;
    case COMPARE_OP:
        translate_compare(lifter, arg);
        return true;
    case IS_OP:
        gx_build(b, GX_OP_IS, arg, 2, 0);
        return true;
    case CONTAINS_OP:
        gx_build(b, GX_OP_CONTAINS, arg, 2, 0);
        return true;
    case UNARY_NEGATIVE:
        gx_build(b, GX_OP_UNARY, GX_NEGATIVE, 1, 0);
        return true;
    case UNARY_INVERT:
        gx_build(b, GX_OP_UNARY, GX_INVERT, 1, 0);
        return true;
    case UNARY_NOT:
        gx_build(b, GX_OP_UNARY, GX_NOT, 1, 0);
        return true;
#ifdef UNARY_POSITIVE
    case UNARY_POSITIVE:
        gx_build(b, GX_OP_UNARY, GX_POSITIVE, 1, 0);
        return true;
#endif
#ifdef CALL_INTRINSIC_1
    case CALL_INTRINSIC_1:
        translate_intrinsic(b, arg);
        return true;
#endif
#ifdef TO_BOOL
    case TO_BOOL:
        if (!truth_is_tested_next(lifter)) {
            gx_build(b, GX_OP_UNARY, GX_TRUTH, 1, 0);
        }
        return true;
#endif
    default:
        return false;
    }
}

/* -- displays and texts --------------------------------------------------------- */

/* The display `depth` below a value takes it up: only where it is right below. */
static void
spread(gx_builder *b, gx_spread how, int depth)
{
    bool display = b->depth >= 2 && b->stack[b->depth - 2] >= GX_TEMP &&
                   b->stack[b->depth - 2] != GX_NO_OPERAND;
    if (depth != 1 || !display) {
        gx_builder_refuse(b, "it contains a loop");
    }
    gx_build(b, GX_OP_SPREAD, how, 2, 0);
}

/* [1, 2, 3] is an empty list, extended by a constant. */
static void
extend(gx_builder *b, gx_op empty, gx_op whole, gx_spread how, int depth)
{
    int operand = b->depth > 0 ? b->stack[b->depth - 1] : GX_NO_OPERAND;
    gx_insn *last = b->ninsns > 0 ? &b->insns[b->ninsns - 1] : NULL;
    PyObject *value = operand >= GX_CONST && operand < GX_VAR
                          ? PyList_GET_ITEM(b->consts, operand - GX_CONST)
                          : Py_None;
    bool is_const = PyTuple_CheckExact(value) || PyFrozenSet_CheckExact(value);
    if (b->refusal != NULL || !is_const || last == NULL || last->op != empty ||
        last->n != 0 || b->depth < 2 || b->stack[b->depth - 2] != last->dst) {
        spread(b, how, depth);
        return;
    }
    b->depth -= 2;
    b->ninsns--;
    gx_push(b, operand);
    gx_build(b, whole, 0, 1, 0);
}

#ifdef BUILD_CONST_KEY_MAP
/* Keys are a constant tuple: each goes before its value. */
static void
map_of_const_keys(gx_builder *b, int n)
{
    uint8_t values[GX_BUILD_DEPTH];
    int operand = gx_pop(b);
    if (b->refusal != NULL || operand < GX_CONST || operand >= GX_VAR || n > b->depth) {
        gx_builder_refuse(b, GX_NO_EXPRESSION);
        return;
    }
    PyObject *keys = PyList_GET_ITEM(b->consts, operand - GX_CONST);
    if (!PyTuple_CheckExact(keys) || PyTuple_GET_SIZE(keys) != n) {
        gx_builder_refuse(b, GX_NO_EXPRESSION);
        return;
    }
    b->depth -= n;
    memcpy(values, b->stack + b->depth, (size_t)n);
    for (int i = 0; i < n; i++) {
        gx_push_const(b, PyTuple_GET_ITEM(keys, i));
        gx_push(b, values[i]);
    }
    gx_build(b, GX_OP_MAP, 0, 2 * n, 0);
}
#endif

#ifdef FORMAT_VALUE
/* The value lies under the format: it is converted in its place. */
static void
format_value(gx_builder *b, int arg)
{
    int with_spec = arg & 4 ? 1 : 0;
    int spec = with_spec ? gx_pop(b) : GX_NO_OPERAND;
    if (arg & 3) {
        b->reserved = with_spec ? spec : GX_NO_OPERAND;
        gx_build(b, GX_OP_CONVERT, arg & 3, 1, 0);
        b->reserved = GX_NO_OPERAND;
    }
    if (with_spec) {
        gx_push(b, spec);
    }
    gx_build(b, GX_OP_FORMAT, 0, 1 + with_spec, 0);
}
#endif

bool
gx_lift_display(gx_lifter *lifter, int opcode, int arg)
{
    gx_builder *b = &lifter->builder;
    switch (opcode) {
    case BUILD_TUPLE:
        gx_build(b, GX_OP_TUPLE, 0, arg, 0);
        return true;
    case BUILD_LIST:
        gx_build(b, GX_OP_LIST, 0, arg, 0);
        return true;
    case BUILD_SET:
        gx_build(b, GX_OP_SET, 0, arg, 0);
        return true;
    case BUILD_MAP:
        gx_build(b, GX_OP_MAP, 0, 2 * arg, 0);
        return true;
#ifdef BUILD_CONST_KEY_MAP
    case BUILD_CONST_KEY_MAP:
        map_of_const_keys(b, arg);
        return true;
#endif
    case LIST_EXTEND:
        extend(b, GX_OP_LIST, GX_OP_LIST_OF, GX_LIST_EXTEND, arg);
        return true;
    case SET_UPDATE:
        extend(b, GX_OP_SET, GX_OP_SET_OF, GX_SET_UPDATE, arg);
        return true;
    case LIST_APPEND:
        spread(b, GX_LIST_APPEND, arg);
        return true;
    case SET_ADD:
        spread(b, GX_SET_ADD, arg);
        return true;
    case DICT_UPDATE:
        spread(b, GX_MAP_UPDATE, arg);
        return true;
#ifdef LIST_TO_TUPLE /* 3.11 */
    case LIST_TO_TUPLE:
        gx_build(b, GX_OP_TUPLE_OF, 0, 1, 0);
        return true;
#endif
    case BUILD_STRING:
        gx_build(b, GX_OP_STRING, 0, arg, 0);
        return true;
#ifdef FORMAT_VALUE
    case FORMAT_VALUE:
        format_value(b, arg);
        return true;
#endif
#ifdef FORMAT_SIMPLE
    case CONVERT_VALUE:
        gx_build(b, GX_OP_CONVERT, arg, 1, 0);
        return true;
    case FORMAT_SIMPLE:
        gx_build(b, GX_OP_FORMAT, 0, 1, 0);
        return true;
    case FORMAT_WITH_SPEC:
        gx_build(b, GX_OP_FORMAT, 0, 2, 0);
        return true;
#endif
    default:
        return false;
    }
}
