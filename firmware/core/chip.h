/* What an image needs from the chip that it runs on. board.h, made for the board, holds clock, serial port, pins. */
#ifndef EDGETERNARY_CHIP_H
#define EDGETERNARY_CHIP_H

#include <stdint.h>

/* Of the chip's folder: clock, memory timing, power and pins of the serial port. */
void chip_open(void);

/* Of ports/uart: 8N1, one byte at a time. uart_get waits for one, however long; uart_put for room, which comes. */
void uart_open(void);
void uart_put(uint8_t byte);
uint8_t uart_get(void);

/* Of ports/cortex_m: clocks of the core, modulo 2^32. */
void cycles_open(void);
uint32_t cycles_now(void);

#endif
