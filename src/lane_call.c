/* A native program over a block: each operation for all rows at once. Where rows go
   different ways, each way is gone with those that go it, and what they return is put
   together again. */

#include "lane.h"

#define MAX_REGS 24
#define MAX_JUMPS 8 /* every jump may double the number of ways */

/* -- which programs ----------------------------------------------------------- */

static bool
can_run(const gx_insn *insn)
{
    switch (insn->op) {
    case GX_OP_GLOBAL:
    case GX_OP_CELL:
    case GX_OP_COPY:
    case GX_OP_MOVE:
    case GX_OP_UNARY:
    case GX_OP_BINARY:
    case GX_OP_COMPARE:
    case GX_OP_DROP:
    case GX_OP_JUMP:
    case GX_OP_JUMP_IF_TRUE:
    case GX_OP_JUMP_IF_FALSE:
    case GX_OP_RETURN:
    case GX_OP_SKIP:
        return true;
    default:
        return false;
    }
}

bool
gx_lane_can_run(const gx_native *native, gx_use use)
{
    int jumps = 0;
    if (gx_native_size(native) > MAX_REGS) {
        return false;
    }
    for (int i = 0; i < native->ninsns; i++) {
        const gx_insn *insn = &native->insns[i];
        jumps += insn->op == GX_OP_JUMP_IF_TRUE || insn->op == GX_OP_JUMP_IF_FALSE;
        if (!can_run(insn) || (insn->op == GX_OP_SKIP && use != GX_REPLACE)) {
            return false;
        }
    }
    return jumps <= MAX_JUMPS;
}

bool
gx_lane_can_call(const gx_step *step)
{
    const gx_row *row = step->row;
    bool filters = row == &gx_stage_filter || row == &gx_stage_filterfalse;
    if (step->func == NULL) {
        return filters;
    }
    return (filters || row == &gx_stage_map || row == &gx_stage_takewhile) &&
           step->native != NULL && step->how == GX_CALL_ITEM &&
           step->native->nargs == 1 && !gx_binding_is_stale(step->native) &&
           gx_lane_can_run(step->native->native, step->use);
}

/* -- a call over a block -------------------------------------------------------- */

/* One way through the program, of some rows. */
typedef struct {
    gx_vector regs[MAX_REGS]; /* owned; constants are filled in when they are needed */
    gx_column *rows;          /* owned: where they are in the block; NULL: all */
    int n;
} way;

static int
nregs_of(const gx_lane_result *c)
{
    return gx_native_size(c->binding->native);
}

static void
way_drop(gx_lane_result *c, way *w)
{
    int nregs = nregs_of(c);
    for (int i = 0; i < nregs; i++) {
        gx_vector_drop(c->lane, &w->regs[i]);
    }
    gx_column_drop(c->lane, w->rows);
    w->rows = NULL;
    w->n = 0;
}

/* Only the first `done` rows of this way go on. */
static void
cut(gx_lane_result *c, way *w, int done)
{
    if (done < w->n) {
        int place = w->rows != NULL ? w->rows->rows[done] : done;
        c->limit = place < c->limit ? place : c->limit;
        w->n = done;
    }
}

/* The register of the item: the parameter, or the variable of a for. */
static int
item_of(const gx_native *native)
{
    return native->loop != NULL ? native->loop->item : 0;
}

/* -- operands ----------------------------------------------------------------- */

/* A register as it is, borrowed; false: it holds no number. */
static bool
operand(gx_lane_result *c, way *w, int reg, const gx_vector **out)
{
    gx_vector *v = &w->regs[reg];
    const gx_native *native = c->binding->native;
    *out = v;
    return reg == item_of(native) || reg >= gx_native_first_var(native) ||
           gx_vector_of(c->binding->regs[reg], v);
}

/* The global or cell as it was when the block began. */
static bool
look_up(gx_lane_result *c, const gx_insn *insn, gx_vector *out)
{
    gx_lane *lane = c->lane;
    *out = (gx_vector){.scalar = true};
    for (int i = 0; i < lane->nheld; i++) {
        if (lane->held[i].insn == insn && lane->held[i].binding == c->binding &&
            lane->held[i].value != NULL) {
            return gx_vector_of(lane->held[i].value, out);
        }
    }
    return false;
}

/* -- branches ----------------------------------------------------------------- */

static void run_way(gx_lane_result *c, way *w, const gx_insn *insn);

/* The rows of `w` that `rows` names, as a way of their own. */
static bool
take_rows(gx_lane_result *c, const way *w, const gx_column *rows, int n, way *out)
{
    gx_lane *lane = c->lane;
    bool made = true;
    int nregs = nregs_of(c);
    out->n = n;
    for (int i = 0; i < nregs; i++) {
        out->regs[i] = (gx_vector){.scalar = true};
    }
    for (int i = 0; i < nregs && made; i++) {
        made = gx_vector_gather(lane, &w->regs[i], rows->rows, n, &out->regs[i]);
    }
    out->rows = made ? gx_column_new(lane) : NULL;
    if (out->rows == NULL) {
        way_drop(c, out);
        return false;
    }
    for (int i = 0; i < n; i++) {
        int row = rows->rows[i];
        out->rows->rows[i] = w->rows != NULL ? w->rows->rows[row] : row;
    }
    return true;
}

