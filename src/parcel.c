/* What a function is pickled as: a flat tuple of its native program and of what the
   program needs of the function. */

#include "lifted.h"

/* -- out: what the program refers to ---------------------------------------- */

/* A program that calls such a function could not run without its frame. */
static bool
is_bound_to_frame(const gx_state *state, PyObject *value)
{
    return value != NULL && gx_reads_frame(state, value);
}

/* What a global is now: 1 of the module, or not there yet; 0 a builtin; 2 not to be
   used without a frame; -1. */
static int
find_global(gx_state *state, PyObject *func, PyObject *name)
{
    PyObject *value = NULL;
    PyObject *builtins = PyModule_GetDict(state->builtins_module);
    int found = PyDict_GetItemRef(PyFunction_GET_GLOBALS(func), name, &value);
    int answer = 1;
    if (found == 0) {
        found = PyDict_GetItemRef(builtins, name, &value);
        answer = found == 0;
    }
    if (is_bound_to_frame(state, value)) {
        answer = 2;
    }
    Py_XDECREF(value);
    return found < 0 ? -1 : answer;
}

/* Can its globals be found by the name of its module? 1, 0 or -1. */
static int
has_module(PyObject *func)
{
    PyObject *name = PyFunction_GET_MODULE(func);
    if (name == NULL || !PyUnicode_CheckExact(name)) {
        return 0;
    }
    PyObject *module = PyImport_GetModule(name);
    bool found = module != NULL && PyModule_Check(module) &&
                 PyModule_GetDict(module) == PyFunction_GET_GLOBALS(func);
    Py_XDECREF(module);
    return PyErr_Occurred() ? -1 : found;
}

/* Where globals are looked up: 1 and *module (new reference); 0 it cannot be said; -1. */
static int
pack_module(gx_state *state, gx_native *native, PyObject *func, PyObject **module)
{
    bool any = false, needed = false;
    *module = NULL;
    for (int i = 0; i < native->ninsns; i++) {
        const gx_insn *insn = &native->insns[i];
        if (insn->op != GX_OP_GLOBAL) {
            continue;
        }
        PyObject *name = PyTuple_GET_ITEM(native->names, insn->aux);
        int where = PyDict_CheckExact(PyFunction_GET_GLOBALS(func))
                        ? find_global(state, func, name)
                        : 2;
        if (where < 0 || where == 2) {
            return where < 0 ? -1 : 0;
        }
        any = true;
        needed = needed || where == 1;
    }
    if (any && ((PyFunctionObject *)func)->func_builtins !=
                   PyModule_GetDict(state->builtins_module)) {
        return 0;
    }
    int rc = needed ? has_module(func) : 1;
    *module =
        rc <= 0 ? NULL : Py_NewRef(needed ? PyFunction_GET_MODULE(func) : Py_None);
    return rc;
}

/* -- out: values -------------------------------------------------------------- */

/* What the cells hold now: 1, 0 one is empty, -1. */
static int
pack_cells(gx_state *state, PyObject *func, int depth, PyObject **cells)
{
    PyObject *closure = PyFunction_GET_CLOSURE(func);
    Py_ssize_t n = closure != NULL ? PyTuple_GET_SIZE(closure) : 0;
    *cells = PyTuple_New(n);
    for (Py_ssize_t i = 0; *cells != NULL && i < n; i++) {
        PyObject *value = PyCell_Get(PyTuple_GET_ITEM(closure, i));
        if (value == NULL || is_bound_to_frame(state, value)) {
            Py_XDECREF(value);
            return 0;
        }
        PyObject *traveller = gx_traveller_of(state, value, depth - 1);
        Py_DECREF(value);
        if (traveller == NULL) {
            return -1;
        }
        PyTuple_SET_ITEM(*cells, i, traveller);
    }
    return *cells != NULL ? 1 : -1;
}

