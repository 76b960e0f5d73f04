// {{ sentence }} From C++: an object that owns what the model works in, so that two of them never share it.
#include <cstdint>
#include <cstdio>

#include "{{ name }}.h"
#include "{{ name }}_check.h"

namespace {

class Model {
 public:
{% if has_state %}
  Model() { {{ name }}_reset(&state_); }

{% endif %}
  // One inference, on values as the model's tensors store them; the sizes are part of the types.
  void operator()({% for edge in inputs %}const std::{{ edge.element_type }}_t (&{{ edge.name }})[{{ edge.values | length }}], {% endfor %}{% for edge in outputs %}std::{{ edge.element_type }}_t (&{{ edge.name }})[{{ edge.values | length }}]{{ ", " if not loop.last }}{% endfor %}) {
    {{ name }}_invoke({% for edge in inputs + outputs %}{{ edge.name }}, {% endfor %}{{ "&state_, " if has_state }}&arena_);
  }

 private:
  {{ name }}_arena_t arena_;
{% if has_state %}
  {{ name }}_state_t state_;
{% endif %}
};

}  // namespace

int main() {
  static Model model;  // static: an arena is often larger than a stack
{% for edge in inputs %}
  static std::{{ edge.element_type }}_t {{ edge.name }}[{{ edge.values | length }}] = {};  // yours goes here
{% endfor %}
{% for edge in outputs %}
  static std::{{ edge.element_type }}_t {{ edge.name }}[{{ edge.values | length }}];
{% endfor %}
  model({% for edge in inputs + outputs %}{{ edge.name }}{{ ", " if not loop.last }}{% endfor %});
  std::printf("first output: %d\n", static_cast<int>({{ outputs[0].name }}[0]));
  const int different = {{ name }}_check();
  std::printf("{{ name }}: %d bytes differ from TensorFlow Lite Micro's\n", different);
  return different == 0 ? 0 : 1;
}
