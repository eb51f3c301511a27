/* pipe: a program bound to a source, an iterator of single use. Stages move the
   source into a new pipe; terminals run the loop to its end. */

#include "pipe.h"
#include "stats.h"

/* -- struct ------------------------------------------------------------- */

/* pipe_object of pipe.h. */

static const gx_protocol pipe_protocol;

/* -- construct ---------------------------------------------------------- */

pipe_object *
gx_pipe_alloc(gx_state *state, gx_program *program)
{
    PyTypeObject *type = GX_TYPE_OF(state, pipe);
    pipe_object *self = pipe_CAST(type->tp_alloc(type, 0));
    if (self != NULL) {
        self->protocol = &pipe_protocol;
        self->source = GX_SOURCE_NONE;
        self->program = (gx_program *)Py_NewRef((PyObject *)program);
    }
    return self;
}

PyObject *
gx_pipe_over(gx_state *state, PyObject *iterable)
{
    gx_source source = GX_SOURCE_NONE;
    if (gx_source_open(state, &source, iterable) < 0) {
        return NULL;
    }
    pipe_object *self = gx_pipe_alloc(state, gx_program_CAST(state->empty_program));
    if (self == NULL) {
        gx_source_drop(&source);
        return NULL;
    }
    self->source = source;
    self->reads_lines = Py_IS_TYPE(source.obj, GX_TYPE_OF(state, lines_source));
    return (PyObject *)self;
}

static PyObject *
pipe_construct(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    static const char *const params[] = {"source", NULL};
    static const gx_signature signature = {"pipe", params, 1, 1, 1};
    PyObject *out[1];
    if (PyVectorcall_NARGS(nargsf) > 1) {
        PyErr_SetString(PyExc_TypeError,
                        "pipe() takes one source; use .map(f) or .to(f)");
        return NULL;
    }
    if (gx_parse(&signature, args, nargsf, kwnames, out) < 0) {
        return NULL;
    }
    return gx_pipe_over(PyType_GetModuleState((PyTypeObject *)type), out[0]);
}

static PyObject *
pipe_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(pipe_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

static PySendResult
pipe_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    pipe_object *self = pipe_CAST(op);
    if (gx_pipe_begin(self) < 0) {
        return PYGEN_ERROR;
    }
    gx_run *run = self->run;
    run->owner = self->owner;
    *out = how == GX_SEND && value != Py_None ? gx_run_send(run, value)
           : how == GX_THROW                  ? gx_run_throw(run, value)
                                              : gx_run_next(run);
    if (*out != NULL) {
        return PYGEN_NEXT;
    }
    if (PyErr_Occurred()) {
        self->survives = how == GX_THROW && run->answered;
        return PYGEN_ERROR;
    }
    *out = Py_NewRef(run->result != NULL ? run->result : Py_None);
    return PYGEN_RETURN;
}

int
gx_pipe_refuse(pipe_object *self)
{
    PyErr_Format(
        PyExc_RuntimeError,
        "this pipe was taken by .%s(); use Pipeline() for a program that can be "
        "reused, .tee() for branches",
        self->taken);
    return -1;
}

bool
gx_pipe_is_taken(PyObject *op)
{
    pipe_object *self = pipe_CAST(op);
    if (self->moved && !self->running) {
        gx_pipe_refuse(self);
        return true;
    }
    return false;
}

/* A run in progress, without the detour through the shared core. NULL without an
   error: the core has to see to it, be it the start, the end or a refusal. */
static inline PyObject *
pipe_next_locked(pipe_object *self)
{
    if (self->run == NULL || self->running || self->ended) {
        return NULL;
    }
    self->running = true;
    PyObject *item = gx_run_next(self->run);
    self->running = false;
    return item;
}

static PyObject *
pipe_next(PyObject *op)
{
    PyObject *item;
    Py_BEGIN_CRITICAL_SECTION(op);
    item = pipe_next_locked(pipe_CAST(op));
    Py_END_CRITICAL_SECTION();
    if (item != NULL || PyErr_Occurred()) {
        return item;
    }
    return gx_pipe_is_taken(op) ? NULL : gx_iterator_next(op);
}

static PySendResult
pipe_am_send(PyObject *op, PyObject *value, PyObject **out)
{
    return gx_pipe_is_taken(op) ? PYGEN_ERROR : gx_iterator_am_send(op, value, out);
}

static PyObject *
pipe_send(PyObject *op, PyObject *value)
{
    return gx_pipe_is_taken(op) ? NULL : gx_iterator_send(op, value);
}

