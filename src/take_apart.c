/* Taking generator expressions apart: when that goes unnoticed and pays, the generator is
   replaced by what its code was lifted to, over the iterator it would have read. */

#include "native_generator.h"

/* Generators within generators: more are left as they are, for their own good. */
#define MAX_NESTED 8

/* -- what a generator consists of ------------------------------------------ */

/* What its tp_traverse visits: names, function, code, then what lies in its frame: the
   source, the cells of the closure and, on 3.15, the iterator. All borrowed. */
typedef struct {
    PyObject *func;
    PyCodeObject *code;
    PyObject *first; /* borrowed, as all here; in the frame */
    PyObject *last;
    int nfirst; /* how often the first was visited: so many references are the frame's */
    int n;      /* in the frame */
    bool framed; /* somebody has asked for its frame object */
} anatomy;

static int
visit_part(PyObject *obj, void *arg)
{
    anatomy *parts = arg;
    if (parts->func == NULL) {
        parts->framed = parts->framed || PyFrame_Check(obj);
        parts->func = PyFunction_Check(obj) ? obj : NULL;
    } else if (parts->code == NULL) {
        parts->code = (PyCodeObject *)obj;
    } else {
        parts->first = parts->n == 0 ? obj : parts->first;
        parts->nfirst += obj == parts->first;
        parts->last = obj;
        parts->n++;
    }
    return 0;
}

/* False: its frame is not what a new generator expression has. It may be something else
   all the same: looking at its length first is quicker. */
static bool
examine(PyObject *generator, anatomy *parts)
{
    *parts = (anatomy){NULL};
    Py_TYPE(generator)->tp_traverse(generator, visit_part, parts);
    return parts->n > 0 && !parts->framed && PyCode_Check(parts->code) &&
           PyFunction_GET_CODE(parts->func) == (PyObject *)parts->code;
}

static bool
has_weak_references(PyObject *generator)
{
    Py_ssize_t offset = Py_TYPE(generator)->tp_weaklistoffset;
    return offset <= 0 || *(PyObject **)((char *)generator + offset) != NULL;
}

/* Has it not begun, and was it not closed? A running or suspended one has more in its
   frame; after close() the frame of 3.12 and 3.13 looks like new. */
static int
is_new(gx_state *state, PyObject *generator, const anatomy *parts, const gx_loop *loop)
{
    if (parts->n != 1 + parts->code->co_nfreevars + loop->stacked) {
        return 0;
    }
#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030E0000
    PyObject *frame = PyObject_GetAttr(generator, GX_NAME(state, gi_frame));
    Py_XDECREF(frame);
    return frame == NULL ? -1 : frame != Py_None;
#else
    (void)state;
    (void)generator;
    return 1;
#endif
}

/* What it reads. */
static PyObject *
iterator_of(const anatomy *parts)
{
#if PY_VERSION_HEX >= 0x030F0000 /* 3.15: the first is what iter() was called on */
    return parts->last;
#else
    return parts->first;
#endif
}

/* Does nobody but the frame hold what it reads? */
static bool
owns_iterator(const anatomy *parts)
{
#ifdef Py_GIL_DISABLED
    (void)parts;
    return false;
#else
    PyObject *it = iterator_of(parts);
    return Py_REFCNT(it) == (it == parts->first ? parts->nfirst : 1);
#endif
}

/* -- what is gained ---------------------------------------------------------------- */

/* Nanoseconds, measured, that CPython's loop takes more for an operation than the machine:
   its own ways to attributes and calls are shorter. */
static int
gain_of(const gx_insn *insn)
{
    switch (insn->op) {
    case GX_OP_BINARY:
        return 4;
    case GX_OP_COMPARE:
        return 3;
    case GX_OP_GLOBAL: /* without versions of dicts it is looked up each time */
        return PY_VERSION_HEX < 0x030E0000 ? -1 : -8;
    case GX_OP_CELL:
    case GX_OP_SUBSCRIPT:
        return -1;
    case GX_OP_CALL_METHOD:
        return -2;
    case GX_OP_UNPACK:
        return -4;
    case GX_OP_CALL:
        return -8;
    case GX_OP_FORMAT:
    case GX_OP_STRING:
        return -10;
    case GX_OP_ATTRIBUTE:
        return -12;
    default:
        return 0;
    }
}

