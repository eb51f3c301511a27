/* A function out of a pickle: its native program with constants, cells and defaults of
   its own, and with globals that are looked up by the name of their module. */

#include "lifted.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    gx_state *state; /* borrowed: the type keeps the module alive */
    PyObject *weakrefs;
    PyObject *parcel;    /* owned: what it is pickled as again */
    gx_native *native;   /* owned */
    PyObject *code;      /* owned: without bytecode, for tracebacks */
    PyObject *closure;   /* owned tuple of cells */
    PyObject *globals;   /* owned dict; NULL: not looked up yet */
    gx_binding *binding; /* owned: of all parameters; NULL: none, or a call has it */
} lifted_object;

#define lifted_CAST(op) ((lifted_object *)(op))

/* -- construct ---------------------------------------------------------- */

static PyObject *lifted_call(PyObject *op, PyObject *const *args, size_t nargsf,
                             PyObject *kwnames);

static PyObject *
part(const lifted_object *self, int place)
{
    return PyTuple_GET_ITEM(self->parcel, place);
}

/* The parcel was checked: it is a small int. */
static int
part_as_int(const lifted_object *self, int place)
{
    return (int)PyLong_AsLong(part(self, place));
}

static PyObject *
make_cells(PyObject *values)
{
    Py_ssize_t n = PyTuple_GET_SIZE(values);
    PyObject *cells = PyTuple_New(n);
    for (Py_ssize_t i = 0; cells != NULL && i < n; i++) {
        PyObject *cell = PyCell_New(PyTuple_GET_ITEM(values, i));
        if (cell == NULL) {
            Py_CLEAR(cells);
        } else {
            PyTuple_SET_ITEM(cells, i, cell);
        }
    }
    return cells;
}

static PyObject *
make_code(const lifted_object *self)
{
    const char *file = PyUnicode_AsUTF8(part(self, GX_PARCEL_FILE));
    const char *name = PyUnicode_AsUTF8(part(self, GX_PARCEL_NAME));
    return file != NULL && name != NULL
               ? (PyObject *)PyCode_NewEmpty(file, name,
                                             part_as_int(self, GX_PARCEL_LINE))
               : NULL;
}

/* Everything that follows from the parcel: 0 or -1. */
static int
unwrap(lifted_object *self)
{
    PyObject *cells = part(self, GX_PARCEL_CELLS);
    const gx_outside outside = {
        .nparams = (int)PyTuple_GET_SIZE(part(self, GX_PARCEL_PARAMS)),
        .ncells = (int)Py_MIN(PyTuple_GET_SIZE(cells), UINT16_MAX),
        .consts = part(self, GX_PARCEL_CONSTS),
        .names = part(self, GX_PARCEL_NAMES),
    };
    self->native = gx_native_unpack(self->state, part(self, GX_PARCEL_CODE), &outside);
    self->closure = self->native != NULL ? make_cells(cells) : NULL;
    self->code = self->closure != NULL ? make_code(self) : NULL;
    return self->code != NULL ? 0 : -1;
}

PyObject *
gx_lifting_load(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                PyObject *kwnames)
{
    static const char *const params[] = {"parcel", NULL};
    static const gx_signature signature = {"load", params, 1, 1, 1};
    PyObject *parcel;
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, &parcel) < 0 ||
        gx_parcel_check(parcel) < 0) {
        return NULL;
    }
    gx_state *state = PyModule_GetState(module);
    PyTypeObject *type = GX_TYPE_OF(state, lifted);
    lifted_object *self = lifted_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = lifted_call;
    self->state = state;
    self->parcel = Py_NewRef(parcel);
    if (unwrap(self) < 0) {
        Py_DECREF((PyObject *)self);
        return NULL;
    }
    return (PyObject *)self;
}

const char gx_lifting_load_doc[] =
    "load(parcel, /)\n--\n\n"
    "The function that was pickled as this. Raises ValueError if it is anything else.";

static bool
is_ours(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    return type->tp_flags & Py_TPFLAGS_HAVE_VECTORCALL &&
           type->tp_vectorcall_offset == offsetof(lifted_object, vectorcall) &&
           lifted_CAST(op)->vectorcall == lifted_call;
}

PyCodeObject *
gx_lifted_code(PyObject *func, PyObject **qualname)
{
    if (!is_ours(func)) {
        return NULL;
    }
    *qualname = part(lifted_CAST(func), GX_PARCEL_QUALNAME);
    return (PyCodeObject *)lifted_CAST(func)->code;
}

