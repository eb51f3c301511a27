/* A table that counts words: pieces of text, of which a str is made only at the end and
   only once for each distinct word. No user code runs in it. */

#ifndef PYGENX_WORD_TABLE_H
#define PYGENX_WORD_TABLE_H

#include "pygenx.h"

typedef struct {
    uint64_t hash;    /* of the bytes; with `shape` all that a short word is */
    uint64_t shape;   /* size in bytes * 8 + bytes a character */
    size_t start;     /* place of the bytes in the table's text */
    Py_ssize_t count; /* 0: it has been handed over */
} gx_word;

/* Words stand in the order in which they were first seen, their bytes in `text`, in the
   form that str has: one word has one form. */
typedef struct {
    uint64_t factor;  /* of the hash: odd, and secret */
    uint32_t *places; /* owned: number of a word, 0 is free; at most half are taken */
    int shift;        /* of a hash to its place: 64 - log2(number of places) */
    gx_word *words;   /* owned: word i has the number i + 1 */
    size_t nwords;
    size_t room;         /* of words, before the table has to grow */
    bool rare;           /* many words, and most of them came only once */
    unsigned char *text; /* owned */
    size_t used;
    size_t size;
} gx_word_table;

/* Empty; a table of zeros has to be made into one. */
void gx_word_table_init(gx_word_table *table, gx_state *state);
/* Free everything: it is empty again. */
void gx_word_table_clear(gx_word_table *table);
/* Count the words of ASCII text, as str.split() finds them, of str.lower() if `lower`: up
   to a place between words, not too far away, which is returned. NULL: MemoryError. */
const unsigned char *gx_word_table_scan(gx_word_table *table, const unsigned char *text,
                                        const unsigned char *end, bool lower);
/* Count one exact str as it is. 0 or -1 with MemoryError. */
int gx_word_table_add(gx_word_table *table, PyObject *word);
/* A str of word i (new reference), or NULL with MemoryError. */
PyObject *gx_word_table_str(const gx_word_table *table, size_t i);

#endif
