// {{ source | c_comment }} as a C array, written by glyphlite {{ version }}.
// SHA-256 of the .tflite: {{ sha256 }}
#include "model_data.h"

alignas({{ alignment }}) const unsigned char {{ name }}_data[] = {
{{ array }}
};
const unsigned int {{ name }}_data_length = sizeof({{ name }}_data);
