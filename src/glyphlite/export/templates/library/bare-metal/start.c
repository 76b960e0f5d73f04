/* What happens between reset and main(): the core finds its stack, variables get their first values, main() is called.
 * The names that end in _start, _end, _load and _top are addresses that sections.ld makes. */
#include <stdint.h>

#include "semihosting.h"

extern uint32_t data_load[], data_start[], data_end[]; /* variables with a first value: the values in flash, their place in RAM */
extern uint32_t bss_start[], bss_end[];                /* variables that begin as 0 */
extern uint32_t stack_top[];                           /* the end of RAM: the stack grows down from here */

int main(void);
void prepare(void);
void fault(void);

/* The first C that runs; it never returns. */
void prepare(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    /* The floating-point unit, and Helium, are off after reset: CPACR, bits 20 to 23 (Armv7-M ARM, B3.2.20). */
    volatile uint32_t *const cpacr = (volatile uint32_t *)0xE000ED88u;
    *cpacr |= 0xFu << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
    const uint32_t *from = data_load;
    for (uint32_t *to = data_start; to < data_end; ++to, ++from) {
        *to = *from;
    }
    for (uint32_t *to = bss_start; to < bss_end; ++to) {
        *to = 0;
    }
    end_program(main());
}

/* Any exception lands here: an access to no memory, a stack that overflowed, an instruction that the core has not. */
void fault(void) {
    put_text("fault\n");
    end_program(2);
}

#if defined(__riscv)
/* A RISC-V core starts at the first instruction: set the stack, say where exceptions go, jump. The number is csrw mtvec, t0:
 * some assemblers want an extension named before they take it by name. */
__asm__(
    ".section .vectors, \"ax\"\n"
    ".global reset\n"
    "reset:\n"
    "    la sp, stack_top\n"
    "    la t0, trap\n"
    "    .4byte 0x30529073\n"
    "    j prepare\n"
    ".balign 4\n"
    "trap:\n"
    "    j fault\n"
    ".text\n");
#else
/* An Arm Cortex-M core reads this table: the stack's top, where to start, and where each of its exceptions goes. */
typedef struct {
    uint32_t *stack;
    void (*handlers[15])(void);
} vectors_t;

void reset(void);
void reset(void) {
    prepare();
}

extern const vectors_t vectors;
__attribute__((section(".vectors"), used)) const vectors_t vectors = {
    stack_top,
    {reset, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault},
};
#endif
