/* {{ sentence }} For a Raspberry Pi Pico: the check and its time, once a second on USB and UART. */
#include <stdio.h>

#include "pico/stdlib.h"
#include "pico/time.h"
#include "{{ name }}_check.h"

int main(void) {
    stdio_init_all();
    for (;;) {
        const uint64_t start = time_us_64();
        const int different = {{ name }}_check();
        printf("{{ name }}: %d bytes differ from TensorFlow Lite Micro's, %llu microseconds\n", different, time_us_64() - start);
        sleep_ms(1000);
    }
}
