/* Stages that put several items into one: batched, chunked, groupby. */

#include "pipeline.h"

#define MAX_AT_ONCE 65536 /* items copied between two looks at signals */
#define MIN_ROOM 8        /* of a part batch: n is never trusted for an allocation */

/* -- batched ------------------------------------------------------------ */

enum { BATCHED_N, BATCHED_STRICT };

static int
batched_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    return gx_check_bool(&args[BATCHED_STRICT]) < 0
               ? -1
               : gx_check_size(&args[BATCHED_N], 1, "n must be at least one");
}

/* step->state is the part batch, a tuple of which step->count items are there and the
   rest is free. Whoever gets hold of it through the collector keeps it: from then on
   it is a copy that grows. An error upstream leaves it here. */
static int
batched_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    step->limit = PyLong_AsSsize_t(step->args[BATCHED_N]);
    return 0;
}

/* Items of the source that a first stage may take without being handed them... */
static Py_ssize_t
ready(gx_run *run, gx_step *step)
{
    return step == run->steps + 1 ? gx_ready(&run->steps->source) : 0;
}

/* ...and does, into places that are NULL. */
static Py_ssize_t
take_ready(gx_run *run, PyObject **out, Py_ssize_t n)
{
    n = gx_take_ready(&run->steps->source, out, n < MAX_AT_ONCE ? n : MAX_AT_ONCE);
    run->index += n;
    run->breath.budget -= n;
    return n;
}

/* Fill the free places of a part batch: all of its items are there before anybody can
   see it. The last place holds a type and not None: the collector would untrack a
   tuple of nothing but numbers, and not look again when other items come. */
static void
fill_free(gx_run *run, PyObject *batch, Py_ssize_t count)
{
    Py_ssize_t last = PyTuple_GET_SIZE(batch) - 1;
    for (Py_ssize_t i = count; i < last; i++) {
        PyTuple_SET_ITEM(batch, i, Py_NewRef(Py_None));
    }
    if (count <= last) {
        PyTuple_SET_ITEM(batch, last, Py_NewRef(GX_TYPE_OF(run->state, pipe)));
    }
}

/* A tuple of `size` that begins with the first `count` items of another; the other
   places are NULL. */
static PyObject *
batch_copy(PyObject *batch, Py_ssize_t count, Py_ssize_t size)
{
    PyObject *copy = PyTuple_New(size);
    for (Py_ssize_t i = 0; i < count && copy != NULL; i++) {
        PyTuple_SET_ITEM(copy, i, Py_NewRef(PyTuple_GET_ITEM(batch, i)));
    }
    return copy;
}

/* The item (taken on success) goes into a new part batch, with more room. */
static int
batch_grow(gx_run *run, gx_step *step, PyObject *item)
{
    Py_ssize_t count = step->count, more = ready(run, step);
    Py_ssize_t size = more > count + MIN_ROOM ? count + 1 + more : 2 * count + MIN_ROOM;
    PyObject *batch =
        batch_copy(step->state, count, size < step->limit ? size : step->limit);
    if (batch == NULL) {
        return -1;
    }
    PyTuple_SET_ITEM(batch, count, item);
    count++;
    if (more > 0) {
        count += take_ready(run, &PyTuple_GET_ITEM(batch, 0) + count,
                            PyTuple_GET_SIZE(batch) - count);
    }
    fill_free(run, batch, count);
    step->count = count;
    Py_XSETREF(step->state, batch);
    return 0;
}

static gx_answer
batched_before(gx_run *run, gx_step *step, PyObject **item)
{
    PyObject *batch = step->state;
    if (batch != NULL && step->count < PyTuple_GET_SIZE(batch) &&
        PyUnstable_Object_IsUniquelyReferenced(batch)) {
        PyObject *free = PyTuple_GET_ITEM(batch, step->count);
        PyTuple_SET_ITEM(batch, step->count, *item);
        step->count++;
        Py_DECREF(free); /* None or the type: no code runs */
    } else if (batch_grow(run, step, *item) < 0) {
        return GX_ERROR;
    }
    if (step->count < step->limit) {
        return GX_SKIP;
    }
    *item = step->state;
    step->state = NULL;
    step->count = 0;
    return GX_EMIT;
}

