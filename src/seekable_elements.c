/* How what a seekable keeps is read, and what seekable.elements() returns: a sequence
   that is always that. */

#include "lookahead.h"

/* == what is kept ======================================================= */

/* How many items are kept. One that was looked at, where none are, does not count. */
static inline Py_ssize_t
seekable_kept(const gx_seekable *self)
{
    return self->maxlen == 0 ? 0 : self->base.ring.size;
}

/* Item number `index` of those from position `from` on. */
static PyObject *
seekable_item(gx_seekable *self, Py_ssize_t index, Py_ssize_t from)
{
    Py_ssize_t size = self->first + seekable_kept(self) - from;
    index += index < 0 ? size : 0;
    if (index < 0 || index >= size) {
        PyErr_SetString(PyExc_IndexError, "seekable index out of range");
        return NULL;
    }
    if (from + index < self->first) {
        gx_seekable_evicted(self, from + index);
        return NULL;
    }
    return Py_NewRef(*gx_ring_at(&self->base.ring, from + index - self->first));
}

/* Which items are meant is settled last, when the list is there: making it may run a
   collection, and whoever is inside may go on meanwhile. */
static PyObject *
seekable_slice(gx_seekable *self, PyObject *slice, bool of_view)
{
    Py_ssize_t given, end, step, start, stop, count, made = 0;
    PyObject *list = NULL;
    if (PySlice_Unpack(slice, &given, &end, &step) < 0) {
        return NULL;
    }
    for (;;) {
        Py_ssize_t from = of_view ? self->first : 0;
        start = given;
        stop = end;
        count = PySlice_AdjustIndices(self->first + seekable_kept(self) - from, &start,
                                      &stop, step);
        start += from;
        if (list != NULL && made == count) {
            break;
        }
        Py_CLEAR(list); /* nobody may find it with holes */
        list = PyList_New(made = count);
        if (list == NULL) {
            return NULL;
        }
    }
    Py_ssize_t lowest = step > 0 || count == 0 ? start : start + (count - 1) * step;
    if (count > 0 && lowest < self->first) {
        Py_DECREF(list);
        gx_seekable_evicted(self, lowest);
        return NULL;
    }
    gx_ring_fill(list, &self->base.ring, start - self->first, step);
    return list;
}

/* seekable[key], absolute, or a view's [key], from the first item kept. To look at what
   is kept is no re-entry. */
PyObject *
gx_seekable_get(PyObject *op, PyObject *key, bool of_view)
{
    gx_seekable *self = gx_seekable_CAST(op);
    PyObject *answer;
    Py_ssize_t index = 0;
    bool slices = PySlice_Check(key);
    if (!slices && (index = gx_as_index(key, "seekable")) == -1 && PyErr_Occurred()) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t from = of_view ? self->first : 0;
    answer =
        slices ? seekable_slice(self, key, of_view) : seekable_item(self, index, from);
    Py_END_CRITICAL_SECTION();
    return answer;
}

Py_ssize_t
gx_seekable_size(PyObject *op)
{
    Py_ssize_t size;
    Py_BEGIN_CRITICAL_SECTION(op);
    size = seekable_kept(gx_seekable_CAST(op));
    Py_END_CRITICAL_SECTION();
    return size;
}

/* == elements =========================================================== */

/* -- struct ------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    PyObject *target; /* owned: the seekable; NULL once cleared */
} elements_object;

#define elements_CAST(op) ((elements_object *)(op))

/* -- construct ---------------------------------------------------------- */

PyObject *
gx_seekable_elements(PyObject *op, PyObject *Py_UNUSED(unused))
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    PyTypeObject *type = GX_TYPE_OF(state, seekable_elements);
    elements_object *self = elements_CAST(type->tp_alloc(type, 0));
    if (self != NULL) {
        self->target = Py_NewRef(op);
    }
    return (PyObject *)self;
}

/* -- iterate ------------------------------------------------------------ */

static Py_ssize_t
elements_length(PyObject *op)
{
    PyObject *target = elements_CAST(op)->target;
    return target == NULL ? 0 : gx_seekable_size(target);
}

static PyObject *
elements_subscript(PyObject *op, PyObject *key)
{
    PyObject *target = elements_CAST(op)->target;
    if (target == NULL) {
        PyErr_SetString(PyExc_IndexError, "seekable index out of range");
        return NULL;
    }
    return gx_seekable_get(target, key, true);
}

