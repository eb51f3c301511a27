/* Lanes over exact list, tuple and range; any other iterable through the iterator
   slot of its iter(), read from the type at each call. */

#include "source.h"

#include "native_generator.h"

#include <limits.h>

/* -- lanes -------------------------------------------------------------- */

PyObject *
gx_fetch_none(gx_source *Py_UNUSED(source))
{
    return NULL;
}

/* The size is read again each time: what user code appended is seen, as a list
   iterator sees it. */
PyObject *
gx_fetch_list(gx_source *source)
{
#ifdef Py_GIL_DISABLED
    PyObject *item = PyList_GetItemRef(source->obj, source->index);
    if (item == NULL) {
        PyErr_Clear(); /* IndexError: the end */
        return NULL;
    }
    source->index++;
    return item;
#else
    if (source->index >= PyList_GET_SIZE(source->obj)) {
        return NULL;
    }
    return Py_NewRef(PyList_GET_ITEM(source->obj, source->index++));
#endif
}

PyObject *
gx_fetch_tuple(gx_source *source)
{
    if (source->index >= PyTuple_GET_SIZE(source->obj)) {
        return NULL;
    }
    return Py_NewRef(PyTuple_GET_ITEM(source->obj, source->index++));
}

PyObject *
gx_fetch_range(gx_source *source)
{
    if (source->index == 0) {
        return NULL;
    }
    long long value = source->value;
    bool fits = value >= LONG_MIN && value <= LONG_MAX; /* FromLong is the fast one */
    PyObject *item = fits ? PyLong_FromLong((long)value) : PyLong_FromLongLong(value);
    if (item != NULL && --source->index > 0) {
        source->value += source->step;
    }
    return item;
}

/* array.array, whose size may change. */
PyObject *
gx_fetch_array(gx_source *source)
{
    PyObject *array = source->obj;
    if (source->index >= Py_SIZE(array)) {
        return NULL;
    }
    return Py_TYPE(array)->tp_as_sequence->sq_item(array, source->index++);
}

/* memoryview: its length is what it was, but it may be released. */
PyObject *
gx_fetch_memory(gx_source *source)
{
    if (source->index >= source->value) {
        return NULL;
    }
    return PySequence_GetItem(source->obj, source->index++);
}

/* Iterators of builtin containers: no user code, no depth. */
PyObject *
gx_fetch_leaf(gx_source *source)
{
    return Py_TYPE(source->obj)->tp_iternext(source->obj);
}

/* Generators, which count their own depth, and builtin iterators over leaves: they run
   user code but cannot nest. Lanes are told apart by their address, so no two may
   have the same body: a linker may fold such twins. */
PyObject *
gx_fetch_shallow(gx_source *source)
{
    source->index++;
    return Py_TYPE(source->obj)->tp_iternext(source->obj);
}

PyObject *
gx_fetch_guarded(gx_source *source)
{
    iternextfunc next = Py_TYPE(source->obj)->tp_iternext;
    if (next == NULL) { /* __next__ was deleted, or a weakref proxy */
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator",
                     Py_TYPE(source->obj)->tp_name);
        return NULL;
    }
    if (Py_EnterRecursiveCall(" in a pygenx iterator")) {
        return NULL;
    }
    source->index++;
    PyObject *item = next(source->obj);
    Py_LeaveRecursiveCall();
    return item;
}

/* -- several at once ---------------------------------------------------- */

Py_ssize_t
gx_ready(const gx_source *source)
{
    bool lies = source->fetch == gx_fetch_list || source->fetch == gx_fetch_tuple;
    return lies ? gx_source_hint(source) : 0;
}

Py_ssize_t
gx_take_ready(gx_source *source, PyObject **out, Py_ssize_t n)
{
    Py_ssize_t i = 0, ready = gx_ready(source);
    for (; i < n && i < ready; i++) {
        out[i] = source->fetch == gx_fetch_list ? gx_fetch_list(source)
                                                : gx_fetch_tuple(source);
        if (out[i] == NULL) {
            break;
        }
    }
    return i;
}

/* -- open --------------------------------------------------------------- */

