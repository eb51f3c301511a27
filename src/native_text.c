/* The source text of a native program. Its operations are run on nodes in place of
   values; where branches meet, the two nodes become one that says which: and, or, a chain
   of comparisons or a conditional. The text is for people: what is too long or too
   tangled is shown as "...". */

#include "expression.h"

/* -- nodes ---------------------------------------------------------------- */

#define MOST_NODES 1024
#define MOST_CHILDREN 4096
#define MOST_STEPS 20000 /* branches that share their ends are read once for each way */
#define MOST_TEXT 1000   /* characters */

enum { NO_NODE = -1, TOO_MUCH = -2 };

typedef enum {
    NODE_VALUE,     /* a parameter or a constant */
    NODE_OPERATION, /* of an instruction */
    NODE_PART,      /* item `part` of what is unpacked */
    NODE_IS_NONE,
    NODE_NOT,
    NODE_AND,
    NODE_OR,
    NODE_IF,   /* condition, then, else */
    NODE_SKIP, /* no value */
} node_kind;

typedef struct {
    node_kind kind;
    const gx_insn *insn;
    PyObject *value; /* borrowed: the constant; NULL: parameter `part` */
    int part;
    int n;
    int first; /* children[first...first + n) */
} node;

typedef struct {
    const gx_native *native;
    PyObject *params, *cells; /* borrowed tuples of str */
    int nnodes, nchildren, steps;
    int16_t meets[GX_BUILD_INSNS + 2]; /* where all ways from an instruction meet */
    int16_t children[MOST_CHILDREN];
    node nodes[MOST_NODES];
} reader;

static const int16_t *
children_of(const reader *r, const node *n)
{
    return r->children + n->first;
}

/* The same of the same instruction is one node: it is computed once. */
static int
find_node(const reader *r, const node *wanted, const int *children)
{
    for (int i = 0; i < r->nnodes; i++) {
        const node *n = &r->nodes[i];
        bool same = n->kind == wanted->kind && n->insn == wanted->insn &&
                    n->value == wanted->value && n->part == wanted->part &&
                    n->n == wanted->n;
        for (int j = 0; same && j < n->n; j++) {
            same = children_of(r, n)[j] == children[j];
        }
        if (same) {
            return i;
        }
    }
    return NO_NODE;
}

static int
add_node(reader *r, node wanted, const int *children)
{
    for (int i = 0; i < wanted.n; i++) {
        if (children[i] < 0) {
            return TOO_MUCH;
        }
    }
    int found = find_node(r, &wanted, children);
    if (found >= 0) {
        return found;
    }
    if (r->nnodes == MOST_NODES || r->nchildren + wanted.n > MOST_CHILDREN) {
        return TOO_MUCH;
    }
    wanted.first = r->nchildren;
    for (int i = 0; i < wanted.n; i++) {
        r->children[r->nchildren++] = (int16_t)children[i];
    }
    r->nodes[r->nnodes] = wanted;
    return r->nnodes++;
}

static int
join(reader *r, node_kind kind, int left, int right)
{
    int children[] = {left, right};
    return add_node(r, (node){.kind = kind, .n = 2}, children);
}

static int
negate(reader *r, int condition)
{
    return add_node(r, (node){.kind = NODE_NOT, .n = 1}, &condition);
}

static bool
is_kind(const reader *r, int i, node_kind kind)
{
    return i >= 0 && r->nodes[i].kind == kind;
}

static int
child(const reader *r, int i, int which)
{
    return children_of(r, &r->nodes[i])[which];
}

static bool
is_operation(const reader *r, int i, gx_op op)
{
    return is_kind(r, i, NODE_OPERATION) && r->nodes[i].insn->op == op;
}

/* Do both read the same? CPython copies small ends of branches. */
static bool
reads_same(reader *r, int a, int b)
{
    if (a == b || a < 0 || b < 0) {
        return a == b;
    }
    const node *x = &r->nodes[a], *y = &r->nodes[b];
    bool same = r->steps++ < MOST_STEPS && x->kind == y->kind && x->value == y->value &&
                x->part == y->part && x->n == y->n;
    if (same && x->kind == NODE_OPERATION) {
        same = x->insn->op == y->insn->op && x->insn->arg == y->insn->arg &&
               x->insn->aux == y->insn->aux;
    }
    for (int i = 0; same && i < x->n; i++) {
        same = reads_same(r, child(r, a, i), child(r, b, i));
    }
    return same;
}

