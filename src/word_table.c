/* The table behind word counting: open addressing over numbers of words. ASCII text is
   read eight bytes at a time, as one number, whose lowest byte is the first. No Python
   type in this file. */

#include "word_table.h"

#define FIRST_BITS 6   /* log2 of the number of places */
#define MOST_BITS 32   /* numbers of words have as many */
#define GROWTH_BITS 2  /* per growth */
#define FIRST_TEXT 512 /* bytes */
#define MANY_WORDS 30000
#define PIECE 65536 /* bytes of text between two looks at signals */
#define BLOCK 8     /* bytes in one number */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH EACH(0x80)

/* -- memory ------------------------------------------------------------- */

/* The factor is as secret as the hashes of str: nobody can write a text all of whose
   words meet in one place. An odd one chosen at random has two words meet no more often
   than chance would. */
void
gx_word_table_init(gx_word_table *table, gx_state *state)
{
    uint64_t one = (uint64_t)PyObject_Hash(GX_NAME(state, index));
    uint64_t other = (uint64_t)PyObject_Hash(GX_NAME(state, value));
    memset(table, 0, sizeof(*table));
    table->factor = (one << 32 ^ other) | 1;
}

void
gx_word_table_clear(gx_word_table *table)
{
    PyMem_Free(table->places);
    PyMem_Free(table->words);
    PyMem_Free(table->text);
    *table = (gx_word_table){.factor = table->factor};
}

static int
no_memory(void)
{
    PyErr_NoMemory();
    return -1;
}

/* The next place on the way from that of a hash. */
static inline size_t
next_place(const gx_word_table *table, size_t place)
{
    return (place + 1) & (table->room * 2 - 1);
}

static void
put_all(gx_word_table *table)
{
    for (size_t i = 0; i < table->nwords; i++) {
        size_t place = (size_t)(table->words[i].hash >> table->shift);
        while (table->places[place] != 0) {
            place = next_place(table, place);
        }
        table->places[place] = (uint32_t)(i + 1);
    }
}

static bool
words_are_rare(const gx_word_table *table)
{
    Py_ssize_t rest = (Py_ssize_t)(table->nwords + table->nwords / 4);
    for (size_t i = 0; i < table->nwords && rest > 0; i++) {
        rest -= table->words[i].count;
    }
    return rest > 0;
}

/* As it was, if there is no memory. */
static int
grow(gx_word_table *table)
{
    if (table->nwords >= MANY_WORDS) {
        table->rare = words_are_rare(table);
    }
    int bits = table->places == NULL ? FIRST_BITS : 64 - table->shift + GROWTH_BITS;
    size_t nplaces = (size_t)1 << (bits < MOST_BITS ? bits : MOST_BITS - 1);
    if (bits >= MOST_BITS || nplaces / 2 > SIZE_MAX / sizeof(gx_word)) {
        return no_memory();
    }
    gx_word *words = PyMem_Realloc(table->words, nplaces / 2 * sizeof(gx_word));
    if (words == NULL) {
        return no_memory();
    }
    table->words = words;
    uint32_t *places = PyMem_Calloc(nplaces, sizeof(uint32_t));
    if (places == NULL) {
        return no_memory();
    }
    PyMem_Free(table->places);
    table->places = places;
    table->room = nplaces / 2;
    table->shift = 64 - bits;
    put_all(table);
    return 0;
}

/* Room for a text of `size` bytes and the rest of its last block. */
static int
reserve(gx_word_table *table, size_t size)
{
    size_t least = table->used + size + BLOCK;
    if (least <= table->size) {
        return 0;
    }
    size_t more = table->size < FIRST_TEXT ? FIRST_TEXT : table->size * 2;
    more = more < least ? least : more;
    unsigned char *text = PyMem_Realloc(table->text, more);
    if (text == NULL) {
        return no_memory();
    }
    table->text = text;
    table->size = more;
    return 0;
}

/* -- blocks ------------------------------------------------------------- */

static inline uint64_t
load(const unsigned char *text)
{
    uint64_t block = 0;
    for (int i = 0; i < BLOCK; i++) {
        block |= (uint64_t)text[i] << (8 * i);
    }
    return block;
}

/* What is left of a text, less than a block, and spaces. */
static inline uint64_t
load_last(const unsigned char *text, const unsigned char *end)
{
    uint64_t block = EACH(' ');
    while (end > text) {
        block = block << 8 | *--end;
    }
    return block;
}

static inline void
store(unsigned char *text, uint64_t block)
{
    for (int i = 0; i < BLOCK; i++) {
        text[i] = (unsigned char)(block >> (8 * i));
    }
}

/* Of ASCII bytes: the high bit of those from `low` to `high`. */
static inline uint64_t
within(uint64_t block, int low, int high)
{
    return (block + EACH(0x80 - low)) & ~(block + EACH(0x7f - high)) & HIGH;
}

