/* What pygenx.lifting.native() returns: a callable that always runs the native program
   of a function. */

#include "native.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    gx_state *state;     /* borrowed: the type keeps the module alive */
    PyObject *func;      /* owned; NULL after tp_clear */
    PyObject *code;      /* owned; NULL after tp_clear: the func's when it was lifted */
    gx_native *native;   /* owned: the code's */
    gx_binding *binding; /* owned; of the last number of arguments; NULL: none yet */
} native_function;

#define native_function_CAST(op) ((native_function *)(op))

/* -- construct ---------------------------------------------------------- */

static PyObject *native_function_call(PyObject *op, PyObject *const *args,
                                      size_t nargsf, PyObject *kwnames);

PyObject *
gx_native_function_new(gx_state *state, PyObject *func, gx_native *native)
{
    PyTypeObject *type = GX_TYPE_OF(state, native_function);
    native_function *self = native_function_CAST(type->tp_alloc(type, 0));
    if (self != NULL) {
        self->vectorcall = native_function_call;
        self->state = state;
        self->func = Py_NewRef(func);
        self->code = Py_NewRef(PyFunction_GET_CODE(func));
        self->native = (gx_native *)Py_NewRef((PyObject *)native);
    }
    return (PyObject *)self;
}

/* -- iterate ------------------------------------------------------------ */

/* A binding for this many arguments that no other call is using: taken out of self. NULL
   with an error, or without one where the function itself has to complain. */
static gx_binding *
take_binding(native_function *self, int nargs)
{
    gx_binding *b = self->binding;
    const char *why;
    if (PyFunction_GET_CODE(self->func) != self->code) {
        return NULL; /* a program of the code it had is none of the function's */
    }
    if (b != NULL && b->nargs == nargs && !gx_binding_is_stale(b)) {
        self->binding = NULL;
        return b;
    }
    return gx_bind_function(self->state, self->native, self->func, nargs, &why);
}

static void
give_back(native_function *self, gx_binding *b)
{
    gx_binding *old = self->binding;
    self->binding = b;
    if (old != NULL) {
        gx_binding_free(old);
    }
}

static PyObject *
native_function_call(PyObject *op, PyObject *const *args, size_t nargsf,
                     PyObject *kwnames)
{
    PyObject *result = NULL;
    native_function *self = native_function_CAST(op);
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    bool plain = kwnames == NULL && self->func != NULL && nargs < GX_CONST;
    if (gx_enter_call(" in a native function") < 0) {
        return NULL;
    }
    Py_INCREF(op); /* what is called may have its caller let go of this */
    gx_binding *b = plain ? take_binding(self, (int)nargs) : NULL;
    if (b == NULL) {
        result = PyErr_Occurred()
                     ? NULL
                     : PyObject_Vectorcall(self->func, args, nargsf, kwnames);
    } else {
        if (gx_machine_run(b, args, &result) == GX_MACHINE_REFUSED) {
            result = PyObject_Vectorcall(self->func, args, nargsf, NULL);
        }
        give_back(self, b);
    }
    Py_DECREF(op);
    gx_leave_call();
    return result;
}

/* -- protocol ----------------------------------------------------------- */

static int
native_function_traverse(PyObject *op, visitproc visit, void *arg)
{
    native_function *self = native_function_CAST(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->func);
    Py_VISIT(self->code);
    Py_VISIT((PyObject *)self->native);
    return self->binding != NULL ? gx_binding_traverse(self->binding, visit, arg) : 0;
}

static int
native_function_clear(PyObject *op)
{
    native_function *self = native_function_CAST(op);
    gx_binding *b = self->binding;
    self->binding = NULL;
    if (b != NULL) {
        gx_binding_free(b);
    }
    Py_CLEAR(self->func);
    Py_CLEAR(self->code);
    return 0;
}

static void
native_function_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, native_function_dealloc)
    native_function_clear(op);
    Py_CLEAR(native_function_CAST(op)->native);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

/* "<native clean: x.strip()>" */
static PyObject *
native_function_repr(PyObject *op)
{
    native_function *self = native_function_CAST(op);
    PyObject *func = Py_XNewRef(self->func);
    if (func == NULL) {
        return PyUnicode_FromString("<native>");
    }
    PyObject *name = gx_brief_callable(func);
    PyObject *text = name != NULL ? gx_native_text_of(self->native, func) : NULL;
    PyObject *repr =
        text != NULL ? PyUnicode_FromFormat("<native %U: %U>", name, text) : NULL;
    Py_DECREF(func);
    Py_XDECREF(name);
    Py_XDECREF(text);
    return repr;
}

/* -- type --------------------------------------------------------------- */

static PyMemberDef native_function_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(native_function, vectorcall),
     READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static const char native_function_doc[] =
    "A function that always runs its native program; pygenx.lifting.native() makes it.";

static PyType_Slot native_function_slots[] = {
    {Py_tp_doc, (void *)native_function_doc},
    {Py_tp_call, (void *)PyVectorcall_Call},
    {Py_tp_traverse, (void *)native_function_traverse},
    {Py_tp_clear, (void *)native_function_clear},
    {Py_tp_dealloc, (void *)native_function_dealloc},
    {Py_tp_repr, (void *)native_function_repr},
    {Py_tp_members, native_function_members},
    {0, NULL},
};

static PyType_Spec native_function_spec = {
    .name = "pygenx.native_function",
    .basicsize = sizeof(native_function),
    .flags =
        GX_TYPE_FLAGS | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = native_function_slots,
};

const gx_typedef gx_native_function_typedef = {.spec = &native_function_spec};
