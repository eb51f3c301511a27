/* Stages whose outputs overlap: windowed, sliding_window, pairwise. */

#include "pipeline.h"

/* -- windows ------------------------------------------------------------ */

/* Until the first window is full, and with steps of more than one, step->state is a
   list that grows: n is never trusted for an allocation. Of its items step->count have
   been in a window before, and step->next items are to be skipped before it grows.
   With a step of one, once there is a window, step->state is the last one handed out
   and step->key, if there is one, that before. */
static void
start_windows(gx_step *step, Py_ssize_t n, Py_ssize_t stride)
{
    step->limit = n;
    step->stride = stride;
}

/* Windows are used again where nobody else holds them: the last one, as in a drain, or
   the one before (step->key), as in a for loop, whose variable still holds the last.
   From 3.14 on tuples remember their hash, and there is no way to make one forget it:
   always a new one. */
static bool
is_free(PyObject *window)
{
#if PY_VERSION_HEX < 0x030E0000
    return window != NULL && PyUnstable_Object_IsUniquelyReferenced(window);
#else
    return false;
#endif
}

/* The collector may have untracked a window of nothing but numbers. */
static void
track_again(PyObject *window, PyObject *item)
{
    if (PyType_IS_GC(Py_TYPE(item)) && !PyObject_GC_IsTracked(window)) {
        PyObject_GC_Track(window);
    }
}

/* The last window moved on by one item (taken). The one before is too far behind now. */
static PyObject *
shift_last(gx_step *step, PyObject *item)
{
    PyObject *window = step->state, *before = step->key;
    PyObject **items = &PyTuple_GET_ITEM(window, 0), *oldest = items[0];
    size_t others = (size_t)PyTuple_GET_SIZE(window) - 1;
    memmove(items, items + 1, others * sizeof(PyObject *));
    items[others] = item;
    track_again(window, item);
    Py_INCREF(window);
    step->key = NULL;
    Py_DECREF(oldest);
    Py_XDECREF(before);
    return window;
}

/* The window before the last moved on by two: one is the newest of the last. */
static PyObject *
shift_spare(gx_step *step, PyObject *item)
{
    PyObject *window = step->key, *last = step->state;
    PyObject **items = &PyTuple_GET_ITEM(window, 0), *first = items[0];
    size_t size = (size_t)PyTuple_GET_SIZE(window);
    PyObject *second = size > 1 ? items[1] : NULL;
    if (size > 1) {
        memmove(items, items + 2, (size - 2) * sizeof(PyObject *));
        items[size - 2] = Py_NewRef(PyTuple_GET_ITEM(last, size - 1));
        track_again(window, items[size - 2]);
    }
    items[size - 1] = item;
    track_again(window, item);
    step->key = last;
    step->state = Py_NewRef(window);
    Py_DECREF(first);
    Py_XDECREF(second);
    return window;
}

/* A new window (NULL: no memory), with an item that is taken on success. */
static PyObject *
follow_last(gx_step *step, PyObject *item)
{
    PyObject *last = step->state;
    Py_ssize_t size = PyTuple_GET_SIZE(last);
    PyObject *window = PyTuple_New(size);
    if (window == NULL) {
        return NULL;
    }
    PyObject **from = &PyTuple_GET_ITEM(last, 0), **to = &PyTuple_GET_ITEM(window, 0);
    for (Py_ssize_t i = 1; i < size; i++) {
        to[i - 1] = Py_NewRef(from[i]);
    }
    to[size - 1] = item;
    step->state = Py_NewRef(window);
#if PY_VERSION_HEX < 0x030E0000
    Py_XSETREF(step->key, last);
#else
    Py_DECREF(last);
#endif
    return window;
}

static gx_answer
slide_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    PyObject *window = is_free(step->state) ? shift_last(step, *item)
                       : is_free(step->key) ? shift_spare(step, *item)
                                            : follow_last(step, *item);
    if (window == NULL) {
        return GX_ERROR;
    }
    *item = window;
    return GX_EMIT;
}

