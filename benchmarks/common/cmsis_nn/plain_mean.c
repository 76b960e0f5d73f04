/*
 * MEAN over height and width of int8, which no version of CMSIS-NN has: TensorFlow Lite Micro runs its reference kernel there. This
 * is that kernel's arithmetic without its walk over general indices, which takes many times as long.
 *
 * Source: QuantizedMeanOrSum, kernels/internal/reference/reduce.h.
 */
#include "arm_nnfunctions.h"
#include "arm_nnsupportfunctions.h"

void plain_mean_s8(
    const int8_t *input, const int32_t positions, const int32_t channels, const int32_t input_offset,
    const int32_t output_offset, const int32_t multiplier, const int32_t shift, int8_t *output) {
  for (int32_t channel = 0; channel < channels; ++channel) {
    int32_t sum = 0;
    for (int32_t position = 0; position < positions; ++position) {
      sum += input[position * channels + channel];
    }
    const int32_t mean = arm_nn_requantize(sum + positions * input_offset, multiplier, shift) + output_offset;
    output[channel] = (int8_t)MIN(MAX(mean, -128), 127);
  }
}
