/* Stages that put several items into one: batched. */

#include "pipeline.h"

/* -- batched ------------------------------------------------------------ */

enum { BATCHED_N, BATCHED_STRICT };

static int
batched_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    int strict = args[BATCHED_STRICT] ? PyObject_IsTrue(args[BATCHED_STRICT]) : 0;
    if (strict < 0) {
        return -1;
    }
    Py_XSETREF(args[BATCHED_STRICT], Py_NewRef(strict ? Py_True : Py_False));
    return gx_check_size(&args[BATCHED_N], 1, "n must be at least one");
}

/* step->state is the part batch, a list that grows as items come: n is never
   trusted for an allocation. An error upstream leaves it here. */
static int
batched_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    step->limit = PyLong_AsSsize_t(step->args[BATCHED_N]);
    return 0;
}

/* The part batch as a tuple; the list stays for the next one. */
static PyObject *
take_batch(gx_step *step)
{
    PyObject *batch = PyList_AsTuple(step->state);
    if (batch != NULL &&
        PyList_SetSlice(step->state, 0, PyList_GET_SIZE(step->state), NULL) < 0) {
        Py_CLEAR(batch);
    }
    return batch;
}

static gx_answer
batched_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    if (step->state == NULL && (step->state = PyList_New(0)) == NULL) {
        return GX_ERROR;
    }
    if (PyList_Append(step->state, *item) < 0) {
        return GX_ERROR;
    }
    if (PyList_GET_SIZE(step->state) < step->limit) {
        Py_DECREF(*item);
        return GX_SKIP;
    }
    PyObject *batch = take_batch(step);
    if (batch == NULL) { /* the failing item is consumed */
        (void)PyList_SetSlice(step->state, step->limit - 1, step->limit, NULL);
        return GX_ERROR;
    }
    Py_SETREF(*item, batch);
    return GX_EMIT;
}

static gx_answer
batched_refill(gx_run *Py_UNUSED(run), gx_step *step, PyObject **Py_UNUSED(item))
{
    if (step->state == NULL || PyList_GET_SIZE(step->state) == 0) {
        return GX_SKIP;
    }
    if (step->args[BATCHED_STRICT] == Py_True) {
        Py_CLEAR(step->state);
        PyErr_SetString(PyExc_ValueError, "batched(): incomplete batch");
        return GX_ERROR;
    }
    PyObject *batch = take_batch(step);
    if (batch == NULL) {
        return GX_ERROR;
    }
    gx_step_give(step, batch);
    return GX_OPEN;
}

static Py_ssize_t
batched_hint(gx_step *step, Py_ssize_t upstream)
{
    Py_ssize_t held = step->state != NULL ? PyList_GET_SIZE(step->state) : 0;
    Py_ssize_t items = gx_add_hints(upstream, held);
    if (items < 0) {
        return items;
    }
    Py_ssize_t batches = items / step->limit + (items % step->limit != 0);
    return gx_add_hints(batches, step->pending != NULL);
}

static const char *const batched_params[] = {"n", "strict", NULL};
static const gx_signature batched_signature = {"batched", batched_params, 0, 1, 1};

const gx_row gx_stage_batched = {
    .name = "batched",
    .signature = &batched_signature,
    .nargs = 2,
    .check = batched_check,
    .start = batched_start,
    .before = batched_before,
    .refill = batched_refill,
    .hint = batched_hint,
};

const char gx_stage_batched_doc[] =
    "batched($self, n, *, strict=False)\n--\n\n"
    "Put the items into tuples of n; the last may be shorter, or is a ValueError if\n"
    "strict. An error upstream keeps the part batch for the next call. Raises\n"
    "ValueError for n < 1. As itertools.batched.\n\n"
    ">>> pipe('abcde').batched(2).list()\n"
    "[('a', 'b'), ('c', 'd'), ('e',)]";
