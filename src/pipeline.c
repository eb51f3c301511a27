/* Pipeline: a program without a source, immutable and reusable; each object adds
   one stage to another and shares the rest. */

#include "pipeline.h"

#include <string.h>

/* -- struct ------------------------------------------------------------- */

/* gx_program of pipeline.h. Invariant: size == (previous ? previous->size : 0) + 1
   where row != NULL, and every args[i] is set. */

/* -- construct ---------------------------------------------------------- */

static gx_program *
program_alloc(PyTypeObject *type, gx_program *previous, const gx_row *row)
{
    int nargs = row == NULL ? 0 : row->nargs;
    gx_program *self = gx_program_CAST(type->tp_alloc(type, nargs));
    if (self == NULL) {
        return NULL;
    }
    self->previous = (gx_program *)Py_XNewRef((PyObject *)previous);
    self->row = row;
    self->size = row == NULL ? 0 : 1 + (previous == NULL ? 0 : previous->size);
    int flags = row == NULL ? 0 : row->flags;
    bool through = flags & GX_PULL_ONLY && !(flags & GX_TERMINAL);
    self->through = through ? self : previous != NULL ? previous->through : NULL;
    self->calls_anyway =
        flags & GX_CALLS_ANYWAY || (previous != NULL && previous->calls_anyway);
    return self;
}

static void
drop_args(PyObject **args, int n)
{
    for (int i = 0; i < n; i++) {
        Py_CLEAR(args[i]);
    }
}

static int
parse_args(const gx_row *row, PyObject *const *args, Py_ssize_t nargs,
           PyObject *kwnames, PyObject **out)
{
    if (row->parse != NULL) {
        return row->parse(row, args, nargs, kwnames, out);
    }
    if (gx_parse(row->signature, args, (size_t)nargs, kwnames, out) < 0) {
        memset(out, 0, GX_MAX_ARGS * sizeof(PyObject *));
        return -1;
    }
    for (int i = 0; i < row->nargs; i++) {
        Py_XINCREF(out[i]);
    }
    return 0;
}

int
gx_row_check(gx_state *state, const gx_row *row, PyObject **args, bool reusable)
{
    if (row->check != NULL) {
        return row->check(state, args, reusable);
    }
    return row->nargs == 0 ? 0 : gx_as_callable(&args[0], row->signature->params[0]);
}

int
gx_row_bind(gx_state *state, const gx_row *row, bool reusable, PyObject *const *args,
            Py_ssize_t nargs, PyObject *kwnames, PyObject **out)
{
    memset(out, 0, GX_MAX_ARGS * sizeof(PyObject *));
    if (parse_args(row, args, nargs, kwnames, out) < 0 ||
        gx_row_check(state, row, out, reusable) < 0) {
        drop_args(out, GX_MAX_ARGS);
        return -1;
    }
    return 0;
}

static PyTypeObject *
type_for(gx_state *state, const gx_row *row)
{
    return row->flags & GX_TERMINAL ? GX_TYPE_OF(state, Reducer)
                                    : GX_TYPE_OF(state, Pipeline);
}

gx_program *
gx_program_append(gx_state *state, gx_program *previous, const gx_row *row,
                  PyObject **args)
{
    gx_program *self = program_alloc(type_for(state, row), previous, row);
    if (self == NULL) {
        drop_args(args, row->nargs);
        return NULL;
    }
    memcpy(self->args, args, (size_t)row->nargs * sizeof(PyObject *));
    return self;
}

gx_program *
gx_program_call(gx_state *state, gx_program *previous, const gx_row *row, bool reusable,
                PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *out[GX_MAX_ARGS];
    if (gx_row_bind(state, row, reusable, args, nargs, kwnames, out) < 0) {
        return NULL;
    }
    return gx_program_append(state, previous, row, out);
}

