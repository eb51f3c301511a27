/* What func(expr) returns, and stages make of an expression: a callable that runs its
   native program. And the functions that build expressions: call, all_of, ... */

#include "expression.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    gx_state *state; /* borrowed: the type keeps the module alive */
    PyObject *weakrefs;
    PyObject *expression; /* owned */
    gx_native *native;    /* owned */
    gx_binding *binding;  /* owned; NULL while a call uses it, and after tp_clear */
} expression_function;

#define expression_function_CAST(op) ((expression_function *)(op))

/* -- construct ---------------------------------------------------------- */

static PyObject *expression_function_call(PyObject *op, PyObject *const *args,
                                          size_t nargsf, PyObject *kwnames);

PyObject *
gx_expression_function_new(gx_state *state, PyObject *expression)
{
    gx_native *native = gx_expression_compile(state, expression);
    if (native == NULL) {
        return NULL;
    }
    PyTypeObject *type = GX_TYPE_OF(state, expression_function);
    expression_function *self = expression_function_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        Py_DECREF((PyObject *)native);
        return NULL;
    }
    self->vectorcall = expression_function_call;
    self->state = state;
    self->expression = Py_NewRef(expression);
    self->native = native;
    return (PyObject *)self;
}

static bool
is_function(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    return type->tp_flags & Py_TPFLAGS_HAVE_VECTORCALL &&
           type->tp_vectorcall_offset == offsetof(expression_function, vectorcall) &&
           expression_function_CAST(op)->vectorcall == expression_function_call;
}

PyObject *
gx_expression_of(PyObject *func)
{
    return is_function(func) ? expression_function_CAST(func)->expression : NULL;
}

gx_native *
gx_expression_native(PyObject *func)
{
    return is_function(func) ? expression_function_CAST(func)->native : NULL;
}

PyObject *
gx_callable_of(PyObject *func)
{
    if (!gx_is_expression(func)) {
        return Py_NewRef(func);
    }
    return gx_expression_function_new(PyType_GetModuleState(Py_TYPE(func)), func);
}

int
gx_as_callable(PyObject **func, const char *name)
{
    PyObject *made = gx_callable_of(*func);
    if (made == NULL) {
        return -1;
    }
    Py_SETREF(*func, made);
    return gx_check_callable(made, name);
}

/* -- iterate ------------------------------------------------------------ */

static int
check_call(Py_ssize_t nargs, PyObject *kwnames)
{
    if (nargs != 1) {
        PyErr_Format(PyExc_TypeError,
                     "an expression takes 1 positional argument but %zd were given",
                     nargs);
        return -1;
    }
    return gx_no_keywords("expression", kwnames);
}

/* A call that runs inside another, or beside it, has registers of its own. */
static PyObject *
expression_function_call(PyObject *op, PyObject *const *args, size_t nargsf,
                         PyObject *kwnames)
{
    PyObject *result = NULL;
    expression_function *self = expression_function_CAST(op);
    if (check_call(PyVectorcall_NARGS(nargsf), kwnames) < 0 ||
        gx_enter_call(" in an expression") < 0) {
        return NULL;
    }
    gx_binding *b = self->binding;
    self->binding = NULL;
    b = b != NULL ? b : gx_bind(self->state, self->native, 1);
    if (b != NULL) {
        Py_INCREF(op);
        (void)gx_machine_run(b, args, &result);
        gx_binding *other = self->binding;
        self->binding = b;
        if (other != NULL) {
            gx_binding_free(other);
        }
        Py_DECREF(op);
    }
    gx_leave_call();
    return result;
}

/* -- protocol ----------------------------------------------------------- */

static int
expression_function_traverse(PyObject *op, visitproc visit, void *arg)
{
    expression_function *self = expression_function_CAST(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->expression);
    Py_VISIT((PyObject *)self->native);
    return self->binding != NULL ? gx_binding_traverse(self->binding, visit, arg) : 0;
}

/* Without tp_clear: what it leads to is constant, as it is itself. */
static void
expression_function_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    expression_function *self = expression_function_CAST(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, expression_function_dealloc)
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    if (self->binding != NULL) {
        gx_binding_free(self->binding);
    }
    Py_XDECREF((PyObject *)self->native);
    Py_XDECREF(self->expression);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

static PyObject *
expression_function_repr(PyObject *op)
{
    PyObject *text =
        gx_expression_text(expression_function_CAST(op)->expression, false);
    if (text != NULL) {
        Py_SETREF(text, PyUnicode_FromFormat("func(%U)", text));
    }
    return text;
}

/* (func, (expression,)) */
static PyObject *
expression_function_reduce(PyObject *op, PyObject *Py_UNUSED(unused))
{
    expression_function *self = expression_function_CAST(op);
    PyObject *module = PyType_GetModule(Py_TYPE(op));
    PyObject *make = PyObject_GetAttr(module, GX_NAME(self->state, func));
    return make != NULL ? Py_BuildValue("N(O)", make, self->expression) : NULL;
}

/* -- type --------------------------------------------------------------- */

static PyMethodDef expression_function_methods[] = {
    {"__reduce__", expression_function_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef expression_function_members[] = {
    GX_WEAKLIST_MEMBER(expression_function),
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(expression_function, vectorcall),
     READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static const char expression_function_doc[] =
    "A function that computes an expression of its argument; func() makes it of one.";

static PyType_Slot expression_function_slots[] = {
    {Py_tp_doc, (void *)expression_function_doc},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_traverse, expression_function_traverse},
    {Py_tp_dealloc, expression_function_dealloc},
    {Py_tp_repr, expression_function_repr},
    {Py_tp_methods, expression_function_methods},
    {Py_tp_members, expression_function_members},
    {0, NULL},
};

static PyType_Spec expression_function_spec = {
    .name = "pygenx.expression_function",
    .basicsize = sizeof(expression_function),
    .flags =
        GX_TYPE_FLAGS | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = expression_function_slots,
};

const gx_typedef gx_expression_function_typedef = {.spec = &expression_function_spec};
