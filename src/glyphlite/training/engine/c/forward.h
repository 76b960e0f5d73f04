/* One layer, one block of images, forward. */
#ifndef GLYPHLITE_FORWARD_H
#define GLYPHLITE_FORWARD_H
#include "activation.h"
#include "convolution.h"
#include "depthwise.h"
#include "pool.h"

/* Where a thread keeps the sums of a block: of a net that is only asked, nobody asks for them again. */
static lanes *sums_of(const network *n, int index, int block, int thread) {
  const layer *l = &n->layers[index];
  return l->sums + (size_t)(n->trains ? block : thread) * l->d.filters * l->out_places;
}

static const lanes *sums_before(const network *n, int index, int block, int thread) {
  if (index) return sums_of(n, index - 1, block, thread);
  return n->input + (size_t)block * n->layers[0].d.channels * n->layers[0].places;
}

static const activation *activation_before(const network *n, int index) {
  return index ? &n->layers[index - 1].behind : &n->input_behind;
}

/* The input of a convolution, framed; where it is the sums before as they are, those. */
static const lanes *whole_input(const network *n, int index, int block, int thread, lanes *room) {
  const layer *l = &n->layers[index];
  const lanes *sums = sums_before(n, index, block, thread);
  const activation *a = activation_before(n, index);
  if (a->is_identity && l->in.height * l->in.width == l->places) return sums;
  for (int c = 0; c < l->d.channels; c++)
    activate(sums + c * l->places, l->d.height, l->d.width, c, a, l->in, room + c * l->in.height * l->in.width);
  return room;
}

static void add_moments(const layer *l, const lanes *sums, const lanes valid, double *moments) {
  for (int f = 0; f < l->d.filters; f++) {
    lanes sum = {0}, square = {0};
    for (int p = 0; p < l->out_places; p++) {
      lanes value = sums[f * l->out_places + p];
      sum += value, square += value * value;
    }
    moments[2 * f] += added(sum * valid), moments[2 * f + 1] += added(square * valid);
  }
}

static void forward_block(const network *n, int index, int block, int thread, const lanes valid, double *moments) {
  const layer *l = &n->layers[index];
  lanes *sums = sums_of(n, index, block, thread), *room = n->scratch[thread];
  if (l->d.kind == CONVOLUTION) {
    const lanes *in = whole_input(n, index, block, thread, room);
    if (l->taps == l->d.channels) /* of 1x1: all places are one row */
      convolve(in, 0, 1, l->tap_offsets, l->taps, l->weights, l->d.filters, 1, l->out_places, sums);
    else
      convolve(in, l->in.width, l->d.stride, l->tap_offsets, l->taps, l->weights, l->d.filters, l->d.out_height, l->d.out_width,
               sums);
  } else
    for (int c = 0; c < l->d.channels; c++) {
      lanes *out = sums + c * l->out_places;
      activate(sums_before(n, index, block, thread) + c * l->places, l->d.height, l->d.width, c, activation_before(n, index), l->in,
               room);
      if (l->d.kind == DEPTHWISE)
        depthwise(room, l->in.width, l->d.stride, l->weights + c * l->taps, l->d.window_height, l->d.window_width,
                  l->d.out_height, l->d.out_width, out);
      else if (l->d.kind == MAX_POOL) pool_forward(l, room, out);
      else {
        lanes sum = {0};
        for (int p = 0; p < l->places; p++) sum += room[p];
        *out = sum / (float)l->places;
      }
    }
  if (moments) add_moments(l, sums, valid, moments);
}
#endif
