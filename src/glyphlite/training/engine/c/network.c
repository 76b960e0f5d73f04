/* A small convolutional net in training: its outputs, and the gradients of all its parameters, on CPU threads.
 *
 * The images of a batch are the lanes of a vector. A map is [channel][row][column][LANES images]: whatever the number of
 * channels, whatever the window, every product is a whole vector times one weight, and nothing is ever shuffled. Products are
 * summed in tiles of filters times places that stay in registers.
 *
 * Only sums (what a convolution gives, before normalization, ReLU and rounding) are kept for the whole batch. What comes behind
 * them is computed again wherever it is needed: per channel or per block of LANES images, in a cache.
 *
 * Images are handled in groups of a fixed size; every sum over images is taken within a group first, and over the groups in
 * order. So the result does not depend on the number of threads, bit for bit.
 */
#define _GNU_SOURCE /* processors of threads, pages */
#include "threads.h"
#include <sys/mman.h>

static void *room(size_t bytes) {
  void *memory = NULL;
  const size_t alignment = bytes < HUGE_PAGE ? ALIGNMENT : HUGE_PAGE;
  bytes = (bytes / alignment + 1) * alignment;
  if (posix_memalign(&memory, alignment, bytes)) return NULL;
#ifdef MADV_HUGEPAGE
  if (bytes >= HUGE_PAGE) madvise(memory, bytes, MADV_HUGEPAGE); /* of 2 MB each: far fewer of them to look up */
#endif
  return memset(memory, 0, bytes);
}

static size_t larger_size(size_t a, size_t b) { return a > b ? a : b; }

/* Where in the vector of parameters the weights come from, in the order in which the passes read them. */
static void order_weights(layer *l) {
  const int window = l->d.window_height * l->d.window_width, filters = l->d.filters, channels = l->d.channels;
  for (int t = 0; t < l->taps; t++)
    for (int f = 0; f < (l->d.kind == DEPTHWISE ? channels : filters); f++) {
      const int from = kernel_place(l, t, f), channel = t / window, flipped = window - 1 - t % window;
      if (l->d.kind == DEPTHWISE) {
        l->weights_from[f * window + t] = l->back_weights_from[f * window + flipped] = from;
        continue;
      }
      l->weights_from[weight_place(l->taps, filters, l->tile, t, f)] = from;
      if (l->contraction) /* a product for each channel, its places for filters */
        l->back_weights_from[channel * window * filters + weight_place(filters, window, l->back_tile, f, t % window)] = from;
      else l->back_weights_from[weight_place(filters * window, channels, l->back_tile, f * window + flipped, channel)] = from;
    }
}