/* The list is full: the window, or NULL with an error and the list as it was. */
static PyObject *
full_window(gx_step *step)
{
    PyObject *window = PyList_AsTuple(step->state);
    if (window == NULL) {
        return NULL;
    }
    if (step->stride == 1) {
        step->before = slide_before;
        step->count = step->limit - 1;
        Py_SETREF(step->state, Py_NewRef(window));
        return window;
    }
    bool overlap = step->stride < step->limit;
    if (PyList_SetSlice(step->state, 0, overlap ? step->stride : step->limit, NULL) <
        0) {
        Py_DECREF(window);
        return NULL;
    }
    step->count = overlap ? step->limit - step->stride : 0;
    step->next = overlap ? 0 : step->stride - step->limit;
    return window;
}

static gx_answer
window_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    if (step->next > 0) {
        step->next--;
        Py_DECREF(*item);
        return GX_SKIP;
    }
    if (step->state == NULL && (step->state = PyList_New(0)) == NULL) {
        return GX_ERROR;
    }
    if (PyList_Append(step->state, *item) < 0) {
        return GX_ERROR;
    }
    Py_ssize_t size = PyList_GET_SIZE(step->state);
    if (size < step->limit) {
        Py_DECREF(*item);
        return GX_SKIP;
    }
    PyObject *window = full_window(step);
    if (window == NULL) { /* the failing item is consumed */
        (void)PyList_SetSlice(step->state, size - 1, size, NULL);
        return GX_ERROR;
    }
    Py_SETREF(*item, window);
    return GX_EMIT;
}

/* Of a whole window all but the oldest wait for another. */
static Py_ssize_t
window_held(gx_step *step)
{
    return step->state == NULL              ? 0
           : PyList_CheckExact(step->state) ? PyList_GET_SIZE(step->state)
                                            : step->count;
}

/* Windows still to come. The next one begins with `fresh` items, of `need` that it
   needs; a stage with a refill pads its last one. */
static Py_ssize_t
window_hint(gx_step *step, Py_ssize_t upstream)
{
    bool grows = step->state != NULL && PyList_CheckExact(step->state);
    Py_ssize_t held = grows ? PyList_GET_SIZE(step->state) - step->count : 0;
    Py_ssize_t fresh = gx_add_hints(upstream, held), need = step->limit - step->count;
    if (fresh < 0) {
        return fresh;
    }
    Py_ssize_t least = 1;
    if (step->row->refill == NULL) {
        least = need;
    }
    Py_ssize_t windows = step->pending != NULL;
    fresh -= step->next;
    if (fresh >= least) {
        Py_ssize_t skipped =
            step->stride > step->limit ? step->stride - step->limit : 0;
        Py_ssize_t behind = fresh > need ? fresh - need : 0;
        windows += 1;
        if (behind > skipped) {
            windows += (behind - skipped - 1) / step->stride + 1;
        }
    }
    return windows;
}

/* -- windowed ----------------------------------------------------------- */

enum { WINDOWED_N, WINDOWED_FILL, WINDOWED_STEP };

static int
windowed_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    if (args[WINDOWED_FILL] == NULL) {
        args[WINDOWED_FILL] = Py_NewRef(Py_None);
    }
    if (args[WINDOWED_STEP] == NULL) {
        args[WINDOWED_STEP] = PyLong_FromLong(1);
        if (args[WINDOWED_STEP] == NULL) {
            return -1;
        }
    }
    return gx_check_size(&args[WINDOWED_N], 1, "n must be > 0") < 0
               ? -1
               : gx_check_size(&args[WINDOWED_STEP], 1, "step must be >= 1");
}

static int
windowed_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    start_windows(step, PyLong_AsSsize_t(step->args[WINDOWED_N]),
                  PyLong_AsSsize_t(step->args[WINDOWED_STEP]));
    return 0;
}

