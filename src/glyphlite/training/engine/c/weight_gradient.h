/* The gradient of a convolution's weights: every tap's inputs times every filter's gradients, over all places. */
#ifndef GLYPHLITE_WEIGHT_GRADIENT_H
#define GLYPHLITE_WEIGHT_GRADIENT_H
#include "lanes.h"

INLINE void gradient_tile(const int taps, const int filters, const lanes *in, const int *offsets, int in_pitch, int stride,
                          const lanes *gradient, int plane, int pitch, int step, int height, int width, lanes *into,
                          int into_pitch) {
  lanes sums[TAP_TILE][GRADIENT_TILE];
  for (int t = 0; t < taps; t++)
    for (int f = 0; f < filters; f++) sums[t][f] = into[t * into_pitch + f];
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      lanes inputs[TAP_TILE];
      for (int t = 0; t < taps; t++) inputs[t] = in[offsets[t] + y * stride * in_pitch + x * stride];
      for (int f = 0; f < filters; f++) {
        lanes slope = gradient[f * plane + y * step * pitch + x * step];
        for (int t = 0; t < taps; t++) sums[t][f] += inputs[t] * slope;
      }
    }
  for (int t = 0; t < taps; t++)
    for (int f = 0; f < filters; f++) into[t * into_pitch + f] = sums[t][f];
}

#define GRADIENT(T, F) gradient_tile(T, F, in, offsets, in_pitch, stride, gradient, plane, pitch, step, height, width, into, into_pitch)
#if TAP_TILE == 4
#define EACH_TAP(F)              \
  if (taps == 4) GRADIENT(4, F); \
  else if (taps == 3) GRADIENT(3, F); \
  else if (taps == 2) GRADIENT(2, F); \
  else GRADIENT(1, F);           \
  break;
#else
#define EACH_TAP(F)              \
  if (taps == 3) GRADIENT(3, F); \
  else if (taps == 2) GRADIENT(2, F); \
  else GRADIENT(1, F);           \
  break;
#endif

static void gradient_places(int taps, int filters, const lanes *in, const int *offsets, int in_pitch, int stride,
                            const lanes *gradient, int plane, int pitch, int step, int height, int width, lanes *into,
                            int into_pitch) {
  switch (filters) {
    case 1: EACH_TAP(1)
    case 2: EACH_TAP(2)
    case 3: EACH_TAP(3)
    case 4: EACH_TAP(4)
#if GRADIENT_TILE == 6
    case 5: EACH_TAP(5)
    case 6: EACH_TAP(6)
#endif
  }
}
#endif
