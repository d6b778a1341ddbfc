/* The header of an image, which follows its vector table: which board it is for, which model it holds, and the SHA-256
   of the whole image with the digest itself taken as zeros. `compile` fills in length and digest. */
#ifndef EDGETERNARY_HEADER_H
#define EDGETERNARY_HEADER_H

#include <stdint.h>

typedef struct {
    char magic[8];
    uint16_t version, size; /* 1, and the bytes of this structure */
    uint32_t length; /* of the image, from its first byte in flash to the last one */
    uint8_t digest[32];
    char board[32], model[48]; /* filled up with zeros; a longer name of a model is cut */
} header_t;

extern const volatile header_t header;

#endif
