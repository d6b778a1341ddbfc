/* One end of the serial protocol, which protocol.c keeps, and what the device supplies. */
#ifndef EDGETERNARY_LINK_H
#define EDGETERNARY_LINK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PROTOCOL_HEAD 2u /* bytes before the body of a request: version and kind, tag */
#define PROTOCOL_TAIL 4u /* the CRC that follows it */
#define PROTOCOL_ECHO 32u /* bytes that an echo may have at least */

/* Bytes that the longest request of a device takes, whose inputs have `input` bytes. */
#define PROTOCOL_ROOM(input) (PROTOCOL_HEAD + PROTOCOL_TAIL + ((input) > PROTOCOL_ECHO ? (input) : PROTOCOL_ECHO))

typedef struct {
    /* Set by the caller. */
    uint8_t *frame; /* room for a request; its body, PROTOCOL_HEAD bytes further on, is an input as it is */
    uint32_t room; /* PROTOCOL_ROOM of the input */
    const uint8_t *hello; /* the body of the reply to hello */
    uint32_t hello_size;
    uint32_t input_size, answer_size; /* bytes */
    uint32_t counts; /* cycle counts: of the whole, then of the layers */

    /* Of protocol.c. */
    uint32_t length; /* decoded bytes of the frame so far; room + 1 stands for more */
    uint32_t crc; /* of all of them */
    uint8_t code, left; /* of the COBS block that comes in: its first byte, 0 before any; its bytes to come */
    uint32_t reply_crc;
    uint8_t filled; /* bytes of the COBS block that goes out */
    uint8_t block[254];
} protocol_t;

/* Supplied by the device. device_run returns the answer, or NULL when it has none (status 4). */
void device_put(protocol_t *link, uint8_t byte);
const uint8_t *device_run(protocol_t *link, const uint8_t *input);
void device_reset(protocol_t *link);
uint32_t device_count(const protocol_t *link, uint32_t index);

#ifdef __cplusplus
}
#endif

#endif
