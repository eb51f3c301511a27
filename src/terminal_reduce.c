/* Terminals that keep one value: reduce, min, max, any, all, count, for_each,
   consume. */

#include "pipeline.h"

static const char *const no_params[] = {NULL};
static const char *const func_params[] = {"func", NULL};

static PyObject *
none_result(gx_run *Py_UNUSED(run), gx_step *Py_UNUSED(step))
{
    return Py_NewRef(Py_None);
}

/* step->state, or `otherwise`, or ValueError if that is missing too. */
static PyObject *
state_or_default(gx_run *run, gx_step *step, PyObject *otherwise, const char *text)
{
    if (step->state != NULL) {
        return Py_NewRef(step->state);
    }
    if (otherwise != run->state->missing) {
        return Py_NewRef(otherwise);
    }
    PyErr_SetString(PyExc_ValueError, text);
    return NULL;
}

/* -- reduce ------------------------------------------------------------- */

static int
reduce_check(gx_state *state, PyObject **args, bool Py_UNUSED(reusable))
{
    if (args[1] == NULL) {
        args[1] = Py_NewRef(state->missing);
    }
    return gx_check_callable(args[0], "func");
}

static int
reduce_start(gx_run *run, gx_step *step)
{
    PyObject *initial = step->args[1];
    step->state = initial == run->state->missing ? NULL : Py_NewRef(initial);
    return 0;
}

static gx_answer
reduce_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    if (step->state != NULL) {
        return GX_CALL;
    }
    step->state = *item;
    return GX_SKIP;
}

static gx_answer
reduce_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item, PyObject *result)
{
    PyObject *old = step->state;
    step->state = result;
    Py_DECREF(old);
    Py_DECREF(*item);
    return GX_SKIP;
}

static PyObject *
reduce_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    if (step->state == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "reduce() of empty iterable with no initial value");
        return NULL;
    }
    return Py_NewRef(step->state);
}

static const char *const reduce_params[] = {"func", "initial", NULL};
static const gx_signature reduce_signature = {"reduce", reduce_params, 1, 1, 2};

const gx_row gx_terminal_reduce = {
    .name = "reduce",
    .signature = &reduce_signature,
    .nargs = 2,
    .flags = GX_TERMINAL,
    .call = GX_CALL_FOLD,
    .check = reduce_check,
    .start = reduce_start,
    .before = reduce_before,
    .after = reduce_after,
    .result = reduce_result,
};

const char gx_terminal_reduce_doc[] =
    "reduce($self, func, /, initial=...)\n--\n\n"
    "Run the pipe, folding it into one value by value = func(value, item). Raises\n"
    "TypeError if it is empty and no initial value was given. As functools.reduce.\n\n"
    ">>> pipe([1, 2, 3]).reduce(lambda a, b: a * 10 + b)\n"
    "123";

/* -- min, max ----------------------------------------------------------- */

enum { EXTREME_KEY, EXTREME_DEFAULT };

static int
extreme_check(gx_state *state, PyObject **args, bool Py_UNUSED(reusable))
{
    if (args[EXTREME_DEFAULT] == NULL) {
        args[EXTREME_DEFAULT] = Py_NewRef(state->missing);
    }
    if (args[EXTREME_KEY] == NULL) {
        args[EXTREME_KEY] = Py_NewRef(Py_None);
    }
    return args[EXTREME_KEY] == Py_None ? 0 : gx_as_callable(&args[EXTREME_KEY], "key");
}

/* Keep *item, whose key is `key` (both taken), if it beats the best so far: the
   first of equals stays. step->state is the best item, step->key its key. */
static gx_answer
extreme_keep(gx_step *step, PyObject **item, PyObject *key, int op)
{
    int better = step->state == NULL ? 1 : PyObject_RichCompareBool(key, step->key, op);
    if (better < 0) {
        Py_DECREF(key);
        return GX_ERROR;
    }
    if (better) {
        PyObject *old_item = step->state, *old_key = step->key;
        step->state = *item;
        step->key = key;
        Py_XDECREF(old_item);
        Py_XDECREF(old_key);
    } else {
        Py_DECREF(*item);
        Py_DECREF(key);
    }
    return GX_SKIP;
}

static gx_answer
min_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    return extreme_keep(step, item, Py_NewRef(*item), Py_LT);
}

static gx_answer
min_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item, PyObject *result)
{
    return extreme_keep(step, item, result, Py_LT);
}

static gx_answer
max_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    return extreme_keep(step, item, Py_NewRef(*item), Py_GT);
}

static gx_answer
max_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item, PyObject *result)
{
    return extreme_keep(step, item, result, Py_GT);
}

#if PY_VERSION_HEX < 0x030C0000
#define EMPTY_TEXT "() arg is an empty sequence"
#else
#define EMPTY_TEXT "() iterable argument is empty"
#endif

static PyObject *
min_result(gx_run *run, gx_step *step)
{
    return state_or_default(run, step, step->args[EXTREME_DEFAULT], "min" EMPTY_TEXT);
}

static PyObject *
max_result(gx_run *run, gx_step *step)
{
    return state_or_default(run, step, step->args[EXTREME_DEFAULT], "max" EMPTY_TEXT);
}

static const char *const extreme_params[] = {"key", "default", NULL};
static const gx_signature min_signature = {"min", extreme_params, 0, 0, 0};
static const gx_signature max_signature = {"max", extreme_params, 0, 0, 0};

const gx_row gx_terminal_min = {
    .name = "min",
    .signature = &min_signature,
    .nargs = 2,
    .flags = GX_TERMINAL | GX_DIRECT,
    .call = GX_CALL_ITEM,
    .check = extreme_check,
    .before = min_before,
    .after = min_after,
    .result = min_result,
};

