// Counts what the calling thread allocates, in a process of tests.
#ifndef ALLOCATION_COUNT_H
#define ALLOCATION_COUNT_H

#include <stdint.h>

// The calls of malloc, calloc, realloc and their aligned kin that this thread has made; 0 for ever where a sanitizer has the allocator.
uint64_t allocation_count(void);

#endif
