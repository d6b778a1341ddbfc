/* The part of <string.h> that a freestanding image has. */
#ifndef EDGETERNARY_STRING_H
#define EDGETERNARY_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

#endif