static PyObject *
pipe_throw(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    return gx_pipe_is_taken(op) ? NULL : gx_iterator_throw(op, args, nargs);
}

/* -- stages and terminals ------------------------------------------------ */

#define GX_STAGE(name)                                                    \
    extern const char gx_stage_##name##_doc[];                            \
    static PyObject *pipe_##name(PyObject *op, PyObject *const *args,     \
                                 Py_ssize_t nargs, PyObject *kwnames)     \
    {                                                                     \
        return gx_pipe_stage(op, &gx_stage_##name, args, nargs, kwnames); \
    }
#include "stages.def"
#undef GX_STAGE

#define GX_TERMINAL_ROW(name)                                                   \
    extern const char gx_terminal_##name##_doc[];                               \
    static PyObject *pipe_to_##name(PyObject *op, PyObject *const *args,        \
                                    Py_ssize_t nargs, PyObject *kwnames)        \
    {                                                                           \
        return gx_pipe_terminal(op, &gx_terminal_##name, args, nargs, kwnames); \
    }
#include "terminals.def"
#undef GX_TERMINAL_ROW

static PyObject *
pipe_or(PyObject *left, PyObject *right)
{
    if (Py_TYPE(left)->tp_iternext != pipe_next) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    gx_state *state = PyType_GetModuleState(Py_TYPE(left));
    if (!Py_IS_TYPE(right, GX_TYPE_OF(state, Pipeline))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return gx_pipe_extend(left, gx_program_CAST(right));
}

/* -- protocol ----------------------------------------------------------- */

static int
pipe_release(PyObject *op, bool close)
{
    pipe_object *self = pipe_CAST(op);
    if (self->run == NULL && !close && !self->program->calls_anyway) {
        gx_source_drop(&self->source);
        return 0;
    }
    /* To be closed before it began: chained inputs are closed as well. */
    return gx_pipe_start(self) < 0 ? -1 : gx_run_release(self->run, close);
}

static int
pipe_clear(PyObject *op)
{
    pipe_object *self = pipe_CAST(op);
    gx_run *run = self->run;
    self->run = NULL;
    if (run != NULL) {
        gx_run_free(run);
    }
    gx_source_drop(&self->source);
    Py_CLEAR(self->counted_by);
    Py_CLEAR(self->stats); /* after the run, which counts there */
    Py_CLEAR(self->successor);
    return 0;
}

static void
pipe_forget(PyObject *op)
{
    Py_CLEAR(pipe_CAST(op)->program);
}

/* Dropped half-way: the stages' own clean-up still runs, the sources are only let
   go of. Before it began only what on_close() promises. */
static void
pipe_finalize(PyObject *op)
{
    if (pipe_CAST(op)->run != NULL || pipe_CAST(op)->program->calls_anyway) {
        gx_iterator_finalize(op);
    }
}

static int
pipe_traverse(PyObject *op, visitproc visit, void *arg)
{
    pipe_object *self = pipe_CAST(op);
    GX_VISIT_ITERATOR(op);
    GX_VISIT_SOURCE(&self->source);
    Py_VISIT(self->program);
    Py_VISIT(self->stats);
    Py_VISIT(self->counted_by);
    Py_VISIT(self->successor);
    return self->run == NULL ? 0 : gx_run_traverse(self->run, visit, arg);
}

/* Leaving a `with` block closes whoever has the source now. */
static PyObject *
pipe_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *last = Py_NewRef(op);
    while (pipe_CAST(last)->successor != NULL) {
        Py_SETREF(last, Py_NewRef(pipe_CAST(last)->successor));
    }
    PyObject *answer = gx_iterator_exit(last, args, nargs);
    Py_DECREF(last);
    return answer;
}

/* The pipe behind the through() that a started pipe reads, or NULL. */
static pipe_object *
upstream_of(pipe_object *self)
{
    PyObject *obj = self->run != NULL ? self->run->steps->source.obj : NULL;
    return obj != NULL && gx_is_through(self->run->state, obj)
               ? pipe_CAST(gx_through_upstream(obj))
               : NULL;
}

static PyObject *
pipe_enter(PyObject *op, PyObject *unused)
{
    if (gx_pipe_is_taken(op)) {
        return NULL;
    }
    for (pipe_object *p = pipe_CAST(op); p != NULL; p = upstream_of(p)) {
        p->owner = true;
        if (p->run != NULL) {
            p->run->owner = true;
        }
        if (upstream_of(p) != NULL) {
            gx_iterator_CAST(p->run->steps->source.obj)->owner = true;
        }
    }
    return gx_iterator_enter(op, unused);
}

/* The source at the head of it all, behind every through(). */
static gx_source *
head_of(pipe_object *self)
{
    for (pipe_object *p = self; p != NULL; p = upstream_of(p)) {
        self = p;
    }
    assert(self != NULL);
    return self->run != NULL ? &self->run->steps->source : &self->source;
}

/* Of the items that are left: a run not made yet is laid out for the question. */
static Py_ssize_t
pipe_hint(pipe_object *self)
{
    if (self->ended || self->running) {
        return self->running ? GX_HINT_UNKNOWN : 0;
    }
    gx_run *run = self->run;
    if (self->program->through != NULL) {
        return GX_HINT_UNKNOWN;
    }
    gx_source *source = run != NULL ? &run->steps->source : &self->source;
    Py_ssize_t upstream = gx_source_hint(source);
    if (upstream < 0) {
        return upstream;
    }
    if (run != NULL) {
        return gx_run_hint(run, upstream);
    }
    gx_state *state = PyType_GetModuleState(Py_TYPE(self));
    gx_source none = GX_SOURCE_NONE;
    run = gx_run_new(state, &none, &self->program, 1);
    if (run == NULL) {
        return GX_HINT_ERROR;
    }
    upstream = gx_run_hint(run, upstream);
    gx_run_free(run);
    return upstream;
}

static PyObject *
pipe_length_hint(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return gx_hint_object(pipe_hint(pipe_CAST(op)));
}

static gx_state *
pipe_state(PyObject *op)
{
    return PyType_GetModuleState(Py_TYPE(op));
}

/* .path and .lineno of the files being read; None after the end. */
static PyObject *
get_of_lines(pipe_object *self, PyObject *name)
{
    gx_source *source = head_of(self);
    if (!self->reads_lines) {
        PyErr_Format(
            PyExc_AttributeError,
            "'pygenx.pipe' object has no attribute '%U': it does not come from "
            "read_lines()",
            name);
        return NULL;
    }
    return source->obj == NULL ? Py_NewRef(Py_None)
                               : PyObject_GetAttr(source->obj, name);
}

static PyObject *
pipe_get_path(PyObject *op, void *Py_UNUSED(closure))
{
    return get_of_lines(pipe_CAST(op), GX_NAME(pipe_state(op), path));
}

static PyObject *
pipe_get_lineno(PyObject *op, void *Py_UNUSED(closure))
{
    return get_of_lines(pipe_CAST(op), GX_NAME(pipe_state(op), lineno));
}

static PyObject *
pipe_text(pipe_object *self, PyObject *(*describe)(gx_program *))
{
    PyObject *text = NULL;
    gx_source *source = head_of(self);
    PyObject *head = self->moved ? PyUnicode_FromFormat("<taken by .%s()>", self->taken)
                                 : gx_source_brief(source);
    PyObject *stages = describe(self->program);
    if (head != NULL && stages != NULL) {
        text = PyUnicode_FromFormat("pipe(%U)%U", head, stages);
    }
    Py_XDECREF(head);
    Py_XDECREF(stages);
    return text;
}

static PyObject *
pipe_repr(PyObject *op)
{
    return pipe_text(pipe_CAST(op), gx_program_brief);
}

static PyObject *
pipe_explain(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return pipe_text(pipe_CAST(op), gx_program_explain);
}

static const gx_protocol pipe_protocol = {
    .name = "pipe",
    .resume = pipe_resume,
    .release = pipe_release,
    .clear = pipe_clear,
    .forget = pipe_forget,
    .closes_when_dropped = false,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(pipe_doc,
"pipe(source, /)\n--\n\n"
"An iterator over the items of an iterable, to which stages can be added.\n\n"
"Each stage method moves the source into the pipe it returns; a terminal runs the\n"
"pipe to its end in one loop. Nothing is taken from the source before an item is\n"
"asked for. close(), or the end of a with block, closes the source. Raises TypeError\n"
"if source is not iterable.\n\n"
">>> pipe([3, 1, 2]).filter(lambda x: x > 1).map(str).list()\n"
"['3', '2']");

PyDoc_STRVAR(pipe_into_doc,
"into($self, target, /)\n--\n\n"
"Send every item to target, close it and return its result, as feed(pipe, target).\n\n"
">>> import operator\n"
">>> pipe([1, 2, 3]).map(str).into(fold(operator.add, ''))\n"
"'123'");

PyDoc_STRVAR(pipe_tee_doc,
"tee($self, /, n=2, *, lock=False, maxlen=None)\n--\n\n"
"Split the pipe into a tuple of n independent ones, which share what it does.\n\n"
">>> a, b = pipe('abc').map(str.upper).tee()\n"
">>> a.join(), b.enumerate().list()\n"
"('ABC', [(0, 'A'), (1, 'B'), (2, 'C')])");

PyDoc_STRVAR(pipe_partition_doc,
"partition($self, /, pred, *, maxlen=None)\n--\n\n"
"Split the pipe into two: of the items for which pred is false, and of the others.\n\n"
">>> even, odd = pipe(range(6)).partition(lambda n: n % 2)\n"
">>> even.sum(), odd.list()\n"
"(6, [1, 3, 5])");

PyDoc_STRVAR(pipe_explain_doc,
"explain($self, /)\n--\n\n"
"Return the program as text, a line for each stage that says how it runs.\n\n"
">>> print(pipe(['a', 'b']).map(str.upper).take(3).explain())\n"
"pipe(<list>)\n"
"  1  map(str.upper): calls a C function or object\n"
"  2  take(3): native");

static PyMethodDef pipe_methods[] = {
#define GX_STAGE(name)                                               \
    {#name, GX_FASTCALL(pipe_##name), METH_FASTCALL | METH_KEYWORDS, \
     gx_stage_##name##_doc},
#include "stages.def"
#undef GX_STAGE
#define GX_TERMINAL_ROW(name)                                           \
    {#name, GX_FASTCALL(pipe_to_##name), METH_FASTCALL | METH_KEYWORDS, \
     gx_terminal_##name##_doc},
#include "terminals.def"
#undef GX_TERMINAL_ROW
    {"into", GX_FASTCALL(gx_pipe_into), METH_FASTCALL | METH_KEYWORDS, pipe_into_doc},
    {"tee", GX_FASTCALL(gx_pipe_tee), METH_FASTCALL | METH_KEYWORDS, pipe_tee_doc},
    {"partition", GX_FASTCALL(gx_pipe_partition), METH_FASTCALL | METH_KEYWORDS,
     pipe_partition_doc},
    {"explain", pipe_explain, METH_NOARGS, pipe_explain_doc},
    {"stats", gx_pipe_stats, METH_NOARGS, gx_pipe_stats_doc},
    {"profile", gx_pipe_profile, METH_NOARGS, gx_pipe_profile_doc},
    {"send", pipe_send, METH_O, gx_send_doc},
    {"throw", GX_FASTCALL(pipe_throw), METH_FASTCALL, gx_throw_doc},
    {"close", gx_iterator_close, METH_NOARGS, gx_close_doc},
    {"__enter__", pipe_enter, METH_NOARGS, gx_enter_doc},
    {"__exit__", GX_FASTCALL(pipe_exit), METH_FASTCALL, gx_exit_doc},
    {"__reduce__", gx_iterator_reduce, METH_NOARGS, gx_reduce_doc},
    {"__length_hint__", pipe_length_hint, METH_NOARGS, gx_length_hint_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef pipe_getset[] = {
    GX_ITERATOR_GETSET,
    {"path", pipe_get_path, NULL,
     "The file being read, of a pipe that comes from read_lines(); None after the end.",
     NULL},
    {"lineno", pipe_get_lineno, NULL,
     "The number of the line read last, of a pipe that comes from read_lines(); None after "
     "the end.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef pipe_members[] = {
    GX_WEAKLIST_MEMBER(pipe_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot pipe_slots[] = {
    {Py_tp_doc, (void *)pipe_doc},
    {Py_tp_new, pipe_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_finalize, pipe_finalize},
    {Py_tp_traverse, pipe_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, pipe_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, pipe_next},
    {Py_am_send, pipe_am_send},
    {Py_nb_or, pipe_or},
    {Py_tp_methods, pipe_methods},
    {Py_tp_getset, pipe_getset},
    {Py_tp_members, pipe_members},
    {0, NULL},
};

static PyType_Spec pipe_spec = {
    .name = "pygenx.pipe",
    .basicsize = sizeof(pipe_object),
    .flags = GX_TYPE_FLAGS,
    .slots = pipe_slots,
};

const gx_typedef gx_pipe_typedef = {
    .spec = &pipe_spec,
    .construct = pipe_construct,
    .public = true,
};