#define OUTER_ITEMS 4 /* values that each item of an outer for makes, probably */

void
gx_estimate_gain(gx_native *first)
{
    gx_loop *loop = first->loop;
    loop->gain = 5; /* no generator is resumed */
    for (const gx_native *native = first; native != NULL;
         native = native->loop->inner) {
        int times = native->loop->inner == NULL ? OUTER_ITEMS : 1, gain = 0;
        for (int i = 0; i < native->ninsns; i++) {
            gain += gain_of(&native->insns[i]);
        }
        loop->gain += gain * times / OUTER_ITEMS;
    }
    for (int i = 0; i < first->ninsns; i++) {
        const gx_insn *insn = &first->insns[i];
        bool is_call = insn->op == GX_OP_CALL_METHOD;
        loop->calls_of_item += is_call && gx_operands(first, insn)[0] == loop->item;
    }
}

/* -- does it pay? -------------------------------------------------------------- */

static int
visit_container(PyObject *obj, void *arg)
{
    *(PyObject **)arg = obj;
    return 1;
}

/* The list or tuple behind its iterator, borrowed; NULL: none, or it has ended. */
static PyObject *
container_of(PyObject *it)
{
    PyObject *container = NULL;
    if (Py_IS_TYPE(it, &PyListIter_Type) || Py_IS_TYPE(it, &PyTupleIter_Type)) {
        Py_TYPE(it)->tp_traverse(it, visit_container, &container);
    }
    return container;
}

/* The commonest hint, without the look-up of the method. */
static Py_ssize_t
length_of_range(PyObject *it)
{
    Py_ssize_t length = GX_HINT_UNKNOWN;
    for (PyMethodDef *def = PyRangeIter_Type.tp_methods; def->ml_name != NULL; def++) {
        if (strcmp(def->ml_name, "__length_hint__") == 0) {
            PyObject *number = def->ml_meth(it, NULL);
            length = number != NULL ? PyLong_AsSsize_t(number) : GX_HINT_ERROR;
            Py_XDECREF(number);
        }
    }
    return length;
}

/* How many items it will read, at most; GX_HINT_UNKNOWN; GX_HINT_ERROR. */
static Py_ssize_t
length_of(gx_state *state, const anatomy *parts, int depth)
{
    anatomy inner;
    PyObject *it = iterator_of(parts), *container = container_of(it);
    Py_ssize_t length = gx_length_of(container != NULL ? container : it);
    if (length >= 0) {
        return length;
    }
    if (Py_IS_TYPE(it, &PyRangeIter_Type)) {
        return length_of_range(it);
    }
    if (PyGen_CheckExact(it)) {
        return depth > 0 && examine(it, &inner) ? length_of(state, &inner, depth - 1)
                                                : GX_HINT_UNKNOWN;
    }
    gx_source source = {.fetch = gx_fetch_leaf,
                        .obj = it}; /* the reference is not ours */
    return gx_is_leaf(state, Py_TYPE(it)) ? gx_source_hint(&source) : GX_HINT_UNKNOWN;
}

/* The type of the first item where that lies in a list or tuple, else NULL. */
static PyTypeObject *
type_of_items(const anatomy *parts)
{
    PyObject *it = iterator_of(parts), *items = container_of(it);
    items = items != NULL ? items : it;
    if (PyList_CheckExact(items) && PyList_GET_SIZE(items) > 0) {
        return Py_TYPE(PyList_GET_ITEM(items, 0));
    }
    if (PyTuple_CheckExact(items) && PyTuple_GET_SIZE(items) > 0) {
        return Py_TYPE(PyTuple_GET_ITEM(items, 0));
    }
    return NULL;
}

#define PYTHON_METHOD (-15) /* what calling one gains, probably */

