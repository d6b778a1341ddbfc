/* The bench on a computer: bench INPUTS OUTPUTS TAPS. */
#include <stdio.h>

#include "bench.h"

static FILE *input, *output, *taps;

int bench_open(void)
{
    return input != NULL && output != NULL && taps != NULL;
}

int bench_read(void *to, size_t size)
{
    return fread(to, 1, size, input) == size;
}

int bench_write(const void *from, size_t size)
{
    return fwrite(from, 1, size, output) == size;
}

int bench_write_tap(const void *from, size_t size)
{
    return fwrite(from, 1, size, taps) == size;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s INPUTS OUTPUTS TAPS\n", argv[0]);
        return 2;
    }
    input = fopen(argv[1], "rb");
    output = fopen(argv[2], "wb");
    taps = fopen(argv[3], "wb");
    if (bench_main() != 0)
        return 1;
    return fclose(output) != 0 || fclose(taps) != 0;
}
