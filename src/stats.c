/* Stats: what pipe.stats() and pipe.profile() count, a sequence of a row for the
   source, for each stage and for the terminal; it stays readable when the pipe is
   gone. A row is a type of its own, in stats_row.c.

   A step that is counted has count_step for its `before`, which lets the step do all
   its work, its call included, and looks at the answer: the loop is the same, and a
   run without Stats pays nothing. What a stage gives is what the next one takes;
   behind the last stage stands a step that passes everything on, to be counted. */

#include "stats.h"

#include "pipe.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    PyObject *weakrefs;
    PyObject *source;     /* owned: its text */
    gx_program *program;  /* owned: the stages; NULL from `attach` on, which has */
    PyObject *names;      /* owned: the list of their texts, upstream first */
    PyObject *terminal;   /* owned: its text, or NULL */
    gx_counter *counters; /* owned, or NULL. One for each step of `names` */
    bool timed;           /* made by profile() */
} stats_object;

#define stats_CAST(op) ((stats_object *)(op))

/* -- construct ---------------------------------------------------------- */

/* What a producer sends has no name. */
static PyObject *
source_text(gx_source *source)
{
    return source->fetch == gx_fetch_pushed ? PyUnicode_FromString("send()")
                                            : gx_source_brief(source);
}

static PyObject *
stats_new(gx_state *state, gx_source *source, gx_program *program)
{
    PyTypeObject *type = GX_TYPE_OF(state, Stats);
    PyObject *text = source_text(source);
    stats_object *self = text != NULL ? stats_CAST(type->tp_alloc(type, 0)) : NULL;
    if (self == NULL) {
        Py_XDECREF(text);
        return NULL;
    }
    self->source = text;
    self->program = (gx_program *)Py_NewRef((PyObject *)program);
    return (PyObject *)self;
}

/* Do the counters count? A start that failed leaves some that never did, for fewer
   stages perhaps than there are now. */
static bool
is_counting(const stats_object *self)
{
    return self->counters != NULL && self->program == NULL;
}

/* -- count -------------------------------------------------------------- */

static Py_ssize_t
held_by(gx_step *step)
{
    return step->row->held != NULL ? step->row->held(step) : 0;
}

/* What a step has before it is handed an item; `again`: one of its own source's. */
typedef struct {
    Py_ssize_t held, index;
    bool again;
} moment;

static gx_counter *
count_begin(gx_run *run, gx_step *step, moment *before)
{
    gx_counter *counter = &run->counters[step - run->steps];
    bool again = run->top == step && step->row->flags & GX_AGAIN;
    *before = (moment){held_by(step), run->index, again};
    counter->items += !again;       /* now: a callback may look */
    step->before = counter->before; /* its own, which it may replace */
    return counter;
}

/* Items of the `taken` that neither went on nor are kept. Of a stage that makes one item
   of several nobody knows without `held`. */
static Py_ssize_t
lost(gx_step *step, gx_answer answer, moment *before, Py_ssize_t taken)
{
    bool gone = answer == GX_SKIP || answer == GX_STOP;
    if (step->row->flags & GX_TERMINAL) {
        return 0;
    }
    if (!step->many) {
        return taken - !gone;
    }
    return gone && step->row->held != NULL ? before->held + taken - held_by(step) : 0;
}

/* A stage that makes one item of several had them all just before it gave that. */
static Py_ssize_t
most_held(gx_step *step, gx_answer answer, moment *before, Py_ssize_t taken)
{
    const gx_row *row = step->row;
    bool gave = answer != GX_SKIP && answer != GX_STOP && answer != GX_ERROR;
    Py_ssize_t held = held_by(step), all = before->held + taken;
    bool joins = row->held != NULL && step->many && !(row->flags & GX_AGAIN);
    return gave && joins && all > held ? all : held;
}

/* A first stage may have taken further items from the source by itself. */
static void
count_end(gx_run *run, gx_step *step, gx_answer answer, moment *before,
          gx_counter *counter)
{
    Py_ssize_t more = run->index - before->index, taken = 1 + more;
    Py_ssize_t most = most_held(step, answer, before, taken);
    Py_ssize_t dropped = lost(step, answer, before, taken);
    counter->before = step->before;
    counter->items += more;
    if (most > counter->high_water) {
        counter->high_water = most;
    }
    if (dropped > 0) {
        counter->dropped += dropped;
    }
}

static gx_answer
count_step(gx_run *run, gx_step *step, PyObject **item)
{
    moment before;
    gx_counter *counter = count_begin(run, step, &before);
    gx_answer answer = gx_run_advance(run, step, item);
    count_end(run, step, answer, &before, counter);
    step->before = count_step;
    return answer;
}

