/* The board's side of `glyphlite verify MODEL --device PORT`: see {{ name }}_link.h. {{ banner }} */
#include "{{ name }}_link.h"

#include <stddef.h>

enum { END = 0xC0, ESC = 0xDB, ESC_END = 0xDC, ESC_ESC = 0xDD };
enum { WRONG_CRC = 1, WRONG_LENGTH = 2, UNKNOWN_TYPE = 3 };

#if defined(__AVR__)
#define LINK_FLASH __flash /* constants are copied to RAM else */
#else
#define LINK_FLASH
#endif

/* SHA-256 of {{ source | c_comment }}. */
static const LINK_FLASH uint8_t digest[32] = {
    {{ digest[:16] | join(", ") }},
    {{ digest[16:] | join(", ") }}
};

/* A core that `glyphlite simulate` knows and that has the instructions this is built for; others may have them, too. */
#if defined({{ macro }}_PLAIN) || defined({{ macro }}_PORTABLE)
#define CORE ""
{% for core in cores %}
#elif {{ core.built_for }}
#define CORE "{{ core.name }}"
{% endfor %}
#else
#define CORE ""
#endif
static const LINK_FLASH char core[] = CORE;

static uint16_t with_byte(uint16_t crc, uint8_t byte) {
    uint16_t result = (uint16_t)(crc ^ (uint16_t)((uint16_t)byte << 8));
    for (uint8_t bit = 0; bit < 8; ++bit) {
        result = (uint16_t)((result & 0x8000U) != 0 ? (uint16_t)(result << 1) ^ 0x1021U : (uint16_t)(result << 1));
    }
    return result;
}

static void send_escaped(const {{ name }}_link_t *link, uint8_t byte) {
    if (byte == END || byte == ESC) {
        link->send(ESC);
        link->send(byte == END ? ESC_END : ESC_ESC);
    } else {
        link->send(byte);
    }
}

/* Sends a byte of a frame, which counts for its CRC. */
static void put({{ name }}_link_t *link, uint8_t byte) {
    link->crc = with_byte(link->crc, byte);
    send_escaped(link, byte);
}

static void put_number({{ name }}_link_t *link, uint32_t number, uint8_t bytes) {
    for (uint8_t i = 0; i < bytes; ++i) {
        put(link, (uint8_t)(number >> (8 * i)));
    }
}

/* An answer begins with the end of whatever was on the line before. */
static void begin_answer({{ name }}_link_t *link, uint8_t type) {
    link->crc = 0xFFFF;
    link->send(END);
    put(link, type);
}

static void end_answer({{ name }}_link_t *link) {
    const uint16_t crc = link->crc;
    send_escaped(link, (uint8_t)(crc >> 8));
    send_escaped(link, (uint8_t)crc);
    link->send(END);
}

static void refuse({{ name }}_link_t *link, uint8_t reason) {
    begin_answer(link, 'e');
    put(link, reason);
    end_answer(link);
}

static void greet({{ name }}_link_t *link) {
    begin_answer(link, 'h');
    put(link, {{ macro }}_LINK_VERSION);
    put(link, (uint8_t)({{ 1 if has_state else 0 }} | (link->ticks != NULL ? 2 : 0)));
    put_number(link, {{ macro }}_LINK_INPUT_BYTES, 4);
    put_number(link, {{ macro }}_LINK_OUTPUT_BYTES, 4);
    put_number(link, link->ticks_per_second, 4);
    for (uint8_t i = 0; i < 32; ++i) {
        put(link, digest[i]);
    }
    put_number(link, (uint32_t){{ macro }}_LINK_HERTZ, 4);
    for (uint8_t i = 0; core[i] != '\0'; ++i) {
        put(link, (uint8_t)core[i]);
    }
    end_answer(link);
}

static void begin_again({{ name }}_link_t *link) {
    link->inferences = 0;
{% if has_state %}
    {{ name }}_reset(&link->state);
{% endif %}
}