static gx_answer
batched_refill(gx_run *Py_UNUSED(run), gx_step *step, PyObject **Py_UNUSED(item))
{
    if (step->count == 0) {
        return GX_SKIP;
    }
    if (step->args[BATCHED_STRICT] == Py_True) {
        step->count = 0;
        Py_CLEAR(step->state);
        PyErr_SetString(PyExc_ValueError, "batched(): incomplete batch");
        return GX_ERROR;
    }
    PyObject *batch = batch_copy(step->state, step->count, step->count);
    if (batch == NULL) {
        return GX_ERROR;
    }
    step->count = 0;
    Py_CLEAR(step->state);
    gx_step_give(step, batch);
    return GX_OPEN;
}

/* Batches of `held` items and those to come. */
static Py_ssize_t
batches(gx_step *step, Py_ssize_t upstream, Py_ssize_t held)
{
    Py_ssize_t items = gx_add_hints(upstream, held);
    if (items < 0) {
        return items;
    }
    Py_ssize_t n = items / step->limit + (items % step->limit != 0);
    return gx_add_hints(n, step->pending != NULL);
}

static Py_ssize_t
batched_held(gx_step *step)
{
    return step->count;
}

static Py_ssize_t
batched_hint(gx_step *step, Py_ssize_t upstream)
{
    return batches(step, upstream, batched_held(step));
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
    .held = batched_held,
};

const char gx_stage_batched_doc[] =
    "batched($self, n, *, strict=False)\n--\n\n"
    "Put the items into tuples of n; the last may be shorter, or is a ValueError if\n"
    "strict. An error upstream keeps the part batch for the next call. Raises\n"
    "ValueError for n < 1. As itertools.batched.\n\n"
    ">>> pipe('abcde').batched(2).list()\n"
    "[('a', 'b'), ('c', 'd'), ('e',)]";

/* -- chunked ------------------------------------------------------------ */

static int
chunked_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    if (gx_check_bool(&args[BATCHED_STRICT]) < 0 ||
        gx_check_optional_size(&args[BATCHED_N], 0, "n must be at least 0") < 0) {
        return -1;
    }
    if (args[BATCHED_N] == Py_None) {
        if (args[BATCHED_STRICT] == Py_True) {
            PyErr_SetString(PyExc_ValueError,
                            "n must not be None when using strict mode.");
            return -1;
        }
        return 0;
    }
    return gx_check_size(&args[BATCHED_N], 1, "n must be at least one");
}

/* step->state is the part chunk, a list that goes on as it is. */
static int
chunked_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    PyObject *n = step->args[BATCHED_N];
    step->limit = n != Py_None ? PyLong_AsSsize_t(n) : PY_SSIZE_T_MAX;
    return 0;
}

/* A new list of an item (taken on success) and what lies ready behind it. */
static PyObject *
new_chunk(gx_run *run, gx_step *step, PyObject *item)
{
    Py_ssize_t more = ready(run, step);
    more = more < step->limit ? more : step->limit - 1;
    more = more < MAX_AT_ONCE ? more : MAX_AT_ONCE;
    PyObject *chunk = PyList_New(1 + more);
    if (chunk == NULL) {
        return NULL;
    }
    PyList_SET_ITEM(chunk, 0, item);
    if (more > 0) { /* or less: PyList_New may have run a collection */
        Py_SET_SIZE(chunk, 1 + take_ready(run, &PyList_GET_ITEM(chunk, 1), more));
    }
    return chunk;
}

static gx_answer
chunked_before(gx_run *run, gx_step *step, PyObject **item)
{
    if (step->state == NULL) {
        step->state = new_chunk(run, step, *item);
        if (step->state == NULL) {
            return GX_ERROR;
        }
    } else {
        if (PyList_Append(step->state, *item) < 0) {
            return GX_ERROR;
        }
        Py_DECREF(*item);
    }
    if (PyList_GET_SIZE(step->state) < step->limit) {
        return GX_SKIP;
    }
    *item = step->state;
    step->state = NULL;
    return GX_EMIT;
}

static gx_answer
chunked_refill(gx_run *Py_UNUSED(run), gx_step *step, PyObject **Py_UNUSED(item))
{
    PyObject *chunk = step->state;
    step->state = NULL;
    if (chunk == NULL) {
        return GX_SKIP;
    }
    if (step->args[BATCHED_STRICT] == Py_True) {
        Py_DECREF(chunk);
        PyErr_SetString(PyExc_ValueError, "iterable is not divisible by n.");
        return GX_ERROR;
    }
    gx_step_give(step, chunk);
    return GX_OPEN;
}

