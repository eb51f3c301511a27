/* When a run goes by lanes: which of its steps they cover, block by block, and when to
   try again after a deviation. */

#include "lane.h"

#define START 64         /* so many items must be left: a block has its cost */
#define BLOCKS 16        /* between two looks at signals, tracers and the clock */
#define WAIT 16          /* items to be done as ever after a deviation, doubled... */
#define MOST_WAIT 8192   /* ...until here, where lanes are given up */
#define WORTH_WHILE 4096 /* items between two deviations that are no reason to wait */

/* -- memory ----------------------------------------------------------------- */

static void
drop_block(gx_lane *lane)
{
    gx_vector_drop(lane, &lane->value);
    gx_column_drop(lane, lane->rows);
    lane->rows = NULL;
    lane->n = 0;
    for (int i = 0; i < lane->ngenerators; i++) {
        gx_column_drop(lane, lane->generators[i].rows);
        lane->generators[i].rows = NULL;
    }
    for (; lane->nheld > 0; lane->nheld--) {
        Py_CLEAR(lane->held[lane->nheld - 1].value);
    }
}

/* The lane of the last run that had one is used again: its columns are warm. */
static gx_lane *
lane_new(gx_run *run)
{
    gx_lane *lane = run->state->spare_lane;
    run->state->spare_lane = NULL;
    if (lane == NULL) {
        lane = PyMem_Calloc(1, sizeof(gx_lane));
    }
    if (lane != NULL) {
        lane->run = run;
        lane->value.scalar = true;
        lane->wait = WAIT;
        lane->again = lane->done = 0;
        lane->size = 0;
    }
    return lane;
}

void
gx_lane_drop(gx_run *run)
{
    gx_lane *lane = run->lane;
    run->lane = NULL;
    if (lane == NULL) {
        return;
    }
    drop_block(lane);
    if (run->state->spare_lane == NULL && !lane->short_of_memory) {
        run->state->spare_lane = lane;
    } else {
        gx_lane_free(lane);
    }
}

void
gx_lane_free(gx_lane *lane)
{
    if (lane == NULL) {
        return;
    }
    for (gx_column *column = lane->pool; column != NULL;) {
        gx_column *next = column->next;
        PyMem_Free(column);
        column = next;
    }
    PyMem_Free(lane);
}

/* -- plan --------------------------------------------------------------------- */

/* What is read behind generator expressions of one for each, if they can go by lanes. */
static gx_source *
innermost(const gx_run *run, gx_lane *lane)
{
    int n = 0;
    gx_native_generator *generator;
    const gx_source *source = &run->steps->source;
    while ((generator = gx_native_generator_of(source)) != NULL) {
        const gx_for *only = generator->fors;
        if (generator->nfors != 1 || generator->top != 0 || n == GX_LANE_GENERATORS ||
            !gx_lane_can_run(only->binding->native, GX_REPLACE)) {
            break;
        }
        if (lane != NULL) {
            lane->generators[n] = (gx_lane_generator){.generator = generator};
        }
        n++;
        source = &only->source;
    }
    if (lane != NULL) {
        lane->ngenerators = n;
    }
    return (gx_source *)source;
}

static bool
is_ready(const gx_run *run)
{
    return run->counters == NULL && run->top == run->steps && run->steps->open &&
           gx_lane_can_load(run->state, innermost(run, NULL));
}

/* Which steps it covers, as the run is now; false: none. */
static bool
plan(gx_run *run, gx_lane *lane)
{
    bool may_end = false;
    gx_step *step = run->steps + 1;
    for (; step < run->end && gx_lane_can_call(step); step++) {
        may_end = may_end || gx_lane_may_end(step);
    }
    lane->last = step - 1;
    lane->taker = step < run->end && gx_lane_can_take(run, step) ? step : NULL;
    lane->source = innermost(run, lane);
    bool bare = step == run->steps + 1 && lane->ngenerators == 0;
    if (lane->taker == NULL || (bare && !gx_lane_gains(step))) {
        return false;
    }
    lane->boxes = gx_lane_takes_objects(lane->taker);
    if (lane->size == 0) {
        may_end = may_end || gx_lane_may_end(lane->taker);
        lane->size = may_end ? START : GX_LANE_ROWS;
        lane->again = may_end ? START : 0;
    }
    return true;
}

/* -- blocks ------------------------------------------------------------------- */

/* The globals and cells of a program; false: there are too many, or an error that is no
   Exception is set. */
static bool
hold_globals(gx_lane *lane, gx_binding *binding)
{
    for (int i = 0; i < binding->native->ninsns; i++) {
        const gx_insn *insn = &binding->native->insns[i];
        if (insn->op != GX_OP_GLOBAL && insn->op != GX_OP_CELL) {
            continue;
        }
        if (lane->nheld == GX_LANE_GLOBALS) {
            return false;
        }
        gx_lane_global *held = &lane->held[lane->nheld++];
        *held = (gx_lane_global){binding, insn, gx_binding_look_up(binding, insn)};
        if (held->value == NULL) {
            if (!PyErr_ExceptionMatches(PyExc_Exception)) {
                return false;
            }
            PyErr_Clear(); /* it is raised where it is due */
        }
    }
    return true;
}

/* Those of all programs, before anything of the block is read: looking them up may run
   code where a dict has strange keys. */
static bool
hold_all_globals(gx_lane *lane)
{
    bool held = true;
    for (int i = 0; i < lane->ngenerators && held; i++) {
        held = hold_globals(lane, lane->generators[i].generator->fors[0].binding);
    }
    for (gx_step *step = lane->run->steps + 1; step <= lane->last && held; step++) {
        held = step->native == NULL || hold_globals(lane, step->native);
    }
    return held;
}

