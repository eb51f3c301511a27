/* The builder: operations over a stack of operands, as a compiler has it, become
   operations over registers. Arguments and constants are never moved: they stand on the
   stack as themselves until branches meet. */

#include "native.h"

/* -- refusal and memory -------------------------------------------------- */

int
gx_builder_init(gx_builder *b, int nparams)
{
    memset(b, 0, offsetof(gx_builder, insns));
    b->nparams = nparams;
    b->method = -1;
    b->reserved = GX_NO_OPERAND;
    b->reachable = true;
    b->consts = PyList_New(0);
    b->names = PyList_New(0);
    if (b->consts == NULL || b->names == NULL) {
        gx_builder_clear(b);
        return -1;
    }
    if (nparams > GX_CONST - GX_PARAM) {
        gx_builder_refuse(b, "it has too many parameters");
    }
    return 0;
}

void
gx_builder_clear(gx_builder *b)
{
    Py_CLEAR(b->consts);
    Py_CLEAR(b->names);
}

void
gx_builder_refuse(gx_builder *b, const char *why)
{
    if (b->refusal == NULL) {
        b->refusal = why;
    }
}

/* What gx_builder_finish makes a MemoryError of: not a reason. */
static const char no_memory[] = "no memory";

/* -- the stack of operands ------------------------------------------------ */

void
gx_push(gx_builder *b, int operand)
{
    if (b->depth >= GX_BUILD_DEPTH) {
        gx_builder_refuse(b, "it is too deeply nested");
        return;
    }
    b->stack[b->depth++] = (uint8_t)operand;
}

int
gx_pop(gx_builder *b)
{
    if (b->depth == 0) {
        gx_builder_refuse(b, "its bytecode is not that of an expression");
        return GX_NO_OPERAND;
    }
    return b->stack[--b->depth];
}

/* The place of `value` in a list, compared by identity, appended if it is new; `limit`
   is how many there may be. */
static int
index_in(gx_builder *b, PyObject *list, PyObject *value, Py_ssize_t limit)
{
    Py_ssize_t size = PyList_GET_SIZE(list);
    for (Py_ssize_t i = 0; i < size; i++) {
        if (PyList_GET_ITEM(list, i) == value) {
            return (int)i;
        }
    }
    if (size >= limit) {
        gx_builder_refuse(b, "it is too long");
        return 0;
    }
    if (PyList_Append(list, value) < 0) {
        PyErr_Clear();
        gx_builder_refuse(b, no_memory);
        return 0;
    }
    return (int)size;
}

void
gx_push_const(gx_builder *b, PyObject *value)
{
    if (b->refusal == NULL) {
        gx_push(b, GX_CONST + index_in(b, b->consts, value, GX_BUILD_CONSTS));
    }
}

int
gx_builder_name(gx_builder *b, PyObject *name)
{
    return b->refusal == NULL ? index_in(b, b->names, name, UINT16_MAX) : 0;
}

/* -- operations ----------------------------------------------------------- */

static gx_insn *
add_insn(gx_builder *b, gx_op op)
{
    gx_insn *insn = &b->insns[b->ninsns]; /* there is one more, never read */
    if (b->ninsns < GX_BUILD_INSNS) {
        b->ninsns++;
    } else {
        gx_builder_refuse(b, "it is too long");
    }
    *insn = (gx_insn){.op = (uint8_t)op, .offset = (uint16_t)b->offset};
    return insn;
}

/* The last n operands, leaving out the places that hold nothing, become the inputs of
   `insn` and leave the stack. */
static void
take_inputs(gx_builder *b, gx_insn *insn, int n)
{
    uint8_t inputs[GX_BUILD_DEPTH];
    int count = 0;
    if (n > b->depth) {
        gx_builder_refuse(b, "its bytecode is not that of an expression");
        return;
    }
    b->depth -= n;
    for (int i = 0; i < n; i++) {
        uint8_t operand = b->stack[b->depth + i];
        if (operand == GX_NO_OPERAND) {
            gx_builder_refuse(b, "its bytecode is not that of an expression");
        }
        inputs[count++] = operand;
    }
    insn->n = (uint8_t)count;
    if (count <= GX_INSN_INPUTS) {
        memcpy(insn->in, inputs, (size_t)count);
    } else if (b->noperands + count > (int)sizeof(b->operands)) {
        gx_builder_refuse(b, "it is too long");
    } else {
        insn->first = (uint16_t)b->noperands;
        memcpy(b->operands + b->noperands, inputs, (size_t)count);
        b->noperands += count;
    }
}

