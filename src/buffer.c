/* buffer: the items of a buffer (array.array, bytes, memoryview, a NumPy array) as
   Python objects, as a pipe. */

#include "pipeline.h"

#include <string.h>

/* -- struct ------------------------------------------------------------- */

/* Makes an item of its bytes. Runs no user code. */
typedef PyObject *(*read_item)(const char *data);

#define FORMAT_SIZE 32 /* longer formats are of structures */
#define BLOCK_SIZE 64  /* items read at a time */

/* The buffer is acquired, read from and released block by block: between two calls
   nothing of it is held, whatever becomes of it. */
typedef struct {
    GX_ITERATOR_HEAD
    PyObject *exporter; /* owned */
    PyObject *unpack;   /* owned: unpack() of a struct.Struct, where read is NULL */
    read_item read;
    bool turned;      /* the bytes of an item are in the other order */
    PyObject **block; /* owned: the items read last; NULL before the first */
    Py_ssize_t place; /* of the next of them */
    Py_ssize_t ready; /* number of those from there on, owned */
    Py_ssize_t index; /* items read so far, in all */
    Py_ssize_t size;  /* bytes of an item, > 0 */
    char format[FORMAT_SIZE];
} buffer_object;

#define buffer_CAST(op) ((buffer_object *)(op))

static const gx_protocol buffer_protocol;

/* -- construct ---------------------------------------------------------- */

#define READER(name, type, make)                   \
    static PyObject *read_##name(const char *data) \
    {                                              \
        type value;                                \
        memcpy(&value, data, sizeof(value));       \
        return make;                               \
    }

typedef struct {
    char bytes[2];
} half;

static PyObject *
make_half(half value)
{
    double number = PyFloat_Unpack2(value.bytes, PY_LITTLE_ENDIAN);
    return number == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(number);
}

READER(int8, int8_t, PyLong_FromLong(value))
READER(int16, int16_t, PyLong_FromLong(value))
READER(int32, int32_t, PyLong_FromLong(value))
READER(int64, int64_t, PyLong_FromLongLong(value))
READER(uint8, uint8_t, PyLong_FromLong(value))
READER(uint16, uint16_t, PyLong_FromLong(value))
READER(uint32, uint32_t, PyLong_FromUnsignedLong(value))
READER(uint64, uint64_t, PyLong_FromUnsignedLongLong(value))
READER(half, half, make_half(value))
READER(float, float, PyFloat_FromDouble((double)value))
READER(double, double, PyFloat_FromDouble(value))
READER(bool, uint8_t, PyBool_FromLong(value))
READER(char, char, PyBytes_FromStringAndSize(&value, 1))
READER(ucs2, uint16_t, PyUnicode_FromOrdinal(value))
READER(ucs4, uint32_t, PyUnicode_FromOrdinal((int)value))
#undef READER

/* By the letters of the struct module, and the two of arrays of str. The size decides
   and not the letter: ctypes says '<l' of a long of eight bytes. */
static const struct {
    const char *letters;
    Py_ssize_t size;
    read_item read;
} readers[] = {
    {"bhilqn", 1, read_int8},    {"bhilqn", 2, read_int16},
    {"bhilqn", 4, read_int32},   {"bhilqn", 8, read_int64},
    {"BHILQNP", 1, read_uint8},  {"BHILQNP", 2, read_uint16},
    {"BHILQNP", 4, read_uint32}, {"BHILQNP", 8, read_uint64},
    {"e", 2, read_half},         {"f", 4, read_float},
    {"d", 8, read_double},       {"?", 1, read_bool},
    {"c", 1, read_char},         {"u", 2, read_ucs2},
    {"w", 4, read_ucs4},
};

#define WIDEST 8 /* bytes that one of them reads */

/* The reader of a format of one letter, else NULL. */
static read_item
find_reader(const char *format, Py_ssize_t size)
{
    const char *letter = format + (*format != '\0' && strchr("@=<>!", *format) != NULL);
    if (letter[0] == '\0' || letter[1] != '\0') {
        return NULL;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(readers); i++) {
        if (readers[i].size == size && strchr(readers[i].letters, *letter) != NULL) {
            return readers[i].read;
        }
    }
    return NULL;
}