/* The default of parameter i: a new reference, or NULL with or without an error. */
static PyObject *
default_of(PyObject *func, PyCodeObject *code, int i)
{
    PyObject *defaults = PyFunction_GET_DEFAULTS(func), *value = NULL;
    PyObject *kwdefaults = PyFunction_GET_KW_DEFAULTS(func);
    if (i < code->co_argcount) {
        Py_ssize_t n = defaults != NULL ? PyTuple_GET_SIZE(defaults) : 0;
        Py_ssize_t place = i - code->co_argcount + n;
        return place >= 0 ? Py_NewRef(PyTuple_GET_ITEM(defaults, place)) : NULL;
    }
    PyObject *name = kwdefaults != NULL ? gx_parameter_name(code, i) : NULL;
    if (name != NULL) {
        (void)PyDict_GetItemRef(kwdefaults, name, &value);
        Py_DECREF(name);
    }
    return value;
}

/* Those of the last parameters: 1; 0 a parameter behind them has none; -1. */
static int
pack_defaults(gx_state *state, PyObject *func, int depth, PyObject **defaults)
{
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(func);
    int n = code->co_argcount + code->co_kwonlyargcount;
    PyObject *list = PyList_New(0);
    int rc = list != NULL ? 1 : -1;
    for (int i = 0; i < n && rc == 1; i++) {
        PyObject *value = default_of(func, code, i);
        if (value == NULL) {
            bool required = PyList_GET_SIZE(list) == 0 && i < code->co_argcount;
            rc = PyErr_Occurred() ? -1 : required;
            continue;
        }
        PyObject *traveller = gx_traveller_of(state, value, depth - 1);
        Py_DECREF(value);
        rc = traveller == NULL || PyList_Append(list, traveller) < 0 ? -1 : 1;
        Py_XDECREF(traveller);
    }
    *defaults = rc == 1 ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return rc == 1 && *defaults == NULL ? -1 : rc;
}

static PyObject *
pack_params(PyCodeObject *code, int n)
{
    PyObject *params = PyTuple_New(n);
    for (int i = 0; params != NULL && i < n; i++) {
        PyObject *name = gx_parameter_name(code, i);
        if (name == NULL) {
            Py_CLEAR(params);
        } else {
            PyTuple_SET_ITEM(params, i, name);
        }
    }
    return params;
}

/* -- out: the whole ------------------------------------------------------------ */

/* The parts that are not known yet are NULL; rc as the pack_ functions say. */
static int
pack_parts(gx_state *state, PyObject *func, gx_native *native, int depth,
           PyObject **parts)
{
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(func);
    int rc = native->nparams > GX_LIFTED_PARAMS
                 ? 0
                 : pack_module(state, native, func, &parts[GX_PARCEL_MODULE]);
    if (rc == 1) {
        rc = pack_cells(state, func, depth, &parts[GX_PARCEL_CELLS]);
    }
    if (rc == 1) {
        rc = pack_defaults(state, func, depth, &parts[GX_PARCEL_DEFAULTS]);
    }
    if (rc == 1) {
        parts[GX_PARCEL_CODE] = gx_native_pack(native, code);
        rc = parts[GX_PARCEL_CODE] == NULL ? -1 : parts[GX_PARCEL_CODE] != Py_None;
    }
    if (rc < 1) {
        return rc;
    }
    parts[GX_PARCEL_FORMAT] = PyLong_FromLong(GX_PARCEL_IS);
    parts[GX_PARCEL_CONSTS] = Py_NewRef(native->consts);
    parts[GX_PARCEL_NAMES] = Py_NewRef(native->names);
    parts[GX_PARCEL_PARAMS] = pack_params(code, native->nparams);
    parts[GX_PARCEL_POSONLY] = PyLong_FromLong(code->co_posonlyargcount);
    parts[GX_PARCEL_POSITIONAL] = PyLong_FromLong(code->co_argcount);
    parts[GX_PARCEL_FILE] = Py_NewRef(code->co_filename);
    parts[GX_PARCEL_LINE] = PyLong_FromLong(code->co_firstlineno);
    parts[GX_PARCEL_NAME] = Py_NewRef(code->co_name);
    parts[GX_PARCEL_QUALNAME] = Py_NewRef(((PyFunctionObject *)func)->func_qualname);
    return PyErr_Occurred() ? -1 : 1;
}

/* As a tuple, which has taken them. */
static PyObject *
tie_up(PyObject **parts)
{
    PyObject *parcel = PyTuple_New(GX_PARCEL_SIZE);
    for (int i = 0; parcel != NULL && i < GX_PARCEL_SIZE; i++) {
        PyTuple_SET_ITEM(parcel, i, Py_NewRef(parts[i]));
    }
    return parcel;
}