static bool
is_on_stack(const gx_builder *b, int operand)
{
    return memchr(b->stack, operand, (size_t)b->depth) != NULL;
}

/* The lowest temporary that holds nothing. */
static int
free_temp(gx_builder *b)
{
    int temp = GX_TEMP;
    while (is_on_stack(b, temp) || temp == b->reserved) {
        temp++;
    }
    b->ntemps = temp - GX_TEMP >= b->ntemps ? temp - GX_TEMP + 1 : b->ntemps;
    return temp;
}

void
gx_build(gx_builder *b, gx_op op, int arg, int n, int aux)
{
    if (b->refusal != NULL || !b->reachable) {
        return;
    }
    gx_insn *insn = add_insn(b, op);
    insn->arg = (uint8_t)arg;
    insn->aux = (uint16_t)aux;
    take_inputs(b, insn, n);
    insn->dst = (uint8_t)free_temp(b);
    gx_push(b, insn->dst);
}

void
gx_build_end(gx_builder *b, gx_op op, int n)
{
    if (b->refusal != NULL || !b->reachable) {
        return;
    }
    take_inputs(b, add_insn(b, op), n);
    b->reachable = op != GX_OP_RETURN && op != GX_OP_SKIP;
}

void
gx_build_method(gx_builder *b, PyObject *name)
{
    gx_build(b, GX_OP_ATTRIBUTE, 1, 1, gx_builder_name(b, name));
    b->method = b->ninsns - 1;
}

/* The stack without the `n` inputs of a call and their places that hold nothing. */
static void
join_call(gx_builder *b, int nargs)
{
    int from = b->depth - nargs;
    if (from >= 1 && b->stack[from - 1] == GX_NO_OPERAND) { /* 3.13: after it */
        memmove(b->stack + from - 1, b->stack + from, (size_t)nargs);
        b->depth--;
    } else if (from >= 2 && b->stack[from - 2] == GX_NO_OPERAND) { /* before it */
        memmove(b->stack + from - 2, b->stack + from - 1, (size_t)nargs + 1);
        b->depth--;
    }
}

/* functools.partial and methodcaller take other keys, and the call refuses them. */
static bool
are_names(PyObject *kwnames)
{
    Py_ssize_t i = 0, n = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    while (i < n && PyUnicode_Check(PyTuple_GET_ITEM(kwnames, i))) {
        i++;
    }
    return i == n;
}

void
gx_build_call(gx_builder *b, int nargs, PyObject *kwnames)
{
    if (b->refusal != NULL || !b->reachable) {
        return;
    }
    int nkw = kwnames != NULL ? (int)PyTuple_GET_SIZE(kwnames) : 0;
    int aux = 0;
    if (nkw > nargs || !are_names(kwnames)) {
        gx_builder_refuse(b, "its bytecode is not that of an expression");
        return;
    }
    if (nkw > 0) {
        aux = GX_CONST + index_in(b, b->consts, kwnames, GX_BUILD_CONSTS);
    }
    join_call(b, nargs);
    int callable = b->depth - nargs - 1;
    bool method = b->method >= 0 && b->method == b->ninsns - 1 && nkw == 0 &&
                  callable >= 0 && b->stack[callable] == b->insns[b->method].dst &&
                  b->offset - b->insns[b->method].offset <= 2 * UINT8_MAX;
    if (!method) {
        gx_build(b, GX_OP_CALL, nkw, nargs + 1, aux);
        return;
    }
    gx_insn look_up = b->insns[--b->ninsns];
    b->stack[callable] = look_up.in[0];
    gx_build(b, GX_OP_CALL_METHOD, (b->offset - look_up.offset) / 2, nargs + 1,
             look_up.aux);
}

void
gx_build_call_star(gx_builder *b)
{
    if (b->refusal == NULL && b->reachable) {
        join_call(b, 1);
        gx_build(b, GX_OP_CALL_STAR, 0, 2, 0);
    }
}

void
gx_build_copy(gx_builder *b, int depth)
{
    if (b->refusal != NULL || !b->reachable) {
        return;
    }
    if (depth < 1 || depth > b->depth) {
        gx_builder_refuse(b, "its bytecode is not that of an expression");
        return;
    }
    int operand = b->stack[b->depth - depth];
    if (operand < GX_TEMP) {
        gx_push(b, operand);
        return;
    }
    gx_push(b, operand);
    gx_build(b, GX_OP_COPY, 0, 1, 0);
}