static bool
is_turned(const char *format)
{
    return PY_LITTLE_ENDIAN ? *format == '>' || *format == '!' : *format == '<';
}

/* struct.Struct(format).unpack, if it makes one object of `size` bytes, else NULL. */
static PyObject *
find_unpack(gx_state *state, const char *format, Py_ssize_t size)
{
    PyObject *kind = NULL, *layout = NULL, *unpack = NULL, *items = NULL;
    PyObject *module = PyImport_Import(GX_NAME(state, struct));
    PyObject *text = PyUnicode_FromString(format);
    PyObject *zeros = PyBytes_FromStringAndSize(NULL, size);
    if (module != NULL && text != NULL && zeros != NULL) {
        memset(PyBytes_AS_STRING(zeros), 0, (size_t)size);
        kind = PyObject_GetAttr(module, GX_NAME(state, Struct));
        layout = kind != NULL ? PyObject_CallOneArg(kind, text) : NULL;
        unpack = layout ? PyObject_GetAttr(layout, GX_NAME(state, unpack)) : NULL;
        items = unpack != NULL ? PyObject_CallOneArg(unpack, zeros) : NULL;
    }
    if (items == NULL || !PyTuple_Check(items) || PyTuple_GET_SIZE(items) != 1) {
        Py_CLEAR(unpack);
    }
    Py_XDECREF(items);
    Py_XDECREF(layout);
    Py_XDECREF(kind);
    Py_XDECREF(zeros);
    Py_XDECREF(text);
    Py_XDECREF(module);
    return unpack;
}

static int
refuse_format(const char *format)
{
    if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_MemoryError)) {
        return -1;
    }
    PyErr_Clear(); /* struct's error, if there is one: this says more */
    PyErr_Format(PyExc_TypeError, "buffer() cannot read items of format '%.200s'",
                 format);
    return -1;
}

static const char *
format_of(const Py_buffer *view)
{
    return view->format != NULL ? view->format : "B";
}

/* Where items of several dimensions lie one behind the other. */
static int
check_shape(const Py_buffer *view)
{
    if (view->ndim <= 1 || PyBuffer_IsContiguous(view, 'C')) {
        return 0;
    }
    PyErr_SetString(PyExc_TypeError,
                    "buffer() of more than one dimension must be "
                    "C-contiguous");
    return -1;
}

static int
acquire(PyObject *exporter, Py_buffer *view)
{
    if (PyObject_GetBuffer(exporter, view, PyBUF_RECORDS_RO) < 0) {
        gx_no_stop_iteration("the buffer of '%.200s' object",
                             Py_TYPE(exporter)->tp_name);
        return -1;
    }
    if (check_shape(view) < 0) {
        PyBuffer_Release(view);
        return -1;
    }
    return 0;
}

static int
buffer_configure(buffer_object *self, gx_state *state, const Py_buffer *view)
{
    const char *format = format_of(view);
    size_t length = strlen(format);
    if (length >= FORMAT_SIZE || view->itemsize <= 0) {
        return refuse_format(format);
    }
    memcpy(self->format, format, length + 1);
    self->size = view->itemsize;
    self->read = find_reader(format, self->size);
    self->turned = is_turned(format);
    if (self->read == NULL) {
        self->unpack = find_unpack(state, format, self->size);
        return self->unpack != NULL ? 0 : refuse_format(format);
    }
    return 0;
}

PyObject *
gx_buffer(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const params[] = {"obj", NULL};
    static const gx_signature signature = {"buffer", params, 1, 1, 1};
    PyObject *out[1], *pipe = NULL;
    Py_buffer view;
    gx_state *state = PyModule_GetState(module);
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0) {
        return NULL;
    }
    if (PyBytes_CheckExact(out[0]) || PyByteArray_CheckExact(out[0])) {
        return gx_pipe_over(state, out[0]); /* their iterators hold nothing either */
    }
    if (acquire(out[0], &view) < 0) {
        return NULL;
    }
    PyTypeObject *type = GX_TYPE_OF(state, buffer_source);
    buffer_object *self = buffer_CAST(type->tp_alloc(type, 0));
    if (self != NULL) {
        self->protocol = &buffer_protocol;
        self->exporter = Py_NewRef(out[0]);
    }
    bool made = self != NULL && buffer_configure(self, state, &view) == 0;
    PyObject *error = made ? NULL : PyErr_GetRaisedException();
    PyBuffer_Release(&view);
    if (made) {
        pipe = gx_pipe_over(state, (PyObject *)self);
    }
    Py_XDECREF(self);
    if (error != NULL) {
        PyErr_SetRaisedException(error);
    }
    return pipe;
}

