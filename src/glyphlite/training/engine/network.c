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
#define _DEFAULT_SOURCE
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

/* How a map lies in a buffer with room around and between its places. */
typedef struct {
  int height, width, top, left, step;
} frame;

/* What becomes of a layer's sums: y = round(min(max(sum * scale + shift, low), high)). */
typedef struct {
  const float *scale, *shift; /* of each channel */
  float low, high, step, inverse_step;
  float passes_from; /* the least value through which a gradient passes */
  int is_identity, is_quantized;
} activation;

typedef struct {
  description d;
  int places, out_places;
  int taps, contraction; /* of one filter; contraction: the window is the whole map, as in a dense layer */
  int *tap_offsets, *back_offsets;
  frame in, gradient;
  float *weights, *back_weights; /* [tap][filter]; [filter, tap flipped][channel] */
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
  lanes **scratch; /* per thread: input, gradient of sums, accumulators, gradients between the layers of a segment */
  size_t scratch_input, scratch_gradient, scratch_sums, gradient_block, inner_gradient;
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

/* ---- convolution: sums of [taps] products for a tile of filters and places ---- */

INLINE void convolve_tile(const int filters, const int places, const lanes *in, const int *offsets, int taps, int stride,
                          const float *weights, int pitch, lanes *out, int out_pitch) {
  lanes sums[FILTER_TILE][PLACE_TILE];
  for (int f = 0; f < filters; f++)
    for (int p = 0; p < places; p++) sums[f][p] = (lanes){0};
  for (int t = 0; t < taps; t++) {
    const lanes *x = in + offsets[t];
    lanes values[PLACE_TILE];
    for (int p = 0; p < places; p++) values[p] = x[p * stride];
    for (int f = 0; f < filters; f++) {
      lanes weight = spread(weights[t * pitch + f]);
      for (int p = 0; p < places; p++) sums[f][p] += weight * values[p];
    }
  }
  for (int f = 0; f < filters; f++)
    for (int p = 0; p < places; p++) out[f * out_pitch + p] = sums[f][p];
}

#define EACH_PLACE(F)                                                                                          \
  if (places == 3) convolve_tile(F, 3, in, offsets, taps, stride, weights, pitch, out, out_pitch);             \
  else if (places == 2) convolve_tile(F, 2, in, offsets, taps, stride, weights, pitch, out, out_pitch);        \
  else convolve_tile(F, 1, in, offsets, taps, stride, weights, pitch, out, out_pitch);                         \
  break;

static void convolve_places(int filters, int places, const lanes *in, const int *offsets, int taps, int stride,
                            const float *weights, int pitch, lanes *out, int out_pitch) {
  switch (filters) {
    case 1: EACH_PLACE(1)
    case 2: EACH_PLACE(2)
    case 3: EACH_PLACE(3)
    case 4: EACH_PLACE(4)
#if FILTER_TILE == 8
    case 5: EACH_PLACE(5)
    case 6: EACH_PLACE(6)
    case 7: EACH_PLACE(7)
    case 8: EACH_PLACE(8)
#endif
  }
}

/* The size of the n-th of as few parts as possible of at most `most`, as equal as can be. */
INLINE int part(int whole, int most, int done) {
  int parts = (whole - done + most - 1) / most;
  return (whole - done + parts - 1) / parts;
}

/* out: [filters][height][width], without room around it; in: the first window's first place. */
static void convolve(const lanes *in, int row_pitch, int stride, const int *offsets, int taps, const float *weights, int filters,
                     int height, int width, lanes *out) {
  for (int y = 0; y < height; y++)
    for (int x = 0, places; x < width; x += places) {
      places = part(width, PLACE_TILE, x);
      const lanes *from = in + y * stride * row_pitch + x * stride;
      for (int f = 0, some; f < filters; f += some) {
        some = part(filters, FILTER_TILE, f);
        convolve_places(some, places, from, offsets, taps, stride, weights + f, filters, out + (f * height + y) * width + x,
                        height * width);
      }
    }
}

/* ---- gradient of a convolution's weights: every tap's inputs times every filter's gradients, over all places ---- */

INLINE void gradient_tile(const int taps, const int filters, const lanes *in, const int *offsets, int in_pitch, int stride,
                          const lanes *gradient, int plane, int pitch, int step, int height, int width, lanes *into,
                          int into_pitch) {
  lanes sums[TAP_TILE][GRADIENT_TILE];
  for (int t = 0; t < taps; t++)
    for (int f = 0; f < filters; f++) sums[t][f] = into[t * into_pitch + f];
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      lanes inputs[TAP_TILE];
      for (int t = 0; t < taps; t++) inputs[t] = in[offsets[t] + y * stride * in_pitch + x * stride];
      for (int f = 0; f < filters; f++) {
        lanes slope = gradient[f * plane + y * step * pitch + x * step];
        for (int t = 0; t < taps; t++) sums[t][f] += inputs[t] * slope;
      }
    }
  for (int t = 0; t < taps; t++)
    for (int f = 0; f < filters; f++) into[t * into_pitch + f] = sums[t][f];
}