const char gx_terminal_min_doc[] =
    "min($self, *, key=None, default=...)\n--\n\n"
    "Run the pipe and return its smallest item, the first of equals. Raises ValueError\n"
    "if it is empty and no default was given. As the builtin min().\n\n"
    ">>> pipe(['bb', 'a']).min(key=len)\n"
    "'a'";

const gx_row gx_terminal_max = {
    .name = "max",
    .signature = &max_signature,
    .nargs = 2,
    .flags = GX_TERMINAL | GX_DIRECT,
    .call = GX_CALL_ITEM,
    .check = extreme_check,
    .before = max_before,
    .after = max_after,
    .result = max_result,
};

const char gx_terminal_max_doc[] =
    "max($self, *, key=None, default=...)\n--\n\n"
    "Run the pipe and return its largest item, the first of equals. Raises ValueError\n"
    "if it is empty and no default was given. As the builtin max().\n\n"
    ">>> pipe(['bb', 'a']).max(key=len)\n"
    "'bb'";

/* -- any, all ----------------------------------------------------------- */

/* step->phase is 1 once the answer is known before the end. */
static gx_answer
decide(gx_step *step, PyObject **item, int deciding)
{
    int truth = PyObject_IsTrue(*item);
    if (truth < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*item);
    if (truth != deciding) {
        return GX_SKIP;
    }
    step->phase = 1;
    return GX_STOP;
}

static gx_answer
any_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    return decide(step, item, 1);
}

static gx_answer
all_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    return decide(step, item, 0);
}

static PyObject *
any_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    return PyBool_FromLong(step->phase);
}

static PyObject *
all_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    return PyBool_FromLong(!step->phase);
}

static const gx_signature any_signature = {"any", no_params, 0, 0, 0};
static const gx_signature all_signature = {"all", no_params, 0, 0, 0};

const gx_row gx_terminal_any = {
    .name = "any",
    .signature = &any_signature,
    .flags = GX_TERMINAL,
    .before = any_before,
    .result = any_result,
};

const char gx_terminal_any_doc[] =
    "any($self)\n--\n\n"
    "Run the pipe until an item is true and say whether there was one. As the builtin\n"
    "any().\n\n"
    ">>> pipe([0, 2]).any()\n"
    "True";

const gx_row gx_terminal_all = {
    .name = "all",
    .signature = &all_signature,
    .flags = GX_TERMINAL,
    .before = all_before,
    .result = all_result,
};

const char gx_terminal_all_doc[] =
    "all($self)\n--\n\n"
    "Run the pipe until an item is false and say whether all were true. As the builtin\n"
    "all().\n\n"
    ">>> pipe([0, 2]).all()\n"
    "False";

/* -- count, for_each, consume -------------------------------------------- */

static gx_answer
count_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    step->count++;
    Py_DECREF(*item);
    return GX_SKIP;
}

static PyObject *
count_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    return PyLong_FromSsize_t(step->count);
}

static gx_answer
for_each_after(gx_run *Py_UNUSED(run), gx_step *Py_UNUSED(step), PyObject **item,
               PyObject *result)
{
    Py_DECREF(result);
    Py_DECREF(*item);
    return GX_SKIP;
}

static int
consume_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    return gx_check_optional_size(&args[0], 0, "n must be at least 0");
}

/* step->limit is the number of items to take, -1 for all. */
static int
consume_start(gx_run *run, gx_step *step)
{
    PyObject *n = step->args[0];
    step->limit = n == Py_None ? -1 : PyLong_AsSsize_t(n);
    if (step->limit == 0) {
        gx_run_stop_later(run, step);
    }
    return 0;
}

static gx_answer
consume_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    Py_DECREF(*item);
    return ++step->count == step->limit ? GX_STOP : GX_SKIP;
}

static const char *const n_params[] = {"n", NULL};
static const gx_signature count_signature = {"count", no_params, 0, 0, 0};
static const gx_signature for_each_signature = {"for_each", func_params, 1, 1, 1};
static const gx_signature consume_signature = {"consume", n_params, 1, 0, 1};

const gx_row gx_terminal_count = {
    .name = "count",
    .signature = &count_signature,
    .flags = GX_TERMINAL,
    .before = count_before,
    .result = count_result,
};

const char gx_terminal_count_doc[] =
    "count($self)\n--\n\n"
    "Run the pipe and return the number of its items. As more_itertools.ilen.\n\n"
    ">>> pipe('abc').count()\n"
    "3";

const gx_row gx_terminal_for_each = {
    .name = "for_each",
    .signature = &for_each_signature,
    .nargs = 1,
    .flags = GX_TERMINAL,
    .call = GX_CALL_ITEM,
    .after = for_each_after,
    .result = none_result,
};

const char gx_terminal_for_each_doc[] =
    "for_each($self, func, /)\n--\n\n"
    "Run the pipe, calling func(item) for each item; what it returns is dropped.\n\n"
    ">>> pipe('ab').for_each(print)\n"
    "a\n"
    "b";

const gx_row gx_terminal_consume = {
    .name = "consume",
    .signature = &consume_signature,
    .nargs = 1,
    .flags = GX_TERMINAL,
    .check = consume_check,
    .start = consume_start,
    .before = consume_before,
    .result = none_result,
};

const char gx_terminal_consume_doc[] =
    "consume($self, n=None, /)\n--\n\n"
    "Run the pipe to its end, or take n items and end it, and keep nothing. Raises\n"
    "ValueError for n < 0. As more_itertools.consume.\n\n"
    ">>> numbers = iter([1, 2, 3])\n"
    ">>> pipe(numbers).consume(2)\n"
    ">>> next(numbers)\n"
    "3";
