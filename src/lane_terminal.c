/* Terminals that take blocks. None of them runs user code for numbers; what they cannot
   do with a column they do row by row, and what they cannot do at all, errors included,
   is left to the run. */

#include "lane.h"

#include <limits.h>

/* -- row by row --------------------------------------------------------------- */

/* As in the loop of the run; false: it has to be done there. */
static bool
take_one(gx_lane *lane, gx_step *step, int row)
{
    PyObject *item = gx_vector_box(lane, &lane->value, row);
    gx_answer answer =
        item != NULL ? step->row->before(lane->run, step, &item) : GX_ERROR;
    if (answer == GX_ERROR) {
        PyErr_Clear(); /* it is raised where the note is made */
        Py_XDECREF(item);
    }
    return answer != GX_ERROR;
}

static int
take_all(gx_lane *lane, gx_step *step)
{
    int row = 0;
    while (row < lane->n && take_one(lane, step, row)) {
        row++;
    }
    return row;
}

static bool
is_plain(PyObject *op)
{
    return op == NULL || PyLong_CheckExact(op) || PyFloat_CheckExact(op) ||
           PyBool_Check(op);
}

/* -- sum, count ----------------------------------------------------------------- */

static int
take_sum(gx_lane *lane, gx_step *step)
{
    int row = 0;
    const gx_vector *v = &lane->value;
    while (row < lane->n) {
        int n = lane->n - row;
        int added =
            v->type == GX_LANE_INT     ? gx_sum_ints(step, gx_ints(v) + row, n, v->bits)
            : v->type == GX_LANE_FLOAT ? gx_sum_doubles(step, gx_doubles(v) + row, n)
                                       : gx_sum_bools(step, gx_bools(v) + row, n);
        row += added;
        if (row < lane->n) {
            if (!take_one(lane, step, row)) {
                break;
            }
            row++;
        }
    }
    return row;
}

static int
take_count(gx_lane *lane, gx_step *step)
{
    step->count += lane->n;
    return lane->n;
}

/* -- min, max ------------------------------------------------------------------- */

/* The last row that is better than all before it and `best`, or -1. */
static int
best_int(const int64_t *v, int n, int64_t best, bool least)
{
    int at = -1;
    for (int i = 0; least && i < n; i++) {
        at = v[i] < best ? i : at;
        best = v[i] < best ? v[i] : best;
    }
    for (int i = 0; !least && i < n; i++) {
        at = v[i] > best ? i : at;
        best = v[i] > best ? v[i] : best;
    }
    return at;
}

static int
best_double(const double *v, int n, double best, bool least)
{
    int at = -1;
    for (int i = 0; least && i < n; i++) {
        at = v[i] < best ? i : at;
        best = v[i] < best ? v[i] : best;
    }
    for (int i = 0; !least && i < n; i++) {
        at = v[i] > best ? i : at;
        best = v[i] > best ? v[i] : best;
    }
    return at;
}

static int
take_extreme(gx_lane *lane, gx_step *step)
{
    int at;
    gx_vector best;
    bool least = step->row == &gx_terminal_min;
    const gx_vector *v = &lane->value;
    if (step->state == NULL && !take_one(lane, step, 0)) {
        return 0;
    }
    if (!gx_vector_of(step->state, &best) || best.type != v->type ||
        v->type == GX_LANE_BOOL) {
        return take_all(lane, step);
    }
    if (v->type == GX_LANE_INT) {
        at = best_int(v->column->ints, lane->n, best.one.i, least);
    } else {
        at = best_double(v->column->doubles, lane->n, best.one.d, least);
    }
    return at < 0 || take_one(lane, step, at) ? lane->n : 0;
}

/* -- any, all ------------------------------------------------------------------- */

/* The row that decides is left to the run, which ends there. */
static int
take_until(gx_lane *lane, bool deciding)
{
    int row = 0;
    gx_vector truth;
    if (gx_lane_truth(lane, &lane->value, deciding, lane->n, &truth) == 0) {
        return 0;
    }
    const uint8_t *bools = truth.column->bools;
    while (row < lane->n && !bools[row]) {
        row++;
    }
    gx_vector_drop(lane, &truth);
    return row;
}

/* -- list, tuple ---------------------------------------------------------------- */

static int
take_list(gx_lane *lane, gx_step *step)
{
    int row = 0;
    PyObject *list = step->state;
    for (; row < lane->n; row++) {
        PyObject *item = gx_vector_box(lane, &lane->value, row);
        int rc = item != NULL ? PyList_Append(list, item) : -1;
        Py_XDECREF(item);
        if (rc < 0) {
            PyErr_Clear(); /* it is raised where the note is made */
            break;
        }
    }
    return row;
}

/* -- array ------------------------------------------------------------------------ */

