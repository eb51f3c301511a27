/* Stages that look at one item at a time: map, starmap, filter, filterfalse,
   filter_map, enumerate. */

#include "pipeline.h"

/* -- map, starmap ------------------------------------------------------- */

static Py_ssize_t
same_length(gx_step *Py_UNUSED(step), Py_ssize_t upstream)
{
    return upstream;
}

static const char *const func_params[] = {"func", NULL};
static const gx_signature map_signature = {"map", func_params, 1, 1, 1};
static const gx_signature starmap_signature = {"starmap", func_params, 1, 1, 1};

const gx_row gx_stage_map = {
    .name = "map",
    .signature = &map_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE,
    .call = GX_CALL_ITEM,
    .use = GX_REPLACE,
    .hint = same_length,
};

const char gx_stage_map_doc[] =
    "map($self, func, /)\n--\n\n"
    "Replace each item by func(item). As the builtin map() over one iterable.\n\n"
    ">>> pipe(['a', 'b']).map(str.upper).list()\n"
    "['A', 'B']";

const gx_row gx_stage_starmap = {
    .name = "starmap",
    .signature = &starmap_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE,
    .call = GX_CALL_STAR,
    .use = GX_REPLACE,
    .hint = same_length,
};

const char gx_stage_starmap_doc[] =
    "starmap($self, func, /)\n--\n\n"
    "Replace each item by func(*item). Raises TypeError at an item that is not\n"
    "iterable. As itertools.starmap.\n\n"
    ">>> pipe([(2, 5), (3, 2)]).starmap(pow).list()\n"
    "[32, 9]";

/* -- filter, filterfalse ------------------------------------------------- */

static int
check_predicate(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    return args[0] == Py_None ? 0 : gx_as_callable(&args[0], "pred");
}

static gx_answer
filter_before(gx_run *Py_UNUSED(run), gx_step *Py_UNUSED(step), PyObject **item)
{
    return gx_keep_if(PyObject_IsTrue(*item), 1, item);
}

static gx_answer
filterfalse_before(gx_run *Py_UNUSED(run), gx_step *Py_UNUSED(step), PyObject **item)
{
    return gx_keep_if(PyObject_IsTrue(*item), 0, item);
}

static const char *const pred_params[] = {"pred", NULL};
static const gx_signature filter_signature = {"filter", pred_params, 1, 1, 1};
static const gx_signature filterfalse_signature = {"filterfalse", pred_params, 1, 1, 1};

const gx_row gx_stage_filter = {
    .name = "filter",
    .signature = &filter_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE | GX_DIRECT,
    .call = GX_CALL_ITEM,
    .check = check_predicate,
    .before = filter_before,
    .use = GX_KEEP,
};

const char gx_stage_filter_doc[] =
    "filter($self, pred, /)\n--\n\n"
    "Keep the items for which pred(item) is true; None keeps the true items. As the\n"
    "builtin filter().\n\n"
    ">>> pipe([0, 1, 2]).filter(None).list()\n"
    "[1, 2]";

const gx_row gx_stage_filterfalse = {
    .name = "filterfalse",
    .signature = &filterfalse_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE | GX_DIRECT,
    .call = GX_CALL_ITEM,
    .check = check_predicate,
    .before = filterfalse_before,
    .use = GX_REJECT,
};

const char gx_stage_filterfalse_doc[] =
    "filterfalse($self, pred, /)\n--\n\n"
    "Keep the items for which pred(item) is false; None keeps the false items. As\n"
    "itertools.filterfalse.\n\n"
    ">>> pipe(['a', '', 'b']).filterfalse(str.isalpha).list()\n"
    "['']";

/* -- filter_map --------------------------------------------------------- */

static gx_answer
filter_map_after(gx_run *Py_UNUSED(run), gx_step *Py_UNUSED(step), PyObject **item,
                 PyObject *result)
{
    PyObject *old = *item;
    *item = result;
    Py_DECREF(old);
    if (result != Py_None) {
        return GX_EMIT;
    }
    Py_DECREF(result);
    return GX_SKIP;
}

static const gx_signature filter_map_signature = {"filter_map", func_params, 1, 1, 1};

const gx_row gx_stage_filter_map = {
    .name = "filter_map",
    .signature = &filter_map_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE,
    .call = GX_CALL_ITEM,
    .after = filter_map_after,
};

