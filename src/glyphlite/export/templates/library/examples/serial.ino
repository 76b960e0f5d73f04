// {{ sentence }} This sketch checks it on the board and prints how long an inference takes.
#include <{{ name }}.h>
#include <{{ name }}_check.h>

void setup() {
  Serial.begin(115200);
  while (!Serial && millis() < 5000) {}  // boards with USB of their own lose what is printed before the monitor opens
  const unsigned long start = micros();
  const int different = {{ name }}_check();
  const unsigned long time = micros() - start;
  Serial.print("{{ name }}: ");
  Serial.print(different);
  Serial.print(" bytes differ from TensorFlow Lite Micro's, ");
  Serial.print(time);
  Serial.println(" microseconds");
}

void loop() {}
