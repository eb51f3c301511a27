/* Stages that let a part of the stream through: takewhile, takewhile_inclusive,
   dropwhile, take, drop, tail, islice. */

#include "pipeline.h"

static const char *const pred_params[] = {"pred", NULL};
static const char *const n_params[] = {"n", NULL};

/* -- takewhile, takewhile_inclusive, dropwhile ---------------------------- */

/* In place of what comes before the call, once the last item has gone on: another is
   an answer to throw(). */
static gx_answer
stop_before(gx_run *Py_UNUSED(run), gx_step *Py_UNUSED(step), PyObject **item)
{
    Py_DECREF(*item);
    return GX_STOP;
}

static gx_answer
takewhile_inclusive_after(gx_run *Py_UNUSED(run), gx_step *step,
                          PyObject **Py_UNUSED(item), PyObject *result)
{
    int truth = PyObject_IsTrue(result);
    Py_DECREF(result);
    if (truth != 0) {
        return truth < 0 ? GX_ERROR : GX_EMIT;
    }
    step->before = stop_before;
    return GX_STOP_AFTER;
}

/* The first item that passes opens the step for good. */
static gx_answer
dropwhile_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item,
                PyObject *result)
{
    int truth = PyObject_IsTrue(result);
    Py_DECREF(result);
    if (truth == 0) {
        step->before = gx_pass_on;
    }
    return gx_keep_if(truth, 0, item);
}

static const gx_signature takewhile_signature = {"takewhile", pred_params, 1, 1, 1};
static const gx_signature takewhile_inclusive_signature = {"takewhile_inclusive",
                                                           pred_params, 1, 1, 1};
static const gx_signature dropwhile_signature = {"dropwhile", pred_params, 1, 1, 1};

const gx_row gx_stage_takewhile = {
    .name = "takewhile",
    .signature = &takewhile_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE,
    .call = GX_CALL_ITEM,
    .use = GX_WHILE,
};

const char gx_stage_takewhile_doc[] =
    "takewhile($self, pred, /)\n--\n\n"
    "Pass items on until pred(item) is false; that item is lost and the source let\n"
    "go of. As itertools.takewhile.\n\n"
    ">>> pipe([1, 2, 9, 1]).takewhile(lambda x: x < 5).list()\n"
    "[1, 2]";

const gx_row gx_stage_takewhile_inclusive = {
    .name = "takewhile_inclusive",
    .signature = &takewhile_inclusive_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE,
    .call = GX_CALL_ITEM,
    .after = takewhile_inclusive_after,
};

const char gx_stage_takewhile_inclusive_doc[] =
    "takewhile_inclusive($self, pred, /)\n--\n\n"
    "Pass items on up to and including the first for which pred(item) is false; the\n"
    "source is let go of when one more is asked for. As\n"
    "more_itertools.takewhile_inclusive.\n\n"
    ">>> pipe([1, 2, 9, 1]).takewhile_inclusive(lambda x: x < 5).list()\n"
    "[1, 2, 9]";

const gx_row gx_stage_dropwhile = {
    .name = "dropwhile",
    .signature = &dropwhile_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE,
    .call = GX_CALL_ITEM,
    .after = dropwhile_after,
};

const char gx_stage_dropwhile_doc[] =
    "dropwhile($self, pred, /)\n--\n\n"
    "Drop items as long as pred(item) is true, then pass everything on. As\n"
    "itertools.dropwhile.\n\n"
    ">>> pipe([1, 2, 9, 1]).dropwhile(lambda x: x < 5).list()\n"
    "[9, 1]";

/* -- take, drop --------------------------------------------------------- */

static int
check_n(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    return gx_check_size(&args[0], 0, "n must be at least 0");
}

/* step->limit is n, step->count the number of items seen. */
static int
take_start(gx_run *run, gx_step *step)
{
    step->limit = PyLong_AsSsize_t(step->args[0]);
    if (step->limit == 0) {
        gx_run_stop_later(run, step);
    }
    return 0;
}

