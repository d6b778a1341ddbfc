/* A hook of the emulator unicorn on memory accesses, which hands on those that are not aligned to their size.

   unicorn takes a C function for a hook as well as one of Python, which is ten times slower and has nothing to
   say about nearly all accesses. */
#include <stdint.h>

typedef void (*unaligned_t)(uint64_t address, int size);

__attribute__((visibility("default"))) void edgeternary_access(
    void *engine, int kind, uint64_t address, int size, int64_t value, void *data);

void edgeternary_access(void *engine, int kind, uint64_t address, int size, int64_t value, void *data)
{
    (void)engine;
    (void)kind;
    (void)value;
    if ((address & (uint64_t)(size - 1)) != 0u)
        (*(unaligned_t *)data)(address, size);
}
