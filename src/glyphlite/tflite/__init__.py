"""The .tflite file format: a validated reader, a typed graph, quantization arithmetic, metadata. Knows no runtime."""
