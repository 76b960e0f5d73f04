"""Verifies that runtimes agree: the same stored inputs through each runtime, outputs compared byte for byte.
Tells where two runtimes first differ, and what the comparison comes to.
"""
