/* Stages that cut the stream into lists where a predicate says: split_at,
   split_before, split_after, split_when. */

#include "pipeline.h"

/* -- parts -------------------------------------------------------------- */

enum { SPLIT_PRED, SPLIT_MAX, SPLIT_KEEP };

/* Any int below 0 is "no limit". */
static int
check_maxsplit(PyObject **arg)
{
    PyObject *index = *arg != NULL ? PyNumber_Index(*arg) : PyLong_FromLong(-1);
    if (index == NULL) {
        return -1;
    }
    int overflow;
    long value = PyLong_AsLongAndOverflow(index, &overflow);
    if (overflow < 0 || (overflow == 0 && value < 0)) {
        Py_SETREF(index, PyLong_FromLong(-1));
    }
    Py_XSETREF(*arg, index);
    return index == NULL ? -1 : gx_check_size(arg, -1, "");
}

static int
split_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    return gx_as_callable(&args[SPLIT_PRED], "pred") < 0
               ? -1
               : check_maxsplit(&args[SPLIT_MAX]);
}

static PyObject *
list_of(PyObject *item)
{
    PyObject *list = PyList_New(1);
    if (list != NULL) {
        PyList_SET_ITEM(list, 0, Py_NewRef(item));
    }
    return list;
}

/* step->key is the part that grows, a list or NULL for an empty one. */
static int
add_item(gx_step *step, PyObject *item)
{
    if (step->key != NULL) {
        return PyList_Append(step->key, item);
    }
    step->key = list_of(item);
    return step->key == NULL ? -1 : 0;
}

static gx_answer
keep_item(gx_step *step, PyObject **item)
{
    if (add_item(step, *item) < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*item);
    return GX_SKIP;
}

/* In place of the call, once there are no more splits to be made. */
static gx_answer
rest_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    return keep_item(step, item);
}

/* step->limit is the number of splits still to be made, or -1. */
static int
split_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    step->limit = PyLong_AsSsize_t(step->args[SPLIT_MAX]);
    if (step->limit == 0) {
        step->before = rest_before;
    }
    return 0;
}

/* The part goes on in the place of *item (taken), and `next` (stolen, or NULL) is the
   new part. */
static gx_answer
end_part(gx_step *step, PyObject **item, PyObject *next)
{
    PyObject *part = step->key;
    step->key = next;
    if (step->limit > 0 && --step->limit == 0) {
        step->before = rest_before;
    }
    Py_SETREF(*item, part);
    return GX_EMIT;
}

static bool
is_empty(gx_step *step)
{
    return step->key == NULL || PyList_GET_SIZE(step->key) == 0;
}

/* The part that grows, and a separator that waits. */
static Py_ssize_t
split_held(gx_step *step)
{
    Py_ssize_t part = step->key != NULL ? PyList_GET_SIZE(step->key) : 0;
    return part + (step->pending != NULL);
}

/* The last part, unless it is empty. */
static gx_answer
split_refill(gx_run *Py_UNUSED(run), gx_step *step, PyObject **Py_UNUSED(item))
{
    if (is_empty(step)) {
        return GX_SKIP;
    }
    PyObject *part = step->key;
    step->key = NULL;
    gx_step_give(step, part);
    return GX_OPEN;
}

static const char *const split_params[] = {"pred", "maxsplit", NULL};

/* -- split_at ----------------------------------------------------------- */

static int
split_at_check(gx_state *state, PyObject **args, bool reusable)
{
    return split_check(state, args, reusable) < 0 ? -1
                                                  : gx_check_bool(&args[SPLIT_KEEP]);
}

/* What waits to go on: step->pending, then the list step->state. */
static PyObject *
fetch_waiting(gx_source *source)
{
    gx_step *step = (gx_step *)source;
    PyObject *item = step->pending, *others = step->state;
    step->pending = NULL;
    if (others != NULL && PyList_GET_SIZE(others) > 0) {
        step->pending = Py_NewRef(PyList_GET_ITEM(others, 0));
        if (PyList_SetSlice(others, 0, 1, NULL) < 0) {
            Py_CLEAR(item);
        }
    }
    return item;
}

