// {{ sentence }} This sketch reads what a pen drew on a touch panel; a camera's frame goes through
// {{ name }}_image_grey instead, which src/{{ name }}_image.h shows in five lines.
#include <{{ name }}.h>
#include <{{ name }}_stroke.h>
{% if "sure" in modules %}
#include <{{ name }}_sure.h>
{% endif %}

static {{ name }}_arena_t arena;
static uint8_t pixels[{{ macro }}_INPUT_SIZE];
static int8_t scores[{{ macro }}_OUTPUT_SIZE];
static const char *const labels[] = {{ macro }}_LABELS;

// A panel of 240 x 240: your driver adds a point whenever the pen moves. This one drew a hook.
static const int16_t PANEL_SIDE = 240;
static const {{ name }}_point_t points[] = { { 70, 60, 0 }, { 160, 60, 1 }, { 130, 120, 1 }, { 100, 190, 1 } };

void setup() {
  Serial.begin(115200);
  while (!Serial && millis() < 5000) {}  // boards with USB of their own lose what is printed before the monitor opens
  if ({{ name }}_stroke(points, sizeof points / sizeof points[0], PANEL_SIDE / 14, pixels) != {{ macro }}_STROKE_OK) {
    Serial.println("nothing was drawn");
    return;
  }
{% if "sure" in modules %}
  const int answer = {{ name }}_classify_sure(pixels, scores, &arena);
  Serial.print(answer == {{ macro }}_NOT_SURE ? "not sure" : labels[answer]);
  Serial.print(", certainty ");
  Serial.print({{ name }}_certainty(scores) / 100);
  Serial.println(" %");
{% else %}
  Serial.println(labels[{{ name }}_classify(pixels, scores, &arena)]);
{% endif %}
}

void loop() {}
