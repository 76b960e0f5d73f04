/* The records of a net, its layers, and how its maps lie in memory. */
#ifndef GLYPHLITE_NET_H
#define GLYPHLITE_NET_H
#include "lanes.h"
#include <pthread.h>

enum kind { CONVOLUTION, DEPTHWISE, MEAN, MAX_POOL };
enum normalization { PLAIN, BIASED, CENTERED, UNCENTERED };

/* One layer, as Python describes it (plan.py has the same fields in the same order). An offset is a place in the vector of
 * parameters, or -1. */
typedef struct {
  int32_t kind, normalization, relu, quantized;
  int32_t channels, height, width;
  int32_t filters, out_height, out_width;
  int32_t window_height, window_width, stride, top, left;
  int32_t kernel_at, scale_at, shift_at, low_at, high_at;
  int32_t statistics_at; /* mean, then variance, of each filter */
} description;

/* How a map lies in a buffer with room around and between its places; a channel of it takes a plane. */
typedef struct {
  int height, width, top, left, step, plane;
} frame;

/* The room of a plane of so many places: an odd number of cache lines, so that the same place of many channels lies in different
 * sets of a cache. With 8x8 places of 32 bytes all channels would share two of L1's 64 sets. */
static int plane_of(int places) {
  const int line = ALIGNMENT / (int)sizeof(lanes);
  return places == 1 ? 1 : ((places + line - 1) / line | 1) * line;
}

/* What becomes of a layer's sums: y = round(min(max(sum * scale + shift, low), high)). */
typedef struct {
  const float *scale, *shift; /* of each channel */
  float low, high, step, inverse_step;
  float passes_from; /* the least value through which a gradient passes */
  int is_identity, is_quantized;
} activation;

typedef struct {
  description d;
  int places, out_places, plane, out_plane;
  int is_pointwise; /* all places are one row */
  int tile, back_tile; /* filters of a product's tile at most */
  int taps, contraction; /* of one filter; contraction: the window is the whole map, as in a dense layer */
  int *tap_offsets, *back_offsets;
  int *weights_from, *back_weights_from; /* places in the vector of parameters */
  frame in, gradient;
  float *weights, *back_weights; /* in tiles of filters; in tiles of channels, of filters and flipped taps */
  float *scale, *shift, *inverse, *mean, *slope, *offset; /* of each filter */
  lanes *sums;
  double *moments;       /* [group][filter][2] */
  float *partial;        /* [group][parameters of this layer] */
  int partial_size;      /* kernel, shift, low, high */
  size_t accumulators_at; /* in its segment's */
  int segment;           /* of the backward pass */
  activation behind;     /* what becomes of the sums */
} layer;

typedef struct {
  int count, trains, threads, largest_threads, images, groups, backward;
  layer *layers;
  lanes *input, *gradients[2];
  lanes **scratch; /* per thread: input, gradient of sums, accumulators, gradients between the layers of a segment, sums of a map */
  size_t scratch_input, scratch_gradient, scratch_sums, gradient_block, inner_gradient, map_sums;
  float *ones, *zeros;
  activation input_behind;
  const float *given_images, *parameters, *given_gradients;
  float *scores, *statistics, *parameter_gradients;
  int parameter_count;
  pthread_mutex_t mutex;
  pthread_cond_t released;
  int waiting;
  unsigned round;
} network;

static int weights_of(const layer *l) { return l->taps * l->d.filters; }
static int is_normalized(const layer *l) { return l->d.normalization == CENTERED || l->d.normalization == UNCENTERED; }
#endif
