/* Where in the source a native operation failed: the entry in the traceback that the
   lambda's own frame would have left. On the error path only. */

#include "native.h"

#include <frameobject.h> /* PyFrame_New: exported by every CPython, not documented */

static PyObject *
make_entry(gx_binding *b, int offset, PyObject *rest)
{
    PyCodeObject *code = (PyCodeObject *)b->code;
    bool by_line = b->native->by_line; /* the place in the line is not known */
    int line = by_line ? code->co_firstlineno + offset : PyCode_Addr2Line(code, offset);
    PyFrameObject *frame = PyFrame_New(PyThreadState_Get(), code, b->globals, NULL);
    if (frame == NULL) {
        return NULL;
    }
    PyObject *entry = PyObject_CallFunction(
        (PyObject *)&PyTraceBack_Type, "OOii", rest != NULL ? rest : Py_None,
        (PyObject *)frame, by_line ? -1 : offset, line);
    Py_DECREF((PyObject *)frame);
    return entry;
}

void
gx_trace_back(gx_binding *b, int offset)
{
    if (b->code == NULL) {
        return;
    }
    PyObject *error = PyErr_GetRaisedException();
    PyObject *rest = PyException_GetTraceback(error);
    PyObject *entry = make_entry(b, offset, rest);
    if (entry == NULL || PyException_SetTraceback(error, entry) < 0) {
        PyErr_Clear(); /* the error itself counts */
    }
    Py_XDECREF(entry);
    Py_XDECREF(rest);
    PyErr_SetRaisedException(error);
}

/* As PyObject_GetAttr does, which is not asked for speed. */
void
gx_tell_attribute(PyObject *obj, PyObject *name)
{
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return;
    }
    PyObject *error = PyErr_GetRaisedException();
    PyAttributeErrorObject *told = (PyAttributeErrorObject *)error;
    if (told->name == NULL && told->obj == NULL) {
        told->name = Py_NewRef(name);
        told->obj = Py_NewRef(obj);
    }
    PyErr_SetRaisedException(error);
}
