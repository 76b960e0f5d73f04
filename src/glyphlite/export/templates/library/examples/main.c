/* {{ sentence }} */
#include <stdio.h>

#include "{{ name }}.h"
#include "{{ name }}_check.h"

int main(void) {
    const int different = {{ name }}_check();
    printf("{{ name }}: %d bytes differ from TensorFlow Lite Micro's\n", different);
    return different == 0 ? 0 : 1;
}
