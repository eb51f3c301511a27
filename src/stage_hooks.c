/* Stages that call something beside the items: tap, on_close. */

#include "pipeline.h"

/* -- tap ---------------------------------------------------------------- */

enum { TAP_FUNC, TAP_CHUNK, TAP_BEFORE, TAP_AFTER };

static int
check_hook(PyObject **arg, const char *name)
{
    if (*arg == NULL) {
        *arg = Py_NewRef(Py_None);
    }
    return *arg == Py_None ? 0 : gx_check_callable(*arg, name);
}

static int
tap_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    if (gx_as_callable(&args[TAP_FUNC], "func") < 0 ||
        check_hook(&args[TAP_BEFORE], "before") < 0 ||
        check_hook(&args[TAP_AFTER], "after") < 0) {
        return -1;
    }
    return gx_check_optional_size(&args[TAP_CHUNK], 1,
                                  "chunk_size must be at least one");
}

/* step->limit is the chunk size or 0, step->state the items held back. With hooks it
   is a prefix step, to learn when an item is first asked of it: `before` is called
   then, and `after` will have to be. */
static int
tap_start(gx_run *run, gx_step *step)
{
    PyObject *const *args = step->args;
    if (args[TAP_CHUNK] != Py_None) {
        step->limit = PyLong_AsSsize_t(args[TAP_CHUNK]);
        step->many = true;
    } else {
        step->use = GX_IGNORE;
    }
    if (args[TAP_BEFORE] != Py_None || args[TAP_AFTER] != Py_None) {
        step->prefix = true;
        gx_run_push(run, step);
    } else if (step->limit == 0) {
        step->before = NULL; /* straight to the call */
    }
    return 0;
}

static int
call_hook(PyObject *hook)
{
    PyObject *done = hook != Py_None ? PyObject_CallNoArgs(hook) : Py_NewRef(hook);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* An item is asked for, or an answer to throw() comes first: `before`, once. */
static int
tap_enter(gx_step *step)
{
    step->prefix = false;
    step->finish = step->args[TAP_AFTER] != Py_None;
    return call_hook(step->args[TAP_BEFORE]);
}

static gx_answer
tap_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    if (step->prefix && tap_enter(step) < 0) {
        return GX_ERROR;
    }
    if (step->limit == 0) {
        return GX_CALL;
    }
    if (step->state == NULL && (step->state = PyList_New(0)) == NULL) {
        return GX_ERROR;
    }
    if (PyList_Append(step->state, *item) < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*item);
    *item = NULL;
    if (PyList_GET_SIZE(step->state) < step->limit) {
        return GX_SKIP;
    }
    *item = step->state;
    step->state = NULL;
    return GX_CALL;
}

/* Of a chunk. */
static gx_answer
tap_after(gx_run *run, gx_step *step, PyObject **item, PyObject *result)
{
    Py_DECREF(result);
    if (gx_source_open(run->state, &step->source, *item) < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*item);
    return GX_OPEN;
}

/* Before the first item: the `before` hook. After the last: the part chunk. */
static gx_answer
tap_refill(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    if (step->prefix) {
        return tap_enter(step) < 0 ? GX_ERROR : GX_SKIP;
    }
    *item = step->state;
    step->state = NULL;
    return *item == NULL ? GX_SKIP : GX_CALL;
}

static int
tap_finish(gx_run *Py_UNUSED(run), gx_step *step)
{
    return call_hook(step->args[TAP_AFTER]);
}

static Py_ssize_t
tap_held(gx_step *step)
{
    return step->state != NULL ? PyList_GET_SIZE(step->state) : 0;
}

static Py_ssize_t
tap_hint(gx_step *step, Py_ssize_t upstream)
{
    return gx_add_hints(gx_add_hints(upstream, tap_held(step)),
                        gx_source_hint(&step->source));
}

static const char *const tap_params[] = {"func", "chunk_size", "before", "after", NULL};
static const gx_signature tap_signature = {"tap", tap_params, 0, 1, 4};

const gx_row gx_stage_tap = {
    .name = "tap",
    .signature = &tap_signature,
    .nargs = 4,
    .flags = GX_ONE_TO_ONE,
    .call = GX_CALL_ITEM,
    .check = tap_check,
    .start = tap_start,
    .before = tap_before,
    .after = tap_after,
    .refill = tap_refill,
    .finish = tap_finish,
    .hint = tap_hint,
    .held = tap_held,
};

const char gx_stage_tap_doc[] =
    "tap($self, func, chunk_size=None, before=None, after=None)\n--\n\n"
    "Call func(item), or func(list) for each chunk_size items, and pass the items on.\n\n"
    "before() is called when the first item is asked for, after() once at the end, at\n"
    "close or when the pipe is dropped. As more_itertools.side_effect.\n\n"
    ">>> pipe('ab').tap(print).count()\n"
    "a\n"
    "b\n"
    "2";

/* -- on_close ------------------------------------------------------------- */

static int
on_close_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    step->finish = true;
    return 0;
}

static int
on_close_finish(gx_run *Py_UNUSED(run), gx_step *step)
{
    return call_hook(step->args[0]);
}

static Py_ssize_t
on_close_hint(gx_step *Py_UNUSED(step), Py_ssize_t upstream)
{
    return upstream;
}

static const char *const on_close_params[] = {"func", NULL};
static const gx_signature on_close_signature = {"on_close", on_close_params, 1, 1, 1};

const gx_row gx_stage_on_close = {
    .name = "on_close",
    .signature = &on_close_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE | GX_CALLS_ANYWAY,
    .start = on_close_start,
    .before = gx_pass_on,
    .finish = on_close_finish,
    .hint = on_close_hint,
};

const char gx_stage_on_close_doc[] =
    "on_close($self, func, /)\n--\n\n"
    "Call func() once: at the end, an early end, close() or when the pipe is dropped,\n"
    "even if no item was ever asked for. Errors of several are chained as those of an\n"
    "ExitStack.\n\n"
    ">>> pipe('ab').on_close(lambda: print('closed')).list()\n"
    "closed\n"
    "['a', 'b']";
