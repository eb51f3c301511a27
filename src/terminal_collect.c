/* Terminals that keep every item: list, tuple, set, dict, frequencies, join, collect. */

#include "words.h"

static const char *const no_params[] = {NULL};

/* The container is handed out once; the step keeps nothing. */
static PyObject *
result_state(gx_run *Py_UNUSED(run), gx_step *step)
{
    PyObject *result = step->state;
    step->state = NULL;
    return result;
}

static int
state_or_error(gx_step *step, PyObject *container)
{
    step->state = container;
    return container == NULL ? -1 : 0;
}

/* The end of every `before` here: rc < 0 is an error, else the item was kept. */
static gx_answer
kept(int rc, PyObject **item)
{
    if (rc < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*item);
    return GX_SKIP;
}

/* -- list, tuple, set ---------------------------------------------------- */

static int
list_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    return state_or_error(step, PyList_New(0));
}

static gx_answer
list_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    return kept(PyList_Append(step->state, *item), item);
}

static PyObject *
tuple_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    return PyList_AsTuple(step->state);
}

static int
set_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    return state_or_error(step, PySet_New(NULL));
}

static gx_answer
set_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    return kept(PySet_Add(step->state, *item), item);
}

static const gx_signature list_signature = {"list", no_params, 0, 0, 0};
static const gx_signature tuple_signature = {"tuple", no_params, 0, 0, 0};
static const gx_signature set_signature = {"set", no_params, 0, 0, 0};

const gx_row gx_terminal_list = {
    .name = "list",
    .signature = &list_signature,
    .flags = GX_TERMINAL,
    .start = list_start,
    .before = list_before,
    .result = result_state,
};

const char gx_terminal_list_doc[] =
    "list($self)\n--\n\n"
    "Run the pipe and return its items as a list.\n\n"
    ">>> pipe('ab').list()\n"
    "['a', 'b']";

const gx_row gx_terminal_tuple = {
    .name = "tuple",
    .signature = &tuple_signature,
    .flags = GX_TERMINAL,
    .start = list_start,
    .before = list_before,
    .result = tuple_result,
};

const char gx_terminal_tuple_doc[] =
    "tuple($self)\n--\n\n"
    "Run the pipe and return its items as a tuple.\n\n"
    ">>> pipe('ab').tuple()\n"
    "('a', 'b')";

const gx_row gx_terminal_set = {
    .name = "set",
    .signature = &set_signature,
    .flags = GX_TERMINAL,
    .start = set_start,
    .before = set_before,
    .result = result_state,
};

const char gx_terminal_set_doc[] =
    "set($self)\n--\n\n"
    "Run the pipe and return its items as a set. Raises TypeError at an item that\n"
    "cannot be hashed.\n\n"
    ">>> pipe('abba').set() == {'a', 'b'}\n"
    "True";

/* -- dict --------------------------------------------------------------- */

static int
dict_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    return state_or_error(step, PyDict_New());
}

/* step->count is the number of pairs before this one, for the messages, which are
   dict()'s: from 3.14 it gives the number in a note, as ours does anyway. */
static PyObject *
pair_of(gx_step *step, PyObject *item)
{
    PyObject *pair = PySequence_Fast(item, "object is not iterable");
    if (pair == NULL) {
#if PY_VERSION_HEX < 0x030E0000 /* 3.14 */
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(PyExc_TypeError,
                         "cannot convert dictionary update sequence element #%zd to a "
                         "sequence",
                         step->count);
        }
#endif
        return NULL;
    }
    Py_ssize_t size = PySequence_Fast_GET_SIZE(pair);
    if (size != 2) {
        PyErr_Format(PyExc_ValueError,
                     "dictionary update sequence element #%zd has length %zd; 2 is "
                     "required",
                     step->count, size);
        Py_CLEAR(pair);
    }
    return pair;
}

/* The key's hash and equality may change a list that is the pair: both are held. */
static gx_answer
dict_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    PyObject *pair = pair_of(step, *item);
    if (pair == NULL) {
        return GX_ERROR;
    }
    PyObject *key = Py_NewRef(PySequence_Fast_GET_ITEM(pair, 0));
    PyObject *value = Py_NewRef(PySequence_Fast_GET_ITEM(pair, 1));
    int rc = PyDict_SetItem(step->state, key, value);
    Py_DECREF(key);
    Py_DECREF(value);
    Py_DECREF(pair);
    step->count++;
    return kept(rc, item);
}

