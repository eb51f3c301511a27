/* Callables of the standard library that say what they compute become native programs:
   the functions of operator, its getters, and functools.partial of anything in C. */

#include "native.h"

/* -- the functions of operator ---------------------------------------------- */

typedef struct {
    const char *name;
    gx_op op;
    int arg;
    int nargs;
} known_function;

static const known_function known_functions[] = {
    {"add", GX_OP_BINARY, GX_ADD, 2},
    {"and_", GX_OP_BINARY, GX_AND, 2},
    {"contains", GX_OP_CONTAINS, 0, 2},
    {"eq", GX_OP_COMPARE, Py_EQ, 2},
    {"floordiv", GX_OP_BINARY, GX_FLOOR_DIVIDE, 2},
    {"ge", GX_OP_COMPARE, Py_GE, 2},
    {"getitem", GX_OP_SUBSCRIPT, 0, 2},
    {"gt", GX_OP_COMPARE, Py_GT, 2},
    {"inv", GX_OP_UNARY, GX_INVERT, 1},
    {"invert", GX_OP_UNARY, GX_INVERT, 1},
    {"is_", GX_OP_IS, 0, 2},
    {"is_not", GX_OP_IS, 1, 2},
    {"le", GX_OP_COMPARE, Py_LE, 2},
    {"lshift", GX_OP_BINARY, GX_LSHIFT, 2},
    {"lt", GX_OP_COMPARE, Py_LT, 2},
    {"matmul", GX_OP_BINARY, GX_MATRIX_MULTIPLY, 2},
    {"mod", GX_OP_BINARY, GX_REMAINDER, 2},
    {"mul", GX_OP_BINARY, GX_MULTIPLY, 2},
    {"ne", GX_OP_COMPARE, Py_NE, 2},
    {"neg", GX_OP_UNARY, GX_NEGATIVE, 1},
    {"not_", GX_OP_UNARY, GX_NOT, 1},
    {"or_", GX_OP_BINARY, GX_OR, 2},
    {"pos", GX_OP_UNARY, GX_POSITIVE, 1},
    {"pow", GX_OP_BINARY, GX_POWER, 2},
    {"rshift", GX_OP_BINARY, GX_RSHIFT, 2},
    {"sub", GX_OP_BINARY, GX_SUBTRACT, 2},
    {"truediv", GX_OP_BINARY, GX_TRUE_DIVIDE, 2},
    {"truth", GX_OP_UNARY, GX_TRUTH, 1},
    {"xor", GX_OP_BINARY, GX_XOR, 2},
};

/* NULL: no function of operator, or none that is an operation. */
static const known_function *
find_function(const gx_state *state, PyObject *func)
{
    if (!PyCFunction_CheckExact(func) ||
        PyCFunction_GET_SELF(func) != state->operator_module) {
        return NULL;
    }
    const char *name = ((PyCFunctionObject *)func)->m_ml->ml_name;
    const size_t n = sizeof(known_functions) / sizeof(*known_functions);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(known_functions[i].name, name) == 0) {
            return &known_functions[i];
        }
    }
    return NULL;
}

/* What lies on the stack is what it is called with. */
static bool
build_function(gx_builder *b, const known_function *known)
{
    if (b->depth != known->nargs) {
        return false;
    }
    if (known->op == GX_OP_CONTAINS) { /* the container is its first argument */
        int container = b->stack[0];
        b->stack[0] = b->stack[1];
        b->stack[1] = (uint8_t)container;
    }
    gx_build(b, known->op, known->arg, known->nargs, 0);
    return true;
}

/* -- getters ----------------------------------------------------------------- */

/* How one is made again: the arguments of its type, or of a partial of that with more
   keywords. Somebody may have put another type in the place of functools.partial. New
   references; false with or without an error. */
