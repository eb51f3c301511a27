/* Stages as functions of an iterable, under the names of more-itertools: iter_suppress,
   map_except, side_effect. Each returns a pipe. */

#include "pipe.h"

/* A pipe over `iterable` with one stage. */
static PyObject *
pipe_with(PyObject *module, PyObject *iterable, const gx_row *row,
          PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *bare = gx_pipe_over(PyModule_GetState(module), iterable);
    if (bare == NULL) {
        return NULL;
    }
    PyObject *pipe = gx_pipe_stage(bare, row, args, nargs, kwnames);
    Py_DECREF(bare);
    return pipe;
}

/* -- iter_suppress, map_except ------------------------------------------------ */

/* The first `n` arguments are named, all others are exceptions. Keywords are refused,
   as a Python function of that signature would: with the others out of the way. */
static int
parse_named(const gx_signature *sig, PyObject *const *args, Py_ssize_t nargs,
            PyObject *kwnames, PyObject **out)
{
    Py_ssize_t more = nargs > sig->maxpos ? nargs - sig->maxpos : 0;
    if (gx_parse(sig, args + more, (size_t)(nargs - more), kwnames, out) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; more > 0 && i < sig->maxpos; i++) {
        out[i] = args[i];
    }
    return 0;
}

PyObject *
gx_iter_suppress(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                 PyObject *kwnames)
{
    static const char *const params[] = {"iterable", NULL};
    static const gx_signature signature = {"iter_suppress", params, 0, 1, 1};
    gx_state *state = PyModule_GetState(module);
    PyObject *iterable;
    if (parse_named(&signature, args, nargs, kwnames, &iterable) < 0) {
        return NULL;
    }
    if (nargs < 2) {
        return gx_pipe_over(state, iterable);
    }
    PyObject **stack = PyMem_New(PyObject *, (size_t)nargs);
    PyObject *stop = Py_BuildValue("(s)", "stop"), *pipe = NULL;
    if (stack != NULL && stop != NULL) {
        for (Py_ssize_t i = 1; i < nargs; i++) {
            stack[i - 1] = args[i];
        }
        stack[nargs - 1] = Py_True;
        pipe = pipe_with(module, iterable, &gx_stage_catch, stack, nargs - 1, stop);
    } else if (stack == NULL) {
        PyErr_NoMemory();
    }
    PyMem_Free(stack);
    Py_XDECREF(stop);
    return pipe;
}

const char gx_iter_suppress_doc[] =
    "iter_suppress($module, iterable, *exceptions)\n--\n\n"
    "A pipe of the items of iterable that ends where it raises one of exceptions.\n\n"
    "Errors of what is done with the items pass. As more_itertools.iter_suppress.\n\n"
    ">>> list(iter_suppress(map(int, ['1', '2', 'x', '4']), ValueError))\n"
    "[1, 2]";

PyObject *
gx_map_except(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
              PyObject *kwnames)
{
    static const char *const params[] = {"function", "iterable", NULL};
    static const gx_signature signature = {"map_except", params, 0, 2, 2};
    PyObject *out[2];
    if (parse_named(&signature, args, nargs, kwnames, out) < 0) {
        return NULL;
    }
    Py_ssize_t n = nargs > 2 ? nargs - 2 : 0;
    PyObject **stack = PyMem_New(PyObject *, (size_t)n + 1);
    if (stack == NULL) {
        return PyErr_NoMemory();
    }
    stack[0] = out[0];
    for (Py_ssize_t i = 0; i < n; i++) {
        stack[1 + i] = args[2 + i];
    }
    PyObject *pipe =
        pipe_with(module, out[1], &gx_stage_map_except, stack, n + 1, NULL);
    PyMem_Free(stack);
    return pipe;
}

const char gx_map_except_doc[] =
    "map_except($module, function, iterable, *exceptions)\n--\n\n"
    "A pipe of function(item) for each item, without those whose call raises one of\n"
    "exceptions. As more_itertools.map_except.\n\n"
    ">>> list(map_except(int, ['1', 'x', '3'], ValueError))\n"
    "[1, 3]";

/* -- side_effect -------------------------------------------------------------- */

PyObject *
gx_side_effect(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    static const char *const params[] = {"func",   "iterable", "chunk_size",
                                         "before", "after",    NULL};
    static const gx_signature signature = {"side_effect", params, 0, 2, 5};
    PyObject *out[5];
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0) {
        return NULL;
    }
    PyObject *stage[4] = {out[0]};
    for (int i = 1; i < 4; i++) {
        stage[i] = out[i + 1] != NULL ? out[i + 1] : Py_None;
    }
    return pipe_with(module, out[1], &gx_stage_tap, stage, 4, NULL);
}

const char gx_side_effect_doc[] =
    "side_effect($module, func, iterable, chunk_size=None, before=None, after=None)\n"
    "--\n\n"
    "A pipe of the items of iterable that calls func(item), or func(list) for each\n"
    "chunk_size items, before it hands them out.\n\n"
    "before() is called when the first item is asked for, after() once at the end, at\n"
    "close or when the pipe is dropped. As more_itertools.side_effect.\n\n"
    ">>> list(side_effect(print, 'ab'))\n"
    "a\n"
    "b\n"
    "['a', 'b']";
