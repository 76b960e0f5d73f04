"""Ops that answer each element on its own, and SOFTMAX. Where one stored byte decides, ``lookup.py`` is the op."""
