/* Depthwise convolution, a row of places of one channel, and the gradient of its weights. */
#ifndef GLYPHLITE_DEPTHWISE_H
#define GLYPHLITE_DEPTHWISE_H
#include "lanes.h"

INLINE void depthwise_tile(const int places, const lanes *in, int row_pitch, int stride, const float *weights, int window_height,
                           int window_width, lanes *out) {
  lanes sums[ROW_TILE];
  for (int p = 0; p < places; p++) sums[p] = (lanes){0};
  for (int i = 0; i < window_height; i++)
    for (int j = 0; j < window_width; j++) {
      lanes weight = spread(weights[i * window_width + j]);
      for (int p = 0; p < places; p++) sums[p] += weight * in[i * row_pitch + p * stride + j];
    }
  for (int p = 0; p < places; p++) out[p] = sums[p];
}

static void depthwise(const lanes *in, int row_pitch, int stride, const float *weights, int window_height, int window_width,
                      int height, int width, lanes *out) {
#define ROW(P) \
  case P: depthwise_tile(P, from, row_pitch, stride, weights, window_height, window_width, to); break;
  for (int y = 0; y < height; y++)
    for (int x = 0, places; x < width; x += places) {
      places = part(width, ROW_TILE, x);
      const lanes *from = in + y * stride * row_pitch + x * stride;
      lanes *to = out + y * width + x;
      switch (places) { ROW(1) ROW(2) ROW(3) ROW(4) ROW(5) ROW(6) ROW(7) }
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
