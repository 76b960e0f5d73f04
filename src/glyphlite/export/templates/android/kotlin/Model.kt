package com.example.glyphreader

/** What the app knows of {{ file | c_comment }}. {{ banner }} */
object Model {
    const val HEIGHT = {{ height }}
    const val WIDTH = {{ width }}
    const val CHANNELS = {{ channels }}
    const val OUTPUTS = {{ outputs_count }}

    /** The meaning of the outputs: {{ kind_words }}. */
    const val OUTPUT_KIND = "{{ kind }}"
    const val OUTPUT_SCALE = {{ output_scale }}f
    const val OUTPUT_ZERO_POINT = {{ output_zero_point }}

    /** The calibration of the confidence{{ "" if certainty else ": none is known for this file" }}. */
{% if certainty %}
    val CERTAINTY: Certainty? = Certainty(
        temperature = {{ certainty.temperature }},
        least = {{ certainty.least_certainty }},
        floor = {{ certainty.floor }},
        independent = {{ "true" if certainty.independent else "false" }},
    )
{% else %}
    val CERTAINTY: Certainty? = null
{% endif %}

    /** What the model's input holds for a pixel of 0, 1, ... 255 ({{ range_words | c_comment }}), channel by channel. */
    private val STORED = listOf(
{% for table in tables %}
        byteArrayOf(
{% for line in table %}
            {{ line }}
{% endfor %}
        ),
{% endfor %}
    )

    /** The model's input for a picture, rows first. */
    fun inputOf(pixels: ByteArray) = ByteArray(pixels.size * CHANNELS) { i ->
        STORED[i % CHANNELS][pixels[i / CHANNELS].toInt() and 0xff]
    }
}
