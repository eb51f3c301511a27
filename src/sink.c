/* Lanes to a target: generators and our own push objects through their am_send slot,
   anything else with send() through the method, any other callable by a call. */

#include "sink.h"

#include "pipeline.h"

/* -- errors ------------------------------------------------------------- */

/* StopIteration out of a callback: RuntimeError that names it by `format`. */
static void
no_stop_iteration(const char *format, PyObject *func)
{
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *name = gx_brief_callable(func);
    PyObject *where = name ? PyUnicode_FromFormat(format, name) : NULL;
    Py_XDECREF(name);
    PyErr_Clear(); /* of making the text only */
    PyErr_SetRaisedException(raised);
    gx_no_stop_iteration("%V", where, "a callback");
    Py_XDECREF(where);
}

void
gx_push_failed(const char *format, PyObject *func, Py_ssize_t index, PyObject *item)
{
    no_stop_iteration(format, func);
    PyObject *exc = gx_note_begin();
    if (exc == NULL) {
        return;
    }
    PyObject *name = gx_note_part(gx_brief_callable(func));
    PyObject *value = gx_note_part(gx_brief(item));
    PyObject *where = name ? PyUnicode_FromFormat(format, name) : NULL;
    gx_note_end(exc, "%V, item %zd: %V", where, "a callback", index, value, "?");
    Py_XDECREF(name);
    Py_XDECREF(value);
    Py_XDECREF(where);
}

/* -- lanes -------------------------------------------------------------- */

PySendResult
gx_deliver_none(gx_state *Py_UNUSED(state), gx_sink *Py_UNUSED(sink),
                PyObject *Py_UNUSED(item), PyObject **out)
{
    *out = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

/* The answer to a send, dropped unless it is a result. */
static inline PySendResult
taken(PySendResult answer, PyObject **out)
{
    if (answer == PYGEN_NEXT) {
        Py_CLEAR(*out);
    }
    return answer;
}

static inline PySendResult
slot_send(gx_sink *sink, PyObject *item, PyObject **out)
{
    return Py_TYPE(sink->target)->tp_as_async->am_send(sink->target, item, out);
}

/* Generators count their own depth. */
static PySendResult
deliver_generator(gx_state *Py_UNUSED(state), gx_sink *sink, PyObject *item,
                  PyObject **out)
{
    return taken(slot_send(sink, item, out), out);
}

/* A generator that may not have started. */
static PySendResult
deliver_fresh(gx_state *state, gx_sink *sink, PyObject *item, PyObject **out)
{
    PySendResult answer = gx_sink_prime(state, sink, out);
    return answer == PYGEN_NEXT ? deliver_generator(state, sink, item, out) : answer;
}

static PySendResult
deliver_slot(gx_state *Py_UNUSED(state), gx_sink *sink, PyObject *item, PyObject **out)
{
    if (Py_EnterRecursiveCall(" in a pygenx sink")) {
        return PYGEN_ERROR;
    }
    PySendResult answer = slot_send(sink, item, out);
    Py_LeaveRecursiveCall();
    return taken(answer, out);
}

/* Not PyIter_Send: where there is a __next__, it makes next() of send(None). */
static PySendResult
deliver_method(gx_state *state, gx_sink *sink, PyObject *item, PyObject **out)
{
    *out = PyObject_CallMethodOneArg(sink->target, GX_NAME(state, send), item);
    if (*out != NULL) {
        return taken(PYGEN_NEXT, out);
    }
    return gx_ended(out) ? PYGEN_RETURN : PYGEN_ERROR;
}

static PySendResult
deliver_call(gx_state *Py_UNUSED(state), gx_sink *sink, PyObject *item, PyObject **out)
{
    PyObject *args[2] = {NULL, item};
    *out = gx_call_func(sink->target, args + 1, 1);
    if (*out != NULL) {
        return taken(PYGEN_NEXT, out);
    }
    no_stop_iteration("%U", sink->target);
    return PYGEN_ERROR;
}

/* -- open --------------------------------------------------------------- */

static int
refuse_class(PyObject *target, const char *what)
{
    PyErr_Format(PyExc_TypeError,
                 "%s must be an object with send() or a function, not the class "
                 "'%.200s'; to collect items give the append of a list",
                 what, ((PyTypeObject *)target)->tp_name);
    return -1;
}

/* A generator function would make a generator for each item and run none of them:
   0, or -1 with TypeError. Anything with a __code__ is looked at, primed too. */
static int
refuse_generator_function(gx_state *state, PyObject *target, const char *what)
{
    PyObject *code;
    int found = PyObject_GetOptionalAttr(target, GX_NAME(state, __code__), &code);
    if (found <= 0) {
        return found;
    }
    int flags = PyCode_Check(code) ? ((PyCodeObject *)code)->co_flags : 0;
    Py_DECREF(code);
    if ((flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)) == 0) {
        return 0;
    }
    PyObject *name = gx_brief_callable(target);
    if (name != NULL) {
        PyErr_Format(
            PyExc_TypeError,
            "%s must be an object with send() or a function, not the generator "
            "function %U itself; call it and give what it returns",
            what, name);
        Py_DECREF(name);
    }
    return -1;
}