/* After the last item the program stops only when asked again, so that whoever
   handles that item still finds the source alive. */
static gx_answer
take_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    if (step->stopping) { /* an answer to throw() after the last item */
        Py_DECREF(*item);
        return GX_STOP;
    }
    return ++step->count == step->limit ? GX_STOP_AFTER : GX_EMIT;
}

static Py_ssize_t
take_hint(gx_step *step, Py_ssize_t upstream)
{
    Py_ssize_t left = step->limit - step->count;
    return upstream < left ? upstream : left;
}

static int
drop_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    step->limit = PyLong_AsSsize_t(step->args[0]);
    return 0;
}

static gx_answer
drop_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    if (step->count >= step->limit) {
        return GX_EMIT;
    }
    step->count++;
    Py_DECREF(*item);
    return GX_SKIP;
}

static Py_ssize_t
drop_hint(gx_step *step, Py_ssize_t upstream)
{
    Py_ssize_t left = step->limit - step->count;
    return upstream > left ? upstream - left : 0;
}

static const gx_signature take_signature = {"take", n_params, 0, 1, 1};
static const gx_signature drop_signature = {"drop", n_params, 0, 1, 1};

const gx_row gx_stage_take = {
    .name = "take",
    .signature = &take_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE,
    .check = check_n,
    .start = take_start,
    .before = take_before,
    .hint = take_hint,
};

const char gx_stage_take_doc[] =
    "take($self, n)\n--\n\n"
    "Pass on the first n items; no more are taken from the source. Raises ValueError\n"
    "for n < 0. As itertools.islice(iterable, n).\n\n"
    ">>> pipe('abc').take(2).list()\n"
    "['a', 'b']";

const gx_row gx_stage_drop = {
    .name = "drop",
    .signature = &drop_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE,
    .check = check_n,
    .start = drop_start,
    .before = drop_before,
    .hint = drop_hint,
};

const char gx_stage_drop_doc[] =
    "drop($self, n)\n--\n\n"
    "Drop the first n items. Raises ValueError for n < 0. As toolz.drop.\n\n"
    ">>> pipe('abc').drop(2).list()\n"
    "['c']";

/* -- tail --------------------------------------------------------------- */

/* step->state is a list of the last items, a ring once it holds `limit`: `next` is the
   place of its oldest. It grows as items come: n is never trusted for an allocation.
   At the end `count` items of it are still to go on. */
static int
tail_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    step->limit = PyLong_AsSsize_t(step->args[0]);
    return 0;
}

/* Put an item (taken on success) into the ring; what falls out is let go of. */
static int
tail_put(gx_step *step, PyObject *item)
{
    PyObject *old = item;
    if (step->state == NULL && (step->state = PyList_New(0)) == NULL) {
        return -1;
    }
    if (PyList_GET_SIZE(step->state) < step->limit) {
        if (PyList_Append(step->state, item) < 0) {
            return -1;
        }
    } else if (step->limit > 0) {
        old = PyList_GET_ITEM(step->state, step->next);
        PyList_SET_ITEM(step->state, step->next, item);
        step->next = step->next + 1 < step->limit ? step->next + 1 : 0;
    }
    Py_DECREF(old);
    return 0;
}

/* A first stage need not look at what will fall out again of a list or tuple. */
static bool
tail_skip(gx_run *run, gx_step *step)
{
    Py_ssize_t ready = step == run->steps + 1 ? gx_ready(&run->steps->source) : 0;
    if (ready == 0 || ready < step->limit) {
        return false;
    }
    run->steps->source.index += ready - step->limit;
    run->index += ready - step->limit;
    return true;
}

static gx_answer
tail_before(gx_run *run, gx_step *step, PyObject **item)
{
    if (step->state == NULL && tail_skip(run, step)) {
        Py_DECREF(*item);
        return GX_SKIP;
    }
    do {
        if (tail_put(step, *item) < 0) {
            return GX_ERROR;
        }
    } while (gx_take_next(run, step, item));
    return GX_SKIP;
}