void
gx_build_drop(gx_builder *b)
{
    int operand = gx_pop(b);
    if (b->refusal == NULL && b->reachable && operand >= GX_TEMP &&
        operand != GX_NO_OPERAND) {
        gx_push(b, operand);
        gx_build_end(b, GX_OP_DROP, 1);
    }
}

void
gx_build_unpack(gx_builder *b, int n)
{
    if (b->refusal != NULL || !b->reachable) {
        return;
    }
    gx_build_end(b, GX_OP_UNPACK, 1);
    if (b->refusal != NULL || n > GX_BUILD_VARS ||
        b->noperands + n > (int)sizeof(b->operands)) {
        gx_builder_refuse(b, "it is too long");
        return;
    }
    gx_insn *insn = &b->insns[b->ninsns - 1];
    insn->arg = (uint8_t)n;
    insn->first = (uint16_t)b->noperands;
    for (int i = n - 1; i >= 0; i--) {
        int temp = free_temp(b);
        b->operands[insn->first + i] = (uint8_t)temp;
        gx_push(b, temp);
    }
    b->noperands += n;
}

/* Let the last operations, if they unpack, write into `var` in place of `temp`. */
static bool
redirect(gx_builder *b, uint8_t temp, int var)
{
    for (int i = b->ninsns - 1; i >= 0 && b->insns[i].op == GX_OP_UNPACK; i--) {
        const gx_insn *insn = &b->insns[i];
        uint8_t *place = memchr(b->operands + insn->first, temp, insn->arg);
        if (place != NULL) {
            *place = (uint8_t)var;
            return true;
        }
    }
    return false;
}

int
gx_build_store(gx_builder *b)
{
    int operand = gx_pop(b);
    if (b->refusal != NULL || !b->reachable) {
        return GX_NO_OPERAND;
    }
    if (operand < GX_TEMP) {
        return operand; /* it never changes while this name may be used */
    }
    if (operand == GX_NO_OPERAND || b->nvars == GX_BUILD_VARS) {
        gx_builder_refuse(b, "it is too long");
        return GX_NO_OPERAND;
    }
    int var = GX_VAR + b->nvars++;
    if (!redirect(b, (uint8_t)operand, var)) {
        gx_push(b, operand);
        gx_build_end(b, GX_OP_STORE, 1);
        b->insns[b->ninsns - 1].dst = (uint8_t)var;
    }
    return var;
}

/* -- branches ------------------------------------------------------------- */

static void
move(gx_builder *b, int place, int temp)
{
    gx_insn *insn = add_insn(b, GX_OP_MOVE);
    insn->n = 1;
    insn->in[0] = b->stack[place];
    insn->dst = b->stack[place] = (uint8_t)temp;
}

/* Where ways meet the `depth` lowest values lie each in the temporary of its place. What
   is in the way goes aside: it stands higher up and has its turn later. */
static void
spill(gx_builder *b, int depth)
{
    for (int i = 0; i < depth; i++) {
        int temp = GX_TEMP + i;
        if (b->stack[i] == GX_NO_OPERAND || b->stack[i] == temp) {
            continue;
        }
        uint8_t *other = memchr(b->stack, temp, (size_t)b->depth);
        if (other != NULL) {
            move(b, (int)(other - b->stack), free_temp(b));
        }
        move(b, i, temp);
        b->ntemps = i >= b->ntemps ? i + 1 : b->ntemps;
    }
}

static uint64_t
places_of_nothing(const gx_builder *b)
{
    uint64_t places = 0;
    for (int i = 0; i < b->depth; i++) {
        places |= (uint64_t)(b->stack[i] == GX_NO_OPERAND) << i;
    }
    return places;
}

/* The label is reached from here, with this stack. */
static void
arrive(gx_builder *b, gx_label *label)
{
    uint64_t nothing = places_of_nothing(b);
    if (label->depth < 0) {
        label->depth = b->depth;
        label->nothing = nothing;
    } else if (label->depth != b->depth || label->nothing != nothing) {
        gx_builder_refuse(b, "its bytecode is not that of an expression");
    }
}

