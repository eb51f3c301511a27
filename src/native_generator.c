/* native_generator: a generator expression as loops over native programs. It does what
   the generator did, item by item. */

#include "native_generator.h"

/* -- struct ------------------------------------------------------------- */

/* gx_native_generator of native_generator.h. */

#define native_generator_CAST(op) ((gx_native_generator *)(op))

/* -- construct ---------------------------------------------------------- */

#define CALLS_LIKELY 16 /* items between two looks at the clock if it may call */

static bool
may_call(const gx_native *native)
{
    for (int i = 0; i < native->ninsns; i++) {
        uint8_t op = native->insns[i].op;
        if (op == GX_OP_CALL || op == GX_OP_CALL_METHOD) {
            return true;
        }
    }
    return false;
}

/* Bind the programs of all fors: 1, 0 not worth it or not possible, -1 error. */
static int
bind_all(gx_native_generator *self, gx_native *native, PyObject *func)
{
    int interval = GX_INTERVAL_NATIVE;
    const char *why = NULL;
    for (; native != NULL; native = native->loop->inner) {
        gx_binding *b = gx_bind_generator(self->state, native, func, &why);
        if (b == NULL) {
            return why != NULL ? 0 : -1;
        }
        self->fors[self->nfors++] = (gx_for){GX_SOURCE_NONE, b};
        if (gx_why_better_called(b) != NULL) {
            return PyErr_Occurred() ? -1 : 0;
        }
        interval = may_call(native) ? CALLS_LIKELY : interval;
    }
    self->breath = GX_BREATH(interval);
    return 1;
}

gx_native_generator *
gx_native_generator_new(gx_state *state, gx_native *native, PyObject *func,
                        gx_source *source)
{
    PyTypeObject *type = GX_TYPE_OF(state, native_generator);
    gx_native_generator *self = native_generator_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->state = state;
    self->module = Py_NewRef(state->module);
    if (bind_all(self, native, func) <= 0) {
        Py_DECREF((PyObject *)self);
        return NULL;
    }
    self->fors[0].source = *source;
    *source = GX_SOURCE_NONE;
    return self;
}

/* -- iterate ------------------------------------------------------------ */

/* Let go of everything, the sources first, as a frame does that has ended. */
static void
empty(gx_native_generator *self)
{
    gx_lift_counts *counts = &self->state->lift_counts;
    self->top = -1;
    counts->items_lifted += self->items;
    if (self->started && self->fors[0].binding != NULL) {
        self->fors[0].binding->native->loop->lately = self->items;
    }
    self->items = 0;
    for (int i = 0; i < self->nfors; i++) {
        gx_for *f = &self->fors[i];
        gx_binding *b = f->binding;
        f->binding = NULL;
        gx_source_drop(&f->source);
        if (b != NULL) {
            gx_binding_free(b);
        }
    }
}

/* An error that has its entry in the traceback ends it: NULL. */
static PyObject *
failed(gx_native_generator *self)
{
    gx_no_stop_iteration("generator");
    PyObject *error = PyErr_GetRaisedException();
    empty(self);
    PyErr_SetRaisedException(error);
    return NULL;
}

/* The same of an error that happened at `offset` of the code. */
static PyObject *
failed_at(gx_native_generator *self, gx_binding *b, uint16_t offset)
{
    gx_trace_back(b, offset);
    return failed(self);
}

/* The next `for` reads `iterable`, which it takes: 0 or -1. What is an exact list or
   tuple is read without its iterator. */
static int
open_inner(gx_native_generator *self, const gx_binding *b, PyObject *iterable)
{
    gx_for *inner = &self->fors[self->top + 1];
    gx_source *source = &inner->source;
    if (PyList_CheckExact(iterable)) {
        *source = (gx_source){.fetch = gx_fetch_list, .obj = iterable};
    } else if (PyTuple_CheckExact(iterable)) {
        *source = (gx_source){.fetch = gx_fetch_tuple, .obj = iterable};
    } else {
        PyObject *it = PyObject_GetIter(iterable);
        Py_DECREF(iterable);
        if (it == NULL) {
            return -1;
        }
        gx_source_adopt(self->state, source, it);
    }
    gx_binding *to = inner->binding;
    for (int i = 0; i < to->native->nparams; i++) {
        to->regs[i] = b->regs[to->native->loop->outer[i]];
    }
    self->top++;
    return 0;
}