/* What iter(), reversed() and `in` read. */
static PyObject *
elements_item(PyObject *op, Py_ssize_t index)
{
    PyObject *number = PyLong_FromSsize_t(index);
    PyObject *item = number == NULL ? NULL : elements_subscript(op, number);
    Py_XDECREF(number);
    return item;
}

/* The list of what is kept now. */
static PyObject *
elements_list(PyObject *op)
{
    PyObject *whole = PySlice_New(NULL, NULL, NULL);
    PyObject *list = whole == NULL ? NULL : elements_subscript(op, whole);
    Py_XDECREF(whole);
    return list;
}

/* -- protocol ----------------------------------------------------------- */

static PyObject *
elements_count(PyObject *op, PyObject *value)
{
    PyObject *list = elements_list(op);
    Py_ssize_t count = list == NULL ? -1 : PySequence_Count(list, value);
    Py_XDECREF(list);
    return count < 0 ? NULL : PyLong_FromSsize_t(count);
}

static PyObject *
elements_index(PyObject *op, PyObject *args)
{
    gx_state *state = PyType_GetModuleState(Py_TYPE(op));
    PyObject *list = elements_list(op), *answer = NULL;
    PyObject *method =
        list == NULL ? NULL : PyObject_GetAttr(list, GX_NAME(state, index));
    if (method != NULL) {
        answer = PyObject_Call(method, args, NULL);
    }
    Py_XDECREF(method);
    Py_XDECREF(list);
    return answer;
}

/* The list is a new one each time, so a view among its own items is found out here. */
static PyObject *
elements_repr(PyObject *op)
{
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        return entered < 0 ? NULL : PyUnicode_FromString("elements(...)");
    }
    PyObject *list = elements_list(op);
    PyObject *text = list == NULL ? NULL : PyUnicode_FromFormat("elements(%R)", list);
    Py_XDECREF(list);
    Py_ReprLeave(op);
    return text;
}

static int
elements_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(elements_CAST(op)->target);
    return 0;
}

static int
elements_clear(PyObject *op)
{
    Py_CLEAR(elements_CAST(op)->target);
    return 0;
}

static void
elements_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, elements_dealloc)
    (void)elements_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

/* collections.abc.Sequence knows it for what it is. */
static int
elements_ready(PyTypeObject *type)
{
    gx_state *state = PyType_GetModuleState(type);
    PyObject *module = PyImport_ImportModule("collections.abc");
    PyObject *abc =
        module == NULL ? NULL : PyObject_GetAttr(module, GX_NAME(state, Sequence));
    PyObject *answer = abc == NULL
                           ? NULL
                           : PyObject_CallMethodOneArg(abc, GX_NAME(state, register),
                                                       (PyObject *)type);
    Py_XDECREF(module);
    Py_XDECREF(abc);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(elements_doc,
"The items that a seekable keeps, as a sequence that goes along with it.");

PyDoc_STRVAR(elements_count_doc,
"count($self, value, /)\n--\n\n"
"Return how many of the items are equal to value.");

PyDoc_STRVAR(elements_index_doc,
"index($self, value, start=0, stop=sys.maxsize, /)\n--\n\n"
"Return where the first item equal to value is; ValueError if there is none.");

static PyMethodDef elements_methods[] = {
    {"count", elements_count, METH_O, elements_count_doc},
    {"index", elements_index, METH_VARARGS, elements_index_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, gx_class_getitem_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot elements_slots[] = {
    {Py_tp_doc, (void *)elements_doc},
    {Py_tp_dealloc, elements_dealloc},
    {Py_tp_traverse, elements_traverse},
    {Py_tp_clear, elements_clear},
    {Py_tp_repr, elements_repr},
    {Py_mp_length, elements_length},
    {Py_mp_subscript, elements_subscript},
    {Py_sq_length, elements_length},
    {Py_sq_item, elements_item},
    {Py_tp_methods, elements_methods},
    {0, NULL},
};

static PyType_Spec elements_spec = {
    .name = "pygenx.seekable_elements",
    .basicsize = sizeof(elements_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_SEQUENCE,
    .slots = elements_slots,
};

const gx_typedef gx_seekable_elements_typedef = {
    .spec = &elements_spec,
    .ready = elements_ready,
};
