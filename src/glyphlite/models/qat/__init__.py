"""Trains for int8 within Keras: layers that simulate quantization, and a whole model's state of it.
Importing the layers imports TensorFlow; recipes and trainers are unknown here.
"""
