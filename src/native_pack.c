/* Native programs as bytes, for pickling. They mean the same to every version: nothing
   of CPython's bytecode is left in them.

       temporaries
       for each operation: kind argument result operands aux(2) line(2) operand...

   Numbers of two bytes are little-endian; registers are laid out as in native.h without
   variables. What is read may have been made by anybody. */

#include "lifted.h"

#define HEAD 8
#define MOST_TEMPS 64 /* bits of a set of them */

/* -- the operations of the format ----------------------------------------- */

typedef enum { NO_AUX, A_NAME, A_CELL, A_JUMP, A_KEYWORDS } aux_meaning;

typedef struct {
    gx_op op;
    int least, most; /* operands */
    int first_arg, last_arg;
    aux_meaning aux;
    bool pairs; /* operands come in pairs */
} packed_kind;

#define ANY GX_BUILD_DEPTH

/* The place of an operation is its number in the format: only ever append. */
static const packed_kind kinds[] = {
    {GX_OP_GLOBAL, 0, 0, 0, 0, A_NAME, false},
    {GX_OP_CELL, 0, 0, 0, 0, A_CELL, false},
    {GX_OP_COPY, 1, 1, 0, 0, NO_AUX, false},
    {GX_OP_MOVE, 1, 1, 0, 0, NO_AUX, false},
    {GX_OP_UNARY, 1, 1, 0, GX_TRUTH, NO_AUX, false},
    {GX_OP_BINARY, 2, 2, 0, GX_XOR, NO_AUX, false},
    {GX_OP_COMPARE, 2, 2, 0, Py_GE, NO_AUX, false},
    {GX_OP_IS, 2, 2, 0, 1, NO_AUX, false},
    {GX_OP_CONTAINS, 2, 2, 0, 1, NO_AUX, false},
    {GX_OP_SUBSCRIPT, 2, 2, 0, 0, NO_AUX, false},
    {GX_OP_SLICE, 3, 3, 0, 0, NO_AUX, false},
    {GX_OP_BUILD_SLICE, 2, 3, 0, 0, NO_AUX, false},
    {GX_OP_ATTRIBUTE, 1, 1, 0, 1, A_NAME, false},
    {GX_OP_CALL, 1, ANY, 0, ANY, A_KEYWORDS, false},
    {GX_OP_CALL_METHOD, 1, ANY, 0, 0, A_NAME, false},
    {GX_OP_TUPLE, 0, ANY, 0, 0, NO_AUX, false},
    {GX_OP_LIST, 0, ANY, 0, 0, NO_AUX, false},
    {GX_OP_SET, 0, ANY, 0, 0, NO_AUX, false},
    {GX_OP_MAP, 0, ANY, 0, 0, NO_AUX, true},
    {GX_OP_LIST_OF, 1, 1, 0, 0, NO_AUX, false},
    {GX_OP_SET_OF, 1, 1, 0, 0, NO_AUX, false},
    {GX_OP_CONVERT, 1, 1, 1, 3, NO_AUX, false},
    {GX_OP_FORMAT, 1, 2, 0, 0, NO_AUX, false},
    {GX_OP_STRING, 0, ANY, 0, 0, NO_AUX, false},
    {GX_OP_DROP, 1, 1, 0, 0, NO_AUX, false},
    {GX_OP_JUMP, 0, 0, 0, 0, A_JUMP, false},
    {GX_OP_JUMP_IF_TRUE, 1, 1, 0, 0, A_JUMP, false},
    {GX_OP_JUMP_IF_FALSE, 1, 1, 0, 0, A_JUMP, false},
    {GX_OP_JUMP_IF_NONE, 1, 1, 0, 0, A_JUMP, false},
    {GX_OP_JUMP_IF_NOT_NONE, 1, 1, 0, 0, A_JUMP, false},
    {GX_OP_RETURN, 1, 1, 0, 0, NO_AUX, false},
};

#define NKINDS ((int)(sizeof(kinds) / sizeof(*kinds)))

static int
kind_of(const gx_insn *insn)
{
    for (int i = 0; i < NKINDS; i++) {
        if (kinds[i].op == insn->op) {
            return i;
        }
    }
    return -1;
}

/* -- pack ------------------------------------------------------------------- */

/* The number of bytes; -1: not in this format. */
static Py_ssize_t
packed_size(const gx_native *native)
{
    Py_ssize_t size = 1;
    for (int i = 0; i < native->ninsns; i++) {
        if (kind_of(&native->insns[i]) < 0) {
            return -1;
        }
        size += HEAD + native->insns[i].n;
    }
    return native->nvars > 0 || native->ntemps > MOST_TEMPS ? -1 : size;
}

