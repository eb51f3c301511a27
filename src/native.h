/* Native programs: what a small Python function, generator expression or `this`
   expression computes, as straight-line operations with forward branches.

   A *native* (gx_native, an internal Python object) is constant and shared: lift.c makes
   it from a code object, this.c from an expression, both through a *builder*. It has no
   function, globals or arguments.

   A *binding* (gx_binding) is a native with a function's globals, closure and defaults:
   what one step of a run owns and calls. Its registers are laid out as

       [ parameters | constants | variables | temporaries ]

   Parameters are borrowed during a call, those filled from defaults and the constants
   belong to the binding. A variable, the target of a for, is owned from one assignment
   to the next, beyond the end of a call, as in a generator's frame. A temporary is owned from its definition to its one use,
   which empties it: objects live as long as on CPython's own stack, and after an error
   what is not NULL is what has to be released.

   Where branches meet, every value that is waiting lies in the temporary of its depth on
   CPython's stack, so that all ways there agree. */

#ifndef PYGENX_NATIVE_H
#define PYGENX_NATIVE_H

#include "pygenx.h"

/* -- operations ----------------------------------------------------------- */

/* in[] are the operands in Python's order. All but the last group write `dst`. */
typedef enum {
    GX_OP_GLOBAL,      /* names[aux], in the globals, then in the builtins */
    GX_OP_CELL,        /* what cell aux of the closure holds */
    GX_OP_COPY,        /* in[0] itself; a temporary stays what it is */
    GX_OP_MOVE,        /* in[0] itself; a temporary is emptied, as by all others */
    GX_OP_UNARY,       /* arg: gx_unary */
    GX_OP_BINARY,      /* arg: gx_binary */
    GX_OP_COMPARE,     /* arg: Py_LT ... Py_GE */
    GX_OP_IS,          /* arg: 1 is not */
    GX_OP_CONTAINS,    /* in[0] in in[1]; arg: 1 not in */
    GX_OP_SUBSCRIPT,   /* in[0][in[1]] */
    GX_OP_SLICE,       /* in[0][in[1]:in[2]] */
    GX_OP_BUILD_SLICE, /* slice(in[0], in[1], in[2] if n == 3) */
    GX_OP_ATTRIBUTE,   /* in[0].names[aux]; arg: 1 a method to be called */
    GX_OP_CALL,        /* in[0](*in[1:]); arg: how many of the last are by keyword,
                          their names are the tuple in register aux */
    GX_OP_CALL_METHOD, /* in[0].names[aux](*in[1:]); arg: units of bytecode from the
                          look-up to the call */
    GX_OP_TUPLE,       /* (*in,) */
    GX_OP_LIST,        /* [*in] */
    GX_OP_SET,         /* {*in} */
    GX_OP_MAP,         /* {in[0]: in[1], ...} */
    GX_OP_LIST_OF,     /* list(in[0]), a constant tuple */
    GX_OP_SET_OF,      /* set(in[0]), a constant frozenset */
    GX_OP_TUPLE_OF,    /* tuple(in[0]), a list of ours */
    GX_OP_SPREAD,      /* in[0], a display of ours, with in[1]; arg: gx_spread */
    GX_OP_CALL_STAR,   /* in[0](*in[1]) */
    GX_OP_CONVERT,     /* arg: 1 str, 2 repr, 3 ascii */
    GX_OP_FORMAT,      /* format(in[0], in[1] if n == 2 else '') */
    GX_OP_STRING,      /* ''.join(in) */
    /* without a result */
    GX_OP_DROP,          /* empty the temporary in[0] */
    GX_OP_STORE,         /* in[0] is from now on the variable dst */
    GX_OP_UNPACK,        /* in[0] into the `arg` registers operands[first...], variables
                            or temporaries */
    GX_OP_JUMP,          /* to insns[aux]; all jumps are forward */
    GX_OP_JUMP_IF_TRUE,  /* if in[0], to insns[aux] */
    GX_OP_JUMP_IF_FALSE, /* if not in[0] */
    GX_OP_JUMP_IF_NONE,
    GX_OP_JUMP_IF_NOT_NONE,
    GX_OP_RETURN, /* in[0] */
    GX_OP_SKIP,   /* no value: a condition of a generator expression was false */
} gx_op;

