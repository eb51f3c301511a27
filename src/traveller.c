/* What stands in for a function while a Pipeline is pickled: to the standard pickler an
   object that is made again from a parcel, to those that pickle functions by value (they
   ask isinstance, and for __code__, __globals__, ...) the function itself. */

#include "lifted.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    PyObject *func;   /* owned */
    PyObject *parcel; /* owned tuple */
} traveller_object;

#define traveller_CAST(op) ((traveller_object *)(op))

/* -- construct ---------------------------------------------------------- */

/* No pickler finds it by its name. */
static bool
is_hidden(PyObject *func)
{
    PyObject *name = ((PyFunctionObject *)func)->func_qualname;
    return PyUnicode_FindChar(name, '<', 0, PyUnicode_GET_LENGTH(name), 1) >= 0;
}

PyObject *
gx_traveller_of(gx_state *state, PyObject *value, int depth)
{
    if (depth <= 0 || !PyFunction_Check(value) || !is_hidden(value)) {
        return Py_NewRef(value);
    }
    PyObject *parcel = gx_parcel_of(state, value, depth);
    if (parcel == NULL || parcel == Py_None) {
        Py_XDECREF(parcel);
        return parcel == NULL ? NULL : Py_NewRef(value);
    }
    PyTypeObject *type = GX_TYPE_OF(state, traveller);
    traveller_object *self = traveller_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        Py_DECREF(parcel);
        return NULL;
    }
    self->func = Py_NewRef(value);
    self->parcel = parcel;
    return (PyObject *)self;
}

PyObject *
gx_traveller_home(gx_state *state, PyObject *value)
{
    bool is = Py_IS_TYPE(value, GX_TYPE_OF(state, traveller));
    return Py_NewRef(is ? traveller_CAST(value)->func : value);
}

/* -- iterate ------------------------------------------------------------ */

static PyObject *
traveller_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *func = Py_NewRef(traveller_CAST(op)->func); /* the caller may let us go */
    PyObject *result = PyObject_Call(func, args, kwargs);
    Py_DECREF(func);
    return result;
}

static PyObject *
traveller_reduce(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return gx_parcel_reduce(Py_TYPE(op), traveller_CAST(op)->parcel);
}

/* As functions are copied. */
static PyObject *
traveller_deepcopy(PyObject *op, PyObject *Py_UNUSED(memo))
{
    return Py_NewRef(op);
}

/* -- protocol ----------------------------------------------------------- */

/* All but what pickling and copying ask for is the function's, __class__ included. */
static PyObject *
traveller_getattro(PyObject *op, PyObject *name)
{
    static const char *const own[] = {"__deepcopy__", "__reduce__", "__reduce_ex__"};
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
        if (PyUnicode_CompareWithASCIIString(name, own[i]) == 0) {
            return PyObject_GenericGetAttr(op, name);
        }
    }
    return PyObject_GetAttr(traveller_CAST(op)->func, name);
}

static PyObject *
traveller_repr(PyObject *op)
{
    return PyObject_Repr(traveller_CAST(op)->func);
}

static int
traveller_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(traveller_CAST(op)->func);
    Py_VISIT(traveller_CAST(op)->parcel);
    return 0;
}

/* Without tp_clear: what it holds leads back to it only through objects that can be
   cleared. */
static void
traveller_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, traveller_dealloc)
    Py_CLEAR(traveller_CAST(op)->func);
    Py_CLEAR(traveller_CAST(op)->parcel);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

/* -- type --------------------------------------------------------------- */

static PyMethodDef traveller_methods[] = {
    {"__reduce__", traveller_reduce, METH_NOARGS, NULL},
    {"__deepcopy__", traveller_deepcopy, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot traveller_slots[] = {
    {Py_tp_call, (void *)traveller_call},
    {Py_tp_getattro, (void *)traveller_getattro},
    {Py_tp_repr, (void *)traveller_repr},
    {Py_tp_traverse, (void *)traveller_traverse},
    {Py_tp_dealloc, (void *)traveller_dealloc},
    {Py_tp_methods, traveller_methods},
    {0, NULL},
};

static PyType_Spec traveller_spec = {
    .name = "pygenx._pygenx._traveller",
    .basicsize = sizeof(traveller_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = traveller_slots,
};

const gx_typedef gx_traveller_typedef = {.spec = &traveller_spec};