static void
go(gx_lane_result *c, const way *w, const gx_column *rows, int n, const gx_insn *insn)
{
    way some;
    if (n == 0 || insn->op == GX_OP_SKIP) {
        return;
    }
    if (!take_rows(c, w, rows, n, &some)) {
        cut(c, &(way){.rows = w->rows, .n = w->n}, rows->rows[0]);
        return;
    }
    run_way(c, &some, insn);
    way_drop(c, &some);
}

/* Both ways, each with its rows. */
static void
fork_ways(gx_lane_result *c, way *w, const gx_column *truth, const gx_insn *yes,
          const gx_insn *no)
{
    gx_lane *lane = c->lane;
    gx_column *first = gx_column_new(lane), *second = gx_column_new(lane);
    int n_yes = 0, n_no = 0;
    if (first == NULL || second == NULL) {
        cut(c, w, 0);
    }
    for (int i = 0; i < w->n; i++) {
        first->rows[n_yes] = second->rows[n_no] = i;
        n_yes += truth->bools[i];
        n_no += !truth->bools[i];
    }
    if (w->n > 0) {
        go(c, w, first, n_yes, yes);
        go(c, w, second, n_no, no);
    }
    gx_column_drop(lane, first);
    gx_column_drop(lane, second);
}

/* 1, 0: all rows say so; -1: they do not agree. */
static int
agreed(const gx_vector *truth, int n)
{
    int count = 0;
    if (truth->scalar) {
        return truth->one.b;
    }
    for (int i = 0; i < n; i++) {
        count += truth->column->bools[i];
    }
    return count == n ? 1 : count == 0 ? 0 : -1;
}

/* Where to go on with all rows, or NULL: the ways were gone. */
static const gx_insn *
branch(gx_lane_result *c, way *w, const gx_insn *insn)
{
    gx_vector truth;
    const gx_vector *value;
    const gx_insn *next = insn + 1;
    const gx_insn *target = c->binding->native->insns + insn->aux;
    bool on_true = insn->op == GX_OP_JUMP_IF_TRUE;
    int reg = insn->in[0];
    if (!operand(c, w, reg, &value) ||
        gx_lane_truth(c->lane, value, true, w->n, &truth) == 0) {
        cut(c, w, 0);
        return NULL;
    }
    if (reg >= c->binding->first_temp) {
        gx_vector_drop(c->lane, &w->regs[reg]);
    }
    int all = agreed(&truth, w->n);
    if (all < 0) {
        fork_ways(c, w, truth.column, on_true ? target : next, on_true ? next : target);
    }
    gx_vector_drop(c->lane, &truth);
    return all < 0 ? NULL : (all == 1) == on_true ? target : next;
}

/* -- what is returned ----------------------------------------------------------- */

/* What the rows of a way are as objects, one by one. */
static PyObject *
object_at(gx_lane *lane, const gx_vector *v, int i, int row)
{
    switch (v->as) {
    case GX_AS_SOURCE:
        return lane->items[lane->rows != NULL ? lane->rows->rows[row] : row];
    case GX_AS_ONE:
        return v->object;
    case GX_AS_EACH:
        return v->objects->objects[i];
    default:
        return NULL;
    }
}

/* Put the rows of a way into the places they have in the block. */
static void
scatter(gx_lane_result *c, const gx_vector *v, const gx_column *rows, int n)
{
    assert(rows != NULL); /* a way of all rows is the only one */
    gx_vector_scatter(v, c->value.column, rows->rows, n);
    for (int i = 0; i < n; i++) {
        c->mask->bools[rows->rows[i]] = 1;
    }
    for (int i = 0; c->value.objects != NULL && i < n; i++) {
        int row = rows->rows[i];
        c->value.objects->objects[row] = object_at(c->lane, v, i, row);
    }
}

/* A second way returned: what the first did is spread over the block. */
static bool
make_room(gx_lane_result *c, const gx_vector *v)
{
    gx_lane *lane = c->lane;
    gx_vector first = c->value;
    bool objects = lane->boxes && (first.as != GX_AS_NEW || v->as != GX_AS_NEW);
    c->mask = gx_column_new(lane);
    c->value = (gx_vector){.type = first.type,
                           .bits = first.bits,
                           .column = gx_column_new(lane),
                           .as = objects ? GX_AS_EACH : GX_AS_NEW,
                           .objects = objects ? gx_column_new(lane) : NULL};
    bool made = !lane->short_of_memory;
    if (made) {
        memset(c->mask->bools, 0, (size_t)c->n);
        scatter(c, &first, c->rows, c->returned);
    }
    gx_vector_drop(lane, &first);
    return made;
}

