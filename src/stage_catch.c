/* Stages that deal with errors: catch, map_except. */

#include "pipeline.h"

/* -- exception classes ---------------------------------------------------- */

/* -1 with TypeError unless `classes` is a tuple of exception classes. */
static int
check_classes(PyObject *classes, const char *name)
{
    if (classes == NULL || !PyTuple_CheckExact(classes)) {
        PyErr_Format(PyExc_TypeError, "the exceptions of %s() must be a tuple", name);
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(classes); i++) {
        PyObject *class = PyTuple_GET_ITEM(classes, i);
        if (!PyExceptionClass_Check(class)) {
            bool other = PyType_Check(class);
            PyErr_Format(
                PyExc_TypeError, "%s() takes classes of exceptions, not %s'%.200s'",
                name, other ? "the class " : "",
                other ? ((PyTypeObject *)class)->tp_name : Py_TYPE(class)->tp_name);
            return -1;
        }
    }
    return 0;
}

static PyObject *
tuple_of(PyObject *const *items, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; i < n && tuple != NULL; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(items[i]));
    }
    return tuple;
}

/* Ctrl-C and close() are not meant by BaseException: they want to be named. */
static bool
is_named(PyObject *exc, PyObject *classes)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(classes); i++) {
        PyObject *class = PyTuple_GET_ITEM(classes, i);
        if (class != PyExc_BaseException && PyErr_GivenExceptionMatches(exc, class)) {
            return true;
        }
    }
    return false;
}

static bool
is_wanted(PyObject *exc, PyObject *classes)
{
    if (PyErr_GivenExceptionMatches(exc, PyExc_KeyboardInterrupt) ||
        PyErr_GivenExceptionMatches(exc, PyExc_GeneratorExit)) {
        return is_named(exc, classes);
    }
    return PyErr_GivenExceptionMatches(exc, classes);
}

/* The raised exception, taken off, if it is of these classes; else NULL. */
static PyObject *
take_raised(PyObject *classes)
{
    PyObject *exc = PyErr_GetRaisedException();
    if (is_wanted(exc, classes)) {
        return exc;
    }
    PyErr_SetRaisedException(exc);
    return NULL;
}

/* `text` (stolen) followed by ", NAME" for each class. */
static PyObject *
add_classes(PyObject *text, PyObject *classes)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(classes) && text != NULL; i++) {
        PyObject *name = gx_brief_callable(PyTuple_GET_ITEM(classes, i));
        const char *comma = PyUnicode_GET_LENGTH(text) > 0 ? ", " : "";
        Py_SETREF(text,
                  name ? PyUnicode_FromFormat("%U%s%U", text, comma, name) : NULL);
        Py_XDECREF(name);
    }
    return text;
}

/* -- catch ---------------------------------------------------------------- */

enum { CATCH_CLASSES, CATCH_DO, CATCH_STOP, CATCH_REPLACE };

static int
catch_parse(const gx_row *row, PyObject *const *args, Py_ssize_t nargs,
            PyObject *kwnames, PyObject **out)
{
    static const char *const params[] = {"do", "replace", "stop", NULL};
    const gx_signature signature = {row->name, params, 0, 0, 0};
    PyObject *given[3];
    if (gx_parse(&signature, args + nargs, 0, kwnames, given) < 0) {
        return -1;
    }
    out[CATCH_CLASSES] = tuple_of(args, nargs);
    out[CATCH_DO] = Py_XNewRef(given[0]);
    out[CATCH_STOP] = Py_XNewRef(given[2]);
    out[CATCH_REPLACE] = Py_XNewRef(given[1]);
    return out[CATCH_CLASSES] == NULL ? -1 : 0;
}