/* The innermost first; each remembers what it was given. */
static void
generate(gx_lane *lane)
{
    for (int i = lane->ngenerators - 1; i >= 0; i--) {
        gx_lane_generator *g = &lane->generators[i];
        g->rows = lane->rows != NULL ? gx_column_share(lane->rows) : NULL;
        g->n = lane->n;
        gx_lane_generate(lane, g->generator->fors[0].binding);
    }
}

/* How many of these rows are done with. */
static int
done_of(const gx_lane *lane, const gx_column *rows, int n)
{
    if (rows == NULL) {
        return Py_MIN(n, lane->stop);
    }
    while (n > 0 && rows->rows[n - 1] >= lane->stop) {
        n--;
    }
    return n;
}

/* The items are taken, from the source, each generator and the run. `yielded` rows
   (owned) came out of the generators. */
static void
advance(gx_lane *lane, gx_column *yielded, int n)
{
    gx_run *run = lane->run;
    for (int i = 0; i < lane->ngenerators; i++) {
        gx_lane_generator *g = &lane->generators[i];
        g->generator->items += done_of(lane, g->rows, g->n);
        g->generator->started = true;
    }
    run->index += done_of(lane, yielded, n);
    gx_lane_skip(lane->source, lane->stop);
    run->state->lift_counts.items_in_lanes += lane->stop;
    gx_column_drop(lane, yielded);
}

/* One block: how many items of the source it has done with; *deviated: the next one is
   not for lanes. */
static int
run_block(gx_lane *lane, bool *deviated)
{
    gx_run *run = lane->run;
    if (!hold_all_globals(lane) || !is_ready(run)) {
        *deviated = true;
        return 0;
    }
    Py_ssize_t left = gx_lane_left(lane->source);
    int wanted = left < lane->size ? (int)left : lane->size;
    lane->size = Py_MIN(2 * lane->size, GX_LANE_ROWS);
    lane->n = lane->stop = gx_lane_load(lane, lane->source, wanted);
    generate(lane);
    gx_column *yielded = lane->rows != NULL ? gx_column_share(lane->rows) : NULL;
    int n = lane->n;
    for (gx_step *step = run->steps + 1; step <= lane->last; step++) {
        gx_lane_call(lane, step);
    }
    gx_lane_deviate(lane, gx_lane_take(lane, lane->taker));
    *deviated = lane->stop < wanted || lane->short_of_memory;
    advance(lane, yielded, n);
    return lane->stop;
}

/* Items that deviate again and again are better done as ever. */
static void
back_off(gx_lane *lane)
{
    gx_run *run = lane->run;
    lane->wait = lane->done >= WORTH_WHILE ? WAIT : 2 * lane->wait;
    lane->done = 0;
    lane->again = run->index + lane->wait;
    run->laneless = lane->wait > MOST_WAIT || lane->short_of_memory;
}

static void
run_blocks(gx_run *run, gx_lane *lane)
{
    bool deviated = false;
    for (int i = 0; i < BLOCKS && !deviated; i++) {
        if (i > 0 && gx_lane_left(lane->source) < START) {
            return;
        }
        lane->done += run_block(lane, &deviated);
        drop_block(lane);
    }
    if (deviated) {
        back_off(lane);
    } else {
        run->breath.budget = 0; /* back here after one item */
    }
}

/* -- now and then --------------------------------------------------------------- */

/* 0, or -1 where looking up a global was interrupted. */
int
gx_lane_breathe(gx_run *run)
{
    gx_lane *lane = run->lane;
    if (run->laneless || run->warming || run->state->lift_off > 0 || !is_ready(run) ||
        gx_lane_left(innermost(run, NULL)) < START) {
        return 0;
    }
    if (lane == NULL && gx_lane_looks_good(innermost(run, NULL))) {
        lane = run->lane = lane_new(run);
    }
    if (lane == NULL || !plan(run, lane)) {
        run->laneless = true;
        return 0;
    }
    if (run->index >= lane->again) {
        run_blocks(run, lane);
    }
    Py_ssize_t rest = lane->again - run->index;
    if (rest > 0 && rest < run->breath.budget) {
        run->breath.budget = rest;
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* The items that are left as far as one knows, for what has no exact length also. What
   reads others is not asked: each level of a nest would ask all below it. */
Py_ssize_t
gx_lane_coming(const gx_run *run)
{
    const gx_source *source = innermost(run, NULL);
    if (source->fetch == gx_fetch_guarded) {
        return GX_HINT_UNKNOWN;
    }
    return gx_lane_can_load(run->state, source) ? gx_lane_left(source)
                                                : gx_source_hint(source);
}

/* A long source of numbers is looked at before its first item, where there is nothing to
   be lifted first. */
void
gx_lane_warm_up(gx_run *run)
{
    gx_step *first = run->steps + 1;
    const gx_source *source = innermost(run, NULL);
    bool bare = source == &run->steps->source;
    bool gains = first == run->end - 1
                     ? gx_lane_can_take(run, first) &&
                           (!bare || gx_lane_gains(first)) && !gx_lane_may_end(first)
                     : gx_lane_can_call(first);
    run->laneless = run->state->lift_off > 0;
    if (gains && !run->laneless && is_ready(run) && gx_lane_left(source) >= START &&
        gx_lane_looks_good(source)) {
        run->breath.budget = 0;
    }
}