static gx_answer
time_step(gx_run *run, gx_step *step, PyObject **item)
{
    moment before;
    gx_counter *counter = count_begin(run, step, &before);
    int64_t begin = gx_clock_ns();
    gx_answer answer = gx_run_advance(run, step, item);
    counter->ns += gx_clock_ns() - begin;
    count_end(run, step, answer, &before, counter);
    step->before = time_step;
    return answer;
}

static Py_ssize_t
same_length(gx_step *Py_UNUSED(step), Py_ssize_t upstream)
{
    return upstream;
}

static const gx_row exit_row = {
    .name = "stats",
    .flags = GX_ONE_TO_ONE,
    .before = gx_pass_on,
    .hint = same_length,
};

static void
count_from_now(stats_object *self, gx_run *run, gx_step *step)
{
    run->counters[step - run->steps].before = step->before;
    step->before = self->timed ? time_step : count_step;
}

/* -- attach ------------------------------------------------------------- */

void
gx_stats_extend(PyObject *op, gx_program *program)
{
    Py_XSETREF(stats_CAST(op)->program, (gx_program *)Py_NewRef((PyObject *)program));
}

/* The texts of the stages of a program, first to last, behind those in `names`. */
static int
add_names(PyObject *names, gx_program *program)
{
    int rc = 0;
    gx_program **stages = gx_program_stages(program);
    for (Py_ssize_t i = 0; stages != NULL && rc == 0 && i < program->size; i++) {
        PyObject *name = gx_stage_brief(stages[i]->row, stages[i]->args);
        rc = name != NULL ? PyList_Append(names, name) : -1;
        Py_XDECREF(name);
    }
    PyMem_Free(stages);
    return stages != NULL ? rc : -1;
}

static PyObject *
names_of(gx_program *const *programs, Py_ssize_t n)
{
    PyObject *names = PyList_New(0);
    for (Py_ssize_t i = 0; names != NULL && i < n; i++) {
        if (add_names(names, programs[i]) < 0) {
            Py_CLEAR(names);
        }
    }
    return names;
}

gx_program *
gx_stats_exit(gx_state *state)
{
    PyObject *args[GX_MAX_ARGS] = {NULL};
    return gx_program_append(state, gx_program_CAST(state->empty_program), &exit_row,
                             args);
}

/* Steps: the source, the stages, the exit, the terminal. Callable again after an
   error. */
