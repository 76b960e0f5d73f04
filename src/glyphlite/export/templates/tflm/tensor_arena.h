// The memory that TFLite Micro plans the tensors of {{ source | c_comment }} and its own records in.
// Written by glyphlite {{ version }}.
#ifndef {{ guard }}
#define {{ guard }}

#include <cstddef>

// Found by trying: the smallest arena in which TFLite Micro accepted and ran the model, on a 64-bit host.
//   {{ "%8s" | format(arena.head_bytes | thousands) }}  activations and scratch buffers (they share memory over time)
{% for part in arena.parts %}
//   {{ "%8s" | format(part.bytes | thousands) }}  {{ part.name | c_comment }}{% if part.count is not none %} ({{ part.count }}){% endif %}

{% endfor %}
constexpr std::size_t kMeasuredArenaBytes = {{ arena.host_bytes }};

// For the target. Its pointers ask for nothing: on a 32-bit core they are half as wide as the host's, so the records above only
// shrink. The margin is 16 bytes of alignment and {{ arena.margin_bytes - 16 }} bytes of scratch buffers that optimized kernels (CMSIS-NN) may ask for.
// The program prints what it used; on your target you may set MODEL_ARENA_BYTES to just that, rounded up to 16.
constexpr std::size_t kArenaMarginBytes = {{ arena.margin_bytes }};

#ifdef MODEL_ARENA_BYTES
constexpr std::size_t kArenaBytes = MODEL_ARENA_BYTES;
#else
constexpr std::size_t kArenaBytes = kMeasuredArenaBytes + kArenaMarginBytes;  // {{ arena.recommended_bytes }}
#endif

static_assert(kArenaBytes >= 512, "TFLite Micro's own records do not fit into an arena this small: raise MODEL_ARENA_BYTES");

#endif  // {{ guard }}
