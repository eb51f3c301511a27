/* The type of native programs: constant, shared by the code object it was made from and
   by all bindings. */

#include "native.h"

/* -- struct ------------------------------------------------------------- */

#define native_CAST(op) ((gx_native *)(op))

/* -- construct ---------------------------------------------------------- */

/* Made by gx_builder_finish alone. */

/* -- iterate ------------------------------------------------------------ */

/* -- protocol ----------------------------------------------------------- */

static int
native_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(native_CAST(op)->consts);
    Py_VISIT(native_CAST(op)->names);
    return 0;
}

/* Without tp_clear: whoever runs it counts on its constants, and they lead back to it
   only through objects that can be cleared. */
static void
native_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_CLEAR(native_CAST(op)->consts);
    Py_CLEAR(native_CAST(op)->names);
    PyMem_Free(native_CAST(op)->insns);
    PyMem_Free(native_CAST(op)->operands);
    type->tp_free(op);
    Py_DECREF(type);
}

/* -- type --------------------------------------------------------------- */

static PyType_Slot native_slots[] = {
    {Py_tp_traverse, (void *)native_traverse},
    {Py_tp_dealloc, (void *)native_dealloc},
    {0, NULL},
};

static PyType_Spec native_spec = {
    .name = "pygenx._pygenx._native",
    .basicsize = sizeof(gx_native),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = native_slots,
};

const gx_typedef gx_native_typedef = {.spec = &native_spec};
