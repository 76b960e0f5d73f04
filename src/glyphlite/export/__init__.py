"""Exports artifacts to other people's runtimes: C arrays, TFLite Micro projects, a page to draw on.
Reads artifacts and asks runtimes; trains and converts nothing.
"""
