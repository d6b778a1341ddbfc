/* The device's half of the serial protocol (docs/protocol.md, version 1): bytes come in one by one, requests
   are answered. No allocation, no files, no variables outside the caller's structure. */
#ifndef EDGETERNARY_PROTOCOL_H
#define EDGETERNARY_PROTOCOL_H

#include <stdint.h>

#include "link.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Before the first byte, once the caller's fields are set. */
void protocol_open(protocol_t *link);

/* Takes a byte from the wire. Returns when the request that it completes has been answered. */
void protocol_receive(protocol_t *link, uint8_t byte);

/* CRC-32 of Ethernet and zlib over more bytes; ~0 to start with, and the result is the complement. */
uint32_t protocol_crc(uint32_t crc, const uint8_t *data, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
