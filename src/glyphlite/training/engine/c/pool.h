/* Max pooling of one channel, and the way back. */
#ifndef GLYPHLITE_POOL_H
#define GLYPHLITE_POOL_H
#include "net.h"

static void pool_forward(const layer *l, const lanes *in, lanes *out) {
  int size = l->d.window_height;
  for (int y = 0; y < l->d.out_height; y++)
    for (int x = 0; x < l->d.out_width; x++) {
      const lanes *from = in + y * size * l->d.width + x * size;
      lanes most = from[0];
      for (int i = 0; i < size; i++)
        for (int j = 0; j < size; j++) most = at_least(most, from[i * l->d.width + j]);
      out[y * l->d.out_width + x] = most;
    }
}

static void pool_backward(const layer *l, const lanes *in, const lanes *gradient, lanes *out) {
  int size = l->d.window_height;
  memset(out, 0, l->places * sizeof(lanes));
  for (int y = 0; y < l->d.out_height; y++)
    for (int x = 0; x < l->d.out_width; x++) {
      int first = y * size * l->d.width + x * size;
      lanes most = in[first], left = gradient[y * l->d.out_width + x];
      for (int i = 0; i < size; i++)
        for (int j = 0; j < size; j++) most = at_least(most, in[first + i * l->d.width + j]);
      for (int i = 0; i < size; i++) /* to the first of the largest alone */
        for (int j = 0; j < size; j++) {
          masks here = in[first + i * l->d.width + j] == most;
          out[first + i * l->d.width + j] = keep(here, left);
          left = keep(~here, left);
        }
    }
}
#endif