/* An original behind a computed column: it shows as an object only now. */
static bool
add_objects(gx_lane_result *c, const gx_vector *v)
{
    if (!c->lane->boxes || v->as == GX_AS_NEW || c->value.objects != NULL) {
        return true;
    }
    c->value.objects = gx_column_new(c->lane);
    if (c->value.objects == NULL) {
        return false;
    }
    memset(c->value.objects->objects, 0, (size_t)c->n * sizeof(PyObject *));
    c->value.as = GX_AS_EACH;
    return true;
}

static void
give(gx_lane_result *c, way *w, gx_vector *v)
{
    if (c->limit == 0) {
        return; /* nothing counts any more; what is there may be half made */
    }
    if (!c->any) {
        c->any = true;
        c->value = gx_vector_share(v);
        c->rows = w->rows;
        c->returned = w->n;
        w->rows = NULL;
        return;
    }
    if (v->type != c->value.type) {
        cut(c, w, 0);
        return;
    }
    if ((c->mask == NULL && !make_room(c, v)) || !add_objects(c, v)) {
        c->limit = 0;
        return;
    }
    c->value.bits = v->bits > c->value.bits ? v->bits : c->value.bits;
    scatter(c, v, w->rows, w->n);
}

static void
leave(gx_lane_result *c, way *w, int reg)
{
    gx_vector truth;
    const gx_vector *value;
    if (!operand(c, w, reg, &value)) {
        cut(c, w, 0);
        return;
    }
    gx_vector shared = gx_vector_share(value);
    if (c->truth) {
        if (gx_lane_truth(c->lane, value, true, w->n, &truth) == 0) {
            cut(c, w, 0);
        } else {
            give(c, w, &truth);
            gx_vector_drop(c->lane, &truth);
        }
    } else {
        give(c, w, &shared);
    }
    gx_vector_drop(c->lane, &shared);
}

/* -- one way ------------------------------------------------------------------ */

/* The rows done of an operation with a result, fewer where one deviates. */
static int
compute(gx_lane_result *c, way *w, const gx_insn *insn, gx_vector *out)
{
    const gx_vector *a, *b = NULL;
    *out = (gx_vector){.scalar = true};
    if (insn->op == GX_OP_GLOBAL || insn->op == GX_OP_CELL) {
        return look_up(c, insn, out) ? w->n : 0;
    }
    if (!operand(c, w, insn->in[0], &a) ||
        (insn->n > 1 && !operand(c, w, insn->in[1], &b))) {
        return 0;
    }
    switch (insn->op) {
    case GX_OP_UNARY:
        return gx_lane_unary(c->lane, insn->arg, a, w->n, out);
    case GX_OP_BINARY:
        return gx_lane_binary(c->lane, insn->arg, a, b, w->n, out);
    case GX_OP_COMPARE:
        return gx_lane_compare(c->lane, insn->arg, a, b, w->n, out);
    default:
        *out = gx_vector_share(a);
        return w->n;
    }
}

static void
empty_temporaries(gx_lane_result *c, way *w, const gx_insn *insn)
{
    for (int i = 0; i < insn->n && insn->op != GX_OP_COPY; i++) {
        if (insn->in[i] >= c->binding->first_temp) {
            gx_vector_drop(c->lane, &w->regs[insn->in[i]]);
        }
    }
}

static void
run_way(gx_lane_result *c, way *w, const gx_insn *insn)
{
    gx_vector out;
    while (w->n > 0 && insn != NULL) {
        switch (insn->op) {
        case GX_OP_RETURN:
            leave(c, w, insn->in[0]);
            return;
        case GX_OP_SKIP:
            return;
        case GX_OP_JUMP:
            insn = c->binding->native->insns + insn->aux;
            break;
        case GX_OP_JUMP_IF_TRUE:
        case GX_OP_JUMP_IF_FALSE:
            insn = branch(c, w, insn);
            break;
        case GX_OP_DROP:
            empty_temporaries(c, w, insn);
            insn++;
            break;
        default:
            cut(c, w, compute(c, w, insn, &out));
            empty_temporaries(c, w, insn);
            gx_vector_drop(c->lane, &w->regs[insn->dst]);
            w->regs[insn->dst] = out;
            insn++;
        }
    }
}

void
gx_lane_run_native(gx_lane_result *c)
{
    way w;
    int nregs = nregs_of(c);
    w.n = c->n;
    w.rows = NULL;
    for (int i = 0; i < nregs; i++) {
        w.regs[i] = (gx_vector){.scalar = true};
    }
    w.regs[item_of(c->binding->native)] = gx_vector_share(&c->lane->value);
    run_way(c, &w, c->binding->native->insns);
    way_drop(c, &w);
}
