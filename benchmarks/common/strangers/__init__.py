"""The inputs of strangers: every kind of model, data set and picture that glyphlite must accept, refuse in one line, or doubt.

A file per section; each kind is a function that makes its example, runs the commands as a user would and measures. Nothing here
knows how glyphlite works inside: it reads command lines, exit codes and JSON.
"""
