/* Operations on columns of doubles, as CPython's floatobject.c computes them. */

#include "lane.h"

#include <errno.h>
#include <math.h>

#define FLOATS(o, statement) GX_LANE_EACH(o, double, gx_doubles, statement)

static inline double *
dst_of(const gx_operation *o)
{
    return o->out->scalar ? &o->out->one.d : o->out->column->doubles;
}

/* -- division --------------------------------------------------------------- */

/* How many rows there are before the first zero of b. */
static int
before_zero(const gx_operation *o)
{
    int n = 0, most = o->b->scalar ? 1 : o->n;
    const double *b = gx_doubles(o->b);
    while (n < most && b[n] != 0.0) {
        n++;
    }
    return n == most ? o->n : o->b->scalar ? 0 : n;
}

static int
true_divide(const gx_operation *all)
{
    gx_operation some = {all->a, all->b, all->out, before_zero(all)};
    const gx_operation *o = &some;
    double *restrict d = dst_of(o);
    FLOATS(o, d[i] = x / y;);
    return o->n;
}

/* With the sign of y, also of zero. */
static inline double
modulo(double x, double y)
{
    double mod = fmod(x, y);
    if (mod != 0.0) {
        return (y < 0.0) != (mod < 0.0) ? mod + y : mod;
    }
    return copysign(0.0, y);
}

static inline double
floor_quotient(double x, double y)
{
    double mod = fmod(x, y), div = (x - mod) / y;
    if (mod != 0.0 && (y < 0.0) != (mod < 0.0)) {
        div -= 1.0;
    }
    if (div == 0.0) {
        return copysign(0.0, x / y);
    }
    double floored = floor(div);
    return div - floored > 0.5 ? floored + 1.0 : floored;
}

static int
floor_divide(const gx_operation *o)
{
    double *restrict d = dst_of(o);
    FLOATS(
        o, if (y == 0.0) { return i; } d[i] = floor_quotient(x, y););
    return o->n;
}

static int
remainder_of(const gx_operation *o)
{
    double *restrict d = dst_of(o);
    FLOATS(
        o, if (y == 0.0) { return i; } d[i] = modulo(x, y););
    return o->n;
}

/* -- powers ----------------------------------------------------------------- */

/* The ordinary case of float_pow; false: infinities, errors, complex results. */
static bool
power_of(double x, double y, double *out)
{
    if (y == 0.0) {
        *out = 1.0;
        return true;
    }
    if (!isfinite(x) || !isfinite(y) || x == 0.0 || (x < 0.0 && y != floor(y))) {
        return false;
    }
    bool odd = x < 0.0 && fmod(fabs(y), 2.0) == 1.0;
    errno = 0;
    double power = pow(fabs(x), y);
    if (!isfinite(power) || (errno != 0 && power != 0.0)) {
        return false;
    }
    *out = odd ? -power : power;
    return true;
}

static int
power(const gx_operation *o)
{
    double *restrict d = dst_of(o);
    FLOATS(
        o, if (!power_of(x, y, &d[i])) { return i; });
    return o->n;
}

int
gx_lane_binary_floats(int op, const gx_operation *o)
{
    double *restrict d = dst_of(o);
    switch (op) {
    case GX_ADD:
        FLOATS(o, d[i] = x + y;);
        return o->n;
    case GX_SUBTRACT:
        FLOATS(o, d[i] = x - y;);
        return o->n;
    case GX_MULTIPLY:
        FLOATS(o, d[i] = x * y;);
        return o->n;
    case GX_TRUE_DIVIDE:
        return true_divide(o);
    case GX_FLOOR_DIVIDE:
        return floor_divide(o);
    case GX_REMAINDER:
        return remainder_of(o);
    case GX_POWER:
        return power(o);
    default:
        return 0; /* a TypeError */
    }
}

/* -- comparison ------------------------------------------------------------- */

int
gx_lane_compare_floats(int op, const gx_operation *o)
{
    uint8_t *restrict d = o->out->scalar ? &o->out->one.b : o->out->column->bools;
    switch (op) {
    case Py_LT:
        FLOATS(o, d[i] = x < y;);
        break;
    case Py_LE:
        FLOATS(o, d[i] = x <= y;);
        break;
    case Py_EQ:
        FLOATS(o, d[i] = x == y;);
        break;
    case Py_NE:
        FLOATS(o, d[i] = x != y;);
        break;
    case Py_GT:
        FLOATS(o, d[i] = x > y;);
        break;
    default:
        FLOATS(o, d[i] = x >= y;);
        break;
    }
    return o->n;
}