/* Where str.split() splits. */
static inline uint64_t
spaces_of(uint64_t block)
{
    return within(block, '\t', '\r') | within(block, '\x1c', ' ');
}

static inline bool
is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
}

static inline uint64_t
lowered(uint64_t block)
{
    return block | within(block, 'A', 'Z') >> 2;
}

/* All bits of the bytes before the first that has its high bit in `marks`. */
static inline uint64_t
bytes_before(uint64_t marks)
{
    uint64_t lowest = marks >> 7;
    return (lowest & (0 - lowest)) - 1;
}

static inline size_t
bytes_in(uint64_t mask)
{
    return (size_t)((mask & EACH(1)) * EACH(1) >> 56);
}

/* -- counting ------------------------------------------------------------- */

/* No two hashes and blocks that differ in one of both give the same, so that of words
   of one block the hash says everything. Its high bits depend on all others. */
static inline uint64_t
hashed(const gx_word_table *table, uint64_t hash, uint64_t block)
{
    hash = (hash ^ block) * table->factor;
    return hash ^ hash >> 32;
}

static inline bool
same_word(const gx_word_table *table, const gx_word *word, uint64_t hash,
          uint64_t shape)
{
    if (word->hash != hash || word->shape != shape) {
        return false;
    }
    size_t size = (size_t)(shape / 8);
    return size <= BLOCK ||
           memcmp(table->text + word->start, table->text + table->used, size) == 0;
}

/* Count the word whose bytes stand behind the text that is in use. */
static inline int
count(gx_word_table *table, uint64_t hash, uint64_t shape)
{
    if (table->nwords == table->room && grow(table) < 0) {
        return -1;
    }
    size_t place = (size_t)(hash >> table->shift);
    uint32_t number;
    while ((number = table->places[place]) != 0) {
        gx_word *word = &table->words[number - 1];
        if (same_word(table, word, hash, shape)) {
            word->count++;
            return 0;
        }
        place = next_place(table, place);
    }
    table->words[table->nwords++] = (gx_word){hash, shape, table->used, 1};
    table->places[place] = (uint32_t)table->nwords;
    table->used += (size_t)(shape / 8);
    return 0;
}

/* Count the word that begins at `text`: its end, or NULL. There is room for it. */
static inline const unsigned char *
scan_word(gx_word_table *table, const unsigned char *text, const unsigned char *end,
          bool lower)
{
    const unsigned char *start = text;
    unsigned char *out = table->text + table->used;
    uint64_t hash = 0, mask;
    do {
        uint64_t block = end - text >= BLOCK ? load(text) : load_last(text, end);
        mask = bytes_before(spaces_of(block));
        block = (lower ? lowered(block) : block) & mask;
        if (mask != 0) {
            store(out, block);
            hash = hashed(table, hash, block);
        }
        text += bytes_in(mask);
        out += BLOCK;
    } while (mask == UINT64_MAX);
    return count(table, hash, (uint64_t)(text - start) * 8 + 1) < 0 ? NULL : text;
}

const unsigned char *
gx_word_table_scan(gx_word_table *table, const unsigned char *text,
                   const unsigned char *end, bool lower)
{
    const unsigned char *piece = end;
    if (end - text > PIECE) {
        piece = text + PIECE;
        while (piece < end && !is_space(*piece)) {
            piece++;
        }
    }
    if (reserve(table, (size_t)(piece - text)) < 0) {
        return NULL;
    }
    while (text < piece && text != NULL) {
        text = is_space(*text) ? text + 1 : scan_word(table, text, piece, lower);
    }
    return text;
}

int
gx_word_table_add(gx_word_table *table, PyObject *word)
{
    uint64_t hash = 0;
    unsigned kind = PyUnicode_KIND(word);
    size_t size = (size_t)PyUnicode_GET_LENGTH(word) * kind;
    if (kind > 1) { /* CPython will read it by units */
        table->used = (table->used + 3) & ~(size_t)3;
    }
    if (reserve(table, size) < 0) {
        return -1;
    }
    unsigned char *text = table->text + table->used;
    memcpy(text, PyUnicode_DATA(word), size);
    memset(text + size, 0, BLOCK);
    for (size_t i = 0; i < size; i += BLOCK) {
        hash = hashed(table, hash, load(text + i));
    }
    return count(table, hash, (uint64_t)size * 8 + kind);
}

PyObject *
gx_word_table_str(const gx_word_table *table, size_t i)
{
    const gx_word *word = &table->words[i];
    int kind = (int)(word->shape % 8);
    return PyUnicode_FromKindAndData(kind, table->text + word->start,
                                     (Py_ssize_t)(word->shape / 8) / kind);
}
