// {{ source | c_comment }} as a C array, written by glyphlite {{ version }}.
// SHA-256 of the .tflite: {{ sha256 }}
#include "model_data.h"

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define MODEL_DATA_ALIGNED _Alignas({{ alignment }})
#elif defined(__GNUC__)
#define MODEL_DATA_ALIGNED __attribute__((aligned({{ alignment }})))
#else
#error "compile model_data.c as C11 or newer: the model must be aligned to {{ alignment }} bytes"
#endif

MODEL_DATA_ALIGNED const unsigned char {{ name }}_data[] = {
{{ array }}
};
const unsigned int {{ name }}_data_length = sizeof({{ name }}_data);
