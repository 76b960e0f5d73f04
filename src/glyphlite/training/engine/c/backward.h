/* One layer, one block of images, backward. */
#ifndef GLYPHLITE_BACKWARD_H
#define GLYPHLITE_BACKWARD_H
#include "forward.h"
#include "weight_gradient.h"

/* The gradient of one channel's sums, from that of what became of them; into a frame, and what concerns parameters added up. */
static void sums_gradient(const layer *l, const lanes *sums, const lanes *gradient, int channel, const lanes valid, frame f,
                          lanes *out, lanes *shift_sum, lanes *low_sum, lanes *high_sum) {
  const activation *a = &l->behind;
  const int normalized = l->d.normalization == CENTERED || l->d.normalization == UNCENTERED;
  lanes scale = spread(l->scale[channel]), shift = spread(l->shift[channel]);
  lanes slope = spread(normalized ? l->slope[channel] : 0), offset = spread(normalized ? l->offset[channel] : 0);
  lanes shifts = {0}, lows = {0}, highs = {0};
  lanes from = spread(a->passes_from), low = spread(a->low), high = spread(a->high);
  if (f.top || f.left || f.step > 1 || f.height * f.width != l->out_places) memset(out, 0, f.height * f.width * sizeof(lanes));
  for (int y = 0; y < l->d.out_height; y++) {
    lanes *row = out + (f.top + y * f.step) * f.width + f.left;
    const lanes *g = gradient + y * l->d.out_width, *s = sums + y * l->d.out_width;
    if (normalized)
      for (int x = 0; x < l->d.out_width; x++) {
        lanes passed = keep(s[x] * scale + shift >= from, g[x]);
        row[x * f.step] = (passed * scale + s[x] * slope + offset) * valid;
      }
    else if (a->is_quantized)
      for (int x = 0; x < l->d.out_width; x++) {
        lanes value = s[x] + shift, passed = keep((value >= from) & (value <= high), g[x]);
        highs += keep(value > high, g[x]), lows += keep(value < low, g[x]), shifts += passed;
        row[x * f.step] = passed;
      }
    else
      for (int x = 0; x < l->d.out_width; x++) {
        lanes passed = keep(s[x] + shift >= from, g[x]);
        shifts += passed;
        row[x * f.step] = passed;
      }
  }
  *shift_sum += shifts, *low_sum += lows, *high_sum += highs;
}

/* Sums over images that the gradient through normalization needs: of the gradient, and of it times the normalized sums. */
static void add_slopes(const layer *l, const lanes *sums, const lanes *gradient, double *moments) {
  lanes from = spread(l->behind.passes_from);
  for (int f = 0; f < l->d.filters; f++) {
    lanes scale = spread(l->scale[f]), shift = spread(l->shift[f]), inverse = spread(l->inverse[f]);
    lanes mean = spread(l->mean[f]), sum = {0}, product = {0};
    for (int p = f * l->out_places; p < (f + 1) * l->out_places; p++) {
      lanes passed = keep(sums[p] * scale + shift >= from, gradient[p]);
      sum += passed, product += passed * ((sums[p] - mean) * inverse);
    }
    moments[2 * f] += added(sum), moments[2 * f + 1] += added(product);
  }
}

typedef struct {
  lanes *input, *gradient, *weights, *shifts, *lows, *highs; /* the last three: of each filter, or one for all */
} rooms;

static void convolution_backward(const network *n, int index, int block, int thread, const lanes *gradient, lanes *before,
                                 const lanes valid, rooms r) {
  const layer *l = &n->layers[index];
  const lanes *sums = sums_of(n, index, block, thread);
  const frame f = l->gradient;
  const int plane = f.height * f.width, pointwise = l->taps == l->d.channels || l->contraction;
  for (int c = 0; c < l->d.filters; c++)
    sums_gradient(l, sums + c * l->out_places, gradient + c * l->out_places, c, valid, f, r.gradient + c * plane, r.shifts + c,
                  r.lows, r.highs);
  const lanes *in = whole_input(n, index, block, thread, r.input);
  const lanes *first = r.gradient + f.top * f.width + f.left;
  for (int t = 0, taps; t < l->taps; t += taps) {
    taps = part(l->taps, TAP_TILE, t);
    for (int c = 0, some; c < l->d.filters; c += some) {
      some = part(l->d.filters, GRADIENT_TILE, c);
      gradient_places(taps, some, in, l->tap_offsets + t, l->in.width, l->d.stride, first + c * plane, plane, f.width, f.step,
                      l->d.out_height, l->d.out_width, r.weights + t * l->d.filters + c, l->d.filters);
    }
  }
  if (!before) return;
  if (pointwise)
    convolve(r.gradient, 0, 1, l->back_offsets, l->d.filters, l->back_weights, l->taps, 1, l->out_places, before);
  else
    convolve(r.gradient, f.width, 1, l->back_offsets, l->d.filters * l->d.window_height * l->d.window_width, l->back_weights,
             l->d.channels, l->d.height, l->d.width, before);
}

static void channels_backward(const network *n, int index, int block, int thread, const lanes *gradient, lanes *before,
                              const lanes valid, rooms r) {
  const layer *l = &n->layers[index];
  const frame f = l->gradient;
  for (int c = 0; c < l->d.channels; c++) {
    sums_gradient(l, sums_of(n, index, block, thread) + c * l->out_places, gradient + c * l->out_places, c, valid, f, r.gradient, r.shifts + c, r.lows, r.highs);
    lanes *to = before ? before + c * l->places : NULL;
    if (l->d.kind == MEAN) {
      for (int p = 0; to && p < l->places; p++) to[p] = r.gradient[0] / (float)l->places;
      continue;
    }
    activate(sums_before(n, index, block, thread) + c * l->places, l->d.height, l->d.width, c, activation_before(n, index), l->in,
             r.input);
    if (l->d.kind == MAX_POOL) {
      if (to) pool_backward(l, r.input, r.gradient, to);
      continue;
    }
    depthwise_weights(l->d.window_height, l->d.window_width, r.input, l->in.width, l->d.stride,
                      r.gradient + f.top * f.width + f.left, f.width, f.step, l->d.out_height, l->d.out_width,
                      r.weights + c * l->taps);
    if (to)
      depthwise(r.gradient, f.width, 1, l->back_weights + c * l->taps, l->d.window_height, l->d.window_width, l->d.height,
                l->d.width, to);
  }
}
#endif
