/* A row of Stats, and the table of all rows: what was counted up to one moment. */

#include "stats.h"

#include <stddef.h>

/* -- struct ------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    PyObject *name; /* owned: str */
    gx_counts counts;
} stats_row_object;

#define stats_row_CAST(op) ((stats_row_object *)(op))

/* -- construct ---------------------------------------------------------- */

PyObject *
gx_stats_row_new(gx_state *state, PyObject *name, const gx_counts *counts)
{
    PyTypeObject *type = GX_TYPE_OF(state, StatsRow);
    stats_row_object *self = stats_row_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        Py_DECREF(name);
        return NULL;
    }
    self->name = name;
    self->counts = *counts;
    return (PyObject *)self;
}

/* -- table -------------------------------------------------------------- */

enum { COLUMN_NUMBER, COLUMN_NAME, COLUMN_SECONDS = 7, N_COLUMNS };

static PyObject *
seconds_text(int64_t ns)
{
    char *digits = PyOS_double_to_string((double)ns / 1e9, 'f', 6, 0, NULL);
    PyObject *text = digits != NULL ? PyUnicode_FromString(digits) : NULL;
    PyMem_Free(digits);
    return text;
}

static PyObject *
count_text(Py_ssize_t count, bool shown)
{
    return shown ? PyUnicode_FromFormat("%zd", count) : PyUnicode_FromString("");
}

/* A list of the texts of row i; what has no meaning for its kind is left out. */
static PyObject *
row_cells(stats_row_object *row, Py_ssize_t i)
{
    const gx_counts *counts = &row->counts;
    bool source = counts->kind == GX_COUNTED_SOURCE;
    bool stage = counts->kind == GX_COUNTED_STAGE;
    return Py_BuildValue(
        "[NONNNNNN]", count_text(i, stage), row->name,
        count_text(counts->items_in, !source),
        count_text(counts->items_out, source || stage),
        count_text(counts->dropped, stage), count_text(counts->errors, true),
        count_text(counts->high_water, stage), seconds_text(counts->ns));
}

static PyObject *
table_cells(PyObject *rows)
{
    PyObject *table = Py_BuildValue("[[ssssssss]]", "", "stage", "in", "out", "dropped",
                                    "errors", "high water", "seconds");
    for (Py_ssize_t i = 0; table != NULL && i < PyTuple_GET_SIZE(rows); i++) {
        PyObject *cells = row_cells(stats_row_CAST(PyTuple_GET_ITEM(rows, i)), i);
        if (cells == NULL || PyList_Append(table, cells) < 0) {
            Py_CLEAR(table);
        }
        Py_XDECREF(cells);
    }
    return table;
}

static PyObject *
spaces(Py_ssize_t n)
{
    PyObject *text = PyUnicode_New(n, 127);
    if (text != NULL && n > 0 && PyUnicode_Fill(text, 0, n, ' ') < 0) {
        Py_CLEAR(text);
    }
    return text;
}

/* A name is as long as its column, or shorter and stands on the left; numbers stand on
   the right. */
static PyObject *
padded(PyObject *cell, Py_ssize_t width, bool left)
{
    PyObject *pad = spaces(width - PyUnicode_GET_LENGTH(cell));
    PyObject *text = pad == NULL ? NULL
                     : left      ? PyUnicode_Concat(cell, pad)
                                 : PyUnicode_Concat(pad, cell);
    Py_XDECREF(pad);
    return text;
}

static PyObject *
without_trailing_spaces(PyObject *text)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    while (n > 0 && PyUnicode_READ_CHAR(text, n - 1) == ' ') {
        n--;
    }
    return PyUnicode_Substring(text, 0, n);
}

static int
append_line(PyObject *lines, PyObject *cells, const Py_ssize_t *widths, int columns)
{
    PyObject *line = PyUnicode_FromString("");
    for (int c = 0; line != NULL && c < columns; c++) {
        PyObject *cell = padded(PyList_GET_ITEM(cells, c), widths[c], c == COLUMN_NAME);
        PyObject *longer = NULL;
        if (cell != NULL) {
            longer = PyUnicode_FromFormat(c == 0 ? "%U%U" : "%U  %U", line, cell);
        }
        Py_XDECREF(cell);
        Py_SETREF(line, longer);
    }
    if (line != NULL) {
        Py_SETREF(line, without_trailing_spaces(line));
    }
    int rc = line != NULL ? PyList_Append(lines, line) : -1;
    Py_XDECREF(line);
    return rc;
}

