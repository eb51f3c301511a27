/* Further iterables that a stage reads besides the upstream: the arguments of chain,
   prepend and zip. */

#ifndef PYGENX_STAGE_INPUTS_H
#define PYGENX_STAGE_INPUTS_H

#include "pipeline.h"

/* args[0] holds the inputs, step->count is the next to be opened. In a Pipeline they
   are a tuple; in a pipe, which runs once, a list that gives each up as it is reached
   and all when the run ends: the program must not keep a source alive. */

/* out[0] = a tuple of them. -1 with MemoryError. */
int gx_stage_take_inputs(PyObject *const *args, Py_ssize_t nargs, PyObject **out);
/* row->parse of a stage that takes nothing else. */
int gx_stage_parse_inputs(const gx_row *row, PyObject *const *args, Py_ssize_t nargs,
                          PyObject *kwnames, PyObject **out);
/* row->check: refuses what is no tuple, and where the program is reusable iterators,
   which can be read only once. */
int gx_stage_check_inputs(gx_state *state, PyObject **args, bool reusable);
/* The next one not reached yet, as given; NULL: there is none. New reference. */
PyObject *gx_stage_next_input(gx_step *step);
/* An input is an iterable, or a function without arguments that makes one, so that a
   program can be run again: the iterable, or NULL with an error. New reference. */
PyObject *gx_stage_made_input(PyObject *input);
/* row->release: let go of those not reached yet, closing them if told to. */
int gx_stage_release_inputs(gx_run *run, gx_step *step, bool close);

#endif
