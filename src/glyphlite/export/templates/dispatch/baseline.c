/* {{ name }} for every processor that the compiler's flags allow: {{ name }}_dispatch.c calls it where the processor has nothing better. */
#include "{{ name }}_dispatch.h"

#if defined({{ macro }}_DISPATCH)
#if {{ macro }}_DISPATCHES
{% for function in functions %}
#define {{ name }}_{{ function.name }} {{ name }}_baseline_{{ function.name }}
{% endfor %}
#endif

#include "../{{ name }}.c"
#else
typedef int {{ name }}_baseline_is_empty;
#endif