gx_program *
gx_stats_prepare(PyObject *op, gx_source *source, gx_program *const *programs,
                 Py_ssize_t n)
{
    stats_object *self = stats_CAST(op);
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    PyObject *text = source_text(source), *names = names_of(programs, n);
    if (text == NULL || names == NULL) {
        Py_XDECREF(text);
        Py_XDECREF(names);
        return NULL;
    }
    Py_SETREF(self->source, text);
    Py_XSETREF(self->names, names);
    PyMem_Free(self->counters);
    self->counters =
        PyMem_Calloc((size_t)PyList_GET_SIZE(names) + 3, sizeof(gx_counter));
    if (self->counters == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    return gx_stats_exit(state);
}

void
gx_stats_attach(PyObject *op, gx_run *run)
{
    stats_object *self = stats_CAST(op);
    run->counters = self->counters + run->offset; /* a through() counts as its source */
    run->timed = self->timed;
    run->nstages--; /* the exit is no stage of the user's */
    for (gx_step *step = run->steps + 1; step < run->end; step++) {
        count_from_now(self, run, step);
    }
    Py_CLEAR(self->program);
}

int
gx_stats_terminate(PyObject *op, gx_run *run)
{
    stats_object *self = stats_CAST(op);
    gx_step *step = run->end - 1;
    PyObject *text = gx_stage_brief(step->row, step->args);
    if (text == NULL) {
        return -1;
    }
    Py_XSETREF(self->terminal, text);
    count_from_now(self, run, step);
    return 0;
}

/* -- methods of pipe ---------------------------------------------------- */

static int
refuse_started(bool timed, const char *what)
{
    PyErr_Format(PyExc_RuntimeError,
                 "this %s has started; call .%s() before the first item is %s", what,
                 timed ? "profile" : "stats", strcmp(what, "pipe") ? "sent" : "taken");
    return -1;
}

/* Times can be added only before the start. */
static int
be_timed(PyObject *op, bool timed, const char *what)
{
    stats_object *stats = stats_CAST(op);
    if (timed && !stats->timed && is_counting(stats)) {
        return refuse_started(timed, what);
    }
    stats->timed = stats->timed || timed;
    return 0;
}

/* Counting is on afterwards, or -1. What counts already goes on counting. */
static int
begin(pipe_object *self, bool timed)
{
    if (self->stats == NULL) {
        if (self->taken != NULL) {
            return gx_pipe_refuse(self);
        }
        if (self->started) {
            return refuse_started(timed, "pipe");
        }
        gx_state *state = PyType_GetModuleState(Py_TYPE(self));
        self->stats = stats_new(state, &self->source, self->program);
        if (self->stats == NULL) {
            return -1;
        }
    }
    return be_timed(self->stats, timed, "pipe");
}

/* Of a Reducer the terminal is known from the start. */
static PyObject *
push_stats_new(gx_state *state, gx_program *program)
{
    gx_source source = GX_SOURCE_PUSHED;
    bool reduces = gx_program_is_reducer(program);
    PyObject *op = stats_new(state, &source, reduces ? program->previous : program);
    if (op != NULL && reduces) {
        stats_CAST(op)->terminal = gx_stage_brief(program->row, program->args);
        if (stats_CAST(op)->terminal == NULL) {
            Py_CLEAR(op);
        }
    }
    return op;
}

PyObject *
gx_stats_of_push(gx_state *state, PyObject **slot, gx_program *program, bool started,
                 bool timed)
{
    if (*slot == NULL) {
        if (started) {
            refuse_started(timed, "coroutine");
            return NULL;
        }
        *slot = push_stats_new(state, program);
    }
    return *slot == NULL || be_timed(*slot, timed, "coroutine") < 0 ? NULL
                                                                    : Py_NewRef(*slot);
}

static PyObject *
stats_of(PyObject *op, bool timed)
{
    PyObject *stats;
    Py_BEGIN_CRITICAL_SECTION(op);
    stats = begin(pipe_CAST(op), timed) < 0 ? NULL : Py_NewRef(pipe_CAST(op)->stats);
    Py_END_CRITICAL_SECTION();
    return stats;
}

PyObject *
gx_pipe_stats(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return stats_of(op, false);
}

PyObject *
gx_pipe_profile(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return stats_of(op, true);
}

/* -- protocol ----------------------------------------------------------- */

/* The texts of the stages, until the run is made those of the program. New
   reference. */
static PyObject *
stage_names(stats_object *self)
{
    if (self->program != NULL) {
        return names_of(&self->program, 1);
    }
    return self->names != NULL ? Py_NewRef(self->names) : PyList_New(0);
}

static Py_ssize_t
stats_length(PyObject *op)
{
    stats_object *self = stats_CAST(op);
    Py_ssize_t stages = self->program != NULL ? self->program->size
                        : self->names != NULL ? PyList_GET_SIZE(self->names)
                                              : 0;
    return 1 + stages + (self->terminal != NULL);
}

/* Row i of 1 + nstages, or behind them the terminal's, whose step comes after the
   exit. `name` is stolen. */
static PyObject *
row_at(stats_object *self, Py_ssize_t i, Py_ssize_t nstages, PyObject *name)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE((PyObject *)self));
    bool terminal = i > nstages;
    gx_counts counts = {
        .kind = terminal ? GX_COUNTED_TERMINAL
                : i == 0 ? GX_COUNTED_SOURCE
                         : GX_COUNTED_STAGE,
        .timed = self->timed,
    };
    if (is_counting(self)) {
        gx_counter *counter = &self->counters[i + terminal];
        counts.items_in = counter->items;
        counts.items_out = terminal ? 0 : self->counters[i + 1].items;
        counts.dropped = counter->dropped;
        counts.errors = counter->errors;
        counts.high_water = counter->high_water;
        counts.ns = counter->ns;
    }
    return gx_stats_row_new(state, name, &counts);
}

static PyObject *
stats_item(PyObject *op, Py_ssize_t i)
{
    stats_object *self = stats_CAST(op);
    PyObject *names = stage_names(self);
    if (names == NULL) {
        return NULL;
    }
    Py_ssize_t nstages = PyList_GET_SIZE(names);
    PyObject *name = i == 0                  ? self->source
                     : i > 0 && i <= nstages ? PyList_GET_ITEM(names, i - 1)
                     : i == nstages + 1      ? self->terminal
                                             : NULL;
    Py_XINCREF(name);
    Py_DECREF(names);
    if (name == NULL) {
        PyErr_SetString(PyExc_IndexError, "Stats index out of range");
        return NULL;
    }
    return row_at(self, i, nstages, name);
}

/* All rows at one moment. */
static PyObject *
all_rows(PyObject *op)
{
    Py_ssize_t n = stats_length(op);
    PyObject *rows = PyTuple_New(n);
    for (Py_ssize_t i = 0; rows != NULL && i < n; i++) {
        PyObject *row = stats_item(op, i);
        if (row == NULL) {
            Py_CLEAR(rows);
        } else {
            PyTuple_SET_ITEM(rows, i, row);
        }
    }
    return rows;
}

