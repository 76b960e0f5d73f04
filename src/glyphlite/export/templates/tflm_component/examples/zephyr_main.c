/* {{ name }} with TensorFlow Lite Micro on Zephyr. */
#include <zephyr/sys/printk.h>

#include "{{ name }}_check.h"

int main(void) {
    printk("{{ name }}: %d values differ from TensorFlow Lite Micro's reference kernels\n", {{ name }}_check());
    return 0;
}
