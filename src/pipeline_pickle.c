/* How programs are pickled: as a flat tuple of rows (name, *args); and check_pickle(),
   which finds the stage that cannot be. */

#include "lifted.h"
#include "pipeline.h"

/* -- rows out ----------------------------------------------------------- */

#define DEPTH 4 /* functions in the closures of functions, ... */

static PyObject *
pack(gx_state *state, PyObject *value)
{
    return gx_traveller_of(state, value, DEPTH);
}

/* The values of a dict, changed: a new one. */
static PyObject *
change_values(gx_state *state, PyObject *dict,
              PyObject *(*change)(gx_state *, PyObject *))
{
    PyObject *key, *value, *other = PyDict_New();
    Py_ssize_t pos = 0;
    while (other != NULL && PyDict_Next(dict, &pos, &key, &value)) {
        PyObject *changed = change(state, value);
        if (changed == NULL || PyDict_SetItem(other, key, changed) < 0) {
            Py_CLEAR(other);
        }
        Py_XDECREF(changed);
    }
    return other;
}

/* An argument of a row, itself changed or, in a tuple or dict of arguments, what is in
   it: a new reference. */
static PyObject *
change_arg(gx_state *state, PyObject *arg, PyObject *(*change)(gx_state *, PyObject *))
{
    if (PyDict_CheckExact(arg)) {
        return change_values(state, arg, change);
    }
    if (!PyTuple_CheckExact(arg)) {
        return change(state, arg);
    }
    Py_ssize_t n = PyTuple_GET_SIZE(arg);
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple != NULL && i < n; i++) {
        PyObject *changed = change(state, PyTuple_GET_ITEM(arg, i));
        if (changed == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, i, changed);
        }
    }
    return tuple;
}

/* (name, *args) without what was not given, which always stands last. */
static PyObject *
row_as_tuple(gx_state *state, const gx_row *row, PyObject *const *args)
{
    int nargs = row->nargs;
    while (nargs > 0 && args[nargs - 1] == state->missing) {
        nargs--;
    }
    PyObject *tuple = PyTuple_New(1 + nargs);
    PyObject *name = PyUnicode_FromString(row->name);
    if (tuple == NULL || name == NULL) {
        Py_XDECREF(tuple);
        Py_XDECREF(name);
        return NULL;
    }
    PyTuple_SET_ITEM(tuple, 0, name);
    for (int i = 0; i < nargs; i++) {
        PyObject *arg = change_arg(state, args[i], pack);
        if (arg == NULL) {
            Py_DECREF(tuple);
            return NULL;
        }
        PyTuple_SET_ITEM(tuple, 1 + i, arg);
    }
    return tuple;
}

static PyObject *
program_rows(gx_state *state, gx_program *program)
{
    PyObject *rows = PyTuple_New(program->size);
    if (rows == NULL) {
        return NULL;
    }
    for (gx_program *p = program; p->row != NULL; p = p->previous) {
        PyObject *row = row_as_tuple(state, p->row, p->args);
        if (row == NULL) {
            Py_DECREF(rows);
            return NULL;
        }
        PyTuple_SET_ITEM(rows, p->size - 1, row);
    }
    return rows;
}

/* (Pipeline._from_rows, (((name, *args), ...),)): flat, however long. */
PyObject *
gx_program_pickle(PyObject *op, PyObject *Py_UNUSED(unused))
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    PyObject *rows = program_rows(state, gx_program_CAST(op));
    PyObject *pipeline = (PyObject *)GX_TYPE_OF(state, Pipeline);
    PyObject *make =
        rows != NULL ? PyObject_GetAttr(pipeline, GX_NAME(state, _from_rows)) : NULL;
    if (make == NULL) {
        Py_XDECREF(rows);
        return NULL;
    }
    return Py_BuildValue("N(N)", make, rows);
}

/* -- rows in ------------------------------------------------------------ */

static const gx_row *
find_row(PyObject *name)
{
    static const gx_row *const rows[] = {
#define GX_STAGE(name) &gx_stage_##name,
#include "stages.def"
#undef GX_STAGE
#define GX_TERMINAL_ROW(name) &gx_terminal_##name,
#include "terminals.def"
#undef GX_TERMINAL_ROW
        NULL,
    };
    for (int i = 0; rows[i] != NULL && PyUnicode_Check(name); i++) {
        if (PyUnicode_CompareWithASCIIString(name, rows[i]->name) == 0) {
            return rows[i];
        }
    }
    return NULL;
}

/* A pickled row leaves out only what may be left out of a call. */
static int
fewest_args(const gx_row *row)
{
    return row->signature == NULL ? row->nargs : row->signature->required;
}

