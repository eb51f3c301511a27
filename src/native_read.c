/* Reading a native program: its operations are run on nodes in place of values; where
   branches meet, the two nodes become one that says which: and, or, a conditional. */

#include "native_text.h"

/* -- nodes ---------------------------------------------------------------- */

static const int16_t *
children_of(const gx_reader *r, const gx_node *n)
{
    return r->children + n->first;
}

/* The same of the same instruction is one node: it is computed once. */
static int
find_node(const gx_reader *r, const gx_node *wanted, const int *children)
{
    for (int i = 0; i < r->nnodes; i++) {
        const gx_node *n = &r->nodes[i];
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
    return GX_NO_NODE;
}

static int
add_node(gx_reader *r, gx_node wanted, const int *children)
{
    for (int i = 0; i < wanted.n; i++) {
        if (children[i] < 0) {
            return GX_TOO_MUCH;
        }
    }
    int found = find_node(r, &wanted, children);
    if (found >= 0) {
        return found;
    }
    if (r->nnodes == GX_TEXT_NODES || r->nchildren + wanted.n > GX_TEXT_CHILDREN) {
        return GX_TOO_MUCH;
    }
    wanted.first = r->nchildren;
    for (int i = 0; i < wanted.n; i++) {
        r->children[r->nchildren++] = (int16_t)children[i];
    }
    r->nodes[r->nnodes] = wanted;
    return r->nnodes++;
}

static int
add_leaf(gx_reader *r, gx_node wanted)
{
    const int no_children[] = {GX_NO_NODE};
    return add_node(r, wanted, no_children);
}

static int
join(gx_reader *r, gx_node_kind kind, int left, int right)
{
    int children[] = {left, right};
    return add_node(r, (gx_node){.kind = kind, .n = 2}, children);
}

static int
negate(gx_reader *r, int condition)
{
    return add_node(r, (gx_node){.kind = GX_NODE_NOT, .n = 1}, &condition);
}

/* Do both read the same? CPython copies small ends of branches. */
static bool
reads_same(gx_reader *r, int a, int b)
{
    if (a == b || a < 0 || b < 0) {
        return a == b;
    }
    const gx_node *x = &r->nodes[a], *y = &r->nodes[b];
    bool same = r->steps++ < GX_TEXT_STEPS && x->kind == y->kind &&
                x->value == y->value && x->part == y->part && x->n == y->n;
    if (same && x->kind == GX_NODE_OPERATION) {
        same = x->insn->op == y->insn->op && x->insn->arg == y->insn->arg &&
               x->insn->aux == y->insn->aux;
    }
    for (int i = 0; same && i < x->n; i++) {
        same = reads_same(r, gx_node_child(r, a, i), gx_node_child(r, b, i));
    }
    return same;
}

/* -- branches --------------------------------------------------------------- */

static int choose(gx_reader *r, int condition, int yes, int no);

/* With a branch that shares an end, or NO_NODE. */
static int
merge(gx_reader *r, int condition, int yes, int no)
{
    if (gx_is_node(r, yes, GX_NODE_OR) && reads_same(r, gx_node_child(r, yes, 1), no)) {
        int both = join(r, GX_NODE_AND, condition, gx_node_child(r, yes, 0));
        return join(r, GX_NODE_OR, both, no);
    }
    if (gx_is_node(r, no, GX_NODE_AND) && reads_same(r, gx_node_child(r, no, 1), yes)) {
        int either = join(r, GX_NODE_OR, condition, gx_node_child(r, no, 0));
        return join(r, GX_NODE_AND, either, yes);
    }
    if (gx_is_node(r, no, GX_NODE_IF) && reads_same(r, gx_node_child(r, no, 1), yes)) {
        int either = join(r, GX_NODE_OR, condition, gx_node_child(r, no, 0));
        return choose(r, either, yes, gx_node_child(r, no, 2));
    }
    if (gx_is_node(r, yes, GX_NODE_IF) && reads_same(r, gx_node_child(r, yes, 2), no)) {
        int both = join(r, GX_NODE_AND, condition, gx_node_child(r, yes, 0));
        return choose(r, both, gx_node_child(r, yes, 1), no);
    }
    return GX_NO_NODE;
}

/* The same where the other's condition has to be turned round. */
static int
merge_negated(gx_reader *r, int condition, int yes, int no)
{
    if (gx_is_node(r, no, GX_NODE_IF) && reads_same(r, gx_node_child(r, no, 2), yes)) {
        int other = negate(r, gx_node_child(r, no, 0));
        return choose(r, join(r, GX_NODE_OR, condition, other), yes,
                      gx_node_child(r, no, 1));
    }
    if (gx_is_node(r, yes, GX_NODE_IF) && reads_same(r, gx_node_child(r, yes, 1), no)) {
        int other = negate(r, gx_node_child(r, yes, 0));
        return choose(r, join(r, GX_NODE_AND, condition, other),
                      gx_node_child(r, yes, 2), no);
    }
    return GX_NO_NODE;
}

/* Do two nodes do the same with their children? */
static bool
works_same(const gx_node *x, const gx_node *y)
{
    if (x->kind != y->kind || x->n != y->n) {
        return false;
    }
    return x->kind == GX_NODE_NOT || x->kind == GX_NODE_IS_NONE ||
           (x->kind == GX_NODE_OPERATION && x->insn->op == y->insn->op &&
            x->insn->arg == y->insn->arg && x->insn->aux == y->insn->aux);
}

/* From 3.12 on what follows a conditional is in both of its branches: f(x.a, b if c else
   d) as f(x.a, b) or f(x.a, d). What tells it from two calls is an operand computed
   before the condition, or one that is the condition. Otherwise NO_NODE. */
static int
choose_operand(gx_reader *r, int condition, int yes, int no)
{
    const gx_node *x = &r->nodes[yes];
    int children[GX_BUILD_DEPTH + 1], at = 0;
    bool inside = false;
    if (!works_same(x, &r->nodes[no])) {
        return GX_NO_NODE;
    }
    for (; at < x->n && gx_node_child(r, yes, at) == gx_node_child(r, no, at); at++) {
        children[at] = gx_node_child(r, yes, at);
        inside = inside || r->nodes[children[at]].kind != GX_NODE_VALUE;
    }
    if (at == x->n) {
        return GX_NO_NODE;
    }
    int a = gx_node_child(r, yes, at), b = gx_node_child(r, no, at);
    int bare = gx_is_node(r, condition, GX_NODE_NOT) ? gx_node_child(r, condition, 0)
                                                     : condition;
    inside = inside || a == bare || b == bare;
    children[at] =
        inside ? choose(r, condition, a, b) : choose_operand(r, condition, a, b);
    if (children[at] == GX_NO_NODE) {
        return GX_NO_NODE;
    }
    for (int i = at + 1; i < x->n; i++) {
        children[i] = gx_node_child(r, yes, i);
        if (!reads_same(r, children[i], gx_node_child(r, no, i))) {
            return GX_NO_NODE;
        }
    }
    return add_node(r, *x, children);
}

/* `yes` if the condition is true, else `no`. */
static int
choose(gx_reader *r, int condition, int yes, int no)
{
    if (condition < 0 || yes < 0 || no < 0) {
        return GX_TOO_MUCH;
    }
    int operand = choose_operand(r, condition, yes, no);
    if (operand != GX_NO_NODE) {
        return operand;
    }
    if (no == condition) {
        return join(r, GX_NODE_AND, condition, yes);
    }
    if (yes == condition) {
        return join(r, GX_NODE_OR, condition, no);
    }
    bool negated = gx_is_node(r, condition, GX_NODE_NOT);
    int other = negated ? gx_node_child(r, condition, 0) : negate(r, condition);
    if (negated && (yes == other || no == other)) {
        return choose(r, other, no, yes);
    }
    int merged = negated ? merge(r, other, no, yes) : merge(r, condition, yes, no);
    if (merged == GX_NO_NODE) {
        merged = negated ? merge(r, condition, yes, no) : merge(r, other, no, yes);
    }
    if (merged == GX_NO_NODE) {
        merged = negated ? merge_negated(r, other, no, yes)
                         : merge_negated(r, condition, yes, no);
    }
    if (merged != GX_NO_NODE) {
        return merged;
    }
    int children[] = {condition, yes, no};
    return add_node(r, (gx_node){.kind = GX_NODE_IF, .n = 3}, children);
}

/* At a jump: what does not jump stands first in the source. */
static int
choose_at_jump(gx_reader *r, int condition, int jumped, int fell)
{
    int chosen = choose(r, condition, jumped, fell);
    if (!gx_is_node(r, chosen, GX_NODE_IF) ||
        gx_node_child(r, chosen, 0) != condition) {
        return chosen;
    }
    bool negated = gx_is_node(r, condition, GX_NODE_NOT);
    int children[] = {negated ? gx_node_child(r, condition, 0) : negate(r, condition),
                      fell, jumped};
    return add_node(r, (gx_node){.kind = GX_NODE_IF, .n = 3}, children);
}

/* All jumps are forward: from the last instruction to the first. */
static void
find_meets(gx_reader *r)
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

/* Temporaries are emptied by their use, so that what is left over is not taken for a
   difference. */
static void
consume(const gx_reader *r, const gx_insn *insn, int16_t *regs)
{
    const uint8_t *in = gx_operands(r->native, insn);
    int first_temp = gx_native_first_temp(r->native);
    for (int i = 0; insn->op != GX_OP_COPY && i < insn->n; i++) {
        if (in[i] >= first_temp) {
            regs[in[i]] = GX_NO_NODE;
        }
    }
}

static void
run_unpack(gx_reader *r, const gx_insn *insn, int16_t *regs)
{
    const uint8_t *in = gx_operands(r->native, insn);
    int source = regs[in[0]];
    consume(r, insn, regs);
    for (int i = 0; i < insn->arg; i++) {
        gx_node part = {.kind = GX_NODE_PART, .insn = insn, .part = i, .n = 1};
        regs[r->native->operands[insn->first + i]] =
            (int16_t)add_node(r, part, &source);
    }
}

static void
run_operation(gx_reader *r, const gx_insn *insn, int16_t *regs)
{
    const uint8_t *in = gx_operands(r->native, insn);
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
            r, (gx_node){.kind = GX_NODE_OPERATION, .insn = insn, .n = insn->n},
            children);
    }
    consume(r, insn, regs);
    regs[insn->dst] = (int16_t)made;
}

