/* Convolution: sums of products for a tile of filters and places. */
#ifndef GLYPHLITE_CONVOLUTION_H
#define GLYPHLITE_CONVOLUTION_H
#include "lanes.h"

INLINE void convolve_tile(const int filters, const int places, const lanes *in, const int *offsets, int taps, int stride,
                          const float *weights, int pitch, lanes *out, int out_pitch) {
  lanes sums[FILTER_TILE][PLACE_TILE];
  for (int f = 0; f < filters; f++)
    for (int p = 0; p < places; p++) sums[f][p] = (lanes){0};
  for (int t = 0; t < taps; t++) {
    const lanes *x = in + offsets[t];
    lanes values[PLACE_TILE];
    for (int p = 0; p < places; p++) values[p] = x[p * stride];
    for (int f = 0; f < filters; f++) {
      lanes weight = spread(weights[t * pitch + f]);
      for (int p = 0; p < places; p++) sums[f][p] += weight * values[p];
    }
  }
  for (int f = 0; f < filters; f++)
    for (int p = 0; p < places; p++) out[f * out_pitch + p] = sums[f][p];
}

#define EACH_PLACE(F)                                                                                          \
  if (places == 3) convolve_tile(F, 3, in, offsets, taps, stride, weights, pitch, out, out_pitch);             \
  else if (places == 2) convolve_tile(F, 2, in, offsets, taps, stride, weights, pitch, out, out_pitch);        \
  else convolve_tile(F, 1, in, offsets, taps, stride, weights, pitch, out, out_pitch);                         \
  break;

static void convolve_places(int filters, int places, const lanes *in, const int *offsets, int taps, int stride,
                            const float *weights, int pitch, lanes *out, int out_pitch) {
  switch (filters) {
    case 1: EACH_PLACE(1)
    case 2: EACH_PLACE(2)
    case 3: EACH_PLACE(3)
    case 4: EACH_PLACE(4)
#if FILTER_TILE == 8
    case 5: EACH_PLACE(5)
    case 6: EACH_PLACE(6)
    case 7: EACH_PLACE(7)
    case 8: EACH_PLACE(8)
#endif
  }
}

/* out: [filters][height][width], without room around it; in: the first window's first place. */
static void convolve(const lanes *in, int row_pitch, int stride, const int *offsets, int taps, const float *weights, int filters,
                     int height, int width, lanes *out) {
  for (int y = 0; y < height; y++)
    for (int x = 0, places; x < width; x += places) {
      places = part(width, PLACE_TILE, x);
      const lanes *from = in + y * stride * row_pitch + x * stride;
      for (int f = 0, some; f < filters; f += some) {
        some = part(filters, FILTER_TILE, f);
        convolve_places(some, places, from, offsets, taps, stride, weights + f, filters, out + (f * height + y) * width + x,
                        height * width);
      }
    }
}
#endif
