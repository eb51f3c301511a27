/* The one shared header: module state, type registration, argument binding,
   errors and notes, and the protocol every iterator type of pygenx shares. */

#ifndef PYGENX_H
#define PYGENX_H

#include "compat.h"

#include <string.h>

/* -- module state ------------------------------------------------------- */

/* Names looked up on user objects while running, interned once per module. */
#define GX_NAMES(X)   \
    X(Struct)         \
    X(__call__)       \
    X(__code__)       \
    X(__enter__)      \
    X(__exit__)       \
    X(__fspath__)     \
    X(__func__)       \
    X(__module__)     \
    X(__name__)       \
    X(__notes__)      \
    X(args)           \
    X(keywords)       \
    X(__qualname__)   \
    X(__reduce__)     \
    X(_from_rows)     \
    X(Sequence)       \
    X(abs)            \
    X(aclose)         \
    X(ag_frame)       \
    X(append)         \
    X(array)          \
    X(asend)          \
    X(athrow)         \
    X(close)          \
    X(cr_frame)       \
    X(divmod)         \
    X(dumps)          \
    X(frombytes)      \
    X(func)           \
    X(get_tool)       \
    X(gi_code)        \
    X(gi_frame)       \
    X(gi_running)     \
    X(gi_suspended)   \
    X(index)          \
    X(iterable)       \
    X(lifting_load)   \
    X(lineno)         \
    X(open)           \
    X(partial)        \
    X(path)           \
    X(pow)            \
    X(print)          \
    X(readline)       \
    X(register)       \
    X(result)         \
    X(round)          \
    X(send)           \
    X(start)          \
    X(step)           \
    X(stop)           \
    X(struct)         \
    X(throw)          \
    X(timing)         \
    X(total)          \
    X(tqdm)           \
    X(unpack)         \
    X(update)         \
    X(update_wrapper) \
    X(value)

enum gx_name_id {
#define X(name) GX_NAME_##name,
    GX_NAMES(X)
#undef X
        GX_N_NAMES
};

enum gx_type_id {
#define GX_TYPE(name) GX_TYPE_##name,
#include "types.def"
#undef GX_TYPE
    GX_N_TYPES
};

typedef struct gx_lane gx_lane;
void gx_lane_free(gx_lane *lane);

/* What pygenx.lifting.stats() shows. */
typedef struct {
    Py_ssize_t stages_lifted, stages_called, items_lifted, items_called, items_in_lanes;
    Py_ssize_t generators_lifted;
} gx_lift_counts;

/* What steps that count words are recognised by. */
typedef enum {
    GX_STR_LOWER,
    GX_STR_SPLIT,
    GX_STR_STRIP,
    GX_N_STR_METHODS
} gx_str_method;

typedef struct {
    PyObject *module;                /* borrowed: whose state this is */
    PyTypeObject *types[GX_N_TYPES]; /* owned, in the order of types.def */
    PyObject *names[GX_N_NAMES];     /* owned, interned */
    PyObject *reentrancy_error;      /* owned: class ReentrancyError */
    PyObject *counter;               /* owned: collections.Counter */
    PyObject *open;                  /* owned: io.open */
    PyObject *builtins_module;       /* owned */
    PyObject *operator_module;       /* owned: the one in C */
    PyObject *itemgetter;            /* owned: types of operator... */
    PyObject *attrgetter;            /* owned */
    PyObject *methodcaller;          /* owned */
    PyObject *partial;               /* owned: ...and functools */
    Py_ssize_t code_extra;           /* index of our memory in code objects, or -1 */
    PyObject *get_tool; /* owned: sys.monitoring.get_tool; NULL before 3.12 */
    int lift_off;       /* > 0: nothing is lifted */
    int lift_eager;     /* > 0: generator expressions are, whether that pays or not */
    gx_lift_counts lift_counts;
    gx_lane *spare_lane; /* owned: its memory is used again; NULL: none (lane.c) */
    PyTypeObject *str_iterator; /* owned: ASCII strings have a type of their own */
    PyObject *empty_program;    /* owned: the Pipeline all pipes start from */
    PyObject *missing;          /* owned: "not given", never seen by users */
    PyObject *one;              /* owned: 1 */
    PyObject *str_methods[GX_N_STR_METHODS]; /* owned: as str itself has them */
} gx_state;

