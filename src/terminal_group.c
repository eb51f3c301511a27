/* Terminals that make a dict of groups: map_reduce, reduceby. Keys stand in the order
   in which they were first seen. */

#include "pipeline.h"

/* The dict, and what is in it, can be found through gc by whatever user code runs
   meanwhile: nothing in it is believed to be as it was left. */
static int
groups_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    step->state = PyDict_New();
    return step->state == NULL ? -1 : 0;
}

/* -- map_reduce --------------------------------------------------------- */

enum { MAP_REDUCE_KEY, MAP_REDUCE_VALUE, MAP_REDUCE_REDUCE };

static int
check_optional_callable(PyObject **arg, const char *name)
{
    if (*arg == NULL) {
        *arg = Py_NewRef(Py_None);
    }
    return *arg == Py_None ? 0 : gx_as_callable(arg, name);
}

static int
map_reduce_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    if (gx_as_callable(&args[MAP_REDUCE_KEY], "keyfunc") < 0 ||
        check_optional_callable(&args[MAP_REDUCE_VALUE], "valuefunc") < 0) {
        return -1;
    }
    return check_optional_callable(&args[MAP_REDUCE_REDUCE], "reducefunc");
}

static int
start_group(gx_step *step, PyObject *key, PyObject *value)
{
    PyObject *group = PyList_New(1);
    if (group == NULL) {
        return -1;
    }
    PyList_SET_ITEM(group, 0, Py_NewRef(value));
    int rc = PyDict_SetItem(step->state, key, group);
    Py_DECREF(group);
    return rc;
}

/* No user code runs between finding a group and adding to it. */
static inline int
add_to_group(gx_step *step, PyObject *key, PyObject *value)
{
    PyObject *group = PyDict_GetItemWithError(step->state, key);
    if (group == NULL) {
        return PyErr_Occurred() ? -1 : start_group(step, key, value);
    }
    if (!PyList_CheckExact(group)) {
        PyErr_SetString(PyExc_RuntimeError, "map_reduce(): a group was changed");
        return -1;
    }
    return PyList_Append(group, value);
}

/* `key` is taken. */
static gx_answer
map_reduce_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item, PyObject *key)
{
    PyObject *valuefunc = step->args[MAP_REDUCE_VALUE];
    int rc = -1;
    if (valuefunc == Py_None) {
        rc = add_to_group(step, key, *item);
    } else {
        PyObject *args[2] = {NULL, *item};
        PyObject *value = gx_call_func(valuefunc, args + 1, 1);
        if (value != NULL) {
            rc = add_to_group(step, key, value);
            Py_DECREF(value);
        }
    }
    Py_DECREF(key);
    if (rc < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*item);
    return GX_SKIP;
}

static void
note_group(gx_step *step, PyObject *key)
{
    gx_no_stop_iteration("%s()", step->row->name);
    PyObject *exc = gx_note_begin();
    if (exc == NULL) {
        return;
    }
    PyObject *terminal = gx_note_part(gx_stage_brief(step->row, step->args));
    PyObject *text = gx_brief(key);
    gx_note_end(exc, "terminal %V, group %V", terminal, step->row->name, text, "?");
    Py_XDECREF(terminal);
    Py_XDECREF(text);
}

/* groups[key] = reducefunc(groups[key]) for all keys: what is reduced is let go of
   one by one. */
static int
reduce_groups(gx_step *step, PyObject *groups)
{
    PyObject *func = step->args[MAP_REDUCE_REDUCE], *key, *group;
    Py_ssize_t place = 0, size = PyDict_GET_SIZE(groups);
    gx_breath breath = GX_BREATH(GX_INTERVAL_CALLS);
    while (PyDict_Next(groups, &place, &key, &group)) {
        PyObject *args[2] = {NULL, Py_NewRef(group)};
        Py_INCREF(key);
        PyObject *reduced = gx_call_func(func, args + 1, 1);
        int rc = reduced == NULL ? -1 : PyDict_SetItem(groups, key, reduced);
        Py_XDECREF(reduced);
        Py_DECREF(args[1]);
        if (rc == 0 && PyDict_GET_SIZE(groups) != size) { /* would go on for ever */
            PyErr_SetString(PyExc_RuntimeError,
                            "map_reduce(): a key's hash or the groups were changed");
            rc = -1;
        }
        if (rc < 0) {
            note_group(step, key);
        }
        Py_DECREF(key);
        if (rc < 0 || gx_tick(&breath) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
map_reduce_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    PyObject *groups = step->state;
    step->state = NULL;
    if (step->args[MAP_REDUCE_REDUCE] != Py_None && reduce_groups(step, groups) < 0) {
        Py_CLEAR(groups);
    }
    return groups;
}

static const char *const map_reduce_params[] = {"keyfunc", "valuefunc", "reducefunc",
                                                NULL};
static const gx_signature map_reduce_signature = {"map_reduce", map_reduce_params, 0, 1,
                                                  3};

const gx_row gx_terminal_map_reduce = {
    .name = "map_reduce",
    .signature = &map_reduce_signature,
    .nargs = 3,
    .flags = GX_TERMINAL,
    .call = GX_CALL_ITEM,
    .check = map_reduce_check,
    .start = groups_start,
    .after = map_reduce_after,
    .result = map_reduce_result,
};

const char gx_terminal_map_reduce_doc[] =
    "map_reduce($self, keyfunc, valuefunc=None, reducefunc=None)\n--\n\n"
    "Run the pipe and return a dict of keyfunc(item) to the list of all its items, or\n"
    "of valuefunc(item) for each; at the end reducefunc(list) takes the list's place.\n"
    "Raises TypeError at a key that cannot be hashed. As more_itertools.map_reduce,\n"
    "but for the plain dict.\n\n"
    ">>> pipe(['to', 'be', 'not']).map_reduce(len)\n"
    "{2: ['to', 'be'], 3: ['not']}\n"
    ">>> pipe(['to', 'be', 'not']).map_reduce(len, str.upper, '+'.join)\n"
    "{2: 'TO+BE', 3: 'NOT'}";

/* -- reduceby ----------------------------------------------------------- */

/* In this order, the one that may be missing last. */
enum { REDUCEBY_KEY, REDUCEBY_BINOP, REDUCEBY_FACTORY, REDUCEBY_INIT };

static int
reduceby_parse(const gx_row *Py_UNUSED(row), PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames, PyObject **out)
{
    static const char *const params[] = {"key", "binop", "init", "factory", NULL};
    static const gx_signature signature = {"reduceby", params, 0, 2, 3};
    PyObject *given[4];
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, given) < 0) {
        return -1;
    }
    out[REDUCEBY_KEY] = Py_NewRef(given[0]);
    out[REDUCEBY_BINOP] = Py_NewRef(given[1]);
    out[REDUCEBY_INIT] = Py_XNewRef(given[2]);
    out[REDUCEBY_FACTORY] = Py_XNewRef(given[3]);
    return 0;
}

