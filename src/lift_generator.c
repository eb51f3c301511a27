/* Lifting of generator expressions: each `for` becomes a native program that is run for
   every item of what it reads. Code that looks different from what the compiler makes of
   a generator expression is refused. */

#include "lift.h"

#include <opcode.h>

/* The `for` being translated is the last. */
typedef struct {
    int item;                 /* operand that the item comes in, of the last */
    int unit;                 /* of the instruction being translated */
    int nfors;                /* begun so far */
    int heads[GX_FORS];       /* units of their FOR_ITER */
    int exits[GX_FORS];       /* where it jumps to at the end */
    gx_native *done[GX_FORS]; /* owned: those that are whole */
    gx_loop loops[GX_FORS];   /* of natives: inner is not set */
    bool opens, stacked;      /* of gx_loop, of the first */
    gx_lifter lifter;
} generator_lifter;

static const char no_generator[] = "its bytecode is not that of a generator expression";

bool
gx_is_generator_code(const PyCodeObject *code)
{
    return code->co_flags & CO_GENERATOR && code->co_argcount == 1 &&
           PyUnicode_CompareWithASCIIString(code->co_name, "<genexpr>") == 0;
}

/* -- small steps ------------------------------------------------------------ */

static void
refuse(generator_lifter *g)
{
    gx_builder_refuse(&g->lifter.builder, no_generator);
}

/* The opcode and argument at `unit`; lifter.next behind. -1 beyond the end. */
static int
look(generator_lifter *g, int unit, int *arg)
{
    int opcode = -1;
    if (unit < g->lifter.nunits) {
        *arg = gx_lifter_decode(&g->lifter, unit, &opcode);
    }
    return opcode;
}

/* Pass over the opcode at g->unit, if it is there. */
static bool
take(generator_lifter *g, int opcode)
{
    int arg;
    if (look(g, g->unit, &arg) != opcode) {
        return false;
    }
    g->unit = g->lifter.next;
    return true;
}

static bool
take_source(generator_lifter *g)
{
    int arg, opcode = look(g, g->unit, &arg);
    bool is_load = opcode == LOAD_FAST;
#ifdef LOAD_FAST_BORROW
    is_load = is_load || opcode == LOAD_FAST_BORROW;
#endif
    if (!is_load || arg != 0) {
        return false;
    }
    g->unit = g->lifter.next;
    return true;
}

/* Something jumps to behind `unit` and has not arrived yet. */
static bool
jump_is_pending(generator_lifter *g, int unit)
{
    for (int i = unit + 1; i <= g->lifter.nunits; i++) {
        if (g->lifter.labels[i].depth >= 0) {
            return true;
        }
    }
    return false;
}

/* -- fors --------------------------------------------------------------------- */

/* What comes before the first FOR_ITER. */
static void
translate_head(generator_lifter *g)
{
    take(g, COPY_FREE_VARS);
    take(g, RESUME); /* 3.15 */
    bool before = take_source(g);
    if (before) {
        g->stacked = take(g, GET_ITER);
    }
    g->loops[0].begins = (uint16_t)(2 * g->unit);
    if (!take(g, RETURN_GENERATOR) || !take(g, POP_TOP) || !take(g, RESUME)) {
        refuse(g);
    } else if (!before) {
        before = take_source(g);
        g->opens = take(g, GET_ITER);
    }
    if (!before) {
        refuse(g);
    }
}

/* The program of the last for is whole: 0 or -1. */
static int
finish_for(generator_lifter *g, gx_state *state)
{
    gx_native *native = gx_builder_finish(state, &g->lifter.builder);
    gx_loop *loop = native != NULL ? PyMem_New(gx_loop, 1) : NULL;
    if (loop == NULL) {
        if (native != NULL) {
            Py_DECREF((PyObject *)native);
            PyErr_NoMemory();
        }
        return -1;
    }
    int first_var = gx_native_first_var(native);
    *loop = g->loops[g->nfors - 1];
    loop->item = (uint8_t)(g->item < GX_TEMP ? first_var + g->item - GX_VAR
                                             : native->nvars + first_var);
    native->loop = loop;
    g->done[g->nfors - 1] = native;
    return 0;
}

/* The register of an operand of a native that is whole. */
static uint8_t
register_in(const gx_native *native, int operand)
{
    return (uint8_t)(operand < GX_CONST ? operand
                     : operand < GX_VAR
                         ? native->nparams + operand - GX_CONST
                         : gx_native_first_var(native) + operand - GX_VAR);
}

