// Runs {{ source | c_comment }} with TFLite Micro on the embedded test input. Written by glyphlite {{ version }}.
//
// Exit status: 0 the outputs are as expected, 1 they are not, 2 failed with a message.
#include "model_inference.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "model_data.h"
#include "op_resolver.h"
#include "tensor_arena.h"
{% if variables %}
#include "tensorflow/lite/micro/micro_allocator.h"
{% endif %}
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_log.h"
{% if variables %}
#include "tensorflow/lite/micro/micro_resource_variable.h"
{% endif %}
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"
#include "test_inputs.h"

#ifdef MODEL_LOG_TO_STDOUT
#include <cstdio>

#include "tensorflow/lite/micro/cortex_m_generic/debug_log_callback.h"
#endif

namespace {

{% include "tflm/load_model.cc" %}

{% include "tflm/elements.cc" %}

}  // namespace

int RunInference({% for port in inputs %}const {{ port.c_type }}* {{ port.name }}, {% endfor %}{% for port in outputs %}{{ port.c_type }}* {{ port.name }}{{ ", " if not loop.last }}{% endfor %}) {
  static tflite::MicroInterpreter* const interpreter = LoadModel();
  if (interpreter == nullptr) return -1;

{% for port in inputs %}
  {{ port.c_type }}* const {{ port.name }}_tensor = Elements<{{ port.c_type }}>(interpreter->input({{ loop.index0 }}), "{{ port.name }}", {{ port.size }});
  if ({{ port.name }}_tensor == nullptr) return -1;
{% endfor %}
{% for port in outputs %}
  const {{ port.c_type }}* const {{ port.name }}_tensor = Elements<{{ port.c_type }}>(interpreter->output({{ loop.index0 }}), "{{ port.name }}", {{ port.size }});
  if ({{ port.name }}_tensor == nullptr) return -1;
{% endfor %}

  PrintOperators(tflite::GetModel({{ name }}_data));
  MicroPrintf("Arena: %u of %u bytes used", ToUnsigned(interpreter->arena_used_bytes()), ToUnsigned(kArenaBytes));
{% for port in inputs %}
  PrintQuantization("{{ port.name }}", *interpreter->input({{ loop.index0 }}));
{% endfor %}
{% for port in outputs %}
  PrintQuantization("{{ port.name }}", *interpreter->output({{ loop.index0 }}));
{% endfor %}

{% for port in inputs %}
  std::copy_n({{ port.name }}, {{ port.size }}, {{ port.name }}_tensor);
{% endfor %}
  if (interpreter->Invoke() != kTfLiteOk) {
    MicroPrintf("The inference failed in the op that TFLite Micro named above; check that TFLM_DIR and its library are of one revision.");
    return -1;
  }
{% for port in outputs %}
  std::copy_n({{ port.name }}_tensor, {{ port.size }}, {{ port.name }});
{% endfor %}
  return 0;
}

#ifndef MODEL_NO_MAIN

namespace {

constexpr int kAsExpected = 0, kOther = 1, kFailed = 2;

// Steps of integers, and parts of the largest value of floats, that optimized kernels may miss the reference kernels by.
constexpr double kStepsAllowed = 1.0, kPartAllowed = 1e-3;
constexpr int kMostPrinted = 16;

#ifdef MODEL_LOG_TO_STDOUT
// TFLite Micro for generic Cortex-M prints through a callback; this one ends where the C library's stdout does.
void LogToStdout(const char* text) { std::fputs(text, stdout); }
#endif

// Prints the first values of an output; whether all are what they are expected to be.
template <typename T>
bool IsAsExpected(const char* name, const T* found, const T* expected, int count, double scale, int zero_point, double allowed) {
  double largest = 0.0;
  for (int i = 0; i < count; ++i) {
    if (i < kMostPrinted) {
      MicroPrintf("%s[%d]: %.6f", name, i, scale * (static_cast<double>(found[i]) - static_cast<double>(zero_point)));
    }
    largest = std::max(largest, std::fabs(static_cast<double>(found[i]) - static_cast<double>(expected[i])));
  }
  MicroPrintf("%s: %d values, %.6g at most from what the reference kernels give", name, count, largest);
  return largest <= allowed;
}

}  // namespace

int main() {
  tflite::InitializeTarget();
#ifdef MODEL_LOG_TO_STDOUT
  RegisterDebugLogCallback(LogToStdout);
#endif

{% for port in outputs %}
  static {{ port.c_type }} {{ port.name }}[{{ port.size }}];
{% endfor %}
  if (RunInference({% for port in inputs %}kTest{{ port.constant[1:] }}, {% endfor %}{% for port in outputs %}{{ port.name }}{{ ", " if not loop.last }}{% endfor %}) != 0) return kFailed;
  bool as_expected = true;
{% for port in outputs %}
  as_expected = IsAsExpected("{{ port.name }}", {{ port.name }}, kExpected{{ port.constant[1:] }}, {{ port.size }}, {{ "static_cast<double>(%sScale), %sZeroPoint" | format(port.constant, port.constant) if port.scale is not none else "1.0, 0" }}, {{ "kStepsAllowed" if port.is_integer else "kPartAllowed * %s" | format(port.largest) }}) && as_expected;
{% endfor %}
  return as_expected ? kAsExpected : kOther;
}

#endif  // MODEL_NO_MAIN
