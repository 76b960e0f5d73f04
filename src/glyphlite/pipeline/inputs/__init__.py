"""Brings what a user names on the command line to what the packages take: files, the datasets that belong to them, conventions.
Reads and checks; writes nothing.
"""
