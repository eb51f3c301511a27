/* own and borrow: iterators that hand everything through and decide who closes.
   own(it) always closes what it reads, borrow(it) never does. */

#include "source.h"

/* -- struct ------------------------------------------------------------- */

/* borrow, and own too: the two are one struct and differ in how they let go of
   it. In one file because entering an own object makes a borrow of its source. */
typedef struct {
    GX_ITERATOR_HEAD
    gx_source source; /* what is handed through; none after the end */
} scoped_object;

#define scoped_CAST(op) ((scoped_object *)(op))

static const gx_protocol borrow_protocol;
static const gx_protocol own_protocol;

/* -- construct ---------------------------------------------------------- */

/* An object over nothing, for its maker to fill. */
static scoped_object *
scoped_alloc(PyTypeObject *type, const gx_protocol *protocol)
{
    scoped_object *self = scoped_CAST(type->tp_alloc(type, 0));
    if (self != NULL) {
        self->protocol = protocol;
        self->source = GX_SOURCE_NONE;
    }
    return self;
}

static const char *const scoped_params[] = {"iterable", NULL};
static const gx_signature borrow_signature = {"borrow", scoped_params, 1, 1, 1};

static PyObject *
borrow_construct(PyObject *type, PyObject *const *args, size_t nargsf,
                 PyObject *kwnames)
{
    PyObject *out[1];
    if (gx_parse(&borrow_signature, args, nargsf, kwnames, out) < 0) {
        return NULL;
    }
    PyTypeObject *cls = (PyTypeObject *)type;
    scoped_object *self = scoped_alloc(cls, &borrow_protocol);
    if (self != NULL && gx_source_open(gx_get_state(cls), &self->source, out[0]) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyObject *
borrow_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(borrow_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

/* The source gave nothing. At its end what it returned is kept and the source let go
   of, so that gx_iterator_next finds the same end; an error ends own alone. */
static void
scoped_stop(scoped_object *self)
{
    int rc = -1;
    PyObject *value, *op = (PyObject *)self;
    if (gx_ended(&value)) {
        if (value != Py_None) {
            Py_XSETREF(self->result, Py_NewRef(value));
        }
        Py_DECREF(value);
        rc = self->protocol->release(op, self->owner);
    } else if (self->protocol == &own_protocol) {
        gx_iterator_finish(op, true);
    }
    if (rc < 0) {
        self->protocol->note(op);
    }
}

static PyObject *
scoped_next_locked(scoped_object *self)
{
    if (self->running || self->ended) {
        return NULL;
    }
    self->started = true;
    self->running = true;
    PyObject *item = gx_next(&self->source);
    if (item == NULL) {
        scoped_stop(self);
    }
    self->running = false;
    return item;
}

static PyObject *
scoped_next(PyObject *op)
{
    PyObject *item;
    Py_BEGIN_CRITICAL_SECTION(op);
    item = scoped_next_locked(scoped_CAST(op));
    Py_END_CRITICAL_SECTION();
    if (item != NULL || PyErr_Occurred()) {
        return item;
    }
    return gx_iterator_next(op);
}

static PySendResult
scoped_resume(scoped_object *self, gx_how how, PyObject *value, PyObject **out)
{
    gx_state *state = how == GX_THROW ? gx_get_state(Py_TYPE(self)) : NULL;
    PySendResult answer = gx_source_resume(state, &self->source, how, value, out);
    if (answer == PYGEN_RETURN && self->result != NULL) { /* scoped_stop kept it */
        Py_SETREF(*out, Py_NewRef(self->result));
    }
    return answer;
}

/* 1 if throw(exc) may go to the source; 0 if it would close it: GeneratorExit, or
   a source without throw(); -1 error. */
static int
borrow_passes_on(scoped_object *self, PyObject *exc)
{
    PyObject *method;
    if (self->source.obj == NULL ||
        PyErr_GivenExceptionMatches(exc, PyExc_GeneratorExit)) {
        return 0;
    }
    gx_state *state = gx_get_state(Py_TYPE(self));
    int found =
        PyObject_GetOptionalAttr(self->source.obj, GX_NAME(state, throw), &method);
    Py_XDECREF(method);
    return found;
}

static PySendResult
borrow_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    scoped_object *self = scoped_CAST(op);
    if (how == GX_THROW) {
        int passes = borrow_passes_on(self, value);
        if (passes == 0) {
            PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        }
        if (passes <= 0) {
            return PYGEN_ERROR;
        }
    }
    return scoped_resume(self, how, value, out);
}

/* -- protocol ----------------------------------------------------------- */

/* Never closes, whoever asks for it. */
static int
borrow_release(PyObject *op, bool Py_UNUSED(close))
{
    gx_source_drop(&scoped_CAST(op)->source);
    return 0;
}

static int
scoped_clear(PyObject *op)
{
    gx_source_drop(&scoped_CAST(op)->source);
    return 0;
}

static int
scoped_traverse(PyObject *op, visitproc visit, void *arg)
{
    GX_VISIT_ITERATOR(op);
    GX_VISIT_SOURCE(&scoped_CAST(op)->source);
    return 0;
}

static void
borrow_note(PyObject *Py_UNUSED(op))
{
    gx_note("borrow");
}

static PyObject *
scoped_length_hint(PyObject *op, PyObject *Py_UNUSED(unused))
{
    Py_ssize_t hint;
    Py_BEGIN_CRITICAL_SECTION(op);
    hint = gx_source_hint(&scoped_CAST(op)->source);
    Py_END_CRITICAL_SECTION();
    return gx_hint_object(hint);
}

static PyObject *
scoped_repr(PyObject *op)
{
    PyObject *source;
    Py_BEGIN_CRITICAL_SECTION(op);
    source = gx_source_brief(&scoped_CAST(op)->source);
    Py_END_CRITICAL_SECTION();
    if (source == NULL) {
        return NULL;
    }
    PyObject *text =
        PyUnicode_FromFormat("%s(%U)", gx_iterator_CAST(op)->protocol->name, source);
    Py_DECREF(source);
    return text;
}

static const gx_protocol borrow_protocol = {
    .name = "borrow",
    .resume = borrow_resume,
    .release = borrow_release,
    .clear = scoped_clear,
    .note = borrow_note,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(borrow_doc,
"borrow(iterable, /)\n--\n\n"
"Iterate over something that others will close: whatever is done to the borrow,\n"
"its source stays open.\n\n"
"next(), send() and throw() go to the source, .result is what it returned. close()\n"
"and leaving `with` end the borrow alone and cut it off. GeneratorExit, and what is\n"
"thrown at a source without throw(), is raised here. As asyncstdlib's borrow.\n\n"
">>> numbers = iter([1, 2, 3])\n"
">>> with borrow(numbers) as some: next(some)\n"
"1\n"
">>> list(numbers)\n"
"[2, 3]");

PyDoc_STRVAR(borrow_close_doc,
"close($self, /)\n--\n\n"
"End the borrow; the source is not closed.");

PyDoc_STRVAR(borrow_enter_doc,
"__enter__($self, /)\n--\n\n"
"Return the borrow; the exit ends it and does not close the source.");

/* Of two rows of one name the first counts. */
static PyMethodDef borrow_methods[] = {
    {"close", gx_iterator_close, METH_NOARGS, borrow_close_doc},
    {"__enter__", gx_iterator_enter, METH_NOARGS, borrow_enter_doc},
    GX_ITERATOR_METHODS,
    {"__length_hint__", scoped_length_hint, METH_NOARGS, gx_length_hint_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef scoped_getset[] = {
    GX_ITERATOR_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef scoped_members[] = {
    GX_WEAKLIST_MEMBER(scoped_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot borrow_slots[] = {
    {Py_tp_doc, (void *)borrow_doc},
    {Py_tp_new, borrow_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_traverse, scoped_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, scoped_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, scoped_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, borrow_methods},
    {Py_tp_getset, scoped_getset},
    {Py_tp_members, scoped_members},
    {0, NULL},
};

static PyType_Spec borrow_spec = {
    .name = "pygenx.borrow",
    .basicsize = sizeof(scoped_object),
    .flags = GX_TYPE_FLAGS,
    .slots = borrow_slots,
};

const gx_typedef gx_borrow_typedef = {
    .spec = &borrow_spec,
    .construct = borrow_construct,
    .public = true,
};

/* -- struct ------------------------------------------------------------- */

/* own: `owner` is set from the start, so that the end closes. Its source is always
   an iterator, never a container: a borrow made by `with` shares its position. */

/* -- construct ---------------------------------------------------------- */

static const gx_signature own_signature = {"own", scoped_params, 1, 1, 1};

static PyObject *
own_construct(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *out[1];
    if (gx_parse(&own_signature, args, nargsf, kwnames, out) < 0) {
        return NULL;
    }
    PyObject *iterator = PyObject_GetIter(out[0]);
    if (iterator == NULL) {
        return NULL;
    }
    PyTypeObject *cls = (PyTypeObject *)type;
    scoped_object *self = scoped_alloc(cls, &own_protocol);
    if (self == NULL) {
        Py_DECREF(iterator);
        return NULL;
    }
    gx_source_adopt(gx_get_state(cls), &self->source, iterator);
    self->owner = true;
    return (PyObject *)self;
}

static PyObject *
own_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return gx_new(own_construct, type, args, kwargs);
}

/* -- iterate ------------------------------------------------------------ */

/* Unlike elsewhere an error of the source is the end. */
static PySendResult
own_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    PySendResult answer = scoped_resume(scoped_CAST(op), how, value, out);
    if (answer == PYGEN_ERROR) {
        gx_iterator_finish(op, true);
    }
    return answer;
}

/* -- protocol ----------------------------------------------------------- */

static int
own_release(PyObject *op, bool close)
{
    scoped_object *self = scoped_CAST(op);
    if (!close) {
        gx_source_drop(&self->source);
        return 0;
    }
    return gx_source_close(gx_get_state(Py_TYPE(op)), &self->source);
}

static PyObject *
own_enter(PyObject *op, PyObject *Py_UNUSED(unused))
{
    gx_state *state = gx_get_state(Py_TYPE(op));
    scoped_object *borrow = scoped_alloc(GX_TYPE_OF(state, borrow), &borrow_protocol);
    if (borrow == NULL) {
        return NULL;
    }
    PyObject *source;
    Py_BEGIN_CRITICAL_SECTION(op);
    source = Py_XNewRef(scoped_CAST(op)->source.obj);
    Py_END_CRITICAL_SECTION();
    if (source != NULL) {
        gx_source_adopt(state, &borrow->source, source);
    }
    return (PyObject *)borrow;
}

/* A source that is itself borrowed belongs to a scope around this one: it is left
   open and usable. */
static PyObject *
own_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    scoped_object *self = scoped_CAST(op);
    PyTypeObject *borrow = GX_TYPE_OF(gx_get_state(Py_TYPE(op)), borrow);
    Py_BEGIN_CRITICAL_SECTION(op);
    PyObject *source = self->source.obj;
    if (!self->running && source != NULL && Py_IS_TYPE(source, borrow)) {
        gx_iterator_finish(op, false);
    }
    Py_END_CRITICAL_SECTION();
    return gx_iterator_exit(op, args, nargs);
}

static void
own_note(PyObject *Py_UNUSED(op))
{
    gx_note("own");
}

static const gx_protocol own_protocol = {
    .name = "own",
    .resume = own_resume,
    .release = own_release,
    .clear = scoped_clear,
    .note = own_note,
    .closes_when_dropped = true,
};

/* -- type --------------------------------------------------------------- */

PyDoc_STRVAR(own_doc,
"own(iterable, /)\n--\n\n"
"Iterate over something and close it in any case: at the end, at an error, by\n"
"close() and when dropped.\n\n"
"`with own(iterable) as items` gives a borrow and closes at the exit. Inside,\n"
"own(items) is a scope in a scope and leaves closing to the outer one. What close()\n"
"raises passes, after a drop it goes to sys.unraisablehook. send() and throw() go\n"
"to the source. As asyncstdlib's scoped_iter.\n\n"
">>> with own(n * n for n in range(10)) as squares:\n"
"...     [next(squares), next(squares)]\n"
"[0, 1]");

PyDoc_STRVAR(own_enter_doc,
"__enter__($self, /)\n--\n\n"
"Return a borrow of the source.");

PyDoc_STRVAR(own_exit_doc,
"__exit__($self, typ, val, tb, /)\n--\n\n"
"Close the source unless an outer scope will; never swallows an exception.");

/* Of two rows of one name the first counts. */
static PyMethodDef own_methods[] = {
    {"__enter__", own_enter, METH_NOARGS, own_enter_doc},
    {"__exit__", GX_FASTCALL(own_exit), METH_FASTCALL, own_exit_doc},
    GX_ITERATOR_METHODS,
    {"__length_hint__", scoped_length_hint, METH_NOARGS, gx_length_hint_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot own_slots[] = {
    {Py_tp_doc, (void *)own_doc},
    {Py_tp_new, own_new},
    {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_finalize, gx_iterator_finalize},
    {Py_tp_traverse, scoped_traverse},
    {Py_tp_clear, gx_iterator_clear},
    {Py_tp_repr, scoped_repr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, scoped_next},
    {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, own_methods},
    {Py_tp_getset, scoped_getset},
    {Py_tp_members, scoped_members},
    {0, NULL},
};

static PyType_Spec own_spec = {
    .name = "pygenx.own",
    .basicsize = sizeof(scoped_object),
    .flags = GX_TYPE_FLAGS,
    .slots = own_slots,
};

const gx_typedef gx_own_typedef = {
    .spec = &own_spec,
    .construct = own_construct,
    .public = true,
};