/* A lane of its own: each item leaves the ring when it is handed out. */
static PyObject *
fetch_tail(gx_source *source)
{
    gx_step *step = (gx_step *)source;
    PyObject *list = step->state;
    if (step->count == 0 || step->next >= PyList_GET_SIZE(list)) {
        step->count = 0;
        Py_CLEAR(step->state);
        return NULL;
    }
    PyObject *item = PyList_GET_ITEM(list, step->next);
    PyList_SET_ITEM(list, step->next, Py_NewRef(Py_None));
    step->count--;
    step->next = step->next + 1 < PyList_GET_SIZE(list) ? step->next + 1 : 0;
    return item;
}

static gx_answer
tail_refill(gx_run *Py_UNUSED(run), gx_step *step, PyObject **Py_UNUSED(item))
{
    if (step->state == NULL) {
        return GX_SKIP;
    }
    step->count = PyList_GET_SIZE(step->state);
    step->source.fetch = fetch_tail;
    return GX_OPEN;
}

static Py_ssize_t
tail_held(gx_step *step)
{
    return step->state != NULL ? PyList_GET_SIZE(step->state) : 0;
}

static Py_ssize_t
tail_hint(gx_step *step, Py_ssize_t upstream)
{
    if (step->source.fetch == fetch_tail) {
        return step->count;
    }
    Py_ssize_t items = gx_add_hints(upstream, tail_held(step));
    return items < step->limit ? items : step->limit;
}

static const gx_signature tail_signature = {"tail", n_params, 0, 1, 1};

const gx_row gx_stage_tail = {
    .name = "tail",
    .signature = &tail_signature,
    .nargs = 1,
    .check = check_n,
    .start = tail_start,
    .before = tail_before,
    .refill = tail_refill,
    .hint = tail_hint,
    .held = tail_held,
};

const char gx_stage_tail_doc[] =
    "tail($self, n)\n--\n\n"
    "Pass on the last n items. The source is read to its end when the first is asked\n"
    "for; no more than n items are kept. Raises ValueError for n < 0. As\n"
    "more_itertools.tail.\n\n"
    ">>> pipe('abcd').tail(2).list()\n"
    "['c', 'd']";

/* -- islice ------------------------------------------------------------- */

enum { ISLICE_START, ISLICE_STOP, ISLICE_STEP };

static int
islice_parse(const gx_row *Py_UNUSED(row), PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames, PyObject **out)
{
    if (gx_no_keywords("islice", kwnames) < 0) {
        return -1;
    }
    if (nargs < 1 || nargs > 3) {
        PyErr_Format(PyExc_TypeError, "islice expected at %s %d argument%s, got %zd",
                     nargs < 1 ? "least" : "most", nargs < 1 ? 1 : 3,
                     nargs < 1 ? "" : "s", nargs);
        return -1;
    }
    if (nargs == 1) {
        out[ISLICE_STOP] = Py_NewRef(args[0]);
        return 0;
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        out[i] = Py_NewRef(args[i]);
    }
    return 0;
}

/* A bound as itertools.islice takes it: every value that is no index in range is
   the same ValueError; None is `otherwise`. */
static int
check_bound(PyObject **arg, Py_ssize_t minimum, PyObject *otherwise, const char *text)
{
    if (*arg == NULL || *arg == Py_None) {
        Py_XSETREF(*arg, Py_NewRef(otherwise));
    }
    if (*arg == Py_None) {
        return 0;
    }
    if (gx_check_size(arg, minimum, text) == 0) {
        return 0;
    }
    if (PyErr_ExceptionMatches(PyExc_TypeError) ||
        PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_SetString(PyExc_ValueError, text);
    }
    return -1;
}

