/* A vector of one number of each image of a block, and what the tiles of sums are made of. */
#ifndef GLYPHLITE_LANES_H
#define GLYPHLITE_LANES_H
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __AVX512F__
#define LANES 16
#define FILTER_TILE 8 /* 8 x 3 sums, 3 inputs and a weight: 28 of 32 registers */
#define PLACE_TILE 3
#define TAP_TILE 4
#define GRADIENT_TILE 6
#define ROW_TILE 7
#else
#define LANES 8
#define FILTER_TILE 4 /* 4 x 3 sums, 3 inputs and a weight: 16 registers */
#define PLACE_TILE 3
#define TAP_TILE 3
#define GRADIENT_TILE 4
#define ROW_TILE 7
#endif
#define GROUP_IMAGES 32
#define GROUP_BLOCKS (GROUP_IMAGES / LANES)
#define INLINE static inline __attribute__((always_inline))
#define ALIGNMENT 64
#define HUGE_PAGE ((size_t)2 << 20)
#define MOST_THREADS 64

typedef float lanes __attribute__((vector_size(LANES * 4)));
typedef int32_t masks __attribute__((vector_size(LANES * 4)));

INLINE lanes spread(float value) { return value - (lanes){0}; }
INLINE lanes keep(masks where, lanes values) { return (lanes)((masks)values & where); }
INLINE lanes choose(masks where, lanes yes, lanes no) { return (lanes)(((masks)yes & where) | ((masks)no & ~where)); }
/* Of a value that is no number the value: a training that diverges shall be seen to. */
INLINE lanes at_least(lanes value, lanes low) { return choose(value < low, low, value); }
INLINE lanes at_most(lanes value, lanes high) { return choose(value > high, high, value); }

INLINE float added(lanes values) {
  float sum = 0;
  for (int i = 0; i < LANES; i++) sum += values[i];
  return sum;
}

/* The size of the n-th of as few parts as possible of at most `most`, as equal as can be. */
INLINE int part(int whole, int most, int done) {
  int parts = (whole - done + most - 1) / most;
  return (whole - done + parts - 1) / parts;
}
#endif
