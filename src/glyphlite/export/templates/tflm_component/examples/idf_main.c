/* {{ name }} with TensorFlow Lite Micro on an ESP32. */
#include <stdio.h>

#include "{{ name }}_check.h"

void app_main(void) {
    printf("{{ name }}: %d values differ from TensorFlow Lite Micro's reference kernels\n", {{ name }}_check());
}
