/* recent: the keys behind unique_everseen(maxlen=). A dict finds them, a ring through an
   array tells their order. (An OrderedDict does both, but corrupts its memory if the ==
   or the hash of keys contradicts itself.) */

#include "recent.h"

#define RECENT_FIRST_ROOM 16

/* -- struct ------------------------------------------------------------- */

/* Node 0 is where the ring begins and ends, between the newest and the oldest. */
typedef struct {
    PyObject *key;           /* owned; NULL in node 0 */
    PyObject *place;         /* owned: the index of this node; NULL in node 0 */
    Py_ssize_t older, newer; /* the nodes next to it in the ring */
} recent_node;

typedef struct {
    PyObject_HEAD
    PyObject *places;   /* owned: a dict from each key to its place; NULL at first */
    recent_node *nodes; /* owned: room for so many, 1 to `size` are in use */
    Py_ssize_t room, size, limit;
} recent_object;

#define recent_CAST(op) ((recent_object *)(op))

/* -- construct ---------------------------------------------------------- */

PyObject *
gx_recent_new(gx_state *state, Py_ssize_t limit)
{
    PyTypeObject *type = GX_TYPE_OF(state, recent);
    PyObject *op = type->tp_alloc(type, 0);
    if (op != NULL) {
        recent_CAST(op)->limit = limit;
    }
    return op;
}

/* -- iterate ------------------------------------------------------------ */

static void
take_out(recent_node *nodes, Py_ssize_t i)
{
    nodes[nodes[i].older].newer = nodes[i].newer;
    nodes[nodes[i].newer].older = nodes[i].older;
}

static void
put_newest(recent_node *nodes, Py_ssize_t i)
{
    Py_ssize_t last = nodes[0].older;
    nodes[i].older = last;
    nodes[i].newer = 0;
    nodes[last].newer = nodes[0].older = i;
}

/* Room for one more node. */
static int
recent_reserve(recent_object *self)
{
    if (self->size + 1 < self->room) {
        return 0;
    }
    Py_ssize_t room = self->room > 0 ? 2 * self->room : RECENT_FIRST_ROOM;
    recent_node *nodes = self->nodes;
    if (PyMem_Resize(nodes, recent_node, (size_t)room) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (self->room == 0) {
        nodes[0] = (recent_node){.key = NULL};
    }
    self->nodes = nodes;
    self->room = room;
    return 0;
}

static int
recent_append(recent_object *self, PyObject *key)
{
    PyObject *place = NULL;
    if (recent_reserve(self) < 0 ||
        (place = PyLong_FromSsize_t(self->size + 1)) == NULL ||
        PyDict_SetItem(self->places, key, place) < 0) {
        Py_XDECREF(place);
        return -1;
    }
    self->size++;
    self->nodes[self->size] = (recent_node){.key = Py_NewRef(key), .place = place};
    put_newest(self->nodes, self->size);
    return 1;
}

static int recent_clear(PyObject *op);

/* Is the error that is raised a dict's own, of this key? Then it is raised no more. */
static bool
was_missing(PyObject *key)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *args = ((PyBaseExceptionObject *)raised)->args;
    if (PyErr_GivenExceptionMatches(raised, PyExc_KeyError) && args != NULL &&
        PyTuple_GET_SIZE(args) == 1 && PyTuple_GET_ITEM(args, 0) == key) {
        Py_DECREF(raised);
        return true;
    }
    PyErr_SetRaisedException(raised);
    return false;
}

/* A key that has changed is not found again and stays in the dict: before there are
   many of that kind, all is forgotten. */
static int
recent_forget(recent_object *self, PyObject *key)
{
    if (PyDict_DelItem(self->places, key) < 0 && !was_missing(key)) {
        return -1;
    }
    if (PyDict_GET_SIZE(self->places) / 2 > self->limit) {
        recent_clear((PyObject *)self);
    }
    return 0;
}

/* The node of the oldest key becomes that of the newest. */
static int
recent_replace(recent_object *self, PyObject *key)
{
    recent_node *nodes = self->nodes;
    Py_ssize_t i = nodes[0].newer;
    if (PyDict_SetItem(self->places, key, nodes[i].place) < 0) {
        return -1;
    }
    PyObject *old = nodes[i].key;
    nodes[i].key = Py_NewRef(key);
    take_out(nodes, i);
    put_newest(nodes, i);
    int rc = recent_forget(self, old);
    Py_DECREF(old);
    return rc < 0 ? -1 : 1;
}

/* The dict can be found through the collector, and changed. */
static int
recent_refresh(recent_object *self, PyObject *place)
{
    Py_ssize_t i = PyLong_AsSsize_t(place);
    if (i < 1 || i > self->size) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_RuntimeError,
                            "the keys of unique_everseen were changed");
        }
        return -1;
    }
    take_out(self->nodes, i);
    put_newest(self->nodes, i);
    return 0;
}

int
gx_recent_meet(PyObject *op, PyObject *key)
{
    recent_object *self = recent_CAST(op);
    PyObject *place;
    if (self->places == NULL && (self->places = PyDict_New()) == NULL) {
        return -1;
    }
    int known = PyDict_GetItemRef(self->places, key, &place);
    if (known == 0) {
        return self->size < self->limit ? recent_append(self, key)
                                        : recent_replace(self, key);
    }
    if (known > 0) {
        known = recent_refresh(self, place);
        Py_DECREF(place);
    }
    return known;
}

Py_ssize_t
gx_recent_size(PyObject *op)
{
    return recent_CAST(op)->size;
}

/* -- protocol ----------------------------------------------------------- */

static int
recent_traverse(PyObject *op, visitproc visit, void *arg)
{
    recent_object *self = recent_CAST(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->places);
    for (Py_ssize_t i = 1; i <= self->size; i++) {
        Py_VISIT(self->nodes[i].key);
        Py_VISIT(self->nodes[i].place);
    }
    return 0;
}

/* Empty before the first key is let go of. */
static int
recent_clear(PyObject *op)
{
    recent_object *self = recent_CAST(op);
    recent_node *nodes = self->nodes;
    Py_ssize_t size = self->size;
    self->nodes = NULL;
    self->size = self->room = 0;
    Py_CLEAR(self->places);
    for (Py_ssize_t i = 1; i <= size; i++) {
        Py_DECREF(nodes[i].key);
        Py_DECREF(nodes[i].place);
    }
    PyMem_Free(nodes);
    return 0;
}

static void
recent_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, recent_dealloc)
    recent_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

/* -- type --------------------------------------------------------------- */

static const char recent_doc[] = "What unique_everseen has seen lately.";

static PyType_Slot recent_slots[] = {
    {Py_tp_doc, (void *)recent_doc},
    {Py_tp_dealloc, recent_dealloc},
    {Py_tp_traverse, recent_traverse},
    {Py_tp_clear, recent_clear},
    {0, NULL},
};

static PyType_Spec recent_spec = {
    .name = "pygenx.recent",
    .basicsize = sizeof(recent_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = recent_slots,
};

const gx_typedef gx_recent_typedef = {
    .spec = &recent_spec,
};
