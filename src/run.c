/* The loop that moves items through a run, and what all drivers share. No Python
   type in this file. */

#include "pipeline.h"

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
call_native(gx_step *step, PyObject *item)
{
    if (step->how == GX_CALL_ITEM) {
        return gx_step_call_native(step, &item, 1);
    }
    if (step->how == GX_CALL_STAR) {
        return PyTuple_CheckExact(item)
                   ? gx_step_call_native(step, &PyTuple_GET_ITEM(item, 0),
                                         PyTuple_GET_SIZE(item))
                   : call_star(step->func, item);
    }
    PyObject *args[2] = {Py_NewRef(step->state), item};
    PyObject *result = gx_step_call_native(step, args, 2);
    Py_DECREF(args[0]);
    return result;
}

static PyObject *
call_other(gx_step *step, PyObject *item)
{
    return step->call == GX_CALL_NATIVE ? call_native(step, item)
           : step->call == GX_CALL_STAR ? call_star(step->func, item)
                                        : call_fold(step, item);
}

static inline PyObject *
call(gx_step *step, PyObject *item)
{
    step->calls++;
    return step->call == GX_CALL_ITEM ? call_item(step->func, item)
                                      : call_other(step, item);
}

/* -- the end of something ------------------------------------------------ */

typedef enum { FAILED = -1, NOTHING = 0, OPENED = 1, RESCUED = 2 } refilled;

/* Ask a step for what it has of its own. */
static refilled
refill(gx_run *run, gx_step *step)
{
    PyObject *item = NULL;
    int64_t begin = run->timed ? gx_clock_ns() : 0;
    gx_answer answer = step->row->refill(run, step, &item);
    if (answer == GX_CALL) {
        PyObject *result = call(step, item);
        answer = result == NULL ? GX_ERROR : step->row->after(run, step, &item, result);
    }
    if (run->timed) {
        run->counters[step - run->steps].ns += gx_clock_ns() - begin;
    }
    if (answer == GX_ERROR) {
        return gx_run_fail(run, step, item) < 0 ? FAILED : RESCUED;
    }
    return answer == GX_OPEN ? OPENED : NOTHING;
}

