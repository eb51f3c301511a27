/* What a run consists of and how it is taken apart: layout, the stack of open steps,
   clean-up, memory, length. No Python type in this file. */

#include "native_generator.h"
#include "pipeline.h"

#include <string.h>

/* -- layout ------------------------------------------------------------- */

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
    run->rescues = run->rescues || row->rescue != NULL;
    run->many_ends = run->many_ends || row->flags & GX_MANY_ENDS;
    if (row->call != GX_CALL_NONE && args[0] != Py_None) {
        step->func = args[0];
        step->before = gx_row_before(row);
        if (!PyFunction_Check(step->func) && !PyMethod_Check(step->func)) {
            run->breath = GX_BREATH(GX_INTERVAL_CALLS);
        }
        if (gx_may_lift(run->state, step->func)) {
            run->warming = run->state->lift_off <= 0;
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
gx_run_new(gx_state *state, gx_source *source, gx_program *const *programs,
           Py_ssize_t n)
{
    Py_ssize_t nstages = 0, whole = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        gx_program *through = programs[i]->through;
        whole += programs[i]->size;
        nstages += programs[i]->size - (through != NULL ? through->size : 0);
    }
    size_t size = sizeof(gx_run) + (size_t)(nstages + 2) * sizeof(gx_step);
    gx_run *run = PyMem_Malloc(size);
    if (run == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    memset(run, 0, size);
    run->state = state;
    run->module = Py_NewRef(state->module);
    run->nstages = nstages;
    run->offset = whole - nstages;
    run->whole = whole;
    run->breath = GX_BREATH(GX_INTERVAL_NATIVE);
    run->steps[0].source.fetch = gx_fetch_none;
    run->steps[0].open = true;
    gx_step *step = run->steps + nstages;
    for (Py_ssize_t i = n - 1; i >= 0; i--) {
        gx_program *through = programs[i]->through;
        for (gx_program *p = programs[i]; p->row != NULL && p != through;
             p = p->previous) {
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
    if (run->warming) {
        gx_run_warm_up(run);
    }
    *source = GX_SOURCE_NONE;
    return run;
}

int
gx_run_terminate(gx_run *run, const gx_row *row, PyObject **args)
{
    gx_step *step = run->end;
    bool warming = run->warming;
    memcpy(run->terminal, args, sizeof(run->terminal));
    fill_step(run, step, row, run->terminal);
    run->end++;
    if (run->warming && !warming) {
        gx_run_warm_up(run);
    }
    gx_lane_warm_up(run);
    return start_step(run, step);
}

/* -- the stack of open steps -------------------------------------------- */

void
gx_run_push(gx_run *run, gx_step *step)
{
    if (step->open) { /* a prefix step that an answer to throw() has passed by */
        return;
    }
    step->below = run->top;
    step->open = true;
    run->top = step;
}

/* A lane of its own, not an item as the source: nobody may throw into or close what
   is only data. */
static PyObject *
fetch_pending(gx_source *source)
{
    gx_step *step = (gx_step *)source;
    PyObject *item = step->pending;
    step->pending = NULL;
    return item;
}

void
gx_step_give(gx_step *step, PyObject *item)
{
    Py_XSETREF(step->pending, item);
    step->source.fetch = fetch_pending;
}

/* What was pending is given, or an answer to throw() has passed by a prefix step that
   had only a hook to call. */
static bool
has_nothing(gx_step *step)
{
    gx_fetch fetch = step->source.fetch;
    return step->below != NULL && (fetch == fetch_pending || fetch == gx_fetch_none) &&
           step->pending == NULL && !step->stopping && !step->prefix;
}

void
gx_run_settle(gx_run *run)
{
    gx_step *top = run->top;
    while (has_nothing(top)) {
        top->source = GX_SOURCE_NONE;
        top->open = false;
        top = run->top = top->below;
    }
}

/* -- pushed items ------------------------------------------------------- */

/* step->pending is the next item. Others wait in the list step->state, from index
   step->count: only where an error left one unread. */
PyObject *
gx_fetch_pushed(gx_source *source)
{
    gx_step *step = (gx_step *)source;
    PyObject *item = step->pending, *queue = step->state;
    step->pending = NULL;
    if (item == NULL || queue == NULL) {
        return item;
    }
    if (step->count < PyList_GET_SIZE(queue)) {
        step->pending = Py_NewRef(PyList_GET_ITEM(queue, step->count++));
    } else {
        step->count = 0;
        Py_CLEAR(step->state);
    }
    return item;
}

int
gx_run_feed(gx_run *run, PyObject *item)
{
    gx_step *step = run->steps;
    if (step->pending == NULL) {
        step->pending = item;
        return 0;
    }
    if (step->state == NULL && (step->state = PyList_New(0)) == NULL) {
        Py_DECREF(item);
        return -1;
    }
    int rc = PyList_Append(step->state, item);
    Py_DECREF(item);
    return rc;
}

void
gx_run_feed_end(gx_run *run)
{
    if (run->steps->source.fetch == gx_fetch_pushed) {
        run->steps->source.fetch = gx_fetch_none;
    }
}

bool
gx_run_is_starved(gx_run *run)
{
    return run->top == run->steps && run->steps->source.fetch == gx_fetch_pushed;
}

/* -- stopping ----------------------------------------------------------- */

static PyObject *
fetch_stop(gx_source *source)
{
    source->index++; /* a body of its own: see gx_fetch_shallow */
    return NULL;
}

/* What the step was told to give is given first. */
void
gx_run_stop_later(gx_run *run, gx_step *step)
{
    if (step->pending == NULL) {
        step->source.fetch = fetch_stop;
    }
    step->stopping = true;
    gx_run_push(run, step);
}

/* -- clean-up ----------------------------------------------------------- */

/* Flags and fields first: whatever runs meanwhile finds a step that has ended. */
int
gx_step_finish(gx_run *run, gx_step *step)
{
    if (!step->finish) {
        return 0;
    }
    assert(step->row != NULL); /* never of step 0 */
    step->finish = false;
    return step->row->finish(run, step);
}

/* Where the error of a clean-up is collected with others. */
static int
finish_noted(gx_run *run, gx_step *step)
{
    return gx_step_finish(run, step) < 0 ? gx_run_note(run, step, NULL) : 0;
}

/* Of an owned run what has ended is closed, else let go of. */
int
gx_step_leave(gx_run *run, gx_step *step)
{
    if (run->owner) {
        return gx_source_close(run->state, &step->source);
    }
    gx_source_drop(&step->source);
    return 0;
}

int
gx_step_release(gx_run *run, gx_step *step, bool close)
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
        gx_collect_error(gx_step_release(run, step, close), &error);
        if (step->row != NULL && step->row->release != NULL) {
            gx_collect_error(step->row->release(run, step, close), &error);
        }
        gx_collect_error(finish_noted(run, step), &error);
        Py_CLEAR(step->state);
        Py_CLEAR(step->key);
        Py_CLEAR(step->pending);
    }
    return gx_raise_collected(error);
}

/* Steps behind `last` that are open, because an answer to throw() has passed them by,
   stay so: they have items of their own to give. */
static void
close_up_to(gx_run *run, gx_step *last)
{
    gx_step **link = &run->top;
    while (*link != run->steps) {
        if (*link > last) {
            link = &(*link)->below;
        } else {
            *link = (*link)->below;
        }
    }
}

/* The program ends above `last`: nothing up to it is asked again. Its own state
   stays, for what it has still to flush or to answer. */
int
gx_run_stop(gx_run *run, gx_step *last)
{
    PyObject *error = NULL;
    close_up_to(run, last);
    if (run->base <= last) {
        run->base = last + 1;
    }
    last->stopping = false;
    gx_collect_error(gx_step_release(run, last, run->owner), &error);
    if (last->row->release != NULL) {
        gx_collect_error(last->row->release(run, last, run->owner), &error);
    }
    gx_collect_error(finish_noted(run, last), &error);
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

/* Tell what reads the same expression next how long this was. */
static void
remember_length(gx_run *run)
{
    PyObject *code = run->expression;
    run->expression = NULL;
    if (code != NULL && run->index >= GX_LONG_GENERATOR) {
        if (gx_generator_was_long(run->state, code, run->index) < 0) {
            PyErr_Clear(); /* no memory: another time */
        }
    }
    Py_XDECREF(code);
}

void
gx_run_free(gx_run *run)
{
    PyObject *raised = PyErr_GetRaisedException(); /* no loss below may take it along */
    remember_length(run);
    for (gx_step *step = run->steps; step < run->end; step++) {
        gx_step_drop_native(run, step); /* its func is the node's */
        gx_source_drop(&step->source);
        Py_CLEAR(step->state);
        Py_CLEAR(step->key);
        Py_CLEAR(step->pending);
        Py_CLEAR(step->node);
    }
    for (int i = 0; i < GX_MAX_ARGS; i++) {
        Py_CLEAR(run->terminal[i]);
    }
    Py_CLEAR(run->result);
    gx_lane_drop(run);
    PyObject *module = run->module;
    PyMem_Free(run);
    Py_DECREF(module); /* may be the last, of a program that is over as well */
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
}

int
gx_run_traverse(gx_run *run, visitproc visit, void *arg)
{
    for (gx_step *step = run->steps; step < run->end; step++) {
        GX_VISIT_SOURCE(&step->source);
        Py_VISIT(step->state);
        Py_VISIT(step->key);
        Py_VISIT(step->pending);
        Py_VISIT(step->node);
        if (step->native != NULL) {
            int rc = gx_binding_traverse(step->native, visit, arg);
            if (rc != 0) {
                return rc;
            }
        }
    }
    for (int i = 0; i < GX_MAX_ARGS; i++) {
        Py_VISIT(run->terminal[i]);
    }
    Py_VISIT(run->result);
    Py_VISIT(run->expression);
    Py_VISIT(run->module);
    return 0;
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
