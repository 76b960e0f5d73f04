// The {{ entries | length }} ops that {{ source | c_comment }} uses, and no others: only kernels registered here are linked.
// Written by glyphlite {{ version }} from the file's operator codes.
#ifndef {{ guard }}
#define {{ guard }}

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

using ModelOpResolver = tflite::MicroMutableOpResolver<{{ entries | length }}>;

inline TfLiteStatus RegisterOps(ModelOpResolver& resolver) {
{% for entry in entries %}
  TF_LITE_ENSURE_STATUS(resolver.{{ entry.method }}());  // builtin code {{ entry.builtin_code }}, {{ entry.name | c_comment }}
{% endfor %}
  return kTfLiteOk;
}

#endif  // {{ guard }}