/* Of methods it counts whether they are written in C. */
static bool
gains(const gx_state *state, const gx_loop *loop, const anatomy *parts)
{
    int gain = loop->gain;
    PyTypeObject *type = loop->calls_of_item > 0 ? type_of_items(parts) : NULL;
    if (type != NULL && type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        gain += PYTHON_METHOD * loop->calls_of_item;
    }
    return gain > 0 || state->lift_eager > 0;
}

/* A length that is not known is judged by that of an earlier run. */
static bool
is_long(gx_state *state, const anatomy *parts, Py_ssize_t length)
{
    if (length >= 0 || state->lift_eager > 0) {
        return length >= GX_LONG_GENERATOR || state->lift_eager > 0;
    }
    PyObject *found = gx_lift_remembered(state, (PyObject *)parts->code);
    return found != NULL && Py_IS_TYPE(found, GX_TYPE_OF(state, native)) &&
           ((gx_native *)found)->loop != NULL &&
           ((gx_native *)found)->loop->lately >= GX_LONG_GENERATOR;
}

int
gx_generator_was_long(gx_state *state, PyObject *code, Py_ssize_t items)
{
    PyObject *why = NULL;
    gx_native *native = gx_lift_any(state, code, &why);
    if (native == NULL) {
        Py_XDECREF(why);
        return why == NULL ? -1 : 0;
    }
    if (native->loop != NULL) {
        native->loop->lately = items;
    }
    Py_DECREF((PyObject *)native);
    return 0;
}

/* -- take apart ------------------------------------------------------------------ */

static gx_native_generator *take_apart(gx_state *state, PyObject *generator,
                                       const anatomy *parts, int depth);

/* Go on where a range iterator stands: 1, 0 or -1. */
static int
read_range(gx_state *state, gx_source *source, PyObject *it)
{
    PyObject *reduced = PyObject_CallMethodNoArgs(it, GX_NAME(state, __reduce__));
    if (reduced == NULL) {
        return -1;
    }
    int rc = 0;
    Py_ssize_t passed = 0;
    PyObject *args = PyTuple_Check(reduced) && PyTuple_GET_SIZE(reduced) > 1
                         ? PyTuple_GET_ITEM(reduced, 1)
                         : NULL;
    if (PyTuple_GET_SIZE(reduced) > 2 && PyLong_Check(PyTuple_GET_ITEM(reduced, 2))) {
        passed = PyLong_AsSsize_t(PyTuple_GET_ITEM(reduced, 2));
    }
    if (args != NULL && PyTuple_Check(args) && PyTuple_GET_SIZE(args) == 1 &&
        Py_IS_TYPE(PyTuple_GET_ITEM(args, 0), &PyRange_Type) && passed >= 0) {
        rc = gx_source_open(state, source, PyTuple_GET_ITEM(args, 0));
        rc = rc < 0 ? -1 : gx_source_skip(source, passed) == passed;
    }
    Py_DECREF(reduced);
    return PyErr_Occurred() ? -1 : rc;
}

/* Go on where an iterator of a list, tuple or range stands, without it: 1, 0 or -1. */
static int
read_container(gx_state *state, gx_source *source, PyObject *it)
{
    if (Py_IS_TYPE(it, &PyRangeIter_Type)) {
        return read_range(state, source, it);
    }
    PyObject *container = container_of(it);
    if (container == NULL) {
        return 0;
    }
    Py_ssize_t left = PyObject_LengthHint(it, 0);
    if (left <= 0) {
        return left < 0 ? -1 : 0;
    }
    Py_ssize_t size = gx_length_of(container);
    if (left > size) {
        return 0;
    }
    *source = (gx_source){
        .fetch = PyList_CheckExact(container) ? gx_fetch_list : gx_fetch_tuple,
        .obj = Py_NewRef(container),
        .index = size - left,
    };
    return 1;
}

