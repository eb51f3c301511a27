/* A stage that shows how far the source has been read, by a bar of tqdm: progress. */

#include "pipeline.h"

/* -- arguments ---------------------------------------------------------- */

enum { PROGRESS_TOTAL, PROGRESS_OPTIONS };

/* The class tqdm.tqdm, or NULL with an error. */
static PyObject *
tqdm_class(gx_state *state)
{
    PyObject *module = PyImport_ImportModule("tqdm");
    if (module != NULL) {
        PyObject *class = PyObject_GetAttr(module, GX_NAME(state, tqdm));
        Py_DECREF(module);
        return class;
    }
    if (PyErr_ExceptionMatches(PyExc_ImportError)) {
        PyObject *cause = PyErr_GetRaisedException();
        PyErr_SetString(PyExc_ImportError,
                        "progress() needs tqdm: pip install pygenx[progress]");
        gx_chain_errors(cause);
    }
    return NULL;
}

/* args[]: the total, the dict of what tqdm is given. */
static int
progress_parse(const gx_row *row, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames, PyObject **out)
{
    static const char *const params[] = {NULL};
    const gx_signature signature = {row->name, params, 0, 0, 0};
    PyObject *none[1];
    if (gx_parse(&signature, args, (size_t)nargs, NULL, none) < 0) {
        return -1;
    }
    out[PROGRESS_OPTIONS] = PyDict_New();
    Py_ssize_t n = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t i = 0; i < n && out[PROGRESS_OPTIONS] != NULL; i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        if (PyUnicode_CompareWithASCIIString(name, "total") == 0) {
            out[PROGRESS_TOTAL] = Py_NewRef(args[i]);
        } else if (PyDict_SetItem(out[PROGRESS_OPTIONS], name, args[i]) < 0) {
            return -1;
        }
    }
    return out[PROGRESS_OPTIONS] == NULL ? -1 : 0;
}

static int
progress_check(gx_state *state, PyObject **args, bool Py_UNUSED(reusable))
{
    PyObject *options = args[PROGRESS_OPTIONS];
    if (options == NULL || !PyDict_CheckExact(options)) {
        PyErr_SetString(PyExc_TypeError, "the options of progress() must be a dict");
        return -1;
    }
    int given = PyDict_Contains(options, GX_NAME(state, iterable));
    if (given != 0) {
        if (given > 0) {
            PyErr_SetString(PyExc_TypeError,
                            "progress() got an unexpected keyword argument 'iterable'");
        }
        return -1;
    }
    if (gx_check_optional_size(&args[PROGRESS_TOTAL], 0, "total must be at least 0") <
        0) {
        return -1;
    }
    PyObject *class = tqdm_class(state);
    Py_XDECREF(class);
    return class == NULL ? -1 : 0;
}

static PyObject *
progress_brief(PyObject *const *args)
{
    PyObject *total = args[PROGRESS_TOTAL];
    return total == Py_None ? PyUnicode_FromString("")
                            : PyUnicode_FromFormat("total=%S", total);
}

/* -- the total ---------------------------------------------------------- */

/* Items that the steps will take of the source at most: a take or islice counts where
   every stage before it passes all items on, one for one. */
static Py_ssize_t
most_taken(gx_run *run)
{
    const Py_ssize_t many = PY_SSIZE_T_MAX / 2;
    Py_ssize_t most = PY_SSIZE_T_MAX;
    for (gx_step *step = run->steps + 1; step < run->end; step++) {
        const gx_row *row = step->row;
        if (row == &gx_stage_take || row == &gx_stage_islice) {
            Py_ssize_t left = step->limit - step->count;
            most = left < most ? left : most;
        }
        bool all = row->hint != NULL && !step->many && row->hint(step, many) == many;
        if (!all && row != &gx_stage_take) {
            break;
        }
    }
    return most;
}

/* What an iterator says of its length; it runs user code. A length that cannot be had
   is not known: the items are read all the same. */
static Py_ssize_t
said_length(PyObject *iterator)
{
    PyObject *obj = Py_NewRef(iterator);
    Py_ssize_t length = PyObject_LengthHint(obj, PY_SSIZE_T_MAX);
    Py_DECREF(obj);
    if (length < 0 && PyErr_ExceptionMatches(PyExc_Exception) &&
        !PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Clear();
        return PY_SSIZE_T_MAX;
    }
    return length;
}

/* Length of the source, exact or nearly; PY_SSIZE_T_MAX: not known, -1 error. */
static Py_ssize_t
source_length(gx_source *source)
{
    Py_ssize_t length = gx_source_hint(source);
    if (length != GX_HINT_UNKNOWN && source->fetch != gx_fetch_pushed) {
        return length;
    }
    return source->obj != NULL ? said_length(source->obj) : PY_SSIZE_T_MAX;
}

/* New reference: an int or None. */
static PyObject *
expected_total(gx_run *run, gx_step *step)
{
    PyObject *given = step->args[PROGRESS_TOTAL];
    if (given != Py_None) {
        return Py_NewRef(given);
    }
    Py_ssize_t length = source_length(&run->steps->source), most = most_taken(run);
    if (length < 0) {
        return NULL;
    }
    length = length < most ? length : most;
    return length == PY_SSIZE_T_MAX ? Py_NewRef(Py_None)
                                    : PyLong_FromSsize_t(run->index + length);
}

