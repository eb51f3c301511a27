/* through: the user's own generator function in a program. The stage has no step: it
   and all before it are the source of what stands behind, an iterator over what the
   function makes of a pipe. */

#include "pipeline.h"

/* -- stage ---------------------------------------------------------------- */

enum { THROUGH_FUNC, THROUGH_VALUES, THROUGH_NAMES };

/* args[1] holds the values of all further arguments, positional first, args[2] the
   names of the last ones. */
static int
through_parse(const gx_row *row, PyObject *const *args, Py_ssize_t nargs,
              PyObject *kwnames, PyObject **out)
{
    PyObject *func;
    if (nargs < 1) {
        return gx_parse(row->signature, args, 0, NULL, &func);
    }
    Py_ssize_t n = nargs - 1 + (kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0);
    out[THROUGH_FUNC] = Py_NewRef(args[0]);
    out[THROUGH_VALUES] = PyTuple_New(n);
    out[THROUGH_NAMES] = kwnames != NULL ? Py_NewRef(kwnames) : PyTuple_New(0);
    if (out[THROUGH_VALUES] == NULL || out[THROUGH_NAMES] == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyTuple_SET_ITEM(out[THROUGH_VALUES], i, Py_NewRef(args[1 + i]));
    }
    return 0;
}

static int
through_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    PyObject *values = args[THROUGH_VALUES], *names = args[THROUGH_NAMES];
    if (gx_check_callable(args[THROUGH_FUNC], "func") < 0) {
        return -1;
    }
    bool fits = values != NULL && names != NULL && PyTuple_CheckExact(values) &&
                PyTuple_CheckExact(names) &&
                PyTuple_GET_SIZE(names) <= PyTuple_GET_SIZE(values);
    for (Py_ssize_t i = 0; fits && i < PyTuple_GET_SIZE(names); i++) {
        fits = PyUnicode_CheckExact(PyTuple_GET_ITEM(names, i));
    }
    if (!fits) {
        PyErr_SetString(PyExc_TypeError,
                        "the arguments of through() must be a tuple and names");
    }
    return fits ? 0 : -1;
}

static PyObject *
brief_value(PyObject *value)
{
    return PyCallable_Check(value) ? gx_brief_callable(value) : gx_brief(value);
}

static PyObject *
through_args_brief(PyObject *const *args)
{
    PyObject *values = args[THROUGH_VALUES], *names = args[THROUGH_NAMES];
    Py_ssize_t npos = PyTuple_GET_SIZE(values) - PyTuple_GET_SIZE(names);
    PyObject *text = gx_brief_callable(args[THROUGH_FUNC]);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(values) && text != NULL; i++) {
        PyObject *name = i < npos ? NULL : PyTuple_GET_ITEM(names, i - npos);
        PyObject *value = brief_value(PyTuple_GET_ITEM(values, i));
        PyObject *longer = NULL;
        if (value != NULL) {
            longer = PyUnicode_FromFormat("%U, %V%s%U", text, name, "",
                                          name != NULL ? "=" : "", value);
        }
        Py_XDECREF(value);
        Py_SETREF(text, longer);
    }
    return text;
}

static const char *const through_params[] = {"func", NULL};
static const gx_signature through_signature = {"through", through_params, 1, 1, 1};

const gx_row gx_stage_through = {
    .name = "through",
    .signature = &through_signature,
    .nargs = 3,
    .flags = GX_ONE_TO_ONE | GX_PULL_ONLY,
    .call = GX_CALL_ITEM,
    .parse = through_parse,
    .check = through_check,
    .brief = through_args_brief,
};

const char gx_stage_through_doc[] =
    "through($self, func, /, *args, **kwargs)\n--\n\n"
    "Put a generator function of your own into the program: the items are those of\n"
    "func(items, *args, **kwargs), items being a pipe over what comes before.\n\n"
    "func is called when the first item is asked for. Raises TypeError then if what it\n"
    "returns is not iterable.\n\n"
    ">>> def with_next(items):\n"
    "...     last = next(items, None)\n"
    "...     for item in items:\n"
    "...         yield last, item\n"
    "...         last = item\n"
    ">>> pipe('abc').map(str.upper).through(with_next).list()\n"
    "[('A', 'B'), ('B', 'C')]";

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    PyObject *node;     /* owned: the stage, a gx_program */
    PyObject *upstream; /* owned: a pipe over all before it; NULL after the end */
    gx_source inner;    /* what the function returned */
    Py_ssize_t whole;   /* number of stages that notes speak of */
    Py_ssize_t given;   /* items handed out */
    bool opened;        /* the function has been called, the only time */
} through_object;

#define through_CAST(op) ((through_object *)(op))

static const gx_protocol through_protocol;

/* -- construct ---------------------------------------------------------- */

PyObject *
gx_through_over(gx_state *state, gx_program *node, PyObject *upstream, Py_ssize_t whole)
{
    PyTypeObject *type = GX_TYPE_OF(state, through_source);
    through_object *self = through_CAST(type->tp_alloc(type, 0));
    if (self != NULL) {
        self->protocol = &through_protocol;
        self->inner = GX_SOURCE_NONE;
        self->node = Py_NewRef((PyObject *)node);
        self->upstream = Py_NewRef(upstream);
        self->whole = whole;
    }
    return (PyObject *)self;
}

