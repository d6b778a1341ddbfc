/* What an image needs from the board it runs on. */
#ifndef EDGETERNARY_PORT_H
#define EDGETERNARY_PORT_H

#include <stdint.h>

void port_print(const char *text);
void port_print_hex(uint32_t value);
void port_exit(int status);

#endif