void
gx_build_jump(gx_builder *b, gx_op op, int n, gx_label *label)
{
    if (b->refusal != NULL || !b->reachable) {
        return;
    }
    spill(b, b->depth - n); /* the condition waits above */
    int condition = n > 0 ? gx_pop(b) : GX_NO_OPERAND;
    gx_insn *jump = add_insn(b, op);
    jump->n = (uint8_t)n;
    jump->in[0] = (uint8_t)condition;
    jump->aux = (uint16_t)label->jumps;
    label->jumps = b->ninsns - 1;
    arrive(b, label);
    b->reachable = op != GX_OP_JUMP;
    b->method = -1;
}

void
gx_build_label(gx_builder *b, gx_label *label)
{
    if (b->refusal != NULL) {
        return;
    }
    if (b->reachable) {
        spill(b, b->depth);
        arrive(b, label);
    } else if (label->depth < 0) {
        return; /* nothing leads here */
    }
    b->reachable = true;
    b->depth = label->depth;
    b->method = -1;
    for (int i = 0; i < b->depth; i++) {
        bool nothing = label->nothing >> i & 1;
        b->stack[i] = (uint8_t)(nothing ? GX_NO_OPERAND : GX_TEMP + i);
    }
    for (int jump = label->jumps; jump >= 0 && jump != UINT16_MAX;) {
        int next = b->insns[jump].aux;
        b->insns[jump].aux = (uint16_t)b->ninsns;
        jump = next;
    }
    label->jumps = -1;
}

/* -- finish --------------------------------------------------------------- */

/* The register of an operand, now that the numbers of all kinds are known. */
static uint8_t
register_of(const gx_builder *b, uint8_t operand)
{
    int first_const = b->nparams;
    int first_var = first_const + (int)PyList_GET_SIZE(b->consts);
    if (operand < GX_CONST) {
        return operand;
    }
    if (operand < GX_VAR) {
        return (uint8_t)(first_const + operand - GX_CONST);
    }
    if (operand < GX_TEMP) {
        return (uint8_t)(first_var + operand - GX_VAR);
    }
    return (uint8_t)(first_var + b->nvars + operand - GX_TEMP);
}

static void
lay_out(const gx_builder *b, gx_native *native)
{
    memcpy(native->insns, b->insns, sizeof(gx_insn) * (size_t)b->ninsns);
    for (int i = 0; i < b->noperands; i++) {
        native->operands[i] = register_of(b, b->operands[i]);
    }
    for (gx_insn *insn = native->insns; insn < native->insns + b->ninsns; insn++) {
        for (int i = 0; i < insn->n && i < GX_INSN_INPUTS; i++) {
            insn->in[i] = register_of(b, insn->in[i]);
        }
        insn->dst = register_of(b, insn->dst);
        if (insn->op == GX_OP_CALL && insn->arg > 0) {
            insn->aux = register_of(b, (uint8_t)insn->aux);
        }
    }
}

gx_native *
gx_native_alloc(gx_state *state, int ninsns, int noperands)
{
    PyTypeObject *type = GX_TYPE_OF(state, native);
    gx_native *native = (gx_native *)type->tp_alloc(type, 0);
    if (native == NULL) {
        return NULL;
    }
    native->ninsns = ninsns;
    native->insns = PyMem_New(gx_insn, (size_t)ninsns);
    native->operands = PyMem_New(uint8_t, (size_t)noperands + 1);
    if (native->insns == NULL || native->operands == NULL) {
        Py_DECREF((PyObject *)native);
        PyErr_NoMemory();
        return NULL;
    }
    return native;
}

static gx_native *
build_native(gx_state *state, gx_builder *b)
{
    gx_native *native = gx_native_alloc(state, b->ninsns, b->noperands);
    if (native == NULL) {
        return NULL;
    }
    native->nparams = b->nparams;
    native->nvars = b->nvars;
    native->ntemps = b->ntemps;
    native->ncells = b->ncells;
    native->consts = PyList_AsTuple(b->consts);
    native->names = PyList_AsTuple(b->names);
    if (native->consts == NULL || native->names == NULL) {
        Py_DECREF((PyObject *)native);
        return NULL;
    }
    lay_out(b, native);
    gx_native_settle(native);
    return native;
}

gx_native *
gx_builder_finish(gx_state *state, gx_builder *b)
{
    gx_native *native = NULL;
    if (b->refusal == NULL && b->reachable) {
        gx_builder_refuse(b, "its bytecode is not that of an expression");
    }
    if (b->refusal == NULL) {
        native = build_native(state, b);
    } else if (b->refusal == no_memory) {
        PyErr_NoMemory();
    }
    gx_builder_clear(b);
    return native;
}