/* A separator kept for the next call. If one waits already, *item answered a throw()
   and has overtaken it: then its part gets in line, too. */
static gx_answer
wait_in_line(gx_step *step, PyObject **part, PyObject *separator)
{
    if (step->pending == NULL) {
        step->pending = separator;
        step->source.fetch = fetch_waiting;
        return GX_EMIT_MORE;
    }
    int rc = -1;
    if (step->state != NULL || (step->state = PyList_New(0)) != NULL) {
        rc = PyList_Append(step->state, *part);
        rc = rc < 0 ? rc : PyList_Append(step->state, separator);
    }
    Py_DECREF(separator);
    if (rc < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*part);
    return GX_SKIP;
}

static gx_answer
split_at_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item, PyObject *result)
{
    int truth = gx_truth(result);
    if (truth <= 0) {
        return truth < 0 ? GX_ERROR : keep_item(step, item);
    }
    if (step->key == NULL && (step->key = PyList_New(0)) == NULL) {
        return GX_ERROR;
    }
    if (step->args[SPLIT_KEEP] != Py_True) {
        return end_part(step, item, NULL);
    }
    PyObject *separator = list_of(*item);
    if (separator == NULL) {
        return GX_ERROR;
    }
    (void)end_part(step, item, NULL);
    return wait_in_line(step, item, separator);
}

/* And what stands in line behind that. */
static Py_ssize_t
split_at_held(gx_step *step)
{
    PyObject *parts = step->state;
    Py_ssize_t held = split_held(step);
    for (Py_ssize_t i = 0; parts != NULL && i < PyList_GET_SIZE(parts); i++) {
        PyObject *part = PyList_GET_ITEM(parts, i);
        held += PyList_CheckExact(part) ? PyList_GET_SIZE(part) : 0;
    }
    return held;
}

/* The last part, once, even if it is empty. */
static gx_answer
split_at_refill(gx_run *run, gx_step *step, PyObject **item)
{
    if (step->phase != 0) {
        return GX_SKIP;
    }
    if (!is_empty(step)) {
        step->phase = 1;
        return split_refill(run, step, item);
    }
    PyObject *part = PyList_New(0);
    if (part == NULL) {
        return GX_ERROR;
    }
    step->phase = 1;
    gx_step_give(step, part);
    return GX_OPEN;
}

static const char *const split_at_params[] = {"pred", "maxsplit", "keep_separator",
                                              NULL};
static const gx_signature split_at_signature = {"split_at", split_at_params, 0, 1, 3};

const gx_row gx_stage_split_at = {
    .name = "split_at",
    .signature = &split_at_signature,
    .nargs = 3,
    .flags = GX_DIRECT,
    .call = GX_CALL_ITEM,
    .check = split_at_check,
    .start = split_start,
    .after = split_at_after,
    .refill = split_at_refill,
    .held = split_at_held,
};

const char gx_stage_split_at_doc[] =
    "split_at($self, pred, maxsplit=-1, keep_separator=False)\n--\n\n"
    "Lists of the items between those for which pred(item) is true, at most maxsplit\n"
    "of which count. These are dropped, or given as lists of their own with\n"
    "keep_separator. As more_itertools.split_at.\n\n"
    ">>> pipe('ab cd').split_at(str.isspace).list()\n"
    "[['a', 'b'], ['c', 'd']]";

/* -- split_before, split_after ------------------------------------------ */

static gx_answer
split_before_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item,
                   PyObject *result)
{
    int truth = gx_truth(result);
    if (truth < 0) {
        return GX_ERROR;
    }
    if (truth == 0 || is_empty(step)) {
        return keep_item(step, item);
    }
    PyObject *next = list_of(*item);
    return next == NULL ? GX_ERROR : end_part(step, item, next);
}

