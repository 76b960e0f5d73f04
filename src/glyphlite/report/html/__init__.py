"""Writes results as pages: one HTML document each that opens from disk and needs no script.
Holds the templates and what fills them.
"""
