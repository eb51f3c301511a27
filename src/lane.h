/* Lanes: native steps run over blocks of numbers, without an object for any of them.

   A lane covers the source of a run and the steps behind it that are native programs
   of arithmetic, up to a terminal that takes blocks. A block is read into a *column* of
   int64, double or bool; each operation of a program makes a column of columns; a
   filter makes the block shorter. Nothing of a block runs user code, so nothing is seen
   of the order in which it is computed.

   Whatever cannot be done on columns exactly as Python does it, an overflow, a division
   by zero, an item of another type, is a *deviation*: the rows before it count, and from
   that item on the run goes on as if there were no lanes, which finds out what Python
   makes of it, errors and notes included. Later lanes are tried again. */

#ifndef PYGENX_LANE_H
#define PYGENX_LANE_H

#include "native_generator.h"
#include "pipeline.h"

#define GX_LANE_ROWS 512 /* of a block */

/* -- columns and vectors (lane_vector.c) ------------------------------------ */

/* One column of a block, shared by the vectors that count in `refs`. */
typedef struct gx_column {
    struct gx_column
        *next; /* borrowed: in the pool of those that are free, which owns all */
    Py_ssize_t refs;
    union {
        int64_t ints[GX_LANE_ROWS];
        double doubles[GX_LANE_ROWS];
        uint8_t bools[GX_LANE_ROWS];
        int32_t rows[GX_LANE_ROWS];
        PyObject *objects[GX_LANE_ROWS]; /* borrowed */
    };
} gx_column;

typedef enum { GX_LANE_INT, GX_LANE_FLOAT, GX_LANE_BOOL } gx_lane_type;

/* What stands for a row when it has to be an object. */
typedef enum {
    GX_AS_NEW,    /* a new one: it was computed */
    GX_AS_SOURCE, /* the item of the source itself */
    GX_AS_ONE,    /* `object`: a constant, a global */
    GX_AS_EACH,   /* objects->objects[row], a new one where that is NULL */
} gx_lane_object;

/* The values of a register for all rows. */
typedef struct {
    gx_lane_type type;
    gx_lane_object as;
    int bits;           /* of ints: none is outside of -2**bits ... 2**bits - 1 */
    bool scalar;        /* all rows are `one` */
    gx_column *column;  /* owned; NULL if scalar */
    gx_column *objects; /* owned, if GX_AS_EACH; else NULL */
    PyObject *object;   /* borrowed, if GX_AS_ONE */
    union {
        int64_t i;
        double d;
        uint8_t b;
    } one;
} gx_vector;

/* A column of our own, or NULL: memory is short, and the lane gives up. */
gx_column *gx_column_new(gx_lane *lane);
void gx_column_drop(gx_lane *lane, gx_column *column);
/* Another reference to all it has. */
gx_vector gx_vector_share(const gx_vector *v);
void gx_vector_drop(gx_lane *lane, gx_vector *v);
/* An exact int that fits, float or bool as a scalar; false: something else. */
bool gx_vector_of(PyObject *op, gx_vector *out);
/* The n rows `rows` of a vector, as a new one; false: memory is short. */
bool gx_vector_gather(gx_lane *lane, const gx_vector *v, const int32_t *rows, int n,
                      gx_vector *out);
/* A scalar becomes a column of n rows; false: memory is short. */
bool gx_vector_spread(gx_lane *lane, gx_vector *v, int n);
/* Put n rows into their places `rows` of a column. */
void gx_vector_scatter(const gx_vector *v, gx_column *out, const int32_t *rows, int n);
/* The object of a row: new reference or NULL with an error. */
PyObject *gx_vector_box(gx_lane *lane, const gx_vector *v, int row);

static inline const int64_t *
gx_ints(const gx_vector *v)
{
    return v->scalar ? &v->one.i : v->column->ints;
}

static inline const double *
gx_doubles(const gx_vector *v)
{
    return v->scalar ? &v->one.d : v->column->doubles;
}

static inline const uint8_t *
gx_bools(const gx_vector *v)
{
    return v->scalar ? &v->one.b : v->column->bools;
}

/* The bound for all v of which `spread` is the OR of gx_spread_of(v). */
static inline int
gx_bits_of(uint64_t spread)
{
    int bits = 0;
    for (int half = 32; half > 0; half /= 2) {
        if (spread >> half != 0) {
            spread >>= half;
            bits += half;
        }
    }
    return bits + (spread != 0);
}

static inline uint64_t
gx_spread_of(int64_t value)
{
    return (uint64_t)(value ^ (value >> 63));
}

/* -- operations (lane_int.c, lane_float.c, lane_number.c) ---------------------- */

/* Each computes *out, a new vector of `n` rows, and answers how many rows are done:
   fewer than n where the next one deviates. With nothing done *out is empty. */
int gx_lane_binary(gx_lane *lane, int op, const gx_vector *a, const gx_vector *b, int n,
                   gx_vector *out);
int gx_lane_compare(gx_lane *lane, int op, const gx_vector *a, const gx_vector *b,
                    int n, gx_vector *out);
int gx_lane_unary(gx_lane *lane, int op, const gx_vector *a, int n, gx_vector *out);
/* As bool(row); `wanted` false: not bool(row). */
int gx_lane_truth(gx_lane *lane, const gx_vector *a, bool wanted, int n,
                  gx_vector *out);

/* bool to int, both to float as float(row), which rounds; false: memory is short. */
bool gx_lane_convert(gx_lane *lane, const gx_vector *v, gx_lane_type type, int n,
                     gx_vector *out);

/* The same on columns: n rows of dst from a and b, of which at most one is one value
   for all rows. */
