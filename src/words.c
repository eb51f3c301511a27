/* words: what a chain of str.strip, str.lower and str.split in front of frequencies()
   counts, as pieces of text, without a str for each of them. */

#include "words.h"

#include "word_table.h"

/* -- struct ------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    gx_word_table table;
    gx_step *first; /* borrowed from the run: the first step of the chain */
    bool lower;     /* words are counted in lower case */
} words_object;

#define words_CAST(op) ((words_object *)(op))

/* -- construct ---------------------------------------------------------- */

/* The method called, by `lambda line: line.lower()` and the like; NULL: another program.
   Borrowed. */
static PyObject *
only_method(const gx_native *native)
{
    const gx_insn *insns = native->insns;
    if (native->nparams == 1 && native->ninsns == 2 &&
        insns[0].op == GX_OP_CALL_METHOD && insns[0].n == 1 && insns[0].in[0] == 0 &&
        insns[1].op == GX_OP_RETURN && insns[1].in[0] == insns[0].dst) {
        return PyTuple_GET_ITEM(native->names, insns[0].aux);
    }
    return NULL;
}

bool
gx_is_str_method(gx_run *run, gx_step *step, gx_str_method which)
{
    static const char *const names[GX_N_STR_METHODS] = {"lower", "split", "strip"};
    if (step->func == run->state->str_methods[which]) {
        return true;
    }
    const gx_binding *b = step->native;
    PyObject *name =
        b != NULL && !gx_binding_is_stale(b) ? only_method(b->native) : NULL;
    return name != NULL && PyUnicode_CompareWithASCIIString(name, names[which]) == 0;
}

static bool
is_word_map(gx_run *run, gx_step *step, bool *lower)
{
    if (step->row != &gx_stage_map) {
        return false;
    }
    if (gx_is_str_method(run, step, GX_STR_LOWER)) {
        *lower = true;
        return true;
    }
    return gx_is_str_method(run, step, GX_STR_STRIP);
}

/* The first step of the longest chain that ends before `last`, or NULL. */
static gx_step *
find_chain(gx_run *run, gx_step *last, bool *lower)
{
    gx_step *step = last - 1;
    if (run->counters != NULL || run->state->lift_off > 0) {
        return NULL;
    }
    while (is_word_map(run, step, lower)) {
        step--;
    }
    if (step->row != &gx_stage_flat_map || !gx_is_str_method(run, step, GX_STR_SPLIT)) {
        return NULL;
    }
    while (is_word_map(run, step - 1, lower)) {
        step--;
    }
    return step;
}

static gx_answer words_before(gx_run *run, gx_step *step, PyObject **item);

/* What is called in C and belongs to a chain need not be lifted. */
static void
keep_called(gx_step *first, gx_step *last, bool called)
{
    for (gx_step *step = first; step < last; step++) {
        if (!PyFunction_Check(step->func) && step->native == NULL) {
            step->stays_called = called;
        }
    }
}

/* Whether the step is called or native may have changed since it was attached. */
static void
detach(gx_run *run, words_object *self)
{
    self->first->before = NULL;
    gx_step_shorten(run, self->first);
    keep_called(self->first, run->end - 1, false);
}

/* A map or flat_map: it has no `before` but that of a native call. */
static void
attach(gx_run *run, words_object *self, gx_step *first)
{
    self->first = first;
    first->before = words_before;
    keep_called(first, run->end - 1, true);
}

/* What is counted already stays in the table if there is still a chain: what comes out
   of any is in the same order behind it. */
int
gx_words_look(gx_run *run, gx_step *step)
{
    bool lower = false;
    gx_step *first = find_chain(run, step, &lower);
    words_object *self = words_CAST(step->key);
    if (self != NULL && self->first == first) {
        return 0;
    }
    if (self != NULL) {
        detach(run, self);
    }
    if (first == NULL) {
        int rc = self != NULL ? gx_words_merge(run, step) : 0;
        if (rc == 0) {
            Py_CLEAR(step->key);
        }
        return rc;
    }
    if (self == NULL) {
        PyTypeObject *type = GX_TYPE_OF(run->state, words);
        self = words_CAST(type->tp_alloc(type, 0));
        if (self == NULL) {
            return -1;
        }
        gx_word_table_init(&self->table, run->state);
        step->key = (PyObject *)self;
    }
    self->lower = lower;
    attach(run, self, first);
    return 0;
}

/* -- iterate ------------------------------------------------------------ */

