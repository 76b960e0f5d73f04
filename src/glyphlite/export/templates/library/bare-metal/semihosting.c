/* Arm's semihosting for AArch32 and AArch64, and the same calls of RISC-V's semihosting specification. */
#include "semihosting.h"

#include <stdint.h>

enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20 };
enum { STOPPED_APPLICATION_EXIT = 0x20026 };

/* Asks the host: the number of the call in the first register, its argument in the second. */
static void ask(uintptr_t call, uintptr_t argument) {
#if defined(__riscv)
    register uintptr_t a0 __asm__("a0") = call;
    register uintptr_t a1 __asm__("a1") = argument;
    /* The two shifts of x0 do nothing; they tell this ebreak from a breakpoint. */
    __asm__ volatile(
        ".option push\n\t.option norvc\n\t.balign 16\n\t"
        "slli x0, x0, 0x1f\n\tebreak\n\tsrai x0, x0, 7\n\t.option pop"
        : "+r"(a0)
        : "r"(a1)
        : "memory");
#else
    register uintptr_t r0 __asm__("r0") = call;
    register uintptr_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
#endif
}

void put_text(const char *text) {
    ask(SYS_WRITE0, (uintptr_t)text);
}

void put_number(int number) {
    char digits[12];
    char *first = digits + sizeof digits - 1;
    unsigned rest = number < 0 ? 0u - (unsigned)number : (unsigned)number;
    *first = '\0';
    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) {
        *--first = '-';
    }
    put_text(first);
}

void end_program(int status) {
    const uintptr_t block[2] = {STOPPED_APPLICATION_EXIT, (uintptr_t)status};
    for (;;) {
        ask(SYS_EXIT_EXTENDED, (uintptr_t)block);
    }
}