/* A generator in it that nobody else holds is taken apart as well: 1, 0 or -1. */
static int
read_generator(gx_state *state, gx_source *source, PyObject *it, int depth)
{
    anatomy parts;
    if (depth == 0 || !PyGen_CheckExact(it) || has_weak_references(it) ||
        !examine(it, &parts) || !gx_is_generator_code(parts.code)) {
        return 0;
    }
    gx_native_generator *made = take_apart(state, it, &parts, depth - 1);
    if (made == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    *source = (gx_source){.fetch = gx_fetch_native_generator, .obj = (PyObject *)made};
    return 1;
}

/* A source of what it would read: 1, 0 it cannot be told without asking, -1 error. */
static int
read_source(gx_state *state, gx_source *source, const anatomy *parts,
            const gx_loop *loop, int depth)
{
    PyObject *it = iterator_of(parts);
    int rc = 0;
    bool container = PyList_CheckExact(it) || PyTuple_CheckExact(it) ||
                     PyUnicode_CheckExact(it) || PyBytes_CheckExact(it);
    if (container && (loop->stacked || loop->opens)) {
        return gx_source_open(state, source, it) < 0 ? -1 : 1;
    }
    if (!PyIter_Check(it) ||
        (loop->opens && Py_TYPE(it)->tp_iter != PyObject_SelfIter)) {
        return 0;
    }
    if (owns_iterator(parts)) {
        rc = read_container(state, source, it);
        if (rc == 0) {
            rc = read_generator(state, source, it, depth);
        }
    }
    if (rc == 0) {
        gx_source_drop(source);
        gx_source_adopt(state, source, Py_NewRef(it));
        rc = 1;
    }
    return rc;
}

/* The same generator, native: it still has all it had. NULL with an error, or without
   one where it cannot be or does not pay. */
static gx_native_generator *
take_apart(gx_state *state, PyObject *generator, const anatomy *parts, int depth)
{
    PyObject *why = NULL;
    gx_native_generator *made = NULL;
    gx_source source = GX_SOURCE_NONE;
    gx_native *native = gx_lift_any(state, (PyObject *)parts->code, &why);
    if (native == NULL) {
        Py_XDECREF(why);
        return NULL;
    }
    int rc = native->loop != NULL && gains(state, native->loop, parts)
                 ? is_new(state, generator, parts, native->loop)
                 : 0;
    if (rc > 0) {
        rc = read_source(state, &source, parts, native->loop, depth);
    }
    if (rc > 0) {
        made = gx_native_generator_new(state, native, parts->func, &source);
    }
    gx_source_drop(&source);
    Py_DECREF((PyObject *)native);
    return made;
}

/* Before more is asked. */
static int
would_gain(gx_state *state, const anatomy *parts)
{
    PyObject *why = NULL;
    gx_native *native = gx_lift_any(state, (PyObject *)parts->code, &why);
    if (native == NULL) {
        Py_XDECREF(why);
        return why == NULL ? -1 : 0;
    }
    bool gain = native->loop != NULL && gains(state, native->loop, parts);
    Py_DECREF((PyObject *)native);
    return gain;
}

int
gx_take_apart(gx_state *state, gx_source *source, PyObject **watched)
{
    anatomy parts;
    PyObject *generator = source->obj;
    if (source->fetch != gx_fetch_shallow || !PyGen_CheckExact(generator) ||
        state->lift_off > 0 || !PyUnstable_Object_IsUniquelyReferenced(generator) ||
        has_weak_references(generator) || !examine(generator, &parts)) {
        return 0;
    }
    Py_ssize_t length = length_of(state, &parts, MAX_NESTED);
    if (!is_long(state, &parts, length)) {
        if (length == GX_HINT_UNKNOWN && gx_is_generator_code(parts.code)) {
            *watched = Py_NewRef((PyObject *)parts.code);
        }
        return length == GX_HINT_ERROR ? -1 : 0;
    }
    int rc = gx_is_generator_code(parts.code) ? would_gain(state, &parts) : 0;
    if (rc > 0) {
        rc = gx_lift_is_on(state);
    }
    if (rc <= 0) {
        return rc;
    }
    gx_native_generator *made = take_apart(state, generator, &parts, MAX_NESTED);
    if (made == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    state->lift_counts.generators_lifted++;
    *source = (gx_source){.fetch = gx_fetch_native_generator, .obj = (PyObject *)made};
    Py_DECREF(generator);
    return 1;
}
