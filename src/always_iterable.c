/* always_iterable: a pipe over an object, or over just that object. */

#include "pipeline.h"

static PyObject *
pipe_of_one(gx_state *state, PyObject *obj)
{
    PyObject *items = PyTuple_Pack(1, obj);
    PyObject *pipe = items != NULL ? gx_pipe_over(state, items) : NULL;
    Py_XDECREF(items);
    return pipe;
}

static PyObject *
pipe_of_none(gx_state *state)
{
    PyObject *items = PyTuple_New(0);
    PyObject *pipe = items != NULL ? gx_pipe_over(state, items) : NULL;
    Py_XDECREF(items);
    return pipe;
}

/* The answer of isinstance(obj, base_type); without one it is (str, bytes). */
static int
is_item(PyObject *obj, PyObject *base_type)
{
    if (base_type == NULL) {
        return PyUnicode_Check(obj) || PyBytes_Check(obj);
    }
    return base_type == Py_None ? 0 : PyObject_IsInstance(obj, base_type);
}

PyObject *
gx_always_iterable(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                   PyObject *kwnames)
{
    static const char *const params[] = {"obj", "base_type", NULL};
    static const gx_signature signature = {"always_iterable", params, 0, 1, 2};
    gx_state *state = PyModule_GetState(module);
    PyObject *out[2];
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0) {
        return NULL;
    }
    if (out[0] == Py_None) {
        return pipe_of_none(state);
    }
    int item = is_item(out[0], out[1]);
    if (item != 0) {
        return item < 0 ? NULL : pipe_of_one(state, out[0]);
    }
    PyObject *pipe = gx_pipe_over(state, out[0]);
    if (pipe == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear(); /* not iterable: it is an item itself */
        pipe = pipe_of_one(state, out[0]);
    }
    return pipe;
}

const char gx_always_iterable_doc[] =
    "always_iterable($module, /, obj, base_type=...)\n--\n\n"
    "A pipe over obj, if it is iterable and no instance of base_type, else of obj alone.\n\n"
    "base_type is (str, bytes) if not given; None leaves nothing whole that is iterable.\n"
    "None as obj gives an empty pipe, a dict its keys. As more_itertools.always_iterable.\n\n"
    ">>> always_iterable('abc').list(), always_iterable([1, 2]).list()\n"
    "(['abc'], [1, 2])";
