/* Reducer: a program with a terminal, a function from an iterable to a value. Made by the
   terminals of Pipeline; immutable, reusable, a sink. */

#include "pipeline.h"

/* -- struct ------------------------------------------------------------- */

/* gx_program of pipeline.h; `row` is a terminal, `previous` the stages before it. */

/* -- construct ---------------------------------------------------------- */

/* Only Pipeline makes one: pipeline.c. */

/* -- iterate --- */

static PyObject *
reducer_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError,
                        "Reducer.__call__() takes no keyword arguments");
        return NULL;
    }
    if (PyTuple_GET_SIZE(args) != 1) {
        PyErr_Format(PyExc_TypeError, "a Reducer takes one source (%zd given)",
                     PyTuple_GET_SIZE(args));
        return NULL;
    }
    Py_INCREF(op); /* iter() may have its caller let go of this */
    PyObject *value =
        gx_pipe_reduce(state, gx_program_CAST(op), PyTuple_GET_ITEM(args, 0));
    Py_DECREF(op);
    return value;
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(reducer_doc,
"A program with a terminal: a function from an iterable to a value.\n\n"
"What a terminal of a Pipeline returns: immutable, reusable, picklable. Call it with an\n"
"iterable, send items to push(), give it as a sink to feed(), Pipeline.into(),\n"
"broadcast(), route() and grouping(), or run several at once with collect().\n\n"
">>> total = Pipeline().map(len).sum()\n"
">>> total(['to', 'be']), total([])\n"
"(4, 0)");

PyDoc_STRVAR(push_doc,
"push($self, /)\n--\n\n"
"Return a coroutine that reduces what it is sent; close() returns the value.\n\n"
"Raises TypeError for a program that asks for its items itself.\n\n"
">>> mean = Pipeline().collect(Pipeline().sum(), Pipeline().count()).push()\n"
">>> mean.send(3), mean.send(5)\n"
"(0, 0)\n"
">>> mean.close()\n"
"(8, 2)");

static PyMethodDef reducer_methods[] = {
    {"push", gx_reducer_push, METH_NOARGS, push_doc},
    {"check_pickle", GX_FASTCALL(gx_program_check_pickle),
     METH_FASTCALL | METH_KEYWORDS, gx_check_pickle_doc},
    {"explain", gx_program_explain_method, METH_NOARGS, gx_explain_doc},
    {"__reduce__", gx_program_pickle, METH_NOARGS, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef reducer_members[] = {
    GX_WEAKLIST_MEMBER(gx_program),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot reducer_slots[] = {
    {Py_tp_doc, (void *)reducer_doc},
    {Py_tp_dealloc, gx_program_dealloc},
    {Py_tp_traverse, gx_program_traverse},
    {Py_tp_repr, gx_program_repr},
    {Py_tp_call, reducer_call},
    {Py_tp_methods, reducer_methods},
    {Py_tp_members, reducer_members},
    {0, NULL},
};

static PyType_Spec reducer_spec = {
    .name = "pygenx.Reducer",
    .basicsize = offsetof(gx_program, args),
    .itemsize = sizeof(PyObject *),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = reducer_slots,
};

const gx_typedef gx_Reducer_typedef = {
    .spec = &reducer_spec,
    .public = true,
};
