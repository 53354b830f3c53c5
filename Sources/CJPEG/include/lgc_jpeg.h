#ifndef LGC_JPEG_H
#define LGC_JPEG_H

#include <stddef.h>
#include <stdint.h>

// libjpeg behind functions that return: its errors are longjmps, which must not cross a frame of
// Swift. Each function returns 0, or −1 with the reason in `message`.

#define LGC_JPEG_MESSAGE 256

typedef struct lgc_jpeg_reader lgc_jpeg_reader;

typedef struct {
  uint32_t width;
  uint32_t height;
  // 1 (grey) or 3 (RGB).
  uint32_t channels;
} lgc_jpeg_size;

// Reads the header of the file in `bytes`, which must outlive the reader.
int lgc_jpeg_open(
    const uint8_t *bytes, size_t count, lgc_jpeg_reader **reader, lgc_jpeg_size *size,
    char message[LGC_JPEG_MESSAGE]);

// All pixels, row after row. Once for each reader.
int lgc_jpeg_read(lgc_jpeg_reader *reader, uint8_t *pixels, char message[LGC_JPEG_MESSAGE]);

void lgc_jpeg_close(lgc_jpeg_reader *reader);

#endif
