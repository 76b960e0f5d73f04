"""Turns any picture of handwriting into the 28x28 pixels that MNIST's makers would have made of it: sheet, ink, glyph, field.
The drawing page's scripts of the same names compute the same; nothing here knows datasets or models.
"""
