/* Input: the number of samples and of steps in a sample (little-endian uint32), then the elements; of several inputs
   those of each step follow each other. Output: the elements of the answer of each step. bench_model.h names the model
   and has the variables that its inputs and outputs lie in. */
#include "bench.h"

#include <stdint.h>

#include "bench_model.h"

BENCH_MODEL bench_model;
BENCH_VARIABLES

static int bench_step(void)
{
    if (!(BENCH_READ))
        return 0;
    BENCH_RUN(&bench_model, BENCH_ARGUMENTS);
    return BENCH_WRITE;
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