static bool
getter_arguments(gx_state *state, PyObject *func, PyObject **args, PyObject **kwargs)
{
    *args = *kwargs = NULL;
    PyObject *parts = PyObject_CallMethodNoArgs(func, GX_NAME(state, __reduce__));
    if (parts != NULL && PyTuple_CheckExact(parts) && PyTuple_GET_SIZE(parts) == 2) {
        PyObject *maker = PyTuple_GET_ITEM(parts, 0);
        *args = Py_NewRef(PyTuple_GET_ITEM(parts, 1));
        if (Py_IS_TYPE(maker, (PyTypeObject *)state->partial)) {
            *kwargs = PyObject_GetAttr(maker, GX_NAME(state, keywords));
            PyObject *first = PyObject_GetAttr(maker, GX_NAME(state, args));
            if (first != NULL) {
                Py_SETREF(*args, PySequence_Concat(first, *args));
            }
            Py_XDECREF(first);
        } else if (maker != (PyObject *)Py_TYPE(func)) {
            Py_CLEAR(*args);
        }
    }
    Py_XDECREF(parts);
    if (PyErr_Occurred() || *args == NULL || !PyTuple_CheckExact(*args)) {
        Py_CLEAR(*args);
        Py_CLEAR(*kwargs);
        return false;
    }
    return true;
}

static void
build_items(gx_builder *b, PyObject *keys)
{
    Py_ssize_t n = PyTuple_GET_SIZE(keys);
    for (Py_ssize_t i = 0; i < n; i++) {
        gx_push(b, GX_PARAM);
        gx_push_const(b, PyTuple_GET_ITEM(keys, i));
        gx_build(b, GX_OP_SUBSCRIPT, 0, 2, 0);
    }
}

/* "a.b" is the attribute b of the attribute a. */
static void
build_path(gx_builder *b, PyObject *path)
{
    PyObject *dot = PyUnicode_FromString(".");
    PyObject *names = dot != NULL ? PyUnicode_Split(path, dot, -1) : NULL;
    Py_ssize_t n = names != NULL ? PyList_GET_SIZE(names) : 0;
    gx_push(b, GX_PARAM);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *name = Py_NewRef(PyList_GET_ITEM(names, i));
        PyUnicode_InternInPlace(&name);
        gx_build(b, GX_OP_ATTRIBUTE, 0, 1, gx_builder_name(b, name));
        Py_DECREF(name);
    }
    if (names == NULL) {
        gx_builder_refuse(b, "no memory");
    }
    Py_XDECREF(dot);
    Py_XDECREF(names);
}

static void
build_paths(gx_builder *b, PyObject *paths)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(paths); i++) {
        build_path(b, PyTuple_GET_ITEM(paths, i));
    }
}

/* Push the arguments of a call, those by keyword last; the tuple of their names (new
   reference), or NULL if there are none. */
static PyObject *
push_arguments(gx_builder *b, PyObject *args, Py_ssize_t from, PyObject *kwargs)
{
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    for (Py_ssize_t i = from; i < PyTuple_GET_SIZE(args); i++) {
        gx_push_const(b, PyTuple_GET_ITEM(args, i));
    }
    if (kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0) {
        return NULL;
    }
    PyObject *names = PySequence_Tuple(kwargs);
    while (PyDict_Next(kwargs, &pos, &key, &value)) {
        gx_push_const(b, value);
    }
    if (names == NULL) {
        gx_builder_refuse(b, "no memory");
    }
    return names;
}

static void
build_method_call(gx_builder *b, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t nkw = kwargs != NULL ? PyDict_GET_SIZE(kwargs) : 0;
    gx_push(b, GX_PARAM);
    gx_build_method(b, PyTuple_GET_ITEM(args, 0));
    PyObject *names = push_arguments(b, args, 1, kwargs);
    gx_build_call(b, (int)(PyTuple_GET_SIZE(args) - 1 + nkw), names);
    Py_XDECREF(names);
}

static bool
build_getter(gx_state *state, gx_builder *b, PyObject *func)
{
    PyObject *args, *kwargs;
    if (b->depth != 1 || !getter_arguments(state, func, &args, &kwargs)) {
        return false;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    gx_pop(b);
    if (Py_IS_TYPE(func, (PyTypeObject *)state->methodcaller)) {
        build_method_call(b, args, kwargs);
        n = 1;
    } else if (Py_IS_TYPE(func, (PyTypeObject *)state->itemgetter)) {
        build_items(b, args);
    } else {
        build_paths(b, args);
    }
    if (n > 1) {
        gx_build(b, GX_OP_TUPLE, 0, (int)n, 0);
    }
    Py_DECREF(args);
    Py_XDECREF(kwargs);
    return true;
}

/* -- partial ------------------------------------------------------------------ */

static bool
is_placeholder(PyObject *obj)
{
    return strcmp(Py_TYPE(obj)->tp_name, "functools._PlaceholderType") == 0;
}

static bool
has_placeholders(PyObject *args)
{
    bool found = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        found = found || is_placeholder(PyTuple_GET_ITEM(args, i));
    }
    return found;
}

