/* The loop that moves items through a run, and what all drivers share. No Python
   type in this file. */

#include "pipeline.h"

#include <string.h>

/* -- layout ------------------------------------------------------------- */

static bool
is_c_callable(PyObject *func)
{
    return func != NULL && !PyFunction_Check(func) && !PyMethod_Check(func);
}

/* The step is all zero. */
static void
fill_step(gx_run *run, gx_step *step, const gx_row *row, PyObject *const *args)
{
    step->source.fetch = gx_fetch_none;
    step->before = row->before;
    step->row = row;
    step->call = row->call;
    step->use = row->use;
    step->args = args;
    step->many = !(row->flags & GX_ONE_TO_ONE);
    run->many_ends = run->many_ends || row->flags & GX_MANY_ENDS;
    if (row->call != GX_CALL_NONE && args[0] != Py_None) {
        step->func = args[0];
        step->before = row->flags & GX_DIRECT ? NULL : row->before;
        if (is_c_callable(step->func)) {
            run->breath = GX_BREATH(GX_INTERVAL_CALLS);
        }
    }
}

static int
start_step(gx_run *run, gx_step *step)
{
    return step->row->start == NULL ? 0 : step->row->start(run, step);
}

/* Upstream first: of two prefix steps the later one is asked first. */
static int
start_steps(gx_run *run)
{
    for (gx_step *step = run->steps + 1; step < run->end; step++) {
        if (start_step(run, step) < 0) {
            return -1;
        }
    }
    return 0;
}

gx_run *
gx_run_new(gx_state *state, gx_source *source, gx_program *const *programs, Py_ssize_t n)
{
    Py_ssize_t nstages = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        nstages += programs[i]->size;
    }
    size_t size = sizeof(gx_run) + (size_t)(nstages + 2) * sizeof(gx_step);
    gx_run *run = PyMem_Malloc(size);
    if (run == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    memset(run, 0, size);
    run->state = state;
    run->nstages = nstages;
    run->breath = GX_BREATH(GX_INTERVAL_NATIVE);
    run->steps[0].source.fetch = gx_fetch_none;
    run->steps[0].open = true;
    gx_step *step = run->steps + nstages;
    for (Py_ssize_t i = n - 1; i >= 0; i--) {
        for (gx_program *p = programs[i]; p->row != NULL; p = p->previous) {
            fill_step(run, step, p->row, p->args);
            step->node = (gx_program *)Py_NewRef((PyObject *)p);
            step--;
        }
    }
    run->top = run->steps;
    run->base = run->steps + 1;
    run->end = run->base + nstages;
    if (start_steps(run) < 0) {
        gx_run_free(run);
        return NULL;
    }
    run->steps[0].source = *source;
    *source = GX_SOURCE_NONE;
    return run;
}

int
gx_run_terminate(gx_run *run, const gx_row *row, PyObject **args)
{
    gx_step *step = run->end;
    memcpy(run->terminal, args, sizeof(run->terminal));
    fill_step(run, step, row, run->terminal);
    run->end++;
    return start_step(run, step);
}

/* -- the stack of open steps -------------------------------------------- */

void
gx_run_push(gx_run *run, gx_step *step)
{
    step->below = run->top;
    step->open = true;
    run->top = step;
}

static PyObject *
fetch_stop(gx_source *source)
{
    source->index++; /* a body of its own: see gx_fetch_shallow */
    return NULL;
}

void
gx_run_stop_later(gx_run *run, gx_step *step)
{
    step->source.fetch = fetch_stop;
    step->stopping = true;
    gx_run_push(run, step);
}

/* -- clean-up ----------------------------------------------------------- */

static int fail_at(gx_run *run, gx_step *step, PyObject *item);

/* Flags and fields first: whatever runs meanwhile finds a step that has ended. */
static int
finish_step(gx_run *run, gx_step *step)
{
    if (!step->finish) {
        return 0;
    }
    step->finish = false;
    return step->row->finish(run, step) < 0 ? fail_at(run, step, NULL) : 0;
}

