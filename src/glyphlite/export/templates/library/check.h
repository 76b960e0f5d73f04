/* A check that {{ name }} computes on this device what it computes elsewhere. {{ banner }} */
#ifndef GLYPHLITE_CHECK_{{ macro }}
#define GLYPHLITE_CHECK_{{ macro }}

#include "{{ name }}.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs the sample and returns how many bytes of its outputs differ from TensorFlow Lite Micro's; 0 is right.
 * The sample: {{ sample_words | c_comment }}. Program and arena of the check take memory only where it is called. */
int {{ name }}_check(void);

#ifdef __cplusplus
}
#endif

#endif
