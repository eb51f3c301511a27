/* Native programs read as nodes, for their source text: native_read.c makes the nodes,
   native_text.c the text. */

#ifndef PYGENX_NATIVE_TEXT_H
#define PYGENX_NATIVE_TEXT_H

#include "expression.h"

#define GX_TEXT_REGISTERS 256
#define GX_TEXT_NODES 1024
#define GX_TEXT_CHILDREN 4096
#define GX_TEXT_STEPS \
    20000 /* branches that share their ends are read once for each way */
#define GX_TEXT_LENGTH 1000 /* characters */

enum { GX_NO_NODE = -1, GX_TOO_MUCH = -2 };

typedef enum {
    GX_NODE_VALUE,     /* a parameter or a constant */
    GX_NODE_OPERATION, /* of an instruction */
    GX_NODE_PART,      /* item `part` of what is unpacked */
    GX_NODE_IS_NONE,
    GX_NODE_NOT,
    GX_NODE_AND,
    GX_NODE_OR,
    GX_NODE_IF,   /* condition, then, else */
    GX_NODE_SKIP, /* no value */
} gx_node_kind;

typedef struct {
    gx_node_kind kind;
    const gx_insn *insn;
    PyObject *value; /* borrowed: the constant; NULL: parameter `part` */
    int part;
    int n;
    int first; /* children[first...first + n) */
} gx_node;

typedef struct {
    const gx_native *native;
    PyObject *params, *cells; /* borrowed tuples of str */
    int nnodes, nchildren, steps;
    int16_t meets[GX_BUILD_INSNS + 2]; /* where all ways from an instruction meet */
    int16_t children[GX_TEXT_CHILDREN];
    gx_node nodes[GX_TEXT_NODES];
} gx_reader;

/* The node of the value, from native, params and cells; GX_NO_NODE or GX_TOO_MUCH: it
   cannot be shown. */
int gx_read_native(gx_reader *r);

static inline int
gx_node_child(const gx_reader *r, int i, int which)
{
    return r->children[r->nodes[i].first + which];
}

static inline bool
gx_is_node(const gx_reader *r, int i, gx_node_kind kind)
{
    return i >= 0 && r->nodes[i].kind == kind;
}

static inline bool
gx_is_operation(const gx_reader *r, int i, gx_op op)
{
    return gx_is_node(r, i, GX_NODE_OPERATION) && r->nodes[i].insn->op == op;
}

#endif
