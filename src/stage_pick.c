/* Stages that put something of an item, or its place, in its stead: pluck, locate. */

#include "pipeline.h"

/* -- pluck -------------------------------------------------------------- */

enum { PLUCK_IND, PLUCK_DEFAULT };

/* A list is copied: what the user does to it later does not change the program. */
static int
pluck_check(gx_state *state, PyObject **args, bool Py_UNUSED(reusable))
{
    if (args[PLUCK_DEFAULT] == NULL) {
        args[PLUCK_DEFAULT] = Py_NewRef(state->missing);
    }
    if (PyList_Check(args[PLUCK_IND])) {
        Py_SETREF(args[PLUCK_IND], PySequence_List(args[PLUCK_IND]));
    }
    return args[PLUCK_IND] == NULL ? -1 : 0;
}

/* step->key are the indexes if there are several. Else `next` is the index where it
   can be one into a list or a tuple, or -1: then it is taken for what it is. */
static int
pluck_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    PyObject *ind = step->args[PLUCK_IND];
    step->next = -1;
    if (PyList_CheckExact(ind)) {
        step->key = PyList_AsTuple(ind);
        return step->key == NULL ? -1 : 0;
    }
    if (PyLong_CheckExact(ind)) {
        int overflow;
        long long value = PyLong_AsLongLongAndOverflow(ind, &overflow);
        if (!overflow && value >= 0 && value < PY_SSIZE_T_MAX) {
            step->next = (Py_ssize_t)value;
        }
    }
    return 0;
}

/* item[ind] or, if there is no such thing, the default. */
static PyObject *
pluck_one(gx_run *run, gx_step *step, PyObject *item, PyObject *ind)
{
    PyObject *value = PyDict_CheckExact(item)
                          ? PyDict_Type.tp_as_mapping->mp_subscript(item, ind)
                          : PyObject_GetItem(item, ind);
    PyObject *otherwise = step->args[PLUCK_DEFAULT];
    if (value != NULL || otherwise == run->state->missing) {
        return value;
    }
    if (PyErr_ExceptionMatches(PyExc_KeyError) ||
        PyErr_ExceptionMatches(PyExc_IndexError)) {
        PyErr_Clear(); /* what the default is for */
        return Py_NewRef(otherwise);
    }
    return NULL;
}

static PyObject *
pluck_several(gx_run *run, gx_step *step, PyObject *item)
{
    Py_ssize_t size = PyTuple_GET_SIZE(step->key);
    PyObject *values = gx_tuple_of_none(size);
    for (Py_ssize_t i = 0; i < size && values != NULL; i++) {
        PyObject *value = pluck_one(run, step, item, PyTuple_GET_ITEM(step->key, i));
        if (value == NULL) {
            Py_CLEAR(values);
        } else {
            gx_tuple_put(values, i, value);
        }
    }
    return values;
}

/* What exact lists and tuples hold at `next`, else NULL without an error. */
static inline PyObject *
pluck_in_place(gx_step *step, PyObject *item)
{
    if (PyTuple_CheckExact(item) && step->next < PyTuple_GET_SIZE(item)) {
        return Py_NewRef(PyTuple_GET_ITEM(item, step->next));
    }
#ifndef Py_GIL_DISABLED
    if (PyList_CheckExact(item) && step->next < PyList_GET_SIZE(item)) {
        return Py_NewRef(PyList_GET_ITEM(item, step->next));
    }
#endif
    return NULL;
}

static gx_answer
pluck_before(gx_run *run, gx_step *step, PyObject **item)
{
    PyObject *value = step->next >= 0 ? pluck_in_place(step, *item) : NULL;
    if (value == NULL) {
        value = step->key != NULL ? pluck_several(run, step, *item)
                                  : pluck_one(run, step, *item, step->args[PLUCK_IND]);
        if (value == NULL) {
            return GX_ERROR;
        }
    }
    PyObject *old = *item;
    *item = value;
    Py_DECREF(old);
    return GX_EMIT;
}

static Py_ssize_t
pluck_hint(gx_step *Py_UNUSED(step), Py_ssize_t upstream)
{
    return upstream;
}

