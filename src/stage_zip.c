/* The stage zip: each item in a tuple with one item of each of further iterables. */

#include "stage_inputs.h"

/* -- struct -------------------------------------------------------------- */

enum { ZIP_INPUTS, ZIP_STRICT };

/* step->state is the tuple of the inputs' iterators, made when the first item has come;
   step->key the row in progress, or the last one, to be filled again; step->next the
   place in the row that is filled next, 0 if none is in progress; step->limit is 1 if
   some input may nest, and is called inside Py_EnterRecursiveCall. */
enum { ZIP_READING, ZIP_DONE };

/* -- arguments ----------------------------------------------------------- */

static const char *const zip_params[] = {"iterables", "strict", NULL};
static const gx_signature zip_signature = {"zip", zip_params, 1, 0, 0};
static const gx_signature zip_keywords = {"zip", zip_params + 1, 0, 0, 0};

static int
zip_parse(const gx_row *Py_UNUSED(row), PyObject *const *args, Py_ssize_t nargs,
          PyObject *kwnames, PyObject **out)
{
    PyObject *strict[1];
    if (gx_parse(&zip_keywords, args + nargs, 0, kwnames, strict) < 0) {
        return -1;
    }
    out[ZIP_STRICT] = Py_XNewRef(strict[0]);
    return gx_stage_take_inputs(args, nargs, &out[ZIP_INPUTS]);
}

/* 1 it may be iterable, or make what is; 0 TypeError, as iter() says it. */
static int
may_be_input(PyObject *input)
{
    if (Py_TYPE(input)->tp_iter != NULL || PySequence_Check(input) ||
        PyCallable_Check(input)) {
        return 1;
    }
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable",
                 Py_TYPE(input)->tp_name);
    return 0;
}

static int
zip_check(gx_state *state, PyObject **args, bool reusable)
{
    int strict = args[ZIP_STRICT] ? PyObject_IsTrue(args[ZIP_STRICT]) : 0;
    if (strict < 0) {
        return -1;
    }
    Py_XSETREF(args[ZIP_STRICT], Py_NewRef(strict ? Py_True : Py_False));
    PyObject *inputs = args[ZIP_INPUTS];
    for (Py_ssize_t i = 0; PyTuple_CheckExact(inputs) && i < PyTuple_GET_SIZE(inputs);
         i++) {
        if (!may_be_input(PyTuple_GET_ITEM(inputs, i))) {
            return -1;
        }
    }
    return gx_stage_check_inputs(state, args, reusable);
}

/* -- inputs -------------------------------------------------------------- */

/* The iterator of the next input, NULL without an error: there is none. */
static PyObject *
open_next(gx_step *step)
{
    PyObject *input = gx_stage_next_input(step);
    PyObject *iterable = input != NULL ? gx_stage_made_input(input) : NULL;
    PyObject *it = iterable != NULL ? PyObject_GetIter(iterable) : NULL;
    Py_XDECREF(input);
    Py_XDECREF(iterable);
    return it;
}

/* Does one of these iterators need a depth guard? */
static bool
may_nest(gx_state *state, PyObject *iterators)
{
    bool nests = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(iterators); i++) {
        gx_source source;
        gx_source_adopt(state, &source, PyTuple_GET_ITEM(iterators, i));
        nests = nests || source.fetch == gx_fetch_guarded;
    }
    return nests;
}

/* Open all of them: 0, or -1 after which the program ends. */
static int
open_inputs(gx_run *run, gx_step *step)
{
    PyObject *it, *opened = PyList_New(0);
    int rc = opened == NULL ? -1 : 0;
    while (rc == 0 && (it = open_next(step)) != NULL) {
        rc = PyList_Append(opened, it);
        Py_DECREF(it);
    }
    PyObject *error = PyErr_GetRaisedException();
    step->state = opened != NULL ? PyList_AsTuple(opened) : NULL;
    Py_XDECREF(opened);
    if (error == NULL && step->state != NULL) {
        step->limit = may_nest(run->state, step->state);
        return 0;
    }
    step->phase = ZIP_DONE;
    gx_run_stop_later(run, step);
    return error != NULL ? gx_raise_collected(error) : -1;
}

/* The next item of an input that may nest, or is none: see gx_fetch_guarded. */
static Py_NO_INLINE PyObject *
ask_guarded(PyObject *it)
{
    if (Py_TYPE(it)->tp_iternext == NULL) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator",
                     Py_TYPE(it)->tp_name);
        return NULL;
    }
    if (Py_EnterRecursiveCall(" in a pygenx iterator")) {
        return NULL;
    }
    PyObject *item = Py_TYPE(it)->tp_iternext(it);
    Py_LeaveRecursiveCall();
    return item;
}