#define GRADIENT(T, F) gradient_tile(T, F, in, offsets, in_pitch, stride, gradient, plane, pitch, step, height, width, into, into_pitch)
#if TAP_TILE == 4
#define EACH_TAP(F)              \
  if (taps == 4) GRADIENT(4, F); \
  else if (taps == 3) GRADIENT(3, F); \
  else if (taps == 2) GRADIENT(2, F); \
  else GRADIENT(1, F);           \
  break;
#else
#define EACH_TAP(F)              \
  if (taps == 3) GRADIENT(3, F); \
  else if (taps == 2) GRADIENT(2, F); \
  else GRADIENT(1, F);           \
  break;
#endif

static void gradient_places(int taps, int filters, const lanes *in, const int *offsets, int in_pitch, int stride,
                            const lanes *gradient, int plane, int pitch, int step, int height, int width, lanes *into,
                            int into_pitch) {
  switch (filters) {
    case 1: EACH_TAP(1)
    case 2: EACH_TAP(2)
    case 3: EACH_TAP(3)
    case 4: EACH_TAP(4)
#if GRADIENT_TILE == 6
    case 5: EACH_TAP(5)
    case 6: EACH_TAP(6)
#endif
  }
}

/* ---- depthwise: a row of places of one channel ---- */

INLINE void depthwise_tile(const int places, const lanes *in, int row_pitch, int stride, const float *weights, int window_height,
                           int window_width, lanes *out) {
  lanes sums[ROW_TILE];
  for (int p = 0; p < places; p++) sums[p] = (lanes){0};
  for (int i = 0; i < window_height; i++)
    for (int j = 0; j < window_width; j++) {
      lanes weight = spread(weights[i * window_width + j]);
      for (int p = 0; p < places; p++) sums[p] += weight * in[i * row_pitch + p * stride + j];
    }
  for (int p = 0; p < places; p++) out[p] = sums[p];
}

static void depthwise(const lanes *in, int row_pitch, int stride, const float *weights, int window_height, int window_width,
                      int height, int width, lanes *out) {
#define ROW(P) \
  case P: depthwise_tile(P, from, row_pitch, stride, weights, window_height, window_width, to); break;
  for (int y = 0; y < height; y++)
    for (int x = 0, places; x < width; x += places) {
      places = part(width, ROW_TILE, x);
      const lanes *from = in + y * stride * row_pitch + x * stride;
      lanes *to = out + y * width + x;
      switch (places) { ROW(1) ROW(2) ROW(3) ROW(4) ROW(5) ROW(6) ROW(7) }
    }
#undef ROW
}

INLINE void depthwise_gradient(const int window_height, const int window_width, const lanes *in, int in_pitch, int stride,
                               const lanes *gradient, int pitch, int step, int height, int width, lanes *into) {
  lanes sums[9];
  for (int t = 0; t < window_height * window_width; t++) sums[t] = into[t];
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      lanes slope = gradient[y * step * pitch + x * step];
      for (int i = 0; i < window_height; i++)
        for (int j = 0; j < window_width; j++)
          sums[i * window_width + j] += slope * in[(y * stride + i) * in_pitch + x * stride + j];
    }
  for (int t = 0; t < window_height * window_width; t++) into[t] = sums[t];
}

