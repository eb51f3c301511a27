/* collapse: the leaves of nested iterables. */

#include "pipeline.h"

/* -- struct ------------------------------------------------------------- */

/* The iterables that are being read, but for the innermost, which is step->source:
   made when there is more than one. A type of its own because they are lanes, which
   only C can hold, and the collector has to see what is in them. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t size;    /* of them are in use, outermost first */
    Py_ssize_t room;    /* of them there is memory for */
    gx_source *sources; /* owned, and what is in them */
} collapse_stack;

#define collapse_stack_CAST(op) ((collapse_stack *)(op))

/* -- construct ---------------------------------------------------------- */

enum { COLLAPSE_BASE, COLLAPSE_LEVELS };

/* isinstance() itself says what a class is, or a tuple of them. */
static int
collapse_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    if (args[COLLAPSE_BASE] == NULL) {
        args[COLLAPSE_BASE] = Py_NewRef(Py_None);
    }
    if (args[COLLAPSE_BASE] != Py_None &&
        PyObject_IsInstance(Py_None, args[COLLAPSE_BASE]) < 0) {
        return -1;
    }
    return gx_check_optional_size(&args[COLLAPSE_LEVELS], 0,
                                  "levels must be at least 0");
}

/* step->count iterables are open, at most step->limit. */
static int
collapse_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    PyObject *levels = step->args[COLLAPSE_LEVELS];
    step->limit = levels != Py_None ? PyLong_AsSsize_t(levels) : PY_SSIZE_T_MAX;
    return 0;
}

/* -- iterate ------------------------------------------------------------ */

static int
stack_reserve(collapse_stack *stack)
{
    if (stack->size < stack->room) {
        return 0;
    }
    Py_ssize_t room = 2 * stack->room + 4;
    gx_source *sources =
        PyMem_Realloc(stack->sources, (size_t)room * sizeof(gx_source));
    if (sources == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    stack->sources = sources;
    stack->room = room;
    return 0;
}

/* Put step->source, if it is open, on the stack. */
static int
push_source(gx_run *run, gx_step *step)
{
    if (step->source.obj == NULL) {
        return 0;
    }
    if (step->state == NULL) {
        PyTypeObject *type = GX_TYPE_OF(run->state, collapse_stack);
        step->state = type->tp_alloc(type, 0);
        if (step->state == NULL) {
            return -1;
        }
    }
    collapse_stack *stack = collapse_stack_CAST(step->state);
    if (stack_reserve(stack) < 0) {
        return -1;
    }
    stack->sources[stack->size++] = step->source;
    step->source = GX_SOURCE_NONE;
    return 0;
}

/* False if it is empty. */
static bool
pop_source(PyObject *op, gx_source *source)
{
    collapse_stack *stack = collapse_stack_CAST(op);
    if (stack == NULL || stack->size == 0) {
        return false;
    }
    *source = stack->sources[--stack->size];
    return true;
}

/* Is it one of the types that are iterables and nothing else? */
static bool
is_builtin_container(PyObject *item)
{
    return PyList_CheckExact(item) || PyTuple_CheckExact(item) ||
           PyDict_CheckExact(item) || PyAnySet_CheckExact(item) ||
           PyGen_CheckExact(item) || Py_IS_TYPE(item, &PyRange_Type);
}

/* A string is a leaf, and what says of itself that it is one, such as a proxy. */
static int
is_base(gx_step *step, PyObject *item)
{
    PyObject *base = step->args[COLLAPSE_BASE];
    int is = base != Py_None ? PyObject_IsInstance(item, base) : 0;
    if (is == 0 && !is_builtin_container(item)) {
        is = PyObject_IsInstance(item, (PyObject *)&PyUnicode_Type);
        is = is != 0 ? is : PyObject_IsInstance(item, (PyObject *)&PyBytes_Type);
    }
    return is;
}

/* 1 a leaf, 0 perhaps an iterable, -1. */
static int
is_leaf(gx_step *step, PyObject *item)
{
    PyTypeObject *type = Py_TYPE(item);
    if (step->count >= step->limit || PyUnicode_Check(item) || PyBytes_Check(item)) {
        return 1;
    }
    if (type->tp_iter == NULL &&
        (type->tp_as_sequence == NULL || type->tp_as_sequence->sq_item == NULL)) {
        return 1;
    }
    return is_base(step, item);
}

/* Items of the upstream and of step->source alike come here. */
static gx_answer
collapse_before(gx_run *run, gx_step *step, PyObject **item)
{
    int leaf = is_leaf(step, *item);
    if (leaf != 0) {
        return leaf < 0 ? GX_ERROR : GX_EMIT;
    }
    gx_source inner = GX_SOURCE_NONE;
    if (gx_source_open(run->state, &inner, *item) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
            return GX_ERROR;
        }
        PyErr_Clear(); /* what iter() refuses is a leaf */
        return GX_EMIT;
    }
    if (push_source(run, step) < 0) {
        gx_source_drop(&inner);
        return GX_ERROR;
    }
    step->source = inner;
    step->count++;
    step->prefix = true; /* at the end of the inner one refill is asked */
    Py_DECREF(*item);
    return GX_OPEN;
}

