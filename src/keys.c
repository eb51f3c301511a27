/* keys: the set behind unique_everseen. It is asked once per item, never loses a key
   and is never looked at from outside: so it needs one look-up where a set takes two,
   and knows short ints by their hash alone. */

#include "keys.h"

#define KEYS_FIRST_SIZE 32
#define KEYS_NEAR 6
#define KEYS_QUICK_GROWTH 50000 /* keys up to which the table grows fourfold */

/* -- struct ------------------------------------------------------------- */

typedef struct {
    Py_hash_t hash; /* of the key, kept: growing runs no user code */
    PyObject *key;  /* owned; NULL: the place is free */
} keys_place;

typedef struct {
    PyObject_HEAD
    keys_place *table; /* owned; NULL: nothing was put in yet */
    size_t mask;       /* number of places - 1, a power of two less one */
    size_t used;       /* places that are not free, at most 3/5 of them */
} keys_object;

#define keys_CAST(op) ((keys_object *)(op))

/* -- construct ---------------------------------------------------------- */

PyObject *
gx_keys_new(gx_state *state)
{
    PyTypeObject *type = GX_TYPE_OF(state, keys);
    return type->tp_alloc(type, 0);
}

/* -- iterate ------------------------------------------------------------ */

/* Where a hash looks for its place, one after the other. A few neighbours first, which
   lie in the same line of the cache, then far away. The `base` alone would come to
   every place of the table, in the end, whatever the hashes have in common. */
typedef struct {
    size_t mask, perturb, base, near;
} keys_walk;

static inline keys_walk
walk_from(Py_hash_t hash, size_t mask)
{
    size_t bits = (size_t)hash;
    return (keys_walk){.mask = mask, .perturb = bits, .base = bits & mask};
}

static inline size_t
walk_place(const keys_walk *walk)
{
    return walk->base + walk->near;
}

static inline void
walk_on(keys_walk *walk)
{
    if (walk->near < KEYS_NEAR && walk_place(walk) < walk->mask) {
        walk->near++;
        return;
    }
    walk->near = 0;
    walk->perturb >>= 5;
    walk->base = (walk->base * 5 + walk->perturb + 1) & walk->mask;
}

static void
put_in_free_place(keys_place *table, size_t mask, keys_place place)
{
    keys_walk walk = walk_from(place.hash, mask);
    while (table[walk_place(&walk)].key != NULL) {
        walk_on(&walk);
    }
    table[walk_place(&walk)] = place;
}

/* Room for one more. */
static int
keys_grow(keys_object *self)
{
    size_t size = KEYS_FIRST_SIZE;
    if (self->table != NULL) {
        size = (self->mask + 1) * (self->used > KEYS_QUICK_GROWTH ? 2 : 4);
    }
    keys_place *table = PyMem_Malloc(size * sizeof(keys_place));
    if (table == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memset(table, 0, size * sizeof(keys_place));
    for (size_t i = 0; self->table != NULL && i <= self->mask; i++) {
        if (self->table[i].key != NULL) {
            put_in_free_place(table, size - 1, self->table[i]);
        }
    }
    PyMem_Free(self->table);
    self->table = table;
    self->mask = size - 1;
    return 0;
}

static inline bool
is_short_int(PyObject *op)
{
    return PyLong_CheckExact(op) && PyUnstable_Long_IsCompact((PyLongObject *)op);
}

/* Both have been hashed, so they are in order. */
static inline bool
same_text(PyObject *one, PyObject *other)
{
    size_t size = (size_t)PyUnicode_GET_LENGTH(one) * PyUnicode_KIND(one);
    return PyUnicode_KIND(one) == PyUnicode_KIND(other) &&
           PyUnicode_GET_LENGTH(one) == PyUnicode_GET_LENGTH(other) &&
           memcmp(PyUnicode_DATA(one), PyUnicode_DATA(other), size) == 0;
}

/* Two keys with one hash: 1 they are the same, 0 not, -1. A short int is its own hash,
   but for -1, which shares that of -2. */
static inline int
same_key(PyObject *known, PyObject *key, Py_hash_t hash)
{
    if (known == key) {
        return 1;
    }
    if (is_short_int(known) && is_short_int(key) && hash != -2) {
        return 1;
    }
    if (PyUnicode_CheckExact(known) && PyUnicode_CheckExact(key)) {
        return same_text(known, key);
    }
    return gx_same(known, key);
}

/* An `==` may run anything but a call of this: the pipe around it is running. */
int
gx_keys_add(PyObject *op, PyObject *key)
{
    keys_object *self = keys_CAST(op);
    Py_hash_t hash = PyObject_Hash(key);
    if (hash == -1 || (self->used * 5 >= self->mask * 3 && keys_grow(self) < 0)) {
        return -1;
    }
    keys_walk walk = walk_from(hash, self->mask);
    keys_place *place;
    while ((place = &self->table[walk_place(&walk)])->key != NULL) {
        if (place->hash == hash) {
            int same = same_key(place->key, key, hash);
            if (same != 0) {
                return same < 0 ? -1 : 0;
            }
        }
        walk_on(&walk);
    }
    place->hash = hash;
    place->key = Py_NewRef(key);
    self->used++;
    return 1;
}

Py_ssize_t
gx_keys_size(PyObject *op)
{
    return (Py_ssize_t)keys_CAST(op)->used;
}

/* -- protocol ----------------------------------------------------------- */

static int
keys_traverse(PyObject *op, visitproc visit, void *arg)
{
    keys_object *self = keys_CAST(op);
    Py_VISIT(Py_TYPE(op));
    for (size_t i = 0; self->table != NULL && i <= self->mask; i++) {
        Py_VISIT(self->table[i].key);
    }
    return 0;
}

/* Empty before the first key is let go of. */
static int
keys_clear(PyObject *op)
{
    keys_object *self = keys_CAST(op);
    keys_place *table = self->table;
    size_t mask = self->mask;
    self->table = NULL;
    self->mask = self->used = 0;
    for (size_t i = 0; table != NULL && i <= mask; i++) {
        Py_XDECREF(table[i].key);
    }
    PyMem_Free(table);
    return 0;
}

static void
keys_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    GX_DEALLOC_BEGIN(op, keys_dealloc)
    keys_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
    GX_DEALLOC_END
}

/* -- type --------------------------------------------------------------- */

static const char keys_doc[] = "What unique_everseen has seen.";

static PyType_Slot keys_slots[] = {
    {Py_tp_doc, (void *)keys_doc},
    {Py_tp_dealloc, keys_dealloc},
    {Py_tp_traverse, keys_traverse},
    {Py_tp_clear, keys_clear},
    {0, NULL},
};

static PyType_Spec keys_spec = {
    .name = "pygenx.keys",
    .basicsize = sizeof(keys_object),
    .flags = GX_TYPE_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = keys_slots,
};

const gx_typedef gx_keys_typedef = {
    .spec = &keys_spec,
};
