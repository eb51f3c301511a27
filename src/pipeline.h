/* The pipeline engine: a program is a list of stages, a run is that list laid out
   flat with its state, a driver moves items through a run.

   A *row* (gx_row) describes a kind of stage or terminal: its signature and its
   step functions. Rows are constant data; stages.def and terminals.def list them.

   A *program* (gx_program, the Python type Pipeline) is a persistent list: each
   object adds one stage to the program it was made from and shares the rest. It
   holds a row and that row's checked arguments, never any state.

   A *run* (gx_run) is made when an item is first asked for. Step 0 is the source,
   steps 1..n the stages, and under a drain step n+1 is the terminal:

       steps:   [ source ][ filter ][ flat_map ][ batched ] ( list )
       open:        x                    x
       below:       ^--------------------'

   Steps that can give items without being handed one are *open*: the source, a
   flat_map inside an inner iterable, a chain stage reading its own inputs, a stage
   with pending output. They form a stack, deepest on top, that always ends in step
   0. The loop asks the top for an item (step.source.fetch) and hands it down until
   a step keeps it or it falls out of the end. No recursion, whatever the depth.

   When step 0 has ended and nothing is open, `base` walks down the steps: each may
   `refill` (a part batch, a chained input) until it has no more, then `finish`.

   The answer of a step says who has the item now: EMIT and STOP_AFTER hand it on in
   *item, ERROR leaves it with the loop (for the note), all others have taken it.
   A step with a callback is two halves, before and after the call, so that another
   driver may await in between. */

#ifndef PYGENX_PIPELINE_H
#define PYGENX_PIPELINE_H

#include "native.h"
#include "source.h"

typedef struct gx_row gx_row;
typedef struct gx_step gx_step;
typedef struct gx_run gx_run;
typedef struct gx_program gx_program;

typedef enum {
    GX_EMIT,       /* *item goes on */
    GX_EMIT_MORE,  /* *item goes on, and step->source.fetch has more */
    GX_SKIP,       /* nothing goes on */
    GX_STOP,       /* the program ends above this step */
    GX_STOP_AFTER, /* *item goes on, then the program ends above this step */
    GX_OPEN,       /* step->source was opened: its items go on */
    GX_CALL,       /* call step->func as row->call says, then row->after */
    GX_ERROR,      /* an exception is set */
} gx_answer;

typedef enum {
    GX_CALL_NONE,
    GX_CALL_ITEM,   /* func(item) */
    GX_CALL_STAR,   /* func(*item) */
    GX_CALL_FOLD,   /* func(step->state, item) */
    GX_CALL_NATIVE, /* as step->how says, by step->native */
} gx_call;

/* What the loop itself does with a callback's result. */
typedef enum {
    GX_AFTER,   /* nothing: row->after does */
    GX_REPLACE, /* it takes the item's place */
    GX_KEEP,    /* the item goes on if it is true */
    GX_REJECT,  /* the item goes on if it is false */
    GX_IGNORE,  /* it is dropped, the item goes on */
    GX_WHILE,   /* the item goes on if it is true, else the program ends here */
} gx_use;

enum {
    GX_ONE_TO_ONE = 1,    /* send() may pass: at most one item out for one in */
    GX_DIRECT = 2,        /* with a func, `before` has nothing to do */
    GX_TERMINAL = 4,      /* has a result, never emits */
    GX_MANY_ENDS = 8,     /* reads several iterables: .result stays None */
    GX_PULL_ONLY = 16,    /* asks for its items itself: cannot be pushed to */
    GX_AGAIN = 32,        /* what its own source gives is handed to it, too */
    GX_CALLS_ANYWAY = 64, /* has a clean-up also if no item is ever asked for */
};

/* The step up to its call, or all of it: *item in and out. */
typedef gx_answer (*gx_before)(gx_run *run, gx_step *step, PyObject **item);

/* -- rows --------------------------------------------------------------- */

#define GX_MAX_ARGS 4

