/* The type of native programs: constant, shared by the code object it was made from and
   by all bindings. */

#include "native.h"

/* -- struct ------------------------------------------------------------- */

#define native_CAST(op) ((gx_native *)(op))

/* -- construct ---------------------------------------------------------- */

/* Made by gx_builder_finish and from pickles, which fill in what a program is. */

static uint8_t
consumes(const gx_native *native, const gx_insn *insn)
{
    uint8_t result = GX_CONSUMES_NONE;
    const uint8_t *in = gx_operands(native, insn);
    bool takes = insn->op == GX_OP_TUPLE || insn->op == GX_OP_LIST; /* by itself */
    for (int i = 0; i < insn->n && insn->op != GX_OP_COPY && !takes; i++) {
        if (in[i] >= gx_native_first_temp(native)) {
            result = i == 0 && insn->n <= GX_INSN_INPUTS ? GX_CONSUMES_FIRST
                                                         : GX_CONSUMES_MANY;
        }
    }
    return result;
}

static bool
is_jumped_to(const gx_native *native, const gx_insn *target)
{
    for (const gx_insn *insn = native->insns; insn < target; insn++) {
        if (insn->op >= GX_OP_JUMP && insn->op < GX_OP_RETURN &&
            native->insns + insn->aux == target) {
            return true;
        }
    }
    return false;
}

/* `a and b`: a copy of a temporary is tested and the temporary itself dropped where the
   test does not jump. */
static bool
begins_test(const gx_native *native, const gx_insn *copy)
{
    const gx_insn *jump = copy + 1, *drop = copy + 2;
    return copy->op == GX_OP_COPY && drop < native->insns + native->ninsns &&
           copy->in[0] >= gx_native_first_temp(native) &&
           (jump->op == GX_OP_JUMP_IF_TRUE || jump->op == GX_OP_JUMP_IF_FALSE) &&
           jump->in[0] == copy->dst && drop->op == GX_OP_DROP &&
           drop->in[0] == copy->in[0] && !is_jumped_to(native, jump) &&
           !is_jumped_to(native, drop);
}

static bool
returns_next(const gx_native *native, const gx_insn *insn)
{
    const gx_insn *next = insn + 1;
    return insn->op < GX_OP_DROP && next < native->insns + native->ninsns &&
           next->op == GX_OP_RETURN && next->in[0] == insn->dst;
}

void
gx_native_settle(gx_native *native)
{
    for (gx_insn *insn = native->insns; insn < native->insns + native->ninsns; insn++) {
        insn->consumes = consumes(native, insn);
        insn->branches = insn->op >= GX_OP_DROP || begins_test(native, insn);
        insn->returns = returns_next(native, insn);
    }
    const gx_insn *first = native->insns;
    native->single = native->ninsns == 2 && first->returns && !first->consumes &&
                     first->n <= GX_INSN_INPUTS && native->nvars == 0;
}

/* -- iterate ------------------------------------------------------------ */

/* -- protocol ----------------------------------------------------------- */

static int
native_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(native_CAST(op)->consts);
    Py_VISIT(native_CAST(op)->names);
    if (native_CAST(op)->loop != NULL) {
        Py_VISIT((PyObject *)native_CAST(op)->loop->inner);
    }
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
    if (native_CAST(op)->loop != NULL) {
        Py_XDECREF((PyObject *)native_CAST(op)->loop->inner);
        PyMem_Free(native_CAST(op)->loop);
    }
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