/* One item of input i; NULL at its end or with an error. */
static inline PyObject *
ask(gx_step *step, Py_ssize_t i)
{
    PyObject *it = PyTuple_GET_ITEM(step->state, i);
    return step->limit ? ask_guarded(it) : Py_TYPE(it)->tp_iternext(it);
}

/* Let go of all inputs, opened or not, in order. */
static int
zip_release(gx_run *run, gx_step *step, bool close)
{
    PyObject *error = NULL, *inputs = step->state;
    step->state = NULL;
    step->phase = ZIP_DONE;
    for (Py_ssize_t i = 0; inputs != NULL && close && i < PyTuple_GET_SIZE(inputs);
         i++) {
        PyObject *it = PyTuple_GET_ITEM(inputs, i);
        gx_collect_error(gx_close(run->state, it), &error);
    }
    Py_XDECREF(inputs);
    gx_collect_error(gx_stage_release_inputs(run, step, close), &error);
    return gx_raise_collected(error);
}

/* -- rows ---------------------------------------------------------------- */

/* Always -1: input i is shorter or longer than the upstream and those before it. */
static int
uneven(Py_ssize_t i, const char *how)
{
    if (i == 1) {
        PyErr_Format(PyExc_ValueError, "zip() argument 2 is %s than argument 1", how);
    } else {
        PyErr_Format(PyExc_ValueError, "zip() argument %zd is %s than arguments 1-%zd",
                     i + 1, how, i);
    }
    return -1;
}

/* Fill the row in progress: 1 it is full, 0 an input has ended and so does the
   program, -1 error: it stays in progress, or the phase is ZIP_DONE. */
static int
fill_row(gx_step *step)
{
    PyObject *inputs = step->state, *row = step->key;
    int rc = 1;
    for (; step->next <= PyTuple_GET_SIZE(inputs); step->next++) {
        PyObject *item = ask(step, step->next - 1);
        if (item == NULL) {
            rc = gx_ended(NULL) ? 0 : -1;
            break;
        }
        PyObject *old = PyTuple_GET_ITEM(row, step->next);
        PyTuple_SET_ITEM(row, step->next, item);
        Py_DECREF(old);
    }
    if (rc == 0) {
        step->phase = ZIP_DONE;
        if (step->args[ZIP_STRICT] == Py_True) {
            rc = uneven(step->next, "shorter");
        }
    }
    return rc;
}

/* The full row. It stays where it is, for the next one if nobody else holds it then:
   see enumerate. */
static PyObject *
take_row(gx_step *step)
{
    step->next = 0;
    return Py_NewRef(step->key);
}

/* A row with the upstream's item in it, in step->key: 0, -1 error. */
static int
begin_row(gx_step *step, PyObject *item)
{
    PyObject *row = step->key;
#if PY_VERSION_HEX < 0x030E0000
    if (row != NULL && PyUnstable_Object_IsUniquelyReferenced(row)) {
        if (!PyObject_GC_IsTracked(row)) {
            PyObject_GC_Track(row);
        }
        PyObject *old = PyTuple_GET_ITEM(row, 0);
        PyTuple_SET_ITEM(row, 0, Py_NewRef(item));
        step->next = 1;
        Py_DECREF(old);
        return 0;
    }
#endif
    Py_ssize_t n = PyTuple_GET_SIZE(step->state) + 1;
    PyObject *fresh = PyTuple_New(n);
    if (fresh == NULL) {
        return -1;
    }
    PyTuple_SET_ITEM(fresh, 0, Py_NewRef(item));
    for (Py_ssize_t i = 1; i < n; i++) { /* no hole, should anybody look */
        PyTuple_SET_ITEM(fresh, i, Py_NewRef(Py_None));
    }
    step->next = 1;
    step->key = fresh;
    Py_XDECREF(row);
    return 0;
}

/* A lane of its own, on the stack after an error in a row: what is left of that row,
   and then the upstream is asked again. */
static PyObject *
fetch_row(gx_source *source)
{
    gx_step *step = (gx_step *)source;
    if (step->phase == ZIP_READING && step->next > 0) {
        if (fill_row(step) > 0) {
            return take_row(step);
        }
    } else {
        step->stopping = step->phase == ZIP_DONE;
        return NULL;
    }
    step->stopping = step->phase == ZIP_DONE && !PyErr_Occurred();
    return NULL;
}

