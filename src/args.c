/* Argument binding: one table-driven parser makes every constructor's and every
   method's errors, in the words of a Python function. */

#include "pygenx.h"

#include <string.h>

/* -- keyword binding ---------------------------------------------------- */

static int
count_params(const gx_signature *sig)
{
    int n = 0;
    while (sig->params[n] != NULL) {
        n++;
    }
    return n;
}

static int
too_many(const gx_signature *sig, Py_ssize_t given)
{
    const char *plural = sig->maxpos == 1 ? "" : "s";
    if (sig->required < sig->maxpos) {
        PyErr_Format(PyExc_TypeError,
                     "%s() takes from %d to %d positional arguments but %zd %s given",
                     sig->name, sig->required, sig->maxpos, given,
                     given == 1 ? "was" : "were");
    } else {
        PyErr_Format(PyExc_TypeError,
                     "%s() takes %d positional argument%s but %zd %s given", sig->name,
                     sig->maxpos, plural, given, given == 1 ? "was" : "were");
    }
    return -1;
}

/* "'a'", "'a' and 'b'", "'a', 'b', and 'c'": as a Python function says it. */
static PyObject *
join_missing(const gx_signature *sig, PyObject **out, int missing)
{
    PyObject *text = PyUnicode_FromString("");
    for (int i = 0, seen = 0; i < sig->required && text != NULL; i++) {
        if (out[i] != NULL) {
            continue;
        }
        seen++;
        const char *before = seen == 1        ? ""
                             : seen < missing ? ", "
                             : missing == 2   ? " and "
                                              : ", and ";
        PyObject *longer =
            PyUnicode_FromFormat("%U%s'%s'", text, before, sig->params[i]);
        Py_SETREF(text, longer);
    }
    return text;
}

static int
missing_argument(const gx_signature *sig, PyObject **out)
{
    int missing = 0;
    for (int i = 0; i < sig->required; i++) {
        missing += out[i] == NULL;
    }
    if (missing == 0) {
        return 0;
    }
    PyObject *names = join_missing(sig, out, missing);
    if (names != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "%s() missing %d required positional argument%s: %U", sig->name,
                     missing, missing == 1 ? "" : "s", names);
        Py_DECREF(names);
    }
    return -1;
}

/* Names are nearly always compact ASCII, whose text ends in NUL. */
static bool
is_param(PyObject *name, const char *param)
{
    if (!PyUnicode_IS_COMPACT_ASCII(name)) {
        return PyUnicode_CompareWithASCIIString(name, param) == 0;
    }
    const char *text = (const char *)PyUnicode_1BYTE_DATA(name);
    return text[0] == param[0] && strcmp(text, param) == 0 &&
           (size_t)PyUnicode_GET_LENGTH(name) == strlen(param);
}

static int
bind_keyword(const gx_signature *sig, int nparams, PyObject *name, PyObject *value,
             PyObject **out)
{
    if (!PyUnicode_Check(name)) { /* methodcaller does not see to it from 3.13 on */
        PyErr_SetString(PyExc_TypeError, "keywords must be strings");
        return -1;
    }
    for (int i = 0; i < nparams; i++) {
        if (!is_param(name, sig->params[i])) {
            continue;
        }
        if (i < sig->posonly) {
            PyErr_Format(PyExc_TypeError,
                         "%s() got some positional-only arguments passed as keyword "
                         "arguments: '%U'",
                         sig->name, name);
            return -1;
        }
        if (out[i] != NULL) {
            PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'",
                         sig->name, name);
            return -1;
        }
        out[i] = value;
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'",
                 sig->name, name);
    return -1;
}

int
gx_parse(const gx_signature *sig, PyObject *const *args, size_t nargsf,
         PyObject *kwnames, PyObject **out)
{
    Py_ssize_t npos = PyVectorcall_NARGS(nargsf);
    int nparams = count_params(sig);
    if (npos > sig->maxpos) {
        return too_many(sig, npos);
    }
    for (int i = 0; i < nparams; i++) {
        out[i] = i < npos ? args[i] : NULL;
    }
    if (kwnames == NULL && npos >= sig->required) {
        return 0;
    }
    Py_ssize_t nkw = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t i = 0; i < nkw; i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        if (bind_keyword(sig, nparams, name, args[npos + i], out) < 0) {
            return -1;
        }
    }
    return missing_argument(sig, out);
}

int
gx_no_keywords(const char *name, PyObject *kwnames)
{
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) > 0) {
        PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%S'",
                     name, PyTuple_GET_ITEM(kwnames, 0));
        return -1;
    }
    return 0;
}

/* The dict may be somebody's own, a partial's for one, and making the tuple may run a
   collection, and that anything. */
