/* A check that {{ name }} computes on this device what it computes elsewhere. {{ banner }} */
#include "{{ name }}_check.h"

{% for edge in inputs %}
static const {{ edge.element_type }}_t check_{{ edge.name }}[{{ edge.values | length }}] = {
    {{ edge.text }}
};
{% endfor %}
{% for edge in outputs %}
static const {{ edge.element_type }}_t expected_{{ edge.name }}[{{ edge.values | length }}] = {
    {{ edge.text }}
};
{% endfor %}

int {{ name }}_check(void) {
    static {{ name }}_arena_t arena;
{% if has_state %}
    static {{ name }}_state_t state;
{% endif %}
{% for edge in outputs %}
    static {{ edge.element_type }}_t {{ edge.name }}[{{ edge.values | length }}];
{% endfor %}
    int different = 0;
{% if has_state %}
    {{ name }}_reset(&state);
{% endif %}
    {{ name }}_invoke({% for edge in inputs %}check_{{ edge.name }}, {% endfor %}{% for edge in outputs %}{{ edge.name }}, {% endfor %}{{ "&state, " if has_state }}&arena);
{% for edge in outputs %}
    for (int i = 0; i < {{ edge.values | length }}; ++i) {
        different += {{ edge.name }}[i] != expected_{{ edge.name }}[i];
    }
{% endfor %}
    return different;
}
