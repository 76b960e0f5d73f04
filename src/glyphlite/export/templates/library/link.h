/* The serial protocol with which `glyphlite verify MODEL --device PORT` runs {{ name }} on a board.
 * {{ banner }}
 *
 * Use, with a function that sends one byte and one that counts time:
 *     static {{ name }}_link_t link;
 *     {{ name }}_link_begin(&link, send, ticks, 1000000); // ticks a second; NULL and 0 where nothing is counted
 *     {{ name }}_link_take(&link, byte); // for each byte that arrives; answers are sent from within
 *
 * Frames, in both directions, are those of SLIP (RFC 1055): 0xC0 ends a frame, 0xDB 0xDC stands for 0xC0,
 * 0xDB 0xDD for 0xDB. A frame is a type, its data, and their CRC-16 (polynomial 0x1021, start 0xFFFF, high byte first).
 * Numbers are little-endian.
 *     host           board
 *     'H'            'h' version, flags, bytes of inputs (4), of outputs (4), ticks a second (4),
 *                    SHA-256 of the .tflite file (32), the core's clock in Hz (4; 0 where nobody says),
 *                    a core with the instructions that this was built for, in letters, up to the end
 *     'R'            'r'; the next inference begins as the first one did
 *     'I' n inputs   'o' n, inferences since 'R' or the start (2), ticks (4), outputs; n is any byte
 *     anything else  'e' reason: 1 wrong CRC, 2 wrong length, 3 unknown type
 * Flags: 1 the model keeps state between inferences, 2 ticks are counted.
 */
#ifndef GLYPHLITE_LINK_{{ macro }}
#define GLYPHLITE_LINK_{{ macro }}

#include "{{ name }}.h"

#define {{ macro }}_LINK_VERSION 1
#define {{ macro }}_LINK_INPUT_BYTES {{ input_bytes }}
#define {{ macro }}_LINK_OUTPUT_BYTES {{ output_bytes }}

/* The core's clock: define it in your build, and the cycles of an inference are known, too. */
#if !defined({{ macro }}_LINK_HERTZ) && defined(__AVR__) && defined(F_CPU)
#define {{ macro }}_LINK_HERTZ F_CPU
#elif !defined({{ macro }}_LINK_HERTZ)
#define {{ macro }}_LINK_HERTZ 0
#endif

/* What the link keeps, the model's memory among it; all of it is set by {{ name }}_link_begin. */
typedef struct {
    {{ name }}_memory_t memory;
{% if has_state %}
    {{ name }}_state_t state;
{% endif %}
    void (*send)(uint8_t byte);
    uint32_t (*ticks)(void);
    uint32_t ticks_per_second;
    uint32_t received; /* bytes of this frame */
    uint16_t crc;      /* of this frame but for its last two bytes */
    uint16_t inferences;
    uint8_t type;
    uint8_t number; /* of an inference, as the host counts */
    uint8_t last[2]; /* the two bytes before: the CRC, if the frame ends here */
    uint8_t is_escaped;
} {{ name }}_link_t;

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a link ready. */
void {{ name }}_link_begin({{ name }}_link_t *link, void (*send)(uint8_t byte), uint32_t (*ticks)(void),
        uint32_t ticks_per_second);

/* Takes one byte from the host; where it ends a frame, does what the frame asks for and sends the answer. */
void {{ name }}_link_take({{ name }}_link_t *link, uint8_t byte);

#ifdef __cplusplus
}
#endif

#endif
