/* <string.h> where there is no C library: what memory.c has. The compiler makes a load and a store of a copy of a few bytes. */
#ifndef BARE_METAL_STRING_H
#define BARE_METAL_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

#endif
