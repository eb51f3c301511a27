/* The terminal sum: the running Python's builtin sum(), step by step. */

#include "pipeline.h"

#include <math.h>

/* The total moves through three phases and never back: a C long while all is exact
   int, a C double (compensated from 3.12 on) while all is float or int, an object. */
enum { PHASE_INT, PHASE_FLOAT, PHASE_OBJECT };

static int
sum_check(gx_state *state, PyObject **args, bool Py_UNUSED(reusable))
{
    const char *remedy = NULL;
    if (args[0] == NULL) {
        args[0] = Py_NewRef(state->missing);
        return 0;
    }
    if (PyUnicode_Check(args[0])) {
        remedy = "strings [use ''.join(seq) instead]";
    } else if (PyBytes_Check(args[0])) {
        remedy = "bytes [use b''.join(seq) instead]";
    } else if (PyByteArray_Check(args[0])) {
        remedy = "bytearray [use b''.join(seq) instead]";
    }
    if (remedy != NULL) {
        PyErr_Format(PyExc_TypeError, "sum() can't sum %s", remedy);
        return -1;
    }
    return 0;
}

/* Continue from an object total (taken). */
static void
enter_phase_of(gx_step *step, PyObject *total)
{
    if (PyFloat_CheckExact(total) && step->phase != PHASE_OBJECT) {
        step->phase = PHASE_FLOAT;
        step->total = PyFloat_AS_DOUBLE(total);
        step->carry = 0.0;
        Py_DECREF(total);
        return;
    }
    step->phase = PHASE_OBJECT;
    PyObject *old = step->state;
    step->state = total;
    Py_XDECREF(old);
}

static int
sum_start(gx_run *run, gx_step *step)
{
    PyObject *start = step->args[0];
    int overflow = 1;
    if (start == run->state->missing) {
        return 0;
    }
    if (PyLong_CheckExact(start)) {
        long long value = PyLong_AsLongLongAndOverflow(start, &overflow);
        step->count = (Py_ssize_t)value;
        overflow = overflow || value != step->count;
    }
    if (overflow) {
        enter_phase_of(step, Py_NewRef(start));
    }
    return 0;
}

/* The total so far, as Python would have it. */
static PyObject *
sum_total(gx_step *step)
{
    if (step->phase == PHASE_INT) {
        return PyLong_FromSsize_t(step->count);
    }
    if (step->phase == PHASE_OBJECT) {
        return Py_NewRef(step->state);
    }
    if (step->carry != 0.0 && isfinite(step->carry)) {
        return PyFloat_FromDouble(step->total + step->carry);
    }
    return PyFloat_FromDouble(step->total);
}

/* 1 added, 0 not an int this phase can add. */
static int
add_int(gx_step *step, PyObject *item)
{
    if (!PyLong_CheckExact(item) && !PyBool_Check(item)) {
        return 0;
    }
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(item, &overflow);
    Py_ssize_t size = (Py_ssize_t)value;
    if (overflow || value != size ||
        (size > 0 && step->count > PY_SSIZE_T_MAX - size) ||
        (size < 0 && step->count < PY_SSIZE_T_MIN - size)) {
        return 0;
    }
    step->count += size;
    return 1;
}

/* Neumaier's compensated addition. */
static inline Py_ALWAYS_INLINE void
add_double(gx_step *step, double x)
{
#if PY_VERSION_HEX >= 0x030C0000
    double total = step->total, t = total + x;
    step->carry += fabs(total) >= fabs(x) ? (total - t) + x : (x - t) + total;
    step->total = t;
#else
    step->total += x;
#endif
}

/* 1 added, 0 neither float nor int, -1 error. */
static int
add_float(gx_step *step, PyObject *item)
{
    if (PyFloat_CheckExact(item)) {
        add_double(step, PyFloat_AS_DOUBLE(item));
        return 1;
    }
    if (!PyLong_Check(item)) {
        return 0;
    }
#if PY_VERSION_HEX >= 0x030E0000
    double value = PyLong_AsDouble(item);
    if (value == -1.0 && PyErr_Occurred()) {
        return -1;
    }
    add_double(step, value);
#else
    int overflow;
    long value = PyLong_AsLongAndOverflow(item, &overflow);
    if (overflow) {
        return 0;
    }
    step->total += (double)value;
#endif
    return 1;
}

/* -- blocks ----------------------------------------------------------------- */

int
gx_sum_ints(gx_step *step, const int64_t *values, int n, int bits)
{
    int i = 0;
    int64_t sum = 0;
    if (step->phase != PHASE_INT || sizeof(Py_ssize_t) < sizeof(int64_t)) {
        return 0;
    }
    if (bits > 48) { /* they might not add up */
        for (sum = step->count; i < n && !gx_add_overflows(sum, values[i], &sum); i++) {
            step->count = (Py_ssize_t)sum;
        }
        return i;
    }
    for (; i < n; i++) {
        sum += values[i];
    }
    if (gx_add_overflows(step->count, sum, &sum)) {
        return 0;
    }
    step->count = (Py_ssize_t)sum;
    return n;
}

int
gx_sum_bools(gx_step *step, const uint8_t *values, int n)
{
    int sum = 0;
    if (step->phase != PHASE_INT || step->count > PY_SSIZE_T_MAX - n) {
        return 0;
    }
    for (int i = 0; i < n; i++) {
        sum += values[i];
    }
    step->count += sum;
    return n;
}

/* In registers: step->total could be what `values` points to, for all gcc knows. */
int
gx_sum_doubles(gx_step *step, const double *values, int n)
{
    if (step->phase != PHASE_FLOAT) {
        return 0;
    }
    gx_step sums = {.total = step->total, .carry = step->carry};
    for (int i = 0; i < n; i++) {
        add_double(&sums, values[i]);
    }
    step->total = sums.total;
    step->carry = sums.carry;
    return n;
}

/* -- one by one --------------------------------------------------------------- */

static gx_answer
sum_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    int added = step->phase == PHASE_INT     ? add_int(step, *item)
                : step->phase == PHASE_FLOAT ? add_float(step, *item)
                                             : 0;
    if (added == 0) {
        PyObject *total = sum_total(step);
        PyObject *sum = total != NULL ? PyNumber_Add(total, *item) : NULL;
        Py_XDECREF(total);
        if (sum == NULL) {
            return GX_ERROR;
        }
        if (step->phase == PHASE_FLOAT) {
            step->phase = PHASE_OBJECT;
        }
        enter_phase_of(step, sum);
    }
    if (added < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*item);
    return GX_SKIP;
}

static PyObject *
sum_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    return sum_total(step);
}

static const char *const start_params[] = {"start", NULL};
static const gx_signature sum_signature = {"sum", start_params, 0, 0, 1};

const gx_row gx_terminal_sum = {
    .name = "sum",
    .signature = &sum_signature,
    .nargs = 1,
    .flags = GX_TERMINAL,
    .check = sum_check,
    .start = sum_start,
    .before = sum_before,
    .result = sum_result,
};

const char gx_terminal_sum_doc[] =
    "sum($self, start=0)\n--\n\n"
    "Run the pipe and add up its items and start. Floats are added as the running\n"
    "Python's builtin sum() does. Raises TypeError for strings.\n\n"
    ">>> pipe([1, 2, 3]).sum()\n"
    "6";