extern struct PyModuleDef gx_module;

/* What module.c fills empty_program with (pipeline.c). */
PyObject *gx_program_empty(PyTypeObject *type);
/* What `this` is (expression_tree.c). */
PyObject *gx_expression_this(PyTypeObject *type);

/* Borrowed. `type` may be a subclass; walks its MRO, so not for hot paths. */
gx_state *gx_get_state(PyTypeObject *type);

#define GX_NAME(state, name) ((state)->names[GX_NAME_##name])
#define GX_TYPE_OF(state, name) ((state)->types[GX_TYPE_##name])

/* How a family file hands a type to module.c. */
typedef struct {
    PyType_Spec *spec;
    vectorcallfunc construct;         /* NULL: instances are made by C alone */
    bool public;                      /* an attribute of the module */
    int (*ready)(PyTypeObject *type); /* NULL, or what a spec cannot say */
    PyTypeObject *(*base)(void);      /* borrowed; NULL: object */
} gx_typedef;

/* Module-level functions are listed in functions.def; each family defines
   gx_NAME (METH_FASTCALL | METH_KEYWORDS, self is the module) and gx_NAME_doc. */

/* -- arguments (args.c) ------------------------------------------------- */

#define GX_MAX_PARAMS 8
#define GX_VARIADIC PY_SSIZE_T_MAX

typedef struct {
    const char *name;          /* as CPython's messages show it, without () */
    const char *const *params; /* NULL-terminated */
    int posonly;               /* the first `posonly` cannot be given by keyword */
    int required;              /* the first `required` must be given */
    int maxpos;                /* at most so many positionally */
} gx_signature;

/* Bind a vectorcall to out[] (borrowed; NULL where not given). -1 with the
   TypeError a Python function of that signature would raise. */
int gx_parse(const gx_signature *sig, PyObject *const *args, size_t nargsf,
             PyObject *kwnames, PyObject **out);
/* tp_new in terms of the vectorcall constructor, for subclasses and type.__call__. */
PyObject *gx_new(vectorcallfunc construct, PyTypeObject *type, PyObject *args,
                 PyObject *kwargs);
/* The names of the n keywords in a dict, a tuple, and their values (new references);
   NULL: neither, but an error. */
PyObject *gx_take_keywords(PyObject *kwargs, Py_ssize_t n, PyObject **values);
/* 0, or -1 with the TypeError of a function that takes none. */
int gx_no_keywords(const char *name, PyObject *kwnames);
/* An index >= minimum through __index__, or -1 with an error: TypeError,
   ValueError `below`, OverflowError above ssize_t. None is a TypeError. */
Py_ssize_t gx_as_size(PyObject *value, Py_ssize_t minimum, const char *below);
/* *maxlen = a limit of 0 or 1 at least; PY_SSIZE_T_MAX where not given, NULL or None.
   0, or -1 with gx_as_size's errors. */
int gx_as_maxlen(PyObject *value, Py_ssize_t minimum, Py_ssize_t *maxlen);
/* The same, normalising *arg (owned) to an int; not given or None stays None. */
int gx_check_optional_size(PyObject **arg, Py_ssize_t minimum, const char *below);
/* The same for one that must be given. */
int gx_check_size(PyObject **arg, Py_ssize_t minimum, const char *below);
/* An index of any sign, or -1 with an error: TypeError "NAME indices must be integers or
   slices, not str", IndexError beyond ssize_t. */
Py_ssize_t gx_as_index(PyObject *value, const char *name);
/* A truth value that may not have been given, made True or False. */
int gx_check_bool(PyObject **arg);
/* Was it built from `this`? The type is final; the slot also tells one of a second import
   of the module. */
PyObject *gx_expression_repr(PyObject *op);

static inline bool
gx_is_expression(PyObject *op)
{
    return Py_TYPE(op)->tp_repr == gx_expression_repr;
}

/* 0, or -1 with TypeError "NAME must be callable, not 'int'". */
int gx_check_callable(PyObject *func, const char *name);
/* The same of *func (owned); an expression is made a callable first. */
int gx_as_callable(PyObject **func, const char *name);
/* An expression made a callable, all else as it is: a new reference, or NULL. */
PyObject *gx_callable_of(PyObject *func);
/* Source text of an expression. `safe`: without running code of users, who may have written the repr of a
   constant. */
