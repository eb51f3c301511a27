/* How an error leaves a run, or is dealt with inside it: no StopIteration that would
   pass for an end, the steps that rescue, and a note that names the stage, the item and
   the place in the file. */

#include "pipeline.h"

/* -- texts -------------------------------------------------------------- */

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

PyObject *
gx_step_brief(gx_run *run, gx_step *step)
{
    if (step->row != NULL) {
        return gx_stage_brief(step->row, step->args);
    }
    PyObject *obj = run->steps->source.obj;
    if (obj != NULL && gx_is_through(run->state, obj)) {
        return gx_through_brief(obj);
    }
    PyObject *source = gx_source_brief(&run->steps->source);
    PyObject *text = source != NULL ? PyUnicode_FromFormat("source %U", source) : NULL;
    Py_XDECREF(source);
    return text;
}

static void
note_stage(gx_run *run, gx_step *step, PyObject *item)
{
    PyObject *exc = gx_note_begin();
    if (exc == NULL) {
        return;
    }
    PyObject *stage = gx_note_part(gx_stage_brief(step->row, step->args));
    PyObject *value = item != NULL ? gx_note_part(gx_brief(item)) : NULL;
    PyObject *place = place_of(run);
    const char *colon = value != NULL ? ": " : "";
    if (step->row->flags & GX_TERMINAL) {
        gx_note_end(exc, "terminal %V, item %zd%s%V%V", stage, step->row->name,
                    run->index - 1, colon, value, "", place, "");
    } else {
        gx_note_end(exc, "stage %zd/%zd %V, item %zd%s%V%V",
                    run->offset + (step - run->steps), run->whole, stage,
                    step->row->name, run->index - 1, colon, value, "", place, "");
    }
    Py_XDECREF(place);
    Py_XDECREF(stage);
    Py_XDECREF(value);
}

static void
note_source(gx_run *run)
{
    PyObject *exc = gx_note_begin();
    if (exc != NULL) {
        PyObject *source = gx_step_brief(run, run->steps);
        gx_note_end(exc, "%V, item %zd", source, "source ?", run->index);
        Py_XDECREF(source);
    }
}

/* -- errors ------------------------------------------------------------- */

/* Caught or not, for stats(). A terminal that the function of a through() calls has no
   row: behind its run there are stages still. */
static void
count_error(gx_run *run, gx_step *step)
{
    bool terminal = step->row != NULL && step->row->flags & GX_TERMINAL;
    if (run->counters != NULL &&
        !(terminal && run->offset + run->nstages < run->whole)) {
        run->counters[step - run->steps].errors++;
    }
}

/* Out of anything but a source StopIteration is an error like others. */
static void
no_stop_iteration(gx_step *step)
{
    if (step->row == NULL || !PyErr_ExceptionMatches(PyExc_StopIteration)) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *stage = gx_stage_brief(step->row, step->args);
    PyErr_Clear(); /* of making the text only */
    PyErr_SetRaisedException(raised);
    gx_no_stop_iteration("%V", stage, step->row->name);
    Py_XDECREF(stage);
}

/* Ask the steps from the failing one on, nearest first: 1 one has dealt with it, -1
   none. An error of a step that was asked is that step's: *failed. Those that have
   ended are past it: what is thrown while others behind them give their last items. */
static int
rescue(gx_run *run, gx_step **failed, PyObject *item)
{
    for (gx_step *step = *failed; step < run->end; step++) {
        if (step >= run->base && step->row != NULL && step->row->rescue != NULL) {
            int rc = step->row->rescue(run, step, *failed, item);
            if (rc > 0) {
                return 1;
            }
            if (rc < 0) {
                *failed = step;
                count_error(run, step);
            }
        }
        no_stop_iteration(*failed);
    }
    return -1;
}

int
gx_run_note(gx_run *run, gx_step *step, PyObject *item)
{
    no_stop_iteration(step);
    if (step->row == NULL) {
        note_source(run);
    } else {
        note_stage(run, step, item);
    }
    return -1;
}

int
gx_run_fail(gx_run *run, gx_step *step, PyObject *item)
{
    count_error(run, step);
    if (!PyErr_Occurred()) { /* CPython 3.11 may lose it where memory is short */
        PyErr_SetString(PyExc_SystemError, "<function> failed without an exception");
    }
    int rc = run->rescues ? rescue(run, &step, item) : -1;
    if (rc < 0) {
        gx_run_note(run, step, item);
    }
    Py_XDECREF(item);
    return rc;
}

int
gx_run_fail_closing(gx_run *run, gx_step *step)
{
    gx_step *failed = step;
    count_error(run, step);
    if (run->rescues && rescue(run, &failed, NULL) > 0) {
        return 1;
    }
    return failed == step ? -1 : gx_run_note(run, failed, NULL);
}