struct gx_row {
    const char *name;
    const gx_signature *signature;
    int nargs; /* arguments stored in the program, <= GX_MAX_ARGS */
    int flags;
    gx_call call; /* how args[0], if it is not None, is called */
    gx_use use;   /* what becomes of the result */
    /* Bind a call to args[] (new references or NULL). NULL: by signature. */
    int (*parse)(const gx_row *row, PyObject *const *args, Py_ssize_t nargs,
                 PyObject *kwnames, PyObject **out);
    /* Check args[] and fill in defaults, new references for old; none is NULL
       after. Idempotent: what was pickled is checked again. NULL: args[0] must be
       callable. `reusable`: no iterators, the program may be run many times. */
    int (*check)(gx_state *state, PyObject **args, bool reusable);
    /* State from arguments; runs no user code. */
    int (*start)(gx_run *run, gx_step *step);
    /* The step up to its call. NULL, or skipped by GX_DIRECT when there is a
       func: always GX_CALL. */
    gx_before before;
    /* The rest; takes `result`. */
    gx_answer (*after)(gx_run *run, gx_step *step, PyObject **item, PyObject *result);
    /* The upstream has ended, or a prefix step has nothing open: GX_OPEN, GX_CALL
       with *item, GX_SKIP for nothing more, GX_ERROR. Asked again after others. */
    gx_answer (*refill)(gx_run *run, gx_step *step, PyObject **item);
    /* Once, at the end, at close and when dropped: the user's clean-up. */
    int (*finish)(gx_run *run, gx_step *step);
    /* Let go of inputs not reached yet, closing them if told to. */
    int (*release)(gx_run *run, gx_step *step, bool close);
    /* An error of this step or an earlier one, `failed`, is raised; `item` is what was
       being worked on, perhaps NULL. 1 it is dealt with and cleared: the run goes on;
       0 not for this step; -1 this step's own error is raised in its place. Asked of
       the failing step before a StopIteration becomes a RuntimeError. */
    int (*rescue)(gx_run *run, gx_step *step, gx_step *failed, PyObject *item);
    /* What repr and notes show between the parentheses. NULL: all of args[]. */
    PyObject *(*brief)(PyObject *const *args);
    Py_ssize_t (*hint)(gx_step *step, Py_ssize_t upstream);
    /* How many items it keeps for later; NULL: none, whatever came. */
    Py_ssize_t (*held)(gx_step *step);
    /* Terminals: the steps before may be called in another way from here. 0 or -1. */
    int (*relook)(gx_run *run, gx_step *step);
    /* Terminals: the value after the end, or NULL with an error. */
    PyObject *(*result)(gx_run *run, gx_step *step);
    /* Terminals that are a function of the pipe and no step of it, GX_PULL_ONLY. */
    PyObject *(*apply)(PyObject *pipe, PyObject *const *args);
};

#define GX_STAGE(name) extern const gx_row gx_stage_##name;
#include "stages.def"
#undef GX_STAGE
#define GX_TERMINAL_ROW(name) extern const gx_row gx_terminal_##name;
#include "terminals.def"
#undef GX_TERMINAL_ROW

/* -- program (pipeline.c) ------------------------------------------------ */

struct gx_program {
    PyObject_VAR_HEAD
    PyObject *weakrefs;
    gx_program *previous; /* owned; NULL in the empty program */
    const gx_row *row;    /* the last stage; NULL in the empty program */
    Py_ssize_t size;      /* number of stages */
    gx_program *through;  /* borrowed: the last stage that is GX_PULL_ONLY, or NULL */
    bool calls_anyway;    /* some stage is GX_CALLS_ANYWAY */
    PyObject *args[];     /* owned: row->nargs of them */
};

#define gx_program_CAST(op) ((gx_program *)(op))

/* Bind and check a call of a row: new references in out[GX_MAX_ARGS], or -1. */
int gx_row_bind(gx_state *state, const gx_row *row, bool reusable,
                PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                PyObject **out);
/* A new program each. */
gx_program *gx_program_call(gx_state *state, gx_program *previous, const gx_row *row,
                            bool reusable, PyObject *const *args, Py_ssize_t nargs,
                            PyObject *kwnames);
/* The same of checked arguments, which it takes whether it succeeds or not. */
gx_program *gx_program_append(gx_state *state, gx_program *previous, const gx_row *row,
                              PyObject **args);
/* What gx_row_bind does after the binding. */
int gx_row_check(gx_state *state, const gx_row *row, PyObject **args, bool reusable);
gx_program *gx_program_concat(gx_state *state, gx_program *first, gx_program *second);
/* The stages of `program` (borrowed), first to last, in an array to be freed. */
gx_program **gx_program_stages(gx_program *program);
/* "map(str.upper)" and " -> map(str.upper) -> filter(None)". */
PyObject *gx_stage_brief(const gx_row *row, PyObject *const *args);
PyObject *gx_program_brief(gx_program *program);
/* What the handlers of catch() are given (failure.c); borrows all. `node`: the stage
   that failed, or NULL and `place` the text for it. */