/* Of an owned run what has ended is closed, else let go of. */
static int
leave_source(gx_run *run, gx_step *step)
{
    if (run->owner) {
        return gx_source_close(run->state, &step->source);
    }
    gx_source_drop(&step->source);
    return 0;
}

static int
release_source(gx_run *run, gx_step *step, bool close)
{
    step->open = false;
    if (close) {
        return gx_source_close(run->state, &step->source);
    }
    gx_source_drop(&step->source);
    return 0;
}

/* Let go of the steps first..last, from the last to the first: all are tried. */
static int
release_steps(gx_run *run, gx_step *first, gx_step *last, bool close)
{
    PyObject *error = NULL;
    for (gx_step *step = last; step >= first; step--) {
        gx_collect_error(release_source(run, step, close), &error);
        if (step->row != NULL && step->row->release != NULL) {
            gx_collect_error(step->row->release(run, step, close), &error);
        }
        gx_collect_error(finish_step(run, step), &error);
        Py_CLEAR(step->state);
        Py_CLEAR(step->key);
    }
    return gx_raise_collected(error);
}

/* The program ends above `last`: nothing up to it is asked again. Its own state
   stays, for what it has still to flush or to answer. */
static int
stop_at(gx_run *run, gx_step *last)
{
    PyObject *error = NULL;
    run->top = run->steps;
    if (run->base <= last) {
        run->base = last + 1;
    }
    last->stopping = false;
    gx_collect_error(release_source(run, last, run->owner), &error);
    gx_collect_error(finish_step(run, last), &error);
    gx_collect_error(release_steps(run, run->steps, last - 1, run->owner), &error);
    return gx_raise_collected(error);
}

int
gx_run_release(gx_run *run, bool close)
{
    run->top = run->steps;
    run->base = run->end;
    return release_steps(run, run->steps, run->end - 1, close);
}

void
gx_run_free(gx_run *run)
{
    for (gx_step *step = run->steps; step < run->end; step++) {
        gx_source_drop(&step->source);
        Py_CLEAR(step->state);
        Py_CLEAR(step->key);
        Py_CLEAR(step->node);
    }
    for (int i = 0; i < GX_MAX_ARGS; i++) {
        Py_CLEAR(run->terminal[i]);
    }
    Py_CLEAR(run->result);
    PyMem_Free(run);
}

int
gx_run_traverse(gx_run *run, visitproc visit, void *arg)
{
    for (gx_step *step = run->steps; step < run->end; step++) {
        GX_VISIT_SOURCE(&step->source);
        Py_VISIT(step->state);
        Py_VISIT(step->key);
        Py_VISIT(step->node);
    }
    for (int i = 0; i < GX_MAX_ARGS; i++) {
        Py_VISIT(run->terminal[i]);
    }
    Py_VISIT(run->result);
    return 0;
}

/* -- errors ------------------------------------------------------------- */

/* ", access.log:311" where the source reads files, else "". */
static PyObject *
place_of(gx_run *run)
{
    PyObject *source = run->steps->source.obj;
    if (source == NULL || !Py_IS_TYPE(source, GX_TYPE_OF(run->state, lines_source))) {
        return PyUnicode_FromString("");
    }
    PyObject *place = gx_lines_place(source);
    PyObject *text = place != NULL ? PyUnicode_FromFormat(", %U", place) : NULL;
    Py_XDECREF(place);
    return text;
}

