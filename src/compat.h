/* What newer CPythons offer and older ones lack: only what pygenx uses, each
   with the version that makes the shim needless. */

#ifndef PYGENX_COMPAT_H
#define PYGENX_COMPAT_H

#include <Python.h>
#include <structmember.h> /* T_OBJECT and friends: Python.h has Py_T_* from 3.12 */
#include <stdbool.h>
#include <stdint.h>

#if PY_VERSION_HEX < 0x030D0000 /* 3.13 */
#define Py_BEGIN_CRITICAL_SECTION(op) {
#define Py_END_CRITICAL_SECTION() }
#endif

#if PY_VERSION_HEX < 0x030C0000 /* 3.12: the same under other names */
#define PyUnstable_Eval_RequestCodeExtraIndex _PyEval_RequestCodeExtraIndex
#define PyUnstable_Code_GetExtra _PyCode_GetExtra
#define PyUnstable_Code_SetExtra _PyCode_SetExtra
#endif

#if PY_VERSION_HEX < 0x030C0000 /* 3.12 */
static inline PyObject *
PyErr_GetRaisedException(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (type == NULL) {
        return NULL;
    }
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(value, traceback);
        Py_DECREF(traceback);
    }
    Py_DECREF(type);
    return value;
}

/* An int of one digit. */
static inline int
PyUnstable_Long_IsCompact(const PyLongObject *op)
{
    return Py_SIZE(op) >= -1 && Py_SIZE(op) <= 1;
}

static inline Py_ssize_t
PyUnstable_Long_CompactValue(const PyLongObject *op)
{
    return Py_SIZE(op) * (Py_ssize_t)op->ob_digit[0];
}

static inline void
PyErr_SetRaisedException(PyObject *exc)
{
    PyObject *type = Py_NewRef((PyObject *)Py_TYPE(exc));
    PyErr_Restore(type, exc, PyException_GetTraceback(exc));
}
#endif

#if PY_VERSION_HEX < 0x030D0000 /* 3.13 */
/* 1 found, 0 no such attribute, -1 any other error. */
static inline int
PyObject_GetOptionalAttr(PyObject *op, PyObject *name, PyObject **result)
{
    *result = PyObject_GetAttr(op, name);
    if (*result != NULL) {
        return 1;
    }
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return -1;
    }
    PyErr_Clear();
    return 0;
}

/* 1 found, 0 not there, -1 an error; *result is a new reference or NULL. */
static inline int
PyDict_GetItemRef(PyObject *dict, PyObject *key, PyObject **result)
{
    *result = Py_XNewRef(PyDict_GetItemWithError(dict, key));
    return *result != NULL ? 1 : PyErr_Occurred() ? -1 : 0;
}
#endif

#if PY_VERSION_HEX < 0x030C0000
static inline PyObject *
PyType_GetDict(PyTypeObject *type)
{
    return Py_XNewRef(type->tp_dict);
}
#endif

/* Is it being let go of? Only where versions of dicts are known is this asked: there is a
   GIL. */
static inline bool
gx_is_going(PyObject *op)
{
    return Py_REFCNT(op) == 0;
}

/* A number that no other state of any dict has; 0: not known (3.14 has none, and 3.13
   does not count where the dict shares its values with the instance it belongs to). */
static inline uint64_t
gx_dict_version(PyObject *dict)
{
    if (((PyDictObject *)dict)->ma_values != NULL) {
        return 0;
    }
#if PY_VERSION_HEX >= 0x030E0000 || defined(Py_GIL_DISABLED)
    return 0;
#elif PY_VERSION_HEX >= 0x030C0000 && defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    return ((PyDictObject *)dict)->ma_version_tag;
#pragma GCC diagnostic pop
#else
    return ((PyDictObject *)dict)->ma_version_tag;
#endif
}

/* 3.12 and 3.13 count the calls in C, 10,000 of them in newer releases, whatever stack each
   takes; a function in Python is stopped at 1000 before. A function that has no frame in
   Python counts as so many that it gets no deeper than that with sorted() or map() in
   between. 3.11 counts both as one, 3.14 measures the stack. */
#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030E0000
#if defined(Py_C_RECURSION_LIMIT)
#define GX_CALL_UNITS (Py_C_RECURSION_LIMIT / 1100)
#else
#define GX_CALL_UNITS (C_RECURSION_LIMIT / 1100)
#endif
#define GX_COUNT_CALLS(n) (PyThreadState_Get()->c_recursion_remaining -= (n))
#else
#define GX_CALL_UNITS 0
#define GX_COUNT_CALLS(n) ((void)0)
#endif

/* Py_EnterRecursiveCall for a function of ours that stands for one in Python. */
static inline int
gx_enter_call(const char *where)
{
    if (Py_EnterRecursiveCall(where)) {
        return -1;
    }
    GX_COUNT_CALLS(GX_CALL_UNITS);
    return 0;
}

static inline void
gx_leave_call(void)
{
    GX_COUNT_CALLS(-GX_CALL_UNITS);
    Py_LeaveRecursiveCall();
}

#if PY_VERSION_HEX < 0x030E0000 /* 3.14: the trashcan is part of _Py_Dealloc */
#define GX_DEALLOC_BEGIN(op, dealloc) Py_TRASHCAN_BEGIN(op, dealloc)
#define GX_DEALLOC_END Py_TRASHCAN_END
#else
#define GX_DEALLOC_BEGIN(op, dealloc) {
#define GX_DEALLOC_END }
#endif

#if PY_VERSION_HEX < 0x030E0000 /* 3.14: the refcount alone proves nothing there */
static inline int
PyUnstable_Object_IsUniquelyReferenced(PyObject *op)
{
    return Py_REFCNT(op) == 1;
}
#endif

/* *out = x op y; true: it does not fit, and *out is anything. */
#if defined(__GNUC__)
#define gx_add_overflows(x, y, out) __builtin_add_overflow(x, y, out)
#define gx_subtract_overflows(x, y, out) __builtin_sub_overflow(x, y, out)
#define gx_multiply_overflows(x, y, out) __builtin_mul_overflow(x, y, out)
#define GX_PREFETCH(address) __builtin_prefetch(address)
#else
static inline bool
gx_add_overflows(int64_t x, int64_t y, int64_t *out)
{
    *out = (int64_t)((uint64_t)x + (uint64_t)y);
    return ((x ^ *out) & (y ^ *out)) < 0;
}

static inline bool
gx_subtract_overflows(int64_t x, int64_t y, int64_t *out)
{
    *out = (int64_t)((uint64_t)x - (uint64_t)y);
    return ((x ^ y) & (x ^ *out)) < 0;
}

static inline bool
gx_multiply_overflows(int64_t x, int64_t y, int64_t *out)
{
    *out = (int64_t)((uint64_t)x * (uint64_t)y);
    return (x == -1 && y == INT64_MIN) || (x != 0 && x != -1 && *out / x != y) ||
           (x == -1 && *out != -y);
}
#define GX_PREFETCH(address) ((void)(address))
#endif

/* Nanoseconds of the clock behind time.perf_counter(); never fails. */
int64_t gx_clock_ns(void);

#endif
