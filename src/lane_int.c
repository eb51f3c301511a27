/* Operations on columns of int64, as Python's on ints: where the result would not fit,
   or Python would raise, the row deviates. */

#include "lane.h"

#define INTS(o, statement) GX_LANE_EACH(o, int64_t, gx_ints, statement)

/* Integers wrap only where a bound or a check says that they do not. */
static inline int64_t *
dst_of(const gx_operation *o)
{
    return o->out->scalar ? &o->out->one.i : o->out->column->ints;
}

static inline int
larger(int a, int b)
{
    return a > b ? a : b;
}

static int
whole(const gx_operation *o, int bits)
{
    o->out->bits = bits < 63 ? bits : 63;
    return o->n;
}

/* -- sums and products -------------------------------------------------------- */

static int
add(const gx_operation *o)
{
    int64_t *restrict d = dst_of(o);
    int bits = larger(o->a->bits, o->b->bits) + 1;
    o->out->bits = 63;
    if (bits <= 63) {
        INTS(o, d[i] = x + y;);
        return whole(o, bits);
    }
    INTS(
        o, if (gx_add_overflows(x, y, &d[i])) { return i; });
    return o->n;
}

static int
subtract(const gx_operation *o)
{
    int64_t *restrict d = dst_of(o);
    int bits = larger(o->a->bits, o->b->bits) + 1;
    o->out->bits = 63;
    if (bits <= 63) {
        INTS(o, d[i] = x - y;);
        return whole(o, bits);
    }
    INTS(
        o, if (gx_subtract_overflows(x, y, &d[i])) { return i; });
    return o->n;
}

/* Checked products tell how large they were, so that what follows may go unchecked. */
static int
multiply(const gx_operation *o)
{
    int64_t *restrict d = dst_of(o);
    uint64_t spread = 0;
    int bits = o->a->bits + o->b->bits + 1;
    o->out->bits = 63;
    if (bits <= 63) {
        INTS(o, d[i] = x * y;);
        return whole(o, bits);
    }
    INTS(
        o, if (gx_multiply_overflows(x, y, &d[i])) { return i; } spread |=
           gx_spread_of(d[i]););
    return whole(o, gx_bits_of(spread));
}

/* -- powers ----------------------------------------------------------------- */

/* x ** y for y >= 0; false: it does not fit. */
static inline bool
power_of(int64_t x, int64_t y, int64_t *out)
{
    int64_t result = 1;
    for (;;) {
        if (y & 1 && gx_multiply_overflows(result, x, &result)) {
            return false;
        }
        y >>= 1;
        if (y == 0) {
            *out = result;
            return true;
        }
        if (gx_multiply_overflows(x, x, &x)) {
            return false;
        }
    }
}

static int
cube(const gx_operation *o)
{
    int64_t *restrict d = dst_of(o);
    const int64_t *a = gx_ints(o->a);
    for (int i = 0; i < o->n; i++) {
        d[i] = a[i] * a[i] * a[i];
    }
    return whole(o, 3 * o->a->bits + 1);
}

static int
power(const gx_operation *o)
{
    int64_t *restrict d = dst_of(o);
    uint64_t spread = 0;
    if (o->b->scalar && o->b->one.i == 2) {
        return multiply(&(gx_operation){o->a, o->a, o->out, o->n});
    }
    if (o->b->scalar && o->b->one.i == 3 && 3 * o->a->bits <= 62) {
        return cube(o);
    }
    o->out->bits = 63;
    INTS(
        o, if (y < 0 || !power_of(x, y, &d[i])) { return i; } spread |=
           gx_spread_of(d[i]););
    return whole(o, gx_bits_of(spread));
}

/* -- division --------------------------------------------------------------- */

/* The exponent of a power of two, else -1. */
static int
exponent_of(const gx_vector *v)
{
    int64_t one = v->one.i;
    return v->scalar && one > 0 && (one & (one - 1)) == 0
               ? gx_bits_of((uint64_t)one) - 1
               : -1;
}

/* Both are so small that a quotient of doubles is off by less than one. */
static bool
are_small(const gx_operation *o)
{
    return o->a->bits <= 51 && o->b->bits <= 51;
}

static int
floor_divide(const gx_operation *o)
{
    int64_t *restrict d = dst_of(o);
    int exponent = exponent_of(o->b);
    o->out->bits = o->a->bits; /* |x // y| <= |x| but for y = -1, where it is |x| */
    if (exponent >= 0) {
        INTS(o, (void)y; d[i] = x >> exponent;);
    } else if (are_small(o)) {
        o->out->bits++;
        INTS(
            o, if (y == 0) { return i; } int64_t q = (int64_t)((double)x / (double)y);
            int64_t r = x - q * y; d[i] = q - (r != 0 && (r ^ y) < 0););
    } else {
        o->out->bits = 63;
        INTS(
            o, if (y == 0 || (y == -1 && x == INT64_MIN)) { return i; } d[i] =
                   x / y - (x % y != 0 && (x ^ y) < 0););
    }
    return o->n;
}

