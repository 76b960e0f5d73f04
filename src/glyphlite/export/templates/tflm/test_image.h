// {{ image.source | c_comment }}, class {{ image.label | c_comment }}: one byte a pixel, 0 background to 255 ink.
// Written by glyphlite {{ version }}.
#ifndef {{ guard }}
#define {{ guard }}

#include <cstdint>

constexpr int kTestImageClass = {{ image.class_index }};  // {{ image.label | c_comment }}

constexpr std::uint8_t kTestImage[{{ image.bytes }}] = {
{% for row in image.rows %}
    {%+ for pixel in row %}{{ "%3d" | format(pixel) }},{% if not loop.last %} {% endif %}{% endfor %}

{% endfor %}
};

#endif  // {{ guard }}