static const gx_signature dict_signature = {"dict", no_params, 0, 0, 0};

const gx_row gx_terminal_dict = {
    .name = "dict",
    .signature = &dict_signature,
    .flags = GX_TERMINAL,
    .start = dict_start,
    .before = dict_before,
    .result = result_state,
};

const char gx_terminal_dict_doc[] =
    "dict($self)\n--\n\n"
    "Run a pipe of (key, value) pairs and return them as a dict; the last value of a\n"
    "key wins. Raises TypeError or ValueError at an item that is no pair.\n\n"
    ">>> pipe('ab').enumerate().dict()\n"
    "{0: 'a', 1: 'b'}";

/* -- frequencies -------------------------------------------------------- */

/* A real Counter, counted into as the dict it is. */
static int
frequencies_start(gx_run *run, gx_step *step)
{
    if (state_or_error(step, PyObject_CallNoArgs(run->state->counter)) < 0) {
        return -1;
    }
    if (!PyDict_Check(step->state)) {
        PyErr_SetString(PyExc_TypeError, "collections.Counter is no dict");
        return -1;
    }
    return gx_words_look(run, step);
}

static gx_answer
frequencies_before(gx_run *run, gx_step *step, PyObject **item)
{
    return kept(gx_count_item(step->state, *item, run->state->one), item);
}

static PyObject *
frequencies_result(gx_run *run, gx_step *step)
{
    if (step->key != NULL && gx_words_merge(run, step) < 0) {
        return NULL;
    }
    return result_state(run, step);
}

static const gx_signature frequencies_signature = {"frequencies", no_params, 0, 0, 0};

const gx_row gx_terminal_frequencies = {
    .name = "frequencies",
    .signature = &frequencies_signature,
    .flags = GX_TERMINAL,
    .start = frequencies_start,
    .before = frequencies_before,
    .relook = gx_words_look,
    .result = frequencies_result,
};

const char gx_terminal_frequencies_doc[] =
    "frequencies($self)\n--\n\n"
    "Run the pipe and count equal items in a collections.Counter. Raises TypeError at\n"
    "an item that cannot be hashed. As toolz.frequencies.\n\n"
    ">>> pipe('abba').frequencies()['b']\n"
    "2";

/* -- join --------------------------------------------------------------- */

static int
join_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    if (args[0] == NULL) {
        args[0] = PyUnicode_FromString("");
        return args[0] == NULL ? -1 : 0;
    }
    if (!PyUnicode_Check(args[0])) {
        PyErr_Format(PyExc_TypeError, "sep must be str, not '%.200s'",
                     Py_TYPE(args[0])->tp_name);
        return -1;
    }
    return 0;
}

static gx_answer
join_before(gx_run *run, gx_step *step, PyObject **item)
{
    if (!PyUnicode_Check(*item)) {
        PyErr_Format(PyExc_TypeError,
                     "sequence item %zd: expected str instance, %.80s found",
                     PyList_GET_SIZE(step->state), Py_TYPE(*item)->tp_name);
        return GX_ERROR;
    }
    return list_before(run, step, item);
}

static PyObject *
join_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    return PyUnicode_Join(step->args[0], step->state);
}

static const char *const join_params[] = {"sep", NULL};
static const gx_signature join_signature = {"join", join_params, 1, 0, 1};

const gx_row gx_terminal_join = {
    .name = "join",
    .signature = &join_signature,
    .nargs = 1,
    .flags = GX_TERMINAL,
    .check = join_check,
    .start = list_start,
    .before = join_before,
    .result = join_result,
};

const char gx_terminal_join_doc[] =
    "join($self, sep='', /)\n--\n\n"
    "Run a pipe of strings and join them with sep between. Raises TypeError at an item\n"
    "that is no str. As str.join.\n\n"
    ">>> pipe('abc').join('-')\n"
    "'a-b-c'";

/* -- collect ------------------------------------------------------------ */

static int
collect_parse(const gx_row *Py_UNUSED(row), PyObject *const *args, Py_ssize_t nargs,
              PyObject *kwnames, PyObject **out)
{
    if (gx_no_keywords("collect", kwnames) < 0) {
        return -1;
    }
    if (nargs == 0) {
        PyErr_SetString(PyExc_TypeError, "collect() takes at least one Reducer");
        return -1;
    }
    out[0] = PyTuple_New(nargs);
    for (Py_ssize_t i = 0; i < nargs && out[0] != NULL; i++) {
        PyTuple_SET_ITEM(out[0], i, Py_NewRef(args[i]));
    }
    return out[0] == NULL ? -1 : 0;
}

