/* One layer, one block of images, backward. */
#ifndef GLYPHLITE_BACKWARD_H
#define GLYPHLITE_BACKWARD_H
#include "forward.h"
#include "weight_gradient.h"

/* What the gradient of one channel's sums is made with. */
typedef struct {
  lanes scale, shift, slope, offset, from, low, high, valid;
  int is_identity, is_normalized, is_quantized;
} passage;

/* Gradients of parameters, of one channel: of the shift, and of the ends of the range. */
typedef struct {
  lanes shifts, lows, highs;
} totals;

INLINE passage passage_of(const layer *l, int channel, lanes valid) {
  const activation *a = &l->behind;
  const int normalized = is_normalized(l);
  return (passage){spread(l->scale[channel]),
                   spread(l->shift[channel]),
                   spread(normalized ? l->slope[channel] : 0),
                   spread(normalized ? l->offset[channel] : 0),
                   spread(a->passes_from),
                   spread(a->low),
                   spread(a->high),
                   valid,
                   a->is_identity,
                   normalized,
                   a->is_quantized};
}

/* The gradient of a row of sums, from that of what became of them; what concerns parameters is added up. */
INLINE void pass_row(const passage *p, const lanes *s, const lanes *g, int width, int ahead, lanes *row, int step, totals *t) {
  const lanes scale = p->scale, shift = p->shift, slope = p->slope, offset = p->offset, from = p->from;
  if (p->is_normalized)
    for (int x = 0; x < width; x++) {
      __builtin_prefetch(s + x + ahead), __builtin_prefetch(g + x + ahead);
      lanes passed = keep(s[x] * scale + shift >= from, g[x]);
      row[x * step] = (passed * scale + s[x] * slope + offset) * p->valid;
    }
  else if (p->is_quantized) {
    lanes shifts = t->shifts, lows = t->lows, highs = t->highs;
    for (int x = 0; x < width; x++) {
      __builtin_prefetch(s + x + ahead), __builtin_prefetch(g + x + ahead);
      lanes value = s[x] + shift, passed = keep((value >= from) & (value <= p->high), g[x]);
      highs += keep(value > p->high, g[x]), lows += keep(value < p->low, g[x]), shifts += passed;
      row[x * step] = passed;
    }
    *t = (totals){shifts, lows, highs};
  } else if (p->is_identity)
    for (int x = 0; x < width; x++) row[x * step] = g[x];
  else {
    lanes shifts = t->shifts;
    for (int x = 0; x < width; x++) {
      lanes passed = keep(s[x] + shift >= from, g[x]);
      shifts += passed;
      row[x * step] = passed;
    }
    t->shifts = shifts;
  }
}

typedef struct {
  lanes *input, *gradient, *weights, *shifts, *lows, *highs; /* the last three: of each filter, or one for all */
  totals *of_map; /* of each filter */
} rooms;

static void add_totals(const rooms *r, int channel, const totals *t) {
  r->shifts[channel] += t->shifts, *r->lows += t->lows, *r->highs += t->highs;
}

/* Zeros around and between the places of a frame. */
static void clear_frame(const layer *l, frame f, lanes *out) {
  if (f.height * f.width != l->out_places) memset(out, 0, f.height * f.width * sizeof(lanes));
}

/* The gradient of one channel's sums, in a frame that is clear. */
static void pass_channel(const layer *l, const lanes *sums, const lanes *gradient, int channel, const lanes valid, lanes *out,
                         const rooms *r) {
  const frame f = l->gradient;
  const passage p = passage_of(l, channel, valid);
  totals t = {{0}, {0}, {0}};
  for (int y = 0; y < l->d.out_height; y++)
    pass_row(&p, sums + y * l->d.out_width, gradient + y * l->d.out_width, l->d.out_width, l->out_plane,
             out + (f.top + y * f.step) * f.width + f.left, f.step, &t);
  add_totals(r, channel, &t);
}

/* Sums over images that the gradient through normalization needs: of a channel's gradient, and of it times the normalized sums. */
INLINE void add_slopes_of(const int channels, const layer *l, const lanes *sums, const lanes *gradient, int first,
                          double *moments) {
  const float *scale = l->scale + first, *shift = l->shift + first, *inverse = l->inverse + first, *mean = l->mean + first;
  lanes from = spread(l->behind.passes_from), sum[2] = {{0}, {0}}, product[2] = {{0}, {0}};
  for (int p = 0; p < l->out_places; p++)
    for (int c = 0; c < channels; c++) {
      const lanes value = sums[c * l->out_plane + p];
      lanes passed = keep(value * scale[c] + shift[c] >= from, gradient[c * l->out_plane + p]);
      sum[c] += passed, product[c] += passed * ((value - mean[c]) * inverse[c]);
    }
  for (int c = 0; c < channels; c++) {
    moments[2 * (first + c)] += added(sum[c]);
    moments[2 * (first + c) + 1] += added(product[c]);
  }
}

