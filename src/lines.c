/* read_lines: the lines of several files as a pipe, one file open at a time. */

#include "pipeline.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    GX_ITERATOR_HEAD
    gx_state *state;    /* borrowed */
    gx_source file;     /* the file being read; none between two */
    PyObject *handle;   /* owned: the open file if we opened it, to be closed by us */
    PyObject *paths;    /* owned: tuple of what was given */
    Py_ssize_t index;   /* number of paths taken */
    Py_ssize_t lineno;  /* lines taken from the current file, or LINENO_UNOPENED */
    PyObject *opener;   /* owned */
    PyObject *keywords; /* owned: encoding= and errors= for the opener */
    bool keepends;
    bool skip_missing;
} lines_object;

#define lines_CAST(op) ((lines_object *)(op))

/* Such that the line after it is none: the file as a whole failed. */
#define LINENO_UNOPENED (-1)

static const gx_protocol lines_protocol;

/* -- construct ---------------------------------------------------------- */

enum {
    LINES_ENCODING,
    LINES_ERRORS,
    LINES_KEEPENDS,
    LINES_OPENER,
    LINES_MISSING,
    LINES_N
};

/* A path, "-", or something with readline(): a list of paths would otherwise pass
   for a file whose lines they are. */
static int
check_path(gx_state *state, PyObject *path, Py_ssize_t i)
{
    PyObject *method;
    if (PyUnicode_Check(path) || PyBytes_Check(path)) {
        return 0;
    }
    int found = PyObject_GetOptionalAttr(path, GX_NAME(state, __fspath__), &method);
    if (found == 0) {
        found = PyObject_GetOptionalAttr(path, GX_NAME(state, readline), &method);
    }
    if (found > 0) {
        Py_DECREF(method);
        return 0;
    }
    if (found == 0) {
        PyErr_Format(PyExc_TypeError,
                     "read_lines() argument %zd must be a path or an open file, not "
                     "'%.200s'",
                     i + 1, Py_TYPE(path)->tp_name);
    }
    return -1;
}

static int
check_text(PyObject **text, const char *name)
{
    if (*text != NULL && !PyUnicode_Check(*text)) {
        PyErr_Format(PyExc_TypeError, "%s must be str, not '%.200s'", name,
                     Py_TYPE(*text)->tp_name);
        return -1;
    }
    return 0;
}

/* 1 skip, 0 raise, -1 error. */
static int
parse_missing(PyObject *missing)
{
    if (missing == NULL || PyUnicode_CompareWithASCIIString(missing, "raise") == 0) {
        return 0;
    }
    if (PyUnicode_CompareWithASCIIString(missing, "skip") == 0) {
        return 1;
    }
    gx_raise_format(PyExc_ValueError, "missing must be 'raise' or 'skip', not %R",
                    missing);
    return -1;
}

/* Fill the options; out[] is borrowed. */
static int
lines_configure(lines_object *self, PyObject **out)
{
    int keepends = out[LINES_KEEPENDS] ? PyObject_IsTrue(out[LINES_KEEPENDS]) : 0;
    if (keepends < 0 || check_text(&out[LINES_ENCODING], "encoding") < 0 ||
        check_text(&out[LINES_ERRORS], "errors") < 0 ||
        check_text(&out[LINES_MISSING], "missing") < 0) {
        return -1;
    }
    int skip = parse_missing(out[LINES_MISSING]);
    if (skip < 0 || (out[LINES_OPENER] != NULL &&
                     gx_check_callable(out[LINES_OPENER], "opener") < 0)) {
        return -1;
    }
    self->keepends = keepends;
    self->skip_missing = skip;
    self->opener = Py_NewRef(out[LINES_OPENER] ? out[LINES_OPENER] : self->state->open);
    PyObject *encoding = out[LINES_ENCODING], *errors = out[LINES_ERRORS];
    self->keywords =
        encoding != NULL && errors != NULL
            ? Py_BuildValue("{sOsO}", "encoding", encoding, "errors", errors)
        : encoding != NULL
            ? Py_BuildValue("{sOss}", "encoding", encoding, "errors", "strict")
        : errors != NULL
            ? Py_BuildValue("{sssO}", "encoding", "utf-8", "errors", errors)
            : Py_BuildValue("{ssss}", "encoding", "utf-8", "errors", "strict");
    return self->keywords == NULL ? -1 : 0;
}