/* An index or a slice, as of a tuple. */
static PyObject *
stats_subscript(PyObject *op, PyObject *key)
{
    if (PySlice_Check(key)) {
        PyObject *rows = all_rows(op);
        PyObject *part = rows != NULL ? PyObject_GetItem(rows, key) : NULL;
        Py_XDECREF(rows);
        return part;
    }
    if (!PyIndex_Check(key)) {
        PyErr_Format(PyExc_TypeError,
                     "Stats indices must be integers or slices, not %.200s",
                     Py_TYPE(key)->tp_name);
        return NULL;
    }
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return stats_item(op, i < 0 ? i + stats_length(op) : i);
}

static PyObject *
stats_iter(PyObject *op)
{
    PyObject *rows = all_rows(op);
    PyObject *it = rows != NULL ? PyObject_GetIter(rows) : NULL;
    Py_XDECREF(rows);
    return it;
}

static PyObject *
stats_repr(PyObject *op)
{
    PyObject *rows = all_rows(op);
    PyObject *text = rows != NULL ? gx_stats_table(rows, stats_CAST(op)->timed) : NULL;
    Py_XDECREF(rows);
    return text;
}

static int
stats_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(stats_CAST(op)->source);
    Py_VISIT(stats_CAST(op)->program);
    Py_VISIT(stats_CAST(op)->names);
    Py_VISIT(stats_CAST(op)->terminal);
    return 0;
}

/* The counters and texts stay: a run may still count. */
static int
stats_clear(PyObject *op)
{
    Py_CLEAR(stats_CAST(op)->program);
    return 0;
}

static void
stats_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    stats_object *self = stats_CAST(op);
    PyObject_GC_UnTrack(op);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    stats_clear(op);
    Py_CLEAR(self->source);
    Py_CLEAR(self->names);
    Py_CLEAR(self->terminal);
    PyMem_Free(self->counters);
    type->tp_free(op);
    Py_DECREF(type);
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(stats_doc,
"What a pipe has counted, a sequence of rows: the source, each stage, the terminal.\n\n"
"It is made by pipe.stats() and pipe.profile() and can be read at any time, while\n"
"the pipe runs and when it is gone. A row is what was true when it was asked for;\n"
"the text of the whole is a table.");

const char gx_pipe_stats_doc[] =
    "stats($self, /)\n--\n\n"
    "Count from now on, and return the counts, a live sequence of a row for the\n"
    "source, each stage and the terminal.\n\n"
    "A row has name, kind, items_in, items_out, dropped, errors and high_water; the\n"
    "pipe can be used on, stages that are added are counted too. Called again: the\n"
    "same object. Raises RuntimeError if the pipe has started.\n\n"
    ">>> numbers = pipe(range(10))\n"
    ">>> stats = numbers.stats()\n"
    ">>> numbers.filter(lambda n: n % 2).map(str).list()\n"
    "['1', '3', '5', '7', '9']\n"
    ">>> stats[1].items_in, stats[1].items_out, stats[1].dropped\n"
    "(10, 5, 5)";

const char gx_pipe_profile_doc[] =
    "profile($self, /)\n--\n\n"
    "As stats(), and measure the time spent in the source and in each stage and the\n"
    "terminal, their callbacks included: a row has seconds and ns too.\n\n"
    "It costs two looks at the clock for each item and stage.\n\n"
    ">>> numbers = pipe(range(1000))\n"
    ">>> stats = numbers.profile()\n"
    ">>> numbers.map(str).count()\n"
    "1000\n"
    ">>> stats[1].seconds < 1\n"
    "True";

static PyMemberDef stats_members[] = {
    GX_WEAKLIST_MEMBER(stats_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot stats_slots[] = {
    {Py_tp_doc, (void *)stats_doc},
    {Py_tp_dealloc, stats_dealloc},
    {Py_tp_traverse, stats_traverse},
    {Py_tp_clear, stats_clear},
    {Py_tp_repr, stats_repr},
    {Py_tp_iter, stats_iter},
    {Py_sq_length, stats_length},
    {Py_mp_length, stats_length},
    {Py_mp_subscript, stats_subscript},
    {Py_tp_members, stats_members},
    {0, NULL},
};

static PyType_Spec stats_spec = {
    .name = "pygenx.Stats",
    .basicsize = sizeof(stats_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = stats_slots,
};

const gx_typedef gx_Stats_typedef = {
    .spec = &stats_spec,
};
