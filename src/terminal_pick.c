/* Terminals that pick one item: first, last, nth, one, only, first_true. The item
   picked is step->state. */

#include "pipeline.h"

/* -- arguments ---------------------------------------------------------- */

/* Leave `*arg`, not given, as None. */
static void
none_if_missing(PyObject **arg)
{
    if (*arg == NULL) {
        *arg = Py_NewRef(Py_None);
    }
}

/* An argument that may be left out stays visible as the "missing" sentinel. */
static int
check_default(gx_state *state, PyObject **args, bool Py_UNUSED(reusable))
{
    if (args[0] == NULL) {
        args[0] = Py_NewRef(state->missing);
    }
    return 0;
}

/* An exception to be raised in place of ours: a class, an instance, or None. */
static int
check_exception(PyObject **arg, const char *name)
{
    none_if_missing(arg);
    if (*arg == Py_None || PyExceptionClass_Check(*arg) ||
        PyExceptionInstance_Check(*arg)) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError,
                 "%s must be an exception class or instance, not '%.200s'", name,
                 Py_TYPE(*arg)->tp_name);
    return -1;
}

static void
raise_given(PyObject *exception, const char *name)
{
    PyObject *instance = gx_thrown_exception(&exception, 1);
    if (instance != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(instance), instance);
        Py_DECREF(instance);
    }
    gx_no_stop_iteration("%s()", name);
}

/* -- results ------------------------------------------------------------ */

static PyObject *
picked_or(gx_step *step, PyObject *otherwise)
{
    return Py_NewRef(step->state != NULL ? step->state : otherwise);
}

static PyObject *
picked_or_error(gx_run *run, gx_step *step, const char *text)
{
    if (step->state == NULL && step->args[0] == run->state->missing) {
        PyErr_SetString(PyExc_ValueError, text);
        return NULL;
    }
    return picked_or(step, step->args[0]);
}

/* -- first, last -------------------------------------------------------- */

static gx_answer
first_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    step->state = *item;
    return GX_STOP;
}

static gx_answer
last_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    PyObject *old = step->state;
    step->state = *item;
    Py_XDECREF(old);
    return GX_SKIP;
}

static PyObject *
first_result(gx_run *run, gx_step *step)
{
    return picked_or_error(run, step,
                           "first(): the pipe is empty and no default was given");
}

static PyObject *
last_result(gx_run *run, gx_step *step)
{
    return picked_or_error(run, step,
                           "last(): the pipe is empty and no default was given");
}

static const char *const default_params[] = {"default", NULL};
static const gx_signature first_signature = {"first", default_params, 1, 0, 1};
static const gx_signature last_signature = {"last", default_params, 1, 0, 1};

const gx_row gx_terminal_first = {
    .name = "first",
    .signature = &first_signature,
    .nargs = 1,
    .flags = GX_TERMINAL,
    .check = check_default,
    .before = first_before,
    .result = first_result,
};

const char gx_terminal_first_doc[] =
    "first($self, default=..., /)\n--\n\n"
    "Take one item and end. Raises ValueError if there is none and no default was\n"
    "given. As more_itertools.first.\n\n"
    ">>> pipe('abc').first()\n"
    "'a'";

const gx_row gx_terminal_last = {
    .name = "last",
    .signature = &last_signature,
    .nargs = 1,
    .flags = GX_TERMINAL,
    .check = check_default,
    .before = last_before,
    .result = last_result,
};

const char gx_terminal_last_doc[] =
    "last($self, default=..., /)\n--\n\n"
    "Run the pipe and return its last item. Raises ValueError if there is none and no\n"
    "default was given. As more_itertools.last.\n\n"
    ">>> pipe('abc').last()\n"
    "'c'";

/* -- nth ---------------------------------------------------------------- */

enum { NTH_N, NTH_DEFAULT };

static int
nth_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    none_if_missing(&args[NTH_DEFAULT]);
    return gx_check_size(&args[NTH_N], 0, "n must be at least 0");
}

/* step->limit is the number of items still to be passed over: none of a container
   that no stage stands before, unless they are to be counted. */
static int
nth_start(gx_run *run, gx_step *step)
{
    step->limit = PyLong_AsSsize_t(step->args[NTH_N]);
    if (run->nstages == 0 && run->counters == NULL) {
        Py_ssize_t skipped = gx_source_skip(&run->steps->source, step->limit);
        step->limit -= skipped;
        run->index += skipped;
    }
    return 0;
}

static gx_answer
nth_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    if (step->limit > 0) {
        step->limit--;
        Py_DECREF(*item);
        return GX_SKIP;
    }
    step->state = *item;
    return GX_STOP;
}

static PyObject *
nth_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    return picked_or(step, step->args[NTH_DEFAULT]);
}

static const char *const nth_params[] = {"n", "default", NULL};
static const gx_signature nth_signature = {"nth", nth_params, 0, 1, 2};

const gx_row gx_terminal_nth = {
    .name = "nth",
    .signature = &nth_signature,
    .nargs = 2,
    .flags = GX_TERMINAL,
    .check = nth_check,
    .start = nth_start,
    .before = nth_before,
    .result = nth_result,
};

const char gx_terminal_nth_doc[] =
    "nth($self, n, default=None)\n--\n\n"
    "Take items up to number n, counted from 0, and return that one, or default if\n"
    "there are fewer. Raises ValueError for n < 0. As more_itertools.nth.\n\n"
    ">>> pipe('abc').nth(1)\n"
    "'b'";

/* -- one, only ----------------------------------------------------------- */

/* args[1] of both: what to raise where there is a second item. */
enum { ONE_TOO_SHORT, ONE_TOO_LONG };
enum { ONLY_DEFAULT, ONLY_TOO_LONG };

