"""What executes a model: Keras, LiteRT, TFLite Micro, generated C on this host and on emulated cores. Measures nothing."""
