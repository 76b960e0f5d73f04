/* The four functions of <string.h> that a C compiler may call by itself. A C library has faster ones; leave this file out then.
 * The empty assembly keeps the compiler from seeing a memcpy in the loop of memcpy, which would call itself. */
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    unsigned char *target = to;
    const unsigned char *source = from;
    for (; bytes; --bytes) {
        *target++ = *source++;
        __asm__ volatile("");
    }
    return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
    unsigned char *target = to;
    const unsigned char *source = from;
    if (target <= source) {
        return memcpy(to, from, bytes);
    }
    for (; bytes; --bytes) {
        target[bytes - 1] = source[bytes - 1];
        __asm__ volatile("");
    }
    return to;
}

void *memset(void *to, int value, size_t bytes) {
    unsigned char *target = to;
    for (; bytes; --bytes) {
        *target++ = (unsigned char)value;
        __asm__ volatile("");
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
    const unsigned char *first = a, *second = b;
    for (; bytes; --bytes, ++first, ++second) {
        if (*first != *second) {
            return *first < *second ? -1 : 1;
        }
    }
    return 0;
}
