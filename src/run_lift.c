/* When a run stops calling a Python function and runs its native program: not before
   that pays, not while somebody watches, and not for ever. */

#include "lifted.h"
#include "pipeline.h"

/* So many calls pay for... */
#define CALLS_TO_BIND 24  /* ...a binding, where the code was lifted before */
#define CALLS_TO_LIFT 100 /* ...the translation */
#define CALLS_OF_C 1000   /* ...that of what is called in C, and not remembered */
#define CALLS_WORTH_NOTING 8
#define LONG_SOURCE 64  /* so many items are known to come: bind at once */
#define WATCH_NS 100000 /* between two looks for tracers */
#define MANY_STEPS 1000 /* so many are not all looked at whenever there is a chance */

/* -- candidates ------------------------------------------------------------- */

static bool
is_candidate(const gx_run *run, const gx_step *step)
{
    return step->func != NULL && step->native == NULL && !step->stays_called &&
           gx_may_lift(run->state, step->func) && step->call != GX_CALL_NONE;
}

/* Long sources are worth a binding at once. */
void
gx_run_warm_up(gx_run *run)
{
    Py_ssize_t coming = gx_lane_coming(run);
    if (coming == GX_HINT_ERROR) {
        PyErr_Clear();
    }
    run->coming = coming < 0 ? 0 : coming;
    if (coming < 0 || coming >= LONG_SOURCE) { /* else it is over before that pays */
        run->breath.budget = coming < 0 ? CALLS_TO_BIND : 0;
    }
}

/* -- in place of the call -------------------------------------------------------- */

static inline PyObject *
call_item(gx_step *step, PyObject *item)
{
    PyObject *result;
    step->calls++;
    switch (gx_machine_run(step->native, &item, &result)) {
    case GX_MACHINE_VALUE:
        return result;
    case GX_MACHINE_REFUSED:
        return PyObject_CallOneArg(step->func, item);
    default:
        return NULL;
    }
}

static gx_answer
replace(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    PyObject *old = *item, *result = call_item(step, old);
    if (result == NULL) {
        return GX_ERROR;
    }
    *item = result;
    Py_DECREF(old);
    return GX_EMIT;
}

static gx_answer
keep(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    PyObject *result = call_item(step, *item);
    return result == NULL ? GX_ERROR : gx_keep_if(gx_truth(result), 1, item);
}

/* The commonest steps have their whole work done by one function; not those with a
   `before` of their own, and counted ones have it replaced already. */
void
gx_step_shorten(gx_run *run, gx_step *step)
{
    if (run->counters == NULL && step->call == GX_CALL_NATIVE &&
        step->how == GX_CALL_ITEM && step->before == NULL) {
        step->before = step->use == GX_REPLACE ? replace
                       : step->use == GX_KEEP  ? keep
                                               : NULL;
    }
}

/* -- switch --------------------------------------------------------------------- */

static gx_binding *
bind_callable(gx_state *state, PyObject *func, int nargs)
{
    gx_native *native = gx_lift_callable(state, func, nargs);
    gx_binding *b = native != NULL ? gx_bind(state, native, nargs) : NULL;
    Py_XDECREF((PyObject *)native);
    return b;
}

gx_binding *
gx_lift_bind(gx_state *state, PyObject *func, int nargs)
{
    if (gx_is_lifted(func)) {
        return gx_lifted_bind(func, nargs);
    }
    if (!PyFunction_Check(func)) {
        return bind_callable(state, func, nargs);
    }
    PyObject *why;
    const char *reason;
    gx_native *native = gx_lift(state, PyFunction_GET_CODE(func), &why);
    Py_XDECREF(why);
    if (native == NULL) {
        return NULL;
    }
    gx_binding *b = gx_bind_function(state, native, func, nargs, &reason);
    Py_DECREF((PyObject *)native);
    if (b != NULL && gx_why_better_called(b) != NULL) {
        gx_binding_free(b);
        b = NULL;
    }
    return b;
}

