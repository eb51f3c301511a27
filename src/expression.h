/* Expressions built from `this`: immutable trees of operations on an item that is still
   to come. expression.c is the type, expression_text.c its source text,
   expression_pickle.c its rows, expression_compile.c makes a native program of it and
   expression_function.c a callable.

   A *node* is an object of the type Expression: an operation and its operands. An
   operand that is no Expression is a constant, given to the operation as it is. Walks
   over a tree use a stack of their own: it may be 100,000 operations deep. */

#ifndef PYGENX_EXPRESSION_H
#define PYGENX_EXPRESSION_H

#include "native.h"

/* What operators have in common. */
typedef enum {
    GX_FORM_THIS,
    GX_FORM_VALUE, /* a constant: only in the rows of a pickle */
    GX_FORM_UNARY,
    GX_FORM_BINARY,
    GX_FORM_COMPARE,
    GX_FORM_ATTRIBUTE, /* detail: the name */
    GX_FORM_ITEM,
    GX_FORM_SLICE, /* start, stop, step */
    GX_FORM_CALL,  /* callable, arguments; detail: names of the last ones, or NULL */
    GX_FORM_TUPLE,
    GX_FORM_LIST,
    GX_FORM_DICT, /* key, value, key, value, ... */
    GX_FORM_ALL,
    GX_FORM_ANY,
    GX_FORM_NONE,
} gx_form;

/* How tightly source text binds, loosest first. */
typedef enum {
    GX_LEVEL_ANY,
    GX_LEVEL_CONDITION, /* a if b else c */
    GX_LEVEL_OR,
    GX_LEVEL_AND,
    GX_LEVEL_NOT,
    GX_LEVEL_COMPARE,
    GX_LEVEL_BIT_OR,
    GX_LEVEL_BIT_XOR,
    GX_LEVEL_BIT_AND,
    GX_LEVEL_SHIFT,
    GX_LEVEL_SUM,
    GX_LEVEL_PRODUCT,
    GX_LEVEL_UNARY,
    GX_LEVEL_POWER,
    GX_LEVEL_ATOM,
} gx_level;

typedef struct {
    const char *name; /* in rows; of operators also in source text */
    uint8_t form;
    uint8_t arg;  /* gx_unary, gx_binary, Py_LT ... */
    int8_t arity; /* -1: any */
    uint8_t level;
} gx_operation;

/* Operators stand in the order of their enum, behind those before them. */
enum {
    GX_OPERATION_THIS,
    GX_OPERATION_VALUE,
    GX_OPERATION_UNARY,
    GX_OPERATION_BINARY = GX_OPERATION_UNARY + GX_INVERT + 1,
    GX_OPERATION_COMPARE = GX_OPERATION_BINARY + GX_XOR + 1,
    GX_OPERATION_ATTRIBUTE = GX_OPERATION_COMPARE + Py_GE + 1,
    GX_OPERATION_ITEM,
    GX_OPERATION_SLICE,
    GX_OPERATION_CALL,
    GX_OPERATION_TUPLE,
    GX_OPERATION_LIST,
    GX_OPERATION_DICT,
    GX_OPERATION_ALL,
    GX_OPERATION_ANY,
    GX_OPERATION_NONE,
    GX_N_OPERATIONS
};

extern const gx_operation gx_operations[GX_N_OPERATIONS];

/* So many nodes and constants a tree may have, one that is shared counted each time. */
#define GX_EXPRESSION_MOST 1000000

typedef struct {
    PyObject_VAR_HEAD
    PyObject *weakrefs;
    PyObject *detail; /* owned; meaning by form, or NULL */
    const gx_operation *operation;
    Py_ssize_t size;      /* nodes and constants of the tree, <= GX_EXPRESSION_MOST */
    PyObject *operands[]; /* owned: ob_size of them, never NULL */
} gx_expression;

#define gx_expression_CAST(op) ((gx_expression *)(op))

/* A new node; borrows all. Operands that are exact tuples, lists, dicts or slices with
   expressions in them become nodes of their own. */
PyObject *gx_expression_new(PyTypeObject *type, const gx_operation *operation,
                            Py_ssize_t n, PyObject *const *operands, PyObject *detail);
/* All operands of a tree in postfix order, the tree last: borrowed pointers in an array
   to be freed, *n of them. */
PyObject **gx_expression_postfix(PyObject *op, Py_ssize_t *n);
/* A constant in source text, and "a, b" of the items of one; `safe` as in
   gx_expression_text (text.c). */
PyObject *gx_constant_text(PyObject *op, bool safe);
PyObject *gx_items_text(PyObject *op, bool safe);
/* Put `n` texts, taken, into a format; NULL if one is NULL. */
PyObject *gx_fill(const char *format, int n, PyObject *a, PyObject *b, PyObject *c);
/* Its native program: a new reference, or NULL with an error. */
gx_native *gx_expression_compile(gx_state *state, PyObject *op);
/* A callable (expression_function.c). */
PyObject *gx_expression_function_new(gx_state *state, PyObject *expression);
/* __reduce__ and _from_rows. */
PyObject *gx_expression_pickle(PyObject *op, PyObject *unused);
PyObject *gx_expression_from_rows(PyObject *type, PyObject *rows);

#endif