PyObject *
gx_take_keywords(PyObject *kwargs, Py_ssize_t n, PyObject **values)
{
    PyObject *key, *value, *names = PyTuple_New(n);
    if (names != NULL && n > 0 && PyDict_GET_SIZE(kwargs) != n) {
        PyErr_SetString(PyExc_RuntimeError, "the keywords changed during the call");
        Py_CLEAR(names);
    }
    Py_ssize_t i = 0, at = 0;
    while (names != NULL && n > 0 && PyDict_Next(kwargs, &at, &key, &value)) {
        if (!PyUnicode_Check(key)) { /* who calls a type's slot does not see to it */
            PyErr_SetString(PyExc_TypeError, "keywords must be strings");
            Py_CLEAR(names);
            break;
        }
        PyTuple_SET_ITEM(names, i, Py_NewRef(key));
        values[i++] = Py_NewRef(value);
    }
    for (; names == NULL && i > 0; i--) {
        Py_DECREF(values[i - 1]);
    }
    return names;
}

PyObject *
gx_new(vectorcallfunc construct, PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t npos = PyTuple_GET_SIZE(args);
    Py_ssize_t nkw = kwargs == NULL ? 0 : PyDict_GET_SIZE(kwargs);
    PyObject *const *items = &PyTuple_GET_ITEM(args, 0);
    if (nkw == 0) {
        return construct((PyObject *)type, items, (size_t)npos, NULL);
    }
    PyObject *result = NULL;
    PyObject **stack = PyMem_New(PyObject *, (size_t)(npos + nkw));
    if (stack == NULL) {
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < npos; i++) {
        stack[i] = items[i];
    }
    PyObject *names = gx_take_keywords(kwargs, nkw, stack + npos);
    if (names != NULL) {
        result = construct((PyObject *)type, stack, (size_t)npos, names);
        for (Py_ssize_t i = 0; i < nkw; i++) {
            Py_DECREF(stack[npos + i]);
        }
        Py_DECREF(names);
    }
    PyMem_Free(stack);
    return result;
}

/* -- values ------------------------------------------------------------- */

Py_ssize_t
gx_as_size(PyObject *value, Py_ssize_t minimum, const char *below)
{
    PyObject *index = PyNumber_Index(value);
    if (index == NULL) {
        return -1;
    }
    Py_ssize_t size = PyLong_AsSsize_t(index);
    if (size == -1 && PyErr_Occurred()) {
        int overflow;
        long sign = PyLong_AsLongAndOverflow(index, &overflow);
        (void)sign;
        if (overflow < 0) { /* hugely negative is below the minimum, not too big */
            PyErr_SetString(PyExc_ValueError, below);
        }
    } else if (size < minimum) {
        PyErr_SetString(PyExc_ValueError, below);
        size = -1;
    }
    Py_DECREF(index);
    return size;
}

int
gx_as_maxlen(PyObject *value, Py_ssize_t minimum, Py_ssize_t *maxlen)
{
    *maxlen = PY_SSIZE_T_MAX;
    if (value == NULL || value == Py_None) {
        return 0;
    }
    *maxlen = gx_as_size(value, minimum,
                         minimum == 0 ? "maxlen must be >= 0" : "maxlen must be >= 1");
    return *maxlen < 0 ? -1 : 0;
}

int
gx_check_size(PyObject **arg, Py_ssize_t minimum, const char *below)
{
    Py_ssize_t size = gx_as_size(*arg, minimum, below);
    if (size == -1 && PyErr_Occurred()) {
        return -1;
    }
    PyObject *normal = PyLong_FromSsize_t(size);
    if (normal == NULL) {
        return -1;
    }
    Py_SETREF(*arg, normal);
    return 0;
}

int
gx_check_optional_size(PyObject **arg, Py_ssize_t minimum, const char *below)
{
    if (*arg == NULL) {
        *arg = Py_NewRef(Py_None);
    }
    return *arg == Py_None ? 0 : gx_check_size(arg, minimum, below);
}

Py_ssize_t
gx_as_index(PyObject *value, const char *name)
{
    if (!PyIndex_Check(value)) {
        PyErr_Format(PyExc_TypeError,
                     "%s indices must be integers or slices, not %.200s", name,
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    return PyNumber_AsSsize_t(value, PyExc_IndexError);
}

int
gx_check_bool(PyObject **arg)
{
    int truth = *arg != NULL ? PyObject_IsTrue(*arg) : 0;
    if (truth < 0) {
        return -1;
    }
    Py_XSETREF(*arg, Py_NewRef(truth ? Py_True : Py_False));
    return 0;
}

int
gx_check_callable(PyObject *func, const char *name)
{
    if (gx_is_expression(func)) {
        PyErr_Format(
            PyExc_TypeError,
            "%s must be callable, not an expression: func(...) makes one of it", name);
        return -1;
    }
    if (PyCallable_Check(func)) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "%s must be callable, not '%.200s'", name,
                 Py_TYPE(func)->tp_name);
    return -1;
}

/* -- tuples ------------------------------------------------------------- */

PyObject *
gx_tuple_of_none(Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; i < n && tuple != NULL; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(Py_None));
    }
    return tuple;
}

/* The collector may have untracked a tuple of nothing but None. */
void
gx_tuple_put(PyObject *tuple, Py_ssize_t i, PyObject *item)
{
    PyObject *none = PyTuple_GET_ITEM(tuple, i);
    PyTuple_SET_ITEM(tuple, i, item);
    if (PyType_IS_GC(Py_TYPE(item)) && !PyObject_GC_IsTracked(tuple)) {
        PyObject_GC_Track(tuple);
    }
    Py_DECREF(none);
}
