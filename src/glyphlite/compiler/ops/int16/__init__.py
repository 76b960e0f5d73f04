"""Ops on int16 activations, of files with int8 weights (int16x8). Values are held as they are stored, their zero point is 0.

``table`` registers them.
"""
