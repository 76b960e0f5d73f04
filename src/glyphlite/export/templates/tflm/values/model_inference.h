// What firmware calls. Build with MODEL_NO_MAIN to bring your own main().
#ifndef {{ guard }}
#define {{ guard }}

#include <cstdint>

{% for port in inputs + outputs %}
constexpr int {{ port.size }} = {{ port.elements }};  // {{ port.words | c_comment }}
{% endfor %}

{% for port in inputs + outputs if port.scale is not none %}
// Of {{ port.name }}: real = scale * (stored - zero point).
constexpr float {{ port.constant }}Scale = {{ port.scale }};
constexpr int {{ port.constant }}ZeroPoint = {{ port.zero_point }};
{% endfor %}

// Runs the model once on values as its tensors store them, and prints what happens on the way.
{% if keeps_state %}
// What the model keeps from call to call goes on; a new sequence needs a reset of the interpreter.
{% endif %}
// Returns 0, or -1 after a message that says what to do.
int RunInference({% for port in inputs %}const {{ port.c_type }}* {{ port.name }}, {% endfor %}{% for port in outputs %}{{ port.c_type }}* {{ port.name }}{{ ", " if not loop.last }}{% endfor %});

#endif  // {{ guard }}