static PyObject *
lines_over(gx_state *state, PyObject *const *paths, Py_ssize_t npaths, PyObject **out)
{
    PyTypeObject *type = GX_TYPE_OF(state, lines_source);
    for (Py_ssize_t i = 0; i < npaths; i++) {
        if (check_path(state, paths[i], i) < 0) {
            return NULL;
        }
    }
    lines_object *self = lines_CAST(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->protocol = &lines_protocol;
    self->state = state;
    self->file = GX_SOURCE_NONE;
    self->paths = PyTuple_New(npaths);
    for (Py_ssize_t i = 0; i < npaths && self->paths != NULL; i++) {
        PyTuple_SET_ITEM(self->paths, i, Py_NewRef(paths[i]));
    }
    /* Complete before the options, whose truth is asked of the user's objects. */
    if (self->paths == NULL || lines_configure(self, out) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

PyObject *
gx_read_lines(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
              PyObject *kwnames)
{
    static const char *const params[] = {"encoding", "errors",  "keepends",
                                         "opener",   "missing", NULL};
    static const gx_signature signature = {"read_lines", params, 0, 0, 0};
    PyObject *out[LINES_N];
    gx_state *state = PyModule_GetState(module);
    if (gx_parse(&signature, args + nargs, 0, kwnames, out) < 0) {
        return NULL;
    }
    PyObject *lines = lines_over(state, args, nargs, out);
    if (lines == NULL) {
        return NULL;
    }
    PyObject *pipe = gx_pipe_over(state, lines);
    Py_DECREF(lines);
    return pipe;
}

/* -- iterate ------------------------------------------------------------ */

static PyObject *
current_path(lines_object *self)
{
    if (self->paths == NULL || self->index == 0) { /* tp_clear was here, or no path */
        return NULL;
    }
    return PyTuple_GET_ITEM(self->paths, self->index - 1);
}

/* Let go of the current file: closed if we opened it, or by close() of the whole. */
static int
lines_leave(lines_object *self, bool close)
{
    PyObject *handle = self->handle, *error = NULL;
    self->handle = NULL;
    if (close) {
        gx_collect_error(gx_source_close(self->state, &self->file), &error);
    } else {
        gx_source_drop(&self->file);
    }
    if (handle != NULL) {
        gx_collect_error(gx_close(self->state, handle), &error);
        Py_DECREF(handle);
    }
    return gx_raise_collected(error);
}

static PyObject *
open_path(lines_object *self, PyObject *path)
{
    PyObject *args = Py_BuildValue("(Os)", path, "rt");
    PyObject *handle = args ? PyObject_Call(self->opener, args, self->keywords) : NULL;
    Py_XDECREF(args);
    return handle;
}

static bool
is_path(gx_state *state, PyObject *path)
{
    return PyUnicode_Check(path) || PyBytes_Check(path) ||
           PyObject_HasAttr(path, GX_NAME(state, __fspath__));
}

/* The object to iterate over for a path: stdin and given files are not ours. */
static PyObject *
enter_path(lines_object *self, PyObject *path)
{
    if (!is_path(self->state, path)) {
        return Py_NewRef(path);
    }
    if (PyUnicode_Check(path) && PyUnicode_CompareWithASCIIString(path, "-") == 0) {
        PyObject *input = PySys_GetObject("stdin");
        if (input == NULL || input == Py_None) {
            PyErr_SetString(PyExc_RuntimeError, "read_lines('-'): lost sys.stdin");
            return NULL;
        }
        return Py_NewRef(input);
    }
    self->handle = open_path(self, path);
    return Py_XNewRef(self->handle);
}

/* Open the next file: 1; 0 there is none; -1 error, after which the next call goes
   on with the file after it. */
static int
lines_advance(lines_object *self)
{
    while (self->opener != NULL && self->index < PyTuple_GET_SIZE(self->paths)) {
        PyObject *path = PyTuple_GET_ITEM(self->paths, self->index++);
        self->lineno = LINENO_UNOPENED;
        PyObject *file = enter_path(self, path);
        if (file != NULL) {
            int rc = gx_source_open(self->state, &self->file, file);
            Py_DECREF(file);
            self->lineno = rc < 0 ? LINENO_UNOPENED : 0;
            return rc < 0 ? -1 : 1;
        }
        if (!self->skip_missing || !PyErr_ExceptionMatches(PyExc_FileNotFoundError)) {
            gx_no_stop_iteration("opener of read_lines()");
            return -1;
        }
        PyErr_Clear(); /* missing="skip" asks for it */
    }
    return 0;
}

/* `line`, which is taken, up to `size`: in place if only we hold it. Not the shortest, of
   which Python keeps one each. */
static PyObject *
cut_short(PyObject *line, Py_ssize_t size)
{
    if (size < 2 || !PyUnicode_CheckExact(line)) {
        Py_SETREF(line, PyUnicode_Substring(line, 0, size));
    } else if (PyUnicode_Resize(&line, size) < 0) {
        Py_CLEAR(line);
    }
    return line;
}

/* Without its newline; steals `line`. */
static PyObject *
without_newline(PyObject *line)
{
    if (PyUnicode_Check(line)) {
        Py_ssize_t size = PyUnicode_GET_LENGTH(line);
        if (size > 0 && PyUnicode_READ_CHAR(line, size - 1) == '\n') {
            line = cut_short(line, size - 1);
        }
    } else if (PyBytes_CheckExact(line)) {
        Py_ssize_t size = PyBytes_GET_SIZE(line);
        const char *text = PyBytes_AS_STRING(line);
        if (size > 0 && text[size - 1] == '\n') {
            Py_SETREF(line, PyBytes_FromStringAndSize(text, size - 1));
        }
    }
    return line;
}

static PySendResult
lines_resume(PyObject *op, gx_how how, PyObject *value, PyObject **out)
{
    lines_object *self = lines_CAST(op);
    if (how == GX_THROW) {
        PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        return PYGEN_ERROR;
    }
    for (;;) {
        if (self->file.fetch != gx_fetch_none) {
            PyObject *line = self->file.fetch(&self->file);
            if (line != NULL) {
                self->lineno++;
                *out = self->keepends ? line : without_newline(line);
                return *out == NULL ? PYGEN_ERROR : PYGEN_NEXT;
            }
            PyObject *error = NULL;
            gx_collect_error(gx_ended(NULL) ? 0 : -1, &error);
            gx_collect_error(lines_leave(self, false), &error);
            if (gx_raise_collected(error) < 0) {
                return PYGEN_ERROR;
            }
        }
        int opened = lines_advance(self);
        if (opened <= 0) {
            *out = opened == 0 ? Py_NewRef(Py_None) : NULL;
            return opened == 0 ? PYGEN_RETURN : PYGEN_ERROR;
        }
    }
}

/* -- protocol ----------------------------------------------------------- */

static int
lines_release(PyObject *op, bool close)
{
    lines_object *self = lines_CAST(op);
    self->index = self->paths != NULL ? PyTuple_GET_SIZE(self->paths) : 0;
    return lines_leave(self, close);
}

static int
lines_clear(PyObject *op)
{
    lines_object *self = lines_CAST(op);
    gx_source_drop(&self->file);
    Py_CLEAR(self->handle);
    Py_CLEAR(self->paths);
    Py_CLEAR(self->opener);
    Py_CLEAR(self->keywords);
    return 0;
}

static int
lines_traverse(PyObject *op, visitproc visit, void *arg)
{
    lines_object *self = lines_CAST(op);
    GX_VISIT_ITERATOR(op);
    GX_VISIT_SOURCE(&self->file);
    Py_VISIT(self->handle);
    Py_VISIT(self->paths);
    Py_VISIT(self->opener);
    Py_VISIT(self->keywords);
    return 0;
}

/* "access.log:311" for the line taken last. */
PyObject *
gx_lines_place(PyObject *op)
{
    lines_object *self = lines_CAST(op);
    PyObject *path = current_path(self);
    if (path == NULL) {
        return PyUnicode_FromString("<no file>");
    }
    PyObject *name = PyUnicode_CheckExact(path) ? Py_NewRef(path)
                     : is_path(self->state, path)
                         ? PyOS_FSPath(path)
                         : PyUnicode_FromFormat("<%s>", Py_TYPE(path)->tp_name);
    if (name == NULL) {
        return NULL;
    }
    PyObject *text = self->lineno > 0
                         ? PyUnicode_FromFormat("%S:%zd", name, self->lineno)
                         : PyObject_Str(name);
    Py_DECREF(name);
    return text;
}

/* The line that could not be read is the one after the last. */
static void
lines_note(PyObject *op)
{
    lines_object *self = lines_CAST(op);
    PyObject *exc = gx_note_begin();
    if (exc != NULL) {
        self->lineno++;
        PyObject *place = gx_lines_place(op);
        self->lineno--;
        gx_note_end(exc, "source %V", place, "<file>");
        Py_XDECREF(place);
    }
}

static PyObject *
lines_get_path(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *path = current_path(lines_CAST(op));
    return Py_NewRef(path != NULL ? path : Py_None);
}

static PyObject *
lines_get_lineno(PyObject *op, void *Py_UNUSED(closure))
{
    Py_ssize_t lineno = lines_CAST(op)->lineno;
    return PyLong_FromSsize_t(lineno > 0 ? lineno : 0);
}

static const gx_protocol lines_protocol = {
    .name = "read_lines",
    .resume = lines_resume,
    .release = lines_release,
    .clear = lines_clear,
    .note = lines_note,
    .closes_when_dropped = false, /* release closes the files that we opened */
};

/* -- type --------------------------------------------------------------- */

const char gx_read_lines_doc[] =
    "read_lines($module, /, *paths, encoding='utf-8', errors='strict', "
    "keepends=False, opener=..., missing='raise')\n--\n\n"
    "A pipe of the lines of files, read one after the other, one open at a time.\n\n"
    "A path may be '-' for standard input or an open file. opener(path, 'rt',\n"
    "encoding=..., errors=...) opens the others: gzip.open does too. The pipe's .path\n"
    "and .lineno say where it is. Files are closed at their end, on errors and when\n"
    "the pipe is closed or dropped; an open file that was given is left open unless\n"
    "the pipe is closed. A missing file raises FileNotFoundError, or is passed over\n"
    "with missing='skip'. After an error the next file follows.\n\n"
    ">>> import io\n"
    ">>> read_lines(io.StringIO('one\\ntwo\\n')).list()\n"
    "['one', 'two']";

static PyMethodDef lines_methods[] = {
    GX_ITERATOR_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef lines_getset[] = {
    GX_ITERATOR_GETSET,
    {"path", lines_get_path, NULL, "The path being read, as it was given.", NULL},
    {"lineno", lines_get_lineno, NULL, "Number of the line taken last.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef lines_members[] = {
    GX_WEAKLIST_MEMBER(lines_object),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot lines_slots[] = {
    {Py_tp_doc, (void *)gx_read_lines_doc}, {Py_tp_dealloc, gx_iterator_dealloc},
    {Py_tp_finalize, gx_iterator_finalize}, {Py_tp_traverse, lines_traverse},
    {Py_tp_clear, gx_iterator_clear},       {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, gx_iterator_next},     {Py_am_send, gx_iterator_am_send},
    {Py_tp_methods, lines_methods},         {Py_tp_getset, lines_getset},
    {Py_tp_members, lines_members},         {0, NULL},
};

static PyType_Spec lines_spec = {
    .name = "pygenx.read_lines",
    .basicsize = sizeof(lines_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lines_slots,
};

const gx_typedef gx_lines_source_typedef = {
    .spec = &lines_spec,
};
