/* A bench runs a model on samples that a port reads from somewhere, and hands the answers back. */
#ifndef EDGETERNARY_BENCH_H
#define EDGETERNARY_BENCH_H

#include <stddef.h>

/* Supplied by the port. bench_read returns 1 when it filled all `size` bytes, 0 otherwise. */
int bench_open(void);
int bench_read(void *to, size_t size);
int bench_write(const void *from, size_t size);
int bench_write_tap(const void *from, size_t size);

/* Runs all samples; 0 when every byte was read and written. */
int bench_main(void);

#endif