bool
gx_is_through(gx_state *state, PyObject *obj)
{
    return Py_IS_TYPE(obj, GX_TYPE_OF(state, through_source));
}

PyObject *
gx_through_upstream(PyObject *obj)
{
    return through_CAST(obj)->upstream;
}

PyObject *
gx_through_brief(PyObject *obj)
{
    gx_program *node = gx_program_CAST(through_CAST(obj)->node);
    return gx_stage_brief(node->row, node->args);
}

/* -- iterate ------------------------------------------------------------ */

/* func(upstream, *values), the last of them by name. */
static PyObject *
call_func(through_object *self)
{
    PyObject *const *args = gx_program_CAST(self->node)->args;
    PyObject *values = args[THROUGH_VALUES], *names = args[THROUGH_NAMES];
    Py_ssize_t n = PyTuple_GET_SIZE(values);
    PyObject **stack = PyMem_New(PyObject *, (size_t)n + 2);
    if (stack == NULL) {
        return PyErr_NoMemory();
    }
    stack[0] = NULL;
    stack[1] = self->upstream;
    for (Py_ssize_t i = 0; i < n; i++) {
        stack[2 + i] = PyTuple_GET_ITEM(values, i);
    }
    size_t nargs = (size_t)(1 + n - PyTuple_GET_SIZE(names));
    PyObject *made = PyObject_Vectorcall(args[THROUGH_FUNC], stack + 1,
                                         nargs | PY_VECTORCALL_ARGUMENTS_OFFSET,
                                         PyTuple_GET_SIZE(names) > 0 ? names : NULL);
    PyMem_Free(stack);
    return made;
}

/* Once only: an error is the end of it, as of a generator. */
static int
through_open(through_object *self)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(self));
    self->opened = true;
    PyObject *made = call_func(self);
    int rc = made == NULL ? -1 : gx_source_open(state, &self->inner, made);
    Py_XDECREF(made);
    if (rc < 0 && PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyObject *raised = PyErr_GetRaisedException();
        PyObject *stage = gx_through_brief((PyObject *)self);
        PyErr_Clear(); /* of making the text only */
        PyErr_SetRaisedException(raised);
        gx_no_stop_iteration("%V", stage, "through");
        Py_XDECREF(stage);
    }
    return rc;
}

static PySendResult
through_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    through_object *self = through_CAST(op);
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    if (!self->opened && through_open(self) < 0) {
        return PYGEN_ERROR;
    }
    PySendResult answer = gx_source_resume(state, &self->inner, how, value, out);
    self->given += answer == PYGEN_NEXT;
    return answer;
}

/* -- protocol ----------------------------------------------------------- */

/* The generator first, it may still ask the upstream. */
static int
through_release(PyObject *op, bool close)
{
    through_object *self = through_CAST(op);
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    PyObject *upstream = self->upstream, *error = NULL;
    self->upstream = NULL;
    self->opened = true;
    if (close) {
        gx_collect_error(gx_source_close(state, &self->inner), &error);
        if (upstream != NULL) {
            gx_collect_error(gx_close(state, upstream), &error);
        }
    } else {
        gx_source_drop(&self->inner);
    }
    Py_XDECREF(upstream);
    return gx_raise_collected(error);
}

static int
through_clear(PyObject *op)
{
    through_object *self = through_CAST(op);
    self->opened = true;
    gx_source_drop(&self->inner);
    Py_CLEAR(self->upstream);
    return 0;
}

static void
through_forget(PyObject *op)
{
    Py_CLEAR(through_CAST(op)->node);
}

static int
through_traverse(PyObject *op, visitproc visit, void *arg)
{
    through_object *self = through_CAST(op);
    GX_VISIT_ITERATOR(op);
    GX_VISIT_SOURCE(&self->inner);
    Py_VISIT(self->upstream);
    Py_VISIT(self->node);
    return 0;
}

static void
through_note(PyObject *op)
{
    through_object *self = through_CAST(op);
    PyObject *exc = gx_note_begin();
    if (exc != NULL) {
        PyObject *stage = gx_through_brief(op);
        gx_note_end(exc, "stage %zd/%zd %V, item %zd",
                    gx_program_CAST(self->node)->size, self->whole, stage, "through",
                    self->given);
        Py_XDECREF(stage);
    }
}

static const gx_protocol through_protocol = {
    .name = "through",
    .resume = through_resume,
    .release = through_release,
    .clear = through_clear,
    .forget = through_forget,
    .note = through_note,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(through_doc,
"What a through() stage and all before it are to the stages behind.");

static PyMethodDef through_methods[] = {
    GX_ITERATOR_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef through_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef through_members[] = {
    GX_WEAKLIST_MEMBER(through_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot through_slots[] = {
    {Py_tp_doc, (void *)through_doc},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, through_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, gx_iterator_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, through_methods},
    {Py_tp_getset, through_getset},
    {Py_tp_members, through_members},
    {0, NULL},
};

static PyType_Spec through_spec = {
    .name = "pygenx.through_source",
    .basicsize = sizeof(through_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = through_slots,
};

const gx_typedef gx_through_source_typedef = {
    .spec = &through_spec,
};