/* Pack the rows that fit into an array of T, a type; how many. */
/* NOLINTBEGIN(bugprone-macro-parentheses): no parentheses around a type */
#define PACK_INTS(T, least, most)                                  \
    do {                                                           \
        T *to = out;                                               \
        *size = sizeof(T);                                         \
        while (i < n && v[i] >= (int64_t)(least) &&                \
               (v[i] < 0 || (uint64_t)v[i] <= (uint64_t)(most))) { \
            to[i] = (T)v[i];                                       \
            i++;                                                   \
        }                                                          \
        return i;                                                  \
    } while (0)
/* NOLINTEND(bugprone-macro-parentheses) */

static int
pack_ints(Py_UCS4 typecode, const int64_t *v, int n, void *out, size_t *size)
{
    int i = 0;
    switch (typecode) {
    case 'b':
        PACK_INTS(signed char, SCHAR_MIN, SCHAR_MAX);
    case 'B':
        PACK_INTS(unsigned char, 0, UCHAR_MAX);
    case 'h':
        PACK_INTS(short, SHRT_MIN, SHRT_MAX);
    case 'H':
        PACK_INTS(unsigned short, 0, USHRT_MAX);
    case 'i':
        PACK_INTS(int, INT_MIN, INT_MAX);
    case 'I':
        PACK_INTS(unsigned int, 0, UINT_MAX);
    case 'l':
        PACK_INTS(long, LONG_MIN, LONG_MAX);
    case 'L':
        PACK_INTS(unsigned long, 0, ULONG_MAX);
    case 'q':
        PACK_INTS(long long, LLONG_MIN, LLONG_MAX);
    case 'Q':
        PACK_INTS(unsigned long long, 0, ULLONG_MAX);
    default:
        return 0;
    }
}

static int
pack_doubles(Py_UCS4 typecode, const double *v, int n, void *out, size_t *size)
{
    if (typecode == 'd') {
        *size = sizeof(double);
        memcpy(out, v, (size_t)n * sizeof(double));
        return n;
    }
    float *to = out;
    *size = sizeof(float);
    for (int i = 0; typecode == 'f' && i < n; i++) {
        to[i] = (float)v[i];
    }
    return typecode == 'f' ? n : 0;
}

static int
take_array(gx_lane *lane, gx_step *step)
{
    int n;
    size_t size = 1;
    gx_vector number;
    Py_UCS4 typecode = gx_array_typecode(step);
    bool floats = typecode == 'd' || typecode == 'f';
    int64_t out[GX_LANE_ROWS];
    if (!gx_lane_convert(
            lane, &lane->value,
            floats || lane->value.type == GX_LANE_FLOAT ? GX_LANE_FLOAT : GX_LANE_INT,
            lane->n, &number)) {
        return 0;
    }
    n = number.type == GX_LANE_INT
            ? pack_ints(typecode, number.column->ints, lane->n, out, &size)
            : pack_doubles(typecode, number.column->doubles, lane->n, out, &size);
    gx_vector_drop(lane, &number);
    if (n > 0 && !gx_array_extend(lane->run, step, out, n, size)) {
        PyErr_Clear(); /* it is raised where the note is made */
        return 0;
    }
    return n;
}

/* -- reduce ----------------------------------------------------------------------- */

/* The operation of operator.add and its like, or -1. */
static int
operation_of(PyObject *func)
{
    static const struct {
        const char *name;
        int op;
    } operations[] = {
        {"add", GX_ADD},  {"sub", GX_SUBTRACT}, {"mul", GX_MULTIPLY},
        {"and_", GX_AND}, {"or_", GX_OR},       {"xor", GX_XOR},
    };
    if (!PyCFunction_CheckExact(func) || PyCFunction_GET_SELF(func) == NULL ||
        !PyModule_Check(PyCFunction_GET_SELF(func))) {
        return -1;
    }
    const char *module = PyModule_GetName(PyCFunction_GET_SELF(func));
    if (module == NULL || strcmp(module, "_operator") != 0) {
        PyErr_Clear();
        return -1;
    }
    const char *name = ((PyCFunctionObject *)func)->m_ml->ml_name;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(operations); i++) {
        if (strcmp(operations[i].name, name) == 0) {
            return operations[i].op;
        }
    }
    return -1;
}

/* That of a function that does nothing else with its two arguments. */
static int
operation_of_native(const gx_native *native)
{
    const gx_insn *insn = native->insns;
    bool only = native->nparams == 2 && native->ninsns == 2 &&
                insn->op == GX_OP_BINARY && insn->in[0] == 0 && insn->in[1] == 1 &&
                insn[1].op == GX_OP_RETURN && insn[1].in[0] == insn->dst;
    return only ? insn->arg : -1;
}

