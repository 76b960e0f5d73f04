"""Rewrites .tflite files, bytes to bytes: tensor names, INT4 weights, shared buffers, float inputs and outputs, declarations.
Each rewrite keeps what the file computes; none of them knows Keras or how a file was converted.
"""
