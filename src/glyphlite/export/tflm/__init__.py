"""Exports a .tflite file as a TFLite Micro project: model, ops, arena, a program with a test image, and how to build it.
Registers exactly the ops that the model uses.
"""
