/* chain: the items of several iterables, one after the other, as
   itertools.chain, with the whole generator protocol. */

#include "source.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    gx_source inner;  /* the input being read; none between two inputs */
    gx_source outer;  /* the inputs: the argument tuple, or from_iterable's iterable */
    Py_ssize_t index; /* number of inputs taken from outer */
    gx_breath breath; /* ticks once per input */
} chain_object;

#define chain_CAST(op) ((chain_object *)(op))

static const gx_protocol chain_protocol;
static void chain_note(PyObject *op);

/* -- construct ---------------------------------------------------------- */

static PyObject *
chain_from(PyTypeObject *type, PyObject *iterable)
{
    chain_object *self = chain_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->protocol = &chain_protocol;
    self->breath = GX_BREATH(GX_INTERVAL_NATIVE);
    self->inner = GX_SOURCE_NONE;
    self->outer = GX_SOURCE_NONE;
    if (gx_source_open(gx_get_state(type), &self->outer, iterable) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *
chain_construct(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (gx_no_keywords("chain", kwnames) < 0) {
        return NULL;
    }
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    PyObject *inputs = PyTuple_New(n);
    if (inputs == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyTuple_SET_ITEM(inputs, i, Py_NewRef(args[i]));
    }
    PyObject *self = chain_from((PyTypeObject *)type, inputs);
    Py_DECREF(inputs);
    return self;
}

/* A subclass with an __init__ of its own may take keywords, as itertools allows. */
static PyObject *
chain_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (type->tp_init != PyBaseObject_Type.tp_init) {
        kwargs = NULL;
    }
    return gx_new(chain_construct, type, args, kwargs);
}

static PyObject *
chain_from_iterable(PyObject *type, PyObject *const *args, Py_ssize_t nargs,
                    PyObject *kwnames)
{
    static const char *const params[] = {"iterable", NULL};
    static const gx_signature signature = {"from_iterable", params, 1, 1, 1};
    PyObject *out[1];
    if (gx_parse(&signature, args, (size_t)nargs, kwnames, out) < 0) {
        return NULL;
    }
    return chain_from((PyTypeObject *)type, out[0]);
}

/* -- iterate ------------------------------------------------------------ */

/* Open the next input: 1; 0 there is none; -1 error, after which the outer
   iterable is asked again. */
static int
chain_advance(chain_object *self)
{
    if (gx_tick(&self->breath) < 0) {
        return -1;
    }
    PyObject *input = self->outer.fetch(&self->outer);
    if (input == NULL) {
        return gx_ended(NULL) ? 0 : -1;
    }
    self->index++;
    int rc = gx_source_open(gx_get_state(Py_TYPE(self)), &self->inner, input);
    if (rc < 0) {
        gx_no_stop_iteration("iter() of input %zd of chain", self->index - 1);
    }
    Py_DECREF(input);
    return rc < 0 ? -1 : 1;
}

/* The open input has ended: closed if it is ours, else let go of. */
static int
chain_leave(chain_object *self)
{
    if (self->owner) {
        return gx_source_close(gx_get_state(Py_TYPE(self)), &self->inner);
    }
    gx_source_drop(&self->inner);
    return 0;
}

static PySendResult
chain_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    chain_object *self = chain_CAST(op);
    gx_state *state = how == GX_NEXT ? NULL : gx_get_state(Py_TYPE(op));
    for (;;) {
        /* With no input open, send() and throw() go to the outer iterable's place:
           send is next, throw raises here. */
        if (self->inner.fetch != gx_fetch_none || how == GX_THROW) {
            PySendResult answer =
                gx_source_resume(state, &self->inner, how, value, out);
            if (answer != PYGEN_RETURN) {
                return answer;
            }
            Py_CLEAR(*out);
            if (chain_leave(self) < 0) {
                return PYGEN_ERROR;
            }
        }
        how = GX_NEXT;
        self->survives = true; /* the input took what was thrown */
        int opened = chain_advance(self);
        if (opened < 0) {
            return PYGEN_ERROR;
        }
        if (opened == 0) {
            *out = Py_NewRef(Py_None);
            return PYGEN_RETURN;
        }
    }
}

/* The open input gave nothing: NULL with its error, or without after letting go of
   it. */
