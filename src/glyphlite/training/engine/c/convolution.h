/* Convolution: sums of products for a tile of filters and places. */
#ifndef GLYPHLITE_CONVOLUTION_H
#define GLYPHLITE_CONVOLUTION_H
#include "lanes.h"

/* Where the weight of a tap and a filter lies, where tiles have at most so many filters: [tile][tap][filter of the tile]. */
static int weight_place(int taps, int filters, int tile, int tap, int filter) {
  int first = 0, some = part(filters, tile, 0);
  while (first + some <= filter) first += some, some = part(filters, tile, first);
  return first * taps + tap * some + filter - first;
}

INLINE void convolve_tile(const int filters, const int places, const int stride, const lanes *in, const int *offsets, int taps,
                          const float *weights, lanes *out, int plane) {
  lanes sums[DENSE_TILE][PLACE_TILE];
  for (int f = 0; f < filters; f++)
    for (int p = 0; p < places; p++) sums[f][p] = (lanes){0};
  for (int t = 0; t < taps; t++) {
    const lanes *x = in + offsets[t];
    for (int p = 0; p < places; p++)
      for (int f = 0; f < filters; f++) sums[f][p] += spread(weights[t * filters + f]) * x[p * stride];
  }
  for (int f = 0; f < filters; f++)
    for (int p = 0; p < places; p++) out[f * plane + p] = sums[f][p];
}

/* Brings inputs of some taps into a cache, and the places of a tile's sums. */
INLINE void fetch_tile(const int filters, const int places, const lanes *in, const int *offsets, int taps, const lanes *out,
                       int plane) {
  const int line = ALIGNMENT / (int)sizeof(lanes);
  for (int t = 0; t < taps; t++)
    for (int p = 0; p < places; p += line) __builtin_prefetch(in + offsets[t] + p);
  for (int f = 0; f < filters; f++)
    for (int p = 0; p < places; p += line) __builtin_prefetch(out + f * plane + p, 1);
}

/* Some tiles of as many filters each; with each, some of the inputs of the tiles of the next places are fetched. */
static void convolve_tiles(int tiles, int filters, int places, int stride, const lanes *in, const int *offsets, int taps,
                           int fetched, const float *weights, lanes *out, int plane) {
  const int fetched_each = (fetched + tiles - 1) / tiles;
  int first = 0;
#define TILE(F, P)                                                                                    \
  case F * 16 + P:                                                                                    \
    for (int i = 0; i < tiles; i++, weights += F * taps, out += F * plane) {                          \
      const int some = first + fetched_each < fetched ? fetched_each : fetched - first;               \
      fetch_tile(F, P, in + P, offsets + first, some, out, plane), first += some;                     \
      if (stride == 1) convolve_tile(F, P, 1, in, offsets, taps, weights, out, plane);                \
      else convolve_tile(F, P, stride, in, offsets, taps, weights, out, plane);                       \
    }                                                                                                 \
    break;
  switch (filters * 16 + places) {
#if FILTER_TILE == 8
#define TILES(F) TILE(F, 1) TILE(F, 2) TILE(F, 3)
    TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6) TILES(7) TILES(8)
#else
#define TILES(F) TILE(F, 1) TILE(F, 2) TILE(F, 3) TILE(F, 4) TILE(F, 5) TILE(F, 6)
    TILES(1) TILES(2) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1) TILE(7, 1) TILE(8, 1)
#endif
  }
#undef TILES
#undef TILE
}

/* fetched: the taps whose inputs are fetched before they are needed, where each reads a row of its own.
 * out: [filters][height][width], a plane for each filter; in: the first window's first place. */
static void convolve(const lanes *in, int row_pitch, int stride, const int *offsets, int taps, const float *weights, int filters,
                     int tile, int fetched, int height, int width, lanes *out, int plane) {
  for (int y = 0; y < height; y++)
    for (int x = 0, places; x < width; x += places) {
      places = part(width, PLACE_TILE, x);
      const lanes *from = in + y * stride * row_pitch + x * stride;
      for (int f = 0, tiles; f < filters; f += tiles * part(filters, tile, f)) {
        tiles = equal_parts(filters, tile, f);
        convolve_tiles(tiles, part(filters, tile, f), places, stride, from, offsets, taps, f ? 0 : fetched, weights + f * taps,
                       out + f * plane + y * width + x, plane);
      }
    }
}
#endif