static void
note_stage(gx_run *run, gx_step *step, PyObject *item)
{
    PyObject *exc = gx_note_begin();
    if (exc == NULL) {
        return;
    }
    PyObject *stage = gx_stage_brief(step->row, step->args);
    PyObject *value = item != NULL ? gx_brief(item) : NULL;
    PyObject *place = place_of(run);
    const char *colon = value != NULL ? ": " : "";
    if (step->row->flags & GX_TERMINAL) {
        gx_note_end(exc, "terminal %V, item %zd%s%V%V", stage, step->row->name,
                    run->index - 1, colon, value, "", place, "");
    } else {
        gx_note_end(exc, "stage %zd/%zd %V, item %zd%s%V%V", step - run->steps,
                    run->nstages, stage, step->row->name, run->index - 1, colon, value,
                    "", place, "");
    }
    Py_XDECREF(place);
    Py_XDECREF(stage);
    Py_XDECREF(value);
}

/* An error was raised in `step`; `item` is stolen, perhaps NULL. Always -1. */
static int
fail_at(gx_run *run, gx_step *step, PyObject *item)
{
    if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyObject *raised = PyErr_GetRaisedException();
        PyObject *stage = gx_stage_brief(step->row, step->args);
        PyErr_Clear(); /* of making the text only */
        PyErr_SetRaisedException(raised);
        gx_no_stop_iteration("%V", stage, step->row->name);
        Py_XDECREF(stage);
    }
    note_stage(run, step, item);
    Py_XDECREF(item);
    return -1;
}

static int
fail_at_source(gx_run *run)
{
    PyObject *exc = gx_note_begin();
    if (exc != NULL) {
        PyObject *source = gx_source_brief(&run->steps->source);
        gx_note_end(exc, "source %V, item %zd", source, "?", run->index);
        Py_XDECREF(source);
    }
    return -1;
}

/* -- calls ------------------------------------------------------------- */

static inline PyObject *
call_item(PyObject *func, PyObject *item)
{
    PyObject *args[2] = {NULL, item};
    return gx_call_func(func, args + 1, 1);
}