/* Nothing is open and all before base has ended: 1 a step has more, 0 the end. */
static int
flush(gx_run *run)
{
    for (; run->base < run->end; run->base++) {
        gx_step *step = run->base;
        if (step->row->refill != NULL && !step->prefix) {
            refilled answer = refill(run, step);
            if (answer == OPENED) {
                gx_run_push(run, step);
            }
            if (answer != NOTHING) {
                return answer == FAILED ? -1 : 1;
            }
        }
        if (gx_step_finish(run, step) < 0) {
            run->base++;
            return gx_run_fail(run, step, NULL);
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
    if (was_open && gx_step_release(run, step, run->owner) < 0) {
        return gx_run_fail_closing(run, step);
    }
    return run->top == step ? flush(run) : 1;
}

/* The program ends above `step`: 1 go on, -1 error. */
static int
stop(gx_run *run, gx_step *step)
{
    return gx_run_stop(run, step) < 0 ? gx_run_fail_closing(run, step) : 1;
}

/* `step` has nothing more: 1 go on, 0 the end, -1 error. `value` is stolen. It is on
   top, or throw() ended it below others: then it is only emptied. A prefix step stays
   on top until its refill has nothing more, so that an error in between loses none of
   its inputs. */
static int
step_ended(gx_run *run, gx_step *step, PyObject *value)
{
    if (step->below == NULL) {
        return source_ended(run, step, value);
    }
    Py_DECREF(value);
    if (step->stopping) {
        return stop(run, step);
    }
    if (gx_step_leave(run, step) < 0) {
        return gx_run_fail(run, step, NULL);
    }
    if (run->top != step) {
        return 1;
    }
    if (step->prefix) {
        refilled answer = refill(run, step);
        if (answer != NOTHING) {
            return answer == FAILED ? -1 : 1;
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
    if (step->source.fetch == gx_fetch_pushed) {
        return -1; /* starved: no error, and not the end */
    }
    if (gx_ended(&value)) {
        return step_ended(run, step, value);
    }
    return gx_run_fail(run, step, NULL);
}

/* -- the loop ----------------------------------------------------------- */

gx_answer
gx_pass_on(gx_run *Py_UNUSED(run), gx_step *Py_UNUSED(step), PyObject **Py_UNUSED(item))
{
    return GX_EMIT;
}

/* Both halves of one step, with the call of a synchronous driver in between. */
static inline Py_ALWAYS_INLINE gx_answer
advance(gx_run *run, gx_step *step, PyObject **item)
{
    gx_answer answer;
    if (step->before != NULL) {
        answer = step->before(run, step, item);
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
        return gx_keep_if(gx_truth(result), step->use == GX_KEEP, item);
    case GX_IGNORE:
        Py_DECREF(result);
        return GX_EMIT;
    case GX_WHILE:
        answer = gx_keep_if(gx_truth(result), 1, item);
        return answer == GX_SKIP ? GX_STOP : answer;
    default:
        return step->row->after(run, step, item, result);
    }
}

gx_answer
gx_run_advance(gx_run *run, gx_step *step, PyObject **item)
{
    return advance(run, step, item);
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
        return stop(run, step) < 0 ? -1 : 0;
    default:
        return gx_run_fail(run, step, item) < 0 ? -1 : 0;
    }
}

/* Hand an item (taken) that step `from` gave down the steps: the item that falls out
   of the end, or NULL with *more telling to fetch the next (1), the end or an error. */
static inline Py_ALWAYS_INLINE PyObject *
hand_down(gx_run *run, gx_step *from, PyObject *item, int *more)
{
    gx_step *step = from + 1;
    if (from->row == NULL) {
        run->index++;
    } else if (from->row->flags & GX_AGAIN) {
        step = from;
    }
    for (; step < run->end; step++) {
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

/* hand_down for where it is not laid out in place. */
static PyObject *
hand_down_apart(gx_run *run, gx_step *from, PyObject *item, int *more)
{
    return hand_down(run, from, item, more);
}

/* The loop below with a look at the clock before and after each fetch. */
static PyObject *
timed_next(gx_run *run)
{
    int more = 1;
    PyObject *item = NULL;
    while (item == NULL && more) {
        if (gx_run_tick(run) < 0) {
            return NULL;
        }
        gx_step *top = run->top;
        int64_t begin = gx_clock_ns();
        item = gx_next(&top->source);
        run->counters[top - run->steps].ns += gx_clock_ns() - begin;
        if (item != NULL) {
            item = hand_down_apart(run, top, item, &more);
        } else {
            more = fetch_failed(run, top) > 0;
        }
    }
    return item;
}

PyObject *
gx_run_hand_down(gx_run *run, PyObject *item, int *more)
{
    return hand_down(run, run->steps, item, more);
}

PyObject *
gx_run_next(gx_run *run)
{
    if (run->timed) {
        return timed_next(run);
    }
    for (;;) {
        if (gx_run_tick(run) < 0) {
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
                     run->offset + (step - run->steps), run->whole, stage);
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
        item = hand_down_apart(run, step, item, &more);
        return item == NULL && more ? gx_run_next(run) : item;
    }
    if (answer == PYGEN_ERROR) {
        run->answered = gx_run_fail(run, step, NULL) > 0;
        return run->answered ? gx_run_next(run) : NULL;
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
    gx_run_settle(run);
    if (run->top != run->steps || !run->steps->open) {
        return gx_run_next(run); /* only a pending stop */
    }
    int64_t begin = run->timed ? gx_clock_ns() : 0;
    PySendResult answer = gx_source_send(&run->steps->source, value, &item);
    if (run->timed) {
        run->counters[0].ns += gx_clock_ns() - begin;
    }
    return resumed(run, run->steps, answer, item);
}

/* Pending output and stops have no iterator to throw into: the open step below. */
PyObject *
gx_run_throw(gx_run *run, PyObject *exc)
{
    PyObject *item = NULL;
    gx_run_settle(run);
    gx_step *step = run->top;
    while (step->source.obj == NULL && step->below != NULL) {
        step = step->below;
    }
    PySendResult answer = gx_source_throw(run->state, &step->source, exc, &item);
    return resumed(run, step, answer, item);
}
