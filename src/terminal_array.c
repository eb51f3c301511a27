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

/* Of the array; 0, which is none, where somebody has put a class of his own in the place
   of array.array that takes anything. */
Py_UCS4
gx_array_typecode(const gx_step *step)
{
    PyObject *typecode = step->args[0];
    bool one = PyUnicode_Check(typecode) && PyUnicode_GET_LENGTH(typecode) == 1;
    return one ? PyUnicode_READ_CHAR(typecode, 0) : 0;
}

/* n numbers of its type, whose size is `size`, at once; false: an error is raised. A class
   of somebody's own, whose type can be changed, might keep what it is given: a copy. */
bool
gx_array_extend(gx_run *run, gx_step *step, const void *numbers, int n, size_t size)
{
    PyObject *none = NULL;
    char *start = (char *)numbers;
    Py_ssize_t length = (Py_ssize_t)size * n;
    PyObject *bytes = PyType_HasFeature(Py_TYPE(step->state), Py_TPFLAGS_IMMUTABLETYPE)
                          ? PyMemoryView_FromMemory(start, length, PyBUF_READ)
                          : PyBytes_FromStringAndSize(start, length);
    if (bytes != NULL) {
        PyObject *args[2] = {step->state, bytes};
        none = PyObject_VectorcallMethod(GX_NAME(run->state, frombytes), args, 2, NULL);
        Py_DECREF(bytes);
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