static const char *const pluck_params[] = {"ind", "default", NULL};
static const gx_signature pluck_signature = {"pluck", pluck_params, 0, 1, 2};

static PyObject *
pluck_brief(PyObject *const *args)
{
    PyObject *ind = args[PLUCK_IND];
    if (!PyList_CheckExact(ind)) {
        return gx_brief(ind);
    }
    PyObject *text = PyUnicode_FromString("[");
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(ind) && text != NULL; i++) {
        PyObject *index = gx_brief(PyList_GET_ITEM(ind, i));
        PyObject *longer =
            index ? PyUnicode_FromFormat("%U%s%U", text, i > 0 ? ", " : "", index)
                  : NULL;
        Py_XDECREF(index);
        Py_SETREF(text, longer);
    }
    if (text != NULL) {
        Py_SETREF(text, PyUnicode_FromFormat("%U]", text));
    }
    return text;
}

const gx_row gx_stage_pluck = {
    .name = "pluck",
    .signature = &pluck_signature,
    .nargs = 2,
    .flags = GX_ONE_TO_ONE,
    .check = pluck_check,
    .start = pluck_start,
    .before = pluck_before,
    .brief = pluck_brief,
    .hint = pluck_hint,
};

const char gx_stage_pluck_doc[] =
    "pluck($self, ind, default=...)\n--\n\n"
    "Replace each item by item[ind] or, for a list of indexes, by the tuple of what\n"
    "they give. With a default that stands for what raises KeyError or IndexError;\n"
    "without one the error passes. As toolz.pluck.\n\n"
    ">>> pipe([{'a': 1, 'b': 2}, {'a': 3}]).pluck(['a', 'b'], None).list()\n"
    "[(1, 2), (3, None)]";

/* -- locate ------------------------------------------------------------- */

static int
locate_check(gx_state *Py_UNUSED(state), PyObject **args, bool Py_UNUSED(reusable))
{
    if (args[0] == NULL) {
        args[0] = Py_NewRef((PyObject *)&PyBool_Type);
    }
    return gx_as_callable(&args[0], "pred");
}

/* Put the index of the item, the last one counted, in its place if `truth` says so. */
static gx_answer
locate_judge(gx_step *step, PyObject **item, int truth)
{
    gx_answer answer = gx_keep_if(truth, 1, item);
    if (answer != GX_EMIT) {
        return answer;
    }
    PyObject *index = PyLong_FromSsize_t(step->count - 1);
    if (index == NULL) {
        return GX_ERROR;
    }
    PyObject *old = *item;
    *item = index;
    Py_DECREF(old);
    return GX_EMIT;
}

/* step->count is the number of items seen: one whose pred raises is counted, too. */
static gx_answer
locate_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **Py_UNUSED(item))
{
    step->count++;
    return GX_CALL;
}

static gx_answer
locate_true_before(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item)
{
    step->count++;
    return locate_judge(step, item, PyObject_IsTrue(*item));
}

static gx_answer
locate_after(gx_run *Py_UNUSED(run), gx_step *step, PyObject **item, PyObject *result)
{
    int truth = PyObject_IsTrue(result);
    Py_DECREF(result);
    return locate_judge(step, item, truth);
}

static int
locate_start(gx_run *Py_UNUSED(run), gx_step *step)
{
    if (step->func == (PyObject *)&PyBool_Type) {
        step->before = locate_true_before;
    }
    return 0;
}

static const char *const pred_params[] = {"pred", NULL};
static const gx_signature locate_signature = {"locate", pred_params, 0, 0, 1};

const gx_row gx_stage_locate = {
    .name = "locate",
    .signature = &locate_signature,
    .nargs = 1,
    .flags = GX_ONE_TO_ONE,
    .call = GX_CALL_ITEM,
    .check = locate_check,
    .start = locate_start,
    .before = locate_before,
    .after = locate_after,
};

const char gx_stage_locate_doc[] =
    "locate($self, pred=...)\n--\n\n"
    "Pass on the index, from 0, of each item for which pred(item) is true; pred is\n"
    "bool if it is not given. As more_itertools.locate.\n\n"
    ">>> pipe('a-b-').locate(lambda c: c == '-').list()\n"
    "[1, 3]";
