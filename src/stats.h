/* What pipes and push coroutines know of the Stats that count for them. */

#ifndef PYGENX_STATS_H
#define PYGENX_STATS_H

#include "pipeline.h"

/* The methods stats() and profile() of pipe. */
PyObject *gx_pipe_stats(PyObject *op, PyObject *unused);
PyObject *gx_pipe_profile(PyObject *op, PyObject *unused);
extern const char gx_pipe_stats_doc[], gx_pipe_profile_doc[];

/* Those of a coroutine that runs `program` on what it is sent: the Stats in *slot, which
   is made unless the run is `started`. New reference, or NULL with an error. */
PyObject *gx_stats_of_push(gx_state *state, PyObject **slot, gx_program *program,
                           bool started, bool timed);

/* The pipe has been given `program`, upstream the same; before the run is made. */
void gx_stats_extend(PyObject *op, gx_program *program);
/* Room for the counts of a run of these programs (as gx_run_new takes them) over
   `source`. Gives the program of one step that has to be laid out behind them, to
   count what leaves the last stage: new reference, or NULL with an error. */
gx_program *gx_stats_prepare(PyObject *op, gx_source *source,
                             gx_program *const *programs, Py_ssize_t n);
/* The same program of one step alone. */
gx_program *gx_stats_exit(gx_state *state);
/* From here on the run, which has that step, is counted. */
void gx_stats_attach(PyObject *op, gx_run *run);
/* So is its terminal, just added. */
int gx_stats_terminate(PyObject *op, gx_run *run);

/* stats_row.c: a row, of `name` (stolen) and counts; the table of a tuple of rows. */
typedef enum { GX_COUNTED_SOURCE, GX_COUNTED_STAGE, GX_COUNTED_TERMINAL } gx_counted;

typedef struct {
    gx_counted kind;
    Py_ssize_t items_in, items_out, dropped, errors, high_water;
    int64_t ns;
    bool timed; /* ns means something */
} gx_counts;

PyObject *gx_stats_row_new(gx_state *state, PyObject *name, const gx_counts *counts);
PyObject *gx_stats_table(PyObject *rows, bool timed);

#endif