/* -- branches --------------------------------------------------------------- */

/* `yes` if the condition is true, else `no`. */
static int
choose(reader *r, int condition, int yes, int no)
{
    if (condition < 0 || yes < 0 || no < 0) {
        return TOO_MUCH;
    }
    if (is_kind(r, condition, NODE_NOT)) {
        return choose(r, child(r, condition, 0), no, yes);
    }
    if (no == condition) {
        return join(r, NODE_AND, condition, yes);
    }
    if (yes == condition) {
        return join(r, NODE_OR, condition, no);
    }
    if (is_kind(r, yes, NODE_OR) && reads_same(r, child(r, yes, 1), no)) {
        return join(r, NODE_OR, join(r, NODE_AND, condition, child(r, yes, 0)), no);
    }
    if (is_kind(r, no, NODE_AND) && reads_same(r, child(r, no, 1), yes)) {
        return join(r, NODE_AND, join(r, NODE_OR, condition, child(r, no, 0)), yes);
    }
    if (is_kind(r, no, NODE_IF) && reads_same(r, child(r, no, 1), yes)) {
        return choose(r, join(r, NODE_OR, condition, child(r, no, 0)), yes,
                      child(r, no, 2));
    }
    if (is_kind(r, no, NODE_IF) && reads_same(r, child(r, no, 2), yes)) {
        int either = join(r, NODE_OR, condition, negate(r, child(r, no, 0)));
        return choose(r, either, yes, child(r, no, 1));
    }
    if (is_kind(r, yes, NODE_IF) && reads_same(r, child(r, yes, 2), no)) {
        return choose(r, join(r, NODE_AND, condition, child(r, yes, 0)),
                      child(r, yes, 1), no);
    }
    if (is_kind(r, yes, NODE_IF) && reads_same(r, child(r, yes, 1), no)) {
        int both = join(r, NODE_AND, condition, negate(r, child(r, yes, 0)));
        return choose(r, both, child(r, yes, 2), no);
    }
    int children[] = {condition, yes, no};
    return add_node(r, (node){.kind = NODE_IF, .n = 3}, children);
}

/* All jumps are forward: from the last instruction to the first. */
static void
find_meets(reader *r)
{
    int end = r->native->ninsns;
    for (int i = end - 1; i >= 0; i--) {
        const gx_insn *insn = &r->native->insns[i];
        int a = i + 1, b = i + 1;
        if (insn->op == GX_OP_RETURN || insn->op == GX_OP_SKIP) {
            a = b = end;
        } else if (insn->op == GX_OP_JUMP) {
            a = b = insn->aux;
        } else if (insn->op > GX_OP_JUMP) {
            b = insn->aux;
        }
        while (a != b) {
            a = a < b ? r->meets[a] : a;
            b = b < a ? r->meets[b] : b;
        }
        r->meets[i] = (int16_t)a;
    }
}

/* -- run on nodes ------------------------------------------------------------- */

#define MOST_REGISTERS 256

/* Temporaries are emptied by their use, so that what is left over is not taken for a
   difference. */
static void
consume(const reader *r, const gx_insn *insn, int16_t *regs)
{
    const uint8_t *in = gx_inputs(r->native, insn);
    int first_temp = gx_native_first_temp(r->native);
    for (int i = 0; insn->op != GX_OP_COPY && i < insn->n; i++) {
        if (in[i] >= first_temp) {
            regs[in[i]] = NO_NODE;
        }
    }
}

static void
run_unpack(reader *r, const gx_insn *insn, int16_t *regs)
{
    const uint8_t *in = gx_inputs(r->native, insn);
    int source = regs[in[0]];
    consume(r, insn, regs);
    for (int i = 0; i < insn->arg; i++) {
        node part = {.kind = NODE_PART, .insn = insn, .part = i, .n = 1};
        regs[r->native->operands[insn->first + i]] =
            (int16_t)add_node(r, part, &source);
    }
}