static int
operation_of_step(const gx_step *step)
{
    return step->native != NULL ? operation_of_native(step->native->native)
                                : operation_of(step->func);
}

/* *out = sum op x; false: it does not fit. */
static inline bool
fold_int(int op, int64_t sum, int64_t x, int64_t *out)
{
    switch (op) {
    case GX_ADD:
        return !gx_add_overflows(sum, x, out);
    case GX_SUBTRACT:
        return !gx_subtract_overflows(sum, x, out);
    case GX_MULTIPLY:
        return !gx_multiply_overflows(sum, x, out);
    case GX_AND:
        *out = sum & x;
        return true;
    case GX_OR:
        *out = sum | x;
        return true;
    case GX_XOR:
        *out = sum ^ x;
        return true;
    default:
        return false;
    }
}

static int
fold_ints(int op, const int64_t *v, int n, int64_t *total)
{
    int i = 0;
    int64_t next;
    for (; i < n && fold_int(op, *total, v[i], &next); i++) {
        *total = next;
    }
    return i;
}

static int
fold_doubles(int op, const double *v, int n, double *total)
{
    double sum = *total;
    if (op != GX_ADD && op != GX_SUBTRACT && op != GX_MULTIPLY) {
        return 0;
    }
    for (int i = 0; i < n; i++) {
        sum = op == GX_ADD ? sum + v[i] : op == GX_SUBTRACT ? sum - v[i] : sum * v[i];
    }
    *total = sum;
    return n;
}

static int
take_reduce(gx_lane *lane, gx_step *step)
{
    int done = 0, op = operation_of_step(step);
    gx_vector total;
    const gx_vector *v = &lane->value;
    if (step->state == NULL) {
        return take_one(lane, step, 0); /* the first is only kept */
    }
    if (!gx_vector_of(step->state, &total) || total.type != v->type) {
        return 0;
    }
    if (v->type == GX_LANE_INT) {
        done = fold_ints(op, v->column->ints, lane->n, &total.one.i);
    } else if (v->type == GX_LANE_FLOAT) {
        done = fold_doubles(op, v->column->doubles, lane->n, &total.one.d);
    }
    total.as = GX_AS_NEW;
    PyObject *state = done > 0 ? gx_vector_box(lane, &total, 0) : NULL;
    if (state == NULL) {
        PyErr_Clear();
        return 0;
    }
    step->calls += done;
    Py_SETREF(step->state, state);
    return done;
}

/* -- all of them ---------------------------------------------------------------- */

bool
gx_lane_can_take(const gx_run *run, const gx_step *step)
{
    const gx_row *row = step->row;
    if (step != run->end - 1 || row == NULL) {
        return false;
    }
    if (row == &gx_terminal_reduce) {
        return is_plain(step->state) && operation_of_step(step) >= 0;
    }
    if (row == &gx_terminal_min || row == &gx_terminal_max) {
        return step->func == NULL && is_plain(step->state);
    }
    if (row == &gx_terminal_sum) {
        return is_plain(step->state);
    }
    return row == &gx_terminal_count || row == &gx_terminal_any ||
           row == &gx_terminal_all || row == &gx_terminal_list ||
           row == &gx_terminal_tuple || row == &gx_terminal_array;
}

bool
gx_lane_takes_objects(const gx_step *step)
{
    return step->row != &gx_terminal_sum && step->row != &gx_terminal_count &&
           step->row != &gx_terminal_any && step->row != &gx_terminal_all &&
           step->row != &gx_terminal_array;
}

bool
gx_lane_gains(const gx_step *step)
{
    return step->row != &gx_terminal_count && step->row != &gx_terminal_list &&
           step->row != &gx_terminal_tuple;
}

bool
gx_lane_may_end(const gx_step *step)
{
    return step->row == &gx_terminal_any || step->row == &gx_terminal_all ||
           step->use == GX_WHILE;
}

int
gx_lane_take(gx_lane *lane, gx_step *step)
{
    const gx_row *row = step->row;
    if (lane->n == 0 || row == &gx_terminal_count) {
        return take_count(lane, step);
    }
    if (!gx_vector_spread(lane, &lane->value, lane->n)) {
        return 0;
    }
    if (row == &gx_terminal_sum) {
        return take_sum(lane, step);
    }
    if (row == &gx_terminal_min || row == &gx_terminal_max) {
        return take_extreme(lane, step);
    }
    if (row == &gx_terminal_any || row == &gx_terminal_all) {
        return take_until(lane, row == &gx_terminal_any);
    }
    if (row == &gx_terminal_reduce) {
        return take_reduce(lane, step);
    }
    if (row == &gx_terminal_array) {
        return take_array(lane, step);
    }
    return take_list(lane, step);
}