/* In CPython's order of NB_ADD, NB_AND, ... */
typedef enum {
    GX_ADD,
    GX_AND,
    GX_FLOOR_DIVIDE,
    GX_LSHIFT,
    GX_MATRIX_MULTIPLY,
    GX_MULTIPLY,
    GX_REMAINDER,
    GX_OR,
    GX_POWER,
    GX_RSHIFT,
    GX_SUBTRACT,
    GX_TRUE_DIVIDE,
    GX_XOR,
} gx_binary;

typedef enum {
    GX_LIST_EXTEND,
    GX_LIST_APPEND,
    GX_SET_UPDATE,
    GX_SET_ADD,
    GX_MAP_UPDATE,
} gx_spread;

typedef enum { GX_NEGATIVE, GX_POSITIVE, GX_INVERT, GX_NOT, GX_TRUTH } gx_unary;

/* Which operands are temporaries. */
enum { GX_CONSUMES_NONE, GX_CONSUMES_FIRST, GX_CONSUMES_MANY };

#define GX_INSN_INPUTS 4

typedef struct {
    uint8_t op;
    uint8_t arg;
    uint8_t dst;
    uint8_t n;                  /* number of operands */
    uint8_t in[GX_INSN_INPUTS]; /* registers, if n <= GX_INSN_INPUTS... */
    uint16_t first;             /* ...else native->operands[first...first + n) */
    uint16_t aux;
    uint16_t offset; /* of the instruction in co_code, for tracebacks */
    /* For the machine (gx_native_settle): */
    uint8_t consumes; /* gx_consumes */
    bool branches;    /* it has no result, or is the first of a test */
    bool returns;     /* what comes next only returns its result */
} gx_insn;

/* -- natives (native.c) ---------------------------------------------------- */

typedef struct gx_native gx_native;

#define GX_FORS 4   /* at most so many fors in a generator expression */
#define GX_OUTER 12 /* and variables of the fors around one of them */

/* What a native has that is one `for` of a generator expression. It is run once for each
   item: no value, or one that is yielded, or what the next `for` reads. */
typedef struct {
    gx_native *inner;  /* owned: the next for; NULL: values are yielded */
    Py_ssize_t lately; /* of the first: items of a run not long ago; not constant */
    int gain;          /* of the first: what an item gains, about, in nanoseconds... */
    int calls_of_item; /* ...apart from so many calls of a method of the item */
    uint16_t begins;   /* of the first: offset of RETURN_GENERATOR in co_code */
    uint16_t asks;     /* offset of FOR_ITER */
    uint16_t leaves;   /* offset of what yields, or begins the next for */
    uint8_t item;      /* register that takes the item */
    uint8_t outer[GX_OUTER]; /* parameters: where they are in the for around this one */
    bool opens;              /* of the first: its code calls iter() itself... */
    bool stacked;            /* ...or keeps the iterator on the stack (3.15) */
} gx_loop;

struct gx_native {
    PyObject_HEAD
    PyObject *consts; /* owned tuple: registers nparams... */
    PyObject *names;  /* owned tuple of str: globals and attributes */
    int nparams;
    int nvars;
    int ntemps;
    int ncells; /* of the closure */
    int ninsns;
    bool by_line;      /* offsets are lines from the first: there is no bytecode */
    bool single;       /* one operation on parameters and constants, and its return */
    uint8_t *operands; /* owned, of the operations with many */
    gx_insn *insns;    /* owned */
    gx_loop *loop;     /* owned; NULL: not of a generator expression */
};

static inline const uint8_t *
gx_operands(const gx_native *native, const gx_insn *insn)
{
    return insn->n <= GX_INSN_INPUTS ? insn->in : native->operands + insn->first;
}

static inline int
gx_native_first_var(const gx_native *native)
{
    return native->nparams + (int)PyTuple_GET_SIZE(native->consts);
}

static inline int
gx_native_first_temp(const gx_native *native)
{
    return gx_native_first_var(native) + native->nvars;
}

static inline int
gx_native_size(const gx_native *native)
{
    return gx_native_first_temp(native) + native->ntemps;
}

