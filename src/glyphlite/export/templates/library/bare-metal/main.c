/* {{ sentence }} Without an operating system and without a C library: start.c calls main() straight from reset.
 * Your own program would read a sensor here and call {{ name }}_invoke; this one runs the sample that came with the model. */
#include "semihosting.h"
#include "{{ name }}_check.h"

int main(void) {
    const int different = {{ name }}_check();
    put_text("{{ name }}: ");
    put_number(different);
    put_text(" bytes differ from TensorFlow Lite Micro's\n");
    return different == 0 ? 0 : 1; /* becomes QEMU's exit status */
}
