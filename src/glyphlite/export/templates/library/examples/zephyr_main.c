/* {{ sentence }} */
#include <zephyr/sys/printk.h>

#include "{{ name }}.h"
#include "{{ name }}_check.h"

int main(void) {
    printk("{{ name }}: %d bytes differ from TensorFlow Lite Micro's\n", {{ name }}_check());
    return 0;
}