static int
line_of(const gx_insn *insn, PyCodeObject *code)
{
    int line = PyCode_Addr2Line(code, insn->offset) - code->co_firstlineno;
    return line < 0 || line > UINT16_MAX ? 0 : line;
}

static uint8_t *
pack_insn(uint8_t *out, const gx_native *native, const gx_insn *insn, int line)
{
    const packed_kind *kind = &kinds[kind_of(insn)];
    bool no_aux = kind->aux == NO_AUX || (kind->aux == A_KEYWORDS && insn->arg == 0);
    int aux = no_aux ? 0 : insn->aux;
    uint8_t arg = insn->op == GX_OP_CALL_METHOD ? 0 : insn->arg; /* of bytecode */
    const uint8_t head[HEAD] = {
        (uint8_t)(kind - kinds),
        arg,
        insn->op < GX_OP_DROP ? insn->dst : 0,
        insn->n,
        (uint8_t)aux,
        (uint8_t)(aux >> 8),
        (uint8_t)line,
        (uint8_t)(line >> 8),
    };
    memcpy(out, head, HEAD);
    memcpy(out + HEAD, gx_operands(native, insn), insn->n);
    return out + HEAD + insn->n;
}

PyObject *
gx_native_pack(gx_native *native, PyCodeObject *code)
{
    Py_ssize_t size = packed_size(native);
    if (size < 0) {
        return Py_NewRef(Py_None);
    }
    PyObject *packed = PyBytes_FromStringAndSize(NULL, size);
    if (packed == NULL) {
        return NULL;
    }
    uint8_t *out = (uint8_t *)PyBytes_AS_STRING(packed);
    *out++ = (uint8_t)native->ntemps;
    for (int i = 0; i < native->ninsns; i++) {
        const gx_insn *insn = &native->insns[i];
        out = pack_insn(out, native, insn, line_of(insn, code));
    }
    return packed;
}

/* -- unpack ------------------------------------------------------------------ */

PyObject *
gx_parcel_unsound(void)
{
    PyErr_SetString(PyExc_ValueError, "not a pickled function of pygenx");
    return NULL;
}

/* How many operations and operands there are: -1 if the parts do not fit together. */
static int
count_insns(const uint8_t *bytes, Py_ssize_t size, int *noperands)
{
    int n = 0;
    Py_ssize_t at = 1;
    *noperands = 0;
    while (at < size && n < GX_BUILD_INSNS) {
        if (size - at < HEAD || bytes[at] >= NKINDS || bytes[at + 3] > ANY) {
            return -1;
        }
        *noperands += bytes[at + 3];
        at += HEAD + bytes[at + 3];
        n++;
    }
    return at == size && n > 0 ? n : -1;
}

static void
unpack_insns(gx_native *native, const uint8_t *bytes)
{
    int first = 0;
    for (int i = 0; i < native->ninsns; i++) {
        gx_insn *insn = &native->insns[i];
        *insn = (gx_insn){.op = (uint8_t)kinds[bytes[0]].op,
                          .arg = bytes[1],
                          .dst = bytes[2],
                          .n = bytes[3],
                          .first = (uint16_t)first,
                          .aux = (uint16_t)(bytes[4] | bytes[5] << 8),
                          .offset = (uint16_t)(bytes[6] | bytes[7] << 8)};
        uint8_t *operands = native->operands + first;
        if (insn->n <= GX_INSN_INPUTS) {
            operands = insn->in;
        } else {
            first += insn->n;
        }
        memcpy(operands, bytes + HEAD, insn->n);
        bytes += HEAD + insn->n;
    }
}

/* -- check ------------------------------------------------------------------- */

/* Which temporaries are filled before each operation, and whether anything leads there:
   the same on all ways. */
typedef struct {
    const gx_native *native;
    uint64_t filled[GX_BUILD_INSNS + 1];
    bool reached[GX_BUILD_INSNS + 1];
} checker;

/* The operands are there, and those that are temporaries are emptied. */
static bool
check_operands(const gx_native *native, const gx_insn *insn, uint64_t *filled)
{
    const uint8_t *in = gx_operands(native, insn);
    int first = gx_native_first_temp(native);
    for (int i = 0; i < insn->n; i++) {
        if (in[i] < first) {
            continue;
        }
        uint64_t bit =
            in[i] - first < native->ntemps ? UINT64_C(1) << (in[i] - first) : 0;
        if ((*filled & bit) == 0) {
            return false;
        }
        *filled &= insn->op == GX_OP_COPY ? *filled : ~bit;
    }
    return true;
}

static bool
check_result(const gx_native *native, const gx_insn *insn, uint64_t *filled)
{
    int temp = insn->dst - gx_native_first_temp(native);
    if (insn->op >= GX_OP_DROP) {
        return true;
    }
    if (temp < 0 || temp >= native->ntemps || *filled >> temp & 1) {
        return false;
    }
    *filled |= UINT64_C(1) << temp;
    return true;
}