static bool
build_partial_of(gx_state *state, gx_builder *b, PyObject *func, PyObject *args,
                 PyObject *kwargs)
{
    uint8_t given[GX_BUILD_DEPTH];
    int ngiven = b->depth, n = (int)PyTuple_GET_SIZE(args);
    const known_function *known = find_function(state, func);
    if (n + ngiven + (int)PyDict_GET_SIZE(kwargs) > GX_BUILD_DEPTH / 2) {
        return false;
    }
    memcpy(given, b->stack, (size_t)ngiven);
    b->depth = 0;
    if (known == NULL) {
        gx_push_const(b, func);
    }
    PyObject *names = push_arguments(b, args, 0, NULL);
    for (int i = 0; i < ngiven; i++) {
        gx_push(b, given[i]);
    }
    bool whole = true;
    if (known != NULL) {
        whole = PyDict_GET_SIZE(kwargs) == 0 && build_function(b, known);
    } else {
        PyObject *none = PyTuple_New(0);
        names = none != NULL ? push_arguments(b, none, 0, kwargs) : NULL;
        gx_build_call(b, n + ngiven + (int)PyDict_GET_SIZE(kwargs), names);
        Py_XDECREF(none);
    }
    Py_XDECREF(names);
    return whole;
}

static bool
build_partial(gx_state *state, gx_builder *b, PyObject *partial)
{
    bool built = false;
    PyObject *func = PyObject_GetAttr(partial, GX_NAME(state, func));
    PyObject *args = PyObject_GetAttr(partial, GX_NAME(state, args));
    PyObject *kwargs = PyObject_GetAttr(partial, GX_NAME(state, keywords));
    if (func != NULL && args != NULL && kwargs != NULL && PyTuple_CheckExact(args) &&
        PyDict_CheckExact(kwargs) && !has_placeholders(args) &&
        (PyCFunction_CheckExact(func) || PyType_Check(func) ||
         Py_IS_TYPE(func, &PyMethodDescr_Type)) &&
        !gx_reads_frame(state, func)) {
        built = build_partial_of(state, b, func, args, kwargs);
    }
    Py_XDECREF(func);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    return built;
}

/* -- all of them ---------------------------------------------------------------- */

bool
gx_is_known_callable(const gx_state *state, PyObject *func)
{
    PyObject *type = (PyObject *)Py_TYPE(func);
    return type == state->itemgetter || type == state->attrgetter ||
           type == state->methodcaller || type == state->partial ||
           (PyCFunction_CheckExact(func) &&
            PyCFunction_GET_SELF(func) == state->operator_module) ||
           gx_expression_of(func) != NULL || gx_is_lifted(func);
}

bool
gx_pays_boxed(const gx_state *state, PyObject *func)
{
    return !PyCFunction_Check(func) && (PyObject *)Py_TYPE(func) != state->itemgetter;
}

static bool
build_callable(gx_state *state, gx_builder *b, PyObject *func)
{
    const known_function *known = find_function(state, func);
    if (known != NULL) {
        return build_function(b, known);
    }
    if (Py_IS_TYPE(func, (PyTypeObject *)state->partial)) {
        return build_partial(state, b, func);
    }
    return gx_is_known_callable(state, func) && !PyCFunction_Check(func) &&
           build_getter(state, b, func);
}

gx_native *
gx_lift_callable(gx_state *state, PyObject *func, int nargs)
{
    gx_builder b;
    gx_native *expression = gx_expression_native(func);
    if (expression != NULL) {
        return nargs == 1 ? (gx_native *)Py_NewRef((PyObject *)expression) : NULL;
    }
    if (gx_builder_init(&b, nargs) < 0) {
        return NULL;
    }
    for (int i = 0; i < nargs; i++) {
        gx_push(&b, GX_PARAM + i);
    }
    if (!build_callable(state, &b, func)) {
        gx_builder_clear(&b);
        return NULL;
    }
    gx_build_end(&b, GX_OP_RETURN, 1);
    return gx_builder_finish(state, &b);
}