PyObject *gx_failure_new(gx_state *state, PyObject *error, PyObject *item,
                         Py_ssize_t index, gx_program *node, PyObject *place);
/* A pipe without stages over an iterable: what sources return (pipe.c). */
PyObject *gx_pipe_over(gx_state *state, PyObject *iterable);
/* "access.log:311" of a read_lines source (lines.c). */
PyObject *gx_lines_place(PyObject *op);
/* The source that buffer() makes, for lanes (buffer.c). */
PyObject *gx_buffer_place(PyObject *op, Py_ssize_t *index);
void gx_buffer_skip(PyObject *op, Py_ssize_t n);
bool gx_buffer_is_same(PyObject *op, const Py_buffer *view);
/* What a `through` stage and all before it are to those behind: their source, an
   iterator over what its function makes of `upstream`, a pipe (stage_through.c).
   `whole` is the number of stages that notes speak of. */
PyObject *gx_through_over(gx_state *state, gx_program *node, PyObject *upstream,
                          Py_ssize_t whole);
/* The pipe behind such an iterator, borrowed; NULL after its end. "through(clean)". */
bool gx_is_through(gx_state *state, PyObject *obj);
PyObject *gx_through_upstream(PyObject *obj);
PyObject *gx_through_brief(PyObject *obj);
/* One line a stage: number, stage, how it runs. */
PyObject *gx_program_explain(gx_program *program);

/* A terminal behind a program is a node of the type Reducer, of the same layout. */
static inline bool
gx_program_is_reducer(gx_program *program)
{
    return program->row != NULL && program->row->flags & GX_TERMINAL;
}
/* Slots and methods that both types share (pipeline.c). */
void gx_program_dealloc(PyObject *op);
int gx_program_traverse(PyObject *op, visitproc visit, void *arg);
PyObject *gx_program_repr(PyObject *op);
PyObject *gx_program_explain_method(PyObject *op, PyObject *unused);
/* __reduce__, Pipeline._from_rows and check_pickle (pipeline_pickle.c). */
PyObject *gx_program_pickle(PyObject *op, PyObject *unused);
PyObject *gx_program_from_rows(PyObject *type, PyObject *rows);
PyObject *gx_program_check_pickle(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
                                  PyObject *kwnames);
extern const char gx_explain_doc[], gx_into_doc[], gx_check_pickle_doc[];
/* What a Reducer makes of an iterable (pipe_build.c). */
PyObject *gx_pipe_reduce(gx_state *state, gx_program *reducer, PyObject *iterable);
/* The coroutines of Pipeline.into(sink) and Reducer.push() (push.c). */
PyObject *gx_program_into(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
                          PyObject *kwnames);
PyObject *gx_reducer_push(PyObject *op, PyObject *unused);
PyObject *gx_push_close(PyObject *op, PyObject *unused);
/* Their run, counted by `stats` if that is not NULL (push_start.c). */
gx_run *gx_push_run_new(gx_state *state, gx_program *program, PyObject *stats);
/* A row that asks for its items itself cannot be fed: -1 with a TypeError. */
int gx_program_check_pushable(gx_program *program);

/* -- run (run_state.c: its parts; run.c: the loop) --------------------------------------------------------- */

/* The fields the loop reads for every item come first, in one or two cache lines. */
struct gx_step {
    gx_source source; /* first, so that a custom lane finds its step */
    gx_before before;
    PyObject *func;    /* borrowed: args[0], NULL if that is None */
    const gx_row *row; /* NULL: step 0, the source */
    gx_call call;      /* row->call */
    gx_use use;        /* row->use */
    PyObject *state;   /* owned; what is in the step's hands, meaning by row */
    PyObject *key;     /* owned; meaning by row */
    PyObject *pending; /* owned; one item that gx_step_give put here */
    union {            /* meaning by row */
        struct {
            Py_ssize_t count, limit, stride, next;
        };
        struct {
            double total, carry;
        };
    };
    PyObject *const *args; /* borrowed: from the node, or the run's terminal */
    gx_program *node;      /* owned; NULL for a terminal */
    int phase;             /* meaning by row */
    gx_binding *native;    /* owned; NULL: func is called */
    Py_ssize_t calls;      /* of func, so far */
    gx_call how;           /* row->call, where call is GX_CALL_NATIVE */
    bool stays_called;     /* func will not be lifted in this run */
    gx_step *below;        /* borrowed: the open step under this one; NULL for step 0 */
    bool open;             /* on the stack */
    bool stopping;         /* open only to end the program when asked again */
    bool prefix;           /* open from the start: refill comes before the upstream */
    bool many;             /* send() cannot pass */
    bool finish;           /* row->finish has still to run */
};