static int
collect_check(gx_state *state, PyObject **args, bool Py_UNUSED(reusable))
{
    Py_ssize_t n =
        args[0] && PyTuple_CheckExact(args[0]) ? PyTuple_GET_SIZE(args[0]) : 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *reducer = PyTuple_GET_ITEM(args[0], i);
        if (!Py_IS_TYPE(reducer, GX_TYPE_OF(state, Reducer))) {
            PyErr_Format(
                PyExc_TypeError,
                "collect() argument %zd must be a Reducer, as Pipeline().sum() "
                "is, not '%.200s'",
                i + 1, Py_TYPE(reducer)->tp_name);
            return -1;
        }
        if (gx_program_check_pushable(gx_program_CAST(reducer)) < 0) {
            return -1;
        }
    }
    return 0;
}

/* step->state is a tuple of push objects, one for each Reducer; step->count those that
   still want items. */
static int
collect_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    PyObject *reducers = step->args[0];
    step->count = PyTuple_GET_SIZE(reducers);
    step->state = gx_tuple_of_none(step->count);
    for (Py_ssize_t i = 0; i < step->count && step->state != NULL; i++) {
        PyObject *push = gx_reducer_push(PyTuple_GET_ITEM(reducers, i), NULL);
        if (push == NULL) {
            return -1;
        }
        gx_tuple_put(step->state, i, push);
    }
    return step->state == NULL ? -1 : 0;
}

/* Each gets the item, whatever happens in another. */
static gx_answer
collect_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    PyObject *out, *error = NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(step->state); i++) {
        PyObject *push = PyTuple_GET_ITEM(step->state, i);
        if (gx_iterator_CAST(push)->ended) {
            continue;
        }
        PySendResult answer = gx_resume(push, GX_SEND, *item, &out);
        gx_collect_error(answer == PYGEN_ERROR ? -1 : 0, &error);
        Py_XDECREF(out);
        step->count -= gx_iterator_CAST(push)->ended;
    }
    if (gx_raise_collected(error) < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*item);
    return step->count > 0 ? GX_SKIP : GX_STOP;
}

static PyObject *
collect_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    PyObject *error = NULL, *values = gx_tuple_of_none(PyTuple_GET_SIZE(step->state));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(step->state) && values != NULL; i++) {
        PyObject *value = gx_push_close(PyTuple_GET_ITEM(step->state, i), NULL);
        gx_collect_error(value == NULL ? -1 : 0, &error);
        if (value != NULL) {
            gx_tuple_put(values, i, value);
        }
    }
    if (error != NULL) {
        Py_CLEAR(values);
        gx_raise_collected(error);
    }
    return values;
}

/* The terminals; what is before them, or in a collect() among them, is left out. */
static PyObject *
collect_brief(PyObject *const *args)
{
    PyObject *text = PyUnicode_FromString("");
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args[0]) && text != NULL; i++) {
        gx_program *program = gx_program_CAST(PyTuple_GET_ITEM(args[0], i));
        PyObject *inner = program->row == &gx_terminal_collect
                              ? PyUnicode_FromString("collect(...)")
                              : gx_stage_brief(program->row, program->args);
        PyObject *longer = NULL;
        if (inner != NULL) {
            longer = PyUnicode_FromFormat("%U%s%s%U", text, i > 0 ? ", " : "",
                                          program->size > 1 ? "... -> " : "", inner);
        }
        Py_XDECREF(inner);
        Py_SETREF(text, longer);
    }
    return text;
}

const gx_row gx_terminal_collect = {
    .name = "collect",
    .nargs = 1,
    .flags = GX_TERMINAL,
    .parse = collect_parse,
    .check = collect_check,
    .start = collect_start,
    .before = collect_before,
    .brief = collect_brief,
    .result = collect_result,
};

const char gx_terminal_collect_doc[] =
    "collect($self, *reducers)\n--\n\n"
    "Run several Reducers over the items in one pass and return the tuple of their values.\n\n"
    "A Reducer is what a terminal of a Pipeline returns. The pass ends early when none of\n"
    "them wants more. Raises TypeError for anything else.\n\n"
    ">>> pipe([3, 1, 2]).collect(Pipeline().min(), Pipeline().map(str).join('+'))\n"
    "(1, '3+1+2')";
