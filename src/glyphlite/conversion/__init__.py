"""A trained Keras model to .tflite files: variants, calibration, metadata, weights. Executes no artifact."""