typedef struct {
    const gx_vector *a, *b;
    gx_vector *out; /* borrowed; type INT: bits are set here */
    int n;
} gx_operation;

int gx_lane_binary_ints(int op, const gx_operation *o);
int gx_lane_binary_floats(int op, const gx_operation *o);
int gx_lane_divide_ints(const gx_operation *o);
int gx_lane_compare_ints(int op, const gx_operation *o);
int gx_lane_compare_floats(int op, const gx_operation *o);

/* The statement for each row with the values x of a and y of b: three loops, as the
   compiler wants them. It may return. */
#define GX_LANE_EACH(o, T, rows_of, statement) \
    do {                                       \
        const T *a_ = rows_of((o)->a);         \
        const T *b_ = rows_of((o)->b);         \
        const int n_ = (o)->n;                 \
        if ((o)->a->scalar && n_ > 1) {        \
            const T x = *a_;                   \
            for (int i = 0; i < n_; i++) {     \
                const T y = b_[i];             \
                statement                      \
            }                                  \
        } else if ((o)->b->scalar && n_ > 1) { \
            const T y = *b_;                   \
            for (int i = 0; i < n_; i++) {     \
                const T x = a_[i];             \
                statement                      \
            }                                  \
        } else {                               \
            for (int i = 0; i < n_; i++) {     \
                const T x = a_[i];             \
                const T y = b_[i];             \
                statement                      \
            }                                  \
        }                                      \
    } while (0)

/* -- a lane ------------------------------------------------------------------- */

/* What a global or cell was when the block began. */
typedef struct {
    const gx_binding *binding;
    const gx_insn *insn;
    PyObject *value; /* owned; NULL: there was none */
} gx_lane_global;

#define GX_LANE_GLOBALS 16

/* A generator expression between the source and the first step, outermost first, and the
   rows of the block that it was given. */
typedef struct {
    gx_native_generator *generator; /* borrowed */
    gx_column *rows;                /* owned; NULL: all */
    int n;
} gx_lane_generator;

#define GX_LANE_GENERATORS 4

struct gx_lane {
    gx_run *run;       /* borrowed: it owns the lane */
    gx_source *source; /* borrowed: of the run, or inside its generators */
    gx_step *last; /* borrowed: of the steps the lane covers; step 0: only the source */
    gx_step *taker;       /* borrowed: the terminal, if it takes blocks; else NULL */
    gx_column *pool;      /* owned: free columns */
    bool short_of_memory; /* a column was wanted in vain */
    bool boxes;           /* rows may have to become objects */
    PyObject *const
        *items; /* borrowed: of the block's source, a list or tuple, or NULL */
    gx_lane_generator generators[GX_LANE_GENERATORS];
    int ngenerators;
    gx_lane_global held[GX_LANE_GLOBALS];
    int nheld;
    /* the block */
    gx_vector value; /* the items as they are now */
    gx_column *rows; /* owned: of each, its place in the block; NULL: all are there */
    int n;           /* how many */
    int stop;        /* all those before are done or dropped, this one has deviated */
    int size;        /* of the next block, at most */
    /* trying again */
    Py_ssize_t again; /* not before so many items were taken */
    Py_ssize_t wait;  /* ...which were so many */
    Py_ssize_t done;  /* items since the last deviation */
};

/* Read up to n items, of those that are left, into lane->value; how many, 0: none that
   can be. (lane_source.c) */
int gx_lane_load(gx_lane *lane, gx_source *source, int n);
bool gx_lane_can_load(const gx_state *state, const gx_source *source);
bool gx_lane_looks_good(const gx_source *source);
/* How many items are left, as far as one can say. */
Py_ssize_t gx_lane_left(const gx_source *source);
/* The same of buffers (lane_buffer.c), which are acquired and released each time. */
Py_ssize_t gx_lane_left_in_buffer(const gx_source *source);
int gx_lane_load_buffer(const gx_source *source, int n, gx_vector *v);
/* They are taken. */
void gx_lane_skip(gx_source *source, int n);

/* What a native program makes of the rows of a block. */
typedef struct {
    gx_lane *lane;
    gx_binding *binding;
    bool truth;      /* of what is returned only the truth matters */
    int n;           /* rows of the block */
    int limit;       /* rows from here on have deviated */
    bool any;        /* something was returned: */
    gx_vector value; /* owned */
    gx_column *rows; /* owned: where it belongs; NULL: all rows */
    int returned;    /* how many rows */
    gx_column *mask; /* owned: places of `value` that are filled; NULL: it is dense.
                        Not to be read once limit is 0: there may have been no memory. */
} gx_lane_result;

/* Run it over lane->value, `c` being otherwise empty (lane_call.c). */
void gx_lane_run_native(gx_lane_result *c);

/* Can the results of a native program be used so? */
bool gx_lane_can_run(const gx_native *native, gx_use use);
/* One step over the block (lane_block.c). */
bool gx_lane_can_call(const gx_step *step);
/* The same of a generator expression. */
void gx_lane_generate(gx_lane *lane, gx_binding *binding);
/* Columns are shared by reference. */
gx_column *gx_column_share(gx_column *column);
void gx_lane_call(gx_lane *lane, gx_step *step);
/* The rows from `row` on are left to the run. */
void gx_lane_deviate(gx_lane *lane, int row);

/* A terminal over the block: how many rows it took (lane_terminal.c). */
bool gx_lane_can_take(const gx_run *run, const gx_step *step);
/* It may want objects of the rows. */
bool gx_lane_takes_objects(const gx_step *step);
/* It gains by blocks though no step before it does. */
bool gx_lane_gains(const gx_step *step);
/* It may end the run early. */
bool gx_lane_may_end(const gx_step *step);
int gx_lane_take(gx_lane *lane, gx_step *step);

#endif