PyObject *gx_expression_text(PyObject *op, bool safe);
/* The expression behind such a callable, borrowed; NULL: it is another. */
PyObject *gx_expression_of(PyObject *func);

/* -- calls -------------------------------------------------------------- */

/* A call by the vectorcall slot itself: the checks that PyObject_Vectorcall adds on
   the way are made again by whoever called us. */
static inline PyObject *
gx_call_slot(PyObject *func, PyObject *const *args, size_t nargsf)
{
    PyTypeObject *type = Py_TYPE(func);
    vectorcallfunc slot = NULL;
    if (type->tp_flags & Py_TPFLAGS_HAVE_VECTORCALL) {
        memcpy(&slot, (char *)func + type->tp_vectorcall_offset, sizeof(slot));
    }
    return slot != NULL ? slot(func, args, nargsf, NULL)
                        : PyObject_Vectorcall(func, args, nargsf, NULL);
}

/* func(*args), args[-1] being scratch. */
static inline PyObject *
gx_call_func(PyObject *func, PyObject **args, size_t nargs)
{
    return gx_call_slot(func, args, nargs | PY_VECTORCALL_ARGUMENTS_OFFSET);
}

/* Are two keys the same? 1, 0 or -1, identity first. Two of one of these types know
   each other: the slot answers with a bool, without the detours of
   PyObject_RichCompare. The first is held here: a key may do anything to its owner.
   The second is the caller's. */
static inline int
gx_same(PyObject *first, PyObject *second)
{
    if (first == second) {
        return 1;
    }
    int same;
    PyTypeObject *type = Py_TYPE(first);
    Py_INCREF(first);
    if (type == Py_TYPE(second) && (type == &PyLong_Type || type == &PyUnicode_Type ||
                                    type == &PyFloat_Type || type == &PyTuple_Type)) {
        PyObject *answer = type->tp_richcompare(first, second, Py_EQ);
        same = answer == NULL ? -1 : answer == Py_True;
        Py_XDECREF(answer);
    } else {
        same = PyObject_RichCompareBool(first, second, Py_EQ);
    }
    Py_DECREF(first);
    return same;
}

/* -- errors and notes (errors.c) ---------------------------------------- */

/* PyErr_Format for texts with %R or %S: an error of theirs is what is raised, where
   that of 3.11.2 loses it. */
void gx_raise_format(PyObject *type, const char *format, ...);
/* Sets ReentrancyError "NAME is already running". */
void gx_reentrancy(PyObject *op, const char *name);
/* After a slot answered NULL: 1 it ended, *value (owned, maybe Py_None) is what
   its StopIteration carried; 0 another error is set. value may be NULL. */
int gx_ended(PyObject **value);
/* Raise StopIteration(value) so that a tuple or exception value survives;
   nothing for None: a slot's bare NULL says it already. Steals value. */
void gx_set_stop_iteration(PyObject *value);
/* A callback raised: turn its StopIteration into RuntimeError "WHERE raised
   StopIteration" with the original as __cause__; leave anything else. */
void gx_no_stop_iteration(const char *format, ...);
/* An error that waits among items for several readers: with the traceback it came with,
   so that what one reader adds to it is not shown to the next. New reference; raise
   steals it and answers NULL. */
PyObject *gx_error_pack(PyObject *error);
PyObject *gx_error_raise(PyObject *packed);
/* Add "pygenx: ..." to the raised exception unless it has such a note or is no
   plain Exception. Never fails, never replaces the error. */
void gx_note(const char *format, ...);
/* The same where the text takes work that may itself fail: begin takes the raised
   exception off if it wants a note (else NULL), end adds the note and raises it
   again. Texts that could not be made are NULL: format them with %V and a stand-in. Of
   several texts all but the last are a part: no error is left for the next to meet. */
PyObject *gx_note_begin(void);
PyObject *gx_note_part(PyObject *text);
void gx_note_end(PyObject *exc, const char *format, ...);
/* True if the raised exception is of a kind that gets notes. */
bool gx_wants_note(void);
/* A tuple to be filled while user code runs, which may find it: it has no holes. */
PyObject *gx_tuple_of_none(Py_ssize_t n);
/* Put `item` (taken) in the place of a None. */
void gx_tuple_put(PyObject *tuple, Py_ssize_t i, PyObject *item);
/* Short text for notes and repr, made without running user code: value of exact
   int, float, str, bytes, bool, None up to 80 characters, "<type>" otherwise. */
