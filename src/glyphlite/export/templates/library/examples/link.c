/* {{ sentence }}
 * This program lets another one run it over standard input and output, as a board does over its serial port:
 * glyphlite verify MODEL --device PORT, with PORT a pseudo-terminal of this program. */
#include <stdio.h>
#include <time.h>

#include "{{ name }}_link.h"

static void send_byte(uint8_t byte) {
    (void)putchar(byte);
}

static uint32_t count_time(void) {
    return (uint32_t)clock();
}

int main(void) {
    static {{ name }}_link_t link;
    int byte;
    {{ name }}_link_begin(&link, send_byte, count_time, (uint32_t)CLOCKS_PER_SEC);
    while ((byte = getchar()) != EOF) {
        {{ name }}_link_take(&link, (uint8_t)byte);
        (void)fflush(stdout);
    }
    return 0;
}
