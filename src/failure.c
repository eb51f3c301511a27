/* Failure: what the handlers of catch() are given: the error, and where it was. */

#include "pipeline.h"

/* -- struct ------------------------------------------------------------- */

/* Immutable to its users; `stage` is made when it is first asked for. */
typedef struct {
    PyObject_HEAD
    PyObject *weakrefs;
    PyObject *error;  /* owned */
    PyObject *item;   /* owned */
    PyObject *index;  /* owned */
    PyObject *stage;  /* owned; NULL as long as `node` knows it */
    gx_program *node; /* owned; the stage that failed, or NULL */
} failure_object;

#define failure_CAST(op) ((failure_object *)(op))

/* -- construct ---------------------------------------------------------- */

PyObject *
gx_failure_new(gx_state *state, PyObject *error, PyObject *item, Py_ssize_t index,
               gx_program *node, PyObject *place)
{
    PyTypeObject *type = GX_TYPE_OF(state, Failure);
    PyObject *number = PyLong_FromSsize_t(index);
    failure_object *self =
        number != NULL ? failure_CAST(type->tp_alloc(type, 0)) : NULL;
    if (self == NULL) {
        Py_XDECREF(number);
        return NULL;
    }
    self->error = Py_NewRef(error);
    self->item = Py_NewRef(item != NULL ? item : Py_None);
    self->index = number;
    self->stage = Py_XNewRef(place);
    self->node = (gx_program *)Py_XNewRef((PyObject *)node);
    return (PyObject *)self;
}

static PyObject *
failure_construct(PyObject *type, PyObject *const *args, size_t nargsf,
                  PyObject *kwnames)
{
    static const char *const params[] = {"error", "item", "index", "stage", NULL};
    static const gx_signature signature = {"Failure", params, 0, 4, 4};
    PyTypeObject *cls = (PyTypeObject *)type;
    PyObject *out[4];
    if (gx_parse(&signature, args, nargsf, kwnames, out) < 0) {
        return NULL;
    }
    failure_object *self = failure_CAST(cls->tp_alloc(cls, 0));
    if (self != NULL) {
        self->error = Py_NewRef(out[0]);
        self->item = Py_NewRef(out[1]);
        self->index = Py_NewRef(out[2]);
        self->stage = Py_NewRef(out[3]);
    }
    return (PyObject *)self;
}

static PyObject *
failure_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(failure_construct, type, args, kwargs);
}

/* -- protocol ----------------------------------------------------------- */

/* A field that the collector has cleared is none. Borrowed. */
static PyObject *
or_none(PyObject *field)
{
    return field != NULL ? field : Py_None;
}

static PyObject *
failure_get_stage_locked(failure_object *self)
{
    if (self->stage == NULL && self->node != NULL) {
        PyObject *text = gx_stage_brief(self->node->row, self->node->args);
        if (text == NULL) {
            return NULL;
        }
        Py_XSETREF(self->stage, text);
    }
    return Py_NewRef(or_none(self->stage));
}

static PyObject *
failure_get_stage(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *stage;
    Py_BEGIN_CRITICAL_SECTION(op);
    stage = failure_get_stage_locked(failure_CAST(op));
    Py_END_CRITICAL_SECTION();
    return stage;
}

/* The item as in a note: only what is short is shown. */
static PyObject *
failure_repr(PyObject *op)
{
    failure_object *self = failure_CAST(op);
    PyObject *text = NULL, *stage = failure_get_stage(op, NULL);
    PyObject *item = stage != NULL ? gx_brief(or_none(self->item)) : NULL;
    int entered = item != NULL ? Py_ReprEnter(op) : -1;
    if (entered == 0) {
        text = PyUnicode_FromFormat("Failure(%R, item=%U, index=%S, stage=%R)",
                                    or_none(self->error), item, or_none(self->index),
                                    stage);
        Py_ReprLeave(op);
    } else if (entered > 0) {
        text = PyUnicode_FromString("Failure(...)");
    }
    Py_XDECREF(item);
    Py_XDECREF(stage);
    return text;
}

static int
failure_traverse(PyObject *op, visitproc visit, void *arg)
{
    failure_object *self = failure_CAST(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->error);
    Py_VISIT(self->item);
    Py_VISIT(self->index);
    Py_VISIT(self->stage);
    Py_VISIT(self->node);
    return 0;
}

/* Only what a cycle can go through and nothing reads as set: repr and members take
   an empty field for None. */
static int
failure_clear(PyObject *op)
{
    failure_object *self = failure_CAST(op);
    Py_CLEAR(self->error);
    Py_CLEAR(self->item);
    Py_CLEAR(self->index);
    Py_CLEAR(self->stage);
    Py_CLEAR(self->node);
    return 0;
}

static void
failure_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, failure_dealloc)
    if (failure_CAST(op)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    failure_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(failure_doc,
"Failure(error, item, index, stage)\n--\n\n"
"An error that catch() has caught, and where it happened.\n\n"
"item is what the stage was working on (None where the source failed), index the\n"
"number of the source's item, from 0, stage the stage as repr() shows it.\n\n"
">>> pipe(['1', 'x']).map(int).catch(ValueError, replace=lambda f: f.item).list()\n"
"[1, 'x']");

static PyMemberDef failure_members[] = {
    {"error", T_OBJECT, offsetof(failure_object, error), READONLY,
     "The exception, with its traceback."},
    {"item", T_OBJECT, offsetof(failure_object, item), READONLY,
     "What the stage was working on; None where it is not known."},
    {"index", T_OBJECT, offsetof(failure_object, index), READONLY,
     "The number of the source's item that was being worked on, from 0."},
    GX_WEAKLIST_MEMBER(failure_object),
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef failure_getset[] = {
    {"stage", failure_get_stage, NULL, "Where it was: \"map(int)\", \"source <list>\".",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot failure_slots[] = {
    {Py_tp_doc, (void *)failure_doc},
    {Py_tp_new, failure_new},
    {Py_tp_dealloc, failure_dealloc},
    {Py_tp_traverse, failure_traverse},
    {Py_tp_clear, failure_clear},
    {Py_tp_repr, failure_repr},
    {Py_tp_members, failure_members},
    {Py_tp_getset, failure_getset},
    {0, NULL},
};

static PyType_Spec failure_spec = {
    .name = "pygenx.Failure",
    .basicsize = sizeof(failure_object),
    .flags = GX_TYPE_FLAGS,
    .slots = failure_slots,
};

const gx_typedef gx_Failure_typedef = {
    .spec = &failure_spec,
    .construct = failure_construct,
    .public = true,
};