/* The `for` that is asked has nothing more: true if the one around it has its turn. */
static bool
close_inner(gx_native_generator *self)
{
    gx_source_drop(&self->fors[self->top].source);
    return self->top-- > 0;
}

static inline void
set_item(gx_binding *b, PyObject *item)
{
    PyObject **place = &b->regs[b->native->loop->item], *old = *place;
    *place = item;
    Py_XDECREF(old);
}

PyObject *
gx_fetch_native_generator(gx_source *lane)
{
    gx_native_generator *self = native_generator_CAST(lane->obj);
    self->started = true;
    while (self->top >= 0) {
        PyObject *value = NULL;
        gx_for *f = &self->fors[self->top];
        gx_binding *b = f->binding;
        const gx_loop *loop = b->native->loop;
        if (gx_tick(&self->breath) < 0) {
            return failed_at(self, b, loop->asks);
        }
        PyObject *item = gx_next(&f->source);
        if (item == NULL) {
            if (!gx_ended(NULL)) {
                return failed_at(self, b, loop->asks);
            }
            if (close_inner(self)) {
                continue;
            }
            break;
        }
        self->items += f == self->fors;
        set_item(b, item);
        gx_outcome outcome = gx_machine_go(b, &value);
        if (outcome == GX_MACHINE_SKIP) {
            continue;
        }
        if (outcome != GX_MACHINE_VALUE) {
            return failed(self);
        }
        if (loop->inner == NULL) {
            return value;
        }
        if (open_inner(self, b, value) < 0) {
            return failed_at(self, b, loop->leaves);
        }
    }
    empty(self);
    return NULL;
}

/* What a fetch or throw without an item means. */
static PySendResult
answer(PyObject **out)
{
    return gx_ended(out) ? PYGEN_RETURN : PYGEN_ERROR;
}

/* The expression has no use for what is sent. */
PySendResult
gx_native_generator_send(gx_source *source, PyObject *value, PyObject **out)
{
    if (value != Py_None && !native_generator_CAST(source->obj)->started) {
        PyErr_SetString(PyExc_TypeError,
                        "can't send non-None value to a just-started generator");
        return PYGEN_ERROR;
    }
    *out = gx_fetch_native_generator(source);
    return *out != NULL ? PYGEN_NEXT : answer(out);
}

/* Raised where the last value was yielded; there is no handler. */
PySendResult
gx_native_generator_throw(gx_source *source, PyObject *exc, PyObject **out)
{
    gx_native_generator *self = native_generator_CAST(source->obj);
    PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
    if (self->top < 0) {
        return answer(out);
    }
    const gx_for *f = &self->fors[self->started ? self->nfors - 1 : 0];
    const gx_loop *loop = f->binding->native->loop;
    uint16_t offset = self->started ? loop->leaves : loop->begins;
#if PY_VERSION_HEX >= 0x030C0000 /* before the first item its handler is not in force */
    if (!self->started && PyErr_GivenExceptionMatches(exc, PyExc_StopIteration)) {
        empty(self);
        PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
        return answer(out);
    }
#endif
    failed_at(self, f->binding, offset);
    return answer(out);
}

/* -- protocol ----------------------------------------------------------- */

static int
native_generator_traverse(PyObject *op, visitproc visit, void *arg)
{
    gx_native_generator *self = native_generator_CAST(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->module);
    for (int i = 0; i < self->nfors; i++) {
        GX_VISIT_SOURCE(&self->fors[i].source);
        int rc = self->fors[i].binding == NULL
                     ? 0
                     : gx_binding_traverse(self->fors[i].binding, visit, arg);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int
native_generator_clear(PyObject *op)
{
    empty(native_generator_CAST(op));
    return 0;
}

static void
native_generator_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, native_generator_dealloc)
    PyObject *module = native_generator_CAST(op)->module;
    empty(native_generator_CAST(op));
    type->tp_free(op);
    Py_DECREF(type);
    Py_DECREF(module);
    GX_DEALLOC_END
}

/* -- type --------------------------------------------------------------- */

static PyType_Slot native_generator_slots[] = {
    {Py_tp_traverse, (void *)native_generator_traverse},
    {Py_tp_clear, (void *)native_generator_clear},
    {Py_tp_dealloc, (void *)native_generator_dealloc},
    {0, NULL},
};

static PyType_Spec native_generator_spec = {
    .name = "pygenx._pygenx._native_generator",
    .basicsize = sizeof(gx_native_generator),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = native_generator_slots,
};

const gx_typedef gx_native_generator_typedef = {.spec = &native_generator_spec};