int
gx_lifted_positional(PyObject *op)
{
    return part_as_int(lifted_CAST(op), GX_PARCEL_POSITIONAL);
}

/* The first time, the module is imported: 0 or -1. */
static int
look_up_globals(lifted_object *self)
{
    PyObject *name = part(self, GX_PARCEL_MODULE);
    PyObject *module = NULL, *globals = NULL;
    if (self->globals != NULL) {
        return 0;
    }
    if (name == Py_None) {
        globals = PyDict_New();
    } else {
        module = PyImport_Import(name);
    }
    if (module != NULL && PyModule_Check(module)) {
        globals = Py_NewRef(PyModule_GetDict(module));
    } else if (module != NULL) {
        PyErr_Format(PyExc_ImportError, "'%U' is no module with globals", name);
    }
    Py_XDECREF(module);
    if (globals == NULL) {
        return -1;
    }
    if (self->globals == NULL) {
        self->globals = globals;
    } else {
        Py_DECREF(globals); /* another thread was first */
    }
    return 0;
}

static PyObject *
default_of(const lifted_object *self, int i)
{
    PyObject *defaults = part(self, GX_PARCEL_DEFAULTS);
    return PyTuple_GET_ITEM(defaults,
                            i - self->native->nparams + PyTuple_GET_SIZE(defaults));
}

/* Those behind the first nargs have defaults. */
static gx_binding *
bind(lifted_object *self, int nargs)
{
    gx_binding *b =
        look_up_globals(self) < 0 ? NULL : gx_bind(self->state, self->native, nargs);
    if (b == NULL) {
        return NULL;
    }
    b->code = Py_NewRef(self->code);
    b->globals = Py_NewRef(self->globals);
    b->builtins = Py_NewRef(PyModule_GetDict(self->state->builtins_module));
    b->closure = Py_NewRef(self->closure);
    for (int i = nargs; i < self->native->nparams; i++) {
        b->regs[i] = Py_NewRef(default_of(self, i));
    }
    return b;
}

static int
required(const lifted_object *self)
{
    return self->native->nparams -
           (int)PyTuple_GET_SIZE(part(self, GX_PARCEL_DEFAULTS));
}

gx_binding *
gx_lifted_bind(PyObject *op, int nargs)
{
    lifted_object *self = lifted_CAST(op);
    if (nargs < required(self) || nargs > gx_lifted_positional(op)) {
        return NULL;
    }
    gx_binding *b = bind(self, nargs);
    if (b == NULL && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear(); /* the call will say so, at an item */
    }
    if (b != NULL && gx_why_better_called(b) != NULL) {
        gx_binding_free(b);
        b = NULL;
    }
    return b;
}

/* -- iterate ------------------------------------------------------------ */

/* A call's arguments in the order of the parameters: 0 or -1. */
static int
arrange(lifted_object *self, PyObject *const *args, size_t nargsf, PyObject *kwnames,
        PyObject **out)
{
    const char *names[GX_LIFTED_PARAMS + 1] = {NULL};
    PyObject *params = part(self, GX_PARCEL_PARAMS);
    int n = self->native->nparams;
    for (int i = 0; i < n; i++) {
        names[i] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(params, i));
        if (names[i] == NULL) {
            return -1;
        }
    }
    const gx_signature signature = {
        .name = PyUnicode_AsUTF8(part(self, GX_PARCEL_QUALNAME)),
        .params = names,
        .posonly = part_as_int(self, GX_PARCEL_POSONLY),
        .required = required(self),
        .maxpos = part_as_int(self, GX_PARCEL_POSITIONAL),
    };
    if (signature.name == NULL ||
        gx_parse(&signature, args, nargsf, kwnames, out) < 0) {
        return -1;
    }
    for (int i = 0; i < n; i++) {
        out[i] = out[i] != NULL ? out[i] : default_of(self, i);
    }
    return 0;
}

static PyObject *
run(lifted_object *self, PyObject *const *args)
{
    PyObject *result = NULL;
    gx_binding *b = self->binding;
    self->binding = NULL;
    if (b == NULL) {
        b = bind(self, self->native->nparams);
    }
    if (b == NULL) {
        return NULL;
    }
    if (gx_machine_run(b, args, &result) == GX_MACHINE_REFUSED) {
        PyErr_SetString(PyExc_RuntimeError,
                        "a function out of a pickle has no frame "
                        "for what it calls to look at");
    }
    gx_binding *other = self->binding; /* of a call inside this one */
    self->binding = b;
    if (other != NULL) {
        gx_binding_free(other);
    }
    return result;
}

