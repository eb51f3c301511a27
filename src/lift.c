/* Lifting: bytecode of small functions becomes native programs. The names of the opcodes
   are those of the CPython compiled for; one that is not known refuses the function. */

#include "lift.h"

#include <opcode.h>

#define NEWEST 0x03100000 /* 3.16 is not known yet: nothing is lifted there */

static const char no_expression[] = GX_NO_EXPRESSION;

/* -- decode --------------------------------------------------------------- */

int
gx_lifter_init(gx_lifter *lifter, PyCodeObject *code, int nparams, PyObject **bytecode)
{
    *bytecode = PyCode_GetCode(code);
    if (*bytecode == NULL || gx_builder_init(&lifter->builder, nparams) < 0) {
        Py_CLEAR(*bytecode);
        return -1;
    }
    lifter->code = code;
    lifter->units = (const uint8_t *)PyBytes_AS_STRING(*bytecode);
    lifter->nunits = (int)(PyBytes_GET_SIZE(*bytecode) / 2);
    lifter->next = 0;
    lifter->nlocals = code->co_nlocals;
    lifter->kwnames = NULL;
    lifter->builder.ncells = code->co_nfreevars;
    if (lifter->nunits > GX_LIFT_UNITS || code->co_nlocals > GX_LIFT_LOCALS) {
        gx_builder_refuse(&lifter->builder, "it is too long");
        return 0;
    }
    memset(lifter->locals, GX_NO_OPERAND, sizeof(lifter->locals));
    for (int i = 0; i < nparams; i++) {
        lifter->locals[i] = (uint8_t)(GX_PARAM + i);
    }
    for (int i = 0; i <= lifter->nunits; i++) {
        lifter->labels[i] = GX_LABEL;
    }
    return 0;
}

int
gx_lifter_decode(gx_lifter *lifter, int unit, int *opcode)
{
    int arg = 0;
    const uint8_t *units = lifter->units;
    do {
        lifter->at = unit;
        *opcode = units[2 * unit];
        arg = arg << 8 | units[2 * unit + 1];
        unit++;
    } while (*opcode == EXTENDED_ARG && unit < lifter->nunits && arg < 1 << 20);
    while (unit < lifter->nunits && units[2 * unit] == CACHE) {
        unit++;
    }
    lifter->next = unit;
    return arg;
}

/* -- values ---------------------------------------------------------------- */

static void
load_const(gx_lifter *lifter, Py_ssize_t i)
{
    PyObject *consts = lifter->code->co_consts;
    if (i >= PyTuple_GET_SIZE(consts)) {
        gx_builder_refuse(&lifter->builder, no_expression);
    } else if (PyCode_Check(PyTuple_GET_ITEM(consts, i))) {
        gx_builder_refuse(&lifter->builder,
                          "it contains a function, comprehension or generator");
    } else {
        gx_push_const(&lifter->builder, PyTuple_GET_ITEM(consts, i));
    }
}

static void
load_local(gx_lifter *lifter, int i)
{
    if (i >= GX_LIFT_LOCALS || lifter->locals[i] == GX_NO_OPERAND) {
        gx_builder_refuse(&lifter->builder, "it assigns to variables");
    } else {
        gx_push(&lifter->builder, lifter->locals[i]);
    }
}

static PyObject *
name_at(gx_lifter *lifter, int i)
{
    if (i >= PyTuple_GET_SIZE(lifter->code->co_names)) {
        gx_builder_refuse(&lifter->builder, no_expression);
        return Py_None;
    }
    return PyTuple_GET_ITEM(lifter->code->co_names, i);
}