static gx_answer
split_after_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item,
                  PyObject *result)
{
    int truth = gx_truth(result);
    if (truth <= 0) {
        return truth < 0 ? GX_ERROR : keep_item(step, item);
    }
    return add_item(step, *item) < 0 ? GX_ERROR : end_part(step, item, NULL);
}

static const gx_signature split_before_signature = {"split_before", split_params, 0, 1,
                                                    2};
static const gx_signature split_after_signature = {"split_after", split_params, 0, 1,
                                                   2};

const gx_row gx_stage_split_before = {
    .name = "split_before",
    .signature = &split_before_signature,
    .nargs = 2,
    .flags = GX_DIRECT,
    .call = GX_CALL_ITEM,
    .check = split_check,
    .start = split_start,
    .after = split_before_after,
    .refill = split_refill,
    .held = split_held,
};

const char gx_stage_split_before_doc[] =
    "split_before($self, pred, maxsplit=-1)\n--\n\n"
    "Lists of items, cut before each item for which pred(item) is true, at most\n"
    "maxsplit times. As more_itertools.split_before.\n\n"
    ">>> pipe('OneTwo').split_before(str.isupper).list()\n"
    "[['O', 'n', 'e'], ['T', 'w', 'o']]";

const gx_row gx_stage_split_after = {
    .name = "split_after",
    .signature = &split_after_signature,
    .nargs = 2,
    .flags = GX_DIRECT,
    .call = GX_CALL_ITEM,
    .check = split_check,
    .start = split_start,
    .after = split_after_after,
    .refill = split_refill,
    .held = split_held,
};

const char gx_stage_split_after_doc[] =
    "split_after($self, pred, maxsplit=-1)\n--\n\n"
    "Lists of items, cut after each item for which pred(item) is true, at most\n"
    "maxsplit times. As more_itertools.split_after.\n\n"
    ">>> pipe('ab.c.').split_after('.'.__eq__).list()\n"
    "[['a', 'b', '.'], ['c', '.']]";

/* -- split_when --------------------------------------------------------- */

/* The first item has none before it to be compared with. step->state is the item
   before, which the call takes as its first argument. */
static gx_answer
split_when_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    if (add_item(step, *item) < 0) {
        return GX_ERROR;
    }
    step->before = NULL;
    step->state = *item;
    return GX_SKIP;
}

static gx_answer
split_when_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item,
                 PyObject *result)
{
    int truth = gx_truth(result);
    PyObject *previous = step->state, *current = *item;
    if (truth == 0) {
        if (add_item(step, current) < 0) {
            return GX_ERROR;
        }
        step->state = current;
        Py_DECREF(previous);
        return GX_SKIP;
    }
    PyObject *next = truth > 0 ? list_of(current) : NULL;
    if (next == NULL) {
        return GX_ERROR;
    }
    step->state = Py_NewRef(current);
    gx_answer answer = end_part(step, item, next);
    Py_DECREF(previous);
    return answer;
}

static const gx_signature split_when_signature = {"split_when", split_params, 0, 1, 2};

const gx_row gx_stage_split_when = {
    .name = "split_when",
    .signature = &split_when_signature,
    .nargs = 2,
    .call = GX_CALL_FOLD,
    .check = split_check,
    .start = split_start,
    .before = split_when_before,
    .after = split_when_after,
    .refill = split_refill,
    .held = split_held,
};

const char gx_stage_split_when_doc[] =
    "split_when($self, pred, maxsplit=-1)\n--\n\n"
    "Lists of items, cut between two neighbours for which pred(item, next) is true, at\n"
    "most maxsplit times. As more_itertools.split_when.\n\n"
    ">>> import operator\n"
    ">>> pipe([1, 2, 3, 1, 2]).split_when(operator.gt).list()\n"
    "[[1, 2, 3], [1, 2]]";
