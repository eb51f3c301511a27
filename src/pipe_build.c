/* What is done with a pipe: stages move its source into a new one, terminals run it to
   its end. */

#include "pipe.h"
#include "sink.h"
#include "stats.h"

/* -- stages ------------------------------------------------------------- */

static int
check_extensible(pipe_object *self, const char *name)
{
    if (self->running) {
        gx_reentrancy((PyObject *)self, "pipe");
        return -1;
    }
    if (self->taken != NULL) {
        return gx_pipe_refuse(self);
    }
    if (self->started) {
        PyErr_Format(PyExc_RuntimeError,
                     "this pipe has started; add .%s() before the first item is taken",
                     name);
        return -1;
    }
    return 0;
}

/* Move the source into a new pipe that runs `program` (taken). Ownership moves too;
   a pipe entered by `with` remembers who has its source, to close it on exit. */
static PyObject *
pipe_move(pipe_object *self, gx_program *program, const char *name)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(self));
    pipe_object *next = gx_pipe_alloc(state, program);
    Py_DECREF((PyObject *)program);
    if (next == NULL) {
        return NULL;
    }
    if (self->stats != NULL && self->run == NULL) { /* a closed one keeps its counts */
        next->stats = Py_NewRef(self->stats);
        gx_stats_extend(next->stats, next->program);
    }
    next->source = self->source;
    next->owner = self->owner;
    next->reads_lines = self->reads_lines;
    next->ended = self->ended; /* a closed pipe gives a closed pipe */
    self->source = GX_SOURCE_NONE;
    self->taken = name;
    self->moved = true;
    self->ended = true; /* nothing to close, release or finalize any more */
    if (self->owner) {
        self->successor = Py_NewRef((PyObject *)next);
    }
    return (PyObject *)next;
}

static PyObject *
pipe_stage_locked(pipe_object *self, const gx_row *row, PyObject *const *args,
                  Py_ssize_t nargs, PyObject *kwnames)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (check_extensible(self, row->name) < 0) {
        return NULL;
    }
    gx_program *program =
        gx_program_call(state, self->program, row, false, args, nargs, kwnames);
    if (program == NULL) {
        return NULL;
    }
    /* Checking the arguments may have run user code. */
    if (check_extensible(self, row->name) < 0) {
        Py_DECREF((PyObject *)program);
        return NULL;
    }
    return pipe_move(self, program, row->name);
}

PyObject *
gx_pipe_stage(PyObject *op, const gx_row *row, PyObject *const *args, Py_ssize_t nargs,
              PyObject *kwnames)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = pipe_stage_locked(pipe_CAST(op), row, args, nargs, kwnames);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *
pipe_extend_locked(pipe_object *self, gx_program *right)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (check_extensible(self, "__or__") < 0) {
        return NULL;
    }
    gx_program *program = gx_program_concat(state, self->program, right);
    return program == NULL ? NULL : pipe_move(self, program, "__or__");
}

PyObject *
gx_pipe_extend(PyObject *op, gx_program *program)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = pipe_extend_locked(pipe_CAST(op), program);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* The pipe that has taken this one's source and program, for others to read. */
PyObject *
gx_pipe_give_up(PyObject *op, const char *name)
{
    pipe_object *self = pipe_CAST(op);
    PyObject *heir = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (check_extensible(self, name) == 0) {
        heir =
            pipe_move(self, (gx_program *)Py_NewRef((PyObject *)self->program), name);
    }
    Py_END_CRITICAL_SECTION();
    return heir;
}

/* -- terminals ---------------------------------------------------------- */

static int
count_terminal(pipe_object *self)
{
    return self->stats != NULL ? gx_stats_terminate(self->stats, self->run) : 0;
}

/* Run to the end with a terminal as the last step; the pipe has ended whatever
   happens. Called with `running` set; takes args. */
