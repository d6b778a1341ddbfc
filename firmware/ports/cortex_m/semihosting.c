/* Files on the host through semihosting: BKPT 0xAB with the operation in r0 and its arguments at r1. */
#include <stdint.h>

#include "bench.h"
#include "port.h"

enum { SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_EXIT_EXTENDED = 0x20 };
enum { OPEN_READ_BINARY = 1, OPEN_WRITE_BINARY = 5 };

#define APPLICATION_EXIT 0x20026u

static int32_t input, output, taps;

static int32_t semihosting(int32_t operation, const void *arguments)
{
    register int32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = arguments;

    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static int32_t open_file(const char *name, uint32_t length, uint32_t mode)
{
    const uint32_t arguments[3] = { (uint32_t)name, mode, length };

    return semihosting(SYS_OPEN, arguments);
}

/* SYS_READ and SYS_WRITE return the number of bytes that were left undone. */
static int transfer(int32_t operation, int32_t file, uint32_t address, size_t size)
{
    const uint32_t arguments[3] = { (uint32_t)file, address, size };

    return semihosting(operation, arguments) == 0;
}

int bench_open(void)
{
    input = open_file("inputs.bin", 10u, OPEN_READ_BINARY);
    output = open_file("outputs.bin", 11u, OPEN_WRITE_BINARY);
    taps = open_file("taps.bin", 8u, OPEN_WRITE_BINARY);
    return input >= 0 && output >= 0 && taps >= 0;
}

int bench_read(void *to, size_t size)
{
    return transfer(SYS_READ, input, (uint32_t)to, size);
}

int bench_write(const void *from, size_t size)
{
    return transfer(SYS_WRITE, output, (uint32_t)from, size);
}

int bench_write_tap(const void *from, size_t size)
{
    return transfer(SYS_WRITE, taps, (uint32_t)from, size);
}

void port_exit(int status)
{
    const uint32_t arguments[2] = { APPLICATION_EXIT, (uint32_t)status };

    (void)semihosting(SYS_EXIT_EXTENDED, arguments);
    for (;;) {
    }
}

int main(void)
{
    return bench_main();
}
