/* Stages whose output hangs on what went before: accumulate, intersperse. */

#include "pipeline.h"

/* -- accumulate --------------------------------------------------------- */

enum { ACCUMULATE_FUNC, ACCUMULATE_INITIAL };

static int
accumulate_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    for (int i = 0; i < 2; i++) {
        if (args[i] == NULL) {
            args[i] = Py_NewRef(Py_None);
        }
    }
    return args[ACCUMULATE_FUNC] == Py_None
               ? 0
               : gx_check_callable(args[ACCUMULATE_FUNC], "func");
}

/* step->state is the total. An initial value comes out without an item being asked
   for: a prefix step; `phase` is 1 until it has. */
static int
accumulate_start(gx_run *run, gx_step *step)
{
    PyObject *initial = step->args[ACCUMULATE_INITIAL];
    if (initial != Py_None) {
        step->state = Py_NewRef(initial);
        step->phase = 1;
        step->many = true;
        step->prefix = true;
        gx_run_push(run, step);
    }
    return 0;
}

static gx_answer
accumulate_refill(gx_run *Py_UNUSED(run), gx_step *step, PyObject **Py_UNUSED(item))
{
    if (step->phase == 0 || step->state == NULL) {
        return GX_SKIP;
    }
    step->phase = 0;
    gx_step_give(step, Py_NewRef(step->state));
    return GX_OPEN;
}

/* The new total goes on; behind the initial value, if an answer to throw() has come
   before that. */
static gx_answer
accumulate_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item,
                 PyObject *result)
{
    PyObject *old_item = *item, *old = step->state;
    gx_answer answer = GX_EMIT;
    step->state = Py_NewRef(result);
    *item = result;
    if (step->phase != 0) {
        step->phase = 0;
        gx_step_give(step, result);
        *item = Py_NewRef(old);
        answer = GX_EMIT_MORE;
    }
    Py_DECREF(old_item);
    Py_DECREF(old);
    return answer;
}

/* Exact ints and floats are added by their slot, without the search for one. */
static inline PyObject *
add(PyObject *total, PyObject *item)
{
    if (PyLong_CheckExact(total) && PyLong_CheckExact(item)) {
        return PyLong_Type.tp_as_number->nb_add(total, item);
    }
    if (PyFloat_CheckExact(total) && PyFloat_CheckExact(item)) {
        return PyFloat_Type.tp_as_number->nb_add(total, item);
    }
    return PyNumber_Add(total, item);
}

static gx_answer
accumulate_before(gx_run *run, gx_step *step, PyObject **item)
{
    if (step->state == NULL) {
        step->state = Py_NewRef(*item);
        return GX_EMIT;
    }
    if (step->func != NULL) {
        return GX_CALL;
    }
    PyObject *result = add(step->state, *item);
    return result == NULL ? GX_ERROR : accumulate_after(run, step, item, result);
}

static Py_ssize_t
accumulate_hint(gx_step *step, Py_ssize_t upstream)
{
    return gx_add_hints(upstream, (step->phase != 0) + (step->pending != NULL));
}

static const char *const accumulate_params[] = {"func", "initial", NULL};
static const gx_signature accumulate_signature = {"accumulate", accumulate_params, 0, 0,
                                                  1};

const gx_row gx_stage_accumulate = {
    .name = "accumulate",
    .signature = &accumulate_signature,
    .nargs = 2,
    .flags = GX_ONE_TO_ONE,
    .call = GX_CALL_FOLD,
    .check = accumulate_check,
    .start = accumulate_start,
    .before = accumulate_before,
    .after = accumulate_after,
    .refill = accumulate_refill,
    .hint = accumulate_hint,
};

const char gx_stage_accumulate_doc[] =
    "accumulate($self, func=None, *, initial=None)\n--\n\n"
    "Replace each item by func(total, item), the new total; the first goes on as it\n"
    "is. None as func adds.\n\n"
    "An initial value that is not None is the first total and comes out first. As\n"
    "itertools.accumulate.\n\n"
    ">>> pipe([3, 1, 4]).accumulate().list()\n"
    "[3, 4, 8]\n"
    ">>> pipe([3, 1, 4]).accumulate(max, initial=2).list()\n"
    "[2, 3, 3, 4]";

/* -- intersperse -------------------------------------------------------- */

enum { INTERSPERSE_E, INTERSPERSE_N };

static int
intersperse_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    if (args[INTERSPERSE_N] == NULL &&
        (args[INTERSPERSE_N] = PyLong_FromLong(1)) == NULL) {
        return -1;
    }
    return gx_check_size(&args[INTERSPERSE_N], 1, "n must be > 0");
}

/* step->count items have gone on since the last e, at most `limit`. */
static int
intersperse_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    step->limit = PyLong_AsSsize_t(step->args[INTERSPERSE_N]);
    return 0;
}

/* An answer to throw() overtakes the item that waits behind e. */
static gx_answer
intersperse_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    if (step->pending != NULL) {
        return GX_EMIT;
    }
    if (step->count < step->limit) {
        step->count++;
        return GX_EMIT;
    }
    step->count = 1;
    gx_step_give(step, *item);
    *item = Py_NewRef(step->args[INTERSPERSE_E]);
    return GX_EMIT_MORE;
}

static Py_ssize_t
intersperse_hint(gx_step *step, Py_ssize_t upstream)
{
    if (upstream == 0) {
        return step->pending != NULL;
    }
    /* count + upstream - 1, which may be more than there are numbers */
    Py_ssize_t before = gx_add_hints(upstream - 1, step->count);
    Py_ssize_t items = gx_add_hints(upstream, step->pending != NULL);
    return before < 0 ? before : gx_add_hints(items, before / step->limit);
}

static Py_ssize_t
intersperse_held(gx_step *step)
{
    return step->pending != NULL;
}

static const char *const intersperse_params[] = {"e", "n", NULL};
static const gx_signature intersperse_signature = {"intersperse", intersperse_params, 0,
                                                   1, 2};

const gx_row gx_stage_intersperse = {
    .name = "intersperse",
    .signature = &intersperse_signature,
    .nargs = 2,
    .check = intersperse_check,
    .start = intersperse_start,
    .before = intersperse_before,
    .hint = intersperse_hint,
    .held = intersperse_held,
};

const char gx_stage_intersperse_doc[] =
    "intersperse($self, e, n=1)\n--\n\n"
    "Put e between each n items, never at the ends. Raises ValueError for n < 1. As\n"
    "more_itertools.intersperse.\n\n"
    ">>> pipe('abc').intersperse('-').list()\n"
    "['a', '-', 'b', '-', 'c']";