static int
count_ascii(gx_run *run, words_object *self, PyObject *line)
{
    const unsigned char *text = PyUnicode_DATA(line);
    const unsigned char *end = text + PyUnicode_GET_LENGTH(line);
    while (text < end) {
        text = gx_word_table_scan(&self->table, text, end, self->lower);
        if (text == NULL || (text < end && gx_breathe(&run->breath) < 0)) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
call_method(gx_run *run, gx_str_method which, PyObject *text)
{
    PyObject *args[2] = {NULL, text};
    return gx_call_func(run->state->str_methods[which], args + 1, 1);
}

/* By str's own methods. Their order does not matter: no white space is changed by
   lower(), or has to do with how its neighbours are; and what was split has none. */
static int
count_other(gx_run *run, words_object *self, PyObject *line)
{
    PyObject *text =
        self->lower ? call_method(run, GX_STR_LOWER, line) : Py_NewRef(line);
    PyObject *words = text != NULL ? call_method(run, GX_STR_SPLIT, text) : NULL;
    int rc = words == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_GET_SIZE(words); i++) {
        rc = gx_tick(&run->breath) < 0
                 ? -1
                 : gx_word_table_add(&self->table, PyList_GET_ITEM(words, i));
    }
    Py_XDECREF(words);
    Py_XDECREF(text);
    return rc;
}

/* Go the way of the steps, behind the words before. */
static gx_answer
pass_by(gx_run *run)
{
    return gx_words_merge(run, run->end - 1) < 0 ? GX_ERROR : GX_CALL;
}

/* The code of a function can be replaced between any two lines. */
static bool
is_stale(const gx_step *first, const gx_step *last)
{
    for (const gx_step *step = first; step < last; step++) {
        if (step->native != NULL && gx_binding_is_stale(step->native)) {
            return true;
        }
    }
    return false;
}

/* The table has only costs where nearly every word is new: then it is given up. */
static gx_answer
words_before(gx_run *run, gx_step *step, PyObject **item)
{
    words_object *self = words_CAST((run->end - 1)->key);
    step->calls++;
    bool over = self->table.rare || is_stale(step, run->end - 1);
    if (over) {
        detach(run, self);
    }
    if (over || !PyUnicode_CheckExact(*item)) {
        return pass_by(run);
    }
    int rc = PyUnicode_IS_COMPACT_ASCII(*item) ? count_ascii(run, self, *item)
                                               : count_other(run, self, *item);
    if (rc < 0) {
        return GX_ERROR;
    }
    Py_DECREF(*item);
    return GX_SKIP;
}

/* Into a Counter that was empty, words go as they are: each is new to it. */
static int
merge_word(PyObject *counter, gx_word_table *table, size_t i, bool empty)
{
    PyObject *word = gx_word_table_str(table, i);
    PyObject *number = PyLong_FromSsize_t(table->words[i].count);
    int rc = word == NULL || number == NULL ? -1
             : empty                        ? PyDict_SetItem(counter, word, number)
                                            : gx_count_item(counter, word, number);
    Py_XDECREF(number);
    Py_XDECREF(word);
    return rc;
}

/* After an error the words that are in the Counter already are not added again. */
int
gx_words_merge(gx_run *run, gx_step *step)
{
    gx_word_table *table = &words_CAST(step->key)->table;
    bool empty = PyDict_GET_SIZE(step->state) == 0;
    for (size_t i = 0; i < table->nwords; i++) {
        if (table->words[i].count > 0) {
            if (gx_tick(&run->breath) < 0 ||
                merge_word(step->state, table, i, empty) < 0) {
                return -1;
            }
            table->words[i].count = 0;
        }
    }
    gx_word_table_clear(table);
    return 0;
}

/* -- protocol ----------------------------------------------------------- */

static void
words_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    gx_word_table_clear(&words_CAST(op)->table);
    type->tp_free(op);
    Py_DECREF(type);
}

/* -- type --------------------------------------------------------------- */

static const char words_doc[] = "What frequencies() has counted of a text.";

static PyType_Slot words_slots[] = {
    {Py_tp_doc, (void *)words_doc},
    {Py_tp_dealloc, words_dealloc},
    {0, NULL},
};

/* It holds no objects. */
static PyType_Spec words_spec = {
    .name = "pygenx.words",
    .basicsize = sizeof(words_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = words_slots,
};

const gx_typedef gx_words_typedef = {
    .spec = &words_spec,
};
