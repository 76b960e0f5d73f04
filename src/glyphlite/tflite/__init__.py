"""Reads and writes the .tflite file format: a validated reader, a typed graph, quantization arithmetic, metadata.
Knows the format alone; it runs no model and imports no runtime.
"""
