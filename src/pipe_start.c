/* How a pipe starts: its program, with those of the pipes it alone holds, is laid out
   as one run over the innermost source. What stands before a through() runs in a pipe
   of its own, which the user's function reads. */

#include "native_generator.h"
#include "pipe.h"
#include "stats.h"

/* The pipe behind `self` if its program can be run as a part of ours: nobody else
   holds it and it has not begun. */
static pipe_object *
joinable(pipe_object *self)
{
    PyObject *obj = self->source.obj;
    if (obj == NULL || !Py_IS_TYPE(obj, Py_TYPE(self)) ||
        !PyUnstable_Object_IsUniquelyReferenced(obj)) {
        return NULL;
    }
    pipe_object *inner = pipe_CAST(obj);
    bool fresh = !inner->started && !inner->ended && !inner->running && !inner->moved;
    bool watched = inner->weakrefs != NULL || inner->stats != NULL;
    return fresh && !watched ? inner : NULL;
}

/* The upstream of a through(): a pipe of its own over the programs up to `last` and
   what stands before `through`. Without a source as yet, and ended: nothing happens
   if it is dropped. */
static pipe_object *
make_upstream(gx_state *state, gx_program *const *programs, Py_ssize_t last,
              gx_program *through)
{
    gx_program *before = (gx_program *)Py_NewRef((PyObject *)programs[0]);
    if (last == 0) {
        Py_SETREF(before, (gx_program *)Py_NewRef((PyObject *)through->previous));
    }
    for (Py_ssize_t i = 1; i <= last && before != NULL; i++) {
        gx_program *next = i < last ? programs[i] : through->previous;
        Py_SETREF(before, gx_program_concat(state, before, next));
    }
    if (before == NULL) {
        return NULL;
    }
    pipe_object *upstream = gx_pipe_alloc(state, before);
    Py_DECREF((PyObject *)before);
    if (upstream != NULL) {
        upstream->ended = true;
    }
    return upstream;
}

/* The run of what stands behind the last through(), in programs[last]. */
static gx_run *
make_run_behind(pipe_object *self, gx_state *state, gx_source *source,
                gx_program *const *programs, Py_ssize_t n, Py_ssize_t last,
                Py_ssize_t whole)
{
    gx_program *through = programs[last]->through;
    pipe_object *upstream = make_upstream(state, programs, last, through);
    if (upstream == NULL) {
        return NULL;
    }
    gx_run *run = NULL;
    gx_source behind = GX_SOURCE_NONE;
    PyObject *made = gx_through_over(state, through, (PyObject *)upstream, whole);
    if (made != NULL) {
        gx_iterator_CAST(made)->owner = upstream->owner = self->owner;
        gx_source_adopt(state, &behind, made);
        run = gx_run_new(state, &behind, programs + last, n - last);
    }
    if (run != NULL) {
        run->offset = 0;
        for (Py_ssize_t i = 0; i < last; i++) {
            run->offset += programs[i]->size;
        }
        run->offset += through->size;
        upstream->whole = whole;
        upstream->counted_by = Py_XNewRef(self->stats ? self->stats : self->counted_by);
        upstream->reads_lines = self->reads_lines;
        upstream->source = *source;
        upstream->ended = false;
        *source = GX_SOURCE_NONE;
    }
    gx_source_drop(&behind);
    Py_DECREF((PyObject *)upstream);
    return run;
}

static gx_run *
make_run_over(pipe_object *self, gx_source *source, gx_program *const *programs,
              Py_ssize_t n, Py_ssize_t whole)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(self));
    Py_ssize_t last = n - 1;
    while (last > 0 && programs[last]->through == NULL) {
        last--;
    }
    gx_run *run = programs[last]->through == NULL
                      ? gx_run_new(state, source, programs, n)
                      : make_run_behind(self, state, source, programs, n, last, whole);
    if (run != NULL) {
        run->whole = whole;
    }
    return run;
}

/* The same, counted: there is room for one more program. */
static gx_run *
make_counted_run(pipe_object *self, gx_source *source, gx_program **programs,
                 Py_ssize_t n, Py_ssize_t whole)
{
    PyObject *stats = self->stats != NULL ? self->stats : self->counted_by;
    gx_state *state = PyType_GetModuleState(Py_TYPE(self));
    gx_program *exit = self->stats != NULL
                           ? gx_stats_prepare(stats, source, programs, n)
                           : gx_stats_exit(state);
    if (exit == NULL) {
        return NULL;
    }
    programs[n] = exit;
    gx_run *run = make_run_over(self, source, programs, n + 1, whole);
    Py_DECREF((PyObject *)exit);
    if (run != NULL) {
        gx_stats_attach(stats, run);
    }
    return run;
}

/* One flat run over all programs of a tower of pipes, innermost source first. The
   inner pipes die with the references to them. */
static gx_run *
make_run(pipe_object *self)
{
    Py_ssize_t depth = 1;
    for (pipe_object *p = self; (p = joinable(p)) != NULL;) {
        depth++;
    }
    gx_program **programs = PyMem_New(gx_program *, (size_t)depth + 1);
    if (programs == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    pipe_object *innermost = self;
    Py_ssize_t whole = self->program->size;
    programs[depth - 1] = self->program;
    for (Py_ssize_t i = depth - 2; i >= 0; i--) {
        innermost = pipe_CAST(innermost->source.obj);
        innermost->running = true; /* who finds it through gc cannot close it */
        programs[i] = innermost->program;
        whole += programs[i]->size;
        self->owner = self->owner || innermost->owner;
        self->reads_lines = self->reads_lines || innermost->reads_lines;
    }
    whole = self->whole > 0 ? self->whole : whole;
    bool counted = self->stats != NULL || self->counted_by != NULL;
    gx_run *run =
        (counted ? make_counted_run(self, &innermost->source, programs, depth, whole)
                 : make_run_over(self, &innermost->source, programs, depth, whole));
    PyMem_Free(programs);
    pipe_object *inner = self;
    for (Py_ssize_t i = 1; i < depth; i++) {
        inner = pipe_CAST(inner->source.obj);
        inner->running = false;
        inner->ended = run != NULL; /* its program runs here: nothing to finalize */
    }
    return run;
}

int
gx_pipe_start(pipe_object *self)
{
    if (self->run != NULL) {
        return 0;
    }
    gx_run *run = make_run(self);
    if (run == NULL) {
        return -1;
    }
    run->owner = self->owner;
    self->run = run;
    gx_source_drop(&self->source); /* a joined pipe, or nothing */
    return 0;
}

int
gx_pipe_begin(pipe_object *self)
{
    if (self->run != NULL) {
        return 0;
    }
    if (gx_pipe_start(self) < 0) {
        return -1;
    }
    gx_run *run = self->run;
    int rc = gx_take_apart(run->state, &run->steps->source, &run->expression);
    return rc < 0 ? -1 : 0;
}
