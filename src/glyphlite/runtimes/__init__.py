"""Executes models: Keras, LiteRT, TFLite Micro, generated C on this host and on emulated cores, one file per runtime.
The registry finds each by name; nothing is measured here.
"""