/* What is counted of a step, where stats() was asked for (stats.c). */
typedef struct {
    gx_before before; /* its own */
    /* `items` were handed to it. */
    Py_ssize_t items, dropped, errors, high_water;
    int64_t ns;
} gx_counter;

struct gx_run {
    gx_state *state;   /* borrowed: of the module */
    PyObject *module;  /* owned: the state is needed when all else has been cleared */
    gx_step *top;      /* borrowed, as the next two; never NULL */
    gx_step *base;     /* borrowed: first step that has not ended */
    gx_step *end;      /* borrowed: behind the last step */
    bool timed;        /* the counters have times */
    bool warming;      /* some func may still be lifted (run_lift.c) */
    Py_ssize_t coming; /* items known to come, when the run was made */
    gx_lane *lane;     /* owned; NULL: there is none as yet (lane.h) */
    bool laneless;     /* there will be none */
    int64_t watched;   /* clock of the last look for tracers */
    Py_ssize_t nstages;
    Py_ssize_t offset; /* stages before the first step: what the source consists of */
    Py_ssize_t whole;  /* stages of the program of which this run is the last part */
    Py_ssize_t index;  /* items taken from the source */
    gx_breath breath;
    PyObject
        *expression;  /* owned: code of the source, a generator expression that may be
                             taken apart next time; or NULL */
    PyObject *result; /* owned: the source's return value, NULL = None */
    PyObject *terminal[GX_MAX_ARGS]; /* owned: the terminal's arguments */
    bool many_ends;                  /* some step is GX_MANY_ENDS */
    bool rescues;                    /* some step has a `rescue` */
    bool owner;                      /* the end closes the source */
    gx_counter *counters; /* borrowed: one a step, of Stats; NULL: nothing is counted */
    bool answered;        /* throw() got an answer: an error is a later step's */
    gx_step steps[];      /* nstages + 2: source, stages, room for one terminal */
};

/* Lay out several programs (borrowed, upstream first) over a source, which moves
   into the run only on success. Runs no user code. Stages up to a `through` are left
   out: the source does their work. */
gx_run *gx_run_new(gx_state *state, gx_source *source, gx_program *const *programs,
                   Py_ssize_t n);
/* Add the step of a terminal; takes its checked args, whether it succeeds or not. */
int gx_run_terminate(gx_run *run, const gx_row *row, PyObject **args);
/* The loop: the next item; NULL is the end, unless an error is set or the run is
   starved. */
PyObject *gx_run_next(gx_run *run);
/* A pushed run has GX_SOURCE_PUSHED: step 0 takes what gx_run_feed (steals) has put
   into its hands, and is starved when there is no more, until gx_run_feed_end. */
PyObject *gx_fetch_pushed(gx_source *source);
#define GX_SOURCE_PUSHED ((gx_source){.fetch = gx_fetch_pushed})
int gx_run_feed(gx_run *run, PyObject *item);
/* One item (taken) from the source's place down the steps: what falls out of the end,
   or NULL with *more: an item was kept, else the end or an error. */
PyObject *gx_run_hand_down(gx_run *run, PyObject *item, int *more);
void gx_run_feed_end(gx_run *run);
bool gx_run_is_starved(gx_run *run);
PyObject *gx_run_send(gx_run *run, PyObject *value);
PyObject *gx_run_throw(gx_run *run, PyObject *exc);
/* Finish and let go of every step, nearest first; with `close` close what is open.
   Callable twice. */
int gx_run_release(gx_run *run, bool close);
void gx_run_free(gx_run *run);
int gx_run_traverse(gx_run *run, visitproc visit, void *arg);
/* Length after all steps, for `upstream` items before the first. */
Py_ssize_t gx_run_hint(gx_run *run, Py_ssize_t upstream);
/* Steps that are on top but have given what they kept are closed. */
void gx_run_settle(gx_run *run);
/* Hand `item` (taken) on from a step that has nothing open: answer GX_OPEN after it. */
void gx_step_give(gx_step *step, PyObject *item);
/* A step is on the stack from here; its source was opened by the caller. */
void gx_run_push(gx_run *run, gx_step *step);
/* End the program above `step` when an item is next asked of it. */
void gx_run_stop_later(gx_run *run, gx_step *step);

