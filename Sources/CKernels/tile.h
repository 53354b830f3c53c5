#pragma once
#include "include/tiles.h"

/* Runs the instructions over the first n numbers of the tiles that the operands stand for, rows of
 * `columns` numbers. */
void lgc_tile_run(
    const lgc_instruction *instructions, int count, float *const *tiles, int n, int columns);
