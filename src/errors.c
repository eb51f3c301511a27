/* How errors leave pygenx: ends told from errors, StopIteration kept from passing
   for an end, one note per exception, errors of cleaning up chained. */

#include "pygenx.h"

#include <string.h>

#define MAX_BRIEF 80 /* characters of a value shown in a note */

/* -- ends --------------------------------------------------------------- */

int
gx_ended(PyObject **value)
{
    PyObject *result = NULL;
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
            return 0;
        }
        PyObject *exc = PyErr_GetRaisedException();
        if (!PyErr_GivenExceptionMatches(exc, PyExc_StopIteration)) {
            PyErr_SetRaisedException(exc); /* 3.11 makes it only now: MemoryError */
            return 0;
        }
        result = Py_XNewRef(((PyStopIterationObject *)exc)->value);
        Py_DECREF(exc);
    }
    if (value != NULL) {
        *value = result != NULL ? result : Py_NewRef(Py_None);
    } else {
        Py_XDECREF(result);
    }
    return 1;
}

void
gx_set_stop_iteration(PyObject *value)
{
    if (value == Py_None) {
        Py_DECREF(value);
        return;
    }
    /* PyErr_SetObject would unpack a tuple into arguments and raise an exception
       value as it is: the instance is made by hand. */
    PyObject *exc = PyObject_CallOneArg(PyExc_StopIteration, value);
    Py_DECREF(value);
    if (exc != NULL) {
        PyErr_SetObject(PyExc_StopIteration, exc);
        Py_DECREF(exc);
    }
}

void
gx_raise_format(PyObject *type, const char *format, ...)
{
    va_list vargs;
    va_start(vargs, format);
    PyObject *text = PyUnicode_FromFormatV(format, vargs);
    va_end(vargs);
    if (text != NULL) {
        PyErr_SetObject(type, text);
        Py_DECREF(text);
    }
}

void
gx_no_stop_iteration(const char *format, ...)
{
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
        return;
    }
    va_list vargs;
    PyObject *cause = PyErr_GetRaisedException();
    va_start(vargs, format);
    PyObject *where = PyUnicode_FromFormatV(format, vargs);
    va_end(vargs);
    if (where != NULL) {
        PyErr_Format(PyExc_RuntimeError, "%U raised StopIteration", where);
        Py_DECREF(where);
    }
    PyObject *error = PyErr_GetRaisedException();
    PyException_SetCause(error, Py_NewRef(cause));
    PyException_SetContext(error, cause);
    PyErr_SetRaisedException(error);
}

/* The exception in `first`'s chain of contexts whose context is `wanted` (perhaps NULL
   for the last one), or NULL. New reference. Users can make such a chain a cycle: a
   second walker at half the speed notices. */
static PyObject *
find_context(PyObject *first, PyObject *wanted)
{
    PyObject *here = Py_NewRef(first), *slow = Py_NewRef(first), *context;
    for (bool even = false; (context = PyException_GetContext(here)) != wanted;
         even = !even) {
        if (even && context != NULL) {
            PyObject *next = PyException_GetContext(slow);
            Py_SETREF(slow, next);
        }
        if (context == NULL || context == slow) {
            Py_CLEAR(here);
            break;
        }
        Py_SETREF(here, Py_NewRef(context));
        Py_DECREF(context);
    }
    Py_XDECREF(context);
    Py_DECREF(slow);
    return here;
}

/* Does `exc` stand in the chain of contexts that begins with `start`? */
static bool
in_chain(PyObject *start, PyObject *exc)
{
    PyObject *before = start == exc ? Py_NewRef(start) : find_context(start, exc);
    Py_XDECREF(before);
    return before != NULL;
}

/* What in the chain of `later` is to get `earlier` as its context: the last one, or the
   last before what both have in common, which is what was handled as they were raised.
   NULL: it has it, or the chain is a cycle. */
static PyObject *
find_place(PyObject *later, PyObject *earlier)
{
    PyObject *end = find_context(later, NULL);
    PyObject *here = end != NULL ? Py_NewRef(later) : NULL;
    while (here != NULL) {
        PyObject *next = PyException_GetContext(here);
        if (next == NULL || in_chain(earlier, next)) {
            if (next == earlier) {
                Py_CLEAR(here);
            }
            Py_XDECREF(next);
            break;
        }
        Py_SETREF(here, next);
    }
    Py_XDECREF(end);
    return here;
}

/* Neither may come to stand in its own chain: a cycle would hang whoever walks it. */
void
gx_chain_errors(PyObject *earlier)
{
    PyObject *later = PyErr_GetRaisedException();
    if (later == NULL || later == earlier) {
        Py_XDECREF(later);
        PyErr_SetRaisedException(earlier);
        return;
    }
    PyObject *back = find_context(earlier, later);
    if (back != NULL && !in_chain(later, earlier)) {
        PyException_SetContext(back, NULL);
    }
    Py_XDECREF(back);
    PyObject *place = find_place(later, earlier);
    if (place != NULL) {
        PyException_SetContext(place, Py_NewRef(earlier));
        Py_DECREF(place);
    }
    Py_DECREF(earlier);
    PyErr_SetRaisedException(later);
}