PyObject *
gx_parcel_of(gx_state *state, PyObject *func, int depth)
{
    PyObject *why, *parcel = NULL, *parts[GX_PARCEL_SIZE] = {NULL};
    gx_native *native = gx_lift(state, PyFunction_GET_CODE(func), &why);
    Py_XDECREF(why);
    if (native == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    int rc = pack_parts(state, func, native, depth, parts);
    if (rc == 1) {
        parcel = tie_up(parts);
    } else if (rc == 0) {
        parcel = Py_NewRef(Py_None);
    }
    for (int i = 0; i < GX_PARCEL_SIZE; i++) {
        Py_XDECREF(parts[i]);
    }
    Py_DECREF((PyObject *)native);
    return parcel;
}

PyObject *
gx_parcel_reduce(PyTypeObject *type, PyObject *parcel)
{
    gx_state *state = PyType_GetModuleState(type);
    PyObject *make =
        PyObject_GetAttr(PyType_GetModule(type), GX_NAME(state, lifting_load));
    return make != NULL ? Py_BuildValue("N(O)", make, parcel) : NULL;
}

/* -- in -------------------------------------------------------------------------- */

/* What each place of a parcel holds: int, bytes, tuple, tuple of str (T), str, str or
   None (o). */
static const char contents[] = "ibtTtTiitosiss";

static bool
is_str_tuple(PyObject *value)
{
    bool all = PyTuple_CheckExact(value);
    for (Py_ssize_t i = 0; all && i < PyTuple_GET_SIZE(value); i++) {
        all = PyUnicode_CheckExact(PyTuple_GET_ITEM(value, i));
    }
    return all;
}

static bool
is_of(PyObject *value, char content)
{
    int overflow;
    switch (content) {
    case 'i':
        return PyLong_CheckExact(value) &&
               PyLong_AsLongAndOverflow(value, &overflow) >= 0 && overflow == 0 &&
               PyLong_AsLong(value) < INT32_MAX / 2;
    case 'b':
        return PyBytes_CheckExact(value);
    case 't':
        return PyTuple_CheckExact(value);
    case 'T':
        return is_str_tuple(value);
    case 's':
        return PyUnicode_CheckExact(value);
    default:
        return value == Py_None || PyUnicode_CheckExact(value);
    }
}

/* posonly <= positional <= all, and only the first positional ones lack a default. */
static bool
are_parameters(PyObject *parcel)
{
    Py_ssize_t all = PyTuple_GET_SIZE(PyTuple_GET_ITEM(parcel, GX_PARCEL_PARAMS));
    Py_ssize_t ndefaults =
        PyTuple_GET_SIZE(PyTuple_GET_ITEM(parcel, GX_PARCEL_DEFAULTS));
    long posonly = PyLong_AsLong(PyTuple_GET_ITEM(parcel, GX_PARCEL_POSONLY));
    long positional = PyLong_AsLong(PyTuple_GET_ITEM(parcel, GX_PARCEL_POSITIONAL));
    return all <= GX_LIFTED_PARAMS && posonly <= positional && positional <= all &&
           ndefaults <= all && all - ndefaults <= positional;
}

int
gx_parcel_check(PyObject *parcel)
{
    Py_ssize_t size = PyTuple_CheckExact(parcel) ? PyTuple_GET_SIZE(parcel) : 0;
    bool sound = size > 0 && is_of(PyTuple_GET_ITEM(parcel, 0), contents[0]);
    if (sound && PyLong_AsLong(PyTuple_GET_ITEM(parcel, 0)) != GX_PARCEL_IS) {
        PyErr_SetString(PyExc_ValueError,
                        "a function pickled by another version of pygenx");
        return -1;
    }
    sound = sound && size == GX_PARCEL_SIZE;
    for (int i = 0; sound && i < GX_PARCEL_SIZE; i++) {
        sound = is_of(PyTuple_GET_ITEM(parcel, i), contents[i]);
    }
    if (!sound || !are_parameters(parcel)) {
        gx_parcel_unsound();
        return -1;
    }
    return 0;
}
