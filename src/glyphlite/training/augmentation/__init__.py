"""Augments training images: affine, elastic and photometric changes, drawn by seed and step.
The parameters are drawn in NumPy, the images changed inside TensorFlow's graph.
"""
