/* COBS, CRC-32 and messages of docs/protocol.md. What this file assumes of a frame is checked here: a request
   acts only when its CRC is right and its length is the one that its kind has. */
#include "protocol.h"

#include <stddef.h>

enum { VERSION = 1, REPLY = 0x80 };
enum { REFUSED = 0, HELLO = 1, RUN = 2, RESET = 3, CYCLES = 4, ECHO = 5 };
enum { OK = 0, DAMAGED = 1, LENGTH = 2, UNKNOWN = 3, FAILED = 4 };

#define BODILESS (PROTOCOL_HEAD + PROTOCOL_TAIL)
#define FULL 0xffu /* the code of a COBS block of 254 bytes, after which no zero was cut out */
#define RIGHT 0xdebb20e3u /* the CRC register after a message and its own CRC, whatever the message */

/* Four bits at a time, the low ones first: table[i] is i shifted out through the polynomial 0xedb88320. */
static uint32_t crc_byte(uint32_t crc, uint8_t byte)
{
    static const uint32_t table[16] = {
        0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u, 0x4db26158u, 0x5005713cu,
        0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu, 0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu,
    };

    crc ^= byte;
    crc = (crc >> 4) ^ table[crc & 15u];
    return (crc >> 4) ^ table[crc & 15u];
}

uint32_t protocol_crc(uint32_t crc, const uint8_t *data, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        crc = crc_byte(crc, data[i]);
    return crc;
}

static void put_block(protocol_t *link)
{
    device_put(link, (uint8_t)(link->filled + 1u));
    for (uint32_t i = 0; i < link->filled; i++)
        device_put(link, link->block[i]);
    link->filled = 0;
}

/* A byte of a reply, or of its CRC: COBS cuts the data after each zero and after 254 bytes without one. */
static void put_cobs(protocol_t *link, uint8_t byte)
{
    if (byte != 0u)
        link->block[link->filled++] = byte;
    if (byte == 0u || link->filled == sizeof link->block)
        put_block(link);
}

static void put_bytes(protocol_t *link, const uint8_t *data, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        link->reply_crc = crc_byte(link->reply_crc, data[i]);
        put_cobs(link, data[i]);
    }
}

static void put_word(protocol_t *link, uint32_t word)
{
    const uint8_t bytes[4] = {
        (uint8_t)(word & 0xffu), (uint8_t)((word >> 8) & 0xffu), (uint8_t)((word >> 16) & 0xffu), (uint8_t)(word >> 24)
    };

    put_bytes(link, bytes, sizeof bytes);
}

static void begin_reply(protocol_t *link, unsigned kind, unsigned status)
{
    const uint8_t tag = link->length >= PROTOCOL_HEAD ? link->frame[1] : 0u;
    const uint8_t head[3] = { (uint8_t)(REPLY | VERSION << 4 | kind), tag, (uint8_t)status };

    device_put(link, 0u);
    link->filled = 0;
    link->reply_crc = ~0u;
    put_bytes(link, head, sizeof head);
}

static void end_reply(protocol_t *link)
{
    put_word(link, ~link->reply_crc);
    put_block(link);
    device_put(link, 0u);
}

static void reply(protocol_t *link, unsigned kind, unsigned status, const uint8_t *body, uint32_t size)
{
    begin_reply(link, kind, status);
    put_bytes(link, body, size);
    end_reply(link);
}

static void reply_cycles(protocol_t *link)
{
    begin_reply(link, CYCLES, OK);
    for (uint32_t i = 0; i < link->counts; i++)
        put_word(link, device_count(link, i));
    end_reply(link);
}

/* The number of bytes that a request of this kind has, for an echo the most. 0 for an unknown kind. */
static uint32_t proper(const protocol_t *link, unsigned kind)
{
    switch (kind) {
    case VERSION << 4 | RUN:
        return BODILESS + link->input_size;
    case VERSION << 4 | ECHO:
        return link->room;
    case VERSION << 4 | HELLO:
    case VERSION << 4 | RESET:
    case VERSION << 4 | CYCLES:
        return BODILESS;
    default:
        return 0;
    }
}

static void act(protocol_t *link, unsigned kind)
{
    const uint8_t *body = link->frame + PROTOCOL_HEAD, *answer;

    switch (kind) {
    case HELLO:
        reply(link, kind, OK, link->hello, link->hello_size);
        break;
    case RUN:
        answer = device_run(link, body);
        reply(link, kind, answer ? OK : FAILED, answer, answer ? link->answer_size : 0u);
        break;
    case RESET:
        device_reset(link);
        reply(link, kind, OK, NULL, 0u);
        break;
    case CYCLES:
        reply_cycles(link);
        break;
    default:
        reply(link, ECHO, OK, body, link->length - BODILESS);
        break;
    }
}

/* A zero came: what lies in the frame is all there will be. */
static void end_of_frame(protocol_t *link)
{
    const unsigned first = link->length > 0u ? link->frame[0] : 0u, kind = first & 15u;
    const uint32_t size = proper(link, first);

    if (link->left != 0u || link->length < BODILESS || link->crc != RIGHT)
        reply(link, REFUSED, DAMAGED, NULL, 0u);
    else if (size == 0u)
        reply(link, kind, UNKNOWN, NULL, 0u);
    else if (kind == ECHO ? link->length > size : link->length != size)
        reply(link, kind, LENGTH, NULL, 0u);
    else
        act(link, kind);
}

/* A decoded byte. What finds no room is counted as one byte, and takes part in the CRC. */
static void keep(protocol_t *link, uint8_t byte)
{
    link->crc = crc_byte(link->crc, byte);
#ifndef PROTOCOL_PLANTED_FAULT /* which the fuzzer has to find */
    if (link->length < link->room)
#endif
        link->frame[link->length] = byte;
    if (link->length <= link->room)
        link->length++;
}

void protocol_open(protocol_t *link)
{
    link->length = 0;
    link->crc = ~0u;
    link->code = link->left = 0;
}

void protocol_receive(protocol_t *link, uint8_t byte)
{
    if (byte == 0u) {
        if (link->code != 0u)
            end_of_frame(link);
        protocol_open(link);
    } else if (link->left != 0u) {
        keep(link, byte);
        link->left--;
    } else {
        if (link->code != 0u && link->code != FULL)
            keep(link, 0u);
        link->code = byte;
        link->left = (uint8_t)(byte - 1u);
    }
}
