/* Stages that read further iterables: flatten, flat_map, chain, prepend. */

#include "stage_inputs.h"

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
    PyObject *input = gx_stage_next_input(step);
    if (input == NULL) {
        return GX_SKIP;
    }
    PyObject *iterable = gx_stage_made_input(input);
    Py_DECREF(input);
    if (iterable == NULL) {
        return GX_ERROR;
    }
    int rc = gx_source_open(run->state, &step->source, iterable);
    Py_DECREF(iterable);
    return rc < 0 ? GX_ERROR : GX_OPEN;
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
    .parse = gx_stage_parse_inputs,
    .check = gx_stage_check_inputs,
    .before = gx_pass_on,
    .refill = inputs_refill,
    .release = gx_stage_release_inputs,
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
    .parse = gx_stage_parse_inputs,
    .check = gx_stage_check_inputs,
    .start = prepend_start,
    .before = gx_pass_on,
    .refill = inputs_refill,
    .release = gx_stage_release_inputs,
    .hint = inputs_hint,
};

const char gx_stage_prepend_doc[] =
    "prepend($self, *iterables)\n--\n\n"
    "Put the items of iterables before the first, each opened when it is reached, by\n"
    "the rules of chain().\n\n"
    ">>> pipe([1]).prepend([2], 'ab').list()\n"
    "[2, 'a', 'b', 1]";
