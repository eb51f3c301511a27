/* Stages that drop what has come before: unique_everseen, unique_justseen. */

#include "keys.h"
#include "pipeline.h"
#include "recent.h"

enum { UNIQUE_KEY, UNIQUE_MAXLEN };

static int
check_key(PyObject **args)
{
    if (args[UNIQUE_KEY] == NULL) {
        args[UNIQUE_KEY] = Py_NewRef(Py_None);
    }
    return args[UNIQUE_KEY] == Py_None ? 0 : gx_as_callable(&args[UNIQUE_KEY], "key");
}

/* -- unique_everseen ---------------------------------------------------- */

static int
unique_everseen_check(gx_state *Py_UNUSED(state), PyObject **args,
                      bool Py_UNUSED(reusable))
{
    if (check_key(args) < 0) {
        return -1;
    }
    return gx_check_optional_size(&args[UNIQUE_MAXLEN], 1, "maxlen must be >= 1");
}

/* step->state has the keys seen: gx_keys, or gx_recent if there may be `limit` of them. */
static int
unique_everseen_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    PyObject *maxlen = step->args[UNIQUE_MAXLEN];
    step->limit = maxlen == Py_None ? 0 : PyLong_AsSsize_t(maxlen);
    return 0;
}

/* 1 if `key` has not been met: it has now. 0, or -1. */
static inline int
meet(gx_run *run, gx_step *step, PyObject *key)
{
    if (step->state == NULL) {
        step->state = step->limit != 0 ? gx_recent_new(run->state, step->limit)
                                       : gx_keys_new(run->state);
        if (step->state == NULL) {
            return -1;
        }
    }
    return step->limit != 0 ? gx_recent_meet(step->state, key)
                            : gx_keys_add(step->state, key);
}

static gx_answer
unique_everseen_before(gx_run *run, gx_step *step, PyObject **item)
{
    for (;;) {
        int met = meet(run, step, *item);
        if (met != 0) {
            return met < 0 ? GX_ERROR : GX_EMIT;
        }
        Py_DECREF(*item);
        if (!gx_take_next(run, step, item)) {
            return GX_SKIP;
        }
    }
}

static gx_answer
unique_everseen_after(gx_run *run, gx_step *step, PyObject **item, PyObject *result)
{
    int met = meet(run, step, result);
    Py_DECREF(result);
    return gx_keep_if(met, 1, item);
}

/* The keys. */
static Py_ssize_t
unique_everseen_held(gx_step *step)
{
    return step->state == NULL ? 0
           : step->limit != 0  ? gx_recent_size(step->state)
                               : gx_keys_size(step->state);
}

static const char *const everseen_params[] = {"key", "maxlen", NULL};
static const gx_signature everseen_signature = {"unique_everseen", everseen_params, 0,
                                                0, 1};

const gx_row gx_stage_unique_everseen = {
    .name = "unique_everseen",
    .signature = &everseen_signature,
    .nargs = 2,
    .flags = GX_ONE_TO_ONE | GX_DIRECT,
    .call = GX_CALL_ITEM,
    .check = unique_everseen_check,
    .start = unique_everseen_start,
    .before = unique_everseen_before,
    .after = unique_everseen_after,
    .held = unique_everseen_held,
};

const char gx_stage_unique_everseen_doc[] =
    "unique_everseen($self, key=None, *, maxlen=None)\n--\n\n"
    "Drop each item that is equal, or whose key(item) is, to one that came before.\n\n"
    "All keys are kept, or the maxlen that were met last. Raises TypeError at what\n"
    "cannot be hashed, ValueError for maxlen < 1. As more_itertools.unique_everseen.\n\n"
    ">>> pipe('abAc').unique_everseen(str.lower).list()\n"
    "['a', 'b', 'c']";

/* -- unique_justseen ---------------------------------------------------- */

static int
unique_justseen_check(gx_state *Py_UNUSED(state), PyObject **args,
                      bool Py_UNUSED(reusable))
{
    return check_key(args);
}

/* step->key is the key of the item that went on last, or NULL. 1 if `key` is another,
   which is taken then, 0 or -1. */
static inline int
meet_next(gx_step *step, PyObject *key)
{
    PyObject *last = step->key;
    int same = last != NULL ? gx_same(last, key) : 0;
    if (same != 0) {
        return same < 0 ? -1 : 0;
    }
    step->key = Py_NewRef(key);
    Py_XDECREF(last);
    return 1;
}

static gx_answer
unique_justseen_before(gx_run *run, gx_step *step, PyObject **item)
{
    for (;;) {
        int met = meet_next(step, *item);
        if (met != 0) {
            return met < 0 ? GX_ERROR : GX_EMIT;
        }
        Py_DECREF(*item);
        if (!gx_take_next(run, step, item)) {
            return GX_SKIP;
        }
    }
}

static gx_answer
unique_justseen_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item,
                      PyObject *result)
{
    int met = meet_next(step, result);
    Py_DECREF(result);
    return gx_keep_if(met, 1, item);
}

static const char *const justseen_params[] = {"key", NULL};
static const gx_signature justseen_signature = {"unique_justseen", justseen_params, 0,
                                                0, 1};

const gx_row gx_stage_unique_justseen = {
    .name = "unique_justseen",
    .signature = &justseen_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE | GX_DIRECT,
    .call = GX_CALL_ITEM,
    .check = unique_justseen_check,
    .before = unique_justseen_before,
    .after = unique_justseen_after,
};

const char gx_stage_unique_justseen_doc[] =
    "unique_justseen($self, key=None)\n--\n\n"
    "Of neighbours that are equal, or whose key(item) is, pass on the first; they need\n"
    "no hash. As more_itertools.unique_justseen.\n\n"
    ">>> pipe('aabbA').unique_justseen(str.lower).list()\n"
    "['a', 'b', 'A']";