static Py_NO_INLINE PyObject *
chain_fetched_none(chain_object *self)
{
    self->running = true;
    if (!gx_ended(NULL) || chain_leave(self) < 0) {
        chain_note((PyObject *)self);
    }
    self->running = false;
    return NULL;
}

/* One item of the open input, or NULL: with an error, or after it has ended and was
   dropped. Ranges come first and unguarded: they run no user code, so that one is open
   also proves that nothing is running. */
static inline PyObject *
chain_fetch_locked(chain_object *self)
{
    gx_source *inner = &self->inner;
    if (self->running) {
        return NULL;
    }
    self->running = true;
    PyObject *item = gx_next(inner);
    self->running = false;
    return item != NULL ? item : chain_fetched_none(self);
}

#ifndef Py_GIL_DISABLED
/* With an error set, or to see what comes after an input that has ended. */
static Py_NO_INLINE PyObject *
chain_next_after_none(PyObject *op)
{
    chain_fetched_none(chain_CAST(op));
    return PyErr_Occurred() ? NULL : gx_iterator_next(op);
}
#endif

static Py_NO_INLINE PyObject *
chain_next_of_any(PyObject *op)
{
    PyObject *item;
    Py_BEGIN_CRITICAL_SECTION(op);
    item = chain_fetch_locked(chain_CAST(op));
    Py_END_CRITICAL_SECTION();
    if (item != NULL || PyErr_Occurred()) {
        return item;
    }
    return gx_iterator_next(op);
}

#ifndef Py_GIL_DISABLED
/* The end of a leaf may run user code: it lets go of its container. */
static Py_NO_INLINE PyObject *
chain_next_of_leaf(PyObject *op)
{
    chain_object *self = chain_CAST(op);
    PyObject *it = self->inner.obj;
    if (self->running) {
        return gx_iterator_next(op);
    }
    self->running = true;
    PyObject *item = Py_TYPE(it)->tp_iternext(it);
    self->running = false;
    return item != NULL ? item : chain_next_after_none(op);
}

/* Ranges run no user code: that one is open proves that nothing is running. */
static Py_NO_INLINE PyObject *
chain_next_of_range(PyObject *op)
{
    PyObject *item = gx_fetch_range(&chain_CAST(op)->inner);
    return item != NULL ? item : chain_next_after_none(op);
}
#endif

/* Lists and tuples come first of all, in a function without a frame of its own. */
static PyObject *
chain_next(PyObject *op)
{
#ifndef Py_GIL_DISABLED
    gx_source *inner = &chain_CAST(op)->inner;
    if (inner->fetch == gx_fetch_list) {
        Py_ssize_t index = inner->index;
        if (index < PyList_GET_SIZE(inner->obj)) {
            inner->index = index + 1;
            return Py_NewRef(PyList_GET_ITEM(inner->obj, index));
        }
    } else if (inner->fetch == gx_fetch_shallow) {
        return chain_next_of_any(op);
    } else if (inner->fetch == gx_fetch_tuple) {
        Py_ssize_t index = inner->index;
        if (index < PyTuple_GET_SIZE(inner->obj)) {
            inner->index = index + 1;
            return Py_NewRef(PyTuple_GET_ITEM(inner->obj, index));
        }
    } else if (inner->fetch == gx_fetch_leaf) {
        return chain_next_of_leaf(op);
    } else if (inner->fetch == gx_fetch_range) {
        return chain_next_of_range(op);
    }
#endif
    return chain_next_of_any(op);
}

/* -- protocol ----------------------------------------------------------- */

static bool
chain_has_inputs(const chain_object *self)
{
    return self->outer.fetch == gx_fetch_tuple || self->outer.fetch == gx_fetch_list;
}

/* Nearest first: the input being read, the inputs not reached yet, the iterable
   they come from. All are tried. */
static int
chain_release(PyObject *op, bool close)
{
    chain_object *self = chain_CAST(op);
    if (!close) {
        gx_source_drop(&self->inner);
        gx_source_drop(&self->outer);
        return 0;
    }
    PyObject *input, *error = NULL;
    gx_state *state = gx_get_state(Py_TYPE(op));
    gx_collect_error(gx_source_close(state, &self->inner), &error);
    while (chain_has_inputs(self) &&
           (input = self->outer.fetch(&self->outer)) != NULL) {
        gx_collect_error(gx_close(state, input), &error);
        Py_DECREF(input);
    }
    gx_collect_error(gx_source_close(state, &self->outer), &error);
    return gx_raise_collected(error);
}