/* What decides a jump, true if it is taken. */
static int
condition_of(gx_reader *r, const gx_insn *insn, const int16_t *regs)
{
    int value = regs[gx_operands(r->native, insn)[0]];
    if (insn->op == GX_OP_JUMP_IF_TRUE || insn->op == GX_OP_JUMP_IF_FALSE) {
        return insn->op == GX_OP_JUMP_IF_TRUE ? value : negate(r, value);
    }
    int is_none = add_node(r, (gx_node){.kind = GX_NODE_IS_NONE, .n = 1}, &value);
    return insn->op == GX_OP_JUMP_IF_NONE ? is_none : negate(r, is_none);
}

static int run_from(gx_reader *r, int i, int16_t *regs, int until);

/* Both ways, up to where they meet: what is returned there, or GX_NO_NODE and `regs`. */
static int
run_branch(gx_reader *r, int i, int16_t *regs)
{
    const gx_insn *insn = &r->native->insns[i];
    int condition = condition_of(r, insn, regs), until = r->meets[i];
    int16_t jumped[GX_TEXT_REGISTERS], before[GX_TEXT_REGISTERS];
    consume(r, insn, regs);
    memcpy(jumped, regs, sizeof(jumped));
    memcpy(before, regs, sizeof(before));
    int yes = run_from(r, insn->aux, jumped, until);
    int no = run_from(r, i + 1, regs, until);
    if (yes == GX_TOO_MUCH || no == GX_TOO_MUCH) {
        return GX_TOO_MUCH;
    }
    if (until == r->native->ninsns) {
        return choose_at_jump(r, condition, yes, no);
    }
    for (int j = 0; j < gx_native_size(r->native); j++) {
        if (regs[j] == GX_NO_NODE || jumped[j] == GX_NO_NODE) {
            regs[j] = GX_NO_NODE;
        } else if (regs[j] != jumped[j] || regs[j] != before[j]) {
            regs[j] = (int16_t)choose_at_jump(r, condition, jumped[j], regs[j]);
        }
    }
    return GX_NO_NODE;
}