/* These builtins see the frame of their caller, whatever name they have later. */
static bool
names_frame_reader(PyObject *name)
{
    static const char *const names[] = {
        "__import__", "breakpoint", "compile", "dir",   "eval",
        "exec",       "globals",    "locals",  "super", "vars",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void
load_global(gx_lifter *lifter, int arg)
{
    gx_builder *b = &lifter->builder;
    PyObject *name = name_at(lifter, arg >> 1);
    if (names_frame_reader(name)) {
        gx_builder_refuse(b, "it calls a function that reads the frame of its caller");
        return;
    }
#if PY_VERSION_HEX < 0x030D0000
    if (arg & 1) {
        gx_push(b, GX_NO_OPERAND);
    }
#endif
    gx_build(b, GX_OP_GLOBAL, 0, 0, gx_builder_name(b, name));
#if PY_VERSION_HEX >= 0x030D0000
    if (arg & 1) {
        gx_push(b, GX_NO_OPERAND);
    }
#endif
}

static void
load_cell(gx_lifter *lifter, int arg)
{
    int i = arg - lifter->nlocals;
    if (i < 0 || i >= lifter->code->co_nfreevars) {
        gx_builder_refuse(&lifter->builder, no_expression);
    } else {
        gx_build(&lifter->builder, GX_OP_CELL, 0, 0, i);
    }
}

#ifdef LOAD_COMMON_CONSTANT
static void
load_common_constant(gx_lifter *lifter, int arg)
{
#if PY_VERSION_HEX >= 0x030F0000 /* 3.15: behind the classes and builtins of 3.14 */
    static const int first = 7;
    gx_builder *b = &lifter->builder;
    PyObject *value = NULL;
    switch (arg - first) {
    case 0:
        gx_push_const(b, Py_None);
        return;
    case 1:
        value = PyUnicode_FromStringAndSize(NULL, 0);
        break;
    case 2:
        gx_push_const(b, Py_True);
        return;
    case 3:
        gx_push_const(b, Py_False);
        return;
    case 4:
        value = PyLong_FromLong(-1);
        break;
    default:
        break;
    }
    if (value != NULL) {
        gx_push_const(b, value);
        Py_DECREF(value);
        return;
    }
#endif
    (void)arg;
    gx_builder_refuse(&lifter->builder,
                      "it contains a function, comprehension or generator");
}
#endif

/* true: that was one of these. */
static bool
translate_load(gx_lifter *lifter, int opcode, int arg)
{
    gx_builder *b = &lifter->builder;
    switch (opcode) {
    case LOAD_CONST:
        load_const(lifter, arg);
        return true;
    case LOAD_FAST:
#ifdef LOAD_FAST_CHECK
    case LOAD_FAST_CHECK:
#endif
#ifdef LOAD_FAST_BORROW
    case LOAD_FAST_BORROW:
#endif
        load_local(lifter, arg);
        return true;
#ifdef LOAD_FAST_LOAD_FAST
    case LOAD_FAST_LOAD_FAST:
#ifdef LOAD_FAST_BORROW_LOAD_FAST_BORROW
    case LOAD_FAST_BORROW_LOAD_FAST_BORROW:
#endif
        load_local(lifter, arg >> 4);
        load_local(lifter, arg & 15);
        return true;
#endif
#ifdef LOAD_SMALL_INT
    case LOAD_SMALL_INT: {
        PyObject *value = PyLong_FromLong(arg);
        if (value != NULL) {
            gx_push_const(b, value);
            Py_DECREF(value);
        } /* else it is immortal: it cannot fail */
        return true;
    }
#endif
#ifdef LOAD_COMMON_CONSTANT
    case LOAD_COMMON_CONSTANT:
        load_common_constant(lifter, arg);
        return true;
#endif
    case LOAD_GLOBAL:
        load_global(lifter, arg);
        return true;
    case LOAD_DEREF:
        load_cell(lifter, arg);
        return true;
    case PUSH_NULL:
        gx_push(b, GX_NO_OPERAND);
        return true;
    default:
        return false;
    }
}

/* -- attributes and calls ---------------------------------------------------- */

/* A method that will be called: the place for self holds nothing, what was looked up is
   bound. */
static void
load_method(gx_lifter *lifter, PyObject *name)
{
    gx_builder *b = &lifter->builder;
    gx_build_method(b, name);
#if PY_VERSION_HEX >= 0x030D0000
    gx_push(b, GX_NO_OPERAND);
#else
    int bound = gx_pop(b);
    gx_push(b, GX_NO_OPERAND);
    gx_push(b, bound);
#endif
}

static void
load_attribute(gx_lifter *lifter, int arg)
{
    gx_builder *b = &lifter->builder;
#if PY_VERSION_HEX >= 0x030C0000
    if (arg & 1) {
        load_method(lifter, name_at(lifter, arg >> 1));
        return;
    }
    arg >>= 1;
#endif
    gx_build(b, GX_OP_ATTRIBUTE, 0, 1, gx_builder_name(b, name_at(lifter, arg)));
}

#ifdef KW_NAMES
/* The names of keyword arguments: a tuple among the constants. */
static PyObject *
kwnames_at(gx_lifter *lifter, Py_ssize_t i)
{
    PyObject *consts = lifter->code->co_consts;
    if (i >= PyTuple_GET_SIZE(consts) ||
        !PyTuple_CheckExact(PyTuple_GET_ITEM(consts, i))) {
        gx_builder_refuse(&lifter->builder, no_expression);
        return NULL;
    }
    return PyTuple_GET_ITEM(consts, i);
}
#endif

#ifdef CALL_KW
/* Their names are what was pushed last. */
static void
call_with_keywords(gx_lifter *lifter, int arg)
{
    gx_builder *b = &lifter->builder;
    int operand = gx_pop(b);
    bool is_const = operand >= GX_CONST && operand < GX_VAR;
    PyObject *names = b->refusal == NULL && is_const
                          ? PyList_GET_ITEM(b->consts, operand - GX_CONST)
                          : NULL;
    if (names == NULL || !PyTuple_CheckExact(names)) {
        gx_builder_refuse(b, no_expression);
        return;
    }
    gx_build_call(b, arg, names);
}
#endif

/* f(*x): the arguments are a tuple or what was written behind a single *. */
static void
call_star(gx_builder *b, int arg)
{
#if PY_VERSION_HEX >= 0x030E0000 /* a place for keyword arguments, always there */
    (void)arg;
    if (gx_pop(b) != GX_NO_OPERAND) {
        gx_builder_refuse(b, "it calls with **");
    }
#else
    if (arg & 1) {
        gx_builder_refuse(b, "it calls with **");
    }
#endif
    gx_build_call_star(b);
}

static bool
translate_call(gx_lifter *lifter, int opcode, int arg)
{
    switch (opcode) {
    case LOAD_ATTR:
        load_attribute(lifter, arg);
        return true;
#if PY_VERSION_HEX < 0x030C0000
    case LOAD_METHOD:
        load_method(lifter, name_at(lifter, arg));
        return true;
    case PRECALL:
        return true;
#endif
#ifdef KW_NAMES
    case KW_NAMES:
        lifter->kwnames = kwnames_at(lifter, arg);
        return true;
#endif
#ifdef CALL_KW
    case CALL_KW:
        call_with_keywords(lifter, arg);
        return true;
#endif
    case CALL:
        gx_build_call(&lifter->builder, arg, lifter->kwnames);
        lifter->kwnames = NULL;
        return true;
    case CALL_FUNCTION_EX:
        call_star(&lifter->builder, arg);
        return true;
    default:
        return false;
    }
}

/* -- the stack and branches ------------------------------------------------------ */

static void
swap(gx_builder *b, int depth)
{
    if (depth < 2 || depth > b->depth) {
        gx_builder_refuse(b, no_expression);
        return;
    }
    uint8_t *top = &b->stack[b->depth - 1], *other = &b->stack[b->depth - depth];
    uint8_t operand = *top;
    *top = *other;
    *other = operand;
}

static void
jump(gx_lifter *lifter, gx_op op, int n, int distance)
{
    int target = lifter->next + distance;
    if (target > lifter->nunits) {
        gx_builder_refuse(&lifter->builder, no_expression);
        return;
    }
    gx_build_jump(&lifter->builder, op, n, &lifter->labels[target]);
}

static bool
translate_jump(gx_lifter *lifter, int opcode, int arg)
{
    switch (opcode) {
    case JUMP_FORWARD:
        jump(lifter, GX_OP_JUMP, 0, arg);
        return true;
#ifdef POP_JUMP_FORWARD_IF_FALSE /* 3.11 */
    case POP_JUMP_FORWARD_IF_FALSE:
        jump(lifter, GX_OP_JUMP_IF_FALSE, 1, arg);
        return true;
    case POP_JUMP_FORWARD_IF_TRUE:
        jump(lifter, GX_OP_JUMP_IF_TRUE, 1, arg);
        return true;
    case POP_JUMP_FORWARD_IF_NONE:
        jump(lifter, GX_OP_JUMP_IF_NONE, 1, arg);
        return true;
    case POP_JUMP_FORWARD_IF_NOT_NONE:
        jump(lifter, GX_OP_JUMP_IF_NOT_NONE, 1, arg);
        return true;
    case JUMP_IF_FALSE_OR_POP:
    case JUMP_IF_TRUE_OR_POP:
        gx_build_copy(&lifter->builder, 1);
        jump(lifter,
             opcode == JUMP_IF_TRUE_OR_POP ? GX_OP_JUMP_IF_TRUE : GX_OP_JUMP_IF_FALSE,
             1, arg);
        gx_build_drop(&lifter->builder);
        return true;
#else
    case POP_JUMP_IF_FALSE:
        jump(lifter, GX_OP_JUMP_IF_FALSE, 1, arg);
        return true;
    case POP_JUMP_IF_TRUE:
        jump(lifter, GX_OP_JUMP_IF_TRUE, 1, arg);
        return true;
    case POP_JUMP_IF_NONE:
        jump(lifter, GX_OP_JUMP_IF_NONE, 1, arg);
        return true;
    case POP_JUMP_IF_NOT_NONE:
        jump(lifter, GX_OP_JUMP_IF_NOT_NONE, 1, arg);
        return true;
#endif
    default:
        return false;
    }
}

static bool
translate_rest(gx_lifter *lifter, int opcode, int arg)
{
    gx_builder *b = &lifter->builder;
    switch (opcode) {
    case RESUME:
    case NOP:
    case CACHE:
    case COPY_FREE_VARS:
#ifdef NOT_TAKEN
    case NOT_TAKEN:
#endif
        return true;
    case COPY:
        gx_build_copy(b, arg);
        return true;
    case SWAP:
        swap(b, arg);
        return true;
    case POP_TOP:
        gx_build_drop(b);
        return true;
    case RETURN_VALUE:
        gx_build_end(b, GX_OP_RETURN, 1);
        return true;
#ifdef RETURN_CONST
    case RETURN_CONST:
        load_const(lifter, arg);
        gx_build_end(b, GX_OP_RETURN, 1);
        return true;
#endif
    default:
        return false;
    }
}

/* -- refusals -------------------------------------------------------------------- */

/* From 3.12 on a comprehension is a loop whose variable is saved first. */
static bool
opens_comprehension(const gx_lifter *lifter, int opcode)
{
#ifdef LOAD_FAST_AND_CLEAR
    bool more = opcode == GET_ITER && lifter->next < lifter->nunits;
    int saves = more ? lifter->units[2 * lifter->next] : opcode;
    return saves == LOAD_FAST_AND_CLEAR;
#else
    return false;
#endif
}

static const char *
why_refused(const gx_lifter *lifter, int opcode)
{
    switch (opens_comprehension(lifter, opcode) ? MAKE_FUNCTION : opcode) {
    case STORE_FAST:
    case STORE_DEREF:
    case STORE_GLOBAL:
    case STORE_NAME:
        return "it assigns to variables";
    case STORE_ATTR:
    case STORE_SUBSCR:
        return "it assigns to attributes or items";
    case MAKE_FUNCTION:
    case MAKE_CELL:
        return "it contains a function, comprehension or generator";
    case FOR_ITER:
    case JUMP_BACKWARD:
    case GET_ITER:
        return "it contains a loop";
    case RAISE_VARARGS:
    case RERAISE:
    case PUSH_EXC_INFO:
        return "it raises or handles exceptions";
    case IMPORT_NAME:
        return "it imports";
    case DICT_MERGE:
        return "it calls with **";
    case UNPACK_EX:
        return "it unpacks with *";
    default:
        return no_expression;
    }
}

void
gx_lifter_translate(gx_lifter *lifter, int opcode, int arg)
{
    if (!translate_load(lifter, opcode, arg) && !translate_call(lifter, opcode, arg) &&
        !gx_lift_operator(lifter, opcode, arg) &&
        !gx_lift_display(lifter, opcode, arg) && !translate_jump(lifter, opcode, arg) &&
        !translate_rest(lifter, opcode, arg)) {
        gx_builder_refuse(&lifter->builder, why_refused(lifter, opcode));
    }
}

/* -- functions -------------------------------------------------------------------- */

static const char *
why_not_code(PyCodeObject *code)
{
    if (PY_VERSION_HEX >= NEWEST) {
        return "this version of Python is not known";
    }
    if (code->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)) {
        return "it is a generator or coroutine";
    }
    if (code->co_flags & (CO_VARARGS | CO_VARKEYWORDS)) {
        return "it takes *args or **kwargs";
    }
    return NULL;
}

static void
translate_all(gx_lifter *lifter)
{
    gx_builder *b = &lifter->builder;
    for (int unit = 0; unit < lifter->nunits && b->refusal == NULL;
         unit = lifter->next) {
        int opcode, arg = gx_lifter_decode(lifter, unit, &opcode);
        if (lifter->labels[unit].depth >= 0) {
            gx_build_label(b, &lifter->labels[unit]);
        }
        if (b->reachable) {
            b->offset = 2 * lifter->at;
            gx_lifter_translate(lifter, opcode, arg);
        }
    }
}

gx_native *
gx_lift_code(gx_state *state, PyCodeObject *code, const char **why)
{
    gx_lifter lifter;
    PyObject *bytecode;
    if (gx_is_generator_code(code) && PY_VERSION_HEX < NEWEST) {
        return gx_lift_generator(state, code, why);
    }
    *why = why_not_code(code);
    if (*why != NULL) {
        return NULL;
    }
    int nparams = code->co_argcount + code->co_kwonlyargcount;
    if (gx_lifter_init(&lifter, code, nparams, &bytecode) < 0) {
        return NULL;
    }
    translate_all(&lifter);
    Py_DECREF(bytecode);
    gx_native *native = gx_builder_finish(state, &lifter.builder);
    *why = lifter.builder.refusal;
    return native;
}
