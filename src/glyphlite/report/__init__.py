"""Presents what was measured: findings in words, tables on a terminal, figures, and pages that open from disk.
Measures nothing itself; everything comes from the records of `results`.
"""
