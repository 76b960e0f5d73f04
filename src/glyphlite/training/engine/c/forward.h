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
  return l->sums + (size_t)(n->trains ? block : thread) * l->d.filters * l->out_plane;
}

static const lanes *sums_before(const network *n, int index, int block, int thread) {
  if (index) return sums_of(n, index - 1, block, thread);
  return n->input + (size_t)block * n->layers[0].d.channels * n->layers[0].plane;
}

/* Where a thread adds up what concerns the channels of one map. */
static lanes *map_room(const network *n, int thread) {
  return n->scratch[thread] + n->scratch_input + n->scratch_gradient + n->scratch_sums + 2 * n->inner_gradient;
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
    activate(sums + c * l->plane, l->d.height, l->d.width, c, a, l->in, room + c * l->in.plane);
  return room;
}

/* Some places of all channels, as they enter a convolution of 1x1: in planes. */
static const lanes *some_places(const layer *l, const lanes *sums, int first, int places, const activation *a, lanes *room) {
  if (a->is_identity) return sums + first;
  for (int c = 0; c < l->d.channels; c++) {
    const lanes scale = spread(a->scale[c]), shift = spread(a->shift[c]), *from = sums + c * l->plane + first;
    if (a->is_quantized) activate_row(from, places, room + c * l->plane, scale, shift, a, l->plane, 1);
    else activate_row(from, places, room + c * l->plane, scale, shift, a, l->plane, 0);
  }
  return room;
}

/* Sums of some places of a channel, and of their squares. */
typedef struct {
  lanes sum, square;
} moment;

/* A few channels at once, as each has to wait for its last addition. */
INLINE void observe(const int channels, moment *m, const lanes *sums, int plane, int places) {
  moment now[MOMENT_TILE];
  for (int c = 0; c < channels; c++) now[c] = m[c];
  for (int p = 0; p < places; p++)
    for (int c = 0; c < channels; c++) {
      const lanes value = sums[c * plane + p];
      now[c].sum += value, now[c].square += value * value;
    }
  for (int c = 0; c < channels; c++) m[c] = now[c];
}

static void observe_places(const layer *l, moment *m, const lanes *sums, int places) {
  int f = 0;
  for (; f + MOMENT_TILE <= l->d.filters; f += MOMENT_TILE)
    observe(MOMENT_TILE, m + f, sums + f * l->out_plane, l->out_plane, places);
  for (; f < l->d.filters; f++) observe(1, m + f, sums + f * l->out_plane, l->out_plane, places);
}

INLINE void add_moment(const moment *m, lanes valid, int filter, double *moments) {
  moments[2 * filter] += added(m->sum * valid), moments[2 * filter + 1] += added(m->square * valid);
}

/* Of 1x1: some places at a time, all of whose channels fit in a cache. */
static void pointwise_forward(const layer *l, const lanes *before, const activation *a, lanes *sums, lanes *room,
                              moment *of_map) {
  for (int x = 0, places; x < l->places; x += places) {
    places = part(l->places, CHUNK_PLACES, x);
    const lanes *in = some_places(l, before, x, places, a, room);
    convolve(in, 0, 1, l->tap_offsets, l->taps, l->weights, l->d.filters, l->tile, l->taps, 1, places, sums + x, l->out_plane);
    if (of_map) observe_places(l, of_map, sums + x, places);
  }
}

static void channel_forward(const layer *l, const lanes *in, int channel, lanes *out) {
  if (l->d.kind == DEPTHWISE)
    depthwise(in, l->in.width, l->d.stride, l->weights + channel * l->taps, l->d.window_height, l->d.window_width, l->d.out_height,
              l->d.out_width, out);
  else if (l->d.kind == MAX_POOL) pool_forward(l, in, out);
  else {
    lanes sum = {0};
    for (int p = 0; p < l->places; p++) sum += in[p];
    *out = sum / (float)l->places;
  }
}

static void forward_block(const network *n, int index, int block, int thread, const lanes valid, double *moments) {
  const layer *l = &n->layers[index];
  lanes *sums = sums_of(n, index, block, thread), *room = n->scratch[thread];
  const lanes *before = sums_before(n, index, block, thread);
  const activation *a = activation_before(n, index);
  moment *of_map = moments ? (moment *)map_room(n, thread) : NULL;
  if (of_map) memset(of_map, 0, l->d.filters * sizeof(moment));
  if (l->is_pointwise) pointwise_forward(l, before, a, sums, room, of_map);
  else {
    if (l->d.kind == CONVOLUTION)
      convolve(whole_input(n, index, block, thread, room), l->in.width, l->d.stride, l->tap_offsets, l->taps, l->weights,
               l->d.filters, l->tile, 0, l->d.out_height, l->d.out_width, sums, l->out_plane);
    else
      for (int f = 0; f < l->d.filters; f++) {
        activate(before + f * l->plane, l->d.height, l->d.width, f, a, l->in, room);
        channel_forward(l, room, f, sums + f * l->out_plane);
      }
    if (of_map) observe_places(l, of_map, sums, l->out_places);
  }
  for (int f = 0; of_map && f < l->d.filters; f++) add_moment(of_map + f, valid, f, moments);
}
#endif