/* What the machine wants to know of each operation, once all is in its place. */
void gx_native_settle(gx_native *native);
/* The expression as source text, parameters as `params` (a tuple of str) names them. */
PyObject *gx_native_text(gx_native *native, PyObject *params, PyObject *cells);
/* The same with the names of the function it was made from. */
PyObject *gx_native_text_of(gx_native *native, PyObject *func);

/* -- builder (native_builder.c) --------------------------------------------- */

#define GX_BUILD_INSNS 256
#define GX_BUILD_DEPTH 64
#define GX_BUILD_CONSTS 64
#define GX_BUILD_VARS 32

/* Operands while building; gx_builder_finish lays them out as registers. */
enum {
    GX_PARAM = 0,
    GX_CONST = 64,
    GX_VAR = 128,
    GX_TEMP = 160,
    GX_NO_OPERAND = 255, /* the NULL that CPython pushes beside a callable */
};

typedef struct {
    int ninsns;
    int noperands;
    int depth;
    int ntemps;
    int nparams;
    int nvars;
    int ncells;
    int reserved;   /* a temporary that is in use without being on the stack, or none */
    int method;     /* insn that looks up a method to be called next, or -1 */
    int offset;     /* of the instruction being translated */
    bool reachable; /* the code being built is */
    const char *refusal;           /* why not: set once; what follows is ignored */
    PyObject *consts;              /* owned list */
    PyObject *names;               /* owned list */
    uint8_t stack[GX_BUILD_DEPTH]; /* operands */
    gx_insn insns[GX_BUILD_INSNS + 1];
    uint8_t operands[GX_BUILD_INSNS * 2];
} gx_builder;

/* Where branches meet: the stack is the same on all ways there. */
typedef struct {
    int depth;        /* -1: nothing jumps here yet */
    uint64_t nothing; /* stack places that hold GX_NO_OPERAND */
    int insn;         /* its place, once it is passed; else -1 */
    int jumps;        /* chain of jumps to it through their aux, -1 ends it */
} gx_label;

#define GX_LABEL ((gx_label){-1, 0, -1, -1})

/* 0, or -1 with MemoryError. */
int gx_builder_init(gx_builder *b, int nparams);
/* The native, or NULL with MemoryError, or NULL without one and b->refusal. Clears the
   builder in any case. */
gx_native *gx_builder_finish(gx_state *state, gx_builder *b);
void gx_builder_clear(gx_builder *b);
void gx_builder_refuse(gx_builder *b, const char *why);
/* One with room for as many operations and operands, all else to be filled in. */
gx_native *gx_native_alloc(gx_state *state, int ninsns, int noperands);
/* Stack of operands. */
void gx_push(gx_builder *b, int operand);
int gx_pop(gx_builder *b);
void gx_push_const(gx_builder *b, PyObject *value);
/* An index into names. */
int gx_builder_name(gx_builder *b, PyObject *name);
/* Pop n operands, compute, push the result. */
void gx_build(gx_builder *b, gx_op op, int arg, int n, int aux);
/* Operations that have no result, over n popped operands. */
void gx_build_end(gx_builder *b, gx_op op, int n);
void gx_build_method(gx_builder *b, PyObject *name);
/* Stack: [callable, tuple or other iterable]. */
void gx_build_call_star(gx_builder *b);
/* Stack: [callable, arguments...]: a call; as CALL_METHOD where nothing was computed
   between the look-up and the call. */
void gx_build_call(gx_builder *b, int nargs, PyObject *kwnames);
/* Pop a value and push its n items, the first on top. */
void gx_build_unpack(gx_builder *b, int n);
/* Pop a value into a new variable: the operand it is from now on. */
int gx_build_store(gx_builder *b);
void gx_build_copy(gx_builder *b, int depth);
void gx_build_drop(gx_builder *b);
/* A jump that pops `n` operands (0 or 1), and the place it goes to. */
void gx_build_jump(gx_builder *b, gx_op op, int n, gx_label *label);
void gx_build_label(gx_builder *b, gx_label *label);

/* -- bindings (binding.c, machine.c) ---------------------------------------------------- */

