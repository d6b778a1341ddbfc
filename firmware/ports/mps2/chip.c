/* Arm's MPS2 and MPS3 boards: the FPGA image has set everything up. */
#include "chip.h"

void chip_open(void)
{
}
