/* Input: the number of samples and of steps in a sample (little-endian uint32), then the elements.
   Output: the elements of the answer of each step. bench_model.h names the model. */
#include "bench.h"

#include <stdint.h>

#include "bench_model.h"

BENCH_MODEL bench_model;
BENCH_IN bench_input[BENCH_IN_SIZE];
BENCH_OUT bench_output[BENCH_OUT_SIZE];

static int bench_step(void)
{
    if (!bench_read(bench_input, sizeof bench_input))
        return 0;
    BENCH_RUN(&bench_model, bench_input, bench_output);
    return bench_write(bench_output, sizeof bench_output);
}

int bench_main(void)
{
    uint32_t counts[2];

    if (!bench_open() || !bench_read(counts, sizeof counts))
        return 1;
    for (uint32_t sample = 0; sample < counts[0]; sample++) {
        BENCH_RESET(&bench_model);
        for (uint32_t step = 0; step < counts[1]; step++)
            if (!bench_step())
                return 1;
    }
    return 0;
}