static void depthwise_weights(int window_height, int window_width, const lanes *in, int in_pitch, int stride,
                              const lanes *gradient, int pitch, int step, int height, int width, lanes *into) {
  if (window_height == 3 && window_width == 3)
    depthwise_gradient(3, 3, in, in_pitch, stride, gradient, pitch, step, height, width, into);
  else
    for (int i = 0; i < window_height; i++)
      for (int j = 0; j < window_width; j++)
        depthwise_gradient(1, 1, in + i * in_pitch + j, in_pitch, stride, gradient, pitch, step, height, width,
                           into + i * window_width + j);
}

/* ---- what becomes of sums ---- */

INLINE lanes activated(lanes sum, lanes scale, lanes shift, const activation *a, const int is_quantized) {
  lanes value = at_least(sum * scale + shift, spread(a->low));
  if (!is_quantized) return value;
  /* fake_quant_with_min_max_vars: floor((clamped - low) / step + 0.5) * step + low; what is converted is never negative. */
  value = (at_most(value, spread(a->high)) - a->low) * a->inverse_step + 0.5f;
  return __builtin_convertvector(__builtin_convertvector(value, masks), lanes) * a->step + a->low;
}

INLINE void activate_row(const lanes *sums, int width, lanes *out, int step, lanes scale, lanes shift, const activation *a,
                         const int is_quantized) {
  for (int x = 0; x < width; x++) out[x * step] = activated(sums[x], scale, shift, a, is_quantized);
}

/* Writes what one channel's sums become into a frame; the room around is zeros. */
static void activate(const lanes *sums, int height, int width, int channel, const activation *a, frame f, lanes *out) {
  lanes scale = spread(a->scale[channel]), shift = spread(a->shift[channel]);
  for (int y = 0; y < f.top; y++) memset(out + y * f.width, 0, f.width * sizeof(lanes));
  for (int y = 0; y < height; y++) {
    lanes *row = out + (f.top + y) * f.width;
    for (int x = 0; x < f.left; x++) row[x] = (lanes){0};
    if (a->is_identity) memcpy(row + f.left, sums + y * width, width * sizeof(lanes));
    else if (a->is_quantized) activate_row(sums + y * width, width, row + f.left, 1, scale, shift, a, 1);
    else activate_row(sums + y * width, width, row + f.left, 1, scale, shift, a, 0);
    for (int x = f.left + width; x < f.width; x++) row[x] = (lanes){0};
  }
  for (int y = f.top + height; y < f.height; y++) memset(out + y * f.width, 0, f.width * sizeof(lanes));
}

static activation behind_of(const layer *l, const float *parameters) {
  activation a = {l->scale, l->shift, l->d.relu ? 0.0f : -FLT_MAX, FLT_MAX, 1, 1, l->d.relu ? FLT_MIN : -FLT_MAX, 0, 0};
  a.is_identity = !l->d.relu && l->d.normalization == PLAIN && !l->d.quantized;
  if (!l->d.quantized) return a;
  float low = parameters[l->d.low_at], high = parameters[l->d.high_at];
  /* TensorFlow's Nudge, core/kernels/fake_quant_ops_functor.h: zero is expressed exactly. */
  float step = (high - low) / 255.0f, from_low = 0.0f - low / step;
  float zero = from_low < 0 ? 0 : from_low > 255 ? 255 : roundf(from_low);
  a.is_quantized = 1, a.step = step, a.inverse_step = 1.0f / step;
  a.low = (0 - zero) * step, a.high = (255 - zero) * step;
  a.passes_from = l->d.relu ? FLT_MIN : a.low;
  return a;
}

/* ---- one layer, one block of images ---- */

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