bool
gx_is_leaf(const gx_state *state, PyTypeObject *type)
{
    return type == state->str_iterator || type == &PyListIter_Type ||
           type == &PyTupleIter_Type || type == &PyRangeIter_Type ||
           type == &PyLongRangeIter_Type || type == &PyDictIterKey_Type ||
           type == &PyDictIterItem_Type || type == &PyDictIterValue_Type ||
           type == &PySetIter_Type || type == &PyUnicodeIter_Type ||
           type == &PyBytesIter_Type || type == &PyByteArrayIter_Type ||
           type == &PyListRevIter_Type;
}

#define MAX_SHALLOW 8 /* builtin iterators over builtin iterators, and so on */

static bool is_shallow(const gx_state *state, PyObject *it, int depth);

typedef struct {
    const gx_state *state;
    int depth;
} shallow_search;

/* A visitproc over what a builtin iterator owns: 1 where another call may nest. */
static int
visit_deep(PyObject *obj, void *arg)
{
    shallow_search *search = arg;
    if (!PyTuple_CheckExact(obj)) {
        return PyIter_Check(obj) && !is_shallow(search->state, obj, search->depth);
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(obj); i++) {
        PyObject *item = PyTuple_GET_ITEM(obj, i);
        if (PyIter_Check(item) && !is_shallow(search->state, item, search->depth)) {
            return 1;
        }
    }
    return 0;
}

/* map, filter, zip, enumerate and reversed never change what they read: looked at once,
   through tp_traverse, they need no depth guard if that ends in leaves soon. */
static bool
is_shallow(const gx_state *state, PyObject *it, int depth)
{
    PyTypeObject *type = Py_TYPE(it);
    if (type == &PyGen_Type || type == GX_TYPE_OF(state, buffer_source) ||
        gx_is_leaf(state, type)) {
        return true;
    }
    if (depth == 0 ||
        (type != &PyMap_Type && type != &PyFilter_Type && type != &PyZip_Type &&
         type != &PyEnum_Type && type != &PyReversed_Type)) {
        return false;
    }
    shallow_search search = {state, depth - 1};
    return type->tp_traverse(it, visit_deep, &search) == 0;
}

static gx_fetch
lane_of_iterator(const gx_state *state, PyObject *it)
{
    if (gx_is_leaf(state, Py_TYPE(it))) {
        return gx_fetch_leaf;
    }
    return is_shallow(state, it, MAX_SHALLOW) ? gx_fetch_shallow : gx_fetch_guarded;
}

/* *out = obj.name as a C integer: 1; 0 if it does not fit; -1 on error. */
static int
long_long_attr(PyObject *obj, PyObject *name, long long *out)
{
    int overflow = 0;
    PyObject *number = PyObject_GetAttr(obj, name);
    if (number == NULL) {
        return -1;
    }
    *out = PyLong_AsLongLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    return overflow == 0;
}

/* 1 opened, 0 the range is too large for the lane, -1 error. */
static int
open_range(gx_state *state, gx_source *source, PyObject *range)
{
    long long start, stop, step; /* items lie between start and stop */
    int fits = long_long_attr(range, GX_NAME(state, start), &start);
    if (fits == 1) {
        fits = long_long_attr(range, GX_NAME(state, stop), &stop);
    }
    if (fits == 1) {
        fits = long_long_attr(range, GX_NAME(state, step), &step);
    }
    if (fits != 1) {
        return fits;
    }
    Py_ssize_t size = PyObject_Size(range);
    if (size < 0) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    *source = (gx_source){gx_fetch_range, Py_NewRef(range), size, start, step};
    return 1;
}

/* The type itself: Python code makes no immutable types. */
static bool
is_array(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    return type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE &&
           strcmp(type->tp_name, "array.array") == 0;
}

/* As of its iterator, which is asked for because it refuses some formats. */
static int
open_memory(gx_source *source, PyObject *memory)
{
    PyObject *it = PyObject_GetIter(memory);
    Py_ssize_t size = it != NULL ? PyObject_Size(memory) : -1;
    Py_XDECREF(it);
    if (size < 0) {
        return -1;
    }
    *source =
        (gx_source){.fetch = gx_fetch_memory, .obj = Py_NewRef(memory), .value = size};
    return 0;
}

