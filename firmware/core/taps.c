/* Writes each tapped value to the port. bench_taps.h holds the size of each tap in bytes. */
#include "bench.h"
#include "bench_taps.h"

void edgeternary_tap(unsigned index, const void *value);

void edgeternary_tap(unsigned index, const void *value)
{
    (void)bench_write_tap(value, bench_tap_bytes[index]);
}
