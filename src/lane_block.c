/* What a step does to the block of a lane: rows are replaced, dropped, or left to the run
   because they deviate. */

#include "lane.h"

/* -- the block after a step ------------------------------------------------------- */

void
gx_lane_deviate(gx_lane *lane, int row)
{
    if (row < lane->n) {
        lane->stop = lane->rows != NULL ? lane->rows->rows[row] : row;
        lane->n = row;
    }
}

/* Only the n rows `rows` (taken) of the block go on. */
static void
keep_rows(gx_lane *lane, gx_column *rows, int n)
{
    if (lane->rows != NULL) {
        for (int i = 0; i < n; i++) {
            rows->rows[i] = lane->rows->rows[rows->rows[i]];
        }
        gx_column_drop(lane, lane->rows);
    }
    lane->rows = rows;
    lane->n = n;
}

/* The places of those bools, each 0 or 1, that are `wanted`: how many. Eight at a time:
   this is what filters take longest for. */
static int
select_rows(const uint8_t *restrict bools, bool wanted, int n, int32_t *restrict rows)
{
    int i = 0, kept = 0;
    const uint64_t turn = wanted ? 0 : UINT64_C(0x0101010101010101);
    for (; PY_LITTLE_ENDIAN && i + 8 <= n; i += 8) {
        uint64_t eight;
        memcpy(&eight, bools + i, sizeof(eight));
        eight ^= turn;
        for (int j = 0; j < 8; j++) {
            rows[kept] = i + j;
            kept += (int)(eight & 1);
            eight >>= 8;
        }
    }
    for (; i < n; i++) {
        rows[kept] = i;
        kept += bools[i] == wanted;
    }
    return kept;
}

/* The rows of the block where `truth` says what is wanted. */
static void
filter(gx_lane *lane, const gx_vector *truth, bool wanted)
{
    gx_vector value;
    if (truth->scalar) {
        lane->n = truth->one.b == wanted ? lane->n : 0;
        return;
    }
    gx_column *rows = gx_column_new(lane);
    if (rows == NULL) {
        gx_lane_deviate(lane, 0);
        return;
    }
    int kept = select_rows(truth->column->bools, wanted, lane->n, rows->rows);
    if (kept < lane->n &&
        !gx_vector_gather(lane, &lane->value, rows->rows, kept, &value)) {
        gx_column_drop(lane, rows);
        gx_lane_deviate(lane, 0);
        return;
    }
    if (kept == lane->n) {
        gx_column_drop(lane, rows);
        return;
    }
    gx_vector_drop(lane, &lane->value);
    lane->value = value;
    keep_rows(lane, rows, kept);
}

/* The first row that is false is the end. */
static void
take_while(gx_lane *lane, const gx_vector *truth)
{
    int n = 0;
    while (n < lane->n && gx_bools(truth)[truth->scalar ? 0 : n]) {
        n++;
    }
    gx_lane_deviate(lane, n);
}

static void
use_truth(gx_lane *lane, const gx_step *step, const gx_vector *truth)
{
    if (step->use == GX_WHILE) {
        take_while(lane, truth);
    } else {
        filter(lane, truth, step->row != &gx_stage_filterfalse);
    }
}

/* What several ways returned, row by row; those that returned nothing are dropped. */
static bool
make_dense(gx_lane_result *c)
{
    gx_vector dense;
    gx_lane *lane = c->lane;
    gx_column *rows = gx_column_new(lane);
    if (rows == NULL) {
        return false;
    }
    int n = 0;
    for (int i = 0; i < c->n; i++) {
        rows->rows[n] = i;
        n += c->mask->bools[i];
    }
    if (!gx_vector_gather(lane, &c->value, rows->rows, n, &dense)) {
        gx_column_drop(lane, rows);
        return false;
    }
    gx_vector_drop(lane, &c->value);
    gx_column_drop(lane, c->rows);
    c->value = dense;
    c->rows = rows;
    c->returned = n;
    return true;
}

/* The rows before the first that deviated. */
static void
cut_result(gx_lane_result *c)
{
    if (c->rows == NULL) {
        c->returned = c->limit < c->returned ? c->limit : c->returned;
        return;
    }
    while (c->returned > 0 && c->rows->rows[c->returned - 1] >= c->limit) {
        c->returned--;
    }
    if (c->returned == c->n) {
        gx_column_drop(c->lane, c->rows);
        c->rows = NULL;
    }
}

/* A map: what was returned takes the place of the items. */
static void
replace(gx_lane *lane, gx_lane_result *c)
{
    gx_vector_drop(lane, &lane->value);
    lane->value = c->value;
    c->value = (gx_vector){.scalar = true};
    lane->n = c->returned;
    if (c->rows != NULL) {
        keep_rows(lane, c->rows, c->returned);
        c->rows = NULL;
    }
}

/* What a native program makes of the block, which its deviations make shorter. */
static void
run_native(gx_lane *lane, gx_binding *binding, bool truth, gx_lane_result *c)
{
    *c = (gx_lane_result){.lane = lane,
                          .binding = binding,
                          .truth = truth,
                          .n = lane->n,
                          .limit = lane->n};
    c->value.scalar = true;
    gx_lane_run_native(c);
    if (c->mask != NULL && c->limit > 0 && !make_dense(c)) {
        c->limit = 0;
    }
    cut_result(c);
    gx_lane_deviate(lane, c->limit);
}

static void
drop_result(gx_lane *lane, gx_lane_result *c)
{
    gx_vector_drop(lane, &c->value);
    gx_column_drop(lane, c->rows);
    gx_column_drop(lane, c->mask);
}

static void
call_native(gx_lane *lane, gx_step *step)
{
    gx_lane_result c;
    run_native(lane, step->native, step->use != GX_REPLACE, &c);
    step->calls += lane->n;
    if (!c.truth) {
        replace(lane, &c);
    } else if (lane->n > 0) {
        use_truth(lane, step, &c.value);
    }
    drop_result(lane, &c);
}

void
gx_lane_generate(gx_lane *lane, gx_binding *binding)
{
    gx_lane_result c;
    if (lane->n > 0) {
        run_native(lane, binding, false, &c);
        replace(lane, &c);
        drop_result(lane, &c);
    }
}

void
gx_lane_call(gx_lane *lane, gx_step *step)
{
    gx_vector truth;
    if (lane->n == 0) {
        return;
    }
    if (step->func != NULL) {
        call_native(lane, step);
    } else if (gx_lane_truth(lane, &lane->value, true, lane->n, &truth) > 0) {
        use_truth(lane, step, &truth);
        gx_vector_drop(lane, &truth);
    } else {
        gx_lane_deviate(lane, 0);
    }
}
