/* What pipe.c, the type, and pipe_build.c, stages and terminals, both know of a pipe. */

#ifndef PYGENX_PIPE_H
#define PYGENX_PIPE_H

#include "pipeline.h"

typedef struct {
    GX_ITERATOR_HEAD
    gx_source source;     /* until the run is made, which takes it over */
    gx_program *program;  /* owned */
    gx_run *run;          /* owned; NULL until an item is asked for */
    const char *taken;    /* the stage or terminal that used this pipe up, or NULL */
    bool moved;           /* by a stage: the source is elsewhere */
    bool reads_lines;     /* made by read_lines(): has .path and .lineno */
    PyObject *stats;      /* owned: what counts for this pipe, or NULL */
    PyObject *successor;  /* owned: the pipe that took an entered one's source */
    PyObject *counted_by; /* owned: upstream of a through(): the Stats, or NULL */
    Py_ssize_t whole; /* upstream of a through(): stages that notes speak of, or 0 */
} pipe_object;

#define pipe_CAST(op) ((pipe_object *)(op))

/* pipe_start.c. -1 with an error; afterwards self->run is there. */
int gx_pipe_start(pipe_object *self);
/* The same where an item will be asked for next: its source may be taken apart. */
int gx_pipe_begin(pipe_object *self);
/* pipe.c. */
pipe_object *gx_pipe_alloc(gx_state *state, gx_program *program);
/* True, with the error, if a stage has taken the source away. */
bool gx_pipe_is_taken(PyObject *op);
/* -1 with the RuntimeError that names who has used this pipe up. */
int gx_pipe_refuse(pipe_object *self);

/* pipe_build.c. A new pipe with one stage more; the value of a terminal; a new pipe
   with the stages of a program; the result of a target that was fed. */
PyObject *gx_pipe_stage(PyObject *op, const gx_row *row, PyObject *const *args,
                        Py_ssize_t nargs, PyObject *kwnames);
PyObject *gx_pipe_terminal(PyObject *op, const gx_row *row, PyObject *const *args,
                           Py_ssize_t nargs, PyObject *kwnames);
PyObject *gx_pipe_extend(PyObject *op, gx_program *program);
PyObject *gx_pipe_into(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
                       PyObject *kwnames);
/* The pipe that has taken this one's source and program, or NULL (pipe_build.c). */
PyObject *gx_pipe_give_up(PyObject *op, const char *name);
/* pipe_split.c. Tuples of pipes over one whose source and program they share. */
PyObject *gx_pipe_tee(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
                      PyObject *kwnames);
PyObject *gx_pipe_partition(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
                            PyObject *kwnames);

#endif
