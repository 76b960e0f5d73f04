/* {{ name }} for {{ variant.words }}, whatever flags this is compiled with: {{ name }}_dispatch.c calls it where the processor is one. */
#include "{{ name }}_dispatch.h"

#if {{ macro }}_HAS_{{ variant.name | upper }}
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include {{ "<immintrin.h>" if variant.family == "x86" else "<arm_neon.h>" }}

{% for ending, value in variant.macros %}
#define {{ macro }}_{{ ending }} {{ value }}
{% endfor %}
{% for function in functions %}
#define {{ name }}_{{ function.name }} {{ name }}_{{ variant.name }}_{{ function.name }}
{% endfor %}

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("{{ variant.clang }}"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("{{ variant.gnu }}")
#endif

#include "../{{ name }}.c"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
typedef int {{ name }}_{{ variant.name }}_is_empty;
#endif
