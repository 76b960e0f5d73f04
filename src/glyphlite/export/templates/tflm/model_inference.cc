// Runs {{ source | c_comment }} with TFLite Micro. Written by glyphlite {{ version }}.
//
//   model_inference              the embedded test image
//   model_inference - < FILE     {{ image.bytes }} raw bytes from standard input, row by row, 0 background to 255 ink
//
// Exit status: 0 predicted (and as expected, where that is known), 1 another class than expected, 2 failed with a message.
#include "model_inference.h"

#include <algorithm>
{% if input.type != "float32" %}
#include <cmath>
{% endif %}
#include <cstddef>
#include <cstdint>
{% if input.type != "float32" %}
#include <limits>
{% endif %}

#if !defined(MODEL_NO_MAIN) && !defined(MODEL_NO_STDIN)
#include <cstdio>
#endif

#include "model_data.h"
#include "op_resolver.h"
#include "tensor_arena.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_log.h"
{% if variables %}
#include "tensorflow/lite/micro/micro_resource_variable.h"
{% endif %}
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"
#include "test_image.h"

#ifdef MODEL_LOG_TO_STDOUT
#include <cstdio>

#include "tensorflow/lite/micro/cortex_m_generic/debug_log_callback.h"
#endif

namespace {

using InputType = {{ input.c_type }};
using OutputType = {{ output.c_type }};

const char* const kLabels[kClasses] = {
{% for label in labels %}
    {{ label | c_string }},
{% endfor %}
};

{% include "tflm/load_model.cc" %}

void PrintDimensions(const char* name, const TfLiteTensor& tensor) {
  for (int i = 0; i < tensor.dims->size; ++i) {
    MicroPrintf("%s dimension %d: %d", name, i, tensor.dims->data[i]);
  }
}

{% if pixel.channels > 1 %}
constexpr float kMean[] = {{ "{" }}{{ pixel.mean }}{{ "}" }}, kStd[] = {{ "{" }}{{ pixel.std }}{{ "}" }};

{% endif %}
{% set parameters = "std::uint8_t pixel, int channel" if pixel.channels > 1 else "std::uint8_t pixel" %}
{% if input.type == "float32" %}
// A pixel as the model takes it: {{ pixel.formula }}.
InputType ToInput({{ parameters }}, const TfLiteQuantizationParams&) { return {{ pixel.expression }}; }
{% else %}
// A pixel as the model takes it: {{ pixel.formula }}, then stored = round(real / scale) + zero point, saturated.
InputType ToInput({{ parameters }}, const TfLiteQuantizationParams& quantization) {
  constexpr float kLowest = std::numeric_limits<InputType>::min();
  constexpr float kHighest = std::numeric_limits<InputType>::max();
  const float real = {{ pixel.expression }};
  const float stored = std::round(real / quantization.scale) + static_cast<float>(quantization.zero_point);
  return static_cast<InputType>(std::min(std::max(stored, kLowest), kHighest));
}
{% endif %}

{% if output.type == "float32" %}
// A score as the model gives it: a probability already.
float ToReal(OutputType value, const TfLiteQuantizationParams&) { return value; }
{% else %}
// real = scale * (stored - zero point).
float ToReal(OutputType stored, const TfLiteQuantizationParams& quantization) {
  return quantization.scale * static_cast<float>(stored - quantization.zero_point);
}
{% endif %}

{% include "tflm/elements.cc" %}

}  // namespace