/* -- iterate ------------------------------------------------------------ */

static PyObject *
read_turned(buffer_object *self, const char *data)
{
    char turned[WIDEST];
    for (Py_ssize_t i = 0; i < self->size; i++) {
        turned[i] = data[self->size - 1 - i];
    }
    return self->read(turned);
}

/* The item there, or its bytes, of which `unpack` makes something when it is taken. */
static inline PyObject *
read_place(buffer_object *self, const char *data)
{
    return self->read == NULL ? PyBytes_FromStringAndSize(data, self->size)
           : self->turned     ? read_turned(self, data)
                              : self->read(data);
}

/* The next items into the block, as many as there are and fit: their number. The one
   that fails is passed over; those before it come first: -1 where there are none. */
static Py_ssize_t
read_block(buffer_object *self, const Py_buffer *view)
{
    Py_ssize_t size = self->size, done, n = view->len / size - self->index;
    Py_ssize_t stride = view->ndim == 1 && view->strides ? view->strides[0] : size;
    if (n <= 0) {
        return 0;
    }
    if (self->block == NULL) {
        self->block = PyMem_New(PyObject *, BLOCK_SIZE);
        if (self->block == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    n = n > BLOCK_SIZE ? BLOCK_SIZE : n;
    const char *data = (const char *)view->buf + self->index * stride;
    for (done = 0; done < n; done++, data += stride) {
        self->block[done] = read_place(self, data);
        if (self->block[done] == NULL) {
            break;
        }
    }
    if (done < n && done > 0) {
        PyErr_Clear(); /* it is raised in its turn */
    }
    self->index += done > 0 ? done : 1;
    return done > 0 ? done : -1;
}

/* 1 there are items in the block, 0 there are no more, -1. */
static int
fill_block(buffer_object *self)
{
    Py_buffer view;
    if (acquire(self->exporter, &view) < 0) {
        return -1;
    }
    Py_ssize_t done = -1;
    if (view.itemsize != self->size || strcmp(format_of(&view), self->format) != 0) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the format of a buffer was changed while it was read");
    } else {
        done = read_block(self, &view);
    }
    self->place = 0;
    self->ready = done > 0 ? done : 0;
    PyObject *error = done < 0 ? PyErr_GetRaisedException() : NULL;
    PyBuffer_Release(&view);
    if (error != NULL) {
        PyErr_SetRaisedException(error);
        return -1;
    }
    return done > 0;
}

/* What the struct module makes of the bytes of an item, which are taken. */
static PyObject *
unpack_item(buffer_object *self, PyObject *bytes)
{
    PyObject *item = NULL, *items = PyObject_CallOneArg(self->unpack, bytes);
    if (items != NULL && PyTuple_Check(items) && PyTuple_GET_SIZE(items) == 1) {
        item = Py_NewRef(PyTuple_GET_ITEM(items, 0));
    } else if (items != NULL) { /* somebody has put a Struct of his own there */
        PyErr_SetString(PyExc_TypeError, "unpack() did not return a tuple of one item");
    }
    Py_XDECREF(items);
    Py_DECREF(bytes);
    return item;
}

/* The next item of the block, which has one. */
static inline PyObject *
take_item(buffer_object *self)
{
    PyObject *item = self->block[self->place++];
    self->ready--;
    return self->unpack == NULL ? item : unpack_item(self, item);
}

static PySendResult
buffer_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    buffer_object *self = buffer_CAST(op);
    if (how == GX_THROW) {
        PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        return PYGEN_ERROR;
    }
    int filled = self->ready > 0 ? 1 : fill_block(self);
    if (filled > 0) {
        *out = take_item(self);
        return *out != NULL ? PYGEN_NEXT : PYGEN_ERROR;
    }
    *out = filled == 0 ? Py_NewRef(Py_None) : NULL;
    return filled == 0 ? PYGEN_RETURN : PYGEN_ERROR;
}

