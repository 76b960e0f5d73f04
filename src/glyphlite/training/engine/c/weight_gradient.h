/* The gradient of a convolution's weights: every tap's inputs times every filter's gradients, over all places. */
#ifndef GLYPHLITE_WEIGHT_GRADIENT_H
#define GLYPHLITE_WEIGHT_GRADIENT_H
#include "net.h"

/* Two maps that go together place by place: a layer's inputs and the gradients of its sums. */
typedef struct {
  const lanes *in, *gradient;
  const int *offsets; /* of each tap's inputs */
  int in_pitch, stride, plane, pitch, step;
} pair;

INLINE void gradient_tile(const int taps, const int filters, const int stride, const int step, const pair *m, int height,
                          int width, lanes *into, int into_pitch) {
  lanes sums[TAP_TILE][GRADIENT_TILE];
  for (int t = 0; t < taps; t++)
    for (int f = 0; f < filters; f++) sums[t][f] = into[t * into_pitch + f];
  for (int y = 0; y < height; y++) {
    const lanes *in[TAP_TILE], *gradient[GRADIENT_TILE];
    for (int t = 0; t < taps; t++) in[t] = m->in + m->offsets[t] + y * stride * m->in_pitch;
    for (int f = 0; f < filters; f++) gradient[f] = m->gradient + f * m->plane + y * step * m->pitch;
    for (ptrdiff_t x = 0; x < width; x++) {
      lanes inputs[TAP_TILE];
      for (int t = 0; t < taps; t++) inputs[t] = in[t][x * stride];
      for (int f = 0; f < filters; f++) {
        lanes slope = gradient[f][x * step];
        for (int t = 0; t < taps; t++) sums[t][f] += inputs[t] * slope;
      }
    }
  }
  for (int t = 0; t < taps; t++)
    for (int f = 0; f < filters; f++) into[t * into_pitch + f] = sums[t][f];
}

/* Some tiles of as many taps each. */
static void gradient_tiles(int tiles, int taps, int filters, pair m, int height, int width, lanes *into, int into_pitch) {
#define TILE(T, F)                                                                                       \
  case T * 16 + F:                                                                                       \
    for (int i = 0; i < tiles; i++, m.offsets += T, into += T * into_pitch)                              \
      if (m.stride == 1 && m.step == 1) gradient_tile(T, F, 1, 1, &m, height, width, into, into_pitch);  \
      else gradient_tile(T, F, m.stride, m.step, &m, height, width, into, into_pitch);                   \
    break;
  switch (taps * 16 + filters) {
#if GRADIENT_TILE == 6
#define TILES(T) TILE(T, 1) TILE(T, 2) TILE(T, 3) TILE(T, 4) TILE(T, 5) TILE(T, 6)
    TILES(4)
#else
#define TILES(T) TILE(T, 1) TILE(T, 2) TILE(T, 3) TILE(T, 4)
#endif
    TILES(1) TILES(2) TILES(3)
  }
#undef TILES
#undef TILE
}

/* Adds to into [tap][filter] what some places give; a few at a time, so that the gradients of a tile of filters stay in L1 while
 * the inputs of all taps pass by. */
static void weight_gradients(pair m, int taps, int filters, int height, int width, lanes *into) {
  const int most_rows = width < CHUNK_PLACES ? CHUNK_PLACES / width : 1;
  for (int y = 0, rows; y < height; y += rows) {
    rows = part(height, most_rows, y);
    for (int x = 0, places; x < width; x += places) {
      places = part(width, height == 1 ? CHUNK_PLACES : width, x);
      for (int f = 0, some; f < filters; f += some) {
        some = part(filters, GRADIENT_TILE, f);
        pair tile = m;
        tile.gradient += f * m.plane + y * m.step * m.pitch + x * m.step;
        tile.in += y * m.stride * m.in_pitch + x * m.stride;
        for (int t = 0, tiles; t < taps; t += tiles * part(taps, TAP_TILE, t)) {
          tiles = equal_parts(taps, TAP_TILE, t), tile.offsets = m.offsets + t;
          gradient_tiles(tiles, part(taps, TAP_TILE, t), some, tile, rows, places, into + t * filters + f, filters);
        }
      }
    }
  }
}
#endif
