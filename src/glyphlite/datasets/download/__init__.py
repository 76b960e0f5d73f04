"""Fetches the datasets that glyphlite knows by name: verified bytes from whichever source answers, kept in the user's cache.
Every file is checked against its SHA-256 before it is used.
"""