static void
run_operation(reader *r, const gx_insn *insn, int16_t *regs)
{
    const uint8_t *in = gx_inputs(r->native, insn);
    int children[GX_BUILD_DEPTH + 1], made;
    if (insn->op == GX_OP_COPY || insn->op == GX_OP_MOVE) {
        made = regs[in[0]];
    } else if (insn->op == GX_OP_UNARY && insn->arg == GX_NOT) {
        made = negate(r, regs[in[0]]);
    } else {
        for (int i = 0; i < insn->n; i++) {
            children[i] = regs[in[i]];
        }
        made = add_node(
            r, (node){.kind = NODE_OPERATION, .insn = insn, .n = insn->n}, children);
    }
    consume(r, insn, regs);
    regs[insn->dst] = (int16_t)made;
}

/* What decides a jump, true if it is taken. */
static int
condition_of(reader *r, const gx_insn *insn, const int16_t *regs)
{
    int value = regs[gx_inputs(r->native, insn)[0]];
    if (insn->op == GX_OP_JUMP_IF_TRUE || insn->op == GX_OP_JUMP_IF_FALSE) {
        return insn->op == GX_OP_JUMP_IF_TRUE ? value : negate(r, value);
    }
    int is_none = add_node(r, (node){.kind = NODE_IS_NONE, .n = 1}, &value);
    return insn->op == GX_OP_JUMP_IF_NONE ? is_none : negate(r, is_none);
}

static int run_from(reader *r, int i, int16_t *regs, int until);

/* Both ways, up to where they meet: what is returned there, or NO_NODE and `regs`. */
static int
run_branch(reader *r, int i, int16_t *regs)
{
    const gx_insn *insn = &r->native->insns[i];
    int condition = condition_of(r, insn, regs), until = r->meets[i];
    int16_t jumped[MOST_REGISTERS];
    consume(r, insn, regs);
    memcpy(jumped, regs, sizeof(jumped));
    int yes = run_from(r, insn->aux, jumped, until);
    int no = run_from(r, i + 1, regs, until);
    if (yes == TOO_MUCH || no == TOO_MUCH) {
        return TOO_MUCH;
    }
    if (until == r->native->ninsns) {
        return choose(r, condition, yes, no);
    }
    for (int j = 0; j < gx_native_size(r->native); j++) {
        if (regs[j] == NO_NODE || jumped[j] == NO_NODE) {
            regs[j] = NO_NODE;
        } else if (regs[j] != jumped[j]) {
            regs[j] = (int16_t)choose(r, condition, jumped[j], regs[j]);
        }
    }
    return NO_NODE;
}

static int
run_from(reader *r, int i, int16_t *regs, int until)
{
    while (i != until) {
        const gx_insn *insn = &r->native->insns[i];
        if (r->steps++ >= MOST_STEPS) {
            return TOO_MUCH;
        }
        switch (insn->op) {
        case GX_OP_RETURN:
            return regs[gx_inputs(r->native, insn)[0]];
        case GX_OP_SKIP:
            return add_node(r, (node){.kind = NODE_SKIP}, NULL);
        case GX_OP_JUMP:
            i = insn->aux;
            continue;
        case GX_OP_JUMP_IF_TRUE:
        case GX_OP_JUMP_IF_FALSE:
        case GX_OP_JUMP_IF_NONE:
        case GX_OP_JUMP_IF_NOT_NONE: {
            int value = run_branch(r, i, regs);
            if (value != NO_NODE) {
                return value;
            }
            i = r->meets[i];
            continue;
        }
        case GX_OP_DROP:
            consume(r, insn, regs);
            break;
        case GX_OP_UNPACK:
            run_unpack(r, insn, regs);
            break;
        default:
            run_operation(r, insn, regs);
        }
        i++;
    }
    return NO_NODE;
}

/* The node of the value; NO_NODE or TOO_MUCH: it cannot be shown. */
static int
read_program(reader *r)
{
    int16_t regs[MOST_REGISTERS];
    const gx_native *native = r->native;
    for (int i = 0; i < MOST_REGISTERS; i++) {
        regs[i] = NO_NODE;
    }
    for (int i = 0; i < gx_native_first_var(native); i++) {
        node value = {.kind = NODE_VALUE, .part = i};
        if (i >= native->nparams) {
            value.value = PyTuple_GET_ITEM(native->consts, i - native->nparams);
        }
        regs[i] = (int16_t)add_node(r, value, NULL);
    }
    find_meets(r);
    return run_from(r, 0, regs, native->ninsns);
}
