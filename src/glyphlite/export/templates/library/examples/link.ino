// {{ sentence }}
// This sketch lets a computer run it on the board: glyphlite verify MODEL --device PORT
#include <{{ name }}_link.h>

static {{ name }}_link_t connection;

static void sendByte(uint8_t byte) { Serial.write(byte); }
static uint32_t countTime() { return micros(); }

void setup() {
  Serial.begin(115200);
  {{ name }}_link_begin(&connection, sendByte, countTime, 1000000);
}

void loop() {
  while (Serial.available() > 0) {
    {{ name }}_link_take(&connection, static_cast<uint8_t>(Serial.read()));
  }
}
