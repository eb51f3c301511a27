/* Reading bytecode: what the translation of functions and of generator expressions
   share. Opcodes and the layout of the stack are those of the CPython compiled for. */

#ifndef PYGENX_LIFT_H
#define PYGENX_LIFT_H

#include "native.h"

#define GX_LIFT_UNITS 512
#define GX_LIFT_LOCALS 64
#define GX_NO_EXPRESSION "its bytecode is not that of an expression"

/* Bytecode of one code object and where its translation stands. */
typedef struct {
    PyCodeObject *code;   /* borrowed */
    const uint8_t *units; /* opcode and argument, in turn */
    int nunits;
    int at;                         /* unit of the instruction, behind EXTENDED_ARG */
    int next;                       /* unit behind the instruction and its caches */
    int nlocals;                    /* cells of the closure are numbered behind them */
    uint8_t locals[GX_LIFT_LOCALS]; /* operand a variable stands for, GX_NO_OPERAND */
    PyObject *kwnames;              /* borrowed: 3.11, 3.12, of the call to come */
    gx_builder builder;
    gx_label labels[GX_LIFT_UNITS + 1];
} gx_lifter;

/* 0, or -1 with MemoryError; *bytecode (owned) keeps lifter->units alive. */
int gx_lifter_init(gx_lifter *lifter, PyCodeObject *code, int nparams,
                   PyObject **bytecode);
/* Decode the instruction at `unit`: its argument, and lifter->next behind it. */
int gx_lifter_decode(gx_lifter *lifter, int unit, int *opcode);
/* Translate it, if it is one that expressions consist of. */
void gx_lifter_translate(gx_lifter *lifter, int opcode, int arg);
/* Parts of that: true if the opcode was one of theirs (lift_operators.c). */
bool gx_lift_operator(gx_lifter *lifter, int opcode, int arg);
bool gx_lift_display(gx_lifter *lifter, int opcode, int arg);

#endif