/* The innermost iterable has ended: on with the one around it. */
static gx_answer
collapse_refill(gx_run *Py_UNUSED(run), gx_step *step, PyObject **Py_UNUSED(item))
{
    if (pop_source(step->state, &step->source)) {
        step->count--;
        return GX_OPEN;
    }
    step->count = 0;
    return GX_SKIP;
}

/* The iterables that it is inside. */
static Py_ssize_t
collapse_held(gx_step *step)
{
    return step->count;
}

/* Innermost first; step->source has been closed already. */
static int
collapse_release(gx_run *run, gx_step *step, bool close)
{
    gx_source source;
    PyObject *error = NULL;
    while (pop_source(step->state, &source)) {
        if (close) {
            gx_collect_error(gx_source_close(run->state, &source), &error);
        } else {
            gx_source_drop(&source);
        }
    }
    return gx_raise_collected(error);
}

/* -- protocol ----------------------------------------------------------- */

static int
collapse_stack_traverse(PyObject *op, visitproc visit, void *arg)
{
    collapse_stack *self = collapse_stack_CAST(op);
    Py_VISIT(Py_TYPE(op));
    for (Py_ssize_t i = 0; i < self->size; i++) {
        GX_VISIT_SOURCE(&self->sources[i]);
    }
    return 0;
}

static int
collapse_stack_clear(PyObject *op)
{
    gx_source source;
    while (pop_source(op, &source)) {
        gx_source_drop(&source);
    }
    return 0;
}

static void
collapse_stack_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, collapse_stack_dealloc)
    (void)collapse_stack_clear(op);
    PyMem_Free(collapse_stack_CAST(op)->sources);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

/* -- type --------------------------------------------------------------- */

static const char *const collapse_params[] = {"base_type", "levels", NULL};
static const gx_signature collapse_signature = {"collapse", collapse_params, 0, 0, 2};

const gx_row gx_stage_collapse = {
    .name = "collapse",
    .signature = &collapse_signature,
    .nargs = 2,
    .flags = GX_MANY_ENDS | GX_AGAIN,
    .check = collapse_check,
    .start = collapse_start,
    .before = collapse_before,
    .refill = collapse_refill,
    .release = collapse_release,
    .held = collapse_held,
};

const char gx_stage_collapse_doc[] =
    "collapse($self, base_type=None, levels=None)\n--\n\n"
    "Pass on the leaves of items that are iterables of iterables, however deep, or\n"
    "only so many levels deep. Strings, bytes and instances of base_type are leaves.\n"
    "Raises ValueError for levels < 0. As more_itertools.collapse.\n\n"
    ">>> pipe([(1, 2), ([3, [4]], 'ab')]).collapse().list()\n"
    "[1, 2, 3, 4, 'ab']\n"
    ">>> pipe([(1, 2), ([3, [4]], 'ab')]).collapse(levels=1).list()\n"
    "[1, 2, [3, [4]], 'ab']";

PyDoc_STRVAR(collapse_stack_doc, "What collapse() is in the midst of.");

static PyType_Slot collapse_stack_slots[] = {
    {Py_tp_doc, (void *)collapse_stack_doc},
    {Py_tp_dealloc, collapse_stack_dealloc},
    {Py_tp_traverse, collapse_stack_traverse},
    {Py_tp_clear, collapse_stack_clear},
    {0, NULL},
};

static PyType_Spec collapse_stack_spec = {
    .name = "pygenx.collapse_stack",
    .basicsize = sizeof(collapse_stack),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = collapse_stack_slots,
};

const gx_typedef gx_collapse_stack_typedef = {&collapse_stack_spec, NULL, false};