/* A last window that has at least one new item is padded. */
static gx_answer
windowed_refill(gx_run *Py_UNUSED(run), gx_step *step, PyObject **Py_UNUSED(item))
{
    PyObject *part = step->state;
    if (part == NULL || !PyList_CheckExact(part) ||
        PyList_GET_SIZE(part) <= step->count) {
        return GX_SKIP;
    }
    step->state = NULL;
    PyObject *window = PyTuple_New(step->limit);
    for (Py_ssize_t i = 0; i < step->limit && window != NULL; i++) {
        PyObject *item = i < PyList_GET_SIZE(part) ? PyList_GET_ITEM(part, i)
                                                   : step->args[WINDOWED_FILL];
        PyTuple_SET_ITEM(window, i, Py_NewRef(item));
    }
    Py_DECREF(part);
    if (window == NULL) {
        return GX_ERROR;
    }
    gx_step_give(step, window);
    return GX_OPEN;
}

static const char *const windowed_params[] = {"n", "fillvalue", "step", NULL};
static const gx_signature windowed_signature = {"windowed", windowed_params, 0, 1, 3};

const gx_row gx_stage_windowed = {
    .name = "windowed",
    .signature = &windowed_signature,
    .nargs = 3,
    .check = windowed_check,
    .start = windowed_start,
    .before = window_before,
    .refill = windowed_refill,
    .hint = window_hint,
    .held = window_held,
};

const char gx_stage_windowed_doc[] =
    "windowed($self, n, fillvalue=None, step=1)\n--\n\n"
    "Tuples of n neighbours, each step items further on. The last one, or the only\n"
    "one, is padded with fillvalue if items are missing. Raises ValueError for n < 1 or\n"
    "step < 1. As more_itertools.windowed.\n\n"
    ">>> pipe('abcd').windowed(3).list()\n"
    "[('a', 'b', 'c'), ('b', 'c', 'd')]\n"
    ">>> pipe('abcd').windowed(3, step=2).list()\n"
    "[('a', 'b', 'c'), ('c', 'd', None)]";

/* -- sliding_window ----------------------------------------------------- */

static int
sliding_window_check(gx_state *Py_UNUSED(state), PyObject **args,
                     bool Py_UNUSED(reusable))
{
    PyObject *n = PyNumber_Index(args[0]);
    if (n == NULL) {
        return -1;
    }
    Py_SETREF(args[0], n);
    int rc = gx_check_size(&args[0], 1, "n should be at least one");
    if (rc < 0 && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_Format(PyExc_ValueError, "n should be at least one, not %S", args[0]);
    }
    return rc;
}

static int
sliding_window_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    start_windows(step, PyLong_AsSsize_t(step->args[0]), 1);
    return 0;
}

static const char *const n_params[] = {"n", NULL};
static const gx_signature sliding_window_signature = {"sliding_window", n_params, 0, 1,
                                                      1};

const gx_row gx_stage_sliding_window = {
    .name = "sliding_window",
    .signature = &sliding_window_signature,
    .nargs = 1,
    .check = sliding_window_check,
    .start = sliding_window_start,
    .before = window_before,
    .hint = window_hint,
    .held = window_held,
};

const char gx_stage_sliding_window_doc[] =
    "sliding_window($self, n)\n--\n\n"
    "Tuples of n neighbours, each one item further on; nothing if there are fewer than\n"
    "n. Raises ValueError for n < 1. As more_itertools.sliding_window.\n\n"
    ">>> pipe(range(6)).sliding_window(4).list()\n"
    "[(0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5)]";

/* -- pairwise ----------------------------------------------------------- */

static int
pairwise_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    start_windows(step, 2, 1);
    return 0;
}

static const char *const no_params[] = {NULL};
static const gx_signature pairwise_signature = {"pairwise", no_params, 0, 0, 0};

const gx_row gx_stage_pairwise = {
    .name = "pairwise",
    .signature = &pairwise_signature,
    .start = pairwise_start,
    .before = window_before,
    .hint = window_hint,
    .held = window_held,
};

const char gx_stage_pairwise_doc[] =
    "pairwise($self)\n--\n\n"
    "Pairs of neighbours; nothing if there are fewer than two items. As\n"
    "itertools.pairwise.\n\n"
    ">>> pipe('abc').pairwise().list()\n"
    "[('a', 'b'), ('b', 'c')]";