/* An answer to throw() has passed by the row in progress: that goes first. */
static gx_answer
go_on(gx_step *step, PyObject **item)
{
    int rc = fill_row(step);
    if (rc == 0) {
        Py_CLEAR(*item);
        return GX_STOP;
    }
    PyObject *row = rc > 0 ? take_row(step) : NULL;
    if (row == NULL || begin_row(step, *item) < 0) {
        Py_XDECREF(row);
        return GX_ERROR;
    }
    Py_SETREF(*item, row);
    return GX_EMIT_MORE;
}

static gx_answer
zip_before(gx_run *run, gx_step *step, PyObject **item)
{
    if (step->phase == ZIP_DONE) { /* throw() was answered before the stop was asked */
        Py_CLEAR(*item);
        return GX_STOP;
    }
    if (step->next > 0) {
        return go_on(step, item);
    }
    if ((step->state == NULL && open_inputs(run, step) < 0) ||
        begin_row(step, *item) < 0) {
        return GX_ERROR;
    }
    int rc = fill_row(step);
    if (rc > 0) {
        Py_SETREF(*item, take_row(step));
        return GX_EMIT;
    }
    if (rc == 0) {
        Py_CLEAR(*item);
        return GX_STOP;
    }
    step->source.fetch = fetch_row;
    gx_run_push(run, step);
    return GX_ERROR;
}

/* The upstream has ended, and, if strict, so must the inputs: 0, -1 error. */
static int
check_ends(gx_run *run, gx_step *step)
{
    if (step->state == NULL && open_inputs(run, step) < 0) {
        return -1;
    }
    for (; step->next < PyTuple_GET_SIZE(step->state); step->next++) {
        PyObject *item = ask(step, step->next);
        if (item != NULL) {
            Py_DECREF(item);
            step->phase = ZIP_DONE;
            return uneven(step->next + 1, "longer");
        }
        if (!gx_ended(NULL)) {
            return -1;
        }
    }
    return 0;
}

static gx_answer
zip_refill(gx_run *run, gx_step *step, PyObject **Py_UNUSED(item))
{
    if (step->args[ZIP_STRICT] == Py_True && step->phase == ZIP_READING &&
        check_ends(run, step) < 0) {
        return GX_ERROR;
    }
    return zip_release(run, step, run->owner) < 0 ? GX_ERROR : GX_SKIP;
}

/* The upstream's item in a row in progress. */
static Py_ssize_t
zip_held(gx_step *step)
{
    return step->phase == ZIP_READING && step->next > 0;
}

/* The shortest decides; those already asked have given one item more. */
static Py_ssize_t
zip_hint(gx_step *step, Py_ssize_t upstream)
{
    gx_state *state = gx_get_state(Py_TYPE(step->node));
    Py_ssize_t least = upstream;
    if (step->phase == ZIP_DONE || step->next > 0) {
        return step->phase == ZIP_DONE ? 0 : GX_HINT_UNKNOWN;
    }
    PyObject *inputs = step->state != NULL ? step->state : step->args[ZIP_INPUTS];
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(inputs) && least >= 0; i++) {
        PyObject *input = PySequence_Fast_GET_ITEM(inputs, i);
        Py_ssize_t left = gx_length_of(input);
        if (step->state != NULL) {
            gx_source source;
            gx_source_adopt(state, &source, input);
            left = gx_source_hint(&source);
        }
        bool uneven_ends = step->args[ZIP_STRICT] == Py_True && left != least;
        least = left < 0       ? left
                : uneven_ends  ? GX_HINT_UNKNOWN
                : left < least ? left
                               : least;
    }
    return least;
}

const gx_row gx_stage_zip = {
    .name = "zip",
    .flags = GX_MANY_ENDS,
    .signature = &zip_signature,
    .nargs = 2,
    .parse = zip_parse,
    .check = zip_check,
    .before = zip_before,
    .refill = zip_refill,
    .release = zip_release,
    .hint = zip_hint,
    .held = zip_held,
};

const char gx_stage_zip_doc[] =
    "zip($self, *iterables, strict=False)\n--\n\n"
    "Put each item into a tuple with one item of each of iterables, up to the end of\n"
    "the shortest. With strict they must end together: ValueError if not. The iterables\n"
    "are opened when the first item comes, by the rules of chain(). An error of one\n"
    "keeps the row begun for the next call. As the builtin zip.\n\n"
    ">>> pipe('ab').zip([1, 2, 3]).list()\n"
    "[('a', 1), ('b', 2)]";