/* Of one channel or two: each has to wait for its last addition. */
static void add_slopes(const layer *l, const lanes *sums, const lanes *gradient, int first, int channels, double *moments) {
  if (channels == 2) add_slopes_of(2, l, sums, gradient, first, moments);
  else add_slopes_of(1, l, sums, gradient, first, moments);
}

/* Of 1x1: some places at a time, all of whose channels fit in a cache. */
static void pointwise_backward(const network *n, int index, int block, int thread, const lanes *gradient, lanes *before,
                               const lanes valid, rooms r) {
  const layer *l = &n->layers[index];
  const lanes *sums = sums_of(n, index, block, thread), *sums_in = sums_before(n, index, block, thread);
  const activation *a = activation_before(n, index);
  memset(r.of_map, 0, l->d.filters * sizeof(totals));
  for (int x = 0, places; x < l->places; x += places) {
    places = part(l->places, CHUNK_PLACES, x);
    for (int f = 0; f < l->d.filters; f++) {
      const passage p = passage_of(l, f, valid);
      const int from = f * l->out_plane + x;
      pass_row(&p, sums + from, gradient + from, places, l->out_plane, r.gradient + f * l->gradient.plane, 1, r.of_map + f);
    }
    const lanes *in = some_places(l, sums_in, x, places, a, r.input);
    const pair maps = {in, r.gradient, l->tap_offsets, 0, 1, l->gradient.plane, 0, 1};
    weight_gradients(maps, l->taps, l->d.filters, 1, places, r.weights);
    if (before)
      convolve(r.gradient, 0, 1, l->back_offsets, l->d.filters, l->back_weights, l->d.channels, l->back_tile, l->d.filters, 1,
               places, before + x, l->plane);
  }
  for (int f = 0; f < l->d.filters; f++) add_totals(&r, f, r.of_map + f);
}

static void convolution_backward(const network *n, int index, int block, int thread, const lanes *gradient, lanes *before,
                                 const lanes valid, rooms r) {
  const layer *l = &n->layers[index];
  const lanes *sums = sums_of(n, index, block, thread);
  const frame f = l->gradient;
  for (int c = 0; c < l->d.filters; c++) {
    clear_frame(l, f, r.gradient + c * f.plane);
    pass_channel(l, sums + c * l->out_plane, gradient + c * l->out_plane, c, valid, r.gradient + c * f.plane, &r);
  }
  const lanes *in = whole_input(n, index, block, thread, r.input);
  const pair maps = {in,      r.gradient + f.top * f.width + f.left, l->tap_offsets, l->in.width, l->d.stride,
                     f.plane, f.width,                               f.step};
  weight_gradients(maps, l->taps, l->d.filters, l->d.out_height, l->d.out_width, r.weights);
  if (!before) return;
  if (l->contraction)
    for (int c = 0, window = l->places; c < l->d.channels; c++)
      convolve(r.gradient, 0, 1, l->back_offsets, l->d.filters, l->back_weights + c * window * l->d.filters, window, l->back_tile,
               0, 1, 1, before + c * l->plane, 1);
  else
    convolve(r.gradient, f.width, 1, l->back_offsets, l->d.filters * l->d.window_height * l->d.window_width, l->back_weights,
             l->d.channels, l->back_tile, 0, l->d.height, l->d.width, before, l->plane);
}

/* A layer that keeps channels apart. moments: where the layer before normalizes, what its gradient needs. */
static void channels_backward(const network *n, int index, int block, int thread, const lanes *gradient, lanes *before,
                              const lanes valid, rooms r, double *moments) {
  const layer *l = &n->layers[index];
  const frame f = l->gradient;
  clear_frame(l, f, r.gradient);
  for (int c = 0; c < l->d.channels; c++) {
    pass_channel(l, sums_of(n, index, block, thread) + c * l->out_plane, gradient + c * l->out_plane, c, valid, r.gradient, &r);
    const lanes *sums_in = sums_before(n, index, block, thread) + c * l->plane;
    lanes *to = before ? before + c * l->plane : NULL;
    if (l->d.kind == MEAN) {
      for (int p = 0; to && p < l->places; p++) to[p] = r.gradient[0] / (float)l->places;
    } else {
      activate(sums_in, l->d.height, l->d.width, c, activation_before(n, index), l->in, r.input);
      if (l->d.kind == DEPTHWISE)
        depthwise_weights(l->d.window_height, l->d.window_width, r.input, l->in.width, l->d.stride,
                          r.gradient + f.top * f.width + f.left, f.width, f.step, l->d.out_height, l->d.out_width,
                          r.weights + c * l->taps);
      if (to && l->d.kind == MAX_POOL) pool_backward(l, r.input, r.gradient, to);
      else if (to)
        depthwise(r.gradient, f.width, 1, l->back_weights + c * l->taps, l->d.window_height, l->d.window_width, l->d.height,
                  l->d.width, to);
    }
    const int waiting = c & 1; /* a channel whose slopes go with this one's */
    if (moments && (waiting || c + 1 == l->d.channels))
      add_slopes(&n->layers[index - 1], sums_in - waiting * l->plane, to - waiting * l->plane, c - waiting, 1 + waiting, moments);
  }
}
#endif