/* -- the bar ------------------------------------------------------------ */

/* step->state is the bar, step->count the number of items it was told of. A look at
   the clock is due after step->next items; their number, step->stride, grows while
   items are quick. step->limit and step->phase are when the clock was looked at last
   and when the bar was told, in milliseconds. */

#define UPDATE_MS 50
#define QUICK_MS 1
#define MOST_QUIET 64 /* items that may turn slow before a look */

static Py_ssize_t
milliseconds(void)
{
    return (Py_ssize_t)((gx_clock_ns() / 1000000) & 0x3fffffff);
}

/* A prefix step, to make the bar when an item is first asked for. */
static int
progress_start(gx_run *run, gx_step *step)
{
    step->prefix = true;
    gx_run_push(run, step);
    return 0;
}

static PyObject *
make_bar(gx_run *run, gx_step *step)
{
    gx_state *state = run->state;
    PyObject *class = tqdm_class(state), *bar = NULL, *none = PyTuple_New(0);
    PyObject *options = PyDict_Copy(step->args[PROGRESS_OPTIONS]);
    PyObject *total = NULL;
    if (class != NULL && none != NULL && options != NULL) {
        total = expected_total(run, step);
    }
    if (total != NULL && PyDict_SetItem(options, GX_NAME(state, total), total) == 0) {
        bar = PyObject_Call(class, none, options);
    }
    Py_XDECREF(total);
    Py_XDECREF(options);
    Py_XDECREF(none);
    Py_XDECREF(class);
    return bar;
}

static int
progress_enter(gx_run *run, gx_step *step)
{
    step->prefix = false;
    step->count = run->index - (run->index > 0); /* an answer to throw() came first */
    step->state = make_bar(run, step);
    if (step->state == NULL) {
        return -1;
    }
    step->finish = true;
    step->stride = 1;
    step->limit = milliseconds();
    step->phase = (int)step->limit;
    return 0;
}

/* Tell the bar how many items were taken since it was last told. */
static int
tell_bar(gx_run *run, gx_step *step, PyObject *bar)
{
    Py_ssize_t more = run->index - step->count;
    step->count = run->index;
    if (more == 0) {
        return 0;
    }
    PyObject *done = NULL, *n = PyLong_FromSsize_t(more);
    if (n != NULL) {
        done = PyObject_CallMethodOneArg(bar, GX_NAME(run->state, update), n);
    }
    Py_XDECREF(n);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int
progress_look(gx_run *run, gx_step *step)
{
    if (step->prefix && progress_enter(run, step) < 0) {
        return -1;
    }
    Py_ssize_t now = milliseconds();
    bool quick = now - step->limit < QUICK_MS && now >= step->limit;
    step->stride = !quick                      ? 1
                   : step->stride < MOST_QUIET ? 2 * step->stride
                                               : MOST_QUIET;
    step->next = step->stride;
    step->limit = now;
    if (step->state == NULL || (now - step->phase < UPDATE_MS && now >= step->phase)) {
        return 0;
    }
    step->phase = (int)now;
    PyObject *bar = Py_NewRef(step->state);
    int rc = tell_bar(run, step, bar);
    Py_DECREF(bar);
    return rc;
}

static gx_answer
progress_before(gx_run *run, gx_step *step, PyObject **Py_UNUSED(item))
{
    if (--step->next > 0) {
        return GX_EMIT;
    }
    return progress_look(run, step) < 0 ? GX_ERROR : GX_EMIT;
}

static gx_answer
progress_refill(gx_run *run, gx_step *step, PyObject **Py_UNUSED(item))
{
    return step->prefix && progress_enter(run, step) < 0 ? GX_ERROR : GX_SKIP;
}

/* The bar is out of the step before its code runs. */
static int
progress_finish(gx_run *run, gx_step *step)
{
    PyObject *bar = step->state, *error = NULL;
    step->state = NULL;
    gx_collect_error(tell_bar(run, step, bar), &error);
    gx_collect_error(gx_close(run->state, bar), &error);
    Py_DECREF(bar);
    return gx_raise_collected(error);
}

static Py_ssize_t
progress_hint(gx_step *Py_UNUSED(step), Py_ssize_t upstream)
{
    return upstream;
}

/* -- row ---------------------------------------------------------------- */

const gx_row gx_stage_progress = {
    .name = "progress",
    .nargs = 2,
    .flags = GX_ONE_TO_ONE,
    .parse = progress_parse,
    .check = progress_check,
    .brief = progress_brief,
    .start = progress_start,
    .before = progress_before,
    .refill = progress_refill,
    .finish = progress_finish,
    .hint = progress_hint,
};

const char gx_stage_progress_doc[] =
    "progress($self, /, *, total=None, **tqdm_kwargs)\n--\n\n"
    "Show by a bar of tqdm how many items of the source have been taken, and pass the\n"
    "items on.\n\n"
    "The total, if none is given, is the length of the source, or less where a take()\n"
    "says so. The bar is made when the first item is asked for, told every 50 ms, and\n"
    "closed at the end; tqdm is given the other arguments: desc, unit, file, leave,\n"
    "disable ... Raises ImportError if tqdm is not installed (pip install\n"
    "pygenx[progress]).\n\n"
    ">>> pipe(range(4)).progress(desc='numbers', disable=True).sum()\n"
    "6";
