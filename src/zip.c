/* zip: one item of each iterable at a time, in a tuple, as the builtin, with the
   whole generator protocol. */

#include "inputs.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    gx_inputs inputs;
    PyObject **part;  /* owned block of inputs.n, its first `index` items owned: the
                         row in progress, which an error leaves here */
    Py_ssize_t index; /* input asked next */
    PyObject *row;    /* owned: the first row, filled again if nobody else has it */
    bool again;       /* nothing is in progress, and row is there to be filled */
    bool strict;
    bool checking; /* strict: the first input has ended, the others must too */
    bool over;     /* an input has ended */
} zip_object;

#define zip_CAST(op) ((zip_object *)(op))

static const gx_protocol zip_protocol;
static void zip_note(PyObject *op);

/* -- construct ---------------------------------------------------------- */

enum { ZIP_STRICT, ZIP_CLOSING };

static const char *const zip_params[] = {"strict", "closing", NULL};
static const gx_signature zip_signature = {"zip", zip_params, 0, 0, 0};

/* Takes the inputs. A part of nothing: as many places as inputs. */
static zip_object *
zip_over(PyTypeObject *type, gx_inputs *inputs)
{
    PyObject **part = PyMem_New(PyObject *, (size_t)inputs->n);
    zip_object *self = part != NULL ? zip_CAST(type->tp_alloc(type, 0)) : NULL;
    if (self == NULL) {
        if (part == NULL) {
            PyErr_NoMemory();
        }
        PyMem_Free(part);
        gx_inputs_discard(inputs);
        return NULL;
    }
    self->protocol = &zip_protocol;
    self->started = true; /* send() says itself why it cannot */
    self->inputs = *inputs;
    self->part = part;
    self->over = inputs->n == 0;
    return self;
}

static PyObject *
zip_construct(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *out[2];
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (gx_parse(&zip_signature, args + n, 0, kwnames, out) < 0) {
        return NULL;
    }
    int strict = out[ZIP_STRICT] ? PyObject_IsTrue(out[ZIP_STRICT]) : 0;
    int closing = out[ZIP_CLOSING] ? PyObject_IsTrue(out[ZIP_CLOSING]) : 0;
    if (strict < 0 || closing < 0) {
        return NULL;
    }
    gx_inputs inputs;
    PyTypeObject *cls = (PyTypeObject *)type;
    if (gx_inputs_open(gx_get_state(cls), &inputs, args, n) < 0) {
        return NULL;
    }
    zip_object *self = zip_over(cls, &inputs);
    if (self != NULL) {
        self->strict = strict;
        self->owner = closing;
    }
    return (PyObject *)self;
}