static int
islice_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    static const char bounds[] =
        "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    static const char stop[] =
        "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    static const char step[] = "Step for islice() must be a positive integer or None.";
    PyObject *zero = PyLong_FromLong(0), *one = PyLong_FromLong(1);
    int rc = -1;
    if (zero != NULL && one != NULL) {
        rc = check_bound(&args[ISLICE_STOP], 0, Py_None, stop);
        rc = rc < 0 ? rc : check_bound(&args[ISLICE_START], 0, zero, bounds);
        rc = rc < 0 ? rc : check_bound(&args[ISLICE_STEP], 1, one, step);
    }
    Py_XDECREF(zero);
    Py_XDECREF(one);
    return rc;
}

/* step->count items seen, the one with index `next` goes on, `limit` are taken from
   the upstream altogether (PY_SSIZE_T_MAX: all): at least start of them, as
   itertools does. */
static int
islice_start(gx_run *run, gx_step *step)
{
    PyObject *const *args = step->args;
    step->next = PyLong_AsSsize_t(args[ISLICE_START]);
    step->stride = PyLong_AsSsize_t(args[ISLICE_STEP]);
    step->limit = PY_SSIZE_T_MAX;
    if (args[ISLICE_STOP] != Py_None) {
        step->limit = PyLong_AsSsize_t(args[ISLICE_STOP]);
        if (step->next >= step->limit) {
            step->limit = step->next;
            step->next = PY_SSIZE_T_MAX;
        }
    }
    if (step->limit == 0) {
        gx_run_stop_later(run, step);
    }
    return 0;
}

static gx_answer
islice_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    Py_ssize_t index = step->count++;
    bool last = step->count >= step->limit;
    if (index == step->next && !step->stopping) {
        step->next = step->stride > PY_SSIZE_T_MAX - index ? PY_SSIZE_T_MAX
                                                           : index + step->stride;
        return last ? GX_STOP_AFTER : GX_EMIT;
    }
    Py_DECREF(*item);
    return last ? GX_STOP : GX_SKIP;
}

static Py_ssize_t
islice_hint(gx_step *step, Py_ssize_t upstream)
{
    Py_ssize_t end =
        upstream > step->limit - step->count ? step->limit : step->count + upstream;
    return end <= step->next ? 0 : (end - step->next - 1) / step->stride + 1;
}

/* As it would be written: only the stop can be None here. */
static PyObject *
islice_brief(PyObject *const *args)
{
    PyObject *text = NULL, *start = gx_brief(args[0]);
    PyObject *stop = start != NULL ? gx_brief(args[1]) : NULL;
    PyObject *step = stop != NULL ? gx_brief(args[2]) : NULL;
    if (step != NULL) {
        bool every = PyUnicode_CompareWithASCIIString(step, "1") == 0;
        bool all = PyUnicode_CompareWithASCIIString(start, "0") == 0;
        text = !every ? PyUnicode_FromFormat("%U, %U, %U", start, stop, step)
               : all  ? Py_NewRef(stop)
                      : PyUnicode_FromFormat("%U, %U", start, stop);
    }
    Py_XDECREF(start);
    Py_XDECREF(stop);
    Py_XDECREF(step);
    return text;
}

const gx_row gx_stage_islice = {
    .name = "islice",
    .nargs = 3,
    .flags = GX_ONE_TO_ONE,
    .parse = islice_parse,
    .check = islice_check,
    .start = islice_start,
    .before = islice_before,
    .brief = islice_brief,
    .hint = islice_hint,
};

const char gx_stage_islice_doc[] =
    "islice($self, /, *args)\n--\n\n"
    "islice(stop) or islice(start, stop[, step])\n\n"
    "Pass on the items a slice with these bounds would; exactly max(start, stop) are\n"
    "taken from the source. Raises ValueError for a bound that is no index. As\n"
    "itertools.islice.\n\n"
    ">>> pipe('abcdef').islice(1, 5, 2).list()\n"
    "['b', 'd']";