static int
remainder_of(const gx_operation *o)
{
    int64_t *restrict d = dst_of(o);
    int exponent = exponent_of(o->b);
    o->out->bits = o->b->bits; /* |x % y| < |y| */
    if (exponent >= 0) {
        int64_t mask = o->b->one.i - 1;
        INTS(o, (void)y; d[i] = x & mask;);
        o->out->bits = exponent;
    } else if (are_small(o)) {
        INTS(
            o, if (y == 0) { return i; } int64_t q = (int64_t)((double)x / (double)y);
            int64_t r = x - q * y; d[i] = r != 0 && (r ^ y) < 0 ? r + y : r;);
    } else {
        INTS(
            o,
            if (y == 0 || (y == -1 && x == INT64_MIN)) { return i; } int64_t r = x % y;
            d[i] = r != 0 && (r ^ y) < 0 ? r + y : r;);
    }
    return o->n;
}

#define EXACT ((int64_t)1 << 53) /* up to here a double is as good as an int */

static inline bool
is_exact(int64_t x)
{
    return x >= -EXACT && x <= EXACT;
}

/* To doubles. */
int
gx_lane_divide_ints(const gx_operation *o)
{
    double *restrict d = o->out->scalar ? &o->out->one.d : o->out->column->doubles;
    INTS(
        o, if (y == 0 || !is_exact(x) || !is_exact(y)) { return i; } d[i] =
               (double)x / (double)y;);
    return o->n;
}

/* -- bits ------------------------------------------------------------------- */

static int
shift_left(const gx_operation *o)
{
    int64_t *restrict d = dst_of(o);
    if (o->b->scalar && o->b->one.i >= 0 && o->b->one.i < 63 &&
        o->a->bits + o->b->one.i <= 63) {
        int by = (int)o->b->one.i;
        INTS(o, (void)y; d[i] = (int64_t)((uint64_t)x << by););
        return whole(o, o->a->bits + by);
    }
    o->out->bits = 63;
    INTS(
        o, if (y < 0 || (y > 62 && x != 0)) { return i; } d[i] =
               x == 0 ? 0 : (int64_t)((uint64_t)x << y);
        if (x != 0 && d[i] >> y != x) { return i; });
    return o->n;
}

static int
shift_right(const gx_operation *o)
{
    int64_t *restrict d = dst_of(o);
    o->out->bits = o->a->bits;
    INTS(
        o, if (y < 0) { return i; } d[i] = x >> (y > 63 ? 63 : y););
    return o->n;
}

static bool
is_natural(const gx_vector *v)
{
    return v->scalar && v->one.i >= 0;
}

static int
bitwise(int op, const gx_operation *o)
{
    int64_t *restrict d = dst_of(o);
    o->out->bits = larger(o->a->bits, o->b->bits);
    switch (op) {
    case GX_AND:
        if (is_natural(o->b)) {
            o->out->bits = o->b->bits;
        } else if (is_natural(o->a)) {
            o->out->bits = o->a->bits;
        }
        INTS(o, d[i] = x & y;);
        break;
    case GX_OR:
        INTS(o, d[i] = x | y;);
        break;
    default:
        INTS(o, d[i] = x ^ y;);
        break;
    }
    return o->n;
}

int
gx_lane_binary_ints(int op, const gx_operation *o)
{
    switch (op) {
    case GX_ADD:
        return add(o);
    case GX_SUBTRACT:
        return subtract(o);
    case GX_MULTIPLY:
        return multiply(o);
    case GX_POWER:
        return power(o);
    case GX_FLOOR_DIVIDE:
        return floor_divide(o);
    case GX_REMAINDER:
        return remainder_of(o);
    case GX_LSHIFT:
        return shift_left(o);
    case GX_RSHIFT:
        return shift_right(o);
    case GX_AND:
    case GX_OR:
    case GX_XOR:
        return bitwise(op, o);
    default:
        return 0;
    }
}

/* -- comparison ------------------------------------------------------------- */

int
gx_lane_compare_ints(int op, const gx_operation *o)
{
    uint8_t *restrict d = o->out->scalar ? &o->out->one.b : o->out->column->bools;
    switch (op) {
    case Py_LT:
        INTS(o, d[i] = x < y;);
        break;
    case Py_LE:
        INTS(o, d[i] = x <= y;);
        break;
    case Py_EQ:
        INTS(o, d[i] = x == y;);
        break;
    case Py_NE:
        INTS(o, d[i] = x != y;);
        break;
    case Py_GT:
        INTS(o, d[i] = x > y;);
        break;
    default:
        INTS(o, d[i] = x >= y;);
        break;
    }
    return o->n;
}