static PyObject *
call_star(PyObject *func, PyObject *item)
{
    if (PyTuple_CheckExact(item)) {
        return gx_call_slot(func, &PyTuple_GET_ITEM(item, 0),
                            (size_t)PyTuple_GET_SIZE(item));
    }
    PyObject *args = PySequence_Tuple(item);
    if (args == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_Call(func, args, NULL);
    Py_DECREF(args);
    return result;
}

static PyObject *
call_fold(gx_step *step, PyObject *item)
{
    PyObject *args[3] = {NULL, Py_NewRef(step->state), item};
    PyObject *result = gx_call_func(step->func, args + 1, 2);
    Py_DECREF(args[1]);
    return result;
}

static PyObject *
call_other(gx_step *step, PyObject *item)
{
    return step->call == GX_CALL_STAR ? call_star(step->func, item)
                                      : call_fold(step, item);
}

static inline PyObject *
call(gx_step *step, PyObject *item)
{
    return step->call == GX_CALL_ITEM ? call_item(step->func, item)
                                      : call_other(step, item);
}

/* -- the end of something ------------------------------------------------ */

/* Ask a step for what it has of its own: 1 it is open now, 0 nothing more. */
static int
refill(gx_run *run, gx_step *step)
{
    PyObject *item = NULL;
    gx_answer answer = step->row->refill(run, step, &item);
    if (answer == GX_CALL) {
        PyObject *result = call(step, item);
        answer = result == NULL ? GX_ERROR : step->row->after(run, step, &item, result);
    }
    if (answer == GX_ERROR) {
        return fail_at(run, step, item);
    }
    return answer == GX_OPEN;
}

/* Nothing is open and all before base has ended: 1 a step has more, 0 the end. */
static int
flush(gx_run *run)
{
    for (; run->base < run->end; run->base++) {
        gx_step *step = run->base;
        if (step->row->refill != NULL && !step->prefix) {
            int opened = refill(run, step);
            if (opened > 0) {
                gx_run_push(run, step);
            }
            if (opened != 0) {
                return opened;
            }
        }
        if (finish_step(run, step) < 0) {
            run->base++;
            return -1;
        }
    }
    return 0;
}

static int
source_ended(gx_run *run, gx_step *step, PyObject *value)
{
    bool was_open = step->open;
    if (was_open && value != Py_None && !run->many_ends) {
        Py_XSETREF(run->result, Py_NewRef(value));
    }
    Py_DECREF(value);
    if (was_open && release_source(run, step, run->owner) < 0) {
        return -1;
    }
    return run->top == step ? flush(run) : 1;
}

/* `step` has nothing more: 1 go on, 0 the end, -1 error. `value` is stolen. It is on
   top, or throw() ended it below others: then it is only emptied. A prefix step stays on top until its refill has nothing more, so that an
   error in between loses none of its inputs. */
static int
step_ended(gx_run *run, gx_step *step, PyObject *value)
{
    if (step->below == NULL) {
        return source_ended(run, step, value);
    }
    Py_DECREF(value);
    if (step->stopping) {
        return stop_at(run, step) < 0 ? -1 : 1;
    }
    if (leave_source(run, step) < 0) {
        return fail_at(run, step, NULL);
    }
    if (run->top != step) {
        return 1;
    }
    if (step->prefix) {
        int opened = refill(run, step);
        if (opened != 0) {
            return opened;
        }
        step->prefix = false;
    }
    run->top = step->below;
    step->open = false;
    return 1;
}

static int
fetch_failed(gx_run *run, gx_step *step)
{
    PyObject *value;
    if (gx_ended(&value)) {
        return step_ended(run, step, value);
    }
    return step->row == NULL ? fail_at_source(run) : fail_at(run, step, NULL);
}

/* -- the loop ----------------------------------------------------------- */

/* What a predicate's result, taken, says of an item. */
static inline gx_answer
judge(PyObject *result, bool wanted, PyObject **item)
{
    int truth = result == Py_True ? 1 : result == Py_False ? 0 : PyObject_IsTrue(result);
    Py_DECREF(result);
    if (truth < 0) {
        return GX_ERROR;
    }
    if (truth == wanted) {
        return GX_EMIT;
    }
    Py_DECREF(*item);
    return GX_SKIP;
}

/* Both halves of one step, with the call of a synchronous driver in between. */
static inline gx_answer
advance(gx_run *run, gx_step *step, PyObject **item)
{
    if (step->before != NULL) {
        gx_answer answer = step->before(run, step, item);
        if (answer != GX_CALL) {
            return answer;
        }
    }
    PyObject *old, *result = call(step, *item);
    if (result == NULL) {
        return GX_ERROR;
    }
    switch (step->use) {
    case GX_REPLACE:
        old = *item;
        *item = result;
        Py_DECREF(old);
        return GX_EMIT;
    case GX_KEEP:
    case GX_REJECT:
        return judge(result, step->use == GX_KEEP, item);
    default:
        return step->row->after(run, step, item, result);
    }
}

/* What the rarer answers do to the run: 1 hand the item on, 0 fetch the next, -1. */
static int
answered(gx_run *run, gx_step *step, gx_answer answer, PyObject *item)
{
    switch (answer) {
    case GX_EMIT_MORE:
        gx_run_push(run, step);
        return 1;
    case GX_STOP_AFTER:
        gx_run_stop_later(run, step);
        return 1;
    case GX_OPEN:
        gx_run_push(run, step);
        return 0;
    case GX_STOP:
        return stop_at(run, step);
    default:
        return fail_at(run, step, item);
    }
}

/* Hand an item (taken) that step `from` gave down the steps: the item that falls out
   of the end, or NULL with *more telling to fetch the next (1), the end or an error. */
static inline PyObject *
hand_down(gx_run *run, gx_step *from, PyObject *item, int *more)
{
    run->index += from->row == NULL;
    for (gx_step *step = from + 1; step < run->end; step++) {
        gx_answer answer = advance(run, step, &item);
        if (answer == GX_EMIT) {
            continue;
        }
        *more = 1;
        if (answer == GX_SKIP) {
            return NULL;
        }
        int rc = answered(run, step, answer, item);
        if (rc <= 0) {
            *more = rc == 0;
            return NULL;
        }
    }
    return item;
}

PyObject *
gx_run_next(gx_run *run)
{
    for (;;) {
        if (gx_tick(&run->breath) < 0) {
            return NULL;
        }
        int more;
        gx_step *top = run->top;
        PyObject *item = gx_next(&top->source);
        if (item != NULL) {
            item = hand_down(run, top, item, &more);
            if (item != NULL) {
                return item;
            }
        } else {
            more = fetch_failed(run, top) > 0;
        }
        if (!more) {
            return NULL;
        }
    }
}

/* What a stage reads besides the upstream: an iterable, or a function without
   arguments that makes one, so that a program can be run again. */
int
gx_open_input(gx_run *run, gx_step *step, PyObject *input)
{
    if (Py_TYPE(input)->tp_iter == NULL && !PySequence_Check(input) &&
        PyCallable_Check(input)) {
        PyObject *made = PyObject_CallNoArgs(input);
        if (made == NULL) {
            return -1;
        }
        int rc = gx_source_open(run->state, &step->source, made);
        Py_DECREF(made);
        return rc;
    }
    return gx_source_open(run->state, &step->source, input);
}

/* -- send and throw ------------------------------------------------------- */

static gx_step *
first_many(gx_run *run)
{
    gx_step *step = run->steps + 1;
    while (step < run->end && !step->many) {
        step++;
    }
    return step < run->end ? step : NULL;
}

static PyObject *
refuse_send(gx_run *run, gx_step *step)
{
    PyObject *stage = gx_stage_brief(step->row, step->args);
    if (stage != NULL) {
        PyErr_Format(PyExc_TypeError, "send() cannot pass through stage %zd/%zd %U",
                     step - run->steps, run->nstages, stage);
        Py_DECREF(stage);
    }
    return NULL;
}

/* Go on from what a source answered to send() or throw(). */
static PyObject *
resumed(gx_run *run, gx_step *step, PySendResult answer, PyObject *item)
{
    int more = 1;
    run->answered = answer != PYGEN_ERROR;
    if (answer == PYGEN_NEXT) {
        item = hand_down(run, step, item, &more);
        return item == NULL && more ? gx_run_next(run) : item;
    }
    if (answer == PYGEN_ERROR) {
        step->row == NULL ? fail_at_source(run) : fail_at(run, step, NULL);
        return NULL;
    }
    return step_ended(run, step, item) > 0 ? gx_run_next(run) : NULL;
}

PyObject *
gx_run_send(gx_run *run, PyObject *value)
{
    PyObject *item = NULL;
    gx_step *many = first_many(run);
    if (many != NULL) {
        return refuse_send(run, many);
    }
    if (run->top != run->steps || !run->steps->open) {
        return gx_run_next(run); /* only a pending stop */
    }
    PySendResult answer = gx_source_send(&run->steps->source, value, &item);
    return resumed(run, run->steps, answer, item);
}

/* Pending output and stops have no iterator to throw into: the open step below. */
PyObject *
gx_run_throw(gx_run *run, PyObject *exc)
{
    PyObject *item = NULL;
    gx_step *step = run->top;
    while (step->source.obj == NULL && step->below != NULL) {
        step = step->below;
    }
    PySendResult answer = gx_source_throw(run->state, &step->source, exc, &item);
    return resumed(run, step, answer, item);
}

/* -- describe ----------------------------------------------------------- */

Py_ssize_t
gx_run_hint(gx_run *run, Py_ssize_t upstream)
{
    Py_ssize_t hint = upstream;
    for (gx_step *step = run->steps + 1; step < run->end; step++) {
        if (hint < 0) {
            return hint;
        }
        hint = step->row->hint == NULL ? GX_HINT_UNKNOWN : step->row->hint(step, hint);
    }
    return hint;
}