static int
run_from(gx_reader *r, int i, int16_t *regs, int until)
{
    while (i != until) {
        const gx_insn *insn = &r->native->insns[i];
        if (r->steps++ >= GX_TEXT_STEPS) {
            return GX_TOO_MUCH;
        }
        switch (insn->op) {
        case GX_OP_RETURN:
            return regs[gx_operands(r->native, insn)[0]];
        case GX_OP_SKIP:
            return add_leaf(r, (gx_node){.kind = GX_NODE_SKIP});
        case GX_OP_JUMP:
            i = insn->aux;
            continue;
        case GX_OP_JUMP_IF_TRUE:
        case GX_OP_JUMP_IF_FALSE:
        case GX_OP_JUMP_IF_NONE:
        case GX_OP_JUMP_IF_NOT_NONE: {
            int value = run_branch(r, i, regs);
            if (value != GX_NO_NODE) {
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
    return GX_NO_NODE;
}

int
gx_read_native(gx_reader *r)
{
    int16_t regs[GX_TEXT_REGISTERS];
    const gx_native *native = r->native;
    for (int i = 0; i < GX_TEXT_REGISTERS; i++) {
        regs[i] = GX_NO_NODE;
    }
    for (int i = 0; i < gx_native_first_var(native); i++) {
        gx_node value = {.kind = GX_NODE_VALUE, .part = i};
        if (i >= native->nparams) {
            value.value = PyTuple_GET_ITEM(native->consts, i - native->nparams);
        }
        regs[i] = (int16_t)add_leaf(r, value);
    }
    find_meets(r);
    return run_from(r, 0, regs, native->ninsns);
}
