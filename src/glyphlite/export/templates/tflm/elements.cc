// Null, after a message, unless the tensor holds what this program was written for.
template <typename T>
T* Elements(TfLiteTensor* tensor, const char* name, std::size_t count) {
  if (tensor == nullptr || tensor->type != tflite::typeToTfLiteType<T>() || tensor->bytes != count * sizeof(T)) {
    MicroPrintf("The %s is not %u elements of %s. This program and model_data must come from the same export: export again.", name,
                ToUnsigned(count), TfLiteTypeGetName(tflite::typeToTfLiteType<T>()));
    return nullptr;
  }
  return tflite::GetTensorData<T>(tensor);
}