gx_program **
gx_program_stages(gx_program *program)
{
    gx_program **stages = PyMem_New(gx_program *, (size_t)program->size + 1);
    if (stages == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (gx_program *p = program; p->row != NULL; p = p->previous) {
        stages[p->size - 1] = p;
    }
    return stages;
}

static gx_program *
append_copy(gx_state *state, gx_program *previous, gx_program *stage)
{
    gx_program *self = program_alloc(type_for(state, stage->row), previous, stage->row);
    for (int i = 0; self != NULL && i < stage->row->nargs; i++) {
        self->args[i] = Py_NewRef(stage->args[i]);
    }
    return self;
}

gx_program *
gx_program_concat(gx_state *state, gx_program *first, gx_program *second)
{
    if (first->size == 0) {
        return (gx_program *)Py_NewRef((PyObject *)second);
    }
    gx_program **stages = gx_program_stages(second);
    if (stages == NULL) {
        return NULL;
    }
    gx_program *self = (gx_program *)Py_NewRef((PyObject *)first);
    for (Py_ssize_t i = 0; i < second->size && self != NULL; i++) {
        Py_SETREF(self, append_copy(state, self, stages[i]));
    }
    PyMem_Free(stages);
    return self;
}

static PyObject *
pipeline_construct(PyObject *type, PyObject *const *args, size_t nargsf,
                   PyObject *kwnames)
{
    static const char *const params[] = {NULL};
    static const gx_signature signature = {"Pipeline", params, 0, 0, 0};
    PyObject *out[1];
    if (gx_parse(&signature, args, nargsf, kwnames, out) < 0) {
        return NULL;
    }
    return (PyObject *)program_alloc((PyTypeObject *)type, NULL, NULL);
}

static PyObject *
pipeline_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(pipeline_construct, type, args, kwargs);
}

/* -- describe ----------------------------------------------------------- */

static PyObject *
brief_arg(PyObject *arg)
{
    if (PyTuple_CheckExact(arg)) {
        return gx_brief_types(arg, 0);
    }
    if (PyList_CheckExact(arg)) {
        PyObject *inputs = PyList_AsTuple(arg);
        PyObject *text = inputs != NULL ? gx_brief_types(inputs, 0) : NULL;
        Py_XDECREF(inputs);
        return text;
    }
    return PyCallable_Check(arg) ? gx_brief_callable(arg) : gx_brief(arg);
}

/* What need not be given is shown only where it says something. */
static bool
is_silent(const gx_row *row, int i, PyObject *arg)
{
    bool plain = arg == Py_None || arg == Py_False ||
                 Py_IS_TYPE(arg, &PyBaseObject_Type) ||
                 (PyTuple_CheckExact(arg) && PyTuple_GET_SIZE(arg) == 0) ||
                 (PyDict_CheckExact(arg) && PyDict_GET_SIZE(arg) == 0);
    bool optional = row->signature != NULL && row->signature->required <= i;
    return plain && (i > 0 || optional || row->flags & GX_TERMINAL);
}

static PyObject *
brief_args(const gx_row *row, PyObject *const *args)
{
    PyObject *text = PyUnicode_FromString("");
    const gx_signature *sig = row->signature;
    const char *comma = "";
    for (int i = 0; i < row->nargs && text != NULL; i++) {
        if (is_silent(row, i, args[i])) {
            continue;
        }
        PyObject *arg = brief_arg(args[i]);
        PyObject *longer = NULL;
        if (arg != NULL) {
            bool named =
                sig != NULL && i >= sig->posonly && (i >= 1 || i >= sig->maxpos);
            longer = PyUnicode_FromFormat("%U%s%s%s%U", text, comma,
                                          named ? sig->params[i] : "", named ? "=" : "",
                                          arg);
            Py_DECREF(arg);
        }
        Py_SETREF(text, longer);
        comma = ", ";
    }
    return text;
}

PyObject *
gx_stage_brief(const gx_row *row, PyObject *const *args)
{
    PyObject *inside = row->brief != NULL ? row->brief(args) : brief_args(row, args);
    PyObject *text = NULL;
    if (inside != NULL) {
        text = PyUnicode_FromFormat("%s(%U)", row->name, inside);
        Py_DECREF(inside);
    }
    return text;
}

static PyObject *
brief_stage(gx_program *node)
{
    return gx_stage_brief(node->row, node->args);
}