/* A class written in Python inherits am_send but may have a send() of its own: the
   slot is believed only where no class statement can have had a hand in it. */
static bool
has_honest_slot(PyTypeObject *type)
{
    return (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) && type->tp_as_async != NULL &&
           type->tp_as_async->am_send != NULL;
}

/* The lane, or NULL with an error. */
static gx_deliver
choose_lane(gx_state *state, PyObject *target, const char *what)
{
    PyObject *method;
    if (PyType_Check(target)) {
        refuse_class(target, what);
        return NULL;
    }
    if (PyGen_CheckExact(target)) {
        return deliver_fresh;
    }
    if (Py_IS_TYPE(target, GX_TYPE_OF(state, fold))) {
        return gx_deliver_fold;
    }
    int found = PyObject_GetOptionalAttr(target, GX_NAME(state, send), &method);
    if (found != 0) {
        Py_XDECREF(method);
        gx_deliver lane =
            has_honest_slot(Py_TYPE(target)) ? deliver_slot : deliver_method;
        return found < 0 ? NULL : lane;
    }
    if (!PyCallable_Check(target)) {
        PyErr_Format(PyExc_TypeError,
                     "%s must have send() or be callable, not '%.200s'", what,
                     Py_TYPE(target)->tp_name);
        return NULL;
    }
    if (Py_IS_TYPE(target, GX_TYPE_OF(state, Pipeline))) {
        PyErr_Format(PyExc_TypeError,
                     "%s must be an object with send() or a function, not a Pipeline "
                     "without an end; give it a terminal, or a sink by into()",
                     what);
        return NULL;
    }
    return refuse_generator_function(state, target, what) < 0 ? NULL : deliver_call;
}

int
gx_sink_open(gx_state *state, gx_sink *sink, PyObject *target, const char *what)
{
    if (Py_IS_TYPE(target, GX_TYPE_OF(state, Reducer))) {
        PyObject *push = gx_reducer_push(target, NULL);
        if (push != NULL) {
            *sink = (gx_sink){deliver_slot, push};
        }
        return push == NULL ? -1 : 0;
    }
    gx_deliver lane = choose_lane(state, target, what);
    if (lane == NULL) {
        return -1;
    }
    *sink = (gx_sink){lane, Py_NewRef(target)};
    return 0;
}

/* 1 true, 0 false, -1 error. */
static int
is_set(PyObject *obj, PyObject *name)
{
    PyObject *flag = PyObject_GetAttr(obj, name);
    int set = flag == NULL ? -1 : PyObject_IsTrue(flag);
    Py_XDECREF(flag);
    return set;
}

/* Neither running nor suspended is un-started or finished: next() advances the one
   and ends the other, which is right for both. */
PySendResult
gx_sink_prime(gx_state *state, gx_sink *sink, PyObject **out)
{
    if (sink->deliver != deliver_fresh) {
        return PYGEN_NEXT;
    }
    int busy = is_set(sink->target, GX_NAME(state, gi_suspended));
    if (busy == 0) {
        busy = is_set(sink->target, GX_NAME(state, gi_running));
    }
    if (busy < 0) {
        return PYGEN_ERROR;
    }
    sink->deliver = deliver_generator;
    return busy ? PYGEN_NEXT : deliver_generator(state, sink, Py_None, out);
}

/* -- throw, finish ------------------------------------------------------ */

/* What a source does with an exception is what a target does with it. */
PySendResult
gx_sink_throw(gx_state *state, gx_sink *sink, PyObject *exc, PyObject **out)
{
    gx_source source = GX_SOURCE_NONE;
    if (sink->target != NULL) {
        source = (gx_source){gx_fetch_guarded, .obj = Py_NewRef(sink->target)};
    }
    PySendResult answer = gx_source_throw(state, &source, exc, out);
    PyObject *error = PyErr_GetRaisedException();
    if (source.obj == NULL) { /* it had no throw() and was closed */
        gx_sink_drop(sink);
    } else if (sink->deliver == deliver_fresh) {
        sink->deliver = deliver_generator;
    }
    gx_source_drop(&source);
    (void)gx_raise_collected(error);
    return answer;
}

#if PY_VERSION_HEX < 0x030D0000 /* 3.13: close() returns it */
/* What close() does from 3.13 on, in terms of throw(). */
static PyObject *
close_generator(gx_state *state, PyObject *generator)
{
    PyObject *value, *answer = PyObject_CallMethodOneArg(
                         generator, GX_NAME(state, throw), PyExc_GeneratorExit);
    if (answer != NULL) {
        Py_DECREF(answer);
        PyErr_SetString(PyExc_RuntimeError, "generator ignored GeneratorExit");
        return NULL;
    }
    if (PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
        PyErr_Clear();
        return Py_NewRef(Py_None);
    }
    return gx_ended(&value) ? value : NULL;
}
#endif