PyObject *gx_brief(PyObject *value);
/* Short text for a callable: str.upper, clean, <lambda app.py:12>, <Type>. */
PyObject *gx_brief_callable(PyObject *func);
/* An error is set, another is raised by cleaning up: the later one wins and
   keeps the earlier as __context__, as ExitStack does. `earlier` is stolen. */
void gx_chain_errors(PyObject *earlier);
/* Several clean-ups, all tried: rc < 0 moves the raised error into *pending... */
void gx_collect_error(int rc, PyObject **pending);
/* ...and what was collected is raised at the end: 0 nothing, -1. Steals. */
int gx_raise_collected(PyObject *pending);
/* "<list>, <str>": the types of a tuple's items from `start` on. */
PyObject *gx_brief_types(PyObject *tuple, Py_ssize_t start);

/* The code object that stands for a function out of a pickle, borrowed, and *qualname;
   NULL: it is another callable (lifted.c). */
PyCodeObject *gx_lifted_code(PyObject *func, PyObject **qualname);

static inline bool
gx_is_lifted(PyObject *func)
{
    PyObject *qualname;
    return gx_lifted_code(func, &qualname) != NULL;
}

/* -- length hints (errors are in band) ------------------------------------ */

#define GX_HINT_UNKNOWN (-1)
#define GX_HINT_ERROR (-2)

/* Sum of two hints; unknown if either is or if the sum overflows. */
Py_ssize_t gx_add_hints(Py_ssize_t a, Py_ssize_t b);
/* The answer of __length_hint__: int, NotImplemented, or NULL for an error. */
PyObject *gx_hint_object(Py_ssize_t hint);

/* -- the good neighbour (clock.c) ------------------------------------------ */

/* A loop that may run long without entering Python ticks once per item. Every
   `interval` items signals are looked at, and the clock, unless the items have been
   quick lately; after 5 ms other threads get a turn. */
typedef struct {
    Py_ssize_t budget; /* items until the next look */
    int interval;      /* what budget starts from */
    int patience;      /* looks at signals until the next look at the clock */
    int64_t looked;    /* clock of the last look at it; 0: none yet */
    int64_t breathed;  /* clock when other threads last had their turn */
} gx_breath;

#define GX_INTERVAL_NATIVE 256
#define GX_INTERVAL_CALLS 16 /* C callables may be slow and never look themselves */
#define GX_BREATH(n) ((gx_breath){.budget = (n), .interval = (n), .patience = 1})

/* -1 with what a signal handler raised. Nothing read before may be believed after:
   signal handlers and other threads have run. */
int gx_breathe(gx_breath *breath);

static inline int
gx_tick(gx_breath *breath)
{
    return --breath->budget < 0 ? gx_breathe(breath) : 0;
}

/* -- iterator types (iterator.c) ---------------------------------------- */

typedef enum { GX_NEXT, GX_SEND, GX_THROW } gx_how;

/* What a type implements; iterator.c makes next, send, throw, close, with,
   .result and deallocation of it. */
typedef struct {
    const char *name;
    /* Called with `running` set and never after the end. PYGEN_NEXT: *out is the
       item. PYGEN_RETURN: the source has ended, *out its value. PYGEN_ERROR.
       GX_THROW: value is an exception instance (borrowed). */
    PySendResult (*resume)(PyObject *self, gx_how how, PyObject *value, PyObject **out);
    /* Let go of every source; with `close` call their close() first, nearest
       first. Called with `running` set, at the end and by close(); may be called
       twice. -1 with the last error. */
    int (*release)(PyObject *self, bool close);
    /* tp_clear's work: drop every field without calling close(). */
    int (*clear)(PyObject *self);
    /* Drop what has to outlive tp_clear, because methods count on it; may be NULL. */
    void (*forget)(PyObject *self);
    /* Add a note to the raised exception; NULL: none. */
    void (*note)(PyObject *self);
    /* What gx_iterator_finalize, where it is a type's tp_finalize, tells release. */
    bool closes_when_dropped;
} gx_protocol;

