/* Elapsed: the text that a report of timing gets, a str which carries the numbers it
   is made of. */

#include "timing.h"

#include <stddef.h>

/* -- struct ------------------------------------------------------------- */

typedef struct {
    PyUnicodeObject text;
    PyObject *label; /* owned str */
    PyObject *error; /* owned exception, NULL if none was raised */
    long long elapsed_ns;
    double elapsed; /* seconds */
} elapsed_object;

#define elapsed_CAST(op) ((elapsed_object *)(op))

/* -- construct ---------------------------------------------------------- */

static PyObject *
elapsed_text(PyObject *label, double seconds)
{
    char *digits = PyOS_double_to_string(seconds, 'f', 4, 0, NULL);
    if (digits == NULL) {
        return NULL;
    }
    PyObject *text = PyUnicode_FromFormat("%U: %s seconds", label, digits);
    PyMem_Free(digits);
    return text;
}

/* Made by str's own constructor, which knows where a subclass keeps its text. */
PyObject *
gx_elapsed_new(PyTypeObject *type, PyObject *label, int64_t ns, PyObject *error)
{
    PyObject *text = elapsed_text(label, (double)ns / GX_NS);
    PyObject *args = text == NULL ? NULL : PyTuple_Pack(1, text);
    PyObject *op = args == NULL ? NULL : PyUnicode_Type.tp_new(type, args, NULL);
    Py_XDECREF(args);
    Py_XDECREF(text);
    if (op != NULL) {
        elapsed_object *self = elapsed_CAST(op);
        self->label = Py_NewRef(label);
        self->error = Py_XNewRef(error);
        self->elapsed_ns = ns;
        self->elapsed = (double)ns / GX_NS;
    }
    return op;
}

/* -- iterate ------------------------------------------------------------ */

/* As str. */

/* -- protocol ----------------------------------------------------------- */

/* Pickled and copied as the plain text: an error and its frames do not travel. */
static PyObject *
elapsed_reduce(PyObject *op, PyObject *Py_UNUSED(unused))
{
    PyObject *text = PyObject_Str(op);
    return text == NULL ? NULL : Py_BuildValue("O(N)", &PyUnicode_Type, text);
}

static int
elapsed_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(elapsed_CAST(op)->label);
    Py_VISIT(elapsed_CAST(op)->error);
    return 0;
}

static int
elapsed_clear(PyObject *op)
{
    Py_CLEAR(elapsed_CAST(op)->label);
    Py_CLEAR(elapsed_CAST(op)->error);
    return 0;
}

static void
elapsed_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, elapsed_dealloc)
    elapsed_clear(op);
    PyUnicode_Type.tp_dealloc(op); /* frees the text, then op by its tp_free */
    Py_DECREF(type);
    GX_DEALLOC_END
}

static PyTypeObject *
elapsed_base(void)
{
    return &PyUnicode_Type;
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(elapsed_doc,
"The text of a report, 'Elapsed time: 0.0123 seconds', with the numbers it is made\n"
"of: label, elapsed (seconds), elapsed_ns, and error, the exception that ended the\n"
"timed code or None.");

PyDoc_STRVAR(elapsed_reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Pickle as the plain text.");

static PyMethodDef elapsed_methods[] = {
    {"__reduce__", elapsed_reduce, METH_NOARGS, elapsed_reduce_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef elapsed_members[] = {
    {"label", T_OBJECT, offsetof(elapsed_object, label), READONLY, "What was timed."},
    {"error", T_OBJECT, offsetof(elapsed_object, error), READONLY,
     "The exception that ended it, or None."},
    {"elapsed_ns", T_LONGLONG, offsetof(elapsed_object, elapsed_ns), READONLY,
     "Nanoseconds."},
    {"elapsed", T_DOUBLE, offsetof(elapsed_object, elapsed), READONLY, "Seconds."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot elapsed_slots[] = {
    {Py_tp_doc, (void *)elapsed_doc},
    {Py_tp_dealloc, elapsed_dealloc},
    {Py_tp_traverse, elapsed_traverse},
    {Py_tp_clear, elapsed_clear},
    {Py_tp_methods, elapsed_methods},
    {Py_tp_members, elapsed_members},
    {0, NULL},
};

static PyType_Spec elapsed_spec = {
    .name = "pygenx.Elapsed",
    .basicsize = sizeof(elapsed_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = elapsed_slots,
};

const gx_typedef gx_elapsed_typedef = {
    .spec = &elapsed_spec,
    .base = elapsed_base,
};