/* The variables so far are parameters of the next for: 0 or -1. */
static int
begin_inner(generator_lifter *g, gx_state *state)
{
    int nouter = 0;
    gx_lifter *lifter = &g->lifter;
    if (finish_for(g, state) < 0) {
        return -1;
    }
    const gx_native *native = g->done[g->nfors - 1];
    gx_loop *loop = &g->loops[g->nfors];
    for (int i = 0; i < lifter->nlocals; i++) {
        if (lifter->locals[i] == GX_NO_OPERAND) {
            continue;
        }
        if (nouter < GX_OUTER) {
            loop->outer[nouter] = register_in(native, lifter->locals[i]);
        }
        lifter->locals[i] = (uint8_t)(GX_PARAM + nouter++);
    }
    if (gx_builder_init(&lifter->builder, nouter) < 0) {
        return -1;
    }
    lifter->builder.ncells = lifter->code->co_nfreevars;
    if (nouter > GX_OUTER) {
        gx_builder_refuse(&lifter->builder, "it has too many variables");
    }
    return 0;
}

/* FOR_ITER: 0 or -1. */
static int
begin_for(generator_lifter *g, gx_state *state, int arg)
{
    gx_builder *b = &g->lifter.builder;
    int exit = g->lifter.next + arg;
    if (g->nfors == GX_FORS) {
        gx_builder_refuse(b, "it has too many fors");
    } else if (b->depth > 0 || exit >= g->lifter.nunits ||
               jump_is_pending(g, g->unit) || b->reachable != (g->nfors == 0)) {
        refuse(g);
    }
    if (b->refusal != NULL || (g->nfors > 0 && begin_inner(g, state) < 0)) {
        return -1;
    }
    g->loops[g->nfors].asks = (uint16_t)(2 * g->unit);
    g->heads[g->nfors] = g->unit;
    g->exits[g->nfors++] = exit;
    g->item = GX_TEMP;
    gx_push(b, GX_TEMP);
    b->ntemps = 1;
    return 0;
}

/* The value of the last for is there: for the next one, or yielded. */
static void
leave(generator_lifter *g)
{
    g->loops[g->nfors - 1].leaves = (uint16_t)(2 * g->unit);
    if (g->lifter.builder.depth != 1) {
        refuse(g);
    }
    gx_build_end(&g->lifter.builder, GX_OP_RETURN, 1);
}

/* GET_ITER: the next FOR_ITER follows at once. */
static void
leave_for_inner(generator_lifter *g)
{
    int arg, next = g->lifter.next;
    leave(g);
    if (look(g, next, &arg) != FOR_ITER) {
        refuse(g);
    }
    g->lifter.next = next;
}

/* YIELD_VALUE: what is sent is dropped, and it goes on with the next item. */
static void
leave_by_yield(generator_lifter *g)
{
    int arg, unit = g->unit;
    leave(g);
    g->unit = g->lifter.next;
    if (!take(g, RESUME) || !take(g, POP_TOP) ||
        look(g, g->unit, &arg) != JUMP_BACKWARD ||
        g->lifter.next - arg != g->heads[g->nfors - 1]) {
        refuse(g);
    }
    g->unit = unit;
}

/* -- the ends of fors ----------------------------------------------------------- */

static bool
returns_none(generator_lifter *g)
{
    int arg, opcode = look(g, g->unit, &arg);
#ifdef LOAD_COMMON_CONSTANT
    if (opcode == LOAD_COMMON_CONSTANT) { /* 3.15 */
        return arg == 7;
    }
#endif
#ifdef RETURN_CONST
    if (opcode == RETURN_CONST) {
        opcode = LOAD_CONST;
    }
#endif
    PyObject *consts = g->lifter.code->co_consts;
    return opcode == LOAD_CONST && arg < PyTuple_GET_SIZE(consts) &&
           PyTuple_GET_ITEM(consts, arg) == Py_None;
}

/* From the exit of the last for on all is as it has to be: each goes on with the one
   around it, the first returns. */
static void
translate_ends(generator_lifter *g)
{
    for (int i = g->nfors - 1; i >= 0; i--) {
        int arg;
        if (g->unit != g->exits[i]) {
            refuse(g);
            return;
        }
#ifdef END_FOR
        take(g, END_FOR);
#endif
#ifdef POP_ITER
        take(g, POP_ITER);
#endif
        take(g, POP_TOP); /* 3.13 */
        if (i > 0) {
            if (look(g, g->unit, &arg) != JUMP_BACKWARD ||
                g->lifter.next - arg != g->heads[i - 1]) {
                refuse(g);
                return;
            }
            g->unit = g->lifter.next;
        } else if (!returns_none(g)) {
            refuse(g);
        }
    }
}