static int
reduceby_check(gx_state *state, PyObject **args, bool Py_UNUSED(reusable))
{
    if (args[REDUCEBY_INIT] == NULL) {
        args[REDUCEBY_INIT] = Py_NewRef(state->missing);
    }
    if (gx_as_callable(&args[REDUCEBY_KEY], "key") < 0 ||
        gx_check_callable(args[REDUCEBY_BINOP], "binop") < 0 ||
        check_optional_callable(&args[REDUCEBY_FACTORY], "factory") < 0) {
        return -1;
    }
    if (args[REDUCEBY_FACTORY] != Py_None && args[REDUCEBY_INIT] != state->missing) {
        PyErr_SetString(PyExc_TypeError, "reduceby() takes init or factory, not both");
        return -1;
    }
    return 0;
}

/* What the first item of a key is added to (new reference), or NULL: the item is it
   itself, unless an error is set. */
static PyObject *
initial_of(gx_run *run, gx_step *step)
{
    PyObject *factory = step->args[REDUCEBY_FACTORY];
    if (factory != Py_None) {
        return PyObject_CallNoArgs(factory);
    }
    PyObject *initial = step->args[REDUCEBY_INIT];
    return initial == run->state->missing ? NULL : Py_NewRef(initial);
}

/* The new value of a key (new reference), or NULL with an error. */
static PyObject *
reduceby_value(gx_run *run, gx_step *step, PyObject *key, PyObject *item)
{
    PyObject *value = Py_XNewRef(PyDict_GetItemWithError(step->state, key));
    if (value == NULL && !PyErr_Occurred()) {
        value = initial_of(run, step);
        if (value == NULL && !PyErr_Occurred()) {
            return Py_NewRef(item);
        }
    }
    if (value == NULL) {
        return NULL;
    }
    PyObject *args[3] = {NULL, value, item};
    PyObject *result = gx_call_func(step->args[REDUCEBY_BINOP], args + 1, 2);
    Py_DECREF(value);
    return result;
}

/* `key` is taken. */
static gx_answer
reduceby_after(gx_run *run, gx_step *step, PyObject **item, PyObject *key)
{
    PyObject *value = reduceby_value(run, step, key, *item);
    int rc = value == NULL ? -1 : PyDict_SetItem(step->state, key, value);
    Py_XDECREF(value);
    Py_DECREF(key);
    if (rc < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*item);
    return GX_SKIP;
}

static PyObject *
reduceby_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    PyObject *groups = step->state;
    step->state = NULL;
    return groups;
}

/* Of the arguments as they are kept: for repr. */
static const char *const reduceby_params[] = {"key", "binop", "factory", "init", NULL};
static const gx_signature reduceby_signature = {"reduceby", reduceby_params, 2, 2, 2};

const gx_row gx_terminal_reduceby = {
    .name = "reduceby",
    .signature = &reduceby_signature,
    .nargs = 4,
    .flags = GX_TERMINAL,
    .call = GX_CALL_ITEM,
    .parse = reduceby_parse,
    .check = reduceby_check,
    .start = groups_start,
    .after = reduceby_after,
    .result = reduceby_result,
};

const char gx_terminal_reduceby_doc[] =
    "reduceby($self, key, binop, init=..., *, factory=None)\n--\n\n"
    "Run the pipe and return a dict of key(item) to the fold of the items with that\n"
    "key: value = binop(value, item). A key's first value is init, or factory(), or its\n"
    "first item. Raises TypeError at a key that cannot be hashed. As toolz.reduceby,\n"
    "whose init is both, a value and what makes one.\n\n"
    ">>> pipe([1, 2, 3, 4]).reduceby(lambda n: n % 2, lambda a, b: a + b)\n"
    "{1: 4, 0: 6}";