static PyObject *
table_lines(PyObject *table, int columns)
{
    Py_ssize_t widths[N_COLUMNS] = {0};
    PyObject *lines = PyList_New(0);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(table); i++) {
        for (int c = 0; c < columns; c++) {
            PyObject *cell = PyList_GET_ITEM(PyList_GET_ITEM(table, i), c);
            Py_ssize_t width = PyUnicode_GET_LENGTH(cell);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (Py_ssize_t i = 0; lines != NULL && i < PyList_GET_SIZE(table); i++) {
        if (append_line(lines, PyList_GET_ITEM(table, i), widths, columns) < 0) {
            Py_CLEAR(lines);
        }
    }
    return lines;
}

PyObject *
gx_stats_table(PyObject *rows, bool timed)
{
    PyObject *table = table_cells(rows);
    PyObject *lines =
        table != NULL ? table_lines(table, timed ? N_COLUMNS : COLUMN_SECONDS) : NULL;
    PyObject *newline = PyUnicode_FromString("\n");
    PyObject *text =
        lines != NULL && newline != NULL ? PyUnicode_Join(newline, lines) : NULL;
    Py_XDECREF(newline);
    Py_XDECREF(lines);
    Py_XDECREF(table);
    return text;
}

/* -- protocol ----------------------------------------------------------- */

static const char *
kind_text(stats_row_object *self)
{
    static const char *const texts[] = {"source", "stage", "terminal"};
    return texts[self->counts.kind];
}

static PyObject *
stats_row_get_kind(PyObject *op, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(kind_text(stats_row_CAST(op)));
}

static PyObject *
stats_row_get_ns(PyObject *op, void *Py_UNUSED(closure))
{
    gx_counts *counts = &stats_row_CAST(op)->counts;
    return counts->timed ? PyLong_FromLongLong(counts->ns) : Py_NewRef(Py_None);
}

static PyObject *
stats_row_get_seconds(PyObject *op, void *Py_UNUSED(closure))
{
    gx_counts *counts = &stats_row_CAST(op)->counts;
    return counts->timed ? PyFloat_FromDouble((double)counts->ns / 1e9)
                         : Py_NewRef(Py_None);
}

static PyObject *
stats_row_as_dict(PyObject *op, PyObject *Py_UNUSED(unused))
{
    gx_counts *counts = &stats_row_CAST(op)->counts;
    return Py_BuildValue(
        "{s:O,s:s,s:n,s:n,s:n,s:n,s:n,s:N}", "name", stats_row_CAST(op)->name, "kind",
        kind_text(stats_row_CAST(op)), "items_in", counts->items_in, "items_out",
        counts->items_out, "dropped", counts->dropped, "errors", counts->errors,
        "high_water", counts->high_water, "seconds", stats_row_get_seconds(op, NULL));
}

static PyObject *
stats_row_repr(PyObject *op)
{
    gx_counts *counts = &stats_row_CAST(op)->counts;
    return PyUnicode_FromFormat("<%s %U: %zd in, %zd out, %zd dropped, %zd errors>",
                                kind_text(stats_row_CAST(op)), stats_row_CAST(op)->name,
                                counts->items_in, counts->items_out, counts->dropped,
                                counts->errors);
}

static int
stats_row_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(stats_row_CAST(op)->name);
    return 0;
}

static void
stats_row_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_XDECREF(stats_row_CAST(op)->name);
    type->tp_free(op);
    Py_DECREF(type);
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(stats_row_doc,
"What was counted of a source, a stage or a terminal, up to the moment when the row\n"
"was asked for.");

PyDoc_STRVAR(stats_row_as_dict_doc,
"as_dict($self, /)\n--\n\n"
"The row as a dict of plain values, its attributes but ns.");

static PyMethodDef stats_row_methods[] = {
    {"as_dict", stats_row_as_dict, METH_NOARGS, stats_row_as_dict_doc},
    {NULL, NULL, 0, NULL},
};

#define COUNT(field, doc)                                                           \
    {                                                                               \
#field, T_PYSSIZET, offsetof(stats_row_object, counts.field), READONLY, doc \
    }

static PyMemberDef stats_row_members[] = {
    {"name", T_OBJECT, offsetof(stats_row_object, name), READONLY,
     "As repr() of the pipe shows it."},
    COUNT(items_in, "Items taken from what comes before; 0 of a source."),
    COUNT(items_out, "Items passed on; 0 of a terminal."),
    COUNT(dropped, "Items that a stage took and did not pass on."),
    COUNT(errors, "Exceptions raised in it."),
    COUNT(high_water,
          "The most items that a stage which puts items together has had at once."),
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef stats_row_getset[] = {
    {"kind", stats_row_get_kind, NULL, "'source', 'stage' or 'terminal'.", NULL},
    {"seconds", stats_row_get_seconds, NULL,
     "Time spent in it, with its callback; None if only counts were asked for.", NULL},
    {"ns", stats_row_get_ns, NULL, "The same in nanoseconds.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot stats_row_slots[] = {
    {Py_tp_doc, (void *)stats_row_doc},   {Py_tp_dealloc, stats_row_dealloc},
    {Py_tp_traverse, stats_row_traverse}, {Py_tp_repr, stats_row_repr},
    {Py_tp_methods, stats_row_methods},   {Py_tp_members, stats_row_members},
    {Py_tp_getset, stats_row_getset},     {0, NULL},
};

static PyType_Spec stats_row_spec = {
    .name = "pygenx.StatsRow",
    .basicsize = sizeof(stats_row_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = stats_row_slots,
};

const gx_typedef gx_StatsRow_typedef = {
    .spec = &stats_row_spec,
};