void
gx_collect_error(int rc, PyObject **pending)
{
    if (rc < 0) {
        if (*pending != NULL) {
            gx_chain_errors(*pending);
        }
        *pending = PyErr_GetRaisedException();
    }
}

int
gx_raise_collected(PyObject *pending)
{
    if (pending == NULL) {
        return 0;
    }
    PyErr_SetRaisedException(pending);
    return -1;
}

void
gx_reentrancy(PyObject *op, const char *name)
{
    gx_state *state = gx_get_state(Py_TYPE(op));
    PyErr_Format(state->reentrancy_error, "%s is already running", name);
}

/* The bare error if there is no memory for the pair: better a traceback that grows than
   an error lost. */
PyObject *
gx_error_pack(PyObject *error)
{
    PyObject *traceback = PyException_GetTraceback(error);
    PyObject *pair = PyTuple_Pack(2, error, traceback != NULL ? traceback : Py_None);
    Py_XDECREF(traceback);
    if (pair == NULL) {
        PyErr_Clear();
        return Py_NewRef(error);
    }
    return pair;
}

PyObject *
gx_error_raise(PyObject *pair)
{
    PyObject *error = pair;
    if (PyTuple_CheckExact(pair)) {
        error = PyTuple_GET_ITEM(pair, 0);
        PyException_SetTraceback(error, PyTuple_GET_ITEM(pair, 1));
    }
    PyErr_SetRaisedException(Py_NewRef(error));
    Py_DECREF(pair);
    return NULL;
}

/* -- notes -------------------------------------------------------------- */

static const char note_prefix[] = "pygenx: ";

static bool
is_our_note(PyObject *note)
{
    Py_ssize_t size = (Py_ssize_t)sizeof(note_prefix) - 1;
    if (!PyUnicode_Check(note) || PyUnicode_GET_LENGTH(note) < size) {
        return false;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        if (PyUnicode_READ_CHAR(note, i) != (Py_UCS4)note_prefix[i]) {
            return false;
        }
    }
    return true;
}

/* The name is interned: one made for a single look-up would stay behind in the type's
   method cache and look like a leak. */
static PyObject *
get_attr(PyObject *op, const char *name)
{
    PyObject *interned = PyUnicode_InternFromString(name);
    PyObject *value = interned == NULL ? NULL : PyObject_GetAttr(op, interned);
    Py_XDECREF(interned);
    return value;
}

static bool
has_note(PyObject *exc)
{
    PyObject *notes = get_attr(exc, "__notes__");
    bool found = false;
    if (notes == NULL) {
        return false;
    }
    for (Py_ssize_t i = 0; PyList_CheckExact(notes) && i < PyList_GET_SIZE(notes);
         i++) {
        found = found || is_our_note(PyList_GET_ITEM(notes, i));
    }
    Py_DECREF(notes);
    return found;
}

bool
gx_wants_note(void)
{
    return PyErr_ExceptionMatches(PyExc_Exception) &&
           !PyErr_ExceptionMatches(PyExc_StopIteration);
}

PyObject *
gx_note_begin(void)
{
    if (!gx_wants_note()) {
        return NULL;
    }
    PyObject *exc = PyErr_GetRaisedException();
    bool noted = has_note(exc);
    PyErr_Clear(); /* of looking only */
    if (noted) {
        PyErr_SetRaisedException(exc);
        return NULL;
    }
    return exc;
}

PyObject *
gx_note_part(PyObject *text)
{
    if (text == NULL) {
        PyErr_Clear();
    }
    return text;
}

/* A place besides the end tests where errors are cleared: a note that cannot be made
   must not hide the error it was meant for. */
static void
note_end(PyObject *exc, const char *format, va_list vargs)
{
    PyErr_Clear();
    PyObject *text = PyUnicode_FromFormatV(format, vargs);
    PyObject *note = text ? PyUnicode_FromFormat("%s%U", note_prefix, text) : NULL;
    PyObject *done = NULL, *add_note = get_attr(PyExc_BaseException, "add_note");
    if (note != NULL && add_note != NULL) {
        done = PyObject_CallFunctionObjArgs(add_note, exc, note, NULL);
    }
    Py_XDECREF(add_note);
    Py_XDECREF(done);
    Py_XDECREF(note);
    Py_XDECREF(text);
    PyErr_Clear();
    PyErr_SetRaisedException(exc);
}

void
gx_note_end(PyObject *exc, const char *format, ...)
{
    va_list vargs;
    va_start(vargs, format);
    note_end(exc, format, vargs);
    va_end(vargs);
}

void
gx_note(const char *format, ...)
{
    PyObject *exc = gx_note_begin();
    if (exc != NULL) {
        va_list vargs;
        va_start(vargs, format);
        note_end(exc, format, vargs);
        va_end(vargs);
    }
}

