/* Operations on vectors of any types: which of int, float and bool they are done in. */

#include "lane.h"

#include <math.h>

/* -- conversion ------------------------------------------------------------- */

static void
scalar_to(gx_vector *v, gx_lane_type type)
{
    int64_t number = v->type == GX_LANE_BOOL ? v->one.b : v->one.i;
    if (type == GX_LANE_FLOAT) {
        v->one.d = (double)number;
    } else {
        v->one.i = number;
        v->bits = number != 0;
    }
}

static void
column_to(const gx_vector *v, gx_lane_type type, gx_column *out, int n)
{
    bool narrow = v->type == GX_LANE_BOOL;
    for (int i = 0; type == GX_LANE_INT && i < n; i++) {
        out->ints[i] = v->column->bools[i];
    }
    for (int i = 0; type == GX_LANE_FLOAT && narrow && i < n; i++) {
        out->doubles[i] = v->column->bools[i];
    }
    for (int i = 0; type == GX_LANE_FLOAT && !narrow && i < n; i++) {
        out->doubles[i] = (double)v->column->ints[i];
    }
}

/* bool to int, both to float as float(row), which rounds; false: memory is short. */
bool
gx_lane_convert(gx_lane *lane, const gx_vector *v, gx_lane_type type, int n,
                gx_vector *out)
{
    if (v->type == type) {
        *out = gx_vector_share(v);
        return true;
    }
    *out = *v;
    out->as = GX_AS_NEW;
    out->column = out->objects = NULL;
    if (v->scalar) {
        scalar_to(out, type);
    } else {
        out->column = gx_column_new(lane);
        if (out->column == NULL) {
            return false;
        }
        column_to(v, type, out->column, n);
        out->bits = 1;
    }
    out->type = type;
    return true;
}

/* -- two operands ------------------------------------------------------------- */

typedef enum { BINARY_BOOLS, BINARY_INTS, BINARY_FLOATS, DIVIDE_INTS, COMPARE } work;

static int
binary_bools(int op, const gx_operation *o)
{
    uint8_t *restrict d = o->out->scalar ? &o->out->one.b : o->out->column->bools;
    switch (op) {
    case GX_AND:
        GX_LANE_EACH(o, uint8_t, gx_bools, d[i] = x & y;);
        break;
    case GX_OR:
        GX_LANE_EACH(o, uint8_t, gx_bools, d[i] = x | y;);
        break;
    default:
        GX_LANE_EACH(o, uint8_t, gx_bools, d[i] = x ^ y;);
        break;
    }
    return o->n;
}

static int
run_kernel(work which, int op, const gx_operation *o)
{
    switch (which) {
    case BINARY_BOOLS:
        return binary_bools(op, o);
    case BINARY_INTS:
        return gx_lane_binary_ints(op, o);
    case BINARY_FLOATS:
        return gx_lane_binary_floats(op, o);
    case DIVIDE_INTS:
        return gx_lane_divide_ints(o);
    default:
        return o->a->type == GX_LANE_INT ? gx_lane_compare_ints(op, o)
                                         : gx_lane_compare_floats(op, o);
    }
}

/* Do it on operands of type `in`. Of two scalars the result is one, too. */
static int
operate(gx_lane *lane, work which, int op, gx_lane_type in, const gx_vector *a,
        const gx_vector *b, int n, gx_vector *out)
{
    gx_vector x, y = {.scalar = true};
    int done = 0;
    bool ready =
        gx_lane_convert(lane, a, in, n, &x) && gx_lane_convert(lane, b, in, n, &y);
    out->scalar = a->scalar && b->scalar;
    if (ready && !out->scalar) {
        out->column = gx_column_new(lane);
        ready = out->column != NULL;
    }
    if (ready) {
        done = run_kernel(which, op, &(gx_operation){&x, &y, out, out->scalar ? 1 : n});
        done = out->scalar && done == 1 ? n : done;
    }
    gx_vector_drop(lane, &x);
    gx_vector_drop(lane, &y);
    if (done == 0) {
        gx_vector_drop(lane, out);
    }
    return done;
}

static bool
is_bitwise(int op)
{
    return op == GX_AND || op == GX_OR || op == GX_XOR;
}

int
gx_lane_binary(gx_lane *lane, int op, const gx_vector *a, const gx_vector *b, int n,
               gx_vector *out)
{
    bool floats = a->type == GX_LANE_FLOAT || b->type == GX_LANE_FLOAT;
    bool negative = b->type == GX_LANE_INT && b->scalar && b->one.i < 0;
    *out = (gx_vector){.type = GX_LANE_INT};
    if (floats || (op == GX_POWER && negative)) {
        out->type = GX_LANE_FLOAT;
        return operate(lane, BINARY_FLOATS, op, GX_LANE_FLOAT, a, b, n, out);
    }
    if (a->type == GX_LANE_BOOL && b->type == GX_LANE_BOOL && is_bitwise(op)) {
        out->type = GX_LANE_BOOL;
        return operate(lane, BINARY_BOOLS, op, GX_LANE_BOOL, a, b, n, out);
    }
    if (op == GX_TRUE_DIVIDE) {
        out->type = GX_LANE_FLOAT;
        return operate(lane, DIVIDE_INTS, op, GX_LANE_INT, a, b, n, out);
    }
    return operate(lane, BINARY_INTS, op, GX_LANE_INT, a, b, n, out);
}

/* -- comparison ------------------------------------------------------------- */