static PyObject *
zip_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(zip_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

/* The inputs are not of one length: as the builtin says it, and the end. */
static int
zip_uneven(zip_object *self, const char *how)
{
    Py_ssize_t i = self->index;
    if (i == 1) {
        PyErr_Format(PyExc_ValueError, "zip() argument 2 is %s than argument 1", how);
    } else {
        PyErr_Format(PyExc_ValueError, "zip() argument %zd is %s than arguments 1-%zd",
                     i + 1, how, i);
    }
    self->over = true;
    zip_note((PyObject *)self);
    return gx_iterator_finish((PyObject *)self, self->owner);
}

/* The input asked has ended: 1 ask the next one, 0 the end, -1 error. */
static int
zip_input_ended(zip_object *self)
{
    if (!self->strict) {
        self->over = true;
        return 0;
    }
    if (self->index > 0 && !self->checking) {
        return zip_uneven(self, "shorter");
    }
    self->checking = true;
    self->index++;
    return 1;
}

/* The input asked gave nothing: the same, or -1 for its error. */
static Py_NO_INLINE int
zip_no_item(zip_object *self)
{
    return gx_ended(NULL) ? zip_input_ended(self) : -1;
}

/* The input asked gave an item, taken: 1 go on, -1 error. */
static inline int
zip_put(zip_object *self, PyObject *item)
{
    if (self->checking) {
        Py_DECREF(item);
        return zip_uneven(self, "longer");
    }
    self->part[self->index++] = item;
    return 1;
}

/* From 3.14 on tuples remember their hash, and there is no way to make one forget it:
   always a new one. */
#define ZIP_RECYCLES (PY_VERSION_HEX < 0x030E0000)

/* Ask the inputs from `index` on until one gives nothing. Meanwhile `index` stands:
   what comes in between is nobody's but ours. */
static inline void
zip_collect(zip_object *self)
{
    gx_source *sources = self->inputs.sources;
    PyObject **part = self->part;
    Py_ssize_t i = self->index, n = self->inputs.n;
    for (; i < n; i++) {
        PyObject *item = gx_input_next(&sources[i]);
        if (item == NULL) {
            break;
        }
        part[i] = item;
    }
    self->index = i;
}

/* The first input has ended, the others must: 0 they all have, -1 error. */
static int
zip_check(zip_object *self)
{
    int rc = 1;
    while (rc > 0 && self->index < self->inputs.n) {
        PyObject *item = gx_input_next(&self->inputs.sources[self->index]);
        rc = item != NULL ? zip_put(self, item) : zip_no_item(self);
    }
    self->over = self->over || rc > 0;
    return rc < 0 ? rc : 0;
}

/* Fill the row: 1 it is full, 0 the end, -1 error, which leaves what it has. */
static inline int
zip_fill(zip_object *self)
{
    if (!self->checking) {
        zip_collect(self);
        if (self->index == self->inputs.n) {
            return 1;
        }
        int rc = zip_no_item(self);
        if (rc <= 0) {
            return rc;
        }
    }
    return zip_check(self);
}

/* The full part as a tuple. */
static inline PyObject *
zip_take_row(zip_object *self)
{
    PyObject *row = PyTuple_New(self->inputs.n);
    if (row == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < self->inputs.n; i++) {
        PyTuple_SET_ITEM(row, i, self->part[i]);
    }
    self->index = 0;
    if (ZIP_RECYCLES && self->row == NULL) {
        self->row = Py_NewRef(row);
    }
    self->again = ZIP_RECYCLES;
    return row;
}

/* Go on by way of the part from what the last input asked came to. */
static inline PyObject *
zip_fill_anew(zip_object *self, int rc)
{
    if (rc > 0) {
        rc = zip_fill(self);
    }
    if (rc < 0) {
        zip_note((PyObject *)self);
    }
    return rc > 0 ? zip_take_row(self) : NULL;
}

#ifndef Py_GIL_DISABLED
/* The input asked has no item for the tuple that is filled again: what it has of the
   new row is the part in progress. */
static Py_NO_INLINE PyObject *
zip_interrupt(zip_object *self, Py_ssize_t i)
{
    self->index = i;
    for (Py_ssize_t j = 0; j < i; j++) {
        self->part[j] = PyTuple_GET_ITEM(self->row, j);
        PyTuple_SET_ITEM(self->row, j, Py_NewRef(Py_None));
    }
    return NULL;
}

/* Fill the first row again, which nobody else holds, as the builtin does it; the
   collector may have untracked it. NULL where an input gives nothing, with or without
   an error. */
static inline PyObject *
zip_refill(zip_object *self)
{
    PyObject *row = self->row;
    PyObject **place = &PyTuple_GET_ITEM(row, 0);
    gx_source *source = self->inputs.sources, *end = source + self->inputs.n;
    unsigned long flags = 0;
    do {
        PyObject *item = gx_input_next(source);
        if (item == NULL) {
            return zip_interrupt(self, source - self->inputs.sources);
        }
        flags |= Py_TYPE(item)->tp_flags;
        PyObject *old = *place;
        *place++ = item;
        Py_DECREF(old);
    } while (++source < end);
    if ((flags & Py_TPFLAGS_HAVE_GC) && !PyObject_GC_IsTracked(row)) {
        PyObject_GC_Track(row);
    }
    return Py_NewRef(row);
}

/* An input has given nothing for the row that was filled again. */
static Py_NO_INLINE PyObject *
zip_next_after_none(PyObject *op)
{
    zip_object *self = zip_CAST(op);
    PyObject *row = zip_fill_anew(self, zip_no_item(self));
    self->running = false;
    return row != NULL || PyErr_Occurred() ? row : gx_iterator_next(op);
}
#endif

/* NULL: with an error, or `over`. */
static PyObject *
zip_next_locked(zip_object *self)
{
    if (self->running || self->over) {
        return NULL;
    }
    self->again = false;
    self->running = true;
    PyObject *row = zip_fill_anew(self, 1);
    self->running = false;
    return row;
}

static Py_NO_INLINE PyObject *
zip_next_of_any(PyObject *op)
{
    PyObject *row;
    Py_BEGIN_CRITICAL_SECTION(op);
    row = zip_next_locked(zip_CAST(op));
    Py_END_CRITICAL_SECTION();
    return row != NULL || PyErr_Occurred() ? row : gx_iterator_next(op);
}

static PyObject *
zip_next(PyObject *op)
{
#ifndef Py_GIL_DISABLED
    zip_object *self = zip_CAST(op);
    if (self->again && PyUnstable_Object_IsUniquelyReferenced(self->row)) {
        self->again = false; /* so that no call gets here from inside */
        self->running = true;
        PyObject *row = zip_refill(self);
        if (row != NULL) {
            self->running = false;
            self->again = true;
            return row;
        }
        return zip_next_after_none(op);
    }
#endif
    return zip_next_of_any(op);
}

/* 1 the input took what was thrown, its answer is in the row; 0 the end, -1. */
static int
zip_throw(zip_object *self, PyObject *exc)
{
    PyObject *item;
    PySendResult answer = gx_input_throw(gx_get_state(Py_TYPE(self)), &self->inputs,
                                         self->index, exc, &item);
    if (answer == PYGEN_ERROR) {
        return -1;
    }
    self->survives = true;
    if (answer == PYGEN_NEXT) {
        return zip_put(self, item);
    }
    Py_DECREF(item);
    return zip_input_ended(self);
}

static PySendResult
zip_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    zip_object *self = zip_CAST(op);
    if (how == GX_SEND && value != Py_None) {
        return gx_refuse_send("zip");
    }
    self->again = false;
    int rc = how == GX_THROW ? zip_throw(self, value) : !self->over;
    if (rc > 0) {
        rc = zip_fill(self);
    }
    if (rc == 0) {
        *out = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    *out = rc > 0 ? zip_take_row(self) : NULL;
    return *out != NULL ? PYGEN_NEXT : PYGEN_ERROR;
}

/* -- protocol ----------------------------------------------------------- */

static int
zip_clear(PyObject *op)
{
    zip_object *self = zip_CAST(op);
    Py_ssize_t held = self->checking ? 0 : self->index;
    self->index = 0;
    self->again = false;
    for (Py_ssize_t i = 0; i < held; i++) {
        Py_DECREF(self->part[i]);
    }
    Py_CLEAR(self->row);
    return gx_inputs_release(NULL, &self->inputs, false);
}

static int
zip_release(PyObject *op, bool close)
{
    gx_state *state = gx_get_state(Py_TYPE(op));
    zip_CAST(op)->again = false; /* it would pass by `running` */
    int rc = gx_inputs_release(state, &zip_CAST(op)->inputs, close);
    PyObject *error = rc < 0 ? PyErr_GetRaisedException() : NULL;
    (void)zip_clear(op);
    return gx_raise_collected(error);
}

static void
zip_forget(PyObject *op)
{
    PyMem_Free(zip_CAST(op)->part);
    gx_inputs_free(&zip_CAST(op)->inputs);
}

static int
zip_traverse(PyObject *op, visitproc visit, void *arg)
{
    zip_object *self = zip_CAST(op);
    GX_VISIT_ITERATOR(op);
    Py_VISIT(self->row);
    for (Py_ssize_t i = 0; i < self->index && !self->checking; i++) {
        Py_VISIT(self->part[i]);
    }
    return gx_inputs_traverse(&self->inputs, visit, arg);
}

static void
zip_note(PyObject *op)
{
    gx_note("zip, input %zd", zip_CAST(op)->index);
}

/* The shortest input says how many rows are left; those before `index` have given one
   item of the next row already. */
static Py_ssize_t
zip_hint_locked(zip_object *self)
{
    Py_ssize_t least = self->over || self->checking || self->ended ? 0 : -1;
    for (Py_ssize_t i = 0; i < self->inputs.n && least != 0; i++) {
        Py_ssize_t left = gx_source_hint(&self->inputs.sources[i]);
        left = gx_add_hints(left, i < self->index);
        if (left < 0) {
            return left;
        }
        if (self->strict && least >= 0 && left != least) {
            return GX_HINT_UNKNOWN;
        }
        least = least < 0 || left < least ? left : least;
    }
    return least;
}

static PyObject *
zip_length_hint(PyObject *op, PyObject *Py_UNUSED(unused))
{
    Py_ssize_t hint;
    Py_BEGIN_CRITICAL_SECTION(op);
    hint = zip_hint_locked(zip_CAST(op));
    Py_END_CRITICAL_SECTION();
    return gx_hint_object(hint);
}

static PyObject *
zip_repr(PyObject *op)
{
    PyObject *text;
    Py_BEGIN_CRITICAL_SECTION(op);
    text = gx_inputs_brief("zip", &zip_CAST(op)->inputs);
    Py_END_CRITICAL_SECTION();
    return text;
}

static const gx_protocol zip_protocol = {
    .name = "zip",
    .resume = zip_resume,
    .release = zip_release,
    .clear = zip_clear,
    .forget = zip_forget,
    .note = zip_note,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(zip_doc,
"zip(*iterables, strict=False, closing=False)\n--\n\n"
"Iterate over tuples of one item of each iterable, up to the end of the shortest.\n\n"
"With strict they must end together: ValueError if not. With closing the end closes\n"
"all of them, as it does inside `with`. An error of one keeps the row begun for the\n"
"next call. throw() goes to the input that is asked next; send() of a value is a\n"
"TypeError. As the builtin zip.\n\n"
">>> list(zip('ab', [1, 2, 3]))\n"
"[('a', 1), ('b', 2)]");

static PyMethodDef zip_methods[] = {
    GX_ITERATOR_METHODS,
    {"__length_hint__", zip_length_hint, METH_NOARGS, gx_length_hint_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef zip_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef zip_members[] = {
    GX_WEAKLIST_MEMBER(zip_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot zip_slots[] = {
    {Py_tp_doc, (void *)zip_doc},
    {Py_tp_new, zip_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, zip_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, zip_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, zip_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, zip_methods},
    {Py_tp_getset, zip_getset},
    {Py_tp_members, zip_members},
    {0, NULL},
};

static PyType_Spec zip_spec = {
    .name = "pygenx.zip",
    .basicsize = sizeof(zip_object),
    .flags = GX_TYPE_FLAGS,
    .slots = zip_slots,
};

const gx_typedef gx_zip_typedef = {
    .spec = &zip_spec,
    .construct = zip_construct,
    .public = true,
};