/* The names of the last `n` arguments of a call: a constant. */
static bool
check_keywords(const gx_native *native, const gx_insn *insn)
{
    int place = insn->aux - native->nparams;
    if (insn->arg == 0) {
        return true;
    }
    if (place < 0 || place >= PyTuple_GET_SIZE(native->consts) ||
        insn->arg >= insn->n) {
        return false;
    }
    PyObject *names = PyTuple_GET_ITEM(native->consts, place);
    if (!PyTuple_CheckExact(names) || PyTuple_GET_SIZE(names) != insn->arg) {
        return false;
    }
    for (int i = 0; i < insn->arg; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (!PyUnicode_CheckExact(name)) {
            return false;
        }
        for (int j = 0; j < i; j++) {
            if (PyUnicode_Compare(PyTuple_GET_ITEM(names, j), name) == 0) {
                return false;
            }
        }
    }
    return true;
}

static bool
check_aux(checker *c, const gx_insn *insn, aux_meaning meaning)
{
    const gx_native *native = c->native;
    switch (meaning) {
    case A_NAME:
        return insn->aux < PyTuple_GET_SIZE(native->names);
    case A_CELL:
        return insn->aux < native->ncells;
    case A_KEYWORDS:
        return check_keywords(native, insn);
    case A_JUMP:
        return insn->aux > insn - native->insns && insn->aux < native->ninsns;
    default:
        return true;
    }
}

/* `filled` is so on a way to operation i. */
static bool
arrive(checker *c, int i, uint64_t filled)
{
    if (i >= c->native->ninsns || (c->reached[i] && c->filled[i] != filled)) {
        return false;
    }
    c->reached[i] = true;
    c->filled[i] = filled;
    return true;
}

static bool
check_insn(checker *c, int i)
{
    const gx_native *native = c->native;
    const gx_insn *insn = &native->insns[i];
    const packed_kind *kind = &kinds[kind_of(insn)];
    uint64_t filled = c->filled[i];
    if (!c->reached[i] || insn->n < kind->least || insn->n > kind->most ||
        insn->arg < kind->first_arg || insn->arg > kind->last_arg ||
        (kind->pairs && insn->n % 2 != 0) || !check_operands(native, insn, &filled) ||
        !check_result(native, insn, &filled) || !check_aux(c, insn, kind->aux)) {
        return false;
    }
    if (insn->op == GX_OP_RETURN) {
        return filled == 0;
    }
    return (kind->aux != A_JUMP || arrive(c, insn->aux, filled)) &&
           (insn->op == GX_OP_JUMP || arrive(c, i + 1, filled));
}

static bool
check_native(const gx_native *native)
{
    checker c = {.native = native};
    bool sound = arrive(&c, 0, 0);
    for (int i = 0; i < native->ninsns && sound; i++) {
        sound = check_insn(&c, i);
    }
    return sound;
}

/* Interned, as attributes are looked up; -1 with MemoryError. */
static PyObject *
intern_all(PyObject *names)
{
    PyObject *tuple = PyTuple_New(PyTuple_GET_SIZE(names));
    for (Py_ssize_t i = 0; tuple != NULL && i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = Py_NewRef(PyTuple_GET_ITEM(names, i));
        PyUnicode_InternInPlace(&name);
        PyTuple_SET_ITEM(tuple, i, name);
    }
    return tuple;
}

gx_native *
gx_native_unpack(gx_state *state, PyObject *packed, const gx_outside *out)
{
    int noperands;
    const uint8_t *bytes = (const uint8_t *)PyBytes_AS_STRING(packed);
    int ninsns = count_insns(bytes, PyBytes_GET_SIZE(packed), &noperands);
    if (ninsns < 0 || bytes[0] > MOST_TEMPS ||
        PyTuple_GET_SIZE(out->consts) > GX_BUILD_CONSTS) {
        return (gx_native *)gx_parcel_unsound();
    }
    gx_native *native = gx_native_alloc(state, ninsns, noperands);
    if (native == NULL) {
        return NULL;
    }
    native->nparams = out->nparams;
    native->ncells = out->ncells;
    native->ntemps = bytes[0];
    native->by_line = true;
    native->consts = Py_NewRef(out->consts);
    native->names = intern_all(out->names);
    if (native->names == NULL) {
        Py_DECREF((PyObject *)native);
        return NULL;
    }
    unpack_insns(native, bytes + 1);
    if (!check_native(native)) {
        Py_DECREF((PyObject *)native);
        return (gx_native *)gx_parcel_unsound();
    }
    gx_native_settle(native);
    return native;
}
