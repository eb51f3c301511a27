/* What push coroutines run: the stages of a program, and the terminal of a Reducer. */

#include "pipeline.h"
#include "stats.h"

static int
add_terminal(gx_run *run, gx_program *reducer)
{
    PyObject *args[GX_MAX_ARGS] = {NULL};
    for (int i = 0; i < reducer->row->nargs; i++) {
        args[i] = Py_NewRef(reducer->args[i]);
    }
    return gx_run_terminate(run, reducer->row, args);
}

/* The stages alone, counted if there are Stats. */
static gx_run *
make_stages(gx_state *state, gx_program *stages, PyObject *stats)
{
    gx_source source = GX_SOURCE_PUSHED;
    if (stats == NULL) {
        return gx_run_new(state, &source, &stages, 1);
    }
    gx_program *exit = gx_stats_prepare(stats, &source, &stages, 1);
    gx_program *programs[] = {stages, exit};
    gx_run *run = exit != NULL ? gx_run_new(state, &source, programs, 2) : NULL;
    Py_XDECREF((PyObject *)exit);
    if (run != NULL) {
        run->whole = stages->size;
        gx_stats_attach(stats, run);
    }
    return run;
}

gx_run *
gx_push_run_new(gx_state *state, gx_program *program, PyObject *stats)
{
    bool reduces = gx_program_is_reducer(program);
    gx_run *run = make_stages(state, reduces ? program->previous : program, stats);
    if (run == NULL || !reduces) {
        return run;
    }
    int rc = add_terminal(run, program);
    if (rc == 0 && stats != NULL) {
        rc = gx_stats_terminate(stats, run);
    }
    if (rc < 0) {
        gx_run_free(run);
    }
    return rc < 0 ? NULL : run;
}