/* -- instructions ----------------------------------------------------------------- */

static void
store(generator_lifter *g, int local)
{
    gx_builder *b = &g->lifter.builder;
    bool is_item = b->ninsns == 0 && b->depth == 1 && b->stack[0] == GX_TEMP;
    if (local >= GX_LIFT_LOCALS || jump_is_pending(g, g->unit)) {
        refuse(g);
        return;
    }
    if (is_item && b->nvars == 0) {
        g->item = GX_VAR;
        b->nvars = 1;
        gx_pop(b);
        g->lifter.locals[local] = GX_VAR;
    } else {
        g->lifter.locals[local] = (uint8_t)gx_build_store(b);
    }
}

#ifdef POP_JUMP_BACKWARD_IF_FALSE /* 3.11 */
/* On with the next item if `op` does not jump. */
static void
skip_unless(generator_lifter *g, gx_op op, int arg)
{
    gx_label here = GX_LABEL;
    gx_builder *b = &g->lifter.builder;
    if (g->lifter.next - arg != g->heads[g->nfors - 1]) {
        refuse(g);
    }
    gx_build_jump(b, op, 1, &here);
    gx_build_end(b, GX_OP_SKIP, 0);
    gx_build_label(b, &here);
}
#endif

static void
skip(generator_lifter *g, int arg)
{
    gx_builder *b = &g->lifter.builder;
    if (g->lifter.next - arg != g->heads[g->nfors - 1] || b->depth > 0) {
        refuse(g);
    }
    gx_build_end(b, GX_OP_SKIP, 0);
}

static void
translate_other(generator_lifter *g, int opcode, int arg)
{
    gx_lifter *lifter = &g->lifter;
    switch (opcode) {
    case STORE_FAST:
        store(g, arg);
        return;
#ifdef STORE_FAST_LOAD_FAST
    case STORE_FAST_LOAD_FAST:
        store(g, arg >> 4);
        gx_lifter_translate(lifter, LOAD_FAST, arg & 15);
        return;
    case STORE_FAST_STORE_FAST:
        store(g, arg >> 4);
        store(g, arg & 15);
        return;
#endif
    case UNPACK_SEQUENCE:
        gx_build_unpack(&lifter->builder, arg);
        return;
#ifdef POP_JUMP_BACKWARD_IF_FALSE
    case POP_JUMP_BACKWARD_IF_FALSE:
        skip_unless(g, GX_OP_JUMP_IF_TRUE, arg);
        return;
    case POP_JUMP_BACKWARD_IF_TRUE:
        skip_unless(g, GX_OP_JUMP_IF_FALSE, arg);
        return;
    case POP_JUMP_BACKWARD_IF_NONE:
        skip_unless(g, GX_OP_JUMP_IF_NOT_NONE, arg);
        return;
    case POP_JUMP_BACKWARD_IF_NOT_NONE:
        skip_unless(g, GX_OP_JUMP_IF_NONE, arg);
        return;
#endif
    case RETURN_VALUE:
    case RESUME:
        refuse(g);
        return;
    default:
        gx_lifter_translate(lifter, opcode, arg);
    }
}

/* The truth of a value may be asked for by the instruction before the jump, and an error
   happens there. */
static bool
truth_belongs_to(int opcode)
{
#ifdef TO_BOOL
    return opcode == TO_BOOL || opcode == COMPARE_OP;
#else
    (void)opcode;
    return false;
#endif
}

/* All that happens for an item: 0 or -1. */
static int
translate_body(generator_lifter *g, gx_state *state)
{
    int previous = -1;
    gx_lifter *lifter = &g->lifter;
    gx_builder *b = &lifter->builder;
    while (g->nfors == 0 || g->unit < g->exits[g->nfors - 1]) {
        int arg = 0, opcode = look(g, g->unit, &arg), next = lifter->next;
        if (opcode < 0) {
            refuse(g);
        }
        if (lifter->labels[g->unit].depth >= 0) {
            gx_build_label(b, &lifter->labels[g->unit]);
            previous = -1;
        }
        if (opcode == FOR_ITER && begin_for(g, state, arg) < 0) {
            return -1;
        }
        if (b->refusal != NULL) {
            return -1;
        }
        if (b->reachable && opcode != FOR_ITER) {
            b->offset = truth_belongs_to(previous) ? b->offset : 2 * g->unit;
            lifter->next = next;
            if (opcode == GET_ITER) {
                leave_for_inner(g);
            } else if (opcode == YIELD_VALUE) {
                leave_by_yield(g);
            } else if (opcode == JUMP_BACKWARD) {
                skip(g, arg);
            } else {
                translate_other(g, opcode, arg);
            }
        }
        previous = opcode;
        g->unit = next;
    }
    return 0;
}

