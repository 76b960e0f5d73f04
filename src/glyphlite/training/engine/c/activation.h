/* What becomes of sums: normalization, ReLU, rounding to int8. */
#ifndef GLYPHLITE_ACTIVATION_H
#define GLYPHLITE_ACTIVATION_H
#include "net.h"

INLINE lanes activated(lanes sum, lanes scale, lanes shift, const activation *a, const int is_quantized) {
  lanes value = at_least(sum * scale + shift, spread(a->low));
  if (!is_quantized) return value;
  /* fake_quant_with_min_max_vars: floor((clamped - low) / step + 0.5) * step + low; what is converted is never negative. */
  value = (at_most(value, spread(a->high)) - a->low) * a->inverse_step + 0.5f;
  return __builtin_convertvector(__builtin_convertvector(value, masks), lanes) * a->step + a->low;
}

INLINE void activate_row(const lanes *sums, int width, lanes *out, lanes scale, lanes shift, const activation *a,
                         int ahead, const int is_quantized) {
  for (int x = 0; x < width; x++) {
    __builtin_prefetch(sums + x + ahead);
    out[x] = activated(sums[x], scale, shift, a, is_quantized);
  }
}

/* Writes what one channel's sums become into a frame; the room around is zeros. */
static void activate(const lanes *sums, int height, int width, int channel, const activation *a, frame f, lanes *out) {
  lanes scale = spread(a->scale[channel]), shift = spread(a->shift[channel]);
  const int ahead = plane_of(height * width);
  for (int y = 0; y < f.top; y++) memset(out + y * f.width, 0, f.width * sizeof(lanes));
  for (int y = 0; y < height; y++) {
    lanes *row = out + (f.top + y) * f.width;
    for (int x = 0; x < f.left; x++) row[x] = (lanes){0};
    if (a->is_identity) memcpy(row + f.left, sums + y * width, width * sizeof(lanes));
    else if (a->is_quantized) activate_row(sums + y * width, width, row + f.left, scale, shift, a, ahead, 1);
    else activate_row(sums + y * width, width, row + f.left, scale, shift, a, ahead, 0);
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
#endif