static int
catch_check(gx_state *state, PyObject **args, bool Py_UNUSED(reusable))
{
    if (check_classes(args[CATCH_CLASSES], "catch") < 0) {
        return -1;
    }
    if (PyTuple_GET_SIZE(args[CATCH_CLASSES]) == 0) {
        PyErr_SetString(PyExc_TypeError,
                        "catch() needs the classes of the exceptions to catch");
        return -1;
    }
    if (args[CATCH_DO] == NULL) {
        args[CATCH_DO] = Py_NewRef(Py_None);
    }
    if (args[CATCH_REPLACE] == NULL) {
        args[CATCH_REPLACE] = Py_NewRef(state->missing);
    }
    if ((args[CATCH_DO] != Py_None && gx_as_callable(&args[CATCH_DO], "do") < 0) ||
        (args[CATCH_REPLACE] != state->missing &&
         gx_as_callable(&args[CATCH_REPLACE], "replace") < 0)) {
        return -1;
    }
    int stop = args[CATCH_STOP] != NULL ? PyObject_IsTrue(args[CATCH_STOP]) : 0;
    if (stop >= 0) {
        Py_XSETREF(args[CATCH_STOP], Py_NewRef(stop ? Py_True : Py_False));
    }
    return stop < 0 ? -1 : 0;
}

static PyObject *
catch_brief(PyObject *const *args)
{
    static const char *const names[] = {"", "do", "stop", "replace"};
    PyObject *text = add_classes(PyUnicode_FromString(""), args[CATCH_CLASSES]);
    for (int i = CATCH_DO; i <= CATCH_REPLACE && text != NULL; i++) {
        bool shown = i == CATCH_STOP ? args[i] == Py_True : PyCallable_Check(args[i]);
        if (shown) {
            PyObject *arg =
                i == CATCH_STOP ? gx_brief(args[i]) : gx_brief_callable(args[i]);
            Py_SETREF(text, arg ? PyUnicode_FromFormat("%U, %s=%U", text, names[i], arg)
                                : NULL);
            Py_XDECREF(arg);
        }
    }
    return text;
}

/* A handler runs as in an `except` block: sys.exception() is the error, what it raises
   has the error as its context. */
static PyObject *
call_handler(PyObject *handler, PyObject *failure, PyObject *exc)
{
    PyObject *outer = PyErr_GetHandledException();
    PyErr_SetHandledException(exc);
    PyObject *result = PyObject_CallOneArg(handler, failure);
    PyErr_SetHandledException(NULL);
    PyObject *seen = PyErr_GetHandledException();
    if (seen != outer) { /* else it is a caller's, and still there */
        PyErr_SetHandledException(outer);
    }
    Py_XDECREF(seen);
    Py_XDECREF(outer);
    return result;
}

static PyObject *
make_failure(gx_run *run, gx_step *failed, PyObject *exc, PyObject *item)
{
    if (failed->row != NULL) {
        return gx_failure_new(run->state, exc, item, run->index - 1, failed->node,
                              NULL);
    }
    PyObject *place = gx_step_brief(run, failed);
    if (place == NULL) {
        return NULL;
    }
    PyObject *failure = gx_failure_new(run->state, exc, item, run->index, NULL, place);
    Py_DECREF(place);
    return failure;
}

/* *value is what replace() gave, or NULL. */
static int
call_handlers(gx_run *run, gx_step *step, gx_step *failed, PyObject *exc,
              PyObject *item, PyObject **value)
{
    PyObject *watch = step->args[CATCH_DO], *replace = step->args[CATCH_REPLACE];
    bool replaces = replace != run->state->missing;
    *value = NULL;
    if (watch == Py_None && !replaces) {
        return 0;
    }
    PyObject *failure = make_failure(run, failed, exc, item);
    int rc = failure == NULL ? -1 : 0;
    if (rc == 0 && watch != Py_None) {
        PyObject *done = call_handler(watch, failure, exc);
        Py_XDECREF(done);
        rc = done == NULL ? -1 : 0;
    }
    if (rc == 0 && replaces) {
        *value = call_handler(replace, failure, exc);
        rc = *value == NULL ? -1 : 0;
    }
    Py_XDECREF(failure);
    return rc;
}

/* After the last item, with stop=True, another is an answer to throw(). */
static gx_answer
catch_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    if (!step->stopping) {
        return GX_EMIT;
    }
    Py_DECREF(*item);
    return GX_STOP;
}