static PyObject *
drain(pipe_object *self, const gx_row *row, PyObject **args)
{
    PyObject *result = NULL;
    if (gx_pipe_begin(self) < 0) {
        for (int i = 0; i < GX_MAX_ARGS; i++) {
            Py_XDECREF(args[i]);
        }
        return NULL;
    }
    gx_run *run = self->run;
    if (gx_run_terminate(run, row, args) == 0 && count_terminal(self) == 0 &&
        gx_run_next(run) == NULL && !PyErr_Occurred()) {
        result = row->result(run, run->end - 1);
    }
    if (!self->ended) { /* else .result stays what that end left */
        Py_XSETREF(self->result, Py_XNewRef(run->result));
    }
    return result;
}

/* Takes args. */
static PyObject *
run_terminal(pipe_object *self, const gx_row *row, PyObject **args)
{
    self->taken = row->name;
    self->started = true;
    self->running = true;
    PyObject *result = drain(self, row, args);
    if (gx_iterator_finish((PyObject *)self, self->owner) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static int
check_drainable(pipe_object *self)
{
    if (self->running) {
        gx_reentrancy((PyObject *)self, "pipe");
        return -1;
    }
    return self->taken != NULL ? gx_pipe_refuse(self) : 0;
}

static PyObject *
pipe_terminal_locked(pipe_object *self, const gx_row *row, PyObject *const *args,
                     Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *out[GX_MAX_ARGS];
    gx_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (gx_row_bind(state, row, false, args, nargs, kwnames, out) < 0) {
        return NULL;
    }
    if (check_drainable(self) < 0) { /* only now: binding may have run user code */
        for (int i = 0; i < GX_MAX_ARGS; i++) {
            Py_XDECREF(out[i]);
        }
        return NULL;
    }
    return run_terminal(self, row, out);
}

/* Terminals that are a function of the pipe: no lock is held, no guard set. */
static PyObject *
pipe_apply(PyObject *op, const gx_row *row, PyObject *const *args, Py_ssize_t nargs,
           PyObject *kwnames)
{
    PyObject *out[GX_MAX_ARGS], *result = NULL;
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    if (gx_row_bind(state, row, false, args, nargs, kwnames, out) < 0) {
        return NULL;
    }
    result = row->apply(op, out);
    for (int i = 0; i < GX_MAX_ARGS; i++) {
        Py_XDECREF(out[i]);
    }
    return result;
}

PyObject *
gx_pipe_terminal(PyObject *op, const gx_row *row, PyObject *const *args,
                 Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *result;
    if (row->apply != NULL) {
        return pipe_apply(op, row, args, nargs, kwnames);
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    result = pipe_terminal_locked(pipe_CAST(op), row, args, nargs, kwnames);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* The arguments belong to the Reducer: the run gets references of its own. */
static PyObject *
pipe_reduce_locked(pipe_object *self, gx_program *reducer)
{
    PyObject *args[GX_MAX_ARGS] = {NULL};
    for (int i = 0; i < reducer->row->nargs; i++) {
        args[i] = Py_NewRef(reducer->args[i]);
    }
    return run_terminal(self, reducer->row, args);
}

PyObject *
gx_pipe_reduce(gx_state *state, gx_program *reducer, PyObject *iterable)
{
    PyObject *result, *op = gx_pipe_over(state, iterable);
    if (op == NULL) {
        return NULL;
    }
    Py_SETREF(pipe_CAST(op)->program,
              (gx_program *)Py_NewRef((PyObject *)reducer->previous));
    if (reducer->row->apply != NULL) {
        result = reducer->row->apply(op, reducer->args);
    } else {
        Py_BEGIN_CRITICAL_SECTION(op);
        result = pipe_reduce_locked(pipe_CAST(op), reducer);
        Py_END_CRITICAL_SECTION();
    }
    Py_DECREF(op);
    return result;
}

/* -- to ----------------------------------------------------------------- */

enum { TO_FUNC, TO_ARGS, TO_KWARGS };

/* args[]: the function, the tuple and the dict of its further arguments. */
static int
to_parse(const gx_row *Py_UNUSED(row), PyObject *const *args, Py_ssize_t nargs,
         PyObject *kwnames, PyObject **out)
{
    if (nargs < 1) {
        PyErr_SetString(PyExc_TypeError,
                        "to() missing 1 required positional argument: 'func'");
        return -1;
    }
    out[TO_FUNC] = Py_NewRef(args[0]);
    out[TO_ARGS] = PyTuple_New(nargs - 1);
    out[TO_KWARGS] = PyDict_New();
    if (out[TO_ARGS] == NULL || out[TO_KWARGS] == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 1; i < nargs; i++) {
        PyTuple_SET_ITEM(out[TO_ARGS], i - 1, Py_NewRef(args[i]));
    }
    Py_ssize_t nkw = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t i = 0; i < nkw; i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        if (PyDict_SetItem(out[TO_KWARGS], name, args[nargs + i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
to_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    if (args[TO_ARGS] == NULL || !PyTuple_CheckExact(args[TO_ARGS]) ||
        args[TO_KWARGS] == NULL || !PyDict_CheckExact(args[TO_KWARGS])) {
        PyErr_SetString(PyExc_TypeError,
                        "the arguments of to() must be a tuple and a dict");
        return -1;
    }
    return gx_check_callable(args[TO_FUNC], "func");
}

/* What func does with the pipe is its own affair: the pipe does not end by this. */
static PyObject *
to_apply(PyObject *pipe, PyObject *const *args)
{
    Py_ssize_t nargs = PyTuple_GET_SIZE(args[TO_ARGS]);
    PyObject *with_pipe = gx_pipe_is_taken(pipe) ? NULL : PyTuple_New(1 + nargs);
    if (with_pipe == NULL) {
        return NULL;
    }
    PyTuple_SET_ITEM(with_pipe, 0, Py_NewRef(pipe));
    for (Py_ssize_t i = 0; i < nargs; i++) {
        PyObject *arg = PyTuple_GET_ITEM(args[TO_ARGS], i);
        PyTuple_SET_ITEM(with_pipe, 1 + i, Py_NewRef(arg));
    }
    PyObject *result = PyObject_Call(args[TO_FUNC], with_pipe, args[TO_KWARGS]);
    Py_DECREF(with_pipe);
    return result;
}

static PyObject *
to_brief(PyObject *const *args)
{
    PyObject *func = gx_brief_callable(args[TO_FUNC]);
    bool more = PyTuple_GET_SIZE(args[TO_ARGS]) + PyDict_GET_SIZE(args[TO_KWARGS]) > 0;
    if (func != NULL && more) {
        Py_SETREF(func, PyUnicode_FromFormat("%U, ...", func));
    }
    return func;
}

const gx_row gx_terminal_to = {
    .name = "to",
    .nargs = 3,
    .flags = GX_TERMINAL | GX_PULL_ONLY,
    .parse = to_parse,
    .check = to_check,
    .brief = to_brief,
    .apply = to_apply,
};

const char gx_terminal_to_doc[] =
    "to($self, func, /, *args, **kwargs)\n--\n\n"
    "Return func(pipe, *args, **kwargs).\n\n"
    ">>> pipe([3, 1, 2]).to(sorted, reverse=True)\n"
    "[3, 2, 1]";

/* -- into --------------------------------------------------------------- */

static int
pipe_take_locked(pipe_object *self, const char *name)
{
    if (check_drainable(self) < 0) {
        return -1;
    }
    self->taken = name;
    self->started = true;
    return 0;
}

/* The target drives: a feed that reads the pipe, whose end it is however it ends. The
   target is looked at before the pipe is used up. */
static PyObject *
pipe_feed(PyObject *op, PyObject *target)
{
    int rc;
    gx_sink sink = GX_SINK_NONE;
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    if (gx_sink_open(state, &sink, target, "into() argument 'target'") < 0) {
        return NULL;
    }
    gx_sink_drop(&sink);
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = pipe_take_locked(pipe_CAST(op), "into");
    Py_END_CRITICAL_SECTION();
    if (rc < 0) {
        return NULL;
    }
    PyObject *result = gx_feed_into(state, op, target);
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = gx_iterator_leave(op, pipe_CAST(op)->owner);
    Py_END_CRITICAL_SECTION();
    if (rc < 0) {
        Py_CLEAR(result);
    }
    return result;
}

PyObject *
gx_pipe_into(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const params[] = {"target", NULL};
    static const gx_signature signature = {"into", params, 1, 1, 1};
    PyObject *out[1];
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0) {
        return NULL;
    }
    return pipe_feed(op, out[0]);
}
