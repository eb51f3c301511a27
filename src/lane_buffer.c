/* Blocks of numbers out of buffers: array.array, memoryview, and what buffer() was given,
   a NumPy array for one. */

#include "lane.h"

/* -- numbers of all sizes ------------------------------------------------------- */

/* Reads n numbers, `stride` bytes apart; how many fit. */
typedef int (*reader)(const char *data, Py_ssize_t stride, int n, gx_vector *v);

/* Items that lie side by side have a loop of their own, for the compiler. */
#define READ_EACH(T, statement)                              \
    do {                                                     \
        for (int i = 0; stride == sizeof(T) && i < n; i++) { \
            T x;                                             \
            memcpy(&x, data + i * sizeof(T), sizeof(T));     \
            statement                                        \
        }                                                    \
        for (int i = 0; stride != sizeof(T) && i < n; i++) { \
            T x;                                             \
            memcpy(&x, data + i * stride, sizeof(T));        \
            statement                                        \
        }                                                    \
    } while (0)

#define INT_READER(name, T)                                                           \
    static int read_##name(const char *data, Py_ssize_t stride_, int n, gx_vector *v) \
    {                                                                                 \
        uint64_t spread = 0;                                                          \
        int64_t *restrict ints = v->column->ints;                                     \
        const Py_ssize_t stride = stride_;                                            \
        READ_EACH(T, ints[i] = (int64_t)x; spread |= gx_spread_of(ints[i]););         \
        v->type = GX_LANE_INT;                                                        \
        v->bits = gx_bits_of(spread);                                                 \
        return n;                                                                     \
    }

#define FLOAT_READER(name, T)                                                        \
    static int read_##name(const char *data, Py_ssize_t stride, int n, gx_vector *v) \
    {                                                                                \
        double *restrict doubles = v->column->doubles;                               \
        READ_EACH(T, doubles[i] = (double)x;);                                       \
        v->type = GX_LANE_FLOAT;                                                     \
        return n;                                                                    \
    }

INT_READER(int8, int8_t)
INT_READER(int16, int16_t)
INT_READER(int32, int32_t)
INT_READER(int64, int64_t)
INT_READER(uint8, uint8_t)
INT_READER(uint16, uint16_t)
INT_READER(uint32, uint32_t)
FLOAT_READER(float, float)
FLOAT_READER(double, double)

/* Up to the first that needs 64 bits. */
static int
read_uint64(const char *data, Py_ssize_t stride, int n, gx_vector *v)
{
    uint64_t spread = 0;
    v->type = GX_LANE_INT;
    READ_EACH(
        uint64_t,
        if (x > INT64_MAX) {
            v->bits = gx_bits_of(spread);
            return i;
        } spread |= x;
        v->column->ints[i] = (int64_t)x;);
    v->bits = gx_bits_of(spread);
    return n;
}

static int
read_bool(const char *data, Py_ssize_t stride, int n, gx_vector *v)
{
    READ_EACH(uint8_t, v->column->bools[i] = x != 0;);
    v->type = GX_LANE_BOOL;
    return n;
}

/* The size decides and not the letter, as in buffer.c. */
static const struct {
    const char *letters;
    Py_ssize_t size;
    reader read;
} readers[] = {
    {"bhilqn", 1, read_int8},    {"bhilqn", 2, read_int16},
    {"bhilqn", 4, read_int32},   {"bhilqn", 8, read_int64},
    {"BHILQNP", 1, read_uint8},  {"BHILQNP", 2, read_uint16},
    {"BHILQNP", 4, read_uint32}, {"BHILQNP", 8, read_uint64},
    {"f", 4, read_float},        {"d", 8, read_double},
    {"?", 1, read_bool},
};

/* NULL: the items are no numbers, or their bytes are in the other order. */
static reader
find_reader(const Py_buffer *view)
{
    const char *format = view->format != NULL ? view->format : "B";
    const char *order = PY_LITTLE_ENDIAN ? "@=<" : "@=>!";
    format += *format != '\0' && strchr(order, *format) != NULL;
    if (format[0] == '\0' || format[1] != '\0') {
        return NULL;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(readers); i++) {
        if (readers[i].size == view->itemsize &&
            strchr(readers[i].letters, *format) != NULL) {
            return readers[i].read;
        }
    }
    return NULL;
}

/* -- views ---------------------------------------------------------------------- */

/* Acquire the buffer of a source; *index is the place of its next item. */
static bool
acquire(const gx_source *source, Py_buffer *view, Py_ssize_t *index)
{
    PyObject *exporter = source->obj;
    *index = source->index;
    if (source->fetch == gx_fetch_shallow) {
        exporter = gx_buffer_place(source->obj, index);
    }
    if (exporter == NULL) {
        return false;
    }
    if (PyObject_GetBuffer(exporter, view, PyBUF_RECORDS_RO) < 0) {
        PyErr_Clear(); /* it is raised where the run comes to it */
        return false;
    }
    bool whole = view->ndim == 1 || PyBuffer_IsContiguous(view, 'C');
    if (!whole || view->itemsize <= 0 ||
        (source->fetch == gx_fetch_shallow && !gx_buffer_is_same(source->obj, view))) {
        PyBuffer_Release(view);
        return false;
    }
    return true;
}

Py_ssize_t
gx_lane_left_in_buffer(const gx_source *source)
{
    Py_buffer view;
    Py_ssize_t index, left;
    if (!acquire(source, &view, &index)) {
        return 0;
    }
    left = find_reader(&view) != NULL ? view.len / view.itemsize - index : 0;
    PyBuffer_Release(&view);
    return left;
}

/* Whatever ran while it was acquired may have made it shorter. */
int
gx_lane_load_buffer(const gx_source *source, int n, gx_vector *v)
{
    Py_buffer view;
    Py_ssize_t index;
    if (!acquire(source, &view, &index)) {
        return 0;
    }
    reader read = find_reader(&view);
    Py_ssize_t left = view.len / view.itemsize - index;
    Py_ssize_t stride =
        view.ndim == 1 && view.strides ? view.strides[0] : view.itemsize;
    n = left >= n ? n : left > 0 ? (int)left : 0;
    if (read != NULL && n > 0) {
        n = read((const char *)view.buf + index * stride, stride, n, v);
    }
    PyBuffer_Release(&view);
    return read != NULL && n > 0 ? n : 0;
}
