"""Draws conclusions from results: which file to ship, for which target, what the numbers mean, what stands in the way.
Pure functions of the records, which terminal and page share.
"""
