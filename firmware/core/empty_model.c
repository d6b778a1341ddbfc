#include "empty_model.h"

void empty_reset(empty_t *model)
{
    (void)model;
}

void empty_run(empty_t *model, const empty_in_t *in, empty_out_t *out)
{
    (void)model;
    (void)in;
    (void)out;
}