static void pool_forward(const layer *l, const lanes *in, lanes *out) {
  int size = l->d.window_height;
  for (int y = 0; y < l->d.out_height; y++)
    for (int x = 0; x < l->d.out_width; x++) {
      const lanes *from = in + y * size * l->d.width + x * size;
      lanes most = from[0];
      for (int i = 0; i < size; i++)
        for (int j = 0; j < size; j++) most = at_least(most, from[i * l->d.width + j]);
      out[y * l->d.out_width + x] = most;
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

static void pool_backward(const layer *l, const lanes *in, const lanes *gradient, lanes *out) {
  int size = l->d.window_height;
  memset(out, 0, l->places * sizeof(lanes));
  for (int y = 0; y < l->d.out_height; y++)
    for (int x = 0; x < l->d.out_width; x++) {
      int first = y * size * l->d.width + x * size;
      lanes most = in[first], left = gradient[y * l->d.out_width + x];
      for (int i = 0; i < size; i++)
        for (int j = 0; j < size; j++) most = at_least(most, in[first + i * l->d.width + j]);
      for (int i = 0; i < size; i++) /* to the first of the largest alone */
        for (int j = 0; j < size; j++) {
          masks here = in[first + i * l->d.width + j] == most;
          out[first + i * l->d.width + j] = keep(here, left);
          left = keep(~here, left);
        }
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

/* ---- one layer, one group of images ---- */

static lanes valid_lanes(const network *n, int block) {
  lanes valid;
  for (int i = 0; i < LANES; i++) valid[i] = block * LANES + i < n->images ? 1.0f : 0.0f;
  return valid;
}

static int blocks_of(const network *n, int group) {
  int blocks = (n->images - group * GROUP_IMAGES + LANES - 1) / LANES;
  return blocks < GROUP_BLOCKS ? blocks : GROUP_BLOCKS;
}

static int is_normalized(const layer *l) { return l->d.normalization == CENTERED || l->d.normalization == UNCENTERED; }

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
  int weights = l->d.kind == CONVOLUTION ? l->taps * l->d.filters : l->d.kind == DEPTHWISE ? l->taps * l->d.channels : 0;
  for (int w = 0; w < weights; w++) *to++ = added(r.weights[w]);
  for (int f = 0; f < l->d.filters; f++) *to++ = added(r.shifts[f]);
  *to++ = added(*r.lows);
  *to++ = added(*r.highs);
}

static rooms rooms_of(const network *n, int index, int thread) {
  const layer *l = &n->layers[index];
  lanes *room = n->scratch[thread];
  rooms r = {room, room + n->scratch_input, room + n->scratch_input + n->scratch_gradient + l->accumulators_at, NULL, NULL, NULL};
  r.highs = r.weights + l->partial_size - 1;
  r.lows = r.highs - 1;
  r.shifts = r.lows - l->d.filters;
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
      (n->layers[index].d.kind == CONVOLUTION ? convolution_backward : channels_backward)(
          n, index, block, thread, gradient_of(n, index, block, thread), before, valid_lanes(n, block), rooms_of(n, index, thread));
    }
    if (moments)
      add_slopes(previous, sums_of(n, first - 1, block, thread), gradient_of(n, first - 1, block, thread), moments);
  }
  for (int index = first; index < end; index++) store_partial(&n->layers[index], group, rooms_of(n, index, thread));
}

/* ---- between groups: sums over the batch ---- */

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

/* ---- threads ---- */

/* Waits for all threads; the last one to come does what is to be done between. */
static void meet(network *n, void (*between)(network *, int), int index) {
  pthread_mutex_lock(&n->mutex);
  unsigned round = n->round;
  if (++n->waiting == n->threads) {
    if (between) between(n, index);
    n->waiting = 0, n->round++;
    pthread_cond_broadcast(&n->released);
  } else
    while (round == n->round) pthread_cond_wait(&n->released, &n->mutex);
  pthread_mutex_unlock(&n->mutex);
}

static void enter_group(const network *n, int group) {
  const layer *l = &n->layers[0];
  const int pixels = l->places * l->d.channels;
  for (int b = 0, blocks = blocks_of(n, group); b < blocks; b++) {
    int block = group * GROUP_BLOCKS + b;
    float *to = (float *)(n->input + (size_t)block * pixels);
    for (int i = 0; i < LANES; i++) {
      int image = block * LANES + i;
      for (int c = 0; c < l->d.channels; c++)
        for (int p = 0; p < l->places; p++)
          to[(c * l->places + p) * LANES + i] =
              image < n->images ? n->given_images[((size_t)image * l->places + p) * l->d.channels + c] : 0;
    }
  }
}

static void begin_backward_group(const network *n, int group) {
  const layer *last = &n->layers[n->count - 1];
  for (int b = 0, blocks = blocks_of(n, group); b < blocks; b++) {
    int block = group * GROUP_BLOCKS + b;
    float *to = (float *)gradient_of(n, n->count - 1, block, 0);
    for (int f = 0; f < last->d.filters; f++)
      for (int i = 0; i < LANES; i++) {
        int image = block * LANES + i;
        to[f * LANES + i] = image < n->images ? n->given_gradients[(size_t)image * last->d.filters + f] : 0;
      }
  }
}

/* Every thread has the same groups in every phase, so that it needs to wait for others only where the batch is summed. */
#define EACH_GROUP(call)                                                                       \
  for (int group = thread; group < n->groups; group += n->threads) call

static void run_forward(network *n, int thread) {
  EACH_GROUP(enter_group(n, group));
  for (int first = 0, end; first < n->count; first = end) {
    for (end = first + 1; end < n->count && !is_normalized(&n->layers[end - 1]);) end++;
    EACH_GROUP(forward_group(n, first, end, group, thread));
    if (is_normalized(&n->layers[end - 1])) meet(n, finish_moments, end - 1);
  }
}

static void run_backward(network *n, int thread) {
  EACH_GROUP(begin_backward_group(n, group));
  for (int end = n->count, first; end; end = first) {
    for (first = end - 1; first && n->layers[first - 1].segment == n->layers[end - 1].segment;) first--;
    if (is_normalized(&n->layers[end - 1])) meet(n, finish_slopes, end - 1);
    EACH_GROUP(backward_group(n, first, end, group, thread));
  }
}

typedef struct {
  network *n;
  int thread;
} job;

static void *work(void *given) {
  job *j = given;
  pthread_mutex_lock(&j->n->mutex);
  pthread_mutex_unlock(&j->n->mutex);
  (j->n->backward ? run_backward : run_forward)(j->n, j->thread);
  return NULL;
}

/* Runs a pass on all threads; on fewer where the system gives no more of them. */
static void run(network *n, int threads) {
  job jobs[MOST_THREADS];
  pthread_t others[MOST_THREADS];
  int begun = 1;
  threads = threads < n->groups ? threads : n->groups;
  pthread_mutex_lock(&n->mutex); /* nobody begins before their number is known */
  for (; begun < threads; begun++) {
    jobs[begun] = (job){n, begun};
    if (pthread_create(&others[begun], NULL, work, &jobs[begun])) break;
  }
  n->threads = begun;
  pthread_mutex_unlock(&n->mutex);
  jobs[0] = (job){n, 0};
  work(&jobs[0]);
  for (int t = 1; t < begun; t++) pthread_join(others[t], NULL);
}

/* ---- what Python calls ---- */

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

static int prepare_layer(layer *l, int images, int trains, int threads) {
  const description *d = &l->d;
  const int window = d->window_height * d->window_width, groups = (images + GROUP_IMAGES - 1) / GROUP_IMAGES;
  l->places = d->height * d->width, l->out_places = d->out_height * d->out_width;
  l->contraction = d->kind == CONVOLUTION && l->out_places == 1 && !d->top && !d->left && d->window_height == d->height &&
                   d->window_width == d->width;
  l->taps = d->kind == CONVOLUTION ? d->channels * window : d->kind == DEPTHWISE ? window : 0;
  l->in = (frame){d->height, d->width, d->top, d->left, 1};
  if (d->kind < MEAN) {
    l->in.height = larger_size(d->height + d->top, (d->out_height - 1) * d->stride + d->window_height);
    l->in.width = larger_size(d->width + d->left, (d->out_width - 1) * d->stride + d->window_width);
  }
  l->gradient = (frame){d->out_height, d->out_width, 0, 0, 1};
  if (d->kind < MEAN && window > 1 && !l->contraction)
    l->gradient = (frame){d->height + d->window_height - 1, d->width + d->window_width - 1, d->window_height - 1 - d->top,
                          d->window_width - 1 - d->left, d->stride};
  const int plane = l->gradient.height * l->gradient.width;
  l->tap_offsets = room((l->taps + 1) * sizeof(int));
  l->back_offsets = room((size_t)(d->filters * window + 1) * sizeof(int));
  l->weights = room((size_t)l->taps * d->filters * sizeof(float));
  l->back_weights = room((size_t)l->taps * d->filters * sizeof(float));
  float **each[] = {&l->scale, &l->shift, &l->inverse, &l->mean, &l->slope, &l->offset};
  for (int i = 0; i < 6; i++)
    if (!(*each[i] = room(d->filters * sizeof(float)))) return -1;
  l->partial_size = l->taps * (d->kind == DEPTHWISE ? d->channels : d->filters) + d->filters + 2;
  l->partial = room(trains ? (size_t)groups * l->partial_size * sizeof(float) : 0);
  l->moments = room((size_t)groups * d->filters * 2 * sizeof(double));
  l->sums = room((size_t)(trains ? groups * GROUP_BLOCKS : threads) * d->filters * l->out_places * sizeof(lanes));
  if (!l->tap_offsets || !l->back_offsets || !l->weights || !l->back_weights || !l->partial || !l->moments || !l->sums) return -1;
  for (int t = 0; t < l->taps; t++)
    l->tap_offsets[t] = (t / window * l->in.height + t % window / d->window_width) * l->in.width + t % window % d->window_width;
  for (int t = 0; t < d->filters * window; t++)
    l->back_offsets[t] = l->contraction || window == 1
                             ? t * l->out_places
                             : t / window * plane + t % window / d->window_width * l->gradient.width + t % window % d->window_width;
  return 0;
}

void network_free(network *n) {
  if (!n) return;
  for (int i = 0; n->layers && i < n->count; i++) {
    layer *l = &n->layers[i];
    void *all[] = {l->tap_offsets, l->back_offsets, l->weights, l->back_weights, l->scale,   l->shift,  l->inverse,
                   l->mean,        l->slope,        l->offset,  l->partial,      l->moments, l->sums};
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
    failed = prepare_layer(l, images, trains, n->largest_threads);
    if (failed) break;
    const int whole = l->d.kind == CONVOLUTION;
    n->scratch_input = larger_size(n->scratch_input, (size_t)(whole ? l->d.channels : 1) * l->in.height * l->in.width);
    n->scratch_gradient =
        larger_size(n->scratch_gradient, (size_t)(whole ? l->d.filters : 1) * l->gradient.height * l->gradient.width);
    const int inner = i && l[-1].d.kind == DEPTHWISE && !is_normalized(&l[-1]);
    l->segment = i ? l[-1].segment + !inner : 0;
    l->accumulators_at = inner ? l[-1].accumulators_at + l[-1].partial_size : 0;
    n->scratch_sums = larger_size(n->scratch_sums, l->accumulators_at + l->partial_size);
    if (inner) n->inner_gradient = larger_size(n->inner_gradient, (size_t)l[-1].d.filters * l[-1].out_places);
    n->gradient_block = larger_size(n->gradient_block, (size_t)l->d.filters * l->out_places);
    channels = (int)larger_size(channels, larger_size(l->d.channels, l->d.filters));
  }
  const size_t blocks = (size_t)(images + GROUP_IMAGES - 1) / GROUP_IMAGES * GROUP_BLOCKS;
  if (!failed) {
    n->input = room(blocks * n->layers[0].d.channels * n->layers[0].places * sizeof(lanes));
    for (int i = 0; i < 2; i++) n->gradients[i] = room(trains ? blocks * n->gradient_block * sizeof(lanes) : 0);
    n->ones = room(channels * sizeof(float)), n->zeros = room(channels * sizeof(float));
    failed = !n->input || !n->gradients[0] || !n->gradients[1] || !n->ones || !n->zeros;
    for (int i = 0; !failed && i < channels; i++) n->ones[i] = 1;
    for (int t = 0; !failed && t < threads && t < MOST_THREADS; t++)
      failed = !(n->scratch[t] = room((n->scratch_input + n->scratch_gradient + n->scratch_sums + 2 * n->inner_gradient) * sizeof(lanes)));
  }
  if (!failed) return n;
  network_free(n);
  return NULL;
}

/* Lays the weights as the passes read them, and takes the shifts of layers that do not normalize. */
static void take_parameters(network *n) {
  for (int i = 0; i < n->count; i++) {
    layer *l = &n->layers[i];
    const int window = l->d.window_height * l->d.window_width, filters = l->d.filters;
    for (int t = 0; t < l->taps; t++)
      for (int f = 0; f < filters; f++) {
        float weight = n->parameters[kernel_place(l, t, f)];
        const int flipped = t / window * window + window - 1 - t % window;
        if (l->d.kind == DEPTHWISE)
          l->weights[f * window + t] = weight, l->back_weights[f * window + flipped] = weight;
        else {
          l->weights[t * filters + f] = weight;
          if (l->contraction || window == 1) l->back_weights[f * l->taps + t] = weight;
          else l->back_weights[(f * window + flipped % window) * l->d.channels + t / window] = weight;
        }
      }
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
