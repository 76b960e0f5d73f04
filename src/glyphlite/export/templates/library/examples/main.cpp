// {{ sentence }}
#include <Arduino.h>

#include "{{ name }}.h"
#include "{{ name }}_check.h"

void setup() {
    Serial.begin(115200);
    while (!Serial && millis() < 5000) {}  // boards with USB of their own lose what is printed before the monitor opens
    Serial.print("{{ name }}: ");
    Serial.print({{ name }}_check());
    Serial.println(" bytes differ from TensorFlow Lite Micro's");
}

void loop() {}
