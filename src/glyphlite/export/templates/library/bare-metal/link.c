/* {{ sentence }} Lets a computer run it on bare metal, over the first serial port of QEMU's boards:
 * glyphlite verify MODEL --device PORT. On a chip of yours the five functions in front are what you write anew. */
#include "{{ name }}_link.h"

#if defined(__riscv)

/* An NS16550 and the machine timer of QEMU's "virt" (QEMU, hw/riscv/virt.c). */
#define SERIAL ((volatile uint8_t *)0x10000000u)
#define TIMER ((volatile uint32_t *)0x0200BFF8u)
enum { TICKS_PER_SECOND = 10000000 };

static void open_port(void) {}

static int has_byte(void) {
    return (SERIAL[5] & 0x01) != 0; /* the line status register */
}

static uint8_t take_byte(void) {
    return SERIAL[0];
}

static void send_byte(uint8_t byte) {
    while ((SERIAL[5] & 0x20) == 0) {
    }
    SERIAL[0] = byte;
}

static uint32_t count_time(void) {
    return TIMER[0];
}

#elif defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__)

/* UART 0 and timer 0 of Arm's MPS2 boards, at 25 MHz (Arm DDI0479, chapters 4.2 and 4.3; QEMU, hw/arm/mps2.c). */
#define TIMER ((volatile uint32_t *)0x40000000u)  /* control, value, reload */
#define SERIAL ((volatile uint32_t *)0x40004000u) /* data, state, control, interrupts, divider */
enum { TICKS_PER_SECOND = 25000000 };

static void open_port(void) {
    SERIAL[4] = TICKS_PER_SECOND / 115200;
    SERIAL[2] = 3; /* sends and receives */
    TIMER[2] = UINT32_MAX;
    TIMER[1] = UINT32_MAX;
    TIMER[0] = 1; /* counts down */
}

static int has_byte(void) {
    return (SERIAL[1] & 2u) != 0;
}

static uint8_t take_byte(void) {
    return (uint8_t)SERIAL[0];
}

static void send_byte(uint8_t byte) {
    while ((SERIAL[1] & 1u) != 0) {
    }
    SERIAL[0] = byte;
}

static uint32_t count_time(void) {
    return UINT32_MAX - TIMER[1];
}

#else
#error "QEMU's boards of this core have another serial port: write these five functions for it"
#endif

int main(void) {
    static {{ name }}_link_t link;
    open_port();
    {{ name }}_link_begin(&link, send_byte, count_time, TICKS_PER_SECOND);
    for (;;) {
        if (has_byte()) {
            {{ name }}_link_take(&link, take_byte());
        }
    }
}
