/* Some layers, one group of images. */
#ifndef GLYPHLITE_GROUPS_H
#define GLYPHLITE_GROUPS_H
#include "backward.h"

static lanes valid_lanes(const network *n, int block) {
  lanes valid;
  for (int i = 0; i < LANES; i++) valid[i] = block * LANES + i < n->images ? 1.0f : 0.0f;
  return valid;
}

static int blocks_of(const network *n, int group) {
  int blocks = (n->images - group * GROUP_IMAGES + LANES - 1) / LANES;
  return blocks < GROUP_BLOCKS ? blocks : GROUP_BLOCKS;
}

static void leave_block(const network *n, int block, int thread) {
  const layer *last = &n->layers[n->count - 1];
  const lanes *sums = sums_of(n, n->count - 1, block, thread);
  for (int f = 0; f < last->d.filters; f++) {
    lanes value = activated(sums[f], spread(last->scale[f]), spread(last->shift[f]), &last->behind, 0);
    if (last->d.quantized) value = activated(sums[f], spread(last->scale[f]), spread(last->shift[f]), &last->behind, 1);
    for (int i = 0; i < LANES && block * LANES + i < n->images; i++)
      n->scores[(size_t)(block * LANES + i) * last->d.filters + f] = value[i];
  }
}

/* The layers from one on up to the next that needs the whole batch's statistics, or to the last: block by block, in a cache. */
static void forward_group(const network *n, int first, int end, int group, int thread) {
  const layer *last = &n->layers[end - 1];
  double *moments = is_normalized(last) ? last->moments + (size_t)group * last->d.filters * 2 : NULL;
  if (moments) memset(moments, 0, last->d.filters * 2 * sizeof(double));
  for (int b = 0, blocks = blocks_of(n, group); b < blocks; b++) {
    int block = group * GROUP_BLOCKS + b;
    for (int index = first; index < end; index++)
      forward_block(n, index, block, thread, valid_lanes(n, block), index + 1 == end ? moments : NULL);
    if (end == n->count) leave_block(n, block, thread);
  }
}

/* Where the gradient of what becomes of a layer's sums is kept: for the whole batch behind a segment, else for a block. */
static lanes *gradient_of(const network *n, int index, int block, int thread) {
  const layer *l = &n->layers[index];
  if (index + 1 == n->count || l[1].segment != l->segment) return n->gradients[l->segment & 1] + (size_t)block * n->gradient_block;
  return n->scratch[thread] + n->scratch_input + n->scratch_gradient + n->scratch_sums + (index & 1) * n->inner_gradient;
}

/* Adds up lanes: the gradients of a layer's parameters, as this group's images give them. */
static void store_partial(const layer *l, int group, rooms r) {
  float *to = l->partial + (size_t)group * l->partial_size;
  for (int w = 0, weights = weights_of(l); w < weights; w++) *to++ = added(r.weights[w]);
  for (int f = 0; f < l->d.filters; f++) *to++ = added(r.shifts[f]);
  *to++ = added(*r.lows);
  *to++ = added(*r.highs);
}

static rooms rooms_of(const network *n, int index, int thread) {
  const layer *l = &n->layers[index];
  lanes *room = n->scratch[thread];
  lanes *gradient = room + n->scratch_input;
  rooms r = {room, gradient, gradient + n->scratch_gradient + l->accumulators_at, NULL, NULL, NULL, NULL};
  r.highs = r.weights + l->partial_size - 1;
  r.lows = r.highs - 1;
  r.shifts = r.lows - l->d.filters;
  r.of_map = (totals *)map_room(n, thread);
  return r;
}

/* A segment: a layer and the depthwise ones before it, block by block, so that what is between them stays in a cache. */
static void backward_group(const network *n, int first, int end, int group, int thread) {
  memset(n->scratch[thread] + n->scratch_input + n->scratch_gradient, 0, n->scratch_sums * sizeof(lanes));
  const layer *previous = first ? &n->layers[first - 1] : NULL;
  double *moments = previous && is_normalized(previous) ? previous->moments + (size_t)group * previous->d.filters * 2 : NULL;
  if (moments) memset(moments, 0, previous->d.filters * 2 * sizeof(double));
  for (int b = 0, blocks = blocks_of(n, group); b < blocks; b++) {
    int block = group * GROUP_BLOCKS + b;
    for (int index = end - 1; index >= first; index--) {
      lanes *before = index ? gradient_of(n, index - 1, block, thread) : NULL;
      const lanes *gradient = gradient_of(n, index, block, thread), valid = valid_lanes(n, block);
      const rooms r = rooms_of(n, index, thread);
      const layer *l = &n->layers[index];
      if (l->d.kind != CONVOLUTION)
        channels_backward(n, index, block, thread, gradient, before, valid, r, index == first ? moments : NULL);
      else (l->is_pointwise ? pointwise_backward : convolution_backward)(n, index, block, thread, gradient, before, valid, r);
    }
    if (moments && n->layers[first].d.kind == CONVOLUTION)
      for (int f = 0, some; f < previous->d.filters; f += some) {
        some = part(previous->d.filters, 2, f);
        add_slopes(previous, sums_of(n, first - 1, block, thread) + f * previous->out_plane,
                   gradient_of(n, first - 1, block, thread) + f * previous->out_plane, f, some, moments);
      }
  }
  for (int index = first; index < end; index++) store_partial(&n->layers[index], group, rooms_of(n, index, thread));
}
#endif