static int
chain_clear(PyObject *op)
{
    return chain_release(op, false);
}

static int
chain_traverse(PyObject *op, visitproc visit, void *arg)
{
    chain_object *self = chain_CAST(op);
    GX_VISIT_ITERATOR(op);
    GX_VISIT_SOURCE(&self->inner);
    GX_VISIT_SOURCE(&self->outer);
    return 0;
}

static void
chain_note(PyObject *op)
{
    gx_note("chain, input %zd", chain_CAST(op)->index - 1);
}

/* Known only where every input not reached yet is known. The outer cursor is copied:
   counting takes nothing. */
static PyObject *
chain_length_hint(PyObject *op, PyObject *Py_UNUSED(unused))
{
    chain_object *self = chain_CAST(op);
    bool known = chain_has_inputs(self) || self->outer.fetch == gx_fetch_none;
    if (!known || self->running) {
        return gx_hint_object(GX_HINT_UNKNOWN);
    }
    self->running = true; /* a chain in itself is asked once */
    gx_source rest = self->outer;
    PyObject *input, *owner = Py_XNewRef(rest.obj);
    Py_ssize_t total = gx_source_hint(&self->inner);
    while (total >= 0 && (input = rest.fetch(&rest)) != NULL) {
        total = gx_add_hints(total, gx_length_of(input));
        Py_DECREF(input);
    }
    self->running = false;
    Py_XDECREF(owner);
    return gx_hint_object(total);
}

static PyObject *
chain_repr(PyObject *op)
{
    chain_object *self = chain_CAST(op);
    if (self->outer.fetch != gx_fetch_tuple) {
        PyObject *source = gx_source_brief(&self->outer);
        PyObject *text =
            source ? PyUnicode_FromFormat("chain.from_iterable(%U)", source) : NULL;
        Py_XDECREF(source);
        return text;
    }
    PyObject *inputs = Py_NewRef(self->outer.obj);
    PyObject *list = gx_brief_types(inputs, 0);
    PyObject *text = list ? PyUnicode_FromFormat("chain(%U)", list) : NULL;
    Py_XDECREF(list);
    Py_DECREF(inputs);
    return text;
}

static const gx_protocol chain_protocol = {
    .name = "chain",
    .resume = chain_resume,
    .release = chain_release,
    .clear = chain_clear,
    .note = chain_note,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(chain_doc,
"chain(*iterables)\n--\n\n"
"Iterate over the items of the first iterable, then of the second, and so on.\n\n"
"An input is opened when it is reached; close() closes the one being read and\n"
"those not reached yet. send() and throw() go to the input being read. Raises\n"
"TypeError at the input that is not iterable. As itertools.chain.\n\n"
">>> list(chain('ab', [1, 2]))\n"
"['a', 'b', 1, 2]");

PyDoc_STRVAR(chain_from_iterable_doc,
"from_iterable($type, iterable, /)\n--\n\n"
"Chain the iterables that one iterable yields, each asked for when it is reached.\n\n"
">>> list(chain.from_iterable(['ab', 'cd']))\n"
"['a', 'b', 'c', 'd']");

static PyMethodDef chain_methods[] = {
    GX_ITERATOR_METHODS,
    {"from_iterable", GX_FASTCALL(chain_from_iterable),
     METH_FASTCALL | METH_KEYWORDS | METH_CLASS, chain_from_iterable_doc},
    {"__length_hint__", chain_length_hint, METH_NOARGS, gx_length_hint_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef chain_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef chain_members[] = {
    GX_WEAKLIST_MEMBER(chain_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot chain_slots[] = {
    {Py_tp_doc, (void *)chain_doc},
    {Py_tp_new, chain_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, chain_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, chain_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, chain_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, chain_methods},
    {Py_tp_getset, chain_getset},
    {Py_tp_members, chain_members},
    {0, NULL},
};

/* BASETYPE: itertools.chain may be subclassed, and is. */
static PyType_Spec chain_spec = {
    .name = "pygenx.chain",
    .basicsize = sizeof(chain_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_BASETYPE,
    .slots = chain_slots,
};

const gx_typedef gx_chain_typedef = {
    .spec = &chain_spec,
    .construct = chain_construct,
    .public = true,
};
