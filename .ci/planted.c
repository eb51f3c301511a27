/* Bugs that the memory checks of .ci/sanitize and .ci/memcheck have to find before
   what they say of pygenx counts. Called by name, through ctypes. */

#include <Python.h>

#include <limits.h>

/* pymalloc would hide it: so this also sees that it is off. */
int
use_after_free(void)
{
    volatile char *block = PyMem_Malloc(8);
    block[0] = 1;
    PyMem_Free((char *)block);
    return block[0];
}

int
overflow(void)
{
    volatile char *block = PyObject_Malloc(8);
    int found = block[8];
    PyObject_Free((char *)block);
    return found;
}

int
undefined(void)
{
    volatile int largest = INT_MAX;
    return largest + 1;
}

int
uninitialised(void)
{
    volatile char *block = PyMem_Malloc(8);
    int found = block[3] ? 1 : 2;
    PyMem_Free((char *)block);
    return found;
}

void
leak(void)
{
    volatile char *block = PyMem_Malloc(1234);
    block = NULL;
    (void)block;
}
