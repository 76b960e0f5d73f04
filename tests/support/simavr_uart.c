/* An AVR under simavr whose first UART is standard input and output: simavr_uart PROGRAM.elf CHIP. Runs until its input ends. */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>

enum { INSTRUCTIONS = 2000 }; /* between two looks at the input */

static int takes_bytes = 1;

static void sent(struct avr_irq_t *irq, uint32_t value, void *unused) {
    (void)irq;
    (void)unused;
    const uint8_t byte = (uint8_t)value;
    if (write(STDOUT_FILENO, &byte, 1) != 1) {
        exit(0);
    }
}

static void on(struct avr_irq_t *irq, uint32_t value, void *unused) {
    (void)irq;
    (void)unused;
    (void)value;
    takes_bytes = 1;
}

static void off(struct avr_irq_t *irq, uint32_t value, void *unused) {
    (void)irq;
    (void)unused;
    (void)value;
    takes_bytes = 0;
}

int main(int count, char **words) {
    elf_firmware_t firmware;
    memset(&firmware, 0, sizeof firmware);
    if (count != 3 || elf_read_firmware(words[1], &firmware) != 0) {
        return 2;
    }
    avr_t *avr = avr_make_mcu_by_name(words[2]);
    if (avr == NULL) {
        return 2;
    }
    avr_init(avr);
    firmware.frequency = 16000000;
    avr_load_firmware(avr, &firmware);
    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    avr_irq_t *input = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), sent, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), on, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), off, NULL);
    for (;;) {
        struct pollfd ready = {STDIN_FILENO, POLLIN, 0};
        uint8_t byte;
        if (takes_bytes && poll(&ready, 1, 0) > 0) {
            if (read(STDIN_FILENO, &byte, 1) != 1) {
                return 0;
            }
            avr_raise_irq(input, byte);
        }
        for (int i = 0; i < INSTRUCTIONS; ++i) {
            const int state = avr_run(avr);
            if (state == cpu_Done || state == cpu_Crashed) {
                return 3;
            }
        }
    }
}
