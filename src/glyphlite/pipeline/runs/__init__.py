"""Keeps a run or training on disk: its folder, its plan, its stages, its record and results.
A finished run is never replaced unasked, an unfinished one never lost.
"""
