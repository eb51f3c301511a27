/* Functions that travel: a lambda inside a pickled Pipeline is pickled as its native
   program.

   It leaves as a flat tuple, the *parcel*, of plain objects that mean the same to every
   version of Python and of pygenx that knows its format (parcel.c makes and checks it,
   native_pack.c the program in it). What comes out of it is a *lifted* (lifted.c): a
   callable that runs the program and has no Python function.

   A *traveller* (traveller.c) stands in for a function while a program is pickled:
   picklers that know how to pickle functions by value find the function in it. */

#ifndef PYGENX_LIFTED_H
#define PYGENX_LIFTED_H

#include "native.h"

#define GX_LIFTED_PARAMS GX_MAX_PARAMS

/* Places in a parcel. */
enum {
    GX_PARCEL_FORMAT,     /* int */
    GX_PARCEL_CODE,       /* bytes: see native_pack.c */
    GX_PARCEL_CONSTS,     /* tuple */
    GX_PARCEL_NAMES,      /* tuple of str */
    GX_PARCEL_CELLS,      /* tuple: what they held */
    GX_PARCEL_PARAMS,     /* tuple of str */
    GX_PARCEL_POSONLY,    /* int: so many of the first cannot be given by keyword */
    GX_PARCEL_POSITIONAL, /* int: so many can be given positionally */
    GX_PARCEL_DEFAULTS,   /* tuple, of the last parameters */
    GX_PARCEL_MODULE,   /* str: where globals are looked up; None: only builtins are */
    GX_PARCEL_FILE,     /* str */
    GX_PARCEL_LINE,     /* int: the first */
    GX_PARCEL_NAME,     /* str */
    GX_PARCEL_QUALNAME, /* str */
    GX_PARCEL_SIZE,
};

#define GX_PARCEL_IS 1 /* the format that is written */

/* What the program of a parcel may refer to. */
typedef struct {
    int nparams, ncells;
    PyObject *consts; /* borrowed tuple */
    PyObject *names;  /* borrowed tuple of str */
} gx_outside;

/* -- parcel.c ---------------------------------------------------------------- */

/* A new parcel of a function, or None if it cannot have one; NULL with an error. Values
   of cells and defaults that are functions travel, too, as deep as `depth`. */
PyObject *gx_parcel_of(gx_state *state, PyObject *func, int depth);
/* (lifting_load, (parcel,)): how what is of this type is pickled. */
PyObject *gx_parcel_reduce(PyTypeObject *type, PyObject *parcel);
/* 0, or -1 with ValueError: what of it can be seen without its program is sound. */
int gx_parcel_check(PyObject *parcel);

/* -- native_pack.c ------------------------------------------------------------- */

/* bytes, or None if the format does not have all of its operations. */
PyObject *gx_native_pack(gx_native *native, PyCodeObject *code);
/* The native of bytes that may be anything: NULL with ValueError unless the machine can
   run it whatever the values are. */
gx_native *gx_native_unpack(gx_state *state, PyObject *packed, const gx_outside *out);
/* ValueError "not a pickled function of pygenx": NULL. */
PyObject *gx_parcel_unsound(void);

/* -- lifted.c ------------------------------------------------------------------ */

/* A binding for calls with `nargs` arguments; NULL with an error, or without one if it
   does not take that many or is better called. */
gx_binding *gx_lifted_bind(PyObject *op, int nargs);
/* How many arguments it can take positionally. */
int gx_lifted_positional(PyObject *op);

/* -- traveller.c --------------------------------------------------------------- */

/* What is pickled in place of `value`, and back: new references. */
PyObject *gx_traveller_of(gx_state *state, PyObject *value, int depth);
PyObject *gx_traveller_home(gx_state *state, PyObject *value);

#endif
