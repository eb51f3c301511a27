/* Columns and vectors: the memory of a lane, and what its rows are as objects. */

#include "lane.h"

/* -- columns ---------------------------------------------------------------- */

gx_column *
gx_column_new(gx_lane *lane)
{
    gx_column *column = lane->pool;
    if (column != NULL) {
        lane->pool = column->next;
    } else {
        column = PyMem_Malloc(sizeof(gx_column));
        if (column == NULL) {
            lane->short_of_memory = true;
            return NULL;
        }
    }
    column->next = NULL;
    column->refs = 1;
    return column;
}

void
gx_column_drop(gx_lane *lane, gx_column *column)
{
    if (column != NULL && --column->refs == 0) {
        column->next = lane->pool;
        lane->pool = column;
    }
}

gx_column *
gx_column_share(gx_column *column)
{
    if (column != NULL) {
        column->refs++;
    }
    return column;
}

/* -- vectors ---------------------------------------------------------------- */

gx_vector
gx_vector_share(const gx_vector *v)
{
    (void)gx_column_share(v->column);
    (void)gx_column_share(v->objects);
    return *v;
}

void
gx_vector_drop(gx_lane *lane, gx_vector *v)
{
    gx_column *column = v->column, *objects = v->objects;
    *v = (gx_vector){.scalar = true};
    gx_column_drop(lane, column);
    gx_column_drop(lane, objects);
}

bool
gx_vector_of(PyObject *op, gx_vector *out)
{
    int overflow = 0;
    *out = (gx_vector){.scalar = true, .as = GX_AS_ONE, .object = op};
    if (PyLong_CheckExact(op)) {
        out->type = GX_LANE_INT;
        out->one.i = PyLong_AsLongLongAndOverflow(op, &overflow);
        out->bits = gx_bits_of(gx_spread_of(out->one.i));
        return !overflow;
    }
    if (PyFloat_CheckExact(op)) {
        out->type = GX_LANE_FLOAT;
        out->one.d = PyFloat_AS_DOUBLE(op);
        return true;
    }
    out->type = GX_LANE_BOOL;
    out->one.b = op == Py_True;
    return PyBool_Check(op);
}

/* -- rows ------------------------------------------------------------------- */

static void
gather_column(gx_lane_type type, const gx_column *from, const int32_t *rows, int n,
              gx_column *out)
{
    if (type == GX_LANE_BOOL) {
        for (int i = 0; i < n; i++) {
            out->bools[i] = from->bools[rows[i]];
        }
    } else {
        for (int i = 0; i < n; i++) {
            out->ints[i] = from->ints[rows[i]]; /* or a double: eight bytes */
        }
    }
}

static void
gather_objects(const gx_column *from, const int32_t *rows, int n, gx_column *out)
{
    for (int i = 0; i < n; i++) {
        out->objects[i] = from->objects[rows[i]];
    }
}

bool
gx_vector_gather(gx_lane *lane, const gx_vector *v, const int32_t *rows, int n,
                 gx_vector *out)
{
    *out = *v;
    out->column = out->objects = NULL;
    if (v->column != NULL) {
        out->column = gx_column_new(lane);
    }
    if (v->objects != NULL) {
        out->objects = gx_column_new(lane);
    }
    if (lane->short_of_memory) {
        gx_vector_drop(lane, out);
        return false;
    }
    if (v->column != NULL) {
        gather_column(v->type, v->column, rows, n, out->column);
    }
    if (v->objects != NULL) {
        gather_objects(v->objects, rows, n, out->objects);
    }
    return true;
}

bool
gx_vector_spread(gx_lane *lane, gx_vector *v, int n)
{
    if (!v->scalar) {
        return true;
    }
    gx_column *column = gx_column_new(lane);
    if (column == NULL) {
        return false;
    }
    if (v->type == GX_LANE_BOOL) {
        memset(column->bools, v->one.b, (size_t)n);
    } else {
        for (int i = 0; i < n; i++) {
            column->ints[i] = v->one.i;
        }
    }
    v->scalar = false;
    v->column = column;
    return true;
}

void
gx_vector_scatter(const gx_vector *v, gx_column *out, const int32_t *rows, int n)
{
    bool narrow = v->type == GX_LANE_BOOL;
    for (int i = 0; i < n; i++) {
        int from = v->scalar ? 0 : i;
        if (narrow) {
            out->bools[rows[i]] = gx_bools(v)[from];
        } else {
            out->ints[rows[i]] = v->scalar ? v->one.i : v->column->ints[i];
        }
    }
}

/* -- objects ---------------------------------------------------------------- */

static PyObject *
object_of(gx_lane *lane, const gx_vector *v, int row)
{
    switch (v->as) {
    case GX_AS_SOURCE:
        return lane->items[lane->rows != NULL ? lane->rows->rows[row] : row];
    case GX_AS_ONE:
        return v->object;
    case GX_AS_EACH:
        return v->objects->objects[row];
    default:
        return NULL;
    }
}

PyObject *
gx_vector_box(gx_lane *lane, const gx_vector *v, int row)
{
    PyObject *object = object_of(lane, v, row);
    if (object != NULL) {
        return Py_NewRef(object);
    }
    int i = v->scalar ? 0 : row;
    switch (v->type) {
    case GX_LANE_INT:
        return PyLong_FromLongLong(gx_ints(v)[i]);
    case GX_LANE_FLOAT:
        return PyFloat_FromDouble(gx_doubles(v)[i]);
    default:
        return PyBool_FromLong(gx_bools(v)[i]);
    }
}
