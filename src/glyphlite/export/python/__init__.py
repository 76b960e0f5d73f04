"""Export for Python on small Linux boards: one program and one model, with nothing but LiteRT, NumPy and Pillow.

What prepares a picture is a copy of glyphlite's own modules, so that the program reads what ``glyphlite predict`` reads.
"""