/* -- short texts -------------------------------------------------------- */

/* Steals `text`; at most MAX_BRIEF characters, "..." where some were cut. */
static PyObject *
shorten(PyObject *text, bool cut)
{
    if (text == NULL) {
        return NULL;
    }
    if (PyUnicode_GET_LENGTH(text) > MAX_BRIEF) {
        Py_SETREF(text, PyUnicode_Substring(text, 0, MAX_BRIEF));
        cut = true;
    }
    if (cut && text != NULL) {
        Py_SETREF(text, PyUnicode_FromFormat("%U...", text));
    }
    return text;
}

static PyObject *
brief_string(PyObject *head, bool cut)
{
    if (head == NULL) {
        return NULL;
    }
    PyObject *text = PyObject_Repr(head);
    Py_DECREF(head);
    return shorten(text, cut);
}

PyObject *
gx_brief(PyObject *value)
{
    if (PyUnicode_CheckExact(value)) {
        return brief_string(PyUnicode_Substring(value, 0, MAX_BRIEF),
                            PyUnicode_GET_LENGTH(value) > MAX_BRIEF);
    }
    if (PyBytes_CheckExact(value)) {
        Py_ssize_t size = PyBytes_GET_SIZE(value);
        Py_ssize_t head = size > MAX_BRIEF ? MAX_BRIEF : size;
        return brief_string(PyBytes_FromStringAndSize(PyBytes_AS_STRING(value), head),
                            size > head);
    }
    if (value == Py_None || PyBool_Check(value) || PyLong_CheckExact(value) ||
        PyFloat_CheckExact(value)) {
        PyObject *text = PyObject_Repr(value);
        if (text != NULL || !PyErr_ExceptionMatches(PyExc_ValueError)) {
            return shorten(text, false);
        }
        PyErr_Clear(); /* an int of more digits than str() may have */
    }
    return PyUnicode_FromFormat("<%s>", Py_TYPE(value)->tp_name);
}

static PyObject *
brief_function(PyCodeObject *code, PyObject *name)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(name);
    if (PyUnicode_Tailmatch(name, code->co_name, 0, size, 1) != 1 ||
        PyUnicode_CompareWithASCIIString(code->co_name, "<lambda>") != 0) {
        return Py_NewRef(name);
    }
    PyObject *file = code->co_filename;
    Py_ssize_t end = PyUnicode_GET_LENGTH(file);
    Py_ssize_t slash = PyUnicode_FindChar(file, '/', 0, end, -1);
    Py_ssize_t backslash = PyUnicode_FindChar(file, '\\', 0, end, -1);
    Py_ssize_t start = (slash > backslash ? slash : backslash) + 1;
    PyObject *base = PyUnicode_Substring(file, start < 0 ? 0 : start, end);
    if (base == NULL) {
        return NULL;
    }
    PyObject *text = PyUnicode_FromFormat("<lambda %U:%d>", base, code->co_firstlineno);
    Py_DECREF(base);
    return text;
}

/* Only exact builtin kinds are asked for their name: it cannot run user code. */
PyObject *
gx_brief_callable(PyObject *func)
{
    if (PyFunction_Check(func)) {
        return brief_function((PyCodeObject *)PyFunction_GET_CODE(func),
                              ((PyFunctionObject *)func)->func_qualname);
    }
    if (PyMethod_Check(func)) {
        return gx_brief_callable(PyMethod_GET_FUNCTION(func));
    }
    PyObject *qualname;
    PyCodeObject *code = gx_lifted_code(func, &qualname);
    if (code != NULL) {
        return brief_function(code, qualname);
    }
    PyObject *expression = gx_expression_of(func);
    if (expression != NULL) {
        return shorten(gx_expression_text(expression, true), false);
    }
    PyTypeObject *type = Py_TYPE(func);
    if (PyCFunction_CheckExact(func) || type == &PyMethodDescr_Type ||
        type == &PyWrapperDescr_Type || type == &PyClassMethodDescr_Type ||
        type == &PyType_Type) {
        return get_attr(func, "__qualname__");
    }
    return gx_brief(func);
}

PyObject *
gx_brief_types(PyObject *tuple, Py_ssize_t start)
{
    PyObject *text = PyUnicode_FromString("");
    for (Py_ssize_t i = start; i < PyTuple_GET_SIZE(tuple) && text != NULL; i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        const char *comma = i == start ? "" : ", ";
        if (item == Py_Ellipsis) {
            Py_SETREF(text, PyUnicode_FromFormat("%U%s...", text, comma));
        } else if (Py_IS_TYPE(item, &PyType_Type)) {
            const char *name = ((PyTypeObject *)item)->tp_name;
            Py_SETREF(text, PyUnicode_FromFormat("%U%s%s", text, comma, name));
        } else {
            const char *name = gx_is_lifted(item) ? "function" : Py_TYPE(item)->tp_name;
            Py_SETREF(text, PyUnicode_FromFormat("%U%s<%s>", text, comma, name));
        }
    }
    return text;
}
