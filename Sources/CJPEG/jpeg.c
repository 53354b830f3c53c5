#include "lgc_jpeg.h"

#include <stdio.h>

#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>

// A progressive file may repeat its scans without end; those that encoders write have about ten.
enum { most_scans = 500 };

struct lgc_jpeg_reader {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf back;
  char *message;
};

static void fail(j_common_ptr jpeg) {
  lgc_jpeg_reader *reader = jpeg->client_data;
  char text[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, text);
  snprintf(reader->message, LGC_JPEG_MESSAGE, "%s", text);
  longjmp(reader->back, 1);
}

// libjpeg's warnings are corrupt or missing data that it fills with grey: errors here.
static void note(j_common_ptr jpeg, int level) {
  if (level < 0) fail(jpeg);
}

static void print(j_common_ptr jpeg) { (void)jpeg; }

static void watch(j_common_ptr jpeg) {
  lgc_jpeg_reader *reader = jpeg->client_data;
  if (reader->jpeg.input_scan_number <= most_scans) return;
  snprintf(reader->message, LGC_JPEG_MESSAGE, "it has more than %d scans", most_scans);
  longjmp(reader->back, 1);
}

int lgc_jpeg_open(
    const uint8_t *bytes, size_t count, lgc_jpeg_reader **result, lgc_jpeg_size *size,
    char message[LGC_JPEG_MESSAGE]) {
  *result = NULL;
  lgc_jpeg_reader *reader = calloc(1, sizeof *reader);
  if (!reader) {
    snprintf(message, LGC_JPEG_MESSAGE, "there is no memory for it");
    return -1;
  }
  reader->message = message;
  reader->jpeg.err = jpeg_std_error(&reader->errors);
  reader->errors.error_exit = fail;
  reader->errors.emit_message = note;
  reader->errors.output_message = print;
  reader->jpeg.client_data = reader;
  if (setjmp(reader->back)) {
    lgc_jpeg_close(reader);
    return -1;
  }
  jpeg_create_decompress(&reader->jpeg);
  reader->progress.progress_monitor = watch;
  reader->jpeg.progress = &reader->progress;
  jpeg_mem_src(&reader->jpeg, bytes, count);
  jpeg_read_header(&reader->jpeg, TRUE);
  switch (reader->jpeg.jpeg_color_space) {
  case JCS_GRAYSCALE:
    reader->jpeg.out_color_space = JCS_GRAYSCALE;
    break;
  case JCS_RGB:
  case JCS_YCbCr:
    reader->jpeg.out_color_space = JCS_RGB;
    break;
  default:
    snprintf(
        message, LGC_JPEG_MESSAGE, "its colours are neither grey nor RGB (CMYK, for printing?)");
    lgc_jpeg_close(reader);
    return -1;
  }
  size->width = reader->jpeg.image_width;
  size->height = reader->jpeg.image_height;
  size->channels = reader->jpeg.out_color_space == JCS_GRAYSCALE ? 1 : 3;
  *result = reader;
  return 0;
}

int lgc_jpeg_read(lgc_jpeg_reader *reader, uint8_t *pixels, char message[LGC_JPEG_MESSAGE]) {
  reader->message = message;
  if (setjmp(reader->back)) return -1;
  jpeg_start_decompress(&reader->jpeg);
  size_t stride = (size_t)reader->jpeg.output_width * reader->jpeg.output_components;
  while (reader->jpeg.output_scanline < reader->jpeg.output_height) {
    JSAMPROW row = pixels + reader->jpeg.output_scanline * stride;
    jpeg_read_scanlines(&reader->jpeg, &row, 1);
  }
  jpeg_finish_decompress(&reader->jpeg);
  return 0;
}

void lgc_jpeg_close(lgc_jpeg_reader *reader) {
  if (!reader) return;
  jpeg_destroy_decompress(&reader->jpeg);
  free(reader);
}
