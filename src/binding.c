/* A native program with what it needs of a function: globals, closure, defaults. */

#include "native.h"

/* -- what a function has ------------------------------------------------ */

/* Builtins that read or change the frame of their caller: what calls them needs one. */
static const char *const frame_readers[] = {
    "__import__", "breakpoint", "compile", "dir",  "eval",
    "exec",       "globals",    "locals",  "vars",
};

bool
gx_reads_frame(const gx_state *state, PyObject *callee)
{
    if (callee == (PyObject *)&PySuper_Type) {
        return true;
    }
    if (!PyCFunction_Check(callee) ||
        PyCFunction_GET_SELF(callee) != state->builtins_module) {
        return false;
    }
    const char *name = ((PyCFunctionObject *)callee)->m_ml->ml_name;
    for (size_t i = 0; i < sizeof(frame_readers) / sizeof(*frame_readers); i++) {
        if (strcmp(name, frame_readers[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* 1 the defaults fill the parameters behind the first nargs; 0 they do not; -1. */
static int
bind_defaults(gx_binding *b, PyObject *func, const PyCodeObject *code)
{
    PyObject *defaults = PyFunction_GET_DEFAULTS(func);
    PyObject *kwdefaults = PyFunction_GET_KW_DEFAULTS(func);
    Py_ssize_t ndefaults = defaults != NULL ? PyTuple_GET_SIZE(defaults) : 0;
    int npos = code->co_argcount;
    b->defaults = Py_XNewRef(defaults);
    if (code->co_kwonlyargcount > 0 && kwdefaults != NULL) {
        b->kwdefaults = Py_NewRef(kwdefaults);
        b->kwversion = gx_dict_version(kwdefaults);
        if (b->kwversion == 0) {
            return 0; /* 3.14: nobody would notice a change */
        }
    }
    if (b->nargs > npos || b->nargs < npos - ndefaults) {
        return 0;
    }
    for (int i = b->nargs; i < npos; i++) {
        b->regs[i] = Py_NewRef(PyTuple_GET_ITEM(defaults, i - npos + ndefaults));
    }
    for (int i = npos; i < b->native->nparams; i++) {
        PyObject *value = NULL, *name = gx_parameter_name(code, i);
        if (name == NULL ||
            (kwdefaults != NULL && PyDict_GetItemRef(kwdefaults, name, &value) < 0)) {
            Py_XDECREF(name);
            return -1;
        }
        Py_DECREF(name);
        b->regs[i] = value;
        if (value == NULL) {
            return 0;
        }
    }
    return 1;
}

/* The name of local variable i, a new reference. */
PyObject *
gx_parameter_name(const PyCodeObject *code, int i)
{
    PyObject *names = PyCode_GetVarnames((PyCodeObject *)code);
    PyObject *name = names != NULL && i < PyTuple_GET_SIZE(names)
                         ? Py_NewRef(PyTuple_GET_ITEM(names, i))
                         : NULL;
    Py_XDECREF(names);
    if (name == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_SystemError, "a code object without parameter names");
    }
    return name;
}

/* -- bind ---------------------------------------------------------------- */

gx_binding *
gx_bind(gx_state *state, gx_native *native, int nargs)
{
    size_t size = (size_t)gx_native_size(native);
    gx_binding *b = PyMem_Calloc(1, sizeof(*b) + size * sizeof(PyObject *));
    if (b == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    b->native = (gx_native *)Py_NewRef((PyObject *)native);
    b->state = state;
    b->nargs = nargs;
    b->first_temp = gx_native_first_temp(native);
    Py_ssize_t nconsts = PyTuple_GET_SIZE(native->consts);
    for (Py_ssize_t i = 0; i < nconsts; i++) {
        b->regs[native->nparams + i] = Py_NewRef(PyTuple_GET_ITEM(native->consts, i));
    }
    return b;
}

/* What the program finds by the names and cells of func. */
static gx_binding *
bind_names(gx_state *state, gx_native *native, PyObject *func, int nargs,
           const char **why)
{
    PyObject *globals = PyFunction_GET_GLOBALS(func);
    PyObject *builtins = ((PyFunctionObject *)func)->func_builtins;
    *why = NULL;
    if (globals == NULL || builtins == NULL) {
        *why = "it has been cleared by the garbage collector";
        return NULL;
    }
    if (!PyDict_CheckExact(globals) || !PyDict_CheckExact(builtins)) {
        *why = "its globals are not an exact dict";
        return NULL;
    }
    gx_binding *b = gx_bind(state, native, nargs);
    if (b != NULL) {
        b->code = Py_NewRef(PyFunction_GET_CODE(func));
        b->globals = Py_NewRef(globals);
        b->builtins = Py_NewRef(builtins);
        b->closure = Py_XNewRef(PyFunction_GET_CLOSURE(func));
    }
    return b;
}

gx_binding *
gx_bind_function(gx_state *state, gx_native *native, PyObject *func, int nargs,
                 const char **why)
{
    gx_binding *b = bind_names(state, native, func, nargs, why);
    if (b == NULL) {
        return NULL;
    }
    b->func = Py_NewRef(func);
    int rc = bind_defaults(b, func, (PyCodeObject *)b->code);
    if (rc == 0) {
        bool silent = b->kwdefaults != NULL && b->kwversion == 0;
        *why = silent ? "its defaults of keyword-only parameters may change unseen"
                      : "it does not take that many arguments";
    }
    if (rc <= 0) {
        gx_binding_free(b);
        return NULL;
    }
    return b;
}

gx_binding *
gx_bind_generator(gx_state *state, gx_native *native, PyObject *func, const char **why)
{
    gx_binding *b = bind_names(state, native, func, native->nparams, why);
    if (b != NULL) {
        b->alone = true;
    }
    return b;
}

void
gx_binding_free(gx_binding *b)
{
    for (int i = b->nargs; i < gx_native_size(b->native); i++) {
        Py_CLEAR(b->regs[i]);
    }
    Py_CLEAR(b->func);
    Py_CLEAR(b->code);
    Py_CLEAR(b->defaults);
    Py_CLEAR(b->kwdefaults);
    Py_CLEAR(b->globals);
    Py_CLEAR(b->builtins);
    Py_CLEAR(b->closure);
    Py_CLEAR(b->trusted);
    for (int i = 0; i < GX_KNOWN; i++) {
        Py_CLEAR(b->known_methods[i].method);
    }
    Py_CLEAR(b->native);
    PyMem_Free(b);
}

int
gx_binding_traverse(gx_binding *b, visitproc visit, void *arg)
{
    for (int i = b->nargs; i < b->first_temp; i++) {
        Py_VISIT(b->regs[i]);
    }
    Py_VISIT(b->func);
    Py_VISIT(b->code);
    Py_VISIT(b->defaults);
    Py_VISIT(b->kwdefaults);
    Py_VISIT(b->globals);
    Py_VISIT(b->builtins);
    Py_VISIT(b->closure);
    Py_VISIT(b->trusted);
    for (int i = 0; i < GX_KNOWN; i++) {
        Py_VISIT(b->known_methods[i].method);
    }
    Py_VISIT((PyObject *)b->native);
    return 0;
}

/* -- names ---------------------------------------------------------------- */

/* NameError with its text, a reference that is taken over, and its name. */
static PyObject *
raise_name_error(PyObject *text, PyObject *name)
{
    PyObject *args = NULL, *kwargs = NULL, *error = NULL;
    if (text != NULL) {
        args = PyTuple_Pack(1, text);
        kwargs = Py_BuildValue("{sO}", "name", name);
    }
    if (args != NULL && kwargs != NULL) {
        error = PyObject_Call(PyExc_NameError, args, kwargs);
    }
    if (error != NULL) {
        PyErr_SetObject(PyExc_NameError, error);
    }
    Py_XDECREF(text);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    Py_XDECREF(error);
    return NULL;
}

static PyObject *
no_such_name(PyObject *name)
{
    return raise_name_error(PyUnicode_FromFormat("name '%U' is not defined", name),
                            name);
}

static PyObject *
look_up_global(gx_binding *b, PyObject *name)
{
    PyObject *value = NULL;
    if (b->globals == NULL) {
        return no_such_name(name);
    }
    if (PyDict_GetItemRef(b->globals, name, &value) == 0 &&
        PyDict_GetItemRef(b->builtins, name, &value) == 0) {
        return no_such_name(name);
    }
    return value;
}

static PyObject *
look_up_cell(gx_binding *b, int i)
{
    PyObject *value = PyCell_Get(PyTuple_GET_ITEM(b->closure, i));
    if (value != NULL || PyErr_Occurred()) {
        return value;
    }
    PyObject *names = PyCode_GetFreevars((PyCodeObject *)b->code);
    if (names != NULL && i >= PyTuple_GET_SIZE(names)) { /* out of a pickle */
        PyErr_SetString(PyExc_NameError, "a cell of the closure is empty");
        Py_DECREF(names);
    } else if (names != NULL) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        raise_name_error(PyUnicode_FromFormat("cannot access free variable '%U' where "
                                              "it is not associated with a value in "
                                              "enclosing scope",
                                              name),
                         name);
        Py_DECREF(names);
    }
    return NULL;
}

/* A dict that is changed as an instance's may have the version of its last state until
   what it held there is gone. What runs meanwhile sees no references of such a value, but
   there is one to be looked at only if its memory goes last: that of an instance goes
   before its class. */
static bool
dies_last(PyObject *value)
{
    return !PyType_HasFeature(Py_TYPE(value), Py_TPFLAGS_HEAPTYPE);
}

/* Looking up runs no user code but the hash of keys that are no str, which may change
   the dicts: what they were before is remembered with what they had before. */
static PyObject *
learn_global(gx_binding *b, const gx_insn *insn)
{
    gx_known_global *known = &b->known_globals[(insn - b->native->insns) % GX_KNOWN];
    uint64_t globals = b->globals != NULL ? gx_dict_version(b->globals) : 0;
    uint64_t builtins = b->builtins != NULL ? gx_dict_version(b->builtins) : 0;
    PyObject *name = PyTuple_GET_ITEM(b->native->names, insn->aux);
    PyObject *value = look_up_global(b, name);
    if (value != NULL && globals != 0 && builtins != 0 && dies_last(value)) {
        *known = (gx_known_global){insn, globals, builtins, value};
    }
    return value;
}

PyObject *
gx_binding_look_up(gx_binding *b, const gx_insn *insn)
{
    const gx_known_global *known =
        &b->known_globals[(insn - b->native->insns) % GX_KNOWN];
    if (insn->op == GX_OP_CELL) {
        return look_up_cell(b, insn->aux);
    }
    if (known->insn == insn && known->globals == gx_dict_version(b->globals) &&
        known->builtins == gx_dict_version(b->builtins) && !gx_is_going(known->value)) {
        return Py_NewRef(known->value);
    }
    return learn_global(b, insn);
}

/* Looks at what the names of globals and cells mean now. An error that is no Exception
   stays set, and there is a text. */
const char *
gx_why_better_called(gx_binding *b)
{
    const char *why = NULL;
    const gx_native *native = b->native;
    for (int i = 0; i < native->ninsns && why == NULL; i++) {
        const gx_insn *insn = &native->insns[i];
        if (insn->op != GX_OP_GLOBAL && insn->op != GX_OP_CELL) {
            continue;
        }
        PyObject *value = gx_binding_look_up(b, insn);
        bool called = i + 1 < native->ninsns && insn[1].op == GX_OP_CALL &&
                      gx_operands(native, insn + 1)[0] == insn->dst;
        if (value == NULL && !PyErr_ExceptionMatches(PyExc_Exception)) {
            why = "it was interrupted";
        } else if (value == NULL) {
            PyErr_Clear(); /* it may be bound when it is needed */
        } else if (gx_reads_frame(b->state, value)) {
            why = "it calls a function that reads the frame of its caller";
        } else if (called && (PyFunction_Check(value) || PyMethod_Check(value))) {
            why = "it calls a Python function";
        }
        Py_XDECREF(value);
    }
    return why;
}
