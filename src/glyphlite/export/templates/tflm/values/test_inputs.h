// {{ sample | c_comment }} as the model stores it, and what TFLite Micro's reference kernels give for it.
// Written by glyphlite {{ version }}.
#ifndef {{ guard }}
#define {{ guard }}

#include <cstdint>

{% for port in inputs %}
constexpr {{ port.c_type }} kTest{{ port.constant[1:] }}[{{ port.elements }}] = {
{{ port.values }}
};

{% endfor %}
{% for port in outputs %}
constexpr {{ port.c_type }} kExpected{{ port.constant[1:] }}[{{ port.elements }}] = {
{{ port.values }}
};

{% endfor %}
#endif  // {{ guard }}
