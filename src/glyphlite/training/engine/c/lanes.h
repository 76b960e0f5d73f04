/* A vector of one number of each image of a block, and what the tiles of sums are made of. */
#ifndef GLYPHLITE_LANES_H
#define GLYPHLITE_LANES_H
#include <float.h>
#include <math.h>
#include <stddef.h>
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
#define EACH_LONGER_ROW ROW(7)
#else
#define LANES 8
#define FILTER_TILE 2 /* 2 x 6 sums, 2 weights and an input: 15 registers; with all 16 in use the compiler spills a sum */
#define PLACE_TILE 6
#define TAP_TILE 3
#define GRADIENT_TILE 4
#define ROW_TILE 6 /* in two rows: 12 sums, 2 weights and an input */
#define EACH_LONGER_ROW
#endif
#define DENSE_TILE 8 /* filters, where there is one place alone */
#define MOMENT_TILE 4
#define CHUNK_PLACES 72
#define GROUP_IMAGES 32
#define GROUP_BLOCKS (GROUP_IMAGES / LANES)
#define INLINE static inline __attribute__((always_inline))
/* Keeps the compiler from holding what it read before in registers, for want of which it would spill sums. */
#define READ_AGAIN __atomic_signal_fence(__ATOMIC_SEQ_CST)
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

/* How many parts from there on are as large as the first. */
INLINE int equal_parts(int whole, int most, int done) {
  int parts = (whole - done + most - 1) / most, more = (whole - done) % parts;
  return more ? more : parts;
}
#endif