/* -- where StopIteration turns into RuntimeError -------------------------------------- */

#if PY_VERSION_HEX >= 0x030C0000
static const uint8_t *
read_varint(const uint8_t *at, const uint8_t *end, int *value)
{
    *value = 0;
    while (at < end) {
        *value = *value << 6 | (*at & 63);
        if (!(*at++ & 64)) {
            break;
        }
    }
    return at;
}

/* Does the code's only handler, which turns it, see what is raised at a unit? */
static bool
is_covered(const PyCodeObject *code, int unit)
{
    const uint8_t *at = (const uint8_t *)PyBytes_AS_STRING(code->co_exceptiontable);
    const uint8_t *end = at + PyBytes_GET_SIZE(code->co_exceptiontable);
    while (at < end) {
        int start, size, handler, depth;
        at = read_varint(at, end, &start);
        at = read_varint(at, end, &size);
        at = read_varint(at, end, &handler);
        at = read_varint(at, end, &depth);
        if (unit >= start && unit < start + size) {
            return true;
        }
    }
    return false;
}

static bool
raises(generator_lifter *g, const gx_insn *insn)
{
    switch (insn->op) {
    case GX_OP_CELL:
    case GX_OP_COPY:
    case GX_OP_MOVE:
    case GX_OP_IS:
    case GX_OP_DROP:
    case GX_OP_STORE:
    case GX_OP_JUMP:
    case GX_OP_JUMP_IF_NONE:
    case GX_OP_JUMP_IF_NOT_NONE:
    case GX_OP_SKIP:
        return false;
    case GX_OP_RETURN:
        return g->lifter.units[insn->offset] == GET_ITER;
#ifdef TO_BOOL /* a jump of its own tests bools alone */
    case GX_OP_JUMP_IF_TRUE:
    case GX_OP_JUMP_IF_FALSE:
        return g->lifter.units[insn->offset] != POP_JUMP_IF_TRUE &&
               g->lifter.units[insn->offset] != POP_JUMP_IF_FALSE;
#endif
    default:
        return true;
    }
}
#endif

/* CPython has left holes in the handler's range (3.14): out of one StopIteration would
   be the end. Not imitated. */
static bool
all_is_covered(generator_lifter *g)
{
#if PY_VERSION_HEX >= 0x030C0000
    for (int i = 0; i < g->nfors; i++) {
        const gx_native *native = g->done[i];
        for (int j = 0; j < native->ninsns; j++) {
            const gx_insn *insn = &native->insns[j];
            if (raises(g, insn) && !is_covered(g->lifter.code, insn->offset / 2)) {
                return false;
            }
        }
    }
#else
    (void)g;
#endif
    return true;
}

/* -- the whole -------------------------------------------------------------------- */

static int
translate(generator_lifter *g, gx_state *state)
{
    translate_head(g);
    if (g->lifter.builder.refusal != NULL || translate_body(g, state) < 0) {
        return -1;
    }
    translate_ends(g);
    if (g->lifter.builder.refusal != NULL || finish_for(g, state) < 0) {
        return -1;
    }
    if (!all_is_covered(g)) {
        refuse(g);
        return -1;
    }
    return 0;
}

/* The first for, which has the others: takes them. */
static gx_native *
join(generator_lifter *g)
{
    for (int i = 0; i < g->nfors - 1; i++) {
        g->done[i]->loop->inner = g->done[i + 1];
    }
    g->done[0]->loop->opens = g->opens;
    g->done[0]->loop->stacked = g->stacked;
    gx_estimate_gain(g->done[0]);
    return g->done[0];
}

gx_native *
gx_lift_generator(gx_state *state, PyCodeObject *code, const char **why)
{
    generator_lifter g;
    PyObject *bytecode;
    *why = NULL;
    memset(&g, 0, offsetof(generator_lifter, lifter));
    if (gx_lifter_init(&g.lifter, code, 0, &bytecode) < 0) {
        return NULL;
    }
    int rc = translate(&g, state);
    Py_DECREF(bytecode);
    *why = g.lifter.builder.refusal;
    gx_builder_clear(&g.lifter.builder);
    if (rc == 0) {
        return join(&g);
    }
    for (int i = 0; i < g.nfors; i++) {
        Py_XDECREF((PyObject *)g.done[i]);
    }
    if (PyErr_Occurred()) {
        *why = NULL;
    } else if (*why == NULL) {
        *why = no_generator;
    }
    return NULL;
}
