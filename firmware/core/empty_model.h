/* The bench without a model: what is left of the image when the model is taken out. */
#ifndef EMPTY_MODEL_H
#define EMPTY_MODEL_H

#define EMPTY_INPUT_SIZE 1
#define EMPTY_OUTPUT_SIZE 1

typedef unsigned char empty_in_t;
typedef unsigned char empty_out_t;
typedef struct {
    unsigned char unused;
} empty_t;

void empty_reset(empty_t *model);
void empty_run(empty_t *model, const empty_in_t *in, empty_out_t *out);

#endif
