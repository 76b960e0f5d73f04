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

alignas(16) std::uint8_t tensor_arena[kArenaBytes];

unsigned ToUnsigned(std::size_t bytes) { return static_cast<unsigned>(bytes); }

// The model in TFLite Micro's own terms: checked, its ops registered, its tensors planned. Null after a message.
tflite::MicroInterpreter* LoadModel() {
  const tflite::Model* model = tflite::GetModel({{ name }}_data);
  MicroPrintf("Model buffer length: %u bytes", {{ name }}_data_length);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    MicroPrintf("The model has schema version %u, this TFLite Micro reads %d. Export it again, or update TFLM_DIR.",
                static_cast<unsigned>(model->version()), TFLITE_SCHEMA_VERSION);
    return nullptr;
  }

  static ModelOpResolver resolver;
  if (RegisterOps(resolver) != kTfLiteOk) {
    MicroPrintf("An op could not be registered. op_resolver.h and model_data must come from the same export: export again.");
    return nullptr;
  }

{% if variables %}
  // What the model keeps from one call to the next lies in the arena, too; interpreter.Reset() fills it with its zero point.
  tflite::MicroAllocator* allocator = tflite::MicroAllocator::Create(tensor_arena, kArenaBytes);
  tflite::MicroResourceVariables* variables = tflite::MicroResourceVariables::Create(allocator, {{ variables }});
  static tflite::MicroInterpreter interpreter(model, resolver, allocator, variables);
{% else %}
  static tflite::MicroInterpreter interpreter(model, resolver, tensor_arena, kArenaBytes);
{% endif %}
  if (interpreter.AllocateTensors() != kTfLiteOk) {
    if (kArenaBytes < kMeasuredArenaBytes) {
      MicroPrintf("The arena of %u bytes is too small by %u bytes: %u were needed at export. Raise MODEL_ARENA_BYTES to %u.",
                  ToUnsigned(kArenaBytes), ToUnsigned(kMeasuredArenaBytes - kArenaBytes), ToUnsigned(kMeasuredArenaBytes),
                  ToUnsigned(kMeasuredArenaBytes + kArenaMarginBytes));
    } else {
      MicroPrintf("The tensors could not be planned in %u bytes. Where the line above says 'missing: N', raise MODEL_ARENA_BYTES "
                  "by N (this target's kernels need more than the host's); otherwise this TFLite Micro lacks what it names.",
                  ToUnsigned(kArenaBytes));
    }
    return nullptr;
  }
  return &interpreter;
}

// Every op in the order of execution, by its builtin code: the larger of the two fields, as codes past 127 outgrew the old one.
void PrintOperators(const tflite::Model* model) {
  const auto* operators = model->subgraphs()->Get(0)->operators();
  for (unsigned i = 0; i < operators->size(); ++i) {
    const auto* code = model->operator_codes()->Get(operators->Get(i)->opcode_index());
    const int builtin_code = std::max(static_cast<int>(code->deprecated_builtin_code()), static_cast<int>(code->builtin_code()));
    MicroPrintf("Operator %u: builtin code %d", i, builtin_code);
  }
}

void PrintQuantization(const char* name, const TfLiteTensor& tensor) {
  MicroPrintf("%s: type %s, %u bytes, scale %.9g, zero point %d", name, TfLiteTypeGetName(tensor.type), ToUnsigned(tensor.bytes),
              static_cast<double>(tensor.params.scale), static_cast<int>(tensor.params.zero_point));
}

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

// Null, after a message, unless the tensor holds what this program was written for.
template <typename T>
T* Elements(TfLiteTensor* tensor, const char* name, std::size_t count) {
  if (tensor == nullptr || tensor->type != tflite::typeToTfLiteType<T>() || tensor->bytes != count * sizeof(T)) {
    MicroPrintf("The %s is not %u elements of %s. This program and model_data must come from the same export: export again.", name,
                ToUnsigned(count), TfLiteTypeGetName(tflite::typeToTfLiteType<T>()));
    return nullptr;
  }
  return tflite::GetTensorData<T>(tensor);
}

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
    image[i] = ToInput(pixels[i], {{ "i % " ~ pixel.channels ~ ", " if pixel.channels > 1 }}input->params);
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