int RunInference(const std::uint8_t* pixels, int expected_class) {
  static tflite::MicroInterpreter* const interpreter = LoadModel();
  if (interpreter == nullptr) return -1;

  TfLiteTensor* const input = interpreter->input(0);
  TfLiteTensor* const output = interpreter->output(0);
  InputType* const image = Elements<InputType>(input, "input", kImageBytes);
  const OutputType* const scores = Elements<OutputType>(output, "output", {{ outputs }});
  if (image == nullptr || scores == nullptr) return -1;

  MicroPrintf("Input tensor index: %d, type %s", interpreter->inputs().Get(0), TfLiteTypeGetName(input->type));
  PrintOperators(tflite::GetModel({{ name }}_data));
  MicroPrintf("Arena: %u of %u bytes used", ToUnsigned(interpreter->arena_used_bytes()), ToUnsigned(kArenaBytes));
  PrintQuantization("Input", *input);
  PrintDimensions("Output", *output);
  PrintQuantization("Output", *output);

  for (int i = 0; i < kImageBytes; ++i) {
    image[i] = ToInput(pixels[i], {{ pixel.channel ~ ", " if pixel.channels > 1 }}input->params);
  }
  if (interpreter->Invoke() != kTfLiteOk) {
    MicroPrintf("The inference failed in the op that TFLite Micro named above; check that TFLM_DIR and its library are of one revision.");
    return -1;
  }

{% if threshold is not none %}
  // One score: above {{ threshold }} it means the second class.
  MicroPrintf("Score of %s: %.6f", kLabels[1], static_cast<double>(ToReal(scores[0], output->params)));
  const int predicted = ToReal(scores[0], output->params) > {{ threshold }}f ? 1 : 0;
{% else %}
  int predicted = 0;
  for (int i = 0; i < kClasses; ++i) {
    MicroPrintf("Score of %s: %.6f", kLabels[i], static_cast<double>(ToReal(scores[i], output->params)));
    if (scores[i] > scores[predicted]) predicted = i;
  }
{% endif %}
  MicroPrintf("Predicted class: %d (%s)", predicted, kLabels[predicted]);
  if (expected_class >= 0 && expected_class < kClasses) {
    MicroPrintf("Expected class: %d (%s)", expected_class, kLabels[expected_class]);
  }
  return predicted;
}

#ifndef MODEL_NO_MAIN

namespace {

constexpr int kPredicted = 0, kOtherClass = 1, kFailed = 2;

#ifdef MODEL_LOG_TO_STDOUT
// TFLite Micro for generic Cortex-M prints through a callback; this one ends where the C library's stdout does.
void LogToStdout(const char* text) { std::fputs(text, stdout); }
#endif

#ifndef MODEL_NO_STDIN
// Exactly one image from standard input; false after a message.
bool ReadImage(std::uint8_t* pixels) {
  const std::size_t count = std::fread(pixels, 1, kImageBytes, stdin);
  if (count != kImageBytes || std::fgetc(stdin) != EOF) {
    MicroPrintf("Standard input holds %s than the %d bytes of one image; give one byte a pixel, row by row.",
                count < kImageBytes ? "less" : "more", kImageBytes);
    return false;
  }
  return true;
}
#endif

}  // namespace

int main(int argc, char** argv) {
  tflite::InitializeTarget();
#ifdef MODEL_LOG_TO_STDOUT
  RegisterDebugLogCallback(LogToStdout);
#endif

#ifdef MODEL_NO_STDIN
  static_cast<void>(argc);
  static_cast<void>(argv);
#else
  if (argc > 2 || (argc == 2 && (argv[1][0] != '-' || argv[1][1] != '\0'))) {
    MicroPrintf("Usage: model_inference        (the embedded test image)");
    MicroPrintf("       model_inference - < FILE  (%d raw bytes)", kImageBytes);
    return kFailed;
  }
  if (argc == 2) {
    static std::uint8_t pixels[kImageBytes];
    if (!ReadImage(pixels)) return kFailed;
    return RunInference(pixels, -1) < 0 ? kFailed : kPredicted;
  }
#endif

  const int predicted = RunInference(kTestImage, kTestImageClass);
  if (predicted < 0) return kFailed;
  return kTestImageClass < 0 || predicted == kTestImageClass ? kPredicted : kOtherClass;
}

#endif  // MODEL_NO_MAIN