/* NULL without an error: the shared core has to see to it. */
static PyObject *
buffer_next_locked(buffer_object *self)
{
    return self->ready > 0 && !self->running ? take_item(self) : NULL;
}

/* Within a block, without the detour through the shared core. */
static PyObject *
buffer_next(PyObject *op)
{
    PyObject *item;
    Py_BEGIN_CRITICAL_SECTION(op);
    item = buffer_next_locked(buffer_CAST(op));
    Py_END_CRITICAL_SECTION();
    return item != NULL || PyErr_Occurred() ? item : gx_iterator_next(op);
}

/* The place of its next item, and whose buffer it is (borrowed); NULL: it has ended. */
PyObject *
gx_buffer_place(PyObject *op, Py_ssize_t *index)
{
    buffer_object *self = buffer_CAST(op);
    *index = self->index - self->ready;
    return self->ended || self->running || self->unpack ? NULL : self->exporter;
}

/* n items were taken elsewhere; those of the block are let go. */
void
gx_buffer_skip(PyObject *op, Py_ssize_t n)
{
    buffer_object *self = buffer_CAST(op);
    self->index += n - self->ready;
    for (; self->ready > 0; self->ready--) {
        Py_DECREF(self->block[self->place++]);
    }
}

/* Does a view of it look as it did at the start? */
bool
gx_buffer_is_same(PyObject *op, const Py_buffer *view)
{
    buffer_object *self = buffer_CAST(op);
    return view->itemsize == self->size && strcmp(format_of(view), self->format) == 0;
}

/* -- protocol ----------------------------------------------------------- */

static int
buffer_clear(PyObject *op)
{
    buffer_object *self = buffer_CAST(op);
    PyObject **block = self->block;
    for (; self->ready > 0; self->ready--) { /* no user code: int, float, str, bytes */
        Py_DECREF(block[self->place++]);
    }
    self->block = NULL;
    PyMem_Free(block);
    Py_CLEAR(self->exporter);
    Py_CLEAR(self->unpack);
    return 0;
}

static int
buffer_release(PyObject *op, bool Py_UNUSED(close))
{
    return buffer_clear(op);
}

static int
buffer_traverse(PyObject *op, visitproc visit, void *arg)
{
    GX_VISIT_ITERATOR(op);
    Py_VISIT(buffer_CAST(op)->exporter);
    Py_VISIT(buffer_CAST(op)->unpack);
    return 0;
}

static const gx_protocol buffer_protocol = {
    .name = "buffer",
    .resume = buffer_resume,
    .release = buffer_release,
    .clear = buffer_clear,
};

/* -- type --------------------------------------------------------------- */

const char gx_buffer_doc[] =
    "buffer($module, obj, /)\n--\n\n"
    "A pipe of the items of a buffer: bytes, array.array, memoryview, a NumPy array.\n\n"
    "Items are int, float, bool, str or bytes, as the struct module makes them of the\n"
    "buffer's format; those of several dimensions come in the order of C. The buffer is\n"
    "read in blocks of at most 512 items and held by nobody between: it may be resized,\n"
    "and what is written into it is seen from the next block on. Raises TypeError if\n"
    "obj has no buffer, or one of structures.\n\n"
    ">>> from array import array\n"
    ">>> buffer(array('d', [0.5, 1.5])).sum()\n"
    "2.0";

static PyMethodDef buffer_methods[] = {
    GX_ITERATOR_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef buffer_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef buffer_members[] = {
    GX_WEAKLIST_MEMBER(buffer_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot buffer_slots[] = {
    {Py_tp_doc, (void *)gx_buffer_doc},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, buffer_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, buffer_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, buffer_methods},
    {Py_tp_getset, buffer_getset},
    {Py_tp_members, buffer_members},
    {0, NULL},
};

static PyType_Spec buffer_spec = {
    .name = "pygenx.buffer",
    .basicsize = sizeof(buffer_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = buffer_slots,
};

const gx_typedef gx_buffer_source_typedef = {
    .spec = &buffer_spec,
};
