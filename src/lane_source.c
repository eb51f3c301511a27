/* Where the blocks of a lane come from: ranges, lists and tuples of numbers; buffers are
   in lane_buffer.c. */

#include "lane.h"

/* -- ranges ----------------------------------------------------------------- */

static int
load_range(const gx_source *source, int n, gx_vector *v)
{
    uint64_t step = (uint64_t)source->step, first = (uint64_t)source->value;
    int64_t *restrict ints = v->column->ints;
    for (int i = 0; i < n; i++) { /* only what is after the end could wrap */
        ints[i] = (int64_t)(first + (uint64_t)i * step);
    }
    v->type = GX_LANE_INT;
    v->bits = gx_bits_of(gx_spread_of(ints[0]) | gx_spread_of(ints[n - 1]));
    return n;
}

/* -- lists and tuples --------------------------------------------------------- */

#define AHEAD 12 /* so many items later the memory is there */

static inline void
prefetch(PyObject *const *items, int i, int n)
{
    GX_PREFETCH(items[i + AHEAD < n ? i + AHEAD : i]);
}

static int
load_ints(PyObject *const *items, int n, gx_vector *v)
{
    int i;
    uint64_t spread = 0;
    int64_t *restrict ints = v->column->ints;
    for (i = 0; i < n; i++) {
        int overflow = 0;
        PyObject *op = items[i];
        prefetch(items, i, n);
        if (!PyLong_CheckExact(op)) {
            break;
        }
        ints[i] = PyUnstable_Long_IsCompact((PyLongObject *)op)
                      ? PyUnstable_Long_CompactValue((PyLongObject *)op)
                      : PyLong_AsLongLongAndOverflow(op, &overflow);
        if (overflow) {
            break;
        }
        spread |= gx_spread_of(ints[i]);
    }
    v->bits = gx_bits_of(spread);
    return i;
}

static int
load_floats(PyObject *const *items, int n, gx_vector *v)
{
    int i;
    double *restrict doubles = v->column->doubles;
    for (i = 0; i < n; i++) {
        PyObject *op = items[i];
        prefetch(items, i, n);
        if (!PyFloat_CheckExact(op)) {
            break;
        }
        doubles[i] = PyFloat_AS_DOUBLE(op);
    }
    return i;
}

static int
load_bools(PyObject *const *items, int n, gx_vector *v)
{
    int i;
    for (i = 0; i < n && PyBool_Check(items[i]); i++) {
        v->column->bools[i] = items[i] == Py_True;
    }
    return i;
}

/* Items as long as they are of the type of the first. */
static int
load_items(gx_lane *lane, PyObject *const *items, int n, gx_vector *v)
{
    v->as = GX_AS_SOURCE;
    lane->items = items;
    if (PyLong_CheckExact(items[0])) {
        v->type = GX_LANE_INT;
        return load_ints(items, n, v);
    }
    if (PyFloat_CheckExact(items[0])) {
        v->type = GX_LANE_FLOAT;
        return load_floats(items, n, v);
    }
    v->type = GX_LANE_BOOL;
    return load_bools(items, n, v);
}

static bool
is_number(PyObject *op)
{
    return PyLong_CheckExact(op) || PyFloat_CheckExact(op) || PyBool_Check(op);
}

/* Is the next item one for a lane, as far as one can see? */
bool
gx_lane_looks_good(const gx_source *source)
{
    if (source->fetch == gx_fetch_list) {
        return is_number(PyList_GET_ITEM(source->obj, source->index));
    }
    return source->fetch != gx_fetch_tuple ||
           is_number(PyTuple_GET_ITEM(source->obj, source->index));
}

/* -- all of them -------------------------------------------------------------- */

static bool
is_buffer(const gx_state *state, const gx_source *source)
{
    return source->fetch == gx_fetch_array || source->fetch == gx_fetch_memory ||
           (source->fetch == gx_fetch_shallow &&
            Py_IS_TYPE(source->obj, GX_TYPE_OF(state, buffer_source)));
}

bool
gx_lane_can_load(const gx_state *state, const gx_source *source)
{
#ifndef Py_GIL_DISABLED
    if (source->fetch == gx_fetch_list) {
        return true;
    }
#endif
    return source->fetch == gx_fetch_range || source->fetch == gx_fetch_tuple ||
           is_buffer(state, source);
}

Py_ssize_t
gx_lane_left(const gx_source *source)
{
    if (source->fetch == gx_fetch_shallow) {
        return gx_lane_left_in_buffer(source);
    }
    return source->fetch == gx_fetch_guarded ? GX_HINT_UNKNOWN : gx_source_hint(source);
}

static int
load(gx_lane *lane, gx_source *source, int n, gx_vector *v)
{
    lane->items = NULL;
    if (source->fetch == gx_fetch_range) {
        return load_range(source, n, v);
    }
    if (source->fetch == gx_fetch_list) {
        return load_items(lane, &PyList_GET_ITEM(source->obj, source->index), n, v);
    }
    if (source->fetch == gx_fetch_tuple) {
        return load_items(lane, &PyTuple_GET_ITEM(source->obj, source->index), n, v);
    }
    return gx_lane_load_buffer(source, n, v);
}

int
gx_lane_load(gx_lane *lane, gx_source *source, int n)
{
    gx_vector *v = &lane->value;
    *v = (gx_vector){.scalar = true};
    gx_column *column = n > 0 ? gx_column_new(lane) : NULL;
    if (column == NULL) {
        return 0;
    }
    v->scalar = false;
    v->column = column;
    return load(lane, source, n, v);
}

void
gx_lane_skip(gx_source *source, int n)
{
    if (source->fetch == gx_fetch_shallow) {
        gx_buffer_skip(source->obj, n);
    } else if (source->fetch == gx_fetch_memory) {
        source->index += n;
    } else {
        (void)gx_source_skip(source, n);
    }
}
