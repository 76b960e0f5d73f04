"""Says what goes into a model and what comes out: the input convention of its pixels, and the kind of its outputs.
Read from Keras layers, from .tflite metadata, or from what a user states; nothing is measured here.
"""