static int prepare_layer(layer *l, int is_first, int images, int trains, int threads) {
  const description *d = &l->d;
  const int window = d->window_height * d->window_width, groups = (images + GROUP_IMAGES - 1) / GROUP_IMAGES;
  l->places = d->height * d->width, l->out_places = d->out_height * d->out_width;
  l->plane = plane_of(l->places), l->out_plane = plane_of(l->out_places);
  l->is_pointwise = d->kind == CONVOLUTION && window == 1 && d->stride == 1;
  l->contraction = d->kind == CONVOLUTION && !l->is_pointwise && l->out_places == 1 && !d->top && !d->left &&
                   d->window_height == d->height && d->window_width == d->width;
  l->tile = l->out_places == 1 ? DENSE_TILE : FILTER_TILE;
  l->back_tile = l->places == 1 || l->contraction ? DENSE_TILE : FILTER_TILE;
  l->taps = d->kind == CONVOLUTION ? d->channels * window : d->kind == DEPTHWISE ? window : 0;
  l->in = (frame){d->height, d->width, d->top, d->left, 1, 0};
  if (d->kind < MEAN) {
    l->in.height = larger_size(d->height + d->top, (d->out_height - 1) * d->stride + d->window_height);
    l->in.width = larger_size(d->width + d->left, (d->out_width - 1) * d->stride + d->window_width);
  }
  l->in.plane = plane_of(l->in.height * l->in.width);
  l->gradient = (frame){d->out_height, d->out_width, 0, 0, 1, 0};
  if (d->kind < MEAN && !l->is_pointwise && !l->contraction && !is_first) /* nobody asks for the gradient of images */
    l->gradient = (frame){d->height + d->window_height - 1, d->width + d->window_width - 1, d->window_height - 1 - d->top,
                          d->window_width - 1 - d->left, d->stride, 0};
  l->gradient.plane = plane_of(l->gradient.height * l->gradient.width);
  l->tap_offsets = room((l->taps + 1) * sizeof(int));
  l->back_offsets = room((size_t)(d->filters * window + 1) * sizeof(int));
  const int weights = weights_of(l);
  l->weights = room(weights * sizeof(float)), l->back_weights = room(weights * sizeof(float));
  l->weights_from = room(weights * sizeof(int)), l->back_weights_from = room(weights * sizeof(int));
  float **each[] = {&l->scale, &l->shift, &l->inverse, &l->mean, &l->slope, &l->offset};
  for (int i = 0; i < 6; i++)
    if (!(*each[i] = room(d->filters * sizeof(float)))) return -1;
  l->partial_size = weights + d->filters + 2;
  l->partial = room(trains ? (size_t)groups * l->partial_size * sizeof(float) : 0);
  l->moments = room((size_t)groups * d->filters * 2 * sizeof(double));
  l->sums = room((size_t)(trains ? groups * GROUP_BLOCKS : threads) * d->filters * l->out_plane * sizeof(lanes));
  const void *all[] = {l->tap_offsets,  l->back_offsets,      l->weights, l->back_weights, l->partial, l->moments, l->sums,
                       l->weights_from, l->back_weights_from};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (!all[i]) return -1;
  order_weights(l);
  for (int t = 0; t < l->taps; t++)
    l->tap_offsets[t] = t / window * l->in.plane + t % window / d->window_width * l->in.width + t % window % d->window_width;
  for (int t = 0; t < d->filters * window; t++) {
    const int filter = t / window, row = t % window / d->window_width, column = t % window % d->window_width;
    l->back_offsets[t] = l->contraction || l->is_pointwise ? t * l->gradient.plane
                                                           : filter * l->gradient.plane + row * l->gradient.width + column;
  }
  return 0;
}

void network_free(network *n) {
  if (!n) return;
  for (int i = 0; n->layers && i < n->count; i++) {
    layer *l = &n->layers[i];
    void *all[] = {l->tap_offsets, l->back_offsets, l->weights, l->back_weights, l->scale,   l->shift,  l->inverse,
                   l->mean,        l->slope,        l->offset,  l->partial,      l->moments, l->sums,
                   l->weights_from, l->back_weights_from};
    for (size_t j = 0; j < sizeof all / sizeof *all; j++) free(all[j]);
  }
  for (int t = 0; n->scratch && t < MOST_THREADS; t++) free(n->scratch[t]);
  free(n->layers), free(n->input), free(n->gradients[0]), free(n->gradients[1]), free(n->scratch), free(n->ones), free(n->zeros);
  pthread_mutex_destroy(&n->mutex), pthread_cond_destroy(&n->released);
  free(n);
}

