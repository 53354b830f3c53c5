#include "lgc_png.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lgc_png_reader {
  png_structp png;
  png_infop info;
  const uint8_t *bytes;
  size_t count;
  size_t offset;
  png_bytepp rows;
  char *message;
};

static void fail(png_structp png, png_const_charp text) {
  char *message = *(char **)png_get_error_ptr(png);
  if (message) snprintf(message, LGC_PNG_MESSAGE, "%s", text);
  png_longjmp(png, 1);
}

// Ancillary chunks that are wrong do not change a pixel.
static void ignore(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void supply(png_structp png, png_bytep target, size_t count) {
  lgc_png_reader *reader = png_get_io_ptr(png);
  if (count > reader->count - reader->offset) png_error(png, "the file is cut off");
  memcpy(target, reader->bytes + reader->offset, count);
  reader->offset += count;
}

int lgc_png_open(
    const uint8_t *bytes, size_t count, lgc_png_reader **result, lgc_png_size *size,
    char message[LGC_PNG_MESSAGE]) {
  *result = NULL;
  lgc_png_reader *reader = calloc(1, sizeof *reader);
  if (!reader) {
    snprintf(message, LGC_PNG_MESSAGE, "there is no memory for it");
    return -1;
  }
  reader->bytes = bytes;
  reader->count = count;
  reader->message = message;
  reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader->message, fail, ignore);
  if (reader->png) reader->info = png_create_info_struct(reader->png);
  if (!reader->info) {
    snprintf(message, LGC_PNG_MESSAGE, "libpng does not start");
    lgc_png_close(reader);
    return -1;
  }
  if (setjmp(png_jmpbuf(reader->png))) {
    lgc_png_close(reader);
    return -1;
  }
  png_set_read_fn(reader->png, reader, supply);
  png_read_info(reader->png, reader->info);

  // Grey or RGB of 8 bits: palettes looked up, 1 to 4 bits widened, 16 bits rounded to 8. Alpha is
  // left out, as Pillow's convert("RGB") does; gamma is not touched.
  png_set_expand(reader->png);
  png_set_scale_16(reader->png);
  png_set_strip_alpha(reader->png);
  png_set_interlace_handling(reader->png);
  png_read_update_info(reader->png, reader->info);

  size->width = png_get_image_width(reader->png, reader->info);
  size->height = png_get_image_height(reader->png, reader->info);
  size->channels = png_get_channels(reader->png, reader->info);
  if (png_get_bit_depth(reader->png, reader->info) != 8
      || (size->channels != 1 && size->channels != 3)) {
    png_error(reader->png, "its pixels are of an unknown kind");
  }
  *result = reader;
  return 0;
}

int lgc_png_read(lgc_png_reader *reader, uint8_t *pixels, char message[LGC_PNG_MESSAGE]) {
  reader->message = message;
  if (setjmp(png_jmpbuf(reader->png))) return -1;
  size_t height = png_get_image_height(reader->png, reader->info);
  size_t stride = png_get_rowbytes(reader->png, reader->info);
  reader->rows = malloc(height * sizeof *reader->rows);
  if (!reader->rows) png_error(reader->png, "there is no memory for it");
  for (size_t row = 0; row < height; row++) reader->rows[row] = pixels + row * stride;
  png_read_image(reader->png, reader->rows);
  png_read_end(reader->png, NULL);
  return 0;
}

void lgc_png_close(lgc_png_reader *reader) {
  if (!reader) return;
  if (reader->png) png_destroy_read_struct(&reader->png, &reader->info, NULL);
  free(reader->rows);
  free(reader);
}

typedef struct {
  png_structp png;
  png_infop info;
  uint8_t *bytes;
  size_t count;
  size_t capacity;
  char *message;
} writer;

static void collect(png_structp png, png_bytep source, size_t count) {
  writer *state = png_get_io_ptr(png);
  if (count > state->capacity - state->count) {
    size_t capacity = 2 * (state->count + count) + 1024;
    uint8_t *bytes = realloc(state->bytes, capacity);
    if (!bytes) png_error(png, "there is no memory for it");
    state->bytes = bytes;
    state->capacity = capacity;
  }
  memcpy(state->bytes + state->count, source, count);
  state->count += count;
}

static void flush(png_structp png) { (void)png; }

static int write_all(
    writer *state, uint32_t width, uint32_t height, uint32_t channels, const uint8_t *pixels) {
  static const int types[] = {
      PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  if (setjmp(png_jmpbuf(state->png))) return -1;
  png_set_write_fn(state->png, state, collect, flush);
  png_set_IHDR(
      state->png, state->info, width, height, 8, types[channels - 1], PNG_INTERLACE_NONE,
      PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(state->png, state->info);
  for (size_t row = 0; row < height; row++) {
    png_write_row(state->png, pixels + row * width * channels);
  }
  png_write_end(state->png, state->info);
  return 0;
}

int lgc_png_write(
    uint32_t width, uint32_t height, uint32_t channels, const uint8_t *pixels, uint8_t **bytes,
    size_t *count, char message[LGC_PNG_MESSAGE]) {
  writer state = {.message = message};
  int status = -1;
  state.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &state.message, fail, ignore);
  if (state.png) state.info = png_create_info_struct(state.png);
  if (state.info) {
    status = write_all(&state, width, height, channels, pixels);
  } else {
    snprintf(message, LGC_PNG_MESSAGE, "libpng does not start");
  }
  if (state.png) png_destroy_write_struct(&state.png, &state.info);
  if (status != 0) {
    free(state.bytes);
    return status;
  }
  *bytes = state.bytes;
  *count = state.count;
  return 0;
}