#define GX_KNOWN 4

/* What a global was when the dicts had these versions: one of them still has it then, or
   lets go of it just now. */
typedef struct {
    const gx_insn *insn;
    uint64_t globals, builtins;
    PyObject *value; /* borrowed */
} gx_known_global;

/* What a method call found last on objects of a type: only methods that never change. */
typedef struct {
    const gx_insn *insn;
    PyTypeObject *type; /* borrowed: only its method, if there is one, keeps it alive */
    PyObject *method;   /* owned: a method descriptor of the type; NULL: look it up */
} gx_known_method;

typedef struct {
    gx_native *native;  /* owned */
    PyObject *func;     /* owned; NULL: an expression without one */
    PyObject *code;     /* owned: the func's; NULL: an expression without one */
    PyObject *defaults; /* owned: the func's; NULL if it has none */
    PyObject
        *kwdefaults;    /* owned: of keyword-only parameters; NULL if there are none */
    uint64_t kwversion; /* of that dict */
    PyObject *globals;  /* owned exact dict; NULL if there are none */
    PyObject *builtins; /* owned exact dict; NULL if there are none */
    PyObject *closure;  /* owned tuple of cells; NULL if there is none */
    gx_state *state;    /* borrowed */
    int nargs;          /* parameters given at each call; the rest are defaults */
    PyObject *trusted;  /* owned: the callable last found to need no frame */
    bool opaque;        /* a Python function was called: better call ours */
    bool looking_up;    /* a method call that failed had not found the method yet */
    bool alone;         /* there is no function to call in place of this */
    int first_temp;     /* gx_native_first_temp */
    gx_known_global known_globals[GX_KNOWN];
    gx_known_method known_methods[GX_KNOWN];
    PyObject *regs[]; /* gx_native_size; owned are those of temporaries and variables */
} gx_binding;

/* Bind to a Python function called with `nargs` arguments. NULL with an error, or NULL
   without one and the reason in *why (borrowed static text). */
gx_binding *gx_bind_function(gx_state *state, gx_native *native, PyObject *func,
                             int nargs, const char **why);
/* The same to the function behind a generator expression: of parameters only room. */
gx_binding *gx_bind_generator(gx_state *state, gx_native *native, PyObject *func,
                              const char **why);
/* The same without a function. */
gx_binding *gx_bind(gx_state *state, gx_native *native, int nargs);
void gx_binding_free(gx_binding *b);
int gx_binding_traverse(gx_binding *b, visitproc visit, void *arg);

typedef enum {
    GX_MACHINE_ERROR = -1,
    GX_MACHINE_SKIP,
    GX_MACHINE_VALUE,
    GX_MACHINE_REFUSED, /* it needs a frame: call the function */
} gx_outcome;

/* Is the function another one by now? Its code and its defaults can be replaced. */
static inline bool
gx_binding_is_stale(const gx_binding *b)
{
    return b->func != NULL && (PyFunction_GET_CODE(b->func) != b->code ||
                               PyFunction_GET_DEFAULTS(b->func) != b->defaults ||
                               (b->kwdefaults != NULL &&
                                (PyFunction_GET_KW_DEFAULTS(b->func) != b->kwdefaults ||
                                 gx_dict_version(b->kwdefaults) != b->kwversion)));
}

/* Run with borrowed arguments. GX_MACHINE_VALUE: *out is a new reference. */
gx_outcome gx_machine_run(gx_binding *b, PyObject *const *args, PyObject **out);
/* The same with what is in the registers already. */
gx_outcome gx_machine_go(gx_binding *b, PyObject **out);

/* Operations without a way of their own in the loop (machine_rare.c). */
PyObject *gx_machine_rare(gx_binding *b, const gx_insn *insn, const uint8_t *in);
/* GX_OP_CALL_METHOD of a type that was not met before (machine_method.c). */
PyObject *gx_machine_find_method(gx_binding *b, const gx_insn *insn,
                                 PyTypeObject *type);
