/* The terminal array: the items in an array.array. */

#include "pipeline.h"

/* A new array, or NULL with the errors of array.array itself. */
static PyObject *
make_array(gx_state *state, PyObject *typecode)
{
    PyObject *made = NULL, *module = PyImport_ImportModule("array");
    if (module != NULL) {
        made = PyObject_CallMethodOneArg(module, GX_NAME(state, array), typecode);
        Py_DECREF(module);
    }
    return made;
}

static int
array_check(gx_state *state, PyObject **args, bool Py_UNUSED(reusable))
{
    PyObject *made = make_array(state, args[0]);
    Py_XDECREF(made);
    return made == NULL ? -1 : 0;
}

/* The array is handed out once; the step keeps nothing. */
static int
array_start(gx_run *run, gx_step *step)
{
    step->state = make_array(run->state, step->args[0]);
    return step->state == NULL ? -1 : 0;
}

static gx_answer
array_before(gx_run *run, gx_step *step, PyObject **item)
{
    PyObject *args[2] = {step->state, *item};
    PyObject *none =
        PyObject_VectorcallMethod(GX_NAME(run->state, append), args, 2, NULL);
    if (none == NULL) {
        return GX_ERROR;
    }
    Py_DECREF(none);
    Py_DECREF(*item);
    return GX_SKIP;
}

/* n numbers of its type, whose size is `size`, at once; false: an error is raised. */
bool
gx_array_extend(gx_run *run, gx_step *step, const void *numbers, int n, size_t size)
{
    PyObject *none = NULL;
    PyObject *view =
        PyMemoryView_FromMemory((char *)numbers, (Py_ssize_t)size * n, PyBUF_READ);
    if (view != NULL) {
        PyObject *args[2] = {step->state, view};
        none = PyObject_VectorcallMethod(GX_NAME(run->state, frombytes), args, 2, NULL);
        Py_DECREF(view);
    }
    Py_XDECREF(none);
    return none != NULL;
}

static PyObject *
array_result(gx_run *Py_UNUSED(run), gx_step *step)
{
    PyObject *result = step->state;
    step->state = NULL;
    return result;
}

static const char *const array_params[] = {"typecode", NULL};
static const gx_signature array_signature = {"array", array_params, 1, 1, 1};

const gx_row gx_terminal_array = {
    .name = "array",
    .signature = &array_signature,
    .nargs = 1,
    .flags = GX_TERMINAL,
    .check = array_check,
    .start = array_start,
    .before = array_before,
    .result = array_result,
};

const char gx_terminal_array_doc[] =
    "array($self, typecode, /)\n--\n\n"
    "Run the pipe and return its items as an array.array of that typecode, of which\n"
    "NumPy makes an array without copying. Raises the errors of array.array: TypeError or\n"
    "OverflowError at an item that does not fit.\n\n"
    ">>> pipe(range(4)).map(lambda x: x * x).array('q')\n"
    "array('q', [0, 1, 4, 9])";