/* A net for batches of at most so many images, trained or only asked; NULL where there is no memory for it. */
network *network_new(const description *descriptions, int count, int images, int threads, int parameter_count, int trains) {
  network *n = room(sizeof(network));
  if (!n) return NULL;
  pthread_mutex_init(&n->mutex, NULL), pthread_cond_init(&n->released, NULL);
  n->count = count, n->parameter_count = parameter_count, n->trains = trains;
  n->largest_threads = threads < MOST_THREADS ? threads : MOST_THREADS;
  n->layers = room(count * sizeof(layer));
  n->scratch = room(MOST_THREADS * sizeof(lanes *));
  int failed = !n->layers || !n->scratch, channels = 1;
  for (int i = 0; !failed && i < count; i++) {
    layer *l = &n->layers[i];
    l->d = descriptions[i];
    failed = prepare_layer(l, !i, images, trains, n->largest_threads);
    if (failed) break;
    const int whole = l->d.kind == CONVOLUTION;
    n->scratch_input = larger_size(n->scratch_input, (size_t)(whole ? l->d.channels : 1) * l->in.plane);
    n->scratch_gradient =
        larger_size(n->scratch_gradient, (size_t)(whole ? l->d.filters : 1) * l->gradient.plane);
    const int inner = i && l[-1].d.kind == DEPTHWISE && !is_normalized(&l[-1]);
    l->segment = i ? l[-1].segment + !inner : 0;
    l->accumulators_at = inner ? l[-1].accumulators_at + l[-1].partial_size : 0;
    n->scratch_sums = larger_size(n->scratch_sums, l->accumulators_at + l->partial_size);
    if (inner) n->inner_gradient = larger_size(n->inner_gradient, (size_t)l[-1].d.filters * l[-1].out_plane);
    n->map_sums = larger_size(n->map_sums, l->d.filters * sizeof(totals) / sizeof(lanes));
    n->gradient_block = larger_size(n->gradient_block, (size_t)l->d.filters * l->out_plane);
    channels = (int)larger_size(channels, larger_size(l->d.channels, l->d.filters));
  }
  const size_t blocks = (size_t)(images + GROUP_IMAGES - 1) / GROUP_IMAGES * GROUP_BLOCKS;
  if (!failed) {
    n->input = room(blocks * n->layers[0].d.channels * n->layers[0].plane * sizeof(lanes));
    for (int i = 0; i < 2; i++) n->gradients[i] = room(trains ? blocks * n->gradient_block * sizeof(lanes) : 0);
    n->ones = room(channels * sizeof(float)), n->zeros = room(channels * sizeof(float));
    failed = !n->input || !n->gradients[0] || !n->gradients[1] || !n->ones || !n->zeros;
    for (int i = 0; !failed && i < channels; i++) n->ones[i] = 1;
    const size_t scratch = n->scratch_input + n->scratch_gradient + n->scratch_sums + 2 * n->inner_gradient + n->map_sums;
    for (int t = 0; !failed && t < threads && t < MOST_THREADS; t++) failed = !(n->scratch[t] = room(scratch * sizeof(lanes)));
  }
  if (!failed) return n;
  network_free(n);
  return NULL;
}

/* Lays the weights as the passes read them, and takes the shifts of layers that do not normalize. */
static void take_parameters(network *n) {
  for (int i = 0; i < n->count; i++) {
    layer *l = &n->layers[i];
    const int filters = l->d.filters, weights = weights_of(l);
    for (int w = 0; w < weights; w++) l->weights[w] = n->parameters[l->weights_from[w]];
    for (int w = 0; w < weights; w++) l->back_weights[w] = n->parameters[l->back_weights_from[w]];
    for (int f = 0; f < filters; f++) {
      l->scale[f] = 1;
      l->shift[f] = l->d.normalization == BIASED ? n->parameters[l->d.shift_at + f] : 0;
    }
    l->behind = behind_of(l, n->parameters);
  }
}

/* Computes scores [images][classes] from images [images][row][column][channel]; statistics: of each normalized batch.
 * rounds_input: pixels are rounded to multiples of 1/255. */
void network_forward(network *n, const float *images, int count, int rounds_input, const float *parameters, float *scores,
                     float *statistics) {
  n->given_images = images, n->images = count, n->parameters = parameters, n->scores = scores, n->statistics = statistics;
  n->groups = (count + GROUP_IMAGES - 1) / GROUP_IMAGES, n->backward = 0;
  n->input_behind = (activation){n->ones, n->zeros, 0, 1, 1 / 255.0f, 255, 0, !rounds_input, rounds_input};
  take_parameters(n);
  run(n, n->largest_threads);
}

/* Computes the gradients of all parameters from those of the scores; behind a forward pass, whose sums it uses. */
void network_backward(network *n, const float *score_gradients, const float *parameters, float *parameter_gradients) {
  n->given_gradients = score_gradients, n->parameters = parameters, n->parameter_gradients = parameter_gradients;
  n->backward = 1;
  memset(parameter_gradients, 0, n->parameter_count * sizeof(float));
  run(n, n->largest_threads);
  finish_gradients(n);
}

int network_lanes(void) { return LANES; }
