#ifndef LGC_PNG_H
#define LGC_PNG_H

#include <stddef.h>
#include <stdint.h>

// libpng behind functions that return: its errors are longjmps, which must not cross a frame of
// Swift. Each function returns 0, or −1 with the reason in `message`.

#define LGC_PNG_MESSAGE 160

typedef struct lgc_png_reader lgc_png_reader;

typedef struct {
  uint32_t width;
  uint32_t height;
  // 1 (grey) or 3 (RGB), eight bits each, whatever the file holds.
  uint32_t channels;
} lgc_png_size;

// Reads the header of the file in `bytes`, which must outlive the reader.
int lgc_png_open(
    const uint8_t *bytes, size_t count, lgc_png_reader **reader, lgc_png_size *size,
    char message[LGC_PNG_MESSAGE]);

// All pixels, row after row, and the rest of the file. Once for each reader.
int lgc_png_read(lgc_png_reader *reader, uint8_t *pixels, char message[LGC_PNG_MESSAGE]);

void lgc_png_close(lgc_png_reader *reader);

// A file of 8 bits per channel: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. The caller frees
// `bytes`.
int lgc_png_write(
    uint32_t width, uint32_t height, uint32_t channels, const uint8_t *pixels, uint8_t **bytes,
    size_t *count, char message[LGC_PNG_MESSAGE]);

#endif