/* What close() answers, None without one. */
static PyObject *
close_target(gx_state *state, PyObject *target)
{
    PyObject *method;
#if PY_VERSION_HEX < 0x030D0000 /* 3.13 */
    if (PyGen_CheckExact(target)) {
        return close_generator(state, target);
    }
#endif
    int found = PyObject_GetOptionalAttr(target, GX_NAME(state, close), &method);
    if (found <= 0) {
        return found < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyObject *answer = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    return answer;
}

static PyObject *
result_of_target(gx_state *state, PyObject *target)
{
    PyObject *result, *answer;
    if (Py_IS_TYPE(target, GX_TYPE_OF(state, fold))) {
        return gx_fold_close(target, NULL); /* the long way gives the same */
    }
    answer = close_target(state, target);
    if (answer == NULL) {
        return NULL;
    }
    int found = PyObject_GetOptionalAttr(target, GX_NAME(state, result), &result);
    if (found == 0) {
        return answer;
    }
    Py_DECREF(answer);
    return found < 0 ? NULL : result;
}

/* A generator that never got an item is primed all the same: its return value is
   made by its body. The target is out of the sink before it is let go. */
int
gx_sink_finish(gx_state *state, gx_sink *sink, PyObject **result)
{
    if (sink->target == NULL) {
        *result = Py_NewRef(Py_None);
        return 0;
    }
    *result = NULL;
    if (gx_sink_prime(state, sink, result) == PYGEN_NEXT) {
        *result = result_of_target(state, sink->target);
        if (*result == NULL) { /* nobody may take it for an end of ours */
            gx_no_stop_iteration("close() of the target");
        }
    }
    PyObject *error = PyErr_GetRaisedException();
    gx_sink_drop(sink);
    return gx_raise_collected(error);
}

/* -- push objects ------------------------------------------------------- */

PyObject *
gx_push_enter(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return Py_NewRef(op);
}

/* Throw `exc` in. 0 if it came back or was taken, -1 with what was raised instead.
   A sink that answers instead of ending is closed. */
static int
leave_by_exception(PyObject *op, PyObject *exc)
{
    PyObject *out = NULL;
    PySendResult answer = gx_resume(op, GX_THROW, exc, &out);
    Py_XDECREF(out);
    if (answer == PYGEN_NEXT) {
        return gx_iterator_leave(op, true);
    }
    if (answer == PYGEN_RETURN) {
        return 0;
    }
    PyObject *raised = PyErr_GetRaisedException();
    if (raised != exc) {
        PyErr_SetRaisedException(raised);
        return -1;
    }
    Py_DECREF(raised);
    return 0;
}

PyObject *
gx_push_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyCFunction close)
{
    if (nargs != 3) {
        PyErr_Format(PyExc_TypeError, "__exit__() takes 3 arguments (%zd given)",
                     nargs);
        return NULL;
    }
    if (args[0] == Py_None) {
        PyObject *answer = close(op, NULL);
        Py_XDECREF(answer);
        return answer == NULL ? NULL : Py_NewRef(Py_False);
    }
    PyObject *exc = gx_thrown_exception(args, nargs);
    if (exc == NULL) {
        return NULL;
    }
    int rc = leave_by_exception(op, exc);
    Py_DECREF(exc);
    return rc < 0 ? NULL : Py_NewRef(Py_False);
}

PySendResult
gx_push_prime(PyObject *op, bool *primed, bool begun, PyObject **out)
{
    if (begun || *primed) {
        PyErr_Format(PyExc_RuntimeError, "%s gives no items: send() it values",
                     gx_iterator_CAST(op)->protocol->name);
        return PYGEN_ERROR;
    }
    *primed = true;
    *out = Py_NewRef(Py_None);
    return PYGEN_NEXT;
}

static int
close_with_locked(gx_iterator *self, PyObject *(*finish)(PyObject *))
{
    PyObject *error = NULL;
    if (self->running) {
        gx_reentrancy((PyObject *)self, self->protocol->name);
        return -1;
    }
    if (self->ended) {
        return 0;
    }
    self->running = true;
    PyObject *result = finish((PyObject *)self);
    gx_collect_error(result == NULL ? -1 : 0, &error);
    gx_collect_error(gx_iterator_finish((PyObject *)self, true), &error);
    if (gx_raise_collected(error) < 0) {
        Py_XDECREF(result);
        return -1;
    }
    Py_XSETREF(self->result, result);
    return 0;
}

PyObject *
gx_push_close_with(PyObject *op, PyObject *(*finish)(PyObject *))
{
    int rc;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = close_with_locked(gx_iterator_CAST(op), finish);
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? NULL : gx_iterator_get_result(op, NULL);
}

/* -- docs --------------------------------------------------------------- */

const char gx_push_throw_doc[] =
    "throw($self, typ, val=None, tb=None, /)\n--\n\n"
    "Throw an exception into the sink, or raise it here where there is none.\n\n"
    "What comes back out ends the object, without flushing; a sink that catches the\n"
    "exception and yields keeps it open.";
const char gx_push_enter_doc[] =
    "__enter__($self, /)\n--\n\n"
    "The object itself, which the end of the block closes.";
const char gx_push_exit_doc[] =
    "__exit__($self, typ, val, tb, /)\n--\n\n"
    "Close after a clean block, else throw the exception into the sink without\n"
    "flushing; never swallows it.";
