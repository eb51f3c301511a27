/* How an error leaves a run: no StopIteration that would pass for an end, and a note
   that names the stage, the item and the place in the file. */

#include "pipeline.h"

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
int
gx_run_fail(gx_run *run, gx_step *step, PyObject *item)
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

int
gx_run_fail_source(gx_run *run)
{
    PyObject *exc = gx_note_begin();
    if (exc != NULL) {
        PyObject *source = gx_source_brief(&run->steps->source);
        gx_note_end(exc, "source %V, item %zd", source, "?", run->index);
        Py_XDECREF(source);
    }
    return -1;
}
