/* What is done with a pipe: stages move its source into a new one, terminals run it to
   its end. */

#include "pipe.h"

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

/* -- terminals ---------------------------------------------------------- */

/* Run to the end with a terminal as the last step; the pipe has ended whatever
   happens. Called with `running` set; takes args. */
static PyObject *
drain(pipe_object *self, const gx_row *row, PyObject **args)
{
    PyObject *result = NULL;
    if (gx_pipe_start(self) < 0) {
        for (int i = 0; i < GX_MAX_ARGS; i++) {
            Py_XDECREF(args[i]);
        }
        return NULL;
    }
    gx_run *run = self->run;
    if (gx_run_terminate(run, row, args) == 0 && gx_run_next(run) == NULL &&
        !PyErr_Occurred()) {
        result = row->result(run, run->end - 1);
        if (!self->ended) { /* else .result stays what that end left */
            Py_XSETREF(self->result, Py_XNewRef(run->result));
        }
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
    self->taken = row->name;
    self->started = true;
    self->running = true;
    PyObject *result = drain(self, row, out);
    if (gx_iterator_finish((PyObject *)self, self->owner) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

PyObject *
gx_pipe_terminal(PyObject *op, const gx_row *row, PyObject *const *args,
                 Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = pipe_terminal_locked(pipe_CAST(op), row, args, nargs, kwnames);
    Py_END_CRITICAL_SECTION();
    return result;
}

PyObject *
gx_pipe_to(PyObject *op, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    if (nargs < 1) {
        PyErr_SetString(PyExc_TypeError,
                        "to() missing 1 required positional argument: 'func'");
        return NULL;
    }
    PyObject *func = PyTuple_GET_ITEM(args, 0);
    if (gx_check_callable(func, "func") < 0 || gx_pipe_is_taken(op)) {
        return NULL;
    }
    PyObject *with_self = PyTuple_New(nargs);
    if (with_self == NULL) {
        return NULL;
    }
    PyTuple_SET_ITEM(with_self, 0, Py_NewRef(op));
    for (Py_ssize_t i = 1; i < nargs; i++) {
        PyTuple_SET_ITEM(with_self, i, Py_NewRef(PyTuple_GET_ITEM(args, i)));
    }
    PyObject *result = PyObject_Call(func, with_self, kwargs);
    Py_DECREF(with_self);
    return result;
}
