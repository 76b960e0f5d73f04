/* {{ sentence }} */
#include <stdio.h>

#include "{{ name }}.h"
#include "{{ name }}_check.h"

void app_main(void) {
    printf("{{ name }}: %d bytes differ from TensorFlow Lite Micro's\n", {{ name }}_check());
}
