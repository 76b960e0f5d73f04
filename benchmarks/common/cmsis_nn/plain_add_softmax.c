/*
 * ADD and SOFTMAX of int8 for a CMSIS-NN that comes without them: TensorFlow Lite's reference formulas, element by element, under
 * the names and with the parameters that its header declares. Written for this benchmark; CMSIS-NN's own need as many
 * instructions within a few percent.
 *
 * Sources: AddElementwise, kernels/internal/reference/integer_ops/add.h; Softmax, kernels/internal/reference/softmax.h.
 */
#include "arm_nnfunctions.h"
#include "arm_nnsupportfunctions.h"

arm_cmsis_nn_status arm_elementwise_add_s8(
    const int8_t *first, const int8_t *second,
    const int32_t first_offset, const int32_t first_multiplier, const int32_t first_shift,
    const int32_t second_offset, const int32_t second_multiplier, const int32_t second_shift,
    const int32_t left_shift, int8_t *output,
    const int32_t output_offset, const int32_t output_multiplier, const int32_t output_shift,
    const int32_t activation_min, const int32_t activation_max, const int32_t count) {
  const int32_t one = (int32_t)1 << left_shift;
  for (int32_t index = 0; index < count; ++index) {
    const int32_t a = arm_nn_requantize((first[index] + first_offset) * one, first_multiplier, first_shift);
    const int32_t b = arm_nn_requantize((second[index] + second_offset) * one, second_multiplier, second_shift);
    const int32_t sum = arm_nn_requantize(a + b, output_multiplier, output_shift) + output_offset;
    output[index] = (int8_t)MIN(MAX(sum, activation_min), activation_max);
  }
  return ARM_CMSIS_NN_SUCCESS;
}

void arm_softmax_s8(
    const int8_t *input, const int32_t rows, const int32_t depth,
    const int32_t multiplier, const int32_t shift, const int32_t least_difference, int8_t *output) {
  const int32_t one = (int32_t)1 << shift;
  for (int32_t row = 0; row < rows; ++row, input += depth, output += depth) {
    int32_t most = input[0];
    for (int32_t channel = 1; channel < depth; ++channel) {
      most = MAX(most, input[channel]);
    }
    int32_t sum = 0;
    for (int32_t channel = 0; channel < depth; ++channel) {
      const int32_t difference = input[channel] - most;
      if (difference >= least_difference) {
        sum += DIV_POW2(EXP_ON_NEG(MUL_SAT(difference * one, multiplier)), 12);
      }
    }
    const int32_t headroom = __builtin_clz((unsigned)sum);
    const int32_t scale = ONE_OVER1((int32_t)(((uint32_t)sum << headroom) - ((uint32_t)1 << 31)));
    for (int32_t channel = 0; channel < depth; ++channel) {
      const int32_t difference = input[channel] - most;
      int32_t value = -128;
      if (difference >= least_difference) {
        const int32_t exponential = EXP_ON_NEG(MUL_SAT(difference * one, multiplier));
        value = DIV_POW2(MUL_SAT(scale, exponential), 12 - headroom + 23) - 128;
      }
      output[channel] = (int8_t)MIN(MAX(value, -128), 127);
    }
  }
}
