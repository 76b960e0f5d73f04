alignas(16) std::uint8_t tensor_arena[kArenaBytes];

unsigned ToUnsigned(std::size_t bytes) { return static_cast<unsigned>(bytes); }

// The model in TFLite Micro's own terms: checked, its ops registered, its tensors planned. Null after a message.
tflite::MicroInterpreter* LoadModel() {
  const tflite::Model* model = tflite::GetModel({{ name }}_data);
  MicroPrintf("Model buffer length: %u bytes", {{ name }}_data_length);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    MicroPrintf("The model has schema version %u, this TFLite Micro reads %d. Export it again, or update TFLM_DIR.",
                static_cast<unsigned>(model->version()), TFLITE_SCHEMA_VERSION);
    return nullptr;
  }

  static ModelOpResolver resolver;
  if (RegisterOps(resolver) != kTfLiteOk) {
    MicroPrintf("An op could not be registered. op_resolver.h and model_data must come from the same export: export again.");
    return nullptr;
  }

{% if variables %}
  // What the model keeps from one call to the next lies in the arena, too; interpreter.Reset() fills it with its zero point.
  tflite::MicroAllocator* const allocator = tflite::MicroAllocator::Create(tensor_arena, kArenaBytes);
  tflite::MicroResourceVariables* const variables = tflite::MicroResourceVariables::Create(allocator, {{ variables }});
  static tflite::MicroInterpreter interpreter(model, resolver, allocator, variables);
{% else %}
  static tflite::MicroInterpreter interpreter(model, resolver, tensor_arena, kArenaBytes);
{% endif %}
  if (interpreter.AllocateTensors() != kTfLiteOk) {
    if (kArenaBytes < kMeasuredArenaBytes) {
      MicroPrintf("The arena of %u bytes is too small by %u bytes: %u were needed at export. Raise MODEL_ARENA_BYTES to %u.",
                  ToUnsigned(kArenaBytes), ToUnsigned(kMeasuredArenaBytes - kArenaBytes), ToUnsigned(kMeasuredArenaBytes),
                  ToUnsigned(kMeasuredArenaBytes + kArenaMarginBytes));
    } else {
      MicroPrintf("The tensors could not be planned in %u bytes. Where the line above says 'missing: N', raise MODEL_ARENA_BYTES "
                  "by N (this target's kernels need more than the host's); otherwise this TFLite Micro lacks what it names.",
                  ToUnsigned(kArenaBytes));
    }
    return nullptr;
  }
  return &interpreter;
}

// Every op in the order of execution, by its builtin code: the larger of the two fields, as codes past 127 outgrew the old one.
void PrintOperators(const tflite::Model* model) {
  const auto* operators = model->subgraphs()->Get(0)->operators();
  for (unsigned i = 0; i < operators->size(); ++i) {
    const auto* code = model->operator_codes()->Get(operators->Get(i)->opcode_index());
    const int builtin_code = std::max(static_cast<int>(code->deprecated_builtin_code()), static_cast<int>(code->builtin_code()));
    MicroPrintf("Operator %u: builtin code %d", i, builtin_code);
  }
}

void PrintQuantization(const char* name, const TfLiteTensor& tensor) {
  MicroPrintf("%s: type %s, %u bytes, scale %.9g, zero point %d", name, TfLiteTypeGetName(tensor.type), ToUnsigned(tensor.bytes),
              static_cast<double>(tensor.params.scale), static_cast<int>(tensor.params.zero_point));
}