const char gx_stage_filter_map_doc[] =
    "filter_map($self, func, /)\n--\n\n"
    "Replace each item by func(item) and drop it where that is None; other false\n"
    "values stay. As more_itertools.filter_map.\n\n"
    ">>> pipe(['a=1', 'b', 'c=']).filter_map({'a=1': 1, 'c=': 0}.get).list()\n"
    "[1, 0]";

/* -- enumerate ---------------------------------------------------------- */

static int
enumerate_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    PyObject *start = args[0] != NULL ? PyNumber_Index(args[0]) : PyLong_FromLong(0);
    if (start == NULL) {
        return -1;
    }
    Py_XSETREF(args[0], start);
    return 0;
}

/* step->count is the next index, or step->key where that is no ssize_t. */
static int
enumerate_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    int overflow;
    PyObject *start = step->args[0];
    long long value = PyLong_AsLongLongAndOverflow(start, &overflow);
    if (overflow || value < PY_SSIZE_T_MIN || value >= PY_SSIZE_T_MAX) {
        step->key = Py_NewRef(start);
    } else {
        step->count = (Py_ssize_t)value;
    }
    return 0;
}

static PyObject *
next_index(gx_step *step)
{
    if (step->key == NULL) {
        if (step->count < PY_SSIZE_T_MAX) {
            return PyLong_FromSsize_t(step->count++);
        }
        step->key = PyLong_FromSsize_t(step->count);
    }
    PyObject *one = PyLong_FromLong(1);
    PyObject *after = step->key && one ? PyNumber_Add(step->key, one) : NULL;
    Py_XDECREF(one);
    if (after == NULL) {
        return NULL;
    }
    PyObject *index = step->key;
    step->key = after;
    return index;
}

/* The last pair, if nobody else holds it, is filled again, as enumerate() does it;
   the collector may have untracked it. From 3.14 on tuples remember their hash, and
   there is no way to make one forget it: always a new one. */
static PyObject *
reusable_pair(gx_step *step)
{
#if PY_VERSION_HEX < 0x030E0000
    PyObject *pair = step->state;
    if (pair != NULL && PyUnstable_Object_IsUniquelyReferenced(pair)) {
        if (!PyObject_GC_IsTracked(pair)) {
            PyObject_GC_Track(pair);
        }
        return Py_NewRef(pair);
    }
#endif
    return NULL;
}

static gx_answer
refill_pair(PyObject *pair, PyObject *index, PyObject **item)
{
    PyObject *old_index = PyTuple_GET_ITEM(pair, 0);
    PyObject *old_item = PyTuple_GET_ITEM(pair, 1);
    PyTuple_SET_ITEM(pair, 0, index);
    PyTuple_SET_ITEM(pair, 1, *item);
    *item = pair;
    Py_DECREF(old_index);
    Py_DECREF(old_item);
    return GX_EMIT;
}

static gx_answer
enumerate_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    PyObject *index = next_index(step);
    if (index == NULL) {
        return GX_ERROR;
    }
    PyObject *pair = reusable_pair(step);
    if (pair != NULL) {
        return refill_pair(pair, index, item);
    }
    pair = PyTuple_New(2);
    if (pair == NULL) {
        Py_DECREF(index);
        return GX_ERROR;
    }
    PyTuple_SET_ITEM(pair, 0, index);
    PyTuple_SET_ITEM(pair, 1, *item);
    *item = pair;
#if PY_VERSION_HEX < 0x030E0000
    Py_XSETREF(step->state, Py_NewRef(pair));
#endif
    return GX_EMIT;
}

static const char *const enumerate_params[] = {"start", NULL};
static const gx_signature enumerate_signature = {"enumerate", enumerate_params, 0, 0,
                                                 1};

const gx_row gx_stage_enumerate = {
    .name = "enumerate",
    .signature = &enumerate_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE,
    .check = enumerate_check,
    .start = enumerate_start,
    .before = enumerate_before,
    .hint = same_length,
};

const char gx_stage_enumerate_doc[] =
    "enumerate($self, start=0)\n--\n\n"
    "Replace each item by (index, item), counting from start, an int of any size. As\n"
    "the builtin enumerate().\n\n"
    ">>> pipe('ab').enumerate(1).list()\n"
    "[(1, 'a'), (2, 'b')]";