/* Line i of a list of texts made by `line`, joined by `separator`. */
static PyObject *
join_stages(gx_program *program, PyObject *(*line)(gx_program *), const char *separator)
{
    PyObject *text = NULL, *list = PyList_New(0);
    gx_program **stages = gx_program_stages(program);
    for (Py_ssize_t i = 0; list != NULL && stages != NULL && i < program->size; i++) {
        PyObject *stage = line(stages[i]);
        if (stage == NULL || PyList_Append(list, stage) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(stage);
    }
    PyMem_Free(stages);
    PyObject *glue = PyUnicode_FromString(separator);
    if (list != NULL && stages != NULL && glue != NULL) {
        text = PyUnicode_Join(glue, list);
    }
    Py_XDECREF(glue);
    Py_XDECREF(list);
    return text;
}

PyObject *
gx_program_brief(gx_program *program)
{
    PyObject *text = join_stages(program, brief_stage, " -> ");
    if (text != NULL && program->size > 0) {
        Py_SETREF(text, PyUnicode_FromFormat(" -> %U", text));
    }
    return text;
}

static PyObject *
how_it_runs(gx_program *node)
{
    PyObject *func = node->row->call == GX_CALL_NONE ? Py_None : node->args[0];
    if (func == Py_None || gx_expression_of(func) != NULL) {
        return PyUnicode_FromString("native");
    }
    if (PyFunction_Check(func)) {
        return gx_lift_explain(PyType_GetModuleState(Py_TYPE((PyObject *)node)), func);
    }
    return PyUnicode_FromString(PyMethod_Check(func) ? "calls a Python function"
                                                     : "calls a C function or object");
}

static PyObject *
explain_stage(gx_program *node)
{
    PyObject *text = NULL, *stage = brief_stage(node), *how = how_it_runs(node);
    if (stage != NULL && how != NULL) {
        text = gx_program_is_reducer(node)
                   ? PyUnicode_FromFormat("\n  =  %U: %U", stage, how)
                   : PyUnicode_FromFormat("\n%3zd  %U: %U", node->size, stage, how);
    }
    Py_XDECREF(stage);
    Py_XDECREF(how);
    return text;
}

PyObject *
gx_program_explain(gx_program *program)
{
    return join_stages(program, explain_stage, "");
}

static PyObject *
pipeline_text(gx_program *self, PyObject *(*describe)(gx_program *))
{
    PyObject *stages = describe(self);
    PyObject *text = stages ? PyUnicode_FromFormat("Pipeline()%U", stages) : NULL;
    Py_XDECREF(stages);
    return text;
}

PyObject *
gx_program_repr(PyObject *op)
{
    return pipeline_text(gx_program_CAST(op), gx_program_brief);
}

PyObject *
gx_program_explain_method(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return pipeline_text(gx_program_CAST(op), gx_program_explain);
}

/* -- compose ------------------------------------------------------------ */

static PyObject *
pipeline_stage(PyObject *op, const gx_row *row, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    gx_program *previous = gx_program_CAST(op);
    return (PyObject *)gx_program_call(state, previous, row, true, args, nargs,
                                       kwnames);
}

#define GX_STAGE(name)                                                     \
    extern const char gx_stage_##name##_doc[];                             \
    static PyObject *pipeline_##name(PyObject *op, PyObject *const *args,  \
                                     Py_ssize_t nargs, PyObject *kwnames)  \
    {                                                                      \
        return pipeline_stage(op, &gx_stage_##name, args, nargs, kwnames); \
    }
#include "stages.def"
#undef GX_STAGE

#define GX_TERMINAL_ROW(name)                                                 \
    extern const char gx_terminal_##name##_doc[];                             \
    static PyObject *pipeline_to_##name(PyObject *op, PyObject *const *args,  \
                                        Py_ssize_t nargs, PyObject *kwnames)  \
    {                                                                         \
        return pipeline_stage(op, &gx_terminal_##name, args, nargs, kwnames); \
    }
#include "terminals.def"
#undef GX_TERMINAL_ROW

static PyObject *
pipeline_or(PyObject *left, PyObject *right)
{
    if (Py_TYPE(left)->tp_repr != gx_program_repr ||
        Py_TYPE(right)->tp_repr != gx_program_repr ||
        /* a module that was imported twice */
        PyType_GetModuleState(Py_TYPE(left)) != PyType_GetModuleState(Py_TYPE(right)) ||
        gx_program_is_reducer(gx_program_CAST(left))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    gx_state *state = PyType_GetModuleState(Py_TYPE(left));
    gx_program *first = gx_program_CAST(left), *second = gx_program_CAST(right);
    return (PyObject *)gx_program_concat(state, first, second);
}

/* p(source) is pipe(source) | p. */
static PyObject *
pipeline_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError,
                        "Pipeline.__call__() takes no keyword arguments");
        return NULL;
    }
    if (PyTuple_GET_SIZE(args) != 1) {
        PyErr_Format(PyExc_TypeError, "a Pipeline takes one source (%zd given)",
                     PyTuple_GET_SIZE(args));
        return NULL;
    }
    Py_INCREF(op); /* iter() may have its caller let go of this */
    PyObject *pipe = (PyObject *)GX_TYPE_OF(state, pipe);
    PyObject *source = PyObject_CallOneArg(pipe, PyTuple_GET_ITEM(args, 0));
    PyObject *bound = source != NULL ? PyNumber_Or(source, op) : NULL;
    Py_XDECREF(source);
    Py_DECREF(op);
    return bound;
}