static PyObject *
lifted_call(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    lifted_object *self = lifted_CAST(op);
    PyObject *all[GX_LIFTED_PARAMS], *result = NULL;
    int n = self->native->nparams;
    bool direct = kwnames == NULL && PyVectorcall_NARGS(nargsf) == n &&
                  part_as_int(self, GX_PARCEL_POSITIONAL) == n;
    if (gx_enter_call(" in a function out of a pickle") < 0) {
        return NULL;
    }
    Py_INCREF(op); /* what is called may have its caller let go of this */
    if (direct || arrange(self, args, nargsf, kwnames, all) == 0) {
        result = run(self, direct ? args : all);
    }
    Py_DECREF(op);
    gx_leave_call();
    return result;
}

/* -- protocol ----------------------------------------------------------- */

static PyObject *
lifted_reduce(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return gx_parcel_reduce(Py_TYPE(op), lifted_CAST(op)->parcel);
}

/* As functions are copied: it cannot be changed. */
static PyObject *
lifted_copy(PyObject *op, PyObject *Py_UNUSED(memo))
{
    return Py_NewRef(op);
}

static PyObject *
lifted_get_name(PyObject *op, void *Py_UNUSED(closure))
{
    return Py_NewRef(part(lifted_CAST(op), GX_PARCEL_NAME));
}

static PyObject *
lifted_get_qualname(PyObject *op, void *Py_UNUSED(closure))
{
    return Py_NewRef(part(lifted_CAST(op), GX_PARCEL_QUALNAME));
}

static PyObject *
lifted_repr(PyObject *op)
{
    PyObject *name = gx_brief_callable(op);
    PyObject *text = name != NULL ? PyUnicode_FromFormat("<lifted %U>", name) : NULL;
    Py_XDECREF(name);
    return text;
}

static int
lifted_traverse(PyObject *op, visitproc visit, void *arg)
{
    lifted_object *self = lifted_CAST(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->parcel);
    Py_VISIT((PyObject *)self->native);
    Py_VISIT(self->code);
    Py_VISIT(self->closure);
    Py_VISIT(self->globals);
    return self->binding != NULL ? gx_binding_traverse(self->binding, visit, arg) : 0;
}

/* The rest is constant, and calls count on it: it leads back here only through objects
   that can be cleared. */
static int
lifted_clear(PyObject *op)
{
    lifted_object *self = lifted_CAST(op);
    gx_binding *b = self->binding;
    self->binding = NULL;
    if (b != NULL) {
        gx_binding_free(b);
    }
    return 0;
}

static void
lifted_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    lifted_object *self = lifted_CAST(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, lifted_dealloc)
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    lifted_clear(op);
    Py_CLEAR(self->parcel);
    Py_CLEAR(self->native);
    Py_CLEAR(self->code);
    Py_CLEAR(self->closure);
    Py_CLEAR(self->globals);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

/* -- type --------------------------------------------------------------- */

static PyMethodDef lifted_methods[] = {
    {"__reduce__", lifted_reduce, METH_NOARGS, NULL},
    {"__copy__", lifted_copy, METH_NOARGS, NULL},
    {"__deepcopy__", lifted_copy, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef lifted_getset[] = {
    {"__name__", lifted_get_name, NULL, NULL, NULL},
    {"__qualname__", lifted_get_qualname, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef lifted_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(lifted_object, vectorcall), READONLY,
     NULL},
    GX_WEAKLIST_MEMBER(lifted_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot lifted_slots[] = {
    {Py_tp_call, (void *)PyVectorcall_Call},
    {Py_tp_traverse, (void *)lifted_traverse},
    {Py_tp_clear, (void *)lifted_clear},
    {Py_tp_dealloc, (void *)lifted_dealloc},
    {Py_tp_repr, (void *)lifted_repr},
    {Py_tp_methods, lifted_methods},
    {Py_tp_getset, lifted_getset},
    {Py_tp_members, lifted_members},
    {0, NULL},
};

static PyType_Spec lifted_spec = {
    .name = "pygenx._pygenx._lifted",
    .basicsize = sizeof(lifted_object),
    .flags =
        GX_TYPE_FLAGS | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lifted_slots,
};

const gx_typedef gx_lifted_typedef = {.spec = &lifted_spec};