/* One stage from (name, *args), nothing of which is trusted. */
static gx_program *
append_row(gx_state *state, gx_program *previous, PyObject *tuple)
{
    PyObject *args[GX_MAX_ARGS] = {NULL};
    Py_ssize_t size = PyTuple_CheckExact(tuple) ? PyTuple_GET_SIZE(tuple) : 0;
    const gx_row *row = size > 0 ? find_row(PyTuple_GET_ITEM(tuple, 0)) : NULL;
    if (row == NULL || gx_program_is_reducer(previous) || size - 1 < fewest_args(row) ||
        row->nargs < size - 1) {
        PyErr_SetString(PyExc_ValueError, "not the rows of a pickled Pipeline");
        return NULL;
    }
    bool whole = true;
    for (Py_ssize_t i = 1; i < size && whole; i++) {
        PyObject *arg = PyTuple_GET_ITEM(tuple, i);
        args[i - 1] = change_arg(state, arg, gx_traveller_home); /* of copies */
        whole = args[i - 1] != NULL;
    }
    if (!whole || gx_row_check(state, row, args, true) < 0) {
        for (int i = 0; i < GX_MAX_ARGS; i++) {
            Py_CLEAR(args[i]);
        }
        return NULL;
    }
    return gx_program_append(state, previous, row, args);
}

PyObject *
gx_program_from_rows(PyObject *type, PyObject *rows)
{
    gx_state *state = PyType_GetModuleState((PyTypeObject *)type);
    if (!PyTuple_CheckExact(rows)) {
        PyErr_SetString(PyExc_ValueError, "not the rows of a pickled Pipeline");
        return NULL;
    }
    gx_program *self = (gx_program *)Py_NewRef(state->empty_program);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(rows) && self != NULL; i++) {
        Py_SETREF(self, append_row(state, self, PyTuple_GET_ITEM(rows, i)));
    }
    return (PyObject *)self;
}

/* -- check_pickle ------------------------------------------------------- */

/* The argument, pickle.dumps for None: a new reference. */
static PyObject *
pickle_dumps(gx_state *state, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    static const char *const params[] = {"dumps", NULL};
    static const gx_signature signature = {"check_pickle", params, 0, 0, 1};
    PyObject *out[1];
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0) {
        return NULL;
    }
    if (out[0] != NULL && out[0] != Py_None) {
        return gx_check_callable(out[0], "dumps") < 0 ? NULL : Py_NewRef(out[0]);
    }
    PyObject *pickle = PyImport_ImportModule("pickle");
    PyObject *dumps =
        pickle != NULL ? PyObject_GetAttr(pickle, GX_NAME(state, dumps)) : NULL;
    Py_XDECREF(pickle);
    return dumps;
}

static int
row_check_pickle(gx_state *state, const gx_row *row, PyObject *const *args,
                 PyObject *dumps)
{
    PyObject *tuple = row_as_tuple(state, row, args);
    PyObject *bytes = tuple != NULL ? PyObject_CallOneArg(dumps, tuple) : NULL;
    Py_XDECREF(tuple);
    Py_XDECREF(bytes);
    return bytes != NULL ? 0 : -1;
}

static void
note_stage(gx_program *program, gx_program *node)
{
    PyObject *exc = gx_note_begin();
    if (exc == NULL) {
        return;
    }
    PyObject *stage = gx_stage_brief(node->row, node->args);
    if (gx_program_is_reducer(node)) {
        gx_note_end(exc, "terminal %V cannot be pickled", stage, node->row->name);
    } else {
        Py_ssize_t stages = program->size - gx_program_is_reducer(program);
        gx_note_end(exc, "stage %zd/%zd %V cannot be pickled", node->size, stages,
                    stage, node->row->name);
    }
    Py_XDECREF(stage);
}

static int
program_check_pickle(gx_state *state, gx_program *program, PyObject *dumps)
{
    gx_program **stages = gx_program_stages(program);
    if (stages == NULL) {
        return -1;
    }
    int rc = 0;
    for (Py_ssize_t i = 0; i < program->size && rc == 0; i++) {
        rc = row_check_pickle(state, stages[i]->row, stages[i]->args, dumps);
        if (rc < 0) {
            note_stage(program, stages[i]);
        }
    }
    PyMem_Free(stages);
    return rc;
}

PyObject *
gx_program_check_pickle(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
                        PyObject *kwnames)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    PyObject *dumps = pickle_dumps(state, args, nargs, kwnames);
    if (dumps == NULL) {
        return NULL;
    }
    int rc = program_check_pickle(state, gx_program_CAST(op), dumps);
    Py_DECREF(dumps);
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

/* -- doc ---------------------------------------------------------------- */

const char gx_check_pickle_doc[] =
    "check_pickle($self, dumps=None)\n--\n\n"
    "Return None if every stage can be pickled, else raise what the pickler raised\n"
    "for the first that cannot, with a note that names the stage. Each stage is given\n"
    "to dumps alone, pickle.dumps if it is None. Raises TypeError if dumps is not\n"
    "callable.\n\n"
    ">>> Pipeline().map(str.upper).check_pickle()\n"
    ">>> try:\n"
    "...     Pipeline().map(str.upper).filter(lambda *x: x).check_pickle()\n"
    "... except Exception as error:\n"
    "...     print(error.__notes__[-1])\n"
    "pygenx: stage 2/2 filter(<lambda ...>) cannot be pickled";