/* Python functions may be lifted once that pays (run_lift.c): when the steps are there,
   at each tick in place of gx_breathe, and the call itself. */
void gx_run_warm_up(gx_run *run);
int gx_run_breathe(gx_run *run);
/* Back to calling; also where a step is done with, for the counts. */
void gx_step_drop_native(gx_run *run, gx_step *step);
PyObject *gx_step_call_native(gx_step *step, PyObject *const *args, Py_ssize_t nargs);
/* Once it is native, and its `before` NULL. */
void gx_step_shorten(gx_run *run, gx_step *step);

static inline int
gx_run_tick(gx_run *run)
{
    return --run->breath.budget < 0 ? gx_run_breathe(run) : 0;
}

/* Lanes (lane.c): when there is a terminal; and at each tick, where the run goes by them
   if it can. */
void gx_lane_warm_up(gx_run *run);
int gx_lane_breathe(gx_run *run);
Py_ssize_t gx_lane_coming(const gx_run *run);
void gx_lane_drop(gx_run *run);
/* What a sum can add at once: how many it has added (terminal_sum.c). */
int gx_sum_ints(gx_step *step, const int64_t *values, int n, int bits);
int gx_sum_bools(gx_step *step, const uint8_t *values, int n);
int gx_sum_doubles(gx_step *step, const double *values, int n);
/* The same of the terminal array; false: an error is raised (terminal_array.c). */
Py_UCS4 gx_array_typecode(const gx_step *step);
bool gx_array_extend(gx_run *run, gx_step *step, const void *numbers, int n,
                     size_t size);

/* For the loop. An owned run closes what has ended, another lets go of it. */
int gx_step_leave(gx_run *run, gx_step *step);
int gx_step_release(gx_run *run, gx_step *step, bool close);
int gx_step_finish(gx_run *run, gx_step *step);
/* The program ends above `last`: nothing up to it is asked again. */
int gx_run_stop(gx_run *run, gx_step *last);
/* An error was raised in `step`, perhaps the source; `item` is stolen, perhaps NULL.
   1 a step has dealt with it: go on; -1 it leaves the run and has its note
   (run_errors.c). */
int gx_run_fail(gx_run *run, gx_step *step, PyObject *item);
/* The same for errors of closing what the user gave us: they get no note. */
int gx_run_fail_closing(gx_run *run, gx_step *step);
/* Only the note, and no StopIteration: where no step can deal with it. -1. */
int gx_run_note(gx_run *run, gx_step *step, PyObject *item);
/* "map(str.upper)", "source <generator>": where it was. */
PyObject *gx_step_brief(gx_run *run, gx_step *step);

/* All a step does with an item, its call included. */
gx_answer gx_run_advance(gx_run *run, gx_step *step, PyObject **item);

/* What stands in step->before of a step with a func that is called. */
static inline gx_before
gx_row_before(const gx_row *row)
{
    return row->flags & GX_DIRECT ? NULL : row->before;
}

/* A `before` that has nothing to do with the item. */
gx_answer gx_pass_on(gx_run *run, gx_step *step, PyObject **item);

/* The truth of a predicate's result, which is taken: 1, 0 or -1. */
static inline int
gx_truth(PyObject *result)
{
    int truth = result == Py_True    ? 1
                : result == Py_False ? 0
                                     : PyObject_IsTrue(result);
    Py_DECREF(result);
    return truth;
}

/* The verdict `truth` (-1: an error is set) on an item. */
static inline gx_answer
gx_keep_if(int truth, int wanted, PyObject **item)
{
    if (truth < 0) {
        return GX_ERROR;
    }
    if (truth == wanted) {
        return GX_EMIT;
    }
    Py_DECREF(*item);
    return GX_SKIP;
}

/* A first stage that has kept or dropped an item may go on with the next by itself, if
   that lies ready in a list or tuple: true with *item, or leave it to the loop. */
static inline bool
gx_take_next(gx_run *run, gx_step *step, PyObject **item)
{
    gx_source *source = &run->steps->source;
    if (step != run->steps + 1 || run->top != run->steps || run->breath.budget <= 0 ||
        (source->fetch != gx_fetch_list && source->fetch != gx_fetch_tuple)) {
        return false;
    }
    PyObject *next = gx_next(source);
    if (next == NULL) {
        return false;
    }
    *item = next;
    run->index++;
    run->breath.budget--;
    return true;
}

#endif