/* -- protocol ----------------------------------------------------------- */

int
gx_program_traverse(PyObject *op, visitproc visit, void *arg)
{
    gx_program *self = gx_program_CAST(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->previous);
    for (int i = 0; self->row != NULL && i < self->row->nargs; i++) {
        Py_VISIT(self->args[i]);
    }
    return 0;
}

/* Immutable, so there is no tp_clear: a cycle through a Pipeline goes through its
   callbacks or inputs too, and is broken there. */
void
gx_program_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    gx_program *self = gx_program_CAST(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, gx_program_dealloc)
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    for (int i = 0; self->row != NULL && i < self->row->nargs; i++) {
        Py_XDECREF(self->args[i]);
    }
    Py_XDECREF((PyObject *)self->previous);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

/* A class attribute, which NumPy looks for on the type: its operators then leave
   `array | pipeline` to us, which refuse it. */
static int
pipeline_ready(PyTypeObject *type)
{
    int rc = PyDict_SetItemString(type->tp_dict, "__array_ufunc__", Py_None);
    PyType_Modified(type);
    return rc;
}

/* The program all pipes start from. */
PyObject *
gx_program_empty(PyTypeObject *type)
{
    return (PyObject *)program_alloc(type, NULL, NULL);
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(pipeline_doc,
"Pipeline()\n--\n\n"
"A program of stages without a source: immutable, reusable, picklable.\n\n"
"Each stage method returns a new Pipeline. Calling it with an iterable gives a\n"
"pipe; p | q appends the stages of q. Two Pipelines are equal only if they are the\n"
"same object.\n\n"
">>> words = Pipeline().map(str.lower).flat_map(str.split)\n"
">>> words(['A b', 'C']).list()\n"
"['a', 'b', 'c']");

const char gx_explain_doc[] =
    "explain($self, /)\n--\n\n"
    "Return the program as text, a line for each stage that says how it runs.\n\n"
    ">>> print(Pipeline().map(str.strip).take(3).explain())\n"
    "Pipeline()\n"
    "  1  map(str.strip): calls a C function or object\n"
    "  2  take(3): native";

static PyMethodDef pipeline_methods[] = {
#define GX_STAGE(name)                                                   \
    {#name, GX_FASTCALL(pipeline_##name), METH_FASTCALL | METH_KEYWORDS, \
     gx_stage_##name##_doc},
#include "stages.def"
#undef GX_STAGE
#define GX_TERMINAL_ROW(name)                                               \
    {#name, GX_FASTCALL(pipeline_to_##name), METH_FASTCALL | METH_KEYWORDS, \
     gx_terminal_##name##_doc},
#include "terminals.def"
#undef GX_TERMINAL_ROW
    {"into", GX_FASTCALL(gx_program_into), METH_FASTCALL | METH_KEYWORDS, gx_into_doc},
    {"check_pickle", GX_FASTCALL(gx_program_check_pickle),
     METH_FASTCALL | METH_KEYWORDS, gx_check_pickle_doc},
    {"explain", gx_program_explain_method, METH_NOARGS, gx_explain_doc},
    {"__reduce__", gx_program_pickle, METH_NOARGS, NULL},
    {"_from_rows", gx_program_from_rows, METH_O | METH_CLASS, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef pipeline_members[] = {
    GX_WEAKLIST_MEMBER(gx_program),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot pipeline_slots[] = {
    {Py_tp_doc, (void *)pipeline_doc},
    {Py_tp_new, pipeline_new},
    {Py_tp_dealloc, gx_program_dealloc},
    {Py_tp_traverse, gx_program_traverse},
    {Py_tp_repr, gx_program_repr},
    {Py_tp_call, pipeline_call},
    {Py_nb_or, pipeline_or},
    {Py_tp_methods, pipeline_methods},
    {Py_tp_members, pipeline_members},
    {0, NULL},
};

static PyType_Spec pipeline_spec = {
    .name = "pygenx.Pipeline",
    .basicsize = offsetof(gx_program, args),
    .itemsize = sizeof(PyObject *),
    .flags = GX_TYPE_FLAGS,
    .slots = pipeline_slots,
};

const gx_typedef gx_Pipeline_typedef = {
    .spec = &pipeline_spec,
    .construct = pipeline_construct,
    .public = true,
    .ready = pipeline_ready,
};
