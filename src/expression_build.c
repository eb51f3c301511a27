/* The functions that build expressions where operators cannot: call, all_of, any_of,
   none_of; and func, which makes a callable of one. */

#include "expression.h"

PyObject *
gx_call(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    gx_state *state = PyModule_GetState(module);
    Py_ssize_t nkw = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    if (nargs < 1) {
        PyErr_SetString(PyExc_TypeError,
                        "call() missing 1 required positional argument: 'func'");
        return NULL;
    }
    if (!gx_is_expression(args[0]) && gx_check_callable(args[0], "func") < 0) {
        return NULL;
    }
    return gx_expression_new(GX_TYPE_OF(state, Expression),
                             &gx_operations[GX_OPERATION_CALL], nargs + nkw, args,
                             nkw > 0 ? kwnames : NULL);
}

const char gx_call_doc[] =
    "call(func, /, *args, **kwargs)\n--\n\n"
    "The expression that calls func, with what the arguments are for the item.\n\n"
    "The arguments may be expressions, and tuples, lists, dicts and slices with\n"
    "expressions in them.\n\n"
    ">>> pipe(['a', 'bcd']).map(call(len, this) + 1).list()\n"
    "[2, 4]";

static PyObject *
choice(PyObject *module, int operation, PyObject *const *args, Py_ssize_t nargs,
       PyObject *kwnames)
{
    gx_state *state = PyModule_GetState(module);
    if (gx_no_keywords(gx_operations[operation].name, kwnames) < 0) {
        return NULL;
    }
    return gx_expression_new(GX_TYPE_OF(state, Expression), &gx_operations[operation],
                             nargs, args, NULL);
}

PyObject *
gx_all_of(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return choice(module, GX_OPERATION_ALL, args, nargs, kwnames);
}

const char gx_all_of_doc[] =
    "all_of(*conditions)\n--\n\n"
    "The expression `a and b and ...`: the first condition that is false, else the\n"
    "last one; those behind it are not worked out. True without conditions.\n\n"
    ">>> pipe(range(9)).filter(all_of(this > 2, this % 2 == 0)).list()\n"
    "[4, 6, 8]";

PyObject *
gx_any_of(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return choice(module, GX_OPERATION_ANY, args, nargs, kwnames);
}

const char gx_any_of_doc[] =
    "any_of(*conditions)\n--\n\n"
    "The expression `a or b or ...`: the first condition that is true, else the last\n"
    "one; those behind it are not worked out. False without conditions.\n\n"
    ">>> pipe(['a', '', 'b']).map(any_of(this, '-')).list()\n"
    "['a', '-', 'b']";

PyObject *
gx_none_of(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return choice(module, GX_OPERATION_NONE, args, nargs, kwnames);
}

const char gx_none_of_doc[] =
    "none_of(*conditions)\n--\n\n"
    "The expression `not (a or b or ...)`; none_of(a) is `not a`.\n\n"
    ">>> pipe(range(6)).filter(none_of(this == 2, this > 4)).list()\n"
    "[0, 1, 3, 4]";

PyObject *
gx_func(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const params[] = {"expression", NULL};
    static const gx_signature signature = {"func", params, 1, 1, 1};
    PyObject *expression;
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, &expression) < 0) {
        return NULL;
    }
    if (!gx_is_expression(expression)) {
        PyErr_Format(PyExc_TypeError,
                     "func() takes an expression built from `this`, not '%.200s'",
                     Py_TYPE(expression)->tp_name);
        return NULL;
    }
    return gx_expression_function_new(PyModule_GetState(module), expression);
}

const char gx_func_doc[] =
    "func(expression, /)\n--\n\n"
    "A function of one argument that works the expression out for it.\n\n"
    "Stages make it themselves; it is for map(), sorted(key=...) and all else that\n"
    "calls what it is given.\n\n"
    ">>> sorted(['bb', 'C', 'a'], key=func(this.lower()))\n"
    "['a', 'bb', 'C']";