PyObject *gx_machine_call_method(gx_binding *b, const gx_insn *insn, PyObject **args);
/* GX_OP_SPREAD and GX_OP_CALL_STAR (spread.c). */
PyObject *gx_machine_spread(gx_binding *b, const gx_insn *insn);
PyObject *gx_machine_call_star(gx_binding *b, PyObject *callee, PyObject *values);
/* GX_OP_UNPACK and GX_OP_STORE; -1 with an error (unpack.c). */
int gx_machine_unpack(gx_binding *b, const gx_insn *insn);
void gx_machine_store(gx_binding *b, const gx_insn *insn);

/* The value leaves its register: of a temporary with its reference. */
static inline PyObject *
gx_binding_take(gx_binding *b, int reg)
{
    PyObject *value = b->regs[reg];
    if (reg < b->first_temp) {
        return Py_NewRef(value);
    }
    b->regs[reg] = NULL;
    return value;
}

/* The value of a GX_OP_GLOBAL or GX_OP_CELL: a new reference, or NULL with NameError. */
PyObject *gx_binding_look_up(gx_binding *b, const gx_insn *insn);
/* Does this builtin look at the frame of its caller? */
bool gx_reads_frame(const gx_state *state, PyObject *callee);
/* The name of parameter i: a new reference. */
PyObject *gx_parameter_name(const PyCodeObject *code, int i);
/* Add the place in the source to the raised exception's traceback (traceback.c). */
void gx_trace_back(gx_binding *b, int offset);
/* An AttributeError is raised: of this object, if it does not say (traceback.c). */
void gx_tell_attribute(PyObject *obj, PyObject *name);

/* -- lifting (lift.c, lift_cache.c) ------------------------------------------ */

/* The native of a code object, which remembers it: a new reference; NULL with an error
   and *why NULL, or NULL without one and *why, a new reference to a str. */
gx_native *gx_lift(gx_state *state, PyObject *code, PyObject **why);
/* The same, also of generator expressions. */
gx_native *gx_lift_any(gx_state *state, PyObject *code, PyObject **why);
/* A binding of a function worth running natively, now: NULL with an error, or without
   one: it is rather called (run_lift.c). */
gx_binding *gx_lift_bind(gx_state *state, PyObject *func, int nargs);
/* The native of a callable of the standard library that is not written in Python: a new
   reference, or NULL with or without an error (lift_callable.c). */
gx_native *gx_lift_callable(gx_state *state, PyObject *func, int nargs);
/* Is its native program faster than the callable itself, on objects? */
bool gx_pays_boxed(const gx_state *state, PyObject *func);
bool gx_is_known_callable(const gx_state *state, PyObject *func);

static inline bool
gx_may_lift(const gx_state *state, PyObject *func)
{
    return PyFunction_Check(func) || gx_is_known_callable(state, func);
}

/* What it remembers, borrowed: a native, a str that says why not, an int, the calls so
   far, or NULL. */
PyObject *gx_lift_remembered(gx_state *state, PyObject *code);
/* Have it remember `what` (taken), instead; NULL is nothing. Never fails. */
void gx_lift_remember(gx_state *state, PyObject *code, PyObject *what);
/* Is lifting on, and nobody traces, profiles or monitors? 1, 0 or -1. */
int gx_lift_is_on(gx_state *state);
int gx_lift_init(gx_state *state);
/* Why a function that could be run natively should rather be called; NULL: no reason. */
const char *gx_why_better_called(gx_binding *b);
/* The native of a callable made from an expression, borrowed, to be bound without a
   function; NULL: it is another callable (expression_function.c). */
gx_native *gx_expression_native(PyObject *func);
/* How a stage runs a Python function, as explain() shows it (lifting.c). */
PyObject *gx_lift_explain(gx_state *state, PyObject *func);
/* native_function.c */
PyObject *gx_native_function_new(gx_state *state, PyObject *func, gx_native *native);
/* The same for one code object, without a look at what is remembered; of a generator
   expression the native of its first for (lift_generator.c). */
gx_native *gx_lift_code(gx_state *state, PyCodeObject *code, const char **why);
bool gx_is_generator_code(const PyCodeObject *code);
/* What running it gains: for gx_loop (take_apart.c). */
void gx_estimate_gain(gx_native *first);
gx_native *gx_lift_generator(gx_state *state, PyCodeObject *code, const char **why);

#endif
