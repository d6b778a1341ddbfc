/* What a simulator without exceptions needs of the C++ library: with this, a compiler that would build the library
 * first (zig, for a minute) links a program at once. */
#include <cstddef>
#include <cstdlib>
#include <new>

void *operator new(std::size_t size)
{
    void *memory = std::malloc(size != 0 ? size : 1);
    if (memory == nullptr) std::abort();
    return memory;
}
void *operator new[](std::size_t size) { return operator new(size); }
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete[](void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void *memory, std::size_t) noexcept { std::free(memory); }

/* Code that is not optimised names these two; nothing here is aligned beyond what malloc gives. */
void *operator new(std::size_t size, std::align_val_t alignment)
{
    if (std::size_t(alignment) > alignof(std::max_align_t)) std::abort();
    return operator new(size);
}
void operator delete(void *memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

extern "C" void __cxa_pure_virtual() { std::abort(); }
