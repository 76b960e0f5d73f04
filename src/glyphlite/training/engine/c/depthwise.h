/* Depthwise convolution, a row of places of one channel, and the gradient of its weights. */
#ifndef GLYPHLITE_DEPTHWISE_H
#define GLYPHLITE_DEPTHWISE_H
#include "lanes.h"

/* What one row of inputs adds to the sums of one row of places, or of two below each other. */
INLINE void add_input_row(const int is_upper, const int is_lower, const int places, const int stride, const lanes *in,
                          const float *upper, const float *lower, const int window_width, lanes sums[2][ROW_TILE]) {
  for (int j = 0; j < window_width; j++) {
    READ_AGAIN;
    for (int p = 0; p < places; p++) {
      lanes value = in[p * stride + j];
      if (is_upper) sums[0][p] += spread(upper[j]) * value;
      if (is_lower) sums[1][p] += spread(lower[j]) * value;
    }
  }
}

INLINE void depthwise_tile(const int rows, const int places, const int stride, const lanes *in, int row_pitch, const float *weights,
                           const int window_height, const int window_width, lanes *out, int out_pitch) {
  lanes sums[2][ROW_TILE];
  for (int r = 0; r < rows; r++)
    for (int p = 0; p < places; p++) sums[r][p] = (lanes){0};
  add_input_row(1, 0, places, stride, in, weights, NULL, window_width, sums);
  for (int i = 1; i < window_height; i++, weights += window_width)
    add_input_row(1, rows == 2, places, stride, in + i * row_pitch, weights + window_width, weights, window_width, sums);
  if (rows == 2) add_input_row(0, 1, places, stride, in + window_height * row_pitch, NULL, weights, window_width, sums);
  for (int r = 0; r < rows; r++)
    for (int p = 0; p < places; p++) out[r * out_pitch + p] = sums[r][p];
}

static void depthwise(const lanes *in, int row_pitch, int stride, const float *weights, int window_height, int window_width,
                      int height, int width, lanes *out) {
  const int is_usual = stride == 1 && window_height == 3 && window_width == 3;
#define ROW(P)                                                                                                    \
  case P:                                                                                                         \
    if (rows == 2) depthwise_tile(2, P, 1, from, row_pitch, weights, 3, 3, to, width);                            \
    else depthwise_tile(1, P, stride, from, row_pitch, weights, window_height, window_width, to, width);          \
    break;
  for (int y = 0, rows; y < height; y += rows) {
    rows = is_usual && y + 1 < height ? 2 : 1;
    for (int x = 0, places; x < width; x += places) {
      places = part(width, ROW_TILE, x);
      const lanes *from = in + y * stride * row_pitch + x * stride;
      lanes *to = out + y * width + x;
      switch (places) { ROW(1) ROW(2) ROW(3) ROW(4) ROW(5) ROW(6) EACH_LONGER_ROW }
    }
  }
#undef ROW
}

INLINE void depthwise_gradient(const int window_height, const int window_width, const lanes *in, int in_pitch, int stride,
                               const lanes *gradient, int pitch, int step, int height, int width, lanes *into) {
  lanes sums[9];
  for (int t = 0; t < window_height * window_width; t++) sums[t] = into[t];
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      lanes slope = gradient[y * step * pitch + x * step];
      for (int i = 0; i < window_height; i++)
        for (int j = 0; j < window_width; j++)
          sums[i * window_width + j] += slope * in[(y * stride + i) * in_pitch + x * stride + j];
    }
  for (int t = 0; t < window_height * window_width; t++) into[t] = sums[t];
}

static void depthwise_weights(int window_height, int window_width, const lanes *in, int in_pitch, int stride,
                              const lanes *gradient, int pitch, int step, int height, int width, lanes *into) {
  if (window_height == 3 && window_width == 3)
    depthwise_gradient(3, 3, in, in_pitch, stride, gradient, pitch, step, height, width, into);
  else
    for (int i = 0; i < window_height; i++)
      for (int j = 0; j < window_width; j++)
        depthwise_gradient(1, 1, in + i * in_pitch + j, in_pitch, stride, gradient, pitch, step, height, width,
                           into + i * window_width + j);
}
#endif
