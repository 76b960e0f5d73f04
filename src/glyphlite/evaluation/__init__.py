"""Measures what a model is worth: accuracy, confidence, size, speed, instructions on emulated cores.
Each figure is measured on the file and the runtime that it is printed with.
"""
