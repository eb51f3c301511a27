/* Stages that read further iterables: flatten, flat_map, chain, prepend. */

#include "pipeline.h"

/* -- flatten, flat_map --------------------------------------------------- */

static gx_answer
flatten_before(gx_run *run, gx_step *step, PyObject **item)
{
    if (gx_source_open(run->state, &step->source, *item) < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*item);
    return GX_OPEN;
}

static gx_answer
flat_map_after(gx_run *run, gx_step *step, PyObject **item, PyObject *result)
{
    int rc = gx_source_open(run->state, &step->source, result);
    Py_DECREF(result);
    if (rc < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*item);
    return GX_OPEN;
}

static const char *const no_params[] = {NULL};
static const char *const func_params[] = {"func", NULL};
static const gx_signature flatten_signature = {"flatten", no_params, 0, 0, 0};
static const gx_signature flat_map_signature = {"flat_map", func_params, 1, 1, 1};

const gx_row gx_stage_flatten = {
    .name = "flatten",
    .flags = GX_MANY_ENDS,
    .signature = &flatten_signature,
    .before = flatten_before,
};

const char gx_stage_flatten_doc[] =
    "flatten($self)\n--\n\n"
    "Pass on the items of each item, one level deep; strings give their characters.\n"
    "Raises TypeError at an item that is not iterable. As\n"
    "itertools.chain.from_iterable.\n\n"
    ">>> pipe([[1, 2], (3,)]).flatten().list()\n"
    "[1, 2, 3]";

const gx_row gx_stage_flat_map = {
    .name = "flat_map",
    .flags = GX_MANY_ENDS,
    .signature = &flat_map_signature,
    .nargs = 1,
    .call = GX_CALL_ITEM,
    .after = flat_map_after,
};

const char gx_stage_flat_map_doc[] =
    "flat_map($self, func, /)\n--\n\n"
    "Pass on the items of func(item), for each item. Raises TypeError where the\n"
    "result is not iterable. As toolz.mapcat.\n\n"
    ">>> pipe(['a b', 'c']).flat_map(str.split).list()\n"
    "['a', 'b', 'c']";

/* -- chain, prepend ------------------------------------------------------ */

/* args[0] holds the inputs, step->count is the next to be opened. In a Pipeline they
   are a tuple; in a pipe, which runs once, a list that gives each up as it is reached
   and all when the run ends: the program must not keep a source alive. */
static int
inputs_parse(const gx_row *row, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames, PyObject **out)
{
    if (gx_no_keywords(row->name, kwnames) < 0) {
        return -1;
    }
    out[0] = PyTuple_New(nargs);
    for (Py_ssize_t i = 0; i < nargs && out[0] != NULL; i++) {
        PyTuple_SET_ITEM(out[0], i, Py_NewRef(args[i]));
    }
    return out[0] == NULL ? -1 : 0;
}

/* What a stage reads besides the upstream: an iterable, or a function without
   arguments that makes one, so that a program can be run again. */
static int
open_input(gx_run *run, gx_step *step, PyObject *input)
{
    if (Py_TYPE(input)->tp_iter == NULL && !PySequence_Check(input) &&
        PyCallable_Check(input)) {
        PyObject *made = PyObject_CallNoArgs(input);
        if (made == NULL) {
            return -1;
        }
        int rc = gx_source_open(run->state, &step->source, made);
        Py_DECREF(made);
        return rc;
    }
    return gx_source_open(run->state, &step->source, input);
}

/* An iterator can be read once only: 1 it is one, 0 not, -1 error. */
static int
is_iterator(PyObject *input)
{
    if (!PyIter_Check(input)) {
        return 0;
    }
    PyObject *it = PyObject_GetIter(input);
    Py_XDECREF(it);
    return it == NULL ? -1 : it == input;
}

