/* Further iterables that a stage reads besides the upstream: how they are taken,
   checked, reached and let go of. */

#include "stage_inputs.h"

int
gx_stage_take_inputs(PyObject *const *args, Py_ssize_t nargs, PyObject **out)
{
    out[0] = PyTuple_New(nargs);
    for (Py_ssize_t i = 0; i < nargs && out[0] != NULL; i++) {
        PyTuple_SET_ITEM(out[0], i, Py_NewRef(args[i]));
    }
    return out[0] == NULL ? -1 : 0;
}

int
gx_stage_parse_inputs(const gx_row *row, PyObject *const *args, Py_ssize_t nargs,
                      PyObject *kwnames, PyObject **out)
{
    if (gx_no_keywords(row->name, kwnames) < 0) {
        return -1;
    }
    return gx_stage_take_inputs(args, nargs, out);
}

PyObject *
gx_stage_made_input(PyObject *input)
{
    if (Py_TYPE(input)->tp_iter == NULL && !PySequence_Check(input) &&
        PyCallable_Check(input)) {
        return PyObject_CallNoArgs(input);
    }
    return Py_NewRef(input);
}

/* An iterator can be read once only: 1 it is one, 0 not, -1 error. */
static int
is_iterator(PyObject *input)
{
    if (!PyIter_Check(input)) {
        return 0;
    }
    PyObject *it = PyObject_GetIter(input);
    Py_XDECREF(it);
    return it == NULL ? -1 : it == input;
}

/* A list of what a tuple holds: PySequence_List() of CPython 3.11 leaks the tuple where
   it cannot allocate. */
static PyObject *
list_of(PyObject *tuple)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; i < n && list != NULL; i++) {
        PyList_SET_ITEM(list, i, Py_NewRef(PyTuple_GET_ITEM(tuple, i)));
    }
    return list;
}

int
gx_stage_check_inputs(gx_state *Py_UNUSED(state), PyObject **args, bool reusable)
{
    if (!PyTuple_CheckExact(args[0])) {
        PyErr_SetString(PyExc_TypeError, "the inputs of a stage must be a tuple");
        return -1;
    }
    if (!reusable) {
        Py_SETREF(args[0], list_of(args[0]));
        return args[0] == NULL ? -1 : 0;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args[0]); i++) {
        PyObject *input = PyTuple_GET_ITEM(args[0], i);
        int once = is_iterator(input);
        if (once > 0) {
            PyErr_Format(
                PyExc_TypeError,
                "a Pipeline cannot keep the iterator '%.200s': use an iterable "
                "that can be read again or a function that makes one",
                Py_TYPE(input)->tp_name);
        }
        if (once != 0) {
            return -1;
        }
    }
    return 0;
}

PyObject *
gx_stage_next_input(gx_step *step)
{
    PyObject *inputs = step->args[0];
    if (step->count >= PySequence_Fast_GET_SIZE(inputs)) {
        return NULL;
    }
    Py_ssize_t i = step->count++;
    PyObject *input = Py_NewRef(PySequence_Fast_GET_ITEM(inputs, i));
    if (PyList_CheckExact(inputs)) {
        PyList_SetItem(inputs, i, Py_NewRef(Py_Ellipsis)); /* repr shows it so */
    }
    return input;
}

int
gx_stage_release_inputs(gx_run *run, gx_step *step, bool close)
{
    PyObject *input, *error = NULL;
    while ((input = gx_stage_next_input(step)) != NULL) {
        if (close) {
            gx_collect_error(gx_close(run->state, input), &error);
        }
        Py_DECREF(input);
    }
    return gx_raise_collected(error);
}
