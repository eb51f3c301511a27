/* The boxed machine: runs a native program on objects, with the same operations on the
   same objects in the same order as CPython's own loop. */

#include "native.h"

#include <limits.h>

/* -- arithmetic ----------------------------------------------------------- */

static inline bool
is_small(PyObject *op)
{
    return PyLong_CheckExact(op) && PyUnstable_Long_IsCompact((PyLongObject *)op);
}

/* PyLong_FromLong is the fast one, where it holds what two digits make. */
static inline PyObject *
of_short(int64_t value)
{
#if LONG_MAX >= INT64_MAX
    return PyLong_FromLong(value);
#else
    return PyLong_FromLongLong(value);
#endif
}

/* With the sign of the divisor; a digit has 30 bits. */
static inline int32_t
short_remainder(int32_t a, int32_t b)
{
    int32_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/* Of two ints of one digit; NULL without an error: not here. */
static inline PyObject *
small_binary(int op, PyObject *left, PyObject *right)
{
    int64_t a = PyUnstable_Long_CompactValue((PyLongObject *)left);
    int64_t b = PyUnstable_Long_CompactValue((PyLongObject *)right);
    switch (op) {
    case GX_ADD:
        return of_short(a + b);
    case GX_SUBTRACT:
        return of_short(a - b);
    case GX_MULTIPLY:
        return of_short(a * b);
    case GX_AND:
        return of_short(a & b);
    case GX_OR:
        return of_short(a | b);
    case GX_XOR:
        return of_short(a ^ b);
    case GX_REMAINDER:
        if (b == 0) {
            return NULL;
        }
        return of_short(short_remainder((int32_t)a, (int32_t)b));
    case GX_FLOOR_DIVIDE:
        if (b == 0) {
            return NULL;
        }
        return of_short((a - short_remainder((int32_t)a, (int32_t)b)) / b);
    case GX_POWER:
        return b == 2 ? of_short(a * a) : NULL;
    default:
        return NULL;
    }
}

/* A float, or an int that a double holds exactly. */
static inline bool
as_double(PyObject *op, double *value)
{
    if (PyFloat_CheckExact(op)) {
        *value = PyFloat_AS_DOUBLE(op);
        return true;
    }
    if (is_small(op)) {
        *value = (double)PyUnstable_Long_CompactValue((PyLongObject *)op);
        return true;
    }
    return false;
}

static inline PyObject *
float_binary(int op, double a, double b)
{
    switch (op) {
    case GX_ADD:
        return PyFloat_FromDouble(a + b);
    case GX_SUBTRACT:
        return PyFloat_FromDouble(a - b);
    case GX_MULTIPLY:
        return PyFloat_FromDouble(a * b);
    case GX_TRUE_DIVIDE:
        return b != 0.0 ? PyFloat_FromDouble(a / b) : NULL;
    default:
        return NULL;
    }
}

static PyObject *
any_power(PyObject *left, PyObject *right)
{
    return PyNumber_Power(left, right, Py_None);
}

static PyObject *(*const any_binary[])(PyObject *, PyObject *) = {
    [GX_ADD] = PyNumber_Add,
    [GX_AND] = PyNumber_And,
    [GX_FLOOR_DIVIDE] = PyNumber_FloorDivide,
    [GX_LSHIFT] = PyNumber_Lshift,
    [GX_MATRIX_MULTIPLY] = PyNumber_MatrixMultiply,
    [GX_MULTIPLY] = PyNumber_Multiply,
    [GX_REMAINDER] = PyNumber_Remainder,
    [GX_OR] = PyNumber_Or,
    [GX_POWER] = any_power,
    [GX_RSHIFT] = PyNumber_Rshift,
    [GX_SUBTRACT] = PyNumber_Subtract,
    [GX_TRUE_DIVIDE] = PyNumber_TrueDivide,
    [GX_XOR] = PyNumber_Xor,
};

Py_NO_INLINE static PyObject *
binary(int op, PyObject *left, PyObject *right)
{
    double a, b;
    PyObject *value = NULL;
    if (is_small(left) && is_small(right)) {
        value = small_binary(op, left, right);
    } else if ((PyFloat_CheckExact(left) || PyFloat_CheckExact(right)) &&
               as_double(left, &a) && as_double(right, &b)) {
        value = float_binary(op, a, b);
    }
    if (value != NULL || PyErr_Occurred()) {
        return value;
    }
    return any_binary[op](left, right);
}

/* -- comparison ----------------------------------------------------------- */

Py_NO_INLINE static PyObject *
compare(int op, PyObject *left, PyObject *right)
{
    if (is_small(left) && is_small(right)) {
        Py_ssize_t a = PyUnstable_Long_CompactValue((PyLongObject *)left);
        Py_ssize_t b = PyUnstable_Long_CompactValue((PyLongObject *)right);
        Py_RETURN_RICHCOMPARE(a, b, op);
    }
    if (PyFloat_CheckExact(left) && PyFloat_CheckExact(right)) {
        double a = PyFloat_AS_DOUBLE(left), b = PyFloat_AS_DOUBLE(right);
        Py_RETURN_RICHCOMPARE(a, b, op);
    }
    if (PyUnicode_CheckExact(left) && PyUnicode_CheckExact(right)) {
        return PyUnicode_RichCompare(left, right, op);
    }
    return PyObject_RichCompare(left, right, op);
}

/* -- subscripts ----------------------------------------------------------- */

/* The item of a list or tuple of `size`; NULL without an error: not here. */
static inline PyObject *
indexed(PyObject *const *items, Py_ssize_t size, PyObject *key)
{
    if (!is_small(key)) {
        return NULL;
    }
    Py_ssize_t i = PyUnstable_Long_CompactValue((PyLongObject *)key);
    i += i < 0 ? size : 0;
    return i >= 0 && i < size ? Py_NewRef(items[i]) : NULL;
}

static PyObject *
missing_key(PyObject *key)
{
    PyObject *args = PyTuple_Pack(1, key); /* a key that is a tuple stays one */
    if (args != NULL) {
        PyErr_SetObject(PyExc_KeyError, args);
        Py_DECREF(args);
    }
    return NULL;
}

Py_NO_INLINE static PyObject *
subscript(PyObject *container, PyObject *key)
{
    PyObject *value = NULL;
    if (PyDict_CheckExact(container)) {
        int found = PyDict_GetItemRef(container, key, &value);
        return found == 0 ? missing_key(key) : value;
    }
    if (PyTuple_CheckExact(container)) {
        value =
            indexed(&PyTuple_GET_ITEM(container, 0), PyTuple_GET_SIZE(container), key);
    }
#ifndef Py_GIL_DISABLED
    else if (PyList_CheckExact(container)) {
        value = indexed(((PyListObject *)container)->ob_item,
                        PyList_GET_SIZE(container), key);
    }
#endif
    return value != NULL ? value : PyObject_GetItem(container, key);
}

/* A method that is called next is looked up by CPython without PyObject_GetAttr, if the
   type has the usual way to look up. */
static inline PyObject *
attribute(PyObject *obj, PyObject *name, bool method)
{
    getattrofunc slot = Py_TYPE(obj)->tp_getattro;
    PyObject *value = slot != NULL ? slot(obj, name) : PyObject_GetAttr(obj, name);
    if (value == NULL && !(method && slot == PyObject_GenericGetAttr)) {
        gx_tell_attribute(obj, name);
    }
    return value;
}

/* -- calls ---------------------------------------------------------------- */

#define MAX_ARGS GX_BUILD_DEPTH

/* Look at a callable: false if it reads its caller's frame. Only what lives as long as
   its module or for ever is kept, to be known the next time. */
static bool
trust(gx_binding *b, PyObject *callee)
{
    if (gx_reads_frame(b->state, callee)) {
        b->opaque = true;
        return b->alone;
    }
    if (PyFunction_Check(callee) || PyMethod_Check(callee)) {
        b->opaque = true;
    } else if (PyCFunction_Check(callee)
                   ? PyCFunction_GET_SELF(callee) == b->state->builtins_module
                   : PyType_Check(callee) && !PyType_HasFeature((PyTypeObject *)callee,
                                                                Py_TPFLAGS_HEAPTYPE)) {
        Py_XSETREF(b->trusted, Py_NewRef(callee));
    }
    return true;
}

/* A function that reads its caller's frame has to have one: NULL without an error. What
   was not made from a Python function has none to give. */
Py_NO_INLINE static PyObject *
call(gx_binding *b, const gx_insn *insn, const uint8_t *in)
{
    PyObject *argv[MAX_ARGS + 1], *callee = b->regs[in[0]];
    int nargs = insn->n - 1;
    if (callee != b->trusted && b->code != NULL && !trust(b, callee)) {
        return NULL;
    }
    argv[0] = NULL;
    for (int i = 0; i < nargs; i++) {
        argv[1 + i] = b->regs[in[1 + i]];
    }
    if (insn->arg == 0) {
        return gx_call_func(callee, argv + 1, (size_t)nargs);
    }
    size_t npos = (size_t)(nargs - insn->arg);
    return PyObject_Vectorcall(callee, argv + 1, npos | PY_VECTORCALL_ARGUMENTS_OFFSET,
                               b->regs[insn->aux]);
}

static PyObject *
call_star(gx_binding *b, PyObject *callee, PyObject *values)
{
    bool trusted = callee == b->trusted || b->code == NULL || trust(b, callee);
    return trusted ? gx_machine_call_star(b, callee, values) : NULL;
}

static inline PyObject *
known_method(gx_binding *b, const gx_insn *insn, PyTypeObject *type)
{
    const gx_known_method *known =
        &b->known_methods[(insn - b->native->insns) % GX_KNOWN];
    return known->insn == insn && known->type == type
               ? known->method
               : gx_machine_find_method(b, insn, type);
}

/* The arguments are all there already: no bound method is needed in between. */
Py_NO_INLINE static PyObject *
call_method(gx_binding *b, const gx_insn *insn, const uint8_t *in)
{
    PyObject *argv[MAX_ARGS + 1];
    argv[0] = NULL;
    assert(insn->n > 0); /* the object comes first */
    for (int i = 0; i < insn->n; i++) {
        argv[1 + i] = b->regs[in[i]];
    }
    PyObject *method = known_method(b, insn, Py_TYPE(argv[1]));
    if (method != NULL) {
        return gx_call_func(method, argv + 1, insn->n);
    }
    return gx_machine_call_method(b, insn, argv + 1);
}

/* A display takes what is in temporaries. */
Py_NO_INLINE static PyObject *
build_tuple(gx_binding *b, const uint8_t *in, int n)
{
    PyObject *tuple = PyTuple_New(n);
    for (int i = 0; tuple != NULL && i < n; i++) {
        PyTuple_SET_ITEM(tuple, i, gx_binding_take(b, in[i]));
    }
    return tuple;
}

/* Only the rarer operations have more operands than an instruction has room for. */
static inline Py_ALWAYS_INLINE PyObject *
compute(gx_binding *b, const gx_insn *insn)
{
    PyObject **regs = b->regs;
    const uint8_t *in = insn->in;
    switch (insn->op) {
    case GX_OP_GLOBAL:
        return gx_binding_look_up(b, insn);
    case GX_OP_COPY:
    case GX_OP_MOVE:
        return Py_NewRef(regs[in[0]]);
    case GX_OP_BINARY:
        return binary(insn->arg, regs[in[0]], regs[in[1]]);
    case GX_OP_COMPARE:
        return compare(insn->arg, regs[in[0]], regs[in[1]]);
    case GX_OP_SUBSCRIPT:
        return subscript(regs[in[0]], regs[in[1]]);
    case GX_OP_ATTRIBUTE:
        return attribute(regs[in[0]], PyTuple_GET_ITEM(b->native->names, insn->aux),
                         insn->arg);
    case GX_OP_TUPLE:
        return build_tuple(b, gx_operands(b->native, insn), insn->n);
    case GX_OP_CALL:
        return call(b, insn, gx_operands(b->native, insn));
    case GX_OP_CALL_METHOD:
        return call_method(b, insn, gx_operands(b->native, insn));
    case GX_OP_CALL_STAR:
        return call_star(b, regs[in[0]], regs[in[1]]);
    default:
        return gx_machine_rare(b, insn, gx_operands(b->native, insn));
    }
}

/* -- the loop --------------------------------------------------------------- */

/* Which operand CPython lets go of as number i: the first comes first, but of slices the
   container last, and from 3.14 on the last first. */
static inline int
released(const gx_insn *insn, int i)
{
#if PY_VERSION_HEX >= 0x030F0000 /* 3.15 */
    return insn->n - 1 - i;
#else
    if (insn->op == GX_OP_SLICE) {
        return (i + 1) % 3;
    }
#if PY_VERSION_HEX >= 0x030E0000 /* 3.14 */
    if (insn->op == GX_OP_COMPARE || insn->op == GX_OP_IS ||
        insn->op == GX_OP_CONTAINS || insn->op == GX_OP_CALL) {
        return insn->n - 1 - i;
    }
#endif
    return i;
#endif
}

/* Empty the temporaries among the operands. What a display has taken is empty already. */
Py_NO_INLINE static void
consume_all(gx_binding *b, const gx_insn *insn)
{
    const uint8_t *in = gx_operands(b->native, insn);
    for (int i = 0; i < insn->n; i++) {
        int reg = in[released(insn, i)];
        if (reg >= b->first_temp) {
            Py_CLEAR(b->regs[reg]);
        }
    }
}

static inline void
consume(gx_binding *b, const gx_insn *insn)
{
    if (insn->consumes == GX_CONSUMES_FIRST) {
        PyObject *value = b->regs[insn->in[0]];
        b->regs[insn->in[0]] = NULL;
        Py_XDECREF(value);
    } else if (insn->consumes == GX_CONSUMES_MANY) {
        consume_all(b, insn);
    }
}

static inline int
truth_of(PyObject *value)
{
    return value == Py_True ? 1 : value == Py_False ? 0 : PyObject_IsTrue(value);
}

/* A value that is tested, then either kept for where the jump leads, or dropped: what a
   copy, a jump and a drop do to it. NULL with an error. */
static inline const gx_insn *
test(gx_binding *b, const gx_insn *copy)
{
    const gx_insn *jump = copy + 1;
    int taken = truth_of(b->regs[copy->in[0]]);
    if (taken < 0) {
        return NULL;
    }
    if (taken == (jump->op == GX_OP_JUMP_IF_TRUE)) {
        return b->native->insns + jump->aux;
    }
    Py_CLEAR(b->regs[copy->in[0]]);
    return jump + 2;
}

/* What an operation without a result does: where to go on; NULL with an error. */
static const gx_insn *
branch(gx_binding *b, const gx_insn *insn)
{
    int taken = 1;
    PyObject *value = insn->n > 0 ? b->regs[insn->in[0]] : NULL;
    switch (insn->op) {
    case GX_OP_COPY:
        return test(b, insn);
    case GX_OP_JUMP_IF_TRUE:
    case GX_OP_JUMP_IF_FALSE:
        taken = truth_of(value);
        if (taken < 0) {
            return NULL;
        }
        taken = taken == (insn->op == GX_OP_JUMP_IF_TRUE);
        break;
    case GX_OP_JUMP_IF_NONE:
    case GX_OP_JUMP_IF_NOT_NONE:
        taken = (value == Py_None) == (insn->op == GX_OP_JUMP_IF_NONE);
        break;
    case GX_OP_DROP:
        taken = 0;
        break;
    case GX_OP_STORE:
        gx_machine_store(b, insn);
        return insn + 1;
    case GX_OP_UNPACK:
        return gx_machine_unpack(b, insn) < 0 ? NULL : insn + 1;
    default:
        break;
    }
    consume(b, insn);
    return taken ? b->native->insns + insn->aux : insn + 1;
}

/* What is left after an error: the latest first. */
static void
release(gx_binding *b)
{
    for (int i = gx_native_size(b->native) - 1; i >= b->first_temp; i--) {
        Py_CLEAR(b->regs[i]);
    }
}

static gx_outcome
failed(gx_binding *b, const gx_insn *insn)
{
    bool raised = PyErr_Occurred() != NULL;
    if (raised) {
        int before = b->looking_up ? 2 * insn->arg : 0;
        gx_trace_back(b, insn->offset - before);
    }
    b->looking_up = false;
    PyObject *error = raised ? PyErr_GetRaisedException() : NULL;
    consume(b, insn);
    release(b);
    if (!raised) {
        return GX_MACHINE_REFUSED;
    }
    PyErr_SetRaisedException(error);
    return GX_MACHINE_ERROR;
}

/* What functions are called in place would make every run begin with a large frame: the
   operations are calls, and the commonest programs are one operation. */
static gx_outcome
run_single(gx_binding *b, PyObject **out)
{
    const gx_insn *insn = b->native->insns;
    *out = compute(b, insn);
    return *out != NULL ? GX_MACHINE_VALUE : failed(b, insn);
}

Py_NO_INLINE static gx_outcome
run_all(gx_binding *b, PyObject **out)
{
    const gx_native *native = b->native;
    const gx_insn *insn = native->insns;
    while (insn->op < GX_OP_RETURN) {
        if (insn->branches) {
            const gx_insn *next = branch(b, insn);
            if (next == NULL) {
                return failed(b, insn);
            }
            insn = next;
            continue;
        }
        PyObject *value = compute(b, insn);
        if (value == NULL) {
            return failed(b, insn);
        }
        consume(b, insn);
        if (insn->returns) {
            *out = value;
            return GX_MACHINE_VALUE;
        }
        b->regs[insn->dst] = value;
        insn++;
    }
    *out = insn->op == GX_OP_RETURN ? gx_binding_take(b, insn->in[0]) : NULL;
    return *out != NULL ? GX_MACHINE_VALUE : GX_MACHINE_SKIP;
}

gx_outcome
gx_machine_run(gx_binding *b, PyObject *const *args, PyObject **out)
{
    if (gx_binding_is_stale(b)) {
        return GX_MACHINE_REFUSED;
    }
    if (b->nargs == 1) {
        b->regs[0] = args[0];
    } else if (b->nargs > 0) { /* without arguments, args may be NULL */
        memcpy(b->regs, args, sizeof(*args) * (size_t)b->nargs);
    }
    return b->native->single ? run_single(b, out) : run_all(b, out);
}

gx_outcome
gx_machine_go(gx_binding *b, PyObject **out)
{
    return b->native->single ? run_single(b, out) : run_all(b, out);
}
