// {{ source | c_comment }} as a C array, written by glyphlite {{ version }}.
// SHA-256 of the .tflite: {{ sha256 }}
#ifndef {{ guard }}
#define {{ guard }}

#ifdef __cplusplus
extern "C" {
#endif

// The whole .tflite file, {{ bytes | thousands }} bytes, aligned to {{ alignment }} bytes as TFLite Micro reads it in place.
extern const unsigned char {{ name }}_data[];
extern const unsigned int {{ name }}_data_length;

#ifdef __cplusplus
}
#endif

#endif  // {{ guard }}
