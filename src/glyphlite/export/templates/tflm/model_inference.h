// What firmware calls. Build with MODEL_NO_MAIN to bring your own main().
#ifndef {{ guard }}
#define {{ guard }}

#include <cstdint>

constexpr int kImageBytes = {{ image.bytes }};  // {{ image.shape | join(" x ") }}: {{ axes }}
constexpr int kClasses = {{ classes }};

// Classifies one image and prints what happens on the way.
//   pixels          kImageBytes bytes, row by row, 0 background to 255 ink
//   expected_class  what it should be, for the log; -1 when unknown
// Returns the predicted class, or -1 after a message that says what to do.
int RunInference(const std::uint8_t* pixels, int expected_class);

#endif  // {{ guard }}