/* step->count is the number of errors caught: with stop=True only the first. */
static int
catch_rescue(gx_run *run, gx_step *step, gx_step *failed, PyObject *item)
{
    bool past = failed == step || step->stopping;
    PyObject *value, *exc = past ? NULL : take_raised(step->args[CATCH_CLASSES]);
    if (exc == NULL) {
        return 0;
    }
    step->count++;
    int rc = call_handlers(run, step, failed, exc, item, &value);
    Py_DECREF(exc);
    if (rc < 0) {
        return -1;
    }
    bool stops = step->args[CATCH_STOP] == Py_True;
    if (value != NULL) {
        gx_step_give(step, value);
        gx_run_push(run, step);
        if (stops) {
            gx_run_stop_later(run, step);
        }
        return 1;
    }
    return stops && gx_run_stop(run, step) < 0 ? -1 : 1;
}

static const char *const catch_params[] = {"exceptions", "do", "stop", "replace", NULL};
static const gx_signature catch_signature = {"catch", catch_params, 0, 1, 0};

const gx_row gx_stage_catch = {
    .name = "catch",
    .signature = &catch_signature,
    .nargs = 4,
    .flags = GX_ONE_TO_ONE,
    .parse = catch_parse,
    .check = catch_check,
    .before = catch_before,
    .rescue = catch_rescue,
    .brief = catch_brief,
};

const char gx_stage_catch_doc[] =
    "catch($self, *exceptions, do=None, replace=..., stop=False)\n--\n\n"
    "Catch errors of the source and of the stages before this one; the item is dropped.\n\n"
    "do(failure) is called with a Failure for each; the value of replace(failure) goes\n"
    "on in the item's place; with stop=True the pipe ends at the first. Errors of later\n"
    "stages are not caught, nor are KeyboardInterrupt and GeneratorExit unless named.\n\n"
    ">>> bad = []\n"
    ">>> pipe(['1', 'x', '3']).map(int).catch(ValueError, do=bad.append).list()\n"
    "[1, 3]\n"
    ">>> bad[0].item, bad[0].index, bad[0].stage\n"
    "('x', 1, 'map(int)')";

/* -- map_except ------------------------------------------------------------ */

enum { MAP_FUNC, MAP_CLASSES };

/* Keywords are all wrong; where there are some, one argument is enough to say so. */
static int
map_except_parse(const gx_row *row, PyObject *const *args, Py_ssize_t nargs,
                 PyObject *kwnames, PyObject **out)
{
    PyObject *func;
    Py_ssize_t more = nargs > 1 ? nargs - 1 : 0;
    if (gx_parse(row->signature, args + more, (size_t)(nargs - more), kwnames, &func) <
        0) {
        return -1;
    }
    out[MAP_FUNC] = Py_NewRef(args[0]);
    out[MAP_CLASSES] = tuple_of(args + 1, nargs - 1);
    return out[MAP_CLASSES] == NULL ? -1 : 0;
}

static int
map_except_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    return gx_as_callable(&args[MAP_FUNC], "func") < 0
               ? -1
               : check_classes(args[MAP_CLASSES], "map_except");
}

static PyObject *
map_except_brief(PyObject *const *args)
{
    return add_classes(gx_brief_callable(args[MAP_FUNC]), args[MAP_CLASSES]);
}

/* Its own errors only, StopIteration included. */
static int
map_except_rescue(gx_run *Py_UNUSED(run), gx_step *step, gx_step *failed,
                  PyObject *Py_UNUSED(item))
{
    PyObject *exc = failed == step ? take_raised(step->args[MAP_CLASSES]) : NULL;
    if (exc == NULL) {
        return 0;
    }
    step->count++;
    Py_DECREF(exc);
    return 1;
}

static const char *const func_params[] = {"func", NULL};
static const gx_signature map_except_signature = {"map_except", func_params, 1, 1, 1};

const gx_row gx_stage_map_except = {
    .name = "map_except",
    .signature = &map_except_signature,
    .nargs = 2,
    .flags = GX_ONE_TO_ONE,
    .call = GX_CALL_ITEM,
    .use = GX_REPLACE,
    .parse = map_except_parse,
    .check = map_except_check,
    .rescue = map_except_rescue,
    .brief = map_except_brief,
};

const char gx_stage_map_except_doc[] =
    "map_except($self, func, /, *exceptions)\n--\n\n"
    "Replace each item by func(item), and drop it if the call raises one of exceptions.\n"
    "As more_itertools.map_except.\n\n"
    ">>> pipe(['1', 'x', '3']).map_except(int, ValueError).list()\n"
    "[1, 3]";