/* The step runs natively from here, or stays called; -1 with an error. */
static int
bind_step(gx_run *run, gx_step *step, int nargs)
{
    step->native = gx_lift_bind(run->state, step->func, nargs);
    step->stays_called = step->native == NULL;
    if (step->native == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    step->how = step->call;
    if (gx_pays_boxed(run->state, step->func)) { /* else it is there for a lane */
        run->state->lift_counts.items_called += step->calls;
        run->state->lift_counts.stages_lifted++;
        step->calls = 0;
        step->call = GX_CALL_NATIVE;
        gx_step_shorten(run, step);
    }
    return 0;
}

/* Calls of earlier runs, that were too short each. */
static long
heat_of(PyObject *remembered)
{
    return remembered != NULL && PyLong_Check(remembered) ? PyLong_AsLong(remembered)
                                                          : 0;
}

/* How many items the step will have seen, to say the least: enough to lift it? */
static bool
is_ready(const gx_run *run, const gx_step *step)
{
    Py_ssize_t known = run->coming + step->calls;
    if (!PyFunction_Check(step->func)) {
        return known >= (gx_expression_of(step->func) != NULL ? 0
                         : gx_is_lifted(step->func)           ? CALLS_TO_BIND
                                                              : CALLS_OF_C);
    }
    PyObject *code = PyFunction_GET_CODE(step->func);
    PyObject *remembered = gx_lift_remembered(run->state, code);
    bool lifted = remembered != NULL && !PyLong_Check(remembered);
    return known >= CALLS_TO_BIND &&
           (lifted || known + heat_of(remembered) >= CALLS_TO_LIFT);
}

/* Native programs look after themselves: nothing slow is called unseen. */
static void
set_interval(gx_run *run)
{
    int interval = GX_INTERVAL_NATIVE;
    for (gx_step *step = run->steps + 1; step < run->end; step++) {
        if (step->func != NULL && step->call != GX_CALL_NATIVE &&
            !PyFunction_Check(step->func) && !PyMethod_Check(step->func)) {
            interval = GX_INTERVAL_CALLS;
        }
    }
    run->breath.interval = interval;
    run->breath.budget = Py_MIN(run->breath.budget, interval);
}

/* 0 or -1; a step that is not ready yet stays a candidate. */
static int
lift_step(gx_run *run, gx_step *step)
{
    if (!is_ready(run, step)) {
        return 0;
    }
    int nargs = step->call == GX_CALL_FOLD ? 2 : 1;
    if (step->call == GX_CALL_STAR && PyFunction_Check(step->func)) {
        nargs = ((PyCodeObject *)PyFunction_GET_CODE(step->func))->co_argcount;
    } else if (step->call == GX_CALL_STAR) {
        nargs = gx_is_lifted(step->func) ? gx_lifted_positional(step->func) : 2;
    }
    return bind_step(run, step, nargs);
}

/* So that the next run knows. Losing it does no harm. */
static void
leave_heat(gx_run *run, const gx_step *step)
{
    PyObject *code = PyFunction_GET_CODE(step->func);
    PyObject *remembered = gx_lift_remembered(run->state, code);
    long heat = heat_of(remembered) + (long)Py_MIN(step->calls, CALLS_TO_LIFT);
    if (remembered == NULL || (PyLong_Check(remembered) && heat < 2 * CALLS_TO_LIFT)) {
        gx_lift_remember(run->state, code, PyLong_FromLong(heat));
    }
}

/* The counts of a stage's items are added up when it is done with. */
void
gx_step_drop_native(gx_run *run, gx_step *step)
{
    gx_binding *b = step->native;
    bool lifted = step->call == GX_CALL_NATIVE;
    gx_lift_counts *counts = &run->state->lift_counts;
    if (b != NULL) {
        step->native = NULL;
        step->call = step->how;
        if (step->before == replace || step->before == keep) {
            step->before = NULL; /* a stage that has changed its own keeps that */
        }
        counts->items_lifted += lifted ? step->calls : 0;
        gx_binding_free(b);
    } else if (step->calls > 0 && PyFunction_Check(step->func)) {
        counts->stages_called++;
        counts->items_called += step->calls;
        if (run->warming && step->calls >= CALLS_WORTH_NOTING) {
            leave_heat(run, step);
        }
    }
    step->calls = 0;
}

/* -- now and then ------------------------------------------------------------------ */

static int
lift_steps(gx_run *run)
{
    run->warming = false;
    for (gx_step *step = run->steps + 1; step < run->end; step++) {
        if (is_candidate(run, step)) {
            if (lift_step(run, step) < 0) {
                return -1;
            }
            run->warming = run->warming || is_candidate(run, step);
        }
    }
    set_interval(run);
    return 0;
}

/* Somebody watches: every call has to be seen. */
static void
call_all(gx_run *run)
{
    for (gx_step *step = run->steps + 1; step < run->end; step++) {
        if (step->native != NULL) {
            gx_step_drop_native(run, step);
            run->warming = true;
        }
    }
}

/* Programs that turned out to call Python functions are not worth it. */
static void
call_opaque(gx_run *run)
{
    for (gx_step *step = run->steps + 1; step < run->end; step++) {
        if (step->native != NULL && step->native->opaque) {
            gx_step_drop_native(run, step);
            step->stays_called = true;
        }
    }
}

static int
tell_terminal(gx_run *run)
{
    gx_step *last = run->end - 1;
    const gx_row *row = last->row;
    return row != NULL && row->relook != NULL ? row->relook(run, last) : 0;
}

/* Looking takes as long as there are steps. */
static bool
is_time_to_look(const gx_run *run)
{
    Py_ssize_t n = run->end - run->steps;
    return (run->warming && n < MANY_STEPS) ||
           run->breath.looked - run->watched > WATCH_NS * (1 + n / MANY_STEPS);
}

int
gx_run_breathe(gx_run *run)
{
    if (gx_breathe(&run->breath) < 0) {
        return -1;
    }
    if (!is_time_to_look(run)) {
        return gx_lane_breathe(run);
    }
    run->watched = run->breath.looked;
    int on = gx_lift_is_on(run->state);
    if (on < 0) {
        return -1;
    }
    if (on == 0) {
        call_all(run);
        return tell_terminal(run);
    }
    call_opaque(run);
    if (run->warming && lift_steps(run) < 0) {
        return -1;
    }
    return gx_lane_breathe(run) < 0 ? -1 : tell_terminal(run);
}

/* The native call of a step; NULL with an error. */
PyObject *
gx_step_call_native(gx_step *step, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *result;
    gx_binding *b = step->native;
    if (nargs == b->nargs) {
        switch (gx_machine_run(b, args, &result)) {
        case GX_MACHINE_VALUE:
            return result;
        case GX_MACHINE_REFUSED:
            break;
        default:
            return NULL;
        }
    }
    return PyObject_Vectorcall(step->func, args, (size_t)nargs, NULL);
}