int
gx_source_open(gx_state *state, gx_source *source, PyObject *iterable)
{
    if (PyList_CheckExact(iterable)) {
        *source = (gx_source){.fetch = gx_fetch_list, .obj = Py_NewRef(iterable)};
        return 0;
    }
    if (PyTuple_CheckExact(iterable)) {
        *source = (gx_source){.fetch = gx_fetch_tuple, .obj = Py_NewRef(iterable)};
        return 0;
    }
    if (Py_IS_TYPE(iterable, &PyRange_Type)) {
        int opened = open_range(state, source, iterable);
        if (opened != 0) {
            return opened < 0 ? -1 : 0;
        }
    }
    if (is_array(iterable)) {
        *source = (gx_source){.fetch = gx_fetch_array, .obj = Py_NewRef(iterable)};
        return 0;
    }
    if (PyMemoryView_Check(iterable)) {
        return open_memory(source, iterable);
    }
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        return -1;
    }
    gx_source_adopt(state, source, it);
    return 0;
}

void
gx_source_adopt(gx_state *state, gx_source *source, PyObject *iterator)
{
    gx_fetch lane = lane_of_iterator(state, iterator);
    *source = (gx_source){.fetch = lane, .obj = iterator};
}

Py_ssize_t
gx_source_skip(gx_source *source, Py_ssize_t n)
{
    bool in_range = source->fetch == gx_fetch_range;
    if (!in_range && source->fetch != gx_fetch_list &&
        source->fetch != gx_fetch_tuple && source->fetch != gx_fetch_array) {
        return 0;
    }
    Py_ssize_t left = gx_source_hint(source);
    Py_ssize_t skipped = n < left ? n : left;
    if (in_range) {
        source->index -= skipped;
        if (source->index > 0) { /* else the next value might not fit */
            unsigned long long gap = (unsigned long long)source->step;
            gap *= (unsigned long long)skipped; /* it may wrap where the sum does not */
            source->value = (long long)((unsigned long long)source->value + gap);
        }
    } else {
        source->index += skipped;
    }
    return skipped;
}

/* -- close, send, throw ------------------------------------------------- */

int
gx_close(gx_state *state, PyObject *obj)
{
    PyObject *answer, *method;
    if (PyGen_CheckExact(obj)) { /* it has one: no bound method for the call */
        answer = PyObject_CallMethodNoArgs(obj, GX_NAME(state, close));
    } else {
        int found = PyObject_GetOptionalAttr(obj, GX_NAME(state, close), &method);
        if (found <= 0) {
            return found;
        }
        answer = PyObject_CallNoArgs(method);
        Py_DECREF(method);
    }
    if (answer == NULL) {
        gx_no_stop_iteration("close() of '%.200s' object", Py_TYPE(obj)->tp_name);
        return -1;
    }
    Py_DECREF(answer);
    return 0;
}

static bool
is_container(const gx_source *source)
{
    return source->fetch != gx_fetch_leaf && source->fetch != gx_fetch_shallow &&
           source->fetch != gx_fetch_guarded;
}

int
gx_source_close(gx_state *state, gx_source *source)
{
    if (is_container(source)) {
        gx_source_drop(source);
        return 0;
    }
    PyObject *obj = source->obj;
    *source = GX_SOURCE_NONE;
    int rc = gx_close(state, obj);
    PyObject *error = rc < 0 ? PyErr_GetRaisedException() : NULL;
    Py_DECREF(obj);
    if (error != NULL) {
        PyErr_SetRaisedException(error);
    }
    return rc;
}