static int
inputs_check(gx_state *Py_UNUSED(state), PyObject **args, bool reusable)
{
    if (!PyTuple_CheckExact(args[0])) {
        PyErr_SetString(PyExc_TypeError, "the inputs of a stage must be a tuple");
        return -1;
    }
    if (!reusable) {
        Py_SETREF(args[0], PySequence_List(args[0]));
        return args[0] == NULL ? -1 : 0;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args[0]); i++) {
        PyObject *input = PyTuple_GET_ITEM(args[0], i);
        int once = is_iterator(input);
        if (once > 0) {
            PyErr_Format(
                PyExc_TypeError,
                "a Pipeline cannot keep the iterator '%.200s': use an iterable "
                "that can be read again or a function that makes one",
                Py_TYPE(input)->tp_name);
        }
        if (once != 0) {
            return -1;
        }
    }
    return 0;
}

/* New reference, or NULL: there is none. */
static PyObject *
next_input(gx_step *step)
{
    PyObject *inputs = step->args[0];
    if (step->count >= PySequence_Fast_GET_SIZE(inputs)) {
        return NULL;
    }
    Py_ssize_t i = step->count++;
    PyObject *input = Py_NewRef(PySequence_Fast_GET_ITEM(inputs, i));
    if (PyList_CheckExact(inputs)) {
        PyList_SetItem(inputs, i, Py_NewRef(Py_None));
    }
    return input;
}

static int
prepend_start(gx_run *run, gx_step *step)
{
    step->prefix = true;
    gx_run_push(run, step);
    return 0;
}

static gx_answer
inputs_refill(gx_run *run, gx_step *step, PyObject **Py_UNUSED(item))
{
    PyObject *input = next_input(step);
    if (input == NULL) {
        return GX_SKIP;
    }
    int rc = open_input(run, step, input);
    Py_DECREF(input);
    return rc < 0 ? GX_ERROR : GX_OPEN;
}

static int
inputs_release(gx_run *run, gx_step *step, bool close)
{
    PyObject *input, *error = NULL;
    while ((input = next_input(step)) != NULL) {
        if (close) {
            gx_collect_error(gx_close(run->state, input), &error);
        }
        Py_DECREF(input);
    }
    return gx_raise_collected(error);
}

static Py_ssize_t
inputs_hint(gx_step *step, Py_ssize_t upstream)
{
    PyObject *inputs = step->args[0];
    Py_ssize_t total = gx_add_hints(upstream, gx_source_hint(&step->source));
    for (Py_ssize_t i = step->count; i < PySequence_Fast_GET_SIZE(inputs) && total >= 0;
         i++) {
        total = gx_add_hints(total, gx_length_of(PySequence_Fast_GET_ITEM(inputs, i)));
    }
    return total;
}

const gx_row gx_stage_chain = {
    .name = "chain",
    .flags = GX_MANY_ENDS,
    .nargs = 1,
    .parse = inputs_parse,
    .check = inputs_check,
    .before = gx_pass_on,
    .refill = inputs_refill,
    .release = inputs_release,
    .hint = inputs_hint,
};

const char gx_stage_chain_doc[] =
    "chain($self, *iterables)\n--\n\n"
    "Append the items of iterables, each opened when it is reached. An input may be a\n"
    "function without arguments that makes an iterable; a Pipeline takes no iterators,\n"
    "which could be read only once. As itertools.chain.\n\n"
    ">>> pipe([1]).chain([2], 'ab').list()\n"
    "[1, 2, 'a', 'b']";

const gx_row gx_stage_prepend = {
    .name = "prepend",
    .flags = GX_MANY_ENDS,
    .nargs = 1,
    .parse = inputs_parse,
    .check = inputs_check,
    .start = prepend_start,
    .before = gx_pass_on,
    .refill = inputs_refill,
    .release = inputs_release,
    .hint = inputs_hint,
};

const char gx_stage_prepend_doc[] =
    "prepend($self, *iterables)\n--\n\n"
    "Put the items of iterables before the first, each opened when it is reached, by\n"
    "the rules of chain().\n\n"
    ">>> pipe([1]).prepend([2], 'ab').list()\n"
    "[2, 'a', 'b', 1]";