/* Of groupby too: step->state is the list of the items. */
static Py_ssize_t
chunked_held(gx_step *step)
{
    return step->state != NULL ? PyList_GET_SIZE(step->state) : 0;
}

static Py_ssize_t
chunked_hint(gx_step *step, Py_ssize_t upstream)
{
    return batches(step, upstream, chunked_held(step));
}

static const gx_signature chunked_signature = {"chunked", batched_params, 0, 1, 2};

const gx_row gx_stage_chunked = {
    .name = "chunked",
    .signature = &chunked_signature,
    .nargs = 2,
    .check = chunked_check,
    .start = chunked_start,
    .before = chunked_before,
    .refill = chunked_refill,
    .hint = chunked_hint,
    .held = chunked_held,
};

const char gx_stage_chunked_doc[] =
    "chunked($self, n, strict=False)\n--\n\n"
    "Put the items into lists of n, or all into one for None; the last may be\n"
    "shorter, or is a ValueError if strict. Raises ValueError for n < 1. As\n"
    "more_itertools.chunked.\n\n"
    ">>> pipe('abcde').chunked(2).list()\n"
    "[['a', 'b'], ['c', 'd'], ['e']]";

/* -- groupby ------------------------------------------------------------ */

static int
groupby_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    if (args[0] == NULL) {
        args[0] = Py_NewRef(Py_None);
    }
    return args[0] == Py_None ? 0 : gx_as_callable(&args[0], "key");
}

/* step->state is the open group, a list, and step->key its key. The pair that ends it,
   or NULL with an error; then both stay. */
static PyObject *
end_group(gx_step *step)
{
    PyObject *pair = PyTuple_New(2);
    if (pair != NULL) {
        PyTuple_SET_ITEM(pair, 0, step->key);
        PyTuple_SET_ITEM(pair, 1, step->state);
        step->key = step->state = NULL;
    }
    return pair;
}

/* A group of *item begins and the open one goes on. `key` is stolen; an error leaves
   the open group as it was. */
static gx_answer
begin_group(gx_step *step, PyObject **item, PyObject *key)
{
    PyObject *pair = NULL, *group = PyList_New(1);
    if (group == NULL) {
        Py_DECREF(key);
        return GX_ERROR;
    }
    PyList_SET_ITEM(group, 0, Py_NewRef(*item));
    if (step->state != NULL && (pair = end_group(step)) == NULL) {
        Py_DECREF(group);
        Py_DECREF(key);
        return GX_ERROR;
    }
    step->state = group;
    step->key = key;
    Py_SETREF(*item, pair);
    return pair == NULL ? GX_SKIP : GX_EMIT;
}

/* Steals `key`. */
static gx_answer
groupby_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item, PyObject *key)
{
    int same = step->state != NULL ? gx_same(step->key, key) : 0;
    if (same == 0) {
        return begin_group(step, item, key);
    }
    Py_DECREF(key);
    if (same < 0 || PyList_Append(step->state, *item) < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*item);
    return GX_SKIP;
}

static gx_answer
groupby_before(gx_run *run, gx_step *step, PyObject **item)
{
    return groupby_after(run, step, item, Py_NewRef(*item));
}

static gx_answer
groupby_refill(gx_run *Py_UNUSED(run), gx_step *step, PyObject **Py_UNUSED(item))
{
    if (step->state == NULL) {
        return GX_SKIP;
    }
    PyObject *pair = end_group(step);
    if (pair == NULL) {
        return GX_ERROR;
    }
    gx_step_give(step, pair);
    return GX_OPEN;
}

static const char *const groupby_params[] = {"key", NULL};
static const gx_signature groupby_signature = {"groupby", groupby_params, 0, 0, 1};

const gx_row gx_stage_groupby = {
    .name = "groupby",
    .signature = &groupby_signature,
    .nargs = 1,
    .flags = GX_DIRECT,
    .call = GX_CALL_ITEM,
    .check = groupby_check,
    .before = groupby_before,
    .after = groupby_after,
    .refill = groupby_refill,
    .held = chunked_held,
};

const char gx_stage_groupby_doc[] =
    "groupby($self, key=None)\n--\n\n"
    "Put neighbours with equal key(item), or equal items, together: (key, list) for\n"
    "each such group. As itertools.groupby, but for the lists.\n\n"
    ">>> pipe(['to', 'be', 'not']).groupby(len).list()\n"
    "[(2, ['to', 'be']), (3, ['not'])]";
