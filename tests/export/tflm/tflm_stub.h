// The declarations of TFLite Micro that an exported project uses, and no code: enough to compile its files with every warning on,
// where there is no TFLite Micro. Signatures as in tensorflow/lite/micro at 90b983c2b3f1; the test that links the real library is
// test_tflm.py's, with GLYPHLITE_TFLM_DIR.
#pragma once

#include <cstddef>
#include <cstdint>

#define TFLITE_SCHEMA_VERSION (3)
#define TF_LITE_ENSURE_STATUS(a)       \
  do {                                 \
    const TfLiteStatus s = (a);        \
    if (s != kTfLiteOk) return s;      \
  } while (0)

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };
enum TfLiteType { kTfLiteNoType = 0, kTfLiteFloat32 = 1, kTfLiteUInt8 = 3, kTfLiteInt16 = 7, kTfLiteInt8 = 9 };
struct TfLiteIntArray {
  int size;
  int data[1];
};
struct TfLiteQuantizationParams {
  float scale;
  std::int32_t zero_point;
};
struct TfLiteTensor {
  TfLiteType type;
  TfLiteQuantizationParams params;
  std::size_t bytes;
  TfLiteIntArray* dims;
};
const char* TfLiteTypeGetName(TfLiteType type);

#ifdef __GNUC__
__attribute__((format(printf, 1, 2)))
#endif
void MicroPrintf(const char* format, ...);

typedef void (*DebugLogCallback)(const char* s);
extern "C" void RegisterDebugLogCallback(DebugLogCallback callback);

namespace flatbuffers {
template <typename T>
struct Vector {
  T Get(std::uint32_t i) const;
  std::uint32_t size() const;
};
}  // namespace flatbuffers

namespace tflite {
enum BuiltinOperator : std::int32_t {};
struct OperatorCode {
  std::int8_t deprecated_builtin_code() const;
  BuiltinOperator builtin_code() const;
};
struct Operator {
  std::uint32_t opcode_index() const;
};
struct SubGraph {
  const flatbuffers::Vector<const Operator*>* operators() const;
};
struct Model {
  std::uint32_t version() const;
  const flatbuffers::Vector<const OperatorCode*>* operator_codes() const;
  const flatbuffers::Vector<const SubGraph*>* subgraphs() const;
};
const Model* GetModel(const void* buffer);
void InitializeTarget();
template <typename T>
constexpr TfLiteType typeToTfLiteType() {
  return kTfLiteNoType;
}
template <typename T>
T* GetTensorData(TfLiteTensor* tensor);

template <unsigned int tOpCount>
struct MicroMutableOpResolver {
  TfLiteStatus AddAdd();
  TfLiteStatus AddAssignVariable();
  TfLiteStatus AddCallOnce();
  TfLiteStatus AddConv2D();
  TfLiteStatus AddMaxPool2D();
  TfLiteStatus AddReadVariable();
  TfLiteStatus AddReshape();
  TfLiteStatus AddFullyConnected();
  TfLiteStatus AddSoftmax();
  TfLiteStatus AddVarHandle();
};

struct MicroAllocator {
  static MicroAllocator* Create(std::uint8_t* arena, std::size_t arena_bytes);
};

struct MicroResourceVariables {
  static MicroResourceVariables* Create(MicroAllocator* allocator, int variables);
};

struct MicroInterpreter {
  template <typename Resolver>
  MicroInterpreter(const Model* model, const Resolver& resolver, MicroAllocator* allocator, MicroResourceVariables* variables);
  template <typename Resolver>
  MicroInterpreter(const Model* model, const Resolver& resolver, std::uint8_t* arena, std::size_t arena_bytes);
  TfLiteStatus AllocateTensors();
  TfLiteStatus Invoke();
  TfLiteTensor* input(std::size_t index);
  TfLiteTensor* output(std::size_t index);
  const flatbuffers::Vector<std::int32_t>& inputs() const;
  std::size_t arena_used_bytes() const;
};
}  // namespace tflite