PySendResult
gx_source_send(gx_source *source, PyObject *value, PyObject **out)
{
    if (source->fetch == gx_fetch_native_generator) {
        return gx_native_generator_send(source, value, out);
    }
    if (source->fetch == gx_fetch_none) { /* it has ended, or could not be opened */
        *out = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    if (is_container(source)) {
        PyErr_Format(PyExc_AttributeError, "'%.200s' object has no attribute 'send'",
                     Py_TYPE(source->obj)->tp_name);
        return PYGEN_ERROR;
    }
    if (Py_EnterRecursiveCall(" in a pygenx iterator")) {
        return PYGEN_ERROR;
    }
    PySendResult answer = PyIter_Send(source->obj, value, out);
    Py_LeaveRecursiveCall();
    return answer;
}

static PySendResult
raise_here(PyObject *exc)
{
    PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
    return PYGEN_ERROR;
}

/* A source without throw() is closed first, and the exception raised here wins
   only if closing raised nothing. */
PySendResult
gx_source_throw(gx_state *state, gx_source *source, PyObject *exc, PyObject **out)
{
    PyObject *method;
    if (source->fetch == gx_fetch_native_generator &&
        !PyErr_GivenExceptionMatches(exc, PyExc_GeneratorExit)) {
        return gx_native_generator_throw(source, exc, out);
    }
    if (is_container(source)) {
        gx_source_drop(source); /* ended, as an iterator over it would be */
        return raise_here(exc);
    }
    int found = 0; /* GeneratorExit means close(), as in yield from */
    if (!PyErr_GivenExceptionMatches(exc, PyExc_GeneratorExit)) {
        found = PyObject_GetOptionalAttr(source->obj, GX_NAME(state, throw), &method);
    }
    if (found < 0) {
        return PYGEN_ERROR;
    }
    if (found == 0) {
        return gx_source_close(state, source) < 0 ? PYGEN_ERROR : raise_here(exc);
    }
    if (Py_EnterRecursiveCall(" in a pygenx iterator")) {
        Py_DECREF(method);
        return PYGEN_ERROR;
    }
    *out = PyObject_CallOneArg(method, exc);
    Py_LeaveRecursiveCall();
    Py_DECREF(method);
    if (*out != NULL) {
        return PYGEN_NEXT;
    }
    return gx_ended(out) ? PYGEN_RETURN : PYGEN_ERROR;
}

PySendResult
gx_source_resume(gx_state *state, gx_source *source, gx_how how, PyObject *value,
                 PyObject **out)
{
    if (how == GX_SEND && value != Py_None) {
        return gx_source_send(source, value, out);
    }
    if (how == GX_THROW) {
        return gx_source_throw(state, source, value, out);
    }
    *out = source->fetch(source);
    if (*out != NULL) {
        return PYGEN_NEXT;
    }
    return gx_ended(out) ? PYGEN_RETURN : PYGEN_ERROR;
}

/* -- describe ----------------------------------------------------------- */

Py_ssize_t
gx_length_of(PyObject *obj)
{
    if (!PyList_CheckExact(obj) && !PyTuple_CheckExact(obj) &&
        !PyDict_CheckExact(obj) && !PyAnySet_CheckExact(obj) &&
        !PyUnicode_CheckExact(obj) && !PyBytes_CheckExact(obj) &&
        !Py_IS_TYPE(obj, &PyRange_Type)) {
        return GX_HINT_UNKNOWN;
    }
    Py_ssize_t size = PyObject_Size(obj);
    if (size < 0) {
        PyErr_Clear(); /* a range longer than any list */
    }
    return size;
}

/* Only what cannot lie is believed, builtin iterators and ours: list() allocates by
   what we answer. */
Py_ssize_t
gx_source_hint(const gx_source *source)
{
    Py_ssize_t size = GX_HINT_UNKNOWN;
    PyObject *obj = source->obj;
    if (source->fetch == gx_fetch_range) {
        return source->index;
    }
    if (source->fetch == gx_fetch_list) {
        size = PyList_GET_SIZE(obj) - source->index;
        return size < 0 ? 0 : size;
    }
    if (source->fetch == gx_fetch_tuple) {
        return PyTuple_GET_SIZE(obj) - source->index;
    }
    if (source->fetch == gx_fetch_array) {
        size = Py_SIZE(obj) - source->index;
        return size < 0 ? 0 : size;
    }
    if (source->fetch == gx_fetch_memory) {
        return (Py_ssize_t)source->value - source->index;
    }
    if (obj == NULL) {
        return 0;
    }
    if (source->fetch == gx_fetch_leaf ||
        Py_TYPE(obj)->tp_dealloc == gx_iterator_dealloc) {
        Py_INCREF(obj); /* looking the method up may run the collector */
        size = PyObject_LengthHint(obj, GX_HINT_UNKNOWN);
        Py_DECREF(obj);
    }
    return size < 0 && PyErr_Occurred() ? GX_HINT_ERROR : size;
}

PyObject *
gx_source_brief(const gx_source *source)
{
    if (source->obj == NULL) {
        return PyUnicode_FromString("<ended>");
    }
    if (source->fetch == gx_fetch_native_generator) {
        return PyUnicode_FromString("<generator>"); /* it is one to everybody */
    }
    return PyUnicode_FromFormat("<%s>", Py_TYPE(source->obj)->tp_name);
}