static void infer({{ name }}_link_t *link) {
    const uint32_t start = link->ticks != NULL ? link->ticks() : 0;
    {{ name }}_memory_invoke({{ "&link->state, " if has_state }}&link->memory);
    const uint32_t taken = link->ticks != NULL ? link->ticks() - start : 0;
    link->inferences = (uint16_t)(link->inferences + 1U);
    begin_answer(link, 'o');
    put(link, link->number);
    put_number(link, link->inferences, 2);
    put_number(link, taken, 4);
{% for edge in outputs %}
    {
        const uint8_t *values = (const uint8_t *){{ name }}_memory_{{ edge.name }}(&link->memory);
        for (uint32_t i = 0; i < {{ edge.bytes }}; ++i) {
            put(link, values[i]);
        }
    }
{% endfor %}
    end_answer(link);
}

/* Puts byte number `at` of the inputs where the model finds it. */
static void store({{ name }}_link_t *link, uint32_t at, uint8_t byte) {
{% for edge in inputs %}
{% if not loop.last %}
    if (at < {{ edge.bytes }}) {
        ((uint8_t *){{ name }}_memory_{{ edge.name }}(&link->memory))[at] = byte;
        return;
    }
    at -= {{ edge.bytes }};
{% else %}
    if (at < {{ edge.bytes }}) {
        ((uint8_t *){{ name }}_memory_{{ edge.name }}(&link->memory))[at] = byte;
    }
{% endif %}
{% endfor %}
}

/* Does what a whole frame asks for. */
static void answer({{ name }}_link_t *link) {
    const uint16_t crc = (uint16_t)((uint16_t)((uint16_t)link->last[0] << 8) | link->last[1]);
    const uint32_t data = link->received - 3; /* without type and CRC */
    if (link->crc != crc) {
        refuse(link, WRONG_CRC);
    } else if (link->type != 'H' && link->type != 'R' && link->type != 'I') {
        refuse(link, UNKNOWN_TYPE);
    } else if (data != (link->type == 'I' ? (uint32_t){{ macro }}_LINK_INPUT_BYTES + 1U : 0U)) {
        refuse(link, WRONG_LENGTH);
    } else if (link->type == 'H') {
        greet(link);
    } else if (link->type == 'R') {
        begin_again(link);
        begin_answer(link, 'r');
        end_answer(link);
    } else {
        infer(link);
    }
}

void {{ name }}_link_begin({{ name }}_link_t *link, void (*send)(uint8_t byte), uint32_t (*ticks)(void),
        uint32_t ticks_per_second) {
    link->send = send;
    link->ticks = ticks;
    link->ticks_per_second = ticks != NULL ? ticks_per_second : 0;
    link->received = 0;
    link->crc = 0xFFFF;
    link->is_escaped = 0;
    begin_again(link);
}

void {{ name }}_link_take({{ name }}_link_t *link, uint8_t byte) {
    if (byte == END) {
        if (link->received >= 3) {
            answer(link);
        } else if (link->received > 0) {
            refuse(link, WRONG_LENGTH);
        }
        link->received = 0;
        link->crc = 0xFFFF;
        link->is_escaped = 0;
        return;
    }
    if (byte == ESC) {
        link->is_escaped = 1;
        return;
    }
    if (link->is_escaped != 0) {
        byte = (uint8_t)(byte == ESC_END ? END : byte == ESC_ESC ? ESC : byte);
        link->is_escaped = 0;
    }
    /* The last two bytes are the CRC, and which these are is known at the end: each byte counts two bytes later. */
    if (link->received >= 2) {
        const uint8_t known = link->last[0];
        link->crc = with_byte(link->crc, known);
        if (link->received == 2) {
            link->type = known;
        } else if (link->received == 3) {
            link->number = known;
        } else {
            store(link, link->received - 4, known);
        }
    }
    link->last[0] = link->last[1];
    link->last[1] = byte;
    if (link->received < UINT32_MAX) {
        ++link->received;
    }
}
