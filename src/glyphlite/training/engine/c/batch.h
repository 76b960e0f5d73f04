/* Between groups: sums over the batch, of its statistics and of the gradients of parameters. */
#ifndef GLYPHLITE_BATCH_H
#define GLYPHLITE_BATCH_H
#include "net.h"

static void finish_moments(network *n, int index) {
  layer *l = &n->layers[index];
  const double count = (double)n->images * l->out_places;
  const float *scale = n->parameters + l->d.scale_at, *shift = n->parameters + l->d.shift_at;
  for (int f = 0; f < l->d.filters; f++) {
    double sum = 0, square = 0;
    for (int g = 0; g < n->groups; g++) {
      sum += l->moments[((size_t)g * l->d.filters + f) * 2];
      square += l->moments[((size_t)g * l->d.filters + f) * 2 + 1];
    }
    const int centered = l->d.normalization == CENTERED;
    double mean = centered ? sum / count : 0, variance = square / count - mean * mean;
    if (variance < 0) variance = 0;
    l->inverse[f] = (float)(1 / sqrt(variance + 1e-3));
    l->mean[f] = (float)mean;
    l->scale[f] = scale[f] * l->inverse[f];
    l->shift[f] = centered ? (float)(shift[f] - mean * l->scale[f]) : 0;
    float *statistics = n->statistics + l->d.statistics_at;
    statistics[f] = (float)mean;
    /* As FusedBatchNormV3 gives it: of a sample. */
    statistics[l->d.filters + f] = (float)(centered && count > 1 ? variance * count / (count - 1) : variance);
  }
}

static void finish_slopes(network *n, int index) {
  layer *l = &n->layers[index];
  const double count = (double)n->images * l->out_places;
  float *gradients = n->parameter_gradients;
  for (int f = 0; f < l->d.filters; f++) {
    double sum = 0, product = 0;
    for (int g = 0; g < n->groups; g++) {
      sum += l->moments[((size_t)g * l->d.filters + f) * 2];
      product += l->moments[((size_t)g * l->d.filters + f) * 2 + 1];
    }
    gradients[l->d.scale_at + f] = (float)product;
    const double centered = l->d.normalization == CENTERED ? sum : 0;
    if (l->d.normalization == CENTERED) gradients[l->d.shift_at + f] = (float)sum;
    l->slope[f] = (float)(-l->scale[f] * l->inverse[f] * product / count);
    l->offset[f] = (float)(-l->scale[f] * centered / count - l->slope[f] * l->mean[f]);
  }
}

/* Where in the vector of parameters the weight of a tap and a filter is: Keras's order, (row, column, channel, filter). */
static int kernel_place(const layer *l, int tap, int filter) {
  const int window = l->d.window_height * l->d.window_width;
  if (l->d.kind == DEPTHWISE) return l->d.kernel_at + tap * l->d.channels + filter;
  return l->d.kernel_at + ((tap % window) * l->d.channels + tap / window) * l->d.filters + filter;
}

static void finish_gradients(network *n) {
  for (int index = 0; index < n->count; index++) {
    layer *l = &n->layers[index];
    for (int g = 1; g < n->groups; g++)
      for (int i = 0; i < l->partial_size; i++) l->partial[i] += l->partial[(size_t)g * l->partial_size + i];
    const float *from = l->partial;
    if (l->d.kind == CONVOLUTION)
      for (int t = 0; t < l->taps; t++)
        for (int f = 0; f < l->d.filters; f++) n->parameter_gradients[kernel_place(l, t, f)] = *from++;
    if (l->d.kind == DEPTHWISE)
      for (int c = 0; c < l->d.channels; c++)
        for (int t = 0; t < l->taps; t++) n->parameter_gradients[kernel_place(l, t, c)] = *from++;
    if (l->d.normalization == BIASED)
      for (int f = 0; f < l->d.filters; f++) n->parameter_gradients[l->d.shift_at + f] = from[f];
    from += l->d.filters;
    if (l->d.quantized) n->parameter_gradients[l->d.low_at] = from[0], n->parameter_gradients[l->d.high_at] = from[1];
  }
}
#endif
