/* The functions of {{ name }}.h: each calls the build of {{ name }} that fits the processor best. */
#include "{{ name }}_dispatch.h"

#if {{ macro }}_DISPATCHES
#include "../{{ name }}.h"

{% for variant in variants %}
#if {{ macro }}_HAS_{{ variant.name | upper }}
{% for function in functions %}
{{ function.type }} {{ name }}_{{ variant.name }}_{{ function.name }}({{ function.parameters }});
{% endfor %}
#endif
{% endfor %}
{% for function in functions %}
{{ function.type }} {{ name }}_baseline_{{ function.name }}({{ function.parameters }});
{% endfor %}

enum { UNKNOWN, BASELINE{% for variant in variants %}, {{ variant.name | upper }}{% endfor %} };

#if defined(__x86_64__)
#include <cpuid.h>

/* What the processor has, and the system saves when it switches tasks (Intel's manual, volume 1, chapters 14 and 15). */
static int best(void) {
    unsigned a, b, c, d, saved, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & (1U << 27)) == 0) { /* OSXSAVE */
        return BASELINE;
    }
    __asm__ volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    if ((saved & 6) != 6 || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || (b & (1U << 5)) == 0) { /* AVX2 */
        return BASELINE;
    }
    const unsigned wide = 1U << 16 | 1U << 30 | 1U << 31; /* AVX512F, BW and VL */
    if ({{ macro }}_HAS_AVX512_VNNI && (saved & 0xE6) == 0xE6 && (b & wide) == wide && (c & (1U << 11)) != 0) {
        return AVX512_VNNI;
    }
    if ({{ macro }}_HAS_AVX_VNNI && a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1U << 4)) != 0) {
        return AVX_VNNI;
    }
    return AVX2;
}
#else
#include <sys/auxv.h>

/* Bits of Linux's hwcap.h. */
static int best(void) {
    if ((getauxval(AT_HWCAP) & (1UL << 20)) == 0) { /* ASIMDDP */
        return BASELINE;
    }
    return {{ macro }}_HAS_I8MM && (getauxval(AT_HWCAP2) & (1UL << 13)) != 0 ? I8MM : DOTPROD;
}
#endif

/* Asks once, as virtual machines take long to answer; threads that ask together find the same. */
static int chosen(void) {
    static int found = UNKNOWN;
    int known = __atomic_load_n(&found, __ATOMIC_RELAXED);
    if (known == UNKNOWN) {
        known = best();
        __atomic_store_n(&found, known, __ATOMIC_RELAXED);
    }
    return known;
}

{% for function in functions %}
{{ function.type }} {{ name }}_{{ function.name }}({{ function.parameters }}) {
    switch (chosen()) {
{% for variant in variants %}
#if {{ macro }}_HAS_{{ variant.name | upper }}
    case {{ variant.name | upper }}:
        {{ "return " if function.type == "int" }}{{ name }}_{{ variant.name }}_{{ function.name }}({{ function.arguments }});
{% if function.type == "void" %}
        break;
{% endif %}
#endif
{% endfor %}
    default:
        {{ "return " if function.type == "int" }}{{ name }}_baseline_{{ function.name }}({{ function.arguments }});
    }
}

{% endfor %}
#else
typedef int {{ name }}_dispatch_is_empty;
#endif