#define GX_ITERATOR_HEAD                                                       \
    PyObject_HEAD                                                              \
    const gx_protocol *protocol;                                               \
    PyObject *weakrefs;                                                        \
    PyObject *result; /* owned: the source's return value, NULL = None */      \
    bool running;     /* user code may be running inside: calls are refused */ \
    bool ended;       /* set once; nothing is pulled after it */               \
    bool started;     /* an item has been asked for */                         \
    bool survives;    /* resume says of an error of throw(): not the end */    \
    bool owner;       /* entered by `with`: the end closes the sources */

typedef struct {
    GX_ITERATOR_HEAD
} gx_iterator;

#define gx_iterator_CAST(op) ((gx_iterator *)(op))

/* The resumable core's single entrance: guard, end, release and note around
   protocol->resume. */
PySendResult gx_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out);
/* Slots and tables for the types. */
PyObject *gx_iterator_next(PyObject *op);
PySendResult gx_iterator_am_send(PyObject *op, PyObject *value, PyObject **out);
PyObject *gx_iterator_send(PyObject *op, PyObject *value);
PyObject *gx_iterator_throw(PyObject *op, PyObject *const *args, Py_ssize_t nargs);
PyObject *gx_iterator_close(PyObject *op, PyObject *unused);
PyObject *gx_iterator_enter(PyObject *op, PyObject *unused);
PyObject *gx_iterator_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs);
PyObject *gx_iterator_reduce(PyObject *op, PyObject *unused);
PyObject *gx_iterator_get_result(PyObject *op, void *closure);
int gx_iterator_clear(PyObject *op);
void gx_iterator_finalize(PyObject *op);
void gx_iterator_dealloc(PyObject *op);
/* Close now, from inside a method that already checked `running`. */
int gx_iterator_finish(PyObject *op, bool close);
/* The same after user code, where another thread may be inside: an error then. */
int gx_iterator_leave(PyObject *op, bool close);
/* What a method answers: the item, or NULL with StopIteration(value) also where the
   value is None and a slot would just end. */
PyObject *gx_item_or_raise(PySendResult answer, PyObject *out);
/* The exception instance throw(typ[, val[, tb]]) means, or NULL with TypeError. */
PyObject *gx_thrown_exception(PyObject *const *args, Py_ssize_t nargs);

#define GX_VISIT_ITERATOR(op)                   \
    do {                                        \
        Py_VISIT(Py_TYPE(op));                  \
        Py_VISIT(gx_iterator_CAST(op)->result); \
    } while (0)

extern const char gx_send_doc[], gx_throw_doc[], gx_close_doc[], gx_enter_doc[],
    gx_exit_doc[], gx_result_doc[], gx_class_getitem_doc[], gx_length_hint_doc[],
    gx_reduce_doc[];

/* PyMethodDef has one field for every calling convention: the only place where
   pygenx casts a function pointer, as CPython's own tables do. */
#define GX_FASTCALL(function) ((PyCFunction)(void (*)(void))(function))

/* Rows every iterator type puts into its tp_methods and tp_getset. */
#define GX_ITERATOR_METHODS                                                      \
    {"send", gx_iterator_send, METH_O, gx_send_doc},                             \
        {"throw", GX_FASTCALL(gx_iterator_throw), METH_FASTCALL, gx_throw_doc},  \
        {"close", gx_iterator_close, METH_NOARGS, gx_close_doc},                 \
        {"__enter__", gx_iterator_enter, METH_NOARGS, gx_enter_doc},             \
        {"__exit__", GX_FASTCALL(gx_iterator_exit), METH_FASTCALL, gx_exit_doc}, \
        {"__reduce__", gx_iterator_reduce, METH_NOARGS, gx_reduce_doc},          \
    {                                                                            \
        "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,               \
            gx_class_getitem_doc                                                 \
    }

#define GX_ITERATOR_GETSET                                          \
    {                                                               \
        "result", gx_iterator_get_result, NULL, gx_result_doc, NULL \
    }

#define GX_WEAKLIST_MEMBER(type)                                                   \
    {                                                                              \
        "__weaklistoffset__", T_PYSSIZET, offsetof(type, weakrefs), READONLY, NULL \
    }

#define GX_TYPE_FLAGS \
    (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE)

#endif
