#include "header.h"

#include "image.h"

__attribute__((section(".header"), used)) const volatile header_t header = {
    .magic = { 'e', 'd', 'g', 'e', 't', 'e', 'r', 'n' },
    .version = 1u,
    .size = sizeof header,
    .board = IMAGE_BOARD,
    .model = IMAGE_MODEL_NAME,
};
