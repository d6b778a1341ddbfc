/* memcpy, memmove and memset, which compilers call for structures and arrays. Words where both ends are
   aligned, bytes elsewhere. The empty assembly keeps a compiler from turning a loop into a call of itself. */
#include <stdint.h>
#include <string.h>

#define KEEP_LOOP() __asm volatile("" ::: "memory")

typedef uint32_t __attribute__((may_alias)) word_t;

void *memcpy(void *to, const void *from, size_t size)
{
    unsigned char *d = to;
    const unsigned char *s = from;

    if ((((uintptr_t)d | (uintptr_t)s) & 3u) == 0u)
        for (; size >= 4u; size -= 4u, d += 4, s += 4) {
            *(word_t *)(void *)d = *(const word_t *)(const void *)s;
            KEEP_LOOP();
        }
    for (; size > 0u; size--) {
        *d++ = *s++;
        KEEP_LOOP();
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    unsigned char *d = to;
    const unsigned char *s = from;

    if ((uintptr_t)d <= (uintptr_t)s)
        return memcpy(to, from, size);
    while (size > 0u) {
        size--;
        d[size] = s[size];
        KEEP_LOOP();
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    unsigned char *d = to;
    const uint32_t word = 0x01010101u * (unsigned char)value;

    if (((uintptr_t)d & 3u) == 0u)
        for (; size >= 4u; size -= 4u, d += 4) {
            *(word_t *)(void *)d = word;
            KEEP_LOOP();
        }
    for (; size > 0u; size--) {
        *d++ = (unsigned char)value;
        KEEP_LOOP();
    }
    return to;
}
