"""Converts a trained Keras model to .tflite files: variants, calibration, metadata, weights.
Drives TensorFlow's converter in a child process and executes no artifact.
"""