static int
one_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    if (check_exception(&args[ONE_TOO_SHORT], "too_short") < 0) {
        return -1;
    }
    return check_exception(&args[ONE_TOO_LONG], "too_long");
}

static int
only_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    none_if_missing(&args[ONLY_DEFAULT]);
    return check_exception(&args[ONLY_TOO_LONG], "too_long");
}

static gx_answer
one_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    if (step->state == NULL) {
        step->state = *item;
        return GX_SKIP;
    }
    PyObject *too_long = step->args[ONE_TOO_LONG];
    if (too_long != Py_None) {
        raise_given(too_long, step->row->name);
    } else {
        gx_raise_format(PyExc_ValueError,
                        "Expected exactly one item in iterable, but got %R, %R, and "
                        "perhaps more.",
                        step->state, *item);
    }
    return GX_ERROR;
}

static PyObject *
one_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    PyObject *too_short = step->args[ONE_TOO_SHORT];
    if (step->state != NULL) {
        return Py_NewRef(step->state);
    }
    if (too_short != Py_None) {
        raise_given(too_short, "one");
    } else {
        PyErr_SetString(PyExc_ValueError, "too few items in iterable (expected 1)");
    }
    return NULL;
}

static PyObject *
only_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    return picked_or(step, step->args[ONLY_DEFAULT]);
}

static const char *const one_params[] = {"too_short", "too_long", NULL};
static const char *const only_params[] = {"default", "too_long", NULL};
static const gx_signature one_signature = {"one", one_params, 0, 0, 2};
static const gx_signature only_signature = {"only", only_params, 0, 0, 2};

const gx_row gx_terminal_one = {
    .name = "one",
    .signature = &one_signature,
    .nargs = 2,
    .flags = GX_TERMINAL,
    .check = one_check,
    .before = one_before,
    .result = one_result,
};

const char gx_terminal_one_doc[] =
    "one($self, too_short=None, too_long=None)\n--\n\n"
    "Return the only item. Takes two at most. Raises ValueError if there is none or\n"
    "more than one, or the exceptions given, classes or instances. As\n"
    "more_itertools.one.\n\n"
    ">>> pipe(['it']).one()\n"
    "'it'";

const gx_row gx_terminal_only = {
    .name = "only",
    .signature = &only_signature,
    .nargs = 2,
    .flags = GX_TERMINAL,
    .check = only_check,
    .before = one_before,
    .result = only_result,
};

const char gx_terminal_only_doc[] =
    "only($self, default=None, too_long=None)\n--\n\n"
    "Return the only item, or default if there is none. Takes two at most. Raises\n"
    "ValueError, or too_long, an exception class or instance, if there is more than\n"
    "one. As more_itertools.only.\n\n"
    ">>> pipe([]).only('nothing')\n"
    "'nothing'";

/* -- first_true ----------------------------------------------------------- */

/* In this order, the callback first; calls have them the other way round. */
enum { FIRST_TRUE_PRED, FIRST_TRUE_DEFAULT };

static int
first_true_parse(const gx_row *Py_UNUSED(row), PyObject *const *args, Py_ssize_t nargs,
                 PyObject *kwnames, PyObject **out)
{
    static const char *const params[] = {"default", "pred", NULL};
    static const gx_signature signature = {"first_true", params, 0, 0, 2};
    PyObject *given[2];
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, given) < 0) {
        return -1;
    }
    out[FIRST_TRUE_PRED] = Py_XNewRef(given[1]);
    out[FIRST_TRUE_DEFAULT] = Py_XNewRef(given[0]);
    return 0;
}

static int
first_true_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    none_if_missing(&args[FIRST_TRUE_PRED]);
    none_if_missing(&args[FIRST_TRUE_DEFAULT]);
    return args[FIRST_TRUE_PRED] == Py_None
               ? 0
               : gx_as_callable(&args[FIRST_TRUE_PRED], "pred");
}

/* The verdict `truth` (-1: an error is set) on an item. */
static gx_answer
pick_if(gx_step *step, int truth, PyObject **item)
{
    if (truth < 0) {
        return GX_ERROR;
    }
    if (truth) {
        step->state = *item;
        return GX_STOP;
    }
    Py_DECREF(*item);
    return GX_SKIP;
}

static gx_answer
first_true_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    return pick_if(step, PyObject_IsTrue(*item), item);
}

static gx_answer
first_true_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item,
                 PyObject *result)
{
    int truth = PyObject_IsTrue(result);
    Py_DECREF(result);
    return pick_if(step, truth, item);
}

static PyObject *
first_true_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    return picked_or(step, step->args[FIRST_TRUE_DEFAULT]);
}

/* Of the arguments as they are kept: for repr. */
static const char *const first_true_params[] = {"pred", "default", NULL};
static const gx_signature first_true_signature = {"first_true", first_true_params, 0, 0,
                                                  0};

const gx_row gx_terminal_first_true = {
    .name = "first_true",
    .signature = &first_true_signature,
    .nargs = 2,
    .flags = GX_TERMINAL | GX_DIRECT,
    .call = GX_CALL_ITEM,
    .parse = first_true_parse,
    .check = first_true_check,
    .before = first_true_before,
    .after = first_true_after,
    .result = first_true_result,
};

const char gx_terminal_first_true_doc[] =
    "first_true($self, default=None, pred=None)\n--\n\n"
    "Take items up to the first for which pred(item) is true, without pred the first\n"
    "true one, and return it, or default if there is none. As\n"
    "more_itertools.first_true.\n\n"
    ">>> pipe([3, 8, 5]).first_true(pred=lambda n: n > 4)\n"
    "8";