/* -1, 0 or 1 as i is less than, equal to or more than d; 2: d is nan. */
static int
order(int64_t i, double d)
{
    if (isnan(d)) {
        return 2;
    }
    if (d >= 9223372036854775808.0) {
        return -1;
    }
    if (d < -9223372036854775808.0) {
        return 1;
    }
    int64_t whole = (int64_t)d; /* towards zero: what is cut off has the sign of d */
    if (i != whole) {
        return i < whole ? -1 : 1;
    }
    double rest = d - (double)whole;
    return rest > 0.0 ? -1 : rest < 0.0 ? 1 : 0;
}

static bool
is_so(int op, int order)
{
    switch (op) {
    case Py_LT:
        return order == -1;
    case Py_LE:
        return order == -1 || order == 0;
    case Py_EQ:
        return order == 0;
    case Py_NE:
        return order != 0;
    case Py_GT:
        return order == 1;
    default:
        return order == 1 || order == 0;
    }
}

static const int swapped[] = {[Py_LT] = Py_GT, [Py_LE] = Py_GE, [Py_EQ] = Py_EQ,
                              [Py_NE] = Py_NE, [Py_GT] = Py_LT, [Py_GE] = Py_LE};

/* ints with floats, where rounding the ints would show. */
static int
compare_exactly(gx_lane *lane, int op, const gx_vector *ints, const gx_vector *floats,
                int n, gx_vector *out)
{
    out->scalar = ints->scalar && floats->scalar;
    if (!out->scalar) {
        out->column = gx_column_new(lane);
        if (out->column == NULL) {
            out->scalar = true;
            return 0;
        }
    }
    uint8_t *d = out->scalar ? &out->one.b : out->column->bools;
    const int64_t *a = gx_ints(ints);
    const double *b = gx_doubles(floats);
    for (int i = 0; i < (out->scalar ? 1 : n); i++) {
        d[i] = is_so(op, order(a[ints->scalar ? 0 : i], b[floats->scalar ? 0 : i]));
    }
    return n;
}

static bool
is_large(const gx_vector *v)
{
    return v->type == GX_LANE_INT && v->bits > 53;
}

int
gx_lane_compare(gx_lane *lane, int op, const gx_vector *a, const gx_vector *b, int n,
                gx_vector *out)
{
    *out = (gx_vector){.type = GX_LANE_BOOL};
    bool floats = a->type == GX_LANE_FLOAT || b->type == GX_LANE_FLOAT;
    if (floats && is_large(a)) {
        return compare_exactly(lane, op, a, b, n, out);
    }
    if (floats && is_large(b)) {
        return compare_exactly(lane, swapped[op], b, a, n, out);
    }
    return operate(lane, COMPARE, op, floats ? GX_LANE_FLOAT : GX_LANE_INT, a, b, n,
                   out);
}

/* -- one operand -------------------------------------------------------------- */

static void
truth_of(const gx_vector *a, bool wanted, int n, uint8_t *restrict d)
{
    for (int i = 0; a->type == GX_LANE_INT && i < n; i++) {
        d[i] = (gx_ints(a)[i] != 0) == wanted;
    }
    for (int i = 0; a->type == GX_LANE_FLOAT && i < n; i++) {
        d[i] = (gx_doubles(a)[i] != 0.0) == wanted;
    }
    for (int i = 0; a->type == GX_LANE_BOOL && i < n; i++) {
        d[i] = gx_bools(a)[i] == wanted;
    }
}

int
gx_lane_truth(gx_lane *lane, const gx_vector *a, bool wanted, int n, gx_vector *out)
{
    if (a->type == GX_LANE_BOOL && wanted) {
        *out = gx_vector_share(a);
        return n;
    }
    *out = (gx_vector){.type = GX_LANE_BOOL, .scalar = a->scalar};
    if (a->scalar) {
        truth_of(a, wanted, 1, &out->one.b);
        return n;
    }
    out->column = gx_column_new(lane);
    if (out->column == NULL) {
        out->scalar = true;
        return 0;
    }
    truth_of(a, wanted, n, out->column->bools);
    return n;
}

/* The sign of a nan changes, too. */
static int
negate_floats(gx_lane *lane, const gx_vector *a, int n, gx_vector *out)
{
    *out = (gx_vector){.type = GX_LANE_FLOAT, .scalar = a->scalar};
    if (a->scalar) {
        out->one.d = -a->one.d;
        return n;
    }
    out->column = gx_column_new(lane);
    if (out->column == NULL) {
        out->scalar = true;
        return 0;
    }
    const double *restrict from = a->column->doubles;
    double *restrict to = out->column->doubles;
    for (int i = 0; i < n; i++) {
        to[i] = -from[i];
    }
    return n;
}

/* +x is x itself of exact ints and floats. */
int
gx_lane_unary(gx_lane *lane, int op, const gx_vector *a, int n, gx_vector *out)
{
    static const gx_vector zero = {.type = GX_LANE_INT, .scalar = true};
    static const gx_vector ones = {.type = GX_LANE_INT, .scalar = true, .one.i = -1};
    gx_lane_type number = a->type == GX_LANE_BOOL ? GX_LANE_INT : a->type;
    *out = (gx_vector){.scalar = true};
    switch (op) {
    case GX_NOT:
    case GX_TRUTH:
        return gx_lane_truth(lane, a, op == GX_TRUTH, n, out);
    case GX_POSITIVE:
        return gx_lane_convert(lane, a, number, n, out) ? n : 0;
    case GX_NEGATIVE:
        return a->type == GX_LANE_FLOAT
                   ? negate_floats(lane, a, n, out)
                   : gx_lane_binary(lane, GX_SUBTRACT, &zero, a, n, out);
    default: /* ~True warns, ~0.5 raises */
        return a->type == GX_LANE_INT ? gx_lane_binary(lane, GX_XOR, a, &ones, n, out)
                                      : 0;
    }
}
