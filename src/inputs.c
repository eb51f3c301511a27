/* Several iterables that one object reads at once: opened together, let go of in
   order. */

#include "inputs.h"

/* -- open and let go ---------------------------------------------------- */

int
gx_inputs_open(gx_state *state, gx_inputs *inputs, PyObject *const *iterables,
               Py_ssize_t n)
{
    inputs->sources = PyMem_New(gx_source, (size_t)(n > 0 ? n : 1));
    if (inputs->sources == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    inputs->sources[0] = GX_SOURCE_NONE;
    inputs->n = 0;
    while (inputs->n < n) {
        gx_source *source = &inputs->sources[inputs->n];
        *source = GX_SOURCE_NONE;
        if (gx_source_open(state, source, iterables[inputs->n]) < 0) {
            gx_inputs_discard(inputs);
            return -1;
        }
        inputs->n++;
    }
    return 0;
}

void
gx_inputs_discard(gx_inputs *inputs)
{
    (void)gx_inputs_release(NULL, inputs, false);
    gx_inputs_free(inputs);
}

int
gx_input_leave(gx_state *state, gx_source *source, bool owned)
{
    if (owned) {
        return gx_source_close(state, source);
    }
    gx_source_drop(source);
    return 0;
}

int
gx_inputs_release(gx_state *state, gx_inputs *inputs, bool close)
{
    PyObject *error = NULL;
    for (Py_ssize_t i = 0; i < inputs->n; i++) {
        gx_collect_error(gx_input_leave(state, &inputs->sources[i], close), &error);
    }
    return gx_raise_collected(error);
}

int
gx_inputs_traverse(const gx_inputs *inputs, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < inputs->n; i++) {
        GX_VISIT_SOURCE(&inputs->sources[i]);
    }
    return 0;
}

void
gx_inputs_free(gx_inputs *inputs)
{
    inputs->n = 0;
    PyMem_Free(inputs->sources);
    inputs->sources = NULL;
}

/* -- send and throw ------------------------------------------------------ */

PySendResult
gx_input_throw(gx_state *state, gx_inputs *inputs, Py_ssize_t i, PyObject *exc,
               PyObject **out)
{
    gx_source none = GX_SOURCE_NONE;
    gx_source *source = i < inputs->n ? &inputs->sources[i] : &none;
    return gx_source_throw(state, source, exc, out);
}

PySendResult
gx_refuse_send(const char *name)
{
    PyErr_Format(PyExc_TypeError, "send() cannot pass through %s", name);
    return PYGEN_ERROR;
}

/* -- describe ----------------------------------------------------------- */

Py_ssize_t
gx_inputs_hint(const gx_inputs *inputs)
{
    Py_ssize_t total = 0;
    for (Py_ssize_t i = 0; i < inputs->n && total >= 0; i++) {
        total = gx_add_hints(total, gx_source_hint(&inputs->sources[i]));
    }
    return total;
}

PyObject *
gx_inputs_brief(const char *name, const gx_inputs *inputs)
{
    PyObject *text = PyUnicode_FromFormat("%s(", name);
    for (Py_ssize_t i = 0; i < inputs->n && text != NULL; i++) {
        PyObject *one = gx_source_brief(&inputs->sources[i]);
        PyObject *longer =
            one ? PyUnicode_FromFormat("%U%s%U", text, i > 0 ? ", " : "", one) : NULL;
        Py_XDECREF(one);
        Py_SETREF(text, longer);
    }
    if (text != NULL) {
        Py_SETREF(text, PyUnicode_FromFormat("%U)", text));
    }
    return text;
}
