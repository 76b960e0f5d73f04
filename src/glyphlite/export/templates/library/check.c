/* A check that {{ name }} computes on this device what it computes elsewhere. {{ banner }} */
#include "{{ name }}_check.h"

/* On AVR constants lie in RAM, too, unless they say so. */
#if defined(__AVR__) && defined(__FLASH)
#define CHECK_FLASH __flash
#else
#define CHECK_FLASH
#endif

{% for edge in inputs if edge.in_memory %}
static const CHECK_FLASH {{ edge.element_type }}_t check_{{ edge.name }}[{{ edge.values | length }}] = {
    {{ edge.text }}
};
{% endfor %}
{% for edge in outputs %}
static const CHECK_FLASH {{ edge.element_type }}_t expected_{{ edge.name }}[{{ edge.values | length }}] = {
    {{ edge.text }}
};
{% endfor %}

int {{ name }}_check(void) {
    static {{ name }}_memory_t memory; /* inputs and outputs in the arena: the least RAM */
{% if has_state %}
    static {{ name }}_state_t state;
{% endif %}
    int different = 0;
{% if has_state %}
    {{ name }}_reset(&state);
{% endif %}
{% for edge in inputs if edge.in_memory %}
    {{ edge.element_type }}_t *{{ edge.name }} = {{ name }}_memory_{{ edge.name }}(&memory);
    for (int i = 0; i < {{ edge.values | length }}; ++i) {
        {{ edge.name }}[i] = check_{{ edge.name }}[i];
    }
{% endfor %}
    {{ name }}_memory_invoke({{ "&state, " if has_state }}&memory);
{% for edge in outputs %}
    const {{ edge.element_type }}_t *{{ edge.name }} = {{ name }}_memory_{{ edge.name }}(&memory);
    for (int i = 0; i < {{ edge.values | length }}; ++i) {
        different += {{ edge.name }}[i] != expected_{{ edge.name }}[i];
    }
{% endfor %}
    return different;
}
